// SPDX-License-Identifier: GPL-2.0-only
/*
 * vgpu_client: a client of the render node, on the host: makes objects in VRAM
 * and in system memory, maps them, verifies what is in them, and lets them go.
 *
 * Exit status: 0 if all was well, 1 if anything was not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm/vgpu_drm.h>

#define PAGE	4096ull

/* All that is needed of libdrm's drm.h, which is not worth another package. */
#define DRM_COMMAND_BASE	0x40
#define DRM_IOWR(nr, type)	_IOWR('d', nr, type)

struct gem_close {
	__u32 handle;
	__u32 pad;
};

#define DRM_IOCTL_GEM_CLOSE	_IOW('d', 0x09, struct gem_close)

static int fd;

#define fail(...) \
	do { \
		fprintf(stderr, "vgpu_client: " __VA_ARGS__); \
		fputc('\n', stderr); \
		exit(1); \
	} while (0)

static __u64 get_param(__u32 param)
{
	struct drm_vgpu_get_param args = { .param = param };

	if (ioctl(fd, DRM_IOCTL_VGPU_GET_PARAM, &args))
		fail("parameter %u: %s", param, strerror(errno));
	return args.value;
}

/* Returns 0 if there is no room for it. */
static __u32 create(__u64 size, __u32 flags)
{
	struct drm_vgpu_gem_create args = { .size = size, .flags = flags };

	if (ioctl(fd, DRM_IOCTL_VGPU_GEM_CREATE, &args)) {
		if (errno == ENOSPC)
			return 0;
		fail("object of %llu bytes, flags %#x: %s", size, flags, strerror(errno));
	}
	if (args.size < size || args.size % PAGE)
		fail("object of %llu bytes is of %llu", size, args.size);
	return args.handle;
}

static void destroy(__u32 handle)
{
	struct gem_close args = { .handle = handle };

	if (ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args))
		fail("close of object %u: %s", handle, strerror(errno));
}

static __u64 *map(__u32 handle, __u64 size)
{
	struct drm_vgpu_gem_mmap_offset args = { .handle = handle };
	void *mem;

	if (ioctl(fd, DRM_IOCTL_VGPU_GEM_MMAP_OFFSET, &args))
		fail("offset of object %u: %s", handle, strerror(errno));
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, args.offset);
	if (mem == MAP_FAILED)
		fail("mmap of object %u: %s", handle, strerror(errno));
	return mem;
}

static void unmap(__u64 *mem, __u64 size)
{
	munmap(mem, size);
}

/* What others had there is not to be seen. */
static void expect_zeroed(const __u64 *mem, __u64 size)
{
	__u64 i;

	for (i = 0; i < size / sizeof(*mem); i++)
		if (mem[i])
			fail("a new object is 0x%016llx at %#llx", mem[i], i * 8);
}

static void write_pattern(__u64 *mem, __u64 size, __u64 seed)
{
	__u64 i;

	for (i = 0; i < size / sizeof(*mem); i++)
		mem[i] = vgpu_pattern_word(seed, i);
}

static void expect_pattern(const __u64 *mem, __u64 size, __u64 seed)
{
	__u64 i;

	for (i = 0; i < size / sizeof(*mem); i++)
		if (mem[i] != vgpu_pattern_word(seed, i))
			fail("an object is 0x%016llx at %#llx and should be 0x%016llx",
			     mem[i], i * 8, vgpu_pattern_word(seed, i));
}

/* Two objects at a time, so that each is seen not to be the other. */
static void use_objects(__u32 flags, __u64 size)
{
	__u32 handle[2];
	__u64 *mem;
	int i;

	for (i = 0; i < 2; i++) {
		handle[i] = create(size, flags);
		if (!handle[i])
			fail("no room for an object of %llu bytes", size);
		mem = map(handle[i], size);
		expect_zeroed(mem, size);
		write_pattern(mem, size, handle[i]);
		unmap(mem, size);
	}
	for (i = 0; i < 2; i++) {
		mem = map(handle[i], size);
		expect_pattern(mem, size, handle[i]);
		unmap(mem, size);
		destroy(handle[i]);
	}
}

