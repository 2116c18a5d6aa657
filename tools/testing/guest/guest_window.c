// SPDX-License-Identifier: GPL-2.0-only
/*
 * The window of the virtual function: registers, memory, interrupts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

/* A register that cannot be read is a mistake in here, or the end of all. */
__u64 reg_read(struct guest *g, __u64 reg)
{
	__u64 value;

	if (pread(g->fd, &value, sizeof(value), reg) == sizeof(value))
		return value;
	fatal(g, &g->stats.other_errors, "register 0x%llx cannot be read: %s",
	      reg, strerror(errno));
	return ~0ull;
}

/* Returns 0 or -errno: some errors are answers. */
int reg_write(struct guest *g, __u64 reg, __u64 value)
{
	if (pwrite(g->fd, &value, sizeof(value), reg) == sizeof(value))
		return 0;
	return -errno;
}

/*
 * Whether a reset, or the end of the VF, explains a value that is not as it should
 * be: memory and mailbox are cleared after either. It is reported, and not the
 * value, which the guest may see before the interrupt.
 */
bool window_was_reset(struct guest *g)
{
	if (reg_read(g, VGPU_VF_REG_RESETS) == g->resets &&
	    reg_read(g, VGPU_VF_REG_STATUS) & VGPU_VF_STATUS_ENABLED)
		return false;
	fatal(g, &g->stats.resets, "this VF was reset or disabled");
	return true;
}

/* A ring of its own size at address 0, empty; any fault is over. */
int window_set_ring(struct guest *g)
{
	int ret;

	g->tail = 0;
	ret = reg_write(g, VGPU_VF_REG_RING_BASE, 0);
	if (!ret)
		ret = reg_write(g, VGPU_VF_REG_RING_ENTRIES, RING_ENTRIES);
	return ret;
}

/* The caller knows that there is room. */
void window_put(struct guest *g, const struct vgpu_cmd *cmd)
{
	struct vgpu_cmd *ring = (struct vgpu_cmd *)g->mem;

	ring[g->tail++ % RING_ENTRIES] = *cmd;
	g->stats.commands++;
}

int window_doorbell(struct guest *g)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return reg_write(g, VGPU_VF_REG_RING_TAIL, g->tail);
}

static int set_eventfd(struct guest *g, __s32 fd)
{
	return ioctl(g->fd, VGPU_VF_IOC_SET_EVENTFD, &fd) ? -errno : 0;
}

/* One that is set. Returns -1 if there is none. */
static int new_eventfd(struct guest *g)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd >= 0 && set_eventfd(g, fd)) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * Some that do not last before the one that does: what is no eventfd, one that
 * nobody has open any more, one that is replaced.
 */
