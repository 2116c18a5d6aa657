// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay, start, commit and abort: what is called in which order, and what is
 * left when something fails.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/bitops.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "drm_hotupdate_kunit.h"

/* The number of blocks of fake_driver_saves_each_kind() */
#define NUM_BLOCKS	6

/* A driver that has gone, and left a stash with all kinds of blocks. */
static struct fake_driver *detached(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves_each_kind(driver);
	KUNIT_ASSERT_EQ(test, driver->num_saves, NUM_BLOCKS);
	FAKE_ASSERT_DETACHED(driver);
	driver->log[0] = '\0';
	return driver;
}

/*
 * Every block is replayed once, in the order of saving, before the device is
 * started; then the driver is told, as the last call of all.
 *
 * Clauses: W13, W14, W18, U1, U5, U16
 */
static void replay_order(struct kunit *test)
{
	struct fake_driver *old = detached(test);
	struct fake_driver *new = fake_driver_new(test, old->gpu);

	KUNIT_ASSERT_EQ(test, fake_driver_register(new), 0);
	KUNIT_EXPECT_STREQ(test, new->log,
			   FAKE_RESTORES ", start:restored, complete");
	KUNIT_EXPECT_STREQ(test, old->log, "");
	fake_driver_expect_restored(new, old);
	FAKE_EXPECT_STATE(new->gpu, HOTUPDATE_RUNNING);
	FAKE_EXPECT_STASH(new->gpu, 0);
	KUNIT_EXPECT_EQ(test, new->adapter->stash.bytes, 0);
	KUNIT_EXPECT_EQ(test, new->adapter->generation, 1);
	KUNIT_EXPECT_EQ(test, new->adapter->progress, NUM_BLOCKS);
}

/*
 * Without a stash there is nothing to replay: the device is started from the
 * beginning, and that is not the end of an update.
 *
 * Clauses: W13, U16
 */
static void start_without_stash(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	KUNIT_EXPECT_STREQ(test, driver->log, "start:new");
	KUNIT_EXPECT_EQ(test, driver->adapter->generation, 0);
}

static int expect_state(struct fake_driver *driver, enum fake_call call,
			struct drm_hotupdate_block *block)
{
	struct drm_hotupdate_adapter *adapter = driver->gpu->adapter;
	unsigned int left = call == FAKE_COMPLETE ? 0 : NUM_BLOCKS;

	FAKE_EXPECT_STATE(driver->gpu, call == FAKE_COMPLETE ? HOTUPDATE_RESTORED :
							       HOTUPDATE_RESTORING);
	FAKE_EXPECT_STASH(driver->gpu, left);
	KUNIT_EXPECT_EQ(driver->test, adapter->generation, call == FAKE_COMPLETE);
	if (call == FAKE_RESTORE)
		KUNIT_EXPECT_EQ(driver->test, adapter->progress,
				drm_hotupdate_block_index(block));
	return 0;
}

/*
 * The stash is whole until the device has started, and has let go of every
 * block when the driver is told so.
 *
 * Clauses: W18, U5, U20
 */
static void commit_after_start(struct kunit *test)
{
	struct fake_driver *driver = detached(test);

	driver->hook = expect_state;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	driver->hook = NULL;
	KUNIT_EXPECT_EQ(test, driver->adapter->generation, 1);
}

static int count_references(struct fake_driver *driver, enum fake_call call,
			    struct drm_hotupdate_block *block)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < driver->num_blocks; i++)
		wrong += kref_read(&driver->blocks[i]->ref) !=
			 (call == FAKE_COMPLETE ? 1 : 2);
	KUNIT_EXPECT_EQ(driver->test, wrong, 0);
	return 0;
}

/*
 * Until the commit the stash has a reference to each block, and the driver has
 * one; after it the driver's is the only one.
 *
 * Clauses: W16, W18, U5
 */
static void commit_leaves_drivers_reference(struct kunit *test)
{
	struct fake_driver *driver = detached(test);

	driver->hook = count_references;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_EQ(test, driver->num_blocks, NUM_BLOCKS);
	driver->hook = NULL;
}

