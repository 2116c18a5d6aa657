// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs that make no sense. None of them does anything, and each is followed by
 * one that does.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>

#include "render.h"

struct scene {
	int fd;
	struct bo bo;
	struct bo other;
	struct job job;
};

struct refusal {
	const char *what;
	int err;
	void (*spoil)(struct scene *scene);
};

/* A way to spoil a job that is right. */
#define SPOIL(name, statement)						\
	static void name(struct scene *s)				\
	{								\
		statement;						\
	}

SPOIL(no_cmds, s->job.args.num_cmds = 0)
SPOIL(many_cmds, s->job.args.num_cmds = 100000)
SPOIL(no_bos, s->job.args.num_bos = 0)
SPOIL(many_bos, s->job.args.num_bos = 100000)
SPOIL(most_bos, s->job.args.num_bos = ~0u)
SPOIL(bad_flags, s->job.args.flags = 1)
SPOIL(bad_bos_ptr, s->job.args.bos = 8)
SPOIL(bad_cmds_ptr, s->job.args.cmds = 8)
SPOIL(kernel_ptr, s->job.args.cmds = 0xffff888000000000ull)
SPOIL(bad_handle, s->job.bos[0] = 12345)
SPOIL(no_handle, s->job.bos[0] = 0)
SPOIL(bo_twice, s->job.bos[1] = s->job.bos[0])
SPOIL(op_none, s->job.cmds[0].op = 0)
SPOIL(op_fence, s->job.cmds[0].op = VGPU_CMD_FENCE)
SPOIL(op_unknown, s->job.cmds[0].op = 1000)
SPOIL(cmd_flags, s->job.cmds[0].flags = 1)
SPOIL(dst_number, s->job.cmds[0].dst = s->job.args.num_bos)
SPOIL(dst_end, s->job.cmds[0].dst_offset = 8)
SPOIL(dst_wraps, s->job.cmds[0].dst_offset = -8ull)
SPOIL(size_wraps, s->job.cmds[0].size = -8ull)
SPOIL(size_odd, s->job.cmds[0].size = 12)
SPOIL(offset_odd, s->job.cmds[0].dst_offset = 4)
SPOIL(fill_src, s->job.cmds[0].src = 1)
SPOIL(fill_src_offset, s->job.cmds[0].src_offset = 8)

static void copy(struct scene *s, uint32_t dst, uint64_t dst_offset, uint64_t src_offset)
{
	s->job.cmds[0] = (struct drm_vgpu_submit_cmd) {
		.op = VGPU_CMD_COPY,
		.dst = dst,
		.dst_offset = dst_offset,
		.src_offset = src_offset,
		.size = 4096,
	};
}

SPOIL(copy_overlaps, copy(s, 0, 8, 0))
SPOIL(copy_same, copy(s, 0, 0, 0))
SPOIL(src_end, copy(s, 1, 0, s->bo.size - 4088))

static void copy_value(struct scene *s)
{
	copy(s, 1, 0, 0);
	s->job.cmds[0].value = 1;
}

static void src_number(struct scene *s)
{
	copy(s, 1, 0, 0);
	s->job.cmds[0].src = 77;
}

static void checksum_end(struct scene *s)
{
	copy(s, 1, s->other.size, 0);
	s->job.cmds[0].op = VGPU_CMD_CHECKSUM;
}

SPOIL(sync_nothing, job_sync(&s->job, syncobj_new(s->fd), 0, 0))

static void sync_both(struct scene *s)
{
	job_sync(&s->job, syncobj_new(s->fd), 0, DRM_VGPU_SYNC_WAIT | DRM_VGPU_SYNC_SIGNAL);
}

SPOIL(sync_handle, job_sync(&s->job, 999, 0, DRM_VGPU_SYNC_WAIT))
SPOIL(out_handle, job_sync(&s->job, 999, 0, DRM_VGPU_SYNC_SIGNAL))

/* Nobody is going to signal it, as far as is known. */
static void sync_empty(struct scene *s)
{
	job_sync(&s->job, syncobj_new(s->fd), 0, DRM_VGPU_SYNC_WAIT);
}

static void point_empty(struct scene *s)
{
	job_sync(&s->job, syncobj_new(s->fd), 5, DRM_VGPU_SYNC_WAIT);
}

static void syncs_ptr(struct scene *s)
{
	s->job.args.syncs = 8;
	s->job.args.num_syncs = 1;
}

SPOIL(many_syncs, s->job.args.num_syncs = ~0u)

/* A second command that is wrong keeps the first one from being done. */
SPOIL(second_cmd, job_cmd(&s->job, 77))

