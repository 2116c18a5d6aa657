// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the interrupt of the simulated vgpu device.
 */

#include <linux/irqflags.h>
#include <linux/preempt.h>

#include "vgpu_sim_helpers.h"

#define ALL	(VGPU_IRQ_MBOX | VGPU_IRQ_PF_FENCE | VGPU_IRQ_FAULT)

/* A driver's handler: what it saw, and what it does. */
struct handler {
	struct vgpu_sim *sim;
	unsigned int calls;
	u64 status;
	bool was_atomic;
	bool clears;
};

static void handle(void *data)
{
	struct handler *h = data;

	h->calls++;
	h->was_atomic = irqs_disabled();
	h->status = sim_read(h->sim, VGPU_HW_IRQ_STATUS);
	if (h->clears)
		sim_write(h->sim, VGPU_HW_IRQ_STATUS, h->status);
}

static void free_irq_action(void *data)
{
	struct vgpu_sim *sim = data;

	sim->hw.ops->free_irq(&sim->hw);
}

static struct handler *new_handler(struct kunit *test, struct vgpu_sim *sim)
{
	struct handler *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	h->sim = sim;
	h->clears = true;
	return h;
}

static int request(struct vgpu_sim *sim, struct handler *h)
{
	return sim->hw.ops->request_irq(&sim->hw, handle, h);
}

static struct handler *requested(struct kunit *test, struct vgpu_sim *sim)
{
	struct handler *h = new_handler(test, sim);

	KUNIT_ASSERT_EQ(test, 0, request(sim, h));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_irq_action, sim));
	return h;
}

/* What the device does on its own account: latch, and deliver. */
static void interrupt(struct vgpu_sim *sim, u64 bits)
{
	vgpu_sim_irq_raise(sim, bits);
	vgpu_sim_irq_deliver(sim);
}

static void request_twice(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct handler *first = requested(test, sim);
	struct handler *second = new_handler(test, sim);

	KUNIT_EXPECT_EQ(test, -EBUSY, request(sim, second));
	sim_write(sim, VGPU_HW_IRQ_ENABLE, ALL);
	interrupt(sim, VGPU_IRQ_MBOX);
	KUNIT_EXPECT_EQ(test, first->calls, 1);
	KUNIT_EXPECT_EQ(test, second->calls, 0);
}

static void request_nothing_pending(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_write(sim, VGPU_HW_IRQ_ENABLE, ALL);
	KUNIT_EXPECT_EQ(test, requested(test, sim)->calls, 0);
}

static void request_pending_not_enabled(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim_write(sim, VGPU_HW_IRQ_ENABLE, VGPU_IRQ_FAULT);
	interrupt(sim, VGPU_IRQ_MBOX);
	KUNIT_EXPECT_EQ(test, requested(test, sim)->calls, 0);
}

/* What came while there was no handler is made up for at once. */
static void request_pending(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct handler *h;

	sim_write(sim, VGPU_HW_IRQ_ENABLE, ALL);
	interrupt(sim, VGPU_IRQ_MBOX);
	interrupt(sim, VGPU_IRQ_FAULT);
	h = requested(test, sim);
	KUNIT_EXPECT_EQ(test, h->calls, 1);
	KUNIT_EXPECT_EQ(test, h->status, VGPU_IRQ_MBOX | VGPU_IRQ_FAULT);
	KUNIT_EXPECT_TRUE(test, h->was_atomic);
}

static void free_and_request(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct handler *first = new_handler(test, sim);
	struct handler *second;

	sim_write(sim, VGPU_HW_IRQ_ENABLE, ALL);
	KUNIT_ASSERT_EQ(test, 0, request(sim, first));
	sim->hw.ops->free_irq(&sim->hw);
	interrupt(sim, VGPU_IRQ_MBOX);
	KUNIT_EXPECT_EQ(test, first->calls, 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_IRQ_STATUS), VGPU_IRQ_MBOX);

	second = requested(test, sim);
	KUNIT_EXPECT_EQ(test, first->calls, 0);
	KUNIT_EXPECT_EQ(test, second->calls, 1);
}

static void free_without_handler(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	sim->hw.ops->free_irq(&sim->hw);
	requested(test, sim);
}

/* Latched whether it is enabled or not, until it is cleared bit by bit. */
static void status_latched(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);

	vgpu_sim_irq_raise(sim, VGPU_IRQ_MBOX);
	vgpu_sim_irq_raise(sim, VGPU_IRQ_PF_FENCE);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_IRQ_STATUS),
			VGPU_IRQ_MBOX | VGPU_IRQ_PF_FENCE);
	sim_write(sim, VGPU_HW_IRQ_STATUS, VGPU_IRQ_PF_FENCE | VGPU_IRQ_FAULT);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_IRQ_STATUS), VGPU_IRQ_MBOX);
	sim_write(sim, VGPU_HW_IRQ_STATUS, 0);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_IRQ_STATUS), VGPU_IRQ_MBOX);
}

