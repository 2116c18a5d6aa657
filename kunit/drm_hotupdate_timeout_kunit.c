// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that is saved and not removed: who holds its module, and the end of the wait.
 */

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/kstrtox.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

#include "drm_hotupdate_fake_bus.h"
#include "kunit_files.h"

/* A timeout that passes soon, as a number and as text */
#define SOON_MS		20
#define SOON		"20"
/* No case takes that long. */
#define LATE		"600000"
/* Long enough for a timeout of SOON_MS to have done what it should not. */
#define NAP_MS		(5 * SOON_MS)
#define PATIENCE_MS	20000

static void attr_path(char *path, size_t size, struct fake_gpu *gpu, const char *attr)
{
	snprintf(path, size, "class/drm_hotupdate/%s/%s", dev_name(&gpu->adapter->dev), attr);
}

static int attr_write(struct fake_gpu *gpu, const char *attr, const char *text)
{
	struct fake_env *env = gpu->test->priv;
	char path[96];

	attr_path(path, sizeof(path), gpu, attr);
	return user_file_write(env->sysfs, path, text);
}

static void expect_attr(struct fake_gpu *gpu, const char *attr, const char *expected)
{
	struct fake_env *env = gpu->test->priv;
	char path[96], buf[32] = "";

	attr_path(path, sizeof(path), gpu, attr);
	KUNIT_EXPECT_GT(gpu->test, user_file_read(env->sysfs, path, buf, sizeof(buf)), 0);
	KUNIT_EXPECT_STREQ(gpu->test, buf, expected);
}

static void set_timeout(struct fake_gpu *gpu, const char *ms)
{
	KUNIT_ASSERT_EQ(gpu->test, attr_write(gpu, "saved_timeout_ms", ms), 0);
	expect_attr(gpu, "saved_timeout_ms", ms);
}

/* Saved, with a timeout. */
static void prepare_with(struct fake_driver *driver, const char *ms)
{
	set_timeout(driver->gpu, ms);
	KUNIT_ASSERT_EQ(driver->test, drm_hotupdate_prepare(driver->adapter, 0), 0);
}

static bool is_queued(struct fake_gpu *gpu)
{
	return delayed_work_pending(&gpu->adapter->timeout.work);
}

/* Until the timeout has cancelled the save, and done all that belongs to it. */
static void wait_cancelled(struct fake_gpu *gpu)
{
	struct drm_hotupdate_adapter *adapter = gpu->adapter;
	unsigned int waited;

	for (waited = 0; waited < PATIENCE_MS; waited += 5) {
		if (READ_ONCE(adapter->state) == HOTUPDATE_RUNNING &&
		    !hotupdate_op_is_busy(adapter))
			break;
		fake_nap(5);
	}
	KUNIT_EXPECT_LT_MSG(gpu->test, waited, PATIENCE_MS, "no timeout has cancelled it");
	FAKE_EXPECT_STATE(gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_FALSE(gpu->test, is_queued(gpu));
}

/* Saved, and cancelled by a timeout: the module is kept. */
static void time_out(struct fake_driver *driver)
{
	prepare_with(driver, SOON);
	wait_cancelled(driver->gpu);
}

/* Of a save that was prepared with LATE: not before the case is ready for it. */
static void let_expire(struct fake_driver *driver)
{
	struct hotupdate_timeout *timeout = &driver->adapter->timeout;

	timeout->deadline = ktime_get();
	KUNIT_EXPECT_TRUE(driver->test, mod_delayed_work(system_unbound_wq, &timeout->work, 0));
}

/* The timeout has passed, and nothing has happened. */
static void expect_still_saved(struct fake_driver *driver)
{
	fake_nap(NAP_MS);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_SAVED);
	KUNIT_EXPECT_NULL(driver->test, strstr(driver->log, "cancel"));
}

static void expect_refs(struct kunit *test, int expected)
{
	if (fake_module())
		KUNIT_EXPECT_EQ(test, fake_module_refs(), expected);
}

#define EXPECT_REFS(expected)	expect_refs(test, expected)

