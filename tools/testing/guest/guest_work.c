// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work whose result can be checked.
 *
 * The memory behind the ring and the results, or parts of it that are spread
 * evenly over it, are arenas, one for each batch that can be in flight, so that
 * none disturbs another. A batch
 * writes a pattern, copies it, fills, has checksums made, and passes a fence.
 * What each page of all memory has to hold is known at any time: not as a copy,
 * but as the pattern or the value that was last written to it. What a batch
 * wrote is compared with that when it is done, what it will overwrite before it
 * begins, and so are some other pages that were written long ago: in turn all of
 * the memory, seen once through the mapping and once by the device's own
 * checksums. So whatever happens to any page, it is noticed in time.
 */
#include <errno.h>
#include <stdlib.h>

#include "guest.h"

#define OLD_PAGES	4	/* of what was written before, per batch */
#define SWEEP_PAGES	128	/* per command of a sweep */
#define FILLED		~0ull

/* What a page holds: a pattern from some word on, or one value. */
struct content {
	__u64 value;		/* seed of the pattern, or the value */
	__u64 first;		/* index of its first word, or FILLED */
};

struct range {
	__u64 page, pages;
};

struct batch {
	struct range arena;
	struct range written[3];	/* pattern, copy, fill */
	struct range old_seen, old_summed;
	__u64 fence;
};

struct work {
	struct content *content;	/* of each page of the memory */
	struct batch batch[MAX_DEPTH];
	__u64 submitted, completed;	/* batches */
	__u64 next_ns;			/* not before, by the pace */
	__u64 first_fence;		/* of batch 0 */
};

/* The words of a page as they have to be, one after the other. */
static __u64 expected_word(const struct content *c, __u64 i)
{
	if (c->first == FILLED)
		return c->value;
	return vgpu_pattern_word(c->value, c->first + i);
}

static __u64 expected_sum(const struct work *w, struct range r)
{
	__u64 sum = VGPU_CHECKSUM_INIT;
	__u64 page, i;

	for (page = r.page; page < r.page + r.pages; page++)
		for (i = 0; i < PAGE_WORDS; i++)
			sum = vgpu_checksum_step(sum, expected_word(&w->content[page], i));
	return sum;
}

static void verify_page(struct guest *g, __u64 page)
{
	const struct content *c = &g->work->content[page];
	const __u64 *mem = (__u64 *)(g->mem + page * PAGE);
	__u64 i, want, have;

	g->stats.pages_verified++;
	for (i = 0; i < PAGE_WORDS; i++) {
		want = expected_word(c, i);
		have = __atomic_load_n(&mem[i], __ATOMIC_RELAXED);
		if (have == want)
			continue;
		if (window_was_reset(g))
			return;
		problem(g, &g->stats.verify_errors,
			"memory at 0x%llx is 0x%016llx and should be 0x%016llx",
			(page * PAGE + i * 8),
			have, want);
		return;
	}
}

static void verify_range(struct guest *g, struct range r)
{
	__u64 page;

	for (page = r.page; page < r.page + r.pages; page++)
		verify_page(g, page);
}

static __u64 *result_slot(struct guest *g, unsigned int slot, unsigned int i)
{
	return (__u64 *)(g->mem + RESULTS_ADDR) + slot * 8 + i;
}

static void verify_sum(struct guest *g, unsigned int slot, unsigned int i, struct range r)
{
	__u64 want = expected_sum(g->work, r);
	__u64 have = __atomic_load_n(result_slot(g, slot, i), __ATOMIC_RELAXED);

	if (have != want && !window_was_reset(g))
		problem(g, &g->stats.verify_errors,
			"checksum of %llu pages at 0x%llx is 0x%016llx and should be 0x%016llx",
			r.pages, (r.page * PAGE),
			have, want);
}

static void put_pattern(struct guest *g, struct range r, __u64 seed)
{
	__u64 i;

	window_put(g, &(struct vgpu_cmd){
		.op = VGPU_CMD_PATTERN, .dst = r.page * PAGE,
		.size = r.pages * PAGE, .value = seed,
	});
	for (i = 0; i < r.pages; i++)
		g->work->content[r.page + i] = (struct content){ seed, i * PAGE_WORDS };
	g->stats.bytes += r.pages * PAGE;
}

static void put_fill(struct guest *g, struct range r, __u64 value)
{
	__u64 i;

	window_put(g, &(struct vgpu_cmd){
		.op = VGPU_CMD_FILL, .dst = r.page * PAGE,
		.size = r.pages * PAGE, .value = value,
	});
	for (i = 0; i < r.pages; i++)
		g->work->content[r.page + i] = (struct content){ value, FILLED };
	g->stats.bytes += r.pages * PAGE;
}

