// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects that are shared with others, by PRIME.
 */

#define _GNU_SOURCE	/* for vmsplice() */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>

#include "render.h"

/* vgem's header is not among those of libdrm: a fence on an object, to be signalled. */
struct vgem_fence_attach {
	uint32_t handle;
	uint32_t flags;
	uint32_t out_fence;
	uint32_t pad;
};

struct vgem_fence_signal {
	uint32_t fence;
	uint32_t flags;
};

#define VGEM_FENCE_WRITE	0x1
#define VGEM_FENCE_ATTACH	DRM_IOWR(DRM_COMMAND_BASE + 1, struct vgem_fence_attach)
#define VGEM_FENCE_SIGNAL	DRM_IOW(DRM_COMMAND_BASE + 2, struct vgem_fence_signal)

/* One client's object in another's hands is the same memory. */
static void share_with_client(uint32_t flags)
{
	int first = render_open(), second = render_open(), dmabuf;
	struct bo bo = bo_create(first, SZ_64K, flags), seen;
	struct job job;

	bo_map(&bo);
	dmabuf = bo_export(&bo);
	seen = bo_import(second, dmabuf, bo.size);
	bo_map(&seen);
	job_init(&job, second);
	job_pattern(&job, &seen, 11);
	job_submit(&job);
	bo_wait(&bo);
	EXPECT(bo_has_pattern(&bo, 11));
	EXPECT(bo_has_pattern(&seen, 11));

	/* It lives as long as anybody has it. */
	bo_free(&bo);
	close(dmabuf);
	close(first);
	job_init(&job, second);
	job_pattern(&job, &seen, 12);
	job_submit(&job);
	bo_wait(&seen);
	EXPECT(bo_has_pattern(&seen, 12));
}

static void between_clients(void)
{
	share_with_client(0);
}

static void between_clients_vram(void)
{
	share_with_client(DRM_VGPU_GEM_VRAM);
}

static int heap_alloc(uint64_t size)
{
	struct dma_heap_allocation_data data = { .len = size, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC);

	if (heap < 0)
		SKIP("this kernel has no dma_heap");
	if (ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data))
		FAIL("dma_heap: %s", strerror(errno));
	close(heap);
	return data.fd;
}

/* Memory of nobody's device, as a camera's or a codec's would be. */
static void memory_of_dma_heap(void)
{
	int fd = render_open(), dmabuf = heap_alloc(SZ_1M);
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW };
	struct bo bo = bo_import(fd, dmabuf, SZ_1M), vram = bo_create(fd, SZ_1M, DRM_VGPU_GEM_VRAM);
	struct drm_vgpu_submit_cmd *cmd;
	struct job job;

	bo.map = mmap(NULL, SZ_1M, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
	EXPECT(bo.map != MAP_FAILED);
	job_init(&job, fd);
	job_pattern(&job, &vram, 21);
	cmd = job_cmd(&job, VGPU_CMD_COPY);
	cmd->src = job_bo(&job, &vram);
	cmd->dst = job_bo(&job, &bo);
	cmd->size = SZ_1M;
	job_submit(&job);
	bo_wait(&bo);
	EXPECT(!ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync));
	EXPECT(bo_has_pattern(&bo, 21));
}

static int open_vgem(void)
{
	int fd = drmOpenWithType("vgem", NULL, DRM_NODE_PRIMARY);

	if (fd < 0)
		SKIP("there is no vgem");
	return fd;
}

/* Another device cannot reach VRAM, though another client can. */
static void vram_for_another_device(void)
{
	int fd = render_open(), vgem = open_vgem(), dmabuf;
	struct bo bo = bo_create(fd, SZ_64K, DRM_VGPU_GEM_VRAM);
	uint32_t handle;

	dmabuf = bo_export(&bo);
	bo_import(render_open(), dmabuf, bo.size);
	EXPECT(drmPrimeFDToHandle(vgem, dmabuf, &handle));
}

/*
 * Its VRAM can be a guest's once an object has gone: nobody may keep a page of
 * it, be it in a pipe, or as a copy that was made on a write.
 */
