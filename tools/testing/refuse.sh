#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# refuse.sh: kernels that lack an option or a feature are refused in one line, before
# anything is compiled. They are copies of the stock kernel's build tree, with less in
# its configuration or its headers, and two of Debian's. TAP on stdout.

source "$(dirname "$0")/lib.sh"
source "$TESTING/tap.sh"

use_kernel stock lts
stock=$(realpath "$kernel_dir/kdir")
# Debian's headers for all flavours, which the build tree refers to
common=$(sed -n 's,^include \(/.*\)/Makefile$,\1,p' "$stock/Makefile")
[ -e "$common/Makefile" ] || die "$stock/Makefile does not name the common headers"

dir=$WORK/refuse
project=$dir/project
kernel=$dir/kernel
config=include/config/auto.conf
object=drivers/gpu/drm/hotupdate/drm_hotupdate_range.o

# link_all FROM TO - links to all that TO does not have of its own
link_all()
{
	local path

	mkdir -p "$2"
	for path in "$1"/*; do
		[ -e "$2/${path##*/}" ] || ln -s "$path" "$2"
	done
}

# A kernel like the stock one, with a configuration and headers that can be replaced.
make_kernel()
{
	rm -rf "$dir"
	mkdir -p "$dir/common" "$kernel/include/config"
	cp -rs "$common/include" "$dir/common"
	link_all "$common" "$dir/common"
	echo "include $dir/common/Makefile" >"$kernel/Makefile"
	ln -s "$stock"/include/config/kernel.release "$kernel/include/config"
	link_all "$stock/include" "$kernel/include"
	link_all "$stock" "$kernel"
}

# as_stock - forget the options and headers that were taken away
as_stock()
{
	local header

	rm -f "$kernel/$config"
	cp "$stock/$config" "$kernel/$config"
	find "$dir/common/include" -type f -printf '%P\n' | while read -r header; do
		ln -sf "$common/include/$header" "$dir/common/include/$header"
	done
}

# drop_option OPTION - which the stock kernel must have, or its absence shows nothing
drop_option()
{
	grep -qE "^$1=[ym]$" "$kernel/$config" || {
		echo "the stock kernel has no $1"
		return 1
	}
	sed -i "/^$1=/d" "$kernel/$config"
}

# edit_header HEADER SED_SCRIPT
edit_header()
{
	local header=$dir/common/include/$1

	rm "$header"
	sed "$2" "$common/include/$1" >"$header"
	! cmp -s "$common/include/$1" "$header" || {
		echo "$1 has changed: how is the feature to be taken away?"
		return 1
	}
}

# built_files - what a build has left, and must not have where it was refused
built_files()
{
	find "$project" -name '*.o' -o -name '*.ko' -o -name '*.mod'
}

# expect_refusal LOG WORDS... - one line, with all the words
expect_refusal()
{
	local log=$1 line words

	line=$(grep 'drm-hotupdate:' "$log") || {
		echo "not refused:"
		tail -n 20 "$log"
		return 1
	}
	echo "$line"
	[ "$(wc -l <<<"$line")" = 1 ] || return 1
	[ -z "$(built_files)" ] || {
		echo "compiled: $(built_files)"
		return 1
	}
	for words in "${@:2}" 'see "Kernels" in README.md'; do
		[[ $line = *"no $words"[,\;]* || $line = *"; $words"* ]] || {
			echo "does not name: $words"
			return 1
		}
	done
}

# refused WORDS... - by the command that people use
refused()
{
	refused_by "$kernel" "$@"
}

# refused_by BUILD_TREE WORDS...
refused_by()
{
	local tree=$1

	shift
	if make -C "$project" modules KDIR="$tree" >"$LOGS/refuse.log" 2>&1; then
		echo "it builds"
		return 1
	fi
	expect_refusal "$LOGS/refuse.log" "$@"
}

# without OPTION... - alone, or together
without()
{
	local option

	as_stock
	for option in "$@"; do
		drop_option "$option" || return 1
	done
	refused "$@"
}

# without_feature HEADER SED_SCRIPT WORDS
without_feature()
{
	as_stock
	edit_header "$1" "$2" || return 1
	refused "$3 in $1"
}

without_option_and_feature()
{
	as_stock
	drop_option CONFIG_PAGE_SIZE_4KB || return 1
	edit_header linux/platform_device.h 's/void (\*remove)/int (*remove)/' || return 1
	refused CONFIG_PAGE_SIZE_4KB "remove() without a result in linux/platform_device.h"
}

# without_drm - the rest can be built, and the line names the way
without_drm()
{
	without CONFIG_DRM CONFIG_DRM_EXEC CONFIG_DRM_GEM_SHMEM_HELPER CONFIG_DRM_SCHED || return 1
	refused CONFIG_DRM "VGPU=n builds the rest"
}

