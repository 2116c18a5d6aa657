// SPDX-License-Identifier: GPL-2.0-only
/*
 * System sleep and reboot, in each state of an adapter.
 */

#include <kunit/test.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "drm_hotupdate_kunit.h"

/* Whether the log has these words of an adapter. */
static bool log_of(struct fake_gpu *gpu, const char *words)
{
	char line[128];

	snprintf(line, sizeof(line), "%s: %s", dev_name(&gpu->adapter->dev), words);
	return fake_log_has(line);
}

static int sleep_event(unsigned long event)
{
	return notifier_to_errno(hotupdate_power_sleep(NULL, event, NULL));
}

struct sleep_kind {
	const char *name;
	unsigned long before;
	unsigned long after;
};

static const struct sleep_kind sleeps[] = {
	{ "suspend", PM_SUSPEND_PREPARE, PM_POST_SUSPEND },
	{ "hibernation", PM_HIBERNATION_PREPARE, PM_POST_HIBERNATION },
	{ "restore", PM_RESTORE_PREPARE, PM_POST_RESTORE },
};

KUNIT_ARRAY_PARAM_DESC(sleeps, sleeps, name);

/*
 * A running adapter does not bar sleep. No save begins from the begin of a sleep to
 * its end, and one can begin afterwards.
 */
static void running_sleeps(struct kunit *test)
{
	const struct sleep_kind *sleep = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);

	KUNIT_EXPECT_EQ(test, sleep_event(sleep->before), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EBUSY);
	FAKE_EXPECT_ERROR(driver->gpu, "about to sleep");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new");

	KUNIT_EXPECT_EQ(test, sleep_event(sleep->after), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
}

/*
 * An adapter with a stash bars sleep, saved or detached, with a reason, and a refused
 * sleep bars no save of another adapter. After a cancel, or after the next driver has
 * taken over, the system can sleep again.
 */
static void stash_bars_sleep(struct kunit *test)
{
	const struct sleep_kind *sleep = test->param_value;
	struct fake_driver *other = fake_driver_running(test);
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves(driver, fake_block_page(test));
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, sleep_event(sleep->before), -EBUSY);
	KUNIT_EXPECT_TRUE(test, log_of(driver->gpu, "system sleep refused: state is saved"));
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(other->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(other->adapter), 0);

	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_EQ(test, sleep_event(sleep->before), 0);
	KUNIT_EXPECT_EQ(test, sleep_event(sleep->after), 0);

	FAKE_ASSERT_DETACHED(driver);
	KUNIT_EXPECT_EQ(test, sleep_event(sleep->before), -EBUSY);
	KUNIT_EXPECT_TRUE(test, log_of(driver->gpu, "system sleep refused: state is detached"));
	FAKE_EXPECT_STASH(driver->gpu, 1);

	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_EQ(test, sleep_event(sleep->before), 0);
	KUNIT_EXPECT_EQ(test, sleep_event(sleep->after), 0);
}

/*
 * Another sleep in a sleep, done or refused, does not end the outer one.
 */
static void sleep_within_sleep(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	KUNIT_EXPECT_EQ(test, sleep_event(PM_HIBERNATION_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, sleep_event(PM_SUSPEND_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, sleep_event(PM_POST_SUSPEND), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EBUSY);

	hotupdate_op_begin(driver->adapter);
	KUNIT_EXPECT_EQ(test, sleep_event(PM_SUSPEND_PREPARE), -EBUSY);
	hotupdate_op_end(driver->adapter);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EBUSY);

	KUNIT_EXPECT_EQ(test, sleep_event(PM_POST_HIBERNATION), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
}

/* What the sleep notifier returns within each callback, by enum fake_call */
static int sleep_within(struct fake_driver *driver, enum fake_call call,
			struct drm_hotupdate_block *block)
{
	int *results = driver->hook_data;

	results[call] = sleep_event(PM_SUSPEND_PREPARE);
	return 0;
}

/*
 * While an operation is under way the system does not sleep, and the sleep does not
 * wait for it: the operation may be waiting for a task that sleep has frozen.
 */
static void operation_bars_sleep(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
	int results[FAKE_NUM_CALLS] = { };
	unsigned int call;

	fake_driver_saves(driver, fake_block_page(test));
	driver->hook = sleep_within;
	driver->hook_data = results;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);

	/* In state running, where only the operation is in the way */
	results[FAKE_STOP] = 0;
	fake_driver_put_blocks(driver);
	fake_driver_unregister(driver);
	KUNIT_EXPECT_TRUE(test, log_of(driver->gpu,
				       "system sleep refused: state is running, and an operation"));
	driver->hook = NULL;

	for (call = 0; call < FAKE_NUM_CALLS; call++)
		if (call != FAKE_ABORT)
			KUNIT_EXPECT_EQ_MSG(test, results[call], -EBUSY, "callback %u", call);
	/* A sleep that was refused bars nothing. */
	driver->num_saves = 0;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
}

static void end_reboot(void *unused)
{
	hotupdate_bar_prepare(HOTUPDATE_BAR_REBOOT, false);
}

struct shutdown {
	const char *name;
	unsigned long event;
	const char *command;
	const char *words;
};

static const struct shutdown shutdowns[] = {
	{ "reboot", SYS_RESTART, NULL, "lost in this reboot, and the device is running" },
	{ "reboot_with_command", SYS_RESTART, "bootloader", "lost in this reboot, and" },
	{ "kexec", SYS_RESTART, "kexec reboot", "lost in this kexec, and" },
	{ "halt", SYS_HALT, NULL, "lost in this halt, and" },
	{ "power_off", SYS_POWER_OFF, NULL, "lost in this power off" },
};

KUNIT_ARRAY_PARAM_DESC(shutdowns, shutdowns, name);

/*
 * When the system goes down the log names each adapter that loses a stash, with its
 * size, and no other one. Nothing is saved any more.
 */
static void shutdown_names_what_is_lost(struct kunit *test)
{
	const struct shutdown *shutdown = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_driver *other = fake_driver_running(test);
	char words[96];

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_reboot, NULL), 0);
	fake_driver_saves(driver, fake_block_page(test));
	FAKE_ASSERT_DETACHED(driver);
	hotupdate_power_reboot(NULL, shutdown->event, (void *)shutdown->command);
	snprintf(words, sizeof(words), "1 blocks, %lu bytes of driver fake are %s", PAGE_SIZE,
		 shutdown->words);
	KUNIT_EXPECT_TRUE(test, log_of(driver->gpu, words));
	KUNIT_EXPECT_FALSE(test, log_of(other->gpu, "0 blocks"));
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(other->adapter, 0), -EBUSY);
}

static struct kunit_case power_cases[] = {
	KUNIT_CASE_PARAM(running_sleeps, sleeps_gen_params),
	KUNIT_CASE_PARAM(stash_bars_sleep, sleeps_gen_params),
	KUNIT_CASE(operation_bars_sleep),
	KUNIT_CASE(sleep_within_sleep),
	KUNIT_CASE_PARAM(shutdown_names_what_is_lost, shutdowns_gen_params),
	{ }
};

static struct kunit_suite power_suite = {
	.name = "drm_hotupdate_power",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = power_cases,
};

kunit_test_suites(&power_suite);
