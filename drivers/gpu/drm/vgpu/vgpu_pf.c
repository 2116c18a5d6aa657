// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "vgpu_drv.h"
#include "vgpu_pf.h"

/**
 * DOC: physical function
 *
 * Clients of the render node share the physical function's ring and address
 * space. An object gets addresses when a job first uses it, and has them until
 * it is freed. Clients never see an address: they name objects, and offsets in
 * them.
 *
 * The function is set up when the first job comes, and is reset and forgotten
 * when the driver goes. None of it is saved: jobs belong to files, and a module
 * with open files is not unloaded. VFs do not notice any of this.
 */

static void fini_pf(struct drm_device *drm, void *data)
{
	struct vgpu_device *vgpu = to_vgpu(drm);

	vgpu_sched_fini(vgpu);
	drm_mm_takedown(&vgpu->pf.space);
}

/**
 * vgpu_pf_init - make the physical function, at rest
 * @vgpu: device
 *
 * It goes with the DRM device.
 *
 * Return: 0 or a negative errno.
 */
int vgpu_pf_init(struct vgpu_device *vgpu)
{
	struct vgpu_pf *pf = &vgpu->pf;
	int err;

	err = drmm_mutex_init(&vgpu->drm, &pf->space_lock) ?:
	      drmm_mutex_init(&vgpu->drm, &pf->hw_lock);
	if (err)
		return err;
	vgpu_ring_init(&pf->ring);
	err = vgpu_sched_init(vgpu);
	if (err)
		return err;
	drm_mm_init(&pf->space, VGPU_RING_SIZE, VGPU_LMTT_MAX_SIZE - VGPU_RING_SIZE);
	return drmm_add_action_or_reset(&vgpu->drm, fini_pf, NULL);
}

static void write_pf(struct vgpu_device *vgpu, u32 reg, u64 value)
{
	vgpu_write(vgpu, VGPU_FN(0, reg), value);
}

