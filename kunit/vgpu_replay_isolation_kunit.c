// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of isolation: a VF whose blocks make no sense, or do not agree
 * with the device, is reset and reported, and it alone. What comes after that is
 * in vgpu_replay_lost_kunit.c, what is wrong with the whole adapter in
 * vgpu_replay_refuse_kunit.c.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <drm/vgpu_drm.h>

#include "vgpu_update_kunit.h"

/* Where things are in the state of a VF, see vgpu_state.h. */
#define VF_NUMBER	16
#define VF_FLAGS	20
#define VF_BACKING	24
#define VF_MEM_SIZE	48
#define VF_TIMESLICE	56
#define VF_SCHED	80

/*
 * What is done to VF @vf: to its blocks, or to the device while no driver is
 * there.
 */
struct loss_case {
	const char *name;
	void (*stash)(struct mock_stash *stash, u32 vf);
	void (*device)(struct mock_hw *hw, u32 vf);
	const char *lost;
	/* Its pages are not in the stash any more: nobody frees them. */
	bool keeps_pages;
	/* The state version, 0 for that of the release */
	u32 version;
	/* The release that notices */
	u32 since;
};

static struct mock_item *state_of(struct mock_stash *stash, u32 vf)
{
	return mock_stash_find(stash, VGPU_BLOCK_VF_STATE, vf);
}

static struct mock_item *memory_of(struct mock_stash *stash, u32 vf)
{
	return mock_stash_find(stash, VGPU_BLOCK_VF_MEMORY, vf);
}

static struct mock_item *lmtt_of(struct mock_stash *stash, u32 vf)
{
	return mock_stash_find(stash, VGPU_BLOCK_VF_LMTT, vf);
}

static void put_state32(struct mock_stash *stash, u32 vf, size_t offset, u32 value)
{
	struct mock_item *item = state_of(stash, vf);

	mock_put_le32(item->data, offset, value);
	mock_seal(item->data, item->data_size);
}

static void put_state64(struct mock_stash *stash, u32 vf, size_t offset, u64 value)
{
	struct mock_item *item = state_of(stash, vf);

	mock_put_le64(item->data, offset, value);
	mock_seal(item->data, item->data_size);
}

static void state_bit_flipped(struct mock_stash *stash, u32 vf)
{
	/* To a value that is possible. */
	state_of(stash, vf)->data[VF_TIMESLICE] ^= 0x10;
}

static void state_cut(struct mock_stash *stash, u32 vf)
{
	state_of(stash, vf)->data_size -= 8;
}

static void state_one_byte(struct mock_stash *stash, u32 vf)
{
	state_of(stash, vf)->data_size = 1;
}

static void state_field_impossible(struct mock_stash *stash, u32 vf)
{
	put_state32(stash, vf, VF_TIMESLICE, 3);
}

static void state_of_another_vf(struct mock_stash *stash, u32 vf)
{
	put_state32(stash, vf, VF_NUMBER, vf == 1 ? 3 : 1);
}

static void state_of_a_vf_beyond(struct mock_stash *stash, u32 vf)
{
	put_state32(stash, vf, VF_NUMBER, 64);
}

static void state_not_a_buffer(struct mock_stash *stash, u32 vf)
{
	/* VRAM that nobody has. */
	static const struct drm_hotupdate_range unused = { UPDATE_VRAM / SZ_4K - 1, 1 };
	struct mock_item *item = state_of(stash, vf);

	item->data_size = 0;
	KUNIT_ASSERT_EQ(stash->test, mock_item_set_ranges(item, &unused, 1), 0);
	item->is_device = true;
}

static void state_missing(struct mock_stash *stash, u32 vf)
{
	state_of(stash, vf)->dropped = true;
}

static void memory_missing(struct mock_stash *stash, u32 vf)
{
	memory_of(stash, vf)->dropped = true;
}

static void lmtt_missing(struct mock_stash *stash, u32 vf)
{
	lmtt_of(stash, vf)->dropped = true;
}

static void memory_and_lmtt_missing(struct mock_stash *stash, u32 vf)
{
	memory_missing(stash, vf);
	lmtt_missing(stash, vf);
}

