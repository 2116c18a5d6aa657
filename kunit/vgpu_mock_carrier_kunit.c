// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of nothing, for what can be carried over an update by itself.
 */

#include <kunit/test.h>
#include <linux/device.h>
#include <linux/err.h>

#include "../drivers/gpu/drm/hotupdate/drm_hotupdate_internal.h"
#include "vgpu_mock.h"

static int carrier_save(struct drm_hotupdate_adapter *adapter)
{
	struct mock_carrier *carrier = drm_hotupdate_adapter_priv(adapter);

	carrier->adapter = adapter;
	return carrier->save(carrier);
}

static int carrier_restore(struct drm_hotupdate_adapter *adapter,
			   struct drm_hotupdate_block *block)
{
	struct mock_carrier *carrier = drm_hotupdate_adapter_priv(adapter);

	return carrier->restore(carrier, block);
}

static void carrier_cancel(struct drm_hotupdate_adapter *adapter)
{
}

static void carrier_abort(struct drm_hotupdate_adapter *adapter)
{
}

static int carrier_start(struct drm_hotupdate_adapter *adapter, bool restored)
{
	return 0;
}

static void carrier_stop(struct drm_hotupdate_adapter *adapter, bool saved)
{
}

static void carrier_complete(struct drm_hotupdate_adapter *adapter)
{
}

static const struct drm_hotupdate_ops carrier_ops = {
	.save_memory = carrier_save,
	.cancel_save = carrier_cancel,
	.restore_memory = carrier_restore,
	.restore_abort = carrier_abort,
	.start_device = carrier_start,
	.stop_device = carrier_stop,
	.restore_complete = carrier_complete,
};

static const struct drm_hotupdate_driver carrier_driver = {
	.name = "vgpu_mock_carrier",
	.compatible = "drm,vgpu-mock-carrier",
	.version = 1,
	.min_version = 1,
	.ops = &carrier_ops,
};

static int carrier_register(struct mock_carrier *carrier)
{
	struct drm_hotupdate_adapter *adapter;

	adapter = drm_hotupdate_adapter_register(carrier->dev, &carrier_driver, carrier);
	if (IS_ERR(adapter))
		return PTR_ERR(adapter);
	carrier->registered = true;
	if (carrier->adapter != adapter)
		get_device(&adapter->dev);
	carrier->adapter = adapter;
	return 0;
}

static void carrier_unregister(struct mock_carrier *carrier)
{
	carrier->registered = false;
	drm_hotupdate_adapter_unregister(carrier->adapter);
}

static void carrier_release(void *data)
{
	struct mock_carrier *carrier = data;

	if (carrier->registered)
		carrier_unregister(carrier);
	if (carrier->adapter) {
		if (carrier->adapter->state == HOTUPDATE_DETACHED)
			KUNIT_EXPECT_EQ(carrier->test, 0,
					hotupdate_discard(carrier->adapter, true));
		put_device(&carrier->adapter->dev);
	}
	root_device_unregister(carrier->dev);
}

struct mock_carrier *mock_carrier_new(struct kunit *test)
{
	struct mock_carrier *carrier = kunit_kzalloc(test, sizeof(*carrier), GFP_KERNEL);
	static unsigned int number;

	KUNIT_ASSERT_NOT_NULL(test, carrier);
	carrier->test = test;
	/* That of an earlier one is in use until the kernel has released it. */
	snprintf(carrier->name, sizeof(carrier->name), "vgpu_mock_carrier.%u", number++);
	/* Without a driver, which a discard would wait for. */
	carrier->dev = root_device_register(carrier->name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, carrier->dev);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, carrier_release, carrier));
	KUNIT_ASSERT_EQ(test, carrier_register(carrier), 0);
	return carrier;
}

int mock_carrier_save(struct mock_carrier *carrier)
{
	int err = drm_hotupdate_prepare(carrier->adapter, 0);

	if (!err)
		carrier_unregister(carrier);
	return err;
}

int mock_carrier_restore(struct mock_carrier *carrier)
{
	return carrier_register(carrier);
}
