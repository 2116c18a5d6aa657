// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the saved state: what is written and read is what the contract
 * says. What is refused is in vgpu_state_reject_kunit.c.
 */

#include <kunit/test.h>
#include <linux/string.h>

#include "vgpu_mock.h"
#include "vgpu_state_golden.h"

/* What the buffer for an encoder is filled with before. */
#define UNTOUCHED	0x5a

static void describe_golden(const struct golden *golden, char *desc)
{
	strscpy(desc, golden->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(golden, goldens, describe_golden);

/* The encoder writes the golden image, and nothing behind it. */
static void encode_golden(struct kunit *test)
{
	const struct golden *golden = test->param_value;
	u8 buf[VGPU_STATE_MAX_SIZE];
	size_t size;

	memset(buf, UNTOUCHED, sizeof(buf));
	size = golden_encode(golden->kind, buf, golden->version, &golden->state);
	KUNIT_ASSERT_EQ(test, size, golden->size);
	KUNIT_EXPECT_MEMEQ(test, buf, golden->image, size);
	KUNIT_EXPECT_NULL(test, memchr_inv(buf + size, UNTOUCHED, sizeof(buf) - size));
}

/* The decoder reads all fields of the golden image. */
static void decode_golden(struct kunit *test)
{
	const struct golden *golden = test->param_value;
	union golden_state state;
	const char *defect;

	KUNIT_EXPECT_EQ(test, 0, golden_decode(golden->kind, golden->image, golden->size,
					       golden->version, &state, &defect));
	KUNIT_EXPECT_NULL(test, defect);
	KUNIT_EXPECT_MEMEQ(test, &state, &golden->state, sizeof(state));
}

/* The image is where a block has it, which is nowhere in particular. */
static void decode_unaligned(struct kunit *test)
{
	const struct golden *golden = test->param_value;
	u8 *buf = kunit_kzalloc(test, golden->size + 8, GFP_KERNEL);
	union golden_state state;
	const char *defect;
	unsigned int shift;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (shift = 1; shift < 8; shift++) {
		memcpy(buf + shift, golden->image, golden->size);
		KUNIT_EXPECT_EQ(test, 0,
				golden_decode(golden->kind, buf + shift, golden->size,
					      golden->version, &state, &defect));
		KUNIT_EXPECT_MEMEQ(test, &state, &golden->state, sizeof(state));
	}
}

/* The image can be in memory that must not be written. */
static void decode_leaves_buffer(struct kunit *test)
{
	const struct golden *golden = test->param_value;
	u8 *buf = kunit_kmalloc(test, golden->size, GFP_KERNEL);
	union golden_state state;
	const char *defect;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	memcpy(buf, golden->image, golden->size);
	golden_decode(golden->kind, buf, golden->size, golden->version, &state, &defect);
	KUNIT_EXPECT_MEMEQ(test, buf, golden->image, golden->size);
}

/* The checksum at the end is the one of zlib. */
static void checksum_of_golden(struct kunit *test)
{
	const struct golden *golden = test->param_value;
	u8 buf[VGPU_STATE_MAX_SIZE];

	memcpy(buf, golden->image, golden->size);
	mock_seal(buf, golden->size);
	KUNIT_EXPECT_MEMEQ(test, buf, golden->image, golden->size);
}

struct pair {
	const char *name;
	u32 writer, reader;
};

static const struct pair pairs[] = {
	{ "1_to_1", 1, 1 },
	{ "1_to_2", 1, 2 },
	{ "2_to_1", 2, 1 },
	{ "2_to_2", 2, 2 },
};

KUNIT_ARRAY_PARAM_DESC(pair, pairs, name);

/*
 * What one version writes is read as that version, and as no other: the core
 * says which one a stash is of.
 */
static void versions(struct kunit *test)
{
	const struct pair *pair = test->param_value;
	const bool same = pair->writer == pair->reader;
	const struct golden *vf = &goldens[RUNNING_2], *adapter;
	union golden_state state;
	u8 buf[VGPU_STATE_MAX_SIZE];
	const char *defect;
	size_t size;

	size = vgpu_state_encode_vf(buf, &vf->state.vf, pair->writer);
	KUNIT_EXPECT_EQ(test, same ? 0 : -EINVAL,
			golden_decode(GOLDEN_VF, buf, size, pair->reader, &state, &defect));
	if (same)
		KUNIT_EXPECT_MEMEQ(test, &state,
				   &goldens[pair->writer == 1 ? RUNNING_1 : RUNNING_2].state,
				   sizeof(state));
	else
		KUNIT_EXPECT_STREQ(test, defect, pair->reader == 1 ?
				   "a record is not known" : "a record is missing");

	adapter = &goldens[pair->writer == 1 ? ADAPTER_1 : ADAPTER_2];
	size = vgpu_state_encode_adapter(buf, &adapter->state.adapter);
	KUNIT_EXPECT_EQ(test, same ? 0 : -EINVAL,
			golden_decode(GOLDEN_ADAPTER, buf, size, pair->reader, &state,
				      &defect));
	if (!same)
		KUNIT_EXPECT_STREQ(test, defect, "it is of another state version");

	/* Metadata is of no version, so that it can say what is. */
	size = vgpu_state_encode_block(buf, &goldens[BLOCK_VF_LMTT].state.block);
	KUNIT_EXPECT_EQ(test, 0, golden_decode(GOLDEN_BLOCK, buf, size, pair->reader,
					       &state, &defect));
}

static void random_vf(u64 *random, struct vgpu_vf_state *vf)
{
	*vf = (struct vgpu_vf_state) {
		.vf = 1 + mock_random(random) % 64,
		.running = mock_random(random) % 2,
		.backing = 1 + mock_random(random) % 2,
		.quantum_us = 50 + mock_random(random) % (1000000 - 50 + 1),
		.quota = (mock_random(random) % (1ull << 27)) << 12,
		.priority = mock_random(random) % 3,
		.answered = mock_random(random),
	};
	if (!vf->running)
		return;
	vf->mem_limit = (1 + mock_random(random) % (1ull << 27)) << 12;
	vf->mem_size = (1 + mock_random(random) % (vf->mem_limit >> 12)) << 12;
	vf->timeslice_us = 50 + mock_random(random) % (vf->quantum_us - 50 + 1);
}

/* Any state that a VF can be in is read as it was written. */
static void roundtrip_random(struct kunit *test)
{
	u64 random = mock_seed(test);
	union golden_state written, read;
	u8 buf[VGPU_STATE_MAX_SIZE];
	const char *defect;
	unsigned int i;
	size_t size;

	for (i = 0; i < 1000; i++) {
		memset(&written, 0, sizeof(written));
		random_vf(&random, &written.vf);
		size = golden_encode(GOLDEN_VF, buf, 2, &written);
		KUNIT_ASSERT_EQ_MSG(test, 0,
				    golden_decode(GOLDEN_VF, buf, size, 2, &read, &defect),
				    "state %u: %s", i, defect);
		KUNIT_ASSERT_MEMEQ_MSG(test, &written, &read, sizeof(read), "state %u", i);
	}
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE_PARAM(encode_golden, golden_gen_params),
	KUNIT_CASE_PARAM(decode_golden, golden_gen_params),
	KUNIT_CASE_PARAM(decode_unaligned, golden_gen_params),
	KUNIT_CASE_PARAM(decode_leaves_buffer, golden_gen_params),
	KUNIT_CASE_PARAM(checksum_of_golden, golden_gen_params),
	KUNIT_CASE_PARAM(versions, pair_gen_params),
	KUNIT_CASE(roundtrip_random),
	{ }
};

static struct kunit_suite state_suite = {
	.name = "vgpu_state",
	.init = mock_init,
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);
