// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is saved already, in whatever way and by whomever.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "drm_hotupdate_kunit.h"

/* Another block of the same pages, saved in one way or the other. */
static struct fake_block *same_pages(struct kunit *test, struct fake_block *fb,
				     enum hotupdate_kind kind)
{
	struct fake_block *same = fake_block_new(test, kind, fb->num_ranges);

	memcpy(same->ranges, fb->ranges, fb->num_ranges * sizeof(*fb->ranges));
	memcpy(same->pages, fb->pages, fb->num_ranges * sizeof(*fb->pages));
	same->size = fb->size;
	same->seed = fb->seed;
	if (kind == HOTUPDATE_KIND_SGT) {
		same->shown_sgt.sgl = kunit_kcalloc(test, fb->num_ranges,
						    sizeof(struct scatterlist), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, same->shown_sgt.sgl);
	}
	return same;
}

/* The save fails with -EEXIST because of this block, and leaves no trace. */
static void expect_exists(struct kunit *test, struct fake_driver *driver,
			  const char *block)
{
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EEXIST);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	FAKE_EXPECT_ERROR(driver->gpu, block);
	FAKE_EXPECT_ERROR(driver->gpu, "saved already");
}

struct ways {
	const char *name;
	enum hotupdate_kind first;
	enum hotupdate_kind second;
};

static const struct ways ways[] = {
	{ "ranges_and_ranges", HOTUPDATE_KIND_RANGES, HOTUPDATE_KIND_RANGES },
	{ "ranges_and_sgt", HOTUPDATE_KIND_RANGES, HOTUPDATE_KIND_SGT },
	{ "sgt_and_ranges", HOTUPDATE_KIND_SGT, HOTUPDATE_KIND_RANGES },
	{ "sgt_and_sgt", HOTUPDATE_KIND_SGT, HOTUPDATE_KIND_SGT },
};

KUNIT_ARRAY_PARAM_DESC(ways, ways, name);

static const unsigned int orders[] = { 0, 3, 1 };

/*
 * A page that an earlier block of the same save has is refused, in whichever
 * two ways the blocks name it; the error names the block and the page.
 *
 * Clauses: W12, U8, U3
 */
static void save_earlier_block(struct kunit *test)
{
	const struct ways *ways = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_pages(test, ways->first, orders, 3);

	fake_driver_saves(driver, fake_block_page(test));
	fake_driver_saves(driver, fb);
	fake_driver_saves(driver, same_pages(test, fb, ways->second));
	expect_exists(test, driver, "block 2 refused: page");
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	fake_block_expect_refs(test, fb, 1);
}

/*
 * The same page twice in one call is refused.
 *
 * Clauses: W12, U8, U3
 */
static void save_same_call(struct kunit *test)
{
	const struct ways *ways = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_pages(test, ways->second, orders, 3);

	fb->ranges[2] = fb->ranges[1];
	fb->pages[2] = fb->pages[1];
	fake_driver_saves(driver, fb);
	expect_exists(test, driver, "block 0 refused: page");
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	fake_block_expect_refs(test, fb, 1);
}

/*
 * One folio of two blocks is enough. What the refused block has beside it can
 * be saved afterwards: nothing of it was kept.
 *
 * Clauses: U8, U3
 */
static void save_one_folio_of_many(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *a = fake_block_pages(test, HOTUPDATE_KIND_RANGES, orders, 3);
	struct fake_block *b = fake_block_pages(test, HOTUPDATE_KIND_RANGES, orders, 3);
	struct drm_hotupdate_range own = b->ranges[1];

	b->ranges[1] = a->ranges[1];
	fake_driver_saves(driver, a);
	fake_driver_saves(driver, b);
	expect_exists(test, driver, "block 1 refused: page");

	b->ranges[1] = own;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
}

/*
 * A page that another adapter's driver has saved is refused, while that driver
 * is there and when it has gone; the other stash is whole, and with it gone,
 * the page can be saved.
 *
 * Clauses: W12, U8
 */
