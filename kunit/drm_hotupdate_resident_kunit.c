// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device whose DMA is that of an ancestor, which has a resident driver.
 */

#include <kunit/test.h>
#include <linux/device.h>
#include <linux/mutex.h>

#include "drm_hotupdate_fake_bus.h"
#include "drm_hotupdate_fake_iommu.h"

struct resident_case {
	struct fake_iommu *iommu;
	/* The function, with its resident driver, and the device of the replaceable one */
	struct fake_slot *function;
	struct fake_slot *slot;
	struct fake_driver *driver;
	struct fake_block *fb;
};

static struct device_driver *resident_driver(void)
{
	return &fake_bus_drivers[FAKE_BUS_OTHER];
}

static void resident_take_owner(void *data)
{
	resident_driver()->owner = NULL;
}

static void resident_give_owner(struct kunit *test, struct module *owner)
{
	resident_driver()->owner = owner;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, resident_take_owner, NULL), 0);
}

static struct resident_case *resident_case_new(struct kunit *test)
{
	struct resident_case *rc = kunit_kzalloc(test, sizeof(*rc), GFP_KERNEL);
	static const unsigned int orders[] = { 2, 0 };

	KUNIT_ASSERT_NOT_NULL(test, rc);
	rc->iommu = fake_iommu_new(test);
	rc->function = fake_slot_new(test);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(rc->function, FAKE_BUS_OTHER, NULL), 1);
	rc->slot = fake_slot_new_below(test, rc->function->gpu->dev);
	rc->slot->gpu->dma_dev = rc->function->gpu->dev;
	rc->driver = fake_driver_new(test, rc->slot->gpu);
	rc->fb = fake_block_pages(test, HOTUPDATE_KIND_RANGES, orders, ARRAY_SIZE(orders));
	fake_iommu_map_folios(rc->iommu, rc->fb);
	fake_driver_saves(rc->driver, rc->fb);
	return rc;
}

static void resident_bind(struct kunit *test, struct resident_case *rc)
{
	KUNIT_ASSERT_EQ(test, fake_slot_bind(rc->slot, FAKE_BUS_SAVER, rc->driver), 1);
	FAKE_EXPECT_STATE(rc->slot->gpu, HOTUPDATE_RUNNING);
}

static void resident_detach(struct kunit *test, struct resident_case *rc)
{
	resident_bind(test, rc);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(rc->driver->adapter, 0), 0);
	fake_slot_unbind(rc->slot);
	fake_slot_settle(rc->slot);
	FAKE_EXPECT_STATE(rc->slot->gpu, HOTUPDATE_DETACHED);
}

static int resident_discard(struct resident_case *rc, bool force)
{
	return hotupdate_discard(rc->slot->gpu->adapter, force);
}

/*
 * The mappings are those of the function, in the save, in the restore and in a discard.
 *
 * Clauses: U9, U19
 */
static void mappings_of_the_function(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);
	struct fake_driver *next = fake_driver_new(test, rc->slot->gpu);
	struct device *function = rc->function->gpu->dev;
	struct fake_block *fb;
	unsigned int silenced;

	resident_detach(test, rc);
	KUNIT_EXPECT_PTR_EQ(test, rc->iommu->dev, function);
	rc->iommu->dev = NULL;
	KUNIT_ASSERT_EQ(test, fake_slot_bind(rc->slot, FAKE_BUS_SAVER, next), 1);
	fake_driver_expect_restored(next, rc->driver);
	KUNIT_EXPECT_PTR_EQ(test, rc->iommu->dev, function);

	fb = fake_block_page(test);
	fake_iommu_map_all(rc->iommu, fb);
	fake_driver_saves(next, fb);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(next->adapter, 0), 0);
	fake_slot_unbind(rc->slot);
	fake_slot_settle(rc->slot);
	silenced = fake_silenced();
	KUNIT_EXPECT_EQ(test, resident_discard(rc, false), 0);
	KUNIT_EXPECT_EQ(test, fake_silenced(), silenced + 1);
	KUNIT_EXPECT_PTR_EQ(test, fake_silenced_dev(), function);
	KUNIT_EXPECT_PTR_EQ(test, rc->iommu->domain_dev, function);
	KUNIT_EXPECT_EQ(test, rc->iommu->unmapped, 1);
	KUNIT_EXPECT_PTR_EQ(test, rc->iommu->dev, function);
	KUNIT_EXPECT_EQ(test, rc->iommu->silenced_before, silenced + 1);
}

