// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which driver can register, what the core keeps of it, and for how long.
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/string.h>

#include "drm_hotupdate_kunit.h"

struct bad_driver {
	const char *name;
	void (*spoil)(struct drm_hotupdate_driver *drv, struct drm_hotupdate_ops *ops);
};

static void no_name(struct drm_hotupdate_driver *drv, struct drm_hotupdate_ops *ops)
{
	drv->name = NULL;
}

static void name_empty(struct drm_hotupdate_driver *drv, struct drm_hotupdate_ops *ops)
{
	drv->name = "";
}

static void no_compatible(struct drm_hotupdate_driver *drv, struct drm_hotupdate_ops *ops)
{
	drv->compatible = NULL;
}

static void empty_compatible(struct drm_hotupdate_driver *drv,
			     struct drm_hotupdate_ops *ops)
{
	drv->compatible = "";
}

static void space_in_compatible(struct drm_hotupdate_driver *drv,
				struct drm_hotupdate_ops *ops)
{
	drv->compatible = "kunit, fake";
}

static void newline_in_compatible(struct drm_hotupdate_driver *drv,
				  struct drm_hotupdate_ops *ops)
{
	drv->compatible = "kunit,fake\n";
}

static void zero_versions(struct drm_hotupdate_driver *drv, struct drm_hotupdate_ops *ops)
{
	drv->version = 0;
	drv->min_version = 0;
}

static void zero_min_version(struct drm_hotupdate_driver *drv,
			     struct drm_hotupdate_ops *ops)
{
	drv->min_version = 0;
}

static void min_version_above(struct drm_hotupdate_driver *drv,
			      struct drm_hotupdate_ops *ops)
{
	drv->min_version = drv->version + 1;
}

static void unknown_flag(struct drm_hotupdate_driver *drv, struct drm_hotupdate_ops *ops)
{
	drv->flags = (u32)~DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF;
}

static void reserved_word(struct drm_hotupdate_driver *drv, struct drm_hotupdate_ops *ops)
{
	drv->reserved[ARRAY_SIZE(drv->reserved) - 1] = 1;
}

static void no_ops(struct drm_hotupdate_driver *drv, struct drm_hotupdate_ops *ops)
{
	drv->ops = NULL;
}

static void no_save_memory(struct drm_hotupdate_driver *drv,
			   struct drm_hotupdate_ops *ops)
{
	ops->save_memory = NULL;
}

static void no_cancel_save(struct drm_hotupdate_driver *drv,
			   struct drm_hotupdate_ops *ops)
{
	ops->cancel_save = NULL;
}

static void no_restore_memory(struct drm_hotupdate_driver *drv,
			      struct drm_hotupdate_ops *ops)
{
	ops->restore_memory = NULL;
}

static void no_restore_abort(struct drm_hotupdate_driver *drv,
			     struct drm_hotupdate_ops *ops)
{
	ops->restore_abort = NULL;
}

static void no_start_device(struct drm_hotupdate_driver *drv,
			    struct drm_hotupdate_ops *ops)
{
	ops->start_device = NULL;
}

static void no_stop_device(struct drm_hotupdate_driver *drv,
			   struct drm_hotupdate_ops *ops)
{
	ops->stop_device = NULL;
}

static void no_restore_complete(struct drm_hotupdate_driver *drv,
				struct drm_hotupdate_ops *ops)
{
	ops->restore_complete = NULL;
}

static const struct bad_driver bad_drivers[] = {
	{ "no_name", no_name },
	{ "empty_name", name_empty },
	{ "no_compatible", no_compatible },
	{ "empty_compatible", empty_compatible },
	{ "space_in_compatible", space_in_compatible },
	{ "newline_in_compatible", newline_in_compatible },
	{ "zero_versions", zero_versions },
	{ "zero_min_version", zero_min_version },
	{ "min_version_above_version", min_version_above },
	{ "no_ops", no_ops },
	{ "no_save_memory", no_save_memory },
	{ "no_cancel_save", no_cancel_save },
	{ "no_restore_memory", no_restore_memory },
	{ "unknown_flag", unknown_flag },
	{ "reserved_word", reserved_word },
	{ "no_restore_abort", no_restore_abort },
	{ "no_start_device", no_start_device },
	{ "no_stop_device", no_stop_device },
	{ "no_restore_complete", no_restore_complete },
};

