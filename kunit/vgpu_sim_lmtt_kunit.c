// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the translation of the simulated vgpu device.
 */

#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/page_ref.h>

#include "vgpu_sim_helpers.h"

#define PAGES	8
#define LEAF	(VGPU_LMTT_LEVELS - 1)

/* An entry of one level is overwritten; what does the walk make of it? */
struct entry_case {
	const char *name;
	unsigned int level;
	u64 keep, set;
	u32 fault;
};

static const struct entry_case entry_cases[] = {
	{ "root_not_valid", 0, ~VGPU_LMTT_VALID, 0, VGPU_FAULT_NOT_MAPPED },
	{ "middle_not_valid", 1, ~VGPU_LMTT_VALID, 0, VGPU_FAULT_NOT_MAPPED },
	{ "leaf_not_valid", 2, ~VGPU_LMTT_VALID, 0, VGPU_FAULT_NOT_MAPPED },
	{ "root_zero", 0, 0, 0, VGPU_FAULT_NOT_MAPPED },
	{ "middle_zero", 1, 0, 0, VGPU_FAULT_NOT_MAPPED },
	{ "leaf_zero", 2, 0, 0, VGPU_FAULT_NOT_MAPPED },
	{ "root_system", 0, ~0ull, VGPU_LMTT_SYSTEM, VGPU_FAULT_BAD_TABLE },
	{ "middle_system", 1, ~0ull, VGPU_LMTT_SYSTEM, VGPU_FAULT_BAD_TABLE },
	{ "root_low_reserved", 0, ~0ull, BIT_ULL(2), VGPU_FAULT_BAD_TABLE },
	{ "middle_low_reserved", 1, ~0ull, BIT_ULL(11), VGPU_FAULT_BAD_TABLE },
	{ "leaf_low_reserved", 2, ~0ull, BIT_ULL(2), VGPU_FAULT_BAD_TABLE },
	{ "root_high_reserved", 0, ~0ull, BIT_ULL(52), VGPU_FAULT_BAD_TABLE },
	{ "middle_high_reserved", 1, ~0ull, BIT_ULL(63), VGPU_FAULT_BAD_TABLE },
	{ "leaf_high_reserved", 2, ~0ull, BIT_ULL(63), VGPU_FAULT_BAD_TABLE },
	{ "root_no_memory", 0, VGPU_LMTT_VALID, VGPU_LMTT_ADDR, VGPU_FAULT_BAD_TABLE },
	{ "middle_no_memory", 1, VGPU_LMTT_VALID, VGPU_LMTT_ADDR, VGPU_FAULT_BAD_TABLE },
	{ "leaf_end_of_vram", 2, VGPU_LMTT_VALID, SIM_VRAM_SIZE, VGPU_FAULT_BAD_TABLE },
	{ "leaf_beyond_vram", 2, VGPU_LMTT_VALID, VGPU_LMTT_ADDR, VGPU_FAULT_BAD_TABLE },
	{ "leaf_last_of_vram", 2, VGPU_LMTT_VALID, SIM_VRAM_SIZE - SZ_4K, VGPU_FAULT_NONE },
	{ "leaf_first_of_vram", 2, VGPU_LMTT_VALID, 0, VGPU_FAULT_NONE },
};

KUNIT_ARRAY_PARAM_DESC(entry, entry_cases, name);

static void walk_entry(struct kunit *test)
{
	const struct entry_case *c = test->param_value;
	u64 root = sim_map_vram(test, PAGES, 0);
	const struct vgpu_sim_space space = {
		.table = root, .mem_size = PAGES * SZ_4K, .vram_size = SIM_VRAM_SIZE,
	};
	__le64 *entry = sim_entry(root, 0, c->level);
	u64 seen[VGPU_LMTT_LEVELS], value;
	unsigned int level;

	value = (le64_to_cpu(*entry) & c->keep) | c->set;
	*entry = cpu_to_le64(value);
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, 0, seen), c->fault);
	KUNIT_EXPECT_EQ(test, seen[c->level], value);
	for (level = c->level + 1; level < VGPU_LMTT_LEVELS; level++)
		KUNIT_EXPECT_EQ(test, seen[level], 0);
}

