/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hot update of DRM drivers: the interface for drivers.
 */
#ifndef _DRM_HOTUPDATE_H_
#define _DRM_HOTUPDATE_H_

#include <linux/bits.h>
#include <linux/dma-direction.h>
#include <linux/moduleparam.h>
#include <linux/stringify.h>
#include <linux/types.h>

struct device;
struct dma_fence;
struct drm_hotupdate_adapter;
struct drm_hotupdate_block;
struct module;
struct sg_table;

/**
 * DRM_HOTUPDATE_ABI - version of this interface
 *
 * A driver and the core that it is loaded for have the same one, whatever the versions
 * of their packages. An addition to a structure consumes a reserved word and leaves it
 * as it is.
 */
#define DRM_HOTUPDATE_ABI		1

/**
 * DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF - flag of a driver whose device can wait
 *
 * The device and its VFs go on after an interval without bus mastering, with nothing
 * lost, and the driver turns bus mastering on again before it starts a restored device.
 * Without the flag, a device that has lost bus mastering makes the stash stale.
 */
#define DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF	BIT(0)

/*
 * A member that consumes a reserved word is hidden from symbol versions. To genksyms
 * there are as many reserved words as in the beginning: a driver that was built before
 * the addition can still be loaded.
 */
#ifdef __GENKSYMS__
#define __DRM_HOTUPDATE_SAVE_RESERVED	6
#else
#define __DRM_HOTUPDATE_SAVE_RESERVED	3
#endif

/**
 * DRM_HOTUPDATE_MAX_META_SIZE - most bytes of metadata a block can carry
 */
#define DRM_HOTUPDATE_MAX_META_SIZE	(64 * 1024)

/**
 * struct drm_hotupdate_range - contiguous pages
 *
 * The Linux form of a range of W7. W8's packed word is made and read by
 * drm_hotupdate_range_to_ksr() and drm_hotupdate_range_from_ksr().
 */
struct drm_hotupdate_range {
	/**
	 * @pfn: number of the first page, in units of PAGE_SIZE. For system
	 * memory this is the kernel's page frame number, for device memory
	 * a page number in whatever address space the driver uses for it.
	 */
	u64 pfn;
	/** @nr_pages: how many pages, at least one */
	u64 nr_pages;
};

/**
 * struct drm_hotupdate_dma - pages that are contiguous for a device
 *
 * The result of one call that mapped them for DMA, and what one call unmaps. After
 * dma_map_sg(), drm_hotupdate_dma_from_sgt() makes the entries.
 */
struct drm_hotupdate_dma {
	/** @addr: DMA address of the first page, as dma_map_page() returned it */
	dma_addr_t addr;
	/** @nr_pages: how many pages were mapped, at least one, in units of PAGE_SIZE */
	u64 nr_pages;
};

/**
 * enum drm_hotupdate_mem - what kind of memory a block's ranges name
 */
enum drm_hotupdate_mem {
	/**
	 * @DRM_HOTUPDATE_MEM_SYSTEM: pages of the host. The block holds a
	 * reference to each folio, they stay where they are.
	 */
	DRM_HOTUPDATE_MEM_SYSTEM,
	/**
	 * @DRM_HOTUPDATE_MEM_DEVICE: memory of the device, VRAM say. The core
	 * keeps the description only, the content is the device's affair.
	 */
	DRM_HOTUPDATE_MEM_DEVICE,
};

/**
 * struct drm_hotupdate_save_args - what one save call saves
 *
 * Exactly one of @ranges, @sgt and @data names the memory (W7), the others
 * are NULL and their counts zero. The structure and the arrays it points at
 * belong to the caller and are not looked at after the call.
 */
