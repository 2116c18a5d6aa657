// SPDX-License-Identifier: GPL-2.0-only

#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/xarray.h>

#include <drm/drm_hotupdate.h>
#include <drm/drm_print.h>

#include "vgpu_drv.h"
#include "vgpu_fault.h"
#include "vgpu_hotupdate.h"

static int decode_meta(struct vgpu_replay *replay, struct drm_hotupdate_block *block,
		       struct vgpu_block_state *state, const char **defect)
{
	const void *meta;
	size_t size;

	meta = drm_hotupdate_block_meta(block, &size);
	return vgpu_state_decode_block(meta, size, replay->version, state, defect);
}

/* Returns NULL for a block that exceeds every state: mapping it takes much memory. */
static void *restore_map_state(struct drm_hotupdate_block *block)
{
	if (drm_hotupdate_block_size(block) > VGPU_STATE_READ_LIMIT)
		return NULL;
	return drm_hotupdate_block_vmap(block);
}

static int restore_adapter_state(struct vgpu_device *vgpu,
				 struct drm_hotupdate_block *block)
{
	struct vgpu_replay *replay = vgpu->replay;
	const char *defect;
	void *data;
	int err;

	data = restore_map_state(block);
	if (IS_ERR(data))
		return PTR_ERR(data);
	err = vgpu_state_decode_adapter(data, drm_hotupdate_block_size(block),
					replay->version, &replay->adapter, &defect);
	drm_hotupdate_block_vunmap(block, data);
	if (err) {
		drm_err(&vgpu->drm, "the state of the adapter is refused: %s\n", defect);
		return err;
	}

	if (replay->adapter.total_vfs != vgpu->total_vfs ||
	    replay->adapter.vram_size != vgpu->vram.size) {
		drm_err(&vgpu->drm,
			"the state is of a device of %u VFs and %llu bytes, this has %u and %llu\n",
			replay->adapter.total_vfs, replay->adapter.vram_size,
			vgpu->total_vfs, vgpu->vram.size);
		return -ENODEV;
	}
	replay->has_adapter = true;
	vgpu->num_vfs = replay->adapter.num_vfs;
	drm_hotupdate_block_put(block);
	return 0;
}

static int decode_vf(struct vgpu_replay *replay, struct drm_hotupdate_block *block,
		     struct vgpu_vf_state *state, const char **defect)
{
	void *data;
	int err;

	data = restore_map_state(block);
	if (IS_ERR(data)) {
		*defect = "its state is not a buffer";
		return PTR_ERR(data);
	}
	err = vgpu_state_decode_vf(data, drm_hotupdate_block_size(block),
				   replay->version, state, defect);
	drm_hotupdate_block_vunmap(block, data);
	return err;
}

static int restore_vf_state(struct vgpu_device *vgpu, struct vgpu_vf *vf,
			    struct drm_hotupdate_block *block, const char **defect)
{
	struct vgpu_replay_vf *entry = &vgpu->replay->vfs[vf->number - 1];
	struct vgpu_vf_state *state = &entry->state;
	int err;

	if (entry->has_state) {
		*defect = "its state is there twice";
		return -EINVAL;
	}
	err = decode_vf(vgpu->replay, block, state, defect);
	if (err)
		return err;
	if (state->vf != vf->number) {
		*defect = "its state is that of another VF";
		return -EINVAL;
	}

	vf->mem_limit = state->mem_limit;
	vf->timeslice_us = state->timeslice_us;
	vf->profile.quota = state->quota;
	vf->profile.backing = state->backing;
	vf->profile.quantum_us = state->quantum_us;
	if (vgpu->replay->version >= 2)
		vf->profile.priority = state->priority;
	vgpu_memory_init(&vf->memory, &vgpu->vram, state->backing);
	entry->has_state = true;
	drm_hotupdate_block_put(block);
	return 0;
}

static int restore_vf_memory(struct vgpu_device *vgpu, struct vgpu_vf *vf,
			     struct drm_hotupdate_block *block, const char **defect)
{
	struct vgpu_replay_vf *entry = &vgpu->replay->vfs[vf->number - 1];
	int err;

	*defect = "its memory comes at the wrong place";
	if (!entry->state.running || entry->has_memory)
		return -EINVAL;

