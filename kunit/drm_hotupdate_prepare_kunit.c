// SPDX-License-Identifier: GPL-2.0-only
/*
 * Beginning an update and calling it off: versions, the deadline, and who waits
 * for whom.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "drm_hotupdate_kunit.h"

struct version_param {
	const char *name;
	u32 asked;
	u32 written;
	int err;
};

/* Of a driver of version 5 that reads and writes from 3 on */
static const struct version_param versions[] = {
	{ "its_own_by_default", 0, 5, 0 },
	{ "its_own", 5, 5, 0 },
	{ "oldest", 3, 3, 0 },
	{ "between", 4, 4, 0 },
	{ "one_too_old", 2, 0, -EPROTONOSUPPORT },
	{ "one_too_new", 6, 0, -EPROTONOSUPPORT },
	{ "largest", U32_MAX, 0, -EPROTONOSUPPORT },
};

KUNIT_ARRAY_PARAM_DESC(versions, versions, name);

static int check_written_version(struct fake_driver *driver, enum fake_call call,
				 struct drm_hotupdate_block *block)
{
	const struct version_param *param = driver->test->param_value;
	u32 version = drm_hotupdate_adapter_version(driver->gpu->adapter);

	if (call == FAKE_SAVE)
		KUNIT_EXPECT_EQ(driver->test, version, param->written);
	if (call == FAKE_CANCEL)
		KUNIT_EXPECT_EQ(driver->test, version, driver->version);
	return 0;
}

static struct fake_driver *driver_of_version_5(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));

	driver->version = 5;
	driver->min_version = 3;
	fake_driver_saves_each_kind(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_adapter_version(driver->adapter), 5);
	return driver;
}

/*
 * A save can be asked for in every version that the driver writes, and the
 * driver is told which. In another one it is refused, and not begun. After
 * a cancel the version is the driver's own again.
 *
 * Clauses: U6
 */
static void prepare_version(struct kunit *test)
{
	const struct version_param *param = test->param_value;
	struct fake_driver *driver = driver_of_version_5(test);

	driver->hook = check_written_version;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, param->asked),
			param->err);
	if (param->err) {
		KUNIT_EXPECT_STREQ(test, driver->log, "start:new");
		FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
		FAKE_EXPECT_ERROR(driver->gpu, "version");
		return;
	}

	KUNIT_EXPECT_EQ(test, drm_hotupdate_adapter_version(driver->adapter),
			param->written);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_adapter_version(driver->adapter), 5);
}

/*
 * A downgrade: what was asked for in an older version is read by the older
 * driver, which does not know the newer one.
 *
 * Clauses: U6
 */
static void prepare_for_downgrade(struct kunit *test)
{
	struct fake_driver *new = driver_of_version_5(test);
	struct fake_driver *old = fake_driver_new(test, new->gpu);

	old->version = 3;
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(new->adapter, 3), 0);
	fake_driver_unregister(new);
	KUNIT_ASSERT_EQ(test, fake_driver_register(old), 0);
	fake_driver_expect_restored(old, new);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_adapter_version(old->adapter), 3);
}

/*
 * The version of a save that failed is forgotten with it.
 *
 * Clauses: U3, U6
 */
static void prepare_fails_in_older_version(struct kunit *test)
{
	struct fake_failure failure = { .call = FAKE_SAVE, .err = -EIO };
	struct fake_driver *driver = driver_of_version_5(test);

	driver->hook = fake_fail_hook;
	driver->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 3), -EIO);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_adapter_version(driver->adapter), 5);

	failure.err = 0;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_adapter_version(driver->adapter), 5);
}

/*
 * The save callback is called by the prepare, before the driver goes, once.
 *
 * Clauses: W3
 */
static void prepare_calls_save(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves_each_kind(driver);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_SAVED);
	FAKE_EXPECT_STASH(driver->gpu, driver->num_saves);
	fake_driver_unregister(driver);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, stop:saved");
}

static int check_stash_is_forgotten(struct fake_driver *driver, enum fake_call call,
				    struct drm_hotupdate_block *block)
{
	if (call != FAKE_CANCEL)
		return 0;
	FAKE_EXPECT_STASH(driver->gpu, 0);
	KUNIT_EXPECT_EQ(driver->test, driver->gpu->adapter->stash.bytes, 0);
	KUNIT_EXPECT_TRUE(driver->test, hotupdate_index_is_empty());
	return 0;
}

/*
 * A cancel tells the driver, once, when all blocks are forgotten. It runs on,
 * its generation is the same, and the next update is a whole one.
 *
 * Clauses: W4, U20
 */
static void cancel_calls_cancel_save(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	driver->hook = check_stash_is_forgotten;
	fake_driver_saves_each_kind(driver);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, cancel");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_EQ(test, driver->adapter->generation, 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), -EINVAL);

	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_driver_expect_restored(driver, driver);
	KUNIT_EXPECT_EQ(test, driver->adapter->generation, 1);
}

