// SPDX-License-Identifier: GPL-2.0-only

#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/xarray.h>

#include "drm_hotupdate_internal.h"
#include "drm_hotupdate_trace.h"

/**
 * DOC: replay
 *
 * When a driver registers for a GPU whose adapter has a stash, every block is
 * replayed to it, one callback a block, in the order of saving (W13, U1), and
 * then its device is started. The driver does not serve yet: its probe can still
 * fail. The commit (U5) comes when the driver core has bound the driver: the
 * stash drops its references, and the driver serves (W18).
 *
 * Anything that fails before the commit is undone (U4): the driver drops what
 * it was given, the stash is whole, the adapter detached. The same driver, or
 * another one, can try again.
 */

/**
 * hotupdate_check_stash - check that the pages of a stash are what they were
 * @adapter: adapter with a stash, saved, detached or unclaimed
 *
 * Counts the folios that others have references to, too. With no driver these are
 * importers, guests, and scanners of memory; or an old driver that leaks references.
 *
 * Return: 0; or -ESTALE, with the adapter stale and the page in last_error.
 */
int hotupdate_check_stash(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_shared shared = { };
	struct hotupdate_refusal first = { };
	struct drm_hotupdate_block *block;
	unsigned long index, first_index = 0;

	/* Look at all blocks: no page that has gone must be freed again. */
	xa_for_each(&adapter->stash.blocks, index, block) {
		struct hotupdate_refusal refusal = { };

		if (hotupdate_block_verify(block, &shared, &refusal) && !first.reason) {
			first = refusal;
			first_index = index;
		}
	}
	scoped_guard(mutex, &adapter->status_lock)
		adapter->shared = shared;
	if (!first.reason)
		return 0;

	hotupdate_set_stale(adapter, "a page is not what it was");
	hotupdate_error_block(adapter, -ESTALE, first_index, &first);
	return -ESTALE;
}

/**
 * hotupdate_check_mappings - check that the DMA mappings of a stash are what they were
 * @adapter: adapter with a stash, detached or unclaimed, that a driver registers for
 *
 * Implements U19. Of a device without a driver the IOMMU's domain can change at any time.
 *
 * Return: 0; or -ESTALE, with the adapter stale, and the page and its address in last_error.
 */
int hotupdate_check_mappings(struct drm_hotupdate_adapter *adapter)
{
	struct drm_hotupdate_block *block;
	unsigned long index;

	xa_for_each(&adapter->stash.blocks, index, block) {
		struct hotupdate_refusal refusal = { };

		if (!hotupdate_dma_verify(block, adapter->dma_dev, -ESTALE, &refusal))
			continue;
		hotupdate_set_stale(adapter, "a DMA mapping is lost");
		hotupdate_error_block(adapter, -ESTALE, index, &refusal);
		return -ESTALE;
	}
	return 0;
}

/**
 * hotupdate_check_device - check that the device is as it was saved
 * @adapter: adapter with a stash, detached or unclaimed
 *
 * Return: 0, or -ESTALE with the adapter stale.
 */
int hotupdate_check_device(struct drm_hotupdate_adapter *adapter)
{
	bool survives = adapter->flags_of_stash & DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF;
	const char *reason = hotupdate_hold_check(adapter, survives);
	char words[64];

	if (!reason)
		return 0;
	scnprintf(words, sizeof(words), "the device %s", reason);
	hotupdate_set_stale(adapter, words);
	return -ESTALE;
}

/**
 * hotupdate_set_detached - move an adapter to detached, or on to stale
 * @adapter: adapter that has just let go of its driver
 *
 * A stash whose device is lost, or of which a page has gone, is stale.
 *
 * While the driver core is still busy with the driver, no other one can be loaded:
 * user space is told later.
 */
void hotupdate_set_detached(struct drm_hotupdate_adapter *adapter)
{
	hotupdate_set_state(adapter, HOTUPDATE_DETACHED);
	if (hotupdate_is_lost(adapter)) {
		hotupdate_set_stale(adapter, "the device is lost");
		return;
	}
	if (hotupdate_check_stash(adapter))
		return;
	if (adapter->device && READ_ONCE(adapter->device->driver)) {
		adapter->untold = false;
		adapter->tell_later = true;
	}
}

static u64 since(ktime_t start)
{
	return ktime_to_ns(ktime_sub(ktime_get(), start));
}

