// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of what keeps the functions of the simulated vgpu device apart:
 * whatever a guest puts into its ring, memory that is not its own stays as it
 * was, and the others' rings go on.
 */

#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "vgpu_sim_helpers.h"

#define PAGES	16
#define SIZE	(PAGES * (u64)SZ_4K)
#define FIRST	40	/* page of VRAM that VF 1 starts at */

KUNIT_DEFINE_ACTION_WRAPPER(vfree_action, vfree, void *);

/* VRAM with a pattern in it, and a copy of it to compare with later. */
static u64 *snapshot(struct kunit *test, struct vgpu_sim *sim)
{
	u64 *vram = sim->hw.vram;
	u64 *copy, i;

	for (i = 0; i < sim->hw.vram_size / 8; i++)
		vram[i] = vgpu_pattern_word(1, i);
	copy = vmalloc(sim->hw.vram_size);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vfree_action, copy));
	memcpy(copy, vram, sim->hw.vram_size);
	return copy;
}

static void expect_rest_untouched(struct kunit *test, struct vgpu_sim *sim,
				  const void *copy)
{
	const u64 from = FIRST * SZ_4K, to = from + SIZE;
	const void *vram = sim->hw.vram;

	KUNIT_EXPECT_EQ(test, 0, memcmp(vram, copy, from));
	KUNIT_EXPECT_EQ(test, 0, memcmp(vram + to, copy + to, sim->hw.vram_size - to));
}

/* Commands at all edges: each may do what it can, on a ring of its own. */
static const struct vgpu_cmd attacks[] = {
	{ .op = VGPU_CMD_FILL, .dst = SIM_DATA, .size = SIZE - SIM_DATA, .value = 1 },
	{ .op = VGPU_CMD_FILL, .dst = SIM_DATA, .size = SIZE, .value = 1 },
	{ .op = VGPU_CMD_FILL, .dst = SIZE, .size = 8, .value = 1 },
	{ .op = VGPU_CMD_FILL, .dst = -8ull, .size = 8, .value = 1 },
	{ .op = VGPU_CMD_FILL, .dst = -SZ_4K, .size = 2 * SZ_4K, .value = 1 },
	{ .op = VGPU_CMD_FILL, .dst = FIRST * SZ_4K + SIZE, .size = SZ_4K, .value = 1 },
	{ .op = VGPU_CMD_FILL, .dst = SIM_DATA, .size = -8ull, .value = 1 },
	{ .op = VGPU_CMD_PATTERN, .dst = SIM_DATA, .size = SIZE - SIM_DATA, .value = 1 },
	{ .op = VGPU_CMD_PATTERN, .dst = SIZE - 8, .size = 16, .value = 1 },
	{ .op = VGPU_CMD_PATTERN, .dst = VGPU_LMTT_MAX_SIZE - 8, .size = 8, .value = 1 },
	{ .op = VGPU_CMD_COPY, .src = SIM_DATA, .dst = SIZE - SZ_4K, .size = SZ_4K },
	{ .op = VGPU_CMD_COPY, .src = SIM_DATA, .dst = SIZE - 8, .size = SZ_4K },
	{ .op = VGPU_CMD_COPY, .src = SIZE, .dst = SIM_DATA, .size = SZ_4K },
	{ .op = VGPU_CMD_COPY, .src = -SZ_4K, .dst = SIM_DATA, .size = 2 * SZ_4K },
	{ .op = VGPU_CMD_CHECKSUM, .src = SIM_DATA, .dst = SIZE, .size = 8 },
	{ .op = VGPU_CMD_CHECKSUM, .src = SIM_DATA, .dst = SIZE - 8, .size = 8 },
	{ .op = VGPU_CMD_CHECKSUM, .src = SIM_DATA, .dst = -8ull, .size = 8 },
	{ .op = ~0U, .flags = ~0U, .dst = -8ull, .src = -8ull, .size = -8ull, .value = -1 },
};

static void attack_vram(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	const u64 *copy;
	unsigned int i;

	sim_fn_setup(test, sim, 1, PAGES, FIRST);
	copy = snapshot(test, sim);
	for (i = 0; i < ARRAY_SIZE(attacks); i++) {
		sim_set_ring(test, sim, 1);
		sim_submit(test, sim, 1, &attacks[i]);
		sim_run(test, sim);
		expect_rest_untouched(test, sim, copy);
	}
}

/* What lies beyond a VF's memory cannot be read, by no command. */
static void attack_by_reading(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, PAGES, FIRST);
	snapshot(test, sim);
	sim_set_ring(test, sim, 1);
	memset(sim_mem(test, sim, 1, SIM_DATA), 0, SZ_4K);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_COPY, .src = SIZE,
					 .dst = SIM_DATA, .size = SZ_4K));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_OUT_OF_RANGE);
	KUNIT_EXPECT_NULL(test, memchr_inv(sim_mem(test, sim, 1, SIM_DATA), 0, SZ_4K));
}

