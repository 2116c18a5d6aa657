// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim registers
 *
 * The registers of ../vgpu_hw.h as the PF's driver reads and writes them. What
 * a write means is the matter of other files; here it is found out which
 * register it is, and whether it may be.
 *
 * A device without a driver can be silenced: it is reset, and refuses to enable a
 * function before a driver has reset it too.
 *
 * Unhappy path: a write without a meaning (no such register, one that is read
 * only, a value out of range) changes nothing and is counted.
 *
 * Locking: single registers are read and written under the lock of what they
 * belong to. Writes that take something away may sleep.
 */

#include <kunit/visibility.h>
#include <linux/spinlock.h>

#include "vgpu_sim.h"

static u64 locked_read(spinlock_t *lock, const u64 *reg)
{
	unsigned long flags;
	u64 value;

	spin_lock_irqsave(lock, flags);
	value = *reg;
	spin_unlock_irqrestore(lock, flags);
	return value;
}

static void locked_write(spinlock_t *lock, u64 *reg, u64 value)
{
	unsigned long flags;

	spin_lock_irqsave(lock, flags);
	*reg = value;
	spin_unlock_irqrestore(lock, flags);
}

static u64 device_read(struct vgpu_sim *sim, u32 reg)
{
	struct vgpu_sim_irq *irq = &sim->irq;

	switch (reg) {
	case VGPU_HW_IDENT:
		return VGPU_HW_IDENT_VALUE;
	case VGPU_HW_TOTAL_VFS:
		return sim->total_vfs;
	case VGPU_HW_RESET:
		return 0;
	case VGPU_HW_RESETS:
		return atomic64_read(&sim->count.device_resets);
	case VGPU_HW_IRQ_STATUS:
		return locked_read(&irq->lock, &irq->status);
	case VGPU_HW_IRQ_ENABLE:
		return locked_read(&irq->lock, &irq->enable);
	case VGPU_HW_VF_FAULTS:
		return locked_read(&irq->lock, &irq->vf_faults);
	default:
		return vgpu_sim_mbox_pf_read(sim, reg);
	}
}

static u64 status_locked(const struct vgpu_sim_fn *fn)
{
	u64 status = 0;

	lockdep_assert_held(&fn->lock);
	if (fn->enabled)
		status |= VGPU_FN_STATUS_ENABLED;
	if (fn->ring.head != fn->ring.tail)
		status |= VGPU_FN_STATUS_BUSY;
	if (fn->attached)
		status |= VGPU_FN_STATUS_ATTACHED;
	if (fn->fault)
		status |= VGPU_FN_STATUS_FAULT;
	return status;
}

static u64 fn_read_locked(const struct vgpu_sim_fn *fn, u32 reg)
{
	switch (reg) {
	case VGPU_FN_CTRL:
		return fn->enabled ? VGPU_FN_CTRL_ENABLE : 0;
	case VGPU_FN_STATUS:
		return status_locked(fn);
	case VGPU_FN_RESET:
	case VGPU_FN_INVALIDATE:
		return 0;
	case VGPU_FN_RESETS:
		return fn->resets;
	case VGPU_FN_TABLE:
		return fn->table;
	case VGPU_FN_MEM_SIZE:
		return fn->mem_size;
	case VGPU_FN_TIMESLICE_US:
		return fn->timeslice_us;
	case VGPU_FN_PRIORITY:
		return fn->priority;
	case VGPU_FN_FAULT:
		return fn->fault;
	case VGPU_FN_FAULT_ADDR:
		return fn->fault_addr;
	case VGPU_FN_RING_BASE:
		return fn->ring.next_base;
	case VGPU_FN_RING_ENTRIES:
		return fn->ring.entries;
	case VGPU_FN_RING_HEAD:
		return fn->ring.head;
	case VGPU_FN_RING_TAIL:
		return fn->ring.tail;
	case VGPU_FN_FENCE:
		return fn->fence;
	case VGPU_FN_ENGINE_NS:
		return fn->engine_ns;
	default:
		return ~0ull;
	}
}

static u64 fn_read(struct vgpu_sim_fn *fn, u32 reg)
{
	u64 sent, answered, value;
	unsigned long flags;

	switch (reg) {
	case VGPU_FN_MBOX_SENT:
		vgpu_sim_mbox_ids(fn, &sent, &answered);
		return sent;
	case VGPU_FN_MBOX_ANSWERED:
		vgpu_sim_mbox_ids(fn, &sent, &answered);
		return answered;
	}

	spin_lock_irqsave(&fn->lock, flags);
	value = fn_read_locked(fn, reg);
	spin_unlock_irqrestore(&fn->lock, flags);
	return value;
}

/* Finds the function that a register belongs to, and makes it relative. */
static struct vgpu_sim_fn *find_fn(struct vgpu_sim *sim, u32 *reg)
{
	u32 number;

	if (*reg < VGPU_FN_BASE)
		return NULL;
	number = (*reg - VGPU_FN_BASE) / VGPU_FN_STRIDE;
	if (number > sim->total_vfs)
		return NULL;
	*reg -= VGPU_FN(number, 0);
	return &sim->fns[number];
}

static u64 hw_read(struct vgpu_hw *hw, u32 reg)
{
	struct vgpu_sim *sim = to_vgpu_sim(hw);
	struct vgpu_sim_fn *fn = find_fn(sim, &reg);

	return fn ? fn_read(fn, reg) : device_read(sim, reg);
}

static void bad_write(struct vgpu_sim *sim)
{
	atomic64_inc(&sim->count.bad_writes);
}

