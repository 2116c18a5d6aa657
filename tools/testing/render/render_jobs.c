// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects, and what jobs do with them.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>

#include "render.h"

static const uint32_t placements[] = { 0, DRM_VGPU_GEM_VRAM };

/* libdrm finds a device on the platform bus, with capabilities as others have. */
static void device(void)
{
	int fd = render_open();
	drmDevicePtr dev;
	uint64_t cap = 0;

	EXPECT(!drmGetDevice2(fd, 0, &dev));
	EXPECT(dev->bustype == DRM_BUS_PLATFORM);
	EXPECT(drmGetNodeTypeFromFd(fd) == DRM_NODE_RENDER);
	drmFreeDevice(&dev);
	EXPECT(!drmGetCap(fd, DRM_CAP_SYNCOBJ_TIMELINE, &cap) && cap);
	EXPECT(!drmGetCap(fd, DRM_CAP_PRIME, &cap) &&
	       cap == (DRM_PRIME_CAP_IMPORT | DRM_PRIME_CAP_EXPORT));
}

static void params(void)
{
	int fd = render_open();
	struct drm_vgpu_get_param args = { .param = 1000 };
	uint64_t vram = render_param(fd, DRM_VGPU_PARAM_VRAM_SIZE);

	EXPECT(vram && vram % 4096 == 0);
	EXPECT(render_param(fd, DRM_VGPU_PARAM_VRAM_FREE) <= vram);
	EXPECT(render_param(fd, DRM_VGPU_PARAM_TOTAL_VFS) > 0);
	EXPECT(render_param(fd, DRM_VGPU_PARAM_MAX_CMDS) >= JOB_MAX);
	EXPECT_ERRNO(drmIoctl(fd, DRM_IOCTL_VGPU_GET_PARAM, &args), EINVAL);
	args = (struct drm_vgpu_get_param) { .param = DRM_VGPU_PARAM_RELEASE, .pad = 1 };
	EXPECT_ERRNO(drmIoctl(fd, DRM_IOCTL_VGPU_GET_PARAM, &args), EINVAL);
}

/* New objects are zero, whatever was there before, and CPU and engine agree. */
static void objects_are_zero(void)
{
	int fd = render_open();
	unsigned int round, i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(placements); i++) {
			struct bo bo = bo_create(fd, SZ_64K, placements[i]);
			uint64_t word;

			bo_map(&bo);
			for (word = 0; word < bo.size / 8; word++)
				EXPECT(!bo.map[word]);
			memset(bo.map, 0xa5, bo.size);
			bo_free(&bo);
		}
	}
}

/* Every operation, from either kind of memory to either. */
static void every_operation(void)
{
	int fd = render_open();
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(placements); i++) {
		for (k = 0; k < ARRAY_SIZE(placements); k++) {
			struct bo src = bo_create(fd, 5 * 4096, placements[i]);
			struct bo dst = bo_create(fd, 5 * 4096, placements[k]);
			struct drm_vgpu_submit_cmd *cmd;
			struct job job;

			bo_map(&src);
			bo_map(&dst);
			job_init(&job, fd);
			job_pattern(&job, &src, 7);
			job_fill(&job, &dst, 9);
			cmd = job_cmd(&job, VGPU_CMD_COPY);
			cmd->src = job_bo(&job, &src);
			cmd->dst = job_bo(&job, &dst);
			cmd->src_offset = 8;
			cmd->dst_offset = 4096 - 16;
			cmd->size = 2 * 4096;
			cmd = job_cmd(&job, VGPU_CMD_CHECKSUM);
			cmd->src = job_bo(&job, &src);
			cmd->dst = job_bo(&job, &dst);
			cmd->size = src.size;
			job_submit(&job);
			bo_wait(&dst);
			bo_wait(&src);

			EXPECT(bo_has_pattern(&src, 7));
			EXPECT(dst.map[0] == checksum(src.map, src.size));
			EXPECT(dst.map[1] == 9);
			EXPECT(!memcmp((char *)dst.map + 4096 - 16, (char *)src.map + 8, 2 * 4096));
			EXPECT(dst.map[(3 * 4096 - 16) / 8] == 9);
			bo_free(&src);
			bo_free(&dst);
		}
	}
}

