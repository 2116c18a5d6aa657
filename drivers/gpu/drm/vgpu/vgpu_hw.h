/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vgpu device as its physical function's (PF) driver sees it: registers,
 * VRAM aperture, interrupt, and the format of the LMTT that the device reads.
 * The driver (vgpu.ko) and the simulated device (vgpu_sim.ko) meet here and
 * nowhere else.
 */
#ifndef _VGPU_HW_H_
#define _VGPU_HW_H_

#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/types.h>

struct device;
struct module;
struct vgpu_hw;

/**
 * DOC: Device
 *
 * A vgpu is an SR-IOV GPU with one engine. Function 0 is the PF, functions 1
 * to %VGPU_HW_TOTAL_VFS are virtual functions (VFs). Each has a ring of
 * commands (&struct vgpu_cmd), a fence register, and an address space of its
 * own of %VGPU_FN_MEM_SIZE bytes, translated by a table in system memory that
 * the PF's driver allocates and owns: the LMTT.
 *
 * What the device holds, it goes on holding while no driver is bound: enabled
 * VFs run, requests in the mailbox wait. Only a write to %VGPU_HW_RESET or
 * %VGPU_FN_RESET, or a call of &vgpu_hw_ops.silence, takes it away. After each
 * of them, and at first, a function is disabled, the PF too, and has no table,
 * no memory and no ring.
 *
 * Writing what a register holds already is no change: it takes nothing away
 * and forgets no translation.
 */

/**
 * struct vgpu_hw_ops - access to the device
 */
struct vgpu_hw_ops {
	/**
	 * @read: Read a register. Any context. An unknown register reads as
	 * all ones.
	 */
	u64 (*read)(struct vgpu_hw *hw, u32 reg);
	/**
	 * @write: Write a register. Any context for %VGPU_HW_IRQ_STATUS,
	 * %VGPU_HW_IRQ_ENABLE and %VGPU_FN_RING_TAIL, process context for
	 * the others: a reset or an invalidation returns when the engine and
	 * the guest's mappings no longer use what it takes away.
	 */
	void (*write)(struct vgpu_hw *hw, u32 reg, u64 value);
	/**
	 * @request_irq: Set the one interrupt handler. It is called in atomic
	 * context, at once if an enabled interrupt is pending, but never from
	 * within a @write. Process context, no locks that the handler takes.
	 * Returns 0, or -EBUSY if there is a handler.
	 */
	int (*request_irq)(struct vgpu_hw *hw, void (*handler)(void *data),
			   void *data);
	/**
	 * @free_irq: Drop the handler, and return when it runs no more.
	 * Process context.
	 */
	void (*free_irq)(struct vgpu_hw *hw);
	/**
	 * @silence: Stop a device that has no driver, before its memory is
	 * freed. From the return until a driver writes %VGPU_HW_RESET, the
	 * device accesses no memory of the host: no table, no memory that a
	 * table maps, and no ring. Writes that enable a function have no effect
	 * until that reset. VRAM keeps its content. A second call has no effect.
	 *
	 * A guest sees a reset of its VF: VGPU_VF_IRQ_RESET is pending, the VF
	 * is disabled, its ring has stopped, its requests and answers are gone,
	 * and its mappings raise SIGBUS. The window stays open.
	 *
	 * @dev is the platform device: registered, not bound, its device_lock
	 * held. Process context. The function is part of the device's module, so
	 * the driver's module need not be loaded. It takes no device_lock, and
	 * waits for no driver and for no guest.
	 *
	 * Returns 0, or a negative errno if the device may go on accessing
	 * memory.
	 */
	int (*silence)(struct device *dev);
};

/**
 * struct vgpu_hw - a vgpu device
 */
struct vgpu_hw {
	/** @ops: how to reach it */
	const struct vgpu_hw_ops *ops;
	/**
	 * @vram: the aperture: all of VRAM in kernel virtual memory, backed by
	 * pages that vmalloc_to_page() finds
	 */
	void *vram;
	/** @vram_size: bytes of VRAM, a multiple of %VGPU_PAGE_SIZE */
	u64 vram_size;
};

/**
 * struct vgpu_hw_pdata - platform data of a vgpu platform device
 */
