// SPDX-License-Identifier: GPL-2.0-only
/*
 * The surroundings of a case of vgpu.ko's suites: what the kernel has to say
 * about it, content, and allocations that fail.
 */

#include <kunit/test.h>
#include <linux/dcache.h>
#include <linux/debug_locks.h>
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/panic.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <drm/drm_hotupdate_compat.h>

#include "../drivers/gpu/drm/hotupdate/drm_hotupdate_internal.h"
#include "vgpu_mock.h"

static unsigned long seed;
module_param(seed, ulong, 0400);
MODULE_PARM_DESC(seed, "What random cases start from (0: the same every time)");

/* What the kernel's checkers have reported so far. */
struct mock_env {
	struct kunit *test;
	unsigned long taints;
	int warnings;
	int locks;
};

/* What is in /sys/kernel/warn_count. To mount sysfs for it would take longer. */
static int num_warnings(struct kunit *test)
{
	struct kernfs_node *node = kernfs_find_and_get(kernel_kobj->sd, "warn_count");
	char *page = (char *)get_zeroed_page(GFP_KERNEL);
	struct kobj_attribute *attr;
	int num = -1;

	KUNIT_EXPECT_NOT_NULL(test, node);
	KUNIT_EXPECT_NOT_NULL(test, page);
	if (node && page) {
		attr = container_of((struct attribute *)node->priv, struct kobj_attribute,
				    attr);
		attr->show(kernel_kobj, attr, page);
		KUNIT_EXPECT_EQ(test, kstrtoint(strim(page), 10, &num), 0);
	}
	free_page((unsigned long)page);
	kernfs_put(node);
	return num;
}

/* As get_taint(), which is not for modules. */
static unsigned long taints(void)
{
	unsigned long taints = 0;
	unsigned int i;

	for (i = 0; i < TAINT_FLAGS_COUNT; i++)
		if (test_taint(i))
			taints |= BIT(i);
	return taints;
}

/* Added first, so that it comes last: after all that the case has acquired. */
static void expect_as_before(void *data)
{
	struct mock_env *env = data;

	KUNIT_EXPECT_EQ(env->test, num_warnings(env->test), env->warnings);
	KUNIT_EXPECT_EQ(env->test, taints(), env->taints);
	KUNIT_EXPECT_EQ(env->test, debug_locks, env->locks);
	KUNIT_EXPECT_TRUE(env->test, hotupdate_index_is_empty());
}

int mock_init(struct kunit *test)
{
	struct mock_env *env = kunit_kzalloc(test, sizeof(*env), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, env);
	env->test = test;
	env->taints = taints();
	env->locks = debug_locks;
	env->warnings = num_warnings(test);
	return kunit_add_action_or_reset(test, expect_as_before, env);
}

u64 mock_seed(struct kunit *test)
{
	u64 used = seed ?: 20240229;

	kunit_info(test, "vgpu_kunit.seed=%llu\n", used);
	return used;
}

u64 mock_word(u64 from, u64 index)
{
	u64 x = from + (index + 1) * 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

u64 mock_random(u64 *state)
{
	return mock_word(0, (*state)++);
}

void mock_fill(void *p, size_t size, u64 from)
{
	u64 *words = p;
	size_t i;

	for (i = 0; i < size / sizeof(*words); i++)
		words[i] = mock_word(from, i);
}

/*
 * Failing allocations
 *
 * The kernel's own way to let the nth one of a task fail. By default it spares
 * those that can wait, which ours do. That is a setting in debugfs, whose files
 * are not for the kernel to read and write: set what they stand for.
 */

#if defined(CONFIG_FAILSLAB) && defined(CONFIG_FAIL_PAGE_ALLOC) && \
	defined(CONFIG_FAULT_INJECTION_DEBUG_FS)

static void *setting(struct kunit *test, const char *dir_name, const char *name)
{
	struct dentry *dir = debugfs_lookup(dir_name, NULL), *file;
	void *value;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dir);
	file = debugfs_lookup(name, dir);
	dput(dir);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	value = d_inode(file)->i_private;
	dput(file);
	KUNIT_ASSERT_NOT_NULL(test, value);
	return value;
}

struct mock_settings {
	bool *slab_spares_waiting, *page_spares_waiting;
	unsigned long *slab_verbose, *page_verbose;
	u32 *page_min_order;
};

static void restore_settings(void *data)
{
	struct mock_settings *settings = data;

	current->fail_nth = 0;
	*settings->slab_spares_waiting = true;
	*settings->page_spares_waiting = true;
	*settings->slab_verbose = 2;
	*settings->page_verbose = 2;
	*settings->page_min_order = 1;
}

void mock_fail_init(struct kunit *test)
{
	struct mock_settings *settings;

	settings = kunit_kzalloc(test, sizeof(*settings), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, settings);
	settings->slab_spares_waiting = setting(test, "failslab", "ignore-gfp-wait");
	settings->slab_verbose = setting(test, "failslab", "verbose");
	settings->page_spares_waiting = setting(test, "fail_page_alloc", "ignore-gfp-wait");
	settings->page_verbose = setting(test, "fail_page_alloc", "verbose");
	settings->page_min_order = setting(test, "fail_page_alloc", "min-order");
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, restore_settings, settings));

	*settings->slab_spares_waiting = false;
	*settings->page_spares_waiting = false;
	*settings->slab_verbose = 0;
	*settings->page_verbose = 0;
	*settings->page_min_order = 0;
}

void mock_fail_begin(unsigned int nth)
{
	current->fail_nth = nth;
}

bool mock_fail_end(void)
{
	bool has_failed = !current->fail_nth;

	current->fail_nth = 0;
	return has_failed;
}

#else

void mock_fail_init(struct kunit *test)
{
	kunit_skip(test, "needs FAILSLAB, FAIL_PAGE_ALLOC, FAULT_INJECTION_DEBUG_FS");
}

void mock_fail_begin(unsigned int nth)
{
}

bool mock_fail_end(void)
{
	return false;
}

#endif

MODULE_AUTHOR("The drm-hotupdate authors");
MODULE_DESCRIPTION("KUnit suites of the driver for the simulated SR-IOV GPU vgpu");
HOTUPDATE_COMPAT_IMPORT_KUNIT_NS();
HOTUPDATE_COMPAT_IMPORT_DMA_BUF_NS();
MODULE_LICENSE("GPL");
