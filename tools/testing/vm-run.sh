#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vm-run.sh [--raw] SCENARIO: boots the stock kernel STOCK in QEMU, with what
# initramfs.sh has packed, and runs a scenario of tools/testing/vm/scenarios.
# What it writes comes out of stdout: TAP, to which two results of the host are
# added, or with --raw anything. The kernel's messages go to a file. Fails if a
# result is not ok, if not all came that were planned, if the kernel complained,
# or if time ran out.

source "$(dirname "$0")/lib.sh"
source "$TESTING/tap-read.sh"
source "$TESTING/qemu.sh"

raw=
if [ "${1-}" = --raw ]; then
	raw=yes
	shift
fi
scenario=${1:?usage: vm-run.sh [--raw] SCENARIO}
initramfs=$STOCK_WORK/initramfs.cpio
script=$TESTING/vm/scenarios/$scenario.sh
[ -e "$script" ] || die "no scenario $scenario"
use_kernel stock "$STOCK"
stock=$kernel_dir
log=$LOGS/vm-$scenario-kernel.log
output=$LOGS/vm-$scenario.log
counts=$LOGS/vm-$scenario.counts
report=$LOGS/vm-$scenario-report.txt

# setting NAME DEFAULT - what the scenario itself asks for, see README.md
setting()
{
	local value

	value=$(sed -n "s/^# $1: *//p" "$script")
	echo "${value:-$2}"
}

# Up to a third of what is free here goes to a scenario that can do with less: something
# else can be built at the same time.
memory_mib()
{
	local least most part

	least=$(setting memory 512)
	most=$(setting memory-up-to "$least")
	part=$(awk '/^MemAvailable:/ { print int($2 / 3072) }' /proc/meminfo)
	[ "$part" -le "$most" ] || part=$most
	[ "$part" -ge "$least" ] || part=$least
	echo "$part"
}

timeout=$(setting timeout 1200)
# (Where the host is busy, the kernel could take the emulated timer for a dead one.)
cmdline=(console=ttyS0 no_timer_check panic=-1 oops=panic printk.devkmsg=on loglevel=7
	 "hotupdate.scenario=$scenario")

# A clock of instructions is one that goes on by a nanosecond with each, whatever
# else the host has to do, and over all sleep at once.
clock=()
case $(setting clock time),$qemu_accel in
instructions,tcg*)
	clock=(-icount "shift=0,sleep=off")
	cmdline+=(hotupdate.clock=instructions)
	;;
esac

# Of several lines, too
read -rd '' -a devices <<<"$(setting qemu '')" || true

boot()
{
	timeout --foreground "$timeout" "${qemu[@]}" \
		"${clock[@]}" "${devices[@]}" -smp 2 -m "$(memory_mib)" \
		-kernel "$stock/vmlinuz" -initrd "$initramfs" \
		-append "${cmdline[*]} $(setting cmdline '') ${HOTUPDATE_CMDLINE-}" \
		-chardev "file,id=kernel,path=$log" -serial chardev:kernel \
		-chardev stdio,id=results -serial chardev:results </dev/null
}

# Takes init's last line out of the stream, and keeps the status it tells.
until_end()
{
	local line

	while IFS= read -r line; do
		case $line in
		'end of scenario: '*) echo "${line##* }" >"$output.status" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}

show()
{
	if [ -n "$raw" ]; then
		cat
	else
		TAP_READ_INNER=yes tap_read "$counts"
	fi
}

rm -f "$log" "$output.status"
say "scenario $scenario: booting $(basename "$(readlink "$stock/modules")")"
qemu_status=0
boot | until_end | tee "$output" | show || qemu_status=$?
status=$(cat "$output.status" 2>/dev/null || true)
sed -n 's/^#> \?//p' "$output" >"$report"
if [ -s "$report" ]; then
	say "what $scenario has measured is in $report"
else
	rm "$report"
fi

unfinished=
if [ -z "$status" ]; then
	case $qemu_status in
	124) unfinished="no end within $timeout s" ;;
	*) unfinished="the machine stopped before the end (QEMU's status $qemu_status)" ;;
	esac
fi
splats=0
complaints=$("$TESTING/splats.sh" "$log") || splats=$?

if [ -n "$raw" ]; then
	[ -z "$unfinished" ] || say "$scenario: $unfinished, see $log"
	[ $splats = 0 ] || say "$scenario: the kernel complained, see $log:"$'\n'"$complaints"
	[ $splats = 0 ] || exit 1
	exit "${status:-1}"
fi

source "$TESTING/tap.sh"
# shellcheck source=/dev/null
source "$counts"
# shellcheck disable=SC2154 # from $counts
tap_number=$results tap_failed=$failed
# (a scenario's status is not 0 where one of its results is not ok)
if [ -z "$unfinished$problem" ] && { [ "$status" = 0 ] || [ "$failed" != 0 ]; }; then
	tap_ok "$scenario ran to its end"
else
	tap_not_ok "$scenario ran to its end"
	tap_diag "${unfinished:-${problem:-its status is $status}}"
	[ -z "$unfinished" ] || [ $splats != 0 ] || tap_diag "$(tail -n 20 "$log")"
fi
if [ $splats = 0 ]; then
	tap_ok "$scenario without a complaint of the kernel"
else
	tap_not_ok "$scenario without a complaint of the kernel"
	tap_diag "$complaints"
fi
tap_done
