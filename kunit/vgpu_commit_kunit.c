// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the time between the start of a restored driver and the commit. The
 * probe can still fail then, and the stash go to another driver: so nothing that the
 * stash describes changes, nothing is served, and what comes too early waits or is
 * refused.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/signal.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/vgpu_drm.h>

#include "../drivers/gpu/drm/hotupdate/drm_hotupdate_internal.h"
#include "kunit_files.h"
#include "vgpu_update_kunit.h"

#define PATIENCE	(20 * HZ)

/* Long enough for a thread to get to where it has to wait. */
#define WHILE_MS	100

static void expect_nothing_done(struct update *update)
{
	MOCK_EXPECT_NO_WRITES(update->hw);
	KUNIT_EXPECT_EQ(update->test, update->hw->irq_enable, 0);
	KUNIT_EXPECT_EQ(update->test, update->hw->num_answers, 0);
	KUNIT_EXPECT_EQ(update->test, update->gpu->num_events, 0);
	update_expect_guests_intact(update, VF_NONE);
}

/* The driver has gone without a trace, and the stash is whole. */
static void expect_not_begun(struct update *update)
{
	update_expect_stash_whole(update);
	KUNIT_EXPECT_NULL(update->test, update->hw->handler);
	expect_nothing_done(update);
}

/* As the core and the driver do in a removal. */
static void remove_driver(struct update *update, bool saved)
{
	struct drm_hotupdate_adapter *adapter = update->gpu->adapter;

	drm_dev_unplug(&mock_gpu_vgpu(update->gpu)->drm);
	adapter->ops->stop_device(adapter, saved);
}

/* Requests that waited are answered as soon as the next driver serves. */
static void expect_only_answers(struct update *update)
{
	unsigned int i;

	for (i = 0; i < update->hw->num_writes; i++)
		KUNIT_EXPECT_TRUE(update->test,
				  update->hw->writes[i].reg == VGPU_HW_MBOX_STATUS ||
				  update->hw->writes[i].reg == VGPU_HW_MBOX_VALUE ||
				  update->hw->writes[i].reg == VGPU_HW_MBOX_ANSWER);
}

static void expect_next_driver_works(struct update *update)
{
	KUNIT_ASSERT_EQ(update->test, mock_gpu_bind(update->gpu), 0);
	mock_gpu_expect_state(update->gpu, "running");
	mock_gpu_serve(update->gpu);
	expect_only_answers(update);
	KUNIT_EXPECT_EQ(update->test, update->gpu->num_events, 0);
	update_expect_guests_intact(update, VF_NONE);
	update_expect_known(update, VF_NONE);
}

/* Interrupts are disabled, and one that is late nevertheless changes nothing. */
static int interrupt_before_commit(struct update *update)
{
	mock_hw_send(update->hw, VF_VRAM, VGPU_MBOX_BALLOON, SZ_1M, 0);
	update->hw->irq_status |= VGPU_IRQ_PF_FENCE | VGPU_IRQ_FAULT;
	mock_hw_interrupt_late(update->hw);
	flush_work(&mock_gpu_vgpu(update->gpu)->irq_work);
	expect_nothing_done(update);
	return 0;
}

/* The request is answered after the commit, though its interrupt came before. */
static void interrupt(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);

	update_detach(update, 0);
	faults->after_start = interrupt_before_commit;
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	flush_work(&mock_gpu_vgpu(update->gpu)->irq_work);
	KUNIT_EXPECT_EQ(test, update->hw->irq_enable, MOCK_SERVING_IRQS);
	KUNIT_EXPECT_EQ(test, update->hw->num_answers, 1);
	mock_hw_expect_answer(update->hw, 0, VF_VRAM, 1, 0, SZ_1M);
	KUNIT_EXPECT_NULL(test, mock_gpu_vgpu(update->gpu)->replay);
}

static int leave_before_commit(struct update *update)
{
	mock_hw_send(update->hw, VF_SYSTEM, VGPU_MBOX_QUERY, VGPU_PROPERTY_PF_RELEASE, 0);
	expect_nothing_done(update);
	remove_driver(update, true);
	expect_nothing_done(update);
	return -EIO;
}

/* One driver after the other starts, and leaves before the commit. The last one stays. */
static void abort_after_start(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);
	unsigned int i;

	update_detach(update, 0);
	faults->after_start = leave_before_commit;
	for (i = 1; i <= 3; i++) {
		KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), -EIO);
		expect_not_begun(update);
	}
	faults->after_start = NULL;
	expect_next_driver_works(update);
	KUNIT_EXPECT_EQ(test, update->hw->num_answers, 3);
	for (i = 1; i <= 3; i++)
		mock_hw_expect_answer(update->hw, i - 1, VF_SYSTEM, i, 0, VGPU_RELEASE);
}

static void begin_to_fail(struct update *update)
{
	static unsigned int nth;

	/* Counts on from one attempt to the next, and from none when a case begins. */
	if (!update->spoiled)
		nth = 0;
	update->spoiled = ++nth;
	mock_fail_begin(nth);
}

static int end_of_failing(struct update *update)
{
	update->spoiled = mock_fail_end() ? update->spoiled : 0;
	return 0;
}

