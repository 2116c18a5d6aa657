// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of how VFs are provisioned: how many, and what each of them gets.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/limits.h>
#include <linux/sizes.h>

#include "vgpu_memory_kunit.h"
#include "vgpu_mock.h"

static int recover(struct vgpu_vf *vf)
{
	guard(mutex)(&vf->vgpu->sriov_lock);

	return vgpu_sriov_recover(vf);
}

/* More than the device has, and none is enabled. */
static void set_num_vfs_erange(struct kunit *test)
{
	static const unsigned int numbers[] = { MOCK_VFS + 1, 64, 65, U32_MAX };
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, numbers[i]), -ERANGE);
	KUNIT_EXPECT_EQ(test, mock_gpu_vgpu(gpu)->num_vfs, 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 2), 0);
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, numbers[i]), -ERANGE);
	KUNIT_EXPECT_EQ(test, mock_gpu_vgpu(gpu)->num_vfs, 2);
}

/* From some VFs to others there is no way but over none. */
static void set_num_vfs_ebusy(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);

	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 2), 0);
	mock_hw_forget_writes(gpu->hw);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 1), -EBUSY);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 3), -EBUSY);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 2), 0);
	MOCK_EXPECT_NO_WRITES(gpu->hw);
	KUNIT_EXPECT_EQ(test, mock_gpu_vgpu(gpu)->num_vfs, 2);

	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 0), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 3), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_vgpu(gpu)->num_vfs, 3);
}

/* Of none there is none to disable. */
static void set_num_vfs_zero_of_zero(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);

	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 0), 0);
	MOCK_EXPECT_NO_WRITES(gpu->hw);
}

/* If the last one cannot have what it should, none has anything. */
static void set_num_vfs_enospc(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	unsigned int number;

	mock_gpu_provision(gpu, MOCK_VFS, MOCK_VRAM, VGPU_BACKING_VRAM);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, MOCK_VFS), -ENOSPC);
	KUNIT_EXPECT_EQ(test, mock_gpu_vgpu(gpu)->num_vfs, 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu), MOCK_VRAM);
	for (number = 1; number <= MOCK_VFS; number++) {
		KUNIT_EXPECT_FALSE(test, mock_gpu_vf(gpu, number)->enabled);
		KUNIT_EXPECT_FALSE(test, gpu->hw->fns[number].enabled);
	}
	/* The others can be had without it. */
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, MOCK_VFS - 1), 0);
}

struct share_case {
	const char *name;
	u64 vram;
	u64 taken;
	unsigned int num_vfs;
	u64 share;	/* 0 for none */
};

/* Three quarters of what is free, evenly, in whole megabytes, from 1 to 16. */
static const struct share_case share_cases[] = {
	{ "four_of_16M", SZ_16M, 0, 4, 3 * SZ_1M },
	{ "one_of_16M", SZ_16M, 0, 1, 12 * SZ_1M },
	{ "three_of_16M", SZ_16M, 0, 3, 4 * SZ_1M },
	{ "two_of_14M", 14 * SZ_1M, 0, 2, 5 * SZ_1M },
	{ "one_of_32M_is_the_most", SZ_32M, 0, 1, 16 * SZ_1M },
	{ "four_of_4M_is_the_least", SZ_4M, 0, 4, SZ_1M },
	{ "four_of_less_than_4M", SZ_4M - SZ_4K, 0, 4, 0 },
	{ "one_of_1M", SZ_1M, 0, 1, SZ_1M },
	{ "one_of_less_than_1M", SZ_1M - SZ_4K, 0, 1, 0 },
	{ "of_what_the_host_has_left", SZ_16M, SZ_8M, 2, 3 * SZ_1M },
	{ "of_nothing_left", SZ_16M, SZ_16M, 1, 0 },
};

KUNIT_ARRAY_PARAM_DESC(share, share_cases, name);

/* A VF without a quota gets a fair share. */
static void fair_share(struct kunit *test)
{
	const struct share_case *c = test->param_value;
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, c->vram);
	unsigned int number;

	if (c->taken)
		vram_reserve(test, &mock_gpu_vgpu(gpu)->vram, 0, c->taken);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, c->num_vfs), c->share ? 0 : -ENOSPC);
	for (number = 1; number <= c->num_vfs && c->share; number++) {
		KUNIT_EXPECT_EQ(test, mock_gpu_vf(gpu, number)->mem_limit, c->share);
		KUNIT_EXPECT_EQ(test, gpu->hw->fns[number].mem_size, c->share);
	}
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu),
			c->vram - c->taken - c->num_vfs * c->share);
}

/* A quota is what it says, next to those who have none. */
static void quota_and_share(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);

	mock_gpu_provision(gpu, 1, SZ_64K + SZ_4K, VGPU_BACKING_VRAM);
	mock_gpu_provision(gpu, 3, SZ_2M + SZ_4K, VGPU_BACKING_SYSTEM);
	mock_gpu_provision(gpu, 4, 0, VGPU_BACKING_SYSTEM);
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 4), 0);
	KUNIT_EXPECT_EQ(test, gpu->hw->fns[1].mem_size, SZ_64K + SZ_4K);
	KUNIT_EXPECT_EQ(test, gpu->hw->fns[2].mem_size, 3 * SZ_1M);
	KUNIT_EXPECT_EQ(test, gpu->hw->fns[3].mem_size, SZ_2M + SZ_4K);
	KUNIT_EXPECT_EQ(test, gpu->hw->fns[4].mem_size, 3 * SZ_1M);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu),
			MOCK_VRAM - (SZ_64K + SZ_4K) - 3 * SZ_1M);
	KUNIT_EXPECT_TRUE(test, mock_guest_leaf(mock_guest_new(test, gpu->hw, 3), SZ_2M) &
			  VGPU_LMTT_SYSTEM);
}

