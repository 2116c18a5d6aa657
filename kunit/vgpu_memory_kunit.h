/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of VFs' memory share: VRAM and memory that goes away with the
 * case.
 */
#ifndef _KUNIT_VGPU_MEMORY_KUNIT_H_
#define _KUNIT_VGPU_MEMORY_KUNIT_H_

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "../drivers/gpu/drm/vgpu/vgpu_memory.h"
#include "vgpu_mock.h"

static inline void vram_free_action(void *data)
{
	struct vgpu_vram *vram = data;

	vgpu_vram_fini(vram);
	vfree(vram->cpu);
}

static inline struct vgpu_vram *vram_new(struct kunit *test, u64 size)
{
	struct vgpu_vram *vram = kunit_kzalloc(test, sizeof(*vram), GFP_KERNEL);
	void *cpu = vzalloc(size);

	KUNIT_ASSERT_NOT_NULL(test, vram);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	KUNIT_ASSERT_EQ(test, vgpu_vram_init(vram, cpu, size), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vram_free_action, vram));
	return vram;
}

static inline void memory_release_action(void *data)
{
	vgpu_memory_release(data);
}

static inline struct vgpu_memory *memory_new(struct kunit *test, struct vgpu_vram *vram,
					     enum vgpu_backing backing)
{
	struct vgpu_memory *memory = kunit_kzalloc(test, sizeof(*memory), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, memory);
	vgpu_memory_init(memory, vram, backing);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, memory_release_action, memory));
	return memory;
}

static inline void node_remove_action(void *data)
{
	drm_mm_remove_node(data);
}

/* Somebody has part of it. */
static inline void vram_reserve(struct kunit *test, struct vgpu_vram *vram, u64 start,
				u64 size)
{
	struct drm_mm_node *node = kunit_kzalloc(test, sizeof(*node), GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, node);
	node->start = start;
	node->size = size;
	scoped_guard(mutex, &vram->lock)
		err = drm_mm_reserve_node(&vram->mm, node);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, node_remove_action, node));
}

/* Somebody has every other page. */
static inline void vram_fragment(struct kunit *test, struct vgpu_vram *vram)
{
	u64 start;

	for (start = SZ_4K; start < vram->size; start += 2 * SZ_4K)
		vram_reserve(test, vram, start, SZ_4K);
}

static inline void *memory_cpu(const struct vgpu_memory *memory,
			       const struct vgpu_chunk *chunk)
{
	if (memory->backing == VGPU_BACKING_VRAM)
		return memory->vram->cpu + chunk->node.start;
	return folio_address(chunk->folio);
}

/* Addresses page by page, whatever chunks they are in. */
static inline u64 *memory_pages(struct kunit *test, const struct vgpu_memory *memory)
{
	u64 *pages = kunit_kcalloc(test, memory->size / SZ_4K, sizeof(u64), GFP_KERNEL);
	const struct vgpu_chunk *chunk;
	unsigned int n = 0;
	u64 offset;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	list_for_each_entry(chunk, &memory->chunks, link)
		for (offset = 0; offset < chunk->size; offset += SZ_4K)
			pages[n++] = vgpu_chunk_address(memory, chunk) + offset;
	return pages;
}

#endif /* _KUNIT_VGPU_MEMORY_KUNIT_H_ */
