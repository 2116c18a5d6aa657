// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the memory that backs a VF: what it is made of, and what
 * becomes of it in an update is in vgpu_memory_update_kunit.c.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "../drivers/gpu/drm/vgpu/vgpu_folio.h"
#include "vgpu_memory_kunit.h"

static unsigned int num_chunks(const struct vgpu_memory *memory)
{
	return list_count_nodes((struct list_head *)&memory->chunks);
}

/* Memory is what its chunks add up to, and they are where they can be. */
static void expect_sane(struct kunit *test, const struct vgpu_memory *memory)
{
	const struct vgpu_chunk *chunk;
	u64 size = 0;

	list_for_each_entry(chunk, &memory->chunks, link) {
		KUNIT_EXPECT_GT(test, chunk->size, 0);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(chunk->size, SZ_4K));
		size += chunk->size;
		if (memory->backing == VGPU_BACKING_SYSTEM) {
			KUNIT_EXPECT_NOT_NULL(test, chunk->folio);
			KUNIT_EXPECT_FALSE(test, drm_mm_node_allocated(&chunk->node));
			continue;
		}
		KUNIT_EXPECT_NULL(test, chunk->folio);
		KUNIT_EXPECT_TRUE(test, drm_mm_node_allocated(&chunk->node));
		KUNIT_EXPECT_EQ(test, chunk->node.size, chunk->size);
		KUNIT_EXPECT_LE(test, chunk->node.start + chunk->size, memory->vram->size);
	}
	KUNIT_EXPECT_EQ(test, memory->size, size);
	KUNIT_EXPECT_EQ(test, memory->num_chunks, num_chunks(memory));
}

static void expect_filled(struct kunit *test, const struct vgpu_memory *memory,
			  u64 from, u64 to, u8 byte)
{
	const struct vgpu_chunk *chunk;
	u64 address = 0;

	list_for_each_entry(chunk, &memory->chunks, link) {
		u64 begin = max(address, from), end = min(address + chunk->size, to);

		if (begin < end)
			KUNIT_EXPECT_NULL_MSG(test,
					      memchr_inv(memory_cpu(memory, chunk) +
							 begin - address, byte, end - begin),
					      "in %#llx-%#llx", begin, end);
		address += chunk->size;
	}
}

static void fill(const struct vgpu_memory *memory, u8 byte)
{
	const struct vgpu_chunk *chunk;

	list_for_each_entry(chunk, &memory->chunks, link)
		memset(memory_cpu(memory, chunk), byte, chunk->size);
}

/* What does not fit is refused, and what was there stays as it was. */
static void grow_vram_enospc(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_2M);
	struct vgpu_memory *memory = memory_new(test, vram, VGPU_BACKING_VRAM);
	struct vgpu_chunk *first;

	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(memory, SZ_2M + SZ_4K), -ENOSPC);
	KUNIT_EXPECT_EQ(test, memory->size, 0);
	KUNIT_EXPECT_EQ(test, vgpu_vram_free_bytes(vram), SZ_2M);

	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_1M), 0);
	fill(memory, 0x77);
	first = list_first_entry(&memory->chunks, struct vgpu_chunk, link);
	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(memory, SZ_2M + SZ_4K), -ENOSPC);
	KUNIT_EXPECT_EQ(test, memory->size, SZ_1M);
	KUNIT_EXPECT_EQ(test, num_chunks(memory), 1);
	KUNIT_EXPECT_PTR_EQ(test, first,
			    list_first_entry(&memory->chunks, struct vgpu_chunk, link));
	expect_filled(test, memory, 0, SZ_1M, 0x77);
	expect_sane(test, memory);
	KUNIT_EXPECT_EQ(test, vgpu_vram_free_bytes(vram), SZ_1M);

	/* The very last page can be had. */
	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(memory, SZ_2M), 0);
	KUNIT_EXPECT_EQ(test, vgpu_vram_free_bytes(vram), 0);
	expect_sane(test, memory);
}

static const enum vgpu_backing backings[] = { VGPU_BACKING_VRAM, VGPU_BACKING_SYSTEM };

