# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The demonstration: what an update is, and what it would be without. Not TAP:
# for people to read. Fails unless no guest noticed the updates, and all of them
# the plain reload.
# memory: 1024
# timeout: 300

. ./tap.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh

export QUOTA=8388608
vfs=2
broken=

say()
{
	printf '%s\n' "$*"
}

# must COMMAND... - or the demonstration is over
must()
{
	"$@" >/tmp/must 2>&1 || {
		say "FAILED: $*"
		cat /tmp/must
		exit 1
	}
}

us()
{
	echo $(($(get_attr "$adapter/blackout_$1") / 1000))
}

# in_place, copied - bytes of the stash, by what was done with them
in_place()
{
	awk '$2 == "ranges" || $2 == "sgt" || $2 == "device" { sum += $3 } END { print sum + 0 }' \
		"/sys/kernel/debug/drm_hotupdate/${adapter##*/}/blocks"
}

copied()
{
	awk '$2 == "buffer" { sum += $3 } END { print sum + 0 }' \
		"/sys/kernel/debug/drm_hotupdate/${adapter##*/}/blocks"
}

update_header()
{
	say "$(printf '%-10s %3s %6s %10s %7s %8s %8s %8s %9s' "update" gen blocks \
		"in place" copied save replay start "away")"
	say "$(printf '%-10s %3s %6s %10s %7s %8s %8s %8s %9s' "" "" "" bytes bytes us us us us)"
}

# update FROM TO VERSION
update()
{
	must prepare "$3"
	blocks=$(get_attr "$adapter/blocks")
	kept=$(in_place)
	buffers=$(copied)
	must rmmod vgpu
	must load_driver "$2"
	say "$(printf '%-10s %3s %6s %10s %7s %8s %8s %8s %9s' "v$1 -> v$2" \
		"$(get_attr "$adapter/generation")" "$blocks" "$kept" "$buffers" \
		"$(us save_ns)" "$(us replay_ns)" "$(us start_ns)" "$(us ns)")"
	must guests_go_on
}

# guests_table - what each guest has to say; notes in $broken whom it hurt
guests_table()
{
	say "$(printf '%-22s %12s %8s %8s %16s' guest completions errors resets "longest gap, us")"
	for guest in $(seq $vfs); do
		say "$(printf '%-22s %12s %8s %8s %16s' \
			"VF $guest, $(eval "echo \$backing$guest")" \
			"$(guest_get "$guest" completions)" "$(guest_get "$guest" errors)" \
			"$(guest_get "$guest" resets)" "$(guest_get "$guest" longest_gap_us)")"
		[ "$(guest_get "$guest" errors)" = 0 ] || broken="$broken $guest"
	done
}

must load_base vram_mb=64 total_vfs=8
must load_driver 1
must provision $vfs
for vf in $(seq $vfs); do
	eval "backing$vf=\$(get_attr $admin/vf$vf/profile/backing)"
done
start_guests $vfs >/tmp/must 2>&1 || { cat /tmp/must; exit 1; }
must guests_go_on

say ""
say "vgpu.ko is replaced under load, release 1 by release 2, and 2 by 1. $vfs guests use"
say "virtual functions all the time, and verify every result."
say ""
update_header
update 1 2 0
update 2 1 1
stop_guests >/tmp/stop 2>&1
stopped=$?
say ""
guests_table
after_updates=$broken
broken=

say ""
say "The same without a prepare: rmmod vgpu, insmod vgpu."
say ""
start_guests $vfs >/tmp/must 2>&1 || { cat /tmp/must; exit 1; }
must rmmod vgpu
must load_driver 1
stop_guests >/tmp/stop 2>&1
guests_table
say ""

if [ $stopped != 0 ] || [ -n "$after_updates" ]; then
	say "FAILED: the updates hurt guests:$after_updates"
	exit 1
fi
for guest in $(seq $vfs); do
	case "$broken " in
	*" $guest "*) ;;
	*)
		say "FAILED: guest $guest did not notice that its VF was gone"
		exit 1
		;;
	esac
done
say "No guest noticed the updates. Every guest lost its VF in the plain reload."
