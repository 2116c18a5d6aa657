# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# How much memory is free. Sourced after tap.sh.

# free_kib - what is free, what would be if it was asked for, and what the
# processors keep for themselves
free_kib()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '/^(MemFree|SReclaimable):/ { sum += $2 } / count: / { sum += 4 * $2 }
	     END { print sum }' /proc/meminfo /proc/zoneinfo
}

# memory_is_back DESCRIPTION BEFORE LIMIT - no more than LIMIT KiB less is free
# than what free_kib said before
memory_is_back()
{
	after=$(free_kib)
	tap_diag "free: $2 KiB before, $after KiB after"
	if [ $(($2 - after)) -lt "$3" ]; then
		tap_ok "$1"
	else
		tap_not_ok "$1: $(($2 - after)) KiB less"
	fi
}
