// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim engine
 *
 * One thread plays the engine of a device. It sleeps while no ring has
 * commands, takes turns with vgpu_sim_sched_next() otherwise, and spends a
 * turn on steps of one function's commands until its time slice is over or its
 * ring is empty. A command that is not done by then goes on in the next turn.
 *
 * Happy path of a command: read it from the ring through the function's LMTT,
 * check it, do its steps, count the head on; a fence sets the fence register
 * and interrupts.
 *
 * Unhappy path: any fault stops the ring where it is.
 *
 * The thread also delivers what is due of interrupts to the PF's driver, see
 * vgpu_sim_irq.c.
 *
 * Locking: &vgpu_sim_fn.exec_lock for each step. A function is marked runnable
 * and unmarked under its &vgpu_sim_fn.lock, so that no doorbell is missed.
 */

#include <kunit/visibility.h>
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include "vgpu_sim.h"

/* Reads the command at the head; @addr is where it is. */
static u32 fetch(struct vgpu_sim_fn *fn, struct vgpu_cmd *cmd, u64 *addr)
{
	struct vgpu_sim_target target;
	u32 fault;

	/*
	 * A command never crosses a page: the ring starts at one, and a page
	 * is a whole number of them.
	 */
	BUILD_BUG_ON(VGPU_PAGE_SIZE % sizeof(*cmd));

	*addr = vgpu_sim_ring_slot(&fn->ring, fn->ring.head);
	fault = vgpu_sim_translate(fn, *addr, &target);
	if (fault)
		return fault;
	memcpy(cmd, target.ptr, sizeof(*cmd));
	vgpu_sim_target_put(&target);
	return VGPU_FAULT_NONE;
}

static u32 begin(struct vgpu_sim_fn *fn, u64 *addr)
{
	struct vgpu_cmd cmd;
	u32 fault;

	fault = fetch(fn, &cmd, addr);
	if (fault)
		return fault;
	fault = vgpu_sim_cmd_check(&cmd, fn->mem_size, addr);
	if (fault == VGPU_FAULT_OUT_OF_RANGE)
		atomic64_inc(&fn->sim->count.out_of_range);
	if (!fault)
		vgpu_sim_cmd_begin(&fn->exec, &cmd);
	return fault;
}

/* The function whose turn it is pays for the time until now. */
static void charge(struct vgpu_sim_fn *fn)
{
	struct vgpu_sim_engine *engine = &fn->sim->engine;
	u64 now = ktime_get_ns();

	lockdep_assert_held(&fn->lock);

	fn->engine_ns += now - engine->charged;
	engine->charged = now;
}

static void complete_command(struct vgpu_sim_fn *fn)
{
	const bool fence = fn->exec.cmd.op == VGPU_CMD_FENCE;

	spin_lock_irq(&fn->lock);
	if (fence) {
		/* Who sees the fence is to see what it took. */
		charge(fn);
		fn->fence = fn->exec.cmd.value;
	}
	fn->ring.head++;
	spin_unlock_irq(&fn->lock);

	if (!fence)
		return;
	vgpu_sim_fn_interrupt(fn, VGPU_VF_IRQ_FENCE);
	if (!fn->number)
		vgpu_sim_irq_raise(fn->sim, VGPU_IRQ_PF_FENCE);
}

static bool runnable(struct vgpu_sim_fn *fn)
{
	bool ret;

	spin_lock_irq(&fn->lock);
	ret = vgpu_sim_fn_runnable(fn);
	spin_unlock_irq(&fn->lock);
	return ret;
}

/* One step of a function; returns false if there was nothing to do. */
static bool step(struct vgpu_sim_fn *fn)
{
	u32 fault = VGPU_FAULT_NONE;
	u64 addr = 0;
	bool work;

	mutex_lock(&fn->exec_lock);
	work = runnable(fn);
	if (work && !fn->exec.busy)
		fault = begin(fn, &addr);
	if (work && !fault)
		fault = vgpu_sim_cmd_step(fn, &addr);
	if (fault)
		vgpu_sim_fn_fault(fn, fault, addr);
	else if (work && !fn->exec.busy)
		complete_command(fn);
	mutex_unlock(&fn->exec_lock);
	return work;
}

static void end_turn(struct vgpu_sim_fn *fn)
{
	spin_lock_irq(&fn->lock);
	charge(fn);
	fn->turns++;
	if (!vgpu_sim_fn_runnable(fn))
		clear_bit(fn->number, fn->sim->engine.runnable);
	spin_unlock_irq(&fn->lock);
}

/**
 * vgpu_sim_engine_turn() - let the engine serve one function for one turn
 * @sim: the device
 *
 * Context: the engine's thread, or a test that plays it.
 * Return: number of the function, or a negative number if nobody had a command.
 */
int vgpu_sim_engine_turn(struct vgpu_sim *sim)
{
	struct vgpu_sim_engine *engine = &sim->engine;
	u64 start, now, slice;
	struct vgpu_sim_fn *fn;
	int number;

	vgpu_sim_irq_deliver(sim);
	number = vgpu_sim_sched_next(&engine->sched, engine->runnable);
	if (number < 0)
		return number;

	fn = &sim->fns[number];
	slice = READ_ONCE(fn->timeslice_us) * NSEC_PER_USEC;
	start = ktime_get_ns();
	engine->charged = start;
	do {
		if (!step(fn))
			break;
		vgpu_sim_irq_deliver(sim);
		cond_resched();
		now = ktime_get_ns();
	} while (now - start < slice);

	end_turn(fn);
	return number;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_engine_turn);

static bool due(struct vgpu_sim *sim)
{
	return !bitmap_empty(sim->engine.runnable, VGPU_SIM_MAX_FNS) ||
	       vgpu_sim_irq_signalled(sim) || kthread_should_stop();
}

static int engine_thread(void *data)
{
	struct vgpu_sim *sim = data;

	set_freezable();
	while (!kthread_should_stop()) {
		wait_event_freezable(sim->engine.wait, due(sim));
		vgpu_sim_engine_turn(sim);
		try_to_freeze();
	}
	return 0;
}

/**
 * vgpu_sim_engine_init() - make the engine of a device, at rest
 * @sim: the device
 */
void vgpu_sim_engine_init(struct vgpu_sim *sim)
{
	init_waitqueue_head(&sim->engine.wait);
	vgpu_sim_sched_init(&sim->engine.sched, sim->total_vfs + 1);
}

/**
 * vgpu_sim_engine_start() - start the engine's thread
 * @sim: the device
 *
 * Return: 0, or the errno of kthread_run().
 */
int vgpu_sim_engine_start(struct vgpu_sim *sim)
{
	struct task_struct *task;

	task = kthread_run(engine_thread, sim, "vgpu_sim/%u", sim->index);
	if (IS_ERR(task))
		return PTR_ERR(task);
	sim->engine.task = task;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_engine_start);

/**
 * vgpu_sim_engine_stop() - stop the engine's thread
 * @sim: the device
 */
void vgpu_sim_engine_stop(struct vgpu_sim *sim)
{
	kthread_stop(sim->engine.task);
	sim->engine.task = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_engine_stop);

/**
 * vgpu_sim_engine_kick() - there is something to do
 * @sim: the device
 *
 * Context: any.
 */
void vgpu_sim_engine_kick(struct vgpu_sim *sim)
{
	wake_up(&sim->engine.wait);
}
