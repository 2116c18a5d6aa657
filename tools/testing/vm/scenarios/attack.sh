# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Some guests attack while the driver is replaced: with doorbells, with commands
# that are malformed or out of range, with requests, with reports of faults. It is
# they who get faults, are reset, and wait; the others notice no more of them than
# of neighbours that work hard.
# cmdline: slub_debug=FZPU init_on_free=1
# clock: instructions
# memory: 1024

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh
. ./lib/figures.sh
. ./lib/spans.sh

bystanders="1 2 3 4"
attackers="5 6 7 8"	# of both backings
reporter=9		# attacks with reports of faults, and is reset for each
updates=6		# of each kind
attacks="bad_doorbells bad_commands out_of_range"

# updates_in_a_row - to and fro
updates_in_a_row()
{
	for to in $(seq $updates); do
		usleep 300000
		replace_driver $((to % 2 + 1)) 1 || return
		[ "$(get_attr "$adapter/state")" = running ] || return
	done
	usleep 300000
}

neighbours_begin()
{
	for vf in $attackers; do
		start_guest "$vf" -m 256K -i 5 || return
	done
}

attack_begins()
{
	launch_guest 5 --storm doorbell
	launch_guest 6 --storm range
	launch_guest 7 --storm mailbox
	launch_guest 8 --storm mailbox
	launch_guest $reporter --storm fault
	for vf in $attackers $reporter; do
		wait_until guest_storms "$vf" || return
	done
}

guest_storms()
{
	[ "$(guest_get "$1" completions)" -gt 2 ] 2>/dev/null
}

counted_more()
{
	[ "$(counter "$1")" -gt "$2" ]
}

# there_is_enough - of each kind of attack, however fast the machine is
there_is_enough()
{
	for name in $attacks; do
		wait_until counted_more "$name" 10 || return
	done
	wait_until counted_more mailbox_requests $((requests + 1000)) &&
		wait_until counted_more resets_while_running $((2 * updates))
}

# they_go VFS
they_go()
{
	gone=0
	for vf in $1; do
		stop_guest "$vf" || gone=1
	done
	return $gone
}

within()
{
	[ "$3" -ge "$1" ] && [ "$3" -le "$2" ]
}

# at_most_times WHAT TIMES KEY - what the attack made of it is at most so many times
# what the neighbours did
at_most_times()
{
	beside=$(most_in_span "$bystanders" 1 "$3")
	attacked=$(most_in_span "$bystanders" 3 "$3")
	figure '%-36s %12d %12d' "$1" "$beside" "$attacked"
	at_most "$1, under attack, against $2 times that beside neighbours at work" \
		"$attacked" $((beside * $2))
}

tap_case "the base loads" load_base vram_mb=32 total_vfs=9
tap_case "release 1 takes the device" load_driver 1
tap_case "9 VFs are provisioned" provision 9
for vf in $bystanders; do
	case_here "guest $vf begins" start_guest "$vf" -m 512K -p 10 -i 20 -l 1
done

case_here "neighbours begin to work" neighbours_begin
mark_guests "$bystanders"
case_here "$updates updates beside them" updates_in_a_row
mark_guests "$bystanders"
case_here "nothing was wrong with the neighbours" they_go "$attackers"

requests=$(counter mailbox_requests)
case_here "the attack begins" attack_begins
mark_guests "$bystanders"
case_here "$updates updates under attack" updates_in_a_row
mark_guests "$bystanders"
case_here "there was enough of each attack" there_is_enough
case_here "the attackers got the faults that are due, and each answer once" \
	they_go "$attackers $reporter"

for vf in $attackers; do
	tap_is "attacker $vf got an answer to each request" \
		"$(guest_get "$vf" mailbox_answered)" "$(guest_get "$vf" mailbox_sent)"
	tap_is "VF $vf is enabled" "$(get_attr "$admin/vf$vf/state")" enabled
done
resets=$(guest_get $reporter storm_faults)
tap_is "VF $reporter was reset for each of its reports, and no other VF was" \
	"$(counter resets_while_running)" "$resets"
tap_is "VF $reporter is enabled" "$(get_attr "$admin/vf$reporter/state")" enabled
faults=0
for name in $attacks; do
	faults=$((faults + $(counter "$name")))
done
known=$(sum_of storm_faults /tmp/guest5 /tmp/guest6)
# each of the two may have ended before it saw its last one
tap_case "all $faults faults were the attackers' own, who know of $known" \
	within "$known" $((known + 2)) "$faults"
tap_diag "there were $(($(counter mailbox_requests) - requests)) requests in the attack"

case_here "nothing was ever wrong with a bystander" stop_guests
tap_is "all of their spans are there" \
	"$(for vf in $bystanders; do guest_get "$vf" spans; done | tr '\n' ' ')" "5 5 5 5 "
figure_clock
figure '%-36s %12s %12s' "of 4 bystanders, in $updates updates" "neighbours" attack
at_most_times "longest gap, us" 10 longest_gap_us
at_most_times "longest round trip of a request, us" 10 mailbox_longest_us
done_beside=$(($(sum_in_span "$bystanders" 1 completions) * 1000000 / $(most_in_span "$bystanders" 1 us)))
done_attacked=$(($(sum_in_span "$bystanders" 3 completions) * 1000000 / $(most_in_span "$bystanders" 3 us)))
figure '%-36s %12d %12d' "batches a second, of all of them" $done_beside $done_attacked
tap_ratio "they got at least a quarter as much work done" \
	[ $((done_attacked * 4)) -ge $done_beside ]
tap_case "nothing else was done to the device" device_is_well \
	bad_doorbells bad_commands out_of_range resets_while_running
tap_becomes "each request was answered" "$(counter mailbox_requests)" counter mailbox_answers
tap_is "the device was reset at the first start only" "$(counter device_resets)" 1
report_figures
tap_case "the modules unload" unload_all
tap_done
