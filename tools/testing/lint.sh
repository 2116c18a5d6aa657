#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lint.sh: what the kernel's own tools, and shellcheck, have to say. One TAP
# result for each tool.

source "$(dirname "$0")/lib.sh"
source "$TESTING/tap.sh"
source "$TESTING/modules.sh"
source "$TESTING/coccinelle.sh"

"$TESTING/install-deps.sh" modules lint
use_kernel stock lts
stock=$kernel_dir
use_kernel source "$LTS"
lts=$kernel_dir
use_kernel source "$NEWEST"
newest=$kernel_dir
cd "$PROJECT" || exit

mapfile -t all < <(project_files)
mapfile -t sources < <(project_files | grep -E '\.[ch]$')
# With a directory, even where it is this one: checkpatch looks for the name of
# a file in its content, and that of the top Makefile is a word of its own.
mapfile -t kbuild < <(project_files | sed 's,^[^/]*$,./&,' |
		      grep -E '/(Kconfig|Kbuild|Makefile(\.features)?)$')
mapfile -t kernel_code < <(project_files drivers include kunit samples \
			      tools/testing/modules | grep -E '\.[ch]$')
mapfile -t modules_code < <(project_files drivers samples tools/testing/modules | grep -E '\.c$')
mapfile -t scripts < <(for file in "${all[@]}"; do
	case $file in
	*.sh | dkms.conf) echo "$file" ;;
	*) ! head -n 1 "$file" | grep -aqE '^#!.*\<(ba)?sh\>' || echo "$file" ;;
	esac
done)
# Text that cannot carry a comment, or is the licence itself
mapfile -t commentable < <(printf '%s\n' "${all[@]}" |
			   grep -vE '^(LICENSE|VERSION)$|^Documentation/ABI/|\.(json|png|bin)$')

# It leaves an index of names where it runs, so that is elsewhere. The version of $NEWEST
# asks for kzalloc_obj(), but early kernels of $LTS do not have it.
run_checkpatch()
{
	(cd "$WORK/checkpatch" &&
	 perl "$checkpatch_of/scripts/checkpatch.pl" --strict --no-tree --no-summary -q \
		--show-types --ignore ALLOC_WITH_SIZEOF "$@")
}

# Programs that use libdrm have to write its functions' names as they are.
checkpatch()
{
	local checkpatch_of=$1 file libdrm=() others=() status=0

	shift
	sync_project "$WORK/checkpatch"
	for file in "$@"; do
		if grep -q '<xf86drm.h>' "$file"; then
			libdrm+=("$file")
		else
			others+=("$file")
		fi
	done
	run_checkpatch -f "${others[@]}" || status=1
	run_checkpatch --ignore CAMELCASE -f "${libdrm[@]}" || status=1
	return $status
}

# Asks of each file whether sparse has seen it: where it does not suit the
# kernel, the build goes on without it and says little.
sparse_modules()
{
	local log=$LOGS/sparse.log file missed=0

	build_modules test_modules 2 "$stock" "$log" C=2 CHECK=sparse 2>/dev/null || {
		grep -iE -A 4 "$complaint" "$log" | head -n 60
		return 1
	}
	for file in "$@"; do
		grep -qE "^ *CHECK +(.*/)?$file$" "$log" || {
			echo "sparse has not seen $file"
			missed=1
		}
	done
	return $missed
}

kernel_doc()
{
	"$1/scripts/kernel-doc" -none -Wall -Werror "${@:2}"
}

spdx()
{
	local file status=0

	for file in "$@"; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' || {
			echo "$file: no SPDX-License-Identifier: GPL-2.0-only in its first three lines"
			status=1
		}
	done
	return $status
}

splats_test()
{
	tools/testing/splats-test.sh
}

# Only there is a processor chosen that the emulator does not get wrong.
emulator()
{
	! grep -n 'qemu-system-x86_6[4]' "$@" | grep -v '^tools/testing/qemu\.sh:'
}

# Kernels are asked for features, see Makefile.features: stable series backport them.
kernel_versions()
{
	! grep -nE 'LINUX_VERSION_|KERNEL_VERSION|linux/version\.h|\<(PATCH|SUB)LEVEL\>' "$@"
}

