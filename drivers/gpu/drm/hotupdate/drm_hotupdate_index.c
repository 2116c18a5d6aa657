// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: index
 *
 * Which pages of the host are in a block, of whatever adapter, so that none is
 * saved twice (W12, U8). Every saved page passes here, so this decides what a
 * save costs.
 *
 * A folio is saved whole or not at all, so one bit for a folio will do. Folios
 * of one order are numbered by their address divided by their size; a bitmap
 * covers a run of such numbers, and an xarray finds the bitmap. A gigabyte
 * of 2 MiB folios takes 512 bits, as much as 2 MiB of single pages.
 *
 * The order of a folio cannot change while it is in a block: nobody but its
 * owner may split it.
 */

#define INDEX_CHUNK_BITS	4096u

/* Every order that an address has room for, gigantic folios included. */
#define INDEX_ORDERS		(BITS_PER_LONG - PAGE_SHIFT)

struct index_chunk {
	unsigned int used;
	DECLARE_BITMAP(bits, INDEX_CHUNK_BITS);
};

static struct kmem_cache *chunk_cache;

/* By order; an entry is the chunk for INDEX_CHUNK_BITS folios of that order. */
static struct xarray index[INDEX_ORDERS];

/* Protects the index and all chunks. Innermost, and memory is allocated under it. */
static DEFINE_MUTEX(index_lock);

/* Where a folio is in the index. */
struct index_slot {
	unsigned int order;
	unsigned int bit;
	unsigned long number;		/* of the chunk */
	struct index_chunk *chunk;	/* NULL if it is not there */
};

/* Looks for the chunk only if it is not that of the folio before. */
static void slot_find(struct index_slot *slot, unsigned long pfn)
{
	unsigned int order = folio_order(page_folio(pfn_to_page(pfn)));
	unsigned long number = (pfn >> order) / INDEX_CHUNK_BITS;

	slot->bit = (pfn >> order) % INDEX_CHUNK_BITS;
	if (slot->chunk && slot->order == order && slot->number == number)
		return;

	slot->order = order;
	slot->number = number;
	slot->chunk = xa_load(&index[order], number);
}

static int slot_make_chunk(struct index_slot *slot)
{
	struct index_chunk *chunk;
	int err;

	chunk = kmem_cache_zalloc(chunk_cache, GFP_KERNEL);
	if (!chunk)
		return -ENOMEM;

	err = xa_insert(&index[slot->order], slot->number, chunk, GFP_KERNEL);
	if (err) {
		kmem_cache_free(chunk_cache, chunk);
		return err;
	}
	slot->chunk = chunk;
	return 0;
}

static int slot_set(struct index_slot *slot)
{
	int err;

	if (!slot->chunk) {
		err = slot_make_chunk(slot);
		if (err)
			return err;
	}
	if (__test_and_set_bit(slot->bit, slot->chunk->bits))
		return -EEXIST;
	slot->chunk->used++;
	return 0;
}

/* Returns false if it was not set. */
static bool slot_clear(struct index_slot *slot)
{
	if (!slot->chunk || !__test_and_clear_bit(slot->bit, slot->chunk->bits))
		return false;
	if (--slot->chunk->used)
		return true;

	xa_erase(&index[slot->order], slot->number);
	kmem_cache_free(chunk_cache, slot->chunk);
	slot->chunk = NULL;
	return true;
}

static void index_remove_up_to(unsigned long pfn, unsigned long end)
{
	struct index_slot slot = { };

	lockdep_assert_held(&index_lock);

	for (; pfn < end; pfn += 1ul << slot.order) {
		slot_find(&slot, pfn);
		if (!slot_clear(&slot))
			pr_err_ratelimited("page %#lx is not where it was entered: a driver split or freed what it saved\n",
					   pfn);
	}
}

/**
 * hotupdate_index_add - enter the pages of a range, or find one that is there
 * @range: range of whole folios
 * @pfn: set to the number of the page that failed
 *
 * Implements W12 and U8.
 *
 * Return: 0, -EEXIST if page @pfn is in a block already, or -ENOMEM. After an
 * error none of @range was entered.
 */
int hotupdate_index_add(const struct drm_hotupdate_range *range,
			unsigned long *pfn)
{
	unsigned long end = range->pfn + range->nr_pages;
	struct index_slot slot = { };
	int err;

	guard(mutex)(&index_lock);

	for (*pfn = range->pfn; *pfn < end; *pfn += 1ul << slot.order) {
		slot_find(&slot, *pfn);
		err = slot_set(&slot);
		if (err) {
			index_remove_up_to(range->pfn, *pfn);
			return err;
		}
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_index_add);

/**
 * hotupdate_index_remove - take the pages of a range out again
 * @range: range that was entered
 */
void hotupdate_index_remove(const struct drm_hotupdate_range *range)
{
	guard(mutex)(&index_lock);

	index_remove_up_to(range->pfn, range->pfn + range->nr_pages);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_index_remove);

/**
 * hotupdate_index_is_empty - whether no page of the host is in a block
 *
 * An insertion that failed for want of memory can leave nodes in an xarray in
 * which there is nothing, so that it is not enough to ask for those.
 *
 * Return: true if so.
 */
bool hotupdate_index_is_empty(void)
{
	unsigned int order;

	guard(mutex)(&index_lock);

	for (order = 0; order < ARRAY_SIZE(index); order++) {
		unsigned long first = 0;

		if (xa_find(&index[order], &first, ULONG_MAX, XA_PRESENT))
			return false;
	}
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_index_is_empty);

/**
 * hotupdate_index_init - make the index, empty
 *
 * Return: 0 or -ENOMEM.
 */
int hotupdate_index_init(void)
{
	unsigned int order;

	chunk_cache = kmem_cache_create("drm_hotupdate_index",
					sizeof(struct index_chunk), 0, 0, NULL);
	if (!chunk_cache)
		return -ENOMEM;

	for (order = 0; order < ARRAY_SIZE(index); order++)
		xa_init(&index[order]);
	return 0;
}

/**
 * hotupdate_index_exit - undo hotupdate_index_init()
 */
void hotupdate_index_exit(void)
{
	unsigned int order;

	WARN_ON(!hotupdate_index_is_empty());
	for (order = 0; order < ARRAY_SIZE(index); order++)
		xa_destroy(&index[order]);
	kmem_cache_destroy(chunk_cache);
}
