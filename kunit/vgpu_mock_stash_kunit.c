// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of vgpu's family, of no release, which hands on what it was given in
 * whatever way a test wants it to. It stands for all releases that got it wrong.
 */

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "../drivers/gpu/drm/hotupdate/drm_hotupdate_internal.h"
#include "vgpu_mock.h"

/* Where things are in the metadata of a block, see vgpu_state.h. */
#define META_WHAT	16
#define META_VF		20
#define META_ROOT_INDEX	24

/*
 * Records
 */

u32 mock_get_le32(const u8 *buf, size_t offset)
{
	return get_unaligned_le32(buf + offset);
}

u64 mock_get_le64(const u8 *buf, size_t offset)
{
	return get_unaligned_le64(buf + offset);
}

void mock_put_le32(u8 *buf, size_t offset, u32 value)
{
	put_unaligned_le32(value, buf + offset);
}

void mock_put_le64(u8 *buf, size_t offset, u64 value)
{
	put_unaligned_le64(value, buf + offset);
}

/* Of zlib, bit by bit: what the driver uses is not to be proven by itself. */
u32 mock_crc32(const u8 *buf, size_t size)
{
	u32 crc = ~0u;
	size_t i;
	int bit;

	for (i = 0; i < size; i++) {
		crc ^= buf[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* The last record is the end: a header of 16 bytes, a count, the checksum. */
void mock_seal(u8 *buf, size_t size)
{
	mock_put_le32(buf, size - 4, mock_crc32(buf, size - 24));
}

/*
 * Items
 */

void mock_item_set_meta(struct mock_item *item, u32 what, u32 vf, u32 root_index)
{
	const struct vgpu_block_state state = {
		.what = what, .vf = vf, .root_index = root_index,
	};

	item->meta_size = vgpu_state_encode_block(item->meta, &state);
}

static u32 item_what(const struct mock_item *item)
{
	return mock_get_le32(item->meta, META_WHAT);
}

static u32 item_vf(const struct mock_item *item)
{
	return mock_get_le32(item->meta, META_VF);
}

static bool is_buffer(const struct mock_item *item)
{
	return item->data_size;
}

static void free_pages_of(struct mock_item *item)
{
	unsigned int i;
	u64 k;

	for (i = 0; i < item->num_ranges; i++)
		for (k = 0; k < item->ranges[i].nr_pages;) {
			struct folio *folio;

			folio = page_folio(pfn_to_page(item->ranges[i].pfn + k));
			k += folio_nr_pages(folio);
			folio_put(folio);
		}
	item->owned = false;
}

static void free_item(void *data)
{
	struct mock_item *item = data;

	if (item->owned)
		free_pages_of(item);
	kfree(item->ranges);
}

static struct mock_item *item_new(struct kunit *test)
{
	struct mock_item *item = kunit_kzalloc(test, sizeof(*item), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_item, item));
	return item;
}

/* Ranges are not the case's own, as they are needed after all that is. */
int mock_item_set_ranges(struct mock_item *item, const struct drm_hotupdate_range *ranges,
			 unsigned int num)
{
	item->ranges = kmemdup(ranges, num * sizeof(*ranges), GFP_KERNEL);
	if (!item->ranges)
		return -ENOMEM;
	item->num_ranges = num;
	return 0;
}

/* Pages of their own, of which the item has a reference each. */
void mock_item_set_pages(struct kunit *test, struct mock_item *item,
			 struct page **pages, unsigned int num)
{
	struct drm_hotupdate_range ranges[8];
	unsigned int i;

	KUNIT_ASSERT_LE(test, num, ARRAY_SIZE(ranges));
	for (i = 0; i < num; i++)
		ranges[i] = (struct drm_hotupdate_range) { page_to_pfn(pages[i]), 1 };
	KUNIT_ASSERT_EQ(test, mock_item_set_ranges(item, ranges, num), 0);
	item->as_sgt = true;
	item->owned = true;
}

/*
 * The driver. Its callbacks run under a lock: no assertions.
 */

static int save_as_sgt(struct drm_hotupdate_adapter *adapter, struct mock_item *item,
		       struct drm_hotupdate_save_args *args)
{
	struct scatterlist *sg;
	struct sg_table sgt;
	unsigned int i;
	int err;

	err = sg_alloc_table(&sgt, item->num_ranges, GFP_KERNEL);
	if (err)
		return err;
	for_each_sgtable_sg(&sgt, sg, i)
		sg_set_page(sg, pfn_to_page(item->ranges[i].pfn),
			    item->ranges[i].nr_pages << PAGE_SHIFT, 0);
	args->sgt = &sgt;
	err = drm_hotupdate_save_memory(adapter, args);
	sg_free_table(&sgt);
	return err;
}

static int save_item(struct drm_hotupdate_adapter *adapter, struct mock_item *item)
{
	struct drm_hotupdate_save_args args = {
		.meta = item->meta_size ? item->meta : NULL,
		.meta_size = item->meta_size,
	};

	if (item->as_sgt)
		return save_as_sgt(adapter, item, &args);

	if (is_buffer(item)) {
		args.data = item->data;
		args.data_size = item->data_size;
	} else {
		args.ranges = item->ranges;
		args.num_ranges = item->num_ranges;
		args.mem = item->is_device ? DRM_HOTUPDATE_MEM_DEVICE :
					     DRM_HOTUPDATE_MEM_SYSTEM;
	}
	return drm_hotupdate_save_memory(adapter, &args);
}

static int stash_save(struct drm_hotupdate_adapter *adapter)
{
	struct mock_stash *stash = drm_hotupdate_adapter_priv(adapter);
	unsigned int i;
	int err = 0;

	for (i = 0; i < stash->num_items && !err; i++)
		if (!stash->items[i]->dropped)
			err = save_item(adapter, stash->items[i]);
	return err;
}

static void copy_meta(struct kunit *test, struct mock_item *item,
		      struct drm_hotupdate_block *block)
{
	const void *meta = drm_hotupdate_block_meta(block, &item->meta_size);

	KUNIT_EXPECT_LE(test, item->meta_size, sizeof(item->meta));
	memcpy(item->meta, meta, min(item->meta_size, sizeof(item->meta)));
}

static void copy_data(struct kunit *test, struct mock_item *item,
		      struct drm_hotupdate_block *block)
{
	void *data = drm_hotupdate_block_vmap(block);

	item->data_size = drm_hotupdate_block_size(block);
	KUNIT_EXPECT_LE(test, item->data_size, sizeof(item->data));
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, data);
	if (IS_ERR_OR_NULL(data))
		return;
	memcpy(item->data, data, min(item->data_size, sizeof(item->data)));
	drm_hotupdate_block_vunmap(block, data);
}

static void copy_ranges(struct kunit *test, struct mock_item *item,
			struct drm_hotupdate_block *block)
{
	const struct drm_hotupdate_range *ranges;
	unsigned int num;

	ranges = drm_hotupdate_block_ranges(block, &num);
	KUNIT_EXPECT_EQ(test, mock_item_set_ranges(item, ranges, num), 0);
	item->is_device = drm_hotupdate_block_mem(block) == DRM_HOTUPDATE_MEM_DEVICE;
	item->as_sgt = block->kind == HOTUPDATE_KIND_SGT;
}

static int stash_restore(struct drm_hotupdate_adapter *adapter,
			 struct drm_hotupdate_block *block)
{
	struct mock_stash *stash = drm_hotupdate_adapter_priv(adapter);
	struct kunit *test = stash->test;
	struct mock_item *item;

	item = stash->items[stash->num_items++];
	copy_meta(test, item, block);
	if (block->kind == HOTUPDATE_KIND_BUFFER)
		copy_data(test, item, block);
	else
		copy_ranges(test, item, block);
	item->block = block;
	return 0;
}

static void stash_abort(struct drm_hotupdate_adapter *adapter)
{
	struct mock_stash *stash = drm_hotupdate_adapter_priv(adapter);

	KUNIT_FAIL(stash->test, "nothing of what it does can fail");
}

static void stash_cancel(struct drm_hotupdate_adapter *adapter)
{
}

static int stash_start(struct drm_hotupdate_adapter *adapter, bool restored)
{
	return 0;
}

/* A driver that is removed drops its references, whatever a stash holds. */
static void stash_stop(struct drm_hotupdate_adapter *adapter, bool saved)
{
	struct mock_stash *stash = drm_hotupdate_adapter_priv(adapter);
	unsigned int i;

	for (i = 0; i < stash->num_items; i++)
		if (stash->items[i]->owned && !stash->items[i]->dropped)
			free_pages_of(stash->items[i]);
}

/* Pages that it was given are its own from now on. */
static void stash_complete(struct drm_hotupdate_adapter *adapter)
{
	struct mock_stash *stash = drm_hotupdate_adapter_priv(adapter);
	unsigned int i;

	for (i = 0; i < stash->num_items; i++) {
		struct mock_item *item = stash->items[i];
		struct sg_table sgt;

		if (is_buffer(item) || item->is_device) {
			drm_hotupdate_block_put(item->block);
		} else {
			KUNIT_EXPECT_EQ(stash->test, 0,
					drm_hotupdate_block_take(item->block, &sgt));
			sg_free_table(&sgt);
			item->owned = true;
		}
		item->block = NULL;
	}
}

static const struct drm_hotupdate_ops stash_ops = {
	.save_memory = stash_save,
	.cancel_save = stash_cancel,
	.restore_memory = stash_restore,
	.restore_abort = stash_abort,
	.start_device = stash_start,
	.stop_device = stash_stop,
	.restore_complete = stash_complete,
};

static const struct drm_hotupdate_driver stash_driver = {
	.name = "vgpu_mock",
	.compatible = "drm,vgpu",
	.version = 99,
	.min_version = 1,
	.ops = &stash_ops,
};

static void unregister(void *data)
{
	struct mock_stash *stash = data;
	struct drm_hotupdate_adapter *adapter = stash->adapter;

	stash->adapter = NULL;
	drm_hotupdate_adapter_unregister(adapter);
}

/* On a GPU that nobody is bound to, whether it has a stash or not. */
struct mock_stash *mock_stash_open(struct mock_gpu *gpu)
{
	struct kunit *test = gpu->test;
	struct mock_stash *stash = kunit_kzalloc(test, sizeof(*stash), GFP_KERNEL);
	struct drm_hotupdate_adapter *adapter;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, stash);
	stash->test = test;
	stash->gpu = gpu;
	if (gpu->adapter) {
		KUNIT_ASSERT_LE(test, gpu->adapter->stash.count, MOCK_MAX_ITEMS);
		for (i = 0; i < gpu->adapter->stash.count; i++)
			stash->items[i] = item_new(test);
	}

	adapter = drm_hotupdate_adapter_register(&gpu->pdev->dev, &stash_driver, stash);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, adapter);
	stash->adapter = adapter;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unregister, stash));
	if (gpu->adapter != adapter) {
		KUNIT_ASSERT_NULL(test, gpu->adapter);
		get_device(&adapter->dev);
		gpu->adapter = adapter;
	}
	return stash;
}

