/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GEM objects of vgpu.
 */
#ifndef _VGPU_GEM_H_
#define _VGPU_GEM_H_

#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_mm.h>

#include "vgpu_pf.h"

struct dma_buf_attachment;
struct sg_table;
struct vgpu_import;

/**
 * struct vgpu_gem_vram - GEM object in VRAM
 */
struct vgpu_gem_vram {
	/** @base: the object */
	struct drm_gem_object base;
	/** @node: where it is in VRAM */
	struct drm_mm_node node;
	/** @binding: where it is in the PF's address space */
	struct vgpu_binding binding;
};

/**
 * struct vgpu_gem_system - GEM object in system memory, or imported
 */
struct vgpu_gem_system {
	/** @base: the object */
	struct drm_gem_shmem_object base;
	/** @binding: where it is in the PF's address space */
	struct vgpu_binding binding;
	/**
	 * @pin_lock: protects @pinned, while it comes to be. Taken before the
	 * object's reservation.
	 */
	struct mutex pin_lock;
	/** @pinned: its pages are pinned, as long as it lives */
	bool pinned;
	/** @import: its memory if it is imported, or NULL */
	struct vgpu_import *import;
};

bool vgpu_gem_is_vram(const struct drm_gem_object *obj);
bool vgpu_gem_is_resident(struct drm_gem_object *obj);
int vgpu_gem_bind(struct drm_gem_object *obj);
u64 vgpu_gem_address(struct drm_gem_object *obj);
struct drm_gem_object *vgpu_gem_create_object(struct drm_device *drm, size_t size);
struct drm_gem_object *vgpu_gem_import_sg_table(struct drm_device *drm,
						struct dma_buf_attachment *attach,
						struct sg_table *sgt);
int vgpu_gem_create_ioctl(struct drm_device *drm, void *data, struct drm_file *file);
int vgpu_gem_mmap_offset_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file);
int vgpu_gem_wait_ioctl(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* _VGPU_GEM_H_ */
