// SPDX-License-Identifier: GPL-2.0-only

#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/pci.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: silence
 *
 * A discard frees pages that the device may still use. So it first makes sure that the
 * device does no DMA any more, until a driver resets it. On PCI the core turns bus
 * mastering off, of the function and of its VFs. Other devices have a function for it, if
 * their driver has named one when it registered. A resident driver knows best how to stop
 * its device: its function is used on PCI, too. With neither, or while VFs are enabled, the
 * administrator has to insist. A VF that has a driver is in use, by a guest perhaps that
 * can turn its bus mastering on again: it has to be unbound first.
 *
 * Then the stash's pages are unmapped. The device was silent at some moment, but nothing
 * keeps it so: an IOMMU stops what comes later.
 *
 * The same is done when the device is removed while it has a stash, if it is a PCI function
 * or has a resident driver. A device that has gone silent needs no more of this.
 */

static bool silence_pci_function(struct pci_dev *pdev)
{
	u16 command = 0;

	pci_clear_master(pdev);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	/* All ones: the device does not answer, and its DMA may go on. */
	return !(command & PCI_COMMAND_MASTER);
}

/* The next VF of a function, or NULL. Drops the reference to @vf. */
static struct pci_dev *silence_next_vf(struct pci_dev *pdev, struct pci_dev *vf)
{
	while ((vf = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, vf)))
		if (vf->is_virtfn && pci_physfn(vf) == pdev)
			break;
	return vf;
}

static bool silence_pci_vfs(struct pci_dev *pdev)
{
	struct pci_dev *vf = NULL;
	bool silent = true;

	if (!pci_num_vf(pdev))
		return true;
	while ((vf = silence_next_vf(pdev, vf)))
		silent &= silence_pci_function(vf);
	return silent;
}

/* The driver of a VF, such as vfio-pci for a guest, can turn its bus mastering on again. */
static int silence_check_vfs(struct drm_hotupdate_adapter *adapter, bool force)
{
	struct pci_dev *vf = NULL, *pdev;
	int err;

	if (!dev_is_pci(adapter->dma_dev))
		return 0;
	pdev = to_pci_dev(adapter->dma_dev);
	if (!pci_num_vf(pdev))
		return 0;
	while ((vf = silence_next_vf(pdev, vf))) {
		if (!READ_ONCE(vf->dev.driver))
			continue;
		err = hotupdate_error(adapter, -EBUSY,
				      "discard refused: VF %s has a driver, unbind it first",
				      pci_name(vf));
		pci_dev_put(vf);
		return err;
	}
	if (force)
		return 0;
	return hotupdate_error(adapter, -EBUSY,
			       "discard refused: %d VFs of device %s are enabled; write force to insist",
			       pci_num_vf(pdev), pci_name(pdev));
}

/* The mappings stand in a domain that cannot be reached, and that comes back later. */
static int silence_check_domain(struct drm_hotupdate_adapter *adapter, bool force)
{
	if (force || !hotupdate_dma_is_used(adapter) ||
	    !hotupdate_dma_is_foreign(adapter->dma_dev))
		return 0;
	return hotupdate_error(adapter, -EBUSY,
			       "discard refused: the IOMMU group of device %s has the domain of somebody else; write force to leave the mappings there",
			       dev_name(adapter->dma_dev));
}

static int silence_pci(struct pci_dev *pdev, const char **reason)
{
	bool silent = silence_pci_vfs(pdev);

	silent &= silence_pci_function(pdev);
	if (silent)
		return 0;
	*reason = "bus mastering stays on";
	return -EIO;
}

/* By the function that belongs to the device. */
static int silence_call(struct drm_hotupdate_adapter *adapter, const char **reason)
{
	int err;

	if (!adapter->hold.silence) {
		*reason = "nothing is known that stops its DMA";
		return -EOPNOTSUPP;
	}

	err = adapter->hold.silence(adapter->dma_dev);
	*reason = "it did not stop its DMA";
	return err <= 0 ? err : -EINVAL;
}

static int silence_resident(struct drm_hotupdate_adapter *adapter, const char **reason)
{
	struct device *dma_dev = adapter->dma_dev;
	int err;

	/* Its data has gone with it. */
	if (READ_ONCE(dma_dev->driver) != adapter->hold.resident) {
		*reason = "its resident driver has gone";
		return -EOPNOTSUPP;
	}
	err = silence_call(adapter, reason);
	if (err || !dev_is_pci(dma_dev) || silence_pci_vfs(to_pci_dev(dma_dev)))
		return err;
	*reason = "bus mastering of a VF stays on";
	return -EIO;
}

static int silence_device(struct drm_hotupdate_adapter *adapter, const char **reason)
{
	if (hotupdate_has_resident(adapter))
		return silence_resident(adapter, reason);
	if (dev_is_pci(adapter->device))
		return silence_pci(to_pci_dev(adapter->device), reason);
	return silence_call(adapter, reason);
}

/* Returns false if there is nothing left that could do DMA. */
static bool silence_is_there(struct device *dma_dev)
{
	u16 command;

	if (!dev_is_pci(dma_dev))
		return true;
	pci_read_config_word(to_pci_dev(dma_dev), PCI_COMMAND, &command);
	return !PCI_POSSIBLE_ERROR(command);
}

