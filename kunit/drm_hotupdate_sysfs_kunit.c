// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an administrator sees and does, through the files themselves.
 */

#include <kunit/test.h>
#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/string.h>

#include "drm_hotupdate_kunit.h"
#include "kunit_files.h"

static void attr_path(char *path, size_t size, struct fake_gpu *gpu, const char *attr)
{
	snprintf(path, size, "class/drm_hotupdate/platform:%s/%s",
		 dev_name(fake_gpu_dev(gpu)), attr);
}

static int attr_read(struct fake_gpu *gpu, const char *attr, char *buf, size_t size)
{
	struct fake_env *env = gpu->test->priv;
	char path[96];

	attr_path(path, sizeof(path), gpu, attr);
	return user_file_read(env->sysfs, path, buf, size);
}

static int attr_write(struct fake_gpu *gpu, const char *attr, const char *text)
{
	struct fake_env *env = gpu->test->priv;
	char path[96];

	attr_path(path, sizeof(path), gpu, attr);
	return user_file_write(env->sysfs, path, text);
}

static struct file *attr_open(struct fake_gpu *gpu, const char *attr, int flags)
{
	struct fake_env *env = gpu->test->priv;
	char path[96];

	attr_path(path, sizeof(path), gpu, attr);
	return user_file_open(env->sysfs, path, flags);
}

static void expect_attr(struct fake_gpu *gpu, const char *attr, const char *expected)
{
	char buf[HOTUPDATE_ERROR_LEN + 2] = "";
	int len = attr_read(gpu, attr, buf, sizeof(buf));

	KUNIT_EXPECT_GE_MSG(gpu->test, len, 0, "%s", attr);
	KUNIT_EXPECT_STREQ_MSG(gpu->test, buf, expected, "%s", attr);
}

static void expect_attr_number(struct fake_gpu *gpu, const char *attr, u64 expected)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", expected);
	expect_attr(gpu, attr, text);
}

struct attr {
	const char *name;
	umode_t mode;
	/* In the state in which a driver has just registered; NULL if not readable */
	const char *first;
};

static const struct attr attrs[] = {
	{ "state", 0444, "running" },
	{ "lost", 0444, "0" },
	{ "prepare", 0200 },
	{ "cancel", 0200 },
	{ "discard", 0200 },
	{ "store", 0444, "none" },
	{ "driver", 0444, "fake" },
	{ "users", 0444, "0" },
	{ "compatible", 0444, "kunit,fake" },
	{ "version", 0444, "2" },
	{ "min_version", 0444, "1" },
	{ "generation", 0444, "0" },
	{ "blocks", 0444, "0" },
	{ "bytes", 0444, "0" },
	{ "progress", 0444, "0" },
	{ "last_error", 0400, "" },
	{ "deadline_ms", 0644, "0" },
	{ "saved_timeout_ms", 0644, "0" },
	{ "blackout_ns", 0444, "0" },
	{ "blackout_save_ns", 0444, "0" },
	{ "blackout_detached_ns", 0444, "0" },
	{ "blackout_replay_ns", 0444, "0" },
	{ "blackout_start_ns", 0444, "0" },
};

KUNIT_ARRAY_PARAM_DESC(attrs, attrs, name);

/*
 * Each file is there once the device has started, under the GPU's bus and name,
 * says what is documented, and is written by root alone. So is it read where it
 * names pages.
 *
 * Clauses: W1
 */
static void attr_first_value(struct kunit *test)
{
	const struct attr *attr = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);
	struct file *file;
	char buf[8];

	file = attr_open(driver->gpu, attr->name, attr->first ? O_RDONLY : O_WRONLY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, file_inode(file)->i_mode & 07777, attr->mode);
	user_file_close(file);

	if (attr->first)
		expect_attr(driver->gpu, attr->name, attr->first);
	else
		KUNIT_EXPECT_LT(test, attr_read(driver->gpu, attr->name, buf, sizeof(buf)), 0);
	if (!(attr->mode & 0200))
		KUNIT_EXPECT_LT(test, attr_write(driver->gpu, attr->name, "1"), 0);
}

