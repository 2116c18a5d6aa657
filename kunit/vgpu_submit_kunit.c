// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of what clients may have the engine do: the check of a command
 * against the objects that it names, and of the counts and flags of a job.
 */

#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <drm/vgpu_drm.h>

#include "../drivers/gpu/drm/vgpu/vgpu_submit.h"
#include "vgpu_mock.h"

static const struct vgpu_submit_space spaces[] = {
	{ .address = 0x100000, .size = SZ_8K },
	{ .address = 0x200000, .size = SZ_4K },
};

struct refusal {
	const char *name;
	struct drm_vgpu_submit_cmd cmd;
	const char *words;
};

static const struct refusal refusals[] = {
	{ "op_none", { .op = 0, .size = 8 }, "operation" },
	{ "op_fence", { .op = VGPU_CMD_FENCE, .value = 1 }, "operation" },
	{ "op_next", { .op = VGPU_CMD_FENCE + 1 }, "operation" },
	{ "op_max", { .op = U32_MAX }, "operation" },
	{ "flags", { .op = VGPU_CMD_FILL, .flags = 1, .size = 8 }, "flags" },
	{ "fill_src", { .op = VGPU_CMD_FILL, .src = 1, .size = 8 }, "source" },
	{ "fill_src_offset", { .op = VGPU_CMD_FILL, .src_offset = 8, .size = 8 }, "source" },
	{ "pattern_src", { .op = VGPU_CMD_PATTERN, .src = 1, .size = 8 }, "source" },
	{ "copy_value", { .op = VGPU_CMD_COPY, .src = 1, .size = 8, .value = 1 }, "value" },
	{ "checksum_value", { .op = VGPU_CMD_CHECKSUM, .size = 8, .value = 1 }, "value" },
	{ "dst_offset_odd", { .op = VGPU_CMD_FILL, .dst_offset = 4, .size = 8 }, "eight" },
	{ "src_offset_odd", { .op = VGPU_CMD_COPY, .src = 1, .src_offset = 1, .size = 8 },
	  "eight" },
	{ "size_odd", { .op = VGPU_CMD_FILL, .size = 12 }, "eight" },
	{ "dst_unknown", { .op = VGPU_CMD_FILL, .dst = 2, .size = 8 }, "object" },
	{ "dst_max", { .op = VGPU_CMD_FILL, .dst = U32_MAX, .size = 8 }, "object" },
	{ "src_unknown", { .op = VGPU_CMD_COPY, .src = 2, .size = 8 }, "object" },
	{ "dst_end", { .op = VGPU_CMD_FILL, .dst_offset = SZ_8K, .size = 8 }, "writes" },
	{ "dst_too_long", { .op = VGPU_CMD_FILL, .dst_offset = 8, .size = SZ_8K }, "writes" },
	{ "dst_beyond", { .op = VGPU_CMD_FILL, .dst_offset = SZ_8K + 8 }, "writes" },
	{ "dst_wraps", { .op = VGPU_CMD_FILL, .dst_offset = -8ull, .size = 16 }, "writes" },
	{ "size_wraps", { .op = VGPU_CMD_FILL, .dst_offset = 16, .size = -8ull }, "writes" },
	{ "dst_smaller_than_src", { .op = VGPU_CMD_COPY, .dst = 1, .size = SZ_8K }, "writes" },
	{ "src_smaller_than_dst", { .op = VGPU_CMD_COPY, .src = 1, .size = SZ_8K }, "reads" },
	{ "src_end", { .op = VGPU_CMD_COPY, .src = 1, .src_offset = SZ_4K, .size = 8 },
	  "reads" },
	{ "src_wraps", { .op = VGPU_CMD_COPY, .src = 1, .src_offset = -8ull, .size = 16 },
	  "reads" },
	{ "checksum_src_too_long", { .op = VGPU_CMD_CHECKSUM, .src = 1, .size = SZ_4K + 8 },
	  "reads" },
	{ "checksum_dst_end", { .op = VGPU_CMD_CHECKSUM, .dst = 1, .dst_offset = SZ_4K },
	  "writes" },
	{ "copy_same", { .op = VGPU_CMD_COPY, .size = 8 }, "overlap" },
	{ "copy_overlap_up", { .op = VGPU_CMD_COPY, .dst_offset = 8, .size = 16 }, "overlap" },
	{ "copy_overlap_down", { .op = VGPU_CMD_COPY, .src_offset = 8, .size = 16 },
	  "overlap" },
};

KUNIT_ARRAY_PARAM_DESC(refusals, refusals, name);

/* Each is refused, with the reason. */
static void translate_refused(struct kunit *test)
{
	const struct refusal *refusal = test->param_value;
	struct vgpu_cmd out;
	const char *defect = vgpu_submit_translate(&refusal->cmd, spaces, ARRAY_SIZE(spaces), &out);

	KUNIT_ASSERT_NOT_NULL(test, defect);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(defect, refusal->words), "it is: %s", defect);
}

struct acceptance {
	const char *name;
	struct drm_vgpu_submit_cmd cmd;
	struct vgpu_cmd out;
};

