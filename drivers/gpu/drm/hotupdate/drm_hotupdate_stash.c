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
 * the order in which they are replayed (U1). While a block stands here, none
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

/**
 * hotupdate_stash_add - append a block
 * @stash: stash
 * @block: block; its index is set
 * @lock: taken by who reads it, not held
 *
 * Return: 0, -EOVERFLOW or -ENOMEM. The stash has taken the caller's reference
 * on success, and nothing otherwise.
 */
int hotupdate_stash_add(struct hotupdate_stash *stash,
			struct drm_hotupdate_block *block, struct mutex *lock)
{
	unsigned int count;
	u64 bytes;
	int err;

	if (check_add_overflow(stash->count, 1u, &count) ||
	    check_add_overflow(stash->bytes, (u64)block->size, &bytes))
		return -EOVERFLOW;

	block->index = stash->count;
	/* Who reads the stash does not wait for memory to be found. */
	err = xa_reserve(&stash->blocks, block->index, GFP_KERNEL);
	if (err)
		return err;

	guard(mutex)(lock);

	/* Into what was reserved: this allocates nothing, and cannot fail. */
	xa_store(&stash->blocks, block->index, block, 0);
	stash->count = count;
	stash->bytes = bytes;
	return 0;
}

/*
 * Who reads a stash does not wait for all of its memory to be freed: it is
 * empty at once, as far as numbers go, and each block goes on its own.
 */
static void stash_empty(struct hotupdate_stash *stash, struct mutex *lock,
			void (*drop)(struct drm_hotupdate_block *block))
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
		drop(block);
		cond_resched();
	}
	mtree_destroy(&stash->device_index);
	mt_init(&stash->device_index);
}

/**
 * hotupdate_stash_forget - empty a stash whose pages the driver still owns
 * @stash: stash
 * @lock: taken by who reads it, not held
 */
void hotupdate_stash_forget(struct hotupdate_stash *stash, struct mutex *lock)
{
	stash_empty(stash, lock, hotupdate_block_forget);
}

/**
 * hotupdate_stash_release - empty a stash, and free what nobody else holds
 * @stash: stash whose pages the core owns
 * @lock: taken by who reads it, not held
 */
void hotupdate_stash_release(struct hotupdate_stash *stash, struct mutex *lock)
{
	stash_empty(stash, lock, drm_hotupdate_block_put);
}

static void block_commit(struct drm_hotupdate_block *block)
{
	block->committed = true;
	drm_hotupdate_block_put(block);
}

/**
 * hotupdate_stash_commit - let go of all blocks
 * @stash: stash that was replayed
 * @lock: taken by who reads it, not held
 *
 * Implements U5. What the driver has no reference to is freed.
 */
void hotupdate_stash_commit(struct hotupdate_stash *stash, struct mutex *lock)
{
	stash_empty(stash, lock, block_commit);
}
