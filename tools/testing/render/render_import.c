// SPDX-License-Identifier: GPL-2.0-only
/*
 * Imports of udmabuf, with normal and with huge pages.
 */

#define _GNU_SOURCE	/* for memfd_create() */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/udmabuf.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>

#include "render.h"

#define PAGE		4096ull
#define WORDS		(PAGE / 8)
#define SZ_2M		0x200000ull
#define SZ_64M		0x4000000ull

/* Memory of this program that udmabuf can export. */
struct memory {
	int memfd;
	uint64_t size;
	uint64_t *map;
};

static struct memory memory_new(uint64_t size, bool hugetlb)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	struct memory memory = { .size = size };

	memory.memfd = memfd_create("import", flags | (hugetlb ? MFD_HUGETLB | MFD_HUGE_2MB : 0));
	EXPECT(memory.memfd >= 0);
	EXPECT(!ftruncate(memory.memfd, size));
	EXPECT(!fcntl(memory.memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	memory.map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory.memfd, 0);
	if (memory.map == MAP_FAILED)
		FAIL("%llu bytes%s: %s", (unsigned long long)size, hugetlb ? " of hugetlb" : "",
		     strerror(errno));
	return memory;
}

static void memory_free(struct memory *memory)
{
	munmap(memory->map, memory->size);
	close(memory->memfd);
}

/* A dma-buf of pieces of memory, in any order; pieces can repeat. */
#define MAX_PIECES	64

struct pieces {
	struct udmabuf_create_list head;
	struct udmabuf_create_item list[MAX_PIECES];
};

static void add_piece(struct pieces *pieces, const struct memory *memory, uint64_t offset,
		      uint64_t size)
{
	pieces->list[pieces->head.count++] = (struct udmabuf_create_item) {
		.memfd = memory->memfd,
		.offset = offset,
		.size = size,
	};
}

static uint64_t size_of(const struct pieces *pieces)
{
	uint64_t size = 0;
	unsigned int i;

	for (i = 0; i < pieces->head.count; i++)
		size += pieces->list[i].size;
	return size;
}

static int udmabuf_new(struct pieces *pieces)
{
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), dmabuf;

	if (dev < 0)
		SKIP("this kernel has no udmabuf");
	pieces->head.flags = UDMABUF_FLAGS_CLOEXEC;
	dmabuf = ioctl(dev, UDMABUF_CREATE_LIST, pieces);
	if (dmabuf < 0)
		FAIL("udmabuf: %s", strerror(errno));
	close(dev);
	return dmabuf;
}

static struct bo import_pieces(int fd, struct pieces *pieces)
{
	int dmabuf = udmabuf_new(pieces);
	struct bo bo = bo_import(fd, dmabuf, size_of(pieces));

	close(dmabuf);
	return bo;
}

static void job_copy(struct job *job, const struct bo *dst, const struct bo *src,
		     uint64_t src_offset, uint64_t size)
{
	struct drm_vgpu_submit_cmd *cmd = job_cmd(job, VGPU_CMD_COPY);

	cmd->dst = job_bo(job, dst);
	cmd->src = job_bo(job, src);
	cmd->src_offset = src_offset;
	cmd->size = size;
}

/* Where a word of the object is in the exported memory. */
static uint64_t *word_of(const struct pieces *pieces, const struct memory *memories,
			 uint64_t word)
{
	const struct udmabuf_create_item *piece = pieces->list;
	uint64_t offset = word * 8;

	for (; offset >= piece->size; piece++)
		offset -= piece->size;
	while (memories->memfd != (int)piece->memfd)
		memories++;
	return memories->map + (piece->offset + offset) / 8;
}

