// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the scheduling of the simulated vgpu device: by turns, not by
 * time.
 */

#include "vgpu_sim_helpers.h"

static struct vgpu_sim_sched *new_sched(struct kunit *test, unsigned int nr)
{
	struct vgpu_sim_sched *sched;

	sched = kunit_kzalloc(test, sizeof(*sched), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sched);
	vgpu_sim_sched_init(sched, nr);
	return sched;
}

/* Expects turns in an order that is written as letters, function 0 as 'a'. */
static void expect_turns(struct kunit *test, struct vgpu_sim_sched *sched,
			 const unsigned long *runnable, const char *turns)
{
	unsigned int i;

	for (i = 0; turns[i]; i++)
		KUNIT_EXPECT_EQ_MSG(test, vgpu_sim_sched_next(sched, runnable),
				    turns[i] - 'a', "turn %u of %s", i, turns);
}

static void next_nobody(struct kunit *test)
{
	struct vgpu_sim_sched *sched = new_sched(test, 3);
	DECLARE_BITMAP(runnable, VGPU_SIM_MAX_FNS) = {};

	KUNIT_EXPECT_LT(test, vgpu_sim_sched_next(sched, runnable), 0);
	KUNIT_EXPECT_LT(test, vgpu_sim_sched_next(sched, runnable), 0);
}

/* Functions that the device does not have are not looked at. */
static void next_beyond_last(struct kunit *test)
{
	struct vgpu_sim_sched *sched = new_sched(test, 3);
	DECLARE_BITMAP(runnable, VGPU_SIM_MAX_FNS) = {};

	set_bit(3, runnable);
	KUNIT_EXPECT_LT(test, vgpu_sim_sched_next(sched, runnable), 0);
}

static void next_equals(struct kunit *test)
{
	struct vgpu_sim_sched *sched = new_sched(test, 3);
	DECLARE_BITMAP(runnable, VGPU_SIM_MAX_FNS) = {};

	bitmap_set(runnable, 0, 3);
	expect_turns(test, sched, runnable, "abcabcabcabc");
}

static void next_alone(struct kunit *test)
{
	struct vgpu_sim_sched *sched = new_sched(test, 3);
	DECLARE_BITMAP(runnable, VGPU_SIM_MAX_FNS) = {};

	set_bit(1, runnable);
	expect_turns(test, sched, runnable, "bbbbbbbb");
}

/* 1 turn a round at low, 2 at normal, 4 at high priority, in alternation. */
static void next_priorities(struct kunit *test)
{
	struct vgpu_sim_sched *sched = new_sched(test, 3);
	DECLARE_BITMAP(runnable, VGPU_SIM_MAX_FNS) = {};
	DECLARE_BITMAP(nobody, VGPU_SIM_MAX_FNS) = {};

	vgpu_sim_sched_set_priority(sched, 0, VGPU_PRIORITY_HIGH);
	vgpu_sim_sched_set_priority(sched, 2, VGPU_PRIORITY_LOW);
	vgpu_sim_sched_next(sched, nobody);	/* a round with these weights */
	bitmap_set(runnable, 0, 3);
	expect_turns(test, sched, runnable, "abcabaa");
	expect_turns(test, sched, runnable, "bcabaaa");
	expect_turns(test, sched, runnable, "bcabaaa");
}

/* A priority that changes counts from the next round on. */
static void next_priority_changes(struct kunit *test)
{
	struct vgpu_sim_sched *sched = new_sched(test, 2);
	DECLARE_BITMAP(runnable, VGPU_SIM_MAX_FNS) = {};

	bitmap_set(runnable, 0, 2);
	vgpu_sim_sched_set_priority(sched, 0, VGPU_PRIORITY_HIGH);
	expect_turns(test, sched, runnable, "abab");
	expect_turns(test, sched, runnable, "ababaa");
	expect_turns(test, sched, runnable, "babaaa");
}

/* Nobody starves: with all others at high priority there is a turn a round. */
static void next_low_among_high(struct kunit *test)
{
	const unsigned int nr = VGPU_SIM_MAX_FNS, round = 1 + 4 * (VGPU_SIM_MAX_FNS - 1);
	struct vgpu_sim_sched *sched = new_sched(test, nr);
	DECLARE_BITMAP(runnable, VGPU_SIM_MAX_FNS) = {};
	unsigned int i, waited = 0, longest = 0, turns = 0;

	for (i = 0; i < nr; i++)
		vgpu_sim_sched_set_priority(sched, i, VGPU_PRIORITY_HIGH);
	vgpu_sim_sched_set_priority(sched, 10, VGPU_PRIORITY_LOW);
	bitmap_fill(runnable, nr);
	for (i = 0; i < 10 * round; i++) {
		if (vgpu_sim_sched_next(sched, runnable) != 10) {
			waited++;
			continue;
		}
		turns++;
		longest = max(longest, waited);
		waited = 0;
	}
	KUNIT_EXPECT_GE(test, turns, 9);
	KUNIT_EXPECT_LE(test, turns, 12);
	KUNIT_EXPECT_LT(test, longest, 2 * round);
}

/* Who was idle gets a round's turns when it comes back, and not what it missed. */
static void next_after_idle(struct kunit *test)
{
	struct vgpu_sim_sched *sched = new_sched(test, 2);
	DECLARE_BITMAP(runnable, VGPU_SIM_MAX_FNS) = {};

	set_bit(0, runnable);
	expect_turns(test, sched, runnable, "aaaaaaaaaaaa");
	set_bit(1, runnable);
	expect_turns(test, sched, runnable, "bb");
	expect_turns(test, sched, runnable, "abababab");
}

/* A register write of the driver reaches the scheduler, and a reset too. */
static void priority_register(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 2);

	sim_fn_write(sim, 1, VGPU_FN_PRIORITY, VGPU_PRIORITY_HIGH);
	sim_fn_write(sim, 2, VGPU_FN_PRIORITY, VGPU_PRIORITY_LOW);
	KUNIT_EXPECT_EQ(test, sim->engine.sched.weight[0], 2);
	KUNIT_EXPECT_EQ(test, sim->engine.sched.weight[1], 4);
	KUNIT_EXPECT_EQ(test, sim->engine.sched.weight[2], 1);
	sim_fn_write(sim, 1, VGPU_FN_RESET, VGPU_RESET_MAGIC);
	KUNIT_EXPECT_EQ(test, sim->engine.sched.weight[1], 2);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_PRIORITY), VGPU_PRIORITY_NORMAL);
}

static struct kunit_case sched_kunit_cases[] = {
	KUNIT_CASE(next_nobody),
	KUNIT_CASE(next_beyond_last),
	KUNIT_CASE(next_equals),
	KUNIT_CASE(next_alone),
	KUNIT_CASE(next_priorities),
	KUNIT_CASE(next_priority_changes),
	KUNIT_CASE(next_low_among_high),
	KUNIT_CASE(next_after_idle),
	KUNIT_CASE(priority_register),
	{}
};

static struct kunit_suite vgpu_sim_sched_suite = {
	.name = "vgpu_sim_sched",
	.test_cases = sched_kunit_cases,
};

kunit_test_suite(vgpu_sim_sched_suite);
