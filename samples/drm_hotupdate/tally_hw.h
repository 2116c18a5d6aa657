/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tally, a device that counts, as its driver sees it. tally.c drives it,
 * tally_device.c is it; they meet here and nowhere else.
 */
#ifndef _TALLY_HW_H_
#define _TALLY_HW_H_

#include <linux/types.h>

struct device;

/* Name of the platform device, whose platform data is a struct tally_hw */
#define TALLY_HW_NAME		"tally"

/* The device has memory of its own: so many pages. */
#define TALLY_HW_NUM_SLOTS	64

/*
 * While it is enabled, the device reads its descriptor a hundred times a
 * second, and adds the step to a total in its own memory. It goes on until it
 * is told otherwise, driver or no driver.
 */
struct tally_desc {
	__le64 step;
};

enum tally_reg {
	/* Physical address of the descriptor, in a page of the host */
	TALLY_REG_DESC,
	/* Page of the device's memory that the total is in */
	TALLY_REG_SLOT,
	/*
	 * 1: begin at zero; 0: stop. The write returns when the descriptor is
	 * read no more. The registers above are not to be written in between.
	 */
	TALLY_REG_ENABLE,
	TALLY_NUM_REGS
};

/* Process context, may sleep */
struct tally_hw {
	u64 (*read)(enum tally_reg reg);
	void (*write)(enum tally_reg reg, u64 value);
	/*
	 * Stops a device that has no driver, as TALLY_REG_ENABLE = 0 does.
	 * Returns 0 when the descriptor is read no more, before a driver writes
	 * 1, else a negative errno. It is part of the device's module. The
	 * device_lock of the platform device is held.
	 */
	int (*silence)(struct device *dev);
};

#endif /* _TALLY_HW_H_ */
