// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a save call refuses, and that a refused call leaves everything as it
 * was. Pages that a reference cannot keep have a suite of their own, as has memory
 * that is saved already.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "drm_hotupdate_kunit.h"

/* What the arguments of a refused call point at. */
struct parts {
	struct drm_hotupdate_range ranges[3];
	struct sg_table sgt;
	struct scatterlist sgl[3];
	u8 data[64];
	u8 meta[64];
	struct page *page;
};

struct refusal {
	const char *name;
	void (*make)(struct drm_hotupdate_save_args *args, struct parts *parts);
	int err;
	/* What last_error says beside the number of the block */
	const char *words;
};

/* Each of the three ways of W7, as it is accepted. */
static void use_ranges(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	args->ranges = parts->ranges;
	args->num_ranges = 1;
}

static void use_sgt(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	args->sgt = &parts->sgt;
}

static void use_data(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	args->data = parts->data;
	args->data_size = sizeof(parts->data);
}

static void use_nothing(struct drm_hotupdate_save_args *args, struct parts *parts)
{
}

static void use_ranges_and_sgt(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	use_sgt(args, parts);
}

static void use_ranges_and_data(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	use_data(args, parts);
}

static void use_sgt_and_data(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_sgt(args, parts);
	use_data(args, parts);
}

static void use_all(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges_and_sgt(args, parts);
	use_data(args, parts);
}

static void only_num_ranges(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	args->num_ranges = 1;
}

static void only_data_size(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	args->data_size = sizeof(parts->data);
}

static void ranges_without_number(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	args->num_ranges = 0;
}

static void data_without_size(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_data(args, parts);
	args->data_size = 0;
}

static void data_with_num_ranges(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_data(args, parts);
	args->num_ranges = 1;
}

static void ranges_with_data_size(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	args->data_size = 1;
}

static void sgt_with_num_ranges(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_sgt(args, parts);
	args->num_ranges = 1;
}

static void sgt_with_data_size(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_sgt(args, parts);
	args->data_size = 1;
}

static void data_size_largest(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_data(args, parts);
	args->data_size = SIZE_MAX;
}

/* The end of the buffer does not wrap, but its size does when rounded to pages. */
static void data_pages_wrap(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_data(args, parts);
	args->data = (void *)8;
	args->data_size = SIZE_MAX - 8;
}

static void data_end_wraps(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_data(args, parts);
	args->data_size = SIZE_MAX - (uintptr_t)parts->data + 2;
}

/* More than there can be: refused at once, and not after all memory is gone. */
static void data_larger_than_memory(struct drm_hotupdate_save_args *args,
				    struct parts *parts)
{
	use_data(args, parts);
	args->data_size = (totalram_pages() + 1) << PAGE_SHIFT;
}

static void sgt_of_device(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_sgt(args, parts);
	args->mem = DRM_HOTUPDATE_MEM_DEVICE;
}

static void data_of_device(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_data(args, parts);
	args->mem = DRM_HOTUPDATE_MEM_DEVICE;
}

static void unknown_memory(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	args->mem = DRM_HOTUPDATE_MEM_DEVICE + 1;
}

static void range_empty(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	parts->ranges[0].nr_pages = 0;
}

static void last_range_empty(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	parts->ranges[1] = (struct drm_hotupdate_range) { 0, 0 };
	args->num_ranges = 2;
}

static void range_wraps(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	parts->ranges[0].nr_pages = U64_MAX;
}

static void range_ends_past_addresses(struct drm_hotupdate_save_args *args,
				      struct parts *parts)
{
	use_ranges(args, parts);
	parts->ranges[0].nr_pages = (U64_MAX >> PAGE_SHIFT) + 1;
}

/* A number that went wrong. It must not come to reading that many. */
static void more_ranges_than_memory(struct drm_hotupdate_save_args *args,
				    struct parts *parts)
{
	use_ranges(args, parts);
	args->num_ranges = UINT_MAX;
}

static void device_range_empty(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	range_empty(args, parts);
	args->mem = DRM_HOTUPDATE_MEM_DEVICE;
}

static void device_range_wraps(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	range_wraps(args, parts);
	args->mem = DRM_HOTUPDATE_MEM_DEVICE;
}

