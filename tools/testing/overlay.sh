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
[ -e "$ksrc/drivers/gpu/drm/Kconfig" ] || die "$ksrc is no kernel source"
[ ! -e "$dest" ] || [ -e "$dest/drivers/gpu/drm/Kconfig" ] ||
	die "$dest is there, and there is no kernel in it: name one that is not there"

link_tree()
{
	local new=$1

	cp -rs "$ksrc"/* "$new" || return 1

	# what a build in the source itself has left would be taken for ours
	rm -rf "$new/include/config" "$new/include/generated" \
		"$new"/arch/*/include/generated

	# kunit.py finds the root of the kernel through its own real path
	rm -rf "$new/tools/testing/kunit"
	cp -r "$ksrc/tools/testing/kunit" "$new/tools/testing/"
}

# extend FILE - it is as in KSRC, with what is on stdin at its end
extend()
{
	cat "$ksrc/$1" - >"$dest/$1.extended"
	if cmp -s "$dest/$1" "$dest/$1.extended"; then
		rm "$dest/$1.extended"
	else
		mv "$dest/$1.extended" "$dest/$1"
	fi
}

lock "$(basename "$dest")"
unless_there "$dest" link_tree
sync_project "$dest" drivers include kunit samples
sed '/^#/d' "$PROJECT/Kconfig" | extend drivers/gpu/drm/Kconfig
printf 'obj-y += %s/\n' hotupdate vgpu | extend drivers/gpu/drm/Makefile
sed '/^#/d' "$PROJECT/samples/drm_hotupdate/Kconfig" | extend samples/Kconfig
echo "obj-\$(CONFIG_SAMPLE_DRM_HOTUPDATE) += drm_hotupdate/" | extend samples/Makefile
