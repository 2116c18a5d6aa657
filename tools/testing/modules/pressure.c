// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that goes through updates under pressure. It needs no device: it allocates
 * memory, saves it, keeps it as blocks after the restore, and drops these in a
 * shrinker. Parameters choose the memory and what the next save does with it. Files in
 * debugfs show what has become of the memory, also when no driver is bound.
 */

#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/page-flags.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/set_memory.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <drm/drm_hotupdate.h>
#include <drm/drm_hotupdate_package.h>

#define PRESSURE_NAME		"pressure"
#define PRESSURE_DEVICES	2
#define PRESSURE_MAX_FOLIOS	8192u
#define PRESSURE_GFP		(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

static unsigned int folios;
module_param(folios, uint, 0600);
MODULE_PARM_DESC(folios, "Allocate so many folios for the next device that starts");

static unsigned int order;
module_param(order, uint, 0600);
MODULE_PARM_DESC(order, "Order of these folios");

static bool write_combined;
module_param(write_combined, bool, 0600);
MODULE_PARM_DESC(write_combined, "Make them write-combined");

static bool scattered;
module_param(scattered, bool, 0600);
MODULE_PARM_DESC(scattered, "Allocate single pages instead, each far from the others");

static bool exhaust;
module_param(exhaust, bool, 0600);
MODULE_PARM_DESC(exhaust, "Allocate all free memory during the next save");

static bool fill;
module_param(fill, bool, 0600);
MODULE_PARM_DESC(fill, "Save buffers until memory is short");

static unsigned int device_ranges;
module_param(device_ranges, uint, 0600);
MODULE_PARM_DESC(device_ranges, "Save a block of so many ranges of device memory");

/* A restored block that the driver keeps */
struct pressure_kept {
	struct list_head link;
	struct drm_hotupdate_block *block;
};

struct pressure {
	struct drm_hotupdate_adapter *adapter;
	/* The memory of a driver that started without a restore */
	unsigned int num_folios;
	bool is_write_combined;
	struct page **pages;
	/* The blocks of one that started with a restore */
	spinlock_t lock;	/* Protects @kept and @num_kept */
	struct list_head kept;
	unsigned int num_kept;
	struct shrinker *shrinker;
};

/* What became of the memory, which outlives every driver; protected by pressure_lock */
static DEFINE_MUTEX(pressure_lock);
static unsigned long *pressure_pfns;
static unsigned int pressure_num_pfns;
static unsigned int pressure_order;

static struct task_struct *pressure_saver;
static atomic_t pressure_dropped;
static atomic_t pressure_dropped_in_save;
static u64 pressure_save_ms;
static struct platform_device *pressure_devices[PRESSURE_DEVICES];
static struct dentry *pressure_debugfs;

/* 1. All free memory */

/* Takes pages until no more are free, without reclaim and without waking anyone. */
static unsigned long pressure_exhaust(struct list_head *pages)
{
	unsigned long num = 0;
	int page_order;

	for (page_order = MAX_PAGE_ORDER; page_order >= 0; page_order--) {
		struct page *page;

		while ((page = alloc_pages(__GFP_NOWARN, page_order))) {
			set_page_private(page, page_order);
			list_add(&page->lru, pages);
			num += 1ul << page_order;
			cond_resched();
		}
	}
	return num;
}

static void pressure_free(struct page *page)
{
	unsigned int page_order = page_private(page);

	list_del(&page->lru);
	set_page_private(page, 0);
	__free_pages(page, page_order);
}

static void pressure_free_all(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		pressure_free(page);
		cond_resched();
	}
}

/* 2. Memory of a driver */

static int pressure_alloc_folios(struct pressure *pressure)
{
	unsigned int i;

	for (i = 0; i < folios; i++) {
		struct page *page = alloc_pages(PRESSURE_GFP | __GFP_COMP, order);

		if (!page)
			return -ENOMEM;
		pressure->pages[pressure->num_folios++] = page;
		cond_resched();
	}
	return 0;
}

