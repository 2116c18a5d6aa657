// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has references to the pages, at each step, and that they are freed once.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "drm_hotupdate_kunit.h"

static const unsigned int some_orders[] = { 0, 2, 0, 1 };

/* Of an update of several folios, with the block that was replayed. */
struct owner {
	struct fake_driver *driver;
	struct fake_block *fb;
	struct drm_hotupdate_block *block;
};

static struct owner updated(struct kunit *test, enum hotupdate_kind kind)
{
	struct owner owner = { .driver = fake_driver_running(test) };

	owner.fb = fake_block_pages(test, kind, some_orders, ARRAY_SIZE(some_orders));
	fake_block_with_meta(test, owner.fb, 77);
	fake_driver_saves(owner.driver, owner.fb);
	FAKE_ASSERT_DETACHED(owner.driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(owner.driver), 0);
	KUNIT_ASSERT_EQ(test, owner.driver->num_blocks, 1);
	owner.block = owner.driver->blocks[0];
	return owner;
}

static const enum hotupdate_kind kinds[] = { HOTUPDATE_KIND_RANGES, HOTUPDATE_KIND_SGT };

static void describe_kind(const enum hotupdate_kind *kind, char *desc)
{
	strscpy(desc, *kind == HOTUPDATE_KIND_SGT ? "sgt" : "ranges", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kinds, kinds, describe_kind);

/*
 * From the save to the commit no page is copied, moved, or written to. The block has
 * a reference of its own, and the driver's goes with the driver.
 *
 * Clauses: W9, U2, U13
 */
static void pages_stay_where_they_are(struct kunit *test)
{
	const enum hotupdate_kind *kind = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_pages(test, *kind, some_orders,
						 ARRAY_SIZE(some_orders));

	fake_driver_saves(driver, fb);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	fake_block_expect_refs(test, fb, 2);
	fake_driver_unregister(driver);
	fake_block_expect_refs(test, fb, 1);
	fake_block_expect_untouched(test, fb);

	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_block_expect_refs(test, fb, 1);
	fake_block_expect_untouched(test, fb);
	fake_block_expect_same(test, fb, driver->blocks[0]);
}

static int check_pages_are_the_drivers(struct fake_driver *driver, enum fake_call call,
				       struct drm_hotupdate_block *block)
{
	if (call == FAKE_CANCEL) {
		fake_block_expect_refs(driver->test, driver->saves[0], 1);
		KUNIT_EXPECT_TRUE(driver->test, hotupdate_index_is_empty());
	}
	return 0;
}

/*
 * A cancel drops the references of the blocks, before the callback: the pages are
 * the driver's as before, and can be saved again.
 *
 * Clauses: U2, W4
 */
static void cancel_drops_references(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_pages(test, HOTUPDATE_KIND_SGT, some_orders,
						 ARRAY_SIZE(some_orders));

	fake_driver_saves(driver, fb);
	driver->hook = check_pages_are_the_drivers;
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	fake_block_expect_refs(test, fb, 1);
	fake_block_expect_untouched(test, fb);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());

	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	FAKE_EXPECT_STASH(driver->gpu, 1);
}

/*
 * A driver that goes without having saved takes everything with it.
 *
 * Clauses: U2
 */
static void unregister_without_save(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_page(test);

	fake_driver_saves(driver, fb);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	fake_driver_unregister(driver);
	fake_block_expect_refs(test, fb, 1);
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(driver->gpu));
}

/*
 * A discard frees every page, once.
 *
 * Clauses: U9
 */
static void discard_frees_pages(struct kunit *test)
{
	const enum hotupdate_kind *kind = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_pages(test, *kind, some_orders,
						 ARRAY_SIZE(some_orders));

	fake_driver_saves(driver, fb);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(driver->gpu->adapter, false), 0);
	fake_block_expect_refs(test, fb, 0);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

/*
 * A driver that keeps its reference keeps the pages; with its last reference
 * every folio is freed, once.
 *
 * Clauses: W16
 */
