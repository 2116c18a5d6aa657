// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include "drm_hotupdate_internal.h"
#include "drm_hotupdate_trace.h"

/**
 * DOC: prepare and cancel
 *
 * An update begins with a prepare: the driver's save_memory callback runs, and
 * either all of it stands in the stash afterwards, or nothing (U3). From then
 * on the driver serves nothing. Until it is removed the update can be cancelled:
 * the driver still holds everything (U2), and then serves as before. It is cancelled
 * without a request if the administrator has limited the time until the removal.
 */

static void prepare_clear_stash(struct drm_hotupdate_adapter *adapter)
{
	hotupdate_stash_clear(&adapter->stash, &adapter->status_lock, false);
	scoped_guard(mutex, &adapter->status_lock)
		WRITE_ONCE(adapter->version, adapter->driver_version);
}

static void call_cancel_save(struct drm_hotupdate_adapter *adapter,
			     unsigned int blocks, u64 bytes, int reason)
{
	ktime_t start = ktime_get();

	adapter->ops->cancel_save(adapter);
	trace_drm_hotupdate_cancel(adapter, blocks, bytes, reason,
				   ktime_to_ns(ktime_sub(ktime_get(), start)));
}

/*
 * Nothing is kept, and a driver that believes that it has saved is told so; the
 * reason is 0 if an administrator wants it, and otherwise an error.
 */
static void undo_save(struct drm_hotupdate_adapter *adapter, bool saved, int reason)
{
	unsigned int blocks = adapter->stash.count;
	u64 bytes = adapter->stash.bytes;

	prepare_clear_stash(adapter);
	if (saved)
		call_cancel_save(adapter, blocks, bytes, reason);
	hotupdate_hold_end(adapter, false);
}

static void begin_save(struct drm_hotupdate_adapter *adapter, u32 version)
{
	adapter->phase_start = ktime_get();
	adapter->deadline = KTIME_MAX;
	adapter->flags_of_stash = adapter->flags_of_driver;
	/* What is written there from now on is for the next save. */
	adapter->limit_ms = READ_ONCE(adapter->deadline_ms);
	if (adapter->limit_ms)
		adapter->deadline = ktime_add_ms(adapter->phase_start,
						 adapter->limit_ms);

	scoped_guard(mutex, &adapter->status_lock) {
		WRITE_ONCE(adapter->version, version);
		adapter->blackout = (struct hotupdate_blackout) { };
		adapter->last_error[0] = '\0';
		adapter->told = HOTUPDATE_REF_NONE;
	}
	hotupdate_set_progress(adapter, 0);
}

/*
 * What the driver's save comes to. A driver that overlooked that a block was
 * refused, or took too long, believes that it has saved.
 */
static int judge_save(struct drm_hotupdate_adapter *adapter, int err)
{
	if (err && !adapter->save_error)
		hotupdate_error(adapter, err, "the save of driver %s failed after %u blocks",
				adapter->driver, adapter->stash.count);
	if (!err)
		err = adapter->save_error;
	if (!err && ktime_after(ktime_get(), adapter->deadline))
		err = hotupdate_error(adapter, -ETIMEDOUT,
				      "the save took longer than %u ms",
				      adapter->limit_ms);
	if (!err && hotupdate_is_lost(adapter))
		err = hotupdate_error(adapter, -ENODEV, "the device was lost during the save");
	return err;
}

static void set_save_task(struct drm_hotupdate_adapter *adapter, struct task_struct *task)
{
	guard(mutex)(&adapter->status_lock);

	if (task)
		adapter->save_error = 0;
	WRITE_ONCE(adapter->save_task, task);
}

/* Blocks are accepted from this callback, and from no other (W5). */
static int call_save_memory(struct drm_hotupdate_adapter *adapter)
{
	int result, err;

	set_save_task(adapter, current);
	result = adapter->ops->save_memory(adapter);
	set_save_task(adapter, NULL);
	err = hotupdate_callback_result(adapter, "save_memory", result);
	/* Reported already, as a refused save call is, and no such call can come. */
	if (err != result && !adapter->save_error)
		adapter->save_error = err;
	return err;
}

