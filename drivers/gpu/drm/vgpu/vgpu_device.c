// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/cleanup.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "vgpu_drv.h"

/**
 * DOC: device
 *
 * What is there of a device besides the DRM interface: its VFs, its VRAM, its
 * interrupt. It is made apart from the platform driver, so that it can be made
 * without one, on hardware that is not even simulated.
 *
 * The device serves from its first start, or from the commit of an update, to its
 * next save or removal: VFs can be changed, and their requests are answered. VFs run
 * in any case.
 */

/* Those that clients of the render node wait for, whether VFs are served or not. */
#define PF_IRQS		(VGPU_IRQ_PF_FENCE | VGPU_IRQ_FAULT)

static bool pf_has_stopped(struct vgpu_device *vgpu)
{
	return vgpu_read(vgpu, VGPU_FN(0, VGPU_FN_STATUS)) & VGPU_FN_STATUS_FAULT;
}

/*
 * An interrupt that comes while the device does not serve is only acknowledged. No
 * request is lost by that, because vgpu_device_start_serving() looks for itself.
 */
static void handle_irq(void *data)
{
	struct vgpu_device *vgpu = data;
	u64 status = vgpu_read(vgpu, VGPU_HW_IRQ_STATUS);

	vgpu_write(vgpu, VGPU_HW_IRQ_STATUS, status);
	if (status & VGPU_IRQ_PF_FENCE)
		vgpu_ring_complete(vgpu);
	if (status & VGPU_IRQ_FAULT && pf_has_stopped(vgpu))
		drm_sched_fault(&vgpu->pf.sched);
	if (status & (VGPU_IRQ_MBOX | VGPU_IRQ_FAULT))
		schedule_work(&vgpu->irq_work);
}

static void report_faults(struct vgpu_device *vgpu)
{
	unsigned long faults = vgpu_read(vgpu, VGPU_HW_VF_FAULTS);
	unsigned int bit;

	vgpu_write(vgpu, VGPU_HW_VF_FAULTS, faults);
	for_each_set_bit(bit, &faults, vgpu->total_vfs)
		drm_dbg(&vgpu->drm, "VF %u stopped with fault %llu at %#llx\n", bit + 1,
			vgpu_read(vgpu, VGPU_FN(bit + 1, VGPU_FN_FAULT)),
			vgpu_read(vgpu, VGPU_FN(bit + 1, VGPU_FN_FAULT_ADDR)));
}

static void do_irq_work(struct work_struct *work)
{
	struct vgpu_device *vgpu = container_of(work, struct vgpu_device, irq_work);

	guard(mutex)(&vgpu->sriov_lock);

	if (!vgpu->serving)
		return;
	report_faults(vgpu);
	if (vgpu_mbox_serve(vgpu))
		schedule_work(&vgpu->irq_work);
}

static void fini_vram(struct drm_device *drm, void *data)
{
	vgpu_vram_fini(data);
}

/**
 * vgpu_device_init - make a device that does not yet serve
 * @vgpu: device, whose DRM device is made
 * @hw: the hardware, left as it is
 *
 * What is made here goes with the DRM device.
 *
 * Return: 0, -ENODEV if this is no vgpu, or -ENOMEM.
 */
int vgpu_device_init(struct vgpu_device *vgpu, struct vgpu_hw *hw)
{
	unsigned int number;
	int err;

	vgpu->hw = hw;
	if (vgpu_read(vgpu, VGPU_HW_IDENT) != VGPU_HW_IDENT_VALUE) {
		drm_err(&vgpu->drm, "identifies itself as %#llx, not as %#llx\n",
			vgpu_read(vgpu, VGPU_HW_IDENT), VGPU_HW_IDENT_VALUE);
		return -ENODEV;
	}

	vgpu->total_vfs = min_t(u64, vgpu_read(vgpu, VGPU_HW_TOTAL_VFS), VGPU_HW_MAX_VFS);
	vgpu->vfs = drmm_kcalloc(&vgpu->drm, vgpu->total_vfs, sizeof(*vgpu->vfs),
				 GFP_KERNEL);
	if (!vgpu->vfs)
		return -ENOMEM;

	err = drmm_mutex_init(&vgpu->drm, &vgpu->sriov_lock);
	if (err)
		return err;
	init_waitqueue_head(&vgpu->gate_wait);
	INIT_WORK(&vgpu->irq_work, do_irq_work);

	vgpu_vram_init(&vgpu->vram, hw->vram, hw->vram_size);
	err = drmm_add_action_or_reset(&vgpu->drm, fini_vram, &vgpu->vram);
	if (err)
		return err;

	for (number = 1; number <= vgpu->total_vfs; number++)
		vgpu_vf_init(vgpu_vf(vgpu, number), vgpu, number);
	return vgpu_pf_init(vgpu);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_device_init);

/**
 * vgpu_device_start_serving - begin, or go on, to serve
 * @vgpu: device with an interrupt handler
 *
 * What waits in the mailbox is served soon.
 */
void vgpu_device_start_serving(struct vgpu_device *vgpu)
{
	scoped_guard(mutex, &vgpu->sriov_lock)
		vgpu->serving = true;
	vgpu_write(vgpu, VGPU_HW_IRQ_ENABLE, VGPU_IRQ_MBOX | PF_IRQS);
	schedule_work(&vgpu->irq_work);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_device_start_serving);

/**
 * vgpu_device_stop_serving - serve no more
 * @vgpu: device
 *
 * When this returns, no request is half served, and none will be begun. Clients
 * of the render node are not concerned.
 */
void vgpu_device_stop_serving(struct vgpu_device *vgpu)
{
	scoped_guard(mutex, &vgpu->sriov_lock)
		vgpu->serving = false;
	vgpu_write(vgpu, VGPU_HW_IRQ_ENABLE, PF_IRQS);
	cancel_work_sync(&vgpu->irq_work);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_device_stop_serving);

/**
 * vgpu_device_request_irq - have the device interrupt, once it is enabled
 * @vgpu: device
 *
 * This disables all interrupts, also before the commit of an update: the mask is not
 * part of the saved state, and the device keeps what is pending.
 *
 * Return: 0 or a negative errno.
 */
int vgpu_device_request_irq(struct vgpu_device *vgpu)
{
	vgpu_write(vgpu, VGPU_HW_IRQ_ENABLE, 0);
	return vgpu->hw->ops->request_irq(vgpu->hw, handle_irq, vgpu);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_device_request_irq);

/**
 * vgpu_device_free_irq - undo vgpu_device_request_irq()
 * @vgpu: device that does not serve
 */
void vgpu_device_free_irq(struct vgpu_device *vgpu)
{
	vgpu_write(vgpu, VGPU_HW_IRQ_ENABLE, 0);
	vgpu->hw->ops->free_irq(vgpu->hw);
	cancel_work_sync(&vgpu->irq_work);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_device_free_irq);
