#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "notify/mail.h"
#include "sandbox/page.h"
#include "sandbox/postbox.h"
#include "sandbox/state.h"
#include "uk/b64.h"

#define LINE_LEN    1002 /* RFC 5321 section 4.5.3.1.6, and NUL */
#define MESSAGE_MAX 65536u
#define PAGE_MAX    (1024u * 1024u)
#define PATIENCE_MS 10000

struct postbox {
	struct sandbox *sandbox;
	pthread_t thread;
	int listener;
	int stop[2]; /* a pipe: closed at the other end to stop */
	int port;
};

/* One client. */
struct talk {
	struct postbox *box;
	int fd;
	char in[LINE_LEN];
	size_t n;
	char to[256];
	bool mail;
	struct uk_buf message;
};

/* False when there is nothing to read in time, or the sandbox closes. */
static bool
wait_for(const struct postbox *p, int fd, int timeout_ms)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN },
		{ .fd = p->stop[0], .events = POLLIN } };

	return poll(fds, 2, timeout_ms) > 0 && fds[1].revents == 0;
}

/* One line without its end; false at the connection's end. */
static bool
read_line(struct talk *t, char out[LINE_LEN])
{
	for (;;) {
		char *end = memchr(t->in, '\n', t->n);
		ssize_t got;

		if (end != NULL) {
			size_t len = (size_t)(end - t->in);
			const size_t taken = len + 1;

			while (len > 0 && t->in[len - 1] == '\r')
				len--;
			memcpy(out, t->in, len);
			out[len] = '\0';
			memmove(t->in, t->in + taken, t->n - taken);
			t->n -= taken;
			return true;
		}
		if (t->n == sizeof(t->in) || !wait_for(t->box, t->fd, PATIENCE_MS))
			return false;
		got = read(t->fd, t->in + t->n, sizeof(t->in) - t->n);
		if (got <= 0)
			return false;
		t->n += (size_t)got;
	}
}

static bool
say(const struct talk *t, const char *line)
{
	return send(t->fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line);
}

/* The bytes of =?UTF-8?B?...?= words, one after the other. */
static void
put_words(const char *s, struct uk_buf *out)
{
	static const char begin[] = "=?UTF-8?B?";

	while ((s = strstr(s, begin)) != NULL) {
		const char *end = strstr(s + strlen(begin), "?=");
		char *b64;

		if (end == NULL)
			return;
		s += strlen(begin);
		b64 = uk_xstrndup(s, (size_t)(end - s));
		if (uk_b64_get(out, b64) != UK_OK)
			uk_buf_reset(out);
		free(b64);
		s = end;
	}
}

/* A header's value with its continuation lines, which begin with a blank. */
static char *
header(const char *message, const char *name)
{
	const size_t len = strlen(name);

	for (const char *s = message; *s != '\0' && strncmp(s, "\r\n", 2) != 0;) {
		const char *end = strstr(s, "\r\n");

		while (end != NULL && end[2] == ' ')
			end = strstr(end + 2, "\r\n");
		if (end == NULL)
			return NULL;
		if (strncasecmp(s, name, len) == 0 && s[len] == ':')
			return uk_xstrndup(s + len + 1, (size_t)(end - s) - len - 1);
		s = end + 2;
	}
	return NULL;
}

/* What ukey-ca sends: a base64 text after the headers. */
static bool
read_message(const char *message, struct uk_buf *subject, struct uk_buf *text)
{
	const char *body = strstr(message, "\r\n\r\n");
	char *head = header(message, "Subject");
	struct uk_buf b64;
	bool ok = false;

	uk_buf_init(&b64, MESSAGE_MAX);
	if (body != NULL && head != NULL) {
		for (; *body != '\0'; body++)
			if (*body != '\r' && *body != '\n')
				uk_buf_put_u8(&b64, (uint8_t)*body);
		put_words(head, subject);
		ok = uk_buf_str(&b64) != NULL && uk_b64_get(text, uk_buf_str(&b64)) == UK_OK &&
		     subject->n > 0;
	}
	free(head);
	uk_buf_fini(&b64);
	return ok;
}

