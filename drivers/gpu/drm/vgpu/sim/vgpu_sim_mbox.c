// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim mailbox
 *
 * VFs send requests to the PF's driver and get answers. All requests wait in
 * one queue, in the order in which they were sent, for as long as it takes: a
 * request that is sent while there is no driver is answered by the next one.
 *
 * A request has an id; ids count up from 1 for each VF, and go on counting over
 * resets and over guests, so that no answer can be taken for another's. In the
 * life of a VF's mailbox ids only ever go up: read <= answered <= sent.
 *
 * Happy path: the guest writes the arguments and the op, the driver is
 * interrupted, reads the oldest request and answers it with its id, the guest
 * is interrupted, reads the answer and acknowledges it. Each VF has
 * %VGPU_VF_MBOX_DEPTH slots, taken from sending to acknowledging, so a guest
 * that floods the mailbox only makes itself wait.
 *
 * Unhappy path: an answer with an id that is not the oldest request's is
 * ignored and counted. A reset drops the VF's requests, and those that nobody
 * had answered are counted as lost. When a guest goes, its unread answers are
 * dropped; requests that wait stay in the queue and are answered in their turn,
 * but nobody gets to see it. They ask for nothing any more: their op becomes 0,
 * as what they asked for would be done to the guest that comes next.
 *
 * A request that the driver is at just then is another matter: it may be done
 * still. It is read in several accesses, and only the op changes in between, so
 * the driver sees all of it, or op 0. Who resets the VF before the next guest
 * comes has the driver be through with it.
 *
 * Locking: &vgpu_sim_mbox.lock protects both ends. Interrupts are raised after
 * it was dropped.
 */

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/list.h>

#include "vgpu_sim.h"

/**
 * vgpu_sim_mbox_init() - make the mailbox of a device
 * @sim: the device
 */
void vgpu_sim_mbox_init(struct vgpu_sim *sim)
{
	spin_lock_init(&sim->mbox.lock);
	INIT_LIST_HEAD(&sim->mbox.queue);
}

static struct vgpu_sim_request *slot(struct vgpu_sim_mbox_fn *vf, u64 id)
{
	return &vf->request[id % VGPU_VF_MBOX_DEPTH];
}

static struct vgpu_sim_request *oldest(struct vgpu_sim_mbox *mbox)
{
	lockdep_assert_held(&mbox->lock);
	return list_first_entry_or_null(&mbox->queue, struct vgpu_sim_request,
					link);
}

static u64 read_oldest(struct vgpu_sim_mbox *mbox, u32 reg)
{
	const struct vgpu_sim_request *req = oldest(mbox);

	if (!req)
		return 0;

	switch (reg) {
	case VGPU_HW_MBOX_FN:
		return req->fn;
	case VGPU_HW_MBOX_ID:
		return req->id;
	case VGPU_HW_MBOX_OP:
		return req->op;
	case VGPU_HW_MBOX_ARG0:
		return req->arg[0];
	default:
		return req->arg[1];
	}
}

static u64 pf_read_locked(struct vgpu_sim_mbox *mbox, u32 reg)
{
	switch (reg) {
	case VGPU_HW_MBOX_PENDING:
		return mbox->pending;
	case VGPU_HW_MBOX_FN:
	case VGPU_HW_MBOX_ID:
	case VGPU_HW_MBOX_OP:
	case VGPU_HW_MBOX_ARG0:
	case VGPU_HW_MBOX_ARG1:
		return read_oldest(mbox, reg);
	case VGPU_HW_MBOX_STATUS:
		return mbox->status;
	case VGPU_HW_MBOX_VALUE:
		return mbox->value;
	case VGPU_HW_MBOX_ANSWER:
		return 0;
	default:
		return ~0ull;
	}
}

/**
 * vgpu_sim_mbox_pf_read() - the PF's driver reads VGPU_HW_MBOX_*
 * @sim: the device
 * @reg: the register
 *
 * Return: its value, all ones if it is no register of the mailbox.
 */
u64 vgpu_sim_mbox_pf_read(struct vgpu_sim *sim, u32 reg)
{
	struct vgpu_sim_mbox *mbox = &sim->mbox;
	unsigned long flags;
	u64 value;

	spin_lock_irqsave(&mbox->lock, flags);
	value = pf_read_locked(mbox, reg);
	spin_unlock_irqrestore(&mbox->lock, flags);
	return value;
}

static void dequeue(struct vgpu_sim_mbox *mbox, struct vgpu_sim_request *req)
{
	lockdep_assert_held(&mbox->lock);
	list_del(&req->link);
	mbox->pending--;
}

