// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim functions
 *
 * A function is the PF or a VF: registers, a ring, an address space. What the
 * PF's driver may do to it and what a guest may do to it ends up here.
 *
 * Life of a VF: the driver gives it a table and memory and enables it; a guest
 * opens its window, sets a ring, rings the doorbell; the engine runs the ring.
 * Either can come first and go first. A guest that goes stops the ring. A reset
 * (FLR) stops the ring too, drops the VF's requests, and leaves it disabled
 * with its registers as after power on; the open window stays, and is told.
 *
 * Unhappy path: whatever goes wrong with a ring stops that ring and no other:
 * VGPU_FN_FAULT says why until the ring is set anew.
 */

/**
 * DOC: vgpu_sim locking
 *
 * - &vgpu_sim_fn.map_lock (mutex): the guest's mappings. Who maps a page into
 *   a guest holds it from translation to insertion; who takes memory away
 *   holds it from the change of registers until the mappings are gone. Memory
 *   may be reclaimed while it is held, so the engine never takes it.
 * - &vgpu_sim_fn.exec_lock (mutex): use of the function's memory: the engine
 *   holds it for one step of a command, so that who waits for it waits for a
 *   page's worth of work and not for a command.
 * - &vgpu_sim_fn.lock (spinlock, interrupts off): the registers. What says how
 *   memory is reached is changed under exec_lock as well, and can be read
 *   under either.
 * - &vgpu_sim_irq.delivery (spinlock, interrupts off): held while the driver's
 *   handler runs.
 * - &vgpu_sim_mbox.lock (spinlock, interrupts off): the mailbox, both ends.
 * - &vgpu_sim_irq.lock (spinlock, interrupts off): registers of the interrupt.
 *
 * Order: map_lock -> exec_lock -> fn.lock, where the last is a leaf but for
 * the wait queue's and the eventfd's own locks; and delivery -> the driver's
 * locks -> any one of fn.lock, mbox.lock, irq.lock. The last three are never
 * held together. No lock is held when a driver's register access returns.
 */

#include <kunit/visibility.h>
#include <linux/eventfd.h>
#include <linux/log2.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "vgpu_sim.h"

static void set_defaults(struct vgpu_sim_fn *fn)
{
	fn->enabled = false;
	fn->table = 0;
	fn->mem_size = 0;
	fn->timeslice_us = VGPU_TIMESLICE_US_DEFAULT;
	fn->priority = VGPU_PRIORITY_NORMAL;
	fn->ring = (struct vgpu_sim_ring){};
	fn->fence = 0;
	fn->fault = VGPU_FAULT_NONE;
	fn->fault_addr = 0;
	fn->engine_ns = 0;
	vgpu_sim_sched_set_priority(&fn->sim->engine.sched, fn->number,
				    fn->priority);
}

static struct lock_class_key pf_map_lock_key;

/**
 * vgpu_sim_fn_init() - make a function
 * @fn: zeroed memory
 * @sim: its device
 * @number: 0 for the PF
 *
 * Return: 0, and vgpu_sim_fn_fini() is due, or -ENOMEM.
 */
int vgpu_sim_fn_init(struct vgpu_sim_fn *fn, struct vgpu_sim *sim,
		     unsigned int number)
{
	fn->tlb.slot = kvcalloc(VGPU_SIM_TLB_SLOTS, sizeof(*fn->tlb.slot),
				GFP_KERNEL);
	if (!fn->tlb.slot)
		return -ENOMEM;

	fn->tlb.generation = 1;
	fn->sim = sim;
	fn->number = number;
	mutex_init(&fn->map_lock);
	/*
	 * Faults of guests allocate under theirs. Nobody maps the PF's memory,
	 * and its driver resets it when others wait for its fences.
	 */
	if (!number)
		lockdep_set_class(&fn->map_lock, &pf_map_lock_key);
	mutex_init(&fn->exec_lock);
	spin_lock_init(&fn->lock);
	xa_init(&fn->mapped);
	init_waitqueue_head(&fn->wait);
	set_defaults(fn);
	return 0;
}

