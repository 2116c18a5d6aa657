// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of what becomes of a VF's memory in an update: it is where it
 * was, and whoever brings it back to the wrong place is refused.
 */

#include <kunit/test.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "vgpu_memory_kunit.h"

#define MAX_RANGES	512

/* What a carrier carries, and what came of it. */
struct cargo {
	struct kunit *test;
	struct vgpu_memory *from;
	/* Saved instead of @from if there are any */
	const struct drm_hotupdate_range *ranges;
	unsigned int num_ranges;
	bool is_system;

	struct vgpu_memory *to;
	u64 size;
	/* Of the block */
	struct drm_hotupdate_range got[MAX_RANGES];
	unsigned int num_got;
	unsigned int num_expected;
	/* Run in the restore callback after the restore */
	void (*look)(struct cargo *cargo, struct drm_hotupdate_block *block, int err);
};

static const char cargo_meta[] = "meta";

static int cargo_save(struct mock_carrier *carrier)
{
	struct cargo *cargo = carrier->priv;
	const struct drm_hotupdate_save_args args = {
		.ranges = cargo->ranges,
		.num_ranges = cargo->num_ranges,
		.mem = cargo->is_system ? DRM_HOTUPDATE_MEM_SYSTEM :
					  DRM_HOTUPDATE_MEM_DEVICE,
	};

	if (cargo->ranges)
		return drm_hotupdate_save_memory(carrier->adapter, &args);
	return vgpu_memory_save(cargo->from, carrier->adapter, cargo_meta,
				sizeof(cargo_meta));
}

static int cargo_restore(struct mock_carrier *carrier, struct drm_hotupdate_block *block)
{
	struct cargo *cargo = carrier->priv;
	const struct drm_hotupdate_range *ranges;
	int err;

	ranges = drm_hotupdate_block_ranges(block, &cargo->num_got);
	memcpy(cargo->got, ranges,
	       min(cargo->num_got, MAX_RANGES) * sizeof(*ranges));
	err = vgpu_memory_restore(cargo->to, block, cargo->size);
	if (cargo->look)
		cargo->look(cargo, block, err);
	return err;
}

static struct cargo *cargo_new(struct kunit *test, struct mock_carrier *carrier)
{
	struct cargo *cargo = kunit_kzalloc(test, sizeof(*cargo), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, cargo);
	cargo->test = test;
	carrier->save = cargo_save;
	carrier->restore = cargo_restore;
	carrier->priv = cargo;
	return cargo;
}

/* The old driver saves, and drops its references. */
static void leave_behind(struct kunit *test, struct mock_carrier *carrier,
			 struct vgpu_memory *memory)
{
	KUNIT_ASSERT_EQ(test, mock_carrier_save(carrier), 0);
	vgpu_memory_release(memory);
	KUNIT_EXPECT_EQ(test, memory->size, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&memory->chunks));
}

static void expect_same_pages(struct kunit *test, const struct vgpu_memory *memory,
			      const u64 *pages, u64 size)
{
	KUNIT_ASSERT_EQ(test, memory->size, size);
	KUNIT_EXPECT_MEMEQ(test, memory_pages(test, memory), pages,
			   size / SZ_4K * sizeof(u64));
}

struct refused_case {
	const char *name;
	struct drm_hotupdate_range ranges[2];
	unsigned int num_ranges;
	u64 size;
	int err;
};

