// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every operation in every state.
 */

#include <kunit/test.h>
#include <linux/mm.h>

#include "drm_hotupdate_kunit.h"

enum where {
	IN_FIRST_START,
	RUNNING,
	IN_SAVE,
	SAVED,
	IN_CANCEL,
	DETACHED,
	IN_RESTORE,
	IN_RESTART,
	IN_COMPLETE,
	IN_ABORT,
	IN_STOP,
	ENDED,
};

static const char * const where_names[] = {
	[IN_FIRST_START] = "in_first_start",
	[RUNNING] = "running",
	[IN_SAVE] = "in_save",
	[SAVED] = "saved",
	[IN_CANCEL] = "in_cancel",
	[DETACHED] = "detached",
	[IN_RESTORE] = "in_restore",
	[IN_RESTART] = "in_restart",
	[IN_COMPLETE] = "in_complete",
	[IN_ABORT] = "in_abort",
	[IN_STOP] = "in_stop",
	[ENDED] = "ended",
};

enum operation {
	PREPARE,
	CANCEL,
	DISCARD,
	SAVE,
	REGISTER,
	UNREGISTER,
};

static const char * const operation_names[] = {
	[PREPARE] = "prepare",
	[CANCEL] = "cancel",
	[DISCARD] = "discard",
	[SAVE] = "save",
	[REGISTER] = "register",
	[UNREGISTER] = "unregister",
};

struct step {
	enum where where;
	enum operation operation;
	int err;
};

static const struct step callback_steps[] = {
	{ IN_FIRST_START, PREPARE, -EBUSY },
	{ IN_FIRST_START, CANCEL, -EBUSY },
	{ IN_FIRST_START, DISCARD, -EBUSY },
	{ IN_FIRST_START, SAVE, -EPERM },
	{ IN_SAVE, PREPARE, -EBUSY },
	{ IN_SAVE, CANCEL, -EBUSY },
	{ IN_SAVE, DISCARD, -EBUSY },
	{ IN_SAVE, SAVE, 0 },
	{ IN_CANCEL, PREPARE, -EBUSY },
	{ IN_CANCEL, CANCEL, -EBUSY },
	{ IN_CANCEL, DISCARD, -EBUSY },
	{ IN_CANCEL, SAVE, -EPERM },
	{ IN_RESTORE, PREPARE, -EBUSY },
	{ IN_RESTORE, CANCEL, -EBUSY },
	{ IN_RESTORE, DISCARD, -EBUSY },
	{ IN_RESTORE, SAVE, -EPERM },
	{ IN_RESTART, PREPARE, -EBUSY },
	{ IN_RESTART, CANCEL, -EBUSY },
	{ IN_RESTART, DISCARD, -EBUSY },
	{ IN_RESTART, SAVE, -EPERM },
	{ IN_COMPLETE, PREPARE, -EBUSY },
	{ IN_COMPLETE, CANCEL, -EBUSY },
	{ IN_COMPLETE, DISCARD, -EBUSY },
	{ IN_COMPLETE, SAVE, -EPERM },
	{ IN_ABORT, PREPARE, -EBUSY },
	{ IN_ABORT, CANCEL, -EBUSY },
	{ IN_ABORT, DISCARD, -EBUSY },
	{ IN_ABORT, SAVE, -EPERM },
	{ IN_STOP, PREPARE, -EBUSY },
	{ IN_STOP, CANCEL, -EBUSY },
	{ IN_STOP, DISCARD, -EBUSY },
	{ IN_STOP, SAVE, -EPERM },
};

static const struct step steps[] = {
	{ RUNNING, PREPARE, 0 },
	{ RUNNING, CANCEL, -EINVAL },
	{ RUNNING, DISCARD, -EINVAL },
	{ RUNNING, SAVE, -EPERM },
	{ RUNNING, REGISTER, -EBUSY },
	{ RUNNING, UNREGISTER, 0 },
	{ SAVED, PREPARE, -EBUSY },
	{ SAVED, CANCEL, 0 },
	{ SAVED, DISCARD, -EBUSY },
	{ SAVED, SAVE, -EPERM },
	{ SAVED, REGISTER, -EBUSY },
	{ SAVED, UNREGISTER, 0 },
	{ DETACHED, PREPARE, -ENODEV },
	{ DETACHED, CANCEL, -ENODEV },
	{ DETACHED, DISCARD, 0 },
	{ DETACHED, SAVE, -EPERM },
	{ DETACHED, REGISTER, 0 },
	{ ENDED, PREPARE, -ENODEV },
	{ ENDED, CANCEL, -ENODEV },
	{ ENDED, DISCARD, -EINVAL },
	{ ENDED, SAVE, -EPERM },
	{ ENDED, REGISTER, 0 },
};

