// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/bitops.h>
#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include <drm/vgpu_drm.h>

#include "vgpu_folio.h"
#include "vgpu_hw.h"
#include "vgpu_memory.h"
#include "vgpu_state.h"

/*
 * Writing
 */

struct state_writer {
	u8 *buf;
	size_t used;
	u32 num_records;
};

static void put_record(struct state_writer *writer, u32 type,
		       const void *payload, u32 length)
{
	struct vgpu_record_ser record = {
		.type = cpu_to_le32(type),
		.length = cpu_to_le32(length),
	};

	if (WARN_ON(writer->used + sizeof(record) + length > VGPU_STATE_MAX_SIZE))
		return;
	memcpy(writer->buf + writer->used, &record, sizeof(record));
	memcpy(writer->buf + writer->used + sizeof(record), payload, length);
	writer->used += sizeof(record) + length;
	writer->num_records++;
}

static u32 state_checksum(const void *buf, size_t size)
{
	return ~crc32_le(~0, buf, size);
}

static size_t put_end(struct state_writer *writer)
{
	struct vgpu_end_ser end = {
		.num_records = cpu_to_le32(writer->num_records),
		.crc32 = cpu_to_le32(state_checksum(writer->buf, writer->used)),
	};

	put_record(writer, VGPU_RECORD_END, &end, sizeof(end));
	return writer->used;
}

/**
 * vgpu_state_encode_block - write the metadata of a block
 * @buf: room for %VGPU_STATE_MAX_SIZE bytes
 * @state: what to write
 *
 * Return: Bytes written.
 */
size_t vgpu_state_encode_block(void *buf, const struct vgpu_block_state *state)
{
	struct state_writer writer = { .buf = buf };
	struct vgpu_block_ser block = {
		.what = cpu_to_le32(state->what),
		.vf = cpu_to_le32(state->vf),
		.root_index = cpu_to_le32(state->root_index),
	};

	put_record(&writer, VGPU_RECORD_BLOCK, &block, sizeof(block));
	return put_end(&writer);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_state_encode_block);

/**
 * vgpu_state_encode_adapter - write the state of the adapter
 * @buf: room for %VGPU_STATE_MAX_SIZE bytes
 * @state: what to write
 *
 * Return: Bytes written.
 */
size_t vgpu_state_encode_adapter(void *buf, const struct vgpu_adapter_state *state)
{
	struct state_writer writer = { .buf = buf };
	struct vgpu_adapter_ser adapter = {
		.version = cpu_to_le32(state->version),
		.total_vfs = cpu_to_le32(state->total_vfs),
		.vram_size = cpu_to_le64(state->vram_size),
		.vf_mask = cpu_to_le64(state->vf_mask),
		.num_vfs = cpu_to_le32(state->num_vfs),
	};

	put_record(&writer, VGPU_RECORD_ADAPTER, &adapter, sizeof(adapter));
	return put_end(&writer);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_state_encode_adapter);

static void put_vf_version_2(struct state_writer *writer,
			     const struct vgpu_vf_state *state)
{
	struct vgpu_vf_sched_ser sched = {
		.priority = cpu_to_le32(state->priority),
	};
	struct vgpu_vf_mbox_ser mbox = {
		.answered = cpu_to_le64(state->answered),
	};

	put_record(writer, VGPU_RECORD_VF_SCHED, &sched, sizeof(sched));
	put_record(writer, VGPU_RECORD_VF_MBOX, &mbox, sizeof(mbox));
}

/**
 * vgpu_state_encode_vf - write the state of a VF
 * @buf: room for %VGPU_STATE_MAX_SIZE bytes
 * @state: what to write
 * @version: state version to write
 *
 * Return: Bytes written.
 */
size_t vgpu_state_encode_vf(void *buf, const struct vgpu_vf_state *state, u32 version)
{
	struct state_writer writer = { .buf = buf };
	struct vgpu_vf_ser vf = {
		.vf = cpu_to_le32(state->vf),
		.flags = cpu_to_le32(state->running ? VGPU_VF_RUNNING : 0),
		.backing = cpu_to_le32(state->backing),
		.quantum_us = cpu_to_le32(state->quantum_us),
		.quota = cpu_to_le64(state->quota),
		.mem_limit = cpu_to_le64(state->mem_limit),
		.mem_size = cpu_to_le64(state->mem_size),
		.timeslice_us = cpu_to_le32(state->timeslice_us),
	};

	put_record(&writer, VGPU_RECORD_VF, &vf, sizeof(vf));
	if (version >= 2)
		put_vf_version_2(&writer, state);
	return put_end(&writer);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_state_encode_vf);

