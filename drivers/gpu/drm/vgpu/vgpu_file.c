// SPDX-License-Identifier: GPL-2.0-only

#include <kunit/visibility.h>
#include <linux/dma-fence.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_hotupdate.h>
#include <drm/drm_hotupdate_compat.h>
#include <drm/drm_print.h>

#include "vgpu_drv.h"
#include "vgpu_file.h"
#include "vgpu_gem.h"

/**
 * DOC: clients
 *
 * Each open file of the render node has a queue of jobs and a timeline of
 * fences of its own. What it uses can be seen in its fdinfo.
 *
 * The render node appears before the device serves: creating it can fail, and the
 * commit of an update cannot. An open that comes in between waits. A client could
 * otherwise be given the VRAM of a VF that is lost but not yet reset, or change
 * memory that a failing probe has to leave to the next driver. No ioctl has to be
 * refused meanwhile, because there is no open file.
 */

/**
 * vgpu_gate_set - let opens of the render node pass, or fail
 * @vgpu: device
 * @gate: new state
 */
void vgpu_gate_set(struct vgpu_device *vgpu, enum vgpu_gate gate)
{
	/* Pairs with the acquire in file_gate(). */
	smp_store_release(&vgpu->gate, gate);
	wake_up_all(&vgpu->gate_wait);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_gate_set);

static enum vgpu_gate file_gate(struct vgpu_device *vgpu)
{
	/* Pairs with the release in vgpu_gate_set(). */
	return smp_load_acquire(&vgpu->gate);
}

/*
 * Not within drm_dev_enter(): drm_dev_unplug() would wait for the section, and the
 * stop that ends this wait comes after it.
 */
static int file_wait_for_gate(struct vgpu_device *vgpu)
{
	int err;

	err = wait_event_killable(vgpu->gate_wait, file_gate(vgpu) != VGPU_GATE_CLOSED);
	if (err)
		return err;
	return file_gate(vgpu) == VGPU_GATE_OPEN ? 0 : -ENODEV;
}

/**
 * vgpu_file_open - &drm_driver.open
 * @drm: DRM device
 * @drm_file: the new file
 *
 * Return: 0; -ENODEV if the device has stopped, or never started; -ERESTARTSYS if
 * the client is killed while it waits for the start or the commit; -ENOMEM.
 */
int vgpu_file_open(struct drm_device *drm, struct drm_file *drm_file)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct drm_gpu_scheduler *sched = &vgpu->pf.sched;
	struct vgpu_file *file;
	int err;

	err = file_wait_for_gate(vgpu);
	if (err)
		return err;

	file = kzalloc(sizeof(*file), GFP_KERNEL);
	if (!file)
		return -ENOMEM;
	kref_init(&file->ref);
	file->vgpu = vgpu;
	mutex_init(&file->lock);
	file->client_id = drm_file->client_id;
	file->context = dma_fence_context_alloc(1);
	scnprintf(file->timeline, sizeof(file->timeline), "%s client %llu",
		  dev_name(drm->dev), file->client_id);

	err = drm_sched_entity_init(&file->entity, DRM_SCHED_PRIORITY_NORMAL, &sched, 1, NULL);
	if (err) {
		vgpu_file_put(file);
		return err;
	}
	drm_file->driver_priv = file;
	return 0;
}

/**
 * vgpu_file_close - &drm_driver.postclose
 * @drm: DRM device
 * @drm_file: the file
 *
 * Jobs that have not begun are cancelled if the client was killed.
 */
void vgpu_file_close(struct drm_device *drm, struct drm_file *drm_file)
{
	struct vgpu_file *file = drm_file->driver_priv;

	drm_sched_entity_destroy(&file->entity);
	file->leaving = true;
	atomic_inc(&file->vgpu->pf.num_leaving);
	vgpu_file_put(file);
}

static void file_free(struct kref *ref)
{
	struct vgpu_file *file = container_of(ref, struct vgpu_file, ref);
	struct vgpu_pf *pf = &file->vgpu->pf;

	if (file->leaving && atomic_dec_and_test(&pf->num_leaving))
		wake_up_all(&pf->idle);
	mutex_destroy(&file->lock);
	kfree(file);
}

/**
 * vgpu_file_get - take a reference to a client
 * @file: client
 *
 * Return: @file.
 */
struct vgpu_file *vgpu_file_get(struct vgpu_file *file)
{
	kref_get(&file->ref);
	return file;
}

/**
 * vgpu_file_put - drop a reference to a client
 * @file: client
 */
void vgpu_file_put(struct vgpu_file *file)
{
	kref_put(&file->ref, file_free);
}

/**
 * vgpu_file_used_engine - account engine time
 * @file: client
 * @ns: nanoseconds
 */
void vgpu_file_used_engine(struct vgpu_file *file, u64 ns)
{
	atomic64_add(ns, &file->engine_ns);
}

/**
 * vgpu_file_next_fence - make the fence of a client's next job
 * @file: client, its lock held until the job was pushed
 *
 * Return: The fence, one reference, or NULL if there is no memory.
 */
struct dma_fence *vgpu_file_next_fence(struct vgpu_file *file)
{
	struct dma_fence *fence;

	lockdep_assert_held(&file->lock);

	fence = drm_hotupdate_fence_create("vgpu", file->timeline, file->context,
					   file->seqno + 1);
	if (fence)
		file->seqno++;
	return fence;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_file_next_fence);

struct memory_usage {
	struct drm_memory_stats vram;
	struct drm_memory_stats system;
};

static void add_object(struct memory_usage *usage, struct drm_gem_object *obj)
{
	struct drm_memory_stats *stats = vgpu_gem_is_vram(obj) ? &usage->vram : &usage->system;

	if (drm_gem_object_is_shared_for_memory_stats(obj))
		stats->shared += obj->size;
	else
		stats->private += obj->size;
	if (vgpu_gem_is_resident(obj))
		stats->resident += obj->size;
	if (!dma_resv_test_signaled(obj->resv, dma_resv_usage_rw(true)))
		stats->active += obj->size;
}

/**
 * vgpu_file_show_fdinfo - &drm_driver.show_fdinfo
 * @p: where to print
 * @drm_file: the file
 */
void vgpu_file_show_fdinfo(struct drm_printer *p, struct drm_file *drm_file)
{
	struct vgpu_file *file = drm_file->driver_priv;
	struct memory_usage usage = { };
	struct drm_gem_object *obj;
	int id;

	drm_printf(p, "drm-engine-render:\t%lld ns\n", atomic64_read(&file->engine_ns));

	spin_lock(&drm_file->table_lock);
	idr_for_each_entry(&drm_file->object_idr, obj, id)
		add_object(&usage, obj);
	spin_unlock(&drm_file->table_lock);
	drm_print_memory_stats(p, &usage.vram, HOTUPDATE_COMPAT_GEM_STATUS, "vram");
	drm_print_memory_stats(p, &usage.system, HOTUPDATE_COMPAT_GEM_STATUS, "system");
}
