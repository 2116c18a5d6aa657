// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the provisioning in sysfs: the files that there are, what they
 * say, and what they do not take.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "kunit_files.h"
#include "vgpu_mock.h"

/* Mounted for the suite, as that takes longer than any case. */
static struct vfsmount *sysfs;

struct files {
	struct kunit *test;
	struct mock_gpu *gpu;
};

static struct files *files_new(struct kunit *test)
{
	struct files *files = kunit_kzalloc(test, sizeof(*files), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, files);
	files->test = test;
	files->gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	return files;
}

static int store(struct files *files, const char *name, const char *text)
{
	return user_file_write(sysfs, mock_gpu_path(files->gpu, name), text);
}

static void expect_shown(struct files *files, const char *name, const char *text)
{
	char buf[128] = "";
	int len;

	len = user_file_read(sysfs, mock_gpu_path(files->gpu, name), buf,
			     sizeof(buf));
	KUNIT_EXPECT_GE_MSG(files->test, len, 0, "%s", name);
	KUNIT_EXPECT_STREQ_MSG(files->test, buf, text, "%s", name);
}

static void forget(struct files *files)
{
	mock_hw_forget_writes(files->gpu->hw);
}

struct bad_case {
	const char *name;
	const char *file;
	const char *text;
	int err;
};

static const struct bad_case bad_cases[] = {
	{ "num_vfs_words", "num_vfs", "all", -EINVAL },
	{ "num_vfs_nothing", "num_vfs", "\n", -EINVAL },
	{ "num_vfs_negative", "num_vfs", "-1", -EINVAL },
	{ "num_vfs_trailing", "num_vfs", "1 2", -EINVAL },
	{ "num_vfs_hexadecimal", "num_vfs", "0x1", -EINVAL },
	{ "num_vfs_too_many", "num_vfs", "5", -ERANGE },
	{ "num_vfs_beyond_32_bits", "num_vfs", "4294967297", -ERANGE },
	{ "quota_words", "vf1/profile/mem_quota", "much", -EINVAL },
	{ "quota_negative", "vf1/profile/mem_quota", "-4096", -EINVAL },
	{ "quota_unaligned", "vf1/profile/mem_quota", "4095", -EINVAL },
	{ "quota_one_page_too_many", "vf1/profile/mem_quota", "549755817984", -EINVAL },
	{ "quota_max", "vf1/profile/mem_quota", "18446744073709547520", -EINVAL },
	{ "quota_beyond_64_bits", "vf1/profile/mem_quota", "18446744073709551616", -ERANGE },
	{ "backing_unknown", "vf1/profile/backing", "disk", -EINVAL },
	{ "backing_number", "vf1/profile/backing", "1", -EINVAL },
	{ "backing_prefix", "vf1/profile/backing", "vra", -EINVAL },
	{ "backing_longer", "vf1/profile/backing", "vram2", -EINVAL },
	{ "backing_nothing", "vf1/profile/backing", "\n", -EINVAL },
	{ "quantum_words", "vf1/profile/exec_quantum_us", "long", -EINVAL },
	{ "quantum_zero", "vf1/profile/exec_quantum_us", "0", -ERANGE },
	{ "quantum_less", "vf1/profile/exec_quantum_us", "49", -ERANGE },
	{ "quantum_more", "vf1/profile/exec_quantum_us", "1000001", -ERANGE },
	{ "quantum_beyond_32_bits", "vf1/profile/exec_quantum_us", "4294968296", -ERANGE },
	{ "priority_unknown", "vf1/profile/sched_priority", "urgent", -EINVAL },
	{ "priority_number", "vf1/profile/sched_priority", "1", -EINVAL },
	{ "priority_prefix", "vf1/profile/sched_priority", "lo", -EINVAL },
	{ "priority_nothing", "vf1/profile/sched_priority", "\n", -EINVAL },
	{ "reset_zero", "vf1/reset", "0", -EINVAL },
	{ "reset_words", "vf1/reset", "maybe", -EINVAL },
	{ "reset_nothing", "vf1/reset", "\n", -EINVAL },
	{ "reset_of_a_vf_not_enabled", "vf1/reset", "1", -ENODEV },
	{ "total_vfs_is_read_only", "total_vfs", "1", -EACCES },
	{ "state_is_read_only", "vf1/state", "enabled", -EACCES },
	{ "mem_size_is_read_only", "vf1/mem_size", "4096", -EACCES },
	{ "timeslice_is_read_only", "vf1/timeslice_us", "100", -EACCES },
	{ "resets_is_read_only", "vf1/resets", "0", -EACCES },
	{ "vf_0", "vf0/state", "1", -ENOENT },
	{ "vf_beyond_the_last", "vf5/state", "1", -ENOENT },
};

