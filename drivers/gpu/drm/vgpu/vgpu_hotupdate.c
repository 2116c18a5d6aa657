// SPDX-License-Identifier: GPL-2.0-only

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <drm/drm_hotupdate.h>

#include "vgpu_drv.h"
#include "vgpu_hotupdate.h"

/**
 * DOC: hot update
 *
 * How this driver is replaced while guests use its VFs.
 *
 * The save stops serving, so that no request is half done, and saves the
 * adapter's state, and for each VF its state, its memory and its LMTT. The
 * device is not touched: it runs the VFs on. If the driver is removed then, it
 * drops its references to all of that: the stash has its own. Clients of the render
 * node are not part of it: they go on until they close it, as a module with open
 * files stays.
 *
 * The restore reserves: VRAM at the very offsets, pages where they are. Nothing
 * is written to the device (W14).
 *
 * The start compares the restored state with the device, and takes the device over
 * without a reset. It decides which VFs are lost, but does not act on it yet: until
 * the commit the probe can fail, and another driver restores the same stash. So it
 * resets no VF and answers no request, writes to sysfs fail with -EBUSY, and opens of
 * the render node wait. Without a stash the start resets the device and serves at
 * once.
 *
 * After the commit, lost VFs are reset, and the requests that have waited are served.
 * If the driver leaves before the commit, the stop leaves the VFs running, and the
 * abort drops what the restore has reserved.
 *
 * A VF whose blocks make no sense, or do not agree with the device, costs that
 * VF alone: it is reset after the commit, and reported. What concerns the adapter
 * as a whole, or what we have no memory for, refuses the replay, which can be
 * tried again.
 */

static const struct drm_hotupdate_ops vgpu_hotupdate_ops = {
	.save_memory = vgpu_save_memory,
	.cancel_save = vgpu_cancel_save,
	.restore_memory = vgpu_restore_memory,
	.restore_abort = vgpu_restore_abort,
	.start_device = vgpu_start_device,
	.stop_device = vgpu_stop_device,
	.restore_complete = vgpu_restore_complete,
};

static const struct drm_hotupdate_driver vgpu_hotupdate_driver = {
	.name = "vgpu",
	.compatible = VGPU_STATE_COMPATIBLE,
	.version = VGPU_RELEASE,
	.min_version = VGPU_STATE_VERSION_MIN,
	.ops = &vgpu_hotupdate_ops,
	.owner = THIS_MODULE,
};

MODULE_DRM_HOTUPDATE(VGPU_STATE_COMPATIBLE, VGPU_STATE_VERSION_MIN, VGPU_RELEASE);

/**
 * vgpu_replay_free - free what a restore has brought
 * @vgpu: device whose restore is complete, aborted, or will never begin
 */
void vgpu_replay_free(struct vgpu_device *vgpu)
{
	kfree(vgpu->replay);
	vgpu->replay = NULL;
}

/**
 * vgpu_hotupdate_register - restore what there is to restore, and start
 * @vgpu: device that all is ready for
 *
 * Return: 0, with the device visible, and serving now or after the commit; or a
 * negative errno.
 */
int vgpu_hotupdate_register(struct vgpu_device *vgpu)
{
	const struct drm_hotupdate_device device = {
		.dev = vgpu->drm.dev,
		.silence = vgpu->hw->ops->silence,
	};
	struct drm_hotupdate_adapter *adapter;

	vgpu->replay = kzalloc(sizeof(*vgpu->replay), GFP_KERNEL);
	if (!vgpu->replay)
		return -ENOMEM;
	xa_init(&vgpu->replay->kept);

	adapter = drm_hotupdate_adapter_register_device(&device, &vgpu_hotupdate_driver, vgpu);
	if (IS_ERR(adapter)) {
		/* It can fail without a callback. */
		vgpu_replay_free(vgpu);
		return PTR_ERR(adapter);
	}
	vgpu->adapter = adapter;
	return 0;
}

/**
 * vgpu_hotupdate_unregister - leave the VFs to the next driver, or disable them
 * @vgpu: device that nobody reaches any more
 */
void vgpu_hotupdate_unregister(struct vgpu_device *vgpu)
{
	drm_hotupdate_adapter_unregister(vgpu->adapter);
}