struct drm_hotupdate_save_args {
	/** @ranges: array of ranges, in the order in which they come back */
	const struct drm_hotupdate_range *ranges;
	/** @num_ranges: entries in @ranges */
	unsigned int num_ranges;
	/** @mem: memory type of @ranges; must be zero for @sgt and @data */
	enum drm_hotupdate_mem mem;
	/**
	 * @sgt: table of system pages (W9). Each of its original entries
	 * covers whole pages, and all together cover whole folios. The block
	 * holds the pages as with @ranges. It does not hold the table, which
	 * the driver can free after the call.
	 */
	struct sg_table *sgt;
	/** @data: kernel virtual memory, copied at the call (W10) */
	const void *data;
	/** @data_size: bytes at @data */
	size_t data_size;
	/** @meta: what the driver wants beside the block, or NULL (W11) */
	const void *meta;
	/** @meta_size: bytes at @meta, &DRM_HOTUPDATE_MAX_META_SIZE at most */
	size_t meta_size;
#ifndef __GENKSYMS__
	/**
	 * @dma: DMA addresses of all pages of @ranges or @sgt, in their order, for
	 * &drm_hotupdate_device.dma_dev (U19); NULL if the device does not use the
	 * pages, or not by the DMA API. The mapping stays as it is, and is the only
	 * one that the device has of these pages. Memory of dma_alloc_coherent() and
	 * its like has none that can stay.
	 */
	const struct drm_hotupdate_dma *dma;
	/** @num_dma: entries in @dma */
	unsigned int num_dma;
	/** @dma_dir: direction with which all of @dma were mapped; zero without @dma */
	enum dma_data_direction dma_dir;
	/** @dma_attrs: DMA_ATTR_* with which they were mapped */
	unsigned long dma_attrs;
#endif
	/** @reserved: for additions, must be zero */
	u64 reserved[__DRM_HOTUPDATE_SAVE_RESERVED];
};

/**
 * struct drm_hotupdate_ops - what a driver does for a hot update
 *
 * All are required. All are called in process context and may sleep (W19), within
 * an operation on the adapter: no two callbacks of an adapter run at the same time,
 * and none may call drm_hotupdate_adapter_register(),
 * drm_hotupdate_adapter_unregister(), drm_hotupdate_prepare() or
 * drm_hotupdate_cancel(). Those that can fail return 0 or a negative errno (W20).
 * The core logs any other result as a bug of the driver, and treats it as -EINVAL.
 *
 * A driver drops its own references to saved pages as usual, in @stop_device or at
 * any other time: the block holds references of its own (U2). That protects the
 * pages, but neither their content nor a mapping. The driver withdraws saved pages
 * from allocators that recycle them whatever their count (TTM's pool of
 * write-combined pages, dma_pool, page_pool, a cache of its own), and its teardown
 * neither writes to them nor unmaps them for DMA, unless @stop_device was called without
 * saved.
 */
struct drm_hotupdate_ops {
	/**
	 * @save_memory: Stop serving, and save with
	 * drm_hotupdate_save_memory() all that is needed to go on running the
	 * virtual GPUs (W3, W5). The hardware runs on. What is written follows
	 * drm_hotupdate_adapter_version().
	 *
	 * On success the driver serves nothing more and changes nothing that
	 * it saved, until @cancel_save or @stop_device. If it fails, it
	 * has put itself back to running first; the core drops all blocks, and
	 * makes no further call (U14).
	 */
	int (*save_memory)(struct drm_hotupdate_adapter *adapter);

	/**
	 * @cancel_save: The hot update is cancelled after a @save_memory that
	 * returned 0 (W4), because the administrator asked, the deadline or
	 * saved_timeout_ms passed, or the driver ignored a failed save call.
	 * The core has dropped all blocks. The driver serves again.
	 */
	void (*cancel_save)(struct drm_hotupdate_adapter *adapter);

	/**
	 * @restore_memory: One block, in the order of saving (W13, U1). The
	 * driver reserves what the block describes, and writes neither to the
	 * device (W14) nor to the block's pages (U10).
	 *
	 * If it returns 0 it has been given one reference to the block, to
	 * drop with drm_hotupdate_block_put() or to trade for the pages with
	 * drm_hotupdate_block_take() after the commit (W16). If it fails it
	 * has been given none.
	 */
	int (*restore_memory)(struct drm_hotupdate_adapter *adapter,
			      struct drm_hotupdate_block *block);