static struct fake_driver *driver_of_family(struct fake_slot *slot, const char *family)
{
	struct fake_driver *driver = fake_driver_new(slot->test, slot->gpu);

	strscpy(driver->compatible, family);
	fake_driver_saves(driver, fake_block_page(slot->test));
	return driver;
}

static struct fake_driver *bind_driver(struct fake_slot *slot, const char *family)
{
	struct fake_driver *driver = driver_of_family(slot, family);

	KUNIT_ASSERT_EQ(slot->test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	return driver;
}

static void use_module(struct kunit *test)
{
	KUNIT_ASSERT_TRUE(test, try_module_get(fake_module()));
}

static void unuse_module(struct kunit *test)
{
	module_put(fake_module());
}

static int read_users(struct fake_driver *driver, enum fake_call call,
		      struct drm_hotupdate_block *block)
{
	expect_attr(driver->gpu, "users", driver->hook_data);
	return 0;
}

#ifdef CONFIG_MODULE_UNLOAD
static struct module other_module = {
	.name = "fake_other",
	.state = MODULE_STATE_LIVE,
	.refcnt = ATOMIC_INIT(1),
};

/*
 * users counts the references of others alone: also in a callback, and while the guard
 * and a timeout have references. Each adapter of a module shows all users of the module,
 * and none of another module.
 */
static void users_are_those_of_others(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_driver *second = fake_driver_running(test);
	struct fake_driver *stranger = fake_driver_new(test, fake_gpu_new(test));

	stranger->owner = &other_module;
	KUNIT_ASSERT_EQ(test, fake_driver_register(stranger), 0);
	expect_attr(driver->gpu, "users", "0");
	use_module(test);
	use_module(test);
	expect_attr(driver->gpu, "users", "2");
	expect_attr(second->gpu, "users", "2");
	expect_attr(stranger->gpu, "users", "0");

	/* The guard has a reference for the second one, in the callbacks as well. */
	driver->hook = read_users;
	driver->hook_data = "2";
	time_out(driver);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(second->adapter, 0), 0);
	EXPECT_REFS(4);
	expect_attr(driver->gpu, "users", "2");
	expect_attr(second->gpu, "users", "2");
	expect_attr(stranger->gpu, "users", "0");

	unuse_module(test);
	expect_attr(driver->gpu, "users", "1");
	unuse_module(test);
	expect_attr(driver->gpu, "users", "0");
	driver->hook = NULL;
}

/*
 * The number is 0 while the kernel unloads the module, whose count is -1 then.
 */
static void users_of_a_module_that_goes(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	atomic_dec(&fake_module()->refcnt);
	expect_attr(driver->gpu, "users", "0");
	atomic_inc(&fake_module()->refcnt);
	expect_attr(driver->gpu, "users", "0");
}

/*
 * Users do not keep a driver from being saved. Without a driver, or without a module,
 * there are none.
 */
static void users_do_not_bar_prepare(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	use_module(test);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	expect_attr(driver->gpu, "users", "1");
	fake_driver_unregister(driver);
	expect_attr(driver->gpu, "users", "0");
	driver->owner = NULL;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	expect_attr(driver->gpu, "users", "0");
	unuse_module(test);
}
#endif

/*
 * A save that no driver follows is cancelled: the driver serves again, nothing is held
 * any more, user space is told, and last_error has the time and the way out. The module
 * is kept, and is no user of itself.
 *
 * Clauses: W4
 */
static void cancels_in_time(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = bind_driver(slot, "kunit,fake");
	u64 uevents = fake_uevents(test);

	prepare_with(driver, SOON);
	wait_cancelled(slot->gpu);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, cancel");
	FAKE_EXPECT_STASH(slot->gpu, 0);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	KUNIT_EXPECT_FALSE(test, slot->gpu->adapter->hold.held);
	/* saving, saved, running */
	KUNIT_EXPECT_GE(test, fake_uevents(test), uevents + 3);

	FAKE_EXPECT_ERROR(slot->gpu, SOON " ms");
	FAKE_EXPECT_ERROR(slot->gpu, "-ETIMEDOUT");
	FAKE_EXPECT_ERROR(slot->gpu, "cannot be unloaded until");
	FAKE_EXPECT_ERROR(slot->gpu, "1 is written to cancel");
	EXPECT_REFS(1);
	expect_attr(slot->gpu, "users", "0");
}

