# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Reading test results. Sourced after lib.sh.

# tap_read COUNTS - copy TAP from stdin to stdout, judge it, and leave variables
# to be sourced in the file COUNTS: passed, failed, skipped, results (how many
# there were), problem (empty if the results are all those that were planned).
# Without the plan and version lines if TAP_READ_INNER is set, for a caller who
# adds results of his own. (Not awk: it would not show lines as they come.)
tap_read()
{
	local counts=$1 line planned='' results=0 passed=0 failed=0 skipped=0 problem=''

	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%$'\r'}
		case $line in
		'ok '* | 'not ok '*)
			results=$((results + 1))
			[[ $line =~ ^(not\ )?ok\ ([0-9]+)(\ |$) ]] && [ "${BASH_REMATCH[2]}" = $results ] ||
				problem=${problem:-"result $results is out of order: $line"}
			case $line in
			not*) failed=$((failed + 1)) ;;
			*'# SKIP '[!\ ]*) skipped=$((skipped + 1)) ;;
			*'# SKIP'*)
				failed=$((failed + 1))
				problem=${problem:-"skipped without a reason: $line"}
				;;
			*) passed=$((passed + 1)) ;;
			esac
			;;
		1..*)
			[ -z "$planned" ] || problem=${problem:-"two plans"}
			planned=${line#1..}
			;;
		'Bail out!'*)
			problem=${problem:-$line}
			;;
		esac
		case ${TAP_READ_INNER-}$line in
		yes1..* | yes'TAP version'*) ;;
		*) printf '%s\n' "$line" ;;
		esac
	done

	if [ -z "$planned" ]; then
		problem=${problem:-"no plan"}
	elif [ "$planned" != $results ]; then
		problem=${problem:-"$results of $planned results"}
	elif [ $results = 0 ]; then
		problem=${problem:-"no results"}
	fi
	printf '%s=%q\n' passed $passed failed $failed skipped $skipped \
		results $results problem "$problem" >"$counts"
}
