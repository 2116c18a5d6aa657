// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the commands of the simulated vgpu device.
 */

#include "vgpu_sim_helpers.h"

#define PAGES	16
#define SIZE	(PAGES * (u64)SZ_4K)

struct check_case {
	const char *name;
	struct {
		struct vgpu_cmd cmd;
		u32 fault;
		u64 addr;
	} is;
};

/* Where the command itself is at fault, its address is left alone. */
#define ADDR_NONE	0xaddeadull
#define BAD(...) { { __VA_ARGS__ }, VGPU_FAULT_BAD_COMMAND, ADDR_NONE }
#define OUT(at, ...) { { __VA_ARGS__ }, VGPU_FAULT_OUT_OF_RANGE, at }
#define GOOD(...) { { __VA_ARGS__ }, VGPU_FAULT_NONE, ADDR_NONE }

static const struct check_case check_cases[] = {
	{ "zeroes", BAD(.op = 0) },
	{ "op_unknown", BAD(.op = 6) },
	{ "op_most", BAD(.op = ~0U) },
	{ "fill_flags", BAD(.op = VGPU_CMD_FILL, .flags = 1, .size = 8) },
	{ "copy_flags", BAD(.op = VGPU_CMD_COPY, .flags = 1u << 31, .src = 64, .size = 8) },
	{ "fence_flags", BAD(.op = VGPU_CMD_FENCE, .flags = 2) },
	{ "fill_reserved_0", BAD(.op = VGPU_CMD_FILL, .size = 8, .reserved[0] = 1) },
	{ "copy_reserved_1", BAD(.op = VGPU_CMD_COPY, .src = 64, .size = 8, .reserved[1] = 1) },
	{ "fence_reserved_2", BAD(.op = VGPU_CMD_FENCE, .reserved[2] = 1ull << 63) },
	{ "fill_src", BAD(.op = VGPU_CMD_FILL, .src = 8, .size = 8) },
	{ "pattern_src", BAD(.op = VGPU_CMD_PATTERN, .src = 8, .size = 8) },
	{ "copy_value", BAD(.op = VGPU_CMD_COPY, .src = 64, .size = 8, .value = 1) },
	{ "checksum_value", BAD(.op = VGPU_CMD_CHECKSUM, .size = 8, .value = 1) },
	{ "fence_dst", BAD(.op = VGPU_CMD_FENCE, .dst = 8) },
	{ "fence_src", BAD(.op = VGPU_CMD_FENCE, .src = 8) },
	{ "fence_size", BAD(.op = VGPU_CMD_FENCE, .size = 8) },
	{ "fill_odd_dst", BAD(.op = VGPU_CMD_FILL, .dst = 4, .size = 8) },
	{ "fill_odd_size", BAD(.op = VGPU_CMD_FILL, .size = 9) },
	{ "copy_odd_src", BAD(.op = VGPU_CMD_COPY, .src = 65, .size = 8) },
	{ "checksum_odd_dst", BAD(.op = VGPU_CMD_CHECKSUM, .dst = 12, .size = 8) },
	{ "checksum_odd_size", BAD(.op = VGPU_CMD_CHECKSUM, .size = 4) },
	{ "copy_onto_itself", BAD(.op = VGPU_CMD_COPY, .src = 64, .dst = 64, .size = 8) },
	{ "copy_overlap_up", BAD(.op = VGPU_CMD_COPY, .dst = 8, .size = 16) },
	{ "copy_overlap_down", BAD(.op = VGPU_CMD_COPY, .src = 8, .size = 16) },
	{ "fill_beyond", OUT(SIZE, .op = VGPU_CMD_FILL, .dst = SIZE, .size = 8) },
	{ "fill_over_the_end", OUT(SIZE - 8, .op = VGPU_CMD_FILL, .dst = SIZE - 8, .size = 16) },
	{ "fill_wraps", OUT(8, .op = VGPU_CMD_FILL, .dst = 8, .size = -8ull) },
	{ "fill_dst_wraps", OUT(-8ull, .op = VGPU_CMD_FILL, .dst = -8ull, .size = 16) },
	{ "fill_most", OUT(0, .op = VGPU_CMD_FILL, .size = -8ull) },
	{ "pattern_over_the_end", OUT(0, .op = VGPU_CMD_PATTERN, .size = SIZE + 8) },
	{ "copy_src_over_the_end",
	  OUT(SIZE - 8, .op = VGPU_CMD_COPY, .src = SIZE - 8, .size = 16) },
	{ "copy_dst_over_the_end",
	  OUT(SIZE - 8, .op = VGPU_CMD_COPY, .dst = SIZE - 8, .size = 16) },
	{ "copy_src_wraps", OUT(-16ull, .op = VGPU_CMD_COPY, .src = -16ull, .size = 32) },
	{ "checksum_src_over_the_end",
	  OUT(8, .op = VGPU_CMD_CHECKSUM, .src = 8, .size = SIZE) },
	{ "checksum_dst_beyond", OUT(SIZE, .op = VGPU_CMD_CHECKSUM, .dst = SIZE, .size = 8) },
	{ "checksum_of_none_dst_beyond", OUT(SIZE, .op = VGPU_CMD_CHECKSUM, .dst = SIZE) },
	{ "fill_all", GOOD(.op = VGPU_CMD_FILL, .size = SIZE, .value = ~0ull) },
	{ "fill_none", GOOD(.op = VGPU_CMD_FILL) },
	{ "fill_none_at_end", GOOD(.op = VGPU_CMD_FILL, .dst = SIZE) },
	{ "fill_last", GOOD(.op = VGPU_CMD_FILL, .dst = SIZE - 8, .size = 8) },
	{ "copy_neighbours_up", GOOD(.op = VGPU_CMD_COPY, .dst = 16, .size = 16) },
	{ "copy_neighbours_down", GOOD(.op = VGPU_CMD_COPY, .src = 16, .size = 16) },
	{ "pattern_all", GOOD(.op = VGPU_CMD_PATTERN, .size = SIZE, .value = 1) },
	{ "checksum_all", GOOD(.op = VGPU_CMD_CHECKSUM, .dst = SIZE - 8, .size = SIZE) },
	{ "fence", GOOD(.op = VGPU_CMD_FENCE, .value = 1) },
};