static void describe_step(const struct step *step, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s_%s", operation_names[step->operation],
		 where_names[step->where]);
}

KUNIT_ARRAY_PARAM(callback_steps, callback_steps, describe_step);
KUNIT_ARRAY_PARAM(steps, steps, describe_step);

/* What an attempt is made with, and what came of it. */
struct attempt {
	struct fake_driver *driver;
	struct fake_driver *second;
	struct fake_block *block;
	int result;
	unsigned int count;
};

static int operate(struct attempt *attempt, enum operation operation)
{
	struct drm_hotupdate_adapter *adapter = attempt->driver->gpu->adapter;

	switch (operation) {
	case PREPARE:
		return drm_hotupdate_prepare(adapter, 0);
	case CANCEL:
		return drm_hotupdate_cancel(adapter);
	case DISCARD:
		return hotupdate_discard(adapter, false);
	case SAVE:
		return fake_block_save(adapter, attempt->block);
	case REGISTER:
		return fake_driver_register(attempt->second);
	case UNREGISTER:
		fake_driver_unregister(attempt->driver);
		return 0;
	}
	return -ENXIO;
}

static bool is_where(enum where where, enum fake_call call, bool is_restoring)
{
	switch (where) {
	case IN_FIRST_START:
		return call == FAKE_START && !is_restoring;
	case IN_SAVE:
		return call == FAKE_SAVE;
	case IN_CANCEL:
		return call == FAKE_CANCEL;
	case IN_RESTORE:
		return call == FAKE_RESTORE;
	case IN_RESTART:
		return call == FAKE_START && is_restoring;
	case IN_COMPLETE:
		return call == FAKE_COMPLETE;
	case IN_ABORT:
		return call == FAKE_ABORT;
	case IN_STOP:
		return call == FAKE_STOP;
	default:
		return false;
	}
}

/* Makes the attempt where it is to be made. For an abort, a start has to fail. */
static int attempt_hook(struct fake_driver *driver, enum fake_call call,
			struct drm_hotupdate_block *block)
{
	const struct step *step = driver->test->param_value;
	bool is_restoring = driver->gpu->adapter->state == HOTUPDATE_RESTORING;
	struct attempt *attempt = driver->hook_data;

	if (is_where(step->where, call, is_restoring)) {
		attempt->result = operate(attempt, step->operation);
		attempt->count++;
	}
	return step->where == IN_ABORT && call == FAKE_START && is_restoring ? -EIO : 0;
}

static void prepare_attempt(struct kunit *test, struct attempt *attempt)
{
	struct fake_gpu *gpu = fake_gpu_new(test);

	attempt->driver = fake_driver_new(test, gpu);
	attempt->second = fake_driver_new(test, gpu);
	attempt->block = fake_block_page(test);
	fake_driver_saves(attempt->driver, fake_block_page(test));
}

/*
 * An operation from within a callback is refused at once, and not waited for:
 * but for the save of a block in the save callback. The callback's own
 * operation goes on as if nothing had been tried.
 *
 * Clauses: W5, W19
 */
static void operation_within_callback(struct kunit *test)
{
	const struct step *step = test->param_value;
	bool is_abort = step->where == IN_ABORT;
	struct attempt attempt = { };
	struct fake_driver *driver;

	prepare_attempt(test, &attempt);
	driver = attempt.driver;
	driver->hook = attempt_hook;
	driver->hook_data = &attempt;

	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	fake_driver_unregister(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), is_abort ? -EIO : 0);

	KUNIT_EXPECT_GE(test, attempt.count, 1);
	KUNIT_EXPECT_EQ(test, attempt.result, step->err);
	FAKE_EXPECT_STATE(driver->gpu, is_abort ? HOTUPDATE_DETACHED : HOTUPDATE_RUNNING);
	KUNIT_EXPECT_EQ(test, driver->gpu->adapter->generation, is_abort ? 0 : 1);
	driver->hook = NULL;
}

