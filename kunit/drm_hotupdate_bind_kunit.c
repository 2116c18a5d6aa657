// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commit at the binding: a registration in a probe is complete when the driver core
 * has bound the driver, and until then everything can be undone.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/kthread.h>

#include "drm_hotupdate_fake_bus.h"

static void expect_starting(struct fake_slot *slot)
{
	struct drm_hotupdate_adapter *adapter = slot->gpu->adapter;

	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STARTING);
	KUNIT_EXPECT_TRUE(slot->test, dev_get_uevent_suppress(&adapter->dev));
	KUNIT_EXPECT_EQ(slot->test, drm_hotupdate_prepare(adapter, 0), -EBUSY);
	KUNIT_EXPECT_EQ(slot->test, drm_hotupdate_cancel(adapter), -EINVAL);
	KUNIT_EXPECT_EQ(slot->test, hotupdate_discard(adapter, false), -EBUSY);
}

/*
 * A first start is complete, and announced, at the binding.
 *
 * Clauses: W1, U5
 */
static void start_runs_when_bound(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	slot->in_probe = expect_starting;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_FALSE(test, dev_get_uevent_suppress(&slot->gpu->adapter->dev));
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new");
}

static void expect_restored(struct fake_slot *slot)
{
	struct drm_hotupdate_adapter *adapter = slot->gpu->adapter;
	struct fake_driver *driver = slot->driver;

	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RESTORED);
	FAKE_EXPECT_STASH(slot->gpu, driver->num_blocks);
	KUNIT_EXPECT_STREQ(slot->test, driver->log, FAKE_RESTORES ", start:restored");
	KUNIT_EXPECT_EQ(slot->test, adapter->generation, 0);
	KUNIT_EXPECT_EQ(slot->test, drm_hotupdate_block_take(driver->blocks[0], NULL), -EBUSY);
	KUNIT_EXPECT_EQ(slot->test, drm_hotupdate_prepare(adapter, 0), -EBUSY);
	KUNIT_EXPECT_EQ(slot->test, drm_hotupdate_cancel(adapter), -EINVAL);
	KUNIT_EXPECT_EQ(slot->test, hotupdate_discard(adapter, false), -EBUSY);
}

/*
 * The commit of a restore comes at the binding, not before.
 *
 * Clauses: W18, U5
 */
static void commit_when_bound(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *saver = fake_slot_detach(slot);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	slot->in_probe = expect_restored;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(slot->gpu, 0);
	KUNIT_EXPECT_STREQ(test, driver->log, FAKE_RESTORES ", start:restored, complete");
	KUNIT_EXPECT_EQ(test, driver->adapter->generation, 1);
	fake_driver_expect_restored(driver, saver);
}

static const enum fake_end ends[] = { FAKE_END_USUAL, FAKE_END_MANAGED };

static void describe_end(const enum fake_end *end, char *desc)
{
	strscpy(desc, *end == FAKE_END_USUAL ? "by_driver" : "by_driver_core",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ends, ends, describe_end);

/*
 * A probe that fails after the registration has the stash whole again, whether the driver
 * unregisters or the driver core does that for it. The next driver gets everything.
 *
 * Clauses: U4, U12, U15
 */
static void late_failure_keeps_stash(struct kunit *test)
{
	const enum fake_end *end = test->param_value;
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *saver = fake_slot_detach(slot);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	slot->end = *end;
	slot->probe_err = -EIO;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	fake_slot_settle(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
	FAKE_EXPECT_STASH(slot->gpu, saver->num_saves);
	KUNIT_EXPECT_EQ(test, driver->num_blocks, 0);
	KUNIT_EXPECT_STREQ(test, driver->log,
			   FAKE_RESTORES ", start:restored, stop:saved, abort");

	slot->probe_err = 0;
	driver = fake_driver_new(test, slot->gpu);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	fake_driver_expect_restored(driver, saver);
	KUNIT_EXPECT_EQ(test, driver->adapter->generation, 1);
}

/* A first start that ends with the probe leaves nothing. */
static void late_failure_of_first_start(struct kunit *test)
{
	const enum fake_end *end = test->param_value;
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	slot->end = *end;
	slot->probe_err = -EIO;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	fake_slot_settle(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_NONE);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, stop");
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(slot->gpu));
}

/*
 * A deferred probe has not happened: it comes again.
 *
 * Clauses: U4
 */
static void deferred_probe_keeps_stash(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *saver = fake_slot_detach(slot);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	slot->probe_err = -EPROBE_DEFER;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	/* The driver core tries again in a work item, or here. */
	slot->probe_err = 0;
	wait_for_device_probe();
	if (!slot->gpu->dev->driver)
		KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
	fake_driver_expect_restored(driver, saver);
}

/* The driver that has left is not called: its module may have gone. */
static void left_without_a_word(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	slot->end = FAKE_END_FORGOTTEN;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	driver->adapter = NULL;
	fake_slot_unbind(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_NONE);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new");
	FAKE_EXPECT_ERROR(slot->gpu, "left the device without unregistering");
}

/*
 * The stash of a driver that has left without unregistering keeps its pages. It is stale.
 *
 * Clauses: U2
 */
static void left_without_a_word_when_saved(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);
	struct fake_driver *next = fake_driver_new(test, slot->gpu);
	struct fake_block *fb = fake_block_page(test);

	fake_driver_saves(driver, fb);
	slot->end = FAKE_END_FORGOTTEN;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	driver->adapter = NULL;
	fake_slot_unbind(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
	FAKE_EXPECT_STASH(slot->gpu, 1);
	fake_block_expect_refs(test, fb, 2);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save");
	/* As long as there is a stash, a driver that comes too late does no harm. */
	drm_hotupdate_adapter_unregister(slot->gpu->adapter);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save");

	slot->end = FAKE_END_USUAL;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, next), 1);
	KUNIT_EXPECT_EQ(test, slot->register_err, -ESTALE);
	KUNIT_EXPECT_STREQ(test, next->log, "");
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
}

