# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# With bounce buffers for all devices, the driver refuses imports and logs the reason.
# Other objects work.
# cmdline: swiotlb=force

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/log.sh
. ./lib/render.sh

tap_case "the base loads" load_base vram_mb=16 total_vfs=1
tap_case "release 2 takes the device" load_driver 2
find_debugfs
tap_case "reasons are logged" set_attr /sys/module/drm/parameters/debug 2
mark_log
render_tests "bounce" 1 bounce
tap_case "the log has the reason" log_has "like a bounce buffer"
tap_case "memory of its own works" vgpu_render every_operation
tap_case "no job went wrong" ring_is_well
tap_case "the driver unloads" wait_until rmmod vgpu
tap_done
