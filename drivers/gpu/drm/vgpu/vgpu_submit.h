/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jobs of clients.
 */
#ifndef _VGPU_SUBMIT_H_
#define _VGPU_SUBMIT_H_

#include <drm/vgpu_drm.h>

struct drm_device;
struct drm_file;

/** VGPU_SUBMIT_MAX_CMDS - most commands of a job, so that several fit in the ring */
#define VGPU_SUBMIT_MAX_CMDS	256

/** VGPU_SUBMIT_MAX_SYNCS - most syncs of a job */
#define VGPU_SUBMIT_MAX_SYNCS	1024

/**
 * struct vgpu_submit_space - an object, as far as its size and place matter
 */
struct vgpu_submit_space {
	/** @address: in the PF's address space */
	u64 address;
	/** @size: bytes */
	u64 size;
};

const char *vgpu_submit_translate(const struct drm_vgpu_submit_cmd *in,
				  const struct vgpu_submit_space *spaces, u32 num_spaces,
				  struct vgpu_cmd *out);
int vgpu_submit_ioctl(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* _VGPU_SUBMIT_H_ */
