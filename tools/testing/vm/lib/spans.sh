# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Spans of time that guests have given figures of, see vgpu_guest --help: with an
# update and without. Sourced after guests.sh.

# mark_guests VFS - they begin a new span
mark_guests()
{
	pids=
	for guest in $1; do
		eval "pids=\"\$pids \$guest_pid$guest\""
	done
	# shellcheck disable=SC2086 # several words
	kill -34 $pids
}

# span_pairs VF - of the guest's spans, three at a time without the first one: a
# line with microseconds, completions and longest gap of one, and of the next
span_pairs()
{
	awk -F '[=_]' '
		/^spans=/ { n = $2 }
		/^span[0-9]+_us=/ { us[substr($1, 5)] = $3 }
		/^span[0-9]+_completions=/ { done[substr($1, 5)] = $3 }
		/^span[0-9]+_longest_gap_us=/ { gap[substr($1, 5)] = $5 }
		END { for (i = 1; i + 1 < n; i += 3)
			print us[i], done[i], gap[i], us[i + 1], done[i + 1], gap[i + 1] }' \
		"/tmp/guest$1"
}

# in_span VFS SPAN KEY - that of each of them, one a line
in_span()
{
	for guest in $1; do
		guest_get "$guest" "span$2_$3"
	done
}

most_in_span()
{
	in_span "$@" | sort -n | tail -n 1
}

sum_in_span()
{
	in_span "$@" | awk '{ sum += $1 } END { print sum + 0 }'
}
