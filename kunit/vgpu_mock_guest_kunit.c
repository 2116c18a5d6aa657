// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest who uses a VF: it fills its memory, remembers what the device reads
 * on its behalf, and can tell later whether anything of that was touched.
 */

#include <kunit/test.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "vgpu_mock.h"

/* A page of its table, and what was in it. */
struct mock_table {
	struct page *page;
	u8 *copy;
};

struct mock_guest {
	struct kunit *test;
	struct mock_hw *hw;
	unsigned int fn;
	u64 seed;

	/* What the device was told of the VF. */
	struct mock_fn before;
	unsigned int num_pages;
	/* Last-level entries, by page of its memory. */
	u64 *leaves;
	struct mock_table *tables;
	unsigned int num_tables;
	unsigned int max_tables;
	/* Folios of its memory. */
	struct folio **folios;
	unsigned int num_folios;

	/* Of the last reset: whether all pages were still somebody's. */
	unsigned int num_resets;
	bool alive_at_reset;
	bool filled_at_reset;
	/* When its VF was last enabled again, after a reset */
	bool cleared_at_enable;
	/* Of the last time that translations were forgotten. */
	unsigned int num_invalidates;
	bool alive_at_invalidate;
	u64 mapped_at_invalidate;
};

#define SYSTEM_BIT	2
#define ADDRESS_BITS	0xffffffffff000ull

static void *leaf_memory(struct mock_guest *guest, u64 leaf)
{
	if (leaf & SYSTEM_BIT)
		return phys_to_virt(leaf & ADDRESS_BITS);
	return guest->hw->hw.vram + (leaf & ADDRESS_BITS);
}

/* Where an address of the VF led to when the guest came. */
void *mock_guest_mem(struct mock_guest *guest, u64 address)
{
	return leaf_memory(guest, guest->leaves[address / SZ_4K]) + address % SZ_4K;
}

u64 mock_guest_leaf(struct mock_guest *guest, u64 address)
{
	return guest->leaves[address / SZ_4K];
}

u64 mock_guest_size(struct mock_guest *guest)
{
	return guest->before.mem_size;
}

unsigned int mock_guest_num_tables(struct mock_guest *guest)
{
	return guest->num_tables;
}

/* A reference of the guest's own, one for all the pages of a folio. */
static void hold(struct mock_guest *guest, struct page *page)
{
	struct folio *folio = page_folio(page);
	unsigned int i;

	/* Most often it is the one before. */
	for (i = guest->num_folios; i; i--)
		if (guest->folios[i - 1] == folio)
			return;
	folio_get(folio);
	guest->folios[guest->num_folios++] = folio;
}

static void add_table(struct mock_guest *guest, struct page *page)
{
	struct mock_table *table;
	unsigned int i;

	for (i = 0; i < guest->num_tables; i++)
		if (guest->tables[i].page == page)
			return;

	KUNIT_ASSERT_LT(guest->test, guest->num_tables, guest->max_tables);
	table = &guest->tables[guest->num_tables];
	table->copy = kunit_kmalloc(guest->test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(guest->test, table->copy);
	memcpy(table->copy, page_address(page), PAGE_SIZE);
	table->page = page;
	hold(guest, page);
	guest->num_tables++;
}

static void look_at_page(struct mock_guest *guest, unsigned int number)
{
	struct page *tables[VGPU_LMTT_LEVELS] = { };
	u64 leaf = mock_walk(guest->before.table, (u64)number * SZ_4K, tables);
	int level;

	KUNIT_ASSERT_NE(guest->test, leaf, 0);
	KUNIT_ASSERT_NE(guest->test, leaf, MOCK_BAD_TABLE);
	guest->leaves[number] = leaf;
	/* Tables above a page are mostly those of the page before. */
	for (level = VGPU_LMTT_LEVELS - 1; level >= 0; level--)
		if (!(number % 512) || !guest->num_tables)
			add_table(guest, tables[level]);
	if (leaf & SYSTEM_BIT)
		hold(guest, pfn_to_page(PHYS_PFN(leaf & ADDRESS_BITS)));
	mock_fill(leaf_memory(guest, leaf), SZ_4K, guest->seed + number);
}

static void leave(void *data)
{
	struct mock_guest *guest = data;
	unsigned int i;

	guest->hw->fns[guest->fn].guest = NULL;
	for (i = 0; i < guest->num_folios; i++)
		folio_put(guest->folios[i]);
	vfree(guest->leaves);
	vfree(guest->folios);
}

struct mock_guest *mock_guest_new(struct kunit *test, struct mock_hw *hw, unsigned int fn)
{
	struct mock_guest *guest = kunit_kzalloc(test, sizeof(*guest), GFP_KERNEL);
	unsigned int number;

	KUNIT_ASSERT_NOT_NULL(test, guest);
	guest->test = test;
	guest->hw = hw;
	guest->fn = fn;
	guest->seed = (u64)fn << 32;
	guest->before = hw->fns[fn];
	KUNIT_ASSERT_TRUE(test, guest->before.enabled);
	guest->num_pages = guest->before.mem_size / SZ_4K;
	KUNIT_ASSERT_GT(test, guest->num_pages, 0);

	guest->max_tables = 2 + guest->num_pages / 512 + guest->num_pages / SZ_256K + 2;
	guest->tables = kunit_kcalloc(test, guest->max_tables, sizeof(*guest->tables),
				      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, guest->tables);
	guest->leaves = vcalloc(guest->num_pages, sizeof(*guest->leaves));
	guest->folios = vcalloc(guest->num_pages + guest->max_tables,
				sizeof(*guest->folios));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, leave, guest));
	KUNIT_ASSERT_NOT_NULL(test, guest->leaves);
	KUNIT_ASSERT_NOT_NULL(test, guest->folios);

	for (number = 0; number < guest->num_pages; number++)
		look_at_page(guest, number);
	hw->fns[fn].guest = guest;
	return guest;
}

