// SPDX-License-Identifier: GPL-2.0-only
/*
 * The index of the pages that are in a block, which all adapters share.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "drm_hotupdate_kunit.h"

#define RUN_ORDER	9
#define RUN_PAGES	BIT(RUN_ORDER)

/* Pages one beside the other, each for itself. */
struct run {
	struct page *page;
	/* Entered, to be taken out if the case fails */
	DECLARE_BITMAP(entered, RUN_PAGES);
};

static struct drm_hotupdate_range run_range(struct run *run, unsigned int first,
					    unsigned int num)
{
	return (struct drm_hotupdate_range) { page_to_pfn(run->page) + first, num };
}

static int index_add(const struct drm_hotupdate_range *range, unsigned long *pfn)
{
	const char *reason;

	return hotupdate_index_hold(range, false, pfn, &reason);
}

static int run_add(struct run *run, unsigned int first, unsigned int num,
		   unsigned long *pfn)
{
	struct drm_hotupdate_range range = run_range(run, first, num);
	int err = index_add(&range, pfn);

	if (!err)
		bitmap_set(run->entered, first, num);
	return err;
}

static void run_remove(struct run *run, unsigned int first, unsigned int num)
{
	struct drm_hotupdate_range range = run_range(run, first, num);

	hotupdate_index_drop(&range);
	bitmap_clear(run->entered, first, num);
}

static void run_free(void *data)
{
	struct run *run = data;
	unsigned int i;

	for_each_set_bit(i, run->entered, RUN_PAGES)
		run_remove(run, i, 1);
	for (i = 0; i < RUN_PAGES; i++)
		__free_page(run->page + i);
}

static struct run *run_new(struct kunit *test)
{
	struct run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, run);
	run->page = alloc_pages(GFP_KERNEL, RUN_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, run->page);
	split_page(run->page, RUN_ORDER);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, run_free, run), 0);
	return run;
}

static int index_init(struct kunit *test)
{
	test->priv = run_new(test);
	return 0;
}

