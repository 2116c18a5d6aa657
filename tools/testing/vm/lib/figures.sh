# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Figures: what was measured, and distributions of it. They are noted wherever
# they come up, also in a case whose output is not shown, and reported at the
# end. Sourced after tap.sh.

figures=/tmp/figures

# distribution FILE - "median p99 max" of the numbers in it, one a line
distribution()
{
	sort -n "$1" | awk '
		{ value[NR] = $1 }
		function rank(p) { r = int(p * NR + 0.999999); return value[r < 1 ? 1 : r] }
		END { if (NR) print rank(0.5), rank(0.99), value[NR]; else print 0, 0, 0 }'
}

median()
{
	distribution "$1" | cut -d ' ' -f 1
}

least()
{
	sort -n "$1" | head -n 1
}

# figure FORMAT VALUE... - a line of the report
figure()
{
	format=$1
	shift
	# shellcheck disable=SC2059 # it is a format
	printf "$format\n" "$@" >>$figures
}

# tap_ratio DESCRIPTION COMMAND... - as tap_case, for what the clock of
# instructions alone can judge: by any other one the host's load would decide
tap_ratio()
{
	if grep -q hotupdate.clock=instructions /proc/cmdline; then
		tap_case "$@"
	else
		tap_skip "$1" "there is no clock of instructions"
	fi
}

# at_most WHAT VALUE LIMIT
at_most()
{
	tap_ratio "$1: $2, of $3 that may be" [ "$2" -le "$3" ]
}

# figure_clock - what a microsecond is, see README.md
figure_clock()
{
	! grep -q hotupdate.clock=instructions /proc/cmdline ||
		figure "A us is the time of a thousand instructions."
}

report_figures()
{
	tap_report "$(cat $figures)"
}

# distribution_line WHAT FILE DIVISOR
distribution_line()
{
	# shellcheck disable=SC2046 # three words
	set -- "$1" "$3" $(distribution "$2")
	figure '%-36s %10d %10d %10d' "$1" $(($3 / $2)) $(($4 / $2)) $(($5 / $2))
}

# histogram KEY REPORT... - a line for each power of two, over all the guests'
# reports: how many were below it and not below the one before
histogram()
{
	key=$1
	shift
	cat "$@" | sed -n "s/^${key}_below_\([0-9]*\)us=/\1 /p" | sort -n | awk '
		function show(i) {
			printf "%12d %10d %6.2f %%  ", us[i], count[i], 100 * count[i] / all
			for (j = 0; j < count[i] * 30 / most; j++) printf "*"
			print ""
		}
		$1 != us[n] { us[++n] = $1 }
		{ count[n] += $2; all += $2; if (count[n] > most) most = count[n] }
		END { for (i = 1; i <= n; i++) show(i) }' >>$figures
}

# sum_of KEY REPORT...
sum_of()
{
	key=$1
	shift
	cat "$@" | awk -F = -v key="$key" '$1 == key { sum += $2 } END { print sum + 0 }'
}
