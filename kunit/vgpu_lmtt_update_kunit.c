// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of what becomes of a table in an update: the device reads it all
 * the time, so it stays where it is and as it is, and what is no table, or not
 * all there, is refused.
 */

#include <kunit/test.h>
#include <linux/io.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "vgpu_lmtt_kunit.h"

#define MAX_PAGES	8

/* A table in the test's own hand, and what the driver makes of it. */
struct cargo {
	struct kunit *test;
	struct page *pages[MAX_PAGES];
	unsigned int num_pages;
	u8 *copies[MAX_PAGES];

	/* Saved instead of @pages if it is not NULL */
	struct vgpu_lmtt *from;
	struct vgpu_lmtt *to;
	u32 root_index;
	u64 size;
	void (*look)(struct cargo *cargo, struct drm_hotupdate_block *block, int err);
};

static int save_pages(struct mock_carrier *carrier, struct cargo *cargo)
{
	struct drm_hotupdate_save_args args = { };
	struct sg_table sgt;
	struct scatterlist *sg;
	unsigned int i;
	int err;

	err = sg_alloc_table(&sgt, cargo->num_pages, GFP_KERNEL);
	if (err)
		return err;
	for_each_sgtable_sg(&sgt, sg, i)
		sg_set_page(sg, cargo->pages[i], PAGE_SIZE, 0);
	args.sgt = &sgt;
	err = drm_hotupdate_save_memory(carrier->adapter, &args);
	sg_free_table(&sgt);
	return err;
}

static int cargo_save(struct mock_carrier *carrier)
{
	struct cargo *cargo = carrier->priv;

	if (!cargo->from)
		return save_pages(carrier, cargo);
	cargo->root_index = vgpu_lmtt_root_index(cargo->from);
	return vgpu_lmtt_save(cargo->from, carrier->adapter, NULL, 0);
}

static int cargo_restore(struct mock_carrier *carrier, struct drm_hotupdate_block *block)
{
	struct cargo *cargo = carrier->priv;
	int err = vgpu_lmtt_restore(cargo->to, block, cargo->root_index, cargo->size);

	if (cargo->look)
		cargo->look(cargo, block, err);
	return err;
}

static struct cargo *cargo_new(struct kunit *test, struct mock_carrier *carrier)
{
	struct cargo *cargo = kunit_kzalloc(test, sizeof(*cargo), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, cargo);
	cargo->test = test;
	cargo->to = lmtt_new_empty(test);
	carrier->save = cargo_save;
	carrier->restore = cargo_restore;
	carrier->priv = cargo;
	return cargo;
}

static void put_page_action(void *page)
{
	put_page(page);
}

/* The test has the only reference, to look at them to the end. */
static void add_pages(struct cargo *cargo, unsigned int num)
{
	struct kunit *test = cargo->test;

	while (cargo->num_pages < num) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

		KUNIT_ASSERT_NOT_NULL(test, page);
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, put_page_action, page));
		cargo->pages[cargo->num_pages++] = page;
	}
}

