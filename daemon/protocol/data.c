#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/data.h"
#include "protocol/methods.h"
#include "uk/b64.h"
#include "uk/login.h"
#include "uk/receipt.h"

#define HEAD_LEN  16 /* enough to know a log-in challenge by */
#define SWEEP_MS  30000
#define NOT_FOUND "data-not-found"

enum data_kind {
	DATA_COMING,
	DATA_WHOLE,
	DATA_RESULT,
	DATA_KIND__MAX
};

static const size_t most[DATA_KIND__MAX] = {
	[DATA_COMING] = DATA_COMING_MAX,
	[DATA_WHOLE] = DATA_WHOLE_MAX,
	[DATA_RESULT] = DATA_RESULTS_MAX,
};

struct data {
	struct data *next;
	uint64_t conn;
	char id[17];
	enum data_kind kind;
	int64_t touched;
	uint64_t size;
	uint8_t head[HEAD_LEN];
	size_t n_head;
	struct uk_digests *digests; /* DATA_COMING */
	struct uk_sums sums;        /* DATA_WHOLE */
	struct uk_buf content;      /* DATA_RESULT */
};

struct data_store {
	struct loop *loop;
	const struct uk_clock *clock;
	struct loop_timer *sweep;
	struct data *first;
	uint64_t last_id;
};

struct data_store *
data_store_new(struct loop *loop, const struct uk_clock *clock)
{
	struct data_store *s = uk_xalloc(sizeof(*s));

	s->loop = loop;
	s->clock = clock;
	return s;
}

static void
data_free(struct data *d)
{
	uk_digests_free(&d->digests);
	uk_buf_fini(&d->content);
	free(d);
}

/* Of all, those of one connection, or those that have lain for too long. */
static void
drop(struct data_store *s, bool all, uint64_t conn, int64_t before)
{
	struct data **p = &s->first;

	while (*p != NULL) {
		struct data *d = *p;

		if (!all && d->conn != conn && d->touched >= before) {
			p = &d->next;
			continue;
		}
		*p = d->next;
		data_free(d);
	}
	if (s->first == NULL)
		loop_cancel(s->loop, &s->sweep);
}

void
data_store_free(struct data_store **s)
{
	if (*s == NULL)
		return;
	drop(*s, true, 0, 0);
	free(*s);
	*s = NULL;
}

void
data_forget(struct data_store *s, uint64_t conn)
{
	if (s->first != NULL)
		drop(s, false, conn, INT64_MIN);
}

static void
sweep(void *ctx)
{
	struct data_store *s = ctx;

	s->sweep = NULL;
	drop(s, false, 0, uk_mono_ms(s->clock) - DATA_IDLE_MS);
	if (s->first != NULL)
		s->sweep = loop_after(s->loop, SWEEP_MS, sweep, s);
}

/* One that has lain for too long is not there any more, whether it was swept up yet or not. */
static struct data *
find(const struct data_store *s, uint64_t conn, const char *id)
{
	struct data *d = s->first;

	while (d != NULL && (d->conn != conn || strcmp(d->id, id) != 0))
		d = d->next;
	return d != NULL && d->touched >= uk_mono_ms(s->clock) - DATA_IDLE_MS ? d : NULL;
}

static bool
full(const struct data_store *s, uint64_t conn, enum data_kind kind)
{
	size_t n = 0;

	for (const struct data *d = s->first; d != NULL; d = d->next)
		n += d->conn == conn && d->kind == kind;
	return n >= most[kind];
}

static struct data *
add(struct data_store *s, uint64_t conn, enum data_kind kind)
{
	struct data *d = uk_xalloc(sizeof(*d));

	d->conn = conn;
	d->kind = kind;
	d->touched = uk_mono_ms(s->clock);
	(void)snprintf(d->id, sizeof(d->id), "%llx", (unsigned long long)++s->last_id);
	uk_buf_init(&d->content, DATA_RESULT_SIZE);
	d->next = s->first;
	s->first = d;
	if (s->sweep == NULL)
		s->sweep = loop_after(s->loop, SWEEP_MS, sweep, s);
	return d;
}

static void
take_out(struct data_store *s, struct data *gone)
{
	struct data **p = &s->first;

	while (*p != gone)
		p = &(*p)->next;
	*p = gone->next;
	data_free(gone);
}

enum uk_rc
data_sums(
    struct data_store *s, uint64_t conn, const char *id, struct uk_sums *out, struct uk_err *err)
{
	struct data *d = find(s, conn, id);

	if (d == NULL || d->kind == DATA_RESULT)
		return uk_fail(err, UK_E_NOT_FOUND, NOT_FOUND, "data", 0);
	if (d->kind != DATA_WHOLE)
		return uk_fail(err, UK_E_CONFLICT, "data-incomplete", "data", 0);
	if (uk_login_begins(uk_span(d->head, d->n_head)))
		return uk_fail(err, UK_E_DENIED, "login-challenge-refused", "data", 0);
	if (uk_receipt_begins(uk_span(d->head, d->n_head)))
		return uk_fail(err, UK_E_DENIED, "receipt-refused", "data", 0);
	d->touched = uk_mono_ms(s->clock);
	*out = d->sums;
	return UK_OK;
}

