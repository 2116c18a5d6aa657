/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failures on demand, where an update can fail: for tests of what is left.
 */
#ifndef _VGPU_FAULT_H_
#define _VGPU_FAULT_H_

#include <linux/types.h>

struct vgpu_device;

int vgpu_fault_probe(struct vgpu_device *vgpu);
int vgpu_fault_save(struct vgpu_device *vgpu, unsigned int block);
void vgpu_fault_spoil_vf(struct vgpu_device *vgpu, unsigned int number, u8 *data,
			 size_t size);
int vgpu_fault_restore(struct vgpu_device *vgpu, unsigned int block);
int vgpu_fault_start(struct vgpu_device *vgpu);
int vgpu_fault_late(struct vgpu_device *vgpu);

#endif /* _VGPU_FAULT_H_ */
