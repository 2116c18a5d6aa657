# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# QEMU's "edu" PCI device, in scenarios that have one. Sourced after hotupdate.sh.

drivers=/sys/bus/pci/drivers

# attr NAME - of the device
attr() { cat "$device/$1"; }

bind() { echo "$bdf" >"$drivers/$1/bind"; }

unbind() { echo "$bdf" >"$device/driver/unbind"; }

# get_config OFFSET [DEVICE] - a byte
get_config() { hexdump -s "$1" -n 1 -e '1/1 "%d"' "${2-$device}/config"; }

# set_config OFFSET VALUE [DEVICE] - as setpci does it
set_config()
{
	printf '%b' "\\0$(printf %o "$2")" |
		dd of="${3-$device}/config" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

# Offsets in the configuration space
command=4

master()
{
	[ $(($(get_config $command) & 4)) = 0 ] && echo off || echo on
}

find_device()
{
	for device in /sys/bus/pci/devices/*; do
		[ "$(attr vendor) $(attr device)" != "0x1234 0x11e8" ] || break
	done
	bdf=$(basename "$device")
	[ "$(attr device)" = 0x11e8 ]
}
