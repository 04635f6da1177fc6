#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/assuan.h"
#include "policy/child.h"
#include "policy/prompt.h"

#define DESC_LEN (ASSUAN_LINE - 16)

/* libgpg-error's codes. */
#define GPG_TIMEOUT        62
#define GPG_CANCELED       99
#define GPG_NOT_CONFIRMED  114
#define GPG_FULLY_CANCELED 198

struct prompt {
	struct prompt *next;
	struct prompts *prompts;
	enum prompt_kind kind;
	char *text;
	char *error;
	char *yes;
	char *label;
	prompt_done_fn *done;
	void *ctx;
	/* of the one that is shown */
	pid_t pid;
	int to;
	int from;
	struct loop_watch *watch;
	struct loop_timer *timer;
	size_t step;
	bool greeted;
	struct uk_secret *pin;
};

struct prompts {
	struct loop *loop;
	const struct uk_log *log;
	char *program;
	struct prompt *queue; /* its head is the one shown */
	struct loop_timer *start;
	unsigned held;
	struct children *children;
	size_t n;
	/* What pinentry says, the PIN too: locked, and wiped as it is read. */
	char line[ASSUAN_LINE + 2];
};

struct prompts *
prompts_new(struct loop *loop, const struct uk_log *log, const char *program)
{
	struct prompts *p = uk_xalloc(sizeof(*p));

	p->loop = loop;
	p->log = log;
	p->program = uk_xstrdup(program != NULL ? program : "pinentry");
	p->children = children_new(loop);
	(void)mlock(p->line, sizeof(p->line));
	return p;
}

static bool
in_path(const char *name)
{
	const char *path = getenv("PATH");
	bool found = false;

	for (const char *p = path != NULL ? path : ""; !found && *p != '\0';) {
		const size_t n = strcspn(p, ":");
		struct uk_buf file;

		uk_buf_init(&file, PATH_MAX);
		uk_buf_printf(&file, "%.*s/%s", (int)n, p, name);
		found = uk_buf_str(&file) != NULL && access(uk_buf_str(&file), X_OK) == 0;
		uk_buf_fini(&file);
		p += n + (p[n] == ':');
	}
	return found;
}

bool
prompts_usable(const struct prompts *p)
{
	return strchr(p->program, '/') != NULL ? access(p->program, X_OK) == 0
					       : in_path(p->program);
}

/* --- one window --- */

static void
hide(struct prompt *p)
{
	struct prompts *all = p->prompts;

	/* One that waits has nothing to hide, and what is being read is another's. */
	if (p->pid == 0)
		return;
	loop_unwatch(all->loop, &p->watch);
	loop_cancel(all->loop, &p->timer);
	close(p->to);
	close(p->from);
	child_end(all->children, p->pid);
	p->pid = 0;
	explicit_bzero(all->line, sizeof(all->line));
	all->n = 0;
}

static void
prompt_free(struct prompt *p)
{
	uk_secret_free(&p->pin);
	free(p->text);
	free(p->error);
	free(p->yes);
	free(p->label);
	free(p);
}

static void show_next(void *ctx);

static void
detach(struct prompt *p)
{
	struct prompts *all = p->prompts;
	struct prompt **at = &all->queue;

	hide(p);
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	if (all->queue != NULL && all->start == NULL)
		all->start = loop_after(all->loop, 0, show_next, all);
}

static void
finish(struct prompt *p, enum uk_rc rc, const char *reason, long native)
{
	struct uk_err err = { 0 };

	detach(p);
	if (rc == UK_OK) {
		p->done(p->ctx, NULL, &p->pin);
	} else {
		(void)uk_fail(&err, rc, reason, "pinentry", native);
		p->done(p->ctx, &err, &p->pin);
	}
	prompt_free(p);
}

static void
timed_out(void *ctx)
{
	struct prompt *p = ctx;

	p->timer = NULL;
	finish(p, UK_E_TIMEOUT, NULL, 0);
}

static void
finish_err(struct prompt *p, long code)
{
	switch (code) {
	case GPG_CANCELED:
	case GPG_FULLY_CANCELED:
	case GPG_NOT_CONFIRMED:
		finish(p, UK_E_CANCELLED, NULL, code);
		break;
	case GPG_TIMEOUT:
		finish(p, UK_E_TIMEOUT, NULL, code);
		break;
	default:
		finish(p, UK_E_UNAVAILABLE, "prompt-unavailable", code);
		break;
	}
}