static int put_at_once(struct fake_driver *driver, enum fake_call call,
		       struct drm_hotupdate_block *block)
{
	if (call == FAKE_START) {
		fake_driver_put_blocks(driver);
		fake_block_expect_refs(driver->test, driver->saves[0], 1);
	}
	return 0;
}

/*
 * A driver may drop what it was given before the commit. The pages are there
 * until the stash lets go, and are freed then, once.
 *
 * Clauses: W16, U5
 */
static void put_before_commit(struct kunit *test)
{
	struct fake_driver *driver = detached(test);

	driver->hook = put_at_once;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_block_expect_refs(test, driver->saves[0], 0);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
}

static const unsigned int failing[] = { 0, 1, 2, 3, 4, 5, NUM_BLOCKS };

static void describe_failing(const unsigned int *at, char *desc)
{
	if (*at == NUM_BLOCKS)
		strscpy(desc, "start", KUNIT_PARAM_DESC_SIZE);
	else
		snprintf(desc, KUNIT_PARAM_DESC_SIZE, "block_%u", *at);
}

KUNIT_ARRAY_PARAM(failing, failing, describe_failing);

static const char * const failing_logs[] = {
	"restore0, abort",
	"restore0, restore1, abort",
	"restore0, restore1, restore2, abort",
	"restore0, restore1, restore2, restore3, abort",
	"restore0, restore1, restore2, restore3, restore4, abort",
	FAKE_RESTORES ", abort",
	FAKE_RESTORES ", start:restored, abort",
};

static struct fake_failure failure_at(unsigned int at)
{
	return (struct fake_failure) {
		.call = at == NUM_BLOCKS ? FAKE_START : FAKE_RESTORE,
		.index = at,
		.err = -EHOSTDOWN,
	};
}

/* The stash is as if there had been no attempt. */
static void expect_whole(struct kunit *test, struct fake_driver *saver)
{
	struct drm_hotupdate_adapter *adapter = saver->gpu->adapter;
	struct drm_hotupdate_block *block;
	unsigned long index;
	unsigned int i;

	FAKE_EXPECT_STATE(saver->gpu, HOTUPDATE_DETACHED);
	FAKE_EXPECT_STASH(saver->gpu, NUM_BLOCKS);
	KUNIT_EXPECT_EQ(test, adapter->generation, 0);
	KUNIT_EXPECT_NULL(test, adapter->ops);
	xa_for_each(&adapter->stash.blocks, index, block)
		KUNIT_EXPECT_EQ(test, kref_read(&block->ref), 1);
	for (i = 0; i < saver->num_saves; i++) {
		fake_block_expect_refs(test, saver->saves[i], 1);
		fake_block_expect_untouched(test, saver->saves[i]);
	}
}

/*
 * Whichever block is refused, or when the start fails: the replay stops there,
 * is aborted, once, and the stash is whole. The error is the driver's, and says
 * which block. A block that was refused was not given.
 *
 * Clauses: U4, U15, W20
 */
static void abort_leaves_stash_whole(struct kunit *test)
{
	const unsigned int *at = test->param_value;
	struct fake_driver *old = detached(test);
	struct fake_driver *new = fake_driver_new(test, old->gpu);
	struct fake_failure failure = failure_at(*at);
	char block[16];

	new->hook = fake_fail_hook;
	new->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, fake_driver_register(new), -EHOSTDOWN);
	KUNIT_EXPECT_STREQ(test, new->log, failing_logs[*at]);
	snprintf(block, sizeof(block), "block %u of", *at);
	FAKE_EXPECT_ERROR(new->gpu, *at == NUM_BLOCKS ? "start" : block);
	expect_whole(test, old);
}

static void fail_with(struct fake_driver *driver, struct fake_failure *failure)
{
	driver->hook = fake_fail_hook;
	driver->hook_data = failure;
}

/* Believes that it was given the block, which only 0 says. */
static int keep_and_return_one(struct drm_hotupdate_adapter *adapter,
			       struct drm_hotupdate_block *block)
{
	struct fake_driver *driver = drm_hotupdate_adapter_priv(adapter);

	driver->blocks[driver->num_blocks++] = block;
	return 1;
}

/*
 * What is neither 0 nor an errno is a failure: the restore is aborted, nothing is
 * committed, and the stash is whole.
 *
 * Clauses: W20, U4
 */
