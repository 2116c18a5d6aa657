# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# A PCI device with a stash and no driver: drivers from outside, the kernel and an
# administrator do to it all that they can.
# qemu: -device edu

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/pci.sh

override() { attr driver_override | sed 's/^(null)$//'; }

# begin_again - discards a stash that nobody can restore, and binds the driver
begin_again()
{
	set_attr "$adapter/discard" 1 && wait_until gone && bind outside &&
		[ "$(adapter_state)" = "running 0 0" ]
}

tap_case "the core loads" insmod /modules/drm_hotupdate.ko
tap_case "the device is there" find_device
adapter=/sys/class/drm_hotupdate/pci:$bdf
tap_case "no driver is bound by itself" set_attr /sys/bus/pci/drivers_autoprobe 0
tap_case "the drivers load" insmod /modules/testing/outside.ko
tap_case "runtime PM may suspend the device" set_attr "$device/power/control" auto
tap_case "the driver takes the device" bind outside
tap_is "and runs" "$(adapter_state)" "running 0 0"

# what holds the device
tap_case "it saves and goes" detach
tap_is "its stash stays" "$(adapter_state)" "detached 1 0"
tap_is "bus mastering is on, though it has disabled the device" "$(master)" on
tap_is "the device is not suspended" "$(attr power/runtime_status)" active
tap_is "only this driver may have the device" "$(override)" outside
tap_fails "a stock driver is refused" bind outside_stock
tap_is "and changes nothing" "$(adapter_state)" "detached 1 0"
set_attr /sys/module/outside/parameters/fail_late 1
tap_fails "a probe that fails after the registration" bind outside
tap_is "leaves the stash whole" "$(adapter_state)" "detached 1 0"
tap_is "and bus mastering on" "$(master)" on
set_attr /sys/module/outside/parameters/fail_late 0
tap_case "the driver comes back" bind outside
tap_is "with its block" "$(adapter_state) $(get_attr "$adapter/generation")" "running 0 0 1"
overridden() { [ -n "$(override)" ]; }
not_overridden() { ! overridden; }
tap_case "any driver may have the device then" wait_until not_overridden

# an administrator admits another driver
tap_case "it saves and goes again" detach
tap_case "a standby is admitted" set_attr "$device/driver_override" outside_standby
tap_fails "and not the old driver" bind outside
tap_case "the standby takes over" bind outside_standby
tap_is "with the block" "$(adapter_state) $(get_attr "$adapter/generation")" "running 0 0 2"
tap_is "this override stays" "$(override)" outside_standby
tap_case "it is removed" set_attr "$device/driver_override" "
"

# a stock driver by an administrator's mistake
tap_case "the standby saves and goes" detach
tap_case "a stock driver is admitted" set_attr "$device/driver_override" outside_stock
tap_case "it is bound" bind outside_stock
tap_is "nobody claims the stash" "$(adapter_state)" "unclaimed 1 0"
tap_fails "which is not discarded under a driver" set_attr "$adapter/discard" 1
tap_case "the stock driver goes" unbind
tap_is "the stash is stale" "$(adapter_state)" "stale 1 0"
tap_case "the mistake is undone" set_attr "$device/driver_override" "
"
tap_fails "the right driver is refused" bind outside
tap_is "the stash is still there" "$(adapter_state)" "stale 1 0"
tap_case "the reason is known" error_has "another driver had the device"
tap_case "a discard, and a fresh start" begin_again

# what becomes of COMMAND
tap_case "it saves and goes" detach
tap_case "bus mastering is turned off" set_config $command $(($(get_config $command) & ~4))
tap_fails "the driver, which turns it on, is refused" bind outside
tap_is "the stash is stale" "$(adapter_state)" "stale 1 0"
tap_case "the reason is known" error_has "has lost bus mastering since the save"
tap_case "a discard, and a fresh start" begin_again
tap_case "the driver goes" unbind
tap_case "the adapter goes" wait_until gone
set_attr /sys/module/outside/parameters/survives 1
tap_case "a driver comes whose device survives that" bind outside
tap_case "it saves and goes" detach
tap_case "bus mastering is turned off" set_config $command $(($(get_config $command) & ~4))
tap_case "the driver takes over" bind outside
tap_is "with its block" "$(adapter_state)" "running 0 0"
tap_case "it saves and goes again" detach
set_attr /sys/module/outside/parameters/survives 0
tap_fails "a driver without the flag is refused" bind outside
tap_is "and the stash is whole" "$(adapter_state)" "detached 1 0"
tap_is "bus mastering is on" "$(master)" on
tap_case "discard" set_attr "$adapter/discard" 1
tap_is "silences the device" "$(master)" off
tap_case "the adapter goes" wait_until gone

# a driver that leaves without a word
tap_case "the driver comes" bind outside
tap_case "it saves" prepare
set_attr /sys/module/outside/parameters/stay_silent 1
tap_case "and leaves without unregistering" unbind
set_attr /sys/module/outside/parameters/stay_silent 0
tap_is "the stash is stale" "$(adapter_state)" "stale 1 0"
tap_case "a discard, and a fresh start" begin_again

# the device goes
tap_case "it saves and goes" detach
tap_case "the device is removed" set_attr "$device/remove" 1
tap_is "the stash is stale" "$(adapter_state)" "stale 1 1"
tap_case "the bus is scanned again" rescan_bus
tap_case "there is a device of this name" find_device
tap_is "its name is the same" "$adapter" "/sys/class/drm_hotupdate/pci:$bdf"
# A scan probes drivers, whatever was asked for: the stock driver is left.
tap_is "the drivers with hot update have not taken it" "$(basename "$(readlink "$device/driver")")" \
	outside_stock
tap_is "the device has been silent since its removal" "$(master)" off
tap_case "the stock driver goes" unbind
tap_fails "it is not given the stash" bind outside
tap_is "which stays stale" "$(adapter_state)" "stale 1 1"
tap_case "a discard, and a fresh start" begin_again
tap_case "the device is removed while it is in use" set_attr "$device/remove" 1
tap_case "the adapter goes with it" wait_until gone
tap_case "the bus is scanned once more" rescan_bus
tap_is "the driver takes the device" "$(adapter_state)" "running 0 0"
tap_case "it saves" prepare
tap_case "the device is removed when it is saved" set_attr "$device/remove" 1
tap_is "the stash is stale" "$(adapter_state)" "stale 1 1"
tap_case "discard" set_attr "$adapter/discard" 1
tap_case "the adapter goes, too" wait_until gone

tap_case "the drivers unload" rmmod outside
tap_case "so does the core" wait_until rmmod drm_hotupdate
tap_done
