// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgpu_sim commands
 *
 * A command is checked as a whole before it begins, so that most mistakes do
 * nothing at all; then it is done in steps. A step touches at most one page of
 * each of its sides and leaves in &struct vgpu_sim_exec how far it came. The
 * engine can go on with another function after any step, and that is why a
 * command may be of any size.
 *
 * A page can become unmapped, or the function's memory smaller, while a
 * command is half done. The step that meets this ends with a fault, and what
 * was done stays done.
 *
 * Locking: steps run under &vgpu_sim_fn.exec_lock.
 */

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "vgpu_sim.h"

#define WORD	sizeof(u64)

static u64 room(u64 addr)
{
	return VGPU_PAGE_SIZE - (addr & (VGPU_PAGE_SIZE - 1));
}

static u64 left(const struct vgpu_sim_exec *exec)
{
	return exec->cmd.size - exec->done;
}

static u32 step_fill(struct vgpu_sim_fn *fn, u64 *addr)
{
	struct vgpu_sim_exec *exec = &fn->exec;
	struct vgpu_sim_target dst;
	u64 size;
	u32 fault;

	*addr = exec->cmd.dst + exec->done;
	fault = vgpu_sim_translate(fn, *addr, &dst);
	if (fault)
		return fault;

	size = min(left(exec), room(*addr));
	memset64(dst.ptr, exec->cmd.value, size / WORD);
	vgpu_sim_target_put(&dst);
	exec->done += size;
	return VGPU_FAULT_NONE;
}

static u32 step_pattern(struct vgpu_sim_fn *fn, u64 *addr)
{
	struct vgpu_sim_exec *exec = &fn->exec;
	struct vgpu_sim_target dst;
	u64 size, index, *word;
	u32 fault;

	*addr = exec->cmd.dst + exec->done;
	fault = vgpu_sim_translate(fn, *addr, &dst);
	if (fault)
		return fault;

	size = min(left(exec), room(*addr));
	word = dst.ptr;
	for (index = exec->done / WORD; index < (exec->done + size) / WORD; index++)
		*word++ = vgpu_pattern_word(exec->cmd.value, index);
	vgpu_sim_target_put(&dst);
	exec->done += size;
	return VGPU_FAULT_NONE;
}

static u32 step_copy(struct vgpu_sim_fn *fn, u64 *addr)
{
	struct vgpu_sim_exec *exec = &fn->exec;
	u64 from = exec->cmd.src + exec->done;
	u64 to = exec->cmd.dst + exec->done;
	struct vgpu_sim_target src, dst;
	u64 size;
	u32 fault;

	*addr = from;
	fault = vgpu_sim_translate(fn, from, &src);
	if (fault)
		return fault;
	*addr = to;
	fault = vgpu_sim_translate(fn, to, &dst);
	if (fault)
		goto out_src;

	/* Not memcpy(): the table may map both addresses to the same page. */
	size = min3(left(exec), room(from), room(to));
	memmove(dst.ptr, src.ptr, size);
	exec->done += size;

	vgpu_sim_target_put(&dst);
out_src:
	vgpu_sim_target_put(&src);
	return fault;
}

static u32 write_sum(struct vgpu_sim_fn *fn, u64 *addr)
{
	struct vgpu_sim_target dst;
	u32 fault;

	*addr = fn->exec.cmd.dst;
	fault = vgpu_sim_translate(fn, *addr, &dst);
	if (fault)
		return fault;
	*(u64 *)dst.ptr = fn->exec.sum;
	vgpu_sim_target_put(&dst);
	return VGPU_FAULT_NONE;
}

static u32 step_checksum(struct vgpu_sim_fn *fn, u64 *addr)
{
	struct vgpu_sim_exec *exec = &fn->exec;
	struct vgpu_sim_target src;
	u64 size, i;
	u32 fault;

	if (!left(exec))
		return write_sum(fn, addr);

	*addr = exec->cmd.src + exec->done;
	fault = vgpu_sim_translate(fn, *addr, &src);
	if (fault)
		return fault;

	size = min(left(exec), room(*addr));
	for (i = 0; i < size / WORD; i++)
		exec->sum = vgpu_checksum_step(exec->sum, ((u64 *)src.ptr)[i]);
	vgpu_sim_target_put(&src);
	exec->done += size;

	return left(exec) ? VGPU_FAULT_NONE : write_sum(fn, addr);
}

