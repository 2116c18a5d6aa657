#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# repeat.sh [--anew] N vm SCENARIO | N kunit [SERIES [CONFIG]]: runs a scenario, or the KUnit
# suites, until the table of runs has N of them, and prints the table. LOAD=yes runs
# them beside a load of this machine, which counts apart.
#
# With --anew the table is empty at first.
#
# Stops at the first failure and keeps its logs. Started again, it goes on where
# it was; it fails as long as the table has a failure. The table is of this very
# tree: after a change a new one begins. (Not KSRC=, whose changes it cannot see.)

source "$(dirname "$0")/lib.sh"

usage="usage: repeat.sh [--anew] N vm SCENARIO | N kunit [SERIES [CONFIG]]"
anew=
if [ "${1-}" = --anew ]; then
	anew=yes
	shift
fi
wanted=${1:?$usage}
kind=${2:?$usage}
[[ $wanted =~ ^[1-9][0-9]*$ ]] || die "'$wanted' is not a number of runs"
runs=$LOGS/repeat-runs
[ -z "$anew" ] || rm -f "$runs"
conditions=quiet
[ -z "${LOAD-}" ] || conditions=loaded

# tree_id - of all that a run is made of
tree_id()
{
	{
		basename "$kernel_dir"
		cd "$PROJECT" && project_files drivers include kunit samples tools Kbuild |
			tr '\n' '\0' | xargs -0 sha256sum
	} | sha256sum | cut -c1-12
}

# shellcheck disable=SC2154 # from use_kernel
case $kind in
vm)
	scenario=${3:?$usage}
	[ -e "$TESTING/vm/scenarios/$scenario.sh" ] || die "no scenario $scenario"
	name="vm $scenario"
	lock "$WORK_LOCK"
	"$TESTING/vm.sh" --build
	use_kernel stock "$STOCK"
	command=("$TESTING/vm-run.sh" "$scenario")
	[ "$scenario" != demo ] || command=("$TESTING/vm-run.sh" --raw demo)
	logs="vm-$scenario"
	;;
kunit)
	series=${3:-$LTS} config=${4:-plain}
	name="kunit $series $config"
	"$TESTING/install-deps.sh" kunit
	use_kernel source "$series"
	[ -z "${KSRC-}" ] || die "no table of runs in a kernel of your own, KSRC="
	command=("$TESTING/kunit.sh" "$series" "$config")
	logs="kunit-$series-$config"
	;;
*) die "$usage" ;;
esac
tree=$(tree_id)
log_name=${name// /-}-$conditions

# A line for each run: tree, conditions, seconds, ok or failed, name
# shellcheck disable=SC2016 # for awk
name_in='
	function name_in(line) {
		sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /, "", line)
		return line
	}'

# count_runs - how many there were, and how many of them failed
count_runs()
{
	awk -v tree="$tree" -v conditions="$conditions" -v name="$name" '
		$1 == tree && $2 == conditions && name_in($0) == name {
			n++
			failed += $4 != "ok"
		}
		END { print n + 0, failed + 0 }'"$name_in" "$runs"
}

print_table()
{
	printf '%-24s %-7s %5s %8s %10s\n' "runs of tree $tree" "" runs failures "longest, s"
	awk -v tree="$tree" '
		$1 == tree {
			row = sprintf("%-24s %-7s", name_in($0), $2)
			runs[row]++
			failures[row] += $4 != "ok"
			if ($3 > longest[row]) longest[row] = $3
		}
		END { for (row in runs)
			printf "%s %5d %8d %10d\n", row, runs[row], failures[row], longest[row] }
		'"$name_in" "$runs" | sort
}

# Two busy loops, one writer that fills memory, one that has the disk synced. They
# end with this script, however it ends.
start_load()
{
	"$TESTING/install-deps.sh" load
	mkdir -p "$WORK/load-$$"
	setpriv --pdeathsig TERM stress-ng --quiet --timeout 0 --temp-path "$WORK/load-$$" --cpu 2 \
		--vm 1 --vm-bytes 50% --hdd 1 --hdd-bytes 256M --hdd-opts fsync \
		</dev/null >"$LOGS/repeat-$log_name-load.log" 2>&1 &
	load=$!
	trap 'kill $load 2>/dev/null || true; wait; rm -rf "$WORK/load-$$"' EXIT
}

# keep_logs RUN
keep_logs()
{
	local to=$LOGS/repeat-failed/$log_name-$1

	rm -rf "$to"
	mkdir -p "$to"
	mv "$log" "$to/"
	cp "$LOGS/$logs"[-.]* "$to/"
	say "its logs are kept in $to"
}

# run_once NUMBER - what it prints goes to a log
run_once()
{
	local number=$1 start=$SECONDS result=ok log=$LOGS/repeat-$log_name.log

	ticking "run $number of $name" "${command[@]}" >"$log" || result=failed
	[ "$(tree_id)" = "$tree" ] || die "the tree has changed: this run is of no tree"
	echo "$tree $conditions $((SECONDS - start)) $result $name" >>"$runs"
	say "$name, $conditions: run $number of $wanted: $result"
	[ $result = ok ] && return
	grep -A 20 '^not ok' "$log" >&2 || true
	keep_logs "$number"
	return 1
}

touch "$runs"
read -r number _ < <(count_runs)
[ $conditions = quiet ] || [ "$number" -ge "$wanted" ] || start_load
while [ "$number" -lt "$wanted" ]; do
	number=$((number + 1))
	[ $conditions = quiet ] || kill -0 "$load" || die "the load has ended"
	run_once "$number" || break
done
print_table
read -r _ failed < <(count_runs)
[ "$failed" = 0 ]