static void deliver_not_enabled(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct handler *h = requested(test, sim);

	sim_write(sim, VGPU_HW_IRQ_ENABLE, VGPU_IRQ_FAULT);
	interrupt(sim, VGPU_IRQ_MBOX);
	KUNIT_EXPECT_EQ(test, h->calls, 0);
}

/* Each time is one call, whether the driver has cleared the last or not. */
static void deliver_every_time(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct handler *h = requested(test, sim);

	h->clears = false;
	sim_write(sim, VGPU_HW_IRQ_ENABLE, ALL);
	interrupt(sim, VGPU_IRQ_MBOX);
	interrupt(sim, VGPU_IRQ_MBOX);
	KUNIT_EXPECT_EQ(test, h->calls, 2);
	vgpu_sim_irq_deliver(sim);
	KUNIT_EXPECT_EQ(test, h->calls, 2);
	SIM_EXPECT_COUNT(test, sim, interrupts, 2);
}

/*
 * A register write never calls the handler: the driver may hold a lock that
 * its handler takes. The engine does it.
 */
static void deliver_after_enable(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct handler *h = requested(test, sim);

	interrupt(sim, VGPU_IRQ_MBOX);
	KUNIT_EXPECT_EQ(test, h->calls, 0);
	sim_write(sim, VGPU_HW_IRQ_ENABLE, ALL);
	KUNIT_EXPECT_EQ(test, h->calls, 0);
	vgpu_sim_engine_turn(sim);
	KUNIT_EXPECT_EQ(test, h->calls, 1);
}

static void deliver_after_bad_doorbell_of_pf(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct handler *h = requested(test, sim);

	sim_fn_setup(test, sim, 0, 2, 0);
	sim_write(sim, VGPU_HW_IRQ_ENABLE, ALL);
	sim_fn_write(sim, 0, VGPU_FN_RING_TAIL, ~0ull);
	KUNIT_EXPECT_EQ(test, h->calls, 0);
	vgpu_sim_engine_turn(sim);
	KUNIT_EXPECT_EQ(test, h->calls, 1);
	KUNIT_EXPECT_EQ(test, h->status, VGPU_IRQ_FAULT);
}

/* A guest's request interrupts within the guest's own call. */
static void deliver_request_of_guest(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct handler *h = requested(test, sim);

	sim_fn_setup(test, sim, 1, 2, 0);
	sim_write(sim, VGPU_HW_IRQ_ENABLE, ALL);
	sim_vf_write(test, sim, 1, VGPU_VF_REG_MBOX_SEND, VGPU_MBOX_QUERY);
	KUNIT_EXPECT_EQ(test, h->calls, 1);
	KUNIT_EXPECT_EQ(test, h->status, VGPU_IRQ_MBOX);
	KUNIT_EXPECT_TRUE(test, h->was_atomic);
}

static void deliver_fence_of_pf(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct handler *h = requested(test, sim);

	sim_fn_setup(test, sim, 0, 2, 0);
	sim_write(sim, VGPU_HW_IRQ_ENABLE, ALL);
	sim_submit(test, sim, 0, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 1));
	sim_submit(test, sim, 0, SIM_CMD(.op = VGPU_CMD_FENCE, .value = 2));
	sim_run(test, sim);
	KUNIT_EXPECT_EQ(test, h->calls, 2);
	KUNIT_EXPECT_EQ(test, h->status, VGPU_IRQ_PF_FENCE);
}

/* After a reset nothing is enabled or pending, but the handler is there. */
static void deliver_after_reset(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 1);
	struct handler *h = requested(test, sim);

	sim_write(sim, VGPU_HW_IRQ_ENABLE, ALL);
	vgpu_sim_irq_raise(sim, VGPU_IRQ_MBOX);
	sim_write(sim, VGPU_HW_RESET, VGPU_RESET_MAGIC);
	interrupt(sim, VGPU_IRQ_MBOX);
	KUNIT_EXPECT_EQ(test, h->calls, 0);
	sim_write(sim, VGPU_HW_IRQ_ENABLE, ALL);
	interrupt(sim, VGPU_IRQ_FAULT);
	KUNIT_EXPECT_EQ(test, h->calls, 1);
}

static struct kunit_case irq_kunit_cases[] = {
	KUNIT_CASE(request_twice),
	KUNIT_CASE(request_nothing_pending),
	KUNIT_CASE(request_pending_not_enabled),
	KUNIT_CASE(request_pending),
	KUNIT_CASE(free_and_request),
	KUNIT_CASE(free_without_handler),
	KUNIT_CASE(status_latched),
	KUNIT_CASE(deliver_not_enabled),
	KUNIT_CASE(deliver_every_time),
	KUNIT_CASE(deliver_after_enable),
	KUNIT_CASE(deliver_after_bad_doorbell_of_pf),
	KUNIT_CASE(deliver_request_of_guest),
	KUNIT_CASE(deliver_fence_of_pf),
	KUNIT_CASE(deliver_after_reset),
	{}
};

static struct kunit_suite vgpu_sim_irq_suite = {
	.name = "vgpu_sim_irq",
	.test_cases = irq_kunit_cases,
};

kunit_test_suite(vgpu_sim_irq_suite);
