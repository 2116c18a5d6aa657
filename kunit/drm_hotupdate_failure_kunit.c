// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failure, systematically: each allocation of each step fails in turn, until
 * a step has none left to fail. Whatever fails, the step is undone or done, and
 * the next attempt succeeds with everything in its place.
 */

#include <kunit/test.h>
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>

#include "drm_hotupdate_fake_bus.h"

#if defined(CONFIG_FAULT_INJECTION_DEBUG_FS) && defined(CONFIG_FAILSLAB) && \
	defined(CONFIG_FAIL_PAGE_ALLOC)
#define CAN_FAIL_ALLOCATIONS 1
#endif

/* How many allocations were failed */
static unsigned int failures;

#ifdef CAN_FAIL_ALLOCATIONS
/* More than any step needs. */
#define MAX_ALLOCATIONS	2000

/* What is kept behind the files of debugfs, which only user space writes to. */
enum setting_type {
	SETTING_ATOMIC,
	SETTING_BOOL,
	SETTING_U32,
	SETTING_ULONG,
};

struct setting {
	const char *dir;
	const char *file;
	enum setting_type type;
	int on;
	int off;
};

/*
 * Let the kernel fail what may sleep and single pages, and not talk about it.
 * What make_it_fail is set for fails without an end, once it is asked to.
 */
static const struct setting settings[] = {
	{ "failslab", "task-filter", SETTING_BOOL, true, false },
	{ "failslab", "times", SETTING_ATOMIC, -1, 1 },
	{ "failslab", "probability", SETTING_ULONG, 100, 0 },
	{ "failslab", "ignore-gfp-wait", SETTING_BOOL, false, true },
	{ "failslab", "verbose", SETTING_ULONG, 0, 2 },
	{ "fail_page_alloc", "ignore-gfp-wait", SETTING_BOOL, false, true },
	{ "fail_page_alloc", "ignore-gfp-highmem", SETTING_BOOL, false, true },
	{ "fail_page_alloc", "min-order", SETTING_U32, 0, 1 },
	{ "fail_page_alloc", "verbose", SETTING_ULONG, 0, 2 },
};

static void *find_setting(const char *dir_name, const char *file_name)
{
	struct dentry *dir = debugfs_lookup(dir_name, NULL);
	struct dentry *file = dir ? debugfs_lookup(file_name, dir) : NULL;
	void *data = file ? d_inode(file)->i_private : NULL;

	dput(file);
	dput(dir);
	return data;
}

static int apply_setting(const struct setting *setting, int value)
{
	void *data = find_setting(setting->dir, setting->file);

	if (!data)
		return -ENOENT;

	switch (setting->type) {
	case SETTING_ATOMIC:
		atomic_set(data, value);
		break;
	case SETTING_BOOL:
		WRITE_ONCE(*(bool *)data, value);
		break;
	case SETTING_U32:
		WRITE_ONCE(*(u32 *)data, value);
		break;
	case SETTING_ULONG:
		WRITE_ONCE(*(unsigned long *)data, value);
		break;
	}
	return 0;
}

static void restore_settings(void *unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		apply_setting(&settings[i], settings[i].off);
}

static void allow_failures(struct kunit *test)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, restore_settings, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		KUNIT_ASSERT_EQ_MSG(test, apply_setting(&settings[i], settings[i].on), 0,
				    "%s/%s", settings[i].dir, settings[i].file);
}

