// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the life of a VF: what it is given, what the device is told of
 * it and when, and that nothing is freed that the device still reads.
 */

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "vgpu_mock.h"

static const enum vgpu_backing backings[] = { VGPU_BACKING_VRAM, VGPU_BACKING_SYSTEM };

static void describe_backing(const enum vgpu_backing *backing, char *desc)
{
	strscpy(desc, *backing == VGPU_BACKING_VRAM ? "vram" : "system",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(backing, backings, describe_backing);

/* One VF of so many bytes, enabled. */
static struct mock_gpu *gpu_with_vf(struct kunit *test, u64 quota,
				    enum vgpu_backing backing)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);

	mock_gpu_provision(gpu, 1, quota, backing);
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 1), 0);
	mock_hw_forget_writes(gpu->hw);
	return gpu;
}

static void vf_reset(struct vgpu_vf *vf)
{
	guard(mutex)(&vf->vgpu->sriov_lock);

	vgpu_vf_reset(vf);
}

static int vf_resize(struct vgpu_vf *vf, u64 size)
{
	guard(mutex)(&vf->vgpu->sriov_lock);

	return vgpu_vf_resize(vf, size);
}

static void vf_set_timeslice(struct vgpu_vf *vf, u32 timeslice_us)
{
	guard(mutex)(&vf->vgpu->sriov_lock);

	vgpu_vf_set_timeslice(vf, timeslice_us);
}

static void vf_set_priority(struct vgpu_vf *vf, u32 priority)
{
	guard(mutex)(&vf->vgpu->sriov_lock);

	vgpu_vf_set_priority(vf, priority);
}

/* There is not enough VRAM: the device hears nothing of it. */
static void enable_enospc(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);

	mock_gpu_provision(gpu, 1, MOCK_VRAM + SZ_4K, VGPU_BACKING_VRAM);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 1), -ENOSPC);
	MOCK_EXPECT_NO_WRITES(gpu->hw);
	KUNIT_EXPECT_FALSE(test, mock_gpu_vf(gpu, 1)->enabled);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu), MOCK_VRAM);
}

/* Whichever allocation fails, no VF is enabled, and none has anything. */
static void enable_fail_nth(struct kunit *test)
{
	const enum vgpu_backing *backing = test->param_value;
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	unsigned int nth = 0;
	bool has_failed;
	int err;

	mock_fail_init(test);
	mock_gpu_provision(gpu, 1, 5 * SZ_4K, *backing);
	mock_gpu_provision(gpu, 2, 5 * SZ_4K, *backing);
	do {
		mock_fail_begin(++nth);
		err = mock_gpu_set_num_vfs(gpu, 2);
		has_failed = mock_fail_end();
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_TRUE(test, has_failed);
			KUNIT_EXPECT_FALSE(test, mock_gpu_vf(gpu, 1)->enabled);
			KUNIT_EXPECT_FALSE(test, mock_gpu_vf(gpu, 2)->enabled);
			KUNIT_EXPECT_FALSE(test, gpu->hw->fns[1].enabled);
			KUNIT_EXPECT_FALSE(test, gpu->hw->fns[2].enabled);
		}
		KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 0), 0);
		KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu), MOCK_VRAM);
		mock_hw_forget_writes(gpu->hw);
	} while (has_failed);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, nth, 10);
}

/* The device is told of everything before it is told to run the VF. */
static void enable_writes(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	struct vgpu_vf *vf = mock_gpu_vf(gpu, 2);

	mock_gpu_provision(gpu, 1, SZ_64K, VGPU_BACKING_VRAM);
	mock_gpu_provision(gpu, 2, SZ_64K + SZ_4K, VGPU_BACKING_VRAM);
	vf->profile.quantum_us = 20000;
	vf_set_priority(vf, VGPU_PRIORITY_HIGH);
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 2), 0);
	MOCK_EXPECT_WRITES(gpu->hw,
			   { VGPU_FN(1, VGPU_FN_TABLE),
			     vgpu_lmtt_base(&mock_gpu_vf(gpu, 1)->lmtt) },
			   { VGPU_FN(1, VGPU_FN_MEM_SIZE), SZ_64K },
			   { VGPU_FN(1, VGPU_FN_TIMESLICE_US), 1000 },
			   { VGPU_FN(1, VGPU_FN_PRIORITY), VGPU_PRIORITY_NORMAL },
			   { VGPU_FN(1, VGPU_FN_CTRL), VGPU_FN_CTRL_ENABLE },
			   { VGPU_FN(2, VGPU_FN_TABLE), vgpu_lmtt_base(&vf->lmtt) },
			   { VGPU_FN(2, VGPU_FN_MEM_SIZE), SZ_64K + SZ_4K },
			   { VGPU_FN(2, VGPU_FN_TIMESLICE_US), 20000 },
			   { VGPU_FN(2, VGPU_FN_PRIORITY), VGPU_PRIORITY_HIGH },
			   { VGPU_FN(2, VGPU_FN_CTRL), VGPU_FN_CTRL_ENABLE });
}

