// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-resv.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>
#include <drm/drm_syncobj.h>

#include "vgpu_drv.h"
#include "vgpu_file.h"
#include "vgpu_gem.h"
#include "vgpu_pf.h"
#include "vgpu_submit.h"

/**
 * DOC: submission
 *
 * A client names objects and offsets in them; addresses are filled in here, after
 * each command was checked against the size of what it uses. So no client
 * reaches what is not its own, and the device has nothing to refuse.
 *
 * All that can fail comes before the job is armed: arguments, memory, locks,
 * dependencies. From there on it is as good as running, and its fence is going
 * to be signalled whatever happens.
 */

/* A sync that is to be signalled, and what that takes. */
struct out_sync {
	struct drm_syncobj *syncobj;
	struct dma_fence_chain *chain;
	u64 point;
};

struct submit {
	struct drm_vgpu_submit *args;
	struct vgpu_device *vgpu;
	struct drm_file *file;
	struct vgpu_job *job;
	struct drm_vgpu_submit_cmd *cmds;
	struct drm_vgpu_sync *syncs;
	struct vgpu_submit_space *spaces;
	/* By object: whether a command writes it */
	bool *written;
	struct out_sync *out;
	u32 num_out;
};

/* What each command uses of its fields. */
static const struct cmd_uses {
	bool reads, writes, valued;
} uses[] = {
	[VGPU_CMD_FILL] = { .writes = true, .valued = true },
	[VGPU_CMD_COPY] = { .reads = true, .writes = true },
	[VGPU_CMD_PATTERN] = { .writes = true, .valued = true },
	[VGPU_CMD_CHECKSUM] = { .reads = true, .writes = true },
};

static bool is_known(u32 op)
{
	return op >= VGPU_CMD_FILL && op < ARRAY_SIZE(uses);
}

static bool fits(const struct vgpu_submit_space *space, u64 offset, u64 size)
{
	return offset <= space->size && size <= space->size - offset;
}

static bool overlap(u64 a, u64 b, u64 size)
{
	return a < b ? b - a < size : a - b < size;
}

/**
 * vgpu_submit_translate - check a command of a client, and give it addresses
 * @in: command; not trusted
 * @spaces: objects of the job
 * @num_spaces: how many
 * @out: set to the command as the ring takes it
 *
 * Return: NULL, or what is wrong with the command.
 */
const char *vgpu_submit_translate(const struct drm_vgpu_submit_cmd *in,
				  const struct vgpu_submit_space *spaces, u32 num_spaces,
				  struct vgpu_cmd *out)
{
	u64 written = in->op == VGPU_CMD_CHECKSUM ? sizeof(u64) : in->size;
	const struct cmd_uses *use;
	u32 dst, src;

	*out = (struct vgpu_cmd) { .op = in->op, .size = in->size, .value = in->value };

	if (!is_known(in->op))
		return "the operation is not known";
	use = &uses[array_index_nospec(in->op, ARRAY_SIZE(uses))];
	if (in->flags)
		return "the flags are not zero";
	if (!use->reads && (in->src || in->src_offset))
		return "a source, which is not used";
	if (!use->valued && in->value)
		return "a value, which is not used";
	if (!IS_ALIGNED(in->dst_offset | in->src_offset | in->size, sizeof(u64)))
		return "an offset or a size is not a multiple of eight";
	if (in->dst >= num_spaces || in->src >= num_spaces)
		return "an object is not one of the job's";
	dst = array_index_nospec(in->dst, num_spaces);
	src = array_index_nospec(in->src, num_spaces);
	if (!fits(&spaces[dst], in->dst_offset, written))
		return "it writes outside of the object";
	out->dst = spaces[dst].address + in->dst_offset;
	if (!use->reads)
		return NULL;
	if (!fits(&spaces[src], in->src_offset, in->size))
		return "it reads outside of the object";
	out->src = spaces[src].address + in->src_offset;
	if (in->op == VGPU_CMD_COPY && overlap(out->dst, out->src, in->size))
		return "source and destination overlap";
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_submit_translate);

static int refuse(const struct submit *submit, int err, const char *why)
{
	drm_dbg(&submit->vgpu->drm, "job refused: %s\n", why);
	return err;
}

