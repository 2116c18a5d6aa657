// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/device/bus.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "drm_hotupdate_internal.h"

/* How long the removal of a device waits for an operation of somebody else. */
#define OPERATION_PATIENCE_MS	1000
#define OPERATION_PERIOD_MS	20

/**
 * DOC: drivers that come and go
 *
 * A stash describes a device that nobody has touched since the save. So the core
 * watches the device, from the registration of its first driver to the end of the
 * adapter:
 *
 * - The binding of the driver completes its registration: a new adapter runs, a
 *   restore is committed. Until then the probe can fail, also after the driver's own
 *   code in it has succeeded.
 * - A driver that is bound to the device of a stash and has not registered makes the
 *   stash unclaimed: it can still register. If it leaves first, or if the probe of a
 *   driver of another name failed, the device has been in strange hands, and the stash
 *   is stale.
 * - A driver that leaves without unregistering cannot be called any more. Its adapter
 *   ends, or its stash is stale.
 * - A stash whose device is removed is stale. The next device of that name is another
 *   one.
 *
 * Devices are compared by pointer. An adapter has a reference to its device: the pointer
 * is not reused.
 */

/* It cannot be called any more: its module may have gone. */
static void bind_driver_left(struct drm_hotupdate_adapter *adapter)
{
	static const char reason[] = "the driver left the device without unregistering";

	hotupdate_hold_removed(adapter);
	switch (adapter->state) {
	case HOTUPDATE_RESTORED:
		hotupdate_restore_forget(adapter);
		fallthrough;
	case HOTUPDATE_SAVED:
		hotupdate_detach(adapter);
		hotupdate_set_stale(adapter, reason);
		break;
	default:
		hotupdate_error(adapter, -ENODEV, "adapter of driver %s ends: %s",
				adapter->driver, reason);
		hotupdate_detach(adapter);
		hotupdate_adapter_end(adapter);
	}
}

static bool bind_is_waiting(const struct drm_hotupdate_adapter *adapter)
{
	return adapter->state == HOTUPDATE_DETACHED || adapter->state == HOTUPDATE_UNCLAIMED;
}

static void bind_foreign_driver_left(struct drm_hotupdate_adapter *adapter)
{
	if (bind_is_waiting(adapter))
		hotupdate_set_stale(adapter, "another driver had the device");
}

static void bind_driver_is_unbound(struct drm_hotupdate_adapter *adapter)
{
	if (adapter->ops)
		bind_driver_left(adapter);
	else if (adapter->state == HOTUPDATE_UNCLAIMED)
		/* It was refused, and has had the device all the same. */
		bind_foreign_driver_left(adapter);
}

static void bind_driver_is_bound(struct drm_hotupdate_adapter *adapter)
{
	if (adapter->ops) {
		hotupdate_finish_start(adapter);
	} else if (adapter->state == HOTUPDATE_DETACHED && adapter->device &&
		   device_is_bound(adapter->device)) {
		dev_warn(&adapter->dev, "a driver is bound that has not registered\n");
		hotupdate_set_state(adapter, HOTUPDATE_UNCLAIMED);
	}
}

/* Afterwards nothing points at the device. */
static void bind_device_is_gone(struct drm_hotupdate_adapter *adapter)
{
	/* hotupdate_detach() records the event again. */
	if (adapter->ops)
		return;
	if (bind_is_waiting(adapter))
		hotupdate_set_stale(adapter, "the device was removed");
	if (adapter->device) {
		if (adapter->state == HOTUPDATE_STALE)
			hotupdate_silence_removed(adapter);
		hotupdate_hold_end(adapter, false);
	}
	hotupdate_adapter_put_device(adapter);
}

/* Its probe has ended if there is another one, or none, and it is not bound. */
static bool bind_is_unfinished(const struct drm_hotupdate_adapter *adapter)
{
	return adapter->ops && adapter->in_probe &&
	       (adapter->state == HOTUPDATE_STARTING || adapter->state == HOTUPDATE_RESTORED);
}

