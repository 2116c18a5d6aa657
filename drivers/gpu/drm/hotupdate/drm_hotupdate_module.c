// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/init.h>
#include <linux/module.h>

#include <drm/drm_hotupdate_package.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: overview
 *
 * A GPU driver that runs virtual GPUs for guests cannot just be unloaded and
 * loaded again: the device reads page tables that the driver placed in system
 * memory, and the VRAM that it gave to each virtual function is in use. A hot
 * update replaces the driver's module while the hardware, and with it the
 * guests, run on.
 *
 * drm_hotupdate.ko stays loaded while the driver is replaced. The driver saves
 * blocks of memory to it before it goes, and each of them is restored to the next
 * one before its device starts. The concept is that of WDDM 2.6, where Dxgkrnl
 * plays this part. The description of each function names the clauses of that
 * contract that it implements: the W clauses restate the documents of Windows, and
 * the U clauses decide the questions that these leave open.
 *
 * An update is a transaction. Until the new driver's device has started and the
 * driver is bound, every step can fail or be cancelled, and leaves either the old
 * driver running, or the blocks whole for the next attempt.
 */

/* What adapters and blocks hold; NULL if it is built in, and cannot go. */
static struct module *this_module = THIS_MODULE;

/**
 * hotupdate_pin - keep this module loaded, for as long as something lives
 *
 * Implements U11.
 */
void hotupdate_pin(void)
{
	__module_get(this_module);
}

/**
 * hotupdate_unpin - undo hotupdate_pin()
 */
void hotupdate_unpin(void)
{
	module_put(this_module);
}

#if IS_ENABLED(CONFIG_KUNIT)
/**
 * hotupdate_module - the module whose references the suites count
 *
 * Return: This module, or what hotupdate_set_module() has put in its place.
 */
struct module *hotupdate_module(void)
{
	return this_module;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_module);

/**
 * hotupdate_set_module - have another module pinned where this one is built in
 * @module: module to count the references of, or NULL again
 */
void hotupdate_set_module(struct module *module)
{
	if (!IS_MODULE(CONFIG_DRM_HOTUPDATE))
		this_module = module;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_set_module);
#endif

static int __init hotupdate_init(void)
{
	int err;

	err = hotupdate_index_init();
	if (err)
		return err;

	err = hotupdate_bind_init();
	if (err)
		goto err_index;
	err = hotupdate_timeout_init(hotupdate_cancel_saved);
	if (err)
		goto err_bind;
	err = hotupdate_adapters_init();
	if (err)
		goto err_timeout;
	err = hotupdate_power_init();
	if (err)
		goto err_adapters;
	hotupdate_guard_init();
	hotupdate_debugfs_init();
	return 0;

err_adapters:
	hotupdate_adapters_exit();
err_timeout:
	hotupdate_timeout_exit();
err_bind:
	hotupdate_bind_exit();
err_index:
	hotupdate_index_exit();
	return err;
}

static void __exit hotupdate_exit(void)
{
	hotupdate_power_exit();
	/* First: the last work item to drop an adapter can still be running. */
	hotupdate_timeout_exit();
	hotupdate_adapters_exit();
	hotupdate_bind_exit();
	hotupdate_debugfs_exit();
	hotupdate_fences_exit();
	hotupdate_index_exit();
}

/* Before the drivers that use it, if all are built in. */
subsys_initcall(hotupdate_init);
module_exit(hotupdate_exit);

MODULE_AUTHOR("The drm-hotupdate authors");
MODULE_DESCRIPTION("Hot update of DRM drivers");
MODULE_PACKAGE_VERSION;
MODULE_INFO(drm_hotupdate_abi, __stringify(DRM_HOTUPDATE_ABI));
MODULE_LICENSE("GPL");
