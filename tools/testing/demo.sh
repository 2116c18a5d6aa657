#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh: a driver is replaced under load, in a virtual machine.

exec "$(dirname "$0")/vm.sh" --raw demo
