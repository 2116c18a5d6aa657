#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check.sh: every test there is. Goes on after a failure; a part that could not
# run counts as failed. The last line on stdout is the count. V=1 shows every
# result, not only those that are not ok.

source "$(dirname "$0")/lib.sh"
source "$TESTING/tap-read.sh"

# What is run: its name, whether it prints results (tap), only has to succeed
# (step), or is a kernel that all others are to use (kernel), the command. The
# scenarios follow from the files.
parts=(
	"packages|step|install-deps.sh"
	"stock kernel|kernel|stock"
	"source of $LTS|kernel|source $LTS"
	"source of $NEWEST|kernel|source $NEWEST"
	"modules|tap|build-modules.sh"
	"lint|tap|lint.sh"
	"htmldocs|tap|htmldocs.sh"
	"initramfs|step|initramfs.sh"
)
for script in "$TESTING"/vm/scenarios/*.sh; do
	scenario=$(basename "$script" .sh)
	[ "$scenario" = demo ] || parts+=("vm $scenario|tap|vm-run.sh $scenario")
done
parts+=(
	"demo|step|vm-run.sh --raw demo"
	"kunit $LTS plain|tap|kunit.sh $LTS plain"
	"kunit $LTS debug|tap|kunit.sh $LTS debug"
	"kunit $NEWEST debug|tap|kunit.sh $NEWEST debug"
)

total_passed=0 total_failed=0 total_skipped=0
summary=()

# Those results that are not ok or were skipped, with what is said about them
notable()
{
	local line shown=''

	while IFS= read -r line; do
		case $line in
		'not ok '* | 'ok '*'# SKIP'*) shown=yes ;;
		'#'*) ;;
		*) shown=${V-} ;;
		esac
		[ -z "$shown" ] || printf '  %s\n' "$line"
	done
}

# run_part NAME KIND COMMAND...
run_part()
{
	local name=$1 kind=$2 log status=0 start=$SECONDS
	local passed=0 failed=0 skipped=0 problem=''

	shift 2
	log=$LOGS/check-${name// /-}.log
	if [ "$kind" = tap ]; then
		ticking "$name" "$TESTING/$1" "${@:2}" | tap_read "$log.counts" | tee "$log" | notable
		status=${PIPESTATUS[0]}
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
	elif ! ticking "$name" "$TESTING/$1" "${@:2}" >"$log"; then
		failed=1
		problem="could not be done"
	fi
	[ -z "$problem" ] || echo "  not ok - $name: $problem"
	[ $failed = 0 ] || echo "  the logs: $log, and others in $LOGS"

	total_passed=$((total_passed + passed))
	total_failed=$((total_failed + failed))
	total_skipped=$((total_skipped + skipped))
	summary+=("$(printf '%-20s %5d s  %4d passed  %4d failed  %4d skipped' \
		"$name" $((SECONDS - start)) "$passed" "$failed" "$skipped")")
}

lock "$WORK_LOCK"
rm -f "$LOGS"/check-*
number=0
for part in "${parts[@]}"; do
	IFS='|' read -r name kind command <<<"$part"
	number=$((number + 1))
	say "[$number/${#parts[@]}] $name"
	read -ra words <<<"$command"
	set +e # its failure is counted, not fatal
	run_part "$name" "$kind" "${words[@]}"
	set -e
done

echo
printf '%s\n' "${summary[@]}" "in all $(elapsed), kept in $CACHE"
skipped=
[ $total_skipped = 0 ] || skipped=", $total_skipped skipped"
echo "$total_passed passed, $total_failed failed$skipped"
[ $total_failed = 0 ] && [ $total_passed != 0 ]
