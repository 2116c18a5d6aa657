// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with hot update for QEMU's "edu" PCI device, whose DMA uses pages that are
 * saved with their mapping. It can be told to do what a wrong driver does. The module also
 * has a witness: an extra reference to the driver's pages, which keeps them from being
 * allocated again when the stash has dropped them. A script looks at them and thus sees
 * whether the device still writes there.
 *
 * The script starts all DMA by itself, through /dev/mem, because there is no driver for it
 * in the gap. The driver therefore does not request the device's region, which the kernel
 * would keep from the script.
 */

#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#include <drm/drm_hotupdate.h>
#include <drm/drm_hotupdate_package.h>

#define MAPPED_VENDOR		0x1234
#define MAPPED_DEVICE		0x11e8

#define MAPPED_ORDER		1
#define MAPPED_SIZE		(PAGE_SIZE << MAPPED_ORDER)

/* Registers of the device */
#define MAPPED_IRQ_STATUS	0x24
#define MAPPED_IRQ_ACK		0x64

/* As much as the device can address, unless QEMU is told otherwise */
#define MAPPED_ADDRESS_BITS	28

static bool unmap_saved;
module_param(unmap_saved, bool, 0600);
MODULE_PARM_DESC(unmap_saved, "Unmap the pages when the driver goes, though they are saved");

static bool survives;
module_param(survives, bool, 0600);
MODULE_PARM_DESC(survives, "Register with DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF");

enum mapped_save {
	MAPPED_SAVE_RIGHT,
	/* An address at which nothing is mapped */
	MAPPED_SAVE_UNMAPPED,
	/* The address of other pages */
	MAPPED_SAVE_OTHER,
	/* An address of the first page, and none of the second */
	MAPPED_SAVE_SHORT,
	MAPPED_SAVE_WITHOUT,
};

static unsigned int save;
module_param(save, uint, 0600);
MODULE_PARM_DESC(save, "Address to save: 0 that of the pages, 1 an unmapped one, 2 that of other pages, 3 of the first page only, 4 none");

/* Pages that are mapped for the device */
struct mapped_pages {
	struct page *page;
	dma_addr_t addr;
};

struct mapped {
	struct pci_dev *pdev;
	struct drm_hotupdate_adapter *adapter;
	void __iomem *regs;
	/* Given back in a restore, until the commit */
	struct drm_hotupdate_block *block;
	struct mapped_pages saved;
	/* Never saved */
	struct mapped_pages other;
};

/*
 * Shown in debugfs, and kept when the driver goes. One thread does everything, that of
 * the script, but for the interrupts.
 */
static u64 mapped_pfn;
static u64 mapped_addr;
static u32 mapped_callbacks;
static u32 mapped_missed;
static atomic_t mapped_irqs;

/* The memory of the driver, if one is bound; as a new driver gets it from the block */
static struct debugfs_blob_wrapper mapped_memory;

/* 1. The witness */

static struct page *mapped_witness_page;
static struct debugfs_blob_wrapper mapped_witness_memory;

static void mapped_show(struct debugfs_blob_wrapper *blob, struct page *page)
{
	blob->data = page ? page_address(page) : NULL;
	blob->size = page ? MAPPED_SIZE : 0;
}

static int mapped_witness_set(void *data, u64 value)
{
	struct page *page = NULL;

	if (value) {
		if (!mapped_memory.data)
			return -ENODEV;
		page = virt_to_page(mapped_memory.data);
		get_page(page);
	}
	if (mapped_witness_page)
		put_page(mapped_witness_page);
	mapped_witness_page = page;
	mapped_show(&mapped_witness_memory, page);
	return 0;
}

/* How many references there are, that of the witness included */
static int mapped_witness_get(void *data, u64 *value)
{
	*value = mapped_witness_page ? page_count(mapped_witness_page) : 0;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(mapped_witness_fops, mapped_witness_get, mapped_witness_set, "%llu\n");

/* 2. Memory and interrupts */

static int mapped_alloc(struct mapped *mapped, struct mapped_pages *pages)
{
	struct device *dev = &mapped->pdev->dev;

	pages->page = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO, MAPPED_ORDER);
	if (!pages->page)
		return -ENOMEM;
	pages->addr = dma_map_page(dev, pages->page, 0, MAPPED_SIZE, DMA_BIDIRECTIONAL);
	if (!dma_mapping_error(dev, pages->addr))
		return 0;
	__free_pages(pages->page, MAPPED_ORDER);
	pages->page = NULL;
	return -ENOMEM;
}

static void mapped_put(struct mapped *mapped, struct mapped_pages *pages, bool unmap)
{
	if (!pages->page)
		return;
	if (unmap)
		dma_unmap_page(&mapped->pdev->dev, pages->addr, MAPPED_SIZE,
			       DMA_BIDIRECTIONAL);
	put_page(pages->page);
	pages->page = NULL;
}

