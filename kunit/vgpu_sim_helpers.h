/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of the simulated vgpu device share: a device without a
 * thread, a driver that builds tables, and a guest that fills rings.
 *
 * A function set up by sim_fn_setup() has @pages pages of memory, in VRAM one
 * after the other. Its ring of %SIM_RING_ENTRIES commands is its first page.
 *
 * What these acquire is given back by actions of the test.
 */
#ifndef _KUNIT_VGPU_SIM_HELPERS_H_
#define _KUNIT_VGPU_SIM_HELPERS_H_

#include <kunit/test.h>

#include "../drivers/gpu/drm/vgpu/sim/vgpu_sim.h"

#define SIM_RING_ENTRIES	64
#define SIM_VRAM_SIZE		SZ_1M
#define SIM_DATA		VGPU_PAGE_SIZE	/* address after the ring */

/* A device, of which the test plays the engine's thread: sim_run() */
struct vgpu_sim *sim_create(struct kunit *test, unsigned int total_vfs);
void sim_destroy(struct kunit *test, struct vgpu_sim *sim);

/* Registers, as the driver has them */
u64 sim_read(struct vgpu_sim *sim, u32 reg);
void sim_write(struct vgpu_sim *sim, u32 reg, u64 value);
u64 sim_fn_read(struct vgpu_sim *sim, unsigned int fn, u32 reg);
void sim_fn_write(struct vgpu_sim *sim, unsigned int fn, u32 reg, u64 value);

/* Registers, as a guest has them. These expect success. */
u64 sim_vf_read(struct kunit *test, struct vgpu_sim *sim, unsigned int fn, u64 reg);
void sim_vf_write(struct kunit *test, struct vgpu_sim *sim, unsigned int fn,
		  u64 reg, u64 value);

/* A page of memory, zeroed; its early end; and where it is */
struct page *sim_page(struct kunit *test);
void sim_free_page(struct kunit *test, struct page *page);
u64 sim_page_addr(struct page *page);

/* A table: where its root is, an entry on the way to an address, a mapping */
u64 sim_table(struct kunit *test);
__le64 *sim_entry(u64 root, u64 addr, unsigned int level);
void sim_map(struct kunit *test, u64 root, u64 addr, u64 leaf);
u64 sim_map_vram(struct kunit *test, u64 pages, u64 vram_page);

/* A function that can run: table, memory, enabled, guest attached, ring set */
u64 sim_fn_setup(struct kunit *test, struct vgpu_sim *sim, unsigned int fn,
		 u64 pages, u64 vram_page);
void sim_attach(struct kunit *test, struct vgpu_sim *sim, unsigned int fn);
void sim_detach(struct kunit *test, struct vgpu_sim *sim, unsigned int fn);
void sim_set_ring(struct kunit *test, struct vgpu_sim *sim, unsigned int fn);

/* Puts a command into a ring; sim_submit() rings the doorbell as well */
void sim_put_cmd(struct kunit *test, struct vgpu_sim *sim, unsigned int fn,
		 u64 index, const struct vgpu_cmd *cmd);
void sim_submit(struct kunit *test, struct vgpu_sim *sim, unsigned int fn,
		const struct vgpu_cmd *cmd);
void sim_run(struct kunit *test, struct vgpu_sim *sim);

/* Memory of a function behind an address of it; one page, kernel memory */
void *sim_mem(struct kunit *test, struct vgpu_sim *sim, unsigned int fn, u64 addr);

#define SIM_CMD(...) (&(const struct vgpu_cmd){ __VA_ARGS__ })

#define SIM_EXPECT_COUNT(test, sim, counter, n) \
	KUNIT_EXPECT_EQ_MSG(test, atomic64_read(&(sim)->count.counter), n, #counter)

#define SIM_EXPECT_FAULT(test, sim, fn, why) \
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, fn, VGPU_FN_FAULT), why)

#endif /* _KUNIT_VGPU_SIM_HELPERS_H_ */
