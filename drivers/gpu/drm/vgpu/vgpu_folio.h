/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System memory that the device reads: as few and as large folios as there are.
 */
#ifndef _VGPU_FOLIO_H_
#define _VGPU_FOLIO_H_

#include <linux/gfp.h>
#include <linux/types.h>

struct list_head;
struct page;

/* An allocation fails before the kernel kills a process. */
#define VGPU_GFP	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

int vgpu_folios_alloc(struct list_head *folios, u64 nr_pages);
void vgpu_folios_free(struct list_head *folios);
void vgpu_folios_clear(unsigned long pfn, u64 nr_pages);
void vgpu_folios_put(unsigned long pfn, u64 nr_pages);
#if IS_ENABLED(CONFIG_KUNIT)
bool vgpu_page_is_poisoned(struct page *page);
#endif

#endif /* _VGPU_FOLIO_H_ */
