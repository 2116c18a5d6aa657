# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # read by the scripts that source this
#
# The emulator that all virtual machines here run in. Sourced after lib.sh.
#
# TCG even where KVM exists: nested and emulated machines have a /dev/kvm that
# hangs, and the tests are short. Set HOTUPDATE_ACCEL=kvm if yours works. Both
# processors run in one thread, because QEMU 7.2 of Debian 12 can otherwise execute
# an instruction that the kernel has just replaced on the other processor, for
# example a breakpoint: "Oops: int3" in the middle of a boot.
#
# The processor has no cmpxchg16b, because QEMU 7.2 can leave an operand of an
# earlier addition in EFLAGS after it. An interrupt right then saves these flags,
# nested-task and privilege bits included, and the return from it ends in "PANIC:
# double fault", once in about 170 boots. The slab allocator executes the
# instruction all the time where the processor has it, and does as well without.

qemu_accel=${HOTUPDATE_ACCEL:-tcg,thread=single}
qemu=(qemu-system-x86_64 -nodefaults -no-user-config -no-reboot
      -display none -monitor none -accel "$qemu_accel" -cpu "qemu64,-cx16")
