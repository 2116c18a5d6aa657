// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is made up for drivers to save, and compared when it comes back.
 */

#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "drm_hotupdate_kunit.h"

/* What a caller's memory is overwritten with after the call. */
#define WIPED	0x5a

static u64 pattern(u64 seed, size_t word)
{
	u64 x = seed + (word + 1) * 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* Content that can be told from any other: a function of seed and offset. */
void fake_fill(void *p, size_t size, u64 seed)
{
	size_t word;

	for (word = 0; word < size / 8; word++)
		put_unaligned(pattern(seed, word), (u64 *)p + word);

	if (size % 8) {
		u64 last = pattern(seed, word);

		memcpy((u64 *)p + word, &last, size % 8);
	}
}

bool fake_is_filled(const void *p, size_t size, u64 seed)
{
	size_t word;

	for (word = 0; word < size / 8; word++)
		if (get_unaligned((const u64 *)p + word) != pattern(seed, word))
			return false;

	if (size % 8) {
		u64 last = pattern(seed, word);

		return !memcmp((const u64 *)p + word, &last, size % 8);
	}
	return true;
}

/* A page or compound page of the case's own making. */
struct fake_pages *fake_pages_adopt(struct kunit *test, struct page *page,
				    unsigned int order)
{
	struct fake_env *env = test->priv;
	struct fake_pages *pages;

	KUNIT_ASSERT_NOT_NULL(test, page);
	pages = kunit_kzalloc(test, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		__free_pages(page, order);
	KUNIT_ASSERT_NOT_NULL(test, pages);

	pages->page = page;
	pages->order = order;
	get_page(page);
	list_add(&pages->link, &env->pages);
	return pages;
}

struct fake_pages *fake_pages_new(struct kunit *test, unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL | (order ? __GFP_COMP : 0), order);

	return fake_pages_adopt(test, page, order);
}

unsigned long fake_pages_pfn(const struct fake_pages *pages)
{
	return page_to_pfn(pages->page);
}

/* Without the case's own. */
int fake_pages_refs(const struct fake_pages *pages)
{
	return page_ref_count(pages->page) - 1;
}

struct fake_block *fake_block_new(struct kunit *test, enum hotupdate_kind kind,
				  unsigned int num_ranges)
{
	size_t size = num_ranges * (2 * sizeof(struct drm_hotupdate_range) +
				    sizeof(struct fake_pages *));
	struct fake_env *env = test->priv;
	struct fake_block *fb;

	/* In one piece: an allocation takes its time under the kernel's checkers. */
	fb = kunit_kzalloc(test, sizeof(*fb) + size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fb);
	fb->kind = kind;
	fb->seed = ++env->seed << 32;
	fb->num_ranges = num_ranges;
	if (num_ranges) {
		fb->ranges = (struct drm_hotupdate_range *)(fb + 1);
		fb->shown_ranges = fb->ranges + num_ranges;
		fb->pages = (struct fake_pages **)(fb->shown_ranges + num_ranges);
	}
	return fb;
}

/* A block of one folio of each of the orders, as ranges or as an sg_table. */
struct fake_block *fake_block_pages(struct kunit *test, enum hotupdate_kind kind,
				    const unsigned int *orders, unsigned int num)
{
	struct fake_block *fb = fake_block_new(test, kind, num);
	unsigned int i;

	for (i = 0; i < num; i++) {
		fb->pages[i] = fake_pages_new(test, orders[i]);
		fb->ranges[i].pfn = fake_pages_pfn(fb->pages[i]);
		fb->ranges[i].nr_pages = 1ull << orders[i];
		fb->size += PAGE_SIZE << orders[i];
		fake_fill(page_address(fb->pages[i]->page), PAGE_SIZE << orders[i],
			  fb->seed + i);
	}

	if (kind == HOTUPDATE_KIND_SGT) {
		fb->shown_sgt.sgl = kunit_kcalloc(test, num, sizeof(struct scatterlist),
						  GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, fb->shown_sgt.sgl);
	}
	return fb;
}

struct fake_block *fake_block_page(struct kunit *test)
{
	static const unsigned int order;

	return fake_block_pages(test, HOTUPDATE_KIND_RANGES, &order, 1);
}

struct fake_block *fake_block_device(struct kunit *test, u64 pfn, u64 nr_pages)
{
	struct fake_block *fb = fake_block_new(test, HOTUPDATE_KIND_DEVICE, 1);

	fb->ranges[0].pfn = pfn;
	fb->ranges[0].nr_pages = nr_pages;
	fb->size = nr_pages << PAGE_SHIFT;
	return fb;
}

struct fake_block *fake_block_buffer(struct kunit *test, size_t size)
{
	struct fake_block *fb = fake_block_new(test, HOTUPDATE_KIND_BUFFER, 0);

	fb->size = size;
	fb->shown_data = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fb->shown_data);
	return fb;
}

