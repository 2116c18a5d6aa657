# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Many VFs, much memory, memory in many pieces: what of them makes the time
# longer in which no driver serves. It may grow with VFs and with pieces, but
# not with bytes: what is in place stays in place. Modules going and coming are
# left out of it. An emulated machine that has to share its host measures nothing
# but that, so a clock is used that counts instructions. By that clock a grace period of
# RCU is some ticks of the timer, longer than what is compared, so these are expedited:
# newer kernels wait for two when a DRM driver registers.
# clock: instructions
# cmdline: rcupdate.rcu_expedited=1
# memory: 2048
# memory-up-to: 8192
# timeout: 1800

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/guests.sh
. ./lib/figures.sh

vfs=64
vram_mb=256
updates=5		# of each kind
mib=1048576
folio_instructions=500	# measured: 262

# profile N BYTES BACKING - so many VFs, and only they are provisioned
profile()
{
	for vf in $(seq "$1"); do
		set_attr "$admin/vf$vf/profile/mem_quota" "$2" &&
			set_attr "$admin/vf$vf/profile/backing" "$3" || return
	done
	set_attr "$admin/num_vfs" "$1"
}

# no_vfs - as it was before profile()
no_vfs()
{
	set_attr "$admin/num_vfs" 0 || return
	for vf in $(seq $vfs); do
		set_attr "$admin/vf$vf/profile/mem_quota" 0 &&
			set_attr "$admin/vf$vf/profile/backing" vram || return
	done
}

# blocks_of KIND - ranges and bytes of what is saved, by kind
blocks_of()
{
	awk -v kind="$1" '$2 == kind { ranges += $4; bytes += $3 }
		END { print ranges + 0, bytes + 0 }' \
		"/sys/kernel/debug/drm_hotupdate/${adapter##*/}/blocks"
}

# an_update N KIND - and note the parts of it in which the driver works
an_update()
{
	prepare 0 || return
	[ "$(get_attr "$adapter/blocks")" = $((1 + 3 * $1)) ] || return
	ranges=$(blocks_of "$2")
	tables=$(blocks_of sgt)
	rmmod vgpu && load_driver 2 || return
	[ "$(get_attr "$adapter/state")" = running ] || return
	for part in save replay start; do
		cat "$adapter/blackout_${part}_ns" >>"/tmp/$part"
	done
}

