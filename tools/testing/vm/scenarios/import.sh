# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# A client of the render node imports udmabufs of normal and of huge pages. It must
# reach those and no others: a second process checks all of its memory at the end.
# memory: 1024

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh
. ./lib/render.sh

: "${IMPORT_FUZZ_SEED:=20240229}"
export IMPORT_FUZZ_SEED
tap_diag "IMPORT_FUZZ_SEED=$IMPORT_FUZZ_SEED"
tap_case "there are huge pages" set_attr /proc/sys/vm/nr_hugepages 8
tap_is "all of them" "$(cat /proc/sys/vm/nr_hugepages)" 8
tap_case "there is udmabuf" [ -c /dev/udmabuf ]
tap_case "the base loads" load_base vram_mb=64 total_vfs=8
tap_case "release 2 takes the device" load_driver 2
QUOTA=1048576 tap_case "VFs are provisioned" provision 2
case_here "guests begin" start_guests 2 -l 1
find_debugfs
render_tests "import" 5 import
tap_case "no job went wrong" ring_is_well
tap_becomes "no job is left over" 0 pf_jobs
# shellcheck disable=SC2016 # for awk
tap_becomes "no huge page is left in use" 0 \
	awk '/^HugePages_Total:/ { n = $2 } /^HugePages_Free:/ { print n - $2 }' /proc/meminfo
case_here "nothing was ever wrong with any guest" stop_guests
tap_case "nothing was done to the device" device_is_well
tap_case "the driver unloads" wait_until rmmod vgpu
tap_done
