// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "drm_hotupdate_internal.h"
#include "drm_hotupdate_trace.h"

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
		[HOTUPDATE_RESTORED] = "restored",
		[HOTUPDATE_UNCLAIMED] = "unclaimed",
		[HOTUPDATE_STALE] = "stale",
	};

	return names[state];
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_state_name);

/* An adapter is announced when its driver is bound, and not before (W1). */
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

/**
 * hotupdate_notify - tell user space of the adapter's state
 * @adapter: adapter
 *
 * The state of this moment is told, by one task at a time: the last news that user
 * space hears is where the adapter stands, whichever task was late.
 *
 * Context: Process context, may sleep. Takes notify_lock.
 */
void hotupdate_notify(struct drm_hotupdate_adapter *adapter)
{
	guard(mutex)(&adapter->notify_lock);

	if (adapter->removed)
		return;
	sysfs_notify(&adapter->dev.kobj, NULL, "state");
	/* Of what was too soon after the last time. */
	sysfs_notify(&adapter->dev.kobj, NULL, "progress");
	send_uevent(adapter);
}

/* The table beside enum hotupdate_state. */
static const unsigned long state_moves[] = {
	[HOTUPDATE_STARTING] = BIT(HOTUPDATE_RUNNING) | BIT(HOTUPDATE_NONE),
	[HOTUPDATE_RUNNING] = BIT(HOTUPDATE_SAVING) | BIT(HOTUPDATE_NONE),
	[HOTUPDATE_SAVING] = BIT(HOTUPDATE_SAVED) | BIT(HOTUPDATE_RUNNING),
	[HOTUPDATE_SAVED] = BIT(HOTUPDATE_DETACHED) | BIT(HOTUPDATE_RUNNING) |
			    BIT(HOTUPDATE_STALE),
	[HOTUPDATE_DETACHED] = BIT(HOTUPDATE_RESTORING) | BIT(HOTUPDATE_UNCLAIMED) |
			       BIT(HOTUPDATE_STALE) | BIT(HOTUPDATE_NONE),
	[HOTUPDATE_RESTORING] = BIT(HOTUPDATE_RESTORED) | BIT(HOTUPDATE_DETACHED),
	[HOTUPDATE_RESTORED] = BIT(HOTUPDATE_RUNNING) | BIT(HOTUPDATE_DETACHED) |
			       BIT(HOTUPDATE_STALE),
	[HOTUPDATE_UNCLAIMED] = BIT(HOTUPDATE_RESTORING) | BIT(HOTUPDATE_STALE),
	[HOTUPDATE_STALE] = BIT(HOTUPDATE_NONE),
};

/**
 * hotupdate_state_can_move - whether an adapter moves from one state to another
 * @from: state
 * @to: next state
 *
 * Return: true if the table has that move.
 */
bool hotupdate_state_can_move(enum hotupdate_state from, enum hotupdate_state to)
{
	return from < ARRAY_SIZE(state_moves) && state_moves[from] & BIT(to);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_state_can_move);

/* Set once, before there is an adapter, or not at all. */
static void (*status_hook)(void);

/**
 * hotupdate_status_set_hook - set the function that is called after each change
 * @changed: function
 */
void hotupdate_status_set_hook(void (*changed)(void))
{
	status_hook = changed;
}

/**
 * hotupdate_status_changed - report that the state or the driver of an adapter changed
 *
 * Context: Process context, may sleep. No status_lock is held.
 */
void hotupdate_status_changed(void)
{
	if (status_hook)
		status_hook();
}

/**
 * hotupdate_set_state - move an adapter to the state that an operation ends in
 * @adapter: adapter
 * @state: new state
 *
 * User space is told by hotupdate_op_end(), when it can begin the next operation.
 */
void hotupdate_set_state(struct drm_hotupdate_adapter *adapter,
			 enum hotupdate_state state)
{
	enum hotupdate_state old = adapter->state;

	lockdep_assert_held(&adapter->op);
	WARN_ONCE(!hotupdate_state_can_move(old, state), "%s moves from %s to %s\n",
		  dev_name(&adapter->dev), hotupdate_state_name(old),
		  hotupdate_state_name(state));

