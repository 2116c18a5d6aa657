# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What an update does, step by step, in the names of Windows: the trace of one
# with two VFs, one in VRAM and one in system memory, is what it has always been;
# so are those of a cancel, and of a replay that fails twice and is tried again.

. ./tap.sh
. ./lib/hotupdate.sh

tracing=/sys/kernel/tracing
windows="./trace/hotupdate-windows-trace.sh"

# record NAME COMMAND... - the trace of a command, which has to succeed
record()
{
	name=$1
	shift
	vgpu_file clear $tracing/trace || return
	"$@" || return
	cat $tracing/trace >"/tmp/$name.trace"
}

# as_expected NAME - the trace that was recorded, against the one that is kept
as_expected()
{
	$windows --golden "/tmp/$1.trace" >"/tmp/$1" &&
		grep -v '^#' "./trace/golden/$1" | diff -u - "/tmp/$1"
}

update()
{
	replace_driver 2
}

save_and_cancel()
{
	prepare && set_attr "$adapter/cancel" 1
}

# refused_driver PARAMETER=VALUE - one that the device does not get
refused_driver()
{
	! load_driver 2 "$1" && rmmod vgpu
}

update_at_the_third_attempt()
{
	prepare && rmmod vgpu && refused_driver fail_restore=3 &&
		refused_driver fail_start=1 && load_driver 2
}

# Each step that took time says so, and when it was.
has_times()
{
	$windows "/tmp/$1.trace" >"/tmp/$1.timed" &&
		[ "$(wc -l <"/tmp/$1.timed")" = "$(wc -l <"/tmp/$1")" ] &&
		! grep -vE '^[0-9]+\.[0-9]{6} ' "/tmp/$1.timed" &&
		! grep STATUS "/tmp/$1.timed" | grep -vE ', [0-9]+\.[0-9]{3} us  \['
}

has_no_pointers()
{
	! grep -E '0x|[0-9a-f]{16}' /tmp/*.trace
}

tap_case "the base loads" load_base vram_mb=32 total_vfs=8
tap_case "steps are traced" set_attr $tracing/events/drm_hotupdate/enable 1
tap_case "release 1 takes the device" record first-start load_driver 1
tap_case "two VFs are provisioned" provision 2

tap_case "release 1 is replaced by release 2" record update update
tap_case "a save is called off" record cancel save_and_cancel
tap_case "a replay fails, a start fails, the third attempt does not" \
	record retry update_at_the_third_attempt
for sequence in first-start update cancel retry; do
	tap_case "$sequence: the sequence is the one that is kept" as_expected $sequence
	tap_case "$sequence: with times and durations" has_times $sequence
done
tap_case "no trace has an address" has_no_pointers
tap_case "the modules unload" unload_all
tap_done
