// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything against everything else, for some seconds: two GPUs, one of which
 * two drivers want and the other is bound and unbound, administrators who write
 * to whatever file there is, and readers. Nothing here knows what the others
 * do; each may be told only what is documented, and at the end nothing is left.
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/prandom.h>
#include <linux/spinlock.h>

#include "drm_hotupdate_kunit.h"
#include "kunit_files.h"

#define STRESS_MS	3000
/* As long as it can take for everything to have happened, if all is slow. */
#define MAX_STRESS_MS	60000
#define STEP_MS		250
#define NUM_PAGES	64
#define PAGES_PER_SAVE	3

enum count {
	STARTED,
	SECOND_DRIVER,
	PREPARED,
	REFUSED,
	CANCELLED,
	DETACHES,
	RESTORED,
	FAILED_RESTORE,
	DISCARDED,
	READ_FILES,
	READ_TABLES,
	NUM_COUNTS,
};

static const char * const count_names[] = {
	[STARTED] = "started",
	[SECOND_DRIVER] = "second driver refused",
	[PREPARED] = "prepared",
	[REFUSED] = "refused as another operation was under way",
	[CANCELLED] = "cancelled",
	[DETACHES] = "detached",
	[RESTORED] = "restored",
	[FAILED_RESTORE] = "failed to restore",
	[DISCARDED] = "discarded",
	[READ_FILES] = "files read",
	[READ_TABLES] = "tables of blocks read",
};

struct stress_driver;

struct stress {
	struct kunit *test;
	struct vfsmount *debugfs;
	/* Free is one to which nobody has a reference but the case. */
	struct fake_pages *pages[NUM_PAGES];
	/* So that two drivers do not take the same one. */
	spinlock_t pages_lock;
	atomic_t counts[NUM_COUNTS];
	/* Of the platform driver, and the only device that it takes */
	struct stress_driver *bound;
	struct device *bound_dev;
	/* The last errno that is not documented for what was done, and where */
	int wrong;
	const char *wrong_where;
};

/* A driver that drops its references whenever the contract allows it. */
struct stress_driver {
	struct stress *stress;
	struct drm_hotupdate_adapter *adapter;
	struct page *saved[PAGES_PER_SAVE];
	unsigned int num_saved;
	struct drm_hotupdate_block *blocks[PAGES_PER_SAVE + 2];
	unsigned int num_blocks;
	struct rnd_state rnd;
};

static struct stress *the_stress;

static void note_wrong(struct stress *stress, const char *where, int err)
{
	WRITE_ONCE(stress->wrong_where, where);
	WRITE_ONCE(stress->wrong, err);
}

static struct page *stress_get_page(struct stress *stress)
{
	unsigned int i;

	spin_lock(&stress->pages_lock);
	for (i = 0; i < NUM_PAGES; i++)
		if (!fake_pages_refs(stress->pages[i]))
			break;
	if (i < NUM_PAGES)
		get_page(stress->pages[i]->page);
	spin_unlock(&stress->pages_lock);
	return i < NUM_PAGES ? stress->pages[i]->page : NULL;
}

static void put_saved(struct stress_driver *driver)
{
	while (driver->num_saved)
		put_page(driver->saved[--driver->num_saved]);
}

static void put_blocks(struct stress_driver *driver)
{
	while (driver->num_blocks)
		drm_hotupdate_block_put(driver->blocks[--driver->num_blocks]);
}

static int stress_save_memory(struct drm_hotupdate_adapter *adapter)
{
	struct stress_driver *driver = drm_hotupdate_adapter_priv(adapter);
	struct drm_hotupdate_range range = { 0x1000, 0x10 };
	struct drm_hotupdate_save_args args = {
		.ranges = &range,
		.num_ranges = 1,
		.mem = DRM_HOTUPDATE_MEM_DEVICE,
		.meta = &range,
		.meta_size = sizeof(range),
	};
	unsigned int i;
	int err;

	/* Those of a save that failed. */
	put_saved(driver);
	err = drm_hotupdate_save_memory(adapter, &args);
	args.mem = DRM_HOTUPDATE_MEM_SYSTEM;
	for (i = 0; !err && i < PAGES_PER_SAVE; i++) {
		struct page *page = stress_get_page(driver->stress);

		if (!page)
			break;
		driver->saved[driver->num_saved++] = page;
		range = (struct drm_hotupdate_range) { page_to_pfn(page), 1 };
		err = drm_hotupdate_save_memory(adapter, &args);
	}
	args = (struct drm_hotupdate_save_args) { .data = driver, .data_size = sizeof(*driver) };
	if (!err)
		err = drm_hotupdate_save_memory(adapter, &args);
	if (!err && !(prandom_u32_state(&driver->rnd) % 16))
		err = -EAGAIN;
	if (!err && !(prandom_u32_state(&driver->rnd) % 4))
		usleep_range(50, 500);
	/* The stash has references, and the pages are for it alone. */
	if (prandom_u32_state(&driver->rnd) % 2)
		put_saved(driver);
	return err;
}

