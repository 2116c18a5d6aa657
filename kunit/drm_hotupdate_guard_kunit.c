// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two GPUs of one module: it can be unloaded when no guest is lost by that.
 */

#include <kunit/test.h>

#include "drm_hotupdate_fake_bus.h"

static const enum hotupdate_state pair_states[] = {
	HOTUPDATE_RUNNING, HOTUPDATE_SAVED, HOTUPDATE_DETACHED, HOTUPDATE_RESTORED,
	HOTUPDATE_UNCLAIMED, HOTUPDATE_STALE,
};

static void describe_state(const enum hotupdate_state *state, char *desc)
{
	strscpy(desc, hotupdate_state_name(*state), KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(states, pair_states, describe_state);

static struct fake_driver *new_driver(struct fake_slot *slot, const char *family)
{
	struct fake_driver *driver = fake_driver_new(slot->test, slot->gpu);

	strscpy(driver->compatible, family);
	return driver;
}

static void bind(struct fake_slot *slot, struct fake_driver *driver)
{
	KUNIT_ASSERT_EQ(slot->test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
}

/* A GPU of the family in that state. */
static struct fake_slot *slot_in_state(struct kunit *test, const char *family,
				       enum hotupdate_state state)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = new_driver(slot, family);

	bind(slot, driver);
	if (state != HOTUPDATE_RUNNING)
		KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	if (state != HOTUPDATE_RUNNING && state != HOTUPDATE_SAVED)
		fake_slot_unbind(slot);

	switch (state) {
	case HOTUPDATE_RESTORED:
		/* Without a commit, which a device that is lost does not get. */
		slot->in_probe = fake_slot_report_loss;
		bind(slot, new_driver(slot, family));
		slot->in_probe = NULL;
		break;
	case HOTUPDATE_UNCLAIMED:
		KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
		break;
	case HOTUPDATE_STALE:
		KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
		fake_slot_unbind(slot);
		break;
	default:
		break;
	}
	fake_slot_settle(slot);
	FAKE_EXPECT_STATE(slot->gpu, state);
	return slot;
}

static bool loses_guests(enum hotupdate_state state)
{
	return state == HOTUPDATE_RUNNING || state == HOTUPDATE_RESTORED;
}

static bool waits_for_driver(enum hotupdate_state state)
{
	return state == HOTUPDATE_SAVED || state == HOTUPDATE_DETACHED ||
	       state == HOTUPDATE_RESTORED || state == HOTUPDATE_UNCLAIMED;
}

/*
 * The module has a reference for each of the two that an unload would stop, while the
 * other one has a stash for the next driver.
 *
 * Clauses: U18
 */
static void pairs_of_states(struct kunit *test)
{
	enum hotupdate_state first = *(const enum hotupdate_state *)test->param_value;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pair_states); i++) {
		enum hotupdate_state second = pair_states[i];
		int refs = fake_module_refs();
		char family[FAKE_NAME_LEN];
		struct fake_slot *slot;
		int expected;

		expected = (loses_guests(first) && waits_for_driver(second)) +
			   (loses_guests(second) && waits_for_driver(first));
		snprintf(family, sizeof(family), "kunit,pair%u", i);
		slot = slot_in_state(test, family, first);
		KUNIT_EXPECT_EQ(test, fake_module_refs(), refs);
		slot_in_state(test, family, second);
		KUNIT_EXPECT_EQ_MSG(test, fake_module_refs(), refs + expected, "%s and %s",
				    hotupdate_state_name(first),
				    hotupdate_state_name(second));
		/* Alone again, it can go. */
		if (first == HOTUPDATE_RUNNING) {
			fake_slot_unbind(slot);
			KUNIT_EXPECT_EQ(test, fake_module_refs(), refs);
		}
	}
}

/*
 * All GPUs of a module are prepared, and taken over by the next one.
 *
 * Clauses: U18
 */
