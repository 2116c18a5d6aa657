// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that a reference cannot keep: refused, and not touched.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/pagemap.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "drm_hotupdate_kunit.h"
#include "kunit_files.h"

/* A range with a page in it that cannot be saved. */
struct bad {
	struct drm_hotupdate_range range;
	/* Which one is named in the error */
	unsigned long pfn;

	struct page *page;
	unsigned int order;
	void *object;
	struct file *file;
};

struct refusal {
	const char *name;
	void (*make)(struct kunit *test, struct bad *bad);
	/* Puts back what make has done to the page, and frees it */
	void (*undo)(struct bad *bad);
	/* What last_error says of the page */
	const char *words;
};

static void alloc(struct kunit *test, struct bad *bad, gfp_t flags, unsigned int order)
{
	bad->page = alloc_pages(GFP_KERNEL | flags, order);
	KUNIT_ASSERT_NOT_NULL(test, bad->page);
	bad->order = order;
	bad->pfn = page_to_pfn(bad->page);
	bad->range = (struct drm_hotupdate_range) { bad->pfn, 1ull << order };
	fake_fill(page_address(bad->page), PAGE_SIZE << order, 7);
}

static void undo_alloc(struct bad *bad)
{
	__free_pages(bad->page, bad->order);
}

static void make_no_struct_page(struct kunit *test, struct bad *bad)
{
	bad->pfn = 1ul << (BITS_PER_LONG - PAGE_SHIFT - 1);
	bad->range = (struct drm_hotupdate_range) { bad->pfn, 3 };
}

static void make_reserved(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, 0, 0);
	SetPageReserved(bad->page);
}

static void undo_reserved(struct bad *bad)
{
	ClearPageReserved(bad->page);
	undo_alloc(bad);
}

static void make_reserved_among_others(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, 0, 3);
	split_page(bad->page, 3);
	SetPageReserved(bad->page + 5);
	bad->pfn += 5;
}

static void undo_single_pages(struct bad *bad)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		__free_page(bad->page + i);
}

static void undo_reserved_among_others(struct bad *bad)
{
	ClearPageReserved(bad->page + 5);
	undo_single_pages(bad);
}

static void make_slab(struct kunit *test, struct bad *bad)
{
	struct folio *folio;

	bad->object = kmalloc(64, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bad->object);
	folio = page_folio(virt_to_page(bad->object));
	bad->pfn = folio_pfn(folio);
	bad->range = (struct drm_hotupdate_range) { bad->pfn, folio_nr_pages(folio) };
}

static void undo_slab(struct bad *bad)
{
	kfree(bad->object);
}

/* As free as it can be without somebody else taking it meanwhile. */
static void make_free(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, 0, 0);
	KUNIT_ASSERT_TRUE(test, page_ref_freeze(bad->page, 1));
}

static void undo_free(struct bad *bad)
{
	page_ref_unfreeze(bad->page, 1);
	undo_alloc(bad);
}

/* So many at once that nobody else asks for them. */
static void make_free_in_allocator(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, 0, MAX_PAGE_ORDER);
	__free_pages(bad->page, MAX_PAGE_ORDER);
}

static void make_tail_without_comp(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, 0, 2);
	bad->pfn++;
}

static void make_only_tail_without_comp(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, 0, 2);
	bad->pfn += 3;
	bad->range = (struct drm_hotupdate_range) { bad->pfn, 1 };
}

static void make_front_cut(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, __GFP_COMP, 2);
	bad->pfn++;
	bad->range = (struct drm_hotupdate_range) { bad->pfn, 3 };
}

static void make_end_cut(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, __GFP_COMP, 2);
	bad->range.nr_pages = 3;
}

static void make_only_head(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, __GFP_COMP, 2);
	bad->range.nr_pages = 1;
}

static void make_only_tail(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, __GFP_COMP, 2);
	bad->pfn += 3;
	bad->range = (struct drm_hotupdate_range) { bad->pfn, 1 };
}