/* VRAM is 256 pages, of which somebody has pages 100 to 109. */
static const struct refused_case refused_cases[] = {
	{ "size_less", { { 0, 2 } }, 1, SZ_4K, -EINVAL },
	{ "size_more", { { 0, 2 } }, 1, 3 * SZ_4K, -EINVAL },
	{ "size_zero", { { 0, 2 } }, 1, 0, -EINVAL },
	{ "begins_at_the_end", { { 256, 1 } }, 1, SZ_4K, -ERANGE },
	{ "begins_beyond_the_end", { { 257, 1 } }, 1, SZ_4K, -ERANGE },
	{ "begins_far_away", { { 1ull << 40, 1 } }, 1, SZ_4K, -ERANGE },
	{ "begins_where_bytes_wrap", { { (1ull << 52) - 2, 1 } }, 1, SZ_4K, -ERANGE },
	{ "ends_beyond_the_end", { { 255, 2 } }, 1, SZ_8K, -ERANGE },
	{ "larger_than_vram", { { 0, 257 } }, 1, 257 * SZ_4K, -ERANGE },
	{ "second_is_outside", { { 0, 1 }, { 256, 1 } }, 2, SZ_8K, -ERANGE },
	{ "somebody_elses", { { 104, 1 } }, 1, SZ_4K, -ENOSPC },
	{ "begins_in_somebody_elses", { { 109, 2 } }, 1, SZ_8K, -ENOSPC },
	{ "ends_in_somebody_elses", { { 99, 2 } }, 1, SZ_8K, -ENOSPC },
	{ "around_somebody_elses", { { 99, 12 } }, 1, 12 * SZ_4K, -ENOSPC },
	{ "second_is_somebody_elses", { { 0, 1 }, { 100, 10 } }, 2, 11 * SZ_4K, -ENOSPC },
};

KUNIT_ARRAY_PARAM_DESC(refused, refused_cases, name);

/* VRAM that is not there, or not free, or not as much: nothing is reserved. */
static void restore_vram_refused(struct kunit *test)
{
	const struct refused_case *c = test->param_value;
	struct vgpu_vram *vram = vram_new(test, SZ_1M);
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);

	vram_reserve(test, vram, 100 * SZ_4K, 10 * SZ_4K);
	cargo->ranges = c->ranges;
	cargo->num_ranges = c->num_ranges;
	cargo->size = c->size;
	cargo->to = memory_new(test, vram, VGPU_BACKING_VRAM);
	KUNIT_ASSERT_EQ(test, mock_carrier_save(carrier), 0);

	KUNIT_EXPECT_EQ(test, mock_carrier_restore(carrier), c->err);
	KUNIT_EXPECT_EQ(test, cargo->to->size, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&cargo->to->chunks));
	KUNIT_EXPECT_NULL(test, cargo->to->block);
	KUNIT_EXPECT_EQ(test, vgpu_vram_free_bytes(vram), SZ_1M - 10 * SZ_4K);
}

/* A block of the one kind of memory is none of the other. */
static void restore_vram_as_system(struct kunit *test)
{
	static const struct drm_hotupdate_range in_vram = { 1, 1 };
	struct vgpu_vram *vram = vram_new(test, SZ_1M);
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);

	cargo->ranges = &in_vram;
	cargo->num_ranges = 1;
	cargo->size = SZ_4K;
	cargo->to = memory_new(test, vram, VGPU_BACKING_SYSTEM);
	KUNIT_ASSERT_EQ(test, mock_carrier_save(carrier), 0);
	KUNIT_EXPECT_EQ(test, mock_carrier_restore(carrier), -EINVAL);
	KUNIT_EXPECT_EQ(test, cargo->to->size, 0);
}

static void restore_system_as_vram(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_1M);
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);
	struct vgpu_memory *from = memory_new(test, vram, VGPU_BACKING_SYSTEM);

	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(from, SZ_4K), 0);
	cargo->from = from;
	cargo->size = SZ_4K;
	cargo->to = memory_new(test, vram, VGPU_BACKING_VRAM);
	leave_behind(test, carrier, from);
	KUNIT_EXPECT_EQ(test, mock_carrier_restore(carrier), -EINVAL);
	KUNIT_EXPECT_EQ(test, cargo->to->size, 0);
	KUNIT_EXPECT_EQ(test, vgpu_vram_free_bytes(vram), SZ_1M);
}

/* Called in the callback: the replay is given up, and nothing has changed. */
static void look_and_forget(struct cargo *cargo, struct drm_hotupdate_block *block, int err)
{
	struct kunit *test = cargo->test;

	KUNIT_EXPECT_EQ(test, err, 0);
	if (err)
		return;
	KUNIT_EXPECT_EQ(test, cargo->to->size, cargo->size);
	drm_hotupdate_block_get(block);
	vgpu_memory_forget(cargo->to);
	KUNIT_EXPECT_EQ(test, cargo->to->size, 0);

	/* The same block, to the same memory, once more. */
	KUNIT_EXPECT_EQ(test, vgpu_memory_restore(cargo->to, block, cargo->size), 0);
	KUNIT_EXPECT_EQ(test, cargo->to->size, cargo->size);
}

