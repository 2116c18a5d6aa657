// SPDX-License-Identifier: GPL-2.0-only
/*
 * vgpu_guest: opens the window of one virtual function and keeps it busy with
 * work whose result it verifies, until a time is over or a signal comes. Says
 * whether anything was ever wrong, and how long the VF was ever idle.
 *
 * Exit status: 0 if all was well, 1 if anything was not, 2 if it could not
 * begin.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guest.h"

sigjmp_buf bus_env;

/* Set by signal handlers */
static int stop_requested, marks_requested;

static __u64 random_state;

__u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* xorshift64 */
__u64 guest_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

bool guest_expired(const struct guest *g)
{
	if (__atomic_load_n(&stop_requested, __ATOMIC_RELAXED))
		return true;
	return g->opt.seconds && g->stats.begin_ns &&
	       now_ns() - g->stats.begin_ns >= g->opt.seconds * 1e9;
}

static void on_stop(int sig)
{
	(void)sig;
	__atomic_store_n(&stop_requested, 1, __ATOMIC_RELAXED);
}

static void on_mark(int sig)
{
	(void)sig;
	__atomic_fetch_add(&marks_requested, 1, __ATOMIC_RELAXED);
}

/* Memory that the VF has no more. */
static void on_bus(int sig)
{
	siglongjmp(bus_env, sig);
}

static void catch(int sig, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigaction(sig, &action, NULL);
}

/* Faults and resets that a storm provokes are its own to judge. */
static void check_status(struct guest *g, __u64 status)
{
	if ((status & VGPU_VF_IRQ_RESET) && g->opt.storm != STORM_FAULT)
		fatal(g, &g->stats.resets, "this VF was reset, enabled or disabled");
	if ((status & VGPU_VF_IRQ_FAULT) && g->opt.storm == STORM_NONE)
		fatal(g, &g->stats.faults, "fault %llu at 0x%llx",
		      reg_read(g, VGPU_VF_REG_FAULT),
		      reg_read(g, VGPU_VF_REG_FAULT_ADDR));
}

/* Waits for an interrupt and does what has to be done whenever one comes. */
void guest_serve(struct guest *g, __u64 timeout_ns)
{
	__u64 status = window_wait(g, timeout_ns);
	int marks = __atomic_exchange_n(&marks_requested, 0, __ATOMIC_RELAXED);

	check_status(g, status);
	/* The answer to a fault report is gone, with all others, as soon as it is there. */
	if (g->opt.storm != STORM_FAULT)
		mbox_answers(g);
	while (marks--)
		report_mark(g);
}

/* At most a tenth of a second, so that signals are seen in any case. */
static __u64 time_to_wait(const struct guest *g)
{
	__u64 now = now_ns(), next = mbox_next_ns(g);

	if (g->opt.storm == STORM_NONE && work_next_ns(g) < next)
		next = work_next_ns(g);
	if (next <= now)
		return 0;
	return next - now < 100000000 ? next - now : 100000000;
}

static void run(struct guest *g)
{
	while (!g->fatal && !guest_expired(g)) {
		work_submit(g);
		mbox_send_due(g);
		guest_serve(g, time_to_wait(g));
		work_complete(g);
		report_live(g);
	}
}

/* What is on its way has to arrive, if it is given enough time. */
static void drain(struct guest *g)
{
	__u64 until = now_ns() + g->opt.drain_s * 1e9;

	while (!g->fatal && (!work_idle(g) || mbox_outstanding(g)) && now_ns() < until) {
		guest_serve(g, 100000000);
		if (g->opt.storm == STORM_NONE)
			work_complete(g);
	}
	if (g->fatal)
		return;
	if (!work_idle(g))
		fatal(g, &g->stats.fence_errors, "a fence was never passed");
	if (mbox_outstanding(g))
		problem(g, &g->stats.mailbox_errors, "%u requests were never answered",
			mbox_outstanding(g));
}

/* A bus error anywhere in here ends up where it began. */
static void live(struct guest *g)
{
	if (sigsetjmp(bus_env, 1)) {
		check_status(g, window_wait(g, 0));
		fatal(g, &g->stats.memory_lost, "memory of this VF is gone");
		return;
	}
	catch(SIGBUS, on_bus);

	g->resets = reg_read(g, VGPU_VF_REG_RESETS);
	if (work_init(g)) {
		fatal(g, &g->stats.other_errors, "no memory");
		return;
	}
	report_begin(g);
	if (g->opt.storm == STORM_NONE)
		run(g);
	else
		storm_run(g);
	report_end(g);
	drain(g);
	if (g->opt.storm == STORM_NONE)
		work_sweep(g);
}

