// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the table that translates a VF's addresses: what the device
 * finds when it walks it. What an update makes of it is in
 * vgpu_lmtt_update_kunit.c.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "vgpu_lmtt_kunit.h"

/* All pages of a mapping lead where they should. */
static void expect_mapped(struct kunit *test, struct vgpu_lmtt *lmtt, u64 address,
			  u64 target, u64 size, u64 flags)
{
	u64 offset, entry, wanted;

	for (offset = 0; offset < size; offset += SZ_4K) {
		entry = mock_walk(vgpu_lmtt_base(lmtt), address + offset, NULL);
		wanted = (target + offset) | flags | 1;
		if (entry == wanted)
			continue;
		KUNIT_FAIL(test, "%#llx leads to %#llx, not %#llx\n", address + offset,
			   entry, wanted);
		return;
	}
}

static void expect_not_mapped(struct kunit *test, struct vgpu_lmtt *lmtt, u64 address,
			      u64 size)
{
	u64 offset, entry;

	for (offset = 0; offset < size; offset += SZ_4K) {
		entry = mock_walk(vgpu_lmtt_base(lmtt), address + offset, NULL);
		if (!entry)
			continue;
		KUNIT_FAIL(test, "%#llx leads to %#llx\n", address + offset, entry);
		return;
	}
}

/*
 * Whichever allocation fails, nothing of the range is mapped, what was there
 * before is, and the table can be used on.
 */
static void map_fail_nth(struct kunit *test)
{
	const u64 end = VGPU_LMTT_MAX_SIZE - SZ_4M;
	struct vgpu_lmtt *lmtt;
	unsigned int nth = 0;
	bool has_failed;
	int err;

	mock_fail_init(test);
	do {
		lmtt = lmtt_new(test);
		KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(lmtt, 0, 0x7000, SZ_4K, 0), 0);
		mock_fail_begin(++nth);
		err = vgpu_lmtt_map(lmtt, end - SZ_4K, SZ_1G, SZ_4M + SZ_4K, 0);
		has_failed = mock_fail_end();

		expect_mapped(test, lmtt, 0, 0x7000, SZ_4K, 0);
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_TRUE(test, has_failed);
			expect_not_mapped(test, lmtt, end - SZ_4K, SZ_4M + SZ_4K);
			KUNIT_EXPECT_EQ(test, 0, vgpu_lmtt_map(lmtt, end - SZ_4K, SZ_1G,
							       SZ_4M + SZ_4K, 0));
		}
		expect_mapped(test, lmtt, end - SZ_4K, SZ_1G, SZ_4M + SZ_4K, 0);
		lmtt_free(test, lmtt);
	} while (has_failed);
	KUNIT_EXPECT_EQ(test, err, 0);
	/* The four tables as one folio; once that fails, as smaller ones. */
	KUNIT_EXPECT_GT(test, nth, 1);
}

static void init_fail_nth(struct kunit *test)
{
	struct vgpu_lmtt lmtt;
	unsigned int nth = 0;
	bool has_failed;
	int err;

	mock_fail_init(test);
	do {
		mock_fail_begin(++nth);
		err = vgpu_lmtt_init(&lmtt);
		has_failed = mock_fail_end();
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_NULL(test, lmtt.root);
		}
		/* Of one that could not be made, there is nothing to be freed. */
		vgpu_lmtt_fini(&lmtt);
	} while (has_failed);
	KUNIT_EXPECT_EQ(test, err, 0);
}

struct map_case {
	const char *name;
	u64 address;
	u64 target;
	u64 size;
	u64 flags;
	unsigned int num_tables;
};

/* The number of tables is that of the radix tree: see vgpu_hw.h. */
static const struct map_case map_cases[] = {
	{ "first_page", 0, 0x5000, SZ_4K, 0, 3 },
	{ "page_of_system_memory", 0, 0x123456000, SZ_4K, VGPU_LMTT_SYSTEM, 3 },
	{ "one_table", 0, SZ_1G, SZ_2M, 0, 3 },
	{ "one_table_and_a_page", 0, SZ_1G, SZ_2M + SZ_4K, 0, 4 },
	{ "around_a_table", SZ_2M - SZ_4K, 0, SZ_8K, 0, 4 },
	{ "around_a_gigabyte", SZ_1G - SZ_4K, 0, SZ_8K, 0, 5 },
	{ "last_page", VGPU_LMTT_MAX_SIZE - SZ_4K, 0x5000, SZ_4K, 0, 3 },
	{ "last_table", VGPU_LMTT_MAX_SIZE - SZ_2M, 0, SZ_2M, 0, 3 },
	{ "target_all_bits", SZ_4K, 0xffffffffff000, SZ_4K, VGPU_LMTT_SYSTEM, 3 },
	{ "sixteen_megabytes", 0, 0, SZ_16M, 0, 10 },
};