static void nonsense_is_no_success(struct kunit *test)
{
	struct fake_driver *old = detached(test);
	struct fake_driver *new = fake_driver_new(test, old->gpu);
	struct fake_driver *other = fake_driver_new(test, old->gpu);
	struct fake_failure failure = { .call = FAKE_START, .err = 1 };

	fail_with(new, &failure);
	KUNIT_EXPECT_EQ(test, fake_driver_register(new), -EINVAL);
	KUNIT_EXPECT_STREQ(test, new->log, FAKE_RESTORES ", start:restored, abort");
	FAKE_EXPECT_ERROR(new->gpu, "start_device of driver fake returned 1");
	expect_whole(test, old);

	other->ops.restore_memory = keep_and_return_one;
	KUNIT_EXPECT_EQ(test, fake_driver_register(other), -EINVAL);
	KUNIT_EXPECT_STREQ(test, other->log, "abort");
	FAKE_EXPECT_ERROR(other->gpu, "restore_memory of driver fake returned 1");
	expect_whole(test, old);
	KUNIT_EXPECT_EQ(test, fake_driver_register(old), 0);
}

/*
 * After a failure a second attempt, with the same driver, another one, or the
 * old one, gets the whole replay, and all that was saved.
 *
 * Clauses: U4
 */
static void abort_then_retry(struct kunit *test)
{
	const unsigned int *at = test->param_value;
	struct fake_driver *old = detached(test);
	struct fake_driver *new = fake_driver_new(test, old->gpu);
	struct fake_driver *other = fake_driver_new(test, old->gpu);
	struct fake_failure failure = failure_at(*at);

	fail_with(new, &failure);
	fail_with(other, &failure);
	KUNIT_EXPECT_EQ(test, fake_driver_register(new), -EHOSTDOWN);
	KUNIT_EXPECT_EQ(test, fake_driver_register(new), -EHOSTDOWN);
	KUNIT_EXPECT_EQ(test, fake_driver_register(other), -EHOSTDOWN);
	expect_whole(test, old);

	KUNIT_ASSERT_EQ(test, fake_driver_register(old), 0);
	KUNIT_EXPECT_STREQ(test, old->log,
			   FAKE_RESTORES ", start:restored, complete");
	fake_driver_expect_restored(old, old);

	fake_driver_put_blocks(old);
	KUNIT_EXPECT_EQ(test, old->adapter->generation, 1);
}

/*
 * The same driver, once it has got over its failure, gets everything.
 *
 * Clauses: U4
 */
static void abort_then_same_driver(struct kunit *test)
{
	const unsigned int *at = test->param_value;
	struct fake_driver *driver = detached(test);
	struct fake_failure failure = failure_at(*at);

	fail_with(driver, &failure);
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EHOSTDOWN);
	driver->log[0] = '\0';
	failure.err = 0;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_STREQ(test, driver->log,
			   FAKE_RESTORES ", start:restored, complete");
	fake_driver_expect_restored(driver, driver);
	KUNIT_EXPECT_EQ(test, driver->adapter->generation, 1);
}

static u64 page_digest(struct page *page, u64 digest)
{
	const u64 *words = page_address(page);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		digest = rol64(digest, 5) * 0x9e3779b97f4a7c15ull ^ words[i];
	return digest;
}

/* Of every page that is in the stash, the copies of buffers included. */
static u64 stash_digest(struct drm_hotupdate_adapter *adapter)
{
	struct drm_hotupdate_block *block;
	unsigned long index;
	u64 digest = 0;

	xa_for_each(&adapter->stash.blocks, index, block) {
		const struct drm_hotupdate_range *ranges;
		unsigned int num, i;
		u64 page;

		if (drm_hotupdate_block_mem(block) == DRM_HOTUPDATE_MEM_DEVICE)
			continue;
		ranges = drm_hotupdate_block_ranges(block, &num);
		for (i = 0; i < num; i++)
			for (page = 0; page < ranges[i].nr_pages; page++)
				digest = page_digest(pfn_to_page(ranges[i].pfn + page),
						     digest);
	}
	return digest;
}

static int look_and_fail(struct fake_driver *driver, enum fake_call call,
			 struct drm_hotupdate_block *block)
{
	void *vaddr;

