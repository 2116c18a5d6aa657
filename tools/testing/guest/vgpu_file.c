// SPDX-License-Identifier: GPL-2.0-only
/*
 * vgpu_file: opens files of the kernel, and never creates one.
 *
 * A shell's redirection opens with O_CREAT. If a device node disappears between
 * a look and the redirection, the shell creates a regular file in /dev, which
 * then opens without a driver. This program opens without O_CREAT and decides by
 * the open file, not by its name.
 *
 * Exit status: 0 on success, 1 if the file cannot be opened or written, 2 if the
 * open file is not the one that was asked for, 3 for a wrong command line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define EXIT_REFUSED	1
#define EXIT_OTHER_FILE	2
#define EXIT_USAGE	3

/* How long a watch waits for a node */
#define PATIENCE_S	60

/* SIGTERM stays blocked and is asked for, so that none is missed. */
static sigset_t stop_signal;

static void block_stop(void)
{
	sigemptyset(&stop_signal);
	sigaddset(&stop_signal, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop_signal, NULL);
}

static bool stop_requested(void)
{
	sigset_t pending;

	return !sigpending(&pending) && sigismember(&pending, SIGTERM);
}

static void wait_for_stop(void)
{
	int sig;

	sigwait(&stop_signal, &sig);
}

static bool is_kernel_file(int fd)
{
	static const long types[] = {
		SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, PROC_SUPER_MAGIC,
	};
	struct statfs fs;
	unsigned int i;

	if (fstatfs(fd, &fs))
		return false;
	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (fs.f_type == types[i])
			return true;
	return false;
}

/* Returns a file of sysfs, debugfs, tracefs or procfs, or ends the program. */
static int open_kernel_file(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);

	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(EXIT_REFUSED);
	}
	if (!is_kernel_file(fd)) {
		fprintf(stderr, "%s: not a file of the kernel\n", path);
		exit(EXIT_OTHER_FILE);
	}
	return fd;
}

/* An attribute gets its value in one write, as a shell's echo does it. */
static int do_write(const char *path, const char *value)
{
	int fd = open_kernel_file(path, 0);
	ssize_t len, written;
	char *text;

	len = asprintf(&text, "%s\n", value);
	if (len < 0)
		return EXIT_REFUSED;
	written = write(fd, text, len);
	if (written < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	else if (written != len)
		fprintf(stderr, "%s: %zd of %zd bytes written\n", path, written, len);
	free(text);
	close(fd);
	return written == len ? 0 : EXIT_REFUSED;
}

/* For trace files, which opening with O_TRUNC empties. */
static int do_clear(const char *path)
{
	close(open_kernel_file(path, O_TRUNC));
	return 0;
}

/* The driver's name in /proc/devices that has this character device's number. */
static bool is_device_of(int fd, const char *driver)
{
	bool in_list = false, found = false;
	char line[128], name[96];
	unsigned int number;
	struct stat st;
	FILE *f;

	if (fstat(fd, &st) || !S_ISCHR(st.st_mode))
		return false;
	f = fopen("/proc/devices", "r");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		if (strchr(line, ':'))
			in_list = !strncmp(line, "Character", 9);
		else if (in_list && sscanf(line, "%u %95s", &number, name) == 2)
			found = number == major(st.st_rdev) && !strcmp(name, driver);
	}
	fclose(f);
	return found;
}

static int open_device(const char *path)
{
	return open(path, O_RDWR | O_CLOEXEC);
}

/* Opens a device and closes it, or keeps it open until SIGTERM. */
static int do_open(const char *driver, const char *path, bool hold)
{
	int fd;

	block_stop();
	fd = open_device(path);
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return EXIT_REFUSED;
	}
	if (!is_device_of(fd, driver)) {
		fprintf(stderr, "%s: not a device of %s\n", path, driver);
		return EXIT_OTHER_FILE;
	}
	puts("open");
	fflush(stdout);
	if (hold)
		wait_for_stop();
	close(fd);
	return 0;
}

static time_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/*
 * Tries to open a device over and over until SIGTERM, keeps it open once that
 * succeeds, and reports how the attempts ended. A first line comes as soon as an
 * attempt has found the node: "refused" or "open"; or after a minute: "absent".
 */
static int do_watch(const char *driver, const char *path)
{
	unsigned long absent = 0, refused = 0, opened = 0, other = 0;
	time_t begin = now_s();
	bool told = false;
	int fd;

	block_stop();
	while (!stop_requested() && !opened && !other) {
		fd = open_device(path);
		if (fd >= 0 && is_device_of(fd, driver))
			opened++;
		else if (fd >= 0)
			other++;
		else if (errno == ENOENT)
			absent++;
		else
			refused++;
		if (told || (!refused && fd < 0 && now_s() - begin < PATIENCE_S))
			continue;
		puts(fd >= 0 ? "open" : refused ? "refused" : "absent");
		fflush(stdout);
		told = true;
	}
	wait_for_stop();
	printf("absent=%lu refused=%lu opened=%lu other=%lu\n", absent, refused, opened, other);
	return 0;
}

static void show_help(FILE *f)
{
	fputs("usage: vgpu_file write FILE VALUE    one write, of the value and a newline\n"
	      "       vgpu_file clear FILE          open it with O_TRUNC\n"
	      "       vgpu_file open DRIVER DEVICE  open it and close it\n"
	      "       vgpu_file hold DRIVER DEVICE  keep it open until SIGTERM\n"
	      "       vgpu_file watch DRIVER DEVICE try until it opens, keep it until SIGTERM,\n"
	      "                                     and report how the attempts ended\n"
	      "Open files of sysfs, debugfs, tracefs and procfs, and character devices.\n"
	      "Never creates a file. DRIVER is the device's name in /proc/devices.\n", f);
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (argc == 4 && !strcmp(command, "write"))
		return do_write(argv[2], argv[3]);
	if (argc == 3 && !strcmp(command, "clear"))
		return do_clear(argv[2]);
	if (argc == 4 && !strcmp(command, "open"))
		return do_open(argv[2], argv[3], false);
	if (argc == 4 && !strcmp(command, "hold"))
		return do_open(argv[2], argv[3], true);
	if (argc == 4 && !strcmp(command, "watch"))
		return do_watch(argv[2], argv[3]);
	if (argc == 2 && !strcmp(command, "--help")) {
		show_help(stdout);
		return 0;
	}
	show_help(stderr);
	return EXIT_USAGE;
}