static void update_of_two(struct kunit *test)
{
	struct fake_slot *one = slot_in_state(test, "kunit,fake", HOTUPDATE_RUNNING);
	struct fake_slot *two = slot_in_state(test, "kunit,fake", HOTUPDATE_RUNNING);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(one->gpu->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 1);
	FAKE_EXPECT_ERROR(two->gpu, dev_name(&one->gpu->adapter->dev));
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(two->gpu->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	fake_slot_unbind(one);
	fake_slot_unbind(two);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);

	bind(one, new_driver(one, "kunit,fake"));
	FAKE_EXPECT_STATE(one->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 1);
	bind(two, new_driver(two, "kunit,fake"));
	FAKE_EXPECT_STATE(two->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
}

/*
 * One is taken over, the other one's restore fails. The way back goes by a save of the
 * first: without it the module cannot be unloaded.
 *
 * Clauses: U4, U18
 */
static void way_back_of_two(struct kunit *test)
{
	struct fake_slot *one = slot_in_state(test, "kunit,fake", HOTUPDATE_DETACHED);
	struct fake_slot *two = slot_in_state(test, "kunit,fake", HOTUPDATE_DETACHED);
	struct fake_driver *failing = new_driver(two, "kunit,fake");
	struct fake_failure failure = { .call = FAKE_START, .err = -EIO };

	bind(one, new_driver(one, "kunit,fake"));
	failing->hook = fake_fail_hook;
	failing->hook_data = &failure;
	KUNIT_EXPECT_NE(test, fake_slot_bind(two, FAKE_BUS_SAVER, failing), 1);
	failing->hook = NULL;
	FAKE_EXPECT_STATE(two->gpu, HOTUPDATE_DETACHED);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 1);

	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(one->gpu->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	fake_slot_unbind(one);
	bind(one, new_driver(one, "kunit,fake"));
	bind(two, new_driver(two, "kunit,fake"));
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	KUNIT_EXPECT_EQ(test, one->gpu->adapter->generation, 2);
	KUNIT_EXPECT_EQ(test, two->gpu->adapter->generation, 1);
}

/*
 * A cancel, and a discard, let the module go, too.
 *
 * Clauses: U18
 */
static void end_of_the_stash(struct kunit *test)
{
	struct fake_slot *one = slot_in_state(test, "kunit,fake", HOTUPDATE_SAVED);
	struct fake_slot *two = slot_in_state(test, "kunit,fake", HOTUPDATE_RUNNING);

	KUNIT_EXPECT_EQ(test, fake_module_refs(), 1);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(one->gpu->adapter), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);

	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(one->gpu->adapter, 0), 0);
	fake_slot_unbind(one);
	fake_slot_settle(one);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 1);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(one->gpu->adapter, false), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	FAKE_EXPECT_STATE(two->gpu, HOTUPDATE_RUNNING);
}

/*
 * Drivers of another family do not wait for each other.
 *
 * Clauses: U18
 */
static void families_do_not_mix(struct kunit *test)
{
	slot_in_state(test, "kunit,fake", HOTUPDATE_SAVED);
	slot_in_state(test, "kunit,other", HOTUPDATE_RUNNING);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
}

/* It is too late to keep the module. */
static void module_that_goes(struct kunit *test)
{
	struct fake_slot *one = slot_in_state(test, "kunit,fake", HOTUPDATE_SAVED);
	struct fake_slot *two = slot_in_state(test, "kunit,fake", HOTUPDATE_SAVED);

	fake_slot_unbind(one);
	fake_slot_unbind(two);
	bind(one, new_driver(one, "kunit,fake"));
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 1);
	fake_module_set_going(true);
	fake_slot_unbind(one);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	fake_module_set_going(false);
}

static struct kunit_case guard_cases[] = {
	KUNIT_CASE_PARAM(pairs_of_states, states_gen_params),
	KUNIT_CASE(update_of_two),
	KUNIT_CASE(way_back_of_two),
	KUNIT_CASE(end_of_the_stash),
	KUNIT_CASE(families_do_not_mix),
	KUNIT_CASE(module_that_goes),
	{ }
};

static struct kunit_suite guard_suite = {
	.name = "drm_hotupdate_guard",
	.suite_init = fake_bus_suite_init,
	.suite_exit = fake_bus_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = guard_cases,
};

kunit_test_suites(&guard_suite);
