// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: locking
 *
 * An *operation* is what changes an adapter: a registration, a removal, a prepare, a
 * cancel, a discard. One at a time is under way, and the driver's callbacks run
 * within it. It is not a lock that is held: the adapter is marked as busy. A driver's
 * registration and removal wait until it is not. Requests of user space do not wait: a
 * prepare, cancel or discard that meets another operation is refused with -EBUSY. Only
 * for what the core does by itself, when a driver was bound for example, they wait a
 * second at most: nobody has asked for that, and it is over soon.
 *
 * Each adapter has three mutexes.
 *
 * status_lock
 *	protects what can be read while an operation goes on. Held for moments: no
 *	memory is allocated under it.
 *
 * notify_lock
 *	is held during a notification of user space: the last notification shows the
 *	last state. The result of an operation is announced when the operation has
 *	ended. A program that waits for a state and acts on it is not refused because
 *	of the operation that led there.
 *
 * silence_lock
 *	is held while a device is silenced and its stash unmapped, for a discard or because
 *	it is removed. The notifier of the removal waits for it: the function that silences
 *	a device belongs to its module, and the IOMMU's domain goes with the device.
 *
 * All adapters share three more. That of the page index is held while the pages of
 * one range are entered or removed. No memory is allocated under it: a shrinker can
 * drop blocks. That of the list of adapters is held while an adapter is looked for,
 * and made if there is none, with its files in sysfs, and while all are looked at:
 * before system sleep or a reboot, by a timeout, and after each change of a state. Then
 * the status_locks of two adapters are held. Nothing waits for an operation under it. That
 * of the watched buses is held while a notifier is added to a bus or removed from it,
 * and not in the notifier. The order is::
 *
 *	lock of the device -> operation -> list of adapters -> status_lock
 *	operation -> notify_lock -> status_lock
 *	operation -> page index
 *	operation -> silence_lock -> list of adapters
 *
 * Under any of these, a spinlock protects the records of references to drivers' modules.
 *
 * The driver core calls the notifier of a bus under a lock of that bus, and often that
 * of the device. The notifier does not wait for an operation: it records the event,
 * and the operation under way acts on it when it ends. Only that of a removal waits a
 * second at most, if there is no driver. No operation waits for the lock
 * of the device. A work item takes that lock, on a queue that no operation waits for,
 * and does not keep it while it waits for an operation: it comes again at its end.
 *
 * No lock is held when a function of the interface returns. A driver must not
 * hold a lock that its callbacks take while it registers, unregisters, prepares or
 * cancels: all of these wait for callbacks, or make them.
 */

/**
 * hotupdate_op_init - get ready for operations
 * @op: gate of a new adapter
 */
void hotupdate_op_init(struct hotupdate_op *op)
{
	static struct lock_class_key key;

	op->task = 0;
	op->events = 0;
	atomic_set(&op->waiting, 0);
	init_waitqueue_head(&op->idle);
	/* A driver must not wait for an operation under a lock that a callback takes. */
	lockdep_init_map(&op->dep_map, "hotupdate_op", &key, 0);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_op_init);

/* Set once, before there is an adapter. */
static void (*op_settle)(struct drm_hotupdate_adapter *adapter, unsigned long events);

/**
 * hotupdate_op_set_settle - set the function that acts on events
 * @settle: function; called within an operation, with a bit for each
 *	&enum hotupdate_event, from any task
 */
void hotupdate_op_set_settle(void (*settle)(struct drm_hotupdate_adapter *adapter,
					    unsigned long events))
{
	op_settle = settle;
}

/* In op->task: the core has begun the operation by itself. */
#define OP_OF_CORE	1ul

/* A request of user space waits so long for operations of the core. */
#define OP_WAIT_MS	1000

/* Fully ordered on success: see hotupdate_op_is_busy(). */
static bool op_enter(struct hotupdate_op *op, unsigned long whose)
{
	return !cmpxchg(&op->task, 0, (unsigned long)current | whose);
}

/* For operations of the core. */
static bool op_try_enter(struct hotupdate_op *op)
{
	if (!op_enter(op, OP_OF_CORE))
		return false;
	mutex_acquire(&op->dep_map, 0, 1, _RET_IP_);
	return true;
}

/* Acting on an event can be a reason for another one. */
static void op_settle_events(struct drm_hotupdate_adapter *adapter)
{
	unsigned long events;

	while ((events = xchg(&adapter->op.events, 0)))
		op_settle(adapter, events);
}

/**
 * hotupdate_op_begin - begin an operation, after any other one
 * @adapter: adapter
 *
 * Context: Process context, may sleep. Not from a callback.
 */
void hotupdate_op_begin(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_op *op = &adapter->op;

	might_sleep();
	mutex_acquire(&op->dep_map, 0, 0, _RET_IP_);
	atomic_inc(&op->waiting);
	wait_event(op->idle, op_enter(op, 0));
	atomic_dec(&op->waiting);
	op_settle_events(adapter);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_op_begin);

/* True if a request of user space has entered, or is refused, and waits no longer. */
static bool op_answer(struct hotupdate_op *op, bool *entered)
{
	unsigned long task;

	/* Requests that come all the time must not keep a waiting driver from its turn. */
	if (atomic_read(&op->waiting))
		return true;
	*entered = op_enter(op, 0);
	if (*entered)
		return true;
	/* If it is 0 by now, whoever has left wakes this task. */
	task = READ_ONCE(op->task);
	return task && !(task & OP_OF_CORE);
}