KUNIT_ARRAY_PARAM_DESC(map, map_cases, name);

/* What is mapped is found, its neighbours are not, and no table is for nothing. */
static void map(struct kunit *test)
{
	const struct map_case *c = test->param_value;
	struct vgpu_lmtt *lmtt = lmtt_new(test);

	KUNIT_EXPECT_EQ(test, lmtt->num_pages, 1);
	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(lmtt, c->address, c->target, c->size, c->flags),
			0);
	KUNIT_EXPECT_EQ(test, lmtt->num_pages, c->num_tables);
	expect_mapped(test, lmtt, c->address, c->target, c->size, c->flags);
	if (c->address)
		expect_not_mapped(test, lmtt, c->address - SZ_4K, SZ_4K);
	if (c->address + c->size < VGPU_LMTT_MAX_SIZE)
		expect_not_mapped(test, lmtt, c->address + c->size, SZ_4K);
}

static const struct map_case map_refused_cases[] = {
	{ "behind_the_last_page", VGPU_LMTT_MAX_SIZE, 0, SZ_4K, 0 },
	{ "beyond_the_last_page", VGPU_LMTT_MAX_SIZE - SZ_4K, 0, SZ_8K, 0 },
	{ "wraps", VGPU_LMTT_MAX_SIZE - SZ_4K, 0, U64_MAX - SZ_4K + 1, 0 },
	{ "address_wraps", U64_MAX - SZ_4K + 1, 0, SZ_8K, 0 },
	{ "address_not_aligned", SZ_4K + 8, 0, SZ_4K, 0 },
	{ "target_not_aligned", SZ_4K, 2, SZ_4K, 0 },
	{ "size_not_aligned", SZ_4K, 0, SZ_4K + 1, 0 },
	{ "target_has_no_room", SZ_4K, BIT_ULL(52), SZ_4K, VGPU_LMTT_SYSTEM },
	{ "end_of_target_has_no_room", SZ_4K, BIT_ULL(52) - SZ_4K, SZ_8K, VGPU_LMTT_SYSTEM },
	{ "flags_unknown", SZ_4K, 0, SZ_4K, BIT_ULL(2) },
	{ "flags_high", SZ_4K, 0, SZ_4K, BIT_ULL(63) },
};

KUNIT_ARRAY_PARAM_DESC(map_refused, map_refused_cases, name);

/* A refused mapping leaves the table unchanged. */
static void map_refused(struct kunit *test)
{
	const struct map_case *c = test->param_value;
	struct vgpu_lmtt *lmtt = lmtt_new(test);

	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(lmtt, 0, SZ_1M, SZ_4K, 0), 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_lmtt_map(lmtt, c->address, c->target, c->size,
						     c->flags));
	KUNIT_EXPECT_EQ(test, lmtt->num_pages, 3);
	expect_mapped(test, lmtt, 0, SZ_1M, SZ_4K, 0);
	expect_not_mapped(test, lmtt, SZ_4K, SZ_2M - SZ_4K);
}

/* Addresses beyond the address space do not wrap to its beginning. */
static void addresses_do_not_wrap(struct kunit *test)
{
	struct vgpu_lmtt *lmtt = lmtt_new(test);

	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(lmtt, 0, SZ_1M, SZ_8K, 0), 0);
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_reserve(lmtt, VGPU_LMTT_MAX_SIZE, SZ_4K), -EINVAL);
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_reserve(lmtt, SZ_4K, U64_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, lmtt->num_pages, 3);
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_entry(lmtt, VGPU_LMTT_MAX_SIZE), 0);
	vgpu_lmtt_unmap(lmtt, VGPU_LMTT_MAX_SIZE, SZ_8K);
	expect_mapped(test, lmtt, 0, SZ_1M, SZ_8K, 0);
}

