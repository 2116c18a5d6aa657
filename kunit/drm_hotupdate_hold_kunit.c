// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds on a device without a driver, and the override that keeps other drivers away.
 * The adapters here are not registered: they have what the functions under test use.
 */

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/device/bus.h>
#include <linux/mod_devicetable.h>
#include <linux/platform_device.h>
#include <linux/pm_domain.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "drm_hotupdate_kunit.h"
#include "kunit_files.h"

static void hold_expect_error(struct kunit *test, struct drm_hotupdate_adapter *adapter,
			      const char *words)
{
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(adapter->last_error, words),
				  "last_error is: %s", adapter->last_error);
}

static void hold_adapter_release(struct device *dev)
{
	kfree(container_of(dev, struct drm_hotupdate_adapter, dev));
}

static void hold_adapter_put(void *data)
{
	struct drm_hotupdate_adapter *adapter = data;

	hotupdate_override_fini(adapter);
	put_device(adapter->device);
	put_device(&adapter->dev);
}

static struct drm_hotupdate_adapter *hold_adapter_new(struct kunit *test, struct device *dev)
{
	struct drm_hotupdate_adapter *adapter = kzalloc(sizeof(*adapter), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, adapter);
	device_initialize(&adapter->dev);
	adapter->dev.release = hold_adapter_release;
	adapter->device = get_device(dev);
	hotupdate_op_init(&adapter->op);
	mutex_init(&adapter->status_lock);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, hold_adapter_put, adapter), 0);
	KUNIT_ASSERT_EQ(test, dev_set_name(&adapter->dev, "hold-%s", dev_name(dev)), 0);
	return adapter;
}

static struct drm_hotupdate_adapter *hold_adapter(struct kunit *test)
{
	return hold_adapter_new(test, fake_gpu_dev(fake_gpu_new(test)));
}

/* Each within an operation, which has to end in the thread that it began in. */
static int hold_begin(struct drm_hotupdate_adapter *adapter)
{
	int err;

	hotupdate_op_begin(adapter);
	err = hotupdate_hold_begin(adapter);
	hotupdate_op_end(adapter);
	return err;
}

static void hold_end(struct drm_hotupdate_adapter *adapter, bool committed)
{
	hotupdate_op_begin(adapter);
	hotupdate_hold_end(adapter, committed);
	hotupdate_op_end(adapter);
}

static void hold_removed(struct drm_hotupdate_adapter *adapter)
{
	hotupdate_op_begin(adapter);
	hotupdate_hold_removed(adapter);
	hotupdate_op_end(adapter);
}

static const char *hold_check(struct drm_hotupdate_adapter *adapter)
{
	const char *reason;

	hotupdate_op_begin(adapter);
	reason = hotupdate_hold_check(adapter, false);
	hotupdate_op_end(adapter);
	return reason;
}

/*
 * A device that is in no state to be held is refused before anything is held: the
 * driver core powers a device in a PM domain off when it unbinds the driver.
 *
 * Clauses: U19
 */
static void domain_is_refused(struct kunit *test)
{
	struct drm_hotupdate_adapter *adapter = hold_adapter(test);
	struct dev_pm_domain domain = { };

	adapter->device->pm_domain = &domain;
	KUNIT_EXPECT_EQ(test, hold_begin(adapter), -EOPNOTSUPP);
	adapter->device->pm_domain = NULL;
	hold_expect_error(test, adapter, "is in a PM domain");
	KUNIT_EXPECT_FALSE(test, adapter->hold.held);
	KUNIT_EXPECT_NULL(test, adapter->hold.parent);
}

/*
 * Only PCI devices can be checked. Nothing is held by a device that was not saved, and
 * every end of a hold can come twice.
 */
static void other_buses_pass(struct kunit *test)
{
	struct drm_hotupdate_adapter *adapter = hold_adapter(test);

	KUNIT_EXPECT_NULL(test, hold_check(adapter));
	hold_end(adapter, false);
	hold_removed(adapter);

	KUNIT_ASSERT_EQ(test, hold_begin(adapter), 0);
	KUNIT_EXPECT_NULL(test, hold_check(adapter));
	KUNIT_EXPECT_FALSE(test, adapter->hold.enabled);
	hold_end(adapter, true);
	KUNIT_EXPECT_FALSE(test, adapter->hold.kept);
	hold_end(adapter, false);
	hold_removed(adapter);
	KUNIT_EXPECT_FALSE(test, adapter->hold.held);
}

