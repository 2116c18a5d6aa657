# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What an administrator can ask for, and what he is told when it makes no sense:
# cancel, discard, the limit of the time that a driver is saved, what is refused in
# which state.
# cmdline: slub_debug=FZPU init_on_free=1 suspend.pm_test_delay=1
# memory: 1024

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh
. ./lib/uevents.sh
. ./lib/memory.sh

# refused WHAT FILE VALUE ERROR STATE - a write fails with an error message,
# and the state stays
refused()
{
	message=$(set_attr "$2" "$3") && message="no error"
	case $message in
	*"$4"*) message=$4 ;;
	esac
	tap_is "$1 is refused" "$message, $(get_attr "$adapter/state")" "$4, $5"
}

# announced - the changes of this adapter that uevents have told of, by state and
# generation, each once
announced()
{
	# (the first ones may have none: it was we who asked for those)
	grep '^[a-z]' "$uevents" | uniq | tr '\n' ','
}

# listen_to_adapter - the states of this adapter alone; a shell is run for each
listen_to_adapter()
{
	# shellcheck disable=SC2016 # for that shell
	listen sh -c '
		[ "$ACTION" != change ] || case $DEVPATH in
		*/drm_hotupdate/"$0") echo "$HOTUPDATE_STATE $HOTUPDATE_GENERATION" ;;
		esac' "${adapter##*/}"
}

announced_to_the_end()
{
	case $(announced) in
	*"running $1,") ;;
	*) return 1 ;;
	esac
}

# announced_update - one update, from the one to the other generation. What is
# passed through on the way is announced or not: it may be over too soon.
announced_update()
{
	listen_to_adapter && replace_driver 2 && wait_until announced_to_the_end "$2"
	stop_listening
	announced | grep -xE "(running $1,)?(saving $1,)?saved $1,detached $1,(restoring $1,)?(restored $1,)?running $2," || {
		announced
		return 1
	}
}

# prepare_both - what an unload of their module takes
prepare_both()
{
	prepare && set_attr "$other_adapter/prepare" 0
}

# replace_driver RELEASE - of both devices
replace_driver()
{
	prepare_both && rmmod vgpu && load_driver "$1"
}

# hold_node - a program that has the driver's render node open
hold_node()
{
	rm -f /tmp/held
	vgpu_file hold drm "/dev/dri/$(basename "$device"/drm/renderD*)" >/tmp/held &
	holder=$!
	wait_until prints open cat /tmp/held
}

# release_node - it ends
release_node()
{
	kill "$holder" && wait "$holder"
}

# set_timeouts MS - of both devices
set_timeouts()
{
	set_attr "$adapter/saved_timeout_ms" "$1" &&
		set_attr "$other_adapter/saved_timeout_ms" "$1"
}

# module_refs - all references to the driver's module, also those of the core
module_refs()
{
	cat /sys/module/vgpu/refcnt
}

# override - the driver that alone may have the device, or nothing
override()
{
	get_attr "$device/driver_override" | sed 's/^(null)$//'
}

invalid="Invalid argument"
busy="Device or resource busy"

tap_case "the base loads" load_base vram_mb=32 total_vfs=8 devices=2
tap_case "release 2 takes the device" load_driver 2
tap_case "VFs are provisioned" provision 2
case_here "guests begin" start_guests 2

refused "prepare with a word" "$adapter/prepare" now "$invalid" running
refused "prepare with a negative number" "$adapter/prepare" -1 "$invalid" running
refused "prepare with a large number" "$adapter/prepare" 4294967296 "Numerical result out of range" running
refused "prepare in version 9" "$adapter/prepare" 9 "Protocol not supported" running
refused "cancel of nothing" "$adapter/cancel" 1 "$invalid" running
refused "discard of nothing" "$adapter/discard" 1 "$invalid" running
refused "a deadline of words" "$adapter/deadline_ms" soon "$invalid" running

# Another device, as the VFs of the one with the guests are enabled already.
other=/sys/devices/platform/vgpu.1/sriov_admin
other_adapter=/sys/class/drm_hotupdate/platform:vgpu.1
oom_kills()
{
	sed -n 's/^oom_kill //p' /proc/vmstat
}

