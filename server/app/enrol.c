#include <stdio.h>

#include "app/enrol.h"
#include "ca/request.h"
#include "workflow/certificate.h"

struct booking {
	const struct base *base;
	const char *intent;
	struct issuer_intent prepared;
	int64_t now;
	const struct uk_cert *cert;
};

static enum uk_rc
intend(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct booking *b = ctx;
	struct certificate c = {
		.usage = CERTIFICATE_SIGN, .not_before = b->now, .not_after = uk_year_after(b->now)
	};

	(void)snprintf(c.serial, sizeof(c.serial), "%s", b->prepared.serial);
	(void)snprintf(c.intent, sizeof(c.intent), "%s", b->intent);
	(void)snprintf(c.profile, sizeof(c.profile), "%s", profile_name(PROFILE_STAFF));
	return certificate_intend(
	    tx, b->base->crypt, &c, uk_buf_span(&b->prepared.tbs), b->now, err);
}

static enum uk_rc
book(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct booking *b = ctx;

	return certificate_issued(tx, b->base->crypt, b->cert, b->now, err);
}

static enum uk_rc
prepare(struct booking *b, const struct enrol_wish *wish, struct uk_err *err)
{
	struct uk_buf spki;
	enum uk_rc rc;

	uk_buf_init(&spki, SPKI_MAX);
	rc = request_read(wish->request, &spki, err);
	if (rc == UK_OK)
		rc = issuer_prepare(b->base->authority,
		    &(struct issuer_order){ .profile = PROFILE_STAFF,
			.subject = wish->subject,
			.spki = uk_buf_span(&spki),
			.not_before = b->now,
			.not_after = uk_year_after(b->now) },
		    &b->base->random, &b->prepared, err);
	uk_buf_fini(&spki);
	return rc;
}

static enum uk_rc
sign(struct booking *b, struct uk_buf *der, struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	enum uk_rc rc;

	rc = issuer_sign(b->base->authority, uk_buf_span(&b->prepared.tbs), der, err);
	if (rc == UK_OK)
		rc = uk_cert_parse(uk_buf_span(der), &cert, err);
	if (rc == UK_OK) {
		b->cert = cert;
		rc = store_write_wait(b->base->store, book, b, err);
		b->cert = NULL;
	}
	uk_cert_free(&cert);
	return rc;
}

enum uk_rc
enrol_certificate(
    const struct base *base, const struct enrol_wish *wish, struct uk_buf *der, struct uk_err *err)
{
	struct booking b = { .base = base, .intent = wish->intent, .now = uk_now(&base->clock) };
	enum uk_rc rc;

	if ((rc = prepare(&b, wish, err)) != UK_OK)
		return rc;
	if ((rc = store_write_wait(base->store, intend, &b, err)) == UK_OK)
		rc = sign(&b, der, err);
	issuer_intent_fini(&b.prepared);
	return rc;
}