static void save_in_another_adapter(struct kunit *test)
{
	const struct ways *ways = test->param_value;
	struct fake_driver *other = fake_driver_running(test);
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_pages(test, ways->first, orders, 3);

	fake_driver_saves(other, fb);
	fake_driver_saves(driver, same_pages(test, fb, ways->second));
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(other->adapter, 0), 0);
	expect_exists(test, driver, "block 0 refused: page");

	fake_driver_unregister(other);
	expect_exists(test, driver, "block 0 refused: page");
	FAKE_EXPECT_STASH(other->gpu, 1);
	fake_block_expect_refs(test, fb, 1);

	KUNIT_ASSERT_EQ(test, fake_driver_register(other), 0);
	fake_driver_expect_restored(other, other);
	expect_exists(test, driver, "block 0 refused: page");
	fake_driver_put_blocks(other);
	fake_block_expect_refs(test, fb, 0);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

/*
 * Two adapters save memory of their own, and do not get in each other's way.
 *
 * Clauses: U8
 */
static void save_beside_another_adapter(struct kunit *test)
{
	struct fake_driver *a = fake_driver_running(test);
	struct fake_driver *b = fake_driver_running(test);

	fake_driver_saves_each_kind(a);
	fake_driver_saves_each_kind(b);
	FAKE_ASSERT_DETACHED(a);
	FAKE_ASSERT_DETACHED(b);
	KUNIT_ASSERT_EQ(test, fake_driver_register(b), 0);
	KUNIT_ASSERT_EQ(test, fake_driver_register(a), 0);
	fake_driver_expect_restored(a, a);
	fake_driver_expect_restored(b, b);
}

static int save_stashed_page(struct fake_driver *driver, enum fake_call call,
			     struct drm_hotupdate_block *block)
{
	struct drm_hotupdate_save_args args = { .num_ranges = 1 };
	struct kunit *test = driver->test;
	struct drm_hotupdate_range range;
	unsigned int num;

	if (call != FAKE_SAVE)
		return 0;

	block = xa_load(&driver->adapter->stash.blocks, 0);
	KUNIT_EXPECT_NOT_NULL(test, block);
	range = drm_hotupdate_block_ranges(block, &num)[0];
	args.ranges = &range;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_save_memory(driver->adapter, &args), -EEXIST);
	return 0;
}

/*
 * The pages of the copy that was made of a buffer are in a block, too.
 *
 * Clauses: U8
 */