static void all_missing(struct mock_stash *stash, u32 vf)
{
	state_missing(stash, vf);
	memory_and_lmtt_missing(stash, vf);
}

static void state_twice(struct mock_stash *stash, u32 vf)
{
	mock_stash_add_copy(stash, state_of(stash, vf));
}

static void state_twice_at_the_end(struct mock_stash *stash, u32 vf)
{
	struct mock_item *copy = mock_stash_add_copy(stash, state_of(stash, vf));

	mock_stash_move(stash, copy, stash->num_items - 1);
}

static void add_pages(struct mock_stash *stash, u32 what, u32 vf, unsigned int index)
{
	struct mock_item *item = mock_stash_add(stash, index);
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(stash->test, page);
	mock_item_set_pages(stash->test, item, &page, 1);
	mock_item_set_meta(item, what, vf, 0);
}

static void memory_twice(struct mock_stash *stash, u32 vf)
{
	add_pages(stash, VGPU_BLOCK_VF_MEMORY, vf,
		  mock_stash_index(stash, memory_of(stash, vf)) + 1);
}

static void lmtt_twice(struct mock_stash *stash, u32 vf)
{
	add_pages(stash, VGPU_BLOCK_VF_LMTT, vf,
		  mock_stash_index(stash, lmtt_of(stash, vf)) + 1);
}

static void memory_before_state(struct mock_stash *stash, u32 vf)
{
	mock_stash_move(stash, memory_of(stash, vf),
			mock_stash_index(stash, state_of(stash, vf)));
}

static void lmtt_before_memory(struct mock_stash *stash, u32 vf)
{
	mock_stash_move(stash, lmtt_of(stash, vf),
			mock_stash_index(stash, memory_of(stash, vf)));
}

static void lmtt_before_state(struct mock_stash *stash, u32 vf)
{
	mock_stash_move(stash, lmtt_of(stash, vf), 1);
}

static void memory_larger_than_state_says(struct mock_stash *stash, u32 vf)
{
	u64 size = mock_get_le64(state_of(stash, vf)->data, VF_MEM_SIZE);

	put_state64(stash, vf, VF_MEM_SIZE, size - SZ_4K);
}

static void memory_smaller_than_state_says(struct mock_stash *stash, u32 vf)
{
	u64 size = mock_get_le64(state_of(stash, vf)->data, VF_MEM_SIZE);

	/* Its limit is as large as its size, or larger. */
	put_state64(stash, vf, VF_MEM_SIZE - 8, size + SZ_4M);
	put_state64(stash, vf, VF_MEM_SIZE, size + SZ_4K);
}

static void memory_of_the_other_kind(struct mock_stash *stash, u32 vf)
{
	u32 backing = mock_get_le32(state_of(stash, vf)->data, VF_BACKING);

	put_state32(stash, vf, VF_BACKING, 3 - backing);
}

static void memory_outside_of_vram(struct mock_stash *stash, u32 vf)
{
	struct mock_item *item = memory_of(stash, vf);

	if (item->is_device)
		item->ranges[item->num_ranges - 1].pfn = UPDATE_VRAM / SZ_4K;
	else
		memory_of_the_other_kind(stash, vf);
}

static void state_says_idle(struct mock_stash *stash, u32 vf)
{
	put_state32(stash, vf, VF_FLAGS, 0);
	put_state64(stash, vf, VF_MEM_SIZE - 8, 0);
	put_state64(stash, vf, VF_MEM_SIZE, 0);
	put_state32(stash, vf, VF_TIMESLICE, 0);
}

static void state_says_idle_and_the_rest_is_missing(struct mock_stash *stash, u32 vf)
{
	state_says_idle(stash, vf);
	memory_and_lmtt_missing(stash, vf);
}

static void lmtt_root_is_another(struct mock_stash *stash, u32 vf)
{
	struct mock_item *item = lmtt_of(stash, vf);
	u32 root = mock_get_le32(item->meta, 24);

	mock_item_set_meta(item, VGPU_BLOCK_VF_LMTT, vf, root ? 0 : 1);
}

static void lmtt_root_is_none(struct mock_stash *stash, u32 vf)
{
	mock_item_set_meta(lmtt_of(stash, vf), VGPU_BLOCK_VF_LMTT, vf, 1000);
}

