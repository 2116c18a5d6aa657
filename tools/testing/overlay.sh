#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# overlay.sh KSRC DEST: DEST becomes the kernel source KSRC with this project
# in it. KSRC is linked to, file by file, and not changed; the project's files
# are copies (see sync_project). Run again, it takes over what has changed in
# the project since.

source "$(dirname "$0")/lib.sh"

[ $# = 2 ] || die "usage: overlay.sh KSRC DEST"
ksrc=$(realpath "$1")
dest=$2
drm=drivers/gpu/drm
[ -e "$ksrc/$drm/Kconfig" ] || die "$ksrc is no kernel source"

link_tree()
{
	local new=$1 file

	cp -rs "$ksrc"/* "$new" || return 1

	# what a build in the source itself has left would be taken for ours
	rm -rf "$new/include/config" "$new/include/generated" \
		"$new"/arch/*/include/generated

	# kunit.py finds the root of the kernel through its own real path
	rm -rf "$new/tools/testing/kunit"
	cp -r "$ksrc/tools/testing/kunit" "$new/tools/testing/"

	for file in Kconfig Makefile; do
		rm "$new/$drm/$file"
		cp "$ksrc/$drm/$file" "$new/$drm/$file"
	done
	sed '/^#/d' "$PROJECT/Kconfig" >>"$new/$drm/Kconfig"
	printf 'obj-y += %s/\n' hotupdate vgpu >>"$new/$drm/Makefile"
}

lock "$(basename "$dest")"
unless_there "$dest" link_tree
sync_project "$dest" drivers include kunit
