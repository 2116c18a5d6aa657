// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the saved state: what is not as the contract says is refused,
 * for the reason that it is refused for.
 */

#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/string.h>

#include "vgpu_mock.h"
#include "vgpu_state_golden.h"

static void describe_golden(const struct golden *golden, char *desc)
{
	strscpy(desc, golden->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(golden, goldens, describe_golden);

/* A copy that ends where its memory does, so that a byte too far is noticed. */
static u8 *copy_of(struct kunit *test, const u8 *image, size_t size)
{
	u8 *copy = kunit_kmalloc(test, size ?: 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, image, size);
	return copy;
}

/* An image that ends at any byte before its end is refused. */
static void decode_cut(struct kunit *test)
{
	const struct golden *golden = test->param_value;
	union golden_state state;
	const char *defect;
	size_t size;

	for (size = 0; size < golden->size; size++) {
		u8 *copy = copy_of(test, golden->image, size);

		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    golden_decode(golden->kind, copy, size,
						  golden->version, &state, &defect),
				    "cut at byte %zu", size);
		KUNIT_EXPECT_NOT_NULL(test, defect);
		kunit_kfree(test, copy);
	}
}

/* The checksum may be right by chance, but it never is for a single bit. */
static void decode_flipped(struct kunit *test)
{
	const struct golden *golden = test->param_value;
	u8 *copy = copy_of(test, golden->image, golden->size);
	union golden_state state;
	const char *defect;
	size_t bit;

	for (bit = 0; bit < golden->size * 8; bit++) {
		copy[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    golden_decode(golden->kind, copy, golden->size,
						  golden->version, &state, &defect),
				    "bit %zu of byte %zu", bit % 8, bit / 8);
		KUNIT_EXPECT_NOT_NULL(test, defect);
		copy[bit / 8] ^= 1 << bit % 8;
	}
}

/* Bytes that are not there, and too many of them. */
static void decode_size(struct kunit *test)
{
	const struct golden *golden = test->param_value;
	u8 *big = kunit_kzalloc(test, VGPU_STATE_READ_LIMIT + 1, GFP_KERNEL);
	union golden_state state;
	const char *defect;

	KUNIT_ASSERT_NOT_NULL(test, big);
	memcpy(big, golden->image, golden->size);

	KUNIT_EXPECT_EQ(test, -EINVAL, golden_decode(golden->kind, NULL, 0, golden->version,
						     &state, &defect));
	KUNIT_EXPECT_STREQ(test, defect, "its size is impossible");
	KUNIT_EXPECT_EQ(test, -EINVAL, golden_decode(golden->kind, NULL, golden->size,
						     golden->version, &state, &defect));
	KUNIT_EXPECT_STREQ(test, defect, "its size is impossible");
	KUNIT_EXPECT_EQ(test, -EINVAL, golden_decode(golden->kind, big, 0, golden->version,
						     &state, &defect));
	KUNIT_EXPECT_STREQ(test, defect, "its size is impossible");
	KUNIT_EXPECT_EQ(test, -EINVAL,
			golden_decode(golden->kind, big, VGPU_STATE_READ_LIMIT + 1,
				      golden->version, &state, &defect));
	KUNIT_EXPECT_STREQ(test, defect, "its size is impossible");
	KUNIT_EXPECT_EQ(test, -EINVAL,
			golden_decode(golden->kind, big, SIZE_MAX, golden->version, &state,
				      &defect));
	KUNIT_EXPECT_STREQ(test, defect, "its size is impossible");
	KUNIT_EXPECT_EQ(test, -EINVAL,
			golden_decode(golden->kind, big, VGPU_STATE_READ_LIMIT,
				      golden->version, &state, &defect));
	KUNIT_EXPECT_STREQ(test, defect, "something follows the end record");
}

/* Memory that nobody has ever written, and that somebody else has. */
static void decode_garbage(struct kunit *test)
{
	const struct golden *golden = test->param_value;
	u8 *buf = kunit_kzalloc(test, golden->size, GFP_KERNEL);
	u64 random = mock_seed(test);
	union golden_state state;
	const char *defect;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, -EINVAL, golden_decode(golden->kind, buf, golden->size,
						     golden->version, &state, &defect));
	KUNIT_EXPECT_STREQ(test, defect, "a record has no type");
	memset(buf, 0xff, golden->size);
	KUNIT_EXPECT_EQ(test, -EINVAL, golden_decode(golden->kind, buf, golden->size,
						     golden->version, &state, &defect));
	for (i = 0; i < 100; i++) {
		mock_fill(buf, golden->size, mock_random(&random));
		KUNIT_EXPECT_EQ(test, -EINVAL,
				golden_decode(golden->kind, buf, golden->size,
					      golden->version, &state, &defect));
	}
}