static void lmtt_entry_is_spoiled(struct mock_stash *stash, u32 vf)
{
	__le64 *root = phys_to_virt(stash->gpu->hw->fns[vf].table);

	root[0] |= cpu_to_le64(VGPU_LMTT_SYSTEM);
}

static void lmtt_is_too_small(struct mock_stash *stash, u32 vf)
{
	__le64 *root = phys_to_virt(stash->gpu->hw->fns[vf].table);

	root[0] = 0;
}

static __le64 *leaf_of(struct mock_stash *stash, u32 vf, u64 address)
{
	u64 table = stash->gpu->hw->fns[vf].table;
	struct page *tables[VGPU_LMTT_LEVELS];
	__le64 *entries;

	mock_walk(table, address, tables);
	entries = page_address(tables[0]);
	return &entries[address / SZ_4K % VGPU_LMTT_ENTRIES];
}

static void lmtt_first_page_leads_elsewhere(struct mock_stash *stash, u32 vf)
{
	*leaf_of(stash, vf, 0) ^= cpu_to_le64(SZ_4K);
}

static void lmtt_last_page_leads_elsewhere(struct mock_stash *stash, u32 vf)
{
	*leaf_of(stash, vf, stash->gpu->hw->fns[vf].mem_size - SZ_4K) ^= cpu_to_le64(SZ_4K);
}

static void lmtt_first_page_leads_nowhere(struct mock_stash *stash, u32 vf)
{
	*leaf_of(stash, vf, 0) = 0;
}

static void lmtt_last_page_is_of_the_other_kind(struct mock_stash *stash, u32 vf)
{
	*leaf_of(stash, vf, stash->gpu->hw->fns[vf].mem_size - SZ_4K) ^=
		cpu_to_le64(VGPU_LMTT_SYSTEM);
}

static void device_does_not_run_it(struct mock_hw *hw, u32 vf)
{
	hw->fns[vf].enabled = false;
}

static void device_has_another_table(struct mock_hw *hw, u32 vf)
{
	hw->fns[vf].table += SZ_4K;
}

static void device_has_no_table(struct mock_hw *hw, u32 vf)
{
	hw->fns[vf].table = 0;
}

static void device_has_more_memory(struct mock_hw *hw, u32 vf)
{
	hw->fns[vf].mem_size += SZ_4K;
}

static void device_has_less_memory(struct mock_hw *hw, u32 vf)
{
	hw->fns[vf].mem_size -= SZ_4K;
}

static void device_has_another_time_slice(struct mock_hw *hw, u32 vf)
{
	hw->fns[vf].timeslice_us++;
}

static void device_has_another_priority(struct mock_hw *hw, u32 vf)
{
	hw->fns[vf].priority = (hw->fns[vf].priority + 1) % 3;
}

static void device_has_an_impossible_priority(struct mock_hw *hw, u32 vf)
{
	hw->fns[vf].priority = 1000;
}

static void device_has_answered_more(struct mock_hw *hw, u32 vf)
{
	hw->fns[vf].answered++;
	hw->fns[vf].sent++;
}

#define AT_WRONG_PLACE(what)	"its " what " comes at the wrong place"
#define NOT_WHAT_IT_SAYS	"its memory is not what its state says, or not free"
#define NOTHING_SAVED		"the device runs it, but nothing of it was saved"
#define MALFORMED		"its LMTT is malformed"
#define ELSEWHERE		"its LMTT leads elsewhere than its memory"
#define STASH(function)		.name = #function, .stash = function
#define DEVICE(function)	.name = #function, .device = function

