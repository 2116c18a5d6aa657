// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of updates that fail: wherever that is, either the old driver goes
 * on, or the stash is whole and the next attempt works. Guests never notice.
 */

#include <kunit/test.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <drm/vgpu_drm.h>

#include "vgpu_update_kunit.h"

/* The old driver serves, and everything is its own. */
static void expect_running(struct update *update)
{
	struct mock_hw *hw = update->hw;
	unsigned int before = hw->num_answers;

	mock_gpu_expect_state(update->gpu, "running");
	KUNIT_EXPECT_EQ(update->test, hw->irq_enable, MOCK_SERVING_IRQS);
	mock_hw_send(hw, VF_SHARE, VGPU_MBOX_QUERY, VGPU_PROPERTY_MEM_SIZE, 0);
	mock_gpu_serve(update->gpu);
	KUNIT_EXPECT_EQ(update->test, hw->num_answers, before + 1);
	update_expect_guests_intact(update, VF_NONE);
	update_expect_known(update, VF_NONE);
	mock_hw_forget_writes(hw);
}

static void expect_update_works(struct update *update)
{
	update_detach(update, 0);
	KUNIT_ASSERT_EQ(update->test, mock_gpu_bind(update->gpu), 0);
	expect_running(update);
}

/*
 * The save fails before each of its blocks, and at last it does not.
 *
 * Clauses: U3
 */
static void save_fails_at_each_block(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);

	for (faults->save = 0; faults->save < 11; faults->save++) {
		KUNIT_EXPECT_EQ_MSG(test, -EIO,
				    drm_hotupdate_prepare(update->gpu->adapter, 0),
				    "block %d", faults->save);
		MOCK_EXPECT_NO_WRITES(update->hw);
		expect_running(update);
	}
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(update->gpu->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(update->gpu->adapter), 0);
	expect_update_works(update);
}

/*
 * A save in a version that there is not.
 *
 * Clauses: U6
 */
static void save_version_unknown(struct kunit *test)
{
	struct update *update = update_new_usual(test);

	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(update->gpu->adapter, VGPU_RELEASE + 1),
			-EPROTONOSUPPORT);
	expect_running(update);
}

/*
 * Whichever allocation fails, the driver runs on.
 *
 * Clauses: U3
 */
static void save_fail_nth(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	unsigned int nth = 0, num_failed = 0;
	bool has_failed;
	int err;

	mock_fail_init(test);
	do {
		mock_fail_begin(++nth);
		err = drm_hotupdate_prepare(update->gpu->adapter, 0);
		has_failed = mock_fail_end();
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_TRUE(test, has_failed);
			num_failed++;
		} else {
			KUNIT_EXPECT_EQ(test, 0,
					drm_hotupdate_cancel(update->gpu->adapter));
		}
		expect_running(update);
	} while (has_failed);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, num_failed, 20);
	expect_update_works(update);
}

/* Nothing was taken over, nothing was written, and nobody has noticed. */
static void expect_not_begun(struct update *update)
{
	update_expect_stash_whole(update);
	MOCK_EXPECT_NO_WRITES(update->hw);
	KUNIT_EXPECT_NULL(update->test, update->hw->handler);
	KUNIT_EXPECT_EQ(update->test, update->hw->irq_enable, 0);
	update_expect_guests_intact(update, VF_NONE);
}

static void expect_next_attempt_works(struct update *update)
{
	KUNIT_ASSERT_EQ(update->test, mock_gpu_bind(update->gpu), 0);
	MOCK_EXPECT_NO_WRITES(update->hw);
	KUNIT_EXPECT_EQ(update->test, mock_hw_resets_of(update->hw, VF_SYSTEM), 0);
	expect_running(update);
	expect_update_works(update);
}

/*
 * Each of the blocks is refused in its turn, from the first to the last.
 *
 * Clauses: W14, U4, U10
 */
static void restore_fails_at_each_block(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);

	update_detach(update, 0);
	for (faults->restore = 0; faults->restore < update->num_blocks; faults->restore++) {
		faults->num_restores = 0;
		KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), -EIO);
		KUNIT_EXPECT_EQ(test, faults->num_restores, faults->restore + 1);
		expect_not_begun(update);
	}
	faults->restore = -1;
	expect_next_attempt_works(update);
}

/*
 * All is restored, and the device cannot be started.
 *
 * Clauses: U4, U10
 */
static void start_fails(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);
	unsigned int i;

	update_detach(update, 0);
	faults->start = true;
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), -EIO);
		expect_not_begun(update);
	}
	faults->start = false;
	expect_next_attempt_works(update);
}

/* Somebody else has the interrupt. */
static void other_handler(void *data)
{
}