struct vgpu_hw_pdata {
	/** @hw: the device, valid as long as the platform device is bound */
	struct vgpu_hw *hw;
};

/** VGPU_HW_NAME - name of the platform devices */
#define VGPU_HW_NAME		"vgpu"

/** VGPU_HW_MAX_VFS - most VFs a device can have */
#define VGPU_HW_MAX_VFS		64

/** VGPU_PAGE_SIZE - unit of translation, whatever the host's page size is */
#define VGPU_PAGE_SIZE		SZ_4K
#define VGPU_PAGE_SHIFT		12

/*
 * Registers of the whole device. All registers are 64 bits wide. RO: writes
 * are ignored; WO: reads as zero; W1C: writing a one clears the bit.
 */
#define VGPU_HW_IDENT		0x000	/* RO: VGPU_HW_IDENT_VALUE */
#define VGPU_HW_TOTAL_VFS	0x008	/* RO */
#define VGPU_HW_RESET		0x010	/* WO: VGPU_RESET_MAGIC resets all */
#define VGPU_HW_RESETS		0x018	/* RO: resets of the whole device */
#define VGPU_HW_IRQ_STATUS	0x020	/* W1C: VGPU_IRQ_* */
#define VGPU_HW_IRQ_ENABLE	0x028	/* RW: which of them interrupt */
#define VGPU_HW_VF_FAULTS	0x030	/* W1C: bit n-1 for VF n */

#define VGPU_HW_IDENT_VALUE	0x0001555047560001ull
#define VGPU_RESET_MAGIC	0x5e5e7ull

#define VGPU_IRQ_MBOX		BIT_ULL(0)	/* requests are waiting */
#define VGPU_IRQ_PF_FENCE	BIT_ULL(1)	/* the PF's ring passed a fence */
#define VGPU_IRQ_FAULT		BIT_ULL(2)	/* a function's ring stopped */

/*
 * The PF's end of the mailbox. The device queues the requests of all VFs in
 * the order in which they were sent. The driver reads the oldest, and answers
 * it by writing status and value, then its id. An answer takes the request off
 * the queue; one with another id is ignored and counted.
 */
#define VGPU_HW_MBOX_PENDING	0x040	/* RO: requests waiting */
#define VGPU_HW_MBOX_FN		0x048	/* RO: the oldest: who sent it, 0 if none */
#define VGPU_HW_MBOX_ID		0x050	/* RO: counts up from 1 for each VF, resets or not */
#define VGPU_HW_MBOX_OP		0x058	/* RO: VGPU_MBOX_*, 0 if its guest has gone */
#define VGPU_HW_MBOX_ARG0	0x060	/* RO */
#define VGPU_HW_MBOX_ARG1	0x068	/* RO */
#define VGPU_HW_MBOX_STATUS	0x070	/* RW: of the answer: 0 or an errno */
#define VGPU_HW_MBOX_VALUE	0x078	/* RW: of the answer */
#define VGPU_HW_MBOX_ANSWER	0x080	/* WO: id: sends the answer */

/*
 * Registers of one function, at VGPU_FN(number, register).
 */
#define VGPU_FN_BASE		0x1000
#define VGPU_FN_STRIDE		0x100
#define VGPU_FN(fn, reg)	(VGPU_FN_BASE + (fn) * VGPU_FN_STRIDE + (reg))

#define VGPU_FN_CTRL		0x00	/* RW: VGPU_FN_CTRL_* */
#define VGPU_FN_STATUS		0x08	/* RO: VGPU_FN_STATUS_* */
#define VGPU_FN_RESET		0x10	/* WO: VGPU_RESET_MAGIC resets it */
#define VGPU_FN_RESETS		0x18	/* RO: resets while it was enabled */
#define VGPU_FN_TABLE		0x20	/* RW: physical address of the LMTT's root */
#define VGPU_FN_MEM_SIZE	0x28	/* RW: bytes of its address space */
#define VGPU_FN_TIMESLICE_US	0x30	/* RW: microseconds of engine time a turn */
#define VGPU_FN_PRIORITY	0x38	/* RW: VGPU_PRIORITY_* */
#define VGPU_FN_INVALIDATE	0x40	/* WO: any value: forget translations */
#define VGPU_FN_FAULT		0x48	/* RO: VGPU_FAULT_* of the last fault */
#define VGPU_FN_FAULT_ADDR	0x50	/* RO: its address in the function's space */
/* The ring: through its window for a VF (read only here), here for the PF. */
#define VGPU_FN_RING_BASE	0x58	/* RW: page-aligned address in the function's space */
#define VGPU_FN_RING_ENTRIES	0x60	/* RW: power of two; starts at BASE, clears
					 * head, tail and fault; 0 stops it
					 */
