// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim VF registers
 *
 * The registers of a VF as its guest reads and writes them through the window:
 * <drm/vgpu_drm.h> says what they mean. Here is no file and no user memory, so that
 * a test can play the guest.
 *
 * One guest at a time is attached. What it finds is a stopped ring, and no fence,
 * fault or interrupt of the guest before it; what it leaves behind is a stopped
 * ring.
 *
 * Unhappy path: a register that is none, or cannot be written, is -EINVAL. A
 * VF that is disabled has no ring and sends no requests: -EIO. What a guest
 * does wrong with its ring is no error of the write, but a fault of the VF.
 *
 * Locking: as the registers' owners have it, see vgpu_sim_fn.c. Interrupts to
 * the PF's driver are delivered from here, where no lock is held.
 */

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/eventfd.h>

#include "vgpu_sim.h"

/**
 * vgpu_sim_vf_attach() - a guest comes
 * @fn: its VF
 * @mapping: of its window, or NULL if it will not map memory
 *
 * Return: 0, and vgpu_sim_vf_detach() is due; or -EBUSY if there is a guest.
 */
int vgpu_sim_vf_attach(struct vgpu_sim_fn *fn, struct address_space *mapping)
{
	bool busy;

	spin_lock_irq(&fn->lock);
	busy = fn->attached;
	if (!busy) {
		fn->attached = true;
		fn->irq_status = 0;
		fn->fence = 0;
		fn->fault = VGPU_FAULT_NONE;
		fn->fault_addr = 0;
		fn->ring.next_base = 0;
	}
	spin_unlock_irq(&fn->lock);
	if (busy)
		return -EBUSY;

	mutex_lock(&fn->map_lock);
	fn->mapping = mapping;
	mutex_unlock(&fn->map_lock);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_vf_attach);

static void set_eventfd(struct vgpu_sim_fn *fn, struct eventfd_ctx *eventfd)
{
	struct eventfd_ctx *old;

	spin_lock_irq(&fn->lock);
	old = fn->eventfd;
	fn->eventfd = eventfd;
	spin_unlock_irq(&fn->lock);
	if (old)
		eventfd_ctx_put(old);
}

/**
 * vgpu_sim_vf_detach() - a guest goes
 * @fn: its VF
 */
void vgpu_sim_vf_detach(struct vgpu_sim_fn *fn)
{
	/* No ring is one that can be set, unless the VF is disabled. */
	vgpu_sim_fn_set_ring(fn, 0);
	vgpu_sim_mbox_orphan(fn);
	set_eventfd(fn, NULL);

	mutex_lock(&fn->map_lock);
	vgpu_sim_zap(fn);
	fn->mapping = NULL;
	mutex_unlock(&fn->map_lock);

	/* Last: from here on another guest may come. */
	spin_lock_irq(&fn->lock);
	fn->attached = false;
	spin_unlock_irq(&fn->lock);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_vf_detach);

/**
 * vgpu_sim_vf_set_eventfd() - VGPU_VF_IOC_SET_EVENTFD
 * @fn: the VF
 * @fd: a file descriptor of the caller, or -1 for none
 *
 * Return: 0, or -errno if it is not an eventfd.
 */
int vgpu_sim_vf_set_eventfd(struct vgpu_sim_fn *fn, int fd)
{
	struct eventfd_ctx *eventfd = NULL;

	if (fd < -1)
		return -EBADF;
	if (fd >= 0) {
		eventfd = eventfd_ctx_fdget(fd);
		if (IS_ERR(eventfd))
			return PTR_ERR(eventfd);
	}
	set_eventfd(fn, eventfd);
	return 0;
}

static u64 status_locked(const struct vgpu_sim_fn *fn)
{
	u64 status = 0;

	if (fn->enabled)
		status |= VGPU_VF_STATUS_ENABLED;
	if (fn->fault)
		status |= VGPU_VF_STATUS_FAULT;
	return status;
}