KUNIT_ARRAY_PARAM_DESC(bad_drivers, bad_drivers, name);

/*
 * A driver that lacks what is required is refused before anything is made of
 * it, and the GPU is free for one that does not.
 */
static void register_incomplete_driver(struct kunit *test)
{
	const struct bad_driver *bad = test->param_value;
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
	struct drm_hotupdate_ops ops = driver->ops;
	struct drm_hotupdate_driver drv = {
		.name = "fake",
		.compatible = "kunit,fake",
		.version = 2,
		.min_version = 1,
		.ops = &ops,
	};
	struct drm_hotupdate_adapter *adapter;

	bad->spoil(&drv, &ops);
	adapter = drm_hotupdate_adapter_register(fake_gpu_dev(driver->gpu), &drv, driver);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(adapter), -EINVAL);
	KUNIT_EXPECT_STREQ(test, driver->log, "");

	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), 0);
}

/*
 * A driver that was built for another version of the interface is refused before
 * anything that it passes is looked at.
 */
static void register_for_another_interface(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
	struct drm_hotupdate_adapter *adapter;

	adapter = __drm_hotupdate_adapter_register(NULL, NULL, NULL, DRM_HOTUPDATE_ABI + 1);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(adapter), -EPROTONOSUPPORT);
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), 0);
}

static void register_bad_device(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
	struct fake_gpu *other = fake_gpu_new(test);
	struct drm_hotupdate_driver drv = {
		.name = "fake",
		.compatible = "kunit,fake",
		.version = 2,
		.min_version = 1,
		.ops = &driver->ops,
	};
	struct drm_hotupdate_device device = { };
	struct drm_hotupdate_adapter *adapter;

	adapter = drm_hotupdate_adapter_register_device(&device, &drv, driver);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(adapter), -EINVAL);

	device.dev = fake_gpu_dev(driver->gpu);
	device.reserved[0] = 1;
	adapter = drm_hotupdate_adapter_register_device(&device, &drv, driver);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(adapter), -EINVAL);

	device.reserved[0] = 0;
	device.dma_dev = fake_gpu_dev(other);
	adapter = drm_hotupdate_adapter_register_device(&device, &drv, driver);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(adapter), -EINVAL);

	device.dma_dev = NULL;
	adapter = drm_hotupdate_adapter_register_device(&device, NULL, driver);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(adapter), -EINVAL);
	KUNIT_EXPECT_STREQ(test, driver->log, "");
}

/*
 * A driver without the flags of the one that saved cannot restore, and leaves the stash
 * for one that has them.
 *
 * Clauses: U6
 */
static void register_without_the_flags(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
	struct fake_driver *next;

	driver->flags = DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	FAKE_ASSERT_DETACHED(driver);
	next = fake_driver_new(test, driver->gpu);
	KUNIT_EXPECT_EQ(test, fake_driver_register(next), -EPROTONOSUPPORT);
	FAKE_EXPECT_ERROR(next->gpu, "lacks flags 0x1");
	FAKE_EXPECT_STATE(next->gpu, HOTUPDATE_DETACHED);
	next->flags = DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF;
	KUNIT_EXPECT_EQ(test, fake_driver_register(next), 0);

	FAKE_ASSERT_DETACHED(next);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(next->gpu->adapter, false), 0);
}

/*
 * A GPU has one driver. A second one is refused, with the first as it was, and
 * none of the second's callbacks made.
 */
