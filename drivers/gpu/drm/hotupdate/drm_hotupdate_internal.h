/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of drm_hotupdate.ko share. Not for drivers.
 */
#ifndef _DRM_HOTUPDATE_INTERNAL_H_
#define _DRM_HOTUPDATE_INTERNAL_H_

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/lockdep_types.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_hotupdate.h>

struct dentry;
struct folio;
struct hotupdate_bus;
struct index_chunk;
struct seq_file;

/* An allocation of a save fails with -ENOMEM before the kernel kills a process. */
#define HOTUPDATE_SAVE_GFP	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/**
 * enum hotupdate_state - where an adapter stands
 *
 * ::
 *
 *	state       event                              next state
 *	----------  ---------------------------------  ----------
 *	(none yet)  register, without a stash          STARTING
 *	STARTING    the driver is bound                RUNNING
 *	            start_device fails                 NONE
 *	            the driver leaves                  NONE
 *	RUNNING     prepare                            SAVING
 *	            the driver leaves                  NONE
 *	SAVING      save_memory succeeds               SAVED
 *	            save_memory fails                  RUNNING
 *	SAVED       cancel, or a timeout               RUNNING
 *	            unregister                         DETACHED
 *	            the driver leaves without it       STALE
 *	DETACHED    register                           RESTORING
 *	            another driver is bound            UNCLAIMED
 *	            another driver's probe fails       STALE
 *	            the device goes, or was changed    STALE
 *	            discard                            NONE
 *	RESTORING   start_device succeeds              RESTORED
 *	            a block or start_device fails      DETACHED
 *	            the same, of a bound driver        UNCLAIMED
 *	RESTORED    the driver is bound: commit        RUNNING
 *	            unregister                         DETACHED
 *	            the driver leaves without it       STALE
 *	UNCLAIMED   register                           RESTORING
 *	            the driver leaves, or the device   STALE
 *	STALE       discard                            NONE
 *
 * An adapter that is lost enters DETACHED for a moment, and then STALE. So does one whose
 * bound driver fails to restore, and then UNCLAIMED.
 * hotupdate_set_state() makes every move, and warns of any other.
 */
enum hotupdate_state {
	/** @HOTUPDATE_NONE: ended, and about to disappear */
	HOTUPDATE_NONE,
	/** @HOTUPDATE_STARTING: its driver starts the device for the first time */
	HOTUPDATE_STARTING,
	/** @HOTUPDATE_RUNNING: in use, no stash */
	HOTUPDATE_RUNNING,
	/** @HOTUPDATE_SAVING: its driver is saving */
	HOTUPDATE_SAVING,
	/** @HOTUPDATE_SAVED: there is a stash, and the driver that made it */
	HOTUPDATE_SAVED,
	/** @HOTUPDATE_DETACHED: there is a stash and no driver */
	HOTUPDATE_DETACHED,
	/** @HOTUPDATE_RESTORING: the stash is replayed to a driver */
	HOTUPDATE_RESTORING,
	/** @HOTUPDATE_RESTORED: a driver has all of the stash, and is not bound yet */
	HOTUPDATE_RESTORED,
	/** @HOTUPDATE_UNCLAIMED: a driver is bound that has not registered */
	HOTUPDATE_UNCLAIMED,
	/** @HOTUPDATE_STALE: the stash does not describe the device any more */
	HOTUPDATE_STALE,
};

/**
 * enum hotupdate_kind - which way of W7 a block was saved in
 */
enum hotupdate_kind {
	/** @HOTUPDATE_KIND_RANGES: ranges of system memory */
	HOTUPDATE_KIND_RANGES,
	/** @HOTUPDATE_KIND_DEVICE: ranges of device memory */
	HOTUPDATE_KIND_DEVICE,
	/** @HOTUPDATE_KIND_SGT: an sg_table */
	HOTUPDATE_KIND_SGT,
	/** @HOTUPDATE_KIND_BUFFER: a copy of virtual memory */
	HOTUPDATE_KIND_BUFFER,
};

/**
 * enum hotupdate_pageblock - whether a pageblock is CMA memory
 */
enum hotupdate_pageblock {
	/** @HOTUPDATE_PAGEBLOCK_ORDINARY: it is not */
	HOTUPDATE_PAGEBLOCK_ORDINARY,
	/** @HOTUPDATE_PAGEBLOCK_CMA: it is */
	HOTUPDATE_PAGEBLOCK_CMA,
	/** @HOTUPDATE_PAGEBLOCK_ISOLATED: the isolation has overwritten that */
	HOTUPDATE_PAGEBLOCK_ISOLATED,
	/** @HOTUPDATE_PAGEBLOCK_UNREADABLE: this kernel does not let modules find out */
	HOTUPDATE_PAGEBLOCK_UNREADABLE,
};

