// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: index
 *
 * The host pages that any block of any adapter holds. No page is saved twice (W12,
 * U8). An entry and a reference go together: a folio is entered when
 * a block takes a reference to it, and removed when the block's reference ends.
 * Every saved page passes here, which decides what a save costs.
 *
 * A folio is saved whole or not at all, so one bit per folio is enough. Folios
 * of one order are numbered by their address divided by their size. A bitmap
 * covers a run of such numbers, and an xarray finds the bitmap. One GiB of 2 MiB
 * folios takes 512 bits, as much as 2 MiB of single pages.
 *
 * A folio's order cannot change while it is in a block: the block's reference
 * prevents a split.
 */

#define INDEX_CHUNK_BITS	4096u

/* Folios that are removed at a time */
#define INDEX_BATCH		32u

/* Every order that an address has room for, gigantic folios included. */
#define INDEX_ORDERS		(BITS_PER_LONG - PAGE_SHIFT)

struct index_chunk {
	/* Bits that are set, and one for an insertion that is under way */
	unsigned int used;
	DECLARE_BITMAP(bits, INDEX_CHUNK_BITS);
};

static struct kmem_cache *index_chunk_cache;

/* By order; an entry is the chunk for INDEX_CHUNK_BITS folios of that order. */
static struct xarray index_chunks[INDEX_ORDERS];

/*
 * Protects the removal of chunks, and all that is in them. Innermost. No memory
 * is allocated under it, because a shrinker can drop blocks.
 */
static DEFINE_MUTEX(index_lock);

/* Where a folio is in the index. */
struct index_slot {
	unsigned int order;
	unsigned int bit;
	unsigned long number;		/* of the chunk */
	struct index_chunk *chunk;	/* NULL if it is not there */
};

/* Looks for the chunk only if it is not that of the folio before. */
static void index_slot_find(struct index_slot *slot, unsigned long pfn, unsigned int order)
{
	unsigned long number = (pfn >> order) / INDEX_CHUNK_BITS;

	slot->bit = (pfn >> order) % INDEX_CHUNK_BITS;
	if (slot->chunk && slot->order == order && slot->number == number)
		return;

	slot->order = order;
	slot->number = number;
	slot->chunk = xa_load(&index_chunks[order], number);
}

static void index_chunk_put(struct index_slot *slot)
{
	if (--slot->chunk->used)
		return;
	xa_erase(&index_chunks[slot->order], slot->number);
	kmem_cache_free(index_chunk_cache, slot->chunk);
	slot->chunk = NULL;
}

/* A suite puts another task's insertion before its allocation. */
VISIBLE_IF_KUNIT struct index_chunk *hotupdate_index_alloc_chunk(void)
{
	KUNIT_STATIC_STUB_REDIRECT(hotupdate_index_alloc_chunk);
	return kmem_cache_zalloc(index_chunk_cache, HOTUPDATE_SAVE_GFP);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_index_alloc_chunk);

/*
 * Returns 0 with a chunk that the caller has a use of, or -EBUSY if somebody else
 * was quicker.
 */
static int index_insert_chunk(struct index_slot *slot)
{
	struct index_chunk *chunk;
	int err;

	chunk = hotupdate_index_alloc_chunk();
	if (!chunk)
		return -ENOMEM;

	chunk->used = 1;
	err = xa_insert(&index_chunks[slot->order], slot->number, chunk,
			HOTUPDATE_SAVE_GFP);
	if (err) {
		kmem_cache_free(index_chunk_cache, chunk);
		return err;
	}
	slot->chunk = chunk;
	return 0;
}

/* Drops the lock to allocate. Returns 0 with a chunk, or -ENOMEM. */
static int index_slot_make_chunk(struct index_slot *slot)
{
	int err;

	do {
		mutex_unlock(&index_lock);
		err = index_insert_chunk(slot);
		mutex_lock(&index_lock);
		if (!err) {
			/* It is about to be used for the folio's bit. */
			slot->chunk->used--;
			return 0;
		}
		slot->chunk = xa_load(&index_chunks[slot->order], slot->number);
	} while (err == -EBUSY && !slot->chunk);

	return err == -EBUSY ? 0 : err;
}

static int index_slot_set(struct index_slot *slot)
{
	int err;

	if (!slot->chunk) {
		err = index_slot_make_chunk(slot);
		if (err)
			return err;
	}
	if (__test_and_set_bit(slot->bit, slot->chunk->bits))
		return -EEXIST;
	slot->chunk->used++;
	return 0;
}

static bool index_slot_clear(struct index_slot *slot)
{
	if (!slot->chunk || !__test_and_clear_bit(slot->bit, slot->chunk->bits))
		return false;
	index_chunk_put(slot);
	return true;
}

