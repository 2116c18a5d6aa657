// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the physical function as clients use it: when it is set up and
 * taken down, where objects are, and jobs from the queue to the end.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include <drm/drm_gem.h>

#include "vgpu_pf_kunit.h"

#define PATIENCE	msecs_to_jiffies(20000)

/* Nobody has used it: then nothing is done to the device, in an update neither. */
static void at_rest_until_used(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	struct drm_gem_object *obj = pf_object(client, SZ_8K, 0);

	KUNIT_EXPECT_FALSE(test, vgpu_gem_is_resident(obj));
	MOCK_EXPECT_NO_WRITES(client->gpu->hw);
	KUNIT_EXPECT_FALSE(test, client->gpu->hw->fns[0].enabled);
}

/* The first use sets it up, with a ring that it can reach. */
static void bind_starts(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	struct mock_hw *hw = client->gpu->hw;
	struct vgpu_pf *pf = pf_of(client);
	u64 offset;

	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(pf_object(client, SZ_8K, 0)), 0);
	MOCK_EXPECT_WRITES(hw,
			   { VGPU_FN(0, VGPU_FN_RESET), VGPU_RESET_MAGIC },
			   { VGPU_FN(0, VGPU_FN_TABLE), vgpu_lmtt_base(&pf->lmtt) },
			   { VGPU_FN(0, VGPU_FN_MEM_SIZE), VGPU_LMTT_MAX_SIZE },
			   { VGPU_FN(0, VGPU_FN_CTRL), VGPU_FN_CTRL_ENABLE },
			   { VGPU_FN(0, VGPU_FN_RING_BASE), 0 },
			   { VGPU_FN(0, VGPU_FN_RING_ENTRIES), VGPU_RING_ENTRIES });
	for (offset = 0; offset < VGPU_RING_SIZE; offset += PAGE_SIZE) {
		struct page *page = vmalloc_to_page((void *)pf->ring.cmds + offset);

		KUNIT_EXPECT_EQ(test, mock_walk(hw->fns[0].table, offset, NULL),
				page_to_phys(page) | VGPU_LMTT_SYSTEM | VGPU_LMTT_VALID);
	}
}

static void expect_unmapped(struct kunit *test, struct mock_hw *hw, u64 address, u64 size)
{
	u64 offset;

	for (offset = 0; offset < size; offset += PAGE_SIZE)
		KUNIT_EXPECT_EQ(test, mock_walk(hw->fns[0].table, address + offset, NULL), 0);
}

/* An object in VRAM is where its node is, one in system memory where its pages are. */
static void bind_maps(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct mock_hw *hw = client->gpu->hw;
	struct drm_gem_object *vram = pf_object(client, 3 * SZ_4K, DRM_VGPU_GEM_VRAM);
	struct drm_gem_object *sys = pf_object(client, 5 * SZ_4K, 0);
	u64 offset, address;

	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(vram), 0);
	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(sys), 0);
	address = vgpu_gem_address(vram);
	KUNIT_EXPECT_GE(test, address, VGPU_RING_SIZE);
	for (offset = 0; offset < vram->size; offset += PAGE_SIZE)
		KUNIT_EXPECT_EQ(test, mock_walk(hw->fns[0].table, address + offset, NULL),
				(container_of(vram, struct vgpu_gem_vram, base)->node.start +
				 offset) | VGPU_LMTT_VALID);
	address = vgpu_gem_address(sys);
	for (offset = 0; offset < sys->size; offset += PAGE_SIZE) {
		struct page *page = to_drm_gem_shmem_obj(sys)->pages[offset >> PAGE_SHIFT];

		KUNIT_EXPECT_EQ(test, mock_walk(hw->fns[0].table, address + offset, NULL),
				page_to_phys(page) | VGPU_LMTT_SYSTEM | VGPU_LMTT_VALID);
	}
	/* No notice is needed of what becomes valid. */
	MOCK_EXPECT_NO_WRITES(hw);
}

static void bind_again_is_the_same(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct drm_gem_object *obj = pf_object(client, SZ_8K, 0);
	u64 address;

	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(obj), 0);
	address = vgpu_gem_address(obj);
	KUNIT_EXPECT_EQ(test, vgpu_gem_bind(obj), 0);
	KUNIT_EXPECT_EQ(test, vgpu_gem_address(obj), address);
	MOCK_EXPECT_NO_WRITES(client->gpu->hw);
}

