// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of imported memory: the addresses that the device can reach, and
 * the lists that the driver refuses.
 */

#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_prime.h>

#include "../drivers/gpu/drm/vgpu/vgpu_gem.h"
#include "vgpu_import_kunit.h"
#include "vgpu_pf_kunit.h"

#define MOST	(SZ_2M >> PAGE_SHIFT)

/* As udmabuf of 6.12 describes hugetlb: entries of a page with growing offsets. */
static void list_of_pages(struct export *export, u64 base)
{
	u32 offset;

	for (offset = 0; offset < SZ_2M; offset += SZ_4K) {
		export_add(export, base + offset, SZ_4K);
		export->entries[export->num - 1].offset = offset;
	}
}

static void list_of_one(struct export *export, u64 base)
{
	export_add(export, base, SZ_2M);
}

static void list_of_two_halves(struct export *export, u64 base)
{
	export_add(export, base + SZ_1M, SZ_1M);
	export_add(export, base, SZ_1M);
	export->entries[0].offset = SZ_1M;
}

/* Neighbours that the DMA layer did not merge. */
static void list_of_adjacent(struct export *export, u64 base)
{
	u32 offset;

	for (offset = 0; offset < SZ_2M; offset += SZ_64K)
		export_add(export, base + offset, SZ_64K);
}

static void list_of_every_size(struct export *export, u64 base)
{
	u32 offset, len;

	for (offset = 0, len = SZ_4K; len < SZ_2M; offset += len, len *= 2)
		export_add(export, base + offset, len);
	export_add(export, base + offset, SZ_4K);
}

/* Pages can repeat. */
static void list_of_one_page(struct export *export, u64 base)
{
	while (export->num < MOST)
		export_add(export, base + SZ_4K * (export->num % 2), SZ_4K);
}

/* An entry can be longer for the device than for the CPU, and shorter. */
static void list_merged(struct export *export, u64 base)
{
	list_of_one(export, base);
	export->entries[0].len = SZ_4K;
}

static void list_cut(struct export *export, u64 base)
{
	list_of_adjacent(export, base);
	export->entries[0].len = SZ_2M;
}

static void list_too_long(struct export *export, u64 base)
{
	list_of_adjacent(export, base);
	export_add(export, base, SZ_64K);
}

static void list_with_last_too_long(struct export *export, u64 base)
{
	export_add(export, base + SZ_1M, SZ_1M);
	export_add(export, base, SZ_2M);
}

/* The driver ignores entries that the object does not need. */
static void list_with_nonsense_behind(struct export *export, u64 base)
{
	list_of_one(export, base);
	export_add(export, U64_MAX, 1);
}

struct taken_case {
	const char *name;
	void (*list)(struct export *export, u64 base);
};

static const struct taken_case taken_cases[] = {
	{ "pages_by_offset", list_of_pages },
	{ "one", list_of_one },
	{ "two_halves", list_of_two_halves },
	{ "adjacent", list_of_adjacent },
	{ "every_size", list_of_every_size },
	{ "same_pages", list_of_one_page },
	{ "dma_length_is_longer", list_merged },
	{ "dma_length_is_shorter", list_cut },
	{ "list_is_longer", list_too_long },
	{ "last_entry_is_longer", list_with_last_too_long },
	{ "nonsense_behind", list_with_nonsense_behind },
};

KUNIT_ARRAY_PARAM_DESC(taken, taken_cases, name);

/* The address of a page of an object, counted independently of the driver. */
static u64 page_in_list(const struct export *export, u64 offset)
{
	const struct export_entry *entry = export->entries;

	for (; offset >= entry->dma_len; entry++)
		offset -= entry->dma_len;
	return entry->address + offset;
}

static u64 import_walk(struct mock_client *client, u64 address)
{
	return mock_walk(client->gpu->hw->fns[0].table, address, NULL);
}

static unsigned int count_wrong(struct mock_client *client, struct drm_gem_object *obj,
				const struct export *export)
{
	unsigned int wrong = 0;
	u64 offset;

	for (offset = 0; offset < obj->size; offset += SZ_4K)
		wrong += import_walk(client, vgpu_gem_address(obj) + offset) !=
			 (page_in_list(export, offset) | VGPU_LMTT_SYSTEM | VGPU_LMTT_VALID);
	return wrong;
}

