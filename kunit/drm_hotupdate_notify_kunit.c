// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space is told of an adapter, and when: never before it can act on it.
 */

#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/poll.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "drm_hotupdate_kunit.h"
#include "kunit_files.h"

/*
 * Somebody who polls the state, and looks at the adapter in the very moment in
 * which he is woken up: there is no chance that he comes too late to see that
 * something is not done yet.
 */
struct listener {
	struct fake_gpu *gpu;
	struct file *file;
	poll_table table;
	wait_queue_entry_t wait;
	wait_queue_head_t *head;
	int module_refs;
	/* What was heard: "saving, saved", a "!" after what cannot be acted on */
	char log[160];
};

static void attr_path(char *path, size_t size, struct fake_gpu *gpu, const char *attr)
{
	snprintf(path, size, "class/drm_hotupdate/platform:%s/%s",
		 dev_name(fake_gpu_dev(gpu)), attr);
}

static int write_attr(struct fake_gpu *gpu, const char *attr, const char *text)
{
	struct fake_env *env = gpu->test->priv;
	char path[96];

	attr_path(path, sizeof(path), gpu, attr);
	return user_file_write(env->sysfs, path, text);
}

static bool is_transient(enum hotupdate_state state)
{
	return state == HOTUPDATE_SAVING || state == HOTUPDATE_RESTORING;
}

static bool is_busy(struct listener *listener)
{
	return READ_ONCE(listener->gpu->adapter->op.task) ||
	       fake_module_refs() != listener->module_refs;
}

static int hear(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct listener *listener = container_of(wait, struct listener, wait);
	enum hotupdate_state state = listener->gpu->adapter->state;
	size_t used = strlen(listener->log);

	scnprintf(listener->log + used, sizeof(listener->log) - used, "%s%s%s",
		  used ? ", " : "", hotupdate_state_name(state),
		  !is_transient(state) && is_busy(listener) ? "!" : "");
	return 0;
}

static void enqueue(struct file *file, wait_queue_head_t *head, poll_table *table)
{
	struct listener *listener = container_of(table, struct listener, table);

	listener->head = head;
	add_wait_queue(head, &listener->wait);
}

static void stop_listening(void *data)
{
	struct listener *listener = data;

	if (listener->head)
		remove_wait_queue(listener->head, &listener->wait);
	listener->head = NULL;
	if (!IS_ERR_OR_NULL(listener->file))
		user_file_close(listener->file);
	listener->file = NULL;
}

/* From a callback too: it must not use assertions. */
static void listen(struct kunit *test, struct listener *listener)
{
	struct fake_env *env = test->priv;
	char path[96];

	attr_path(path, sizeof(path), listener->gpu, "state");
	listener->file = user_file_open(env->sysfs, path, O_RDONLY);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, listener->file);
	if (IS_ERR_OR_NULL(listener->file))
		return;
	vfs_poll(listener->file, &listener->table);
	KUNIT_EXPECT_NOT_NULL(test, listener->head);
}

static struct listener *listener_new(struct kunit *test, struct fake_gpu *gpu)
{
	struct listener *listener = kunit_kzalloc(test, sizeof(*listener), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, listener);
	listener->gpu = gpu;
	listener->module_refs = fake_module_refs();
	init_waitqueue_func_entry(&listener->wait, hear);
	init_poll_funcptr(&listener->table, enqueue);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_listening, listener));
	return listener;
}

static void expect_heard(struct kunit *test, struct listener *listener, const char *expected)
{
	KUNIT_EXPECT_STREQ(test, listener->log, expected);
	listener->log[0] = '\0';
}

/*
 * When a state is announced in which something can be done, the operation that
 * led there is in nobody's way: neither of the next operation, nor of the removal
 * of the driver's module.
 */
static void told_when_it_is_done(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct listener *listener = listener_new(test, driver->gpu);

	fake_driver_saves_each_kind(driver);
	listen(test, listener);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	expect_heard(test, listener, "saving, saved");
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	expect_heard(test, listener, "running");
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	expect_heard(test, listener, "saving, saved");
	fake_driver_unregister(driver);
	expect_heard(test, listener, "detached");
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), 0);
	expect_heard(test, listener, "restoring, running");
}

/*
 * The same if the operation fails; one that is refused is not heard of.
 */