# too_much WHAT BYTES - that much system memory is refused to each of two VFs
too_much()
{
	for vf in 1 2; do
		tap_case "$1: VF $vf is provisioned" \
			set_attr "$other/vf$vf/profile/mem_quota" "$2"
	done
	refused "$1" "$other/num_vfs" 2 "$no_memory" running
	tap_is "$1: no VF is enabled" "$(get_attr "$other/num_vfs")" 0
}

no_memory="Cannot allocate memory"
for vf in 1 2; do
	tap_case "VF $vf of another device is to have system memory" \
		set_attr "$other/vf$vf/profile/backing" system
done
kills=$(oom_kills)
free=$(free_kib)
kib=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
too_much "as much memory as an LMTT can map" $((512 << 30))
# five eighths of it each, in whole pages: the first of the two gets them
too_much "more memory than two can have" $((kib * 640 & ~4095))
tap_is "nothing was killed for it" "$(oom_kills)" "$kills"
memory_is_back "the memory is back" "$free" 4096
tap_case "guests go on without that memory" guests_go_on

tap_case "prepare" prepare
refused "prepare when saved" "$adapter/prepare" 0 "$busy" saved
refused "discard under the driver" "$adapter/discard" 1 "$busy" saved
refused "cancel without a yes" "$adapter/cancel" 0 "$invalid" saved
refused "provisioning when saved" "$admin/num_vfs" 0 "$busy" saved
refused "a profile when saved" "$admin/vf1/profile/exec_quantum_us" 500 "$busy" saved
refused "a reset when saved" "$admin/vf1/reset" 1 "$busy" saved
tap_case "sleep is to end before it stops devices" set_attr /sys/power/pm_test freezer
refused "system sleep when saved" /sys/power/state mem "$busy" saved
# A sleep can fail for other reasons.
told_of_sleep() { dmesg | grep -q "system sleep refused: state is $1"; }
tap_case "because of the stash" told_of_sleep saved
tap_case "guests go on when saved" guests_go_on

# One module has both devices.
tap_fails "the module does not unload with the other device unprepared" rmmod vgpu
tap_is "the other device's adapter names the one that waits" \
	"$(get_attr "$other_adapter/last_error")" \
	"driver vgpu cannot be unloaded: adapter platform:vgpu.0 waits for its driver; prepare this one, or cancel or discard that one"
tap_is "and runs" "$(get_attr "$other_adapter/state")" running
tap_is "no driver is kept away before the unbind" "$(override)" ""

tap_case "cancel" set_attr "$adapter/cancel" 1
tap_is "the driver runs again" "$(get_attr "$adapter/state")" running
tap_is "nothing is held" "$(get_attr "$adapter/blocks")" 0
tap_case "and serves again" set_attr "$admin/vf1/profile/exec_quantum_us" 500
tap_case "guests go on after a cancel" guests_go_on

# Somebody has the driver in use, so it cannot be removed, and nobody cancels.
tap_is "nobody uses the driver" "$(get_attr "$adapter/users")" 0
case_here "a program opens the render node" hold_node
tap_is "the driver has a user" "$(get_attr "$adapter/users")" 1
tap_is "and so has the other device's, which is of the same module" \
	"$(get_attr "$other_adapter/users")" 1
refused "a timeout of words" "$adapter/saved_timeout_ms" soon "$invalid" running
tap_case "the time of a saved driver is limited" set_timeouts 2000
tap_case "both are prepared all the same" prepare_both
tap_fails "the module does not unload in use" rmmod vgpu
tap_becomes "a timeout cancels the save" running get_attr "$adapter/state"
tap_becomes "and that of the other device" running get_attr "$other_adapter/state"
# The state changes a moment before last_error is written.
kept="the save was cancelled: driver vgpu was not removed within 2000 ms (-ETIMEDOUT); it cannot be unloaded until the next prepare, or until 1 is written to cancel"
tap_becomes "with the reason" "$kept" get_attr "$adapter/last_error"
tap_becomes "for both" "$kept" get_attr "$other_adapter/last_error"
tap_is "nothing is held after a timeout" "$(get_attr "$adapter/blocks")" 0
tap_case "the driver serves again after a timeout" \
	set_attr "$admin/vf1/profile/exec_quantum_us" 500
