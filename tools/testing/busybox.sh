#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# busybox.sh: says where a static busybox is, after fetching it if there is none
# or a newer one. Not installed: the package would put another busybox off the
# machine.

source "$(dirname "$0")/lib.sh"
source "$TESTING/apt.sh"

lock busybox
version=$(package_version busybox-static) || version=
dir=$CACHE/busybox/$version
[ -n "$version" ] ||
	dir=$(find "$CACHE/busybox" -mindepth 1 -maxdepth 1 ! -name '*.new' 2>/dev/null |
	      tail -n 1)
[ -n "$dir" ] || die "no package busybox-static"
[ -e "$dir" ] || apt_with_update long "fetching busybox" "$LOGS/fetch-busybox.log" \
	unless_there "$dir" unpack_packages busybox-static >&2
find "$dir" -path '*bin/busybox' -type f
