/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual functions: their configuration and life.
 */
#ifndef _VGPU_VF_H_
#define _VGPU_VF_H_

#include <linux/types.h>

#include "vgpu_lmtt.h"
#include "vgpu_memory.h"

struct kobject;
struct vgpu_device;

/**
 * struct vgpu_vf_profile - what the administrator provisions a VF with
 */
struct vgpu_vf_profile {
	/** @quota: bytes of memory, 0 for a fair share of VRAM */
	u64 quota;
	/** @backing: where the memory is */
	enum vgpu_backing backing;
	/** @quantum_us: most microseconds of engine time a turn */
	u32 quantum_us;
	/** @priority: VGPU_PRIORITY_* */
	u32 priority;
};

/**
 * struct vgpu_vf - a virtual function, protected by &vgpu_device.sriov_lock
 */
struct vgpu_vf {
	/** @vgpu: the device */
	struct vgpu_device *vgpu;
	/** @number: from 1 */
	unsigned int number;
	/** @profile: provisioned, for now or for when it is enabled */
	struct vgpu_vf_profile profile;
	/** @enabled: it has memory and a table, and the device runs it */
	bool enabled;
	/** @lost: why it was not restored in an update, NULL if that is not so */
	const char *lost;
	/** @mem_limit: most bytes of memory, while enabled */
	u64 mem_limit;
	/** @timeslice_us: engine time a turn at present, while enabled */
	u32 timeslice_us;
	/** @memory: what backs its address space */
	struct vgpu_memory memory;
	/** @lmtt: what translates it */
	struct vgpu_lmtt lmtt;
	/** @resets: how often this driver has reset it */
	u64 resets;
	/** @sysfs: its directory */
	struct kobject *sysfs;
};

bool vgpu_vf_is_provisioned(const struct vgpu_vf *vf);
bool vgpu_vf_lmtt_fits(const struct vgpu_vf *vf);
void vgpu_vf_init(struct vgpu_vf *vf, struct vgpu_device *vgpu, unsigned int number);
int vgpu_vf_enable(struct vgpu_vf *vf, u64 share);
void vgpu_vf_disable(struct vgpu_vf *vf);
void vgpu_vf_reset(struct vgpu_vf *vf);
int vgpu_vf_resize(struct vgpu_vf *vf, u64 size);
void vgpu_vf_set_timeslice(struct vgpu_vf *vf, u32 timeslice_us);
void vgpu_vf_set_priority(struct vgpu_vf *vf, u32 priority);
void vgpu_vf_put_memory(struct vgpu_vf *vf);
int vgpu_sriov_recover(struct vgpu_vf *vf);
int vgpu_sriov_set_num_vfs(struct vgpu_device *vgpu, unsigned int num_vfs);

#endif /* _VGPU_VF_H_ */