static void expect_refused(unsigned long request, void *args, int error, const char *what)
{
	if (!ioctl(fd, request, args))
		fail("%s is not refused", what);
	if (errno != error)
		fail("%s: %s, not %s", what, strerror(errno), strerror(error));
}

static void try_nonsense(void)
{
	struct drm_vgpu_get_param param = { .param = 12345 };
	struct drm_vgpu_gem_create object = { .size = PAGE, .flags = ~0u };
	struct drm_vgpu_gem_mmap_offset offset = { .handle = ~0u };

	expect_refused(DRM_IOCTL_VGPU_GET_PARAM, &param, EINVAL, "an unknown parameter");
	expect_refused(DRM_IOCTL_VGPU_GEM_CREATE, &object, EINVAL, "an unknown flag");
	expect_refused(DRM_IOCTL_VGPU_GEM_MMAP_OFFSET, &offset, ENOENT, "an object of nobody's");
}

static void use(unsigned int rounds, __u64 size)
{
	__u64 before = get_param(DRM_VGPU_PARAM_VRAM_FREE), after;

	while (rounds--) {
		use_objects(DRM_VGPU_GEM_VRAM, size);
		use_objects(0, size);
		try_nonsense();
	}
	after = get_param(DRM_VGPU_PARAM_VRAM_FREE);
	if (after != before)
		fail("%llu bytes of VRAM were free, now %llu are", before, after);
}

/* Has all of VRAM in pieces of a size, and gives every second one back. */
static void fragment(__u64 size)
{
	__u32 *handles, handle;
	__u64 n = 0, i;

	handles = calloc(get_param(DRM_VGPU_PARAM_VRAM_SIZE) / size, sizeof(*handles));
	if (!handles)
		fail("no memory");
	while ((handle = create(size, DRM_VGPU_GEM_VRAM)))
		handles[n++] = handle;
	for (i = 0; i < n; i += 2)
		destroy(handles[i]);
	free(handles);
}

static void show_help(FILE *f)
{
	fputs("usage: vgpu_client [OPTION]...\n"
	      "Use the render node of a vgpu, and verify what it does.\n"
	      "  -d, --device FILE      the node, /dev/dri/renderD128 by default\n"
	      "  -r, --release N        be content with this release of the driver only\n"
	      "  -n, --rounds N         of making and using objects (1)\n"
	      "  -b, --bytes N          size of an object (65536)\n"
	      "  -f, --fragment         have every other piece of VRAM of that size\n"
	      "  -w, --wait             say that it is done, and keep all till SIGTERM\n",
	      f);
}

static const struct option long_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "release", required_argument, NULL, 'r' },
	{ "rounds", required_argument, NULL, 'n' },
	{ "bytes", required_argument, NULL, 'b' },
	{ "fragment", no_argument, NULL, 'f' },
	{ "wait", no_argument, NULL, 'w' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static unsigned long number(const char *text)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 0);
	if (end == text || *end || !value)
		fail("'%s' makes no sense here", text);
	return value;
}

int main(int argc, char **argv)
{
	const char *device = "/dev/dri/renderD128";
	unsigned long release = 0, rounds = 1, bytes = 65536;
	bool wait = false, fragments = false;
	int c;

	while ((c = getopt_long(argc, argv, "d:r:n:b:fwh", long_options, NULL)) != -1) {
		switch (c) {
		case 'd':
			device = optarg;
			break;
		case 'r':
			release = number(optarg);
			break;
		case 'n':
			rounds = number(optarg);
			break;
		case 'b':
			bytes = number(optarg);
			break;
		case 'f':
			fragments = true;
			break;
		case 'w':
			wait = true;
			break;
		case 'h':
			show_help(stdout);
			return 0;
		default:
			show_help(stderr);
			return 1;
		}
	}

	fd = open(device, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail("%s: %s", device, strerror(errno));
	if (release && get_param(DRM_VGPU_PARAM_RELEASE) != release)
		fail("the driver is release %llu, not %lu",
		     get_param(DRM_VGPU_PARAM_RELEASE), release);
	use(rounds, bytes);
	if (fragments)
		fragment(bytes);
	if (wait) {
		puts("waiting");
		fflush(stdout);
		pause();
	}
	return 0;
}
