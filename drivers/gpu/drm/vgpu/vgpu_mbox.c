// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/lockdep.h>

#include <drm/drm_print.h>
#include <drm/vgpu_drm.h>

#include "vgpu_drv.h"

/**
 * DOC: mailbox
 *
 * VFs ask this driver for service through the device's mailbox, which queues
 * their requests. From a save to its cancel, or to the commit of the next driver,
 * requests wait in the device. One is taken off the queue by being answered, so that each is
 * answered once, whatever driver does it.
 */

/*
 * So that guests who flood the mailbox do not keep an administrator out: with
 * many requests, or with some that take long, as memory to be zeroed does.
 */
#define SERVE_AT_ONCE		64
#define SERVE_AT_ONCE_MS	10

struct vgpu_request {
	u64 fn;
	u64 id;
	u64 op;
	u64 arg0;
	u64 arg1;
};

struct vgpu_answer {
	int err;
	u64 value;
	bool reset;	/* after the answer */
};

static void answer_query(struct vgpu_vf *vf, const struct vgpu_request *request,
			 struct vgpu_answer *answer)
{
	switch (request->arg0) {
	case VGPU_PROPERTY_MEM_SIZE:
		answer->value = vf->memory.size;
		break;
	case VGPU_PROPERTY_TIMESLICE_US:
		answer->value = vf->timeslice_us;
		break;
	case VGPU_PROPERTY_PRIORITY:
		answer->value = vf->profile.priority;
		break;
	case VGPU_PROPERTY_PF_RELEASE:
		answer->value = VGPU_RELEASE;
		break;
	default:
		answer->err = EINVAL;
	}
}

static void answer_balloon(struct vgpu_vf *vf, const struct vgpu_request *request,
			   struct vgpu_answer *answer)
{
	answer->err = -vgpu_vf_resize(vf, request->arg0);
	answer->value = vf->memory.size;
}

static void answer_request(struct vgpu_vf *vf, const struct vgpu_request *request,
			   struct vgpu_answer *answer)
{
	switch (request->op) {
	case VGPU_MBOX_QUERY:
		answer_query(vf, request, answer);
		break;
	case VGPU_MBOX_TIMESLICE:
		vgpu_vf_set_timeslice(vf, min_t(u64, request->arg0, U32_MAX));
		answer->value = vf->timeslice_us;
		break;
	case VGPU_MBOX_BALLOON:
		answer_balloon(vf, request, answer);
		break;
	case VGPU_MBOX_FAULT:
		drm_dbg(&vf->vgpu->drm, "VF %u reports fault %llu at %#llx, and is reset\n",
			vf->number, request->arg1, request->arg0);
		answer->reset = true;
		break;
	default:
		answer->err = EOPNOTSUPP;
	}
}

static void send_answer(struct vgpu_device *vgpu, const struct vgpu_request *request,
			const struct vgpu_answer *answer)
{
	vgpu_write(vgpu, VGPU_HW_MBOX_STATUS, answer->err);
	vgpu_write(vgpu, VGPU_HW_MBOX_VALUE, answer->value);
	vgpu_write(vgpu, VGPU_HW_MBOX_ANSWER, request->id);
}

/* Returns false if the device says nothing sensible of who has asked. */
static bool serve_one(struct vgpu_device *vgpu)
{
	struct vgpu_request request = {
		.fn = vgpu_read(vgpu, VGPU_HW_MBOX_FN),
		.id = vgpu_read(vgpu, VGPU_HW_MBOX_ID),
		.op = vgpu_read(vgpu, VGPU_HW_MBOX_OP),
		.arg0 = vgpu_read(vgpu, VGPU_HW_MBOX_ARG0),
		.arg1 = vgpu_read(vgpu, VGPU_HW_MBOX_ARG1),
	};
	struct vgpu_answer answer = { };
	struct vgpu_vf *vf;

	if (!request.fn || request.fn > vgpu->total_vfs)
		return false;

	vf = vgpu_vf(vgpu, request.fn);
	if (vf->enabled)
		answer_request(vf, &request, &answer);
	else
		answer.err = ENODEV;
	send_answer(vgpu, &request, &answer);
	if (answer.reset)
		vgpu_vf_reset(vf);
	return true;
}

/**
 * vgpu_mbox_now - what time it is for the mailbox, as suites can change it
 *
 * Return: The time.
 */
ktime_t vgpu_mbox_now(void)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_mbox_now);

	return ktime_get();
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_mbox_now);

/**
 * vgpu_mbox_serve - answer requests that wait in the mailbox
 * @vgpu: device that is serving
 *
 * Return: true if some may be left, as there were many, or they took long. To go
 * on with them, drop the lock and call it again.
 */
bool vgpu_mbox_serve(struct vgpu_device *vgpu)
{
	ktime_t end = ktime_add_ms(vgpu_mbox_now(), SERVE_AT_ONCE_MS);
	unsigned int i;

	lockdep_assert_held(&vgpu->sriov_lock);

	for (i = 0; i < SERVE_AT_ONCE && ktime_before(vgpu_mbox_now(), end); i++)
		if (!vgpu_read(vgpu, VGPU_HW_MBOX_PENDING) || !serve_one(vgpu))
			return false;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_mbox_serve);
