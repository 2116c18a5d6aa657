# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The core's holds on a PCI device, on their own: drivers of QEMU's "edu" device come
# and go, and an administrator does what can be done to a device without a driver.
# Behind a bridge that forgets its bus, the device does not answer.
# qemu: -device pci-bridge,id=bridge,chassis_nr=1 -device edu,bus=bridge,addr=1

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/pci.sh

hold=/sys/kernel/debug/hold

# do_hold COMMAND - prints the result
do_hold()
{
	echo "$1" >$hold
	cat $hold
}

# Another offset in the configuration space
secondary=25

# stands - enable count, bus mastering
stands() { echo "$(attr enable) $(master)"; }

logged() { dmesg | grep -q "hold: $1"; }

find_bridge()
{
	find_device && bridge=$(dirname "$(readlink -f "$device")")
}

tap_case "no driver is bound by itself" set_attr /sys/bus/pci/drivers_autoprobe 0
tap_case "the device is there" find_bridge
tap_case "the drivers load" insmod /modules/testing/hold.ko

# drivers that disable the device when they go, by themselves or by devres
for driver in hold_plain hold_managed; do
	tap_case "$driver takes the device" bind $driver
	tap_is "and enables it" "$(stands)" "1 on"
	tap_case "it goes" unbind
	tap_is "and disables the device" "$(stands)" "0 off"

	tap_case "$driver takes it again" bind $driver
	tap_is "a save begins" "$(do_hold begin)" ok
	tap_is "and has an enable count" "$(stands)" "2 on"
	tap_is "which a cancel drops" "$(do_hold end) $(stands)" "ok 1 on"
	tap_is "another save begins" "$(do_hold begin)" ok
	tap_case "the driver goes" unbind
	tap_is "the device does not notice" "$(stands)" "1 on"
	tap_is "all is as it was saved" "$(do_hold check)" ok
	tap_case "the next driver comes" bind $driver
	tap_is "and has its own count" "$(stands)" "2 on"
	tap_is "the commit drops the core's" "$(do_hold commit) $(stands)" "ok 1 on"
	tap_is "nothing was kept" "$(do_hold removed) $(stands)" "ok 1 on"
	tap_case "the driver goes without a save" unbind
	tap_is "and disables the device" "$(stands)" "0 off"
done

# discard
tap_case "a driver comes" bind hold_plain
tap_is "it saves" "$(do_hold begin)" ok
tap_case "it goes" unbind
tap_is "the end of the hold turns the device off" "$(do_hold end) $(stands)" "ok 0 off"
tap_is "once" "$(do_hold end) $(stands)" "ok 0 off"

# a new driver that does not enable the device
tap_case "a driver comes" bind hold_managed
tap_is "it saves" "$(do_hold begin)" ok
tap_case "it goes" unbind
tap_case "one comes that does not enable the device" bind hold_lazy
tap_is "the core keeps its count" "$(do_hold commit) $(stands)" "ok 1 on"
tap_case "and warns" logged "driver hold did not enable device $bdf"
tap_is "that driver saves" "$(do_hold begin) $(stands)" "ok 2 on"
tap_is "it stops, the count of the save remains" "$(do_hold removed) $(stands)" "ok 1 on"
tap_case "it goes" unbind
tap_is "the device does not notice" "$(stands)" "1 on"
tap_case "another one of its kind comes" bind hold_lazy
tap_is "and relies on the core" "$(do_hold commit) $(stands)" "ok 1 on"
tap_is "until it stops" "$(do_hold removed) $(stands)" "ok 0 off"
tap_is "a device that is not enabled is not held enabled" "$(do_hold begin) $(stands)" "ok 0 off"
tap_is "nor missed" "$(do_hold check)" ok
tap_is "nor disabled" "$(do_hold end) $(stands)" "ok 0 off"
tap_case "it goes" unbind

