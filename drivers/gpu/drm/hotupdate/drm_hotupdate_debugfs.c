// SPDX-License-Identifier: GPL-2.0-only

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: debugfs
 *
 * /sys/kernel/debug/drm_hotupdate/<adapter>/blocks lists the blocks of the
 * stash, one a line: what they are, and how large. Neither their content nor
 * their metadata nor their addresses can be read.
 *
 * The file shared beside it has the number of saved folios that had more references
 * than that of the stash when the last driver registered, or left, and the page numbers
 * of the first 16. A driver that leaks references is found this way.
 */

static struct dentry *debugfs_root;

static void *blocks_find(struct drm_hotupdate_adapter *adapter, loff_t *pos)
{
	unsigned long index = *pos ? *pos - 1 : 0;
	void *block;

	if (!*pos)
		return SEQ_START_TOKEN;

	block = xa_find(&adapter->stash.blocks, &index, ULONG_MAX, XA_PRESENT);
	*pos = index + 1;
	return block;
}

static void *blocks_start(struct seq_file *seq, loff_t *pos)
{
	struct drm_hotupdate_adapter *adapter = seq->private;

	mutex_lock(&adapter->status_lock);
	return blocks_find(adapter, pos);
}

static void *blocks_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return blocks_find(seq->private, pos);
}

static void blocks_stop(struct seq_file *seq, void *v)
{
	struct drm_hotupdate_adapter *adapter = seq->private;

	mutex_unlock(&adapter->status_lock);
}

static int blocks_show(struct seq_file *seq, void *v)
{
	const struct drm_hotupdate_block *block = v;

	if (v == SEQ_START_TOKEN)
		seq_printf(seq, "%-8s %-8s %12s %8s %8s\n",
			   "index", "kind", "bytes", "ranges", "meta");
	else
		seq_printf(seq, "%-8u %-8s %12zu %8u %8u\n", block->index,
			   hotupdate_kind_names[block->kind], block->size,
			   block->num_ranges, block->meta_size);
	return 0;
}

static const struct seq_operations blocks_sops = {
	.start = blocks_start,
	.next = blocks_next,
	.stop = blocks_stop,
	.show = blocks_show,
};

DEFINE_SEQ_ATTRIBUTE(blocks);

static int shared_show(struct seq_file *seq, void *v)
{
	struct drm_hotupdate_adapter *adapter = seq->private;
	struct hotupdate_shared shared;
	unsigned int i;

	scoped_guard(mutex, &adapter->status_lock)
		shared = adapter->shared;

	seq_printf(seq, "folios %lu\n", shared.num_folios);
	for (i = 0; i < ARRAY_SIZE(shared.pfns) && i < shared.num_folios; i++)
		seq_printf(seq, "page %#lx\n", shared.pfns[i]);
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(shared);

/**
 * hotupdate_debugfs_add - make an adapter's files
 * @adapter: adapter
 */
void hotupdate_debugfs_add(struct drm_hotupdate_adapter *adapter)
{
	adapter->debugfs = debugfs_create_dir(dev_name(&adapter->dev), debugfs_root);
	debugfs_create_file("blocks", 0400, adapter->debugfs, adapter, &blocks_fops);
	debugfs_create_file("shared", 0400, adapter->debugfs, adapter, &shared_fops);
}

/**
 * hotupdate_debugfs_remove - undo hotupdate_debugfs_add()
 * @adapter: adapter
 */
void hotupdate_debugfs_remove(struct drm_hotupdate_adapter *adapter)
{
	debugfs_remove(adapter->debugfs);
}

/**
 * hotupdate_debugfs_init - make the directory of all adapters
 */
void hotupdate_debugfs_init(void)
{
	debugfs_root = debugfs_create_dir("drm_hotupdate", NULL);
}

/**
 * hotupdate_debugfs_exit - undo hotupdate_debugfs_init()
 */
void hotupdate_debugfs_exit(void)
{
	debugfs_remove(debugfs_root);
}