/* A sequence of one kind is none of another. */
static void decode_other_kind(struct kunit *test)
{
	const struct golden *golden = test->param_value;
	union golden_state state;
	const char *defect;
	int kind;

	for (kind = GOLDEN_BLOCK; kind <= GOLDEN_VF; kind++) {
		if (kind == golden->kind)
			continue;
		KUNIT_EXPECT_EQ(test, -EINVAL,
				golden_decode(kind, golden->image, golden->size,
					      golden->version, &state, &defect));
		KUNIT_EXPECT_STREQ(test, defect,
				   "the first record is not what it has to be");
	}
}

/*
 * One field is another, and the checksum is right. The defect that is found is
 * that of the field; with none, the value is one that is allowed.
 */
struct field_case {
	const char *name;
	enum golden_index golden;
	unsigned int offset;
	unsigned int width;
	u64 value;
	const char *defect;
};

#define END_OF(image)	((unsigned int)sizeof(golden_ ## image) - 24)
#define LMTT_MAX	BIT_ULL(39)

#define NO_TYPE		"a record has no type"
#define RESERVED	"a reserved field of a record is not zero"
#define ODD		"the length of a record is odd"
#define TOO_LONG	"a record is longer than what there is"
#define WRONG_LENGTH	"a record is not as long as it has to be"
#define BAD_END		"the end record is malformed"
#define BAD_COUNT	"the number of records does not fit"
#define BAD_VFS		"the number of VFs is impossible"
#define BAD_SIZE	"the size of the VF's memory is impossible"
#define BAD_SLICE	"the VF's time slice is impossible"
#define BAD_QUANTUM	"the VF's quantum is impossible"
#define BAD_QUOTA	"the VF's quota is impossible"
#define BAD_BLOCK_VF	"the VF of the block does not fit its kind"
#define NOT_IDLE	"a VF that does not run has something"
#define NO_ROOT		"a block that is no LMTT has a root"
#define NO_SUCH_VF	"there is a VF that the device does not have"
#define NOT_FIRST	"the first record is not what it has to be"

