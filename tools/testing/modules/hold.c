// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core's holds on a PCI device, for which UML has no bus: the core's own files, and
 * three drivers for QEMU's "edu" device. A script binds and unbinds them, writes
 * commands to a file in debugfs, and reads the result of each there. The drivers do to
 * the device's enable count what drivers do.
 */

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_hotupdate_package.h>

#include "../../../drivers/gpu/drm/hotupdate/drm_hotupdate_hold.c"
#include "../../../drivers/gpu/drm/hotupdate/drm_hotupdate_override.c"

#define HOLD_VENDOR	0x1234
#define HOLD_DEVICE	0x11e8

/* No other thread uses it: the script runs one command after the other. */
static struct drm_hotupdate_adapter *hold_adapter;

static char hold_result[HOTUPDATE_ERROR_LEN + 16];

/* The core's, without an adapter in sysfs. */
int hotupdate_error(struct drm_hotupdate_adapter *adapter, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(adapter->last_error, sizeof(adapter->last_error), fmt, args);
	va_end(args);
	return err;
}

/* As the bus notifier has it. */
static void hold_override_command(const char *command)
{
	struct device *dev = hold_adapter->device;

	guard(device)(dev);

	if (!strcmp(command, "clear")) {
		hotupdate_override_clear(hold_adapter, dev);
	} else if (dev->driver && !strcmp(command, "set")) {
		hotupdate_override_note(hold_adapter, dev);
		hotupdate_override_set(hold_adapter, dev);
	} else if (dev->driver && !strcmp(command, "log_probe")) {
		hotupdate_override_log_probe(hold_adapter, dev);
	} else {
		strscpy(hold_result, "bad command", sizeof(hold_result));
	}
}

static void hold_command(const char *command)
{
	const char *reason = NULL;
	int err = 0;

	strscpy(hold_result, "ok", sizeof(hold_result));
	if (!strcmp(command, "begin"))
		err = hotupdate_hold_begin(hold_adapter);
	else if (!strcmp(command, "end"))
		hotupdate_hold_end(hold_adapter, false);
	else if (!strcmp(command, "commit"))
		hotupdate_hold_end(hold_adapter, true);
	else if (!strcmp(command, "removed"))
		hotupdate_hold_removed(hold_adapter);
	else if (!strcmp(command, "check"))
		reason = hotupdate_hold_check(hold_adapter, false);
	else if (!strcmp(command, "check_survives"))
		reason = hotupdate_hold_check(hold_adapter, true);
	else
		hold_override_command(command);

	if (err)
		snprintf(hold_result, sizeof(hold_result), "%d: %s", err,
			 hold_adapter->last_error);
	else if (reason)
		strscpy(hold_result, reason, sizeof(hold_result));
}

static ssize_t hold_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	char command[32] = "";

	if (size >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, buf, size))
		return -EFAULT;
	hold_command(strim(command));
	return size;
}

static int hold_show(struct seq_file *seq, void *unused)
{
	seq_printf(seq, "%s\n", hold_result);
	return 0;
}

static int hold_open(struct inode *inode, struct file *file)
{
	return single_open(file, hold_show, NULL);
}

static const struct file_operations hold_fops = {
	.owner = THIS_MODULE,
	.open = hold_open,
	.read = seq_read,
	.write = hold_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static const struct pci_device_id hold_ids[] = {
	{ PCI_DEVICE(HOLD_VENDOR, HOLD_DEVICE) },
	{ }
};

/* One that disables the device when it goes, */
static int hold_plain_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pci_enable_device(pdev);

	if (!err)
		pci_set_master(pdev);
	return err;
}

static void hold_plain_remove(struct pci_dev *pdev)
{
	pci_disable_device(pdev);
}

static struct pci_driver hold_plain = {
	.name = "hold_plain",
	.id_table = hold_ids,
	.probe = hold_plain_probe,
	.remove = hold_plain_remove,
};

/* one for which devres does that, */
static int hold_managed_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev);

	if (!err)
		pci_set_master(pdev);
	return err;
}

static struct pci_driver hold_managed = {
	.name = "hold_managed",
	.id_table = hold_ids,
	.probe = hold_managed_probe,
};

/* one that believes the device to be enabled, */
static int hold_lazy_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return 0;
}

static struct pci_driver hold_lazy = {
	.name = "hold_lazy",
	.id_table = hold_ids,
	.probe = hold_lazy_probe,
};

/* and one that is for no device. */
static struct pci_driver hold_foreign = {
	.name = "hold_foreign",
	.probe = hold_lazy_probe,
};

static struct pci_driver *hold_drivers[] = {
	&hold_plain, &hold_managed, &hold_lazy, &hold_foreign,
};

static void hold_adapter_release(struct device *dev)
{
	kfree(container_of(dev, struct drm_hotupdate_adapter, dev));
}

static int hold_adapter_init(void)
{
	struct pci_dev *pdev = pci_get_device(HOLD_VENDOR, HOLD_DEVICE, NULL);

	if (!pdev)
		return -ENODEV;
	hold_adapter = kzalloc(sizeof(*hold_adapter), GFP_KERNEL);
	if (!hold_adapter) {
		pci_dev_put(pdev);
		return -ENOMEM;
	}
	device_initialize(&hold_adapter->dev);
	hold_adapter->dev.release = hold_adapter_release;
	hold_adapter->driver = "hold";
	hold_adapter->device = &pdev->dev;
	return dev_set_name(&hold_adapter->dev, "hold");
}

static void hold_adapter_fini(void)
{
	hotupdate_override_fini(hold_adapter);
	put_device(hold_adapter->device);
	put_device(&hold_adapter->dev);
}

static struct dentry *hold_file;

static int __init hold_init(void)
{
	unsigned int i;
	int err;

	err = hold_adapter_init();
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(hold_drivers); i++) {
		err = pci_register_driver(hold_drivers[i]);
		if (err)
			goto unregister;
	}
	hold_file = debugfs_create_file("hold", 0600, NULL, NULL, &hold_fops);
	return 0;

unregister:
	while (i--)
		pci_unregister_driver(hold_drivers[i]);
	hold_adapter_fini();
	return err;
}

static void __exit hold_exit(void)
{
	unsigned int i;

	debugfs_remove(hold_file);
	for (i = 0; i < ARRAY_SIZE(hold_drivers); i++)
		pci_unregister_driver(hold_drivers[i]);
	hold_adapter_fini();
}

module_init(hold_init);
module_exit(hold_exit);

MODULE_DESCRIPTION("Test of the core's holds on a PCI device");
MODULE_PACKAGE_VERSION;
MODULE_LICENSE("GPL");
