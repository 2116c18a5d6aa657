// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each step leaves in the trace: all that there is to know of it, in order,
 * and as often as it happened.
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/trace_events.h>

#include "drm_hotupdate_kunit.h"
#include "kunit_files.h"

#define TRACE_SIZE	SZ_32K
#define MAX_EVENTS	48
#define NAP_MS		20

struct traced_event {
	/* Without adapter and duration: "restore index=0 kind=device ..." */
	char text[112];
	bool has_duration;
	u64 duration_ns;
};

struct traced {
	struct kunit *test;
	struct vfsmount *tracefs;
	/* What was read, and how much of it was expected */
	struct traced_event events[MAX_EVENTS];
	unsigned int num_events;
	unsigned int num_expected;
};

static void stop_tracing(void *unused)
{
	trace_set_clr_event("drm_hotupdate", NULL, 0);
}

/* Only what happens from here on is in the trace. */
static struct traced *trace_begin(struct kunit *test)
{
	struct traced *traced = kunit_kzalloc(test, sizeof(*traced), GFP_KERNEL);
	struct file *file;

	KUNIT_ASSERT_NOT_NULL(test, traced);
	traced->test = test;
	traced->tracefs = user_mount_for(test, "tracefs");
	file = user_file_open(traced->tracefs, "trace", O_WRONLY | O_TRUNC);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	user_file_close(file);

	KUNIT_ASSERT_EQ(test, trace_set_clr_event("drm_hotupdate", NULL, 1), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_tracing, NULL), 0);
	return traced;
}

static char *read_trace(struct traced *traced)
{
	char *text = kunit_kzalloc(traced->test, TRACE_SIZE, GFP_KERNEL);
	struct file *file = user_file_open(traced->tracefs, "trace", O_RDONLY);
	loff_t pos = 0;
	ssize_t len;

	KUNIT_ASSERT_NOT_NULL(traced->test, text);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(traced->test, file);
	do {
		len = user_file_read_on(file, text + pos, TRACE_SIZE - 1 - pos, &pos);
	} while (len > 0);
	user_file_close(file);
	KUNIT_EXPECT_EQ(traced->test, len, 0);
	return text;
}

/* Of each event the first thing is the adapter, and the last the duration. */
static void parse_event(struct traced *traced, char *line, const char *adapter)
{
	struct traced_event *event = &traced->events[traced->num_events];
	struct kunit *test = traced->test;
	const char *begin = " drm_hotupdate_", *named = ": adapter=";
	char *name = strstr(line, begin), *fields, *duration;
	size_t len = strlen(adapter);

	if (*line == '#' || !name)
		return;
	KUNIT_ASSERT_LT(test, traced->num_events++, MAX_EVENTS);
	name += strlen(begin);

	fields = strstr(name, named);
	KUNIT_ASSERT_NOT_NULL_MSG(test, fields, "%s", line);
	*fields = '\0';
	fields += strlen(named);
	KUNIT_ASSERT_TRUE_MSG(test, str_has_prefix(fields, adapter) && fields[len] == ' ',
			      "%s", fields);
	fields += len + 1;

	duration = strstr(fields, " duration_ns=");
	if (duration) {
		*duration = '\0';
		event->has_duration = true;
		KUNIT_EXPECT_EQ(test, 0, kstrtou64(strchr(duration + 1, '=') + 1, 10,
						   &event->duration_ns));
	}
	snprintf(event->text, sizeof(event->text), "%s %s", name, fields);
}

static void trace_end(struct traced *traced, struct fake_gpu *gpu)
{
	char *text, *line;

	stop_tracing(NULL);
	text = read_trace(traced);
	while ((line = strsep(&text, "\n")))
		parse_event(traced, line, dev_name(&gpu->adapter->dev));
}

/* The next event; for what is more to be asked of it. */
__printf(2, 3)
static const struct traced_event *expect_event(struct traced *traced, const char *fmt, ...)
{
	static const struct traced_event none;
	char expected[sizeof(none.text)];
	const struct traced_event *event;
	va_list args;

	va_start(args, fmt);
	vsnprintf(expected, sizeof(expected), fmt, args);
	va_end(args);
	event = traced->num_expected < traced->num_events ?
		&traced->events[traced->num_expected++] : &none;
	KUNIT_EXPECT_STREQ(traced->test, event->text, expected);
	return event;
}