/* All that a device can have. */
static void all_64(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, 64, SZ_64M);
	unsigned int number;

	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 64), 0);
	for (number = 1; number <= 64; number++)
		KUNIT_EXPECT_TRUE(test, gpu->hw->fns[number].enabled);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 0), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu), SZ_64M);
}

/* A device with more VFs than can be is used as far as it can be. */
static void more_than_64(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new_unbound(test, 64, SZ_1M);

	mock_hw_break(gpu->hw, VGPU_HW_TOTAL_VFS, 1000);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(gpu), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_vgpu(gpu)->total_vfs, 64);
}

/* A device without VFs is a GPU all the same. */
static void no_vfs(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, 0, MOCK_VRAM);

	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 0), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 1), -ERANGE);
}

/* What is no vgpu is left alone. */
static void probe_wrong_device(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new_unbound(test, MOCK_VFS, MOCK_VRAM);

	gpu->hw->ident ^= 1;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(gpu), -ENODEV);
	MOCK_EXPECT_NO_WRITES(gpu->hw);
	KUNIT_EXPECT_EQ(test, gpu->hw->num_irq_writes, 0);
	gpu->hw->ident ^= 1;
	KUNIT_EXPECT_EQ(test, mock_gpu_bind(gpu), 0);
	mock_gpu_expect_state(gpu, "running");
}

/* There was no stash: the device is reset, before anything else, once. */
static void probe_resets_device(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new_unbound(test, MOCK_VFS, MOCK_VRAM);

	/* Left by whoever had it last. */
	gpu->hw->fns[2].enabled = true;
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(gpu), 0);
	MOCK_EXPECT_WRITES(gpu->hw, { VGPU_HW_RESET, VGPU_RESET_MAGIC });
	KUNIT_EXPECT_EQ(test, gpu->hw->resets, 1);
	KUNIT_EXPECT_FALSE(test, gpu->hw->fns[2].enabled);
	KUNIT_EXPECT_EQ(test, gpu->hw->irq_enable, MOCK_SERVING_IRQS);
}

/* A VF that was lost gets new memory, or stays lost. */
static void recover_enospc(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	struct vgpu_vf *vf = mock_gpu_vf(gpu, 1);
	const struct vgpu_chunk *chunk;

	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 1), 0);
	scoped_guard(mutex, &vf->vgpu->sriov_lock) {
		vgpu_vf_disable(vf);
		vf->lost = "for a test";
	}
	vf->profile.quota = MOCK_VRAM + SZ_4K;
	KUNIT_EXPECT_EQ(test, recover(vf), -ENOSPC);
	KUNIT_EXPECT_NOT_NULL(test, vf->lost);
	KUNIT_EXPECT_FALSE(test, vf->enabled);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu), MOCK_VRAM);

	vf->profile.quota = 0;
	memset(gpu->hw->hw.vram, 0xa5, MOCK_VRAM);
	KUNIT_EXPECT_EQ(test, recover(vf), 0);
	KUNIT_EXPECT_NULL(test, vf->lost);
	KUNIT_EXPECT_TRUE(test, gpu->hw->fns[1].enabled);
	KUNIT_EXPECT_EQ(test, gpu->hw->fns[1].mem_size, 12 * SZ_1M);
	chunk = list_first_entry(&vf->memory.chunks, struct vgpu_chunk, link);
	KUNIT_EXPECT_NULL(test, memchr_inv(gpu->hw->hw.vram + chunk->node.start, 0,
					   chunk->size));
	mock_guest_new(test, gpu->hw, 1);
}

/* A lost VF that is disabled with all the others is not lost any more. */
static void disable_forgets_loss(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	struct vgpu_vf *vf = mock_gpu_vf(gpu, 2);

	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 2), 0);
	scoped_guard(mutex, &vf->vgpu->sriov_lock) {
		vgpu_vf_disable(vf);
		vf->lost = "for a test";
	}
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 0), 0);
	KUNIT_EXPECT_NULL(test, vf->lost);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 2), 0);
	KUNIT_EXPECT_TRUE(test, vf->enabled);
}

static struct kunit_case sriov_cases[] = {
	KUNIT_CASE(probe_wrong_device),
	KUNIT_CASE(set_num_vfs_erange),
	KUNIT_CASE(set_num_vfs_ebusy),
	KUNIT_CASE(set_num_vfs_enospc),
	KUNIT_CASE(set_num_vfs_zero_of_zero),
	KUNIT_CASE(recover_enospc),
	KUNIT_CASE(disable_forgets_loss),
	KUNIT_CASE(probe_resets_device),
	KUNIT_CASE_PARAM(fair_share, share_gen_params),
	KUNIT_CASE(quota_and_share),
	KUNIT_CASE(all_64),
	KUNIT_CASE(more_than_64),
	KUNIT_CASE(no_vfs),
	{ }
};

static struct kunit_suite sriov_suite = {
	.name = "vgpu_sriov",
	.suite_exit = mock_suite_exit,
	.init = mock_init,
	.test_cases = sriov_cases,
};

kunit_test_suite(sriov_suite);
