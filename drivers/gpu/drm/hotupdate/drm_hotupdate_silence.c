// SPDX-License-Identifier: GPL-2.0-only

#include <linux/device.h>
#include <linux/lockdep.h>
#include <linux/pci.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: silence
 *
 * A discard frees pages that the device may still use. So it first makes sure that the
 * device does no DMA any more, until a driver resets it. On PCI the core turns bus
 * mastering off, of the function and of its VFs. Other devices have a function for it, if
 * their driver has named one when it registered. With neither, or while VFs are enabled,
 * the administrator has to insist: whoever uses the VFs loses them.
 *
 * A device that has gone needs none of this.
 */

static bool silence_pci_function(struct pci_dev *pdev)
{
	u16 command = 0;

	pci_clear_master(pdev);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	/* All ones: it does not answer, and may do what it likes. */
	return !(command & PCI_COMMAND_MASTER);
}

static bool silence_pci_vfs(struct pci_dev *pdev)
{
	struct pci_dev *vf = NULL;
	bool silent = true;

	if (!pci_num_vf(pdev))
		return true;
	for_each_pci_dev(vf)
		if (vf->is_virtfn && pci_physfn(vf) == pdev)
			silent &= silence_pci_function(vf);
	return silent;
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

static int silence_device(struct drm_hotupdate_adapter *adapter, const char **reason)
{
	int err;

	if (dev_is_pci(adapter->device))
		return silence_pci(to_pci_dev(adapter->device), reason);
	if (!adapter->silence) {
		*reason = "nothing is known that stops its DMA";
		return -EOPNOTSUPP;
	}

	err = adapter->silence(adapter->device);
	*reason = "it did not stop its DMA";
	return err <= 0 ? err : -EINVAL;
}

/**
 * hotupdate_silence - stop the DMA of a device that has no driver
 * @adapter: adapter, within an operation and with its device locked
 * @force: go on if that cannot be done, or costs VFs that are enabled
 *
 * Return: 0; -EBUSY if VFs are enabled; -EOPNOTSUPP if the device cannot be silenced;
 * or the error of the device.
 */
int hotupdate_silence(struct drm_hotupdate_adapter *adapter, bool force)
{
	struct device *dev = adapter->device;
	const char *reason;
	int err;

	lockdep_assert_held(&adapter->op);
	device_lock_assert(dev);

	if (dev_is_pci(dev) && pci_num_vf(to_pci_dev(dev)) && !force)
		return hotupdate_error(adapter, -EBUSY,
				       "discard refused: %d VFs of device %s are enabled; write force to insist",
				       pci_num_vf(to_pci_dev(dev)), dev_name(dev));

	err = silence_device(adapter, &reason);
	if (!err)
		return 0;
	if (!force)
		return hotupdate_error(adapter, err,
				       "discard refused: device %s may use the pages: %s; write force to insist",
				       dev_name(dev), reason);
	dev_warn(&adapter->dev, "device %s may use the pages of the discarded stash: %s\n",
		 dev_name(dev), reason);
	return 0;
}
