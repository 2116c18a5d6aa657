// SPDX-License-Identifier: GPL-2.0-only
/*
 * The short forms of the interface: one range, one buffer, a part of a block, and
 * the question whether pages can be saved.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "drm_hotupdate_kunit.h"

static const char meta[] = "of the block";
static const char data[] = "kept as it is at the call";

static int save_short(struct fake_driver *driver, enum fake_call call,
		      struct drm_hotupdate_block *block)
{
	struct fake_pages *pages = driver->hook_data;

	if (call != FAKE_SAVE)
		return 0;
	return drm_hotupdate_save_range(driver->adapter, DRM_HOTUPDATE_MEM_SYSTEM,
					fake_pages_pfn(pages), 4, meta, sizeof(meta)) ?:
	       drm_hotupdate_save_range(driver->adapter, DRM_HOTUPDATE_MEM_DEVICE,
					0x700, 3, NULL, 0) ?:
	       drm_hotupdate_save_buffer(driver->adapter, data, sizeof(data), meta,
					 sizeof(meta));
}

static void expect_range(struct kunit *test, struct drm_hotupdate_block *block,
			 enum drm_hotupdate_mem mem, u64 pfn, u64 nr_pages)
{
	const struct drm_hotupdate_range *range;
	unsigned int num;

	range = drm_hotupdate_block_ranges(block, &num);
	KUNIT_EXPECT_EQ(test, num, 1);
	KUNIT_EXPECT_EQ(test, range->pfn, pfn);
	KUNIT_EXPECT_EQ(test, range->nr_pages, nr_pages);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_block_mem(block), mem);
}

static void expect_meta(struct kunit *test, struct drm_hotupdate_block *block, bool has_meta)
{
	size_t size;
	const void *found = drm_hotupdate_block_meta(block, &size);

	KUNIT_EXPECT_EQ(test, size, has_meta ? sizeof(meta) : 0);
	if (has_meta && size == sizeof(meta))
		KUNIT_EXPECT_MEMEQ(test, found, meta, sizeof(meta));
}

/*
 * What the short forms save comes back as what the long form would have saved.
 *
 * Clauses: W7, W10, W11
 */
static void save_by_short_forms(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_pages *pages = fake_pages_new(test, 2);
	char buf[sizeof(data)];

	driver->hook = save_short;
	driver->hook_data = pages;
	FAKE_ASSERT_DETACHED(driver);
	driver->hook = NULL;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, driver->num_blocks, 3);

	expect_range(test, driver->blocks[0], DRM_HOTUPDATE_MEM_SYSTEM,
		     fake_pages_pfn(pages), 4);
	expect_meta(test, driver->blocks[0], true);
	expect_range(test, driver->blocks[1], DRM_HOTUPDATE_MEM_DEVICE, 0x700, 3);
	expect_meta(test, driver->blocks[1], false);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_block_size(driver->blocks[2]), sizeof(data));
	expect_meta(test, driver->blocks[2], true);
	KUNIT_EXPECT_EQ(test, 0, drm_hotupdate_block_read(driver->blocks[2], 0, buf,
							  sizeof(buf)));
	KUNIT_EXPECT_MEMEQ(test, buf, data, sizeof(data));
}

/* The bytes of a block of several ranges, read in one piece. */
static u8 *block_bytes(struct kunit *test, struct drm_hotupdate_block *block)
{
	size_t size = drm_hotupdate_block_size(block);
	u8 *bytes = kunit_kmalloc(test, size, GFP_KERNEL);
	void *vaddr;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	vaddr = drm_hotupdate_block_vmap(block);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vaddr);
	memcpy(bytes, vaddr, size);
	drm_hotupdate_block_vunmap(block, vaddr);
	return bytes;
}

struct part {
	size_t offset;
	size_t size;
};

/* Of ranges of 1, 4, 1 and 2 pages */
static const struct part parts[] = {
	{ 0, 1 },
	{ 0, PAGE_SIZE },
	{ 0, 8 * PAGE_SIZE },
	{ PAGE_SIZE - 1, 2 },
	{ PAGE_SIZE, 4 * PAGE_SIZE },
	{ 5 * PAGE_SIZE - 7, PAGE_SIZE + 14 },
	{ 3 * PAGE_SIZE + 5, 2 * PAGE_SIZE + 1 },
	{ 8 * PAGE_SIZE - 1, 1 },
	{ 8 * PAGE_SIZE, 0 },
	{ 17, 0 },
};

