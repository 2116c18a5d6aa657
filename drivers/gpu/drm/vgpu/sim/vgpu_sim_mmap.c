// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim mappings
 *
 * A guest maps its memory through the window. Pages are mapped one by one when
 * they are touched, each translated through the LMTT as any other access, and
 * are unmapped all at once when an invalidation, a reset or another table
 * takes them away; the next touch translates anew, or is SIGBUS if there is
 * no translation any more.
 *
 * They are mapped by page number, as the BAR of a real device is, and not by
 * struct page: otherwise the guest could pin a page (with vmsplice() say), and
 * go on reading it after it was taken away and given to another VF. The price
 * is that the mapping holds no references, so those to pages of system memory
 * are held here, one for each page the guest has mapped: a driver that frees
 * its memory without an invalidation must not give the guest a view of what
 * the page becomes next.
 *
 * Unhappy path: an address without a translation is SIGBUS for the guest. If
 * the table itself is wrong, the ring stops as well.
 *
 * Locking: &vgpu_sim_fn.map_lock is held from translation to insertion, and
 * from taking away until all is unmapped; &vgpu_sim_fn.exec_lock only for the
 * translation, because inserting may wait for memory.
 */

#include <kunit/visibility.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "vgpu_sim.h"

/*
 * Remembers, with a reference of its own, that a page of system memory is
 * mapped. What is mapped there already must be the same page.
 */
static u32 remember(struct vgpu_sim_fn *fn, u64 index, struct page *page,
		    vm_fault_t *error)
{
	struct page *known = xa_load(&fn->mapped, index);
	int ret;

	lockdep_assert_held(&fn->map_lock);
	if (known == page)
		return VGPU_FAULT_NONE;
	if (known) {
		atomic64_inc(&fn->sim->count.lmtt_changed);
		return VGPU_FAULT_TABLE_CHANGED;
	}

	ret = xa_err(xa_store(&fn->mapped, index, page, GFP_KERNEL_ACCOUNT));
	if (ret)
		*error = VM_FAULT_OOM;
	else
		get_page(page);
	return VGPU_FAULT_NONE;
}

/* Translates, and takes the reference that a system page needs. */
static u32 find_page(struct vgpu_sim_fn *fn, u64 addr,
		     struct vgpu_sim_target *target)
{
	u32 fault;

	mutex_lock(&fn->exec_lock);
	if (fn->enabled)
		fault = vgpu_sim_translate(fn, addr, target);
	else
		fault = VGPU_FAULT_OUT_OF_RANGE;
	if (!fault && !target->system)
		target->page = vmalloc_to_page(target->ptr);
	mutex_unlock(&fn->exec_lock);
	return fault;
}

static vm_fault_t map_page(struct vgpu_sim_fn *fn, struct vm_fault *vmf,
			   u32 *fault)
{
	const u64 addr = (u64)vmf->pgoff << PAGE_SHIFT;
	struct vgpu_sim_target target;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	vm_fault_t error = 0;

	lockdep_assert_held(&fn->map_lock);
	*fault = find_page(fn, addr, &target);
	if (*fault)
		return ret;

	if (target.system)
		*fault = remember(fn, vmf->pgoff, target.page, &error);
	if (error)
		ret = error;
	else if (!*fault)
		ret = vmf_insert_pfn(vmf->vma, vmf->address,
				     page_to_pfn(target.page));
	vgpu_sim_target_put(&target);
	return ret;
}

static vm_fault_t fault_handler(struct vm_fault *vmf)
{
	struct vgpu_sim_fn *fn = vmf->vma->vm_private_data;
	vm_fault_t ret;
	u32 fault = VGPU_FAULT_NONE;

	/* The unit of translation is a page of the host's. */
	BUILD_BUG_ON(PAGE_SIZE != VGPU_PAGE_SIZE);

	if (vmf->pgoff >= VGPU_LMTT_MAX_SIZE >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;

	mutex_lock(&fn->map_lock);
	ret = map_page(fn, vmf, &fault);
	mutex_unlock(&fn->map_lock);

	/* Nothing to be found there is the guest's matter, this is not: */
	if (fault == VGPU_FAULT_BAD_TABLE || fault == VGPU_FAULT_TABLE_CHANGED) {
		vgpu_sim_fn_fault(fn, fault, (u64)vmf->pgoff << PAGE_SHIFT);
		vgpu_sim_irq_deliver(fn->sim);
	}
	return ret;
}

static const struct vm_operations_struct vm_ops = {
	.fault = fault_handler,
};

/**
 * vgpu_sim_mmap() - a guest maps its memory
 * @fn: its VF
 * @vma: the mapping, shared, at an offset that is an address of the VF
 *
 * What is not there, or not yet, is found out when it is touched.
 *
 * Return: 0, or -EINVAL if the mapping is private.
 */
int vgpu_sim_mmap(struct vgpu_sim_fn *fn, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;

	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = fn;
	vma->vm_ops = &vm_ops;
	return 0;
}

/**
 * vgpu_sim_zap() - unmap all that a guest has mapped
 * @fn: its VF
 *
 * Context: process; &vgpu_sim_fn.map_lock is held.
 */
void vgpu_sim_zap(struct vgpu_sim_fn *fn)
{
	unsigned long index;
	struct page *page;

	lockdep_assert_held(&fn->map_lock);
	if (fn->mapping)
		unmap_mapping_range(fn->mapping, 0, 0, 1);
	xa_for_each(&fn->mapped, index, page)
		put_page(page);
	xa_destroy(&fn->mapped);
}