/* Whatever it was before, also what a driver that crashed has left. */
static void program_pf(struct vgpu_device *vgpu)
{
	write_pf(vgpu, VGPU_FN_RESET, VGPU_RESET_MAGIC);
	write_pf(vgpu, VGPU_FN_TABLE, vgpu_lmtt_base(&vgpu->pf.lmtt));
	write_pf(vgpu, VGPU_FN_MEM_SIZE, VGPU_LMTT_MAX_SIZE);
	write_pf(vgpu, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	write_pf(vgpu, VGPU_FN_RING_BASE, 0);
	write_pf(vgpu, VGPU_FN_RING_ENTRIES, VGPU_RING_ENTRIES);
}

static int map_ring(struct vgpu_lmtt *lmtt, void *ring)
{
	u64 offset;
	int err;

	for (offset = 0; offset < VGPU_RING_SIZE; offset += PAGE_SIZE) {
		err = vgpu_lmtt_map(lmtt, offset, page_to_phys(vmalloc_to_page(ring + offset)),
				    PAGE_SIZE, VGPU_LMTT_SYSTEM);
		if (err)
			return err;
	}
	return 0;
}

static int start(struct vgpu_device *vgpu, struct vgpu_cmd *ring)
{
	struct vgpu_pf *pf = &vgpu->pf;

	guard(mutex)(&pf->hw_lock);

	if (pf->stopped)
		return -ENODEV;
	program_pf(vgpu);
	vgpu_ring_begin(&pf->ring, ring);
	pf->started = true;
	return 0;
}

static int make_space(struct vgpu_device *vgpu)
{
	struct vgpu_pf *pf = &vgpu->pf;
	void *ring;
	int err;

	lockdep_assert_held(&pf->space_lock);

	if (pf->has_space)
		return 0;

	ring = vzalloc(VGPU_RING_SIZE);
	if (!ring)
		return -ENOMEM;
	err = vgpu_lmtt_init(&pf->lmtt);
	if (err)
		goto err_free;
	err = map_ring(&pf->lmtt, ring) ?: start(vgpu, ring);
	if (err)
		goto err_fini;
	pf->has_space = true;
	return 0;

err_fini:
	vgpu_lmtt_fini(&pf->lmtt);
err_free:
	vfree(ring);
	return err;
}

/* Returns the ring, if there was one. The device reads neither it nor the table. */
static struct vgpu_cmd *stop(struct vgpu_device *vgpu)
{
	struct vgpu_pf *pf = &vgpu->pf;
	bool cookie = dma_fence_begin_signalling();
	struct vgpu_cmd *ring = NULL;

	scoped_guard(mutex, &pf->hw_lock) {
		pf->stopped = true;
		if (pf->started) {
			pf->started = false;
			ring = vgpu_ring_end(&pf->ring);
			/* What the device did in time, it did. */
			vgpu_ring_complete(vgpu);
			write_pf(vgpu, VGPU_FN_RESET, VGPU_RESET_MAGIC);
			vgpu_ring_cancel(&pf->ring, -ENODEV, -ENODEV);
		}
	}
	dma_fence_end_signalling(cookie);
	return ring;
}

/**
 * vgpu_pf_stop - take the physical function out of use, for good
 * @vgpu: device without an interrupt handler
 *
 * Jobs that are in the ring, and those that are yet to come, end with -ENODEV.
 */
void vgpu_pf_stop(struct vgpu_device *vgpu)
{
	struct vgpu_pf *pf = &vgpu->pf;
	struct vgpu_cmd *ring = stop(vgpu);

	if (!ring)
		return;

	guard(mutex)(&pf->space_lock);

	pf->has_space = false;
	vgpu_lmtt_fini(&pf->lmtt);
	vfree(ring);
}

/**
 * vgpu_pf_reset - reset the physical function, which keeps its address space
 * @vgpu: device
 *
 * For when its ring has stopped, or takes too long. Jobs that are in the ring
 * are for the caller to end. Does nothing if the device has gone, or is going.
 */
void vgpu_pf_reset(struct vgpu_device *vgpu)
{
	struct vgpu_pf *pf = &vgpu->pf;

	guard(mutex)(&pf->hw_lock);

	if (!pf->started)
		return;
	drm_err(&vgpu->drm, "a job of the PF's ring does not end, fault %llu: reset\n",
		vgpu_read(vgpu, VGPU_FN(0, VGPU_FN_FAULT)));
	program_pf(vgpu);
	vgpu_ring_begin(&pf->ring, vgpu_ring_end(&pf->ring));
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_pf_reset);

/**
 * vgpu_pf_bind - give an object addresses, unless it has some
 * @vgpu: device
 * @binding: of the object
 * @size: bytes of it, a multiple of the page size
 * @map: maps all of the object from an address on; what it has mapped when it
 *	fails is unmapped
 * @data: for @map
 *
 * Return: 0; -ENODEV if the device has gone; -ENOSPC if the address space is
 * full; -ENOMEM.
 */
int vgpu_pf_bind(struct vgpu_device *vgpu, struct vgpu_binding *binding, u64 size,
		 int (*map)(struct vgpu_lmtt *lmtt, u64 address, void *data), void *data)
{
	struct vgpu_pf *pf = &vgpu->pf;
	int err;

	guard(mutex)(&pf->space_lock);

	if (READ_ONCE(pf->stopped))
		return -ENODEV;
	err = make_space(vgpu);
	if (err || drm_mm_node_allocated(&binding->node))
		return err;

	err = drm_mm_insert_node_generic(&pf->space, &binding->node, size,
					 VGPU_PAGE_SIZE, 0, DRM_MM_INSERT_BEST);
	if (err)
		return err;
	/* In one go, however small the pieces are that it is mapped in. */
	err = vgpu_lmtt_reserve(&pf->lmtt, binding->node.start, size) ?:
	      map(&pf->lmtt, binding->node.start, data);
	if (err) {
		vgpu_lmtt_unmap(&pf->lmtt, binding->node.start, size);
		drm_mm_remove_node(&binding->node);
	}
	return err;
}

/**
 * vgpu_pf_unbind - take an object's addresses back
 * @vgpu: device
 * @binding: of the object, which no job uses any more
 */
void vgpu_pf_unbind(struct vgpu_device *vgpu, struct vgpu_binding *binding)
{
	struct vgpu_pf *pf = &vgpu->pf;

	guard(mutex)(&pf->space_lock);

	if (!drm_mm_node_allocated(&binding->node))
		return;
	if (pf->has_space)
		vgpu_lmtt_unmap(&pf->lmtt, binding->node.start, binding->node.size);
	scoped_guard(mutex, &pf->hw_lock)
		if (pf->started)
			write_pf(vgpu, VGPU_FN_INVALIDATE, 1);
	drm_mm_remove_node(&binding->node);
}
