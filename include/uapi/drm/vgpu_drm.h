/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vgpu: what user space sees. The first part is the virtual function's window
 * /dev/vgpu-vfN that a guest drives, the second the ioctls of the render node.
 */
#ifndef _UAPI_VGPU_DRM_H_
#define _UAPI_VGPU_DRM_H_

#ifdef __KERNEL__
#include <drm/drm.h>
#else
/* A guest needs no more. Who uses the ioctls includes libdrm's drm.h as well. */
#include <linux/ioctl.h>
#include <linux/types.h>
#endif

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * DOC: Commands
 *
 * What a ring holds. All addresses are those of the function that owns the
 * ring, all of @dst, @src and @size are multiples of eight bytes, and @size may
 * be zero. Fields that a command does not use, and @flags, are zero. A command
 * that breaks this, or reaches outside of the function's memory, stops the ring
 * with a fault.
 */

/**
 * enum vgpu_cmd_op - what a command does
 */
enum vgpu_cmd_op {
	/** @VGPU_CMD_FILL: write @value to each word of @size bytes at @dst */
	VGPU_CMD_FILL = 1,
	/** @VGPU_CMD_COPY: copy @size bytes from @src to @dst, which do not overlap */
	VGPU_CMD_COPY = 2,
	/**
	 * @VGPU_CMD_PATTERN: write vgpu_pattern_word(@value, i) to word i of
	 * @size bytes at @dst
	 */
	VGPU_CMD_PATTERN = 3,
	/**
	 * @VGPU_CMD_CHECKSUM: write the checksum of @size bytes at @src to the
	 * word at @dst: vgpu_checksum_step() of every word in order, from
	 * %VGPU_CHECKSUM_INIT
	 */
	VGPU_CMD_CHECKSUM = 4,
	/**
	 * @VGPU_CMD_FENCE: when all before it is done, set the fence register
	 * to @value and interrupt
	 */
	VGPU_CMD_FENCE = 5,
};

/**
 * struct vgpu_cmd - one entry of a ring
 */
struct vgpu_cmd {
	/** @op: &enum vgpu_cmd_op; zero is no command, so that zeroed memory faults */
	__u32 op;
	/** @flags: zero */
	__u32 flags;
	/** @dst: address written to */
	__u64 dst;
	/** @src: address read from */
	__u64 src;
	/** @size: bytes */
	__u64 size;
	/** @value: operand */
	__u64 value;
	/** @reserved: zero */
	__u64 reserved[3];
};

#define VGPU_CHECKSUM_INIT	0xcbf29ce484222325ull

static inline __u64 vgpu_checksum_step(__u64 sum, __u64 word)
{
	return (sum ^ word) * 0x100000001b3ull;
}

