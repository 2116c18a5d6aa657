#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch-kernel.sh stock NAME: a Debian kernel of kernels.conf with its headers,
# unpacked in the cache and not installed.
# fetch-kernel.sh headers NAME: its headers alone.
# fetch-kernel.sh stock|headers own: that of KDIR=, which is not fetched.
# fetch-kernel.sh source SERIES: the source of a series.
#
# Prints the directory. That of a stock kernel has the links that stock.sh tells of.

source "$(dirname "$0")/lib.sh"
source "$TESTING/apt.sh"
source "$TESTING/stock.sh"
source "$TESTING/toolchain.sh"

# from_cache DIR PATTERN WHY - whatever version is there, if any
from_cache()
{
	local dir

	dir=$(find "$1" -mindepth 1 -maxdepth 1 -name "$2" ! -name '*.new' 2>/dev/null |
	      sort -V | tail -n 1)
	[ -n "$dir" ] || return 1
	say "$3: using $(basename "$dir") from the cache"
	echo "$dir"
}

# Each is gigabytes, and a new version takes the place of the old, unless another
# checkout is at work with that.
drop_others()
{
	local dir

	find "$(dirname "$1")" -mindepth 1 -maxdepth 1 -name "$2" ! -path "$1" |
		while read -r dir; do
			unless_used "$(basename "$dir")" rm -rf "$dir"
		done
}

die_unknown()
{
	die "apt knows no $1: is there a network? This needs Debian 12 or 13 with security updates"
}

# fetch_into DIR PATTERN WHAT FUNCTION ARGS - fetch unless there, else fall
# back to what matches the pattern
fetch_into()
{
	local dir=$1 pattern=$2 what=$3

	shift 3
	if [ ! -e "$dir" ] &&
	   ! apt_with_update long "fetching $what" "$LOGS/fetch.log" unless_there "$dir" "$@"; then
		from_cache "$(dirname "$dir")" "$pattern" "could not fetch $what" ||
			die "could not fetch $what"
		return
	fi
	drop_others "$dir" "$pattern"
	echo "$dir"
}

make_source()
{
	local dir=$1 series=$2

	shift 2
	unpack_packages "$dir" "linux-source-$series" -- "$@" || return 1
	tar -C "$dir" --strip-components=1 -xf "$dir/usr/src/linux-source-$series.tar.xz" || return 1
	rm -rf "${dir:?}/usr/src" "${dir:?}/usr/share" # the tree has a usr/ of its own
}

fetch_source()
{
	local series=$1 name=linux-source-$1 version options=()

	[ "$series" != "$NEWEST" ] || suite_lists "$NEWEST_SUITE" || true
	if ! version=$(package_version "$name" "${options[@]}"); then
		from_cache "$CACHE/source" "${series}_*" "apt knows no $name" && return
		[ "$series" = "$NEWEST" ] || apt_update
		version=$(package_version "$name" "${options[@]}") ||
			die_unknown "$name"
	fi
	fetch_into "$CACHE/source/${series}_$version" "${series}_*" "$name $version" \
		make_source "$series" "${options[@]}"
}

# fetch_stock stock|headers NAME
fetch_stock()
{
	local kind=$1 name=$2 series ending which release version dir options=()
	local home=$CACHE/$kind

	[ "$(dpkg --print-architecture)" = amd64 ] || die "the test kernels are for amd64 only"
	[ "$name" = lts ] || home=$home-$name
	stock_kernel "$name"
	stock_lists || true
	release=$(stock_release "$kind")
	if [ -z "$release" ]; then
		from_cache "$home" '*' "apt knows no kernel $series-$ending" && return
		[ ${#options[@]} != 0 ] || apt_update
		release=$(stock_release "$kind")
		[ -n "$release" ] || die_unknown "linux-headers-$series.*-$ending"
	fi
	version=$(package_version "linux-headers-$release" "${options[@]}")
	dir=$home/${release}_$version
	fetch_into "$dir" '*' "$kind of kernel $release" \
		make_stock "$kind" "$release" "$dir" "${options[@]}"
}

lock fetch
case ${1-},${2-} in
stock,own | headers,own)
	own_stock "$1" "${KDIR:?the build tree of your kernel}"
	exit
	;;
esac
case ${1-} in
stock | headers) fetch_stock "$1" "${2:?which of kernels.conf}" ;;
source) fetch_source "${2:?which series}" ;;
*) die "usage: fetch-kernel.sh stock NAME | headers NAME | source SERIES" ;;
esac
