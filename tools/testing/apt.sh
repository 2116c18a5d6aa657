# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Debian packages: installing what is missing, and fetching packages that are
# to be unpacked, not installed. Sourced after lib.sh.

# need_root WHY - not later, in the middle of something
need_root()
{
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
		die "$1 needs root, and there is no sudo"
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_update()
{
	need_root "apt-get update"
	long "apt-get update" "$LOGS/apt-update.log" as_root \
		apt-get -o DPkg::Lock::Timeout=300 update
}

# apt_with_update COMMAND... - run it; if it fails the package lists may be
# absent or old, so update them and try once more
apt_with_update()
{
	"$@" && return
	say "once more, with fresh package lists"
	apt_update && "$@"
}

# As apt-cache, with an index of the packages that is ours: a user cannot write
# the system's, and some systems keep none and take seconds for each question.
# Options given later, for other lists, come with an index of their own.
apt_cache()
{
	mkdir -p "$CACHE/apt"
	apt-cache -o "Dir::Cache::pkgcache=$CACHE/apt/pkgcache.bin" \
		-o Dir::Cache::srcpkgcache= "$@"
}

# newest_first PATTERN [APT OPTIONS] - the packages whose whole name matches the
# extended regular expression
newest_first()
{
	local pattern=$1

	shift
	apt_cache "$@" pkgnames | { grep -Ex "$pattern" || true; } | sort -Vr
}

# package_version NAME [APT OPTIONS] - the version that would be fetched; fails
# if there is none
package_version()
{
	local name=$1

	shift
	apt_cache "$@" show --no-all-versions "$name" 2>/dev/null |
		awk '/^Version: / && !n++ { print $2 } END { exit !n }'
}

# unpack_packages DIR NAME... [-- APT OPTIONS] - fetch and unpack, not install
unpack_packages()
{
	local dir=$1 names=() debs

	shift
	while [ $# != 0 ] && [ "$1" != -- ]; do
		names+=("$1")
		shift
	done
	[ $# = 0 ] || shift
	# as root apt drops to a user who cannot write to root's cache
	[ "$(id -u)" != 0 ] || set -- -o APT::Sandbox::User=root "$@"

	debs=$dir/.debs
	mkdir -p "$debs"
	(cd "$debs" && apt-get "$@" download "${names[@]}") || return 1
	for deb in "$debs"/*.deb; do
		dpkg-deb -x "$deb" "$dir" || return 1
	done
	rm -rf "$debs"
}