/* Keeps the first page of a block that is not compound, and frees the others. */
static struct page *pressure_split(struct page *page)
{
	unsigned int page_order = page_private(page);
	unsigned int i;

	list_del(&page->lru);
	set_page_private(page, 0);
	split_page(page, page_order);
	for (i = 1; i < 1u << page_order; i++)
		__free_page(page + i);
	return page;
}

/* The core's index has room for 4096 neighbouring pages in one allocation. */
static void pressure_alloc_scattered(struct pressure *pressure)
{
	struct page *page, *next;
	LIST_HEAD(pages);
	unsigned int i;

	pressure_exhaust(&pages);
	list_for_each_entry_safe(page, next, &pages, lru) {
		unsigned long far = page_to_pfn(page) / 4096;

		for (i = 0; i < pressure->num_folios; i++)
			if (page_to_pfn(pressure->pages[i]) / 4096 == far)
				break;
		if (i == pressure->num_folios && i < PRESSURE_MAX_FOLIOS)
			pressure->pages[pressure->num_folios++] = pressure_split(page);
	}
	pressure_free_all(&pages);
}

static int pressure_set_caching(struct pressure *pressure, bool cached)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < pressure->num_folios && !err; i++) {
		struct folio *folio = page_folio(pressure->pages[i]);
		unsigned long addr = (unsigned long)folio_address(folio);

		err = cached ? set_memory_wb(addr, folio_nr_pages(folio)) :
			       set_memory_wc(addr, folio_nr_pages(folio));
	}
	return err;
}

static void pressure_remember(struct pressure *pressure)
{
	unsigned int i;

	guard(mutex)(&pressure_lock);

	for (i = 0; i < pressure->num_folios; i++)
		pressure_pfns[i] = page_to_pfn(pressure->pages[i]);
	pressure_num_pfns = pressure->num_folios;
	pressure_order = scattered ? 0 : order;
}

static void pressure_put_memory(struct pressure *pressure)
{
	while (pressure->num_folios)
		put_page(pressure->pages[--pressure->num_folios]);
	kvfree(pressure->pages);
	pressure->pages = NULL;
}

static int pressure_get_memory(struct pressure *pressure)
{
	int err = 0;

	if (folios > PRESSURE_MAX_FOLIOS || order > MAX_PAGE_ORDER)
		return -EINVAL;
	pressure->pages = kvcalloc(PRESSURE_MAX_FOLIOS, sizeof(*pressure->pages), GFP_KERNEL);
	if (!pressure->pages)
		return -ENOMEM;

	if (scattered)
		pressure_alloc_scattered(pressure);
	else
		err = pressure_alloc_folios(pressure);
	if (!err && write_combined) {
		pressure->is_write_combined = true;
		err = pressure_set_caching(pressure, false);
	}
	if (err)
		pressure_put_memory(pressure);
	else
		pressure_remember(pressure);
	return err;
}

/* 3. Blocks that are kept, and dropped in a shrinker */

static struct drm_hotupdate_block *pressure_next_block(struct pressure *pressure)
{
	struct drm_hotupdate_block *block;
	struct pressure_kept *kept;

	scoped_guard(spinlock, &pressure->lock) {
		kept = list_first_entry_or_null(&pressure->kept, struct pressure_kept, link);
		if (!kept)
			return NULL;
		list_del(&kept->link);
		pressure->num_kept--;
	}
	block = kept->block;
	kfree(kept);
	return block;
}

/* Ends a block in the one way and in the other. Returns the number of its pages. */
static unsigned long pressure_drop(struct drm_hotupdate_block *block)
{
	unsigned long nr_pages = drm_hotupdate_block_size(block) >> PAGE_SHIFT;
	struct scatterlist *sg;
	struct sg_table sgt;
	unsigned int i;

	if (drm_hotupdate_block_index(block) % 2 || drm_hotupdate_block_take(block, &sgt)) {
		drm_hotupdate_block_put(block);
		return nr_pages;
	}
	for_each_sgtable_sg(&sgt, sg, i)
		put_page(sg_page(sg));
	sg_free_table(&sgt);
	return nr_pages;
}

