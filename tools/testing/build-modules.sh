#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# build-modules.sh [headers]: builds the modules against the stock kernel STOCK as
# anyone would, out of tree, in copies of the project, vgpu.ko also as the older
# release, and the sample and the modules of tests. A warning is a failure. TAP on
# stdout. What is to be loaded in a virtual machine ends in $STOCK_WORK/modules:
# drm_hotupdate.ko, vgpu_sim.ko, v<state version>/vgpu.ko, samples/*.ko, testing/*.ko.
#
# With headers, those of the kernel suffice: nothing is to be loaded.

source "$(dirname "$0")/lib.sh"
source "$TESTING/tap.sh"
source "$TESTING/modules.sh"

kind=${1:-stock}
use_kernel "$kind" "$STOCK"
stock=$kernel_dir
newest=2
older=1

# As a distribution does, without what only a debugger reads: that would be
# loaded too, and some of the tests take the time.
install_module()
{
	cp "$1" "$2" && strip --strip-debug "$2/$(basename "$1")"
}

install_modules()
{
	local to=$STOCK_WORK/modules version module

	for version in $older $newest; do
		mkdir -p "$to/v$version"
		install_module "$STOCK_WORK/build-v$version/drivers/gpu/drm/vgpu/vgpu.ko" \
			"$to/v$version" || return 1
	done
	for module in hotupdate/drm_hotupdate vgpu/sim/vgpu_sim; do
		install_module "$STOCK_WORK/build-v$newest/drivers/gpu/drm/$module.ko" \
			"$to" || return 1
	done
	mkdir -p "$to/samples"
	for module in tally tally_device; do
		install_module "$STOCK_WORK/build-v$newest/samples/drm_hotupdate/$module.ko" \
			"$to/samples" || return 1
	done
	mkdir -p "$to/testing"
	for module in "$STOCK_WORK/build-v$newest"/tools/testing/modules/*.ko; do
		install_module "$module" "$to/testing" || return 1
	done
}

# build DESCRIPTION TARGET STATE_VERSION [MAKE ARGUMENTS]
build()
{
	local log=$LOGS/build-$2-v$3.log

	if build_modules "$2" "$3" "$stock" "$log" "${@:4}"; then
		tap_ok "$1 without a warning"
	else
		tap_not_ok "$1 without a warning"
		tap_diag "$(grep -iE -A 4 "$complaint" "$log" | head -n 40)"
	fi
}

# dkms_fits - dkms.conf names each module that is built, and nothing else, and the
# kernels of kernels.conf, and no other. (DKMS itself is not tried.)
dkms_fits()
(
	cd "$STOCK_WORK/build-v$newest" || exit
	set +u
	# shellcheck source=/dev/null disable=SC2034 # for dkms.conf
	kernel_source_dir=$stock/kdir
	# shellcheck source=/dev/null
	source "$PROJECT/dkms.conf"
	# shellcheck disable=SC2153,SC2154 # from dkms.conf, kernels.conf
	diff <(find drivers -name '*.ko' | sort) \
		<(for i in "${!BUILT_MODULE_NAME[@]}"; do
			echo "${BUILT_MODULE_LOCATION[i]}/${BUILT_MODULE_NAME[i]}.ko"
		  done | sort) || exit
	for series in "$LTS" "$NEWEST"; do
		[[ $series.1-amd64 =~ $BUILD_EXCLUSIVE_KERNEL ]] || exit
		[[ ! ${series}1.1-amd64 =~ $BUILD_EXCLUSIVE_KERNEL ]] || exit
	done
)

build_older()
{
	build "the older release of vgpu builds" modules $older modules_config=CONFIG_DRM_VGPU=m \
		KBUILD_EXTRA_SYMBOLS="$STOCK_WORK/build-v$newest/Module.symvers"
}

lock "$WORK_LOCK"
drop_old_work
if [ "$kind" = headers ]; then
	tap_plan 2
	build "modules, sample and modules of tests build" test_modules $newest
	build_older
	tap_done
	exit
fi
rm -rf "$STOCK_WORK/modules"
tap_plan 6
build "the modules build" modules $newest
build "the sample builds" samples $newest
build "the modules of tests build" test_modules $newest
build_older
tap_case "all modules are there" install_modules
tap_case "dkms.conf is about these modules and kernels" dkms_fits
tap_done