tap_case "guests go on after a timeout" guests_go_on

case_here "the program ends" release_node
tap_becomes "nobody uses the driver any more" 0 get_attr "$adapter/users"
tap_fails "the module is kept all the same" rmmod vgpu
tap_is "for both devices" "$(module_refs)" 2
tap_is "which run" "$(get_attr "$adapter/state") $(get_attr "$other_adapter/state")" \
	"running running"
tap_case "a cancel lets it go" set_attr "$adapter/cancel" 1
tap_is "with nothing more to tell" "$(get_attr "$adapter/last_error")" ""
tap_is "for one device" "$(module_refs)" 1
refused "another cancel" "$adapter/cancel" 1 "$invalid" running
tap_is "which changes nothing" "$(module_refs)" 1
tap_case "a cancel lets it go for the other device" set_attr "$other_adapter/cancel" 1
tap_is "and nobody keeps it" "$(module_refs)" 0
tap_case "the time is not limited any more" set_timeouts 0
case_here "nothing was ever wrong with any guest" stop_guests
tap_case "nothing was done to the device" device_is_well

case_here "an update is announced by uevents, step by step" announced_update 0 1
tap_is "any driver may have the device after an update" "$(override)" ""
tap_case "prepare both" prepare_both
tap_case "the driver goes" rmmod vgpu
tap_is "and leaves its stash" "$(get_attr "$adapter/state")" detached
tap_is "no other driver may have the device" "$(override)" vgpu
tap_fails "the core does not unload with a stash" rmmod drm_hotupdate
refused "system sleep without a driver" /sys/power/state mem "$busy" detached
tap_case "because of the stash, too" told_of_sleep detached
refused "prepare without a driver" "$adapter/prepare" 0 "No such device" detached
refused "cancel without a driver" "$adapter/cancel" 1 "No such device" detached
refused "discard without a yes" "$adapter/discard" no "$invalid" detached
tap_case "discard" set_attr "$adapter/discard" 1
gone() { [ ! -e "$adapter" ]; }
tap_case "the adapter goes" wait_until gone
tap_case "a driver starts afresh" load_driver 2
tap_is "and runs" "$(get_attr "$adapter/state")" running
tap_is "any driver may have it after a discard" "$(override)" ""
tap_is "the other device is taken over" \
	"$(get_attr "$other_adapter/state") $(get_attr "$other_adapter/generation")" "running 2"
tap_case "the system can sleep then" set_attr /sys/power/state mem
tap_is "with no VFs" "$(get_attr "$admin/num_vfs")" 0
tap_is "in generation 0" "$(get_attr "$adapter/generation")" 0
tap_is "after a reset" "$(counter device_resets)" 2

# The device is unplugged while it has no driver, and another one has its name.
tap_case "prepare both once more" prepare_both
tap_case "the driver goes once more" rmmod vgpu
tap_case "the devices go" rmmod vgpu_sim
tap_is "the stash is stale" "$(get_attr "$adapter/state") $(get_attr "$adapter/lost")" "stale 1"
tap_case "a stash without a device does not keep the system from sleep" \
	set_attr /sys/power/state mem
tap_case "other devices come" insmod /modules/vgpu_sim.ko vram_mb=32 total_vfs=8 devices=2
tap_fails "they are not given the stash" load_driver 2
tap_is "which stays" "$(get_attr "$adapter/state")" stale
case "$(get_attr "$adapter/last_error")" in
*"stale, discard them first"*) tap_ok "and the reason is there" ;;
*) tap_is "and the reason is there" "$(get_attr "$adapter/last_error")" stale ;;
esac
tap_case "the driver that has no device goes" rmmod vgpu
refused "prepare of what is stale" "$adapter/prepare" 0 "No such device" stale
refused "cancel of what is stale" "$adapter/cancel" 1 "No such device" stale
tap_case "discard of a stale stash" set_attr "$adapter/discard" 1
tap_case "and of the other one" set_attr "$other_adapter/discard" 1
tap_case "the adapter goes, too" wait_until gone
tap_case "a driver starts afresh on the new device" load_driver 2
tap_is "and runs there" "$(get_attr "$adapter/state") $(get_attr "$adapter/lost")" "running 0"
tap_case "the modules unload" unload_all
tap_done
