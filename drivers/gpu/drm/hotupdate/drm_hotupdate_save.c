// SPDX-License-Identifier: GPL-2.0-only

#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/xarray.h>

#include "drm_hotupdate_internal.h"
#include "drm_hotupdate_trace.h"

/**
 * DOC: saving
 *
 * Inside its save_memory callback a driver calls drm_hotupdate_save_memory()
 * once for each block (W5). A block is checked entirely before it enters the stash,
 * and a refused call changes nothing:
 *
 * 1. The call is made by the callback, and in time.
 * 2. One way of naming memory is used, and only one (W7).
 * 3. The ranges are ranges.
 * 4. A reference can keep each page (U7), and none is in a block already (W12, U8).
 * 5. DMA addresses, if there are any, lead to these pages (U19).
 *
 * After that the block stands in the stash, and the driver and the block both hold
 * the pages (U2). A call that fails dooms the save (U3), whatever thread made it
 * and whatever save_memory returns: an update that lacks a block is worse than none.
 */

static int save_block(struct drm_hotupdate_adapter *adapter,
		      const struct drm_hotupdate_save_args *args,
		      struct hotupdate_refusal *refusal)
{
	struct drm_hotupdate_block *block;
	int err;

	if (ktime_after(ktime_get(), adapter->deadline))
		return hotupdate_refuse(refusal, -ETIMEDOUT,
					"the deadline of the save has passed");

	block = hotupdate_source_block(args, refusal);
	if (IS_ERR(block))
		return PTR_ERR(block);

	err = hotupdate_dma_verify(block, adapter->dma_dev, -EINVAL, refusal);
	if (!err)
		err = hotupdate_stash_add(&adapter->stash, block, &adapter->status_lock,
					  refusal);
	if (err)
		drm_hotupdate_block_put(block);
	return err;
}

static void save_trace(struct drm_hotupdate_adapter *adapter,
		       const struct drm_hotupdate_save_args *args,
		       unsigned int index, int err, ktime_t start)
{
	struct drm_hotupdate_block *block = NULL;

	if (!err)
		block = xa_load(&adapter->stash.blocks, index);
	trace_drm_hotupdate_save(adapter, index,
				 hotupdate_kind_names[hotupdate_source_kind(args)],
				 block ? block->size : 0, args->meta_size, err,
				 ktime_to_ns(ktime_sub(ktime_get(), start)));
}

/* Dooms the save that is under way, if there is one. */
static void save_doom(struct drm_hotupdate_adapter *adapter, int err)
{
	guard(mutex)(&adapter->status_lock);

	if (adapter->save_task && !adapter->save_error)
		adapter->save_error = err;
}

/**
 * drm_hotupdate_save_memory - save one block
 * @adapter: adapter whose save_memory callback is running
 * @args: what to save
 *
 * Implements W5 to W7 and W9 to W12; DxgkCbSaveMemoryForHotUpdate on Windows.
 *
 * The block takes a reference to each folio of system memory, and holds it until
 * the block ends (U2). The driver keeps its own references and drops them whenever
 * it likes. A page that was allocated for the save alone can be put right after the
 * call (U14). The core does not look at the content, which can change as long as
 * the device, or a driver that has not finished its save, writes to it. A buffer is
 * copied as it is at the call. DMA addresses in &drm_hotupdate_save_args.dma stay
 * mapped until the driver that restores the block unmaps them, or a discard does.
 *
 * If one call of a save fails, so does the save, and the driver may as well
 * give up at once (U3). A call from another thread fails, and dooms the save too.
 *
 * Context: Process context, may sleep. Only from the adapter's save_memory
 * callback, by the task that runs it.
 * Return: 0, or
 *
 * * -EPERM: not called by the save_memory callback
 * * -EINVAL: not exactly one source, or an empty one, or one whose size does
 *   not fit, as that of the metadata; a range that is empty or wraps; pages that
 *   a reference cannot keep (U7); DMA addresses that do not lead to them (U19)
 * * -E2BIG: more than %DRM_HOTUPDATE_MAX_META_SIZE bytes of metadata
 * * -EEXIST: a page is saved already (U8)
 * * -ETIMEDOUT: the administrator's deadline has passed
 * * -ENOMEM: no memory for the description or the copy
 *
 * The adapter, the block and the reason are logged and kept in last_error, which
 * names the page, too.
 */
