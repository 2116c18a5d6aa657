/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that are supported, and cannot be avoided. The
 * Makefile asks the kernel's headers for features: stable series get some of them.
 */
#ifndef _DRM_HOTUPDATE_COMPAT_H_
#define _DRM_HOTUPDATE_COMPAT_H_

#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/spinlock.h>

/*
 * The override of the driver is a string from kmalloc(), of the device or of what
 * embeds it. guard(hotupdate_compat_override) is its lock. In kernels where the bus
 * has the string, the lock is the device's, which the caller holds already.
 */
#ifdef HOTUPDATE_DEVICE_HAS_OVERRIDE
DEFINE_LOCK_GUARD_1(hotupdate_compat_override, struct device,
		    spin_lock(&_T->lock->driver_override.lock),
		    spin_unlock(&_T->lock->driver_override.lock))

/* Of a PCI or platform device, with the override's lock held. */
static inline const char **hotupdate_compat_override(struct device *dev)
{
	return &dev->driver_override.name;
}
#else
DEFINE_LOCK_GUARD_1(hotupdate_compat_override, struct device,
		    device_lock_assert(_T->lock),
		    device_lock_assert(_T->lock))

/* Of a PCI or platform device, with the override's lock held. */
static inline const char **hotupdate_compat_override(struct device *dev)
{
	if (dev_is_pci(dev))
		return &to_pci_dev(dev)->driver_override;
	return &to_platform_device(dev)->driver_override;
}
#endif

#endif /* _DRM_HOTUPDATE_COMPAT_H_ */