static void describe_backing(const enum vgpu_backing *backing, char *desc)
{
	strscpy(desc, *backing == VGPU_BACKING_VRAM ? "vram" : "system",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(backing, backings, describe_backing);

/* Whichever allocation fails, it is -ENOMEM, and nothing is left of the rest. */
static void grow_fail_nth(struct kunit *test)
{
	const enum vgpu_backing *backing = test->param_value;
	struct vgpu_vram *vram = vram_new(test, SZ_2M);
	struct vgpu_memory *memory = memory_new(test, vram, *backing);
	unsigned int nth = 0;
	bool has_failed;
	int err;

	/* Small chunks, so that there are several. */
	vram_fragment(test, vram);
	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_8K), 0);
	mock_fail_init(test);
	do {
		mock_fail_begin(++nth);
		err = vgpu_memory_grow(memory, SZ_8K + 5 * SZ_4K);
		has_failed = mock_fail_end();

		/* A large folio that cannot be had is made up for by smaller ones. */
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, memory->size, SZ_8K);
			KUNIT_EXPECT_TRUE(test, has_failed);
		}
		expect_sane(test, memory);
		vgpu_memory_shrink(memory, SZ_8K);
	} while (has_failed);
	KUNIT_EXPECT_GT(test, nth, 2);
	KUNIT_EXPECT_EQ(test, err, 0);
}

struct size_case {
	const char *name;
	u64 size;
};

static const struct size_case size_cases[] = {
	{ "page", SZ_4K },
	{ "pages_3", 3 * SZ_4K },
	{ "pages_511", 511 * SZ_4K },
	{ "pages_512", 512 * SZ_4K },
	{ "pages_513", 513 * SZ_4K },
	{ "pages_1025", 1025 * SZ_4K },
};

KUNIT_ARRAY_PARAM_DESC(size, size_cases, name);

/* Memory has exactly the size that was asked for, wherever it is. */
static void grow_size(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	struct vgpu_vram *vram = vram_new(test, SZ_8M);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(backings); i++) {
		struct vgpu_memory *memory = memory_new(test, vram, backings[i]);

		KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, c->size), 0);
		KUNIT_EXPECT_EQ(test, memory->size, c->size);
		expect_sane(test, memory);
		expect_filled(test, memory, 0, c->size, 0);
		vgpu_memory_release(memory);
		KUNIT_EXPECT_EQ(test, memory->size, 0);
		KUNIT_EXPECT_TRUE(test, list_empty(&memory->chunks));
	}
	KUNIT_EXPECT_EQ(test, vgpu_vram_free_bytes(vram), SZ_8M);
}

/* VRAM that was another guest's is zeroed, and only what is taken. */
static void grow_vram_zeroes(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_2M);
	struct vgpu_memory *before = memory_new(test, vram, VGPU_BACKING_VRAM);
	struct vgpu_memory *memory = memory_new(test, vram, VGPU_BACKING_VRAM);

	memset(vram->cpu, 0xa5, SZ_2M);
	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(before, SZ_1M), 0);
	fill(before, 0x5a);
	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_512K), 0);
	expect_filled(test, memory, 0, SZ_512K, 0);
	expect_filled(test, before, 0, SZ_1M, 0x5a);

	/* What is there already is not zeroed when more comes. */
	fill(memory, 0x77);
	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_1M), 0);
	expect_filled(test, memory, 0, SZ_512K, 0x77);
	expect_filled(test, memory, SZ_512K, SZ_1M, 0);
}

/* Of a VRAM in pieces the last of them can be had, and nobody else's. */
static void grow_vram_fragmented(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_1M);
	struct vgpu_memory *memory = memory_new(test, vram, VGPU_BACKING_VRAM);
	unsigned int page;

	memset(vram->cpu, 0xa5, SZ_1M);
	vram_fragment(test, vram);
	KUNIT_ASSERT_EQ(test, vgpu_vram_free_bytes(vram), SZ_512K);

	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(memory, SZ_512K + SZ_4K), -ENOSPC);
	KUNIT_EXPECT_EQ(test, vgpu_vram_free_bytes(vram), SZ_512K);
	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(memory, SZ_512K), 0);
	KUNIT_EXPECT_EQ(test, num_chunks(memory), SZ_512K / SZ_4K);
	expect_sane(test, memory);
	expect_filled(test, memory, 0, SZ_512K, 0);
	for (page = 1; page < SZ_1M / SZ_4K; page += 2)
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(vram->cpu + page * SZ_4K, 0xa5, SZ_4K),
				      "page %u", page);
}

/* A contiguous VRAM is not broken up without need. */
static void grow_vram_contiguous(struct kunit *test)
{
	struct vgpu_vram *vram = vram_new(test, SZ_8M);
	struct vgpu_memory *memory = memory_new(test, vram, VGPU_BACKING_VRAM);

	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_8M), 0);
	KUNIT_EXPECT_EQ(test, num_chunks(memory), 1);
	expect_sane(test, memory);
}

/* To what it has already, or less, there is nothing to grow. */
static void grow_to_less(struct kunit *test)
{
	const enum vgpu_backing *backing = test->param_value;
	struct vgpu_memory *memory = memory_new(test, vram_new(test, SZ_2M), *backing);

	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(memory, 0), 0);
	KUNIT_EXPECT_EQ(test, memory->size, 0);
	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_1M), 0);
	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(memory, SZ_1M), 0);
	KUNIT_EXPECT_EQ(test, vgpu_memory_grow(memory, SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, memory->size, SZ_1M);
	expect_sane(test, memory);
}

