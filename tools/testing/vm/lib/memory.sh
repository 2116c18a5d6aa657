# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# How much memory is in use, and by whom. Sourced after hotupdate.sh and wait.sh.

# sites - call sites of modules with allocations that are not free; those of a
# module that has gone have no name, only an address. For slub_debug=U.
sites()
{
	cat /sys/kernel/debug/slab/*/alloc_traces 2>/dev/null |
		grep -E '\[(drm_hotupdate|vgpu|vgpu_sim)\]|^ *[0-9]+ 0x[0-9a-f]+ ' || true
}

# allocations - how many there are, by module: of those that stay, and of drivers
# that have gone. What the one that is there has depends on where it found memory.
allocations()
{
	sites | grep -vF '[vgpu]' | awk '
		{ module = match($0, /\[[a-z_]+\]/) ? substr($0, RSTART, RLENGTH) : "gone" }
		{ sum[module] += $1 }
		END { for (module in sum) print module, sum[module] }' | sort
}

# sites_are_known - there is something to see, while the modules are there: without
# slub_debug nothing would be, and nothing is what is expected when they have gone
sites_are_known()
{
	for module in drm_hotupdate vgpu_sim; do
		sites | grep -qF "[$module]" || {
			echo "no allocation of $module is known"
			return 1
		}
	done
}

# free_now - what is free, what would be if it was asked for, what the processors
# keep for themselves, and the files in /tmp, which are the scenario's own. What
# each processor has counted, and not added to the sum yet, is added first. What is
# left of noise is the kernel's own threads, which come and go: about 100 KiB.
free_now()
{
	sync
	set_attr /proc/sys/vm/drop_caches 3
	set_attr /proc/sys/vm/stat_refresh 1
	df -k /tmp | awk '
		/^(MemFree|SReclaimable):/ { sum += $2 }
		/ count: / { sum += 4 * $2 }
		/ \/tmp$/ { sum += $3 }
		END { print sum }' - /proc/meminfo /proc/zoneinfo
}

# free_kib - as free_now, once it no longer grows: some memory is freed later, by
# RCU or by a worker
free_kib()
{
	now=$(free_now)
	for _ in $(seq 30); do
		usleep 200000
		last=$now
		now=$(free_now)
		[ $((now - last)) -ge 64 ] || break
	done
	echo "$now"
}

is_free()
{
	after=$(free_now)
	[ $(($1 - after)) -lt "$2" ]
}

# memory_is_back DESCRIPTION BEFORE LIMIT - less than LIMIT KiB of what free_kib
# returned before is missing, now or within a minute: a leak stays
memory_is_back()
{
	wait_until is_free "$2" "$3" >/dev/null
	tap_diag "free: $2 KiB before, $after KiB after"
	if [ $(($2 - after)) -lt "$3" ]; then
		tap_ok "$1"
	else
		tap_not_ok "$1: $(($2 - after)) KiB less"
	fi
}
