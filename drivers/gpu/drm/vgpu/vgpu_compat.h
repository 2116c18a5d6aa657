/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that are supported, and cannot be avoided.
 */
#ifndef _VGPU_COMPAT_H_
#define _VGPU_COMPAT_H_

#include <linux/version.h>

#include <drm/drm_gem.h>
#include <drm/gpu_scheduler.h>

/* Jobs that were in flight end with -ECANCELED on all kernels. */
static inline void vgpu_compat_sched_start(struct drm_gpu_scheduler *sched)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	drm_sched_start(sched, 0);
#else
	drm_sched_start(sched);
#endif
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define VGPU_COMPAT_SCHED_RESET	DRM_GPU_SCHED_STAT_RESET
#else
#define VGPU_COMPAT_SCHED_RESET	DRM_GPU_SCHED_STAT_NOMINAL
#endif

/* What memory statistics say; before, whether an object is in use was not asked. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define VGPU_COMPAT_MEMORY_STATUS (DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_ACTIVE)
#else
#define VGPU_COMPAT_MEMORY_STATUS DRM_GEM_OBJECT_RESIDENT
#endif

#endif /* _VGPU_COMPAT_H_ */
