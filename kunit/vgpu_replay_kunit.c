// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of whole updates: the driver of a vgpu is replaced while guests
 * use its VFs, and nobody notices. What becomes of updates that go wrong is in
 * vgpu_replay_fail_kunit.c and vgpu_replay_isolation_kunit.c.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <drm/vgpu_drm.h>

#include "../drivers/gpu/drm/hotupdate/drm_hotupdate_internal.h"
#include "vgpu_update_kunit.h"

struct version_case {
	const char *name;
	u32 version;	/* of the stash */
	u32 saved_as;	/* what is asked for */
};

static const struct version_case version_cases[] = {
	{ "own", VGPU_RELEASE, 0 },
	{ "version_1", 1, 1 },
	{ "version_2", 2, 2 },
};

KUNIT_ARRAY_PARAM_DESC(version, version_cases, name);

/*
 * No guest is reset, sees other content, or another table. The device is not
 * written to from the begin to the end, but for whether it interrupts.
 *
 * Clauses: W9, W14, U6, U21
 */
static void update_unnoticed(struct kunit *test)
{
	const struct version_case *c = test->param_value;
	struct update *update;

	if (c->version > VGPU_RELEASE)
		kunit_skip(test, "release 1 does not write it");
	update = update_new_usual(test);
	update_detach(update, c->saved_as);
	KUNIT_EXPECT_EQ(test, update->gpu->adapter->version, c->version);
	update_expect_guests_intact(update, VF_NONE);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	mock_gpu_expect_state(update->gpu, "running");
	mock_gpu_serve(update->gpu);

	MOCK_EXPECT_NO_WRITES(update->hw);
	KUNIT_EXPECT_EQ(test, update->hw->resets, 1);
	update_expect_guests_intact(update, VF_NONE);
	update_expect_known(update, VF_NONE);
	KUNIT_EXPECT_EQ(test, update->gpu->adapter->generation, 1);
	KUNIT_EXPECT_EQ(test, update->gpu->adapter->stash.count, 0);
	KUNIT_EXPECT_EQ(test, update->gpu->num_events, 0);
}

struct expected_block {
	u32 what, vf;
	enum hotupdate_kind kind;
};

/*
 * The adapter, then the VFs by number: each in the way that W7 has for it.
 *
 * Clauses: W3, W7
 */
static void save_order(struct kunit *test)
{
	static const struct expected_block expected[] = {
		{ VGPU_BLOCK_ADAPTER, 0, HOTUPDATE_KIND_BUFFER },
		{ VGPU_BLOCK_VF_STATE, VF_VRAM, HOTUPDATE_KIND_BUFFER },
		{ VGPU_BLOCK_VF_MEMORY, VF_VRAM, HOTUPDATE_KIND_DEVICE },
		{ VGPU_BLOCK_VF_LMTT, VF_VRAM, HOTUPDATE_KIND_SGT },
		{ VGPU_BLOCK_VF_STATE, VF_SYSTEM, HOTUPDATE_KIND_BUFFER },
		{ VGPU_BLOCK_VF_MEMORY, VF_SYSTEM, HOTUPDATE_KIND_RANGES },
		{ VGPU_BLOCK_VF_LMTT, VF_SYSTEM, HOTUPDATE_KIND_SGT },
		{ VGPU_BLOCK_VF_STATE, VF_SHARE, HOTUPDATE_KIND_BUFFER },
		{ VGPU_BLOCK_VF_MEMORY, VF_SHARE, HOTUPDATE_KIND_DEVICE },
		{ VGPU_BLOCK_VF_LMTT, VF_SHARE, HOTUPDATE_KIND_SGT },
		{ VGPU_BLOCK_VF_STATE, VF_IDLE, HOTUPDATE_KIND_BUFFER },
	};
	struct update *update = update_new_usual(test);
	struct drm_hotupdate_block *block;
	unsigned long index;

	update_detach(update, 0);
	KUNIT_ASSERT_EQ(test, update->num_blocks, ARRAY_SIZE(expected));
	xa_for_each(&update->gpu->adapter->stash.blocks, index, block) {
		struct vgpu_block_state state = { };
		const char *defect;
		const void *meta;
		size_t size;

		meta = drm_hotupdate_block_meta(block, &size);
		KUNIT_ASSERT_EQ(test, 0, vgpu_state_decode_block(meta, size, VGPU_RELEASE,
								 &state, &defect));
		KUNIT_EXPECT_EQ(test, state.what, expected[index].what);
		KUNIT_EXPECT_EQ(test, state.vf, expected[index].vf);
		KUNIT_EXPECT_EQ(test, block->kind, expected[index].kind);
	}
}