/**
 * vgpu_sim_fn_fini() - free what a function has
 * @fn: the function, its window closed
 */
void vgpu_sim_fn_fini(struct vgpu_sim_fn *fn)
{
	WARN_ON_ONCE(!xa_empty(&fn->mapped));
	kvfree(fn->tlb.slot);
}

/**
 * vgpu_sim_fn_runnable() - has the engine anything to do for a function?
 * @fn: the function
 *
 * Return: true if it has a command.
 */
bool vgpu_sim_fn_runnable(struct vgpu_sim_fn *fn)
{
	lockdep_assert_held(&fn->lock);
	return fn->enabled && !fn->fault && fn->ring.head != fn->ring.tail;
}

static void interrupt_locked(struct vgpu_sim_fn *fn, u64 bits)
{
	lockdep_assert_held(&fn->lock);
	if (!fn->attached)
		return;
	fn->irq_status |= bits;
	if (fn->eventfd)
		eventfd_signal(fn->eventfd);
	wake_up_interruptible_poll(&fn->wait, EPOLLIN | EPOLLRDNORM);
}

/**
 * vgpu_sim_fn_interrupt() - interrupt the guest of a VF, if there is one
 * @fn: the function
 * @bits: VGPU_VF_IRQ_*
 */
void vgpu_sim_fn_interrupt(struct vgpu_sim_fn *fn, u64 bits)
{
	unsigned long flags;

	spin_lock_irqsave(&fn->lock, flags);
	interrupt_locked(fn, bits);
	spin_unlock_irqrestore(&fn->lock, flags);
}

static void count_fault(struct vgpu_sim *sim, u32 fault)
{
	/* The others are counted where they are found. */
	switch (fault) {
	case VGPU_FAULT_BAD_COMMAND:
		atomic64_inc(&sim->count.bad_commands);
		break;
	case VGPU_FAULT_BAD_DOORBELL:
		atomic64_inc(&sim->count.bad_doorbells);
		break;
	case VGPU_FAULT_BAD_RING:
		atomic64_inc(&sim->count.bad_rings);
		break;
	}
}

/**
 * vgpu_sim_fn_fault() - stop the ring of a function
 * @fn: the function
 * @fault: VGPU_FAULT_*
 * @addr: its address
 *
 * The guest and the PF's driver are interrupted; that to the driver still has
 * to be delivered. A function that was disabled meanwhile has no ring to stop.
 */
void vgpu_sim_fn_fault(struct vgpu_sim_fn *fn, u32 fault, u64 addr)
{
	unsigned long flags;
	bool enabled;

	spin_lock_irqsave(&fn->lock, flags);
	enabled = fn->enabled;
	if (enabled) {
		fn->fault = fault;
		fn->fault_addr = addr;
		interrupt_locked(fn, VGPU_VF_IRQ_FAULT);
	}
	spin_unlock_irqrestore(&fn->lock, flags);

	count_fault(fn->sim, fault);
	if (enabled)
		vgpu_sim_irq_raise_fault(fn->sim, fn->number);
}

/*
 * Taking away memory is done between these two, which leave neither the
 * engine nor the guest with anything they had found by the old registers.
 */
static void take_away_begin(struct vgpu_sim_fn *fn)
{
	mutex_lock(&fn->map_lock);
	mutex_lock(&fn->exec_lock);
}

static void take_away_end(struct vgpu_sim_fn *fn)
{
	vgpu_sim_tlb_forget(&fn->tlb);
	mutex_unlock(&fn->exec_lock);
	vgpu_sim_zap(fn);
	mutex_unlock(&fn->map_lock);
}

/* Without a ring there is nothing to do: the engine finds that by itself. */
static void stop_ring_locked(struct vgpu_sim_fn *fn)
{
	lockdep_assert_held(&fn->exec_lock);
	lockdep_assert_held(&fn->lock);
	fn->ring = (struct vgpu_sim_ring){};
	fn->exec.busy = false;
}