static void restore_forget_restore(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_1M), *again = vram_new(test, SZ_1M);
	struct vgpu_memory *from = memory_new(test, vram, VGPU_BACKING_VRAM);
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);

	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(from, SZ_64K), 0);
	cargo->from = from;
	cargo->size = SZ_64K;
	cargo->to = memory_new(test, again, VGPU_BACKING_VRAM);
	cargo->look = look_and_forget;
	leave_behind(test, carrier, from);
	KUNIT_EXPECT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_EXPECT_EQ(test, vgpu_memory_own(cargo->to), 0);
	KUNIT_EXPECT_EQ(test, vgpu_vram_free_bytes(again), SZ_1M - SZ_64K);
}

/* Before the commit the pages are the stash's, and the memory is as usable. */
static void look_at_own(struct cargo *cargo, struct drm_hotupdate_block *block, int err)
{
	struct kunit *test = cargo->test;

	KUNIT_EXPECT_EQ(test, err, 0);
	if (err)
		return;
	KUNIT_EXPECT_EQ(test, vgpu_memory_own(cargo->to), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, cargo->to->block, block);
	KUNIT_EXPECT_EQ(test, cargo->to->size, cargo->size);
}

static void own_before_commit(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_1M);
	struct vgpu_memory *from = memory_new(test, vram, VGPU_BACKING_SYSTEM);
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);

	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(from, SZ_64K), 0);
	cargo->from = from;
	cargo->size = SZ_64K;
	cargo->to = memory_new(test, vram, VGPU_BACKING_SYSTEM);
	cargo->look = look_at_own;
	leave_behind(test, carrier, from);
	KUNIT_EXPECT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_EXPECT_EQ(test, vgpu_memory_own(cargo->to), 0);
	KUNIT_EXPECT_NULL(test, cargo->to->block);
	/* It is its own already. */
	KUNIT_EXPECT_EQ(test, vgpu_memory_own(cargo->to), 0);
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
		vgpu_memory_forget(cargo->to);

		mock_fail_begin(++nth);
		err = vgpu_memory_restore(cargo->to, block, cargo->size);
		has_failed = mock_fail_end();
		if (!has_failed)
			break;
		/* The kernel's checkers allocate too, and do without. */
		if (!err)
			continue;
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_EQ(test, cargo->to->size, 0);
		KUNIT_EXPECT_NULL(test, cargo->to->block);
		/* What it would have taken over on success. */
		cargo->to->block = block;
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	/* Each range has an allocation of its own. */
	KUNIT_EXPECT_EQ(test, cargo->num_got, cargo->num_expected);
	KUNIT_EXPECT_GT(test, nth, cargo->num_expected);
}

static const enum vgpu_backing backings[] = { VGPU_BACKING_VRAM, VGPU_BACKING_SYSTEM };

static void describe_backing(const enum vgpu_backing *backing, char *desc)
{
	strscpy(desc, *backing == VGPU_BACKING_VRAM ? "vram" : "system",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(backing, backings, describe_backing);

static void restore_vram_fail_nth(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_1M), *again = vram_new(test, SZ_1M);
	struct vgpu_memory *from = memory_new(test, vram, VGPU_BACKING_VRAM);
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);

	mock_fail_init(test);
	vram_fragment(test, vram);
	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(from, 15 * SZ_4K), 0);
	cargo->from = from;
	cargo->num_expected = 15;
	cargo->size = 15 * SZ_4K;
	cargo->to = memory_new(test, again, VGPU_BACKING_VRAM);
	cargo->look = look_fail_nth;
	leave_behind(test, carrier, from);
	KUNIT_EXPECT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_EXPECT_EQ(test, vgpu_memory_own(cargo->to), 0);
	KUNIT_EXPECT_EQ(test, cargo->to->size, 15 * SZ_4K);
}