/*
 * Drivers know the next structure, and that of the adapter, by pointer only. genksyms
 * makes symbol versions without them: a driver that was built for a later core of the
 * same interface can be loaded while this one runs.
 */
#ifndef __GENKSYMS__
/**
 * struct drm_hotupdate_block - what one save call saved
 *
 * Nothing but @ref, @sgt and @committed changes once it stands in a stash. It
 * holds a reference to each folio of its first @num_held ranges.
 */
struct drm_hotupdate_block {
	/** @ref: one for the stash, one for the driver after the replay */
	struct kref ref;
	/** @index: number in the order of saving */
	unsigned int index;
	/** @kind: how it was saved */
	u8 kind;
	/** @committed: the update is complete, the pages can be taken */
	bool committed;
	/** @stashed: it stands in a stash, which has the last reference */
	bool stashed;
	/** @meta_size: bytes at @meta */
	u32 meta_size;
	/** @meta: private copy of the metadata, or NULL */
	void *meta;
	/** @size: bytes of content */
	size_t size;
	/**
	 * @sgt: table of the pages, once it was asked for; set with cmpxchg,
	 * and dropped when a replay is aborted
	 */
	struct sg_table *sgt;
	/** @dma: DMA addresses of the pages, in the order of @ranges, or NULL */
	struct drm_hotupdate_dma *dma;
	/** @dma_attrs: DMA_ATTR_* of @dma */
	unsigned long dma_attrs;
	/** @num_dma: entries in @dma */
	unsigned int num_dma;
	/** @dma_dir: direction of @dma */
	enum dma_data_direction dma_dir;
	/** @num_held: ranges whose folios it holds, all of system memory once saved */
	unsigned int num_held;
	/** @num_ranges: entries in @ranges */
	unsigned int num_ranges;
	/** @ranges: where the memory is */
	struct drm_hotupdate_range ranges[] __counted_by(num_ranges);
};
#endif /* __GENKSYMS__ */

/**
 * struct hotupdate_stash - the ordered blocks of one adapter
 */
struct hotupdate_stash {
	/** @blocks: the blocks by index */
	struct xarray blocks;
	/**
	 * @device_index: ranges of device memory in @blocks, to find overlaps; of
	 * this stash alone, because each device numbers its memory for itself
	 */
	struct maple_tree device_index;
	/** @count: number of blocks */
	unsigned int count;
	/** @bytes: sum of their sizes, device memory included */
	u64 bytes;
};

/**
 * enum hotupdate_bar - why no prepare may begin
 */
enum hotupdate_bar {
	/** @HOTUPDATE_BAR_SUSPEND: the system suspends */
	HOTUPDATE_BAR_SUSPEND,
	/** @HOTUPDATE_BAR_HIBERNATION: the system hibernates */
	HOTUPDATE_BAR_HIBERNATION,
	/** @HOTUPDATE_BAR_RESTORE: the system returns from hibernation */
	HOTUPDATE_BAR_RESTORE,
	/** @HOTUPDATE_BAR_REBOOT: the system goes down */
	HOTUPDATE_BAR_REBOOT,
};

/**
 * struct hotupdate_refusal - why a block is refused
 */
struct hotupdate_refusal {
	/** @reason: phrase, with the page as its subject if there is one; or NULL */
	const char *reason;
	/** @has_pfn: @pfn is the number of the page that is refused */
	bool has_pfn;
	/** @has_addr: @addr is the DMA address of that page */
	bool has_addr;
	/** @pfn: number of the page, in the address space of its memory */
	u64 pfn;
	/** @addr: its DMA address */
	dma_addr_t addr;
};

static inline int hotupdate_refuse(struct hotupdate_refusal *refusal, int err,
				   const char *reason)
{
	refusal->reason = reason;
	return err;
}

static inline int hotupdate_refuse_page(struct hotupdate_refusal *refusal, int err,
					u64 pfn, const char *reason)
{
	refusal->has_pfn = true;
	refusal->pfn = pfn;
	return hotupdate_refuse(refusal, err, reason);
}

static inline int hotupdate_refuse_dma(struct hotupdate_refusal *refusal, int err, u64 pfn,
				       dma_addr_t addr, const char *reason)
{
	refusal->has_addr = true;
	refusal->addr = addr;
	return hotupdate_refuse_page(refusal, err, pfn, reason);
}