static void pressure_drop_all(struct pressure *pressure)
{
	struct drm_hotupdate_block *block;

	while ((block = pressure_next_block(pressure)))
		drm_hotupdate_block_put(block);
}

static unsigned long pressure_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct pressure *pressure = shrinker->private_data;

	return READ_ONCE(pressure->num_kept) ?: SHRINK_EMPTY;
}

static unsigned long pressure_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct pressure *pressure = shrinker->private_data;
	struct drm_hotupdate_block *block;
	unsigned long freed = 0;

	while (freed < sc->nr_to_scan) {
		block = pressure_next_block(pressure);
		if (!block)
			return freed ?: SHRINK_STOP;
		freed += pressure_drop(block);
		atomic_inc(&pressure_dropped);
		if (READ_ONCE(pressure_saver) == current)
			atomic_inc(&pressure_dropped_in_save);
	}
	return freed;
}

/* Without a shrinker the blocks stay until the device stops. */
static void pressure_start_shrinker(struct pressure *pressure)
{
	pressure->shrinker = shrinker_alloc(0, PRESSURE_NAME);
	if (!pressure->shrinker)
		return;
	pressure->shrinker->count_objects = pressure_count;
	pressure->shrinker->scan_objects = pressure_scan;
	pressure->shrinker->private_data = pressure;
	shrinker_register(pressure->shrinker);
}

/* 4. The save */

static int pressure_save_folios(struct drm_hotupdate_adapter *adapter,
				struct pressure *pressure)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < pressure->num_folios && !err; i++)
		err = drm_hotupdate_save_range(adapter, DRM_HOTUPDATE_MEM_SYSTEM,
					       page_to_pfn(pressure->pages[i]),
					       folio_nr_pages(page_folio(pressure->pages[i])),
					       NULL, 0);
	return err;
}

/* Ranges that do not touch, so that none of the core's structures can merge them */
static int pressure_save_device(struct drm_hotupdate_adapter *adapter)
{
	struct drm_hotupdate_save_args args = {
		.mem = DRM_HOTUPDATE_MEM_DEVICE,
		.num_ranges = device_ranges,
	};
	struct drm_hotupdate_range *ranges;
	unsigned int i;
	int err;

	if (!device_ranges)
		return 0;
	ranges = kvmalloc_array(device_ranges, sizeof(*ranges), PRESSURE_GFP);
	if (!ranges)
		return -ENOMEM;

	for (i = 0; i < device_ranges; i++) {
		ranges[i] = (struct drm_hotupdate_range) { .pfn = 2ull * i, .nr_pages = 1 };
		if (!(i % 4096))
			cond_resched();
	}
	args.ranges = ranges;
	err = drm_hotupdate_save_memory(adapter, &args);
	kvfree(ranges);
	return err;
}

/* After the first failure the save is doomed, but there is memory for smaller buffers. */
static int pressure_save_until_full(struct drm_hotupdate_adapter *adapter)
{
	size_t size = SZ_1M;
	void *data;
	int err;

	if (!fill)
		return 0;
	data = vzalloc(size);
	if (!data)
		return -ENOMEM;

	for (; size >= PAGE_SIZE; size /= 16)
		do {
			err = drm_hotupdate_save_buffer(adapter, data, size, NULL, 0);
		} while (!err);
	vfree(data);
	return err;
}

static int pressure_save_memory(struct drm_hotupdate_adapter *adapter)
{
	struct pressure *pressure = drm_hotupdate_adapter_priv(adapter);
	ktime_t start = ktime_get();
	LIST_HEAD(pages);
	int err;

	if (exhaust)
		pressure_exhaust(&pages);
	WRITE_ONCE(pressure_saver, current);
	err = pressure_save_folios(adapter, pressure) ?: pressure_save_device(adapter) ?:
	      pressure_save_until_full(adapter);
	WRITE_ONCE(pressure_saver, NULL);
	pressure_free_all(&pages);
	pressure_save_ms = ktime_ms_delta(ktime_get(), start);
	return err;
}