	if (call == FAKE_RESTORE &&
	    drm_hotupdate_block_mem(block) == DRM_HOTUPDATE_MEM_SYSTEM) {
		KUNIT_EXPECT_NOT_ERR_OR_NULL(driver->test, drm_hotupdate_block_sgt(block));
		vaddr = drm_hotupdate_block_vmap(block);
		KUNIT_EXPECT_NOT_ERR_OR_NULL(driver->test, vaddr);
		if (!IS_ERR_OR_NULL(vaddr))
			drm_hotupdate_block_vunmap(block, vaddr);
	}
	return fake_fail_hook(driver, call, block);
}

/*
 * A replay that is aborted, with every block looked at in every way, leaves
 * each page as it was, for the next driver: the core writes to none.
 *
 * Clauses: U10
 */
static void abort_leaves_pages_untouched(struct kunit *test)
{
	const unsigned int *at = test->param_value;
	struct fake_driver *driver = detached(test);
	struct fake_failure failure = failure_at(*at);
	u64 before = stash_digest(driver->gpu->adapter);

	KUNIT_EXPECT_NE(test, before, 0);
	driver->hook = look_and_fail;
	driver->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EHOSTDOWN);
	KUNIT_EXPECT_EQ(test, stash_digest(driver->gpu->adapter), before);
	expect_whole(test, driver);
}

static int map_and_fail(struct fake_driver *driver, enum fake_call call,
			struct drm_hotupdate_block *block)
{
	struct sg_table *sgt;

	if (call != FAKE_RESTORE)
		return call == FAKE_START ? -EIO : 0;
	sgt = drm_hotupdate_block_sgt(block);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(driver->test, sgt);
	if (IS_ERR_OR_NULL(sgt))
		return 0;
	/* As a mapping for DMA leaves it, merged, and not undone. */
	sgt->nents = 1;
	sg_dma_address(sgt->sgl) = 0xbad000;
	return 0;
}

/*
 * What one driver made of a block's table is not what the next one gets: its
 * table is as good as new.
 *
 * Clauses: U4, W15
 */
static void abort_forgets_table(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 1, 0 };
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_driver *next = fake_driver_new(test, driver->gpu);
	struct fake_block *fb = fake_block_pages(test, HOTUPDATE_KIND_SGT, orders, 3);
	struct sg_table *sgt;

	fake_driver_saves(driver, fb);
	FAKE_ASSERT_DETACHED(driver);
	driver->hook = map_and_fail;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);

	KUNIT_ASSERT_EQ(test, fake_driver_register(next), 0);
	sgt = drm_hotupdate_block_sgt(next->blocks[0]);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, sgt->nents, sgt->orig_nents);
	KUNIT_EXPECT_EQ(test, sg_dma_address(sgt->sgl), 0);
	fake_block_expect_table(test, fb, sgt);
}

static int keep_in_abort(struct fake_driver *driver, enum fake_call call,
			 struct drm_hotupdate_block *block)
{
	struct drm_hotupdate_block **kept = driver->hook_data;

	if (call == FAKE_ABORT) {
		*kept = driver->blocks[0];
		driver->num_blocks = 0;
	}
	return call == FAKE_START ? -EIO : 0;
}

/*
 * A driver that does not drop its reference when it is told to has its block
 * for longer, but spoils nothing: the next one gets everything.
 *
 * Clauses: U4
 */
static void abort_with_block_kept(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_driver *next = fake_driver_new(test, driver->gpu);
	struct drm_hotupdate_block *kept = NULL;

	fake_driver_saves(driver, fake_block_page(test));
	FAKE_ASSERT_DETACHED(driver);
	driver->hook = keep_in_abort;
	driver->hook_data = &kept;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
	KUNIT_EXPECT_EQ(test, fake_driver_register(next), 0);
	fake_driver_expect_restored(next, driver);
	fake_driver_put_blocks(next);
	fake_block_expect_refs(test, driver->saves[0], 1);
	drm_hotupdate_block_put(kept);
	fake_block_expect_refs(test, driver->saves[0], 0);
}

/*
 * The same after failures as without: each update counts once.
 */
