// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA mappings that are saved with a block: they stay, come back, are checked, and are
 * unmapped by a discard.
 */

#include <kunit/test.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/prandom.h>

#include "drm_hotupdate_fake_bus.h"
#include "drm_hotupdate_fake_iommu.h"

static const unsigned int orders[] = { 0, 2, 0, 3, 1 };

struct dma_case {
	struct fake_iommu *iommu;
	struct fake_slot *slot;
	struct fake_driver *driver;
	struct fake_block *ranges;
	struct fake_block *table;
};

/* A driver that saves two blocks whose pages are mapped, and one that is not. */
static struct dma_case *dma_case_new(struct kunit *test)
{
	struct dma_case *dma = kunit_kzalloc(test, sizeof(*dma), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dma);
	dma->iommu = fake_iommu_new(test);
	dma->slot = fake_slot_new(test);
	dma->driver = fake_driver_new(test, dma->slot->gpu);
	dma->ranges = fake_block_pages(test, HOTUPDATE_KIND_RANGES, orders, ARRAY_SIZE(orders));
	dma->table = fake_block_pages(test, HOTUPDATE_KIND_SGT, orders, ARRAY_SIZE(orders));
	fake_iommu_map_folios(dma->iommu, dma->ranges);
	fake_iommu_map_all(dma->iommu, dma->table);
	fake_driver_saves(dma->driver, dma->ranges);
	fake_driver_saves(dma->driver, fake_block_page(test));
	fake_driver_saves(dma->driver, dma->table);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(dma->slot, FAKE_BUS_SAVER, dma->driver), 1);
	return dma;
}

static void dma_detach(struct kunit *test, struct dma_case *dma)
{
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(dma->driver->adapter, 0), 0);
	fake_slot_unbind(dma->slot);
	fake_slot_settle(dma->slot);
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_DETACHED);
}

static struct dma_case *dma_case_detached(struct kunit *test)
{
	struct dma_case *dma = dma_case_new(test);

	dma_detach(test, dma);
	return dma;
}

static u64 dma_all_pages(const struct dma_case *dma)
{
	return fake_block_num_pages(dma->ranges) + fake_block_num_pages(dma->table);
}

static void dma_expect_mapped(struct kunit *test, struct dma_case *dma)
{
	KUNIT_EXPECT_EQ(test, fake_iommu_num_mapped(dma->iommu), dma_all_pages(dma));
	KUNIT_EXPECT_EQ(test, dma->iommu->unmapped, 0);
}

static int dma_discard(struct dma_case *dma, bool force)
{
	return hotupdate_discard(dma->slot->gpu->adapter, force);
}

/*
 * The next driver is given the addresses, and nobody has touched the mapping.
 *
 * Clauses: U19
 */
static void addresses_come_back(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);
	struct fake_driver *next = fake_driver_new(test, dma->slot->gpu);

	dma_expect_mapped(test, dma);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(dma->slot, FAKE_BUS_SAVER, next), 1);
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_RUNNING);
	fake_driver_expect_restored(next, dma->driver);
	KUNIT_EXPECT_PTR_EQ(test, dma->iommu->dev, dma->slot->gpu->dev);
	dma_expect_mapped(test, dma);
}

/*
 * A cancel, a save that fails and a restore that fails leave the mappings alone.
 *
 * Clauses: U3, U4, U19
 */
static void mappings_stay_without_an_update(struct kunit *test)
{
	struct dma_case *dma = dma_case_new(test);
	struct fake_driver *next = fake_driver_new(test, dma->slot->gpu);
	struct fake_failure failure = { .call = FAKE_SAVE, .err = -EIO };

	dma->driver->hook = fake_fail_hook;
	dma->driver->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(dma->driver->adapter, 0), -EIO);
	dma->driver->hook = NULL;
	dma_expect_mapped(test, dma);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(dma->driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(dma->driver->adapter), 0);
	dma_expect_mapped(test, dma);

	dma_detach(test, dma);
	failure.call = FAKE_START;
	next->hook = fake_fail_hook;
	next->hook_data = &failure;
	KUNIT_EXPECT_NE(test, fake_slot_bind(dma->slot, FAKE_BUS_SAVER, next), 1);
	next->hook = NULL;
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_DETACHED);
	dma_expect_mapped(test, dma);
}

