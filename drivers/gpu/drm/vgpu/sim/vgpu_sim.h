/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated vgpu device, from within. Drivers see ../vgpu_hw.h, guests
 * <drm/vgpu_drm.h>, and neither of them this.
 */
#ifndef _VGPU_SIM_H_
#define _VGPU_SIM_H_

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/device.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include <drm/vgpu_drm.h>

#include "../vgpu_hw.h"

struct address_space;
struct dentry;
struct eventfd_ctx;
struct page;
struct platform_device;
struct task_struct;
struct vgpu_sim;
struct vgpu_sim_fn;
struct vm_area_struct;

/** VGPU_SIM_MAX_DEVICES - most devices the module creates */
#define VGPU_SIM_MAX_DEVICES	64

/** VGPU_SIM_MAX_FNS - functions of a device with all its VFs */
#define VGPU_SIM_MAX_FNS	(VGPU_HW_MAX_VFS + 1)

/** VGPU_SIM_TLB_SLOTS - translations a function caches, a power of two */
#define VGPU_SIM_TLB_SLOTS	1024

/**
 * struct vgpu_sim_config - what a device is to be like
 */
struct vgpu_sim_config {
	/** @devices: how many of them */
	unsigned int devices;
	/** @total_vfs: virtual functions of each */
	unsigned int total_vfs;
	/** @vram_mb: mebibytes of VRAM of each */
	unsigned int vram_mb;
};

/**
 * struct vgpu_sim_counters - what a device counts, for debugfs
 */
struct vgpu_sim_counters {
	/** @lmtt_changed: cached translations that changed in memory */
	atomic64_t lmtt_changed;
	/** @translation_faults: walks that ended at no or a bad entry */
	atomic64_t translation_faults;
	/** @out_of_range: accesses outside of a function's memory */
	atomic64_t out_of_range;
	/** @bad_commands: rings stopped at a malformed command */
	atomic64_t bad_commands;
	/** @bad_doorbells: rings stopped at an impossible tail */
	atomic64_t bad_doorbells;
	/** @bad_rings: rings refused for their base or size */
	atomic64_t bad_rings;
	/** @bad_writes: register writes of the PF's driver without a meaning */
	atomic64_t bad_writes;
	/** @bad_answers: mailbox answers with the wrong id */
	atomic64_t bad_answers;
	/** @requests_lost: mailbox requests that a reset dropped */
	atomic64_t requests_lost;
	/** @resets_while_running: resets of enabled VFs whose window was open */
	atomic64_t resets_while_running;
	/** @device_resets: resets of the whole device */
	atomic64_t device_resets;
	/** @silences: times that a device without a driver was silenced */
	atomic64_t silences;
	/** @mailbox_requests: requests that VFs sent */
	atomic64_t mailbox_requests;
	/** @mailbox_answers: answers that the PF's driver gave */
	atomic64_t mailbox_answers;
	/** @interrupts: calls of the PF driver's interrupt handler */
	atomic64_t interrupts;
};

/**
 * struct vgpu_sim_irq - the interrupt to the PF's driver
 */
struct vgpu_sim_irq {
	/**
	 * @delivery: held, with interrupts off, while the handler runs: what
	 * makes it atomic, and what free_irq waits for
	 */
	spinlock_t delivery;
	/** @lock: protects all below; @handler is changed under both */
	spinlock_t lock;
	/** @handler: of the driver, or NULL */
	void (*handler)(void *data);
	/** @data: for @handler */
	void *data;
	/** @status: VGPU_IRQ_* latched */
	u64 status;
	/** @enable: which of them interrupt */
	u64 enable;
	/** @vf_faults: VFs whose ring stopped */
	u64 vf_faults;
	/** @signalled: the handler is due */
	bool signalled;
};

/**
 * struct vgpu_sim_request - a mailbox request
 */
