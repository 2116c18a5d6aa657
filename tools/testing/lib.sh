# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What all scripts here share: where things are, messages, locks. Sourced.
# Messages go to stderr, results to stdout.

set -euo pipefail
export LC_ALL=C
# also where a program that was interrupted only says that it failed
trap 'exit 130' INT

TESTING=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
PROJECT=$(realpath "$TESTING/../..")
CACHE=${XDG_CACHE_HOME:-${HOME:?}/.cache}/drm-hotupdate
# What is built from this checkout; others have theirs
WORK=$CACHE/work/$(sha256sum <<<"$PROJECT" | cut -c1-12)
# shellcheck disable=SC2034 # for those who change anything there
WORK_LOCK=work-${WORK##*/}
LOGS=$PROJECT/build/logs
: "${HOTUPDATE_START:=$(date +%s)}"
export HOTUPDATE_START

# The stock kernel of kernels.conf that modules are built for, what is built for it,
# and what is said of it
: "${STOCK:=lts}"
export STOCK
STOCK_WORK=$WORK/$STOCK
[ "$STOCK" = lts ] || LOGS=$LOGS/$STOCK

# shellcheck source=tools/testing/kernels.conf
source "$TESTING/kernels.conf"

mkdir -p "$CACHE/lock" "$STOCK_WORK" "$LOGS" 2>/dev/null || true

# What root has left cannot be written over by a user, who would then be shown
# what is in the logs of that run.
not_ours=$(find "$LOGS" "$CACHE" "$CACHE/lock" "$CACHE/work" "$WORK" -maxdepth 1 \
	! -type l ! -writable -print -quit 2>&1) || true
if [ -n "$not_ours" ]; then
	echo "error: $not_ours cannot be written to, by a run as root before this one?" \
		"Run as root again, or remove $LOGS and $CACHE." >&2
	exit 1
fi

# for drop_old_work(), which must not find the file empty
[ "$(cat "$WORK/checkout" 2>/dev/null)" = "$PROJECT" ] || echo "$PROJECT" >"$WORK/checkout"

elapsed()
{
	local s=$(($(date +%s) - HOTUPDATE_START))

	printf '%d:%02d' $((s / 60)) $((s % 60))
}

say()
{
	echo "[$(elapsed)] $*" >&2
}

die()
{
	say "error: $*"
	exit 1
}

# lock NAME - hold it until this script ends; what it starts holds it too
lock()
{
	local fd

	case " ${HOTUPDATE_LOCKS-} " in
	*" $1 "*) return ;;
	esac
	exec {fd}>"$CACHE/lock/$1"
	if ! flock -w 2 "$fd"; then
		say "waiting for another run that uses $1"
		flock "$fd"
	fi
	export HOTUPDATE_LOCKS="${HOTUPDATE_LOCKS-} $1"
}

