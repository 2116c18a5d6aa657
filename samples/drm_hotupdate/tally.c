// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest complete driver that can be hot-updated: its module is replaced,
 * and its device does not notice. To be read from top to bottom.
 *
 * The device is a tally, see tally_hw.h: it reads a step from a page of the
 * host that the driver gave it, and adds it to a total in a page of its own
 * memory. Three questions lead to all that follows:
 *
 * - What does the device go on using while no driver is there? The descriptor,
 *   which has to stay where it is, and the page with the total, which nobody
 *   else may be given.
 * - What must the next driver know that the device does not tell? What an
 *   administrator has set. It is put down in a format with a version.
 * - What is half done when the driver goes? Here nothing: requests are refused
 *   from the save on, and the lock waits for the one under way. The next driver
 *   refuses them until the commit, because its probe can fail until then.
 *
 * What this leaves out: the device is given physical addresses. One behind an
 * IOMMU goes on using its mappings too, and these must outlive the driver as
 * the pages do.
 */

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <drm/drm_hotupdate.h>
#include <drm/drm_hotupdate_package.h>

#include "tally_hw.h"

static bool fail_start;
module_param(fail_start, bool, 0400);
MODULE_PARM_DESC(fail_start, "Fail to start the device, to see what happens then");

/* 1. What the driver has */

struct tally {
	const struct tally_hw *hw;
	struct drm_hotupdate_adapter *adapter;

	/*
	 * Protects all below. The callbacks take it, so it is not held where
	 * the adapter is registered or unregistered.
	 */
	struct mutex lock;
	/* Requests are served: not before the commit, and not after the save */
	bool serving;
	/* What an administrator has set, and how often he has set a step */
	u32 max_step;
	u64 changes;
	/* The page that the device reads its descriptor from */
	struct page *desc_page;
	/* The block that this page belongs to, from the restore to the commit */
	struct drm_hotupdate_block *desc_block;
	/* The page of the device's memory that has the total */
	u64 slot;
	/* Which blocks were restored, one bit for each TALLY_BLOCK_* */
	unsigned long restored;
};

static struct tally_desc *tally_desc(struct tally *tally)
{
	return page_address(tally->desc_page);
}

/* 2. What one driver says to the next */

/*
 * Whoever changes what is saved counts up TALLY_VERSION. As long as it reads
 * and writes all versions from TALLY_MIN_VERSION on, an administrator can go
 * from any release to any other, and back.
 */
#define TALLY_COMPATIBLE	"sample,tally"
#define TALLY_MIN_VERSION	1
#define TALLY_VERSION		2

/* What a block is, said in its metadata. Nothing is 0, which memory often is. */
#define TALLY_BLOCK_STATE	1
#define TALLY_BLOCK_DESC	2
#define TALLY_BLOCK_SLOT	3
#define TALLY_ALL_BLOCKS	(BIT(TALLY_BLOCK_STATE) | BIT(TALLY_BLOCK_DESC) | \
				 BIT(TALLY_BLOCK_SLOT))

struct tally_meta {
	__le32 what;
};

/* Fixed widths and byte order; no pointers, no padding, no enums, no bitfields. */
struct tally_state {
	__le32 max_step;
	/* Zero, and refused if not: it can be given a meaning later. */
	__le32 reserved;
	/* From version 2 on */
	__le64 changes;
};

static_assert(sizeof(struct tally_state) == 16);

static size_t state_size(u32 version)
{
	return version < 2 ? offsetof(struct tally_state, changes) :
			     sizeof(struct tally_state);
}

/* Where modinfo finds it, for who wants to know before anything is unloaded. */
MODULE_DRM_HOTUPDATE(TALLY_COMPATIBLE, TALLY_MIN_VERSION, TALLY_VERSION);

/* 3. The save */

/* A buffer is copied. The adapter's version is the one to write. */
static int save_state(struct drm_hotupdate_adapter *adapter, struct tally *tally)
{
	const struct tally_meta meta = { .what = cpu_to_le32(TALLY_BLOCK_STATE) };
	const struct tally_state state = {
		.max_step = cpu_to_le32(tally->max_step),
		.changes = cpu_to_le64(tally->changes),
	};

	return drm_hotupdate_save_buffer(adapter, &state,
					 state_size(drm_hotupdate_adapter_version(adapter)),
					 &meta, sizeof(meta));
}

/*
 * Pages of the host stay where they are, and the block takes references to them.
 * An allocation of more than one page is a folio (__GFP_COMP), and saved as a whole.
 */