/* The driver does not change anything after a save, and so has nothing to resume. */
static void pressure_cancel_save(struct drm_hotupdate_adapter *adapter)
{
}

/* 5. The restore */

static int pressure_restore_memory(struct drm_hotupdate_adapter *adapter,
				   struct drm_hotupdate_block *block)
{
	struct pressure *pressure = drm_hotupdate_adapter_priv(adapter);
	struct pressure_kept *kept;
	struct sg_table *sgt;

	/* From here on, taking the pages allocates nothing. */
	sgt = drm_hotupdate_block_sgt(block);
	if (IS_ERR(sgt) && PTR_ERR(sgt) != -EOPNOTSUPP)
		return PTR_ERR(sgt);
	kept = kzalloc(sizeof(*kept), GFP_KERNEL);
	if (!kept)
		return -ENOMEM;

	kept->block = block;
	scoped_guard(spinlock, &pressure->lock) {
		list_add_tail(&kept->link, &pressure->kept);
		pressure->num_kept++;
	}
	return 0;
}

static void pressure_restore_abort(struct drm_hotupdate_adapter *adapter)
{
	pressure_drop_all(drm_hotupdate_adapter_priv(adapter));
}

static int pressure_start_device(struct drm_hotupdate_adapter *adapter, bool restored)
{
	return restored ? 0 : pressure_get_memory(drm_hotupdate_adapter_priv(adapter));
}

static void pressure_restore_complete(struct drm_hotupdate_adapter *adapter)
{
	pressure_start_shrinker(drm_hotupdate_adapter_priv(adapter));
}

/* A device that runs on goes on using its memory the way it is mapped. */
static void pressure_stop_device(struct drm_hotupdate_adapter *adapter, bool saved)
{
	struct pressure *pressure = drm_hotupdate_adapter_priv(adapter);

	shrinker_free(pressure->shrinker);
	pressure->shrinker = NULL;
	pressure_drop_all(pressure);
	if (!saved && pressure->is_write_combined)
		pressure_set_caching(pressure, true);
	pressure_put_memory(pressure);
}

static const struct drm_hotupdate_ops pressure_ops = {
	.save_memory = pressure_save_memory,
	.cancel_save = pressure_cancel_save,
	.restore_memory = pressure_restore_memory,
	.restore_abort = pressure_restore_abort,
	.start_device = pressure_start_device,
	.stop_device = pressure_stop_device,
	.restore_complete = pressure_restore_complete,
};

static const struct drm_hotupdate_driver pressure_hotupdate_driver = {
	.name = PRESSURE_NAME,
	.compatible = "test,pressure",
	.version = 1,
	.min_version = 1,
	.ops = &pressure_ops,
	.owner = THIS_MODULE,
};

static int pressure_probe(struct platform_device *pdev)
{
	struct pressure *pressure;

	pressure = devm_kzalloc(&pdev->dev, sizeof(*pressure), GFP_KERNEL);
	if (!pressure)
		return -ENOMEM;
	spin_lock_init(&pressure->lock);
	INIT_LIST_HEAD(&pressure->kept);
	platform_set_drvdata(pdev, pressure);
	pressure->adapter = drm_hotupdate_adapter_register(&pdev->dev,
							   &pressure_hotupdate_driver,
							   pressure);
	return PTR_ERR_OR_ZERO(pressure->adapter);
}

static void pressure_remove(struct platform_device *pdev)
{
	struct pressure *pressure = platform_get_drvdata(pdev);

	drm_hotupdate_adapter_unregister(pressure->adapter);
}

static struct platform_driver pressure_driver = {
	.probe = pressure_probe,
	.remove = pressure_remove,
	.driver = {
		.name = PRESSURE_NAME,
	},
};

/* 6. What became of the memory */

static bool pressure_is_write_back(unsigned long pfn)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)pfn_to_kaddr(pfn), &level);

	/* Of the modes that Linux uses, only write-back has neither of these. */
	return pte && !(pte_flags(*pte) & (_PAGE_PWT | _PAGE_PCD));
}

