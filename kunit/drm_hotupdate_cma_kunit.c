// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of CMA: how it is told from other memory, and what becomes of saves where that is
 * not possible.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page_ref.h>

#include <drm/drm_hotupdate_compat.h>

#include "drm_hotupdate_kunit.h"

struct kernel {
	const char *name;
	/* The answer for each pageblock */
	enum hotupdate_pageblock pageblock;
	const char *words;
};

static const struct kernel kernels[] = {
	{ "cma", HOTUPDATE_PAGEBLOCK_CMA, "is CMA memory" },
	{ "isolated", HOTUPDATE_PAGEBLOCK_ISOLATED, "is isolated, and may be CMA memory" },
	{ "unreadable", HOTUPDATE_PAGEBLOCK_UNREADABLE,
	  "cannot be told from CMA memory in this kernel" },
};

KUNIT_ARRAY_PARAM_DESC(kernels, kernels, name);

static enum hotupdate_pageblock each_pageblock;

static enum hotupdate_pageblock pageblock_of_kernel(unsigned long pfn)
{
	return each_pageblock;
}

static void be_kernel(struct kunit *test)
{
	const struct kernel *kernel = test->param_value;

	each_pageblock = kernel->pageblock;
	kunit_activate_static_stub(test, hotupdate_pageblock, pageblock_of_kernel);
}

static void expect_nothing_in_place(struct fake_driver *driver, struct fake_block *fb)
{
	const struct kernel *kernel = driver->test->param_value;
	struct kunit *test = driver->test;
	unsigned long pfn = 0;

	driver->saves[0] = fb;
	driver->num_saves = 1;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EINVAL);
	FAKE_EXPECT_ERROR(driver->gpu, kernel->words);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&fb->ranges[0], &pfn), -EINVAL);
	KUNIT_EXPECT_EQ(test, pfn, fb->ranges[0].pfn);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	fake_block_expect_refs(test, fb, 1);
	fake_block_expect_untouched(test, fb);
}

/*
 * If every page is CMA memory, or can be, nothing is saved in place, and no page is
 * touched.
 *
 * Clauses: U7, U3
 */
static void nothing_in_place(struct kunit *test)
{
	const unsigned int orders[] = { 0, 3 };
	struct fake_driver *driver = fake_driver_running(test);

	be_kernel(test);
	expect_nothing_in_place(driver, fake_block_pages(test, HOTUPDATE_KIND_RANGES, orders,
							 ARRAY_SIZE(orders)));
	expect_nothing_in_place(driver, fake_block_pages(test, HOTUPDATE_KIND_SGT, orders,
							 ARRAY_SIZE(orders)));
}

/*
 * Buffers and memory of the device are saved in each kernel: a copy is in pages of the
 * core's own, wherever they are.
 *
 * Clauses: W10, U7
 */
static void copies_everywhere(struct kunit *test)
{
	struct fake_driver *old = fake_driver_running(test), *new;

	be_kernel(test);
	fake_driver_saves(old, fake_block_buffer(test, 11 * PAGE_SIZE + 5));
	fake_driver_saves(old, fake_block_device(test, 1, 1));
	FAKE_ASSERT_DETACHED(old);
	new = fake_driver_new(test, old->gpu);
	KUNIT_ASSERT_EQ(test, fake_driver_register(new), 0);
	fake_driver_expect_restored(new, old);
}

#if defined(CONFIG_CMA) && defined(HOTUPDATE_HAS_PAGEBLOCKS)
/* A change of a pageblock's entry, and the type that the kernel reads then. */
struct setting {
	const char *name;
	unsigned long mask;
	unsigned long bits;
	int type;
	/* NULL for one that can be saved all the same */
	const char *words;
};

static const struct setting settings[] = {
	{ "cma", HOTUPDATE_PAGEBLOCK_TYPE_MASK, MIGRATE_CMA, MIGRATE_CMA, "is CMA memory" },
#ifdef PAGEBLOCK_ISO_MASK
	{ "isolated", PAGEBLOCK_ISO_MASK, PAGEBLOCK_ISO_MASK, MIGRATE_ISOLATE, NULL },
	{ "isolated_cma", PAGEBLOCK_ISO_MASK | HOTUPDATE_PAGEBLOCK_TYPE_MASK,
	  PAGEBLOCK_ISO_MASK | MIGRATE_CMA, MIGRATE_ISOLATE, "is CMA memory" },
#else
	{ "isolated", HOTUPDATE_PAGEBLOCK_TYPE_MASK, MIGRATE_ISOLATE, MIGRATE_ISOLATE,
	  "is isolated, and may be CMA memory" },
#endif
};

#define PAGEBLOCK_ALL_BITS	(BIT(NR_PAGEBLOCK_BITS) - 1)

/* A pageblock of which no page is free, so that its type is of no use to others. */
struct pageblock {
	struct page *page;
	/* Whether it is one folio, not single pages */
	bool is_folio;
	unsigned long bits;
	struct drm_hotupdate_range range;
};