static void put_frees_pages(struct kunit *test)
{
	const enum hotupdate_kind *kind = test->param_value;
	struct owner owner = updated(test, *kind);

	KUNIT_EXPECT_PTR_EQ(test, drm_hotupdate_block_get(owner.block), owner.block);
	drm_hotupdate_block_put(owner.block);
	fake_block_expect_refs(test, owner.fb, 1);
	KUNIT_EXPECT_FALSE(test, hotupdate_index_is_empty());

	owner.driver->num_blocks = 0;
	drm_hotupdate_block_put(owner.block);
	fake_block_expect_refs(test, owner.fb, 0);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

/*
 * There is nothing to drop in no block.
 */
static void put_null(struct kunit *test)
{
	drm_hotupdate_block_put(NULL);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

static void get_buffer_pages(struct kunit *test, struct drm_hotupdate_block *block,
			     struct page **pages, unsigned int num)
{
	struct sg_table *sgt = drm_hotupdate_block_sgt(block);
	struct sg_page_iter iter;
	unsigned int i = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	for_each_sgtable_page(sgt, &iter, 0) {
		KUNIT_ASSERT_LT(test, i, num);
		pages[i] = sg_page_iter_page(&iter);
		get_page(pages[i++]);
	}
	KUNIT_EXPECT_EQ(test, i, num);
}

#define BUFFER_PAGES	11u

static void put_buffer_pages(struct kunit *test, struct page **pages)
{
	unsigned int i;

	/* Of a compound page, the last one to be dropped is the last of all. */
	for (i = 0; i < BUFFER_PAGES; i++) {
		struct page *head = compound_head(pages[i]);
		int others = 0;
		unsigned int k;

		for (k = i; k < BUFFER_PAGES; k++)
			others += compound_head(pages[k]) == head;
		KUNIT_EXPECT_EQ(test, page_ref_count(head), others);
		put_page(pages[i]);
	}
}

/*
 * The copy that was made of a buffer is freed with its block, too.
 *
 * Clauses: W16
 */
static void put_frees_buffer(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct page *pages[BUFFER_PAGES];

	fake_driver_saves(driver, fake_block_buffer(test, BUFFER_PAGES * PAGE_SIZE - 3));
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	get_buffer_pages(test, driver->blocks[0], pages, BUFFER_PAGES);
	fake_driver_put_blocks(driver);
	put_buffer_pages(test, pages);
}

/*
 * A cancel frees the copy of a buffer: it was never the driver's.
 *
 * Clauses: U2
 */
static void cancel_frees_buffer(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct drm_hotupdate_block *block;
	struct page *pages[BUFFER_PAGES];

	fake_driver_saves(driver, fake_block_buffer(test, BUFFER_PAGES * PAGE_SIZE));
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	block = xa_load(&driver->adapter->stash.blocks, 0);
	KUNIT_ASSERT_NOT_NULL(test, block);
	get_buffer_pages(test, block, pages, BUFFER_PAGES);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	put_buffer_pages(test, pages);
}

/*
 * A block that a driver keeps, its metadata included, can outlive the adapter.
 *
 * Clauses: W16, U17
 */
static void block_outlives_adapter(struct kunit *test)
{
	struct owner owner = updated(test, HOTUPDATE_KIND_RANGES);

	fake_driver_unregister(owner.driver);
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(owner.driver->gpu));
	fake_block_expect_refs(test, owner.fb, 1);
	fake_block_expect_same(test, owner.fb, owner.block);
	fake_driver_put_blocks(owner.driver);
	fake_block_expect_refs(test, owner.fb, 0);
}

static void take_one(struct kunit *test, bool sgt_first)
{
	struct owner owner = updated(test, HOTUPDATE_KIND_RANGES);
	struct sg_table sgt = { };

	if (sgt_first)
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm_hotupdate_block_sgt(owner.block));
	KUNIT_ASSERT_EQ(test, drm_hotupdate_block_take(owner.block, &sgt), 0);
	owner.driver->num_blocks = 0;

	fake_block_expect_table(test, owner.fb, &sgt);
	sg_free_table(&sgt);
	fake_block_expect_refs(test, owner.fb, 1);
	fake_block_expect_untouched(test, owner.fb);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

/*
 * Pages that are taken are listed exactly, with one reference to each folio,
 * and as if the driver had allocated them: the core knows them no more.
 *
 * Clauses: W16
 */
static void take_makes_pages_the_drivers(struct kunit *test)
{
	take_one(test, false);
}

/*
 * The same with the table that was there already.
 *
 * Clauses: W16
 */
static void take_after_sgt(struct kunit *test)
{
	take_one(test, true);
}

/*
 * Pages of a block that the driver kept cannot be saved again; once they are
 * taken they can, and go through another update.
 *
 * Clauses: W12, W16
 */
static void take_then_save_again(struct kunit *test)
{
	struct owner owner = updated(test, HOTUPDATE_KIND_RANGES);
	struct sg_table sgt = { };

	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(owner.driver->adapter, 0), -EEXIST);
	FAKE_EXPECT_STATE(owner.driver->gpu, HOTUPDATE_RUNNING);
	fake_block_expect_refs(test, owner.fb, 1);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_block_take(owner.block, &sgt), 0);
	sg_free_table(&sgt);
	owner.driver->num_blocks = 0;

	FAKE_ASSERT_DETACHED(owner.driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(owner.driver), 0);
	fake_driver_expect_restored(owner.driver, owner.driver);
	fake_block_expect_refs(test, owner.fb, 1);
}

/*
 * As long as somebody else has a reference nothing is taken, nor is the
 * caller's table written to.
 *
 * Clauses: W16
 */