/*
 * Not before the time has passed since the save.
 */
static void cancels_not_early(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	ktime_t begin = ktime_get();

	prepare_with(driver, "50");
	wait_cancelled(driver->gpu);
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), begin), 50);
}

/*
 * Without a timeout there is none.
 */
static void waits_for_ever_by_default(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	expect_attr(driver->gpu, "saved_timeout_ms", "0");
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_FALSE(test, is_queued(driver->gpu));
	expect_still_saved(driver);
}

static int set_soon(struct fake_driver *driver, enum fake_call call,
		    struct drm_hotupdate_block *block)
{
	if (call == FAKE_SAVE)
		KUNIT_EXPECT_EQ(driver->test,
				attr_write(driver->gpu, "saved_timeout_ms", SOON), 0);
	return 0;
}

/*
 * The value counts that is there when the save succeeds. What is written in state saved
 * is for the next save.
 */
static void timeout_is_read_at_the_save(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	prepare_with(driver, LATE);
	set_timeout(driver->gpu, SOON);
	expect_still_saved(driver);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	set_timeout(driver->gpu, "0");
	wait_cancelled(driver->gpu);
	FAKE_EXPECT_ERROR(driver->gpu, SOON " ms");

	driver->hook = set_soon;
	prepare_with(driver, LATE);
	wait_cancelled(driver->gpu);
	FAKE_EXPECT_ERROR(driver->gpu, SOON " ms");
}

/*
 * The largest number is weeks, and neither never nor at once.
 */
static void largest_timeout(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	s64 rest;

	prepare_with(driver, "4294967295");
	KUNIT_EXPECT_TRUE(test, is_queued(driver->gpu));
	rest = ktime_ms_delta(driver->adapter->timeout.deadline, ktime_get());
	KUNIT_EXPECT_LE(test, rest, U32_MAX);
	KUNIT_EXPECT_GT(test, rest, U32_MAX - 60LL * 60 * MSEC_PER_SEC);
	if (IS_ENABLED(CONFIG_64BIT)) {
		u64 seconds = (driver->adapter->timeout.work.timer.expires - jiffies) / HZ;

		KUNIT_EXPECT_LE(test, seconds, U32_MAX / MSEC_PER_SEC + 1);
		KUNIT_EXPECT_GT(test, seconds, U32_MAX / MSEC_PER_SEC - 60 * 60);
	}
	expect_still_saved(driver);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_FALSE(test, is_queued(driver->gpu));
}

enum way_out {
	WAY_CANCEL,
	WAY_UNREGISTER,
	WAY_UNBIND,
	WAY_LEAVE,
	WAY_UNPLUG,
};

static const struct way {
	const char *name;
	enum way_out out;
	/* State of an adapter whose driver has saved, or had not */
	enum hotupdate_state saved;
	enum hotupdate_state running;
} ways[] = {
	{ "cancel", WAY_CANCEL, HOTUPDATE_RUNNING, HOTUPDATE_RUNNING },
	{ "unregister", WAY_UNREGISTER, HOTUPDATE_DETACHED, HOTUPDATE_NONE },
	{ "unbind", WAY_UNBIND, HOTUPDATE_DETACHED, HOTUPDATE_NONE },
	{ "leave", WAY_LEAVE, HOTUPDATE_STALE, HOTUPDATE_NONE },
	{ "unplug", WAY_UNPLUG, HOTUPDATE_STALE, HOTUPDATE_NONE },
};

KUNIT_ARRAY_PARAM_DESC(ways, ways, name);