/* The index is empty after each case, whatever was entered and refused. */
static void index_exit(struct kunit *test)
{
	if (test->priv)
		kunit_release_action(test, run_free, test->priv);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

/*
 * A page that was entered is found, and named, until it is taken out.
 *
 * Clauses: W12, U8
 */
static void add_same_page_twice(struct kunit *test)
{
	struct run *run = test->priv;
	unsigned long pfn = 0;

	KUNIT_EXPECT_EQ(test, run_add(run, 7, 1, &pfn), 0);
	KUNIT_EXPECT_FALSE(test, hotupdate_index_is_empty());
	KUNIT_EXPECT_EQ(test, run_add(run, 7, 1, &pfn), -EEXIST);
	KUNIT_EXPECT_EQ(test, pfn, page_to_pfn(run->page) + 7);

	run_remove(run, 7, 1);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	KUNIT_EXPECT_EQ(test, run_add(run, 7, 1, &pfn), 0);
}

/*
 * Taking out what is not there, as for a driver that has split what it saved, is
 * noticed, and takes out nothing else.
 */
static void remove_what_is_not_there(struct kunit *test)
{
	struct run *run = test->priv;
	unsigned long pfn;

	run_remove(run, 3, 1);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());

	KUNIT_EXPECT_EQ(test, run_add(run, 5, 2, &pfn), 0);
	run_remove(run, 4, 1);
	run_remove(run, 7, 1);
	run_remove(run, 6, 1);
	run_remove(run, 6, 1);
	KUNIT_EXPECT_EQ(test, run_add(run, 5, 1, &pfn), -EEXIST);
	run_remove(run, 5, 1);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

/*
 * Ranges that touch each other do not overlap, and taking one out leaves its
 * neighbours.
 */
static void add_neighbours(struct kunit *test)
{
	struct run *run = test->priv;
	unsigned long pfn;

	KUNIT_EXPECT_EQ(test, run_add(run, 100, 10, &pfn), 0);
	KUNIT_EXPECT_EQ(test, run_add(run, 90, 10, &pfn), 0);
	KUNIT_EXPECT_EQ(test, run_add(run, 110, 10, &pfn), 0);

	run_remove(run, 100, 10);
	KUNIT_EXPECT_EQ(test, run_add(run, 99, 1, &pfn), -EEXIST);
	KUNIT_EXPECT_EQ(test, run_add(run, 110, 1, &pfn), -EEXIST);
	KUNIT_EXPECT_EQ(test, run_add(run, 100, 10, &pfn), 0);
}

struct overlap_param {
	const char *name;
	unsigned int first;
	unsigned int num;
	unsigned int conflict;
};

/* Against pages 100 to 109 */
static const struct overlap_param overlaps[] = {
	{ "same", 100, 10, 100 },
	{ "first_page", 100, 1, 100 },
	{ "last_page", 109, 1, 109 },
	{ "inside", 104, 2, 104 },
	{ "around", 50, 100, 100 },
	{ "over_the_front", 95, 6, 100 },
	{ "over_the_end", 109, 6, 109 },
};

KUNIT_ARRAY_PARAM_DESC(overlaps, overlaps, name);

/*
 * However a range overlaps one that was entered, it is refused with the first
 * page that they share, and nothing of it stays: all pages around the first
 * range can still be entered.
 *
 * Clauses: W12, U8
 */
static void add_overlap(struct kunit *test)
{
	const struct overlap_param *param = test->param_value;
	struct run *run = test->priv;
	unsigned long pfn = 0;

	KUNIT_EXPECT_EQ(test, run_add(run, 100, 10, &pfn), 0);
	KUNIT_EXPECT_EQ(test, run_add(run, param->first, param->num, &pfn), -EEXIST);
	KUNIT_EXPECT_EQ(test, pfn, page_to_pfn(run->page) + param->conflict);

	KUNIT_EXPECT_EQ(test, run_add(run, 0, 100, &pfn), 0);
	KUNIT_EXPECT_EQ(test, run_add(run, 110, RUN_PAGES - 110, &pfn), 0);
	run_remove(run, 0, 100);
	run_remove(run, 110, RUN_PAGES - 110);
	KUNIT_EXPECT_EQ(test, run_add(run, 105, 1, &pfn), -EEXIST);
}

/*
 * What stands between two that were entered is refused as a whole, from
 * whichever side, and neither of the two is lost.
 */
static void add_over_two_others(struct kunit *test)
{
	struct run *run = test->priv;
	unsigned long pfn = 0;

	KUNIT_EXPECT_EQ(test, run_add(run, 10, 1, &pfn), 0);
	KUNIT_EXPECT_EQ(test, run_add(run, 20, 1, &pfn), 0);
	KUNIT_EXPECT_EQ(test, run_add(run, 5, 30, &pfn), -EEXIST);
	KUNIT_EXPECT_EQ(test, pfn, page_to_pfn(run->page) + 10);
	KUNIT_EXPECT_EQ(test, run_add(run, 20, 1, &pfn), -EEXIST);
	KUNIT_EXPECT_EQ(test, run_add(run, 11, 9, &pfn), 0);
}

static void free_folios(void *data)
{
	struct page **pages = data;
	unsigned int order;

	for (order = 0; order <= MAX_PAGE_ORDER; order++)
		if (pages[order])
			__free_pages(pages[order], order);
}

/*
 * Folios of every order are kept apart: each is found by each of its pages'
 * folio, and entered and taken out without a trace in another order.
 */
static void add_every_order(struct kunit *test)
{
	struct page **pages = kunit_kcalloc(test, MAX_PAGE_ORDER + 1, sizeof(*pages),
					    GFP_KERNEL);
	struct drm_hotupdate_range range;
	unsigned int order;
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_folios, pages), 0);
	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		pages[order] = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		KUNIT_ASSERT_NOT_NULL(test, pages[order]);
	}

	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		range.pfn = page_to_pfn(pages[order]);
		range.nr_pages = 1ull << order;
		KUNIT_EXPECT_EQ(test, index_add(&range, &pfn), 0);
	}
	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		range.pfn = page_to_pfn(pages[order]);
		range.nr_pages = 1ull << order;
		pfn = 0;
		KUNIT_EXPECT_EQ(test, index_add(&range, &pfn), -EEXIST);
		KUNIT_EXPECT_EQ(test, pfn, range.pfn);
		hotupdate_index_drop(&range);
	}
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

#define NUM_BLOCKS	128
#define BLOCK_PAGES	BIT(MAX_PAGE_ORDER)

static void free_blocks(void *data)
{
	struct page **blocks = data;
	unsigned int i, k;

	for (i = 0; i < NUM_BLOCKS && blocks[i]; i++)
		for (k = 0; k < BLOCK_PAGES; k++)
			__free_page(blocks[i] + k);
}

/* A page with another one before it, at a multiple of 16 MiB. */
static unsigned long find_boundary(struct page **blocks)
{
	unsigned int i, k;

	for (i = 0; i < NUM_BLOCKS && blocks[i]; i++)
		for (k = 0; k < NUM_BLOCKS && blocks[k]; k++)
			if (page_to_pfn(blocks[k]) == page_to_pfn(blocks[i]) + BLOCK_PAGES &&
			    IS_ALIGNED(page_to_pfn(blocks[k]), SZ_16M >> PAGE_SHIFT))
				return page_to_pfn(blocks[k]);
	return 0;
}