/* Counts addresses of an object in VRAM that lead elsewhere. */
static unsigned int count_stolen(struct mock_client *client, struct drm_gem_object *obj)
{
	struct vgpu_gem_vram *bo = container_of(obj, struct vgpu_gem_vram, base);
	unsigned int stolen = 0;
	u64 offset;

	for (offset = 0; offset < obj->size; offset += SZ_4K)
		stolen += import_walk(client, vgpu_gem_address(obj) + offset) !=
			  ((bo->node.start + offset) | VGPU_LMTT_VALID);
	return stolen;
}

static unsigned int count_mapped(struct mock_client *client, u64 address, u64 size)
{
	unsigned int mapped = 0;
	u64 offset;

	for (offset = 0; offset < size; offset += SZ_4K)
		mapped += import_walk(client, address + offset) != 0;
	return mapped;
}

/* Three objects in a row without the middle one: the next of its size goes there. */
struct gap {
	struct drm_gem_object *before;
	struct drm_gem_object *behind;
	u64 address;
};

static struct gap make_gap(struct mock_client *client, u64 size)
{
	struct kunit *test = client->test;
	struct export *export = export_new(test, size);
	struct drm_gem_object *middle;
	struct gap gap;

	gap.before = pf_object(client, SZ_64K, DRM_VGPU_GEM_VRAM);
	gap.behind = pf_object(client, SZ_4M, DRM_VGPU_GEM_VRAM);
	export_add(export, page_to_phys(export_memory(test)), size);
	middle = export_import(client, export);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, middle);
	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(gap.before), 0);
	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(middle), 0);
	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(gap.behind), 0);
	gap.address = vgpu_gem_address(middle);
	export_drop_object(test, middle);
	mock_hw_forget_writes(client->gpu->hw);
	return gap;
}

/*
 * The mapping of the object matches its list, and those of its neighbours do not
 * change. When the object is freed, all of its entries are cleared.
 */
static void list_taken(struct kunit *test)
{
	const struct taken_case *c = test->param_value;
	struct mock_client *client = pf_client_new(test);
	struct export *export = export_new(test, SZ_2M);
	struct gap gap = make_gap(client, SZ_2M);
	struct drm_gem_object *obj;

	c->list(export, page_to_phys(export_memory(test)));
	obj = export_import(client, export);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, obj->size, SZ_2M);
	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(obj), 0);
	KUNIT_EXPECT_EQ(test, vgpu_gem_address(obj), gap.address);
	KUNIT_EXPECT_EQ(test, count_wrong(client, obj, export), 0);
	KUNIT_EXPECT_EQ(test, count_stolen(client, gap.before), 0);
	KUNIT_EXPECT_EQ(test, count_stolen(client, gap.behind), 0);
	MOCK_EXPECT_NO_WRITES(client->gpu->hw);

	export_drop_object(test, obj);
	MOCK_EXPECT_WRITES(client->gpu->hw, { VGPU_FN(0, VGPU_FN_INVALIDATE), 1 });
	KUNIT_EXPECT_EQ(test, count_mapped(client, gap.address, SZ_2M), 0);
	KUNIT_EXPECT_EQ(test, count_stolen(client, gap.before), 0);
	KUNIT_EXPECT_EQ(test, count_stolen(client, gap.behind), 0);
}

/* The object includes the last page of a dma-buf that ends within it. */
static void taken_size_is_rounded(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct export *export = export_new(test, SZ_4K + 1);
	struct drm_gem_object *obj;

	export_add(export, page_to_phys(export_memory(test)), SZ_8K);
	obj = export_import(client, export);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, obj->size, SZ_8K);
	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(obj), 0);
	KUNIT_EXPECT_EQ(test, count_wrong(client, obj, export), 0);
}

static void list_none(struct export *export, u64 base)
{
}