/*
 * Removes the entry that begins at a page, whatever order it was entered in. Returns
 * the number of pages in it, 1 if there is none.
 */
static unsigned long index_remove_stale(unsigned long pfn)
{
	unsigned int order;

	for (order = 0; order < INDEX_ORDERS && IS_ALIGNED(pfn, 1ul << order); order++) {
		struct index_slot slot = { };

		index_slot_find(&slot, pfn, order);
		if (index_slot_clear(&slot))
			return 1ul << order;
	}
	return 1;
}

/* Folios without an entry, whose references are not dropped yet */
struct index_batch {
	unsigned int num;
	struct folio *folios[INDEX_BATCH];
};

/* Removes entries until the batch is full. Returns the number of the next page. */
static unsigned long index_remove_batch(unsigned long pfn, unsigned long end,
					struct index_batch *batch)
{
	struct index_slot slot = { };

	guard(mutex)(&index_lock);

	while (pfn < end && batch->num < INDEX_BATCH) {
		struct folio *folio = page_folio(pfn_to_page(pfn));
		unsigned int order = folio_order(folio);
		unsigned long nr_pages = 1ul << order;

		index_slot_find(&slot, pfn, order);
		if (folio_pfn(folio) != pfn || !folio_ref_count(folio) ||
		    !index_slot_clear(&slot)) {
			/* The reference that was taken went with the folio of then. */
			pr_err_ratelimited("a saved folio is not what it was: a driver split or freed it\n");
			slot.chunk = NULL;
			nr_pages = index_remove_stale(pfn);
		} else {
			batch->folios[batch->num++] = folio;
		}
		pfn += nr_pages;
		cond_resched();
	}
	return pfn;
}

/* The end of a folio can allocate page tables. References are dropped without the lock. */
static void index_remove_up_to(unsigned long pfn, unsigned long end, bool put)
{
	while (pfn < end) {
		struct index_batch batch;

		batch.num = 0;
		pfn = index_remove_batch(pfn, end, &batch);
		while (put && batch.num)
			hotupdate_folio_put(batch.folios[--batch.num]);
		cond_resched();
	}
}

static int index_insert_up_to(const struct drm_hotupdate_range *range, bool copy,
			      unsigned long *pfn, const char **reason)
{
	unsigned long end = range->pfn + range->nr_pages;
	struct index_slot slot = { };
	int err;

	guard(mutex)(&index_lock);

	for (*pfn = range->pfn; *pfn < end;) {
		struct folio *folio = hotupdate_folio_get(*pfn, end, copy, reason);

		if (!folio)
			return -EINVAL;
		index_slot_find(&slot, *pfn, folio_order(folio));
		err = index_slot_set(&slot);
		if (err) {
			folio_put(folio);
			return err;
		}
		*pfn += 1ul << slot.order;
		cond_resched();
	}
	return 0;
}

/**
 * hotupdate_index_hold - enter the folios of a range and take a reference to each
 * @range: range that hotupdate_range_refusal() accepts
 * @copy: whether the pages are the core's own, as in hotupdate_folio_get()
 * @pfn: set to the number of the refused page
 * @reason: set to why it is refused, after -EINVAL
 *
 * Implements W12, U7 and U8.
 *
 * Context: Process context, may sleep.
 * Return: 0; -EEXIST if page @pfn is in a block already; -EINVAL if a reference
 * cannot keep it; or -ENOMEM. After an error nothing of @range is held.
 */
int hotupdate_index_hold(const struct drm_hotupdate_range *range, bool copy,
			 unsigned long *pfn, const char **reason)
{
	int err = index_insert_up_to(range, copy, pfn, reason);

	if (err)
		index_remove_up_to(range->pfn, *pfn, true);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_index_hold);

/**
 * hotupdate_index_drop - remove the folios of a range and drop their references
 * @range: range that hotupdate_index_hold() has entered
 *
 * Context: Process context, may sleep; legal in a shrinker.
 */
void hotupdate_index_drop(const struct drm_hotupdate_range *range)
{
	index_remove_up_to(range->pfn, range->pfn + range->nr_pages, true);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_index_drop);

/**
 * hotupdate_index_hand_over - remove the folios of a range, not their references
 * @range: range that hotupdate_index_hold() has entered
 *
 * The references are the caller's afterwards.
 *
 * Context: Process context, may sleep; legal in a shrinker.
 */
void hotupdate_index_hand_over(const struct drm_hotupdate_range *range)
{
	index_remove_up_to(range->pfn, range->pfn + range->nr_pages, false);
}

static bool index_has(struct folio *folio)
{
	struct index_slot slot = { };

	lockdep_assert_held(&index_lock);

	index_slot_find(&slot, folio_pfn(folio), folio_order(folio));
	return slot.chunk && test_bit(slot.bit, slot.chunk->bits);
}