/* In a probe that fails, the notice comes before the driver core has cleaned up. */
static void left_without_a_word_when_restored(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *saver = fake_slot_detach(slot);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	slot->end = FAKE_END_FORGOTTEN;
	slot->probe_err = -EIO;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	driver->adapter = NULL;
	fake_slot_settle(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
	FAKE_EXPECT_STASH(slot->gpu, saver->num_saves);
	KUNIT_EXPECT_STREQ(test, driver->log, FAKE_RESTORES ", start:restored");
	/* They are of no use to anybody, but their pages stay. */
	KUNIT_EXPECT_EQ(test, driver->num_blocks, saver->num_saves);
}

static void left_without_a_word_in_first_start(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	slot->end = FAKE_END_FORGOTTEN;
	slot->probe_err = -EIO;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	driver->adapter = NULL;
	fake_slot_settle(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_NONE);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new");
}

/*
 * A driver that registers late is bound already: no notice will come.
 *
 * Clauses: W18, U5
 */
static void late_registration_commits_at_once(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *saver = fake_slot_detach(slot);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, NULL), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_UNCLAIMED);
	slot->driver = driver;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_STREQ(test, driver->log, FAKE_RESTORES ", start:restored, complete");
	fake_driver_expect_restored(driver, saver);
}

static void begin_operation(struct fake_slot *slot)
{
	hotupdate_op_begin(slot->gpu->adapter);
}

/*
 * The notice does not wait for an operation that is under way: the operation commits
 * when it ends.
 *
 * Clauses: U5
 */
static void operation_at_the_binding(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver;

	fake_slot_detach(slot);
	driver = fake_driver_new(test, slot->gpu);
	slot->in_probe = begin_operation;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RESTORED);
	hotupdate_op_end(driver->adapter);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_STREQ(test, driver->log, FAKE_RESTORES ", start:restored, complete");
}

/* The same, and the driver has left before the operation ends: no commit. */
static void operation_at_the_unbinding(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver;

	fake_slot_detach(slot);
	driver = fake_driver_new(test, slot->gpu);
	slot->end = FAKE_END_FORGOTTEN;
	slot->in_probe = begin_operation;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	fake_slot_unbind(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RESTORED);
	hotupdate_op_end(driver->adapter);
	driver->adapter = NULL;
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_STREQ(test, driver->log, FAKE_RESTORES ", start:restored");
}

