// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the PF's ring: what is written to it, and whose fence is
 * signalled when. The case plays the engine.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/dma-fence.h>

#include <drm/drm_gem.h>

#include "vgpu_pf_kunit.h"

KUNIT_DEFINE_ACTION_WRAPPER(put_fence, dma_fence_put, struct dma_fence *);

struct drm_gem_object *pf_object(struct mock_client *client, u64 size, u32 flags)
{
	struct drm_vgpu_gem_create args = { .size = size, .flags = flags };
	struct kunit *test = client->test;
	struct drm_gem_object *obj;

	KUNIT_ASSERT_EQ(test, mock_client_call(client, DRM_VGPU_GEM_CREATE, &args), 0);
	obj = drm_gem_object_lookup(mock_client_file(client), args.handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	/* The handle keeps it. */
	drm_gem_object_put(obj);
	return obj;
}

struct mock_client *pf_client_new(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);

	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(pf_object(client, SZ_4K, DRM_VGPU_GEM_VRAM)), 0);
	mock_hw_forget_writes(client->gpu->hw);
	return client;
}

struct vgpu_job *pf_job(struct mock_client *client, u32 num_cmds, u64 first)
{
	struct vgpu_file *file = mock_client_file(client)->driver_priv;
	struct kunit *test = client->test;
	struct vgpu_job *job;
	u32 i;

	job = vgpu_job_create(mock_gpu_vgpu(client->gpu), file, num_cmds);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, job);
	scoped_guard(mutex, &file->lock)
		job->fence = vgpu_file_next_fence(file);
	for (i = 0; i < num_cmds; i++)
		job->cmds[i] = (struct vgpu_cmd) { .op = VGPU_CMD_FILL, .value = first + i };
	if (!job->fence)
		vgpu_job_abandon(job);
	KUNIT_ASSERT_NOT_NULL(test, job->fence);
	return job;
}

struct dma_fence *pf_job_fence(struct kunit *test, struct vgpu_job *job)
{
	struct dma_fence *fence = dma_fence_get(job->fence);

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_fence, fence), 0);
	return fence;
}

static void free_pushed(void *data)
{
	struct vgpu_job *job = data;

	/* It may not be done. */
	vgpu_ring_cancel(&job->vgpu->pf.ring, -ECANCELED, -ECANCELED);
	vgpu_job_abandon(job);
}

/* One that is pushed past the scheduler, and is the case's to free. */
static struct vgpu_job *push(struct mock_client *client, u32 num_cmds, u64 first)
{
	struct vgpu_job *job = pf_job(client, num_cmds, first);
	struct kunit *test = client->test;

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_pushed, job), 0);
	KUNIT_ASSERT_EQ(test, vgpu_ring_push(job->vgpu, job), 0);
	return job;
}

static void expect_fills(struct kunit *test, const struct vgpu_ring *ring, u64 at,
			 u32 num, u64 first)
{
	u32 i;

	for (i = 0; i < num; i++) {
		const struct vgpu_cmd *cmd = &ring->cmds[(at + i) % VGPU_RING_ENTRIES];

		KUNIT_EXPECT_EQ(test, cmd->op, VGPU_CMD_FILL);
		KUNIT_EXPECT_EQ(test, cmd->value, first + i);
	}
}

static void expect_fence(struct kunit *test, const struct vgpu_ring *ring, u64 at, u64 value)
{
	const struct vgpu_cmd *cmd = &ring->cmds[at % VGPU_RING_ENTRIES];

	KUNIT_EXPECT_EQ(test, cmd->op, VGPU_CMD_FENCE);
	KUNIT_EXPECT_EQ(test, cmd->value, value);
}

/* The commands, a fence, and then the doorbell. */
static void push_writes_commands(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct vgpu_ring *ring = &pf_of(client)->ring;

	push(client, 3, 100);
	push(client, 1, 200);
	expect_fills(test, ring, 0, 3, 100);
	expect_fence(test, ring, 3, 1);
	expect_fills(test, ring, 4, 1, 200);
	expect_fence(test, ring, 5, 2);
	MOCK_EXPECT_WRITES(client->gpu->hw,
			   { VGPU_FN(0, VGPU_FN_RING_TAIL), 4 },
			   { VGPU_FN(0, VGPU_FN_RING_TAIL), 6 });
}

/* What does not fit before the end goes on at the start; the tail counts on. */
static void push_wraps(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct mock_hw *hw = client->gpu->hw;
	struct vgpu_ring *ring = &pf_of(client)->ring;
	const u32 num = 300;
	u64 round, at = 0;

	for (round = 1; round <= 9; round++) {
		struct vgpu_job *job = push(client, num, round * 1000);

		expect_fills(test, ring, at, num, round * 1000);
		expect_fence(test, ring, at + num, round);
		at += num + 1;
		KUNIT_EXPECT_EQ(test, hw->fns[0].ring_tail, at);
		mock_hw_pass_fence(hw, round);
		KUNIT_EXPECT_EQ(test, dma_fence_get_status(job->fence), 1);
	}
	KUNIT_EXPECT_GT(test, at, 2 * VGPU_RING_ENTRIES);
}