typedef const char *value_fn(const struct prompt *p);

static const char *
tty_value(const struct prompt *p)
{
	const char *tty = getenv("GPG_TTY");

	(void)p;
	return tty != NULL ? tty : ttyname(STDIN_FILENO);
}

static const char *
term_value(const struct prompt *p)
{
	return tty_value(p) != NULL ? getenv("TERM") : NULL;
}

static const char *
text_value(const struct prompt *p)
{
	return p->text;
}

static const char *
error_value(const struct prompt *p)
{
	return p->error;
}

static const char *
yes_value(const struct prompt *p)
{
	return p->yes;
}

static const char *
pin_value(const struct prompt *p)
{
	if (p->kind != PROMPT_PIN)
		return NULL;
	return p->label != NULL ? p->label : "证书密码：";
}

static const char *
get_value(const struct prompt *p)
{
	return p->kind == PROMPT_PIN ? "" : NULL;
}

static const char *
confirm_value(const struct prompt *p)
{
	return p->kind == PROMPT_CONFIRM ? "" : NULL;
}

struct command {
	const char *text;
	value_fn *value; /* NULL: none; one that gives NULL: the command is left out */
	bool must;       /* what the user decides by has to be shown */
};

static const struct command commands[] = {
	{ "OPTION ttyname=", tty_value, false },
	{ "OPTION ttytype=", term_value, false },
	{ "OPTION lc-ctype=C.UTF-8", NULL, false },
	{ "OPTION lc-messages=C.UTF-8", NULL, false },
	{ "OPTION default-ok=确定", NULL, false },
	{ "OPTION default-cancel=取消", NULL, false },
	{ "OPTION default-prompt=证书密码：", NULL, false },
	{ "OPTION default-tt-visi=显示密码", NULL, false },
	{ "OPTION default-tt-hide=隐藏密码", NULL, false },
	{ "OPTION default-cf-visi=确定要显示密码吗？", NULL, false },
	{ "SETTIMEOUT 120", NULL, false },
	{ "SETTITLE UKEY", NULL, false },
	{ "SETDESC ", text_value, true },
	{ "SETERROR ", error_value, true },
	{ "SETPROMPT ", pin_value, false },
	{ "SETOK ", yes_value, false },
	{ "SETCANCEL 取消", NULL, false },
	{ "GETPIN", get_value, true },
	{ "CONFIRM", confirm_value, true },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static bool
send_command(struct prompt *p, const struct command *c, const char *value)
{
	struct uk_buf b;
	bool ok;

	uk_buf_init(&b, ASSUAN_LINE + 1);
	uk_buf_put_str(&b, c->text);
	if (value != NULL)
		assuan_escape(&b, value);
	uk_buf_put_u8(&b, '\n');
	ok = !uk_buf_failed(&b) && write(p->to, b.p, b.n) == (ssize_t)b.n;
	uk_buf_fini(&b);
	return ok;
}

/* The next command that has something to say; after the last one, all is said. */
static void
advance(struct prompt *p)
{
	while (p->step < COMMANDS) {
		const struct command *c = &commands[p->step++];
		const char *value = c->value != NULL ? c->value(p) : NULL;

		if (c->value != NULL && value == NULL)
			continue;
		if (!send_command(p, c, value))
			finish(p, UK_E_UNAVAILABLE, "prompt-unavailable", errno);
		return;
	}
	/* pinentry sends no data for an empty field. */
	if (p->kind == PROMPT_PIN && p->pin == NULL)
		p->pin = uk_secret_new(uk_span(NULL, 0));
	finish(p, UK_OK, NULL, 0);
}

static void
take_pin(struct prompt *p, const struct assuan_line *l)
{
	uk_secret_free(&p->pin);
	if (l->n <= PROMPT_PIN_MAX)
		p->pin = uk_secret_new(uk_span(l->data, l->n));
}

/* Past the command that was answered.  False: the prompt is over. */
static bool
go_on(struct prompt *p)
{
	const struct prompt *head = p;
	const struct prompts *all = p->prompts;

	advance(p);
	return all->queue == head;
}

/* False: the prompt is over. */
static bool
take_line(struct prompt *p, char *line)
{
	const struct assuan_line l = assuan_read(line);

	switch (l.kind) {
	case ASSUAN_DATA:
		take_pin(p, &l);
		return true;
	case ASSUAN_INQUIRE:
		if (write(p->to, "CAN\n", 4) == 4)
			return true;
		finish(p, UK_E_UNAVAILABLE, "prompt-unavailable", errno);
		return false;
	case ASSUAN_OK:
		p->greeted = true;
		return go_on(p);
	case ASSUAN_ERR:
		if (p->greeted && p->step > 0 && !commands[p->step - 1].must)
			return go_on(p);
		finish_err(p, l.code);
		return false;
	case ASSUAN_OTHER:
		return true;
	}
	return true;
}

static void
take_lines(struct prompt *p)
{
	struct prompts *all = p->prompts;
	char *end;

	while (all->n > 0 && (end = memchr(all->line, '\n', all->n)) != NULL) {
		const size_t used = (size_t)(end - all->line) + 1;

		*end = '\0';
		if (!take_line(p, all->line))
			return;
		explicit_bzero(all->line, used);
		memmove(all->line, all->line + used, all->n - used);
		all->n -= used;
		explicit_bzero(all->line + all->n, used);
	}
	if (all->n == sizeof(all->line))
		finish(p, UK_E_UNAVAILABLE, "prompt-unavailable", 0);
}

static void
readable(void *ctx, unsigned events)
{
	struct prompt *p = ctx;
	struct prompts *all = p->prompts;
	const ssize_t n = read(p->from, all->line + all->n, sizeof(all->line) - all->n);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		finish(p, UK_E_UNAVAILABLE, "prompt-unavailable", n < 0 ? errno : 0);
		return;
	}
	all->n += (size_t)n;
	take_lines(p);
}

