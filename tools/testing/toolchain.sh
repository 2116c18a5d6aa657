# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A kernel of a newer Debian is built with that one's compiler, and its headers come
# with programs that need that one's C library. On an older Debian both are unpacked
# beside the headers, with the libraries, and made to use these. Nothing is installed.
# Sourced by fetch-kernel.sh after lib.sh and apt.sh.

# Whether all programs of the headers find their libraries here, and there is the compiler
runs_here()
{
	local dir=$1 compiler=$2 program programs

	command -v "$compiler" >/dev/null || return 1
	programs=$(programs_in "$dir") || return 1
	while read -r program; do
		! ldd "$program" 2>&1 | grep -q 'not found' || return 1
	done <<<"$programs"
}

# programs_in DIR - those that are linked to libraries, of which there are some
programs_in()
{
	find "$1" -type f -perm -u+x -print0 |
		xargs -0 file -F '|' | sed -n 's/| .*ELF.*, interpreter .*//p' | grep .
}

# make_buildable DIR FINAL RELEASE COMPILER - make in the headers does on this machine what
# it does on that of the kernel's Debian. DIR will have the name FINAL.
make_buildable()
{
	local dir=$1 final=$2 release=$3 compiler=$4 kbuild target

	# a cross-compiler is a package of this machine's
	case $release in
	*-arm64*) return ;;
	esac
	kbuild=$(realpath "$dir/kdir/scripts")
	! runs_here "$(dirname "$kbuild")" "$compiler" || return 0
	unpack_toolchain "$dir/host" "$compiler" || return 1
	use_libraries "$final/host" "$dir/host" "$(dirname "$kbuild")" || return 1

	# gcc looks for these where its own parts are
	target=$(echo "$dir"/host/usr/libexec/gcc/*/*/)
	ln -s ../../../../bin/{as,ld} "$target" || return 1
	cat >>"$dir/kdir/.kernelvariables" <<-EOF
	override CROSS_COMPILE = $final/host/usr/bin/x86_64-linux-gnu-
	override PAHOLE = $final/host/usr/bin/pahole
	EOF
}

# unpack_toolchain DIR COMPILER - from the Debian that the newest kernel is made for, as
# apt would install it where there is nothing at all
unpack_toolchain()
{
	local dir=$1 compiler=$2 options=() names nothing=$CACHE/apt/nothing

	: >"$nothing"
	suite_lists "${NEWEST_SUITE%-backports}" -o "Dir::State::status=$nothing" || return 1
	mapfile -t names < <(apt-get "${options[@]}" -s --no-install-recommends install \
		"$compiler" pahole libelf1t64 libssl3t64 | sed -n 's/^Inst \([^ ]*\) .*/\1/p')
	[ ${#names[@]} != 0 ] || return 1
	mkdir -p "$dir"
	unpack_packages "$dir" "${names[@]}" -- "${options[@]}"
}

# use_libraries FINAL DIR... - the programs in DIR take the loader and the libraries that
# will be below FINAL
use_libraries()
{
	local libraries=$1/usr/lib/x86_64-linux-gnu dir programs program

	shift
	for dir in "$@"; do
		programs=$(programs_in "$dir") || return 1
		while read -r program; do
			patchelf --set-interpreter "$libraries/ld-linux-x86-64.so.2" \
				--force-rpath --set-rpath "$libraries" "$program" || return 1
		done <<<"$programs"
	done
}
