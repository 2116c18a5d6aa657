# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Building the modules out of tree, against the stock kernel, in copies of the
# project. Sourced after lib.sh.

# shellcheck disable=SC2034 # for those who show them
complaint='warning:|error:|\*\*\* '

# build_modules STATE_VERSION STOCK LOG [MAKE ARGUMENTS] - the warnings of a file
# are given only once, when it is compiled, so a build is only built on if it
# came to its end without any; what an earlier one built is not left to be tested
build_modules()
{
	local version=$1 stock=$2 log=$3 dir=$WORK/build-v$1

	shift 3
	[ -e "$dir/.without-warning" ] || rm -rf "$dir"
	rm -f "$dir/.without-warning"
	sync_project "$dir" Makefile Kbuild drivers include kunit
	if long "building the modules, state version $version" "$log" \
		nice make -C "$dir" -j"$(nproc)" modules KDIR="$stock/kdir" W=1 \
		STATE_VERSION="$version" "$@" && ! grep -qiE "$complaint" "$log"; then
		touch "$dir/.without-warning"
	else
		find "$dir" -name '*.ko' -delete
		return 1
	fi
}