/* Returns the entry as it was. */
static unsigned long pageblock_write(struct pageblock *pb, unsigned long mask,
				     unsigned long bits)
{
	unsigned int shift;
	unsigned long *word = hotupdate_compat_pageblock(page_to_pfn(pb->page), &shift);
	unsigned long old = READ_ONCE(*word);

	while (!try_cmpxchg(word, &old, (old & ~(mask << shift)) | bits << shift))
		;
	return (old >> shift) & PAGEBLOCK_ALL_BITS;
}

/* The bit that compaction sets is not this suite's. */
static void pageblock_reset(struct pageblock *pb)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		pageblock_write(pb, settings[i].mask, pb->bits & settings[i].mask);
}

static void pageblock_free(void *data)
{
	struct pageblock *pb = data;
	unsigned long i;

	pageblock_reset(pb);
	if (pb->is_folio)
		__free_pages(pb->page, pageblock_order);
	for (i = 0; i < pageblock_nr_pages && !pb->is_folio; i++)
		__free_page(pb->page + i);
}

static struct pageblock *pageblock_new(struct kunit *test, bool is_folio)
{
	struct pageblock *pb = kunit_kzalloc(test, sizeof(*pb), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pb);
	pb->is_folio = is_folio;
	pb->page = alloc_pages(GFP_KERNEL | (is_folio ? __GFP_COMP : 0), pageblock_order);
	KUNIT_ASSERT_NOT_NULL(test, pb->page);
	if (!is_folio)
		split_page(pb->page, pageblock_order);
	pb->range.pfn = page_to_pfn(pb->page);
	pb->range.nr_pages = pageblock_nr_pages;
	pb->bits = pageblock_write(pb, 0, 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, pageblock_free, pb), 0);
	return pb;
}

/* The kernel has to agree, which it can be asked only where the suite is built in. */
static void pageblock_expect_type(struct kunit *test, struct pageblock *pb, int type)
{
#ifndef MODULE
	KUNIT_EXPECT_EQ(test, get_pageblock_migratetype(pb->page), type);
	KUNIT_EXPECT_EQ(test, type,
			get_pageblock_migratetype(pb->page + pageblock_nr_pages - 1));
#endif
}

static int save_pageblock(struct fake_driver *driver, enum fake_call call,
			  struct drm_hotupdate_block *block)
{
	struct pageblock *pb = driver->hook_data;

	if (call != FAKE_SAVE)
		return 0;
	return drm_hotupdate_save_range(driver->adapter, DRM_HOTUPDATE_MEM_SYSTEM,
					pb->range.pfn, pb->range.nr_pages, NULL, 0);
}

static void pageblock_expect(struct fake_driver *driver, struct pageblock *pb,
			     const char *words)
{
	struct drm_hotupdate_range last = { pb->range.pfn + pb->range.nr_pages - 1, 1 };
	struct kunit *test = driver->test;
	int err = words ? -EINVAL : 0;

	KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&pb->range, NULL), err);
	if (!pb->is_folio)
		KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&last, NULL), err);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), err);
	KUNIT_EXPECT_EQ(test, page_ref_count(pb->page), words ? 1 : 2);
	if (words)
		FAKE_EXPECT_ERROR(driver->gpu, words);
	else
		KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(pb->page), 1);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

static void pageblock_try_settings(struct kunit *test, bool is_folio)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct pageblock *pb = pageblock_new(test, is_folio);
	unsigned int i;

	driver->hook = save_pageblock;
	driver->hook_data = pb;
	pageblock_expect(driver, pb, NULL);
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		kunit_info(test, "%s\n", settings[i].name);
		pageblock_write(pb, settings[i].mask, settings[i].bits);
		pageblock_expect_type(test, pb, settings[i].type);
		pageblock_expect(driver, pb, settings[i].words);
		pageblock_reset(pb);
		pageblock_expect(driver, pb, NULL);
	}
}
#else
static void pageblock_try_settings(struct kunit *test, bool is_folio)
{
	kunit_skip(test, "this kernel has no CMA, or nobody can read the type of a pageblock");
}
#endif

/*
 * The type of a real pageblock decides on a folio, and is the one that the kernel reads.
 *
 * Clauses: U7, U3
 */
static void pageblock_of_a_folio(struct kunit *test)
{
	pageblock_try_settings(test, true);
}

/*
 * The type decides on single pages up to the last of a pageblock.
 *
 * Clauses: U7, U3
 */
static void pageblock_of_pages(struct kunit *test)
{
	pageblock_try_settings(test, false);
}

static struct kunit_case cma_cases[] = {
	KUNIT_CASE_PARAM(nothing_in_place, kernels_gen_params),
	KUNIT_CASE_PARAM(copies_everywhere, kernels_gen_params),
	KUNIT_CASE(pageblock_of_a_folio),
	KUNIT_CASE(pageblock_of_pages),
	{ }
};

static struct kunit_suite cma_suite = {
	.name = "drm_hotupdate_cma",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = cma_cases,
};

kunit_test_suites(&cma_suite);
