// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "vgpu_compat.h"
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
 */

/* Long for a job, and short for a person. */
#define JOB_TIMEOUT_MS	30000

static struct vgpu_job *to_vgpu_job(struct drm_sched_job *base)
{
	return container_of(base, struct vgpu_job, base);
}

/* Also what was never armed, or never run. */
static void free_job(struct vgpu_job *job)
{
	struct vgpu_pf *pf = &job->vgpu->pf;
	u32 i;

	if (job->fence) {
		if (!dma_fence_is_signaled(job->fence)) {
			dma_fence_set_error(job->fence, -ECANCELED);
			dma_fence_signal(job->fence);
		}
		dma_fence_put(job->fence);
	}
	for (i = 0; i < job->num_bos; i++)
		drm_gem_object_put(job->bos[i]);
	kvfree(job->bos);
	vgpu_file_put(job->file);
	kvfree(job);
	if (atomic_dec_and_test(&pf->num_jobs))
		wake_up_all(&pf->idle);
}

static struct dma_fence *sched_run_job(struct drm_sched_job *base)
{
	struct vgpu_job *job = to_vgpu_job(base);
	int err;

	/* What it had to wait for went wrong, or its client has gone. */
	if (job->base.s_fence->finished.error)
		return NULL;

	err = vgpu_ring_push(job->vgpu, job);
	return err ? ERR_PTR(err) : dma_fence_get(job->fence);
}

/* Unless the device has gone, or is just going. */
static void reset_pf(struct vgpu_device *vgpu)
{
	int idx;

	if (!drm_dev_enter(&vgpu->drm, &idx))
		return;
	drm_err(&vgpu->drm, "a job of the PF's ring does not end, fault %llu: reset\n",
		vgpu_read(vgpu, VGPU_FN(0, VGPU_FN_FAULT)));
	vgpu_pf_reset(vgpu);
	drm_dev_exit(idx);
}

static enum drm_gpu_sched_stat sched_timedout_job(struct drm_sched_job *base)
{
	struct vgpu_job *job = to_vgpu_job(base);
	struct vgpu_device *vgpu = job->vgpu;

	drm_sched_stop(base->sched, base);
	reset_pf(vgpu);
	vgpu_ring_cancel(&vgpu->pf.ring, job, -ECANCELED);
	vgpu_compat_sched_start(base->sched);
	return VGPU_COMPAT_SCHED_RESET;
}

static void sched_free_job(struct drm_sched_job *base)
{
	drm_sched_job_cleanup(base);
	free_job(to_vgpu_job(base));
}

static const struct drm_sched_backend_ops sched_ops = {
	.run_job = sched_run_job,
	.timedout_job = sched_timedout_job,
	.free_job = sched_free_job,
};

/**
 * vgpu_sched_init - make the scheduler
 * @vgpu: device
 *
 * Return: 0 or a negative errno.
 */
int vgpu_sched_init(struct vgpu_device *vgpu)
{
	struct vgpu_pf *pf = &vgpu->pf;
	struct drm_sched_init_args args = {
		.ops = &sched_ops,
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
		.credit_limit = VGPU_RING_ENTRIES,
		.timeout = msecs_to_jiffies(JOB_TIMEOUT_MS),
		.name = "vgpu",
		.dev = vgpu->drm.dev,
	};
	int err;

	init_waitqueue_head(&pf->idle);
	/* Unordered: that jobs are freed is not in the way of those that run. */
	pf->wq = alloc_workqueue("vgpu", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!pf->wq)
		return -ENOMEM;
	args.submit_wq = pf->wq;

	err = drm_sched_init(&pf->sched, &args);
	if (err)
		destroy_workqueue(pf->wq);
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
	free_job(job);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_job_abandon);
