#include <string.h>

#include "api/answer.h"
#include "api/handlers.h"
#include "api/label.h"
#include "api/proof.h"
#include "api/ticket.h"
#include "ca/request.h"
#include "workflow/certificate.h"
#include "workflow/so_pin.h"

#define LABEL_MAX (64u * 1024)

/* [A1, A3] */
enum uk_rc
production_claim(void *app, struct http_request *rq, struct uk_err *err)
{
	const enum uk_rc rc = remittance_apart(app, rq, err);

	return rc == UK_OK ? answer_plain(app, rq, EV_CLAIM, err) : rc;
}

enum uk_rc
production_release(void *app, struct http_request *rq, struct uk_err *err)
{
	return answer_plain(app, rq, EV_RELEASE, err);
}

struct requesting {
	const struct api *a;
	struct event ev;
	const char *token;
	struct uk_span der;
};

/* The key of another order, by mistake or on purpose, would lose the SO PIN that it answers to. */
static enum uk_rc
check_token(struct store_tx *tx, const struct requesting *r, struct uk_err *err)
{
	const int64_t now = api_now(r->a);
	struct certificate_list l = { 0 };
	enum uk_rc rc = certificates_of_token(tx, r->token, &l, err);

	for (size_t i = 0; rc == UK_OK && i < l.n; i++)
		if (strcmp(l.v[i].order, r->ev.order) != 0 && l.v[i].revoked_at == 0 &&
		    l.v[i].not_after >= now)
			rc = uk_fail(err, UK_E_CONFLICT, "token-not-blank", "production", 0);
	certificate_list_fini(&l);
	return rc;
}

/* From here on the token is known by its serial, and so is its SO PIN. */
static enum uk_rc
keep_so_pin(struct store_tx *tx, const struct requesting *r, struct uk_err *err)
{
	struct uk_secret *pin = NULL;
	enum uk_rc rc = ticket_so_pin(r->a, tx, r->ev.order, &pin, err);

	if (rc == UK_OK && pin != NULL)
		rc = so_pin_put(tx, r->a->crypt, r->token, pin, api_now(r->a), err);
	uk_secret_free(&pin);
	return rc;
}

static enum uk_rc
store_request(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct requesting *r = ctx;
	struct workflow_result result;
	enum uk_rc rc;

	if ((rc = workflow_apply(r->a->workflow, tx, &r->ev, &result, err)) != UK_OK ||
	    (rc = check_token(tx, r, err)) != UK_OK || (rc = keep_so_pin(tx, r, err)) != UK_OK)
		return rc;
	return store_run(tx, SQL_REQUEST_PUT,
	    STORE_ARGS(DB_T(r->ev.order), DB_I(result.order.requests), DB_T(r->token), DB_B(r->der),
		DB_I(api_now(r->a))),
	    NULL, err);
}

/* Printable, so that it may stand in a label and a log. */
static bool
serial_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

enum uk_rc
production_request(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct request_body *body = http_fields(rq);
	struct requesting r = { .a = a,
		.ev = { .on = EV_REQUEST },
		.token = body->token,
		.der = uk_buf_span(&body->request) };
	struct uk_buf spki;
	enum uk_rc rc;

	if (!serial_plain(body->token))
		return uk_fail_field(err, "token", NULL);
	uk_buf_init(&spki, SPKI_MAX);
	event_from(rq, &r.ev);
	if ((rc = request_read(r.der, &spki, err)) == UK_OK)
		rc = store_write_wait(a->store, store_request, &r, err);
	uk_buf_fini(&spki);
	return rc == UK_OK ? answer_detail(a, rq, r.ev.order, err) : rc;
}

struct proving {
	const struct api *a;
	const char *id;
	struct order order;
	struct certificate row; /* the newest certificate of the order */
	struct uk_buf der;
	struct event ev;
};

static enum uk_rc
read_certificate(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct proving *p = ctx;
	struct certificate_list l = { 0 };
	const struct certificate *c;
	enum uk_rc rc;

	uk_buf_reset(&p->der);
	if ((rc = order_load(tx, p->id, &p->order, err)) != UK_OK ||
	    (rc = certificates_of_order(tx, p->id, &l, err)) != UK_OK)
		return rc;
	p->row = (struct certificate){ 0 };
	if ((c = certificate_current(&l)) != NULL) {
		p->row = *c;
		rc = certificate_der(tx, p->a->crypt, c->serial, &p->der, err);
	}
	certificate_list_fini(&l);
	return rc;
}

