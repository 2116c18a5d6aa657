// SPDX-License-Identifier: GPL-2.0-only
/*
 * An IOMMU that maps single pages, in the place of the functions with which the core
 * asks the real one. What it does is limited to the thread of the case.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/pfn.h>

#include "drm_hotupdate_fake_iommu.h"

/* As the core's functions have no other argument for it. */
static struct fake_iommu *fake_iommu;

static phys_addr_t iommu_translate(struct device *dev, dma_addr_t addr)
{
	void *pfn = xa_load(&fake_iommu->pages, addr >> PAGE_SHIFT);

	fake_iommu->dev = dev;
	if (fake_iommu->is_foreign)
		return PHYS_ADDR_MAX;
	return pfn ? PFN_PHYS((phys_addr_t)xa_to_value(pfn)) : 0;
}

static void iommu_unmap_pages(struct device *dev, dma_addr_t addr, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	unsigned long i;

	KUNIT_EXPECT_TRUE(fake_iommu->test, PAGE_ALIGNED(size));
	for (i = 0; i < size >> PAGE_SHIFT; i++)
		KUNIT_EXPECT_NOT_NULL(fake_iommu->test,
				      xa_erase(&fake_iommu->pages, (addr >> PAGE_SHIFT) + i));
	if (!fake_iommu->unmapped)
		fake_iommu->silenced_before = fake_silenced();
	fake_iommu->unmapped++;
	fake_iommu->dev = dev;
	fake_iommu->dir = dir;
	fake_iommu->attrs = attrs;
}

static void iommu_flush(struct device *dev)
{
	KUNIT_EXPECT_PTR_EQ(fake_iommu->test, dev, fake_iommu->dev);
	fake_iommu->flushed++;
	fake_iommu->unmapped_before = fake_iommu->unmapped;
}

static bool iommu_is_foreign(struct device *dev)
{
	fake_iommu->domain_dev = dev;
	return fake_iommu->is_foreign;
}

static void iommu_free(void *data)
{
	struct fake_iommu *iommu = data;

	xa_destroy(&iommu->pages);
	fake_iommu = NULL;
}

/* Until the end of the case. */
struct fake_iommu *fake_iommu_new(struct kunit *test)
{
	struct fake_iommu *iommu = kunit_kzalloc(test, sizeof(*iommu), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, iommu);
	iommu->test = test;
	iommu->next = 0x1000;
	xa_init(&iommu->pages);
	fake_iommu = iommu;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, iommu_free, iommu), 0);
	kunit_activate_static_stub(test, hotupdate_dma_translate, iommu_translate);
	kunit_activate_static_stub(test, hotupdate_dma_unmap_pages, iommu_unmap_pages);
	kunit_activate_static_stub(test, hotupdate_dma_flush, iommu_flush);
	kunit_activate_static_stub(test, hotupdate_dma_is_foreign, iommu_is_foreign);
	return iommu;
}

u64 fake_block_num_pages(const struct fake_block *fb)
{
	return fb->size >> PAGE_SHIFT;
}

static void iommu_map_page(struct fake_iommu *iommu, unsigned long page, u64 pfn)
{
	KUNIT_ASSERT_FALSE(iommu->test,
			   xa_is_err(xa_store(&iommu->pages, page, xa_mk_value(pfn),
					      GFP_KERNEL)));
}

/*
 * Maps all pages of a block as one call after the other does, of so many pages each.
 * Pages that nobody has mapped lie between the calls.
 */
void fake_iommu_map(struct fake_iommu *iommu, struct fake_block *fb,
		    const u64 *entries, unsigned int num)
{
	struct drm_hotupdate_dma *dma;
	u64 in_entry = 0, k;
	unsigned int i, entry = 0;

	dma = kunit_kcalloc(iommu->test, num, sizeof(*dma), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(iommu->test, dma);
	for (i = 0; i < fb->num_ranges; i++) {
		for (k = 0; k < fb->ranges[i].nr_pages; k++) {
			KUNIT_ASSERT_LT(iommu->test, entry, num);
			if (!in_entry) {
				iommu->next++;
				dma[entry].addr = (dma_addr_t)iommu->next << PAGE_SHIFT;
				dma[entry].nr_pages = entries[entry];
			}
			iommu_map_page(iommu, iommu->next++, fb->ranges[i].pfn + k);
			if (++in_entry == entries[entry]) {
				in_entry = 0;
				entry++;
			}
		}
	}
	KUNIT_ASSERT_EQ(iommu->test, entry, num);
	fake_block_use_dma(iommu->test, fb, dma, num);
}

/* As dma_map_sg() does: all pages are contiguous for the device. */
void fake_iommu_map_all(struct fake_iommu *iommu, struct fake_block *fb)
{
	u64 all = fake_block_num_pages(fb);

	fake_iommu_map(iommu, fb, &all, 1);
}

void fake_iommu_map_folios(struct fake_iommu *iommu, struct fake_block *fb)
{
	u64 *entries = kunit_kcalloc(iommu->test, fb->num_ranges, sizeof(*entries), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(iommu->test, entries);
	for (i = 0; i < fb->num_ranges; i++)
		entries[i] = fb->ranges[i].nr_pages;
	fake_iommu_map(iommu, fb, entries, fb->num_ranges);
}

/* Somebody has unmapped this page, */
void fake_iommu_lose(struct fake_iommu *iommu, dma_addr_t addr)
{
	KUNIT_EXPECT_NOT_NULL(iommu->test, xa_erase(&iommu->pages, addr >> PAGE_SHIFT));
}

/* or mapped another one there. */
void fake_iommu_move(struct fake_iommu *iommu, dma_addr_t addr, u64 pfn)
{
	iommu_map_page(iommu, addr >> PAGE_SHIFT, pfn);
}

/* Pages that are mapped */
unsigned long fake_iommu_num_mapped(struct fake_iommu *iommu)
{
	unsigned long index, num = 0;
	void *pfn;

	xa_for_each(&iommu->pages, index, pfn)
		num++;
	return num;
}
