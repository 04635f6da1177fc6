#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "native/relay.h"
#include "native/stamp.h"
#include "uk/clock.h"
#include "uk/json.h"

#define READ_SIZE 65536u
#define FULL      (UK_MESSAGE_MAX + UK_FRAME_HEAD)
#define LINGER_MS 2000

/* One direction.  It never holds more than one frame of the largest size and one read. */
struct way {
	int from;
	int to;
	struct uk_buf data;
	size_t ready; /* whole frames, at its front */
	bool open;    /* more is read */
};

enum state {
	RUNNING,
	TO_AGENT,   /* the browser has gone; what it said still goes to ukeyd */
	TO_BROWSER, /* ukeyd has gone, or the browser is refused; what was said still goes to it */
};

struct relay {
	struct way up;
	struct way down;
	enum state state;
	bool agent_hup;
	size_t skip;   /* of a refused frame: who writes it does not read meanwhile */
	int64_t until; /* of the last writes */
	struct uk_err *err;
	enum uk_rc rc;
};

static void
way_init(struct way *w, int from, int to)
{
	*w = (struct way){ .from = from, .to = to, .open = true };
	uk_buf_init(&w->data, FULL + READ_SIZE + FULL);
}

static bool
has_room(const struct way *w)
{
	return w->open && w->data.n < FULL;
}

/* Only whole frames are passed on: half of one would put the reader out of step. */
static void
way_stop(struct way *w)
{
	w->open = false;
	w->data.n = w->ready;
}

static enum uk_rc
count_frames(struct way *w)
{
	uint32_t n;

	while (w->data.n - w->ready >= UK_FRAME_HEAD) {
		memcpy(&n, w->data.p + w->ready, sizeof(n));
		if (n > UK_MESSAGE_MAX)
			return UK_E_LIMIT;
		if (w->data.n - w->ready - UK_FRAME_HEAD < n)
			break;
		w->ready += UK_FRAME_HEAD + n;
	}
	return UK_OK;
}

/* UK_E_UNAVAILABLE: the other side has gone. */
static enum uk_rc
fill(struct way *w)
{
	uint8_t *to = uk_buf_room(&w->data, READ_SIZE);
	ssize_t n;

	if (to == NULL)
		return UK_E_LIMIT;
	n = read(w->from, to, READ_SIZE);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return UK_OK;
	if (n <= 0)
		return UK_E_UNAVAILABLE;
	uk_buf_add(&w->data, (size_t)n);
	return count_frames(w);
}

static bool
drain(struct way *w)
{
	const ssize_t n = write(w->to, w->data.p, w->ready);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	uk_buf_drop(&w->data, (size_t)n);
	w->ready -= (size_t)n;
	return true;
}

static void
finish(struct relay *r, enum state s, enum uk_rc rc, const char *reason)
{
	if (r->state != RUNNING)
		return;
	way_stop(&r->up);
	way_stop(&r->down);
	r->state = s;
	r->rc = rc == UK_OK ? rc : uk_fail(r->err, rc, reason, "relay", 0);
	r->until = uk_mono_ms(&uk_clock_system) + LINGER_MS;
}

static void
put_error(struct uk_buf *out, const struct uk_err *err)
{
	json_t *m = json_pack("{s:s, s:n, s:{s:i, s:s, s:{s:s, s:b}}}", "jsonrpc", "2.0", "id",
	    "error", "code", -32000 - (int)err->rc, "message", uk_rc_name(err->rc), "data",
	    "reason", uk_err_reason(err), "retry", uk_rc_retry(err->rc));
	struct uk_buf text;

	uk_buf_init(&text, 1024);
	if (uk_json_put(&text, m) == UK_OK)
		uk_frame_put(out, uk_buf_span(&text));
	uk_buf_fini(&text);
	json_decref(m);
}

/* Of the frame that is too large, what has not been read. */
static size_t
refused_rest(const struct way *w)
{
	uint32_t n;

	memcpy(&n, w->data.p + w->ready, sizeof(n));
	return UK_FRAME_HEAD + n - (w->data.n - w->ready);
}