struct vgpu_sim_request {
	/** @link: in the queue of the device, while not answered */
	struct list_head link;
	/** @fn: number of the VF that sent it */
	unsigned int fn;
	/** @id: counts up for each VF */
	u64 id;
	/** @op: VGPU_MBOX_* */
	u64 op;
	/** @arg: arguments */
	u64 arg[2];
	/** @status: of the answer */
	u64 status;
	/** @value: of the answer */
	u64 value;
};

/**
 * struct vgpu_sim_mbox_fn - a VF's end of the mailbox, under &vgpu_sim_mbox.lock
 *
 * Requests with ids up to @read are over, those up to @answered have an
 * answer, those up to @sent wait for one.
 */
struct vgpu_sim_mbox_fn {
	/** @arg: arguments of the next request */
	u64 arg[2];
	/** @sent: id of the last request */
	u64 sent;
	/** @answered: id of the last one answered, or dropped by a reset */
	u64 answered;
	/** @read: id of the last one whose answer was taken, or dropped */
	u64 read;
	/** @orphaned: id of the last one of a guest that has gone */
	u64 orphaned;
	/** @request: slot of the request with an id */
	struct vgpu_sim_request request[VGPU_VF_MBOX_DEPTH];
};

/**
 * struct vgpu_sim_mbox - the PF's end of the mailbox
 */
struct vgpu_sim_mbox {
	/** @lock: protects all of the mailbox, the VFs' ends too */
	spinlock_t lock;
	/** @queue: requests without an answer, the oldest first */
	struct list_head queue;
	/** @pending: how many */
	u64 pending;
	/** @status: status of the next answer */
	u64 status;
	/** @value: value of the next answer */
	u64 value;
};

/**
 * struct vgpu_sim_tlb_slot - a translation the device has seen
 */
struct vgpu_sim_tlb_slot {
	/** @generation: valid if it is that of the function */
	u64 generation;
	/** @page: of the function's address space */
	u64 page;
	/** @entry: what the walk found, the root's first */
	u64 entry[VGPU_LMTT_LEVELS];
};

/**
 * struct vgpu_sim_tlb - translations a function has seen, by low bits of page
 */
struct vgpu_sim_tlb {
	/** @slot: %VGPU_SIM_TLB_SLOTS of them */
	struct vgpu_sim_tlb_slot *slot;
	/** @generation: from 1, counts how often all were forgotten */
	u64 generation;
};

/**
 * struct vgpu_sim_space - what a walk depends on
 */
struct vgpu_sim_space {
	/** @table: physical address of the root, 0 for none */
	u64 table;
	/** @mem_size: bytes of the address space */
	u64 mem_size;
	/** @vram_size: bytes of the device's VRAM */
	u64 vram_size;
};

/**
 * struct vgpu_sim_target - a page that an address was translated to
 */
struct vgpu_sim_target {
	/** @ptr: the address itself in kernel memory, good to the page's end */
	void *ptr;
	/** @page: the page, with a reference if @system */
	struct page *page;
	/** @system: in system memory, not in VRAM */
	bool system;
};

/**
 * struct vgpu_sim_exec - the command a function is at
 */
struct vgpu_sim_exec {
	/** @cmd: a private copy: the guest can write to its ring meanwhile */
	struct vgpu_cmd cmd;
	/** @busy: begun and not done */
	bool busy;
	/** @done: bytes of it that are done */
	u64 done;
	/** @sum: checksum up to there */
	u64 sum;
};

/**
 * struct vgpu_sim_ring - ring registers of a function
 */
struct vgpu_sim_ring {
	/** @next_base: as written, takes effect with the next @entries */
	u64 next_base;
	/** @base: address of the ring in use */
	u64 base;
	/** @entries: a power of two, 0 for no ring */
	u64 entries;
	/** @head: commands done */
	u64 head;
	/** @tail: commands written */
	u64 tail;
};

/**
 * struct vgpu_sim_fn - a function: the PF or a VF
 *
 * Locking is described in vgpu_sim_fn.c.
 */
struct vgpu_sim_fn {
	/** @sim: the device */
	struct vgpu_sim *sim;
	/** @number: 0 for the PF */
	unsigned int number;

