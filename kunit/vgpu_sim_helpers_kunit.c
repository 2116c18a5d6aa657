// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the suites of the simulated vgpu device share.
 */

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>

#include <drm/drm_hotupdate_compat.h>

#include "vgpu_sim_helpers.h"

KUNIT_DEFINE_ACTION_WRAPPER(destroy_action, vgpu_sim_destroy, struct vgpu_sim *);
KUNIT_DEFINE_ACTION_WRAPPER(detach_action, vgpu_sim_vf_detach, struct vgpu_sim_fn *);
KUNIT_DEFINE_ACTION_WRAPPER(free_page_action, put_page, struct page *);

struct vgpu_sim *sim_create(struct kunit *test, unsigned int total_vfs)
{
	const struct vgpu_sim_config config = {
		.devices = 1,
		.total_vfs = total_vfs,
		.vram_mb = SIM_VRAM_SIZE / SZ_1M,
	};
	struct vgpu_sim *sim = vgpu_sim_create(&config, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sim);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, destroy_action, sim));
	return sim;
}

/* Before the end of the test, which does it otherwise. */
void sim_destroy(struct kunit *test, struct vgpu_sim *sim)
{
	kunit_release_action(test, destroy_action, sim);
}

u64 sim_read(struct vgpu_sim *sim, u32 reg)
{
	return sim->hw.ops->read(&sim->hw, reg);
}

void sim_write(struct vgpu_sim *sim, u32 reg, u64 value)
{
	sim->hw.ops->write(&sim->hw, reg, value);
}

u64 sim_fn_read(struct vgpu_sim *sim, unsigned int fn, u32 reg)
{
	return sim_read(sim, VGPU_FN(fn, reg));
}

void sim_fn_write(struct vgpu_sim *sim, unsigned int fn, u32 reg, u64 value)
{
	sim_write(sim, VGPU_FN(fn, reg), value);
}

u64 sim_vf_read(struct kunit *test, struct vgpu_sim *sim, unsigned int fn, u64 reg)
{
	u64 value = 0;

	KUNIT_EXPECT_EQ(test, 0, vgpu_sim_vf_read(&sim->fns[fn], reg, &value));
	return value;
}

void sim_vf_write(struct kunit *test, struct vgpu_sim *sim, unsigned int fn,
		  u64 reg, u64 value)
{
	KUNIT_EXPECT_EQ(test, 0, vgpu_sim_vf_write(&sim->fns[fn], reg, value));
}

struct page *sim_page(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_page_action, page));
	return page;
}

/* Before the end of the test, which does it otherwise. */
void sim_free_page(struct kunit *test, struct page *page)
{
	kunit_release_action(test, free_page_action, page);
}

u64 sim_page_addr(struct page *page)
{
	return PFN_PHYS(page_to_pfn(page));
}

u64 sim_table(struct kunit *test)
{
	return sim_page_addr(sim_page(test));
}

__le64 *sim_entry(u64 root, u64 addr, unsigned int level)
{
	u64 table = root;
	unsigned int i, shift;
	__le64 *entry;

	for (i = 0; ; i++) {
		shift = VGPU_PAGE_SHIFT + (VGPU_LMTT_LEVELS - 1 - i) * VGPU_LMTT_BITS;
		entry = phys_to_virt(table);
		entry += (addr >> shift) % VGPU_LMTT_ENTRIES;
		if (i == level)
			return entry;
		table = le64_to_cpu(*entry) & VGPU_LMTT_ADDR;
	}
}

void sim_map(struct kunit *test, u64 root, u64 addr, u64 leaf)
{
	unsigned int level;
	__le64 *entry;

	for (level = 0; level < VGPU_LMTT_LEVELS - 1; level++) {
		entry = sim_entry(root, addr, level);
		if (!*entry)
			*entry = cpu_to_le64(sim_table(test) | VGPU_LMTT_VALID);
	}
	*sim_entry(root, addr, level) = cpu_to_le64(leaf);
}

