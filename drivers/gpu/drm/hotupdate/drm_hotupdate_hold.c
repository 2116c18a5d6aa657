// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/device.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: holds on the device
 *
 * While no driver is bound, nobody but the core keeps the device running. From before
 * the save to the commit, or to a cancel, a failed save, a discard or the removal of
 * the device, the core holds:
 *
 * - *Runtime PM* of the device and of its parent. The parent needs a reference of its
 *   own: a driver that disables runtime PM when it is unbound leaves the device marked
 *   as suspended, and a suspended child does not keep its parent active.
 * - *One enable count*, if the device is an enabled PCI function. A driver that calls
 *   pci_disable_device() when it goes, or for which devres does so because it has used
 *   pcim_enable_device(), then does not turn bus mastering off.
 * - The *module* that can silence the device, if the driver has named one.
 * - If a resident driver does the device's DMA, runtime PM of its device, and its module.
 *   It looks after the rest itself: the core reads no COMMAND and holds no enable count.
 *
 * The holds protect a device from what the kernel does by itself. A driver's removal
 * can still stop it: with pm_runtime_force_suspend(), pci_clear_master(), or a change
 * of the power state by hand. A driver with hot update does none of these in state
 * saved.
 *
 * A device in a PM domain is refused, because the driver core powers it off at the
 * unbind whatever its usage count.
 *
 * An administrator can turn a PCI function off while it has no driver: a 0 written to
 * its attribute *enable* drops the core's enable count. On PCI the core therefore
 * compares COMMAND with its value at the save before it trusts the device again.
 *
 * The holds are taken and dropped within an operation, with the lock of the device or
 * without it. A resume runs callbacks of the drivers of the device and of its parent.
 * These must not take a lock under which a driver registers or unregisters.
 */

/* Keeps the usage count if runtime PM is not enabled: it can be enabled later. */
static int hold_get_power(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	int err = pm_runtime_get_sync(dev);

	if (err >= 0 || err == -EACCES)
		return 0;
	pm_runtime_put_noidle(dev);
	return hotupdate_error(adapter, err, "prepare refused: device %s does not resume",
			       dev_name(dev));
}

static int hold_get_silence(struct drm_hotupdate_adapter *adapter)
{
	if (!try_module_get(adapter->silence_owner))
		return hotupdate_error(adapter, -ENODEV,
				       "prepare refused: the module that can silence device %s is being unloaded",
				       dev_name(adapter->device));
	adapter->hold.silence = adapter->silence;
	adapter->hold.silence_owner = adapter->silence_owner;
	return 0;
}

static void hold_put_silence(struct hotupdate_hold *hold)
{
	module_put(hold->silence_owner);
	hold->silence = NULL;
	hold->silence_owner = NULL;
}

/* Of another device than the adapter's, which can be NULL. */
static int hold_get_other(struct drm_hotupdate_adapter *adapter, struct device *other,
			  struct device **held)
{
	int err;

	if (!other)
		return 0;
	err = hold_get_power(adapter, other);
	if (!err)
		*held = get_device(other);
	return err;
}

static void hold_put_other(struct device **held)
{
	if (!*held)
		return;
	pm_runtime_put(*held);
	put_device(*held);
	*held = NULL;
}

/* The resident driver is there as long as the adapter's driver is. */
static int hold_get_resident(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_hold *hold = &adapter->hold;
	const struct device_driver *resident;
	int err;

	if (!hotupdate_has_resident(adapter))
		return 0;
	resident = READ_ONCE(adapter->dma_dev->driver);
	if (!resident || !try_module_get(resident->owner))
		return hotupdate_error(adapter, -ENODEV,
				       "prepare refused: the resident driver of device %s is being removed",
				       dev_name(adapter->dma_dev));
	err = hold_get_other(adapter, adapter->dma_dev, &hold->dma_dev);
	if (err) {
		module_put(resident->owner);
		return err;
	}
	hold->resident = resident;
	hold->resident_owner = resident->owner;
	return 0;
}

static void hold_put_resident(struct hotupdate_hold *hold)
{
	hold_put_other(&hold->dma_dev);
	module_put(hold->resident_owner);
	hold->resident = NULL;
	hold->resident_owner = NULL;
}

