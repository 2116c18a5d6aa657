// SPDX-License-Identifier: GPL-2.0-only
/*
 * The render node's ioctls, and what tests say with them.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "render.h"

/* libdrm returns either -1 or a negative errno. */
int render_errno(int ret)
{
	return ret == -1 ? errno : -ret;
}

/* As any program finds it: the first device whose driver is vgpu. */
int render_open(void)
{
	drmDevicePtr devices[16];
	int n = drmGetDevices2(0, devices, ARRAY_SIZE(devices)), i, fd = -1;

	if (n < 0)
		FAIL("libdrm finds no devices: %s", strerror(-n));
	for (i = 0; i < n && fd < 0; i++) {
		drmVersionPtr version;

		if (!(devices[i]->available_nodes & 1 << DRM_NODE_RENDER))
			continue;
		fd = open(devices[i]->nodes[DRM_NODE_RENDER], O_RDWR | O_CLOEXEC);
		if (fd < 0)
			FAIL("%s: %s", devices[i]->nodes[DRM_NODE_RENDER], strerror(errno));
		version = drmGetVersion(fd);
		if (!version || strcmp(version->name, "vgpu")) {
			close(fd);
			fd = -1;
		}
		drmFreeVersion(version);
	}
	drmFreeDevices(devices, n);
	if (fd < 0)
		FAIL("none of %d devices is a vgpu", n);
	return fd;
}

uint64_t render_param(int fd, uint32_t param)
{
	struct drm_vgpu_get_param args = { .param = param };

	if (drmIoctl(fd, DRM_IOCTL_VGPU_GET_PARAM, &args))
		FAIL("parameter %u: %s", param, strerror(errno));
	return args.value;
}

struct bo bo_create(int fd, uint64_t size, uint32_t flags)
{
	struct drm_vgpu_gem_create args = { .size = size, .flags = flags };

	if (drmIoctl(fd, DRM_IOCTL_VGPU_GEM_CREATE, &args))
		FAIL("an object of %llu bytes: %s", (unsigned long long)size, strerror(errno));
	return (struct bo) { .fd = fd, .handle = args.handle, .size = args.size };
}

struct bo bo_import(int fd, int dmabuf, uint64_t size)
{
	struct bo bo = { .fd = fd, .size = size };
	int err = drmPrimeFDToHandle(fd, dmabuf, &bo.handle);

	if (err)
		FAIL("import: %s", strerror(render_errno(err)));
	return bo;
}

int bo_export(const struct bo *bo)
{
	int dmabuf, err = drmPrimeHandleToFD(bo->fd, bo->handle, DRM_CLOEXEC | DRM_RDWR, &dmabuf);

	if (err)
		FAIL("export: %s", strerror(render_errno(err)));
	return dmabuf;
}

void bo_map(struct bo *bo)
{
	struct drm_vgpu_gem_mmap_offset args = { .handle = bo->handle };

	if (drmIoctl(bo->fd, DRM_IOCTL_VGPU_GEM_MMAP_OFFSET, &args))
		FAIL("mmap offset: %s", strerror(errno));
	bo->map = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, bo->fd, args.offset);
	if (bo->map == MAP_FAILED)
		FAIL("mmap: %s", strerror(errno));
}

void bo_free(struct bo *bo)
{
	if (bo->map)
		munmap(bo->map, bo->size);
	if (drmCloseBufferHandle(bo->fd, bo->handle))
		FAIL("close of a handle: %s", strerror(errno));
	memset(bo, 0, sizeof(*bo));
}

/* 0, or -1 with errno; 0 ns looks only */
int bo_wait_ns(const struct bo *bo, int64_t ns)
{
	struct drm_vgpu_gem_wait args = {
		.handle = bo->handle,
		.timeout_ns = ns ? (int64_t)now_ns() + ns : 0,
	};

	return drmIoctl(bo->fd, DRM_IOCTL_VGPU_GEM_WAIT, &args);
}

void bo_wait(const struct bo *bo)
{
	if (bo_wait_ns(bo, 60000000000ll))
		FAIL("wait for an object: %s", strerror(errno));
}

bool bo_has_pattern(const struct bo *bo, uint64_t seed)
{
	uint64_t i;

	for (i = 0; i < bo->size / 8; i++)
		if (bo->map[i] != vgpu_pattern_word(seed, i))
			return false;
	return true;
}

uint64_t checksum(const uint64_t *words, uint64_t size)
{
	uint64_t sum = VGPU_CHECKSUM_INIT, i;

	for (i = 0; i < size / 8; i++)
		sum = vgpu_checksum_step(sum, words[i]);
	return sum;
}

uint32_t syncobj_new(int fd)
{
	uint32_t handle;

	if (drmSyncobjCreate(fd, 0, &handle))
		FAIL("syncobj: %s", strerror(errno));
	return handle;
}

void job_init(struct job *job, int fd)
{
	memset(job, 0, sizeof(*job));
	job->fd = fd;
	job->args.bos = (uintptr_t)job->bos;
	job->args.cmds = (uintptr_t)job->cmds;
	job->args.syncs = (uintptr_t)job->syncs;
}

/* The number of an object in the job, which it is added to if it is not there. */
uint32_t job_bo(struct job *job, const struct bo *bo)
{
	uint32_t i;

	for (i = 0; i < job->args.num_bos; i++)
		if (job->bos[i] == bo->handle)
			return i;
	job->bos[job->args.num_bos] = bo->handle;
	return job->args.num_bos++;
}

struct drm_vgpu_submit_cmd *job_cmd(struct job *job, uint32_t op)
{
	struct drm_vgpu_submit_cmd *cmd = &job->cmds[job->args.num_cmds++];

	cmd->op = op;
	return cmd;
}

void job_sync(struct job *job, uint32_t handle, uint64_t point, uint32_t flags)
{
	job->syncs[job->args.num_syncs++] = (struct drm_vgpu_sync) {
		.handle = handle,
		.flags = flags,
		.point = point,
	};
}

int job_try(struct job *job)
{
	return drmIoctl(job->fd, DRM_IOCTL_VGPU_SUBMIT, &job->args);
}

void job_submit(struct job *job)
{
	if (job_try(job))
		FAIL("submit: %s", strerror(errno));
}

static void job_write(struct job *job, const struct bo *bo, uint32_t op, uint64_t value)
{
	struct drm_vgpu_submit_cmd *cmd = job_cmd(job, op);

	cmd->dst = job_bo(job, bo);
	cmd->size = bo->size;
	cmd->value = value;
}

void job_fill(struct job *job, const struct bo *bo, uint64_t value)
{
	job_write(job, bo, VGPU_CMD_FILL, value);
}

void job_pattern(struct job *job, const struct bo *bo, uint64_t seed)
{
	job_write(job, bo, VGPU_CMD_PATTERN, seed);
}
