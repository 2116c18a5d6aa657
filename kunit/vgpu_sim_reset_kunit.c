// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of reset, enabling and disabling in the simulated vgpu device.
 */

#include "vgpu_sim_helpers.h"

#define PAGES	4

static void reset_fn(struct vgpu_sim *sim, unsigned int fn)
{
	sim_fn_write(sim, fn, VGPU_FN_RESET, VGPU_RESET_MAGIC);
}

static void expect_defaults(struct kunit *test, struct vgpu_sim *sim, unsigned int fn)
{
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_CTRL), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_TABLE), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_MEM_SIZE), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_TIMESLICE_US),
			VGPU_TIMESLICE_US_DEFAULT);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_PRIORITY), VGPU_PRIORITY_NORMAL);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_FAULT), VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_FAULT_ADDR), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_RING_BASE), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_RING_ENTRIES), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_RING_HEAD), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_RING_TAIL), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_FENCE), 0);
}

/* A reset of what nobody uses is no loss to anybody. */
static void reset_disabled(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_attach(test, sim, 1);
	reset_fn(sim, 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RESETS), 0);
	SIM_EXPECT_COUNT(test, sim, resets_while_running, 0);
}

static void reset_without_guest(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_write(sim, 1, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	reset_fn(sim, 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RESETS), 1);
	SIM_EXPECT_COUNT(test, sim, resets_while_running, 0);
}

/* With commands in the ring, one of them half done. */
static void reset_while_running(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 2);
	u64 fence;

	sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_fn_setup(test, sim, 2, PAGES, PAGES);
	sim_fn_write(sim, 1, VGPU_FN_TIMESLICE_US, 500);
	sim_fn_write(sim, 1, VGPU_FN_PRIORITY, VGPU_PRIORITY_HIGH);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 3));
	sim_run(test, sim);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIM_DATA,
					 .size = 8, .value = 1));
	sim_submit(test, sim, 2, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 4));
	reset_fn(sim, 1);
	sim_run(test, sim);

	expect_defaults(test, sim, 1);
	KUNIT_EXPECT_EQ(test, *(u64 *)(sim->hw.vram + SIM_DATA), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RESETS), 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_STATUS), VGPU_FN_STATUS_ATTACHED);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_RESETS), 1);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_RESET);
	SIM_EXPECT_COUNT(test, sim, resets_while_running, 1);

	/* The other goes on. */
	fence = sim_fn_read(sim, 2, VGPU_FN_FENCE);
	KUNIT_EXPECT_EQ(test, fence, 4);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 2, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_FENCE);
}

static void reset_after_fault(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_submit(test, sim, 1, SIM_CMD(.op = 0));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_BAD_COMMAND);
	reset_fn(sim, 1);
	expect_defaults(test, sim, 1);
}

/* A VF can be used again after a reset, with what was half done forgotten. */
static void reset_and_again(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	u64 addr, root;

	root = sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIM_DATA,
					 .size = 2 * SZ_4K, .value = 1));
	mutex_lock(&fn->exec_lock);
	vgpu_sim_cmd_begin(&fn->exec, sim_mem(test, sim, 1, 0));
	KUNIT_EXPECT_EQ(test, vgpu_sim_cmd_step(fn, &addr), VGPU_FAULT_NONE);
	mutex_unlock(&fn->exec_lock);
	reset_fn(sim, 1);

	/* Another table in the same pages: the TLB is forgotten as well. */
	sim_map(test, root, SZ_4K, 40 * SZ_4K | VGPU_LMTT_VALID);
	sim_fn_write(sim, 1, VGPU_FN_TABLE, root);
	sim_fn_write(sim, 1, VGPU_FN_MEM_SIZE, PAGES * SZ_4K);
	sim_fn_write(sim, 1, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	sim_set_ring(test, sim, 1);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIM_DATA,
					 .size = 8, .value = 2));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	SIM_EXPECT_COUNT(test, sim, lmtt_changed, 0);
	KUNIT_EXPECT_EQ(test, *(u64 *)(sim->hw.vram + 40 * SZ_4K), 2);
	KUNIT_EXPECT_EQ(test, *(u64 *)(sim->hw.vram + 2 * SZ_4K), 0);
}

