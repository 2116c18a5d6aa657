# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # from fetch-kernel.sh: options
#
# Debian's stock kernels: which there are, and unpacking one. Sourced by
# fetch-kernel.sh after lib.sh and apt.sh.
#
# The directory of a stock kernel has these links:
#
#	kdir		for make -C
#	source		headers as in the source
#	vmlinuz		not where only the headers are
#	modules		likewise; what it points to is named as the release

# stock_kernel NAME - leaves what kernels.conf says of it: series, ending, which
stock_kernel()
{
	read -r series ending which \
		<<<"${stock_kernels[$1]?no such kernel in kernels.conf: $1}"
}

# Leaves in options how apt sees the packages.
stock_lists()
{
	case $series,$ending in
	"$NEWEST",*) suite_lists "$NEWEST_SUITE" ;;
	*,arm64*) architecture_lists arm64 ;;
	esac
}

# stock_release stock|headers - the newest, or the oldest, that has all packages.
# Headers without an image of the same release exist for some days after an update.
stock_release()
{
	local headers all release

	mapfile -t all < <(newest_first "linux-headers-${series/./\\.}\.[^-]+-$ending" \
				"${options[@]}")
	[ "$which" = newest ] || mapfile -t all < <(printf '%s\n' "${all[@]}" | tac)
	for headers in "${all[@]}"; do
		release=${headers#linux-headers-}
		package_version "$headers" "${options[@]}" >/dev/null || continue
		[ "$1" = headers ] ||
			package_version "linux-image-$release" "${options[@]}" >/dev/null || continue
		echo "$release"
		return
	done
}

# dependencies PACKAGE PATTERN [APT OPTIONS] - those whose name begins with the pattern
dependencies()
{
	local package=$1 pattern=$2

	shift 2
	apt_cache "$@" show --no-all-versions "$package" |
		sed -n 's/^Depends: //p' | tr ',' '\n' | tr '|' '\n' | awk '{ print $1 }' |
		grep -E "^$pattern"
}

# make_stock DIR stock|headers RELEASE FINAL [APT OPTIONS] - in DIR, which will have the
# name FINAL
make_stock()
{
	local dir=$1 kind=$2 release=$3 final=$4 headers=linux-headers-$3 names kbuild compiler

	shift 4
	mapfile -t names < <(dependencies "$headers" linux-headers- "$@")
	names+=("$headers")
	if [ "$kind" = stock ]; then
		names+=("linux-image-$release")
		# which is the kernel itself, or has it in others
		mapfile -tO ${#names[@]} names < <(dependencies "linux-image-$release" \
			'linux-(base|binary|modules)-[0-9]' "$@")
	fi
	unpack_packages "$dir" "${names[@]}" -- "$@" || return 1

	# what runs in a build is of this machine's architecture
	kbuild=$(dependencies "$headers" linux-kbuild- "$@")
	case $release in
	*-arm64*) unpack_packages "$dir" "$kbuild" || return 1 ;;
	*) unpack_packages "$dir" "$kbuild" -- "$@" || return 1 ;;
	esac

	link_headers || return 1
	[ "$kind" = headers ] || link_image || return 1
	compiler=$(dependencies "$headers" 'gcc-[0-9]' "$@" | grep -oE 'gcc-[0-9]+' | head -n 1)
	make_buildable "$dir" "$final" "$release" "$compiler"
}

link_headers()
{
	ln -s "usr/src/linux-headers-$release" "$dir/kdir" || return 1
	ln -s "usr/src/$(printf '%s\n' "${names[@]}" | grep -E -- '-common(-rt)?$')" \
		"$dir/source" || return 1

	# the headers expect to be installed
	find "$dir/usr/src/linux-headers-$release" -maxdepth 1 -type f \
		\( -name Makefile -o -name .kernelvariables \) \
		-exec sed -i "s,/usr/\(src\|lib\)/,$final&,g" {} + || return 1
	[ -e "$dir/kdir/Module.symvers" ] && [ -e "$dir/source/Makefile" ]
}

link_image()
{
	# whether or not /usr is merged here or there, both paths lead to them
	if [ -d "$dir/lib/modules/$release/kernel" ]; then
		ln -s ../../lib/modules "$dir/usr/lib/modules"
	else
		mkdir -p "$dir/lib"
		ln -sfn ../usr/lib/modules "$dir/lib/modules"
	fi
	/sbin/depmod -b "$dir" "$release" || return 1
	ln -s "lib/modules/$release" "$dir/modules"
	# newer packages have it beside the modules
	ln -s "boot/vmlinuz-$release" "$dir/vmlinuz"
	[ -e "$dir/vmlinuz" ] || ln -sfn "modules/vmlinuz" "$dir/vmlinuz"
	[ -e "$dir/vmlinuz" ] && [ -d "$dir/modules/kernel" ]
}

# own_stock stock|headers KDIR - prints a directory like that of a stock kernel, with links
# to a build tree of the user's own: a source in which a kernel was built, or headers.
# The first image is the right one. Modules are where packages and modules_install put
# them.
own_stock()
{
	local kind=$1 kdir dir=$STOCK_WORK/kernel release root image

	kdir=$(realpath "$2")
	release=$(cat "$kdir/include/config/kernel.release") || die "$2 is no build tree of a kernel"
	root=${kdir%/usr/src/linux-headers-*}
	[ "$root" != "$kdir" ] || root=
	rm -rf "$dir"
	mkdir -p "$dir/lib"
	ln -s "$kdir" "$dir/kdir"
	ln -s "$root/lib/modules" "$dir/lib/modules"
	ln -s "lib/modules/$release" "$dir/modules"
	for image in "$kdir/arch/x86/boot/bzImage" "$root/boot/vmlinuz-$release" \
		     "$root/lib/modules/$release/vmlinuz"; do
		[ ! -r "$image" ] || ln -s "$image" "$dir/vmlinuz" 2>/dev/null || true
	done
	[ "$kind" = headers ] || { [ -e "$dir/vmlinuz" ] && [ -e "$dir/modules/modules.dep" ]; } ||
		die "no image or no modules of $release: nothing can be booted"
	echo "$dir"
}
