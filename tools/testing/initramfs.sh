#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# initramfs.sh: packs what a virtual machine boots with into $STOCK_WORK/initramfs.cpio:
# busybox, the modules that build-modules.sh has left and those of the stock
# kernel which they or a scenario need, the guest programs, tools/testing/vm,
# tap.sh and tools/trace.

source "$(dirname "$0")/lib.sh"

output=$STOCK_WORK/initramfs.cpio
use_kernel stock "$STOCK"
stock=$kernel_dir
release=$(basename "$(readlink "$stock/modules")")
root=$STOCK_WORK/initramfs

# See "Scenarios" in README.md.
wanted_by_scenarios()
{
	sed -n 's/^# stock-modules: *//p' "$TESTING"/vm/scenarios/*.sh
}

# What modinfo says that our modules depend on, less our own
wanted_by_modules()
{
	find "$STOCK_WORK/modules" -name '*.ko' -exec /sbin/modinfo -F depends {} + | tr ',' '\n' |
		grep -vxE 'drm_hotupdate|vgpu|vgpu_sim|' || true
}

# pack_stock_modules NAME... - with all that these in turn depend on
pack_stock_modules()
{
	local to=$root/lib/modules/$release name file

	mkdir -p "$to" "$root/usr/lib"
	for name in "$@"; do
		/sbin/modprobe -d "$stock" -S "$release" --show-depends "$name" || {
			# one of the user's own need not have what some scenario asks for
			[ "$STOCK" = own ] || die "the stock kernel has no module $name"
			say "the kernel has no module $name"
		}
	done | sed -n 's/^insmod \(\S*\).*/\1/p' | sort -u | while read -r file; do
		cp "$file" "$to/"
	done
	cp "$stock/modules"/modules.{order,builtin,builtin.modinfo} "$to/"
	# depmod looks in one or the other place, as it was built
	ln -s ../../lib/modules "$root/usr/lib/modules"
	/sbin/depmod -b "$root" "$release"
}

build_guests()
{
	local program

	for program in guest render; do
		make -s -C "$TESTING/$program" O="$root/bin" CFLAGS=-O2 all || return 1
	done
}

lock "$WORK_LOCK"
rm -rf "$root" "$output"
[ -e "$STOCK_WORK/modules/drm_hotupdate.ko" ] || die "no modules: build-modules.sh has not run or failed"
mkdir -p "$root"/{bin,dev,proc,sys,tmp}
cp "$("$TESTING/busybox.sh")" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
cp -r "$TESTING/vm" "$root/"
cp "$TESTING/tap.sh" "$root/vm/"
cp -r "$PROJECT/tools/trace" "$root/vm/"
ln -s vm/init "$root/init"
cp -r "$STOCK_WORK/modules" "$root/"
wanted_by_modules | sort -u >"$root/modules/depends"
mapfile -t wanted < <({ cat "$root/modules/depends"; wanted_by_scenarios | tr ' ' '\n'; } | sort -u)
pack_stock_modules "${wanted[@]}"
build_guests
(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$output.new"
mv "$output.new" "$output"
