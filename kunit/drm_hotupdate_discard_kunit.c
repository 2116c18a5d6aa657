// SPDX-License-Identifier: GPL-2.0-only
/*
 * Discards: the device is silent before its pages are freed, and what kept it running
 * is dropped.
 */

#include <kunit/test.h>
#include <linux/device.h>
#include <linux/pm_runtime.h>

#include "drm_hotupdate_fake_bus.h"

static struct fake_gpu *detached_gpu(struct kunit *test, bool can_be_silenced)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));

	driver->gpu->cannot_be_silenced = !can_be_silenced;
	fake_driver_saves_each_kind(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	FAKE_ASSERT_DETACHED(driver);
	return driver->gpu;
}

/*
 * Clauses: U9
 */
static void device_is_silenced(struct kunit *test)
{
	struct fake_gpu *gpu = detached_gpu(test, true);
	unsigned int silenced = fake_silenced();

	KUNIT_EXPECT_EQ(test, hotupdate_discard(gpu->adapter, false), 0);
	KUNIT_EXPECT_EQ(test, fake_silenced(), silenced + 1);
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(gpu));
}

/*
 * Without a way to silence it, the administrator has to insist.
 *
 * Clauses: U9
 */
static void device_cannot_be_silenced(struct kunit *test)
{
	struct fake_gpu *gpu = detached_gpu(test, false);

	KUNIT_EXPECT_EQ(test, hotupdate_discard(gpu->adapter, false), -EOPNOTSUPP);
	FAKE_EXPECT_ERROR(gpu, "write force to insist");
	FAKE_EXPECT_STATE(gpu, HOTUPDATE_DETACHED);
	FAKE_EXPECT_STASH(gpu, 6);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(gpu->adapter, true), 0);
}

/*
 * A device that does not stop its DMA keeps its stash.
 *
 * Clauses: U9
 */
static void device_goes_on(struct kunit *test)
{
	struct fake_gpu *gpu = detached_gpu(test, true);

	fake_set_silence_result(-EIO);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(gpu->adapter, false), -EIO);
	fake_set_silence_result(1);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(gpu->adapter, false), -EINVAL);
	FAKE_EXPECT_ERROR(gpu, "did not stop its DMA");
	/* It may have stopped half-way. */
	FAKE_EXPECT_STATE(gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(gpu->adapter, true), 0);
}

/* The driver that comes next has another way, and fails: that of the save is used. */
static void silence_of_the_save(struct kunit *test)
{
	struct fake_gpu *gpu = detached_gpu(test, true);
	struct fake_driver *next = fake_driver_new(test, gpu);
	struct fake_failure failure = { .call = FAKE_START, .err = -EIO };
	unsigned int silenced = fake_silenced();

	gpu->cannot_be_silenced = true;
	next->hook = fake_fail_hook;
	next->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, fake_driver_register(next), -EIO);
	next->hook = NULL;
	KUNIT_EXPECT_EQ(test, hotupdate_discard(gpu->adapter, false), 0);
	KUNIT_EXPECT_EQ(test, fake_silenced(), silenced + 1);
}

static void silence_in_the_wrong_module(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));

	driver->silence_owner = driver->owner;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EINVAL);
	driver->gpu->cannot_be_silenced = true;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EINVAL);
	KUNIT_EXPECT_STREQ(test, driver->log, "");
	driver->silence_owner = NULL;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), 0);
}

/*
 * Nothing has to be silenced of a device that has gone.
 *
 * Clauses: U9
 */
static void device_has_gone(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	unsigned int silenced = fake_silenced();

	fake_slot_detach(slot);
	fake_slot_unplug(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(slot->gpu->adapter, false), 0);
	KUNIT_EXPECT_EQ(test, fake_silenced(), silenced);
}

static int usage(struct device *dev)
{
	return atomic_read(&dev->power.usage_count);
}

/*
 * The core holds the power of the device from before the save to the end of the update,
 * whichever that is.
 *
 * Clauses: U19
 */
static void power_is_held_while_stashed(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct device *dev = slot->gpu->dev;
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);
	int before = usage(dev);

	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	KUNIT_EXPECT_EQ(test, usage(dev), before);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, usage(dev), before + 1);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_EQ(test, usage(dev), before);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	fake_slot_unbind(slot);
	KUNIT_EXPECT_EQ(test, usage(dev), before + 1);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	KUNIT_EXPECT_EQ(test, usage(dev), before);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	fake_slot_unbind(slot);
	KUNIT_EXPECT_EQ(test, usage(dev), before + 1);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(slot->gpu->adapter, false), 0);
	KUNIT_EXPECT_EQ(test, usage(dev), before);
}

/*
 * A save that fails leaves no hold on the device.
 *
 * Clauses: U3, U19
 */
static void power_is_dropped_after_a_failed_save(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_failure failure = { .call = FAKE_SAVE, .err = -EIO };
	int before = usage(driver->gpu->dev);

	driver->hook = fake_fail_hook;
	driver->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EIO);
	KUNIT_EXPECT_EQ(test, usage(driver->gpu->dev), before);
	driver->hook = NULL;
}

static struct dev_pm_domain pm_domain;

/*
 * The unbind would power it off.
 *
 * Clauses: U19
 */
static void prepare_in_a_pm_domain(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	driver->gpu->dev->pm_domain = &pm_domain;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EOPNOTSUPP);
	driver->gpu->dev->pm_domain = NULL;
	FAKE_EXPECT_ERROR(driver->gpu, "PM domain");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new");
}

/* The module that can silence the device stays from the save on, if it is named. */
static void silence_owner_is_kept(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));

	driver->owner = NULL;
	driver->silence_owner = fake_module();
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 1);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);

	fake_module_set_going(true);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -ENODEV);
	fake_module_set_going(false);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 1);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(driver->gpu->adapter, false), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
}

static struct kunit_case discard_cases[] = {
	KUNIT_CASE(device_is_silenced),
	KUNIT_CASE(device_cannot_be_silenced),
	KUNIT_CASE(device_goes_on),
	KUNIT_CASE(silence_of_the_save),
	KUNIT_CASE(silence_in_the_wrong_module),
	KUNIT_CASE(device_has_gone),
	KUNIT_CASE(power_is_held_while_stashed),
	KUNIT_CASE(power_is_dropped_after_a_failed_save),
	KUNIT_CASE(prepare_in_a_pm_domain),
	KUNIT_CASE(silence_owner_is_kept),
	{ }
};

static struct kunit_suite discard_suite = {
	.name = "drm_hotupdate_discard",
	.suite_init = fake_bus_suite_init,
	.suite_exit = fake_bus_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = discard_cases,
};

kunit_test_suites(&discard_suite);
