// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPUs and drivers that are made up, and the surroundings of a case.
 */

#include <kunit/test.h>
#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kmsg_dump.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/platform_device.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include <drm/drm_hotupdate_compat.h>

#include "drm_hotupdate_kunit.h"
#include "kunit_files.h"

/* What a driver's structures are overwritten with when it has gone. */
#define WIPED		0x5a

#define PATIENCE_MS	5000

#ifdef CONFIG_MODULE_UNLOAD
/*
 * Has what try_module_get(), module_put() and module_refcount() look at, so
 * that references can be counted in a kernel that has the suites built in. The
 * kernel's own base of the count is one.
 */
static struct module module_of_drivers = {
	.name = "fake_driver",
	.state = MODULE_STATE_LIVE,
	.refcnt = ATOMIC_INIT(1),
};

struct module *fake_module(void)
{
	return &module_of_drivers;
}

int fake_module_refs(void)
{
	return module_refcount(&module_of_drivers);
}

void fake_module_set_going(bool going)
{
	module_of_drivers.state = going ? MODULE_STATE_GOING : MODULE_STATE_LIVE;
}

/* The same for the core, where it has no module of its own to count. */
static struct module module_of_core = {
	.name = "fake_core",
	.state = MODULE_STATE_LIVE,
	.refcnt = ATOMIC_INIT(1),
};

static void core_module_begin(void)
{
	hotupdate_set_module(&module_of_core);
}

static void core_module_end(void)
{
	hotupdate_set_module(NULL);
}

int fake_core_refs(void)
{
	return module_refcount(hotupdate_module()) - hotupdate_adapters_alive();
}
#else
struct module *fake_module(void)
{
	return NULL;
}

int fake_module_refs(void)
{
	return 0;
}

void fake_module_set_going(bool going)
{
}

static void core_module_begin(void)
{
}

static void core_module_end(void)
{
}

int fake_core_refs(void)
{
	return 0;
}
#endif

static struct vfsmount *sysfs;

/*
 * The kernel's checkers report to the log. A case is to fail with them. Some
 * set a taint, which can be set already, others are counted with the warnings.
 */
static unsigned int taints(void)
{
	return test_taint(TAINT_WARN) | test_taint(TAINT_BAD_PAGE) << 1 |
	       test_taint(TAINT_DIE) << 2 | test_taint(TAINT_SOFTLOCKUP) << 3;
}

static void read_warnings(struct kunit *test, struct fake_env *env, char *buf,
			  size_t size)
{
	KUNIT_EXPECT_GT(test, user_file_read(env->sysfs, "kernel/warn_count", buf, size),
			0);
}

static void release_drivers(struct fake_env *env)
{
	struct fake_driver *driver;

	list_for_each_entry(driver, &env->drivers, link) {
		/* Its data can be on the stack of the case, which has ended. */
		driver->hook = NULL;
		if (driver->adapter)
			fake_driver_unregister(driver);
		fake_driver_put_blocks(driver);
	}
}

/* A driver that the driver core has bound can have its registration, too. */
static void release_bound_drivers(struct fake_env *env)
{
	struct fake_gpu *gpu;

	/* Parents were made first. */
	list_for_each_entry_reverse(gpu, &env->gpus, link)
		if (gpu->dev && gpu->dev->driver)
			device_release_driver(gpu->dev);
}

static void release_adapter(struct kunit *test, struct fake_gpu *gpu)
{
	enum hotupdate_state state = gpu->adapter->state;

	hotupdate_bus_flush();
	if (state == HOTUPDATE_DETACHED || state == HOTUPDATE_STALE)
		KUNIT_EXPECT_EQ(test, hotupdate_discard(gpu->adapter, true), 0);
	KUNIT_EXPECT_TRUE(test, fake_gpu_wait_gone(gpu));
	put_device(&gpu->adapter->dev);
	gpu->adapter = NULL;
}

static void release_gpus(struct kunit *test, struct fake_env *env)
{
	struct fake_gpu *gpu;

	list_for_each_entry_reverse(gpu, &env->gpus, link) {
		if (gpu->adapter)
			release_adapter(test, gpu);
		if (gpu->pdev)
			platform_device_unregister(gpu->pdev);
		else if (gpu->dev)
			device_unregister(gpu->dev);
	}
}