	/** @map_lock: protects @mapping and @mapped, and who may map pages */
	struct mutex map_lock;
	/** @mapping: of the open window */
	struct address_space *mapping;
	/** @mapped: system pages the guest has mapped, referenced, by page */
	struct xarray mapped;

	/** @exec_lock: protects @tlb, @exec, and use of the function's memory */
	struct mutex exec_lock;
	/** @tlb: translations it has seen */
	struct vgpu_sim_tlb tlb;
	/** @exec: the command it is at */
	struct vgpu_sim_exec exec;

	/**
	 * @lock: protects all registers below. Those that say how memory is
	 * reached (@enabled, @table, @mem_size, and @ring but for its tail)
	 * are changed under @exec_lock as well.
	 */
	spinlock_t lock;
	/** @enabled: VGPU_FN_CTRL_ENABLE */
	bool enabled;
	/** @attached: its window is open */
	bool attached;
	/** @table: VGPU_FN_TABLE */
	u64 table;
	/** @mem_size: VGPU_FN_MEM_SIZE */
	u64 mem_size;
	/** @timeslice_us: VGPU_FN_TIMESLICE_US */
	u64 timeslice_us;
	/** @priority: VGPU_FN_PRIORITY */
	u64 priority;
	/** @ring: VGPU_FN_RING_* */
	struct vgpu_sim_ring ring;
	/** @fence: VGPU_FN_FENCE */
	u64 fence;
	/** @fault: VGPU_FN_FAULT, the ring is stopped if not none */
	u32 fault;
	/** @fault_addr: VGPU_FN_FAULT_ADDR */
	u64 fault_addr;
	/** @resets: VGPU_FN_RESETS */
	u64 resets;
	/** @engine_ns: VGPU_FN_ENGINE_NS */
	u64 engine_ns;
	/** @turns: turns of the engine it has had */
	u64 turns;
	/** @irq_status: VGPU_VF_IRQ_* latched for the guest */
	u64 irq_status;
	/** @eventfd: signalled at each interrupt of the guest, or NULL */
	struct eventfd_ctx *eventfd;

	/** @wait: guests that poll */
	wait_queue_head_t wait;
	/** @mbox: its end of the mailbox */
	struct vgpu_sim_mbox_fn mbox;
};

/**
 * struct vgpu_sim_sched - who has the engine next
 */
struct vgpu_sim_sched {
	/** @nr: functions */
	unsigned int nr;
	/** @last: who had the last turn */
	unsigned int last;
	/** @weight: turns of each in a round */
	u8 weight[VGPU_SIM_MAX_FNS];
	/** @credit: turns left to each in this round */
	u8 credit[VGPU_SIM_MAX_FNS];
};

/**
 * struct vgpu_sim_engine - the engine
 */
struct vgpu_sim_engine {
	/** @task: its thread, NULL where a test takes the turns */
	struct task_struct *task;
	/** @wait: where it sleeps */
	wait_queue_head_t wait;
	/** @runnable: functions with commands to do, bit operations */
	DECLARE_BITMAP(runnable, VGPU_SIM_MAX_FNS);
	/** @sched: the thread's own, but for the weights */
	struct vgpu_sim_sched sched;
	/** @charged: the thread's own: until when, in ns, its time is accounted for */
	u64 charged;
};

/**
 * struct vgpu_sim_window - the window of a VF
 */
struct vgpu_sim_window {
	/** @dev: in sysfs, and its node in /dev; owns the memory of this */
	struct device dev;
	/** @fn: the VF */
	struct vgpu_sim_fn *fn;
};

/**
 * struct vgpu_sim - a simulated device
 */
