// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the mailbox: each request of a VF is answered once, in the
 * order of sending, as it has to be, and nobody can keep the driver busy.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/sizes.h>

#include <drm/vgpu_drm.h>

#include "vgpu_mock.h"

/* The VF that asks; it has two megabytes, and time slices of 20 ms. */
#define ASKING	2

/* Time goes on when a case wants it to, not when the host is busy. */
static ktime_t fake_now;

static ktime_t stopped_clock(void)
{
	return fake_now;
}

static struct mock_gpu *gpu_with_vfs(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);

	mock_gpu_provision(gpu, ASKING, SZ_2M, VGPU_BACKING_VRAM);
	mock_gpu_vf(gpu, ASKING)->profile.quantum_us = 20000;
	mock_gpu_vf(gpu, ASKING)->profile.priority = VGPU_PRIORITY_HIGH;
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 3), 0);
	mock_hw_forget_writes(gpu->hw);
	fake_now = ktime_set(1, 0);
	kunit_activate_static_stub(test, vgpu_mbox_now, stopped_clock);
	return gpu;
}

static bool serve(struct mock_gpu *gpu)
{
	struct vgpu_device *vgpu = mock_gpu_vgpu(gpu);

	guard(mutex)(&vgpu->sriov_lock);

	return vgpu_mbox_serve(vgpu);
}

struct request_case {
	const char *name;
	u64 op, arg0, arg1;
	u64 status, value;
};

static const struct request_case request_cases[] = {
	{ "op_zero", 0, 0, 0, EOPNOTSUPP, 0 },
	{ "op_next", 5, 1, 1, EOPNOTSUPP, 0 },
	{ "op_max", U64_MAX, U64_MAX, U64_MAX, EOPNOTSUPP, 0 },
	{ "op_beyond_32_bits", BIT_ULL(32) | VGPU_MBOX_QUERY, 1, 0, EOPNOTSUPP, 0 },
	{ "query_zero", VGPU_MBOX_QUERY, 0, 0, EINVAL, 0 },
	{ "query_next", VGPU_MBOX_QUERY, 5, 0, EINVAL, 0 },
	{ "query_max", VGPU_MBOX_QUERY, U64_MAX, 0, EINVAL, 0 },
	{ "query_beyond_32_bits", VGPU_MBOX_QUERY, BIT_ULL(32) | 1, 0, EINVAL, 0 },
	{ "query_mem_size", VGPU_MBOX_QUERY, VGPU_PROPERTY_MEM_SIZE, 0, 0, SZ_2M },
	{ "query_timeslice", VGPU_MBOX_QUERY, VGPU_PROPERTY_TIMESLICE_US, 0, 0, 20000 },
	{ "query_priority", VGPU_MBOX_QUERY, VGPU_PROPERTY_PRIORITY, 0, 0, VGPU_PRIORITY_HIGH },
	{ "query_release", VGPU_MBOX_QUERY, VGPU_PROPERTY_PF_RELEASE, 0, 0, VGPU_RELEASE },
	{ "timeslice_zero", VGPU_MBOX_TIMESLICE, 0, 0, 0, 50 },
	{ "timeslice_below_the_least", VGPU_MBOX_TIMESLICE, 49, 0, 0, 50 },
	{ "timeslice_granted", VGPU_MBOX_TIMESLICE, 700, 0, 0, 700 },
	{ "timeslice_quantum", VGPU_MBOX_TIMESLICE, 20000, 0, 0, 20000 },
	{ "timeslice_above_the_quantum", VGPU_MBOX_TIMESLICE, 20001, 0, 0, 20000 },
	{ "timeslice_beyond_32_bits", VGPU_MBOX_TIMESLICE, BIT_ULL(32) + 700, 0, 0, 20000 },
	{ "timeslice_max", VGPU_MBOX_TIMESLICE, U64_MAX, 0, 0, 20000 },
	{ "balloon_zero", VGPU_MBOX_BALLOON, 0, 0, 0, SZ_1M },
	{ "balloon_less", VGPU_MBOX_BALLOON, SZ_1M + SZ_4K, 0, 0, SZ_1M + SZ_4K },
	{ "balloon_unaligned", VGPU_MBOX_BALLOON, SZ_1M + 1, 0, 0, SZ_1M + SZ_4K },
	{ "balloon_same", VGPU_MBOX_BALLOON, SZ_2M, 0, 0, SZ_2M },
	{ "balloon_more_than_the_limit", VGPU_MBOX_BALLOON, SZ_4M, 0, 0, SZ_2M },
	{ "balloon_max", VGPU_MBOX_BALLOON, U64_MAX, 0, 0, SZ_2M },
	{ "fault", VGPU_MBOX_FAULT, 0x1000, VGPU_FAULT_NOT_MAPPED, 0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(request, request_cases, name);

/* One request has one answer, and the device does what the answer says. */
static void serve_request(struct kunit *test)
{
	const struct request_case *c = test->param_value;
	struct mock_gpu *gpu = gpu_with_vfs(test);
	const struct mock_fn *fn = &gpu->hw->fns[ASKING];

	mock_hw_send(gpu->hw, ASKING, c->op, c->arg0, c->arg1);
	KUNIT_EXPECT_FALSE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 1);
	mock_hw_expect_answer(gpu->hw, 0, ASKING, 1, c->status, c->value);
	if (c->op == VGPU_MBOX_TIMESLICE)
		KUNIT_EXPECT_EQ(test, fn->timeslice_us, c->value);
	if (c->op == VGPU_MBOX_BALLOON)
		KUNIT_EXPECT_EQ(test, fn->mem_size, c->value);
	KUNIT_EXPECT_EQ(test, fn->resets, c->op == VGPU_MBOX_FAULT);
	KUNIT_EXPECT_TRUE(test, fn->enabled);
	/* Nobody else has anything of it. */
	KUNIT_EXPECT_EQ(test, gpu->hw->fns[1].timeslice_us, 1000);
	KUNIT_EXPECT_EQ(test, gpu->hw->fns[3].mem_size, gpu->hw->fns[1].mem_size);
}

/* A VF that is not enabled has no guest, but requests may be left of one. */
static void serve_not_enabled(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vfs(test);
	u64 op;

	for (op = VGPU_MBOX_QUERY; op <= VGPU_MBOX_FAULT; op++)
		mock_hw_send(gpu->hw, MOCK_VFS, op, 1, 0);
	KUNIT_EXPECT_FALSE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 4);
	for (op = 0; op < 4; op++)
		mock_hw_expect_answer(gpu->hw, op, MOCK_VFS, op + 1, ENODEV, 0);
	KUNIT_EXPECT_FALSE(test, gpu->hw->fns[MOCK_VFS].enabled);
	KUNIT_EXPECT_EQ(test, mock_hw_resets_of(gpu->hw, MOCK_VFS), 0);
}

