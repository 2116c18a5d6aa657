#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# htmldocs.sh: builds the documents in Documentation as the kernel does, with the
# long-term kernel's extensions of Sphinx, into build/htmldocs. A warning is a
# failure. TAP on stdout.

source "$(dirname "$0")/lib.sh"
source "$TESTING/tap.sh"

output=$PROJECT/build/htmldocs
states_figure=Documentation/gpu/drm-hotupdate-states.svg
states_code=drivers/gpu/drm/hotupdate/drm_hotupdate_status.c

# A tree as the extensions expect it: of the project, with the kernel's scripts.
# Not in the cache: the kernel's get_abi.pl sees nothing below a hidden directory.
link_tree()
{
	local name

	for name in Documentation drivers include samples; do
		ln -s "$PROJECT/$name" "$tree/$name"
	done
	ln -s "$kernel/scripts" "$tree/scripts"
}

# It warns, and succeeds.
abi_parses()
{
	local warnings

	warnings=$(perl "$kernel/scripts/get_abi.pl" validate --dir Documentation/ABI 2>&1) || return
	echo "$warnings"
	[ -z "$warnings" ]
}

states_in_code()
{
	sed -n 's/^\t*\[HOTUPDATE_[A-Z]*\] = "\(.*\)",$/\1/p' "$states_code" | sort
}

states_in_figure()
{
	sed -n 's/^ *<text class="state".*>\(.*\)<\/text>$/\1/p' "$states_figure" | sort
}

# Without what an earlier build has left: of that, the warnings are not repeated.
html()
{
	rm -rf "$output"
	srctree=$tree kernel_sphinx=$kernel/Documentation/sphinx \
		KDOC_WERROR=1 PYTHONDONTWRITEBYTECODE=1 \
		sphinx-build -q -E -W --keep-going -b html -d "$WORK/doctrees" \
		"$tree/Documentation" "$output" 2>&1 | sed "s,$tree/,,g"
}

"$TESTING/install-deps.sh" docs
lock "$WORK_LOCK"
use_kernel source "$LTS"
kernel=$kernel_dir
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
link_tree
cd "$PROJECT" || exit
say "htmldocs: into $output"
tap_plan 4
tap_case "the ABI descriptions parse" abi_parses
tap_is "the figure has the states of the code" "$(states_in_figure)" "$(states_in_code)"
tap_case "htmldocs without a warning" html
tap_case "the ABI descriptions are in them" \
	grep -q '/sys/class/drm_hotupdate/' "$output/abi.html"
tap_done