/* Its addresses lead to its memory, in order, all of it, and it is zeroed. */
static void enable_maps_memory(struct kunit *test)
{
	const enum vgpu_backing *backing = test->param_value;
	const u64 flags = *backing == VGPU_BACKING_SYSTEM ? 3 : 1;
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	const struct vgpu_chunk *chunk;
	struct mock_guest *guest;
	struct vgpu_vf *vf;
	u64 address = 0, offset;

	memset(gpu->hw->hw.vram, 0xa5, MOCK_VRAM);
	mock_gpu_provision(gpu, 1, SZ_4M + 3 * SZ_4K, *backing);
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 1), 0);
	vf = mock_gpu_vf(gpu, 1);
	list_for_each_entry(chunk, &vf->memory.chunks, link) {
		void *cpu = *backing == VGPU_BACKING_SYSTEM ?
			    folio_address(chunk->folio) :
			    gpu->hw->hw.vram + chunk->node.start;

		KUNIT_EXPECT_NULL(test, memchr_inv(cpu, 0, chunk->size));
	}

	guest = mock_guest_new(test, gpu->hw, 1);
	KUNIT_EXPECT_EQ(test, mock_guest_size(guest), SZ_4M + 3 * SZ_4K);
	list_for_each_entry(chunk, &vf->memory.chunks, link)
		for (offset = 0; offset < chunk->size; offset += SZ_4K) {
			KUNIT_ASSERT_EQ(test, mock_guest_leaf(guest, address),
					(vgpu_chunk_address(&vf->memory, chunk) + offset) |
					flags);
			address += SZ_4K;
		}
	KUNIT_EXPECT_EQ(test, address, mock_guest_size(guest));
	KUNIT_EXPECT_EQ(test, 0, mock_walk(gpu->hw->fns[1].table, address, NULL));
	KUNIT_EXPECT_EQ(test, mock_guest_num_tables(guest), 5);
}

/* No page of VRAM is two VFs'. */
static void enable_disjoint(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	unsigned long *taken = kunit_kcalloc(test, BITS_TO_LONGS(MOCK_VRAM / SZ_4K),
					     sizeof(long), GFP_KERNEL);
	unsigned int number;
	u64 address;

	KUNIT_ASSERT_NOT_NULL(test, taken);
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, MOCK_VFS), 0);
	for (number = 1; number <= MOCK_VFS; number++) {
		const struct mock_fn *fn = &gpu->hw->fns[number];

		for (address = 0; address < fn->mem_size; address += SZ_4K) {
			u64 leaf = mock_walk(fn->table, address, NULL);

			KUNIT_ASSERT_LT(test, leaf, MOCK_VRAM);
			KUNIT_ASSERT_FALSE(test, __test_and_set_bit(leaf / SZ_4K, taken));
		}
	}
}

/* The device lets go of table and memory before either is freed. */
static void disable_resets_first(struct kunit *test)
{
	const enum vgpu_backing *backing = test->param_value;
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	struct mock_guest *first, *second;

	mock_gpu_provision(gpu, 1, SZ_64K, *backing);
	mock_gpu_provision(gpu, 2, SZ_64K, *backing);
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 2), 0);
	first = mock_guest_new(test, gpu->hw, 1);
	second = mock_guest_new(test, gpu->hw, 2);
	mock_hw_forget_writes(gpu->hw);

	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(gpu, 0), 0);
	MOCK_EXPECT_WRITES(gpu->hw,
			   { VGPU_FN(2, VGPU_FN_RESET), VGPU_RESET_MAGIC },
			   { VGPU_FN(1, VGPU_FN_RESET), VGPU_RESET_MAGIC });
	mock_guest_expect_reset_then_freed(first);
	mock_guest_expect_reset_then_freed(second);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu), MOCK_VRAM);
}

