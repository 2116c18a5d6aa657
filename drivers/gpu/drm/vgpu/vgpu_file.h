/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clients of the render node.
 */
#ifndef _VGPU_FILE_H_
#define _VGPU_FILE_H_

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <drm/gpu_scheduler.h>

struct dma_fence;
struct drm_device;
struct drm_file;
struct drm_printer;
struct vgpu_device;

/**
 * struct vgpu_file - a client
 */
struct vgpu_file {
	/** @ref: one for the open file, one for each of its jobs */
	struct kref ref;
	/** @vgpu: the device */
	struct vgpu_device *vgpu;
	/** @leaving: its file is closed, and it is counted as such */
	bool leaving;
	/** @client_id: of its DRM file */
	u64 client_id;
	/** @entity: its queue of jobs */
	struct drm_sched_entity entity;
	/** @lock: protects @seqno, and keeps its jobs in the order of their fences */
	struct mutex lock;
	/** @context: of its fences */
	u64 context;
	/** @seqno: of the last of them */
	u64 seqno;
	/** @timeline: name of its fences */
	char timeline[32];
	/** @engine_ns: engine time that its jobs have used */
	atomic64_t engine_ns;
};

int vgpu_file_open(struct drm_device *drm, struct drm_file *file);
void vgpu_file_close(struct drm_device *drm, struct drm_file *file);
void vgpu_file_show_fdinfo(struct drm_printer *p, struct drm_file *file);
struct vgpu_file *vgpu_file_get(struct vgpu_file *file);
void vgpu_file_put(struct vgpu_file *file);
void vgpu_file_used_engine(struct vgpu_file *file, u64 ns);
struct dma_fence *vgpu_file_next_fence(struct vgpu_file *file);

#endif /* _VGPU_FILE_H_ */