/* Saves, and leaves what it saved to the next one. */
void mock_stash_close(struct mock_stash *stash, u32 version)
{
	KUNIT_ASSERT_EQ(stash->test, 0, drm_hotupdate_prepare(stash->adapter, version));
	kunit_release_action(stash->test, unregister, stash);
}

struct mock_item *mock_stash_find(struct mock_stash *stash, u32 what, u32 vf)
{
	unsigned int i;

	for (i = 0; i < stash->num_items; i++)
		if (item_what(stash->items[i]) == what && item_vf(stash->items[i]) == vf)
			return stash->items[i];
	KUNIT_FAIL_AND_ABORT(stash->test, "there is no block %u of VF %u\n", what, vf);
	return NULL;
}

unsigned int mock_stash_index(struct mock_stash *stash, const struct mock_item *item)
{
	unsigned int i = 0;

	while (i < stash->num_items && stash->items[i] != item)
		i++;
	return i;
}

void mock_stash_move(struct mock_stash *stash, struct mock_item *item, unsigned int index)
{
	unsigned int i = mock_stash_index(stash, item);

	for (; i > index; i--)
		stash->items[i] = stash->items[i - 1];
	for (; i < index; i++)
		stash->items[i] = stash->items[i + 1];
	stash->items[i] = item;
}

struct mock_item *mock_stash_add(struct mock_stash *stash, unsigned int index)
{
	struct mock_item *item = item_new(stash->test);

	KUNIT_ASSERT_LT(stash->test, stash->num_items, MOCK_MAX_ITEMS);
	stash->items[stash->num_items++] = item;
	mock_stash_move(stash, item, index);
	return item;
}

/* The same buffer once more, right after the other one. */
struct mock_item *mock_stash_add_copy(struct mock_stash *stash,
				      const struct mock_item *item)
{
	struct mock_item *copy;

	KUNIT_ASSERT_TRUE(stash->test, is_buffer(item));
	copy = mock_stash_add(stash, mock_stash_index(stash, item) + 1);
	memcpy(copy->meta, item->meta, sizeof(copy->meta));
	memcpy(copy->data, item->data, sizeof(copy->data));
	copy->meta_size = item->meta_size;
	copy->data_size = item->data_size;
	return copy;
}