/* Long enough for the slowest machine: time only passes where a case has it pass. */
#define DEADLINE_MS	600000

static struct fake_driver *driver_in_a_hurry(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves(driver, fake_block_page(test));
	fake_driver_saves(driver, fake_block_device(test, 1, 1));
	driver->adapter->deadline_ms = DEADLINE_MS;
	return driver;
}

static int oversleep(struct fake_driver *driver, enum fake_call call,
		     struct drm_hotupdate_block *block)
{
	struct fake_block *late = driver->hook_data;

	if (call != FAKE_SAVE)
		return 0;
	/* As if the save had taken until now, and a millisecond longer than it may. */
	if (driver->adapter->deadline_ms) {
		KUNIT_EXPECT_EQ(driver->test, DEADLINE_MS,
				ktime_ms_delta(driver->adapter->deadline,
					       driver->adapter->phase_start));
		driver->adapter->deadline = ktime_sub_ms(driver->adapter->deadline,
							 DEADLINE_MS + 1);
		/* An administrator who thinks twice: this is for the next save. */
		WRITE_ONCE(driver->adapter->deadline_ms, 1000 * DEADLINE_MS);
	} else {
		KUNIT_EXPECT_EQ(driver->test, driver->adapter->deadline, KTIME_MAX);
	}
	if (late)
		KUNIT_EXPECT_EQ(driver->test, fake_block_save(driver->adapter, late),
				-ETIMEDOUT);
	return 0;
}

/*
 * A save that takes longer than its deadline is undone as if it had failed,
 * though the driver believes that it has saved: it is told by a cancel.
 *
 * Clauses: U3
 */
static void deadline_passes_after_last_block(struct kunit *test)
{
	struct fake_driver *driver = driver_in_a_hurry(test);

	driver->hook = oversleep;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -ETIMEDOUT);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, cancel");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	FAKE_EXPECT_ERROR(driver->gpu, "600000 ms");
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	fake_block_expect_refs(test, driver->saves[0], 1);

	driver->hook = NULL;
	driver->adapter->deadline_ms = 0;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
}

/*
 * After the deadline no further block is accepted, and the save is undone.
 *
 * Clauses: U3
 */
static void deadline_passes_before_last_block(struct kunit *test)
{
	struct fake_driver *driver = driver_in_a_hurry(test);

	driver->hook = oversleep;
	driver->hook_data = fake_block_page(test);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -ETIMEDOUT);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, cancel");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	FAKE_EXPECT_ERROR(driver->gpu, "deadline");
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

/* A driver that does not know better, when it is told that its save was undone */
static int save_when_cancelled(struct fake_driver *driver, enum fake_call call,
			       struct drm_hotupdate_block *block)
{
	struct fake_block *fb = driver->hook_data;

	if (call != FAKE_CANCEL)
		return 0;
	KUNIT_EXPECT_EQ(driver->test, fake_block_save(driver->gpu->adapter, fb), -EPERM);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	return 0;
}

/*
 * No block is accepted from the callback that says that a save was undone, though
 * it is made by the same prepare: it would stay behind in a stash that nobody
 * knows of.
 *
 * Clauses: W5, U3
 */
static void save_of_block_when_save_is_undone(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_page(test);

	fake_driver_saves(driver, fake_block_device(test, 0, 0));
	driver->ignores_errors = true;
	driver->hook = save_when_cancelled;
	driver->hook_data = fb;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EINVAL);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, cancel");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	fake_block_expect_refs(test, fb, 1);
}

/*
 * A deadline that is met changes nothing, and no deadline is no limit.
 */
static void deadline_met_or_none(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	driver->adapter->deadline_ms = DEADLINE_MS;
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	driver->hook = oversleep;
	driver->adapter->deadline_ms = 0;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
}

/* Where a save, or an operation of the core, waits until it is let go. */
struct gate {
	struct completion entered;
	struct completion let_go;
};

static void pass_gate(struct fake_driver *driver)
{
	struct gate *gate = driver->hook_data;

	complete(&gate->entered);
	KUNIT_EXPECT_GT(driver->test,
			wait_for_completion_timeout(&gate->let_go, 30 * HZ), 0);
}

static int wait_at_gate(struct fake_driver *driver, enum fake_call call,
			struct drm_hotupdate_block *block)
{
	if (call == FAKE_SAVE)
		pass_gate(driver);
	return 0;
}

/* Something done by another thread; the result is valid when it is done. */
struct job {
	int (*fn)(struct fake_driver *driver);
	struct fake_driver *driver;
	struct task_struct *task;
	struct completion done;
	int result;
};

