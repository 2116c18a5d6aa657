// SPDX-License-Identifier: GPL-2.0-only

#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/jiffies.h>
#include <linux/wait.h>

#include <drm/drm_hotupdate.h>
#include <drm/drm_print.h>

#include "vgpu_drv.h"
#include "vgpu_fault.h"
#include "vgpu_hotupdate.h"

/* They are over in moments, unless they wait for somebody. */
#define LEAVING_MS	100

struct vgpu_saver {
	struct vgpu_device *vgpu;
	struct drm_hotupdate_adapter *adapter;
	unsigned int num_blocks;
};

static int begin_block(struct vgpu_saver *saver)
{
	return vgpu_fault_save(saver->vgpu, saver->num_blocks++);
}

static int save_buffer(struct vgpu_saver *saver, const struct vgpu_block_state *block,
		       const void *data, size_t size)
{
	u8 meta[VGPU_STATE_MAX_SIZE];
	struct drm_hotupdate_save_args args = {
		.data = data,
		.data_size = size,
		.meta = meta,
		.meta_size = vgpu_state_encode_block(meta, block),
	};

	return begin_block(saver) ?: drm_hotupdate_save_memory(saver->adapter, &args);
}

static bool has_state(const struct vgpu_vf *vf)
{
	return vf->enabled || vgpu_vf_is_provisioned(vf);
}

static int save_adapter_state(struct vgpu_saver *saver)
{
	struct vgpu_device *vgpu = saver->vgpu;
	struct vgpu_block_state block = { .what = VGPU_BLOCK_ADAPTER };
	struct vgpu_adapter_state state = {
		.version = drm_hotupdate_adapter_version(saver->adapter),
		.total_vfs = vgpu->total_vfs,
		.num_vfs = vgpu->num_vfs,
		.vram_size = vgpu->vram.size,
	};
	u8 data[VGPU_STATE_MAX_SIZE];
	unsigned int number;

	for (number = 1; number <= vgpu->total_vfs; number++)
		if (has_state(vgpu_vf(vgpu, number)))
			state.vf_mask |= BIT_ULL(number - 1);

	return save_buffer(saver, &block, data, vgpu_state_encode_adapter(data, &state));
}

static int save_vf_state(struct vgpu_saver *saver, struct vgpu_vf *vf)
{
	struct vgpu_block_state block = {
		.what = VGPU_BLOCK_VF_STATE,
		.vf = vf->number,
	};
	struct vgpu_vf_state state = {
		.vf = vf->number,
		.running = vf->enabled,
		.backing = vf->profile.backing,
		.quantum_us = vf->profile.quantum_us,
		.quota = vf->profile.quota,
		.mem_limit = vf->enabled ? vf->mem_limit : 0,
		.mem_size = vf->enabled ? vf->memory.size : 0,
		.timeslice_us = vf->enabled ? vf->timeslice_us : 0,
		.priority = vf->profile.priority,
		.answered = vgpu_read(saver->vgpu, VGPU_FN(vf->number, VGPU_FN_MBOX_ANSWERED)),
	};
	u32 version = drm_hotupdate_adapter_version(saver->adapter);
	u8 data[VGPU_STATE_MAX_SIZE];
	size_t size;

	if (version < 2 && state.priority != VGPU_PRIORITY_NORMAL)
		drm_info(&saver->vgpu->drm,
			 "state version %u does not say the priority of VF %u: %s\n",
			 version, vf->number,
			 vf->enabled ? "the device keeps it" : "it is lost");

	size = vgpu_state_encode_vf(data, &state, version);
	vgpu_fault_spoil_vf(saver->vgpu, vf->number, data, size);
	return save_buffer(saver, &block, data, size);
}

static int save_vf_memory(struct vgpu_saver *saver, struct vgpu_vf *vf)
{
	struct vgpu_block_state block = {
		.what = VGPU_BLOCK_VF_MEMORY,
		.vf = vf->number,
	};
	u8 meta[VGPU_STATE_MAX_SIZE];
	size_t meta_size = vgpu_state_encode_block(meta, &block);

	return begin_block(saver) ?:
	       vgpu_memory_save(&vf->memory, saver->adapter, meta, meta_size);
}

static int save_vf_lmtt(struct vgpu_saver *saver, struct vgpu_vf *vf)
{
	struct vgpu_block_state block = {
		.what = VGPU_BLOCK_VF_LMTT,
		.vf = vf->number,
		.root_index = vgpu_lmtt_root_index(&vf->lmtt),
	};
	u8 meta[VGPU_STATE_MAX_SIZE];
	size_t meta_size = vgpu_state_encode_block(meta, &block);

	return begin_block(saver) ?:
	       vgpu_lmtt_save(&vf->lmtt, saver->adapter, meta, meta_size);
}

static int save_vf(struct vgpu_saver *saver, struct vgpu_vf *vf)
{
	int err;

	if (!has_state(vf))
		return 0;

	err = save_vf_state(saver, vf);
	if (!err && vf->enabled)
		err = save_vf_memory(saver, vf) ?: save_vf_lmtt(saver, vf);
	return err;
}

static int save_all(struct vgpu_saver *saver)
{
	struct vgpu_device *vgpu = saver->vgpu;
	unsigned int number;
	int err;

	guard(mutex)(&vgpu->sriov_lock);

	err = save_adapter_state(saver);
	for (number = 1; number <= vgpu->total_vfs && !err; number++)
		err = save_vf(saver, vgpu_vf(vgpu, number));
	return err;
}

/*
 * The driver cannot go before the jobs of clients that have gone, which wait for
 * fences of other drivers. Better now than with the driver half gone.
 */
static int wait_for_leaving(struct vgpu_device *vgpu)
{
	struct vgpu_pf *pf = &vgpu->pf;

	if (wait_event_timeout(pf->idle, !atomic_read(&pf->num_leaving),
			       msecs_to_jiffies(LEAVING_MS)))
		return 0;
	drm_err(&vgpu->drm, "jobs of %d clients that have gone are not over\n",
		atomic_read(&pf->num_leaving));
	return -EBUSY;
}

/**
 * vgpu_save_memory - the save_memory callback
 * @adapter: adapter
 *
 * Return: 0, with nothing served any more; -EBUSY if clients of the render node
 * have gone, and their jobs are not over; or another negative errno.
 */
int vgpu_save_memory(struct drm_hotupdate_adapter *adapter)
{
	struct vgpu_device *vgpu = drm_hotupdate_adapter_priv(adapter);
	struct vgpu_saver saver = { .vgpu = vgpu, .adapter = adapter };
	int err;

	err = wait_for_leaving(vgpu);
	if (err)
		return err;

	vgpu_device_stop_serving(vgpu);
	err = save_all(&saver);
	if (err)
		vgpu_device_start_serving(vgpu);
	return err;
}

/**
 * vgpu_cancel_save - the cancel_save callback
 * @adapter: adapter
 */
void vgpu_cancel_save(struct drm_hotupdate_adapter *adapter)
{
	vgpu_device_start_serving(drm_hotupdate_adapter_priv(adapter));
}
