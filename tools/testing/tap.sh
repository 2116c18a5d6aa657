# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Writing test results as TAP. Sourced, by the scripts here and by the scenarios
# in the virtual machine (whose shell is busybox's, so this is plain POSIX).
#
# A scenario says first how many results there will be; whatever ends it early,
# a plan that is not fulfilled is a failure:
#
#	tap_plan 3
#	tap_case "the driver loads" insmod /modules/v2/vgpu.ko
#	tap_is "it is running" "$(cat $adapter/state)" running
#	tap_skip "a kexec" "this kernel has none"
#	tap_done
#
# Where the number is not known beforehand, leave tap_plan out: tap_done then
# writes the plan at the end. Diagnostics go with tap_diag, never with echo, and
# what was measured with tap_report: of a scenario that is kept in a file.

tap_number=0
tap_failed=0
tap_planned=

tap_plan()
{
	tap_planned=$1
	echo "1..$1"
}

tap_diag()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

tap_report()
{
	printf '%s\n' "$*" | sed 's/^/#> /'
}

# In a kernel log one sees which step a message belongs to.
tap_result()
{
	tap_number=$((tap_number + 1))
	echo "$1 $tap_number - $2"
	[ -z "${TAP_KMSG-}" ] || echo "tap: $1 $tap_number - $2" >/dev/kmsg
}

tap_ok()
{
	tap_result ok "$1"
}

tap_not_ok()
{
	tap_failed=$((tap_failed + 1))
	tap_result "not ok" "$1"
}

# tap_skip DESCRIPTION REASON
tap_skip()
{
	tap_result ok "$1 # SKIP ${2:?a skip needs a reason}"
}

# tap_run COMMAND... - in this shell, so that a function can set variables and
# start what goes on after it; leaves tap_status and tap_output. (A command
# substitution would wait for whoever has its output open.)
tap_run()
{
	tap_file=$(mktemp)
	tap_status=0
	"$@" >"$tap_file" 2>&1 || tap_status=$?
	tap_output=$(cat "$tap_file")
	rm -f "$tap_file"
}

# tap_case DESCRIPTION COMMAND... - ok if the command succeeds
tap_case()
{
	tap_description=$1
	shift
	tap_run "$@"
	if [ $tap_status = 0 ]; then
		tap_ok "$tap_description"
		return
	fi
	tap_not_ok "$tap_description"
	tap_diag "status $tap_status of: $(printf '%.200s' "$*")"
	[ -z "$tap_output" ] || tap_diag "$tap_output"
}

# tap_fails DESCRIPTION COMMAND... - ok if the command fails; not for commands
# that may be missing
tap_fails()
{
	tap_description=$1
	shift
	tap_run "$@"
	if [ $tap_status != 0 ]; then
		tap_ok "$tap_description"
		return
	fi
	tap_not_ok "$tap_description"
	tap_diag "succeeded: $(printf '%.200s' "$*")"
	[ -z "$tap_output" ] || tap_diag "$tap_output"
}

# tap_is DESCRIPTION VALUE EXPECTED
tap_is()
{
	if [ "$2" = "$3" ]; then
		tap_ok "$1"
	else
		tap_not_ok "$1"
		tap_diag "is:       $2"
		tap_diag "expected: $3"
	fi
}

# tap_done - the plan, where there was none before; its status is the result
tap_done()
{
	[ -n "$tap_planned" ] || tap_plan "$tap_number"
	[ "$tap_failed" = 0 ] && [ "$tap_number" = "$tap_planned" ]
}