static void device_pfn_past_addresses(struct drm_hotupdate_save_args *args,
				      struct parts *parts)
{
	use_ranges(args, parts);
	parts->ranges[0].pfn = U64_MAX;
	args->mem = DRM_HOTUPDATE_MEM_DEVICE;
}

static void device_sum_wraps(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	parts->ranges[0] = (struct drm_hotupdate_range) { 0, 1ull << 51 };
	parts->ranges[1] = (struct drm_hotupdate_range) { 1, 1ull << 51 };
	args->num_ranges = 2;
	args->mem = DRM_HOTUPDATE_MEM_DEVICE;
}

/* Together with the page that was saved before, more bytes than can be told. */
static void stash_sum_wraps(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	parts->ranges[0] = (struct drm_hotupdate_range) { 0, U64_MAX >> PAGE_SHIFT };
	args->mem = DRM_HOTUPDATE_MEM_DEVICE;
}

static void meta_size_without_meta(struct drm_hotupdate_save_args *args,
				   struct parts *parts)
{
	use_ranges(args, parts);
	args->meta_size = 8;
}

static void meta_one_byte_too_many(struct drm_hotupdate_save_args *args,
				   struct parts *parts)
{
	use_ranges(args, parts);
	args->meta = parts->meta;
	args->meta_size = 64 * 1024 + 1;
}

static void meta_largest(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	args->meta = parts->meta;
	args->meta_size = SIZE_MAX;
}

static void reserved_word(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_ranges(args, parts);
	args->reserved[ARRAY_SIZE(args->reserved) - 1] = 1;
}

static void sgt_empty(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_sgt(args, parts);
	parts->sgt = (struct sg_table) { };
}

static void sgt_with_offset(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_sgt(args, parts);
	sg_set_page(parts->sgl, parts->page, PAGE_SIZE - 512, 512);
}

static void sgt_with_offset_of_whole_length(struct drm_hotupdate_save_args *args,
					    struct parts *parts)
{
	use_sgt(args, parts);
	sg_set_page(parts->sgl, parts->page, PAGE_SIZE, 512);
}

static void sgt_with_odd_length(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_sgt(args, parts);
	sg_set_page(parts->sgl, parts->page, PAGE_SIZE - 4, 0);
}

static void sgt_with_no_length(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_sgt(args, parts);
	sg_set_page(parts->sgl, parts->page, 0, 0);
}

static void sgt_without_page(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_sgt(args, parts);
	sg_init_table(parts->sgl, 1);
	parts->sgl[0].length = PAGE_SIZE;
}

static void sgt_last_entry_bad(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_sgt(args, parts);
	sg_init_table(parts->sgl, 2);
	sg_set_page(&parts->sgl[0], parts->page, PAGE_SIZE, 0);
	sg_set_page(&parts->sgl[1], parts->page, 100, 0);
	parts->sgt.orig_nents = 2;
}

/* The list is shorter than the table says. */
static void sgt_cut_short(struct drm_hotupdate_save_args *args, struct parts *parts)
{
	use_sgt(args, parts);
	parts->sgt.orig_nents = 2;
}

static const struct refusal sources[] = {
	{ "no_source", use_nothing, -EINVAL, "exactly one" },
	{ "ranges_and_sgt", use_ranges_and_sgt, -EINVAL, "exactly one" },
	{ "ranges_and_data", use_ranges_and_data, -EINVAL, "exactly one" },
	{ "sgt_and_data", use_sgt_and_data, -EINVAL, "exactly one" },
	{ "all_three", use_all, -EINVAL, "exactly one" },
	{ "number_without_ranges", only_num_ranges, -EINVAL, "exactly one" },
	{ "size_without_data", only_data_size, -EINVAL, "exactly one" },
	{ "data_with_number_of_ranges", data_with_num_ranges, -EINVAL, "number of ranges" },
	{ "sgt_with_number_of_ranges", sgt_with_num_ranges, -EINVAL, "number of ranges" },
	{ "ranges_with_size_of_data", ranges_with_data_size, -EINVAL, "size of the buffer" },
	{ "sgt_with_size_of_data", sgt_with_data_size, -EINVAL, "size of the buffer" },
};

KUNIT_ARRAY_PARAM_DESC(sources, sources, name);