static void go(struct fake_slot *slot, enum way_out out)
{
	struct kunit *test = slot->test;

	switch (out) {
	case WAY_CANCEL:
		KUNIT_EXPECT_EQ(test, attr_write(slot->gpu, "cancel", "1"), 0);
		break;
	case WAY_UNREGISTER:
		fake_driver_unregister(slot->driver);
		break;
	case WAY_LEAVE:
		slot->end = FAKE_END_FORGOTTEN;
		fallthrough;
	case WAY_UNBIND:
		fake_slot_unbind(slot);
		slot->driver->adapter = NULL;
		break;
	case WAY_UNPLUG:
		fake_slot_unplug(slot);
		break;
	}
	fake_slot_settle(slot);
}

/*
 * Nothing is left of the timeout when the save has ended in another way: neither a work
 * item with a reference, nor a late cancel. A driver that comes next runs.
 *
 * Clauses: W4
 */
static void timeout_ends_with_the_save(struct kunit *test)
{
	const struct way *way = test->param_value;
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = bind_driver(slot, "kunit,fake");

	prepare_with(driver, LATE);
	KUNIT_EXPECT_TRUE(test, is_queued(slot->gpu));
	go(slot, way->out);
	KUNIT_EXPECT_FALSE(test, is_queued(slot->gpu));
	FAKE_EXPECT_STATE(slot->gpu, way->saved);
	EXPECT_REFS(0);
	if (way->saved == HOTUPDATE_DETACHED && way->out == WAY_UNBIND) {
		driver = bind_driver(slot, "kunit,fake");
		FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
		KUNIT_EXPECT_FALSE(test, is_queued(slot->gpu));
		KUNIT_EXPECT_NULL(test, strstr(driver->log, "cancel"));
	}
}

/*
 * The timeout of one save does not cancel the next one.
 */
static void timeout_is_of_one_save(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	prepare_with(driver, LATE);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	prepare_with(driver, "0");
	/* As if the work item of the first one was late. */
	get_device(&driver->adapter->dev);
	KUNIT_ASSERT_TRUE(test, schedule_delayed_work(&driver->adapter->timeout.work, 0));
	flush_delayed_work(&driver->adapter->timeout.work);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_SAVED);
	KUNIT_EXPECT_FALSE(test, is_queued(driver->gpu));
}

/*
 * A module that a timeout keeps is let go by a cancel, or when the driver leaves, and
 * not twice.
 *
 * Clauses: W4
 */
static void module_is_let_go(struct kunit *test)
{
	const struct way *way = test->param_value;
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = bind_driver(slot, "kunit,fake");

	time_out(driver);
	EXPECT_REFS(1);
	go(slot, way->out);
	FAKE_EXPECT_STATE(slot->gpu, way->running);
	EXPECT_REFS(0);
	if (way->out != WAY_CANCEL)
		return;
	expect_attr(slot->gpu, "state", "running");
	KUNIT_EXPECT_STREQ(test, slot->gpu->adapter->last_error, "");
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, cancel");
	KUNIT_EXPECT_EQ(test, attr_write(slot->gpu, "cancel", "1"), -EINVAL);
	FAKE_EXPECT_ERROR(slot->gpu, "nothing is saved");
	EXPECT_REFS(0);
}

/*
 * A prepare that fails lets the module not go, one that succeeds does, and its own
 * timeout keeps it again.
 *
 * Clauses: W4
 */
static void next_prepare_lets_go(struct kunit *test)
{
	struct fake_failure failure = { .call = FAKE_SAVE, .err = -EIO };
	struct fake_driver *driver = fake_driver_running(test);

	time_out(driver);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 9), -EPROTONOSUPPORT);
	driver->hook = fake_fail_hook;
	driver->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EIO);
	driver->hook = NULL;
	EXPECT_REFS(1);

	prepare_with(driver, LATE);
	EXPECT_REFS(0);
	KUNIT_EXPECT_STREQ(test, driver->adapter->last_error, "");
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);

	time_out(driver);
	EXPECT_REFS(1);
	set_timeout(driver->gpu, "0");
	FAKE_ASSERT_DETACHED(driver);
	EXPECT_REFS(0);
}

/*
 * Each adapter of a module keeps a reference of its own.
 *
 * Clauses: U18
 */
