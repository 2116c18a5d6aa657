# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# 200 updates in a row, release 1 and 2 in turn, under everything that goes on
# in a host meanwhile: guests at work with requests in the mailbox, guests that
# come and go, clients of the render node, and now and then a VF of which a
# wrong state is saved. Nothing is lost, nothing grows, and how long anybody had
# to wait is reported.
# cmdline: slub_debug=U,kmalloc-*
# clock: instructions
# memory: 1024
# timeout: 3600

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh
. ./lib/figures.sh
. ./lib/log.sh
. ./lib/uevents.sh
. ./lib/lost.sh
. ./lib/memory.sh
. ./lib/spans.sh

updates=200
residents="1 2 3 4 5 6"	# VFs whose guests stay
visited=7		# whose guests come and go
victim=8		# of which a wrong state is saved
vfs=8
# A light load: it is the number of updates that counts, and there is one
# processor for all.
load="-m 512K -b 4 -q 2 -p 5 -H"

release=1
generation=0
lost=0
visits=0
clients=0
waited=/tmp/waited	# how many requests, at each update
reports=/tmp/reports	# of guests that have gone
mkdir $reports

# begin VF - a guest on it
begin()
{
	# shellcheck disable=SC2086 # several words
	start_guest "$1" $load
}

# end VF - its guest goes, and its report is kept
end()
{
	gone=0
	stop_guest "$1" || gone=$?
	visits=$((visits + 1))
	mv "/tmp/guest$1" "$reports/$visits"
	return $gone
}

# waiting - requests that the driver has not answered
waiting()
{
	read -r answered <"$counters/mailbox_answers"
	read -r sent <"$counters/mailbox_requests"
	read -r dropped <"$counters/requests_lost"
	echo $((sent - answered - dropped)) >>$waited
}

note_blackout()
{
	for part in ns save_ns detached_ns replay_ns start_ns; do
		read -r ns <"$adapter/blackout_$part"
		echo "$ns" >>"/tmp/blackout_$part"
	done
}

# next_update - from one release to the other, in the only state version that
# both have, and now and then from 2 to 2 in version 2
next_update()
{
	to=$((3 - release))
	version=1
	if [ "$release" = 2 ] && [ $((generation % 7)) = 0 ]; then
		to=2
		version=2
	fi
	prepare $version && rmmod vgpu || return
	waiting
	load_driver $to || return
	release=$to
	generation=$((generation + 1))
	read -r state <"$adapter/state"
	read -r counted <"$adapter/generation"
	[ "$state $counted" = "running $generation" ] || {
		echo "update $generation: $state in generation $counted"
		return 1
	}
	note_blackout
}

# measured_update - and before it as long a time without one
measured_update()
{
	mark_guests "$residents"
	usleep "${length_us:-400000}"
	mark_guests "$residents"
	read -r begun _ </proc/uptime
	next_update || return
	mark_guests "$residents"
	read -r ended _ </proc/uptime
	length_us=$(echo "$begun $ended" | awk '{ printf "%d", ($2 - $1) * 1e6 }')
}

# another_visit - the guest that is there goes, another one comes
another_visit()
{
	end $visited && begin $visited
}

client()
{
	clients=$((clients + 1))
	vgpu_client -r "$release" -b 16384
}

# its_guest_is_told - by a reset, and it has seen nothing else that is wrong
its_guest_is_told()
{
	! end $victim >/dev/null &&
		[ "$(sum_of errors "$reports/$visits")" = 1 ] &&
		[ "$(sum_of resets "$reports/$visits")" = 1 ]
}

# corrupted_update - of one VF something wrong is saved: it is lost, and comes
# back when it is asked for
corrupted_update()
{
	spoil $victim && next_update &&
		lost_is_reported $victim "the checksum does not fit" &&
		has_vf_state enabled "$residents $visited" && its_guest_is_told || return
	lost=$((lost + 1))
	# nobody brings it back unasked
	next_update && has_vf_state "lost: an earlier update lost it" $victim &&
		set_attr "$admin/vf$victim/reset" 1 && begin $victim
}

# up_to N - updates until there were so many, and what goes on between them
up_to()
{
	while [ $generation -lt "$1" ]; do
		case $((generation % 40)) in
		25) corrupted_update ;;
		*5) measured_update ;;
		*) next_update ;;
		esac || return
		case $((generation % 10)) in
		1 | 6) client ;;
		3) another_visit ;;
		8) guests_go_on ;;
		esac || return
	done
}

