// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the rings of the simulated vgpu device.
 */

#include "vgpu_sim_helpers.h"

struct tail_case {
	const char *name;
	u64 entries, head, tail, new_tail;
	bool valid;
};

static const struct tail_case tail_cases[] = {
	{ "no_ring", 0, 0, 0, 1, false },
	{ "before_head", 64, 10, 10, 9, false },
	{ "back_but_after_head", 64, 10, 20, 15, false },
	{ "back_to_head", 64, 10, 20, 10, false },
	{ "one_too_far", 64, 10, 10, 75, false },
	{ "one_too_far_of_the_rest", 64, 10, 20, 75, false },
	{ "far_away", 64, 10, 10, 1ull << 63, false },
	{ "behind_by_all", 64, 0, 0, ~0ull, false },
	{ "too_far_over_32_bits", 64, 0xfffffff0, 0xfffffff0, 0x100000031, false },
	{ "too_far_over_64_bits", 64, -16ull, -16ull, 49, false },
	{ "back_over_64_bits", 64, -16ull, 4, -2ull, false },
	{ "truncated_to_32_bits", 64, 0x100000000, 0x100000000, 1, false },
	{ "no_ring_untouched", 0, 0, 0, 0, true },
	{ "same", 64, 10, 20, 20, true },
	{ "one_more", 64, 10, 20, 21, true },
	{ "full", 64, 10, 10, 74, true },
	{ "full_from_some", 64, 10, 20, 74, true },
	{ "full_and_same", 64, 10, 74, 74, true },
	{ "over_32_bits", 64, 0xfffffff0, 0xfffffff0, 0x100000030, true },
	{ "over_64_bits", 64, -16ull, -16ull, 48, true },
	{ "tail_over_64_bits", 64, -16ull, 4, 48, true },
	{ "ring_of_one", 1, 5, 5, 6, true },
	{ "ring_of_one_too_far", 1, 5, 5, 7, false },
};

KUNIT_ARRAY_PARAM_DESC(tail, tail_cases, name);

static void tail_valid(struct kunit *test)
{
	const struct tail_case *c = test->param_value;
	const struct vgpu_sim_ring ring = {
		.entries = c->entries, .head = c->head, .tail = c->tail,
	};

	KUNIT_EXPECT_EQ(test, vgpu_sim_ring_tail_valid(&ring, c->new_tail), c->valid);
}

struct ring_case {
	const char *name;
	u64 base, entries, mem_size;
	bool valid;
};

static const struct ring_case ring_cases[] = {
	{ "not_power_of_two", 0, 63, SZ_64K, false },
	{ "base_not_page", 64, 64, SZ_64K, false },
	{ "base_at_end", SZ_64K, 1, SZ_64K, false },
	{ "base_beyond_end", SZ_1M, 1, SZ_64K, false },
	{ "one_page_too_long", 0, 2048, SZ_64K, false },
	{ "too_long_for_the_rest", SZ_4K, 1024, SZ_64K, false },
	{ "bytes_wrap", 0, 1ull << 58, SZ_64K, false },
	{ "end_wraps", -4096ull, 64, SZ_64K, false },
	{ "no_memory", 0, 1, 0, false },
	{ "most_entries", 0, 1ull << 63, VGPU_LMTT_MAX_SIZE, false },
	{ "none", 0, 0, 0, true },
	{ "none_anywhere", 123, 0, 0, true },
	{ "one_entry", 0, 1, SZ_4K, true },
	{ "all_of_memory", 0, 1024, SZ_64K, true },
	{ "at_the_end", SZ_64K - SZ_4K, 64, SZ_64K, true },
};

KUNIT_ARRAY_PARAM_DESC(ring, ring_cases, name);

static void ring_valid(struct kunit *test)
{
	const struct ring_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, vgpu_sim_ring_valid(c->base, c->entries, c->mem_size),
			c->valid);
}

static void ring_slot_wraps(struct kunit *test)
{
	const struct vgpu_sim_ring ring = { .base = SZ_8K, .entries = 4 };

	KUNIT_EXPECT_EQ(test, vgpu_sim_ring_slot(&ring, 0), SZ_8K);
	KUNIT_EXPECT_EQ(test, vgpu_sim_ring_slot(&ring, 3), SZ_8K + 3 * 64);
	KUNIT_EXPECT_EQ(test, vgpu_sim_ring_slot(&ring, 4), SZ_8K);
	KUNIT_EXPECT_EQ(test, vgpu_sim_ring_slot(&ring, 1ull << 32), SZ_8K);
	KUNIT_EXPECT_EQ(test, vgpu_sim_ring_slot(&ring, ~0ull), SZ_8K + 3 * 64);
}

/* A bad tail stops the ring that it was written to, and no other. */
static void doorbell_bad_tail(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 2);

	sim_fn_setup(test, sim, 1, 2, 0);
	sim_fn_setup(test, sim, 2, 2, 2);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_TAIL, SIM_RING_ENTRIES + 1);

	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_BAD_DOORBELL);
	SIM_EXPECT_COUNT(test, sim, bad_doorbells, 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_STATUS),
			VGPU_FN_STATUS_ENABLED | VGPU_FN_STATUS_ATTACHED |
			VGPU_FN_STATUS_FAULT);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_STATUS),
			VGPU_VF_STATUS_ENABLED | VGPU_VF_STATUS_FAULT);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_FAULT);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_VF_FAULTS), BIT_ULL(0));

	sim_submit(test, sim, 2, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 5));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 2, VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 2, VGPU_FN_FENCE), 5);
}

