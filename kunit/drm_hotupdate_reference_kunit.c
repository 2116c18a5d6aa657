// SPDX-License-Identifier: GPL-2.0-only
/*
 * References of a block's own: what a driver frees, and when, makes no difference
 * to the pages that it saved.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/device/devres.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/scatterlist.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "drm_hotupdate_kunit.h"
#include "kunit_files.h"

/* A range to save in the callback, beside what the fake driver saves. */
struct cargo {
	struct drm_hotupdate_range range;
	/* What to do after the save call, and what to return */
	void (*after)(struct cargo *cargo);
	int result;
	/* What the save call returned */
	int err;
	struct page *page;
	unsigned int order;
};

static int save_cargo(struct fake_driver *driver, enum fake_call call,
		      struct drm_hotupdate_block *block)
{
	struct cargo *cargo = driver->hook_data;

	if (call != FAKE_SAVE)
		return 0;
	cargo->err = drm_hotupdate_save_range(driver->adapter, DRM_HOTUPDATE_MEM_SYSTEM,
					      cargo->range.pfn, cargo->range.nr_pages,
					      NULL, 0);
	if (cargo->after)
		cargo->after(cargo);
	return cargo->err ?: cargo->result;
}

static struct fake_driver *driver_with(struct kunit *test, struct cargo *cargo)
{
	struct fake_driver *driver = fake_driver_running(test);

	driver->hook = save_cargo;
	driver->hook_data = cargo;
	return driver;
}

/* The page that a driver was given as block @index. */
static struct page *restored_page(struct fake_driver *driver, unsigned int index)
{
	const struct drm_hotupdate_range *range;
	unsigned int num;

	range = drm_hotupdate_block_ranges(driver->blocks[index], &num);
	return pfn_to_page(range->pfn);
}

/*
 * A driver that drops its references before it is removed does not take the pages
 * from the device: they are restored with their content.
 *
 * Clauses: U2
 */
static void driver_drops_before_removal(struct kunit *test)
{
	struct fake_driver *old = fake_driver_running(test), *new;

	new = fake_driver_new(test, old->gpu);
	fake_driver_saves_each_kind(old);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(old->adapter, 0), 0);
	new->num_saves = old->num_saves;
	memcpy(new->saves, old->saves, sizeof(old->saves));
	while (old->num_saves)
		fake_block_put(old->saves[--old->num_saves]);
	fake_driver_unregister(old);
	fake_block_expect_refs(test, new->saves[0], 1);

	KUNIT_ASSERT_EQ(test, fake_driver_register(new), 0);
	fake_driver_expect_restored(new, new);
}

/*
 * Pages that the driver core frees for the driver, after it has unregistered, are
 * not free while a block holds them.
 *
 * Clauses: U2
 */
static void devres_frees_after_removal(struct kunit *test)
{
	struct cargo cargo = { };
	struct fake_driver *driver = driver_with(test, &cargo);
	struct device *dev = fake_gpu_dev(driver->gpu);
	unsigned long addr;
	void *group;

	group = devres_open_group(dev, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, group);
	addr = devm_get_free_pages(dev, GFP_KERNEL | __GFP_COMP, 2);
	KUNIT_ASSERT_NE(test, addr, 0);
	fake_fill((void *)addr, 4 * PAGE_SIZE, 19);
	cargo.range.pfn = page_to_pfn(virt_to_page(addr));
	cargo.range.nr_pages = 4;

	FAKE_ASSERT_DETACHED(driver);
	driver->hook = NULL;
	devres_release_group(dev, group);
	KUNIT_EXPECT_EQ(test, page_ref_count(virt_to_page(addr)), 1);

	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, driver->num_blocks, 1);
	KUNIT_EXPECT_PTR_EQ(test, restored_page(driver, 0), virt_to_page(addr));
	KUNIT_EXPECT_TRUE(test, fake_is_filled((void *)addr, 4 * PAGE_SIZE, 19));
}

static void alloc_cargo(struct kunit *test, struct cargo *cargo, unsigned int order)
{
	cargo->order = order;
	cargo->page = alloc_pages(GFP_KERNEL | (order ? __GFP_COMP : 0), order);
	KUNIT_ASSERT_NOT_NULL(test, cargo->page);
	cargo->range.pfn = page_to_pfn(cargo->page);
	cargo->range.nr_pages = 1ull << order;
	/* The case's own, to look at it to the end. */
	get_page(cargo->page);
}

static void put_cargo(struct cargo *cargo)
{
	__free_pages(cargo->page, cargo->order);
}

/*
 * Pages that were allocated for the save alone are put right after the save call.
 * If the save fails, is cancelled, or its stash is discarded, they are free, and
 * the driver has nothing to clean up later.
 *
 * Clauses: U14
 */