/**
 * vgpu_sim_fn_set_enabled() - VGPU_FN_CTRL is written
 * @fn: the function
 * @enabled: or disabled
 *
 * Disabling stops the ring, and the guest's mappings go; registers that the
 * driver set stay, and so do requests in the mailbox. Writing what is there
 * already changes nothing. A silenced device refuses to enable a function.
 */
void vgpu_sim_fn_set_enabled(struct vgpu_sim_fn *fn, bool enabled)
{
	if (enabled && READ_ONCE(fn->sim->silent)) {
		atomic64_inc(&fn->sim->count.bad_writes);
		return;
	}
	if (READ_ONCE(fn->enabled) == enabled)
		return;

	take_away_begin(fn);
	spin_lock_irq(&fn->lock);
	fn->enabled = enabled;
	stop_ring_locked(fn);
	interrupt_locked(fn, VGPU_VF_IRQ_RESET);
	spin_unlock_irq(&fn->lock);
	take_away_end(fn);
}

/**
 * vgpu_sim_fn_set_table() - VGPU_FN_TABLE is written
 * @fn: the function
 * @table: physical address of the root, or 0
 *
 * Writing what is there already changes nothing: translations are kept.
 */
void vgpu_sim_fn_set_table(struct vgpu_sim_fn *fn, u64 table)
{
	if (table && !vgpu_sim_lmtt_page(table)) {
		atomic64_inc(&fn->sim->count.bad_writes);
		return;
	}
	if (READ_ONCE(fn->table) == table)
		return;

	take_away_begin(fn);
	spin_lock_irq(&fn->lock);
	fn->table = table;
	spin_unlock_irq(&fn->lock);
	take_away_end(fn);
}

/**
 * vgpu_sim_fn_set_mem_size() - VGPU_FN_MEM_SIZE is written
 * @fn: the function
 * @size: bytes, a multiple of a page that a table can map
 */
void vgpu_sim_fn_set_mem_size(struct vgpu_sim_fn *fn, u64 size)
{
	if (size > VGPU_LMTT_MAX_SIZE || !IS_ALIGNED(size, VGPU_PAGE_SIZE)) {
		atomic64_inc(&fn->sim->count.bad_writes);
		return;
	}
	if (READ_ONCE(fn->mem_size) == size)
		return;

	take_away_begin(fn);
	spin_lock_irq(&fn->lock);
	fn->mem_size = size;
	spin_unlock_irq(&fn->lock);
	take_away_end(fn);
}

/**
 * vgpu_sim_fn_invalidate() - VGPU_FN_INVALIDATE is written
 * @fn: the function
 *
 * A ring that runs goes on, with translations looked up anew.
 */
void vgpu_sim_fn_invalidate(struct vgpu_sim_fn *fn)
{
	take_away_begin(fn);
	take_away_end(fn);
}

/**
 * vgpu_sim_fn_reset() - VGPU_FN_RESET is written
 * @fn: the function
 */
void vgpu_sim_fn_reset(struct vgpu_sim_fn *fn)
{
	bool running;

	take_away_begin(fn);
	spin_lock_irq(&fn->lock);
	running = fn->enabled && fn->attached;
	if (fn->enabled)
		fn->resets++;
	stop_ring_locked(fn);
	set_defaults(fn);
	fn->irq_status = 0;
	interrupt_locked(fn, VGPU_VF_IRQ_RESET);
	spin_unlock_irq(&fn->lock);
	take_away_end(fn);

	if (running)
		atomic64_inc(&fn->sim->count.resets_while_running);
	vgpu_sim_mbox_drop(fn);
}

/**
 * vgpu_sim_ring_valid() - can there be a ring like this?
 * @base: its address
 * @entries: its size
 * @mem_size: bytes of the function's memory
 *
 * Return: true if there can, and if @entries are 0, for no ring.
 */
