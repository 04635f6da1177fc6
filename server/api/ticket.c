#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "api/handlers.h"
#include "api/place.h"
#include "api/ticket.h"
#include "jobs/jobs.h"
#include "uk/b64.h"
#include "uk/ticket.h"
#include "workflow/so_pin.h"

#define JTI_BYTES 16
#define JTI_LEN   (2 * JTI_BYTES + 1)

struct sealing {
	const struct api *a;
	struct event ev;
	const struct ticket_body *body;
	struct uk_jwk *channel;
	char station[UK_THUMB_LEN];
	char thumbprint[UK_THUMB_LEN]; /* of the channel */
	char jti[JTI_LEN];
	int64_t now;
	struct uk_secret *pin;
	struct uk_secret *so_pin;
	/* the station, while it is looked up */
	bool enrolled;
	char jwk[1024];
};

/* Which station's key is this signed with?  The header of the JWS says so; uk_station_check()
 * decides whether it is true. */
static enum uk_rc
vouch_kid(const char *jws, char out[UK_THUMB_LEN], struct uk_err *err)
{
	const size_t n = strcspn(jws, ".");
	char *head = uk_xstrndup(jws, n);
	struct uk_buf text;
	json_t *header = NULL;
	const char *kid;
	enum uk_rc rc;

	uk_buf_init(&text, 1024);
	rc = uk_b64url_get(&text, head);
	if (rc == UK_OK)
		rc = uk_json_parse(uk_buf_span(&text), 1024, &header, err);
	kid = json_string_value(json_object_get(header, "kid"));
	if (rc != UK_OK || kid == NULL || strlen(kid) >= UK_THUMB_LEN)
		rc = uk_fail_field(err, "vouch", "vouch-malformed");
	else
		(void)snprintf(out, UK_THUMB_LEN, "%s", kid);
	json_decref(header);
	uk_buf_fini(&text);
	free(head);
	return rc;
}

static enum uk_rc
read_station(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct sealing *s = ctx;
	struct store_rows *rows = store_query(tx, SQL_STATION_GET, STORE_ARGS(DB_T(s->station)));

	s->enrolled = false;
	if (store_next(rows) && store_int(rows, 2) == 0) {
		(void)snprintf(s->jwk, sizeof(s->jwk), "%s", store_text(rows, 1));
		s->enrolled = true;
	}
	return store_end(rows, err);
}

/* The channel is one of an enrolled station's, vouched for just now, for our origin. */
static enum uk_rc
check_station(struct sealing *s, struct uk_err *err)
{
	struct uk_jwk *station = NULL;
	struct uk_err why = { 0 };
	json_t *jwk = NULL;
	enum uk_rc rc;

	if ((rc = vouch_kid(s->body->vouch, s->station, err)) != UK_OK ||
	    (rc = store_read(s->a->store, read_station, s, err)) != UK_OK)
		return rc;
	if (!s->enrolled)
		return uk_fail(err, UK_E_DENIED, "station-unknown", "ticket", 0);
	if ((rc = uk_json_parse(uk_span_str(s->jwk), sizeof(s->jwk), &jwk, err)) != UK_OK ||
	    (rc = uk_jwk_from_json(jwk, &station, err)) != UK_OK)
		goto out;
	if (uk_station_check(s->body->vouch, station, s->channel, s->a->origin, s->now, &why) !=
	    UK_OK) {
		uk_log_err(s->a->log, UK_LOG_WARN, "production.vouch-refused", &why);
		rc = uk_fail(err, UK_E_DENIED, "station-unknown", "ticket", 0);
	}
out:
	json_decref(jwk);
	uk_jwk_free(&station);
	return rc;
}

/* Takes what is sealed into a secret. */
static enum uk_rc
unseal(const struct api *a, const struct crypt_place *at, struct uk_span sealed,
    struct uk_secret **out, struct uk_err *err)
{
	struct uk_buf plain;
	enum uk_rc rc;

	uk_buf_init(&plain, 256);
	rc = crypt_unseal(a->crypt, CRYPT_SO_PIN, at, sealed, &plain, err);
	if (rc == UK_OK) {
		uk_secret_free(out);
		*out = uk_secret_new(uk_buf_span(&plain));
	}
	uk_buf_fini(&plain);
	return rc;
}

enum uk_rc
ticket_so_pin(const struct api *a, struct store_tx *tx, const char *order, struct uk_secret **out,
    struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_TICKETS_OF_ORDER, STORE_ARGS(DB_T(order)));
	char jti[JTI_LEN] = "";
	struct crypt_place at;
	char row[PLACE_ROW_LEN];
	enum uk_rc rc, ended;

	while (store_next(rows))
		(void)snprintf(jti, sizeof(jti), "%s", store_text(rows, 0));
	if ((rc = store_end(rows, err)) != UK_OK || jti[0] == '\0')
		return rc;
	rows = store_query(tx, SQL_SO_PINS_OF_TICKET, STORE_ARGS(DB_T(jti)));
	at = place("so_pins", jti, "1", "sealed", row);
	if (store_next(rows))
		rc = unseal(a, &at, store_blob(rows, 1), out, err);
	ended = store_end(rows, rc == UK_OK ? err : NULL);
	return rc != UK_OK ? rc : ended;
}