#ifdef CONFIG_PM
/* Of one device, and how its driver resumes it */
struct hold_power {
	struct device *dev;
	unsigned int resumes;
	unsigned int suspends;
	int result;
};

static int hold_power_resume(struct device *dev)
{
	struct hold_power *power = dev_get_drvdata(dev);

	power->resumes++;
	return power->result;
}

static int hold_power_suspend(struct device *dev)
{
	struct hold_power *power = dev_get_drvdata(dev);

	power->suspends++;
	return 0;
}

static const struct dev_pm_ops hold_power_ops = {
	RUNTIME_PM_OPS(hold_power_suspend, hold_power_resume, NULL)
};

static const struct device_type hold_power_type = {
	.name = "hotupdate_kunit",
	.pm = &hold_power_ops,
};

static int hold_usage(struct device *dev)
{
	return atomic_read(&dev->power.usage_count);
}

static void hold_power_disable(void *data)
{
	struct hold_power *power = data;

	pm_runtime_disable(power->dev);
	power->dev->type = NULL;
	put_device(power->dev);
}

/* Suspended, and with runtime PM until the end of the case. */
static struct hold_power *hold_power_enable(struct kunit *test, struct device *dev)
{
	struct hold_power *power = kunit_kzalloc(test, sizeof(*power), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, power);
	power->dev = get_device(dev);
	dev_set_drvdata(dev, power);
	dev->type = &hold_power_type;
	pm_runtime_enable(dev);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, hold_power_disable, power), 0);
	return power;
}

static void hold_child_unregister(void *data)
{
	platform_device_unregister(data);
}

static struct device *hold_child(struct kunit *test, struct device *parent)
{
	struct platform_device_info info = {
		.parent = parent,
		.name = "hotupdate_kunit_child",
		.id = PLATFORM_DEVID_AUTO,
	};
	struct platform_device *pdev = platform_device_register_full(&info);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, hold_child_unregister, pdev), 0);
	return &pdev->dev;
}

/*
 * A device without runtime PM is held all the same, so that it is not suspended if
 * a driver enables runtime PM later. Its parent is held like it.
 *
 * Clauses: U19
 */
static void power_never_enabled(struct kunit *test)
{
	struct drm_hotupdate_adapter *adapter = hold_adapter(test);
	struct device *dev = adapter->device;
	int usage = hold_usage(dev), parent_usage = hold_usage(dev->parent);

	KUNIT_ASSERT_EQ(test, hold_begin(adapter), 0);
	KUNIT_EXPECT_EQ(test, hold_usage(dev), usage + 1);
	KUNIT_EXPECT_EQ(test, hold_usage(dev->parent), parent_usage + 1);
	hold_end(adapter, false);
	hold_end(adapter, false);
	KUNIT_EXPECT_EQ(test, hold_usage(dev), usage);
	KUNIT_EXPECT_EQ(test, hold_usage(dev->parent), parent_usage);
}

/*
 * A suspended device is resumed for the save, stays so, and can suspend afterwards.
 *
 * Clauses: U19
 */
static void power_resumes(struct kunit *test)
{
	struct drm_hotupdate_adapter *adapter = hold_adapter(test);
	struct device *dev = adapter->device;
	struct hold_power *power = hold_power_enable(test, dev);

	KUNIT_ASSERT_EQ(test, hold_begin(adapter), 0);
	KUNIT_EXPECT_EQ(test, power->resumes, 1);
	KUNIT_EXPECT_TRUE(test, pm_runtime_active(dev));
	KUNIT_EXPECT_EQ(test, pm_runtime_suspend(dev), -EAGAIN);
	KUNIT_EXPECT_EQ(test, power->suspends, 0);

	hold_end(adapter, true);
	flush_work(&dev->power.work);
	KUNIT_EXPECT_EQ(test, power->suspends, 1);
	KUNIT_EXPECT_TRUE(test, pm_runtime_suspended(dev));
	KUNIT_EXPECT_EQ(test, hold_usage(dev), 0);
}