/* Of the pages that were lost, one. */
static void dma_expect_lost(struct kunit *test, struct dma_case *dma, dma_addr_t addr)
{
	struct fake_driver *next = fake_driver_new(test, dma->slot->gpu);
	char words[48];

	KUNIT_EXPECT_NE(test, fake_slot_bind(dma->slot, FAKE_BUS_SAVER, next), 1);
	KUNIT_EXPECT_EQ(test, dma->slot->register_err, -ESTALE);
	KUNIT_EXPECT_STREQ(test, next->log, "");
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_STALE);
	FAKE_EXPECT_STASH(dma->slot->gpu, 3);
	scnprintf(words, sizeof(words), "DMA address %pad", &addr);
	FAKE_EXPECT_ERROR(dma->slot->gpu, words);
	KUNIT_EXPECT_FALSE(test, fake_log_has(words));

	/* For good: the device may have met with the hole already. */
	KUNIT_EXPECT_NE(test, fake_slot_bind(dma->slot, FAKE_BUS_SAVER, next), 1);
	KUNIT_EXPECT_STREQ(test, next->log, "");
}

/*
 * Somebody has unmapped a page while no driver was there.
 *
 * Clauses: U19
 */
static void lost_page_makes_it_stale(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);
	dma_addr_t addr = dma->ranges->dma[1].addr;

	fake_iommu_lose(dma->iommu, addr);
	dma_expect_lost(test, dma, addr);
}

/* The last page of an entry is looked at, too: here it is within a folio. */
static void lost_end_makes_it_stale(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);
	const struct drm_hotupdate_dma *entry = &dma->table->dma[0];
	dma_addr_t addr = entry->addr + ((entry->nr_pages - 1) << PAGE_SHIFT);

	fake_iommu_lose(dma->iommu, addr);
	dma_expect_lost(test, dma, addr);
}

/*
 * Another page is there instead.
 *
 * Clauses: U19
 */
static void moved_page_makes_it_stale(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);
	dma_addr_t addr = dma->table->dma[0].addr;

	fake_iommu_move(dma->iommu, addr, dma->ranges->ranges[0].pfn);
	dma_expect_lost(test, dma, addr);
}

/*
 * In the domain of somebody else nothing is looked up.
 *
 * Clauses: U19
 */
static void foreign_domain_makes_it_stale(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);
	struct fake_driver *next = fake_driver_new(test, dma->slot->gpu);

	dma->iommu->is_foreign = true;
	KUNIT_EXPECT_NE(test, fake_slot_bind(dma->slot, FAKE_BUS_SAVER, next), 1);
	KUNIT_EXPECT_EQ(test, dma->slot->register_err, -ESTALE);
	FAKE_EXPECT_ERROR(dma->slot->gpu, "domain is not that of the DMA API");

	/* The mappings are still in the domain that will come back. */
	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), -EBUSY);
	FAKE_EXPECT_ERROR(dma->slot->gpu, "write force");
	dma_expect_mapped(test, dma);
	dma->iommu->is_foreign = false;
	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), 0);
	KUNIT_EXPECT_EQ(test, fake_iommu_num_mapped(dma->iommu), 0);
}

static void dma_expect_unmapped(struct kunit *test, struct dma_case *dma)
{
	KUNIT_EXPECT_EQ(test, fake_iommu_num_mapped(dma->iommu), 0);
	KUNIT_EXPECT_EQ(test, dma->iommu->unmapped, dma->ranges->num_dma + dma->table->num_dma);
	KUNIT_EXPECT_EQ(test, dma->iommu->dir, dma->table->dma_dir);
	/* The CPU does not look at the pages. */
	KUNIT_EXPECT_EQ(test, dma->iommu->attrs,
			dma->table->dma_attrs | DMA_ATTR_SKIP_CPU_SYNC);
	KUNIT_EXPECT_EQ(test, dma->iommu->flushed, 1);
	KUNIT_EXPECT_EQ(test, dma->iommu->unmapped_before, dma->iommu->unmapped);
}

/*
 * An administrator can insist, but nothing is unmapped in the domain of somebody else.
 *
 * Clauses: U9
 */
static void forced_discard_in_a_foreign_domain(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);

	dma->iommu->is_foreign = true;
	KUNIT_EXPECT_EQ(test, dma_discard(dma, true), 0);
	dma_expect_mapped(test, dma);
	KUNIT_EXPECT_TRUE(test, fake_log_has("domain is not in use, and can come back"));
	fake_block_expect_refs(test, dma->ranges, 0);
}

/*
 * A discard silences the device, unmaps what each call has mapped, and flushes the IOMMU's
 * cache, all before it drops a page.
 *
 * Clauses: U9, U19
 */
