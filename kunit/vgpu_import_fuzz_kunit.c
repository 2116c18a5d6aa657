// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of imported memory: imports random lists, valid and invalid, and
 * compares the whole table with a model after each. Parameters for longer runs:
 * vgpu_kunit.import_rounds= and vgpu_kunit.seed=
 */

#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>

#include <drm/drm_gem.h>

#include "../drivers/gpu/drm/vgpu/vgpu_gem.h"
#include "vgpu_import_kunit.h"
#include "vgpu_pf_kunit.h"

static unsigned int import_rounds = 500;
module_param(import_rounds, uint, 0400);
MODULE_PARM_DESC(import_rounds, "Number of random imports");

#define MOST_PAGES	48
#define LIVE		8
/* Room for all objects; entries outside of objects must not change. */
#define WINDOW		SZ_4M
#define WINDOW_PAGES	(WINDOW / SZ_4K)

struct fuzz {
	struct kunit *test;
	struct mock_client *client;
	u64 state;
	u64 memory;
	struct export *export;
	struct drm_gem_object *live[LIVE];
	/* The entry of each page of the window, according to the model */
	u64 expected[WINDOW_PAGES];
	unsigned int taken;
	unsigned int refused;
};

static u64 fuzz_below(struct fuzz *fuzz, u64 end)
{
	return mock_random(&fuzz->state) % end;
}

static bool fuzz_one_in(struct fuzz *fuzz, u64 n)
{
	return !fuzz_below(fuzz, n);
}

static void fuzz_add_entry(struct fuzz *fuzz)
{
	u32 len = SZ_4K * (1 + fuzz_below(fuzz, 16));
	struct export_entry *entry;

	/* In the first half: fuzz_spoil_entry() can make an entry longer than the object. */
	export_add(fuzz->export, fuzz->memory + SZ_4K * fuzz_below(fuzz, SZ_1M / SZ_4K), len);
	entry = &fuzz->export->entries[fuzz->export->num - 1];
	entry->offset = fuzz_below(fuzz, SZ_2M);
	if (fuzz_one_in(fuzz, 3))
		entry->len = fuzz_below(fuzz, SZ_2M);
}

static void fuzz_spoil_entry(struct fuzz *fuzz)
{
	struct export_entry *entry = &fuzz->export->entries[fuzz_below(fuzz, fuzz->export->num)];

	switch (fuzz_below(fuzz, 6)) {
	case 0:
		entry->address += 8 * (1 + fuzz_below(fuzz, SZ_4K / 8 - 1));
		break;
	case 1:
		entry->dma_len -= 1 + fuzz_below(fuzz, SZ_4K - 1);
		break;
	case 2:
		entry->dma_len = 0;
		break;
	case 3:
		entry->address = mock_random(&fuzz->state);
		break;
	case 4:
		entry->address = U64_MAX - fuzz_below(fuzz, SZ_64K);
		break;
	default:
		entry->dma_len = mock_random(&fuzz->state);
	}
}

static void fuzz_make_list(struct fuzz *fuzz)
{
	unsigned int num = fuzz_below(fuzz, 8);

	fuzz->export->num = 0;
	fuzz->export->size = SZ_4K * fuzz_below(fuzz, MOST_PAGES) + fuzz_below(fuzz, 2 * SZ_4K);
	while (fuzz->export->num < num)
		fuzz_add_entry(fuzz);
	if (num && fuzz_one_in(fuzz, 4))
		fuzz_spoil_entry(fuzz);
}

/* The model: all pages are aligned and within the folio. */
static bool fuzz_is_valid(const struct fuzz *fuzz)
{
	const struct export *export = fuzz->export;
	u64 left = DIV_ROUND_UP(export->size, SZ_4K);
	unsigned int i;
	u64 offset;

	if (!left)
		return false;
	for (i = 0; i < export->num && left; i++) {
		const struct export_entry *entry = &export->entries[i];

		if (!entry->dma_len)
			return false;
		for (offset = 0; offset < entry->dma_len && left; offset += SZ_4K, left--)
			if (entry->address % SZ_4K || entry->dma_len - offset < SZ_4K ||
			    entry->address + offset < fuzz->memory ||
			    entry->address + offset >= fuzz->memory + SZ_2M)
				return false;
	}
	return !left;
}

