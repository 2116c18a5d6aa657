// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/pgtable.h>
#include <linux/printk.h>
#include <linux/set_memory.h>

#include <drm/drm_hotupdate_compat.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: pages
 *
 * System memory is saved in place: a device may be reading it all the time, and
 * nothing is moved, copied or written. A block holds a reference of its own to
 * each folio, from the save call to the block's end (U2). The driver keeps its
 * references and drops them as usual, when it is removed or earlier, and the
 * device does not lose a page by that.
 *
 * A reference protects the page. It protects neither the content nor a mapping:
 *
 * - An allocator that recycles pages whatever their count, such as TTM's pool of
 *   write-combined pages, a dma_pool or a page_pool, must not get a saved page
 *   back. The driver withdraws the page from it before the save.
 * - The driver's teardown does not write to saved pages.
 *
 * A page is refused if a reference cannot keep it (U7). A folio is saved whole or
 * not at all, because it has one count for all of its pages.
 *
 * CMA pages are refused, too. In some kernels cma_release() frees them whatever their
 * count. In others a page that a block keeps makes its area useless. The core recognizes
 * them by the type of their pageblock, which is a run of pages, 2 MiB on most machines.
 * Some kernels overwrite the type while a pageblock is isolated. There an isolated page
 * is refused until the isolation ends. If a kernel has CMA and modules cannot read the
 * type, each page is refused. The copy of a buffer is not checked, because its pages
 * are the core's own: copies can be saved in each kernel.
 *
 * A page whose memory has failed, and is marked as poisoned, is saved like any
 * other: it stays with the guest that had it before, and nothing here reads it
 * unless a driver maps the block. To refuse it would make a GPU that has lost one
 * page impossible to update until the host reboots.
 *
 * If a block's reference is the last one, for example at a discard, no driver is left
 * to prepare the folio for the page allocator. The core does it:
 *
 * - It does not free a folio with a poisoned page, which is lost until the host
 *   reboots. The page allocator itself withholds only a poisoned page that is free on
 *   its own, and gives others out again.
 * - It makes the kernel's mapping write-back, which the allocator expects. On x86 a
 *   driver can have made it write-combined or uncached. Modules cannot do that on other
 *   architectures.
 *
 * Neither happens while another reference exists. After a cancel, for example, the
 * driver goes on with its pages as they are.
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

static const char *folio_type_refusal(const struct folio *folio)
{
	if (folio_test_slab(folio))
		return "is slab memory";
	if (page_has_type(&folio->page))
		return "belongs to the memory management";
	return NULL;
}

static const char *folio_refusal(struct folio *folio, unsigned long pfn, unsigned long end)
{
	const char *reason = folio_type_refusal(folio);

	if (reason)
		return reason;
	if (folio_test_lru(folio) || folio->mapping)
		return "belongs to a process or a file";
	if (folio_pfn(folio) != pfn || folio_nr_pages(folio) > end - pfn)
		return "belongs to a folio that the range covers in part";
	return NULL;
}

/* A suite replaces this, because not every kernel has CMA. */
VISIBLE_IF_KUNIT enum hotupdate_pageblock hotupdate_pageblock(unsigned long pfn)
{
	KUNIT_STATIC_STUB_REDIRECT(hotupdate_pageblock, pfn);

#ifdef CONFIG_CMA
	switch (hotupdate_compat_pageblock_type(pfn)) {
	case MIGRATE_CMA:
		return HOTUPDATE_PAGEBLOCK_CMA;
	case MIGRATE_ISOLATE:
		return HOTUPDATE_PAGEBLOCK_ISOLATED;
	case -1:
		return HOTUPDATE_PAGEBLOCK_UNREADABLE;
	}
#endif
	return HOTUPDATE_PAGEBLOCK_ORDINARY;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_pageblock);

/* The first page decides, because CMA has all pageblocks of a folio or none. */
static const char *folio_cma_refusal(struct folio *folio)
{
	switch (hotupdate_pageblock(folio_pfn(folio))) {
	case HOTUPDATE_PAGEBLOCK_CMA:
		return "is CMA memory";
	case HOTUPDATE_PAGEBLOCK_ISOLATED:
		return "is isolated, and may be CMA memory";
	case HOTUPDATE_PAGEBLOCK_UNREADABLE:
		return "cannot be told from CMA memory in this kernel";
	case HOTUPDATE_PAGEBLOCK_ORDINARY:
		break;
	}
	return NULL;
}

/**
 * hotupdate_folio_get - take a reference to the folio that begins at a page
 * @pfn: number of the page
 * @end: number of the page behind the range that has to contain the folio
 * @copy: whether the folio is from hotupdate_pages_alloc(), and thus not CMA memory
 * @reason: set to why page @pfn is refused
 *
 * Implements U7. The caller ends the reference with folio_put().
 *
 * Context: Any.
 * Return: The folio; or NULL, with nothing changed.
 */
struct folio *hotupdate_folio_get(unsigned long pfn, unsigned long end, bool copy,
				  const char **reason)
{
	struct folio *folio;

	*reason = page_refusal(pfn);
	if (*reason)
		return NULL;

	folio = page_folio(pfn_to_page(pfn));
	if (!folio_try_get(folio)) {
		*reason = folio_type_refusal(folio) ?:
			  "is free, or not the first of a high-order allocation without __GFP_COMP";
		return NULL;
	}

	/* With a reference the folio cannot change: only now is the check reliable. */
	*reason = folio_refusal(folio, pfn, end);
	if (!*reason && !copy)
		*reason = folio_cma_refusal(folio);
	if (!*reason)
		return folio;
	folio_put(folio);
	return NULL;
}

