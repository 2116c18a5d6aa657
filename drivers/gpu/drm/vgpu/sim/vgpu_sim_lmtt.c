// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim translation
 *
 * Every access of a function, the PF's too, goes through its LMTT, and reads
 * it where it is, in system memory, each time: this is what makes the pages of
 * the table matter while no driver is there. What was translated once is kept
 * in a small cache, the TLB, but not to save the walk: it is compared with what
 * the walk sees now. If the two differ and nobody said so (an invalidation, a
 * reset, another table), the table was changed or freed under the device.
 *
 * The content of a table is not trusted. A driver that went wrong, or a stash that
 * was discarded while VFs run, can leave anything there, and a fault of its function
 * is the worst that may come of it. Addresses are checked to be pages of memory that
 * somebody has allocated. A page is held by a reference while it is read or written.
 * A table is refused if it is in memory in which no driver has tables: a slab, a page
 * of a process or of a file.
 *
 * Unhappy path: a walk ends with one of the VGPU_FAULT_* codes, which is also
 * counted; the caller stops the ring, or refuses the guest the page.
 *
 * Locking: walks take none, and the TLB is protected by
 * &vgpu_sim_fn.exec_lock.
 */

#include <kunit/visibility.h>
#include <linux/highmem.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "vgpu_sim.h"

#define PAGE_OFFSET_MASK	(VGPU_PAGE_SIZE - 1)
#define LEAF			(VGPU_LMTT_LEVELS - 1)

/**
 * vgpu_sim_lmtt_page() - is there memory at a physical address?
 * @addr: as found in a register or in a table, from anywhere
 *
 * Memory is what the page allocator has given to somebody. What was freed, was
 * never given out, or holds the kernel itself is none.
 *
 * Return: the page, without a reference, or NULL.
 */
struct page *vgpu_sim_lmtt_page(u64 addr)
{
	struct page *page;

	if (addr & ~VGPU_LMTT_ADDR)
		return NULL;
	page = pfn_to_online_page(PHYS_PFN(addr));
	if (!page || PageReserved(page) || !page_count(page))
		return NULL;
	return page;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_lmtt_page);

/* Returns the page at an address with a reference to its folio, or NULL. */
static struct page *lmtt_get_page(u64 addr)
{
	struct page *page = vgpu_sim_lmtt_page(addr);
	struct folio *folio;

	if (!page)
		return NULL;
	folio = page_folio(page);
	if (!folio_try_get(folio))
		return NULL;
	if (page_folio(page) == folio)
		return page;
	folio_put(folio);
	return NULL;
}

static bool lmtt_can_be_table(const struct folio *folio)
{
	return !folio_test_slab(folio) && !page_has_type(&folio->page) &&
	       !folio_test_lru(folio) && !folio->mapping;
}

static u32 read_entry(u64 table, unsigned int index, u64 *entry)
{
	struct page *page = lmtt_get_page(table);
	u32 fault = VGPU_FAULT_BAD_TABLE;
	__le64 raw;

	if (!page)
		return fault;

	if (lmtt_can_be_table(page_folio(page)) &&
	    !copy_from_kernel_nofault(&raw, page_address(page) + index * sizeof(raw),
				      sizeof(raw))) {
		*entry = le64_to_cpu(raw);
		fault = VGPU_FAULT_NONE;
	}
	put_page(page);
	return fault;
}

static u32 check_entry(const struct vgpu_sim_space *space, unsigned int level,
		       u64 entry)
{
	u64 known = VGPU_LMTT_VALID | VGPU_LMTT_ADDR;

	if (!(entry & VGPU_LMTT_VALID))
		return VGPU_FAULT_NOT_MAPPED;
	if (level == LEAF)
		known |= VGPU_LMTT_SYSTEM;
	if (entry & ~known)
		return VGPU_FAULT_BAD_TABLE;
	if (level == LEAF && !(entry & VGPU_LMTT_SYSTEM) &&
	    (entry & VGPU_LMTT_ADDR) >= space->vram_size)
		return VGPU_FAULT_BAD_TABLE;
	return VGPU_FAULT_NONE;
}

static unsigned int table_index(u64 addr, unsigned int level)
{
	unsigned int shift = VGPU_PAGE_SHIFT + (LEAF - level) * VGPU_LMTT_BITS;

	return (addr >> shift) & (VGPU_LMTT_ENTRIES - 1);
}

/**
 * vgpu_sim_lmtt_walk() - look an address up in a table
 * @space: the table and its limits
 * @addr: in the function's address space
 * @entry: the entries seen, the root's first; zero below one that is not valid
 *
 * Return: VGPU_FAULT_NONE, or why the address has no translation.
 */