/*
 * Reading
 *
 * A parser is called with a payload of the length of its rule, and returns
 * what is wrong with it, or NULL.
 */

struct record_rule {
	u32 type;
	u32 length;
	u32 since;	/* state version; required from there on */
	const char *(*parse)(const void *payload, void *state);
};

struct state_reader {
	const u8 *buf;
	size_t size;
	size_t pos;
	u32 version;
	u32 num_records;
	unsigned long seen;	/* rules that had their record */
	const struct record_rule *rules;
	unsigned int num_rules;
	void *state;
};

/* The header at the position, checked as far as it can be without a rule. */
static const char *read_header(const struct state_reader *reader,
			       struct vgpu_record_ser *record)
{
	size_t left = reader->size - reader->pos;
	u32 length;

	if (left < sizeof(*record))
		return "a record is cut off";
	memcpy(record, reader->buf + reader->pos, sizeof(*record));
	length = le32_to_cpu(record->length);

	if (!record->type)
		return "a record has no type";
	if (record->flags & ~cpu_to_le32(VGPU_RECORD_OPTIONAL) || record->reserved)
		return "a reserved field of a record is not zero";
	if (!IS_ALIGNED(length, 8))
		return "the length of a record is odd";
	if (length > left - sizeof(*record))
		return "a record is longer than what there is";
	return NULL;
}

static const char *read_end(struct state_reader *reader,
			    const struct vgpu_record_ser *record)
{
	struct vgpu_end_ser end;

	if (le32_to_cpu(record->length) != sizeof(end) || record->flags)
		return "the end record is malformed";
	memcpy(&end, reader->buf + reader->pos + sizeof(*record), sizeof(end));

	if (le32_to_cpu(end.num_records) != reader->num_records)
		return "the number of records does not fit";
	if (le32_to_cpu(end.crc32) != state_checksum(reader->buf, reader->pos))
		return "the checksum does not fit";
	if (reader->pos + sizeof(*record) + sizeof(end) != reader->size)
		return "something follows the end record";
	return NULL;
}

static int find_rule(const struct state_reader *reader, u32 type)
{
	unsigned int i;

	for (i = 0; i < reader->num_rules; i++)
		if (reader->rules[i].type == type &&
		    reader->rules[i].since <= reader->version)
			return i;
	return -1;
}

static const char *read_record(struct state_reader *reader,
			       const struct vgpu_record_ser *record)
{
	const struct record_rule *rule;
	int i = find_rule(reader, le32_to_cpu(record->type));

	/* Not even an optional one comes before the one that says what this is. */
	if (i && !reader->num_records)
		return "the first record is not what it has to be";
	if (i < 0)
		return record->flags & cpu_to_le32(VGPU_RECORD_OPTIONAL) ?
		       NULL : "a record is not known";
	rule = &reader->rules[i];

	if (reader->seen & BIT(i))
		return "a record is there twice";
	if (le32_to_cpu(record->length) != rule->length)
		return "a record is not as long as it has to be";

	reader->seen |= BIT(i);
	return rule->parse(reader->buf + reader->pos + sizeof(*record), reader->state);
}

static const char *check_complete(const struct state_reader *reader)
{
	unsigned int i;

	for (i = 0; i < reader->num_rules; i++)
		if (reader->rules[i].since <= reader->version &&
		    !(reader->seen & BIT(i)))
			return "a record is missing";
	return NULL;
}

/* The whole ladder, until something is wrong. */
static const char *read_records(struct state_reader *reader)
{
	struct vgpu_record_ser record;
	const char *defect;

	for (;;) {
		defect = read_header(reader, &record);
		if (defect)
			return defect;
		if (record.type == cpu_to_le32(VGPU_RECORD_END))
			break;

		defect = read_record(reader, &record);
		if (defect)
			return defect;
		reader->num_records++;
		reader->pos += sizeof(record) + le32_to_cpu(record.length);
	}
	return read_end(reader, &record) ?: check_complete(reader);
}