static const struct refusal contents[] = {
	{ "ranges_without_number", ranges_without_number, -EINVAL, "number of ranges" },
	{ "data_without_size", data_without_size, -EINVAL, "size of the buffer" },
	{ "data_size_largest", data_size_largest, -EINVAL, "wraps" },
	{ "data_end_wraps", data_end_wraps, -EINVAL, "wraps" },
	{ "data_pages_wrap", data_pages_wrap, -ENOMEM, "no memory" },
	{ "data_larger_than_memory", data_larger_than_memory, -ENOMEM, "no memory" },
	{ "sgt_of_device_memory", sgt_of_device, -EINVAL, "kind of memory" },
	{ "data_of_device_memory", data_of_device, -EINVAL, "kind of memory" },
	{ "unknown_memory", unknown_memory, -EINVAL, "kind of memory" },
	{ "reserved_word", reserved_word, -EINVAL, "reserved" },
	{ "range_empty", range_empty, -EINVAL, "no pages" },
	{ "last_range_empty", last_range_empty, -EINVAL, "no pages" },
	{ "range_wraps", range_wraps, -EINVAL, "wraps" },
	{ "range_ends_past_addresses", range_ends_past_addresses, -EINVAL, "wraps" },
	{ "more_ranges_than_memory", more_ranges_than_memory, -ENOMEM, "no memory" },
	{ "device_range_empty", device_range_empty, -EINVAL, "no pages" },
	{ "device_range_wraps", device_range_wraps, -EINVAL, "wraps" },
	{ "device_pfn_past_addresses", device_pfn_past_addresses, -EINVAL, "wraps" },
	{ "device_sum_wraps", device_sum_wraps, -EINVAL, "wraps" },
	{ "stash_sum_wraps", stash_sum_wraps, -EINVAL, "wraps" },
	{ "meta_size_without_meta", meta_size_without_meta, -EINVAL, "metadata" },
	{ "meta_one_byte_too_many", meta_one_byte_too_many, -E2BIG, "metadata" },
	{ "meta_largest", meta_largest, -E2BIG, "metadata" },
	{ "sgt_empty", sgt_empty, -EINVAL, "empty" },
	{ "sgt_with_offset", sgt_with_offset, -EINVAL, "whole pages" },
	{ "sgt_with_offset_of_whole_length", sgt_with_offset_of_whole_length, -EINVAL,
	  "whole pages" },
	{ "sgt_with_odd_length", sgt_with_odd_length, -EINVAL, "whole pages" },
	{ "sgt_with_no_length", sgt_with_no_length, -EINVAL, "whole pages" },
	{ "sgt_without_page", sgt_without_page, -EINVAL, "whole pages" },
	{ "sgt_last_entry_bad", sgt_last_entry_bad, -EINVAL, "whole pages" },
	{ "sgt_cut_short", sgt_cut_short, -EINVAL, "whole pages" },
};

KUNIT_ARRAY_PARAM_DESC(contents, contents, name);

/* The second block is refused, and nothing has changed by it. */
static int refuse_hook(struct fake_driver *driver, enum fake_call call,
		       struct drm_hotupdate_block *block)
{
	struct kunit *test = driver->test;
	const struct refusal *refusal = test->param_value;
	struct drm_hotupdate_save_args args = { };
	struct parts *parts = driver->hook_data;
	u64 bytes = driver->adapter->stash.bytes;

	if (call != FAKE_SAVE)
		return 0;

	refusal->make(&args, parts);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_save_memory(driver->adapter, &args),
			refusal->err);
	FAKE_EXPECT_ERROR(driver->gpu, "block 1 refused");
	FAKE_EXPECT_ERROR(driver->gpu, refusal->words);
	FAKE_EXPECT_STASH(driver->gpu, 1);
	KUNIT_EXPECT_EQ(test, driver->adapter->stash.bytes, bytes);
	KUNIT_EXPECT_EQ(test, page_ref_count(parts->page), 2);
	return 0;
}

/*
 * Saves a good block and the bad one, and overlooks that it was refused: the
 * save fails all the same, and the driver hears of it. Then saves without.
 */