/* What each command is: which fields it uses, and what one step of it does. */
static const struct cmd_info {
	bool reads, writes, sized, valued;
	u32 (*step)(struct vgpu_sim_fn *fn, u64 *addr);
} cmd_info[] = {
	[VGPU_CMD_FILL] = {
		.writes = true, .sized = true, .valued = true,
		.step = step_fill,
	},
	[VGPU_CMD_COPY] = {
		.reads = true, .writes = true, .sized = true,
		.step = step_copy,
	},
	[VGPU_CMD_PATTERN] = {
		.writes = true, .sized = true, .valued = true,
		.step = step_pattern,
	},
	[VGPU_CMD_CHECKSUM] = {
		.reads = true, .writes = true, .sized = true,
		.step = step_checksum,
	},
	/* What a fence does is done by the engine, when all steps are. */
	[VGPU_CMD_FENCE] = {
		.valued = true,
	},
};

static const struct cmd_info *find_info(u32 op)
{
	if (op < VGPU_CMD_FILL || op >= ARRAY_SIZE(cmd_info))
		return NULL;
	return &cmd_info[op];
}

static bool well_formed(const struct vgpu_cmd *cmd)
{
	const struct cmd_info *info = find_info(cmd->op);

	if (!info || cmd->flags)
		return false;
	if (memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)))
		return false;
	if ((!info->reads && cmd->src) || (!info->writes && cmd->dst) ||
	    (!info->sized && cmd->size) || (!info->valued && cmd->value))
		return false;
	return IS_ALIGNED(cmd->src | cmd->dst | cmd->size, WORD);
}

static bool within(u64 addr, u64 size, u64 mem_size)
{
	return addr <= mem_size && size <= mem_size - addr;
}

static bool overlap(u64 a, u64 b, u64 size)
{
	return a < b ? b - a < size : a - b < size;
}

/**
 * vgpu_sim_cmd_check() - may a command begin?
 * @cmd: the command
 * @mem_size: bytes of the function's memory
 * @addr: of a fault, unless the command itself is the fault: then unchanged
 *
 * Return: VGPU_FAULT_NONE, VGPU_FAULT_BAD_COMMAND or VGPU_FAULT_OUT_OF_RANGE.
 */
u32 vgpu_sim_cmd_check(const struct vgpu_cmd *cmd, u64 mem_size, u64 *addr)
{
	const struct cmd_info *info = find_info(cmd->op);
	u64 written;

	if (!well_formed(cmd))
		return VGPU_FAULT_BAD_COMMAND;

	if (info->reads && !within(cmd->src, cmd->size, mem_size)) {
		*addr = cmd->src;
		return VGPU_FAULT_OUT_OF_RANGE;
	}
	written = cmd->op == VGPU_CMD_CHECKSUM ? WORD : cmd->size;
	if (info->writes && !within(cmd->dst, written, mem_size)) {
		*addr = cmd->dst;
		return VGPU_FAULT_OUT_OF_RANGE;
	}
	if (cmd->op == VGPU_CMD_COPY && overlap(cmd->src, cmd->dst, cmd->size))
		return VGPU_FAULT_BAD_COMMAND;
	return VGPU_FAULT_NONE;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_cmd_check);

/**
 * vgpu_sim_cmd_begin() - make a command the one that a function is at
 * @exec: the function's
 * @cmd: the command, checked
 */
void vgpu_sim_cmd_begin(struct vgpu_sim_exec *exec, const struct vgpu_cmd *cmd)
{
	exec->cmd = *cmd;
	exec->done = 0;
	exec->sum = VGPU_CHECKSUM_INIT;
	exec->busy = true;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_cmd_begin);

/**
 * vgpu_sim_cmd_step() - do a step of the command that a function is at
 * @fn: the function
 * @addr: of a fault
 *
 * When it was the last step, the function's &vgpu_sim_exec.busy ends.
 *
 * Return: VGPU_FAULT_NONE, or the fault that it ended at.
 */
u32 vgpu_sim_cmd_step(struct vgpu_sim_fn *fn, u64 *addr)
{
	const struct cmd_info *info = find_info(fn->exec.cmd.op);
	u32 fault = VGPU_FAULT_NONE;

	lockdep_assert_held(&fn->exec_lock);

	/* Nothing to be done is no reason to touch memory, or to need any. */
	if (left(&fn->exec) || fn->exec.cmd.op == VGPU_CMD_CHECKSUM)
		fault = info->step(fn, addr);
	fn->exec.busy = !fault && left(&fn->exec);
	return fault;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_sim_cmd_step);