KUNIT_ARRAY_PARAM_DESC(check, check_cases, name);

static void cmd_check(struct kunit *test)
{
	const struct check_case *c = test->param_value;
	u64 addr = ADDR_NONE;

	KUNIT_EXPECT_EQ(test, vgpu_sim_cmd_check(&c->is.cmd, SIZE, &addr),
			c->is.fault);
	KUNIT_EXPECT_EQ(test, addr, c->is.addr);
}

/* A command at fault does nothing, stops the ring, and says where. */
static void run_bad_command(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 1));
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .flags = 1,
					 .dst = SIM_DATA, .size = 8, .value = 1));
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 2));
	sim_run(test, sim);

	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_BAD_COMMAND);
	SIM_EXPECT_COUNT(test, sim, bad_commands, 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FAULT_ADDR),
			sizeof(struct vgpu_cmd));
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RING_HEAD), 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), 1);
	KUNIT_EXPECT_EQ(test, *(u64 *)sim_mem(test, sim, 1, SIM_DATA), 0);
}

static void run_out_of_range(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIZE - 8,
					 .size = 16, .value = 1));
	sim_run(test, sim);

	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_OUT_OF_RANGE);
	SIM_EXPECT_COUNT(test, sim, out_of_range, 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FAULT_ADDR), SIZE - 8);
	KUNIT_EXPECT_EQ(test, *(u64 *)sim_mem(test, sim, 1, SIZE - 8), 0);
}

/* What is not mapped stops a command where it gets there. */
static void run_not_mapped(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	u64 root = sim_fn_setup(test, sim, 1, PAGES, 0);

	*sim_entry(root, 3 * SZ_4K, VGPU_LMTT_LEVELS - 1) = 0;
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .dst = 2 * SZ_4K + 64,
					 .size = 2 * SZ_4K, .value = 7));
	sim_run(test, sim);

	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NOT_MAPPED);
	SIM_EXPECT_COUNT(test, sim, translation_faults, 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FAULT_ADDR), 3 * SZ_4K);
	KUNIT_EXPECT_EQ(test, *(u64 *)sim_mem(test, sim, 1, 3 * SZ_4K - 8), 7);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RING_HEAD), 0);
}

static void run_ring_not_mapped(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	u64 root = sim_fn_setup(test, sim, 1, PAGES, 0);

	*sim_entry(root, 0, VGPU_LMTT_LEVELS - 1) = 0;
	sim_vf_write(test, sim, 1, VGPU_VF_REG_RING_TAIL, 1);
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NOT_MAPPED);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FAULT_ADDR), 0);
}