static int read_locked(const struct vgpu_sim_fn *fn, u64 reg, u64 *value)
{
	lockdep_assert_held(&fn->lock);

	switch (reg) {
	case VGPU_VF_REG_IDENT:
		*value = VGPU_VF_IDENT_VALUE;
		return 0;
	case VGPU_VF_REG_STATUS:
		*value = status_locked(fn);
		return 0;
	case VGPU_VF_REG_MEM_SIZE:
		*value = fn->enabled ? fn->mem_size : 0;
		return 0;
	case VGPU_VF_REG_RESETS:
		*value = fn->resets;
		return 0;
	case VGPU_VF_REG_IRQ_STATUS:
		*value = fn->irq_status;
		return 0;
	case VGPU_VF_REG_RING_BASE:
		*value = fn->ring.next_base;
		return 0;
	case VGPU_VF_REG_RING_ENTRIES:
		*value = fn->ring.entries;
		return 0;
	case VGPU_VF_REG_RING_HEAD:
		*value = fn->ring.head;
		return 0;
	case VGPU_VF_REG_RING_TAIL:
		*value = fn->ring.tail;
		return 0;
	case VGPU_VF_REG_FENCE:
		*value = fn->fence;
		return 0;
	case VGPU_VF_REG_FAULT:
		*value = fn->fault;
		return 0;
	case VGPU_VF_REG_FAULT_ADDR:
		*value = fn->fault_addr;
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * vgpu_sim_vf_read() - a guest reads a register
 * @fn: its VF
 * @reg: VGPU_VF_REG_*
 * @value: set to its value
 *
 * Return: 0, or -EINVAL if there is no such register.
 */
int vgpu_sim_vf_read(struct vgpu_sim_fn *fn, u64 reg, u64 *value)
{
	int ret;

	if (reg >= VGPU_VF_REG_MBOX_ARG0)
		return vgpu_sim_mbox_vf_read(fn, reg, value);

	spin_lock_irq(&fn->lock);
	ret = read_locked(fn, reg, value);
	spin_unlock_irq(&fn->lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_vf_read);

static int mbox_write(struct vgpu_sim_fn *fn, u64 reg, u64 value)
{
	bool enabled;

	spin_lock_irq(&fn->lock);
	enabled = fn->enabled;
	spin_unlock_irq(&fn->lock);

	if (!enabled && reg == VGPU_VF_REG_MBOX_SEND)
		return -EIO;
	return vgpu_sim_mbox_vf_write(fn, reg, value);
}

static int write_one(struct vgpu_sim_fn *fn, u64 reg, u64 value)
{
	switch (reg) {
	case VGPU_VF_REG_IRQ_STATUS:
		spin_lock_irq(&fn->lock);
		fn->irq_status &= ~value;
		spin_unlock_irq(&fn->lock);
		return 0;
	case VGPU_VF_REG_RING_BASE:
		spin_lock_irq(&fn->lock);
		fn->ring.next_base = value;
		spin_unlock_irq(&fn->lock);
		return 0;
	case VGPU_VF_REG_RING_ENTRIES:
		return vgpu_sim_fn_set_ring(fn, value);
	case VGPU_VF_REG_RING_TAIL:
		return vgpu_sim_fn_doorbell(fn, value);
	default:
		return mbox_write(fn, reg, value);
	}
}

/**
 * vgpu_sim_vf_write() - a guest writes a register
 * @fn: its VF
 * @reg: VGPU_VF_REG_*
 * @value: its value
 *
 * Return: 0; -EINVAL if there is no such register, or it cannot be written;
 * -EIO if it is of no use while the VF is disabled; -EBUSY if the mailbox is
 * full.
 */
int vgpu_sim_vf_write(struct vgpu_sim_fn *fn, u64 reg, u64 value)
{
	int ret = write_one(fn, reg, value);

	vgpu_sim_irq_deliver(fn->sim);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_vf_write);
