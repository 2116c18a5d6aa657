// SPDX-License-Identifier: GPL-2.0-only

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: timeout
 *
 * A saved driver serves nothing until it is removed, or until the save is cancelled. If
 * rmmod fails, and nobody cancels, the guests wait for ever. saved_timeout_ms limits
 * that time: the core then cancels the save, and the driver serves again.
 *
 * An administrator or a program can still be about to unload the module. The driver has
 * no stash any more, and the unload would end its guests. So the core keeps a reference
 * to the module, and rmmod reports that the module is in use. The reference is dropped
 * by a write to cancel, by the next save that succeeds, and when the driver leaves.
 * last_error has the reason. Nothing keeps a driver from being unbound by sysfs.
 *
 * The timeout cancels nothing while the driver is being unbound or its module is being
 * unloaded, or while another adapter of the same family has a stash and no driver: an
 * update of several GPUs is under way then. It looks again later. A lost device stays
 * saved, and so does one that is about to go down with the system.
 *
 * The work runs on a queue of its own. Only the exit of the module waits for it. It does
 * not wait for an operation, and the end of a save does not wait for the work: within an
 * operation, the work finds the deadline of the current save, or none.
 */

/* How soon the work looks again if an operation was under way. */
#define TIMEOUT_RETRY_MS	10
/* How often it looks whether an update is still under way; more often in a short timeout. */
#define TIMEOUT_CHECK_MS	1000
#define TIMEOUT_LEAST_CHECK_MS	100

static struct workqueue_struct *timeout_wq;

/* Set once, before there is an adapter. */
static int (*timeout_cancel)(struct drm_hotupdate_adapter *adapter, int reason);

static void timeout_queue(struct drm_hotupdate_adapter *adapter, u64 ns)
{
	/* Not early, and no longer than a timer can be: the work checks the deadline. */
	u64 delay = min_t(u64, nsecs_to_jiffies64(ns) + 1, MAX_JIFFY_OFFSET);

	lockdep_assert_held(&adapter->status_lock);

	get_device(&adapter->dev);
	if (mod_delayed_work(timeout_wq, &adapter->timeout.work, delay))
		put_device(&adapter->dev);
}

/**
 * hotupdate_timeout_explain - have last_error explain that the module is kept
 * @adapter: adapter with its status_lock held
 *
 * last_error is empty afterwards if the timeout does not keep the module.
 */
void hotupdate_timeout_explain(struct drm_hotupdate_adapter *adapter)
{
	lockdep_assert_held(&adapter->status_lock);

	adapter->last_error[0] = '\0';
	adapter->told = HOTUPDATE_REF_NONE;
	if (!hotupdate_owner_holds(adapter, HOTUPDATE_REF_TIMEOUT))
		return;
	scnprintf(adapter->last_error, sizeof(adapter->last_error),
		  "the save was cancelled: driver %s was not removed within %u ms (%pe); it cannot be unloaded until the next prepare, or until 1 is written to cancel",
		  adapter->driver, adapter->timeout.ms, ERR_PTR(-ETIMEDOUT));
	adapter->told = HOTUPDATE_REF_TIMEOUT;
}

static void timeout_report(struct drm_hotupdate_adapter *adapter)
{
	if (!adapter->owner) {
		hotupdate_error(adapter, -ETIMEDOUT,
				"the save was cancelled: driver %s was not removed within %u ms",
				adapter->driver, adapter->timeout.ms);
		return;
	}

	guard(mutex)(&adapter->status_lock);

	hotupdate_timeout_explain(adapter);
	dev_err(&adapter->dev, "%s\n", adapter->last_error);
}

static bool timeout_drop(struct drm_hotupdate_adapter *adapter)
{
	if (!hotupdate_owner_put(adapter, HOTUPDATE_REF_TIMEOUT))
		return false;

	guard(mutex)(&adapter->status_lock);

	if (adapter->told == HOTUPDATE_REF_TIMEOUT)
		hotupdate_timeout_explain(adapter);
	return true;
}

/**
 * hotupdate_timeout_begin - limit the time until the driver is removed
 * @adapter: adapter whose save has succeeded
 *
 * The module is not kept for an earlier save any more.
 */
void hotupdate_timeout_begin(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_timeout *timeout = &adapter->timeout;
	/* A value that is written from now on is for the next save. */
	unsigned int ms = READ_ONCE(adapter->saved_timeout_ms);

	lockdep_assert_held(&adapter->op);

	timeout_drop(adapter);
	timeout->told = false;
	timeout->ms = ms;
	if (!ms)
		return;
	timeout->deadline = ktime_add_ms(ktime_get(), ms);

	guard(mutex)(&adapter->status_lock);

	timeout->armed = true;
	timeout_queue(adapter, (u64)ms * NSEC_PER_MSEC);
}

/**
 * hotupdate_timeout_end - end the limit of hotupdate_timeout_begin()
 * @adapter: adapter
 *
 * Does not wait for the work, which can be what calls this.
 */
void hotupdate_timeout_end(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_timeout *timeout = &adapter->timeout;

	lockdep_assert_held(&adapter->op);

	timeout->deadline = KTIME_MAX;
	scoped_guard(mutex, &adapter->status_lock)
		timeout->armed = false;
	if (cancel_delayed_work(&timeout->work))
		put_device(&adapter->dev);
}

