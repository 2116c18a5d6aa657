/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The saved state of vgpu: the whole of what one release of the driver says to
 * the next, and nothing else.
 */
#ifndef _VGPU_STATE_H_
#define _VGPU_STATE_H_

#include <linux/build_bug.h>
#include <linux/types.h>

/**
 * DOC: saved state
 *
 * The layout of the structures in the first part of this file is a contract
 * between releases. A change to it is a new record, or a new state version,
 * never another meaning of what is there.
 *
 * A stash is, in this order:
 *
 * 1. one block with the state of the adapter (a buffer),
 * 2. for each VF that runs, or is provisioned in a way of its own, by number: a
 *    block with its state (a buffer); if it runs, one that is its memory
 *    (ranges), and one that is its LMTT (an sg_table).
 *
 * The metadata of each block, and the content of buffers, is a sequence of
 * records: a header, and a payload of as many bytes as the header says. The
 * first one says what the sequence is about; the last one is a
 * %VGPU_RECORD_END with the number of records before it, and a checksum of
 * their bytes. Everything is little-endian. What is reserved is zero.
 *
 * A reader refuses a record that it does not know, unless it is flagged as
 * optional.
 *
 * State version 2 added the priorities of VFs and how far their mailboxes were
 * served. Where these are missing, the device knows the former, and the latter
 * is not checked.
 */

#define VGPU_STATE_COMPATIBLE	"drm,vgpu"
#define VGPU_STATE_VERSION_MIN	1

/* Types of records. 0 is none, so that zeroed memory is not one. */
#define VGPU_RECORD_BLOCK	1	/* struct vgpu_block_ser, of metadata */
#define VGPU_RECORD_ADAPTER	2	/* struct vgpu_adapter_ser */
#define VGPU_RECORD_VF		3	/* struct vgpu_vf_ser */
#define VGPU_RECORD_VF_SCHED	4	/* struct vgpu_vf_sched_ser, from version 2 */
#define VGPU_RECORD_VF_MBOX	5	/* struct vgpu_vf_mbox_ser, from version 2 */
#define VGPU_RECORD_END		6	/* struct vgpu_end_ser */

#define VGPU_RECORD_OPTIONAL	0x1	/* flag: to be skipped if not known */

struct vgpu_record_ser {
	__le32 type;		/* VGPU_RECORD_* */
	__le32 flags;		/* VGPU_RECORD_OPTIONAL or 0 */
	__le32 length;		/* bytes that follow, a multiple of 8 */
	__le32 reserved;
};

static_assert(sizeof(struct vgpu_record_ser) == 16);

/* What a block is. */
#define VGPU_BLOCK_ADAPTER	1
#define VGPU_BLOCK_VF_STATE	2
#define VGPU_BLOCK_VF_MEMORY	3
#define VGPU_BLOCK_VF_LMTT	4

struct vgpu_block_ser {
	__le32 what;		/* VGPU_BLOCK_* */
	__le32 vf;		/* from 1; 0 for VGPU_BLOCK_ADAPTER */
	__le32 root_index;	/* VGPU_BLOCK_VF_LMTT: which page is the root */
	__le32 reserved;
};

static_assert(sizeof(struct vgpu_block_ser) == 16);

struct vgpu_adapter_ser {
	__le32 version;		/* of the state */
	__le32 total_vfs;	/* of the device */
	__le64 vram_size;	/* of the device, bytes */
	__le64 vf_mask;		/* VFs whose state follows, bit n - 1 for VF n */
	__le32 num_vfs;		/* that the administrator has enabled */
	__le32 reserved;
};

static_assert(sizeof(struct vgpu_adapter_ser) == 32);

/* Flags of a VF. */
#define VGPU_VF_RUNNING		0x1	/* it has memory, and blocks of it follow */

