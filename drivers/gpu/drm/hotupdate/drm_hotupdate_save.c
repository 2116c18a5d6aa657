// SPDX-License-Identifier: GPL-2.0-only

#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>

#include "drm_hotupdate_internal.h"
#include "drm_hotupdate_trace.h"

/**
 * DOC: saving
 *
 * Inside its save_memory callback a driver calls drm_hotupdate_save_memory()
 * once for each block (W5). A block is checked entirely before anything is
 * done with it, so that a refused call leaves everything as it was:
 *
 * 1. The call is made by the callback, and in time.
 * 2. One way of naming memory is used, and only one (W7).
 * 3. The ranges are ranges.
 * 4. The pages can be given away (U7).
 * 5. None of them is in a block already (W12, U8).
 *
 * After that the block stands in the stash; the driver still owns its pages
 * (U2). A call that fails dooms the save (U3), whatever the driver makes of
 * the error: an update with a block missing is worse than none.
 */

/* What is wrong with a save call: printed with the adapter and the block. */
struct save_error {
	int err;
	const char *what;
	bool has_pfn;
	unsigned long pfn;
};

static int refuse(struct save_error *error, int err, const char *what)
{
	error->err = err;
	error->what = what;
	return err;
}

static int refuse_page(struct save_error *error, int err, unsigned long pfn,
		       const char *what)
{
	error->has_pfn = true;
	error->pfn = pfn;
	return refuse(error, err, what);
}

static int check_args(const struct drm_hotupdate_save_args *args,
		      struct save_error *error)
{
	if (!!args->ranges + !!args->sgt + !!args->data != 1)
		return refuse(error, -EINVAL,
			      "not exactly one of ranges, sg_table and buffer is given");
	if (!args->ranges != !args->num_ranges)
		return refuse(error, -EINVAL, "the number of ranges does not fit");
	if (!args->data != !args->data_size)
		return refuse(error, -EINVAL, "the size of the buffer does not fit");
	if (args->data_size > SIZE_MAX - (uintptr_t)args->data)
		return refuse(error, -EINVAL, "the buffer wraps around");
	if (args->mem != DRM_HOTUPDATE_MEM_SYSTEM &&
	    (args->mem != DRM_HOTUPDATE_MEM_DEVICE || !args->ranges))
		return refuse(error, -EINVAL, "this kind of memory is for ranges only");
	if (args->meta_size && !args->meta)
		return refuse(error, -EINVAL, "metadata with a size, but without content");
	if (args->meta_size > DRM_HOTUPDATE_MAX_META_SIZE)
		return refuse(error, -E2BIG, "too much metadata");
	return 0;
}

static int check_ranges(const struct drm_hotupdate_block *block,
			struct save_error *error, size_t *size)
{
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < block->num_ranges; i++) {
		const char *refusal = hotupdate_range_refusal(&block->ranges[i]);

		if (refusal)
			return refuse_page(error, -EINVAL, block->ranges[i].pfn, refusal);
		if (check_add_overflow(bytes, block->ranges[i].nr_pages << PAGE_SHIFT,
				       &bytes) || bytes > SIZE_MAX)
			return refuse(error, -EINVAL, "the sum of the ranges wraps around");
	}
	*size = bytes;
	return 0;
}

static int index_pages(const struct drm_hotupdate_block *block,
		       struct save_error *error)
{
	unsigned long pfn;
	unsigned int i;
	int err;

	for (i = 0; i < block->num_ranges; i++) {
		err = hotupdate_index_add(&block->ranges[i], &pfn);
		if (err)
			goto err_remove;
	}
	return 0;

err_remove:
	while (i--)
		hotupdate_index_remove(&block->ranges[i]);
	if (err == -EEXIST)
		return refuse_page(error, err, pfn, "is saved already");
	return refuse(error, err, "no memory for the index of pages");
}

static int adopt_pages(const struct drm_hotupdate_block *block,
		       struct save_error *error)
{
	const char *refusal;
	unsigned long pfn;
	unsigned int i;

	for (i = 0; i < block->num_ranges; i++) {
		refusal = hotupdate_pages_refusal(&block->ranges[i], &pfn);
		if (refusal)
			return refuse_page(error, -EINVAL, pfn, refusal);
	}
	return index_pages(block, error);
}

static void unindex_device(struct hotupdate_stash *stash,
			   const struct drm_hotupdate_block *block,
			   unsigned int num_ranges)
{
	while (num_ranges--)
		mtree_erase(&stash->device_index, block->ranges[num_ranges].pfn);
}

