// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of VFs that an update has lost: several at once, those that the
 * device runs and nobody knows, the updates that come after, and how the
 * administrator gets them back. Why a VF is lost is in
 * vgpu_replay_isolation_kunit.c.
 */

#include <kunit/test.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <drm/vgpu_drm.h>

#include "kunit_files.h"
#include "vgpu_update_kunit.h"

#define NOTHING_SAVED	"the device runs it, but nothing of it was saved"

/* Where the number of VFs is in the state of the adapter, see vgpu_state.h. */
#define ADAPTER_NUM_VFS	40

/* A bit of its time slice, to a value that is possible. */
static void spoil_state(struct mock_stash *stash, u32 vf)
{
	mock_stash_find(stash, VGPU_BLOCK_VF_STATE, vf)->data[56] ^= 0x10;
}

static void detach_and_spoil_state(struct update *update)
{
	struct mock_stash *stash;

	update_detach(update, 0);
	stash = mock_stash_open(update->gpu);
	spoil_state(stash, VF_SYSTEM);
	mock_stash_close(stash, VGPU_RELEASE);
}

/* The device runs a VF that was not enabled when the driver saved. */
static void lose_vf_that_was_idle(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct vgpu_vf *vf;

	update_detach(update, 0);
	update->hw->fns[VF_IDLE].enabled = true;
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	vf = mock_gpu_vf(update->gpu, VF_IDLE);
	KUNIT_EXPECT_STREQ(test, vf->lost, NOTHING_SAVED);
	KUNIT_EXPECT_FALSE(test, update->hw->fns[VF_IDLE].enabled);
	MOCK_EXPECT_WRITES(update->hw,
			   { VGPU_FN(VF_IDLE, VGPU_FN_RESET), VGPU_RESET_MAGIC });
	KUNIT_EXPECT_STREQ(test, update->gpu->event,
			   "EVENT=vf_lost\nVF=4\nREASON=" NOTHING_SAVED "\n");
	update_expect_guests_intact(update, VF_NONE);
	update_expect_known(update, VF_IDLE);
	/* It has lost nothing of what it was provisioned with. */
	KUNIT_EXPECT_EQ(test, vf->profile.quota, SZ_2M);
}

/* Everything that is wrong at once: each VF for its own reason. */
static void lose_several(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct mock_stash *stash;

	update_detach(update, 0);
	stash = mock_stash_open(update->gpu);
	spoil_state(stash, VF_VRAM);
	mock_item_set_meta(mock_stash_find(stash, VGPU_BLOCK_VF_LMTT, VF_SHARE),
			   VGPU_BLOCK_VF_LMTT, VF_SHARE, 1000);
	mock_stash_close(stash, VGPU_RELEASE);
	update->hw->fns[VF_SYSTEM].timeslice_us++;
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	KUNIT_EXPECT_EQ(test, update->gpu->num_events, 3);
	KUNIT_EXPECT_STREQ(test, mock_gpu_vf(update->gpu, VF_VRAM)->lost,
			   "the checksum does not fit");
	KUNIT_EXPECT_STREQ(test, mock_gpu_vf(update->gpu, VF_SYSTEM)->lost,
			   "the device has another time slice");
	KUNIT_EXPECT_STREQ(test, mock_gpu_vf(update->gpu, VF_SHARE)->lost,
			   "its LMTT is malformed");
	mock_guest_expect_reset_then_freed(update->guests[VF_VRAM]);
	mock_guest_expect_reset_then_freed(update->guests[VF_SYSTEM]);
	mock_guest_expect_reset_then_freed(update->guests[VF_SHARE]);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(update->gpu), UPDATE_VRAM);
	KUNIT_EXPECT_EQ(test, mock_gpu_vgpu(update->gpu)->num_vfs, 3);
}

/*
 * A VF runs that is not one of those that the administrator has enabled: nobody
 * would ever disable it.
 */
static void lose_vf_beyond_num_vfs(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct mock_stash *stash;
	struct mock_item *item;

	update_detach(update, 0);
	stash = mock_stash_open(update->gpu);
	item = mock_stash_find(stash, VGPU_BLOCK_ADAPTER, 0);
	mock_put_le32(item->data, ADAPTER_NUM_VFS, 2);
	mock_seal(item->data, item->data_size);
	mock_stash_close(stash, VGPU_RELEASE);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	KUNIT_EXPECT_STREQ(test, mock_gpu_vf(update->gpu, VF_SHARE)->lost,
			   "it is not one of those that are enabled");
	KUNIT_EXPECT_FALSE(test, mock_gpu_vf(update->gpu, VF_SHARE)->enabled);
	mock_guest_expect_reset_then_freed(update->guests[VF_SHARE]);
	update_expect_guests_intact(update, VF_SHARE);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(update->gpu, 0), 0);
	KUNIT_EXPECT_EQ(test, mock_gpu_vram_free(update->gpu), UPDATE_VRAM);
}

static int read_file(struct vfsmount *sysfs, struct update *update, const char *name,
		     char *buf, size_t size)
{
	return user_file_read(sysfs, mock_gpu_path(update->gpu, name), buf, size);
}