static void go_where(struct kunit *test, struct fake_driver *driver, enum where where)
{
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	if (where == SAVED || where == DETACHED)
		KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	if (where == DETACHED || where == ENDED)
		fake_driver_unregister(driver);
}

static enum hotupdate_state state_after(const struct step *step)
{
	switch (step->operation) {
	case PREPARE:
		return HOTUPDATE_SAVED;
	case CANCEL:
	case REGISTER:
		return HOTUPDATE_RUNNING;
	case UNREGISTER:
		return step->where == SAVED ? HOTUPDATE_DETACHED : HOTUPDATE_NONE;
	default:
		return HOTUPDATE_NONE;
	}
}

/*
 * Between callbacks an operation is done, and leads to the state that it leads
 * to, or it is refused: then state and stash are what they were, the reason is
 * told, and no callback was made.
 */
static void operation_between_callbacks(struct kunit *test)
{
	const struct step *step = test->param_value;
	struct attempt attempt = { };
	enum hotupdate_state before;
	struct fake_gpu *gpu;
	size_t log_size;
	unsigned int count;

	prepare_attempt(test, &attempt);
	gpu = attempt.driver->gpu;
	go_where(test, attempt.driver, step->where);
	before = gpu->adapter->state;
	count = gpu->adapter->stash.count;
	log_size = strlen(attempt.driver->log);
	gpu->adapter->last_error[0] = '\0';

	KUNIT_EXPECT_EQ(test, operate(&attempt, step->operation), step->err);
	if (!step->err) {
		FAKE_EXPECT_STATE(gpu, state_after(step));
		return;
	}
	FAKE_EXPECT_STATE(gpu, before);
	FAKE_EXPECT_STASH(gpu, count);
	KUNIT_EXPECT_STRNEQ(test, gpu->adapter->last_error, "");
	KUNIT_EXPECT_EQ(test, strlen(attempt.driver->log), log_size);
	KUNIT_EXPECT_STREQ(test, attempt.second->log, "");
	fake_block_expect_refs(test, attempt.driver->saves[0],
			       before == HOTUPDATE_SAVED ? 2 : 1);
	fake_block_expect_refs(test, attempt.block, 1);
}

/*
 * Saving for another adapter is not saving in its callback.
 */
static int save_elsewhere(struct fake_driver *driver, enum fake_call call,
			  struct drm_hotupdate_block *block)
{
	struct fake_driver *other = driver->hook_data;

	if (call == FAKE_SAVE)
		KUNIT_EXPECT_EQ(driver->test,
				fake_block_save(other->adapter, other->saves[0]), -EPERM);
	return 0;
}

/*
 * A driver cannot save for another adapter from within its own save, be the
 * other one running or saved, and its own save is not harmed by trying.
 *
 * Clauses: W5
 */
static void save_for_another_adapter(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_driver *other = fake_driver_running(test);

	fake_driver_saves(other, fake_block_page(test));
	driver->hook = save_elsewhere;
	driver->hook_data = other;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	FAKE_EXPECT_STASH(other->gpu, 0);

	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(other->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	FAKE_EXPECT_STASH(other->gpu, 1);
}

static int check_is_saved(struct fake_driver *driver, enum fake_call call,
			  struct drm_hotupdate_block *block)
{
	KUNIT_EXPECT_EQ(driver->test, call == FAKE_STOP,
			drm_hotupdate_adapter_is_saved(driver->gpu->adapter));
	return 0;
}

/*
 * is_saved is true from the end of a successful save to the begin of its cancel, or
 * to the end of the driver's stop. It is true in no other callback.
 */
static void is_saved_in_each_state(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));

	driver->hook = check_is_saved;
	fake_driver_saves(driver, fake_block_page(test));
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_FALSE(test, drm_hotupdate_adapter_is_saved(driver->adapter));
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_TRUE(test, drm_hotupdate_adapter_is_saved(driver->adapter));
	driver->hook = NULL;
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_FALSE(test, drm_hotupdate_adapter_is_saved(driver->adapter));

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	driver->hook = check_is_saved;
	fake_driver_unregister(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_FALSE(test, drm_hotupdate_adapter_is_saved(driver->adapter));
	driver->hook = NULL;
}

/*
 * A stash that no driver comes back for stays, and is shown with its size, until
 * it is discarded; then nothing is left of it or of the adapter.
 *
 * Clauses: U9
 */