/**
 * struct hotupdate_blackout - how long nobody served, in nanoseconds
 *
 * The parts follow upon each other without a gap.
 */
struct hotupdate_blackout {
	/** @save_ns: from the begin of the save to its end */
	u64 save_ns;
	/** @detached_ns: from there to the begin of the replay that succeeded */
	u64 detached_ns;
	/** @replay_ns: of the replay of all blocks */
	u64 replay_ns;
	/** @start_ns: from there on until the driver was told that all is over */
	u64 start_ns;
};

/**
 * struct hotupdate_shared - saved folios that others have references to
 *
 * The storage is fixed: counting cannot fail.
 */
struct hotupdate_shared {
	/** @num_folios: how many */
	unsigned long num_folios;
	/** @pfns: first page of the first of them */
	unsigned long pfns[16];
};

#define HOTUPDATE_ERROR_LEN	256

/**
 * enum hotupdate_ref - purpose of a reference to the module of a driver
 */
enum hotupdate_ref {
	/** @HOTUPDATE_REF_NONE: no reference */
	HOTUPDATE_REF_NONE,
	/** @HOTUPDATE_REF_CALLBACK: a callback of the driver can run */
	HOTUPDATE_REF_CALLBACK,
	/** @HOTUPDATE_REF_GUARD: another adapter waits for its driver */
	HOTUPDATE_REF_GUARD,
	/** @HOTUPDATE_REF_TIMEOUT: a timeout has cancelled a save */
	HOTUPDATE_REF_TIMEOUT,
	/** @HOTUPDATE_NUM_REFS: how many purposes there are */
	HOTUPDATE_NUM_REFS,
};

/**
 * struct hotupdate_owner_ref - record of a reference to the module of a driver
 */
struct hotupdate_owner_ref {
	/** @link: in the list of the records in use */
	struct list_head link;
	/** @module: the module, NULL if no reference is held */
	struct module *module;
};

/**
 * enum hotupdate_event - what happened to the device of an adapter
 *
 * Recorded at any time, and acted on within an operation.
 */
enum hotupdate_event {
	/** @HOTUPDATE_EVENT_UNBOUND: a driver has left the device */
	HOTUPDATE_EVENT_UNBOUND,
	/** @HOTUPDATE_EVENT_FOREIGN: a driver had the device, and did not register */
	HOTUPDATE_EVENT_FOREIGN,
	/** @HOTUPDATE_EVENT_CHECK: a driver has left the device, or is about to get it */
	HOTUPDATE_EVENT_CHECK,
	/** @HOTUPDATE_EVENT_BIND: a driver is about to get the device */
	HOTUPDATE_EVENT_BIND,
	/** @HOTUPDATE_EVENT_BOUND: a driver is bound to the device */
	HOTUPDATE_EVENT_BOUND,
	/** @HOTUPDATE_EVENT_LOOK: the settle_work came during an operation */
	HOTUPDATE_EVENT_LOOK,
	/** @HOTUPDATE_EVENT_GONE: the device is removed, or was while in use */
	HOTUPDATE_EVENT_GONE,
};

/**
 * enum hotupdate_flag - what is known of the device of an adapter
 */
enum hotupdate_flag {
	/** @HOTUPDATE_FLAG_LOST: it does not work, or has gone */
	HOTUPDATE_FLAG_LOST,
	/** @HOTUPDATE_FLAG_GONE: the driver core removes it */
	HOTUPDATE_FLAG_GONE,
	/** @HOTUPDATE_FLAG_REGISTERED: its driver has asked to register since it was bound */
	HOTUPDATE_FLAG_REGISTERED,
	/** @HOTUPDATE_FLAG_LOUD: it was removed, and may still use the stash's pages */
	HOTUPDATE_FLAG_LOUD,
	/** @HOTUPDATE_FLAG_REMOVED: its IOMMU domain can have gone; with silence_lock held */
	HOTUPDATE_FLAG_REMOVED,
	/** @HOTUPDATE_FLAG_LEAVING: its driver is being unbound, or was */
	HOTUPDATE_FLAG_LEAVING,
};

/**
 * struct hotupdate_op - the gate that operations on an adapter pass, one at a time
 */
struct hotupdate_op {
	/**
	 * @task: address of the task whose operation is under way, or 0; bit 0 is set if the
	 * core itself has begun it, which is over soon; atomic
	 */
	unsigned long task;
	/** @waiting: how many operations wait; the others let them go first */
	atomic_t waiting;
	/** @idle: operations that wait for their turn */
	wait_queue_head_t idle;
	/** @events: a bit for each &enum hotupdate_event to be acted on; atomic */
	unsigned long events;
	/** @dep_map: for lockdep, to which an operation is a lock */
	struct lockdep_map dep_map;
};

