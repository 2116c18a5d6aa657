// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "drm_hotupdate_internal.h"
#include "drm_hotupdate_trace.h"

/**
 * DOC: locking
 *
 * Each adapter has three mutexes.
 *
 * op_lock
 *	serialises what changes the adapter, and is held while a callback of the
 *	driver runs. Drivers' registration and removal wait for it. What comes
 *	from user space does not: a prepare, cancel or discard that meets
 *	another operation is refused with -EBUSY.
 *
 * status_lock
 *	protects what can be read while an operation goes on. Held for moments: no
 *	memory is allocated under it.
 *
 * notify_lock
 *	is held while user space is told of the state, so that what it hears last
 *	is the last that has happened. It is told of what an operation has come to
 *	when op_lock is free again: who waits for a state to act on it is not
 *	refused because of the operation that has led there.
 *
 * All adapters share two more. That of the page index is held while the pages of
 * one range are entered or removed. No memory is allocated under it: a shrinker can
 * drop blocks. That of the list of adapters is held while an adapter is looked for,
 * and made if there is none, with its files in sysfs. The order is::
 *
 *	op_lock -> notify_lock -> status_lock
 *	op_lock -> page index
 *	list of adapters
 *
 * No lock is held when a function of the interface returns. A driver must not
 * hold a lock that its callbacks take while it registers, unregisters, prepares or
 * cancels: all of these wait for callbacks, or make them.
 */

/* Often enough for people, and too rare to cost anything. */
#define PROGRESS_PERIOD_MS	50

/**
 * hotupdate_state_name - name of a state in sysfs, uevents and traces
 * @state: state
 *
 * Return: The name.
 */
const char *hotupdate_state_name(enum hotupdate_state state)
{
	static const char * const names[] = {
		[HOTUPDATE_NONE] = "none",
		[HOTUPDATE_STARTING] = "starting",
		[HOTUPDATE_RUNNING] = "running",
		[HOTUPDATE_SAVING] = "saving",
		[HOTUPDATE_SAVED] = "saved",
		[HOTUPDATE_DETACHED] = "detached",
		[HOTUPDATE_RESTORING] = "restoring",
	};

	return names[state];
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_state_name);

/* An adapter is announced when its device has started, and not before (W1). */
static void send_uevent(struct drm_hotupdate_adapter *adapter)
{
	enum hotupdate_state state = READ_ONCE(adapter->state);

	if (!dev_get_uevent_suppress(&adapter->dev)) {
		kobject_uevent(&adapter->dev.kobj, KOBJ_CHANGE);
	} else if (state != HOTUPDATE_STARTING && state != HOTUPDATE_NONE) {
		dev_set_uevent_suppress(&adapter->dev, false);
		kobject_uevent(&adapter->dev.kobj, KOBJ_ADD);
	}
}

/*
 * What is told is the state of this moment, and one at a time tells it, so that
 * the last thing that is heard is where the adapter stands, whoever was late.
 */
static void notify(struct drm_hotupdate_adapter *adapter)
{
	guard(mutex)(&adapter->notify_lock);

	if (adapter->removed)
		return;
	sysfs_notify(&adapter->dev.kobj, NULL, "state");
	/* Of what was too soon after the last time. */
	sysfs_notify(&adapter->dev.kobj, NULL, "progress");
	send_uevent(adapter);
}

/**
 * hotupdate_set_state - move an adapter to the state that an operation ends in
 * @adapter: adapter
 * @state: new state
 *
 * User space is told by hotupdate_unlock(), when it can begin the next operation.
 */
void hotupdate_set_state(struct drm_hotupdate_adapter *adapter,
			 enum hotupdate_state state)
{
	enum hotupdate_state old = adapter->state;

	lockdep_assert_held(&adapter->op_lock);

	scoped_guard(mutex, &adapter->status_lock)
		WRITE_ONCE(adapter->state, state);

	adapter->untold = true;
	trace_drm_hotupdate_state(adapter, old, state);
}

/**
 * hotupdate_enter_state - move an adapter to the state that an operation is in
 * @adapter: adapter
 * @state: new state, which user space is told of at once
 */
void hotupdate_enter_state(struct drm_hotupdate_adapter *adapter,
			   enum hotupdate_state state)
{
	hotupdate_set_state(adapter, state);
	adapter->untold = false;
	adapter->progress_notified = jiffies;
	notify(adapter);
}

/**
 * hotupdate_set_progress - say how many blocks are done
 * @adapter: adapter
 * @done: blocks saved or replayed so far
 *
 * User space that polls is told now and then, not of every block.
 */