/* A driver that goes without a save takes its VFs with it. */
static void unbind_disables(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vf(test, SZ_64K, VGPU_BACKING_SYSTEM);
	struct mock_guest *guest = mock_guest_new(test, gpu->hw, 1);

	mock_gpu_unbind(gpu);
	mock_gpu_expect_state(gpu, "none");
	MOCK_EXPECT_WRITES(gpu->hw, { VGPU_FN(1, VGPU_FN_RESET), VGPU_RESET_MAGIC });
	mock_guest_expect_reset_then_freed(guest);
	KUNIT_EXPECT_EQ(test, gpu->hw->irq_enable, 0);
	KUNIT_EXPECT_NULL(test, gpu->hw->handler);
}

/*
 * After an FLR it is as it was, with what it has at present; but its next guest
 * may be another one, who finds nothing in its memory.
 */
static void reset_keeps_memory(struct kunit *test)
{
	const enum vgpu_backing *backing = test->param_value;
	struct mock_gpu *gpu = gpu_with_vf(test, SZ_2M, *backing);
	struct vgpu_vf *vf = mock_gpu_vf(gpu, 1);
	struct mock_guest *guest;

	KUNIT_ASSERT_EQ(test, vf_resize(vf, SZ_1M), 0);
	vf_set_timeslice(vf, 400);
	vf_set_priority(vf, VGPU_PRIORITY_LOW);
	guest = mock_guest_new(test, gpu->hw, 1);
	mock_hw_forget_writes(gpu->hw);

	vf_reset(vf);
	MOCK_EXPECT_WRITES(gpu->hw,
			   { VGPU_FN(1, VGPU_FN_RESET), VGPU_RESET_MAGIC },
			   { VGPU_FN(1, VGPU_FN_TABLE), vgpu_lmtt_base(&vf->lmtt) },
			   { VGPU_FN(1, VGPU_FN_MEM_SIZE), vf->memory.size },
			   { VGPU_FN(1, VGPU_FN_TIMESLICE_US), 400 },
			   { VGPU_FN(1, VGPU_FN_PRIORITY), VGPU_PRIORITY_LOW },
			   { VGPU_FN(1, VGPU_FN_CTRL), VGPU_FN_CTRL_ENABLE });
	mock_guest_expect_pages_owned(guest, true);
	mock_guest_expect_cleared(guest);
	KUNIT_EXPECT_EQ(test, vf->resets, 1);
	KUNIT_EXPECT_TRUE(test, vf->enabled);
}

struct resize_case {
	const char *name;
	u64 asked;
	u64 got;
};

/* Of a VF that has four megabytes, and as many at most. */
static const struct resize_case resize_cases[] = {
	{ "zero", 0, SZ_1M },
	{ "one_byte", 1, SZ_1M },
	{ "least", SZ_1M, SZ_1M },
	{ "unaligned_is_rounded_up", SZ_2M + 1, SZ_2M + SZ_4K },
	{ "unaligned_below_the_limit", SZ_4M - 1, SZ_4M },
	{ "limit", SZ_4M, SZ_4M },
	{ "more_than_the_limit", SZ_4M + 1, SZ_4M },
	{ "max", U64_MAX, SZ_4M },
	{ "half_of_max", 1ull << 63, SZ_4M },
};

KUNIT_ARRAY_PARAM_DESC(resize, resize_cases, name);

/* A VF gets what it asks for, between one megabyte and its limit. */
static void resize(struct kunit *test)
{
	const struct resize_case *c = test->param_value;
	struct mock_gpu *gpu = gpu_with_vf(test, SZ_4M, VGPU_BACKING_VRAM);
	struct vgpu_vf *vf = mock_gpu_vf(gpu, 1);

	KUNIT_EXPECT_EQ(test, vf_resize(vf, c->asked), 0);
	KUNIT_EXPECT_EQ(test, vf->memory.size, c->got);
	KUNIT_EXPECT_EQ(test, gpu->hw->fns[1].mem_size, c->got);
	KUNIT_EXPECT_EQ(test, vf->mem_limit, SZ_4M);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu), MOCK_VRAM - c->got);
	mock_guest_new(test, gpu->hw, 1);
	KUNIT_EXPECT_EQ(test, 0, mock_walk(gpu->hw->fns[1].table, c->got, NULL));
	if (c->got == SZ_4M)
		MOCK_EXPECT_NO_WRITES(gpu->hw);

	/* And back. */
	KUNIT_EXPECT_EQ(test, vf_resize(vf, SZ_4M), 0);
	KUNIT_EXPECT_EQ(test, vf->memory.size, SZ_4M);
	KUNIT_EXPECT_EQ(test, gpu->hw->fns[1].mem_size, SZ_4M);
}

