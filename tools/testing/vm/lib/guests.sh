# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Guests: one vgpu_guest for each VF. Sourced after hotupdate.sh and wait.sh.

guests=

# case_here DESCRIPTION COMMAND... - as tap_case, but in this very shell: guests
# have to be its children to be waited for
case_here()
{
	here=$1
	shift
	if "$@" >/tmp/case_here 2>&1; then
		tap_ok "$here"
	else
		tap_not_ok "$here"
		tap_diag "failed: $*"
		tap_diag "$(cat /tmp/case_here)"
	fi
}

# launch_guest VF [OPTION...]
launch_guest()
{
	guest=$1
	shift
	rm -f "/tmp/guest$guest"
	vgpu_guest -d "/dev/vgpu-vf$guest" -i 20 -l 0.2 -o "/tmp/guest$guest" "$@" \
		>/dev/null 2>"/tmp/guest$guest.err" &
	eval "guest_pid$guest=$!"
	guests="$guests $guest"
}

# start_guest VF [OPTION...] - returns when the guest is at work
start_guest()
{
	launch_guest "$@"
	wait_until guest_works "$1"
}

# start_guests N [OPTION...]
start_guests()
{
	number=$1
	shift
	for vf in $(seq "$number"); do
		launch_guest "$vf" "$@"
	done
	for vf in $(seq "$number"); do
		wait_until guest_works "$vf" || return
	done
}

# guest_get VF KEY
guest_get()
{
	sed -n "s/^$2=//p" "/tmp/guest$1" 2>/dev/null
}

guest_works()
{
	[ "$(guest_get "$1" completions)" -gt 0 ] 2>/dev/null
}

guest_completed_more()
{
	[ "$(guest_get "$1" completions)" -gt "$2" ] 2>/dev/null
}

# guests_go_on - all of them get more work done than they have
guests_go_on()
{
	for guest in $guests; do
		wait_until guest_completed_more "$guest" "$(guest_get "$guest" completions)" ||
			return
	done
}

# stop_guest VF - its status: 0 if nothing was ever wrong; says what was
stop_guest()
{
	pid=
	eval "pid=\$guest_pid$1"
	kill -TERM "$pid" 2>/dev/null
	status=0
	wait "$pid" || status=$?
	guests=$(echo "$guests" | sed "s/ $1\\>//")
	cat "/tmp/guest$1.err"
	grep -E '^[a-z_]*(errors|resets|faults|memory_lost)=[1-9]' "/tmp/guest$1"
	return $status
}

# stop_guests - all of them
stop_guests()
{
	worst=0
	for guest in $guests; do
		stop_guest "$guest" || worst=1
	done
	return $worst
}

# requests_over - in either way
requests_over()
{
	echo $(($(counter mailbox_answers) + $(counter requests_lost)))
}

# device_is_well [COUNTER...] - nothing that a wrong update, or a wrong guest,
# does to the device was counted, but for what is named
device_is_well()
{
	well=0
	for name in lmtt_changed translation_faults resets_while_running requests_lost \
		    bad_answers bad_writes bad_commands bad_doorbells bad_rings out_of_range; do
		case " $* " in
		*" $name "*) continue ;;
		esac
		[ "$(counter "$name")" = 0 ] || {
			echo "$name: $(counter "$name")"
			well=1
		}
	done
	return $well
}