/* Whether COMMAND and the enable count are the core's to look after. */
static bool hold_has_function(const struct drm_hotupdate_adapter *adapter,
			      const struct device *dev)
{
	return dev_is_pci(dev) && !hotupdate_has_resident(adapter);
}

static u16 hold_read_command(struct pci_dev *pdev)
{
	u16 command = 0;

	/* All ones if this fails. */
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	return command;
}

static int hold_get_pci(struct drm_hotupdate_adapter *adapter)
{
	struct pci_dev *pdev = to_pci_dev(adapter->device);
	struct hotupdate_hold *hold = &adapter->hold;

	hold->command = hold_read_command(pdev);
	if (PCI_POSSIBLE_ERROR(hold->command))
		return hotupdate_error(adapter, -ENODEV,
				       "prepare refused: device %s does not answer",
				       dev_name(adapter->device));

	/* Not pci_enable_device(), which enables a device that is not. */
	hold->enabled = atomic_inc_not_zero(&pdev->enable_cnt);
	return 0;
}

static int hold_get_device(struct drm_hotupdate_adapter *adapter)
{
	struct device *dev = adapter->device;
	int err;

	err = hold_get_power(adapter, dev);
	if (err)
		return err;

	adapter->hold.command = 0;
	adapter->hold.seen = 0;
	if (hold_has_function(adapter, dev)) {
		err = hold_get_pci(adapter);
		if (err)
			pm_runtime_put(dev);
	}
	return err;
}

/**
 * hotupdate_hold_begin - keep the device running without its driver
 * @adapter: adapter with its driver attached, before the driver saves
 *
 * If it fails, nothing is held, and last_error has the reason.
 *
 * Context: Process context, may sleep, within an operation. Calls back into the
 * drivers of the device and of its parent to resume them.
 * Return: 0; -EOPNOTSUPP if the device is in a PM domain; -ENODEV if it does not
 * answer, or its resident driver goes; the error of a resume.
 */
int hotupdate_hold_begin(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_hold *hold = &adapter->hold;
	int err;

	lockdep_assert_held(&adapter->op);

	if (WARN_ON_ONCE(hold->held))
		return -EBUSY;
	if (adapter->device->pm_domain)
		return hotupdate_error(adapter, -EOPNOTSUPP,
				       "prepare refused: device %s is in a PM domain, and the unbind powers it off",
				       dev_name(adapter->device));

	err = hold_get_silence(adapter);
	if (err)
		return err;
	err = hold_get_resident(adapter);
	if (err)
		goto err_silence;
	err = hold_get_other(adapter, adapter->device->parent, &hold->parent);
	if (err)
		goto err_resident;
	err = hold_get_device(adapter);
	if (err)
		goto err_parent;
	hold->held = true;
	return 0;

err_parent:
	hold_put_other(&hold->parent);
err_resident:
	hold_put_resident(hold);
err_silence:
	hold_put_silence(hold);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_hold_begin);

/* An administrator can disable a device without a driver. The count is gone then. */
static void hold_find_enabled(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_hold *hold = &adapter->hold;

	if (!hold->enabled && !hold->kept)
		return;
	if (atomic_read(&to_pci_dev(adapter->device)->enable_cnt) > 0)
		return;

	dev_warn(&adapter->dev, "device %s was disabled while the core kept it enabled\n",
		 dev_name(adapter->device));
	hold->enabled = false;
	hold->kept = false;
}

/* Only with the count at one is a decision due: anybody else's keeps it enabled. */
static void hold_put_enabled(struct drm_hotupdate_adapter *adapter, bool committed)
{
	struct hotupdate_hold *hold = &adapter->hold;
	struct pci_dev *pdev;

	hold_find_enabled(adapter);
	if (!hold->enabled)
		return;

	pdev = to_pci_dev(adapter->device);
	hold->enabled = false;
	/* Another function can have its place. */
	if (test_bit(HOTUPDATE_FLAG_REMOVED, &adapter->flags))
		return;
	if (committed && atomic_read(&pdev->enable_cnt) == 1) {
		hold->kept = true;
		dev_warn(&adapter->dev,
			 "driver %s did not enable device %s: it stays enabled until the driver goes\n",
			 adapter->driver, dev_name(adapter->device));
		return;
	}
	pci_disable_device(pdev);
}

