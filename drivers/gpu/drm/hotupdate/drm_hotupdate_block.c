// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: blocks
 *
 * A block is what one save call saved (W6): where the memory is, and the
 * metadata that goes with it. Whatever way it was saved in, a block of system
 * memory comes back as pages (W15): as ranges, as an sg_table, or mapped.
 *
 * A block of system memory holds a reference to each folio in it. Blocks are
 * counted: the stash holds one reference, and the restore gives the driver another.
 * The last one to be dropped ends the block, and with it the references to its
 * pages (W16). One put ends every block, whatever its state. A driver that keeps
 * its reference keeps the pages. A driver that wants the pages without the block
 * takes over their references with drm_hotupdate_block_take().
 *
 * A block pins the core's module: it cannot be unloaded while it holds one
 * (U11).
 */

/*
 * sg->length is an unsigned int. Wherever a range begins, it is cut where an
 * address is a multiple of 2 GiB: a folio is aligned to its size, so that none
 * which fits into a segment is cut in two.
 */
#define SGT_SEGMENT_ORDER	ilog2(SZ_2G >> PAGE_SHIFT)
#define SGT_SEGMENT_PAGES	BIT_ULL(SGT_SEGMENT_ORDER)

const char * const hotupdate_kind_names[] = {
	[HOTUPDATE_KIND_RANGES] = "ranges",
	[HOTUPDATE_KIND_DEVICE] = "device",
	[HOTUPDATE_KIND_SGT] = "sgt",
	[HOTUPDATE_KIND_BUFFER] = "buffer",
};
EXPORT_SYMBOL_IF_KUNIT(hotupdate_kind_names);

/**
 * hotupdate_block_alloc - make a block with room for ranges
 * @kind: how it is saved
 * @num_ranges: how many ranges, for the caller to fill in
 *
 * Return: The block, with one reference, which holds no pages; or NULL.
 */
struct drm_hotupdate_block *hotupdate_block_alloc(enum hotupdate_kind kind,
						  unsigned int num_ranges)
{
	struct drm_hotupdate_block *block;

	/* Too many ranges are the driver's fault, and reported as such. */
	block = kvzalloc(struct_size(block, ranges, num_ranges), HOTUPDATE_SAVE_GFP);
	if (!block)
		return NULL;

	kref_init(&block->ref);
	block->kind = kind;
	block->num_ranges = num_ranges;
	hotupdate_pin();
	return block;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_block_alloc);

/**
 * hotupdate_block_set_meta - give a new block a copy of its metadata
 * @block: block
 * @meta: metadata, or NULL
 * @size: bytes at @meta
 *
 * Implements W11.
 *
 * Return: 0 or -ENOMEM.
 */
int hotupdate_block_set_meta(struct drm_hotupdate_block *block,
			     const void *meta, size_t size)
{
	if (!size)
		return 0;

	block->meta = kvmemdup(meta, size, HOTUPDATE_SAVE_GFP);
	if (!block->meta)
		return -ENOMEM;
	block->meta_size = size;
	return 0;
}

/**
 * hotupdate_block_is_system - whether a block has pages of the host
 * @block: block
 *
 * Return: true if so, false if it only describes device memory.
 */
bool hotupdate_block_is_system(const struct drm_hotupdate_block *block)
{
	return block->kind != HOTUPDATE_KIND_DEVICE;
}

/**
 * hotupdate_block_verify - whether the folios of a block are what they were
 * @block: block
 * @shared: counts the folios with more references than the block's
 * @refusal: set to the page and the reason
 *
 * Return: 0 or -ESTALE.
 */
int hotupdate_block_verify(const struct drm_hotupdate_block *block,
			   struct hotupdate_shared *shared,
			   struct hotupdate_refusal *refusal)
{
	const char *reason = NULL;
	unsigned long pfn = 0;
	unsigned int i;

	for (i = 0; i < block->num_held; i++) {
		hotupdate_index_verify(&block->ranges[i], shared, &pfn, &reason);
		cond_resched();
	}
	return reason ? hotupdate_refuse_page(refusal, -ESTALE, pfn, reason) : 0;
}