# measure N BYTES BACKING - updates with so many VFs of so much memory, which
# are there already; sets all
measure()
{
	kind=ranges
	[ "$3" = system ] || kind=device
	rm -f /tmp/save /tmp/replay /tmp/start
	for _ in $(seq $updates); do
		an_update "$1" $kind || return
	done
	save=$(($(median /tmp/save) / 1000))
	replay=$(($(median /tmp/replay) / 1000))
	start=$(($(median /tmp/start) / 1000))
	all=$((save + replay + start))
	figure '%3d x %5d MiB %-6s %6d %6d %6d %8d %8d %8d %9d' "$1" $(($2 / mib)) "$3" \
		"${ranges% *}" $((${tables#* } / 4096)) "${tables% *}" \
		$save $replay $start $all
}

# updates_with N BYTES BACKING [COMMAND...] - measure, and run the command before
# the VFs are gone again
updates_with()
{
	number=$1
	bytes=$2
	backing=$3
	shift 3
	profile "$number" "$bytes" "$backing" &&
		measure "$number" "$bytes" "$backing" &&
		"${@:-true}" && no_vfs
}

# verify_some VF... - guests there see two updates, with memory from the first
# page to the last
verify_some()
{
	for vf in "$@"; do
		launch_guest "$vf" -s -m 1M -b 4 -p 50 -i 50
	done
	for vf in "$@"; do
		wait_until guest_works "$vf" || return
	done
	for to in 1 2; do
		replace_driver $to 1 && guests_go_on || return
	done
	stop_guests
}

# in_pieces BYTES COMMAND... - while a client has every other piece of VRAM
in_pieces()
{
	rm -f /tmp/client
	vgpu_client -f -b "$1" -w >/tmp/client &
	client=$!
	shift
	wait_until grep -q waiting /tmp/client && "$@" || return
	kill $client
	wait $client
	return 0
}

# vram_in_pieces - as updates_with, of a VRAM that was in pieces
vram_in_pieces()
{
	in_pieces 16384 profile $vfs $mib vram &&
		measure $vfs $mib vram && verify_some 1 64 && no_vfs
}

tap_case "the base loads" load_base vram_mb=$vram_mb total_vfs=$vfs
tap_case "release 2 takes the device" load_driver 2
# what is free, but for what the machine itself needs, the same for 1, 8 and 64
most=$(awk '/^MemAvailable:/ { print int(($2 - 524288) / 65536) * 65536 * 1024 }' /proc/meminfo)
figure "time without PF service, in us, but for the modules' going and coming; the median"
figure "of %d updates" $updates
figure_clock
figure '%-22s %6s %6s %6s' "" memory LMTT LMTT
figure '%-22s %6s %6s %6s %8s %8s %8s %9s' "VFs, each with" ranges pages ranges \
	save replay start all

case_here "1 VF of 16 MiB" updates_with 1 $((16 * mib)) system
one=$all
case_here "8 VFs of 16 MiB" updates_with 8 $((16 * mib)) system
case_here "64 VFs of 16 MiB" updates_with 64 $((16 * mib)) system verify_some 1 32 64
many=$all
case_here "1 VF of 256 MiB" updates_with 1 $((256 * mib)) system
case_here "1 VF of 1 GiB" updates_with 1 $((1024 * mib)) system
case_here "1 VF of $((most / mib)) MiB" updates_with 1 "$most" system verify_some 1
large=$all
case_here "8 VFs of $((most / mib / 8)) MiB" updates_with 8 $((most / 8)) system
case_here "64 VFs of $((most / mib / 64)) MiB" updates_with 64 $((most / 64)) system verify_some 1 64
case_here "1 VF of 16 MiB of VRAM" updates_with 1 $((16 * mib)) vram
vram=$all
case_here "1 VF of 192 MiB of VRAM" updates_with 1 $((192 * mib)) vram
vram_large=$all
case_here "64 VFs of 1 MiB of VRAM" updates_with 64 $mib vram verify_some 1 64
whole=$all
case_here "the same, but in pieces of 16 KiB" vram_in_pieces
pieces=$all
tap_case "there were many pieces: ${ranges% *}" [ "${ranges% *}" -ge $((64 * 32)) ]

a_vf=$(((many - one) * 1000 / 63))
of_2_mib=$(((large - one) * 1000 / (most / 2 / mib)))
a_piece=$(((pieces - whole) * 1000 / ${ranges% *}))
figure "a VF more: %d ns; 2 MiB of system memory more, which are a folio: %d ns;" \
	$a_vf $of_2_mib
figure "a piece of VRAM more: %d ns; 176 MiB of VRAM more, in one piece: %d ns" \
	$a_piece $(((vram_large - vram) * 1000))
at_most "192 MiB of VRAM take no longer than 16 MiB, but for a tenth" \
	"$vram_large" $((vram + vram / 10))
# The core looks at each folio, and enters it in its index. That is little, and is
# to stay so: for want of a look once a chunk it was ten times as much. By the clock
# of instructions these are the same everywhere.
at_most "2 MiB of system memory take few instructions" "$of_2_mib" $folio_instructions
at_most "$((most / mib)) MiB of system memory take what 16 MiB and those few take" "$large" \
	$((one + one / 4 + most * folio_instructions / (2000 * mib)))
at_most "a piece of VRAM takes a third of what a VF takes" $a_piece $((a_vf / 3))
tap_case "nothing was done to the device" device_is_well
tap_is "the device was reset at the first start only" "$(counter device_resets)" 1
report_figures
tap_case "the modules unload" unload_all
tap_done