static void discard_unmaps(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);
	unsigned int silenced = fake_silenced();

	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), 0);
	dma_expect_unmapped(test, dma);
	KUNIT_EXPECT_EQ(test, dma->iommu->silenced_before, silenced + 1);
	KUNIT_EXPECT_PTR_EQ(test, dma->iommu->dev, dma->slot->gpu->dev);
	fake_block_expect_refs(test, dma->ranges, 0);
}

/*
 * Also if the device cannot be silenced: then the IOMMU is all that protects the pages.
 *
 * Clauses: U9
 */
static void forced_discard_unmaps(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);

	fake_set_silence_result(-EIO);
	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), -EIO);
	dma_expect_mapped(test, dma);
	KUNIT_EXPECT_EQ(test, dma->iommu->flushed, 0);
	KUNIT_EXPECT_EQ(test, dma_discard(dma, true), 0);
	dma_expect_unmapped(test, dma);
}

/*
 * An entry of which a page is not there any more is left alone: to unmap the rest of it
 * would damage the IOMMU's address space.
 *
 * Clauses: U9
 */
static void discard_leaves_lost_mappings_alone(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);
	const struct drm_hotupdate_dma *entry = &dma->ranges->dma[3];

	/* In the middle of a folio, where a restore does not look */
	fake_iommu_lose(dma->iommu, entry->addr + (3 << PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), 0);
	KUNIT_EXPECT_EQ(test, fake_iommu_num_mapped(dma->iommu), entry->nr_pages - 1);
	KUNIT_EXPECT_EQ(test, dma->iommu->unmapped,
			dma->ranges->num_dma - 1 + dma->table->num_dma);
	KUNIT_EXPECT_EQ(test, dma->iommu->flushed, 1);
	KUNIT_EXPECT_TRUE(test, fake_log_has("block 0: 1 of 5 DMA mappings are left alone"));
	fake_block_expect_refs(test, dma->ranges, 0);
}

/*
 * The IOMMU's domain goes with the device: it is the last moment.
 *
 * Clauses: U9, U19
 */
static void removal_unmaps(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);

	fake_slot_unplug(dma->slot);
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_STALE);
	dma_expect_unmapped(test, dma);
	/* The pages stay until somebody is sure that the device has gone. */
	fake_block_expect_refs(test, dma->ranges, 1);
	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), 0);
	dma_expect_unmapped(test, dma);
	fake_block_expect_refs(test, dma->ranges, 0);
}

/*
 * A driver that is there when its device is removed stops it, and unmaps by itself.
 *
 * Clauses: U19
 */
static void removal_of_a_saved_device(struct kunit *test)
{
	struct dma_case *dma = dma_case_new(test);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(dma->driver->adapter, 0), 0);
	fake_slot_unplug(dma->slot);
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_STALE);
	dma_expect_mapped(test, dma);
	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), 0);
	dma_expect_mapped(test, dma);
}

/*
 * So does one whose device was lost.
 *
 * Clauses: U19
 */
static void discard_of_a_lost_device(struct kunit *test)
{
	struct dma_case *dma = dma_case_new(test);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(dma->driver->adapter, 0), 0);
	drm_hotupdate_adapter_lost(dma->driver->adapter);
	fake_slot_unbind(dma->slot);
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), 0);
	dma_expect_mapped(test, dma);
	KUNIT_EXPECT_EQ(test, dma->iommu->flushed, 0);
}

static struct dma_case *dma_case_lost_when_restored(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);
	struct fake_driver *next = fake_driver_new(test, dma->slot->gpu);

	dma->slot->in_groups = fake_slot_report_loss;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(dma->slot, FAKE_BUS_SAVER, next), 1);
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_RESTORED);
	return dma;
}

/*
 * A driver whose restore was not committed unmaps nothing: the core does.
 *
 * Clauses: U9, U19
 */
static void discard_of_a_lost_restore(struct kunit *test)
{
	struct dma_case *dma = dma_case_lost_when_restored(test);

	fake_slot_unbind(dma->slot);
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_STALE);
	dma_expect_mapped(test, dma);
	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), 0);
	dma_expect_unmapped(test, dma);
}

/*
 * On this bus the device is removed before the driver is unbound.
 *
 * Clauses: U9, U19
 */
static void removal_of_a_lost_restore(struct kunit *test)
{
	struct dma_case *dma = dma_case_lost_when_restored(test);

	fake_slot_unplug(dma->slot);
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_STALE);
	dma_expect_unmapped(test, dma);
	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), 0);
}

/*
 * An operation of somebody else is under way all the time: when it ends, the device and its
 * IOMMU domain can have gone, and nobody can tell whether the pages are free of DMA.
 *
 * Clauses: U9
 */