	/**
	 * @restore_abort: A restore that has begun is aborted, because
	 * @restore_memory or @start_device failed, or after @stop_device
	 * because the driver unregistered before the commit (U4, U15). The
	 * driver drops every block reference it was given and everything it
	 * reserved. Called once for each restore that does not end in a commit.
	 */
	void (*restore_abort)(struct drm_hotupdate_adapter *adapter);

	/**
	 * @start_device: Start the device. With @restored it is running, and
	 * is taken over without a reset (U16). The driver serves nothing and
	 * changes nothing that the blocks describe until @restore_complete,
	 * because its probe can still fail: a write to sysfs or an ioctl fails
	 * with -EBUSY. Without @restored there was nothing to restore: the
	 * device is initialised from the beginning, and the driver serves. If
	 * it fails, the device is left as it was found.
	 */
	int (*start_device)(struct drm_hotupdate_adapter *adapter, bool restored);

	/**
	 * @stop_device: Undo @start_device, from
	 * drm_hotupdate_adapter_unregister() (W21, U12). The driver stops
	 * serving and frees interrupts and all else that @start_device
	 * acquired. With @saved the device keeps running, and the driver changes
	 * nothing that it saved, or that was restored to it: also a restored
	 * driver gets it that is stopped before the commit. Without @saved, as
	 * always if the device is lost, the device is stopped, and the driver unmaps
	 * for DMA what it has mapped or taken over, but not what it was restored
	 * without a commit.
	 */
	void (*stop_device)(struct drm_hotupdate_adapter *adapter, bool saved);

	/**
	 * @restore_complete: The last call of an update (W18). The driver is
	 * bound, and the stash has dropped its references (U5): those of the
	 * driver are the only ones. It frees memory that it needed for the
	 * restore alone, and serves. Not called after a start without
	 * @restored. It can be called from a bus notifier, with the device
	 * locked.
	 */
	void (*restore_complete)(struct drm_hotupdate_adapter *adapter);
};

/**
 * struct drm_hotupdate_device - a device to protect
 *
 * Members that are not named in an initializer are zero, as they should be.
 */
struct drm_hotupdate_device {
	/** @dev: the GPU's device; the first member in all versions of the interface */
	struct device *dev;
	/**
	 * @dma_dev: device that does the DMA, and to which all mappings belong; NULL
	 * means @dev. Any other is an ancestor of @dev, the PCI function of an
	 * auxiliary device say, with a driver of its own. This *resident* driver is in
	 * another module, stays bound while that of @dev is replaced, and looks after
	 * enabling, bus mastering and resets. It removes @dev before it goes. Its module
	 * stays loaded from the save to the commit or the discard.
	 */
	struct device *dma_dev;
	/**
	 * @silence: Stop all DMA of the device until it is reset the next time. Called
	 * by a discard, with @dev and @dma_dev locked and no driver attached to @dev,
	 * before the stash's pages are unmapped and freed. With a resident driver it
	 * is also called when @dev is removed with a stash, by the resident driver's own
	 * removal perhaps. It belongs to the device, and not to the driver, whose module
	 * has gone then. Returns 0 or a negative errno. It takes no lock of a device, nor
	 * one under which @dev is removed, and waits for no driver. May be NULL. It is
	 * not used for a PCI function that has no resident driver: the core turns bus
	 * mastering off.
	 */
	int (*silence)(struct device *dma_dev);
	/**
	 * @silence_owner: module of @silence, which stays loaded from the save to the
	 * commit or the discard. NULL if that module ends with the device.
	 */
	struct module *silence_owner;
	/** @reserved: for additions, must be zero */
	u64 reserved[4];
};

/**
 * struct drm_hotupdate_driver - a driver that can be hot-updated
 *
 * Registering with one says what the capability bit of W1 says on Windows.
 */