/* A suite replaces this, because UML has no memory that fails. */
VISIBLE_IF_KUNIT bool hotupdate_folio_is_poisoned(struct folio *folio)
{
	unsigned long i;

	KUNIT_STATIC_STUB_REDIRECT(hotupdate_folio_is_poisoned, folio);

	/* The kernel marks the folio as a whole only if it belongs to a process or a file. */
	for (i = 0; i < folio_nr_pages(folio); i++)
		if (PageHWPoison(folio_page(folio, i)))
			return true;
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_folio_is_poisoned);

#ifdef CONFIG_X86
/* Write-back is the mode with no bit set, as set_memory_wb() relies on. */
static bool pages_entry_is_write_back(pte_t *entry, unsigned int level)
{
	pteval_t mask = level == PG_LEVEL_4K ? _PAGE_CACHE_MASK : _PAGE_LARGE_CACHE_MASK;

	return !(pte_val(ptep_get(entry)) & mask);
}

/*
 * Looks once at each entry of the kernel's page tables, which can map 1 GiB. This needs
 * no lock: the tables of this mapping are not freed as long as the memory is there.
 */
static bool pages_are_write_back(struct folio *folio)
{
	unsigned long addr = (unsigned long)folio_address(folio);
	unsigned long end = addr + folio_size(folio);
	unsigned int level;
	pte_t *entry;

	for (; addr < end; addr = (addr & page_level_mask(level)) + page_level_size(level)) {
		entry = lookup_address(addr, &level);
		if (entry && !pages_entry_is_write_back(entry, level))
			return false;
	}
	return true;
}

/* Returns false if there is no memory for a page table. */
static bool pages_make_write_back(struct folio *folio)
{
	if (folio_test_highmem(folio) || pages_are_write_back(folio))
		return true;
	return !set_memory_wb((unsigned long)folio_address(folio), folio_nr_pages(folio));
}
#else
static bool pages_make_write_back(struct folio *folio)
{
	return true;
}
#endif

/* The log has the number of a page that failed already, from the kernel. */
static void pages_keep_back(struct folio *folio, const char *reason)
{
	static atomic_long_t kept = ATOMIC_LONG_INIT(0);
	long total = atomic_long_add_return(folio_nr_pages(folio), &kept);

	folio_ref_unfreeze(folio, 1);
	pr_warn_ratelimited("%lu saved pages are kept from the page allocator, %ld in all: %s\n",
			    folio_nr_pages(folio), total, reason);
}

/**
 * hotupdate_folio_put - drop a reference to a saved folio
 * @folio: folio
 *
 * If the reference is the last one, this prepares the folio for the page allocator. A
 * count of zero decides, so that of two tasks that drop their references exactly one
 * has the last, and nobody can get the folio any more. Page tables can be allocated.
 *
 * Context: Process context, may sleep; legal in a shrinker. The index is not locked.
 */
void hotupdate_folio_put(struct folio *folio)
{
	if (!folio_put_testzero(folio))
		return;

	if (hotupdate_folio_is_poisoned(folio))
		pages_keep_back(folio, "memory of them has failed");
	else if (!pages_make_write_back(folio))
		pages_keep_back(folio, "they cannot be made write-back");
	else
		__folio_put(folio);
}

/*
 * Returns the largest folio that the remaining pages fill entirely: no page is
 * wasted, and a small buffer is contiguous. Large folios are a convenience, not worth
 * reclaim, retries or a warning. Single pages are worth reclaim, but not the life of
 * a process, because a save can be refused.
 */
static struct folio *pages_alloc_folio(unsigned long nr_pages)
{
	unsigned int order = min_t(unsigned int, ilog2(nr_pages), MAX_PAGE_ORDER);
	struct folio *folio;

	for (; order; order--) {
		folio = folio_alloc(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY, order);
		if (folio)
			return folio;
	}
	return folio_alloc(HOTUPDATE_SAVE_GFP, 0);
}

/**
 * hotupdate_pages_alloc - allocate folios
 * @folios: empty list; the folios are appended by &folio.lru
 * @nr_pages: number of pages in all of them
 *
 * Context: Process context, may sleep.
 * Return: The number of folios; or 0 if memory is short, with @folios empty.
 */
unsigned int hotupdate_pages_alloc(struct list_head *folios, unsigned long nr_pages)
{
	unsigned int num = 0;
	struct folio *folio;

	if (nr_pages > totalram_pages())
		return 0;

	while (nr_pages) {
		folio = pages_alloc_folio(nr_pages);
		if (!folio) {
			hotupdate_pages_free(folios);
			return 0;
		}
		list_add_tail(&folio->lru, folios);
		nr_pages -= folio_nr_pages(folio);
		num++;
		cond_resched();
	}
	return num;
}

/**
 * hotupdate_pages_free - drop the references that hotupdate_pages_alloc() took
 * @folios: list of folios, empty afterwards
 *
 * Context: Process context, may sleep.
 */
void hotupdate_pages_free(struct list_head *folios)
{
	struct folio *folio, *next;

	list_for_each_entry_safe(folio, next, folios, lru) {
		list_del_init(&folio->lru);
		hotupdate_folio_put(folio);
		cond_resched();
	}
}

/**
 * hotupdate_pages_fill - copy virtual memory into a folio
 * @folio: folio
 * @data: source
 * @size: bytes at @data; the rest of @folio is zeroed, to leave nothing of its
 *	last owner in it
 *
 * Context: Process context, may sleep.
 * Return: The number of bytes copied: @size, or the size of @folio if that is less.
 */
size_t hotupdate_pages_fill(struct folio *folio, const void *data, size_t size)
{
	size_t used = min(size, folio_size(folio));

	memcpy_to_folio(folio, 0, data, used);
	folio_zero_range(folio, used, folio_size(folio) - used);
	return used;
}
