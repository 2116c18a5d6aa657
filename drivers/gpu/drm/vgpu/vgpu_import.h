/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that clients import.
 */
#ifndef _VGPU_IMPORT_H_
#define _VGPU_IMPORT_H_

#include <linux/types.h>

struct dma_buf_attachment;
struct drm_device;
struct sg_table;
struct vgpu_mapping;

/**
 * struct vgpu_import_range - contiguous memory, as the device addresses it
 */
struct vgpu_import_range {
	/** @address: physical address, a multiple of %VGPU_PAGE_SIZE */
	u64 address;
	/** @size: bytes, a multiple of %VGPU_PAGE_SIZE */
	u64 size;
};

/**
 * struct vgpu_import - imported memory that was checked
 */
struct vgpu_import {
	/** @num_ranges: number of ranges */
	unsigned int num_ranges;
	/** @ranges: memory in the order of the object, exactly as long as the object */
	struct vgpu_import_range ranges[];
};

struct vgpu_import *vgpu_import_create(struct drm_device *drm,
				       const struct dma_buf_attachment *attach,
				       const struct sg_table *sgt);
void vgpu_import_free(struct vgpu_import *import);
int vgpu_import_map(const struct vgpu_import *import, struct vgpu_mapping *mapping);

#endif /* _VGPU_IMPORT_H_ */
