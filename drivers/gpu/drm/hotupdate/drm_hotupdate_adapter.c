// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/ctype.h>
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
 * announced, with a uevent, when the device has started (W1). It is found again
 * by the GPU's identity: the name of its bus and its own.
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

static void adapter_release(struct device *dev)
{
	struct drm_hotupdate_adapter *adapter =
		container_of(dev, struct drm_hotupdate_adapter, dev);

	hotupdate_stash_exit(&adapter->stash);
	kfree(adapter->driver);
	kfree(adapter->compatible);
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
	hotupdate_op_end(adapter);
	scoped_guard(mutex, &adapter->notify_lock)
		adapter->removed = true;
	hotupdate_debugfs_remove(adapter);
	device_del(&adapter->dev);
	scoped_guard(mutex, &adapters_lock)
		list_del(&adapter->link);
	put_device(&adapter->dev);
}

/*
 * The caller, if it is not an attribute, waits with flush_workqueue(), and has
 * a reference meanwhile: the work drops that of the list. It is the work, too,
 * that tells user space, so that this is done before the adapter goes.
 */
static void end_adapter(struct drm_hotupdate_adapter *adapter)
{
	lockdep_assert_held(&adapter->op);

	hotupdate_set_state(adapter, HOTUPDATE_NONE);
	adapter->untold = false;
	queue_work(remove_wq, &adapter->remove_work);
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
	INIT_WORK(&adapter->remove_work, remove_adapter);
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

/* It is announced when its device has started, and not before (W1). */
static struct drm_hotupdate_adapter *adapter_create(const char *name)
{
	struct drm_hotupdate_adapter *adapter;
	int err;

	lockdep_assert_held(&adapters_lock);

	adapter = adapter_alloc(name);
	if (IS_ERR(adapter))
		return adapter;

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

static struct drm_hotupdate_adapter *adapter_find(const char *name)
{
	struct drm_hotupdate_adapter *adapter;

	lockdep_assert_held(&adapters_lock);

	list_for_each_entry(adapter, &adapters, link)
		if (!strcmp(dev_name(&adapter->dev), name))
			return adapter;
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

static struct drm_hotupdate_adapter *adapter_find_or_create(const char *name)
{
	struct drm_hotupdate_adapter *adapter;

	guard(mutex)(&adapters_lock);

	adapter = adapter_find(name) ?: adapter_create(name);
	if (!IS_ERR(adapter))
		get_device(&adapter->dev);
	return adapter;
}

/* Returned within an operation, and with a reference, in a state to attach to. */
static struct drm_hotupdate_adapter *adapter_claim(const char *name)
{
	struct drm_hotupdate_adapter *adapter;

	for (;;) {
		adapter = adapter_find_or_create(name);
		if (IS_ERR(adapter))
			return adapter;

		hotupdate_op_begin(adapter);
		if (adapter->state != HOTUPDATE_NONE)
			break;

		/* It has ended, and its name is about to be free. */
		hotupdate_op_end(adapter);
		put_device(&adapter->dev);
		flush_workqueue(remove_wq);
	}

	if (adapter->ops) {
		hotupdate_error(adapter, -EBUSY, "refused a second driver");
		hotupdate_op_end(adapter);
		put_device(&adapter->dev);
		return ERR_PTR(-EBUSY);
	}
	return adapter;
}

static bool has_white_space(const char *s)
{
	for (; *s; s++)
		if (isspace(*s))
			return true;
	return false;
}

static int check_driver(struct device *dev, const struct drm_hotupdate_driver *drv)
{
	const struct drm_hotupdate_ops *ops = drv->ops;
	const char *what = NULL;

	if (!drv->name || !*drv->name)
		what = "has no name";
	else if (!drv->compatible || !*drv->compatible || has_white_space(drv->compatible))
		what = "has no proper compatible string";
	else if (!drv->min_version || drv->min_version > drv->version)
		what = "has no proper range of state versions";
	else if (!ops || !ops->save_memory || !ops->cancel_save || !ops->restore_memory ||
		 !ops->restore_abort || !ops->start_device || !ops->stop_device ||
		 !ops->restore_complete)
		what = "lacks a callback";
	if (!what)
		return 0;

	dev_err(dev, "hot update refused: driver %s %s\n", drv->name ?: "", what);
	return -EINVAL;
}

static int check_readable(struct drm_hotupdate_adapter *adapter,
			  const struct drm_hotupdate_driver *drv)
{
	if (adapter->state != HOTUPDATE_DETACHED)
		return 0;

	if (strcmp(adapter->compatible, drv->compatible))
		return hotupdate_error(adapter, -EPROTONOSUPPORT,
				       "driver %s refused: it reads the state of %s, this is of %s",
				       drv->name, drv->compatible, adapter->compatible);
	if (adapter->version < drv->min_version || adapter->version > drv->version)
		return hotupdate_error(adapter, -EPROTONOSUPPORT,
				       "driver %s refused: it reads state versions %u to %u, this is %u",
				       drv->name, drv->min_version, drv->version,
				       adapter->version);
	return 0;
}

/* The names of the driver that is attached, or was last. */
static int set_names(struct drm_hotupdate_adapter *adapter,
		     const struct drm_hotupdate_driver *drv)
{
	char *name = kstrdup(drv->name, GFP_KERNEL);
	char *compatible = kstrdup(drv->compatible, GFP_KERNEL);

	if (!name || !compatible) {
		kfree(name);
		kfree(compatible);
		return -ENOMEM;
	}

	guard(mutex)(&adapter->status_lock);

	swap(adapter->driver, name);
	swap(adapter->compatible, compatible);
	kfree(name);
	kfree(compatible);
	return 0;
}

static void detach(struct drm_hotupdate_adapter *adapter)
{
	adapter->parent = NULL;
	adapter->ops = NULL;
	adapter->owner = NULL;
	adapter->priv = NULL;
}

static int attach(struct drm_hotupdate_adapter *adapter, struct device *dev,
		  const struct drm_hotupdate_driver *drv, void *priv)
{
	int err;

	err = check_readable(adapter, drv);
	if (err)
		return err;
	err = set_names(adapter, drv);
	if (err)
		return err;

	adapter->parent = dev;
	adapter->ops = drv->ops;
	adapter->owner = drv->owner;
	adapter->priv = priv;

	scoped_guard(mutex, &adapter->status_lock) {
		adapter->min_version = drv->min_version;
		adapter->driver_version = drv->version;
		if (adapter->state == HOTUPDATE_STARTING)
			WRITE_ONCE(adapter->version, drv->version);
	}
	trace_drm_hotupdate_attach(adapter, drv->version);
	return 0;
}

static int run_driver(struct drm_hotupdate_adapter *adapter)
{
	int err;

	err = hotupdate_callback_begin(adapter);
	if (err)
		return hotupdate_error(adapter, err, "driver %s refused: it is being unloaded",
				       adapter->driver);

	if (adapter->state == HOTUPDATE_DETACHED)
		err = hotupdate_restore_and_start(adapter);
	else
		err = hotupdate_start(adapter);
	hotupdate_callback_end(adapter);
	return err;
}

/**
 * drm_hotupdate_adapter_register - put a GPU under hot-update protection
 * @dev: the GPU's device, whose bus and name are its identity
 * @drv: what the driver can do; not looked at after the call, but for
 *	&drm_hotupdate_driver.ops and &drm_hotupdate_driver.owner, which are used
 *	until drm_hotupdate_adapter_unregister()
 * @priv: the driver's own pointer, for drm_hotupdate_adapter_priv()
 *
 * Implements W1, W2, W13, W18, U4, U5 and U6. To be called once, from the
 * driver's probe, when all is ready for the device to be started. If a driver
 * left a stash for this GPU, its blocks are replayed to this one, and only then
 * is the device started; without, it is only started. So restore comes before
 * start by construction.
 *
 * On success the driver holds the restored blocks, and serves. On failure it
 * holds nothing, the GPU is as it was before, and a stash, if there is one, is
 * whole: a probe that returns the error leaves the GPU to another driver.
 *
 * A driver that has to know the adapter in its callbacks takes the one that
 * these are given: they can be called before this has returned.
 *
 * Context: Process context, may sleep. The caller holds no lock that the
 * driver's callbacks take.
 * Return: The adapter, or an ERR_PTR:
 *
 * * -EINVAL: @drv lacks something
 * * -EBUSY: the GPU has a driver
 * * -ENODEV: the driver's module is being unloaded
 * * -EPROTONOSUPPORT: the stash is of another family or version; no callback
 *   was made
 * * -ENOMEM: no memory
 * * the error of the driver's restore_memory or start_device
 */
struct drm_hotupdate_adapter *
drm_hotupdate_adapter_register(struct device *dev,
			       const struct drm_hotupdate_driver *drv,
			       void *priv)
{
	struct drm_hotupdate_adapter *adapter;
	bool is_new;
	char *name;
	int err;

	err = check_driver(dev, drv);
	if (err)
		return ERR_PTR(err);

	name = adapter_name(dev);
	if (!name)
		return ERR_PTR(-ENOMEM);
	adapter = adapter_claim(name);
	kfree(name);
	if (IS_ERR(adapter))
		return adapter;

	is_new = adapter->state == HOTUPDATE_STARTING;
	err = attach(adapter, dev, drv, priv);
	if (!err)
		err = run_driver(adapter);
	if (err) {
		detach(adapter);
		if (is_new)
			end_adapter(adapter);
	}
	hotupdate_op_end(adapter);

	if (err && is_new)
		flush_workqueue(remove_wq);
	put_device(&adapter->dev);
	return err ? ERR_PTR(err) : adapter;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_adapter_register);

/* No error: the callback cannot fail, and can be entered though the module goes. */
static void adapter_stop_device(struct drm_hotupdate_adapter *adapter, bool saved)
{
	ktime_t start = ktime_get();

	adapter->ops->stop_device(adapter, saved);
	trace_drm_hotupdate_stop(adapter, adapter->stash.count, adapter->stash.bytes, 0,
				 ktime_to_ns(ktime_sub(ktime_get(), start)));
}

/**
 * drm_hotupdate_adapter_unregister - end a driver's part in an adapter
 * @adapter: adapter, not valid afterwards
 *
 * Implements W21, U2 and U12. Call it once, from the driver's remove. It waits for
 * an operation under way, and then calls the driver's stop_device. In state saved
 * the device keeps running and the stash stays behind. In any other state the
 * device is stopped, and the adapter ends.
 *
 * Either way the driver drops its references to all memory as usual, in stop_device
 * or later: the stash has references of its own.
 *
 * Context: Process context, may sleep. The caller holds no lock that the
 * driver's callbacks take.
 */
void drm_hotupdate_adapter_unregister(struct drm_hotupdate_adapter *adapter)
{
	bool saved;

	get_device(&adapter->dev);
	hotupdate_op_begin(adapter);
	saved = adapter->state == HOTUPDATE_SAVED;
	adapter_stop_device(adapter, saved);
	detach(adapter);
	if (saved) {
		trace_drm_hotupdate_detach(adapter, adapter->version);
		hotupdate_set_state(adapter, HOTUPDATE_DETACHED);
	} else {
		end_adapter(adapter);
	}
	hotupdate_op_end(adapter);

	if (!saved)
		flush_workqueue(remove_wq);
	put_device(&adapter->dev);
}
EXPORT_SYMBOL_GPL(drm_hotupdate_adapter_unregister);

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
	return adapter->parent;
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

static void discard_stash(struct drm_hotupdate_adapter *adapter)
{
	unsigned int blocks = adapter->stash.count;
	u64 bytes = adapter->stash.bytes;
	ktime_t start = ktime_get();

	hotupdate_stash_clear(&adapter->stash, &adapter->status_lock, false);
	trace_drm_hotupdate_discard(adapter, blocks, bytes, 0,
				    ktime_to_ns(ktime_sub(ktime_get(), start)));
	dev_notice(&adapter->dev, "discarded %u blocks, %llu bytes, on request\n", blocks,
		   bytes);
}

/**
 * hotupdate_discard - give up a stash that no driver came back for
 * @adapter: detached adapter
 *
 * Implements U9. The pages are freed; a device that still reads them reads
 * what is not its own any more, so this is for the administrator to decide.
 *
 * Return: 0; -EBUSY if another operation is under way, or a driver is
 * attached; -EINVAL if there is no stash.
 */
int hotupdate_discard(struct drm_hotupdate_adapter *adapter)
{
	int err;

	err = hotupdate_op_try(adapter, "discard");
	if (err)
		return err;

	switch (adapter->state) {
	case HOTUPDATE_DETACHED:
		discard_stash(adapter);
		end_adapter(adapter);
		break;
	case HOTUPDATE_SAVED:
		err = hotupdate_error(adapter, -EBUSY,
				      "discard refused: driver %s is attached, cancel instead",
				      adapter->driver);
		break;
	default:
		err = hotupdate_error(adapter, -EINVAL,
				      "discard refused: nothing is stashed");
	}
	hotupdate_op_end(adapter);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_discard);

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