/* The engine reads the CPU's words, in the order of the pieces. */
static void expect_read(int fd, const struct bo *bo, const struct pieces *pieces,
			const struct memory *memories, uint64_t seed)
{
	struct bo copy = bo_create(fd, bo->size, 0);
	struct job job;
	uint64_t i;

	for (i = 0; i < bo->size / 8; i++)
		*word_of(pieces, memories, i) = vgpu_pattern_word(seed, i);
	job_init(&job, fd);
	job_copy(&job, &copy, bo, 0, bo->size);
	job_submit(&job);
	bo_wait(&copy);
	bo_map(&copy);
	for (i = 0; i < bo->size / 8; i++)
		EXPECT(copy.map[i] == *word_of(pieces, memories, i));
	bo_free(&copy);
}

/* The engine writes to the pieces and to no other page of the memory. */
static void expect_written(int fd, const struct bo *bo, const struct pieces *pieces,
			   const struct memory *memories, unsigned int num, uint64_t seed)
{
	const uint64_t before = ~seed, mark = seed << 32 | 0xdeadbeef;
	struct job job;
	uint64_t i, w;

	for (i = 0; i < num; i++)
		for (w = 0; w < memories[i].size / 8; w++)
			memories[i].map[w] = before;
	job_init(&job, fd);
	job_fill(&job, bo, mark);
	job_submit(&job);
	bo_wait(bo);
	for (i = 0; i < bo->size / 8; i++)
		EXPECT(*word_of(pieces, memories, i) == mark);
	for (i = 0; i < bo->size / 8; i++)
		*word_of(pieces, memories, i) = before;
	for (i = 0; i < num; i++)
		for (w = 0; w < memories[i].size / 8; w++)
			EXPECT(memories[i].map[w] == before);
}

static void import_whole(bool hugetlb)
{
	struct memory memory = memory_new(2 * SZ_2M, hugetlb);
	struct pieces pieces = { };
	int fd = render_open();
	struct bo bo;

	add_piece(&pieces, &memory, 0, memory.size);
	bo = import_pieces(fd, &pieces);
	expect_read(fd, &bo, &pieces, &memory, 1);
	expect_written(fd, &bo, &pieces, &memory, 1, 2);
	memory_free(&memory);
}

static void import_pages(void)
{
	import_whole(false);
}

static void import_hugetlb(void)
{
	import_whole(true);
}

/* Not in order, across the border of huge pages, and with normal pages. */
static void import_in_pieces(void)
{
	struct memory memories[] = { memory_new(2 * SZ_2M, true), memory_new(SZ_2M, false) };
	struct pieces pieces = { };
	int fd = render_open();
	struct bo bo;

	add_piece(&pieces, &memories[0], SZ_2M - PAGE, 2 * PAGE);
	add_piece(&pieces, &memories[1], SZ_2M - PAGE, PAGE);
	add_piece(&pieces, &memories[0], PAGE, 100 * PAGE);
	add_piece(&pieces, &memories[1], 0, SZ_1M);
	add_piece(&pieces, &memories[0], 2 * SZ_2M - PAGE, PAGE);
	bo = import_pieces(fd, &pieces);
	expect_read(fd, &bo, &pieces, memories, 3);
	expect_written(fd, &bo, &pieces, memories, ARRAY_SIZE(memories), 4);
}

/*
 * The victim: a process that owns most of the memory and can check all of it.
 */

#define VICTIM_MAGIC	0x7365637265742121ull
#define SPARE		(96 * SZ_1M)	/* for other processes */

struct victim {
	pid_t pid;
	int go_on;
};

static uint64_t bytes_free(void)
{
	return (uint64_t)sysconf(_SC_AVPHYS_PAGES) * PAGE;
}

static uint64_t secret(uint64_t page, uint64_t word)
{
	return word ? page << 32 ^ word : VICTIM_MAGIC;
}

static void fill_secrets(uint64_t *map, uint64_t size)
{
	uint64_t page, w;

	for (page = 0; page < size / PAGE; page++)
		for (w = 0; w < WORDS; w++)
			map[page * WORDS + w] = secret(page, w);
}

