/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vgpu.ko share.
 */
#ifndef _VGPU_DRV_H_
#define _VGPU_DRV_H_

#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_mm.h>

#include "vgpu_hw.h"
#include "vgpu_lmtt.h"
#include "vgpu_memory.h"
#include "vgpu_pf.h"
#include "vgpu_vf.h"

struct drm_hotupdate_adapter;
struct kobject;
struct vgpu_replay;

/** VGPU_RELEASE - release of this driver, by the state version it writes */
#define VGPU_RELEASE		CONFIG_DRM_VGPU_STATE_VERSION

/**
 * enum vgpu_gate - whether clients can open the render node
 *
 * ::
 *
 *	CLOSED --- first start, or restore_complete ---> OPEN
 *	   |                                              |
 *	   +--- start fails, or stop_device ---> GONE <---+ stop_device
 */
enum vgpu_gate {
	/** @VGPU_GATE_CLOSED: an open waits for the first start, or the commit */
	VGPU_GATE_CLOSED,
	/** @VGPU_GATE_OPEN: an open succeeds, also while the device is saved */
	VGPU_GATE_OPEN,
	/** @VGPU_GATE_GONE: an open fails, because the device has stopped */
	VGPU_GATE_GONE,
};

/**
 * struct vgpu_device - a vgpu, as its driver has it
 */
struct vgpu_device {
	/** @drm: the DRM device */
	struct drm_device drm;
	/** @hw: the hardware */
	struct vgpu_hw *hw;
	/** @total_vfs: VFs the hardware has */
	unsigned int total_vfs;
	/** @adapter: hot-update protection of it */
	struct drm_hotupdate_adapter *adapter;

	/** @vram: allocator of VRAM */
	struct vgpu_vram vram;

	/**
	 * @sriov_lock: Protects @vfs and what belongs to them, @serving, and
	 * the PF's end of the mailbox. Taken by the hot-update callbacks.
	 * Order: sriov_lock, then &vgpu_vram.lock. Never with &vgpu_pf.space_lock.
	 */
	struct mutex sriov_lock;
	/** @vfs: VF n is entry n - 1 */
	struct vgpu_vf *vfs;
	/** @num_vfs: VFs that are enabled, the lowest ones */
	unsigned int num_vfs;
	/**
	 * @serving: the device is started, an update is committed, and the next one
	 * is not saved: VFs can be changed, and their requests are answered
	 */
	bool serving;
	/** @gate: whether clients can open the render node; set by vgpu_gate_set() */
	enum vgpu_gate gate;
	/** @gate_wait: opens that wait until @gate changes */
	wait_queue_head_t gate_wait;
	/**
	 * @replay: what a restore has brought so far, from before one can begin until
	 * its commit or abort, or until a first start. Only the hot-update callbacks
	 * use it, which run one at a time.
	 */
	struct vgpu_replay *replay;

	/** @pf: the physical function, as clients use it */
	struct vgpu_pf pf;

	/** @irq_work: does what the interrupt handler must not */
	struct work_struct irq_work;

	/** @sriov_admin: sysfs directory */
	struct kobject *sriov_admin;
};

static inline struct vgpu_device *to_vgpu(struct drm_device *drm)
{
	return container_of(drm, struct vgpu_device, drm);
}

static inline struct vgpu_vf *vgpu_vf(struct vgpu_device *vgpu, unsigned int number)
{
	return &vgpu->vfs[number - 1];
}

static inline u64 vgpu_read(struct vgpu_device *vgpu, u32 reg)
{
	return vgpu->hw->ops->read(vgpu->hw, reg);
}

static inline void vgpu_write(struct vgpu_device *vgpu, u32 reg, u64 value)
{
	vgpu->hw->ops->write(vgpu->hw, reg, value);
}

/* vgpu_device.c */
int vgpu_device_init(struct vgpu_device *vgpu, struct vgpu_hw *hw);
int vgpu_device_request_irq(struct vgpu_device *vgpu);
void vgpu_device_free_irq(struct vgpu_device *vgpu);
void vgpu_device_start_serving(struct vgpu_device *vgpu);
void vgpu_device_stop_serving(struct vgpu_device *vgpu);

/* vgpu_file.c */
void vgpu_gate_set(struct vgpu_device *vgpu, enum vgpu_gate gate);

/* vgpu_hotupdate.c */
int vgpu_hotupdate_register(struct vgpu_device *vgpu);
void vgpu_hotupdate_unregister(struct vgpu_device *vgpu);

/* vgpu_mbox.c */
ktime_t vgpu_mbox_now(void);
bool vgpu_mbox_serve(struct vgpu_device *vgpu);

/* vgpu_sriov_sysfs.c */
int vgpu_sriov_sysfs_add(struct vgpu_device *vgpu);
void vgpu_sriov_sysfs_remove(struct vgpu_device *vgpu);

#endif /* _VGPU_DRV_H_ */
