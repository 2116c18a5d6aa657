// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the mailbox of the simulated vgpu device.
 */

#include "vgpu_sim_helpers.h"

static struct vgpu_sim *device(struct kunit *test, unsigned int vfs)
{
	struct vgpu_sim *sim = sim_create(test, vfs);
	unsigned int fn;

	for (fn = 1; fn <= vfs; fn++)
		sim_fn_setup(test, sim, fn, 2, 2 * fn);
	return sim;
}

static int send(struct vgpu_sim *sim, unsigned int fn, u64 op)
{
	return vgpu_sim_vf_write(&sim->fns[fn], VGPU_VF_REG_MBOX_SEND, op);
}

static void answer(struct vgpu_sim *sim, u64 id, u64 status, u64 value)
{
	sim_write(sim, VGPU_HW_MBOX_STATUS, status);
	sim_write(sim, VGPU_HW_MBOX_VALUE, value);
	sim_write(sim, VGPU_HW_MBOX_ANSWER, id);
}

static void expect_oldest(struct kunit *test, struct vgpu_sim *sim, u64 fn, u64 id,
			  u64 op)
{
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_FN), fn);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_ID), id);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_OP), op);
}

static void expect_answer(struct kunit *test, struct vgpu_sim *sim, unsigned int fn,
			  u64 id, u64 status, u64 value)
{
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, fn, VGPU_VF_REG_MBOX_ANSWER), id);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, fn, VGPU_VF_REG_MBOX_STATUS), status);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, fn, VGPU_VF_REG_MBOX_VALUE), value);
}

static void send_while_disabled(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_attach(test, sim, 1);
	KUNIT_EXPECT_EQ(test, send(sim, 1, VGPU_MBOX_QUERY), -EIO);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_PENDING), 0);
}

/* A slot is taken from sending to acknowledging, and a flood stops there. */
static void send_too_many(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 2);
	unsigned int i;

	for (i = 0; i < VGPU_VF_MBOX_DEPTH; i++)
		KUNIT_EXPECT_EQ(test, send(sim, 1, VGPU_MBOX_QUERY), 0);
	KUNIT_EXPECT_EQ(test, send(sim, 1, VGPU_MBOX_QUERY), -EBUSY);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_PENDING), VGPU_VF_MBOX_DEPTH);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_SENT),
			VGPU_VF_MBOX_DEPTH);

	/* Another VF is not concerned. */
	KUNIT_EXPECT_EQ(test, send(sim, 2, VGPU_MBOX_QUERY), 0);

	/* Answered is not enough, acknowledged is. */
	answer(sim, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, send(sim, 1, VGPU_MBOX_QUERY), -EBUSY);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_MBOX_ACK, 1);
	KUNIT_EXPECT_EQ(test, send(sim, 1, VGPU_MBOX_QUERY), 0);
	KUNIT_EXPECT_EQ(test, send(sim, 1, VGPU_MBOX_QUERY), -EBUSY);
	SIM_EXPECT_COUNT(test, sim, mailbox_requests, VGPU_VF_MBOX_DEPTH + 2);
}

/* An answer with another id changes nothing and is counted. */
static void answer_wrong_id(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 1);

	answer(sim, 0, 0, 0);
	SIM_EXPECT_COUNT(test, sim, bad_answers, 1);

	send(sim, 1, VGPU_MBOX_QUERY);
	send(sim, 1, VGPU_MBOX_QUERY);
	answer(sim, 2, 0, 0);
	answer(sim, 0, 0, 0);
	answer(sim, ~0ull, 0, 0);
	SIM_EXPECT_COUNT(test, sim, bad_answers, 4);
	SIM_EXPECT_COUNT(test, sim, mailbox_answers, 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_PENDING), 2);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_ANSWER), 0);
	expect_oldest(test, sim, 1, 1, VGPU_MBOX_QUERY);
}

static void answer_twice(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 1);

	send(sim, 1, VGPU_MBOX_QUERY);
	send(sim, 1, VGPU_MBOX_QUERY);
	answer(sim, 1, 0, 100);
	answer(sim, 1, 0, 200);
	SIM_EXPECT_COUNT(test, sim, bad_answers, 1);
	SIM_EXPECT_COUNT(test, sim, mailbox_answers, 1);
	expect_answer(test, sim, 1, 1, 0, 100);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_PENDING), 1);
}