static const struct loss_case loss_cases[] = {
	{ STASH(state_bit_flipped), .lost = "the checksum does not fit" },
	{ STASH(state_cut), .lost = "a record is longer than what there is" },
	{ STASH(state_one_byte), .lost = "a record is cut off" },
	{ STASH(state_field_impossible), .lost = "the VF's time slice is impossible" },
	{ STASH(state_of_another_vf), .lost = "its state is that of another VF" },
	{ STASH(state_of_a_vf_beyond), .lost = "its state is that of another VF" },
	{ STASH(state_not_a_buffer), .lost = "its state is not a buffer" },
	{ STASH(state_missing), .lost = AT_WRONG_PLACE("memory") },
	{ STASH(memory_missing), .lost = AT_WRONG_PLACE("LMTT"), .keeps_pages = true },
	{ STASH(lmtt_missing), .lost = "a block is missing", .keeps_pages = true },
	{ STASH(memory_and_lmtt_missing), .lost = "a block is missing", .keeps_pages = true },
	{ STASH(all_missing), .lost = NOTHING_SAVED, .keeps_pages = true },
	{ STASH(state_twice), .lost = "its state is there twice" },
	{ STASH(state_twice_at_the_end), .lost = "its state is there twice" },
	{ STASH(memory_twice), .lost = AT_WRONG_PLACE("memory") },
	{ STASH(lmtt_twice), .lost = AT_WRONG_PLACE("LMTT") },
	{ STASH(memory_before_state), .lost = AT_WRONG_PLACE("memory") },
	{ STASH(lmtt_before_memory), .lost = AT_WRONG_PLACE("LMTT") },
	{ STASH(lmtt_before_state), .lost = AT_WRONG_PLACE("LMTT") },
	{ STASH(memory_larger_than_state_says), .lost = NOT_WHAT_IT_SAYS },
	{ STASH(memory_smaller_than_state_says), .lost = NOT_WHAT_IT_SAYS },
	{ STASH(memory_of_the_other_kind), .lost = NOT_WHAT_IT_SAYS },
	{ STASH(memory_outside_of_vram), .lost = NOT_WHAT_IT_SAYS },
	{ STASH(state_says_idle), .lost = AT_WRONG_PLACE("memory") },
	{ STASH(state_says_idle_and_the_rest_is_missing), .lost = NOTHING_SAVED,
	  .keeps_pages = true },
	{ STASH(lmtt_root_is_another), .lost = MALFORMED },
	{ STASH(lmtt_root_is_none), .lost = MALFORMED },
	{ STASH(lmtt_entry_is_spoiled), .lost = MALFORMED },
	{ STASH(lmtt_is_too_small), .lost = MALFORMED },
	{ STASH(lmtt_first_page_leads_elsewhere), .lost = ELSEWHERE },
	{ STASH(lmtt_last_page_leads_elsewhere), .lost = ELSEWHERE },
	{ STASH(lmtt_first_page_leads_nowhere), .lost = ELSEWHERE },
	{ STASH(lmtt_last_page_is_of_the_other_kind), .lost = ELSEWHERE },
	{ DEVICE(device_does_not_run_it), .lost = "the device does not run it" },
	{ DEVICE(device_has_another_table), .lost = "the device has another LMTT" },
	{ DEVICE(device_has_no_table), .lost = "the device has another LMTT" },
	{ DEVICE(device_has_more_memory), .lost = "the device has another size of memory" },
	{ DEVICE(device_has_less_memory), .lost = "the device has another size of memory" },
	{ DEVICE(device_has_another_time_slice), .lost = "the device has another time slice" },
	{ DEVICE(device_has_another_priority), .since = 2,
	  .lost = "the device has another priority" },
	{ DEVICE(device_has_answered_more), .since = 2,
	  .lost = "the device has served another number of requests" },
	{ DEVICE(device_has_an_impossible_priority), .version = 1,
	  .lost = "the device has an impossible priority" },
};

KUNIT_ARRAY_PARAM_DESC(loss, loss_cases, name);

/* What is wrong was done, and there is no driver. */
static void detach_and_spoil(struct update *update, const struct loss_case *c, u32 vf)
{
	u32 version = c->version ?: VGPU_RELEASE;

	update_detach(update, version);
	if (c->stash) {
		struct mock_stash *stash = mock_stash_open(update->gpu);

		c->stash(stash, vf);
		mock_stash_close(stash, version);
	}
	if (c->device)
		c->device(update->hw, vf);
}

static void expect_event(struct update *update, u32 vf, const char *lost)
{
	char expected[256];

	KUNIT_EXPECT_EQ(update->test, update->gpu->num_events, 1);
	scnprintf(expected, sizeof(expected), "EVENT=vf_lost\nVF=%u\nREASON=%s\n", vf, lost);
	KUNIT_EXPECT_STREQ(update->test, update->gpu->event, expected);
}