void
data_use_up(struct data_store *s, uint64_t conn, const char *id)
{
	struct data *d = find(s, conn, id);

	if (d != NULL)
		take_out(s, d);
}

enum uk_rc
data_keep(struct data_store *s, uint64_t conn, struct uk_buf *content, const char **id,
    struct uk_err *err)
{
	struct data *d;

	if (full(s, conn, DATA_RESULT))
		return uk_fail(err, UK_E_LIMIT, "too-many-data", "data", 0);
	d = add(s, conn, DATA_RESULT);
	d->content = *content;
	uk_buf_init(content, content->max);
	*id = d->id;
	return UK_OK;
}

/* --- data.put --- */

/* The one that was named, or a new one, which k is to sign; NULL: err says why. */
static struct data *
target(struct call *c, const struct uk_pubkey *k, struct uk_err *err)
{
	const struct data_put_params *p = c->in;
	struct data_store *s = rpc_data(c->rpc);
	struct data *d;
	enum uk_rc rc = UK_OK;

	if (p->data != NULL) {
		d = find(s, c->conn, p->data);
		if (d == NULL || d->kind == DATA_RESULT)
			rc = uk_fail(err, UK_E_NOT_FOUND, NOT_FOUND, "data", 0);
		else if (d->kind != DATA_COMING)
			rc = uk_fail(err, UK_E_CONFLICT, "data-complete", "data", 0);
		return rc == UK_OK ? d : NULL;
	}
	if (full(s, c->conn, DATA_COMING) || full(s, c->conn, DATA_WHOLE)) {
		*err = (struct uk_err){ .rc = UK_E_LIMIT, .reason = "too-many-data" };
		return NULL;
	}
	d = add(s, c->conn, DATA_COMING);
	d->digests = uk_digests_new(k);
	return d;
}

static enum uk_rc
take_chunk(struct data *d, struct uk_span chunk, bool last, struct uk_err *err)
{
	size_t head = HEAD_LEN - d->n_head;

	if (d->size + chunk.n > DATA_SIZE_MAX)
		return uk_fail(err, UK_E_LIMIT, "data-too-large", "data", 0);
	if (head > chunk.n)
		head = chunk.n;
	if (head > 0)
		memcpy(d->head + d->n_head, chunk.p, head);
	d->n_head += head;
	d->size += chunk.n;
	if (d->digests == NULL || uk_digests_put(d->digests, chunk) != UK_OK ||
	    (last && uk_digests_end(d->digests, &d->sums) != UK_OK))
		return uk_fail(err, UK_E_INTERNAL, NULL, "digest", 0);
	if (last) {
		uk_digests_free(&d->digests);
		d->kind = DATA_WHOLE;
	}
	return UK_OK;
}

static void
put(struct call *c, const struct uk_pubkey *k)
{
	const struct data_put_params *p = c->in;
	struct data_store *s = rpc_data(c->rpc);
	struct uk_err err = { 0 };
	struct data *d = target(c, k, &err);

	if (d == NULL) {
		call_fail(c, &err);
		return;
	}
	d->touched = uk_mono_ms(s->clock);
	if (take_chunk(d, uk_buf_span(&p->chunk), p->last, &err) != UK_OK) {
		take_out(s, d);
		call_fail(c, &err);
		return;
	}
	call_reply(c, json_pack("{s:s, s:I}", "data", d->id, "received", (json_int_t)d->size));
}

static void
certificate_found(struct call *c)
{
	const struct data_put_params *p = c->in;
	const struct inventory_object *o = inventory_certificate(c->inventory, p->certificate);

	if (o == NULL || !gate_shows(c->env->gate, c->facts.local, c->origin, p->certificate))
		call_refuse(c, UK_E_NOT_FOUND, "certificate-not-found");
	else
		put(c, uk_cert_pubkey(o->cert));
}

/* The first piece may say who is to sign: SM2 hashes a part of the key before the data. */
void
data_put(struct call *c)
{
	const struct data_put_params *p = c->in;

	if (p->certificate == NULL)
		put(c, NULL);
	else if (p->data != NULL)
		call_fail(c, &(struct uk_err){ .rc = UK_E_INPUT, .field = "certificate" });
	else if (inventory_recall(c, p->certificate))
		certificate_found(c);
	else
		inventory_load(c, NULL, certificate_found);
}

/* --- data.get: what was read to its end is used up --- */

void
data_get(struct call *c)
{
	const struct data_get_params *p = c->in;
	struct data_store *s = rpc_data(c->rpc);
	struct data *d = find(s, c->conn, p->data);
	size_t n, at = (size_t)p->offset;
	char *b64;
	bool last;

	if (d == NULL || d->kind != DATA_RESULT) {
		call_refuse(c, UK_E_NOT_FOUND, NOT_FOUND);
		return;
	}
	if (at > d->content.n) {
		call_fail(c, &(struct uk_err){ .rc = UK_E_INPUT, .field = "offset" });
		return;
	}
	d->touched = uk_mono_ms(s->clock);
	n = d->content.n - at;
	last = n <= (size_t)p->length;
	b64 = uk_b64_dup(uk_span(d->content.p + at, last ? n : (size_t)p->length));
	if (last)
		take_out(s, d);
	call_reply(c, json_pack("{s:s, s:b}", "chunk", b64, "last", (int)last));
	free(b64);
}
