// SPDX-License-Identifier: GPL-2.0-only

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/spinlock.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: references to drivers' modules
 *
 * The core takes references to the module of an attached driver: during a callback,
 * for a module of several GPUs, and after a timeout. Each is recorded. All other
 * references are those of users, such as open files of the driver's DRM device,
 * exported dma-bufs, or the console on its framebuffer. rmmod fails while a user has a
 * reference. An administrator reads the number of these before a prepare.
 *
 * A reference and its record change together, under one lock. So a count is exact while
 * operations are under way. Adapters of one module have a record each.
 *
 * References that are held for the device of another adapter, to a resident driver's
 * module or to the one that can silence the device, are not recorded: they count as users.
 *
 * A driver without a module has no references.
 */

/* All records of references that are held. */
static LIST_HEAD(owner_refs);

/* Protects the list, and the records in it. Innermost. */
static DEFINE_SPINLOCK(owner_lock);

/**
 * hotupdate_owner_get - take a reference to the module of an attached driver
 * @adapter: adapter, within an operation or with its status_lock held
 * @ref: purpose; no reference is held for it
 *
 * Return: false if the module is being unloaded.
 */
bool hotupdate_owner_get(struct drm_hotupdate_adapter *adapter, enum hotupdate_ref ref)
{
	struct hotupdate_owner_ref *record = &adapter->owner_refs[ref];
	struct module *owner = adapter->owner;
	bool live;

	spin_lock(&owner_lock);
	live = !WARN_ON_ONCE(record->module) && try_module_get(owner);
	if (live && owner) {
		WRITE_ONCE(record->module, owner);
		list_add_tail(&record->link, &owner_refs);
	}
	spin_unlock(&owner_lock);
	return live;
}

/**
 * hotupdate_owner_put - drop a reference of hotupdate_owner_get()
 * @adapter: adapter, whose driver can have been detached
 * @ref: purpose
 *
 * Return: false if there was none.
 */
bool hotupdate_owner_put(struct drm_hotupdate_adapter *adapter, enum hotupdate_ref ref)
{
	struct hotupdate_owner_ref *record = &adapter->owner_refs[ref];
	bool held;

	spin_lock(&owner_lock);
	held = record->module;
	if (held) {
		list_del(&record->link);
		module_put(record->module);
		WRITE_ONCE(record->module, NULL);
	}
	spin_unlock(&owner_lock);
	return held;
}

/**
 * hotupdate_owner_holds - whether a reference is held
 * @adapter: adapter
 * @ref: purpose
 *
 * Return: true if so.
 */
bool hotupdate_owner_holds(struct drm_hotupdate_adapter *adapter, enum hotupdate_ref ref)
{
	return READ_ONCE(adapter->owner_refs[ref].module);
}

#ifdef CONFIG_MODULE_UNLOAD
static int owner_count(struct module *owner)
{
	struct hotupdate_owner_ref *record;
	int refs;

	spin_lock(&owner_lock);
	refs = module_refcount(owner);
	list_for_each_entry(record, &owner_refs, link)
		refs -= record->module == owner;
	spin_unlock(&owner_lock);
	/* It is -1 while the module is unloaded. */
	return max(refs, 0);
}
#else
static int owner_count(struct module *owner)
{
	return 0;
}
#endif

/**
 * hotupdate_owner_users - references that make rmmod of the driver's module fail
 * @adapter: adapter with its status_lock held
 *
 * Return: The number of references without those of the core; 0 if no driver is
 * attached, or if it is in no module.
 */
unsigned int hotupdate_owner_users(struct drm_hotupdate_adapter *adapter)
{
	lockdep_assert_held(&adapter->status_lock);

	return adapter->owner ? owner_count(adapter->owner) : 0;
}
