# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# QEMU's "edu" PCI device, in scenarios that have one, and other PCI functions. Sourced
# after hotupdate.sh.

drivers=/sys/bus/pci/drivers

# attr NAME - of the device
attr() { cat "$device/$1"; }

bind() { echo "$bdf" >"$drivers/$1/bind"; }

unbind() { echo "$bdf" >"$device/driver/unbind"; }

# get_config OFFSET [DEVICE] - a byte
get_config() { hexdump -s "$1" -n 1 -e '1/1 "%d"' "${2-$device}/config"; }

# print_byte VALUE
print_byte() { printf '%b' "\\0$(printf %o "$1")"; }

# set_config OFFSET VALUE [DEVICE] - as setpci does it
set_config()
{
	print_byte "$2" |
		dd of="${3-$device}/config" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

# Offsets in the configuration space
command=4

master()
{
	[ $(($(get_config $command) & 4)) = 0 ] && echo off || echo on
}

# find_function VENDOR DEVICE - the first one with these IDs
find_function()
{
	for device in /sys/bus/pci/devices/*; do
		[ "$(attr vendor) $(attr device)" != "$1 $2" ] || break
	done
	bdf=$(basename "$device")
	[ "$(attr device)" = "$2" ]
}

find_device() { find_function 0x1234 0x11e8; }

# adapter_state - state, blocks, whether it is lost
adapter_state()
{
	# shellcheck disable=SC2154 # hotupdate.sh, or the scenario, has it
	echo "$(get_attr "$adapter/state") $(get_attr "$adapter/blocks")" \
		"$(get_attr "$adapter/lost")"
}

# error_has WORDS
error_has()
{
	grep -qF "$1" "$adapter/last_error" || {
		cat "$adapter/last_error"
		return 1
	}
}

gone() { [ ! -e "$adapter" ]; }

# detach - from running to detached
detach()
{
	prepare && unbind && wait_until [ "$(get_attr "$adapter/state")" = detached ]
}

# rescan_bus - a device that is found gets a driver. Where autoprobe is off, newer kernels
# give it none.
rescan_bus()
{
	set_attr /sys/bus/pci/drivers_autoprobe 1 && set_attr /sys/bus/pci/rescan 1 &&
		set_attr /sys/bus/pci/drivers_autoprobe 0
}
