#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/sender.h"
#include "api/code.h"

struct message {
	char phone[12];
	enum sms_template template;
	char code[CODE_LEN + 1];
	char minutes[12];
};

struct sender {
	struct sms *sms;
	const struct uk_log *log;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t more;
	struct message ring[SENDER_QUEUE_MAX];
	size_t first;
	size_t n;
	bool ending;
};

static void
send_one(struct sender *s, const struct message *m)
{
	const struct sms_pair pairs[] = { { "code", m->code }, { "minutes", m->minutes } };
	struct sms_result result = { 0 };
	struct uk_err err = { 0 };

	if (sms_send(s->sms, m->phone, m->template, pairs, 2, NULL, &result, &err) != UK_OK)
		uk_log_err(s->log, UK_LOG_ERROR, "code.send", &err);
	else if (result.outcome != SMS_SENT)
		uk_log(s->log, UK_LOG_WARN, "code.send", UK_LS("error", result.error));
}

/* The next message, or false at the end. */
static bool
take(struct sender *s, struct message *out)
{
	bool got = false;

	pthread_mutex_lock(&s->mutex);
	while (s->n == 0 && !s->ending)
		pthread_cond_wait(&s->more, &s->mutex);
	if (s->n > 0) {
		*out = s->ring[s->first];
		OPENSSL_cleanse(&s->ring[s->first], sizeof(s->ring[s->first]));
		s->first = (s->first + 1) % SENDER_QUEUE_MAX;
		s->n--;
		got = true;
	}
	pthread_mutex_unlock(&s->mutex);
	return got;
}

static void *
run(void *ctx)
{
	struct sender *s = ctx;
	struct message m;

	while (take(s, &m)) {
		send_one(s, &m);
		OPENSSL_cleanse(&m, sizeof(m));
	}
	return NULL;
}

struct sender *
sender_new(struct sms *sms, const struct uk_log *log)
{
	struct sender *s = uk_xalloc(sizeof(*s));

	s->sms = sms;
	s->log = log;
	if (pthread_mutex_init(&s->mutex, NULL) != 0 || pthread_cond_init(&s->more, NULL) != 0 ||
	    pthread_create(&s->thread, NULL, run, s) != 0)
		abort();
	return s;
}

void
sender_put(
    struct sender *s, const char *phone, enum sms_template template, const char *code, int minutes)
{
	bool full;

	pthread_mutex_lock(&s->mutex);
	full = s->n == SENDER_QUEUE_MAX;
	if (!full) {
		struct message *m = &s->ring[(s->first + s->n++) % SENDER_QUEUE_MAX];

		*m = (struct message){ .template = template };
		(void)snprintf(m->phone, sizeof(m->phone), "%s", phone);
		(void)snprintf(m->code, sizeof(m->code), "%s", code);
		(void)snprintf(m->minutes, sizeof(m->minutes), "%d", minutes);
		pthread_cond_signal(&s->more);
	}
	pthread_mutex_unlock(&s->mutex);
	if (full)
		uk_log_plain(s->log, UK_LOG_ERROR, "code.queue-full");
}

void
sender_free(struct sender **s)
{
	if (*s == NULL)
		return;
	pthread_mutex_lock(&(*s)->mutex);
	(*s)->ending = true;
	pthread_cond_signal(&(*s)->more);
	pthread_mutex_unlock(&(*s)->mutex);
	(void)pthread_join((*s)->thread, NULL);
	pthread_cond_destroy(&(*s)->more);
	pthread_mutex_destroy(&(*s)->mutex);
	OPENSSL_cleanse(*s, sizeof(**s));
	free(*s);
	*s = NULL;
}
