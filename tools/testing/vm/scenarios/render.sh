# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The render node, with guests on the VFs all the time: objects, jobs, fences,
# sharing, what is refused; and fences that outlive the driver.
# cmdline: slub_debug=FZPU init_on_free=1
# memory: 1024
# stock-modules: vgem

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh
. ./lib/log.sh
. ./lib/render.sh

# fences_outlive RELEASE [VERSION] - fences that somebody keeps while the driver
# is replaced: the module goes all the same, and they are still what they were
fences_outlive()
{
	rm -f /tmp/hold
	vgpu_render --hold /tmp/hold >/tmp/hold.log 2>&1 &
	holder=$!
	# (a worker frees the job of the holder, which has closed its file)
	wait_until test -e /tmp/hold && wait_until prepare "${2:-0}" && rmmod vgpu &&
		load_driver "$1" && rm /tmp/hold && wait "$holder"
	held_status=$?
	cat /tmp/hold.log
	return $held_status
}

# update_waits_for_job - a client that was killed leaves a job behind, which waits
# for another device; no update begins before the job is over. If the job was over
# too early, that was no attempt.
update_waits_for_job()
{
	for _ in $(seq 5); do
		wait_until prints 0 pf_jobs || return
		mark_log
		rm -f /tmp/leave
		vgpu_render --leave /tmp/leave &
		leaver=$!
		wait_until test -e /tmp/leave || return
		begins=0
		prepare || begins=1
		rm /tmp/leave
		left=0
		wait "$leaver" || left=$?
		[ $left = 3 ] || break
		[ $begins = 1 ] || set_attr "$adapter/cancel" 1 || return
	done
	[ "$left $begins" = "0 1" ] && log_has "jobs of 1 clients that have gone"
}

# hold_render_node - a client of the shell's own, that does nothing
hold_render_node()
{
	rm -f /tmp/held
	vgpu_file hold drm "/dev/dri/$(basename "$device"/drm/renderD*)" >/tmp/held &
	holder=$!
	wait_until grep -q open /tmp/held
}

let_render_node_go()
{
	kill "$holder"
	wait "$holder"
}

tap_case "the base loads" load_base vram_mb=64 total_vfs=8
tap_case "vgem loads" modprobe vgem
tap_case "release 2 takes the device" load_driver 2
QUOTA=1048576 tap_case "VFs are provisioned" provision 2
case_here "guests begin" start_guests 2 -l 1
find_debugfs
render_tests "release 2" 23
tap_case "no job went wrong" ring_is_well
# shellcheck disable=SC2016 # for awk
tap_is "debugfs: VFs" \
	"$(from_debugfs '$2 == "enabled" { n++; bytes += $4 } END { print n, bytes }' vfs)" \
	"2 2097152"
# clients' objects and jobs are freed by a worker, after their files are closed
# shellcheck disable=SC2016 # for awk
tap_becomes "debugfs: VRAM" "67108864, 1048576" from_debugfs '/^total:/ { print $2, $4 }' vram
# shellcheck disable=SC2016 # for awk
tap_is "debugfs: the PF" "$(from_debugfs '/^state:/ { print $2 }' pf)" started
tap_becomes "debugfs: no job is left over" 0 pf_jobs
case_here "fences outlive release 2" fences_outlive 1 1
case_here "fences outlive release 1" fences_outlive 2 1
tap_is "nothing was lost" "$(get_attr "$adapter/generation")" 2
tap_case "guests go on" guests_go_on

# in state saved clients go on; only the module cannot go before they do
tap_case "prepare" prepare
tap_case "a client uses the device when it is saved" vgpu_render every_operation
tap_case "cancel" set_attr "$adapter/cancel" 1
tap_case "and after the cancel" vgpu_render every_operation

case_here "no update begins before a job is over, and the log says why" update_waits_for_job
tap_case "it is over" wait_until prepare
tap_case "and cancel" set_attr "$adapter/cancel" 1

case_here "a client opens the render node" hold_render_node
tap_case "prepare with an open client" prepare
tap_fails "the module stays while a client has it open" rmmod vgpu
let_render_node_go
tap_case "and goes when none has" wait_until rmmod vgpu
tap_case "release 2 again" load_driver 2
tap_case "the render node is there again" vgpu_render every_operation

case_here "nothing was ever wrong with any guest" stop_guests
tap_case "nothing was done to the device" device_is_well
tap_case "the driver unloads" rmmod vgpu
tap_case "so does the device" rmmod vgpu_sim
tap_case "the core unloads when the last fence has gone" wait_until rmmod drm_hotupdate
tap_done
