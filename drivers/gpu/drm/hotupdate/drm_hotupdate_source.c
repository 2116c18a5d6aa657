// SPDX-License-Identifier: GPL-2.0-only

#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: sources
 *
 * The three ways to name memory in a save call (W7) become one thing here, a
 * block with ranges: ranges as they are, an sg_table with neighbouring entries
 * merged, because one entry need not be a whole folio, and a buffer as a copy in
 * pages of its own. The arguments are checked completely before any of that.
 */

/*
 * Words of 64 bits were reserved, and a member of fewer would move what follows. Nobody
 * has tried a kernel of 32 bits.
 */
static_assert(sizeof(struct drm_hotupdate_save_args) == 13 * sizeof(u64),
	      "drm_hotupdate needs a kernel of 64 bits");

/* By hand, because this is done for each block. */
static bool source_is_reserved_used(const struct drm_hotupdate_save_args *args)
{
	u64 bits = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(args->reserved); i++)
		bits |= args->reserved[i];
	return bits;
}

static int source_check_args(const struct drm_hotupdate_save_args *args,
			     struct hotupdate_refusal *refusal)
{
	if (!!args->ranges + !!args->sgt + !!args->data != 1)
		return hotupdate_refuse(refusal, -EINVAL,
					"not exactly one of ranges, sg_table and buffer is given");
	if (!args->ranges != !args->num_ranges)
		return hotupdate_refuse(refusal, -EINVAL,
					"the number of ranges does not fit");
	if (!args->data != !args->data_size)
		return hotupdate_refuse(refusal, -EINVAL,
					"the size of the buffer does not fit");
	if (args->data_size > SIZE_MAX - (uintptr_t)args->data)
		return hotupdate_refuse(refusal, -EINVAL, "the buffer wraps around");
	if (args->sgt && !args->sgt->orig_nents)
		return hotupdate_refuse(refusal, -EINVAL, "the sg_table is empty");
	if (args->mem != DRM_HOTUPDATE_MEM_SYSTEM &&
	    (args->mem != DRM_HOTUPDATE_MEM_DEVICE || !args->ranges))
		return hotupdate_refuse(refusal, -EINVAL,
					"this kind of memory is for ranges only");
	if (args->meta_size && !args->meta)
		return hotupdate_refuse(refusal, -EINVAL,
					"metadata with a size, but without content");
	if (args->meta_size > DRM_HOTUPDATE_MAX_META_SIZE)
		return hotupdate_refuse(refusal, -E2BIG, "too much metadata");
	if (source_is_reserved_used(args))
		return hotupdate_refuse(refusal, -EINVAL, "a reserved word is not zero");
	return 0;
}

/**
 * hotupdate_source_kind - kind of block that a save call makes
 * @args: what to save
 *
 * Return: The kind; of a call with several sources, one of them.
 */
enum hotupdate_kind hotupdate_source_kind(const struct drm_hotupdate_save_args *args)
{
	if (args->data)
		return HOTUPDATE_KIND_BUFFER;
	if (args->sgt)
		return HOTUPDATE_KIND_SGT;
	if (args->mem == DRM_HOTUPDATE_MEM_DEVICE)
		return HOTUPDATE_KIND_DEVICE;
	return HOTUPDATE_KIND_RANGES;
}

static int source_check_ranges(struct drm_hotupdate_block *block,
			       struct hotupdate_refusal *refusal)
{
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < block->num_ranges; i++) {
		const struct drm_hotupdate_range *range = &block->ranges[i];
		const char *reason = hotupdate_range_refusal(range);

		if (reason)
			return hotupdate_refuse_page(refusal, -EINVAL, range->pfn, reason);
		if (check_add_overflow(bytes, range->nr_pages << PAGE_SHIFT, &bytes) ||
		    bytes > SIZE_MAX)
			return hotupdate_refuse(refusal, -EINVAL,
						"the sum of the ranges wraps around");
		cond_resched();
	}
	block->size = bytes;
	return 0;
}

/* Checks the ranges, and holds the pages of system memory. */
static int source_hold(struct drm_hotupdate_block *block,
		       struct hotupdate_refusal *refusal)
{
	int err = source_check_ranges(block, refusal);

	if (!err && hotupdate_block_is_system(block))
		err = hotupdate_block_hold(block, refusal);
	return err;
}

static int source_from_ranges(const struct drm_hotupdate_save_args *args,
			      struct hotupdate_refusal *refusal,
			      struct drm_hotupdate_block **block)
{
	*block = hotupdate_block_alloc(hotupdate_source_kind(args), args->num_ranges);
	if (!*block)
		return -ENOMEM;

