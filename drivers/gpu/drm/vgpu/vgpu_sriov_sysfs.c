// SPDX-License-Identifier: GPL-2.0-only

#include <linux/cleanup.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/string_choices.h>
#include <linux/sysfs.h>

#include <drm/drm_print.h>

#include "vgpu_drv.h"

/**
 * DOC: provisioning
 *
 * How an administrator provisions VFs, below the device in sysfs::
 *
 *	sriov_admin/
 *	├── total_vfs
 *	├── num_vfs
 *	└── vf1/
 *	    ├── state
 *	    ├── mem_size
 *	    ├── timeslice_us
 *	    ├── resets
 *	    ├── reset
 *	    └── profile/
 *	        ├── mem_quota
 *	        ├── backing
 *	        ├── exec_quantum_us
 *	        └── sched_priority
 *
 * All of it is documented in Documentation/ABI/testing/sysfs-driver-vgpu.
 * From the save of a hot update to its commit or cancel nothing can be changed: -EBUSY.
 * A write does not wait for the commit, because the removal of the tree waits for it.
 */

/**
 * struct vgpu_sriov_dir - a directory of the tree
 */
struct vgpu_sriov_dir {
	/** @kobj: the directory */
	struct kobject kobj;
	/** @vgpu: the device, which outlives the directory */
	struct vgpu_device *vgpu;
	/** @number: of the VF, 0 for all of them */
	unsigned int number;
};

static struct vgpu_sriov_dir *to_dir(struct kobject *kobj)
{
	return container_of(kobj, struct vgpu_sriov_dir, kobj);
}

static struct vgpu_vf *to_vf(struct kobject *kobj)
{
	struct vgpu_sriov_dir *dir = to_dir(kobj);

	return vgpu_vf(dir->vgpu, dir->number);
}

static void dir_release(struct kobject *kobj)
{
	kfree(to_dir(kobj));
}

static const struct kobj_type dir_ktype = {
	.release = dir_release,
	.sysfs_ops = &kobj_sysfs_ops,
};

static struct kobject *add_dir(struct vgpu_device *vgpu, unsigned int number,
			       struct kobject *parent,
			       const struct attribute_group **groups,
			       const char *name)
{
	struct vgpu_sriov_dir *dir;
	int err;

	dir = kzalloc(sizeof(*dir), GFP_KERNEL);
	if (!dir)
		return ERR_PTR(-ENOMEM);
	dir->vgpu = vgpu;
	dir->number = number;

	err = kobject_init_and_add(&dir->kobj, &dir_ktype, parent, "%s", name);
	if (!err)
		err = sysfs_create_groups(&dir->kobj, groups);
	if (err) {
		kobject_put(&dir->kobj);
		return ERR_PTR(err);
	}
	return &dir->kobj;
}

static void remove_dir(struct kobject *kobj)
{
	if (!IS_ERR_OR_NULL(kobj)) {
		kobject_del(kobj);
		kobject_put(kobj);
	}
}

/*
 * All of them
 */

static ssize_t total_vfs_show(struct kobject *kobj, struct kobj_attribute *attr,
			      char *buf)
{
	return sysfs_emit(buf, "%u\n", to_dir(kobj)->vgpu->total_vfs);
}

static ssize_t num_vfs_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	struct vgpu_device *vgpu = to_dir(kobj)->vgpu;

	guard(mutex)(&vgpu->sriov_lock);

	return sysfs_emit(buf, "%u\n", vgpu->num_vfs);
}

static ssize_t num_vfs_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t count)
{
	struct vgpu_device *vgpu = to_dir(kobj)->vgpu;
	unsigned int num_vfs;
	int err;

	err = kstrtouint(buf, 10, &num_vfs);
	if (err)
		return err;

	guard(mutex)(&vgpu->sriov_lock);

	if (!vgpu->serving)
		return -EBUSY;
	err = vgpu_sriov_set_num_vfs(vgpu, num_vfs);
	return err ?: count;
}

static struct kobj_attribute total_vfs_attr = __ATTR_RO(total_vfs);
static struct kobj_attribute num_vfs_attr = __ATTR_RW(num_vfs);

static struct attribute *admin_attrs[] = {
	&total_vfs_attr.attr,
	&num_vfs_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(admin);

/*
 * One of them
 */

/* A read-only file that shows a number of the VF. */
#define VF_ATTR_RO(_name, _value)					\
static ssize_t _name##_show(struct kobject *kobj,			\
			    struct kobj_attribute *attr, char *buf)	\
{									\
	struct vgpu_vf *vf = to_vf(kobj);				\
									\
	guard(mutex)(&vf->vgpu->sriov_lock);				\
	return sysfs_emit(buf, "%llu\n", (u64)(_value));		\
}									\
static struct kobj_attribute _name##_attr = __ATTR_RO(_name)