/**
 * hotupdate_block_hold - take a reference to each folio of a block's ranges
 * @block: new block of system memory
 * @refusal: set to the page and the reason, except after -ENOMEM
 *
 * Implements U2.
 *
 * Return: 0 or the error of hotupdate_index_hold(). After an error the block's end
 * drops what it holds.
 */
int hotupdate_block_hold(struct drm_hotupdate_block *block,
			 struct hotupdate_refusal *refusal)
{
	bool copy = block->kind == HOTUPDATE_KIND_BUFFER;
	const char *reason = NULL;
	unsigned long pfn;
	int err;

	while (block->num_held < block->num_ranges) {
		err = hotupdate_index_hold(&block->ranges[block->num_held], copy, &pfn,
					   &reason);
		if (err == -EEXIST)
			reason = "is saved already";
		if (err)
			return reason ? hotupdate_refuse_page(refusal, err, pfn, reason) : err;
		block->num_held++;
		cond_resched();
	}
	return 0;
}

/**
 * hotupdate_block_drop_sgt - drop the table of a block's pages
 * @block: block that nobody but the stash has a reference to
 *
 * So that the next driver is given one that no other has mapped for DMA.
 */
void hotupdate_block_drop_sgt(struct drm_hotupdate_block *block)
{
	if (!block->sgt)
		return;
	sg_free_table(block->sgt);
	kfree(block->sgt);
	block->sgt = NULL;
}

static void block_free(struct drm_hotupdate_block *block)
{
	hotupdate_block_drop_sgt(block);
	kvfree(block->dma);
	kvfree(block->meta);
	kvfree(block);
	hotupdate_unpin();
}

static void block_end_holds(struct drm_hotupdate_block *block,
			    void (*end)(const struct drm_hotupdate_range *range))
{
	while (block->num_held) {
		end(&block->ranges[--block->num_held]);
		cond_resched();
	}
}

static void block_release(struct kref *ref)
{
	struct drm_hotupdate_block *block =
		container_of(ref, struct drm_hotupdate_block, ref);

	block_end_holds(block, hotupdate_index_drop);
	block_free(block);
}

/**
 * drm_hotupdate_block_index - number of a block
 * @block: block
 *
 * Context: Any.
 * Return: Its place in the order of saving, from 0.
 */
unsigned int drm_hotupdate_block_index(const struct drm_hotupdate_block *block)
{
	return block->index;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_index);

/**
 * drm_hotupdate_block_size - size of a block's content
 * @block: block
 *
 * Context: Any.
 * Return: Bytes: of a buffer what was saved, of all others that of their pages.
 */
size_t drm_hotupdate_block_size(const struct drm_hotupdate_block *block)
{
	return block->size;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_size);

/**
 * drm_hotupdate_block_mem - kind of memory of a block
 * @block: block
 *
 * Context: Any.
 * Return: DRM_HOTUPDATE_MEM_DEVICE if it describes device memory, else
 * DRM_HOTUPDATE_MEM_SYSTEM.
 */
enum drm_hotupdate_mem
drm_hotupdate_block_mem(const struct drm_hotupdate_block *block)
{
	return hotupdate_block_is_system(block) ? DRM_HOTUPDATE_MEM_SYSTEM :
						  DRM_HOTUPDATE_MEM_DEVICE;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_mem);

/**
 * drm_hotupdate_block_meta - metadata of a block
 * @block: block
 * @size: set to its size in bytes, 0 if there is none
 *
 * Implements W11 and W15. The metadata belongs to the block.
 *
 * Context: Any.
 * Return: The metadata as it was saved, or NULL if there is none.
 */
const void *drm_hotupdate_block_meta(const struct drm_hotupdate_block *block,
				     size_t *size)
{
	*size = block->meta_size;
	return block->meta;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_meta);

/**
 * drm_hotupdate_block_ranges - where a block's memory is
 * @block: block
 * @num: set to the number of ranges
 *
 * Of a block saved as ranges, these are the ones saved, in their order. The
 * array belongs to the block.
 *
 * Context: Any.
 * Return: The ranges, never NULL.
 */
