// SPDX-License-Identifier: GPL-2.0-only

#include <linux/cleanup.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_mm.h>
#include <drm/drm_print.h>

#include "vgpu_drv.h"
#include "vgpu_debugfs.h"

/**
 * DOC: debugfs
 *
 * In the directory of the DRM device: "vfs", what each VF has; "vram", who has
 * which parts of it; "pf", how far the ring of the clients is. For people to
 * read, the format may change.
 */

static struct vgpu_device *vgpu_of(struct seq_file *seq)
{
	struct drm_debugfs_entry *entry = seq->private;

	return to_vgpu(entry->dev);
}

static void show_vf(struct seq_file *seq, struct vgpu_vf *vf)
{
	const char *backing = vf->memory.backing == VGPU_BACKING_VRAM ? "vram" : "system";

	if (!vf->enabled && !vf->lost)
		return;
	seq_printf(seq, "%-4u %-8s %-7s %12llu %8zu %8u %8u\n", vf->number,
		   vf->lost ? "lost" : "enabled", backing, vf->memory.size,
		   list_count_nodes(&vf->memory.chunks), vf->enabled ? vf->lmtt.num_pages : 0,
		   vf->timeslice_us);
}

static int vfs_show(struct seq_file *seq, void *data)
{
	struct vgpu_device *vgpu = vgpu_of(seq);
	unsigned int number;

	guard(mutex)(&vgpu->sriov_lock);

	seq_printf(seq, "%-4s %-8s %-7s %12s %8s %8s %8s\n", "vf", "state", "backing",
		   "bytes", "chunks", "tables", "slice us");
	for (number = 1; number <= vgpu->total_vfs; number++)
		show_vf(seq, vgpu_vf(vgpu, number));
	return 0;
}

static int vram_show(struct seq_file *seq, void *data)
{
	struct vgpu_vram *vram = &vgpu_of(seq)->vram;
	struct drm_printer p = drm_seq_file_printer(seq);

	guard(mutex)(&vram->lock);

	drm_mm_print(&vram->mm, &p);
	return 0;
}

static int pf_show(struct seq_file *seq, void *data)
{
	struct vgpu_pf *pf = &vgpu_of(seq)->pf;
	struct drm_printer p = drm_seq_file_printer(seq);
	struct vgpu_ring *ring = &pf->ring;
	size_t running;
	u64 tail, emitted;

	spin_lock_irq(&ring->lock);
	tail = ring->tail;
	emitted = ring->emitted;
	running = list_count_nodes(&ring->running);
	spin_unlock_irq(&ring->lock);

	scoped_guard(mutex, &pf->hw_lock)
		seq_printf(seq, "state: %s\n",
			   pf->stopped ? "stopped" : pf->started ? "started" : "at rest");
	seq_printf(seq, "commands: %llu\n", tail);
	seq_printf(seq, "jobs: %llu, %zu in the ring, %d in all that are not over\n", emitted,
		   running, atomic_read(&pf->num_jobs));
	seq_puts(seq, "addresses:\n");
	scoped_guard(mutex, &pf->space_lock)
		drm_mm_print(&pf->space, &p);
	return 0;
}

static const struct drm_debugfs_info files[] = {
	{ "vfs", vfs_show },
	{ "vram", vram_show },
	{ "pf", pf_show },
};

/**
 * vgpu_debugfs_add - make the files
 * @vgpu: device that is not yet registered
 *
 * They go with the DRM device's directory.
 */
void vgpu_debugfs_add(struct vgpu_device *vgpu)
{
	drm_debugfs_add_files(&vgpu->drm, files, ARRAY_SIZE(files));
}
