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
 * vgpu_mapping_add - map the next addresses of a binding
 * @mapping: addresses; advances by @size on success
 * @target: offset in VRAM or physical address
 * @size: bytes
 * @flags: flags of vgpu_lmtt_map()
 *
 * Only for the map function of vgpu_pf_bind().
 *
 * Context: Process context, may sleep. The caller holds &vgpu_pf.space_lock.
 * Return: 0; or, with nothing mapped, -ERANGE if the binding has fewer addresses
 * left, or the error of vgpu_lmtt_map().
 */
int vgpu_mapping_add(struct vgpu_mapping *mapping, u64 target, u64 size, u64 flags)
{
	int err;

	if (size > mapping->end - mapping->next)
		return -ERANGE;
	err = vgpu_lmtt_map(mapping->lmtt, mapping->next, target, size, flags);
	if (!err)
		mapping->next += size;
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_mapping_add);

static int pf_map_node(struct vgpu_pf *pf, const struct drm_mm_node *node,
		       int (*map)(struct vgpu_mapping *mapping, void *data), void *data)
{
	struct vgpu_mapping mapping = {
		.lmtt = &pf->lmtt,
		.next = node->start,
		.end = node->start + node->size,
	};
	int err;

	/* All tables at once, because the object can consist of many small pieces. */
	err = vgpu_lmtt_reserve(&pf->lmtt, node->start, node->size) ?: map(&mapping, data);
	if (!err && mapping.next != mapping.end)
		err = -ERANGE;
	return err;
}

/* The device forgets the translations before another object can get the addresses. */
static void pf_unmap_node(struct vgpu_device *vgpu, struct drm_mm_node *node)
{
	struct vgpu_pf *pf = &vgpu->pf;

	if (pf->has_space)
		vgpu_lmtt_unmap(&pf->lmtt, node->start, node->size);
	scoped_guard(mutex, &pf->hw_lock)
		if (pf->started)
			write_pf(vgpu, VGPU_FN_INVALIDATE, 1);
	drm_mm_remove_node(node);
}

/**
 * vgpu_pf_bind - give an object addresses, unless it has some
 * @vgpu: device
 * @binding: of the object
 * @size: bytes of it, a multiple of the page size
 * @map: maps the object by calls of vgpu_mapping_add(), exactly @size bytes in all;
 *	called under &vgpu_pf.space_lock
 * @data: argument of @map
 *
 * After an error nothing of the object is mapped.
 *
 * Context: Process context, may sleep.
 * Return: 0; -ENODEV if the device has gone; -ENOSPC if the address space is
 * full; -ERANGE if @map mapped fewer or more than @size bytes; -ENOMEM; or the error
 * of @map.
 */
int vgpu_pf_bind(struct vgpu_device *vgpu, struct vgpu_binding *binding, u64 size,
		 int (*map)(struct vgpu_mapping *mapping, void *data), void *data)
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
	err = pf_map_node(pf, &binding->node, map, data);
	if (err)
		pf_unmap_node(vgpu, &binding->node);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_pf_bind);

/**
 * vgpu_pf_unbind - unmap an object
 * @vgpu: device
 * @binding: of an object that no job uses any more
 *
 * Context: Process context, may sleep.
 */
void vgpu_pf_unbind(struct vgpu_device *vgpu, struct vgpu_binding *binding)
{
	guard(mutex)(&vgpu->pf.space_lock);

	if (drm_mm_node_allocated(&binding->node))
		pf_unmap_node(vgpu, &binding->node);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_pf_unbind);
