// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the engine of the simulated vgpu device: turns, preemption,
 * the thread.
 */

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "vgpu_sim_helpers.h"

#define HUGE	((u64)SZ_1G)

KUNIT_DEFINE_ACTION_WRAPPER(stop_action, vgpu_sim_engine_stop, struct vgpu_sim *);

/*
 * A function of a gibibyte that a few pages of tables and one page of VRAM are
 * enough for: all of its tables are one, all of its pages are one.
 */
static void setup_huge(struct kunit *test, struct vgpu_sim *sim, unsigned int fn,
		       u64 vram_page)
{
	const u64 leaf = (vram_page + 1) * SZ_4K | VGPU_LMTT_VALID;
	u64 root = sim_fn_setup(test, sim, fn, 2, vram_page);
	__le64 *shared, *middle;
	unsigned int i;
	u64 table;

	table = sim_table(test);
	middle = sim_entry(root, 0, 1);
	for (i = 1; i < VGPU_LMTT_ENTRIES; i++)
		middle[i] = cpu_to_le64(table | VGPU_LMTT_VALID);
	shared = sim_entry(root, SZ_2M, 2);
	for (i = 0; i < VGPU_LMTT_ENTRIES; i++)
		shared[i] = cpu_to_le64(leaf);
	for (i = 1; i < VGPU_LMTT_ENTRIES; i++)
		sim_map(test, root, i * SZ_4K, leaf);

	sim_fn_write(sim, fn, VGPU_FN_MEM_SIZE, HUGE);
	sim_set_ring(test, sim, fn);
	sim_submit(test, sim, fn, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIM_DATA,
					  .size = HUGE - SIM_DATA, .value = 1));
	sim_fn_write(sim, fn, VGPU_FN_TIMESLICE_US, VGPU_TIMESLICE_US_MIN);
}

static void turn_nobody(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	KUNIT_EXPECT_LT(test, vgpu_sim_engine_turn(sim), 0);
	sim_fn_setup(test, sim, 1, 2, 0);
	KUNIT_EXPECT_LT(test, vgpu_sim_engine_turn(sim), 0);
}

/* A command that fills a gibibyte does not make others wait for its end. */
static void turn_long_command(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 2);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	u64 before;

	setup_huge(test, sim, 1, 0);
	sim_fn_setup(test, sim, 2, 2, 16);
	KUNIT_EXPECT_EQ(test, vgpu_sim_engine_turn(sim), 1);
	KUNIT_EXPECT_TRUE(test, fn->exec.busy);
	before = fn->exec.done;
	KUNIT_EXPECT_GT(test, before, 0);
	KUNIT_EXPECT_LT(test, before, HUGE / 2);

	sim_submit(test, sim, 2, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 1));
	KUNIT_EXPECT_EQ(test, vgpu_sim_engine_turn(sim), 2);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 2, VGPU_FN_FENCE), 1);
	KUNIT_EXPECT_EQ(test, fn->exec.done, before);

	/* It goes on where it was. */
	KUNIT_EXPECT_EQ(test, vgpu_sim_engine_turn(sim), 1);
	KUNIT_EXPECT_GT(test, fn->exec.done, before);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RING_HEAD), 0);
	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
}

/* Of two that never have enough, the turns are as the priorities. */
static void turn_priorities(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 2);
	unsigned int i;

	setup_huge(test, sim, 1, 0);
	setup_huge(test, sim, 2, 16);
	sim_fn_write(sim, 1, VGPU_FN_PRIORITY, VGPU_PRIORITY_HIGH);
	sim_fn_write(sim, 2, VGPU_FN_PRIORITY, VGPU_PRIORITY_LOW);
	for (i = 0; i < 4; i++)	/* the round that had begun */
		vgpu_sim_engine_turn(sim);
	sim->fns[1].turns = 0;
	sim->fns[2].turns = 0;
	for (i = 0; i < 50; i++)
		vgpu_sim_engine_turn(sim);
	KUNIT_EXPECT_EQ(test, sim->fns[1].turns, 40);
	KUNIT_EXPECT_EQ(test, sim->fns[2].turns, 10);
	KUNIT_EXPECT_GE(test, sim_fn_read(sim, 2, VGPU_FN_ENGINE_NS),
			10 * VGPU_TIMESLICE_US_MIN * NSEC_PER_USEC);
}

/* A turn lasts as long as the slice says, give or take a page. */
static void turn_timeslice(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	setup_huge(test, sim, 1, 0);
	sim_fn_write(sim, 1, VGPU_FN_TIMESLICE_US, 2000);
	vgpu_sim_engine_turn(sim);
	KUNIT_EXPECT_GE(test, sim_fn_read(sim, 1, VGPU_FN_ENGINE_NS), 2000 * NSEC_PER_USEC);
	KUNIT_EXPECT_EQ(test, sim->fns[1].turns, 1);
}

