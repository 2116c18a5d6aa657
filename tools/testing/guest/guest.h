/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vgpu_guest: the guest of one virtual function, that believes nothing.
 */
#ifndef _GUEST_H_
#define _GUEST_H_

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <drm/vgpu_drm.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define PAGE		4096ull
#define PAGE_WORDS	(PAGE / 8)
#define RING_ENTRIES	64
#define MAX_DEPTH	8	/* batches in flight */
#define RESULTS_ADDR	PAGE	/* behind the ring: results of checksums */
#define WORK_ADDR	(2 * PAGE)

enum storm { STORM_NONE, STORM_DOORBELL, STORM_MAILBOX, STORM_RANGE, STORM_FAULT };

struct options {
	const char *device;
	const char *result;	/* file, or NULL */
	double seconds;		/* 0: until a signal */
	double mailbox_ms;	/* 0: no mailbox */
	double live_s;		/* 0: result only at start and end */
	double drain_s;		/* how long to wait for what is on its way */
	double pace_ms;		/* begin a batch no more often; 0: at once */
	__u64 memory;	/* bytes, 0: all */
	bool spread;	/* these all over the memory, not at its begin */
	unsigned int depth;
	unsigned int max_pages;	/* of one command */
	__u64 seed;
	bool eventfd;
	bool balloon;	/* give memory back, and ask for it again */
	bool histogram;
	enum storm storm;
};

/* A length of time, from one mark to the next. */
struct span {
	__u64 begin_ns, end_ns;
	__u64 completions;
	__u64 longest_gap_ns;
	__u64 mailbox_answered;
	__u64 mailbox_longest_ns;
};

#define HIST_BUCKETS	40

struct stats {
	bool running;
	__u64 begin_ns, last_ns, written_ns;
	struct span all;
	struct span *spans;
	unsigned int nr_spans;
	__u64 gap_hist[HIST_BUCKETS], mailbox_hist[HIST_BUCKETS];

	__u64 commands, bytes, pages_verified, sweeps;
	__u64 mailbox_sent, mailbox_busy;
	__u64 pf_release_first, pf_release_last;
	__u64 storm_ops, storm_faults;
	__u64 events;		/* of the eventfd */
	__u64 balloons;		/* how often there was more memory again */

	/* all that went wrong, by kind; the sum is "errors" */
	__u64 verify_errors, fence_errors, mailbox_errors;
	__u64 resets, faults, memory_lost, other_errors;
};

struct guest {
	struct options opt;
	int fd, efd;
	int replaced_efd;	/* not to be signalled any more */
	__u8 *mem;		/* the mapping, from address 0 */
	__u64 mem_size;	/* of the VF as the device says */
	__u64 size;		/* of what is mapped */
	__u64 used;		/* of what is worked on */
	__u64 tail;
	bool fatal;		/* no use in going on */
	__u64 resets;		/* of this VF, before the guest began */
	struct stats stats;
	struct work *work;
	struct mbox *mbox;
};

/* vgpu_guest.c */
__u64 now_ns(void);
__u64 guest_random(void);
bool guest_expired(const struct guest *g);
void guest_serve(struct guest *g, __u64 timeout_ns);
extern sigjmp_buf bus_env;

/* guest_window.c */
int window_open(struct guest *g);
bool window_was_reset(struct guest *g);
void window_close(struct guest *g);
void window_check_regained(struct guest *g, __u64 from);
__u64 reg_read(struct guest *g, __u64 reg);
int reg_write(struct guest *g, __u64 reg, __u64 value);
int window_set_ring(struct guest *g);
void window_put(struct guest *g, const struct vgpu_cmd *cmd);
int window_doorbell(struct guest *g);
__u64 window_wait(struct guest *g, __u64 timeout_ns);

/* guest_work.c */
int work_init(struct guest *g);
void work_fini(struct guest *g);
void work_submit(struct guest *g);
void work_complete(struct guest *g);
bool work_idle(const struct guest *g);
__u64 work_next_ns(const struct guest *g);
void work_sweep(struct guest *g);

/* guest_mbox.c */
int mbox_init(struct guest *g);
void mbox_fini(struct guest *g);
__u64 mbox_next_ns(const struct guest *g);
void mbox_send_due(struct guest *g);
int mbox_send_odd(struct guest *g);
int mbox_send_fault(struct guest *g);
void mbox_was_reset(struct guest *g);
void mbox_answers(struct guest *g);
unsigned int mbox_outstanding(const struct guest *g);

/* guest_report.c */
void report_problem(struct guest *g, __u64 *counter, const char *text);
void report_fatal(struct guest *g, __u64 *counter, const char *text);
__u64 report_errors(const struct stats *s);
void report_begin(struct guest *g);
void report_mark(struct guest *g);
void report_completion(struct guest *g);
void report_mailbox(struct guest *g, __u64 ns);
void report_end(struct guest *g);
void report_live(struct guest *g);
int report_write(struct guest *g);

/* guest_storm.c */
void storm_run(struct guest *g);

/* Something is wrong: counts it, and says it if it is the first. */
#define problem(g, counter, ...) \
	do { \
		char text_[256]; \
		snprintf(text_, sizeof(text_), __VA_ARGS__); \
		report_problem(g, counter, text_); \
	} while (0)

/* The same, and there is no use in going on. Said and counted once. */
#define fatal(g, counter, ...) \
	do { \
		char text_[256]; \
		snprintf(text_, sizeof(text_), __VA_ARGS__); \
		report_fatal(g, counter, text_); \
	} while (0)

#endif /* _GUEST_H_ */
