# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# VFs that an update cannot take over: have one, and see that it is reported.
# Sourced after hotupdate.sh and guests.sh.

# spoil VF - the next save writes something wrong for it
spoil()
{
	# what is reported by uevents goes to a file; env is run for each
	uevent env >/tmp/uevents &
	listener=$!
	set_attr /sys/module/vgpu/parameters/corrupt_vf "$1"
}

# lost_is_reported VF REASON - in all the ways there are
lost_is_reported()
{
	wait_until grep -q VGPU_REASON /tmp/uevents
	kill "$listener"
	for line in VGPU_EVENT=vf_lost "VGPU_VF=$1" "VGPU_REASON=$2"; do
		grep -qxF "$line" /tmp/uevents || {
			echo "no uevent with $line"
			return 1
		}
	done
	dmesg | tail -n 40 | grep -qF "VF $1 is lost in the update, and reset: $2" || {
		echo "the log does not have it"
		return 1
	}
	has_vf_state "lost: $2" "$1"
}

# has_vf_state STATE VFS
has_vf_state()
{
	for vf in $2; do
		# shellcheck disable=SC2154 # hotupdate.sh has it
		state=$(get_attr "$admin/vf$vf/state")
		[ "$state" = "$1" ] || {
			echo "VF $vf is $state, not $1"
			return 1
		}
	done
}
