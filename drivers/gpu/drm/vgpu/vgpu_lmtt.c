// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_hotupdate.h>

#include "vgpu_hw.h"
#include "vgpu_lmtt.h"

/**
 * DOC: LMTT
 *
 * The table that translates a function's addresses is in pages of system
 * memory, which the device reads at every access, driver or no driver. Its
 * format is the device's, see vgpu_hw.h.
 *
 * At a hot update the pages change hands where they are: the device goes on
 * reading them. The new driver finds its way through the table as the device
 * does, from the root, and checks that it stays within the pages that it was
 * given.
 */

#define TOP_LEVEL	(VGPU_LMTT_LEVELS - 1)
#define TABLE_SEEN	XA_MARK_0

static unsigned int level_shift(unsigned int level)
{
	return VGPU_PAGE_SHIFT + level * VGPU_LMTT_BITS;
}

static unsigned int level_index(u64 address, unsigned int level)
{
	return (address >> level_shift(level)) & (VGPU_LMTT_ENTRIES - 1);
}

static __le64 *table_entries(struct page *page)
{
	return page_address(page);
}

static u64 read_entry(struct page *table, unsigned int index)
{
	return le64_to_cpu(READ_ONCE(table_entries(table)[index]));
}

static void write_entry(struct page *table, unsigned int index, u64 entry)
{
	WRITE_ONCE(table_entries(table)[index], cpu_to_le64(entry));
}

static struct page *alloc_table(struct vgpu_lmtt *lmtt)
{
	struct page *page;
	int err;

	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!page)
		return ERR_PTR(-ENOMEM);

	err = xa_insert(&lmtt->pages, page_to_pfn(page), page, GFP_KERNEL);
	if (err) {
		__free_page(page);
		return ERR_PTR(err);
	}
	lmtt->num_pages++;
	return page;
}

/**
 * vgpu_lmtt_init - make a table that maps nothing
 * @lmtt: table
 *
 * Return: 0 or -ENOMEM.
 */