/* The nth allocation of this task from here on fails. */
static void fail_allocation(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/* Whether there was one. */
static bool has_failed(void)
{
	bool failed = !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	failures += failed;
	return failed;
}

/* All allocations of this task fail once this many bytes were allocated. */
static void run_out_after(unsigned int bytes)
{
	atomic_t *space = find_setting("failslab", "space");

	if (space)
		atomic_set(space, bytes);
	WRITE_ONCE(current->make_it_fail, space ? 1 : 0);
}

static void run_out_no_more(void)
{
	WRITE_ONCE(current->make_it_fail, 0);
}
#else
#define MAX_ALLOCATIONS	0

static void allow_failures(struct kunit *test)
{
	kunit_skip(test, "this kernel cannot fail allocations on demand");
}

static void fail_allocation(unsigned int nth)
{
}

static bool has_failed(void)
{
	return false;
}

static void run_out_after(unsigned int bytes)
{
}

static void run_out_no_more(void)
{
}
#endif

static void expect_all_failed(struct kunit *test, unsigned int n)
{
	KUNIT_EXPECT_LT(test, n, MAX_ALLOCATIONS);
	kunit_info(test, "failed %u allocations\n", failures);
	failures = 0;
}

/* Makes the pages its own again, so that it can save them once more. */
static void take_all(struct fake_driver *driver)
{
	struct kunit *test = driver->test;
	unsigned int i;

	for (i = 0; i < driver->num_blocks; i++) {
		struct drm_hotupdate_block *block = driver->blocks[i];
		enum hotupdate_kind kind = driver->saves[i]->kind;
		struct sg_table sgt;

		if (kind == HOTUPDATE_KIND_BUFFER || kind == HOTUPDATE_KIND_DEVICE) {
			drm_hotupdate_block_put(block);
		} else {
			KUNIT_EXPECT_EQ(test, drm_hotupdate_block_take(block, &sgt), 0);
			sg_free_table(&sgt);
		}
	}
	driver->num_blocks = 0;
}

/* Nothing is saved, and everything is the driver's. */
static void expect_all_owned(struct fake_driver *driver)
{
	unsigned int i;

	KUNIT_EXPECT_TRUE(driver->test, hotupdate_index_is_empty());
	for (i = 0; i < driver->num_saves; i++) {
		fake_block_expect_refs(driver->test, driver->saves[i], 1);
		fake_block_expect_untouched(driver->test, driver->saves[i]);
	}
}

/* The stash is whole, and nobody has anything of it. */
static void expect_whole_stash(struct fake_driver *driver, u64 bytes)
{
	struct drm_hotupdate_adapter *adapter = driver->gpu->adapter;
	struct kunit *test = driver->test;
	struct drm_hotupdate_block *block;
	unsigned long index;
	unsigned int i;

	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_DETACHED);
	FAKE_EXPECT_STASH(driver->gpu, driver->num_saves);
	KUNIT_EXPECT_EQ(test, adapter->stash.bytes, bytes);
	xa_for_each(&adapter->stash.blocks, index, block)
		KUNIT_EXPECT_EQ(test, kref_read(&block->ref), 1);
	for (i = 0; i < driver->num_saves; i++) {
		fake_block_expect_refs(test, driver->saves[i], 1);
		fake_block_expect_untouched(test, driver->saves[i]);
	}
}

static struct fake_driver *driver_with_all_kinds(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves_each_kind(driver);
	return driver;
}

/*
 * A register without a stash either succeeds, or fails for want of memory and
 * leaves no adapter. The next one succeeds.
 */
static void register_without_memory(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
	unsigned int n;
	bool failed;
	int err;

	allow_failures(test);
	for (n = 1; n <= MAX_ALLOCATIONS; n++) {
		driver->log[0] = '\0';
		fail_allocation(n);
		err = fake_driver_register(driver);
		failed = has_failed();

		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_STREQ(test, driver->log, "");
			KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
		}
		FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
		KUNIT_EXPECT_STREQ(test, driver->log, "start:new");
		KUNIT_EXPECT_TRUE(test, device_is_registered(&driver->adapter->dev));
		fake_driver_unregister(driver);
		KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(driver->gpu));
		if (!failed)
			break;
	}
	expect_all_failed(test, n);
}

/*
 * The binding of a driver either succeeds, or fails for want of memory somewhere: in the
 * driver core, in the restore, or when the driver core makes the driver's attributes,
 * after a probe that has succeeded. Then the stash is whole, and the next one gets it.
 *
 * Clauses: U4, U5
 */