static void walk_limits(struct kunit *test)
{
	u64 root = sim_map_vram(test, PAGES, 0);
	struct vgpu_sim_space space = {
		.table = root, .mem_size = (PAGES - 1) * SZ_4K, .vram_size = SIM_VRAM_SIZE,
	};
	u64 seen[VGPU_LMTT_LEVELS];

	/* What the table maps and the limit excludes is out of range. */
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, space.mem_size, seen),
			VGPU_FAULT_OUT_OF_RANGE);
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, ~0ull, seen),
			VGPU_FAULT_OUT_OF_RANGE);
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, space.mem_size - 1, seen),
			VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, seen[LEAF], (PAGES - 2) * SZ_4K | VGPU_LMTT_VALID);

	/* What the limit includes and the table does not map is not mapped. */
	space.mem_size = VGPU_LMTT_MAX_SIZE;
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, PAGES * SZ_4K, seen),
			VGPU_FAULT_NOT_MAPPED);
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, space.mem_size - 1, seen),
			VGPU_FAULT_NOT_MAPPED);

	space.table = 0;
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, 0, seen), VGPU_FAULT_NOT_MAPPED);
	space.table = VGPU_LMTT_ADDR;
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, 0, seen), VGPU_FAULT_BAD_TABLE);
}

/* Each bit of the page number finds the entry of its level. */
static void walk_every_address_bit(struct kunit *test)
{
	const unsigned int bits = VGPU_LMTT_LEVELS * VGPU_LMTT_BITS;
	u64 root = sim_table(test);
	const struct vgpu_sim_space space = {
		.table = root, .mem_size = VGPU_LMTT_MAX_SIZE, .vram_size = SIM_VRAM_SIZE,
	};
	u64 seen[VGPU_LMTT_LEVELS];
	unsigned int i;

	for (i = 0; i < bits; i++)
		sim_map(test, root, 1ull << (VGPU_PAGE_SHIFT + i),
			(i + 1) * SZ_4K | VGPU_LMTT_VALID);
	for (i = 0; i < bits; i++) {
		KUNIT_EXPECT_EQ(test, VGPU_FAULT_NONE,
				vgpu_sim_lmtt_walk(&space, 1ull << (VGPU_PAGE_SHIFT + i), seen));
		KUNIT_EXPECT_EQ(test, seen[LEAF], (i + 1) * SZ_4K | VGPU_LMTT_VALID);
	}
}

/* Memory is what somebody has allocated. */
static void page_not_memory(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);
	u64 addr;

	KUNIT_ASSERT_NOT_NULL(test, page);
	addr = sim_page_addr(page);
	KUNIT_EXPECT_PTR_EQ(test, vgpu_sim_lmtt_page(addr), page);
	KUNIT_EXPECT_NULL(test, vgpu_sim_lmtt_page(addr + 8));
	KUNIT_EXPECT_NULL(test, vgpu_sim_lmtt_page(addr | BIT_ULL(60)));
	KUNIT_EXPECT_NULL(test, vgpu_sim_lmtt_page(~0ull & VGPU_LMTT_ADDR));

	put_page(page);
	/* Unless somebody else has it already, which is not a thing to rely on. */
	if (!page_count(page))
		KUNIT_EXPECT_NULL(test, vgpu_sim_lmtt_page(addr));
	KUNIT_EXPECT_NULL(test, vgpu_sim_lmtt_page(virt_to_phys(&system_state) & PAGE_MASK));
}

/*
 * A table that was freed is soon memory of somebody else. The walk refuses what no
 * driver has its tables in, at the root and below it, and leaves no reference.
 */