static u64 meta_seed(const struct fake_block *fb)
{
	return fb->seed ^ 0x6d657461;
}

struct fake_block *fake_block_with_meta(struct kunit *test, struct fake_block *fb,
					size_t meta_size)
{
	fb->meta_size = meta_size;
	fb->shown_meta = kunit_kzalloc(test, meta_size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fb->shown_meta);
	return fb;
}

/* Its pages are mapped for DMA, in the opinion of the driver. */
void fake_block_use_dma(struct kunit *test, struct fake_block *fb,
			const struct drm_hotupdate_dma *dma, unsigned int num_dma)
{
	fb->dma = kunit_kmalloc_array(test, num_dma, 2 * sizeof(*dma), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fb->dma);
	memcpy(fb->dma, dma, num_dma * sizeof(*dma));
	fb->shown_dma = fb->dma + num_dma;
	fb->num_dma = num_dma;
	fb->dma_dir = DMA_FROM_DEVICE;
	fb->dma_attrs = DMA_ATTR_WEAK_ORDERING;
}

/* The device uses physical addresses, as it does without an IOMMU. */
void fake_block_use_direct_dma(struct kunit *test, struct fake_block *fb)
{
	struct drm_hotupdate_dma *dma;
	unsigned int i;

	dma = kunit_kcalloc(test, fb->num_ranges, sizeof(*dma), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dma);
	for (i = 0; i < fb->num_ranges; i++) {
		dma[i].addr = PFN_PHYS(fb->ranges[i].pfn);
		dma[i].nr_pages = fb->ranges[i].nr_pages;
	}
	fake_block_use_dma(test, fb, dma, fb->num_ranges);
}

static void show_sgt(struct fake_block *fb)
{
	struct scatterlist *sg;
	unsigned int i;

	sg_init_table(fb->shown_sgt.sgl, fb->num_ranges);
	fb->shown_sgt.orig_nents = fb->num_ranges;
	fb->shown_sgt.nents = fb->num_ranges;
	for_each_sgtable_sg(&fb->shown_sgt, sg, i)
		sg_set_page(sg, fb->pages[i]->page,
			    fb->ranges[i].nr_pages << PAGE_SHIFT, 0);
}

static void show(struct fake_block *fb, struct drm_hotupdate_save_args *args)
{
	*args = (struct drm_hotupdate_save_args) {
		.meta = fb->shown_meta,
		.meta_size = fb->meta_size,
		.dma = fb->shown_dma,
		.num_dma = fb->num_dma,
		.dma_dir = fb->dma_dir,
		.dma_attrs = fb->dma_attrs,
	};
	if (fb->shown_dma)
		memcpy(fb->shown_dma, fb->dma, fb->num_dma * sizeof(*fb->dma));
	if (fb->shown_meta)
		fake_fill(fb->shown_meta, fb->meta_size, meta_seed(fb));

	switch (fb->kind) {
	case HOTUPDATE_KIND_DEVICE:
		args->mem = DRM_HOTUPDATE_MEM_DEVICE;
		fallthrough;
	case HOTUPDATE_KIND_RANGES:
		memcpy(fb->shown_ranges, fb->ranges,
		       fb->num_ranges * sizeof(*fb->ranges));
		args->ranges = fb->shown_ranges;
		args->num_ranges = fb->num_ranges;
		break;
	case HOTUPDATE_KIND_SGT:
		show_sgt(fb);
		args->sgt = &fb->shown_sgt;
		break;
	case HOTUPDATE_KIND_BUFFER:
		fake_fill(fb->shown_data, fb->size, fb->seed);
		args->data = fb->shown_data;
		args->data_size = fb->size;
		break;
	}
}

