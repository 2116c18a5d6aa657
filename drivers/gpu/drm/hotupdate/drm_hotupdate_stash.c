// SPDX-License-Identifier: GPL-2.0-only

#include <linux/cleanup.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/xarray.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: stash
 *
 * The blocks of one adapter, in the order in which they were saved, which is
 * the order in which they are restored (U1). While a block stands here, none
 * of its memory can be saved again (W12, U8): pages of the host are found by
 * the index that all adapters share, device memory by an index of the stash's
 * own, as each device numbers its memory for itself.
 */

/**
 * hotupdate_stash_init - make a stash, empty
 * @stash: stash
 */
void hotupdate_stash_init(struct hotupdate_stash *stash)
{
	xa_init(&stash->blocks);
	mt_init(&stash->device_index);
	stash->count = 0;
	stash->bytes = 0;
}

/**
 * hotupdate_stash_exit - undo hotupdate_stash_init()
 * @stash: stash that has let go of all blocks
 *
 * A block that is still there is lost, and its pages with it. An insertion that
 * failed for want of memory can have left nodes in which there is nothing.
 */
void hotupdate_stash_exit(struct hotupdate_stash *stash)
{
	unsigned long first = 0;

	WARN_ON(xa_find(&stash->blocks, &first, ULONG_MAX, XA_PRESENT));
	WARN_ON(!mtree_empty(&stash->device_index));
	xa_destroy(&stash->blocks);
	mtree_destroy(&stash->device_index);
}

static void stash_unindex_device(struct hotupdate_stash *stash,
				 const struct drm_hotupdate_block *block,
				 unsigned int num_ranges)
{
	while (num_ranges--) {
		mtree_erase(&stash->device_index, block->ranges[num_ranges].pfn);
		cond_resched();
	}
}

static int stash_index_device(struct hotupdate_stash *stash,
			      struct drm_hotupdate_block *block,
			      struct hotupdate_refusal *refusal)
{
	unsigned int i;
	int err;

	for (i = 0; i < block->num_ranges; i++) {
		const struct drm_hotupdate_range *range = &block->ranges[i];

		err = mtree_insert_range(&stash->device_index, range->pfn,
					 range->pfn + range->nr_pages - 1, block,
					 HOTUPDATE_SAVE_GFP);
		cond_resched();
		if (!err)
			continue;

		stash_unindex_device(stash, block, i);
		if (err == -EEXIST)
			return hotupdate_refuse_page(refusal, err, range->pfn,
						     "begins a range that is saved already");
		return err;
	}
	return 0;
}

static void stash_append(struct hotupdate_stash *stash, struct drm_hotupdate_block *block,
			 struct mutex *lock)
{
	guard(mutex)(lock);

	block->stashed = true;
	/* Into what was reserved: this allocates nothing, and cannot fail. */
	xa_store(&stash->blocks, block->index, block, 0);
	stash->count++;
	stash->bytes += block->size;
}

/**
 * hotupdate_stash_add - append a block
 * @stash: stash
 * @block: block; its index is set
 * @lock: lock that readers of the stash take, not held
 * @refusal: set to the reason, except after -ENOMEM
 *
 * Implements U8 for device memory.
 *
 * Return: 0, and the stash has taken over the caller's reference; or, with @stash
 * unchanged, -EEXIST if it has some of the block's device memory already, -EINVAL
 * if it is full, or -ENOMEM.
 */
int hotupdate_stash_add(struct hotupdate_stash *stash,
			struct drm_hotupdate_block *block, struct mutex *lock,
			struct hotupdate_refusal *refusal)
{
	unsigned int count;
	u64 bytes;
	int err;

	if (check_add_overflow(stash->count, 1u, &count) ||
	    check_add_overflow(stash->bytes, (u64)block->size, &bytes))
		return hotupdate_refuse(refusal, -EINVAL,
					"the sum of all blocks wraps around");

	block->index = stash->count;
	/* Readers of the stash do not wait for an allocation. */
	err = xa_reserve(&stash->blocks, block->index, HOTUPDATE_SAVE_GFP);
	if (err)
		return err;

	if (!hotupdate_block_is_system(block)) {
		err = stash_index_device(stash, block, refusal);
		if (err) {
			xa_release(&stash->blocks, block->index);
			return err;
		}
	}
	stash_append(stash, block, lock);
	return 0;
}

/**
 * hotupdate_stash_clear - drop all blocks
 * @stash: stash
 * @lock: lock that readers of the stash take, not held
 * @commit: whether drivers that hold a block can take its pages from now on
 *
 * Implements U2 and U5. Readers of a stash do not wait for all of it to be
 * dropped: its numbers are zero at once, and each block goes by itself.
 */
void hotupdate_stash_clear(struct hotupdate_stash *stash, struct mutex *lock, bool commit)
{
	struct drm_hotupdate_block *block;
	unsigned long index;

	scoped_guard(mutex, lock) {
		stash->count = 0;
		stash->bytes = 0;
	}
	xa_for_each(&stash->blocks, index, block) {
		scoped_guard(mutex, lock)
			xa_erase(&stash->blocks, index);
		block->committed = commit;
		WRITE_ONCE(block->stashed, false);
		drm_hotupdate_block_put(block);
		cond_resched();
	}
	mtree_destroy(&stash->device_index);
	mt_init(&stash->device_index);
}