/* Neighbours are one range, whatever chunks they are, and order is kept. */
static void save_merges_neighbours(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_1M), *again = vram_new(test, SZ_1M);
	struct vgpu_memory *from = memory_new(test, vram, VGPU_BACKING_VRAM);
	struct vgpu_memory *other = memory_new(test, vram, VGPU_BACKING_VRAM);
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);
	unsigned int i, expected = 1;
	u64 *before;

	/* Page by page, and now and then a page for somebody else. */
	for (i = 1; i <= 64; i++) {
		KUNIT_ASSERT_EQ(test, vgpu_memory_grow(from, i * SZ_4K), 0);
		if (i % 16 == 0)
			KUNIT_ASSERT_EQ(test, 0,
					vgpu_memory_grow(other, other->size + SZ_4K));
	}
	KUNIT_ASSERT_EQ(test, list_count_nodes(&from->chunks), 64);
	before = memory_pages(test, from);
	for (i = 1; i < 64; i++)
		expected += before[i] != before[i - 1] + SZ_4K;

	cargo->from = from;
	cargo->size = 64 * SZ_4K;
	cargo->to = memory_new(test, again, VGPU_BACKING_VRAM);
	leave_behind(test, carrier, from);
	KUNIT_ASSERT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_EXPECT_EQ(test, cargo->num_got, expected);
	KUNIT_EXPECT_LT(test, expected, 64);
	expect_same_pages(test, cargo->to, before, 64 * SZ_4K);
	KUNIT_EXPECT_EQ(test, vgpu_memory_own(cargo->to), 0);
}

/*
 * VRAM in pieces and out of order comes back at the very offsets (W14).
 *
 * Clauses: W14
 */
static void roundtrip_vram_fragmented(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_1M), *again = vram_new(test, SZ_1M);
	struct vgpu_memory *from = memory_new(test, vram, VGPU_BACKING_VRAM);
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);
	struct vgpu_memory *rest;
	unsigned int i;
	u64 *before;

	vram_fragment(test, vram);
	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(from, SZ_512K), 0);
	/* The first chunk last, so that addresses do not ascend. */
	list_move_tail(from->chunks.next, &from->chunks);
	before = memory_pages(test, from);

	cargo->from = from;
	cargo->size = SZ_512K;
	cargo->to = memory_new(test, again, VGPU_BACKING_VRAM);
	leave_behind(test, carrier, from);
	KUNIT_EXPECT_EQ(test, vgpu_vram_free_bytes(vram), SZ_512K);
	memset(again->cpu, 0xa5, SZ_1M);
	KUNIT_ASSERT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_EXPECT_EQ(test, cargo->num_got, 128);
	expect_same_pages(test, cargo->to, before, SZ_512K);
	KUNIT_EXPECT_NULL(test, memchr_inv(again->cpu, 0xa5, SZ_1M));

	/* It is really reserved: all that others can get is the rest. */
	rest = memory_new(test, again, VGPU_BACKING_VRAM);
	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(rest, SZ_512K + SZ_4K), -ENOSPC);
	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(rest, SZ_512K), 0);
	for (i = 0; i < 128; i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(again->cpu + before[i], 0xa5, SZ_4K));
	KUNIT_EXPECT_EQ(test, vgpu_memory_own(cargo->to), 0);
}

static void put_folio(void *folio)
{
	folio_put(folio);
}

/*
 * Folios come back where they are, with the one reference that they had.
 *
 * Clauses: W9, W16
 */