/* Whichever allocation fails in the start, the stash is whole. */
static void start_fail_nth(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);
	unsigned int num_failed = 0;
	int err;

	mock_fail_init(test);
	update_detach(update, 0);
	faults->at_start = begin_to_fail;
	faults->after_start = end_of_failing;
	do {
		err = mock_gpu_bind(update->gpu);
		mock_fail_end();
		if (err) {
			expect_not_begun(update);
			num_failed++;
		} else if (update->spoiled) {
			/* The kernel did without. */
			update_detach(update, 0);
		}
	} while (update->spoiled);
	KUNIT_EXPECT_GT(test, num_failed, 5);
	update_expect_guests_intact(update, VF_NONE);
	update_expect_known(update, VF_NONE);
}

/* A VF that the device runs otherwise than saved is to be reset, but not yet. */
static void defect_is_only_noted(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);
	u64 table;

	update_detach(update, 0);
	table = update->hw->fns[VF_SYSTEM].table;
	faults->after_start = leave_before_commit;
	update->hw->broken_reg = VGPU_FN(VF_SYSTEM, VGPU_FN_TABLE);
	update->hw->broken_value = table + SZ_4K;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), -EIO);
	expect_not_begun(update);

	/* So it was the driver's mistake, or that of a device that is well again. */
	update->hw->broken_value = table;
	faults->after_start = NULL;
	expect_next_driver_works(update);
}

static void detach_and_spoil_state(struct update *update)
{
	struct mock_stash *stash;

	update_detach(update, 0);
	stash = mock_stash_open(update->gpu);
	/* A bit of its time slice */
	mock_stash_find(stash, VGPU_BLOCK_VF_STATE, VF_SYSTEM)->data[56] ^= 0x10;
	mock_stash_close(stash, VGPU_RELEASE);
}

static int expect_not_lost_yet(struct update *update)
{
	expect_nothing_done(update);
	KUNIT_EXPECT_NULL(update->test, mock_gpu_vf(update->gpu, VF_SYSTEM)->lost);
	KUNIT_EXPECT_FALSE(update->test, mock_gpu_vf(update->gpu, VF_SYSTEM)->enabled);
	return 0;
}

/* A VF whose state is spoilt is lost, when the update is committed. */
static void lose_vf_after_commit(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);

	detach_and_spoil_state(update);
	faults->after_start = expect_not_lost_yet;
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	MOCK_EXPECT_WRITES(update->hw,
			   { VGPU_FN(VF_SYSTEM, VGPU_FN_RESET), VGPU_RESET_MAGIC });
	KUNIT_EXPECT_EQ(test, update->gpu->num_events, 1);
	KUNIT_EXPECT_STREQ(test, mock_gpu_vf(update->gpu, VF_SYSTEM)->lost,
			   "the checksum does not fit");
	mock_guest_expect_reset_then_freed(update->guests[VF_SYSTEM]);
	update_expect_guests_intact(update, VF_SYSTEM);
}

static int lose_device(struct update *update)
{
	expect_nothing_done(update);
	remove_driver(update, false);
	return -ENODEV;
}

/*
 * The device is lost before the commit. Each VF that it runs is stopped, also the one
 * that was not taken over, and the blocks stay in the stash.
 */
static void lost_device(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);
	unsigned int number;

	detach_and_spoil_state(update);
	update_count_blocks(update);
	faults->after_start = lose_device;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), -ENODEV);
	update_expect_stash_whole(update);
	KUNIT_EXPECT_NULL(test, update->hw->handler);
	KUNIT_EXPECT_EQ(test, update->hw->num_writes, VF_SHARE);
	for (number = VF_VRAM; number <= VF_SHARE; number++) {
		KUNIT_EXPECT_EQ(test, mock_hw_resets_of(update->hw, number), 1);
		mock_guest_expect_pages_owned(update->guests[number], true);
	}
}

/*
 * Another thread, which wants something of the driver before the commit.
 */
struct early {
	struct update *update;
	struct drm_minor *minor;
	int (*fn)(struct early *early);
	struct task_struct *task;
	struct completion done;
	struct file *file;
	int err;
};

static struct early early;

static int early_thread(void *data)
{
	allow_kernel_signal(SIGKILL);
	early.err = early.fn(&early);
	complete(&early.done);
	return 0;
}

static void early_begin(struct update *update, int (*fn)(struct early *early))
{
	struct task_struct *task;

	early = (struct early) {
		.update = update,
		.minor = mock_gpu_vgpu(update->gpu)->drm.render,
		.fn = fn,
	};
	init_completion(&early.done);
	task = kthread_create(early_thread, NULL, "vgpu_early");
	KUNIT_EXPECT_NOT_ERR_OR_NULL(update->test, task);
	if (IS_ERR(task)) {
		complete(&early.done);
		return;
	}
	early.task = get_task_struct(task);
	wake_up_process(task);
}

static int early_end(struct update *update)
{
	KUNIT_EXPECT_GT(update->test, wait_for_completion_timeout(&early.done, PATIENCE), 0);
	if (early.task) {
		kthread_stop(early.task);
		put_task_struct(early.task);
	}
	return early.err;
}