static int save_desc(struct drm_hotupdate_adapter *adapter, struct tally *tally)
{
	const struct tally_meta meta = { .what = cpu_to_le32(TALLY_BLOCK_DESC) };

	return drm_hotupdate_save_range(adapter, DRM_HOTUPDATE_MEM_SYSTEM,
					page_to_pfn(tally->desc_page), 1,
					&meta, sizeof(meta));
}

/* A block of device memory only describes where the memory is. */
static int save_slot(struct drm_hotupdate_adapter *adapter, struct tally *tally)
{
	const struct tally_meta meta = { .what = cpu_to_le32(TALLY_BLOCK_SLOT) };

	return drm_hotupdate_save_range(adapter, DRM_HOTUPDATE_MEM_DEVICE, tally->slot, 1,
					&meta, sizeof(meta));
}

/*
 * Nothing is written to the device: it runs on. With the lock no request is
 * half done. If it fails, the driver goes on as if nothing had been asked, so
 * it stops serving at the very end.
 */
static int tally_save_memory(struct drm_hotupdate_adapter *adapter)
{
	struct tally *tally = drm_hotupdate_adapter_priv(adapter);
	int err;

	guard(mutex)(&tally->lock);

	err = save_state(adapter, tally) ?: save_desc(adapter, tally) ?:
	      save_slot(adapter, tally);
	if (!err)
		tally->serving = false;
	return err;
}

/* 4. The cancel */

/* The driver has all that it has saved: it just goes on. */
static void tally_cancel_save(struct drm_hotupdate_adapter *adapter)
{
	struct tally *tally = drm_hotupdate_adapter_priv(adapter);

	guard(mutex)(&tally->lock);

	tally->serving = true;
}

/* 5. The restore */

/*
 * Whoever saved this, it is checked as if a stranger had: the version only says
 * how to read it. What is kept of a block whose reference is dropped here is a
 * copy. A function that fails has not taken the reference.
 */
static int restore_state(struct drm_hotupdate_adapter *adapter, struct tally *tally,
			 struct drm_hotupdate_block *block)
{
	size_t size = drm_hotupdate_block_size(block);
	struct tally_state state = { };
	int err;

	if (size != state_size(drm_hotupdate_adapter_version(adapter)))
		return -EINVAL;
	err = drm_hotupdate_block_read(block, 0, &state, size);
	if (err)
		return err;
	if (state.reserved)
		return -EINVAL;

	tally->max_step = le32_to_cpu(state.max_step);
	tally->changes = le64_to_cpu(state.changes);
	drm_hotupdate_block_put(block);
	return 0;
}

/*
 * The page belongs to the block, and that to the stash, until the commit: if this
 * driver does not get that far, another one is given the same. So the reference
 * is kept, and nothing is written.
 */
static int restore_desc(struct tally *tally, struct drm_hotupdate_block *block)
{
	struct sg_table *sgt;

	if (drm_hotupdate_block_size(block) != PAGE_SIZE)
		return -EINVAL;
	sgt = drm_hotupdate_block_sgt(block);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	tally->desc_page = sg_page(sgt->sgl);
	tally->desc_block = block;
	return 0;
}

/* Here a driver with more to give away would mark these very pages as in use. */
static int restore_slot(struct tally *tally, struct drm_hotupdate_block *block)
{
	const struct drm_hotupdate_range *range;
	unsigned int num_ranges;

	range = drm_hotupdate_block_ranges(block, &num_ranges);
	if (drm_hotupdate_block_mem(block) != DRM_HOTUPDATE_MEM_DEVICE ||
	    num_ranges != 1 || range->nr_pages != 1 || range->pfn >= TALLY_HW_NUM_SLOTS)
		return -EINVAL;

	tally->slot = range->pfn;
	drm_hotupdate_block_put(block);
	return 0;
}

/* Called once for each block, in the order in which they were saved. */
static int tally_restore_memory(struct drm_hotupdate_adapter *adapter,
				struct drm_hotupdate_block *block)
{
	struct tally *tally = drm_hotupdate_adapter_priv(adapter);
	const struct tally_meta *meta;
	size_t size;
	u32 what;
	int err;

	meta = drm_hotupdate_block_meta(block, &size);
	if (size != sizeof(*meta))
		return -EINVAL;
	what = le32_to_cpu(meta->what);

	guard(mutex)(&tally->lock);

	if (what > TALLY_BLOCK_SLOT || tally->restored & BIT(what))
		return -EINVAL;

