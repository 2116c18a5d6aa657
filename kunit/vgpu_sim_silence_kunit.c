// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of silence in the simulated vgpu device: after it the device leaves
 * the memory of the host alone, whatever guests do, until it is reset.
 *
 * Here tables, rings and data are in system memory. A silenced device is tested in
 * two steps. First the pages get a pattern that is no table: the device must neither
 * fault at it nor change it. Then they are freed, and KASAN watches.
 */

#include <kunit/device.h>
#include <linux/cleanup.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "vgpu_sim_helpers.h"

#define PAGES	4
#define POISON	0x6b	/* an entry of these is valid, with reserved bits set */

KUNIT_DEFINE_ACTION_WRAPPER(stop_engine_action, vgpu_sim_engine_stop, struct vgpu_sim *);
KUNIT_DEFINE_ACTION_WRAPPER(stop_guest_action, kthread_stop, struct task_struct *);

/* All pages that a function uses: its tables, and its memory from the ring on */
struct host_memory {
	struct page *pages[VGPU_LMTT_LEVELS + PAGES];
};

/* The platform device, which only the module itself makes */
static struct device *platform_new(struct kunit *test, struct vgpu_sim *sim)
{
	struct vgpu_hw_pdata *pdata = kunit_kzalloc(test, sizeof(*pdata), GFP_KERNEL);
	static unsigned int number;
	struct device *dev;
	char name[32];

	/* That of an earlier case is in use until the kernel has released it. */
	snprintf(name, sizeof(name), "vgpu_sim_silence.%u", number++);
	dev = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_NULL(test, pdata);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	pdata->hw = &sim->hw;
	dev->platform_data = pdata;
	return dev;
}

static void silence_device(struct kunit *test, struct vgpu_sim *sim, struct device *dev)
{
	guard(device)(dev);
	KUNIT_EXPECT_EQ(test, sim->hw.ops->silence(dev), 0);
}

static void memory_new(struct kunit *test, struct host_memory *mem)
{
	struct page **data = &mem->pages[VGPU_LMTT_LEVELS];
	unsigned int i;
	u64 root, table;

	mem->pages[0] = sim_page(test);
	root = sim_page_addr(mem->pages[0]);
	for (i = 0; i < PAGES; i++) {
		data[i] = sim_page(test);
		sim_map(test, root, i * SZ_4K,
			sim_page_addr(data[i]) | VGPU_LMTT_SYSTEM | VGPU_LMTT_VALID);
	}
	for (i = 1; i < VGPU_LMTT_LEVELS; i++) {
		table = le64_to_cpu(*sim_entry(root, 0, i - 1)) & VGPU_LMTT_ADDR;
		mem->pages[i] = pfn_to_page(PHYS_PFN(table));
	}
}

static void memory_poison(struct host_memory *mem)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mem->pages); i++)
		memset(page_address(mem->pages[i]), POISON, PAGE_SIZE);
}

static void memory_expect_untouched(struct kunit *test, struct host_memory *mem)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mem->pages); i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(page_address(mem->pages[i]), POISON,
						   PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, page_count(mem->pages[i]), 1);
	}
}

static void memory_free(struct kunit *test, struct host_memory *mem)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mem->pages); i++)
		sim_free_page(test, mem->pages[i]);
}

/* As a driver that starts the function, which a guest may have open */
static void fn_enable(struct vgpu_sim *sim, unsigned int fn, struct host_memory *mem)
{
	sim_fn_write(sim, fn, VGPU_FN_TABLE, sim_page_addr(mem->pages[0]));
	sim_fn_write(sim, fn, VGPU_FN_MEM_SIZE, PAGES * SZ_4K);
	sim_fn_write(sim, fn, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
}

static void fn_new(struct kunit *test, struct vgpu_sim *sim, unsigned int fn,
		   struct host_memory *mem)
{
	memory_new(test, mem);
	fn_enable(sim, fn, mem);
	if (fn)
		sim_attach(test, sim, fn);
	sim_set_ring(test, sim, fn);
}

/* Submits a command that fills two pages, and does the first of them. */
static void fn_half_a_fill(struct kunit *test, struct vgpu_sim *sim, unsigned int number)
{
	struct vgpu_sim_fn *fn = &sim->fns[number];
	u64 addr;

	sim_submit(test, sim, number, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIM_DATA,
					      .size = 2 * SZ_4K, .value = 1));
	guard(mutex)(&fn->exec_lock);
	vgpu_sim_cmd_begin(&fn->exec, sim_mem(test, sim, number, 0));
	KUNIT_EXPECT_EQ(test, vgpu_sim_cmd_step(fn, &addr), VGPU_FAULT_NONE);
	KUNIT_EXPECT_TRUE(test, fn->exec.busy);
}