/* Memory that has become smaller stops a command that was good before. */
static void run_memory_shrinks(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	u64 addr;

	sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .size = SIZE - SIM_DATA,
					 .dst = SIM_DATA, .value = 7));
	mutex_lock(&fn->exec_lock);
	vgpu_sim_cmd_begin(&fn->exec, sim_mem(test, sim, 1, 0));
	KUNIT_EXPECT_EQ(test, vgpu_sim_cmd_step(fn, &addr), VGPU_FAULT_NONE);
	mutex_unlock(&fn->exec_lock);

	sim_fn_write(sim, 1, VGPU_FN_MEM_SIZE, 4 * SZ_4K);
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_OUT_OF_RANGE);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FAULT_ADDR), 4 * SZ_4K);
	KUNIT_EXPECT_NULL(test, memchr_inv(sim->hw.vram + 4 * SZ_4K, 0,
					   SIZE - 4 * SZ_4K));
}

/* Ranges that begin and end at, before and after a page. */
struct range_case {
	const char *name;
	u64 dst, src, size;
};

static const struct range_case range_cases[] = {
	{ "nothing", 2 * SZ_4K, 8 * SZ_4K, 0 },
	{ "word", 2 * SZ_4K + 8, 8 * SZ_4K, 8 },
	{ "last_word_of_page", 3 * SZ_4K - 8, 8 * SZ_4K, 8 },
	{ "page", 2 * SZ_4K, 8 * SZ_4K, SZ_4K },
	{ "over_a_page", 3 * SZ_4K - 8, 8 * SZ_4K, 16 },
	{ "dst_over_a_page", 3 * SZ_4K - 8, 8 * SZ_4K + 16, 64 },
	{ "src_over_a_page", 2 * SZ_4K, 9 * SZ_4K - 24, 64 },
	{ "both_over_pages", 3 * SZ_4K - 8, 9 * SZ_4K - 24, 3 * SZ_4K + 16 },
	{ "pages", 2 * SZ_4K, 8 * SZ_4K, 5 * SZ_4K },
	{ "odd_pages", 2 * SZ_4K + 8, 8 * SZ_4K + 16, 5 * SZ_4K - 40 },
};

KUNIT_ARRAY_PARAM_DESC(range, range_cases, name);

static u64 word_at(struct kunit *test, struct vgpu_sim *sim, u64 addr)
{
	return *(u64 *)sim_mem(test, sim, 1, addr);
}

/* Are these words the pattern, and those around them zero? */
static void expect_pattern(struct kunit *test, struct vgpu_sim *sim, u64 addr,
			   u64 size, u64 seed)
{
	u64 i, bad = 0;

	for (i = 0; i < size / 8; i++)
		bad += word_at(test, sim, addr + i * 8) != vgpu_pattern_word(seed, i);
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, word_at(test, sim, addr - 8), 0);
	KUNIT_EXPECT_EQ(test, word_at(test, sim, addr + size), 0);
}

/* VRAM in disorder, and every third page in system memory. */
static struct vgpu_sim *scattered(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	u64 root = sim_fn_setup(test, sim, 1, PAGES, 0);
	unsigned int i;
	u64 leaf;

	for (i = 1; i < PAGES; i++) {
		if (i % 3)
			leaf = (i * 7 % PAGES + 100) * SZ_4K;
		else
			leaf = sim_page_addr(sim_page(test)) | VGPU_LMTT_SYSTEM;
		sim_map(test, root, i * SZ_4K, leaf | VGPU_LMTT_VALID);
	}
	sim_fn_write(sim, 1, VGPU_FN_INVALIDATE, 1);
	return sim;
}

static void run_fill(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct vgpu_sim *sim = scattered(test);
	u64 i, bad = 0;

	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .dst = c->dst,
					 .size = c->size, .value = 0x0123456789abcdefull));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	for (i = 0; i < c->size; i += 8)
		bad += word_at(test, sim, c->dst + i) != 0x0123456789abcdefull;
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, word_at(test, sim, c->dst - 8), 0);
	KUNIT_EXPECT_EQ(test, word_at(test, sim, c->dst + c->size), 0);
}

static void run_pattern(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct vgpu_sim *sim = scattered(test);

	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_PATTERN, .dst = c->dst,
					 .size = c->size, .value = 42));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	expect_pattern(test, sim, c->dst, c->size, 42);
}

static void run_copy(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct vgpu_sim *sim = scattered(test);

	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_PATTERN, .dst = c->src,
					 .size = c->size, .value = 42));
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_COPY, .dst = c->dst,
					 .src = c->src, .size = c->size));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	expect_pattern(test, sim, c->src, c->size, 42);
	expect_pattern(test, sim, c->dst, c->size, 42);
}