static void stash_without_driver(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct drm_hotupdate_adapter *adapter;
	u64 bytes;

	fake_driver_saves_each_kind(driver);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	adapter = driver->gpu->adapter;
	bytes = adapter->stash.bytes;
	fake_driver_unregister(driver);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_DETACHED);
	FAKE_EXPECT_STASH(driver->gpu, driver->num_saves);
	KUNIT_EXPECT_EQ(test, adapter->stash.bytes, bytes);
	KUNIT_EXPECT_TRUE(test, device_is_registered(&adapter->dev));

	KUNIT_EXPECT_EQ(test, hotupdate_discard(adapter, false), 0);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(driver->gpu));
	KUNIT_EXPECT_FALSE(test, device_is_registered(&adapter->dev));
}

/*
 * After a discard the GPU's next driver finds nothing, and starts anew, at
 * once, while the old adapter may not have disappeared yet.
 *
 * Clauses: U9
 */
static void register_after_discard(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves_each_kind(driver);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(driver->gpu->adapter, false), 0);
	driver->log[0] = '\0';
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new");
	KUNIT_EXPECT_EQ(test, driver->gpu->adapter->generation, 0);
}

/*
 * The moves that there are, one a line, as the table beside enum hotupdate_state.
 */
static void moves_between_states(struct kunit *test)
{
	static const enum hotupdate_state moves[][2] = {
		{ HOTUPDATE_STARTING, HOTUPDATE_RUNNING },
		{ HOTUPDATE_STARTING, HOTUPDATE_NONE },
		{ HOTUPDATE_RUNNING, HOTUPDATE_SAVING },
		{ HOTUPDATE_RUNNING, HOTUPDATE_NONE },
		{ HOTUPDATE_SAVING, HOTUPDATE_SAVED },
		{ HOTUPDATE_SAVING, HOTUPDATE_RUNNING },
		{ HOTUPDATE_SAVED, HOTUPDATE_RUNNING },
		{ HOTUPDATE_SAVED, HOTUPDATE_DETACHED },
		{ HOTUPDATE_SAVED, HOTUPDATE_STALE },
		{ HOTUPDATE_DETACHED, HOTUPDATE_RESTORING },
		{ HOTUPDATE_DETACHED, HOTUPDATE_UNCLAIMED },
		{ HOTUPDATE_DETACHED, HOTUPDATE_STALE },
		{ HOTUPDATE_DETACHED, HOTUPDATE_NONE },
		{ HOTUPDATE_RESTORING, HOTUPDATE_RESTORED },
		{ HOTUPDATE_RESTORING, HOTUPDATE_DETACHED },
		{ HOTUPDATE_RESTORED, HOTUPDATE_RUNNING },
		{ HOTUPDATE_RESTORED, HOTUPDATE_DETACHED },
		{ HOTUPDATE_RESTORED, HOTUPDATE_STALE },
		{ HOTUPDATE_UNCLAIMED, HOTUPDATE_RESTORING },
		{ HOTUPDATE_UNCLAIMED, HOTUPDATE_STALE },
		{ HOTUPDATE_STALE, HOTUPDATE_NONE },
	};
	enum hotupdate_state from, to;
	unsigned int i;

	for (from = HOTUPDATE_NONE; from <= HOTUPDATE_STALE; from++)
		for (to = HOTUPDATE_NONE; to <= HOTUPDATE_STALE; to++) {
			for (i = 0; i < ARRAY_SIZE(moves); i++)
				if (moves[i][0] == from && moves[i][1] == to)
					break;
			KUNIT_EXPECT_EQ_MSG(test, hotupdate_state_can_move(from, to),
					    i < ARRAY_SIZE(moves), "%s to %s",
					    hotupdate_state_name(from),
					    hotupdate_state_name(to));
		}
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE_PARAM(operation_within_callback, callback_steps_gen_params),
	KUNIT_CASE_PARAM(operation_between_callbacks, steps_gen_params),
	KUNIT_CASE(save_for_another_adapter),
	KUNIT_CASE(is_saved_in_each_state),
	KUNIT_CASE(moves_between_states),
	KUNIT_CASE(stash_without_driver),
	KUNIT_CASE(register_after_discard),
	{ }
};

static struct kunit_suite state_suite = {
	.name = "drm_hotupdate_state",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = state_cases,
};

kunit_test_suites(&state_suite);
