// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vgpu that is registers in an array. It does what vgpu_hw.h says of writes,
 * runs nothing, and interrupts when it is told to.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "vgpu_mock.h"

static struct mock_hw *to_mock(struct vgpu_hw *hw)
{
	return container_of(hw, struct mock_hw, hw);
}

static const struct mock_request *oldest(const struct mock_hw *hw)
{
	static const struct mock_request none;

	return hw->first < hw->last ? &hw->requests[hw->first] : &none;
}

static u64 read_device(struct mock_hw *hw, u32 reg)
{
	switch (reg) {
	case VGPU_HW_IDENT:
		return hw->ident;
	case VGPU_HW_TOTAL_VFS:
		return hw->total_vfs;
	case VGPU_HW_RESETS:
		return hw->resets;
	case VGPU_HW_IRQ_STATUS:
		return hw->irq_status;
	case VGPU_HW_IRQ_ENABLE:
		return hw->irq_enable;
	case VGPU_HW_VF_FAULTS:
		return hw->vf_faults;
	case VGPU_HW_MBOX_PENDING:
		return hw->last - hw->first;
	case VGPU_HW_MBOX_FN:
		return oldest(hw)->fn;
	case VGPU_HW_MBOX_ID:
		return oldest(hw)->id;
	case VGPU_HW_MBOX_OP:
		return oldest(hw)->op;
	case VGPU_HW_MBOX_ARG0:
		return oldest(hw)->arg0;
	case VGPU_HW_MBOX_ARG1:
		return oldest(hw)->arg1;
	case VGPU_HW_MBOX_STATUS:
		return hw->mbox_status;
	case VGPU_HW_MBOX_VALUE:
		return hw->mbox_value;
	case VGPU_HW_RESET:
	case VGPU_HW_MBOX_ANSWER:
		return 0;
	default:
		return ~0ull;
	}
}

static u64 read_function(const struct mock_fn *fn, u32 reg)
{
	switch (reg) {
	case VGPU_FN_CTRL:
		return fn->enabled ? VGPU_FN_CTRL_ENABLE : 0;
	case VGPU_FN_STATUS:
		return (fn->enabled ? VGPU_FN_STATUS_ENABLED : 0) |
		       (fn->faulted ? VGPU_FN_STATUS_FAULT : 0);
	case VGPU_FN_RESETS:
		return fn->resets;
	case VGPU_FN_TABLE:
		return fn->table;
	case VGPU_FN_MEM_SIZE:
		return fn->mem_size;
	case VGPU_FN_TIMESLICE_US:
		return fn->timeslice_us;
	case VGPU_FN_PRIORITY:
		return fn->priority;
	case VGPU_FN_MBOX_SENT:
		return fn->sent;
	case VGPU_FN_MBOX_ANSWERED:
		return fn->answered;
	case VGPU_FN_RESET:
	case VGPU_FN_INVALIDATE:
	case VGPU_FN_FAULT:
	case VGPU_FN_FAULT_ADDR:
	case VGPU_FN_RING_HEAD:
		return 0;
	case VGPU_FN_ENGINE_NS:
		return fn->engine_ns;
	case VGPU_FN_RING_BASE:
		return fn->ring_base;
	case VGPU_FN_RING_ENTRIES:
		return fn->ring_entries;
	case VGPU_FN_RING_TAIL:
		return fn->ring_tail;
	case VGPU_FN_FENCE:
		return fn->fence;
	default:
		return ~0ull;
	}
}

/* The function that a register belongs to, and which one of it; or NULL. */
static struct mock_fn *find_fn(struct mock_hw *hw, u32 reg, u32 *offset)
{
	u32 number;

	if (reg < VGPU_FN_BASE)
		return NULL;
	number = (reg - VGPU_FN_BASE) / VGPU_FN_STRIDE;
	if (number > hw->total_vfs || number > VGPU_HW_MAX_VFS)
		return NULL;
	*offset = reg - VGPU_FN(number, 0);
	return &hw->fns[number];
}

static u64 read_locked(struct mock_hw *hw, u32 reg)
{
	struct mock_fn *fn;
	u32 offset;

	if (hw->gone)
		return ~0ull;
	if (hw->broken_reg == reg)
		return hw->broken_value;
	fn = find_fn(hw, reg, &offset);
	return fn ? read_function(fn, offset) : read_device(hw, reg);
}

