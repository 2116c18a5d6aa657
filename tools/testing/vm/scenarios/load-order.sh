# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The modules load and unload in every order that the kernel allows.
# cmdline: slub_debug=FZPU

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh

load()
{
	case $1 in
	core) insmod /modules/drm_hotupdate.ko ;;
	sim) insmod /modules/vgpu_sim.ko vram_mb=16 total_vfs=8 ;;
	vgpu) insmod /modules/v2/vgpu.ko ;;
	esac
}

unload()
{
	case $1 in
	core) rmmod drm_hotupdate ;;
	sim) rmmod vgpu_sim ;;
	vgpu) rmmod vgpu ;;
	esac
}

# The driver needs the core, nothing needs the device
orders_in="core,sim,vgpu core,vgpu,sim sim,core,vgpu"
orders_out="vgpu,core,sim vgpu,sim,core sim,vgpu,core"

# shellcheck disable=SC2046 # one word for each module
tap_case "the kernel's own modules load" modprobe -a $(cat /modules/depends)
tap_fails "the driver does not load without the core" load vgpu
for order_in in $orders_in; do
	for order_out in $orders_out; do
		for module in $(echo "$order_in" | tr , ' '); do
			load "$module" || break
		done
		tap_is "loaded as $order_in: the device is driven" \
			"$(get_attr "$adapter/state")" running
		tap_fails "the core does not unload under the driver" unload core
		for module in $(echo "$order_out" | tr , ' '); do
			unload "$module" || break
		done
		tap_is "unloaded as $order_out: none is left" \
			"$(grep -cE '^(drm_hotupdate|vgpu)' /proc/modules)" 0
	done
done

is_loaded()
{
	grep -q '^vgpu_sim ' /proc/modules
}

# watch_window - a process tries to open the first window over and over, and keeps
# it once it is open
watch_window()
{
	rm -f /tmp/watch
	mkfifo /tmp/watch
	vgpu_file watch vgpu_sim /dev/vgpu-vf1 >/tmp/watch &
	watcher=$!
	exec 4</tmp/watch
}

# wait_for_window - until an attempt has found the node, or a minute is over
wait_for_window()
{
	read -r _ <&4
}

# stop_watching - sets how many attempts ended in which way
stop_watching()
{
	opened='' other='' refused='' absent=''
	kill "$watcher"
	totals=$(grep "=" <&4)
	wait "$watcher"
	exec 4<&-
	for total in $totals; do
		eval "${total%=*}=${total#*=}"
	done
}

# killed_load - the module is to make so many devices that it is still at it when
# the first window is there; whoever loads it is killed then
killed_load()
{
	watch_window
	insmod /modules/vgpu_sim.ko devices=64 vram_mb=4 total_vfs=8 &
	loader=$!
	wait_for_window
	kill -KILL $loader
	wait $loader
	stop_watching
	! is_loaded
}

# load_is_killed - a load that was faster than its end is none; try again
load_is_killed()
{
	for _ in 1 2 3 4 5; do
		killed_load && return
		unload sim || return
	done
	return 1
}

# load_under_watch - it does not fail; the window opens when it is done
load_under_watch()
{
	watch_window
	loaded=0
	load sim && wait_until window_is_held || loaded=1
	stop_watching
	return $loaded
}

# An open file holds the module once for the device and once for its functions.
window_is_held()
{
	[ "$(awk '$1 == "vgpu_sim" { print $3 }' /proc/modules)" -ge 1 ]
}

# A load that fails frees the module, whoever holds it: nobody may open a window
# before the load is known to succeed.
tap_case "the device does not load if it is killed in the middle of it" load_is_killed
tap_is "no window could be opened meanwhile" "$opened of vgpu_sim, $other of others" \
	"0 of vgpu_sim, 0 of others"
tap_case "though it was tried: $refused times refused, $absent times absent" \
	[ "$refused" -ge 1 ]
tap_fails "none is left" [ -e /dev/vgpu-vf1 ]
tap_case "a device that fits loads after that" load_under_watch
tap_is "its first window opens" "$opened of vgpu_sim, $other of others" \
	"1 of vgpu_sim, 0 of others"
tap_case "so does its last" vgpu_file open vgpu_sim /dev/vgpu-vf8
tap_case "and it unloads" unload sim
tap_done