/* A stopped ring takes no notice of doorbells, and is counted once. */
static void doorbell_after_fault(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, 2, 0);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_TAIL, ~0ull);
	sim_put_cmd(test, sim, 1, 0, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 5));
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_TAIL, 1);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_TAIL, ~0ull);
	sim_run(test, sim);

	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RING_TAIL), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), 0);
	SIM_EXPECT_COUNT(test, sim, bad_doorbells, 1);
}

static void doorbell_without_ring(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, 2, 0);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_ENTRIES, 0);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_TAIL, 1);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_BAD_DOORBELL);
}

static void doorbell_while_disabled(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_attach(test, sim, 1);
	KUNIT_EXPECT_EQ(test, -EIO,
			vgpu_sim_vf_write(&sim->fns[1], VGPU_VF_REG_RING_TAIL, 1));
	KUNIT_EXPECT_EQ(test, -EIO,
			vgpu_sim_vf_write(&sim->fns[1], VGPU_VF_REG_RING_ENTRIES, 1));
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);

	sim_fn_write(sim, 0, VGPU_FN_RING_TAIL, 1);
	SIM_EXPECT_FAULT(test, sim, 0, VGPU_FAULT_NONE);
	SIM_EXPECT_COUNT(test, sim, bad_writes, 1);
}

static void set_ring_bad(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, 2, 0);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_ENTRIES, 3);

	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_BAD_RING);
	SIM_EXPECT_COUNT(test, sim, bad_rings, 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RING_ENTRIES), 0);
}

/* A ring that is set anew starts empty, and where the base says by then. */
static void set_ring_clears(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, 3, 0);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 5));
	sim_run(test, sim);
	sim_submit(test, sim, 1, SIM_CMD(.op = 77));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_BAD_COMMAND);

	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_BASE, SZ_4K);
	*(struct vgpu_cmd *)sim_mem(test, sim, 1, SZ_4K) =
		*SIM_CMD(.op = VGPU_CMD_FENCE, .value = 6);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_ENTRIES, 1);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_RING_HEAD), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_RING_TAIL), 0);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);

	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_TAIL, 1);
	sim_run(test, sim);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), 6);
}

/* A base that is written while the ring runs is for the next ring. */
static void set_base_while_running(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, 3, 0);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_BASE, SZ_4K);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 5));
	sim_run(test, sim);

	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), 5);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_RING_BASE), SZ_4K);
}

/* Commands come out of the ring in order, each once, however often it wraps. */
static void run_wraps(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	u64 i;

	sim_fn_setup(test, sim, 1, 2, 0);
	for (i = 1; i <= 3 * SIM_RING_ENTRIES + 1; i++) {
		sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = i));
		if (i % 7 == 0)
			sim_run(test, sim);
	}
	sim_run(test, sim);

	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), i - 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RING_HEAD), i - 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_STATUS),
			VGPU_FN_STATUS_ENABLED | VGPU_FN_STATUS_ATTACHED);
}

/* The counters of head and tail may wrap as well. */
static void run_counters_wrap(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	u64 i;

	sim_fn_setup(test, sim, 1, 2, 0);
	fn->ring.head = -10ull;
	fn->ring.tail = -10ull;
	for (i = 1; i <= 20; i++)
		sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = i));
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RING_TAIL), 10);
	sim_run(test, sim);

	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), 20);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RING_HEAD), 10);
}

static void run_full_ring(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	u64 i;

	sim_fn_setup(test, sim, 1, 2, 0);
	for (i = 1; i <= SIM_RING_ENTRIES; i++)
		sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = i));
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	KUNIT_EXPECT_TRUE(test, sim_fn_read(sim, 1, VGPU_FN_STATUS) & VGPU_FN_STATUS_BUSY);
	sim_run(test, sim);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), SIM_RING_ENTRIES);
}

static struct kunit_case ring_kunit_cases[] = {
	KUNIT_CASE_PARAM(tail_valid, tail_gen_params),
	KUNIT_CASE_PARAM(ring_valid, ring_gen_params),
	KUNIT_CASE(ring_slot_wraps),
	KUNIT_CASE(doorbell_bad_tail),
	KUNIT_CASE(doorbell_after_fault),
	KUNIT_CASE(doorbell_without_ring),
	KUNIT_CASE(doorbell_while_disabled),
	KUNIT_CASE(set_ring_bad),
	KUNIT_CASE(set_ring_clears),
	KUNIT_CASE(set_base_while_running),
	KUNIT_CASE(run_wraps),
	KUNIT_CASE(run_counters_wrap),
	KUNIT_CASE(run_full_ring),
	{}
};

static struct kunit_suite vgpu_sim_ring_suite = {
	.name = "vgpu_sim_ring",
	.test_cases = ring_kunit_cases,
};

kunit_test_suite(vgpu_sim_ring_suite);
