// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/cleanup.h>
#include <linux/list_sort.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "vgpu_folio.h"
#include "vgpu_hw.h"
#include "vgpu_memory.h"

/**
 * DOC: memory
 *
 * What backs a function's address space: chunks in the order of its addresses.
 * In VRAM a chunk is a node of the allocator, in system memory a row of folios
 * that are neighbours. New memory is zeroed: it may have been another guest's. So
 * is that of a VF that is reset, which may be given to another guest next.
 *
 * Memory is made of the largest pieces that can be had, and where there is no
 * large one left, of smaller ones. So a VF can be given the last of a VRAM that
 * is in pieces.
 *
 * At a hot update VRAM is only described, and reserved again at the very
 * offsets (W14). Folios stay where they are: between the replay and the commit
 * their only references are the block's. There is a chunk for each range of the
 * block, not for each folio, so that the replay of much memory takes no longer
 * than that of little.
 */

#define MAX_VRAM_CHUNK		SZ_1G

/**
 * vgpu_memory_init - begin with no memory
 * @memory: memory
 * @vram: allocator of the device
 * @backing: where it is going to be
 */
void vgpu_memory_init(struct vgpu_memory *memory, struct vgpu_vram *vram,
		      enum vgpu_backing backing)
{
	INIT_LIST_HEAD(&memory->chunks);
	memory->num_chunks = 0;
	memory->vram = vram;
	memory->backing = backing;
	memory->size = 0;
	memory->block = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_memory_init);

static void add_chunk(struct vgpu_memory *memory, struct vgpu_chunk *chunk)
{
	list_add_tail(&chunk->link, &memory->chunks);
	memory->num_chunks++;
	memory->size += chunk->size;
}

static void remove_chunk(struct vgpu_memory *memory, struct vgpu_chunk *chunk)
{
	list_del(&chunk->link);
	memory->num_chunks--;
	memory->size -= chunk->size;
}

static int grow_vram(struct vgpu_memory *memory, u64 size)
{
	struct vgpu_vram *vram = memory->vram;
	struct vgpu_chunk *chunk;
	int err;

	chunk = kzalloc(sizeof(*chunk), VGPU_GFP);
	if (!chunk)
		return -ENOMEM;

	size = min(size, MAX_VRAM_CHUNK);
	for (;;) {
		scoped_guard(mutex, &vram->lock)
			err = drm_mm_insert_node_generic(&vram->mm, &chunk->node, size,
							 VGPU_PAGE_SIZE, 0, DRM_MM_INSERT_BEST);
		if (err != -ENOSPC || size == VGPU_PAGE_SIZE)
			break;
		size = round_up(size / 2, VGPU_PAGE_SIZE);
	}
	if (err) {
		kfree(chunk);
		return err;
	}

	memset(vram->cpu + chunk->node.start, 0, size);
	chunk->size = size;
	add_chunk(memory, chunk);
	return 0;
}

/* The chunk at the end becomes longer, if it has the folio for a neighbour. */
static bool extend_chunk(struct vgpu_memory *memory, struct folio *folio)
{
	struct vgpu_chunk *last;

	if (list_empty(&memory->chunks))
		return false;
	last = list_last_entry(&memory->chunks, struct vgpu_chunk, link);
	if (folio_pfn(last->folio) + (last->size >> PAGE_SHIFT) != folio_pfn(folio))
		return false;

	last->size += folio_size(folio);
	memory->size += folio_size(folio);
	return true;
}

static int add_folio(struct vgpu_memory *memory, struct folio *folio)
{
	struct vgpu_chunk *chunk;

	if (extend_chunk(memory, folio))
		return 0;

	chunk = kzalloc(sizeof(*chunk), VGPU_GFP);
	if (!chunk)
		return -ENOMEM;
	chunk->folio = folio;
	chunk->size = folio_size(folio);
	add_chunk(memory, chunk);
	return 0;
}

/* Sorting millions of folios takes a while, and only this can let others run. */
static int compare_folios(void *unused, const struct list_head *a,
			  const struct list_head *b)
{
	cond_resched();
	return folio_pfn(list_entry(a, struct folio, lru)) >
	       folio_pfn(list_entry(b, struct folio, lru));
}

