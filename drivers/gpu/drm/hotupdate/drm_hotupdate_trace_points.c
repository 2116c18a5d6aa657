// SPDX-License-Identifier: GPL-2.0-only

#define CREATE_TRACE_POINTS
#include "drm_hotupdate_trace.h"