static void remember(struct cargo *cargo)
{
	unsigned int i;

	for (i = 0; i < cargo->num_pages; i++) {
		cargo->copies[i] = kunit_kmalloc(cargo->test, PAGE_SIZE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(cargo->test, cargo->copies[i]);
		memcpy(cargo->copies[i], page_address(cargo->pages[i]), PAGE_SIZE);
	}
}

static void expect_untouched(struct cargo *cargo)
{
	unsigned int i;

	for (i = 0; i < cargo->num_pages; i++)
		KUNIT_EXPECT_MEMEQ_MSG(cargo->test, page_address(cargo->pages[i]),
				       cargo->copies[i], PAGE_SIZE, "page %u", i);
}

static void expect_refs(struct cargo *cargo, int refs)
{
	unsigned int i;

	for (i = 0; i < cargo->num_pages; i++)
		KUNIT_EXPECT_EQ_MSG(cargo->test, page_ref_count(cargo->pages[i]), refs,
				    "page %u", i);
}

static void set_entry(struct cargo *cargo, unsigned int page, unsigned int index, u64 entry)
{
	__le64 *entries = page_address(cargo->pages[page]);

	entries[index] = cpu_to_le64(entry);
}

/* An entry of a table that leads to another one of the block. */
static void link_tables(struct cargo *cargo, unsigned int from, unsigned int index,
			unsigned int to)
{
	set_entry(cargo, from, index, page_to_phys(cargo->pages[to]) | 1);
}

/*
 * Page 0 is the root, page 1 the table below, pages 2 and 3 have the entries of
 * four megabytes of address space, all of them valid.
 */
static void build_table(struct cargo *cargo)
{
	unsigned int i;

	add_pages(cargo, 4);
	link_tables(cargo, 0, 0, 1);
	link_tables(cargo, 1, 0, 2);
	link_tables(cargo, 1, 1, 3);
	for (i = 0; i < 512; i++) {
		set_entry(cargo, 2, i, (u64)i * SZ_4K | 1);
		set_entry(cargo, 3, i, (u64)(512 + i) * SZ_4K | 1);
	}
	cargo->root_index = 0;
	cargo->size = SZ_4M;
}

/*
 * What is wrong with a table
 */

static void not_a_thing(struct cargo *cargo)
{
}

static void root_is_behind_the_last(struct cargo *cargo)
{
	cargo->root_index = 4;
}

static void root_is_far_away(struct cargo *cargo)
{
	cargo->root_index = U32_MAX;
}

static void root_is_another_page(struct cargo *cargo)
{
	cargo->root_index = 1;
}

static void root_is_a_last_table(struct cargo *cargo)
{
	cargo->root_index = 3;
}

static void entry_of_root_is_outside(struct cargo *cargo)
{
	set_entry(cargo, 0, 0, page_to_phys(virt_to_page(cargo)) | 1);
}

static void entry_in_the_middle_is_outside(struct cargo *cargo)
{
	set_entry(cargo, 1, 1, page_to_phys(virt_to_page(cargo)) | 1);
}

static void entry_is_beyond_memory(struct cargo *cargo)
{
	set_entry(cargo, 1, 1, 0xffffffffff000 | 1);
}

static void entry_is_address_zero(struct cargo *cargo)
{
	set_entry(cargo, 1, 1, 1);
}

static void entry_behind_a_gap_is_outside(struct cargo *cargo)
{
	set_entry(cargo, 0, 100, page_to_phys(virt_to_page(cargo)) | 1);
}

static void last_entry_is_outside(struct cargo *cargo)
{
	set_entry(cargo, 1, 511, page_to_phys(virt_to_page(cargo)) | 1);
}

static void same_table_twice(struct cargo *cargo)
{
	link_tables(cargo, 1, 1, 2);
}

static void same_table_twice_all_reached(struct cargo *cargo)
{
	link_tables(cargo, 1, 2, 3);
}

static void table_is_its_own_child(struct cargo *cargo)
{
	link_tables(cargo, 1, 1, 1);
}

static void table_is_its_own_grandchild(struct cargo *cargo)
{
	link_tables(cargo, 1, 1, 0);
}

static void page_is_not_reached(struct cargo *cargo)
{
	add_pages(cargo, 5);
}

static void reserved_bit_2_in_root(struct cargo *cargo)
{
	set_entry(cargo, 0, 0, page_to_phys(cargo->pages[1]) | 1 | BIT_ULL(2));
}

static void reserved_bit_11(struct cargo *cargo)
{
	set_entry(cargo, 1, 1, page_to_phys(cargo->pages[3]) | 1 | BIT_ULL(11));
}

static void reserved_bit_52(struct cargo *cargo)
{
	set_entry(cargo, 1, 1, page_to_phys(cargo->pages[3]) | 1 | BIT_ULL(52));
}

static void reserved_bit_63_in_root(struct cargo *cargo)
{
	set_entry(cargo, 0, 0, page_to_phys(cargo->pages[1]) | 1 | BIT_ULL(63));
}

static void system_bit_above_the_last_level(struct cargo *cargo)
{
	set_entry(cargo, 1, 0, page_to_phys(cargo->pages[2]) | 1 | 2);
}

static void not_valid_in_root(struct cargo *cargo)
{
	set_entry(cargo, 0, 0, page_to_phys(cargo->pages[1]));
}

static void not_valid_in_the_middle(struct cargo *cargo)
{
	set_entry(cargo, 1, 0, page_to_phys(cargo->pages[2]));
}

static void too_small_by_a_page(struct cargo *cargo)
{
	cargo->size = SZ_4M + SZ_4K;
}

static void too_small_by_far(struct cargo *cargo)
{
	cargo->size = VGPU_LMTT_MAX_SIZE;
}

struct refused_case {
	const char *name;
	void (*spoil)(struct cargo *cargo);
};

#define REFUSED(function) { #function, function }

static const struct refused_case refused_cases[] = {
	REFUSED(root_is_behind_the_last),
	REFUSED(root_is_far_away),
	REFUSED(root_is_another_page),
	REFUSED(root_is_a_last_table),
	REFUSED(entry_of_root_is_outside),
	REFUSED(entry_in_the_middle_is_outside),
	REFUSED(entry_is_beyond_memory),
	REFUSED(entry_is_address_zero),
	REFUSED(entry_behind_a_gap_is_outside),
	REFUSED(last_entry_is_outside),
	REFUSED(same_table_twice),
	REFUSED(same_table_twice_all_reached),
	REFUSED(table_is_its_own_child),
	REFUSED(table_is_its_own_grandchild),
	REFUSED(page_is_not_reached),
	REFUSED(reserved_bit_2_in_root),
	REFUSED(reserved_bit_11),
	REFUSED(reserved_bit_52),
	REFUSED(reserved_bit_63_in_root),
	REFUSED(system_bit_above_the_last_level),
	REFUSED(not_valid_in_root),
	REFUSED(not_valid_in_the_middle),
	REFUSED(too_small_by_a_page),
	REFUSED(too_small_by_far),
};

KUNIT_ARRAY_PARAM_DESC(refused, refused_cases, name);

/*
 * It is refused, nothing is written to it, and it is the stash's as before.
 *
 * Clauses: U10
 */
static void restore_refused(struct kunit *test)
{
	const struct refused_case *c = test->param_value;
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);

	build_table(cargo);
	c->spoil(cargo);
	remember(cargo);
	KUNIT_ASSERT_EQ(test, mock_carrier_save(carrier), 0);
	KUNIT_EXPECT_EQ(test, mock_carrier_restore(carrier), -EINVAL);
	KUNIT_EXPECT_NULL(test, cargo->to->root);
	KUNIT_EXPECT_NULL(test, cargo->to->block);
	KUNIT_EXPECT_EQ(test, cargo->to->num_pages, 0);
	KUNIT_EXPECT_NULL(test, cargo->to->runs);
	expect_untouched(cargo);
	expect_refs(cargo, 2);
}

