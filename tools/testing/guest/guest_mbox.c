// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mailbox to the PF's driver: each request has to be answered once, in
 * order, with what can be known to be right.
 */
#include <errno.h>
#include <stdlib.h>

#include "guest.h"

struct request {
	__u64 op;
	__u64 arg;
	__u64 status;	/* that the answer has to have */
	__u64 sent_ns;
};

struct mbox {
	__u64 sent, answered;	/* ids */
	__u64 balloon;		/* id of the last request for more or less memory */
	__u64 left;		/* bytes of memory after it */
	__u64 next_ns;
	struct request request[VGPU_VF_MBOX_DEPTH];
};

/* What a guest asks for that means no harm. */
static const struct request questions[] = {
	{ .op = VGPU_MBOX_QUERY, .arg = VGPU_PROPERTY_PF_RELEASE },
	{ .op = VGPU_MBOX_QUERY, .arg = VGPU_PROPERTY_MEM_SIZE },
	{ .op = VGPU_MBOX_QUERY, .arg = VGPU_PROPERTY_TIMESLICE_US },
	{ .op = VGPU_MBOX_QUERY, .arg = VGPU_PROPERTY_PRIORITY },
};

/* And one that does. Its memory goes to and fro, so its size is not asked for. */
static const struct request odd_requests[] = {
	{ .op = VGPU_MBOX_QUERY, .arg = VGPU_PROPERTY_TIMESLICE_US },
	{ .op = VGPU_MBOX_QUERY, .arg = 0, .status = EINVAL },
	{ .op = VGPU_MBOX_QUERY, .arg = ~0ull, .status = EINVAL },
	{ .op = VGPU_MBOX_TIMESLICE, .arg = 0 },
	{ .op = VGPU_MBOX_TIMESLICE, .arg = ~0ull },
	{ .op = VGPU_MBOX_BALLOON, .arg = 0 },
	{ .op = VGPU_MBOX_BALLOON, .arg = ~0ull },
	{ .op = 0, .status = EOPNOTSUPP },
	{ .op = 77, .arg = 77, .status = EOPNOTSUPP },
	{ .op = ~0ull, .arg = ~0ull, .status = EOPNOTSUPP },
};

int mbox_init(struct guest *g)
{
	g->mbox = calloc(1, sizeof(*g->mbox));
	if (!g->mbox)
		return -1;
	g->mbox->sent = reg_read(g, VGPU_VF_REG_MBOX_SENT);
	g->mbox->answered = g->mbox->sent;
	g->mbox->next_ns = now_ns();
	return 0;
}

void mbox_fini(struct guest *g)
{
	free(g->mbox);
}

unsigned int mbox_outstanding(const struct guest *g)
{
	return g->mbox->sent - g->mbox->answered;
}

/* When the next request is due; never, if there are to be none. */
__u64 mbox_next_ns(const struct guest *g)
{
	return g->opt.mailbox_ms ? g->mbox->next_ns : ~0ull;
}

static int send(struct guest *g, const struct request *request)
{
	struct mbox *m = g->mbox;
	struct request *r = &m->request[(m->sent + 1) % VGPU_VF_MBOX_DEPTH];
	__u64 id;
	int ret;

	reg_write(g, VGPU_VF_REG_MBOX_ARG0, request->arg);
	reg_write(g, VGPU_VF_REG_MBOX_ARG1, 0);
	/*
	 * Before it is sent, as the answer may be there at once. Without room
	 * for it, that is the place of one that still waits.
	 */
	if (mbox_outstanding(g) < VGPU_VF_MBOX_DEPTH) {
		*r = *request;
		r->sent_ns = now_ns();
	}
	ret = reg_write(g, VGPU_VF_REG_MBOX_SEND, request->op);
	if (ret)
		return ret;

	m->sent++;
	g->stats.mailbox_sent++;
	id = reg_read(g, VGPU_VF_REG_MBOX_SENT);
	if (id != m->sent)
		fatal(g, &g->stats.mailbox_errors, "request %llu was sent as %llu",
		      m->sent, id);
	return 0;
}

/* One of an attack. Returns 0 or -errno; -EBUSY is no error of anybody's. */
int mbox_send_odd(struct guest *g)
{
	return send(g, &odd_requests[guest_random() % ARRAY_SIZE(odd_requests)]);
}

/* Asks for a reset. There will be no answer, only that. */
int mbox_send_fault(struct guest *g)
{
	const struct request request = { .op = VGPU_MBOX_FAULT, .arg = guest_random() };

	return send(g, &request);
}