/* VRAM ends at the very byte; what is before stays, and where it was. */
static void shrink_vram_exact(struct kunit *test)
{
	static const u64 sizes[] = {
		SZ_1M, SZ_1M - SZ_4K, SZ_512K + SZ_4K, SZ_512K, SZ_64K + SZ_4K, SZ_4K, 0,
	};
	struct vgpu_vram *vram = vram_new(test, SZ_2M);
	struct vgpu_memory *memory = memory_new(test, vram, VGPU_BACKING_VRAM);
	unsigned int i;
	u64 start;

	/* Two chunks. */
	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_512K), 0);
	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_1M), 0);
	fill(memory, 0x77);
	start = vgpu_chunk_address(memory, list_first_entry(&memory->chunks,
							    struct vgpu_chunk, link));

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		vgpu_memory_shrink(memory, sizes[i]);
		KUNIT_EXPECT_EQ(test, memory->size, sizes[i]);
		expect_sane(test, memory);
		expect_filled(test, memory, 0, sizes[i], 0x77);
		KUNIT_EXPECT_EQ(test, vgpu_vram_free_bytes(vram), SZ_2M - sizes[i]);
		if (sizes[i])
			KUNIT_EXPECT_EQ(test, start,
					vgpu_chunk_address(memory,
							   list_first_entry(&memory->chunks,
									    struct vgpu_chunk,
									    link)));
	}
}

/* A folio is one thing: it goes when nothing of it is to stay. */
static void shrink_system_whole_folios(struct kunit *test)
{
	struct vgpu_memory *memory = memory_new(test, vram_new(test, SZ_1M),
						VGPU_BACKING_SYSTEM);
	struct vgpu_chunk *chunk;
	u64 first;

	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_64K), 0);
	chunk = list_first_entry(&memory->chunks, struct vgpu_chunk, link);
	/* Smaller folios that are neighbours are a chunk as well. */
	first = folio_size(chunk->folio);
	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_64K + SZ_16K), 0);
	fill(memory, 0x77);

	if (first == SZ_64K) {
		vgpu_memory_shrink(memory, SZ_64K + SZ_4K);
		KUNIT_EXPECT_GE(test, memory->size, SZ_64K + SZ_4K);
		vgpu_memory_shrink(memory, SZ_64K);
		KUNIT_EXPECT_EQ(test, memory->size, SZ_64K);
		vgpu_memory_shrink(memory, SZ_4K);
		KUNIT_EXPECT_EQ(test, memory->size, SZ_64K);
	}
	expect_sane(test, memory);
	expect_filled(test, memory, 0, memory->size, 0x77);
	vgpu_memory_shrink(memory, 0);
	KUNIT_EXPECT_EQ(test, memory->size, 0);
	expect_sane(test, memory);
}

/* To more than there is, there is nothing to shrink. */
static void shrink_to_more(struct kunit *test)
{
	const enum vgpu_backing *backing = test->param_value;
	struct vgpu_memory *memory = memory_new(test, vram_new(test, SZ_2M), *backing);

	vgpu_memory_shrink(memory, SZ_1M);
	KUNIT_EXPECT_EQ(test, memory->size, 0);
	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_64K), 0);
	vgpu_memory_shrink(memory, SZ_64K);
	vgpu_memory_shrink(memory, SZ_1M);
	vgpu_memory_shrink(memory, U64_MAX);
	KUNIT_EXPECT_EQ(test, memory->size, SZ_64K);
	expect_sane(test, memory);
}

/* Its references to folios are dropped, and not more of them. */
static void release_system(struct kunit *test)
{
	struct vgpu_memory *memory = memory_new(test, vram_new(test, SZ_1M),
						VGPU_BACKING_SYSTEM);
	struct folio *folio;

	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_64K), 0);
	folio = list_first_entry(&memory->chunks, struct vgpu_chunk, link)->folio;
	folio_get(folio);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 2);
	vgpu_memory_release(memory);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, memory->size, 0);
	/* Of nothing, nothing is released. */
	vgpu_memory_release(memory);
}

static bool is_failed_page(struct page *page)
{
	return page == kunit_get_current_test()->priv;
}

/* The first folio of new memory, the last page of which fails. */
static struct folio *folio_with_failed_page(struct kunit *test, struct vgpu_memory *memory)
{
	struct folio *folio;

	KUNIT_ASSERT_EQ(test, vgpu_memory_grow(memory, SZ_64K), 0);
	fill(memory, 0x77);
	folio = list_first_entry(&memory->chunks, struct vgpu_chunk, link)->folio;
	test->priv = folio_page(folio, folio_nr_pages(folio) - 1);
	kunit_activate_static_stub(test, vgpu_page_is_poisoned, is_failed_page);
	return folio;
}

