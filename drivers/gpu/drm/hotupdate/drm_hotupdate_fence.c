// SPDX-License-Identifier: GPL-2.0-only

#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "drm_hotupdate_internal.h"

/**
 * DOC: fences
 *
 * A fence is held long after the work that it stands for is done: by a
 * sync_file in somebody's hands, a syncobj, the reservation of a buffer that
 * was shared. On 6.12, who holds it may ask for its driver's name at any time, and
 * the function that answers is in the driver's module; another one there is called
 * when the last reference goes. A module that is replaced would leave that behind,
 * or could not be unloaded as long as any client has forgotten a file descriptor.
 *
 * On 7.3 that is no longer so for a fence that was signalled and whose driver
 * releases it, and waits for it, in the common way: from then on nobody calls
 * into its module. This helper is what 6.12 needs, and serves on both.
 *
 * So the fences that a driver gives to others are to be made here. Nothing of
 * such a fence is the driver's: its functions are this module's, its names are
 * copies, its lock is its own. The driver signals it and drops its reference.
 *
 * Fences pin this module in the driver's place, until they are freed. A task that
 * was preempted within the function that releases one is waited for when this
 * module is unloaded, which is rare, and not for each fence.
 */

struct hotupdate_fence {
	struct dma_fence base;
	/* Protects @base. */
	spinlock_t lock;
	char driver[DRM_HOTUPDATE_FENCE_NAME_LEN];
	char timeline[DRM_HOTUPDATE_FENCE_NAME_LEN];
};

static struct hotupdate_fence *to_hotupdate_fence(struct dma_fence *base)
{
	return container_of(base, struct hotupdate_fence, base);
}

static const char *fence_driver_name(struct dma_fence *base)
{
	return to_hotupdate_fence(base)->driver;
}

static const char *fence_timeline_name(struct dma_fence *base)
{
	return to_hotupdate_fence(base)->timeline;
}

/*
 * Nobody can have the fence any more by dma_fence_get_rcu(). Who has dropped it
 * may still be about to return from fence_release(): hotupdate_fences_exit().
 */
static void fence_free(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct hotupdate_fence, base.rcu));
	hotupdate_unpin();
}

static void fence_release(struct dma_fence *base)
{
	call_rcu(&base->rcu, fence_free);
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_driver_name,
	.get_timeline_name = fence_timeline_name,
	.release = fence_release,
};

/**
 * drm_hotupdate_fence_create - make a fence that outlives the driver
 * @driver: name of the driver, copied
 * @timeline: name of the timeline, copied
 * @context: of the fence, from dma_fence_context_alloc()
 * @seqno: of the fence; fences of a context are signalled in its order
 *
 * What a driver gives to others (syncobjs, sync_files, reservations of shared
 * buffers) has to be made with this if the driver's module is to be replaced.
 * The names are cut to %DRM_HOTUPDATE_FENCE_NAME_LEN - 1 characters.
 *
 * The caller owns one reference. It signals the fence with dma_fence_signal(),
 * before it is removed at the latest, and drops the reference with
 * dma_fence_put().
 *
 * Context: Process context, may sleep; not while a fence's signalling depends
 * on it, as it allocates memory.
 * Return: The fence, or NULL if there is no memory.
 */
struct dma_fence *drm_hotupdate_fence_create(const char *driver, const char *timeline,
					     u64 context, u64 seqno)
{
	struct hotupdate_fence *fence;

	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	if (!fence)
		return NULL;

	hotupdate_pin();
	strscpy(fence->driver, driver, sizeof(fence->driver));
	strscpy(fence->timeline, timeline, sizeof(fence->timeline));
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, context, seqno);
	return &fence->base;
}
EXPORT_SYMBOL_GPL(drm_hotupdate_fence_create);

/**
 * hotupdate_fences_exit - wait for the last releases of fences and adapters
 *
 * None is left, because each pins this module. The function that has dropped the last
 * pin, fence_release() or adapter_release(), may not have returned yet: a task can have
 * been preempted when all was done but to return. It has not slept of its own accord
 * since. Where tasks cannot be preempted that is what RCU itself waits for.
 */
void hotupdate_fences_exit(void)
{
	rcu_barrier();
	synchronize_rcu_tasks();
}