/* Within callbacks, with the device held. */
static int save(struct drm_hotupdate_adapter *adapter, u32 version)
{
	bool saved;
	u64 duration;
	int err;

	begin_save(adapter, version);
	trace_drm_hotupdate_prepare(adapter, version);
	hotupdate_enter_state(adapter, HOTUPDATE_SAVING);

	err = call_save_memory(adapter);
	saved = !err;
	duration = hotupdate_phase_end(adapter);
	err = judge_save(adapter, err);
	trace_drm_hotupdate_saved(adapter, adapter->stash.count, adapter->stash.bytes,
				  err, duration);
	if (err)
		undo_save(adapter, saved, err);
	else
		hotupdate_timeout_begin(adapter);

	scoped_guard(mutex, &adapter->status_lock)
		adapter->blackout.save_ns = err ? 0 : duration;
	hotupdate_set_state(adapter, err ? HOTUPDATE_RUNNING : HOTUPDATE_SAVED);
	if (!err)
		dev_info(&adapter->dev,
			 "driver %s saved %u blocks, %llu bytes, in state version %u\n",
			 adapter->driver, adapter->stash.count, adapter->stash.bytes,
			 version);
	return err;
}

static int hold_and_save(struct drm_hotupdate_adapter *adapter, u32 version)
{
	int err;

	err = hotupdate_callback_begin(adapter);
	if (err)
		return hotupdate_error(adapter, err,
				       "prepare refused: driver %s is being unloaded",
				       adapter->driver);

	err = hotupdate_hold_begin(adapter) ?: save(adapter, version);
	hotupdate_callback_end(adapter);
	return err;
}

/*
 * A bit for each &enum hotupdate_bar. Sleeps can be nested, and of some the end is not
 * reported: a bit ends with the next sleep of its kind, where a count would not.
 */
static unsigned long prepare_bars;

/**
 * hotupdate_bar_prepare - refuse prepares, or take the refusal back
 * @bar: reason
 * @on: refuse
 *
 * A prepare that is under way goes on: hotupdate_op_is_busy() shows it.
 */
void hotupdate_bar_prepare(enum hotupdate_bar bar, bool on)
{
	if (on)
		set_bit(bar, &prepare_bars);
	else
		clear_bit(bar, &prepare_bars);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_bar_prepare);

static int check_prepare(struct drm_hotupdate_adapter *adapter, u32 version)
{
	if (!adapter->ops)
		return hotupdate_error(adapter, -ENODEV,
				       "prepare refused: no driver is attached");
	if (hotupdate_is_lost(adapter))
		return hotupdate_error(adapter, -ENODEV,
				       "prepare refused: the device is lost");
	if (READ_ONCE(prepare_bars))
		return hotupdate_error(adapter, -EBUSY,
				       "prepare refused: the system is about to sleep or to go down");
	if (adapter->state != HOTUPDATE_RUNNING)
		return hotupdate_error(adapter, -EBUSY, "prepare refused: state is %s",
				       hotupdate_state_name(adapter->state));
	if (version < adapter->min_version || version > adapter->driver_version)
		return hotupdate_error(adapter, -EPROTONOSUPPORT,
				       "prepare refused: driver %s writes state versions %u to %u, not %u",
				       adapter->driver, adapter->min_version,
				       adapter->driver_version, version);
	return 0;
}