/* The administrator sees which VF it was and why, and can have it back. */
static void recover(struct kunit *test)
{
	struct vfsmount *sysfs = user_mount_for(test, "sysfs");
	struct update *update = update_new_usual(test);
	struct mock_guest *guest;
	char buf[128];

	detach_and_spoil_state(update);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	KUNIT_EXPECT_GT(test, read_file(sysfs, update, "vf2/state", buf, sizeof(buf)), 0);
	KUNIT_EXPECT_STREQ(test, buf, "lost: the checksum does not fit");
	KUNIT_EXPECT_GT(test, read_file(sysfs, update, "num_vfs", buf, sizeof(buf)), 0);
	KUNIT_EXPECT_STREQ(test, buf, "3");
	KUNIT_EXPECT_GT(test, read_file(sysfs, update, "vf2/mem_size", buf, sizeof(buf)), 0);
	KUNIT_EXPECT_STREQ(test, buf, "0");
	update->guests[VF_SYSTEM] = NULL;

	KUNIT_EXPECT_EQ(test, 0, user_file_write(sysfs,
						 mock_gpu_path(update->gpu, "vf2/reset"),
						 "1"));
	KUNIT_EXPECT_GT(test, read_file(sysfs, update, "vf2/state", buf, sizeof(buf)), 0);
	KUNIT_EXPECT_STREQ(test, buf, "enabled");
	KUNIT_EXPECT_TRUE(test, update->hw->fns[VF_SYSTEM].enabled);
	guest = mock_guest_new(test, update->hw, VF_SYSTEM);
	KUNIT_EXPECT_GT(test, mock_guest_size(guest), 0);
	update_expect_guests_intact(update, VF_NONE);

	/* It takes part in the next update as any other. */
	update->guests[VF_SYSTEM] = guest;
	update_take_note(update);
	update_detach(update, 0);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	update_expect_guests_intact(update, VF_NONE);
	update_expect_known(update, VF_NONE);
}

/* A VF that was lost stays lost in the next update, and is told from others. */
static void lost_in_the_next_update(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct vgpu_vf *vf;
	unsigned int i;

	detach_and_spoil_state(update);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	for (i = 0; i < 2; i++) {
		mock_hw_forget_writes(update->hw);
		update_detach(update, 0);
		KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
		vf = mock_gpu_vf(update->gpu, VF_SYSTEM);
		KUNIT_EXPECT_STREQ(test, vf->lost, "an earlier update lost it");
		KUNIT_EXPECT_FALSE(test, vf->enabled);
		MOCK_EXPECT_NO_WRITES(update->hw);
		update_expect_guests_intact(update, VF_SYSTEM);
		update_expect_known(update, VF_SYSTEM);
	}
	KUNIT_EXPECT_EQ(test, update->gpu->num_events, 1);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(update->gpu, 0), 0);
	KUNIT_EXPECT_NULL(test, mock_gpu_vf(update->gpu, VF_SYSTEM)->lost);
	KUNIT_EXPECT_EQ(test, mock_gpu_set_num_vfs(update->gpu, 3), 0);
}

/* What a VF was provisioned with survives its loss, if its state was good. */
static void provisioned_after_loss(struct kunit *test)
{
	struct update *update = update_new_usual(test);
	struct vgpu_vf *vf;

	update_detach(update, 0);
	update->hw->fns[VF_SYSTEM].table += SZ_4K;
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	vf = mock_gpu_vf(update->gpu, VF_SYSTEM);
	KUNIT_EXPECT_EQ(test, vf->profile.quota, 3 * SZ_1M);
	KUNIT_EXPECT_EQ(test, vf->profile.backing, VGPU_BACKING_SYSTEM);
	KUNIT_EXPECT_EQ(test, vf->profile.quantum_us, 3000);
	update_detach(update, 0);
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	vf = mock_gpu_vf(update->gpu, VF_SYSTEM);
	KUNIT_EXPECT_EQ(test, vf->profile.quota, 3 * SZ_1M);
	KUNIT_EXPECT_EQ(test, vf->profile.backing, VGPU_BACKING_SYSTEM);
}

/* What the device answered is not known of version 1, so it is not compared. */
static void answered_through_version_1(struct kunit *test)
{
	struct update *update = update_new_usual(test);

	update_detach(update, 1);
	update->hw->fns[VF_SYSTEM].sent++;
	update->hw->fns[VF_SYSTEM].answered++;
	KUNIT_ASSERT_EQ(test, mock_gpu_bind(update->gpu), 0);
	update_expect_guests_intact(update, VF_NONE);
	update_expect_known(update, VF_NONE);
}

static struct kunit_case lost_cases[] = {
	KUNIT_CASE(lose_vf_that_was_idle),
	KUNIT_CASE(lose_vf_beyond_num_vfs),
	KUNIT_CASE(lose_several),
	KUNIT_CASE(lost_in_the_next_update),
	KUNIT_CASE(provisioned_after_loss),
	KUNIT_CASE(recover),
	KUNIT_CASE(answered_through_version_1),
	{ }
};

static struct kunit_suite lost_suite = {
	.name = "vgpu_replay_lost",
	.suite_exit = mock_suite_exit,
	.init = mock_init,
	.test_cases = lost_cases,
};

kunit_test_suite(lost_suite);