static void
skip_some(struct relay *r)
{
	uint8_t unread[2048];
	const ssize_t n =
	    read(r->up.from, unread, r->skip < sizeof(unread) ? r->skip : sizeof(unread));

	if (n > 0)
		r->skip -= (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		r->skip = 0;
}

static void
browser_readable(struct relay *r)
{
	const enum uk_rc rc = fill(&r->up);

	if (rc == UK_E_UNAVAILABLE)
		finish(r, TO_AGENT, UK_OK, NULL);
	if (rc != UK_E_LIMIT)
		return;
	r->skip = refused_rest(&r->up);
	finish(r, TO_BROWSER, UK_E_LIMIT, "too-large");
	put_error(&r->down.data, &(const struct uk_err){ .rc = UK_E_LIMIT });
	r->down.ready = r->down.data.n;
}

static void
agent_readable(struct relay *r)
{
	const enum uk_rc rc = fill(&r->down);

	if (rc == UK_E_UNAVAILABLE)
		finish(r, TO_BROWSER, rc, "ukeyd-gone");
	else if (rc != UK_OK)
		finish(r, TO_BROWSER, rc, "too-large");
}

/* What it has sent before it went is still to be read. */
static void
agent_writable(struct relay *r)
{
	if (drain(&r->up))
		return;
	r->up.ready = 0;
	way_stop(&r->up);
}

enum {
	IN,
	OUT,
	AGENT,
	FDS
};

static void
ask(const struct relay *r, struct pollfd p[FDS])
{
	const bool running = r->state == RUNNING;

	p[IN] = (struct pollfd){ .fd = running || r->skip > 0 ? r->up.from : -1,
		.events = has_room(&r->up) || r->skip > 0 ? POLLIN : 0 };
	p[OUT] = (struct pollfd){ .fd = r->state != TO_AGENT ? r->down.to : -1,
		.events = r->down.ready > 0 ? POLLOUT : 0 };
	p[AGENT] = (struct pollfd){ .fd = r->state != TO_BROWSER ? r->up.to : -1,
		.events =
		    (short)((has_room(&r->down) ? POLLIN : 0) | (r->up.ready > 0 ? POLLOUT : 0)) };
	/* It would be told again and again until there is room. */
	if (r->agent_hup && p[AGENT].events == 0)
		p[AGENT].fd = -1;
}

static void
answer(struct relay *r, const struct pollfd p[FDS])
{
	if ((p[OUT].revents & POLLOUT) != 0 ? !drain(&r->down) : (p[OUT].revents & POLLERR) != 0) {
		r->down.ready = 0;
		finish(r, TO_AGENT, UK_OK, NULL);
	}
	if ((p[AGENT].revents & POLLOUT) != 0)
		agent_writable(r);
	if ((p[AGENT].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
		r->agent_hup = (p[AGENT].revents & (POLLHUP | POLLERR)) != 0;
		if (has_room(&r->down))
			agent_readable(r);
	}
	if (p[IN].revents != 0 && r->skip > 0)
		skip_some(r);
	else if ((p[IN].revents & POLLIN) != 0)
		browser_readable(r);
	else if ((p[IN].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		finish(r, TO_AGENT, UK_OK, NULL);
}

static bool
step(struct relay *r)
{
	const int64_t left = r->until - uk_mono_ms(&uk_clock_system);
	struct pollfd p[FDS];

	if (r->state != RUNNING && left <= 0)
		return false;
	if ((r->state == TO_AGENT && r->up.ready == 0) ||
	    (r->state == TO_BROWSER && r->down.ready == 0 && r->skip == 0))
		return false;
	ask(r, p);
	if (poll(p, FDS, r->state == RUNNING ? -1 : (int)left) < 0)
		return errno == EINTR;
	answer(r, p);
	return true;
}

static void
unblock(int fd)
{
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

enum uk_rc
relay_run(const struct relay_ends *ends, struct uk_span first, struct uk_err *err)
{
	struct relay r = { .state = RUNNING, .err = err };

	unblock(ends->in);
	unblock(ends->out);
	unblock(ends->agent);
	way_init(&r.up, ends->in, ends->agent);
	way_init(&r.down, ends->agent, ends->out);
	uk_frame_put(&r.up.data, first);
	r.up.ready = r.up.data.n;
	while (step(&r))
		continue;
	uk_buf_fini(&r.up.data);
	uk_buf_fini(&r.down.data);
	return r.rc;
}

/* --- before that --- */

static enum uk_rc
read_all(int fd, void *p, size_t n, struct uk_err *err)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	uint8_t *to = p;

	while (n > 0) {
		const ssize_t got = poll(&readable, 1, -1) < 0 ? -1 : read(fd, to, n);

		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return uk_fail(err, UK_E_CANCELLED, NULL, "read", got < 0 ? errno : 0);
		to += got;
		n -= (size_t)got;
	}
	return UK_OK;
}

enum uk_rc
relay_first(int in, struct uk_buf *body, struct uk_err *err)
{
	enum uk_rc rc;
	uint8_t *to;
	uint32_t n;

	rc = read_all(in, &n, sizeof(n), err);
	if (rc != UK_OK)
		return rc;
	to = n <= STAMP_FIRST_MAX ? uk_buf_room(body, n) : NULL;
	if (to == NULL)
		return uk_fail(err, UK_E_DENIED, "origin-refused", "first-frame", (long)n);
	rc = read_all(in, to, n, err);
	if (rc == UK_OK)
		uk_buf_add(body, n);
	return rc;
}

void
relay_refuse(int out, const struct uk_err *err)
{
	struct pollfd p = { .fd = out, .events = POLLOUT };
	struct uk_buf frame;

	/* Shorter than a pipe's buffer, and the first that is written to it. */
	uk_buf_init(&frame, 2048);
	put_error(&frame, err);
	if (poll(&p, 1, LINGER_MS) == 1 && write(out, frame.p, frame.n) < 0)
		p.revents = 0;
	uk_buf_fini(&frame);
}