static void resident_expect_refused(struct kunit *test, struct resident_case *rc, int err)
{
	KUNIT_EXPECT_NE(test, fake_slot_bind(rc->slot, FAKE_BUS_SAVER, rc->driver), 1);
	KUNIT_EXPECT_EQ(test, rc->slot->register_err, err);
	KUNIT_EXPECT_STREQ(test, rc->driver->log, "");
}

static void device_that_is_no_ancestor(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);

	rc->slot->gpu->dma_dev = fake_gpu_dev(fake_gpu_new(test));
	resident_expect_refused(test, rc, -EINVAL);
	KUNIT_EXPECT_TRUE(test, fake_log_has("does not belong to"));
	rc->slot->gpu->dma_dev = rc->function->gpu->dev;
	resident_bind(test, rc);
}

static void function_without_a_driver(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);

	fake_slot_unbind(rc->function);
	resident_expect_refused(test, rc, -ENODEV);
	KUNIT_EXPECT_TRUE(test, fake_log_has("has no resident driver"));
	KUNIT_ASSERT_EQ(test, fake_slot_bind(rc->function, FAKE_BUS_OTHER, NULL), 1);
	resident_bind(test, rc);
}

/* Both halves would go together. */
static void both_halves_in_one_module(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);

	if (!fake_module())
		kunit_skip(test, "the kernel has no modules");
	rc->driver->owner = fake_module();
	resident_give_owner(test, fake_module());
	resident_expect_refused(test, rc, -EINVAL);
	KUNIT_EXPECT_TRUE(test, fake_log_has("is in the module that is to be replaced"));
	rc->driver->owner = NULL;
	resident_bind(test, rc);
}

/*
 * A driver that names another device than the one that saved is refused, and the stash
 * waits for the right one.
 *
 * Clauses: U6, U19
 */
static void another_function_than_at_the_save(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);
	struct fake_driver *next = fake_driver_new(test, rc->slot->gpu);

	resident_detach(test, rc);
	rc->slot->gpu->dma_dev = NULL;
	KUNIT_EXPECT_NE(test, fake_slot_bind(rc->slot, FAKE_BUS_SAVER, next), 1);
	KUNIT_EXPECT_EQ(test, rc->slot->register_err, -EINVAL);
	KUNIT_EXPECT_STREQ(test, next->log, "");
	FAKE_EXPECT_STATE(rc->slot->gpu, HOTUPDATE_DETACHED);
	rc->slot->gpu->dma_dev = rc->function->gpu->dev;
	KUNIT_EXPECT_EQ(test, fake_slot_bind(rc->slot, FAKE_BUS_SAVER, next), 1);
	fake_driver_expect_restored(next, rc->driver);
}

static int resident_usage(struct resident_case *rc)
{
	return atomic_read(&rc->function->gpu->dev->power.usage_count);
}

/*
 * The resident driver's module and its device's power are held from the save to the end of
 * the update, whichever that is.
 *
 * Clauses: U19
 */