static void save_under_the_unbind(struct fake_slot *slot)
{
	struct fake_driver *driver = slot->data;

	KUNIT_EXPECT_EQ(slot->test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	fake_driver_unregister(driver);
}

/* The save can end after the notice that the driver is about to be unbound. */
static void saved_during_the_unbind(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	slot->end = FAKE_END_FORGOTTEN;
	slot->in_remove = save_under_the_unbind;
	slot->data = driver;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	fake_slot_unbind(slot);
	fake_slot_settle(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
	KUNIT_EXPECT_STREQ(test, slot->gpu->adapter->hold.saver,
			   fake_bus_drivers[FAKE_BUS_SAVER].name);

	/* The name of the driver is known: it may fail before it registers. */
	slot->in_remove = NULL;
	slot->probe_err = -EPROBE_DEFER;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, NULL), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
}

/*
 * The driver core can probe the next driver before anybody has looked at what a failed
 * probe has left. Its binding does not commit the restore of the first.
 */
static void next_probe_before_a_look(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver;

	fake_slot_detach(slot);
	driver = fake_driver_new(test, slot->gpu);
	slot->end = FAKE_END_FORGOTTEN;
	slot->probe_err = -EIO;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	driver->adapter = NULL;
	KUNIT_EXPECT_EQ(test, fake_slot_bind_at_once(slot, FAKE_BUS_OTHER), 0);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_STREQ(test, driver->log, FAKE_RESTORES ", start:restored");
}

static void expect_untold(struct fake_slot *slot)
{
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
	KUNIT_EXPECT_TRUE(slot->test, slot->gpu->adapter->tell_later);
}

/*
 * The state is detached from the end of the registration on. It is announced when the
 * next driver can be loaded.
 */
static void detached_is_announced_later(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);
	u64 uevents;

	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	slot->in_remove = expect_untold;
	device_lock(slot->gpu->dev);
	device_unlock(slot->gpu->dev);
	fake_slot_unbind(slot);
	fake_slot_settle(slot);
	KUNIT_EXPECT_FALSE(test, slot->gpu->adapter->tell_later);

	uevents = fake_uevents(test);
	fake_slot_settle(slot);
	KUNIT_EXPECT_EQ(test, fake_uevents(test), uevents);
}

struct locked {
	struct fake_driver *old;
	struct fake_driver *new;
	struct completion done;
	int err;
};

/* As a driver does under the lock of its device, which the driver core holds. */
static int update_in_thread(void *data)
{
	struct locked *locked = data;

	fake_driver_unregister(locked->old);
	locked->err = fake_driver_register(locked->new);
	complete(&locked->done);
	return 0;
}

/*
 * lockdep does not look at the locks of devices. The core's work items wait for them,
 * and neither a registration nor its end waits for these work items.
 */
static void work_waits_for_the_device(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct locked locked = { };
	struct task_struct *task;

	init_completion(&locked.done);
	fake_slot_detach(slot);
	locked.old = fake_driver_new(test, slot->gpu);
	locked.new = fake_driver_new(test, slot->gpu);
	KUNIT_ASSERT_EQ(test, fake_driver_register(locked.old), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(locked.old->adapter, 0), 0);

	device_lock(slot->gpu->dev);
	hotupdate_bus_settle(slot->gpu->adapter);
	task = kthread_run(update_in_thread, &locked, "hotupdate_locked");
	KUNIT_EXPECT_FALSE(test, IS_ERR(task));
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&locked.done, 10 * HZ), 0);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(slot->gpu->adapter, false), -EBUSY);
	device_unlock(slot->gpu->dev);
	KUNIT_EXPECT_EQ(test, locked.err, 0);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
}

/*
 * A discard does not wait for the lock of the device for ever.
 *
 * Clauses: U9
 */
static void discard_of_a_locked_device(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);

	fake_slot_detach(slot);
	device_lock(slot->gpu->dev);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(slot->gpu->adapter, false), -EBUSY);
	device_unlock(slot->gpu->dev);
	FAKE_EXPECT_ERROR(slot->gpu, "is being bound, unbound or reset");
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(slot->gpu->adapter, false), 0);
}

static struct kunit_case bind_cases[] = {
	KUNIT_CASE(start_runs_when_bound),
	KUNIT_CASE(commit_when_bound),
	KUNIT_CASE_PARAM(late_failure_keeps_stash, ends_gen_params),
	KUNIT_CASE_PARAM(late_failure_of_first_start, ends_gen_params),
	KUNIT_CASE(deferred_probe_keeps_stash),
	KUNIT_CASE(left_without_a_word),
	KUNIT_CASE(left_without_a_word_when_saved),
	KUNIT_CASE(left_without_a_word_when_restored),
	KUNIT_CASE(left_without_a_word_in_first_start),
	KUNIT_CASE(late_registration_commits_at_once),
	KUNIT_CASE(operation_at_the_binding),
	KUNIT_CASE(operation_at_the_unbinding),
	KUNIT_CASE(saved_during_the_unbind),
	KUNIT_CASE(next_probe_before_a_look),
	KUNIT_CASE(detached_is_announced_later),
	KUNIT_CASE(work_waits_for_the_device),
	KUNIT_CASE(discard_of_a_locked_device),
	{ }
};

static struct kunit_suite bind_suite = {
	.name = "drm_hotupdate_bind",
	.suite_init = fake_bus_suite_init,
	.suite_exit = fake_bus_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = bind_cases,
};

kunit_test_suites(&bind_suite);
