// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_gem.h>
#include <drm/drm_hotupdate_compat.h>
#include <drm/gpu_scheduler.h>

#include "vgpu_drv.h"
#include "vgpu_file.h"
#include "vgpu_pf.h"

/**
 * DOC: scheduling
 *
 * Jobs of clients are scheduled by the DRM core's scheduler, one entity for a
 * file: it waits for the fences that a job depends on, and is fair.
 *
 * The fence that a job gives to others is the one that the interrupt handler
 * signals. It is made by drm_hotupdate_fence_create(), so that nobody who keeps
 * it keeps anything of this module; the scheduler's own fences stay in here.
 *
 * A job that uses the engine for too long, or whose ring has stopped, has the
 * physical function reset, and all that is in the ring ends. The scheduler knows
 * wall time only, of which a job beside busy VFs has to be given any amount, so
 * the limit is watched over here.
 *
 * Others wait for fences that are signalled here, in reclaim as well. So what
 * signals them neither allocates nor takes a lock that is held to allocate: a
 * job's objects, which take one to be freed, are left to a work of their own.
 */

/* Of the engine's time: how long others use it meanwhile is not the job's fault. */
#define JOB_LIMIT_NS	(10ull * NSEC_PER_SEC)

/* Without any of it. VFs can have the engine for a minute before it is the PF's turn. */
#define STALL_LIMIT	(300 * HZ)

#define HANG_CHECK_PERIOD	HZ

static struct vgpu_job *to_vgpu_job(struct drm_sched_job *base)
{
	return container_of(base, struct vgpu_job, base);
}

/* Also of what was never armed, or never run. */
static void end_fence(struct vgpu_job *job)
{
	if (!job->fence)
		return;
	if (!dma_fence_is_signaled(job->fence)) {
		dma_fence_set_error(job->fence, -ECANCELED);
		dma_fence_signal(job->fence);
	}
	dma_fence_put(job->fence);
}

static void release_job(struct vgpu_job *job)
{
	struct vgpu_pf *pf = &job->vgpu->pf;
	u32 i;

	for (i = 0; i < job->num_bos; i++)
		drm_gem_object_put(job->bos[i]);
	kvfree(job->bos);
	vgpu_file_put(job->file);
	kvfree(job);
	if (atomic_dec_and_test(&pf->num_jobs))
		wake_up_all(&pf->idle);
}

static void do_release(struct work_struct *work)
{
	release_job(container_of(work, struct vgpu_job, release));
}

static struct dma_fence *sched_run_job(struct drm_sched_job *base)
{
	struct vgpu_job *job = to_vgpu_job(base);
	struct vgpu_pf *pf = &job->vgpu->pf;
	int err;

	/* What it had to wait for went wrong, or its client has gone. */
	if (job->base.s_fence->finished.error)
		return NULL;

	err = vgpu_ring_push(job->vgpu, job);
	if (err)
		return ERR_PTR(err);
	queue_delayed_work(pf->wq, &pf->hang_check, HANG_CHECK_PERIOD);
	return dma_fence_get(job->fence);
}

/* The interrupt handler, and the hang check, have it called. */
static enum drm_gpu_sched_stat sched_timedout_job(struct drm_sched_job *base)
{
	struct vgpu_device *vgpu = to_vgpu_job(base)->vgpu;
	bool cookie = dma_fence_begin_signalling();

	drm_sched_stop(base->sched, base);
	vgpu_pf_reset(vgpu);
	vgpu_ring_cancel(&vgpu->pf.ring, -ETIME, -ECANCELED);
	hotupdate_compat_sched_start(base->sched);
	dma_fence_end_signalling(cookie);
	return HOTUPDATE_COMPAT_SCHED_RESET;
}

static void sched_free_job(struct drm_sched_job *base)
{
	struct vgpu_job *job = to_vgpu_job(base);

	drm_sched_job_cleanup(base);
	end_fence(job);
	queue_work(job->vgpu->pf.release_wq, &job->release);
}

static const struct drm_sched_backend_ops sched_ops = {
	.run_job = sched_run_job,
	.timedout_job = sched_timedout_job,
	.free_job = sched_free_job,
};