static void resident_driver_is_held(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);
	struct fake_driver *next = fake_driver_new(test, rc->slot->gpu);
	int usage = resident_usage(rc);

	if (!fake_module())
		kunit_skip(test, "the kernel has no modules");
	rc->driver->owner = NULL;
	next->owner = NULL;
	resident_give_owner(test, fake_module());
	resident_bind(test, rc);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(rc->driver->adapter, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 1);
	/* once as the parent, and once as what does the DMA */
	KUNIT_EXPECT_EQ(test, resident_usage(rc), usage + 2);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(rc->driver->adapter), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	KUNIT_EXPECT_EQ(test, resident_usage(rc), usage);

	fake_module_set_going(true);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(rc->driver->adapter, 0), -ENODEV);
	fake_module_set_going(false);
	FAKE_EXPECT_ERROR(rc->slot->gpu, "resident driver");
	KUNIT_EXPECT_EQ(test, resident_usage(rc), usage);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(rc->driver->adapter, 0), 0);
	fake_slot_unbind(rc->slot);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 1);
	KUNIT_ASSERT_EQ(test, fake_slot_bind(rc->slot, FAKE_BUS_SAVER, next), 1);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	KUNIT_EXPECT_EQ(test, resident_usage(rc), usage);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(next->adapter, 0), 0);
	fake_slot_unbind(rc->slot);
	fake_slot_settle(rc->slot);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 1);
	KUNIT_EXPECT_EQ(test, resident_discard(rc, false), 0);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	KUNIT_EXPECT_EQ(test, resident_usage(rc), usage);
}

/*
 * The function is locked while it is silenced: while it is not to be had, nothing is.
 *
 * Clauses: U9
 */
static void discard_locks_the_function(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);
	struct device *function = rc->function->gpu->dev;
	unsigned int silenced;

	resident_detach(test, rc);
	silenced = fake_silenced();
	device_lock(function);
	KUNIT_EXPECT_EQ(test, resident_discard(rc, true), -EBUSY);
	device_unlock(function);
	KUNIT_EXPECT_EQ(test, fake_silenced(), silenced);
	FAKE_EXPECT_STATE(rc->slot->gpu, HOTUPDATE_DETACHED);
	/* and it is let go while the device is not to be had */
	device_lock(rc->slot->gpu->dev);
	KUNIT_EXPECT_EQ(test, resident_discard(rc, true), -EBUSY);
	device_unlock(rc->slot->gpu->dev);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&function->mutex));
	KUNIT_EXPECT_EQ(test, resident_discard(rc, false), 0);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&function->mutex));
}

/* Nobody can unload a driver that is built in, so both halves may be. */
static void both_halves_are_built_in(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);

	rc->driver->owner = NULL;
	resident_bind(test, rc);
}

/*
 * A save that cannot hold the device holds nothing of its resident driver.
 *
 * Clauses: U3
 */
static void failed_hold_lets_go(struct kunit *test)
{
#ifdef CONFIG_PM
	struct resident_case *rc = resident_case_new(test);
	struct device *dev = rc->slot->gpu->dev;
	struct device *function = rc->function->gpu->dev;
	int usage = resident_usage(rc);

	if (!fake_module())
		kunit_skip(test, "the kernel has no modules");
	rc->driver->owner = NULL;
	resident_give_owner(test, fake_module());
	resident_bind(test, rc);

	/* The device does not resume, then the function. */
	dev->power.disable_depth = 0;
	dev->power.runtime_error = -EIO;
	KUNIT_EXPECT_LT(test, drm_hotupdate_prepare(rc->driver->adapter, 0), 0);
	dev->power.runtime_error = 0;
	dev->power.disable_depth = 1;
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	KUNIT_EXPECT_EQ(test, resident_usage(rc), usage);

	function->power.disable_depth = 0;
	function->power.runtime_error = -EIO;
	KUNIT_EXPECT_LT(test, drm_hotupdate_prepare(rc->driver->adapter, 0), 0);
	function->power.runtime_error = 0;
	function->power.disable_depth = 1;
	KUNIT_EXPECT_EQ(test, fake_module_refs(), 0);
	KUNIT_EXPECT_EQ(test, resident_usage(rc), usage);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(rc->driver->adapter, 0), 0);
#else
	kunit_skip(test, "the kernel has no runtime PM");
#endif
}

/*
 * A resident driver that was unbound has no data for its function any more. It should have
 * removed the device.
 *
 * Clauses: U9
 */