static void *map_block(struct kunit *test, struct update *update, unsigned int index)
{
	struct drm_hotupdate_block *block;

	block = xa_load(&update->gpu->adapter->stash.blocks, index);
	KUNIT_ASSERT_NOT_NULL(test, block);
	return drm_hotupdate_block_vmap(block);
}

/*
 * The states are those of the device and the VFs.
 *
 * Clauses: W3
 */
static void save_content(struct kunit *test)
{
	struct vgpu_adapter_state adapter = {
		.version = VGPU_RELEASE, .total_vfs = 4, .num_vfs = 3, .vf_mask = 0xf,
		.vram_size = UPDATE_VRAM,
	};
	struct vgpu_vf_state vf = {
		.vf = VF_SYSTEM, .running = true, .backing = VGPU_BACKING_SYSTEM,
		.quantum_us = 3000, .quota = 3 * SZ_1M, .mem_limit = 3 * SZ_1M,
		.timeslice_us = 700, .priority = VGPU_PRIORITY_LOW, .answered = 1,
	};
	struct vgpu_vf_state idle = {
		.vf = VF_IDLE, .backing = VGPU_BACKING_SYSTEM, .quantum_us = 4000,
		.quota = SZ_2M, .priority = VGPU_PRIORITY_NORMAL,
	};
	struct update *update = update_new_usual(test);
	u8 expected[VGPU_STATE_MAX_SIZE];
	size_t size;

	mock_hw_send(update->hw, VF_SYSTEM, VGPU_MBOX_QUERY, 1, 0);
	mock_gpu_serve(update->gpu);
	vf.mem_size = update->known[VF_SYSTEM].size;
	update_detach(update, 0);

	size = vgpu_state_encode_adapter(expected, &adapter);
	KUNIT_EXPECT_MEMEQ(test, map_block(test, update, 0), expected, size);
	size = vgpu_state_encode_vf(expected, &vf, VGPU_RELEASE);
	KUNIT_EXPECT_MEMEQ(test, map_block(test, update, 4), expected, size);
	size = vgpu_state_encode_vf(expected, &idle, VGPU_RELEASE);
	KUNIT_EXPECT_MEMEQ(test, map_block(test, update, 10), expected, size);
}

/* The number of all writes, those of interrupt registers too. */
static unsigned int num_all_writes(const struct mock_hw *hw)
{
	return hw->num_writes + hw->num_irq_writes;
}

static void expect_nothing_written(struct update *update)
{
	KUNIT_EXPECT_EQ(update->test, num_all_writes(update->hw), 0);
	KUNIT_EXPECT_NULL(update->test, update->hw->handler);
}

/*
 * Up to the start nothing at all is written (W14), nor interrupts awaited.
 *
 * Clauses: W14, W22, U21
 */
static void restore_writes_nothing(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);

	update_detach(update, 0);
	mock_hw_forget_writes(update->hw);
	faults->at_start = expect_nothing_written;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), 0);
	KUNIT_EXPECT_EQ(test, faults->num_restores, update->num_blocks);
}

/* Nothing is written, read back or forgotten by the driver that goes either. */
static void save_writes_nothing(struct kunit *test)
{
	struct update *update = update_new_usual(test);

	update_detach(update, 0);
	MOCK_EXPECT_NO_WRITES(update->hw);
	KUNIT_EXPECT_EQ(test, update->hw->irq_enable, 0);
	KUNIT_EXPECT_NULL(test, update->hw->handler);
}

/*
 * What the allocator gives to others is not what VFs have.
 *
 * Clauses: W14
 */
