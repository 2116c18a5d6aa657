# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Building the modules out of tree, against a stock kernel, in copies of the project.
# Sourced after lib.sh.

# shellcheck disable=SC2034 # for those who show them
complaint='warning:|error:|\*\*\* '

# build_modules TARGET STATE_VERSION STOCK LOG [MAKE ARGUMENTS] - modules, or samples
# or test_modules, which are the modules and more. The warnings of a file
# are given only once, when it is compiled, so a build is only built on if it
# came to its end without any; what an earlier one built is not left to be tested
build_modules()
{
	local target=$1 version=$2 stock=$3 log=$4 dir=$STOCK_WORK/build-v$2

	shift 4
	[ -e "$dir/.without-warning" ] || rm -rf "$dir"
	rm -f "$dir/.without-warning"
	sync_project "$dir" Makefile Kbuild VERSION drivers include kunit samples \
		tools/testing/modules
	if long "building the $target, state version $version" "$log" \
		nice make -C "$dir" -j"$(nproc)" "$target" KDIR="$stock/kdir" W=1 \
		STATE_VERSION="$version" "$@" && ! grep -qiE "$complaint" "$log"; then
		touch "$dir/.without-warning"
	else
		find "$dir" -name '*.ko' -delete
		return 1
	fi
}