static void two_adapters_of_a_module(struct kunit *test)
{
	struct fake_driver *one = fake_driver_running(test);
	struct fake_driver *two = fake_driver_running(test);

	set_timeout(two->gpu, SOON);
	prepare_with(one, SOON);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(two->adapter, 0), 0);
	wait_cancelled(one->gpu);
	wait_cancelled(two->gpu);
	EXPECT_REFS(2);
	FAKE_EXPECT_ERROR(one->gpu, "1 is written to cancel");
	FAKE_EXPECT_ERROR(two->gpu, "1 is written to cancel");
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(one->adapter), 0);
	EXPECT_REFS(1);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(one->adapter), -EINVAL);
	EXPECT_REFS(1);
	fake_driver_unregister(two);
	EXPECT_REFS(0);
}

/*
 * A driver without a module has nothing to keep, and nothing to let go.
 */
static void driver_without_module(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));

	driver->owner = NULL;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	time_out(driver);
	EXPECT_REFS(0);
	FAKE_EXPECT_ERROR(driver->gpu, SOON " ms");
	KUNIT_EXPECT_NULL(test, strstr(driver->adapter->last_error, "unloaded"));
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), -EINVAL);
}

/*
 * While the module is unloaded nothing is cancelled: the driver detaches.
 */
static void module_is_unloaded(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	if (!fake_module())
		kunit_skip(test, "this kernel does not unload modules");
	prepare_with(driver, LATE);
	fake_module_set_going(true);
	let_expire(driver);
	expect_still_saved(driver);
	EXPECT_REFS(0);
	fake_driver_unregister(driver);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_DETACHED);
	KUNIT_EXPECT_FALSE(test, is_queued(driver->gpu));
	fake_module_set_going(false);
}

static void nap_in_remove(struct fake_slot *slot)
{
	let_expire(slot->driver);
	expect_still_saved(slot->driver);
}

/*
 * From the begin of an unbind nothing is cancelled either, until the next driver is
 * bound, and saves.
 */
static void driver_is_unbound(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver;

	/* Unregisters after the removal. */
	slot->end = FAKE_END_MANAGED;
	driver = bind_driver(slot, "kunit,fake");
	slot->in_remove = nap_in_remove;
	prepare_with(driver, LATE);
	fake_slot_unbind(slot);
	slot->in_remove = NULL;
	fake_slot_settle(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);

	driver = bind_driver(slot, "kunit,fake");
	time_out(driver);
	EXPECT_REFS(1);
}

/*
 * The work waits for no operation, and lets a removal go first that does.
 */
static void operation_is_under_way(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct hotupdate_op *op = &driver->adapter->op;

	prepare_with(driver, LATE);
	hotupdate_op_begin(driver->adapter);
	let_expire(driver);
	expect_still_saved(driver);
	atomic_inc(&op->waiting);
	hotupdate_op_end(driver->adapter);
	expect_still_saved(driver);
	atomic_dec(&op->waiting);
	wait_cancelled(driver->gpu);
}

/*
 * A device that is lost stays saved. Its driver leads to a stale stash.
 */
static void device_is_lost_when_saved(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	prepare_with(driver, LATE);
	drm_hotupdate_adapter_lost(driver->adapter);
	let_expire(driver);
	expect_still_saved(driver);
	EXPECT_REFS(0);
	fake_driver_unregister(driver);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_STALE);
}

/*
 * The driver of a device that is lost after a timeout can be let go.
 */
static void device_is_lost_after_timeout(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	time_out(driver);
	drm_hotupdate_adapter_lost(driver->adapter);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	EXPECT_REFS(0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), -ENODEV);
}

static const enum hotupdate_state awaited_states[] = {
	HOTUPDATE_DETACHED, HOTUPDATE_RESTORED, HOTUPDATE_UNCLAIMED,
};

/* A driver that registers without being bound is not about to leave. */
static void next_driver_is_not_bound(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = bind_driver(slot, "kunit,fake");

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	fake_slot_unbind(slot);
	fake_slot_settle(slot);
	driver = fake_driver_new(test, slot->gpu);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
	time_out(driver);
	EXPECT_REFS(1);
}