/**
 * hotupdate_op_try - begin an operation that user space asks for
 * @adapter: adapter
 * @operation: its name
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EBUSY if another operation is under way, which may be the caller's
 * own if this is one of its callbacks.
 */
int hotupdate_op_try(struct drm_hotupdate_adapter *adapter, const char *operation)
{
	struct hotupdate_op *op = &adapter->op;
	bool entered = false;

	might_sleep();
	if (!hotupdate_op_is_mine(adapter))
		wait_event_killable_timeout(op->idle, op_answer(op, &entered),
					    msecs_to_jiffies(OP_WAIT_MS));
	if (entered) {
		mutex_acquire(&op->dep_map, 0, 1, _RET_IP_);
		op_settle_events(adapter);
		return 0;
	}
	return hotupdate_error(adapter, -EBUSY,
			       "%s refused: another operation is under way in state %s",
			       operation, hotupdate_state_name(READ_ONCE(adapter->state)));
}

/**
 * hotupdate_op_try_quietly - begin an operation of the core if none is under way
 * @adapter: adapter
 *
 * Requests of user space wait for its end, a second at most.
 *
 * Return: false if one is.
 */
bool hotupdate_op_try_quietly(struct drm_hotupdate_adapter *adapter)
{
	if (!op_try_enter(&adapter->op))
		return false;
	op_settle_events(adapter);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_op_try_quietly);

/**
 * hotupdate_op_is_mine - whether the caller is in an operation, in one of its callbacks
 * @adapter: adapter
 *
 * Return: true if so.
 */
bool hotupdate_op_is_mine(struct drm_hotupdate_adapter *adapter)
{
	return (READ_ONCE(adapter->op.task) & ~OP_OF_CORE) == (unsigned long)current;
}

/**
 * hotupdate_op_is_busy - whether an operation is under way
 * @adapter: adapter
 *
 * After a full memory barrier, an operation for which this is false sees everything
 * that was written before the barrier. If it is false, all is seen that earlier
 * operations have written.
 *
 * Return: true if so.
 */
bool hotupdate_op_is_busy(struct drm_hotupdate_adapter *adapter)
{
	/* Pairs with the release in op_leave(). */
	return smp_load_acquire(&adapter->op.task);
}

static void op_leave(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_op *op = &adapter->op;
	bool untold;

	op_settle_events(adapter);
	untold = adapter->untold;
	adapter->untold = false;
	mutex_release(&op->dep_map, _RET_IP_);
	/* Pairs with op_enter(): the next operation sees all that this one has written. */
	smp_store_release(&op->task, 0);
	wake_up_all(&op->idle);
	if (untold)
		hotupdate_notify(adapter);
}

/**
 * hotupdate_op_end - end an operation
 * @adapter: adapter within an operation of the caller, and no callback running
 *
 * Acts on events that were recorded meanwhile. Notifies user space if the state has
 * changed. A program can act on the new state at once: this operation is not in its
 * way any more.
 */
void hotupdate_op_end(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_op *op = &adapter->op;

	get_device(&adapter->dev);
	do {
		op_leave(adapter);
		/* Pairs with hotupdate_op_post(): either it enters, or its event is seen. */
		smp_mb();
	} while (READ_ONCE(op->events) && op_try_enter(op));
	put_device(&adapter->dev);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_op_end);

/**
 * hotupdate_op_post - record an event, to be acted on as soon as possible
 * @adapter: adapter
 * @event: event
 *
 * If no operation is under way, it is acted on before this returns; otherwise at the
 * end of that operation, or at the begin of the next. A notifier of the driver core
 * does not wait for operations: their callbacks can wait for it.
 *
 * Context: Process context, may sleep.
 */
void hotupdate_op_post(struct drm_hotupdate_adapter *adapter, enum hotupdate_event event)
{
	set_bit(event, &adapter->op.events);
	/* Pairs with hotupdate_op_end(). */
	smp_mb__after_atomic();
	if (op_try_enter(&adapter->op))
		hotupdate_op_end(adapter);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_op_post);

/**
 * hotupdate_callback_result - judge what a callback of the driver returned
 * @adapter: adapter
 * @callback: name of the callback
 * @result: its return value
 *
 * Return: @result if it is 0 or a negative errno; -EINVAL for anything else, which
 * is a bug of the driver (W20).
 */
int hotupdate_callback_result(struct drm_hotupdate_adapter *adapter,
			      const char *callback, int result)
{
	if (result <= 0 && result >= -MAX_ERRNO)
		return result;

	return hotupdate_error(adapter, -EINVAL,
			       "%s of driver %s returned %d, neither 0 nor an errno",
			       callback, adapter->driver, result);
}

/**
 * hotupdate_callback_begin - get ready to call the driver
 * @adapter: adapter with a driver attached
 *
 * The module cannot go until hotupdate_callback_end().
 *
 * Return: 0, or -ENODEV if the driver's module is being unloaded.
 */
int hotupdate_callback_begin(struct drm_hotupdate_adapter *adapter)
{
	lockdep_assert_held(&adapter->op);

	return hotupdate_owner_get(adapter, HOTUPDATE_REF_CALLBACK) ? 0 : -ENODEV;
}

/**
 * hotupdate_callback_end - undo hotupdate_callback_begin()
 * @adapter: adapter
 */
void hotupdate_callback_end(struct drm_hotupdate_adapter *adapter)
{
	hotupdate_owner_put(adapter, HOTUPDATE_REF_CALLBACK);
}