static void register_second_driver(struct kunit *test)
{
	struct fake_driver *first = fake_driver_running(test);
	struct fake_driver *second = fake_driver_new(test, first->gpu);

	strscpy(second->name, "second");
	KUNIT_EXPECT_EQ(test, fake_driver_register(second), -EBUSY);
	KUNIT_EXPECT_STREQ(test, second->log, "");
	FAKE_EXPECT_STATE(first->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_STREQ(test, first->adapter->driver, "fake");
	FAKE_EXPECT_ERROR(first->gpu, "second");

	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(first->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_driver_register(second), -EBUSY);
	FAKE_EXPECT_STATE(first->gpu, HOTUPDATE_SAVED);
	fake_driver_unregister(first);
	KUNIT_EXPECT_EQ(test, fake_driver_register(second), 0);
	KUNIT_EXPECT_STREQ(test, second->adapter->driver, "second");
}

static int check_is_not_announced(struct fake_driver *driver, enum fake_call call,
				  struct drm_hotupdate_block *block)
{
	struct fake_failure *failure = driver->hook_data;

	KUNIT_EXPECT_FALSE(driver->test,
			   driver->gpu->adapter->dev.kobj.state_add_uevent_sent);
	return failure->err;
}

/*
 * An adapter is announced to user space when its device has started, not
 * earlier, and not at all when the start fails.
 *
 * Clauses: W1
 */
static void register_announces_when_started(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
	struct fake_failure failure = { .err = -EIO };

	driver->hook = check_is_not_announced;
	driver->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
	KUNIT_EXPECT_FALSE(test, driver->gpu->adapter->dev.kobj.state_add_uevent_sent);
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(driver->gpu));

	failure.err = 0;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_TRUE(test, driver->gpu->adapter->dev.kobj.state_add_uevent_sent);
	KUNIT_EXPECT_TRUE(test, device_is_registered(&driver->adapter->dev));
	driver->hook = NULL;
}

/*
 * When the first start fails, its error is the caller's, nothing is aborted as
 * nothing was restored, and no adapter stays.
 *
 * Clauses: W20
 */
static void register_start_fails(struct kunit *test)
{
	struct fake_failure failure = { .call = FAKE_START, .err = -ENOTUNIQ };
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));

	driver->hook = fake_fail_hook;
	driver->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -ENOTUNIQ);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_NONE);
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(driver->gpu));
}

/*
 * The driver's own pointer and the adapter are two things: every callback is
 * given the adapter, from which it finds its own pointer and device, for each
 * of two GPUs its own. (The fake driver expects the same in every callback.)
 *
 * Clauses: W2
 */
static void register_two_gpus(struct kunit *test)
{
	struct fake_driver *a = fake_driver_running(test);
	struct fake_driver *b = fake_driver_running(test);

	KUNIT_EXPECT_PTR_NE(test, a->adapter, b->adapter);
	KUNIT_EXPECT_PTR_EQ(test, drm_hotupdate_adapter_priv(a->adapter), (void *)a);
	KUNIT_EXPECT_PTR_EQ(test, drm_hotupdate_adapter_priv(b->adapter), (void *)b);
	KUNIT_EXPECT_PTR_EQ(test, drm_hotupdate_adapter_dev(a->adapter), fake_gpu_dev(a->gpu));
	KUNIT_EXPECT_PTR_EQ(test, drm_hotupdate_adapter_dev(b->adapter), fake_gpu_dev(b->gpu));

	fake_driver_saves(b, fake_block_page(test));
	FAKE_ASSERT_DETACHED(b);
	FAKE_EXPECT_STATE(a->gpu, HOTUPDATE_RUNNING);
	KUNIT_ASSERT_EQ(test, fake_driver_register(b), 0);
	KUNIT_EXPECT_STREQ(test, a->log, "start:new");
	KUNIT_EXPECT_STREQ(test, b->log,
			   "start:new, save, stop:saved, restore0, start:restored, complete");
}

/*
 * The names are copies: what the driver showed was overwritten when it had
 * registered. When it has gone, nothing points at it any more.
 *
 * Clauses: W2
 */
static void names_are_copies(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct drm_hotupdate_adapter *adapter = driver->gpu->adapter;

	KUNIT_EXPECT_STREQ(test, adapter->driver, "fake");
	KUNIT_EXPECT_STREQ(test, adapter->compatible, "kunit,fake");

	FAKE_ASSERT_DETACHED(driver);
	KUNIT_EXPECT_STREQ(test, adapter->driver, "fake");
	KUNIT_EXPECT_STREQ(test, adapter->compatible, "kunit,fake");
	KUNIT_EXPECT_NULL(test, adapter->ops);
	KUNIT_EXPECT_NULL(test, adapter->owner);
	KUNIT_EXPECT_NULL(test, adapter->priv);
	KUNIT_EXPECT_NULL(test, adapter->save_task);
}

struct version_param {
	const char *name;
	u32 stash;
	u32 min_version;
	u32 version;
	int err;
};

