// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the registers of the simulated vgpu device, as the PF's driver
 * and as a guest have them.
 */

#include "vgpu_sim_helpers.h"

#define PAGES	4

/* Writes without a meaning: counted, and nothing else changes. */
struct write_case {
	const char *name;
	u32 reg;
	u64 value;
};

static const struct write_case bad_writes[] = {
	{ "ident", VGPU_HW_IDENT, 1 },
	{ "total_vfs", VGPU_HW_TOTAL_VFS, 1 },
	{ "reset_without_magic", VGPU_HW_RESET, 1 },
	{ "resets", VGPU_HW_RESETS, 0 },
	{ "irq_enable_unknown", VGPU_HW_IRQ_ENABLE, BIT_ULL(3) },
	{ "hole", 0x038, 1 },
	{ "mbox_pending", VGPU_HW_MBOX_PENDING, 0 },
	{ "mbox_fn", VGPU_HW_MBOX_FN, 1 },
	{ "mbox_arg1", VGPU_HW_MBOX_ARG1, 1 },
	{ "beyond_device", 0x088, 1 },
	{ "before_functions", VGPU_FN_BASE - 8, 1 },
	{ "unaligned", VGPU_HW_IRQ_STATUS + 4, 1 },
	{ "most", ~0U, 1 },
	{ "beyond_functions", VGPU_FN(3, VGPU_FN_CTRL), 1 },
	{ "fn_hole", VGPU_FN(1, 0x98), 1 },
	{ "fn_unaligned", VGPU_FN(1, VGPU_FN_CTRL + 1), 1 },
	{ "fn_ctrl_unknown", VGPU_FN(1, VGPU_FN_CTRL), 3 },
	{ "fn_status", VGPU_FN(1, VGPU_FN_STATUS), 1 },
	{ "fn_reset_without_magic", VGPU_FN(1, VGPU_FN_RESET), 1 },
	{ "fn_resets", VGPU_FN(1, VGPU_FN_RESETS), 0 },
	{ "fn_table_unaligned", VGPU_FN(1, VGPU_FN_TABLE), SZ_4K + 8 },
	{ "fn_table_no_memory", VGPU_FN(1, VGPU_FN_TABLE), VGPU_LMTT_ADDR },
	{ "fn_table_reserved_bits", VGPU_FN(1, VGPU_FN_TABLE), BIT_ULL(52) },
	{ "fn_mem_size_unaligned", VGPU_FN(1, VGPU_FN_MEM_SIZE), SZ_4K + 1 },
	{ "fn_mem_size_too_much", VGPU_FN(1, VGPU_FN_MEM_SIZE), VGPU_LMTT_MAX_SIZE + SZ_4K },
	{ "fn_mem_size_most", VGPU_FN(1, VGPU_FN_MEM_SIZE), -4096ull },
	{ "fn_timeslice_none", VGPU_FN(1, VGPU_FN_TIMESLICE_US), 0 },
	{ "fn_timeslice_too_short", VGPU_FN(1, VGPU_FN_TIMESLICE_US), 49 },
	{ "fn_timeslice_too_long", VGPU_FN(1, VGPU_FN_TIMESLICE_US), 1000001 },
	{ "fn_priority_too_high", VGPU_FN(1, VGPU_FN_PRIORITY), 3 },
	{ "fn_priority_most", VGPU_FN(1, VGPU_FN_PRIORITY), ~0ull },
	{ "fn_fault", VGPU_FN(1, VGPU_FN_FAULT), 0 },
	{ "fn_fault_addr", VGPU_FN(1, VGPU_FN_FAULT_ADDR), 0 },
	{ "vf_ring_base", VGPU_FN(1, VGPU_FN_RING_BASE), 0 },
	{ "vf_ring_entries", VGPU_FN(1, VGPU_FN_RING_ENTRIES), 64 },
	{ "vf_ring_tail", VGPU_FN(1, VGPU_FN_RING_TAIL), 1 },
	{ "pf_ring_head", VGPU_FN(0, VGPU_FN_RING_HEAD), 1 },
	{ "fn_fence", VGPU_FN(1, VGPU_FN_FENCE), 1 },
	{ "fn_mbox_sent", VGPU_FN(1, VGPU_FN_MBOX_SENT), 1 },
	{ "fn_mbox_answered", VGPU_FN(1, VGPU_FN_MBOX_ANSWERED), 1 },
	{ "fn_engine_ns", VGPU_FN(1, VGPU_FN_ENGINE_NS), 1 },
};