/* And when it is taken away, nothing is found, and tables stay for next time. */
static void unmap(struct kunit *test)
{
	const struct map_case *c = test->param_value;
	struct vgpu_lmtt *lmtt = lmtt_new(test);

	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(lmtt, c->address, c->target, c->size, c->flags),
			0);
	vgpu_lmtt_unmap(lmtt, c->address, c->size);
	expect_not_mapped(test, lmtt, c->address, c->size);
	KUNIT_EXPECT_EQ(test, lmtt->num_pages, c->num_tables);
	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(lmtt, c->address, 0, c->size, 0), 0);
	expect_mapped(test, lmtt, c->address, 0, c->size, 0);
	KUNIT_EXPECT_EQ(test, lmtt->num_pages, c->num_tables);
}

/* Of a mapping the end goes, and the begin stays. */
static void unmap_end(struct kunit *test)
{
	struct vgpu_lmtt *lmtt = lmtt_new(test);

	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(lmtt, 0, SZ_1M, SZ_4M, 0), 0);
	vgpu_lmtt_unmap(lmtt, SZ_2M - SZ_4K, SZ_2M + SZ_4K);
	expect_mapped(test, lmtt, 0, SZ_1M, SZ_2M - SZ_4K, 0);
	expect_not_mapped(test, lmtt, SZ_2M - SZ_4K, SZ_2M + SZ_4K);
	vgpu_lmtt_unmap(lmtt, 0, 0);
	expect_mapped(test, lmtt, 0, SZ_1M, SZ_2M - SZ_4K, 0);
}

/* Pieces put together are as one; those of other kinds do not mix. */
static void map_pieces(struct kunit *test)
{
	struct vgpu_lmtt *lmtt = lmtt_new(test);

	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(lmtt, 0, SZ_8M, SZ_64K, 0), 0);
	KUNIT_ASSERT_EQ(test, 0, vgpu_lmtt_map(lmtt, SZ_64K, SZ_64M, SZ_2M,
					       VGPU_LMTT_SYSTEM));
	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(lmtt, SZ_64K + SZ_2M, 0, SZ_4K, 0), 0);
	expect_mapped(test, lmtt, 0, SZ_8M, SZ_64K, 0);
	expect_mapped(test, lmtt, SZ_64K, SZ_64M, SZ_2M, VGPU_LMTT_SYSTEM);
	expect_mapped(test, lmtt, SZ_64K + SZ_2M, 0, SZ_4K, 0);
}

/* Tables and entries of two VFs have nothing to do with each other. */
static void map_two_tables(struct kunit *test)
{
	struct vgpu_lmtt *a = lmtt_new(test), *b = lmtt_new(test);

	KUNIT_EXPECT_NE(test, vgpu_lmtt_base(a), vgpu_lmtt_base(b));
	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(a, 0, SZ_1M, SZ_64K, 0), 0);
	expect_not_mapped(test, b, 0, SZ_64K);
	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(b, 0, SZ_2M, SZ_64K, 0), 0);
	vgpu_lmtt_unmap(b, 0, SZ_64K);
	expect_mapped(test, a, 0, SZ_1M, SZ_64K, 0);
}

/* Nothing is written that the device could take for an entry. */
static void init_maps_nothing(struct kunit *test)
{
	struct vgpu_lmtt *lmtt = lmtt_new(test);

	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(vgpu_lmtt_base(lmtt), SZ_4K));
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(lmtt->root), 0, SZ_4K));
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_root_index(lmtt), 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(lmtt->root), 1);
}

/* All folios of a table are freed, once. */
static void fini_frees_all(struct kunit *test)
{
	struct vgpu_lmtt *lmtt = lmtt_new(test);
	struct folio *folios[16];
	unsigned int n = 0, pages = 0, i, page;

	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(lmtt, SZ_1G - SZ_2M, 0, SZ_4M, 0), 0);
	KUNIT_ASSERT_LE(test, lmtt->num_pages, ARRAY_SIZE(folios));
	for (i = 0; i < lmtt->num_runs; i++) {
		for (page = 0; page < lmtt->runs[i].nr_pages; page += folio_nr_pages(folios[n++])) {
			folios[n] = page_folio(pfn_to_page(lmtt->runs[i].pfn + page));
			folio_get(folios[n]);
			pages += folio_nr_pages(folios[n]);
		}
	}
	KUNIT_EXPECT_EQ(test, pages, lmtt->num_pages);
	lmtt_free(test, lmtt);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, folio_ref_count(folios[i]), 1);
		folio_put(folios[i]);
	}
}