static int early_open(struct early *early)
{
	struct file *file = mock_drm_getfile(early->minor, O_RDWR);

	if (IS_ERR(file))
		return PTR_ERR(file);
	early->file = file;
	return 0;
}

static void expect_waits(struct update *update)
{
	msleep(WHILE_MS);
	KUNIT_EXPECT_FALSE(update->test, completion_done(&early.done));
}

static int open_before_commit(struct update *update)
{
	early_begin(update, early_open);
	expect_waits(update);
	return 0;
}

/* It is served after the commit. */
static void open_waits(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);

	update_detach(update, 0);
	faults->after_start = open_before_commit;
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	KUNIT_EXPECT_EQ(test, early_end(update), 0);
	KUNIT_ASSERT_NOT_NULL(test, early.file);
	__fput_sync(early.file);
	update_expect_guests_intact(update, VF_NONE);
}

static int open_and_leave(struct update *update)
{
	early_begin(update, early_open);
	expect_waits(update);
	remove_driver(update, true);
	KUNIT_EXPECT_EQ(update->test, early_end(update), -ENODEV);
	return -EIO;
}

/* The driver leaves: neither does it wait for the client, nor the client for ever. */
static void open_is_refused(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);

	update_detach(update, 0);
	faults->after_start = open_and_leave;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), -EIO);
	expect_not_begun(update);
	faults->after_start = NULL;
	expect_next_driver_works(update);
}

static int open_and_kill(struct update *update)
{
	early_begin(update, early_open);
	expect_waits(update);
	send_sig(SIGKILL, early.task, 1);
	KUNIT_EXPECT_EQ(update->test, early_end(update), -ERESTARTSYS);
	return 0;
}

/* The client does not want to wait any more. */
static void open_is_killed(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct update_faults *faults = update_faults_new(update);

	update_detach(update, 0);
	faults->after_start = open_and_kill;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), 0);
	update_expect_guests_intact(update, VF_NONE);
}

struct sysfs_write {
	const char *name;
	const char *file;
	const char *text;
	u32 release;
};

static const struct sysfs_write sysfs_writes[] = {
	{ "num_vfs", "num_vfs", "0", 1 },
	{ "reset", "vf1/reset", "1", 1 },
	{ "quota", "vf4/profile/mem_quota", "4096", 1 },
	{ "backing", "vf4/profile/backing", "vram", 1 },
	{ "quantum", "vf1/profile/exec_quantum_us", "5000", 1 },
	{ "priority", "vf1/profile/sched_priority", "low", 2 },
};

KUNIT_ARRAY_PARAM_DESC(sysfs_write, sysfs_writes, name);

static struct vfsmount *sysfs;

static int early_write(struct early *early)
{
	const struct sysfs_write *c = early->update->test->param_value;

	return user_file_write(sysfs, mock_gpu_path(early->update->gpu, c->file), c->text);
}

static int write_before_commit(struct update *update)
{
	early_begin(update, early_write);
	KUNIT_EXPECT_EQ(update->test, early_end(update), -EBUSY);
	expect_nothing_done(update);
	return 0;
}

/* It is refused, and does not wait: a removal would wait for it. */
static void sysfs_write(struct kunit *test)
{
	const struct sysfs_write *c = test->param_value;
	struct update_faults *faults;
	struct update *update;

	if (c->release > VGPU_RELEASE)
		kunit_skip(test, "priorities came with release 2");
	sysfs = user_mount_for(test, "sysfs");
	update = update_new_usual(test);
	faults = update_faults_new(update);
	update_detach(update, 0);
	faults->after_start = write_before_commit;
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	update_expect_known(update, VF_NONE);
	KUNIT_EXPECT_EQ(test, 0, user_file_write(sysfs, mock_gpu_path(update->gpu, c->file),
						 c->text));
}

/* What a restore needs is there for as long as one can come. */
static void replay_is_freed(struct kunit *test)
{
	struct update *update = update_new_usual(test);

	KUNIT_EXPECT_NULL(test, mock_gpu_vgpu(update->gpu)->replay);
	update_detach(update, 0);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	KUNIT_EXPECT_NULL(test, mock_gpu_vgpu(update->gpu)->replay);
}

static struct kunit_case commit_cases[] = {
	KUNIT_CASE(replay_is_freed),
	KUNIT_CASE(interrupt),
	KUNIT_CASE(abort_after_start),
	KUNIT_CASE(start_fail_nth),
	KUNIT_CASE(defect_is_only_noted),
	KUNIT_CASE(lose_vf_after_commit),
	KUNIT_CASE(lost_device),
	KUNIT_CASE(open_waits),
	KUNIT_CASE(open_is_refused),
	KUNIT_CASE(open_is_killed),
	KUNIT_CASE_PARAM(sysfs_write, sysfs_write_gen_params),
	{ }
};

static struct kunit_suite commit_suite = {
	.name = "vgpu_commit",
	.suite_exit = mock_suite_exit,
	.init = mock_init,
	.test_cases = commit_cases,
};

kunit_test_suite(commit_suite);
