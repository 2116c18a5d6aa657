/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of debugfs.
 */
#ifndef _VGPU_DEBUGFS_H_
#define _VGPU_DEBUGFS_H_

struct vgpu_device;

void vgpu_debugfs_add(struct vgpu_device *vgpu);

#endif /* _VGPU_DEBUGFS_H_ */
