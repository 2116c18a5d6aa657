// SPDX-License-Identifier: GPL-2.0-only

#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: guard
 *
 * One module can drive several GPUs. If one of them is prepared and another is not, an
 * unload of the module would end the guests of the other one. If the new module has
 * taken over one of them and another one's restore has failed, an unload, on the way
 * back to the old module, would do the same to the first.
 *
 * So a module has a reference (U18) while it drives an attached adapter that is not saved,
 * and another adapter of the same family has a stash that is not restored: rmmod then
 * reports that the module is in use. The family is the key, not the module's name: the
 * module that a host changes over to can have another name. The way out is to prepare
 * the rest, or to cancel, or to discard. last_error names the adapter that waits.
 *
 * A driver without a module cannot be unloaded, and is not guarded.
 */

/* Both with their status_lock held. */
static bool guard_concerns(const struct drm_hotupdate_adapter *adapter,
			   const struct drm_hotupdate_adapter *other)
{
	return hotupdate_has_stash(other->state) && adapter->compatible &&
	       other->compatible && !strcmp(adapter->compatible, other->compatible);
}

/* The adapter whose stash keeps the module of this one; NULL if none does. */
static struct drm_hotupdate_adapter *
guard_find_waiting(struct list_head *adapters, struct drm_hotupdate_adapter *adapter)
{
	struct drm_hotupdate_adapter *other;

	lockdep_assert_held(&adapter->status_lock);

	if (!adapter->owner || adapter->state == HOTUPDATE_SAVED)
		return NULL;

	list_for_each_entry(other, adapters, link) {
		bool concerns;

		if (other == adapter)
			continue;
		/* The lock of the list is held, and nobody else takes two of these. */
		mutex_lock_nested(&other->status_lock, SINGLE_DEPTH_NESTING);
		concerns = guard_concerns(adapter, other);
		mutex_unlock(&other->status_lock);
		if (concerns)
			return other;
	}
	return NULL;
}

static void guard_explain(struct drm_hotupdate_adapter *adapter,
			  struct drm_hotupdate_adapter *other)
{
	scnprintf(adapter->last_error, sizeof(adapter->last_error),
		  "driver %s cannot be unloaded: adapter %s waits for its driver; prepare this one, or cancel or discard that one",
		  adapter->driver, dev_name(&other->dev));
	adapter->told = HOTUPDATE_REF_GUARD;
}

/*
 * A module that is being unloaded already cannot be kept. The state changes in the
 * notifier of a bus let go of modules, and get hold of none.
 */
static void guard_pin(struct drm_hotupdate_adapter *adapter,
		      struct drm_hotupdate_adapter *other)
{
	if (hotupdate_owner_holds(adapter, HOTUPDATE_REF_GUARD)) {
		if (!adapter->last_error[0])
			guard_explain(adapter, other);
		return;
	}
	if (!hotupdate_owner_get(adapter, HOTUPDATE_REF_GUARD))
		return;

	guard_explain(adapter, other);
	dev_notice(&adapter->dev, "%s\n", adapter->last_error);
}

static void guard_unpin(struct drm_hotupdate_adapter *adapter)
{
	hotupdate_owner_put(adapter, HOTUPDATE_REF_GUARD);
	/* A timeout can have a reference, too. */
	if (adapter->told == HOTUPDATE_REF_GUARD)
		hotupdate_timeout_explain(adapter);
}

static void guard_judge(struct list_head *adapters, struct drm_hotupdate_adapter *adapter)
{
	struct drm_hotupdate_adapter *other;

	guard(mutex)(&adapter->status_lock);

	other = guard_find_waiting(adapters, adapter);
	if (other)
		guard_pin(adapter, other);
	else
		guard_unpin(adapter);
}

static void guard_judge_all(struct list_head *adapters)
{
	struct drm_hotupdate_adapter *adapter;

	list_for_each_entry(adapter, adapters, link)
		guard_judge(adapters, adapter);
}

/* After any change of any adapter's state or driver. */
static void guard_update(void)
{
	hotupdate_adapters_with_list(guard_judge_all);
}

/**
 * hotupdate_guard_init - guard modules from now on
 */
void hotupdate_guard_init(void)
{
	hotupdate_status_set_hook(guard_update);
}
