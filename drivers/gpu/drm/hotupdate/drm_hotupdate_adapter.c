// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "drm_hotupdate_internal.h"
#include "drm_hotupdate_trace.h"

/**
 * DOC: adapters
 *
 * An adapter is one GPU under hot-update protection. It comes into being when
 * a driver registers for the GPU, can be seen in sysfs from then on, and is
 * announced, with a uevent, when the device has started and the driver is bound (W1).
 * It is found again by the name of the GPU's bus and its own. A stash is restored to
 * the very device that it was saved from, and to no other one of the same name.
 *
 * It ends when the driver unregisters, unless the driver has saved: then the
 * adapter stays behind, detached, with its stash, until a driver registers for
 * the same GPU, or the administrator discards it (U9).
 *
 * While no driver is attached, nothing here points at anything of a driver:
 * its names are copies, its operations and module are forgotten.
 *
 * An adapter pins the core's module (U11) until its last reference is dropped, which
 * can be later than its end. It is taken out of sysfs by a work item, because the
 * discard that ends it comes through one of its own attributes, which sysfs waits for.
 */

static LIST_HEAD(adapters);

/* Protects the list of adapters, not what is in it. */
static DEFINE_MUTEX(adapters_lock);

static struct workqueue_struct *remove_wq;

/* Adapters with a reference left, each of which pins the module. */
static atomic_t adapters_alive = ATOMIC_INIT(0);

#if IS_ENABLED(CONFIG_KUNIT)
/**
 * hotupdate_adapters_alive - how many adapters have a reference left
 *
 * Return: The number; an adapter that is about to be freed is counted or not.
 */
int hotupdate_adapters_alive(void)
{
	return atomic_read(&adapters_alive);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_adapters_alive);
#endif

/* Set once, before there is an adapter. */
static work_func_t adapters_settle;

/**
 * hotupdate_adapters_set_work - set the function of each adapter's settle_work
 * @settle: function
 */
void hotupdate_adapters_set_work(work_func_t settle)
{
	adapters_settle = settle;
}

/**
 * hotupdate_adapter_get_device - the device of an adapter
 * @adapter: adapter
 *
 * Return: The device with a reference, or NULL if it was removed.
 */
struct device *hotupdate_adapter_get_device(struct drm_hotupdate_adapter *adapter)
{
	guard(mutex)(&adapter->status_lock);

	return get_device(adapter->device);
}

/**
 * hotupdate_adapter_get_dma_dev - the device that does the DMA of an adapter
 * @adapter: adapter
 *
 * Return: The device with a reference; or NULL, before the first registration and after
 * the removal.
 */
struct device *hotupdate_adapter_get_dma_dev(struct drm_hotupdate_adapter *adapter)
{
	guard(mutex)(&adapter->status_lock);

	return get_device(adapter->dma_dev);
}

/**
 * hotupdate_adapter_put_device - let go of the device of an adapter
 * @adapter: adapter
 *
 * It is not watched any more. May be called again.
 */
void hotupdate_adapter_put_device(struct drm_hotupdate_adapter *adapter)
{
	struct device *device = adapter->device;
	struct device *dma_dev = adapter->dma_dev;

	scoped_guard(mutex, &adapter->status_lock) {
		WRITE_ONCE(adapter->device, NULL);
		WRITE_ONCE(adapter->dma_dev, NULL);
	}
	put_device(dma_dev);
	put_device(device);
	hotupdate_bus_put(adapter->bus);
	adapter->bus = NULL;
}

static void adapter_release(struct device *dev)
{
	struct drm_hotupdate_adapter *adapter =
		container_of(dev, struct drm_hotupdate_adapter, dev);

	hotupdate_adapter_put_device(adapter);
	hotupdate_override_fini(adapter);
	hotupdate_stash_exit(&adapter->stash);
	kfree(adapter->driver);
	kfree(adapter->compatible);
	mutex_destroy(&adapter->silence_lock);
	mutex_destroy(&adapter->notify_lock);
	mutex_destroy(&adapter->status_lock);
	kfree(adapter);
	atomic_dec(&adapters_alive);
	hotupdate_unpin();
}