static const struct part beyond[] = {
	{ 0, 8 * PAGE_SIZE + 1 },
	{ 8 * PAGE_SIZE, 1 },
	{ 8 * PAGE_SIZE + 1, 0 },
	{ 8 * PAGE_SIZE - 1, 2 },
	{ 1, SIZE_MAX },
	{ SIZE_MAX, 1 },
	{ SIZE_MAX, SIZE_MAX },
};

/*
 * Any part of a block can be read, over the ends of pages and ranges, and nothing
 * beyond its end: then the destination is as it was.
 *
 * Clauses: W15
 */
static void read_part_of_block(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 2, 0, 1 };
	struct fake_driver *driver = fake_driver_running(test);
	u8 *buf = kunit_kmalloc(test, 8 * PAGE_SIZE, GFP_KERNEL), *bytes;
	struct drm_hotupdate_block *block;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	fake_driver_saves(driver, fake_block_pages(test, HOTUPDATE_KIND_RANGES, orders,
						   ARRAY_SIZE(orders)));
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, driver->num_blocks, 1);
	block = driver->blocks[0];
	bytes = block_bytes(test, block);

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		KUNIT_EXPECT_EQ(test, 0, drm_hotupdate_block_read(block, parts[i].offset, buf,
								  parts[i].size));
		KUNIT_EXPECT_MEMEQ(test, buf, bytes + parts[i].offset, parts[i].size);
	}
	memset(buf, 0x5a, 8 * PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(beyond); i++)
		KUNIT_EXPECT_EQ(test, -ERANGE,
				drm_hotupdate_block_read(block, beyond[i].offset, buf,
							 beyond[i].size));
	KUNIT_EXPECT_NULL(test, memchr_inv(buf, 0x5a, 8 * PAGE_SIZE));
}

/*
 * The content of a buffer ends with its last byte, and device memory has none.
 *
 * Clauses: W15
 */
static void read_ends_with_the_content(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	u8 buf[8];

	fake_driver_saves(driver, fake_block_buffer(test, PAGE_SIZE + 5));
	fake_driver_saves(driver, fake_block_device(test, 1, 1));
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, driver->num_blocks, 2);
	KUNIT_EXPECT_EQ(test, 0, drm_hotupdate_block_read(driver->blocks[0], PAGE_SIZE, buf, 5));
	KUNIT_EXPECT_EQ(test, -ERANGE,
			drm_hotupdate_block_read(driver->blocks[0], PAGE_SIZE, buf, 6));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			drm_hotupdate_block_read(driver->blocks[1], 0, buf, 1));
}

/*
 * A driver can ask at allocation time what a save would return, page by page, and
 * nothing is held after the answer.
 *
 * Clauses: U7, U8
 */
static void can_save_is_what_a_save_returns(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_pages *folio = fake_pages_new(test, 3);
	struct fake_block *fb = fake_block_page(test);
	struct drm_hotupdate_range range = { fake_pages_pfn(folio), 8 };
	unsigned long pfn = 42;

	KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&range, &pfn), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&range, NULL), 0);
	KUNIT_EXPECT_EQ(test, pfn, 42);
	KUNIT_EXPECT_EQ(test, fake_pages_refs(folio), 1);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());

	range.nr_pages = 7;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&range, &pfn), -EINVAL);
	KUNIT_EXPECT_EQ(test, pfn, range.pfn);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&range, NULL), -EINVAL);
	range.nr_pages = 0;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&range, &pfn), -EINVAL);
	range.nr_pages = U64_MAX;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&range, &pfn), -EINVAL);

	fake_driver_saves(driver, fb);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&fb->ranges[0], &pfn), -EEXIST);
	KUNIT_EXPECT_EQ(test, pfn, fb->ranges[0].pfn);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_can_save(&fb->ranges[0], &pfn), 0);
	fake_block_expect_refs(test, fb, 1);
}

static struct kunit_case helpers_cases[] = {
	KUNIT_CASE(save_by_short_forms),
	KUNIT_CASE(read_part_of_block),
	KUNIT_CASE(read_ends_with_the_content),
	KUNIT_CASE(can_save_is_what_a_save_returns),
	{ }
};

static struct kunit_suite helpers_suite = {
	.name = "drm_hotupdate_helpers",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = helpers_cases,
};

kunit_test_suites(&helpers_suite);