/*
 * A range across a boundary at which the index changes from one piece of its
 * own memory to the next is entered, found on both sides, and rolled back.
 */
static void add_across_boundary(struct kunit *test)
{
	struct page **blocks = kunit_kcalloc(test, NUM_BLOCKS, sizeof(*blocks), GFP_KERNEL);
	struct drm_hotupdate_range range, last;
	unsigned long pfn, boundary;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, blocks);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_blocks, blocks), 0);
	for (i = 0; i < NUM_BLOCKS; i++) {
		blocks[i] = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY,
					MAX_PAGE_ORDER);
		if (!blocks[i])
			break;
		split_page(blocks[i], MAX_PAGE_ORDER);
	}
	boundary = find_boundary(blocks);
	KUNIT_ASSERT_NE_MSG(test, boundary, 0, "this machine has too little memory");

	range = (struct drm_hotupdate_range) { boundary - 8, 16 };
	last = (struct drm_hotupdate_range) { boundary + 7, 1 };
	KUNIT_EXPECT_EQ(test, index_add(&last, &pfn), 0);
	KUNIT_EXPECT_EQ(test, index_add(&range, &pfn), -EEXIST);
	KUNIT_EXPECT_EQ(test, pfn, boundary + 7);
	hotupdate_index_drop(&last);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());

	KUNIT_EXPECT_EQ(test, index_add(&range, &pfn), 0);
	KUNIT_EXPECT_EQ(test, index_add(&last, &pfn), -EEXIST);
	hotupdate_index_drop(&range);
}

/*
 * Every other page, entered and taken out at random: what is in is refused,
 * what is not is not, and at the end nothing is left.
 */
static void add_scattered(struct kunit *test)
{
	struct run *run = test->priv;
	unsigned int wrong = 0, i;
	struct rnd_state rnd;
	unsigned long pfn;

	prandom_seed_state(&rnd, 1903);
	for (i = 0; i < 20000; i++) {
		unsigned int page = prandom_u32_state(&rnd) % RUN_PAGES;
		bool is_in = test_bit(page, run->entered);

		if (is_in && prandom_u32_state(&rnd) % 2)
			run_remove(run, page, 1);
		else
			wrong += run_add(run, page, 1, &pfn) != (is_in ? -EEXIST : 0);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_FALSE(test, bitmap_empty(run->entered, RUN_PAGES));
}

/* Another task enters page 1 before this one has allocated, and so is quicker. */
static struct index_chunk *alloc_too_late(void)
{
	struct kunit *test = kunit_get_current_test();
	unsigned long pfn;

	kunit_deactivate_static_stub(test, hotupdate_index_alloc_chunk);
	KUNIT_EXPECT_EQ(test, run_add(test->priv, 1, 1, &pfn), 0);
	return hotupdate_index_alloc_chunk();
}

/*
 * Two tasks that need the same new piece of the index both find their pages entered
 * in the one that is quicker to make it.
 */
static void add_at_the_same_time(struct kunit *test)
{
	struct run *run = test->priv;
	unsigned long pfn;

	kunit_activate_static_stub(test, hotupdate_index_alloc_chunk, alloc_too_late);
	KUNIT_EXPECT_EQ(test, run_add(run, 0, 1, &pfn), 0);
	KUNIT_EXPECT_EQ(test, run_add(run, 0, 1, &pfn), -EEXIST);
	KUNIT_EXPECT_EQ(test, run_add(run, 1, 1, &pfn), -EEXIST);
	run_remove(run, 1, 1);
	KUNIT_EXPECT_EQ(test, run_add(run, 0, 1, &pfn), -EEXIST);
	run_remove(run, 0, 1);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

static struct kunit_case index_cases[] = {
	KUNIT_CASE(add_same_page_twice),
	KUNIT_CASE(remove_what_is_not_there),
	KUNIT_CASE(add_neighbours),
	KUNIT_CASE_PARAM(add_overlap, overlaps_gen_params),
	KUNIT_CASE(add_over_two_others),
	KUNIT_CASE(add_every_order),
	KUNIT_CASE(add_across_boundary),
	KUNIT_CASE(add_scattered),
	KUNIT_CASE(add_at_the_same_time),
	{ }
};

static struct kunit_suite index_suite = {
	.name = "drm_hotupdate_index",
	.init = index_init,
	.exit = index_exit,
	.test_cases = index_cases,
};

kunit_test_suites(&index_suite);
