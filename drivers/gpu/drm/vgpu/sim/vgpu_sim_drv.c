// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim
 *
 * vgpu_sim is an SR-IOV GPU made of software: what netdevsim is to networking.
 * It plays the silicon and nothing else. It knows of no driver and of no
 * update, and holds only what hardware would hold: registers, VRAM, rings,
 * requests in the mailbox. The PF's driver reaches it through &struct vgpu_hw
 * in the platform data of the platform device, guests reach a VF through its
 * window /dev/vgpu-vfN, and both can come and go while it runs on.
 *
 * Where things are:
 *
 * - vgpu_sim_config.c: what the devices are to be like
 * - vgpu_sim_regs.c: registers, as the PF's driver reads and writes them
 * - vgpu_sim_fn.c: a function: its registers' meaning, reset, doorbell, fault
 * - vgpu_sim_irq.c: the interrupt to the PF's driver
 * - vgpu_sim_lmtt.c: translation through the LMTT in system memory
 * - vgpu_sim_cmd.c: the commands
 * - vgpu_sim_sched.c: who has the engine next
 * - vgpu_sim_engine.c: the engine's thread and the ring
 * - vgpu_sim_mbox.c: the mailbox between VFs and the PF's driver
 * - vgpu_sim_vfregs.c: registers, as a guest reads and writes them
 * - vgpu_sim_window.c: the window as a file
 * - vgpu_sim_mmap.c: the window as memory
 * - vgpu_sim_debugfs.c: what went wrong, in numbers
 *
 * Life cycle: a device is created by vgpu_sim_create(), which makes it whole
 * but at rest, then given its engine's thread, windows, and counters. When all
 * devices are there each gets the platform device that a driver can bind to,
 * and at last guests can open windows. All is taken down in reverse:
 * platform_device_unregister() unbinds the driver before anything that the
 * driver uses goes. An open window holds a reference to the module, so that
 * the module cannot go while a guest is there. If the module fails to load it
 * does go: nothing fails from when windows can be opened.
 */

#include <kunit/visibility.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_hotupdate_package.h>

#include "vgpu_sim.h"

static struct vgpu_sim_config config = {
	.devices = 1,
	.total_vfs = VGPU_HW_MAX_VFS,
	.vram_mb = 256,
};

module_param_named(devices, config.devices, uint, 0444);
MODULE_PARM_DESC(devices, "Devices to make (default 1, up to 64)");
module_param_named(total_vfs, config.total_vfs, uint, 0444);
MODULE_PARM_DESC(total_vfs, "Virtual functions of each (default 64, 1 to 64)");
module_param_named(vram_mb, config.vram_mb, uint, 0444);
MODULE_PARM_DESC(vram_mb, "MiB of VRAM of each (default 256)");

static struct vgpu_sim *devices[VGPU_SIM_MAX_DEVICES];

static void free_fns(struct vgpu_sim *sim)
{
	unsigned int i;

	for (i = 0; i <= sim->total_vfs; i++)
		vgpu_sim_fn_fini(&sim->fns[i]);
	kvfree(sim->fns);
}

static int create_fns(struct vgpu_sim *sim)
{
	unsigned int i;
	int ret;

	sim->fns = kvcalloc(sim->total_vfs + 1, sizeof(*sim->fns), GFP_KERNEL);
	if (!sim->fns)
		return -ENOMEM;

	for (i = 0; i <= sim->total_vfs; i++) {
		ret = vgpu_sim_fn_init(&sim->fns[i], sim, i);
		if (ret)
			goto err_fini;
	}
	return 0;

err_fini:
	while (i--)
		vgpu_sim_fn_fini(&sim->fns[i]);
	kvfree(sim->fns);
	return ret;
}

/**
 * vgpu_sim_create() - make a device
 * @cfg: what it is to be like, checked
 * @index: which of the devices it is
 *
 * The device is whole, but its engine's thread does not run, and neither
 * drivers nor guests find it.
 *
 * Return: the device, which vgpu_sim_destroy() frees, or an ERR_PTR().
 */