/* Jobs of a file are done in their order: each adds to what the last one left. */
static void jobs_in_order(void)
{
	int fd = render_open();
	struct bo bo = bo_create(fd, 2 * SZ_64K, DRM_VGPU_GEM_VRAM);
	uint64_t sum = 0;
	unsigned int i;

	bo_map(&bo);
	for (i = 0; i < 200; i++) {
		struct drm_vgpu_submit_cmd *cmd;
		struct job job;

		job_init(&job, fd);
		cmd = job_cmd(&job, VGPU_CMD_CHECKSUM);
		cmd->src = job_bo(&job, &bo);
		cmd->dst = cmd->src;
		cmd->size = 8;
		job_submit(&job);
		sum = vgpu_checksum_step(VGPU_CHECKSUM_INIT, sum);
	}
	bo_wait(&bo);
	EXPECT(bo.map[0] == sum);
}

/* Several times through the ring, with jobs of every size. */
static void jobs_of_every_size(void)
{
	int fd = render_open();
	struct bo bo = bo_create(fd, SZ_64K, DRM_VGPU_GEM_VRAM);
	unsigned int round, i;
	struct job job;

	bo_map(&bo);
	for (round = 0; round < 3; round++) {
		for (i = 1; i <= JOB_MAX; i++) {
			job_init(&job, fd);
			while (job.args.num_cmds < i) {
				struct drm_vgpu_submit_cmd *cmd = job_cmd(&job, VGPU_CMD_FILL);

				cmd->dst = job_bo(&job, &bo);
				cmd->dst_offset = 8 * (job.args.num_cmds - 1);
				cmd->size = 8;
				cmd->value = i * 1000 + job.args.num_cmds;
			}
			job_submit(&job);
		}
	}
	bo_wait(&bo);
	for (i = 1; i <= JOB_MAX; i++)
		EXPECT(bo.map[i - 1] == JOB_MAX * 1000 + i);
}

static void client_of_many(unsigned int number)
{
	int fd = render_open();
	struct bo bo = bo_create(fd, SZ_64K, placements[number % 2]);
	unsigned int i;

	bo_map(&bo);
	for (i = 0; i < 50; i++) {
		struct job job;

		job_init(&job, fd);
		job_pattern(&job, &bo, number * 1000 + i);
		job_submit(&job);
		if (i % 5)
			continue;
		bo_wait(&bo);
		EXPECT(bo_has_pattern(&bo, number * 1000 + i));
	}
	/* What is not done is the kernel's to clean up. */
}

/* Clients that use the engine together, and go without waiting. */
static void many_clients(void)
{
	unsigned int i, num = 8;
	int status;

	for (i = 0; i < num; i++) {
		if (!fork()) {
			client_of_many(i);
			exit(0);
		}
	}
	for (i = 0; i < num; i++) {
		EXPECT(wait(&status) > 0);
		EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	}
}

/* A client that is killed in the middle of it leaves the engine to others. */
static void killed_client(void)
{
	int fd, status, i, ends[2];
	struct bo bo;
	struct job job;
	pid_t pid;
	char byte;

	EXPECT(!pipe(ends));
	pid = fork();
	if (!pid) {
		fd = render_open();
		bo = bo_create(fd, SZ_1M, DRM_VGPU_GEM_VRAM);
		for (i = 0; ; i++) {
			job_init(&job, fd);
			job_pattern(&job, &bo, i);
			job_submit(&job);
			if (i == 3)
				EXPECT(write(ends[1], "", 1) == 1);
		}
	}
	close(ends[1]);
	EXPECT(read(ends[0], &byte, 1) == 1);
	kill(pid, SIGKILL);
	EXPECT(wait(&status) == pid && WIFSIGNALED(status));

	fd = render_open();
	bo = bo_create(fd, SZ_64K, 0);
	bo_map(&bo);
	job_init(&job, fd);
	job_pattern(&job, &bo, 5);
	job_submit(&job);
	bo_wait(&bo);
	EXPECT(bo_has_pattern(&bo, 5));
}