/* A VF of less than one megabyte cannot get any smaller. */
static void resize_small(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vf(test, SZ_64K, VGPU_BACKING_VRAM);

	KUNIT_EXPECT_EQ(test, vf_resize(mock_gpu_vf(gpu, 1), 0), 0);
	KUNIT_EXPECT_EQ(test, vf_resize(mock_gpu_vf(gpu, 1), SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, vf_resize(mock_gpu_vf(gpu, 1), SZ_1M), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_vf(gpu, 1)->memory.size, SZ_64K);
	MOCK_EXPECT_NO_WRITES(gpu->hw);
}

/*
 * What is taken away is out of the VF's reach, and of what the device has
 * cached, before it is freed. What is left is as it was.
 */
static void resize_shrinks(struct kunit *test)
{
	const enum vgpu_backing *backing = test->param_value;
	struct mock_gpu *gpu = gpu_with_vf(test, SZ_4M, *backing);
	struct vgpu_vf *vf = mock_gpu_vf(gpu, 1);
	struct mock_guest *guest = mock_guest_new(test, gpu->hw, 1);
	/* More than one folio is left over. */
	u64 asked = SZ_1M + SZ_4K;

	KUNIT_EXPECT_EQ(test, vf_resize(vf, asked), 0);
	KUNIT_EXPECT_GE(test, vf->memory.size, asked);
	MOCK_EXPECT_WRITES(gpu->hw,
			   { VGPU_FN(1, VGPU_FN_MEM_SIZE), asked },
			   { VGPU_FN(1, VGPU_FN_INVALIDATE), 1 },
			   { VGPU_FN(1, VGPU_FN_MEM_SIZE), vf->memory.size });
	mock_guest_expect_invalidated(guest, asked);
	mock_guest_expect_memory(guest, asked);
	KUNIT_EXPECT_EQ(test, 0, mock_walk(gpu->hw->fns[1].table, vf->memory.size, NULL));
	/* A folio that is kept whole is mapped whole. */
	mock_guest_new(test, gpu->hw, 1);
}

/* What was there before may share a chunk with what has been added. */
static void expect_zeroed_from(struct kunit *test, struct mock_gpu *gpu,
			       const struct vgpu_vf *vf, u64 start)
{
	const struct vgpu_chunk *chunk;
	u64 end = 0;

	KUNIT_EXPECT_LT(test, start, vf->memory.size);
	list_for_each_entry(chunk, &vf->memory.chunks, link) {
		const void *cpu = chunk->folio ? folio_address(chunk->folio) :
						 gpu->hw->hw.vram + chunk->node.start;
		u64 old = end < start ? min(start - end, chunk->size) : 0;

		KUNIT_EXPECT_NULL(test, memchr_inv(cpu + old, 0, chunk->size - old));
		end += chunk->size;
	}
}

/* New memory is mapped before the device is told of it, and is zeroed. */
static void resize_grows(struct kunit *test)
{
	const enum vgpu_backing *backing = test->param_value;
	/* More than one folio, however large those are. */
	struct mock_gpu *gpu = gpu_with_vf(test, SZ_8M, *backing);
	struct vgpu_vf *vf = mock_gpu_vf(gpu, 1);
	struct mock_guest *guest, *larger;

	memset(gpu->hw->hw.vram, 0xa5, MOCK_VRAM);
	KUNIT_ASSERT_EQ(test, vf_resize(vf, SZ_1M), 0);
	guest = mock_guest_new(test, gpu->hw, 1);
	KUNIT_ASSERT_LT(test, mock_guest_size(guest), SZ_8M);
	mock_hw_forget_writes(gpu->hw);

	KUNIT_EXPECT_EQ(test, vf_resize(vf, SZ_8M), 0);
	MOCK_EXPECT_WRITES(gpu->hw, { VGPU_FN(1, VGPU_FN_MEM_SIZE), SZ_8M });
	expect_zeroed_from(test, gpu, vf, mock_guest_size(guest));
	mock_guest_expect_memory(guest, mock_guest_size(guest));
	larger = mock_guest_new(test, gpu->hw, 1);
	KUNIT_EXPECT_EQ(test, mock_guest_size(larger), SZ_8M);
	KUNIT_EXPECT_EQ(test, mock_guest_leaf(larger, 0), mock_guest_leaf(guest, 0));
}

/* What it cannot have changes nothing of what it has. */
static void resize_enospc(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	struct mock_guest *guest;

	mock_gpu_provision(gpu, 1, SZ_8M, VGPU_BACKING_VRAM);
	mock_gpu_provision(gpu, 2, SZ_8M, VGPU_BACKING_VRAM);
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 2), 0);
	/* The one lends to the other what it cannot get back. */
	KUNIT_ASSERT_EQ(test, vf_resize(mock_gpu_vf(gpu, 1), SZ_4M), 0);
	mock_gpu_vf(gpu, 2)->mem_limit = SZ_8M + SZ_4M;
	KUNIT_ASSERT_EQ(test, vf_resize(mock_gpu_vf(gpu, 2), SZ_8M + SZ_4M), 0);
	guest = mock_guest_new(test, gpu->hw, 1);
	mock_hw_forget_writes(gpu->hw);

	KUNIT_EXPECT_EQ(test, vf_resize(mock_gpu_vf(gpu, 1), SZ_4M + SZ_4K), -ENOSPC);
	KUNIT_EXPECT_EQ(test, vf_resize(mock_gpu_vf(gpu, 1), SZ_8M), -ENOSPC);
	MOCK_EXPECT_NO_WRITES(gpu->hw);
	KUNIT_EXPECT_EQ(test, mock_gpu_vf(gpu, 1)->memory.size, SZ_4M);
	mock_guest_expect_intact(guest);
}