static int do_job(void *data)
{
	struct job *job = data;

	job->result = job->fn(job->driver);
	complete_all(&job->done);
	return 0;
}

static void start_job(struct kunit *test, struct job *job,
		      int (*fn)(struct fake_driver *driver), struct fake_driver *driver)
{
	*job = (struct job) { .fn = fn, .driver = driver };
	init_completion(&job->done);
	job->task = kthread_create(do_job, job, "hotupdate_kunit");
	KUNIT_EXPECT_FALSE(test, IS_ERR(job->task));
	if (IS_ERR(job->task)) {
		complete_all(&job->done);
		return;
	}
	get_task_struct(job->task);
	wake_up_process(job->task);
}

static void wait_for_job(struct job *job)
{
	wait_for_completion(&job->done);
	if (!IS_ERR(job->task))
		put_task_struct(job->task);
}

/* Until the thread sleeps in its job; false if it does not, but ends it. */
static bool job_has_to_wait(struct job *job)
{
	unsigned int tries;

	for (tries = 0; tries < 1000 && !completion_done(&job->done); tries++) {
		if (!task_is_running(job->task))
			return !completion_done(&job->done);
		msleep(20);
	}
	return false;
}

static int prepare_job(struct fake_driver *driver)
{
	return drm_hotupdate_prepare(driver->adapter, 0);
}

static int unregister_job(struct fake_driver *driver)
{
	fake_driver_unregister(driver);
	return 0;
}

/* Returns when the job is at the gate. */
static void start_job_at_gate(struct kunit *test, struct gate *gate, struct job *job,
			      int (*fn)(struct fake_driver *driver),
			      struct fake_driver *driver)
{
	init_completion(&gate->entered);
	init_completion(&gate->let_go);
	driver->hook_data = gate;
	start_job(test, job, fn, driver);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&gate->entered, 10 * HZ), 0);
}

/* A driver in the middle of its save, which another thread has asked for. */
static struct fake_driver *driver_at_gate(struct kunit *test, struct gate *gate,
					  struct job *job)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves_each_kind(driver);
	driver->hook = wait_at_gate;
	start_job_at_gate(test, gate, job, prepare_job, driver);
	return driver;
}

/*
 * While a save is under way what comes from user space is refused, and does not
 * wait. The state can be read. The save itself is not harmed.
 */
static void prepare_while_saving(struct kunit *test)
{
	struct fake_driver *driver;
	struct job prepare;
	struct gate gate;

	driver = driver_at_gate(test, &gate, &prepare);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), -EBUSY);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(driver->adapter, false), -EBUSY);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_SAVING);
	FAKE_EXPECT_STASH(driver->gpu, driver->num_saves);
	KUNIT_EXPECT_EQ(test, driver->adapter->progress, driver->num_saves);

	complete(&gate.let_go);
	wait_for_job(&prepare);
	KUNIT_EXPECT_EQ(test, prepare.result, 0);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_SAVED);
	FAKE_EXPECT_STASH(driver->gpu, driver->num_saves);
}

/*
 * A save call of another thread is refused, and dooms the save, though save_memory
 * knows nothing of it: the block that the thread wanted to save would be missing.
 *
 * Clauses: W5, U3
 */
static void save_from_another_thread(struct kunit *test)
{
	struct fake_driver *driver;
	struct fake_block *fb = fake_block_page(test);
	struct job prepare;
	struct gate gate;

	driver = driver_at_gate(test, &gate, &prepare);
	KUNIT_EXPECT_EQ(test, fake_block_save(driver->adapter, fb), -EPERM);
	complete(&gate.let_go);
	wait_for_job(&prepare);
	KUNIT_EXPECT_EQ(test, prepare.result, -EPERM);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, cancel");
	fake_block_expect_refs(test, fb, 1);

	/* The next one is not harmed, and neither by such a call before it. */
	KUNIT_EXPECT_EQ(test, fake_block_save(driver->adapter, fb), -EPERM);
	driver->hook = NULL;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
}

/*
 * A removal waits for a save that is under way: with it done the stash stays
 * behind.
 *
 * Clauses: U2
 */
static void unregister_waits_for_save(struct kunit *test)
{
	struct drm_hotupdate_adapter *adapter;
	struct job prepare, unregister;
	struct fake_driver *driver;
	struct gate gate;

	driver = driver_at_gate(test, &gate, &prepare);
	adapter = driver->adapter;
	start_job(test, &unregister, unregister_job, driver);
	KUNIT_EXPECT_TRUE(test, job_has_to_wait(&unregister));
	KUNIT_EXPECT_PTR_EQ(test, drm_hotupdate_adapter_priv(adapter), (void *)driver);

	complete(&gate.let_go);
	wait_for_job(&prepare);
	wait_for_job(&unregister);
	KUNIT_EXPECT_EQ(test, prepare.result, 0);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_DETACHED);
	FAKE_EXPECT_STASH(driver->gpu, driver->num_saves);
}

