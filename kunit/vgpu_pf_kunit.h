/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of the PF's ring share: a client, its objects and its jobs.
 */
#ifndef _KUNIT_VGPU_PF_H_
#define _KUNIT_VGPU_PF_H_

#include <kunit/test.h>

#include "../drivers/gpu/drm/vgpu/vgpu_file.h"
#include "../drivers/gpu/drm/vgpu/vgpu_gem.h"
#include "../drivers/gpu/drm/vgpu/vgpu_pf.h"
#include "vgpu_mock.h"

struct dma_fence;
struct drm_gem_object;

static inline struct vgpu_pf *pf_of(struct mock_client *client)
{
	return &mock_gpu_vgpu(client->gpu)->pf;
}

/* An object of a client, there as long as the client. */
struct drm_gem_object *pf_object(struct mock_client *client, u64 size, u32 flags);

/* A client whose PF is in use, and what was written for that forgotten. */
struct mock_client *pf_client_new(struct kunit *test);

/* A job of so many fills, whose values count from a first one, and its fence. */
struct vgpu_job *pf_job(struct mock_client *client, u32 num_cmds, u64 first);
/* Its fence, with a reference of the case. */
struct dma_fence *pf_job_fence(struct kunit *test, struct vgpu_job *job);

#endif /* _KUNIT_VGPU_PF_H_ */
