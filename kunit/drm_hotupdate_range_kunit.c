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