static const struct field_case field_cases[] = {
	{ "type_none", RUNNING_2, 0, 4, 0, NO_TYPE },
	{ "type_next", RUNNING_2, 0, 4, 7, NOT_FIRST },
	{ "type_max", RUNNING_2, 0, 4, U32_MAX, NOT_FIRST },
	{ "type_none_later", RUNNING_2, 64, 4, 0, NO_TYPE },
	{ "type_next_later", RUNNING_2, 64, 4, 7, "a record is not known" },
	{ "flags_optional", RUNNING_2, 4, 4, 1, NULL },
	{ "flags_unknown", RUNNING_2, 4, 4, 2, RESERVED },
	{ "flags_high", RUNNING_2, 4, 4, 0x80000000, RESERVED },
	{ "header_reserved", RUNNING_2, 12, 4, 1, RESERVED },
	{ "header_reserved_high", RUNNING_2, 12, 4, 0x80000000, RESERVED },
	{ "header_reserved_later", RUNNING_2, 64 + 12, 4, 1, RESERVED },
	{ "length_zero", RUNNING_2, 8, 4, 0, WRONG_LENGTH },
	{ "length_shorter", RUNNING_2, 8, 4, 40, WRONG_LENGTH },
	{ "length_longer", RUNNING_2, 8, 4, 56, WRONG_LENGTH },
	{ "length_odd", RUNNING_2, 8, 4, 47, ODD },
	{ "length_four", RUNNING_2, 8, 4, 44, ODD },
	{ "length_to_the_end", RUNNING_2, 8, 4, 120, WRONG_LENGTH },
	{ "length_beyond_the_end", RUNNING_2, 8, 4, 128, TOO_LONG },
	{ "length_half", RUNNING_2, 8, 4, 0x80000000, TOO_LONG },
	{ "length_max_even", RUNNING_2, 8, 4, U32_MAX - 7, TOO_LONG },
	{ "length_max", RUNNING_2, 8, 4, U32_MAX, ODD },

	{ "end_flags_optional", RUNNING_2, END_OF(running_2) + 4, 4, 1, BAD_END },
	{ "end_flags_unknown", RUNNING_2, END_OF(running_2) + 4, 4, 2, RESERVED },
	{ "end_length_zero", RUNNING_2, END_OF(running_2) + 8, 4, 0, BAD_END },
	{ "end_length_longer", RUNNING_2, END_OF(running_2) + 8, 4, 16, TOO_LONG },
	{ "end_length_odd", RUNNING_2, END_OF(running_2) + 8, 4, 4, ODD },
	{ "end_reserved", RUNNING_2, END_OF(running_2) + 12, 4, 1, RESERVED },
	{ "end_count_less", RUNNING_2, END_OF(running_2) + 16, 4, 2, BAD_COUNT },
	{ "end_count_more", RUNNING_2, END_OF(running_2) + 16, 4, 4, BAD_COUNT },
	{ "end_count_zero", RUNNING_2, END_OF(running_2) + 16, 4, 0, BAD_COUNT },
	{ "end_count_max", RUNNING_2, END_OF(running_2) + 16, 4, U32_MAX, BAD_COUNT },

	{ "block_what_none", BLOCK_VF_STATE, 16, 4, 0, "it is a block of no known kind" },
	{ "block_what_next", BLOCK_VF_STATE, 16, 4, 5, "it is a block of no known kind" },
	{ "block_what_max", BLOCK_VF_STATE, 16, 4, U32_MAX, "it is a block of no known kind" },
	{ "block_what_memory", BLOCK_VF_STATE, 16, 4, 3, NULL },
	{ "block_state_without_vf", BLOCK_VF_STATE, 20, 4, 0, BAD_BLOCK_VF },
	{ "block_memory_without_vf", BLOCK_VF_MEMORY, 20, 4, 0, BAD_BLOCK_VF },
	{ "block_lmtt_without_vf", BLOCK_VF_LMTT, 20, 4, 0, BAD_BLOCK_VF },
	{ "block_adapter_with_vf", BLOCK_ADAPTER, 20, 4, 1, BAD_BLOCK_VF },
	{ "block_state_with_root", BLOCK_VF_STATE, 24, 4, 1, NO_ROOT },
	{ "block_memory_with_root", BLOCK_VF_MEMORY, 24, 4, 1, NO_ROOT },
	{ "block_adapter_with_root", BLOCK_ADAPTER, 24, 4, 1, NO_ROOT },
	{ "block_lmtt_root_max", BLOCK_VF_LMTT, 24, 4, U32_MAX, NULL },
	{ "block_reserved", BLOCK_VF_LMTT, 28, 4, 1, "a reserved field of the block is not zero" },

	{ "adapter_version_less", ADAPTER_2, 16, 4, 1, "it is of another state version" },
	{ "adapter_version_more", ADAPTER_2, 16, 4, 3, "it is of another state version" },
	{ "adapter_version_none", ADAPTER_1, 16, 4, 0, "it is of another state version" },
	{ "adapter_vfs_more_than_can_be", ADAPTER_2, 20, 4, 65, BAD_VFS },
	{ "adapter_vfs_max", ADAPTER_2, 20, 4, U32_MAX, BAD_VFS },
	{ "adapter_vfs_less_than_mask", ADAPTER_2, 20, 4, 63, NO_SUCH_VF },
	{ "adapter_vfs_none", ADAPTER_2, 20, 4, 0, BAD_VFS },
	{ "adapter_enabled_all", ADAPTER_2, 40, 4, 64, NULL },
	{ "adapter_enabled_more", ADAPTER_2, 40, 4, 65, BAD_VFS },
	{ "adapter_enabled_max", ADAPTER_2, 40, 4, U32_MAX, BAD_VFS },
	{ "adapter_mask_all", ADAPTER_2, 32, 8, U64_MAX, NULL },
	{ "adapter_mask_none", ADAPTER_2, 32, 8, 0, NULL },
	{ "adapter_vram_any", ADAPTER_2, 24, 8, U64_MAX, NULL },
	{ "adapter_reserved", ADAPTER_2, 44, 4, 1, "a reserved field of the adapter is not zero" },

	{ "vf_none", RUNNING_2, 16, 4, 0, "there is no such VF" },
	{ "vf_last", RUNNING_2, 16, 4, 64, NULL },
	{ "vf_beyond", RUNNING_2, 16, 4, 65, "there is no such VF" },
	{ "vf_max", RUNNING_2, 16, 4, U32_MAX, "there is no such VF" },
	{ "vf_flags_unknown", RUNNING_2, 20, 4, 3, "a reserved field of the VF is not zero" },
	{ "vf_flags_high", RUNNING_2, 20, 4, 0x80000001, "a reserved field of the VF is not zero" },
	{ "vf_reserved", RUNNING_2, 60, 4, 1, "a reserved field of the VF is not zero" },
	{ "vf_backing_none", RUNNING_2, 24, 4, 0, "the VF's memory is nowhere" },
	{ "vf_backing_vram", RUNNING_2, 24, 4, 1, NULL },
	{ "vf_backing_next", RUNNING_2, 24, 4, 3, "the VF's memory is nowhere" },
	{ "vf_backing_max", RUNNING_2, 24, 4, U32_MAX, "the VF's memory is nowhere" },
	{ "vf_quantum_least", IDLE_2, 28, 4, 50, NULL },
	{ "vf_quantum_less", IDLE_2, 28, 4, 49, BAD_QUANTUM },
	{ "vf_quantum_most", IDLE_2, 28, 4, 1000000, NULL },
	{ "vf_quantum_more", IDLE_2, 28, 4, 1000001, BAD_QUANTUM },
	{ "vf_quantum_zero", IDLE_2, 28, 4, 0, BAD_QUANTUM },
	{ "vf_quantum_below_timeslice", RUNNING_2, 28, 4, 776, BAD_SLICE },
	{ "vf_quota_fair_share", RUNNING_2, 32, 8, 0, NULL },
	{ "vf_quota_most", RUNNING_2, 32, 8, LMTT_MAX, NULL },
	{ "vf_quota_more", RUNNING_2, 32, 8, LMTT_MAX + 4096, BAD_QUOTA },
	{ "vf_quota_unaligned", RUNNING_2, 32, 8, 0x40000001, BAD_QUOTA },
	{ "vf_quota_max", RUNNING_2, 32, 8, U64_MAX, BAD_QUOTA },
	{ "vf_limit_is_size", RUNNING_2, 40, 8, 0x12345000, NULL },
	{ "vf_limit_below_size", RUNNING_2, 40, 8, 0x12344000, BAD_SIZE },
	{ "vf_limit_most", RUNNING_2, 40, 8, LMTT_MAX, NULL },
	{ "vf_limit_more", RUNNING_2, 40, 8, LMTT_MAX + 4096, BAD_SIZE },
	{ "vf_limit_unaligned", RUNNING_2, 40, 8, 0x40000008, BAD_SIZE },
	{ "vf_limit_zero", RUNNING_2, 40, 8, 0, BAD_SIZE },
	{ "vf_size_one_page", RUNNING_2, 48, 8, 4096, NULL },
	{ "vf_size_zero", RUNNING_2, 48, 8, 0, BAD_SIZE },
	{ "vf_size_unaligned", RUNNING_2, 48, 8, 0x12345800, BAD_SIZE },
	{ "vf_size_above_limit", RUNNING_2, 48, 8, 0x40001000, BAD_SIZE },
	{ "vf_size_max", RUNNING_2, 48, 8, U64_MAX, BAD_SIZE },
	{ "vf_timeslice_least", RUNNING_2, 56, 4, 50, NULL },
	{ "vf_timeslice_less", RUNNING_2, 56, 4, 49, BAD_SLICE },
	{ "vf_timeslice_zero", RUNNING_2, 56, 4, 0, BAD_SLICE },
	{ "vf_timeslice_is_quantum", RUNNING_2, 56, 4, 20000, NULL },
	{ "vf_timeslice_above_quantum", RUNNING_2, 56, 4, 20001, BAD_SLICE },
	{ "vf_idle_with_limit", IDLE_2, 40, 8, 4096, NOT_IDLE },
	{ "vf_idle_with_size", IDLE_2, 48, 8, 4096, NOT_IDLE },
	{ "vf_idle_with_timeslice", IDLE_2, 56, 4, 50, NOT_IDLE },
	{ "vf_idle_that_runs", IDLE_2, 20, 4, 1, BAD_SIZE },
	{ "vf_running_that_is_idle", RUNNING_2, 20, 4, 0, NOT_IDLE },
	{ "vf_priority_low", RUNNING_2, 80, 4, 0, NULL },
	{ "vf_priority_next", RUNNING_2, 80, 4, 3, "the VF's priority is impossible" },
	{ "vf_priority_max", RUNNING_2, 80, 4, U32_MAX, "the VF's priority is impossible" },
	{ "vf_sched_reserved", RUNNING_2, 84, 4, 1, "a reserved field of the VF is not zero" },
	{ "vf_answered_none", RUNNING_2, 104, 8, 0, NULL },
	{ "vf_answered_max", RUNNING_2, 104, 8, U64_MAX, NULL },
	{ "vf_1_quantum_less", RUNNING_1, 28, 4, 49, BAD_QUANTUM },
	{ "vf_1_reserved", RUNNING_1, 60, 4, 1, "a reserved field of the VF is not zero" },
};