static void start_fails_for_interrupt(struct kunit *test)
{
	struct update *update = update_new_usual(test);

	update_detach(update, 0);
	update->hw->handler = other_handler;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), -EBUSY);
	KUNIT_EXPECT_TRUE(test, update->hw->handler == other_handler);
	update->hw->handler = NULL;
	expect_not_begun(update);
	expect_next_attempt_works(update);
}

/* The new driver gives up before it has asked for anything. */
static void probe_fails(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);

	update_detach(update, 0);
	faults->probe = true;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), -EIO);
	KUNIT_EXPECT_EQ(test, faults->num_restores, 0);
	expect_not_begun(update);
	faults->probe = false;
	expect_next_attempt_works(update);
}

/* A start without a stash that fails leaves nothing, and a later one works. */
static void first_start_fails(struct kunit *test)
{
	struct update *update = update_new(test, MOCK_VFS, UPDATE_VRAM);
	struct update_faults *faults = update_faults_new(update);

	mock_gpu_unbind(update->gpu);
	mock_hw_forget_writes(update->hw);
	faults->start = true;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), -EIO);
	MOCK_EXPECT_NO_WRITES(update->hw);
	KUNIT_EXPECT_NULL(test, update->hw->handler);
	faults->start = false;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), 0);
	mock_gpu_expect_state(update->gpu, "running");
	MOCK_EXPECT_WRITES(update->hw, { VGPU_HW_RESET, VGPU_RESET_MAGIC });
}

struct hw_case {
	const char *name;
	unsigned int total_vfs;
	u64 vram_size;
};

static const struct hw_case hw_cases[] = {
	{ "fewer_vfs", MOCK_VFS - 1, UPDATE_VRAM },
	{ "more_vfs", MOCK_VFS + 1, UPDATE_VRAM },
	{ "less_vram", MOCK_VFS, UPDATE_VRAM - SZ_4K },
	{ "more_vram", MOCK_VFS, UPDATE_VRAM + SZ_4K },
};

KUNIT_ARRAY_PARAM_DESC(hw, hw_cases, name);

/* The device is not the one that the state is of. */
static void other_device(struct kunit *test)
{
	const struct hw_case *c = test->param_value;
	struct update *update = update_new_usual(test);

	update_detach(update, 0);
	update->hw->total_vfs = c->total_vfs;
	update->hw->hw.vram_size = c->vram_size;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), -ENODEV);
	update->hw->total_vfs = MOCK_VFS;
	update->hw->hw.vram_size = UPDATE_VRAM;
	expect_not_begun(update);
	expect_next_attempt_works(update);
}

/*
 * A state of a version that this release does not read: none of it is looked at.
 *
 * Clauses: U4, U6
 */
static void version_not_readable(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);

	update_detach(update, 1);
	mock_stash_close(mock_stash_open(update->gpu), VGPU_RELEASE + 1);
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), -EPROTONOSUPPORT);
	KUNIT_EXPECT_EQ(test, faults->num_restores, 0);
	expect_not_begun(update);

	mock_stash_close(mock_stash_open(update->gpu), 1);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	expect_running(update);
}

/*
 * From the first block to the start, whichever allocation fails.
 *
 * Clauses: U4
 */
static void restore_fail_nth(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);
	unsigned int nth = 0, num_failed = 0;
	int err;

	mock_fail_init(test);
	update_detach(update, 0);
	for (;;) {
		faults->fail_nth = ++nth;
		err = mock_gpu_bind(update->gpu);
		mock_fail_end();
		if (!err && !faults->has_failed)
			break;
		if (err) {
			KUNIT_ASSERT_EQ(test, err, -ENOMEM);
			expect_not_begun(update);
			num_failed++;
			continue;
		}
		/* The kernel did without. Nobody was lost, and on it goes. */
		expect_running(update);
		update_detach(update, 0);
	}
	/* The next one may have an allocation more, which is not to fail. */
	faults->fail_nth = 0;
	expect_running(update);
	KUNIT_EXPECT_GT(test, num_failed, 10);
	expect_update_works(update);
}

static struct kunit_case fail_cases[] = {
	KUNIT_CASE(save_version_unknown),
	KUNIT_CASE(save_fails_at_each_block),
	KUNIT_CASE(save_fail_nth),
	KUNIT_CASE(version_not_readable),
	KUNIT_CASE(probe_fails),
	KUNIT_CASE_PARAM(other_device, hw_gen_params),
	KUNIT_CASE(restore_fails_at_each_block),
	KUNIT_CASE(restore_fail_nth),
	KUNIT_CASE(start_fails),
	KUNIT_CASE(start_fails_for_interrupt),
	KUNIT_CASE(first_start_fails),
	{ }
};

static struct kunit_suite fail_suite = {
	.name = "vgpu_replay_fail",
	.suite_exit = mock_suite_exit,
	.init = mock_init,
	.test_cases = fail_cases,
};

kunit_test_suite(fail_suite);