static void bind_without_memory(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);
	unsigned int n;
	bool failed;
	int bound;

	fake_driver_saves(driver, fake_block_buffer(test, 100));
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	allow_failures(test);
	for (n = 1; n <= MAX_ALLOCATIONS; n++) {
		KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
		fake_slot_unbind(slot);
		FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);

		driver->log[0] = '\0';
		fail_allocation(n);
		bound = fake_slot_bind(slot, FAKE_BUS_SAVER, driver);
		failed = has_failed();
		if (bound != 1) {
			fake_slot_settle(slot);
			FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
			FAKE_EXPECT_STASH(slot->gpu, 1);
			KUNIT_EXPECT_EQ(test, driver->num_blocks, 0);
			KUNIT_ASSERT_EQ(test, 1,
					fake_slot_bind(slot, FAKE_BUS_SAVER, driver));
		}
		FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
		KUNIT_EXPECT_EQ(test, driver->adapter->generation, n);
		fake_driver_expect_restored(driver, driver);
		fake_driver_put_blocks(driver);
		if (!failed)
			break;
	}
	expect_all_failed(test, n);
}

static void fail_next_allocation(struct fake_slot *slot)
{
	fail_allocation(1);
}

/*
 * The driver core cannot make the driver's attributes, after a probe that has succeeded:
 * it removes the driver, and the stash is whole.
 *
 * Clauses: U4, U5
 */
static void bind_without_attributes(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *saver, *driver;

	allow_failures(test);
	saver = fake_slot_detach(slot);
	driver = fake_driver_new(test, slot->gpu);
	slot->in_groups = fail_next_allocation;
	KUNIT_EXPECT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), -ENOMEM);
	KUNIT_EXPECT_TRUE(test, has_failed());
	slot->in_groups = NULL;
	fake_slot_settle(slot);
	KUNIT_EXPECT_NOT_NULL(test, strstr(driver->log, "start:restored, stop:saved, abort"));
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
	FAKE_EXPECT_STASH(slot->gpu, saver->num_saves);

	driver = fake_driver_new(test, slot->gpu);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	fake_driver_expect_restored(driver, saver);
	failures = 0;
}

/*
 * A prepare either succeeds, or fails for want of memory: then the driver runs,
 * owns everything, nothing is kept, and the next one succeeds.
 *
 * Clauses: U3
 */
static void prepare_without_memory(struct kunit *test)
{
	struct fake_driver *driver = driver_with_all_kinds(test);
	unsigned int n;
	bool failed;
	int err;

	allow_failures(test);
	for (n = 1; n <= MAX_ALLOCATIONS; n++) {
		fail_allocation(n);
		err = drm_hotupdate_prepare(driver->adapter, 0);
		failed = has_failed();

		if (err) {
			KUNIT_EXPECT_TRUE(test, failed);
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
			FAKE_EXPECT_STASH(driver->gpu, 0);
			FAKE_EXPECT_ERROR(driver->gpu, "memory");
			expect_all_owned(driver);
			KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
		}
		FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_SAVED);
		FAKE_EXPECT_STASH(driver->gpu, driver->num_saves);
		KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
		expect_all_owned(driver);
		if (!failed)
			break;
	}
	expect_all_failed(test, n);
}

/*
 * The same with a driver that overlooks the errors: it is told by a cancel.
 *
 * Clauses: U3
 */
static void prepare_without_memory_overlooked(struct kunit *test)
{
	struct fake_driver *driver = driver_with_all_kinds(test);
	unsigned int n;
	bool failed;
	int err;

	allow_failures(test);
	driver->ignores_errors = true;
	for (n = 1; n <= MAX_ALLOCATIONS; n++) {
		driver->log[0] = '\0';
		fail_allocation(n);
		err = drm_hotupdate_prepare(driver->adapter, 0);
		failed = has_failed();

		KUNIT_EXPECT_STREQ(test, driver->log, err ? "save, cancel" : "save");
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
			FAKE_EXPECT_STASH(driver->gpu, 0);
		} else {
			KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
		}
		expect_all_owned(driver);
		if (!failed)
			break;
	}
	expect_all_failed(test, n);
}

/* More than a save of all kinds of blocks allocates, and what makes a difference. */
#define MAX_MEMORY	SZ_256K
#define MEMORY_STEP	64

/*
 * When memory runs out it is not one allocation that fails: neither the second
 * attempt succeeds, which trees and arrays make, nor what comes after it. However
 * late that is, the driver runs, owns everything, and nothing is kept.
 *
 * Clauses: U3
 */