static void generation_counts_updates(struct kunit *test)
{
	struct fake_failure failure = { .call = FAKE_START };
	struct fake_driver *driver = fake_driver_running(test);
	unsigned int i;

	fail_with(driver, &failure);
	fake_driver_saves(driver, fake_block_device(test, 0, 1));
	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, driver->adapter->generation, i);
		FAKE_ASSERT_DETACHED(driver);
		failure.err = -EIO;
		KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
		failure.err = 0;
		KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
		fake_driver_put_blocks(driver);
	}
	KUNIT_EXPECT_EQ(test, driver->adapter->generation, 5);
}

#define NAP_MS	30

/* @begin_ns and @end_ns are taken within the save and within the last start. */
struct naps {
	u64 begin_ns, end_ns;
	bool fails;
};

static int take_a_nap(struct fake_driver *driver, enum fake_call call,
		      struct drm_hotupdate_block *block)
{
	struct naps *naps = driver->hook_data;

	if (call == FAKE_SAVE)
		naps->begin_ns = ktime_get_ns();
	if (call == FAKE_SAVE || call == FAKE_START || (block && !driver->num_blocks))
		fake_nap(NAP_MS);
	if (call == FAKE_START)
		naps->end_ns = ktime_get_ns();
	return call == FAKE_START && naps->fails ? -EIO : 0;
}

/*
 * The parts of the blackout follow upon each other without a gap: each is as
 * long as what happened in it, and together they are no more than the whole.
 * A failed attempt counts as time without a driver.
 */
static void blackout_parts(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	const u64 nap = NAP_MS * NSEC_PER_MSEC;
	struct hotupdate_blackout *blackout;
	struct naps naps = { .fails = true };
	u64 begin, whole, sum;

	fake_driver_saves_each_kind(driver);
	driver->hook = take_a_nap;
	driver->hook_data = &naps;

	begin = ktime_get_ns();
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
	blackout = &driver->gpu->adapter->blackout;
	KUNIT_EXPECT_GE(test, blackout->save_ns, nap);
	KUNIT_EXPECT_EQ(test, blackout->detached_ns, 0);
	KUNIT_EXPECT_EQ(test, blackout->replay_ns, 0);
	KUNIT_EXPECT_EQ(test, blackout->start_ns, 0);
	fake_nap(NAP_MS);
	naps.fails = false;
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	whole = ktime_get_ns() - begin;

	KUNIT_EXPECT_GE(test, blackout->detached_ns, 3 * nap);
	KUNIT_EXPECT_GE(test, blackout->replay_ns, nap);
	KUNIT_EXPECT_GE(test, blackout->start_ns, nap);
	sum = blackout->save_ns + blackout->detached_ns + blackout->replay_ns +
	      blackout->start_ns;
	KUNIT_EXPECT_LE(test, sum, whole);
	KUNIT_EXPECT_GE(test, sum, naps.end_ns - naps.begin_ns);
	driver->hook = NULL;
}

/*
 * A driver can be updated again and again with the same memory, and nothing of
 * it moves or changes.
 *
 * Clauses: W9, W16
 */
static void replay_again_and_again(struct kunit *test)
{
	static const unsigned int orders[] = { 2, 0, 1 };
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_pages(test, HOTUPDATE_KIND_SGT, orders, 3);
	struct sg_table sgt;
	unsigned int i;

	fake_driver_saves(driver, fb);
	for (i = 0; i < 10; i++) {
		FAKE_ASSERT_DETACHED(driver);
		KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
		fake_driver_expect_restored(driver, driver);
		KUNIT_ASSERT_EQ(test, drm_hotupdate_block_take(driver->blocks[0], &sgt), 0);
		sg_free_table(&sgt);
		driver->num_blocks = 0;
		fake_block_expect_refs(test, fb, 1);
	}
}

static int put_too_many(struct fake_driver *driver, enum fake_call call,
			struct drm_hotupdate_block *block)
{
	if (call != FAKE_RESTORE || drm_hotupdate_block_index(block) != 1)
		return 0;
	drm_hotupdate_block_put(block);
	drm_hotupdate_block_put(block);
	drm_hotupdate_block_put(block);
	return -EIO;
}

/*
 * A driver that drops a reference that it was not given does not end a block of the
 * stash, and with it pages that the device uses.
 *
 * Clauses: U2, U4
 */
