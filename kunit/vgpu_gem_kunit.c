// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the render node: the ioctls that clients of the host make
 * objects with, and what they do not take.
 */

#include <kunit/test.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sizes.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/vgpu_drm.h>

#include "../drivers/gpu/drm/vgpu/vgpu_gem.h"
#include "../drivers/gpu/drm/vgpu/vgpu_submit.h"
#include "vgpu_mock.h"

static int create(struct mock_client *client, u64 size, u32 flags, u32 *handle)
{
	struct drm_vgpu_gem_create args = { .size = size, .flags = flags };
	int err = mock_client_call(client, DRM_VGPU_GEM_CREATE, &args);

	*handle = args.handle;
	return err;
}

static u64 param(struct mock_client *client, u32 what)
{
	struct drm_vgpu_get_param args = { .param = what };

	KUNIT_EXPECT_EQ(client->test, mock_client_call(client, DRM_VGPU_GET_PARAM, &args), 0);
	return args.value;
}

struct create_case {
	const char *name;
	struct drm_vgpu_gem_create args;
	int err;
};

static const struct create_case create_cases[] = {
	{ "flags_unknown", { .size = SZ_4K, .flags = 2 }, -EINVAL },
	{ "flags_unknown_and_vram", { .size = SZ_4K, .flags = 3 }, -EINVAL },
	{ "flags_high", { .size = SZ_4K, .flags = 0x80000000 }, -EINVAL },
	{ "handle_given", { .size = SZ_4K, .handle = 1 }, -EINVAL },
	{ "size_zero", { }, -EINVAL },
	{ "size_zero_in_vram", { .flags = DRM_VGPU_GEM_VRAM }, -EINVAL },
	{ "size_max", { .size = U64_MAX }, -EINVAL },
	{ "size_max_in_vram", { .size = U64_MAX, .flags = DRM_VGPU_GEM_VRAM }, -EINVAL },
	{ "size_wraps_when_rounded", { .size = U64_MAX - SZ_4K + 2 }, -EINVAL },
	{ "size_beyond_what_can_be_mapped", { .size = VGPU_LMTT_MAX_SIZE + 1 }, -EINVAL },
	{ "vram_of_one_byte_too_many", {
		.size = MOCK_VRAM + 1, .flags = DRM_VGPU_GEM_VRAM }, -ENOSPC },
	{ "vram_of_all_that_can_be_mapped", {
		.size = VGPU_LMTT_MAX_SIZE, .flags = DRM_VGPU_GEM_VRAM }, -ENOSPC },
};

KUNIT_ARRAY_PARAM_DESC(create, create_cases, name);

/* No object is made, and no memory is used. */
static void create_refused(struct kunit *test)
{
	const struct create_case *c = test->param_value;
	struct mock_client *client = mock_client_new(test);
	struct drm_vgpu_gem_create args = c->args;
	struct drm_file *file = client->file->private_data;

	KUNIT_EXPECT_EQ(test, mock_client_call(client, DRM_VGPU_GEM_CREATE, &args), c->err);
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&file->object_idr));
	KUNIT_EXPECT_EQ(test, param(client, DRM_VGPU_PARAM_VRAM_FREE), MOCK_VRAM);
	KUNIT_EXPECT_EQ(test, args.size, c->args.size);
}

/* Whichever allocation fails, there is no object, and nothing in VRAM. */
static void create_vram_fail_nth(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	unsigned int nth = 0;
	bool has_failed;
	u32 handle;
	int err;

	mock_fail_init(test);
	do {
		mock_fail_begin(++nth);
		err = create(client, SZ_64K, DRM_VGPU_GEM_VRAM, &handle);
		has_failed = mock_fail_end();
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_TRUE(test, has_failed);
		} else {
			KUNIT_EXPECT_EQ(test, 0,
					drm_gem_handle_delete(client->file->private_data,
							      handle));
		}
		KUNIT_EXPECT_EQ(test, param(client, DRM_VGPU_PARAM_VRAM_FREE), MOCK_VRAM);
	} while (has_failed);
	KUNIT_EXPECT_EQ(test, err, 0);
}

/* After the driver has gone, a client that is left gets nothing more. */
static void create_unplugged(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	u32 handle;

	mock_gpu_unbind(client->gpu);
	KUNIT_EXPECT_EQ(test, create(client, SZ_4K, 0, &handle), -ENODEV);
	KUNIT_EXPECT_EQ(test, create(client, SZ_4K, DRM_VGPU_GEM_VRAM, &handle), -ENODEV);
}

struct size_case {
	const char *name;
	u64 size;
	u64 rounded;
};

static const struct size_case size_cases[] = {
	{ "one_byte", 1, SZ_4K },
	{ "page", SZ_4K, SZ_4K },
	{ "page_and_a_byte", SZ_4K + 1, SZ_8K },
	{ "all_of_vram", MOCK_VRAM, MOCK_VRAM },
};

KUNIT_ARRAY_PARAM_DESC(size, size_cases, name);