VF_ATTR_RO(mem_size, vf->enabled ? vf->memory.size : 0);
VF_ATTR_RO(timeslice_us, vf->enabled ? vf->timeslice_us : 0);
VF_ATTR_RO(resets, vf->resets);

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct vgpu_vf *vf = to_vf(kobj);

	guard(mutex)(&vf->vgpu->sriov_lock);

	if (vf->lost)
		return sysfs_emit(buf, "lost: %s\n", vf->lost);
	return sysfs_emit(buf, "%s\n", str_enabled_disabled(vf->enabled));
}

static struct kobj_attribute state_attr = __ATTR_RO(state);

static ssize_t reset_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	struct vgpu_vf *vf = to_vf(kobj);
	bool yes;
	int err = 0;

	if (kstrtobool(buf, &yes) || !yes)
		return -EINVAL;

	guard(mutex)(&vf->vgpu->sriov_lock);

	if (!vf->vgpu->serving)
		return -EBUSY;
	if (vf->enabled)
		vgpu_vf_reset(vf);
	else if (vf->lost && vf->number <= vf->vgpu->num_vfs)
		err = vgpu_sriov_recover(vf);
	else
		err = -ENODEV;
	return err ?: count;
}

static struct kobj_attribute reset_attr = __ATTR_WO(reset);

static struct attribute *vf_attrs[] = {
	&state_attr.attr,
	&mem_size_attr.attr,
	&timeslice_us_attr.attr,
	&resets_attr.attr,
	&reset_attr.attr,
	NULL
};

static const struct attribute_group vf_group = {
	.attrs = vf_attrs,
};

/*
 * The profile of one of them
 */

static ssize_t mem_quota_show(struct kobject *kobj, struct kobj_attribute *attr,
			      char *buf)
{
	struct vgpu_vf *vf = to_vf(kobj);

	guard(mutex)(&vf->vgpu->sriov_lock);

	return sysfs_emit(buf, "%llu\n", vf->profile.quota);
}

/* What cannot be changed under a guest. */
static int check_not_in_use(const struct vgpu_vf *vf)
{
	return vf->vgpu->serving && !vf->enabled ? 0 : -EBUSY;
}

static ssize_t mem_quota_store(struct kobject *kobj, struct kobj_attribute *attr,
			       const char *buf, size_t count)
{
	struct vgpu_vf *vf = to_vf(kobj);
	u64 quota;
	int err;

	err = kstrtou64(buf, 0, &quota);
	if (err)
		return err;
	if (!IS_ALIGNED(quota, VGPU_PAGE_SIZE) || quota > VGPU_LMTT_MAX_SIZE)
		return -EINVAL;

	guard(mutex)(&vf->vgpu->sriov_lock);

	err = check_not_in_use(vf);
	if (err)
		return err;
	vf->profile.quota = quota;
	return count;
}

static struct kobj_attribute mem_quota_attr = __ATTR_RW(mem_quota);

static const char * const backing_names[] = {
	[VGPU_BACKING_VRAM] = "vram",
	[VGPU_BACKING_SYSTEM] = "system",
};

static ssize_t backing_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct vgpu_vf *vf = to_vf(kobj);

	guard(mutex)(&vf->vgpu->sriov_lock);

	return sysfs_emit(buf, "%s\n", backing_names[vf->profile.backing]);
}

static ssize_t backing_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t count)
{
	struct vgpu_vf *vf = to_vf(kobj);
	enum vgpu_backing backing;
	int err;

	if (sysfs_streq(buf, backing_names[VGPU_BACKING_VRAM]))
		backing = VGPU_BACKING_VRAM;
	else if (sysfs_streq(buf, backing_names[VGPU_BACKING_SYSTEM]))
		backing = VGPU_BACKING_SYSTEM;
	else
		return -EINVAL;

	guard(mutex)(&vf->vgpu->sriov_lock);

	err = check_not_in_use(vf);
	if (err)
		return err;
	vf->profile.backing = backing;
	return count;
}

static struct kobj_attribute backing_attr = __ATTR_RW(backing);

