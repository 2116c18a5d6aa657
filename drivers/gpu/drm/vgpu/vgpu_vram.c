// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/cleanup.h>

#include <drm/drm_mm.h>

#include "vgpu_memory.h"

/**
 * vgpu_vram_init - begin to allocate VRAM
 * @vram: allocator
 * @cpu: all of VRAM, for the CPU
 * @size: bytes of it
 *
 * Return: 0 or a negative errno.
 */
int vgpu_vram_init(struct vgpu_vram *vram, void *cpu, u64 size)
{
	mutex_init(&vram->lock);
	drm_mm_init(&vram->mm, 0, size);
	vram->cpu = cpu;
	vram->size = size;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_vram_init);

/**
 * vgpu_vram_fini - undo vgpu_vram_init()
 * @vram: allocator that nobody has anything of
 */
void vgpu_vram_fini(struct vgpu_vram *vram)
{
	drm_mm_takedown(&vram->mm);
	mutex_destroy(&vram->lock);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_vram_fini);

/**
 * vgpu_vram_free_bytes - how much VRAM nobody has
 * @vram: allocator
 *
 * Return: Bytes, not necessarily in one piece.
 */
u64 vgpu_vram_free_bytes(struct vgpu_vram *vram)
{
	struct drm_mm_node *hole;
	u64 start, end, bytes = 0;

	guard(mutex)(&vram->lock);

	drm_mm_for_each_hole(hole, &vram->mm, start, end)
		bytes += end - start;
	return bytes;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_vram_free_bytes);
