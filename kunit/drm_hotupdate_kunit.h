/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of drm_hotupdate.ko share: GPUs, drivers and memory that are
 * made up, and taken away again after each case, whatever state it left them in.
 */
#ifndef _DRM_HOTUPDATE_KUNIT_H_
#define _DRM_HOTUPDATE_KUNIT_H_

#include <kunit/test.h>
#include <linux/list.h>
#include <linux/scatterlist.h>

#include <drm/drm_hotupdate.h>

#include "../drivers/gpu/drm/hotupdate/drm_hotupdate_internal.h"

struct file;
struct platform_device;
struct vfsmount;

/* Room in a driver for what it saves and what it is given. */
#define FAKE_MAX_BLOCKS		1024

/* Names of drivers and compatible strings, the terminator included. */
#define FAKE_NAME_LEN		24

/* The log of a driver that has restored what fake_driver_saves_each_kind() saves */
#define FAKE_RESTORES	"restore0, restore1, restore2, restore3, restore4, restore5"

/* What belongs to a case, and how the kernel was before it. */
struct fake_env {
	struct list_head pages;
	struct list_head gpus;
	struct list_head drivers;
	struct vfsmount *sysfs;
	/* Of the last block */
	u64 seed;
	int core_refs;
	int module_refs;
	int lockdep;
	unsigned int taints;
	char warnings[16];
};

/*
 * Pages that a case saves. The case has a reference of its own to each folio,
 * beside the driver's and those of blocks, so that they stay what they are and can
 * be looked at when all others are dropped.
 */
struct fake_pages {
	struct list_head link;
	struct page *page;
	unsigned int order;
};

/*
 * One block for a driver to save, and what it has to be when it comes back.
 * What the core gets to see are copies that are wiped after the save call.
 */
struct fake_block {
	enum hotupdate_kind kind;
	u64 seed;

	struct drm_hotupdate_range *ranges;
	unsigned int num_ranges;
	struct fake_pages **pages;
	size_t size;
	size_t meta_size;
	/* DMA addresses of the pages, or NULL */
	struct drm_hotupdate_dma *dma;
	unsigned int num_dma;
	enum dma_data_direction dma_dir;
	unsigned long dma_attrs;

	struct drm_hotupdate_range *shown_ranges;
	struct drm_hotupdate_dma *shown_dma;
	struct sg_table shown_sgt;
	void *shown_data;
	void *shown_meta;
};

struct fake_gpu {
	struct list_head link;
	struct kunit *test;
	/* NULL for one that is not on the platform's bus */
	struct platform_device *pdev;
	/* NULL while it is unplugged */
	struct device *dev;
	/* Its drivers register with it, as with the device of a resident driver; or NULL */
	struct device *dma_dev;
	/* Its drivers register without a function that silences it */
	bool cannot_be_silenced;
	/* The last adapter of this GPU, with a reference: valid when it ended. */
	struct drm_hotupdate_adapter *adapter;
};

enum fake_call {
	FAKE_SAVE,
	FAKE_CANCEL,
	FAKE_RESTORE,
	FAKE_ABORT,
	FAKE_START,
	FAKE_COMPLETE,
	FAKE_STOP,
	FAKE_NUM_CALLS,
};

/* For fake_fail_hook(): which callback fails, for a restore which one of them. */
struct fake_failure {
	enum fake_call call;
	unsigned int index;
	int err;
};

struct fake_driver {
	struct list_head link;
	struct kunit *test;
	struct fake_gpu *gpu;

	/* What it registers with */
	char name[FAKE_NAME_LEN];
	char compatible[FAKE_NAME_LEN];
	u32 version;
	u32 min_version;
	struct module *owner;
	struct module *silence_owner;
	u32 flags;
	struct drm_hotupdate_ops ops;

	/* What the core gets to see of it, wiped after the call, or at the end */
	struct drm_hotupdate_device shown_device;
	struct drm_hotupdate_driver shown;
	char shown_name[FAKE_NAME_LEN];
	char shown_compatible[FAKE_NAME_LEN];
	struct drm_hotupdate_ops shown_ops;

	/* While it is registered */
	struct drm_hotupdate_adapter *adapter;
	bool in_callback;

	/* What it saves, in this order */
	struct fake_block *saves[FAKE_MAX_BLOCKS];
	unsigned int num_saves;
	/* Go on saving when a block was refused, and return 0 */
	bool ignores_errors;

	/* What it was given in a replay */
	struct drm_hotupdate_block *blocks[FAKE_MAX_BLOCKS];
	unsigned int num_blocks;

	/*
	 * Called in each callback that was logged, after a save and before
	 * a block is kept. What it returns is what the callback returns. It
	 * runs under a lock: it must not use assertions, only expectations.
	 */
	int (*hook)(struct fake_driver *driver, enum fake_call call,
		    struct drm_hotupdate_block *block);
	void *hook_data;

	/* The callbacks so far, as words: "save, cancel, restore0, start:restored" */
	char log[768];
};

/* A case's surroundings; for every suite that uses the above. */
int fake_suite_init(struct kunit_suite *suite);
void fake_suite_exit(struct kunit_suite *suite);
int fake_init(struct kunit *test);
void fake_exit(struct kunit *test);

