/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files as user space sees them: sysfs and debugfs, mounted for a suite or a case
 * alone. The suites of the core and those of vgpu share this, and are modules that
 * share nothing else.
 */
#ifndef _KUNIT_FILES_H_
#define _KUNIT_FILES_H_

#include <kunit/test.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uio.h>

/* An ERR_PTR if it cannot be. */
static inline struct vfsmount *user_mount(const char *fs)
{
	struct file_system_type *type = get_fs_type(fs);

	return type ? kern_mount(type) : ERR_PTR(-ENODEV);
}

static inline void user_unmount(void *mnt)
{
	/* What a kernel thread closes is still open until this. */
	flush_delayed_fput();
	kern_unmount(mnt);
}

/* Until the case is over. */
static inline struct vfsmount *user_mount_for(struct kunit *test, const char *fs)
{
	struct vfsmount *mnt = user_mount(fs);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, user_unmount, mnt), 0);
	return mnt;
}

static inline struct file *user_file_open(struct vfsmount *mnt, const char *path,
					  int flags)
{
	return file_open_root_mnt(mnt, path, flags, 0600);
}

static inline void user_file_close(struct file *file)
{
	fput(file);
	flush_delayed_fput();
}

/*
 * A seq_file of debugfs is not for the kernel to read, in the way of others. What
 * debugfs does against its removal meanwhile has to be asked for.
 */
static inline ssize_t user_seq_file_read(struct file *file, char *buf, size_t size,
					 loff_t *pos)
{
	struct kvec kvec = { .iov_base = buf, .iov_len = size };
	struct dentry *dentry = file->f_path.dentry;
	struct iov_iter iter;
	struct kiocb kiocb;
	ssize_t len;

	len = debugfs_file_get(dentry);
	if (len)
		return len;
	init_sync_kiocb(&kiocb, file);
	kiocb.ki_pos = *pos;
	iov_iter_kvec(&iter, ITER_DEST, &kvec, 1, size);
	len = seq_read_iter(&kiocb, &iter);
	*pos = kiocb.ki_pos;
	debugfs_file_put(dentry);
	return len;
}

/*
 * Some bytes, from where the last read ended. (Not kernel_read(), which refuses
 * files that have a read of the old kind as well.)
 */
static inline ssize_t user_file_read_on(struct file *file, char *buf, size_t size,
					loff_t *pos)
{
	struct kvec kvec = { .iov_base = buf, .iov_len = size };
	struct iov_iter iter;

	if (!file->f_op->read_iter)
		return user_seq_file_read(file, buf, size, pos);
	iov_iter_kvec(&iter, ITER_DEST, &kvec, 1, size);
	return vfs_iter_read(file, &iter, pos, 0);
}

/* The number of bytes read, or an errno; without the newline at the end. */
static inline int user_file_read(struct vfsmount *mnt, const char *path, char *buf,
				 size_t size)
{
	struct file *file = user_file_open(mnt, path, O_RDONLY);
	loff_t pos = 0;
	ssize_t len;

	if (IS_ERR(file))
		return PTR_ERR(file);

	len = user_file_read_on(file, buf, size - 1, &pos);
	user_file_close(file);
	if (len < 0)
		return len;
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return len;
}

/* 0 or an errno. */
static inline int user_file_write(struct vfsmount *mnt, const char *path, const char *text)
{
	struct file *file = user_file_open(mnt, path, O_WRONLY);
	size_t size = strlen(text);
	loff_t pos = 0;
	ssize_t len;

	if (IS_ERR(file))
		return PTR_ERR(file);

	len = kernel_write(file, text, size, &pos);
	user_file_close(file);
	if (len < 0)
		return len;
	return len == size ? 0 : -EIO;
}

#endif /* _KUNIT_FILES_H_ */