static void vram_cannot_be_pinned(void)
{
	int fd = render_open(), ends[2];
	struct bo bo = bo_create(fd, SZ_64K, DRM_VGPU_GEM_VRAM);
	struct drm_vgpu_gem_mmap_offset args = { .handle = bo.handle };
	struct iovec iov = { .iov_len = 4096 };

	bo_map(&bo);
	bo.map[0] = 1;
	iov.iov_base = bo.map;
	EXPECT(!pipe(ends));
	EXPECT_ERRNO(vmsplice(ends[1], &iov, 1, 0), EFAULT);

	EXPECT(!drmIoctl(fd, DRM_IOCTL_VGPU_GEM_MMAP_OFFSET, &args));
	EXPECT(mmap(NULL, bo.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, args.offset) ==
	       MAP_FAILED && errno == EINVAL);
}

/* An object of another device, which a fence says is in use. */
static int busy_object(int vgem, uint64_t *size, uint32_t *fence)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .height = 64, .bpp = 32 };
	struct vgem_fence_attach attach = { .flags = VGEM_FENCE_WRITE };
	int dmabuf;

	EXPECT(!drmIoctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	EXPECT(!drmPrimeHandleToFD(vgem, dumb.handle, DRM_CLOEXEC | DRM_RDWR, &dmabuf));
	attach.handle = dumb.handle;
	EXPECT(!drmIoctl(vgem, VGEM_FENCE_ATTACH, &attach));
	*size = dumb.size;
	*fence = attach.out_fence;
	return dmabuf;
}

/*
 * The other device is done with its object. Returns false if it was already: vgem
 * ends a fence after ten seconds, which can be too few on a busy host.
 */
static bool end_in_time(int vgem, uint32_t fence)
{
	struct vgem_fence_signal signal = { .fence = fence };

	if (!drmIoctl(vgem, VGEM_FENCE_SIGNAL, &signal))
		return true;
	if (errno != ETIMEDOUT)
		FAIL("vgem's fence: %s", strerror(errno));
	return false;
}

/* Tries again if another device's fence did not last. */
static void until_in_time(bool (*attempt)(void))
{
	unsigned int i;

	for (i = 0; i < 5; i++)
		if (attempt())
			return;
	FAIL("the fence of another device never lasted");
}

static bool is_busy(const struct bo *bo, int64_t ns)
{
	int ret = bo_wait_ns(bo, ns);

	if (ret && render_errno(ret) != ETIME)
		FAIL("wait for an object: %s", strerror(render_errno(ret)));
	return ret;
}

/*
 * A job waits for what another device does with an object, though nobody has
 * told it to; and what it has to wait for it does not keep others from.
 */
static bool wait_for_another_device(void)
{
	int fd = render_open(), client = render_open(), vgem = open_vgem(), dmabuf;
	struct bo other = bo_create(fd, SZ_64K, 0), bo;
	struct bo free = bo_create(client, SZ_64K, 0);
	struct job job;
	uint64_t size;
	uint32_t fence;
	bool busy;

	dmabuf = busy_object(vgem, &size, &fence);
	bo = bo_import(fd, dmabuf, size);
	job_init(&job, fd);
	job_pattern(&job, &bo, 31);
	job_pattern(&job, &other, 31);
	job_submit(&job);
	job_init(&job, client);
	job_fill(&job, &free, 1);
	job_submit(&job);
	bo_wait(&free);
	busy = is_busy(&other, 300000000);

	if (!end_in_time(vgem, fence))
		return false;
	EXPECT(busy);
	bo_wait(&other);
	bo_map(&other);
	EXPECT(bo_has_pattern(&other, 31));
	bo.map = mmap(NULL, size, PROT_READ, MAP_SHARED, dmabuf, 0);
	EXPECT(bo.map != MAP_FAILED && bo_has_pattern(&bo, 31));
	return true;
}

static void fence_of_another_device(void)
{
	until_in_time(wait_for_another_device);
}

