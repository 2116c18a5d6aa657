# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Updates that fail, wherever one can: nothing is lost, and the old driver, or a
# later attempt, goes on where it was. The guests run all the time.
# cmdline: slub_debug=FZPU init_on_free=1
# memory: 1024

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh
. ./lib/log.sh

vfs=4

# stash - what must not change while a driver fails
stash()
{
	echo "$(get_attr "$adapter/state") $(get_attr "$adapter/blocks")" \
		"$(get_attr "$adapter/bytes") $(get_attr "$adapter/version")"
}

# driver_is_refused WHAT RELEASE REASON [PARAMETER=VALUE...] - a driver that
# comes to a detached adapter, and leaves it as it was
driver_is_refused()
{
	what=$1
	release=$2
	reason=$3
	shift 3
	before=$(stash)
	tap_fails "$what: it does not take the device" load_driver "$release" "$@"
	[ ! -d /sys/module/vgpu ] || rmmod vgpu
	tap_is "$what: the stash is whole" "$(stash)" "$before"
	case "$(get_attr "$adapter/last_error")" in
	*"${reason:?}"*) tap_ok "$what: the reason is there" ;;
	*) tap_is "$what: the reason is there" "$(get_attr "$adapter/last_error")" "$reason" ;;
	esac
	tap_case "$what: guests go on" guests_go_on
}

tap_case "the base loads" load_base vram_mb=32 total_vfs=8
tap_case "release 2 takes the device" load_driver 2
tap_case "$vfs VFs are provisioned" provision $vfs
case_here "guests begin" start_guests $vfs

# the save
for block in 0 1 2 3 5; do
	set_attr /sys/module/vgpu/parameters/fail_save $block
	tap_fails "a save that fails after $block blocks" prepare
	tap_is "leaves the driver running" "$(stash)" "running 0 0 2"
done
set_attr /sys/module/vgpu/parameters/fail_save -1
tap_case "guests go on after failed saves" guests_go_on
tap_fails "a state version that the driver does not write" prepare 3
tap_case "the driver still serves" set_attr "$admin/vf1/profile/exec_quantum_us" 2000

# the new driver
tap_case "a save that does not fail" prepare
blocks=$(get_attr "$adapter/blocks")
tap_is "has a block for the adapter, and three for each VF" "$blocks" $((1 + 3 * vfs))
tap_case "the driver goes" rmmod vgpu
tap_is "and leaves its stash" "$(get_attr "$adapter/state")" detached
driver_is_refused "release 1, which does not read state version 2" 1 \
	"it reads state versions 1 to 1, this is 2"
# of one that did not come as far as that the core knows nothing: what it has said
# last stays
mark_log
driver_is_refused "a driver that fails before it registers" 2 \
	"it reads state versions 1 to 1, this is 2" fail_probe=1
tap_case "the log has why" log_has "probe fails because a module parameter asks for it"
for block in 0 1 2 3 $((blocks - 1)); do
	driver_is_refused "a driver that refuses block $block" 2 "block $block of $blocks" \
		fail_restore=$block
done
driver_is_refused "a driver that does not start" 2 "failed to start" fail_start=1
# Nothing was served yet, and nothing changed. The core is asked for no reason: the
# stash has not changed hands.
mark_log
resets=$(counter device_resets)
driver_is_refused "a driver that fails after its start" 2 "failed to start" fail_late=1
tap_case "the log has that, too" log_has "end of the probe fails"
tap_is "the device was not reset" "$(counter device_resets)" "$resets"
tap_fails "a module that is none" insmod /bin/busybox
tap_is "leaves everything as it was" "$(get_attr "$adapter/state")" detached
tap_case "the old driver again" load_driver 2
tap_is "and everything is there" "$(stash)" "running 0 0 2"
tap_is "the update counts once" "$(get_attr "$adapter/generation")" 1
tap_case "guests go on" guests_go_on
tap_is "a setting made before is there" \
	"$(get_attr "$admin/vf1/profile/exec_quantum_us")" 2000

# back to a driver that can read it
tap_case "the same in state version 1, for release 1" replace_driver 1 1
tap_case "guests go on" guests_go_on
tap_fails "release 1 does not write state version 2" prepare 2

case_here "nothing was ever wrong with any guest" stop_guests
tap_case "nothing was done to the device" device_is_well
tap_case "the modules unload" unload_all
tap_done