/* All that a guest can do to have its VF do something */
static void guest_tries(struct kunit *test, struct vgpu_sim *sim, unsigned int number)
{
	struct vgpu_sim_fn *fn = &sim->fns[number];

	sim_vf_write(test, sim, number, VGPU_VF_REG_RING_BASE, 0);
	KUNIT_EXPECT_EQ(test, -EIO, vgpu_sim_vf_write(fn, VGPU_VF_REG_RING_ENTRIES, 64));
	KUNIT_EXPECT_EQ(test, -EIO, vgpu_sim_vf_write(fn, VGPU_VF_REG_RING_TAIL, 1));
	KUNIT_EXPECT_EQ(test, -EIO, vgpu_sim_vf_write(fn, VGPU_VF_REG_MBOX_SEND, 1));
	sim_run(test, sim);
}

static void expect_no_walk(struct kunit *test, struct vgpu_sim *sim)
{
	SIM_EXPECT_COUNT(test, sim, translation_faults, 0);
	SIM_EXPECT_COUNT(test, sim, lmtt_changed, 0);
	SIM_EXPECT_COUNT(test, sim, out_of_range, 0);
}

/* The PF and a VF amid a command, and an idle VF */
static void silence_running(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 2);
	struct device *dev = platform_new(test, sim);
	struct host_memory mem[3];
	unsigned int fn;

	for (fn = 0; fn < 3; fn++)
		fn_new(test, sim, fn, &mem[fn]);
	fn_half_a_fill(test, sim, 0);
	fn_half_a_fill(test, sim, 1);
	silence_device(test, sim, dev);

	for (fn = 0; fn < 3; fn++)
		memory_poison(&mem[fn]);
	guest_tries(test, sim, 1);
	guest_tries(test, sim, 2);
	for (fn = 0; fn < 3; fn++) {
		memory_expect_untouched(test, &mem[fn]);
		memory_free(test, &mem[fn]);
	}
	guest_tries(test, sim, 1);
	guest_tries(test, sim, 2);
	expect_no_walk(test, sim);
}

/* A guest that has its VF open sees a reset, and the next guest a disabled VF. */
static void silence_guests(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct device *dev = platform_new(test, sim);
	struct host_memory mem;

	fn_new(test, sim, 1, &mem);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_MBOX_SEND, 1);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_IRQ_STATUS, ~0ull);
	fn_half_a_fill(test, sim, 1);
	silence_device(test, sim, dev);
	memory_free(test, &mem);

	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_RESET);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_RESETS), 1);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_STATUS), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MEM_SIZE), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_RING_ENTRIES), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_PENDING), 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_PENDING), 0);
	SIM_EXPECT_COUNT(test, sim, requests_lost, 1);

	sim_detach(test, sim, 1);
	sim_attach(test, sim, 1);
	guest_tries(test, sim, 1);
	expect_no_walk(test, sim);
}

/* The device drops the references that it holds to pages mapped by a guest. */
static void silence_mappings(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct device *dev = platform_new(test, sim);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	struct host_memory mem;
	struct page *page;

	fn_new(test, sim, 1, &mem);
	page = mem.pages[VGPU_LMTT_LEVELS];
	/* As the fault of a guest does */
	scoped_guard(mutex, &fn->map_lock) {
		get_page(page);
		KUNIT_EXPECT_EQ(test, 0, xa_err(xa_store(&fn->mapped, 0, page, GFP_KERNEL)));
	}
	silence_device(test, sim, dev);
	KUNIT_EXPECT_TRUE(test, xa_empty(&fn->mapped));
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
}

static void silence_twice(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct device *dev = platform_new(test, sim);
	struct host_memory mem;

	fn_new(test, sim, 1, &mem);
	silence_device(test, sim, dev);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_IRQ_STATUS, ~0ull);
	silence_device(test, sim, dev);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_RESETS), 1);
	SIM_EXPECT_COUNT(test, sim, silences, 1);
	SIM_EXPECT_COUNT(test, sim, device_resets, 0);
	SIM_EXPECT_COUNT(test, sim, resets_while_running, 1);
}

/* A device that no driver has ever used */
static void silence_unused(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	silence_device(test, sim, platform_new(test, sim));
	SIM_EXPECT_COUNT(test, sim, resets_while_running, 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_RESETS), 0);
}