int vgpu_lmtt_init(struct vgpu_lmtt *lmtt)
{
	xa_init(&lmtt->pages);
	lmtt->num_pages = 0;
	lmtt->block = NULL;
	lmtt->root = alloc_table(lmtt);
	if (IS_ERR(lmtt->root)) {
		int err = PTR_ERR(lmtt->root);

		lmtt->root = NULL;
		return err;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_init);

/**
 * vgpu_lmtt_fini - free a table
 * @lmtt: table that the device does not use
 */
void vgpu_lmtt_fini(struct vgpu_lmtt *lmtt)
{
	struct page *page;
	unsigned long pfn;

	if (!lmtt->block)
		xa_for_each(&lmtt->pages, pfn, page)
			__free_page(page);
	vgpu_lmtt_forget(lmtt);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_fini);

/**
 * vgpu_lmtt_forget - drop what describes a table, and leave it where it is
 * @lmtt: table that is in the hands of the hot-update core
 */
void vgpu_lmtt_forget(struct vgpu_lmtt *lmtt)
{
	xa_destroy(&lmtt->pages);
	lmtt->num_pages = 0;
	lmtt->root = NULL;
	drm_hotupdate_block_put(lmtt->block);
	lmtt->block = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_forget);

/**
 * vgpu_lmtt_base - what the device is told of a table
 * @lmtt: table
 *
 * Return: Physical address of its root.
 */
u64 vgpu_lmtt_base(const struct vgpu_lmtt *lmtt)
{
	return page_to_phys(lmtt->root);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_base);

static struct page *next_table(struct vgpu_lmtt *lmtt, struct page *table,
			       unsigned int index)
{
	u64 entry = read_entry(table, index);

	if (!(entry & VGPU_LMTT_VALID))
		return NULL;
	return xa_load(&lmtt->pages, PHYS_PFN(entry & VGPU_LMTT_ADDR));
}

/* The page with the last-level entry of an address, made if it is missing. */
static struct page *leaf_table(struct vgpu_lmtt *lmtt, u64 address)
{
	struct page *table = lmtt->root;
	unsigned int level;

	for (level = TOP_LEVEL; level; level--) {
		unsigned int index = level_index(address, level);
		struct page *next = next_table(lmtt, table, index);

		if (!next) {
			next = alloc_table(lmtt);
			if (IS_ERR(next))
				return next;
			/* The device may see the entry before its zeroed page. */
			dma_wmb();
			write_entry(table, index, page_to_phys(next) | VGPU_LMTT_VALID);
		}
		table = next;
	}
	return table;
}

/**
 * vgpu_lmtt_map - let addresses lead somewhere
 * @lmtt: table
 * @address: first address, not mapped so far
 * @target: offset in VRAM or physical address
 * @size: bytes
 * @flags: %VGPU_LMTT_SYSTEM for a physical address, else 0
 *
 * Return: 0, or -ENOMEM with nothing mapped.
 */
int vgpu_lmtt_map(struct vgpu_lmtt *lmtt, u64 address, u64 target, u64 size,
		  u64 flags)
{
	struct page *table = NULL;
	u64 offset;

	for (offset = 0; offset < size; offset += VGPU_PAGE_SIZE) {
		unsigned int index = level_index(address + offset, 0);

		if (!table || !index)
			table = leaf_table(lmtt, address + offset);
		if (IS_ERR(table)) {
			vgpu_lmtt_unmap(lmtt, address, offset);
			return PTR_ERR(table);
		}
		write_entry(table, index, (target + offset) | flags | VGPU_LMTT_VALID);
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_map);

/**
 * vgpu_lmtt_unmap - let addresses lead nowhere
 * @lmtt: table
 * @address: first address
 * @size: bytes, all of them mapped
 *
 * The device is to be told, with %VGPU_FN_INVALIDATE. Pages of the table stay,
 * for when the addresses are mapped again.
 */
void vgpu_lmtt_unmap(struct vgpu_lmtt *lmtt, u64 address, u64 size)
{
	struct page *table = NULL;
	u64 offset;

	for (offset = 0; offset < size; offset += VGPU_PAGE_SIZE) {
		unsigned int index = level_index(address + offset, 0);

		if (!table || !index)
			table = leaf_table(lmtt, address + offset);
		if (!IS_ERR(table))
			write_entry(table, index, 0);
	}
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_unmap);

/**
 * vgpu_lmtt_root_index - which of a saved table's pages is the root
 * @lmtt: table
 *
 * Return: Its number among the pages in the order of vgpu_lmtt_save().
 */
u32 vgpu_lmtt_root_index(struct vgpu_lmtt *lmtt)
{
	struct page *page;
	unsigned long pfn;
	u32 index = 0;

	xa_for_each(&lmtt->pages, pfn, page) {
		if (page == lmtt->root)
			break;
		index++;
	}
	return index;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_root_index);

/* In ascending order, so that neighbours are one entry. */
static struct page **list_pages(struct vgpu_lmtt *lmtt)
{
	struct page **pages, *page;
	unsigned int n = 0;
	unsigned long pfn;

	pages = kvmalloc_array(lmtt->num_pages, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;

	xa_for_each(&lmtt->pages, pfn, page)
		pages[n++] = page;
	return pages;
}

/**
 * vgpu_lmtt_save - save a table as one hot-update block
 * @lmtt: table
 * @adapter: adapter whose save_memory callback is running
 * @meta: metadata of the block
 * @meta_size: bytes at @meta
 *
 * The way of W7: an sg_table, adopted in place (W9).
 *
 * Return: 0 or a negative errno.
 */
int vgpu_lmtt_save(struct vgpu_lmtt *lmtt, struct drm_hotupdate_adapter *adapter,
		   const void *meta, size_t meta_size)
{
	struct sg_table sgt;
	struct drm_hotupdate_save_args args = {
		.sgt = &sgt,
		.meta = meta,
		.meta_size = meta_size,
	};
	struct page **pages;
	int err;

	err = vgpu_lmtt_own(lmtt);
	if (err)
		return err;

	pages = list_pages(lmtt);
	if (!pages)
		return -ENOMEM;
	err = sg_alloc_table_from_pages(&sgt, pages, lmtt->num_pages, 0,
					(size_t)lmtt->num_pages << PAGE_SHIFT, GFP_KERNEL);
	kvfree(pages);
	if (err)
		return err;

	err = drm_hotupdate_save_memory(adapter, &args);
	sg_free_table(&sgt);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_save);

static int adopt_pages(struct vgpu_lmtt *lmtt, struct drm_hotupdate_block *block,
		       u32 root_index)
{
	struct sg_table *sgt = drm_hotupdate_block_sgt(block);
	struct sg_page_iter iter;
	int err;

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	for_each_sgtable_page(sgt, &iter, 0) {
		struct page *page = sg_page_iter_page(&iter);

		err = xa_insert(&lmtt->pages, page_to_pfn(page), page, GFP_KERNEL);
		if (err)
			return err;
		if (lmtt->num_pages++ == root_index)
			lmtt->root = page;
	}
	return lmtt->root ? 0 : -EINVAL;
}

/*
 * Mark a table and those below it as seen, all of them among the pages at hand,
 * none twice. The last level is not looked into: what is in it is as it was when
 * it was saved, and checking it would take time by the page of guest memory.
 */
static int check_tables(struct vgpu_lmtt *lmtt, struct page *table,
			unsigned int level, u64 address, u64 size, unsigned int *seen)
{
	unsigned long pfn = page_to_pfn(table);
	unsigned int index;
	int err;

	if (xa_get_mark(&lmtt->pages, pfn, TABLE_SEEN))
		return -EINVAL;
	xa_set_mark(&lmtt->pages, pfn, TABLE_SEEN);
	(*seen)++;
	if (!level)
		return 0;

	for (index = 0; index < VGPU_LMTT_ENTRIES; index++) {
		u64 start = address + ((u64)index << level_shift(level));
		u64 entry = read_entry(table, index);
		struct page *next;

		if (!(entry & VGPU_LMTT_VALID)) {
			if (start < size)
				return -EINVAL;
			continue;
		}

		next = next_table(lmtt, table, index);
		if (!next || entry & ~(VGPU_LMTT_VALID | VGPU_LMTT_ADDR))
			return -EINVAL;
		err = check_tables(lmtt, next, level - 1, start, size, seen);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vgpu_lmtt_restore - take over a block that vgpu_lmtt_save() has saved
 * @lmtt: table
 * @block: block, whose reference it takes over on success
 * @root_index: which of the block's pages is the root
 * @size: bytes of address space that the table has to have tables for
 *
 * Until vgpu_lmtt_own() the pages are the block's. Nothing is written to them.
 *
 * Return: 0; -EINVAL if this is no table; -ENOMEM. After an error @lmtt is
 * empty.
 */
int vgpu_lmtt_restore(struct vgpu_lmtt *lmtt, struct drm_hotupdate_block *block,
		      u32 root_index, u64 size)
{
	unsigned int seen = 0;
	int err;

	xa_init(&lmtt->pages);
	lmtt->num_pages = 0;
	lmtt->root = NULL;
	lmtt->block = NULL;

	err = adopt_pages(lmtt, block, root_index);
	if (!err)
		err = check_tables(lmtt, lmtt->root, TOP_LEVEL, 0, size, &seen);
	if (!err && seen != lmtt->num_pages)
		err = -EINVAL;
	if (err) {
		vgpu_lmtt_forget(lmtt);
		return err;
	}
	lmtt->block = block;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_restore);

/**
 * vgpu_lmtt_own - become the owner of a restored table, after the commit
 * @lmtt: table
 *
 * Return: 0, if it is or was its own; or the error of
 * drm_hotupdate_block_take(), with the table usable, and still the block's.
 */
int vgpu_lmtt_own(struct vgpu_lmtt *lmtt)
{
	struct sg_table sgt;
	int err;

	if (!lmtt->block)
		return 0;

	err = drm_hotupdate_block_take(lmtt->block, &sgt);
	if (err)
		return err;
	sg_free_table(&sgt);
	lmtt->block = NULL;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_own);
