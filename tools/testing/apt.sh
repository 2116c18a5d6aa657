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
	apt_update && private_update && "$@"
}

# private_update - those of private_lists, if its options are in use
private_update()
{
	[ -n "${options[*]-}" ] || return 0
	long "package lists" "$LOGS/apt-update.log" apt-get "${options[@]}" update
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

# debian_sources - the archives that this machine's packages of Debian come from, a
# line each with the site and the suite. apt knows by the lists whose they are.
debian_sources()
{
	# shellcheck disable=SC2016 # these are apt's variables
	apt-get indextargets --format '$(SITE) $(RELEASE)' \
		'Created-By: Packages' 'Origin: Debian' | sort -u
}

# The one of them that carries all suites: security updates come from another.
debian_site()
{
	debian_sources | awk '$2 !~ /security/ && !n++ { print $1 }'
}

# private_lists NAME LINES [APT OPTIONS] - leaves in options those options by which apt
# sees the lines, each a site and a suite, and nothing of the system's sources
# changes. Without lines they are as they were before. Lists older than a day are
# fetched anew. Fails if there are none.
private_lists()
{
	local name=$1 lines=$2 lists=$CACHE/apt/$1
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	shift 2
	mkdir -p "$lists/none" "$lists/lists/partial" "$lists/cache/archives/partial"
	[ -z "$lines" ] ||
		awk -v "keyring=$keyring" '{ print "deb [signed-by=" keyring "]", $0, "main" }' \
			<<<"$lines" >"$lists/sources.list"
	[ -e "$lists/sources.list" ] || return 1

	options=(
		-o "Dir::Etc::sourcelist=$lists/sources.list" -o "Dir::Etc::sourceparts=$lists/none"
		-o "Dir::State::Lists=$lists/lists" -o "Dir::Cache=$lists/cache"
		-o "Dir::Cache::pkgcache=$lists/cache/pkgcache.bin"
		-o Dir::Etc::preferences=/dev/null -o "Dir::Etc::preferencesparts=$lists/none"
		"$@"
	)
	[ "$(id -u)" != 0 ] || options+=(-o APT::Sandbox::User=root)
	[ -z "$(find "$lists/updated" -mtime -1 2>/dev/null)" ] || return 0
	if long "package lists of $name" "$LOGS/apt-$name.log" \
		apt-get "${options[@]}" -o APT::Update::Error-Mode=any update; then
		touch "$lists/updated"
	fi
	[ -e "$lists/updated" ]
}

# suite_lists SUITE [APT OPTIONS] - private_lists of a suite that this machine's site
# carries
suite_lists()
{
	local suite=$1 site

	site=$(debian_site)
	if [ -z "$site" ] && [ ! -e "$CACHE/apt/$suite/sources.list" ]; then
		apt_update
		site=$(debian_site)
		[ -n "$site" ] || die "apt knows no Debian archive to take $suite from"
	fi
	private_lists "$suite" "${site:+$site $suite}" "${@:2}"
}

# architecture_lists ARCHITECTURE - private_lists of all that this machine's packages of
# Debian come from, for another architecture
architecture_lists()
{
	private_lists "$1" "$(debian_sources)" -o "APT::Architecture=$1" -o "APT::Architectures=$1"
}