/**
 * hotupdate_hold_end - let go of the device
 * @adapter: adapter, whose device is still registered or is about to be removed
 * @committed: a new driver has taken the device over
 *
 * Without effect if nothing is held. A device that only the core kept enabled is
 * disabled, and its bus mastering is off then; but at a commit the core keeps its
 * count until hotupdate_hold_removed(), because the new driver relies on it without
 * knowing.
 *
 * Context: Process context, may sleep, within an operation. With the device's lock or
 * without it, also from a bus notifier. Runtime PM acts on the device later, from a
 * work item of its own.
 */
void hotupdate_hold_end(struct drm_hotupdate_adapter *adapter, bool committed)
{
	struct hotupdate_hold *hold = &adapter->hold;

	lockdep_assert_held(&adapter->op);

	if (!hold->held)
		return;
	hold->held = false;
	hold_put_enabled(adapter, committed);
	hold->command = 0;
	pm_runtime_put(adapter->device);
	hold_put_other(&hold->parent);
	hold_put_resident(hold);
	hold_put_silence(hold);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_hold_end);

/**
 * hotupdate_hold_removed - drop the enable count of a driver that had none
 * @adapter: adapter whose driver has stopped, saved or not
 *
 * Undoes what hotupdate_hold_end() kept at the commit. Holds of a save that the driver
 * has made since stay. Without effect if nothing was kept.
 *
 * Context: Process context, may sleep, within an operation, after stop_device.
 */
void hotupdate_hold_removed(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_hold *hold = &adapter->hold;

	lockdep_assert_held(&adapter->op);

	hold_find_enabled(adapter);
	if (!hold->kept)
		return;
	hold->kept = false;
	pci_disable_device(to_pci_dev(adapter->device));
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_hold_removed);

enum hold_seen {
	HOLD_SEEN_NO_ANSWER,
	HOLD_SEEN_NO_MASTER,
};

/**
 * hotupdate_hold_look - look at COMMAND, and remember what is wrong
 * @adapter: adapter
 * @dev: its device
 *
 * For notifiers, which do not wait for an operation. hotupdate_hold_check() judges.
 *
 * Context: Process context.
 */
void hotupdate_hold_look(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	u16 command;

	if (!hold_has_function(adapter, dev))
		return;
	command = hold_read_command(to_pci_dev(dev));
	if (PCI_POSSIBLE_ERROR(command))
		set_bit(HOLD_SEEN_NO_ANSWER, &adapter->hold.seen);
	if (!(command & PCI_COMMAND_MASTER))
		set_bit(HOLD_SEEN_NO_MASTER, &adapter->hold.seen);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_hold_look);

/**
 * hotupdate_hold_check - whether the device still is as it was saved
 * @adapter: adapter with a stash
 * @survives: the driver that saved declared that its device can do without bus
 *	mastering
 *
 * A probe can turn on again what was off. So it counts, too, what hotupdate_hold_look()
 * has seen since the save: when the old driver had left, and before the next one was
 * probed. It also notices that the core's enable count was taken.
 *
 * Context: Process context, within an operation.
 * Return: NULL, or the reason why it is not, a phrase with the device as its subject.
 */
const char *hotupdate_hold_check(struct drm_hotupdate_adapter *adapter, bool survives)
{
	struct hotupdate_hold *hold = &adapter->hold;
	bool had_master = hold->command & PCI_COMMAND_MASTER;

	lockdep_assert_held(&adapter->op);

	if (!hold->held || !hold_has_function(adapter, adapter->device))
		return NULL;

	hold_find_enabled(adapter);
	hotupdate_hold_look(adapter, adapter->device);
	if (test_bit(HOLD_SEEN_NO_ANSWER, &hold->seen))
		return "does not answer";
	if (had_master && test_bit(HOLD_SEEN_NO_MASTER, &hold->seen) && !survives)
		return "has lost bus mastering since the save";
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_hold_check);
