# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What the scenarios share: loading, provisioning, updating. Sourced after
# tap.sh.

gpu=vgpu.0
adapter=/sys/class/drm_hotupdate/platform:$gpu
device=/sys/devices/platform/$gpu
admin=$device/sriov_admin
counters=/sys/kernel/debug/vgpu_sim/$gpu

# load_base [PARAMETER=VALUE...] - everything but the driver; the parameters
# are those of the simulated device
load_base()
{
	# shellcheck disable=SC2046 # one word for each module
	modprobe -a $(cat /modules/depends) &&
		insmod /modules/drm_hotupdate.ko &&
		insmod /modules/vgpu_sim.ko "$@"
}

# load_driver RELEASE [PARAMETER=VALUE...] - that the module is in the kernel
# does not mean that its driver took the device
load_driver()
{
	release=$1
	shift
	insmod "/modules/v$release/vgpu.ko" "$@" && [ -e "$device/driver" ]
}

# set_attr FILE VALUE
set_attr()
{
	vgpu_file write "$1" "$2" 2>&1
}

get_attr()
{
	cat "$1" 2>&1
}

# prepare [VERSION]
prepare()
{
	set_attr "$adapter/prepare" "${1:-0}"
}

# replace_driver RELEASE [VERSION] - a whole update
replace_driver()
{
	prepare "${2:-0}" && rmmod vgpu && load_driver "$1"
}

# provision N - so many VFs, every second one backed by system memory, with a
# quota of QUOTA bytes each, 2 MiB unless it is set
provision()
{
	vf=1
	while [ "$vf" -le "$1" ]; do
		set_attr "$admin/vf$vf/profile/mem_quota" "${QUOTA:-2097152}" || return
		if [ $((vf % 2)) = 0 ]; then
			set_attr "$admin/vf$vf/profile/backing" system || return
		fi
		vf=$((vf + 1))
	done
	set_attr "$admin/num_vfs" "$1"
}

unload_all()
{
	rmmod vgpu && rmmod vgpu_sim && rmmod drm_hotupdate
}

# counter NAME - of the simulated device
counter()
{
	cat "$counters/$1"
}
