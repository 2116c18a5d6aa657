// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA addresses that a save refuses: what makes no sense, and what does not lead to the
 * pages.
 */

#include <kunit/test.h>
#include <linux/dma-mapping.h>

#include "drm_hotupdate_fake_iommu.h"

static const unsigned int orders[] = { 1, 0, 2 };

/* A driver with one block of 7 pages in 3 ranges, each of which is mapped by itself. */
struct refuse_case {
	struct fake_iommu *iommu;
	struct fake_driver *driver;
	struct fake_block *fb;
};

static struct refuse_case refuse_case_new(struct kunit *test, enum hotupdate_kind kind)
{
	struct refuse_case rc = {
		.iommu = fake_iommu_new(test),
		.driver = fake_driver_running(test),
		.fb = fake_block_pages(test, kind, orders, ARRAY_SIZE(orders)),
	};

	fake_iommu_map_folios(rc.iommu, rc.fb);
	fake_driver_saves(rc.driver, rc.fb);
	return rc;
}

static void expect_refused(struct kunit *test, struct refuse_case *rc, const char *words)
{
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(rc->driver->adapter, 0), -EINVAL);
	FAKE_EXPECT_ERROR(rc->driver->gpu, words);
	FAKE_EXPECT_STATE(rc->driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(rc->driver->gpu, 0);
	/* Only the driver holds the pages, and nobody has unmapped them. */
	fake_block_expect_refs(test, rc->fb, 1);
	KUNIT_EXPECT_EQ(test, rc->iommu->unmapped, 0);
}

static void expect_accepted(struct kunit *test, struct refuse_case *rc)
{
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(rc->driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(rc->driver->adapter), 0);
}

static void expect_counts_refused(struct kunit *test, enum hotupdate_kind kind)
{
	struct refuse_case rc = refuse_case_new(test, kind);
	struct drm_hotupdate_dma *dma = rc.fb->dma;

	rc.fb->num_dma = 2;
	expect_refused(test, &rc, "not those of all pages");
	rc.fb->num_dma = 0;
	expect_refused(test, &rc, "the number of DMA addresses does not fit");
	rc.fb->num_dma = 3;
	dma[1].nr_pages = 2;
	expect_refused(test, &rc, "not those of all pages");
	dma[1].nr_pages = 0;
	expect_refused(test, &rc, "not that of whole pages");
	dma[1].nr_pages = U64_MAX;
	expect_refused(test, &rc, "not that of whole pages");
	dma[1].nr_pages = U64_MAX >> PAGE_SHIFT;
	expect_refused(test, &rc, "not that of whole pages");
	dma[1].nr_pages = 1;
	dma[2].nr_pages = 3;
	expect_refused(test, &rc, "not those of all pages");
	dma[2].nr_pages = 4;
	expect_accepted(test, &rc);
}

/*
 * The addresses are those of all pages.
 *
 * Clauses: U19
 */
static void counts_that_do_not_fit(struct kunit *test)
{
	expect_counts_refused(test, HOTUPDATE_KIND_RANGES);
}

static void counts_that_do_not_fit_a_table(struct kunit *test)
{
	expect_counts_refused(test, HOTUPDATE_KIND_SGT);
}

/* The first is that of all pages: there is nothing left for the second. */
static void one_address_too_many(struct kunit *test)
{
	struct refuse_case rc = refuse_case_new(test, HOTUPDATE_KIND_RANGES);
	struct drm_hotupdate_dma dma[2];

	fake_iommu_map_all(rc.iommu, rc.fb);
	dma[0] = rc.fb->dma[0];
	dma[1] = (struct drm_hotupdate_dma) { .addr = dma[0].addr, .nr_pages = 1 };
	fake_block_use_dma(test, rc.fb, dma, 2);
	expect_refused(test, &rc, "not those of all pages");
	rc.fb->num_dma = 1;
	expect_accepted(test, &rc);
}