static void put_copy(struct guest *g, struct range to, struct range from)
{
	__u64 i;

	window_put(g, &(struct vgpu_cmd){
		.op = VGPU_CMD_COPY, .dst = to.page * PAGE, .src = from.page * PAGE,
		.size = to.pages * PAGE,
	});
	for (i = 0; i < to.pages; i++)
		g->work->content[to.page + i] = g->work->content[from.page + i];
	g->stats.bytes += to.pages * PAGE;
}

/* The slot is spoilt first, so that a sum that is never written shows. */
static void put_checksum(struct guest *g, unsigned int slot, unsigned int i, struct range r)
{
	__atomic_store_n(result_slot(g, slot, i), ~expected_sum(g->work, r),
			 __ATOMIC_RELAXED);
	window_put(g, &(struct vgpu_cmd){
		.op = VGPU_CMD_CHECKSUM, .src = r.page * PAGE, .size = r.pages * PAGE,
		.dst = RESULTS_ADDR + (slot * 8 + i) * 8,
	});
	g->stats.bytes += r.pages * PAGE;
}

static struct range random_range(struct range arena, __u64 pages)
{
	return (struct range){
		arena.page + guest_random() % (arena.pages - pages + 1), pages,
	};
}

static bool overlap(struct range a, struct range b)
{
	return a.page < b.page + b.pages && b.page < a.page + a.pages;
}

/* The next pages of an arena after those, from its start again at its end. */
static struct range next_range(struct range arena, struct range r)
{
	__u64 end = arena.page + arena.pages;

	r.page += r.pages;
	if (r.page >= end)
		r.page = arena.page;
	r.pages = OLD_PAGES;
	if (r.pages > end - r.page)
		r.pages = end - r.page;
	return r;
}

static void choose_ranges(struct guest *g, struct batch *b)
{
	__u64 most = b->arena.pages / 2, pages;

	if (most > g->opt.max_pages)
		most = g->opt.max_pages;
	pages = 1 + guest_random() % most;
	/* Both anew: beside one in the middle there may be no room. */
	do {
		b->written[0] = random_range(b->arena, pages);
		b->written[1] = random_range(b->arena, pages);
	} while (overlap(b->written[0], b->written[1]));
	b->written[2] = random_range(b->arena, 1 + guest_random() % most);
	b->old_seen = next_range(b->arena, b->old_seen);
	b->old_summed = next_range(b->arena, b->old_summed);
}

static void ring(struct guest *g)
{
	int ret = window_doorbell(g);

	/* A VF that was reset says so by an interrupt, and that is its count. */
	if (ret && ret != -EIO)
		fatal(g, &g->stats.other_errors, "doorbell: error %d", -ret);
}

static void submit_one(struct guest *g)
{
	struct work *w = g->work;
	unsigned int slot = w->submitted % g->opt.depth;
	struct batch *b = &w->batch[slot];
	unsigned int i;

	choose_ranges(g, b);
	for (i = 0; i < 3; i++)
		verify_range(g, b->written[i]);

	put_pattern(g, b->written[0], guest_random());
	put_copy(g, b->written[1], b->written[0]);
	put_fill(g, b->written[2], guest_random());
	put_checksum(g, slot, 0, b->written[1]);
	put_checksum(g, slot, 1, b->old_summed);
	b->fence = w->first_fence + w->submitted++;
	window_put(g, &(struct vgpu_cmd){ .op = VGPU_CMD_FENCE, .value = b->fence });
	ring(g);
}

static bool has_room(const struct guest *g)
{
	return g->work->submitted - g->work->completed < g->opt.depth;
}

/* When the next batch is due; never, before one that is in flight is done. */
__u64 work_next_ns(const struct guest *g)
{
	return has_room(g) ? g->work->next_ns : ~0ull;
}

/* Keeps as many batches in flight as there may be, if they are due. */
void work_submit(struct guest *g)
{
	while (!g->fatal && has_room(g) && now_ns() >= g->work->next_ns) {
		g->work->next_ns = now_ns() + g->opt.pace_ms * 1e6;
		submit_one(g);
	}
}

static void verify_batch(struct guest *g, unsigned int slot)
{
	const struct batch *b = &g->work->batch[slot];
	unsigned int i;

	verify_sum(g, slot, 0, b->written[1]);
	verify_sum(g, slot, 1, b->old_summed);
	for (i = 0; i < 3; i++)
		verify_range(g, b->written[i]);
	verify_range(g, b->old_seen);
}