/* What is in every uevent, also in those that user space asks for. */
static int adapter_uevent(const struct device *dev, struct kobj_uevent_env *env)
{
	struct drm_hotupdate_adapter *adapter =
		container_of((struct device *)dev, struct drm_hotupdate_adapter, dev);

	guard(mutex)(&adapter->status_lock);
	return add_uevent_var(env, "HOTUPDATE_STATE=%s",
			      hotupdate_state_name(adapter->state)) ?:
	       add_uevent_var(env, "HOTUPDATE_GENERATION=%llu", adapter->generation);
}

static const struct class hotupdate_class = {
	.name = "drm_hotupdate",
	.dev_groups = hotupdate_adapter_groups,
	.dev_uevent = adapter_uevent,
	.dev_release = adapter_release,
};

static void remove_adapter(struct work_struct *work)
{
	struct drm_hotupdate_adapter *adapter =
		container_of(work, struct drm_hotupdate_adapter, remove_work);

	/*
	 * Who sleeps on a file is not woken up by its removal. What has ended the
	 * adapter may still be about to unlock it.
	 */
	hotupdate_op_begin(adapter);
	adapter->untold = true;
	/* To take the override back needs the lock of the device, which this does not wait for. */
	if (READ_ONCE(adapter->hold.override))
		hotupdate_bus_settle(adapter);
	else
		hotupdate_adapter_put_device(adapter);
	hotupdate_op_end(adapter);
	scoped_guard(mutex, &adapter->notify_lock)
		adapter->removed = true;
	hotupdate_debugfs_remove(adapter);
	device_del(&adapter->dev);
	scoped_guard(mutex, &adapters_lock)
		list_del(&adapter->link);
	put_device(&adapter->dev);
}

/**
 * hotupdate_adapter_end - end an adapter
 * @adapter: adapter
 *
 * The caller, if it is neither an attribute nor a notifier, waits with
 * hotupdate_adapters_flush(), and has a reference meanwhile: the work drops that of
 * the list. The work also tells user space, before the adapter goes.
 */
void hotupdate_adapter_end(struct drm_hotupdate_adapter *adapter)
{
	lockdep_assert_held(&adapter->op);

	hotupdate_set_state(adapter, HOTUPDATE_NONE);
	adapter->untold = false;
	queue_work(remove_wq, &adapter->remove_work);
}

/**
 * hotupdate_adapters_flush - wait until adapters that have ended are out of sysfs
 *
 * Context: Process context, may sleep. Not from an attribute or a notifier.
 */
void hotupdate_adapters_flush(void)
{
	flush_workqueue(remove_wq);
}

static char *adapter_name(struct device *dev)
{
	char *name = kasprintf(GFP_KERNEL, "%s:%s", dev_bus_name(dev), dev_name(dev));

	/* As the driver core does, for names that end up in sysfs. */
	return name ? strreplace(name, '/', '!') : NULL;
}

static struct drm_hotupdate_adapter *adapter_alloc(const char *name)
{
	struct drm_hotupdate_adapter *adapter;
	int err;

	adapter = kzalloc(sizeof(*adapter), GFP_KERNEL);
	if (!adapter)
		return ERR_PTR(-ENOMEM);

	hotupdate_pin();
	atomic_inc(&adapters_alive);
	device_initialize(&adapter->dev);
	adapter->dev.class = &hotupdate_class;
	hotupdate_op_init(&adapter->op);
	mutex_init(&adapter->status_lock);
	mutex_init(&adapter->notify_lock);
	mutex_init(&adapter->silence_lock);
	INIT_WORK(&adapter->remove_work, remove_adapter);
	INIT_WORK(&adapter->settle_work, adapters_settle);
	hotupdate_timeout_setup(adapter);
	hotupdate_stash_init(&adapter->stash);
	adapter->state = HOTUPDATE_STARTING;
	adapter->progress_notified = jiffies;