static const struct refusal refusals[] = {
	{ "no commands", EINVAL, no_cmds },
	{ "too many commands", EINVAL, many_cmds },
	{ "no objects", EINVAL, no_bos },
	{ "too many objects", EINVAL, many_bos },
	{ "as many objects as can be said", EINVAL, most_bos },
	{ "flags", EINVAL, bad_flags },
	{ "a bad pointer to objects", EFAULT, bad_bos_ptr },
	{ "a bad pointer to commands", EFAULT, bad_cmds_ptr },
	{ "a pointer into the kernel", EFAULT, kernel_ptr },
	{ "an unknown handle", ENOENT, bad_handle },
	{ "handle 0", ENOENT, no_handle },
	{ "an object twice", EINVAL, bo_twice },
	{ "no operation", EINVAL, op_none },
	{ "a fence", EINVAL, op_fence },
	{ "an unknown operation", EINVAL, op_unknown },
	{ "flags of a command", EINVAL, cmd_flags },
	{ "an object that is not there", EINVAL, dst_number },
	{ "a write past the end", EINVAL, dst_end },
	{ "an offset that wraps", EINVAL, dst_wraps },
	{ "a size that wraps", EINVAL, size_wraps },
	{ "an odd size", EINVAL, size_odd },
	{ "an odd offset", EINVAL, offset_odd },
	{ "a fill with a source", EINVAL, fill_src },
	{ "a fill with a source's offset", EINVAL, fill_src_offset },
	{ "a copy with a value", EINVAL, copy_value },
	{ "a copy that overlaps", EINVAL, copy_overlaps },
	{ "a copy onto itself", EINVAL, copy_same },
	{ "a read past the end", EINVAL, src_end },
	{ "a source that is not there", EINVAL, src_number },
	{ "a checksum past the end", EINVAL, checksum_end },
	{ "a sync that does nothing", EINVAL, sync_nothing },
	{ "a sync that does both", EINVAL, sync_both },
	{ "an unknown sync to wait for", ENOENT, sync_handle },
	{ "an unknown sync to signal", ENOENT, out_handle },
	{ "a sync without a fence", EINVAL, sync_empty },
	{ "a point without a fence", EINVAL, point_empty },
	{ "a bad pointer to syncs", EFAULT, syncs_ptr },
	{ "as many syncs as can be said", EINVAL, many_syncs },
	{ "a second command that is wrong", EINVAL, second_cmd },
};

static void set_scene(struct scene *scene, int fd)
{
	scene->fd = fd;
	job_init(&scene->job, fd);
	job_fill(&scene->job, &scene->bo, 0xbad);
	job_bo(&scene->job, &scene->other);
}

static void jobs_without_sense(void)
{
	struct scene scene;
	int fd = render_open();
	unsigned int i;

	scene.bo = bo_create(fd, 2 * 4096, DRM_VGPU_GEM_VRAM);
	scene.other = bo_create(fd, 2 * 4096, 0);
	bo_map(&scene.bo);
	bo_map(&scene.other);
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		set_scene(&scene, fd);
		refusals[i].spoil(&scene);
		errno = 0;
		if (!job_try(&scene.job) || errno != refusals[i].err)
			FAIL("%s: %s, not %s", refusals[i].what, strerror(errno),
			     strerror(refusals[i].err));
		EXPECT(!bo_wait_ns(&scene.bo, 0));
		EXPECT(scene.bo.map[0] == i && !scene.other.map[0]);

		job_init(&scene.job, fd);
		job_fill(&scene.job, &scene.bo, i + 1);
		job_submit(&scene.job);
		bo_wait(&scene.bo);
		EXPECT(scene.bo.map[0] == i + 1);
	}
}

static void objects_without_sense(void)
{
	static const struct {
		struct drm_vgpu_gem_create args;
		int err;
	} creations[] = {
		{ { .size = 0 }, EINVAL },
		{ { .size = 4096, .flags = 2 }, EINVAL },
		{ { .size = 4096, .handle = 1 }, EINVAL },
		{ { .size = ~0ull }, EINVAL },
		{ { .size = 1ull << 40 }, EINVAL },
	};
	struct drm_vgpu_gem_mmap_offset offset = { .handle = 12345 };
	int fd = render_open();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(creations); i++) {
		struct drm_vgpu_gem_create args = creations[i].args;

		EXPECT_ERRNO(drmIoctl(fd, DRM_IOCTL_VGPU_GEM_CREATE, &args), creations[i].err);
	}
	EXPECT_ERRNO(drmIoctl(fd, DRM_IOCTL_VGPU_GEM_MMAP_OFFSET, &offset), ENOENT);
	offset = (struct drm_vgpu_gem_mmap_offset) { .handle = 1, .pad = 1 };
	EXPECT_ERRNO(drmIoctl(fd, DRM_IOCTL_VGPU_GEM_MMAP_OFFSET, &offset), EINVAL);
	EXPECT_ERRNO(drmIoctl(fd, DRM_IO(DRM_COMMAND_BASE + 0x30), NULL), EINVAL);
}

/* A handle of one client is nothing to another. */
static void objects_of_others(void)
{
	int fd = render_open(), other = render_open();
	struct bo bo = bo_create(fd, 4096, 0);
	struct job job;

	job_init(&job, other);
	job_fill(&job, &bo, 1);
	EXPECT_ERRNO(job_try(&job), ENOENT);
}

const struct test refuse_tests[] = {
	{ "jobs_without_sense", jobs_without_sense },
	{ "objects_without_sense", objects_without_sense },
	{ "objects_of_others", objects_of_others },
	{ }
};
