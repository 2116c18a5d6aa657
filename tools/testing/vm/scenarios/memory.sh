# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Memory is back where it was after everything is unloaded, and does not grow
# with updates. Every call site that allocated something before the first module
# and after the last is compared.
# cmdline: slub_debug=U
# memory: 1024
# timeout: 600

. ./tap.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh

# sites - call sites of modules with allocations that are not free; those of a
# module that has gone have no name, only an address
sites()
{
	cat /sys/kernel/debug/slab/*/alloc_traces 2>/dev/null |
		grep -E '\[(drm_hotupdate|vgpu|vgpu_sim)\]|^ *[0-9]+ 0x[0-9a-f]+ ' || true
}

# free_kib - what is free, what would be if it was asked for, and what the
# processors keep for themselves
free_kib()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '/^(MemFree|SReclaimable):/ { sum += $2 } / count: / { sum += 4 * $2 }
	     END { print sum }' /proc/meminfo /proc/zoneinfo
}

# cycle - all that there is, with guests
cycle()
{
	insmod /modules/drm_hotupdate.ko &&
		insmod /modules/vgpu_sim.ko vram_mb=32 total_vfs=8 &&
		load_driver 2 && provision 4 && start_guests 4 &&
		replace_driver 2 && replace_driver 1 1 && replace_driver 2 1 &&
		guests_go_on && stop_guests &&
		prepare && set_attr "$adapter/cancel" 1 &&
		prepare && rmmod vgpu && set_attr "$adapter/discard" 1 &&
		rmmod vgpu_sim && wait_until rmmod drm_hotupdate
}

# shellcheck disable=SC2046 # one word for each module
tap_case "the kernel's own modules load" modprobe -a $(cat /modules/depends)
case_here "a first cycle, for what is allocated once" cycle
before=$(free_kib)
for round in 1 2 3; do
	case_here "cycle $round" cycle
done
after=$(free_kib)
tap_is "no allocation of the modules is left" "$(sites)" ""
tap_diag "free: $before KiB before, $after KiB after three cycles of updates of 4 VFs"
if [ $((before - after)) -lt 1024 ]; then
	tap_ok "memory is back where it was"
else
	tap_not_ok "memory is back where it was: $((before - after)) KiB less"
fi
tap_done
