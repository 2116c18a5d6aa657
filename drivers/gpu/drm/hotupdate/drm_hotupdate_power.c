// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/suspend.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: sleep and reboot
 *
 * A stash describes a device that is running, and system sleep stops devices. While
 * an adapter has a stash, or an operation is under way, suspend and hibernation are
 * refused. From the begin of a sleep to its end, a prepare is refused. Sleeps that the
 * kernel does not announce, such as a kexec jump, are not noticed.
 *
 * A reboot or a kexec cannot be refused. The device loses its driver and its memory
 * then, while it may still be running. The kernel log names each adapter that loses
 * a stash, and from then on a prepare is refused.
 */

/* Returns -EBUSY if an adapter bars system sleep. Without effect on the adapter. */
static int power_check_sleep(struct drm_hotupdate_adapter *adapter, void *unused)
{
	/* First: what an operation that is over has led to is seen below. */
	bool busy = hotupdate_op_is_busy(adapter);
	enum hotupdate_state state = READ_ONCE(adapter->state);

	if (!busy && (state == HOTUPDATE_RUNNING || state == HOTUPDATE_NONE))
		return 0;
	/* A stash without a device: nothing is stopped that could be restored. */
	if (!busy && state == HOTUPDATE_STALE && !READ_ONCE(adapter->device))
		return 0;
	dev_err(&adapter->dev, "system sleep refused: state is %s%s\n",
		hotupdate_state_name(state), busy ? ", and an operation is under way" : "");
	return -EBUSY;
}

static int power_begin_sleep(enum hotupdate_bar bar)
{
	int err;

	/* First: a prepare that the checks do not see sees the bar. */
	hotupdate_bar_prepare(bar, true);
	/* Pairs with the full barrier of op_enter(). */
	smp_mb__after_atomic();
	err = hotupdate_adapters_for_each(power_check_sleep, NULL);
	/* No event follows a refusal. */
	if (err)
		hotupdate_bar_prepare(bar, false);
	return err;
}

/**
 * hotupdate_power_sleep - the notifier of system sleep
 * @nb: not used
 * @event: PM_SUSPEND_PREPARE or another event of its kind
 * @data: not used
 *
 * Context: Process context, may sleep.
 * Return: NOTIFY_OK, or -EBUSY as a notifier returns it.
 */
int hotupdate_power_sleep(struct notifier_block *nb, unsigned long event, void *data)
{
	int err = 0;

	switch (event) {
	case PM_SUSPEND_PREPARE:
		err = power_begin_sleep(HOTUPDATE_BAR_SUSPEND);
		break;
	case PM_HIBERNATION_PREPARE:
		err = power_begin_sleep(HOTUPDATE_BAR_HIBERNATION);
		break;
	case PM_RESTORE_PREPARE:
		err = power_begin_sleep(HOTUPDATE_BAR_RESTORE);
		break;
	case PM_POST_SUSPEND:
		hotupdate_bar_prepare(HOTUPDATE_BAR_SUSPEND, false);
		break;
	case PM_POST_HIBERNATION:
		hotupdate_bar_prepare(HOTUPDATE_BAR_HIBERNATION, false);
		break;
	case PM_POST_RESTORE:
		hotupdate_bar_prepare(HOTUPDATE_BAR_RESTORE, false);
		break;
	}
	return notifier_from_errno(err);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_power_sleep);

static int power_report_loss(struct drm_hotupdate_adapter *adapter, void *what)
{
	guard(mutex)(&adapter->status_lock);

	if (adapter->stash.count)
		dev_alert(&adapter->dev,
			  "%u blocks, %llu bytes of driver %s are lost in this %s\n",
			  adapter->stash.count, adapter->stash.bytes, adapter->driver,
			  (const char *)what);
	return 0;
}

/**
 * hotupdate_power_reboot - the notifier of reboot, halt, power off and kexec
 * @nb: not used
 * @event: SYS_RESTART, SYS_HALT or SYS_POWER_OFF
 * @data: command of the reboot, or NULL
 *
 * Context: Process context, may sleep.
 * Return: NOTIFY_DONE.
 */
int hotupdate_power_reboot(struct notifier_block *nb, unsigned long event, void *data)
{
	const char *command = data;
	char *what = "reboot, and the device is running";

	if (event == SYS_POWER_OFF)
		what = "power off";
	else if (event == SYS_HALT)
		what = "halt, and the device is running";
	else if (command && !strcmp(command, "kexec reboot"))
		what = "kexec, and the device is running";

	hotupdate_bar_prepare(HOTUPDATE_BAR_REBOOT, true);
	hotupdate_adapters_for_each(power_report_loss, what);
	return NOTIFY_DONE;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_power_reboot);

static struct notifier_block power_sleep_notifier = {
	.notifier_call = hotupdate_power_sleep,
};

static struct notifier_block power_reboot_notifier = {
	.notifier_call = hotupdate_power_reboot,
};

/**
 * hotupdate_power_init - watch for sleep and reboot
 *
 * Return: 0 or a negative errno.
 */
int hotupdate_power_init(void)
{
	int err;

	err = register_pm_notifier(&power_sleep_notifier);
	if (err)
		return err;
	err = register_reboot_notifier(&power_reboot_notifier);
	if (err)
		unregister_pm_notifier(&power_sleep_notifier);
	return err;
}

/**
 * hotupdate_power_exit - undo hotupdate_power_init()
 */
void hotupdate_power_exit(void)
{
	unregister_reboot_notifier(&power_reboot_notifier);
	unregister_pm_notifier(&power_sleep_notifier);
}
