// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/moduleparam.h>

#include <drm/drm_print.h>

#include "vgpu_drv.h"
#include "vgpu_fault.h"

static bool fail_probe;
module_param(fail_probe, bool, 0600);
MODULE_PARM_DESC(fail_probe, "Fail before registering for hot update (test)");

static int fail_save = -1;
module_param(fail_save, int, 0600);
MODULE_PARM_DESC(fail_save, "Fail after saving this many blocks (test)");

static unsigned int corrupt_vf;
module_param(corrupt_vf, uint, 0600);
MODULE_PARM_DESC(corrupt_vf, "Save a spoilt state of this VF (test)");

static int fail_restore = -1;
module_param(fail_restore, int, 0600);
MODULE_PARM_DESC(fail_restore, "Refuse the block of this index (test)");

static bool fail_start;
module_param(fail_start, bool, 0600);
MODULE_PARM_DESC(fail_start, "Fail to start the device (test)");

static bool fail_late;
module_param(fail_late, bool, 0600);
MODULE_PARM_DESC(fail_late, "Fail after registering for hot update (test)");

static int fail(struct vgpu_device *vgpu, const char *what)
{
	drm_err(&vgpu->drm, "%s fails because a module parameter asks for it\n", what);
	return -EIO;
}

/**
 * vgpu_fault_probe - whether the probe is to fail
 * @vgpu: device
 *
 * Return: -EIO if so, else 0.
 */
int vgpu_fault_probe(struct vgpu_device *vgpu)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_fault_probe, vgpu);

	return fail_probe ? fail(vgpu, "probe") : 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_fault_probe);

/**
 * vgpu_fault_save - whether the save is to fail
 * @vgpu: device
 * @block: blocks saved so far
 *
 * Return: -EIO if so, else 0.
 */
int vgpu_fault_save(struct vgpu_device *vgpu, unsigned int block)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_fault_save, vgpu, block);

	return fail_save >= 0 && block == fail_save ? fail(vgpu, "save") : 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_fault_save);

/**
 * vgpu_fault_spoil_vf - spoil the state of a VF before it is saved, if so asked
 * @vgpu: device
 * @number: number of the VF
 * @data: its state, encoded
 * @size: bytes at @data
 *
 * The VF itself is left alone: what the next driver is given is wrong.
 */
void vgpu_fault_spoil_vf(struct vgpu_device *vgpu, unsigned int number, u8 *data,
			 size_t size)
{
	if (number != corrupt_vf)
		return;
	drm_warn(&vgpu->drm, "VF %u is saved spoilt because a module parameter asks for it\n",
		 number);
	data[size - 1] ^= 1;
}

/**
 * vgpu_fault_restore - whether the restore of a block is to fail
 * @vgpu: device
 * @block: index of the block
 *
 * Return: -EIO if so, else 0.
 */
int vgpu_fault_restore(struct vgpu_device *vgpu, unsigned int block)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_fault_restore, vgpu, block);

	return fail_restore >= 0 && block == fail_restore ? fail(vgpu, "restore") : 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_fault_restore);

/**
 * vgpu_fault_start - whether the start is to fail
 * @vgpu: device
 *
 * Return: -EIO if so, else 0.
 */
int vgpu_fault_start(struct vgpu_device *vgpu)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_fault_start, vgpu);

	return fail_start ? fail(vgpu, "start") : 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_fault_start);

/**
 * vgpu_fault_late - whether the probe is to fail after the start
 * @vgpu: device
 *
 * As it does if the driver core cannot create the driver's groups of attributes.
 *
 * Return: -EIO if so, else 0.
 */
int vgpu_fault_late(struct vgpu_device *vgpu)
{
	return fail_late ? fail(vgpu, "end of the probe") : 0;
}
