// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/ktime.h>

#include "drm_hotupdate_internal.h"
#include "drm_hotupdate_trace.h"

/* How long a discard waits for the lock of the device. */
#define LOCK_PATIENCE_MS	1000
#define LOCK_PERIOD_MS		10

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

/* The ancestor first, as the driver core does. A device without one is its own. */
static bool discard_trylock(struct device *dev, struct device *dma_dev)
{
	if (dma_dev != dev && !device_trylock(dma_dev))
		return false;
	if (device_trylock(dev))
		return true;
	if (dma_dev != dev)
		device_unlock(dma_dev);
	return false;
}

static void discard_unlock(struct device *dev, struct device *dma_dev)
{
	device_unlock(dev);
	if (dma_dev != dev)
		device_unlock(dma_dev);
}

/*
 * Not device_lock(): a driver that unregisters holds that lock, and can wait for the
 * writers of attributes. Returns false if it is not to be had, as during a probe.
 */
static bool discard_lock(struct device *dev, struct device *dma_dev)
{
	unsigned int waited_ms;

	for (waited_ms = 0; !discard_trylock(dev, dma_dev); waited_ms += LOCK_PERIOD_MS) {
		if (waited_ms >= LOCK_PATIENCE_MS)
			return false;
		msleep(LOCK_PERIOD_MS);
	}
	return true;
}

static int discard_check(struct drm_hotupdate_adapter *adapter, struct device *dev)
{
	switch (adapter->state) {
	case HOTUPDATE_DETACHED:
	case HOTUPDATE_STALE:
		if (dev && dev->driver)
			return hotupdate_error(adapter, -EBUSY,
					       "discard refused: driver %s has the device, unbind it first",
					       dev->driver->name);
		return 0;
	case HOTUPDATE_SAVED:
		return hotupdate_error(adapter, -EBUSY,
				       "discard refused: driver %s is attached, cancel instead",
				       adapter->driver);
	case HOTUPDATE_RESTORED:
		return hotupdate_error(adapter, -EBUSY,
				       "discard refused: driver %s is about to take over",
				       adapter->driver);
	case HOTUPDATE_UNCLAIMED:
		return hotupdate_error(adapter, -EBUSY,
				       "discard refused: a driver has the device, unbind it first");
	default:
		return hotupdate_error(adapter, -EINVAL,
				       "discard refused: nothing is stashed");
	}
}

/* With the device locked, if it is there. */
static int discard_stale_or_detached(struct drm_hotupdate_adapter *adapter,
				     struct device *dev, bool force)
{
	int err;

	/* It had none when the request came, and was not locked. */
	if (adapter->device && !dev)
		return hotupdate_error(adapter, -EBUSY,
				       "discard refused: the first registration is under way");
	err = discard_check(adapter, dev);
	if (err)
		return err;
	err = hotupdate_silence(adapter, force);
	if (err)
		return err;
	if (adapter->device) {
		hotupdate_hold_end(adapter, false);
		hotupdate_override_clear(adapter, adapter->device);
	}
	discard_stash(adapter);
	hotupdate_adapter_end(adapter);
	return 0;
}

static int discard_locked(struct drm_hotupdate_adapter *adapter, struct device *dev,
			  bool force)
{
	int err;

	err = hotupdate_op_try(adapter, "discard");
	if (err)
		return err;

	err = discard_stale_or_detached(adapter, dev, force);
	hotupdate_op_end(adapter);
	return err;
}

/**
 * hotupdate_discard - give up a stash that no driver came back for
 * @adapter: detached or stale adapter
 * @force: also if the device may go on using the pages, or VFs are enabled
 *
 * Implements U9. The device is silenced, as hotupdate_silence() does it, its mappings are
 * unmapped, and what kept it running is dropped. Then the pages are freed.
 *
 * Return: 0; -EBUSY if another operation is under way, a driver is attached or bound, or
 * VFs are enabled; -EINVAL if there is no stash; -EOPNOTSUPP or another error if the
 * device cannot be silenced.
 */
int hotupdate_discard(struct drm_hotupdate_adapter *adapter, bool force)
{
	struct device *dma_dev = hotupdate_adapter_get_dma_dev(adapter);
	struct device *dev = hotupdate_adapter_get_device(adapter);
	int err;

	if (!dev || !dma_dev) {
		err = discard_locked(adapter, NULL, force);
	} else if (discard_lock(dev, dma_dev)) {
		err = discard_locked(adapter, dev, force);
		discard_unlock(dev, dma_dev);
	} else {
		err = hotupdate_error(adapter, -EBUSY,
				      "discard refused: the device is being bound, unbound or reset");
	}
	put_device(dev);
	put_device(dma_dev);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_discard);