/*
 * The reference that is left is the driver's, or one that it took over from a
 * block; or all were dropped. None went twice, or got lost.
 */
static void release_memory(struct kunit *test, struct fake_env *env)
{
	struct fake_pages *pages, *next;

	list_for_each_entry_safe(pages, next, &env->pages, link) {
		int refs = fake_pages_refs(pages);

		KUNIT_EXPECT_GE(test, refs, 0);
		KUNIT_EXPECT_LE(test, refs, 1);
		list_del(&pages->link);
		if (refs > 0)
			put_page(pages->page);
		put_page(pages->page);
	}
}

/* The last thing that an adapter does is to drop its reference. */
void fake_core_expect_refs(struct kunit *test, int refs)
{
	unsigned int waited;

	for (waited = 0; waited < PATIENCE_MS && fake_core_refs() != refs; waited += 20)
		msleep(20);
	KUNIT_EXPECT_EQ(test, fake_core_refs(), refs);
}

static void expect_as_before(struct kunit *test, struct fake_env *env)
{
	char warnings[sizeof(env->warnings)];

	fake_core_expect_refs(test, env->core_refs);
	KUNIT_EXPECT_EQ(test, fake_module_refs(), env->module_refs);
	KUNIT_EXPECT_TRUE(test, hotupdate_index_is_empty());
	KUNIT_EXPECT_EQ_MSG(test, debug_locks, env->lockdep, "lockdep has reported");
	KUNIT_EXPECT_EQ_MSG(test, taints(), env->taints, "the kernel has warned");
	read_warnings(test, env, warnings, sizeof(warnings));
	KUNIT_EXPECT_STREQ_MSG(test, warnings, env->warnings, "the kernel has warned");
}

static void release(void *data)
{
	struct kunit *test = data;
	struct fake_env *env = test->priv;

	fake_module_set_going(false);
	fake_set_silence_result(0);
	release_bound_drivers(env);
	release_drivers(env);
	release_gpus(test, env);
	release_memory(test, env);
	expect_as_before(test, env);
}

u64 fake_uevents(struct kunit *test)
{
	struct fake_env *env = test->priv;
	char buf[24] = "";
	u64 number = 0;

	KUNIT_EXPECT_GT(test, user_file_read(env->sysfs, "kernel/uevent_seqnum",
					     buf, sizeof(buf)), 0);
	KUNIT_EXPECT_EQ(test, kstrtou64(buf, 10, &number), 0);
	return number;
}

/* The log has more readers than last_error. */
bool fake_log_has(const char *words)
{
	static char line[512];
	struct kmsg_dump_iter iter;
	size_t len;

	kmsg_dump_rewind(&iter);
	while (kmsg_dump_get_line(&iter, false, line, sizeof(line) - 1, &len)) {
		line[len] = '\0';
		if (strstr(line, words))
			return true;
	}
	return false;
}

/* For a suite, as it takes some time under the kernel's checkers. */
int fake_suite_init(struct kunit_suite *suite)
{
	struct vfsmount *mnt = user_mount("sysfs");

	if (IS_ERR(mnt))
		return PTR_ERR(mnt);
	sysfs = mnt;
	core_module_begin();
	return 0;
}

void fake_suite_exit(struct kunit_suite *suite)
{
	if (!sysfs)
		return;
	core_module_end();
	user_unmount(sysfs);
	sysfs = NULL;
}

int fake_init(struct kunit *test)
{
	struct fake_env *env;

	env = kunit_kzalloc(test, sizeof(*env), GFP_KERNEL);
	if (!env)
		return -ENOMEM;

	INIT_LIST_HEAD(&env->pages);
	INIT_LIST_HEAD(&env->gpus);
	INIT_LIST_HEAD(&env->drivers);
	env->core_refs = fake_core_refs();
	env->module_refs = fake_module_refs();
	env->lockdep = debug_locks;
	env->taints = taints();
	env->sysfs = sysfs;
	read_warnings(test, env, env->warnings, sizeof(env->warnings));
	test->priv = env;
	return kunit_add_action_or_reset(test, release, test);
}

/*
 * Before all that the case allocated goes, in a test that KUnit gave up, too:
 * adapters first, then the pages that they may hold.
 */
