/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that backs a function's address space, in VRAM or in system memory.
 */
#ifndef _VGPU_MEMORY_H_
#define _VGPU_MEMORY_H_

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <drm/drm_hotupdate.h>
#include <drm/drm_mm.h>

struct folio;

/**
 * struct vgpu_vram - allocator of a device's VRAM
 */
struct vgpu_vram {
	/** @lock: protects @mm */
	struct mutex lock;
	/** @mm: who has what, by offset in bytes */
	struct drm_mm mm;
	/** @cpu: all of VRAM, for the CPU */
	void *cpu;
	/** @size: bytes of VRAM */
	u64 size;
};

int vgpu_vram_init(struct vgpu_vram *vram, void *cpu, u64 size);
void vgpu_vram_fini(struct vgpu_vram *vram);
u64 vgpu_vram_free_bytes(struct vgpu_vram *vram);

/**
 * enum vgpu_backing - where a VF's memory is
 *
 * The values are part of the saved state.
 */
enum vgpu_backing {
	/** @VGPU_BACKING_VRAM: in the device */
	VGPU_BACKING_VRAM = 1,
	/** @VGPU_BACKING_SYSTEM: in system memory */
	VGPU_BACKING_SYSTEM = 2,
};

/**
 * struct vgpu_chunk - contiguous piece of memory
 */
struct vgpu_chunk {
	/** @link: in &vgpu_memory.chunks */
	struct list_head link;
	/** @size: bytes */
	u64 size;
	/** @node: where it is, if in VRAM */
	struct drm_mm_node node;
	/** @folio: the first of the folios that it is, if in system memory */
	struct folio *folio;
};

/**
 * struct vgpu_memory - what backs an address space, from address 0 on
 */
struct vgpu_memory {
	/** @vram: allocator for %VGPU_BACKING_VRAM */
	struct vgpu_vram *vram;
	/** @backing: where all of it is */
	enum vgpu_backing backing;
	/** @chunks: the pieces, in the order of addresses */
	struct list_head chunks;
	/** @num_chunks: how many pieces */
	size_t num_chunks;
	/** @size: bytes of them all */
	u64 size;
	/**
	 * @block: the hot-update block that owns the folios still, NULL once
	 * they are this memory's own
	 */
	struct drm_hotupdate_block *block;
};

void vgpu_memory_init(struct vgpu_memory *memory, struct vgpu_vram *vram,
		      enum vgpu_backing backing);
int vgpu_memory_grow(struct vgpu_memory *memory, u64 size);
void vgpu_memory_shrink(struct vgpu_memory *memory, u64 size);
void vgpu_memory_clear(struct vgpu_memory *memory);
void vgpu_memory_release(struct vgpu_memory *memory);
void vgpu_memory_forget(struct vgpu_memory *memory);
u64 vgpu_chunk_address(const struct vgpu_memory *memory,
		       const struct vgpu_chunk *chunk);
int vgpu_memory_save(struct vgpu_memory *memory,
		     struct drm_hotupdate_adapter *adapter,
		     const void *meta, size_t meta_size);
int vgpu_memory_restore(struct vgpu_memory *memory,
			struct drm_hotupdate_block *block, u64 size);
int vgpu_memory_own(struct vgpu_memory *memory);

#endif /* _VGPU_MEMORY_H_ */