/* Addresses of an object that is freed lead nowhere, and the device is told. */
static void free_unmaps(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct drm_vgpu_gem_create args = { .size = SZ_16K };
	struct drm_file *file = mock_client_file(client);
	struct mock_hw *hw = client->gpu->hw;
	struct drm_gem_object *obj;
	u64 address;

	KUNIT_ASSERT_EQ(test, mock_client_call(client, DRM_VGPU_GEM_CREATE, &args), 0);
	obj = drm_gem_object_lookup(file, args.handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, vgpu_gem_bind(obj), 0);
	address = vgpu_gem_address(obj);
	drm_gem_object_put(obj);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(file, args.handle), 0);
	MOCK_EXPECT_WRITES(hw, { VGPU_FN(0, VGPU_FN_INVALIDATE), 1 });
	expect_unmapped(test, hw, address, SZ_16K);
}

/* Map functions that map more or less than the binding has. */
struct wrong_map {
	const char *name;
	u64 first;
	u64 second;
	int result;
	int err;
};

static const struct wrong_map wrong_maps[] = {
	{ "a_page_too_many", SZ_16K, SZ_4K, 0, -ERANGE },
	{ "all_at_once_too_many", SZ_16K + SZ_4K, 0, 0, -ERANGE },
	{ "much_too_many", SZ_4K, VGPU_LMTT_MAX_SIZE, 0, -ERANGE },
	{ "so_many_that_it_wraps", SZ_4K, U64_MAX - SZ_4K + 1, 0, -ERANGE },
	{ "a_page_too_few", SZ_8K, SZ_4K, 0, -ERANGE },
	{ "none", 0, 0, 0, -ERANGE },
	{ "gives_up", SZ_8K, 0, -EIO, -EIO },
	{ "is_not_whole_pages", SZ_8K, SZ_4K + 8, 0, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(wrong_map, wrong_maps, name);

static struct vgpu_gem_system *to_gem_system(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_shmem_obj(obj), struct vgpu_gem_system, base);
}

static int map_wrongly(struct vgpu_mapping *mapping, void *data)
{
	const struct wrong_map *c = data;

	return vgpu_mapping_add(mapping, 0, c->first, 0) ?:
	       vgpu_mapping_add(mapping, 0, c->second, 0) ?: c->result;
}

/* The bind is undone, neighbours keep their entries, the device is notified. */
static void bind_maps_what_it_should_not(struct kunit *test)
{
	struct wrong_map c = *(const struct wrong_map *)test->param_value;
	struct mock_client *client = pf_client_new(test);
	struct mock_hw *hw = client->gpu->hw;
	struct drm_gem_object *gap = pf_object(client, SZ_16K, 0);
	struct drm_gem_object *behind = pf_object(client, SZ_64K, DRM_VGPU_GEM_VRAM);
	struct vgpu_binding binding = { };
	u64 address, offset;

	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(gap), 0);
	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(behind), 0);
	address = vgpu_gem_address(gap);
	KUNIT_ASSERT_EQ(test, vgpu_gem_address(behind), address + SZ_16K);
	vgpu_pf_unbind(mock_gpu_vgpu(client->gpu), &to_gem_system(gap)->binding);
	mock_hw_forget_writes(hw);
	KUNIT_EXPECT_EQ(test, c.err, vgpu_pf_bind(mock_gpu_vgpu(client->gpu), &binding, SZ_16K,
						  map_wrongly, &c));
	KUNIT_EXPECT_FALSE(test, drm_mm_node_allocated(&binding.node));
	MOCK_EXPECT_WRITES(hw, { VGPU_FN(0, VGPU_FN_INVALIDATE), 1 });
	expect_unmapped(test, hw, address, SZ_16K);
	for (offset = 0; offset < SZ_64K; offset += SZ_4K)
		KUNIT_EXPECT_EQ(test,
				mock_walk(hw->fns[0].table, address + SZ_16K + offset, NULL),
				(container_of(behind, struct vgpu_gem_vram, base)->node.start +
				 offset) | VGPU_LMTT_VALID);
}

