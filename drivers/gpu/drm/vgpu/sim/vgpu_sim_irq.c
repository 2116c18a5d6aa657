// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim interrupt
 *
 * Causes are latched in the status until the driver clears them. A cause that
 * is enabled signals the interrupt, as an MSI does: once for each time, however
 * often the bit was set already, so that a driver which clears first and looks
 * then misses nothing. What was signalled while no handler was there is made
 * up for when one is requested.
 *
 * The handler runs in atomic context, with interrupts off, and it runs where
 * the device does: in the engine's thread, or in the system call of a guest.
 * It is never called from within the driver's own register writes: the driver
 * may hold the very lock there that its handler takes. What they cause is left
 * to the engine's thread. request_irq is the one exception, as with real
 * interrupts.
 *
 * Locking: &vgpu_sim_irq.delivery is held while the handler runs, and only
 * then are other locks taken inside it: the driver's, and by its register
 * accesses those of registers and mailbox. &vgpu_sim_irq.lock is a leaf.
 */

#include <kunit/visibility.h>
#include <linux/errno.h>

#include "vgpu_sim.h"

#define IRQ_ALL	(VGPU_IRQ_MBOX | VGPU_IRQ_PF_FENCE | VGPU_IRQ_FAULT)

/**
 * vgpu_sim_irq_init() - make the interrupt of a device
 * @irq: the interrupt, zeroed
 */
void vgpu_sim_irq_init(struct vgpu_sim_irq *irq)
{
	spin_lock_init(&irq->delivery);
	spin_lock_init(&irq->lock);
}

static void signal_locked(struct vgpu_sim_irq *irq, u64 bits)
{
	lockdep_assert_held(&irq->lock);
	if (irq->handler && (bits & irq->enable))
		WRITE_ONCE(irq->signalled, true);
}

/**
 * vgpu_sim_irq_raise() - latch causes
 * @sim: the device
 * @bits: VGPU_IRQ_*
 *
 * The handler is not called yet: vgpu_sim_irq_deliver() does that.
 */
