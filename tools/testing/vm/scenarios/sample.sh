# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The sample: a driver is updated, and its device, which reads a page that the
# driver gave it, does not notice. init_on_free makes the device read a step of
# zero should that page be freed too early.
# cmdline: slub_debug=FZPU init_on_free=1

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh
. ./lib/memory.sh

adapter=/sys/class/drm_hotupdate/platform:tally
device=/sys/devices/platform/tally

# load_tally [PARAMETER=VALUE...] - as load_driver
load_tally()
{
	insmod /modules/samples/tally.ko "$@" && [ -e "$device/driver" ]
}

# update_tally VERSION - a whole update
update_tally()
{
	prepare "$1" && rmmod tally && load_tally
}

# settings - what an administrator has set, which is saved in two ways
settings()
{
	echo "step $(get_attr "$device/step"), max $(get_attr "$device/max_step")," \
		"changes $(get_attr "$device/changes")"
}

# stash - what must not change while a driver fails
stash()
{
	echo "$(get_attr "$adapter/state") $(get_attr "$adapter/blocks")" \
		"$(get_attr "$adapter/version")"
}

total_is_above()
{
	[ "$(get_attr "$device/total")" -gt "$1" ]
}

# counts_on [STEP] - the device adds, step by step, to what it had
counts_on()
{
	step=${1:-7}
	total=$(get_attr "$device/total")
	[ "$total" -ge "$last_total" ] || {
		echo "it was $last_total, and is $total"
		return 1
	}
	wait_until total_is_above $((total + 10 * step)) || return
	last_total=$(get_attr "$device/total")
	[ $((last_total % step)) = 0 ] || {
		echo "$last_total is not a multiple of $step"
		return 1
	}
}

# busy FILE VALUE - it cannot be written now
busy()
{
	case $(set_attr "$1" "$2") in
	*"Device or resource busy"*) ;;
	*) return 1 ;;
	esac
}

gone() { [ ! -e "$adapter" ]; }

last_total=0
tap_case "the core loads" insmod /modules/drm_hotupdate.ko
tap_case "the device appears" insmod /modules/samples/tally_device.ko
tap_case "the module says what it can read" \
	grep -q 'drm_hotupdate=sample,tally 1-2' /modules/samples/tally.ko
tap_fails "a first start that fails" load_tally fail_start=1
tap_is "leaves no adapter" "$(ls /sys/class/drm_hotupdate)" ""
tap_is "and the device as it was" "$(get_attr "$device/starts")" 0
tap_case "that module goes" rmmod tally
tap_case "the driver takes the device" load_tally
tap_is "and starts it" "$(get_attr "$device/starts")" 1
tap_case "more is allowed" set_attr "$device/max_step" 5000
tap_case "a step is set" set_attr "$device/step" 7
case_here "the device counts" counts_on

# prepare, and cancel
tap_case "prepare" prepare
tap_is "saves a block of each kind" "$(stash)" "saved 3 2"
tap_is "each in the way that suits it" \
	"$(awk 'NR > 1 { printf "%s %s %s,", $2, $3, $5 }' \
		/sys/kernel/debug/drm_hotupdate/platform:tally/blocks)" \
	"buffer 16 4,ranges 4096 4,device 4096 4,"
tap_case "no step is set when saved" busy "$device/step" 9
case_here "the device counts on when saved" counts_on
tap_case "cancel" set_attr "$adapter/cancel" 1
tap_is "the driver runs again" "$(stash)" "running 0 2"
tap_case "and serves again" set_attr "$device/step" 7
tap_is "with what it had" "$(settings)" "step 7, max 5000, changes 2"

# an update that fails, and succeeds
tap_case "prepare again" prepare
tap_case "the driver goes" rmmod tally
tap_is "and leaves its stash" "$(stash)" "detached 3 2"
case_here "the device counts on without a driver" counts_on
tap_fails "a driver that fails to start" load_tally fail_start=1
tap_is "the stash is whole" "$(stash)" "detached 3 2"
case "$(get_attr "$adapter/last_error")" in
*"driver tally failed to start the device"*) tap_ok "the reason is there" ;;
*) tap_is "the reason is there" "$(get_attr "$adapter/last_error")" "" ;;
esac
tap_case "that module goes" rmmod tally
case_here "the device counts on after a failure" counts_on
tap_case "a driver that starts" load_tally
tap_is "everything is there" "$(settings)" "step 7, max 5000, changes 2"
tap_is "nothing is held" "$(stash)" "running 0 2"
tap_is "this is generation 1" "$(get_attr "$adapter/generation")" 1
case_here "the device counts on in the same place" counts_on
tap_is "it was not started again" "$(get_attr "$device/starts")" 1
tap_case "the page can be changed, where it is" set_attr "$device/step" 14
last_total=0
case_here "the device reads it" counts_on 7
tap_fails "what was set is a limit" set_attr "$device/step" 5001

# the same for an older driver, which does not count changes
tap_case "an update in state version 1" update_tally 1
tap_is "loses what version 1 cannot say" "$(settings)" "step 14, max 5000, changes 0"
tap_is "this is generation 2" "$(get_attr "$adapter/generation")" 2
case_here "the device counts on" counts_on
tap_is "it was not started again, ever" "$(get_attr "$device/starts")" 1

# the end
tap_case "a driver that has not saved goes" rmmod tally
gone_total=$(get_attr "$device/total")
usleep 100000
tap_is "and stops the device" "$(get_attr "$device/total")" "$gone_total"
tap_case "a driver comes again" load_tally
tap_is "and begins anew" "$(settings)" "step 0, max 1000, changes 0"
tap_is "in generation 0" "$(get_attr "$adapter/generation")" 0

# round - an update; one in which the first driver fails; a driver that just
# goes, and another
round()
{
	update_tally 0 && prepare && rmmod tally &&
		! load_tally fail_start=1 && rmmod tally && load_tally &&
		[ "$(get_attr "$adapter/generation")" = 2 ] &&
		rmmod tally && load_tally
}

rounds()
{
	for _ in $(seq "$1"); do
		round || return
	done
}

tap_case "some rounds of all that, for what is allocated once" rounds 5
before=$(free_kib)
tap_case "100 rounds" rounds 100
memory_is_back "no page is lost in them" "$before" 200

tap_case "prepare once more" prepare
tap_case "the device goes, with the driver at it" rmmod tally_device
tap_is "what was saved is stale" "$(stash)" "stale 3 2"
tap_fails "the core does not unload with a stash" rmmod drm_hotupdate
tap_case "another device comes" insmod /modules/samples/tally_device.ko
tap_fails "which the driver does not take for the same" [ -e "$device/driver" ]
tap_is "what was saved stays, and is nobody's" "$(stash)" "stale 3 2"
tap_case "discard" set_attr "$adapter/discard" 1
tap_case "the adapter goes" wait_until gone
tap_case "the modules unload" rmmod tally tally_device
tap_case "so does the core, when the adapter has gone" wait_until rmmod drm_hotupdate
tap_is "none is left" "$(grep -cE '^(tally|drm_hotupdate)' /proc/modules)" 0
tap_done