static u64 attr_number(struct fake_gpu *gpu, const char *attr)
{
	char buf[24] = "";
	u64 number = 0;

	KUNIT_EXPECT_GT(gpu->test, attr_read(gpu, attr, buf, sizeof(buf)), 0);
	KUNIT_EXPECT_EQ(gpu->test, kstrtou64(buf, 10, &number), 0);
	return number;
}

/*
 * The files follow an update from begin to end, and show a stash that no driver
 * has come back for, with its size.
 *
 * Clauses: U9
 */
static void attrs_follow_update(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_gpu *gpu = driver->gpu;
	u64 bytes = 0, parts;
	unsigned int i;

	fake_driver_saves_each_kind(driver);
	for (i = 0; i < driver->num_saves; i++)
		bytes += driver->saves[i]->size;

	KUNIT_EXPECT_EQ(test, attr_write(gpu, "prepare", "1\n"), 0);
	expect_attr(gpu, "state", "saved");
	expect_attr(gpu, "version", "1");
	expect_attr_number(gpu, "blocks", driver->num_saves);
	expect_attr_number(gpu, "progress", driver->num_saves);
	expect_attr_number(gpu, "bytes", bytes);

	fake_driver_unregister(driver);
	expect_attr(gpu, "state", "detached");
	expect_attr(gpu, "driver", "fake");
	expect_attr(gpu, "version", "1");
	expect_attr_number(gpu, "blocks", driver->num_saves);
	expect_attr_number(gpu, "bytes", bytes);

	strscpy(driver->name, "newer");
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	expect_attr(gpu, "state", "running");
	expect_attr(gpu, "driver", "newer");
	expect_attr(gpu, "version", "2");
	expect_attr(gpu, "generation", "1");
	expect_attr(gpu, "blocks", "0");
	expect_attr(gpu, "bytes", "0");
	expect_attr_number(gpu, "progress", driver->num_saves);

	parts = attr_number(gpu, "blackout_save_ns") +
		attr_number(gpu, "blackout_detached_ns") +
		attr_number(gpu, "blackout_replay_ns") +
		attr_number(gpu, "blackout_start_ns");
	expect_attr_number(gpu, "blackout_ns", parts);
	KUNIT_EXPECT_GT(test, parts, 0);
}

struct input {
	const char *name;
	const char *attr;
	const char *text;
	int err;
};

static const struct input bad_inputs[] = {
	{ "prepare_word", "prepare", "now", -EINVAL },
	{ "prepare_newline", "prepare", "\n", -EINVAL },
	{ "prepare_negative", "prepare", "-1", -EINVAL },
	{ "prepare_hexadecimal", "prepare", "0x1", -EINVAL },
	{ "prepare_two_numbers", "prepare", "1 2", -EINVAL },
	{ "prepare_too_large", "prepare", "4294967296", -ERANGE },
	{ "prepare_unknown_version", "prepare", "3", -EPROTONOSUPPORT },
	{ "cancel_no", "cancel", "0", -EINVAL },
	{ "cancel_word", "cancel", "please", -EINVAL },
	{ "cancel_newline", "cancel", "\n", -EINVAL },
	{ "cancel_nothing_saved", "cancel", "1", -EINVAL },
	{ "discard_no", "discard", "n", -EINVAL },
	{ "discard_word", "discard", "please", -EINVAL },
	{ "discard_by_force_of_nothing", "discard", "force", -EINVAL },
	{ "discard_nothing_stashed", "discard", "1", -EINVAL },
	{ "deadline_word", "deadline_ms", "soon", -EINVAL },
	{ "deadline_negative", "deadline_ms", "-1", -EINVAL },
	{ "deadline_too_large", "deadline_ms", "4294967296", -ERANGE },
	{ "timeout_word", "saved_timeout_ms", "soon", -EINVAL },
	{ "timeout_negative", "saved_timeout_ms", "-1", -EINVAL },
	{ "timeout_too_large", "saved_timeout_ms", "4294967296", -ERANGE },
};