/*
 * A driver that disables runtime PM at its removal leaves the device marked as
 * suspended. The parent stays active because it has a reference of its own.
 *
 * Clauses: U19
 */
static void power_holds_parent(struct kunit *test)
{
	struct device *parent = fake_gpu_dev(fake_gpu_new(test));
	struct drm_hotupdate_adapter *adapter =
		hold_adapter_new(test, hold_child(test, parent));
	struct hold_power *power = hold_power_enable(test, parent);
	struct device *dev = adapter->device;

	pm_runtime_enable(dev);
	KUNIT_EXPECT_EQ(test, hold_begin(adapter), 0);
	KUNIT_EXPECT_EQ(test, power->resumes, 1);
	pm_runtime_disable(dev);
	pm_runtime_set_suspended(dev);
	KUNIT_EXPECT_EQ(test, pm_runtime_suspend(parent), -EAGAIN);
	KUNIT_EXPECT_TRUE(test, pm_runtime_active(parent));

	hold_end(adapter, false);
	flush_work(&parent->power.work);
	KUNIT_EXPECT_TRUE(test, pm_runtime_suspended(parent));
	KUNIT_EXPECT_EQ(test, hold_usage(dev), 0);
	KUNIT_EXPECT_EQ(test, hold_usage(parent), 0);
}

/* A device that does not resume is refused with the error, and nothing is held. */
static void power_device_fails(struct kunit *test)
{
	struct device *parent = fake_gpu_dev(fake_gpu_new(test));
	struct drm_hotupdate_adapter *adapter =
		hold_adapter_new(test, hold_child(test, parent));
	struct hold_power *power = hold_power_enable(test, adapter->device);
	struct hold_power *parent_power = hold_power_enable(test, parent);

	power->result = -EIO;
	KUNIT_EXPECT_EQ(test, hold_begin(adapter), -EIO);
	hold_expect_error(test, adapter, "does not resume");
	hold_expect_error(test, adapter, dev_name(adapter->device));
	KUNIT_EXPECT_FALSE(test, adapter->hold.held);
	KUNIT_EXPECT_NULL(test, adapter->hold.parent);
	KUNIT_EXPECT_EQ(test, hold_usage(adapter->device), 0);
	KUNIT_EXPECT_EQ(test, hold_usage(parent), 0);
	flush_work(&parent->power.work);
	KUNIT_EXPECT_EQ(test, parent_power->resumes, parent_power->suspends);
}

/* Likewise with a parent that does not resume: the device is not resumed, then. */
static void power_parent_fails(struct kunit *test)
{
	struct device *parent = fake_gpu_dev(fake_gpu_new(test));
	struct drm_hotupdate_adapter *adapter =
		hold_adapter_new(test, hold_child(test, parent));
	struct hold_power *power = hold_power_enable(test, adapter->device);
	struct hold_power *parent_power = hold_power_enable(test, parent);

	parent_power->result = -ENODEV;
	KUNIT_EXPECT_EQ(test, hold_begin(adapter), -ENODEV);
	hold_expect_error(test, adapter, dev_name(parent));
	KUNIT_EXPECT_EQ(test, power->resumes, 0);
	KUNIT_EXPECT_FALSE(test, adapter->hold.held);
	KUNIT_EXPECT_EQ(test, hold_usage(adapter->device), 0);
	KUNIT_EXPECT_EQ(test, hold_usage(parent), 0);
}
#endif

static struct kunit_case hold_cases[] = {
	KUNIT_CASE(domain_is_refused),
	KUNIT_CASE(other_buses_pass),
#ifdef CONFIG_PM
	KUNIT_CASE(power_never_enabled),
	KUNIT_CASE(power_resumes),
	KUNIT_CASE(power_holds_parent),
	KUNIT_CASE(power_device_fails),
	KUNIT_CASE(power_parent_fails),
#endif
	{ }
};

static struct kunit_suite hold_suite = {
	.name = "drm_hotupdate_hold",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = hold_cases,
};