int drm_hotupdate_save_memory(struct drm_hotupdate_adapter *adapter,
			      const struct drm_hotupdate_save_args *args)
{
	struct hotupdate_refusal refusal = { };
	unsigned int index;
	ktime_t start = 0;
	int err;

	if (READ_ONCE(adapter->save_task) != current) {
		save_doom(adapter, -EPERM);
		return hotupdate_error(adapter, -EPERM,
				       "save of a block refused: not in the save_memory callback");
	}

	index = adapter->stash.count;
	if (trace_drm_hotupdate_save_enabled())
		start = ktime_get();

	err = save_block(adapter, args, &refusal);
	if (err) {
		hotupdate_error_block(adapter, err, index, &refusal);
		save_doom(adapter, err);
	} else {
		hotupdate_set_progress(adapter, adapter->stash.count);
	}

	if (trace_drm_hotupdate_save_enabled())
		save_trace(adapter, args, index, err, start);
	return err;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_save_memory);

/**
 * drm_hotupdate_save_buffer - save a copy of kernel memory as one block
 * @adapter: adapter whose save_memory callback is running
 * @data: kernel virtual memory
 * @size: bytes at @data
 * @meta: metadata of the block, or NULL
 * @meta_size: bytes at @meta
 *
 * A short form of drm_hotupdate_save_memory() (W10).
 *
 * Context: As drm_hotupdate_save_memory().
 * Return: As drm_hotupdate_save_memory().
 */
int drm_hotupdate_save_buffer(struct drm_hotupdate_adapter *adapter, const void *data,
			      size_t size, const void *meta, size_t meta_size)
{
	const struct drm_hotupdate_save_args args = {
		.data = data,
		.data_size = size,
		.meta = meta,
		.meta_size = meta_size,
	};

	return drm_hotupdate_save_memory(adapter, &args);
}
EXPORT_SYMBOL_GPL(drm_hotupdate_save_buffer);

/**
 * drm_hotupdate_save_range - save one range of pages as one block
 * @adapter: adapter whose save_memory callback is running
 * @mem: kind of memory
 * @pfn: number of the first page, as &drm_hotupdate_range.pfn
 * @nr_pages: number of pages
 * @meta: metadata of the block, or NULL
 * @meta_size: bytes at @meta
 *
 * A short form of drm_hotupdate_save_memory() (W7).
 *
 * Context: As drm_hotupdate_save_memory().
 * Return: As drm_hotupdate_save_memory().
 */
int drm_hotupdate_save_range(struct drm_hotupdate_adapter *adapter,
			     enum drm_hotupdate_mem mem, u64 pfn, u64 nr_pages,
			     const void *meta, size_t meta_size)
{
	const struct drm_hotupdate_range range = { .pfn = pfn, .nr_pages = nr_pages };
	const struct drm_hotupdate_save_args args = {
		.ranges = &range,
		.num_ranges = 1,
		.mem = mem,
		.meta = meta,
		.meta_size = meta_size,
	};

	return drm_hotupdate_save_memory(adapter, &args);
}
EXPORT_SYMBOL_GPL(drm_hotupdate_save_range);

/**
 * drm_hotupdate_can_save - whether pages of system memory can be saved
 * @range: range of system memory
 * @pfn: set to the number of the first page that is refused; may be NULL
 *
 * For drivers that want to know at allocation time whether the pages can take part
 * in an update (U7). References are taken for a moment, and none is held afterwards.
 * The answer holds as long as the caller's references do and nobody saves the pages.
 *
 * Context: Process context, may sleep. The caller has references to the pages.
 * Return: 0; or what drm_hotupdate_save_memory() would return: -EINVAL if @range
 * is no range or a reference cannot keep a page, -EEXIST if a page is in a block.
 */
int drm_hotupdate_can_save(const struct drm_hotupdate_range *range, unsigned long *pfn)
{
	unsigned long refused = range->pfn;
	const char *reason;
	int err;

	err = hotupdate_range_refusal(range) ? -EINVAL :
	      hotupdate_index_check(range, &refused, &reason);
	if (err && pfn)
		*pfn = refused;
	return err;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_can_save);
