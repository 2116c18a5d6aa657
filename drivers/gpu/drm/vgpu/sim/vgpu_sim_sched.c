// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim scheduling
 *
 * The engine goes round robin over the functions that have commands, and
 * serves each for at most its time slice a turn. Time goes by rounds: in one, a
 * function has 1 turn at low priority, 2 at normal, 4 at high, and while others
 * have turns left as well they alternate. A round ends when nobody with
 * commands has a turn left. Hence:
 *
 * - nobody starves: each function has at least one turn in every round, and a
 *   round is as long as the turns of all in it;
 * - two busy functions of equal slices share the engine by 1:2:4;
 * - a function that was idle has its turns when it comes back, but no more
 *   than those of one round.
 *
 * This is a plain object that knows neither time nor the device.
 *
 * Locking: none, it belongs to the engine's thread. Weights can be changed at
 * any time and count from the next round on.
 */

#include <kunit/visibility.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/minmax.h>

#include "vgpu_sim.h"

/**
 * vgpu_sim_sched_init() - a first round, at normal priority
 * @sched: the scheduler
 * @nr: number of functions
 */
void vgpu_sim_sched_init(struct vgpu_sim_sched *sched, unsigned int nr)
{
	unsigned int i;

	sched->nr = nr;
	sched->last = nr - 1;
	for (i = 0; i < nr; i++) {
		vgpu_sim_sched_set_priority(sched, i, VGPU_PRIORITY_NORMAL);
		sched->credit[i] = sched->weight[i];
	}
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_sched_init);

/**
 * vgpu_sim_sched_set_priority() - set the weight of a function
 * @sched: the scheduler
 * @fn: number of the function
 * @priority: VGPU_PRIORITY_*
 */
void vgpu_sim_sched_set_priority(struct vgpu_sim_sched *sched, unsigned int fn,
				 u64 priority)
{
	WRITE_ONCE(sched->weight[fn], 1 << min_t(u64, priority, VGPU_PRIORITY_HIGH));
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_sched_set_priority);

/* The next one after the last that has a turn left, or a negative number. */
static int find_next(const struct vgpu_sim_sched *sched,
		     const unsigned long *runnable)
{
	unsigned int i, fn;

	for (i = 1; i <= sched->nr; i++) {
		fn = (sched->last + i) % sched->nr;
		if (test_bit(fn, runnable) && sched->credit[fn])
			return fn;
	}
	return -1;
}

static void new_round(struct vgpu_sim_sched *sched)
{
	unsigned int i;

	for (i = 0; i < sched->nr; i++)
		sched->credit[i] = READ_ONCE(sched->weight[i]);
}

/**
 * vgpu_sim_sched_next() - give somebody a turn
 * @sched: the scheduler
 * @runnable: functions with commands
 *
 * Return: number of the function, or a negative number if nobody has any.
 */
int vgpu_sim_sched_next(struct vgpu_sim_sched *sched,
			const unsigned long *runnable)
{
	int fn = find_next(sched, runnable);

	if (fn < 0) {
		new_round(sched);
		fn = find_next(sched, runnable);
	}
	if (fn < 0)
		return fn;

	sched->credit[fn]--;
	sched->last = fn;
	return fn;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_sched_next);
