# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# VFs that an update cannot take over: have one, and see that it is reported.
# Sourced after hotupdate.sh, uevents.sh and log.sh.

# spoil VF - the next save writes something wrong for it
spoil()
{
	mark_log
	# env prints the variables of each uevent
	listen env && set_attr /sys/module/vgpu/parameters/corrupt_vf "$1"
}

# lost_is_reported VF REASON - in all the ways there are
lost_is_reported()
{
	# shellcheck disable=SC2154 # from uevents.sh
	wait_until grep -q VGPU_REASON "$uevents"
	stop_listening
	for line in VGPU_EVENT=vf_lost "VGPU_VF=$1" "VGPU_REASON=$2"; do
		grep -qxF "$line" "$uevents" || {
			echo "no uevent with $line"
			return 1
		}
	done
	log_has "VF $1 is lost in the update, and reset: $2" >/dev/null || {
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