static void acknowledge_wrong_id(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];

	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_write(fn, VGPU_VF_REG_MBOX_ACK, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_write(fn, VGPU_VF_REG_MBOX_ACK, 1));
	send(sim, 1, VGPU_MBOX_QUERY);
	send(sim, 1, VGPU_MBOX_QUERY);
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_write(fn, VGPU_VF_REG_MBOX_ACK, 1));
	answer(sim, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_write(fn, VGPU_VF_REG_MBOX_ACK, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_write(fn, VGPU_VF_REG_MBOX_ACK, 2));

	/* Not even one that is there, before it is its turn. */
	answer(sim, 2, 0, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_write(fn, VGPU_VF_REG_MBOX_ACK, 2));
	KUNIT_EXPECT_EQ(test, 0, vgpu_sim_vf_write(fn, VGPU_VF_REG_MBOX_ACK, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, vgpu_sim_vf_write(fn, VGPU_VF_REG_MBOX_ACK, 1));
	KUNIT_EXPECT_EQ(test, 0, vgpu_sim_vf_write(fn, VGPU_VF_REG_MBOX_ACK, 2));
}

/* A reset drops what waits, counts it, and no answer reaches anything later. */
static void reset_drops_requests(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 2);

	send(sim, 1, VGPU_MBOX_QUERY);
	send(sim, 2, VGPU_MBOX_QUERY);
	send(sim, 1, VGPU_MBOX_BALLOON);
	send(sim, 1, VGPU_MBOX_BALLOON);
	answer(sim, 1, 0, 0);
	sim_fn_write(sim, 1, VGPU_FN_RESET, VGPU_RESET_MAGIC);

	SIM_EXPECT_COUNT(test, sim, requests_lost, 2);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_PENDING), 1);
	expect_oldest(test, sim, 2, 1, VGPU_MBOX_QUERY);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_PENDING), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_ANSWER), 0);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_MBOX_SENT), 3);
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_MBOX_ANSWERED), 3);

	/* Ids go on: what is sent next is not taken for what was dropped. */
	sim_fn_write(sim, 1, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	KUNIT_EXPECT_EQ(test, send(sim, 1, VGPU_MBOX_QUERY), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_SENT), 4);
}

static void reset_without_requests(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 1);

	send(sim, 1, VGPU_MBOX_QUERY);
	answer(sim, 1, 0, 0);
	sim_fn_write(sim, 1, VGPU_FN_RESET, VGPU_RESET_MAGIC);
	SIM_EXPECT_COUNT(test, sim, requests_lost, 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_ANSWER), 0);
}

static void reset_of_device_drops_all(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 2);

	send(sim, 1, VGPU_MBOX_QUERY);
	send(sim, 2, VGPU_MBOX_QUERY);
	sim_write(sim, VGPU_HW_RESET, VGPU_RESET_MAGIC);
	SIM_EXPECT_COUNT(test, sim, requests_lost, 2);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_PENDING), 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_FN), 0);
}

/* A VF that is disabled keeps what it has sent. */
static void disable_keeps_requests(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 1);

	send(sim, 1, VGPU_MBOX_QUERY);
	sim_fn_write(sim, 1, VGPU_FN_CTRL, 0);
	answer(sim, 1, 0, 7);
	expect_answer(test, sim, 1, 1, 0, 7);
}

/* What a guest that has gone asked for is answered, but not to the next one. */
static void detach_with_requests(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	unsigned int i;

	sim_fn_write(sim, 1, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	KUNIT_ASSERT_EQ(test, 0, vgpu_sim_vf_attach(fn, NULL));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, send(sim, 1, VGPU_MBOX_QUERY), 0);
	answer(sim, 1, 0, 1);
	vgpu_sim_vf_detach(fn);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_PENDING), 2);

	sim_attach(test, sim, 1);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_ANSWER), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_PENDING), 0);
	KUNIT_EXPECT_EQ(test, send(sim, 1, VGPU_MBOX_BALLOON), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_SENT), 4);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_PENDING), 1);
	answer(sim, 2, 0, 2);
	answer(sim, 3, 0, 3);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS), 0);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_MBOX_ANSWER), 0);
	answer(sim, 4, 0, 4);
	expect_answer(test, sim, 1, 4, 0, 4);
	SIM_EXPECT_COUNT(test, sim, bad_answers, 0);
	SIM_EXPECT_COUNT(test, sim, requests_lost, 0);
}

