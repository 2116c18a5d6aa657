#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# splats-test.sh: splats.sh finds what it is there to find, and nothing else. Says
# what it does not do right; its status is the result.

set -euo pipefail

splats=$(dirname "$0")/splats.sh
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

# As kernels write them: x86's with the time before it.
complaints()
{
	cat <<'END'
[    3.141592] WARNING: CPU: 1 PID: 77 at drivers/gpu/drm/vgpu/vgpu_vf.c:99 vgpu_vf_put+0x1/0x2 [vgpu]
WARNING: drivers/gpu/drm/vgpu/vgpu_vf.c:99 at vgpu_vf_put+0x1/0x2, CPU#0: kunit_try_catch/77
WARNING: possible circular locking dependency detected
WARNING: possible recursive locking detected
WARNING: suspicious RCU usage
WARNING: inconsistent lock state
WARNING: bad unlock balance detected!
WARNING: bad contention detected!
WARNING: held lock freed!
WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected
WARNING: kunit_try_catch/77 still has locks held!
WARNING: Nested lock was not taken
WARNING: lock held when returning to user space!
sysfs: cannot create duplicate filename '/class/drm_hotupdate/platform:vgpu.0'
[    3.141592] BUG: KASAN: slab-use-after-free in vgpu_vf_put+0x1/0x2 [vgpu]
BUG: sleeping function called from invalid context at kernel/locking/mutex.c:585
BUG: scheduling while atomic: kunit_try_catch/77/0x00000002
BUG: unable to handle page fault for address: 0000000000001000
BUG kmalloc-64 (Not tainted): Poison overwritten
BUG vgpu_job (Not tainted): Objects remaining in vgpu_job on __kmem_cache_shutdown()
BUG: Bad page state in process rmmod  pfn:01234
kernel BUG at mm/slub.c:1!
Kernel panic - not syncing: Fatal exception
Oops: general protection fault, probably for non-canonical address 0xdead000000000100
INFO: task rmmod:77 blocked for more than 120 seconds.
INFO: trying to register non-static key.
rcu: INFO: rcu_preempt self-detected stall on CPU
watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [rmmod:77]
refcount_t: underflow; use-after-free.
list_del corruption. prev->next should be 0000000061c0ffee, but was 0000000061c0ffef
UBSAN: shift-out-of-bounds in drivers/gpu/drm/vgpu/vgpu_lmtt.c:9:8
ODEBUG: free active (active state 0) object: 0000000061c0ffee object type: timer_list
DEBUG_LOCKS_WARN_ON(1)
unreferenced object 0x61c0ffee (size 64):
kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
Out of memory: Killed process 77 (vgpu_guest)
Call Trace:
[    3.141592] Call Trace:
END
}

# What is no complaint
healthy()
{
	cat <<'END'
Linux version 6.12.0 (root@vm) (gcc (Debian 12.2.0-14) 12.2.0)
Running RCU self tests
Checking host MADV_REMOVE support...OK
------------[ cut here ]------------
WARNING: CPU: 0 PID: 1 at arch/um/drivers/virt-pci.c:1005 um_pci_init+0xc7/0xd4
No virtio device ID configured for PCI - no PCI support
Modules linked in:
CPU: 0 UID: 0 PID: 1 Comm: swapper Not tainted 6.12.0 #4 
Stack:
 00000001 c2803b80 41b58ab3 610950d4
Call Trace:
 [<60ce56de>] ? _printk+0x0/0xd3
 [<600062d0>] ? 0x600062d0
irq event stamp: 5901
hardirqs last  enabled at (5903): [<00000000601a0c57>] vprintk_store+0x8b7/0xa60
---[ end trace 0000000000000000 ]---
KTAP version 1
drm_hotupdate fake.0: block 1 of 3 is refused: error -12
kunit_try_catch: vmalloc error: size 65536, vm_struct allocation failed, mode:0xdc0(GFP_KERNEL|__GFP_ZERO), nodemask=(null)
CPU: 0 UID: 0 PID: 2350 Comm: kunit_try_catch Tainted: G        W        N 6.12.0 #4 
Tainted: [W]=WARN, [N]=TEST
Stack:
 0000092e d42db920 41b58ab3 610950d4
Call Trace:
 [<60ce56de>] ? _printk+0x0/0xd3
 [<60045900>] ? dump_trace+0x0/0x220
ok 1 a_case
tap: ok 2 - a warning: none
END
}

# finds WHAT - in the log on stdin
finds()
{
	cat >"$log"
	if "$splats" "$log" >/dev/null; then
		echo "not found: $1"
		status=1
	fi
}

while IFS= read -r line; do
	{ healthy; echo "$line"; healthy; } | finds "$line"
done < <(complaints)
line="WARNING: held lock freed!"
{ echo "$line"; healthy; } | finds "one before the tests begin"
healthy | awk -v line="$line" '{ print } /^Stack:/ { print line }' |
	finds "one in the middle of a report that is known"
healthy | sed 's/virt-pci\.c/virtio_uml.c/' | finds "another warning of UML"
healthy | sed 's/no PCI support/too much of it/' | finds "another warning of that file"
healthy | grep -v 'end trace' | finds "a report without an end"
healthy | sed 's/^kunit_try_catch: vmalloc/rmmod: vmalloc/' | finds "a failure to allocate elsewhere"
finds "an empty log" </dev/null

healthy >"$log"
"$splats" "$log" || {
	echo "found in a log where there is nothing"
	status=1
}
exit $status