void vgpu_sim_irq_raise(struct vgpu_sim *sim, u64 bits)
{
	struct vgpu_sim_irq *irq = &sim->irq;
	unsigned long flags;

	spin_lock_irqsave(&irq->lock, flags);
	irq->status |= bits;
	signal_locked(irq, bits);
	spin_unlock_irqrestore(&irq->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_irq_raise);

/**
 * vgpu_sim_irq_raise_fault() - latch that a ring stopped
 * @sim: the device
 * @number: of the function
 */
void vgpu_sim_irq_raise_fault(struct vgpu_sim *sim, unsigned int number)
{
	struct vgpu_sim_irq *irq = &sim->irq;
	unsigned long flags;

	spin_lock_irqsave(&irq->lock, flags);
	if (number)
		irq->vf_faults |= BIT_ULL(number - 1);
	irq->status |= VGPU_IRQ_FAULT;
	signal_locked(irq, VGPU_IRQ_FAULT);
	spin_unlock_irqrestore(&irq->lock, flags);
}

static bool take_signal(struct vgpu_sim_irq *irq)
{
	bool due;

	lockdep_assert_held(&irq->delivery);

	/* Interrupts are off already, by @delivery. */
	spin_lock(&irq->lock);
	due = irq->signalled;
	WRITE_ONCE(irq->signalled, false);
	spin_unlock(&irq->lock);
	return due;
}

static void deliver_locked(struct vgpu_sim *sim)
{
	struct vgpu_sim_irq *irq = &sim->irq;

	lockdep_assert_held(&irq->delivery);
	if (take_signal(irq) && irq->handler) {
		atomic64_inc(&sim->count.interrupts);
		irq->handler(irq->data);
	}
}

/**
 * vgpu_sim_irq_deliver() - call the handler if it is due
 * @sim: the device
 *
 * Context: any but a register access of the driver; no lock of the device
 * is held.
 */
void vgpu_sim_irq_deliver(struct vgpu_sim *sim)
{
	unsigned long flags;

	if (!vgpu_sim_irq_signalled(sim))
		return;

	spin_lock_irqsave(&sim->irq.delivery, flags);
	deliver_locked(sim);
	spin_unlock_irqrestore(&sim->irq.delivery, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_irq_deliver);

/**
 * vgpu_sim_irq_signalled() - is the handler due?
 * @sim: the device
 *
 * Return: true if vgpu_sim_irq_deliver() would call it.
 */
bool vgpu_sim_irq_signalled(struct vgpu_sim *sim)
{
	return READ_ONCE(sim->irq.signalled);
}

/**
 * vgpu_sim_irq_clear() - VGPU_HW_IRQ_STATUS is written
 * @sim: the device
 * @bits: to clear
 */
void vgpu_sim_irq_clear(struct vgpu_sim *sim, u64 bits)
{
	unsigned long flags;

	spin_lock_irqsave(&sim->irq.lock, flags);
	sim->irq.status &= ~bits;
	spin_unlock_irqrestore(&sim->irq.lock, flags);
}

/**
 * vgpu_sim_irq_clear_faults() - VGPU_HW_VF_FAULTS is written
 * @sim: the device
 * @bits: to clear
 */
void vgpu_sim_irq_clear_faults(struct vgpu_sim *sim, u64 bits)
{
	unsigned long flags;

	spin_lock_irqsave(&sim->irq.lock, flags);
	sim->irq.vf_faults &= ~bits;
	spin_unlock_irqrestore(&sim->irq.lock, flags);
}

/**
 * vgpu_sim_irq_enable() - VGPU_HW_IRQ_ENABLE is written
 * @sim: the device
 * @bits: VGPU_IRQ_* that interrupt from now on; others are nonsense
 *
 * What is pending and enabled by this, interrupts.
 */
void vgpu_sim_irq_enable(struct vgpu_sim *sim, u64 bits)
{
	struct vgpu_sim_irq *irq = &sim->irq;
	unsigned long flags;

	if (bits & ~IRQ_ALL) {
		atomic64_inc(&sim->count.bad_writes);
		return;
	}

	spin_lock_irqsave(&irq->lock, flags);
	irq->enable = bits;
	signal_locked(irq, irq->status);
	spin_unlock_irqrestore(&irq->lock, flags);
}

/**
 * vgpu_sim_irq_reset() - registers of the interrupt as after power on
 * @sim: the device
 *
 * The handler stays: it belongs to the driver, not to the device.
 */
void vgpu_sim_irq_reset(struct vgpu_sim *sim)
{
	struct vgpu_sim_irq *irq = &sim->irq;
	unsigned long flags;

	spin_lock_irqsave(&irq->lock, flags);
	irq->status = 0;
	irq->enable = 0;
	irq->vf_faults = 0;
	WRITE_ONCE(irq->signalled, false);
	spin_unlock_irqrestore(&irq->lock, flags);
}

/**
 * vgpu_sim_irq_request() - &vgpu_hw_ops.request_irq
 * @hw: the device
 * @handler: to be called, at once if something is pending
 * @data: for @handler
 *
 * Context: process.
 * Return: 0, or -EBUSY if there is a handler.
 */
int vgpu_sim_irq_request(struct vgpu_hw *hw, void (*handler)(void *data),
			 void *data)
{
	struct vgpu_sim *sim = to_vgpu_sim(hw);
	struct vgpu_sim_irq *irq = &sim->irq;
	unsigned long flags;
	int ret = -EBUSY;

	might_sleep();
	spin_lock_irqsave(&irq->delivery, flags);
	spin_lock(&irq->lock);
	if (!irq->handler) {
		irq->handler = handler;
		irq->data = data;
		signal_locked(irq, irq->status);
		ret = 0;
	}
	spin_unlock(&irq->lock);
	if (!ret)
		deliver_locked(sim);
	spin_unlock_irqrestore(&irq->delivery, flags);
	return ret;
}

/**
 * vgpu_sim_irq_free() - &vgpu_hw_ops.free_irq
 * @hw: the device
 *
 * Context: process. Returns when the handler runs no more, and never again.
 */
void vgpu_sim_irq_free(struct vgpu_hw *hw)
{
	struct vgpu_sim_irq *irq = &to_vgpu_sim(hw)->irq;
	unsigned long flags;

	might_sleep();
	spin_lock_irqsave(&irq->delivery, flags);
	spin_lock(&irq->lock);
	irq->handler = NULL;
	irq->data = NULL;
	WRITE_ONCE(irq->signalled, false);
	spin_unlock(&irq->lock);
	spin_unlock_irqrestore(&irq->delivery, flags);
}