static void pages_for_the_save_alone(struct kunit *test)
{
	struct cargo cargo = { .after = put_cargo };
	struct fake_driver *driver = driver_with(test, &cargo);

	alloc_cargo(test, &cargo, 3);
	cargo.result = -EIO;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EIO);
	KUNIT_EXPECT_EQ(test, cargo.err, 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(cargo.page), 1);
	put_page(cargo.page);

	alloc_cargo(test, &cargo, 0);
	cargo.result = 0;
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(cargo.page), 2);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(cargo.page), 1);
	put_page(cargo.page);

	alloc_cargo(test, &cargo, 1);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_EXPECT_EQ(test, page_ref_count(cargo.page), 2);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(driver->gpu->adapter, false), 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(cargo.page), 1);
	put_page(cargo.page);
}

#define POISONED_ORDER	2

static bool folio_of_order_is_poisoned(struct folio *folio)
{
	return folio_order(folio) == POISONED_ORDER;
}

/*
 * A folio with memory that has failed does not become free with the last reference.
 * While somebody else holds it, the block's reference ends as any other.
 */
static void failed_memory_is_kept_back(struct kunit *test)
{
	struct cargo cargo = { .after = put_cargo };
	struct fake_driver *driver = driver_with(test, &cargo);

	kunit_activate_static_stub(test, hotupdate_folio_is_poisoned,
				   folio_of_order_is_poisoned);
	alloc_cargo(test, &cargo, POISONED_ORDER);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(cargo.page), 1);
	put_page(cargo.page);

	alloc_cargo(test, &cargo, POISONED_ORDER);
	FAKE_ASSERT_DETACHED(driver);
	put_page(cargo.page);
	KUNIT_EXPECT_EQ(test, page_ref_count(cargo.page), 1);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(driver->gpu->adapter, false), 0);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	KUNIT_EXPECT_EQ(test, page_ref_count(cargo.page), 1);
	KUNIT_EXPECT_EQ(test, compound_order(cargo.page), POISONED_ORDER);
	put_page(cargo.page);
}

/*
 * From two pages on kmalloc() takes pages for each object. Much at once, to stand out
 * from small objects that come and go, and that KASAN keeps for a while.
 */
#define KMALLOC_SIZE	SZ_1M
#define KMALLOC_ROUNDS	16

static unsigned long slab_bytes(void)
{
	return global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B) << PAGE_SHIFT;
}

/*
 * Large kmalloc memory is either refused, or freed by kfree() with the accounting
 * in balance: a block that lives longer costs nothing but the pages.
 *
 * Clauses: U7
 */
static void kmalloc_is_accounted(struct kunit *test)
{
	struct cargo cargo = { .range.nr_pages = KMALLOC_SIZE >> PAGE_SHIFT };
	struct fake_driver *driver = driver_with(test, &cargo);
	unsigned long before = slab_bytes(), after;
	unsigned int i;

	for (i = 0; i < KMALLOC_ROUNDS; i++) {
		void *object = kmalloc(KMALLOC_SIZE, GFP_KERNEL);
		int err;

		KUNIT_ASSERT_NOT_NULL(test, object);
		cargo.range.pfn = page_to_pfn(virt_to_page(object));
		err = drm_hotupdate_prepare(driver->adapter, 0);
		kfree(object);
		KUNIT_EXPECT_EQ(test, err, cargo.err);
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -EINVAL);
			continue;
		}
		KUNIT_EXPECT_EQ(test, page_ref_count(pfn_to_page(cargo.range.pfn)), 1);
		KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	}
	after = slab_bytes();
	KUNIT_EXPECT_LT_MSG(test, abs_diff(before, after), 4 * SZ_1M,
			    "%lu bytes before, %lu bytes after", before, after);
}

/*
 * vfree() of saved pages leaves them to the block, whose end frees them.
 *
 * Clauses: U7
 */
static void vmalloc_is_freed_once(struct kunit *test)
{
	struct cargo cargo = { .range.nr_pages = 1 };
	struct fake_driver *driver = driver_with(test, &cargo);
	void *area = vmalloc(3 * PAGE_SIZE);
	struct page *page;

	KUNIT_ASSERT_NOT_NULL(test, area);
	page = vmalloc_to_page(area + PAGE_SIZE);
	get_page(page);
	cargo.range.pfn = page_to_pfn(page);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 3);
	vfree(area);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 2);
	fake_driver_unregister(driver);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(driver->gpu->adapter, false), 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	put_page(page);
}

