// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/cleanup.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <drm/drm_hotupdate_compat.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: DMA mappings
 *
 * A device that runs on without a driver goes on using DMA addresses. They stay mapped:
 * the old driver does not unmap saved pages, and the new one gets the addresses with
 * the block (U19). The core makes no mapping and changes none, but it checks them.
 *
 * At the save each address has to lead to its page. Without an IOMMU it is the address of
 * the page. This finds bounce buffers, whose content would be lost, and buses that add an
 * offset, which the kernel forgets when the driver goes. An IOMMU domain that is not that
 * of the DMA API is refused, because the core could not unmap anything there.
 *
 * Before a restore the addresses are checked again. While no driver is bound, nobody
 * holds the domain: an administrator can change the type of the IOMMU group, and VFIO can
 * move the group to another domain for the sake of a sibling. A device whose mappings
 * are lost can only be reset.
 *
 * A discard unmaps, because the driver that mapped has gone: otherwise the IOMMU would let
 * the device write to pages that have new owners. It unmaps what one call has mapped,
 * and only if each page of it is still found there. The IOMMU's cache is flushed then,
 * because in the lazy mode, which is the default of most distributions, an unmap leaves
 * that for later.
 *
 * The domain of an unbound device can be changed at any time, and no lock of it is to
 * be had. The core looks at the domain of such a device only at a discard: nobody should
 * write to the type of its IOMMU group meanwhile. A resident driver holds the domain.
 */

/* What dma_map_page() and dma_map_sg() can be given, and dma_unmap_page(), too. */
#define DMA_ATTRS	(DMA_ATTR_WEAK_ORDERING | DMA_ATTR_WRITE_COMBINE | \
			 DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_NO_WARN | \
			 DMA_ATTR_PRIVILEGED | HOTUPDATE_COMPAT_DMA_ATTRS)

/* The domain in which the DMA API maps pages; NULL without an IOMMU. */
static struct iommu_domain *dma_domain(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && iommu_is_dma_domain(domain) ? domain : NULL;
}

/* Suites replace this and the next three functions, because UML has no IOMMU. */

/**
 * hotupdate_dma_is_foreign - whether the DMA API does not reach a device's IOMMU domain
 * @dev: device
 *
 * Return: true if a driver or VFIO has attached the domain, or nothing works in it.
 */
bool hotupdate_dma_is_foreign(struct device *dev)
{
	struct iommu_domain *domain;

	KUNIT_STATIC_STUB_REDIRECT(hotupdate_dma_is_foreign, dev);

	domain = iommu_get_domain_for_dev(dev);
	return domain && !iommu_is_dma_domain(domain) &&
	       domain->type != IOMMU_DOMAIN_IDENTITY;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_dma_is_foreign);

VISIBLE_IF_KUNIT phys_addr_t hotupdate_dma_translate(struct device *dev, dma_addr_t addr)
{
	struct iommu_domain *domain;

	KUNIT_STATIC_STUB_REDIRECT(hotupdate_dma_translate, dev, addr);

	domain = dma_domain(dev);
	if (domain)
		return iommu_iova_to_phys(domain, addr);
	return hotupdate_dma_is_foreign(dev) ? PHYS_ADDR_MAX : hotupdate_compat_dma_addr(addr);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_dma_translate);

VISIBLE_IF_KUNIT void hotupdate_dma_unmap_pages(struct device *dev, dma_addr_t addr,
						size_t size, enum dma_data_direction dir,
						unsigned long attrs)
{
	KUNIT_STATIC_STUB_REDIRECT(hotupdate_dma_unmap_pages, dev, addr, size, dir, attrs);

	dma_unmap_page_attrs(dev, addr, size, dir, attrs);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_dma_unmap_pages);

VISIBLE_IF_KUNIT void hotupdate_dma_flush(struct device *dev)
{
	struct iommu_domain *domain;

	KUNIT_STATIC_STUB_REDIRECT(hotupdate_dma_flush, dev);

	domain = dma_domain(dev);
	if (domain)
		iommu_flush_iotlb_all(domain);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_dma_flush);

/* Pages that are contiguous, and so are their DMA addresses, within one entry. */
struct dma_piece {
	u64 pfn;
	dma_addr_t addr;
	u64 nr_pages;
	/* It is the last one of its entry. */
	bool ends_entry;
};