static const struct version_param versions[] = {
	{ "same", 2, 2, 2, 0 },
	{ "newest_that_it_reads", 2, 1, 2, 0 },
	{ "oldest_that_it_reads", 1, 1, 2, 0 },
	{ "between", 3, 1, 7, 0 },
	{ "largest", U32_MAX, 1, U32_MAX, 0 },
	{ "one_too_new", 3, 1, 2, -EPROTONOSUPPORT },
	{ "one_too_old", 1, 2, 3, -EPROTONOSUPPORT },
	{ "much_too_new", U32_MAX, 1, 2, -EPROTONOSUPPORT },
	{ "much_too_old", 1, U32_MAX, U32_MAX, -EPROTONOSUPPORT },
};

KUNIT_ARRAY_PARAM_DESC(versions, versions, name);

static int check_restored_version(struct fake_driver *driver, enum fake_call call,
				  struct drm_hotupdate_block *block)
{
	const struct version_param *param = driver->test->param_value;

	if (call == FAKE_RESTORE || call == FAKE_START)
		KUNIT_EXPECT_EQ(driver->test,
				drm_hotupdate_adapter_version(driver->gpu->adapter),
				param->stash);
	return 0;
}

/*
 * A driver that reads the version of the stash, the oldest and the newest
 * included, is given it, and told that version. One that does not is refused
 * with no callback made, and the stash is whole: the old driver can have it.
 *
 * Clauses: U6, U4
 */
static void stash_version(struct kunit *test)
{
	const struct version_param *param = test->param_value;
	struct fake_driver *old = fake_driver_new(test, fake_gpu_new(test));
	struct fake_driver *new = fake_driver_new(test, old->gpu);

	old->version = param->stash;
	new->version = param->version;
	new->min_version = param->min_version;
	new->hook = check_restored_version;
	fake_driver_saves_each_kind(old);
	KUNIT_ASSERT_EQ(test, fake_driver_register(old), 0);
	FAKE_ASSERT_DETACHED(old);

	KUNIT_EXPECT_EQ(test, fake_driver_register(new), param->err);
	if (!param->err) {
		fake_driver_expect_restored(new, old);
		KUNIT_EXPECT_EQ(test, drm_hotupdate_adapter_version(new->adapter),
				param->version);
		return;
	}

	KUNIT_EXPECT_STREQ(test, new->log, "");
	FAKE_EXPECT_STATE(old->gpu, HOTUPDATE_DETACHED);
	FAKE_EXPECT_STASH(old->gpu, old->num_saves);
	FAKE_EXPECT_ERROR(old->gpu, "version");
	KUNIT_EXPECT_EQ(test, old->gpu->adapter->version, param->stash);
	KUNIT_ASSERT_EQ(test, fake_driver_register(old), 0);
	fake_driver_expect_restored(old, old);
}

struct compatible_param {
	const char *name;
	const char *compatible;
};

static const struct compatible_param strangers[] = {
	{ "other", "acme,gpu" },
	{ "prefix", "kunit,fak" },
	{ "longer", "kunit,fake2" },
	{ "other_case", "Kunit,fake" },
};

KUNIT_ARRAY_PARAM_DESC(strangers, strangers, name);

/*
 * A driver of another family is refused with no callback made, and the stash
 * is whole: a driver of the family can have it.
 *
 * Clauses: U6, U4
 */
static void stash_of_other_family(struct kunit *test)
{
	const struct compatible_param *param = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_driver *stranger = fake_driver_new(test, driver->gpu);

	strscpy(stranger->name, "stranger");
	strscpy(stranger->compatible, param->compatible);
	fake_driver_saves_each_kind(driver);
	FAKE_ASSERT_DETACHED(driver);

	KUNIT_EXPECT_EQ(test, fake_driver_register(stranger), -EPROTONOSUPPORT);
	KUNIT_EXPECT_STREQ(test, stranger->log, "");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_DETACHED);
	FAKE_EXPECT_STASH(driver->gpu, driver->num_saves);
	FAKE_EXPECT_ERROR(driver->gpu, "stranger");
	KUNIT_EXPECT_STREQ(test, driver->gpu->adapter->compatible, "kunit,fake");

	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_driver_expect_restored(driver, driver);
}

/*
 * Without a stash there is nothing to be compatible with: a GPU whose driver
 * ended its adapter can have one of another family.
 */
static void other_family_without_stash(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_driver *stranger = fake_driver_new(test, driver->gpu);

	strscpy(stranger->compatible, "acme,gpu");
	stranger->version = 9;
	stranger->min_version = 9;
	fake_driver_unregister(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(stranger), 0);
	KUNIT_EXPECT_STREQ(test, stranger->log, "start:new");
	KUNIT_EXPECT_EQ(test, drm_hotupdate_adapter_version(stranger->adapter), 9);
}