static void list_short_by_a_page(struct export *export, u64 base)
{
	export_add(export, base, SZ_1M);
	export_add(export, base + SZ_1M, SZ_1M - SZ_4K);
}

static void list_short_by_a_byte(struct export *export, u64 base)
{
	export_add(export, base, SZ_2M - 1);
}

static void list_of_bytes(struct export *export, u64 base)
{
	export_add(export, base, SZ_1M - 8);
	export_add(export, base + SZ_1M, SZ_1M + 8);
}

/* Long enough for the CPU only. */
static void list_with_short_dma_length(struct export *export, u64 base)
{
	list_of_one(export, base);
	export->entries[0].dma_len = SZ_1M;
}

static void list_with_empty_entry(struct export *export, u64 base)
{
	export_add(export, base, SZ_1M);
	export_add(export, base, 0);
	export_add(export, base + SZ_1M, SZ_1M);
}

static void list_not_aligned(struct export *export, u64 base)
{
	export_add(export, base + 8, SZ_2M);
}

static void list_that_wraps(struct export *export, u64 base)
{
	export_add(export, round_down(U64_MAX, SZ_4K), SZ_2M);
}

static void list_beyond_entries(struct export *export, u64 base)
{
	export_add(export, base, SZ_1M);
	export_add(export, BIT_ULL(52), SZ_1M);
}

static void list_across_the_end_of_entries(struct export *export, u64 base)
{
	export_add(export, BIT_ULL(52) - SZ_1M, SZ_2M);
}

static void list_of_no_memory(struct export *export, u64 base)
{
	export_add(export, base, SZ_1M);
	export_add(export, BIT_ULL(51), SZ_1M);
}

static void list_of_reserved_memory(struct export *export, u64 base)
{
	export_add(export, base, SZ_2M - SZ_4K);
	export_add(export, page_to_phys(ZERO_PAGE(0)), SZ_4K);
}

struct refused_case {
	const char *name;
	void (*list)(struct export *export, u64 base);
	u64 size;
};

static const struct refused_case refused_cases[] = {
	{ "no_entries", list_none },
	{ "short_by_a_page", list_short_by_a_page },
	{ "short_by_a_byte", list_short_by_a_byte },
	{ "bytes", list_of_bytes },
	{ "dma_length_is_short", list_with_short_dma_length },
	{ "empty_entry", list_with_empty_entry },
	{ "not_aligned", list_not_aligned },
	{ "wraps", list_that_wraps },
	{ "beyond_entries", list_beyond_entries },
	{ "across_the_end_of_entries", list_across_the_end_of_entries },
	{ "no_memory", list_of_no_memory },
	{ "reserved_memory", list_of_reserved_memory },
	{ "longer_than_all_addresses", list_of_one, VGPU_LMTT_MAX_SIZE + SZ_4K },
	{ "wraps_when_rounded", list_of_one, U64_MAX },
};

KUNIT_ARRAY_PARAM_DESC(refused, refused_cases, name);

/* The import creates no object and changes nothing in the PF's address space. */
static void expect_refused(struct mock_client *client, const struct export *export)
{
	struct kunit *test = client->test;
	struct gap gap = make_gap(client, SZ_2M);
	struct drm_gem_object *obj = export_import(client, export);

	KUNIT_EXPECT_TRUE(test, IS_ERR(obj));
	if (IS_ERR(obj))
		KUNIT_EXPECT_EQ(test, PTR_ERR(obj), -EINVAL);
	else
		vgpu_gem_bind(obj);
	KUNIT_EXPECT_EQ(test, count_mapped(client, gap.address, SZ_2M), 0);
	KUNIT_EXPECT_EQ(test, count_stolen(client, gap.before), 0);
	KUNIT_EXPECT_EQ(test, count_stolen(client, gap.behind), 0);
}

static void list_refused(struct kunit *test)
{
	const struct refused_case *c = test->param_value;
	struct mock_client *client = pf_client_new(test);
	struct export *export = export_new(test, c->size ?: SZ_2M);

	c->list(export, page_to_phys(export_memory(test)));
	expect_refused(client, export);
}

static void free_pages_of_no_folio(void *pages)
{
	free_pages((unsigned long)pages, get_order(SZ_16K));
}