struct drm_hotupdate_driver {
	/** @name: name of the driver, for people */
	const char *name;
	/**
	 * @compatible: family of saved state, "vendor,what" say, without
	 * white space. Drivers with the same @compatible can follow upon each
	 * other, as far as their versions go (U6).
	 */
	const char *compatible;
	/** @version: newest state version that it reads and writes, from 1 */
	u32 version;
	/** @min_version: oldest; it reads and writes all from here to @version */
	u32 min_version;
	/** @ops: the callbacks */
	const struct drm_hotupdate_ops *ops;
	/** @owner: THIS_MODULE */
	struct module *owner;
	/**
	 * @flags: %DRM_HOTUPDATE_SURVIVES_BUS_MASTER_OFF, or 0. A driver that has
	 * not the flags of the one that saved cannot restore.
	 */
	u32 flags;
	/** @reserved: for additions, must be zero */
	u64 reserved[4];
};

/**
 * MODULE_DRM_HOTUPDATE - say in a module's modinfo what state it can read
 * @compatible: string literal, as &drm_hotupdate_driver.compatible
 * @min_version: integer literal, as &drm_hotupdate_driver.min_version
 * @version: integer literal, as &drm_hotupdate_driver.version
 *
 * With it a module file can be checked before the module that it is going to
 * replace is unloaded (U6). Macros that expand to a literal will do.
 */
#define MODULE_DRM_HOTUPDATE(compatible, min_version, version)		\
	MODULE_INFO(drm_hotupdate, compatible " "			\
		    __stringify(min_version) "-" __stringify(version)	\
		    " abi " __stringify(DRM_HOTUPDATE_ABI))

struct drm_hotupdate_adapter *
__drm_hotupdate_adapter_register(const struct drm_hotupdate_device *device,
				 const struct drm_hotupdate_driver *drv, void *priv,
				 unsigned int abi);

/**
 * drm_hotupdate_adapter_register_device() - put a GPU under hot-update protection
 * @device: pointer to &struct drm_hotupdate_device; not looked at after the call, but
 *	for &drm_hotupdate_device.silence, which is used until the adapter ends or
 *	another driver registers
 * @drv: pointer to &struct drm_hotupdate_driver; not looked at after the call, but for
 *	&drm_hotupdate_driver.ops and &drm_hotupdate_driver.owner, which are used
 *	until drm_hotupdate_adapter_unregister()
 * @priv: the driver's own pointer, for drm_hotupdate_adapter_priv()
 *
 * Implements W1, W2, W13, W18, U4, U5 and U6. To be called once, from the
 * driver's probe, when all is ready for the device to be started. If a driver
 * left a stash for this GPU, its blocks are restored to this one, and the device is
 * started after that. Without a stash it is only started.
 *
 * On success the driver holds the restored blocks. If it is being probed, the commit
 * follows when the driver core has bound it, with restore_complete, and otherwise at
 * once. Until then drm_hotupdate_adapter_unregister() leads back to the stash. On
 * failure the driver holds nothing, the GPU is as it was before, and a stash is
 * whole: a probe that returns the error leaves the GPU to another driver.
 *
 * A driver that has to know the adapter in its callbacks takes the one that
 * these are given: they can be called before this has returned.
 *
 * Context: Process context, may sleep. The caller holds no lock that the
 * driver's callbacks take.
 * Return: The adapter, or an ERR_PTR:
 *
 * * -EINVAL: @device or @drv lacks something, or has a reserved word that is not zero
 *   or a flag that is not known, or @silence or the resident driver is in the driver's
 *   own module, or @dma_dev is no ancestor, or another one than at the save
 * * -EBUSY: the GPU has a driver
 * * -EDEADLK: it is called from a callback
 * * -ESTALE: the stash does not describe this device any more, or a DMA mapping of it
 *   is lost, and it has to be discarded first; no callback was made
 * * -ENODEV: the driver's module is being unloaded, or @dma_dev has no resident driver
 * * -EPROTONOSUPPORT: the stash is of another family or version, or of a driver with
 *   other flags, or the driver was built for another version of this interface; no
 *   callback was made
 * * -ENOMEM: no memory
 * * the error of the driver's restore_memory or start_device
 */
#define drm_hotupdate_adapter_register_device(device, drv, priv)	\
	__drm_hotupdate_adapter_register(device, drv, priv, DRM_HOTUPDATE_ABI)

