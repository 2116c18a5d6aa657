/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of vgpu.ko share: a vgpu that is registers in an array, the
 * driver bound to it, guests who use its VFs, and a stash that can be tampered
 * with. All of it is taken away again after each case, whatever state the case
 * has left it in.
 */
#ifndef _KUNIT_VGPU_MOCK_H_
#define _KUNIT_VGPU_MOCK_H_

#include <kunit/test.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <drm/drm_hotupdate.h>

#include "../drivers/gpu/drm/vgpu/vgpu_drv.h"
#include "../drivers/gpu/drm/vgpu/vgpu_hw.h"
#include "../drivers/gpu/drm/vgpu/vgpu_state.h"

struct drm_device;
struct drm_file;
struct file;
struct mock_gpu;
struct mock_guest;
struct page;
struct platform_device;
struct vfsmount;

/*
 * Surroundings of a case: .init of every suite here. At the end of the case the
 * kernel has neither warned nor tainted itself, and no page is in a stash.
 */
int mock_init(struct kunit *test);
void mock_suite_exit(struct kunit_suite *suite);

/* What random cases start from; printed, and settable as vgpu_kunit.seed */
u64 mock_seed(struct kunit *test);
u64 mock_random(u64 *state);

/* Content that can be told from any other: word @index of @seed */
u64 mock_word(u64 seed, u64 index);
void mock_fill(void *p, size_t size, u64 seed);

/*
 * Failing allocations of the current task, one at a time:
 *
 *	mock_fail_init(test);
 *	do {
 *		mock_fail_begin(++nth);
 *		err = what_is_tested();
 *	} while (mock_fail_end());
 *
 * mock_fail_init() skips the case if the kernel cannot. mock_fail_end() says
 * whether one has failed.
 */
void mock_fail_init(struct kunit *test);
void mock_fail_begin(unsigned int nth);
bool mock_fail_end(void);

/*
 * The device
 */

#define MOCK_MAX_WRITES		4096
#define MOCK_MAX_REQUESTS	256

struct mock_write {
	u64 reg;
	u64 value;
};

struct mock_request {
	unsigned int fn;
	u64 id;
	u64 op;
	u64 arg0;
	u64 arg1;
};

struct mock_answer {
	unsigned int fn;
	u64 id;
	u64 status;
	u64 value;
};

struct mock_fn {
	bool enabled;
	u64 table;
	u64 mem_size;
	u64 timeslice_us;
	u64 priority;
	u64 resets;
	u64 sent;
	u64 answered;
	struct mock_guest *guest;
	/* Of the PF only, a VF's is its guest's; the test plays the engine. */
	u64 ring_base;
	u64 ring_entries;
	u64 ring_tail;
	u64 fence;
	u64 engine_ns;
	bool faulted;
};

/* Which interrupts a driver has enabled that serves, and one that does not */
#define MOCK_IDLE_IRQS		(VGPU_IRQ_PF_FENCE | VGPU_IRQ_FAULT)
#define MOCK_SERVING_IRQS	(VGPU_IRQ_MBOX | MOCK_IDLE_IRQS)

/* Registers, in the state that a test wants them, and what was done to them. */
struct mock_hw {
	struct kunit *test;
	struct vgpu_hw hw;
	/* The GPU that it is the hardware of, if it is of one */
	struct mock_gpu *gpu;

	/* Protects all below, as interrupts are handled by a work item. */
	spinlock_t lock;
	u64 ident;
	u64 total_vfs;
	u64 resets;
	u64 irq_status;
	u64 irq_enable;
	u64 vf_faults;
	struct mock_fn fns[VGPU_HW_MAX_VFS + 1];

	/* The mailbox; [first, last) of the requests are waiting. */
	struct mock_request requests[MOCK_MAX_REQUESTS];
	unsigned int first;
	unsigned int last;
	u64 mbox_status;
	u64 mbox_value;
	struct mock_answer answers[MOCK_MAX_REQUESTS];
	unsigned int num_answers;
	/* Called at each of them, under the lock */
	void (*on_answer)(struct mock_hw *hw, unsigned int fn);
	/* A device that has gone wrong: this register does not read as it is. */
	u32 broken_reg;
	u64 broken_value;
	/* A device that has gone altogether: all registers read as all ones. */
	bool gone;
	/* Silenced: it refuses to enable a function until it is reset. */
	bool silent;
	/* Calls of silence, the ones that failed or changed nothing too. */
	unsigned int num_silences;

	void (*handler)(void *data);
	void *handler_data;

	/* Every write but those of interrupt registers. */
	struct mock_write writes[MOCK_MAX_WRITES];
	unsigned int num_writes;
	/* Writes of interrupt registers. */
	unsigned int num_irq_writes;
	/* Writes that no driver may do, and the last of them. */
	unsigned int num_bad;
	struct mock_write bad;
};