/* More addresses than pages are not even looked at: the count may be nonsense. */
static void more_addresses_than_pages(struct kunit *test)
{
	struct refuse_case rc = refuse_case_new(test, HOTUPDATE_KIND_RANGES);
	const struct drm_hotupdate_save_args args = {
		.ranges = rc.fb->ranges,
		.num_ranges = 1,
		.dma = rc.fb->dma,
		.num_dma = UINT_MAX,
	};
	struct drm_hotupdate_block *block = hotupdate_block_alloc(HOTUPDATE_KIND_RANGES, 1);
	struct hotupdate_refusal refusal = { };

	KUNIT_ASSERT_NOT_NULL(test, block);
	block->ranges[0] = rc.fb->ranges[0];
	KUNIT_EXPECT_EQ(test, hotupdate_dma_copy(block, &args, &refusal), -EINVAL);
	KUNIT_EXPECT_STREQ(test, refusal.reason, "more DMA addresses than pages are given");
	KUNIT_EXPECT_NULL(test, block->dma);
	drm_hotupdate_block_put(block);
}

static void addresses_that_are_none(struct kunit *test)
{
	struct refuse_case rc = refuse_case_new(test, HOTUPDATE_KIND_RANGES);
	dma_addr_t right = rc.fb->dma[2].addr;

	rc.fb->dma[2].addr = right + 1;
	expect_refused(test, &rc, "not that of whole pages");
	rc.fb->dma[2].addr = DMA_MAPPING_ERROR;
	expect_refused(test, &rc, "not that of whole pages");
	/* Its last page would be the first of all. */
	rc.fb->dma[2].addr = (dma_addr_t)0 - 3 * PAGE_SIZE;
	expect_refused(test, &rc, "not that of whole pages");
	rc.fb->dma[2].addr = right;
	expect_accepted(test, &rc);
}

/* The last page of all addresses is one. */
static void address_at_the_end(struct kunit *test)
{
	struct refuse_case rc = refuse_case_new(test, HOTUPDATE_KIND_RANGES);
	dma_addr_t addr = (dma_addr_t)0 - 4 * PAGE_SIZE;

	rc.fb->dma[2].addr = addr;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(rc.driver->adapter, 0), -EINVAL);
	FAKE_EXPECT_ERROR(rc.driver->gpu, "is not there");
}

static void directions_and_attributes(struct kunit *test)
{
	struct refuse_case rc = refuse_case_new(test, HOTUPDATE_KIND_RANGES);

	rc.fb->dma_dir = DMA_NONE;
	expect_refused(test, &rc, "not a direction of DMA");
	rc.fb->dma_dir = 17;
	expect_refused(test, &rc, "not a direction of DMA");
	rc.fb->dma_dir = DMA_BIDIRECTIONAL;
	rc.fb->dma_attrs = DMA_ATTR_FORCE_CONTIGUOUS;
	expect_refused(test, &rc, "an attribute of DMA");
	rc.fb->dma_attrs = BIT(30);
	expect_refused(test, &rc, "an attribute of DMA");
	rc.fb->dma_attrs = DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_NO_WARN |
			   DMA_ATTR_PRIVILEGED | DMA_ATTR_WRITE_COMBINE | DMA_ATTR_WEAK_ORDERING;
	expect_accepted(test, &rc);

	rc.fb->shown_dma = NULL;
	rc.fb->num_dma = 0;
	expect_refused(test, &rc, "without addresses");
	rc.fb->dma_attrs = 0;
	rc.fb->dma_dir = DMA_TO_DEVICE;
	expect_refused(test, &rc, "without addresses");
	rc.fb->dma_dir = 0;
	expect_accepted(test, &rc);
}

/* A copy is in other pages, and memory of the device is not reached by DMA addresses. */
static void for_pages_in_place_only(struct kunit *test)
{
	struct refuse_case rc = refuse_case_new(test, HOTUPDATE_KIND_RANGES);
	struct fake_block *buffer = fake_block_buffer(test, PAGE_SIZE);
	struct fake_block *device = fake_block_device(test, 16, 1);
	struct fake_block *page = fake_block_page(test);

	fake_iommu_map_all(rc.iommu, page);
	fake_block_use_dma(test, buffer, page->dma, 1);
	fake_block_use_dma(test, device, page->dma, 1);
	rc.driver->saves[0] = buffer;
	expect_refused(test, &rc, "saved in place");
	rc.driver->saves[0] = device;
	expect_refused(test, &rc, "saved in place");
	rc.driver->saves[0] = page;
	expect_accepted(test, &rc);
	rc.driver->saves[0] = rc.fb;
}

