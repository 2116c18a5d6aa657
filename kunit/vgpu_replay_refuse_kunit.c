// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of stashes that are refused as a whole, because what is wrong with
 * them is not one VF's: nothing is lost, and once it is put right, all goes on.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "vgpu_update_kunit.h"

/* Where things are in the state of the adapter, see vgpu_state.h. */
#define ADAPTER_VERSION		16
#define ADAPTER_TOTAL_VFS	20
#define ADAPTER_VRAM_SIZE	24
#define ADAPTER_VF_MASK		32
#define ADAPTER_NUM_VFS		40

struct refusal_case {
	const char *name;
	void (*spoil)(struct mock_stash *stash);
	int err;
};

static struct mock_item *adapter_of(struct mock_stash *stash)
{
	return mock_stash_find(stash, VGPU_BLOCK_ADAPTER, 0);
}

static void put_adapter32(struct mock_stash *stash, size_t offset, u32 value)
{
	struct mock_item *item = adapter_of(stash);

	mock_put_le32(item->data, offset, value);
	mock_seal(item->data, item->data_size);
}

static void put_adapter64(struct mock_stash *stash, size_t offset, u64 value)
{
	struct mock_item *item = adapter_of(stash);

	mock_put_le64(item->data, offset, value);
	mock_seal(item->data, item->data_size);
}

static void adapter_missing(struct mock_stash *stash)
{
	adapter_of(stash)->dropped = true;
}

static void everything_missing(struct mock_stash *stash)
{
	unsigned int i;

	for (i = 0; i < stash->num_items; i++)
		stash->items[i]->dropped = true;
}

static void adapter_twice(struct mock_stash *stash)
{
	mock_stash_add_copy(stash, adapter_of(stash));
}

static void adapter_twice_at_the_end(struct mock_stash *stash)
{
	struct mock_item *copy = mock_stash_add_copy(stash, adapter_of(stash));

	mock_stash_move(stash, copy, stash->num_items - 1);
}

static void adapter_second(struct mock_stash *stash)
{
	mock_stash_move(stash, adapter_of(stash), 1);
}

static void adapter_last(struct mock_stash *stash)
{
	mock_stash_move(stash, adapter_of(stash), stash->num_items - 1);
}

static void adapter_bit_flipped(struct mock_stash *stash)
{
	adapter_of(stash)->data[ADAPTER_NUM_VFS] ^= 1;
}

static void adapter_cut(struct mock_stash *stash)
{
	adapter_of(stash)->data_size -= 8;
}

static void adapter_not_a_buffer(struct mock_stash *stash)
{
	static const struct drm_hotupdate_range unused = { UPDATE_VRAM / SZ_4K - 1, 1 };
	struct mock_item *item = adapter_of(stash);

	item->data_size = 0;
	KUNIT_ASSERT_EQ(stash->test, mock_item_set_ranges(item, &unused, 1), 0);
	item->is_device = true;
}

static void adapter_of_another_version(struct mock_stash *stash)
{
	put_adapter32(stash, ADAPTER_VERSION, 3 - VGPU_RELEASE);
}

static void adapter_of_more_vfs(struct mock_stash *stash)
{
	put_adapter32(stash, ADAPTER_TOTAL_VFS, MOCK_VFS + 1);
}

static void adapter_of_less_vram(struct mock_stash *stash)
{
	put_adapter64(stash, ADAPTER_VRAM_SIZE, UPDATE_VRAM - SZ_4K);
}

static void adapter_of_more_vfs_than_can_be(struct mock_stash *stash)
{
	put_adapter32(stash, ADAPTER_NUM_VFS, MOCK_VFS + 1);
}

static void mask_without_a_vf(struct mock_stash *stash)
{
	put_adapter64(stash, ADAPTER_VF_MASK, 0xf & ~BIT(VF_SYSTEM - 1));
}

static void mask_with_a_vf_beyond(struct mock_stash *stash)
{
	put_adapter64(stash, ADAPTER_VF_MASK, 0x1f);
}

static struct mock_item *memory_of(struct mock_stash *stash)
{
	return mock_stash_find(stash, VGPU_BLOCK_VF_MEMORY, VF_SYSTEM);
}

static void meta_missing(struct mock_stash *stash)
{
	memory_of(stash)->meta_size = 0;
}

static void meta_bit_flipped(struct mock_stash *stash)
{
	memory_of(stash)->meta[20] ^= 1;
}

static void meta_cut(struct mock_stash *stash)
{
	memory_of(stash)->meta_size -= 4;
}

static void meta_of_no_known_kind(struct mock_stash *stash)
{
	mock_item_set_meta(memory_of(stash), 5, VF_SYSTEM, 0);
}

static void meta_of_a_vf_beyond_the_device(struct mock_stash *stash)
{
	mock_item_set_meta(memory_of(stash), VGPU_BLOCK_VF_MEMORY, MOCK_VFS + 1, 0);
}

static void meta_of_a_vf_that_cannot_be(struct mock_stash *stash)
{
	mock_item_set_meta(memory_of(stash), VGPU_BLOCK_VF_MEMORY, 65, 0);
}

static void meta_of_vf_max(struct mock_stash *stash)
{
	mock_item_set_meta(memory_of(stash), VGPU_BLOCK_VF_MEMORY, U32_MAX, 0);
}

