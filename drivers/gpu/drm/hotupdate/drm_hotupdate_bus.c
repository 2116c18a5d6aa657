// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/cleanup.h>
#include <linux/device/bus.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: buses
 *
 * A notifier on the bus of each adapter's device reports drivers that are bound to the
 * device or leave it, and the removal of the device. All adapters on a bus share one
 * notifier. It is added before any lock of the core is taken, and removed by a work
 * item, because the last user can be in the notifier itself.
 *
 * Work items that wait for the lock of a device run on the same queue. Only the exit
 * of the module flushes it: a driver that registers or unregisters holds that lock.
 */

/**
 * struct hotupdate_bus - a bus with the notifier
 */
struct hotupdate_bus {
	/** @link: in the list of buses, protected by its lock */
	struct list_head link;
	/** @type: the bus; the pointer of one that has gone can stay here for a moment */
	const struct bus_type *type;
	/** @notifier: the notifier */
	struct notifier_block notifier;
	/** @ref: one for each adapter with a device on this bus */
	struct kref ref;
	/** @work: removes the notifier */
	struct work_struct work;
};

static LIST_HEAD(buses);

/* Protects the list of buses. Not taken in a notifier. */
static DEFINE_MUTEX(buses_lock);

static struct workqueue_struct *bus_wq;

/* Set once, before there is an adapter. */
static notifier_fn_t bus_notify;

static void bus_remove(struct work_struct *work)
{
	struct hotupdate_bus *bus = container_of(work, struct hotupdate_bus, work);

	scoped_guard(mutex, &buses_lock)
		list_del(&bus->link);
	/* An error means that the bus has gone, with its last device. */
	bus_unregister_notifier(bus->type, &bus->notifier);
	kfree(bus);
}

static struct hotupdate_bus *bus_add(const struct bus_type *type)
{
	struct hotupdate_bus *bus;
	int err;

	lockdep_assert_held(&buses_lock);

	bus = kzalloc(sizeof(*bus), GFP_KERNEL);
	if (!bus)
		return ERR_PTR(-ENOMEM);
	bus->type = type;
	bus->notifier.notifier_call = bus_notify;
	kref_init(&bus->ref);
	INIT_WORK(&bus->work, bus_remove);

	err = bus_register_notifier(type, &bus->notifier);
	if (err) {
		kfree(bus);
		return ERR_PTR(err);
	}
	list_add_tail(&bus->link, &buses);
	return bus;
}

/**
 * hotupdate_bus_watch - have the notifier called for the devices of a bus
 * @type: bus, or NULL
 *
 * Context: Process context, may sleep. The caller holds no lock of the core.
 * Return: A reference to the watched bus, NULL for no bus, or an ERR_PTR.
 */
struct hotupdate_bus *hotupdate_bus_watch(const struct bus_type *type)
{
	struct hotupdate_bus *bus;

	if (!type)
		return NULL;

	guard(mutex)(&buses_lock);

	list_for_each_entry(bus, &buses, link)
		if (bus->type == type && kref_get_unless_zero(&bus->ref))
			return bus;
	return bus_add(type);
}

/**
 * hotupdate_bus_get - take another reference to a watched bus
 * @bus: watched bus, or NULL
 *
 * Return: @bus.
 */
struct hotupdate_bus *hotupdate_bus_get(struct hotupdate_bus *bus)
{
	if (bus)
		kref_get(&bus->ref);
	return bus;
}

static void bus_release(struct kref *ref)
{
	struct hotupdate_bus *bus = container_of(ref, struct hotupdate_bus, ref);

	queue_work(bus_wq, &bus->work);
}

/**
 * hotupdate_bus_put - drop a reference to a watched bus
 * @bus: watched bus, or NULL
 *
 * Context: Any that may take a spinlock; also the notifier itself.
 */
void hotupdate_bus_put(struct hotupdate_bus *bus)
{
	if (bus)
		kref_put(&bus->ref, bus_release);
}

/**
 * hotupdate_bus_settle - run an adapter's settle_work
 * @adapter: adapter; the work has a reference to it
 *
 * Context: Any.
 */
void hotupdate_bus_settle(struct drm_hotupdate_adapter *adapter)
{
	get_device(&adapter->dev);
	if (!queue_work(bus_wq, &adapter->settle_work))
		put_device(&adapter->dev);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_bus_settle);

#if IS_ENABLED(CONFIG_KUNIT)
/**
 * hotupdate_bus_flush - wait for the work items that are queued
 *
 * Context: Process context, may sleep. The caller holds no lock of a device.
 */
void hotupdate_bus_flush(void)
{
	flush_workqueue(bus_wq);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_bus_flush);
#endif

/**
 * hotupdate_bus_init - get ready to watch buses
 * @notify: the notifier
 *
 * Return: 0 or -ENOMEM.
 */
int hotupdate_bus_init(notifier_fn_t notify)
{
	bus_notify = notify;
	bus_wq = alloc_workqueue("drm_hotupdate_bus", WQ_UNBOUND, 0);
	return bus_wq ? 0 : -ENOMEM;
}

/**
 * hotupdate_bus_exit - undo hotupdate_bus_init(), after the last adapter has gone
 */
void hotupdate_bus_exit(void)
{
	destroy_workqueue(bus_wq);
}
