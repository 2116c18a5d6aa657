// SPDX-License-Identifier: GPL-2.0-only

#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "drm_hotupdate_internal.h"
#include "drm_hotupdate_trace.h"

#define DRIVER_FLAGS	DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF

static bool has_white_space(const char *s)
{
	for (; *s; s++)
		if (isspace(*s))
			return true;
	return false;
}

/*
 * A driver that asks has left the device alone so far, even if it is refused then. The
 * device is the first member in all versions of the interface.
 */
static void note_registration(const struct drm_hotupdate_device *device)
{
	struct drm_hotupdate_adapter *adapter;

	if (!device || !device->dev)
		return;

	adapter = hotupdate_adapter_find(device->dev);
	if (!adapter)
		return;
	set_bit(HOTUPDATE_FLAG_REGISTERED, &adapter->flags);
	put_device(&adapter->dev);
}

/* Before anything else that the driver passes is looked at. */
static int check_abi(unsigned int abi)
{
	if (abi == DRM_HOTUPDATE_ABI)
		return 0;
	pr_err("hot update refused: a driver is built for version %u of the interface, this is %u\n",
	       abi, DRM_HOTUPDATE_ABI);
	return -EPROTONOSUPPORT;
}

static int check_new_device(const struct drm_hotupdate_device *device)
{
	struct device *dev = device ? device->dev : NULL;

	if (!dev ||
	    memchr_inv(device->reserved, 0, sizeof(device->reserved))) {
		pr_err("hot update refused: no proper description of a device\n");
		return -EINVAL;
	}
	return 0;
}

static int check_driver(struct device *dev, const struct drm_hotupdate_driver *drv)
{
	const struct drm_hotupdate_ops *ops = drv ? drv->ops : NULL;
	const char *what = NULL;

	if (!drv) {
		dev_err(dev, "hot update refused: no driver is given\n");
		return -EINVAL;
	}
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
	else if (drv->flags & ~DRIVER_FLAGS)
		what = "has a flag that is not known";
	else if (memchr_inv(drv->reserved, 0, sizeof(drv->reserved)))
		what = "has a reserved word that is not zero";
	if (!what)
		return 0;

	dev_err(dev, "hot update refused: driver %s %s\n", drv->name ?: "", what);
	return -EINVAL;
}

/* Adapters have the names of devices, but are of one device. */
static int check_device(struct drm_hotupdate_adapter *adapter, struct device *dev,
			const struct drm_hotupdate_driver *drv)
{
	if (adapter->ops)
		return hotupdate_error(adapter, -EBUSY, "refused a second driver");

	if (adapter->state == HOTUPDATE_STARTING && adapter->device != dev)
		return hotupdate_error(adapter, -ENODEV,
				       "driver %s refused: its device is being removed", drv->name);
	if (adapter->state != HOTUPDATE_STALE && adapter->device != dev) {
		hotupdate_set_stale(adapter, "another device has taken its name");
		if (adapter->device)
			hotupdate_hold_end(adapter, false);
		hotupdate_adapter_put_device(adapter);
	}
	if (adapter->state == HOTUPDATE_STALE)
		return hotupdate_error(adapter, -ESTALE,
				       "driver %s refused: %u blocks are stale, discard them first: %s",
				       drv->name, adapter->stash.count, adapter->stale_reason);
	return 0;
}

static int check_readable(struct drm_hotupdate_adapter *adapter,
			  const struct drm_hotupdate_driver *drv)
{
	if (!hotupdate_has_stash(adapter->state))
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
	if (adapter->flags_of_stash & ~drv->flags)
		return hotupdate_error(adapter, -EPROTONOSUPPORT,
				       "driver %s refused: it lacks flags %#x of the driver that saved",
				       drv->name, adapter->flags_of_stash & ~drv->flags);
	return 0;
}