	err = dev_set_name(&adapter->dev, "%s", name);
	if (err) {
		put_device(&adapter->dev);
		return ERR_PTR(err);
	}
	return adapter;
}

/* It is announced when its driver is bound, and not before (W1). */
static struct drm_hotupdate_adapter *adapter_create(const char *name, struct device *dev,
						    struct hotupdate_bus *bus)
{
	struct drm_hotupdate_adapter *adapter;
	int err;

	lockdep_assert_held(&adapters_lock);

	adapter = adapter_alloc(name);
	if (IS_ERR(adapter))
		return adapter;

	adapter->device = get_device(dev);
	adapter->bus = hotupdate_bus_get(bus);
	dev_set_uevent_suppress(&adapter->dev, true);
	err = device_add(&adapter->dev);
	if (err) {
		put_device(&adapter->dev);
		return ERR_PTR(err);
	}
	hotupdate_debugfs_add(adapter);
	list_add_tail(&adapter->link, &adapters);
	return adapter;
}

static struct drm_hotupdate_adapter *adapter_find_name(const char *name)
{
	struct drm_hotupdate_adapter *adapter;

	lockdep_assert_held(&adapters_lock);

	list_for_each_entry(adapter, &adapters, link)
		if (!strcmp(dev_name(&adapter->dev), name))
			return adapter;
	return NULL;
}

/**
 * hotupdate_adapter_find - find the adapter of a device
 * @dev: device, compared by pointer
 *
 * Return: The adapter with a reference, or NULL.
 */
struct drm_hotupdate_adapter *hotupdate_adapter_find(struct device *dev)
{
	struct drm_hotupdate_adapter *adapter;

	guard(mutex)(&adapters_lock);

	list_for_each_entry(adapter, &adapters, link) {
		if (READ_ONCE(adapter->device) == dev) {
			get_device(&adapter->dev);
			return adapter;
		}
	}
	return NULL;
}

/**
 * hotupdate_adapters_for_each - call a function for each adapter
 * @fn: function; a result that is not 0 ends the walk
 * @data: argument of @fn
 *
 * No adapter comes or goes meanwhile.
 *
 * Return: The last result of @fn, 0 if there is no adapter.
 */
int hotupdate_adapters_for_each(int (*fn)(struct drm_hotupdate_adapter *adapter,
					  void *data), void *data)
{
	struct drm_hotupdate_adapter *adapter;
	int ret = 0;

	guard(mutex)(&adapters_lock);

	list_for_each_entry(adapter, &adapters, link) {
		ret = fn(adapter, data);
		if (ret)
			break;
	}
	return ret;
}

/**
 * hotupdate_adapters_with_list - call a function with the list of adapters
 * @fn: function
 *
 * No adapter comes or goes meanwhile.
 */
void hotupdate_adapters_with_list(void (*fn)(struct list_head *adapters))
{
	guard(mutex)(&adapters_lock);

	fn(&adapters);
}

static struct drm_hotupdate_adapter *
adapter_find_or_create(const char *name, struct device *dev, struct hotupdate_bus *bus)
{
	struct drm_hotupdate_adapter *adapter;

	guard(mutex)(&adapters_lock);

	adapter = adapter_find_name(name) ?: adapter_create(name, dev, bus);
	if (!IS_ERR(adapter))
		get_device(&adapter->dev);
	return adapter;
}