/* There is no VRAM for it: the VF is told, and what it has. */
static void balloon_enospc(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vfs(test);

	mock_gpu_vf(gpu, ASKING)->mem_limit = MOCK_VRAM;
	mock_hw_send(gpu->hw, ASKING, VGPU_MBOX_BALLOON, MOCK_VRAM, 0);
	KUNIT_EXPECT_FALSE(test, serve(gpu));
	mock_hw_expect_answer(gpu->hw, 0, ASKING, 1, ENOSPC, SZ_2M);
	KUNIT_EXPECT_EQ(test, gpu->hw->fns[ASKING].mem_size, SZ_2M);
}

/* The answer to a fault is sent before the reset, which would drop it. */
static void fault_is_answered_first(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vfs(test);
	struct vgpu_vf *vf = mock_gpu_vf(gpu, ASKING);

	mock_hw_send(gpu->hw, ASKING, VGPU_MBOX_FAULT, 0, 0);
	KUNIT_EXPECT_FALSE(test, serve(gpu));
	MOCK_EXPECT_WRITES(gpu->hw,
			   { VGPU_HW_MBOX_STATUS, 0 },
			   { VGPU_HW_MBOX_VALUE, 0 },
			   { VGPU_HW_MBOX_ANSWER, 1 },
			   { VGPU_FN(ASKING, VGPU_FN_RESET), VGPU_RESET_MAGIC },
			   { VGPU_FN(ASKING, VGPU_FN_TABLE), vgpu_lmtt_base(&vf->lmtt) },
			   { VGPU_FN(ASKING, VGPU_FN_MEM_SIZE), SZ_2M },
			   { VGPU_FN(ASKING, VGPU_FN_TIMESLICE_US), 20000 },
			   { VGPU_FN(ASKING, VGPU_FN_PRIORITY), VGPU_PRIORITY_HIGH },
			   { VGPU_FN(ASKING, VGPU_FN_CTRL), VGPU_FN_CTRL_ENABLE });
	KUNIT_EXPECT_EQ(test, vf->resets, 1);
}