static void walk_refuses_slab(struct kunit *test)
{
	u64 root = sim_map_vram(test, PAGES, 0);
	struct vgpu_sim_space space = {
		.table = root, .mem_size = PAGES * SZ_4K, .vram_size = SIM_VRAM_SIZE,
	};
	void *object = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);
	u64 addr, seen[VGPU_LMTT_LEVELS];

	KUNIT_ASSERT_NOT_NULL(test, object);
	addr = virt_to_phys(object);
	if (!IS_ALIGNED(addr, SZ_4K))
		kunit_skip(test, "slabs of this kernel do not align their objects");

	*sim_entry(root, 0, 0) = cpu_to_le64(addr | VGPU_LMTT_VALID);
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, 0, seen), VGPU_FAULT_BAD_TABLE);
	space.table = addr;
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, 0, seen), VGPU_FAULT_BAD_TABLE);
}

static void walk_refuses_mapped_page(struct kunit *test)
{
	static struct address_space mapping;
	u64 root = sim_map_vram(test, PAGES, 0);
	const struct vgpu_sim_space space = {
		.table = root, .mem_size = PAGES * SZ_4K, .vram_size = SIM_VRAM_SIZE,
	};
	struct page *page = pfn_to_page(PHYS_PFN(root));
	u64 seen[VGPU_LMTT_LEVELS];

	page->mapping = &mapping;
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, 0, seen), VGPU_FAULT_BAD_TABLE);
	page->mapping = NULL;
	KUNIT_EXPECT_EQ(test, vgpu_sim_lmtt_walk(&space, 0, seen), VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
}

/* Translates an address of a function, for what comes of it. */
static u32 translate(struct vgpu_sim_fn *fn, u64 addr)
{
	struct vgpu_sim_target target;
	u32 fault;

	mutex_lock(&fn->exec_lock);
	fault = vgpu_sim_translate(fn, addr, &target);
	if (!fault)
		vgpu_sim_target_put(&target);
	mutex_unlock(&fn->exec_lock);
	return fault;
}

static void translate_to_vram(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	struct vgpu_sim_target target;

	sim_fn_setup(test, sim, 1, PAGES, 16);
	mutex_lock(&fn->exec_lock);
	KUNIT_EXPECT_EQ(test, vgpu_sim_translate(fn, 2 * SZ_4K + 24, &target),
			VGPU_FAULT_NONE);
	KUNIT_EXPECT_PTR_EQ(test, target.ptr, sim->hw.vram + (16 + 2) * SZ_4K + 24);
	vgpu_sim_target_put(&target);
	mutex_unlock(&fn->exec_lock);
}

/* The device holds a page of system memory while it uses it, not longer. */
static void translate_to_system(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	struct page *page = sim_page(test);
	struct vgpu_sim_target target;
	u64 root;

	root = sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_map(test, root, SZ_4K, sim_page_addr(page) | VGPU_LMTT_SYSTEM | VGPU_LMTT_VALID);

	mutex_lock(&fn->exec_lock);
	KUNIT_EXPECT_EQ(test, vgpu_sim_translate(fn, SZ_4K + 40, &target), VGPU_FAULT_NONE);
	KUNIT_EXPECT_PTR_EQ(test, target.ptr, page_address(page) + 40);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	vgpu_sim_target_put(&target);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	mutex_unlock(&fn->exec_lock);
}

/* Neither where there is no memory, nor the kernel's own, nor free pages. */
static void translate_to_bad_system(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	void *slab = kunit_kzalloc(test, 64, GFP_KERNEL);
	u64 root = sim_fn_setup(test, sim, 1, PAGES, 0);
	const u64 flags = VGPU_LMTT_SYSTEM | VGPU_LMTT_VALID;

	KUNIT_ASSERT_NOT_NULL(test, slab);
	sim_map(test, root, SZ_4K, VGPU_LMTT_ADDR | flags);
	sim_map(test, root, 2 * SZ_4K, (virt_to_phys(&system_state) & PAGE_MASK) | flags);
	sim_map(test, root, 3 * SZ_4K, (virt_to_phys(slab) & PAGE_MASK) | flags);

	KUNIT_EXPECT_EQ(test, translate(&sim->fns[1], SZ_4K), VGPU_FAULT_BAD_TABLE);
	KUNIT_EXPECT_EQ(test, translate(&sim->fns[1], 2 * SZ_4K), VGPU_FAULT_BAD_TABLE);
	KUNIT_EXPECT_EQ(test, translate(&sim->fns[1], 3 * SZ_4K), VGPU_FAULT_BAD_TABLE);
	SIM_EXPECT_COUNT(test, sim, translation_faults, 3);
	SIM_EXPECT_COUNT(test, sim, lmtt_changed, 0);
}