static int check_args(const struct submit *submit)
{
	const struct drm_vgpu_submit *args = submit->args;

	if (args->flags)
		return refuse(submit, -EINVAL, "the flags are not zero");
	if (!args->num_cmds || args->num_cmds > VGPU_SUBMIT_MAX_CMDS)
		return refuse(submit, -EINVAL, "too few or too many commands");
	/* A command uses two at most. */
	if (!args->num_bos || args->num_bos > 2 * args->num_cmds)
		return refuse(submit, -EINVAL, "too few objects, or more than can be used");
	if (args->num_syncs > VGPU_SUBMIT_MAX_SYNCS)
		return refuse(submit, -EINVAL, "too many syncs");
	return 0;
}

static int check_syncs(const struct submit *submit)
{
	u32 i;

	for (i = 0; i < submit->args->num_syncs; i++)
		if (submit->syncs[i].flags != DRM_VGPU_SYNC_WAIT &&
		    submit->syncs[i].flags != DRM_VGPU_SYNC_SIGNAL)
			return refuse(submit, -EINVAL, "a sync neither waits nor signals");
	return 0;
}

static void *copy_array(u64 from, u32 num, size_t size)
{
	return num ? vmemdup_array_user(u64_to_user_ptr(from), num, size) : NULL;
}

/* After an error, what was copied is for put_args() to free. */
static int get_args(struct submit *submit)
{
	const struct drm_vgpu_submit *args = submit->args;
	int err;

	err = check_args(submit);
	if (err)
		return err;

	submit->cmds = copy_array(args->cmds, args->num_cmds, sizeof(*submit->cmds));
	if (IS_ERR(submit->cmds)) {
		err = PTR_ERR(submit->cmds);
		submit->cmds = NULL;
		return err;
	}
	submit->syncs = copy_array(args->syncs, args->num_syncs, sizeof(*submit->syncs));
	if (IS_ERR(submit->syncs)) {
		err = PTR_ERR(submit->syncs);
		submit->syncs = NULL;
		return err;
	}

	submit->spaces = kvcalloc(args->num_bos, sizeof(*submit->spaces), GFP_KERNEL);
	submit->written = kvcalloc(args->num_bos, sizeof(*submit->written), GFP_KERNEL);
	submit->out = kvcalloc(args->num_syncs, sizeof(*submit->out), GFP_KERNEL);
	if (!submit->spaces || !submit->written || !submit->out)
		return -ENOMEM;
	return check_syncs(submit);
}

static void put_args(struct submit *submit)
{
	u32 i;

	for (i = 0; i < submit->num_out; i++) {
		dma_fence_chain_free(submit->out[i].chain);
		drm_syncobj_put(submit->out[i].syncobj);
	}
	kvfree(submit->out);
	kvfree(submit->written);
	kvfree(submit->spaces);
	kvfree(submit->syncs);
	kvfree(submit->cmds);
}

static int get_bos(struct submit *submit)
{
	const struct drm_vgpu_submit *args = submit->args;
	struct vgpu_job *job = submit->job;
	u32 i;
	int err;

	err = drm_gem_objects_lookup(submit->file, u64_to_user_ptr(args->bos),
				     args->num_bos, &job->bos);
	/* Some kernels leave what was found to the caller. */
	if (job->bos)
		job->num_bos = args->num_bos;
	if (err)
		return err;

	for (i = 0; i < job->num_bos; i++) {
		err = vgpu_gem_bind(job->bos[i]);
		if (err)
			return err;
		submit->spaces[i].address = vgpu_gem_address(job->bos[i]);
		submit->spaces[i].size = job->bos[i]->size;
	}
	return 0;
}

static int get_cmds(struct submit *submit)
{
	struct vgpu_job *job = submit->job;
	const char *defect;
	u32 i;

	for (i = 0; i < job->num_cmds; i++) {
		defect = vgpu_submit_translate(&submit->cmds[i], submit->spaces,
					       job->num_bos, &job->cmds[i]);
		if (defect) {
			drm_dbg(&submit->vgpu->drm, "job refused: command %u: %s\n", i, defect);
			return -EINVAL;
		}
		submit->written[submit->cmds[i].dst] = true;
	}
	return 0;
}

static int wait_for_sync(struct submit *submit, const struct drm_vgpu_sync *sync)
{
	struct dma_fence *fence;
	int err;

	err = drm_syncobj_find_fence(submit->file, sync->handle, sync->point, 0, &fence);
	return err ?: drm_sched_job_add_dependency(&submit->job->base, fence);
}

