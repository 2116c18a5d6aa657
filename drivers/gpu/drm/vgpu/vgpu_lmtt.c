// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <drm/drm_hotupdate.h>

#include "vgpu_folio.h"
#include "vgpu_hw.h"
#include "vgpu_lmtt.h"

/**
 * DOC: LMTT
 *
 * The table that translates a function's addresses is in pages of system
 * memory, which the device reads at every access, driver or no driver. Its
 * format is the device's, see vgpu_hw.h.
 *
 * At a hot update the pages stay where they are, because the device goes on reading
 * them. The new driver finds its way through the table as the device does, from the
 * root, and checks that it stays within the restored pages.
 *
 * No driver serves guests during the update, which makes the number of folios
 * matter. The tables of an address range are allocated together, in large folios,
 * and described as runs of pages.
 */

#define TOP_LEVEL	(VGPU_LMTT_LEVELS - 1)

/* Tables of an address space that is mapped entirely. */
#define MAX_TABLES	(1 + VGPU_LMTT_ENTRIES + VGPU_LMTT_ENTRIES * VGPU_LMTT_ENTRIES)

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

/* There is always room for as many runs as the next power of two. */
static size_t runs_size(unsigned int num_runs)
{
	return roundup_pow_of_two(max(num_runs, 1u)) * sizeof(struct vgpu_lmtt_run);
}

static int make_room(struct vgpu_lmtt *lmtt, unsigned int more)
{
	struct vgpu_lmtt_run *runs;

	runs = kvrealloc(lmtt->runs, runs_size(lmtt->num_runs + more), VGPU_GFP);
	if (!runs)
		return -ENOMEM;
	lmtt->runs = runs;
	return 0;
}

static void add_run(struct vgpu_lmtt *lmtt, unsigned long pfn, unsigned int nr_pages)
{
	lmtt->runs[lmtt->num_runs++] = (struct vgpu_lmtt_run) {
		.pfn = pfn,
		.nr_pages = nr_pages,
	};
	lmtt->num_pages += nr_pages;
}

static int compare_runs(const void *a, const void *b)
{
	const struct vgpu_lmtt_run *first = a, *second = b;

	return first->pfn < second->pfn ? -1 : first->pfn > second->pfn;
}

/* Put the runs into ascending order, neighbours being one, and number them. */
static void sort_runs(struct vgpu_lmtt *lmtt)
{
	struct vgpu_lmtt_run *runs = lmtt->runs, *last = runs;
	unsigned int i;

	sort(runs, lmtt->num_runs, sizeof(*runs), compare_runs, NULL);
	runs[0].first = 0;
	for (i = 1; i < lmtt->num_runs; i++) {
		if (last->pfn + last->nr_pages == runs[i].pfn) {
			last->nr_pages += runs[i].nr_pages;
			continue;
		}
		runs[i].first = last->first + last->nr_pages;
		*++last = runs[i];
	}
	lmtt->num_runs = last - runs + 1;
}

static bool run_has(const struct vgpu_lmtt_run *run, unsigned long pfn)
{
	return pfn - run->pfn < run->nr_pages;
}