/* Within an operation, of any task. */
static void bind_settle(struct drm_hotupdate_adapter *adapter, unsigned long events)
{
	if (events & BIT(HOTUPDATE_EVENT_UNBOUND))
		bind_driver_is_unbound(adapter);
	if (events & BIT(HOTUPDATE_EVENT_FOREIGN))
		bind_foreign_driver_left(adapter);
	if (events & BIT(HOTUPDATE_EVENT_BIND) && bind_is_unfinished(adapter))
		bind_driver_left(adapter);
	if (events & BIT(HOTUPDATE_EVENT_CHECK) && bind_is_waiting(adapter))
		hotupdate_check_device(adapter);
	if (events & BIT(HOTUPDATE_EVENT_BOUND))
		bind_driver_is_bound(adapter);
	if (events & BIT(HOTUPDATE_EVENT_LOOK))
		hotupdate_bus_settle(adapter);
	if (events & BIT(HOTUPDATE_EVENT_GONE))
		bind_device_is_gone(adapter);
}

/*
 * With the device locked no probe and no removal is under way, and the driver core has
 * released the driver's resources.
 */
static void bind_look(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	if (dev && !dev->driver && bind_is_unfinished(adapter))
		bind_driver_left(adapter);
	/* A stale stash keeps its device until the discard. */
	if (dev && adapter->device && !hotupdate_has_stash(adapter->state) &&
	    adapter->state != HOTUPDATE_STALE)
		hotupdate_override_clear(adapter, dev);
	if (adapter->state == HOTUPDATE_NONE)
		hotupdate_adapter_put_device(adapter);
	if (adapter->tell_later) {
		adapter->tell_later = false;
		adapter->untold = true;
	}
}

static void bind_settle_work(struct work_struct *work)
{
	struct drm_hotupdate_adapter *adapter =
		container_of(work, struct drm_hotupdate_adapter, settle_work);
	struct device *dev = hotupdate_adapter_get_device(adapter);
	bool busy;

	if (dev)
		device_lock(dev);
	busy = !hotupdate_op_try_quietly(adapter);
	if (!busy)
		bind_look(adapter, dev);
	if (dev)
		device_unlock(dev);
	if (busy)
		/* A save can take long, and others need the lock of the device. */
		hotupdate_op_post(adapter, HOTUPDATE_EVENT_LOOK);
	else
		/* Announces the state, when the next driver can be loaded. */
		hotupdate_op_end(adapter);
	put_device(dev);
	put_device(&adapter->dev);
}

static void bind_notice_unbound(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	bool registered = test_bit(HOTUPDATE_FLAG_REGISTERED, &adapter->flags);
	enum hotupdate_state state;

	hotupdate_op_post(adapter, registered ? HOTUPDATE_EVENT_UNBOUND :
						HOTUPDATE_EVENT_FOREIGN);
	hotupdate_hold_look(adapter, dev);
	hotupdate_op_post(adapter, HOTUPDATE_EVENT_CHECK);
	/* A save can have ended after the notice of the unbind. */
	state = READ_ONCE(adapter->state);
	if (state == HOTUPDATE_DETACHED || state == HOTUPDATE_STALE)
		hotupdate_override_set(adapter, dev);
	hotupdate_bus_settle(adapter);
}

/*
 * Drivers are matched before the lock of the device is taken: the override has to be
 * there before the removal, if there is a stash already.
 */
static void bind_notice_unbind(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	enum hotupdate_state state = READ_ONCE(adapter->state);

	if (!test_bit(HOTUPDATE_FLAG_REGISTERED, &adapter->flags))
		return;
	if (state != HOTUPDATE_RUNNING && state != HOTUPDATE_SAVING &&
	    state != HOTUPDATE_SAVED)
		return;
	hotupdate_override_note(adapter, dev);
	if (state == HOTUPDATE_SAVED)
		hotupdate_override_set(adapter, dev);
}