#define VGPU_FN_RING_HEAD	0x68	/* RO: commands done, counts on */
#define VGPU_FN_RING_TAIL	0x70	/* RW: commands written, counts on: doorbell */
#define VGPU_FN_FENCE		0x78	/* RO: value of the last fence passed, 0 if none
					 * was since its window was opened
					 */
#define VGPU_FN_MBOX_SENT	0x80	/* RO: id of its last request */
#define VGPU_FN_MBOX_ANSWERED	0x88	/* RO: id of the last one answered or dropped */
#define VGPU_FN_ENGINE_NS	0x90	/* RO: engine time it has used */

#define VGPU_FN_CTRL_ENABLE	BIT_ULL(0)

#define VGPU_FN_STATUS_ENABLED	BIT_ULL(0)
#define VGPU_FN_STATUS_BUSY	BIT_ULL(1)	/* head is not tail */
#define VGPU_FN_STATUS_ATTACHED	BIT_ULL(2)	/* its window is open */
#define VGPU_FN_STATUS_FAULT	BIT_ULL(3)	/* its ring stopped at a fault */

#define VGPU_PRIORITY_LOW	0
#define VGPU_PRIORITY_NORMAL	1
#define VGPU_PRIORITY_HIGH	2

#define VGPU_TIMESLICE_US_MIN		50
#define VGPU_TIMESLICE_US_MAX		1000000
#define VGPU_TIMESLICE_US_DEFAULT	1000

/**
 * DOC: LMTT
 *
 * The local memory translation table of a function: a radix tree of
 * %VGPU_LMTT_LEVELS levels of pages of %VGPU_LMTT_ENTRIES little-endian 64-bit
 * entries, in system memory. An entry of a level above the last one holds the
 * physical address of the next page; one of the last level says where a page
 * of the function's address space is, in VRAM (offset) or in system memory
 * (physical address).
 *
 * The pages of the table, and those of system memory that it maps, are pages
 * of the page allocator with a reference each: the device refuses others, and
 * so notices a page that was freed. It accepts mapped pages of hugetlb.
 *
 * The device caches translations. Who changes a valid entry, or frees a page
 * of the table, first writes %VGPU_FN_INVALIDATE or takes the table away. A
 * device that finds that an entry it has cached was changed in memory without
 * that, counts it, and stops the function's ring.
 */
#define VGPU_LMTT_LEVELS	3
#define VGPU_LMTT_BITS		9
#define VGPU_LMTT_ENTRIES	BIT(VGPU_LMTT_BITS)
#define VGPU_LMTT_MAX_SIZE	(1ull << (VGPU_PAGE_SHIFT + \
				 VGPU_LMTT_LEVELS * VGPU_LMTT_BITS))

#define VGPU_LMTT_VALID		BIT_ULL(0)
#define VGPU_LMTT_SYSTEM	BIT_ULL(1)	/* last level only */
#define VGPU_LMTT_ADDR		GENMASK_ULL(51, VGPU_PAGE_SHIFT)
/* All other bits are zero. */

/**
 * vgpu_hw_reaches - whether the device accesses a folio of system memory
 * @folio: folio with a reference that the caller relies on
 *
 * A folio with a page type belongs to the kernel: it is a slab or a page table, for
 * example. Hugetlb folios have a type too, but belong to processes.
 *
 * Context: Any.
 * Return: true if the device reads and writes it, false if it faults.
 */
static inline bool vgpu_hw_reaches(const struct folio *folio)
{
	return !page_has_type(&folio->page) || folio_test_hugetlb(folio);
}

#endif /* _VGPU_HW_H_ */