/* Whichever allocation fails, nothing is left of the attempt, and the next works. */
static void bind_fail_nth(struct kunit *test)
{
	unsigned int nth = 0;
	bool has_failed;

	mock_fail_init(test);
	do {
		struct mock_client *client = mock_client_new(test);
		struct drm_gem_object *obj = pf_object(client, SZ_8K, 0);
		int err;

		mock_fail_begin(++nth);
		err = vgpu_gem_bind(obj);
		has_failed = mock_fail_end();
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, vgpu_gem_bind(obj), 0);
		}
		KUNIT_EXPECT_GE(test, vgpu_gem_address(obj), VGPU_RING_SIZE);
	} while (has_failed);
	kunit_info(test, "failed %u allocations\n", nth - 1);
}

/* Through the scheduler. The case has no reference to the job afterwards. */
static struct dma_fence *submit(struct mock_client *client, struct dma_fence *dependency)
{
	struct vgpu_job *job = pf_job(client, 1, 0);
	struct dma_fence *fence = pf_job_fence(client->test, job);

	if (dependency)
		KUNIT_EXPECT_EQ(client->test, 0,
				drm_sched_job_add_dependency(&job->base,
							     dma_fence_get(dependency)));
	drm_sched_job_arm(&job->base);
	drm_sched_entity_push_job(&job->base);
	return fence;
}

static bool wait_for_tail(struct mock_client *client, u64 tail)
{
	unsigned long end = jiffies + PATIENCE;

	while (READ_ONCE(client->gpu->hw->fns[0].ring_tail) != tail) {
		if (time_after(jiffies, end))
			return false;
		msleep(20);
	}
	return true;
}

/* Until the check for hangs has judged the first job by so much of the engine's time. */
static bool wait_for_look(struct mock_client *client, u64 used_ns)
{
	struct vgpu_pf *pf = pf_of(client);
	unsigned long end = jiffies + PATIENCE;

	do {
		scoped_guard(mutex, &pf->hw_lock) {
			if (pf->last_look.seqno == 1 && pf->last_look.used_ns == used_ns)
				return true;
		}
		msleep(20);
	} while (time_before(jiffies, end));
	return false;
}

static void expect_idle(struct mock_client *client)
{
	struct vgpu_pf *pf = pf_of(client);
	long left = wait_event_timeout(pf->idle, !atomic_read(&pf->num_jobs), PATIENCE);

	KUNIT_EXPECT_GT(client->test, left, 0);
}

/* It goes into the ring, is done, and is freed. */
static void job_is_done(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct dma_fence *fence = submit(client, NULL);

	KUNIT_ASSERT_TRUE(test, wait_for_tail(client, 2));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
	mock_hw_pass_fence(client->gpu->hw, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 1);
	expect_idle(client);
}

/* One that waits is not in the ring, and in nobody's way. */
static void job_waits_for_fence(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct vgpu_job *never = pf_job(client, 1, 0);
	struct dma_fence *dependency = pf_job_fence(test, never);
	struct dma_fence *fence = submit(client, dependency);

	/* The scheduler has looked at it. */
	flush_workqueue(pf_of(client)->wq);
	KUNIT_EXPECT_EQ(test, client->gpu->hw->fns[0].ring_tail, 0);
	/* Its fence is signalled, with an error: so the other one is not done either. */
	vgpu_job_abandon(never);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(dependency), -ECANCELED);
	KUNIT_ASSERT_TRUE(test, wait_for_tail(client, 2));
	mock_hw_pass_fence(client->gpu->hw, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, false, PATIENCE) > 0, true);
	expect_idle(client);
}

/* Neither was the job ended, nor will the scheduler, which may be about to. */
static void expect_not_reset(struct mock_client *client, struct dma_fence *fence)
{
	flush_work(&pf_of(client)->sched.work_tdr.work);
	KUNIT_EXPECT_FALSE(client->test, dma_fence_is_signaled(fence));
	KUNIT_EXPECT_EQ(client->test, mock_hw_resets_of(client->gpu->hw, 0), 0);
}

static void expect_next_job_works(struct mock_client *client, u64 seqno)
{
	struct dma_fence *fence = submit(client, NULL);

	KUNIT_EXPECT_TRUE(client->test, wait_for_tail(client, 2));
	mock_hw_pass_fence(client->gpu->hw, seqno);
	KUNIT_EXPECT_EQ(client->test, dma_fence_get_status(fence), 1);
	expect_idle(client);
}

