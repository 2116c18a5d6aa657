# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The modules load and unload in every order that the kernel allows.
# cmdline: slub_debug=FZPU

. ./tap.sh
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

# Loading fails when some of many devices are there, as whoever loads them is
# killed, and all the while somebody tries to open a window of the first one. It
# must not be one that goes.
keep_opening()
{
	while [ ! -e /tmp/enough ]; do
		if [ -e /dev/vgpu-vf1 ]; then
			(exec 3<>/dev/vgpu-vf1 && echo >/tmp/opened && usleep 2000000) 2>/dev/null
		fi
	done
}

load_until_killed()
{
	insmod /modules/vgpu_sim.ko devices=64 vram_mb=4 total_vfs=8 &
	loader=$!
	while [ ! -e /dev/vgpu4-vf1 ] && [ -e /proc/$loader ]; do
		usleep 1000
	done
	kill -KILL $loader
	wait $loader
	grep -q '^vgpu_sim ' /proc/modules
}

keep_opening &
keeper=$!
tap_fails "the device does not load if it is killed in the middle of it" load_until_killed
touch /tmp/enough
wait $keeper
tap_is "no window could be opened before that was known" \
	"$(cat /tmp/opened 2>&1)" "cat: can't open '/tmp/opened': No such file or directory"
tap_fails "none is left" [ -e /dev/vgpu-vf1 ]
tap_case "a device that fits loads after that" load sim
opens() { exec 3<>/dev/vgpu-vf8 && exec 3>&-; }
tap_case "its windows open" opens
tap_case "and it unloads" unload sim
tap_done