u64 sim_map_vram(struct kunit *test, u64 pages, u64 vram_page)
{
	u64 root = sim_table(test);
	u64 i;

	for (i = 0; i < pages; i++)
		sim_map(test, root, i * VGPU_PAGE_SIZE,
			(vram_page + i) * VGPU_PAGE_SIZE | VGPU_LMTT_VALID);
	return root;
}

void sim_attach(struct kunit *test, struct vgpu_sim *sim, unsigned int fn)
{
	struct vgpu_sim_fn *vf = &sim->fns[fn];

	KUNIT_ASSERT_EQ(test, 0, vgpu_sim_vf_attach(vf, NULL));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, detach_action, vf));
}

/* Before the end of the test, which does it otherwise. */
void sim_detach(struct kunit *test, struct vgpu_sim *sim, unsigned int fn)
{
	kunit_release_action(test, detach_action, &sim->fns[fn]);
}

void sim_set_ring(struct kunit *test, struct vgpu_sim *sim, unsigned int fn)
{
	if (fn) {
		sim_vf_write(test, sim, fn, VGPU_VF_REG_RING_BASE, 0);
		sim_vf_write(test, sim, fn, VGPU_VF_REG_RING_ENTRIES, SIM_RING_ENTRIES);
	} else {
		sim_fn_write(sim, fn, VGPU_FN_RING_BASE, 0);
		sim_fn_write(sim, fn, VGPU_FN_RING_ENTRIES, SIM_RING_ENTRIES);
	}
}

u64 sim_fn_setup(struct kunit *test, struct vgpu_sim *sim, unsigned int fn,
		 u64 pages, u64 vram_page)
{
	u64 root = sim_map_vram(test, pages, vram_page);

	sim_fn_write(sim, fn, VGPU_FN_TABLE, root);
	sim_fn_write(sim, fn, VGPU_FN_MEM_SIZE, pages * VGPU_PAGE_SIZE);
	sim_fn_write(sim, fn, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	if (fn)
		sim_attach(test, sim, fn);
	sim_set_ring(test, sim, fn);
	return root;
}

void *sim_mem(struct kunit *test, struct vgpu_sim *sim, unsigned int fn, u64 addr)
{
	u64 root = sim_fn_read(sim, fn, VGPU_FN_TABLE);
	u64 leaf = le64_to_cpu(*sim_entry(root, addr, VGPU_LMTT_LEVELS - 1));
	u64 offset = addr % VGPU_PAGE_SIZE;

	KUNIT_ASSERT_TRUE(test, leaf & VGPU_LMTT_VALID);
	if (leaf & VGPU_LMTT_SYSTEM)
		return phys_to_virt(leaf & VGPU_LMTT_ADDR) + offset;
	return sim->hw.vram + (leaf & VGPU_LMTT_ADDR) + offset;
}

void sim_put_cmd(struct kunit *test, struct vgpu_sim *sim, unsigned int fn,
		 u64 index, const struct vgpu_cmd *cmd)
{
	struct vgpu_cmd *ring = sim_mem(test, sim, fn, 0);

	ring[index % SIM_RING_ENTRIES] = *cmd;
}

void sim_submit(struct kunit *test, struct vgpu_sim *sim, unsigned int fn,
		const struct vgpu_cmd *cmd)
{
	u64 tail = sim_fn_read(sim, fn, VGPU_FN_RING_TAIL);

	sim_put_cmd(test, sim, fn, tail, cmd);
	if (fn)
		sim_vf_write(test, sim, fn, VGPU_VF_REG_RING_TAIL, tail + 1);
	else
		sim_fn_write(sim, fn, VGPU_FN_RING_TAIL, tail + 1);
}

void sim_run(struct kunit *test, struct vgpu_sim *sim)
{
	unsigned int turns = 0;

	while (vgpu_sim_engine_turn(sim) >= 0)
		KUNIT_ASSERT_LT(test, turns++, 10000);
}

MODULE_DESCRIPTION("KUnit suites of the simulated vgpu device");
MODULE_LICENSE("GPL");
HOTUPDATE_COMPAT_IMPORT_KUNIT_NS();
