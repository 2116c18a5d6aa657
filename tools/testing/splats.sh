#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# splats.sh LOG [START]: fails, and shows the places, if a kernel log has a
# panic, an oops, a warning or a report of one of the checkers; also if there is
# no log. Of what comes before the first line that matches START, nothing counts.

set -euo pipefail

patterns=(
	'Kernel panic' 'kernel BUG at' 'BUG:' 'Oops' 'WARNING: (CPU|possible|suspicious|inconsistent)'
	'WARNING: .* at ' 'INFO: (possible|trying|task|rcu|lockdep|recovery)' 'general protection fault'
	'refcount_t:' '(list|slab|page|kernel memory).* corruption' 'UBSAN:' 'KASAN:' 'KFENCE:' 'KCSAN:'
	'(Poison|Redzone|Padding|Object|Freepointer|Left Redzone|Right Redzone).* (overwritten|corrupt)'
	'Objects remaining' 'unreferenced object' 'new suspected memory leaks' 'sleeping function called'
	'soft lockup' 'hard LOCKUP' 'detected stall' 'Modules with refcount' 'scheduling while atomic'
	'DEBUG_LOCKS_WARN_ON' 'ODEBUG:' 'Bad page' 'Bad rss-counter' 'unable to handle'
	'Segfault with no mm' 'still has .* (objects|users)' 'Out of memory' 'oom-kill'
)

log=${1:?usage: splats.sh LOG [START]}
[ -s "$log" ] || {
	echo "$log: there is nothing in it"
	exit 1
}
any=$(IFS='|'; echo "${patterns[*]}")
since=$(tr -d '\0' <"$log" | sed -n "/${2:-^}/,\$p")
if grep -m 3 -B 2 -A 25 -E "$any" <<<"$since"; then
	exit 1
fi