/*
 * Answers the oldest request. Returns the VF if there is a guest who wants to
 * know, and NULL, with @valid saying whether the id was right, otherwise.
 */
static struct vgpu_sim_fn *answer_locked(struct vgpu_sim *sim, u64 id, bool *valid)
{
	struct vgpu_sim_mbox *mbox = &sim->mbox;
	struct vgpu_sim_request *req = oldest(mbox);
	struct vgpu_sim_fn *fn;

	*valid = req && req->id == id;
	if (!*valid)
		return NULL;

	fn = &sim->fns[req->fn];
	req->status = mbox->status;
	req->value = mbox->value;
	dequeue(mbox, req);
	fn->mbox.answered = id;
	if (id > fn->mbox.orphaned)
		return fn;
	fn->mbox.read = id;
	return NULL;
}

static void answer(struct vgpu_sim *sim, u64 id)
{
	struct vgpu_sim_fn *fn;
	unsigned long flags;
	bool valid;

	spin_lock_irqsave(&sim->mbox.lock, flags);
	fn = answer_locked(sim, id, &valid);
	spin_unlock_irqrestore(&sim->mbox.lock, flags);

	atomic64_inc(valid ? &sim->count.mailbox_answers : &sim->count.bad_answers);
	if (fn)
		vgpu_sim_fn_interrupt(fn, VGPU_VF_IRQ_MBOX);
}

static void latch(struct vgpu_sim_mbox *mbox, u64 *reg, u64 value)
{
	unsigned long flags;

	spin_lock_irqsave(&mbox->lock, flags);
	*reg = value;
	spin_unlock_irqrestore(&mbox->lock, flags);
}

/**
 * vgpu_sim_mbox_pf_write() - the PF's driver writes VGPU_HW_MBOX_*
 * @sim: the device
 * @reg: the register; anything else is nonsense
 * @value: its value
 */
void vgpu_sim_mbox_pf_write(struct vgpu_sim *sim, u32 reg, u64 value)
{
	switch (reg) {
	case VGPU_HW_MBOX_STATUS:
		latch(&sim->mbox, &sim->mbox.status, value);
		break;
	case VGPU_HW_MBOX_VALUE:
		latch(&sim->mbox, &sim->mbox.value, value);
		break;
	case VGPU_HW_MBOX_ANSWER:
		answer(sim, value);
		break;
	default:
		atomic64_inc(&sim->count.bad_writes);
	}
}

static int vf_read_locked(struct vgpu_sim_mbox_fn *vf, u64 reg, u64 *value)
{
	/* Of the oldest answer, if there is one. */
	const bool unread = vf->read != vf->answered;
	const struct vgpu_sim_request *req = slot(vf, vf->read + 1);

	switch (reg) {
	case VGPU_VF_REG_MBOX_ARG0:
		*value = vf->arg[0];
		return 0;
	case VGPU_VF_REG_MBOX_ARG1:
		*value = vf->arg[1];
		return 0;
	case VGPU_VF_REG_MBOX_SENT:
		*value = vf->sent;
		return 0;
	case VGPU_VF_REG_MBOX_PENDING:
		/* A guest is not shown what the one before it has left. */
		*value = vf->sent - max(vf->answered, vf->orphaned);
		return 0;
	case VGPU_VF_REG_MBOX_ANSWER:
		*value = unread ? req->id : 0;
		return 0;
	case VGPU_VF_REG_MBOX_STATUS:
		*value = unread ? req->status : 0;
		return 0;
	case VGPU_VF_REG_MBOX_VALUE:
		*value = unread ? req->value : 0;
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * vgpu_sim_mbox_vf_read() - a guest reads VGPU_VF_REG_MBOX_*
 * @fn: its VF
 * @reg: the register
 * @value: set to its value
 *
 * Return: 0, or -EINVAL if it is no register of the mailbox.
 */
int vgpu_sim_mbox_vf_read(struct vgpu_sim_fn *fn, u64 reg, u64 *value)
{
	struct vgpu_sim_mbox *mbox = &fn->sim->mbox;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&mbox->lock, flags);
	ret = vf_read_locked(&fn->mbox, reg, value);
	spin_unlock_irqrestore(&mbox->lock, flags);
	return ret;
}

static int send_locked(struct vgpu_sim_fn *fn, u64 op)
{
	struct vgpu_sim_mbox *mbox = &fn->sim->mbox;
	struct vgpu_sim_mbox_fn *vf = &fn->mbox;
	struct vgpu_sim_request *req;

	lockdep_assert_held(&mbox->lock);
	if (vf->sent - vf->read >= VGPU_VF_MBOX_DEPTH)
		return -EBUSY;

	req = slot(vf, ++vf->sent);
	req->fn = fn->number;
	req->id = vf->sent;
	req->op = op;
	memcpy(req->arg, vf->arg, sizeof(req->arg));
	list_add_tail(&req->link, &mbox->queue);
	mbox->pending++;
	return 0;
}

static int send(struct vgpu_sim_fn *fn, u64 op)
{
	struct vgpu_sim *sim = fn->sim;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&sim->mbox.lock, flags);
	ret = send_locked(fn, op);
	spin_unlock_irqrestore(&sim->mbox.lock, flags);
	if (ret)
		return ret;

	atomic64_inc(&sim->count.mailbox_requests);
	vgpu_sim_irq_raise(sim, VGPU_IRQ_MBOX);
	return 0;
}