/*
 * A device, and the names of two drivers for it: one matches by the device's name, the
 * other by a table. Names are new in each case, because a kernel that delays the release
 * of kobjects knows the last case's drivers for some seconds.
 */
struct override_case {
	char saver[32];
	char other[32];
	struct platform_device_id ids[2];
	struct device *dev;
	struct drm_hotupdate_adapter *adapter;
};

static void override_device_unregister(void *data)
{
	platform_device_unregister(data);
}

static struct override_case *override_case_new(struct kunit *test)
{
	static unsigned int number;
	struct override_case *oc = kunit_kzalloc(test, sizeof(*oc), GFP_KERNEL);
	struct platform_device *pdev;

	KUNIT_ASSERT_NOT_NULL(test, oc);
	snprintf(oc->saver, sizeof(oc->saver), "override%u", ++number);
	snprintf(oc->other, sizeof(oc->other), "override%u_other", number);
	strscpy(oc->ids[0].name, oc->saver);
	pdev = platform_device_register_simple(oc->saver, PLATFORM_DEVID_NONE, NULL, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, override_device_unregister, pdev),
			0);
	oc->dev = &pdev->dev;
	oc->adapter = hold_adapter_new(test, oc->dev);
	return oc;
}

static void override_driver_unregister(void *data)
{
	platform_driver_unregister(data);
}

/* Registered until the end of the case, and bound if the device can have it. */
static void override_driver(struct kunit *test, const char *name,
			    const struct platform_device_id *ids)
{
	struct platform_driver *driver = kunit_kzalloc(test, sizeof(*driver), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, driver);
	driver->driver.name = name;
	driver->id_table = ids;
	KUNIT_ASSERT_EQ(test, platform_driver_register(driver), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, override_driver_unregister, driver),
			0);
}

static void override_assert_driver(struct kunit *test, struct override_case *oc,
				   const char *name)
{
	KUNIT_ASSERT_NOT_NULL(test, oc->dev->driver);
	KUNIT_ASSERT_STREQ(test, oc->dev->driver->name, name);
}

static bool override_admits(struct drm_hotupdate_adapter *adapter, const char *name)
{
	guard(device)(adapter->device);

	return hotupdate_override_admits(adapter, adapter->device, name);
}

static void override_clear(struct drm_hotupdate_adapter *adapter)
{
	guard(device)(adapter->device);

	hotupdate_override_clear(adapter, adapter->device);
}

/* As the notifier does it, when the driver is unbound. */
static void override_set(struct drm_hotupdate_adapter *adapter)
{
	guard(device)(adapter->device);

	hotupdate_override_note(adapter, adapter->device);
	hotupdate_override_set(adapter, adapter->device);
	hotupdate_override_log_probe(adapter, adapter->device);
}

/* Saved by a driver of its name, and detached. */
static struct override_case *override_detached(struct kunit *test)
{
	struct override_case *oc = override_case_new(test);

	override_driver(test, oc->saver, NULL);
	override_assert_driver(test, oc, oc->saver);
	override_set(oc->adapter);
	device_release_driver(oc->dev);
	return oc;
}

static void override_path(struct override_case *oc, char *path, size_t size)
{
	snprintf(path, size, "devices/platform/%s/driver_override", dev_name(oc->dev));
}

/* As an administrator reads it; the kernel shows no override as "(null)". */
static void override_expect(struct kunit *test, struct override_case *oc, const char *name)
{
	struct fake_env *env = test->priv;
	char path[96], buf[64] = "";

	override_path(oc, path, sizeof(path));
	KUNIT_EXPECT_GT(test, user_file_read(env->sysfs, path, buf, sizeof(buf)), 0);
	KUNIT_EXPECT_STREQ(test, buf, name ?: "(null)");
}

/* As an administrator writes it, or removes it with NULL. */
static void override_write(struct kunit *test, struct override_case *oc, const char *name)
{
	struct fake_env *env = test->priv;
	char path[96], text[64];

	override_path(oc, path, sizeof(path));
	snprintf(text, sizeof(text), "%s\n", name ?: "");
	KUNIT_EXPECT_EQ(test, user_file_write(env->sysfs, path, text), 0);
}