static void resident_driver_has_gone(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);
	unsigned int silenced;

	resident_detach(test, rc);
	silenced = fake_silenced();
	fake_slot_unbind(rc->function);
	KUNIT_EXPECT_EQ(test, resident_discard(rc, false), -EOPNOTSUPP);
	FAKE_EXPECT_ERROR(rc->slot->gpu, "its resident driver has gone");
	KUNIT_EXPECT_EQ(test, fake_silenced(), silenced);
	KUNIT_EXPECT_EQ(test, rc->iommu->unmapped, 0);
	KUNIT_EXPECT_EQ(test, resident_discard(rc, true), 0);
	KUNIT_EXPECT_EQ(test, fake_silenced(), silenced);
	KUNIT_EXPECT_EQ(test, rc->iommu->unmapped, rc->fb->num_dma);
}

/*
 * The function outlives the device: it is silenced, and the stash unmapped, when the device
 * is removed.
 *
 * Clauses: U9, U19
 */
static void device_is_removed(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);
	struct device *function = rc->function->gpu->dev;
	unsigned int silenced;

	resident_detach(test, rc);
	silenced = fake_silenced();
	fake_slot_unplug(rc->slot);
	FAKE_EXPECT_STATE(rc->slot->gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_EQ(test, fake_silenced(), silenced + 1);
	KUNIT_EXPECT_PTR_EQ(test, fake_silenced_dev(), function);
	KUNIT_EXPECT_EQ(test, rc->iommu->unmapped, rc->fb->num_dma);
	KUNIT_EXPECT_EQ(test, rc->iommu->flushed, 1);
	KUNIT_EXPECT_EQ(test, resident_discard(rc, false), 0);
	KUNIT_EXPECT_EQ(test, fake_silenced(), silenced + 1);
}

/*
 * If that fails, or nothing is known that would do it, the administrator has to insist.
 *
 * Clauses: U9
 */
static void removed_device_goes_on(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);

	resident_detach(test, rc);
	fake_set_silence_result(-EIO);
	fake_slot_unplug(rc->slot);
	FAKE_EXPECT_STATE(rc->slot->gpu, HOTUPDATE_STALE);
	KUNIT_EXPECT_EQ(test, resident_discard(rc, false), -EIO);
	FAKE_EXPECT_ERROR(rc->slot->gpu, "write force");
	KUNIT_EXPECT_EQ(test, resident_discard(rc, true), 0);
}

static void removed_device_without_silence(struct kunit *test)
{
	struct resident_case *rc = resident_case_new(test);

	rc->slot->gpu->cannot_be_silenced = true;
	resident_detach(test, rc);
	fake_slot_unplug(rc->slot);
	KUNIT_EXPECT_EQ(test, resident_discard(rc, false), -EIO);
	KUNIT_EXPECT_EQ(test, resident_discard(rc, true), 0);
}

static struct kunit_case resident_cases[] = {
	KUNIT_CASE(mappings_of_the_function),
	KUNIT_CASE(device_that_is_no_ancestor),
	KUNIT_CASE(function_without_a_driver),
	KUNIT_CASE(both_halves_in_one_module),
	KUNIT_CASE(another_function_than_at_the_save),
	KUNIT_CASE(resident_driver_is_held),
	KUNIT_CASE(discard_locks_the_function),
	KUNIT_CASE(both_halves_are_built_in),
	KUNIT_CASE(failed_hold_lets_go),
	KUNIT_CASE(resident_driver_has_gone),
	KUNIT_CASE(device_is_removed),
	KUNIT_CASE(removed_device_goes_on),
	KUNIT_CASE(removed_device_without_silence),
	{ }
};

static struct kunit_suite resident_suite = {
	.name = "drm_hotupdate_resident",
	.suite_init = fake_bus_suite_init,
	.suite_exit = fake_bus_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = resident_cases,
};

kunit_test_suites(&resident_suite);
