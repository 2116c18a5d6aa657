// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <drm/drm_hotupdate_compat.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: override of the driver
 *
 * A device with a stash must not be probed by a driver that does not know of it. When
 * the driver that saved is unbound, the core writes the driver's name to the device's
 * driver_override: the bus then lets only drivers of this name have the device. The
 * override is taken back when the device needs no protection any more.
 *
 * An administrator is free to write another name, before or afterwards, because the
 * next driver can have one. That name counts, and the core does not touch it. The core
 * recognizes its own string by its address, and by its content: the address can be used
 * again after the string was freed.
 *
 * Not every device can be protected:
 *
 * - Only PCI and platform devices are. Auxiliary and faux devices have no override.
 *   On all buses the core compares the name of the next driver with that of the last
 *   one.
 * - A platform device that was matched by a table of IDs is not. With an override the
 *   match ends before it sets the device's id_entry, and the next driver's probe
 *   would read the table of a module that has gone. vgpu matches by name.
 * - On PCI an override also matches a driver whose table lacks the device. The log
 *   names such a driver.
 *
 * The lock of the device protects what is remembered here: bus notifiers hold it, and
 * no driver is probed meanwhile. It comes before an operation, and none is needed.
 */

/* Whether the bus compares a driver's name with an override. */
static bool override_exists(struct device *dev)
{
	return dev_is_pci(dev) || dev_is_platform(dev);
}

static bool override_is_safe(struct device *dev)
{
	return dev_is_pci(dev) ||
	       (dev_is_platform(dev) && !to_platform_device(dev)->id_entry);
}

/* With the override's lock held. The core's string has @saver's content. */
static bool override_is_ours(const struct hotupdate_hold *hold, const char *name)
{
	return name && name == hold->override && !strcmp(name, hold->saver);
}

static bool override_is_set(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	bool ours = false;

	scoped_guard(hotupdate_compat_override, dev)
		ours = override_is_ours(&adapter->hold, *hotupdate_compat_override(dev));
	return ours;
}

static void override_take_back(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	struct hotupdate_hold *hold = &adapter->hold;
	const char *ours = NULL;

	if (!hold->override)
		return;
	scoped_guard(hotupdate_compat_override, dev) {
		const char **name = hotupdate_compat_override(dev);

		if (override_is_ours(hold, *name))
			swap(ours, *name);
	}
	hold->override = NULL;
	kfree(ours);
}

/* Unless there is one: an administrator's counts. */
static int override_write(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	struct hotupdate_hold *hold = &adapter->hold;
	const char *ours = hold->saver ? kstrdup(hold->saver, GFP_KERNEL) : NULL;

	if (!ours)
		return -ENOMEM;
	scoped_guard(hotupdate_compat_override, dev) {
		const char **name = hotupdate_compat_override(dev);

		if (!*name) {
			hold->override = ours;
			swap(ours, *name);
		}
	}
	kfree(ours);
	return 0;
}

/* Whether a driver for PCI is probed only because of an override. */
static bool override_replaces_id(struct device *dev)
{
	return dev_is_pci(dev) &&
	       !pci_match_id(to_pci_driver(dev->driver)->id_table, to_pci_dev(dev));
}

/**
 * hotupdate_override_note - remember the name of the driver that leaves
 * @adapter: adapter whose driver is about to be unbound
 * @dev: its device
 *
 * To be called at BUS_NOTIFY_UNBIND_DRIVER, whatever the state: a save can still end.
 *
 * Context: Process context, may sleep, with the device's lock held. The device has its
 * driver still.
 */
void hotupdate_override_note(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	struct hotupdate_hold *hold = &adapter->hold;

	device_lock_assert(dev);

	override_take_back(adapter, dev);
	kfree(hold->saver);
	hold->saver = kstrdup(dev->driver->name, GFP_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_override_note);

/**
 * hotupdate_override_set - let only drivers of the same name have the device
 * @adapter: adapter with a stash, whose driver is about to be unbound, or has been
 * @dev: its device
 *
 * To be called at BUS_NOTIFY_UNBIND_DRIVER, and again at BUS_NOTIFY_UNBOUND_DRIVER, for
 * a save that has ended in between. An override that is there stays. If memory is short,
 * the device stays unprotected, and the log has it.
 *
 * Context: Process context, may sleep, with the device's lock held.
 */
void hotupdate_override_set(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	int err;

	device_lock_assert(dev);

	if (!override_is_safe(dev))
		return;
	err = override_write(adapter, dev);
	if (err)
		dev_err(&adapter->dev,
			"device %s is open to any driver: its driver_override is not set (%pe)\n",
			dev_name(dev), ERR_PTR(err));
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_override_set);

/**
 * hotupdate_override_clear - let any driver have the device again
 * @adapter: adapter that waits for no driver any more
 * @dev: its device
 *
 * Without effect if the override is not the core's. A caller that is a work item checks
 * first, with the device's lock held, that the adapter has not been saved anew: the
 * override is another update's then.
 *
 * Context: Process context, may sleep, with the device's lock held.
 */
void hotupdate_override_clear(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	device_lock_assert(dev);

	override_take_back(adapter, dev);
	hotupdate_override_fini(adapter);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_override_clear);

/**
 * hotupdate_override_admits - whether a driver may have the device by its name
 * @adapter: adapter with a stash
 * @dev: its device
 * @driver_name: name of the driver that is bound, or that was probed
 *
 * Context: Process context, with the device's lock held.
 * Return: true if the name is that of the override, or, if none is set, that of the
 * driver that saved. true also if neither is known, because memory was short.
 */
bool hotupdate_override_admits(struct drm_hotupdate_adapter *adapter, struct device *dev,
			       const char *driver_name)
{
	const char *saver = adapter->hold.saver;
	bool admits;

	device_lock_assert(dev);

	admits = !saver || !strcmp(saver, driver_name);
	if (!override_exists(dev))
		return admits;
	scoped_guard(hotupdate_compat_override, dev) {
		const char **name = hotupdate_compat_override(dev);

		if (*name)
			admits = !strcmp(*name, driver_name);
	}
	return admits;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_override_admits);

/**
 * hotupdate_override_log_probe - name a driver that only the override lets in
 * @adapter: adapter with a stash
 * @dev: its device
 *
 * To be called at BUS_NOTIFY_BIND_DRIVER. PCI probes a driver of the override's name
 * also if its table lacks the device's ID. IDs that were added at run time are not
 * looked at. Nothing is logged if the override is an administrator's.
 *
 * Context: Process context, with the device's lock held. The driver that is about to be
 * probed is the device's.
 */
void hotupdate_override_log_probe(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	device_lock_assert(dev);

	if (adapter->hold.override && override_is_set(adapter, dev) &&
	    override_replaces_id(dev))
		dev_notice(&adapter->dev,
			   "driver %s lacks the ID of device %s, and is probed because of its name\n",
			   dev->driver->name, dev_name(dev));
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_override_log_probe);

/**
 * hotupdate_override_fini - free what is remembered of the driver that saved
 * @adapter: adapter without an override of the core, or whose device has gone
 *
 * Context: Any. Nobody else uses the adapter's override.
 */
void hotupdate_override_fini(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_hold *hold = &adapter->hold;

	kfree(hold->saver);
	hold->saver = NULL;
	hold->override = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_override_fini);