/*
 * While the device is detached, a driver that matches it by a table does not get it,
 * and one of the saver's name does.
 *
 * Clauses: U4
 */
static void override_keeps_others_away(struct kunit *test)
{
	struct override_case *oc = override_detached(test);

	override_expect(test, oc, oc->saver);
	KUNIT_EXPECT_TRUE(test, override_admits(oc->adapter, oc->saver));
	KUNIT_EXPECT_FALSE(test, override_admits(oc->adapter, oc->other));

	override_driver(test, oc->other, oc->ids);
	KUNIT_EXPECT_NULL(test, oc->dev->driver);
	KUNIT_EXPECT_EQ(test, device_attach(oc->dev), 1);
	override_assert_driver(test, oc, oc->saver);

	override_clear(oc->adapter);
	override_expect(test, oc, NULL);
	override_clear(oc->adapter);
}

/* Afterwards, or without an override, the other driver gets the device. */
static void override_is_needed(struct kunit *test)
{
	struct override_case *oc = override_detached(test);

	override_clear(oc->adapter);
	override_driver(test, oc->other, oc->ids);
	override_assert_driver(test, oc, oc->other);
}

/* An override that was there before counts, and stays. */
static void override_of_administrator_before(struct kunit *test)
{
	struct override_case *oc = override_case_new(test);

	override_driver(test, oc->saver, NULL);
	override_assert_driver(test, oc, oc->saver);
	override_write(test, oc, oc->other);
	override_set(oc->adapter);
	override_expect(test, oc, oc->other);
	KUNIT_EXPECT_TRUE(test, override_admits(oc->adapter, oc->other));
	KUNIT_EXPECT_FALSE(test, override_admits(oc->adapter, oc->saver));
	override_clear(oc->adapter);
	override_expect(test, oc, oc->other);
}

enum override_name {
	OVERRIDE_NONE,
	OVERRIDE_SAVER,
	OVERRIDE_OTHER,
};

static const struct {
	const char *name;
	enum override_name written;
} override_writes[] = {
	{ "other_name", OVERRIDE_OTHER },
	{ "same_name", OVERRIDE_SAVER },
	{ "no_name", OVERRIDE_NONE },
};

KUNIT_ARRAY_PARAM_DESC(override_writes, override_writes, name);

/*
 * One that an administrator writes afterwards counts, too, and stays even if it is the
 * same name. If the override is removed, the saver's name counts.
 */
static void override_of_administrator_after(struct kunit *test)
{
	const typeof(override_writes[0]) *param = test->param_value;
	struct override_case *oc = override_detached(test);
	const char *name = param->written == OVERRIDE_OTHER ? oc->other :
			   param->written == OVERRIDE_SAVER ? oc->saver : NULL;

	override_write(test, oc, name);
	KUNIT_EXPECT_EQ(test, override_admits(oc->adapter, oc->saver), name != oc->other);
	KUNIT_EXPECT_EQ(test, override_admits(oc->adapter, oc->other), name == oc->other);
	override_clear(oc->adapter);
	override_expect(test, oc, name);
}

/*
 * The next update can come before the override of the last one was taken back, and of
 * a driver with another name, if an administrator wanted it so meanwhile.
 */
static void override_follows_saver(struct kunit *test)
{
	struct override_case *oc = override_detached(test);

	KUNIT_ASSERT_EQ(test, device_attach(oc->dev), 1);
	override_set(oc->adapter);
	override_expect(test, oc, oc->saver);
	device_release_driver(oc->dev);

	override_write(test, oc, oc->other);
	override_driver(test, oc->other, NULL);
	override_assert_driver(test, oc, oc->other);
	override_write(test, oc, NULL);
	override_set(oc->adapter);
	override_expect(test, oc, oc->other);
	KUNIT_EXPECT_FALSE(test, override_admits(oc->adapter, oc->saver));
	override_clear(oc->adapter);
	override_expect(test, oc, NULL);
}

/*
 * With an override, platform_match() would leave id_entry as it is, in the table of
 * a module that has gone. The names of drivers are all there is, then.
 */
