/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of the LMTT share: tables that go away with the case.
 */
#ifndef _KUNIT_VGPU_LMTT_KUNIT_H_
#define _KUNIT_VGPU_LMTT_KUNIT_H_

#include <kunit/test.h>

#include "../drivers/gpu/drm/vgpu/vgpu_hw.h"
#include "../drivers/gpu/drm/vgpu/vgpu_lmtt.h"
#include "vgpu_mock.h"

static inline void lmtt_fini_action(void *lmtt)
{
	vgpu_lmtt_fini(lmtt);
}

/* Not a table yet, or one that vgpu_lmtt_restore() is going to make. */
static inline struct vgpu_lmtt *lmtt_new_empty(struct kunit *test)
{
	struct vgpu_lmtt *lmtt = kunit_kzalloc(test, sizeof(*lmtt), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, lmtt);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, lmtt_fini_action, lmtt));
	return lmtt;
}

static inline struct vgpu_lmtt *lmtt_new(struct kunit *test)
{
	struct vgpu_lmtt *lmtt = lmtt_new_empty(test);

	KUNIT_ASSERT_EQ(test, vgpu_lmtt_init(lmtt), 0);
	return lmtt;
}

static inline void lmtt_free(struct kunit *test, struct vgpu_lmtt *lmtt)
{
	kunit_release_action(test, lmtt_fini_action, lmtt);
}

#endif /* _KUNIT_VGPU_LMTT_KUNIT_H_ */