static void expect_refused(struct kunit *test)
{
	const struct refusal *refusal = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);
	struct parts *parts = kunit_kzalloc(test, sizeof(*parts), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, parts);
	parts->page = fake_pages_new(test, 0)->page;
	parts->ranges[0] = (struct drm_hotupdate_range) { page_to_pfn(parts->page), 1 };
	sg_init_table(parts->sgl, 1);
	sg_set_page(parts->sgl, parts->page, PAGE_SIZE, 0);
	parts->sgt = (struct sg_table) { .sgl = parts->sgl, .orig_nents = 1 };

	fake_driver_saves(driver, fake_block_page(test));
	driver->hook = refuse_hook;
	driver->hook_data = parts;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), refusal->err);

	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, cancel");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	FAKE_EXPECT_ERROR(driver->gpu, "block 1 refused");
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	fake_block_expect_refs(test, driver->saves[0], 1);

	driver->hook = NULL;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	FAKE_EXPECT_STASH(driver->gpu, 1);
}

/*
 * A call that does not name its memory in exactly one of the three ways is
 * refused, and leaves everything as it was.
 *
 * Clauses: W7, U3
 */
static void refuse_sources(struct kunit *test)
{
	expect_refused(test);
}

/*
 * A call whose ranges, table, buffer or metadata make no sense is refused, and
 * leaves everything as it was.
 *
 * Clauses: U3
 */
static void refuse_contents(struct kunit *test)
{
	expect_refused(test);
}

/*
 * Each of the three ways alone is accepted.
 *
 * Clauses: W7, W9, W10
 */
static void accept_each_source(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves_each_kind(driver);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	FAKE_EXPECT_STASH(driver->gpu, driver->num_saves);
}

/*
 * A driver can save as many blocks as it needs, in one callback. They are
 * counted, and their bytes summed up.
 *
 * Clauses: W3, W5
 */
static void accept_many_blocks(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	const unsigned int num = 150;
	unsigned int i;

	for (i = 0; i < num; i++)
		fake_driver_saves(driver, fake_block_page(test));
	FAKE_ASSERT_DETACHED(driver);
	FAKE_EXPECT_STASH(driver->gpu, num);
	KUNIT_EXPECT_EQ(test, driver->gpu->adapter->stash.bytes, num * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_driver_expect_restored(driver, driver);
}

/*
 * A driver that saves nothing has a stash nonetheless: it is restored, from
 * nothing, and its device is taken over.
 *
 * Clauses: W5
 */
static void accept_no_blocks(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_STREQ(test, driver->log,
			   "start:new, save, stop:saved, start:restored, complete");
}

/*
 * When the driver gives up half-way, after a refused call or for a reason of
 * its own, nothing is kept; it has put itself back and is not told again.
 *
 * Clauses: U3, W20
 */
static void driver_gives_up(struct kunit *test)
{
	struct fake_failure failure = { .call = FAKE_SAVE, .err = -EXDEV };
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves_each_kind(driver);
	driver->hook = fake_fail_hook;
	driver->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EXDEV);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	FAKE_EXPECT_ERROR(driver->gpu, "fake");
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	fake_block_expect_refs(test, driver->saves[0], 1);
	fake_block_expect_untouched(test, driver->saves[0]);

	driver->hook = NULL;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
}

/*
 * The error of the first refused call is the error of the save, whatever
 * comes after it: more errors, and calls that succeed.
 *
 * Clauses: U3
 */
static void first_error_counts(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *page = fake_block_page(test);

	fake_driver_saves(driver, page);
	fake_driver_saves(driver, page);
	fake_driver_saves(driver, fake_block_device(test, 0, 0));
	fake_driver_saves(driver, fake_block_page(test));
	driver->ignores_errors = true;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EEXIST);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, cancel");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

static struct kunit_case save_cases[] = {
	KUNIT_CASE_PARAM(refuse_sources, sources_gen_params),
	KUNIT_CASE_PARAM(refuse_contents, contents_gen_params),
	KUNIT_CASE(accept_each_source),
	KUNIT_CASE(accept_many_blocks),
	KUNIT_CASE(accept_no_blocks),
	KUNIT_CASE(driver_gives_up),
	KUNIT_CASE(first_error_counts),
	{ }
};

static struct kunit_suite save_suite = {
	.name = "drm_hotupdate_save",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = save_cases,
};

kunit_test_suites(&save_suite);