clauses()
{
	tools/testing/clauses.py check
}

# one_version MODULES... - all that have a version have that of the file VERSION: the
# package, and the modules as the last build made them
one_version()
{
	local version module status=0

	version=$(cat VERSION)
	# shellcheck source=../../dkms.conf
	[ "$(kernel_source_dir=''; . "$PROJECT/dkms.conf" && echo "$PACKAGE_VERSION")" = "$version" ] || {
		echo "dkms.conf does not have version $version"
		status=1
	}
	for module in "$@"; do
		[ "$(/sbin/modinfo -F version "$module")" = "$version" ] || {
			echo "$(basename "$module") does not have version $version"
			status=1
		}
	done
	return $status
}

# symbol_versions DIR OBJECT - those that the build of an object has made
symbol_versions()
{
	grep '^#SYMVER' "$1/drivers/gpu/drm/hotupdate/.$2.cmd"
}

# abi OBJECTS... - one member more in what is private to the core changes none of the
# versions of its symbols, which drivers are loaded by
abi()
{
	local dir=$WORK/build-abi header object status=0

	sync_project "$dir" Makefile Kbuild VERSION drivers include kunit samples
	header=$dir/drivers/gpu/drm/hotupdate/drm_hotupdate_internal.h
	sed -i 's/^\tu64 generation;/&\n\tu64 wider;/; s/^\tunsigned int num_held;/&\n\tu64 wider;/' \
		"$header"
	[ "$(grep -c 'u64 wider;' "$header")" = 2 ] || {
		echo "$header has changed: where is a member to be put?"
		return 1
	}
	for object in "$@"; do
		make -C "$stock/kdir" M="$dir" CONFIG_DRM_HOTUPDATE=m STATE_VERSION=2 \
			"drivers/gpu/drm/hotupdate/$object" >"$LOGS/abi.log" 2>&1 || {
			tail -n 20 "$LOGS/abi.log"
			return 1
		}
		symbol_versions "$dir" "$object" >/dev/null || {
			echo "$object has no symbol versions"
			status=1
		}
		diff <(symbol_versions "$STOCK_WORK/build-v2" "$object") \
			<(symbol_versions "$dir" "$object") || status=1
	done
	return $status
}

# lint WHAT FUNCTION FILES... - no files is a mistake, not a success
lint()
{
	say "lint: $1"
	if [ $# -lt 3 ]; then
		tap_not_ok "$1"
		tap_diag "no files for it"
	else
		tap_case "$1" "${@:2}"
	fi
}

lock "$WORK_LOCK"
tap_plan 15
lint "checkpatch --strict of $LTS" checkpatch "$lts" "${sources[@]}" "${kbuild[@]}"
lint "checkpatch --strict of $NEWEST" checkpatch "$newest" "${sources[@]}" "${kbuild[@]}"
lint "coccinelle finds seeded faults" coccinelle_seeded "$newest"
lint "coccinelle rules of $NEWEST" coccinelle "$newest" "${kernel_code[@]}"
[ "$tap_status" != 0 ] || tap_diag "$tap_output"
lint "sparse" sparse_modules "${modules_code[@]}"
mapfile -t modules < <(find "$STOCK_WORK/build-v2" -name '*.ko')
lint "one version" one_version "${modules[@]}"
lint "private structures are not in symbol versions" abi \
	drm_hotupdate_{adapter,block,prepare,save}.o
lint "kernel-doc of $LTS" kernel_doc "$lts" "${kernel_code[@]}"
lint "kernel-doc of $NEWEST" kernel_doc "$newest" "${kernel_code[@]}"
lint "shellcheck" shellcheck -x -P SCRIPTDIR -P tools/testing -P tools/testing/vm "${scripts[@]}"
lint "splats.sh finds complaints" splats_test tools/testing/splats.sh
lint "virtual machines are those of qemu.sh" emulator "${scripts[@]}"
lint "no version of a kernel in the code" kernel_versions "${sources[@]}" "${kbuild[@]}"
lint "clauses and their cases" clauses kunit/*_kunit.c
lint "SPDX lines" spdx "${commentable[@]}"
tap_done
