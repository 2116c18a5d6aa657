// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tally made of software: what real hardware would be, for the sample next
 * door. It outlives its driver, and reads memory that the driver gave it. There
 * is nothing about hot updates in here, as there is not in hardware.
 */

#include <linux/cleanup.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include <drm/drm_hotupdate_package.h>

#include "tally_hw.h"

#define TALLY_PERIOD	msecs_to_jiffies(10)

static void tally_tick(struct work_struct *work);

static DECLARE_DELAYED_WORK(tick, tally_tick);
static struct platform_device *tally_pdev;

/* Protects all below */
static DEFINE_MUTEX(tally_lock);
static u64 regs[TALLY_NUM_REGS];
/* The first word of each page of its memory, as it uses no other */
static u64 totals[TALLY_HW_NUM_SLOTS];
static unsigned int starts;

static void tally_tick(struct work_struct *work)
{
	const struct tally_desc *desc;

	guard(mutex)(&tally_lock);

	if (!regs[TALLY_REG_ENABLE])
		return;

	desc = phys_to_virt(regs[TALLY_REG_DESC]);
	totals[regs[TALLY_REG_SLOT]] += le64_to_cpu(READ_ONCE(desc->step));
	schedule_delayed_work(&tick, TALLY_PERIOD);
}

static u64 tally_read(enum tally_reg reg)
{
	guard(mutex)(&tally_lock);

	return regs[reg];
}

static void tally_write(enum tally_reg reg, u64 value)
{
	guard(mutex)(&tally_lock);

	regs[reg] = reg == TALLY_REG_SLOT ? value % TALLY_HW_NUM_SLOTS : value;
	if (reg != TALLY_REG_ENABLE || !value)
		return;

	totals[regs[TALLY_REG_SLOT]] = 0;
	starts++;
	schedule_delayed_work(&tick, TALLY_PERIOD);
}

static int tally_silence(struct device *dev)
{
	tally_write(TALLY_REG_ENABLE, 0);
	return 0;
}

/* Its display. An update that it notices starts it again, from zero. */
static ssize_t total_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	guard(mutex)(&tally_lock);

	return sysfs_emit(buf, "%llu\n", totals[regs[TALLY_REG_SLOT]]);
}
static DEVICE_ATTR_RO(total);

static ssize_t starts_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	guard(mutex)(&tally_lock);

	return sysfs_emit(buf, "%u\n", starts);
}
static DEVICE_ATTR_RO(starts);

static struct attribute *tally_device_attrs[] = {
	&dev_attr_total.attr,
	&dev_attr_starts.attr,
	NULL
};
ATTRIBUTE_GROUPS(tally_device);

static int __init tally_device_init(void)
{
	static const struct tally_hw hw = {
		.read = tally_read,
		.write = tally_write,
		.silence = tally_silence,
	};
	int err;

	tally_pdev = platform_device_alloc(TALLY_HW_NAME, PLATFORM_DEVID_NONE);
	if (!tally_pdev)
		return -ENOMEM;

	tally_pdev->dev.groups = tally_device_groups;
	err = platform_device_add_data(tally_pdev, &hw, sizeof(hw));
	if (!err)
		err = platform_device_add(tally_pdev);
	if (err)
		platform_device_put(tally_pdev);
	return err;
}
module_init(tally_device_init);

static void __exit tally_device_exit(void)
{
	platform_device_unregister(tally_pdev);

	/* The driver has stopped it, unless it has left it for the next one. */
	tally_write(TALLY_REG_ENABLE, 0);
	cancel_delayed_work_sync(&tick);
}
module_exit(tally_device_exit);

MODULE_AUTHOR("The drm-hotupdate authors");
MODULE_DESCRIPTION("Device for the sample of a driver that can be hot-updated");
MODULE_PACKAGE_VERSION;
MODULE_LICENSE("GPL");