/* All pages but the first have no reference, like free pages. */
static void refused_pages_without_reference(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct export *export = export_new(test, SZ_16K);
	void *pages = (void *)__get_free_pages(GFP_KERNEL, get_order(SZ_16K));

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_pages_of_no_folio, pages));
	export_add(export, virt_to_phys(pages), SZ_16K);
	expect_refused(client, export);
}

static void refused_slab(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct export *export = export_new(test, SZ_4K);
	void *slab = kunit_kzalloc(test, 64, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, slab);
	export_add(export, virt_to_phys(slab) & PAGE_MASK, SZ_4K);
	expect_refused(client, export);
}

/* Whichever allocation fails, nothing is left, and the next attempt works. */
static void import_fail_nth(struct kunit *test)
{
	struct export *export = export_new(test, SZ_2M);
	unsigned int nth = 0;
	bool has_failed;

	mock_fail_init(test);
	list_of_adjacent(export, page_to_phys(export_memory(test)));
	do {
		struct mock_client *client = mock_client_new(test);
		struct dma_buf *dmabuf = export_dma_buf(test, export);
		struct drm_gem_object *obj;
		int err;

		mock_fail_begin(++nth);
		obj = drm_gem_prime_import(client->drm, dmabuf);
		err = IS_ERR(obj) ? PTR_ERR(obj) : vgpu_gem_bind(obj);
		has_failed = mock_fail_end();
		if (err)
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		if (IS_ERR(obj))
			obj = drm_gem_prime_import(client->drm, dmabuf);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
		export_keep_object(test, obj);
		KUNIT_EXPECT_EQ(test, vgpu_gem_bind(obj), 0);
		KUNIT_EXPECT_EQ(test, count_wrong(client, obj, export), 0);
		export_drop_object(test, obj);
	} while (has_failed);
	/* At least the list, the object, the ring, the root, the tables, their runs. */
	KUNIT_EXPECT_GT(test, nth, 6);
}

/* The exporter changes its list after the import: the driver does not read it again. */
static void list_changed_after_import(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct export *export = export_new(test, SZ_2M);
	struct drm_gem_object *obj;
	struct scatterlist *sg;
	unsigned int i;

	list_of_adjacent(export, page_to_phys(export_memory(test)));
	obj = export_import(client, export);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	for_each_sgtable_dma_sg(to_drm_gem_shmem_obj(obj)->sgt, sg, i)
		sg_dma_address(sg) = page_to_phys(ZERO_PAGE(0));
	to_drm_gem_shmem_obj(obj)->sgt->nents = 1;
	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(obj), 0);
	KUNIT_EXPECT_EQ(test, count_wrong(client, obj, export), 0);
}

/* An object that outlives the driver is freed without an access to the device. */
static void import_outlives_driver(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct export *export = export_new(test, SZ_2M);
	struct drm_gem_object *obj;

	list_of_pages(export, page_to_phys(export_memory(test)));
	obj = export_import(client, export);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(obj), 0);
	mock_gpu_unbind(client->gpu);
	mock_hw_forget_writes(client->gpu->hw);
	KUNIT_EXPECT_EQ(test, vgpu_gem_bind(obj), -ENODEV);
	export_drop_object(test, obj);
	MOCK_EXPECT_NO_WRITES(client->gpu->hw);
}

static struct kunit_case import_cases[] = {
	KUNIT_CASE_PARAM(list_refused, refused_gen_params),
	KUNIT_CASE(refused_pages_without_reference),
	KUNIT_CASE(refused_slab),
	KUNIT_CASE(import_fail_nth),
	KUNIT_CASE_PARAM(list_taken, taken_gen_params),
	KUNIT_CASE(taken_size_is_rounded),
	KUNIT_CASE(list_changed_after_import),
	KUNIT_CASE(import_outlives_driver),
	{ }
};

static struct kunit_suite import_suite = {
	.name = "vgpu_import",
	.init = mock_init,
	.suite_exit = mock_suite_exit,
	.test_cases = import_cases,
};

kunit_test_suites(&import_suite);