static u64 mock_read(struct vgpu_hw *vgpu_hw, u32 reg)
{
	struct mock_hw *hw = to_mock(vgpu_hw);
	unsigned long flags;
	u64 value;

	spin_lock_irqsave(&hw->lock, flags);
	value = read_locked(hw, reg);
	spin_unlock_irqrestore(&hw->lock, flags);
	return value;
}

/* Reported at the end of the case: here is no place to. */
static void bad_write(struct mock_hw *hw, u32 reg, u64 value)
{
	hw->num_bad++;
	hw->bad = (struct mock_write) { reg, value };
}

static void expect_no_bad_writes(void *data)
{
	struct mock_hw *hw = data;

	KUNIT_EXPECT_EQ_MSG(hw->test, hw->num_bad, 0,
			    "register %#llx must not be written %#llx then",
			    hw->bad.reg, hw->bad.value);
	KUNIT_EXPECT_LE(hw->test, hw->num_writes, MOCK_MAX_WRITES);
}

static void answer(struct mock_hw *hw, u64 id)
{
	const struct mock_request *request = oldest(hw);

	if (!request->fn || request->id != id) {
		bad_write(hw, VGPU_HW_MBOX_ANSWER, id);
		return;
	}
	hw->answers[hw->num_answers++] = (struct mock_answer) {
		.fn = request->fn,
		.id = id,
		.status = hw->mbox_status,
		.value = hw->mbox_value,
	};
	if (hw->on_answer)
		hw->on_answer(hw, request->fn);
	hw->fns[request->fn].answered = id;
	hw->first++;
}

static void drop_requests(struct mock_hw *hw, unsigned int number)
{
	unsigned int from, to = hw->first;

	for (from = hw->first; from < hw->last; from++)
		if (hw->requests[from].fn != number)
			hw->requests[to++] = hw->requests[from];
	hw->last = to;
	hw->fns[number].answered = hw->fns[number].sent;
}

static void reset_function(struct mock_hw *hw, struct mock_fn *fn)
{
	if (fn->guest)
		mock_guest_notice_reset(fn->guest);
	if (fn->enabled)
		fn->resets++;
	fn->enabled = false;
	fn->table = 0;
	fn->mem_size = 0;
	fn->timeslice_us = VGPU_TIMESLICE_US_DEFAULT;
	fn->priority = VGPU_PRIORITY_NORMAL;
	fn->ring_base = 0;
	fn->ring_entries = 0;
	fn->ring_tail = 0;
	fn->fence = 0;
	fn->faulted = false;
	drop_requests(hw, fn - hw->fns);
}

static void clear_device(struct mock_hw *hw)
{
	unsigned int number;

	for (number = 0; number <= hw->total_vfs; number++)
		reset_function(hw, &hw->fns[number]);
	hw->irq_status = 0;
	hw->irq_enable = 0;
	hw->vf_faults = 0;
}

static void reset_device(struct mock_hw *hw)
{
	clear_device(hw);
	hw->resets++;
	hw->silent = false;
}

static void write_device(struct mock_hw *hw, u32 reg, u64 value)
{
	switch (reg) {
	case VGPU_HW_RESET:
		if (value == VGPU_RESET_MAGIC)
			reset_device(hw);
		else
			bad_write(hw, reg, value);
		break;
	case VGPU_HW_IRQ_STATUS:
		hw->irq_status &= ~value;
		break;
	case VGPU_HW_IRQ_ENABLE:
		hw->irq_enable = value;
		break;
	case VGPU_HW_VF_FAULTS:
		hw->vf_faults &= ~value;
		break;
	case VGPU_HW_MBOX_STATUS:
		hw->mbox_status = value;
		break;
	case VGPU_HW_MBOX_VALUE:
		hw->mbox_value = value;
		break;
	case VGPU_HW_MBOX_ANSWER:
		answer(hw, value);
		break;
	default:
		bad_write(hw, reg, value);
	}
}

static bool is_allocated_page(u64 address)
{
	return PAGE_ALIGNED(address) && pfn_valid(PHYS_PFN(address)) &&
	       page_count(pfn_to_page(PHYS_PFN(address)));
}