/* A value of fdinfo, ULLONG_MAX if it is not there; text is copied to @text. */
static unsigned long long read_fdinfo(int fd, const char *key, char *text)
{
	unsigned long long value = ~0ull;
	char path[64], line[256];
	size_t len = strlen(key);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	EXPECT(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		value = strtoull(line + len + 1, NULL, 10);
		if (text)
			sscanf(line + len + 1, " %31s", text);
	}
	fclose(f);
	return value;
}

static void fdinfo_of_client(void)
{
	int fd = render_open();
	struct bo vram = bo_create(fd, SZ_1M, DRM_VGPU_GEM_VRAM);
	struct bo sys = bo_create(fd, 3 * SZ_64K, 0);
	char driver[32] = "";
	struct job job;

	read_fdinfo(fd, "drm-driver", driver);
	EXPECT(!strcmp(driver, "vgpu"));
	EXPECT(read_fdinfo(fd, "drm-client-id", NULL) != ~0ull);
	EXPECT(read_fdinfo(fd, "drm-engine-render", NULL) == 0);
	EXPECT(read_fdinfo(fd, "drm-total-vram", NULL) == 1);
	EXPECT(read_fdinfo(fd, "drm-total-system", NULL) == 192);
	EXPECT(read_fdinfo(fd, "drm-resident-system", NULL) == 0);

	job_init(&job, fd);
	job_pattern(&job, &vram, 1);
	job_pattern(&job, &sys, 1);
	job_submit(&job);
	bo_wait(&vram);
	bo_wait(&sys);
	EXPECT(read_fdinfo(fd, "drm-engine-render", NULL) > 0);
	EXPECT(read_fdinfo(fd, "drm-resident-system", NULL) == 192);
	bo_free(&vram);
	EXPECT(read_fdinfo(fd, "drm-total-vram", NULL) == 0);
}

/* VRAM that is freed can be had again, down to the last of it. */
static void vram_comes_back(void)
{
	int fd = render_open();
	uint64_t before = render_param(fd, DRM_VGPU_PARAM_VRAM_FREE);
	struct drm_vgpu_gem_create args;
	unsigned int round;

	for (round = 0; round < 3; round++) {
		struct bo bo = bo_create(fd, SZ_1M, DRM_VGPU_GEM_VRAM);
		struct job job;

		job_init(&job, fd);
		job_fill(&job, &bo, round);
		job_submit(&job);
		/* That of the round before may be in use still. */
		EXPECT(render_param(fd, DRM_VGPU_PARAM_VRAM_FREE) <= before - SZ_1M);
		/* Closed while it may be in use. */
		bo_free(&bo);
	}
	args = (struct drm_vgpu_gem_create) { .size = 1ull << 38, .flags = DRM_VGPU_GEM_VRAM };
	EXPECT_ERRNO(drmIoctl(fd, DRM_IOCTL_VGPU_GEM_CREATE, &args), ENOSPC);
	for (round = 0; round < 6000; round++) {
		if (render_param(fd, DRM_VGPU_PARAM_VRAM_FREE) == before)
			return;
		usleep(10000);
	}
	FAIL("%llu bytes of VRAM did not come back",
	     (unsigned long long)(before - render_param(fd, DRM_VGPU_PARAM_VRAM_FREE)));
}

const struct test job_tests[] = {
	{ "device", device },
	{ "params", params },
	{ "objects_are_zero", objects_are_zero },
	{ "every_operation", every_operation },
	{ "jobs_in_order", jobs_in_order },
	{ "jobs_of_every_size", jobs_of_every_size },
	{ "many_clients", many_clients },
	{ "killed_client", killed_client },
	{ "fdinfo_of_client", fdinfo_of_client },
	{ "vram_comes_back", vram_comes_back },
	{ }
};