/* What device memory is described by is no table. */
static int save_device_memory(struct mock_carrier *carrier)
{
	static const struct drm_hotupdate_range range = { 1, 4 };
	const struct drm_hotupdate_save_args args = {
		.ranges = &range,
		.num_ranges = 1,
		.mem = DRM_HOTUPDATE_MEM_DEVICE,
	};

	return drm_hotupdate_save_memory(carrier->adapter, &args);
}

static void restore_wrong_kind(struct kunit *test)
{
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);

	carrier->save = save_device_memory;
	cargo->size = SZ_4K;
	KUNIT_ASSERT_EQ(test, mock_carrier_save(carrier), 0);
	KUNIT_EXPECT_EQ(test, mock_carrier_restore(carrier), -EOPNOTSUPP);
	KUNIT_EXPECT_NULL(test, cargo->to->root);
	KUNIT_EXPECT_NULL(test, cargo->to->runs);
}

/* More tables than the memory needs are left of a VF that once had more. */
static void size_is_less(struct cargo *cargo)
{
	cargo->size = SZ_4K;
}

static void root_is_in_the_middle(struct cargo *cargo)
{
	swap(cargo->pages[0], cargo->pages[2]);
	cargo->root_index = 2;
}

static const struct refused_case good_cases[] = {
	REFUSED(not_a_thing),
	REFUSED(size_is_less),
	REFUSED(root_is_in_the_middle),
};

KUNIT_ARRAY_PARAM_DESC(good, good_cases, name);

/*
 * The table is where it was and as it was, and from the commit on ours.
 *
 * Clauses: W9, W16
 */
static void restore_good(struct kunit *test)
{
	const struct refused_case *c = test->param_value;
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);
	struct page *root;

	build_table(cargo);
	root = cargo->pages[0];
	c->spoil(cargo);
	remember(cargo);
	KUNIT_ASSERT_EQ(test, mock_carrier_save(carrier), 0);
	KUNIT_ASSERT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_EXPECT_PTR_EQ(test, cargo->to->root, root);
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_base(cargo->to), page_to_phys(root));
	KUNIT_EXPECT_EQ(test, cargo->to->num_pages, 4);
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_own(cargo->to), 0);
	KUNIT_EXPECT_NULL(test, cargo->to->block);
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_own(cargo->to), 0);
	expect_untouched(cargo);
	expect_refs(cargo, 2);

	/* It is a table like any other: addresses after it get a table each. */
	KUNIT_EXPECT_EQ(test, 0, vgpu_lmtt_map(cargo->to, SZ_4M, SZ_1G, SZ_2M, 0));
	KUNIT_EXPECT_EQ(test, cargo->to->num_pages, 5);
	KUNIT_EXPECT_EQ(test, mock_walk(vgpu_lmtt_base(cargo->to), SZ_4M, NULL), SZ_1G | 1);
	KUNIT_EXPECT_EQ(test, mock_walk(vgpu_lmtt_base(cargo->to), SZ_2M, NULL),
			SZ_2M | 1);
	lmtt_free(test, cargo->to);
	expect_refs(cargo, 1);
}