static int decode(const void *buf, size_t size, u32 version,
		  const struct record_rule *rules, unsigned int num_rules,
		  void *state, const char **defect)
{
	struct state_reader reader = {
		.size = size,
		.version = version,
		.rules = rules,
		.num_rules = num_rules,
		.state = state,
	};
	void *copy;

	if (!buf || !size || size > VGPU_STATE_READ_LIMIT) {
		*defect = "its size is impossible";
		return -EINVAL;
	}

	/* Nobody changes a private copy between a check and a use. */
	copy = kvmemdup(buf, size, VGPU_GFP);
	if (!copy) {
		*defect = "there is no memory to read it";
		return -ENOMEM;
	}
	reader.buf = copy;
	*defect = read_records(&reader);
	kvfree(copy);
	return *defect ? -EINVAL : 0;
}

static const char *parse_block(const void *payload, void *state)
{
	struct vgpu_block_state *block = state;
	struct vgpu_block_ser ser;
	bool is_adapter;

	memcpy(&ser, payload, sizeof(ser));
	block->what = le32_to_cpu(ser.what);
	is_adapter = block->what == VGPU_BLOCK_ADAPTER;
	block->vf = le32_to_cpu(ser.vf);
	block->root_index = le32_to_cpu(ser.root_index);

	if (ser.reserved)
		return "a reserved field of the block is not zero";
	if (block->what < VGPU_BLOCK_ADAPTER || block->what > VGPU_BLOCK_VF_LMTT)
		return "it is a block of no known kind";
	if (!block->vf != is_adapter)
		return "the VF of the block does not fit its kind";
	if (block->root_index && block->what != VGPU_BLOCK_VF_LMTT)
		return "a block that is no LMTT has a root";
	return NULL;
}

static const struct record_rule block_rules[] = {
	{ VGPU_RECORD_BLOCK, sizeof(struct vgpu_block_ser), 1, parse_block },
};

static const char *parse_adapter(const void *payload, void *state)
{
	struct vgpu_adapter_state *adapter = state;
	struct vgpu_adapter_ser ser;

	memcpy(&ser, payload, sizeof(ser));
	adapter->version = le32_to_cpu(ser.version);
	adapter->total_vfs = le32_to_cpu(ser.total_vfs);
	adapter->vf_mask = le64_to_cpu(ser.vf_mask);
	adapter->num_vfs = le32_to_cpu(ser.num_vfs);
	adapter->vram_size = le64_to_cpu(ser.vram_size);

	if (ser.reserved)
		return "a reserved field of the adapter is not zero";
	if (adapter->total_vfs > VGPU_HW_MAX_VFS || adapter->num_vfs > adapter->total_vfs)
		return "the number of VFs is impossible";
	if (fls64(adapter->vf_mask) > adapter->total_vfs)
		return "there is a VF that the device does not have";
	return NULL;
}

static const struct record_rule adapter_rules[] = {
	{ VGPU_RECORD_ADAPTER, sizeof(struct vgpu_adapter_ser), 1, parse_adapter },
};

static bool is_memory_size(u64 size)
{
	return IS_ALIGNED(size, VGPU_PAGE_SIZE) && size <= VGPU_LMTT_MAX_SIZE;
}

static bool is_timeslice(u32 timeslice_us, u32 max_us)
{
	return timeslice_us >= VGPU_TIMESLICE_US_MIN && timeslice_us <= max_us;
}

static const char *check_running_vf(const struct vgpu_vf_state *vf)
{
	if (!vf->mem_size || !is_memory_size(vf->mem_size) ||
	    !is_memory_size(vf->mem_limit) || vf->mem_size > vf->mem_limit)
		return "the size of the VF's memory is impossible";
	if (!is_timeslice(vf->timeslice_us, vf->quantum_us))
		return "the VF's time slice is impossible";
	return NULL;
}

static const char *check_idle_vf(const struct vgpu_vf_state *vf)
{
	if (vf->mem_limit || vf->mem_size || vf->timeslice_us)
		return "a VF that does not run has something";
	return NULL;
}

