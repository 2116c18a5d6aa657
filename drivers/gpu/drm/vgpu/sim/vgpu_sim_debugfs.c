// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim debugfs
 *
 * /sys/kernel/debug/vgpu_sim/<device>/ says what a device has counted, one
 * value a file, for tests to compare. A driver that updates well leaves
 * lmtt_changed, translation_faults, resets_while_running, requests_lost,
 * bad_writes and bad_answers at zero. The file "functions" is a table of the
 * functions in use, for people to read; its columns may change.
 *
 * Neither addresses of the host nor what guests have in memory or mail to
 * the PF's driver can be read here.
 *
 * Locking: counters are atomic, a line of the table is read under the lock of
 * its function.
 */

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "vgpu_sim.h"

static struct dentry *root;

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
#define COUNTER(member) \
	{ __stringify(member), offsetof(struct vgpu_sim, count.member) }
	COUNTER(lmtt_changed),
	COUNTER(translation_faults),
	COUNTER(out_of_range),
	COUNTER(bad_commands),
	COUNTER(bad_doorbells),
	COUNTER(bad_rings),
	COUNTER(bad_writes),
	COUNTER(bad_answers),
	COUNTER(requests_lost),
	COUNTER(resets_while_running),
	COUNTER(device_resets),
	COUNTER(silences),
	COUNTER(mailbox_requests),
	COUNTER(mailbox_answers),
	COUNTER(interrupts),
#undef COUNTER
};

static int counter_get(void *data, u64 *value)
{
	*value = atomic64_read(data);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(counter_fops, counter_get, NULL, "%llu\n");

/* The registers of a function that the table shows. */
struct line {
	bool enabled, attached, busy;
	u64 mem_size, timeslice_us, priority, head, tail;
	u64 engine_ns, turns, resets, sent, answered;
	u32 fault;
};

static void read_line(struct vgpu_sim_fn *fn, struct line *line)
{
	spin_lock_irq(&fn->lock);
	*line = (struct line){
		.enabled = fn->enabled,
		.attached = fn->attached,
		.busy = vgpu_sim_fn_runnable(fn),
		.mem_size = fn->mem_size,
		.timeslice_us = fn->timeslice_us,
		.priority = fn->priority,
		.head = fn->ring.head,
		.tail = fn->ring.tail,
		.engine_ns = fn->engine_ns,
		.turns = fn->turns,
		.resets = fn->resets,
		.fault = fn->fault,
	};
	spin_unlock_irq(&fn->lock);
	vgpu_sim_mbox_ids(fn, &line->sent, &line->answered);
}

static void show_line(struct seq_file *m, unsigned int number,
		      const struct line *line)
{
	seq_printf(m, "%2u %c%c%c %5u %10llu %8llu %4llu %12llu %12llu %10llu %10llu %6llu %8llu %8llu\n",
		   number, line->enabled ? 'E' : '-', line->attached ? 'A' : '-',
		   line->busy ? 'B' : '-', line->fault, line->mem_size >> 10,
		   line->timeslice_us, line->priority, line->head, line->tail,
		   div_u64(line->engine_ns, NSEC_PER_USEC), line->turns,
		   line->resets, line->sent, line->answered);
}

static int functions_show(struct seq_file *m, void *unused)
{
	struct vgpu_sim *sim = m->private;
	struct line line;
	unsigned int i;

	seq_puts(m, "fn     fault    mem_kib slice_us prio         head         tail  engine_us      turns resets     sent answered\n");
	for (i = 0; i <= sim->total_vfs; i++) {
		read_line(&sim->fns[i], &line);
		if (line.enabled || line.attached || line.resets || line.sent)
			show_line(m, i, &line);
	}
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(functions);

/**
 * vgpu_sim_debugfs_add() - show a device
 * @sim: the device
 */
void vgpu_sim_debugfs_add(struct vgpu_sim *sim)
{
	char name[16];
	unsigned int i;

	snprintf(name, sizeof(name), VGPU_HW_NAME ".%u", sim->index);
	sim->debugfs = debugfs_create_dir(name, root);
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		debugfs_create_file_unsafe(counters[i].name, 0400, sim->debugfs,
					   (void *)sim + counters[i].offset,
					   &counter_fops);
	debugfs_create_file("functions", 0400, sim->debugfs, sim,
			    &functions_fops);
}

/**
 * vgpu_sim_debugfs_remove() - show a device no more
 * @sim: the device
 */
void vgpu_sim_debugfs_remove(struct vgpu_sim *sim)
{
	debugfs_remove_recursive(sim->debugfs);
}

/**
 * vgpu_sim_debugfs_init() - make the directory that devices are shown in
 */
void vgpu_sim_debugfs_init(void)
{
	root = debugfs_create_dir("vgpu_sim", NULL);
}

/**
 * vgpu_sim_debugfs_exit() - undo vgpu_sim_debugfs_init()
 */
void vgpu_sim_debugfs_exit(void)
{
	debugfs_remove_recursive(root);
}