/**
 * hotupdate_timeout_release - drop the reference that a timeout keeps
 * @adapter: adapter
 *
 * Return: false if there was none.
 */
bool hotupdate_timeout_release(struct drm_hotupdate_adapter *adapter)
{
	lockdep_assert_held(&adapter->op);

	if (!timeout_drop(adapter))
		return false;
	/* The guard can have a reference, too, and has to say so. */
	hotupdate_status_changed();
	return true;
}

/**
 * hotupdate_timeout_detach - end all that belongs to the driver of an adapter
 * @adapter: adapter whose driver leaves
 */
void hotupdate_timeout_detach(struct drm_hotupdate_adapter *adapter)
{
	hotupdate_timeout_end(adapter);
	timeout_drop(adapter);
}

/* Whether a GPU of the family, which is not this one, waits for its next driver. */
static int timeout_is_awaited(struct drm_hotupdate_adapter *other, void *data)
{
	struct drm_hotupdate_adapter *adapter = data;

	/* An adapter that is saved does not match, so not this one. */
	guard(mutex)(&other->status_lock);

	return hotupdate_has_stash(other->state) && other->state != HOTUPDATE_SAVED &&
	       !strcmp(other->compatible, adapter->compatible);
}

/* Whether a removal is under way, or another GPU is being updated. */
static bool timeout_has_to_wait(struct drm_hotupdate_adapter *adapter)
{
	return test_bit(HOTUPDATE_FLAG_LEAVING, &adapter->flags) ||
	       hotupdate_adapters_for_each(timeout_is_awaited, adapter);
}

/* Returns false if the module is being unloaded: the driver is about to detach. */
static bool timeout_keep_and_cancel(struct drm_hotupdate_adapter *adapter)
{
	if (!hotupdate_owner_get(adapter, HOTUPDATE_REF_TIMEOUT))
		return false;
	if (timeout_cancel(adapter, -ETIMEDOUT)) {
		/* A forced unload does not ask for references. */
		hotupdate_owner_put(adapter, HOTUPDATE_REF_TIMEOUT);
		return false;
	}
	timeout_report(adapter);
	return true;
}

static void timeout_tell_once(struct drm_hotupdate_adapter *adapter)
{
	if (adapter->timeout.told)
		return;
	adapter->timeout.told = true;
	dev_notice(&adapter->dev,
		   "saved for %u ms; not cancelled, because driver %s is being removed, or another GPU of family %s waits for its driver\n",
		   adapter->timeout.ms, adapter->driver, adapter->compatible);
}

/* Within an operation. Returns when to look again, in nanoseconds, or 0. */
static u64 timeout_judge(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_timeout *timeout = &adapter->timeout;
	s64 rest = ktime_to_ns(ktime_sub(timeout->deadline, ktime_get()));

	if (adapter->state != HOTUPDATE_SAVED || hotupdate_is_lost(adapter))
		return 0;
	if (rest > 0)
		return rest;
	/* It can be the driver's removal. */
	if (atomic_read(&adapter->op.waiting))
		return TIMEOUT_RETRY_MS * NSEC_PER_MSEC;
	if (timeout_has_to_wait(adapter) || !timeout_keep_and_cancel(adapter)) {
		timeout_tell_once(adapter);
		return clamp_t(u64, timeout->ms, TIMEOUT_LEAST_CHECK_MS, TIMEOUT_CHECK_MS) *
		       NSEC_PER_MSEC;
	}
	return 0;
}

static void timeout_look_again(struct drm_hotupdate_adapter *adapter, u64 ns)
{
	guard(mutex)(&adapter->status_lock);

	if (ns && adapter->timeout.armed)
		timeout_queue(adapter, ns);
}

static void timeout_work(struct work_struct *work)
{
	struct drm_hotupdate_adapter *adapter =
		container_of(work, struct drm_hotupdate_adapter, timeout.work.work);
	if (hotupdate_op_try_quietly(adapter)) {
		/* Within the operation, or it could be the next save's turn already. */
		timeout_look_again(adapter, timeout_judge(adapter));
		hotupdate_op_end(adapter);
	} else {
		timeout_look_again(adapter, TIMEOUT_RETRY_MS * NSEC_PER_MSEC);
	}
	put_device(&adapter->dev);
}

/**
 * hotupdate_timeout_setup - get an adapter ready for timeouts
 * @adapter: new adapter
 */
void hotupdate_timeout_setup(struct drm_hotupdate_adapter *adapter)
{
	INIT_DELAYED_WORK(&adapter->timeout.work, timeout_work);
	adapter->timeout.deadline = KTIME_MAX;
}

/**
 * hotupdate_timeout_init - get ready for timeouts
 * @cancel: function that cancels the save of an adapter in state saved, for a reason;
 *	returns 0, or an error if the driver's module is being unloaded
 *
 * Return: 0 or -ENOMEM.
 */
int hotupdate_timeout_init(int (*cancel)(struct drm_hotupdate_adapter *adapter, int reason))
{
	timeout_cancel = cancel;
	timeout_wq = alloc_workqueue("drm_hotupdate_timeout", WQ_UNBOUND, 0);
	return timeout_wq ? 0 : -ENOMEM;
}

/**
 * hotupdate_timeout_exit - undo hotupdate_timeout_init(), after the last adapter has gone
 */
void hotupdate_timeout_exit(void)
{
	destroy_workqueue(timeout_wq);
}
