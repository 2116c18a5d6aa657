// SPDX-License-Identifier: GPL-2.0-only
/*
 * A platform device with a made-up vgpu behind it, for vgpu.ko to bind to.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/kobject.h>
#include <linux/platform_device.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "../drivers/gpu/drm/hotupdate/drm_hotupdate_internal.h"
#include "../drivers/gpu/drm/vgpu/vgpu_vf.h"
#include "vgpu_mock.h"

/* Its type, so that its uevents come by here. */
static int look_at_uevent(const struct device *dev, struct kobj_uevent_env *env)
{
	const struct vgpu_hw_pdata *pdata = dev_get_platdata(dev);
	struct mock_hw *hw = container_of(pdata->hw, struct mock_hw, hw);
	struct mock_gpu *gpu = hw->gpu;
	unsigned int i;

	for (i = 0; i < env->envp_idx; i++)
		if (strstarts(env->envp[i], "VGPU_EVENT="))
			break;
	if (i == env->envp_idx)
		return 0;

	gpu->num_events++;
	gpu->event[0] = '\0';
	for (i = 0; i < env->envp_idx; i++)
		if (strstarts(env->envp[i], "VGPU_")) {
			strlcat(gpu->event, env->envp[i] + strlen("VGPU_"),
				sizeof(gpu->event));
			strlcat(gpu->event, "\n", sizeof(gpu->event));
		}
	return 0;
}

static const struct device_type mock_type = {
	.name = "vgpu_mock",
	.uevent = look_at_uevent,
};

struct vgpu_device *mock_gpu_vgpu(struct mock_gpu *gpu)
{
	struct vgpu_device *vgpu = platform_get_drvdata(gpu->pdev);

	KUNIT_ASSERT_NOT_NULL(gpu->test, vgpu);
	return vgpu;
}

struct vgpu_vf *mock_gpu_vf(struct mock_gpu *gpu, unsigned int number)
{
	return vgpu_vf(mock_gpu_vgpu(gpu), number);
}

void mock_gpu_expect_state(struct mock_gpu *gpu, const char *state)
{
	KUNIT_EXPECT_NOT_NULL(gpu->test, gpu->adapter);
	if (gpu->adapter)
		KUNIT_EXPECT_STREQ(gpu->test, hotupdate_state_name(gpu->adapter->state),
				   state);
}

const char *mock_gpu_path(struct mock_gpu *gpu, const char *name)
{
	char *path = kunit_kzalloc(gpu->test, 256, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(gpu->test, path);
	scnprintf(path, 256, "devices/platform/%s/sriov_admin/%s",
		  dev_name(&gpu->pdev->dev), name);
	return path;
}

/* Of an adapter that ends, its last reference is ours. */
static void set_adapter(struct mock_gpu *gpu, struct drm_hotupdate_adapter *adapter)
{
	if (gpu->adapter == adapter)
		return;
	if (adapter)
		get_device(&adapter->dev);
	if (gpu->adapter)
		put_device(&gpu->adapter->dev);
	gpu->adapter = adapter;
}

static void look_for_adapter(struct mock_gpu *gpu)
{
	struct vgpu_device *vgpu = platform_get_drvdata(gpu->pdev);

	if (vgpu)
		set_adapter(gpu, vgpu->adapter);
}

int mock_gpu_bind(struct mock_gpu *gpu)
{
	const struct device_driver *driver = driver_find("vgpu", &platform_bus_type);
	int err;

	KUNIT_ASSERT_NOT_NULL(gpu->test, driver);
	err = device_driver_attach(driver, &gpu->pdev->dev);
	look_for_adapter(gpu);
	return err;
}

void mock_gpu_unbind(struct mock_gpu *gpu)
{
	device_release_driver(&gpu->pdev->dev);
}

void mock_gpu_detach(struct mock_gpu *gpu, u32 version)
{
	KUNIT_ASSERT_EQ(gpu->test, drm_hotupdate_prepare(gpu->adapter, version), 0);
	mock_gpu_expect_state(gpu, "saved");
	mock_gpu_unbind(gpu);
	mock_gpu_expect_state(gpu, "detached");
}

static void gpu_release(void *data)
{
	struct mock_gpu *gpu = data;

	mock_gpu_unbind(gpu);
	if (gpu->adapter && gpu->adapter->state == HOTUPDATE_DETACHED)
		KUNIT_EXPECT_EQ(gpu->test, hotupdate_discard(gpu->adapter, true), 0);
	set_adapter(gpu, NULL);
	platform_device_unregister(gpu->pdev);
}

static struct mock_gpu *gpu_new(struct kunit *test, struct mock_hw *hw)
{
	const struct vgpu_hw_pdata pdata = { .hw = &hw->hw };
	struct mock_gpu *gpu = kunit_kzalloc(test, sizeof(*gpu), GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, gpu);
	gpu->test = test;
	gpu->hw = hw;
	hw->gpu = gpu;
	gpu->pdev = platform_device_alloc(VGPU_HW_NAME, PLATFORM_DEVID_AUTO);
	KUNIT_ASSERT_NOT_NULL(test, gpu->pdev);
	gpu->pdev->dev.type = &mock_type;
	err = platform_device_add_data(gpu->pdev, &pdata, sizeof(pdata));
	if (!err)
		err = platform_device_add(gpu->pdev);
	if (err)
		platform_device_put(gpu->pdev);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, gpu_release, gpu));
	look_for_adapter(gpu);
	return gpu;
}

struct mock_gpu *mock_gpu_new(struct kunit *test, unsigned int total_vfs, u64 vram_size)
{
	struct mock_gpu *gpu = gpu_new(test, mock_hw_new(test, total_vfs, vram_size));

	KUNIT_ASSERT_NOT_NULL(test, gpu->adapter);
	mock_gpu_expect_state(gpu, "running");
	mock_gpu_serve(gpu);
	mock_hw_forget_writes(gpu->hw);
	return gpu;
}

struct mock_gpu *mock_gpu_new_unbound(struct kunit *test, unsigned int total_vfs,
				      u64 vram_size)
{
	struct mock_hw *hw = mock_hw_new(test, total_vfs, vram_size);
	struct mock_gpu *gpu;

	hw->ident = ~0;
	gpu = gpu_new(test, hw);
	KUNIT_ASSERT_NULL(test, platform_get_drvdata(gpu->pdev));
	hw->ident = VGPU_HW_IDENT_VALUE;
	return gpu;
}

void mock_gpu_provision(struct mock_gpu *gpu, unsigned int number, u64 quota,
			enum vgpu_backing backing)
{
	struct vgpu_vf *vf = mock_gpu_vf(gpu, number);

	guard(mutex)(&vf->vgpu->sriov_lock);

	vf->profile.quota = quota;
	vf->profile.backing = backing;
}

int mock_gpu_set_num_vfs(struct mock_gpu *gpu, unsigned int num_vfs)
{
	struct vgpu_device *vgpu = mock_gpu_vgpu(gpu);

	guard(mutex)(&vgpu->sriov_lock);

	return vgpu_sriov_set_num_vfs(vgpu, num_vfs);
}

void mock_gpu_serve(struct mock_gpu *gpu)
{
	struct vgpu_device *vgpu = mock_gpu_vgpu(gpu);

	mock_hw_interrupt(gpu->hw);
	/* It queues itself again when there is much to do. */
	while (flush_work(&vgpu->irq_work))
		;
}

u64 mock_gpu_vram_free(struct mock_gpu *gpu)
{
	return vgpu_vram_free_bytes(&mock_gpu_vgpu(gpu)->vram);
}
