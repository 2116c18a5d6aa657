/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bus for the suites of drm_hotupdate.ko, with slots for devices.
 */
#ifndef _DRM_HOTUPDATE_FAKE_BUS_H_
#define _DRM_HOTUPDATE_FAKE_BUS_H_

#include "drm_hotupdate_kunit.h"

enum fake_bus_driver {
	FAKE_BUS_SAVER,
	FAKE_BUS_OTHER,
	FAKE_BUS_NUM_DRIVERS,
};

/* How a driver ends its registration. */
enum fake_end {
	/* in its removal, and in a probe that fails */
	FAKE_END_USUAL,
	/* as a resource that the driver core releases */
	FAKE_END_MANAGED,
	/* not at all */
	FAKE_END_FORGOTTEN,
};

/* Where devices are plugged in, one after the other, all with the same name. */
struct fake_slot {
	struct kunit *test;
	unsigned int number;
	/* The device in it, and the adapter */
	struct fake_gpu *gpu;
	/* Of devices that are plugged in, or NULL */
	struct device *parent;
	/* The driver that the driver core binds to it */
	const struct device_driver *wanted;
	/* The driver that registers in the probe, NULL if none does */
	struct fake_driver *driver;
	enum fake_end end;
	/* Error that the probe returns after the registration, or 0 */
	int probe_err;
	/* The probe succeeds though the registration was refused */
	bool ignores_refusal;
	/* Result of the last registration in a probe */
	int register_err;
	/* Called at the end of each, after the registration has begun or ended */
	void (*in_probe)(struct fake_slot *slot);
	void (*in_remove)(struct fake_slot *slot);
	/* Called before an attribute of FAKE_BUS_SAVER is made, after the probe */
	void (*in_groups)(struct fake_slot *slot);
	void *data;
};

struct fake_slot_device {
	struct device dev;
	struct fake_slot *slot;
};

extern struct device_driver fake_bus_drivers[];

int fake_bus_suite_init(struct kunit_suite *suite);
void fake_bus_suite_exit(struct kunit_suite *suite);
struct fake_slot *fake_slot_new(struct kunit *test);
struct fake_slot *fake_slot_new_below(struct kunit *test, struct device *parent);
void fake_slot_plug(struct fake_slot *slot);
void fake_slot_unplug(struct fake_slot *slot);
int fake_slot_bind(struct fake_slot *slot, enum fake_bus_driver which,
		   struct fake_driver *driver);
int fake_slot_bind_at_once(struct fake_slot *slot, enum fake_bus_driver which);
void fake_slot_unbind(struct fake_slot *slot);
void fake_slot_report_loss(struct fake_slot *slot);
void fake_slot_settle(struct fake_slot *slot);
struct fake_driver *fake_slot_detach(struct fake_slot *slot);

#endif /* _DRM_HOTUPDATE_FAKE_BUS_H_ */