static ssize_t exec_quantum_us_show(struct kobject *kobj, struct kobj_attribute *attr,
				    char *buf)
{
	struct vgpu_vf *vf = to_vf(kobj);

	guard(mutex)(&vf->vgpu->sriov_lock);

	return sysfs_emit(buf, "%u\n", vf->profile.quantum_us);
}

static ssize_t exec_quantum_us_store(struct kobject *kobj, struct kobj_attribute *attr,
				     const char *buf, size_t count)
{
	struct vgpu_vf *vf = to_vf(kobj);
	u32 quantum_us;
	int err;

	err = kstrtou32(buf, 10, &quantum_us);
	if (err)
		return err;
	if (quantum_us < VGPU_TIMESLICE_US_MIN || quantum_us > VGPU_TIMESLICE_US_MAX)
		return -ERANGE;

	guard(mutex)(&vf->vgpu->sriov_lock);

	if (!vf->vgpu->serving)
		return -EBUSY;
	vf->profile.quantum_us = quantum_us;
	if (vf->enabled)
		vgpu_vf_set_timeslice(vf, quantum_us);
	return count;
}

static struct kobj_attribute exec_quantum_us_attr = __ATTR_RW(exec_quantum_us);

static const char * const priority_names[] = {
	[VGPU_PRIORITY_LOW] = "low",
	[VGPU_PRIORITY_NORMAL] = "normal",
	[VGPU_PRIORITY_HIGH] = "high",
};

static ssize_t sched_priority_show(struct kobject *kobj, struct kobj_attribute *attr,
				   char *buf)
{
	struct vgpu_vf *vf = to_vf(kobj);

	guard(mutex)(&vf->vgpu->sriov_lock);

	return sysfs_emit(buf, "%s\n", priority_names[vf->profile.priority]);
}

static ssize_t sched_priority_store(struct kobject *kobj, struct kobj_attribute *attr,
				    const char *buf, size_t count)
{
	int priority = sysfs_match_string(priority_names, buf);
	struct vgpu_vf *vf = to_vf(kobj);

	if (priority < 0)
		return priority;

	guard(mutex)(&vf->vgpu->sriov_lock);

	if (!vf->vgpu->serving)
		return -EBUSY;
	vgpu_vf_set_priority(vf, priority);
	return count;
}

static struct kobj_attribute sched_priority_attr = __ATTR_RW(sched_priority);

static struct attribute *profile_attrs[] = {
	&mem_quota_attr.attr,
	&backing_attr.attr,
	&exec_quantum_us_attr.attr,
	&sched_priority_attr.attr,
	NULL
};

/* Priorities came with release 2. */
static umode_t profile_is_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	if (attr == &sched_priority_attr.attr && VGPU_RELEASE < 2)
		return 0;
	return attr->mode;
}

static const struct attribute_group profile_group = {
	.name = "profile",
	.attrs = profile_attrs,
	.is_visible = profile_is_visible,
};

static const struct attribute_group *vf_groups[] = {
	&vf_group,
	&profile_group,
	NULL
};

/**
 * vgpu_sriov_sysfs_add - make the tree
 * @vgpu: device
 *
 * Return: 0 or a negative errno.
 */
int vgpu_sriov_sysfs_add(struct vgpu_device *vgpu)
{
	struct kobject *kobj;
	unsigned int number;
	char name[16];

	kobj = add_dir(vgpu, 0, &vgpu->drm.dev->kobj, admin_groups, "sriov_admin");
	if (IS_ERR(kobj))
		return PTR_ERR(kobj);
	vgpu->sriov_admin = kobj;

	for (number = 1; number <= vgpu->total_vfs; number++) {
		scnprintf(name, sizeof(name), "vf%u", number);
		kobj = add_dir(vgpu, number, vgpu->sriov_admin, vf_groups, name);
		if (IS_ERR(kobj)) {
			vgpu_sriov_sysfs_remove(vgpu);
			return PTR_ERR(kobj);
		}
		vgpu_vf(vgpu, number)->sysfs = kobj;
	}
	return 0;
}

/**
 * vgpu_sriov_sysfs_remove - undo vgpu_sriov_sysfs_add()
 * @vgpu: device
 *
 * When this returns no file of the tree is in use.
 */
void vgpu_sriov_sysfs_remove(struct vgpu_device *vgpu)
{
	unsigned int number;

	for (number = 1; number <= vgpu->total_vfs; number++) {
		remove_dir(vgpu_vf(vgpu, number)->sysfs);
		vgpu_vf(vgpu, number)->sysfs = NULL;
	}
	remove_dir(vgpu->sriov_admin);
	vgpu->sriov_admin = NULL;
}
