/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the suites of imported memory: an exporter with lists of the case's
 * choice.
 */
#ifndef _KUNIT_VGPU_IMPORT_KUNIT_H_
#define _KUNIT_VGPU_IMPORT_KUNIT_H_

#include <kunit/test.h>
#include <linux/types.h>

#include "vgpu_mock.h"

struct dma_buf;
struct drm_gem_object;

#define EXPORT_MAX_ENTRIES	512

/* An entry of the list: @address and @dma_len for the device, the rest for the CPU. */
struct export_entry {
	u64 address;
	u32 dma_len;
	u32 offset;
	u32 len;
};

/* The description of a dma-buf by its exporter. */
struct export {
	u64 size;
	unsigned int num;
	struct export_entry entries[EXPORT_MAX_ENTRIES];
};

/* A folio of 2 MiB, like a page of hugetlb; freed when the case ends. */
struct page *export_memory(struct kunit *test);

struct export *export_new(struct kunit *test, u64 size);
/* Adds an entry that is the same for device and CPU. */
void export_add(struct export *export, u64 address, u32 len);

/* Returns the object, which is put when the case ends or before; or an ERR_PTR. */
struct drm_gem_object *export_import(struct mock_client *client, const struct export *export);
void export_drop_object(struct kunit *test, struct drm_gem_object *obj);

/* The two steps of export_import(): the dma-buf, and an object that is imported. */
struct dma_buf *export_dma_buf(struct kunit *test, const struct export *export);
void export_keep_object(struct kunit *test, struct drm_gem_object *obj);

#endif /* _KUNIT_VGPU_IMPORT_KUNIT_H_ */
