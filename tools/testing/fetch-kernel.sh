#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch-kernel.sh stock: a Debian kernel of the long-term series with its
# headers, unpacked in the cache and not installed.
# fetch-kernel.sh source SERIES: the source of a series.
#
# Prints the directory. That of a stock kernel has these links: vmlinuz, kdir
# (for make -C), source (headers as in the source), modules (what it points to
# is named as the release).

source "$(dirname "$0")/lib.sh"
source "$TESTING/apt.sh"

# from_cache KIND PATTERN WHY - whatever version is there, if any
from_cache()
{
	local dir

	dir=$(find "$CACHE/$1" -mindepth 1 -maxdepth 1 -name "$2" ! -name '*.new' 2>/dev/null |
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

# Headers without an image of the same release exist for some days after an
# update: take the newest that has both.
newest_stock_release()
{
	local headers all release

	mapfile -t all < <(newest_first "linux-headers-${LTS/./\\.}\.[^-]+-amd64")
	for headers in "${all[@]}"; do
		release=${headers#linux-headers-}
		package_version "$headers" >/dev/null || continue
		package_version "linux-image-$release" >/dev/null || continue
		echo "$release"
		return
	done
}

headers_dependencies()
{
	apt_cache show --no-all-versions "linux-headers-$1" |
		sed -n 's/^Depends: //p' | tr ',' '\n' | tr '|' '\n' | awk '{ print $1 }' |
		grep -E '^linux-(headers|kbuild)-'
}

make_stock()
{
	local dir=$1 release=$2 final=$3 names

	mapfile -t names < <(headers_dependencies "$release")
	unpack_packages "$dir" "linux-image-$release" "linux-headers-$release" \
		"${names[@]}" || return 1

	# whether or not /usr is merged here or there, both paths lead to them
	if [ -d "$dir/lib/modules/$release/kernel" ]; then
		ln -s ../../lib/modules "$dir/usr/lib/modules"
	else
		mkdir -p "$dir/lib"
		ln -sfn ../usr/lib/modules "$dir/lib/modules"
	fi
	/sbin/depmod -b "$dir" "$release" || return 1
	ln -s "lib/modules/$release" "$dir/modules"
	ln -s "boot/vmlinuz-$release" "$dir/vmlinuz"
	ln -s "usr/src/linux-headers-$release" "$dir/kdir"
	ln -s "usr/src/$(printf '%s\n' "${names[@]}" | grep -e '-common$')" "$dir/source"

	# the headers expect to be installed
	find "$dir/usr/src/linux-headers-$release" -maxdepth 1 -type f \
		\( -name Makefile -o -name .kernelvariables \) \
		-exec sed -i "s,/usr/\(src\|lib\)/,$final&,g" {} +
	[ -e "$dir/vmlinuz" ] && [ -d "$dir/modules/kernel" ] &&
		[ -e "$dir/kdir/Module.symvers" ] && [ -e "$dir/source/Makefile" ]
}

fetch_stock()
{
	local release version dir

	[ "$(dpkg --print-architecture)" = amd64 ] || die "the test kernel is for amd64 only"
	release=$(newest_stock_release)
	if [ -z "$release" ]; then
		from_cache stock "$LTS.*" "apt knows no kernel $LTS" && return
		apt_update
		release=$(newest_stock_release)
		[ -n "$release" ] || die_unknown "linux-image-$LTS.*-amd64"
	fi
	version=$(package_version "linux-image-$release")
	dir=$CACHE/stock/${release}_$version
	fetch_into "$dir" "$LTS.*" "kernel $release" make_stock "$release" "$dir"
}

# fetch_into DIR PATTERN WHAT FUNCTION ARGS - fetch unless there, else fall
# back to what matches the pattern
fetch_into()
{
	local dir=$1 pattern=$2 what=$3

	shift 3
	if [ ! -e "$dir" ] &&
	   ! apt_with_update long "fetching $what" "$LOGS/fetch.log" unless_there "$dir" "$@"; then
		from_cache "$(basename "$(dirname "$dir")")" "$pattern" "could not fetch $what" ||
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

# The archive that this machine's packages come from (its security updates come
# from another); apt knows by the lists whose it is.
debian_site()
{
	# shellcheck disable=SC2016 # these are apt's variables
	apt-get indextargets --format '$(SITE) $(RELEASE)' \
		'Created-By: Packages' 'Origin: Debian' |
		awk '$2 !~ /security/ && !n++ { print $1 }'
}

# Options by which apt sees the suite of the newest kernel, and nothing of the
# system's sources changes. Lists older than a day are fetched anew.
newest_suite_options()
{
	local site lists=$CACHE/apt/$NEWEST_SUITE
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	mkdir -p "$lists/none" "$lists/lists/partial" "$lists/cache/archives/partial"
	site=$(debian_site)
	if [ -z "$site" ] && [ ! -e "$lists/sources.list" ]; then
		apt_update
		site=$(debian_site)
		[ -n "$site" ] || die "apt knows no Debian archive to take $NEWEST_SUITE from"
	fi
	[ -z "$site" ] ||
		echo "deb [signed-by=$keyring] $site $NEWEST_SUITE main" >"$lists/sources.list"

	options=(
		-o "Dir::Etc::sourcelist=$lists/sources.list" -o "Dir::Etc::sourceparts=$lists/none"
		-o "Dir::State::Lists=$lists/lists" -o "Dir::Cache=$lists/cache"
		-o "Dir::Cache::pkgcache=$lists/cache/pkgcache.bin"
		-o Dir::Etc::preferences=/dev/null -o "Dir::Etc::preferencesparts=$lists/none"
	)
	[ "$(id -u)" != 0 ] || options+=(-o APT::Sandbox::User=root)
	[ -z "$(find "$lists/updated" -mtime -1 2>/dev/null)" ] || return 0
	if long "package lists of $NEWEST_SUITE" "$LOGS/apt-newest.log" \
		apt-get "${options[@]}" -o APT::Update::Error-Mode=any update; then
		touch "$lists/updated"
	fi
}

fetch_source()
{
	local series=$1 name=linux-source-$1 version options=()

	[ "$series" != "$NEWEST" ] || newest_suite_options
	if ! version=$(package_version "$name" "${options[@]}"); then
		from_cache source "${series}_*" "apt knows no $name" && return
		[ "$series" = "$NEWEST" ] || apt_update
		version=$(package_version "$name" "${options[@]}") ||
			die_unknown "$name"
	fi
	fetch_into "$CACHE/source/${series}_$version" "${series}_*" "$name $version" \
		make_source "$series" "${options[@]}"
}

lock fetch
case ${1-} in
stock) fetch_stock ;;
source) fetch_source "${2:?which series}" ;;
*) die "usage: fetch-kernel.sh stock | source SERIES" ;;
esac