static enum uk_rc
keep(struct store_tx *tx, const struct sealing *s, struct uk_err *err)
{
	char row[PLACE_ROW_LEN];
	const struct crypt_place at = place("so_pins", s->jti, "1", "sealed", row);
	struct uk_buf sealed;
	enum uk_rc rc;

	uk_buf_init(&sealed, 256);
	rc = crypt_seal(s->a->crypt, CRYPT_SO_PIN, &at, uk_secret_lend(s->so_pin), &sealed, err);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_TICKET_PUT,
		    STORE_ARGS(DB_T(s->jti), DB_T(s->ev.order), DB_T(s->body->token),
			DB_T(s->station), DB_T(s->ev.actor), DB_T(s->thumbprint), DB_I(s->now)),
		    NULL, err);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_SO_PIN_PUT,
		    STORE_ARGS(DB_T(s->jti), DB_I(1), DB_B(uk_buf_span(&sealed)), DB_I(s->now)),
		    NULL, err);
	uk_buf_fini(&sealed);
	return rc;
}

/*
 * A second ticket for an order carries the SO PIN of the first: the first may have been used, and
 * then it is what the token answers to; a blank token takes any.
 */
static enum uk_rc
make_ticket(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct sealing *s = ctx;
	struct workflow_result result;
	enum uk_rc rc;

	uk_secret_free(&s->pin);
	uk_secret_free(&s->so_pin);
	uk_random_hex(s->a->random, s->jti, JTI_BYTES);
	if ((rc = workflow_apply(s->a->workflow, tx, &s->ev, &result, err)) != UK_OK ||
	    (rc = jobs_password_load(tx, s->a->crypt, &result.order, &s->pin, err)) != UK_OK ||
	    (rc = ticket_so_pin(s->a, tx, s->ev.order, &s->so_pin, err)) != UK_OK)
		return rc;
	if (s->so_pin == NULL)
		s->so_pin = so_pin_make(s->a->random);
	return keep(tx, s, err);
}

static enum uk_rc
answer_ticket(const struct sealing *s, struct http_request *rq, struct uk_err *err)
{
	const struct uk_span auth = uk_span_str(s->a->device_auth);
	struct uk_secret *auth_key = auth.n > 0 ? uk_secret_new(auth) : NULL;
	struct uk_buf jwe;
	json_t *answer;
	enum uk_rc rc;

	uk_buf_init(&jwe, UK_TICKET_MAX);
	rc = uk_ticket_seal(&(struct uk_ticket){ .jti = s->jti,
				.purpose = "production",
				.order = s->ev.order,
				.token = s->body->token,
				.certificate = "",
				.origin = s->a->origin,
				.channel = s->thumbprint,
				.label = s->ev.order,
				.expires = s->now + UK_TICKET_LIFE_MAX,
				.so_pin = s->so_pin,
				.pin = s->pin,
				.auth_key = auth_key },
	    s->a->ticket, s->channel, &jwe, err);
	if (rc == UK_OK) {
		answer = json_pack("{s:s}", "ticket", uk_buf_str(&jwe));
		http_answer_json(rq, 200, answer);
		json_decref(answer);
	}
	uk_secret_free(&auth_key);
	uk_buf_fini(&jwe);
	return rc;
}

/* [A3] */
enum uk_rc
production_ticket(void *app, struct http_request *rq, struct uk_err *err)
{
	const struct api *a = app;
	struct sealing s = { .a = a, .ev = { .on = EV_TICKET }, .body = http_fields(rq) };
	enum uk_rc rc;

	event_from(rq, &s.ev);
	s.now = api_now(a);
	if (uk_jwk_from_json(s.body->channel, &s.channel, err) != UK_OK)
		return uk_fail_field(err, "channel", NULL);
	uk_jwk_thumbprint(s.channel, s.thumbprint);
	if ((rc = check_station(&s, err)) == UK_OK &&
	    (rc = store_write_wait(a->store, make_ticket, &s, err)) == UK_OK) {
		uk_log(a->log, UK_LOG_INFO, "production.ticket", UK_LS("order", s.ev.order),
		    UK_LS("staff", s.ev.actor), UK_LS("station", s.station), UK_LS("jti", s.jti));
		rc = answer_ticket(&s, rq, err);
	}
	uk_secret_free(&s.pin);
	uk_secret_free(&s.so_pin);
	uk_jwk_free(&s.channel);
	return rc;
}
