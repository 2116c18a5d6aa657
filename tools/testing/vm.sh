#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vm.sh [--raw] SCENARIO: all that it takes to run a scenario in a virtual
# machine, from installing packages to the result (see vm-run.sh). With --build
# all but the run.

source "$(dirname "$0")/lib.sh"

lock "$WORK_LOCK"
say "kernels and what is built from them are kept in $CACHE"
"$TESTING/install-deps.sh" modules kernels vm
use_kernel stock "$STOCK"
"$TESTING/build-modules.sh" >&2
"$TESTING/initramfs.sh"
[ "${1-}" = --build ] || "$TESTING/vm-run.sh" "$@"
