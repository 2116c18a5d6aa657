/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs for KUnit suites between the kernels that are supported.
 */
#ifndef _KUNIT_COMPAT_H_
#define _KUNIT_COMPAT_H_

#include <linux/module.h>

/*
 * MODULE_IMPORT_NS() takes a name up to 6.12 and a string later on. What it
 * puts into the module is the same.
 */
#define MODULE_IMPORT_KUNIT_NS() \
	MODULE_INFO(import_ns, "EXPORTED_FOR_KUNIT_TESTING")
#define MODULE_IMPORT_DMA_BUF_NS() \
	MODULE_INFO(import_ns, "DMA_BUF")

#endif /* _KUNIT_COMPAT_H_ */