struct vgpu_sim *vgpu_sim_create(const struct vgpu_sim_config *cfg,
				 unsigned int index)
{
	/* Too much to ask for is no reason for a backtrace or the OOM killer. */
	const gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
			  __GFP_RETRY_MAYFAIL;
	struct vgpu_sim *sim;
	int ret = -ENOMEM;

	sim = kvzalloc(sizeof(*sim), GFP_KERNEL);
	if (!sim)
		return ERR_PTR(-ENOMEM);

	sim->index = index;
	sim->total_vfs = cfg->total_vfs;
	sim->hw.ops = &vgpu_sim_hw_ops;
	sim->hw.vram_size = (u64)cfg->vram_mb << 20;
	sim->hw.vram = __vmalloc(sim->hw.vram_size, gfp);
	if (!sim->hw.vram)
		goto err_free;

	vgpu_sim_irq_init(&sim->irq);
	vgpu_sim_mbox_init(sim);
	vgpu_sim_engine_init(sim);

	ret = create_fns(sim);
	if (ret)
		goto err_vram;
	return sim;

err_vram:
	vfree(sim->hw.vram);
err_free:
	kvfree(sim);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_create);

/**
 * vgpu_sim_destroy() - free a device
 * @sim: the device, which neither a driver nor a guest uses any more
 */
void vgpu_sim_destroy(struct vgpu_sim *sim)
{
	free_fns(sim);
	vfree(sim->hw.vram);
	kvfree(sim);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_destroy);

static int plug(struct vgpu_sim *sim)
{
	const struct vgpu_hw_pdata pdata = { .hw = &sim->hw };
	const struct platform_device_info info = {
		.name = VGPU_HW_NAME,
		.id = sim->index,
		.data = &pdata,
		.size_data = sizeof(pdata),
		.dma_mask = DMA_BIT_MASK(64),
	};
	struct platform_device *pdev;

	pdev = platform_device_register_full(&info);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	sim->pdev = pdev;
	return 0;
}

static int add_device(unsigned int index)
{
	struct vgpu_sim *sim;
	int ret;

	sim = vgpu_sim_create(&config, index);
	if (IS_ERR(sim))
		return PTR_ERR(sim);

	ret = vgpu_sim_engine_start(sim);
	if (ret)
		goto err_destroy;
	ret = vgpu_sim_windows_create(sim);
	if (ret)
		goto err_stop;
	vgpu_sim_debugfs_add(sim);
	devices[index] = sim;
	return 0;

err_stop:
	vgpu_sim_engine_stop(sim);
err_destroy:
	vgpu_sim_destroy(sim);
	return ret;
}

static void remove_device(unsigned int index)
{
	struct vgpu_sim *sim = devices[index];

	/* NULL, which is nothing to unregister, if it was not plugged yet */
	platform_device_unregister(sim->pdev);
	vgpu_sim_debugfs_remove(sim);
	vgpu_sim_windows_destroy(sim);
	vgpu_sim_engine_stop(sim);
	vgpu_sim_destroy(sim);
}

static void remove_devices(unsigned int num)
{
	while (num--)
		remove_device(num);
}

static int add_devices(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < config.devices; i++) {
		ret = add_device(i);
		if (ret) {
			pr_err("vgpu_sim: device %u of %u MiB of VRAM cannot be made: %pe\n",
			       i, config.vram_mb, ERR_PTR(ret));
			remove_devices(i);
			return ret;
		}
	}
	return 0;
}

static int plug_devices(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < config.devices && !ret; i++)
		ret = plug(devices[i]);
	return ret;
}

static int __init vgpu_sim_init(void)
{
	const char *reason;
	int ret;

	ret = vgpu_sim_config_check(&config, &reason);
	if (ret) {
		pr_err("vgpu_sim: %s\n", reason);
		return ret;
	}

	ret = vgpu_sim_windows_init(config.devices);
	if (ret)
		return ret;
	vgpu_sim_debugfs_init();

	ret = add_devices();
	if (ret)
		goto err_exit;
	/* Guests come last: what was given to drivers can be taken back. */
	ret = plug_devices() ?: vgpu_sim_windows_show();
	if (ret)
		goto err_remove;
	return 0;

err_remove:
	remove_devices(config.devices);
err_exit:
	vgpu_sim_debugfs_exit();
	vgpu_sim_windows_exit();
	return ret;
}

static void __exit vgpu_sim_exit(void)
{
	vgpu_sim_windows_hide();
	remove_devices(config.devices);
	vgpu_sim_debugfs_exit();
	vgpu_sim_windows_exit();
}

module_init(vgpu_sim_init);
module_exit(vgpu_sim_exit);

MODULE_DESCRIPTION("Simulated SR-IOV GPU");
MODULE_PACKAGE_VERSION;
MODULE_LICENSE("GPL");