static void wipe(struct fake_block *fb)
{
	if (fb->shown_meta)
		memset(fb->shown_meta, WIPED, fb->meta_size);
	if (fb->shown_dma)
		memset(fb->shown_dma, WIPED, fb->num_dma * sizeof(*fb->dma));
	if (fb->shown_ranges)
		memset(fb->shown_ranges, WIPED, fb->num_ranges * sizeof(*fb->ranges));
	if (fb->shown_sgt.sgl)
		memset(fb->shown_sgt.sgl, WIPED,
		       fb->num_ranges * sizeof(struct scatterlist));
	if (fb->shown_data)
		memset(fb->shown_data, WIPED, fb->size);
}

/* As a driver does when it is removed: drops its reference to each folio. */
void fake_block_put(struct fake_block *fb)
{
	unsigned int i;

	for (i = 0; i < fb->num_ranges; i++)
		if (fb->pages[i])
			put_page(fb->pages[i]->page);
}

/* Saves, and leaves nothing readable of what it showed to the core. */
int fake_block_save(struct drm_hotupdate_adapter *adapter, struct fake_block *fb)
{
	struct drm_hotupdate_save_args args;
	int err;

	show(fb, &args);
	err = drm_hotupdate_save_memory(adapter, &args);
	wipe(fb);
	memset(&args, WIPED, sizeof(args));
	return err;
}

/* References to its pages, without the case's own. */
void fake_block_expect_refs(struct kunit *test, struct fake_block *fb, int refs)
{
	unsigned int i;

	for (i = 0; i < fb->num_ranges; i++)
		if (fb->pages[i])
			KUNIT_EXPECT_EQ(test, fake_pages_refs(fb->pages[i]), refs);
}

/* The content of its pages is what it was when they were made. */
void fake_block_expect_untouched(struct kunit *test, struct fake_block *fb)
{
	unsigned int i;

	for (i = 0; i < fb->num_ranges; i++)
		if (fb->pages[i])
			KUNIT_EXPECT_TRUE(test,
					  fake_is_filled(page_address(fb->pages[i]->page),
							 fb->ranges[i].nr_pages << PAGE_SHIFT,
							 fb->seed + i));
}

static void expect_same_meta(struct kunit *test, struct fake_block *fb,
			     struct drm_hotupdate_block *block)
{
	size_t size = 42;
	const void *meta = drm_hotupdate_block_meta(block, &size);

	KUNIT_EXPECT_EQ(test, size, fb->meta_size);
	if (!fb->meta_size)
		KUNIT_EXPECT_NULL(test, meta);
	else if (meta && size == fb->meta_size)
		KUNIT_EXPECT_TRUE(test, fake_is_filled(meta, size, meta_seed(fb)));
	else
		KUNIT_FAIL(test, "no metadata");
}

static void expect_same_dma(struct kunit *test, struct fake_block *fb,
			    struct drm_hotupdate_block *block)
{
	const struct drm_hotupdate_dma *dma;
	enum dma_data_direction dir = DMA_TO_DEVICE;
	unsigned long attrs = 42;
	unsigned int num = 42;

	dma = drm_hotupdate_block_dma(block, &num, &dir, &attrs);
	KUNIT_EXPECT_EQ(test, num, fb->num_dma);
	KUNIT_EXPECT_EQ(test, dir, fb->dma ? fb->dma_dir : DMA_NONE);
	KUNIT_EXPECT_EQ(test, attrs, fb->dma_attrs);
	if (!fb->dma)
		KUNIT_EXPECT_NULL(test, dma);
	else if (dma && num == fb->num_dma)
		KUNIT_EXPECT_MEMEQ(test, dma, fb->dma, num * sizeof(*dma));
	else
		KUNIT_FAIL(test, "no DMA addresses");
}

