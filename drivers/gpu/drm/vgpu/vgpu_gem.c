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
#include <drm/drm_utils.h>
#include <drm/drm_vma_manager.h>
#include <drm/vgpu_drm.h>

#include "vgpu_drv.h"
#include "vgpu_gem.h"
#include "vgpu_import.h"

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

static struct vgpu_gem_system *to_vgpu_gem_system(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_shmem_obj(obj), struct vgpu_gem_system, base);
}

/*
 * In VRAM
 */

static void vram_free(struct drm_gem_object *obj)
{
	struct vgpu_gem_vram *bo = to_vgpu_gem_vram(obj);
	struct vgpu_vram *vram = &to_vgpu(obj->dev)->vram;

	vgpu_pf_unbind(to_vgpu(obj->dev), &bo->binding);
	scoped_guard(mutex, &vram->lock)
		drm_mm_remove_node(&bo->node);
	drm_gem_object_release(obj);
	kfree(bo);
}

/*
 * By page number, so that nobody can pin the page: it would still be the
 * client's when the object has gone, and its VRAM is a guest's.
 */
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
	ret = vmf_insert_pfn(vma, vmf->address,
			     vmalloc_to_pfn(vgpu->vram.cpu + bo->node.start + offset));
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
	/* A copy on write would be of a page that has no owner to ask. */
	if (!(vma->vm_flags & VM_SHARED) && vma->vm_flags & VM_MAYWRITE)
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

