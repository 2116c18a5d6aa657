#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# splats.sh LOG: fails, and shows the places, if a kernel log has a panic, an oops,
# a warning or a report of one of the checkers; also if there is no log. See
# splats-test.sh for what is meant.

set -euo pipefail

# Most reports have a trace of calls, whatever their first line is.
patterns=(
	'Kernel panic' 'kernel BUG at' 'BUG:' 'Oops' 'WARNING: ' 'Call Trace:' 'stack backtrace:'
	'INFO: (possible|trying|task|rcu|lockdep|recovery)' 'general protection fault'
	'refcount_t:' '(list|slab|page|kernel memory).* corruption' 'UBSAN:' 'KASAN:' 'KFENCE:' 'KCSAN:'
	'(Poison|Redzone|Padding|Object|Freepointer|Left Redzone|Right Redzone).* (overwritten|corrupt)'
	'Objects remaining' 'unreferenced object' 'new suspected memory leaks' 'sleeping function called'
	'soft lockup' 'hard LOCKUP' 'detected stall' 'Modules with refcount' 'scheduling while atomic'
	'DEBUG_LOCKS_WARN_ON' 'ODEBUG:' 'Bad page' 'Bad rss-counter' 'unable to handle'
	'Segfault with no mm' 'still has .* (objects|users)' 'Out of memory' 'oom-kill'
	'cannot create duplicate filename'
)

# The lines that a report of UML has after its first. Any other one is not part of
# it, and ends what is left out.
rest_of_report='irq event stamp: .*|(hard|soft)irqs last .*|Modules linked in:.*|CPU: .*|Tainted: .*|Stack:|Call Trace:| [0-9a-f ]+| \[<[0-9a-f]+>\] .*'

# without_known - stdin, without those reports that are not about anything here:
# - UML of 6.12 warns at boot that there is no PCI
# - cases have allocations fail, and vmalloc says so
without_known()
{
	tr -d '\0' | sed -E '
	:again
	/^WARNING: CPU: [0-9]+ PID: 1 at arch\/um\/drivers\/virt-pci\.c:/ {
		N
		/\nNo virtio device ID configured for PCI - no PCI support$/! b
		:boot
		$! N
		s/\n('"$rest_of_report"')$//
		t boot
		/\n---\[ end trace [0-9a-f]* \]---$/ d
		b
	}
	/^kunit_try_catch: vmalloc error: size [0-9]+, / {
		:vmalloc
		$! N
		s/\n('"$rest_of_report"')$//
		t vmalloc
		s/^.*\n//
		t again
	}'
}

log=${1:?usage: splats.sh LOG}
[ -s "$log" ] || {
	echo "$log: there is nothing in it"
	exit 1
}
any=$(IFS='|'; echo "${patterns[*]}")
if grep -m 3 -B 2 -A 25 -E "$any" <<<"$(without_known <"$log")"; then
	exit 1
fi