/* At which level, and how, is a translation that was seen changed? */
struct change_case {
	const char *name;
	unsigned int level;
	void (*change)(struct kunit *test, __le64 *entry);
};

static void to_other_page(struct kunit *test, __le64 *entry)
{
	*entry = cpu_to_le64(le64_to_cpu(*entry) ^ SZ_4K);
}

static void to_nothing(struct kunit *test, __le64 *entry)
{
	*entry = 0;
}

static void to_garbage(struct kunit *test, __le64 *entry)
{
	*entry = cpu_to_le64(0x6b6b6b6b6b6b6b6bull);
}

/* The next table is copied elsewhere: the leaves are what they were. */
static void to_copy(struct kunit *test, __le64 *entry)
{
	struct page *copy = sim_page(test);

	memcpy(page_address(copy),
	       phys_to_virt(le64_to_cpu(*entry) & VGPU_LMTT_ADDR), VGPU_PAGE_SIZE);
	*entry = cpu_to_le64(sim_page_addr(copy) | VGPU_LMTT_VALID);
}

static const struct change_case change_cases[] = {
	{ "leaf_to_other_page", 2, to_other_page },
	{ "leaf_to_nothing", 2, to_nothing },
	{ "leaf_to_garbage", 2, to_garbage },
	{ "middle_to_nothing", 1, to_nothing },
	{ "middle_to_garbage", 1, to_garbage },
	{ "middle_to_copy", 1, to_copy },
	{ "root_to_nothing", 0, to_nothing },
	{ "root_to_garbage", 0, to_garbage },
	{ "root_to_copy", 0, to_copy },
};

KUNIT_ARRAY_PARAM_DESC(change, change_cases, name);

static void translate_changed(struct kunit *test)
{
	const struct change_case *c = test->param_value;
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	u64 root = sim_fn_setup(test, sim, 1, PAGES, 0);

	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_NONE);
	c->change(test, sim_entry(root, SZ_4K, c->level));
	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_TABLE_CHANGED);
	SIM_EXPECT_COUNT(test, sim, lmtt_changed, 1);

	/* It is not forgiven by being seen again. */
	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_TABLE_CHANGED);
	SIM_EXPECT_COUNT(test, sim, lmtt_changed, 2);
}

static void translate_changed_stops_ring(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	u64 root = sim_fn_setup(test, sim, 1, PAGES, 0);

	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SZ_4K, .size = 8));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);

	to_other_page(test, sim_entry(root, SZ_4K, LEAF));
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SZ_4K + 8, .size = 8));
	sim_run(test, sim);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_TABLE_CHANGED);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FAULT_ADDR), SZ_4K + 8);
}

/* What says to the device that entries may have changed. */
struct notice_case {
	const char *name;
	u32 reg;
	u64 value;
};

static const struct notice_case notice_cases[] = {
	{ "invalidate", VGPU_FN_INVALIDATE, 1 },
	{ "mem_size", VGPU_FN_MEM_SIZE, 2 * SZ_4K },
	{ "disable", VGPU_FN_CTRL, 0 },
};

KUNIT_ARRAY_PARAM_DESC(notice, notice_cases, name);

static void translate_after_notice(struct kunit *test)
{
	const struct notice_case *c = test->param_value;
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	u64 root = sim_fn_setup(test, sim, 1, PAGES, 0);

	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_NONE);
	to_other_page(test, sim_entry(root, SZ_4K, LEAF));
	sim_fn_write(sim, 1, c->reg, c->value);
	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_NONE);
	SIM_EXPECT_COUNT(test, sim, lmtt_changed, 0);
}

