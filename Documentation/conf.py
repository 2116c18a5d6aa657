# SPDX-License-Identifier: GPL-2.0-only
#
# For Sphinx, as tools/testing/htmldocs.sh calls it. srctree is a tree with this
# project's directories and the kernel's scripts in it, kernel_sphinx is where
# the kernel has its own extensions of Sphinx.

import os
import sys

srctree = os.environ["srctree"]
sys.path.insert(0, os.environ["kernel_sphinx"])

project = "Hot update of DRM drivers"
author = copyright = "The drm-hotupdate authors"

extensions = ["automarkup", "kernel_abi", "kerneldoc"]
kerneldoc_bin = os.path.join(srctree, "scripts/kernel-doc")
kerneldoc_srctree = srctree

# As in the kernel: literals without a language are not Python
highlight_language = "none"
c_id_attributes = ["__counted_by"]

# What is referred to exists, but for the types in prototypes: many are not ours
nitpicky = True
nitpick_ignore_regex = [("c:identifier", ".*")]

html_theme = "alabaster"
html_theme_options = {"page_width": "1100px"}
html_show_sphinx = False
html_copy_source = False