KUNIT_ARRAY_PARAM_DESC(field, field_cases, name);

static void expect_defect(struct kunit *test, const struct golden *golden,
			  const u8 *buf, size_t size, const char *expected)
{
	union golden_state state;
	const char *defect;
	int err;

	err = golden_decode(golden->kind, buf, size, golden->version, &state, &defect);
	KUNIT_EXPECT_EQ(test, err, expected ? -EINVAL : 0);
	if (expected && defect)
		KUNIT_EXPECT_STREQ(test, defect, expected);
	else
		KUNIT_EXPECT_PTR_EQ(test, defect, expected);
}

static void decode_field(struct kunit *test)
{
	const struct field_case *c = test->param_value;
	const struct golden *golden = &goldens[c->golden];
	u8 *copy = copy_of(test, golden->image, golden->size);

	if (c->width == 8)
		mock_put_le64(copy, c->offset, c->value);
	else
		mock_put_le32(copy, c->offset, c->value);
	mock_seal(copy, golden->size);
	expect_defect(test, golden, copy, golden->size, c->defect);
}

/* All bytes are as they should be but for those of the checksum. */
static void decode_checksum(struct kunit *test)
{
	const struct golden *golden = test->param_value;
	u8 *copy = copy_of(test, golden->image, golden->size);
	const u32 right = mock_get_le32(copy, golden->size - 4);
	const u32 wrong[] = { 0, U32_MAX, ~right, right + 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		mock_put_le32(copy, golden->size - 4, wrong[i]);
		expect_defect(test, golden, copy, golden->size, "the checksum does not fit");
	}
}