static void translate_after_other_table(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];

	sim_fn_setup(test, sim, 1, PAGES, 0);
	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_NONE);
	sim_fn_write(sim, 1, VGPU_FN_TABLE, sim_map_vram(test, PAGES, 32));
	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_NONE);
	SIM_EXPECT_COUNT(test, sim, lmtt_changed, 0);
}

/* Writing what the registers hold already is no notice of anything. */
static void translate_after_same_registers(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	u64 root = sim_fn_setup(test, sim, 1, PAGES, 0);

	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_NONE);
	to_other_page(test, sim_entry(root, SZ_4K, LEAF));
	sim_fn_write(sim, 1, VGPU_FN_TABLE, root);
	sim_fn_write(sim, 1, VGPU_FN_MEM_SIZE, PAGES * SZ_4K);
	sim_fn_write(sim, 1, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_TABLE_CHANGED);
}

/* An entry may become valid without notice. */
static void translate_newly_valid(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	u64 root = sim_fn_setup(test, sim, 1, PAGES, 0);

	*sim_entry(root, SZ_4K, LEAF) = 0;
	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_NOT_MAPPED);
	sim_map(test, root, SZ_4K, SZ_4K | VGPU_LMTT_VALID);
	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_NONE);
	SIM_EXPECT_COUNT(test, sim, translation_faults, 1);
	SIM_EXPECT_COUNT(test, sim, lmtt_changed, 0);
}

/* Pages that share a slot of the TLB are not taken for each other. */
static void translate_same_slot(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	u64 root = sim_fn_setup(test, sim, 1, PAGES, 0);
	const u64 far = SZ_4K + VGPU_SIM_TLB_SLOTS * SZ_4K;

	sim_fn_write(sim, 1, VGPU_FN_MEM_SIZE, far + SZ_4K);
	sim_map(test, root, far, 9 * SZ_4K | VGPU_LMTT_VALID);
	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, translate(fn, far), VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, translate(fn, SZ_4K), VGPU_FAULT_NONE);
	SIM_EXPECT_COUNT(test, sim, lmtt_changed, 0);
}

/* What one function has seen says nothing about another's table. */
static void translate_other_function(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 2);

	sim_fn_setup(test, sim, 1, PAGES, 0);
	sim_fn_setup(test, sim, 2, PAGES, PAGES);
	KUNIT_EXPECT_EQ(test, translate(&sim->fns[1], SZ_4K), VGPU_FAULT_NONE);
	KUNIT_EXPECT_EQ(test, translate(&sim->fns[2], SZ_4K), VGPU_FAULT_NONE);
	SIM_EXPECT_COUNT(test, sim, lmtt_changed, 0);
}

static struct kunit_case lmtt_kunit_cases[] = {
	KUNIT_CASE_PARAM(walk_entry, entry_gen_params),
	KUNIT_CASE(walk_limits),
	KUNIT_CASE(walk_refuses_slab),
	KUNIT_CASE(walk_refuses_mapped_page),
	KUNIT_CASE(page_not_memory),
	KUNIT_CASE(translate_to_bad_system),
	KUNIT_CASE_PARAM(translate_changed, change_gen_params),
	KUNIT_CASE(translate_changed_stops_ring),
	KUNIT_CASE(translate_after_same_registers),
	KUNIT_CASE_PARAM(translate_after_notice, notice_gen_params),
	KUNIT_CASE(translate_after_other_table),
	KUNIT_CASE(walk_every_address_bit),
	KUNIT_CASE(translate_to_vram),
	KUNIT_CASE(translate_to_system),
	KUNIT_CASE(translate_newly_valid),
	KUNIT_CASE(translate_same_slot),
	KUNIT_CASE(translate_other_function),
	{}
};

static struct kunit_suite vgpu_sim_lmtt_suite = {
	.name = "vgpu_sim_lmtt",
	.test_cases = lmtt_kunit_cases,
};

kunit_test_suite(vgpu_sim_lmtt_suite);