static void restore_reserves_vram(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct vgpu_memory rest;

	update_detach(update, 0);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	vgpu_memory_init(&rest, &mock_gpu_vgpu(update->gpu)->vram, VGPU_BACKING_VRAM);
	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(&rest, update->vram_free + SZ_4K), -ENOSPC);
	/* It is zeroed, which guests would see. */
	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(&rest, update->vram_free), 0);
	update_expect_guests_intact(update, VF_NONE);
	vgpu_memory_release(&rest);
}

/*
 * Requests: at the time of each answer the driver owns the VF's memory, which a
 * request can change.
 */
static void look_at_answer(struct mock_hw *hw, unsigned int fn)
{
	const struct vgpu_vf *vf = mock_gpu_vf(hw->gpu, fn);

	if (vf->memory.block || vf->lmtt.block)
		hw->num_bad++;
}

/* All that waited is answered after the update, once, in the order of sending. */
static void requests_wait(struct kunit *test)
{
	static const unsigned int senders[] = { 1, 3, 2, 2, 1, 3, 1, 2, 3, 3 };
	struct update *update = update_new_usual(test);
	struct mock_hw *hw = update->hw;
	u64 ids[4] = { };
	unsigned int i;

	mock_hw_send(hw, 1, VGPU_MBOX_QUERY, VGPU_PROPERTY_TIMESLICE_US, 0);
	mock_gpu_serve(update->gpu);
	mock_hw_expect_answer(hw, 0, 1, ++ids[1], 0, 2000);

	/* Some before the save, whose interrupt is late, some while it is saved. */
	for (i = 0; i < 4; i++)
		mock_hw_send(hw, senders[i], VGPU_MBOX_QUERY, VGPU_PROPERTY_MEM_SIZE, 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(update->gpu->adapter, 0), 0);
	mock_gpu_serve(update->gpu);
	for (; i < 6; i++)
		mock_hw_send(hw, senders[i], VGPU_MBOX_QUERY, VGPU_PROPERTY_MEM_SIZE, 0);
	mock_hw_interrupt_late(hw);
	mock_gpu_serve(update->gpu);
	KUNIT_EXPECT_EQ(test, hw->num_answers, 1);

	/* And some while there is no driver. */
	mock_gpu_unbind(update->gpu);
	for (; i < ARRAY_SIZE(senders); i++)
		mock_hw_send(hw, senders[i], VGPU_MBOX_QUERY, VGPU_PROPERTY_MEM_SIZE, 0);
	mock_hw_interrupt(hw);
	KUNIT_EXPECT_EQ(test, hw->num_answers, 1);

	hw->on_answer = look_at_answer;
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	mock_gpu_serve(update->gpu);
	KUNIT_EXPECT_EQ(test, hw->num_answers, 1 + ARRAY_SIZE(senders));
	for (i = 0; i < ARRAY_SIZE(senders); i++)
		mock_hw_expect_answer(hw, 1 + i, senders[i], ++ids[senders[i]], 0,
				      update->known[senders[i]].size);
	update_expect_guests_intact(update, VF_NONE);

	/* And from now on as ever. */
	mock_hw_send(hw, 2, VGPU_MBOX_QUERY, VGPU_PROPERTY_PF_RELEASE, 0);
	mock_gpu_serve(update->gpu);
	mock_hw_expect_answer(hw, 1 + ARRAY_SIZE(senders), 2, ++ids[2], 0, VGPU_RELEASE);
}