/* No get_sg_table: clients can share it, but other devices cannot reach it. */
static const struct drm_gem_object_funcs vram_funcs = {
	.free = vram_free,
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

static int map_vram(struct vgpu_mapping *mapping, void *data)
{
	struct vgpu_gem_vram *bo = data;

	return vgpu_mapping_add(mapping, bo->node.start, bo->node.size, 0);
}

/*
 * In system memory
 */

static void system_free(struct drm_gem_object *obj)
{
	struct vgpu_gem_system *bo = to_vgpu_gem_system(obj);

	vgpu_pf_unbind(to_vgpu(obj->dev), &bo->binding);
	if (bo->pinned)
		drm_gem_shmem_unpin(&bo->base);
	vgpu_import_free(bo->import);
	mutex_destroy(&bo->pin_lock);
	drm_gem_shmem_free(&bo->base);
}

static const struct drm_gem_object_funcs system_funcs = {
	.free = system_free,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

/**
 * vgpu_gem_create_object - &drm_driver.gem_create_object
 * @drm: DRM device
 * @size: bytes
 *
 * For objects in system memory, and those that are imported.
 *
 * Return: The object, to be initialised, or an ERR_PTR.
 */
struct drm_gem_object *vgpu_gem_create_object(struct drm_device *drm, size_t size)
{
	struct vgpu_gem_system *bo = kzalloc(sizeof(*bo), GFP_KERNEL);

	if (!bo)
		return ERR_PTR(-ENOMEM);
	mutex_init(&bo->pin_lock);
	/* The engine is coherent with the CPU's caches. */
	bo->base.map_wc = false;
	bo->base.base.funcs = &system_funcs;
	return &bo->base.base;
}

/**
 * vgpu_gem_import_sg_table - &drm_driver.gem_prime_import_sg_table
 * @drm: DRM device
 * @attach: attachment of the dma-buf
 * @sgt: the exporter's list; stays the caller's after an error, and lives as long as
 *	the object otherwise
 *
 * Context: Process context, may sleep. The caller holds PRIME's locks.
 * Return: The object, or the ERR_PTR of vgpu_import_create(), or ERR_PTR(-ENOMEM).
 */
struct drm_gem_object *vgpu_gem_import_sg_table(struct drm_device *drm,
						struct dma_buf_attachment *attach,
						struct sg_table *sgt)
{
	struct vgpu_import *import = vgpu_import_create(drm, attach, sgt);
	struct drm_gem_object *obj;

	if (IS_ERR(import))
		return ERR_CAST(import);
	obj = drm_gem_shmem_prime_import_sg_table(drm, attach, sgt);
	if (IS_ERR(obj))
		vgpu_import_free(import);
	else
		to_vgpu_gem_system(obj)->import = import;
	return obj;
}

static struct drm_gem_object *create_system(struct vgpu_device *vgpu, u64 size)
{
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(&vgpu->drm, size);

	return IS_ERR(shmem) ? ERR_CAST(shmem) : &shmem->base;
}

static int pin_system(struct vgpu_gem_system *bo)
{
	int err = 0;

	guard(mutex)(&bo->pin_lock);

	if (!bo->pinned)
		err = drm_gem_shmem_pin(&bo->base);
	if (!err)
		bo->pinned = true;
	return err;
}

static int map_system(struct vgpu_mapping *mapping, void *data)
{
	struct vgpu_gem_system *bo = data;
	u64 i, num = bo->base.base.size >> PAGE_SHIFT;
	int err;

	for (i = 0; i < num; i++) {
		err = vgpu_mapping_add(mapping, page_to_phys(bo->base.pages[i]), PAGE_SIZE,
				       VGPU_LMTT_SYSTEM);
		if (err)
			return err;
	}
	return 0;
}

static int map_imported(struct vgpu_mapping *mapping, void *data)
{
	struct vgpu_gem_system *bo = data;

	return vgpu_import_map(bo->import, mapping);
}

static int bind_system(struct vgpu_device *vgpu, struct vgpu_gem_system *bo)
{
	int err;

	if (drm_gem_is_imported(&bo->base.base))
		return vgpu_pf_bind(vgpu, &bo->binding, bo->base.base.size, map_imported, bo);

	err = pin_system(bo);
	return err ?: vgpu_pf_bind(vgpu, &bo->binding, bo->base.base.size, map_system, bo);
}

/*
 * Either
 */

static struct vgpu_binding *binding(struct drm_gem_object *obj)
{
	return vgpu_gem_is_vram(obj) ? &to_vgpu_gem_vram(obj)->binding :
				       &to_vgpu_gem_system(obj)->binding;
}

/**
 * vgpu_gem_is_resident - whether an object has all of its memory
 * @obj: object of this driver
 *
 * Return: true if so, false if it is given pages when it is first used.
 */
bool vgpu_gem_is_resident(struct drm_gem_object *obj)
{
	return vgpu_gem_is_vram(obj) || drm_gem_is_imported(obj) ||
	       READ_ONCE(to_vgpu_gem_system(obj)->base.pages);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_gem_is_resident);

/**
 * vgpu_gem_bind - give an object addresses that jobs can use
 * @obj: object of this driver
 *
 * Return: 0; the error of vgpu_pf_bind(); or that of drm_gem_shmem_pin().
 */
int vgpu_gem_bind(struct drm_gem_object *obj)
{
	struct vgpu_device *vgpu = to_vgpu(obj->dev);

	if (vgpu_gem_is_vram(obj))
		return vgpu_pf_bind(vgpu, binding(obj), obj->size, map_vram,
				    to_vgpu_gem_vram(obj));
	return bind_system(vgpu, to_vgpu_gem_system(obj));
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_gem_bind);

/**
 * vgpu_gem_address - where an object is in the PF's address space
 * @obj: object that vgpu_gem_bind() was successful for
 *
 * Return: The address, valid as long as the object.
 */
u64 vgpu_gem_address(struct drm_gem_object *obj)
{
	return binding(obj)->node.start;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_gem_address);

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

/**
 * vgpu_gem_wait_ioctl - DRM_IOCTL_VGPU_GEM_WAIT
 * @drm: DRM device
 * @data: &struct drm_vgpu_gem_wait
 * @file: client
 *
 * Return: 0; -ETIME if jobs still use the object; -EINVAL if the arguments are
 * not as documented, or there is no such object; -ERESTARTSYS.
 */
int vgpu_gem_wait_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_vgpu_gem_wait *args = data;

	if (args->flags & ~DRM_VGPU_GEM_WAIT_WRITERS)
		return -EINVAL;
	return drm_gem_dma_resv_wait(file, args->handle,
				     !(args->flags & DRM_VGPU_GEM_WAIT_WRITERS),
				     drm_timeout_abs_to_jiffies(args->timeout_ns));
}