static struct drm_hotupdate_adapter *
adapter_claim_name(const char *name, struct device *dev, struct hotupdate_bus *bus)
{
	struct drm_hotupdate_adapter *adapter;

	for (;;) {
		adapter = adapter_find_or_create(name, dev, bus);
		if (IS_ERR(adapter))
			return adapter;

		if (hotupdate_op_is_mine(adapter)) {
			put_device(&adapter->dev);
			return ERR_PTR(-EDEADLK);
		}
		hotupdate_op_begin(adapter);
		if (adapter->state != HOTUPDATE_NONE)
			return adapter;

		/* It has ended, and its name is about to be free. */
		hotupdate_op_end(adapter);
		put_device(&adapter->dev);
		hotupdate_adapters_flush();
	}
}

/**
 * hotupdate_adapter_claim - begin an operation on the adapter of a device
 * @dev: device, whose bus and name are the adapter's; a new adapter is made if there
 *	is none
 *
 * Return: The adapter, with a reference and within an operation, not necessarily of
 * this device or free for another driver; or an ERR_PTR.
 */
struct drm_hotupdate_adapter *hotupdate_adapter_claim(struct device *dev)
{
	struct drm_hotupdate_adapter *adapter;
	struct hotupdate_bus *bus;
	char *name;

	/* Before any lock of the core: it waits for notifiers, which take some. */
	bus = hotupdate_bus_watch(dev->bus);
	if (IS_ERR(bus))
		return ERR_CAST(bus);

	name = adapter_name(dev);
	adapter = name ? adapter_claim_name(name, dev, bus) : ERR_PTR(-ENOMEM);
	kfree(name);
	hotupdate_bus_put(bus);
	return adapter;
}

/**
 * drm_hotupdate_adapter_priv - the driver's own pointer
 * @adapter: adapter
 *
 * Implements W2: what hContext is on Windows.
 *
 * Context: Any.
 * Return: What was given to drm_hotupdate_adapter_register().
 */
void *drm_hotupdate_adapter_priv(struct drm_hotupdate_adapter *adapter)
{
	return adapter->priv;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_adapter_priv);

/**
 * drm_hotupdate_adapter_dev - the GPU's device
 * @adapter: adapter
 *
 * Context: Any.
 * Return: What was given to drm_hotupdate_adapter_register().
 */
struct device *drm_hotupdate_adapter_dev(struct drm_hotupdate_adapter *adapter)
{
	return adapter->device;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_adapter_dev);

/**
 * drm_hotupdate_adapter_is_saved - whether the driver has saved
 * @adapter: adapter
 *
 * Outside of callbacks this can change at any time, as an administrator
 * prepares or cancels.
 *
 * Context: Any.
 * Return: true from the end of a successful save to its cancel, or to the
 * driver's removal.
 */
bool drm_hotupdate_adapter_is_saved(struct drm_hotupdate_adapter *adapter)
{
	return READ_ONCE(adapter->state) == HOTUPDATE_SAVED;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_adapter_is_saved);

/**
 * drm_hotupdate_adapter_version - the state version in use
 * @adapter: adapter
 *
 * Implements U6. Meant for the callbacks.
 *
 * Context: Any.
 * Return: The version to be written, during a save; the version that the
 * blocks have, during a restore; otherwise the driver's own.
 */
u32 drm_hotupdate_adapter_version(struct drm_hotupdate_adapter *adapter)
{
	return READ_ONCE(adapter->version);
}
EXPORT_SYMBOL_GPL(drm_hotupdate_adapter_version);

/**
 * hotupdate_adapters_init - get ready for adapters
 *
 * Return: 0 or a negative errno.
 */
int hotupdate_adapters_init(void)
{
	int err;

	remove_wq = alloc_workqueue("drm_hotupdate", WQ_UNBOUND, 0);
	if (!remove_wq)
		return -ENOMEM;

	err = class_register(&hotupdate_class);
	if (err)
		destroy_workqueue(remove_wq);
	return err;
}

/**
 * hotupdate_adapters_exit - undo hotupdate_adapters_init()
 */
void hotupdate_adapters_exit(void)
{
	destroy_workqueue(remove_wq);
	WARN_ON(!list_empty(&adapters));
	class_unregister(&hotupdate_class);
}