/* Whichever allocation fails, the VF has what it had. */
static void resize_fail_nth(struct kunit *test)
{
	const enum vgpu_backing *backing = test->param_value;
	struct mock_gpu *gpu = gpu_with_vf(test, SZ_8M, *backing);
	struct vgpu_vf *vf = mock_gpu_vf(gpu, 1);
	unsigned int nth = 0;
	bool has_failed;
	u64 before;
	int err;

	mock_fail_init(test);
	/* Tables that were needed once stay: go back to a VF without them. */
	do {
		KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 0), 0);
		mock_gpu_provision(gpu, 1, SZ_2M, *backing);
		KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 1), 0);
		vf->mem_limit = SZ_8M;
		before = vf->memory.size;
		mock_hw_forget_writes(gpu->hw);

		mock_fail_begin(++nth);
		err = vf_resize(vf, SZ_8M);
		has_failed = mock_fail_end();
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_TRUE(test, has_failed);
			KUNIT_EXPECT_EQ(test, vf->memory.size, before);
			KUNIT_EXPECT_EQ(test, gpu->hw->fns[1].mem_size, before);
			KUNIT_EXPECT_EQ(test, 0,
					mock_walk(gpu->hw->fns[1].table, before, NULL));
			MOCK_EXPECT_NO_WRITES(gpu->hw);
			KUNIT_EXPECT_EQ(test, vf_resize(vf, SZ_8M), 0);
		}
		KUNIT_EXPECT_EQ(test, vf->memory.size, SZ_8M);
		KUNIT_EXPECT_NE(test, 0, mock_walk(gpu->hw->fns[1].table,
						   SZ_8M - SZ_4K, NULL));
	} while (has_failed);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, nth, 3);
}

struct timeslice_case {
	const char *name;
	u32 asked;
	u32 got;
};

/* Of a VF whose quantum is 20 ms. */
static const struct timeslice_case timeslice_cases[] = {
	{ "zero", 0, 50 },
	{ "below_the_least", 49, 50 },
	{ "least", 50, 50 },
	{ "in_between", 12345, 12345 },
	{ "quantum", 20000, 20000 },
	{ "above_the_quantum", 20001, 20000 },
	{ "max", U32_MAX, 20000 },
};

