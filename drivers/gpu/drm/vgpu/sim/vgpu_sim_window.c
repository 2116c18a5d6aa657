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
 * Life cycle: windows are there from the creation of the device to its end,
 * whether their VF is enabled or not, and whether the PF has a driver or not.
 * Neither matters to an open window. A window that is open, or mapped, holds
 * this module.
 *
 * Unhappy path: what is not eight bytes at the offset of a register is -EINVAL.
 */

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vgpu_sim.h"

static struct class *window_class;
static dev_t first_devt;
static unsigned int nr_devts;

static int window_open(struct inode *inode, struct file *file)
{
	struct vgpu_sim_window *window =
		container_of(inode->i_cdev, struct vgpu_sim_window, cdev);

	file->private_data = window->fn;
	return vgpu_sim_vf_attach(window->fn, file->f_mapping);
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
	cdev_init(&window->cdev, &window_fops);
	window->cdev.owner = THIS_MODULE;

	ret = window_set_name(window);
	if (!ret)
		ret = cdev_device_add(&window->cdev, &window->dev);
	if (ret) {
		put_device(&window->dev);
		return ERR_PTR(ret);
	}
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
		cdev_device_del(&sim->windows[i]->cdev, &sim->windows[i]->dev);
		put_device(&sim->windows[i]->dev);
		sim->windows[i] = NULL;
	}
}

/**
 * vgpu_sim_windows_create() - make the windows of a device
 * @sim: the device
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
 * vgpu_sim_windows_init() - prepare for windows
 * @devices: number of devices that will have some
 *
 * Return: 0, and vgpu_sim_windows_exit() is due, or -errno.
 */
int vgpu_sim_windows_init(unsigned int devices)
{
	int ret;

	nr_devts = max(devices, 1U) * VGPU_HW_MAX_VFS;
	ret = alloc_chrdev_region(&first_devt, 0, nr_devts, "vgpu_sim");
	if (ret)
		return ret;

	window_class = class_create("vgpu_sim");
	if (IS_ERR(window_class)) {
		unregister_chrdev_region(first_devt, nr_devts);
		return PTR_ERR(window_class);
	}
	return 0;
}

/**
 * vgpu_sim_windows_exit() - undo vgpu_sim_windows_init()
 */
void vgpu_sim_windows_exit(void)
{
	class_destroy(window_class);
	unregister_chrdev_region(first_devt, nr_devts);
}