static void stress_cancel_save(struct drm_hotupdate_adapter *adapter)
{
	put_saved(drm_hotupdate_adapter_priv(adapter));
}

static int stress_restore_memory(struct drm_hotupdate_adapter *adapter,
				 struct drm_hotupdate_block *block)
{
	struct stress_driver *driver = drm_hotupdate_adapter_priv(adapter);

	if (!(prandom_u32_state(&driver->rnd) % 32))
		return -EAGAIN;
	driver->blocks[driver->num_blocks++] = block;
	return 0;
}

static void stress_restore_abort(struct drm_hotupdate_adapter *adapter)
{
	struct stress_driver *driver = drm_hotupdate_adapter_priv(adapter);

	put_blocks(driver);
	atomic_inc(&driver->stress->counts[FAILED_RESTORE]);
}

static int stress_start_device(struct drm_hotupdate_adapter *adapter, bool restored)
{
	struct stress_driver *driver = drm_hotupdate_adapter_priv(adapter);

	return prandom_u32_state(&driver->rnd) % 16 ? 0 : -EAGAIN;
}

static void stress_stop_device(struct drm_hotupdate_adapter *adapter, bool saved)
{
	struct stress_driver *driver = drm_hotupdate_adapter_priv(adapter);

	put_saved(driver);
	if (saved)
		atomic_inc(&driver->stress->counts[DETACHES]);
}

static void stress_restore_complete(struct drm_hotupdate_adapter *adapter)
{
	struct stress_driver *driver = drm_hotupdate_adapter_priv(adapter);

	put_blocks(driver);
	atomic_inc(&driver->stress->counts[RESTORED]);
}

static const struct drm_hotupdate_ops stress_ops = {
	.save_memory = stress_save_memory,
	.cancel_save = stress_cancel_save,
	.restore_memory = stress_restore_memory,
	.restore_abort = stress_restore_abort,
	.start_device = stress_start_device,
	.stop_device = stress_stop_device,
	.restore_complete = stress_restore_complete,
};

static int stress_probe(struct stress_driver *driver, struct device *dev)
{
	struct drm_hotupdate_driver drv = {
		.name = "stress",
		.compatible = "kunit,stress",
		.version = 1,
		.min_version = 1,
		.ops = &stress_ops,
		.owner = fake_module(),
	};
	struct stress *stress = driver->stress;
	struct drm_hotupdate_adapter *adapter;
	int err;

	adapter = drm_hotupdate_adapter_register(dev, &drv, driver);
	err = PTR_ERR_OR_ZERO(adapter);
	if (!err)
		driver->adapter = adapter;

	if (!err)
		atomic_inc(&stress->counts[STARTED]);
	else if (err == -EBUSY)
		atomic_inc(&stress->counts[SECOND_DRIVER]);
	else if (err != -EAGAIN)
		note_wrong(stress, "register", err);
	return err;
}

static void stress_remove(struct stress_driver *driver)
{
	drm_hotupdate_adapter_unregister(driver->adapter);
	driver->adapter = NULL;
}

static struct stress_driver *stress_driver_new(struct kunit *test, struct stress *stress,
					       unsigned int seed)
{
	struct stress_driver *driver = kunit_kzalloc(test, sizeof(*driver), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, driver);
	driver->stress = stress;
	prandom_seed_state(&driver->rnd, seed);
	return driver;
}

static int stress_platform_probe(struct platform_device *pdev)
{
	if (&pdev->dev != the_stress->bound_dev)
		return -ENODEV;
	return stress_probe(the_stress->bound, &pdev->dev);
}

static void stress_platform_remove(struct platform_device *pdev)
{
	stress_remove(the_stress->bound);
}

static struct platform_driver stress_platform_driver = {
	.probe = stress_platform_probe,
	.remove = stress_platform_remove,
	.driver = {
		.name = "hotupdate_kunit",
		.suppress_bind_attrs = true,
	},
};

struct worker {
	struct stress *stress;
	void (*fn)(struct worker *worker);
	struct fake_gpu *gpus[2];
	struct stress_driver *driver;
	struct rnd_state rnd;
	const char *attr;
	const char *text;
	enum count count;
	struct task_struct *task;
};