# use_kernel stock|headers NAME | source SERIES - as fetch-kernel.sh, but leaves the directory in
# kernel_dir. It is kept until this script ends, and what is started by it takes the
# same, although there may be a newer one by then. Fails if there is none.
use_kernel()
{
	local name=HOTUPDATE_KERNEL_$* fd

	name=${name//[!A-Za-z0-9_]/_}
	kernel_dir=${!name-}
	while [ ! -e "$kernel_dir" ]; do
		kernel_dir=$("$TESTING/fetch-kernel.sh" "$@") || return
		exec {fd}>>"$CACHE/lock/use-$(basename "$kernel_dir")"
		flock -s "$fd"
		# somebody with a newer one may have been faster
		[ -e "$kernel_dir" ] || exec {fd}>&-
	done
	export "$name=$kernel_dir"
}

# unless_used NAME COMMAND... - of a kernel's directory, by any checkout
unless_used()
(
	flock -xn 9 || exit 0
	shift
	"$@"
) 9>>"$CACHE/lock/use-$1"

# tick WHAT - say every 20 s that it is still being done. Looks often whether
# its parent lives: it has the parent's locks as long as it runs itself.
tick()
{
	local parent=$$ start=$SECONDS next=$((SECONDS + 20)) never

	exec {never}<> <(:)
	while kill -0 "$parent" 2>/dev/null; do
		read -rt 1 -u "$never" || true
		[ "$SECONDS" -ge "$next" ] || continue
		next=$((next + 20))
		say "  still at it: $* ($((SECONDS - start)) s)"
	done
}

# ticking WHAT COMMAND... - run it, and say meanwhile that it is alive, unless
# whoever has started this does so
ticking()
{
	local what=$1 ticker status=0

	shift
	if [ -n "${HOTUPDATE_TICKING-}" ]; then
		"$@"
		return
	fi
	tick "$what" </dev/null >/dev/null &
	ticker=$!
	HOTUPDATE_TICKING=yes "$@" || status=$?
	kill "$ticker" 2>/dev/null || true
	wait "$ticker" 2>/dev/null || true
	return "$status"
}

# long WHAT LOG COMMAND... - run it with its output in LOG, say that it is
# alive, and show the end of LOG when it fails
long()
{
	local what=$1 log=$2 status=0

	shift 2
	say "$what"
	ticking "$what" into_log "$log" "$@" || status=$?
	[ "$status" = 0 ] && return
	say "failed ($status): $what; the end of $log:"
	tail -n 40 "$log" >&2
	return "$status"
}

into_log()
{
	local log=$1

	shift
	"$@" </dev/null >"$log" 2>&1
}

# unless_there DIR FUNCTION [ARGS] - make DIR by calling FUNCTION NEWDIR ARGS,
# so that DIR is there whole or not at all
unless_there()
{
	local dir=$1 make=$2

	[ -e "$dir" ] && return
	shift 2
	rm -rf "$dir.new"
	mkdir -p "$dir.new"
	"$make" "$dir.new" "$@" || {
		rm -rf "$dir.new"
		return 1
	}
	mv "$dir.new" "$dir"
}

# Drops builds of checkouts that are gone. Another run can do so at the same time.
drop_old_work()
{
	local dir

	# as they were named before there was a choice of kernels
	rm -rf "$WORK"/{build-v1,build-v2,modules,initramfs,initramfs.cpio}
	for dir in "$CACHE"/work/*; do
		drop_if_gone "$dir" 9>>"$CACHE/lock/work-${dir##*/}"
	done
}

drop_if_gone()
{
	local checkout

	flock -xn 9 || return 0
	checkout=$(cat "$1/checkout" 2>/dev/null) || return 0
	[ -z "$checkout" ] || [ -e "$checkout" ] || rm -rf "$1"
}

# project_files [PATH...] - the files of the project, relative to its root
project_files()
(
	cd "$PROJECT"
	if git -c safe.directory="$PROJECT" rev-parse --git-dir >/dev/null 2>&1; then
		git -c safe.directory="$PROJECT" ls-files -co --exclude-standard -- "$@"
	else
		find "${@:-.}" \( -name .git -o -path ./build \) -prune -o -type f \
			! -name '*.pyc' ! -name '*.ko' ! -name '*.o' ! -name '*.mod' ! -name '*.mod.c' \
			! -name '.*.cmd' ! -name Module.symvers ! -name modules.order \
			-print | sed 's,^\./,,'
	fi | sort -u | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done
)

# sync_project DEST PATH... - DEST gets copies of the project's files. A copy
# is touched only when its content changes: make then rebuilds what differs,
# whatever the times of the originals, and nothing else.
sync_project()
{
	local dest=$1 list file

	list=$dest/.project-files
	shift
	mkdir -p "$dest"
	project_files "$@" >"$list.new"
	if [ -e "$list" ]; then
		comm -13 "$list.new" "$list" | while read -r file; do
			rm -f "$dest/$file"
		done
	fi
	while read -r file; do
		cmp -s "$PROJECT/$file" "$dest/$file" && continue
		mkdir -p "$(dirname "$dest/$file")"
		rm -f "$dest/$file"
		cp --no-preserve=timestamps "$PROJECT/$file" "$dest/$file"
	done <"$list.new"
	mv "$list.new" "$list"
}