/* A walk along ranges and entries at the same time, piece by piece. */
struct dma_walk {
	const struct drm_hotupdate_block *block;
	/* Where the next piece begins: in which range and which entry, and pages into them */
	unsigned int range;
	unsigned int entry;
	u64 into_range;
	u64 into_entry;
	struct dma_piece piece;
};

static bool dma_walk_next(struct dma_walk *walk)
{
	const struct drm_hotupdate_block *block = walk->block;
	const struct drm_hotupdate_range *range;
	const struct drm_hotupdate_dma *entry;
	u64 nr_pages;

	if (walk->entry == block->num_dma || walk->range == block->num_ranges)
		return false;

	range = &block->ranges[walk->range];
	entry = &block->dma[walk->entry];
	nr_pages = min(range->nr_pages - walk->into_range,
		       entry->nr_pages - walk->into_entry);

	walk->piece.pfn = range->pfn + walk->into_range;
	walk->piece.addr = entry->addr + (walk->into_entry << PAGE_SHIFT);
	walk->piece.nr_pages = nr_pages;

	walk->into_range += nr_pages;
	walk->into_entry += nr_pages;
	walk->piece.ends_entry = walk->into_entry == entry->nr_pages;
	if (walk->into_range == range->nr_pages) {
		walk->range++;
		walk->into_range = 0;
	}
	if (walk->piece.ends_entry) {
		walk->entry++;
		walk->into_entry = 0;
	}
	return true;
}

/* An IOMMU can map each page of a folio to another place, but nobody makes it do so. */
static u64 dma_pages_of_folio(u64 pfn)
{
	struct folio *folio = page_folio(pfn_to_page(pfn));

	return folio_pfn(folio) + folio_nr_pages(folio) - pfn;
}

static bool dma_leads_to(struct device *dev, const struct dma_piece *piece, u64 page)
{
	phys_addr_t phys = hotupdate_dma_translate(dev, piece->addr + (page << PAGE_SHIFT));

	return phys == PFN_PHYS(piece->pfn + page);
}

/*
 * Looks at the first page of each folio and at the last page of the piece, or at all
 * pages. Returns the number of the page that is not found, counted from the begin of the
 * piece, or that of the pages.
 */
static u64 dma_find_lost(struct device *dev, const struct dma_piece *piece, bool all)
{
	u64 page = 0;

	while (page < piece->nr_pages) {
		if (!dma_leads_to(dev, piece, page))
			return page;
		page += all ? 1 : dma_pages_of_folio(piece->pfn + page);
		cond_resched();
	}
	if (!dma_leads_to(dev, piece, piece->nr_pages - 1))
		return piece->nr_pages - 1;
	return piece->nr_pages;
}

/**
 * hotupdate_dma_verify - whether the DMA addresses of a block lead to its pages
 * @block: block whose pages are held
 * @dev: device to which the mappings belong
 * @err: what to return if one does not
 * @refusal: set to the page, its address and the reason then
 *
 * Context: Process context, may sleep. The device, or the resident driver's, has a
 * driver: otherwise its IOMMU domain can be freed meanwhile.
 * Return: 0 or @err.
 */