	scoped_guard(mutex, &adapter->status_lock)
		WRITE_ONCE(adapter->state, state);

	adapter->untold = true;
	adapter->tell_later = false;
	trace_drm_hotupdate_state(adapter, old, state);
	hotupdate_status_changed();
}

/**
 * hotupdate_is_lost - whether the device of an adapter is lost
 * @adapter: adapter
 *
 * Return: true if it was reported lost, or was removed.
 */
bool hotupdate_is_lost(const struct drm_hotupdate_adapter *adapter)
{
	return test_bit(HOTUPDATE_FLAG_LOST, &adapter->flags);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_is_lost);

/**
 * hotupdate_has_stash - whether a stash that can be restored stands in a state
 * @state: state
 *
 * Return: true from the end of the save to the commit.
 */
bool hotupdate_has_stash(enum hotupdate_state state)
{
	switch (state) {
	case HOTUPDATE_SAVED:
	case HOTUPDATE_DETACHED:
	case HOTUPDATE_RESTORING:
	case HOTUPDATE_RESTORED:
	case HOTUPDATE_UNCLAIMED:
		return true;
	default:
		return false;
	}
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_has_stash);

/**
 * hotupdate_set_stale - give up the hope that a stash can be restored
 * @adapter: adapter with a stash
 * @reason: reason, a phrase
 *
 * Its pages stay pinned: the device may still use them.
 */
void hotupdate_set_stale(struct drm_hotupdate_adapter *adapter, const char *reason)
{
	scoped_guard(mutex, &adapter->status_lock)
		strscpy(adapter->stale_reason, reason);
	hotupdate_error(adapter, -ESTALE, "%u blocks cannot be restored any more: %s",
			adapter->stash.count, reason);
	hotupdate_set_state(adapter, HOTUPDATE_STALE);
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
	hotupdate_notify(adapter);
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
	scoped_guard(mutex, &adapter->status_lock) {
		scnprintf(adapter->last_error, sizeof(adapter->last_error),
			  "%pV (%pe)", &vaf, ERR_PTR(err));
		adapter->told = HOTUPDATE_REF_NONE;
	}
	va_end(args);

	va_start(args, fmt);
	dev_err(&adapter->dev, "%pV (%pe)\n", &vaf, ERR_PTR(err));
	va_end(args);
	return err;
}

/**
 * hotupdate_error_block - log that a block is refused
 * @adapter: adapter
 * @err: negative errno
 * @block: index of the block
 * @refusal: reason; only last_error names the page and the address in it, because the
 *	log has more readers
 */
void hotupdate_error_block(struct drm_hotupdate_adapter *adapter, int err,
			   unsigned int block, const struct hotupdate_refusal *refusal)
{
	const char *reason = refusal->reason ?: "no memory for its description";
	char addr[48] = "";

	if (!refusal->has_pfn) {
		hotupdate_error(adapter, err, "block %u refused: %s", block, reason);
		return;
	}

	if (refusal->has_addr)
		scnprintf(addr, sizeof(addr), " with DMA address %pad", &refusal->addr);
	scoped_guard(mutex, &adapter->status_lock) {
		scnprintf(adapter->last_error, sizeof(adapter->last_error),
			  "block %u refused: page %#llx%s %s (%pe)", block, refusal->pfn,
			  addr, reason, ERR_PTR(err));
		adapter->told = HOTUPDATE_REF_NONE;
	}
	dev_err(&adapter->dev, "block %u refused: a page%s %s (%pe)\n", block,
		refusal->has_addr ? " with a DMA address" : "", reason, ERR_PTR(err));
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

	lockdep_assert_held(&adapter->op);

	adapter->phase_start = now;
	return ns;
}

/**
 * hotupdate_blackout_ns - how long nobody served in the last update
 * @adapter: adapter, within an operation or with its status_lock held
 *
 * Return: Nanoseconds, so far if the update is not over.
 */
u64 hotupdate_blackout_ns(const struct drm_hotupdate_adapter *adapter)
{
	const struct hotupdate_blackout *blackout = &adapter->blackout;

	return blackout->save_ns + blackout->detached_ns + blackout->replay_ns +
	       blackout->start_ns;
}