/**
 * hotupdate_index_check - whether hotupdate_index_hold() would accept a driver's range
 * @range: range that hotupdate_range_refusal() accepts
 * @pfn: set to the number of the refused page
 * @reason: set to why it is refused, after -EINVAL
 *
 * Context: Process context, may sleep.
 * Return: 0, -EEXIST or -EINVAL, as hotupdate_index_hold().
 */
int hotupdate_index_check(const struct drm_hotupdate_range *range, unsigned long *pfn,
			  const char **reason)
{
	unsigned long end = range->pfn + range->nr_pages;
	int err = 0;

	guard(mutex)(&index_lock);

	for (*pfn = range->pfn; *pfn < end && !err;) {
		struct folio *folio = hotupdate_folio_get(*pfn, end, false, reason);

		if (!folio)
			return -EINVAL;
		if (index_has(folio))
			err = -EEXIST;
		else
			*pfn += folio_nr_pages(folio);
		folio_put(folio);
		cond_resched();
	}
	return err;
}

static void index_count_shared(struct hotupdate_shared *shared, unsigned long pfn)
{
	if (shared->num_folios < ARRAY_SIZE(shared->pfns))
		shared->pfns[shared->num_folios] = pfn;
	shared->num_folios++;
}

static const char *index_find_fault(const struct index_slot *slot, struct folio *folio,
				    unsigned long pfn)
{
	if (!folio_ref_count(folio))
		return "was freed by a driver";
	if (folio_pfn(folio) != pfn || !slot->chunk || !test_bit(slot->bit, slot->chunk->bits))
		return "was split or freed by a driver";
	return NULL;
}

/**
 * hotupdate_index_verify - whether the folios of a range are what they were
 * @range: range that hotupdate_index_hold() has entered
 * @shared: counts the folios with more references than that of the index
 * @pfn: set to the number of the first page that is not, if @reason is NULL
 * @reason: set to why, a phrase with the page as its subject, if it is NULL
 *
 * A reference that is dropped once too often frees a folio. If somebody else has got
 * it since, and as a folio of the same order, that cannot be seen. A folio that is found
 * to be freed is removed: hotupdate_index_drop() does not free it for its next owner.
 *
 * Context: Process context, may sleep.
 */
void hotupdate_index_verify(const struct drm_hotupdate_range *range,
			    struct hotupdate_shared *shared, unsigned long *pfn,
			    const char **reason)
{
	unsigned long end = range->pfn + range->nr_pages;
	unsigned long here = range->pfn;
	struct index_slot slot = { };

	guard(mutex)(&index_lock);

	while (here < end) {
		struct folio *folio = page_folio(pfn_to_page(here));
		unsigned long nr_pages = folio_nr_pages(folio);
		const char *fault;

		index_slot_find(&slot, here, folio_order(folio));
		fault = index_find_fault(&slot, folio, here);
		if (fault) {
			if (!*reason)
				*pfn = here;
			*reason = *reason ?: fault;
			slot.chunk = NULL;
			nr_pages = index_remove_stale(here);
		} else if (folio_ref_count(folio) > 1) {
			index_count_shared(shared, here);
		}
		here += nr_pages;
		cond_resched();
	}
}

/**
 * hotupdate_index_is_empty - whether no page of the host is in a block
 *
 * An insertion that fails for lack of memory can leave empty nodes in an xarray.
 * The test therefore looks for entries, not for nodes.
 *
 * Return: true if so.
 */
bool hotupdate_index_is_empty(void)
{
	unsigned int order;

	guard(mutex)(&index_lock);

	for (order = 0; order < ARRAY_SIZE(index_chunks); order++) {
		unsigned long first = 0;

		if (xa_find(&index_chunks[order], &first, ULONG_MAX, XA_PRESENT))
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

	index_chunk_cache = kmem_cache_create("drm_hotupdate_index",
					      sizeof(struct index_chunk), 0, 0, NULL);
	if (!index_chunk_cache)
		return -ENOMEM;

	for (order = 0; order < ARRAY_SIZE(index_chunks); order++)
		xa_init(&index_chunks[order]);

	/* Teach lockdep that a shrinker can drop blocks. */
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&index_lock);
	fs_reclaim_release(GFP_KERNEL);
	return 0;
}

/**
 * hotupdate_index_exit - undo hotupdate_index_init()
 */
void hotupdate_index_exit(void)
{
	unsigned int order;

	WARN_ON(!hotupdate_index_is_empty());
	for (order = 0; order < ARRAY_SIZE(index_chunks); order++)
		xa_destroy(&index_chunks[order]);
	kmem_cache_destroy(index_chunk_cache);
}