#ifdef CONFIG_MODULE_UNLOAD
static int check_is_pinned(struct fake_driver *driver, enum fake_call call,
			   struct drm_hotupdate_block *block)
{
	/* A removal comes from the module, which may be going. */
	KUNIT_EXPECT_EQ(driver->test, fake_module_refs(), call == FAKE_STOP ? 0 : 1);
	return fake_fail_hook(driver, call, block);
}

/*
 * The driver's module is held while one of its callbacks runs, but for its stop, and
 * at no other time: neither when it runs, nor when it has saved, nor after a failure.
 */
static void module_is_held_in_callbacks(struct kunit *test)
{
	struct fake_failure failure = { .call = FAKE_START };
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));

	driver->hook = check_is_pinned;
	driver->hook_data = &failure;
	fake_driver_saves(driver, fake_block_page(test));
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);

	failure = (struct fake_failure) { .call = FAKE_SAVE, .err = -EIO };
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EIO);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	failure.err = 0;
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);

	failure = (struct fake_failure) { .call = FAKE_START, .err = -EIO };
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	failure.err = 0;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	KUNIT_EXPECT_STREQ(test, driver->log,
			   "start:new, save, cancel, save, save, stop:saved, restore0, start:restored, abort, restore0, start:restored, complete");
	driver->hook = NULL;
}

/*
 * A module on its way out is not called any more: every operation that would
 * is refused, and leaves things as they were.
 */
static void module_is_going(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));

	fake_driver_saves(driver, fake_block_page(test));
	fake_module_set_going(true);
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -ENODEV);
	KUNIT_EXPECT_STREQ(test, driver->log, "");

	fake_module_set_going(false);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_module_set_going(true);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -ENODEV);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_ERROR(driver->gpu, "unloaded");

	fake_module_set_going(false);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	fake_module_set_going(true);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), -ENODEV);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_SAVED);
	FAKE_EXPECT_STASH(driver->gpu, 1);

	fake_driver_unregister(driver);
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -ENODEV);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_DETACHED);
	FAKE_EXPECT_STASH(driver->gpu, 1);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, stop:saved");
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
}
#endif

static int sleep_in_callback(struct fake_driver *driver, enum fake_call call,
			     struct drm_hotupdate_block *block)
{
	struct fake_failure *failure = driver->hook_data;

	msleep(20);
	KUNIT_EXPECT_TRUE(driver->test, in_task());
	return call == failure->call ? failure->err : 0;
}

/*
 * Every callback runs in process context and may sleep, and so may the save of
 * each kind of block. (The fake driver expects as much in every callback, too.)
 *
 * Clauses: W19
 */
static void callbacks_may_sleep(struct kunit *test)
{
	struct fake_failure failure = { .call = FAKE_START };
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));

	driver->hook = sleep_in_callback;
	driver->hook_data = &failure;
	fake_driver_saves_each_kind(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	FAKE_ASSERT_DETACHED(driver);
	failure.err = -EAGAIN;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EAGAIN);
	failure.err = 0;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	driver->hook = NULL;
}

static struct kunit_case register_cases[] = {
	KUNIT_CASE_PARAM(register_incomplete_driver, bad_drivers_gen_params),
	KUNIT_CASE(register_for_another_interface),
	KUNIT_CASE(register_bad_device),
	KUNIT_CASE(register_without_the_flags),
	KUNIT_CASE(register_second_driver),
	KUNIT_CASE(register_announces_when_started),
	KUNIT_CASE(register_start_fails),
	KUNIT_CASE(register_two_gpus),
	KUNIT_CASE(names_are_copies),
	KUNIT_CASE_PARAM(stash_version, versions_gen_params),
	KUNIT_CASE_PARAM(stash_of_other_family, strangers_gen_params),
	KUNIT_CASE(other_family_without_stash),
#ifdef CONFIG_MODULE_UNLOAD
	KUNIT_CASE(module_is_held_in_callbacks),
	KUNIT_CASE(module_is_going),
#endif
	KUNIT_CASE(callbacks_may_sleep),
	{ }
};

static struct kunit_suite register_suite = {
	.name = "drm_hotupdate_register",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = register_cases,
};

kunit_test_suites(&register_suite);
