// SPDX-License-Identifier: GPL-2.0-only
/*
 * vgpu_render: tests the render node of a vgpu.
 *
 *	vgpu_render			list the tests
 *	vgpu_render --list SUITE	list those of import or bounce
 *	vgpu_render TEST		run one; 0: passed, 1: failed, 2: skipped
 *	vgpu_render --hold FILE		keep fences of a client that has gone: write
 *					FILE, wait until it is deleted, look at them
 *	vgpu_render --leave FILE	leave a job that is not over before FILE, which
 *					is written, is deleted
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "render.h"

static const struct {
	const char *name;
	const struct test *tests;
} suites[] = {
	{ "", job_tests },
	{ "", refuse_tests },
	{ "", sync_tests },
	{ "", share_tests },
	{ "import", import_tests },
	{ "bounce", bounce_tests },
};

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void list(const char *suite)
{
	const struct test *test;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(suites); i++)
		for (test = suites[i].tests; test->name && !strcmp(suites[i].name, suite); test++)
			printf("%s\n", test->name);
}

static int run(const char *name)
{
	const struct test *test;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (test = suites[i].tests; test->name; test++) {
			if (strcmp(test->name, name))
				continue;
			test->run();
			return 0;
		}
	}
	fprintf(stderr, "no test %s\n", name);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 1) {
		list("");
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "--list")) {
		list(argv[2]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "--hold"))
		return hold_fences(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "--leave"))
		return leave_job(argv[2]);
	if (argc == 2)
		return run(argv[1]);
	fprintf(stderr, "usage: %s [TEST | --list SUITE | --hold FILE | --leave FILE]\n", argv[0]);
	return 1;
}