struct vgpu_sim {
	/** @hw: what the driver gets */
	struct vgpu_hw hw;
	/** @index: which of the devices */
	unsigned int index;
	/** @total_vfs: virtual functions */
	unsigned int total_vfs;
	/**
	 * @silent: no function can be enabled before the next reset of the
	 * device. The device_lock of @pdev keeps the silence apart from drivers.
	 */
	bool silent;
	/** @fns: @total_vfs + 1 functions */
	struct vgpu_sim_fn *fns;
	/** @irq: interrupt to the PF's driver */
	struct vgpu_sim_irq irq;
	/** @mbox: the PF's end of the mailbox */
	struct vgpu_sim_mbox mbox;
	/** @engine: the engine */
	struct vgpu_sim_engine engine;
	/** @count: counters */
	struct vgpu_sim_counters count;
	/** @windows: of VF 1 and up */
	struct vgpu_sim_window *windows[VGPU_HW_MAX_VFS];
	/** @pdev: what the driver binds to */
	struct platform_device *pdev;
	/** @debugfs: directory of the device */
	struct dentry *debugfs;
};

static inline struct vgpu_sim *to_vgpu_sim(struct vgpu_hw *hw)
{
	return container_of(hw, struct vgpu_sim, hw);
}

/* vgpu_sim_config.c */
int vgpu_sim_config_check(const struct vgpu_sim_config *config,
			  const char **reason);

/* vgpu_sim_drv.c */
struct vgpu_sim *vgpu_sim_create(const struct vgpu_sim_config *config,
				 unsigned int index);
void vgpu_sim_destroy(struct vgpu_sim *sim);

/* vgpu_sim_regs.c */
extern const struct vgpu_hw_ops vgpu_sim_hw_ops;

/* vgpu_sim_fn.c */
int vgpu_sim_fn_init(struct vgpu_sim_fn *fn, struct vgpu_sim *sim,
		     unsigned int number);
void vgpu_sim_fn_fini(struct vgpu_sim_fn *fn);
bool vgpu_sim_fn_runnable(struct vgpu_sim_fn *fn);
void vgpu_sim_fn_interrupt(struct vgpu_sim_fn *fn, u64 bits);
void vgpu_sim_fn_fault(struct vgpu_sim_fn *fn, u32 fault, u64 addr);
void vgpu_sim_fn_set_enabled(struct vgpu_sim_fn *fn, bool enabled);
void vgpu_sim_fn_set_table(struct vgpu_sim_fn *fn, u64 table);
void vgpu_sim_fn_set_mem_size(struct vgpu_sim_fn *fn, u64 size);
void vgpu_sim_fn_invalidate(struct vgpu_sim_fn *fn);
void vgpu_sim_fn_reset(struct vgpu_sim_fn *fn);
int vgpu_sim_fn_set_ring(struct vgpu_sim_fn *fn, u64 entries);
int vgpu_sim_fn_doorbell(struct vgpu_sim_fn *fn, u64 tail);
bool vgpu_sim_ring_tail_valid(const struct vgpu_sim_ring *ring, u64 tail);
bool vgpu_sim_ring_valid(u64 base, u64 entries, u64 mem_size);
u64 vgpu_sim_ring_slot(const struct vgpu_sim_ring *ring, u64 index);

/* vgpu_sim_irq.c */
void vgpu_sim_irq_init(struct vgpu_sim_irq *irq);
void vgpu_sim_irq_raise(struct vgpu_sim *sim, u64 bits);
void vgpu_sim_irq_raise_fault(struct vgpu_sim *sim, unsigned int number);
void vgpu_sim_irq_deliver(struct vgpu_sim *sim);
bool vgpu_sim_irq_signalled(struct vgpu_sim *sim);
void vgpu_sim_irq_clear(struct vgpu_sim *sim, u64 bits);
void vgpu_sim_irq_clear_faults(struct vgpu_sim *sim, u64 bits);
void vgpu_sim_irq_enable(struct vgpu_sim *sim, u64 bits);
void vgpu_sim_irq_reset(struct vgpu_sim *sim);
int vgpu_sim_irq_request(struct vgpu_hw *hw, void (*handler)(void *data),
			 void *data);
void vgpu_sim_irq_free(struct vgpu_hw *hw);

