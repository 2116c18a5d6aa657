/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of whole updates share: a GPU with guests on its VFs, and
 * what has to be the same after an update.
 */
#ifndef _KUNIT_VGPU_UPDATE_KUNIT_H_
#define _KUNIT_VGPU_UPDATE_KUNIT_H_

#include <kunit/test.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include "vgpu_mock.h"

/*
 * VF 1 has VRAM in pieces, VF 2 system memory, VF 3 a fair share of VRAM, VF 4
 * is provisioned, and not enabled. No two of them are provisioned alike.
 */
#define VF_VRAM		1
#define VF_SYSTEM	2
#define VF_SHARE	3
#define VF_IDLE		4
#define VF_NONE		0

#define UPDATE_VRAM	SZ_4M

/* What a driver knows of a VF. */
struct vf_knowledge {
	struct vgpu_vf_profile profile;
	bool enabled;
	u64 mem_limit;
	u32 timeslice_us;
	u64 size;
	u64 table;
	/* Where its memory is, page by page */
	u64 *pages;
};

struct update {
	struct kunit *test;
	struct mock_gpu *gpu;
	struct mock_hw *hw;
	struct mock_guest *guests[VGPU_HW_MAX_VFS + 1];
	struct vf_knowledge known[VGPU_HW_MAX_VFS + 1];
	unsigned int num_vfs;
	u64 vram_free;
	/* Of the stash, once it was detached */
	unsigned int num_blocks;
	/* The VF that something was done to, for functions that are called back */
	unsigned int spoiled;
};

/* Without guests, and as it was made; then with one on each enabled VF. */
struct update *update_new(struct kunit *test, unsigned int total_vfs, u64 vram_size);
void update_add_guests(struct update *update);
/* As described above, with guests */
struct update *update_new_usual(struct kunit *test);

/* Take note of all that has to be the same later on. */
void update_take_note(struct update *update);
/* Saves, and unbinds; what is saved is the same afterwards. */
void update_detach(struct update *update, u32 version);
/* What is in the stash now is what has to stay there. */
void update_count_blocks(struct update *update);
/* Nobody has noticed anything, but for a VF that may be %VF_NONE. */
void update_expect_guests_intact(struct update *update, unsigned int but);
/* The driver that is bound knows what the one before has known. */
void update_expect_known(struct update *update, unsigned int but);
/* All blocks are in the stash, and nobody else has one. */
void update_expect_stash_whole(struct update *update);

/* The driver's functions that fail when they are told to, see vgpu_fault.h. */
struct update_faults {
	/* Number of the block to fail at, -1 for none; calls so far */
	int save;
	int restore;
	bool probe;
	bool start;
	unsigned int num_restores;
	/* Which allocation fails, from the first block on; whether one did */
	unsigned int fail_nth;
	bool has_failed;
	/* Called before the start, when all was restored */
	void (*at_start)(struct update *update);
	/*
	 * Called when start_device has succeeded after a restore, and the update is not
	 * committed: returns what start_device returns. It can call stop_device, and
	 * return an error for restore_abort to follow: to the driver that is the same as
	 * a probe that fails between its start and the commit.
	 */
	int (*after_start)(struct update *update);
	struct update *update;
};

/* In effect until the end of the case, for the task that runs it. */
struct update_faults *update_faults_new(struct update *update);

#endif /* _KUNIT_VGPU_UPDATE_KUNIT_H_ */