KUNIT_ARRAY_PARAM_DESC(bad_write, bad_writes, name);

static void fill_registers(struct vgpu_sim *sim, u64 *values)
{
	u32 reg;

	for (reg = 0; reg < VGPU_FN(3, 0); reg += 8)
		values[reg / 8] = sim_read(sim, reg);
}

static void write_bad(struct kunit *test)
{
	const struct write_case *c = test->param_value;
	const size_t size = VGPU_FN(3, 0);
	struct vgpu_sim *sim = sim_create(test, 2);
	u64 *before = kunit_kzalloc(test, size, GFP_KERNEL);
	u64 *after = kunit_kzalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, before);
	KUNIT_ASSERT_NOT_NULL(test, after);
	sim_fn_setup(test, sim, 0, PAGES, 0);
	sim_fn_setup(test, sim, 1, PAGES, PAGES);
	fill_registers(sim, before);
	sim_write(sim, c->reg, c->value);
	fill_registers(sim, after);
	KUNIT_EXPECT_MEMEQ(test, before, after, size);
	SIM_EXPECT_COUNT(test, sim, bad_writes, 1);
}

static void read_unknown(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 2);

	KUNIT_EXPECT_EQ(test, sim_read(sim, 0x038), ~0ull);
	KUNIT_EXPECT_EQ(test, sim_read(sim, 4), ~0ull);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_FN_BASE - 8), ~0ull);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_FN(1, 0x98)), ~0ull);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_FN(1, 4)), ~0ull);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_FN(3, 0)), ~0ull);
	KUNIT_EXPECT_EQ(test, sim_read(sim, ~0U), ~0ull);
}

static void read_write_only(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_RESET), 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_ANSWER), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RESET), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_INVALIDATE), 0);
}

static void read_defaults(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	unsigned int fn;

	for (fn = 0; fn <= 1; fn++) {
		KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_CTRL), 0);
		KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_STATUS), 0);
		KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_TABLE), 0);
		KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_MEM_SIZE), 0);
		KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_TIMESLICE_US),
				VGPU_TIMESLICE_US_DEFAULT);
		KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_PRIORITY),
				VGPU_PRIORITY_NORMAL);
		KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_RING_ENTRIES), 0);
	}
}

/* Registers of the driver read as they were written, at their limits too. */
static const struct write_case good_writes[] = {
	{ "irq_enable", VGPU_HW_IRQ_ENABLE, VGPU_IRQ_MBOX | VGPU_IRQ_PF_FENCE | VGPU_IRQ_FAULT },
	{ "mbox_status", VGPU_HW_MBOX_STATUS, ~0ull },
	{ "mbox_value", VGPU_HW_MBOX_VALUE, ~0ull },
	{ "ctrl", VGPU_FN(2, VGPU_FN_CTRL), VGPU_FN_CTRL_ENABLE },
	{ "mem_size_none", VGPU_FN(1, VGPU_FN_MEM_SIZE), 0 },
	{ "mem_size_most", VGPU_FN(1, VGPU_FN_MEM_SIZE), VGPU_LMTT_MAX_SIZE },
	{ "table_none", VGPU_FN(1, VGPU_FN_TABLE), 0 },
	{ "timeslice_least", VGPU_FN(1, VGPU_FN_TIMESLICE_US), VGPU_TIMESLICE_US_MIN },
	{ "timeslice_most", VGPU_FN(1, VGPU_FN_TIMESLICE_US), VGPU_TIMESLICE_US_MAX },
	{ "priority_low", VGPU_FN(1, VGPU_FN_PRIORITY), VGPU_PRIORITY_LOW },
	{ "priority_high", VGPU_FN(1, VGPU_FN_PRIORITY), VGPU_PRIORITY_HIGH },
	{ "pf_ring_base", VGPU_FN(0, VGPU_FN_RING_BASE), SZ_8K },
	{ "pf_ring_entries", VGPU_FN(0, VGPU_FN_RING_ENTRIES), 32 },
};

