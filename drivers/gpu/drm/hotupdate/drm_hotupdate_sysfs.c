// SPDX-License-Identifier: GPL-2.0-only

#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: sysfs
 *
 * /sys/class/drm_hotupdate/<adapter>/ is how an administrator watches and
 * controls an update. The adapter is named after the GPU: its bus, a colon and
 * its device name. Each file is documented in
 * Documentation/ABI/testing/sysfs-class-drm_hotupdate.
 *
 * Reading never waits for an operation under way. Writing does not either: it
 * is refused.
 */

static struct drm_hotupdate_adapter *to_adapter(struct device *dev)
{
	return container_of(dev, struct drm_hotupdate_adapter, dev);
}

/* A file that shows one member, under the lock that protects it. */
#define STATUS_ATTR_RO(_name, _fmt, _value)				\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	struct drm_hotupdate_adapter *adapter = to_adapter(dev);	\
									\
	guard(mutex)(&adapter->status_lock);				\
	return sysfs_emit(buf, _fmt "\n", _value);			\
}									\
static DEVICE_ATTR_RO(_name)

STATUS_ATTR_RO(state, "%s", hotupdate_state_name(adapter->state));
STATUS_ATTR_RO(lost, "%d", hotupdate_is_lost(adapter));
STATUS_ATTR_RO(blocks, "%u", adapter->stash.count);
STATUS_ATTR_RO(bytes, "%llu", adapter->stash.bytes);
STATUS_ATTR_RO(progress, "%u", READ_ONCE(adapter->progress));
STATUS_ATTR_RO(driver, "%s", adapter->driver ?: "");
STATUS_ATTR_RO(users, "%u", hotupdate_owner_users(adapter));
STATUS_ATTR_RO(compatible, "%s", adapter->compatible ?: "");
STATUS_ATTR_RO(version, "%u", adapter->version);
STATUS_ATTR_RO(min_version, "%u", adapter->min_version);
STATUS_ATTR_RO(generation, "%llu", adapter->generation);
/* What is saved lives as long as this kernel: there is nothing to choose yet. */
STATUS_ATTR_RO(store, "%s", "none");
STATUS_ATTR_RO(blackout_save_ns, "%llu", adapter->blackout.save_ns);
STATUS_ATTR_RO(blackout_detached_ns, "%llu", adapter->blackout.detached_ns);
STATUS_ATTR_RO(blackout_replay_ns, "%llu", adapter->blackout.replay_ns);
STATUS_ATTR_RO(blackout_start_ns, "%llu", adapter->blackout.start_ns);
STATUS_ATTR_RO(blackout_ns, "%llu", hotupdate_blackout_ns(adapter));

/* Names pages by their number, which is for root alone to know. */
static ssize_t last_error_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct drm_hotupdate_adapter *adapter = to_adapter(dev);

	guard(mutex)(&adapter->status_lock);
	return sysfs_emit(buf, "%s\n", adapter->last_error);
}
static DEVICE_ATTR_ADMIN_RO(last_error);

static ssize_t prepare_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct drm_hotupdate_adapter *adapter = to_adapter(dev);
	u32 version;
	int err;

	err = kstrtou32(buf, 10, &version);
	if (err)
		return hotupdate_error(adapter, err,
				       "prepare refused: not a state version");

	err = drm_hotupdate_prepare(adapter, version);
	return err ?: count;
}
static DEVICE_ATTR_WO(prepare);

/* For files that do one thing: what is written has to be a yes. */
static int check_yes(struct drm_hotupdate_adapter *adapter, const char *what,
		     const char *buf)
{
	bool yes;

	if (!kstrtobool(buf, &yes) && yes)
		return 0;
	return hotupdate_error(adapter, -EINVAL, "%s refused: write 1 to confirm", what);
}

static ssize_t cancel_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	struct drm_hotupdate_adapter *adapter = to_adapter(dev);
	int err;

	err = check_yes(adapter, "cancel", buf) ?: drm_hotupdate_cancel(adapter);
	return err ?: count;
}
static DEVICE_ATTR_WO(cancel);

static ssize_t discard_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct drm_hotupdate_adapter *adapter = to_adapter(dev);
	bool force = sysfs_streq(buf, "force");
	int err = 0;

	if (!force)
		err = check_yes(adapter, "discard", buf);
	if (!err)
		err = hotupdate_discard(adapter, force);
	return err ?: count;
}
static DEVICE_ATTR_WO(discard);

static ssize_t deadline_ms_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_adapter(dev)->deadline_ms));
}

static ssize_t deadline_ms_store(struct device *dev, struct device_attribute *attr,
				 const char *buf, size_t count)
{
	struct drm_hotupdate_adapter *adapter = to_adapter(dev);
	unsigned int deadline_ms;
	int err;

	err = kstrtouint(buf, 10, &deadline_ms);
	if (err)
		return hotupdate_error(adapter, err,
				       "deadline refused: not a number of milliseconds");

	WRITE_ONCE(adapter->deadline_ms, deadline_ms);
	return count;
}
static DEVICE_ATTR_RW(deadline_ms);

static ssize_t saved_timeout_ms_show(struct device *dev,
				     struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_adapter(dev)->saved_timeout_ms));
}

static ssize_t saved_timeout_ms_store(struct device *dev,
				      struct device_attribute *attr,
				      const char *buf, size_t count)
{
	struct drm_hotupdate_adapter *adapter = to_adapter(dev);
	unsigned int saved_timeout_ms;
	int err;

	err = kstrtouint(buf, 10, &saved_timeout_ms);
	if (err)
		return hotupdate_error(adapter, err,
				       "timeout refused: not a number of milliseconds");

	WRITE_ONCE(adapter->saved_timeout_ms, saved_timeout_ms);
	return count;
}
static DEVICE_ATTR_RW(saved_timeout_ms);

static struct attribute *hotupdate_adapter_attrs[] = {
	&dev_attr_state.attr,
	&dev_attr_lost.attr,
	&dev_attr_prepare.attr,
	&dev_attr_cancel.attr,
	&dev_attr_discard.attr,
	&dev_attr_store.attr,
	&dev_attr_driver.attr,
	&dev_attr_users.attr,
	&dev_attr_compatible.attr,
	&dev_attr_version.attr,
	&dev_attr_min_version.attr,
	&dev_attr_generation.attr,
	&dev_attr_blocks.attr,
	&dev_attr_bytes.attr,
	&dev_attr_progress.attr,
	&dev_attr_last_error.attr,
	&dev_attr_deadline_ms.attr,
	&dev_attr_saved_timeout_ms.attr,
	&dev_attr_blackout_ns.attr,
	&dev_attr_blackout_save_ns.attr,
	&dev_attr_blackout_detached_ns.attr,
	&dev_attr_blackout_replay_ns.attr,
	&dev_attr_blackout_start_ns.attr,
	NULL
};

static const struct attribute_group hotupdate_adapter_group = {
	.attrs = hotupdate_adapter_attrs,
};

const struct attribute_group *hotupdate_adapter_groups[] = {
	&hotupdate_adapter_group,
	NULL
};
