/* What the outside world sends by itself: delivered by a thread of its own, again and again. */
#ifndef SANDBOX_OUTBOX_H
#define SANDBOX_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "net/client.h"
#include "uk/buf.h"
#include "uk/clock.h"
#include "uk/log.h"

struct outbox;

/* Adds what must be fresh in each delivery, such as a signature with its time: a header's value. */
typedef void outbox_stamp(void *ctx, struct uk_span body, struct uk_buf *value);

struct outbox_mail {
	const char *url;
	const char *type;
	struct uk_span body;
	const int64_t *gaps_ms; /* between deliveries, 0-ended; divided by the speed */
	const char *answer;     /* the body that ends it; NULL: status 200 does */
	const char *header;     /* NULL: none */
	outbox_stamp *stamp;
	void *ctx;
	int64_t delay_ms; /* before the first; divided by the speed as well */
};

struct outbox *outbox_new(struct http_client *http, const struct uk_clock *clock, int64_t speed,
    const struct uk_log *log);

/* Copies what `mail` points to, but for gaps_ms, header, answer and ctx. */
void outbox_put(struct outbox *o, const struct outbox_mail *mail);
void outbox_free(struct outbox **o); /* NULL-safe, sets NULL */

#endif
