// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences: syncobjs, timelines, sync_files, and who outlives whom.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xf86drm.h>

#include "render.h"

#define PATIENCE_NS	60000000000ll

static int64_t deadline(void)
{
	return now_ns() + PATIENCE_NS;
}

static int wait_syncobj(int fd, uint32_t handle)
{
	return drmSyncobjWait(fd, &handle, 1, deadline(), 0, NULL);
}

static void pattern_job(int fd, const struct bo *bo, uint64_t seed, uint32_t out, uint64_t point)
{
	struct job job;

	job_init(&job, fd);
	job_pattern(&job, bo, seed);
	if (out)
		job_sync(&job, out, point, DRM_VGPU_SYNC_SIGNAL);
	job_submit(&job);
}

/* When a syncobj says that a job is done, it is. */
static void syncobj_signals(void)
{
	int fd = render_open();
	struct bo bo = bo_create(fd, SZ_1M, DRM_VGPU_GEM_VRAM);
	uint32_t out = syncobj_new(fd);
	unsigned int i;

	bo_map(&bo);
	for (i = 1; i < 20; i++) {
		pattern_job(fd, &bo, i, out, 0);
		EXPECT(!wait_syncobj(fd, out));
		EXPECT(bo_has_pattern(&bo, i));
		EXPECT(!drmSyncobjReset(fd, &out, 1));
	}
}

/*
 * A job waits for what it is told to, here for something that another client
 * does, with objects that have nothing to do with each other.
 */
static void job_waits_for_syncobj(void)
{
	int first = render_open(), second = render_open(), shared;
	struct bo slow = bo_create(first, 4 * SZ_1M, DRM_VGPU_GEM_VRAM);
	struct bo quick = bo_create(second, 4096, 0);
	uint32_t out = syncobj_new(first), in, done = syncobj_new(second);
	struct job job;
	int i;

	bo_map(&slow);
	for (i = 0; i < 10; i++)
		pattern_job(first, &slow, i, 0, 0);
	pattern_job(first, &slow, 77, out, 0);
	EXPECT(!drmSyncobjHandleToFD(first, out, &shared));
	EXPECT(!drmSyncobjFDToHandle(second, shared, &in));

	job_init(&job, second);
	job_fill(&job, &quick, 1);
	job_sync(&job, in, 0, DRM_VGPU_SYNC_WAIT);
	job_sync(&job, done, 0, DRM_VGPU_SYNC_SIGNAL);
	job_submit(&job);
	EXPECT(!wait_syncobj(second, done));
	EXPECT(bo_has_pattern(&slow, 77));
}

static void timeline_points(void)
{
	int fd = render_open();
	struct bo bo = bo_create(fd, SZ_64K, DRM_VGPU_GEM_VRAM);
	uint32_t timeline = syncobj_new(fd);
	uint64_t points[] = { 10, 20, 5000000000ull }, value = 0;
	struct job job;
	unsigned int i;

	bo_map(&bo);
	for (i = 0; i < ARRAY_SIZE(points); i++) {
		job_init(&job, fd);
		job_pattern(&job, &bo, i);
		if (i)
			job_sync(&job, timeline, points[i - 1], DRM_VGPU_SYNC_WAIT);
		job_sync(&job, timeline, points[i], DRM_VGPU_SYNC_SIGNAL);
		job_submit(&job);
	}
	EXPECT(!drmSyncobjTimelineWait(fd, &timeline, &points[2], 1, deadline(),
				       DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL, NULL));
	EXPECT(bo_has_pattern(&bo, 2));
	EXPECT(!drmSyncobjQuery(fd, &timeline, &value, 1) && value == points[2]);

	/* A point that is yet to come: no job is there to reach it. */
	job_init(&job, fd);
	job_pattern(&job, &bo, 9);
	job_sync(&job, timeline, points[2] + 1, DRM_VGPU_SYNC_WAIT);
	EXPECT_ERRNO(job_try(&job), EINVAL);
	EXPECT(bo_has_pattern(&bo, 2));
}

static int export_sync_file(int fd, uint32_t syncobj)
{
	int file;

	if (drmSyncobjExportSyncFile(fd, syncobj, &file))
		FAIL("sync_file: %s", strerror(errno));
	return file;
}

/* What is to be found in a sync_file of one fence of ours, that is signalled. */
static void expect_fence(int file)
{
	struct sync_fence_info fence = { };
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&fence,
	};

	EXPECT(!ioctl(file, SYNC_IOC_FILE_INFO, &info));
	EXPECT(info.status == 1 && info.num_fences == 1 && fence.status == 1);
	EXPECT(fence.timestamp_ns > 0);
	/* Newer kernels do not tell who it was, once it is signalled. */
	EXPECT(!strcmp(fence.driver_name, "vgpu") ||
	       !strcmp(fence.driver_name, "detached-driver"));
	EXPECT(!strncmp(fence.obj_name, "vgpu.0 client ", 14) ||
	       !strcmp(fence.obj_name, "signaled-timeline"));
}

static void sync_file_of_job(void)
{
	int fd = render_open(), file;
	struct bo bo = bo_create(fd, SZ_1M, DRM_VGPU_GEM_VRAM);
	uint32_t out = syncobj_new(fd), in = syncobj_new(fd);
	struct pollfd pfd = { .events = POLLIN };
	struct job job;

	pattern_job(fd, &bo, 3, out, 0);
	file = export_sync_file(fd, out);

	job_init(&job, fd);
	job_fill(&job, &bo, 4);
	EXPECT(!drmSyncobjImportSyncFile(fd, in, file));
	job_sync(&job, in, 0, DRM_VGPU_SYNC_WAIT);
	job_submit(&job);

	pfd.fd = file;
	EXPECT(poll(&pfd, 1, PATIENCE_NS / 1000000) == 1 && pfd.revents == POLLIN);
	expect_fence(file);
	bo_wait(&bo);
}

/*
 * Fences that are kept when their client has gone, and then its driver's module:
 * they still say what they said.
 */
int hold_fences(const char *ready)
{
	int fd = render_open(), file, shared;
	struct bo bo = bo_create(fd, SZ_64K, DRM_VGPU_GEM_VRAM);
	uint32_t out = syncobj_new(fd), in;
	FILE *f;

	pattern_job(fd, &bo, 1, out, 0);
	EXPECT(!wait_syncobj(fd, out));
	file = export_sync_file(fd, out);
	EXPECT(!drmSyncobjHandleToFD(fd, out, &shared));
	expect_fence(file);
	close(fd);

	f = fopen(ready, "w");
	EXPECT(f && !fclose(f));
	while (!access(ready, F_OK))
		usleep(50000);

	expect_fence(file);
	fd = render_open();
	EXPECT(!drmSyncobjFDToHandle(fd, shared, &in));
	EXPECT(!wait_syncobj(fd, in));
	expect_fence(export_sync_file(fd, in));
	printf("the fences outlived their driver\n");
	return 0;
}

const struct test sync_tests[] = {
	{ "syncobj_signals", syncobj_signals },
	{ "job_waits_for_syncobj", job_waits_for_syncobj },
	{ "timeline_points", timeline_points },
	{ "sync_file_of_job", sync_file_of_job },
	{ }
};
