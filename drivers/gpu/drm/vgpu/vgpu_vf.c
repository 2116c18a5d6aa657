// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/kobject.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include <drm/drm_print.h>

#include "vgpu_drv.h"

/**
 * DOC: virtual functions
 *
 * A VF is provisioned with a profile, and when it is enabled it is given memory
 * and a table, and the device is told of both. From then on a guest can use it,
 * and the device runs it with no help of the driver.
 *
 * As with PCI SR-IOV, VFs are enabled all at once, from the first one on, and
 * disabled all at once.
 */

#define DEFAULT_SHARE	SZ_16M
#define MIN_MEMORY	SZ_1M

static const struct vgpu_vf_profile default_profile = {
	.backing = VGPU_BACKING_VRAM,
	.quantum_us = VGPU_TIMESLICE_US_DEFAULT,
	.priority = VGPU_PRIORITY_NORMAL,
};

/**
 * vgpu_vf_is_provisioned - whether a VF's profile is one of its own
 * @vf: VF
 *
 * Return: true unless it is as it was made.
 */
bool vgpu_vf_is_provisioned(const struct vgpu_vf *vf)
{
	return vf->profile.quota != default_profile.quota ||
	       vf->profile.backing != default_profile.backing ||
	       vf->profile.quantum_us != default_profile.quantum_us ||
	       vf->profile.priority != default_profile.priority;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_vf_is_provisioned);

/**
 * vgpu_vf_init - make a VF that is not enabled
 * @vf: VF
 * @vgpu: its device
 * @number: its number, from 1
 */
void vgpu_vf_init(struct vgpu_vf *vf, struct vgpu_device *vgpu, unsigned int number)
{
	vf->vgpu = vgpu;
	vf->number = number;
	vf->profile = default_profile;
	vgpu_memory_init(&vf->memory, &vgpu->vram, vf->profile.backing);
}

static void write_fn(struct vgpu_vf *vf, u32 reg, u64 value)
{
	vgpu_write(vf->vgpu, VGPU_FN(vf->number, reg), value);
}

