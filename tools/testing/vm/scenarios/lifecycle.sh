# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What an administrator does to VFs while guests use them, and updates in between:
# a reset, taking all of them away and giving them again; and guests that give
# memory back and ask for it. Each guest is told of what was done to it, once, and
# no other one notices.
# cmdline: slub_debug=FZPU init_on_free=1
# memory: 1024

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh

bystanders="1 2"	# to whom nothing is done to until all VFs are disabled
victims="3 4"		# whose VFs are reset
ballooning="5 6"	# one of each backing, as of the others
vfs=6
losses=0		# of VFs, under a guest

# begin VF [OPTION...] - a guest that works in a part of its memory
begin()
{
	start_guest "$@" -m 512K
}

balloons_more()
{
	[ "$(guest_get "$1" balloons)" -ge "$2" ] 2>/dev/null
}

# they_balloon - each gets its memory back some times more
they_balloon()
{
	for vf in $ballooning; do
		wait_until balloons_more "$vf" $(($(guest_get "$vf" balloons) + 3)) || return
	done
}

# was_told VF - its guest is told that it lost the VF, or its memory, and has seen
# nothing else that is wrong
was_told()
{
	wait_until guest_is_over "$1" || return
	! stop_guest "$1" || return
	told="$(guest_get "$1" errors) $(($(guest_get "$1" resets) + $(guest_get "$1" memory_lost)))"
	[ "$told" = "1 1" ] || {
		echo "errors, and those of a reset: $told"
		return 1
	}
	losses=$((losses + 1))
}

guest_is_over()
{
	[ "$(guest_get "$1" running)" = 0 ]
}

# reset_victims - each under its guest, who is told; then another one comes
reset_victims()
{
	for vf in $victims; do
		set_attr "$admin/vf$vf/reset" 1 && was_told "$vf" && guests_go_on || return
	done
}

victims_begin()
{
	for vf in $victims; do
		begin "$vf" || return
	done
}

# update RELEASE - in the state version that both have, and guests go on
update()
{
	replace_driver "$1" 1 && guests_go_on
}

tap_case "the base loads" load_base vram_mb=32 total_vfs=8
tap_case "release 1 takes the device" load_driver 1
QUOTA=4194304 tap_case "$vfs VFs are provisioned" provision $vfs
for vf in $bystanders $victims; do
	case_here "a guest begins on VF $vf" begin "$vf"
done
for vf in $ballooning; do
	case_here "a guest with a balloon begins on VF $vf" begin "$vf" --balloon
done

case_here "memory goes and comes" they_balloon
tap_case "to release 2" update 2
case_here "memory goes and comes in release 2" they_balloon

case_here "VFs are reset under their guests" reset_victims
tap_case "to release 1 without those guests" update 1
case_here "guests begin on VFs that were reset before" victims_begin
tap_case "to release 2 with them" update 2
case_here "VFs are reset under their guests again" reset_victims
case_here "guests begin on VFs that were just reset" victims_begin
tap_case "to release 1, again" update 1
case_here "memory goes and comes in release 1" they_balloon
tap_is "memory is as it was" \
	"$(for vf in $bystanders $victims; do get_attr "$admin/vf$vf/mem_size"; done | sort -u)" \
	4194304
tap_case "nothing was done to the device but resets" device_is_well \
	resets_while_running requests_lost bad_doorbells
tap_is "a reset for each guest that lost its VF" \
	"$(counter resets_while_running)" $losses

# who rings between the reset and his being told of it
tap_case "no more than a doorbell from each of them" \
	[ "$(counter bad_doorbells)" -le $losses ]

tap_case "all VFs are disabled under their guests" set_attr "$admin/num_vfs" 0
for vf in $(seq $vfs); do
	case_here "the guest of VF $vf is told" was_told "$vf"
done
tap_case "to release 2 without a VF" replace_driver 2 1
tap_is "there is none" "$(get_attr "$admin/num_vfs")" 0
tap_case "all VFs are enabled again" set_attr "$admin/num_vfs" $vfs
for vf in $bystanders $victims; do
	case_here "a guest begins on VF $vf again" begin "$vf"
done
for vf in $ballooning; do
	case_here "a guest with a balloon begins on VF $vf again" begin "$vf" --balloon
done
tap_case "to release 1 with VFs that were enabled by release 2" update 1
case_here "memory goes and comes again" they_balloon
case_here "nothing was wrong with any of these guests" stop_guests
tap_case "nothing else was done to the device" device_is_well \
	resets_while_running requests_lost bad_doorbells
tap_becomes "each request was answered, or went with its VF" \
	"$(counter mailbox_requests)" requests_over
tap_is "the device was reset at the first start only" "$(counter device_resets)" 1
tap_case "the modules unload" unload_all
tap_done