const struct drm_hotupdate_range *
drm_hotupdate_block_ranges(const struct drm_hotupdate_block *block,
			   unsigned int *num)
{
	*num = block->num_ranges;
	return block->ranges;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_ranges);

/**
 * drm_hotupdate_block_dma - DMA addresses of a block's pages
 * @block: block
 * @num: set to the number of entries
 * @dir: set to the direction with which all of them were mapped
 * @attrs: set to the DMA_ATTR_* with which they were mapped
 *
 * Implements U19: the entries that were saved, in their order, which is that of the
 * pages. In the restore each of them leads to its pages. The device uses them, so they
 * are not mapped again. From restore_complete on the mappings belong to the driver,
 * which ends each with dma_unmap_page_attrs(), whatever call has made it, before it
 * drops its reference to the pages. Until then they belong to the stash. The array
 * belongs to the block: drm_hotupdate_block_take() ends it.
 *
 * Context: Any.
 * Return: The entries; or NULL if the block was saved without, with @num set to 0, @dir to
 * DMA_NONE and @attrs to 0.
 */
const struct drm_hotupdate_dma *
drm_hotupdate_block_dma(const struct drm_hotupdate_block *block, unsigned int *num,
			enum dma_data_direction *dir, unsigned long *attrs)
{
	*num = block->num_dma;
	*dir = block->dma ? block->dma_dir : DMA_NONE;
	*attrs = block->dma_attrs;
	return block->dma;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_dma);

static u64 sgt_segment_pages(u64 pfn, u64 left)
{
	return min_t(u64, left, SGT_SEGMENT_PAGES - (pfn & (SGT_SEGMENT_PAGES - 1)));
}

static u64 sgt_num_segments(const struct drm_hotupdate_block *block)
{
	u64 segments = 0;
	unsigned int i;

	for (i = 0; i < block->num_ranges; i++) {
		u64 pfn = block->ranges[i].pfn;
		u64 last = pfn + block->ranges[i].nr_pages - 1;

		segments += (last >> SGT_SEGMENT_ORDER) - (pfn >> SGT_SEGMENT_ORDER) + 1;
	}

	return segments;
}

static void sgt_fill(struct sg_table *sgt, const struct drm_hotupdate_block *block)
{
	struct scatterlist *sg = sgt->sgl;
	unsigned int i;

	for (i = 0; i < block->num_ranges; i++) {
		u64 pfn = block->ranges[i].pfn;
		u64 left = block->ranges[i].nr_pages;

		while (left) {
			u64 nr_pages = sgt_segment_pages(pfn, left);

			sg_set_page(sg, pfn_to_page(pfn), nr_pages << PAGE_SHIFT, 0);
			sg = sg_next(sg);
			pfn += nr_pages;
			left -= nr_pages;
		}
	}
}

/**
 * drm_hotupdate_block_sgt - a block's pages as an sg_table
 * @block: block of system memory
 *
 * Implements W15. The table is made at the first call and belongs to the
 * block. It covers whole pages, not mapped for DMA.
 *
 * Context: Process context, may sleep.
 * Return: The table; ERR_PTR(-EOPNOTSUPP) for device memory, which has no
 * pages; ERR_PTR(-ENOMEM).
 */
struct sg_table *drm_hotupdate_block_sgt(struct drm_hotupdate_block *block)
{
	struct sg_table *sgt = READ_ONCE(block->sgt);
	struct sg_table *winner;
	u64 num_segments;
	int err;

	if (sgt)
		return sgt;
	if (!hotupdate_block_is_system(block))
		return ERR_PTR(-EOPNOTSUPP);

	num_segments = sgt_num_segments(block);
	if (num_segments > UINT_MAX)
		return ERR_PTR(-ENOMEM);

	sgt = kzalloc(sizeof(*sgt), HOTUPDATE_SAVE_GFP);
	if (!sgt)
		return ERR_PTR(-ENOMEM);