static void removal_is_noticed_late(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);
	struct drm_hotupdate_adapter *adapter = dma->slot->gpu->adapter;

	hotupdate_op_begin(adapter);
	fake_slot_unplug(dma->slot);
	hotupdate_op_end(adapter);
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_STALE);
	dma_expect_mapped(test, dma);
	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), -EIO);
	FAKE_EXPECT_ERROR(dma->slot->gpu, "write force");
	KUNIT_EXPECT_EQ(test, dma_discard(dma, true), 0);
	dma_expect_mapped(test, dma);
}

/*
 * A mapping that is left alone can still lead to a page that a discard frees.
 *
 * Clauses: U9
 */
static void removal_leaves_a_mapping_alone(struct kunit *test)
{
	struct dma_case *dma = dma_case_detached(test);

	fake_iommu_lose(dma->iommu, dma->table->dma[0].addr);
	fake_slot_unplug(dma->slot);
	FAKE_EXPECT_STATE(dma->slot->gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_EQ(test, dma_discard(dma, false), -EIO);
	KUNIT_EXPECT_EQ(test, dma_discard(dma, true), 0);
}

static void dma_set_segment(struct scatterlist *sg, dma_addr_t addr, unsigned int pages)
{
	sg_dma_address(sg) = addr;
	sg_dma_len(sg) = pages << PAGE_SHIFT;
}

/* Segments that follow upon each other were mapped by one call. */
static void entries_of_a_table(struct kunit *test)
{
	struct drm_hotupdate_dma dma[4] = { };
	struct scatterlist sgl[4];
	struct sg_table sgt = { .sgl = sgl, .nents = 4, .orig_nents = 4 };

	sg_init_table(sgl, 4);
	dma_set_segment(&sgl[0], 0x10000, 2);
	dma_set_segment(&sgl[1], 0x12000, 1);
	dma_set_segment(&sgl[2], 0x20000, 3);
	dma_set_segment(&sgl[3], 0x13000, 1);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_dma_from_sgt(&sgt, NULL, 0), 3);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_dma_from_sgt(&sgt, dma, 2), 3);
	KUNIT_EXPECT_EQ(test, dma[0].addr, 0x10000);
	KUNIT_EXPECT_EQ(test, dma[0].nr_pages, 3);
	KUNIT_EXPECT_EQ(test, dma[1].nr_pages, 3);
	KUNIT_EXPECT_EQ(test, dma[2].nr_pages, 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_dma_from_sgt(&sgt, dma, 4), 3);
	KUNIT_EXPECT_EQ(test, dma[2].addr, 0x13000);
	KUNIT_EXPECT_EQ(test, dma[2].nr_pages, 1);
	sgt.nents = 0;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_dma_from_sgt(&sgt, dma, 4), 0);
}

static void dma_put_pages(void *data)
{
	struct page *page = data;
	unsigned int i;

	for (i = 0; i < 8; i++)
		__free_page(page + i);
}

/* Neighbouring folios of one page each, in one range */
static struct drm_hotupdate_range dma_single_pages(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);

	KUNIT_ASSERT_NOT_NULL(test, page);
	split_page(page, 3);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, dma_put_pages, page), 0);
	return (struct drm_hotupdate_range) { .pfn = page_to_pfn(page), .nr_pages = 8 };
}

/*
 * The first page of each folio is looked at, also in the middle of a range and an entry.
 *
 * Clauses: U19
 */
static void each_folio_is_looked_at(struct kunit *test)
{
	struct fake_iommu *iommu = fake_iommu_new(test);
	struct device *dev = fake_gpu_dev(fake_gpu_new(test));
	struct drm_hotupdate_range range = dma_single_pages(test);
	struct drm_hotupdate_dma entry = { .addr = 0x100000, .nr_pages = 8 };
	const struct drm_hotupdate_save_args args = {
		.ranges = &range,
		.num_ranges = 1,
		.dma = &entry,
		.num_dma = 1,
	};
	struct drm_hotupdate_block *block = hotupdate_block_alloc(HOTUPDATE_KIND_RANGES, 1);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, block);
	block->ranges[0] = range;
	for (i = 0; i < 8; i++)
		fake_iommu_move(iommu, entry.addr + i * PAGE_SIZE, range.pfn + i);
	for (i = 0; i < 8; i++) {
		dma_addr_t addr = entry.addr + i * PAGE_SIZE;
		struct hotupdate_refusal refusal = { };

		if (!i)
			KUNIT_EXPECT_EQ(test, hotupdate_dma_copy(block, &args, &refusal), 0);
		KUNIT_EXPECT_EQ(test, hotupdate_dma_verify(block, dev, -ESTALE, &refusal), 0);
		fake_iommu_lose(iommu, addr);
		KUNIT_EXPECT_EQ(test, hotupdate_dma_verify(block, dev, -ESTALE, &refusal),
				-ESTALE);
		KUNIT_EXPECT_EQ(test, refusal.pfn, range.pfn + i);
		KUNIT_EXPECT_EQ(test, refusal.addr, addr);
		fake_iommu_move(iommu, addr, range.pfn + i);
	}
	drm_hotupdate_block_put(block);
}

