# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The driver is replaced, to an older release and back, while guests use their
# VFs. What has happened is for the guests to say: they verify every result.
# init_on_free makes memory that is freed too early be noticed.
# cmdline: slub_debug=FZPU init_on_free=1
# memory: 1024

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh

vfs=8

# begin_guests - of both backings, some wait by poll and some by an eventfd
begin_guests()
{
	for vf in $(seq $vfs); do
		if by_eventfd "$vf"; then
			launch_guest "$vf" -e
		else
			launch_guest "$vf"
		fi
	done
	for vf in $(seq $vfs); do
		wait_until guest_works "$vf" && wait_until was_served_by "$vf" 1 || return
	done
}

# was_served_by VF RELEASE - its last answer about the driver came from RELEASE
was_served_by()
{
	[ "$(guest_get "$1" pf_release_last)" = "$2" ]
}

were_served_by()
{
	for vf in $(seq $vfs); do
		wait_until was_served_by "$vf" "$1" || return
	done
}

by_eventfd()
{
	[ $((($1 - 1) / 2 % 2)) = 1 ]
}

# was_woken VF - by its eventfd, and not only by looking every tenth of a second;
# one event can be for all that is in flight
was_woken()
{
	events=$(guest_get "$1" events)
	completions=$(guest_get "$1" completions)
	[ "$((events * 8))" -ge "$completions" ] || {
		echo "$events events for $completions completions"
		return 1
	}
}

tap_case "the base loads" load_base vram_mb=32 total_vfs=$vfs
tap_case "release 1 takes the device" load_driver 1
tap_case "$vfs VFs are provisioned" provision $vfs
case_here "guests begin" begin_guests
generation=0
for step in "1 1 2 2" "2 1 1 1" "1 1 2 2" "2 2 2 2"; do
	# from release, state version, to release, state version afterwards
	# shellcheck disable=SC2086 # four words
	set -- $step
	what="release $1 -> $3 in state version $2"
	generation=$((generation + 1))
	tap_case "$what" replace_driver "$3" "$2"
	tap_is "$what: state" "$(get_attr "$adapter/state")" running
	tap_is "$what: generation" "$(get_attr "$adapter/generation")" $generation
	tap_is "$what: version" "$(get_attr "$adapter/version")" "$4"
	tap_is "$what: nothing is held" "$(get_attr "$adapter/blocks")" 0
	tap_is "$what: all VFs are enabled" "$(get_attr "$admin/num_vfs")" $vfs
	tap_case "$what: guests go on" guests_go_on
done
tap_case "the guests get answers of release 2" were_served_by 2
case_here "nothing was ever wrong with any guest" stop_guests
for vf in $(seq $vfs); do
	tap_is "guest $vf was served by both releases" \
		"$(guest_get "$vf" pf_release_first)$(guest_get "$vf" pf_release_last)" 12
	! by_eventfd "$vf" || tap_case "guest $vf was woken by its eventfd" was_woken "$vf"
	tap_is "guest $vf got each answer once" "$(guest_get "$vf" mailbox_errors)" 0
done
tap_case "nothing was done to the device" device_is_well
tap_is "the device was reset at the first start only" "$(counter device_resets)" 1
tap_becomes "nobody waits for an answer" "$(counter mailbox_requests)" \
	counter mailbox_answers
tap_case "the modules unload" unload_all
tap_done