KUNIT_ARRAY_PARAM_DESC(good_write, good_writes, name);

static void write_good(struct kunit *test)
{
	const struct write_case *c = test->param_value;
	struct vgpu_sim *sim = sim_create(test, 2);

	sim_fn_setup(test, sim, 0, PAGES, 0);
	sim_fn_setup(test, sim, 1, PAGES, PAGES);
	sim_write(sim, c->reg, c->value);
	KUNIT_EXPECT_EQ(test, sim_read(sim, c->reg), c->value);
	SIM_EXPECT_COUNT(test, sim, bad_writes, 0);
}

/* What a guest must not write, or what is no register. */
static const struct write_case vf_bad_writes[] = {
	{ "ident", VGPU_VF_REG_IDENT, 1 },
	{ "status", VGPU_VF_REG_STATUS, 1 },
	{ "mem_size", VGPU_VF_REG_MEM_SIZE, SZ_1G },
	{ "resets", VGPU_VF_REG_RESETS, 0 },
	{ "ring_head", VGPU_VF_REG_RING_HEAD, 1 },
	{ "fence", VGPU_VF_REG_FENCE, 1 },
	{ "fault", VGPU_VF_REG_FAULT, 0 },
	{ "fault_addr", VGPU_VF_REG_FAULT_ADDR, 0 },
	{ "mbox_sent", VGPU_VF_REG_MBOX_SENT, 1 },
	{ "mbox_pending", VGPU_VF_REG_MBOX_PENDING, 0 },
	{ "mbox_answer", VGPU_VF_REG_MBOX_ANSWER, 1 },
	{ "mbox_status", VGPU_VF_REG_MBOX_STATUS, 1 },
	{ "mbox_value", VGPU_VF_REG_MBOX_VALUE, 1 },
	{ "beyond", VGPU_VF_REG_MBOX_ACK + 8, 1 },
	{ "unaligned", VGPU_VF_REG_RING_TAIL + 1, 1 },
	{ "most", ~0U, 1 },
};

KUNIT_ARRAY_PARAM_DESC(vf_bad_write, vf_bad_writes, name);

static void vf_write_bad(struct kunit *test)
{
	const struct write_case *c = test->param_value;
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, PAGES, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_write(&sim->fns[1], c->reg, c->value));
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
}

static void vf_read_unknown(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	u64 value;

	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_read(fn, 4, &value));
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_read(fn, VGPU_VF_REG_MBOX_SEND, &value));
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_read(fn, VGPU_VF_REG_MBOX_ACK, &value));
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_read(fn, VGPU_VF_REG_MBOX_ACK + 8, &value));
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_read(fn, 1ull << 32, &value));
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_read(fn, ~0ull, &value));
}

static void vf_read_registers(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_attach(test, sim, 1);
	sim_fn_write(sim, 1, VGPU_FN_MEM_SIZE, SZ_64K);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IDENT),
			VGPU_VF_IDENT_VALUE);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_STATUS), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MEM_SIZE), 0);
	sim_fn_write(sim, 1, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_STATUS),
			VGPU_VF_STATUS_ENABLED);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MEM_SIZE), SZ_64K);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_RESET);
}

static struct kunit_case regs_kunit_cases[] = {
	KUNIT_CASE_PARAM(write_bad, bad_write_gen_params),
	KUNIT_CASE(read_unknown),
	KUNIT_CASE(read_write_only),
	KUNIT_CASE(read_defaults),
	KUNIT_CASE_PARAM(write_good, good_write_gen_params),
	KUNIT_CASE_PARAM(vf_write_bad, vf_bad_write_gen_params),
	KUNIT_CASE(vf_read_unknown),
	KUNIT_CASE(vf_read_registers),
	{}
};

static struct kunit_suite vgpu_sim_regs_suite = {
	.name = "vgpu_sim_regs",
	.test_cases = regs_kunit_cases,
};

kunit_test_suite(vgpu_sim_regs_suite);
