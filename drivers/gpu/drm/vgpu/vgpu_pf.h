/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The physical function's own ring and address space, for clients of the
 * render node.
 */
#ifndef _VGPU_PF_H_
#define _VGPU_PF_H_

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <drm/drm_mm.h>
#include <drm/gpu_scheduler.h>
#include <drm/vgpu_drm.h>

#include "vgpu_lmtt.h"

struct dma_fence;
struct drm_gem_object;
struct vgpu_device;
struct vgpu_file;
struct workqueue_struct;

/** VGPU_RING_ENTRIES - commands that the ring has room for, a power of two */
#define VGPU_RING_ENTRIES	1024

/** VGPU_RING_SIZE - bytes of the ring, which is at address 0 of the PF's space */
#define VGPU_RING_SIZE		(VGPU_RING_ENTRIES * sizeof(struct vgpu_cmd))

/**
 * struct vgpu_job - commands of a client, from the ioctl until all is done
 */
struct vgpu_job {
	/** @base: what the scheduler has of it */
	struct drm_sched_job base;
	/** @vgpu: the device */
	struct vgpu_device *vgpu;
	/** @file: the client, a reference */
	struct vgpu_file *file;
	/** @fence: what others wait for, a reference */
	struct dma_fence *fence;
	/** @link: in &vgpu_ring.running, under its lock */
	struct list_head link;
	/** @seqno: value of the fence command that ends it */
	u64 seqno;
	/** @begun: when it was put into the ring */
	ktime_t begun;
	/** @bos: objects that it uses, a reference to each */
	struct drm_gem_object **bos;
	/** @num_bos: entries of @bos */
	u32 num_bos;
	/** @num_cmds: entries of @cmds */
	u32 num_cmds;
	/** @cmds: as they go into the ring */
	struct vgpu_cmd cmds[] __counted_by(num_cmds);
};

/**
 * struct vgpu_ring - the ring of the PF
 */
struct vgpu_ring {
	/** @lock: protects all below; taken by the interrupt handler */
	spinlock_t lock;
	/** @cmds: the ring itself, NULL while there is none */
	struct vgpu_cmd *cmds;
	/** @tail: commands written, counts on */
	u64 tail;
	/** @emitted: value of the last fence command written */
	u64 emitted;
	/** @running: jobs in the ring, the oldest first */
	struct list_head running;
	/** @last_done: when a job was last done */
	ktime_t last_done;
};

/**
 * struct vgpu_pf - the physical function, as clients use it
 */
struct vgpu_pf {
	/** @lock: protects @started, @stopped, @lmtt and @space */
	struct mutex lock;
	/** @started: it has a table and a ring, and the device runs it */
	bool started;
	/** @stopped: the driver is being removed, it is not started again */
	bool stopped;
	/** @lmtt: translates its address space, while started */
	struct vgpu_lmtt lmtt;
	/** @space: who has which addresses */
	struct drm_mm space;
	/** @ring: its ring */
	struct vgpu_ring ring;
	/** @sched: decides whose job is next */
	struct drm_gpu_scheduler sched;
	/** @wq: where @sched works */
	struct workqueue_struct *wq;
	/** @num_jobs: jobs that are not yet freed */
	atomic_t num_jobs;
	/** @idle: woken when @num_jobs is 0 */
	wait_queue_head_t idle;
};

/**
 * struct vgpu_binding - where an object is in the PF's address space
 */
struct vgpu_binding {
	/** @node: its addresses, once it was used by a job */
	struct drm_mm_node node;
};

/* vgpu_pf.c */
int vgpu_pf_init(struct vgpu_device *vgpu);
void vgpu_pf_stop(struct vgpu_device *vgpu);
void vgpu_pf_reset(struct vgpu_device *vgpu);
int vgpu_pf_bind(struct vgpu_device *vgpu, struct vgpu_binding *binding, u64 size,
		 int (*map)(struct vgpu_lmtt *lmtt, u64 address, void *data), void *data);
void vgpu_pf_unbind(struct vgpu_device *vgpu, struct vgpu_binding *binding);

/* vgpu_ring.c */
void vgpu_ring_init(struct vgpu_ring *ring);
void vgpu_ring_begin(struct vgpu_ring *ring, struct vgpu_cmd *cmds);
struct vgpu_cmd *vgpu_ring_end(struct vgpu_ring *ring);
int vgpu_ring_push(struct vgpu_device *vgpu, struct vgpu_job *job);
void vgpu_ring_complete(struct vgpu_device *vgpu);
void vgpu_ring_cancel(struct vgpu_ring *ring, const struct vgpu_job *guilty, int err);

/* vgpu_sched.c */
int vgpu_sched_init(struct vgpu_device *vgpu);
void vgpu_sched_fini(struct vgpu_device *vgpu);
struct vgpu_job *vgpu_job_create(struct vgpu_device *vgpu, struct vgpu_file *file,
				 u32 num_cmds);
void vgpu_job_abandon(struct vgpu_job *job);

#endif /* _VGPU_PF_H_ */