/**
 * drm_hotupdate_adapter_register() - put a GPU under hot-update protection
 * @gpu: device of the GPU; a discard needs "force" unless it is a PCI device
 * @drv: as for drm_hotupdate_adapter_register_device()
 * @priv: as for drm_hotupdate_adapter_register_device()
 *
 * Short form of drm_hotupdate_adapter_register_device().
 *
 * Context: Process context, may sleep.
 * Return: As drm_hotupdate_adapter_register_device().
 */
#define drm_hotupdate_adapter_register(gpu, drv, priv)			\
	drm_hotupdate_adapter_register_device(				\
		(&(const struct drm_hotupdate_device) { .dev = (gpu) }), drv, priv)
void drm_hotupdate_adapter_unregister(struct drm_hotupdate_adapter *adapter);
void drm_hotupdate_adapter_lost(struct drm_hotupdate_adapter *adapter);
void *drm_hotupdate_adapter_priv(struct drm_hotupdate_adapter *adapter);
struct device *drm_hotupdate_adapter_dev(struct drm_hotupdate_adapter *adapter);
bool drm_hotupdate_adapter_is_saved(struct drm_hotupdate_adapter *adapter);
u32 drm_hotupdate_adapter_version(struct drm_hotupdate_adapter *adapter);

int drm_hotupdate_save_memory(struct drm_hotupdate_adapter *adapter,
			      const struct drm_hotupdate_save_args *args);
int drm_hotupdate_save_buffer(struct drm_hotupdate_adapter *adapter, const void *data,
			      size_t size, const void *meta, size_t meta_size);
int drm_hotupdate_save_range(struct drm_hotupdate_adapter *adapter,
			     enum drm_hotupdate_mem mem, u64 pfn, u64 nr_pages,
			     const void *meta, size_t meta_size);
int drm_hotupdate_can_save(const struct drm_hotupdate_range *range, unsigned long *pfn);
unsigned int drm_hotupdate_dma_from_sgt(const struct sg_table *sgt,
					struct drm_hotupdate_dma *dma, unsigned int max);
int drm_hotupdate_prepare(struct drm_hotupdate_adapter *adapter, u32 version);
int drm_hotupdate_cancel(struct drm_hotupdate_adapter *adapter);

unsigned int drm_hotupdate_block_index(const struct drm_hotupdate_block *block);
size_t drm_hotupdate_block_size(const struct drm_hotupdate_block *block);
enum drm_hotupdate_mem
drm_hotupdate_block_mem(const struct drm_hotupdate_block *block);
const void *drm_hotupdate_block_meta(const struct drm_hotupdate_block *block,
				     size_t *size);
const struct drm_hotupdate_range *
drm_hotupdate_block_ranges(const struct drm_hotupdate_block *block,
			   unsigned int *num);
struct sg_table *drm_hotupdate_block_sgt(struct drm_hotupdate_block *block);
const struct drm_hotupdate_dma *
drm_hotupdate_block_dma(const struct drm_hotupdate_block *block, unsigned int *num,
			enum dma_data_direction *dir, unsigned long *attrs);
int drm_hotupdate_block_read(const struct drm_hotupdate_block *block, size_t offset,
			     void *buf, size_t size);
void *drm_hotupdate_block_vmap(struct drm_hotupdate_block *block);
void drm_hotupdate_block_vunmap(struct drm_hotupdate_block *block, void *vaddr);
struct drm_hotupdate_block *
drm_hotupdate_block_get(struct drm_hotupdate_block *block);
void drm_hotupdate_block_put(struct drm_hotupdate_block *block);
int drm_hotupdate_block_take(struct drm_hotupdate_block *block,
			     struct sg_table *sgt);

/** DRM_HOTUPDATE_FENCE_NAME_LEN - most characters of a fence's names, and one */
#define DRM_HOTUPDATE_FENCE_NAME_LEN	32

struct dma_fence *drm_hotupdate_fence_create(const char *driver, const char *timeline,
					     u64 context, u64 seqno);

u64 drm_hotupdate_range_to_ksr(const struct drm_hotupdate_range *range);
struct drm_hotupdate_range drm_hotupdate_range_from_ksr(u64 desc);

#endif /* _DRM_HOTUPDATE_H_ */
