/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vgpu_render: a client of the render node, which tests it.
 */
#ifndef _RENDER_H_
#define _RENDER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <drm.h>
#include <drm/vgpu_drm.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define SZ_64K		0x10000
#define SZ_1M		0x100000

/* An object and its mapping. */
struct bo {
	int fd;
	uint32_t handle;
	uint64_t size;
	uint64_t *map;
};

struct test {
	const char *name;
	void (*run)(void);
};

/* Each file has its tests; the last one has no name. */
extern const struct test job_tests[];
extern const struct test refuse_tests[];
extern const struct test sync_tests[];
extern const struct test share_tests[];
/* Scenarios import and bounce. */
extern const struct test import_tests[];
extern const struct test bounce_tests[];

/* vgpu_render.c */
uint64_t now_ns(void);

/* A test that cannot be done, and one that fails, says so and ends the program. */
#define SKIP(why)							\
	do {								\
		printf("%s\n", why);					\
		exit(2);						\
	} while (0)

#define FAIL(...)							\
	do {								\
		printf("%s:%d: ", __FILE__, __LINE__);			\
		printf(__VA_ARGS__);					\
		printf("\n");						\
		exit(1);						\
	} while (0)

#define EXPECT(condition)						\
	do {								\
		if (!(condition))					\
			FAIL("not so: %s", #condition);			\
	} while (0)

/* A call that has to fail with this errno. */
#define EXPECT_ERRNO(call, expected)					\
	do {								\
		int _ret = (call), _errno = (expected);			\
									\
		if (_ret >= 0 || render_errno(_ret) != _errno)		\
			FAIL("%s: %s, not %s", #call,			\
			     _ret < 0 ? strerror(render_errno(_ret)) : "no error", \
			     strerror(_errno));				\
	} while (0)

/* render_drm.c */
int render_errno(int ret);
int render_open(void);
uint64_t render_param(int fd, uint32_t param);
struct bo bo_create(int fd, uint64_t size, uint32_t flags);
struct bo bo_import(int fd, int dmabuf, uint64_t size);
int bo_export(const struct bo *bo);
void bo_map(struct bo *bo);
void bo_free(struct bo *bo);
int bo_wait_ns(const struct bo *bo, int64_t ns);
void bo_wait(const struct bo *bo);
bool bo_has_pattern(const struct bo *bo, uint64_t seed);
uint64_t checksum(const uint64_t *words, uint64_t size);
uint32_t syncobj_new(int fd);

/* A job of up to this many objects, commands and syncs, to be filled in. */
#define JOB_MAX	64

struct job {
	int fd;
	struct drm_vgpu_submit args;
	uint32_t bos[JOB_MAX];
	struct drm_vgpu_submit_cmd cmds[JOB_MAX];
	struct drm_vgpu_sync syncs[JOB_MAX];
};

void job_init(struct job *job, int fd);
uint32_t job_bo(struct job *job, const struct bo *bo);
struct drm_vgpu_submit_cmd *job_cmd(struct job *job, uint32_t op);
void job_sync(struct job *job, uint32_t handle, uint64_t point, uint32_t flags);
int job_try(struct job *job);
void job_submit(struct job *job);
void job_fill(struct job *job, const struct bo *bo, uint64_t value);
void job_pattern(struct job *job, const struct bo *bo, uint64_t seed);

/* render_share.c: leaves a job behind that is not over */
int leave_job(const char *ready);

/* render_sync.c: keeps fences while the driver is replaced */
int hold_fences(const char *ready);

#endif /* _RENDER_H_ */
