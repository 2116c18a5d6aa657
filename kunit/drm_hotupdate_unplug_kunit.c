// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that disappear, or stop working, in each state of their adapter.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/suspend.h>

#include "drm_hotupdate_fake_bus.h"

static bool can_sleep(void)
{
	int ret = hotupdate_power_sleep(NULL, PM_SUSPEND_PREPARE, NULL);

	if (notifier_to_errno(ret))
		return false;
	hotupdate_power_sleep(NULL, PM_POST_SUSPEND, NULL);
	return true;
}

/* Nothing points at the device any more, and its stash is for nobody. */
static void expect_gone(struct fake_slot *slot)
{
	struct kunit *test = slot->test;
	struct drm_hotupdate_adapter *adapter = slot->gpu->adapter;

	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_TRUE(test, hotupdate_is_lost(adapter));
	KUNIT_EXPECT_NULL(test, adapter->device);
	KUNIT_EXPECT_NULL(test, adapter->ops);
	KUNIT_EXPECT_TRUE(test, can_sleep());
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(adapter, 0), -ENODEV);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(adapter), -ENODEV);
}

/* The next device of that name gets nothing of the old one's, also after a discard. */
static void expect_next_device_is_another(struct fake_slot *slot)
{
	struct kunit *test = slot->test;
	struct fake_driver *next = fake_driver_new(test, slot->gpu);

	fake_slot_plug(slot);
	slot->end = FAKE_END_USUAL;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, next), 1);
	KUNIT_EXPECT_EQ(test, slot->register_err, -ESTALE);
	KUNIT_EXPECT_STREQ(test, next->log, "");
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);

	KUNIT_EXPECT_EQ(test, hotupdate_discard(slot->gpu->adapter, false), 0);
	KUNIT_EXPECT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, next), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_STREQ(test, next->log, "start:new");
	KUNIT_EXPECT_FALSE(test, hotupdate_is_lost(slot->gpu->adapter));
}

static void unplug_while_detached(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);

	fake_slot_detach(slot);
	KUNIT_EXPECT_FALSE(test, can_sleep());
	fake_slot_unplug(slot);
	expect_gone(slot);
	expect_next_device_is_another(slot);
}

/*
 * The pages stay: the device may have left something behind that uses them.
 *
 * Clauses: U2, U9
 */
static void unplug_keeps_pages(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);
	struct fake_block *fb = fake_block_page(test);

	fake_driver_saves(driver, fb);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	fake_slot_unbind(slot);
	fake_slot_unplug(slot);
	FAKE_EXPECT_STASH(slot->gpu, 1);
	fake_block_expect_refs(test, fb, 1);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(slot->gpu->adapter, false), 0);
	fake_block_expect_refs(test, fb, 0);
}

static void unplug_while_unclaimed(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);

	fake_slot_detach(slot);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_UNCLAIMED);
	fake_slot_unplug(slot);
	expect_gone(slot);
	expect_next_device_is_another(slot);
}

static void unplug_while_running(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	fake_slot_unplug(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_NONE);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, stop");
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(slot->gpu));
}

/*
 * The driver that had saved stops the device, as far as that is possible.
 *
 * Clauses: W21, U12
 */
static void unplug_while_saved(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	fake_driver_saves(driver, fake_block_buffer(test, 10));
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	fake_slot_unplug(slot);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, stop");
	expect_gone(slot);
	expect_next_device_is_another(slot);
}

static void unplug_while_stale(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);

	fake_slot_detach(slot);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
	fake_slot_unbind(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_FALSE(test, can_sleep());
	fake_slot_unplug(slot);
	expect_gone(slot);
	expect_next_device_is_another(slot);
}

/* The notice does not wait for an operation. */
static void unplug_during_an_operation(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);

	fake_slot_detach(slot);
	hotupdate_op_begin(slot->gpu->adapter);
	fake_slot_unplug(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
	hotupdate_op_end(slot->gpu->adapter);
	expect_gone(slot);
}

struct unplug {
	struct fake_slot *slot;
	struct completion done;
};

static int unplug_in_thread(void *data)
{
	struct unplug *unplug = data;

	fake_slot_unplug(unplug->slot);
	complete(&unplug->done);
	return 0;
}

static int unplug_in_save(struct fake_driver *driver, enum fake_call call,
			  struct drm_hotupdate_block *block)
{
	struct drm_hotupdate_adapter *adapter = driver->gpu->adapter;
	struct unplug *unplug = driver->hook_data;
	unsigned int waited;

	if (call != FAKE_SAVE)
		return 0;
	KUNIT_EXPECT_FALSE(driver->test,
			   IS_ERR(kthread_run(unplug_in_thread, unplug, "hotupdate_unplug")));
	for (waited = 0; waited < 5000 && !hotupdate_is_lost(adapter); waited += 20)
		msleep(20);
	return 0;
}

/* The save that has succeeded is worth nothing. */
static void unplug_during_save(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);
	struct unplug unplug = { .slot = slot };

	init_completion(&unplug.done);
	fake_driver_saves(driver, fake_block_buffer(test, 10));
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	driver->hook = unplug_in_save;
	driver->hook_data = &unplug;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -ENODEV);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&unplug.done, 10 * HZ), 0);
	driver->hook = NULL;
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, cancel, stop");
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_NONE);
	FAKE_EXPECT_ERROR(slot->gpu, "lost during the save");
}