static bool is_good_ring_write(const struct mock_fn *fn, u32 offset, u64 value)
{
	switch (offset) {
	case VGPU_FN_RING_BASE:
		return PAGE_ALIGNED(value);
	case VGPU_FN_RING_ENTRIES:
		return fn->enabled && is_power_of_2(value) &&
		       value * sizeof(struct vgpu_cmd) <= fn->mem_size - fn->ring_base;
	case VGPU_FN_RING_TAIL:
		return fn->enabled && !fn->faulted &&
		       value - fn->ring_tail <= fn->ring_entries;
	default:
		return false;
	}
}

/* What a register takes. The ring of a VF is the guest's. */
static bool is_good(struct mock_hw *hw, const struct mock_fn *fn, u32 offset, u64 value)
{
	switch (offset) {
	case VGPU_FN_CTRL:
		return value == 0 || (value == VGPU_FN_CTRL_ENABLE && fn->table && fn->mem_size &&
				      !hw->silent);
	case VGPU_FN_RESET:
		return value == VGPU_RESET_MAGIC;
	case VGPU_FN_TABLE:
		return !value || is_allocated_page(value);
	case VGPU_FN_MEM_SIZE:
		return IS_ALIGNED(value, VGPU_PAGE_SIZE) && value <= VGPU_LMTT_MAX_SIZE;
	case VGPU_FN_TIMESLICE_US:
		return value >= VGPU_TIMESLICE_US_MIN && value <= VGPU_TIMESLICE_US_MAX;
	case VGPU_FN_PRIORITY:
		return value <= VGPU_PRIORITY_HIGH;
	case VGPU_FN_INVALIDATE:
		return true;
	default:
		return fn == hw->fns && is_good_ring_write(fn, offset, value);
	}
}

static void write_function(struct mock_hw *hw, struct mock_fn *fn, u32 offset, u64 value)
{
	if (!is_good(hw, fn, offset, value)) {
		bad_write(hw, VGPU_FN(fn - hw->fns, offset), value);
		return;
	}

	switch (offset) {
	case VGPU_FN_CTRL:
		if (value && fn->guest)
			mock_guest_notice_enable(fn->guest);
		fn->enabled = value;
		break;
	case VGPU_FN_RESET:
		reset_function(hw, fn);
		break;
	case VGPU_FN_TABLE:
		fn->table = value;
		break;
	case VGPU_FN_MEM_SIZE:
		fn->mem_size = value;
		break;
	case VGPU_FN_TIMESLICE_US:
		fn->timeslice_us = value;
		break;
	case VGPU_FN_PRIORITY:
		fn->priority = value;
		break;
	case VGPU_FN_INVALIDATE:
		if (fn->guest)
			mock_guest_notice_invalidate(fn->guest);
		break;
	case VGPU_FN_RING_BASE:
		fn->ring_base = value;
		break;
	case VGPU_FN_RING_ENTRIES:
		fn->ring_entries = value;
		fn->ring_tail = 0;
		break;
	case VGPU_FN_RING_TAIL:
		fn->ring_tail = value;
		break;
	}
}

static bool is_irq_register(u32 reg)
{
	return reg == VGPU_HW_IRQ_STATUS || reg == VGPU_HW_IRQ_ENABLE ||
	       reg == VGPU_HW_VF_FAULTS;
}

static void log_write(struct mock_hw *hw, u32 reg, u64 value)
{
	if (is_irq_register(reg)) {
		hw->num_irq_writes++;
		return;
	}
	if (hw->num_writes < MOCK_MAX_WRITES)
		hw->writes[hw->num_writes] = (struct mock_write) { reg, value };
	hw->num_writes++;
}

static void mock_write(struct vgpu_hw *vgpu_hw, u32 reg, u64 value)
{
	struct mock_hw *hw = to_mock(vgpu_hw);
	unsigned long flags;
	struct mock_fn *fn;
	u32 offset;

	/* The device waits for its engine. */
	if (reg != VGPU_HW_IRQ_STATUS && reg != VGPU_HW_IRQ_ENABLE &&
	    reg != VGPU_FN(0, VGPU_FN_RING_TAIL))
		might_sleep();

	spin_lock_irqsave(&hw->lock, flags);
	log_write(hw, reg, value);
	fn = find_fn(hw, reg, &offset);
	if (fn)
		write_function(hw, fn, offset, value);
	else
		write_device(hw, reg, value);
	spin_unlock_irqrestore(&hw->lock, flags);
}

