/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between supported kernels, for the modules of this package. Drivers do
 * not include this header: it is no part of their interface, and goes away when the
 * package becomes part of a kernel.
 *
 * Macros of the kernel's headers show which features it has. Where there is no macro,
 * drivers/gpu/drm/hotupdate/Makefile.features looks into the headers. Versions do not
 * help: stable series get some features.
 */
#ifndef _DRM_HOTUPDATE_COMPAT_H_
#define _DRM_HOTUPDATE_COMPAT_H_

#ifndef HOTUPDATE_COMPAT_FEATURES
#error "The Makefile has to include Makefile.features."
#endif

#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pageblock-flags.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/spinlock.h>

/*
 * The override of the driver is a string from kmalloc(), of the device or of what
 * embeds it. guard(hotupdate_compat_override) is its lock. In kernels where the bus
 * has the string, the lock is the device's, which the caller holds already.
 */
#ifdef HOTUPDATE_COMPAT_HAS_DEVICE_OVERRIDE
DEFINE_LOCK_GUARD_1(hotupdate_compat_override, struct device,
		    spin_lock(&_T->lock->driver_override.lock),
		    spin_unlock(&_T->lock->driver_override.lock))

/* Of a PCI or platform device, with the override's lock held. */
static inline const char **hotupdate_compat_override(struct device *dev)
{
	return &dev->driver_override.name;
}
#else
DEFINE_LOCK_GUARD_1(hotupdate_compat_override, struct device,
		    device_lock_assert(_T->lock),
		    device_lock_assert(_T->lock))

/* Of a PCI or platform device, with the override's lock held. */
static inline const char **hotupdate_compat_override(struct device *dev)
{
	if (dev_is_pci(dev))
		return &to_pci_dev(dev)->driver_override;
	return &to_platform_device(dev)->driver_override;
}
#endif

/* A DMA address without the bit of a kernel with encrypted memory. */
#ifdef dma_addr_canonical
#define hotupdate_compat_dma_addr(addr)	dma_addr_canonical(addr)
#else
#define hotupdate_compat_dma_addr(addr)	__sme_clr(addr)
#endif

/* Attributes of mappings that not all kernels have. */
#ifdef DMA_ATTR_REQUIRE_COHERENT
#define HOTUPDATE_COMPAT_DMA_ATTRS	DMA_ATTR_REQUIRE_COHERENT
#else
#define HOTUPDATE_COMPAT_DMA_ATTRS	0
#endif

/* The bits of a pageblock's entry in its bitmap that have the type. */
#if defined(PAGEBLOCK_MIGRATETYPE_MASK)
#define HOTUPDATE_PAGEBLOCK_TYPE_MASK	PAGEBLOCK_MIGRATETYPE_MASK
#elif defined(MIGRATETYPE_MASK)
#define HOTUPDATE_PAGEBLOCK_TYPE_MASK	MIGRATETYPE_MASK
#endif

/*
 * Modules cannot call the kernel's functions for the type of a pageblock, but can read
 * the bitmap. A pageblock_order that is no macro is a variable, which they cannot read.
 */
#if defined(HOTUPDATE_PAGEBLOCK_TYPE_MASK) && defined(pageblock_order)
#define HOTUPDATE_HAS_PAGEBLOCKS

/* Returns the word that has the entry of a page's pageblock. The entry begins at @shift. */
static inline unsigned long *hotupdate_compat_pageblock(unsigned long pfn,
							unsigned int *shift)
{
#ifdef CONFIG_SPARSEMEM
	unsigned long *bitmap = section_to_usemap(__pfn_to_section(pfn));
	unsigned long first = SECTION_ALIGN_DOWN(pfn);
#else
	struct zone *zone = page_zone(pfn_to_page(pfn));
	unsigned long *bitmap = zone->pageblock_flags;
	unsigned long first = pageblock_start_pfn(zone->zone_start_pfn);
#endif
	unsigned long bit = ((pfn - first) >> pageblock_order) * NR_PAGEBLOCK_BITS;

	*shift = bit % BITS_PER_LONG;
	return &bitmap[bit / BITS_PER_LONG];
}

/* Returns an &enum migratetype. */
static inline int hotupdate_compat_pageblock_type(unsigned long pfn)
{
	unsigned int shift;
	unsigned long *word = hotupdate_compat_pageblock(pfn, &shift);

	return (READ_ONCE(*word) >> shift) & HOTUPDATE_PAGEBLOCK_TYPE_MASK;
}
#else
/* Returns no type of the kernel's. */
static inline int hotupdate_compat_pageblock_type(unsigned long pfn)
{
	return -1;
}
#endif

/*
 * For KUnit suites, which include <linux/module.h>. MODULE_IMPORT_NS() takes a name or
 * a string, depending on the kernel, but puts the same into the module.
 */
#define HOTUPDATE_COMPAT_IMPORT_KUNIT_NS() \
	MODULE_INFO(import_ns, "EXPORTED_FOR_KUNIT_TESTING")
#define HOTUPDATE_COMPAT_IMPORT_DMA_BUF_NS() \
	MODULE_INFO(import_ns, "DMA_BUF")

/*
 * The scheduler and memory statistics of DRM. These are macros because the core, which
 * builds without DRM, includes this header too. Code that uses them includes DRM's.
 */

/* Arguments of drm_sched_init() by name. Those that are not named are zero. */
#ifdef HOTUPDATE_COMPAT_HAS_SCHED_INIT_ARGS
#define hotupdate_compat_sched_args	drm_sched_init_args
#define hotupdate_compat_sched_init(sched, args)	drm_sched_init(sched, args)
#else
struct hotupdate_compat_sched_args {
	const struct drm_sched_backend_ops *ops;
	struct workqueue_struct *submit_wq;
	struct workqueue_struct *timeout_wq;
	u32 num_rqs;
	u32 credit_limit;
	unsigned int hang_limit;
	long timeout;
	atomic_t *score;
	const char *name;
	struct device *dev;
};

#define hotupdate_compat_sched_init(sched, args) ({			\
	const struct hotupdate_compat_sched_args *_args = (args);	\
									\
	drm_sched_init(sched, _args->ops, _args->submit_wq,		\
		       _args->num_rqs, _args->credit_limit,		\
		       _args->hang_limit, _args->timeout,		\
		       _args->timeout_wq, _args->score,			\
		       _args->name, _args->dev);			\
})
#endif

/* Jobs that were in flight end with -ECANCELED on all kernels. */
#ifdef HOTUPDATE_COMPAT_HAS_SCHED_START_ERRNO
#define hotupdate_compat_sched_start(sched)	drm_sched_start(sched, 0)
#else
#define hotupdate_compat_sched_start(sched)	drm_sched_start(sched)
#endif

#ifdef HOTUPDATE_COMPAT_HAS_SCHED_RESET
#define HOTUPDATE_COMPAT_SCHED_RESET	DRM_GPU_SCHED_STAT_RESET
#else
#define HOTUPDATE_COMPAT_SCHED_RESET	DRM_GPU_SCHED_STAT_NOMINAL
#endif

/* The kinds of memory in statistics. Not all kernels ask which objects are in use. */
#ifdef HOTUPDATE_COMPAT_HAS_GEM_ACTIVE
#define HOTUPDATE_COMPAT_GEM_STATUS	(DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_ACTIVE)
#else
#define HOTUPDATE_COMPAT_GEM_STATUS	DRM_GEM_OBJECT_RESIDENT
#endif

#endif /* _DRM_HOTUPDATE_COMPAT_H_ */