int hotupdate_dma_verify(const struct drm_hotupdate_block *block, struct device *dev,
			 int err, struct hotupdate_refusal *refusal)
{
	struct dma_walk walk = { .block = block };

	if (block->num_dma && hotupdate_dma_is_foreign(dev))
		return hotupdate_refuse(refusal, err,
					"the device's IOMMU domain is not that of the DMA API");

	while (dma_walk_next(&walk)) {
		u64 lost = dma_find_lost(dev, &walk.piece, false);

		if (lost < walk.piece.nr_pages)
			return hotupdate_refuse_dma(refusal, err, walk.piece.pfn + lost,
						    walk.piece.addr + (lost << PAGE_SHIFT),
						    dma_domain(dev) ? "is not mapped there" :
						    "is not there: no mapping, an offset, or a bounce buffer");
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_dma_verify);

static int dma_check_args(const struct drm_hotupdate_save_args *args,
			  struct hotupdate_refusal *refusal)
{
	if (!args->dma != !args->num_dma)
		return hotupdate_refuse(refusal, -EINVAL,
					"the number of DMA addresses does not fit");
	if (!args->dma && (args->dma_dir || args->dma_attrs))
		return hotupdate_refuse(refusal, -EINVAL,
					"a direction or attributes of DMA without addresses");
	if (!args->dma)
		return 0;
	if (args->data || args->mem != DRM_HOTUPDATE_MEM_SYSTEM)
		return hotupdate_refuse(refusal, -EINVAL,
					"DMA addresses are for pages that are saved in place");
	/* The DMA API ends in BUG() if the direction is none. */
	if (args->dma_dir != DMA_BIDIRECTIONAL && args->dma_dir != DMA_TO_DEVICE &&
	    args->dma_dir != DMA_FROM_DEVICE)
		return hotupdate_refuse(refusal, -EINVAL, "not a direction of DMA");
	if (args->dma_attrs & ~DMA_ATTRS)
		return hotupdate_refuse(refusal, -EINVAL,
					"an attribute of DMA that is not supported");
	return 0;
}

static bool dma_is_entry_sane(const struct drm_hotupdate_dma *entry)
{
	u64 bytes, end;

	return entry->nr_pages && PAGE_ALIGNED(entry->addr) &&
	       !check_mul_overflow(entry->nr_pages, (u64)PAGE_SIZE, &bytes) &&
	       !check_add_overflow((u64)entry->addr, bytes - 1, &end) &&
	       bytes <= SIZE_MAX && end <= (u64)(dma_addr_t)-1;
}

/* Pages of a block: of its ranges, not of its content. */
static u64 dma_pages_of_block(const struct drm_hotupdate_block *block)
{
	u64 nr_pages = 0;
	unsigned int i;

	for (i = 0; i < block->num_ranges; i++) {
		nr_pages += block->ranges[i].nr_pages;
		cond_resched();
	}
	return nr_pages;
}

static int dma_check_entries(const struct drm_hotupdate_block *block,
			     struct hotupdate_refusal *refusal)
{
	u64 left = dma_pages_of_block(block);
	unsigned int i;

	for (i = 0; i < block->num_dma; i++) {
		if (!dma_is_entry_sane(&block->dma[i]))
			return hotupdate_refuse(refusal, -EINVAL,
						"a DMA address is not that of whole pages");
		if (block->dma[i].nr_pages > left)
			break;
		left -= block->dma[i].nr_pages;
		cond_resched();
	}
	if (left || i < block->num_dma)
		return hotupdate_refuse(refusal, -EINVAL,
					"the DMA addresses are not those of all pages");
	return 0;
}

/**
 * hotupdate_dma_copy - note the DMA addresses of a save call in its block
 * @block: new block, whose ranges are checked
 * @args: arguments of the call
 * @refusal: set to the reason, except after -ENOMEM
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int hotupdate_dma_copy(struct drm_hotupdate_block *block,
		       const struct drm_hotupdate_save_args *args,
		       struct hotupdate_refusal *refusal)
{
	int err = dma_check_args(args, refusal);

	if (err || !args->dma)
		return err;
	/* Before a copy is made of what may be nonsense. */
	if (args->num_dma > dma_pages_of_block(block))
		return hotupdate_refuse(refusal, -EINVAL,
					"more DMA addresses than pages are given");

	block->dma = kvmemdup(args->dma, array_size(args->num_dma, sizeof(*args->dma)),
			      HOTUPDATE_SAVE_GFP);
	if (!block->dma)
		return -ENOMEM;
	block->num_dma = args->num_dma;
	block->dma_dir = args->dma_dir;
	block->dma_attrs = args->dma_attrs;
	return dma_check_entries(block, refusal);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_dma_copy);

/* The CPU does not look at the pages afterwards. */
static void dma_unmap_entry(const struct drm_hotupdate_block *block, struct device *dev,
			    const struct drm_hotupdate_dma *entry)
{
	hotupdate_dma_unmap_pages(dev, entry->addr, entry->nr_pages << PAGE_SHIFT,
				  block->dma_dir, block->dma_attrs | DMA_ATTR_SKIP_CPU_SYNC);
}

/* Returns the number of mappings that were left alone. */
static unsigned int dma_unmap_block(const struct drm_hotupdate_block *block,
				    struct device *dev)
{
	struct dma_walk walk = { .block = block };
	unsigned int left_alone = 0;
	bool is_there = true;