static void expect_same_ranges(struct kunit *test, struct fake_block *fb,
			       struct drm_hotupdate_block *block)
{
	const struct drm_hotupdate_range *ranges;
	unsigned int num = 0;

	ranges = drm_hotupdate_block_ranges(block, &num);
	KUNIT_EXPECT_NOT_NULL(test, ranges);
	if (fb->kind != HOTUPDATE_KIND_RANGES && fb->kind != HOTUPDATE_KIND_DEVICE)
		return;

	KUNIT_EXPECT_EQ(test, num, fb->num_ranges);
	if (ranges && num == fb->num_ranges)
		KUNIT_EXPECT_MEMEQ(test, ranges, fb->ranges, num * sizeof(*ranges));
}

/* Every page is in the table, in order, whole, and once. */
void fake_block_expect_table(struct kunit *test, struct fake_block *fb,
			     struct sg_table *sgt)
{
	struct sg_page_iter iter;
	unsigned int i = 0;
	u64 in_range = 0, wrong = 0, seen = 0;
	struct scatterlist *sg;
	unsigned int k;

	for_each_sgtable_sg(sgt, sg, k) {
		KUNIT_EXPECT_EQ(test, sg->offset, 0);
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(sg->length));
	}

	for_each_sgtable_page(sgt, &iter, 0) {
		struct page *page = sg_page_iter_page(&iter);

		seen++;
		if (fb->kind == HOTUPDATE_KIND_BUFFER)
			continue;
		if (i >= fb->num_ranges) {
			wrong++;
			continue;
		}
		wrong += page_to_pfn(page) != fb->ranges[i].pfn + in_range;
		if (++in_range == fb->ranges[i].nr_pages) {
			in_range = 0;
			i++;
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, seen, DIV_ROUND_UP(fb->size, PAGE_SIZE));
}

static void expect_same_content(struct kunit *test, struct fake_block *fb,
				const void *vaddr)
{
	unsigned int i;

	if (fb->kind == HOTUPDATE_KIND_BUFFER) {
		size_t tail = PAGE_ALIGN(fb->size) - fb->size;

		KUNIT_EXPECT_TRUE(test, fake_is_filled(vaddr, fb->size, fb->seed));
		if (tail)
			KUNIT_EXPECT_NULL(test, memchr_inv(vaddr + fb->size, 0, tail));
		return;
	}

	for (i = 0; i < fb->num_ranges; i++) {
		size_t size = fb->ranges[i].nr_pages << PAGE_SHIFT;

		KUNIT_EXPECT_TRUE(test, fake_is_filled(vaddr, size, fb->seed + i));
		vaddr += size;
	}
}

/* What a driver is given is what was saved: place, content, metadata. */
void fake_block_expect_same(struct kunit *test, struct fake_block *fb,
			    struct drm_hotupdate_block *block)
{
	bool is_device = fb->kind == HOTUPDATE_KIND_DEVICE;
	struct sg_table *sgt;
	void *vaddr;

	KUNIT_EXPECT_EQ(test, drm_hotupdate_block_size(block), fb->size);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_block_mem(block),
			is_device ? DRM_HOTUPDATE_MEM_DEVICE : DRM_HOTUPDATE_MEM_SYSTEM);
	expect_same_meta(test, fb, block);
	expect_same_dma(test, fb, block);
	expect_same_ranges(test, fb, block);

	sgt = drm_hotupdate_block_sgt(block);
	vaddr = drm_hotupdate_block_vmap(block);
	if (is_device) {
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EOPNOTSUPP);
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(vaddr), -EOPNOTSUPP);
		return;
	}

	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, sgt);
	if (!IS_ERR_OR_NULL(sgt))
		fake_block_expect_table(test, fb, sgt);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, vaddr);
	if (IS_ERR_OR_NULL(vaddr))
		return;
	expect_same_content(test, fb, vaddr);
	drm_hotupdate_block_vunmap(block, vaddr);
}
