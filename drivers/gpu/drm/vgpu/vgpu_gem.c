// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_vma_manager.h>
#include <drm/vgpu_drm.h>

#include "vgpu_drv.h"
#include "vgpu_gem.h"

/**
 * DOC: GEM
 *
 * Memory of clients on the host, not of guests. In system memory objects are
 * those of the DRM core's shmem helper; in VRAM they are a node of the
 * allocator that VFs' memory comes from as well.
 *
 * Objects belong to files, and a module with open files is not unloaded: none
 * is there when the driver is replaced, and none is saved.
 */

static struct vgpu_gem_vram *to_vgpu_gem_vram(struct drm_gem_object *obj)
{
	return container_of(obj, struct vgpu_gem_vram, base);
}

static void vram_free(struct drm_gem_object *obj)
{
	struct vgpu_gem_vram *bo = to_vgpu_gem_vram(obj);
	struct vgpu_vram *vram = &to_vgpu(obj->dev)->vram;

	scoped_guard(mutex, &vram->lock)
		drm_mm_remove_node(&bo->node);
	drm_gem_object_release(obj);
	kfree(bo);
}

static vm_fault_t vram_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vgpu_gem_vram *bo = to_vgpu_gem_vram(vma->vm_private_data);
	struct vgpu_device *vgpu = to_vgpu(bo->base.dev);
	u64 offset = (u64)(vmf->pgoff - drm_vma_node_start(&bo->base.vma_node)) << PAGE_SHIFT;
	vm_fault_t ret;
	int idx;

	if (offset >= bo->base.size || !drm_dev_enter(&vgpu->drm, &idx))
		return VM_FAULT_SIGBUS;
	ret = vmf_insert_page(vma, vmf->address,
			      vmalloc_to_page(vgpu->vram.cpu + bo->node.start + offset));
	drm_dev_exit(idx);
	return ret;
}

static const struct vm_operations_struct vram_vm_ops = {
	.fault = vram_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static int vram_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

/* Other devices cannot reach this VRAM, so it is not for them. */
static struct dma_buf *vram_export(struct drm_gem_object *obj, int flags)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static const struct drm_gem_object_funcs vram_funcs = {
	.free = vram_free,
	.export = vram_export,
	.mmap = vram_mmap,
	.vm_ops = &vram_vm_ops,
};

/**
 * vgpu_gem_is_vram - whether an object is in VRAM
 * @obj: object of this driver
 *
 * Return: true if so, false if it is in system memory, or imported.
 */
bool vgpu_gem_is_vram(const struct drm_gem_object *obj)
{
	return obj->funcs == &vram_funcs;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_gem_is_vram);

static struct drm_gem_object *create_vram(struct vgpu_device *vgpu, u64 size)
{
	struct vgpu_vram *vram = &vgpu->vram;
	struct vgpu_gem_vram *bo;
	int err;

	bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	if (!bo)
		return ERR_PTR(-ENOMEM);

	bo->base.funcs = &vram_funcs;
	drm_gem_private_object_init(&vgpu->drm, &bo->base, size);

	scoped_guard(mutex, &vram->lock)
		err = drm_mm_insert_node_generic(&vram->mm, &bo->node, size,
						 VGPU_PAGE_SIZE, 0, DRM_MM_INSERT_BEST);
	if (!err) {
		memset(vram->cpu + bo->node.start, 0, size);
		err = drm_gem_create_mmap_offset(&bo->base);
		if (!err)
			return &bo->base;
		scoped_guard(mutex, &vram->lock)
			drm_mm_remove_node(&bo->node);
	}
	drm_gem_object_release(&bo->base);
	kfree(bo);
	return ERR_PTR(err);
}

static struct drm_gem_object *create_system(struct vgpu_device *vgpu, u64 size)
{
	struct drm_gem_shmem_object *shmem;

	shmem = drm_gem_shmem_create(&vgpu->drm, size);
	if (IS_ERR(shmem))
		return ERR_CAST(shmem);
	/* The engine is coherent with the CPU's caches. */
	shmem->map_wc = false;
	return &shmem->base;
}

/**
 * vgpu_gem_create_ioctl - DRM_IOCTL_VGPU_GEM_CREATE
 * @drm: DRM device
 * @data: &struct drm_vgpu_gem_create
 * @file: client
 *
 * Return: 0; -EINVAL if the arguments are not as documented; -ENOSPC if there
 * is no such piece of VRAM; -ENOMEM; -ENODEV if the device has gone.
 */
int vgpu_gem_create_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct drm_vgpu_gem_create *args = data;
	struct drm_gem_object *obj;
	u64 size;
	int err, idx;

	if (args->flags & ~DRM_VGPU_GEM_VRAM || args->handle)
		return -EINVAL;
	if (!args->size || args->size > VGPU_LMTT_MAX_SIZE)
		return -EINVAL;
	size = round_up(args->size, VGPU_PAGE_SIZE);

	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;
	obj = args->flags & DRM_VGPU_GEM_VRAM ? create_vram(vgpu, size) :
						create_system(vgpu, size);
	drm_dev_exit(idx);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	err = drm_gem_handle_create(file, obj, &args->handle);
	drm_gem_object_put(obj);
	if (!err)
		args->size = size;
	return err;
}

/**
 * vgpu_gem_mmap_offset_ioctl - DRM_IOCTL_VGPU_GEM_MMAP_OFFSET
 * @drm: DRM device
 * @data: &struct drm_vgpu_gem_mmap_offset
 * @file: client
 *
 * Return: 0; -EINVAL if the arguments are not as documented, or the object is
 * imported; -ENOENT if there is no such object; -ENOMEM.
 */
int vgpu_gem_mmap_offset_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file)
{
	struct drm_vgpu_gem_mmap_offset *args = data;

	if (args->pad)
		return -EINVAL;
	return drm_gem_dumb_map_offset(file, drm, args->handle, &args->offset);
}
