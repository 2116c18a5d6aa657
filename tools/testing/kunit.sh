#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kunit.sh [SERIES [CONFIG [KUNIT.PY OPTIONS]]]: the KUnit suites under UML, by
# kunit.py, in a kernel source with this project in it. CONFIG is plain or
# debug. KSRC=path takes a kernel source of your own. The kernel that was built
# is kept and built on. Results are TAP, one line a case, on stdout.

source "$(dirname "$0")/lib.sh"
source "$TESTING/um.sh"

config=${2:-plain}
"$TESTING/install-deps.sh" kunit
um_prepare "${1:-$LTS}" "$config"
shift $(($# < 2 ? $# : 2))

# With options, which may name a few suites, a run proves what it proves. What
# the plain configuration cannot do, the others can: they skip nothing.
judging=()
[ $# != 0 ] || judging+=(--all-suites)
[ "$config" = plain ] || judging+=(--no-skips)

# That tests failed is for the results to say: what fails here is the building.
kunit_status=0
run_kunit()
{
	rm -f "$um_build/results.json" "$um_build/test.log"
	um_kunit run --timeout=3600 --json="$um_build/results.json" "$@" || kunit_status=$?
	[ -e "$um_build/results.json" ]
}

# shellcheck disable=SC2154 # from um.sh
long "KUnit under UML $um_series, $config" "$um_log" run_kunit "$@" || true
cp "$um_build/test.log" "${um_log%.log}-kernel.log" 2>/dev/null || true
um_note_warnings
# one that failed may have been stopped before the last file
[ -e "$um_build/test.log" ] || rm -f "$um_build/.without-warning"
"$TESTING/kunit_tap.py" "${judging[@]}" "kunit-$um_series-$config" "$kunit_status" "$um_build"