static void
show_next(void *ctx)
{
	struct prompts *all = ctx;
	struct prompt *p = all->queue;
	int rc;

	all->start = NULL;
	if (p == NULL || p->pid != 0 || all->held > 0)
		return;
	rc = child_start(all->program, &p->to, &p->from, &p->pid);
	if (rc != 0) {
		uk_log(all->log, UK_LOG_ERROR, "prompt.start", UK_LI("errno", rc));
		finish(p, UK_E_UNAVAILABLE, "prompt-unavailable", rc);
		return;
	}
	p->watch = loop_watch(all->loop, p->from, LOOP_READ, readable, p);
	p->timer = loop_after(all->loop, (PROMPT_SECONDS + 5) * 1000, timed_out, p);
}

static char *
fit(const char *s)
{
	return uk_xstrndup(s, assuan_fit(s, DESC_LEN));
}

struct prompt *
prompt_ask(struct prompts *all, const struct prompt_text *text, prompt_done_fn *done, void *ctx)
{
	struct prompt **end = &all->queue;
	struct prompt *p;
	size_t n = 0;

	for (; *end != NULL; end = &(*end)->next)
		n++;
	if (n >= PROMPT_QUEUE)
		return NULL;
	p = uk_xalloc(sizeof(*p));
	*p = (struct prompt){ .prompts = all,
		.kind = text->kind,
		.text = fit(text->text),
		.error = text->error != NULL ? fit(text->error) : NULL,
		.yes = text->yes != NULL ? fit(text->yes) : NULL,
		.label = text->label != NULL ? fit(text->label) : NULL,
		.done = done,
		.ctx = ctx,
		.to = -1,
		.from = -1 };
	*end = p;
	if (all->start == NULL && all->queue == p)
		all->start = loop_after(all->loop, 0, show_next, all);
	return p;
}

void
prompts_hold(struct prompts *all)
{
	all->held++;
}

void
prompts_release(struct prompts *all)
{
	all->held--;
	if (all->queue != NULL && all->start == NULL)
		all->start = loop_after(all->loop, 0, show_next, all);
}

bool
prompt_waits(const struct prompt *p)
{
	return p->pid == 0;
}

void
prompt_drop(struct prompt **p)
{
	struct prompt *gone = *p;

	if (gone == NULL)
		return;
	*p = NULL;
	detach(gone);
	prompt_free(gone);
}

void
prompts_free(struct prompts **p)
{
	struct prompts *all = *p;

	if (all == NULL)
		return;
	while (all->queue != NULL) {
		struct prompt *q = all->queue;

		prompt_drop(&q);
	}
	loop_cancel(all->loop, &all->start);
	children_free(&all->children);
	(void)munlock(all->line, sizeof(all->line));
	free(all->program);
	free(all);
	*p = NULL;
}
