// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of pages, and the word that Windows packs them into.
 */

#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/prandom.h>

#include "drm_hotupdate_kunit.h"

#define MAX_PFN		GENMASK_ULL(39, 0)
#define MAX_PAGES	GENMASK_ULL(23, 0)

struct ksr_param {
	const char *name;
	u64 pfn;
	u64 nr_pages;
	u64 desc;
};

static const struct ksr_param fitting[] = {
	{ "first_page", 0, 1, 0x0000010000000000ull },
	{ "one_page", 0x12345, 1, 0x0000010000012345ull },
	{ "each_digit", 0x9abcdef012ull, 0x345678, 0x3456789abcdef012ull },
	{ "last_pfn", MAX_PFN, 1, 0x000001ffffffffffull },
	{ "most_pages", 0, MAX_PAGES, 0xffffff0000000000ull },
	{ "all_ones", MAX_PFN, MAX_PAGES, U64_MAX },
};

KUNIT_ARRAY_PARAM_DESC(fitting, fitting, name);

/*
 * A range that fits gives the word of Windows, to the bit, and comes back.
 *
 * Clauses: W8
 */
static void to_ksr_fits(struct kunit *test)
{
	const struct ksr_param *param = test->param_value;
	struct drm_hotupdate_range range = { param->pfn, param->nr_pages };
	u64 desc = drm_hotupdate_range_to_ksr(&range);

	KUNIT_EXPECT_EQ(test, desc, param->desc);

	range = drm_hotupdate_range_from_ksr(param->desc);
	KUNIT_EXPECT_EQ(test, range.pfn, param->pfn);
	KUNIT_EXPECT_EQ(test, range.nr_pages, param->nr_pages);
}

struct ksr_shift_param {
	const char *name;
	unsigned int page_shift;
	struct drm_hotupdate_range range;
	u64 desc;
};

static const struct ksr_shift_param shifts[] = {
	{ "4k", 12, { 0x12345, 3 }, 0x0000030000012345ull },
	{ "4k_largest", 12, { MAX_PFN, MAX_PAGES }, U64_MAX },
	{ "16k", 14, { 0x12345, 3 }, 0x00000c0000048d14ull },
	{ "16k_largest", 14, { MAX_PFN >> 2, MAX_PAGES >> 2 }, 0xfffffcfffffffffcull },
	{ "64k", 16, { 0x12345, 3 }, 0x0000300000123450ull },
	{ "64k_largest", 16, { MAX_PFN >> 4, MAX_PAGES >> 4 }, 0xfffff0fffffffff0ull },
};

KUNIT_ARRAY_PARAM_DESC(shifts, shifts, name);

/*
 * The word counts pages of 4 KiB, whatever the page size of the kernel. A range
 * that is one page larger than the largest has none.
 *
 * Clauses: W8
 */
static void to_ksr_of_page_sizes(struct kunit *test)
{
	const struct ksr_shift_param *param = test->param_value;
	struct drm_hotupdate_range range = param->range;
	const unsigned int shift = param->page_shift - 12;

	KUNIT_EXPECT_EQ(test, hotupdate_range_to_ksr(&range, param->page_shift), param->desc);
	range = hotupdate_range_from_ksr(param->desc, param->page_shift);
	KUNIT_EXPECT_EQ(test, range.pfn, param->range.pfn);
	KUNIT_EXPECT_EQ(test, range.nr_pages, param->range.nr_pages);

	range = (struct drm_hotupdate_range) { (MAX_PFN >> shift) + 1, 1 };
	KUNIT_EXPECT_EQ(test, hotupdate_range_to_ksr(&range, param->page_shift), 0);
	range = (struct drm_hotupdate_range) { 0, (MAX_PAGES >> shift) + 1 };
	KUNIT_EXPECT_EQ(test, hotupdate_range_to_ksr(&range, param->page_shift), 0);
}

/*
 * A word that does not begin and end at a page of this kernel is no range.
 *
 * Clauses: W8
 */
