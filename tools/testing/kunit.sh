#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kunit.sh [SERIES [CONFIG [KUNIT.PY OPTIONS]]]: the KUnit suites under UML, by
# kunit.py, in a kernel source with this project in it. CONFIG is plain or
# debug. KSRC=path takes a kernel source of your own. The kernel that was built
# is kept and built on. Results are TAP, one line a case, on stdout.

source "$(dirname "$0")/lib.sh"

series=${1:-$LTS} config=${2:-plain}
shift $(($# < 2 ? $# : 2))

case $config in
plain) fragment=kunit/.kunitconfig ;;
*) fragment=kunit/$config.kunitconfig ;;
esac
[ -e "$PROJECT/$fragment" ] || die "no $fragment"

if [ -n "${KSRC-}" ]; then
	source=$(realpath "$KSRC")
	name=own-$(sha256sum <<<"$source" | cut -c1-12)
	series=$(make -s -C "$source" kernelversion | cut -d. -f1,2)
else
	source=$("$TESTING/fetch-kernel.sh" source "$series")
	name=$(basename "$source")
fi
compiler=$(gcc --version | sha256sum | cut -c1-8)
overlay=$CACHE/overlay/$name
build=$CACHE/kunit/$name-$config-$compiler
log=$LOGS/kunit-$series-$config.log

# Another version's or compiler's kernel will not be needed again. (What the
# configuration changes, Kbuild itself finds out.)
drop_old()
{
	local family=${name%%_*}

	find "$CACHE/overlay" -mindepth 1 -maxdepth 1 -name "${family}_*" \
		! -name "$name" -exec rm -rf {} +
	find "$CACHE/kunit" -mindepth 1 -maxdepth 1 -name "${family}_*-$config-*" \
		! -name "$(basename "$build")" -exec rm -rf {} +
}

lock "kunit-$name"
mkdir -p "$CACHE/overlay" "$build"
drop_old
# a tree of the user's own may have changed anywhere
[ -z "${KSRC-}" ] || rm -rf "$overlay"
"$TESTING/overlay.sh" "$source" "$overlay"

# As in build-modules.sh, but the rest of the kernel takes minutes and is kept.
ours="drivers/gpu/drm/hotupdate drivers/gpu/drm/vgpu kunit"
if [ ! -e "$build/.without-warning" ]; then
	# shellcheck disable=SC2086 # several words
	(cd "$build" && rm -rf ${ours:?})
fi
rm -f "$build/.without-warning" "$build/results.json" "$build/test.log"

# That tests failed is for the results to say: what fails here is the building.
kunit_status=0
run_kunit()
{
	nice tools/testing/kunit/kunit.py run --arch=um \
		--build_dir="$build" --kunitconfig="$fragment" \
		--jobs="$(nproc)" --timeout=1800 --json="$build/results.json" \
		"$@" || kunit_status=$?
	[ -e "$build/results.json" ]
}

cd "$overlay" || exit
long "KUnit under UML $series, $config" "$log" run_kunit "$@" || true
cp "$build/test.log" "${log%.log}-kernel.log" 2>/dev/null || true
grep -E "^(ERROR:root:)?$overlay/(${ours// /|}|include/.*(hotupdate|vgpu)).*warning:" \
	"$log" >"$build/warnings" || touch "$build/.without-warning"
# one that failed may have been stopped before the last file
[ -e "$build/test.log" ] || rm -f "$build/.without-warning"
"$TESTING/kunit_tap.py" "kunit-$series-$config" "$kunit_status" "$build"
