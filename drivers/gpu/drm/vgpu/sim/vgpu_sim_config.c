// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim configuration
 *
 * A &struct vgpu_sim_config says what the devices are to be like. It is a
 * plain object: module parameters fill it in, as tests do, and it can be
 * checked where there is no device.
 */

#include <kunit/visibility.h>
#include <linux/errno.h>

#include "vgpu_sim.h"

/**
 * vgpu_sim_config_check() - can devices be made like this?
 * @config: what they are to be like
 * @reason: if not, a sentence that says why not
 *
 * There is no upper limit of VRAM here: 32 bits of mebibytes are within what
 * an LMTT entry can address, and how much memory there is shows when it is
 * asked for.
 *
 * Return: 0, or -EINVAL.
 */
int vgpu_sim_config_check(const struct vgpu_sim_config *config,
			  const char **reason)
{
	*reason = NULL;

	if (config->devices > VGPU_SIM_MAX_DEVICES)
		*reason = "devices: at most 64 can be made";
	else if (config->total_vfs < 1 || config->total_vfs > VGPU_HW_MAX_VFS)
		*reason = "total_vfs: a device has 1 to 64 virtual functions";
	else if (!config->vram_mb)
		*reason = "vram_mb: a device has at least 1 MiB of VRAM";

	return *reason ? -EINVAL : 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_config_check);