/* Only a reset of the whole device ends the silence. */
static void silence_until_reset(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct device *dev = platform_new(test, sim);
	struct host_memory mem[2];

	fn_new(test, sim, 1, &mem[0]);
	silence_device(test, sim, dev);
	memory_free(test, &mem[0]);

	memory_new(test, &mem[1]);
	sim_fn_write(sim, 1, VGPU_FN_RESET, VGPU_RESET_MAGIC);
	fn_enable(sim, 1, &mem[1]);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_CTRL), 0);
	SIM_EXPECT_COUNT(test, sim, bad_writes, 1);
	guest_tries(test, sim, 1);

	sim_write(sim, VGPU_HW_RESET, VGPU_RESET_MAGIC);
	fn_enable(sim, 1, &mem[1]);
	sim_set_ring(test, sim, 1);
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FILL, .dst = SIM_DATA,
					 .size = SZ_4K, .value = 7));
	sim_submit(test, sim, 1, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 8));
	sim_run(test, sim);
	KUNIT_EXPECT_EQ(test, *(u64 *)sim_mem(test, sim, 1, SIM_DATA), 7);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_FENCE), 8);
	SIM_EXPECT_COUNT(test, sim, bad_writes, 1);
	expect_no_walk(test, sim);

	silence_device(test, sim, dev);
	SIM_EXPECT_COUNT(test, sim, silences, 2);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_RESETS), 2);
}

/* Starts the ring anew and rings the doorbell, again and again. */
static int guest_thread(void *data)
{
	struct vgpu_sim_fn *fn = data;

	while (!kthread_should_stop()) {
		vgpu_sim_vf_write(fn, VGPU_VF_REG_RING_ENTRIES, SIM_RING_ENTRIES);
		vgpu_sim_vf_write(fn, VGPU_VF_REG_RING_TAIL, SIM_RING_ENTRIES);
		usleep_range(20, 50);
	}
	return 0;
}

static void start_threads(struct kunit *test, struct vgpu_sim *sim, unsigned int fn)
{
	struct task_struct *guest;

	KUNIT_ASSERT_EQ(test, 0, vgpu_sim_engine_start(sim));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_engine_action, sim));
	guest = kthread_run(guest_thread, &sim->fns[fn], "vgpu_sim_guest");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, guest);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_guest_action, guest));
}

static void wait_for_work(struct kunit *test, struct host_memory *mem)
{
	u64 *word = page_address(mem->pages[VGPU_LMTT_LEVELS + 2]);
	unsigned int tries;

	for (tries = 0; !READ_ONCE(*word) && tries < 10000; tries++)
		usleep_range(100, 200);
	KUNIT_ASSERT_EQ(test, READ_ONCE(*word), 1);
}

/* The engine and a guest run on meanwhile, and never come to rest by themselves. */
static void silence_while_busy(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct device *dev = platform_new(test, sim);
	const struct vgpu_cmd cmd = {
		.op = VGPU_CMD_FILL, .dst = SIM_DATA, .size = 2 * SZ_4K, .value = 1,
	};
	struct host_memory mem;
	unsigned int round, i;

	sim_attach(test, sim, 1);
	start_threads(test, sim, 1);
	for (round = 0; round < 20; round++) {
		sim_write(sim, VGPU_HW_RESET, VGPU_RESET_MAGIC);
		memory_new(test, &mem);
		for (i = 0; i < SIM_RING_ENTRIES; i++)
			((struct vgpu_cmd *)page_address(mem.pages[VGPU_LMTT_LEVELS]))[i] = cmd;
		fn_enable(sim, 1, &mem);
		wait_for_work(test, &mem);

		silence_device(test, sim, dev);
		memory_poison(&mem);
		usleep_range(500, 1000);
		memory_expect_untouched(test, &mem);
		memory_free(test, &mem);
		usleep_range(500, 1000);
	}
	expect_no_walk(test, sim);
}

static struct kunit_case silence_kunit_cases[] = {
	KUNIT_CASE(silence_running),
	KUNIT_CASE(silence_guests),
	KUNIT_CASE(silence_mappings),
	KUNIT_CASE(silence_twice),
	KUNIT_CASE(silence_unused),
	KUNIT_CASE(silence_until_reset),
	KUNIT_CASE(silence_while_busy),
	{}
};

static struct kunit_suite vgpu_sim_silence_suite = {
	.name = "vgpu_sim_silence",
	.test_cases = silence_kunit_cases,
};

kunit_test_suite(vgpu_sim_silence_suite);
