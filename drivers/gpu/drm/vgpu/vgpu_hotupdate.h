/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of a hot update, as the core calls them.
 */
#ifndef _VGPU_HOTUPDATE_H_
#define _VGPU_HOTUPDATE_H_

#include <linux/types.h>
#include <linux/xarray.h>

#include "vgpu_state.h"

struct drm_hotupdate_adapter;
struct drm_hotupdate_block;
struct vgpu_device;
struct vgpu_vf;

/**
 * struct vgpu_replay_vf - what a replay has brought of a VF
 */
struct vgpu_replay_vf {
	/** @state: its state, once @has_state */
	struct vgpu_vf_state state;
	/** @has_state: its state was replayed */
	bool has_state;
	/** @has_memory: its memory was replayed */
	bool has_memory;
	/** @has_lmtt: its LMTT was replayed */
	bool has_lmtt;
	/**
	 * @defect: why it cannot be restored, or NULL. From start_device on it is the
	 * decision: restore_complete resets the VF.
	 */
	const char *defect;
};

/**
 * struct vgpu_replay - what a replay has brought so far
 */
struct vgpu_replay {
	/** @adapter: state of the adapter, once @has_adapter */
	struct vgpu_adapter_state adapter;
	/** @has_adapter: the state of the adapter was replayed */
	bool has_adapter;
	/** @version: state version of the stash */
	u32 version;
	/**
	 * @kept: blocks, by index, of VFs that cannot be restored. The device
	 * uses their pages until it has reset the VF.
	 */
	struct xarray kept;
	/** @vfs: VF n is entry n - 1 */
	struct vgpu_replay_vf vfs[VGPU_HW_MAX_VFS];
};

/* vgpu_hotupdate.c */
void vgpu_replay_free(struct vgpu_device *vgpu);

/* vgpu_save.c */
int vgpu_save_memory(struct drm_hotupdate_adapter *adapter);
void vgpu_cancel_save(struct drm_hotupdate_adapter *adapter);

/* vgpu_restore.c */
int vgpu_restore_memory(struct drm_hotupdate_adapter *adapter,
			struct drm_hotupdate_block *block);
void vgpu_restore_abort(struct drm_hotupdate_adapter *adapter);
void vgpu_restore_complete(struct drm_hotupdate_adapter *adapter);

/* vgpu_start.c */
int vgpu_start_device(struct drm_hotupdate_adapter *adapter, bool restored);
void vgpu_stop_device(struct drm_hotupdate_adapter *adapter, bool saved);

#endif /* _VGPU_HOTUPDATE_H_ */
