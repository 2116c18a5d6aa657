// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of the render node, without a user space.
 */

#include <kunit/test.h>
#include <linux/file.h>
#include <linux/fs.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>

#include "vgpu_mock.h"

static void close_client(void *data)
{
	struct mock_client *client = data;

	__fput_sync(client->file);
}

struct mock_client *mock_client_new(struct kunit *test)
{
	struct mock_client *client = kunit_kzalloc(test, sizeof(*client), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, client);
	client->test = test;
	client->gpu = mock_gpu_new(test, MOCK_VFS, MOCK_VRAM);
	client->drm = &mock_gpu_vgpu(client->gpu)->drm;
	client->file = mock_drm_getfile(client->drm->render, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client->file);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, close_client, client));
	return client;
}

struct drm_file *mock_client_file(struct mock_client *client)
{
	return client->file->private_data;
}

int mock_client_call(struct mock_client *client, unsigned int number, void *args)
{
	const struct drm_ioctl_desc *ioctl = &client->drm->driver->ioctls[number];

	KUNIT_ASSERT_LT(client->test, number, client->drm->driver->num_ioctls);
	return ioctl->func(client->drm, args, mock_client_file(client));
}

void mock_client_close(struct mock_client *client)
{
	kunit_release_action(client->test, close_client, client);
}
