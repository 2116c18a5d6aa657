// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever a driver saves, if it is legal, comes back as it was.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "drm_hotupdate_kunit.h"

static ulong seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Seed of the random configurations, 0 for another one each time");

static ulong seed_in_use;

static int property_suite_init(struct kunit_suite *suite)
{
	seed_in_use = seed ?: get_random_u32() | 1;
	kunit_info(suite, "drm_hotupdate_kunit.seed=%lu repeats this run\n", seed_in_use);
	return fake_suite_init(suite);
}

static u32 below(struct rnd_state *rnd, u32 limit)
{
	return prandom_u32_state(rnd) % limit;
}

static struct fake_block *random_block(struct kunit *test, struct rnd_state *rnd,
				       unsigned int index)
{
	static const size_t meta_sizes[] = { 0, 1, 100, 4096, 65536 };
	enum hotupdate_kind kind = below(rnd, HOTUPDATE_KIND_BUFFER + 1);
	unsigned int orders[12], num = 1 + below(rnd, ARRAY_SIZE(orders)), i;
	struct fake_block *fb;
	size_t meta_size;

	switch (kind) {
	case HOTUPDATE_KIND_BUFFER:
		fb = fake_block_buffer(test, 1 + below(rnd, 10 * PAGE_SIZE));
		break;
	case HOTUPDATE_KIND_DEVICE:
		fb = fake_block_new(test, kind, num);
		for (i = 0; i < num; i++) {
			/* Apart from those of other blocks, in any order. */
			fb->ranges[i].pfn = ((u64)index << 32) + (num - i) * 0x1000;
			fb->ranges[i].nr_pages = 1 + below(rnd, 0x1000);
			fb->size += fb->ranges[i].nr_pages << PAGE_SHIFT;
		}
		break;
	default:
		for (i = 0; i < num; i++)
			orders[i] = below(rnd, 8) ? below(rnd, 4) : below(rnd, 8);
		fb = fake_block_pages(test, kind, orders, num);
	}

	meta_size = meta_sizes[below(rnd, ARRAY_SIZE(meta_sizes))];
	if (meta_size)
		fake_block_with_meta(test, fb, 1 + below(rnd, meta_size));
	return fb;
}

/* A stumble on the way: a cancel, or a driver that fails. */
static void stumble(struct fake_driver *driver, struct rnd_state *rnd,
		    struct fake_failure *failure)
{
	struct kunit *test = driver->test;

	if (below(rnd, 2)) {
		KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
		KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	}
	if (below(rnd, 2)) {
		*failure = (struct fake_failure) { .call = FAKE_SAVE, .err = -EIO };
		KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -EIO);
	}
	failure->err = 0;
	FAKE_ASSERT_DETACHED(driver);
	if (below(rnd, 2)) {
		*failure = (struct fake_failure) {
			.call = below(rnd, 2) ? FAKE_START : FAKE_RESTORE,
			.index = below(rnd, driver->num_saves),
			.err = -EIO,
		};
		KUNIT_ASSERT_EQ(test, fake_driver_register(driver), -EIO);
	}
	failure->err = 0;
}

static const unsigned int rounds[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

static void describe_round(const unsigned int *round, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "round_%u", *round);
}

KUNIT_ARRAY_PARAM(rounds, rounds, describe_round);

/*
 * Any number of blocks, of any kind, order, size and metadata, saved, detached
 * and replayed, also after something went wrong, comes back in the order of
 * saving, in its place, byte by byte, with its metadata.
 *
 * Clauses: W6, W11, W13, W15, U1
 */
static void any_blocks_come_back(struct kunit *test)
{
	const unsigned int *round = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_failure failure = { };
	struct rnd_state rnd;
	unsigned int num, i;

	prandom_seed_state(&rnd, seed_in_use + *round);
	num = 1 + below(&rnd, 20);
	for (i = 0; i < num; i++)
		fake_driver_saves(driver, random_block(test, &rnd, i));

	driver->hook = fake_fail_hook;
	driver->hook_data = &failure;
	stumble(driver, &rnd, &failure);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fake_driver_expect_restored(driver, driver);
	for (i = 0; i < num; i++)
		fake_block_expect_refs(test, driver->saves[i], 1);
}

static struct kunit_case property_cases[] = {
	KUNIT_CASE_PARAM(any_blocks_come_back, rounds_gen_params),
	{ }
};

static struct kunit_suite property_suite = {
	.name = "drm_hotupdate_property",
	.suite_init = property_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = property_cases,
};

kunit_test_suites(&property_suite);