/**
 * struct hotupdate_hold - what keeps a device running while no driver is bound
 */
struct hotupdate_hold {
	/** @held: there is a reference to the runtime PM of the device and of @parent */
	bool held;
	/** @parent: the device's parent, with a reference, or NULL; while @held */
	struct device *parent;
	/** @dma_dev: the device of the resident driver, with a reference, or NULL */
	struct device *dma_dev;
	/** @resident: its driver, to compare: it can be unbound; while @held */
	const struct device_driver *resident;
	/** @resident_owner: module of @resident, with a reference, or NULL */
	struct module *resident_owner;
	/** @silence: that of the adapter at the save; while @held */
	int (*silence)(struct device *dma_dev);
	/** @silence_owner: module of @silence, with a reference, or NULL */
	struct module *silence_owner;
	/** @command: PCI COMMAND at the save, or 0 on other buses; while @held */
	u16 command;
	/** @seen: what was wrong with COMMAND since the save, a bit for each; atomic */
	unsigned long seen;
	/** @enabled: one of a PCI device's enable counts is the core's, until the commit */
	bool enabled;
	/** @kept: another one is, because the attached driver never enabled the device */
	bool kept;

	/**
	 * @saver: name of the driver that saved, a copy, or NULL. The device's lock
	 * protects this member and @override, an operation does not.
	 */
	char *saver;
	/**
	 * @override: the string that the core has written as the device's
	 * driver_override, or NULL. The device owns it, and an administrator can
	 * have freed it since: compare it, do not read it.
	 */
	const char *override;
};

/**
 * struct hotupdate_timeout - limit of the time in state saved
 */
struct hotupdate_timeout {
	/** @work: cancels the save; has a reference to the adapter while it is queued */
	struct delayed_work work;
	/** @armed: @work may be queued; protected by the adapter's status_lock */
	bool armed;
	/** @told: the log has that the timeout has passed and waits */
	bool told;
	/** @ms: what saved_timeout_ms was when the last save succeeded */
	unsigned int ms;
	/** @deadline: when @work cancels the save, KTIME_MAX for never */
	ktime_t deadline;
};

#ifndef __GENKSYMS__
/**
 * struct drm_hotupdate_adapter - one GPU under hot-update protection
 */
struct drm_hotupdate_adapter {
	/** @dev: the adapter in sysfs; its name is the GPU's identity */
	struct device dev;
	/** @link: in the list of adapters, protected by its lock */
	struct list_head link;
	/** @remove_work: takes an adapter that has ended out of sysfs */
	struct work_struct remove_work;
	/** @settle_work: looks at the device when its driver has left or failed */
	struct work_struct settle_work;
	/** @flags: a bit for each &enum hotupdate_flag; atomic */
	unsigned long flags;
	/** @bus: the notifier of the device's bus, which goes with @device */
	struct hotupdate_bus *bus;

	/**
	 * @op: One operation at a time: a register, unregister, prepare, cancel
	 * or discard, with its callbacks. Protects the members from here to
	 * @timeout. Requests of user space do not wait for it.
	 */
	struct hotupdate_op op;
	/** @ops: the driver's callbacks, NULL when no driver is attached */
	const struct drm_hotupdate_ops *ops;
	/** @priv: the driver's own pointer, while a driver is attached */
	void *priv;
	/** @flags_of_driver: &drm_hotupdate_driver.flags of the driver */
	u32 flags_of_driver;
	/** @flags_of_stash: those of the driver that saved, or is about to */
	u32 flags_of_stash;
	/** @silence: how to stop the device's DMA, or NULL, while a driver is attached */
	int (*silence)(struct device *dma_dev);
	/** @silence_owner: module of @silence, which a save keeps, or NULL */
	struct module *silence_owner;
	/** @in_probe: the attached driver has registered in a probe, which can still fail */
	bool in_probe;
	/** @untold: the state has changed, and user space was not told yet */
	bool untold;
	/** @tell_later: @settle_work announces the state, when the driver has left */
	bool tell_later;
	/** @detached_since: @phase_start before the restore under way */
	ktime_t detached_since;
	/** @phase_start: when the part of the blackout under way began */
	ktime_t phase_start;
	/** @deadline: when the save under way has to be done, KTIME_MAX for never */
	ktime_t deadline;
	/** @limit_ms: what @deadline_ms was when the save under way began */
	unsigned int limit_ms;
	/** @hold: what keeps @device running; two members have another lock */
	struct hotupdate_hold hold;
	/** @timeout: limit of the time in state saved; a member has another lock */
	struct hotupdate_timeout timeout;