/* In ascending order, so that they are as few chunks as possible. */
static int grow_system(struct vgpu_memory *memory, u64 size)
{
	struct folio *folio, *next;
	LIST_HEAD(folios);
	int err;

	err = vgpu_folios_alloc(&folios, size >> PAGE_SHIFT);
	if (err)
		return err;

	list_sort(NULL, &folios, compare_folios);
	list_for_each_entry_safe(folio, next, &folios, lru) {
		err = add_folio(memory, folio);
		if (err)
			break;
		list_del_init(&folio->lru);
		cond_resched();
	}
	vgpu_folios_free(&folios);
	return err;
}

/* A chunk can be a gigabyte: let others run in between. */
static void clear_vram(void *cpu, u64 size)
{
	u64 offset;

	for (offset = 0; offset < size; offset += VGPU_PAGE_SIZE) {
		memset(cpu + offset, 0, VGPU_PAGE_SIZE);
		cond_resched();
	}
}

/**
 * vgpu_memory_clear - zero all of it
 * @memory: memory that nobody uses at present
 *
 * Pages that have failed are not written, and keep what was in them.
 */
void vgpu_memory_clear(struct vgpu_memory *memory)
{
	struct vgpu_chunk *chunk;

	list_for_each_entry(chunk, &memory->chunks, link) {
		if (chunk->folio)
			vgpu_folios_clear(folio_pfn(chunk->folio), chunk->size >> PAGE_SHIFT);
		else
			clear_vram(memory->vram->cpu + chunk->node.start, chunk->size);
	}
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_memory_clear);

static void free_chunk(struct vgpu_memory *memory, struct vgpu_chunk *chunk)
{
	remove_chunk(memory, chunk);
	if (chunk->folio)
		vgpu_folios_put(folio_pfn(chunk->folio), chunk->size >> PAGE_SHIFT);
	if (drm_mm_node_allocated(&chunk->node)) {
		guard(mutex)(&memory->vram->lock);
		drm_mm_remove_node(&chunk->node);
	}
	kfree(chunk);
	cond_resched();
}

/**
 * vgpu_memory_grow - add memory
 * @memory: memory
 * @size: bytes that it is to have, a multiple of the page size
 *
 * Return: 0; -ENOSPC if there is not that much VRAM; -ENOMEM. After an error
 * it has what it had.
 */
