/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The version of the package that a module is built from.
 */
#ifndef _DRM_HOTUPDATE_PACKAGE_H_
#define _DRM_HOTUPDATE_PACKAGE_H_

#include <linux/build_bug.h>
#include <linux/module.h>

/**
 * MODULE_PACKAGE_VERSION - put the package's version into a module
 *
 * The version comes from the file VERSION by way of Kbuild. DKMS decides by it which
 * of two builds of a module is newer. A module of a kernel tree belongs to no package
 * and has no such version. The version of saved state is another matter, see
 * MODULE_DRM_HOTUPDATE().
 */
#ifdef DRM_HOTUPDATE_PACKAGE_VERSION
#define MODULE_PACKAGE_VERSION MODULE_VERSION(DRM_HOTUPDATE_PACKAGE_VERSION)
#else
#define MODULE_PACKAGE_VERSION static_assert(true)
#endif

#endif /* _DRM_HOTUPDATE_PACKAGE_H_ */