/* A request for another size of memory waits like any other, and is then met. */
static void requests_change_memory(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct mock_hw *hw = update->hw;

	update_detach(update, 0);
	mock_hw_send(hw, VF_VRAM, VGPU_MBOX_BALLOON, SZ_1M, 0);
	mock_hw_send(hw, VF_SYSTEM, VGPU_MBOX_BALLOON, SZ_4M, 0);
	mock_hw_send(hw, VF_VRAM, VGPU_MBOX_BALLOON, SZ_1M + SZ_16K, 0);
	hw->on_answer = look_at_answer;
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	mock_gpu_serve(update->gpu);
	mock_hw_expect_answer(hw, 0, VF_VRAM, 1, 0, SZ_1M);
	mock_hw_expect_answer(hw, 1, VF_SYSTEM, 1, 0, 3 * SZ_1M);
	mock_hw_expect_answer(hw, 2, VF_VRAM, 2, 0, SZ_1M + SZ_16K);
	mock_guest_expect_memory(update->guests[VF_VRAM], SZ_1M);
	mock_guest_expect_memory(update->guests[VF_SYSTEM], update->known[VF_SYSTEM].size);
	mock_guest_expect_intact(update->guests[VF_SHARE]);

	/* What has become of them is what the next driver gets. */
	update->guests[VF_VRAM] = NULL;
	update->guests[VF_SYSTEM] = NULL;
	update_take_note(update);
	update_detach(update, 0);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	update_expect_known(update, VF_NONE);
}

/*
 * Called off: the driver goes on as if nothing had been.
 *
 * Clauses: W4, U2
 */
static void cancel(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct mock_hw *hw = update->hw;

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(update->gpu->adapter, 0), 0);
	mock_hw_send(hw, 2, VGPU_MBOX_QUERY, VGPU_PROPERTY_TIMESLICE_US, 0);
	mock_gpu_serve(update->gpu);
	KUNIT_EXPECT_EQ(test, hw->num_answers, 0);

	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(update->gpu->adapter), 0);
	mock_gpu_expect_state(update->gpu, "running");
	mock_gpu_serve(update->gpu);
	KUNIT_EXPECT_EQ(test, hw->num_answers, 1);
	mock_hw_expect_answer(hw, 0, 2, 1, 0, 700);
	update_expect_guests_intact(update, VF_NONE);
	update_expect_known(update, VF_NONE);

	/* Another time then. */
	update_detach(update, 0);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	update_expect_guests_intact(update, VF_NONE);
	update_expect_known(update, VF_NONE);
}

/*
 * A driver that is removed after a cancel takes its VFs with it.
 *
 * Clauses: U2
 */
static void cancel_and_unbind(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	unsigned int number;

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(update->gpu->adapter, 0), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(update->gpu->adapter), 0);
	mock_gpu_unbind(update->gpu);
	mock_gpu_expect_state(update->gpu, "none");
	for (number = VF_VRAM; number <= VF_SHARE; number++)
		mock_guest_expect_reset_then_freed(update->guests[number]);
}

/*
 * The stash is given up: the next driver finds a device that it resets.
 *
 * Clauses: U9
 */
static void discard(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	unsigned int number;

	update_detach(update, 0);
	KUNIT_ASSERT_EQ(test, hotupdate_discard(update->gpu->adapter, false), 0);
	KUNIT_EXPECT_EQ(test, update->hw->num_silences, 1);
	for (number = VF_VRAM; number <= VF_SHARE; number++) {
		mock_guest_expect_pages_owned(update->guests[number], false);
		update->hw->fns[number].guest = NULL;
	}
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	MOCK_EXPECT_WRITES(update->hw, { VGPU_HW_RESET, VGPU_RESET_MAGIC });
	KUNIT_EXPECT_EQ(test, mock_gpu_vgpu(update->gpu)->num_vfs, 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(update->gpu), UPDATE_VRAM);
	KUNIT_EXPECT_FALSE(test, vgpu_vf_is_provisioned(mock_gpu_vf(update->gpu, VF_IDLE)));
}

/*
 * There and back, and there again: nothing is lost on the way.
 *
 * Clauses: U6
 */
static void many_updates(struct kunit *test)
{
	static const u32 versions[] = { 2, 1, 1, 2, 2, 1, 2, 1, 2, 2 };
	struct update *update = update_new_usual(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		update_detach(update, min_t(u32, versions[i], VGPU_RELEASE));
		update_expect_guests_intact(update, VF_NONE);
		KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
		update_expect_guests_intact(update, VF_NONE);
		update_expect_known(update, VF_NONE);
		KUNIT_EXPECT_EQ(test, update->gpu->adapter->generation, i + 1);
	}
	MOCK_EXPECT_NO_WRITES(update->hw);
}