static void nap(struct worker *worker, unsigned int us)
{
	usleep_range(20, 20 + prandom_u32_state(&worker->rnd) % us);
}

/* A driver that comes and goes; there are two of them for the first GPU. */
static void come_and_go(struct worker *worker)
{
	if (!stress_probe(worker->driver, fake_gpu_dev(worker->gpus[0]))) {
		nap(worker, 4000);
		stress_remove(worker->driver);
	}
	nap(worker, 1000);
}

/* The second GPU's driver comes and goes the way of the driver core. */
static void bind_and_unbind(struct worker *worker)
{
	struct device *dev = fake_gpu_dev(worker->gpus[1]);
	int err = device_attach(dev);

	if (err < 0)
		note_wrong(worker->stress, "attach", err);
	nap(worker, 4000);
	device_release_driver(dev);
	nap(worker, 1000);
}

static void write_attr(struct worker *worker)
{
	struct fake_gpu *gpu = worker->gpus[prandom_u32_state(&worker->rnd) % 2];
	struct stress *stress = worker->stress;
	struct fake_env *env = stress->test->priv;
	char path[96];
	int err;

	snprintf(path, sizeof(path), "class/drm_hotupdate/platform:%s/%s",
		 dev_name(fake_gpu_dev(gpu)), worker->attr);
	err = user_file_write(env->sysfs, path, worker->text);
	switch (err) {
	case 0:
		atomic_inc(&stress->counts[worker->count]);
		break;
	case -EBUSY:
		atomic_inc(&stress->counts[REFUSED]);
		break;
	case -EAGAIN:	/* the driver's own error */
	case -EINVAL:	/* nothing to cancel or discard */
	case -ENODEV:	/* no driver, or no adapter any more */
	case -ENOENT:
		break;
	default:
		note_wrong(stress, worker->attr, err);
	}
	nap(worker, 600);
}

static void read_attrs(struct worker *worker)
{
	static const char * const attrs[] = {
		"state", "driver", "compatible", "version", "generation", "blocks", "bytes",
		"progress", "last_error", "deadline_ms", "blackout_ns",
	};
	struct fake_gpu *gpu = worker->gpus[prandom_u32_state(&worker->rnd) % 2];
	struct stress *stress = worker->stress;
	struct fake_env *env = stress->test->priv;
	char path[96], buf[HOTUPDATE_ERROR_LEN];
	unsigned int i;
	int len;

	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		snprintf(path, sizeof(path), "class/drm_hotupdate/platform:%s/%s",
			 dev_name(fake_gpu_dev(gpu)), attrs[i]);
		len = user_file_read(env->sysfs, path, buf, sizeof(buf));
		if (len >= 0)
			atomic_inc(&stress->counts[READ_FILES]);
		else if (len != -ENOENT && len != -ENODEV)
			note_wrong(stress, attrs[i], len);
	}
	nap(worker, 200);
}

static void read_tables(struct worker *worker)
{
	struct fake_gpu *gpu = worker->gpus[prandom_u32_state(&worker->rnd) % 2];
	struct stress *stress = worker->stress;
	char path[96], buf[256];
	int len;

	snprintf(path, sizeof(path), "drm_hotupdate/platform:%s/blocks",
		 dev_name(fake_gpu_dev(gpu)));
	len = user_file_read(stress->debugfs, path, buf, sizeof(buf));
	if (len >= 0)
		atomic_inc(&stress->counts[READ_TABLES]);
	else if (len != -ENOENT && len != -ENODEV && len != -EIO)
		note_wrong(stress, "blocks", len);
	nap(worker, 200);
}

static int work(void *data)
{
	struct worker *worker = data;

	while (!kthread_should_stop())
		worker->fn(worker);
	return 0;
}

#define NUM_WORKERS	11

static void set_up_workers(struct kunit *test, struct stress *stress,
			   struct worker *workers, struct fake_gpu **gpus)
{
	static const struct worker templates[NUM_WORKERS] = {
		{ .fn = come_and_go },
		{ .fn = come_and_go },
		{ .fn = bind_and_unbind },
		{ .fn = write_attr, .attr = "prepare", .text = "0", .count = PREPARED },
		{ .fn = write_attr, .attr = "prepare", .text = "1", .count = PREPARED },
		{ .fn = write_attr, .attr = "prepare", .text = "0", .count = PREPARED },
		{ .fn = write_attr, .attr = "cancel", .text = "1", .count = CANCELLED },
		{ .fn = write_attr, .attr = "discard", .text = "force", .count = DISCARDED },
		{ .fn = read_attrs },
		{ .fn = read_attrs },
		{ .fn = read_tables },
	};
	unsigned int i;