# what an administrator does meanwhile
tap_case "a driver comes" bind hold_plain
tap_is "it saves" "$(do_hold begin)" ok
tap_case "it goes" unbind
tap_case "bus mastering is turned off" set_config $command $(($(get_config $command) & ~4))
tap_is "which is noticed" "$(do_hold check)" "has lost bus mastering since the save"
tap_is "unless the device survives it" "$(do_hold check_survives)" ok
tap_case "it is turned on again" set_config $command $(($(get_config $command) | 4))
tap_is "which hides nothing" "$(do_hold check)" "has lost bus mastering since the save"
tap_case "the device is disabled" set_attr "$device/enable" 0
tap_is "with the core's count" "$(stands)" "0 off"
tap_is "which is noticed" "$(do_hold check)" "has lost bus mastering since the save"
tap_case "and logged" logged "device $bdf was disabled while the core kept it enabled"
tap_is "a device that survives it goes on" "$(do_hold check_survives)" ok
tap_case "the next driver comes" bind hold_plain
tap_is "its count is not taken for the core's" "$(do_hold commit) $(stands)" "ok 1 on"
tap_is "nor at its removal" "$(do_hold removed) $(stands)" "ok 1 on"
tap_case "it goes" unbind
tap_is "and disables the device" "$(stands)" "0 off"

# a device that does not answer
tap_case "a driver comes" bind hold_plain
bus=$(get_config $secondary "$bridge")
tap_case "the device does not answer" set_config $secondary 255 "$bridge"
tap_is "it is not held" "$(do_hold begin)" "-19: prepare refused: device $bdf does not answer"
tap_is "nor counted" "$(attr enable)" 1
tap_case "it answers again" set_config $secondary "$bus" "$bridge"
tap_is "it is held" "$(do_hold begin) $(stands)" "ok 2 on"
tap_case "the driver goes" unbind
tap_case "the device does not answer" set_config $secondary 255 "$bridge"
tap_is "which is noticed" "$(do_hold check)" "does not answer"
tap_is "also if it survived" "$(do_hold check_survives)" "does not answer"
tap_case "it answers again" set_config $secondary "$bus" "$bridge"
tap_is "and was not changed" "$(do_hold check) $(stands)" "does not answer 1 on"
tap_is "the hold ends" "$(do_hold end) $(stands)" "ok 0 off"

# runtime PM: without a driver and with control auto, the kernel suspends a device
tap_case "runtime PM may suspend the device" set_attr "$device/power/control" auto
tap_becomes "which it does without a driver" suspended attr power/runtime_status
tap_case "a driver comes" bind hold_plain
tap_is "it saves" "$(do_hold begin)" ok
tap_case "it goes" unbind
sleep 1
tap_is "a held device is not suspended" "$(attr power/runtime_status)" active
tap_is "the hold ends" "$(do_hold end)" ok
tap_becomes "the device is suspended again" suspended attr power/runtime_status

# driver_override
override() { attr driver_override; }
tap_case "a driver comes" bind hold_plain
tap_is "its name becomes the override" "$(do_hold set) $(override)" "ok hold_plain"
tap_case "it goes" unbind
tap_fails "another driver with the device's ID is refused" bind hold_lazy
tap_fails "as is one for no device" bind hold_foreign
tap_case "one of its name gets the device" bind hold_plain
tap_is "which is no news" "$(do_hold log_probe)" ok
tap_fails "nothing is logged" logged "driver hold_plain lacks"
tap_is "the override is taken back" "$(do_hold clear) $(override)" "ok (null)"
tap_case "it goes" unbind
tap_case "an administrator names another driver" \
	set_attr "$device/driver_override" hold_foreign
tap_case "which gets the device without having its ID" bind hold_foreign
tap_is "this override stays" "$(do_hold set) $(override)" "ok hold_foreign"
tap_is "whatever the core does" "$(do_hold clear) $(override)" "ok hold_foreign"
tap_is "the core does not comment on it" "$(do_hold log_probe)" ok
tap_fails "in the log" logged "driver hold_foreign lacks"
tap_case "the administrator removes it" set_attr "$device/driver_override" "
"
tap_is "the driver's name is in its place now" "$(do_hold set) $(override)" "ok hold_foreign"
tap_case "it goes" unbind
tap_case "and comes back because of that" bind hold_foreign
tap_is "which the core looks at" "$(do_hold log_probe)" ok
tap_case "and logs" logged "driver hold_foreign lacks the ID of device $bdf"
tap_case "it goes" unbind
tap_is "the override is taken back" "$(do_hold clear) $(override)" "ok (null)"

tap_case "the drivers unload" rmmod hold
tap_done