static uint64_t count_changed(const uint64_t *map, uint64_t size)
{
	uint64_t page, w, changed = 0;

	for (page = 0; page < size / PAGE; page++) {
		bool is_same = true;

		for (w = 0; w < WORDS && is_same; w++)
			is_same = map[page * WORDS + w] == secret(page, w);
		changed += !is_same;
	}
	return changed;
}

static void be_victim(int ready, int go_on)
{
	uint64_t size = bytes_free() - SPARE, changed, *map;
	char byte;

	EXPECT(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(map != MAP_FAILED);
	/* Transparent huge pages reuse memory that hugetlb has just freed. */
	madvise(map, size, MADV_HUGEPAGE);
	fill_secrets(map, size);
	EXPECT(write(ready, "", 1) == 1);
	EXPECT(!read(go_on, &byte, 1));
	changed = count_changed(map, size);
	printf("%llu of the victim's %llu pages were overwritten\n",
	       (unsigned long long)changed, (unsigned long long)(size / PAGE));
	fflush(stdout);
	_exit(changed != 0);
}

static struct victim victim_new(void)
{
	int ready[2], go_on[2];
	struct victim victim;
	char byte;

	if (bytes_free() < 2 * SPARE)
		SKIP("too little memory for a victim");
	EXPECT(!pipe2(ready, O_CLOEXEC) && !pipe2(go_on, O_CLOEXEC));
	fflush(stdout);
	victim.pid = fork();
	EXPECT(victim.pid >= 0);
	if (!victim.pid) {
		close(go_on[1]);
		be_victim(ready[1], go_on[0]);
	}
	close(ready[1]);
	close(go_on[0]);
	victim.go_on = go_on[1];
	EXPECT(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return victim;
}

/* The victim checks all of its memory. */
static void victim_is_unharmed(struct victim *victim)
{
	int status;

	close(victim->go_on);
	EXPECT(waitpid(victim->pid, &status, 0) == victim->pid);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
}

/*
 * The attack on pages that physically follow a huge page. udmabuf of 6.12 describes
 * a huge page by 512 entries of one page with growing offsets. A driver that counts
 * the pages of offset + length maps i + 1 pages for entry i: the last entry leads to
 * 511 pages behind the huge page, at addresses far behind the imported object.
 *
 * The attack assumes where objects get their addresses. KUnit case list_taken checks
 * the same with known addresses.
 */

#define ENTRIES		512ull
#define SPILL_START	((ENTRIES - 1) * ENTRIES / 2 * PAGE)
#define FAR_OBJECTS	8
#define HUGE_PAGES	8
#define MARK		0x61747461636b6572ull

struct attack {
	int fd;
	struct memory mine;
	struct bo far[FAR_OBJECTS];
	struct bo seen;
	struct victim victim;
	/* Pages that cannot be read; pages of others; pages of the victim among them */
	unsigned int unread;
	unsigned int foreign;
	unsigned int secrets;
};

/* Binds the object by a job that does not use it. */
static void bind_object(struct attack *attack, const struct bo *bo)
{
	struct job job;

	job_init(&job, attack->fd);
	job_bo(&job, bo);
	job_fill(&job, &attack->seen, MARK);
	job_submit(&job);
	bo_wait(&attack->seen);
}

/* 64 MiB of addresses that all lead to the same megabyte. */
static struct bo far_object(struct attack *attack)
{
	struct pieces pieces = { };

	while (pieces.head.count < MAX_PIECES)
		add_piece(&pieces, &attack->mine, 0, SZ_1M);
	return import_pieces(attack->fd, &pieces);
}

/* A free gap of 2 MiB, and objects at all addresses that the attack needs. */
static void make_gap(struct attack *attack)
{
	uint64_t before = render_param(attack->fd, DRM_VGPU_PARAM_VRAM_FREE);
	struct bo gap = bo_create(attack->fd, SZ_2M, DRM_VGPU_GEM_VRAM);
	unsigned int i;

	bind_object(attack, &gap);
	for (i = 0; i < FAR_OBJECTS; i++) {
		attack->far[i] = far_object(attack);
		bind_object(attack, &attack->far[i]);
	}
	bo_free(&gap);
	for (i = 0; i < 6000 && render_param(attack->fd, DRM_VGPU_PARAM_VRAM_FREE) != before; i++)
		usleep(10000);
	EXPECT(render_param(attack->fd, DRM_VGPU_PARAM_VRAM_FREE) == before);
}

/* Returns false if the device hangs. */
static bool look_at_page(struct attack *attack, uint64_t address)
{
	const struct bo *far = &attack->far[(address - SZ_2M) / SZ_64M];
	struct job job;

	job_init(&job, attack->fd);
	job_fill(&job, &attack->seen, MARK);
	job_copy(&job, &attack->seen, far, (address - SZ_2M) % SZ_64M, PAGE);
	job_submit(&job);
	if (bo_wait_ns(&attack->seen, 60000000000ll)) {
		attack->unread++;
		return false;
	}
	attack->unread += attack->seen.map[0] == MARK;
	attack->secrets += attack->seen.map[0] == VICTIM_MAGIC;
	if (attack->seen.map[0] != MARK &&
	    memcmp(attack->seen.map, (char *)attack->mine.map + address % SZ_1M, PAGE))
		attack->foreign++;
	return true;
}

/* Overwrites the attacker's own memory, unless the attack works. */
static void overwrite_page(struct attack *attack, uint64_t address)
{
	const struct bo *far = &attack->far[(address - SZ_2M) / SZ_64M];
	struct drm_vgpu_submit_cmd *cmd;
	struct job job;

	job_init(&job, attack->fd);
	cmd = job_cmd(&job, VGPU_CMD_FILL);
	cmd->dst = job_bo(&job, far);
	cmd->dst_offset = (address - SZ_2M) % SZ_64M;
	cmd->size = PAGE;
	cmd->value = MARK;
	job_submit(&job);
	bo_wait(far);
}

static bool attack_behind(struct attack *attack, struct memory *huge)
{
	struct pieces pieces = { };
	struct bo bo;
	uint64_t i;

	make_gap(attack);
	add_piece(&pieces, huge, 0, SZ_2M);
	bo = import_pieces(attack->fd, &pieces);
	bind_object(attack, &bo);
	for (i = 1; i < ENTRIES; i++)
		if (!look_at_page(attack, SPILL_START + i * PAGE))
			return false;
	for (i = 1; i < ENTRIES; i += 100)
		overwrite_page(attack, SPILL_START + i * PAGE);
	bo_free(&bo);
	return true;
}

/* The objects of an attack are freed with its file. */
static bool attack_once(struct attack *attack, struct memory *huge, uint64_t seed)
{
	struct bo first;
	uint64_t w;
	bool goes_on;

	attack->fd = render_open();
	for (w = 0; w < SZ_1M / 8; w++)
		attack->mine.map[w] = vgpu_pattern_word(seed, w);
	attack->seen = bo_create(attack->fd, PAGE, 0);
	bo_map(&attack->seen);
	/* Binds it and attack->seen before the gap: the far objects must follow the gap. */
	first = bo_create(attack->fd, PAGE, 0);
	bind_object(attack, &first);
	goes_on = attack_behind(attack, huge);
	/* A mapping would keep the file, and thus the objects. */
	munmap(attack->seen.map, PAGE);
	close(attack->fd);
	return goes_on;
}

static void set_huge_pages(unsigned int num)
{
	FILE *f = fopen("/proc/sys/vm/nr_hugepages", "r+");
	unsigned int there = 0;

	EXPECT(f && fprintf(f, "%u", num) > 0 && !fflush(f));
	rewind(f);
	EXPECT(fscanf(f, "%u", &there) == 1 && there == num);
	fclose(f);
}

/* Every second huge page is freed, for the victim to get its memory. */
static void import_reaches_no_further(void)
{
	struct memory huge[HUGE_PAGES];
	struct attack attack;
	unsigned int i;

	memset(&attack, 0, sizeof(attack));
	set_huge_pages(HUGE_PAGES);
	for (i = 0; i < HUGE_PAGES; i++) {
		huge[i] = memory_new(SZ_2M, true);
		memset(huge[i].map, i, SZ_2M);
	}
	for (i = 1; i < HUGE_PAGES; i += 2)
		memory_free(&huge[i]);
	set_huge_pages(HUGE_PAGES / 2);
	attack.mine = memory_new(SZ_1M, false);
	attack.victim = victim_new();
	for (i = 0; i < HUGE_PAGES; i += 2)
		if (!attack_once(&attack, &huge[i], i))
			break;
	printf("%u pages of others were read, %u of them the victim's\n", attack.foreign,
	       attack.secrets);
	printf("%u could not be read\n", attack.unread);
	victim_is_unharmed(&attack.victim);
	EXPECT(!attack.foreign && !attack.secrets && !attack.unread);
}

/*
 * Random imports, until the time is over, and at least some
 */

#define LEAST_IMPORTS	20

static uint64_t fuzz_state;

static uint64_t below(uint64_t end)
{
	return vgpu_pattern_word(fuzz_state++, 0) % end;
}

static void add_random_piece(struct pieces *pieces, const struct memory *memory)
{
	uint64_t pages = 1 + below(64), last = memory->size / PAGE - pages;

	add_piece(pieces, memory, below(last + 1) * PAGE, pages * PAGE);
}

static void import_at_random(int fd, struct bo *bo, struct memory *memories)
{
	unsigned int num = 1 + below(12);
	struct pieces pieces = { };

	if (bo->handle)
		bo_free(bo);
	while (num--)
		add_random_piece(&pieces, &memories[below(2)]);
	*bo = import_pieces(fd, &pieces);
	expect_read(fd, bo, &pieces, memories, below(1000));
	expect_written(fd, bo, &pieces, memories, 2, below(1000));
}

/* Environment: IMPORT_FUZZ_S, seconds; IMPORT_FUZZ_SEED, first random number */
static void import_fuzz(void)
{
	const char *seconds = getenv("IMPORT_FUZZ_S"), *seed = getenv("IMPORT_FUZZ_SEED");
	uint64_t end = now_ns() + (seconds ? strtoull(seconds, NULL, 10) : 3) * 1000000000ull;
	struct memory memories[] = { memory_new(2 * SZ_2M, true), memory_new(SZ_2M, false) };
	struct bo bos[8] = { };
	int fd = render_open();
	unsigned int rounds;

	fuzz_state = seed ? strtoull(seed, NULL, 10) : 1;
	for (rounds = 0; rounds < LEAST_IMPORTS || now_ns() < end; rounds++)
		import_at_random(fd, &bos[below(ARRAY_SIZE(bos))], memories);
	printf("%u imports\n", rounds);
}

/* The kernel gives the device a copy: the driver must refuse it. */
static void import_bounces(void)
{
	struct memory memory = memory_new(SZ_64K, false);
	struct pieces pieces = { };
	int fd = render_open();
	uint32_t handle;

	add_piece(&pieces, &memory, 0, memory.size);
	EXPECT_ERRNO(drmPrimeFDToHandle(fd, udmabuf_new(&pieces), &handle), EINVAL);
}

const struct test import_tests[] = {
	{ "import_pages", import_pages },
	{ "import_hugetlb", import_hugetlb },
	{ "import_in_pieces", import_in_pieces },
	{ "import_reaches_no_further", import_reaches_no_further },
	{ "import_fuzz", import_fuzz },
	{ }
};

/* For a kernel with swiotlb=force */
const struct test bounce_tests[] = {
	{ "import_bounces", import_bounces },
	{ }
};