/*
 * What a guest that has gone asked for is not done to its successor. The driver
 * is asked for nothing, in order, as often as it would have been asked.
 */
static void detach_disarms_requests(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 2);

	send(sim, 1, VGPU_MBOX_QUERY);
	answer(sim, 1, 0, 0);
	send(sim, 1, VGPU_MBOX_FAULT);
	send(sim, 2, VGPU_MBOX_FAULT);
	send(sim, 1, VGPU_MBOX_BALLOON);
	sim_detach(test, sim, 1);
	sim_attach(test, sim, 1);
	KUNIT_EXPECT_EQ(test, send(sim, 1, VGPU_MBOX_BALLOON), 0);

	/* How far it is, as an update saves it, is the same. */
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_MBOX_ANSWERED), 1);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_PENDING), 4);
	expect_oldest(test, sim, 1, 2, 0);
	answer(sim, 2, EOPNOTSUPP, 0);
	expect_oldest(test, sim, 2, 1, VGPU_MBOX_FAULT);
	answer(sim, 1, 0, 0);
	expect_oldest(test, sim, 1, 3, 0);
	answer(sim, 3, EOPNOTSUPP, 0);
	expect_oldest(test, sim, 1, 4, VGPU_MBOX_BALLOON);
	answer(sim, 4, 0, 9);
	expect_answer(test, sim, 1, 4, 0, 9);
	SIM_EXPECT_COUNT(test, sim, mailbox_answers, 5);
	SIM_EXPECT_COUNT(test, sim, bad_answers, 0);
	SIM_EXPECT_COUNT(test, sim, requests_lost, 0);
}

/* A guest goes while the driver reads its request: it reads no mixture. */
static void detach_while_driver_reads(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 1);

	sim_vf_write(test, sim, 1, VGPU_VF_REG_MBOX_ARG0, SZ_8K);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_MBOX_ARG1, 7);
	send(sim, 1, VGPU_MBOX_BALLOON);
	expect_oldest(test, sim, 1, 1, VGPU_MBOX_BALLOON);
	sim_detach(test, sim, 1);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_ARG0), SZ_8K);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_ARG1), 7);
	answer(sim, 1, 0, SZ_8K);
	SIM_EXPECT_COUNT(test, sim, mailbox_answers, 1);
}

/* Orphans take slots until they are answered, so guests cannot pile them up. */
static void detach_again_and_again(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct vgpu_sim_fn *fn = &sim->fns[1];
	unsigned int i, sent = 0;

	sim_fn_write(sim, 1, VGPU_FN_CTRL, VGPU_FN_CTRL_ENABLE);
	for (i = 0; i < 3 * VGPU_VF_MBOX_DEPTH; i++) {
		KUNIT_ASSERT_EQ(test, 0, vgpu_sim_vf_attach(fn, NULL));
		sent += !send(sim, 1, VGPU_MBOX_QUERY);
		vgpu_sim_vf_detach(fn);
	}
	KUNIT_EXPECT_EQ(test, sent, VGPU_VF_MBOX_DEPTH);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_PENDING), VGPU_VF_MBOX_DEPTH);
	for (i = 1; i <= sent; i++)
		answer(sim, i, 0, 0);
	SIM_EXPECT_COUNT(test, sim, bad_answers, 0);
	sim_attach(test, sim, 1);
	KUNIT_EXPECT_EQ(test, 0, send(sim, 1, VGPU_MBOX_QUERY));
}

static void read_empty(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 1);

	expect_oldest(test, sim, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_PENDING), 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_ANSWER), 0);
	expect_answer(test, sim, 1, 0, 0, 0);
}