KUNIT_ARRAY_PARAM_DESC(bad_inputs, bad_inputs, name);

/*
 * What makes no sense is refused, with a reason in last_error, and changes
 * nothing.
 */
static void write_bad_input(struct kunit *test)
{
	const struct input *input = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);

	driver->adapter->deadline_ms = 77;
	driver->adapter->saved_timeout_ms = 88;
	KUNIT_EXPECT_EQ(test, attr_write(driver->gpu, input->attr, input->text), input->err);
	expect_attr(driver->gpu, "state", "running");
	expect_attr(driver->gpu, "deadline_ms", "77");
	expect_attr(driver->gpu, "saved_timeout_ms", "88");
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new");
	KUNIT_EXPECT_STRNEQ(test, driver->adapter->last_error, "");
}

static const struct input refused_yes[] = {
	{ "no", NULL, "0" },
	{ "word", NULL, "please" },
};

KUNIT_ARRAY_PARAM_DESC(refused_yes, refused_yes, name);

/*
 * Without a clear yes a stash is neither called off nor discarded.
 *
 * Clauses: U9
 */
static void write_no(struct kunit *test)
{
	const struct input *input = test->param_value;
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves_each_kind(driver);
	KUNIT_ASSERT_EQ(test, attr_write(driver->gpu, "prepare", "0"), 0);
	KUNIT_EXPECT_EQ(test, attr_write(driver->gpu, "cancel", input->text), -EINVAL);
	expect_attr(driver->gpu, "state", "saved");
	fake_driver_unregister(driver);
	KUNIT_EXPECT_EQ(test, attr_write(driver->gpu, "discard", input->text), -EINVAL);
	expect_attr(driver->gpu, "state", "detached");
	FAKE_EXPECT_STASH(driver->gpu, driver->num_saves);
}

/*
 * A cancel by file does what a cancel does.
 *
 * Clauses: W4
 */
static void write_cancel(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	KUNIT_ASSERT_EQ(test, attr_write(driver->gpu, "prepare", "0\n"), 0);
	KUNIT_EXPECT_EQ(test, attr_write(driver->gpu, "cancel", "1\n"), 0);
	KUNIT_EXPECT_STREQ(test, driver->log, "start:new, save, cancel");
	expect_attr(driver->gpu, "state", "running");
}

/*
 * A discard ends the adapter whose file it was written to: it is not waited for
 * by itself, and the directory goes. One with a driver attached is refused.
 *
 * Clauses: U9
 */
static void write_discard(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct file *file;
	char buf[8];

	fake_driver_saves_each_kind(driver);
	KUNIT_ASSERT_EQ(test, attr_write(driver->gpu, "prepare", "0"), 0);
	KUNIT_EXPECT_EQ(test, attr_write(driver->gpu, "discard", "1"), -EBUSY);
	expect_attr(driver->gpu, "state", "saved");

	fake_driver_unregister(driver);
	file = attr_open(driver->gpu, "state", O_RDONLY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, attr_write(driver->gpu, "discard", "1\n"), 0);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(driver->gpu));
	KUNIT_EXPECT_EQ(test, attr_read(driver->gpu, "state", buf, sizeof(buf)), -ENOENT);
	user_file_close(file);
}

/*
 * The deadline can be read back, and so can that there is none.
 */
static void write_deadline(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	KUNIT_EXPECT_EQ(test, attr_write(driver->gpu, "deadline_ms", "600000\n"), 0);
	expect_attr(driver->gpu, "deadline_ms", "600000");
	KUNIT_EXPECT_EQ(test, attr_write(driver->gpu, "prepare", "0"), 0);
	KUNIT_EXPECT_EQ(test, attr_write(driver->gpu, "deadline_ms", "0"), 0);
	expect_attr(driver->gpu, "deadline_ms", "0");
}