/* The ring is reset, the job is to blame, and those that come after it work. */
static void job_that_does_not_end(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct dma_fence *guilty, *other;

	guilty = submit(client, NULL);
	other = submit(client, NULL);
	KUNIT_ASSERT_TRUE(test, wait_for_tail(client, 4));
	mock_hw_use_engine(client->gpu->hw, 11 * NSEC_PER_SEC);
	KUNIT_EXPECT_GT(test, dma_fence_wait_timeout(guilty, false, PATIENCE), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(guilty), -ETIME);
	KUNIT_EXPECT_GT(test, dma_fence_wait_timeout(other, false, PATIENCE), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(other), -ECANCELED);
	expect_idle(client);
	KUNIT_EXPECT_EQ(test, mock_hw_resets_of(client->gpu->hw, 0), 1);

	expect_next_job_works(client, 3);
}

/* Others have the engine all the time: no time is too long, until it moves. */
static void job_that_has_to_wait(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct dma_fence *fence;

	/* What the engine did for the PF before is not for this job to pay. */
	mock_hw_use_engine(client->gpu->hw, 11 * NSEC_PER_SEC);
	fence = submit(client, NULL);
	KUNIT_ASSERT_TRUE(test, wait_for_tail(client, 2));
	mock_hw_use_engine(client->gpu->hw, 9 * NSEC_PER_SEC);
	KUNIT_EXPECT_TRUE(test, wait_for_look(client, 9 * NSEC_PER_SEC));
	expect_not_reset(client, fence);
	mock_hw_pass_fence(client->gpu->hw, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 1);
	expect_idle(client);
}

/* An engine that does nothing at all is given up after a while. */
static void engine_that_has_stalled(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct vgpu_pf *pf = pf_of(client);
	struct dma_fence *fence = submit(client, NULL);

	KUNIT_ASSERT_TRUE(test, wait_for_look(client, 0));
	scoped_guard(mutex, &pf->hw_lock)
		pf->went_on -= 301 * HZ;
	KUNIT_EXPECT_GT(test, dma_fence_wait_timeout(fence, false, PATIENCE), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), -ETIME);
	expect_idle(client);
}

/* A ring that has stopped is not waited for. */
static void job_that_faults(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct dma_fence *fence = submit(client, NULL);

	KUNIT_ASSERT_TRUE(test, wait_for_tail(client, 2));
	mock_hw_stop_pf(client->gpu->hw);
	KUNIT_EXPECT_GT(test, dma_fence_wait_timeout(fence, false, PATIENCE), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), -ETIME);
	expect_idle(client);
	expect_next_job_works(client, 2);
}

/* A VF's fault is none of the PF's. */
static void fault_of_vf(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct dma_fence *fence = submit(client, NULL);

	KUNIT_ASSERT_TRUE(test, wait_for_tail(client, 2));
	client->gpu->hw->irq_status |= VGPU_IRQ_FAULT;
	client->gpu->hw->vf_faults = 1;
	mock_gpu_serve(client->gpu);
	expect_not_reset(client, fence);
	mock_hw_pass_fence(client->gpu->hw, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 1);
}

/*
 * A driver that goes ends what is in the ring, and what is yet to come; the
 * device is not touched any more, though the client still has its file.
 */
static void unbind_ends_jobs(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct vgpu_job *never = pf_job(client, 1, 0);
	struct dma_fence *waiting, *running = submit(client, NULL);

	KUNIT_ASSERT_TRUE(test, wait_for_tail(client, 2));
	waiting = submit(client, never->fence);
	mock_hw_forget_writes(client->gpu->hw);
	mock_gpu_unbind(client->gpu);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(running), -ENODEV);
	MOCK_EXPECT_WRITES(client->gpu->hw, { VGPU_FN(0, VGPU_FN_RESET), VGPU_RESET_MAGIC });

	mock_hw_forget_writes(client->gpu->hw);
	vgpu_job_abandon(never);
	KUNIT_EXPECT_GT(test, dma_fence_wait_timeout(waiting, false, PATIENCE), 0);
	KUNIT_EXPECT_LT(test, dma_fence_get_status(waiting), 0);
	mock_client_close(client);
	MOCK_EXPECT_NO_WRITES(client->gpu->hw);
}