/* That VF is lost, for that reason; the others have noticed nothing. */
static void expect_one_lost(struct update *update, const struct loss_case *c, u32 number)
{
	struct mock_guest *guest = update->guests[number];
	struct vgpu_vf *vf = mock_gpu_vf(update->gpu, number);
	struct kunit *test = update->test;

	mock_gpu_expect_state(update->gpu, "running");
	KUNIT_EXPECT_STREQ(test, vf->lost, c->lost);
	KUNIT_EXPECT_FALSE(test, vf->enabled);
	KUNIT_EXPECT_FALSE(test, update->hw->fns[number].enabled);
	MOCK_EXPECT_WRITES(update->hw,
			   { VGPU_FN(number, VGPU_FN_RESET), VGPU_RESET_MAGIC });
	if (c->keeps_pages)
		KUNIT_EXPECT_EQ(test, mock_hw_resets_of(update->hw, number), 1);
	else
		mock_guest_expect_reset_then_freed(guest);
	expect_event(update, number, c->lost);
	update_expect_guests_intact(update, number);
	update_expect_known(update, number);
}

/* Up to the start nothing is written, not even to a VF that is going to be lost. */
static void expect_nothing_written(struct update *update)
{
	KUNIT_EXPECT_EQ(update->test, update->hw->num_writes, 0);
	update_expect_guests_intact(update, update->spoiled);
	mock_guest_expect_pages_owned(update->guests[update->spoiled], true);
}

/*
 * The VF is going to be lost, but the start fails: it is not lost yet, the stash
 * is whole, and so is the guest.
 */
static void expect_not_lost_if_start_fails(struct update *update)
{
	struct update_faults *faults = update_faults_new(update);

	update_count_blocks(update);
	faults->at_start = expect_nothing_written;
	faults->start = true;
	KUNIT_EXPECT_EQ(update->test, mock_gpu_bind(update->gpu), -EIO);
	update_expect_stash_whole(update);
	MOCK_EXPECT_NO_WRITES(update->hw);
	KUNIT_EXPECT_EQ(update->test, update->gpu->num_events, 0);
	faults->start = false;
}

static void lose_one(struct kunit *test, u32 vf)
{
	const struct loss_case *c = test->param_value;
	struct update *update;

	if (c->since > VGPU_RELEASE)
		kunit_skip(test, "state version 1 does not say it");
	update = update_new_usual(test);
	update->spoiled = vf;
	detach_and_spoil(update, c, vf);
	expect_not_lost_if_start_fails(update);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	expect_one_lost(update, c, vf);

	/* The others are served. */
	mock_hw_send(update->hw, VF_SHARE, VGPU_MBOX_QUERY, VGPU_PROPERTY_MEM_SIZE, 0);
	mock_gpu_serve(update->gpu);
	mock_hw_expect_answer(update->hw, 0, VF_SHARE, 1, 0, update->known[VF_SHARE].size);
}

static void lose_vf_of_vram(struct kunit *test)
{
	lose_one(test, VF_VRAM);
}

static void lose_vf_of_system_memory(struct kunit *test)
{
	lose_one(test, VF_SYSTEM);
}

/* As good a table, which is not the one that the device has. */
static void lmtt_is_another(struct mock_stash *stash, u32 vf)
{
	struct mock_item *item, *old = lmtt_of(stash, vf);
	struct page *pages[4];
	__le64 *entries;
	unsigned int i;

	old->dropped = true;
	item = mock_stash_add(stash, mock_stash_index(stash, old) + 1);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(stash->test, pages[i]);
	}
	entries = page_address(pages[0]);
	entries[0] = cpu_to_le64(page_to_phys(pages[1]) | 1);
	entries = page_address(pages[1]);
	entries[0] = cpu_to_le64(page_to_phys(pages[2]) | 1);
	entries[1] = cpu_to_le64(page_to_phys(pages[3]) | 1);
	copy_page(page_address(pages[2]), leaf_of(stash, vf, 0));
	copy_page(page_address(pages[3]), leaf_of(stash, vf, SZ_2M));
	mock_item_set_pages(stash->test, item, pages, ARRAY_SIZE(pages));
	mock_item_set_meta(item, VGPU_BLOCK_VF_LMTT, vf, 0);
}

