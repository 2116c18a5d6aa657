// SPDX-License-Identifier: GPL-2.0-only

#include <linux/align.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_device.h>
#include <drm/drm_print.h>

#include "vgpu_hw.h"
#include "vgpu_import.h"
#include "vgpu_pf.h"

/**
 * DOC: import
 *
 * A client can import memory of another device or process as a dma-buf. The
 * exporter describes this memory by an sg_table. Only the DMA addresses and DMA
 * lengths of its entries count here. Pages, offsets and lengths are for the CPU,
 * and can differ: the DMA layer merges neighbours, and an offset can exceed a page.
 *
 * Every client of the render node can make the device read and write all memory
 * that the list leads to. Therefore the driver checks the list before it creates
 * the object: the list must be long enough, and each entry that the object needs
 * must be memory that the device may access. It copies the addresses, because the
 * exporter keeps the list and could change it.
 *
 * As with other DRM drivers, jobs can write to imported memory even if the client's
 * file descriptor of the dma-buf is read-only.
 */

/* The reason for a refusal, and the entry at fault. */
struct import_refusal {
	const char *why;
	unsigned int entry;
};

/*
 * The device takes a reference to a page while it uses it, and refuses a page that
 * has none. In an allocation of several pages that is not a folio only the first
 * page has references: dma_alloc_coherent() and the page pools of some exporters
 * allocate in this way.
 */
static const char *import_page_refusal(struct page *page)
{
	if (!page)
		return "is not memory of the host";
	if (PageReserved(page))
		return "is reserved memory";
	if (!page_count(page))
		return "has a page without a reference";
	if (!vgpu_hw_reaches(page_folio(page)))
		return "is memory of the kernel";
	return NULL;
}

/* Bytes from a page to the end of its folio: all its pages pass or fail together. */
static u64 import_rest_of_folio(struct page *page)
{
	struct folio *folio = page_folio(page);

	return (u64)(folio_nr_pages(folio) - folio_page_idx(folio, page)) << PAGE_SHIFT;
}

static const char *import_memory_refusal(u64 address, u64 size)
{
	const u64 end = address + size;

	while (address < end) {
		struct page *page = pfn_to_online_page(PHYS_PFN(address));
		const char *why = import_page_refusal(page);

		if (why)
			return why;
		/* The import holds locks that imports of other clients need. */
		if (fatal_signal_pending(current))
			return "is not checked because the client is being killed";
		address += import_rest_of_folio(page);
		cond_resched();
	}
	return NULL;
}

/* @size: bytes of the entry that the object needs */
static const char *import_entry_refusal(struct device *dev, u64 address, u64 size)
{
	if (!size)
		return "is empty";
	if (!IS_ALIGNED(address | size, VGPU_PAGE_SIZE))
		return "is not whole pages";
	if (!vgpu_lmtt_can_lead_to(address, size))
		return "is beyond what the device can address";
	/* The device's writes would stay in the bounce buffer. */
	if (dma_need_sync(dev, address))
		return "needs DMA syncs, like a bounce buffer";
	return import_memory_refusal(address, size);
}

static void import_add_range(struct vgpu_import *import, u64 address, u64 size)
{
	struct vgpu_import_range *last = &import->ranges[import->num_ranges];

	if (import->num_ranges && last[-1].address + last[-1].size == address) {
		last[-1].size += size;
		return;
	}
	*last = (struct vgpu_import_range) { .address = address, .size = size };
	import->num_ranges++;
}

/* Returns false if the list has no @size bytes that can be mapped. */
static bool import_read_list(struct vgpu_import *import, struct device *dev,
			     const struct sg_table *sgt, u64 size,
			     struct import_refusal *refusal)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 address, used;

		refusal->entry = i;
		/* An exporter can claim more entries than the list has. */
		if (!sg) {
			refusal->why = "is missing";
			return false;
		}
		address = sg_dma_address(sg);
		used = min_t(u64, sg_dma_len(sg), size);
		refusal->why = import_entry_refusal(dev, address, used);
		if (refusal->why)
			return false;
		import_add_range(import, address, used);
		size -= used;
		if (!size)
			return true;
	}
	refusal->entry = sgt->nents;
	refusal->why = "is missing";
	return false;
}

static int import_check(struct vgpu_import *import, struct drm_device *drm,
			const struct dma_buf_attachment *attach, const struct sg_table *sgt)
{
	u64 size = attach->dmabuf->size;
	struct import_refusal refusal;

	/* The device takes a DMA address for a physical address. */
	if (device_iommu_mapped(attach->dev)) {
		drm_dbg(drm, "import refused: the device does not support an IOMMU\n");
		return -EINVAL;
	}
	if (!import_read_list(import, attach->dev, sgt, round_up(size, PAGE_SIZE), &refusal)) {
		drm_dbg(drm, "import of %llu bytes refused: entry %u of %u %s\n", size,
			refusal.entry, sgt->nents, refusal.why);
		return -EINVAL;
	}
	return 0;
}

/**
 * vgpu_import_create - read and check an exporter's list
 * @drm: DRM device
 * @attach: attachment of the dma-buf
 * @sgt: the list, mapped for the device
 *
 * The driver reads the list only here, because it stays the exporter's.
 *
 * Context: Process context, may sleep. The caller holds PRIME's locks.
 * Return: The memory, to be freed by vgpu_import_free(); ERR_PTR(-EINVAL) if the
 * list is shorter than the dma-buf, malformed, or contains memory that the device
 * may not access; ERR_PTR(-ENOMEM). A debug message reports entry and reason.
 */
struct vgpu_import *vgpu_import_create(struct drm_device *drm,
				       const struct dma_buf_attachment *attach,
				       const struct sg_table *sgt)
{
	u64 size = attach->dmabuf->size;
	struct vgpu_import *import;
	int err;

	if (!size || size > VGPU_LMTT_MAX_SIZE) {
		drm_dbg(drm, "import refused: %llu bytes cannot be mapped\n", size);
		return ERR_PTR(-EINVAL);
	}
	/* A list can be too long to be copied, which is no reason for a warning. */
	import = kvzalloc(struct_size(import, ranges, sgt->nents),
			  GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!import)
		return ERR_PTR(-ENOMEM);
	err = import_check(import, drm, attach, sgt);
	if (err) {
		kvfree(import);
		return ERR_PTR(err);
	}
	return import;
}

/**
 * vgpu_import_free - free the description of imported memory
 * @import: memory that is not mapped, or NULL
 *
 * Context: Process context, may sleep.
 */
void vgpu_import_free(struct vgpu_import *import)
{
	kvfree(import);
}

/**
 * vgpu_import_map - map imported memory
 * @import: memory
 * @mapping: addresses of the object
 *
 * Context: Process context, may sleep. The caller holds &vgpu_pf.space_lock.
 * Return: 0 or the error of vgpu_mapping_add().
 */
int vgpu_import_map(const struct vgpu_import *import, struct vgpu_mapping *mapping)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < import->num_ranges && !err; i++)
		err = vgpu_mapping_add(mapping, import->ranges[i].address,
				       import->ranges[i].size, VGPU_LMTT_SYSTEM);
	return err;
}
