// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>

#include "vgpu_folio.h"

#define MAX_FOLIO_ORDER_USED	min_t(unsigned int, MAX_PAGE_ORDER, 9)

/*
 * The largest that can be had. Large ones are worth no reclaim. Single pages are
 * worth some, but what is too much to ask for is no reason to kill a process.
 */
static struct folio *alloc_folio_up_to(u64 nr_pages)
{
	unsigned int order = min_t(unsigned int, ilog2(nr_pages), MAX_FOLIO_ORDER_USED);
	struct folio *folio;

	for (; order; order--) {
		folio = folio_alloc(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY,
				    order);
		if (folio)
			return folio;
	}
	return folio_alloc(VGPU_GFP | __GFP_ZERO, 0);
}

/*
 * More than there is fails at once. To find that out by taking all of it first
 * would leave others with none in the meantime, and have them killed for it.
 */
static bool is_too_much(u64 nr_pages)
{
	long available = si_mem_available();

	return nr_pages > max(available, 0L);
}

/* A suite replaces this, because UML has no memory that fails. */
VISIBLE_IF_KUNIT bool vgpu_page_is_poisoned(struct page *page)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_page_is_poisoned, page);

	return PageHWPoison(page);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_page_is_poisoned);

/* The kernel does not mark the folio as a whole if it is a driver's. */
static bool folio_is_poisoned(struct folio *folio)
{
	unsigned long i;

	for (i = 0; i < folio_nr_pages(folio); i++)
		if (vgpu_page_is_poisoned(folio_page(folio, i)))
			return true;
	return false;
}

/*
 * Drop a reference. The page allocator would give out a folio again of which a page
 * has failed, so such a folio keeps its last reference, and is lost until a reboot.
 */
static void folio_drop(struct folio *folio)
{
	if (!folio_put_testzero(folio))
		return;

	if (!folio_is_poisoned(folio)) {
		__folio_put(folio);
		return;
	}
	folio_ref_unfreeze(folio, 1);
	pr_warn_ratelimited("vgpu: %lu pages are not freed: memory of them has failed\n",
			    folio_nr_pages(folio));
}

/**
 * vgpu_folios_alloc - allocate zeroed folios
 * @folios: empty list, that they are put on by &folio.lru
 * @nr_pages: pages of all of them
 *
 * However many are asked for, no process is killed to have them. One that is
 * being killed stops asking.
 *
 * Return: 0, or -ENOMEM, with none.
 */
int vgpu_folios_alloc(struct list_head *folios, u64 nr_pages)
{
	struct folio *folio;

	if (is_too_much(nr_pages))
		return -ENOMEM;
	while (nr_pages) {
		folio = fatal_signal_pending(current) ? NULL : alloc_folio_up_to(nr_pages);
		if (!folio) {
			vgpu_folios_free(folios);
			return -ENOMEM;
		}
		list_add_tail(&folio->lru, folios);
		nr_pages -= folio_nr_pages(folio);
		cond_resched();
	}
	return 0;
}

/**
 * vgpu_folios_free - drop a reference to each folio of a list
 * @folios: list that vgpu_folios_alloc() has made, empty afterwards
 */
void vgpu_folios_free(struct list_head *folios)
{
	struct folio *folio, *next;

	list_for_each_entry_safe(folio, next, folios, lru) {
		list_del_init(&folio->lru);
		folio_drop(folio);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_folios_free);

/**
 * vgpu_folios_clear - zero what is in some folios
 * @pfn: page that the first one begins with
 * @nr_pages: pages of all of them, one behind the other
 *
 * A page that has failed is left as it is: the kernel may have unmapped it, and an
 * access can raise another machine check.
 */
void vgpu_folios_clear(unsigned long pfn, u64 nr_pages)
{
	unsigned long end = pfn + nr_pages;

	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (!vgpu_page_is_poisoned(page))
			clear_highpage(page);
		cond_resched();
	}
}

/**
 * vgpu_folios_put - drop a reference to each of some folios
 * @pfn: page that the first one begins with
 * @nr_pages: pages of all of them, one behind the other
 */
void vgpu_folios_put(unsigned long pfn, u64 nr_pages)
{
	unsigned long end = pfn + nr_pages;

	while (pfn < end) {
		struct folio *folio = page_folio(pfn_to_page(pfn));

		pfn += folio_nr_pages(folio);
		folio_drop(folio);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_folios_put);