static void device_clear(struct vgpu_sim *sim)
{
	unsigned int i;

	for (i = 0; i <= sim->total_vfs; i++)
		vgpu_sim_fn_reset(&sim->fns[i]);
	vgpu_sim_irq_reset(sim);
	vgpu_sim_mbox_pf_write(sim, VGPU_HW_MBOX_STATUS, 0);
	vgpu_sim_mbox_pf_write(sim, VGPU_HW_MBOX_VALUE, 0);
}

static void device_reset(struct vgpu_sim *sim)
{
	device_clear(sim);
	WRITE_ONCE(sim->silent, false);
	atomic64_inc(&sim->count.device_resets);
}

static void device_write(struct vgpu_sim *sim, u32 reg, u64 value)
{
	switch (reg) {
	case VGPU_HW_RESET:
		if (value == VGPU_RESET_MAGIC)
			device_reset(sim);
		else
			bad_write(sim);
		break;
	case VGPU_HW_IRQ_STATUS:
		vgpu_sim_irq_clear(sim, value);
		break;
	case VGPU_HW_IRQ_ENABLE:
		vgpu_sim_irq_enable(sim, value);
		break;
	case VGPU_HW_VF_FAULTS:
		vgpu_sim_irq_clear_faults(sim, value);
		break;
	default:
		vgpu_sim_mbox_pf_write(sim, reg, value);
	}
}

static void set_timeslice(struct vgpu_sim_fn *fn, u64 value)
{
	if (value < VGPU_TIMESLICE_US_MIN || value > VGPU_TIMESLICE_US_MAX)
		bad_write(fn->sim);
	else
		locked_write(&fn->lock, &fn->timeslice_us, value);
}

static void set_priority(struct vgpu_sim_fn *fn, u64 value)
{
	if (value > VGPU_PRIORITY_HIGH) {
		bad_write(fn->sim);
		return;
	}
	locked_write(&fn->lock, &fn->priority, value);
	vgpu_sim_sched_set_priority(&fn->sim->engine.sched, fn->number, value);
}

/* The ring of the PF. A VF's is its guest's. */
static void ring_write(struct vgpu_sim_fn *fn, u32 reg, u64 value)
{
	int ret = 0;

	if (fn->number) {
		bad_write(fn->sim);
		return;
	}

	switch (reg) {
	case VGPU_FN_RING_BASE:
		locked_write(&fn->lock, &fn->ring.next_base, value);
		break;
	case VGPU_FN_RING_ENTRIES:
		ret = vgpu_sim_fn_set_ring(fn, value);
		break;
	case VGPU_FN_RING_TAIL:
		ret = vgpu_sim_fn_doorbell(fn, value);
		break;
	}
	if (ret)
		bad_write(fn->sim);
}

static void fn_write(struct vgpu_sim_fn *fn, u32 reg, u64 value)
{
	switch (reg) {
	case VGPU_FN_CTRL:
		if (value & ~VGPU_FN_CTRL_ENABLE)
			bad_write(fn->sim);
		else
			vgpu_sim_fn_set_enabled(fn, value);
		break;
	case VGPU_FN_RESET:
		if (value == VGPU_RESET_MAGIC)
			vgpu_sim_fn_reset(fn);
		else
			bad_write(fn->sim);
		break;
	case VGPU_FN_TABLE:
		vgpu_sim_fn_set_table(fn, value);
		break;
	case VGPU_FN_MEM_SIZE:
		vgpu_sim_fn_set_mem_size(fn, value);
		break;
	case VGPU_FN_TIMESLICE_US:
		set_timeslice(fn, value);
		break;
	case VGPU_FN_PRIORITY:
		set_priority(fn, value);
		break;
	case VGPU_FN_INVALIDATE:
		vgpu_sim_fn_invalidate(fn);
		break;
	case VGPU_FN_RING_BASE:
	case VGPU_FN_RING_ENTRIES:
	case VGPU_FN_RING_TAIL:
		ring_write(fn, reg, value);
		break;
	default:
		bad_write(fn->sim);
	}
}

static void hw_write(struct vgpu_hw *hw, u32 reg, u64 value)
{
	struct vgpu_sim *sim = to_vgpu_sim(hw);
	struct vgpu_sim_fn *fn = find_fn(sim, &reg);

	if (fn)
		fn_write(fn, reg, value);
	else
		device_write(sim, reg, value);

	/* What this has caused interrupts from elsewhere: see vgpu_sim_irq.c */
	if (vgpu_sim_irq_signalled(sim))
		vgpu_sim_engine_kick(sim);
}

/*
 * Returns when neither the engine nor a guest's mapping accesses memory: the reset
 * of each function waits for that, and nothing can enable a function afterwards.
 */
static int hw_silence(struct device *dev)
{
	const struct vgpu_hw_pdata *pdata = dev_get_platdata(dev);
	struct vgpu_sim *sim = to_vgpu_sim(pdata->hw);

	device_lock_assert(dev);
	if (sim->silent)
		return 0;

	WRITE_ONCE(sim->silent, true);
	device_clear(sim);
	atomic64_inc(&sim->count.silences);
	return 0;
}

/** vgpu_sim_hw_ops - the device as its driver reaches it */
const struct vgpu_hw_ops vgpu_sim_hw_ops = {
	.read = hw_read,
	.write = hw_write,
	.request_irq = vgpu_sim_irq_request,
	.free_irq = vgpu_sim_irq_free,
	.silence = hw_silence,
};