struct vgpu_vf_ser {
	__le32 vf;		/* from 1 */
	__le32 flags;		/* VGPU_VF_RUNNING or 0 */
	__le32 backing;		/* 1: VRAM, 2: system memory */
	__le32 quantum_us;	/* most microseconds a turn */
	__le64 quota;		/* provisioned bytes of memory, 0: a fair share */
	/* Zero if it does not run: */
	__le64 mem_limit;	/* most bytes of memory */
	__le64 mem_size;	/* bytes of memory at present */
	__le32 timeslice_us;	/* microseconds a turn at present */
	__le32 reserved;
};

static_assert(sizeof(struct vgpu_vf_ser) == 48);

struct vgpu_vf_sched_ser {
	__le32 priority;	/* 0 low, 1 normal, 2 high */
	__le32 reserved;
};

static_assert(sizeof(struct vgpu_vf_sched_ser) == 8);

struct vgpu_vf_mbox_ser {
	__le64 answered;	/* id of the last request answered */
};

static_assert(sizeof(struct vgpu_vf_mbox_ser) == 8);

struct vgpu_end_ser {
	__le32 num_records;	/* before this one */
	__le32 crc32;		/* of the bytes of these records, as of zlib */
};

static_assert(sizeof(struct vgpu_end_ser) == 8);

/* From here on nothing is part of the contract. */

/**
 * struct vgpu_block_state - what a block is, from its metadata
 */
struct vgpu_block_state {
	/** @what: VGPU_BLOCK_* */
	u32 what;
	/** @vf: number of the VF, or 0 */
	u32 vf;
	/** @root_index: page of an LMTT that is its root */
	u32 root_index;
};

/**
 * struct vgpu_adapter_state - state of the adapter
 */
struct vgpu_adapter_state {
	/** @version: state version */
	u32 version;
	/** @total_vfs: VFs that the device has */
	u32 total_vfs;
	/** @num_vfs: VFs that the administrator has enabled */
	u32 num_vfs;
	/** @vf_mask: VFs whose state follows, bit n - 1 for VF n */
	u64 vf_mask;
	/** @vram_size: bytes of VRAM that the device has */
	u64 vram_size;
};

/**
 * struct vgpu_vf_state - state of a VF
 */
struct vgpu_vf_state {
	/** @vf: its number */
	u32 vf;
	/** @running: it has memory, a limit, and a time slice */
	bool running;
	/** @backing: &enum vgpu_backing */
	u32 backing;
	/** @quantum_us: most microseconds a turn */
	u32 quantum_us;
	/** @quota: provisioned bytes of memory, 0 for a fair share */
	u64 quota;
	/** @mem_limit: most bytes of memory */
	u64 mem_limit;
	/** @mem_size: bytes of memory */
	u64 mem_size;
	/** @timeslice_us: microseconds a turn */
	u32 timeslice_us;
	/** @priority: VGPU_PRIORITY_*, from state version 2 */
	u32 priority;
	/** @answered: id of the last request answered, from state version 2 */
	u64 answered;
};

/** VGPU_STATE_MAX_SIZE - bytes that any sequence this driver writes fits in */
#define VGPU_STATE_MAX_SIZE	256

/** VGPU_STATE_READ_LIMIT - bytes of a sequence beyond which it is refused */
#define VGPU_STATE_READ_LIMIT	4096

size_t vgpu_state_encode_block(void *buf, const struct vgpu_block_state *state);
size_t vgpu_state_encode_adapter(void *buf, const struct vgpu_adapter_state *state);
size_t vgpu_state_encode_vf(void *buf, const struct vgpu_vf_state *state, u32 version);

int vgpu_state_decode_block(const void *buf, size_t size, u32 version,
			    struct vgpu_block_state *state, const char **defect);
int vgpu_state_decode_adapter(const void *buf, size_t size, u32 version,
			      struct vgpu_adapter_state *state, const char **defect);
int vgpu_state_decode_vf(const void *buf, size_t size, u32 version,
			 struct vgpu_vf_state *state, const char **defect);

#endif /* _VGPU_STATE_H_ */