/* The driver can have shut its device down, and must not start it again. */
static void system_goes_down_when_saved(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	prepare_with(driver, LATE);
	hotupdate_bar_prepare(HOTUPDATE_BAR_REBOOT, true);
	let_expire(driver);
	expect_still_saved(driver);
	EXPECT_REFS(0);
	/* An administrator knows better. */
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	hotupdate_bar_prepare(HOTUPDATE_BAR_REBOOT, false);
}

static void describe_state(const enum hotupdate_state *state, char *desc)
{
	strscpy(desc, hotupdate_state_name(*state), KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(awaited, awaited_states, describe_state);

/* A GPU that waits for its next driver. */
static struct fake_slot *slot_in_state(struct kunit *test, const char *family,
				       enum hotupdate_state state)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = bind_driver(slot, family);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	fake_slot_unbind(slot);
	if (state == HOTUPDATE_RESTORED) {
		/* Without a commit, which a device that is lost does not get. */
		slot->in_probe = fake_slot_report_loss;
		bind_driver(slot, family);
		slot->in_probe = NULL;
	} else if (state == HOTUPDATE_UNCLAIMED) {
		KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
	}
	fake_slot_settle(slot);
	FAKE_EXPECT_STATE(slot->gpu, state);
	return slot;
}

static void end_stash(struct fake_slot *slot)
{
	fake_slot_unbind(slot);
	fake_slot_settle(slot);
	KUNIT_EXPECT_EQ(slot->test, hotupdate_discard(slot->gpu->adapter, true), 0);
}

/*
 * While another GPU of the family waits for its next driver the timeout waits, too: an
 * update of both is on its way.
 *
 * Clauses: U18
 */
static void other_gpu_is_updated(struct kunit *test)
{
	enum hotupdate_state state = *(const enum hotupdate_state *)test->param_value;
	struct fake_slot *other = slot_in_state(test, "kunit,fake", state);
	struct fake_driver *driver = fake_driver_running(test);

	prepare_with(driver, SOON);
	expect_still_saved(driver);
	end_stash(other);
	wait_cancelled(driver->gpu);
	EXPECT_REFS(1);
}

static int expect_other_saved(struct fake_driver *driver, enum fake_call call,
			      struct drm_hotupdate_block *block)
{
	FAKE_EXPECT_STATE(driver->gpu, call == FAKE_RESTORE ? HOTUPDATE_RESTORING :
							      driver->gpu->adapter->state);
	if (call == FAKE_RESTORE)
		expect_still_saved(driver->hook_data);
	return 0;
}

/*
 * So it does while the other GPU is being restored.
 *
 * Clauses: U18
 */
static void other_gpu_is_restored(struct kunit *test)
{
	struct fake_slot *other = slot_in_state(test, "kunit,fake", HOTUPDATE_DETACHED);
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_driver *next = driver_of_family(other, "kunit,fake");

	prepare_with(driver, SOON);
	next->hook = expect_other_saved;
	next->hook_data = driver;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(other, FAKE_BUS_SAVER, next), 1);
	next->hook = NULL;
	FAKE_EXPECT_STATE(other->gpu, HOTUPDATE_RUNNING);
	wait_cancelled(driver->gpu);
}

/*
 * A GPU that is saved, or stale, or of another family, is no reason to wait.
 */
static void other_gpu_does_not_matter(struct kunit *test)
{
	struct fake_slot *stale = slot_in_state(test, "kunit,fake", HOTUPDATE_UNCLAIMED);
	struct fake_driver *saved = fake_driver_running(test);
	struct fake_driver *driver = fake_driver_running(test);

	fake_slot_unbind(stale);
	fake_slot_settle(stale);
	FAKE_EXPECT_STATE(stale->gpu, HOTUPDATE_STALE);
	slot_in_state(test, "kunit,other", HOTUPDATE_DETACHED);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(saved->adapter, 0), 0);
	time_out(driver);
	FAKE_EXPECT_STATE(saved->gpu, HOTUPDATE_SAVED);
}

/*
 * The guard and a timeout can keep a module both. Each lets go of its own reference
 * alone, and last_error explains the one that is left.
 *
 * Clauses: U18
 */