static void prepare_as_memory_runs_out(struct kunit *test)
{
	struct fake_driver *driver = driver_with_all_kinds(test);
	unsigned int bytes, tried = 0;
	int err;

	allow_failures(test);
	for (bytes = 0; bytes < MAX_MEMORY; bytes += MEMORY_STEP) {
		run_out_after(bytes);
		err = drm_hotupdate_prepare(driver->adapter, 0);
		run_out_no_more();
		if (!err)
			break;

		tried++;
		KUNIT_ASSERT_EQ(test, err, -ENOMEM);
		FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
		FAKE_EXPECT_STASH(driver->gpu, 0);
		FAKE_EXPECT_ERROR(driver->gpu, "memory");
		expect_all_owned(driver);
	}
	kunit_info(test, "ran out of memory %u times\n", tried);
	KUNIT_EXPECT_GT(test, tried, driver->num_saves);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_SAVED);
	FAKE_EXPECT_STASH(driver->gpu, driver->num_saves);
}

/*
 * A cancel cannot fail for want of memory.
 *
 * Clauses: W4, U2, U20
 */
static void cancel_without_memory(struct kunit *test)
{
	struct fake_driver *driver = driver_with_all_kinds(test);
	unsigned int n;

	allow_failures(test);
	for (n = 1; n <= MAX_ALLOCATIONS; n++) {
		KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
		fail_allocation(n);
		KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
		if (!has_failed())
			break;
		FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
		expect_all_owned(driver);
	}
	expect_all_failed(test, n);
}

/* A driver that makes a table and a mapping of each block, or gives up. */
static int use_block(struct fake_driver *driver, enum fake_call call,
		     struct drm_hotupdate_block *block)
{
	struct sg_table *sgt;
	void *vaddr;

	if (call != FAKE_RESTORE ||
	    drm_hotupdate_block_mem(block) == DRM_HOTUPDATE_MEM_DEVICE)
		return 0;
	sgt = drm_hotupdate_block_sgt(block);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	vaddr = drm_hotupdate_block_vmap(block);
	if (IS_ERR(vaddr))
		return PTR_ERR(vaddr);
	drm_hotupdate_block_vunmap(block, vaddr);
	return 0;
}

/*
 * Detaching cannot fail. A register with a stash either succeeds, or fails for
 * want of memory: then the stash is whole, the replay was aborted if it had
 * begun, and the next attempt gets everything, byte by byte.
 *
 * Clauses: U2, U4
 */
static void update_without_memory(struct kunit *test)
{
	struct fake_driver *driver = driver_with_all_kinds(test);
	u64 bytes = 0;
	unsigned int n, i;
	bool failed;
	int err;

	for (i = 0; i < driver->num_saves; i++)
		bytes += driver->saves[i]->size;
	driver->hook = use_block;
	allow_failures(test);
	for (n = 1; n <= MAX_ALLOCATIONS; n++) {
		KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
		fail_allocation(n);
		fake_driver_unregister(driver);
		failed = has_failed();
		expect_whole_stash(driver, bytes);

		driver->log[0] = '\0';
		/* As far as the failure was not spent already. */
		fail_allocation(n);
		err = fake_driver_register(driver);
		failed |= has_failed();
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			if (driver->log[0])
				KUNIT_EXPECT_NOT_NULL(test, strstr(driver->log, ", abort"));
			KUNIT_EXPECT_EQ(test, driver->num_blocks, 0);
			expect_whole_stash(driver, bytes);
			KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
		}
		FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
		fake_driver_expect_restored(driver, driver);
		KUNIT_EXPECT_EQ(test, driver->adapter->generation, n);
		take_all(driver);
		expect_all_owned(driver);
		if (!failed)
			break;
	}
	expect_all_failed(test, n);
}

/*
 * A discard cannot fail for want of memory.
 *
 * Clauses: U9
 */