bool vgpu_sim_ring_valid(u64 base, u64 entries, u64 mem_size)
{
	if (!entries)
		return true;
	return is_power_of_2(entries) && IS_ALIGNED(base, VGPU_PAGE_SIZE) &&
	       base < mem_size &&
	       entries <= (mem_size - base) / sizeof(struct vgpu_cmd);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_ring_valid);

/**
 * vgpu_sim_ring_tail_valid() - is this where the tail may go?
 * @ring: the ring
 * @tail: the new tail
 *
 * Head and tail count on and wrap; the tail goes no further than a ring's
 * length from the head, and never back.
 *
 * Return: true if it may.
 */
bool vgpu_sim_ring_tail_valid(const struct vgpu_sim_ring *ring, u64 tail)
{
	u64 used = ring->tail - ring->head;

	return tail - ring->tail <= ring->entries - used;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_ring_tail_valid);

/**
 * vgpu_sim_ring_slot() - where is a command?
 * @ring: the ring, which has entries
 * @index: as head and tail count
 *
 * Return: its address.
 */
u64 vgpu_sim_ring_slot(const struct vgpu_sim_ring *ring, u64 index)
{
	return ring->base + (index & (ring->entries - 1)) * sizeof(struct vgpu_cmd);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_ring_slot);

/**
 * vgpu_sim_fn_set_ring() - VGPU_FN_RING_ENTRIES is written
 * @fn: the function, of which the base is set
 * @entries: a power of two, or 0 to stop the ring
 *
 * The ring starts empty, and a fault of the one before is over.
 *
 * Return: 0, or -EIO if the function is disabled. A ring that cannot be is a
 * fault of the function, and no error here.
 */
int vgpu_sim_fn_set_ring(struct vgpu_sim_fn *fn, u64 entries)
{
	bool enabled, valid;
	u64 base;

	mutex_lock(&fn->exec_lock);
	spin_lock_irq(&fn->lock);
	enabled = fn->enabled;
	base = fn->ring.next_base;
	valid = vgpu_sim_ring_valid(base, entries, fn->mem_size);
	if (enabled) {
		stop_ring_locked(fn);
		fn->ring.next_base = base;
		fn->fault = VGPU_FAULT_NONE;
		fn->fault_addr = 0;
	}
	if (enabled && valid) {
		fn->ring.base = base;
		fn->ring.entries = entries;
	}
	spin_unlock_irq(&fn->lock);
	mutex_unlock(&fn->exec_lock);

	if (!enabled)
		return -EIO;
	if (!valid)
		vgpu_sim_fn_fault(fn, VGPU_FAULT_BAD_RING, base);
	return 0;
}

/**
 * vgpu_sim_fn_doorbell() - VGPU_FN_RING_TAIL is written
 * @fn: the function
 * @tail: the new tail
 *
 * Cheap, and no dearer the more often it is done: a guest that rings without
 * end spends its own time. A ring that a fault has stopped takes no notice.
 *
 * Context: any.
 * Return: 0, or -EIO if the function is disabled. A tail that cannot be is a
 * fault of the function, and no error here.
 */
int vgpu_sim_fn_doorbell(struct vgpu_sim_fn *fn, u64 tail)
{
	bool bad = false, kick = false;
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&fn->lock, flags);
	if (!fn->enabled)
		ret = -EIO;
	else if (!fn->fault && vgpu_sim_ring_tail_valid(&fn->ring, tail))
		fn->ring.tail = tail;
	else
		bad = !fn->fault;
	if (vgpu_sim_fn_runnable(fn))
		kick = !test_and_set_bit(fn->number, fn->sim->engine.runnable);
	spin_unlock_irqrestore(&fn->lock, flags);

	if (bad)
		vgpu_sim_fn_fault(fn, VGPU_FAULT_BAD_DOORBELL, 0);
	if (kick)
		vgpu_sim_engine_kick(fn->sim);
	return ret;
}
