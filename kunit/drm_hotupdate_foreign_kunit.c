// SPDX-License-Identifier: GPL-2.0-only
/*
 * Other drivers on the device of a stash: nobody knows how they have changed it.
 */

#include <kunit/test.h>
#include <linux/device.h>

#include "drm_hotupdate_fake_bus.h"

static struct fake_slot *detached_slot(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);

	fake_slot_detach(slot);
	return slot;
}

/*
 * A driver that is bound and has not registered may still do so: that is the state
 * unclaimed. Until then all requests are refused.
 */
static void bound_without_registering(struct kunit *test)
{
	struct fake_slot *slot = detached_slot(test);
	struct fake_driver *second = fake_driver_new(test, slot->gpu);

	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_UNCLAIMED);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(slot->gpu->adapter, 0), -ENODEV);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(slot->gpu->adapter), -ENODEV);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(slot->gpu->adapter, false), -EBUSY);

	slot->driver = second;
	KUNIT_EXPECT_EQ(test, fake_driver_register(second), 0);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_EQ(test, second->adapter->generation, 1);
}

static void expect_stale(struct fake_slot *slot, const char *reason)
{
	struct kunit *test = slot->test;
	struct drm_hotupdate_adapter *adapter = slot->gpu->adapter;
	struct fake_driver *next = fake_driver_new(test, slot->gpu);

	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
	FAKE_EXPECT_ERROR(slot->gpu, reason);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(adapter, 0), -ENODEV);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(adapter), -ENODEV);
	slot->probe_err = 0;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, next), 1);
	KUNIT_EXPECT_EQ(test, slot->register_err, -ESTALE);
	KUNIT_EXPECT_STREQ(test, next->log, "");
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_GT(test, adapter->stash.count, 0);
}

/*
 * What a driver did to the device is not known if it has not registered.
 *
 * Clauses: U4, U9
 */
static void unbound_without_registering(struct kunit *test)
{
	struct fake_slot *slot = detached_slot(test);

	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
	fake_slot_unbind(slot);
	expect_stale(slot, "another driver had the device");
	/* The way on is a discard and a fresh load. */
	KUNIT_EXPECT_EQ(test, hotupdate_discard(slot->gpu->adapter, false), 0);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER,
					     fake_driver_new(test, slot->gpu)), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
}

/* The probe of another driver can have reset the device before it failed. */
static void failed_probe_of_another_driver(struct kunit *test)
{
	struct fake_slot *slot = detached_slot(test);

	slot->probe_err = -EIO;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
	expect_stale(slot, "another driver had the device");
}

/*
 * The driver that saved knows what not to touch before it registers.
 *
 * Clauses: U4
 */
static void failed_probe_of_the_same_driver(struct kunit *test)
{
	struct fake_slot *slot = detached_slot(test);

	slot->probe_err = -EIO;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_SAVER, NULL), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);

	slot->probe_err = 0;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_SAVER,
					     fake_driver_new(test, slot->gpu)), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
}

/*
 * So does a driver of another name that registers, whatever comes of that (U6).
 *
 * Clauses: U4, U6
 */
static void failed_probe_after_registering(struct kunit *test)
{
	struct fake_slot *slot = detached_slot(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	strscpy(driver->compatible, "kunit,stranger");
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_OTHER, driver), 1);
	KUNIT_EXPECT_EQ(test, slot->register_err, -EPROTONOSUPPORT);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);

	driver = fake_driver_new(test, slot->gpu);
	slot->probe_err = -EIO;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_OTHER, driver), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
}

static void register_for_another_interface(struct fake_slot *slot)
{
	const struct drm_hotupdate_device device = { .dev = slot->gpu->dev };

	KUNIT_EXPECT_EQ(slot->test, -EPROTONOSUPPORT,
			PTR_ERR_OR_ZERO(__drm_hotupdate_adapter_register(&device, NULL, NULL,
									 DRM_HOTUPDATE_ABI + 1)));
}

/* The same for a driver that was built for another version of the interface. */
static void failed_probe_for_another_interface(struct kunit *test)
{
	struct fake_slot *slot = detached_slot(test);

	slot->in_probe = register_for_another_interface;
	slot->probe_err = -EIO;
	KUNIT_EXPECT_NE(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
}

/* A refused driver that stays bound has the device. */
static void bound_though_refused(struct kunit *test)
{
	struct fake_slot *slot = detached_slot(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	slot->ignores_refusal = true;
	strscpy(driver->compatible, "kunit,stranger");
	KUNIT_EXPECT_EQ(test, fake_slot_bind(slot, FAKE_BUS_OTHER, driver), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_UNCLAIMED);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(slot->gpu->adapter, false), -EBUSY);
	fake_slot_unbind(slot);
	slot->ignores_refusal = false;
	expect_stale(slot, "another driver had the device");
}

/* A driver that is bound and fails to restore has the device all the same. */
static void bound_and_fails_to_restore(struct kunit *test)
{
	struct fake_slot *slot = detached_slot(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);
	struct fake_failure failure = { .call = FAKE_RESTORE, .err = -EIO };

	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
	driver->hook = fake_fail_hook;
	driver->hook_data = &failure;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
	driver->hook = NULL;
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_UNCLAIMED);
	fake_slot_unbind(slot);
	expect_stale(slot, "another driver had the device");
}

/* The notices of a foreign driver do not wait for an operation, and are not lost. */
static void foreign_driver_during_an_operation(struct kunit *test)
{
	struct fake_slot *slot = detached_slot(test);

	hotupdate_op_begin(slot->gpu->adapter);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
	fake_slot_unbind(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
	hotupdate_op_end(slot->gpu->adapter);
	expect_stale(slot, "another driver had the device");
}

/* A driver that registered by itself, on a device that another one is bound to. */
static void bound_beside_a_registered_driver(struct kunit *test)
{
	struct fake_slot *slot = fake_slot_new(test);
	struct fake_driver *driver = fake_driver_new(test, slot->gpu);

	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(slot, FAKE_BUS_OTHER, NULL), 1);
	fake_slot_unbind(slot);
	fake_slot_settle(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new");
}

static struct kunit_case foreign_cases[] = {
	KUNIT_CASE(bound_without_registering),
	KUNIT_CASE(unbound_without_registering),
	KUNIT_CASE(failed_probe_of_another_driver),
	KUNIT_CASE(failed_probe_of_the_same_driver),
	KUNIT_CASE(failed_probe_after_registering),
	KUNIT_CASE(failed_probe_for_another_interface),
	KUNIT_CASE(bound_though_refused),
	KUNIT_CASE(bound_and_fails_to_restore),
	KUNIT_CASE(foreign_driver_during_an_operation),
	KUNIT_CASE(bound_beside_a_registered_driver),
	{ }
};

static struct kunit_suite foreign_suite = {
	.name = "drm_hotupdate_foreign",
	.suite_init = fake_bus_suite_init,
	.suite_exit = fake_bus_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = foreign_cases,
};

kunit_test_suites(&foreign_suite);
