// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/dma-fence.h>
#include <linux/io.h>
#include <linux/lockdep.h>

#include "vgpu_drv.h"
#include "vgpu_file.h"
#include "vgpu_pf.h"

/**
 * DOC: ring
 *
 * Jobs of all clients go through the one ring of the physical function, in the
 * order in which the scheduler has them run. Each ends with a fence command; the
 * interrupt handler looks how far the device's fence register is, and signals
 * the fences of all jobs up to there.
 *
 * The scheduler never hands out more commands than there is room for. Numbers of
 * fences go on after a reset, so that what the register held before means none
 * of the jobs that come after.
 */

/**
 * vgpu_ring_init - make a ring that has no memory
 * @ring: ring
 */
void vgpu_ring_init(struct vgpu_ring *ring)
{
	spin_lock_init(&ring->lock);
	INIT_LIST_HEAD(&ring->running);
}

/**
 * vgpu_ring_begin - begin to use a ring, from its start
 * @ring: ring without jobs
 * @cmds: its memory
 */
void vgpu_ring_begin(struct vgpu_ring *ring, struct vgpu_cmd *cmds)
{
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	ring->cmds = cmds;
	ring->tail = 0;
	spin_unlock_irqrestore(&ring->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_ring_begin);

/**
 * vgpu_ring_end - let no job into a ring any more
 * @ring: ring
 *
 * Return: Its memory, NULL if it has none. The device may still read it.
 */
struct vgpu_cmd *vgpu_ring_end(struct vgpu_ring *ring)
{
	struct vgpu_cmd *cmds;
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	cmds = ring->cmds;
	ring->cmds = NULL;
	spin_unlock_irqrestore(&ring->lock, flags);
	return cmds;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_ring_end);

static void put_cmd(struct vgpu_ring *ring, const struct vgpu_cmd *cmd)
{
	lockdep_assert_held(&ring->lock);

	ring->cmds[ring->tail++ & (VGPU_RING_ENTRIES - 1)] = *cmd;
}

static u64 read_engine(struct vgpu_device *vgpu)
{
	return vgpu_read(vgpu, VGPU_FN(0, VGPU_FN_ENGINE_NS));
}

/* A device that has gone reads as all ones; one that was reset, as less. */
static u64 used_since(u64 engine_ns, u64 before)
{
	return engine_ns == ~0ull || engine_ns < before ? 0 : engine_ns - before;
}

static void put_job(struct vgpu_device *vgpu, struct vgpu_job *job)
{
	struct vgpu_cmd fence = { .op = VGPU_CMD_FENCE };
	struct vgpu_ring *ring = &vgpu->pf.ring;
	u32 i;

	if (list_empty(&ring->running))
		ring->charged = read_engine(vgpu);
	for (i = 0; i < job->num_cmds; i++)
		put_cmd(ring, &job->cmds[i]);
	job->seqno = ++ring->emitted;
	fence.value = job->seqno;
	put_cmd(ring, &fence);
	list_add_tail(&job->link, &ring->running);
}

/**
 * vgpu_ring_push - put a job into the ring
 * @vgpu: device
 * @job: job that there is room for
 *
 * Return: 0, or -ENODEV if the ring has ended.
 */
int vgpu_ring_push(struct vgpu_device *vgpu, struct vgpu_job *job)
{
	struct vgpu_ring *ring = &vgpu->pf.ring;
	unsigned long flags;
	int err = -ENODEV;

	spin_lock_irqsave(&ring->lock, flags);
	if (ring->cmds) {
		put_job(vgpu, job);
		/* The device may read the commands once it sees the tail. */
		wmb();
		vgpu_write(vgpu, VGPU_FN(0, VGPU_FN_RING_TAIL), ring->tail);
		err = 0;
	}
	spin_unlock_irqrestore(&ring->lock, flags);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_ring_push);

/* Jobs run one after the other: what the PF used since the last one is its. */
static void account(struct vgpu_ring *ring, struct vgpu_job *job, u64 engine_ns)
{
	vgpu_file_used_engine(job->file, used_since(engine_ns, ring->charged));
	ring->charged = engine_ns;
}

/* The fence of the oldest job if the device is past it, with a reference. */
static struct dma_fence *take_done(struct vgpu_ring *ring, u64 passed, u64 engine_ns)
{
	struct dma_fence *fence = NULL;
	struct vgpu_job *job;
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	job = list_first_entry_or_null(&ring->running, struct vgpu_job, link);
	if (job && job->seqno <= passed) {
		list_del_init(&job->link);
		account(ring, job, engine_ns);
		fence = dma_fence_get(job->fence);
	}
	spin_unlock_irqrestore(&ring->lock, flags);
	return fence;
}

/**
 * vgpu_ring_complete - signal the fences of all jobs that are done
 * @vgpu: device
 *
 * Context: Any. A job, its fence signalled, can be freed at once.
 */
void vgpu_ring_complete(struct vgpu_device *vgpu)
{
	u64 passed = vgpu_read(vgpu, VGPU_FN(0, VGPU_FN_FENCE));
	u64 engine_ns = read_engine(vgpu);
	struct dma_fence *fence;

	while ((fence = take_done(&vgpu->pf.ring, passed, engine_ns))) {
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
}

/**
 * vgpu_ring_look - how far the oldest job is
 * @vgpu: device that can be read
 * @look: filled in
 *
 * Return: true, or false if there is no job.
 */
bool vgpu_ring_look(struct vgpu_device *vgpu, struct vgpu_ring_look *look)
{
	struct vgpu_ring *ring = &vgpu->pf.ring;
	struct vgpu_job *job;
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	job = list_first_entry_or_null(&ring->running, struct vgpu_job, link);
	if (job) {
		look->seqno = job->seqno;
		look->engine_ns = read_engine(vgpu);
		look->used_ns = used_since(look->engine_ns, ring->charged);
	}
	spin_unlock_irqrestore(&ring->lock, flags);
	return job;
}

/* The same as take_done(), done or not. */
static struct dma_fence *take_any(struct vgpu_ring *ring, int err)
{
	struct dma_fence *fence = NULL;
	struct vgpu_job *job;
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	job = list_first_entry_or_null(&ring->running, struct vgpu_job, link);
	if (job) {
		list_del_init(&job->link);
		dma_fence_set_error(job->fence, err);
		fence = dma_fence_get(job->fence);
	}
	spin_unlock_irqrestore(&ring->lock, flags);
	return fence;
}

/**
 * vgpu_ring_cancel - end all jobs in the ring, which the device has forgotten
 * @ring: ring
 * @first_err: for the fence of the oldest one, which the device was at
 * @err: for the fences of all others
 */
void vgpu_ring_cancel(struct vgpu_ring *ring, int first_err, int err)
{
	struct dma_fence *fence;

	for (fence = take_any(ring, first_err); fence; fence = take_any(ring, err)) {
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_ring_cancel);