static int setup_eventfd(struct guest *g)
{
	__u64 count;
	int closed;

	if (!g->opt.eventfd)
		return 0;
	if (set_eventfd(g, g->fd) != -EINVAL || set_eventfd(g, 12345) != -EBADF) {
		errno = EPROTO;
		return -1;
	}
	closed = new_eventfd(g);
	if (closed < 0 || close(closed))
		return -1;
	g->replaced_efd = new_eventfd(g);
	if (g->replaced_efd < 0)
		return -1;
	g->efd = new_eventfd(g);
	if (g->efd < 0)
		return -1;
	if (read(g->replaced_efd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -1;
	return 0;
}

static void finish_eventfd(struct guest *g)
{
	__u64 count;

	if (read(g->replaced_efd, &count, sizeof(count)) >= 0)
		problem(g, &g->stats.other_errors, "an eventfd that was replaced is signalled");
	if (set_eventfd(g, -1))
		problem(g, &g->stats.other_errors, "an eventfd cannot be taken away");
	close(g->replaced_efd);
	close(g->efd);
	g->efd = -1;
}

static int check_window(struct guest *g)
{
	if (reg_read(g, VGPU_VF_REG_IDENT) != VGPU_VF_IDENT_VALUE) {
		fprintf(stderr, "%s: not a vgpu\n", g->opt.device);
		return -1;
	}
	if (!(reg_read(g, VGPU_VF_REG_STATUS) & VGPU_VF_STATUS_ENABLED)) {
		fprintf(stderr, "%s: this VF is disabled\n", g->opt.device);
		return -1;
	}
	return 0;
}

static int map_memory(struct guest *g)
{
	g->mem_size = reg_read(g, VGPU_VF_REG_MEM_SIZE);
	g->size = g->mem_size;
	g->used = g->mem_size;
	if (g->opt.memory && g->opt.memory < g->used)
		g->used = g->opt.memory;
	g->used -= g->used % PAGE;
	if (!g->opt.spread)
		g->size = g->used;
	if (g->used < WORK_ADDR + 4 * PAGE) {
		fprintf(stderr, "%s: too little memory: %llu bytes\n", g->opt.device,
			g->used);
		return -1;
	}
	g->mem = mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, 0);
	if (g->mem == MAP_FAILED) {
		g->mem = NULL;
		fprintf(stderr, "%s: mmap: %s\n", g->opt.device, strerror(errno));
		return -1;
	}
	return 0;
}

int window_open(struct guest *g)
{
	g->efd = -1;
	g->replaced_efd = -1;
	g->fd = open(g->opt.device, O_RDWR | O_CLOEXEC);
	if (g->fd < 0) {
		fprintf(stderr, "%s: %s\n", g->opt.device, strerror(errno));
		return -1;
	}
	if (check_window(g) || map_memory(g))
		return -1;
	if (setup_eventfd(g) || window_set_ring(g)) {
		fprintf(stderr, "%s: %s\n", g->opt.device, strerror(errno));
		return -1;
	}
	return 0;
}

void window_close(struct guest *g)
{
	if (g->mem)
		munmap(g->mem, g->size);
	if (g->efd >= 0)
		finish_eventfd(g);
	if (g->fd >= 0)
		close(g->fd);
}

/*
 * The memory from there on was given back, and is there again: it is zero, and is
 * not when it goes the next time.
 */
void window_check_regained(struct guest *g, __u64 from)
{
	const __u64 bytes = g->mem_size - from;
	__u64 *words, i;
	int ret;

	words = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, from);
	if (words == MAP_FAILED) {
		ret = errno;
		if (!window_was_reset(g))
			problem(g, &g->stats.other_errors, "memory that came back: mmap: %s",
				strerror(ret));
		return;
	}
	for (i = 0; i < bytes / sizeof(*words); i++) {
		if (words[i])
			break;
		words[i] = ~i;
	}
	if (i < bytes / sizeof(*words) && !window_was_reset(g))
		problem(g, &g->stats.verify_errors,
			"memory that came back is 0x%016llx at 0x%llx", words[i],
			from + i * sizeof(*words));
	munmap(words, bytes);
	g->stats.balloons++;
}

/*
 * Waits for an interrupt, for at most a time, and returns what it was about.
 * The status is cleared before anything is looked at, so that nothing that
 * comes later is missed.
 */
__u64 window_wait(struct guest *g, __u64 timeout_ns)
{
	const struct timespec timeout = {
		.tv_sec = timeout_ns / 1000000000,
		.tv_nsec = timeout_ns % 1000000000,
	};
	struct pollfd pollfd = {
		.fd = g->efd >= 0 ? g->efd : g->fd,
		.events = POLLIN,
	};
	__u64 status, count;
	ssize_t len = 0;

	if (ppoll(&pollfd, 1, &timeout, NULL) < 0 && errno != EINTR)
		fatal(g, &g->stats.other_errors, "poll: %s", strerror(errno));
	if (g->efd >= 0)
		len = read(g->efd, &count, sizeof(count));
	if (len > 0)
		g->stats.events++;
	else if (len < 0 && errno != EAGAIN)
		fatal(g, &g->stats.other_errors, "eventfd: %s", strerror(errno));
	status = reg_read(g, VGPU_VF_REG_IRQ_STATUS);
	if (status)
		reg_write(g, VGPU_VF_REG_IRQ_STATUS, status);
	return status;
}