	for (i = 0; i < NUM_WORKERS; i++) {
		workers[i] = templates[i];
		workers[i].stress = stress;
		workers[i].gpus[0] = gpus[0];
		workers[i].gpus[1] = gpus[1];
		prandom_seed_state(&workers[i].rnd, i + 1);
		if (workers[i].fn == come_and_go)
			workers[i].driver = stress_driver_new(test, stress, i + 100);
		if (workers[i].fn == read_tables && !stress->debugfs)
			workers[i].fn = read_attrs;
	}
}

static void unregister_platform_driver(void *data)
{
	platform_driver_unregister(&stress_platform_driver);
	the_stress = NULL;
}

/* What is left behind goes the way that it does for an administrator. */
static void discard_what_is_left(struct kunit *test, struct fake_gpu *gpu)
{
	struct fake_driver *driver = fake_driver_new(test, gpu);

	strscpy(driver->compatible, "kunit,stress");
	driver->version = 1;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), 0);
	if (!driver->adapter)
		return;
	fake_driver_put_blocks(driver);
	fake_driver_unregister(driver);
}

static bool is_count_needed(struct stress *stress, enum count count)
{
	return count != READ_TABLES || stress->debugfs;
}

static bool has_everything_happened(struct stress *stress)
{
	unsigned int i;

	for (i = 0; i < NUM_COUNTS; i++)
		if (is_count_needed(stress, i) && !atomic_read(&stress->counts[i]))
			return false;
	return true;
}

/*
 * No deadlock, no splat, no errno but the documented ones, nothing left at the
 * end, and each of the operations was really exercised.
 */
static void everything_at_once(struct kunit *test)
{
	struct worker *workers = kunit_kcalloc(test, NUM_WORKERS, sizeof(*workers), GFP_KERNEL);
	struct stress *stress = kunit_kzalloc(test, sizeof(*stress), GFP_KERNEL);
	struct fake_gpu *gpus[2];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, workers);
	KUNIT_ASSERT_NOT_NULL(test, stress);
	stress->test = test;
	spin_lock_init(&stress->pages_lock);
#ifdef CONFIG_DEBUG_FS
	stress->debugfs = user_mount_for(test, "debugfs");
#endif
	for (i = 0; i < NUM_PAGES; i++) {
		stress->pages[i] = fake_pages_new(test, 0);
		put_page(stress->pages[i]->page);
	}
	gpus[0] = fake_gpu_new(test);
	gpus[1] = fake_gpu_new(test);
	set_up_workers(test, stress, workers, gpus);

	stress->bound = stress_driver_new(test, stress, 99);
	stress->bound_dev = fake_gpu_dev(gpus[1]);
	the_stress = stress;
	KUNIT_ASSERT_EQ(test, platform_driver_register(&stress_platform_driver), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unregister_platform_driver,
							NULL), 0);

	for (i = 0; i < NUM_WORKERS; i++)
		workers[i].task = kthread_run(work, &workers[i], "hotupdate_%u", i);
	for (i = 0; i < MAX_STRESS_MS; i += STEP_MS) {
		if (i >= STRESS_MS && has_everything_happened(stress))
			break;
		msleep(STEP_MS);
	}
	for (i = 0; i < NUM_WORKERS; i++)
		if (!IS_ERR(workers[i].task))
			kthread_stop(workers[i].task);
	for (i = 0; i < NUM_WORKERS; i++)
		KUNIT_EXPECT_FALSE(test, IS_ERR(workers[i].task));

	kunit_release_action(test, unregister_platform_driver, NULL);
	discard_what_is_left(test, gpus[0]);
	discard_what_is_left(test, gpus[1]);

	KUNIT_EXPECT_EQ_MSG(test, stress->wrong, 0, "in %s", stress->wrong_where);
	for (i = 0; i < NUM_PAGES; i++)
		KUNIT_EXPECT_EQ(test, fake_pages_refs(stress->pages[i]), 0);
	for (i = 0; i < NUM_COUNTS; i++) {
		kunit_info(test, "%s: %d\n", count_names[i], atomic_read(&stress->counts[i]));
		if (is_count_needed(stress, i))
			KUNIT_EXPECT_GT_MSG(test, atomic_read(&stress->counts[i]), 0, "%s",
					    count_names[i]);
	}
}

static struct kunit_case stress_cases[] = {
	KUNIT_CASE_SLOW(everything_at_once),
	{ }
};

static struct kunit_suite stress_suite = {
	.name = "drm_hotupdate_stress",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = stress_cases,
};

kunit_test_suites(&stress_suite);