static bool has_stalled(struct vgpu_pf *pf, const struct vgpu_ring_look *look)
{
	if (look->seqno != pf->last_look.seqno || look->engine_ns != pf->last_look.engine_ns) {
		pf->last_look = *look;
		pf->went_on = jiffies;
	}
	return time_after(jiffies, pf->went_on + STALL_LIMIT);
}

static void check_for_hang(struct work_struct *work)
{
	struct vgpu_pf *pf = container_of(to_delayed_work(work), struct vgpu_pf, hang_check);
	struct vgpu_device *vgpu = container_of(pf, struct vgpu_device, pf);
	struct vgpu_ring_look look;

	guard(mutex)(&pf->hw_lock);

	if (!pf->started || !vgpu_ring_look(vgpu, &look))
		return;
	if (look.used_ns > JOB_LIMIT_NS || has_stalled(pf, &look))
		drm_sched_fault(&pf->sched);
	queue_delayed_work(pf->wq, &pf->hang_check, HANG_CHECK_PERIOD);
}

/**
 * vgpu_sched_init - make the scheduler
 * @vgpu: device
 *
 * Return: 0 or a negative errno.
 */
int vgpu_sched_init(struct vgpu_device *vgpu)
{
	struct vgpu_pf *pf = &vgpu->pf;
	struct hotupdate_compat_sched_args args = {
		.ops = &sched_ops,
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
		.credit_limit = VGPU_RING_ENTRIES,
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = "vgpu",
		.dev = vgpu->drm.dev,
	};
	int err;

	init_waitqueue_head(&pf->idle);
	INIT_DELAYED_WORK(&pf->hang_check, check_for_hang);
	/* Unordered: that jobs are freed is not in the way of those that run. */
	pf->wq = alloc_workqueue("vgpu", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	pf->release_wq = alloc_workqueue("vgpu-release", WQ_UNBOUND, 0);
	args.submit_wq = pf->wq;

	err = -ENOMEM;
	if (pf->wq && pf->release_wq)
		err = hotupdate_compat_sched_init(&pf->sched, &args);
	if (err) {
		if (pf->release_wq)
			destroy_workqueue(pf->release_wq);
		if (pf->wq)
			destroy_workqueue(pf->wq);
	}
	return err;
}

/**
 * vgpu_sched_fini - undo vgpu_sched_init()
 * @vgpu: device that has no files any more
 *
 * Waits for jobs whose clients have gone. They wait for nothing but fences,
 * which are signalled in finite time.
 */
void vgpu_sched_fini(struct vgpu_device *vgpu)
{
	struct vgpu_pf *pf = &vgpu->pf;

	wait_event(pf->idle, !atomic_read(&pf->num_jobs));
	drm_sched_fini(&pf->sched);
	cancel_delayed_work_sync(&pf->hang_check);
	/* The last one to say that it is over may still be saying so. */
	destroy_workqueue(pf->release_wq);
	destroy_workqueue(pf->wq);
}

/**
 * vgpu_job_create - make a job
 * @vgpu: device
 * @file: client
 * @num_cmds: how many commands it has, for the caller to fill in
 *
 * Return: The job, to be pushed or to be abandoned, or an ERR_PTR.
 */
struct vgpu_job *vgpu_job_create(struct vgpu_device *vgpu, struct vgpu_file *file,
				 u32 num_cmds)
{
	struct vgpu_job *job;
	int err;

	job = kvzalloc(struct_size(job, cmds, num_cmds), GFP_KERNEL);
	if (!job)
		return ERR_PTR(-ENOMEM);
	job->vgpu = vgpu;
	job->num_cmds = num_cmds;
	INIT_LIST_HEAD(&job->link);
	INIT_WORK(&job->release, do_release);

	err = drm_sched_job_init(&job->base, &file->entity, num_cmds + 1, file,
				 file->client_id);
	if (err) {
		kvfree(job);
		return ERR_PTR(err);
	}
	job->file = vgpu_file_get(file);
	atomic_inc(&vgpu->pf.num_jobs);
	return job;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_job_create);

/**
 * vgpu_job_abandon - free a job that was not pushed
 * @job: job
 */
void vgpu_job_abandon(struct vgpu_job *job)
{
	drm_sched_job_cleanup(&job->base);
	end_fence(job);
	release_job(job);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_job_abandon);