static int use_files(struct fake_driver *driver, enum fake_call call,
		     struct drm_hotupdate_block *block)
{
	static const char * const states[FAKE_NUM_CALLS] = {
		[FAKE_SAVE] = "saving",
		[FAKE_CANCEL] = "saved",
		[FAKE_RESTORE] = "restoring",
		[FAKE_ABORT] = "restoring",
		[FAKE_START] = "restoring",
		[FAKE_COMPLETE] = "restored",
		[FAKE_STOP] = "saved",
	};
	struct fake_gpu *gpu = driver->gpu;
	bool *fails = driver->hook_data;

	if (call != FAKE_CANCEL)
		expect_attr(gpu, "state", states[call]);
	expect_attr(gpu, "driver", "fake");
	KUNIT_EXPECT_EQ(driver->test, attr_write(gpu, "prepare", "0"), -EBUSY);
	KUNIT_EXPECT_EQ(driver->test, attr_write(gpu, "cancel", "1"), -EBUSY);
	KUNIT_EXPECT_EQ(driver->test, attr_write(gpu, "discard", "1"), -EBUSY);
	return call == FAKE_START && *fails ? -EIO : 0;
}

/*
 * While a callback runs every file can be read, without waiting, and what would
 * begin another operation is refused.
 */
static void files_within_callbacks(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	bool fails = true;

	fake_driver_saves(driver, fake_block_page(test));
	driver->hook = use_files;
	driver->hook_data = &fails;
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
	fails = false;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), 0);
}

/*
 * Who reads a file does not wait for memory to be found for what is saved. In
 * words of lockdep: no memory is allocated with the lock held that readers take,
 * so that it could be taken when memory is being reclaimed.
 */
static void readers_wait_for_no_memory(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
		kunit_skip(test, "this kernel does not look at the order of locks");

	fake_driver_saves_each_kind(driver);
	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	fs_reclaim_acquire(GFP_KERNEL);
	mutex_lock(&driver->adapter->status_lock);
	mutex_unlock(&driver->adapter->status_lock);
	fs_reclaim_release(GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, debug_locks);
}

/*
 * last_error names the block and the reason, is kept until the next update
 * begins, and is empty then.
 */
static void last_error_of_refused_block(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *fb = fake_block_page(test);
	char buf[HOTUPDATE_ERROR_LEN + 2] = "";

	fake_driver_saves(driver, fb);
	fake_driver_saves(driver, fb);
	KUNIT_EXPECT_EQ(test, attr_write(driver->gpu, "prepare", "0"), -EEXIST);
	KUNIT_EXPECT_GT(test, attr_read(driver->gpu, "last_error", buf, sizeof(buf)), 0);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(buf, "block 1 refused"), "%s", buf);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(buf, "saved already"), "%s", buf);

	driver->num_saves = 1;
	KUNIT_EXPECT_EQ(test, attr_write(driver->gpu, "prepare", "0"), 0);
	expect_attr(driver->gpu, "last_error", "");
}

/* Whether the file has changed since it was read last. */
static bool has_changed(struct file *file)
{
	poll_table table;

	init_poll_funcptr(&table, NULL);
	return vfs_poll(file, &table) & EPOLLPRI;
}

static void reread(struct kunit *test, struct file *file)
{
	loff_t pos = 0;
	char buf[32];

	KUNIT_EXPECT_GT(test, kernel_read(file, buf, sizeof(buf), &pos), 0);
	KUNIT_EXPECT_FALSE(test, has_changed(file));
}

static struct file *open_to_poll(struct kunit *test, struct fake_driver *driver,
				 const char *attr)
{
	struct file *file = attr_open(driver->gpu, attr, O_RDONLY);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	reread(test, file);
	return file;
}

/*
 * Who polls the state is told of every change of it.
 */