static void discard_without_memory(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	unsigned int n;

	fake_driver_saves(driver, fake_block_buffer(test, 5 * PAGE_SIZE));
	fake_driver_saves(driver, fake_block_device(test, 1, 1));
	allow_failures(test);
	for (n = 1; n <= MAX_ALLOCATIONS; n++) {
		FAKE_ASSERT_DETACHED(driver);
		fail_allocation(n);
		KUNIT_EXPECT_EQ(test, hotupdate_discard(driver->gpu->adapter, false), 0);
		if (!has_failed())
			break;
		KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
		KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	}
	expect_all_failed(test, n);
}

static struct fake_driver *updated(struct kunit *test, struct fake_block *fb)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves(driver, fb);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	return driver;
}

static const unsigned int scattered[] = { 0, 1, 0, 2 };

/*
 * A table and a mapping that cannot be made are refused; the block is as it
 * was, and they can be made later.
 */
static void look_without_memory(struct kunit *test)
{
	struct fake_block *fb = fake_block_pages(test, HOTUPDATE_KIND_RANGES, scattered,
						 ARRAY_SIZE(scattered));
	struct fake_driver *driver = updated(test, fb);
	unsigned int n;
	int err;

	allow_failures(test);
	for (n = 1; n <= MAX_ALLOCATIONS; n++) {
		fail_allocation(n);
		err = use_block(driver, FAKE_RESTORE, driver->blocks[0]);
		if (!has_failed())
			break;
		/* The kernel's checkers allocate as well, and get by without. */
		KUNIT_EXPECT_TRUE(test, !err || err == -ENOMEM);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	expect_all_failed(test, n);
	fake_block_expect_same(test, fb, driver->blocks[0]);
}

/*
 * Taking pages without a table fails for want of memory, and leaves the caller
 * its reference and its table; later it succeeds.
 *
 * Clauses: W16
 */
static void take_without_memory(struct kunit *test)
{
	struct fake_block *fb = fake_block_pages(test, HOTUPDATE_KIND_RANGES, scattered,
						 ARRAY_SIZE(scattered));
	struct fake_driver *driver = updated(test, fb);
	struct sg_table sgt = { .orig_nents = 77 };
	unsigned int n;
	bool failed;
	int err;

	allow_failures(test);
	for (n = 1; n <= MAX_ALLOCATIONS; n++) {
		fail_allocation(n);
		err = drm_hotupdate_block_take(driver->blocks[0], &sgt);
		failed = has_failed();
		if (!err)
			break;
		KUNIT_EXPECT_TRUE(test, failed);
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_EQ(test, sgt.orig_nents, 77);
		/* (to look at all of it would make the table) */
		KUNIT_EXPECT_EQ(test, drm_hotupdate_block_size(driver->blocks[0]), fb->size);
		fake_block_expect_untouched(test, fb);
		fake_block_expect_refs(test, fb, 1);
	}
	KUNIT_ASSERT_EQ(test, err, 0);
	/*
	 * The table and its entries are two. The kernel's checkers allocate as
	 * well, and get by without: then the block is gone before all have failed.
	 */
	KUNIT_EXPECT_TRUE(test, failed || n > 2);
	expect_all_failed(test, n);
	driver->num_blocks = 0;
	fake_block_expect_table(test, fb, &sgt);
	sg_free_table(&sgt);
	fake_block_expect_refs(test, fb, 1);
}

/*
 * With the table made, taking the pages needs no memory at all.
 *
 * Clauses: W16
 */
static void take_after_sgt_needs_no_memory(struct kunit *test)
{
	struct fake_block *fb = fake_block_pages(test, HOTUPDATE_KIND_RANGES, scattered,
						 ARRAY_SIZE(scattered));
	struct fake_driver *driver = updated(test, fb);
	struct sg_table sgt;

	allow_failures(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm_hotupdate_block_sgt(driver->blocks[0]));
	fail_allocation(1);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_block_take(driver->blocks[0], &sgt), 0);
	KUNIT_EXPECT_FALSE(test, has_failed());
	driver->num_blocks = 0;
	sg_free_table(&sgt);
	fake_block_expect_refs(test, fb, 1);
}

struct step {
	const char *name;
	struct fake_failure failure;
	/* What the update comes to: the error of the prepare, or of the register */
	bool in_save;
	const char *log;
};

