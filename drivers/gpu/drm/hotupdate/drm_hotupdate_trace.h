/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every step of a hot update, so that a recorded sequence can be laid beside
 * one of Windows.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM drm_hotupdate

#if !defined(_DRM_HOTUPDATE_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _DRM_HOTUPDATE_TRACE_H_

#include <linux/tracepoint.h>

#include "drm_hotupdate_internal.h"

TRACE_EVENT(drm_hotupdate_state,
	    TP_PROTO(struct drm_hotupdate_adapter *adapter,
		     enum hotupdate_state from, enum hotupdate_state to),
	    TP_ARGS(adapter, from, to),
	    TP_STRUCT__entry(__string(adapter, dev_name(&adapter->dev))
			     __string(from, hotupdate_state_name(from))
			     __string(to, hotupdate_state_name(to))
			     __field(u64, generation)),
	    TP_fast_assign(__assign_str(adapter);
			   __assign_str(from);
			   __assign_str(to);
			   __entry->generation = adapter->generation;),
	    TP_printk("adapter=%s from=%s to=%s generation=%llu",
		      __get_str(adapter), __get_str(from), __get_str(to),
		      __entry->generation));

DECLARE_EVENT_CLASS(drm_hotupdate_driver,
		    TP_PROTO(struct drm_hotupdate_adapter *adapter, u32 version),
		    TP_ARGS(adapter, version),
		    TP_STRUCT__entry(__string(adapter, dev_name(&adapter->dev))
				     __string(driver, adapter->driver)
				     __field(u32, version)),
		    TP_fast_assign(__assign_str(adapter);
				   __assign_str(driver);
				   __entry->version = version;),
		    TP_printk("adapter=%s driver=%s version=%u",
			      __get_str(adapter), __get_str(driver), __entry->version));

/* A save begins; the version that it writes */
DEFINE_EVENT(drm_hotupdate_driver, drm_hotupdate_prepare,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, u32 version),
	     TP_ARGS(adapter, version));

/* A driver leaves its stash behind; the version of the stash */
DEFINE_EVENT(drm_hotupdate_driver, drm_hotupdate_detach,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, u32 version),
	     TP_ARGS(adapter, version));

/* A driver registers; the newest version that it reads */
DEFINE_EVENT(drm_hotupdate_driver, drm_hotupdate_attach,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, u32 version),
	     TP_ARGS(adapter, version));

DECLARE_EVENT_CLASS(drm_hotupdate_block,
		    TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int index,
			     const char *kind, u64 bytes, size_t meta_size, int err,
			     u64 duration_ns),
		    TP_ARGS(adapter, index, kind, bytes, meta_size, err, duration_ns),
		    TP_STRUCT__entry(__string(adapter, dev_name(&adapter->dev))
				     __field(unsigned int, index)
				     __string(kind, kind)
				     __field(u64, bytes)
				     __field(size_t, meta_size)
				     __field(int, err)
				     __field(u64, duration_ns)),
		    TP_fast_assign(__assign_str(adapter);
				   __entry->index = index;
				   __assign_str(kind);
				   __entry->bytes = bytes;
				   __entry->meta_size = meta_size;
				   __entry->err = err;
				   __entry->duration_ns = duration_ns;),
		    TP_printk("adapter=%s index=%u kind=%s bytes=%llu meta=%zu err=%d duration_ns=%llu",
			      __get_str(adapter), __entry->index, __get_str(kind),
			      __entry->bytes, __entry->meta_size, __entry->err,
			      __entry->duration_ns));

/* One block was saved, or refused; the duration is that of the save call */
DEFINE_EVENT(drm_hotupdate_block, drm_hotupdate_save,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int index,
		      const char *kind, u64 bytes, size_t meta_size, int err,
		      u64 duration_ns),
	     TP_ARGS(adapter, index, kind, bytes, meta_size, err, duration_ns));