/* What the VF had sent after the fault goes with the reset, others' does not. */
static void fault_drops_what_follows(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vfs(test);

	mock_hw_send(gpu->hw, ASKING, VGPU_MBOX_FAULT, 0, 0);
	mock_hw_send(gpu->hw, ASKING, VGPU_MBOX_QUERY, 1, 0);
	mock_hw_send(gpu->hw, 1, VGPU_MBOX_QUERY, VGPU_PROPERTY_TIMESLICE_US, 0);
	mock_hw_send(gpu->hw, ASKING, VGPU_MBOX_QUERY, 1, 0);
	KUNIT_EXPECT_FALSE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 2);
	mock_hw_expect_answer(gpu->hw, 0, ASKING, 1, 0, 0);
	mock_hw_expect_answer(gpu->hw, 1, 1, 1, 0, 1000);
}

/* Nothing waits: nothing is answered. */
static void serve_nothing(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vfs(test);

	KUNIT_EXPECT_FALSE(test, serve(gpu));
	MOCK_EXPECT_NO_WRITES(gpu->hw);
}

/* Requests of all VFs are answered in the order in which they were sent. */
static void serve_in_order(struct kunit *test)
{
	static const unsigned int senders[] = { 3, 1, 1, 2, 3, 2, 1, 3 };
	struct mock_gpu *gpu = gpu_with_vfs(test);
	u64 ids[4] = { };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(senders); i++)
		mock_hw_send(gpu->hw, senders[i], VGPU_MBOX_TIMESLICE, 100 + i, 0);
	KUNIT_EXPECT_FALSE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, ARRAY_SIZE(senders));
	for (i = 0; i < ARRAY_SIZE(senders); i++)
		mock_hw_expect_answer(gpu->hw, i, senders[i], ++ids[senders[i]], 0, 100 + i);
}

/* Guests who flood it do not keep others from what the lock protects. */
static void flood_is_bounded(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vfs(test);
	unsigned int i;

	for (i = 0; i < 150; i++)
		mock_hw_send(gpu->hw, 1 + i % 3, VGPU_MBOX_QUERY, 1, 0);
	KUNIT_EXPECT_TRUE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 64);
	KUNIT_EXPECT_TRUE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 128);
	KUNIT_EXPECT_FALSE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 150);
	for (i = 0; i < 150; i++)
		mock_hw_expect_answer(gpu->hw, i, 1 + i % 3, 1 + i / 3, 0,
				      gpu->hw->fns[1 + i % 3].mem_size);
}

/* Each request takes four milliseconds. */
static void take_long(struct mock_hw *hw, unsigned int fn)
{
	fake_now = ktime_add_ms(fake_now, 4);
}

/* Nor do a few requests that take long. They are gone on with in order. */
static void time_is_bounded(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vfs(test);
	unsigned int i;

	gpu->hw->on_answer = take_long;
	for (i = 0; i < 7; i++)
		mock_hw_send(gpu->hw, 1 + i % 3, VGPU_MBOX_QUERY, 1, 0);
	KUNIT_EXPECT_TRUE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 3);
	KUNIT_EXPECT_TRUE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 6);
	KUNIT_EXPECT_FALSE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 7);
	for (i = 0; i < 7; i++)
		mock_hw_expect_answer(gpu->hw, i, 1 + i % 3, 1 + i / 3, 0,
				      gpu->hw->fns[1 + i % 3].mem_size);
}

/* One that takes longer than all the time there is, is served all the same. */
static void take_very_long(struct mock_hw *hw, unsigned int fn)
{
	fake_now = ktime_add_ms(fake_now, 400);
}

static void time_is_enough_for_one(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vfs(test);

	gpu->hw->on_answer = take_very_long;
	mock_hw_send(gpu->hw, 1, VGPU_MBOX_QUERY, 1, 0);
	mock_hw_send(gpu->hw, 2, VGPU_MBOX_QUERY, 1, 0);
	KUNIT_EXPECT_TRUE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 1);
	KUNIT_EXPECT_TRUE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 2);
	KUNIT_EXPECT_FALSE(test, serve(gpu));
}