static int restore_block(struct drm_hotupdate_adapter *adapter,
			 struct drm_hotupdate_block *block)
{
	ktime_t start = 0;
	int result, err;

	if (trace_drm_hotupdate_restore_enabled())
		start = ktime_get();

	drm_hotupdate_block_get(block);
	result = adapter->ops->restore_memory(adapter, block);
	err = hotupdate_callback_result(adapter, "restore_memory", result);
	/* After nonsense the driver may have kept the reference: rather a leak. */
	if (err && err == result) {
		drm_hotupdate_block_put(block);
		hotupdate_error(adapter, err,
				"block %u of %u (%s, %zu bytes) was refused by driver %s",
				block->index, adapter->stash.count,
				hotupdate_kind_names[block->kind], block->size,
				adapter->driver);
	}

	if (trace_drm_hotupdate_restore_enabled())
		trace_drm_hotupdate_restore(adapter, block->index,
					    hotupdate_kind_names[block->kind],
					    block->size, block->meta_size, err,
					    since(start));
	return err;
}

static int restore_all(struct drm_hotupdate_adapter *adapter)
{
	struct drm_hotupdate_block *block;
	unsigned long index;
	int err;

	hotupdate_set_progress(adapter, 0);
	xa_for_each(&adapter->stash.blocks, index, block) {
		err = restore_block(adapter, block);
		if (err)
			return err;
		hotupdate_set_progress(adapter, index + 1);
		cond_resched();
	}
	return 0;
}

static int start_device(struct drm_hotupdate_adapter *adapter, bool restored)
{
	ktime_t start = ktime_get();
	int result, err;

	result = adapter->ops->start_device(adapter, restored);
	err = hotupdate_callback_result(adapter, "start_device", result);
	trace_drm_hotupdate_start(adapter, adapter->stash.count, adapter->stash.bytes, err,
				  since(start));
	if (err && err == result)
		hotupdate_error(adapter, err, "driver %s failed to start the device",
				adapter->driver);
	return err;
}

/*
 * The blocks are for the next driver, as they were for this one. A reference
 * that a driver forgets to drop would keep its pages for ever.
 */
static void reset_blocks(struct drm_hotupdate_adapter *adapter)
{
	struct drm_hotupdate_block *block;
	unsigned long index;

	xa_for_each(&adapter->stash.blocks, index, block)
		if (kref_read(&block->ref) == 1)
			hotupdate_block_drop_sgt(block);
		else
			hotupdate_error(adapter, -EBUSY,
					"driver %s kept block %lu after restore_abort: its pages cannot be taken",
					adapter->driver, index);
}

/* The time of this attempt is time detached, seen from the next one. */
static void abort_blackout(struct drm_hotupdate_adapter *adapter)
{
	guard(mutex)(&adapter->status_lock);

	adapter->phase_start = adapter->detached_since;
	adapter->blackout.detached_ns = 0;
	adapter->blackout.replay_ns = 0;
	adapter->blackout.start_ns = 0;
}

/**
 * hotupdate_restore_undo - take a restore back that ends without a commit
 * @adapter: adapter with a driver that has blocks
 * @err: why, for the trace; 0 if the driver leaves
 *
 * Implements U4 and U15. The stash is whole afterwards.
 */
void hotupdate_restore_undo(struct drm_hotupdate_adapter *adapter, int err)
{
	ktime_t start = ktime_get();

	abort_blackout(adapter);
	adapter->ops->restore_abort(adapter);
	trace_drm_hotupdate_abort(adapter, adapter->stash.count, adapter->stash.bytes, err,
				  since(start));
	reset_blocks(adapter);
}

/**
 * hotupdate_restore_forget - note that the driver of a restore has gone without a word
 * @adapter: adapter in state restored
 *
 * It cannot be called any more. References to blocks that it has taken with it are
 * reported.
 */
void hotupdate_restore_forget(struct drm_hotupdate_adapter *adapter)
{
	abort_blackout(adapter);
	reset_blocks(adapter);
}

/*
 * It cannot fail. The device serves nobody before restore_complete, so the time until
 * then is part of the start.
 */