/* Whichever allocation fails, either all of the tables are there or none. */
static void reserve_fail_nth(struct kunit *test)
{
	struct vgpu_lmtt *lmtt = lmtt_new(test);
	unsigned int nth = 0;
	bool has_failed;
	int err;

	mock_fail_init(test);
	do {
		mock_fail_begin(++nth);
		err = vgpu_lmtt_reserve(lmtt, 0, SZ_16M);
		has_failed = mock_fail_end();
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, lmtt->num_pages, 1);
			KUNIT_EXPECT_NULL(test, memchr_inv(page_address(lmtt->root), 0, SZ_4K));
			continue;
		}
		KUNIT_EXPECT_EQ(test, lmtt->num_pages, 10);
		expect_not_mapped(test, lmtt, 0, SZ_16M);
		lmtt_free(test, lmtt);
		lmtt = lmtt_new(test);
	} while (has_failed);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, nth, 1);
}

/* What was reserved is mapped with no table more, whatever allocation fails. */
static void map_reserved(struct kunit *test)
{
	struct vgpu_lmtt *lmtt = lmtt_new(test);
	u64 offset;

	mock_fail_init(test);
	KUNIT_ASSERT_EQ(test, vgpu_lmtt_reserve(lmtt, SZ_1G - SZ_2M, SZ_8M), 0);
	KUNIT_EXPECT_EQ(test, lmtt->num_pages, 1 + 2 + 4);
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_reserve(lmtt, SZ_1G - SZ_4K, SZ_2M), 0);
	KUNIT_EXPECT_EQ(test, lmtt->num_pages, 1 + 2 + 4);
	for (offset = 0; offset < SZ_8M; offset += SZ_1M) {
		mock_fail_begin(1);
		KUNIT_EXPECT_EQ(test, 0, vgpu_lmtt_map(lmtt, SZ_1G - SZ_2M + offset, offset,
						       SZ_1M, 0));
		mock_fail_end();
	}
	KUNIT_EXPECT_EQ(test, lmtt->num_pages, 1 + 2 + 4);
	expect_mapped(test, lmtt, SZ_1G - SZ_2M, 0, SZ_8M, 0);
}

/* For no addresses, and for some of a table that is there, none is made. */
static void reserve_nothing(struct kunit *test)
{
	struct vgpu_lmtt *lmtt = lmtt_new(test);

	KUNIT_EXPECT_EQ(test, vgpu_lmtt_reserve(lmtt, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_reserve(lmtt, SZ_1M, 0), 0);
	KUNIT_EXPECT_EQ(test, lmtt->num_pages, 1);
	KUNIT_ASSERT_EQ(test, vgpu_lmtt_map(lmtt, 0, 0, SZ_4K, 0), 0);
	KUNIT_EXPECT_EQ(test, vgpu_lmtt_reserve(lmtt, SZ_1M, SZ_1M), 0);
	KUNIT_EXPECT_EQ(test, lmtt->num_pages, 3);
}

static struct kunit_case lmtt_cases[] = {
	KUNIT_CASE(init_fail_nth),
	KUNIT_CASE(map_fail_nth),
	KUNIT_CASE(reserve_fail_nth),
	KUNIT_CASE(reserve_nothing),
	KUNIT_CASE(map_reserved),
	KUNIT_CASE(init_maps_nothing),
	KUNIT_CASE_PARAM(map_refused, map_refused_gen_params),
	KUNIT_CASE(addresses_do_not_wrap),
	KUNIT_CASE_PARAM(map, map_gen_params),
	KUNIT_CASE_PARAM(unmap, map_gen_params),
	KUNIT_CASE(unmap_end),
	KUNIT_CASE(map_pieces),
	KUNIT_CASE(map_two_tables),
	KUNIT_CASE(fini_frees_all),
	{ }
};

static struct kunit_suite lmtt_suite = {
	.name = "vgpu_lmtt",
	.init = mock_init,
	.test_cases = lmtt_cases,
};

kunit_test_suite(lmtt_suite);