	*defect = "its memory is not what its state says, or not free";
	err = vgpu_memory_restore(&vf->memory, block, entry->state.mem_size);
	if (!err)
		entry->has_memory = true;
	return err;
}

static int restore_vf_lmtt(struct vgpu_device *vgpu, struct vgpu_vf *vf,
			   struct drm_hotupdate_block *block, u32 root_index,
			   const char **defect)
{
	struct vgpu_replay_vf *entry = &vgpu->replay->vfs[vf->number - 1];
	int err;

	*defect = "its LMTT comes at the wrong place";
	if (!entry->has_memory || entry->has_lmtt)
		return -EINVAL;

	*defect = "its LMTT is malformed";
	err = vgpu_lmtt_restore(&vf->lmtt, block, root_index, entry->state.mem_size);
	if (err)
		return err;

	/* The block is the table's from here on, and goes with it. */
	entry->has_lmtt = true;
	if (!vgpu_vf_lmtt_fits(vf))
		entry->defect = "its LMTT leads elsewhere than its memory";
	return 0;
}

/* A VF that is given up: the device still has its pages, so keep the block. */
static int keep_block(struct vgpu_device *vgpu, struct drm_hotupdate_block *block)
{
	return xa_err(xa_store(&vgpu->replay->kept, drm_hotupdate_block_index(block),
			       block, GFP_KERNEL));
}

static int restore_vf_block(struct vgpu_device *vgpu, struct drm_hotupdate_block *block,
			    const struct vgpu_block_state *state)
{
	struct vgpu_replay_vf *entry = &vgpu->replay->vfs[state->vf - 1];
	struct vgpu_vf *vf = vgpu_vf(vgpu, state->vf);
	const char *defect = NULL;
	int err;

	if (entry->defect)
		return keep_block(vgpu, block);

	switch (state->what) {
	case VGPU_BLOCK_VF_STATE:
		err = restore_vf_state(vgpu, vf, block, &defect);
		break;
	case VGPU_BLOCK_VF_MEMORY:
		err = restore_vf_memory(vgpu, vf, block, &defect);
		break;
	default:
		err = restore_vf_lmtt(vgpu, vf, block, state->root_index, &defect);
	}
	/* Lack of memory is not the VF's fault, and may pass. */
	if (!err || err == -ENOMEM)
		return err;

	entry->defect = defect;
	return keep_block(vgpu, block);
}

/**
 * vgpu_restore_memory - the restore_memory callback
 * @adapter: adapter
 * @block: block, whose reference is taken over on success
 *
 * Return: 0 or a negative errno.
 */
int vgpu_restore_memory(struct drm_hotupdate_adapter *adapter,
			struct drm_hotupdate_block *block)
{
	struct vgpu_device *vgpu = drm_hotupdate_adapter_priv(adapter);
	struct vgpu_replay *replay = vgpu->replay;
	struct vgpu_block_state state;
	const char *defect;
	bool is_adapter;
	int err;

	err = vgpu_fault_restore(vgpu, drm_hotupdate_block_index(block));
	if (err)
		return err;

	replay->version = drm_hotupdate_adapter_version(adapter);
	err = decode_meta(replay, block, &state, &defect);
	if (err) {
		drm_err(&vgpu->drm, "block %u is refused: %s\n",
			drm_hotupdate_block_index(block), defect);
		return err;
	}

	guard(mutex)(&vgpu->sriov_lock);

	is_adapter = state.what == VGPU_BLOCK_ADAPTER;
	if (replay->has_adapter == is_adapter) {
		drm_err(&vgpu->drm, "block %u is refused: the adapter's comes first, and once\n",
			drm_hotupdate_block_index(block));
		return -EINVAL;
	}
	if (is_adapter)
		return restore_adapter_state(vgpu, block);

	if (state.vf > VGPU_HW_MAX_VFS ||
	    !(replay->adapter.vf_mask & BIT_ULL(state.vf - 1))) {
		drm_err(&vgpu->drm, "block %u is refused: there is nothing of VF %u\n",
			drm_hotupdate_block_index(block), state.vf);
		return -EINVAL;
	}
	return restore_vf_block(vgpu, block, &state);
}

static void drop_kept(struct vgpu_replay *replay)
{
	struct drm_hotupdate_block *block;
	unsigned long index;

	xa_for_each(&replay->kept, index, block)
		drm_hotupdate_block_put(block);
	xa_destroy(&replay->kept);
}

