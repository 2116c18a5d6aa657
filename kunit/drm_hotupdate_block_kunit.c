// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a driver is given in a replay, and how it can look at it.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include "drm_hotupdate_kunit.h"

/* A driver to which all that it saved itself was replayed. */
static struct fake_driver *updated(struct kunit *test, struct fake_driver *driver)
{
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, driver->num_blocks, driver->num_saves);
	return driver;
}

static struct fake_driver *updated_with(struct kunit *test, struct fake_block *fb)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves(driver, fb);
	return updated(test, driver);
}

/*
 * In whichever way a block was saved, it comes back with its kind of memory,
 * size, metadata and content, and system memory as an sg_table and mapped.
 *
 * Clauses: W6, W11, W15, W17
 */
static void replay_each_kind(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves_each_kind(driver);
	updated(test, driver);
	fake_driver_expect_restored(driver, driver);
}

/*
 * Metadata can be left out.
 *
 * Clauses: W11
 */
static void meta_absent(struct kunit *test)
{
	struct fake_driver *driver = updated_with(test, fake_block_page(test));
	size_t size = 1;

	KUNIT_EXPECT_NULL(test, drm_hotupdate_block_meta(driver->blocks[0], &size));
	KUNIT_EXPECT_EQ(test, size, 0);
}

static const size_t meta_sizes[] = {
	1, 7, PAGE_SIZE - 1, PAGE_SIZE, DRM_HOTUPDATE_MAX_META_SIZE - 1,
	DRM_HOTUPDATE_MAX_META_SIZE,
};

static void describe_size(const size_t *size, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%zu_bytes", *size);
}

KUNIT_ARRAY_PARAM(meta_sizes, meta_sizes, describe_size);

/*
 * Metadata of every size up to 64 KiB comes back to the byte, though what the
 * driver showed to the core was overwritten after the call.
 *
 * Clauses: W11
 */
static void meta_is_a_copy(struct kunit *test)
{
	const size_t *size = test->param_value;
	struct fake_block *fb = fake_block_with_meta(test, fake_block_page(test), *size);
	struct fake_driver *driver = updated_with(test, fb);

	KUNIT_ASSERT_EQ(test, DRM_HOTUPDATE_MAX_META_SIZE, 64 * 1024);
	fake_block_expect_same(test, fb, driver->blocks[0]);
}

/* Pages that hold something, for the allocator to hand out again. */
static void dirty_free_memory(void)
{
	struct page *pages[24];
	unsigned int order, i;

	for (order = 0; order <= 4; order++) {
		for (i = 0; i < ARRAY_SIZE(pages); i++) {
			pages[i] = alloc_pages(GFP_KERNEL, order);
			if (pages[i])
				memset(page_address(pages[i]), 0xff, PAGE_SIZE << order);
		}
		while (i--)
			if (pages[i])
				__free_pages(pages[i], order);
	}
}

static const size_t buffer_sizes[] = {
	1, 8, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE,
	7 * PAGE_SIZE + 1000, 16 * PAGE_SIZE, SZ_1M + 5,
};

KUNIT_ARRAY_PARAM(buffer_sizes, buffer_sizes, describe_size);

/*
 * A buffer comes back as it was at the call, though the driver wrote over it
 * afterwards, with its size in bytes. The rest of the last page is zero, not
 * what the page held before.
 *
 * Clauses: W10, W15
 */
static void buffer_is_a_copy(struct kunit *test)
{
	const size_t *size = test->param_value;
	struct fake_block *fb = fake_block_buffer(test, *size);
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves(driver, fb);
	dirty_free_memory();
	updated(test, driver);
	fake_block_expect_same(test, fb, driver->blocks[0]);
}

/*
 * A large block of pages that are not neighbours comes back in the order that
 * it had, page by page.
 */
static void ranges_many(struct kunit *test)
{
	const unsigned int num = 300;
	unsigned int *orders = kunit_kcalloc(test, num, sizeof(*orders), GFP_KERNEL);
	struct fake_driver *driver;
	struct fake_block *fb;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, orders);
	fb = fake_block_pages(test, HOTUPDATE_KIND_RANGES, orders, num);
	/* Neighbours or not, none is where the allocator put it. */
	for (i = 0; i + 150 < num; i += 3) {
		swap(fb->ranges[i], fb->ranges[i + 150]);
		swap(fb->pages[i], fb->pages[i + 150]);
		fake_fill(page_address(fb->pages[i]->page), PAGE_SIZE, fb->seed + i);
		fake_fill(page_address(fb->pages[i + 150]->page), PAGE_SIZE,
			  fb->seed + i + 150);
	}

	driver = updated_with(test, fb);
	fake_block_expect_same(test, fb, driver->blocks[0]);
}