static int mock_request_irq(struct vgpu_hw *vgpu_hw, void (*handler)(void *data),
			    void *data)
{
	struct mock_hw *hw = to_mock(vgpu_hw);
	unsigned long flags;
	int err = 0;

	might_sleep();
	spin_lock_irqsave(&hw->lock, flags);
	if (hw->handler) {
		err = -EBUSY;
	} else {
		hw->handler = handler;
		hw->handler_data = data;
	}
	spin_unlock_irqrestore(&hw->lock, flags);
	return err;
}

static void mock_free_irq(struct vgpu_hw *vgpu_hw)
{
	struct mock_hw *hw = to_mock(vgpu_hw);
	unsigned long flags;

	might_sleep();
	spin_lock_irqsave(&hw->lock, flags);
	if (!hw->handler)
		hw->num_bad++;
	hw->handler = NULL;
	spin_unlock_irqrestore(&hw->lock, flags);
}

static int mock_silence(struct device *dev)
{
	const struct vgpu_hw_pdata *pdata = dev_get_platdata(dev);
	struct mock_hw *hw = to_mock(pdata->hw);

	might_sleep();
	device_lock_assert(dev);

	guard(spinlock_irqsave)(&hw->lock);
	hw->num_silences++;
	if (hw->gone)
		return -ENODEV;
	/* No driver is bound. */
	if (hw->handler)
		hw->num_bad++;
	if (!hw->silent)
		clear_device(hw);
	hw->silent = true;
	return 0;
}

static const struct vgpu_hw_ops mock_ops = {
	.read = mock_read,
	.write = mock_write,
	.request_irq = mock_request_irq,
	.free_irq = mock_free_irq,
	.silence = mock_silence,
};

KUNIT_DEFINE_ACTION_WRAPPER(vfree_action, vfree, const void *);

/*
 * VRAM is kept from one case to the next of a suite: to map it takes longer than
 * all else that a case does.
 */
static void *kept_vram;
static u64 kept_size;

static void drop_kept_vram(void)
{
	vfree(kept_vram);
	kept_vram = NULL;
	kept_size = 0;
}

static void keep_vram(void *data)
{
	struct mock_hw *hw = data;

	drop_kept_vram();
	kept_vram = hw->hw.vram;
	kept_size = hw->hw.vram_size;
}

static void *get_vram(u64 size)
{
	void *vram = kept_vram;

	if (!vram || kept_size != size)
		return vzalloc(size);
	kept_vram = NULL;
	memset(vram, 0, size);
	return vram;
}

/* .suite_exit of every suite with a device */
void mock_suite_exit(struct kunit_suite *suite)
{
	drop_kept_vram();
}

struct mock_hw *mock_hw_new(struct kunit *test, unsigned int total_vfs, u64 vram_size)
{
	struct mock_hw *hw = vzalloc(sizeof(*hw));

	KUNIT_ASSERT_NOT_NULL(test, hw);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, vfree_action, hw), 0);
	hw->test = test;
	spin_lock_init(&hw->lock);
	hw->ident = VGPU_HW_IDENT_VALUE;
	hw->total_vfs = total_vfs;
	hw->broken_reg = ~0;
	hw->hw.ops = &mock_ops;
	hw->hw.vram_size = vram_size;
	hw->hw.vram = get_vram(vram_size);
	KUNIT_ASSERT_NOT_NULL(test, hw->hw.vram);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, keep_vram, hw));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, expect_no_bad_writes, hw));
	return hw;
}

/* A request of a VF. The interrupt has still to be delivered. */
void mock_hw_send(struct mock_hw *hw, unsigned int fn, u64 op, u64 arg0, u64 arg1)
{
	unsigned long flags;

	KUNIT_ASSERT_LT(hw->test, hw->last, MOCK_MAX_REQUESTS);
	spin_lock_irqsave(&hw->lock, flags);
	hw->requests[hw->last++] = (struct mock_request) {
		.fn = fn,
		.id = ++hw->fns[fn].sent,
		.op = op,
		.arg0 = arg0,
		.arg1 = arg1,
	};
	hw->irq_status |= VGPU_IRQ_MBOX;
	spin_unlock_irqrestore(&hw->lock, flags);
}

/* Interrupt, if something is pending that is to interrupt. */
void mock_hw_interrupt(struct mock_hw *hw)
{
	unsigned long flags;

	local_irq_save(flags);
	if (hw->handler && hw->irq_status & hw->irq_enable)
		hw->handler(hw->handler_data);
	local_irq_restore(flags);
}

