# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Building the modules out of tree, against the stock kernel, in copies of the
# project. Sourced after lib.sh.

# shellcheck disable=SC2034 # for those who show them
complaint='warning:|error:|\*\*\* '

# build_modules STATE_VERSION STOCK LOG [MAKE ARGUMENTS] - the warnings of a file
# are given only once, when it is compiled, so a build is only built on if it
# came to its end without any
build_modules()
{
	local version=$1 stock=$2 log=$3 dir=$WORK/build-v$1

	shift 3
	[ -e "$dir/.without-warning" ] || rm -rf "$dir"
	rm -f "$dir/.without-warning"
	sync_project "$dir" Makefile Kbuild drivers include kunit
	long "building the modules, state version $version" "$log" \
		nice make -C "$dir" -j"$(nproc)" modules KDIR="$stock/kdir" W=1 \
		STATE_VERSION="$version" "$@" || return 1
	! grep -qiE "$complaint" "$log" || return 1
	touch "$dir/.without-warning"
}