static void told_when_it_has_failed(struct kunit *test)
{
	struct fake_failure failure = { .call = FAKE_SAVE, .err = -EIO };
	struct fake_driver *driver = fake_driver_running(test);
	struct listener *listener = listener_new(test, driver->gpu);

	driver->hook = fake_fail_hook;
	driver->hook_data = &failure;
	listen(test, listener);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EIO);
	expect_heard(test, listener, "saving, running");
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 9), -EPROTONOSUPPORT);
	expect_heard(test, listener, "");

	failure.call = FAKE_START;
	FAKE_ASSERT_DETACHED(driver);
	expect_heard(test, listener, "saving, saved, detached");
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
	expect_heard(test, listener, "restoring, detached");
}

static int listen_in_start(struct fake_driver *driver, enum fake_call call,
			   struct drm_hotupdate_block *block)
{
	if (call == FAKE_START)
		listen(driver->test, driver->hook_data);
	return 0;
}

/*
 * An adapter that is new is announced when it can be used.
 *
 * Clauses: W1
 */
static void told_of_first_start(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
	struct listener *listener = listener_new(test, driver->gpu);

	driver->hook = listen_in_start;
	driver->hook_data = listener;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	driver->hook = NULL;
	expect_heard(test, listener, "running");
	KUNIT_EXPECT_TRUE(test, driver->adapter->dev.kobj.state_add_uevent_sent);
}

/*
 * Who waits for a state is told that there will be none any more, and not left
 * asleep when the file goes: after a removal without a save, after a discard
 * through the adapter's own file, and after a first start that failed.
 *
 * Clauses: U9
 */
static void told_of_end(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct listener *listener = listener_new(test, driver->gpu);
	u64 before;

	listen(test, listener);
	before = fake_uevents(test);
	fake_driver_unregister(driver);
	expect_heard(test, listener, "none");
	/* The change, and the removal */
	KUNIT_EXPECT_GE(test, fake_uevents(test), before + 2);
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(driver->gpu));
	stop_listening(listener);

	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	listen(test, listener);
	FAKE_ASSERT_DETACHED(driver);
	expect_heard(test, listener, "saving, saved, detached");
	KUNIT_EXPECT_EQ(test, write_attr(driver->gpu, "discard", "1"), 0);
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(driver->gpu));
	expect_heard(test, listener, "none");
}

static int listen_and_fail(struct fake_driver *driver, enum fake_call call,
			   struct drm_hotupdate_block *block)
{
	return listen_in_start(driver, call, block) ?: -EIO;
}

/*
 * The same of an adapter that was never announced: it sends no uevents.
 */
static void told_of_failed_first_start(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
	struct listener *listener = listener_new(test, driver->gpu);

	driver->hook = listen_and_fail;
	driver->hook_data = listener;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
	expect_heard(test, listener, "none");
	KUNIT_EXPECT_TRUE(test, dev_get_uevent_suppress(&driver->gpu->adapter->dev));
	KUNIT_EXPECT_FALSE(test, driver->gpu->adapter->dev.kobj.state_add_uevent_sent);
}

/*
 * The time of the last notice of progress is never so far away that jiffies seem
 * to be before it: with 32 bits they begin five minutes before they wrap around,
 * and half of their range is 25 days.
 */
static void progress_of_idle_adapter(struct kunit *test)
{
	unsigned long begin = jiffies;
	struct fake_driver *driver = fake_driver_running(test);

	KUNIT_EXPECT_TRUE(test, time_after_eq(driver->adapter->progress_notified, begin));

	driver->adapter->progress_notified = jiffies + LONG_MAX;
	begin = jiffies;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_TRUE(test, time_in_range(driver->adapter->progress_notified, begin,
					      jiffies));
}

static struct kunit_case notify_cases[] = {
	KUNIT_CASE(told_when_it_is_done),
	KUNIT_CASE(told_when_it_has_failed),
	KUNIT_CASE(told_of_first_start),
	KUNIT_CASE(told_of_end),
	KUNIT_CASE(told_of_failed_first_start),
	KUNIT_CASE(progress_of_idle_adapter),
	{ }
};

static struct kunit_suite notify_suite = {
	.name = "drm_hotupdate_notify",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = notify_cases,
};

kunit_test_suites(&notify_suite);