static void override_spares_id_entry(struct kunit *test)
{
	struct override_case *oc = override_case_new(test);

	override_driver(test, oc->other, oc->ids);
	override_assert_driver(test, oc, oc->other);
	KUNIT_ASSERT_PTR_EQ(test, to_platform_device(oc->dev)->id_entry, &oc->ids[0]);
	override_set(oc->adapter);
	override_expect(test, oc, NULL);
	KUNIT_EXPECT_TRUE(test, override_admits(oc->adapter, oc->other));
	KUNIT_EXPECT_FALSE(test, override_admits(oc->adapter, oc->saver));

	override_write(test, oc, oc->saver);
	KUNIT_EXPECT_TRUE(test, override_admits(oc->adapter, oc->saver));
	override_clear(oc->adapter);
	override_expect(test, oc, oc->saver);
}

/* If memory was short for a name, no driver is suspected because of its own. */
static void override_without_saver(struct kunit *test)
{
	struct override_case *oc = override_case_new(test);

	KUNIT_EXPECT_TRUE(test, override_admits(oc->adapter, oc->saver));
	override_clear(oc->adapter);
	override_expect(test, oc, NULL);
}

/* A device takes the override with it. */
static void override_dies_with_device(struct kunit *test)
{
	struct override_case *oc = override_detached(test);

	KUNIT_EXPECT_NOT_NULL(test, oc->adapter->hold.override);
	hotupdate_override_fini(oc->adapter);
	KUNIT_EXPECT_NULL(test, oc->adapter->hold.override);
	KUNIT_EXPECT_NULL(test, oc->adapter->hold.saver);
}

static const struct bus_type override_bus = {
	.name = "hotupdate_kunit",
};

static void override_bus_unregister(void *unused)
{
	bus_unregister(&override_bus);
}

static void override_bus_driver_unregister(void *data)
{
	driver_unregister(data);
}

static void override_bus_device_unregister(void *data)
{
	device_unregister(data);
}

static void override_bus_device_release(struct device *dev)
{
	kfree(dev);
}

static struct device *override_bus_device(struct kunit *test)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	device_initialize(dev);
	dev->bus = &override_bus;
	dev->release = override_bus_device_release;
	KUNIT_ASSERT_EQ(test, dev_set_name(dev, "hotupdate_kunit"), 0);
	KUNIT_ASSERT_EQ(test, device_add(dev), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, override_bus_device_unregister,
							dev), 0);
	return dev;
}

/* On a bus without overrides nothing is written, and names are compared. */
static void override_on_other_bus(struct kunit *test)
{
	static struct device_driver driver = {
		.name = "hotupdate_kunit",
		.bus = &override_bus,
	};
	struct drm_hotupdate_adapter *adapter;
	struct device *dev;

	KUNIT_ASSERT_EQ(test, bus_register(&override_bus), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, override_bus_unregister, NULL), 0);
	KUNIT_ASSERT_EQ(test, driver_register(&driver), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, override_bus_driver_unregister,
							&driver), 0);
	dev = override_bus_device(test);
	KUNIT_ASSERT_PTR_EQ(test, dev->driver, &driver);

	adapter = hold_adapter_new(test, dev);
	override_set(adapter);
	KUNIT_EXPECT_NULL(test, adapter->hold.override);
	KUNIT_EXPECT_TRUE(test, override_admits(adapter, driver.name));
	KUNIT_EXPECT_FALSE(test, override_admits(adapter, "hotupdate_kunit_other"));
	override_clear(adapter);
}

static struct kunit_case override_cases[] = {
	KUNIT_CASE(override_keeps_others_away),
	KUNIT_CASE(override_is_needed),
	KUNIT_CASE(override_of_administrator_before),
	KUNIT_CASE_PARAM(override_of_administrator_after, override_writes_gen_params),
	KUNIT_CASE(override_follows_saver),
	KUNIT_CASE(override_spares_id_entry),
	KUNIT_CASE(override_without_saver),
	KUNIT_CASE(override_dies_with_device),
	KUNIT_CASE(override_on_other_bus),
	{ }
};

static struct kunit_suite override_suite = {
	.name = "drm_hotupdate_override",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = override_cases,
};

kunit_test_suites(&hold_suite, &override_suite);