static const struct acceptance acceptances[] = {
	{ "fill_all", { .op = VGPU_CMD_FILL, .size = SZ_8K, .value = U64_MAX },
	  { .op = VGPU_CMD_FILL, .dst = 0x100000, .size = SZ_8K, .value = U64_MAX } },
	{ "fill_last_word", { .op = VGPU_CMD_FILL, .dst = 1, .dst_offset = SZ_4K - 8, .size = 8 },
	  { .op = VGPU_CMD_FILL, .dst = 0x200ff8, .size = 8 } },
	{ "fill_nothing_at_end", { .op = VGPU_CMD_FILL, .dst_offset = SZ_8K },
	  { .op = VGPU_CMD_FILL, .dst = 0x102000 } },
	{ "pattern", { .op = VGPU_CMD_PATTERN, .dst_offset = 8, .size = 8, .value = 5 },
	  { .op = VGPU_CMD_PATTERN, .dst = 0x100008, .size = 8, .value = 5 } },
	{ "copy", { .op = VGPU_CMD_COPY, .dst_offset = SZ_4K, .src = 1, .size = SZ_4K },
	  { .op = VGPU_CMD_COPY, .dst = 0x101000, .src = 0x200000, .size = SZ_4K } },
	{ "copy_within_up", { .op = VGPU_CMD_COPY, .dst_offset = SZ_4K, .size = SZ_4K },
	  { .op = VGPU_CMD_COPY, .dst = 0x101000, .src = 0x100000, .size = SZ_4K } },
	{ "copy_within_down", { .op = VGPU_CMD_COPY, .src_offset = SZ_4K, .size = SZ_4K },
	  { .op = VGPU_CMD_COPY, .dst = 0x100000, .src = 0x101000, .size = SZ_4K } },
	{ "checksum", { .op = VGPU_CMD_CHECKSUM, .dst = 1, .dst_offset = SZ_4K - 8, .size = SZ_8K },
	  { .op = VGPU_CMD_CHECKSUM, .dst = 0x200ff8, .src = 0x100000, .size = SZ_8K } },
};

KUNIT_ARRAY_PARAM_DESC(acceptances, acceptances, name);

/* What is not refused reaches what it names, and nothing else. */
static void translate_accepted(struct kunit *test)
{
	const struct acceptance *acceptance = test->param_value;
	struct vgpu_cmd out;

	memset(&out, 0xff, sizeof(out));
	KUNIT_EXPECT_NULL(test, vgpu_submit_translate(&acceptance->cmd, spaces,
						      ARRAY_SIZE(spaces), &out));
	KUNIT_EXPECT_MEMEQ(test, &out, &acceptance->out, sizeof(out));
}

/*
 * The ioctl. No job of these gets as far as its commands: the pointers lead to where
 * user space has nothing, so -EFAULT says that the numbers are as they should be.
 */
#define NOWHERE		((u64)-PAGE_SIZE)

static int submit(struct kunit *test, const struct drm_vgpu_submit *args)
{
	struct mock_client *client = mock_client_new(test);
	struct drm_vgpu_submit copy = *args;
	int err = mock_client_call(client, DRM_VGPU_SUBMIT, &copy);

	KUNIT_EXPECT_EQ(test, atomic_read(&mock_gpu_vgpu(client->gpu)->pf.num_jobs), 0);
	return err;
}

struct args_case {
	const char *name;
	u32 num_bos, num_cmds, num_syncs, flags;
	int err;
};

/* What is refused for its numbers is not even looked for in user space. */
static const struct args_case args_cases[] = {
	{ "flags_one", 1, 1, 0, 1, -EINVAL },
	{ "flags_high", 1, 1, 0, 0x80000000, -EINVAL },
	{ "cmds_none", 1, 0, 0, 0, -EINVAL },
	{ "cmds_one_too_many", 1, VGPU_SUBMIT_MAX_CMDS + 1, 0, 0, -EINVAL },
	{ "cmds_max", 1, U32_MAX, 0, 0, -EINVAL },
	{ "bos_none", 0, 1, 0, 0, -EINVAL },
	{ "bos_more_than_a_command_uses", 3, 1, 0, 0, -EINVAL },
	{ "bos_more_than_all_commands_use", 2 * VGPU_SUBMIT_MAX_CMDS + 1,
	  VGPU_SUBMIT_MAX_CMDS, 0, 0, -EINVAL },
	{ "bos_max", U32_MAX, VGPU_SUBMIT_MAX_CMDS, 0, 0, -EINVAL },
	{ "syncs_one_too_many", 1, 1, VGPU_SUBMIT_MAX_SYNCS + 1, 0, -EINVAL },
	{ "syncs_max", 1, 1, U32_MAX, 0, -EINVAL },
	{ "least", 1, 1, 0, 0, -EFAULT },
	{ "most", 2 * VGPU_SUBMIT_MAX_CMDS, VGPU_SUBMIT_MAX_CMDS, VGPU_SUBMIT_MAX_SYNCS, 0,
	  -EFAULT },
};

KUNIT_ARRAY_PARAM_DESC(args, args_cases, name);

static void submit_args(struct kunit *test)
{
	const struct args_case *c = test->param_value;
	const struct drm_vgpu_submit args = {
		.bos = NOWHERE, .cmds = NOWHERE, .syncs = NOWHERE,
		.num_bos = c->num_bos, .num_cmds = c->num_cmds,
		.num_syncs = c->num_syncs, .flags = c->flags,
	};

	KUNIT_EXPECT_EQ(test, submit(test, &args), c->err);
}

static struct kunit_case submit_cases[] = {
	KUNIT_CASE_PARAM(submit_args, args_gen_params),
	KUNIT_CASE_PARAM(translate_refused, refusals_gen_params),
	KUNIT_CASE_PARAM(translate_accepted, acceptances_gen_params),
	{ }
};

static struct kunit_suite submit_suite = {
	.name = "vgpu_submit",
	.suite_exit = mock_suite_exit,
	.init = mock_init,
	.test_cases = submit_cases,
};

kunit_test_suites(&submit_suite);