static void mapped_show_saved(const struct mapped *mapped)
{
	mapped_show(&mapped_memory, mapped->saved.page);
	if (!mapped->saved.page)
		return;
	mapped_pfn = page_to_pfn(mapped->saved.page);
	mapped_addr = mapped->saved.addr;
}

/* Returns whether the device has raised one. */
static bool mapped_ack_irq(struct mapped *mapped)
{
	u32 status = readl(mapped->regs + MAPPED_IRQ_STATUS);

	/* All ones: the device has gone. */
	if (!status || PCI_POSSIBLE_ERROR(status))
		return false;
	writel(status, mapped->regs + MAPPED_IRQ_ACK);
	return true;
}

static irqreturn_t mapped_irq(int irq, void *data)
{
	if (!mapped_ack_irq(data))
		return IRQ_NONE;
	atomic_inc(&mapped_irqs);
	return IRQ_HANDLED;
}

static int mapped_get_irq(struct mapped *mapped)
{
	struct pci_dev *pdev = mapped->pdev;
	int err;

	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
	if (err < 0)
		return err;
	err = request_irq(pci_irq_vector(pdev, 0), mapped_irq, 0, "mapped", mapped);
	if (err)
		pci_free_irq_vectors(pdev);
	return err;
}

static void mapped_put_irq(struct mapped *mapped)
{
	free_irq(pci_irq_vector(mapped->pdev, 0), mapped);
	pci_free_irq_vectors(mapped->pdev);
}

/* 3. The callbacks */

static int mapped_save_memory(struct drm_hotupdate_adapter *adapter)
{
	struct mapped *mapped = drm_hotupdate_adapter_priv(adapter);
	const struct drm_hotupdate_range range = {
		.pfn = page_to_pfn(mapped->saved.page),
		.nr_pages = 1 << MAPPED_ORDER,
	};
	struct drm_hotupdate_dma dma = {
		.addr = mapped->saved.addr,
		.nr_pages = range.nr_pages,
	};
	struct drm_hotupdate_save_args args = {
		.ranges = &range,
		.num_ranges = 1,
		.dma = &dma,
		.num_dma = 1,
		.dma_dir = DMA_BIDIRECTIONAL,
	};

	mapped_callbacks++;
	switch (save) {
	case MAPPED_SAVE_UNMAPPED:
		dma.addr ^= DMA_BIT_MASK(MAPPED_ADDRESS_BITS) & ~DMA_BIT_MASK(24);
		break;
	case MAPPED_SAVE_OTHER:
		dma.addr = mapped->other.addr;
		break;
	case MAPPED_SAVE_SHORT:
		dma.nr_pages--;
		break;
	case MAPPED_SAVE_WITHOUT:
		args.dma = NULL;
		args.num_dma = 0;
		args.dma_dir = 0;
		break;
	}
	return drm_hotupdate_save_memory(adapter, &args);
}

static void mapped_cancel_save(struct drm_hotupdate_adapter *adapter)
{
	mapped_callbacks++;
}

static int mapped_restore_memory(struct drm_hotupdate_adapter *adapter,
				 struct drm_hotupdate_block *block)
{
	struct mapped *mapped = drm_hotupdate_adapter_priv(adapter);
	const struct drm_hotupdate_dma *dma;
	enum dma_data_direction dir;
	unsigned long attrs;
	unsigned int num;

	mapped_callbacks++;
	dma = drm_hotupdate_block_dma(block, &num, &dir, &attrs);
	if (mapped->block || !dma || num != 1 || dma->nr_pages != 1 << MAPPED_ORDER ||
	    dir != DMA_BIDIRECTIONAL || attrs)
		return -EINVAL;
	mapped->block = block;
	return 0;
}

static void mapped_restore_abort(struct drm_hotupdate_adapter *adapter)
{
	struct mapped *mapped = drm_hotupdate_adapter_priv(adapter);

	mapped_callbacks++;
	drm_hotupdate_block_put(mapped->block);
	mapped->block = NULL;
}

static int mapped_start_device(struct drm_hotupdate_adapter *adapter, bool restored)
{
	struct mapped *mapped = drm_hotupdate_adapter_priv(adapter);
	int err;

	mapped_callbacks++;
	err = mapped_get_irq(mapped);
	if (err)
		return err;
	err = mapped_alloc(mapped, &mapped->other);
	if (!err && !restored)
		err = mapped_alloc(mapped, &mapped->saved);
	if (err) {
		mapped_put(mapped, &mapped->other, true);
		mapped_put_irq(mapped);
		return err;
	}
	mapped_show_saved(mapped);
	return 0;
}

/* Without the saved pages, if they have not been taken over yet. */
static void mapped_stop_device(struct drm_hotupdate_adapter *adapter, bool saved)
{
	struct mapped *mapped = drm_hotupdate_adapter_priv(adapter);

	mapped_callbacks++;
	mapped_put_irq(mapped);
	if (!saved)
		pci_clear_master(mapped->pdev);
	mapped_put(mapped, &mapped->other, true);
	mapped_put(mapped, &mapped->saved, !saved || unmap_saved);
	mapped_show_saved(mapped);
}