static void expect_wrong_page(struct kunit *test, struct refuse_case *rc, dma_addr_t addr,
			      u64 pfn)
{
	char words[80];

	scnprintf(words, sizeof(words), "page %#llx with DMA address %pad is not there", pfn,
		  &addr);
	expect_refused(test, rc, words);
	/* Both are for root alone to know. */
	KUNIT_EXPECT_FALSE(test, fake_log_has(words));
	KUNIT_EXPECT_TRUE(test, fake_log_has("a page with a DMA address is not there"));
}

/*
 * Each address leads to its page: a bounce buffer does not, nor the address of another
 * page, nor one that nobody has mapped.
 *
 * Clauses: U19
 */
static void pages_that_are_not_there(struct kunit *test)
{
	struct refuse_case rc = refuse_case_new(test, HOTUPDATE_KIND_RANGES);
	const struct drm_hotupdate_dma *entry = rc.fb->dma;
	const struct drm_hotupdate_range *range = rc.fb->ranges;

	fake_iommu_move(rc.iommu, entry[1].addr, range[1].pfn + 1);
	expect_wrong_page(test, &rc, entry[1].addr, range[1].pfn);
	fake_iommu_move(rc.iommu, entry[1].addr, range[1].pfn);
	/* the last page of an entry */
	fake_iommu_lose(rc.iommu, entry[2].addr + (3 << PAGE_SHIFT));
	expect_wrong_page(test, &rc, entry[2].addr + (3 << PAGE_SHIFT), range[2].pfn + 3);
	fake_iommu_move(rc.iommu, entry[2].addr + (3 << PAGE_SHIFT), range[2].pfn + 3);
	expect_accepted(test, &rc);
}

/* An entry can begin in the middle of a folio: two calls have mapped its halves. */
static void entry_within_a_folio(struct kunit *test)
{
	static const u64 entries[] = { 3, 2, 2 };
	struct refuse_case rc = refuse_case_new(test, HOTUPDATE_KIND_RANGES);
	dma_addr_t addr;

	fake_iommu_map(rc.iommu, rc.fb, entries, ARRAY_SIZE(entries));
	expect_accepted(test, &rc);
	addr = rc.fb->dma[2].addr;
	fake_iommu_lose(rc.iommu, addr);
	expect_wrong_page(test, &rc, addr, rc.fb->ranges[2].pfn + 2);
	fake_iommu_move(rc.iommu, addr, rc.fb->ranges[2].pfn + 2);
	expect_accepted(test, &rc);
}

static void domain_of_somebody_else(struct kunit *test)
{
	struct refuse_case rc = refuse_case_new(test, HOTUPDATE_KIND_RANGES);

	rc.iommu->is_foreign = true;
	expect_refused(test, &rc, "domain is not that of the DMA API");
	rc.iommu->is_foreign = false;
	expect_accepted(test, &rc);
}

/* Without an IOMMU the addresses are those of the pages, as UML has it. */
static void direct_addresses(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_pages(test, HOTUPDATE_KIND_RANGES, orders,
						 ARRAY_SIZE(orders));

	fake_block_use_direct_dma(test, fb);
	fake_driver_saves(driver, fb);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	fb->dma[2].addr += PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EINVAL);
	FAKE_EXPECT_ERROR(driver->gpu, "an offset, or a bounce buffer");
}

static struct kunit_case refuse_cases[] = {
	KUNIT_CASE(counts_that_do_not_fit),
	KUNIT_CASE(counts_that_do_not_fit_a_table),
	KUNIT_CASE(one_address_too_many),
	KUNIT_CASE(more_addresses_than_pages),
	KUNIT_CASE(addresses_that_are_none),
	KUNIT_CASE(address_at_the_end),
	KUNIT_CASE(directions_and_attributes),
	KUNIT_CASE(for_pages_in_place_only),
	KUNIT_CASE(pages_that_are_not_there),
	KUNIT_CASE(entry_within_a_folio),
	KUNIT_CASE(domain_of_somebody_else),
	KUNIT_CASE(direct_addresses),
	{ }
};

static struct kunit_suite refuse_suite = {
	.name = "drm_hotupdate_dma_refuse",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = refuse_cases,
};

kunit_test_suites(&refuse_suite);
