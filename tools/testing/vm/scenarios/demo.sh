# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The demonstration: what an update is, also one that fails, and what it would be
# without. Not TAP: for people to read. Fails unless no guest noticed the updates,
# and all of them the plain reload.
# memory: 1024

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh

vfs=8
load="-m 256K -b 4 -q 2 -p 5"
broken=
reset=

say()
{
	printf '%s\n' "$*"
}

fail()
{
	say "FAILED: $*"
	exit 1
}

# must COMMAND... - or the demonstration is over
must()
{
	"$@" >/tmp/must 2>&1 || fail "$*: $(cat /tmp/must)"
}

us()
{
	echo $(($(get_attr "$adapter/blackout_$1") / 1000))
}

# bytes_of KIND... - of the stash, by how they were saved
bytes_of()
{
	awk -v kinds=" $* " 'index(kinds, " " $2 " ") { sum += $3 } END { print sum + 0 }' \
		"/sys/kernel/debug/drm_hotupdate/${adapter##*/}/blocks"
}

row()
{
	say "$(printf '%-14s %3s %6s %8s %6s %8s %8s %8s %9s' "$@")"
}

# leave VERSION - the driver that runs saves and goes
leave()
{
	must prepare "$1"
	blocks=$(get_attr "$adapter/blocks")
	kept=$(($(bytes_of ranges sgt device) / 1024))
	copied=$(bytes_of buffer)
	must rmmod vgpu
}

# arrive WHAT RELEASE - a driver comes, and takes over
arrive()
{
	must load_driver "$2"
	must guests_go_on
	row "$1" "$(get_attr "$adapter/generation")" "$blocks" "$kept" "$copied" \
		"$(us save_ns)" "$(us replay_ns)" "$(us start_ns)" "$(us ns)"
}

# fail_to_start RELEASE - a driver comes, and goes again without a trace
fail_to_start()
{
	if load_driver "$1" fail_start=1 >/tmp/must 2>&1; then
		fail "a driver that cannot start has taken the device"
	fi
	must rmmod vgpu
	[ "$(get_attr "$adapter/state") $(get_attr "$adapter/blocks")" = "detached $blocks" ] ||
		fail "after a driver that cannot start: $(get_attr "$adapter/state")," \
			"$(get_attr "$adapter/blocks") of $blocks blocks"
	must guests_go_on
	say "$(printf '%-14s %3s %6s   %s' "1 -> 2" - "$blocks" \
		"fails to start; all is as it was, and guests go on")"
}

begin_guests()
{
	# shellcheck disable=SC2086 # several words
	start_guests $vfs $load >/tmp/must 2>&1 || fail "the guests: $(cat /tmp/must)"
}

# guests_table - what each guest has to say; notes in $broken whom it hurt, and in
# $reset who lost his VF
guests_table()
{
	say "$(printf '%-22s %12s %8s %8s %16s' guest completions errors resets "longest gap, us")"
	for guest in $(seq $vfs); do
		say "$(printf '%-22s %12s %8s %8s %16s' \
			"VF $guest, $(eval "echo \$backing$guest")" \
			"$(guest_get "$guest" completions)" "$(guest_get "$guest" errors)" \
			"$(guest_get "$guest" resets)" "$(guest_get "$guest" longest_gap_us)")"
		[ "$(guest_get "$guest" errors)" = 0 ] || broken="$broken $guest"
		[ "$(guest_get "$guest" resets)" -ge 1 ] && reset="$reset $guest"
	done
}

must load_base vram_mb=64 total_vfs=$vfs
must load_driver 1
must provision $vfs
for vf in $(seq $vfs); do
	eval "backing$vf=\$(get_attr $admin/vf$vf/profile/backing)"
done
begin_guests

say ""
say "vgpu.ko is replaced under load. $vfs guests use virtual functions all the time,"
say "half of them with memory of the device and half with memory of the host, and"
say "verify every result."
say ""
row release gen blocks "in place" copied save replay start away
row "" "" "" KiB bytes us us us us
leave 0
arrive "1 -> 2" 2
leave 1
arrive "2 -> 1" 1
leave 0
fail_to_start 2
arrive "1 again" 1
leave 0
arrive "1 -> 2" 2
stop_guests >/tmp/stop 2>&1
stopped=$?
say ""
guests_table
after_updates=$broken
reset=

say ""
say "The same without a prepare: rmmod vgpu, insmod vgpu."
say ""
begin_guests
must rmmod vgpu
must load_driver 2
stop_guests >/tmp/stop 2>&1
guests_table
say ""

if [ $stopped != 0 ] || [ -n "$after_updates" ]; then
	fail "the updates hurt guests:$after_updates"
fi
# Another error is not the loss of the VF, which is what is to be shown.
for guest in $(seq $vfs); do
	case "$reset " in
	*" $guest "*) ;;
	*) fail "guest $guest did not notice that its VF was gone" ;;
	esac
done
say "No guest noticed the updates, nor the one that failed. Every guest lost its VF"
say "in the plain reload."
