// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers from outside for QEMU's "edu" PCI device: one with hot update, under two names
 * and with a parameter for each way to fail, and a stock driver that has none. A platform
 * device has no COMMAND, no enable count, and no bus that is scanned again.
 */

#include <linux/device.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include <drm/drm_hotupdate.h>
#include <drm/drm_hotupdate_package.h>

#define OUTSIDE_VENDOR	0x1234
#define OUTSIDE_DEVICE	0x11e8

static bool fail_late;
module_param(fail_late, bool, 0600);
MODULE_PARM_DESC(fail_late, "Fail the probe after the registration");

static bool survives;
module_param(survives, bool, 0600);
MODULE_PARM_DESC(survives, "Register with DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF");

static bool stay_silent;
module_param(stay_silent, bool, 0600);
MODULE_PARM_DESC(stay_silent, "Leave without unregistering");

struct outside {
	struct pci_dev *pdev;
	struct drm_hotupdate_adapter *adapter;
	/* Given back in a restore, until the commit */
	struct drm_hotupdate_block *block;
	/* Memory of the device; after an update, that of the restored block */
	struct page *page;
};

static int outside_save_memory(struct drm_hotupdate_adapter *adapter)
{
	struct outside *outside = drm_hotupdate_adapter_priv(adapter);

	return drm_hotupdate_save_range(adapter, DRM_HOTUPDATE_MEM_SYSTEM,
					page_to_pfn(outside->page), 1, NULL, 0);
}

static void outside_cancel_save(struct drm_hotupdate_adapter *adapter)
{
}

static int outside_restore_memory(struct drm_hotupdate_adapter *adapter,
				  struct drm_hotupdate_block *block)
{
	struct outside *outside = drm_hotupdate_adapter_priv(adapter);

	if (outside->block)
		return -EINVAL;
	outside->block = block;
	return 0;
}

static void outside_restore_abort(struct drm_hotupdate_adapter *adapter)
{
	struct outside *outside = drm_hotupdate_adapter_priv(adapter);

	drm_hotupdate_block_put(outside->block);
	outside->block = NULL;
}

static int outside_start_device(struct drm_hotupdate_adapter *adapter, bool restored)
{
	struct outside *outside = drm_hotupdate_adapter_priv(adapter);

	if (restored)
		return outside->block ? 0 : -EINVAL;
	outside->page = alloc_page(GFP_KERNEL);
	return outside->page ? 0 : -ENOMEM;
}

/* Without the page, if it has not been taken over yet. */
static void outside_stop_device(struct drm_hotupdate_adapter *adapter, bool saved)
{
	struct outside *outside = drm_hotupdate_adapter_priv(adapter);

	if (!saved)
		pci_clear_master(outside->pdev);
	if (outside->page)
		put_page(outside->page);
	outside->page = NULL;
}

static void outside_restore_complete(struct drm_hotupdate_adapter *adapter)
{
	struct outside *outside = drm_hotupdate_adapter_priv(adapter);
	const struct drm_hotupdate_range *range;
	unsigned int num;

	range = drm_hotupdate_block_ranges(outside->block, &num);
	outside->page = pfn_to_page(range->pfn);
	get_page(outside->page);
	drm_hotupdate_block_put(outside->block);
	outside->block = NULL;
}

static const struct drm_hotupdate_ops outside_ops = {
	.save_memory = outside_save_memory,
	.cancel_save = outside_cancel_save,
	.restore_memory = outside_restore_memory,
	.restore_abort = outside_restore_abort,
	.start_device = outside_start_device,
	.stop_device = outside_stop_device,
	.restore_complete = outside_restore_complete,
};

/* Ends the registration before the device is disabled, as devres does it after. */
static void outside_end(struct outside *outside)
{
	drm_hotupdate_adapter_unregister(outside->adapter);
	pm_runtime_get_noresume(&outside->pdev->dev);
	pci_disable_device(outside->pdev);
}

static int outside_register(struct outside *outside)
{
	const struct drm_hotupdate_driver driver = {
		.name = "outside",
		.compatible = "test,outside",
		.version = 1,
		.min_version = 1,
		.ops = &outside_ops,
		.owner = THIS_MODULE,
		.flags = survives ? DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF : 0,
	};

	outside->adapter = drm_hotupdate_adapter_register(&outside->pdev->dev, &driver,
							  outside);
	return PTR_ERR_OR_ZERO(outside->adapter);
}

static int outside_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct outside *outside;
	int err;

	outside = devm_kzalloc(&pdev->dev, sizeof(*outside), GFP_KERNEL);
	if (!outside)
		return -ENOMEM;
	outside->pdev = pdev;
	pci_set_drvdata(pdev, outside);
	err = pci_enable_device(pdev);
	if (err)
		return err;
	pci_set_master(pdev);

	err = outside_register(outside);
	if (err) {
		pci_disable_device(pdev);
		return err;
	}
	/* Runtime PM is allowed to suspend the device, but for the administrator. */
	pm_runtime_put_noidle(&pdev->dev);
	if (fail_late) {
		outside_end(outside);
		return -EIO;
	}
	return 0;
}

static void outside_remove(struct pci_dev *pdev)
{
	struct outside *outside = pci_get_drvdata(pdev);

	if (!stay_silent)
		outside_end(outside);
}

static const struct pci_device_id outside_ids[] = {
	{ PCI_DEVICE(OUTSIDE_VENDOR, OUTSIDE_DEVICE) },
	{ }
};

static struct pci_driver outside_driver = {
	.name = "outside",
	.id_table = outside_ids,
	.probe = outside_probe,
	.remove = outside_remove,
};

/* The driver of another release has another name. */
static struct pci_driver outside_standby = {
	.name = "outside_standby",
	.id_table = outside_ids,
	.probe = outside_probe,
	.remove = outside_remove,
};

static int outside_stock_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return pci_enable_device(pdev);
}

static void outside_stock_remove(struct pci_dev *pdev)
{
	pci_disable_device(pdev);
}

static struct pci_driver outside_stock = {
	.name = "outside_stock",
	.id_table = outside_ids,
	.probe = outside_stock_probe,
	.remove = outside_stock_remove,
};

static struct pci_driver *outside_drivers[] = {
	&outside_driver, &outside_standby, &outside_stock,
};

static int __init outside_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(outside_drivers); i++) {
		err = pci_register_driver(outside_drivers[i]);
		if (err)
			goto err_unregister;
	}
	return 0;

err_unregister:
	while (i--)
		pci_unregister_driver(outside_drivers[i]);
	return err;
}

static void __exit outside_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(outside_drivers); i++)
		pci_unregister_driver(outside_drivers[i]);
}

module_init(outside_init);
module_exit(outside_exit);

MODULE_DESCRIPTION("Drivers of a PCI device, to test hot update with");
MODULE_PACKAGE_VERSION;
MODULE_LICENSE("GPL");