/* An invalidation in the midst of a command looks the rest up anew. */
static void turn_after_invalidation(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	u64 root, i, bad = 0;

	root = sim_fn_setup(test, sim, 1, 64, 0);
	sim_fn_write(sim, 1, VGPU_FN_TIMESLICE_US, VGPU_TIMESLICE_US_MIN);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIM_DATA,
					 .size = 63 * SZ_4K, .value = 1));
	vgpu_sim_engine_turn(sim);
	for (i = 1; i < 64; i++)
		sim_map(test, root, i * SZ_4K, (i + 100) * SZ_4K | VGPU_LMTT_VALID);
	sim_fn_write(sim, 1, VGPU_FN_INVALIDATE, 1);
	sim_run(test, sim);

	SIM_EXPECT_FAULT(test, sim, 1, VGPU_FAULT_NONE);
	SIM_EXPECT_COUNT(test, sim, lmtt_changed, 0);
	/* Each page was filled, in the old place or in the new one. */
	for (i = 1; i < 64; i++)
		bad += *(u64 *)(sim->hw.vram + i * SZ_4K) +
		       *(u64 *)(sim->hw.vram + (i + 100) * SZ_4K) != 1;
	KUNIT_EXPECT_EQ(test, bad, 0);
}

/* Off the run queue, or only on it until the scheduler comes across it. */
static bool thread_sleeps(struct vgpu_sim *sim)
{
	const struct task_struct *task = sim->engine.task;

	return !READ_ONCE(task->on_rq) || READ_ONCE(task->se.sched_delayed);
}

static bool wait_until_thread_sleeps(struct vgpu_sim *sim)
{
	unsigned int tries;

	for (tries = 0; !thread_sleeps(sim) && tries < 10000; tries++)
		usleep_range(100, 200);
	return thread_sleeps(sim);
}

/* A thread that has something to do does it, and a reset stops it in time. */
static void thread_reset_while_busy(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 2);
	u64 *word = sim->hw.vram + SZ_4K;
	unsigned int tries;

	setup_huge(test, sim, 1, 0);
	KUNIT_ASSERT_EQ(test, 0, vgpu_sim_engine_start(sim));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_action, sim));
	for (tries = 0; !READ_ONCE(*word) && tries < 10000; tries++)
		usleep_range(100, 200);
	KUNIT_ASSERT_EQ(test, READ_ONCE(*word), 1);

	sim_fn_write(sim, 1, VGPU_FN_RESET, VGPU_RESET_MAGIC);
	WRITE_ONCE(*word, 2);
	KUNIT_EXPECT_TRUE(test, wait_until_thread_sleeps(sim));
	KUNIT_EXPECT_EQ(test, READ_ONCE(*word), 2);
	SIM_EXPECT_COUNT(test, sim, resets_while_running, 1);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_STATUS), VGPU_FN_STATUS_ATTACHED);
}

/* No doorbell is missed by a thread that is about to sleep. */
static void thread_every_doorbell(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	unsigned long end;
	u64 i;

	sim_fn_setup(test, sim, 1, 2, 0);
	KUNIT_ASSERT_EQ(test, 0, vgpu_sim_engine_start(sim));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_action, sim));
	for (i = 1; i <= 2000; i++) {
		sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = i));
		/* Jiffies, which the host cannot take from the thread by a stall. */
		end = jiffies + 10 * HZ;
		while (sim_fn_read(sim, 1, VGPU_FN_FENCE) != i) {
			KUNIT_ASSERT_TRUE(test, time_before(jiffies, end));
			cond_resched();
		}
	}
}

/* With nothing to do, the thread sleeps: no turns, no time. */
static void thread_idle(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	u64 ns;

	sim_fn_setup(test, sim, 1, 2, 0);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 1));
	KUNIT_ASSERT_EQ(test, 0, vgpu_sim_engine_start(sim));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_action, sim));
	while (sim_fn_read(sim, 1, VGPU_FN_FENCE) != 1)
		usleep_range(100, 200);
	KUNIT_ASSERT_TRUE(test, wait_until_thread_sleeps(sim));
	ns = sim->engine.task->se.sum_exec_runtime;
	msleep(50);
	KUNIT_EXPECT_EQ(test, sim->engine.task->se.sum_exec_runtime, ns);
	KUNIT_EXPECT_EQ(test, sim->fns[1].turns, 1);
}

static struct kunit_case engine_kunit_cases[] = {
	KUNIT_CASE(turn_nobody),
	KUNIT_CASE(turn_long_command),
	KUNIT_CASE(turn_priorities),
	KUNIT_CASE(turn_timeslice),
	KUNIT_CASE(turn_after_invalidation),
	KUNIT_CASE(thread_reset_while_busy),
	KUNIT_CASE(thread_every_doorbell),
	KUNIT_CASE(thread_idle),
	{}
};

static struct kunit_suite vgpu_sim_engine_suite = {
	.name = "vgpu_sim_engine",
	.test_cases = engine_kunit_cases,
};

kunit_test_suite(vgpu_sim_engine_suite);