static void put_of_the_last_reference(struct kunit *test)
{
	struct fake_driver *driver = detached(test);
	struct fake_driver *next = fake_driver_new(test, driver->gpu);

	driver->hook = put_too_many;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
	driver->hook = NULL;
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_DETACHED);
	FAKE_EXPECT_STASH(driver->gpu, NUM_BLOCKS);
	KUNIT_EXPECT_TRUE(test, fake_log_has("block 1 stays"));
	KUNIT_EXPECT_EQ(test, fake_driver_register(next), 0);
	KUNIT_EXPECT_EQ(test, next->num_blocks, NUM_BLOCKS);
}

/* The stash goes between the question and the decrement. */
static bool stashed_until_now(struct drm_hotupdate_block *block)
{
	WRITE_ONCE(block->stashed, false);
	kref_put(&block->ref, NULL);
	return true;
}

/* A put that meets the commit is not taken for one too many: it ends the block. */
static void put_at_the_commit(struct kunit *test)
{
	struct fake_driver *driver = detached(test);
	struct hotupdate_stash *stash;
	struct drm_hotupdate_block *block;

	stash = &driver->gpu->adapter->stash;
	block = xa_erase(&stash->blocks, NUM_BLOCKS - 1);
	KUNIT_ASSERT_NOT_NULL(test, block);
	stash->count--;
	stash->bytes -= block->size;
	drm_hotupdate_block_get(block);
	kunit_activate_static_stub(test, hotupdate_block_is_stashed, stashed_until_now);
	drm_hotupdate_block_put(block);
	kunit_deactivate_static_stub(test, hotupdate_block_is_stashed);
	/* It was a buffer, and the suite would find its pages if they were left. */
	KUNIT_EXPECT_FALSE(test, fake_log_has("block 5 stays"));
}

static int call_back_in(struct fake_driver *driver, enum fake_call call,
			struct drm_hotupdate_block *block)
{
	struct drm_hotupdate_adapter *adapter = driver->gpu->adapter;
	const struct drm_hotupdate_driver drv = {
		.name = "fake",
		.compatible = "kunit,fake",
		.version = 2,
		.min_version = 1,
		.ops = &driver->ops,
	};

	drm_hotupdate_adapter_unregister(adapter);
	adapter = drm_hotupdate_adapter_register(fake_gpu_dev(driver->gpu), &drv, driver);
	KUNIT_EXPECT_EQ(driver->test, PTR_ERR_OR_ZERO(adapter), -EDEADLK);
	return 0;
}

/* A driver that waits for its own callback is told so, instead of waiting for ever. */
static void register_in_a_callback(struct kunit *test)
{
	struct fake_driver *driver = detached(test);

	driver->hook = call_back_in;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), 0);
	driver->hook = NULL;
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	drm_hotupdate_adapter_unregister(NULL);
	drm_hotupdate_adapter_unregister(ERR_PTR(-EIO));
}

static struct kunit_case replay_cases[] = {
	KUNIT_CASE(replay_order),
	KUNIT_CASE(start_without_stash),
	KUNIT_CASE(commit_after_start),
	KUNIT_CASE(commit_leaves_drivers_reference),
	KUNIT_CASE(put_before_commit),
	KUNIT_CASE(put_of_the_last_reference),
	KUNIT_CASE(put_at_the_commit),
	KUNIT_CASE(register_in_a_callback),
	KUNIT_CASE_PARAM(abort_leaves_stash_whole, failing_gen_params),
	KUNIT_CASE(nonsense_is_no_success),
	KUNIT_CASE_PARAM(abort_then_retry, failing_gen_params),
	KUNIT_CASE_PARAM(abort_then_same_driver, failing_gen_params),
	KUNIT_CASE_PARAM(abort_leaves_pages_untouched, failing_gen_params),
	KUNIT_CASE(abort_forgets_table),
	KUNIT_CASE(abort_with_block_kept),
	KUNIT_CASE(generation_counts_updates),
	KUNIT_CASE(blackout_parts),
	KUNIT_CASE(replay_again_and_again),
	{ }
};

static struct kunit_suite replay_suite = {
	.name = "drm_hotupdate_replay",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = replay_cases,
};

kunit_test_suites(&replay_suite);