static void make_middle(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, __GFP_COMP, 2);
	bad->pfn++;
	bad->range = (struct drm_hotupdate_range) { bad->pfn, 2 };
}

/* Where the memory management keeps its own: a page with a type. */
static void make_typed(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, 0, 0);
	__folio_set_offline(page_folio(bad->page));
}

static void undo_typed(struct bad *bad)
{
	__folio_clear_offline(page_folio(bad->page));
	undo_alloc(bad);
}

static void make_page_cache(struct kunit *test, struct bad *bad)
{
	struct vfsmount *mnt = user_mount_for(test, "ramfs");
	static const char text[] = "not the driver's";
	loff_t pos = 0;

	bad->file = user_file_open(mnt, "file", O_CREAT | O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bad->file);
	KUNIT_EXPECT_EQ(test, kernel_write(bad->file, text, sizeof(text), &pos),
			sizeof(text));
	bad->page = find_get_page(bad->file->f_mapping, 0);
	KUNIT_ASSERT_NOT_NULL(test, bad->page);
	bad->pfn = page_to_pfn(bad->page);
	bad->range = (struct drm_hotupdate_range) { bad->pfn, 1 };
}

static void undo_page_cache(struct bad *bad)
{
	if (bad->page)
		put_page(bad->page);
	if (!IS_ERR_OR_NULL(bad->file))
		user_file_close(bad->file);
}

/* A mapping without being on a list of the memory management. */
static void make_mapped(struct kunit *test, struct bad *bad)
{
	static struct address_space mapping;

	alloc(test, bad, 0, 0);
	bad->page->mapping = &mapping;
}

static void undo_mapped(struct bad *bad)
{
	bad->page->mapping = NULL;
	undo_alloc(bad);
}

/* The only page whose pageblock is not an ordinary one */
static struct {
	unsigned long pfn;
	enum hotupdate_pageblock pageblock;
} odd;

static enum hotupdate_pageblock odd_pageblock(unsigned long pfn)
{
	return pfn == odd.pfn ? odd.pageblock : HOTUPDATE_PAGEBLOCK_ORDINARY;
}

static void make_odd(struct kunit *test, struct bad *bad, enum hotupdate_pageblock pageblock)
{
	odd.pfn = bad->pfn;
	odd.pageblock = pageblock;
	kunit_activate_static_stub(test, hotupdate_pageblock, odd_pageblock);
}

static void make_cma(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, 0, 0);
	make_odd(test, bad, HOTUPDATE_PAGEBLOCK_CMA);
}

static void make_cma_folio(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, __GFP_COMP, 2);
	make_odd(test, bad, HOTUPDATE_PAGEBLOCK_CMA);
}

static void make_cma_among_others(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, 0, 3);
	split_page(bad->page, 3);
	bad->pfn += 5;
	make_odd(test, bad, HOTUPDATE_PAGEBLOCK_CMA);
}

static void make_isolated(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, 0, 0);
	make_odd(test, bad, HOTUPDATE_PAGEBLOCK_ISOLATED);
}

static void make_unreadable(struct kunit *test, struct bad *bad)
{
	alloc(test, bad, 0, 0);
	make_odd(test, bad, HOTUPDATE_PAGEBLOCK_UNREADABLE);
}

static const struct refusal refusals[] = {
	{ "reserved", make_reserved, undo_reserved, "reserved" },
	{ "reserved_among_others", make_reserved_among_others,
	  undo_reserved_among_others, "reserved" },
	{ "slab", make_slab, undo_slab, "slab" },
	{ "free", make_free, undo_free, "free" },
	{ "free_in_allocator", make_free_in_allocator, NULL, "page" },
	{ "tail_without_comp", make_tail_without_comp, undo_alloc, "__GFP_COMP" },
	{ "only_tail_without_comp", make_only_tail_without_comp, undo_alloc, "__GFP_COMP" },
	{ "compound_front_cut", make_front_cut, undo_alloc, "in part" },
	{ "compound_end_cut", make_end_cut, undo_alloc, "in part" },
	{ "compound_only_head", make_only_head, undo_alloc, "in part" },
	{ "compound_only_tail", make_only_tail, undo_alloc, "in part" },
	{ "compound_middle", make_middle, undo_alloc, "in part" },
	{ "typed", make_typed, undo_typed, "memory management" },
	{ "page_cache", make_page_cache, undo_page_cache, "file" },
	{ "mapped", make_mapped, undo_mapped, "file" },
	{ "cma", make_cma, undo_alloc, "is CMA memory" },
	{ "cma_folio", make_cma_folio, undo_alloc, "is CMA memory" },
	{ "cma_among_others", make_cma_among_others, undo_single_pages, "is CMA memory" },
	{ "isolated", make_isolated, undo_alloc, "is isolated, and may be CMA memory" },
	{ "unreadable", make_unreadable, undo_alloc, "cannot be told from CMA memory" },
};