/* An object in VRAM is zeroed, whatever was there, and is freed with its handle. */
static void create_vram(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	struct mock_client *client = mock_client_new(test);
	struct drm_vgpu_gem_create args = { .size = c->size, .flags = DRM_VGPU_GEM_VRAM };
	struct drm_file *file = client->file->private_data;
	struct drm_gem_object *obj;
	struct vgpu_gem_vram *bo;

	memset(client->gpu->hw->hw.vram, 0xa5, MOCK_VRAM);
	KUNIT_ASSERT_EQ(test, mock_client_call(client, DRM_VGPU_GEM_CREATE, &args), 0);
	KUNIT_EXPECT_EQ(test, args.size, c->rounded);
	KUNIT_EXPECT_NE(test, args.handle, 0);
	KUNIT_EXPECT_EQ(test, param(client, DRM_VGPU_PARAM_VRAM_FREE),
			MOCK_VRAM - c->rounded);

	obj = drm_gem_object_lookup(file, args.handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_TRUE(test, vgpu_gem_is_vram(obj));
	KUNIT_EXPECT_EQ(test, obj->size, c->rounded);
	bo = container_of(obj, struct vgpu_gem_vram, base);
	KUNIT_EXPECT_NULL(test, memchr_inv(client->gpu->hw->hw.vram + bo->node.start, 0,
					   c->rounded));
	drm_gem_object_put(obj);

	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(file, args.handle), 0);
	KUNIT_EXPECT_EQ(test, param(client, DRM_VGPU_PARAM_VRAM_FREE), MOCK_VRAM);
}

/* An object in system memory takes none of VRAM. */
static void create_system(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	struct drm_file *file = client->file->private_data;
	struct drm_gem_object *obj;
	u32 handle;

	KUNIT_ASSERT_EQ(test, create(client, MOCK_VRAM + 1, 0, &handle), 0);
	KUNIT_EXPECT_EQ(test, param(client, DRM_VGPU_PARAM_VRAM_FREE), MOCK_VRAM);
	obj = drm_gem_object_lookup(file, handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_FALSE(test, vgpu_gem_is_vram(obj));
	KUNIT_EXPECT_EQ(test, obj->size, MOCK_VRAM + SZ_4K);
	drm_gem_object_put(obj);
}

/* VFs do not get what a client has, and a client does not get what VFs have. */
static void create_vram_beside_vfs(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	u32 handle;

	mock_gpu_provision(client->gpu, 1, SZ_8M, VGPU_BACKING_VRAM);
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(client->gpu, 1), 0);
	KUNIT_EXPECT_EQ(test, create(client, SZ_8M + SZ_4K, DRM_VGPU_GEM_VRAM, &handle),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, create(client, SZ_8M, DRM_VGPU_GEM_VRAM, &handle), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(client->gpu, 0), 0);
	mock_gpu_provision(client->gpu, 1, SZ_8M + SZ_4K, VGPU_BACKING_VRAM);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(client->gpu, 1), -ENOSPC);
}

/* Closing the file frees what the client had. */
static void close_frees_all(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	u32 handle;

	KUNIT_ASSERT_EQ(test, create(client, SZ_1M, DRM_VGPU_GEM_VRAM, &handle), 0);
	KUNIT_ASSERT_EQ(test, create(client, SZ_2M, DRM_VGPU_GEM_VRAM, &handle), 0);
	KUNIT_ASSERT_EQ(test, create(client, SZ_2M, 0, &handle), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(client->gpu), MOCK_VRAM - 3 * SZ_1M);
	mock_client_close(client);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(client->gpu), MOCK_VRAM);
}

/*
 * A client that has the node open keeps a module from being unloaded, but not a
 * device from being unbound: it gets nothing more, and what it had is not taken
 * for what is saved.
 */
static void update_with_open_client(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	struct mock_gpu *gpu = client->gpu;
	struct mock_guest *guest;
	u32 handle;

	KUNIT_ASSERT_EQ(test, create(client, SZ_1M, DRM_VGPU_GEM_VRAM, &handle), 0);
	mock_gpu_provision(gpu, 1, SZ_1M, VGPU_BACKING_VRAM);
	KUNIT_ASSERT_EQ(test, mock_gpu_set_num_vfs(gpu, 1), 0);
	guest = mock_guest_new(test, gpu->hw, 1);
	mock_gpu_detach(gpu, 0);
	KUNIT_EXPECT_EQ(test, create(client, SZ_4K, 0, &handle), -ENODEV);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(gpu), 0);
	mock_guest_expect_intact(guest);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu), MOCK_VRAM - SZ_1M);

	/* It leaves at last, and with it all that was the old driver's. */
	mock_client_close(client);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(gpu), MOCK_VRAM - SZ_1M);
	mock_guest_expect_intact(guest);
}