static int index_device(struct hotupdate_stash *stash,
			struct drm_hotupdate_block *block,
			struct save_error *error)
{
	unsigned int i;
	int err;

	for (i = 0; i < block->num_ranges; i++) {
		const struct drm_hotupdate_range *range = &block->ranges[i];

		err = mtree_insert_range(&stash->device_index, range->pfn,
					 range->pfn + range->nr_pages - 1, block,
					 GFP_KERNEL);
		if (!err)
			continue;

		unindex_device(stash, block, i);
		if (err == -EEXIST)
			return refuse_page(error, err, range->pfn,
					   "begins a range that is saved already");
		return refuse(error, err, "no memory for the index of device memory");
	}
	return 0;
}

/* Enter the memory of a block into the index that its kind is in. */
static int index_block(struct hotupdate_stash *stash,
		       struct drm_hotupdate_block *block,
		       struct save_error *error)
{
	switch (block->kind) {
	case HOTUPDATE_KIND_DEVICE:
		return index_device(stash, block, error);
	case HOTUPDATE_KIND_BUFFER:
		return index_pages(block, error);
	default:
		return adopt_pages(block, error);
	}
}

static struct drm_hotupdate_block *
block_from_ranges(const struct drm_hotupdate_save_args *args)
{
	enum hotupdate_kind kind = args->mem == DRM_HOTUPDATE_MEM_DEVICE ?
				   HOTUPDATE_KIND_DEVICE : HOTUPDATE_KIND_RANGES;
	struct drm_hotupdate_block *block;

	block = hotupdate_block_alloc(kind, args->num_ranges);
	if (!block)
		return ERR_PTR(-ENOMEM);

	memcpy(block->ranges, args->ranges,
	       array_size(args->num_ranges, sizeof(*args->ranges)));
	return block;
}

static struct drm_hotupdate_block *
block_from_sgt(const struct drm_hotupdate_save_args *args, struct save_error *error)
{
	struct drm_hotupdate_block *block;
	struct scatterlist *sg = args->sgt->sgl;
	unsigned int i;

	block = hotupdate_block_alloc(HOTUPDATE_KIND_SGT, args->sgt->orig_nents);
	if (!block)
		return ERR_PTR(-ENOMEM);

	for (i = 0; i < block->num_ranges; i++, sg = sg_next(sg)) {
		if (!sg || !sg_page(sg) || sg->offset || !PAGE_ALIGNED(sg->length)) {
			refuse(error, -EINVAL, "an entry of the sg_table is not whole pages");
			hotupdate_block_destroy(block);
			return ERR_PTR(error->err);
		}
		block->ranges[i].pfn = page_to_pfn(sg_page(sg));
		block->ranges[i].nr_pages = sg->length >> PAGE_SHIFT;
	}
	return block;
}

static struct drm_hotupdate_block *
block_from_args(const struct drm_hotupdate_save_args *args, struct save_error *error)
{
	struct drm_hotupdate_block *block;
	size_t size;
	int err;

	if (args->sgt && !args->sgt->orig_nents) {
		refuse(error, -EINVAL, "the sg_table is empty");
		return ERR_PTR(error->err);
	}

	if (args->data)
		block = hotupdate_pages_copy(args->data, args->data_size);
	else if (args->sgt)
		block = block_from_sgt(args, error);
	else
		block = block_from_ranges(args);
	if (IS_ERR(block))
		return block;

	err = check_ranges(block, error, &size);
	if (err)
		goto err_destroy;
	if (!args->data)
		block->size = size;

	err = hotupdate_block_set_meta(block, args->meta, args->meta_size);
	if (err)
		goto err_destroy;
	return block;

err_destroy:
	hotupdate_block_destroy(block);
	return ERR_PTR(err);
}

static int stash_block(struct drm_hotupdate_adapter *adapter,
		       struct drm_hotupdate_block *block, struct save_error *error)
{
	struct hotupdate_stash *stash = &adapter->stash;
	int err;

	err = index_block(stash, block, error);
	if (err) {
		hotupdate_block_destroy(block);
		return err;
	}

	err = hotupdate_stash_add(stash, block, &adapter->status_lock);
	if (err == -EOVERFLOW)
		err = refuse(error, -EINVAL, "the sum of all blocks wraps around");
	if (err) {
		if (!hotupdate_block_is_system(block))
			unindex_device(stash, block, block->num_ranges);
		hotupdate_block_forget(block);
		return err;
	}
	return 0;
}