/* One block was replayed; the duration is that of the driver's callback */
DEFINE_EVENT(drm_hotupdate_block, drm_hotupdate_restore,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int index,
		      const char *kind, u64 bytes, size_t meta_size, int err,
		      u64 duration_ns),
	     TP_ARGS(adapter, index, kind, bytes, meta_size, err, duration_ns));

/* Blocks and bytes are those of the stash that the step was about. */
DECLARE_EVENT_CLASS(drm_hotupdate_result,
		    TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int blocks,
			     u64 bytes, int err, u64 duration_ns),
		    TP_ARGS(adapter, blocks, bytes, err, duration_ns),
		    TP_STRUCT__entry(__string(adapter, dev_name(&adapter->dev))
				     __field(unsigned int, blocks)
				     __field(u64, bytes)
				     __field(int, err)
				     __field(u64, duration_ns)),
		    TP_fast_assign(__assign_str(adapter);
				   __entry->blocks = blocks;
				   __entry->bytes = bytes;
				   __entry->err = err;
				   __entry->duration_ns = duration_ns;),
		    TP_printk("adapter=%s blocks=%u bytes=%llu err=%d duration_ns=%llu",
			      __get_str(adapter), __entry->blocks, __entry->bytes,
			      __entry->err, __entry->duration_ns));

/* The driver's save is done, or failed, or is to be undone as a failed one */
DEFINE_EVENT(drm_hotupdate_result, drm_hotupdate_saved,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int blocks,
		      u64 bytes, int err, u64 duration_ns),
	     TP_ARGS(adapter, blocks, bytes, err, duration_ns));

/* The driver's start is done, or failed */
DEFINE_EVENT(drm_hotupdate_result, drm_hotupdate_start,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int blocks,
		      u64 bytes, int err, u64 duration_ns),
	     TP_ARGS(adapter, blocks, bytes, err, duration_ns));

/* The driver has stopped serving, or the device; the duration is that of the callback */
DEFINE_EVENT(drm_hotupdate_result, drm_hotupdate_stop,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int blocks,
		      u64 bytes, int err, u64 duration_ns),
	     TP_ARGS(adapter, blocks, bytes, err, duration_ns));

/* The stash lets go; the duration is that of the whole update */
DEFINE_EVENT(drm_hotupdate_result, drm_hotupdate_commit,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int blocks,
		      u64 bytes, int err, u64 duration_ns),
	     TP_ARGS(adapter, blocks, bytes, err, duration_ns));

/*
 * A save is called off, by an administrator, or because of err; the duration is
 * that of the driver's callback
 */
DEFINE_EVENT(drm_hotupdate_result, drm_hotupdate_cancel,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int blocks,
		      u64 bytes, int err, u64 duration_ns),
	     TP_ARGS(adapter, blocks, bytes, err, duration_ns));

/* A replay is called off, because of err; the duration is that of the callback */
DEFINE_EVENT(drm_hotupdate_result, drm_hotupdate_abort,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int blocks,
		      u64 bytes, int err, u64 duration_ns),
	     TP_ARGS(adapter, blocks, bytes, err, duration_ns));

/* The driver was told that the restore is complete */
DEFINE_EVENT(drm_hotupdate_result, drm_hotupdate_complete,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int blocks,
		      u64 bytes, int err, u64 duration_ns),
	     TP_ARGS(adapter, blocks, bytes, err, duration_ns));

/* The administrator gave up a stash that no driver came back for */
DEFINE_EVENT(drm_hotupdate_result, drm_hotupdate_discard,
	     TP_PROTO(struct drm_hotupdate_adapter *adapter, unsigned int blocks,
		      u64 bytes, int err, u64 duration_ns),
	     TP_ARGS(adapter, blocks, bytes, err, duration_ns));

#endif /* _DRM_HOTUPDATE_TRACE_H_ */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE drm_hotupdate_trace
#include <trace/define_trace.h>