static void guard_keeps_it_too(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_driver *other = fake_driver_running(test);

	time_out(driver);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(other->adapter, 0), 0);
	EXPECT_REFS(2);
	expect_attr(driver->gpu, "users", "0");
	FAKE_EXPECT_ERROR(driver->gpu, dev_name(&other->adapter->dev));
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(other->adapter), 0);
	EXPECT_REFS(1);
	FAKE_EXPECT_ERROR(driver->gpu, "1 is written to cancel");

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(other->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	EXPECT_REFS(1);
	FAKE_EXPECT_ERROR(driver->gpu, dev_name(&other->adapter->dev));
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(other->adapter), 0);
	EXPECT_REFS(0);
}

/*
 * The other GPU waits when the timeout cancels: last_error explains the timeout, and
 * after that the guard.
 *
 * Clauses: U18
 */
static void guard_keeps_it_already(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_driver *other = fake_driver_running(test);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(other->adapter, 0), 0);
	EXPECT_REFS(1);
	time_out(driver);
	EXPECT_REFS(2);
	FAKE_EXPECT_ERROR(driver->gpu, "1 is written to cancel");
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	EXPECT_REFS(1);
	FAKE_EXPECT_ERROR(driver->gpu, dev_name(&other->adapter->dev));
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(other->adapter), 0);
	EXPECT_REFS(0);
	KUNIT_EXPECT_STREQ(test, driver->adapter->last_error, "");
}

static int sleep_event(unsigned long event)
{
	return notifier_to_errno(hotupdate_power_sleep(NULL, event, NULL));
}

/*
 * A save that is cancelled does not bar system sleep any more.
 */
static void system_sleeps_afterwards(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	prepare_with(driver, LATE);
	KUNIT_EXPECT_EQ(test, sleep_event(PM_SUSPEND_PREPARE), -EBUSY);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	time_out(driver);
	KUNIT_EXPECT_EQ(test, sleep_event(PM_SUSPEND_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, sleep_event(PM_POST_SUSPEND), 0);
}

static struct kunit_case timeout_cases[] = {
#ifdef CONFIG_MODULE_UNLOAD
	KUNIT_CASE(users_are_those_of_others),
	KUNIT_CASE(users_of_a_module_that_goes),
	KUNIT_CASE(users_do_not_bar_prepare),
#endif
	KUNIT_CASE(cancels_in_time),
	KUNIT_CASE(cancels_not_early),
	KUNIT_CASE(waits_for_ever_by_default),
	KUNIT_CASE(timeout_is_read_at_the_save),
	KUNIT_CASE(largest_timeout),
	KUNIT_CASE_PARAM(timeout_ends_with_the_save, ways_gen_params),
	KUNIT_CASE(timeout_is_of_one_save),
	KUNIT_CASE_PARAM(module_is_let_go, ways_gen_params),
	KUNIT_CASE(next_prepare_lets_go),
	KUNIT_CASE(two_adapters_of_a_module),
	KUNIT_CASE(driver_without_module),
	KUNIT_CASE(module_is_unloaded),
	KUNIT_CASE(driver_is_unbound),
	KUNIT_CASE(operation_is_under_way),
	KUNIT_CASE(device_is_lost_when_saved),
	KUNIT_CASE(next_driver_is_not_bound),
	KUNIT_CASE(system_goes_down_when_saved),
	KUNIT_CASE(device_is_lost_after_timeout),
	KUNIT_CASE_PARAM(other_gpu_is_updated, awaited_gen_params),
	KUNIT_CASE(other_gpu_is_restored),
	KUNIT_CASE(other_gpu_does_not_matter),
	KUNIT_CASE(guard_keeps_it_too),
	KUNIT_CASE(guard_keeps_it_already),
	KUNIT_CASE(system_sleeps_afterwards),
	{ }
};

static struct kunit_suite timeout_suite = {
	.name = "drm_hotupdate_timeout",
	.suite_init = fake_bus_suite_init,
	.suite_exit = fake_bus_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = timeout_cases,
};

kunit_test_suites(&timeout_suite);
