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
tap_done