/* A driver that does not fit leaves the stash as it was; a device or a page does not. */
static int check_stash(struct drm_hotupdate_adapter *adapter)
{
	if (!hotupdate_has_stash(adapter->state))
		return 0;
	/* The last driver may have reported it while it left. */
	if (hotupdate_is_lost(adapter)) {
		hotupdate_set_stale(adapter, "the device is lost");
		return -ESTALE;
	}
	return hotupdate_check_device(adapter) ?: hotupdate_check_stash(adapter) ?:
	       hotupdate_check_mappings(adapter);
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

/**
 * hotupdate_detach - let go of the driver of an adapter
 * @adapter: adapter
 */
void hotupdate_detach(struct drm_hotupdate_adapter *adapter)
{
	lockdep_assert_held(&adapter->op);

	hotupdate_timeout_detach(adapter);
	adapter->ops = NULL;
	adapter->priv = NULL;
	scoped_guard(mutex, &adapter->status_lock)
		adapter->owner = NULL;
	hotupdate_status_changed();
	/* An attached driver has kept the device. */
	if (test_bit(HOTUPDATE_FLAG_GONE, &adapter->flags))
		set_bit(HOTUPDATE_EVENT_GONE, &adapter->op.events);
}

/* A silence that goes with the driver's module would be called when it has gone. */
static int check_silence(struct drm_hotupdate_adapter *adapter,
			 const struct drm_hotupdate_device *device,
			 const struct drm_hotupdate_driver *drv)
{
	struct module *owner = drv->owner;

	if (device->silence_owner && !device->silence)
		return hotupdate_error(adapter, -EINVAL,
				       "driver %s refused: there is no silence for its owner",
				       drv->name);
	if (!owner || !device->silence)
		return 0;
	if (device->silence_owner == owner ||
	    within_module((unsigned long)device->silence, owner))
		return hotupdate_error(adapter, -EINVAL,
				       "driver %s refused: silence is in the module that is to be replaced",
				       drv->name);
	return 0;
}

static bool is_ancestor(const struct device *dev, const struct device *ancestor)
{
	while (dev && dev != ancestor)
		dev = dev->parent;
	return dev;
}

/*
 * An ancestor is removed after the device, so that its driver is there as long as this
 * one is.
 */
static int check_resident(struct drm_hotupdate_adapter *adapter, struct device *dev,
			  struct device *dma_dev, const struct drm_hotupdate_driver *drv)
{
	const struct device_driver *resident;

	if (!is_ancestor(dev, dma_dev))
		return hotupdate_error(adapter, -EINVAL,
				       "driver %s refused: device %s does not belong to %s",
				       drv->name, dev_name(dev), dev_name(dma_dev));
	resident = READ_ONCE(dma_dev->driver);
	if (!resident)
		return hotupdate_error(adapter, -ENODEV,
				       "driver %s refused: device %s has no resident driver",
				       drv->name, dev_name(dma_dev));
	if (drv->owner && resident->owner == drv->owner)
		return hotupdate_error(adapter, -EINVAL,
				       "driver %s refused: the resident driver is in the module that is to be replaced",
				       drv->name);
	return 0;
}

/* The mappings of a stash are those of the device that it was saved with. */
static int check_dma_dev(struct drm_hotupdate_adapter *adapter,
			 const struct drm_hotupdate_device *device,
			 const struct drm_hotupdate_driver *drv)
{
	struct device *dma_dev = device->dma_dev ?: device->dev;

	if (adapter->dma_dev && adapter->dma_dev != dma_dev)
		return hotupdate_error(adapter, -EINVAL,
				       "driver %s refused: device %s does the DMA, not %s",
				       drv->name, dev_name(adapter->dma_dev),
				       dev_name(dma_dev));
	if (dma_dev == device->dev)
		return 0;
	return check_resident(adapter, device->dev, dma_dev, drv);
}

static int attach(struct drm_hotupdate_adapter *adapter,
		  const struct drm_hotupdate_device *device,
		  const struct drm_hotupdate_driver *drv, void *priv)
{
	int err;

	err = check_device(adapter, device->dev, drv) ?:
	      check_dma_dev(adapter, device, drv) ?:
	      check_silence(adapter, device, drv) ?: check_readable(adapter, drv) ?:
	      check_stash(adapter) ?: set_names(adapter, drv);
	if (err)
		return err;

	/* Of the last driver: this one need not be bound. */
	clear_bit(HOTUPDATE_FLAG_LEAVING, &adapter->flags);
	adapter->ops = drv->ops;
	adapter->priv = priv;
	adapter->flags_of_driver = drv->flags;
	adapter->silence = device->silence;
	adapter->silence_owner = device->silence_owner;
	adapter->in_probe = hotupdate_is_in_probe(device->dev);

	scoped_guard(mutex, &adapter->status_lock) {
		if (!adapter->dma_dev)
			WRITE_ONCE(adapter->dma_dev,
				   get_device(device->dma_dev ?: device->dev));
		adapter->owner = drv->owner;
		adapter->min_version = drv->min_version;
		adapter->driver_version = drv->version;
		if (adapter->state == HOTUPDATE_STARTING)
			WRITE_ONCE(adapter->version, drv->version);
	}
	hotupdate_status_changed();
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

	if (adapter->state == HOTUPDATE_STARTING)
		err = hotupdate_start(adapter);
	else
		err = hotupdate_restore_and_start(adapter);
	if (!err)
		hotupdate_finish_start(adapter);
	/* No notice of the binding follows, if this driver is bound. */
	if (!err && READ_ONCE(adapter->hold.override))
		hotupdate_bus_settle(adapter);
	hotupdate_callback_end(adapter);
	return err;
}

/**
 * __drm_hotupdate_adapter_register - register for a version of the interface
 * @device: device
 * @drv: what the driver can do
 * @priv: the driver's own pointer
 * @abi: %DRM_HOTUPDATE_ABI, as the driver was built with it
 *
 * What drm_hotupdate_adapter_register_device() calls.
 *
 * Context: Process context, may sleep.
 * Return: The adapter, or an ERR_PTR.
 */
struct drm_hotupdate_adapter *
__drm_hotupdate_adapter_register(const struct drm_hotupdate_device *device,
				 const struct drm_hotupdate_driver *drv, void *priv,
				 unsigned int abi)
{
	struct drm_hotupdate_adapter *adapter;
	bool is_new;
	int err;

	note_registration(device);
	err = check_abi(abi) ?: check_new_device(device) ?: check_driver(device->dev, drv);
	if (err)
		return ERR_PTR(err);
	adapter = hotupdate_adapter_claim(device->dev);
	if (IS_ERR(adapter))
		return adapter;

	set_bit(HOTUPDATE_FLAG_REGISTERED, &adapter->flags);
	is_new = adapter->state == HOTUPDATE_STARTING && !adapter->ops;
	err = attach(adapter, device, drv, priv);
	if (!err) {
		err = run_driver(adapter);
		if (err)
			hotupdate_detach(adapter);
	}
	if (err && is_new)
		hotupdate_adapter_end(adapter);
	hotupdate_op_end(adapter);

	if (err && is_new)
		hotupdate_adapters_flush();
	put_device(&adapter->dev);
	return err ? ERR_PTR(err) : adapter;
}
EXPORT_SYMBOL_GPL(__drm_hotupdate_adapter_register);

/* No error: the callback cannot fail, and can be entered though the module goes. */
static void adapter_stop_device(struct drm_hotupdate_adapter *adapter, bool saved)
{
	ktime_t start = ktime_get();

	adapter->ops->stop_device(adapter, saved);
	trace_drm_hotupdate_stop(adapter, adapter->stash.count, adapter->stash.bytes, 0,
				 ktime_to_ns(ktime_sub(ktime_get(), start)));
	hotupdate_hold_removed(adapter);
}

/*
 * The stash stays behind. A device that is lost is stopped, whatever was saved of it:
 * nothing can be restored to it.
 */
static void leave_stash(struct drm_hotupdate_adapter *adapter)
{
	bool saved = !hotupdate_is_lost(adapter);

	adapter_stop_device(adapter, saved);
	if (adapter->state == HOTUPDATE_RESTORED)
		hotupdate_restore_undo(adapter, 0);
	else if (!saved)
		hotupdate_dma_forget(adapter);
	hotupdate_detach(adapter);
	trace_drm_hotupdate_detach(adapter, adapter->version);
	hotupdate_set_detached(adapter);
}

static void stop_and_end(struct drm_hotupdate_adapter *adapter)
{
	if (hotupdate_owner_holds(adapter, HOTUPDATE_REF_GUARD))
		dev_warn(&adapter->dev,
			 "driver %s leaves without a save, though another adapter waits for its module\n",
			 adapter->driver);
	adapter_stop_device(adapter, false);
	hotupdate_detach(adapter);
	hotupdate_adapter_end(adapter);
}

/**
 * drm_hotupdate_adapter_unregister - end a driver's part in an adapter
 * @adapter: adapter, not valid afterwards; NULL or an ERR_PTR is ignored
 *
 * Implements W21, U2 and U12. Call it once, from the driver's remove, or when its probe
 * fails after the registration; not later: an adapter whose driver has left the device
 * without it ends by itself. It waits for an operation under way, and then calls the
 * driver's stop_device. In state saved the device keeps running and the stash stays
 * behind. After a restore that is not committed yet the same is true, and restore_abort
 * follows. In any other state the device is stopped, and the adapter ends.
 *
 * A lost device is stopped in any state, and a stash of it becomes stale.
 *
 * In all cases the driver drops its references to all memory as usual, in stop_device
 * or later: the stash has references of its own.
 *
 * Context: Process context, may sleep. The caller holds no lock that the
 * driver's callbacks take.
 */
void drm_hotupdate_adapter_unregister(struct drm_hotupdate_adapter *adapter)
{
	bool has_ended = false;

	if (IS_ERR_OR_NULL(adapter))
		return;
	if (hotupdate_op_is_mine(adapter)) {
		hotupdate_error(adapter, -EDEADLK,
				"driver %s does not unregister: it tries to in a callback",
				adapter->driver);
		return;
	}

	get_device(&adapter->dev);
	hotupdate_op_begin(adapter);
	if (!adapter->ops) {
		dev_err(&adapter->dev, "unregistered by a driver that had left already\n");
	} else if (hotupdate_has_stash(adapter->state)) {
		leave_stash(adapter);
	} else {
		stop_and_end(adapter);
		has_ended = true;
	}
	hotupdate_op_end(adapter);

	if (has_ended)
		hotupdate_adapters_flush();
	put_device(&adapter->dev);
}
EXPORT_SYMBOL_GPL(drm_hotupdate_adapter_unregister);

/**
 * drm_hotupdate_adapter_lost - report that the device does not work any more
 * @adapter: adapter of a registered driver
 *
 * For a device that does not answer, or that had to be reset. It is noted for good: no
 * prepare or cancel is possible afterwards, a restore is not committed, and
 * drm_hotupdate_adapter_unregister() stops the device. A stash becomes stale: its pages
 * stay pinned until the administrator discards it, because the device may still use
 * them. A device that is removed is lost without this call.
 *
 * Context: Any.
 */
void drm_hotupdate_adapter_lost(struct drm_hotupdate_adapter *adapter)
{
	if (!test_and_set_bit(HOTUPDATE_FLAG_LOST, &adapter->flags))
		dev_err(&adapter->dev, "the driver reports that the device is lost\n");
}
EXPORT_SYMBOL_GPL(drm_hotupdate_adapter_lost);