void fake_exit(struct kunit *test)
{
	if (test->priv)
		kunit_release_action(test, release, test);
}

struct fake_gpu *fake_gpu_without_device(struct kunit *test)
{
	struct fake_env *env = test->priv;
	struct fake_gpu *gpu;

	gpu = kunit_kzalloc(test, sizeof(*gpu), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, gpu);
	gpu->test = test;
	list_add_tail(&gpu->link, &env->gpus);
	return gpu;
}

/* Of the platform, and without a driver that the driver core knows of. */
struct fake_gpu *fake_gpu_new(struct kunit *test)
{
	struct fake_gpu *gpu = fake_gpu_without_device(test);
	struct platform_device *pdev;

	pdev = platform_device_register_simple("hotupdate_kunit", PLATFORM_DEVID_AUTO,
					       NULL, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pdev);
	gpu->pdev = pdev;
	gpu->dev = &pdev->dev;
	return gpu;
}

struct device *fake_gpu_dev(struct fake_gpu *gpu)
{
	return gpu->dev;
}

/* Whether all have let go of the adapter but the case. */
bool fake_gpu_wait_gone(struct fake_gpu *gpu)
{
	unsigned int waited;

	for (waited = 0; waited < PATIENCE_MS; waited += 20) {
		if (kref_read(&gpu->adapter->dev.kobj.kref) == 1)
			return true;
		msleep(20);
	}
	return false;
}

const char *fake_gpu_state(struct fake_gpu *gpu)
{
	return hotupdate_state_name(gpu->adapter ? gpu->adapter->state : HOTUPDATE_NONE);
}

static void set_adapter(struct fake_gpu *gpu, struct drm_hotupdate_adapter *adapter)
{
	if (gpu->adapter == adapter)
		return;
	if (gpu->adapter)
		put_device(&gpu->adapter->dev);
	get_device(&adapter->dev);
	gpu->adapter = adapter;
}

__printf(2, 3)
static void write_log(struct fake_driver *driver, const char *fmt, ...)
{
	size_t used = strlen(driver->log);
	va_list args;

	if (used)
		used += scnprintf(driver->log + used, sizeof(driver->log) - used, ", ");
	va_start(args, fmt);
	vscnprintf(driver->log + used, sizeof(driver->log) - used, fmt, args);
	va_end(args);
}

/* What holds in every callback (W2, W19), and that none runs within another. */
static struct fake_driver *enter(struct drm_hotupdate_adapter *adapter)
{
	struct fake_driver *driver = drm_hotupdate_adapter_priv(adapter);
	struct kunit *test = driver->test;

	might_sleep();
	KUNIT_EXPECT_EQ(test, preempt_count(), 0);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	KUNIT_EXPECT_FALSE(test, driver->in_callback);
	KUNIT_EXPECT_PTR_EQ(test, drm_hotupdate_adapter_dev(adapter),
			    fake_gpu_dev(driver->gpu));
	if (driver->adapter)
		KUNIT_EXPECT_PTR_EQ(test, adapter, driver->adapter);

	set_adapter(driver->gpu, adapter);
	driver->in_callback = true;
	return driver;
}

static int leave(struct fake_driver *driver, enum fake_call call,
		 struct drm_hotupdate_block *block)
{
	int err = driver->hook ? driver->hook(driver, call, block) : 0;

	driver->in_callback = false;
	return err;
}

static int fake_save_memory(struct drm_hotupdate_adapter *adapter)
{
	struct fake_driver *driver = enter(adapter);
	unsigned int i;

	write_log(driver, "save");
	for (i = 0; i < driver->num_saves; i++) {
		int err = fake_block_save(adapter, driver->saves[i]);

		if (err && !driver->ignores_errors) {
			driver->in_callback = false;
			return err;
		}
	}
	return leave(driver, FAKE_SAVE, NULL);
}

static void fake_cancel_save(struct drm_hotupdate_adapter *adapter)
{
	struct fake_driver *driver = enter(adapter);

	write_log(driver, "cancel");
	leave(driver, FAKE_CANCEL, NULL);
}

static int fake_restore_memory(struct drm_hotupdate_adapter *adapter,
			       struct drm_hotupdate_block *block)
{
	struct fake_driver *driver = enter(adapter);
	int err;