/* The driver could not go: so the update does not even begin, and goes on serving. */
static void job_of_client_that_has_gone(struct kunit *test)
{
	struct mock_client *client = pf_client_new(test);
	struct mock_gpu *gpu = client->gpu;
	struct vgpu_job *job = pf_job(client, 1, 0);

	mock_client_close(client);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(gpu->adapter, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, gpu->hw->irq_enable, MOCK_SERVING_IRQS);
	vgpu_job_abandon(job);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(gpu->adapter, 0), 0);
}

struct early_client {
	struct work_struct work;
	struct mock_client *client;
	struct file *file;
};

static void open_early(struct work_struct *work)
{
	struct early_client *early = container_of(work, struct early_client, work);

	early->file = mock_drm_getfile(early->client->drm->render, O_RDWR);
}

/* An open that comes while the device starts is served when it has started. */
static void open_waits_for_start(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	struct early_client early = { .client = client };
	struct vgpu_device *vgpu = mock_gpu_vgpu(client->gpu);

	INIT_WORK_ONSTACK(&early.work, open_early);
	vgpu_gate_set(vgpu, VGPU_GATE_CLOSED);
	schedule_work(&early.work);
	msleep(100);
	KUNIT_EXPECT_NULL(test, READ_ONCE(early.file));
	vgpu_gate_set(vgpu, VGPU_GATE_OPEN);
	flush_work(&early.work);
	destroy_work_on_stack(&early.work);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, early.file);
	__fput_sync(early.file);
}

/* An open that found the node just before it went fails. */
static void open_after_stop(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	struct file *file;

	mock_gpu_unbind(client->gpu);
	file = mock_drm_getfile(client->drm->render, O_RDWR);
	KUNIT_EXPECT_PTR_EQ(test, file, ERR_PTR(-ENODEV));
}

/* Clients are not part of an update: while it is saved they come and go. */
static void open_while_saved(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	struct file *file;

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(client->gpu->adapter, 0), 0);
	file = mock_drm_getfile(client->drm->render, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	__fput_sync(file);
}

/* In an update the PF is what is reset, and VFs are not. */
static void update_resets_pf_alone(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	struct mock_gpu *gpu = client->gpu;
	struct mock_guest *guest;

	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 2), 0);
	guest = mock_guest_new(test, gpu->hw, 1);
	KUNIT_ASSERT_EQ(test, vgpu_gem_bind(pf_object(client, SZ_8K, 0)), 0);
	mock_hw_forget_writes(gpu->hw);

	mock_gpu_detach(gpu, 0);
	MOCK_EXPECT_WRITES(gpu->hw, { VGPU_FN(0, VGPU_FN_RESET), VGPU_RESET_MAGIC });
	mock_client_close(client);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(gpu), 0);
	KUNIT_EXPECT_EQ(test, gpu->hw->num_writes, 1);
	KUNIT_EXPECT_FALSE(test, gpu->hw->fns[0].enabled);
	mock_guest_expect_intact(guest);
}

static struct kunit_case pf_cases[] = {
	KUNIT_CASE(at_rest_until_used),
	KUNIT_CASE(bind_fail_nth),
	KUNIT_CASE(bind_starts),
	KUNIT_CASE(bind_maps),
	KUNIT_CASE(bind_again_is_the_same),
	KUNIT_CASE_PARAM(bind_maps_what_it_should_not, wrong_map_gen_params),
	KUNIT_CASE(free_unmaps),
	KUNIT_CASE(job_that_does_not_end),
	KUNIT_CASE(job_that_has_to_wait),
	KUNIT_CASE(engine_that_has_stalled),
	KUNIT_CASE(job_that_faults),
	KUNIT_CASE(fault_of_vf),
	KUNIT_CASE(job_waits_for_fence),
	KUNIT_CASE(job_is_done),
	KUNIT_CASE(unbind_ends_jobs),
	KUNIT_CASE(job_of_client_that_has_gone),
	KUNIT_CASE(open_waits_for_start),
	KUNIT_CASE(open_while_saved),
	KUNIT_CASE(open_after_stop),
	KUNIT_CASE(update_resets_pf_alone),
	{ }
};

static struct kunit_suite pf_suite = {
	.name = "vgpu_pf",
	.init = mock_init,
	.suite_exit = mock_suite_exit,
	.test_cases = pf_cases,
};

kunit_test_suites(&pf_suite);