int vgpu_memory_grow(struct vgpu_memory *memory, u64 size)
{
	bool in_vram = memory->backing == VGPU_BACKING_VRAM;
	u64 old_size = memory->size;
	int err;

	while (memory->size < size) {
		u64 left = size - memory->size;

		err = in_vram ? grow_vram(memory, left) : grow_system(memory, left);
		if (err) {
			vgpu_memory_shrink(memory, old_size);
			return err;
		}
		cond_resched();
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_memory_grow);

static void trim_vram(struct vgpu_memory *memory, struct vgpu_chunk *chunk, u64 size)
{
	guard(mutex)(&memory->vram->lock);

	drm_mm_remove_node(&chunk->node);
	chunk->node.size = size;
	/* Cannot fail: this was its own place a moment ago. */
	WARN_ON(drm_mm_reserve_node(&memory->vram->mm, &chunk->node));
}

/* Returns where the folio ends that @size ends in, from the chunk's start. */
static u64 trim_system(struct vgpu_chunk *chunk, u64 size)
{
	unsigned long pfn = folio_pfn(chunk->folio);
	struct folio *last = page_folio(pfn_to_page(pfn + (size >> PAGE_SHIFT) - 1));
	u64 kept = PFN_PHYS(folio_pfn(last) + folio_nr_pages(last) - pfn);

	vgpu_folios_put(pfn + PHYS_PFN(kept), PHYS_PFN(chunk->size - kept));
	return kept;
}

/* A folio stays whole; a node ends where it is told. */
static void trim_chunk(struct vgpu_memory *memory, struct vgpu_chunk *chunk, u64 size)
{
	if (chunk->folio)
		size = trim_system(chunk, size);
	else
		trim_vram(memory, chunk, size);
	memory->size -= chunk->size - size;
	chunk->size = size;
}

/**
 * vgpu_memory_shrink - free memory from the end
 * @memory: memory that its function no longer uses beyond @size
 * @size: bytes that it has to keep, a multiple of the page size; the folio that
 *	they end in is kept whole, so what is left can be more
 */
void vgpu_memory_shrink(struct vgpu_memory *memory, u64 size)
{
	struct vgpu_chunk *chunk, *prev;

	list_for_each_entry_safe_reverse(chunk, prev, &memory->chunks, link) {
		u64 start = memory->size - chunk->size;

		if (start >= size) {
			free_chunk(memory, chunk);
			continue;
		}
		if (memory->size > size)
			trim_chunk(memory, chunk, size - start);
		break;
	}
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_memory_shrink);

/**
 * vgpu_memory_release - free all of it
 * @memory: memory that nobody uses
 */
void vgpu_memory_release(struct vgpu_memory *memory)
{
	if (memory->block)
		vgpu_memory_forget(memory);
	else
		vgpu_memory_shrink(memory, 0);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_memory_release);

/**
 * vgpu_memory_forget - drop what describes it, and leave it where it is
 * @memory: memory that is in the hands of the hot-update core
 */
void vgpu_memory_forget(struct vgpu_memory *memory)
{
	struct vgpu_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &memory->chunks, link) {
		chunk->folio = NULL;
		free_chunk(memory, chunk);
	}
	drm_hotupdate_block_put(memory->block);
	memory->block = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_memory_forget);

/**
 * vgpu_chunk_address - where a chunk is, as an LMTT says it
 * @memory: memory
 * @chunk: chunk of it
 *
 * Return: Offset in VRAM, or physical address in system memory.
 */
u64 vgpu_chunk_address(const struct vgpu_memory *memory,
		       const struct vgpu_chunk *chunk)
{
	if (memory->backing == VGPU_BACKING_VRAM)
		return chunk->node.start;
	return PFN_PHYS(folio_pfn(chunk->folio));
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_chunk_address);

/* Neighbours are one range. */
static unsigned int fill_ranges(const struct vgpu_memory *memory,
				struct drm_hotupdate_range *ranges)
{
	struct drm_hotupdate_range *last = NULL;
	const struct vgpu_chunk *chunk;
	unsigned int num_ranges = 0;

	list_for_each_entry(chunk, &memory->chunks, link) {
		u64 pfn = PHYS_PFN(vgpu_chunk_address(memory, chunk));
		u64 nr_pages = chunk->size >> PAGE_SHIFT;

		cond_resched();
		if (last && last->pfn + last->nr_pages == pfn) {
			last->nr_pages += nr_pages;
			continue;
		}
		last = &ranges[num_ranges++];
		last->pfn = pfn;
		last->nr_pages = nr_pages;
	}
	return num_ranges;
}

/**
 * vgpu_memory_save - save it as one hot-update block
 * @memory: memory, not empty
 * @adapter: adapter whose save_memory callback is running
 * @meta: metadata of the block
 * @meta_size: bytes at @meta
 *
 * The way of W7: ranges, of device memory or of system memory.
 *
 * Return: 0 or a negative errno.
 */
int vgpu_memory_save(struct vgpu_memory *memory,
		     struct drm_hotupdate_adapter *adapter,
		     const void *meta, size_t meta_size)
{
	struct drm_hotupdate_save_args args = {
		.mem = memory->backing == VGPU_BACKING_VRAM ?
		       DRM_HOTUPDATE_MEM_DEVICE : DRM_HOTUPDATE_MEM_SYSTEM,
		.meta = meta,
		.meta_size = meta_size,
	};
	struct drm_hotupdate_range *ranges;
	int err;

	err = vgpu_memory_own(memory);
	if (err)
		return err;

	ranges = kvmalloc_array(memory->num_chunks, sizeof(*ranges), VGPU_GFP);
	if (!ranges)
		return -ENOMEM;

	args.ranges = ranges;
	args.num_ranges = fill_ranges(memory, ranges);
	err = drm_hotupdate_save_memory(adapter, &args);
	kvfree(ranges);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_memory_save);