struct mock_hw *mock_hw_new(struct kunit *test, unsigned int total_vfs,
			    u64 vram_size);
void mock_hw_send(struct mock_hw *hw, unsigned int fn, u64 op, u64 arg0, u64 arg1);
void mock_hw_interrupt(struct mock_hw *hw);
void mock_hw_interrupt_late(struct mock_hw *hw);
void mock_hw_break(struct mock_hw *hw, u32 reg, u64 value);
unsigned int mock_hw_resets_of(struct mock_hw *hw, unsigned int fn);

/* What was written since it was last forgotten. */
void mock_hw_forget_writes(struct mock_hw *hw);
void mock_hw_expect_writes(struct mock_hw *hw, const struct mock_write *writes,
			   unsigned int num);

#define MOCK_EXPECT_WRITES(hw, ...)						\
	do {									\
		const struct mock_write _writes[] = { __VA_ARGS__ };		\
										\
		mock_hw_expect_writes(hw, _writes, ARRAY_SIZE(_writes));	\
	} while (0)

#define MOCK_EXPECT_NO_WRITES(hw) mock_hw_expect_writes(hw, NULL, 0)

/* The PF's engine is past a fence command, and says so; or has stopped. */
void mock_hw_pass_fence(struct mock_hw *hw, u64 value);
void mock_hw_use_engine(struct mock_hw *hw, u64 ns);
void mock_hw_stop_pf(struct mock_hw *hw);

/* The answer of that number, from 0 */
void mock_hw_expect_answer(struct mock_hw *hw, unsigned int number, unsigned int fn,
			   u64 id, u64 status, u64 value);

/*
 * The translation, as vgpu_hw.h describes it. The last-level entry of an
 * address, 0 if there is none, %MOCK_BAD_TABLE if the way there is not as it
 * has to be; @tables is set to the pages on the way if it is not NULL.
 */
#define MOCK_BAD_TABLE	(~0ull)

u64 mock_walk(u64 root, u64 address, struct page *tables[VGPU_LMTT_LEVELS]);

/*
 * The driver
 */

struct mock_gpu {
	struct kunit *test;
	struct mock_hw *hw;
	struct platform_device *pdev;
	/* The last adapter of this GPU, with a reference: valid when it ended. */
	struct drm_hotupdate_adapter *adapter;
	/* The last uevent of a lost VF, and how many there were. */
	char event[256];
	unsigned int num_events;
};

#define MOCK_VFS	4
#define MOCK_VRAM	SZ_16M

/* Bound to vgpu.ko, which has reset it and serves. */
struct mock_gpu *mock_gpu_new(struct kunit *test, unsigned int total_vfs,
			      u64 vram_size);
/* Not bound, because the device does not identify itself. */
struct mock_gpu *mock_gpu_new_unbound(struct kunit *test, unsigned int total_vfs,
				      u64 vram_size);
int mock_gpu_bind(struct mock_gpu *gpu);
void mock_gpu_unbind(struct mock_gpu *gpu);
/* Saved in a state version, and without a driver. */
void mock_gpu_detach(struct mock_gpu *gpu, u32 version);
struct vgpu_device *mock_gpu_vgpu(struct mock_gpu *gpu);
struct vgpu_vf *mock_gpu_vf(struct mock_gpu *gpu, unsigned int number);
/* The path of one of its files in sysfs */
const char *mock_gpu_path(struct mock_gpu *gpu, const char *name);

void mock_gpu_provision(struct mock_gpu *gpu, unsigned int number, u64 quota,
			enum vgpu_backing backing);
int mock_gpu_set_num_vfs(struct mock_gpu *gpu, unsigned int num_vfs);
/* Interrupt, and wait until the driver has nothing left to do. */
void mock_gpu_serve(struct mock_gpu *gpu);
u64 mock_gpu_vram_free(struct mock_gpu *gpu);

/* Of the adapter, by its name in sysfs */
void mock_gpu_expect_state(struct mock_gpu *gpu, const char *state);

/*
 * A client of the host, who has the render node open
 */
struct mock_client {
	struct kunit *test;
	struct mock_gpu *gpu;
	struct drm_device *drm;
	struct file *file;
};

/* On a GPU of its own. */
struct mock_client *mock_client_new(struct kunit *test);
struct drm_file *mock_client_file(struct mock_client *client);
/* By number; pointers within the arguments cannot be followed. */
int mock_client_call(struct mock_client *client, unsigned int number, void *args);
void mock_client_close(struct mock_client *client);

/*
 * A guest who uses a VF
 */

/*
 * It has a reference of its own to each page that the VF reaches in system
 * memory, so that the page stays what it is and can be looked at.
 */