KUNIT_ARRAY_PARAM_DESC(refusals, refusals, name);

static const struct refusal no_struct_page[] = {
	{ "no_struct_page", make_no_struct_page, NULL, "not system memory" },
};

struct attempt {
	struct drm_hotupdate_save_args args;
	const struct refusal *refusal;
	struct bad bad;
	struct sg_table sgt;
	struct scatterlist sgl;
};

static void undo(void *data)
{
	struct attempt *attempt = data;

	if (attempt->refusal->undo && (attempt->bad.page || attempt->bad.object))
		attempt->refusal->undo(&attempt->bad);
}

static struct attempt *attempt_new(struct kunit *test, const struct refusal *refusal)
{
	struct attempt *attempt = kunit_kzalloc(test, sizeof(*attempt), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, attempt);
	attempt->refusal = refusal;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, undo, attempt), 0);
	refusal->make(test, &attempt->bad);
	return attempt;
}

/* Saves a good block, and then the bad one. */
static int attempt_hook(struct fake_driver *driver, enum fake_call call,
			struct drm_hotupdate_block *block)
{
	struct attempt *attempt = driver->hook_data;
	struct kunit *test = driver->test;
	char page[24], line[160];

	if (call != FAKE_SAVE)
		return 0;

	snprintf(page, sizeof(page), "page %#lx ", attempt->bad.pfn);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_save_memory(driver->adapter, &attempt->args),
			-EINVAL);
	FAKE_EXPECT_ERROR(driver->gpu, "block 1 refused");
	FAKE_EXPECT_ERROR(driver->gpu, page);
	KUNIT_EXPECT_FALSE(test, fake_log_has(page));
	snprintf(line, sizeof(line), "%s: block 1 refused: a page ",
		 dev_name(&driver->gpu->adapter->dev));
	KUNIT_EXPECT_TRUE(test, fake_log_has(line));
	FAKE_EXPECT_ERROR(driver->gpu, attempt->refusal->words);
	FAKE_EXPECT_STASH(driver->gpu, 1);
	return 0;
}

static void expect_refused(struct kunit *test, struct attempt *attempt)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct page *page = attempt->bad.page;
	int refs = 0;

	if (page)
		refs = page_ref_count(page);
	fake_driver_saves(driver, fake_block_page(test));
	driver->hook = attempt_hook;
	driver->hook_data = attempt;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EINVAL);

	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	fake_block_expect_refs(test, driver->saves[0], 1);
	if (!page)
		return;
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs);
	if (attempt->refusal->undo && !attempt->bad.file)
		KUNIT_EXPECT_TRUE(test, fake_is_filled(page_address(page),
						       PAGE_SIZE << attempt->bad.order, 7));
}

/*
 * A range with a page that a reference cannot keep is refused, whatever is wrong
 * with it. The error names the block, the page and what it is; the log does not name
 * the page. The page is as it was, and nothing is kept.
 *
 * Clauses: U7, U3
 */
static void refuse_range(struct kunit *test)
{
	struct attempt *attempt = attempt_new(test, test->param_value);

	attempt->args.ranges = &attempt->bad.range;
	attempt->args.num_ranges = 1;
	expect_refused(test, attempt);
}