static void meta_of_the_adapter(struct mock_stash *stash)
{
	mock_item_set_meta(memory_of(stash), VGPU_BLOCK_ADAPTER, 0, 0);
}

#define REFUSAL(function, err) { #function, function, err }

static const struct refusal_case refusal_cases[] = {
	REFUSAL(adapter_missing, -EINVAL),
	REFUSAL(everything_missing, -EINVAL),
	REFUSAL(adapter_twice, -EINVAL),
	REFUSAL(adapter_twice_at_the_end, -EINVAL),
	REFUSAL(adapter_second, -EINVAL),
	REFUSAL(adapter_last, -EINVAL),
	REFUSAL(adapter_bit_flipped, -EINVAL),
	REFUSAL(adapter_cut, -EINVAL),
	REFUSAL(adapter_not_a_buffer, -EOPNOTSUPP),
	REFUSAL(adapter_of_another_version, -EINVAL),
	REFUSAL(adapter_of_more_vfs, -ENODEV),
	REFUSAL(adapter_of_less_vram, -ENODEV),
	REFUSAL(adapter_of_more_vfs_than_can_be, -EINVAL),
	REFUSAL(mask_without_a_vf, -EINVAL),
	REFUSAL(mask_with_a_vf_beyond, -EINVAL),
	REFUSAL(meta_missing, -EINVAL),
	REFUSAL(meta_bit_flipped, -EINVAL),
	REFUSAL(meta_cut, -EINVAL),
	REFUSAL(meta_of_no_known_kind, -EINVAL),
	REFUSAL(meta_of_a_vf_beyond_the_device, -EINVAL),
	REFUSAL(meta_of_a_vf_that_cannot_be, -EINVAL),
	REFUSAL(meta_of_vf_max, -EINVAL),
	REFUSAL(meta_of_the_adapter, -EINVAL),
};

KUNIT_ARRAY_PARAM_DESC(refusal, refusal_cases, name);

/* The stash as it was, to be put back into place. */
struct original {
	struct mock_item items[16];
	unsigned int num_items;
};

static struct original *remember(struct mock_stash *stash)
{
	struct original *original = kunit_kzalloc(stash->test, sizeof(*original),
						  GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(stash->test, original);
	KUNIT_ASSERT_LE(stash->test, stash->num_items, ARRAY_SIZE(original->items));
	for (i = 0; i < stash->num_items; i++)
		original->items[i] = *stash->items[i];
	original->num_items = stash->num_items;
	return original;
}

/* The block that has the same memory: whatever its metadata says now. */
static struct mock_item *find_same_memory(struct mock_stash *stash,
					  const struct mock_item *old)
{
	unsigned int i;

	for (i = 0; i < stash->num_items; i++)
		if (stash->items[i]->ranges &&
		    stash->items[i]->ranges->pfn == old->ranges->pfn)
			return stash->items[i];
	return NULL;
}

/* Buffers are made anew, memory is what it was. */
static void put_right(struct mock_stash *stash, const struct original *original)
{
	unsigned int i;

	for (i = 0; i < stash->num_items; i++)
		stash->items[i]->dropped = true;
	for (i = 0; i < original->num_items; i++) {
		const struct mock_item *old = &original->items[i];
		struct mock_item *item;

		if (old->ranges) {
			item = find_same_memory(stash, old);
			KUNIT_ASSERT_NOT_NULL(stash->test, item);
			mock_stash_move(stash, item, stash->num_items - 1);
			item->dropped = false;
		} else {
			item = mock_stash_add(stash, stash->num_items);
			memcpy(item->data, old->data, sizeof(item->data));
			item->data_size = old->data_size;
		}
		memcpy(item->meta, old->meta, sizeof(item->meta));
		item->meta_size = old->meta_size;
	}
}

/* It is refused before anything is written, and leaves all as it was. */
static void refuse(struct kunit *test)
{
	const struct refusal_case *c = test->param_value;
	struct update *update = update_new_usual(test);
	struct original *original;
	struct mock_stash *stash;

	update_detach(update, 0);
	stash = mock_stash_open(update->gpu);
	original = remember(stash);
	c->spoil(stash);
	mock_stash_close(stash, VGPU_RELEASE);
	update_count_blocks(update);

	KUNIT_EXPECT_EQ(test, mock_gpu_bind(update->gpu), c->err);
	update_expect_stash_whole(update);
	MOCK_EXPECT_NO_WRITES(update->hw);
	KUNIT_EXPECT_NULL(test, update->hw->handler);
	KUNIT_EXPECT_EQ(test, update->gpu->num_events, 0);
	update_expect_guests_intact(update, VF_NONE);
	if (c->spoil == everything_missing)
		return;

	stash = mock_stash_open(update->gpu);
	put_right(stash, original);
	mock_stash_close(stash, VGPU_RELEASE);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	MOCK_EXPECT_NO_WRITES(update->hw);
	update_expect_guests_intact(update, VF_NONE);
	update_expect_known(update, VF_NONE);
}

static struct kunit_case refuse_cases[] = {
	KUNIT_CASE_PARAM(refuse, refusal_gen_params),
	{ }
};

static struct kunit_suite refuse_suite = {
	.name = "vgpu_replay_refuse",
	.suite_exit = mock_suite_exit,
	.init = mock_init,
	.test_cases = refuse_cases,
};

kunit_test_suite(refuse_suite);
