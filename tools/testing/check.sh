#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check.sh quick|check|all: the tests, as parts.sh declares them. Goes on after a
# failure; a part that could not run counts as failed, one that is left out as
# skipped. The last line on stdout is the count. V=1 shows every result, not only
# those that are not ok.
#
# With quick, KDIR= and KSRC= take a build tree and a source of the user's own.

# What somebody has set for builds of their own; the stock kernel is chosen part by part.
unset STOCK VGPU STATE_VERSION W C
source "$(dirname "$0")/lib.sh"
source "$TESTING/tap-read.sh"
source "$TESTING/parts.sh"

target=${1:?usage: check.sh quick|check|all}
purposes=()
if [ "$target" = quick ]; then
	purposes=(modules vm kunit)
else
	unset KDIR KSRC ARCH CROSS_COMPILE LLVM
fi

# Those results that are not ok or were skipped, with what is said about them. With the
# name of the part, as another can run beside it.
notable()
{
	local line shown=''

	while IFS= read -r line; do
		case $line in
		'not ok '* | 'ok '*'# SKIP'*) shown=yes ;;
		'#'*) ;;
		*) shown=${V-} ;;
		esac
		[ -z "$shown" ] || printf '  %s: %s\n' "$1" "$line"
	done
}

log_of()
{
	echo "$LOGS/check-${1// /-}.log"
}

# run_part NAME KIND COMMAND... - leaves how many results there were, and what went
# wrong besides, in variables to be sourced in the file of the log's name with .result
run_part()
{
	local name=$1 kind=$2 log status=0 start=$SECONDS
	local passed=0 failed=0 skipped=0 problem=''

	shift 2
	log=$(log_of "$name")
	rm -f "$log.result"
	if [ "$kind" = tap ]; then
		ticking "$name" env PATH="$TESTING:$PATH" "$@" | tap_read "$log.counts" |
			tee "$log" | notable "$name"
		status=${PIPESTATUS[0]}
		problem="no count" # unless there is one
		# shellcheck source=/dev/null
		source "$log.counts"
		if [ -n "$problem" ]; then
			failed=$((failed + 1))
		elif [ "$status" != 0 ] && [ "$failed" = 0 ]; then
			failed=1
			problem="status $status though nothing failed"
		fi
	elif [ "$kind" = kernel ]; then
		use_kernel "$@" || {
			failed=1
			problem="it cannot be had"
		}
	elif ! ticking "$name" env PATH="$TESTING:$PATH" "$@" >"$log"; then
		failed=1
		problem="could not be done"
	fi
	[ -z "$problem" ] || echo "  not ok - $name: $problem"
	[ $failed = 0 ] || echo "  the logs: $log, and others in $LOGS"
	say "  $name: $passed passed, $failed failed, $skipped skipped"
	printf '%s=%q\n' passed $passed failed $failed skipped $skipped \
		seconds $((SECONDS - start)) >"$log.result"
}

# run_queue QUEUE - its parts in their order, but for those that another runner has begun
run_queue()
{
	local number=0 part queue kind name command words

	for part in "${parts[@]}"; do
		IFS='|' read -r queue kind name command <<<"$part"
		number=$((number + 1))
		[ "$queue" = "$1" ] || continue
		mkdir "$claims/$number" 2>/dev/null || continue
		say "[$number/${#parts[@]}] $name"
		read -ra words <<<"$command"
		set +e # its failure is counted, not fatal
		run_part "$name" "$kind" "${words[@]}"
		set -e
		# whose parts would go on without anybody to count them
		kill -0 $$ 2>/dev/null || exit
	done
}

# An emulated machine keeps one processor busy. Compilers and UML have what it leaves,
# as their scripts start them with nice. When all machines have run, both runners build.
run_beside()
{
	local runner runners=()

	trap 'for runner in "${runners[@]}"; do kill_tree "$runner"; done' EXIT
	if [ "$(nproc)" != 1 ]; then
		run_queue built &
		runners+=($!)
	fi
	{
		run_queue emulated
		run_queue built
	} &
	runners+=($!)
	wait "${runners[@]}" || true
	trap - EXIT
}

# What is interrupted would otherwise go on in the background.
kill_tree()
{
	local child children

	kill -STOP "$1" 2>/dev/null || return 0
	read -ra children <"/proc/$1/task/$1/children" || true
	for child in "${children[@]}"; do
		kill_tree "$child"
	done
	kill -KILL "$1" 2>/dev/null || true
}

# Leaves the sums.
sum_up()
{
	local part queue kind name command passed failed skipped seconds result

	for part in "${parts[@]}"; do
		IFS='|' read -r queue kind name command <<<"$part"
		passed=0 failed=1 skipped=0 seconds=0 # if it was never begun, or ended
		result=$(log_of "$name").result
		# shellcheck source=/dev/null
		[ ! -e "$result" ] || source "$result"
		total_passed=$((total_passed + passed))
		total_failed=$((total_failed + failed))
		total_skipped=$((total_skipped + skipped))
		printf '%-22s %5d s  %4d passed  %4d failed  %4d skipped\n' \
			"$name" "$seconds" "$passed" "$failed" "$skipped"
	done
}

# What chance has chosen, for another run with the same
print_seeds()
{
	local seeds

	seeds=$(find "$LOGS" -maxdepth 2 \( -name 'check-*.log' -o -name '*-kernel.log' \) \
			-newer "$LOGS/check-begin" -exec cat {} + |
		{ grep -aohE '([a-z_]+\.seed|[A-Z_]+_SEED)=[0-9]+' || true; } |
		sort -u | tr '\n' ' ')
	[ -z "$seeds" ] || echo "seeds: $seeds"
}

lock "$WORK_LOCK"
rm -rf "$LOGS"/check-*
claims=$LOGS/check-claims
mkdir "$claims"
touch "$LOGS/check-begin"
declare_parts
run_queue first
run_beside

total_passed=0 total_failed=0 total_skipped=${#left_out[@]}
echo
sum_up
print_seeds
[ ${#left_out[@]} = 0 ] || printf 'skipped: %s\n' "${left_out[@]}"
echo "in all $(elapsed), kept in $CACHE"
skipped=
[ "$total_skipped" = 0 ] || skipped=", $total_skipped skipped"
echo "$total_passed passed, $total_failed failed$skipped"
[ $total_failed = 0 ] && [ $total_passed != 0 ]