/* All that the engine is past, none that it is not. */
static void fence_signals_up_to(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct vgpu_job *job[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(job); i++)
		job[i] = push(client, 2, i);

	mock_hw_pass_fence(client->gpu->hw, 0);
	for (i = 0; i < ARRAY_SIZE(job); i++)
		KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(job[i]->fence));
	mock_hw_pass_fence(client->gpu->hw, 3);
	for (i = 0; i < ARRAY_SIZE(job); i++)
		KUNIT_EXPECT_EQ(test, dma_fence_get_status(job[i]->fence), i < 3);
	mock_hw_pass_fence(client->gpu->hw, 4);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(job[3]->fence), 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&pf_of(client)->ring.running));
}

/* Clients of the host are served whether guests are or not. */
static void fence_signals_when_saved(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct vgpu_job *job = push(client, 1, 0);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(client->gpu->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, client->gpu->hw->irq_enable, MOCK_IDLE_IRQS);
	mock_hw_pass_fence(client->gpu->hw, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(job->fence), 1);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(client->gpu->adapter), 0);
	KUNIT_EXPECT_EQ(test, client->gpu->hw->irq_enable, MOCK_SERVING_IRQS);
}

static u64 engine_ns_of(struct mock_client *client)
{
	struct vgpu_file *file = mock_client_file(client)->driver_priv;

	return atomic64_read(&file->engine_ns);
}

/* What the engine did for the PF, not how long others kept it, or nobody did. */
static void fence_accounts_engine_time(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct mock_hw *hw = client->gpu->hw;

	mock_hw_use_engine(hw, 5000);
	push(client, 1, 0);
	push(client, 1, 0);
	mock_hw_use_engine(hw, 300);
	KUNIT_EXPECT_EQ(test, engine_ns_of(client), 0);
	mock_hw_pass_fence(hw, 1);
	KUNIT_EXPECT_EQ(test, engine_ns_of(client), 300);
	mock_hw_use_engine(hw, 40);
	mock_hw_pass_fence(hw, 2);
	KUNIT_EXPECT_EQ(test, engine_ns_of(client), 340);
}

/* A device that has gone reads as all ones: no job is lost in that. */
static void fence_of_gone_device(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct vgpu_job *job = push(client, 1, 0);

	client->gpu->hw->gone = true;
	mock_hw_interrupt_late(client->gpu->hw);
	client->gpu->hw->gone = false;
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(job->fence));
	KUNIT_EXPECT_EQ(test, engine_ns_of(client), 0);
}

/* The one that the device was at is told from those that were behind it. */
static void cancel_tells_guilty(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct vgpu_job *guilty = push(client, 1, 0), *other = push(client, 1, 0);

	vgpu_ring_cancel(&pf_of(client)->ring, -ETIME, -ECANCELED);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(guilty->fence), -ETIME);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(other->fence), -ECANCELED);
	KUNIT_EXPECT_TRUE(test, list_empty(&pf_of(client)->ring.running));
}

static void push_after_end(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct vgpu_ring *ring = &pf_of(client)->ring;
	struct vgpu_cmd *memory = vgpu_ring_end(ring);
	struct vgpu_job *job = pf_job(client, 1, 0);

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_pushed, job), 0);
	KUNIT_EXPECT_NOT_NULL(test, memory);
	KUNIT_EXPECT_EQ(test, vgpu_ring_push(job->vgpu, job), -ENODEV);
	KUNIT_EXPECT_NULL(test, vgpu_ring_end(ring));
	MOCK_EXPECT_NO_WRITES(client->gpu->hw);
	vgpu_ring_begin(ring, memory);
}

/* After a reset, what the register held before means no job that comes after. */
static void fence_of_before_reset(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct mock_hw *hw = client->gpu->hw;
	struct vgpu_job *job[3];

	job[0] = push(client, 1, 0);
	job[1] = push(client, 1, 0);
	vgpu_pf_reset(job[0]->vgpu);
	vgpu_ring_cancel(&pf_of(client)->ring, -ECANCELED, -ECANCELED);
	job[2] = push(client, 1, 0);
	KUNIT_EXPECT_EQ(test, hw->fns[0].ring_tail, 2);

	mock_hw_pass_fence(hw, 2);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(job[2]->fence));
	mock_hw_pass_fence(hw, 3);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(job[2]->fence), 1);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(push_writes_commands),
	KUNIT_CASE(push_wraps),
	KUNIT_CASE(push_after_end),
	KUNIT_CASE(fence_signals_up_to),
	KUNIT_CASE(fence_signals_when_saved),
	KUNIT_CASE(fence_accounts_engine_time),
	KUNIT_CASE(fence_of_gone_device),
	KUNIT_CASE(cancel_tells_guilty),
	KUNIT_CASE(fence_of_before_reset),
	{ }
};

static struct kunit_suite ring_suite = {
	.name = "vgpu_ring",
	.init = mock_init,
	.suite_exit = mock_suite_exit,
	.test_cases = ring_cases,
};

kunit_test_suites(&ring_suite);
