# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # from check.sh: target, purposes
#
# What the tests consist of, and what of it is run when. Sourced by check.sh after
# lib.sh.

# Each is QUEUE|KIND|NAME|COMMAND.
parts=()
left_out=()

# part WHEN QUEUE KIND NAME COMMAND... - WHEN is quick, check or all: the first of make
# check-quick, check and check-all that has it. Parts of the queue first are done one
# after the other. Those of emulated and of built come then, the two queues side by
# side. No part of built may depend on another one. KIND says whether it prints results
# (tap), only has to succeed (step), or is a kernel that later parts are to use (kernel).
# A command can have NAME=value before it.
#
# What is not run is reported by the name in group, or by its own.
part()
{
	local known

	for known in "${parts[@]}"; do
		# results are kept by name
		[[ $known != *"|$4|"* ]] || die "two parts are named $4"
	done
	case $target,$1 in
	quick,quick | check,quick | check,check | all,*) parts+=("$2|$3|$4|${*:5}") ;;
	*,check) [ "$2" = first ] || leave_out "${group:-$4}, which make check has" ;;
	*) [ "$2" = first ] || leave_out "${group:-$4}, which make check-all has" ;;
	esac
}

# leave_out WHAT - once
leave_out()
{
	local what

	for what in "${left_out[@]}"; do
		[ "$what" != "$1" ] || return 0
	done
	left_out+=("$1")
}

# boot WHEN STOCK SCENARIO
boot()
{
	local name="vm $3"

	case $2 in
	lts | own) ;;
	*) name="vm $2 $3" ;;
	esac
	part "$1" emulated tap "$name" "STOCK=$2" vm-run.sh "$3"
}

# Those that make a quick check, and all others but the demo, which is for people
quick_scenarios=(smoke update failure)
mapfile -t other_scenarios < <(basename -s .sh -a "$TESTING"/vm/scenarios/*.sh |
			       grep -vxE "demo|$(IFS='|' && echo "${quick_scenarios[*]}")")

# kernel_boots NAME - all that it takes to run the scenarios on another stock kernel
kernel_boots()
{
	local group="scenarios on kernel $1" scenario

	part all first kernel "stock kernel $1" stock "$1"
	part all emulated tap "vm $1 modules" "STOCK=$1" build-modules.sh
	part all emulated step "vm $1 initramfs" "STOCK=$1" initramfs.sh
	for scenario in "${quick_scenarios[@]}" "${other_scenarios[@]}"; do
		boot all "$1" "$scenario"
	done
}

# quick_boots STOCK - the modules, and the scenarios of a quick check
quick_boots()
{
	local scenario

	part quick first tap "modules" "STOCK=$1" build-modules.sh
	part quick first step "initramfs" "STOCK=$1" initramfs.sh
	for scenario in "${quick_scenarios[@]}"; do
		boot quick "$1" "$scenario"
	done
}

# own_kernel - for make check-quick KDIR=: the modules are built in that tree, and
# booted if there is an image with its modules
own_kernel()
{
	if "$TESTING/fetch-kernel.sh" stock own >/dev/null 2>&1; then
		quick_boots own
	else
		part quick first tap "modules" STOCK=own build-modules.sh headers
		leave_out "scenarios: there is no image of the kernel in KDIR, or none of its modules"
	fi
}

declare_parts()
{
	local name scenario group=''

	part quick first step "packages" install-deps.sh "${purposes[@]}"
	if [ -n "${KDIR-}" ]; then
		own_kernel
	else
		part quick first kernel "stock kernel" stock lts
		quick_boots lts
	fi
	[ -n "${KSRC-}" ] || part quick first kernel "source of $LTS" source "$LTS"
	part check first kernel "source of $NEWEST" source "$NEWEST"

	group="the other scenarios"
	for scenario in "${other_scenarios[@]}"; do
		boot check lts "$scenario"
	done
	group=''
	part check emulated step "demo" vm-run.sh --raw demo

	for name in oldest arm64; do
		part check built tap "modules for $name" "STOCK=$name" build-modules.sh headers
	done
	if [ "$target" != all ]; then
		# of which check-all has more
		for name in rt newest; do
			part check built tap "modules for $name" "STOCK=$name" \
				build-modules.sh headers
		done
	fi
	part check built tap "refused kernels" refuse.sh
	part check built tap "lint" lint.sh
	part check built tap "htmldocs" htmldocs.sh
	part quick built tap "kunit plain" kunit.sh "$LTS" plain
	part check built tap "kunit $NEWEST debug" kunit.sh "$NEWEST" debug
	part check built tap "kunit $LTS debug" kunit.sh "$LTS" debug
	part all built tap "kunit $NEWEST plain" kunit.sh "$NEWEST" plain
	part all built step "coverage" coverage.sh
	kernel_boots rt
	kernel_boots newest
	part all emulated tap "long random imports" HOTUPDATE_CMDLINE=IMPORT_FUZZ_S=300 \
		vm-run.sh import
	part all emulated step "repeats of update" repeat.sh --anew 10 vm update
}