/*
 * State version 1 says nothing of priorities. The device has those of VFs that
 * run; of one that does not, nobody has it.
 */
static void priority_through_version_1(struct kunit *test)
{
	struct update *update;

	if (VGPU_RELEASE < 2)
		kunit_skip(test, "priorities came with release 2");
	update = update_new_usual(test);
	mock_gpu_vf(update->gpu, VF_IDLE)->profile.priority = VGPU_PRIORITY_HIGH;
	update_detach(update, 1);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_vf(update->gpu, VF_VRAM)->profile.priority,
			VGPU_PRIORITY_HIGH);
	KUNIT_EXPECT_EQ(test, mock_gpu_vf(update->gpu, VF_SYSTEM)->profile.priority,
			VGPU_PRIORITY_LOW);
	KUNIT_EXPECT_EQ(test, mock_gpu_vf(update->gpu, VF_SHARE)->profile.priority,
			VGPU_PRIORITY_NORMAL);
	KUNIT_EXPECT_EQ(test, mock_gpu_vf(update->gpu, VF_IDLE)->profile.priority,
			VGPU_PRIORITY_NORMAL);
}

/* State version 2 says it, of VFs that run and of others. */
static void priority_of_idle_vf(struct kunit *test)
{
	struct update *update;

	if (VGPU_RELEASE < 2)
		kunit_skip(test, "priorities came with release 2");
	update = update_new_usual(test);
	mock_gpu_vf(update->gpu, VF_IDLE)->profile.priority = VGPU_PRIORITY_HIGH;
	update_detach(update, 2);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_vf(update->gpu, VF_IDLE)->profile.priority,
			VGPU_PRIORITY_HIGH);
}

/* After an update VFs are VFs: reset, resized, disabled, and all is freed. */
static void life_after_update(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct vgpu_device *vgpu;
	unsigned int number;

	update_detach(update, 0);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	vgpu = mock_gpu_vgpu(update->gpu);
	scoped_guard(mutex, &vgpu->sriov_lock) {
		for (number = VF_VRAM; number <= VF_SHARE; number++)
			KUNIT_EXPECT_EQ(test, 0, vgpu_vf_resize(vgpu_vf(vgpu, number), SZ_1M));
		for (number = VF_VRAM; number <= VF_SHARE; number++)
			vgpu_vf_set_timeslice(vgpu_vf(vgpu, number), 60 + number);
	}
	mock_guest_expect_memory(update->guests[VF_SHARE], SZ_1M);
	mock_guest_expect_memory(update->guests[VF_VRAM], SZ_1M);
	mock_guest_expect_memory(update->guests[VF_SYSTEM], SZ_1M);
	KUNIT_EXPECT_EQ(test, update->hw->fns[VF_SYSTEM].timeslice_us, 60 + VF_SYSTEM);

	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(update->gpu, 0), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(update->gpu), UPDATE_VRAM);
	for (number = VF_VRAM; number <= VF_SHARE; number++)
		mock_guest_expect_pages_owned(update->guests[number], false);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(update->gpu, 4), 0);
	KUNIT_EXPECT_EQ(test, update->hw->fns[VF_IDLE].mem_size, SZ_2M);
}

/* A driver that took over and goes without a save takes all with it. */
static void unbind_after_update(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	unsigned int number;

	update_detach(update, 0);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	mock_gpu_unbind(update->gpu);
	mock_gpu_expect_state(update->gpu, "none");
	for (number = VF_VRAM; number <= VF_SHARE; number++)
		mock_guest_expect_reset_then_freed(update->guests[number]);
}

/* A device of which nothing was enabled or provisioned. */
static void update_without_vfs(struct kunit *test)
{
	struct update *update = update_new(test, MOCK_VFS, MOCK_VRAM);

	update_take_note(update);
	update_detach(update, 0);
	KUNIT_EXPECT_EQ(test, update->num_blocks, 1);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	MOCK_EXPECT_NO_WRITES(update->hw);
	update_expect_known(update, VF_NONE);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(update->gpu, 2), 0);
}