/* The guest's own reference, and one of whoever owns the page. */
static bool are_pages_owned(struct mock_guest *guest, int refs)
{
	unsigned int i;

	for (i = 0; i < guest->num_folios; i++)
		if (folio_ref_count(guest->folios[i]) != refs)
			return false;
	return true;
}

/* Whether there is anything in its first and last page. */
static bool is_filled(struct mock_guest *guest)
{
	return memchr_inv(leaf_memory(guest, guest->leaves[0]), 0, SZ_4K) &&
	       memchr_inv(leaf_memory(guest, guest->leaves[guest->num_pages - 1]), 0, SZ_4K);
}

static bool is_cleared(struct mock_guest *guest)
{
	unsigned int number;

	for (number = 0; number < guest->num_pages; number++)
		if (memchr_inv(leaf_memory(guest, guest->leaves[number]), 0, SZ_4K))
			return false;
	return true;
}

void mock_guest_notice_reset(struct mock_guest *guest)
{
	guest->num_resets++;
	guest->alive_at_reset = are_pages_owned(guest, 2);
	guest->filled_at_reset = is_filled(guest);
}

void mock_guest_notice_enable(struct mock_guest *guest)
{
	guest->cleared_at_enable = is_cleared(guest);
}

/* Its memory was zeroed while its VF could not run, neither before nor later. */
void mock_guest_expect_cleared(struct mock_guest *guest)
{
	KUNIT_EXPECT_EQ(guest->test, guest->num_resets, 1);
	KUNIT_EXPECT_TRUE_MSG(guest->test, guest->filled_at_reset,
			      "memory of VF %u was zeroed before its reset", guest->fn);
	KUNIT_EXPECT_TRUE_MSG(guest->test, guest->cleared_at_enable,
			      "memory of VF %u was not zeroed when it ran again", guest->fn);
}

void mock_guest_notice_invalidate(struct mock_guest *guest)
{
	u64 address;

	guest->num_invalidates++;
	guest->alive_at_invalidate = are_pages_owned(guest, 2);
	for (address = 0; address < guest->before.mem_size; address += SZ_4K)
		if (!mock_walk(guest->before.table, address, NULL))
			break;
	guest->mapped_at_invalidate = address;
}

void mock_guest_expect_invalidated(struct mock_guest *guest, u64 address)
{
	KUNIT_EXPECT_EQ(guest->test, guest->num_invalidates, 1);
	KUNIT_EXPECT_TRUE(guest->test, guest->alive_at_invalidate);
	KUNIT_EXPECT_EQ(guest->test, guest->mapped_at_invalidate, address);
}

void mock_guest_expect_pages_owned(struct mock_guest *guest, bool owned)
{
	KUNIT_EXPECT_TRUE_MSG(guest->test, are_pages_owned(guest, owned ? 2 : 1),
			      "the pages of VF %u are %s", guest->fn,
			      owned ? "not somebody's" : "not free");
}

static void expect_same_table(struct mock_guest *guest)
{
	unsigned int i;

	for (i = 0; i < guest->num_tables; i++)
		KUNIT_EXPECT_MEMEQ_MSG(guest->test, page_address(guest->tables[i].page),
				       guest->tables[i].copy, PAGE_SIZE,
				       "page %u of the LMTT of VF %u", i, guest->fn);
}

/* The first page that differs is shown, of those there can be thousands. */
void mock_guest_expect_memory(struct mock_guest *guest, u64 end)
{
	u8 *expected = kunit_kmalloc(guest->test, SZ_4K, GFP_KERNEL);
	unsigned int num_pages = end / SZ_4K, number;

	KUNIT_ASSERT_NOT_NULL(guest->test, expected);
	for (number = 0; number < num_pages; number++) {
		mock_fill(expected, SZ_4K, guest->seed + number);
		if (memcmp(leaf_memory(guest, guest->leaves[number]), expected, SZ_4K))
			break;
	}
	if (number < num_pages)
		KUNIT_EXPECT_MEMEQ_MSG(guest->test,
				       leaf_memory(guest, guest->leaves[number]),
				       expected, SZ_4K, "page %u of VF %u", number,
				       guest->fn);
	kunit_kfree(guest->test, expected);
}

void mock_guest_expect_intact(struct mock_guest *guest)
{
	const struct mock_fn *now = &guest->hw->fns[guest->fn];
	struct kunit *test = guest->test;

	KUNIT_EXPECT_EQ(test, guest->num_resets, 0);
	KUNIT_EXPECT_EQ(test, now->resets, guest->before.resets);
	KUNIT_EXPECT_TRUE(test, now->enabled);
	KUNIT_EXPECT_EQ(test, now->table, guest->before.table);
	KUNIT_EXPECT_EQ(test, now->mem_size, guest->before.mem_size);
	KUNIT_EXPECT_EQ(test, now->timeslice_us, guest->before.timeslice_us);
	KUNIT_EXPECT_EQ(test, now->priority, guest->before.priority);
	mock_guest_expect_pages_owned(guest, true);
	expect_same_table(guest);
	mock_guest_expect_memory(guest, guest->before.mem_size);
}

void mock_guest_expect_reset_then_freed(struct mock_guest *guest)
{
	KUNIT_EXPECT_EQ(guest->test, guest->num_resets, 1);
	KUNIT_EXPECT_TRUE_MSG(guest->test, guest->alive_at_reset,
			      "pages of VF %u were freed before its reset", guest->fn);
	mock_guest_expect_pages_owned(guest, false);
}