static void expect_state(struct traced *traced, enum hotupdate_state from,
			 enum hotupdate_state to, u64 generation)
{
	expect_event(traced, "state from=%s to=%s generation=%llu",
		     hotupdate_state_name(from), hotupdate_state_name(to), generation);
}

static void expect_no_more(struct traced *traced)
{
	KUNIT_EXPECT_EQ(traced->test, traced->num_expected, traced->num_events);
}

/* The step took as long as its callback, which slept. */
static void expect_nap(struct traced *traced, const struct traced_event *event)
{
	KUNIT_EXPECT_TRUE_MSG(traced->test, event->has_duration, "%s", event->text);
	KUNIT_EXPECT_GE_MSG(traced->test, event->duration_ns, NAP_MS * NSEC_PER_MSEC, "%s",
			    event->text);
}

static const struct traced_event *expect_block(struct traced *traced, const char *step,
					       unsigned int index,
					       const struct fake_block *fb, int err)
{
	return expect_event(traced, "%s index=%u kind=%s bytes=%zu meta=%zu err=%d", step,
			    index, hotupdate_kind_names[fb->kind], fb->size, fb->meta_size,
			    err);
}

static u64 sum_of_bytes(const struct fake_driver *driver)
{
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < driver->num_saves; i++)
		bytes += driver->saves[i]->size;
	return bytes;
}

static const struct traced_event *expect_stash(struct traced *traced, const char *step,
					       const struct fake_driver *driver, int err)
{
	return expect_event(traced, "%s blocks=%u bytes=%llu err=%d", step,
			    driver->num_saves, sum_of_bytes(driver), err);
}

static void expect_save(struct traced *traced, const struct fake_driver *driver)
{
	const struct traced_event *event;
	unsigned int i;

	expect_event(traced, "prepare driver=fake version=2");
	expect_state(traced, HOTUPDATE_RUNNING, HOTUPDATE_SAVING, 0);
	for (i = 0; i < driver->num_saves; i++) {
		event = expect_block(traced, "save", i, driver->saves[i], 0);
		KUNIT_EXPECT_TRUE(traced->test, event->has_duration);
	}
	expect_nap(traced, expect_stash(traced, "saved", driver, 0));
	expect_state(traced, HOTUPDATE_SAVING, HOTUPDATE_SAVED, 0);
}

static void expect_detach_and_attach(struct traced *traced,
				     const struct fake_driver *driver)
{
	expect_nap(traced, expect_stash(traced, "stop", driver, 0));
	expect_event(traced, "detach driver=fake version=2");
	expect_state(traced, HOTUPDATE_SAVED, HOTUPDATE_DETACHED, 0);
	expect_event(traced, "attach driver=fake version=2");
	expect_state(traced, HOTUPDATE_DETACHED, HOTUPDATE_RESTORING, 0);
}

static int nap_and_fail(struct fake_driver *driver, enum fake_call call,
			struct drm_hotupdate_block *block)
{
	fake_nap(NAP_MS);
	return fake_fail_hook(driver, call, block);
}

static struct fake_driver *napping_driver(struct kunit *test, struct fake_failure *failure)
{
	struct fake_driver *driver = fake_driver_running(test);

	fake_driver_saves_each_kind(driver);
	driver->hook = nap_and_fail;
	driver->hook_data = failure;
	return driver;
}

/*
 * An update is there from begin to end, each block as it was saved and as it
 * came back, with the time that each callback took.
 */
static void trace_of_update(struct kunit *test)
{
	struct fake_failure failure = { .call = FAKE_SAVE };
	struct fake_driver *driver = napping_driver(test, &failure);
	struct traced *traced = trace_begin(test);
	const struct traced_event *event;
	unsigned int i;

	FAKE_ASSERT_DETACHED(driver);
	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	trace_end(traced, driver->gpu);

	expect_save(traced, driver);
	expect_detach_and_attach(traced, driver);
	for (i = 0; i < driver->num_saves; i++) {
		event = expect_block(traced, "restore", i, driver->saves[i], 0);
		expect_nap(traced, event);
	}
	expect_nap(traced, expect_stash(traced, "start", driver, 0));
	expect_state(traced, HOTUPDATE_RESTORING, HOTUPDATE_RESTORED, 0);
	event = expect_stash(traced, "commit", driver, 0);
	KUNIT_EXPECT_GE(test, event->duration_ns,
			(driver->num_saves + 2) * NAP_MS * NSEC_PER_MSEC);
	expect_nap(traced, expect_stash(traced, "complete", driver, 0));
	expect_state(traced, HOTUPDATE_RESTORED, HOTUPDATE_RUNNING, 1);
	expect_no_more(traced);
}