	switch (what) {
	case TALLY_BLOCK_STATE:
		err = restore_state(adapter, tally, block);
		break;
	case TALLY_BLOCK_DESC:
		err = restore_desc(tally, block);
		break;
	case TALLY_BLOCK_SLOT:
		err = restore_slot(tally, block);
		break;
	default:
		err = -EINVAL;
	}
	if (!err)
		tally->restored |= BIT(what);
	return err;
}

/*
 * A later block was refused, the start failed, or the driver was stopped before the
 * commit: all of the above, undone. After a stop there is nothing left to drop.
 */
static void tally_restore_abort(struct drm_hotupdate_adapter *adapter)
{
	struct tally *tally = drm_hotupdate_adapter_priv(adapter);

	guard(mutex)(&tally->lock);

	drm_hotupdate_block_put(tally->desc_block);
	tally->desc_block = NULL;
	tally->desc_page = NULL;
	tally->restored = 0;
}

/* 6. The start */

static u64 desc_address(struct tally *tally)
{
	return page_to_phys(tally->desc_page);
}

/* What was restored is all there, and what the device says as well. */
static int check_device(struct tally *tally)
{
	const struct tally_hw *hw = tally->hw;

	if (tally->restored != TALLY_ALL_BLOCKS)
		return -EINVAL;
	if (!hw->read(TALLY_REG_ENABLE) ||
	    hw->read(TALLY_REG_DESC) != desc_address(tally) ||
	    hw->read(TALLY_REG_SLOT) != tally->slot ||
	    le64_to_cpu(tally_desc(tally)->step) > tally->max_step)
		return -ENODEV;
	return 0;
}

/*
 * The device may still be counting, for a driver that has left it, and whose
 * blocks were discarded. That any page of its memory will do shows that the
 * next driver can only know from us which one it was.
 */
static int init_device(struct tally *tally)
{
	const struct tally_hw *hw = tally->hw;

	tally->desc_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!tally->desc_page)
		return -ENOMEM;
	tally->max_step = 1000;
	tally->slot = get_random_u32_below(TALLY_HW_NUM_SLOTS);

	hw->write(TALLY_REG_ENABLE, 0);
	hw->write(TALLY_REG_DESC, desc_address(tally));
	hw->write(TALLY_REG_SLOT, tally->slot);
	hw->write(TALLY_REG_ENABLE, 1);
	return 0;
}

/*
 * All that can fail comes before anything is written, so that a failure leaves
 * the device as it was. After a restore nothing has to be written at all: the
 * device is running, with what it was given long ago.
 *
 * Nothing is served yet either. The rest of the probe can fail, if the attributes of
 * the device cannot be created, say. Then the driver is stopped, and the stash goes to
 * another one, which must find everything as it was saved.
 */
static int tally_start_device(struct drm_hotupdate_adapter *adapter, bool restored)
{
	struct tally *tally = drm_hotupdate_adapter_priv(adapter);
	int err;

	if (fail_start)
		return -EIO;

	guard(mutex)(&tally->lock);

	if (restored)
		return check_device(tally);

	err = init_device(tally);
	if (!err)
		tally->serving = true;
	return err;
}

/* 7. The commit */

/*
 * The stash has let go, and what was restored can be changed: so it is only now
 * that requests are served. The page becomes the driver's own, as if it had
 * allocated it, to be saved again next time, or freed. With the table that
 * restore_desc() has asked for, this takes no memory, and so does not fail.
 */
static void tally_restore_complete(struct drm_hotupdate_adapter *adapter)
{
	struct tally *tally = drm_hotupdate_adapter_priv(adapter);
	struct sg_table sgt;

	guard(mutex)(&tally->lock);

	if (!WARN_ON(drm_hotupdate_block_take(tally->desc_block, &sgt))) {
		sg_free_table(&sgt);
		tally->desc_block = NULL;
	}
	tally->serving = true;
}

/* 8. The stop */

/*
 * The start, undone. A driver that has saved leaves its device running, and so does
 * one that was restored and not committed. Either way it drops its reference to the
 * page, which before the commit is one to its block: the stash has references of its
 * own.
 */
static void tally_stop_device(struct drm_hotupdate_adapter *adapter, bool saved)
{
	struct tally *tally = drm_hotupdate_adapter_priv(adapter);

	guard(mutex)(&tally->lock);

	tally->serving = false;
	if (!saved)
		tally->hw->write(TALLY_REG_ENABLE, 0);
	if (tally->desc_block)
		drm_hotupdate_block_put(tally->desc_block);
	else
		__free_page(tally->desc_page);
	tally->desc_block = NULL;
	tally->desc_page = NULL;
}

/* 9. Coming and going */