/* All VFs that a device can have. */
static void update_64_vfs(struct kunit *test)
{
	struct update *update = update_new(test, 64, MOCK_VRAM);
	unsigned int number;

	for (number = 1; number <= 64; number++)
		mock_gpu_provision(update->gpu, number, SZ_64K + number * SZ_4K,
				   number % 3 ? VGPU_BACKING_VRAM : VGPU_BACKING_SYSTEM);
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(update->gpu, 64), 0);
	update_add_guests(update);
	update_take_note(update);
	update_detach(update, 0);
	KUNIT_EXPECT_EQ(test, update->num_blocks, 1 + 3 * 64);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	update_expect_guests_intact(update, VF_NONE);
	update_expect_known(update, VF_NONE);
}

static void provision_at_random(struct update *update, u64 *random)
{
	unsigned int number;

	for (number = 1; number <= MOCK_VFS; number++)
		mock_gpu_vf(update->gpu, number)->profile = (struct vgpu_vf_profile) {
			.quota = (mock_random(random) % 700) * SZ_4K,
			.backing = 1 + mock_random(random) % 2,
			.quantum_us = 50 + mock_random(random) % 100000,
			.priority = VGPU_RELEASE < 2 ? VGPU_PRIORITY_NORMAL :
						       mock_random(random) % 3,
		};
}

static void change_at_random(struct update *update, u64 *random)
{
	struct vgpu_device *vgpu = mock_gpu_vgpu(update->gpu);
	unsigned int i, number;

	guard(mutex)(&vgpu->sriov_lock);

	for (i = 0; i < 20 && vgpu->num_vfs; i++) {
		number = 1 + mock_random(random) % vgpu->num_vfs;
		if (mock_random(random) % 2)
			vgpu_vf_resize(vgpu_vf(vgpu, number),
				       mock_random(random) % SZ_4M);
		else
			vgpu_vf_set_timeslice(vgpu_vf(vgpu, number),
					      mock_random(random) % 100000);
	}
}

/* However VFs are provisioned, and whatever they asked for since. */
static void update_random(struct kunit *test)
{
	u64 random = mock_seed(test);
	struct update *update = update_new(test, MOCK_VFS, MOCK_VRAM);
	unsigned int round;

	for (round = 0; round < 20; round++) {
		KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(update->gpu, 0), 0);
		provision_at_random(update, &random);
		KUNIT_ASSERT_EQ(test, 0,
				mock_gpu_set_num_vfs(update->gpu,
						     mock_random(&random) % (MOCK_VFS + 1)));
		change_at_random(update, &random);
		update_take_note(update);
		mock_hw_forget_writes(update->hw);

		update_detach(update, 0);
		KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
		update_expect_known(update, VF_NONE);
		MOCK_EXPECT_NO_WRITES(update->hw);
	}
}

static struct kunit_case replay_cases[] = {
	KUNIT_CASE(cancel),
	KUNIT_CASE(cancel_and_unbind),
	KUNIT_CASE(discard),
	KUNIT_CASE(save_order),
	KUNIT_CASE(save_content),
	KUNIT_CASE(save_writes_nothing),
	KUNIT_CASE(restore_writes_nothing),
	KUNIT_CASE(restore_reserves_vram),
	KUNIT_CASE_PARAM(update_unnoticed, version_gen_params),
	KUNIT_CASE(requests_wait),
	KUNIT_CASE(requests_change_memory),
	KUNIT_CASE(priority_through_version_1),
	KUNIT_CASE(priority_of_idle_vf),
	KUNIT_CASE(many_updates),
	KUNIT_CASE(life_after_update),
	KUNIT_CASE(unbind_after_update),
	KUNIT_CASE(update_without_vfs),
	KUNIT_CASE(update_64_vfs),
	KUNIT_CASE(update_random),
	{ }
};

static struct kunit_suite replay_suite = {
	.name = "vgpu_replay",
	.suite_exit = mock_suite_exit,
	.init = mock_init,
	.test_cases = replay_cases,
};

kunit_test_suite(replay_suite);