	write_log(driver, "restore%u", drm_hotupdate_block_index(block));
	err = leave(driver, FAKE_RESTORE, block);
	if (err)
		return err;
	if (driver->num_blocks == FAKE_MAX_BLOCKS)
		return -ENOSPC;
	driver->blocks[driver->num_blocks++] = block;
	return 0;
}

static void fake_restore_abort(struct drm_hotupdate_adapter *adapter)
{
	struct fake_driver *driver = enter(adapter);

	write_log(driver, "abort");
	leave(driver, FAKE_ABORT, NULL);
	fake_driver_put_blocks(driver);
}

static int fake_start_device(struct drm_hotupdate_adapter *adapter, bool restored)
{
	struct fake_driver *driver = enter(adapter);

	write_log(driver, restored ? "start:restored" : "start:new");
	return leave(driver, FAKE_START, NULL);
}

/* A driver that has saved lets go of its memory. The stash has references. */
static void fake_stop_device(struct drm_hotupdate_adapter *adapter, bool saved)
{
	struct fake_driver *driver = enter(adapter);
	unsigned int i;

	write_log(driver, saved ? "stop:saved" : "stop");
	for (i = 0; i < driver->num_saves && saved; i++)
		fake_block_put(driver->saves[i]);
	leave(driver, FAKE_STOP, NULL);
}

static void fake_restore_complete(struct drm_hotupdate_adapter *adapter)
{
	struct fake_driver *driver = enter(adapter);

	write_log(driver, "complete");
	leave(driver, FAKE_COMPLETE, NULL);
}

/* Not registered. Its version is 2, and 1 is the oldest that it reads. */
struct fake_driver *fake_driver_new(struct kunit *test, struct fake_gpu *gpu)
{
	struct fake_env *env = test->priv;
	struct fake_driver *driver;

	driver = kunit_kzalloc(test, sizeof(*driver), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, driver);
	driver->test = test;
	driver->gpu = gpu;
	strscpy(driver->name, "fake");
	strscpy(driver->compatible, "kunit,fake");
	driver->version = 2;
	driver->min_version = 1;
	driver->owner = fake_module();
	driver->ops = (struct drm_hotupdate_ops) {
		.save_memory = fake_save_memory,
		.cancel_save = fake_cancel_save,
		.restore_memory = fake_restore_memory,
		.restore_abort = fake_restore_abort,
		.start_device = fake_start_device,
		.stop_device = fake_stop_device,
		.restore_complete = fake_restore_complete,
	};
	list_add_tail(&driver->link, &env->drivers);
	return driver;
}

/* A GPU of its own, with the driver running. */
struct fake_driver *fake_driver_running(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));

	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	FAKE_EXPECT_STATE(driver->gpu, HOTUPDATE_RUNNING);
	return driver;
}

void fake_driver_saves(struct fake_driver *driver, struct fake_block *fb)
{
	KUNIT_ASSERT_LT(driver->test, driver->num_saves, FAKE_MAX_BLOCKS);
	driver->saves[driver->num_saves++] = fb;
}

/* All ways of W7, folios of several orders, with and without metadata. */
void fake_driver_saves_each_kind(struct fake_driver *driver)
{
	static const unsigned int orders[] = { 0, 2, 0, 3, 1 };
	static const unsigned int sgt_orders[] = { 1, 0, 0, 4 };
	struct kunit *test = driver->test;
	struct fake_block *fb;

	fb = fake_block_pages(test, HOTUPDATE_KIND_RANGES, orders, ARRAY_SIZE(orders));
	fake_block_use_direct_dma(test, fb);
	fake_driver_saves(driver, fake_block_with_meta(test, fb, 1));
	fb = fake_block_buffer(test, 3 * PAGE_SIZE + 123);
	fake_driver_saves(driver, fake_block_with_meta(test, fb, 24));
	fb = fake_block_device(test, 0x100, 0x200);
	fake_driver_saves(driver, fake_block_with_meta(test, fb, 4096));
	fb = fake_block_pages(test, HOTUPDATE_KIND_SGT, sgt_orders, ARRAY_SIZE(sgt_orders));
	fake_driver_saves(driver, fake_block_with_meta(test, fb, 333));
	fake_driver_saves(driver, fake_block_page(test));
	fake_driver_saves(driver, fake_block_buffer(test, 7));
}