	memcpy((*block)->ranges, args->ranges,
	       array_size(args->num_ranges, sizeof(*args->ranges)));
	return source_hold(*block, refusal);
}

static bool source_is_whole_pages(struct scatterlist *sg)
{
	return sg && sg_page(sg) && PAGE_ALIGNED(sg->offset) && PAGE_ALIGNED(sg->length) &&
	       sg->length;
}

/*
 * Writes the merged entries of a table to @ranges, or only counts them if that is
 * NULL. Returns their number; 0 if an entry is not whole pages, or if the table has
 * changed and has more than @max by now.
 */
static unsigned int source_merge_sgt(const struct sg_table *sgt,
				     struct drm_hotupdate_range *ranges, unsigned int max)
{
	struct drm_hotupdate_range last = { };
	struct scatterlist *sg = sgt->sgl;
	unsigned int i, num = 0;

	for (i = 0; i < sgt->orig_nents; i++, sg = sg_next(sg)) {
		u64 pfn;

		if (!source_is_whole_pages(sg))
			return 0;
		pfn = page_to_pfn(sg_page(sg)) + (sg->offset >> PAGE_SHIFT);
		if (!num || last.pfn + last.nr_pages != pfn) {
			last = (struct drm_hotupdate_range) { .pfn = pfn };
			if (num++ == max)
				return 0;
		}
		last.nr_pages += sg->length >> PAGE_SHIFT;
		if (ranges)
			ranges[num - 1] = last;
		cond_resched();
	}
	return num;
}

static int source_from_sgt(const struct drm_hotupdate_save_args *args,
			   struct hotupdate_refusal *refusal,
			   struct drm_hotupdate_block **block)
{
	unsigned int num = source_merge_sgt(args->sgt, NULL, UINT_MAX);

	if (!num)
		return hotupdate_refuse(refusal, -EINVAL,
					"an entry of the sg_table is not whole pages");
	*block = hotupdate_block_alloc(HOTUPDATE_KIND_SGT, num);
	if (!*block)
		return -ENOMEM;

	if (source_merge_sgt(args->sgt, (*block)->ranges, num) != num)
		return hotupdate_refuse(refusal, -EINVAL, "the sg_table changes in the call");
	return source_hold(*block, refusal);
}

static void source_copy(struct drm_hotupdate_block *block, struct list_head *folios,
			const struct drm_hotupdate_save_args *args)
{
	const void *data = args->data;
	size_t left = args->data_size;
	struct folio *folio;
	unsigned int i = 0;

	list_for_each_entry(folio, folios, lru) {
		size_t copied = hotupdate_pages_fill(folio, data, left);

		data += copied;
		left -= copied;
		block->ranges[i].pfn = folio_pfn(folio);
		block->ranges[i++].nr_pages = folio_nr_pages(folio);
		cond_resched();
	}
}

/* The block holds the copy by references of its own, as it holds any page. */
static int source_from_data(const struct drm_hotupdate_save_args *args,
			    struct hotupdate_refusal *refusal,
			    struct drm_hotupdate_block **block)
{
	unsigned long nr_pages = (args->data_size - 1) / PAGE_SIZE + 1;
	unsigned int num;
	LIST_HEAD(folios);
	int err = -ENOMEM;

	num = hotupdate_pages_alloc(&folios, nr_pages);
	if (!num)
		return -ENOMEM;

	*block = hotupdate_block_alloc(HOTUPDATE_KIND_BUFFER, num);
	if (*block) {
		source_copy(*block, &folios, args);
		err = source_hold(*block, refusal);
		(*block)->size = args->data_size;
	}
	hotupdate_pages_free(&folios);
	return err;
}

/**
 * hotupdate_source_block - make a block of what a save call names
 * @args: what to save
 * @refusal: set to the reason, except after -ENOMEM
 *
 * Implements W7, W9 to W11, U2 and U7.
 *
 * Return: The block, which holds its system pages; or an ERR_PTR, with nothing
 * held.
 */
struct drm_hotupdate_block *
hotupdate_source_block(const struct drm_hotupdate_save_args *args,
		       struct hotupdate_refusal *refusal)
{
	struct drm_hotupdate_block *block = NULL;
	int err;

	err = source_check_args(args, refusal);
	if (err)
		return ERR_PTR(err);

	if (args->data)
		err = source_from_data(args, refusal, &block);
	else if (args->sgt)
		err = source_from_sgt(args, refusal, &block);
	else
		err = source_from_ranges(args, refusal, &block);
	if (!err)
		err = hotupdate_dma_copy(block, args, refusal);
	if (!err)
		err = hotupdate_block_set_meta(block, args->meta, args->meta_size);
	if (err) {
		drm_hotupdate_block_put(block);
		return ERR_PTR(err);
	}
	return block;
}
