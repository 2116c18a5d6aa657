// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happened, in numbers: gaps between completions, spans of time, and a
 * file of key=value lines.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

void report_problem(struct guest *g, __u64 *counter, const char *text)
{
	if (!report_errors(&g->stats))
		fprintf(stderr, "%s: %s\n", g->opt.device, text);
	(*counter)++;
}

void report_fatal(struct guest *g, __u64 *counter, const char *text)
{
	if (g->fatal)
		return;
	report_problem(g, counter, text);
	g->fatal = true;
}

__u64 report_errors(const struct stats *s)
{
	return s->verify_errors + s->fence_errors + s->mailbox_errors + s->resets +
	       s->faults + s->memory_lost + s->other_errors;
}

static struct span *current_span(struct guest *g)
{
	return g->stats.nr_spans ? &g->stats.spans[g->stats.nr_spans - 1] : NULL;
}

static void add_span(struct guest *g, __u64 now)
{
	struct stats *s = &g->stats;
	struct span *spans;

	spans = realloc(s->spans, (s->nr_spans + 1) * sizeof(*spans));
	if (!spans) {
		problem(g, &s->other_errors, "no memory for another span");
		return;
	}
	s->spans = spans;
	s->spans[s->nr_spans++] = (struct span){ .begin_ns = now };
}

static void note_gap(struct span *span, __u64 gap)
{
	if (span && gap > span->longest_gap_ns)
		span->longest_gap_ns = gap;
}

void report_begin(struct guest *g)
{
	struct stats *s = &g->stats;
	__u64 now = now_ns();

	s->running = true;
	s->begin_ns = now;
	s->last_ns = now;
	s->all.begin_ns = now;
	add_span(g, now);
	report_write(g);
}

/*
 * A gap that is open when a span ends counts there as far as it has come, and
 * as a whole in the span in which it ends.
 */
static void close_span(struct guest *g, __u64 now)
{
	struct span *span = current_span(g);

	note_gap(&g->stats.all, now - g->stats.last_ns);
	note_gap(span, now - g->stats.last_ns);
	if (span)
		span->end_ns = now;
}

void report_mark(struct guest *g)
{
	__u64 now = now_ns();

	close_span(g, now);
	add_span(g, now);
}

void report_end(struct guest *g)
{
	__u64 now = now_ns();

	if (!g->stats.running)
		return;
	close_span(g, now);
	g->stats.all.end_ns = now;
	g->stats.running = false;
}

static unsigned int bucket(__u64 ns)
{
	__u64 us = ns / 1000;
	unsigned int i;

	for (i = 0; us && i < HIST_BUCKETS - 1; i++)
		us >>= 1;
	return i;
}

void report_completion(struct guest *g)
{
	struct stats *s = &g->stats;
	struct span *span = current_span(g);
	__u64 now = now_ns();
	__u64 gap = now - s->last_ns;

	/* What is still on its way at the end is no part of the measurement. */
	if (!s->running)
		return;
	s->last_ns = now;
	s->gap_hist[bucket(gap)]++;
	s->all.completions++;
	note_gap(&s->all, gap);
	note_gap(span, gap);
	if (span)
		span->completions++;
}

static void note_mailbox(struct span *span, __u64 ns)
{
	if (!span)
		return;
	span->mailbox_answered++;
	if (ns > span->mailbox_longest_ns)
		span->mailbox_longest_ns = ns;
}

void report_mailbox(struct guest *g, __u64 ns)
{
	g->stats.mailbox_hist[bucket(ns)]++;
	note_mailbox(&g->stats.all, ns);
	note_mailbox(current_span(g), ns);
}

static void put(FILE *f, const char *key, __u64 value)
{
	fprintf(f, "%s=%llu\n", key, value);
}

static __u64 mean_us(const struct span *span, __u64 end)
{
	return span->completions ? (end - span->begin_ns) / 1000 / span->completions : 0;
}