/* Looks how far the fence is, and checks the batches that are done by that. */
void work_complete(struct guest *g)
{
	struct work *w = g->work;
	__u64 passed = reg_read(g, VGPU_VF_REG_FENCE) - w->first_fence + 1;
	unsigned int slot;

	/* A reset since the last look explains it: that is said then, not this. */
	if (passed < w->completed || passed > w->submitted)
		guest_serve(g, 0);
	if (g->fatal)
		return;
	if (passed < w->completed || passed > w->submitted) {
		fatal(g, &g->stats.fence_errors, "fence at batch %lld of %llu to %llu",
		      (long long)passed, w->completed,
		      w->submitted);
		return;
	}
	while (w->completed < passed) {
		slot = w->completed % g->opt.depth;
		report_completion(g);
		verify_batch(g, slot);
		w->completed++;
	}
}

bool work_idle(const struct guest *g)
{
	return g->work->completed == g->work->submitted;
}

/* Has a command or two done, and waits for them: with nothing else in flight. */
static void run_alone(struct guest *g)
{
	struct work *w = g->work;
	__u64 fence = w->first_fence++;

	window_put(g, &(struct vgpu_cmd){ .op = VGPU_CMD_FENCE, .value = fence });
	ring(g);
	while (!g->fatal && reg_read(g, VGPU_VF_REG_FENCE) != fence)
		guest_serve(g, 1000000000);
}

static void sweep_range(struct guest *g, struct range r)
{
	put_checksum(g, 0, 0, r);
	run_alone(g);
	if (g->fatal)
		return;
	verify_sum(g, 0, 0, r);
	verify_range(g, r);
}

static void write_range(struct guest *g, struct range r)
{
	put_pattern(g, r, guest_random());
	run_alone(g);
}

/* Does it to all memory that is worked on, in pieces. */
static void for_all(struct guest *g, void (*func)(struct guest *g, struct range r))
{
	unsigned int i;

	for (i = 0; i < g->opt.depth; i++) {
		struct range left = g->work->batch[i].arena, piece;

		for (; left.pages && !g->fatal; left.pages -= piece.pages) {
			piece = left;
			if (piece.pages > SWEEP_PAGES)
				piece.pages = SWEEP_PAGES;
			func(g, piece);
			left.page += piece.pages;
		}
	}
}

/* All of the memory, through the mapping and by the device's checksums. */
void work_sweep(struct guest *g)
{
	for_all(g, sweep_range);
	g->stats.sweeps += !g->fatal;
}

static void make_arenas(struct guest *g)
{
	const __u64 first = WORK_ADDR / PAGE;
	const __u64 pages = g->used / PAGE - first;
	const __u64 spare = (g->size - g->used) / PAGE;
	unsigned int i;

	while (g->opt.depth > 1 && pages / g->opt.depth < 4)
		g->opt.depth--;
	for (i = 0; i < g->opt.depth; i++) {
		struct batch *b = &g->work->batch[i];
		__u64 from = pages * i / g->opt.depth, to = pages * (i + 1) / g->opt.depth;
		/* the last one ends where the memory does */
		__u64 gap = g->opt.depth > 1 ? spare * i / (g->opt.depth - 1) : spare;

		b->arena = (struct range){ first + from + gap, to - from };
		b->old_seen = (struct range){ b->arena.page, 0 };
		/* half an arena ahead: any page is looked at twice as often */
		b->old_summed = (struct range){ b->arena.page + b->arena.pages / 2, 0 };
	}
}

/* Fills the memory, so that all of it is known, and looks at it. */
int work_init(struct guest *g)
{
	g->work = calloc(1, sizeof(*g->work));
	if (!g->work)
		return -1;
	g->work->content = calloc(g->size / PAGE, sizeof(*g->work->content));
	if (!g->work->content)
		return -1;
	make_arenas(g);

	/* Of the guest before there is to be nothing, but its memory. */
	if (reg_read(g, VGPU_VF_REG_FENCE))
		problem(g, &g->stats.fence_errors, "fence %llu before the first one",
			reg_read(g, VGPU_VF_REG_FENCE));
	g->work->first_fence = reg_read(g, VGPU_VF_REG_FENCE) + 1;
	if (g->opt.storm != STORM_NONE)
		return 0;
	for_all(g, write_range);
	work_sweep(g);
	return 0;
}

void work_fini(struct guest *g)
{
	if (g->work)
		free(g->work->content);
	free(g->work);
}