/* The run of a page, or NULL. The runs are sorted. */
static const struct vgpu_lmtt_run *find_run(const struct vgpu_lmtt *lmtt,
					    unsigned long pfn)
{
	unsigned int low = 0, high = lmtt->num_runs;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;
		const struct vgpu_lmtt_run *run = &lmtt->runs[middle];

		if (run_has(run, pfn))
			return run;
		if (pfn < run->pfn)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Make zeroed pages the table's, and leave in @folios the folios they are. */
static int alloc_tables(struct vgpu_lmtt *lmtt, unsigned int num,
			struct list_head *folios)
{
	struct folio *folio;
	int err;

	err = vgpu_folios_alloc(folios, num);
	if (err)
		return err;
	err = make_room(lmtt, list_count_nodes(folios));
	if (err) {
		vgpu_folios_free(folios);
		return err;
	}

	list_for_each_entry(folio, folios, lru) {
		add_run(lmtt, folio_pfn(folio), folio_nr_pages(folio));
		cond_resched();
	}
	return 0;
}

/* The next page of folios that are used up one after the other. */
static struct page *take_page(struct list_head *folios, unsigned int *taken)
{
	struct folio *folio = list_first_entry(folios, struct folio, lru);
	struct page *page = folio_page(folio, (*taken)++);

	if (*taken == folio_nr_pages(folio)) {
		list_del_init(&folio->lru);
		*taken = 0;
	}
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
	unsigned int taken = 0;
	LIST_HEAD(folios);
	int err;

	*lmtt = (struct vgpu_lmtt) { };
	err = alloc_tables(lmtt, 1, &folios);
	if (err)
		return err;

	lmtt->root = take_page(&folios, &taken);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_init);

/**
 * vgpu_lmtt_fini - free a table
 * @lmtt: table that the device does not use
 */
void vgpu_lmtt_fini(struct vgpu_lmtt *lmtt)
{
	unsigned int i;

	for (i = 0; i < lmtt->num_runs && !lmtt->block; i++)
		vgpu_folios_put(lmtt->runs[i].pfn, lmtt->runs[i].nr_pages);
	vgpu_lmtt_forget(lmtt);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_fini);

/**
 * vgpu_lmtt_forget - drop what describes a table, and leave it where it is
 * @lmtt: table that is in the hands of the hot-update core
 */
void vgpu_lmtt_forget(struct vgpu_lmtt *lmtt)
{
	kvfree(lmtt->runs);
	drm_hotupdate_block_put(lmtt->block);
	*lmtt = (struct vgpu_lmtt) { };
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

/* Entries above the last level are ours, or were checked by the restore. */
static struct page *next_table(struct page *table, unsigned int index)
{
	u64 entry = read_entry(table, index);

	return entry & VGPU_LMTT_VALID ? pfn_to_page(PHYS_PFN(entry & VGPU_LMTT_ADDR)) : NULL;
}

static bool lmtt_has_addresses(u64 address, u64 size)
{
	return address <= VGPU_LMTT_MAX_SIZE && size <= VGPU_LMTT_MAX_SIZE - address;
}

/* The page with the last-level entry of an address, or NULL. */
static struct page *leaf_table(const struct vgpu_lmtt *lmtt, u64 address)
{
	struct page *table = lmtt->root;
	unsigned int level;

	if (!lmtt_has_addresses(address, VGPU_PAGE_SIZE))
		return NULL;

	for (level = TOP_LEVEL; level && table; level--)
		table = next_table(table, level_index(address, level));
	return table;
}

/**
 * vgpu_lmtt_entry - where an address leads
 * @lmtt: table
 * @address: address
 *
 * Return: Its last-level entry, 0 if there is no table for it.
 */
u64 vgpu_lmtt_entry(const struct vgpu_lmtt *lmtt, u64 address)
{
	struct page *table = leaf_table(lmtt, address);

	return table ? read_entry(table, level_index(address, 0)) : 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_entry);

static bool is_first_of_table(u64 address, unsigned int level)
{
	return IS_ALIGNED(address, 1ull << level_shift(level));
}

/* How many tables are missing for the addresses of some last-level tables. */
static unsigned int count_missing(const struct vgpu_lmtt *lmtt, u64 start, u64 end)
{
	unsigned int level, missing = 0;
	struct page *table;
	u64 address;

	for (address = start; address < end; address += 1ull << level_shift(1)) {
		table = lmtt->root;
		for (level = TOP_LEVEL; level; level--) {
			if (table)
				table = next_table(table, level_index(address, level));
			/* Once, though many of the addresses miss it. */
			if (!table && (address == start || is_first_of_table(address, level)))
				missing++;
		}
		cond_resched();
	}
	return missing;
}

static void link_missing(struct vgpu_lmtt *lmtt, u64 start, u64 end,
			 struct list_head *folios)
{
	unsigned int level, index, taken = 0;
	struct page *table, *next;
	u64 address;

	for (address = start; address < end; address += 1ull << level_shift(1)) {
		table = lmtt->root;
		for (level = TOP_LEVEL; level; level--) {
			index = level_index(address, level);
			next = next_table(table, index);
			if (!next) {
				next = take_page(folios, &taken);
				/* The device may see the entry before its zeroed page. */
				dma_wmb();
				write_entry(table, index, page_to_phys(next) | VGPU_LMTT_VALID);
			}
			table = next;
		}
		cond_resched();
	}
}

/**
 * vgpu_lmtt_reserve - make all tables that some addresses need
 * @lmtt: table
 * @address: first address
 * @size: bytes
 *
 * Made together they are few pieces to hand over in an update.
 *
 * Return: 0, after which vgpu_lmtt_map() of these addresses allocates nothing; or,
 * with no table made, -EINVAL if they exceed the address space, or -ENOMEM.
 */
int vgpu_lmtt_reserve(struct vgpu_lmtt *lmtt, u64 address, u64 size)
{
	u64 start = ALIGN_DOWN(address, 1ull << level_shift(1));
	u64 end = size ? address + size : start;
	unsigned int missing;
	LIST_HEAD(folios);
	int err;

	if (!lmtt_has_addresses(address, size))
		return -EINVAL;
	missing = count_missing(lmtt, start, end);
	if (!missing)
		return 0;
	err = alloc_tables(lmtt, missing, &folios);
	if (err)
		return err;
	link_missing(lmtt, start, end, &folios);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_reserve);

/**
 * vgpu_lmtt_can_lead_to - whether LMTT entries can hold the addresses of a range
 * @target: offset in VRAM or physical address
 * @size: bytes
 *
 * Context: Any.
 * Return: true if the range is aligned and each of its pages fits into an entry.
 */
bool vgpu_lmtt_can_lead_to(u64 target, u64 size)
{
	const u64 end = VGPU_LMTT_ADDR + VGPU_PAGE_SIZE;

	return IS_ALIGNED(target | size, VGPU_PAGE_SIZE) && target <= end &&
	       size <= end - target;
}

/**
 * vgpu_lmtt_map - let addresses lead somewhere
 * @lmtt: table
 * @address: first address, not mapped so far
 * @target: offset in VRAM or physical address
 * @size: bytes
 * @flags: %VGPU_LMTT_SYSTEM for a physical address, else 0
 *
 * Return: 0; or, with nothing mapped, -EINVAL if an argument is not aligned, does
 * not fit into an entry, or exceeds the address space; or -ENOMEM.
 */
int vgpu_lmtt_map(struct vgpu_lmtt *lmtt, u64 address, u64 target, u64 size,
		  u64 flags)
{
	struct page *table = NULL;
	u64 offset;
	int err;

	if (!IS_ALIGNED(address, VGPU_PAGE_SIZE) || !vgpu_lmtt_can_lead_to(target, size) ||
	    flags & ~VGPU_LMTT_SYSTEM)
		return -EINVAL;
	err = vgpu_lmtt_reserve(lmtt, address, size);
	if (err)
		return err;

	for (offset = 0; offset < size; offset += VGPU_PAGE_SIZE) {
		unsigned int index = level_index(address + offset, 0);

		if (!table || !index) {
			table = leaf_table(lmtt, address + offset);
			cond_resched();
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
 * @size: bytes; addresses that are not mapped are skipped
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

		if (!table || !index) {
			table = leaf_table(lmtt, address + offset);
			cond_resched();
		}
		if (table)
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
	unsigned long pfn = page_to_pfn(lmtt->root);
	const struct vgpu_lmtt_run *run;

	sort_runs(lmtt);
	run = find_run(lmtt, pfn);
	return run->first + (pfn - run->pfn);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_root_index);

/**
 * vgpu_lmtt_save - save a table as one hot-update block
 * @lmtt: table
 * @adapter: adapter whose save_memory callback is running
 * @meta: metadata of the block
 * @meta_size: bytes at @meta
 *
 * The way of W7: an sg_table of pages that stay where they are (W9).
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
	struct scatterlist *sg;
	unsigned int i;
	int err;

	err = vgpu_lmtt_own(lmtt);
	if (err)
		return err;

	sort_runs(lmtt);
	err = sg_alloc_table(&sgt, lmtt->num_runs, VGPU_GFP);
	if (err)
		return err;
	for_each_sgtable_sg(&sgt, sg, i) {
		sg_set_page(sg, pfn_to_page(lmtt->runs[i].pfn),
			    lmtt->runs[i].nr_pages << PAGE_SHIFT, 0);
		cond_resched();
	}

	err = drm_hotupdate_save_memory(adapter, &args);
	sg_free_table(&sgt);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_lmtt_save);

static int adopt_pages(struct vgpu_lmtt *lmtt, struct drm_hotupdate_block *block,
		       u32 root_index)
{
	const struct drm_hotupdate_range *ranges;
	unsigned int num_ranges, i;
	struct sg_table *sgt;

	ranges = drm_hotupdate_block_ranges(block, &num_ranges);
	if (!num_ranges || drm_hotupdate_block_size(block) >> PAGE_SHIFT > MAX_TABLES)
		return -EINVAL;

	/* So that vgpu_lmtt_own() cannot fail for want of memory. */
	sgt = drm_hotupdate_block_sgt(block);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	if (make_room(lmtt, num_ranges))
		return -ENOMEM;
	for (i = 0; i < num_ranges; i++) {
		if (root_index - lmtt->num_pages < ranges[i].nr_pages)
			lmtt->root = pfn_to_page(ranges[i].pfn + root_index - lmtt->num_pages);
		add_run(lmtt, ranges[i].pfn, ranges[i].nr_pages);
		cond_resched();
	}
	sort_runs(lmtt);
	return lmtt->root ? 0 : -EINVAL;
}

/* How far the check of a table has come. */
struct table_check {
	const struct vgpu_lmtt *lmtt;
	const struct vgpu_lmtt_run *run;	/* where the last page was found */
	unsigned long *seen;			/* which pages were, a bit for each */
	unsigned int num_seen;
	u64 size;
};

/* Is it a page at hand, and seen for the first time? */
static bool see_page(struct table_check *check, unsigned long pfn)
{
	if (!check->run || !run_has(check->run, pfn))
		check->run = find_run(check->lmtt, pfn);
	if (!check->run)
		return false;
	check->num_seen++;
	return !__test_and_set_bit(check->run->first + (pfn - check->run->pfn), check->seen);
}

/*
 * The tables below this one are all among the pages at hand, none twice. The
 * last level is not looked into here: checking it would take time by the page of
 * guest memory. See vgpu_vf_lmtt_fits() for what is.
 */
static bool check_tables(struct table_check *check, struct page *table,
			 unsigned int level, u64 address)
{
	unsigned int index;

	cond_resched();
	for (index = 0; index < VGPU_LMTT_ENTRIES; index++) {
		u64 start = address + ((u64)index << level_shift(level));
		u64 entry = read_entry(table, index);
		unsigned long pfn = PHYS_PFN(entry & VGPU_LMTT_ADDR);

		if (!(entry & VGPU_LMTT_VALID)) {
			if (start < check->size)
				return false;
			continue;
		}
		if (entry & ~(VGPU_LMTT_VALID | VGPU_LMTT_ADDR) || !see_page(check, pfn))
			return false;
		if (level > 1 && !check_tables(check, pfn_to_page(pfn), level - 1, start))
			return false;
	}
	return true;
}

static int check_all_tables(const struct vgpu_lmtt *lmtt, u64 size)
{
	struct table_check check = { .lmtt = lmtt, .size = size };
	bool is_table;

	check.seen = bitmap_zalloc(lmtt->num_pages, VGPU_GFP);
	if (!check.seen)
		return -ENOMEM;
	is_table = see_page(&check, page_to_pfn(lmtt->root)) &&
		   check_tables(&check, lmtt->root, TOP_LEVEL, 0);
	bitmap_free(check.seen);
	return is_table && check.num_seen == lmtt->num_pages ? 0 : -EINVAL;
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
	int err;

	*lmtt = (struct vgpu_lmtt) { };
	err = adopt_pages(lmtt, block, root_index) ?: check_all_tables(lmtt, size);
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
