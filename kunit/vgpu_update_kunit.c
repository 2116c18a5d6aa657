// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the suites of whole updates share.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../drivers/gpu/drm/hotupdate/drm_hotupdate_internal.h"
#include "../drivers/gpu/drm/vgpu/vgpu_fault.h"
#include "vgpu_memory_kunit.h"
#include "vgpu_update_kunit.h"

struct update *update_new(struct kunit *test, unsigned int total_vfs, u64 vram_size)
{
	struct update *update = kunit_kzalloc(test, sizeof(*update), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, update);
	update->test = test;
	update->gpu = mock_gpu_new(test, total_vfs, vram_size);
	update->hw = update->gpu->hw;
	return update;
}

void update_add_guests(struct update *update)
{
	unsigned int number;

	for (number = 1; number <= update->hw->total_vfs; number++)
		if (update->hw->fns[number].enabled)
			update->guests[number] = mock_guest_new(update->test, update->hw,
								number);
}

/*
 * The VF gives some of its memory back, and when it wants it again there is
 * none left but every other page.
 */
#define NUM_PIECES	16

static void break_into_pieces(struct update *update, unsigned int number)
{
	struct vgpu_vf *vf = mock_gpu_vf(update->gpu, number);
	const u64 size = vf->memory.size;
	struct vgpu_vram *vram = &vf->vgpu->vram;
	struct kunit *test = update->test;
	struct drm_mm_node *nodes;
	struct vgpu_memory rest;
	unsigned int i;

	nodes = kunit_kcalloc(test, 2 * NUM_PIECES, sizeof(*nodes), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, nodes);
	guard(mutex)(&vf->vgpu->sriov_lock);

	KUNIT_EXPECT_EQ(test, vgpu_vf_resize(vf, size - NUM_PIECES * SZ_4K), 0);
	for (i = 0; i < 2 * NUM_PIECES; i++)
		KUNIT_EXPECT_EQ(test, 0, drm_mm_insert_node(&vram->mm, &nodes[i], SZ_4K));
	vgpu_memory_init(&rest, vram, VGPU_BACKING_VRAM);
	KUNIT_EXPECT_EQ(test, 0, vgpu_memory_grow(&rest, vgpu_vram_free_bytes(vram)));
	for (i = 0; i < 2 * NUM_PIECES; i += 2)
		drm_mm_remove_node(&nodes[i]);

	KUNIT_EXPECT_EQ(test, vgpu_vf_resize(vf, size), 0);
	for (i = 1; i < 2 * NUM_PIECES; i += 2)
		drm_mm_remove_node(&nodes[i]);
	vgpu_memory_release(&rest);
}

static void provision(struct update *update, unsigned int number, u64 quota,
		      enum vgpu_backing backing, u32 quantum_us, u32 priority)
{
	mock_gpu_vf(update->gpu, number)->profile = (struct vgpu_vf_profile) {
		.quota = quota,
		.backing = backing,
		.quantum_us = quantum_us,
		/* Release 1 has no way to provision any other. */
		.priority = VGPU_RELEASE < 2 ? VGPU_PRIORITY_NORMAL : priority,
	};
}

static void change_while_running(struct update *update)
{
	struct vgpu_vf *vf = mock_gpu_vf(update->gpu, VF_SYSTEM);

	guard(mutex)(&vf->vgpu->sriov_lock);

	vgpu_vf_set_timeslice(vf, 700);
	KUNIT_EXPECT_EQ(update->test, vgpu_vf_resize(vf, SZ_2M), 0);
}

struct update *update_new_usual(struct kunit *test)
{
	struct update *update = update_new(test, MOCK_VFS, UPDATE_VRAM);
	struct vgpu_vf *vf = mock_gpu_vf(update->gpu, VF_VRAM);

	provision(update, VF_VRAM, SZ_1M + SZ_64K, VGPU_BACKING_VRAM, 2000, VGPU_PRIORITY_HIGH);
	provision(update, VF_SYSTEM, 3 * SZ_1M, VGPU_BACKING_SYSTEM, 3000, VGPU_PRIORITY_LOW);
	provision(update, VF_SHARE, 0, VGPU_BACKING_VRAM, 1000, VGPU_PRIORITY_NORMAL);
	provision(update, VF_IDLE, SZ_2M, VGPU_BACKING_SYSTEM, 4000, VGPU_PRIORITY_NORMAL);
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(update->gpu, 3), 0);
	break_into_pieces(update, VF_VRAM);
	KUNIT_ASSERT_GT(test, list_count_nodes(&vf->memory.chunks), NUM_PIECES);
	change_while_running(update);

	update_add_guests(update);
	update_take_note(update);
	mock_hw_forget_writes(update->hw);
	return update;
}

static void get_to_know(struct update *update, unsigned int number,
			struct vf_knowledge *known)
{
	const struct vgpu_vf *vf = mock_gpu_vf(update->gpu, number);

	*known = (struct vf_knowledge) {
		.profile = vf->profile,
		.enabled = vf->enabled,
	};
	if (!vf->enabled)
		return;
	known->mem_limit = vf->mem_limit;
	known->timeslice_us = vf->timeslice_us;
	known->size = vf->memory.size;
	known->table = vgpu_lmtt_base(&vf->lmtt);
	known->pages = memory_pages(update->test, &vf->memory);
}

void update_take_note(struct update *update)
{
	struct vgpu_device *vgpu = mock_gpu_vgpu(update->gpu);
	unsigned int number;

	for (number = 1; number <= vgpu->total_vfs; number++)
		get_to_know(update, number, &update->known[number]);
	update->num_vfs = vgpu->num_vfs;
	update->vram_free = mock_gpu_vram_free(update->gpu);
}