void hotupdate_set_progress(struct drm_hotupdate_adapter *adapter,
			    unsigned int done)
{
	WRITE_ONCE(adapter->progress, done);

	if (time_before(jiffies, adapter->progress_notified +
				 msecs_to_jiffies(PROGRESS_PERIOD_MS)))
		return;
	adapter->progress_notified = jiffies;
	sysfs_notify(&adapter->dev.kobj, NULL, "progress");
}

/**
 * hotupdate_error - log an error, and keep it for last_error
 * @adapter: adapter
 * @err: negative errno
 * @fmt: what was refused or failed and why, without the errno and a newline
 *
 * Return: @err.
 */
int hotupdate_error(struct drm_hotupdate_adapter *adapter, int err,
		    const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	scoped_guard(mutex, &adapter->status_lock)
		scnprintf(adapter->last_error, sizeof(adapter->last_error),
			  "%pV (%pe)", &vaf, ERR_PTR(err));
	va_end(args);

	va_start(args, fmt);
	dev_err(&adapter->dev, "%pV (%pe)\n", &vaf, ERR_PTR(err));
	va_end(args);
	return err;
}

/**
 * hotupdate_error_page - log that a block is refused because of a page
 * @adapter: adapter
 * @err: negative errno
 * @block: index of the block
 * @pfn: number of the page; only last_error names it, because the log has more
 *	readers
 * @reason: reason, a phrase with the page as its subject
 */
void hotupdate_error_page(struct drm_hotupdate_adapter *adapter, int err,
			  unsigned int block, u64 pfn, const char *reason)
{
	scoped_guard(mutex, &adapter->status_lock)
		scnprintf(adapter->last_error, sizeof(adapter->last_error),
			  "block %u refused: page %#llx %s (%pe)", block, pfn, reason,
			  ERR_PTR(err));
	dev_err(&adapter->dev, "block %u refused: a page %s (%pe)\n", block, reason,
		ERR_PTR(err));
}

/**
 * hotupdate_callback_result - judge what a callback of the driver returned
 * @adapter: adapter
 * @callback: name of the callback
 * @result: what it returned
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
	lockdep_assert_held(&adapter->op_lock);

	if (!try_module_get(adapter->owner))
		return -ENODEV;
	return 0;
}

/**
 * hotupdate_callback_end - undo hotupdate_callback_begin()
 * @adapter: adapter
 */
void hotupdate_callback_end(struct drm_hotupdate_adapter *adapter)
{
	module_put(adapter->owner);
}

/**
 * hotupdate_try_lock - begin an operation asked for by user space
 * @adapter: adapter
 * @what: name of the operation
 *
 * Return: 0 with the adapter's op_lock held, or -EBUSY if another operation is
 * under way, which may be the caller's own if this is one of its callbacks.
 */
int hotupdate_try_lock(struct drm_hotupdate_adapter *adapter, const char *what)
{
	if (mutex_trylock(&adapter->op_lock))
		return 0;

	return hotupdate_error(adapter, -EBUSY,
			       "%s refused: another operation is under way in state %s",
			       what, hotupdate_state_name(READ_ONCE(adapter->state)));
}

/**
 * hotupdate_unlock - end an operation
 * @adapter: adapter with its op_lock held, and no callback running
 *
 * Tells user space if the state has changed. Who hears of it can act on it at
 * once: this operation is not in its way any more.
 */
void hotupdate_unlock(struct drm_hotupdate_adapter *adapter)
{
	bool untold = adapter->untold;

	adapter->untold = false;
	get_device(&adapter->dev);
	mutex_unlock(&adapter->op_lock);
	if (untold)
		notify(adapter);
	put_device(&adapter->dev);
}

/**
 * hotupdate_phase_end - end a part of the blackout, and begin the next
 * @adapter: adapter
 *
 * Return: Nanoseconds since the last call or since phase_start was set.
 */
u64 hotupdate_phase_end(struct drm_hotupdate_adapter *adapter)
{
	ktime_t now = ktime_get();
	u64 ns = ktime_to_ns(ktime_sub(now, adapter->phase_start));

	lockdep_assert_held(&adapter->op_lock);

	adapter->phase_start = now;
	return ns;
}

/**
 * hotupdate_blackout_ns - how long nobody served in the last update
 * @adapter: adapter, with its op_lock or status_lock held
 *
 * Return: Nanoseconds, so far if the update is not over.
 */
u64 hotupdate_blackout_ns(const struct drm_hotupdate_adapter *adapter)
{
	const struct hotupdate_blackout *blackout = &adapter->blackout;

	return blackout->save_ns + blackout->detached_ns + blackout->replay_ns +
	       blackout->start_ns;
}