KUNIT_ARRAY_PARAM_DESC(bad, bad_cases, name);

static bool is_priority(const char *file)
{
	return strstr(file, "sched_priority");
}

/* It is refused, nothing is changed, and the device hears nothing. */
static void store_refused(struct kunit *test)
{
	const struct bad_case *c = test->param_value;
	struct files *files;

	if (is_priority(c->file) && VGPU_RELEASE < 2)
		kunit_skip(test, "priorities came with release 2");
	files = files_new(test);
	KUNIT_EXPECT_EQ(test, store(files, c->file, c->text), c->err);
	KUNIT_EXPECT_FALSE(test, vgpu_vf_is_provisioned(mock_gpu_vf(files->gpu, 1)));
	expect_shown(files, "num_vfs", "0");
	MOCK_EXPECT_NO_WRITES(files->gpu->hw);
}

/* What is to be written is not to be read. */
static void reset_is_write_only(struct kunit *test)
{
	struct files *files = files_new(test);
	char buf[16];

	KUNIT_EXPECT_EQ(test, -EACCES,
			user_file_read(sysfs,
				       mock_gpu_path(files->gpu, "vf1/reset"), buf,
				       sizeof(buf)));
}

static const struct bad_case saved_cases[] = {
	{ "num_vfs", "num_vfs", "0" },
	{ "same_num_vfs", "num_vfs", "1" },
	{ "quota", "vf2/profile/mem_quota", "4096" },
	{ "backing", "vf2/profile/backing", "system" },
	{ "quantum", "vf2/profile/exec_quantum_us", "2000" },
	{ "quantum_of_a_running_vf", "vf1/profile/exec_quantum_us", "2000" },
	{ "priority", "vf2/profile/sched_priority", "low" },
	{ "priority_of_a_running_vf", "vf1/profile/sched_priority", "low" },
	{ "reset", "vf1/reset", "1" },
};

KUNIT_ARRAY_PARAM_DESC(saved, saved_cases, name);

/* While it is saved nothing can be changed, and afterwards it can again. */
static void store_while_saved(struct kunit *test)
{
	const struct bad_case *c = test->param_value;
	struct mock_guest *guest;
	struct files *files;

	if (is_priority(c->file) && VGPU_RELEASE < 2)
		kunit_skip(test, "priorities came with release 2");
	files = files_new(test);
	KUNIT_ASSERT_EQ(test, store(files, "num_vfs", "1"), 0);
	guest = mock_guest_new(test, files->gpu->hw, 1);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(files->gpu->adapter, 0), 0);
	forget(files);
	KUNIT_EXPECT_EQ(test, store(files, c->file, c->text), -EBUSY);
	KUNIT_EXPECT_FALSE(test, vgpu_vf_is_provisioned(mock_gpu_vf(files->gpu, 1)));
	KUNIT_EXPECT_FALSE(test, vgpu_vf_is_provisioned(mock_gpu_vf(files->gpu, 2)));
	MOCK_EXPECT_NO_WRITES(files->gpu->hw);
	expect_shown(files, "num_vfs", "1");
	expect_shown(files, "vf1/state", "enabled");

	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(files->gpu->adapter), 0);
	mock_guest_expect_intact(guest);
	KUNIT_EXPECT_EQ(test, store(files, c->file, c->text), 0);
}

/* What a guest relies on is not changed under it. */
static void store_while_enabled(struct kunit *test)
{
	struct files *files = files_new(test);

	KUNIT_ASSERT_EQ(test, store(files, "num_vfs", "2"), 0);
	forget(files);
	KUNIT_EXPECT_EQ(test, store(files, "vf1/profile/mem_quota", "4096"), -EBUSY);
	KUNIT_EXPECT_EQ(test, store(files, "vf1/profile/backing", "system"), -EBUSY);
	KUNIT_EXPECT_EQ(test, store(files, "vf1/profile/backing", "vram"), -EBUSY);
	KUNIT_EXPECT_EQ(test, store(files, "num_vfs", "3"), -EBUSY);
	MOCK_EXPECT_NO_WRITES(files->gpu->hw);
	expect_shown(files, "vf1/profile/mem_quota", "0");
	expect_shown(files, "vf1/profile/backing", "vram");
}