	/**
	 * @status_lock: Protects the members from here to @last_error, which
	 * user space reads while an operation goes on. Innermost. Written with
	 * @op under way, so that an operation can read them without it;
	 * but for @last_error, as a refusal does not wait, and @deadline_ms and
	 * @saved_timeout_ms, which no lock protects.
	 */
	struct mutex status_lock;
	/** @state: where it stands */
	enum hotupdate_state state;
	/** @device: the GPU's device, with a reference, until it is removed */
	struct device *device;
	/**
	 * @dma_dev: the device that does the DMA, with a reference, from the first
	 * registration to the end of @device; another one than @device if that has a
	 * resident driver
	 */
	struct device *dma_dev;
	/** @owner: the driver's module, while a driver is attached */
	struct module *owner;
	/** @told: reference that @last_error explains; none if it is about an event */
	enum hotupdate_ref told;
	/** @stash: the blocks */
	struct hotupdate_stash stash;
	/** @shared: folios of the stash that others used when it was last checked */
	struct hotupdate_shared shared;
	/** @driver: name of the driver, or of the last one, a copy */
	char *driver;
	/** @compatible: family of the state it saves or saved, a copy */
	char *compatible;
	/** @version: state version the driver writes, or that of the stash */
	u32 version;
	/** @min_version: oldest state version the driver reads and writes */
	u32 min_version;
	/** @driver_version: newest state version the driver reads and writes */
	u32 driver_version;
	/** @generation: updates it has been through */
	u64 generation;
	/** @progress: blocks done in the save or replay, read without the lock */
	unsigned int progress;
	/** @deadline_ms: longest a save may take, 0 for no limit, without a lock */
	unsigned int deadline_ms;
	/** @saved_timeout_ms: most time in state saved, 0 for no limit, without a lock */
	unsigned int saved_timeout_ms;
	/** @blackout: of the last update, or of the one under way so far */
	struct hotupdate_blackout blackout;
	/** @save_task: the task that runs save_memory, to compare with current */
	struct task_struct *save_task;
	/** @save_error: what the first save call that failed returned */
	int save_error;
	/** @stale_reason: why the stash is stale */
	char stale_reason[64];
	/** @last_error: what was last refused or failed, and why */
	char last_error[HOTUPDATE_ERROR_LEN];

	/** @owner_refs: references to the driver's module, which have a lock of their own */
	struct hotupdate_owner_ref owner_refs[HOTUPDATE_NUM_REFS];

	/**
	 * @silence_lock: Held while the device is silenced, and the stash unmapped. The
	 * removal of the device waits for it.
	 */
	struct mutex silence_lock;
	/** @notify_lock: One at a time tells user space of the state. */
	struct mutex notify_lock;
	/** @removed: it goes from sysfs; protected by @notify_lock */
	bool removed;

	/**
	 * @progress_notified: in jiffies, when user space was last told of the
	 * progress of an operation, within @op; not zero at first, as
	 * jiffies is not either
	 */
	unsigned long progress_notified;
	/**
	 * @debugfs: its directory; set before others can find the adapter, and
	 * not used by them
	 */
	struct dentry *debugfs;
};
#endif /* __GENKSYMS__ */

/* Whether another device than the adapter's does the DMA, with a driver of its own. */
static inline bool hotupdate_has_resident(const struct drm_hotupdate_adapter *adapter)
{
	const struct device *dma_dev = READ_ONCE(adapter->dma_dev);

	return dma_dev && dma_dev != READ_ONCE(adapter->device);
}

/* Module: drm_hotupdate_module.c */
void hotupdate_pin(void);
void hotupdate_unpin(void);
struct module *hotupdate_module(void);
void hotupdate_set_module(struct module *module);

/* References to drivers' modules: drm_hotupdate_owner.c */
bool hotupdate_owner_get(struct drm_hotupdate_adapter *adapter, enum hotupdate_ref ref);
bool hotupdate_owner_put(struct drm_hotupdate_adapter *adapter, enum hotupdate_ref ref);
bool hotupdate_owner_holds(struct drm_hotupdate_adapter *adapter, enum hotupdate_ref ref);
unsigned int hotupdate_owner_users(struct drm_hotupdate_adapter *adapter);