/* A ring in the last page of memory is not read on into what comes next. */
static void attack_by_ring(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	const u64 *copy;

	sim_fn_setup(test, sim, 1, PAGES, FIRST);
	copy = snapshot(test, sim);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_BASE, SIZE - SZ_4K);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_ENTRIES, 2 * SIM_RING_ENTRIES);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_TAIL, SIM_RING_ENTRIES + 1);
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_BAD_RING);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RING_HEAD), 0);
	expect_rest_untouched(test, sim, copy);
}

/* The PF is held to its table as much as a VF is. */
static void attack_by_pf(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	const u64 *copy;

	sim_fn_setup(test, sim, 0, PAGES, FIRST);
	copy = snapshot(test, sim);
	sim_submit(test, sim, 0, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIZE,
					 .size = SZ_4K, .value = 1));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 0, VGPU_FAULT_OUT_OF_RANGE);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_IRQ_STATUS), VGPU_IRQ_FAULT);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_VF_FAULTS), 0);
	expect_rest_untouched(test, sim, copy);
}

/* The same address is another place for each function. */
static void same_address_other_memory(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 2);
	unsigned int fn;

	for (fn = 0; fn <= 2; fn++) {
		sim_fn_setup(test, sim, fn, PAGES, fn * PAGES);
		sim_submit(test, sim, fn, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIM_DATA,
						  .size = SIZE - SIM_DATA, .value = fn + 1));
	}
	sim_run(test, sim);
	for (fn = 0; fn <= 2; fn++) {
		u8 *mem = sim->hw.vram + fn * SIZE + SIM_DATA;
		u64 i, bad = 0;

		for (i = 0; i < SIZE - SIM_DATA; i += 8)
			bad += *(u64 *)(mem + i) != fn + 1;
		KUNIT_EXPECT_EQ(test, bad, 0);
	}
}

/* A fault costs the function that made it, and is told to the driver. */
static void fault_stops_one(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 3);
	unsigned int fn;

	for (fn = 1; fn <= 3; fn++)
		sim_fn_setup(test, sim, fn, PAGES, fn * PAGES);
	sim_submit(test, sim, 2, SIM_CMD(.op = 0));
	for (fn = 1; fn <= 3; fn++)
		sim_submit(test, sim, fn, SIM_CMD(.op = VGPU_CMD_FENCE, .value = fn));
	sim_run(test, sim);

	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 2, VGPU_FN_FENCE), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 3, VGPU_FN_FENCE), 3);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_VF_FAULTS), BIT_ULL(1));
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	SIM_EXPECT_FAULT(test, sim, 2, VGPU_FAULT_BAD_COMMAND);
	SIM_EXPECT_FAULT(test, sim, 3, VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_FENCE);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 2, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_FAULT);
}

/* The last VF is as any other. */
static void fault_of_last_vf(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, VGPU_HW_MAX_VFS);

	sim_fn_setup(test, sim, 64, PAGES, 0);
	sim_submit(test, sim, 64, SIM_CMD(.op = 0));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 64, VGPU_FAULT_BAD_COMMAND);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_VF_FAULTS), BIT_ULL(63));
	sim_write(sim, VGPU_HW_VF_FAULTS, BIT_ULL(63));
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_VF_FAULTS), 0);
}

/* What a guest leaves in its registers, the next one does not find. */
static void attach_after_other_guest(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];

	sim_fn_write(sim, 1, VGPU_FN_TABLE, sim_map_vram(test, PAGES, 0));
	sim_fn_write(sim, 1, VGPU_FN_MEM_SIZE, SIZE);
	sim_fn_write(sim, 1, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	KUNIT_ASSERT_EQ(test, 0, vgpu_sim_vf_attach(fn, NULL));
	sim_set_ring(test, sim, 1);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_MBOX_ARG0, 1234);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_BASE, SZ_8K);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 5678));
	sim_submit(test, sim, 1, SIM_CMD(.op = 0));
	sim_run(test, sim);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_FENCE), 5678);
	vgpu_sim_vf_detach(fn);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_STATUS) & VGPU_FN_STATUS_ATTACHED, 0);

	sim_attach(test, sim, 1);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_STATUS),
			VGPU_VF_STATUS_ENABLED);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_RING_BASE), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_RING_ENTRIES), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_RING_TAIL), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_FENCE), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_FAULT_ADDR), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_ARG0), 0);
}

static void attach_twice(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 2);

	sim_attach(test, sim, 1);
	KUNIT_EXPECT_EQ(test, -EBUSY, vgpu_sim_vf_attach(&sim->fns[1], NULL));
	sim_attach(test, sim, 2);
}

static struct kunit_case isolation_kunit_cases[] = {
	KUNIT_CASE(attack_vram),
	KUNIT_CASE(attack_by_reading),
	KUNIT_CASE(attack_by_ring),
	KUNIT_CASE(attack_by_pf),
	KUNIT_CASE(same_address_other_memory),
	KUNIT_CASE(fault_stops_one),
	KUNIT_CASE(fault_of_last_vf),
	KUNIT_CASE(attach_twice),
	KUNIT_CASE(attach_after_other_guest),
	{}
};

static struct kunit_suite vgpu_sim_isolation_suite = {
	.name = "vgpu_sim_isolation",
	.test_cases = isolation_kunit_cases,
};

kunit_test_suite(vgpu_sim_isolation_suite);