static void take_with_second_reference(struct kunit *test)
{
	struct owner owner = updated(test, HOTUPDATE_KIND_RANGES);
	struct sg_table sgt = { .orig_nents = 77 };

	drm_hotupdate_block_get(owner.block);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_block_take(owner.block, &sgt), -EBUSY);
	KUNIT_EXPECT_EQ(test, sgt.orig_nents, 77);
	fake_block_expect_refs(test, owner.fb, 1);

	drm_hotupdate_block_put(owner.block);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_block_take(owner.block, &sgt), 0);
	owner.driver->num_blocks = 0;
	sg_free_table(&sgt);
}

/*
 * Device memory has no pages to take. The driver has its reference still.
 *
 * Clauses: W16
 */
static void take_device(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct sg_table sgt = { .orig_nents = 77 };

	fake_driver_saves(driver, fake_block_device(test, 0, 1));
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_block_take(driver->blocks[0], &sgt), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, sgt.orig_nents, 77);
	fake_block_expect_same(test, driver->saves[0], driver->blocks[0]);
}

/* Tries to take the first block in every callback; what came of it in hook_data. */
static int take_hook(struct fake_driver *driver, enum fake_call call,
		     struct drm_hotupdate_block *block)
{
	int *results = driver->hook_data;
	struct sg_table sgt;

	if (call == FAKE_SAVE || call == FAKE_STOP)
		return 0;
	results[call] = drm_hotupdate_block_take(block ?: driver->blocks[0], &sgt);
	if (!results[call]) {
		sg_free_table(&sgt);
		driver->num_blocks = 0;
	}
	return 0;
}

/*
 * Before the commit another driver may still be handed the pages, so that none
 * can be taken; in restore_complete they can.
 *
 * Clauses: W16, W18, U5
 */
static void take_before_commit(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_page(test);
	int results[FAKE_NUM_CALLS] = { };

	fake_driver_saves(driver, fb);
	FAKE_ASSERT_DETACHED(driver);
	driver->hook = take_hook;
	driver->hook_data = results;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_EQ(test, results[FAKE_RESTORE], -EBUSY);
	KUNIT_EXPECT_EQ(test, results[FAKE_START], -EBUSY);
	KUNIT_EXPECT_EQ(test, results[FAKE_COMPLETE], 0);
	KUNIT_EXPECT_EQ(test, driver->num_blocks, 0);
	fake_block_expect_refs(test, fb, 1);
	fake_block_expect_untouched(test, fb);
}

#ifdef CONFIG_MODULE_UNLOAD
/*
 * The core's module cannot be unloaded while there is an adapter, a stash, or
 * a block that a driver kept.
 *
 * Clauses: U11
 */
static void core_module_is_pinned(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
	int before = fake_core_refs(), adapters = hotupdate_adapters_alive();

	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_core_expect_refs(test, before);
	KUNIT_EXPECT_LE(test, hotupdate_adapters_alive(), adapters + 1);

	fake_driver_saves_each_kind(driver);
	FAKE_ASSERT_DETACHED(driver);
	fake_core_expect_refs(test, before + driver->num_saves);

	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_driver_unregister(driver);
	fake_core_expect_refs(test, before + driver->num_blocks);
	fake_driver_put_blocks(driver);
	fake_core_expect_refs(test, before);
}

/*
 * An adapter that has ended still pins the module while somebody has a reference to
 * it: the last put is a call into the module.
 *
 * Clauses: U11
 */
static void last_reference_pins_core(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_gpu *gpu = driver->gpu;
	int before = fake_core_refs();

	fake_driver_unregister(driver);
	KUNIT_ASSERT_TRUE(test, fake_gpu_wait_gone(gpu));
	/* The case has the last one. */
	KUNIT_EXPECT_GE(test, hotupdate_adapters_alive(), 1);
	fake_core_expect_refs(test, before);
	put_device(&gpu->adapter->dev);
	gpu->adapter = NULL;
	fake_core_expect_refs(test, before);
}
#endif

static struct kunit_case ownership_cases[] = {
	KUNIT_CASE_PARAM(pages_stay_where_they_are, kinds_gen_params),
	KUNIT_CASE(cancel_drops_references),
	KUNIT_CASE(unregister_without_save),
	KUNIT_CASE_PARAM(discard_frees_pages, kinds_gen_params),
	KUNIT_CASE_PARAM(put_frees_pages, kinds_gen_params),
	KUNIT_CASE(put_null),
	KUNIT_CASE(put_frees_buffer),
	KUNIT_CASE(cancel_frees_buffer),
	KUNIT_CASE(block_outlives_adapter),
	KUNIT_CASE(take_makes_pages_the_drivers),
	KUNIT_CASE(take_after_sgt),
	KUNIT_CASE(take_then_save_again),
	KUNIT_CASE(take_with_second_reference),
	KUNIT_CASE(take_device),
	KUNIT_CASE(take_before_commit),
#ifdef CONFIG_MODULE_UNLOAD
	KUNIT_CASE(core_module_is_pinned),
	KUNIT_CASE(last_reference_pins_core),
#endif
	{ }
};

static struct kunit_suite ownership_suite = {
	.name = "drm_hotupdate_ownership",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = ownership_cases,
};

kunit_test_suites(&ownership_suite);