static inline __u64 vgpu_pattern_word(__u64 seed, __u64 index)
{
	__u64 x = seed + (index + 1) * 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* Why a ring stopped: VGPU_VF_REG_FAULT */
#define VGPU_FAULT_NONE			0
#define VGPU_FAULT_BAD_COMMAND		1	/* unknown op, field not zero, size */
#define VGPU_FAULT_OUT_OF_RANGE		2	/* outside of the function's memory */
#define VGPU_FAULT_NOT_MAPPED		3	/* no valid LMTT entry */
#define VGPU_FAULT_BAD_TABLE		4	/* the LMTT is not well-formed */
#define VGPU_FAULT_TABLE_CHANGED	5	/* the LMTT changed under the device */
#define VGPU_FAULT_BAD_DOORBELL		6	/* tail goes back, or too far after head */
#define VGPU_FAULT_BAD_RING		7	/* ring base or size */

/**
 * DOC: VF window
 *
 * /dev/vgpu-vfN is virtual function N as its guest sees it: what a BAR is to a
 * real one. It is opened by one guest at a time (EBUSY), stays open while the
 * PF's driver is replaced, and works meanwhile.
 *
 * pread() and pwrite() of eight bytes at an offset of VGPU_VF_REG_* read and
 * write a register. mmap() at an offset maps the function's memory from that
 * address on (MAP_SHARED); a page that the LMTT does not map raises SIGBUS.
 * poll() reports EPOLLIN while VGPU_VF_REG_IRQ_STATUS is not zero. Closing the
 * window stops the ring.
 *
 * While the VF is disabled, writes to VGPU_VF_REG_RING_ENTRIES, RING_TAIL and
 * MBOX_SEND fail with EIO. A ring stops when the VF is reset, enabled or
 * disabled, or at a fault; writing RING_ENTRIES starts it anew, empty.
 *
 * A reset zeroes the VF's memory. Closing the window does not: what a guest has
 * left there, the next one finds, unless whoever gives the VF to one after the
 * other resets it in between (sriov_admin/vfN/reset in sysfs).
 */
#define VGPU_VF_REG_IDENT		0x00	/* RO: VGPU_VF_IDENT_VALUE */
#define VGPU_VF_REG_STATUS		0x08	/* RO: VGPU_VF_STATUS_* */
#define VGPU_VF_REG_MEM_SIZE		0x10	/* RO: bytes, 0 while disabled */
#define VGPU_VF_REG_RESETS		0x18	/* RO: times it was reset */
#define VGPU_VF_REG_IRQ_STATUS		0x20	/* W1C: VGPU_VF_IRQ_* */
#define VGPU_VF_REG_RING_BASE		0x28	/* RW: page-aligned, for the next RING_ENTRIES */
#define VGPU_VF_REG_RING_ENTRIES	0x30	/* RW: power of two, clears head, tail, fault;
						 * 0 stops it
						 */
#define VGPU_VF_REG_RING_HEAD		0x38	/* RO: commands done, counts on */
#define VGPU_VF_REG_RING_TAIL		0x40	/* RW: commands written, counts on */
#define VGPU_VF_REG_FENCE		0x48	/* RO: value of the last fence passed, at first 0 */
#define VGPU_VF_REG_FAULT		0x50	/* RO: VGPU_FAULT_* */
#define VGPU_VF_REG_FAULT_ADDR		0x58	/* RO */
/*
 * The mailbox to the PF's driver. A request is sent by writing its arguments,
 * then its op; EBUSY when VGPU_VF_MBOX_DEPTH requests are unanswered or their
 * answers unread. Answers come in the order of the requests.
 */
#define VGPU_VF_REG_MBOX_ARG0		0x60	/* RW */
#define VGPU_VF_REG_MBOX_ARG1		0x68	/* RW */
#define VGPU_VF_REG_MBOX_SEND		0x70	/* WO: VGPU_MBOX_* */
#define VGPU_VF_REG_MBOX_SENT		0x78	/* RO: id of the last request sent */
#define VGPU_VF_REG_MBOX_PENDING	0x80	/* RO: sent and not answered */
#define VGPU_VF_REG_MBOX_ANSWER		0x88	/* RO: id of the oldest unread answer, or 0 */
#define VGPU_VF_REG_MBOX_STATUS		0x90	/* RO: its status: 0 or an errno */
#define VGPU_VF_REG_MBOX_VALUE		0x98	/* RO: its value */
#define VGPU_VF_REG_MBOX_ACK		0xa0	/* WO: id of the answer that was read */

#define VGPU_VF_IDENT_VALUE		0x0001564655475601ull
#define VGPU_VF_MBOX_DEPTH		16

#define VGPU_VF_STATUS_ENABLED		(1ull << 0)
#define VGPU_VF_STATUS_FAULT		(1ull << 1)

#define VGPU_VF_IRQ_FENCE		(1ull << 0)	/* a fence was passed */
#define VGPU_VF_IRQ_MBOX		(1ull << 1)	/* there is an answer */
#define VGPU_VF_IRQ_FAULT		(1ull << 2)	/* the ring stopped */
#define VGPU_VF_IRQ_RESET		(1ull << 3)	/* the VF was reset, enabled or disabled */

/* Signal an eventfd (argument: __s32 fd, -1 for none) at each interrupt. */
#define VGPU_VF_IOC_SET_EVENTFD		_IOW('Y', 0x00, __s32)

/**
 * enum vgpu_mbox_op - what a VF can ask of the PF's driver
 */
enum vgpu_mbox_op {
	/** @VGPU_MBOX_QUERY: value of the property arg0, &enum vgpu_mbox_property */
	VGPU_MBOX_QUERY = 1,
	/** @VGPU_MBOX_TIMESLICE: ask for arg0 microseconds a turn; value: granted */
	VGPU_MBOX_TIMESLICE = 2,
	/** @VGPU_MBOX_BALLOON: ask for memory of arg0 bytes; value: granted */
	VGPU_MBOX_BALLOON = 3,
	/**
	 * @VGPU_MBOX_FAULT: report a fault at arg0 of kind arg1, and be reset.
	 * The reset is the answer: VGPU_VF_REG_RESETS counts it, and
	 * VGPU_VF_IRQ_RESET tells of it. It drops all requests up to
	 * VGPU_VF_REG_MBOX_SENT, this one and those behind it, and all answers
	 * that were not read: none of them comes any more.
	 */
	VGPU_MBOX_FAULT = 4,
};

/**
 * enum vgpu_mbox_property - what VGPU_MBOX_QUERY can be asked for
 */
enum vgpu_mbox_property {
	/** @VGPU_PROPERTY_MEM_SIZE: bytes of memory */
	VGPU_PROPERTY_MEM_SIZE = 1,
	/** @VGPU_PROPERTY_TIMESLICE_US: microseconds of engine time a turn */
	VGPU_PROPERTY_TIMESLICE_US = 2,
	/** @VGPU_PROPERTY_PRIORITY: scheduling priority, 0 low to 2 high */
	VGPU_PROPERTY_PRIORITY = 3,
	/** @VGPU_PROPERTY_PF_RELEASE: release of the PF's driver that answers */
	VGPU_PROPERTY_PF_RELEASE = 4,
};

/*
 * The render node
 */

#define DRM_VGPU_GET_PARAM		0x00
#define DRM_VGPU_GEM_CREATE		0x01
#define DRM_VGPU_GEM_MMAP_OFFSET	0x02
#define DRM_VGPU_GEM_WAIT		0x03
#define DRM_VGPU_SUBMIT			0x04

/**
 * enum drm_vgpu_param - what DRM_IOCTL_VGPU_GET_PARAM can be asked for
 */
enum drm_vgpu_param {
	/** @DRM_VGPU_PARAM_VRAM_SIZE: bytes of VRAM */
	DRM_VGPU_PARAM_VRAM_SIZE = 1,
	/** @DRM_VGPU_PARAM_VRAM_FREE: bytes of it that nobody has */
	DRM_VGPU_PARAM_VRAM_FREE = 2,
	/** @DRM_VGPU_PARAM_TOTAL_VFS: VFs that the device has */
	DRM_VGPU_PARAM_TOTAL_VFS = 3,
	/** @DRM_VGPU_PARAM_RELEASE: release of the driver */
	DRM_VGPU_PARAM_RELEASE = 4,
	/** @DRM_VGPU_PARAM_MAX_CMDS: most commands of one DRM_IOCTL_VGPU_SUBMIT */
	DRM_VGPU_PARAM_MAX_CMDS = 5,
};

/**
 * struct drm_vgpu_get_param - argument of DRM_IOCTL_VGPU_GET_PARAM
 *
 * EINVAL for an unknown parameter, or a field that is not zero.
 */
struct drm_vgpu_get_param {
	/** @param: in: &enum drm_vgpu_param */
	__u32 param;
	/** @pad: in: zero */
	__u32 pad;
	/** @value: in: zero; out: value of the parameter */
	__u64 value;
};

/* Flag of DRM_IOCTL_VGPU_GEM_CREATE: in VRAM, not in system memory. */
#define DRM_VGPU_GEM_VRAM		(1 << 0)

/**
 * struct drm_vgpu_gem_create - argument of DRM_IOCTL_VGPU_GEM_CREATE
 *
 * The object is zeroed. ENOSPC if there is no contiguous VRAM of that size.
 */
struct drm_vgpu_gem_create {
	/** @size: in: bytes; out: rounded up to pages */
	__u64 size;
	/** @flags: in: DRM_VGPU_GEM_VRAM or 0 */
	__u32 flags;
	/** @handle: in: zero; out: handle of the object */
	__u32 handle;
};

/**
 * struct drm_vgpu_gem_mmap_offset - argument of DRM_IOCTL_VGPU_GEM_MMAP_OFFSET
 */
struct drm_vgpu_gem_mmap_offset {
	/** @handle: in: handle of the object */
	__u32 handle;
	/** @pad: in: zero */
	__u32 pad;
	/** @offset: out: what to mmap() the render node at */
	__u64 offset;
};

/* Flag of DRM_IOCTL_VGPU_GEM_WAIT: for jobs that write, not for those that read. */
#define DRM_VGPU_GEM_WAIT_WRITERS	(1 << 0)

/**
 * struct drm_vgpu_gem_wait - argument of DRM_IOCTL_VGPU_GEM_WAIT
 *
 * Wait until no job uses the object any more. ETIME if some still do, EINVAL if
 * there is no such object.
 */
struct drm_vgpu_gem_wait {
	/** @handle: in: handle of the object */
	__u32 handle;
	/** @flags: in: DRM_VGPU_GEM_WAIT_WRITERS or 0 */
	__u32 flags;
	/** @timeout_ns: in: until when, of CLOCK_MONOTONIC; 0 to look only */
	__s64 timeout_ns;
};

/**
 * struct drm_vgpu_submit_cmd - one command of a job
 *
 * As &struct vgpu_cmd, but for what an address is: an entry of
 * &drm_vgpu_submit.bos, and an offset in that object. All of @dst_offset,
 * @src_offset and @size are multiples of eight bytes. Fields that the operation
 * does not use are zero.
 */
struct drm_vgpu_submit_cmd {
	/** @op: &enum vgpu_cmd_op, other than VGPU_CMD_FENCE */
	__u32 op;
	/** @flags: zero */
	__u32 flags;
	/** @dst: number of the object that is written to */
	__u32 dst;
	/** @src: number of the object that is read from */
	__u32 src;
	/** @dst_offset: where in @dst */
	__u64 dst_offset;
	/** @src_offset: where in @src */
	__u64 src_offset;
	/** @size: bytes */
	__u64 size;
	/** @value: operand */
	__u64 value;
};

/* Flags of a sync: one of them. */
#define DRM_VGPU_SYNC_WAIT		(1 << 0)	/* before the job */
#define DRM_VGPU_SYNC_SIGNAL		(1 << 1)	/* when it is done */

/**
 * struct drm_vgpu_sync - a syncobj that a job waits for, or signals
 */
struct drm_vgpu_sync {
	/** @handle: handle of the syncobj */
	__u32 handle;
	/** @flags: DRM_VGPU_SYNC_WAIT or DRM_VGPU_SYNC_SIGNAL */
	__u32 flags;
	/** @point: point of a timeline, 0 if it is none */
	__u64 point;
};

/**
 * struct drm_vgpu_submit - argument of DRM_IOCTL_VGPU_SUBMIT
 *
 * A job: commands for the engine, done one after the other. It begins when all
 * syncs that it waits for, and all jobs and other devices that use its objects
 * in a way that is in conflict, are done. Jobs of a file begin in the order in
 * which they were submitted. A job that does not end is cancelled, and its fence
 * has the error ETIME.
 *
 * EINVAL if anything is not as documented; ENOENT for an unknown handle; ENOSPC
 * if the objects do not fit into the address space; ENODEV if the device has
 * gone. After an error nothing was done.
 */
struct drm_vgpu_submit {
	/** @bos: in: pointer to handles of objects, __u32 each, none of them twice */
	__u64 bos;
	/** @cmds: in: pointer to &struct drm_vgpu_submit_cmd */
	__u64 cmds;
	/** @syncs: in: pointer to &struct drm_vgpu_sync */
	__u64 syncs;
	/** @num_bos: in: how many, at least 1 */
	__u32 num_bos;
	/** @num_cmds: in: how many, 1 to DRM_VGPU_PARAM_MAX_CMDS */
	__u32 num_cmds;
	/** @num_syncs: in: how many, 0 to 1024 */
	__u32 num_syncs;
	/** @flags: in: zero */
	__u32 flags;
};

#define DRM_IOCTL_VGPU_GET_PARAM					\
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VGPU_GET_PARAM, struct drm_vgpu_get_param)
#define DRM_IOCTL_VGPU_GEM_CREATE					\
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VGPU_GEM_CREATE, struct drm_vgpu_gem_create)
#define DRM_IOCTL_VGPU_GEM_MMAP_OFFSET					\
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VGPU_GEM_MMAP_OFFSET,		\
		 struct drm_vgpu_gem_mmap_offset)
#define DRM_IOCTL_VGPU_GEM_WAIT						\
	DRM_IOW(DRM_COMMAND_BASE + DRM_VGPU_GEM_WAIT, struct drm_vgpu_gem_wait)
#define DRM_IOCTL_VGPU_SUBMIT						\
	DRM_IOW(DRM_COMMAND_BASE + DRM_VGPU_SUBMIT, struct drm_vgpu_submit)

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_VGPU_DRM_H_ */
