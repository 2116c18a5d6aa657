// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bus, with devices that the driver core binds and unbinds: for what only a real
 * probe, removal or unplugging shows.
 */

#include <kunit/test.h>
#include <linux/device.h>
#include <linux/device/bus.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "drm_hotupdate_fake_bus.h"

static struct fake_slot *to_slot(struct device *dev)
{
	return container_of(dev, struct fake_slot_device, dev)->slot;
}

static int fake_bus_match(struct device *dev, const struct device_driver *drv)
{
	return to_slot(dev)->wanted == drv;
}

static void leave_late(void *data)
{
	fake_driver_unregister(data);
}

static int register_driver(struct fake_slot *slot, struct fake_driver *driver)
{
	int err = fake_driver_register(driver);

	if (err)
		return err;
	if (slot->end == FAKE_END_MANAGED)
		err = devm_add_action_or_reset(slot->gpu->dev, leave_late, driver);
	return err;
}

/* What a driver does at its end; with FAKE_END_FORGOTTEN it does nothing. */
static void end_driver(struct fake_slot *slot)
{
	struct fake_driver *driver = slot->driver;

	if (driver && driver->adapter && slot->end == FAKE_END_USUAL)
		fake_driver_unregister(driver);
}

static int fake_bus_probe(struct device *dev)
{
	struct fake_slot *slot = to_slot(dev);
	int err = 0;

	slot->register_err = 0;
	if (slot->driver) {
		slot->register_err = register_driver(slot, slot->driver);
		err = slot->ignores_refusal ? 0 : slot->register_err;
	}
	if (slot->in_probe)
		slot->in_probe(slot);
	if (!err && slot->probe_err) {
		err = slot->probe_err;
		end_driver(slot);
	}
	return err;
}

static void fake_bus_remove(struct device *dev)
{
	struct fake_slot *slot = to_slot(dev);

	end_driver(slot);
	if (slot->in_remove)
		slot->in_remove(slot);
}

static const struct bus_type fake_bus = {
	.name = "hotupdate_kunit",
	.match = fake_bus_match,
	.probe = fake_bus_probe,
	.remove = fake_bus_remove,
};

static ssize_t slot_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", to_slot(dev)->number);
}
static DEVICE_ATTR_RO(slot);

/* Created by the driver core after the probe, which fails if they cannot be. */
static struct attribute *slot_attrs[] = {
	&dev_attr_slot.attr,
	NULL
};

static umode_t slot_is_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	struct fake_slot *slot = to_slot(kobj_to_dev(kobj));

	if (slot->in_groups)
		slot->in_groups(slot);
	return attr->mode;
}

static const struct attribute_group slot_group = {
	.attrs = slot_attrs,
	.is_visible = slot_is_visible,
};
__ATTRIBUTE_GROUPS(slot);

struct device_driver fake_bus_drivers[FAKE_BUS_NUM_DRIVERS] = {
	[FAKE_BUS_SAVER] = {
		.name = "saver",
		.bus = &fake_bus,
		.dev_groups = slot_groups,
	},
	[FAKE_BUS_OTHER] = {
		.name = "other",
		.bus = &fake_bus,
	},
};

int fake_bus_suite_init(struct kunit_suite *suite)
{
	unsigned int i;
	int err;

	err = fake_suite_init(suite) ?: bus_register(&fake_bus);
	if (err)
		return err;
	for (i = 0; i < FAKE_BUS_NUM_DRIVERS && !err; i++)
		err = driver_register(&fake_bus_drivers[i]);
	return err;
}

void fake_bus_suite_exit(struct kunit_suite *suite)
{
	unsigned int i;

	for (i = 0; i < FAKE_BUS_NUM_DRIVERS; i++)
		driver_unregister(&fake_bus_drivers[i]);
	/* The core has a notifier on the bus until its last work item is done. */
	hotupdate_bus_flush();
	bus_unregister(&fake_bus);
	fake_suite_exit(suite);
}

static void slot_device_release(struct device *dev)
{
	struct fake_slot_device *device = container_of(dev, struct fake_slot_device, dev);

	kfree(device);
}

/* On the bus, or on none; not seen by the driver core before fake_slot_plug(). */
static struct device *slot_new_device(struct fake_slot *slot, bool on_bus)
{
	struct fake_slot_device *device = kzalloc(sizeof(*device), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(slot->test, device);
	device->slot = slot;
	device_initialize(&device->dev);
	device->dev.parent = slot->parent;
	device->dev.release = slot_device_release;
	if (on_bus)
		device->dev.bus = &fake_bus;
	KUNIT_ASSERT_EQ(slot->test, dev_set_name(&device->dev, "slot%u", slot->number), 0);
	return &device->dev;
}

/* The device in the slot has a parent, which outlives it. */
struct fake_slot *fake_slot_new_below(struct kunit *test, struct device *parent)
{
	static unsigned int number;
	struct fake_slot *slot = kunit_kzalloc(test, sizeof(*slot), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, slot);
	slot->test = test;
	slot->number = number++;
	slot->gpu = fake_gpu_without_device(test);
	slot->parent = parent;
	fake_slot_plug(slot);
	return slot;
}

/* A slot with a device in it, which no driver wants. */
struct fake_slot *fake_slot_new(struct kunit *test)
{
	return fake_slot_new_below(test, NULL);
}

/* Another device, which has the name of the last one. */
void fake_slot_plug(struct fake_slot *slot)
{
	struct device *dev = slot_new_device(slot, true);

	slot->gpu->dev = dev;
	slot->wanted = NULL;
	KUNIT_ASSERT_EQ(slot->test, device_add(dev), 0);
}

void fake_slot_unplug(struct fake_slot *slot)
{
	device_unregister(slot->gpu->dev);
	slot->gpu->dev = NULL;
}

/* Returns 1 if the driver core has bound the driver. */
int fake_slot_bind(struct fake_slot *slot, enum fake_bus_driver which,
		   struct fake_driver *driver)
{
	slot->wanted = &fake_bus_drivers[which];
	slot->driver = driver;
	return device_attach(slot->gpu->dev);
}

/* Without a probe, and so without a moment for anybody else. */
int fake_slot_bind_at_once(struct fake_slot *slot, enum fake_bus_driver which)
{
	guard(device)(slot->gpu->dev);

	slot->driver = NULL;
	slot->gpu->dev->driver = &fake_bus_drivers[which];
	return device_bind_driver(slot->gpu->dev);
}

void fake_slot_unbind(struct fake_slot *slot)
{
	device_release_driver(slot->gpu->dev);
}

/* For in_probe */
void fake_slot_report_loss(struct fake_slot *slot)
{
	drm_hotupdate_adapter_lost(slot->gpu->adapter);
}

/* After all that the core has to do when the driver core is done. */
void fake_slot_settle(struct fake_slot *slot)
{
	hotupdate_bus_flush();
}

/* Saved by a driver that is unbound then: for the next one. */
struct fake_driver *fake_slot_detach(struct fake_slot *slot)
{
	struct fake_driver *driver = fake_driver_new(slot->test, slot->gpu);

	fake_driver_saves_each_kind(driver);
	KUNIT_ASSERT_EQ(slot->test, fake_slot_bind(slot, FAKE_BUS_SAVER, driver), 1);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_RUNNING);
	KUNIT_ASSERT_EQ(slot->test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	fake_slot_unbind(slot);
	fake_slot_settle(slot);
	FAKE_EXPECT_STATE(slot->gpu, HOTUPDATE_DETACHED);
	return driver;
}