/* As if it had been under way when interrupts were disabled. */
void mock_hw_interrupt_late(struct mock_hw *hw)
{
	unsigned long flags;

	local_irq_save(flags);
	if (hw->handler)
		hw->handler(hw->handler_data);
	local_irq_restore(flags);
}

void mock_hw_pass_fence(struct mock_hw *hw, u64 value)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	hw->fns[0].fence = value;
	hw->irq_status |= VGPU_IRQ_PF_FENCE;
	spin_unlock_irqrestore(&hw->lock, flags);
	mock_hw_interrupt(hw);
}

void mock_hw_use_engine(struct mock_hw *hw, u64 ns)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	hw->fns[0].engine_ns += ns;
	spin_unlock_irqrestore(&hw->lock, flags);
}

void mock_hw_stop_pf(struct mock_hw *hw)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	hw->fns[0].faulted = true;
	hw->irq_status |= VGPU_IRQ_FAULT;
	spin_unlock_irqrestore(&hw->lock, flags);
	mock_hw_interrupt(hw);
}

/* From now on a register reads as something else than it holds. */
void mock_hw_break(struct mock_hw *hw, u32 reg, u64 value)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	hw->broken_reg = reg;
	hw->broken_value = value;
	spin_unlock_irqrestore(&hw->lock, flags);
}

/* Times that a function was reset, or the whole device. */
unsigned int mock_hw_resets_of(struct mock_hw *hw, unsigned int fn)
{
	unsigned int i, n = 0;

	for (i = 0; i < min(hw->num_writes, MOCK_MAX_WRITES); i++)
		n += hw->writes[i].reg == VGPU_FN(fn, VGPU_FN_RESET) ||
		     hw->writes[i].reg == VGPU_HW_RESET;
	return n;
}

void mock_hw_forget_writes(struct mock_hw *hw)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	hw->num_writes = 0;
	hw->num_irq_writes = 0;
	spin_unlock_irqrestore(&hw->lock, flags);
}

void mock_hw_expect_writes(struct mock_hw *hw, const struct mock_write *writes,
			   unsigned int num)
{
	struct kunit *test = hw->test;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, hw->num_writes, num);
	for (i = 0; i < num && i < hw->num_writes; i++)
		KUNIT_EXPECT_TRUE_MSG(test,
				      hw->writes[i].reg == writes[i].reg &&
				      hw->writes[i].value == writes[i].value,
				      "write %u: %#llx = %#llx, not %#llx = %#llx", i,
				      hw->writes[i].reg, hw->writes[i].value,
				      writes[i].reg, writes[i].value);
	for (; i < hw->num_writes && i < num + 8; i++)
		kunit_info(test, "write %u: %#llx = %#llx\n", i, hw->writes[i].reg,
			   hw->writes[i].value);
}

void mock_hw_expect_answer(struct mock_hw *hw, unsigned int number, unsigned int fn,
			   u64 id, u64 status, u64 value)
{
	const struct mock_answer *given = &hw->answers[number];
	struct kunit *test = hw->test;

	KUNIT_EXPECT_GT(test, hw->num_answers, number);
	KUNIT_EXPECT_EQ(test, given->fn, fn);
	KUNIT_EXPECT_EQ(test, given->id, id);
	KUNIT_EXPECT_EQ(test, given->status, status);
	KUNIT_EXPECT_EQ(test, given->value, value);
}

/*
 * Translation
 */

static u64 read_entry(u64 table, u64 address, unsigned int level)
{
	const __le64 *entries = phys_to_virt(table);

	return le64_to_cpu(entries[(address >> (12 + 9 * level)) % 512]);
}

u64 mock_walk(u64 root, u64 address, struct page *tables[VGPU_LMTT_LEVELS])
{
	u64 table = root, entry;
	unsigned int level;

	for (level = 2;; level--) {
		if (!is_allocated_page(table))
			return MOCK_BAD_TABLE;
		if (tables)
			tables[level] = pfn_to_page(PHYS_PFN(table));
		entry = read_entry(table, address, level);
		if (!level || !(entry & 1))
			break;
		/* Bits 12 to 51 are the address, and the rest is zero. */
		if (entry & 0xfff0000000000ffeull)
			return MOCK_BAD_TABLE;
		table = entry & ~1ull;
	}
	if (!(entry & 1))
		return 0;
	return entry & 0xfff0000000000ffcull ? MOCK_BAD_TABLE : entry;
}
