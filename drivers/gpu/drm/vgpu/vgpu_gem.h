/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GEM objects of vgpu.
 */
#ifndef _VGPU_GEM_H_
#define _VGPU_GEM_H_

#include <drm/drm_gem.h>
#include <drm/drm_mm.h>

/**
 * struct vgpu_gem_vram - GEM object in VRAM
 */
struct vgpu_gem_vram {
	/** @base: the object */
	struct drm_gem_object base;
	/** @node: where it is in VRAM */
	struct drm_mm_node node;
};

bool vgpu_gem_is_vram(const struct drm_gem_object *obj);
int vgpu_gem_create_ioctl(struct drm_device *drm, void *data, struct drm_file *file);
int vgpu_gem_mmap_offset_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file);

#endif /* _VGPU_GEM_H_ */