static void put_span(FILE *f, unsigned int i, const struct span *span)
{
	__u64 end = span->end_ns ? span->end_ns : now_ns();
	char key[64];

#define PUT(name, value) \
	do { \
		snprintf(key, sizeof(key), "span%u_" name, i); \
		put(f, key, value); \
	} while (0)
	PUT("us", (end - span->begin_ns) / 1000);
	PUT("completions", span->completions);
	PUT("longest_gap_us", span->longest_gap_ns / 1000);
	PUT("mean_gap_us", mean_us(span, end));
	PUT("mailbox_answered", span->mailbox_answered);
	PUT("mailbox_longest_us", span->mailbox_longest_ns / 1000);
#undef PUT
}

/* Key: the first time that is longer than all in the bucket. */
static void put_histogram(FILE *f, const char *name, const __u64 *hist)
{
	unsigned int i;

	for (i = 0; i < HIST_BUCKETS; i++)
		if (hist[i])
			fprintf(f, "%s_below_%lluus=%llu\n", name, 1ull << i,
				hist[i]);
}

static void put_all(FILE *f, const struct guest *g)
{
	const struct stats *s = &g->stats;
	__u64 end = s->all.end_ns ? s->all.end_ns : now_ns();
	unsigned int i;

	fprintf(f, "device=%s\n", g->opt.device);
	put(f, "running", s->running);
	put(f, "run_us", s->begin_ns ? (end - s->begin_ns) / 1000 : 0);
	put(f, "memory", g->used);
	put(f, "completions", s->all.completions);
	put(f, "errors", report_errors(s));
	put(f, "verify_errors", s->verify_errors);
	put(f, "fence_errors", s->fence_errors);
	put(f, "resets", s->resets);
	put(f, "faults", s->faults);
	put(f, "memory_lost", s->memory_lost);
	put(f, "other_errors", s->other_errors);
	put(f, "longest_gap_us", s->all.longest_gap_ns / 1000);
	put(f, "mean_gap_us", mean_us(&s->all, end));
	put(f, "commands", s->commands);
	put(f, "bytes", s->bytes);
	put(f, "pages_verified", s->pages_verified);
	put(f, "sweeps", s->sweeps);
	put(f, "mailbox_sent", s->mailbox_sent);
	put(f, "mailbox_answered", s->all.mailbox_answered);
	put(f, "mailbox_longest_us", s->all.mailbox_longest_ns / 1000);
	put(f, "mailbox_busy", s->mailbox_busy);
	put(f, "mailbox_errors", s->mailbox_errors);
	put(f, "pf_release_first", s->pf_release_first);
	put(f, "pf_release_last", s->pf_release_last);
	if (g->opt.storm != STORM_NONE) {
		put(f, "storm_ops", s->storm_ops);
		put(f, "storm_faults", s->storm_faults);
	}
	if (g->opt.eventfd)
		put(f, "events", s->events);
	if (g->opt.balloon)
		put(f, "balloons", s->balloons);
	put(f, "spans", s->nr_spans);
	/* There may be many, and somebody waits for what is written meanwhile. */
	for (i = 0; i < s->nr_spans && !s->running; i++)
		put_span(f, i, &s->spans[i]);
	if (g->opt.histogram) {
		put_histogram(f, "gap", s->gap_hist);
		put_histogram(f, "mailbox", s->mailbox_hist);
	}
}

/* Who reads the file finds all of it, or what was there before. */
static int write_file(const struct guest *g, const char *path)
{
	char tmp[4096];
	FILE *f;
	int bad;

	if (snprintf(tmp, sizeof(tmp), "%s.%d", path, getpid()) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	f = fopen(tmp, "w");
	if (!f)
		return -errno;
	put_all(f, g);
	bad = ferror(f);
	if (fclose(f) || bad || rename(tmp, path)) {
		unlink(tmp);
		return -EIO;
	}
	return 0;
}

/* Writes it meanwhile, as often as it is wanted. */
void report_live(struct guest *g)
{
	__u64 now = now_ns();

	if (!g->opt.live_s || now - g->stats.written_ns < g->opt.live_s * 1e9)
		return;
	g->stats.written_ns = now;
	report_write(g);
}

int report_write(struct guest *g)
{
	int ret;

	if (!g->opt.result) {
		if (!g->stats.running)
			put_all(stdout, g);
		return 0;
	}
	ret = write_file(g, g->opt.result);
	if (ret)
		fprintf(stderr, "%s: %s\n", g->opt.result, strerror(-ret));
	return ret;
}