/*
 * Sequences of records, as words: those of a VF are "vf", "sched" and "mbox",
 * "block" and "adapter" are of other sequences, "future" is not known,
 * "optional" neither but can be skipped, "empty" likewise and has no payload,
 * "end" is the end of what is before it.
 */
struct sequence_case {
	const char *name;
	const char *words;
	const char *defect;
};

static const struct sequence_case sequence_cases[] = {
	{ "as_it_is", "vf,sched,mbox,end", NULL },
	{ "order_of_the_others", "vf,mbox,sched,end", NULL },
	{ "optional_second", "vf,optional,sched,mbox,end", NULL },
	{ "optional_last", "vf,sched,mbox,optional,end", NULL },
	{ "optional_twice", "vf,optional,sched,optional,mbox,end", NULL },
	{ "optional_empty", "vf,empty,sched,mbox,end", NULL },
	{ "optional_first", "optional,vf,sched,mbox,end", NOT_FIRST },
	{ "optional_first_others_in_disorder", "optional,sched,vf,mbox,end", NOT_FIRST },
	{ "future_first", "future,vf,sched,mbox,end", NOT_FIRST },
	{ "future_second", "vf,future,sched,mbox,end", "a record is not known" },
	{ "future_last", "vf,sched,mbox,future,end", "a record is not known" },
	{ "of_another_sequence_first", "block,vf,sched,mbox,end", NOT_FIRST },
	{ "of_another_sequence", "vf,block,sched,mbox,end", "a record is not known" },
	{ "adapter_in_vf", "vf,sched,adapter,mbox,end", "a record is not known" },
	{ "sched_first", "sched,vf,mbox,end", NOT_FIRST },
	{ "mbox_first", "mbox,sched,vf,end", NOT_FIRST },
	{ "vf_twice", "vf,vf,sched,mbox,end", "a record is there twice" },
	{ "vf_twice_apart", "vf,sched,mbox,vf,end", "a record is there twice" },
	{ "sched_twice", "vf,sched,sched,mbox,end", "a record is there twice" },
	{ "mbox_twice", "vf,sched,mbox,mbox,end", "a record is there twice" },
	{ "no_vf", "sched,mbox,end", NOT_FIRST },
	{ "no_sched", "vf,mbox,end", "a record is missing" },
	{ "no_mbox", "vf,sched,end", "a record is missing" },
	{ "vf_alone", "vf,end", "a record is missing" },
	{ "optional_in_place", "vf,sched,optional,end", "a record is missing" },
	{ "end_alone", "end", "a record is missing" },
	{ "end_first", "end,vf,sched,mbox", "something follows the end record" },
	{ "end_in_between", "vf,sched,end,mbox,end", "something follows the end record" },
	{ "end_twice", "vf,sched,mbox,end,end", "something follows the end record" },
	{ "record_after_end", "vf,sched,mbox,end,optional", "something follows the end record" },
	{ "empty_after_end", "vf,sched,mbox,end,empty", "something follows the end record" },
	{ "no_end", "vf,sched,mbox", "a record is cut off" },
	{ "no_end_optional_last", "vf,sched,mbox,optional", "a record is cut off" },
};