static const struct drm_hotupdate_ops tally_hotupdate_ops = {
	.save_memory = tally_save_memory,
	.cancel_save = tally_cancel_save,
	.restore_memory = tally_restore_memory,
	.restore_abort = tally_restore_abort,
	.start_device = tally_start_device,
	.stop_device = tally_stop_device,
	.restore_complete = tally_restore_complete,
};

static const struct drm_hotupdate_driver tally_hotupdate_driver = {
	.name = "tally",
	.compatible = TALLY_COMPATIBLE,
	.version = TALLY_VERSION,
	.min_version = TALLY_MIN_VERSION,
	.ops = &tally_hotupdate_ops,
	.owner = THIS_MODULE,
};

/* Registering restores and starts, so it comes last. If it fails, we own nothing. */
static int tally_probe(struct platform_device *pdev)
{
	struct drm_hotupdate_device device = { .dev = &pdev->dev };
	struct tally *tally;
	int err;

	tally = devm_kzalloc(&pdev->dev, sizeof(*tally), GFP_KERNEL);
	if (!tally)
		return -ENOMEM;
	err = devm_mutex_init(&pdev->dev, &tally->lock);
	if (err)
		return err;
	tally->hw = dev_get_platdata(&pdev->dev);
	platform_set_drvdata(pdev, tally);

	/* How to stop the device when no driver is there; it is not in this module. */
	device.silence = tally->hw->silence;
	tally->adapter = drm_hotupdate_adapter_register_device(&device, &tally_hotupdate_driver,
							       tally);
	return PTR_ERR_OR_ZERO(tally->adapter);
}

static void tally_remove(struct platform_device *pdev)
{
	struct tally *tally = platform_get_drvdata(pdev);

	drm_hotupdate_adapter_unregister(tally->adapter);
}

/* 10. What it is for: requests, here by sysfs */

static ssize_t step_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct tally *tally = dev_get_drvdata(dev);

	guard(mutex)(&tally->lock);

	return sysfs_emit(buf, "%llu\n", le64_to_cpu(tally_desc(tally)->step));
}

static ssize_t step_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t count)
{
	struct tally *tally = dev_get_drvdata(dev);
	u32 step;
	int err;

	err = kstrtou32(buf, 10, &step);
	if (err)
		return err;

	guard(mutex)(&tally->lock);

	if (!tally->serving)
		return -EBUSY;
	if (step > tally->max_step)
		return -ERANGE;
	WRITE_ONCE(tally_desc(tally)->step, cpu_to_le64(step));
	tally->changes++;
	return count;
}
static DEVICE_ATTR_RW(step);

static ssize_t max_step_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct tally *tally = dev_get_drvdata(dev);

	guard(mutex)(&tally->lock);

	return sysfs_emit(buf, "%u\n", tally->max_step);
}

static ssize_t max_step_store(struct device *dev, struct device_attribute *attr,
			      const char *buf, size_t count)
{
	struct tally *tally = dev_get_drvdata(dev);
	u32 max_step;
	int err;

	err = kstrtou32(buf, 10, &max_step);
	if (err)
		return err;

	guard(mutex)(&tally->lock);

	if (!tally->serving)
		return -EBUSY;
	if (max_step < le64_to_cpu(tally_desc(tally)->step))
		return -ERANGE;
	tally->max_step = max_step;
	return count;
}
static DEVICE_ATTR_RW(max_step);

static ssize_t changes_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	struct tally *tally = dev_get_drvdata(dev);

	guard(mutex)(&tally->lock);

	return sysfs_emit(buf, "%llu\n", tally->changes);
}
static DEVICE_ATTR_RO(changes);

static struct attribute *tally_attrs[] = {
	&dev_attr_step.attr,
	&dev_attr_max_step.attr,
	&dev_attr_changes.attr,
	NULL
};
ATTRIBUTE_GROUPS(tally);

/*
 * The groups are gone before remove is called, and there after probe only. That is
 * before the commit: a write in between is refused. It does not wait for the commit,
 * because the removal of the groups would wait for it.
 */
static struct platform_driver tally_driver = {
	.driver = {
		.name = TALLY_HW_NAME,
		.dev_groups = tally_groups,
	},
	.probe = tally_probe,
	.remove = tally_remove,
};
module_platform_driver(tally_driver);

MODULE_ALIAS("platform:" TALLY_HW_NAME);
MODULE_AUTHOR("The drm-hotupdate authors");
MODULE_DESCRIPTION("Sample of a driver that can be hot-updated");
MODULE_PACKAGE_VERSION;
MODULE_LICENSE("GPL");