/* Tell the device all about a VF that it has just reset, or never known. */
static void program_vf(struct vgpu_vf *vf)
{
	write_fn(vf, VGPU_FN_TABLE, vgpu_lmtt_base(&vf->lmtt));
	write_fn(vf, VGPU_FN_MEM_SIZE, vf->memory.size);
	write_fn(vf, VGPU_FN_TIMESLICE_US, vf->timeslice_us);
	write_fn(vf, VGPU_FN_PRIORITY, vf->profile.priority);
	write_fn(vf, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
}

static u64 lmtt_flags(const struct vgpu_vf *vf)
{
	return vf->memory.backing == VGPU_BACKING_SYSTEM ? VGPU_LMTT_SYSTEM : 0;
}

/* Map what the memory has from an address on. */
static int map_memory_from(struct vgpu_vf *vf, u64 from)
{
	struct vgpu_memory *memory = &vf->memory;
	const struct vgpu_chunk *chunk;
	u64 address = 0, skip;
	int err;

	err = vgpu_lmtt_reserve(&vf->lmtt, from, memory->size - from);
	if (err)
		return err;

	list_for_each_entry(chunk, &memory->chunks, link) {
		u64 end = address + chunk->size;

		if (end > from) {
			skip = from > address ? from - address : 0;
			err = vgpu_lmtt_map(&vf->lmtt, address + skip,
					    vgpu_chunk_address(memory, chunk) + skip,
					    chunk->size - skip, lmtt_flags(vf));
			if (err) {
				vgpu_lmtt_unmap(&vf->lmtt, from, max(address, from) - from);
				return err;
			}
		}
		address = end;
		cond_resched();
	}
	return 0;
}

/* Whether an address leads where a chunk has it, so far into the chunk. */
static bool leads_to(const struct vgpu_vf *vf, u64 address,
		     const struct vgpu_chunk *chunk, u64 offset)
{
	u64 target = vgpu_chunk_address(&vf->memory, chunk) + offset;

	return vgpu_lmtt_entry(&vf->lmtt, address + offset) ==
	       (target | lmtt_flags(vf) | VGPU_LMTT_VALID);
}

/**
 * vgpu_vf_lmtt_fits - whether a VF's table leads to the VF's memory
 * @vf: VF whose memory and table were restored
 *
 * Each was saved by itself, and each can be what it should be without being the
 * other's. The memory is what is given to somebody else one day, the table is
 * what the device goes by until then.
 *
 * It is the first and the last page of each chunk that are looked at, so that
 * this takes time by the chunk, and not by the page: a chunk that begins or ends
 * anywhere else than it did is found.
 *
 * Return: true if so.
 */
bool vgpu_vf_lmtt_fits(const struct vgpu_vf *vf)
{
	const struct vgpu_chunk *chunk;
	u64 address = 0;

	list_for_each_entry(chunk, &vf->memory.chunks, link) {
		if (!leads_to(vf, address, chunk, 0) ||
		    !leads_to(vf, address, chunk, chunk->size - VGPU_PAGE_SIZE))
			return false;
		address += chunk->size;
		cond_resched();
	}
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_vf_lmtt_fits);

/**
 * vgpu_vf_enable - give a VF what it is provisioned with, and run it
 * @vf: VF that is not enabled
 * @share: bytes of memory if its profile does not say
 *
 * Return: 0, -ENOSPC if there is not enough VRAM, or -ENOMEM.
 */
int vgpu_vf_enable(struct vgpu_vf *vf, u64 share)
{
	int err;

	lockdep_assert_held(&vf->vgpu->sriov_lock);

	vf->mem_limit = vf->profile.quota ?: share;
	vf->timeslice_us = vf->profile.quantum_us;

	vgpu_memory_init(&vf->memory, &vf->vgpu->vram, vf->profile.backing);
	err = vgpu_memory_grow(&vf->memory, vf->mem_limit);
	if (err)
		return err;
	err = vgpu_lmtt_init(&vf->lmtt);
	if (err)
		goto err_release;
	err = map_memory_from(vf, 0);
	if (err)
		goto err_fini;

	program_vf(vf);
	vf->enabled = true;
	vf->lost = NULL;
	return 0;

err_fini:
	vgpu_lmtt_fini(&vf->lmtt);
err_release:
	vgpu_memory_release(&vf->memory);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_vf_enable);

/**
 * vgpu_vf_disable - take a VF away from its guest, and all that it has
 * @vf: VF
 */
void vgpu_vf_disable(struct vgpu_vf *vf)
{
	lockdep_assert_held(&vf->vgpu->sriov_lock);

	vf->lost = NULL;
	if (!vf->enabled)
		return;
	vf->enabled = false;
	/* From here on the device does not read the table, nor the memory. */
	write_fn(vf, VGPU_FN_RESET, VGPU_RESET_MAGIC);
	vgpu_lmtt_fini(&vf->lmtt);
	vgpu_memory_release(&vf->memory);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_vf_disable);

/**
 * vgpu_vf_reset - reset a VF, which keeps its memory, but not what is in it (FLR)
 * @vf: VF that is enabled
 *
 * Who has several guests use a VF one after the other resets it in between.
 */
void vgpu_vf_reset(struct vgpu_vf *vf)
{
	lockdep_assert_held(&vf->vgpu->sriov_lock);

	write_fn(vf, VGPU_FN_RESET, VGPU_RESET_MAGIC);
	/* Neither engine nor guest reaches the memory now, until it has its table. */
	vgpu_memory_clear(&vf->memory);
	program_vf(vf);
	vf->resets++;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_vf_reset);

static int grow_vf(struct vgpu_vf *vf, u64 size)
{
	u64 old_size = vf->memory.size;
	int err;

	err = vgpu_memory_grow(&vf->memory, size);
	if (err)
		return err;

	err = map_memory_from(vf, old_size);
	if (err) {
		vgpu_memory_shrink(&vf->memory, old_size);
		return err;
	}
	write_fn(vf, VGPU_FN_MEM_SIZE, vf->memory.size);
	return 0;
}

static void shrink_vf(struct vgpu_vf *vf, u64 size)
{
	u64 old_size = vf->memory.size;

	/*
	 * A folio is kept whole, so map again what is left of the last one. Its
	 * tables are there, so this cannot fail.
	 */
	write_fn(vf, VGPU_FN_MEM_SIZE, size);
	vgpu_lmtt_unmap(&vf->lmtt, size, old_size - size);
	write_fn(vf, VGPU_FN_INVALIDATE, 1);
	vgpu_memory_shrink(&vf->memory, size);
	if (vf->memory.size > size)
		map_memory_from(vf, size);
	write_fn(vf, VGPU_FN_MEM_SIZE, vf->memory.size);
}

/**
 * vgpu_vf_resize - give a VF more memory, or take some away
 * @vf: VF that is enabled
 * @size: bytes that it wants; it gets no more than its limit
 *
 * Return: 0, -ENOSPC if there is not enough VRAM, or -ENOMEM. What it has then
 * is its memory's size.
 */
int vgpu_vf_resize(struct vgpu_vf *vf, u64 size)
{
	u64 min_size = min_t(u64, vf->mem_limit, MIN_MEMORY);

	lockdep_assert_held(&vf->vgpu->sriov_lock);

	size = clamp(size, min_size, vf->mem_limit);
	size = round_up(size, VGPU_PAGE_SIZE);

	if (size > vf->memory.size)
		return grow_vf(vf, size);
	if (size < vf->memory.size)
		shrink_vf(vf, size);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_vf_resize);

/**
 * vgpu_vf_set_timeslice - change a VF's engine time a turn
 * @vf: VF that is enabled
 * @timeslice_us: microseconds; it gets no more than its profile allows
 */
void vgpu_vf_set_timeslice(struct vgpu_vf *vf, u32 timeslice_us)
{
	lockdep_assert_held(&vf->vgpu->sriov_lock);

	vf->timeslice_us = clamp_t(u32, timeslice_us, VGPU_TIMESLICE_US_MIN,
				   vf->profile.quantum_us);
	write_fn(vf, VGPU_FN_TIMESLICE_US, vf->timeslice_us);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_vf_set_timeslice);

/**
 * vgpu_vf_set_priority - change a VF's priority
 * @vf: VF
 * @priority: VGPU_PRIORITY_*
 */
void vgpu_vf_set_priority(struct vgpu_vf *vf, u32 priority)
{
	lockdep_assert_held(&vf->vgpu->sriov_lock);

	vf->profile.priority = priority;
	if (vf->enabled)
		write_fn(vf, VGPU_FN_PRIORITY, priority);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_vf_set_priority);

/**
 * vgpu_vf_put_memory - drop the references to a VF's memory, and leave it running
 * @vf: VF that was saved
 */
void vgpu_vf_put_memory(struct vgpu_vf *vf)
{
	if (!vf->enabled)
		return;
	vf->enabled = false;
	vgpu_lmtt_fini(&vf->lmtt);
	vgpu_memory_release(&vf->memory);
}

/*
 * What each VF without a quota gets: an even part of three quarters of the free
 * VRAM, so that the host has some left, and no more than most need.
 */
static u64 fair_share(struct vgpu_device *vgpu, unsigned int num_vfs)
{
	u64 share = div_u64(vgpu_vram_free_bytes(&vgpu->vram) / 4 * 3, num_vfs);

	return clamp_t(u64, round_down(share, MIN_MEMORY), MIN_MEMORY, DEFAULT_SHARE);
}

static void disable_vfs(struct vgpu_device *vgpu)
{
	while (vgpu->num_vfs)
		vgpu_vf_disable(vgpu_vf(vgpu, vgpu->num_vfs--));
}

/**
 * vgpu_sriov_recover - enable a VF again that an update has lost
 * @vf: VF that is lost
 *
 * Its memory is new, and empty.
 *
 * Return: 0, -ENOSPC or -ENOMEM.
 */
int vgpu_sriov_recover(struct vgpu_vf *vf)
{
	return vgpu_vf_enable(vf, fair_share(vf->vgpu, 1));
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sriov_recover);

/**
 * vgpu_sriov_set_num_vfs - enable VFs, or disable them all
 * @vgpu: device that is serving
 * @num_vfs: how many, 0 to disable them
 *
 * Return: 0; -EBUSY if others are enabled; -ERANGE if there are not so many;
 * -ENOSPC or -ENOMEM, with none enabled.
 */
int vgpu_sriov_set_num_vfs(struct vgpu_device *vgpu, unsigned int num_vfs)
{
	u64 share;
	int err;

	lockdep_assert_held(&vgpu->sriov_lock);

	if (num_vfs > vgpu->total_vfs)
		return -ERANGE;
	if (!num_vfs) {
		disable_vfs(vgpu);
		return 0;
	}
	if (vgpu->num_vfs)
		return vgpu->num_vfs == num_vfs ? 0 : -EBUSY;

	share = fair_share(vgpu, num_vfs);
	while (vgpu->num_vfs < num_vfs) {
		struct vgpu_vf *vf = vgpu_vf(vgpu, vgpu->num_vfs + 1);

		err = vgpu_vf_enable(vf, share);
		if (err) {
			drm_err(&vgpu->drm, "VF %u cannot be given %llu bytes (%pe)\n",
				vf->number, vf->mem_limit, ERR_PTR(err));
			disable_vfs(vgpu);
			return err;
		}
		vgpu->num_vfs++;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sriov_set_num_vfs);