struct mock_guest *mock_guest_new(struct kunit *test, struct mock_hw *hw,
				  unsigned int fn);
void *mock_guest_mem(struct mock_guest *guest, u64 address);
u64 mock_guest_leaf(struct mock_guest *guest, u64 address);
u64 mock_guest_size(struct mock_guest *guest);
unsigned int mock_guest_num_tables(struct mock_guest *guest);

/* For the device: its VF is about to be reset, to run, or to forget translations. */
void mock_guest_notice_reset(struct mock_guest *guest);
void mock_guest_notice_enable(struct mock_guest *guest);
void mock_guest_notice_invalidate(struct mock_guest *guest);

/* Nothing has happened to it: not reset, same table, same memory, same content. */
void mock_guest_expect_intact(struct mock_guest *guest);
/* Its VF was reset while all of its pages were there, and they are free now. */
void mock_guest_expect_reset_then_freed(struct mock_guest *guest);
/* Its VF was reset, keeps its memory, and has nothing in it. */
void mock_guest_expect_cleared(struct mock_guest *guest);
/* Translations were forgotten while all of its pages were there, from an address on. */
void mock_guest_expect_invalidated(struct mock_guest *guest, u64 address);
/* The content of its memory up to an address. */
void mock_guest_expect_memory(struct mock_guest *guest, u64 end);
/* Its pages belong to somebody, or to nobody. */
void mock_guest_expect_pages_owned(struct mock_guest *guest, bool owned);

/*
 * A driver of nothing, which has one thing to carry over an update. Its
 * functions are called under a lock: they must not use assertions.
 */
struct mock_carrier {
	struct kunit *test;
	char name[32];
	struct device *dev;
	/* The last one, with a reference: valid when it ended. */
	struct drm_hotupdate_adapter *adapter;
	bool registered;
	int (*save)(struct mock_carrier *carrier);
	int (*restore)(struct mock_carrier *carrier, struct drm_hotupdate_block *block);
	void *priv;
};

struct mock_carrier *mock_carrier_new(struct kunit *test);
/* Saves and leaves; comes back. 0 or an errno, of the core or the functions. */
int mock_carrier_save(struct mock_carrier *carrier);
int mock_carrier_restore(struct mock_carrier *carrier);

/*
 * The stash
 */

#define MOCK_MAX_ITEMS	256

/* One block, saved in the way that it was saved in before. */
struct mock_item {
	/* Metadata, and the content of a buffer */
	u8 meta[VGPU_STATE_MAX_SIZE];
	size_t meta_size;
	u8 data[VGPU_STATE_MAX_SIZE];
	size_t data_size;
	/* All others */
	struct drm_hotupdate_range *ranges;
	unsigned int num_ranges;
	bool is_device;
	bool as_sgt;
	/* The pages are the test's, to free if they are not saved */
	bool owned;
	/* Not to be saved */
	bool dropped;
	/* Only while it is replayed */
	struct drm_hotupdate_block *block;
};

/*
 * A driver of the same family, of no release, which saves what a test wants it
 * to. Opened on a detached adapter it first takes over what is there.
 */
struct mock_stash {
	struct kunit *test;
	struct mock_gpu *gpu;
	struct drm_hotupdate_adapter *adapter;
	struct mock_item *items[MOCK_MAX_ITEMS];
	unsigned int num_items;
};

struct mock_stash *mock_stash_open(struct mock_gpu *gpu);
void mock_stash_close(struct mock_stash *stash, u32 version);
struct mock_item *mock_stash_find(struct mock_stash *stash, u32 what, u32 vf);
unsigned int mock_stash_index(struct mock_stash *stash, const struct mock_item *item);
void mock_stash_move(struct mock_stash *stash, struct mock_item *item,
		     unsigned int index);
struct mock_item *mock_stash_add(struct mock_stash *stash, unsigned int index);
struct mock_item *mock_stash_add_copy(struct mock_stash *stash,
				      const struct mock_item *item);
void mock_item_set_meta(struct mock_item *item, u32 what, u32 vf, u32 root_index);
int mock_item_set_ranges(struct mock_item *item, const struct drm_hotupdate_range *ranges,
			 unsigned int num);
void mock_item_set_pages(struct kunit *test, struct mock_item *item,
			 struct page **pages, unsigned int num);

/* Fields of a record sequence, and the checksum at its end */
u32 mock_get_le32(const u8 *buf, size_t offset);
u64 mock_get_le64(const u8 *buf, size_t offset);
void mock_put_le32(u8 *buf, size_t offset, u32 value);
void mock_put_le64(u8 *buf, size_t offset, u64 value);
u32 mock_crc32(const u8 *buf, size_t size);
void mock_seal(u8 *buf, size_t size);

#endif /* _KUNIT_VGPU_MOCK_H_ */