static int prepare_to_signal(struct submit *submit, const struct drm_vgpu_sync *sync)
{
	struct out_sync *out = &submit->out[submit->num_out];

	out->syncobj = drm_syncobj_find(submit->file, sync->handle);
	if (!out->syncobj)
		return -ENOENT;
	submit->num_out++;
	out->point = sync->point;
	if (out->point) {
		out->chain = dma_fence_chain_alloc();
		if (!out->chain)
			return -ENOMEM;
	}
	return 0;
}

static int get_syncs(struct submit *submit)
{
	u32 i;
	int err = 0;

	for (i = 0; i < submit->args->num_syncs && !err; i++) {
		if (submit->syncs[i].flags == DRM_VGPU_SYNC_WAIT)
			err = wait_for_sync(submit, &submit->syncs[i]);
		else
			err = prepare_to_signal(submit, &submit->syncs[i]);
	}
	return err;
}

/* With all objects locked: what others do with them now comes first. */
static int get_dependencies(struct submit *submit)
{
	struct vgpu_job *job = submit->job;
	u32 i;
	int err = 0;

	for (i = 0; i < job->num_bos && !err; i++)
		err = drm_sched_job_add_implicit_dependencies(&job->base, job->bos[i],
							      submit->written[i]);
	return err;
}

static void signal_syncs(struct submit *submit)
{
	struct dma_fence *fence = submit->job->fence;
	u32 i;

	for (i = 0; i < submit->num_out; i++) {
		struct out_sync *out = &submit->out[i];

		if (out->chain)
			drm_syncobj_add_point(out->syncobj, out->chain, fence, out->point);
		else
			drm_syncobj_replace_fence(out->syncobj, fence);
		out->chain = NULL;
	}
}

/* The job is the scheduler's afterwards, unless there was an error. */
static int push(struct submit *submit)
{
	struct vgpu_job *job = submit->job;
	struct vgpu_file *file = job->file;
	u32 i;

	guard(mutex)(&file->lock);

	job->fence = vgpu_file_next_fence(file);
	if (!job->fence)
		return -ENOMEM;

	drm_sched_job_arm(&job->base);
	for (i = 0; i < job->num_bos; i++)
		dma_resv_add_fence(job->bos[i]->resv, job->fence,
				   submit->written[i] ? DMA_RESV_USAGE_WRITE :
							DMA_RESV_USAGE_READ);
	signal_syncs(submit);
	drm_sched_entity_push_job(&job->base);
	return 0;
}

static int lock_and_push(struct submit *submit)
{
	struct vgpu_job *job = submit->job;
	struct drm_exec exec;
	int err = 0;

	drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT, job->num_bos);
	drm_exec_until_all_locked(&exec) {
		err = drm_exec_prepare_array(&exec, job->bos, job->num_bos, 1);
		drm_exec_retry_on_contention(&exec);
		if (err)
			break;
	}
	if (err == -EALREADY)
		err = refuse(submit, -EINVAL, "an object is there twice");
	if (!err)
		err = get_dependencies(submit);
	if (!err)
		err = push(submit);
	drm_exec_fini(&exec);
	return err;
}

static int submit_job(struct submit *submit)
{
	int err;

	submit->job = vgpu_job_create(submit->vgpu, submit->file->driver_priv,
				      submit->args->num_cmds);
	if (IS_ERR(submit->job))
		return PTR_ERR(submit->job);

	err = get_bos(submit) ?: get_cmds(submit) ?: get_syncs(submit);
	if (!err)
		err = lock_and_push(submit);
	if (err)
		vgpu_job_abandon(submit->job);
	return err;
}

/**
 * vgpu_submit_ioctl - DRM_IOCTL_VGPU_SUBMIT
 * @drm: DRM device
 * @data: &struct drm_vgpu_submit
 * @file: client
 *
 * Return: 0, with the job on its way; -EINVAL if the arguments are not as
 * documented; -ENOENT if there is no such object or syncobj; -ENOSPC; -ENOMEM;
 * -ENODEV if the device has gone; -EFAULT; -ERESTARTSYS.
 */
int vgpu_submit_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct submit submit = { .args = data, .vgpu = to_vgpu(drm), .file = file };
	int err, idx;

	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;
	err = get_args(&submit);
	if (!err)
		err = submit_job(&submit);
	put_args(&submit);
	drm_dev_exit(idx);
	return err;
}
