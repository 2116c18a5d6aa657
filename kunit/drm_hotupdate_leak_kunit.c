// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kmemleak has to say when all the other suites have run. Pages it knows
 * nothing of: those are counted by each case.
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "drm_hotupdate_kunit.h"
#include "kunit_files.h"

/* What is younger does not count as leaked. */
#define MIN_AGE_MS	5000

#define REPORT_SIZE	(128 * 1024)

static void read_report(struct kunit *test, struct vfsmount *debugfs, char *report)
{
	struct file *file = user_file_open(debugfs, "kmemleak", O_RDONLY);
	loff_t pos = 0;
	ssize_t len;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	do {
		len = user_file_read_on(file, report + pos,
					min_t(size_t, 4096, REPORT_SIZE - pos - 1), &pos);
	} while (len > 0);
	user_file_close(file);
	KUNIT_EXPECT_EQ(test, len, 0);
}

/* It is written to by user space alone, and so from user memory. */
static void scan(struct kunit *test, struct vfsmount *debugfs)
{
	struct file *file = user_file_open(debugfs, "kmemleak", O_WRONLY);
	unsigned long text;
	loff_t pos = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	text = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_EXPECT_NE(test, text, 0);
	KUNIT_EXPECT_EQ(test, copy_to_user((void __user *)text, "scan", 4), 0);
	KUNIT_EXPECT_EQ(test, file->f_op->write(file, (void __user *)text, 4, &pos), 4);
	user_file_close(file);
}

/*
 * No memory is left unreferenced: of the core, of vgpu or its device, or of their
 * suites. The report is of the whole kernel, and so is this: in UML it has no
 * traces of calls by which to tell whose a leak is.
 */
static void kmemleak_finds_nothing(struct kunit *test)
{
	struct vfsmount *debugfs = user_mount_for(test, "debugfs");
	char *report = kunit_kzalloc(test, REPORT_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, report);
	msleep(MIN_AGE_MS + 500);
	/* The second time for what looked referenced from something stale. */
	scan(test, debugfs);
	scan(test, debugfs);
	read_report(test, debugfs, report);
	KUNIT_EXPECT_STREQ_MSG(test, report, "", "%.600s", report);
}

static struct kunit_case leak_cases[] = {
	KUNIT_CASE_SLOW(kmemleak_finds_nothing),
	{ }
};

static struct kunit_suite leak_suite = {
	.name = "drm_hotupdate_leak",
	.test_cases = leak_cases,
};

kunit_test_suites(&leak_suite);