/* Status: drm_hotupdate_status.c */
const char *hotupdate_state_name(enum hotupdate_state state);
bool hotupdate_state_can_move(enum hotupdate_state from, enum hotupdate_state to);
void hotupdate_set_state(struct drm_hotupdate_adapter *adapter,
			 enum hotupdate_state state);
void hotupdate_enter_state(struct drm_hotupdate_adapter *adapter,
			   enum hotupdate_state state);
void hotupdate_set_stale(struct drm_hotupdate_adapter *adapter, const char *reason);
void hotupdate_status_set_hook(void (*changed)(void));
void hotupdate_status_changed(void);
bool hotupdate_is_lost(const struct drm_hotupdate_adapter *adapter);
bool hotupdate_has_stash(enum hotupdate_state state);
void hotupdate_notify(struct drm_hotupdate_adapter *adapter);
void hotupdate_set_progress(struct drm_hotupdate_adapter *adapter,
			    unsigned int done);
__printf(3, 4)
int hotupdate_error(struct drm_hotupdate_adapter *adapter, int err,
		    const char *fmt, ...);
void hotupdate_error_block(struct drm_hotupdate_adapter *adapter, int err,
			   unsigned int block, const struct hotupdate_refusal *refusal);
u64 hotupdate_phase_end(struct drm_hotupdate_adapter *adapter);
u64 hotupdate_blackout_ns(const struct drm_hotupdate_adapter *adapter);

/* Operations: drm_hotupdate_op.c */
void hotupdate_op_init(struct hotupdate_op *op);
void hotupdate_op_begin(struct drm_hotupdate_adapter *adapter);
int hotupdate_op_try(struct drm_hotupdate_adapter *adapter, const char *operation);
bool hotupdate_op_try_quietly(struct drm_hotupdate_adapter *adapter);
bool hotupdate_op_is_mine(struct drm_hotupdate_adapter *adapter);
bool hotupdate_op_is_busy(struct drm_hotupdate_adapter *adapter);
void hotupdate_op_end(struct drm_hotupdate_adapter *adapter);
void hotupdate_op_post(struct drm_hotupdate_adapter *adapter, enum hotupdate_event event);
void hotupdate_op_set_settle(void (*settle)(struct drm_hotupdate_adapter *adapter,
					    unsigned long events));
int hotupdate_callback_result(struct drm_hotupdate_adapter *adapter,
			      const char *callback, int result);
int hotupdate_callback_begin(struct drm_hotupdate_adapter *adapter);
void hotupdate_callback_end(struct drm_hotupdate_adapter *adapter);

/* Ranges: drm_hotupdate_range.c */
const char *hotupdate_range_refusal(const struct drm_hotupdate_range *range);
u64 hotupdate_range_to_ksr(const struct drm_hotupdate_range *range,
			   unsigned int page_shift);
struct drm_hotupdate_range hotupdate_range_from_ksr(u64 desc, unsigned int page_shift);

/* Pages: drm_hotupdate_pages.c */
struct folio *hotupdate_folio_get(unsigned long pfn, unsigned long end, bool copy,
				  const char **reason);
void hotupdate_folio_put(struct folio *folio);
#if IS_ENABLED(CONFIG_KUNIT)
enum hotupdate_pageblock hotupdate_pageblock(unsigned long pfn);
bool hotupdate_folio_is_poisoned(struct folio *folio);
#endif
unsigned int hotupdate_pages_alloc(struct list_head *folios, unsigned long nr_pages);
void hotupdate_pages_free(struct list_head *folios);
size_t hotupdate_pages_fill(struct folio *folio, const void *data, size_t size);

/* Index of pages: drm_hotupdate_index.c */
int hotupdate_index_hold(const struct drm_hotupdate_range *range, bool copy,
			 unsigned long *pfn, const char **reason);
void hotupdate_index_drop(const struct drm_hotupdate_range *range);
void hotupdate_index_hand_over(const struct drm_hotupdate_range *range);
int hotupdate_index_check(const struct drm_hotupdate_range *range, unsigned long *pfn,
			  const char **reason);
void hotupdate_index_verify(const struct drm_hotupdate_range *range,
			    struct hotupdate_shared *shared, unsigned long *pfn,
			    const char **reason);
bool hotupdate_index_is_empty(void);
#if IS_ENABLED(CONFIG_KUNIT)
struct index_chunk *hotupdate_index_alloc_chunk(void);
#endif
int hotupdate_index_init(void);
void hotupdate_index_exit(void);

