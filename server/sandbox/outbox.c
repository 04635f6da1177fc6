#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sandbox/outbox.h"

#define TIMEOUT_MS 5000
#define ANSWER_MAX 4096
#define HEADER_MAX 512
#define IDLE_MS    1000

struct mail {
	struct mail *next;
	struct outbox_mail m;
	char *url;
	struct uk_buf body;
	int64_t due;
	size_t tries;
};

struct outbox {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct mail *mails;
	struct http_client *http;
	const struct uk_clock *clock;
	const struct uk_log *log;
	int64_t speed;
	bool stop;
};

static void
mail_free(struct mail *m)
{
	free(m->url);
	uk_buf_fini(&m->body);
	free(m);
}

static bool
send(struct outbox *o, struct mail *m)
{
	struct http_reply reply = { 0 };
	struct net_pair headers[2] = { { "Content-Type", m->m.type } };
	struct http_call call = {
		.method = "POST",
		.url = m->url,
		.headers = headers,
		.n_headers = 1,
		.body = uk_buf_span(&m->body),
		.timeout_ms = TIMEOUT_MS,
		.max = ANSWER_MAX,
	};
	struct uk_buf stamp;
	struct uk_err err = { 0 };
	bool ok;

	uk_buf_init(&stamp, HEADER_MAX);
	if (m->m.stamp != NULL) {
		m->m.stamp(m->m.ctx, call.body, &stamp);
		headers[call.n_headers++] = (struct net_pair){ m->m.header, uk_buf_str(&stamp) };
	}
	ok = http_call(o->http, &call, &reply, &err) == UK_OK;
	if (!ok)
		uk_log_err(o->log, UK_LOG_WARN, "notice.failed", &err);
	else
		uk_log(o->log, UK_LOG_INFO, "notice.sent", UK_LI("status", reply.status),
		    UK_LI("try", m->tries + 1));
	ok =
	    ok && reply.status == 200 &&
	    (m->m.answer == NULL || uk_span_eq(uk_buf_span(&reply.body), uk_span_str(m->m.answer)));
	http_reply_fini(&reply);
	uk_buf_fini(&stamp);
	return ok;
}

/* The next one that is due, taken out of the list; *wait_ms: until one is. */
static struct mail *
take_due(struct outbox *o, int64_t *wait_ms)
{
	const int64_t now = uk_mono_ms(o->clock);
	struct mail **best = NULL;
	struct mail *m;

	*wait_ms = IDLE_MS;
	for (struct mail **at = &o->mails; *at != NULL; at = &(*at)->next)
		if (best == NULL || (*at)->due < (*best)->due)
			best = at;
	if (best == NULL)
		return NULL;
	m = *best;
	if (m->due > now) {
		*wait_ms = m->due - now < IDLE_MS ? m->due - now : IDLE_MS;
		return NULL;
	}
	*best = m->next;
	return m;
}

static void
wait_ms(struct outbox *o, int64_t ms)
{
	struct timespec until;

	if (clock_gettime(CLOCK_REALTIME, &until) != 0)
		abort();
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	(void)pthread_cond_timedwait(&o->wake, &o->lock, &until);
}

static void
put_back(struct outbox *o, struct mail *m)
{
	const int64_t gap = m->m.gaps_ms[m->tries++];

	if (gap == 0) {
		uk_log(o->log, UK_LOG_WARN, "notice.given-up", UK_LI("tries", m->tries));
		mail_free(m);
		return;
	}
	m->due = uk_mono_ms(o->clock) + gap / o->speed;
	m->next = o->mails;
	o->mails = m;
}

static void *
run(void *ctx)
{
	struct outbox *o = ctx;

	(void)pthread_mutex_lock(&o->lock);
	while (!o->stop) {
		int64_t wait;
		struct mail *m = take_due(o, &wait);
		bool ok;

		if (m == NULL) {
			wait_ms(o, wait);
			continue;
		}
		(void)pthread_mutex_unlock(&o->lock);
		ok = send(o, m);
		(void)pthread_mutex_lock(&o->lock);
		if (ok)
			mail_free(m);
		else
			put_back(o, m);
	}
	(void)pthread_mutex_unlock(&o->lock);
	return NULL;
}

struct outbox *
outbox_new(
    struct http_client *http, const struct uk_clock *clock, int64_t speed, const struct uk_log *log)
{
	struct outbox *o = uk_xalloc(sizeof(*o));

	o->http = http;
	o->clock = clock;
	o->speed = speed > 0 ? speed : 1;
	o->log = log;
	if (pthread_mutex_init(&o->lock, NULL) != 0 || pthread_cond_init(&o->wake, NULL) != 0 ||
	    pthread_create(&o->thread, NULL, run, o) != 0)
		abort();
	return o;
}

void
outbox_put(struct outbox *o, const struct outbox_mail *mail)
{
	struct mail *m = uk_xalloc(sizeof(*m));

	m->m = *mail;
	m->url = uk_xstrdup(mail->url);
	uk_buf_init(&m->body, mail->body.n);
	uk_buf_put(&m->body, mail->body);
	m->due = uk_mono_ms(o->clock) + mail->delay_ms / o->speed;
	(void)pthread_mutex_lock(&o->lock);
	m->next = o->mails;
	o->mails = m;
	(void)pthread_cond_signal(&o->wake);
	(void)pthread_mutex_unlock(&o->lock);
}

void
outbox_free(struct outbox **op)
{
	struct outbox *o;

	if (op == NULL || *op == NULL)
		return;
	o = *op;
	(void)pthread_mutex_lock(&o->lock);
	o->stop = true;
	(void)pthread_cond_signal(&o->wake);
	(void)pthread_mutex_unlock(&o->lock);
	(void)pthread_join(o->thread, NULL);
	while (o->mails != NULL) {
		struct mail *m = o->mails;

		o->mails = m->next;
		mail_free(m);
	}
	(void)pthread_cond_destroy(&o->wake);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
	*op = NULL;
}