/*
 * The table is made once, and stays as long as the block.
 *
 * Clauses: W15
 */
static void sgt_asked_for_twice(struct kunit *test)
{
	struct fake_driver *driver = updated_with(test, fake_block_page(test));
	struct sg_table *sgt = drm_hotupdate_block_sgt(driver->blocks[0]);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_PTR_EQ(test, sgt, drm_hotupdate_block_sgt(driver->blocks[0]));
	KUNIT_EXPECT_EQ(test, sgt->orig_nents, 1);
}

static void destroy_block(void *data)
{
	drm_hotupdate_block_put(data);
}

/*
 * A range whose bytes do not fit into an entry of an sg_table is spread over
 * several. None is lost at the seams.
 *
 * Clauses: W15
 */
static void sgt_of_big_ranges(struct kunit *test)
{
	static const u64 sizes[] = { SZ_4G + PAGE_SIZE, SZ_2G, PAGE_SIZE, 3ull * SZ_2G };
	/* Never looked at, only pointed at. */
	const u64 first = 0x1000;
	struct drm_hotupdate_block *block;
	struct scatterlist *sg;
	struct sg_table *sgt;
	u64 bytes = 0;
	unsigned int i;

	block = hotupdate_block_alloc(HOTUPDATE_KIND_RANGES, ARRAY_SIZE(sizes));
	KUNIT_ASSERT_NOT_NULL(test, block);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, destroy_block, block), 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		block->ranges[i].pfn = first + (bytes >> PAGE_SHIFT);
		block->ranges[i].nr_pages = sizes[i] >> PAGE_SHIFT;
		bytes += sizes[i];
	}

	sgt = drm_hotupdate_block_sgt(block);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, sgt->orig_nents, 3 + 2 + 1 + 4);
	bytes = 0;
	for_each_sgtable_sg(sgt, sg, i) {
		KUNIT_EXPECT_PTR_EQ(test, sg_page(sg), pfn_to_page(first + (bytes >> PAGE_SHIFT)));
		KUNIT_EXPECT_EQ(test, sg->offset, 0);
		KUNIT_EXPECT_TRUE(test, sg->length && PAGE_ALIGNED(sg->length));
		bytes += sg->length;
	}
	KUNIT_EXPECT_EQ(test, bytes, sizes[0] + sizes[1] + sizes[2] + sizes[3]);
	/* Before the case is asked what it has left. */
	kunit_release_action(test, destroy_block, block);
}

/*
 * A big range may begin with small pages. It is cut where no folio can be cut in
 * two: at multiples of 2 GiB from address 0, not from the begin of the range.
 *
 * Clauses: W15
 */
static void sgt_of_big_range_unaligned(struct kunit *test)
{
	const u64 segment = SZ_2G >> PAGE_SHIFT, first = segment - 3;
	struct drm_hotupdate_block *block;
	struct scatterlist *sg;
	struct sg_table *sgt;
	u64 pfn = first;
	unsigned int i;

	block = hotupdate_block_alloc(HOTUPDATE_KIND_RANGES, 1);
	KUNIT_ASSERT_NOT_NULL(test, block);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, destroy_block, block), 0);
	block->ranges[0] = (struct drm_hotupdate_range) { first, 2 * segment };

	sgt = drm_hotupdate_block_sgt(block);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, sgt->orig_nents, 3);
	for_each_sgtable_sg(sgt, sg, i) {
		KUNIT_EXPECT_PTR_EQ(test, sg_page(sg), pfn_to_page(pfn));
		if (pfn != first)
			KUNIT_EXPECT_EQ(test, pfn % segment, 0);
		pfn += sg->length >> PAGE_SHIFT;
	}
	KUNIT_EXPECT_EQ(test, pfn, first + 2 * segment);
	/* Before the case is asked what it has left. */
	kunit_release_action(test, destroy_block, block);
}

/*
 * A mapping is of the pages themselves, not of a copy: what is written through
 * it after the commit stands in the page. For one range of a folio.
 *
 * Clauses: W17
 */