/* There is not enough VRAM: the error is the one that says so. */
static void num_vfs_enospc(struct kunit *test)
{
	struct files *files = files_new(test);

	KUNIT_ASSERT_EQ(test, store(files, "vf2/profile/mem_quota", "0x2000000"), 0);
	KUNIT_EXPECT_EQ(test, store(files, "num_vfs", "2"), -ENOSPC);
	expect_shown(files, "num_vfs", "0");
	expect_shown(files, "vf1/state", "disabled");
	KUNIT_EXPECT_EQ(test, store(files, "num_vfs", "1"), 0);
}

/* A device that was just found. */
static void show_defaults(struct kunit *test)
{
	struct files *files = files_new(test);

	expect_shown(files, "total_vfs", "4");
	expect_shown(files, "num_vfs", "0");
	expect_shown(files, "vf1/state", "disabled");
	expect_shown(files, "vf4/mem_size", "0");
	expect_shown(files, "vf4/timeslice_us", "0");
	expect_shown(files, "vf4/resets", "0");
	expect_shown(files, "vf4/profile/mem_quota", "0");
	expect_shown(files, "vf4/profile/backing", "vram");
	expect_shown(files, "vf4/profile/exec_quantum_us", "1000");
	if (VGPU_RELEASE >= 2)
		expect_shown(files, "vf4/profile/sched_priority", "normal");
}

/* What is stored is shown, and is what the VF is enabled with. */
static void store_and_show(struct kunit *test)
{
	struct files *files = files_new(test);
	const struct mock_fn *fn = &files->gpu->hw->fns[2];

	KUNIT_EXPECT_EQ(test, store(files, "vf2/profile/mem_quota", "2097152\n"), 0);
	KUNIT_EXPECT_EQ(test, store(files, "vf2/profile/backing", "system\n"), 0);
	KUNIT_EXPECT_EQ(test, store(files, "vf2/profile/exec_quantum_us", "5000\n"), 0);
	expect_shown(files, "vf2/profile/mem_quota", "2097152");
	expect_shown(files, "vf2/profile/backing", "system");
	expect_shown(files, "vf2/profile/exec_quantum_us", "5000");
	if (VGPU_RELEASE >= 2) {
		KUNIT_EXPECT_EQ(test, store(files, "vf2/profile/sched_priority", "high\n"), 0);
		expect_shown(files, "vf2/profile/sched_priority", "high");
	}
	MOCK_EXPECT_NO_WRITES(files->gpu->hw);

	KUNIT_EXPECT_EQ(test, store(files, "num_vfs", "2\n"), 0);
	expect_shown(files, "num_vfs", "2");
	expect_shown(files, "vf1/state", "enabled");
	expect_shown(files, "vf2/state", "enabled");
	expect_shown(files, "vf3/state", "disabled");
	expect_shown(files, "vf2/mem_size", "2097152");
	expect_shown(files, "vf2/timeslice_us", "5000");
	KUNIT_EXPECT_EQ(test, fn->mem_size, SZ_2M);
	KUNIT_EXPECT_EQ(test, fn->timeslice_us, 5000);
	KUNIT_EXPECT_TRUE(test, mock_walk(fn->table, 0, NULL) & VGPU_LMTT_SYSTEM);
	if (VGPU_RELEASE >= 2)
		KUNIT_EXPECT_EQ(test, fn->priority, VGPU_PRIORITY_HIGH);
}

/* Limits are allowed values. */
static void store_limits(struct kunit *test)
{
	struct files *files = files_new(test);

	KUNIT_EXPECT_EQ(test, store(files, "vf1/profile/mem_quota", "549755813888"), 0);
	expect_shown(files, "vf1/profile/mem_quota", "549755813888");
	KUNIT_EXPECT_EQ(test, store(files, "vf1/profile/mem_quota", "4096"), 0);
	KUNIT_EXPECT_EQ(test, store(files, "vf1/profile/mem_quota", "0"), 0);
	KUNIT_EXPECT_EQ(test, store(files, "vf1/profile/exec_quantum_us", "50"), 0);
	KUNIT_EXPECT_EQ(test, store(files, "vf1/profile/exec_quantum_us", "1000000"), 0);
	KUNIT_EXPECT_EQ(test, store(files, "num_vfs", "4"), 0);
}

