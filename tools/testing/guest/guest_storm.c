// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests that attack: each is to hurt itself at most. What they do wrong has to
 * end in the fault that is documented for it, on their own VF, and their ring
 * has to work again afterwards.
 */
#include <errno.h>

#include "guest.h"

/* Starts the ring over, and shows that it works. */
static void recover(struct guest *g, __u64 fence)
{
	if (window_set_ring(g)) {
		fatal(g, &g->stats.other_errors, "ring cannot be set after a fault");
		return;
	}
	window_put(g, &(struct vgpu_cmd){ .op = VGPU_CMD_FENCE, .value = fence });
	window_doorbell(g);
	while (!g->fatal && !guest_expired(g) && reg_read(g, VGPU_VF_REG_FENCE) != fence)
		guest_serve(g, 100000000);
	report_completion(g);
}

/* Waits for the fault that has to come. */
static void expect_fault(struct guest *g, __u64 want)
{
	__u64 have = reg_read(g, VGPU_VF_REG_FAULT);

	while (!have && !g->fatal && !guest_expired(g)) {
		guest_serve(g, 100000000);
		have = reg_read(g, VGPU_VF_REG_FAULT);
	}
	if (g->fatal || (!have && guest_expired(g)))
		return;
	if (have != want)
		problem(g, &g->stats.faults, "fault %llu where %llu is due",
			have, want);
	g->stats.storm_faults++;
}

static __u64 next_fence;

/* The same tail over and over; now and then one that cannot be. */
static void storm_doorbell(struct guest *g)
{
	int i;

	for (i = 0; i < 1000 && !g->fatal; i++) {
		if (window_doorbell(g) == -EIO)
			break;
		g->stats.storm_ops++;
	}
	g->tail += RING_ENTRIES + 1 + guest_random();
	window_doorbell(g);
	expect_fault(g, VGPU_FAULT_BAD_DOORBELL);
	recover(g, next_fence++);
}

/* More requests than there is room for, without end, and foolish ones. */
static void storm_mailbox(struct guest *g)
{
	int i, ret;

	for (i = 0; i < 1000 && !g->fatal; i++) {
		ret = mbox_send_odd(g);
		g->stats.storm_ops++;
		if (ret == -EBUSY)
			g->stats.mailbox_busy++;
		else if (ret && ret != -EIO)
			fatal(g, &g->stats.mailbox_errors, "request: error %d", -ret);
		guest_serve(g, 0);
	}
	recover(g, next_fence++);
}

/* Its memory has to be as new; something is put into it for the next time. */
static void check_memory(struct guest *g)
{
	__u64 *first = (__u64 *)(g->mem + WORK_ADDR);
	__u64 *last = (__u64 *)(g->mem + g->size - PAGE);

	if (*first || *last)
		problem(g, &g->stats.verify_errors,
			"after a reset, memory begins with 0x%llx and ends with 0x%llx",
			*first, *last);
	*first = guest_random();
	*last = guest_random();
}

static bool was_reset(struct guest *g, __u64 resets)
{
	return reg_read(g, VGPU_VF_REG_RESETS) != resets &&
	       reg_read(g, VGPU_VF_REG_STATUS) & VGPU_VF_STATUS_ENABLED;
}

/*
 * Reports faults that there were not. For each it is reset once, now or when there
 * is a driver again, and that is all the answer there is.
 */
static void storm_fault(struct guest *g)
{
	__u64 resets = reg_read(g, VGPU_VF_REG_RESETS);
	int ret = mbox_send_fault(g);

	if (ret) {
		fatal(g, &g->stats.mailbox_errors, "fault report: error %d", -ret);
		return;
	}
	while (!g->fatal && !was_reset(g, resets))
		guest_serve(g, 100000000);
	if (g->fatal)
		return;
	if (reg_read(g, VGPU_VF_REG_RESETS) != resets + 1)
		problem(g, &g->stats.faults, "%llu resets for one fault report",
			reg_read(g, VGPU_VF_REG_RESETS) - resets);
	g->stats.storm_ops++;
	g->stats.storm_faults++;
	mbox_was_reset(g);
	check_memory(g);
	recover(g, next_fence++);
}

static struct vgpu_cmd bad_command(struct guest *g, __u64 *fault)
{
	const __u64 end = g->mem_size;
	const struct {
		struct vgpu_cmd cmd;
		__u64 fault;
	} bad[] = {
		{ { .op = VGPU_CMD_FILL, .dst = end, .size = 8 }, VGPU_FAULT_OUT_OF_RANGE },
		{ { .op = VGPU_CMD_FILL, .dst = end - 8, .size = PAGE },
		  VGPU_FAULT_OUT_OF_RANGE },
		{ { .op = VGPU_CMD_FILL, .dst = PAGE, .size = -8ull },
		  VGPU_FAULT_OUT_OF_RANGE },
		{ { .op = VGPU_CMD_PATTERN, .dst = -PAGE, .size = 2 * PAGE },
		  VGPU_FAULT_OUT_OF_RANGE },
		{ { .op = VGPU_CMD_COPY, .dst = PAGE, .src = end, .size = PAGE },
		  VGPU_FAULT_OUT_OF_RANGE },
		{ { .op = VGPU_CMD_COPY, .dst = end + PAGE, .src = PAGE, .size = PAGE },
		  VGPU_FAULT_OUT_OF_RANGE },
		{ { .op = VGPU_CMD_CHECKSUM, .dst = end, .src = PAGE, .size = PAGE },
		  VGPU_FAULT_OUT_OF_RANGE },
		{ { .op = VGPU_CMD_CHECKSUM, .dst = PAGE, .size = end + 8 },
		  VGPU_FAULT_OUT_OF_RANGE },
		{ { .op = VGPU_CMD_FENCE, .dst = 8 }, VGPU_FAULT_BAD_COMMAND },
		{ { .op = VGPU_CMD_FILL, .dst = 4, .size = 8 }, VGPU_FAULT_BAD_COMMAND },
		{ { .op = 0x1000 }, VGPU_FAULT_BAD_COMMAND },
		{ { .op = 0 }, VGPU_FAULT_BAD_COMMAND },
	};
	unsigned int i = guest_random() % ARRAY_SIZE(bad);

	*fault = bad[i].fault;
	return bad[i].cmd;
}

static void storm_range(struct guest *g)
{
	struct vgpu_cmd cmd;
	__u64 fault;

	cmd = bad_command(g, &fault);
	window_put(g, &cmd);
	window_doorbell(g);
	g->stats.storm_ops++;
	expect_fault(g, fault);
	recover(g, next_fence++);
}

void storm_run(struct guest *g)
{
	next_fence = reg_read(g, VGPU_VF_REG_FENCE) + 1;
	if (g->opt.storm == STORM_FAULT) {
		*(__u64 *)(g->mem + WORK_ADDR) = guest_random();
		*(__u64 *)(g->mem + g->size - PAGE) = guest_random();
	}
	while (!g->fatal && !guest_expired(g)) {
		switch (g->opt.storm) {
		case STORM_DOORBELL:
			storm_doorbell(g);
			break;
		case STORM_MAILBOX:
			storm_mailbox(g);
			break;
		case STORM_FAULT:
			storm_fault(g);
			break;
		default:
			storm_range(g);
		}
		report_live(g);
	}
}
