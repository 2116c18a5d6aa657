# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The modules load into a stock kernel and leave it again.
# cmdline: slub_debug=FZPU

. ./tap.sh

modules="drm_hotupdate vgpu_sim v2/vgpu"

tap_plan 9
tap_fails "the processor has no cmpxchg16b, which the emulator gets wrong" \
	grep -qw cx16 /proc/cpuinfo
# shellcheck disable=SC2046 # one word for each module
tap_case "the kernel's own modules load" modprobe -a $(cat /modules/depends)
for module in $modules; do
	tap_case "$module loads" insmod "/modules/$module.ko"
done
for module in v2/vgpu vgpu_sim drm_hotupdate; do
	tap_case "$module unloads" rmmod "${module##*/}"
done
tap_is "none is left" "$(grep -cE '^(drm_hotupdate|vgpu)' /proc/modules)" 0
tap_done