static void roundtrip_system(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_1M);
	struct vgpu_memory *from = memory_new(test, vram, VGPU_BACKING_SYSTEM);
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);
	struct vgpu_chunk *chunk;
	struct folio *folio;
	unsigned int update;
	u64 *before;

	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(from, 23 * SZ_4K), 0);
	before = memory_pages(test, from);
	chunk = list_first_entry(&from->chunks, struct vgpu_chunk, link);
	folio = chunk->folio;
	folio_get(folio);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_folio, folio));
	mock_fill(folio_address(folio), folio_size(folio), 42);

	cargo->from = from;
	cargo->size = 23 * SZ_4K;
	/* The second one saves what was restored by the first. */
	for (update = 0; update < 3; update++) {
		u8 *expected = kunit_kmalloc(test, SZ_4K, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, expected);
		cargo->to = memory_new(test, vram, VGPU_BACKING_SYSTEM);
		leave_behind(test, carrier, cargo->from);
		KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 2);
		KUNIT_ASSERT_EQ(test, mock_carrier_restore(carrier), 0);
		KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 2);
		KUNIT_EXPECT_EQ(test, vgpu_memory_own(cargo->to), 0);
		KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 2);
		expect_same_pages(test, cargo->to, before, 23 * SZ_4K);
		mock_fill(expected, SZ_4K, 42);
		KUNIT_EXPECT_MEMEQ(test, folio_address(folio), expected, SZ_4K);
		cargo->from = cargo->to;
	}
	vgpu_memory_release(cargo->to);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
}

/* Folios of a page each, neighbours, with the only references the test's. */
static struct page *neighbours_new(struct kunit *test, unsigned int order)
{
	struct page *pages = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	split_page(pages, order);
	for (i = 0; i < 1u << order; i++)
		KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_folio,
								   page_folio(pages + i)));
	return pages;
}

static void expect_owned(struct kunit *test, struct page *pages, unsigned int num,
			 unsigned int num_owned)
{
	unsigned int i;

	for (i = 0; i < num; i++)
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(pages + i), i < num_owned ? 2 : 1,
				    "page %u", i);
}

/* Memory that grows gets neighbours now and then, so the case chooses its pages. */
static void restore_system_fail_nth(struct kunit *test)
{
	struct page *pages = neighbours_new(test, 5);
	const unsigned long pfn = page_to_pfn(pages);
	const struct drm_hotupdate_range ranges[] = {
		{ pfn, 8 }, { pfn + 9, 4 }, { pfn + 14, 2 }, { pfn + 17, 1 },
	};
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);
	unsigned int i;

	mock_fail_init(test);
	cargo->ranges = ranges;
	cargo->num_ranges = ARRAY_SIZE(ranges);
	cargo->is_system = true;
	cargo->num_expected = ARRAY_SIZE(ranges);
	cargo->size = 15 * SZ_4K;
	cargo->to = memory_new(test, vram_new(test, SZ_1M), VGPU_BACKING_SYSTEM);
	cargo->look = look_fail_nth;
	KUNIT_ASSERT_EQ(test, mock_carrier_save(carrier), 0);
	KUNIT_EXPECT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_EXPECT_EQ(test, vgpu_memory_own(cargo->to), 0);
	KUNIT_EXPECT_EQ(test, cargo->to->size, 15 * SZ_4K);
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		expect_owned(test, pfn_to_page(ranges[i].pfn), ranges[i].nr_pages,
			     ranges[i].nr_pages);
	vgpu_memory_release(cargo->to);
	expect_owned(test, pages, 32, 0);
}

/* A range is one chunk, of however many folios, and they come and go as such. */
static void restore_many_folios(struct kunit *test)
{
	struct page *pages = neighbours_new(test, 4);
	const struct drm_hotupdate_range range = { page_to_pfn(pages), 16 };
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);

	cargo->ranges = &range;
	cargo->num_ranges = 1;
	cargo->is_system = true;
	cargo->size = SZ_64K;
	cargo->to = memory_new(test, vram_new(test, SZ_1M), VGPU_BACKING_SYSTEM);
	KUNIT_ASSERT_EQ(test, mock_carrier_save(carrier), 0);
	KUNIT_ASSERT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_ASSERT_EQ(test, vgpu_memory_own(cargo->to), 0);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&cargo->to->chunks), 1);
	KUNIT_EXPECT_EQ(test, cargo->to->size, SZ_64K);
	expect_owned(test, pages, 16, 16);

	vgpu_memory_shrink(cargo->to, 11 * SZ_4K);
	KUNIT_EXPECT_EQ(test, cargo->to->size, 11 * SZ_4K);
	expect_owned(test, pages, 16, 11);
	vgpu_memory_shrink(cargo->to, SZ_4K);
	expect_owned(test, pages, 16, 1);
	vgpu_memory_shrink(cargo->to, 0);
	KUNIT_EXPECT_EQ(test, cargo->to->size, 0);
	expect_owned(test, pages, 16, 0);
}