	while (dma_walk_next(&walk)) {
		const struct dma_piece *piece = &walk.piece;

		is_there = is_there && dma_find_lost(dev, piece, true) == piece->nr_pages;
		if (!piece->ends_entry)
			continue;
		if (is_there)
			dma_unmap_entry(block, dev, &block->dma[walk.entry - 1]);
		else
			left_alone++;
		is_there = true;
	}
	return left_alone;
}

/**
 * hotupdate_dma_is_used - whether a stash has pages that are mapped for DMA
 * @adapter: adapter with a stash, within an operation
 *
 * Return: true if a block was saved with DMA addresses.
 */
bool hotupdate_dma_is_used(struct drm_hotupdate_adapter *adapter)
{
	struct drm_hotupdate_block *block;
	unsigned long index;

	xa_for_each(&adapter->stash.blocks, index, block)
		if (block->num_dma)
			return true;
	return false;
}

/**
 * hotupdate_dma_unmap - unmap a stash that nobody will restore
 * @adapter: adapter with a stash and no driver, within an operation; its device, which
 *	is silent, is still there
 *
 * Mappings that do not lead to their pages any more are left alone: somebody has
 * unmapped them already, or has replaced the domain.
 *
 * Context: Process context, may sleep; the notifier of the device's removal.
 * Return: true if nothing was left alone.
 */
bool hotupdate_dma_unmap(struct drm_hotupdate_adapter *adapter)
{
	struct drm_hotupdate_block *block;
	unsigned long index;
	bool all = true;

	lockdep_assert_held(&adapter->op);

	if (!hotupdate_dma_is_used(adapter))
		return true;
	xa_for_each(&adapter->stash.blocks, index, block) {
		unsigned int left_alone = dma_unmap_block(block, adapter->dma_dev);

		if (!left_alone)
			continue;
		all = false;
		dev_warn(&adapter->dev, "block %lu: %u of %u DMA mappings are left alone: %s\n",
			 index, left_alone, block->num_dma,
			 hotupdate_dma_is_foreign(adapter->dma_dev) ?
			 "their IOMMU domain is not in use, and can come back" :
			 "they do not lead to their pages");
	}
	hotupdate_dma_flush(adapter->dma_dev);
	return all;
}

/**
 * hotupdate_dma_forget - note that the driver has unmapped a stash
 * @adapter: adapter whose driver has stopped the device, and has no block of the stash
 */
void hotupdate_dma_forget(struct drm_hotupdate_adapter *adapter)
{
	struct drm_hotupdate_block *block;
	unsigned long index;

	lockdep_assert_held(&adapter->op);

	xa_for_each(&adapter->stash.blocks, index, block) {
		kvfree(block->dma);
		block->dma = NULL;
		block->num_dma = 0;
	}
}

/**
 * drm_hotupdate_dma_from_sgt - DMA addresses of a mapped table, as a save takes them
 * @sgt: table that dma_map_sgtable() or dma_map_sg() has mapped
 * @dma: array for the entries; may be NULL if @max is 0
 * @max: entries that @dma has room for
 *
 * Segments that follow upon each other become one entry. They have to: with an IOMMU one
 * call maps the table as a whole, whatever the number of its segments, and one call has
 * to unmap it. For tables of 4 GiB and more the driver calls dma_set_seg_boundary() with
 * ULONG_MAX before it maps them: at other boundaries the IOMMU leaves gaps, and the
 * table cannot be saved.
 *
 * Context: Any.
 * Return: The number of entries, which can be more than @max; @dma has the first @max.
 */
unsigned int drm_hotupdate_dma_from_sgt(const struct sg_table *sgt,
					struct drm_hotupdate_dma *dma, unsigned int max)
{
	struct scatterlist *sg;
	dma_addr_t next = 0;
	unsigned int i, num = 0;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (!num || sg_dma_address(sg) != next) {
			if (num++ < max)
				dma[num - 1] = (struct drm_hotupdate_dma) {
					.addr = sg_dma_address(sg),
				};
		}
		if (num <= max)
			dma[num - 1].nr_pages += sg_dma_len(sg) >> PAGE_SHIFT;
		next = sg_dma_address(sg) + sg_dma_len(sg);
	}
	return num;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_dma_from_sgt);