/* One interrupt, and all of a flood is answered in the end. */
static void flood_by_interrupt(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vfs(test);
	unsigned int i;

	for (i = 0; i < 200; i++)
		mock_hw_send(gpu->hw, ASKING, VGPU_MBOX_QUERY, 1, 0);
	mock_gpu_serve(gpu);
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 200);
	KUNIT_EXPECT_EQ(test, gpu->hw->irq_status, 0);
	/* An interrupt without a request is none of ours. */
	gpu->hw->irq_status = VGPU_IRQ_MBOX;
	mock_gpu_serve(gpu);
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 200);
}

struct broken_case {
	const char *name;
	u32 reg;
	u64 value;
};

/* The device says that a request waits, and that it is nobody's. */
static const struct broken_case broken_cases[] = {
	{ "nobody", VGPU_HW_MBOX_FN, 0 },
	{ "no_such_vf", VGPU_HW_MBOX_FN, MOCK_VFS + 1 },
	{ "no_vf_can_be_such", VGPU_HW_MBOX_FN, 65 },
	{ "beyond_32_bits", VGPU_HW_MBOX_FN, BIT_ULL(32) | 1 },
	{ "all_ones", VGPU_HW_MBOX_FN, U64_MAX },
};

KUNIT_ARRAY_PARAM_DESC(broken, broken_cases, name);

/*
 * It is left alone: to be asked again and again would keep a processor busy for
 * good.
 */
static void serve_broken(struct kunit *test)
{
	const struct broken_case *c = test->param_value;
	struct mock_gpu *gpu = gpu_with_vfs(test);

	mock_hw_send(gpu->hw, ASKING, VGPU_MBOX_QUERY, 1, 0);
	mock_hw_break(gpu->hw, c->reg, c->value);
	KUNIT_EXPECT_FALSE(test, serve(gpu));
	KUNIT_EXPECT_EQ(test, gpu->hw->num_answers, 0);
	MOCK_EXPECT_NO_WRITES(gpu->hw);

	/* It comes to its senses. */
	mock_hw_break(gpu->hw, ~0, 0);
	KUNIT_EXPECT_FALSE(test, serve(gpu));
	mock_hw_expect_answer(gpu->hw, 0, ASKING, 1, 0, SZ_2M);
}

/* A device that has gone reads as all ones. */
static void serve_gone(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vfs(test);

	gpu->hw->gone = true;
	KUNIT_EXPECT_FALSE(test, serve(gpu));
	gpu->hw->gone = false;
	MOCK_EXPECT_NO_WRITES(gpu->hw);
}

/* Faults of VFs are taken note of, and the device is told so. */
static void faults_are_acknowledged(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vfs(test);

	gpu->hw->vf_faults = 5;
	gpu->hw->irq_status = VGPU_IRQ_FAULT;
	mock_gpu_serve(gpu);
	KUNIT_EXPECT_EQ(test, gpu->hw->vf_faults, 0);
	KUNIT_EXPECT_EQ(test, gpu->hw->irq_status, 0);
	KUNIT_EXPECT_EQ(test, gpu->hw->fns[1].resets, 0);
}

static struct kunit_case mbox_cases[] = {
	KUNIT_CASE_PARAM(serve_broken, broken_gen_params),
	KUNIT_CASE(serve_gone),
	KUNIT_CASE(serve_nothing),
	KUNIT_CASE(serve_not_enabled),
	KUNIT_CASE(balloon_enospc),
	KUNIT_CASE_PARAM(serve_request, request_gen_params),
	KUNIT_CASE(fault_is_answered_first),
	KUNIT_CASE(fault_drops_what_follows),
	KUNIT_CASE(serve_in_order),
	KUNIT_CASE(flood_is_bounded),
	KUNIT_CASE(time_is_bounded),
	KUNIT_CASE(time_is_enough_for_one),
	KUNIT_CASE(flood_by_interrupt),
	KUNIT_CASE(faults_are_acknowledged),
	{ }
};

static struct kunit_suite mbox_suite = {
	.name = "vgpu_mbox",
	.suite_exit = mock_suite_exit,
	.init = mock_init,
	.test_cases = mbox_cases,
};

kunit_test_suite(mbox_suite);
