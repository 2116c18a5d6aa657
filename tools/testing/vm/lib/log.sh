# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The kernel's log from a point on, however much is logged meanwhile. Sourced after
# tap.sh.

log_marks=0

# mark_log - log_since_mark begins here
mark_log()
{
	log_marks=$((log_marks + 1))
	echo "log mark $log_marks." >/dev/kmsg
}

log_since_mark()
{
	dmesg | sed "1,/log mark $log_marks\\.\$/d"
}

# log_has TEXT
log_has()
{
	log_since_mark | grep -F -e "$1"
}