/* What was sent until then is over, and no answer is left. */
void mbox_was_reset(struct guest *g)
{
	struct mbox *m = g->mbox;
	__u64 sent = reg_read(g, VGPU_VF_REG_MBOX_SENT);
	__u64 pending = reg_read(g, VGPU_VF_REG_MBOX_PENDING);
	__u64 answer = reg_read(g, VGPU_VF_REG_MBOX_ANSWER);

	if (sent != m->sent || pending || answer)
		problem(g, &g->stats.mailbox_errors,
			"a reset after request %llu leaves %llu, %llu pending, answer %llu",
			m->sent, sent, pending, answer);
	m->answered = m->sent;
}

/*
 * With a balloon, every fourth one is for less memory or for all of it in turn,
 * one at a time. Its size is not asked for then: it may be another one already
 * when the answer is read.
 */
static struct request next_request(struct guest *g)
{
	struct mbox *m = g->mbox;
	struct request r = questions[m->sent % ARRAY_SIZE(questions)];

	if (!g->opt.balloon || r.arg != VGPU_PROPERTY_MEM_SIZE)
		return r;
	if (m->balloon > m->answered)
		return questions[0];
	m->balloon = m->sent + 1;
	r.op = VGPU_MBOX_BALLOON;
	r.arg = m->sent / ARRAY_SIZE(questions) % 2 ? g->mem_size : g->used;
	return r;
}

void mbox_send_due(struct guest *g)
{
	struct mbox *m = g->mbox;
	struct request request;
	int ret;

	if (now_ns() < mbox_next_ns(g) || g->fatal)
		return;
	m->next_ns = now_ns() + g->opt.mailbox_ms * 1e6;
	if (mbox_outstanding(g) == VGPU_VF_MBOX_DEPTH) {
		g->stats.mailbox_busy++;
		return;
	}
	request = next_request(g);
	ret = send(g, &request);
	/* A VF that was reset says so by an interrupt, and that is its count. */
	if (ret && ret != -EIO)
		problem(g, &g->stats.mailbox_errors, "request not sent: error %d", -ret);
}

static void check_value(struct guest *g, const struct request *r, __u64 value)
{
	bool right = true;

	switch (r->arg) {
	case VGPU_PROPERTY_MEM_SIZE:
		right = value == reg_read(g, VGPU_VF_REG_MEM_SIZE);
		break;
	case VGPU_PROPERTY_TIMESLICE_US:
		right = value >= 50 && value <= 1000000;
		break;
	case VGPU_PROPERTY_PRIORITY:
		right = value <= 2;
		break;
	case VGPU_PROPERTY_PF_RELEASE:
		if (!g->stats.pf_release_first)
			g->stats.pf_release_first = value;
		g->stats.pf_release_last = value;
		break;
	}
	if (!right && !window_was_reset(g))
		problem(g, &g->stats.mailbox_errors, "property %llu is said to be %llu",
			r->arg, value);
}

/* More is left than was asked for, where less makes no sense; never more than all. */
static void check_balloon(struct guest *g, const struct request *r, __u64 value)
{
	struct mbox *m = g->mbox;
	bool possible = value >= r->arg && value <= g->mem_size;

	if (!possible && !window_was_reset(g))
		problem(g, &g->stats.mailbox_errors, "of %llu bytes it was given %llu",
			r->arg, value);
	if (possible && r->arg == g->mem_size && m->left && m->left < g->mem_size)
		window_check_regained(g, m->left);
	m->left = value;
}

static void take_answer(struct guest *g, __u64 id)
{
	struct mbox *m = g->mbox;
	const struct request *r = &m->request[id % VGPU_VF_MBOX_DEPTH];
	__u64 status = reg_read(g, VGPU_VF_REG_MBOX_STATUS);
	__u64 value = reg_read(g, VGPU_VF_REG_MBOX_VALUE);

	report_mailbox(g, now_ns() - r->sent_ns);
	m->answered = id;
	if (reg_write(g, VGPU_VF_REG_MBOX_ACK, id) && !window_was_reset(g))
		problem(g, &g->stats.mailbox_errors, "answer %llu cannot be acknowledged",
			id);
	if (status != r->status && !window_was_reset(g))
		problem(g, &g->stats.mailbox_errors,
			"request %llu of kind %llu has status %llu, where %llu is due",
			id, r->op, status, r->status);
	else if (!status && r->op == VGPU_MBOX_QUERY)
		check_value(g, r, value);
	else if (!status && g->opt.balloon && r->op == VGPU_MBOX_BALLOON)
		check_balloon(g, r, value);
}

void mbox_answers(struct guest *g)
{
	struct mbox *m = g->mbox;
	__u64 id;

	while (!g->fatal) {
		id = reg_read(g, VGPU_VF_REG_MBOX_ANSWER);
		if (!id || g->fatal)
			return;
		if (id != m->answered + 1 || id > m->sent) {
			if (window_was_reset(g))
				return;
			fatal(g, &g->stats.mailbox_errors,
			      "answer %llu after %llu of %llu requests",
			      id, m->answered,
			      m->sent);
			return;
		}
		take_answer(g, id);
	}
}