/* One queue, in the order of sending, with arguments as they were then. */
static void send_order_of_all(struct kunit *test)
{
	static const u8 order[] = { 3, 1, 1, 2, 3, 1, 2, 2 };
	struct vgpu_sim *sim = device(test, 3);
	u64 id[4] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		sim_vf_write(test, sim, order[i], VGPU_VF_REG_MBOX_ARG0, 1000 + i);
		sim_vf_write(test, sim, order[i], VGPU_VF_REG_MBOX_ARG1, 2000 + i);
		KUNIT_EXPECT_EQ(test, send(sim, order[i], VGPU_MBOX_BALLOON), 0);
	}
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_PENDING),
				ARRAY_SIZE(order) - i);
		expect_oldest(test, sim, order[i], ++id[order[i]], VGPU_MBOX_BALLOON);
		KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_ARG0), 1000 + i);
		KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_MBOX_ARG1), 2000 + i);
		answer(sim, id[order[i]], 0, 0);
		KUNIT_EXPECT_EQ(test, id[order[i]],
				sim_fn_read(sim, order[i], VGPU_FN_MBOX_ANSWERED));
	}
	expect_oldest(test, sim, 0, 0, 0);
	SIM_EXPECT_COUNT(test, sim, bad_answers, 0);
}

/* Requests wait while nobody answers, and lose nothing of it. */
static void send_without_driver(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 1);
	u64 i;

	for (i = 1; i <= VGPU_VF_MBOX_DEPTH; i++)
		KUNIT_EXPECT_EQ(test, send(sim, 1, i), 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_IRQ_STATUS), VGPU_IRQ_MBOX);
	for (i = 1; i <= VGPU_VF_MBOX_DEPTH; i++) {
		expect_oldest(test, sim, 1, i, i);
		answer(sim, i, i, i * i);
	}
	for (i = 1; i <= VGPU_VF_MBOX_DEPTH; i++) {
		expect_answer(test, sim, 1, i, i, i * i);
		sim_vf_write(test, sim, 1, VGPU_VF_REG_MBOX_ACK, i);
	}
	expect_answer(test, sim, 1, 0, 0, 0);
}

/* The slots are used over and over, ids count on. */
static void send_slots_wrap(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 1);
	u64 i;

	for (i = 1; i <= 5 * VGPU_VF_MBOX_DEPTH + 3; i++) {
		KUNIT_EXPECT_EQ(test, send(sim, 1, VGPU_MBOX_QUERY), 0);
		expect_oldest(test, sim, 1, i, VGPU_MBOX_QUERY);
		answer(sim, i, 0, i);
		expect_answer(test, sim, 1, i, 0, i);
		sim_vf_write(test, sim, 1, VGPU_VF_REG_MBOX_ACK, i);
	}
	KUNIT_EXPECT_EQ(test, sim_fn_read(sim, 1, VGPU_FN_MBOX_SENT), i - 1);
}

/* An answer interrupts the guest that it is for. */
static void answer_interrupts_guest(struct kunit *test)
{
	struct vgpu_sim *sim = device(test, 2);

	send(sim, 2, VGPU_MBOX_QUERY);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 2, VGPU_VF_REG_IRQ_STATUS), 0);
	answer(sim, 1, 5, 6);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 2, VGPU_VF_REG_IRQ_STATUS),
			VGPU_VF_IRQ_MBOX);
	KUNIT_EXPECT_EQ(test, sim_vf_read(test, sim, 1, VGPU_VF_REG_IRQ_STATUS), 0);
	expect_answer(test, sim, 2, 1, 5, 6);
}

static struct kunit_case mbox_kunit_cases[] = {
	KUNIT_CASE(send_while_disabled),
	KUNIT_CASE(send_too_many),
	KUNIT_CASE(answer_wrong_id),
	KUNIT_CASE(answer_twice),
	KUNIT_CASE(acknowledge_wrong_id),
	KUNIT_CASE(reset_drops_requests),
	KUNIT_CASE(reset_without_requests),
	KUNIT_CASE(reset_of_device_drops_all),
	KUNIT_CASE(disable_keeps_requests),
	KUNIT_CASE(detach_with_requests),
	KUNIT_CASE(detach_disarms_requests),
	KUNIT_CASE(detach_while_driver_reads),
	KUNIT_CASE(detach_again_and_again),
	KUNIT_CASE(read_empty),
	KUNIT_CASE(send_order_of_all),
	KUNIT_CASE(send_without_driver),
	KUNIT_CASE(send_slots_wrap),
	KUNIT_CASE(answer_interrupts_guest),
	{}
};

static struct kunit_suite vgpu_sim_mbox_suite = {
	.name = "vgpu_sim_mbox",
	.test_cases = mbox_kunit_cases,
};

kunit_test_suite(vgpu_sim_mbox_suite);