/* A VF that runs can be given other time slices, and another priority. */
static void store_scheduling_while_enabled(struct kunit *test)
{
	struct files *files = files_new(test);

	KUNIT_ASSERT_EQ(test, store(files, "num_vfs", "1"), 0);
	forget(files);
	KUNIT_EXPECT_EQ(test, store(files, "vf1/profile/exec_quantum_us", "300"), 0);
	expect_shown(files, "vf1/timeslice_us", "300");
	MOCK_EXPECT_WRITES(files->gpu->hw, { VGPU_FN(1, VGPU_FN_TIMESLICE_US), 300 });
	if (VGPU_RELEASE < 2)
		return;
	forget(files);
	KUNIT_EXPECT_EQ(test, store(files, "vf1/profile/sched_priority", "low"), 0);
	MOCK_EXPECT_WRITES(files->gpu->hw,
			   { VGPU_FN(1, VGPU_FN_PRIORITY), VGPU_PRIORITY_LOW });
}

/* An FLR, on request. */
static void reset_of_a_vf(struct kunit *test)
{
	struct files *files = files_new(test);

	KUNIT_ASSERT_EQ(test, store(files, "num_vfs", "2"), 0);
	forget(files);
	KUNIT_EXPECT_EQ(test, store(files, "vf2/reset", "1"), 0);
	KUNIT_EXPECT_EQ(test, store(files, "vf2/reset", "y\n"), 0);
	KUNIT_EXPECT_EQ(test, mock_hw_resets_of(files->gpu->hw, 2), 2);
	KUNIT_EXPECT_EQ(test, mock_hw_resets_of(files->gpu->hw, 1), 0);
	expect_shown(files, "vf2/resets", "2");
	expect_shown(files, "vf1/resets", "0");
	expect_shown(files, "vf2/state", "enabled");
}

/* Priorities came with release 2. */
static void priority_is_of_release_2(struct kunit *test)
{
	struct files *files = files_new(test);
	char buf[16];
	int len;

	len = user_file_read(sysfs,
			     mock_gpu_path(files->gpu, "vf1/profile/sched_priority"), buf,
			     sizeof(buf));
	if (VGPU_RELEASE >= 2)
		KUNIT_EXPECT_GT(test, len, 0);
	else
		KUNIT_EXPECT_EQ(test, len, -ENOENT);
}

/* The tree goes with the driver. */
static void unbind_removes_files(struct kunit *test)
{
	struct files *files = files_new(test);
	char buf[16];

	mock_gpu_unbind(files->gpu);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			user_file_read(sysfs, mock_gpu_path(files->gpu, "num_vfs"),
				       buf, sizeof(buf)));
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(files->gpu), 0);
	expect_shown(files, "num_vfs", "0");
}

static int mount_sysfs(struct kunit_suite *suite)
{
	struct vfsmount *mnt = user_mount("sysfs");

	if (IS_ERR(mnt))
		return PTR_ERR(mnt);
	sysfs = mnt;
	return 0;
}

static void unmount_sysfs(struct kunit_suite *suite)
{
	user_unmount(sysfs);
	mock_suite_exit(suite);
}

static struct kunit_case sysfs_cases[] = {
	KUNIT_CASE_PARAM(store_refused, bad_gen_params),
	KUNIT_CASE(reset_is_write_only),
	KUNIT_CASE_PARAM(store_while_saved, saved_gen_params),
	KUNIT_CASE(store_while_enabled),
	KUNIT_CASE(num_vfs_enospc),
	KUNIT_CASE(show_defaults),
	KUNIT_CASE(store_and_show),
	KUNIT_CASE(store_limits),
	KUNIT_CASE(store_scheduling_while_enabled),
	KUNIT_CASE(reset_of_a_vf),
	KUNIT_CASE(priority_is_of_release_2),
	KUNIT_CASE(unbind_removes_files),
	{ }
};

static struct kunit_suite sysfs_suite = {
	.name = "vgpu_sysfs",
	.suite_init = mount_sysfs,
	.suite_exit = unmount_sysfs,
	.init = mock_init,
	.test_cases = sysfs_cases,
};

kunit_test_suite(sysfs_suite);
