// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the configuration of the simulated vgpu device.
 */

#include "vgpu_sim_helpers.h"

struct config_case {
	const char *name;
	struct vgpu_sim_config config;
	/* the parameter that the reason names, or NULL if it is accepted */
	const char *refused;
};

static const struct config_case config_cases[] = {
	{ "too_many_devices", { 65, 1, 1 }, "devices" },
	{ "most_devices_of_all", { ~0U, 1, 1 }, "devices" },
	{ "no_vfs", { 1, 0, 1 }, "total_vfs" },
	{ "too_many_vfs", { 1, 65, 1 }, "total_vfs" },
	{ "most_vfs_of_all", { 1, ~0U, 1 }, "total_vfs" },
	{ "no_vram", { 1, 1, 0 }, "vram_mb" },
	{ "no_devices", { 0, 64, 256 }, NULL },
	{ "most_devices", { 64, 64, 256 }, NULL },
	{ "one_vf", { 1, 1, 256 }, NULL },
	{ "least_vram", { 1, 64, 1 }, NULL },
	{ "most_vram", { 1, 64, ~0U }, NULL },
};

KUNIT_ARRAY_PARAM_DESC(config, config_cases, name);

static void config_check(struct kunit *test)
{
	const struct config_case *c = test->param_value;
	const char *reason = "untouched";
	int ret = vgpu_sim_config_check(&c->config, &reason);

	if (!c->refused) {
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_NULL(test, reason);
		return;
	}
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_ASSERT_NOT_NULL(test, reason);
	KUNIT_EXPECT_TRUE(test, strstarts(reason, c->refused));
}

/* More VRAM than there is memory is an error, and no more than that. */
static void create_too_much_vram(struct kunit *test)
{
	const struct vgpu_sim_config config = {
		.devices = 1, .total_vfs = 1, .vram_mb = ~0U,
	};

	KUNIT_EXPECT_PTR_EQ(test, vgpu_sim_create(&config, 0), ERR_PTR(-ENOMEM));
}

static void create_as_configured(struct kunit *test)
{
	struct vgpu_sim *sim = sim_create(test, 7);

	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_IDENT), VGPU_HW_IDENT_VALUE);
	KUNIT_EXPECT_EQ(test, sim_read(sim, VGPU_HW_TOTAL_VFS), 7);
	KUNIT_EXPECT_EQ(test, sim->hw.vram_size, SIM_VRAM_SIZE);
	KUNIT_EXPECT_NULL(test, memchr_inv(sim->hw.vram, 0, sim->hw.vram_size));
}

/* Every VF there is has registers, and there are none beyond. */
static void create_with_vfs(struct kunit *test)
{
	static const u8 counts[] = { 1, 2, 3, 8, 31, 32, 33, 63, 64 };
	struct vgpu_sim *sim;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		sim = sim_create(test, counts[i]);
		KUNIT_EXPECT_EQ(test, sim_fn_read(sim, counts[i], VGPU_FN_CTRL), 0);
		KUNIT_EXPECT_EQ(test, sim_fn_read(sim, counts[i] + 1, VGPU_FN_CTRL), ~0ull);
		sim_destroy(test, sim);
	}
}

static struct kunit_case config_kunit_cases[] = {
	KUNIT_CASE_PARAM(config_check, config_gen_params),
	KUNIT_CASE(create_too_much_vram),
	KUNIT_CASE(create_as_configured),
	KUNIT_CASE(create_with_vfs),
	{}
};

static struct kunit_suite vgpu_sim_config_suite = {
	.name = "vgpu_sim_config",
	.test_cases = config_kunit_cases,
};

kunit_test_suite(vgpu_sim_config_suite);