/*
 * The first start has no stash, and is told from one after a replay.
 */
static void trace_of_first_start(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_new(test, fake_gpu_new(test));
	struct traced *traced = trace_begin(test);

	KUNIT_ASSERT_EQ(test, fake_driver_register(driver), 0);
	trace_end(traced, driver->gpu);

	expect_event(traced, "attach driver=fake version=2");
	expect_stash(traced, "start", driver, 0);
	expect_state(traced, HOTUPDATE_STARTING, HOTUPDATE_RUNNING, 0);
	expect_no_more(traced);
}

/*
 * A cancel says what was let go.
 */
static void trace_of_cancel(struct kunit *test)
{
	struct fake_failure failure = { .call = FAKE_SAVE };
	struct fake_driver *driver = napping_driver(test, &failure);
	struct traced *traced = trace_begin(test);

	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	KUNIT_ASSERT_EQ(test, drm_hotupdate_cancel(driver->adapter), 0);
	trace_end(traced, driver->gpu);

	expect_save(traced, driver);
	expect_nap(traced, expect_stash(traced, "cancel", driver, 0));
	expect_state(traced, HOTUPDATE_SAVED, HOTUPDATE_RUNNING, 0);
	expect_no_more(traced);
}

/*
 * A cancel by a timeout says so.
 */
static void trace_of_timeout(struct kunit *test)
{
	struct fake_failure failure = { .call = FAKE_SAVE };
	struct fake_driver *driver = napping_driver(test, &failure);
	struct traced *traced = trace_begin(test);
	unsigned int waited;

	driver->adapter->saved_timeout_ms = NAP_MS;
	KUNIT_ASSERT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), 0);
	for (waited = 0; waited < 1000 * NAP_MS; waited += NAP_MS) {
		if (READ_ONCE(driver->adapter->state) == HOTUPDATE_RUNNING &&
		    !hotupdate_op_is_busy(driver->adapter))
			break;
		msleep(NAP_MS);
	}
	trace_end(traced, driver->gpu);

	expect_save(traced, driver);
	expect_nap(traced, expect_stash(traced, "cancel", driver, -ETIMEDOUT));
	expect_state(traced, HOTUPDATE_SAVED, HOTUPDATE_RUNNING, 0);
	expect_no_more(traced);
}

/*
 * A block that was refused is there with its error, what it was meant to be, and
 * the number that it would have had; so is the save that it dooms.
 */
static void trace_of_refused_block(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *page = fake_block_page(test);
	struct fake_block *none = fake_block_device(test, 0, 0);
	struct traced *traced = trace_begin(test);

	fake_driver_saves(driver, page);
	fake_driver_saves(driver, fake_block_with_meta(test, none, 5));
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 1), -EINVAL);
	trace_end(traced, driver->gpu);

	expect_event(traced, "prepare driver=fake version=1");
	expect_state(traced, HOTUPDATE_RUNNING, HOTUPDATE_SAVING, 0);
	expect_block(traced, "save", 0, page, 0);
	expect_block(traced, "save", 1, none, -EINVAL);
	expect_event(traced, "saved blocks=1 bytes=%zu err=%d", page->size, -EINVAL);
	expect_state(traced, HOTUPDATE_SAVING, HOTUPDATE_RUNNING, 0);
	expect_no_more(traced);
}

static int oversleep(struct fake_driver *driver, enum fake_call call,
		     struct drm_hotupdate_block *block)
{
	/* As if the time that it was given was over. */
	if (call == FAKE_SAVE)
		driver->adapter->deadline = 0;
	fake_nap(NAP_MS);
	return 0;
}

/*
 * A save that comes too late is one that failed, and the driver, which does not
 * know, is told why it is undone.
 */