/* A discard has to insist from now on. */
static void silence_set_loud(struct drm_hotupdate_adapter *adapter, const char *reason)
{
	set_bit(HOTUPDATE_FLAG_LOUD, &adapter->flags);
	dev_err(&adapter->dev, "device %s was removed, and %s\n",
		dev_name(adapter->device), reason);
}

/* Other devices go with the module that has made them, which stops them. */
static bool silence_is_due(const struct drm_hotupdate_adapter *adapter)
{
	return dev_is_pci(adapter->device) || hotupdate_has_resident(adapter);
}

static void silence_stop_removed(struct drm_hotupdate_adapter *adapter)
{
	const char *reason;

	if (!silence_is_due(adapter) || !silence_is_there(adapter->dma_dev) ||
	    !silence_device(adapter, &reason))
		return;
	silence_set_loud(adapter, reason);
}

/*
 * Whether the removal is not over. Within its notifier that is certain. Other buses than
 * PCI remove a device before they unbind its driver, and this is the end of the unbind.
 */
static bool silence_is_in_time(struct drm_hotupdate_adapter *adapter)
{
	return !test_bit(HOTUPDATE_FLAG_REMOVED, &adapter->flags) ||
	       READ_ONCE(adapter->device->driver);
}

/**
 * hotupdate_silence_removed - stop the DMA of a device that is being removed
 * @adapter: adapter with a stale stash and no driver, within an operation
 *
 * Unmaps the stash. If it cannot do all that, a discard needs to be forced.
 * VFs can outlive the function that they belong to, and a function outlives the auxiliary
 * device that its resident driver removes.
 */
void hotupdate_silence_removed(struct drm_hotupdate_adapter *adapter)
{
	lockdep_assert_held(&adapter->op);
	guard(mutex)(&adapter->silence_lock);

	/* Late, nothing of the device, its IOMMU domain or its resident driver is certain. */
	if (!silence_is_in_time(adapter)) {
		if (silence_is_due(adapter) || hotupdate_dma_is_used(adapter))
			silence_set_loud(adapter, "nobody has silenced it");
		return;
	}
	silence_stop_removed(adapter);
	if (!hotupdate_dma_unmap(adapter))
		silence_set_loud(adapter, "pages of its stash may still be mapped for DMA");
}

static int silence_check_removed(struct drm_hotupdate_adapter *adapter, bool force)
{
	if (!test_bit(HOTUPDATE_FLAG_LOUD, &adapter->flags) || force)
		return 0;
	return hotupdate_error(adapter, -EIO,
			       "discard refused: the device was removed and may use the pages; write force to insist");
}

/**
 * hotupdate_silence_close - leave the mappings of a removed device alone from now on
 * @adapter: adapter whose device is marked as gone
 *
 * Waits until nobody unmaps them.
 *
 * Context: Process context, may sleep; the end of the notifier of the device's removal.
 */
void hotupdate_silence_close(struct drm_hotupdate_adapter *adapter)
{
	guard(mutex)(&adapter->silence_lock);

	set_bit(HOTUPDATE_FLAG_REMOVED, &adapter->flags);
}

/**
 * hotupdate_silence_wait - wait until nobody silences the device
 * @adapter: adapter whose device is marked as gone
 *
 * Context: Process context, may sleep; the notifier of the device's removal.
 */
void hotupdate_silence_wait(struct drm_hotupdate_adapter *adapter)
{
	guard(mutex)(&adapter->silence_lock);
}

/*
 * After an attempt nobody knows whether the device still runs: the stash cannot be
 * restored any more.
 */
static int silence_failed(struct drm_hotupdate_adapter *adapter, int err,
			  const char *reason)
{
	if (err != -EOPNOTSUPP && adapter->state != HOTUPDATE_STALE)
		hotupdate_set_stale(adapter, reason);
	return hotupdate_error(adapter, err,
			       "discard refused: device %s may use the pages: %s; write force to insist",
			       dev_name(adapter->device), reason);
}

/**
 * hotupdate_silence - stop the DMA of a device that has no driver, and unmap its stash
 * @adapter: adapter, within an operation, and with its device locked if that is there,
 *	as that of a resident driver
 * @force: go on if that cannot be done, or costs VFs that are enabled
 *
 * Return: 0; -EBUSY if VFs are enabled or in use, the device is being removed, or the
 * IOMMU's domain is not that of the DMA API;
 * -EOPNOTSUPP if the device cannot be silenced; or the error of the device.
 */
int hotupdate_silence(struct drm_hotupdate_adapter *adapter, bool force)
{
	struct device *dev = adapter->device;
	const char *reason;
	int err;

	lockdep_assert_held(&adapter->op);

	if (!dev)
		return silence_check_removed(adapter, force);
	device_lock_assert(dev);
	device_lock_assert(adapter->dma_dev);
	guard(mutex)(&adapter->silence_lock);

	if (test_bit(HOTUPDATE_FLAG_GONE, &adapter->flags))
		return hotupdate_error(adapter, -EBUSY,
				       "discard refused: device %s is being removed",
				       dev_name(dev));
	err = silence_check_vfs(adapter, force);
	if (!err)
		err = silence_check_domain(adapter, force);
	if (err)
		return err;

	err = silence_device(adapter, &reason);
	if (err && !force)
		return silence_failed(adapter, err, reason);
	if (err)
		dev_warn(&adapter->dev,
			 "device %s may use the pages of the discarded stash: %s\n",
			 dev_name(dev), reason);
	hotupdate_dma_unmap(adapter);
	return 0;
}