static void poll_state(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct file *file = open_to_poll(test, driver, "state");

	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_TRUE(test, has_changed(file));
	reread(test, file);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	KUNIT_EXPECT_TRUE(test, has_changed(file));
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	reread(test, file);
	fake_driver_unregister(driver);
	KUNIT_EXPECT_TRUE(test, has_changed(file));
	reread(test, file);
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_TRUE(test, has_changed(file));
	user_file_close(file);
}

static int reread_and_save(struct fake_driver *driver, enum fake_call call,
			   struct drm_hotupdate_block *block)
{
	struct file *file = driver->hook_data;

	if (call != FAKE_SAVE)
		return 0;
	KUNIT_EXPECT_TRUE(driver->test, has_changed(file));
	reread(driver->test, file);
	return fake_block_save(driver->adapter, driver->saves[1]);
}

/*
 * Who polls the progress is told of it during a save, and has heard of the last
 * block when it is over, however fast it was.
 */
static void poll_progress(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct file *file = open_to_poll(test, driver, "progress");

	fake_driver_saves(driver, fake_block_page(test));
	fake_driver_saves(driver, fake_block_page(test));
	driver->num_saves = 1;
	driver->hook = reread_and_save;
	driver->hook_data = file;
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	expect_attr(driver->gpu, "progress", "2");
	KUNIT_EXPECT_TRUE(test, has_changed(file));
	user_file_close(file);
}

/*
 * Each change of state sends a uevent. (The kernel counts them; others may send
 * one, too, so there can be more.)
 */
static void uevent_at_change_of_state(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	u64 before = fake_uevents(test);

	/* saving, saved */
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_EXPECT_GE(test, fake_uevents(test), before + 2);

	/* detached; restoring, running */
	before = fake_uevents(test);
	fake_driver_unregister(driver);
	KUNIT_EXPECT_GE(test, fake_uevents(test), before + 1);
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), 0);
	KUNIT_EXPECT_GE(test, fake_uevents(test), before + 3);
}

static void expect_uevent(struct fake_gpu *gpu, const char *expected)
{
	char buf[128] = "";

	KUNIT_EXPECT_GT(gpu->test, attr_read(gpu, "uevent", buf, sizeof(buf)), 0);
	KUNIT_EXPECT_STREQ(gpu->test, buf, expected);
}

/*
 * State and generation are in every uevent, whatever it is sent for: it is the
 * same that the file "uevent" shows.
 */
static void uevent_has_state_and_generation(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);

	expect_uevent(driver->gpu, "HOTUPDATE_STATE=running\nHOTUPDATE_GENERATION=0");
	FAKE_ASSERT_DETACHED(driver);
	expect_uevent(driver->gpu, "HOTUPDATE_STATE=detached\nHOTUPDATE_GENERATION=0");
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	expect_uevent(driver->gpu, "HOTUPDATE_STATE=running\nHOTUPDATE_GENERATION=1");
}