static void mapped_restore_complete(struct drm_hotupdate_adapter *adapter)
{
	struct mapped *mapped = drm_hotupdate_adapter_priv(adapter);
	const struct drm_hotupdate_range *range;
	const struct drm_hotupdate_dma *dma;
	enum dma_data_direction dir;
	unsigned long attrs;
	unsigned int num;

	mapped_callbacks++;
	range = drm_hotupdate_block_ranges(mapped->block, &num);
	dma = drm_hotupdate_block_dma(mapped->block, &num, &dir, &attrs);
	mapped->saved.page = pfn_to_page(range->pfn);
	mapped->saved.addr = dma->addr;
	get_page(mapped->saved.page);
	drm_hotupdate_block_put(mapped->block);
	mapped->block = NULL;
	mapped_show_saved(mapped);
	/* No interrupt came of it: the vector was freed. */
	if (mapped_ack_irq(mapped))
		mapped_missed++;
}

static const struct drm_hotupdate_ops mapped_ops = {
	.save_memory = mapped_save_memory,
	.cancel_save = mapped_cancel_save,
	.restore_memory = mapped_restore_memory,
	.restore_abort = mapped_restore_abort,
	.start_device = mapped_start_device,
	.stop_device = mapped_stop_device,
	.restore_complete = mapped_restore_complete,
};

/* 4. The driver */

static int mapped_register(struct mapped *mapped)
{
	const struct drm_hotupdate_driver driver = {
		.name = "mapped",
		.compatible = "test,mapped",
		.version = 1,
		.min_version = 1,
		.ops = &mapped_ops,
		.owner = THIS_MODULE,
		.flags = survives ? DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF : 0,
	};

	mapped->adapter = drm_hotupdate_adapter_register(&mapped->pdev->dev, &driver,
							 mapped);
	return PTR_ERR_OR_ZERO(mapped->adapter);
}

static int mapped_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct mapped *mapped;
	int err;

	mapped = devm_kzalloc(&pdev->dev, sizeof(*mapped), GFP_KERNEL);
	if (!mapped)
		return -ENOMEM;
	mapped->pdev = pdev;
	pci_set_drvdata(pdev, mapped);
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(MAPPED_ADDRESS_BITS));
	if (err)
		return err;
	err = pci_enable_device(pdev);
	if (err)
		return err;
	pci_set_master(pdev);
	mapped->regs = pci_iomap(pdev, 0, 0);
	if (!mapped->regs) {
		err = -ENOMEM;
		goto err_disable;
	}
	err = mapped_register(mapped);
	if (err)
		goto err_unmap;
	return 0;

err_unmap:
	pci_iounmap(pdev, mapped->regs);
err_disable:
	pci_disable_device(pdev);
	return err;
}

static void mapped_remove(struct pci_dev *pdev)
{
	struct mapped *mapped = pci_get_drvdata(pdev);

	drm_hotupdate_adapter_unregister(mapped->adapter);
	pci_iounmap(pdev, mapped->regs);
	pci_disable_device(pdev);
}

static const struct pci_device_id mapped_ids[] = {
	{ PCI_DEVICE(MAPPED_VENDOR, MAPPED_DEVICE) },
	{ }
};

static struct pci_driver mapped_driver = {
	.name = "mapped",
	.id_table = mapped_ids,
	.probe = mapped_probe,
	.remove = mapped_remove,
};

static struct dentry *mapped_dir;

static int __init mapped_init(void)
{
	int err = pci_register_driver(&mapped_driver);

	if (err)
		return err;
	mapped_dir = debugfs_create_dir("mapped", NULL);
	debugfs_create_x64("pfn", 0400, mapped_dir, &mapped_pfn);
	debugfs_create_x64("addr", 0400, mapped_dir, &mapped_addr);
	debugfs_create_u32("callbacks", 0400, mapped_dir, &mapped_callbacks);
	debugfs_create_u32("missed", 0400, mapped_dir, &mapped_missed);
	debugfs_create_atomic_t("irqs", 0400, mapped_dir, &mapped_irqs);
	debugfs_create_blob("memory", 0600, mapped_dir, &mapped_memory);
	debugfs_create_blob("witness_memory", 0600, mapped_dir, &mapped_witness_memory);
	debugfs_create_file("witness", 0600, mapped_dir, NULL, &mapped_witness_fops);
	return 0;
}

static void __exit mapped_exit(void)
{
	debugfs_remove(mapped_dir);
	mapped_witness_set(NULL, 0);
	pci_unregister_driver(&mapped_driver);
}

module_init(mapped_init);
module_exit(mapped_exit);

MODULE_DESCRIPTION("Driver of a PCI device with DMA, to test hot update with");
MODULE_PACKAGE_VERSION;
MODULE_LICENSE("GPL");
