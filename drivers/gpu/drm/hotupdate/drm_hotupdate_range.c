// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/mm.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: ranges
 *
 * A driver names memory by page number and count. On Windows both are packed
 * into one 64-bit word, DXGK_KSR_MEMORY_RANGE (W8); here they are two, so
 * that neither the address nor the length of a range has a limit of its own.
 * The packed form can be made and read, for drivers that share code with a
 * Windows driver, and for comparing a recorded sequence.
 */

#define KSR_PFN_MASK		GENMASK_ULL(39, 0)
#define KSR_NR_PAGES_MASK	GENMASK_ULL(63, 40)

/**
 * drm_hotupdate_range_to_ksr - pack a range into the word of Windows
 * @range: range to pack
 *
 * Implements W8.
 *
 * Context: Any.
 * Return: The word, with the page number in bits 0 to 39 and the count of pages
 * in bits 40 to 63; or 0, which is no range, if either does not fit: pages from
 * 2^40 on, more than 2^24 - 1 pages, no pages.
 */
u64 drm_hotupdate_range_to_ksr(const struct drm_hotupdate_range *range)
{
	if (!range->nr_pages ||
	    range->pfn > FIELD_MAX(KSR_PFN_MASK) ||
	    range->nr_pages > FIELD_MAX(KSR_NR_PAGES_MASK))
		return 0;

	return FIELD_PREP(KSR_PFN_MASK, range->pfn) |
	       FIELD_PREP(KSR_NR_PAGES_MASK, range->nr_pages);
}
EXPORT_SYMBOL_GPL(drm_hotupdate_range_to_ksr);

/**
 * drm_hotupdate_range_from_ksr - unpack the word of Windows
 * @desc: word as of W8
 *
 * Context: Any.
 * Return: The range. Whether it makes sense is for whoever uses it to check:
 * drm_hotupdate_save_memory() refuses one without pages.
 */
struct drm_hotupdate_range drm_hotupdate_range_from_ksr(u64 desc)
{
	return (struct drm_hotupdate_range) {
		.pfn = FIELD_GET(KSR_PFN_MASK, desc),
		.nr_pages = FIELD_GET(KSR_NR_PAGES_MASK, desc),
	};
}
EXPORT_SYMBOL_GPL(drm_hotupdate_range_from_ksr);

/**
 * hotupdate_range_refusal - why a range is none
 * @range: range to check, of either kind of memory
 *
 * Return: NULL if @range has pages, and the numbers and addresses of all of
 * them fit into the types used for them, or else the reason.
 */
const char *hotupdate_range_refusal(const struct drm_hotupdate_range *range)
{
	const u64 max_pages = min_t(u64, ULONG_MAX, U64_MAX >> PAGE_SHIFT);

	if (!range->nr_pages)
		return "has no pages";
	if (range->pfn > max_pages || range->nr_pages > max_pages - range->pfn)
		return "wraps around";
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_range_refusal);