static void show_help(FILE *f)
{
	fputs("usage: vgpu_guest -d DEVICE [OPTION]...\n"
	      "Keep a virtual function busy and verify all it does.\n"
	      "  -d, --device FILE     window of the VF, /dev/vgpu-vfN\n"
	      "  -t, --time SECONDS    run so long; otherwise until SIGTERM or SIGINT\n"
	      "  -i, --mailbox MS      send a request to the PF's driver so often\n"
	      "  -m, --memory BYTES    use so much of the memory; otherwise all\n"
	      "  -s, --spread          these all over the memory, not at its begin\n"
	      "  -p, --pace MS         begin a batch no more often; otherwise at once\n"
	      "  -o, --output FILE     key=value lines, whole at any time; else stdout\n"
	      "  -l, --live SECONDS    rewrite the file so often meanwhile\n"
	      "  -q, --depth N         batches in flight, 1 to 8 (4)\n"
	      "  -b, --batch PAGES     largest size of a command (16)\n"
	      "  -x, --drain SECONDS   wait so long at the end for what is due (60)\n"
	      "  -S, --seed N          of the random choices\n"
	      "  -e, --eventfd         wait by eventfd, not by poll on the window\n"
	      "      --balloon         give unused memory back and ask for it, in turn (-i, -m)\n"
	      "  -H, --histogram       gaps and mailbox round trips by powers of two\n"
	      "      --storm KIND      attack: doorbell, mailbox, range or fault\n"
	      "SIGRTMIN (34) begins a new span, of which all figures are given apart.\n"
	      "None is missed, however busy the guest is.\n",
	      f);
}

static const struct option long_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "time", required_argument, NULL, 't' },
	{ "mailbox", required_argument, NULL, 'i' },
	{ "memory", required_argument, NULL, 'm' },
	{ "spread", no_argument, NULL, 's' },
	{ "pace", required_argument, NULL, 'p' },
	{ "output", required_argument, NULL, 'o' },
	{ "live", required_argument, NULL, 'l' },
	{ "depth", required_argument, NULL, 'q' },
	{ "batch", required_argument, NULL, 'b' },
	{ "drain", required_argument, NULL, 'x' },
	{ "seed", required_argument, NULL, 'S' },
	{ "eventfd", no_argument, NULL, 'e' },
	{ "histogram", no_argument, NULL, 'H' },
	{ "balloon", no_argument, NULL, 'B' },
	{ "storm", required_argument, NULL, 'A' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static void bad_value(const char *text)
{
	fprintf(stderr, "vgpu_guest: '%s' makes no sense here\n", text);
	exit(2);
}

static double number(const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= least && value <= most))
		bad_value(text);
	return value;
}

/* An integer, with a suffix K, M or G. */
static __u64 integer(const char *text)
{
	static const char suffixes[] = "KMG";
	unsigned long long value;
	const char *suffix;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (end == text || errno || *text == '-')
		bad_value(text);
	suffix = *end ? strchr(suffixes, *end) : NULL;
	if (suffix) {
		value <<= 10 * (suffix - suffixes + 1);
		end++;
	}
	if (*end)
		bad_value(text);
	return value;
}

static enum storm storm_kind(const char *text)
{
	if (!strcmp(text, "doorbell"))
		return STORM_DOORBELL;
	if (!strcmp(text, "mailbox"))
		return STORM_MAILBOX;
	if (!strcmp(text, "range"))
		return STORM_RANGE;
	if (!strcmp(text, "fault"))
		return STORM_FAULT;
	bad_value(text);
	return STORM_NONE;
}

static void parse(struct options *opt, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "d:t:i:m:sp:o:l:q:b:x:S:eHh",
				long_options, NULL)) != -1) {
		switch (c) {
		case 'd':
			opt->device = optarg;
			break;
		case 't':
			opt->seconds = number(optarg, 0, 1e9);
			break;
		case 'i':
			opt->mailbox_ms = number(optarg, 0, 1e9);
			break;
		case 'm':
			opt->memory = integer(optarg);
			break;
		case 's':
			opt->spread = true;
			break;
		case 'p':
			opt->pace_ms = number(optarg, 0, 1e6);
			break;
		case 'o':
			opt->result = optarg;
			break;
		case 'l':
			opt->live_s = number(optarg, 0, 1e9);
			break;
		case 'q':
			opt->depth = number(optarg, 1, MAX_DEPTH);
			break;
		case 'b':
			opt->max_pages = number(optarg, 1, 1 << 20);
			break;
		case 'x':
			opt->drain_s = number(optarg, 0, 1e9);
			break;
		case 'S':
			opt->seed = integer(optarg);
			break;
		case 'e':
			opt->eventfd = true;
			break;
		case 'H':
			opt->histogram = true;
			break;
		case 'B':
			opt->balloon = true;
			break;
		case 'A':
			opt->storm = storm_kind(optarg);
			break;
		case 'h':
			show_help(stdout);
			exit(0);
		default:
			show_help(stderr);
			exit(2);
		}
	}
	if (!opt->device || optind != argc) {
		show_help(stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static struct guest guest = {
		.opt = { .depth = 4, .max_pages = 16, .drain_s = 60 },
		.fd = -1,
		.efd = -1,
	};
	struct guest *g = &guest;

	parse(&g->opt, argc, argv);
	random_state = g->opt.seed ? g->opt.seed : now_ns() | 1;
	fprintf(stderr, "vgpu_guest: %s: --seed %llu\n", g->opt.device,
		(unsigned long long)random_state);
	catch(SIGTERM, on_stop);
	catch(SIGINT, on_stop);
	catch(SIGRTMIN, on_mark);

	if (window_open(g) || mbox_init(g)) {
		window_close(g);
		return 2;
	}
	live(g);
	report_end(g);
	if (report_write(g))
		g->stats.other_errors++;
	mbox_fini(g);
	work_fini(g);
	window_close(g);
	free(g->stats.spans);
	return report_errors(&g->stats) ? 1 : 0;
}