/* An operation of the core in the middle, for as long as somebody needs. */
static int core_at_gate(struct fake_driver *driver)
{
	KUNIT_EXPECT_TRUE(driver->test, hotupdate_op_try_quietly(driver->adapter));
	pass_gate(driver);
	hotupdate_op_end(driver->adapter);
	return 0;
}

static struct fake_driver *core_is_at_gate(struct kunit *test, struct gate *gate,
					   struct job *core)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves(driver, fake_block_page(test));
	start_job_at_gate(test, gate, core, core_at_gate, driver);
	return driver;
}

/*
 * What the core does by itself, after a driver was bound for example, is no reason to
 * refuse a request of user space: it waits.
 */
static void prepare_waits_for_core(struct kunit *test)
{
	struct job core, prepare;
	struct fake_driver *driver;
	struct gate gate;

	driver = core_is_at_gate(test, &gate, &core);
	start_job(test, &prepare, prepare_job, driver);
	KUNIT_EXPECT_TRUE(test, job_has_to_wait(&prepare));
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	complete(&gate.let_go);
	wait_for_job(&core);
	wait_for_job(&prepare);
	KUNIT_EXPECT_EQ(test, prepare.result, 0);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_SAVED);
}

/* Not for ever: what should be short is not. */
static void prepare_waits_no_longer(struct kunit *test)
{
	struct fake_driver *driver;
	unsigned long begin;
	struct job core;
	struct gate gate;

	driver = core_is_at_gate(test, &gate, &core);
	begin = jiffies;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EBUSY);
	KUNIT_EXPECT_TRUE(test, time_after(jiffies, begin + HZ / 2));
	complete(&gate.let_go);
	wait_for_job(&core);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
}

/*
 * A driver that waits has its turn first, behind the core as well: a request is refused
 * then, and does not wait.
 */
static void prepare_lets_driver_go_first(struct kunit *test)
{
	struct job core, unregister, prepare;
	struct fake_driver *driver;
	struct gate gate;

	driver = core_is_at_gate(test, &gate, &core);
	start_job(test, &unregister, unregister_job, driver);
	KUNIT_EXPECT_TRUE(test, job_has_to_wait(&unregister));
	start_job(test, &prepare, prepare_job, driver);
	KUNIT_EXPECT_FALSE(test, job_has_to_wait(&prepare));
	wait_for_job(&prepare);
	KUNIT_EXPECT_EQ(test, prepare.result, -EBUSY);
	complete(&gate.let_go);
	wait_for_job(&core);
	wait_for_job(&unregister);
}

static const int nonsense[] = { 1, 4096, INT_MAX, -4096, INT_MIN };

static void describe_result(const int *result, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%d", *result);
}

KUNIT_ARRAY_PARAM(nonsense, nonsense, describe_result);

/*
 * A save_memory that returns neither 0 nor an errno has failed: nothing is saved,
 * the script that asked for the save learns it, and the log names the driver.
 *
 * Clauses: W20, U3
 */
static void save_returns_nonsense(struct kunit *test)
{
	const int *result = test->param_value;
	struct fake_failure failure = { .call = FAKE_SAVE, .err = *result };
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves(driver, fake_block_page(test));
	driver->hook = fake_fail_hook;
	driver->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EINVAL);
	FAKE_EXPECT_ERROR(driver->gpu, "save_memory of driver fake returned");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save");
	fake_block_expect_refs(test, driver->saves[0], 1);
}

static struct kunit_case prepare_cases[] = {
	KUNIT_CASE_PARAM(prepare_version, versions_gen_params),
	KUNIT_CASE(prepare_for_downgrade),
	KUNIT_CASE(prepare_fails_in_older_version),
	KUNIT_CASE(prepare_calls_save),
	KUNIT_CASE(cancel_calls_cancel_save),
	KUNIT_CASE(deadline_passes_after_last_block),
	KUNIT_CASE(deadline_passes_before_last_block),
	KUNIT_CASE(save_of_block_when_save_is_undone),
	KUNIT_CASE(deadline_met_or_none),
	KUNIT_CASE(prepare_while_saving),
	KUNIT_CASE(save_from_another_thread),
	KUNIT_CASE(unregister_waits_for_save),
	KUNIT_CASE(prepare_waits_for_core),
	KUNIT_CASE(prepare_waits_no_longer),
	KUNIT_CASE(prepare_lets_driver_go_first),
	KUNIT_CASE_PARAM(save_returns_nonsense, nonsense_gen_params),
	{ }
};

static struct kunit_suite prepare_suite = {
	.name = "drm_hotupdate_prepare",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = prepare_cases,
};

kunit_test_suites(&prepare_suite);
