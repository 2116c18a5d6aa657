/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An IOMMU for the suites of drm_hotupdate.ko: UML has none.
 */
#ifndef _DRM_HOTUPDATE_FAKE_IOMMU_H_
#define _DRM_HOTUPDATE_FAKE_IOMMU_H_

#include <linux/xarray.h>

#include "drm_hotupdate_kunit.h"

struct fake_iommu {
	struct kunit *test;
	/* Numbers of physical pages, by page of the DMA address, as values */
	struct xarray pages;
	/* The page of the next DMA address */
	unsigned long next;
	/* The domain is one that a driver has attached */
	bool is_foreign;
	/* The device that the core has asked this of last */
	struct device *domain_dev;
	/* The device that the core has asked for, or unmapped from, last */
	struct device *dev;
	/* Entries that the core has unmapped so far, and how the last one was mapped */
	unsigned int unmapped;
	enum dma_data_direction dir;
	unsigned long attrs;
	/* What fake_silenced() was at the first of them */
	unsigned int silenced_before;
	/* Flushes so far, and how many entries had been unmapped at the last */
	unsigned int flushed;
	unsigned int unmapped_before;
};

struct fake_iommu *fake_iommu_new(struct kunit *test);
void fake_iommu_map(struct fake_iommu *iommu, struct fake_block *fb,
		    const u64 *entries, unsigned int num);
void fake_iommu_map_all(struct fake_iommu *iommu, struct fake_block *fb);
void fake_iommu_map_folios(struct fake_iommu *iommu, struct fake_block *fb);
void fake_iommu_lose(struct fake_iommu *iommu, dma_addr_t addr);
void fake_iommu_move(struct fake_iommu *iommu, dma_addr_t addr, u64 pfn);
unsigned long fake_iommu_num_mapped(struct fake_iommu *iommu);
u64 fake_block_num_pages(const struct fake_block *fb);

#endif /* _DRM_HOTUPDATE_FAKE_IOMMU_H_ */