# accepted [VGPU] - one object is built, which shows that Kbuild went on
accepted()
{
	local status=0

	make -C "$kernel" M="$project" CONFIG_DRM_HOTUPDATE=m CONFIG_DRM_VGPU="${1-m}" \
		STATE_VERSION=2 "$object" >"$LOGS/refuse.log" 2>&1 || status=1
	[ -e "$project/$object" ] || status=1
	[ "$status" = 0 ] || tail -n 20 "$LOGS/refuse.log"
	cleaned || return 1
	return $status
}

cleaned()
{
	make -C "$project" clean KDIR="$kernel" >"$LOGS/refuse.log" 2>&1 || {
		tail -n 20 "$LOGS/refuse.log"
		return 1
	}
	[ -z "$(built_files)" ]
}

as_it_is()
{
	as_stock
	accepted
}

accepted_without_vgpu()
{
	as_stock
	drop_option CONFIG_DRM && drop_option CONFIG_DRM_SCHED && accepted n
}

# Where tasks are not preempted, they need not be waited for.
accepted_without_preemption()
{
	as_stock
	drop_option CONFIG_TASKS_RCU || return 1
	sed -i '/^CONFIG_PREEMPTION=/d' "$kernel/$config"
	accepted
}

cleaned_after_refusal()
{
	as_stock
	drop_option CONFIG_64BIT && cleaned
}

# in_tree OPTION... - the Makefile as a kernel tree reads it
in_tree()
{
	make --eval='all: ;' -f "$project/drivers/gpu/drm/hotupdate/Makefile" \
		src="$project/drivers/gpu/drm/hotupdate" srctree="$dir/common" \
		KERNELRELEASE=in-tree "$@" >"$LOGS/refuse.log" 2>&1
}

# Only where the core is enabled: other configurations of the tree have no use for it.
refused_in_tree()
{
	as_stock
	in_tree CONFIG_DRM_HOTUPDATE=y || return 1
	edit_header linux/device/class.h 's/(const struct device/(struct device/' || return 1
	in_tree || return 1
	! in_tree CONFIG_DRM_HOTUPDATE=y || return 1
	expect_refusal "$LOGS/refuse.log" "uevents of const devices in linux/device/class.h"
}

# debian_refused NAME WORDS... - a kernel of kernels.conf
debian_refused()
{
	use_kernel headers "$1" || return 1
	refused_by "$kernel_dir/kdir" "${@:2}"
}

# What a kernel without DRM can have: the core and the sample of a driver
debian_without_vgpu()
{
	local status=0

	use_kernel headers cloud || return 1
	make -C "$project" samples VGPU=n W=1 KDIR="$kernel_dir/kdir" \
		>"$LOGS/refuse.log" 2>&1 || status=1
	! grep -iE "warning:|error:" "$LOGS/refuse.log" || status=1
	for module in drivers/gpu/drm/hotupdate/drm_hotupdate samples/drm_hotupdate/tally; do
		[ -e "$project/$module.ko" ] || status=1
	done
	[ $status = 0 ] || tail -n 20 "$LOGS/refuse.log"
	make -C "$project" clean KDIR="$kernel_dir/kdir" >/dev/null || return 1
	return $status
}

lock "$WORK_LOCK"
make_kernel
sync_project "$project" Makefile Kbuild VERSION drivers include kunit samples tools/testing/modules
tap_plan 23
tap_case "the stock kernel is accepted" as_it_is
for option in 64BIT PAGE_SIZE_4KB SYSFS DMA_SHARED_BUFFER TASKS_RCU \
	DRM DRM_EXEC DRM_GEM_SHMEM_HELPER DRM_SCHED; do
	tap_case "refused without CONFIG_$option" without "CONFIG_$option"
done
tap_case "refused without uevents of const devices" without_feature linux/device/class.h \
	's/(const struct device/(struct device/' "uevents of const devices"
tap_case "refused without __assign_str() with one argument" without_feature \
	trace/stages/stage6_event_callback.h \
	's/__assign_str(dst)/__assign_str(dst, src)/' "__assign_str() with one argument"
tap_case "refused without remove() without a result" without_feature linux/platform_device.h \
	's/void (\*remove)/int (*remove)/' "remove() without a result"
tap_case "refused without jobs with the id of a client" without_feature drm/gpu_scheduler.h \
	's/u64 drm_client_id/int other/' "jobs with the id of a client"
tap_case "an option and a feature are both named" without_option_and_feature
tap_case "without DRM, the line names VGPU=n" without_drm
tap_case "without DRM, VGPU=n is accepted" accepted_without_vgpu
tap_case "without preemption, TASKS_RCU is not asked for" accepted_without_preemption
tap_case "a refused kernel's build is cleaned" cleaned_after_refusal
tap_case "in a kernel tree, features are asked for where the core is enabled" refused_in_tree
tap_case "Debian's kernel with pages of 16 KiB is refused" debian_refused arm64-16k \
	CONFIG_PAGE_SIZE_4KB
tap_case "Debian's kernel without DRM is refused" debian_refused cloud CONFIG_DRM
tap_case "the core and the sample build for it" debian_without_vgpu
rm -rf "$dir"
tap_done
