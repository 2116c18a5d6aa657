// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim windows
 *
 * Each VF has a character device, /dev/vgpu-vfN on the first device and
 * /dev/vgpuK-vfN on device K, through which one guest at a time drives it:
 * pread() and pwrite() of registers, mmap() of memory, poll() and an eventfd
 * for interrupts. This file has to do with the file only, what it leads to is
 * in vgpu_sim_vfregs.c and vgpu_sim_mmap.c.
 *
 * Life cycle: windows are there as long as the module is, whether their VF is
 * enabled or not, and whether the PF has a driver or not. Neither matters to an
 * open window. A window that is open, or mapped, holds this module.
 *
 * That does not help while the module is loaded: if that fails it goes, whoever
 * holds it. So all windows of all devices are of one character device, which is
 * the last thing that is made: nobody can open any before nothing can fail.
 *
 * Unhappy path: what is not eight bytes at the offset of a register is -EINVAL.
 */

#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vgpu_sim.h"

static struct class *window_class;
static struct cdev window_cdev;
static dev_t first_devt;
static unsigned int nr_devts;
/* By minor number. All are there before one can be opened. */
static struct vgpu_sim_fn **window_fns;

static int window_open(struct inode *inode, struct file *file)
{
	struct vgpu_sim_fn *fn = window_fns[inode->i_rdev - first_devt];

	if (!fn)
		return -ENXIO;
	file->private_data = fn;
	return vgpu_sim_vf_attach(fn, file->f_mapping);
}

static int window_release(struct inode *inode, struct file *file)
{
	vgpu_sim_vf_detach(file->private_data);
	return 0;
}

static ssize_t window_read(struct file *file, char __user *buf, size_t count,
			   loff_t *pos)
{
	u64 value;
	int ret;

	if (count != sizeof(value))
		return -EINVAL;
	ret = vgpu_sim_vf_read(file->private_data, *pos, &value);
	if (ret)
		return ret;
	return copy_to_user(buf, &value, sizeof(value)) ? -EFAULT : sizeof(value);
}

static ssize_t window_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *pos)
{
	u64 value;
	int ret;

	if (count != sizeof(value))
		return -EINVAL;
	if (copy_from_user(&value, buf, sizeof(value)))
		return -EFAULT;
	ret = vgpu_sim_vf_write(file->private_data, *pos, value);
	return ret ? ret : sizeof(value);
}

static __poll_t window_poll(struct file *file, poll_table *table)
{
	struct vgpu_sim_fn *fn = file->private_data;
	u64 status = 0;

	poll_wait(file, &fn->wait, table);
	vgpu_sim_vf_read(fn, VGPU_VF_REG_IRQ_STATUS, &status);
	return status ? EPOLLIN | EPOLLRDNORM : 0;
}

static long window_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	s32 fd;

	if (cmd != VGPU_VF_IOC_SET_EVENTFD)
		return -ENOTTY;
	if (copy_from_user(&fd, (const void __user *)arg, sizeof(fd)))
		return -EFAULT;
	return vgpu_sim_vf_set_eventfd(file->private_data, fd);
}

static int window_mmap(struct file *file, struct vm_area_struct *vma)
{
	return vgpu_sim_mmap(file->private_data, vma);
}

static const struct file_operations window_fops = {
	.owner = THIS_MODULE,
	.open = window_open,
	.release = window_release,
	.read = window_read,
	.write = window_write,
	.poll = window_poll,
	.unlocked_ioctl = window_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = window_mmap,
};

static void window_free(struct device *dev)
{
	kfree(container_of(dev, struct vgpu_sim_window, dev));
}

static int window_set_name(struct vgpu_sim_window *window)
{
	const struct vgpu_sim_fn *fn = window->fn;
	unsigned int device = fn->sim->index;

	if (!device)
		return dev_set_name(&window->dev, "vgpu-vf%u", fn->number);
	return dev_set_name(&window->dev, "vgpu%u-vf%u", device, fn->number);
}

static struct vgpu_sim_window *window_create(struct vgpu_sim_fn *fn)
{
	unsigned int minor = fn->sim->index * VGPU_HW_MAX_VFS + fn->number - 1;
	struct vgpu_sim_window *window;
	int ret;

	window = kzalloc(sizeof(*window), GFP_KERNEL);
	if (!window)
		return ERR_PTR(-ENOMEM);

	window->fn = fn;
	device_initialize(&window->dev);
	window->dev.class = window_class;
	window->dev.devt = first_devt + minor;
	window->dev.release = window_free;

	ret = window_set_name(window);
	if (!ret)
		ret = device_add(&window->dev);
	if (ret) {
		put_device(&window->dev);
		return ERR_PTR(ret);
	}
	window_fns[minor] = fn;
	return window;
}

/**
 * vgpu_sim_windows_destroy() - remove the windows of a device
 * @sim: the device, with none of them open
 */
void vgpu_sim_windows_destroy(struct vgpu_sim *sim)
{
	unsigned int i;

	for (i = 0; i < sim->total_vfs && sim->windows[i]; i++) {
		device_unregister(&sim->windows[i]->dev);
		sim->windows[i] = NULL;
	}
}

/**
 * vgpu_sim_windows_create() - make the windows of a device
 * @sim: the device
 *
 * They can be opened after vgpu_sim_windows_show().
 *
 * Return: 0, or -errno, and there are none.
 */
int vgpu_sim_windows_create(struct vgpu_sim *sim)
{
	struct vgpu_sim_window *window;
	unsigned int i;

	for (i = 0; i < sim->total_vfs; i++) {
		window = window_create(&sim->fns[i + 1]);
		if (IS_ERR(window)) {
			vgpu_sim_windows_destroy(sim);
			return PTR_ERR(window);
		}
		sim->windows[i] = window;
	}
	return 0;
}

/**
 * vgpu_sim_windows_show() - let guests open the windows
 *
 * Return: 0, and vgpu_sim_windows_hide() is due, or -errno, and none was opened.
 */
int vgpu_sim_windows_show(void)
{
	cdev_init(&window_cdev, &window_fops);
	window_cdev.owner = THIS_MODULE;
	return cdev_add(&window_cdev, first_devt, nr_devts);
}

/**
 * vgpu_sim_windows_hide() - undo vgpu_sim_windows_show()
 *
 * None is open: the module could not go.
 */
void vgpu_sim_windows_hide(void)
{
	cdev_del(&window_cdev);
}

/**
 * vgpu_sim_windows_init() - prepare for windows
 * @devices: number of devices that will have some
 *
 * Return: 0, and vgpu_sim_windows_exit() is due, or -errno.
 */
int vgpu_sim_windows_init(unsigned int devices)
{
	int ret;

	nr_devts = max(devices, 1U) * VGPU_HW_MAX_VFS;
	window_fns = kvcalloc(nr_devts, sizeof(*window_fns), GFP_KERNEL);
	if (!window_fns)
		return -ENOMEM;

	ret = alloc_chrdev_region(&first_devt, 0, nr_devts, "vgpu_sim");
	if (ret)
		goto err_free;

	window_class = class_create("vgpu_sim");
	if (IS_ERR(window_class)) {
		ret = PTR_ERR(window_class);
		goto err_unregister;
	}
	return 0;

err_unregister:
	unregister_chrdev_region(first_devt, nr_devts);
err_free:
	kvfree(window_fns);
	return ret;
}

/**
 * vgpu_sim_windows_exit() - undo vgpu_sim_windows_init()
 */
void vgpu_sim_windows_exit(void)
{
	class_destroy(window_class);
	unregister_chrdev_region(first_devt, nr_devts);
	kvfree(window_fns);
}