/* To write a page that has failed can take the host down. */
static void clear_spares_failed_page(struct kunit *test)
{
	struct vgpu_memory *memory = memory_new(test, vram_new(test, SZ_1M),
						VGPU_BACKING_SYSTEM);
	struct folio *folio = folio_with_failed_page(test, memory);
	const u64 failed = folio_size(folio) - SZ_4K;

	vgpu_memory_clear(memory);
	expect_filled(test, memory, 0, failed, 0);
	expect_filled(test, memory, failed, failed + SZ_4K, 0x77);
	expect_filled(test, memory, failed + SZ_4K, SZ_64K, 0);
	kunit_deactivate_static_stub(test, vgpu_page_is_poisoned);
}

/* A folio with a page that has failed keeps its last reference, whoever drops it. */
static void failed_memory_is_kept_back(struct kunit *test)
{
	struct vgpu_memory *memory = memory_new(test, vram_new(test, SZ_1M),
						VGPU_BACKING_SYSTEM);
	struct folio *folio = folio_with_failed_page(test, memory);
	unsigned int order = folio_order(folio);
	LIST_HEAD(folios);

	folio_get(folio);
	vgpu_memory_shrink(memory, 0);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);

	vgpu_folios_put(folio_pfn(folio), folio_nr_pages(folio));
	KUNIT_ASSERT_EQ(test, folio_ref_count(folio), 1);
	KUNIT_EXPECT_EQ(test, folio_order(folio), order);

	list_add(&folio->lru, &folios);
	vgpu_folios_free(&folios);
	KUNIT_EXPECT_TRUE(test, list_empty(&folios));
	KUNIT_ASSERT_EQ(test, folio_ref_count(folio), 1);
	KUNIT_EXPECT_EQ(test, folio_order(folio), order);
	folio_put(folio);
}

/* Whatever comes and goes, each page of VRAM is one's or nobody's. */
static void vram_random(struct kunit *test)
{
	enum { OWNERS = 5, SIZE = SZ_2M };
	struct vgpu_vram *vram = vram_new(test, SIZE);
	struct vgpu_memory *memories[OWNERS];
	u64 random = mock_seed(test), used;
	unsigned int i, round;

	for (i = 0; i < OWNERS; i++)
		memories[i] = memory_new(test, vram, VGPU_BACKING_VRAM);

	for (round = 0; round < 300; round++) {
		unsigned int who = mock_random(&random) % OWNERS;
		struct vgpu_memory *memory = memories[who];
		u64 size = (mock_random(&random) % (SIZE / OWNERS / SZ_2K)) * SZ_4K;
		u64 before = memory->size;
		u64 room = vgpu_vram_free_bytes(vram) + before;
		int err = 0;

		if (size > before)
			err = vgpu_memory_grow(memory, size);
		else
			vgpu_memory_shrink(memory, size);
		KUNIT_ASSERT_EQ_MSG(test, err, size > room ? -ENOSPC : 0, "round %u", round);
		KUNIT_ASSERT_EQ_MSG(test, memory->size, err ? before : size, "round %u", round);
		fill(memory, who + 1);

		used = 0;
		for (i = 0; i < OWNERS; i++) {
			expect_sane(test, memories[i]);
			used += memories[i]->size;
		}
		KUNIT_ASSERT_EQ_MSG(test, vgpu_vram_free_bytes(vram), SIZE - used,
				    "round %u", round);
	}
	for (i = 0; i < OWNERS; i++)
		expect_filled(test, memories[i], 0, memories[i]->size, i + 1);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(grow_vram_enospc),
	KUNIT_CASE_PARAM(grow_fail_nth, backing_gen_params),
	KUNIT_CASE_PARAM(grow_size, size_gen_params),
	KUNIT_CASE(grow_vram_zeroes),
	KUNIT_CASE(grow_vram_fragmented),
	KUNIT_CASE(grow_vram_contiguous),
	KUNIT_CASE_PARAM(grow_to_less, backing_gen_params),
	KUNIT_CASE(shrink_vram_exact),
	KUNIT_CASE(shrink_system_whole_folios),
	KUNIT_CASE_PARAM(shrink_to_more, backing_gen_params),
	KUNIT_CASE(release_system),
	KUNIT_CASE(clear_spares_failed_page),
	KUNIT_CASE(failed_memory_is_kept_back),
	KUNIT_CASE(vram_random),
	{ }
};

static struct kunit_suite memory_suite = {
	.name = "vgpu_memory",
	.init = mock_init,
	.test_cases = memory_cases,
};

kunit_test_suite(memory_suite);