struct pieces {
	const char *name;
	/* Pages in each entry of the table */
	unsigned int nr_pages;
	/* Each entry names the folio's first page, and where it begins in bytes */
	bool by_offset;
	bool reversed;
	int err;
};

static const struct pieces pieces[] = {
	{ "of_64_kib", 16, false, false, 0 },
	{ "of_256_kib", 64, false, false, 0 },
	{ "of_a_page", 1, false, false, 0 },
	{ "by_offset", 16, true, false, 0 },
	{ "reversed", 16, false, true, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(pieces, pieces, name);

#define FOLIO_ORDER	9
#define FOLIO_PAGES	BIT(FOLIO_ORDER)

static void set_piece(struct scatterlist *sg, struct page *page, unsigned int first,
		      const struct pieces *p)
{
	if (p->by_offset)
		sg_set_page(sg, page, p->nr_pages << PAGE_SHIFT, first << PAGE_SHIFT);
	else
		sg_set_page(sg, page + first, p->nr_pages << PAGE_SHIFT, 0);
}

static int save_pieces(struct fake_driver *driver, enum fake_call call,
		       struct drm_hotupdate_block *block)
{
	const struct pieces *p = driver->test->param_value;
	unsigned int i, num = FOLIO_PAGES / p->nr_pages;
	struct fake_pages *pages = driver->hook_data;
	struct drm_hotupdate_save_args args = { };
	struct scatterlist *sg;
	struct sg_table sgt;
	int err;

	if (call != FAKE_SAVE)
		return 0;
	err = sg_alloc_table(&sgt, num, GFP_KERNEL);
	if (err)
		return err;
	for_each_sgtable_sg(&sgt, sg, i)
		set_piece(sg, pages->page, (p->reversed ? num - 1 - i : i) * p->nr_pages, p);
	args.sgt = &sgt;
	err = drm_hotupdate_save_memory(driver->adapter, &args);
	sg_free_table(&sgt);
	return err;
}

/*
 * A folio in several entries of an sg_table, as DMA limits of devices make them, is
 * one folio, if they follow upon each other.
 *
 * Clauses: W9, U7
 */
static void folio_in_pieces(struct kunit *test)
{
	const struct pieces *p = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_pages *pages = fake_pages_new(test, FOLIO_ORDER);

	driver->hook = save_pieces;
	driver->hook_data = pages;
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), p->err);
	KUNIT_EXPECT_EQ(test, fake_pages_refs(pages), p->err ? 1 : 2);
	if (p->err) {
		FAKE_EXPECT_ERROR(driver->gpu, "in part");
		return;
	}
	fake_driver_unregister(driver);
	driver->hook = NULL;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, driver->num_blocks, 1);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_block_size(driver->blocks[0]),
			PAGE_SIZE << FOLIO_ORDER);
	KUNIT_EXPECT_PTR_EQ(test, restored_page(driver, 0), pages->page);
}

/*
 * A shrinker can drop a block: lockdep knows that no lock of this is held over an
 * allocation, because each save of these suites has been through the index by now.
 */
static void block_put_in_reclaim(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_page(test);

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
		kunit_skip(test, "this kernel has no lockdep");

	fake_driver_saves(driver, fb);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fs_reclaim_acquire(GFP_KERNEL);
	fake_driver_put_blocks(driver);
	fs_reclaim_release(GFP_KERNEL);
	fake_block_expect_refs(test, fb, 0);
}

/*
 * The driver's stop knows whether the device has to go on: that is so after a save,
 * and not otherwise.
 *
 * Clauses: W21, U12
 */
static void stop_knows_of_the_save(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_unregister(driver);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, stop");

	driver->log[0] = '\0';
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, stop:saved");

	driver->log[0] = '\0';
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	fake_driver_unregister(driver);
	KUNIT_EXPECT_STREQ(test, driver->log,
			   "start:restored, complete, save, cancel, stop");
}

/* Pages that the case has no reference to, and how often the driver drops its own. */
struct own_page {
	struct page *page;
	unsigned int order;
	unsigned int puts;
	int err;
};

static int save_own_page(struct fake_driver *driver, enum fake_call call,
			 struct drm_hotupdate_block *block)
{
	struct own_page *own = driver->hook_data;

	if (call == FAKE_SAVE)
		own->err = drm_hotupdate_save_range(driver->gpu->adapter,
						    DRM_HOTUPDATE_MEM_SYSTEM,
						    page_to_pfn(own->page), 1ull << own->order,
						    NULL, 0);
	if (call == FAKE_STOP)
		while (own->puts) {
			put_page(own->page);
			own->puts--;
		}
	return 0;
}

static struct fake_driver *detached_with_own_page(struct kunit *test, struct own_page *own)
{
	struct fake_driver *driver = fake_driver_running(test);

