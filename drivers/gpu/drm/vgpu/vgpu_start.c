// SPDX-License-Identifier: GPL-2.0-only

#include <linux/bitops.h>
#include <linux/cleanup.h>

#include <drm/drm_drv.h>
#include <drm/drm_hotupdate.h>
#include <drm/drm_print.h>

#include "vgpu_drv.h"
#include "vgpu_fault.h"
#include "vgpu_hotupdate.h"

static u64 read_fn(struct vgpu_vf *vf, u32 reg)
{
	return vgpu_read(vf->vgpu, VGPU_FN(vf->number, reg));
}

static bool vf_is_running(struct vgpu_vf *vf)
{
	return read_fn(vf, VGPU_FN_STATUS) & VGPU_FN_STATUS_ENABLED;
}

/* What the device says must be what its last driver has saved. */
static const char *check_running_vf(struct vgpu_vf *vf,
				    const struct vgpu_replay *replay)
{
	const struct vgpu_replay_vf *entry = &replay->vfs[vf->number - 1];

	if (!entry->has_lmtt)
		return "a block is missing";
	if (vf->number > vf->vgpu->num_vfs)
		return "it is not one of those that are enabled";
	if (!vf_is_running(vf))
		return "the device does not run it";
	if (read_fn(vf, VGPU_FN_TABLE) != vgpu_lmtt_base(&vf->lmtt))
		return "the device has another LMTT";
	if (read_fn(vf, VGPU_FN_MEM_SIZE) != vf->memory.size)
		return "the device has another size of memory";
	if (read_fn(vf, VGPU_FN_TIMESLICE_US) != vf->timeslice_us)
		return "the device has another time slice";
	if (replay->version < 2)
		return read_fn(vf, VGPU_FN_PRIORITY) > VGPU_PRIORITY_HIGH ?
		       "the device has an impossible priority" : NULL;
	if (read_fn(vf, VGPU_FN_PRIORITY) != vf->profile.priority)
		return "the device has another priority";
	if (read_fn(vf, VGPU_FN_MBOX_ANSWERED) != entry->state.answered)
		return "the device has served another number of requests";
	return NULL;
}

static const char *check_vf(struct vgpu_vf *vf, const struct vgpu_replay *replay)
{
	const struct vgpu_replay_vf *entry = &replay->vfs[vf->number - 1];

	if (entry->defect)
		return entry->defect;
	if (entry->state.running)
		return check_running_vf(vf, replay);
	if (vf_is_running(vf))
		return "the device runs it, but nothing of it was saved";
	if (replay->adapter.vf_mask & BIT_ULL(vf->number - 1) && !entry->has_state)
		return "its state is missing";
	return NULL;
}

static void take_over_vf(struct vgpu_vf *vf, const struct vgpu_replay *replay)
{
	vf->enabled = replay->vfs[vf->number - 1].state.running;
	if (vf->enabled && replay->version < 2)
		vf->profile.priority = min_t(u64, read_fn(vf, VGPU_FN_PRIORITY),
					     VGPU_PRIORITY_HIGH);
	if (!vf->enabled && vf->number <= vf->vgpu->num_vfs)
		vf->lost = "an earlier update lost it";
}

/*
 * Take over the VFs that are as they should be, and remember what is wrong with the
 * others. This only reads the device: restore_complete resets the others.
 */
static void take_over_vfs(struct vgpu_device *vgpu)
{
	struct vgpu_replay *replay = vgpu->replay;
	unsigned int number;

	guard(mutex)(&vgpu->sriov_lock);

	for (number = 1; number <= vgpu->total_vfs; number++) {
		struct vgpu_vf *vf = vgpu_vf(vgpu, number);
		const char *defect = check_vf(vf, replay);

		replay->vfs[number - 1].defect = defect;
		if (!defect)
			take_over_vf(vf, replay);
	}
}

static void start_from_reset(struct vgpu_device *vgpu)
{
	vgpu_write(vgpu, VGPU_HW_RESET, VGPU_RESET_MAGIC);
	vgpu_replay_free(vgpu);
	vgpu_device_start_serving(vgpu);
	vgpu_gate_set(vgpu, VGPU_GATE_OPEN);
}

/**
 * vgpu_start_device - the start_device callback
 * @adapter: adapter
 * @restored: there was a replay, and it is complete
 *
 * With @restored the driver serves from vgpu_restore_complete() on, and changes
 * nothing until then.
 *
 * Return: 0 or a negative errno.
 */
int vgpu_start_device(struct drm_hotupdate_adapter *adapter, bool restored)
{
	struct vgpu_device *vgpu = drm_hotupdate_adapter_priv(adapter);
	int err;

	if (restored && !vgpu->replay->has_adapter) {
		drm_err(&vgpu->drm, "the state of the adapter is missing\n");
		return -EINVAL;
	}
	err = vgpu_fault_start(vgpu);
	if (err)
		return err;
	err = vgpu_device_request_irq(vgpu);
	if (err)
		return err;

	/* It is here and not in vgpu_restore_complete() because it can fail. */
	err = drm_dev_register(&vgpu->drm, 0);
	if (err) {
		vgpu_gate_set(vgpu, VGPU_GATE_GONE);
		vgpu_device_free_irq(vgpu);
		return err;
	}

	/* Nothing fails from here on. */
	if (restored)
		take_over_vfs(vgpu);
	else
		start_from_reset(vgpu);
	return 0;
}

/* The device stops using the memory, whose references are the abort's to drop. */
static void stop_uncommitted_vfs(struct vgpu_device *vgpu)
{
	unsigned int number;

	for (number = 1; number <= vgpu->total_vfs; number++)
		if (vf_is_running(vgpu_vf(vgpu, number)))
			vgpu_write(vgpu, VGPU_FN(number, VGPU_FN_RESET), VGPU_RESET_MAGIC);
}

static void stop_put_vfs(struct vgpu_device *vgpu)
{
	unsigned int number;

	for (number = 1; number <= vgpu->total_vfs; number++)
		vgpu_vf_put_memory(vgpu_vf(vgpu, number));
}

/**
 * vgpu_stop_device - the stop_device callback
 * @adapter: adapter
 * @saved: the VFs are left to the next driver, and otherwise disabled
 *
 * The references to memory and tables of the VFs are dropped either way. The stash
 * holds its own, and the device goes on reading. Before the commit, it is
 * vgpu_restore_abort() that drops them.
 */
void vgpu_stop_device(struct drm_hotupdate_adapter *adapter, bool saved)
{
	struct vgpu_device *vgpu = drm_hotupdate_adapter_priv(adapter);
	bool committed = !vgpu->replay;

	vgpu_device_stop_serving(vgpu);
	vgpu_device_free_irq(vgpu);
	vgpu_gate_set(vgpu, VGPU_GATE_GONE);
	vgpu_pf_stop(vgpu);

	guard(mutex)(&vgpu->sriov_lock);

	if (committed && saved)
		stop_put_vfs(vgpu);
	else if (committed)
		vgpu_sriov_set_num_vfs(vgpu, 0);
	else if (!saved)
		stop_uncommitted_vfs(vgpu);
}