/* An object is in use from the submission of a job to the job's end. */
static bool wait_for_job(void)
{
	int fd = render_open(), vgem = open_vgem(), dmabuf;
	struct bo bo = bo_create(fd, SZ_64K, DRM_VGPU_GEM_VRAM), other;
	struct job job;
	uint64_t size;
	uint32_t fence;
	bool busy;

	EXPECT(!bo_wait_ns(&bo, 0));
	dmabuf = busy_object(vgem, &size, &fence);
	other = bo_import(fd, dmabuf, size);
	job_init(&job, fd);
	job_pattern(&job, &other, 51);
	job_pattern(&job, &bo, 51);
	job_submit(&job);
	busy = is_busy(&bo, 0) && is_busy(&bo, 1000);

	if (!end_in_time(vgem, fence))
		return false;
	EXPECT(busy);
	bo_wait(&bo);
	EXPECT(!bo_wait_ns(&bo, 0));
	return true;
}

static void wait_for_object(void)
{
	int fd = render_open();
	struct bo bo = bo_create(fd, SZ_64K, DRM_VGPU_GEM_VRAM);
	struct drm_vgpu_gem_wait args = { .handle = bo.handle, .flags = 2 };

	until_in_time(wait_for_job);
	EXPECT_ERRNO(drmIoctl(fd, DRM_IOCTL_VGPU_GEM_WAIT, &args), EINVAL);
	args = (struct drm_vgpu_gem_wait) { .handle = 12345 };
	EXPECT_ERRNO(drmIoctl(fd, DRM_IOCTL_VGPU_GEM_WAIT, &args), EINVAL);
}

/* And the other way round: what a job does is for others to wait for. */
static bool export_busy_object(void)
{
	int fd = render_open(), vgem = open_vgem(), dmabuf;
	struct dma_buf_export_sync_file export = { .flags = DMA_BUF_SYNC_READ };
	struct bo bo = bo_create(fd, SZ_64K, 0), other;
	struct pollfd pfd = { .events = POLLIN };
	struct job job;
	uint64_t size;
	uint32_t fence;
	int early;

	dmabuf = busy_object(vgem, &size, &fence);
	other = bo_import(fd, dmabuf, size);
	job_init(&job, fd);
	job_pattern(&job, &other, 61);
	job_pattern(&job, &bo, 61);
	job_submit(&job);
	EXPECT(!ioctl(bo_export(&bo), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &export));
	pfd.fd = export.fd;
	early = poll(&pfd, 1, 0);

	if (!end_in_time(vgem, fence))
		return false;
	EXPECT(early == 0);
	EXPECT(poll(&pfd, 1, 60000) == 1 && pfd.revents == POLLIN);
	bo_map(&bo);
	EXPECT(bo_has_pattern(&bo, 61));
	close(export.fd);
	return true;
}

static void fence_for_another_device(void)
{
	until_in_time(export_busy_object);
}

static void submit_and_die(int dmabuf, uint64_t size)
{
	int fd = render_open();
	struct bo bo = bo_import(fd, dmabuf, size);
	struct job job;

	job_init(&job, fd);
	job_pattern(&job, &bo, 41);
	job_submit(&job);
	raise(SIGKILL);
}

/*
 * A client that is killed while its job waits for another device. That device is
 * done, and the job is over, when the file is deleted. Returns 3 if it was before.
 */
int leave_job(const char *ready)
{
	int vgem = open_vgem(), dmabuf, status;
	uint64_t size;
	uint32_t fence;
	pid_t client;

	dmabuf = busy_object(vgem, &size, &fence);
	client = fork();
	if (!client)
		submit_and_die(dmabuf, size);
	EXPECT(client > 0 && waitpid(client, &status, 0) == client);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(open(ready, O_WRONLY | O_CREAT, 0600));
	while (!access(ready, F_OK))
		usleep(10000);
	return end_in_time(vgem, fence) ? 0 : 3;
}

const struct test share_tests[] = {
	{ "between_clients", between_clients },
	{ "between_clients_vram", between_clients_vram },
	{ "vram_for_another_device", vram_for_another_device },
	{ "vram_cannot_be_pinned", vram_cannot_be_pinned },
	{ "memory_of_dma_heap", memory_of_dma_heap },
	{ "fence_of_another_device", fence_of_another_device },
	{ "wait_for_object", wait_for_object },
	{ "fence_for_another_device", fence_for_another_device },
	{ }
};