static void run_checksum(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct vgpu_sim *sim = scattered(test);
	u64 sum = VGPU_CHECKSUM_INIT;
	u64 i;

	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_PATTERN, .dst = c->src,
					 .size = c->size, .value = 42));
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_CHECKSUM, .dst = SIZE - 8,
					 .src = c->src, .size = c->size));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	for (i = 0; i < c->size / 8; i++)
		sum = vgpu_checksum_step(sum, vgpu_pattern_word(42, i));
	KUNIT_EXPECT_EQ(test, word_at(test, sim, SIZE - 8), sum);
	expect_pattern(test, sim, c->src, c->size, 42);
}

/* The sum is of what was there before it was written. */
static void run_checksum_into_its_source(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_CHECKSUM, .dst = SIM_DATA,
					 .src = SIM_DATA, .size = 16));
	sim_run(test, sim);
	KUNIT_EXPECT_EQ(test, word_at(test, sim, SIM_DATA),
			vgpu_checksum_step(vgpu_checksum_step(VGPU_CHECKSUM_INIT, 0), 0));
}

/* Two addresses of one page of VRAM: as memmove(), whatever overlaps. */
static void run_copy_aliased(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	u64 root = sim_fn_setup(test, sim, 1, 4, 0);
	u64 i, bad = 0;

	sim_map(test, root, 2 * SZ_4K, SZ_4K | VGPU_LMTT_VALID);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_PATTERN, .dst = SZ_4K,
					 .size = 512, .value = 42));
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_COPY, .src = SZ_4K,
					 .dst = 2 * SZ_4K + 64, .size = 512));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	for (i = 0; i < 64; i++)
		bad += word_at(test, sim, SZ_4K + 64 + i * 8) != vgpu_pattern_word(42, i);
	KUNIT_EXPECT_EQ(test, bad, 0);
}

/* What the guest does to a command that has begun is too late. */
static void run_command_rewritten(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	u64 addr;

	sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIM_DATA,
					 .size = 2 * SZ_4K, .value = 1));
	mutex_lock(&fn->exec_lock);
	vgpu_sim_cmd_begin(&fn->exec, sim_mem(test, sim, 1, 0));
	KUNIT_EXPECT_EQ(test, vgpu_sim_cmd_step(fn, &addr), VGPU_FAULT_NONE);
	mutex_unlock(&fn->exec_lock);

	memset(sim_mem(test, sim, 1, 0), 0xff, sizeof(struct vgpu_cmd));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, word_at(test, sim, 3 * SZ_4K - 8), 1);
	KUNIT_EXPECT_EQ(test, word_at(test, sim, 3 * SZ_4K), 0);
}

/* A fence is passed when all before it is done, and tells the guest. */
static void run_fence(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = ~0ull));
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_FENCE), 0);
	sim_run(test, sim);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_FENCE), ~0ull);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_FENCE);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_IRQ_STATUS, VGPU_VF_IRQ_FENCE);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS), 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_IRQ_STATUS), 0);
}

/* The PF has a ring like any other function. */
static void run_pf(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_fn_setup(test, sim, 0, PAGES, 0);
	sim_submit(test, sim, 0, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIM_DATA,
					 .size = 8, .value = 3));
	sim_submit(test, sim, 0, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 9));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 0, VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, *(u64 *)sim_mem(test, sim, 0, SIM_DATA), 3);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 0, VGPU_FN_FENCE), 9);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_IRQ_STATUS), VGPU_IRQ_PF_FENCE);
}

static struct kunit_case cmd_kunit_cases[] = {
	KUNIT_CASE_PARAM(cmd_check, check_gen_params),
	KUNIT_CASE(run_bad_command),
	KUNIT_CASE(run_out_of_range),
	KUNIT_CASE(run_not_mapped),
	KUNIT_CASE(run_ring_not_mapped),
	KUNIT_CASE(run_memory_shrinks),
	KUNIT_CASE(run_command_rewritten),
	KUNIT_CASE_PARAM(run_fill, range_gen_params),
	KUNIT_CASE_PARAM(run_pattern, range_gen_params),
	KUNIT_CASE_PARAM(run_copy, range_gen_params),
	KUNIT_CASE_PARAM(run_checksum, range_gen_params),
	KUNIT_CASE(run_checksum_into_its_source),
	KUNIT_CASE(run_copy_aliased),
	KUNIT_CASE(run_fence),
	KUNIT_CASE(run_pf),
	{}
};

static struct kunit_suite vgpu_sim_cmd_suite = {
	.name = "vgpu_sim_cmd",
	.test_cases = cmd_kunit_cases,
};

kunit_test_suite(vgpu_sim_cmd_suite);