/* vgpu_sim_lmtt.c */
struct page *vgpu_sim_lmtt_page(u64 addr);
u32 vgpu_sim_lmtt_walk(const struct vgpu_sim_space *space, u64 addr,
		       u64 entry[VGPU_LMTT_LEVELS]);
void vgpu_sim_tlb_forget(struct vgpu_sim_tlb *tlb);
u32 vgpu_sim_translate(struct vgpu_sim_fn *fn, u64 addr,
		       struct vgpu_sim_target *target);
void vgpu_sim_target_put(struct vgpu_sim_target *target);

/* vgpu_sim_cmd.c */
u32 vgpu_sim_cmd_check(const struct vgpu_cmd *cmd, u64 mem_size, u64 *addr);
void vgpu_sim_cmd_begin(struct vgpu_sim_exec *exec, const struct vgpu_cmd *cmd);
u32 vgpu_sim_cmd_step(struct vgpu_sim_fn *fn, u64 *addr);

/* vgpu_sim_sched.c */
void vgpu_sim_sched_init(struct vgpu_sim_sched *sched, unsigned int nr);
void vgpu_sim_sched_set_priority(struct vgpu_sim_sched *sched, unsigned int fn,
				 u64 priority);
int vgpu_sim_sched_next(struct vgpu_sim_sched *sched,
			const unsigned long *runnable);

/* vgpu_sim_engine.c */
void vgpu_sim_engine_init(struct vgpu_sim *sim);
int vgpu_sim_engine_start(struct vgpu_sim *sim);
void vgpu_sim_engine_stop(struct vgpu_sim *sim);
void vgpu_sim_engine_kick(struct vgpu_sim *sim);
int vgpu_sim_engine_turn(struct vgpu_sim *sim);

/* vgpu_sim_mbox.c */
void vgpu_sim_mbox_init(struct vgpu_sim *sim);
u64 vgpu_sim_mbox_pf_read(struct vgpu_sim *sim, u32 reg);
void vgpu_sim_mbox_pf_write(struct vgpu_sim *sim, u32 reg, u64 value);
int vgpu_sim_mbox_vf_read(struct vgpu_sim_fn *fn, u64 reg, u64 *value);
int vgpu_sim_mbox_vf_write(struct vgpu_sim_fn *fn, u64 reg, u64 value);
void vgpu_sim_mbox_ids(struct vgpu_sim_fn *fn, u64 *sent, u64 *answered);
void vgpu_sim_mbox_drop(struct vgpu_sim_fn *fn);
void vgpu_sim_mbox_orphan(struct vgpu_sim_fn *fn);

/* vgpu_sim_vfregs.c */
int vgpu_sim_vf_attach(struct vgpu_sim_fn *fn, struct address_space *mapping);
void vgpu_sim_vf_detach(struct vgpu_sim_fn *fn);
int vgpu_sim_vf_set_eventfd(struct vgpu_sim_fn *fn, int fd);
int vgpu_sim_vf_read(struct vgpu_sim_fn *fn, u64 reg, u64 *value);
int vgpu_sim_vf_write(struct vgpu_sim_fn *fn, u64 reg, u64 value);

/* vgpu_sim_window.c */
int vgpu_sim_windows_init(unsigned int devices);
void vgpu_sim_windows_exit(void);
int vgpu_sim_windows_create(struct vgpu_sim *sim);
void vgpu_sim_windows_destroy(struct vgpu_sim *sim);
int vgpu_sim_windows_show(void);
void vgpu_sim_windows_hide(void);

/* vgpu_sim_mmap.c */
int vgpu_sim_mmap(struct vgpu_sim_fn *fn, struct vm_area_struct *vma);
void vgpu_sim_zap(struct vgpu_sim_fn *fn);

/* vgpu_sim_debugfs.c */
void vgpu_sim_debugfs_init(void);
void vgpu_sim_debugfs_exit(void);
void vgpu_sim_debugfs_add(struct vgpu_sim *sim);
void vgpu_sim_debugfs_remove(struct vgpu_sim *sim);

#endif /* _VGPU_SIM_H_ */
