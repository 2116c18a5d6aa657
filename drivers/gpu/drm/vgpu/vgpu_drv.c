// SPDX-License-Identifier: GPL-2.0-only

#include <linux/module.h>
#include <linux/platform_device.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_hotupdate_package.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_print.h>
#include <drm/vgpu_drm.h>

#include "vgpu_debugfs.h"
#include "vgpu_drv.h"
#include "vgpu_fault.h"
#include "vgpu_file.h"
#include "vgpu_gem.h"
#include "vgpu_submit.h"

/**
 * DOC: driver
 *
 * vgpu is the driver of the physical function of an SR-IOV GPU: a DRM driver
 * with a render node for clients on the host, which provides virtual functions
 * to guests. Its module can be replaced while guests use them.
 *
 * Where to look: vgpu_hotupdate.c for what a hot update takes, vgpu_state.h for
 * what one release says to the next, vgpu_vf.c for the life of a VF,
 * vgpu_lmtt.c and vgpu_memory.c for what it is made of, vgpu_mbox.c for what it
 * can ask for, vgpu_sriov_sysfs.c for what an administrator sees; for clients of
 * the render node vgpu_submit.c, and from there vgpu_sched.c, vgpu_pf.c and
 * vgpu_ring.c.
 */

/**
 * vgpu_get_param_ioctl - DRM_IOCTL_VGPU_GET_PARAM
 * @drm: DRM device
 * @data: &struct drm_vgpu_get_param
 * @file: client
 *
 * Return: 0, or -EINVAL if the arguments are not as documented.
 */
static int vgpu_get_param_ioctl(struct drm_device *drm, void *data,
				struct drm_file *file)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct drm_vgpu_get_param *args = data;

	if (args->pad || args->value)
		return -EINVAL;

	switch (args->param) {
	case DRM_VGPU_PARAM_VRAM_SIZE:
		args->value = vgpu->vram.size;
		return 0;
	case DRM_VGPU_PARAM_VRAM_FREE:
		args->value = vgpu_vram_free_bytes(&vgpu->vram);
		return 0;
	case DRM_VGPU_PARAM_TOTAL_VFS:
		args->value = vgpu->total_vfs;
		return 0;
	case DRM_VGPU_PARAM_RELEASE:
		args->value = VGPU_RELEASE;
		return 0;
	case DRM_VGPU_PARAM_MAX_CMDS:
		args->value = VGPU_SUBMIT_MAX_CMDS;
		return 0;
	default:
		return -EINVAL;
	}
}

static const struct drm_ioctl_desc vgpu_ioctls[] = {
	DRM_IOCTL_DEF_DRV(VGPU_GET_PARAM, vgpu_get_param_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VGPU_GEM_CREATE, vgpu_gem_create_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VGPU_GEM_MMAP_OFFSET, vgpu_gem_mmap_offset_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VGPU_GEM_WAIT, vgpu_gem_wait_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VGPU_SUBMIT, vgpu_submit_ioctl, DRM_RENDER_ALLOW),
};

static const struct file_operations vgpu_fops = {
	.owner = THIS_MODULE,
	DRM_GEM_FOPS,
	.show_fdinfo = drm_show_fdinfo,
};

static const struct drm_driver vgpu_drm_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.open = vgpu_file_open,
	.postclose = vgpu_file_close,
	.show_fdinfo = vgpu_file_show_fdinfo,
	.ioctls = vgpu_ioctls,
	.num_ioctls = ARRAY_SIZE(vgpu_ioctls),
	.fops = &vgpu_fops,
	.gem_create_object = vgpu_gem_create_object,
	.gem_prime_import_sg_table = vgpu_gem_import_sg_table,
	.name = "vgpu",
	.desc = "Simulated SR-IOV GPU",
	/* Of the interface for clients, which all releases share. */
	.major = 1,
	.minor = 0,
};

static void vgpu_end(struct vgpu_device *vgpu)
{
	vgpu_sriov_sysfs_remove(vgpu);
	drm_dev_unplug(&vgpu->drm);
	vgpu_hotupdate_unregister(vgpu);
}

static int vgpu_probe(struct platform_device *pdev)
{
	const struct vgpu_hw_pdata *pdata = dev_get_platdata(&pdev->dev);
	struct vgpu_device *vgpu;
	int err;

	if (!pdata || !pdata->hw)
		return -ENODEV;

	vgpu = devm_drm_dev_alloc(&pdev->dev, &vgpu_drm_driver, struct vgpu_device, drm);
	if (IS_ERR(vgpu))
		return PTR_ERR(vgpu);
	platform_set_drvdata(pdev, vgpu);

	err = vgpu_device_init(vgpu, pdata->hw) ?: vgpu_fault_probe(vgpu);
	if (err)
		return err;

	err = vgpu_sriov_sysfs_add(vgpu);
	if (err)
		return err;
	vgpu_debugfs_add(vgpu);

	/* It starts the device. Nothing but a test fails afterwards. */
	err = vgpu_hotupdate_register(vgpu);
	if (err) {
		vgpu_sriov_sysfs_remove(vgpu);
		return err;
	}
	err = vgpu_fault_late(vgpu);
	if (err)
		vgpu_end(vgpu);
	return err;
}

static void vgpu_remove(struct platform_device *pdev)
{
	vgpu_end(platform_get_drvdata(pdev));
}

/*
 * Matched by name. With an ID table the driver core would leave a pointer into it
 * in the device. After a driver_override it would still be there when this module has
 * gone, for the next driver that asks for its ID.
 */
static struct platform_driver vgpu_platform_driver = {
	.driver = {
		.name = VGPU_HW_NAME,
	},
	.probe = vgpu_probe,
	.remove = vgpu_remove,
};
module_platform_driver(vgpu_platform_driver);

MODULE_AUTHOR("The drm-hotupdate authors");
MODULE_DESCRIPTION("Driver for the simulated SR-IOV GPU vgpu");
MODULE_ALIAS("platform:" VGPU_HW_NAME);
MODULE_PACKAGE_VERSION;
MODULE_LICENSE("GPL");