static void reset_device(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 3);
	unsigned int fn;

	sim_fn_setup(test, sim, 0, PAGES, 0);
	sim_fn_setup(test, sim, 1, PAGES, PAGES);
	sim_fn_setup(test, sim, 2, PAGES, 2 * PAGES);
	sim_submit(test, sim, 1, SIM_CMD(.op = 0));
	sim_run(test, sim);
	sim_write(sim, VGPU_HW_IRQ_ENABLE, VGPU_IRQ_MBOX);
	sim_write(sim, VGPU_HW_MBOX_VALUE, 1);
	sim_write(sim, VGPU_HW_RESET, VGPU_RESET_MAGIC);

	for (fn = 0; fn <= 3; fn++)
		expect_defaults(test, sim, fn);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_RESETS), 1);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_IRQ_STATUS), 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_IRQ_ENABLE), 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_VF_FAULTS), 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_VALUE), 0);
	SIM_EXPECT_COUNT(test, sim, resets_while_running, 2);
	SIM_EXPECT_COUNT(test, sim, device_resets, 1);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 2, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_RESET);
	KUNIT_EXPECT_LT(test, vgpu_sim_engine_turn(sim), 0);
}

/* Memory stays as it was: it is not the device's to clear. */
static void reset_keeps_vram(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, PAGES, 0);
	*(u64 *)(sim->hw.vram + SIM_DATA) = 5;
	sim_write(sim, VGPU_HW_RESET, VGPU_RESET_MAGIC);
	KUNIT_EXPECT_EQ(test, *(u64 *)(sim->hw.vram + SIM_DATA), 5);
}

/* Disabling stops the ring and keeps what the driver has set. */
static void disable_while_running(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	u64 root;

	root = sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_IRQ_STATUS, ~0ull);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 3));
	sim_fn_write(sim, 1, VGPU_FN_CTRL, 0);
	sim_run(test, sim);

	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_STATUS), VGPU_FN_STATUS_ATTACHED);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RING_ENTRIES), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_TABLE), root);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_MEM_SIZE), PAGES * SZ_4K);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_RESET);
	SIM_EXPECT_COUNT(test, sim, resets_while_running, 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RESETS), 0);
}

/* Enabling what is enabled leaves the ring alone. */
static void enable_while_running(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 3));
	sim_fn_write(sim, 1, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	sim_run(test, sim);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), 3);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_FENCE);
}

/* A guest that goes stops its ring, and that is no reset. */
static void detach_while_running(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];

	sim_fn_write(sim, 1, VGPU_FN_TABLE, sim_map_vram(test, PAGES, 0));
	sim_fn_write(sim, 1, VGPU_FN_MEM_SIZE, PAGES * SZ_4K);
	sim_fn_write(sim, 1, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	KUNIT_ASSERT_EQ(test, 0, vgpu_sim_vf_attach(fn, NULL));
	sim_set_ring(test, sim, 1);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 3));
	vgpu_sim_vf_detach(fn);
	sim_run(test, sim);

	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_STATUS), VGPU_FN_STATUS_ENABLED);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RESETS), 0);
	SIM_EXPECT_COUNT(test, sim, resets_while_running, 0);
}

static struct kunit_case reset_kunit_cases[] = {
	KUNIT_CASE(reset_disabled),
	KUNIT_CASE(reset_without_guest),
	KUNIT_CASE(reset_while_running),
	KUNIT_CASE(reset_after_fault),
	KUNIT_CASE(reset_and_again),
	KUNIT_CASE(reset_device),
	KUNIT_CASE(reset_keeps_vram),
	KUNIT_CASE(disable_while_running),
	KUNIT_CASE(enable_while_running),
	KUNIT_CASE(detach_while_running),
	{}
};

static struct kunit_suite vgpu_sim_reset_suite = {
	.name = "vgpu_sim_reset",
	.test_cases = reset_kunit_cases,
};

kunit_test_suite(vgpu_sim_reset_suite);