static int uncached_get(void *data, u64 *value)
{
	unsigned long i, j;

	guard(mutex)(&pressure_lock);

	*value = 0;
	for (i = 0; i < pressure_num_pfns; i++)
		for (j = 0; j < 1ul << pressure_order; j++)
			*value += !pressure_is_write_back(pressure_pfns[i] + j);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(uncached_fops, uncached_get, NULL, "%llu\n");

static int last_pfn_get(void *data, u64 *value)
{
	guard(mutex)(&pressure_lock);

	if (!pressure_num_pfns)
		return -ENOENT;
	*value = pressure_pfns[pressure_num_pfns - 1] + (1ul << pressure_order) - 1;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(last_pfn_fops, last_pfn_get, NULL, "%llu\n");

/* How many pages that have failed the page allocator gives out */
static int poisoned_get(void *data, u64 *value)
{
	struct page *page, *next;
	LIST_HEAD(pages);
	unsigned long i;

	*value = 0;
	pressure_exhaust(&pages);
	list_for_each_entry_safe(page, next, &pages, lru) {
		unsigned long failed = 0;

		for (i = 0; i < 1ul << page_private(page); i++)
			failed += PageHWPoison(page + i);
		*value += failed;
		/* Failed memory stays allocated. */
		if (failed)
			list_del(&page->lru);
		else
			pressure_free(page);
		cond_resched();
	}
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(poisoned_fops, poisoned_get, NULL, "%llu\n");

static void pressure_add_files(void)
{
	pressure_debugfs = debugfs_create_dir(PRESSURE_NAME, NULL);
	debugfs_create_file("uncached", 0400, pressure_debugfs, NULL, &uncached_fops);
	debugfs_create_file("last_pfn", 0400, pressure_debugfs, NULL, &last_pfn_fops);
	debugfs_create_file("poisoned", 0400, pressure_debugfs, NULL, &poisoned_fops);
	debugfs_create_atomic_t("dropped", 0600, pressure_debugfs, &pressure_dropped);
	debugfs_create_atomic_t("dropped_in_save", 0600, pressure_debugfs,
				&pressure_dropped_in_save);
	debugfs_create_u64("save_ms", 0400, pressure_debugfs, &pressure_save_ms);
}

static void pressure_remove_devices(void)
{
	unsigned int i;

	for (i = 0; i < PRESSURE_DEVICES; i++)
		platform_device_unregister(pressure_devices[i]);
}

static int pressure_add_devices(void)
{
	unsigned int i;

	for (i = 0; i < PRESSURE_DEVICES; i++) {
		struct platform_device *pdev;

		pdev = platform_device_register_simple(PRESSURE_NAME, i, NULL, 0);
		if (IS_ERR(pdev)) {
			pressure_remove_devices();
			return PTR_ERR(pdev);
		}
		pressure_devices[i] = pdev;
	}
	return 0;
}

static int __init pressure_init(void)
{
	int err = -ENOMEM;

	pressure_pfns = kvcalloc(PRESSURE_MAX_FOLIOS, sizeof(*pressure_pfns), GFP_KERNEL);
	if (!pressure_pfns)
		return err;
	err = pressure_add_devices();
	if (err)
		goto free_pfns;
	err = platform_driver_register(&pressure_driver);
	if (err)
		goto remove_devices;
	pressure_add_files();
	return 0;

remove_devices:
	pressure_remove_devices();
free_pfns:
	kvfree(pressure_pfns);
	return err;
}
module_init(pressure_init);

static void __exit pressure_exit(void)
{
	debugfs_remove(pressure_debugfs);
	platform_driver_unregister(&pressure_driver);
	pressure_remove_devices();
	kvfree(pressure_pfns);
}
module_exit(pressure_exit);

MODULE_AUTHOR("The drm-hotupdate authors");
MODULE_DESCRIPTION("Test driver whose updates come under memory pressure");
MODULE_PACKAGE_VERSION;
MODULE_LICENSE("GPL");