static void commit(struct drm_hotupdate_adapter *adapter)
{
	unsigned int count = adapter->stash.count;
	u64 bytes = adapter->stash.bytes;
	ktime_t start;

	trace_drm_hotupdate_commit(adapter, count, bytes, 0, hotupdate_blackout_ns(adapter));
	hotupdate_stash_clear(&adapter->stash, &adapter->status_lock, true);
	scoped_guard(mutex, &adapter->status_lock) {
		adapter->generation++;
		WRITE_ONCE(adapter->version, adapter->driver_version);
	}

	start = ktime_get();
	adapter->ops->restore_complete(adapter);
	trace_drm_hotupdate_complete(adapter, count, bytes, 0, since(start));
	hotupdate_hold_end(adapter, true);

	scoped_guard(mutex, &adapter->status_lock)
		adapter->blackout.start_ns += hotupdate_phase_end(adapter);
	hotupdate_set_state(adapter, HOTUPDATE_RUNNING);
	dev_info(&adapter->dev,
		 "update %llu: driver %s took over %u blocks, %llu bytes, after %llu us\n",
		 adapter->generation, adapter->driver, count, bytes,
		 div_u64(hotupdate_blackout_ns(adapter), NSEC_PER_USEC));
}

/**
 * hotupdate_restore_and_start - replay a stash to the driver, start the device
 * @adapter: detached or unclaimed adapter that a driver is attached to, within
 *	callbacks
 *
 * Return: 0 with the adapter in state restored, or the error of the driver with
 * the adapter in state detached, or stale if it was lost meanwhile.
 */
int hotupdate_restore_and_start(struct drm_hotupdate_adapter *adapter)
{
	struct hotupdate_blackout *blackout = &adapter->blackout;
	int err;

	adapter->detached_since = adapter->phase_start;
	scoped_guard(mutex, &adapter->status_lock)
		blackout->detached_ns = hotupdate_phase_end(adapter);
	hotupdate_enter_state(adapter, HOTUPDATE_RESTORING);

	err = restore_all(adapter);
	if (err)
		goto err_abort;
	scoped_guard(mutex, &adapter->status_lock)
		blackout->replay_ns = hotupdate_phase_end(adapter);

	err = start_device(adapter, true);
	if (err)
		goto err_abort;
	scoped_guard(mutex, &adapter->status_lock)
		blackout->start_ns = hotupdate_phase_end(adapter);

	hotupdate_set_state(adapter, HOTUPDATE_RESTORED);
	return 0;

err_abort:
	hotupdate_restore_undo(adapter, err);
	hotupdate_set_detached(adapter);
	/* A driver that came late has the device all the same. */
	if (adapter->state == HOTUPDATE_DETACHED && device_is_bound(adapter->device))
		hotupdate_set_state(adapter, HOTUPDATE_UNCLAIMED);
	return err;
}

/**
 * hotupdate_start - start the device of a new adapter
 * @adapter: adapter that a driver is attached to, within callbacks
 *
 * Return: 0, or the error of the driver; in state starting either way.
 */
int hotupdate_start(struct drm_hotupdate_adapter *adapter)
{
	return start_device(adapter, false);
}

/**
 * hotupdate_is_in_probe - whether a device is being probed
 * @dev: device
 *
 * The driver is not bound yet. Other drivers register for a device that has no driver,
 * or late.
 *
 * Return: true if so.
 */
bool hotupdate_is_in_probe(struct device *dev)
{
	return READ_ONCE(dev->driver) && !device_is_bound(dev);
}

/**
 * hotupdate_finish_start - let an adapter run whose driver is bound
 * @adapter: adapter
 *
 * Implements U5 and W18 after a restore. Without effect if the driver can still fail to
 * be bound, if the device is lost after a restore, or if the adapter runs already.
 *
 * Context: Process context, may sleep. Can be a notifier of the driver core, with the
 * device locked.
 */
void hotupdate_finish_start(struct drm_hotupdate_adapter *adapter)
{
	lockdep_assert_held(&adapter->op);

	if (hotupdate_is_in_probe(adapter->device))
		return;
	if (adapter->state == HOTUPDATE_STARTING)
		hotupdate_set_state(adapter, HOTUPDATE_RUNNING);
	else if (adapter->state == HOTUPDATE_RESTORED && hotupdate_is_lost(adapter))
		hotupdate_error(adapter, -ENODEV,
				"nothing is committed to driver %s: the device is lost, unbind it",
				adapter->driver);
	else if (adapter->state == HOTUPDATE_RESTORED)
		commit(adapter);
}