static u32 dma_random(struct rnd_state *rnd, u32 max)
{
	return prandom_u32_state(rnd) % max;
}

/* Pages in entries of any length, across the borders of folios and ranges. */
static void dma_map_randomly(struct kunit *test, struct fake_iommu *iommu,
			     struct fake_block *fb, struct rnd_state *rnd)
{
	u64 left = fake_block_num_pages(fb);
	u64 *entries = kunit_kcalloc(test, left, sizeof(*entries), GFP_KERNEL);
	unsigned int num = 0;

	KUNIT_ASSERT_NOT_NULL(test, entries);
	while (left) {
		entries[num] = 1 + dma_random(rnd, min_t(u64, left, 9));
		left -= entries[num++];
	}
	fake_iommu_map(iommu, fb, entries, num);
}

/*
 * One page is lost, the first or the last of an entry: it is always found, and exactly its
 * entry is left alone by a discard.
 *
 * Clauses: U19
 */
static void any_lost_page_is_found(struct kunit *test)
{
	struct fake_iommu *iommu = fake_iommu_new(test);
	struct rnd_state rnd;
	u32 seed = get_random_u32();
	unsigned int round;

	kunit_info(test, "seed %#x", seed);
	prandom_seed_state(&rnd, seed);
	for (round = 0; round < 30; round++) {
		struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
		struct fake_driver *next = fake_driver_new(test, driver->gpu);
		struct fake_block *fb = fake_block_pages(test, HOTUPDATE_KIND_RANGES, orders,
							 ARRAY_SIZE(orders));
		const struct drm_hotupdate_dma *entry;
		unsigned long before = fake_iommu_num_mapped(iommu);
		u64 page;

		dma_map_randomly(test, iommu, fb, &rnd);
		fake_driver_saves(driver, fb);
		KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
		FAKE_ASSERT_DETACHED(driver);

		entry = &fb->dma[dma_random(&rnd, fb->num_dma)];
		page = dma_random(&rnd, 2) ? entry->nr_pages - 1 : 0;
		fake_iommu_lose(iommu, entry->addr + (page << PAGE_SHIFT));
		KUNIT_EXPECT_EQ(test, fake_driver_register(next), -ESTALE);
		KUNIT_EXPECT_EQ(test, hotupdate_discard(driver->gpu->adapter, false), 0);
		KUNIT_EXPECT_EQ(test, fake_iommu_num_mapped(iommu) - before,
				entry->nr_pages - 1);
	}
}

static struct kunit_case dma_cases[] = {
	KUNIT_CASE(addresses_come_back),
	KUNIT_CASE(mappings_stay_without_an_update),
	KUNIT_CASE(lost_page_makes_it_stale),
	KUNIT_CASE(lost_end_makes_it_stale),
	KUNIT_CASE(moved_page_makes_it_stale),
	KUNIT_CASE(foreign_domain_makes_it_stale),
	KUNIT_CASE(forced_discard_in_a_foreign_domain),
	KUNIT_CASE(discard_unmaps),
	KUNIT_CASE(forced_discard_unmaps),
	KUNIT_CASE(discard_leaves_lost_mappings_alone),
	KUNIT_CASE(removal_unmaps),
	KUNIT_CASE(removal_of_a_saved_device),
	KUNIT_CASE(discard_of_a_lost_device),
	KUNIT_CASE(discard_of_a_lost_restore),
	KUNIT_CASE(removal_of_a_lost_restore),
	KUNIT_CASE(removal_is_noticed_late),
	KUNIT_CASE(removal_leaves_a_mapping_alone),
	KUNIT_CASE(entries_of_a_table),
	KUNIT_CASE(each_folio_is_looked_at),
	KUNIT_CASE(any_lost_page_is_found),
	{ }
};

static struct kunit_suite dma_suite = {
	.name = "drm_hotupdate_dma",
	.suite_init = fake_bus_suite_init,
	.suite_exit = fake_bus_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = dma_cases,
};

kunit_test_suites(&dma_suite);