/* Blocks: drm_hotupdate_block.c */
extern const char * const hotupdate_kind_names[];
struct drm_hotupdate_block *hotupdate_block_alloc(enum hotupdate_kind kind,
						  unsigned int num_ranges);
int hotupdate_block_set_meta(struct drm_hotupdate_block *block,
			     const void *meta, size_t size);
bool hotupdate_block_is_system(const struct drm_hotupdate_block *block);
int hotupdate_block_hold(struct drm_hotupdate_block *block,
			 struct hotupdate_refusal *refusal);
int hotupdate_block_verify(const struct drm_hotupdate_block *block,
			   struct hotupdate_shared *shared,
			   struct hotupdate_refusal *refusal);
#if IS_ENABLED(CONFIG_KUNIT)
bool hotupdate_block_is_stashed(struct drm_hotupdate_block *block);
#endif
void hotupdate_block_drop_sgt(struct drm_hotupdate_block *block);

/* DMA mappings: drm_hotupdate_dma.c */
int hotupdate_dma_copy(struct drm_hotupdate_block *block,
		       const struct drm_hotupdate_save_args *args,
		       struct hotupdate_refusal *refusal);
int hotupdate_dma_verify(const struct drm_hotupdate_block *block, struct device *dev,
			 int err, struct hotupdate_refusal *refusal);
bool hotupdate_dma_is_foreign(struct device *dev);
bool hotupdate_dma_is_used(struct drm_hotupdate_adapter *adapter);
bool hotupdate_dma_unmap(struct drm_hotupdate_adapter *adapter);
void hotupdate_dma_forget(struct drm_hotupdate_adapter *adapter);
#if IS_ENABLED(CONFIG_KUNIT)
phys_addr_t hotupdate_dma_translate(struct device *dev, dma_addr_t addr);
void hotupdate_dma_unmap_pages(struct device *dev, dma_addr_t addr, size_t size,
			       enum dma_data_direction dir, unsigned long attrs);
void hotupdate_dma_flush(struct device *dev);
#endif

/* Stash: drm_hotupdate_stash.c */
void hotupdate_stash_init(struct hotupdate_stash *stash);
void hotupdate_stash_exit(struct hotupdate_stash *stash);
int hotupdate_stash_add(struct hotupdate_stash *stash,
			struct drm_hotupdate_block *block, struct mutex *lock,
			struct hotupdate_refusal *refusal);
void hotupdate_stash_clear(struct hotupdate_stash *stash, struct mutex *lock, bool commit);

/* Sources: drm_hotupdate_source.c */
enum hotupdate_kind hotupdate_source_kind(const struct drm_hotupdate_save_args *args);
struct drm_hotupdate_block *
hotupdate_source_block(const struct drm_hotupdate_save_args *args,
		       struct hotupdate_refusal *refusal);

/* Prepare: drm_hotupdate_prepare.c */
void hotupdate_bar_prepare(enum hotupdate_bar bar, bool on);
int hotupdate_cancel_saved(struct drm_hotupdate_adapter *adapter, int reason);

/* Replay: drm_hotupdate_replay.c */
int hotupdate_check_stash(struct drm_hotupdate_adapter *adapter);
int hotupdate_check_mappings(struct drm_hotupdate_adapter *adapter);
int hotupdate_check_device(struct drm_hotupdate_adapter *adapter);
void hotupdate_set_detached(struct drm_hotupdate_adapter *adapter);
int hotupdate_restore_and_start(struct drm_hotupdate_adapter *adapter);
int hotupdate_start(struct drm_hotupdate_adapter *adapter);
bool hotupdate_is_in_probe(struct device *dev);
void hotupdate_finish_start(struct drm_hotupdate_adapter *adapter);
void hotupdate_restore_undo(struct drm_hotupdate_adapter *adapter, int err);
void hotupdate_restore_forget(struct drm_hotupdate_adapter *adapter);

/* Buses: drm_hotupdate_bus.c */
struct hotupdate_bus *hotupdate_bus_watch(const struct bus_type *type);
struct hotupdate_bus *hotupdate_bus_get(struct hotupdate_bus *bus);
void hotupdate_bus_put(struct hotupdate_bus *bus);
void hotupdate_bus_settle(struct drm_hotupdate_adapter *adapter);
void hotupdate_bus_flush(void);
int hotupdate_bus_init(notifier_fn_t notify);
void hotupdate_bus_exit(void);

/* Adapters: drm_hotupdate_adapter.c */
int hotupdate_adapters_alive(void);
int hotupdate_adapters_for_each(int (*fn)(struct drm_hotupdate_adapter *adapter,
					  void *data), void *data);