static const struct step steps[] = {
	{ "save", { FAKE_SAVE, 0, -ENOLCK }, true, "save" },
	{ "restore_first", { FAKE_RESTORE, 0, -ENOLCK }, false,
	  "save, stop:saved, restore0, abort" },
	{ "restore_third", { FAKE_RESTORE, 2, -ENOLCK }, false,
	  "save, stop:saved, restore0, restore1, restore2, abort" },
	{ "restore_last", { FAKE_RESTORE, 5, -ENOLCK }, false,
	  "save, stop:saved, " FAKE_RESTORES ", abort" },
	{ "start", { FAKE_START, 0, -ENOLCK }, false,
	  "save, stop:saved, " FAKE_RESTORES ", start:restored, abort" },
};

KUNIT_ARRAY_PARAM_DESC(steps, steps, name);

/*
 * Whichever callback fails in an update of all kinds of blocks, its error is
 * the caller's, the outcome is the old state or a whole stash, and when it does
 * not fail any more everything comes back.
 *
 * Clauses: U3, U4, W20
 */
static void update_with_failing_callback(struct kunit *test)
{
	const struct step *step = test->param_value;
	struct fake_driver *driver = driver_with_all_kinds(test);
	struct fake_failure failure = step->failure;
	int err;

	driver->hook = fake_fail_hook;
	driver->hook_data = &failure;
	driver->log[0] = '\0';
	err = drm_hotupdate_prepare(driver->adapter, 0);
	if (!err) {
		u64 bytes = driver->adapter->stash.bytes;

		fake_driver_unregister(driver);
		err = fake_driver_register(driver);
		expect_whole_stash(driver, bytes);
	} else {
		FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
		expect_all_owned(driver);
	}
	KUNIT_EXPECT_EQ(test, err, -ENOLCK);
	KUNIT_EXPECT_EQ(test, !driver->gpu->adapter->stash.count, step->in_save);
	KUNIT_EXPECT_STREQ(test, driver->log, step->log);

	failure.err = 0;
	if (step->in_save)
		FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_driver_expect_restored(driver, driver);
}

static const unsigned int refused[] = { 0, 1, 2, 3, 4, 5 };

static void describe_refused(const unsigned int *at, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "block_%u", *at);
}

KUNIT_ARRAY_PARAM(refused, refused, describe_refused);

/*
 * Whichever block of a save is refused, all blocks before it are forgotten, and
 * the error names it.
 *
 * Clauses: U3
 */
static void save_with_refused_block(struct kunit *test)
{
	const unsigned int *at = test->param_value;
	struct fake_driver *driver = driver_with_all_kinds(test);
	struct fake_block *good = driver->saves[*at];
	char block[24];

	driver->saves[*at] = fake_block_device(test, 0, 0);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EINVAL);
	snprintf(block, sizeof(block), "block %u refused", *at);
	FAKE_EXPECT_ERROR(driver->gpu, block);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(driver->gpu, 0);
	driver->saves[*at] = good;
	expect_all_owned(driver);

	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_driver_expect_restored(driver, driver);
}

static struct kunit_case failure_cases[] = {
	KUNIT_CASE_SLOW(register_without_memory),
	KUNIT_CASE_SLOW(bind_without_memory),
	KUNIT_CASE(bind_without_attributes),
	KUNIT_CASE_SLOW(prepare_without_memory),
	KUNIT_CASE_SLOW(prepare_without_memory_overlooked),
	KUNIT_CASE_SLOW(prepare_as_memory_runs_out),
	KUNIT_CASE(cancel_without_memory),
	KUNIT_CASE_SLOW(update_without_memory),
	KUNIT_CASE(discard_without_memory),
	KUNIT_CASE(look_without_memory),
	KUNIT_CASE(take_without_memory),
	KUNIT_CASE(take_after_sgt_needs_no_memory),
	KUNIT_CASE_PARAM(update_with_failing_callback, steps_gen_params),
	KUNIT_CASE_PARAM(save_with_refused_block, refused_gen_params),
	{ }
};

static struct kunit_suite failure_suite = {
	.name = "drm_hotupdate_failure",
	.suite_init = fake_bus_suite_init,
	.suite_exit = fake_bus_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = failure_cases,
};

kunit_test_suites(&failure_suite);
