/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The physical function's own ring and address space, for clients of the
 * render node.
 */
#ifndef _VGPU_PF_H_
#define _VGPU_PF_H_

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_mm.h>
#include <drm/gpu_scheduler.h>
#include <drm/vgpu_drm.h>

#include "vgpu_lmtt.h"

struct dma_fence;
struct drm_gem_object;
struct vgpu_device;
struct vgpu_file;

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
	/** @release: gives back what it uses, when it is over */
	struct work_struct release;
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
	/** @charged: engine time of the PF, in ns, up to which jobs have paid */
	u64 charged;
};

/**
 * struct vgpu_ring_look - how far the oldest job in a ring is
 */
struct vgpu_ring_look {
	/** @seqno: which one it is */
	u64 seqno;
	/** @engine_ns: engine time that the PF has used in all */
	u64 engine_ns;
	/** @used_ns: engine time that this job has used */
	u64 used_ns;
};

/**
 * struct vgpu_pf - the physical function, as clients use it
 */
struct vgpu_pf {
	/** @space_lock: protects the address space: @has_space, @lmtt and @space */
	struct mutex space_lock;
	/** @has_space: there is a table, and a ring */
	bool has_space;
	/** @lmtt: translates its address space, if there is one */
	struct vgpu_lmtt lmtt;
	/** @space: who has which addresses */
	struct drm_mm space;
	/**
	 * @hw_lock: protects what the device is told: @started, @stopped, and
	 * the function's registers. Others wait for fences that are signalled
	 * under it, so no memory is allocated. Order: space_lock, then hw_lock.
	 */
	struct mutex hw_lock;
	/** @started: the device runs it */
	bool started;
	/** @stopped: the driver is being removed, it is not started again */
	bool stopped;
	/** @ring: its ring */
	struct vgpu_ring ring;
	/** @sched: decides whose job is next */
	struct drm_gpu_scheduler sched;
	/** @wq: where @sched works */
	struct workqueue_struct *wq;
	/** @release_wq: where jobs give back what they used, which can take long */
	struct workqueue_struct *release_wq;
	/** @hang_check: looks whether the ring goes on */
	struct delayed_work hang_check;
	/** @last_look: the work's own: how far it was when it last went on */
	struct vgpu_ring_look last_look;
	/** @went_on: the work's own: when that was, in jiffies */
	unsigned long went_on;
	/** @num_jobs: jobs that are not yet freed */
	atomic_t num_jobs;
	/** @num_leaving: clients whose file is closed, and who still have jobs */
	atomic_t num_leaving;
	/** @idle: woken when @num_jobs or @num_leaving is 0 */
	wait_queue_head_t idle;
};

/**
 * struct vgpu_binding - where an object is in the PF's address space
 */
struct vgpu_binding {
	/** @node: its addresses, once it was used by a job */
	struct drm_mm_node node;
};

/**
 * struct vgpu_mapping - addresses of a binding that are being mapped in order
 */
struct vgpu_mapping {
	/** @lmtt: table of the address space */
	struct vgpu_lmtt *lmtt;
	/** @next: first address that is not mapped yet */
	u64 next;
	/** @end: first address behind the binding */
	u64 end;
};

/* vgpu_pf.c */
int vgpu_pf_init(struct vgpu_device *vgpu);
void vgpu_pf_stop(struct vgpu_device *vgpu);
void vgpu_pf_reset(struct vgpu_device *vgpu);
int vgpu_pf_bind(struct vgpu_device *vgpu, struct vgpu_binding *binding, u64 size,
		 int (*map)(struct vgpu_mapping *mapping, void *data), void *data);
int vgpu_mapping_add(struct vgpu_mapping *mapping, u64 target, u64 size, u64 flags);
void vgpu_pf_unbind(struct vgpu_device *vgpu, struct vgpu_binding *binding);

/* vgpu_ring.c */
void vgpu_ring_init(struct vgpu_ring *ring);
void vgpu_ring_begin(struct vgpu_ring *ring, struct vgpu_cmd *cmds);
struct vgpu_cmd *vgpu_ring_end(struct vgpu_ring *ring);
int vgpu_ring_push(struct vgpu_device *vgpu, struct vgpu_job *job);
void vgpu_ring_complete(struct vgpu_device *vgpu);
bool vgpu_ring_look(struct vgpu_device *vgpu, struct vgpu_ring_look *look);
void vgpu_ring_cancel(struct vgpu_ring *ring, int first_err, int err);

/* vgpu_sched.c */
int vgpu_sched_init(struct vgpu_device *vgpu);
void vgpu_sched_fini(struct vgpu_device *vgpu);
struct vgpu_job *vgpu_job_create(struct vgpu_device *vgpu, struct vgpu_file *file,
				 u32 num_cmds);
void vgpu_job_abandon(struct vgpu_job *job);

#endif /* _VGPU_PF_H_ */