/* Restored memory is memory: it grows, shrinks, and is saved again. */
static void resize_after_restore(struct kunit *test)
{
	const enum vgpu_backing *backing = test->param_value;
	struct vgpu_vram *vrams[] = { vram_new(test, SZ_1M), vram_new(test, SZ_1M),
				      vram_new(test, SZ_1M) };
	struct vgpu_memory *from = memory_new(test, vrams[0], *backing);
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);
	u64 *before;

	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(from, 8 * SZ_4K), 0);
	cargo->from = from;
	cargo->size = 8 * SZ_4K;
	cargo->to = memory_new(test, vrams[1], *backing);
	leave_behind(test, carrier, from);
	KUNIT_ASSERT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_ASSERT_EQ(test, vgpu_memory_own(cargo->to), 0);

	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(cargo->to, 20 * SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, cargo->to->size, 20 * SZ_4K);
	vgpu_memory_shrink(cargo->to, 8 * SZ_4K);
	KUNIT_EXPECT_EQ(test, cargo->to->size, 8 * SZ_4K);
	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(cargo->to, 24 * SZ_4K), 0);
	before = memory_pages(test, cargo->to);

	cargo->from = cargo->to;
	cargo->size = 24 * SZ_4K;
	cargo->to = memory_new(test, vrams[2], *backing);
	leave_behind(test, carrier, cargo->from);
	KUNIT_ASSERT_EQ(test, mock_carrier_restore(carrier), 0);
	KUNIT_ASSERT_EQ(test, vgpu_memory_own(cargo->to), 0);
	expect_same_pages(test, cargo->to, before, 24 * SZ_4K);
}

/* A driver that goes before it owns what it was given gives it back. */
static void release_before_own(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_1M);
	struct vgpu_memory *from = memory_new(test, vram, VGPU_BACKING_SYSTEM);
	struct mock_carrier *carrier = mock_carrier_new(test);
	struct cargo *cargo = cargo_new(test, carrier);
	struct folio *folio;

	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(from, SZ_4K), 0);
	folio = list_first_entry(&from->chunks, struct vgpu_chunk, link)->folio;
	folio_get(folio);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_folio, folio));
	cargo->from = from;
	cargo->size = SZ_4K;
	cargo->to = memory_new(test, vram, VGPU_BACKING_SYSTEM);
	leave_behind(test, carrier, from);
	KUNIT_ASSERT_EQ(test, mock_carrier_restore(carrier), 0);
	vgpu_memory_release(cargo->to);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
	KUNIT_EXPECT_NULL(test, cargo->to->block);
	KUNIT_EXPECT_EQ(test, cargo->to->size, 0);
}

static struct kunit_case update_cases[] = {
	KUNIT_CASE_PARAM(restore_vram_refused, refused_gen_params),
	KUNIT_CASE(restore_vram_as_system),
	KUNIT_CASE(restore_system_as_vram),
	KUNIT_CASE(restore_forget_restore),
	KUNIT_CASE(own_before_commit),
	KUNIT_CASE(restore_vram_fail_nth),
	KUNIT_CASE(restore_system_fail_nth),
	KUNIT_CASE(release_before_own),
	KUNIT_CASE(save_merges_neighbours),
	KUNIT_CASE(roundtrip_vram_fragmented),
	KUNIT_CASE(roundtrip_system),
	KUNIT_CASE(restore_many_folios),
	KUNIT_CASE_PARAM(resize_after_restore, backing_gen_params),
	{ }
};

static struct kunit_suite update_suite = {
	.name = "vgpu_memory_update",
	.init = mock_init,
	.test_cases = update_cases,
};

kunit_test_suite(update_suite);