u32 vgpu_sim_lmtt_walk(const struct vgpu_sim_space *space, u64 addr,
		       u64 entry[VGPU_LMTT_LEVELS])
{
	u64 table = space->table;
	unsigned int level;
	u32 fault;

	memset(entry, 0, VGPU_LMTT_LEVELS * sizeof(*entry));
	if (addr >= space->mem_size)
		return VGPU_FAULT_OUT_OF_RANGE;
	if (!table)
		return VGPU_FAULT_NOT_MAPPED;

	for (level = 0; level < VGPU_LMTT_LEVELS; level++) {
		fault = read_entry(table, table_index(addr, level), &entry[level]);
		if (!fault)
			fault = check_entry(space, level, entry[level]);
		if (fault)
			return fault;
		table = entry[level] & VGPU_LMTT_ADDR;
	}
	return VGPU_FAULT_NONE;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_lmtt_walk);

/**
 * vgpu_sim_tlb_forget() - forget all translations of a function
 * @tlb: its TLB
 */
void vgpu_sim_tlb_forget(struct vgpu_sim_tlb *tlb)
{
	tlb->generation++;
}

static struct vgpu_sim_tlb_slot *tlb_slot(struct vgpu_sim_tlb *tlb, u64 page)
{
	return &tlb->slot[page & (VGPU_SIM_TLB_SLOTS - 1)];
}

/*
 * Only translations that worked are cached, so an entry may become valid
 * without notice, but not change or go. (A walk that ends with a fault has seen
 * something else than one that did not.)
 */
static u32 tlb_compare(struct vgpu_sim_tlb *tlb, u64 page,
		       const u64 entry[VGPU_LMTT_LEVELS], u32 fault)
{
	struct vgpu_sim_tlb_slot *slot = tlb_slot(tlb, page);

	if (slot->generation == tlb->generation && slot->page == page) {
		if (memcmp(slot->entry, entry, sizeof(slot->entry)))
			return VGPU_FAULT_TABLE_CHANGED;
		return VGPU_FAULT_NONE;
	}

	if (!fault) {
		slot->generation = tlb->generation;
		slot->page = page;
		memcpy(slot->entry, entry, sizeof(slot->entry));
	}
	return fault;
}

/* A page of system memory for the device to read and write. */
static struct page *get_system_page(u64 addr)
{
	struct page *page = lmtt_get_page(addr);

	if (!page || vgpu_hw_reaches(page_folio(page)))
		return page;
	put_page(page);
	return NULL;
}

static u32 get_target(struct vgpu_sim *sim, u64 leaf, u64 addr,
		      struct vgpu_sim_target *target)
{
	u64 where = leaf & VGPU_LMTT_ADDR;
	u64 offset = addr & PAGE_OFFSET_MASK;

	target->system = leaf & VGPU_LMTT_SYSTEM;
	if (!target->system) {
		target->ptr = sim->hw.vram + where + offset;
		target->page = NULL;
		return VGPU_FAULT_NONE;
	}

	target->page = get_system_page(where);
	if (!target->page)
		return VGPU_FAULT_BAD_TABLE;
	target->ptr = kmap_local_page(target->page) + offset_in_page(where) + offset;
	return VGPU_FAULT_NONE;
}

static void count_fault(struct vgpu_sim *sim, u32 fault)
{
	switch (fault) {
	case VGPU_FAULT_TABLE_CHANGED:
		atomic64_inc(&sim->count.lmtt_changed);
		break;
	case VGPU_FAULT_NOT_MAPPED:
	case VGPU_FAULT_BAD_TABLE:
		atomic64_inc(&sim->count.translation_faults);
		break;
	case VGPU_FAULT_OUT_OF_RANGE:
		atomic64_inc(&sim->count.out_of_range);
		break;
	}
}

/**
 * vgpu_sim_translate() - reach an address of a function
 * @fn: the function
 * @addr: in its address space
 * @target: where it is, up to the end of the page
 *
 * Of several targets, the last one translated is put first.
 *
 * Return: VGPU_FAULT_NONE, and vgpu_sim_target_put() is due; or a fault, which
 * has been counted but has not stopped the ring.
 */
u32 vgpu_sim_translate(struct vgpu_sim_fn *fn, u64 addr,
		       struct vgpu_sim_target *target)
{
	const struct vgpu_sim_space space = {
		.table = fn->table,
		.mem_size = fn->mem_size,
		.vram_size = fn->sim->hw.vram_size,
	};
	u64 entry[VGPU_LMTT_LEVELS];
	u32 fault;

	lockdep_assert_held(&fn->exec_lock);

	fault = vgpu_sim_lmtt_walk(&space, addr, entry);
	if (fault != VGPU_FAULT_OUT_OF_RANGE)
		fault = tlb_compare(&fn->tlb, addr >> VGPU_PAGE_SHIFT, entry, fault);
	if (!fault)
		fault = get_target(fn->sim, entry[LEAF], addr, target);
	if (fault)
		count_fault(fn->sim, fault);
	return fault;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_translate);

/**
 * vgpu_sim_target_put() - be done with a target
 * @target: of vgpu_sim_translate()
 */
void vgpu_sim_target_put(struct vgpu_sim_target *target)
{
	if (!target->system)
		return;
	kunmap_local(target->ptr);
	put_page(target->page);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_target_put);