static void trace_of_late_save(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct fake_block *page = fake_block_page(test);
	struct traced *traced;

	fake_driver_saves(driver, page);
	driver->hook = oversleep;
	traced = trace_begin(test);
	KUNIT_EXPECT_EQ(test, drm_hotupdate_prepare(driver->adapter, 0), -ETIMEDOUT);
	trace_end(traced, driver->gpu);

	expect_event(traced, "prepare driver=fake version=2");
	expect_state(traced, HOTUPDATE_RUNNING, HOTUPDATE_SAVING, 0);
	expect_block(traced, "save", 0, page, 0);
	expect_nap(traced, expect_stash(traced, "saved", driver, -ETIMEDOUT));
	expect_nap(traced, expect_stash(traced, "cancel", driver, -ETIMEDOUT));
	expect_state(traced, HOTUPDATE_SAVING, HOTUPDATE_RUNNING, 0);
	expect_no_more(traced);
}

/*
 * A replay that is aborted says why, and leaves the next one to be told from it.
 */
static void trace_of_abort(struct kunit *test)
{
	struct fake_failure failure = { FAKE_RESTORE, 1, -EIO };
	struct fake_driver *driver = napping_driver(test, &failure);
	struct traced *traced = trace_begin(test);

	FAKE_ASSERT_DETACHED(driver);
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
	failure.call = FAKE_START;
	KUNIT_EXPECT_EQ(test, fake_driver_register(driver), -EIO);
	trace_end(traced, driver->gpu);

	expect_save(traced, driver);
	expect_detach_and_attach(traced, driver);
	expect_block(traced, "restore", 0, driver->saves[0], 0);
	expect_nap(traced, expect_block(traced, "restore", 1, driver->saves[1], -EIO));
	expect_nap(traced, expect_stash(traced, "abort", driver, -EIO));
	expect_state(traced, HOTUPDATE_RESTORING, HOTUPDATE_DETACHED, 0);

	expect_event(traced, "attach driver=fake version=2");
	expect_state(traced, HOTUPDATE_DETACHED, HOTUPDATE_RESTORING, 0);
	traced->num_expected += driver->num_saves;
	expect_nap(traced, expect_stash(traced, "start", driver, -EIO));
	expect_nap(traced, expect_stash(traced, "abort", driver, -EIO));
	expect_state(traced, HOTUPDATE_RESTORING, HOTUPDATE_DETACHED, 0);
	expect_no_more(traced);
}

/*
 * A removal without a save stops the device and ends the adapter.
 */
static void trace_of_end(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct traced *traced = trace_begin(test);

	fake_driver_unregister(driver);
	trace_end(traced, driver->gpu);

	expect_stash(traced, "stop", driver, 0);
	expect_state(traced, HOTUPDATE_RUNNING, HOTUPDATE_NONE, 0);
	expect_no_more(traced);
}

/*
 * A discard says what was given up, and that this was the end of the adapter.
 */
static void trace_of_discard(struct kunit *test)
{
	struct fake_driver *driver = fake_driver_running(test);
	struct traced *traced;

	fake_driver_saves_each_kind(driver);
	FAKE_ASSERT_DETACHED(driver);
	traced = trace_begin(test);
	KUNIT_EXPECT_EQ(test, hotupdate_discard(driver->gpu->adapter, false), 0);
	trace_end(traced, driver->gpu);

	KUNIT_EXPECT_TRUE(test, expect_stash(traced, "discard", driver, 0)->has_duration);
	expect_state(traced, HOTUPDATE_DETACHED, HOTUPDATE_NONE, 0);
	expect_no_more(traced);
}

static struct kunit_case trace_cases[] = {
	KUNIT_CASE(trace_of_update),
	KUNIT_CASE(trace_of_first_start),
	KUNIT_CASE(trace_of_cancel),
	KUNIT_CASE(trace_of_timeout),
	KUNIT_CASE(trace_of_refused_block),
	KUNIT_CASE(trace_of_late_save),
	KUNIT_CASE(trace_of_abort),
	KUNIT_CASE(trace_of_end),
	KUNIT_CASE(trace_of_discard),
	{ }
};

static struct kunit_suite trace_suite = {
	.name = "drm_hotupdate_trace",
	.suite_init = fake_suite_init,
	.suite_exit = fake_suite_exit,
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = trace_cases,
};

kunit_test_suites(&trace_suite);
