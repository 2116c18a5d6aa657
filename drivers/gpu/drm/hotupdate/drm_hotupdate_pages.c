// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: pages
 *
 * System memory is adopted in place: a device may be reading it while it
 * changes hands, so that nothing is moved, copied, or written to. What moves
 * is the reference that keeps it from being freed. The driver's own reference
 * becomes the core's when the driver detaches, and the next driver's at the
 * commit; the page's count does not change.
 *
 * So only pages whose life hangs on a reference that the driver can give away
 * will do (U7). A folio is given away whole or not at all, as it has one count
 * for all of its pages.
 *
 * A page whose memory has failed, and is marked as poisoned, is given away like
 * any other. It stays where it is, in use by the guest that had it before, and
 * the update makes that neither better nor worse; nobody here reads it, unless
 * a driver maps the block. When its reference is dropped at last, it is the
 * allocator that sees to the mark, as with any other page that a driver frees. To
 * refuse it would make a GPU that has lost one page impossible to update until
 * the host is booted again.
 */

static const char *page_refusal(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	if (!page)
		return "is not system memory";
	if (is_zone_device_page(page))
		return "is device memory with a struct page";
	if (PageReserved(page))
		return "is reserved";
	return NULL;
}

static const char *folio_refusal(struct folio *folio,
				 const struct drm_hotupdate_range *range,
				 unsigned long pfn)
{
	unsigned long last = range->pfn + range->nr_pages - 1;

	if (folio_test_slab(folio))
		return "is slab memory";
	if (page_has_type(&folio->page))
		return "belongs to the memory management";
	if (!folio_ref_count(folio))
		return "is free, or not the first of a high-order allocation without __GFP_COMP";
	if (folio_test_lru(folio) || folio->mapping)
		return "belongs to a process or a file";
	if (folio_pfn(folio) != pfn ||
	    folio_pfn(folio) + folio_nr_pages(folio) - 1 > last)
		return "belongs to a folio that the range covers in part";
	return NULL;
}

/**
 * hotupdate_pages_refusal - why pages cannot be given away
 * @range: range of system memory, one that hotupdate_range_refusal() lets pass
 * @pfn: set to the number of the page that is refused
 *
 * Implements U7. Looks only, changes nothing.
 *
 * Return: NULL if all pages of @range can be given away, or else what is wrong
 * with page @pfn.
 */
const char *hotupdate_pages_refusal(const struct drm_hotupdate_range *range,
				    unsigned long *pfn)
{
	unsigned long end = range->pfn + range->nr_pages;
	const char *refusal;

	for (*pfn = range->pfn; *pfn < end;) {
		struct folio *folio;

		refusal = page_refusal(*pfn);
		if (refusal)
			return refusal;

		folio = page_folio(pfn_to_page(*pfn));
		refusal = folio_refusal(folio, range, *pfn);
		if (refusal)
			return refusal;

		*pfn += folio_nr_pages(folio);
		cond_resched();
	}
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_pages_refusal);

/**
 * hotupdate_pages_free - drop the reference to each folio of a range
 * @range: range of system memory that the core owns
 */
void hotupdate_pages_free(const struct drm_hotupdate_range *range)
{
	unsigned long end = range->pfn + range->nr_pages;
	unsigned long pfn;

	for (pfn = range->pfn; pfn < end;) {
		struct folio *folio = page_folio(pfn_to_page(pfn));

		pfn += folio_nr_pages(folio);
		folio_put(folio);
		cond_resched();
	}
}

/*
 * The largest folios that the remaining pages fill entirely, so that no page
 * is wasted and a small buffer is contiguous. Large ones are a convenience:
 * not worth reclaim, retries or a warning. Single ones are worth reclaim, but
 * not the life of a process, as a save can be refused.
 */
static struct folio *alloc_folio_up_to(unsigned long nr_pages)
{
	unsigned int order = min_t(unsigned int, ilog2(nr_pages), MAX_PAGE_ORDER);
	struct folio *folio;

	for (; order; order--) {
		folio = folio_alloc(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY, order);
		if (folio)
			return folio;
	}
	return folio_alloc(GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL, 0);
}

static void copy_to_folio(struct folio *folio, const void *data, size_t size)
{
	size_t used = min(size, folio_size(folio));

	memcpy_to_folio(folio, 0, data, used);
	folio_zero_range(folio, used, folio_size(folio) - used);
}

static void free_folios(struct list_head *folios)
{
	struct folio *folio, *next;

	list_for_each_entry_safe(folio, next, folios, lru) {
		list_del_init(&folio->lru);
		folio_put(folio);
	}
}

/**
 * hotupdate_pages_copy - copy virtual memory into a block of its own pages
 * @data: what to copy
 * @size: bytes at @data, not zero
 *
 * Implements W10. What the last page has beyond @size is zeroed, so that it
 * holds nothing of whoever had it before.
 *
 * Return: A block whose pages are not yet in the index, or an ERR_PTR.
 */
struct drm_hotupdate_block *hotupdate_pages_copy(const void *data, size_t size)
{
	unsigned long left = (size - 1) / PAGE_SIZE + 1;
	struct drm_hotupdate_block *block;
	unsigned int num_ranges = 0, i = 0;
	struct folio *folio, *next;
	LIST_HEAD(folios);

	if (left > totalram_pages())
		return ERR_PTR(-ENOMEM);

	while (left) {
		folio = alloc_folio_up_to(left);
		if (!folio)
			goto err_free;
		list_add_tail(&folio->lru, &folios);
		left -= folio_nr_pages(folio);
		num_ranges++;
		cond_resched();
	}

	block = hotupdate_block_alloc(HOTUPDATE_KIND_BUFFER, num_ranges);
	if (!block)
		goto err_free;
	block->size = size;

	list_for_each_entry_safe(folio, next, &folios, lru) {
		list_del_init(&folio->lru);
		copy_to_folio(folio, data, size);
		data += min(size, folio_size(folio));
		size -= min(size, folio_size(folio));
		block->ranges[i].pfn = folio_pfn(folio);
		block->ranges[i].nr_pages = folio_nr_pages(folio);
		i++;
		cond_resched();
	}
	return block;

err_free:
	free_folios(&folios);
	return ERR_PTR(-ENOMEM);
}
