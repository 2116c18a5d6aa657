# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Tests of the render node, debugfs of the driver, and counters of the device.
# Sourced after wait.sh and hotupdate.sh.

# find_debugfs - sets files to the driver's directory
# shellcheck disable=SC2154 # from hotupdate.sh
find_debugfs()
{
	files=/sys/kernel/debug/dri/$gpu
	[ -d "$files" ] ||
		files=$(dirname "$(grep -l "^vgpu dev=$gpu" /sys/kernel/debug/dri/*/name | head -n 1)")
}

# from_debugfs PROGRAM FILE - runs awk on a file of the driver
from_debugfs()
{
	awk "$1" "$files/$2"
}

pf_jobs()
{
	# shellcheck disable=SC2016 # for awk
	from_debugfs '/^jobs:/ { print $7 }' pf
}

# render_tests WHAT LEAST [SUITE] - runs each test of the client as a case, and
# fails if there are fewer than LEAST
# shellcheck disable=SC2154 # from tap.sh
render_tests()
{
	# shellcheck disable=SC2046 # two words or none
	tests=$(vgpu_render ${3:+--list "$3"})
	number=$(echo "$tests" | wc -w)
	tap_case "$1: there are $number tests, of at least $2" [ "$number" -ge "$2" ]
	for test in $tests; do
		# a worker frees jobs and objects after the client's exit
		wait_until prints 0 pf_jobs >/dev/null
		tap_run vgpu_render "$test"
		case $tap_status in
		0) tap_ok "$1: $test" ;;
		2)
			tap_skip "$1: $test" "$tap_output"
			continue
			;;
		*) tap_not_ok "$1: $test" ;;
		esac
		[ -z "$tap_output" ] || tap_diag "$tap_output"
	done
}

# ring_is_well - the device counted no fault, and the driver reset no ring
ring_is_well()
{
	for name in lmtt_changed translation_faults out_of_range bad_commands bad_rings \
		    bad_doorbells bad_writes; do
		[ "$(counter $name)" = 0 ] || {
			echo "$name: $(counter $name)"
			return 1
		}
	done
	! dmesg | grep "PF's ring"
}