# not_while_used - a client of the render node keeps the driver from going, in
# the middle of an update too
not_while_used()
{
	rm -f /tmp/client
	vgpu_client -w >/tmp/client &
	client=$!
	wait_until grep -q waiting /tmp/client && prepare 1 || return
	if rmmod vgpu; then
		echo "the driver went with a client there"
		return 1
	fi
	set_attr "$adapter/cancel" 1 && kill $client
	wait $client
	return 0
}

# has_gone_on VF - in the updates that were measured it got at least a quarter
# of the work done that it did in the times of equal length before
has_gone_on()
{
	span_pairs "$1" | awk -v vf="$1" '
		{ calm += $2; busy += $5 }
		END { if (NR < 15 || busy * 4 < calm) {
			print "VF " vf ": " busy " in " NR " updates, " calm " without"; exit 1
		} }'
}

# no_guest_waited - for a driver: no gap is as long as a typical update
no_guest_waited()
{
	longest=$(distribution /tmp/gaps_update | cut -d ' ' -f 3)
	usual=$(($(median /tmp/blackout_ns) / 1000))
	[ "$longest" -lt "$usual" ] || {
		echo "a guest got nothing done for $longest us, an update takes $usual us"
		return 1
	}
}

note_figures()
{
	for vf in $residents; do
		span_pairs "$vf"
	done >/tmp/spans
	cut -d ' ' -f 3 /tmp/spans >/tmp/gaps_calm
	cut -d ' ' -f 6 /tmp/spans >/tmp/gaps_update
	figure "$updates updates under load, $visits guests that went, $clients clients, %s" \
		"$lost VFs lost"
	figure_clock
	figure '%-36s %10s %10s %10s' "" median "99 %" most
	figure "time without PF service, us"
	distribution_line "  in all" /tmp/blackout_ns 1000
	distribution_line "  save" /tmp/blackout_save_ns 1000
	distribution_line "  module out, module in" /tmp/blackout_detached_ns 1000
	distribution_line "  replay" /tmp/blackout_replay_ns 1000
	distribution_line "  start" /tmp/blackout_start_ns 1000
	distribution_line "requests that waited for the driver" $waited 1
	figure "longest gap between completions of each resident guest, us"
	distribution_line "  in an update" /tmp/gaps_update 1
	distribution_line "  in as long a time before it" /tmp/gaps_calm 1
	figure "all gaps between completions, by length: below, us"
	histogram gap /tmp/guest[0-9] $reports/*
	figure "all round trips of requests, by length: below, us"
	histogram mailbox /tmp/guest[0-9] $reports/*
}

tap_case "the base loads" load_base vram_mb=32 total_vfs=$vfs
tap_case "release $release takes the device" load_driver $release
tap_case "$vfs VFs are provisioned" provision $vfs
for vf in $residents $visited $victim; do
	case_here "a guest begins on VF $vf" begin "$vf"
done
case_here "no update while a client uses the render node" not_while_used
case_here "10 updates" up_to 10
tap_case "the modules' allocations are known" sites_are_known
before=$(allocations)
free_before=$(free_kib)
case_here "100 updates" up_to 100
free_between=$(free_kib)
case_here "$updates updates" up_to $updates
tap_case "the modules had allocated something after 10 updates" [ -n "$before" ]
tap_is "there were $updates updates" "$(get_attr "$adapter/generation")" $updates
tap_is "of which five lost a VF" $lost 5
tap_becomes "the modules' allocations are those after 10 updates" "$before" allocations
tap_diag "free: $free_between KiB after 100 updates"
memory_is_back "less than a page an update is missing" "$free_before" $((updates * 3))
case_here "all guests go on" guests_go_on
case_here "the last visitor goes" end $visited
case_here "so does the victim's guest" end $victim
case_here "nothing was ever wrong with a guest that stayed" stop_guests
for vf in $residents; do
	tap_ratio "guest $vf went on in the updates" has_gone_on "$vf"
	tap_is "guest $vf got each answer once" \
		"$(guest_get "$vf" mailbox_answered) $(guest_get "$vf" mailbox_errors)" \
		"$(guest_get "$vf" mailbox_sent) 0"
done
tap_case "nothing else was done to the device" device_is_well \
	resets_while_running requests_lost
tap_is "a reset for each VF that was lost, under its guest" \
	"$(counter resets_while_running)" $lost
tap_becomes "each request was answered, or went with its VF" \
	"$(counter mailbox_requests)" requests_over
tap_is "the device was reset at the first start only" "$(counter device_resets)" 1
tap_ratio "in most updates requests waited" \
	[ "$(distribution $waited | cut -d ' ' -f 1)" -gt 0 ]
note_figures
report_figures
tap_ratio "no guest waited for a driver" no_guest_waited
tap_case "the modules unload" unload_all
tap_done