static void vmap_contiguous(struct kunit *test)
{
	static const unsigned int order = 3;
	struct fake_block *fb = fake_block_pages(test, HOTUPDATE_KIND_RANGES, &order, 1);
	struct fake_driver *driver = updated_with(test, fb);
	char *vaddr = drm_hotupdate_block_vmap(driver->blocks[0]);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vaddr);
	fake_fill(vaddr, fb->size, 42);
	KUNIT_EXPECT_TRUE(test, fake_is_filled(page_address(fb->pages[0]->page),
					       fb->size, 42));
	drm_hotupdate_block_vunmap(driver->blocks[0], vaddr);
	KUNIT_EXPECT_TRUE(test, fake_is_filled(page_address(fb->pages[0]->page),
					       fb->size, 42));
}

/*
 * The same for pages that are not neighbours, mapped twice at once, as two
 * parts of a driver may do.
 *
 * Clauses: W17
 */
static void vmap_scattered(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 2, 0 };
	struct fake_block *fb = fake_block_pages(test, HOTUPDATE_KIND_SGT, orders, 3);
	struct fake_driver *driver = updated_with(test, fb);
	char *a = drm_hotupdate_block_vmap(driver->blocks[0]);
	char *b = drm_hotupdate_block_vmap(driver->blocks[0]);

	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, a);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, b);
	if (!IS_ERR_OR_NULL(a) && !IS_ERR_OR_NULL(b)) {
		a[PAGE_SIZE] = ~a[PAGE_SIZE];
		b[5 * PAGE_SIZE + 1] = ~b[5 * PAGE_SIZE + 1];
		KUNIT_EXPECT_EQ(test, a[PAGE_SIZE], b[PAGE_SIZE]);
		KUNIT_EXPECT_EQ(test, a[PAGE_SIZE],
				*(char *)page_address(fb->pages[1]->page));
		KUNIT_EXPECT_EQ(test, a[5 * PAGE_SIZE + 1],
				((char *)page_address(fb->pages[2]->page))[1]);
	}
	if (!IS_ERR_OR_NULL(a))
		drm_hotupdate_block_vunmap(driver->blocks[0], a);
	if (!IS_ERR_OR_NULL(b))
		drm_hotupdate_block_vunmap(driver->blocks[0], b);
}

/*
 * Device memory has neither pages nor a mapping, only its description.
 *
 * Clauses: W15
 */
static void device_has_no_pages(struct kunit *test)
{
	struct fake_block *fb = fake_block_device(test, 0x40, 0x80);
	struct fake_driver *driver = updated_with(test, fb);
	struct drm_hotupdate_block *block = driver->blocks[0];

	KUNIT_EXPECT_EQ(test, drm_hotupdate_block_mem(block), DRM_HOTUPDATE_MEM_DEVICE);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_block_size(block), 0x80 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(drm_hotupdate_block_sgt(block)), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(drm_hotupdate_block_vmap(block)), -EOPNOTSUPP);
}

/*
 * A page number of device memory means nothing to the host: it can be any, and
 * a range can be larger than the machine's memory.
 *
 * Clauses: W6
 */
static void device_beyond_host_memory(struct kunit *test)
{
	struct fake_block *fb = fake_block_device(test, 1ull << 44, 1ull << 40);
	struct fake_driver *driver = updated_with(test, fb);

	fake_block_expect_same(test, fb, driver->blocks[0]);
}

static struct kunit_case block_cases[] = {
	KUNIT_CASE(replay_each_kind),
	KUNIT_CASE(meta_absent),
	KUNIT_CASE_PARAM(meta_is_a_copy, meta_sizes_gen_params),
	KUNIT_CASE_PARAM(buffer_is_a_copy, buffer_sizes_gen_params),
	KUNIT_CASE(ranges_many),
	KUNIT_CASE(sgt_asked_for_twice),
	KUNIT_CASE(sgt_of_big_ranges),
	KUNIT_CASE(sgt_of_big_range_unaligned),
	KUNIT_CASE(vmap_contiguous),
	KUNIT_CASE(vmap_scattered),
	KUNIT_CASE(device_has_no_pages),
	KUNIT_CASE(device_beyond_host_memory),
	{ }
};

static struct kunit_suite block_suite = {
	.name = "drm_hotupdate_block",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = block_cases,
};

kunit_test_suites(&block_suite);