static void fuzz_expect_list_at(struct fuzz *fuzz, u64 address)
{
	const struct export_entry *entry = fuzz->export->entries;
	u64 page = address / SZ_4K, left = DIV_ROUND_UP(fuzz->export->size, SZ_4K), offset = 0;

	KUNIT_ASSERT_LE(fuzz->test, page + left, WINDOW_PAGES);
	for (; left; left--, page++) {
		KUNIT_EXPECT_EQ(fuzz->test, fuzz->expected[page], 0);
		fuzz->expected[page] = (entry->address + offset) | VGPU_LMTT_SYSTEM |
				       VGPU_LMTT_VALID;
		offset += SZ_4K;
		if (offset < entry->dma_len)
			continue;
		entry++;
		offset = 0;
	}
}

static void fuzz_expect_nothing_at(struct fuzz *fuzz, u64 address, u64 size)
{
	memset64(&fuzz->expected[address / SZ_4K], 0, size / SZ_4K);
}

static u64 fuzz_entry_of(const struct fuzz *fuzz, unsigned int page)
{
	return mock_walk(fuzz->client->gpu->hw->fns[0].table, (u64)page * SZ_4K, NULL);
}

static bool fuzz_table_matches(const struct fuzz *fuzz)
{
	unsigned int page;

	for (page = 0; page < WINDOW_PAGES; page++)
		if (fuzz_entry_of(fuzz, page) != fuzz->expected[page])
			return false;
	return true;
}

static void fuzz_drop(struct fuzz *fuzz, struct drm_gem_object **live)
{
	if (!*live)
		return;
	fuzz_expect_nothing_at(fuzz, vgpu_gem_address(*live), (*live)->size);
	export_drop_object(fuzz->test, *live);
	*live = NULL;
}

static void fuzz_import_one(struct fuzz *fuzz)
{
	struct drm_gem_object **live = &fuzz->live[fuzz_below(fuzz, LIVE)], *obj;
	struct kunit *test = fuzz->test;

	fuzz_drop(fuzz, live);
	fuzz_make_list(fuzz);
	obj = export_import(fuzz->client, fuzz->export);
	KUNIT_ASSERT_EQ(test, !IS_ERR(obj), fuzz_is_valid(fuzz));
	if (IS_ERR(obj)) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(obj), -EINVAL);
		fuzz->refused++;
		return;
	}
	fuzz->taken++;
	*live = obj;
	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(obj), 0);
	fuzz_expect_list_at(fuzz, vgpu_gem_address(obj));
}

/* The device reaches the pages of the lists and no others. */
static void import_fuzz(struct kunit *test)
{
	struct fuzz *fuzz = kunit_kzalloc(test, sizeof(*fuzz), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, fuzz);
	fuzz->test = test;
	fuzz->client = pf_client_new(test);
	fuzz->state = mock_seed(test);
	fuzz->memory = page_to_phys(export_memory(test));
	fuzz->export = export_new(test, 0);
	/* The ring, and an object that is not imported. */
	for (i = 0; i < WINDOW_PAGES; i++)
		fuzz->expected[i] = fuzz_entry_of(fuzz, i);
	for (i = 0; i < import_rounds; i++) {
		fuzz_import_one(fuzz);
		if (!fuzz_table_matches(fuzz)) {
			KUNIT_FAIL(test, "round %u: the table differs from the model\n", i);
			break;
		}
	}
	kunit_info(test, "%u were taken, %u were refused\n", fuzz->taken, fuzz->refused);
	KUNIT_EXPECT_NE(test, fuzz->taken, 0);
	KUNIT_EXPECT_NE(test, fuzz->refused, 0);
	for (i = 0; i < LIVE; i++)
		fuzz_drop(fuzz, &fuzz->live[i]);
	KUNIT_EXPECT_TRUE(test, fuzz_table_matches(fuzz));
}

static struct kunit_case import_fuzz_cases[] = {
	KUNIT_CASE(import_fuzz),
	{ }
};

static struct kunit_suite import_fuzz_suite = {
	.name = "vgpu_import_fuzz",
	.init = mock_init,
	.suite_exit = mock_suite_exit,
	.test_cases = import_fuzz_cases,
};

kunit_test_suites(&import_fuzz_suite);