/* The key has signed, so the ticket was opened on this token. */
static enum uk_rc
store_proof(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct proving *p = ctx;
	const enum uk_rc rc =
	    workflow_apply(p->a->workflow, tx, &p->ev, &(struct workflow_result){ 0 }, err);

	return rc == UK_OK ? so_pin_proved(tx, p->row.token, api_now(p->a), err) : rc;
}

/* Only the certificate that was issued for this order, and only the key that is in it. */
enum uk_rc
production_proof(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct proof_body *body = http_fields(rq);
	struct proving p = { .a = a, .id = http_param(rq, "id") };
	enum uk_rc rc;

	uk_buf_init(&p.der, UK_CERT_MAX);
	if ((rc = store_read(a->store, read_certificate, &p, err)) != UK_OK)
		goto out;
	if (p.order.state != ST_PROVING) {
		rc = uk_fail(err, UK_E_CONFLICT, NULL, "proof", 0);
		goto out;
	}
	if ((rc = proof_verify(a, &p.order, uk_buf_span(&p.der), uk_buf_span(&body->certificate),
		 uk_buf_span(&body->signature), err)) != UK_OK)
		goto out;
	p.ev = (struct event){ .on = EV_PROOF, .version = p.order.version };
	event_from(rq, &p.ev);
	rc = store_write_wait(a->store, store_proof, &p, err);
	if (rc == UK_OK)
		rc = answer_detail(a, rq, p.id, err);
out:
	uk_buf_fini(&p.der);
	return rc;
}

struct shipping {
	const struct api *a;
	struct event ev;
	const struct shipment_body *body;
};

static enum uk_rc
store_shipment(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct shipping *s = ctx;
	enum uk_rc rc;

	rc = workflow_apply(s->a->workflow, tx, &s->ev, &(struct workflow_result){ 0 }, err);
	if (rc != UK_OK)
		return rc;
	return store_run(tx, SQL_SHIPMENT_PUT,
	    STORE_ARGS(DB_T(s->ev.order), DB_T(s->body->carrier), DB_T(s->body->tracking),
		DB_I(api_now(s->a))),
	    NULL, err);
}

static bool
tracking_plain(const char *s)
{
	static const char allowed[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";

	return s[strspn(s, allowed)] == '\0';
}

/* [N9, C10] */
enum uk_rc
production_shipment(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	const struct shipment_body *body = http_fields(rq);
	struct shipping s = {
		.a = a, .ev = { .on = EV_SHIPMENT, .version = body->version }, .body = body
	};
	enum uk_rc rc;

	if (!tracking_plain(body->tracking))
		return uk_fail_field(err, "tracking", NULL);
	event_from(rq, &s.ev);
	rc = store_write_wait(a->store, store_shipment, &s, err);
	return rc == UK_OK ? answer_detail(a, rq, s.ev.order, err) : rc;
}

struct labelling {
	const struct api *a;
	const char *id;
	json_t *form;
	char token[65];
};

static enum uk_rc
read_label(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct labelling *l = ctx;
	struct store_rows *rows;
	struct order o;
	enum uk_rc rc;

	json_decref(l->form);
	l->form = NULL;
	l->token[0] = '\0';
	if ((rc = order_load(tx, l->id, &o, err)) != UK_OK)
		return rc;
	if (o.state != ST_PROVING && o.state != ST_SHIPPING && o.state != ST_DONE)
		return uk_fail(err, UK_E_CONFLICT, NULL, "label", 0);
	rows = store_query(tx, SQL_REQUEST_GET, STORE_ARGS(DB_T(l->id), DB_I(o.requests)));
	if (store_next(rows))
		(void)snprintf(l->token, sizeof(l->token), "%s", store_text(rows, 0));
	if ((rc = store_end(rows, err)) != UK_OK)
		return rc;
	return order_form_load(tx, l->a->crypt, l->id, &l->form, err);
}

static const char *
member(const struct labelling *l, const char *name)
{
	const char *s = json_string_value(json_object_get(l->form, name));

	return s != NULL ? s : "";
}

enum uk_rc
production_label(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct labelling l = { .a = a, .id = http_param(rq, "id") };
	struct uk_buf page;
	enum uk_rc rc;

	uk_buf_init(&page, LABEL_MAX);
	rc = store_read(a->store, read_label, &l, err);
	if (rc == UK_OK) {
		label_put(&page, &(struct label){ .sender = a->name,
				     .order = l.id,
				     .recipient = member(&l, "recipient"),
				     .phone = member(&l, "recipientPhone"),
				     .address = member(&l, "address"),
				     .postcode = member(&l, "postcode"),
				     .token = l.token });
		http_answer_bytes(rq, 200, "text/html; charset=utf-8", &page);
	}
	uk_buf_fini(&page);
	json_decref(l.form);
	return rc;
}
