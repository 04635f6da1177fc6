#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/responder.h"
#include "workflow/certificate.h"

#define DAY      86400
#define LIFE     (7 * DAY)
#define CLOCK    300 /* what the clocks of those who ask may be behind ours */
#define ID_BYTES 8
#define SPKI_LEN 1024u

/* One key; the current one is used once by its owner, and by each answer that is being signed. */
struct one {
	struct responder *responder;
	int64_t not_before;
	int64_t renew_at; /* half-way to its end */
	unsigned used;
	struct one *older; /* still being used */
};

struct responders {
	struct responders_setup s;
	pthread_mutex_t lock;
	struct one *current;
};

struct responders *
responders_new(const struct responders_setup *setup)
{
	struct responders *r = uk_xalloc(sizeof(*r));

	r->s = *setup;
	if (pthread_mutex_init(&r->lock, NULL) != 0)
		abort();
	return r;
}

static void
drop(struct one *o)
{
	responder_free(&o->responder);
	free(o);
}

void
responders_free(struct responders **r)
{
	if (r == NULL || *r == NULL)
		return;
	for (struct one *o = (*r)->current, *older; o != NULL; o = older) {
		older = o->older;
		drop(o);
	}
	(void)pthread_mutex_destroy(&(*r)->lock);
	free(*r);
	*r = NULL;
}

/* A certificate on its way into the books: intent first, as for all. */
struct booking {
	const struct responders_setup *s;
	struct certificate row;
	struct issuer_intent prepared;
	const struct uk_cert *cert;
	int64_t now;
};

static enum uk_rc
intend(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct booking *b = ctx;

	return certificate_intend(
	    tx, b->s->crypt, &b->row, uk_buf_span(&b->prepared.tbs), b->now, err);
}

static enum uk_rc
book(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct booking *b = ctx;

	return certificate_issued(tx, b->s->crypt, b->cert, b->now, err);
}

static void
fill_row(struct booking *b, const struct issuer_order *o)
{
	char id[2 * ID_BYTES + 1];

	uk_random_hex(b->s->random, id, ID_BYTES);
	b->row.usage = CERTIFICATE_SIGN;
	b->row.not_before = o->not_before;
	b->row.not_after = o->not_after;
	(void)snprintf(b->row.serial, sizeof(b->row.serial), "%s", b->prepared.serial);
	(void)snprintf(b->row.intent, sizeof(b->row.intent), "ocsp/%s", id);
	(void)snprintf(b->row.profile, sizeof(b->row.profile), "%s", profile_name(o->profile));
}

static enum uk_rc
sign(struct booking *b, struct uk_cert **out, struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	struct uk_buf der;
	enum uk_rc rc;

	uk_buf_init(&der, ISSUER_CERT_MAX);
	if ((rc = store_write_wait(b->s->store, intend, b, err)) == UK_OK &&
	    (rc = issuer_sign(b->s->authority, uk_buf_span(&b->prepared.tbs), &der, err)) ==
		UK_OK &&
	    (rc = uk_cert_parse(uk_buf_span(&der), &cert, err)) == UK_OK) {
		b->cert = cert;
		rc = store_write_wait(b->s->store, book, b, err);
	}
	uk_buf_fini(&der);
	if (rc == UK_OK)
		*out = cert;
	else
		uk_cert_free(&cert);
	return rc;
}

static enum uk_rc
certify(const struct responders_setup *s, struct one *o, int64_t now, struct uk_err *err)
{
	struct issuer_order order = { .profile = PROFILE_RESPONDER,
		.subject = { .organisation = s->name, .name = "OCSP" },
		.not_before = now - CLOCK,
		.not_after = now + LIFE };
	const struct uk_cert *issuer = authority_issuer(s->authority);
	struct booking b = { .s = s, .now = now };
	struct uk_cert *cert = NULL;
	struct uk_buf spki;
	enum uk_rc rc;

	if (order.not_before < uk_cert_not_before(issuer))
		order.not_before = uk_cert_not_before(issuer);
	if (order.not_after > uk_cert_not_after(issuer))
		order.not_after = uk_cert_not_after(issuer);
	uk_buf_init(&spki, SPKI_LEN);
	rc = responder_put_spki(o->responder, &spki);
	order.spki = uk_buf_span(&spki);
	if (rc == UK_OK &&
	    (rc = issuer_prepare(s->authority, &order, s->random, &b.prepared, err)) == UK_OK) {
		fill_row(&b, &order);
		if ((rc = sign(&b, &cert, err)) == UK_OK)
			rc = responder_set(o->responder, cert, err);
		issuer_intent_fini(&b.prepared);
	}
	uk_buf_fini(&spki);
	o->not_before = order.not_before;
	o->renew_at = now + (order.not_after - now) / 2;
	return rc;
}

static enum uk_rc
renew(struct responders *r, int64_t now, struct uk_err *err)
{
	struct one *o = uk_xalloc(sizeof(*o));
	enum uk_rc rc = responder_new(authority_kind(r->s.authority), &o->responder, err);

	if (rc == UK_OK)
		rc = certify(&r->s, o, now, err);
	if (rc != UK_OK) {
		drop(o);
		return rc;
	}
	o->older = r->current;
	r->current = o;
	return UK_OK;
}

/* Those that nobody uses any more. */
static void
sweep(struct responders *r)
{
	struct one **at = r->current != NULL ? &r->current->older : NULL;

	while (at != NULL && *at != NULL) {
		struct one *o = *at;

		if (o->used != 0) {
			at = &o->older;
			continue;
		}
		*at = o->older;
		drop(o);
	}
}

enum uk_rc
responders_get(struct responders *r, int64_t now, const struct responder **out, struct uk_err *err)
{
	enum uk_rc rc = UK_OK;

	(void)pthread_mutex_lock(&r->lock);
	if (r->current == NULL || now < r->current->not_before || now > r->current->renew_at)
		rc = renew(r, now, err);
	sweep(r);
	if (rc == UK_OK) {
		r->current->used++;
		*out = r->current->responder;
	}
	(void)pthread_mutex_unlock(&r->lock);
	return rc;
}

void
responders_put(struct responders *r, const struct responder *one)
{
	(void)pthread_mutex_lock(&r->lock);
	for (struct one *o = r->current; o != NULL; o = o->older)
		if (o->responder == one)
			o->used--;
	sweep(r);
	(void)pthread_mutex_unlock(&r->lock);
}