static void forget_vf(struct vgpu_vf *vf, const struct vgpu_replay_vf *entry)
{
	if (entry->has_lmtt)
		vgpu_lmtt_forget(&vf->lmtt);
	if (entry->has_memory)
		vgpu_memory_forget(&vf->memory);
	vf->enabled = false;
}

/**
 * vgpu_restore_abort - the restore_abort callback
 * @adapter: adapter
 *
 * Comes before the device has started, or after a stop that has left all references
 * to this.
 */
void vgpu_restore_abort(struct drm_hotupdate_adapter *adapter)
{
	struct vgpu_device *vgpu = drm_hotupdate_adapter_priv(adapter);
	struct vgpu_replay *replay = vgpu->replay;
	unsigned int number;

	guard(mutex)(&vgpu->sriov_lock);

	for (number = 1; number <= vgpu->total_vfs; number++)
		forget_vf(vgpu_vf(vgpu, number), &replay->vfs[number - 1]);
	drop_kept(replay);
	vgpu_replay_free(vgpu);
	vgpu->num_vfs = 0;
}

static void restore_lose_vf(struct vgpu_vf *vf, const char *defect)
{
	vf->lost = defect;
	vgpu_write(vf->vgpu, VGPU_FN(vf->number, VGPU_FN_RESET), VGPU_RESET_MAGIC);
}

static void restore_report_lost_vf(struct vgpu_vf *vf, const char *defect)
{
	struct device *dev = vf->vgpu->drm.dev;
	char number[32], reason[128];
	char *env[4] = { "VGPU_EVENT=vf_lost", number, reason };

	drm_err(&vf->vgpu->drm, "VF %u is lost in the update, and reset: %s\n",
		vf->number, defect);
	scnprintf(number, sizeof(number), "VGPU_VF=%u", vf->number);
	scnprintf(reason, sizeof(reason), "VGPU_REASON=%s", defect);
	kobject_uevent_env(&dev->kobj, KOBJ_CHANGE, env);
}

/* Without a lock: an administrator who is told may write to sysfs at once. */
static void restore_report_lost_vfs(struct vgpu_device *vgpu)
{
	const struct vgpu_replay *replay = vgpu->replay;
	unsigned int number;

	for (number = 1; number <= vgpu->total_vfs; number++)
		if (replay->vfs[number - 1].defect)
			restore_report_lost_vf(vgpu_vf(vgpu, number),
					       replay->vfs[number - 1].defect);
}

static void own_vf(struct vgpu_vf *vf)
{
	int err;

	err = vgpu_memory_own(&vf->memory) ?: vgpu_lmtt_own(&vf->lmtt);
	if (err)
		drm_err(&vf->vgpu->drm, "VF %u keeps its blocks for now (%pe)\n",
			vf->number, ERR_PTR(err));
}

static void finish_replay(struct vgpu_device *vgpu)
{
	struct vgpu_replay *replay = vgpu->replay;
	unsigned int number;

	guard(mutex)(&vgpu->sriov_lock);

	/* First of all: the table of a lost VF can lead to memory of another one. */
	for (number = 1; number <= vgpu->total_vfs; number++)
		if (replay->vfs[number - 1].defect)
			restore_lose_vf(vgpu_vf(vgpu, number), replay->vfs[number - 1].defect);

	for (number = 1; number <= vgpu->total_vfs; number++) {
		struct vgpu_vf *vf = vgpu_vf(vgpu, number);

		if (vf->enabled)
			own_vf(vf);
		else
			forget_vf(vf, &replay->vfs[number - 1]);
	}
	drop_kept(replay);
}

/**
 * vgpu_restore_complete - the restore_complete callback
 * @adapter: adapter
 *
 * Until now the probe could fail, and the stash be restored to another driver. So
 * lost VFs are reset and serving begins here, and not in the start.
 */
void vgpu_restore_complete(struct drm_hotupdate_adapter *adapter)
{
	struct vgpu_device *vgpu = drm_hotupdate_adapter_priv(adapter);

	finish_replay(vgpu);
	vgpu_device_start_serving(vgpu);
	vgpu_gate_set(vgpu, VGPU_GATE_OPEN);
	restore_report_lost_vfs(vgpu);
	vgpu_replay_free(vgpu);
}
