# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Waiting for conditions, because no time that a script could sleep instead is
# long enough on a busy host. Sourced after tap.sh.

# wait_until COMMAND... - try until it succeeds, for up to a minute
wait_until()
{
	for _ in $(seq 600); do
		"$@" && return
		usleep 100000
	done
	echo "in vain: $*"
	return 1
}

# prints EXPECTED COMMAND...
prints()
{
	expected=$1
	shift
	[ "$("$@")" = "$expected" ]
}

# tap_becomes DESCRIPTION EXPECTED COMMAND... - ok once the command prints EXPECTED;
# for values that other threads of the kernel bring about
tap_becomes()
{
	becomes=$1
	shift
	expected=$1
	wait_until prints "$@" >/dev/null
	shift
	tap_is "$becomes" "$("$@")" "$expected"
}