void update_count_blocks(struct update *update)
{
	update->num_blocks = update->gpu->adapter->stash.count;
}

void update_detach(struct update *update, u32 version)
{
	mock_gpu_detach(update->gpu, version);
	update_count_blocks(update);
}

void update_expect_guests_intact(struct update *update, unsigned int but)
{
	unsigned int number;

	for (number = 1; number <= update->hw->total_vfs; number++)
		if (update->guests[number] && number != but)
			mock_guest_expect_intact(update->guests[number]);
}

static void expect_known_vf(struct update *update, unsigned int number)
{
	const struct vf_knowledge *before = &update->known[number];
	const struct vgpu_vf *vf = mock_gpu_vf(update->gpu, number);
	struct kunit *test = update->test;
	struct vf_knowledge now;

	get_to_know(update, number, &now);
	KUNIT_EXPECT_EQ_MSG(test, now.enabled, before->enabled, "VF %u", number);
	KUNIT_EXPECT_NULL(test, vf->lost);
	KUNIT_EXPECT_EQ_MSG(test, now.profile.quota, before->profile.quota, "VF %u", number);
	KUNIT_EXPECT_EQ(test, now.profile.backing, before->profile.backing);
	KUNIT_EXPECT_EQ(test, now.profile.quantum_us, before->profile.quantum_us);
	KUNIT_EXPECT_EQ_MSG(test, now.profile.priority, before->profile.priority, "VF %u",
			    number);
	if (!now.enabled || !before->enabled)
		return;
	KUNIT_EXPECT_EQ(test, now.mem_limit, before->mem_limit);
	KUNIT_EXPECT_EQ(test, now.timeslice_us, before->timeslice_us);
	KUNIT_EXPECT_EQ(test, now.size, before->size);
	KUNIT_EXPECT_EQ(test, now.table, before->table);
	KUNIT_EXPECT_EQ(test, vf->memory.backing, before->profile.backing);
	if (now.size == before->size)
		KUNIT_EXPECT_MEMEQ_MSG(test, now.pages, before->pages,
				       now.size / SZ_4K * sizeof(u64), "VF %u", number);
	/* All of it is the driver's own. */
	KUNIT_EXPECT_NULL(test, vf->memory.block);
	KUNIT_EXPECT_NULL(test, vf->lmtt.block);
}

void update_expect_known(struct update *update, unsigned int but)
{
	struct vgpu_device *vgpu = mock_gpu_vgpu(update->gpu);
	u64 vram_free = update->vram_free;
	unsigned int number;

	for (number = 1; number <= vgpu->total_vfs; number++)
		if (number != but)
			expect_known_vf(update, number);
	KUNIT_EXPECT_EQ(update->test, vgpu->num_vfs, update->num_vfs);

	if (but && update->known[but].enabled &&
	    update->known[but].profile.backing == VGPU_BACKING_VRAM)
		vram_free += update->known[but].size;
	KUNIT_EXPECT_EQ(update->test, mock_gpu_vram_free(update->gpu), vram_free);
}

void update_expect_stash_whole(struct update *update)
{
	struct drm_hotupdate_adapter *adapter = update->gpu->adapter;
	struct drm_hotupdate_block *block;
	unsigned long index;

	mock_gpu_expect_state(update->gpu, "detached");
	KUNIT_EXPECT_EQ(update->test, adapter->stash.count, update->num_blocks);
	xa_for_each(&adapter->stash.blocks, index, block)
		KUNIT_EXPECT_EQ_MSG(update->test, kref_read(&block->ref), 1, "block %lu",
				    index);
}

/*
 * Faults. What is stubbed has no room for a pointer of ours, and one case runs
 * at a time.
 */

static struct update_faults *faults;

static int fault_probe(struct vgpu_device *vgpu)
{
	return faults->probe ? -EIO : 0;
}

static int fault_save(struct vgpu_device *vgpu, unsigned int block)
{
	return block == faults->save ? -EIO : 0;
}

static const struct drm_hotupdate_ops *driver_ops;

static int start_and_look(struct drm_hotupdate_adapter *adapter, bool restored)
{
	int err = driver_ops->start_device(adapter, restored);

	return err ?: faults->after_start(faults->update);
}

/* For this attempt only: the core takes the driver's own callbacks at the next one. */
static void replace_start(struct drm_hotupdate_adapter *adapter)
{
	static struct drm_hotupdate_ops ops;

	if (adapter->ops == &ops)
		return;
	driver_ops = adapter->ops;
	ops = *driver_ops;
	ops.start_device = start_and_look;
	adapter->ops = &ops;
}

static int fault_restore(struct vgpu_device *vgpu, unsigned int block)
{
	if (faults->after_start)
		replace_start(faults->update->gpu->adapter);
	faults->num_restores++;
	if (faults->fail_nth && !block)
		mock_fail_begin(faults->fail_nth);
	return block == faults->restore ? -EIO : 0;
}

static int fault_start(struct vgpu_device *vgpu)
{
	if (faults->fail_nth)
		faults->has_failed = mock_fail_end();
	if (faults->at_start)
		faults->at_start(faults->update);
	return faults->start ? -EIO : 0;
}

struct update_faults *update_faults_new(struct update *update)
{
	struct kunit *test = update->test;

	faults = kunit_kzalloc(test, sizeof(*faults), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, faults);
	faults->update = update;
	faults->save = -1;
	faults->restore = -1;
	kunit_activate_static_stub(test, vgpu_fault_probe, fault_probe);
	kunit_activate_static_stub(test, vgpu_fault_save, fault_save);
	kunit_activate_static_stub(test, vgpu_fault_restore, fault_restore);
	kunit_activate_static_stub(test, vgpu_fault_start, fault_start);
	return faults;
}