#ifdef CONFIG_DEBUG_FS
static char *read_table(struct kunit *test, struct fake_gpu *gpu)
{
	struct vfsmount *mnt = user_mount_for(test, "debugfs");
	size_t size = 256 * 1024;
	char *table = kunit_kzalloc(test, size, GFP_KERNEL);
	char path[96];
	struct file *file;
	loff_t pos = 0;
	ssize_t len;

	KUNIT_ASSERT_NOT_NULL(test, table);
	snprintf(path, sizeof(path), "drm_hotupdate/platform:%s/blocks",
		 dev_name(fake_gpu_dev(gpu)));
	file = user_file_open(mnt, path, O_RDONLY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	do {
		len = user_file_read_on(file, table + pos,
					min_t(size_t, 1000, size - pos - 1), &pos);
		KUNIT_EXPECT_GE(test, len, 0);
	} while (len > 0);
	KUNIT_EXPECT_EQ(test, file_inode(file)->i_mode & 07777, 0400);
	user_file_close(file);
	return table;
}

static unsigned int count_lines(const char *table)
{
	unsigned int lines = 0;

	for (; *table; table++)
		lines += *table == '\n';
	return lines;
}

struct line {
	unsigned int index;
	const char *kind;
	size_t bytes;
	unsigned int meta;
};

/*
 * debugfs lists each block with its kind, bytes, ranges and metadata, and
 * nothing of its content or place. Only root reads it.
 */
static void debugfs_lists_blocks(struct kunit *test)
{
	static const struct line expected[] = {
		{ 0, "ranges", 16 * PAGE_SIZE, 1 },
		{ 1, "buffer", 3 * PAGE_SIZE + 123, 24 },
		{ 2, "device", 0x200 * PAGE_SIZE, 4096 },
		{ 3, "sgt", 20 * PAGE_SIZE, 333 },
		{ 4, "ranges", PAGE_SIZE, 0 },
		{ 5, "buffer", 7, 0 },
	};
	struct fake_driver *driver = fake_driver_running(test);
	unsigned int i, index, ranges, meta;
	int words;
	char *table = read_table(test, driver->gpu);
	char kind[16];
	size_t bytes;

	KUNIT_EXPECT_EQ(test, count_lines(table), 1);
	fake_driver_saves_each_kind(driver);
	FAKE_ASSERT_DETACHED(driver);
	table = read_table(test, driver->gpu);
	KUNIT_ASSERT_EQ(test, count_lines(table), 1 + driver->num_saves);
	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		table = strchr(table, '\n') + 1;
		words = sscanf(table, "%u %15s %zu %u %u", &index, kind, &bytes,
			       &ranges, &meta);
		KUNIT_EXPECT_EQ(test, words, 5);
		KUNIT_EXPECT_EQ(test, index, expected[i].index);
		KUNIT_EXPECT_STREQ(test, kind, expected[i].kind);
		KUNIT_EXPECT_EQ(test, bytes, expected[i].bytes);
		KUNIT_EXPECT_EQ(test, meta, expected[i].meta);
		KUNIT_EXPECT_GE(test, ranges, 1);
	}
}

/*
 * A long table is read in pieces, and has each block once.
 */
static void debugfs_lists_many_blocks(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	unsigned int i, index;
	char *table, kind[8];
	int words;

	for (i = 0; i < 300; i++)
		fake_driver_saves(driver, fake_block_device(test, i, 1));
	FAKE_ASSERT_DETACHED(driver);
	table = read_table(test, driver->gpu);
	KUNIT_ASSERT_EQ(test, count_lines(table), 301);
	for (i = 0; i < 300; i++) {
		table = strchr(table, '\n') + 1;
		words = sscanf(table, "%u %7s", &index, kind);
		KUNIT_ASSERT_EQ(test, words, 2);
		KUNIT_ASSERT_EQ(test, index, i);
	}
}
#endif

static struct kunit_case sysfs_cases[] = {
	KUNIT_CASE_PARAM(attr_first_value, attrs_gen_params),
	KUNIT_CASE(attrs_follow_update),
	KUNIT_CASE_PARAM(write_bad_input, bad_inputs_gen_params),
	KUNIT_CASE_PARAM(write_no, refused_yes_gen_params),
	KUNIT_CASE(write_cancel),
	KUNIT_CASE(write_discard),
	KUNIT_CASE(write_deadline),
	KUNIT_CASE(files_within_callbacks),
	KUNIT_CASE(readers_wait_for_no_memory),
	KUNIT_CASE(last_error_of_refused_block),
	KUNIT_CASE(poll_state),
	KUNIT_CASE(poll_progress),
	KUNIT_CASE(uevent_at_change_of_state),
	KUNIT_CASE(uevent_has_state_and_generation),
#ifdef CONFIG_DEBUG_FS
	KUNIT_CASE(debugfs_lists_blocks),
	KUNIT_CASE(debugfs_lists_many_blocks),
#endif
	{ }
};

static struct kunit_suite sysfs_suite = {
	.name = "drm_hotupdate_sysfs",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = sysfs_cases,
};

kunit_test_suites(&sysfs_suite);