static int save_block(struct drm_hotupdate_adapter *adapter,
		      const struct drm_hotupdate_save_args *args,
		      struct save_error *error)
{
	struct drm_hotupdate_block *block;
	int err;

	if (ktime_after(ktime_get(), adapter->deadline))
		return refuse(error, -ETIMEDOUT, "the deadline of the save has passed");

	err = check_args(args, error);
	if (err)
		return err;

	block = block_from_args(args, error);
	if (IS_ERR(block))
		return PTR_ERR(block);

	return stash_block(adapter, block, error);
}

static int report_save_error(struct drm_hotupdate_adapter *adapter,
			     const struct save_error *error, int err)
{
	unsigned int index = adapter->stash.count;

	if (error->has_pfn)
		return hotupdate_error(adapter, err, "block %u refused: page %#lx %s",
				       index, error->pfn, error->what);

	return hotupdate_error(adapter, err, "block %u refused: %s", index,
			       error->what ?: "no memory for its description");
}

static const char *args_kind(const struct drm_hotupdate_save_args *args)
{
	if (args->data)
		return hotupdate_kind_names[HOTUPDATE_KIND_BUFFER];
	if (args->sgt)
		return hotupdate_kind_names[HOTUPDATE_KIND_SGT];
	if (args->mem == DRM_HOTUPDATE_MEM_DEVICE)
		return hotupdate_kind_names[HOTUPDATE_KIND_DEVICE];
	return hotupdate_kind_names[HOTUPDATE_KIND_RANGES];
}

static void trace_save(struct drm_hotupdate_adapter *adapter,
		       const struct drm_hotupdate_save_args *args,
		       unsigned int index, int err, ktime_t start)
{
	struct drm_hotupdate_block *block = NULL;

	if (!err)
		block = xa_load(&adapter->stash.blocks, index);
	trace_drm_hotupdate_save(adapter, index, args_kind(args),
				 block ? block->size : 0, args->meta_size, err,
				 ktime_to_ns(ktime_sub(ktime_get(), start)));
}

/**
 * drm_hotupdate_save_memory - save one block
 * @adapter: adapter whose save_memory callback is running
 * @args: what to save
 *
 * Implements W5 to W7 and W9 to W12; DxgkCbSaveMemoryForHotUpdate on Windows.
 *
 * System pages stay the driver's own until it detaches, and are the core's
 * then (U2). From the call on the driver must not free, move or split them: until
 * its cancel_save callback is called or, if the save fails, until its save_memory
 * callback has returned. What is in them is not looked at: it can change as long
 * as the device, or a driver that has not saved yet, writes to them. A buffer is
 * copied as it is at the call.
 *
 * If one call of a save fails, so does the save, and the driver may as well
 * give up at once (U3).
 *
 * Context: Process context, may sleep. Only from the adapter's save_memory
 * callback, by the task that runs it.
 * Return: 0, or
 *
 * * -EPERM: not called by the save_memory callback
 * * -EINVAL: not exactly one source, or an empty one, or one whose size does
 *   not fit, as that of the metadata; a range that is empty or wraps; pages that
 *   cannot be given away (U7)
 * * -E2BIG: more than %DRM_HOTUPDATE_MAX_META_SIZE bytes of metadata
 * * -EEXIST: a page is saved already (U8)
 * * -ETIMEDOUT: the administrator's deadline has passed
 * * -ENOMEM: no memory for the description or the copy
 *
 * The adapter, the block and the reason are logged and kept in last_error.
 */
int drm_hotupdate_save_memory(struct drm_hotupdate_adapter *adapter,
			      const struct drm_hotupdate_save_args *args)
{
	struct save_error error = { };
	unsigned int index;
	ktime_t start = 0;
	int err;

	if (READ_ONCE(adapter->save_task) != current)
		return hotupdate_error(adapter, -EPERM,
				       "save of a block refused: not in the save_memory callback");

	index = adapter->stash.count;
	if (trace_drm_hotupdate_save_enabled())
		start = ktime_get();

	err = save_block(adapter, args, &error);
	if (err) {
		report_save_error(adapter, &error, err);
		if (!adapter->save_error)
			adapter->save_error = err;
	} else {
		hotupdate_set_progress(adapter, adapter->stash.count);
	}

	if (trace_drm_hotupdate_save_enabled())
		trace_save(adapter, args, index, err, start);
	return err;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_save_memory);