static void save_pages_of_buffer(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves(driver, fake_block_buffer(test, 2 * PAGE_SIZE));
	driver->hook = save_stashed_page;
	expect_exists(test, driver, "block 1 refused: page");
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

/*
 * A buffer is copied each time, so that it can be saved twice.
 *
 * Clauses: W10
 */
static void save_buffer_twice(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_buffer(test, 100);

	fake_driver_saves(driver, fb);
	fake_driver_saves(driver, fb);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_driver_expect_restored(driver, driver);
}

struct device_ranges {
	const char *name;
	u64 pfn;
	u64 nr_pages;
};

/* Against device pages 0x100 to 0x1ff */
static const struct device_ranges device_overlaps[] = {
	{ "same", 0x100, 0x100 },
	{ "first_page", 0x100, 1 },
	{ "last_page", 0x1ff, 1 },
	{ "inside", 0x150, 0x10 },
	{ "around", 0, 0x1000 },
	{ "over_the_front", 0xff, 2 },
	{ "over_the_end", 0x1ff, 2 },
};

KUNIT_ARRAY_PARAM_DESC(device_overlaps, device_overlaps, name);

/*
 * Device memory that is saved already is refused, however it overlaps.
 *
 * Clauses: U8, U3
 */
static void save_device_overlap(struct kunit *test)
{
	const struct device_ranges *param = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves(driver, fake_block_device(test, 0x100, 0x100));
	fake_driver_saves(driver, fake_block_device(test, param->pfn, param->nr_pages));
	expect_exists(test, driver, "block 1 refused: page");

	driver->num_saves = 1;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	FAKE_EXPECT_STASH(driver->gpu, 1);
}

/*
 * Overlapping ranges of device memory in one call are refused, too, and none of
 * the call's ranges stays: they can be saved one by one.
 *
 * Clauses: U8, U3
 */
static void save_device_same_call(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_new(test, HOTUPDATE_KIND_DEVICE, 3);

	fb->ranges[0] = (struct drm_hotupdate_range) { 0x500, 0x10 };
	fb->ranges[1] = (struct drm_hotupdate_range) { 0x100, 0x10 };
	fb->ranges[2] = (struct drm_hotupdate_range) { 0x10f, 0x10 };
	fake_driver_saves(driver, fb);
	fake_driver_saves(driver, fake_block_device(test, 0x500, 0x10));
	fake_driver_saves(driver, fake_block_device(test, 0x100, 0x10));
	driver->ignores_errors = true;
	expect_exists(test, driver, "block 0 refused: page");
}

static int save_device_again(struct fake_driver *driver, enum fake_call call,
			     struct drm_hotupdate_block *block)
{
	struct fake_block *fb = driver->hook_data;

	if (call == FAKE_SAVE)
		KUNIT_EXPECT_EQ(driver->test, fake_block_save(driver->adapter, fb), 0);
	return 0;
}

/*
 * A refused call has entered nothing: in the same save, what it named beside
 * the overlap is accepted (though the save is lost).
 *
 * Clauses: U3
 */
static void save_device_after_refusal(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_new(test, HOTUPDATE_KIND_DEVICE, 2);

	fb->ranges[0] = (struct drm_hotupdate_range) { 0x500, 0x10 };
	fb->ranges[1] = (struct drm_hotupdate_range) { 0x500, 0x10 };
	fake_driver_saves(driver, fb);
	driver->ignores_errors = true;
	driver->hook = save_device_again;
	driver->hook_data = fake_block_device(test, 0x500, 0x10);
	expect_exists(test, driver, "block 0 refused: page");
}

/*
 * Ranges of device memory that touch each other do not overlap.
 */
static void save_device_neighbours(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves(driver, fake_block_device(test, 0x100, 0x100));
	fake_driver_saves(driver, fake_block_device(test, 0x200, 0x100));
	fake_driver_saves(driver, fake_block_device(test, 0, 0x100));
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	FAKE_EXPECT_STASH(driver->gpu, 3);
}

/*
 * Each device numbers its memory for itself: two adapters can save the same
 * numbers, and the host's page numbers are others again.
 *
 * Clauses: U8
 */
static void save_device_in_another_adapter(struct kunit *test)
{
	struct fake_driver *a = fake_driver_running(test);
	struct fake_driver *b = fake_driver_running(test);
	struct fake_block *fb = fake_block_page(test);

	fake_driver_saves(a, fake_block_device(test, fb->ranges[0].pfn, 1));
	fake_driver_saves(b, fake_block_device(test, fb->ranges[0].pfn, 1));
	fake_driver_saves(b, fb);
	FAKE_ASSERT_DETACHED(a);
	FAKE_ASSERT_DETACHED(b);
	FAKE_EXPECT_STASH(a->gpu, 1);
	FAKE_EXPECT_STASH(b->gpu, 2);
}

/*
 * After a cancel, and after an update, device memory can be saved again.
 */
static void save_device_again_later(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves(driver, fake_block_device(test, 0x100, 0x100));
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	FAKE_ASSERT_DETACHED(driver);
	FAKE_EXPECT_STASH(driver->gpu, 1);
}

static struct kunit_case overlap_cases[] = {
	KUNIT_CASE_PARAM(save_earlier_block, ways_gen_params),
	KUNIT_CASE_PARAM(save_same_call, ways_gen_params),
	KUNIT_CASE(save_one_folio_of_many),
	KUNIT_CASE_PARAM(save_in_another_adapter, ways_gen_params),
	KUNIT_CASE(save_beside_another_adapter),
	KUNIT_CASE(save_pages_of_buffer),
	KUNIT_CASE(save_buffer_twice),
	KUNIT_CASE_PARAM(save_device_overlap, device_overlaps_gen_params),
	KUNIT_CASE(save_device_same_call),
	KUNIT_CASE(save_device_after_refusal),
	KUNIT_CASE(save_device_neighbours),
	KUNIT_CASE(save_device_in_another_adapter),
	KUNIT_CASE(save_device_again_later),
	{ }
};

static struct kunit_suite overlap_suite = {
	.name = "drm_hotupdate_overlap",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = overlap_cases,
};

kunit_test_suites(&overlap_suite);
