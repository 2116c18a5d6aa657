# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A kernel for UML with this project in it, built by kunit.py. Sourced after
# lib.sh.

# As in build-modules.sh, but the rest of the kernel takes minutes and is kept.
um_ours="drivers/gpu/drm/hotupdate drivers/gpu/drm/vgpu kunit samples/drm_hotupdate"

# Another version's or compiler's kernel will not be needed again. (What the
# configuration changes, Kbuild itself finds out.)
um_drop_old()
{
	local family=${um_name%%_*} dir

	find "$CACHE/overlay" "$CACHE/kunit" -mindepth 1 -maxdepth 1 -name "${family}_*" |
		while read -r dir; do
			case ${dir##*/} in
			"$um_name" | "${um_build##*/}") ;;
			# of this kernel, which we have locked
			"$um_name-$um_config"-*) rm -rf "$dir" ;;
			"$um_name"-*) ;;
			# its kernel's name, and perhaps configuration and compiler
			*-*-*-*) unless_used "$(sed -E 's/-[a-z]+-[0-9a-f]{8}$//' <<<"${dir##*/}")" \
				rm -rf "$dir" ;;
			*) unless_used "${dir##*/}" rm -rf "$dir" ;;
			esac
		done
}

# um_prepare SERIES CONFIG - all that is to be there before a build; KSRC=path
# takes a kernel source of the user's own. Leaves um_series, um_log, and um_build,
# which holds what is built. Holds the kernel's lock from then on.
um_prepare()
{
	local source compiler

	um_series=$1 um_config=$2
	case $um_config in
	plain) um_fragment=kunit/.kunitconfig ;;
	*) um_fragment=kunit/$um_config.kunitconfig ;;
	esac
	[ -e "$PROJECT/$um_fragment" ] || die "no $um_fragment"

	if [ -n "${KSRC-}" ]; then
		source=$(realpath "$KSRC")
		um_name=own-$(sha256sum <<<"$source" | cut -c1-12)
		um_series=$(make -s -C "$source" kernelversion | cut -d. -f1,2)
	else
		use_kernel source "$um_series" || die "no source of $um_series"
		# shellcheck disable=SC2154 # from lib.sh
		source=$kernel_dir
		um_name=$(basename "$source")
	fi
	compiler=$(gcc --version | sha256sum | cut -c1-8)
	um_overlay=$CACHE/overlay/$um_name
	um_build=$CACHE/kunit/$um_name-$um_config-$compiler
	um_log=$LOGS/kunit-$um_series-$um_config.log

	lock "kunit-$um_name"
	mkdir -p "$CACHE/overlay" "$um_build"
	um_drop_old
	# a tree of the user's own may have changed anywhere
	[ -z "${KSRC-}" ] || rm -rf "$um_overlay"
	"$TESTING/overlay.sh" "$source" "$um_overlay"
	if [ ! -e "$um_build/.without-warning" ]; then
		# shellcheck disable=SC2086 # several words
		(cd "$um_build" && rm -rf ${um_ours:?})
	fi
	rm -f "$um_build/.without-warning"
}

# um_kunit COMMAND [OPTIONS] - kunit.py, with its output on stdout
um_kunit()
(
	cd "$um_overlay" &&
		env -u ARCH -u CROSS_COMPILE -u LLVM nice tools/testing/kunit/kunit.py "$1" --arch=um \
			--build_dir="$um_build" --kunitconfig="$um_fragment" \
			--jobs="$(nproc)" "${@:2}"
)

# um_note_warnings - of the compiler, about this project, in um_log: to the file
# warnings in um_build. A build without any is built on. (Whatever path leads to
# the source: it has the version in it, with characters that mean something to
# grep, and may have symbolic links.)
um_note_warnings()
{
	local ours='drivers/gpu/drm/(hotupdate|vgpu)/|samples/drm_hotupdate/'

	ours+='|kunit/(drm_hotupdate|vgpu)|include/(uapi/)?drm/[^/:]*(hotupdate|vgpu)'
	grep -E "^(ERROR:root:)?([^ :]*/)?($ours)[^ ]*: .*warning:" \
		"$um_log" >"$um_build/warnings" || touch "$um_build/.without-warning"
}