static bool
keep(struct talk *t)
{
	struct sandbox *s = t->box->sandbox;
	struct mail_kept *m = uk_xalloc(sizeof(*m));
	struct uk_buf subject;
	struct uk_buf text;
	const char *message = uk_buf_str(&t->message);
	bool ok;

	uk_buf_init(&subject, sizeof(m->subject) - 1);
	uk_buf_init(&text, sizeof(m->text) - 1);
	ok = message != NULL && read_message(message, &subject, &text);
	if (ok) {
		(void)snprintf(m->to, sizeof(m->to), "%s", t->to);
		(void)snprintf(m->subject, sizeof(m->subject), "%s", uk_buf_str(&subject));
		(void)snprintf(m->text, sizeof(m->text), "%s", uk_buf_str(&text));
		m->at = uk_now(s->cfg.clock);
		(void)pthread_mutex_lock(&s->lock);
		m->next = s->mails;
		s->mails = m;
		(void)pthread_mutex_unlock(&s->lock);
	} else {
		free(m);
	}
	uk_buf_fini(&subject);
	uk_buf_fini(&text);
	return ok;
}

/* The code that was asked for as a fault, once; 0: none. */
static int
take_fault(struct sandbox *s)
{
	int code;

	(void)pthread_mutex_lock(&s->lock);
	code = (int)s->faults.mail_code;
	s->faults.mail_code = 0;
	(void)pthread_mutex_unlock(&s->lock);
	return code;
}

static bool
take_data(struct talk *t)
{
	char line[LINE_LEN];

	if (!say(t, "354 go on\r\n"))
		return false;
	uk_buf_reset(&t->message);
	for (;;) {
		if (!read_line(t, line))
			return false;
		if (strcmp(line, ".") == 0)
			break;
		/* section 4.5.2: a dot in front was doubled */
		uk_buf_put_str(&t->message, line[0] == '.' ? line + 1 : line);
		uk_buf_put_str(&t->message, "\r\n");
	}
	return say(t, keep(t) ? "250 kept\r\n" : "554 not one of ukey-ca's messages\r\n");
}

/* "TO:<a@b>" */
static bool
take_address(struct talk *t, const char *line)
{
	const char *begin = strchr(line, '<');
	const char *end = begin != NULL ? strchr(begin, '>') : NULL;

	if (end == NULL || end - begin > (int)sizeof(t->to) - 1)
		return false;
	(void)snprintf(t->to, sizeof(t->to), "%.*s", (int)(end - begin - 1), begin + 1);
	return mail_address_ok(t->to);
}

static bool
take_recipient(struct talk *t, const char *line)
{
	const int fault = take_fault(t->box->sandbox);
	char answer[64];

	if (fault != 0) {
		(void)snprintf(answer, sizeof(answer), "%d as asked for\r\n", fault);
		return say(t, answer);
	}
	return say(t, take_address(t, line) ? "250 ok\r\n" : "553 no such address\r\n");
}

/* False ends the conversation. */
static bool
answer_line(struct talk *t, const char *line)
{
	if (strncasecmp(line, "EHLO ", 5) == 0 || strncasecmp(line, "HELO ", 5) == 0)
		return say(t, "250 sandbox\r\n");
	if (strncasecmp(line, "MAIL FROM:", 10) == 0) {
		t->mail = true;
		t->to[0] = '\0';
		return say(t, "250 ok\r\n");
	}
	if (strncasecmp(line, "RCPT TO:", 8) == 0 && t->mail)
		return take_recipient(t, line);
	if (strcasecmp(line, "DATA") == 0 && t->to[0] != '\0')
		return take_data(t);
	if (strcasecmp(line, "RSET") == 0 || strcasecmp(line, "NOOP") == 0) {
		t->mail = t->mail && strcasecmp(line, "NOOP") == 0;
		return say(t, "250 ok\r\n");
	}
	if (strcasecmp(line, "QUIT") == 0) {
		(void)say(t, "221 bye\r\n");
		return false;
	}
	return say(t, "503 not now\r\n");
}