static void lost_while_running(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	drm_hotupdate_adapter_lost(driver->adapter);
	drm_hotupdate_adapter_lost(driver->adapter);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -ENODEV);
	FAKE_EXPECT_ERROR(driver->gpu, "prepare refused: the device is lost");
	fake_driver_unregister(driver);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, stop");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_NONE);
}

/*
 * A device that is lost is stopped, whatever was saved of it.
 *
 * Clauses: W21, U12
 */
static void lost_while_saved(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct drm_hotupdate_adapter *adapter = driver->adapter;

	fake_driver_saves(driver, fake_block_buffer(test, 10));
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(adapter, 0), 0);
	drm_hotupdate_adapter_lost(adapter);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(adapter), -ENODEV);
	FAKE_EXPECT_ERROR(driver->gpu, "cancel refused: the device is lost");
	fake_driver_unregister(driver);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, stop");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_FALSE(test, can_sleep());
	KUNIT_EXPECT_EQ(test, hotupdate_discard(adapter, false), 0);
}

/* A driver's handler of errors can be late. The next driver is not given the stash. */
static void lost_while_detached(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_driver *next = fake_driver_new(test, driver->gpu);

	fake_driver_saves(driver, fake_block_buffer(test, 10));
	FAKE_ASSERT_DETACHED(driver);
	drm_hotupdate_adapter_lost(driver->gpu->adapter);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_DETACHED);
	KUNIT_EXPECT_EQ(test, fake_driver_register(next), -ESTALE);
	KUNIT_EXPECT_STREQ(test, next->log, "");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_STALE);
}

/*
 * The binding commits nothing that is lost.
 *
 * Clauses: U5, U12, U15
 */
static void lost_before_the_commit(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *saver = fake_slot_detach(slot);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	slot->in_probe = fake_slot_report_loss;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RESTORED);
	fake_slot_unbind(slot);
	KUNIT_EXPECT_STREQ(test, driver->log, FAKE_RESTORES ", start:restored, stop, abort");
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
	FAKE_EXPECT_STASH(slot->gpu, saver->num_saves);
}

static int lose_and_fail(struct fake_driver *driver, enum fake_call call,
			 struct drm_hotupdate_block *block)
{
	if (call != FAKE_START)
		return 0;
	drm_hotupdate_adapter_lost(driver->gpu->adapter);
	return -EIO;
}

static void lost_in_start(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver;

	fake_slot_detach(slot);
	driver = fake_driver_new(test, slot->gpu);
	driver->hook = lose_and_fail;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	driver->hook = NULL;
	KUNIT_EXPECT_EQ(test, slot->register_err, -EIO);
	KUNIT_EXPECT_STREQ(test, driver->log, FAKE_RESTORES ", start:restored, abort");
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
}

static void release_device(struct device *dev)
{
	kfree(dev);
}

static struct device *device_without_bus(struct kunit *test)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	device_initialize(dev);
	dev->release = release_device;
	KUNIT_ASSERT_EQ(test, dev_set_name(dev, "hotupdate-kunit"), 0);
	return dev;
}

/*
 * Without a bus there are no notices: another device is found out by its pointer.
 *
 * Clauses: U4
 */
static void another_device_of_the_same_name(struct kunit *test)
{
	struct fake_gpu *gpu = fake_gpu_without_device(test);
	struct fake_driver *driver = fake_driver_new(test, gpu);
	struct device *first = device_without_bus(test);
	struct device *second = device_without_bus(test);

	gpu->dev = first;
	fake_driver_saves(driver, fake_block_buffer(test, 10));
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), 0);
	FAKE_ASSERT_DETACHED(driver);

	gpu->dev = second;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -ESTALE);
	FAKE_EXPECT_STATE(gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_NULL(test, gpu->adapter->device);
	KUNIT_EXPECT_EQ(test, kref_read(&first->kobj.kref), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&second->kobj.kref), 1);
	gpu->dev = NULL;
	put_device(first);
	put_device(second);
}

static struct kunit_case unplug_cases[] = {
	KUNIT_CASE(unplug_while_detached),
	KUNIT_CASE(unplug_keeps_pages),
	KUNIT_CASE(unplug_while_unclaimed),
	KUNIT_CASE(unplug_while_running),
	KUNIT_CASE(unplug_while_saved),
	KUNIT_CASE(unplug_while_stale),
	KUNIT_CASE(unplug_during_an_operation),
	KUNIT_CASE(unplug_during_save),
	KUNIT_CASE(lost_while_running),
	KUNIT_CASE(lost_while_saved),
	KUNIT_CASE(lost_while_detached),
	KUNIT_CASE(lost_before_the_commit),
	KUNIT_CASE(lost_in_start),
	KUNIT_CASE(another_device_of_the_same_name),
	{ }
};

static struct kunit_suite unplug_suite = {
	.name = "drm_hotupdate_unplug",
	.suite_init = fake_bus_suite_init,
	.suite_exit = fake_bus_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = unplug_cases,
};

kunit_test_suites(&unplug_suite);
