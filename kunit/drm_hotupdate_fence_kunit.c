// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences that outlive the driver which made them.
 */

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/string.h>

#include "drm_hotupdate_kunit.h"

KUNIT_DEFINE_ACTION_WRAPPER(put_fence, dma_fence_put, struct dma_fence *);

static struct dma_fence *fence_new(struct kunit *test, const char *driver,
				   const char *timeline, u64 context, u64 seqno)
{
	struct dma_fence *fence = drm_hotupdate_fence_create(driver, timeline, context, seqno);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_fence, fence), 0);
	return fence;
}

/* Before the end of the case, which is to see that the core is not pinned. */
static void fence_end(struct kunit *test, struct dma_fence *fence)
{
	dma_fence_signal(fence);
	kunit_release_action(test, put_fence, fence);
}

/* With the driver gone: what the driver called it is wiped. */
static void name_outlives_driver(struct kunit *test)
{
	char driver[] = "fake", timeline[] = "fake.0 client 7";
	struct dma_fence *fence = fence_new(test, driver, timeline, 1, 1);

	memset(driver, 'x', sizeof(driver) - 1);
	memset(timeline, 'x', sizeof(timeline) - 1);
	KUNIT_EXPECT_STREQ(test, fence->ops->get_driver_name(fence), "fake");
	KUNIT_EXPECT_STREQ(test, fence->ops->get_timeline_name(fence), "fake.0 client 7");
	fence_end(test, fence);
}

static void long_name_is_cut(struct kunit *test)
{
	char name[DRM_HOTUPDATE_FENCE_NAME_LEN + 20];
	struct dma_fence *fence;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	fence = fence_new(test, name, name, 1, 1);
	KUNIT_EXPECT_EQ(test, strlen(fence->ops->get_driver_name(fence)),
			DRM_HOTUPDATE_FENCE_NAME_LEN - 1);
	KUNIT_EXPECT_EQ(test, strlen(fence->ops->get_timeline_name(fence)),
			DRM_HOTUPDATE_FENCE_NAME_LEN - 1);
	fence_end(test, fence);
}

struct waiter {
	struct dma_fence_cb cb;
	unsigned int calls;
	int error;
};

static void count_call(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct waiter *waiter = container_of(cb, struct waiter, cb);

	waiter->calls++;
	waiter->error = fence->error;
}

/* It is what its driver makes of it, and tells those who wait, once. */
static void signal_tells_waiters(struct kunit *test)
{
	struct dma_fence *fence = fence_new(test, "fake", "fake", 9, 12);
	struct waiter waiter = { };

	KUNIT_EXPECT_EQ(test, fence->context, 9);
	KUNIT_EXPECT_EQ(test, (u64)fence->seqno, 12);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &waiter.cb, count_call), 0);
	KUNIT_EXPECT_EQ(test, waiter.calls, 0);

	dma_fence_set_error(fence, -EIO);
	dma_fence_signal(fence);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, waiter.calls, 1);
	KUNIT_EXPECT_EQ(test, waiter.error, -EIO);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), -EIO);
	KUNIT_EXPECT_EQ(test, dma_fence_wait(fence, false), 0);
	fence_end(test, fence);
}

/* The core stays as long as there is a fence, and no longer. */
static void fence_pins_core(struct kunit *test)
{
	struct fake_env *env = test->priv;
	struct dma_fence *fence;

	if (!hotupdate_module())
		kunit_skip(test, "the core is built in, and stays anyway");

	fence = drm_hotupdate_fence_create("fake", "fake", 1, 1);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_EXPECT_EQ(test, fake_core_refs(), env->core_refs + 1);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, fake_core_refs(), env->core_refs + 1);
	dma_fence_put(fence);
	/* That it goes is for the end of the case to see. */
}

static struct kunit_case fence_cases[] = {
	KUNIT_CASE(name_outlives_driver),
	KUNIT_CASE(long_name_is_cut),
	KUNIT_CASE(signal_tells_waiters),
	KUNIT_CASE(fence_pins_core),
	{ }
};

static struct kunit_suite fence_suite = {
	.name = "drm_hotupdate_fence",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = fence_cases,
};

kunit_test_suites(&fence_suite);