static void from_ksr_within_a_page(struct kunit *test)
{
	static const u64 words[] = {
		0x0000040000000001ull, 0x0000040000000002ull, 0x0000010000000004ull,
		0x0000070000000000ull,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		KUNIT_EXPECT_EQ(test, hotupdate_range_from_ksr(words[i], 14).nr_pages, 0);
	KUNIT_EXPECT_EQ(test, hotupdate_range_from_ksr(0x0000040000000004ull, 14).nr_pages, 1);
	KUNIT_EXPECT_EQ(test, hotupdate_range_from_ksr(0x0000040000000004ull, 16).nr_pages, 0);
}

static const struct ksr_param not_fitting[] = {
	{ "no_pages", 5, 0 },
	{ "pfn_one_too_large", MAX_PFN + 1, 1 },
	{ "pfn_largest", U64_MAX, 1 },
	{ "one_page_too_many", 0, MAX_PAGES + 1 },
	{ "one_page_too_many_at_a_pfn", 5, MAX_PAGES + 1 },
	{ "count_that_would_wrap_to_one", 5, MAX_PAGES + 2 },
	{ "most_pages_there_are", 0, U64_MAX },
	{ "both_too_large", MAX_PFN + 1, MAX_PAGES + 1 },
};

KUNIT_ARRAY_PARAM_DESC(not_fitting, not_fitting, name);

/*
 * A range that the word has no room for gives 0, which is no range, and never
 * another range.
 *
 * Clauses: W8
 */
static void to_ksr_does_not_fit(struct kunit *test)
{
	const struct ksr_param *param = test->param_value;
	struct drm_hotupdate_range range = { param->pfn, param->nr_pages };

	KUNIT_EXPECT_EQ(test, drm_hotupdate_range_to_ksr(&range), 0);
}

/*
 * The word that is no range has no pages, so that a save refuses it.
 */
static void from_ksr_zero(struct kunit *test)
{
	struct drm_hotupdate_range range = drm_hotupdate_range_from_ksr(0);

	KUNIT_EXPECT_EQ(test, range.nr_pages, 0);
	KUNIT_EXPECT_NOT_NULL(test, hotupdate_range_refusal(&range));
}

/*
 * Every word with pages goes to a range and back without a bit lost: each bit
 * alone, and words at random.
 *
 * Clauses: W8
 */
static void from_ksr_round_trip(struct kunit *test)
{
	const u64 one_page = 1ull << 40;
	struct drm_hotupdate_range range;
	struct rnd_state rnd;
	unsigned int i;
	u64 desc;

	for (i = 0; i < 64; i++) {
		desc = BIT_ULL(i) | one_page;
		range = drm_hotupdate_range_from_ksr(desc);
		KUNIT_EXPECT_EQ(test, drm_hotupdate_range_to_ksr(&range), desc);
	}

	prandom_seed_state(&rnd, 2606);
	for (i = 0; i < 10000; i++) {
		desc = ((u64)prandom_u32_state(&rnd) << 32 | prandom_u32_state(&rnd)) |
		       one_page;
		range = drm_hotupdate_range_from_ksr(desc);
		if (drm_hotupdate_range_to_ksr(&range) != desc)
			KUNIT_FAIL(test, "%#llx did not come back", desc);
	}
}

/* The first page whose address does not fit any more. */
#define END_PFN	((U64_MAX >> PAGE_SHIFT) + 1)

struct refusal_param {
	const char *name;
	u64 pfn;
	u64 nr_pages;
	bool is_refused;
};

static const struct refusal_param refusals[] = {
	{ "one_page", 0, 1, false },
	{ "last_pages", END_PFN - 3, 2, false },
	{ "no_pages", 0, 0, true },
	{ "no_pages_at_the_end", U64_MAX, 0, true },
	{ "past_the_last_address", END_PFN, 1, true },
	{ "across_the_last_address", END_PFN - 1, 2, true },
	{ "number_wraps", U64_MAX, 1, true },
	{ "sum_wraps", 2, U64_MAX, true },
	{ "sum_wraps_to_zero", U64_MAX - 9, 10, true },
	{ "bytes_wrap", 0, U64_MAX, true },
};

KUNIT_ARRAY_PARAM_DESC(refusals, refusals, name);

/*
 * A range has pages, and no number or address in it wraps.
 */
static void range_refusal_limits(struct kunit *test)
{
	const struct refusal_param *param = test->param_value;
	struct drm_hotupdate_range range = { param->pfn, param->nr_pages };

	KUNIT_EXPECT_EQ(test, !!hotupdate_range_refusal(&range), param->is_refused);
}

static struct kunit_case range_cases[] = {
	KUNIT_CASE_PARAM(to_ksr_fits, fitting_gen_params),
	KUNIT_CASE_PARAM(to_ksr_of_page_sizes, shifts_gen_params),
	KUNIT_CASE(from_ksr_within_a_page),
	KUNIT_CASE_PARAM(to_ksr_does_not_fit, not_fitting_gen_params),
	KUNIT_CASE(from_ksr_zero),
	KUNIT_CASE(from_ksr_round_trip),
	KUNIT_CASE_PARAM(range_refusal_limits, refusals_gen_params),
	{ }
};

static struct kunit_suite range_suite = {
	.name = "drm_hotupdate_range",
	.test_cases = range_cases,
};

kunit_test_suites(&range_suite);
