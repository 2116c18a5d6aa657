#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# coverage.sh: which lines the KUnit suites reach, counted by gcov under UML.
# Prints a table by file, and those lines of the core that are not reached (V=1:
# of all modules). Fails if a case fails, or if fewer than 95 % of the core's lines
# are reached.
#
# The project's parts are modules here, as what is built into the kernel of UML
# cannot be counted: libc would call for the counters before there is a kernel. So
# the suites run when they are loaded, not by kunit.py, and unloading is counted.

source "$(dirname "$0")/lib.sh"
source "$TESTING/um.sh"

wanted=95
timeout=1800
root=$WORK/coverage
log=$LOGS/coverage-kernel.log

make_root()
{
	rm -rf "$root"
	mkdir -p "$root"/{bin,counts,debug,dev,proc,sys}
	cp "$("$TESTING/busybox.sh")" "$root/bin/"
	cp "$TESTING/coverage-init" "$root/init"
	make -s -C "$um_build" ARCH=um INSTALL_MOD_PATH="$root" modules_install
}

boot()
{
	timeout --foreground "$timeout" "$um_build/linux" mem=1G console=tty loglevel=8 \
		root=/dev/root rootfstype=hostfs rootflags="$root" rw init=/init
}

build()
{
	um_kunit build && make_root
}

# results PATTERN - how many lines of results there are, of suites and cases
results()
{
	grep -cE "^ *$1 " "$log" || true
}

lock "$WORK_LOCK"
"$TESTING/install-deps.sh" kunit
um_prepare "$LTS" coverage
# shellcheck disable=SC2154 # from um.sh
long "building UML $LTS, coverage" "$um_log" build || die "there is nothing to run"
um_note_warnings
long "the suites, under UML $LTS, coverage" "$log" boot || die "the kernel has failed"
[ "$(cat "$root/counts/status")" = 0 ] ||
	die "not all modules could be loaded and unloaded, see $log"
failed=$(results 'not ok')
echo "$(results ok) results of cases and suites are ok, $failed are not ($log)"

"$TESTING/coverage.py" "$root/counts" "$wanted"
[ "$failed" = 0 ] || die "$failed results are not ok"