/*
 * The same pages are refused in an sg_table.
 *
 * Clauses: U7, U3
 */
static void refuse_sgt(struct kunit *test)
{
	struct attempt *attempt = attempt_new(test, test->param_value);

	sg_init_table(&attempt->sgl, 1);
	sg_set_page(&attempt->sgl, pfn_to_page(attempt->bad.range.pfn),
		    attempt->bad.range.nr_pages << PAGE_SHIFT, 0);
	attempt->sgt.sgl = &attempt->sgl;
	attempt->sgt.orig_nents = 1;
	attempt->args.sgt = &attempt->sgt;
	expect_refused(test, attempt);
}

/*
 * A driver that asks before it saves is refused the same pages.
 *
 * Clauses: U7
 */
static void refuse_can_save(struct kunit *test)
{
	struct attempt *attempt = attempt_new(test, test->param_value);
	struct bad *bad = &attempt->bad;
	int refs = page_ref_count(pfn_to_page(bad->pfn));
	unsigned long pfn = 0;

	KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&bad->range, &pfn), -EINVAL);
	KUNIT_EXPECT_EQ(test, pfn, bad->pfn);
	KUNIT_EXPECT_EQ(test, page_ref_count(pfn_to_page(bad->pfn)), refs);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

/*
 * Addresses without memory are not pages.
 *
 * Clauses: U7, U3
 */
static void refuse_no_struct_page(struct kunit *test)
{
	struct attempt *attempt = attempt_new(test, &no_struct_page[0]);

	attempt->args.ranges = &attempt->bad.range;
	attempt->args.num_ranges = 1;
	expect_refused(test, attempt);
}

/*
 * One bad range among good ones is enough, and none of the good ones is kept.
 *
 * Clauses: U7, U3
 */
static void refuse_last_of_many(struct kunit *test)
{
	struct attempt *attempt = attempt_new(test, &refusals[0]);
	struct fake_pages *good[3];
	struct drm_hotupdate_range ranges[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		good[i] = fake_pages_new(test, i);
		ranges[i].pfn = fake_pages_pfn(good[i]);
		ranges[i].nr_pages = 1ull << i;
	}
	ranges[3] = attempt->bad.range;
	attempt->args.ranges = ranges;
	attempt->args.num_ranges = ARRAY_SIZE(ranges);
	expect_refused(test, attempt);
	for (i = 0; i < ARRAY_SIZE(good); i++)
		KUNIT_EXPECT_EQ(test, fake_pages_refs(good[i]), 1);
}

/*
 * Pages beside each other, each allocated for itself or in folios of several
 * orders, are accepted as one range.
 */
static void accept_neighbours(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);
	struct drm_hotupdate_range range;
	unsigned long pfn;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	split_page(page, 3);
	for (i = 0; i < 8; i++)
		fake_pages_adopt(test, page + i, 0);

	range = (struct drm_hotupdate_range) { page_to_pfn(page), 8 };
	KUNIT_EXPECT_EQ_MSG(test, drm_hotupdate_can_save(&range, &pfn), 0, "page %#lx", pfn);
}

/*
 * Folios of every order are accepted, as ranges of their own.
 */
static void accept_every_order(struct kunit *test)
{
	unsigned int order;

	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct fake_pages *pages = fake_pages_new(test, order);
		struct drm_hotupdate_range range = { fake_pages_pfn(pages), 1ull << order };

		KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&range, NULL), 0);
	}
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE_PARAM(refuse_range, refusals_gen_params),
	KUNIT_CASE_PARAM(refuse_sgt, refusals_gen_params),
	KUNIT_CASE_PARAM(refuse_can_save, refusals_gen_params),
	KUNIT_CASE(refuse_no_struct_page),
	KUNIT_CASE(refuse_last_of_many),
	KUNIT_CASE(accept_neighbours),
	KUNIT_CASE(accept_every_order),
	{ }
};

static struct kunit_suite pages_suite = {
	.name = "drm_hotupdate_pages",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = pages_cases,
};

kunit_test_suites(&pages_suite);