KUNIT_ARRAY_PARAM_DESC(sequence, sequence_cases, name);

struct sequence {
	u8 buf[VGPU_STATE_READ_LIMIT + 64];
	size_t size;
	u32 num_records;
};

static void add_record(struct sequence *seq, u32 type, u32 flags, const u8 *payload,
		       u32 length)
{
	u8 *record = seq->buf + seq->size;

	memset(record, 0, 16);
	mock_put_le32(record, 0, type);
	mock_put_le32(record, 4, flags);
	mock_put_le32(record, 8, length);
	if (payload)
		memcpy(record + 16, payload, length);
	else
		memset(record + 16, 0xa5, length);
	seq->size += 16 + length;
	seq->num_records++;
}

static void add_end(struct sequence *seq)
{
	u8 end[8];

	mock_put_le32(end, 0, seq->num_records);
	mock_put_le32(end, 4, mock_crc32(seq->buf, seq->size));
	add_record(seq, 6, 0, end, sizeof(end));
}

static void add_word(struct kunit *test, struct sequence *seq, const char *word)
{
	if (!strcmp(word, "vf"))
		add_record(seq, 3, 0, golden_running_2 + 16, 48);
	else if (!strcmp(word, "sched"))
		add_record(seq, 4, 0, golden_running_2 + 80, 8);
	else if (!strcmp(word, "mbox"))
		add_record(seq, 5, 0, golden_running_2 + 104, 8);
	else if (!strcmp(word, "block"))
		add_record(seq, 1, 0, golden_block_vf_state + 16, 16);
	else if (!strcmp(word, "adapter"))
		add_record(seq, 2, 0, golden_adapter_2 + 16, 32);
	else if (!strcmp(word, "future"))
		add_record(seq, 7, 0, NULL, 24);
	else if (!strcmp(word, "optional"))
		add_record(seq, 1000, 1, NULL, 24);
	else if (!strcmp(word, "empty"))
		add_record(seq, 1001, 1, NULL, 0);
	else if (!strcmp(word, "end"))
		add_end(seq);
	else
		KUNIT_FAIL_AND_ABORT(test, "no such word: %s\n", word);
}