/**
 * drm_hotupdate_prepare - begin a hot update: save everything
 * @adapter: adapter with a running driver
 * @version: state version to write, 0 for the driver's own
 *
 * Implements W3, U3, and U6 for a downgrade. On success the adapter is in state
 * saved: the driver can be removed, and leaves its stash behind. On failure it
 * runs on as if nothing had happened. What an administrator does by writing to
 * the adapter's prepare attribute. It succeeds also while users have references to
 * the driver's module, and rmmod is going to fail. A limit in the adapter's
 * saved_timeout_ms begins with the success.
 *
 * Context: Process context, may sleep. Waits a second at most for what the core does by
 * itself. Not from a callback.
 * Return: 0, or
 *
 * * -EBUSY: an update, or another operation, is under way, or system sleep
 * * -ENODEV: no driver is attached, or it is being removed, or the device is lost
 * * -EPROTONOSUPPORT: the driver does not write @version
 * * -EOPNOTSUPP: the device is in a PM domain, which powers it off at the unbind
 * * -ETIMEDOUT: the save took longer than the administrator allowed
 * * the error of the driver or of drm_hotupdate_save_memory()
 */
int drm_hotupdate_prepare(struct drm_hotupdate_adapter *adapter, u32 version)
{
	int err;

	err = hotupdate_op_try(adapter, "prepare");
	if (err)
		return err;

	version = version ?: adapter->driver_version;
	err = check_prepare(adapter, version);
	if (!err)
		err = hold_and_save(adapter, version);

	hotupdate_op_end(adapter);
	return err;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_prepare);

/**
 * hotupdate_cancel_saved - cancel the save of an adapter
 * @adapter: adapter in state saved, within an operation
 * @reason: negative errno for the trace, or 0 if an administrator wants it
 *
 * Return: 0; -ENODEV if the driver's module is being unloaded; or -EBUSY if the system
 * goes down, and the driver may have shut its device down, unless an administrator insists.
 */
int hotupdate_cancel_saved(struct drm_hotupdate_adapter *adapter, int reason)
{
	int err;

	if (reason && test_bit(HOTUPDATE_BAR_REBOOT, &prepare_bars))
		return -EBUSY;
	err = hotupdate_callback_begin(adapter);
	if (err)
		return err;

	hotupdate_timeout_end(adapter);
	undo_save(adapter, true, reason);
	hotupdate_set_state(adapter, HOTUPDATE_RUNNING);
	hotupdate_callback_end(adapter);
	return 0;
}

static int cancel_on_request(struct drm_hotupdate_adapter *adapter)
{
	int err;

	if (!adapter->ops)
		return hotupdate_error(adapter, -ENODEV,
				       "nothing to cancel: the driver that saved has gone");
	/* The driver of a lost device has to be let go, too. */
	if (adapter->state == HOTUPDATE_RUNNING && hotupdate_timeout_release(adapter))
		return 0;
	if (hotupdate_is_lost(adapter))
		return hotupdate_error(adapter, -ENODEV,
				       "cancel refused: the device is lost");
	if (adapter->state != HOTUPDATE_SAVED)
		return hotupdate_error(adapter, -EINVAL,
				       "nothing to cancel: nothing is saved");

	err = hotupdate_cancel_saved(adapter, 0);
	if (err)
		return hotupdate_error(adapter, err,
				       "too late to cancel: driver %s is being unloaded",
				       adapter->driver);
	return 0;
}

/**
 * drm_hotupdate_cancel - call a hot update off
 * @adapter: adapter in state saved, or in state running after a timeout
 *
 * Implements W4. The driver goes on as before, with all that it saved. What an
 * administrator does by writing to the adapter's cancel attribute.
 *
 * If saved_timeout_ms has passed, the core has cancelled the save already, and keeps the
 * driver's module. In state running this drops the reference, and changes nothing else.
 *
 * Context: Process context, may sleep. Waits a second at most for what the core does by
 * itself. Not from a callback.
 * Return: 0; -EBUSY if another operation is under way; -EINVAL if nothing is
 * saved, and no timeout keeps the module; -ENODEV if the driver is being removed or has
 * gone, or the device is lost in state saved.
 */
int drm_hotupdate_cancel(struct drm_hotupdate_adapter *adapter)
{
	int err;

	err = hotupdate_op_try(adapter, "cancel");
	if (err)
		return err;

	err = cancel_on_request(adapter);
	hotupdate_op_end(adapter);
	return err;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_cancel);
