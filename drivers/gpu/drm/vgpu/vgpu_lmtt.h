/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The LMTT of a function: see vgpu_hw.h for its format.
 */
#ifndef _VGPU_LMTT_H_
#define _VGPU_LMTT_H_

#include <linux/types.h>

struct drm_hotupdate_adapter;
struct drm_hotupdate_block;
struct page;

/**
 * struct vgpu_lmtt_run - pages of a table, one behind the other
 */
struct vgpu_lmtt_run {
	/** @pfn: the first page */
	unsigned long pfn;
	/** @nr_pages: how many */
	unsigned int nr_pages;
	/** @first: how many are in the runs before, while these are sorted */
	unsigned int first;
};

/**
 * struct vgpu_lmtt - a table that the device reads
 */
struct vgpu_lmtt {
	/** @runs: all pages of the table */
	struct vgpu_lmtt_run *runs;
	/** @num_runs: how many runs */
	unsigned int num_runs;
	/** @num_pages: how many pages */
	unsigned int num_pages;
	/** @root: the one that the device begins with */
	struct page *root;
	/**
	 * @block: the hot-update block that owns the pages still, NULL once
	 * they are the table's own
	 */
	struct drm_hotupdate_block *block;
};

int vgpu_lmtt_init(struct vgpu_lmtt *lmtt);
void vgpu_lmtt_fini(struct vgpu_lmtt *lmtt);
void vgpu_lmtt_forget(struct vgpu_lmtt *lmtt);
u64 vgpu_lmtt_base(const struct vgpu_lmtt *lmtt);
u64 vgpu_lmtt_entry(const struct vgpu_lmtt *lmtt, u64 address);
int vgpu_lmtt_reserve(struct vgpu_lmtt *lmtt, u64 address, u64 size);
bool vgpu_lmtt_can_lead_to(u64 target, u64 size);
int vgpu_lmtt_map(struct vgpu_lmtt *lmtt, u64 address, u64 target, u64 size,
		  u64 flags);
void vgpu_lmtt_unmap(struct vgpu_lmtt *lmtt, u64 address, u64 size);
u32 vgpu_lmtt_root_index(struct vgpu_lmtt *lmtt);
int vgpu_lmtt_save(struct vgpu_lmtt *lmtt, struct drm_hotupdate_adapter *adapter,
		   const void *meta, size_t meta_size);
int vgpu_lmtt_restore(struct vgpu_lmtt *lmtt, struct drm_hotupdate_block *block,
		      u32 root_index, u64 size);
int vgpu_lmtt_own(struct vgpu_lmtt *lmtt);

#endif /* _VGPU_LMTT_H_ */
