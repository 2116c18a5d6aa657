# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Memory is back where it was after everything is unloaded, and does not grow
# with updates. Every call site that allocated something before the first module
# and after the last is compared.
# cmdline: slub_debug=U
# memory: 1024

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh
. ./lib/memory.sh

# cycle - all that there is, with guests
cycle()
{
	insmod /modules/drm_hotupdate.ko &&
		insmod /modules/vgpu_sim.ko vram_mb=32 total_vfs=8 &&
		load_driver 2 && provision 4 && start_guests 4 &&
		replace_driver 2 && replace_driver 1 1 && replace_driver 2 1 &&
		guests_go_on && sites_are_known && stop_guests &&
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
tap_is "no allocation of the modules is left" "$(sites)" ""
memory_is_back "memory is back where it was" "$before" 1024
tap_done
