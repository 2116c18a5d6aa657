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
 * into one 64-bit word, DXGK_KSR_MEMORY_RANGE (W8); here they are two numbers, and
 * neither the address nor the length of a range has a limit of its own. Drivers
 * that share code with a Windows driver can pack and unpack the word, and so can
 * a comparison of a recorded sequence. The word always counts pages of 4 KiB,
 * whatever the page size of the kernel.
 */

#define KSR_PAGE_SHIFT		12

#define KSR_PFN_MASK		GENMASK_ULL(39, 0)
#define KSR_NR_PAGES_MASK	GENMASK_ULL(63, 40)

/**
 * hotupdate_range_to_ksr - pack a range of pages of any size
 * @range: range to pack
 * @page_shift: log2 of the size of its pages, at least 12
 *
 * Return: As drm_hotupdate_range_to_ksr().
 */
u64 hotupdate_range_to_ksr(const struct drm_hotupdate_range *range,
			   unsigned int page_shift)
{
	const unsigned int shift = page_shift - KSR_PAGE_SHIFT;

	if (!range->nr_pages ||
	    range->pfn > FIELD_MAX(KSR_PFN_MASK) >> shift ||
	    range->nr_pages > FIELD_MAX(KSR_NR_PAGES_MASK) >> shift)
		return 0;

	return FIELD_PREP(KSR_PFN_MASK, range->pfn << shift) |
	       FIELD_PREP(KSR_NR_PAGES_MASK, range->nr_pages << shift);
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_range_to_ksr);

/**
 * hotupdate_range_from_ksr - unpack a range of pages of any size
 * @desc: word as of W8
 * @page_shift: log2 of the size of the pages, at least 12
 *
 * Return: As drm_hotupdate_range_from_ksr().
 */
struct drm_hotupdate_range hotupdate_range_from_ksr(u64 desc, unsigned int page_shift)
{
	const unsigned int shift = page_shift - KSR_PAGE_SHIFT;
	struct drm_hotupdate_range range = {
		.pfn = FIELD_GET(KSR_PFN_MASK, desc),
		.nr_pages = FIELD_GET(KSR_NR_PAGES_MASK, desc),
	};

	if ((range.pfn | range.nr_pages) & (BIT_ULL(shift) - 1))
		return (struct drm_hotupdate_range) { };
	range.pfn >>= shift;
	range.nr_pages >>= shift;
	return range;
}
EXPORT_SYMBOL_IF_KUNIT(hotupdate_range_from_ksr);

/**
 * drm_hotupdate_range_to_ksr - pack a range into the word of Windows
 * @range: range to pack, in pages of PAGE_SIZE
 *
 * Implements W8.
 *
 * Context: Any.
 * Return: The word, with the number of the first 4 KiB page in bits 0 to 39 and
 * the count of such pages in bits 40 to 63; or 0, which is no range, if @range has
 * no pages or either number does not fit.
 */
u64 drm_hotupdate_range_to_ksr(const struct drm_hotupdate_range *range)
{
	return hotupdate_range_to_ksr(range, PAGE_SHIFT);
}
EXPORT_SYMBOL_GPL(drm_hotupdate_range_to_ksr);

/**
 * drm_hotupdate_range_from_ksr - unpack the word of Windows
 * @desc: word as of W8
 *
 * Context: Any.
 * Return: The range, in pages of PAGE_SIZE. It has no pages, and
 * drm_hotupdate_save_memory() refuses it, if @desc has none or does not begin and
 * end at a page of PAGE_SIZE.
 */
struct drm_hotupdate_range drm_hotupdate_range_from_ksr(u64 desc)
{
	return hotupdate_range_from_ksr(desc, PAGE_SHIFT);
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