static int acknowledge(struct vgpu_sim_fn *fn, u64 id)
{
	struct vgpu_sim_mbox_fn *vf = &fn->mbox;
	unsigned long flags;
	int ret = -EINVAL;

	spin_lock_irqsave(&fn->sim->mbox.lock, flags);
	if (vf->read != vf->answered && id == vf->read + 1) {
		vf->read = id;
		ret = 0;
	}
	spin_unlock_irqrestore(&fn->sim->mbox.lock, flags);
	return ret;
}

/**
 * vgpu_sim_mbox_vf_write() - a guest writes VGPU_VF_REG_MBOX_*
 * @fn: its VF
 * @reg: the register
 * @value: its value; what op it is, is the driver's matter
 *
 * An interrupt to the driver still has to be delivered.
 *
 * Return: 0; -EBUSY if all slots are taken; -EINVAL if it is no register that
 * can be written, or not the id of the oldest answer.
 */
int vgpu_sim_mbox_vf_write(struct vgpu_sim_fn *fn, u64 reg, u64 value)
{
	struct vgpu_sim_mbox *mbox = &fn->sim->mbox;

	switch (reg) {
	case VGPU_VF_REG_MBOX_ARG0:
		latch(mbox, &fn->mbox.arg[0], value);
		return 0;
	case VGPU_VF_REG_MBOX_ARG1:
		latch(mbox, &fn->mbox.arg[1], value);
		return 0;
	case VGPU_VF_REG_MBOX_SEND:
		return send(fn, value);
	case VGPU_VF_REG_MBOX_ACK:
		return acknowledge(fn, value);
	default:
		return -EINVAL;
	}
}

/**
 * vgpu_sim_mbox_ids() - how far the mailbox of a VF is
 * @fn: the VF
 * @sent: set to the id of its last request
 * @answered: set to the id of the last one answered
 */
void vgpu_sim_mbox_ids(struct vgpu_sim_fn *fn, u64 *sent, u64 *answered)
{
	struct vgpu_sim_mbox *mbox = &fn->sim->mbox;
	unsigned long flags;

	spin_lock_irqsave(&mbox->lock, flags);
	*sent = fn->mbox.sent;
	*answered = fn->mbox.answered;
	spin_unlock_irqrestore(&mbox->lock, flags);
}

/**
 * vgpu_sim_mbox_drop() - a VF is reset: drop its requests and answers
 * @fn: the VF
 */
void vgpu_sim_mbox_drop(struct vgpu_sim_fn *fn)
{
	struct vgpu_sim_mbox *mbox = &fn->sim->mbox;
	struct vgpu_sim_mbox_fn *vf = &fn->mbox;
	unsigned long flags;

	spin_lock_irqsave(&mbox->lock, flags);
	while (vf->answered != vf->sent) {
		dequeue(mbox, slot(vf, ++vf->answered));
		atomic64_inc(&fn->sim->count.requests_lost);
	}
	vf->read = vf->sent;
	memset(vf->arg, 0, sizeof(vf->arg));
	spin_unlock_irqrestore(&mbox->lock, flags);
}

/**
 * vgpu_sim_mbox_orphan() - a guest goes: nobody waits for its answers
 * @fn: its VF
 *
 * What it has asked for and not been given, nobody is to be given.
 */
void vgpu_sim_mbox_orphan(struct vgpu_sim_fn *fn)
{
	struct vgpu_sim_mbox *mbox = &fn->sim->mbox;
	struct vgpu_sim_mbox_fn *vf = &fn->mbox;
	unsigned long flags;
	u64 id;

	spin_lock_irqsave(&mbox->lock, flags);
	for (id = vf->answered + 1; id <= vf->sent; id++)
		slot(vf, id)->op = 0;
	vf->read = vf->answered;
	vf->orphaned = vf->sent;
	memset(vf->arg, 0, sizeof(vf->arg));
	spin_unlock_irqrestore(&mbox->lock, flags);
}