/* Before the commit the pages are the stash's. */
static void look_at_own(struct cargo *cargo, struct drm_hotupdate_block *block, int err)
{
	struct kunit *test = cargo->test;

	KUNIT_EXPECT_EQ(test, err, 0);
	if (err)
		return;
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_own(cargo->to), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, cargo->to->block, block);

	/* A replay that is called off, and begun again. */
	drm_hotupdate_block_get(block);
	vgpu_lmtt_forget(cargo->to);
	KUNIT_EXPECT_NULL(test, cargo->to->root);
	expect_refs(cargo, 2);
	KUNIT_EXPECT_EQ(test, 0, vgpu_lmtt_restore(cargo->to, block, cargo->root_index,
						   cargo->size));
}

static void restore_forget_restore(struct kunit *test)
{
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);

	build_table(cargo);
	remember(cargo);
	cargo->look = look_at_own;
	KUNIT_ASSERT_EQ(test, mock_carrier_save(carrier), 0);
	KUNIT_ASSERT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_own(cargo->to), 0);
	expect_untouched(cargo);
	expect_refs(cargo, 2);
}

/* Whichever allocation fails, nothing is taken over, and the next try works. */
static void look_fail_nth(struct cargo *cargo, struct drm_hotupdate_block *block, int err)
{
	struct kunit *test = cargo->test;
	unsigned int nth = 0;
	bool has_failed;

	KUNIT_EXPECT_EQ(test, err, 0);
	if (err)
		return;
	for (;;) {
		drm_hotupdate_block_get(block);
		vgpu_lmtt_forget(cargo->to);

		mock_fail_begin(++nth);
		err = vgpu_lmtt_restore(cargo->to, block, cargo->root_index, cargo->size);
		has_failed = mock_fail_end();
		if (!has_failed)
			break;
		/* The kernel's checkers allocate too, and do without. */
		if (!err)
			continue;
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_NULL(test, cargo->to->root);
		KUNIT_EXPECT_NULL(test, cargo->to->runs);
		/* What it would have taken over on success. */
		cargo->to->block = block;
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, nth, 1);
}

static void restore_fail_nth(struct kunit *test)
{
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);

	mock_fail_init(test);
	build_table(cargo);
	remember(cargo);
	cargo->look = look_fail_nth;
	KUNIT_ASSERT_EQ(test, mock_carrier_save(carrier), 0);
	KUNIT_ASSERT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_own(cargo->to), 0);
	expect_untouched(cargo);
	expect_refs(cargo, 2);
}

/* What the driver has built comes back, update after update, and can grow. */
static void roundtrip(struct kunit *test)
{
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);
	struct vgpu_lmtt *lmtt = lmtt_new(test);
	unsigned int update, tables = 0;
	u64 base = vgpu_lmtt_base(lmtt), size = 0, address;

	for (update = 0; update < 4; update++) {
		KUNIT_ASSERT_EQ(test, 0, vgpu_lmtt_map(lmtt, size, SZ_1G + size, SZ_2M, 0));
		size += SZ_2M;
		KUNIT_EXPECT_GT(test, lmtt->num_pages, tables);
		tables = lmtt->num_pages;

		cargo->from = lmtt;
		cargo->to = lmtt_new_empty(test);
		cargo->size = size;
		KUNIT_ASSERT_EQ(test, mock_carrier_save(carrier), 0);
		vgpu_lmtt_fini(lmtt);
		KUNIT_EXPECT_NULL(test, lmtt->root);

		KUNIT_ASSERT_EQ(test, mock_carrier_restore(carrier), 0);
		lmtt = cargo->to;
		KUNIT_EXPECT_EQ(test, vgpu_lmtt_base(lmtt), base);
		KUNIT_EXPECT_EQ(test, lmtt->num_pages, tables);
		KUNIT_EXPECT_EQ(test, vgpu_lmtt_own(lmtt), 0);
		for (address = 0; address < size; address += SZ_4K)
			KUNIT_ASSERT_EQ(test, mock_walk(base, address, NULL),
					(SZ_1G + address) | 1);
	}
}

static struct kunit_case update_cases[] = {
	KUNIT_CASE_PARAM(restore_refused, refused_gen_params),
	KUNIT_CASE(restore_wrong_kind),
	KUNIT_CASE(restore_fail_nth),
	KUNIT_CASE(restore_forget_restore),
	KUNIT_CASE_PARAM(restore_good, good_gen_params),
	KUNIT_CASE(roundtrip),
	{ }
};

static struct kunit_suite update_suite = {
	.name = "vgpu_lmtt_update",
	.init = mock_init,
	.test_cases = update_cases,
};

kunit_test_suite(update_suite);