static void
serve(struct postbox *p, int fd)
{
	struct talk t = { .box = p, .fd = fd };
	char line[LINE_LEN];

	uk_buf_init(&t.message, MESSAGE_MAX);
	if (say(&t, "220 sandbox ESMTP\r\n"))
		while (read_line(&t, line) && answer_line(&t, line))
			continue;
	uk_buf_fini(&t.message);
}

static void *
run(void *ctx)
{
	struct postbox *p = ctx;

	while (wait_for(p, p->listener, -1)) {
		const int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		serve(p, fd);
		(void)close(fd);
	}
	return NULL;
}

static bool
listen_here(struct postbox *p)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(p->listener, 16) != 0 ||
	    getsockname(p->listener, (struct sockaddr *)&at, &len) != 0)
		return false;
	p->port = ntohs(at.sin_port);
	return true;
}

enum uk_rc
postbox_open(struct sandbox *s, struct postbox **out, struct uk_err *err)
{
	struct postbox *p = uk_xalloc(sizeof(*p));

	p->sandbox = s;
	if (pipe2(p->stop, O_CLOEXEC) != 0)
		abort();
	if (!listen_here(p) || pthread_create(&p->thread, NULL, run, p) != 0) {
		const int e = errno;

		if (p->listener >= 0)
			(void)close(p->listener);
		(void)close(p->stop[0]);
		(void)close(p->stop[1]);
		free(p);
		return uk_fail(err, UK_E_UNAVAILABLE, NULL, "postbox", e);
	}
	*out = p;
	return UK_OK;
}

int
postbox_port(const struct postbox *p)
{
	return p->port;
}

void
postbox_close(struct postbox **pp)
{
	struct postbox *p;

	if (pp == NULL || *pp == NULL)
		return;
	p = *pp;
	(void)close(p->stop[1]);
	(void)pthread_join(p->thread, NULL);
	(void)close(p->stop[0]);
	(void)close(p->listener);
	free(p);
	*pp = NULL;
}

static void
put_mails(const struct sandbox *s, const char *to, struct uk_buf *b)
{
	bool any = false;

	for (const struct mail_kept *m = s->mails; m != NULL; m = m->next) {
		char when[UK_TIME_LEN];

		if (to != NULL && strcmp(m->to, to) != 0)
			continue;
		any = true;
		uk_time_beijing(m->at, when);
		uk_buf_put_str(b, "<article data-testid=\"mail\"><h2 data-testid=\"subject\">");
		page_text(b, m->subject);
		uk_buf_put_str(b, "</h2><p class=\"note\"><span data-testid=\"to\">");
		page_text(b, m->to);
		uk_buf_printf(b, "</span> %s</p><pre data-testid=\"text\">", when);
		page_text(b, m->text);
		uk_buf_put_str(b, "</pre></article>");
	}
	if (!any)
		uk_buf_put_str(b, "<p class=\"note\" data-testid=\"empty\">还没有邮件。</p>");
}

enum uk_rc
postbox_page(void *app, struct http_request *rq, struct uk_err *err)
{
	struct sandbox *s = app;
	const char *to = http_query(rq, "to");
	struct uk_buf b;

	if (to != NULL && !mail_address_ok(to))
		return uk_fail_field(err, "to", "email-invalid");
	uk_buf_init(&b, PAGE_MAX);
	page_begin(&b, "邮件", "邮件收件箱");
	(void)pthread_mutex_lock(&s->lock);
	put_mails(s, to, &b);
	(void)pthread_mutex_unlock(&s->lock);
	page_answer(rq, 200, &b);
	return UK_OK;
}