KUNIT_ARRAY_PARAM_DESC(timeslice, timeslice_cases, name);

/* A VF gets no more time than it was provisioned with, and no less than works. */
static void set_timeslice(struct kunit *test)
{
	const struct timeslice_case *c = test->param_value;
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	struct vgpu_vf *vf = mock_gpu_vf(gpu, 1);

	vf->profile.quantum_us = 20000;
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 1), 0);
	mock_hw_forget_writes(gpu->hw);
	vf_set_timeslice(vf, c->asked);
	KUNIT_EXPECT_EQ(test, vf->timeslice_us, c->got);
	MOCK_EXPECT_WRITES(gpu->hw, { VGPU_FN(1, VGPU_FN_TIMESLICE_US), c->got });
	KUNIT_EXPECT_EQ(test, vf->profile.quantum_us, 20000);
}

/* The device hears of it at once, or when the VF is enabled. */
static void set_priority(struct kunit *test)
{
	struct mock_gpu *gpu = gpu_with_vf(test, SZ_64K, VGPU_BACKING_VRAM);

	vf_set_priority(mock_gpu_vf(gpu, 2), VGPU_PRIORITY_HIGH);
	MOCK_EXPECT_NO_WRITES(gpu->hw);
	KUNIT_EXPECT_EQ(test, mock_gpu_vf(gpu, 2)->profile.priority, VGPU_PRIORITY_HIGH);
	vf_set_priority(mock_gpu_vf(gpu, 1), VGPU_PRIORITY_LOW);
	MOCK_EXPECT_WRITES(gpu->hw, { VGPU_FN(1, VGPU_FN_PRIORITY), VGPU_PRIORITY_LOW });
}

/* A VF whose profile is not the default one has something to be saved. */
static void is_provisioned_each_field(struct kunit *test)
{
	struct mock_gpu *gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	struct vgpu_vf_profile *profile = &mock_gpu_vf(gpu, 1)->profile;
	const struct vgpu_vf_profile before = *profile;
	struct vgpu_vf *vf = mock_gpu_vf(gpu, 1);

	KUNIT_EXPECT_FALSE(test, vgpu_vf_is_provisioned(vf));
	profile->quota = SZ_4K;
	KUNIT_EXPECT_TRUE(test, vgpu_vf_is_provisioned(vf));
	*profile = before;
	profile->backing = VGPU_BACKING_SYSTEM;
	KUNIT_EXPECT_TRUE(test, vgpu_vf_is_provisioned(vf));
	*profile = before;
	profile->quantum_us++;
	KUNIT_EXPECT_TRUE(test, vgpu_vf_is_provisioned(vf));
	*profile = before;
	profile->priority = VGPU_PRIORITY_LOW;
	KUNIT_EXPECT_TRUE(test, vgpu_vf_is_provisioned(vf));
	*profile = before;
	KUNIT_EXPECT_FALSE(test, vgpu_vf_is_provisioned(vf));
}

static struct kunit_case vf_cases[] = {
	KUNIT_CASE(enable_enospc),
	KUNIT_CASE_PARAM(enable_fail_nth, backing_gen_params),
	KUNIT_CASE(enable_writes),
	KUNIT_CASE_PARAM(enable_maps_memory, backing_gen_params),
	KUNIT_CASE(enable_disjoint),
	KUNIT_CASE_PARAM(disable_resets_first, backing_gen_params),
	KUNIT_CASE(unbind_disables),
	KUNIT_CASE_PARAM(reset_keeps_memory, backing_gen_params),
	KUNIT_CASE_PARAM(resize, resize_gen_params),
	KUNIT_CASE(resize_small),
	KUNIT_CASE(resize_enospc),
	KUNIT_CASE_PARAM(resize_fail_nth, backing_gen_params),
	KUNIT_CASE_PARAM(resize_shrinks, backing_gen_params),
	KUNIT_CASE_PARAM(resize_grows, backing_gen_params),
	KUNIT_CASE_PARAM(set_timeslice, timeslice_gen_params),
	KUNIT_CASE(set_priority),
	KUNIT_CASE(is_provisioned_each_field),
	{ }
};

static struct kunit_suite vf_suite = {
	.name = "vgpu_vf",
	.suite_exit = mock_suite_exit,
	.init = mock_init,
	.test_cases = vf_cases,
};

kunit_test_suite(vf_suite);