struct fake_pages *fake_pages_new(struct kunit *test, unsigned int order);
struct fake_pages *fake_pages_adopt(struct kunit *test, struct page *page,
				    unsigned int order);
unsigned long fake_pages_pfn(const struct fake_pages *pages);
int fake_pages_refs(const struct fake_pages *pages);
void fake_fill(void *p, size_t size, u64 seed);
bool fake_is_filled(const void *p, size_t size, u64 seed);

struct fake_block *fake_block_new(struct kunit *test, enum hotupdate_kind kind,
				  unsigned int num_ranges);
struct fake_block *fake_block_pages(struct kunit *test, enum hotupdate_kind kind,
				    const unsigned int *orders, unsigned int num);
struct fake_block *fake_block_page(struct kunit *test);
struct fake_block *fake_block_device(struct kunit *test, u64 pfn, u64 nr_pages);
struct fake_block *fake_block_buffer(struct kunit *test, size_t size);
struct fake_block *fake_block_with_meta(struct kunit *test, struct fake_block *fb,
					size_t meta_size);
void fake_block_use_dma(struct kunit *test, struct fake_block *fb,
			const struct drm_hotupdate_dma *dma, unsigned int num_dma);
void fake_block_use_direct_dma(struct kunit *test, struct fake_block *fb);
void fake_block_put(struct fake_block *fb);
int fake_block_save(struct drm_hotupdate_adapter *adapter, struct fake_block *fb);
void fake_block_expect_refs(struct kunit *test, struct fake_block *fb, int refs);
void fake_block_expect_untouched(struct kunit *test, struct fake_block *fb);
void fake_block_expect_table(struct kunit *test, struct fake_block *fb,
			     struct sg_table *sgt);
void fake_block_expect_same(struct kunit *test, struct fake_block *fb,
			    struct drm_hotupdate_block *block);

struct fake_gpu *fake_gpu_new(struct kunit *test);
struct fake_gpu *fake_gpu_without_device(struct kunit *test);
struct device *fake_gpu_dev(struct fake_gpu *gpu);
bool fake_gpu_wait_gone(struct fake_gpu *gpu);
const char *fake_gpu_state(struct fake_gpu *gpu);

struct fake_driver *fake_driver_new(struct kunit *test, struct fake_gpu *gpu);
struct fake_driver *fake_driver_running(struct kunit *test);
void fake_driver_saves(struct fake_driver *driver, struct fake_block *fb);
void fake_driver_saves_each_kind(struct fake_driver *driver);
int fake_driver_register(struct fake_driver *driver);
void fake_driver_unregister(struct fake_driver *driver);
void fake_driver_put_blocks(struct fake_driver *driver);
void fake_driver_expect_restored(struct fake_driver *driver,
				 const struct fake_driver *saver);
unsigned int fake_silenced(void);
struct device *fake_silenced_dev(void);
void fake_set_silence_result(int result);
void fake_nap(unsigned int ms);
int fake_fail_hook(struct fake_driver *driver, enum fake_call call,
		   struct drm_hotupdate_block *block);

/* A module for drivers to be of. NULL if the kernel has none, or keeps no count. */
struct module *fake_module(void);
int fake_module_refs(void);
void fake_module_set_going(bool going);

/*
 * References to the core's own module, or to one in its place where it is built in,
 * beside the one that each adapter has until it is freed. When that is depends on
 * who holds it, and on the kernel's configuration.
 */
int fake_core_refs(void);
void fake_core_expect_refs(struct kunit *test, int refs);

/* Whether a line of the kernel's log has these words. */
bool fake_log_has(const char *words);

/* How many uevents the kernel has sent; others may send some, too. */
u64 fake_uevents(struct kunit *test);

#define FAKE_EXPECT_STATE(gpu, expected)				\
	do {								\
		struct fake_gpu *_gpu = (gpu);				\
									\
		KUNIT_EXPECT_STREQ(_gpu->test, fake_gpu_state(_gpu),	\
				   hotupdate_state_name(expected));	\
	} while (0)

#define FAKE_EXPECT_STASH(gpu, expected)				\
	do {								\
		struct fake_gpu *_gpu = (gpu);				\
									\
		KUNIT_EXPECT_EQ(_gpu->test, _gpu->adapter->stash.count,	\
				expected);				\
	} while (0)

#define FAKE_EXPECT_ERROR(gpu, words)					\
	do {								\
		struct fake_gpu *_gpu = (gpu);				\
		const char *_error = _gpu->adapter->last_error;		\
									\
		KUNIT_EXPECT_NOT_NULL_MSG(_gpu->test,			\
					  strstr(_error, words),	\
					  "last_error is: %s", _error);	\
	} while (0)

/* Prepared by the old driver, which is then removed: for the new one to find. */
#define FAKE_ASSERT_DETACHED(driver)					\
	do {								\
		struct fake_driver *_driver = (driver);			\
									\
		KUNIT_ASSERT_EQ(_driver->test, 0,			\
				drm_hotupdate_prepare(_driver->adapter, 0)); \
		fake_driver_unregister(_driver);			\
		FAKE_EXPECT_STATE(_driver->gpu, HOTUPDATE_DETACHED);	\
	} while (0)

#endif /* _DRM_HOTUPDATE_KUNIT_H_ */