static void bind_notice_failed_probe(struct drm_hotupdate_adapter *adapter,
				     struct device *dev)
{
	const char *name = dev->driver ? dev->driver->name : "";

	if (!test_bit(HOTUPDATE_FLAG_REGISTERED, &adapter->flags)) {
		if (hotupdate_override_admits(adapter, dev, name))
			dev_warn(&adapter->dev, "driver %s failed before it registered\n",
				 name);
		else
			hotupdate_op_post(adapter, HOTUPDATE_EVENT_FOREIGN);
	}
	hotupdate_bus_settle(adapter);
}

/*
 * The device is silenced by whoever has the operation, and that should be this notifier:
 * other tasks can be late. Without a driver, operations are short. With one, they can wait
 * for this notifier, and the driver's end settles what is due.
 */
static void bind_wait_for_operation(struct drm_hotupdate_adapter *adapter)
{
	unsigned int waited_ms;

	for (waited_ms = 0; waited_ms < OPERATION_PATIENCE_MS; waited_ms += OPERATION_PERIOD_MS) {
		if (READ_ONCE(adapter->ops) || !hotupdate_op_is_busy(adapter))
			return;
		msleep(OPERATION_PERIOD_MS);
	}
}

static void bind_notice(struct drm_hotupdate_adapter *adapter, struct device *dev,
			unsigned long action)
{
	switch (action) {
	case BUS_NOTIFY_BIND_DRIVER:
		clear_bit(HOTUPDATE_FLAG_REGISTERED, &adapter->flags);
		clear_bit(HOTUPDATE_FLAG_LEAVING, &adapter->flags);
		/* The probe can turn bus mastering on again. */
		hotupdate_hold_look(adapter, dev);
		hotupdate_op_post(adapter, HOTUPDATE_EVENT_CHECK);
		hotupdate_op_post(adapter, HOTUPDATE_EVENT_BIND);
		hotupdate_override_log_probe(adapter, dev);
		break;
	case BUS_NOTIFY_BOUND_DRIVER:
		hotupdate_op_post(adapter, HOTUPDATE_EVENT_BOUND);
		hotupdate_bus_settle(adapter);
		break;
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
		bind_notice_failed_probe(adapter, dev);
		break;
	case BUS_NOTIFY_UNBIND_DRIVER:
		set_bit(HOTUPDATE_FLAG_LEAVING, &adapter->flags);
		bind_notice_unbind(adapter, dev);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER:
		bind_notice_unbound(adapter, dev);
		break;
	case BUS_NOTIFY_DEL_DEVICE:
		set_bit(HOTUPDATE_FLAG_GONE, &adapter->flags);
		set_bit(HOTUPDATE_FLAG_LOST, &adapter->flags);
		hotupdate_silence_wait(adapter);
		bind_wait_for_operation(adapter);
		hotupdate_op_post(adapter, HOTUPDATE_EVENT_GONE);
		hotupdate_silence_close(adapter);
		break;
	}
}

/*
 * The notifier of all buses. It never waits for an operation that may call a driver, nor for
 * a work item, and takes no reference to a driver's module: the device is locked, except
 * for BUS_NOTIFY_DEL_DEVICE.
 */
static int bind_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;
	struct drm_hotupdate_adapter *adapter = hotupdate_adapter_find(dev);

	if (adapter) {
		bind_notice(adapter, dev, action);
		put_device(&adapter->dev);
	}
	return NOTIFY_DONE;
}

/**
 * hotupdate_bind_init - get ready to watch devices
 *
 * Return: 0 or a negative errno.
 */
int hotupdate_bind_init(void)
{
	hotupdate_op_set_settle(bind_settle);
	hotupdate_adapters_set_work(bind_settle_work);
	return hotupdate_bus_init(bind_notify);
}

/**
 * hotupdate_bind_exit - undo hotupdate_bind_init()
 */
void hotupdate_bind_exit(void)
{
	hotupdate_bus_exit();
}