	own->page = alloc_pages(GFP_KERNEL | __GFP_COMP, own->order);
	KUNIT_ASSERT_NOT_NULL(test, own->page);
	driver->hook = save_own_page;
	driver->hook_data = own;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, own->err, 0);
	fake_driver_unregister(driver);
	return driver;
}

/*
 * A driver that drops one reference too many frees what it has saved. That is found when
 * it goes. The page is named to root, and the discard does not free it again.
 *
 * Clauses: U2, U4
 */
static void page_freed_by_driver(struct kunit *test)
{
	struct own_page own = { .order = 5, .puts = 2 };
	struct fake_driver *driver = detached_with_own_page(test, &own);
	struct fake_driver *next = fake_driver_new(test, driver->gpu);
	char page[32];

	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_STALE);
	snprintf(page, sizeof(page), "page %#lx ", page_to_pfn(own.page));
	FAKE_EXPECT_ERROR(driver->gpu, page);
	KUNIT_EXPECT_FALSE(test, fake_log_has(page));
	KUNIT_EXPECT_EQ(test, fake_driver_register(next), -ESTALE);
	KUNIT_EXPECT_STREQ(test, next->log, "");
	KUNIT_EXPECT_EQ(test, hotupdate_discard(driver->gpu->adapter, false), 0);
}

/* The same while no driver is attached, so that the next registration finds it. */
static void page_freed_while_detached(struct kunit *test)
{
	struct own_page own = { .order = 5, .puts = 1 };
	struct fake_driver *driver = detached_with_own_page(test, &own);
	struct fake_driver *next = fake_driver_new(test, driver->gpu);

	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_DETACHED);
	put_page(own.page);
	KUNIT_EXPECT_EQ(test, fake_driver_register(next), -ESTALE);
	KUNIT_EXPECT_STREQ(test, next->log, "");
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_STALE);
}

/* References of others are legal, and counted. */
static void leaked_references_are_counted(struct kunit *test)
{
	struct own_page own = { .order = 2 };
	struct fake_driver *driver = detached_with_own_page(test, &own);
	const struct hotupdate_shared *shared = &driver->gpu->adapter->shared;
	struct fake_driver *next = fake_driver_new(test, driver->gpu);

	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_DETACHED);
	KUNIT_EXPECT_EQ(test, fake_driver_register(next), 0);
	KUNIT_EXPECT_EQ(test, shared->num_folios, 1);
	KUNIT_EXPECT_EQ(test, shared->pfns[0], page_to_pfn(own.page));
	put_page(own.page);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(next->adapter, 0), 0);
	fake_driver_unregister(next);
	KUNIT_EXPECT_EQ(test, shared->num_folios, 0);
}

/* The file names pages by number: it is root's alone. */
static void shared_folios_in_debugfs(struct kunit *test)
{
	struct own_page own = { .order = 0 };
	char path[64], text[64] = "", expected[64];
	struct fake_driver *driver;
	struct vfsmount *debugfs;

	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "this kernel has no debugfs");
	debugfs = user_mount_for(test, "debugfs");
	driver = detached_with_own_page(test, &own);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_DETACHED);
	snprintf(path, sizeof(path), "drm_hotupdate/%s/shared",
		 dev_name(&driver->gpu->adapter->dev));
	KUNIT_EXPECT_GT(test, user_file_read(debugfs, path, text, sizeof(text)), 0);
	snprintf(expected, sizeof(expected), "folios 1\npage %#lx", page_to_pfn(own.page));
	KUNIT_EXPECT_STREQ(test, strim(text), expected);
	put_page(own.page);
}

static struct kunit_case reference_cases[] = {
	KUNIT_CASE(driver_drops_before_removal),
	KUNIT_CASE(devres_frees_after_removal),
	KUNIT_CASE(pages_for_the_save_alone),
	KUNIT_CASE(failed_memory_is_kept_back),
	KUNIT_CASE(kmalloc_is_accounted),
	KUNIT_CASE(vmalloc_is_freed_once),
	KUNIT_CASE_PARAM(folio_in_pieces, pieces_gen_params),
	KUNIT_CASE(block_put_in_reclaim),
	KUNIT_CASE(stop_knows_of_the_save),
	KUNIT_CASE(page_freed_by_driver),
	KUNIT_CASE(page_freed_while_detached),
	KUNIT_CASE(leaked_references_are_counted),
	KUNIT_CASE(shared_folios_in_debugfs),
	{ }
};

static struct kunit_suite reference_suite = {
	.name = "drm_hotupdate_reference",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = reference_cases,
};

kunit_test_suites(&reference_suite);