static int reserve_vram(struct vgpu_memory *memory,
			const struct drm_hotupdate_range *range)
{
	struct vgpu_vram *vram = memory->vram;
	struct vgpu_chunk *chunk;
	int err;

	if (range->pfn > vram->size >> PAGE_SHIFT ||
	    range->nr_pages > (vram->size >> PAGE_SHIFT) - range->pfn)
		return -ERANGE;

	chunk = kzalloc(sizeof(*chunk), VGPU_GFP);
	if (!chunk)
		return -ENOMEM;

	chunk->size = range->nr_pages << PAGE_SHIFT;
	chunk->node.start = range->pfn << PAGE_SHIFT;
	chunk->node.size = chunk->size;
	scoped_guard(mutex, &vram->lock)
		err = drm_mm_reserve_node(&vram->mm, &chunk->node);
	if (err) {
		kfree(chunk);
		return err;
	}
	add_chunk(memory, chunk);
	return 0;
}

/* The core has seen to it that a range is whole folios. */
static int adopt_folios(struct vgpu_memory *memory,
			const struct drm_hotupdate_range *range)
{
	struct vgpu_chunk *chunk;

	chunk = kzalloc(sizeof(*chunk), VGPU_GFP);
	if (!chunk)
		return -ENOMEM;

	chunk->folio = page_folio(pfn_to_page(range->pfn));
	chunk->size = range->nr_pages << PAGE_SHIFT;
	add_chunk(memory, chunk);
	return 0;
}

/**
 * vgpu_memory_restore - take over a block that vgpu_memory_save() has saved
 * @memory: memory, empty
 * @block: block, whose reference it takes over on success
 * @size: bytes that the block has to have
 *
 * Until vgpu_memory_own() the folios are the block's.
 *
 * Return: 0; -EINVAL if the block does not fit; -ERANGE or -ENOSPC if it is not
 * VRAM that is free; -ENOMEM. After an error @memory is empty.
 */
int vgpu_memory_restore(struct vgpu_memory *memory,
			struct drm_hotupdate_block *block, u64 size)
{
	bool in_vram = memory->backing == VGPU_BACKING_VRAM;
	const struct drm_hotupdate_range *ranges;
	unsigned int num_ranges, i;
	int err = 0;

	if (in_vram != (drm_hotupdate_block_mem(block) == DRM_HOTUPDATE_MEM_DEVICE) ||
	    drm_hotupdate_block_size(block) != size)
		return -EINVAL;

	ranges = drm_hotupdate_block_ranges(block, &num_ranges);
	for (i = 0; i < num_ranges && !err; i++) {
		err = in_vram ? reserve_vram(memory, &ranges[i]) :
				adopt_folios(memory, &ranges[i]);
		cond_resched();
	}

	/* So that vgpu_memory_own() cannot fail for want of memory. */
	if (!err && !in_vram)
		err = PTR_ERR_OR_ZERO(drm_hotupdate_block_sgt(block));
	if (err) {
		vgpu_memory_forget(memory);
		return err;
	}
	memory->block = block;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_memory_restore);

/**
 * vgpu_memory_own - become the owner of restored memory, after the commit
 * @memory: memory
 *
 * Return: 0, if it is or was its own; or the error of
 * drm_hotupdate_block_take(), with the memory usable, and still the block's.
 */
int vgpu_memory_own(struct vgpu_memory *memory)
{
	struct sg_table sgt;
	int err;

	if (!memory->block)
		return 0;

	if (memory->backing == VGPU_BACKING_VRAM) {
		drm_hotupdate_block_put(memory->block);
	} else {
		err = drm_hotupdate_block_take(memory->block, &sgt);
		if (err)
			return err;
		sg_free_table(&sgt);
	}
	memory->block = NULL;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_memory_own);
