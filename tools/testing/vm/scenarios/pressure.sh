# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What saves and discards do to the rest of the kernel: to reclaim, to processes, to
# the page allocator and to the processors. Without init_on_alloc the allocator does
# not look at the pages that it gives out.
# cmdline: init_on_alloc=0
# memory: 2048
# timeout: 300
# stock-modules: hwpoison-inject

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/log.sh
. ./lib/memory.sh

files=/sys/kernel/debug/pressure
driver=/sys/bus/platform/drivers/pressure

# use N - the adapter of device pressure.N
use()
{
	device=pressure.$1
	adapter=/sys/class/drm_hotupdate/platform:$device
}

state() { get_attr "$adapter/state"; }
gone() { [ ! -e "$adapter" ]; }
unbind() { set_attr "$driver/unbind" "$device"; }
bind() { set_attr "$driver/bind" "$device"; }
see() { get_attr "$files/$1"; }
discard() { set_attr "$adapter/discard" force && wait_until gone; }
oom_kills() { sed -n 's/^oom_kill //p' /proc/vmstat; }

# parameters NAME=VALUE... - of the driver, all others as they are at first
parameters()
{
	for parameter in folios=0 order=0 write_combined=N scattered=N exhaust=N fill=N \
		device_ranges=0 "$@"; do
		set_attr "/sys/module/pressure/parameters/${parameter%%=*}" "${parameter#*=}" ||
			return
	done
}

# restart NAME=VALUE... - the driver starts anew, with other memory
restart()
{
	parameters "$@" && unbind && wait_until gone && bind && [ "$(state)" = running ]
}

# update - and what was saved is kept as blocks
update()
{
	prepare && unbind && bind && [ "$(state)" = running ]
}

# keep_blocks N - the driver of device 0 keeps so many restored blocks of one page
keep_blocks()
{
	use 0 && restart folios="$1" && update && set_attr "$files/dropped" 0 &&
		set_attr "$files/dropped_in_save" 0
}

# drops_caches - until there is a file $1
drops_caches()
{
	while [ ! -e "$1" ]; do
		echo 2 >/proc/sys/vm/drop_caches
	done
}

# saves_beside_reclaim N - so many saves while another task reclaims
saves_beside_reclaim()
{
	rm -f /tmp/stop
	drops_caches /tmp/stop &
	reclaimer=$!
	status=0
	for _ in $(seq "$1"); do
		if ! prepare || ! set_attr "$adapter/cancel" 1; then
			status=1
			break
		fi
	done
	touch /tmp/stop
	wait "$reclaimer"
	return $status
}

# is_above LIMIT FILE - what the module has counted
is_above()
{
	value=$(see "$2")
	[ "$value" -gt "$1" ] || {
		echo "$2 is $value"
		return 1
	}
}

# A hang is to be told of long before the scenario ends.
set_attr /proc/sys/kernel/hung_task_timeout_secs 30
tap_case "the core loads" insmod /modules/drm_hotupdate.ko
tap_case "the driver loads" insmod /modules/testing/pressure.ko
use 0
tap_is "and takes its devices" "$(state)" running

# a shrinker that drops blocks
tap_case "a driver keeps blocks" keep_blocks 8192
use 1
tap_case "another takes pages all over the memory" restart scattered=Y exhaust=Y
tap_case "it saves them where no memory is free" prepare
tap_case "blocks were dropped in the middle of the save" is_above 0 dropped_in_save
tap_diag "dropped: $(see dropped), by the save itself: $(see dropped_in_save)"
tap_case "cancel" set_attr "$adapter/cancel" 1
tap_case "a driver keeps blocks again" keep_blocks 8192
use 1
parameters
tap_case "another saves while caches are dropped" saves_beside_reclaim 10
tap_case "blocks were dropped beside the saves" is_above 0 dropped
tap_case "it goes on with less" restart

# Memory runs out. Other processes would be killed if they asked for some now.
kills=$(oom_kills)
free=$(free_kib)
mark_log
parameters fill=Y
tap_fails "a save of more than there is fails" prepare
case $tap_output in
*"Cannot allocate memory"*) tap_ok "for want of memory" ;;
*) tap_is "for want of memory" "$tap_output" "Cannot allocate memory" ;;
esac
case $(get_attr "$adapter/last_error") in
*"refused: no memory for its description"*) tap_ok "the reason is there" ;;
*) tap_is "the reason is there" "$(get_attr "$adapter/last_error")" "" ;;
esac
tap_is "the driver runs on" "$(state)" running
tap_is "no process was killed for it" "$(oom_kills)" "$kills"
tap_fails "nor looked for one to kill" log_has "invoked oom-killer"
memory_is_back "the memory is back" "$free" 4096
tap_case "the driver takes some memory" restart folios=100
tap_case "and saves it" prepare
tap_is "as usual" "$(get_attr "$adapter/blocks")" 100
tap_case "cancel of that" set_attr "$adapter/cancel" 1

# pages that are not write-back
tap_case "memory is write-combined" restart folios=300 order=1 write_combined=Y
tap_is "all of it" "$(see uncached)" 600
tap_case "it is saved" prepare
tap_case "the save is cancelled" set_attr "$adapter/cancel" 1
tap_is "it is the driver's, and stays as it is" "$(see uncached)" 600
tap_case "it is saved again" prepare
tap_case "the driver goes" unbind
tap_is "it stays as it is for the device" "$(see uncached)" 600
tap_case "discard" discard
tap_is "the page allocator gets write-back pages" "$(see uncached)" 0
tap_case "a driver begins anew" bind
for folio in "0 4" "9 2" "10 2"; do
	size=${folio% *}
	number=${folio#* }
	pages=$(((1 << size) * number))
	tap_case "order $size is write-combined" \
		restart folios="$number" order="$size" write_combined=Y
	tap_is "order $size: all of it" "$(see uncached)" $pages
	tap_case "order $size: update" update
	tap_is "order $size: restored as it was" "$(see uncached)" $pages
	tap_case "order $size: the driver drops the blocks" unbind
	tap_is "order $size: write-back at the end" "$(see uncached)" 0
	tap_case "order $size: a driver begins anew" bind
done

# memory that fails
tap_case "there is a large folio" restart folios=1 order=9
tap_case "it is saved" prepare
tap_case "the driver goes" unbind
modprobe hwpoison-inject
tap_fails "its last page fails" set_attr /sys/kernel/debug/hwpoison/corrupt-pfn "$(see last_pfn)"
mark_log
tap_case "discard" discard
tap_is "the page allocator does not get it" "$(see poisoned)" 0
tap_case "the log tells of it" log_has "512 saved pages are kept from the page allocator"
tap_case "a driver begins anew" bind

# very many ranges
ranges=${PRESSURE_RANGES:-2000000}
set_attr /proc/sys/kernel/watchdog_thresh 1
set_attr /sys/module/rcupdate/parameters/rcu_cpu_stall_timeout 3
parameters device_ranges="$ranges"
mark_log
tap_case "a block of $ranges ranges is saved" prepare
tap_diag "save: $(see save_ms) ms"
start=$(date +%s)
tap_case "cancel of that" set_attr "$adapter/cancel" 1
tap_diag "cancel: $(($(date +%s) - start)) s"
tap_fails "no processor was stuck" log_has "lockup"
tap_fails "nor RCU" log_has "stall"

tap_case "the modules unload" rmmod pressure
tap_case "so does the core" wait_until rmmod drm_hotupdate
tap_done
