// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers for a PCI function that has VFs: one with hot update for QEMU's "nvme" device,
 * which saves a page and leaves its VFs enabled, and one for the VFs, which does nothing
 * with them. Both do as little with the device itself: no driver starts its controller.
 */

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>

#include <drm/drm_hotupdate.h>
#include <drm/drm_hotupdate_package.h>

#define FUNCTIONS_DEVICE	0x0010

struct functions {
	struct pci_dev *pdev;
	struct drm_hotupdate_adapter *adapter;
	/* Given back in a restore, until the commit */
	struct drm_hotupdate_block *block;
	struct page *page;
};

static int functions_save_memory(struct drm_hotupdate_adapter *adapter)
{
	struct functions *functions = drm_hotupdate_adapter_priv(adapter);

	return drm_hotupdate_save_range(adapter, DRM_HOTUPDATE_MEM_SYSTEM,
					page_to_pfn(functions->page), 1, NULL, 0);
}

static void functions_cancel_save(struct drm_hotupdate_adapter *adapter)
{
}

static int functions_restore_memory(struct drm_hotupdate_adapter *adapter,
				    struct drm_hotupdate_block *block)
{
	struct functions *functions = drm_hotupdate_adapter_priv(adapter);

	if (functions->block)
		return -EINVAL;
	functions->block = block;
	return 0;
}

static void functions_restore_abort(struct drm_hotupdate_adapter *adapter)
{
	struct functions *functions = drm_hotupdate_adapter_priv(adapter);

	drm_hotupdate_block_put(functions->block);
	functions->block = NULL;
}

static int functions_start_device(struct drm_hotupdate_adapter *adapter, bool restored)
{
	struct functions *functions = drm_hotupdate_adapter_priv(adapter);

	if (restored)
		return functions->block ? 0 : -EINVAL;
	functions->page = alloc_page(GFP_KERNEL);
	return functions->page ? 0 : -ENOMEM;
}

/* Without the page, if it has not been taken over yet. */
static void functions_stop_device(struct drm_hotupdate_adapter *adapter, bool saved)
{
	struct functions *functions = drm_hotupdate_adapter_priv(adapter);

	if (!saved) {
		pci_disable_sriov(functions->pdev);
		pci_clear_master(functions->pdev);
	}
	if (functions->page)
		put_page(functions->page);
	functions->page = NULL;
}

static void functions_restore_complete(struct drm_hotupdate_adapter *adapter)
{
	struct functions *functions = drm_hotupdate_adapter_priv(adapter);
	const struct drm_hotupdate_range *range;
	unsigned int num;

	range = drm_hotupdate_block_ranges(functions->block, &num);
	functions->page = pfn_to_page(range->pfn);
	get_page(functions->page);
	drm_hotupdate_block_put(functions->block);
	functions->block = NULL;
}

static const struct drm_hotupdate_ops functions_ops = {
	.save_memory = functions_save_memory,
	.cancel_save = functions_cancel_save,
	.restore_memory = functions_restore_memory,
	.restore_abort = functions_restore_abort,
	.start_device = functions_start_device,
	.stop_device = functions_stop_device,
	.restore_complete = functions_restore_complete,
};

static const struct drm_hotupdate_driver functions_hotupdate_driver = {
	.name = "functions_pf",
	.compatible = "test,functions",
	.version = 1,
	.min_version = 1,
	.ops = &functions_ops,
	.owner = THIS_MODULE,
};

static int functions_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct functions *functions;
	int err;

	if (pdev->is_virtfn)
		return -ENODEV;
	functions = devm_kzalloc(&pdev->dev, sizeof(*functions), GFP_KERNEL);
	if (!functions)
		return -ENOMEM;
	functions->pdev = pdev;
	pci_set_drvdata(pdev, functions);
	err = pci_enable_device(pdev);
	if (err)
		return err;
	pci_set_master(pdev);
	functions->adapter = drm_hotupdate_adapter_register(&pdev->dev,
							    &functions_hotupdate_driver,
							    functions);
	err = PTR_ERR_OR_ZERO(functions->adapter);
	if (err)
		pci_disable_device(pdev);
	return err;
}

static void functions_remove(struct pci_dev *pdev)
{
	struct functions *functions = pci_get_drvdata(pdev);

	drm_hotupdate_adapter_unregister(functions->adapter);
	pci_disable_device(pdev);
}

static int functions_sriov_configure(struct pci_dev *pdev, int num_vfs)
{
	int err;

	if (!num_vfs) {
		pci_disable_sriov(pdev);
		return 0;
	}
	err = pci_enable_sriov(pdev, num_vfs);
	return err ?: num_vfs;
}

static const struct pci_device_id functions_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT, FUNCTIONS_DEVICE) },
	{ }
};

static struct pci_driver functions_pf = {
	.name = "functions_pf",
	.id_table = functions_ids,
	.probe = functions_probe,
	.remove = functions_remove,
	.sriov_configure = functions_sriov_configure,
};

static int functions_vf_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err;

	if (!pdev->is_virtfn)
		return -ENODEV;
	err = pci_enable_device(pdev);
	if (!err)
		pci_set_master(pdev);
	return err;
}

/* A VF goes on when its driver leaves it, as with a guest that does not stop it. */
static void functions_vf_remove(struct pci_dev *pdev)
{
}

static struct pci_driver functions_vf = {
	.name = "functions_vf",
	.id_table = functions_ids,
	.probe = functions_vf_probe,
	.remove = functions_vf_remove,
};

static int __init functions_init(void)
{
	int err = pci_register_driver(&functions_pf);

	if (err)
		return err;
	err = pci_register_driver(&functions_vf);
	if (err)
		pci_unregister_driver(&functions_pf);
	return err;
}

static void __exit functions_exit(void)
{
	pci_unregister_driver(&functions_vf);
	pci_unregister_driver(&functions_pf);
}

module_init(functions_init);
module_exit(functions_exit);

MODULE_DESCRIPTION("Drivers of a PCI function and its VFs, to test hot update with");
MODULE_PACKAGE_VERSION;
MODULE_LICENSE("GPL");