/* The pages that the device reads belong to nobody the driver knows of. */
static void lose_vf_with_another_lmtt(struct kunit *test)
{
	static const struct loss_case c = {
		STASH(lmtt_is_another), .lost = "the device has another LMTT",
		.keeps_pages = true,
	};
	struct update *update = update_new_usual(test);

	detach_and_spoil(update, &c, VF_SYSTEM);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	expect_one_lost(update, &c, VF_SYSTEM);
}

/* What is said of the first range of a VF's VRAM is said of other, free VRAM. */
static void vram_is_elsewhere(struct mock_stash *stash, u32 vf)
{
	struct mock_item *item = memory_of(stash, vf);

	item->ranges[0].pfn = UPDATE_VRAM / SZ_4K - item->ranges[0].nr_pages;
}

/*
 * The last two ranges are a page each, with free ones behind them. The second of
 * them is said to be the page behind the first.
 */
static void vram_of_a_range_ends_elsewhere(struct mock_stash *stash, u32 vf)
{
	struct mock_item *item = memory_of(stash, vf);
	struct drm_hotupdate_range *range = &item->ranges[item->num_ranges - 2];

	KUNIT_ASSERT_EQ(stash->test, range[0].nr_pages, 1);
	KUNIT_ASSERT_EQ(stash->test, range[1].nr_pages, 1);
	range[0].nr_pages++;
	item->num_ranges--;
}

static const struct loss_case vram_cases[] = {
	{ STASH(vram_is_elsewhere), .lost = ELSEWHERE },
	{ STASH(vram_of_a_range_ends_elsewhere), .lost = ELSEWHERE },
};

KUNIT_ARRAY_PARAM_DESC(vram, vram_cases, name);

/* What the VF's addresses lead to would be the next one's otherwise. */
static void lose_vf_with_other_vram(struct kunit *test)
{
	lose_one(test, VF_VRAM);
}

/* As much memory, which is not what the VF's addresses lead to. */
static void memory_is_another(struct mock_stash *stash, u32 vf)
{
	const u64 num = stash->gpu->hw->fns[vf].mem_size / SZ_4K;
	struct mock_item *item, *old = memory_of(stash, vf);
	struct drm_hotupdate_range *ranges;
	unsigned int i;

	old->dropped = true;
	item = mock_stash_add(stash, mock_stash_index(stash, old) + 1);
	ranges = kunit_kcalloc(stash->test, num, sizeof(*ranges), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(stash->test, ranges);
	for (i = 0; i < num; i++) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

		KUNIT_ASSERT_NOT_NULL(stash->test, page);
		ranges[i] = (struct drm_hotupdate_range) { page_to_pfn(page), 1 };
	}
	KUNIT_ASSERT_EQ(stash->test, mock_item_set_ranges(item, ranges, num), 0);
	item->owned = true;
	mock_item_set_meta(item, VGPU_BLOCK_VF_MEMORY, vf, 0);
}

/* The pages that its addresses lead to belong to nobody the driver knows of. */
static void lose_vf_with_other_folios(struct kunit *test)
{
	static const struct loss_case c = {
		STASH(memory_is_another), .lost = ELSEWHERE, .keeps_pages = true,
	};
	struct update *update = update_new_usual(test);

	detach_and_spoil(update, &c, VF_SYSTEM);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	expect_one_lost(update, &c, VF_SYSTEM);
}

static struct kunit_case isolation_cases[] = {
	KUNIT_CASE_PARAM(lose_vf_of_vram, loss_gen_params),
	KUNIT_CASE_PARAM(lose_vf_of_system_memory, loss_gen_params),
	KUNIT_CASE(lose_vf_with_another_lmtt),
	KUNIT_CASE_PARAM(lose_vf_with_other_vram, vram_gen_params),
	KUNIT_CASE(lose_vf_with_other_folios),
	{ }
};

static struct kunit_suite isolation_suite = {
	.name = "vgpu_replay_isolation",
	.suite_exit = mock_suite_exit,
	.init = mock_init,
	.test_cases = isolation_cases,
};

kunit_test_suite(isolation_suite);