void hotupdate_adapters_with_list(void (*fn)(struct list_head *adapters));
struct drm_hotupdate_adapter *hotupdate_adapter_claim(struct device *dev);
struct drm_hotupdate_adapter *hotupdate_adapter_find(struct device *dev);
struct device *hotupdate_adapter_get_device(struct drm_hotupdate_adapter *adapter);
struct device *hotupdate_adapter_get_dma_dev(struct drm_hotupdate_adapter *adapter);
void hotupdate_adapter_put_device(struct drm_hotupdate_adapter *adapter);
void hotupdate_adapter_end(struct drm_hotupdate_adapter *adapter);
void hotupdate_adapters_flush(void);
void hotupdate_adapters_set_work(work_func_t settle);
int hotupdate_adapters_init(void);
void hotupdate_adapters_exit(void);

/* Registration: drm_hotupdate_register.c */
void hotupdate_detach(struct drm_hotupdate_adapter *adapter);

/* Discard: drm_hotupdate_discard.c */
int hotupdate_discard(struct drm_hotupdate_adapter *adapter, bool force);

/* Drivers that come and go: drm_hotupdate_bind.c */
int hotupdate_bind_init(void);
void hotupdate_bind_exit(void);

/* Limit of the time in state saved: drm_hotupdate_timeout.c */
void hotupdate_timeout_setup(struct drm_hotupdate_adapter *adapter);
void hotupdate_timeout_begin(struct drm_hotupdate_adapter *adapter);
void hotupdate_timeout_end(struct drm_hotupdate_adapter *adapter);
bool hotupdate_timeout_release(struct drm_hotupdate_adapter *adapter);
void hotupdate_timeout_detach(struct drm_hotupdate_adapter *adapter);
void hotupdate_timeout_explain(struct drm_hotupdate_adapter *adapter);
int hotupdate_timeout_init(int (*cancel)(struct drm_hotupdate_adapter *adapter, int reason));
void hotupdate_timeout_exit(void);

/* Modules of several GPUs: drm_hotupdate_guard.c */
void hotupdate_guard_init(void);

/* Sleep and reboot: drm_hotupdate_power.c */
int hotupdate_power_sleep(struct notifier_block *nb, unsigned long event, void *data);
int hotupdate_power_reboot(struct notifier_block *nb, unsigned long event, void *data);
int hotupdate_power_init(void);
void hotupdate_power_exit(void);

/* Holds on the device: drm_hotupdate_hold.c */
int hotupdate_hold_begin(struct drm_hotupdate_adapter *adapter);
void hotupdate_hold_end(struct drm_hotupdate_adapter *adapter, bool committed);
void hotupdate_hold_removed(struct drm_hotupdate_adapter *adapter);
void hotupdate_hold_look(struct drm_hotupdate_adapter *adapter, struct device *dev);
const char *hotupdate_hold_check(struct drm_hotupdate_adapter *adapter, bool survives);
int hotupdate_silence(struct drm_hotupdate_adapter *adapter, bool force);
void hotupdate_silence_wait(struct drm_hotupdate_adapter *adapter);
void hotupdate_silence_close(struct drm_hotupdate_adapter *adapter);
void hotupdate_silence_removed(struct drm_hotupdate_adapter *adapter);

/* Override of the driver: drm_hotupdate_override.c */
void hotupdate_override_note(struct drm_hotupdate_adapter *adapter, struct device *dev);
void hotupdate_override_set(struct drm_hotupdate_adapter *adapter, struct device *dev);
void hotupdate_override_clear(struct drm_hotupdate_adapter *adapter, struct device *dev);
bool hotupdate_override_admits(struct drm_hotupdate_adapter *adapter, struct device *dev,
			       const char *driver_name);
void hotupdate_override_log_probe(struct drm_hotupdate_adapter *adapter,
				  struct device *dev);
void hotupdate_override_fini(struct drm_hotupdate_adapter *adapter);

/* Fences: drm_hotupdate_fence.c */
void hotupdate_fences_exit(void);

/* User space: drm_hotupdate_sysfs.c, drm_hotupdate_debugfs.c */
extern const struct attribute_group *hotupdate_adapter_groups[];
void hotupdate_debugfs_init(void);
void hotupdate_debugfs_exit(void);
void hotupdate_debugfs_add(struct drm_hotupdate_adapter *adapter);
void hotupdate_debugfs_remove(struct drm_hotupdate_adapter *adapter);

#endif /* _DRM_HOTUPDATE_INTERNAL_H_ */