static struct sequence *sequence_new(struct kunit *test)
{
	struct sequence *seq = kunit_kzalloc(test, sizeof(*seq), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, seq);
	return seq;
}

static void decode_sequence(struct kunit *test)
{
	const struct sequence_case *c = test->param_value;
	struct sequence *seq = sequence_new(test);
	char words[64], *rest = words, *word;

	strscpy(words, c->words, sizeof(words));
	while ((word = strsep(&rest, ",")))
		add_word(test, seq, word);
	expect_defect(test, &goldens[RUNNING_2], copy_of(test, seq->buf, seq->size),
		      seq->size, c->defect);
}

/* What newer releases add may be long, up to the limit. */
static void decode_limit(struct kunit *test)
{
	struct sequence *seq = sequence_new(test);
	const u32 room = VGPU_STATE_READ_LIMIT - sizeof(golden_running_2) - 16;

	add_word(test, seq, "vf");
	add_word(test, seq, "sched");
	add_word(test, seq, "mbox");
	add_record(seq, 1000, 1, NULL, room);
	add_end(seq);
	KUNIT_ASSERT_EQ(test, seq->size, VGPU_STATE_READ_LIMIT);
	expect_defect(test, &goldens[RUNNING_2], seq->buf, seq->size, NULL);
	expect_defect(test, &goldens[RUNNING_2], seq->buf, seq->size + 8,
		      "its size is impossible");
}

static struct kunit_case reject_cases[] = {
	KUNIT_CASE_PARAM(decode_size, golden_gen_params),
	KUNIT_CASE_PARAM(decode_cut, golden_gen_params),
	KUNIT_CASE_PARAM(decode_flipped, golden_gen_params),
	KUNIT_CASE_PARAM(decode_garbage, golden_gen_params),
	KUNIT_CASE_PARAM(decode_other_kind, golden_gen_params),
	KUNIT_CASE_PARAM(decode_checksum, golden_gen_params),
	KUNIT_CASE_PARAM(decode_field, field_gen_params),
	KUNIT_CASE_PARAM(decode_sequence, sequence_gen_params),
	KUNIT_CASE(decode_limit),
	{ }
};

static struct kunit_suite reject_suite = {
	.name = "vgpu_state_reject",
	.init = mock_init,
	.test_cases = reject_cases,
};

kunit_test_suite(reject_suite);
