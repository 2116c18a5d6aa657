// SPDX-License-Identifier: GPL-2.0-only
/*
 * An exporter of dma-bufs with lists of the case's choice.
 */

#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_prime.h>

#include "vgpu_import_kunit.h"

static void export_free_memory(void *page)
{
	__free_pages(page, get_order(SZ_2M));
}

struct page *export_memory(struct kunit *test)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_COMP | __GFP_ZERO | __GFP_NOWARN |
			  __GFP_RETRY_MAYFAIL;
	struct page *page = alloc_pages(gfp, get_order(SZ_2M));

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, export_free_memory, page));
	return page;
}

struct export *export_new(struct kunit *test, u64 size)
{
	struct export *export = kunit_kzalloc(test, sizeof(*export), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, export);
	export->size = size;
	return export;
}

void export_add(struct export *export, u64 address, u32 len)
{
	export->entries[export->num++] = (struct export_entry) {
		.address = address,
		.dma_len = len,
		.len = len,
	};
}

/* An sg entry needs a page, but the driver must not use it. */
static void export_fill_entry(struct scatterlist *sg, const struct export_entry *entry)
{
	sg_set_page(sg, ZERO_PAGE(0), entry->len, entry->offset);
	sg_dma_address(sg) = entry->address;
	sg_dma_len(sg) = entry->dma_len;
}

static struct sg_table *export_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	const struct export *export = attach->dmabuf->priv;
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	struct scatterlist *sg;
	unsigned int i;

	if (!sgt || sg_alloc_table(sgt, max(export->num, 1u), GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	sgt->nents = export->num;
	for_each_sgtable_dma_sg(sgt, sg, i)
		export_fill_entry(sg, &export->entries[i]);
	return sgt;
}

static void export_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	sg_free_table(sgt);
	kfree(sgt);
}

static void export_release(struct dma_buf *dmabuf)
{
	kfree(dmabuf->priv);
}

static const struct dma_buf_ops export_ops = {
	.map_dma_buf = export_map,
	.unmap_dma_buf = export_unmap,
	.release = export_release,
};

static void export_put_object(void *obj)
{
	drm_gem_object_put(obj);
	/* Releases the dma-buf and the exporter's copy of the list. */
	flush_delayed_fput();
}

static void export_put_dma_buf(void *dmabuf)
{
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

struct dma_buf *export_dma_buf(struct kunit *test, const struct export *export)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &export_ops;
	info.size = export->size;
	info.flags = O_RDWR;
	info.priv = kmemdup(export, sizeof(*export), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, info.priv);
	dmabuf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, export_put_dma_buf, dmabuf));
	return dmabuf;
}

void export_keep_object(struct kunit *test, struct drm_gem_object *obj)
{
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, export_put_object, obj));
}

struct drm_gem_object *export_import(struct mock_client *client, const struct export *export)
{
	struct dma_buf *dmabuf = export_dma_buf(client->test, export);
	struct drm_gem_object *obj = drm_gem_prime_import(client->drm, dmabuf);

	kunit_release_action(client->test, export_put_dma_buf, dmabuf);
	if (!IS_ERR(obj))
		export_keep_object(client->test, obj);
	return obj;
}

void export_drop_object(struct kunit *test, struct drm_gem_object *obj)
{
	kunit_release_action(test, export_put_object, obj);
}