static const char *parse_vf(const void *payload, void *state)
{
	struct vgpu_vf_state *vf = state;
	struct vgpu_vf_ser ser;

	memcpy(&ser, payload, sizeof(ser));
	vf->vf = le32_to_cpu(ser.vf);
	vf->running = ser.flags & cpu_to_le32(VGPU_VF_RUNNING);
	vf->backing = le32_to_cpu(ser.backing);
	vf->quantum_us = le32_to_cpu(ser.quantum_us);
	vf->quota = le64_to_cpu(ser.quota);
	vf->mem_limit = le64_to_cpu(ser.mem_limit);
	vf->mem_size = le64_to_cpu(ser.mem_size);
	vf->timeslice_us = le32_to_cpu(ser.timeslice_us);

	if (ser.reserved || ser.flags & ~cpu_to_le32(VGPU_VF_RUNNING))
		return "a reserved field of the VF is not zero";
	if (!vf->vf || vf->vf > VGPU_HW_MAX_VFS)
		return "there is no such VF";
	if (vf->backing != VGPU_BACKING_VRAM && vf->backing != VGPU_BACKING_SYSTEM)
		return "the VF's memory is nowhere";
	if (!is_memory_size(vf->quota))
		return "the VF's quota is impossible";
	if (!is_timeslice(vf->quantum_us, VGPU_TIMESLICE_US_MAX))
		return "the VF's quantum is impossible";
	return vf->running ? check_running_vf(vf) : check_idle_vf(vf);
}

static const char *parse_vf_sched(const void *payload, void *state)
{
	struct vgpu_vf_state *vf = state;
	struct vgpu_vf_sched_ser ser;

	memcpy(&ser, payload, sizeof(ser));
	vf->priority = le32_to_cpu(ser.priority);

	if (ser.reserved)
		return "a reserved field of the VF is not zero";
	if (vf->priority > VGPU_PRIORITY_HIGH)
		return "the VF's priority is impossible";
	return NULL;
}

static const char *parse_vf_mbox(const void *payload, void *state)
{
	struct vgpu_vf_state *vf = state;
	struct vgpu_vf_mbox_ser ser;

	memcpy(&ser, payload, sizeof(ser));
	vf->answered = le64_to_cpu(ser.answered);
	return NULL;
}

static const struct record_rule vf_rules[] = {
	{ VGPU_RECORD_VF, sizeof(struct vgpu_vf_ser), 1, parse_vf },
	{ VGPU_RECORD_VF_SCHED, sizeof(struct vgpu_vf_sched_ser), 2, parse_vf_sched },
	{ VGPU_RECORD_VF_MBOX, sizeof(struct vgpu_vf_mbox_ser), 2, parse_vf_mbox },
};

/**
 * vgpu_state_decode_block - read the metadata of a block
 * @buf: metadata, or NULL; not trusted
 * @size: bytes at @buf
 * @version: state version that it is of
 * @state: set to what it says
 * @defect: set to what is wrong with it
 *
 * Return: 0; -EINVAL, or -ENOMEM, with a @defect.
 */
int vgpu_state_decode_block(const void *buf, size_t size, u32 version,
			    struct vgpu_block_state *state, const char **defect)
{
	return decode(buf, size, version, block_rules, ARRAY_SIZE(block_rules),
		      state, defect);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_state_decode_block);

/**
 * vgpu_state_decode_adapter - read the state of the adapter
 * @buf: content of its block; not trusted
 * @size: bytes at @buf
 * @version: state version that it is of
 * @state: set to what it says
 * @defect: set to what is wrong with it
 *
 * Return: 0; -EINVAL, or -ENOMEM, with a @defect.
 */
int vgpu_state_decode_adapter(const void *buf, size_t size, u32 version,
			      struct vgpu_adapter_state *state, const char **defect)
{
	int err;

	err = decode(buf, size, version, adapter_rules, ARRAY_SIZE(adapter_rules),
		     state, defect);
	if (!err && state->version != version) {
		*defect = "it is of another state version";
		err = -EINVAL;
	}
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_state_decode_adapter);

/**
 * vgpu_state_decode_vf - read the state of a VF
 * @buf: content of its block; not trusted
 * @size: bytes at @buf
 * @version: state version that it is of
 * @state: set to what it says
 * @defect: set to what is wrong with it
 *
 * Return: 0; -EINVAL, or -ENOMEM, with a @defect.
 */
int vgpu_state_decode_vf(const void *buf, size_t size, u32 version,
			 struct vgpu_vf_state *state, const char **defect)
{
	return decode(buf, size, version, vf_rules, ARRAY_SIZE(vf_rules), state, defect);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_state_decode_vf);