/* Of all devices, which have nothing to stop. */
static atomic_t silenced = ATOMIC_INIT(0);
static struct device *silenced_dev;
static int silence_result;

static int fake_silence(struct device *dev)
{
	atomic_inc(&silenced);
	silenced_dev = dev;
	return silence_result;
}

unsigned int fake_silenced(void)
{
	return atomic_read(&silenced);
}

/* The last one, to compare: it may have gone. */
struct device *fake_silenced_dev(void)
{
	return silenced_dev;
}

/* Until the end of the case. */
void fake_set_silence_result(int result)
{
	silence_result = result;
}

int fake_driver_register(struct fake_driver *driver)
{
	struct drm_hotupdate_adapter *adapter;

	strscpy(driver->shown_name, driver->name);
	strscpy(driver->shown_compatible, driver->compatible);
	driver->shown_ops = driver->ops;
	driver->shown = (struct drm_hotupdate_driver) {
		.name = driver->shown_name,
		.compatible = driver->shown_compatible,
		.version = driver->version,
		.min_version = driver->min_version,
		.ops = &driver->shown_ops,
		.owner = driver->owner,
		.flags = driver->flags,
	};
	driver->shown_device = (struct drm_hotupdate_device) {
		.dev = fake_gpu_dev(driver->gpu),
		.dma_dev = driver->gpu->dma_dev,
		.silence = driver->gpu->cannot_be_silenced ? NULL : fake_silence,
		.silence_owner = driver->silence_owner,
	};
	adapter = drm_hotupdate_adapter_register_device(&driver->shown_device,
							&driver->shown, driver);
	memset(&driver->shown_device, WIPED, sizeof(driver->shown_device));
	memset(&driver->shown, WIPED, sizeof(driver->shown));
	memset(driver->shown_name, WIPED, sizeof(driver->shown_name));
	memset(driver->shown_compatible, WIPED, sizeof(driver->shown_compatible));
	if (IS_ERR_OR_NULL(adapter)) {
		memset(&driver->shown_ops, WIPED, sizeof(driver->shown_ops));
		return adapter ? PTR_ERR(adapter) : -ENXIO;
	}

	driver->adapter = adapter;
	set_adapter(driver->gpu, adapter);
	return 0;
}

/* As if its module had gone: a call of what it registered with is an oops. */
void fake_driver_unregister(struct fake_driver *driver)
{
	struct drm_hotupdate_adapter *adapter = driver->adapter;

	drm_hotupdate_adapter_unregister(adapter);
	driver->adapter = NULL;
	memset(&driver->shown_ops, WIPED, sizeof(driver->shown_ops));
}

void fake_driver_put_blocks(struct fake_driver *driver)
{
	while (driver->num_blocks)
		drm_hotupdate_block_put(driver->blocks[--driver->num_blocks]);
}

/* Everything that one saved was given to the other one, in order. */
void fake_driver_expect_restored(struct fake_driver *driver,
				 const struct fake_driver *saver)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(driver->test, driver->num_blocks, saver->num_saves);
	if (driver->num_blocks != saver->num_saves)
		return;
	for (i = 0; i < saver->num_saves; i++) {
		KUNIT_EXPECT_EQ(driver->test, i,
				drm_hotupdate_block_index(driver->blocks[i]));
		fake_block_expect_same(driver->test, saver->saves[i], driver->blocks[i]);
	}
}

/* No shorter by ktime, as msleep() can be by a part of a jiffy. */
void fake_nap(unsigned int ms)
{
	usleep_range(ms * USEC_PER_MSEC, (ms + 1) * USEC_PER_MSEC);
}

/* A hook: the callback that hook_data, a struct fake_failure, names fails. */
int fake_fail_hook(struct fake_driver *driver, enum fake_call call,
		   struct drm_hotupdate_block *block)
{
	const struct fake_failure *failure = driver->hook_data;

	if (call != failure->call)
		return 0;
	if (block && drm_hotupdate_block_index(block) != failure->index)
		return 0;
	return failure->err;
}

MODULE_DESCRIPTION("KUnit suites of the hot update of DRM drivers");
MODULE_LICENSE("GPL");
HOTUPDATE_COMPAT_IMPORT_KUNIT_NS();