	err = sg_alloc_table(sgt, num_segments, HOTUPDATE_SAVE_GFP);
	if (err) {
		kfree(sgt);
		return ERR_PTR(err);
	}
	sgt_fill(sgt, block);

	winner = cmpxchg(&block->sgt, NULL, sgt);
	if (winner) {
		sg_free_table(sgt);
		kfree(sgt);
		return winner;
	}
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_sgt);

static bool block_is_directly_mapped(const struct drm_hotupdate_block *block)
{
	return block->num_ranges == 1 &&
	       !PageHighMem(pfn_to_page(block->ranges[0].pfn));
}

static void *vmap_ranges(const struct drm_hotupdate_block *block)
{
	unsigned int i, n = 0;
	u64 nr_pages = 0, k;
	struct page **pages;
	void *vaddr;

	for (i = 0; i < block->num_ranges; i++)
		nr_pages += block->ranges[i].nr_pages;
	if (nr_pages > UINT_MAX)
		return NULL;

	pages = kvmalloc_array(nr_pages, sizeof(*pages), HOTUPDATE_SAVE_GFP);
	if (!pages)
		return NULL;

	for (i = 0; i < block->num_ranges; i++)
		for (k = 0; k < block->ranges[i].nr_pages; k++)
			pages[n++] = pfn_to_page(block->ranges[i].pfn + k);

	vaddr = vmap(pages, nr_pages, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return vaddr;
}

/**
 * drm_hotupdate_block_vmap - map a block's pages for the CPU
 * @block: block of system memory
 *
 * Implements W17: cached, and not executable. Nothing is to be written through
 * the mapping before the commit (U10). The mapping does not hold
 * the block: it ends, with drm_hotupdate_block_vunmap(), before the reference
 * does.
 *
 * Context: Process context, may sleep.
 * Return: Address of the first byte; ERR_PTR(-EOPNOTSUPP) for device memory;
 * ERR_PTR(-ENOMEM).
 */
void *drm_hotupdate_block_vmap(struct drm_hotupdate_block *block)
{
	void *vaddr;

	if (!hotupdate_block_is_system(block))
		return ERR_PTR(-EOPNOTSUPP);
	if (block_is_directly_mapped(block))
		return page_address(pfn_to_page(block->ranges[0].pfn));

	vaddr = vmap_ranges(block);
	return vaddr ?: ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_vmap);

/**
 * drm_hotupdate_block_vunmap - end a mapping
 * @block: block
 * @vaddr: what drm_hotupdate_block_vmap() returned for it
 *
 * Context: Process context, may sleep.
 */
void drm_hotupdate_block_vunmap(struct drm_hotupdate_block *block, void *vaddr)
{
	if (!block_is_directly_mapped(block))
		vunmap(vaddr);
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_vunmap);

/**
 * drm_hotupdate_block_get - take one more reference to a block
 * @block: block that the caller has a reference to
 *
 * Context: Any.
 * Return: @block.
 */
struct drm_hotupdate_block *
drm_hotupdate_block_get(struct drm_hotupdate_block *block)
{
	kref_get(&block->ref);
	return block;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_get);

/* A suite lets the stash go after the answer. */
VISIBLE_IF_KUNIT bool hotupdate_block_is_stashed(struct drm_hotupdate_block *block)
{
	KUNIT_STATIC_STUB_REDIRECT(hotupdate_block_is_stashed, block);

	return READ_ONCE(block->stashed);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_block_is_stashed);

/* Returns true if the reference was dropped, or must not be. */
static bool block_put_stashed(struct drm_hotupdate_block *block)
{
	if (!hotupdate_block_is_stashed(block))
		return false;
	if (refcount_dec_not_one(&block->ref.refcount))
		return true;

	/* The stash may have dropped its reference since; it cleared the mark before. */
	smp_rmb();
	if (!READ_ONCE(block->stashed))
		return false;
	pr_err_ratelimited("block %u stays: a driver dropped a reference that it was not given\n",
			   block->index);
	return true;
}

/**
 * drm_hotupdate_block_put - drop a reference to a block
 * @block: block, or NULL
 *
 * Implements W16. The last reference ends the block, and with it the block's
 * reference to each of its pages: a page that nobody else holds is freed, on x86 as
 * write-back memory whatever the driver had made of it. While the block stands in a
 * stash, the stash has the last reference: a driver that drops one too many is reported,
 * and the block stays.
 *
 * Context: Process context, may sleep; legal in a shrinker.
 */
void drm_hotupdate_block_put(struct drm_hotupdate_block *block)
{
	if (!block)
		return;
	if (block_put_stashed(block))
		return;
	kref_put(&block->ref, block_release);
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_put);

/**
 * drm_hotupdate_block_take - take over the references to a block's pages
 * @block: block of system memory that the caller has the only reference to
 * @sgt: set to a table of the pages, not mapped for DMA
 *
 * Implements W16, for drivers that go on using the pages as if they had
 * allocated them. On success the caller's reference to @block is used up, and
 * @block is gone. The caller owns the table, and ends it with sg_free_table(), and
 * one reference to each folio in it, and drops that with folio_put(),
 * __free_page() or __free_pages().
 *
 * A driver takes pages before it saves them again: drm_hotupdate_save_memory()
 * refuses pages that are in a block.
 *
 * After drm_hotupdate_block_sgt() has succeeded for the block, this allocates
 * nothing. On failure the caller has its reference, and @sgt is unchanged.
 *
 * Context: Process context, may sleep; legal in a shrinker after
 * drm_hotupdate_block_sgt(). Legal from restore_complete on.
 * Return: 0; -EBUSY if the stash still holds the block, or somebody else has a
 * reference; -EOPNOTSUPP for device memory; -ENOMEM.
 */
int drm_hotupdate_block_take(struct drm_hotupdate_block *block,
			     struct sg_table *sgt)
{
	struct sg_table *own;

	if (!hotupdate_block_is_system(block))
		return -EOPNOTSUPP;
	if (!block->committed || kref_read(&block->ref) != 1)
		return -EBUSY;

	own = drm_hotupdate_block_sgt(block);
	if (IS_ERR(own))
		return PTR_ERR(own);

	*sgt = *own;
	kfree(own);
	block->sgt = NULL;
	block_end_holds(block, hotupdate_index_hand_over);
	block_free(block);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_take);

/* Copies some bytes of one range. */
static void block_read_range(const struct drm_hotupdate_range *range, u64 offset,
			     void *buf, size_t size)
{
	while (size) {
		struct page *page = pfn_to_page(range->pfn + (offset >> PAGE_SHIFT));
		size_t in_page = offset_in_page(offset);
		size_t len = min_t(size_t, size, PAGE_SIZE - in_page);

		memcpy_from_page(buf, page, in_page, len);
		offset += len;
		buf += len;
		size -= len;
		cond_resched();
	}
}

/**
 * drm_hotupdate_block_read - copy a part of a block's content
 * @block: block of system memory
 * @offset: first byte, counted from the begin of the content
 * @buf: destination
 * @size: bytes
 *
 * Reads without a mapping, for state that the driver keeps in structures of its
 * own. The content of a saved buffer ends with its last byte, not with its page.
 *
 * Context: Process context, may sleep.
 * Return: 0 with all of @size bytes in @buf; -ERANGE if the content has fewer, or
 * -EOPNOTSUPP for device memory, both with @buf unchanged.
 */
int drm_hotupdate_block_read(const struct drm_hotupdate_block *block, size_t offset,
			     void *buf, size_t size)
{
	unsigned int i;

	if (!hotupdate_block_is_system(block))
		return -EOPNOTSUPP;
	if (offset > block->size || size > block->size - offset)
		return -ERANGE;

	for (i = 0; i < block->num_ranges && size; i++) {
		u64 bytes = block->ranges[i].nr_pages << PAGE_SHIFT;
		size_t len;

		if (offset >= bytes) {
			offset -= bytes;
			continue;
		}
		len = min_t(u64, size, bytes - offset);
		block_read_range(&block->ranges[i], offset, buf, len);
		buf += len;
		size -= len;
		offset = 0;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_block_read);
