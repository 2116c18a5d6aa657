#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# install-deps.sh [PURPOSE...]: installs those Debian packages that are missing
# for the purposes: modules, kernels, vm, kunit, lint, docs, load. Without any: for all but
# load, which no test needs.

source "$(dirname "$0")/lib.sh"
source "$TESTING/apt.sh"

# coccinelle loads the library of Python, on which its package does not depend. The
# library's own package has another name in each release of Debian; libpython3-dev
# needs the one of the default Python.
declare -A packages=(
	[modules]="gcc libc6-dev make kmod xz-utils libelf-dev pahole perl"
	[kernels]="gcc libc6-dev make kmod xz-utils file patchelf gcc-aarch64-linux-gnu"
	[vm]="gcc libc6-dev make libdrm-dev pkg-config kmod cpio xz-utils qemu-system-x86"
	[kunit]="gcc libc6-dev make flex bison bc kmod xz-utils python3"
	[lint]="gcc libc6-dev make libelf-dev xz-utils perl python3 shellcheck sparse coccinelle
		libpython3-dev"
	[docs]="xz-utils perl python3-sphinx"
	[load]="stress-ng util-linux"
)
[ $# != 0 ] || set -- modules kernels vm kunit lint docs

install()
{
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -o DPkg::Lock::Timeout=300 install -y \
		--no-install-recommends "$@"
}

missing=()
for purpose in "$@"; do
	for name in ${packages[$purpose]?no such purpose: $purpose}; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)
		[ "$state" = installed ] || missing+=("$name")
	done
done
[ ${#missing[@]} != 0 ] || exit 0

mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
need_root "installing ${missing[*]}"
for name in "${missing[@]}"; do
	if ! package_version "$name" >/dev/null; then
		apt_update
		break
	fi
done
apt_with_update long "installing ${missing[*]}" "$LOGS/install.log" install "${missing[@]}" ||
	die "could not install ${missing[*]}"