static int mmap_offset(struct mock_client *client, u32 handle, u32 pad, u64 *offset)
{
	struct drm_vgpu_gem_mmap_offset args = { .handle = handle, .pad = pad };
	int err = mock_client_call(client, DRM_VGPU_GEM_MMAP_OFFSET, &args);

	*offset = args.offset;
	return err;
}

static void mmap_offset_refused(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	u32 handle;
	u64 offset;

	KUNIT_ASSERT_EQ(test, create(client, SZ_4K, 0, &handle), 0);
	KUNIT_EXPECT_EQ(test, mmap_offset(client, handle, 1, &offset), -EINVAL);
	KUNIT_EXPECT_EQ(test, mmap_offset(client, 0, 0, &offset), -ENOENT);
	KUNIT_EXPECT_EQ(test, mmap_offset(client, handle + 1, 0, &offset), -ENOENT);
	KUNIT_EXPECT_EQ(test, mmap_offset(client, U32_MAX, 0, &offset), -ENOENT);
}

/* Each object has a place of its own to be mapped at, and keeps it. */
static void mmap_offset_distinct(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	u32 a, b;
	u64 offset_a, offset_b, again;

	KUNIT_ASSERT_EQ(test, create(client, SZ_64K, 0, &a), 0);
	KUNIT_ASSERT_EQ(test, create(client, SZ_64K, DRM_VGPU_GEM_VRAM, &b), 0);
	KUNIT_ASSERT_EQ(test, mmap_offset(client, a, 0, &offset_a), 0);
	KUNIT_ASSERT_EQ(test, mmap_offset(client, b, 0, &offset_b), 0);
	KUNIT_EXPECT_GE(test, max(offset_a, offset_b) - min(offset_a, offset_b), SZ_64K);
	KUNIT_ASSERT_EQ(test, mmap_offset(client, a, 0, &again), 0);
	KUNIT_EXPECT_EQ(test, again, offset_a);
}

struct param_case {
	const char *name;
	struct drm_vgpu_get_param args;
	int err;
	u64 value;
};

static const struct param_case param_cases[] = {
	{ "zero", { .param = 0 }, -EINVAL },
	{ "next", { .param = 6 }, -EINVAL },
	{ "max", { .param = U32_MAX }, -EINVAL },
	{ "pad", { .param = DRM_VGPU_PARAM_RELEASE, .pad = 1 }, -EINVAL },
	{ "value", { .param = DRM_VGPU_PARAM_RELEASE, .value = 1 }, -EINVAL },
	{ "vram_size", { .param = DRM_VGPU_PARAM_VRAM_SIZE }, 0, MOCK_VRAM },
	{ "vram_free", { .param = DRM_VGPU_PARAM_VRAM_FREE }, 0, MOCK_VRAM },
	{ "total_vfs", { .param = DRM_VGPU_PARAM_TOTAL_VFS }, 0, MOCK_VFS },
	{ "release", { .param = DRM_VGPU_PARAM_RELEASE }, 0, VGPU_RELEASE },
	{ "max_cmds", { .param = DRM_VGPU_PARAM_MAX_CMDS }, 0, VGPU_SUBMIT_MAX_CMDS },
};

KUNIT_ARRAY_PARAM_DESC(param, param_cases, name);

static void get_param(struct kunit *test)
{
	const struct param_case *c = test->param_value;
	struct mock_client *client = mock_client_new(test);
	struct drm_vgpu_get_param args = c->args;

	KUNIT_EXPECT_EQ(test, mock_client_call(client, DRM_VGPU_GET_PARAM, &args), c->err);
	KUNIT_EXPECT_EQ(test, args.value, c->err ? c->args.value : c->value);
}

/* All of it is for clients of the render node, without more rights than that. */
static void ioctls_are_for_render_nodes(struct kunit *test)
{
	struct mock_client *client = mock_client_new(test);
	unsigned int i;

	for (i = 0; i < client->drm->driver->num_ioctls; i++)
		KUNIT_EXPECT_EQ(test, client->drm->driver->ioctls[i].flags,
				DRM_RENDER_ALLOW);
}

static struct kunit_case gem_cases[] = {
	KUNIT_CASE_PARAM(create_refused, create_gen_params),
	KUNIT_CASE(create_vram_fail_nth),
	KUNIT_CASE(create_unplugged),
	KUNIT_CASE(mmap_offset_refused),
	KUNIT_CASE_PARAM(get_param, param_gen_params),
	KUNIT_CASE(ioctls_are_for_render_nodes),
	KUNIT_CASE_PARAM(create_vram, size_gen_params),
	KUNIT_CASE(create_system),
	KUNIT_CASE(create_vram_beside_vfs),
	KUNIT_CASE(close_frees_all),
	KUNIT_CASE(mmap_offset_distinct),
	KUNIT_CASE(update_with_open_client),
	{ }
};

static struct kunit_suite gem_suite = {
	.name = "vgpu_gem",
	.suite_exit = mock_suite_exit,
	.init = mock_init,
	.test_cases = gem_cases,
};

kunit_test_suite(gem_suite);
