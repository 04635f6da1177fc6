/* The status of certificates [C14] [M2], and the tokens' SO PINs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca_place.h"
#include "store/conn.h"
#include "uk/b64.h"
#include "workflow/certificate.h"
#include "workflow/so_pin.h"
#include "workflow_fixture.h"

#define UNTIL (PLACE_NOW + 365 * (int64_t)PLACE_DAY)

struct shelf {
	struct world w;
	struct place ca;
	char sign[SERIAL_LEN];
	char encrypt[SERIAL_LEN];
};

/* One write, or read, whatever it is. */
struct call {
	const struct shelf *s;
	enum uk_rc (*fn)(struct store_tx *, const struct call *, struct uk_err *);
	const char *serial;
	const char *why;
	int64_t now;
	struct uk_span der;
	const char *pair;
	enum certificate_usage usage;
	struct certificate out;
	struct certificate_list list;
	struct uk_buf *text;
	struct so_pins *pins;
};

static enum uk_rc
run_call(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct call *c = ctx;

	return c->fn(tx, c, err);
}

static enum uk_rc
call(struct shelf *s, struct call *c, struct uk_err *err)
{
	c->s = s;
	*err = (struct uk_err){ 0 };
	return store_write_wait(s->w.store, run_call, c, err);
}

static enum uk_rc
do_issue(struct store_tx *tx, const struct call *c, struct uk_err *err)
{
	struct certificate plan = {
		.usage = c->usage, .not_before = PLACE_NOW, .not_after = UNTIL
	};
	struct uk_cert *cert = NULL;
	enum uk_rc rc = uk_cert_parse(c->der, &cert, err);

	assert_int_equal(rc, UK_OK);
	(void)snprintf(plan.serial, sizeof(plan.serial), "%s", c->serial);
	(void)snprintf(plan.pair, sizeof(plan.pair), "%s", c->pair);
	(void)snprintf(plan.intent, sizeof(plan.intent), "test/%s", c->serial);
	(void)snprintf(plan.order, sizeof(plan.order), "UK2611220000AAAA");
	(void)snprintf(plan.token, sizeof(plan.token), "T1");
	(void)snprintf(plan.profile, sizeof(plan.profile), "organisation");
	if ((rc = certificate_intend(tx, c->s->w.crypt, &plan, c->der, PLACE_NOW, err)) == UK_OK)
		rc = certificate_issued(tx, c->s->w.crypt, cert, PLACE_NOW, err);
	uk_cert_free(&cert);
	return rc;
}

static void
issue(struct shelf *s, const char *serial, const char *pair, enum certificate_usage usage,
    struct uk_span der)
{
	struct uk_err err;

	assert_int_equal(
	    call(s,
		&(struct call){
		    .fn = do_issue, .serial = serial, .pair = pair, .usage = usage, .der = der },
		&err),
	    UK_OK);
}

static int
setup(void **state)
{
	struct shelf *s = uk_xalloc(sizeof(*s));
	struct uk_buf spki, a, b;

	world_init(&s->w);
	place_init(&s->ca, "p256", PLACE_NOW);
	place_spki("P-256", &spki, NULL);
	place_issue(&s->ca, uk_buf_span(&spki), PLACE_NOW, &a, s->sign);
	place_issue(&s->ca, uk_buf_span(&spki), PLACE_NOW, &b, s->encrypt);
	issue(s, s->sign, s->encrypt, CERTIFICATE_SIGN, uk_buf_span(&a));
	issue(s, s->encrypt, s->sign, CERTIFICATE_ENCRYPT, uk_buf_span(&b));
	uk_buf_fini(&spki);
	uk_buf_fini(&a);
	uk_buf_fini(&b);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct shelf *s = *state;

	place_fini(&s->ca);
	world_fini(&s->w);
	free(s);
	return 0;
}

static enum uk_rc
do_suspend(struct store_tx *tx, const struct call *c, struct uk_err *err)
{
	return certificate_suspend(tx, c->serial, "holder", c->now, err);
}

static enum uk_rc
do_resume(struct store_tx *tx, const struct call *c, struct uk_err *err)
{
	return certificate_resume(tx, c->serial, "rita", c->now, err);
}

static enum uk_rc
do_revoke(struct store_tx *tx, const struct call *c, struct uk_err *err)
{
	return certificate_revoke(tx, c->serial, c->why, "rita", c->now, err);
}

static enum uk_rc
do_get(struct store_tx *tx, const struct call *c, struct uk_err *err)
{
	return certificate_get(tx, c->serial, &((struct call *)(uintptr_t)c)->out, err);
}

static enum certificate_status
status(struct shelf *s, const char *serial, int64_t now)
{
	struct call c = { .fn = do_get, .serial = serial };
	struct uk_err err;

	assert_int_equal(call(s, &c, &err), UK_OK);
	return certificate_status(&c.out, now);
}

static void
change(struct shelf *s, enum uk_rc (*fn)(struct store_tx *, const struct call *, struct uk_err *),
    const char *serial, const char *why, int64_t now, enum uk_rc rc, const char *reason)
{
	struct call c = { .fn = fn, .serial = serial, .why = why, .now = now };
	struct uk_err err;

	assert_int_equal(call(s, &c, &err), rc);
	if (rc != UK_OK)
		assert_string_equal(uk_err_reason(&err), reason);
}

#define COUNT(s, sql) world_count(&(s)->w, "SELECT COUNT(*) FROM " sql)

/* [M2] lost and found again: both certificates of the key, and the list each time. */
static void
suspended_and_resumed(void **state)
{
	struct shelf *s = *state;
	const int64_t now = PLACE_NOW + 100;

	change(s, do_suspend, s->sign, NULL, now, UK_OK, NULL);
	assert_int_equal(status(s, s->sign, now), CERTIFICATE_SUSPENDED);
	assert_int_equal(status(s, s->encrypt, now), CERTIFICATE_SUSPENDED);
	assert_int_equal(COUNT(s, "jobs WHERE kind = 'crl' AND status = 'waiting'"), 1);
	assert_int_equal(COUNT(s, "certificate_events WHERE event = 'suspended' AND"
				  " actor = 'holder' AND n = 1"),
	    2);
	/* once more: the first date stays */
	change(s, do_suspend, s->encrypt, NULL, now + 50, UK_OK, NULL);
	assert_int_equal(COUNT(s, "certificate_events"), 2);
	assert_int_equal(world_count(&s->w, "SELECT MAX(suspended_at) FROM certificates"), now);
	change(s, do_resume, s->encrypt, NULL, now + 60, UK_OK, NULL);
	assert_int_equal(status(s, s->sign, now + 60), CERTIFICATE_VALID);
	assert_int_equal(status(s, s->encrypt, now + 60), CERTIFICATE_VALID);
	change(s, do_resume, s->sign, NULL, now + 70, UK_OK, NULL);
	assert_int_equal(COUNT(s, "certificate_events"), 4);
}

static void
revoked_for_ever(void **state)
{
	struct shelf *s = *state;
	const int64_t now = PLACE_NOW + 100;

	change(s, do_suspend, s->sign, NULL, now, UK_OK, NULL);
	change(s, do_revoke, s->sign, "key-compromise", now + 10, UK_OK, NULL);
	assert_int_equal(status(s, s->sign, now), CERTIFICATE_REVOKED);
	assert_int_equal(status(s, s->encrypt, now), CERTIFICATE_REVOKED);
	change(s, do_revoke, s->sign, "superseded", now + 20, UK_OK, NULL);
	assert_int_equal(COUNT(s, "certificates WHERE revoked_why = 'key-compromise'"), 2);
	change(s, do_suspend, s->sign, NULL, now, UK_E_CONFLICT, "certificate-revoked");
	change(s, do_resume, s->sign, NULL, now, UK_E_CONFLICT, "certificate-revoked");
	assert_int_equal(COUNT(s, "certificate_events"), 4);
}

static void
refused(void **state)
{
	struct shelf *s = *state;

	change(s, do_suspend, "00", NULL, PLACE_NOW, UK_E_NOT_FOUND, "certificate-not-found");
	change(
	    s, do_revoke, "00", "superseded", PLACE_NOW, UK_E_NOT_FOUND, "certificate-not-found");
	change(s, do_revoke, s->sign, "hold", PLACE_NOW, UK_E_INPUT, "invalid-input");
	change(s, do_revoke, s->sign, "because", PLACE_NOW, UK_E_INPUT, "invalid-input");
	change(s, do_suspend, s->sign, NULL, UNTIL + 1, UK_E_CONFLICT, "certificate-expired");
	assert_int_equal(status(s, s->sign, UNTIL), CERTIFICATE_VALID);
	assert_int_equal(status(s, s->sign, UNTIL + 1), CERTIFICATE_EXPIRED);
	assert_int_equal(COUNT(s, "certificate_events"), 0);
	assert_int_equal(COUNT(s, "jobs"), 0);
}

static enum uk_rc
do_list(struct store_tx *tx, const struct call *c, struct uk_err *err)
{
	struct call *m = (struct call *)(uintptr_t)c;
	enum uk_rc rc = certificates_of_token(tx, c->serial, &m->list, err);

	if (rc == UK_OK && certificate_current(&m->list) != NULL)
		rc = certificate_der(
		    tx, c->s->w.crypt, certificate_current(&m->list)->serial, m->text, err);
	return rc;
}

/* Found by the key's serial; what is in it is not in the file in the clear. */
static void
found_and_sealed(void **state)
{
	struct shelf *s = *state;
	struct call c = { .fn = do_list, .serial = "T1" };
	struct uk_cert *cert = NULL;
	struct uk_buf der;
	struct uk_err err;

	uk_buf_init(&der, ISSUER_CERT_MAX);
	c.text = &der;
	assert_int_equal(call(s, &c, &err), UK_OK);
	assert_int_equal(c.list.n, 2);
	assert_string_equal(certificate_current(&c.list)->serial, s->sign);
	assert_int_equal(uk_cert_parse(uk_buf_span(&der), &cert, NULL), UK_OK);
	assert_string_equal(uk_cert_serial(cert), s->sign);
	certificate_list_fini(&c.list);
	assert_int_equal(COUNT(s, "certificates WHERE hex(der) LIKE '30%' OR length(tbs) > 0"), 0);
	change(s, do_revoke, s->sign, "superseded", PLACE_NOW + 1, UK_OK, NULL);
	assert_int_equal(call(s, &c, &err), UK_OK);
	assert_null(certificate_current(&c.list));
	certificate_list_fini(&c.list);
	uk_cert_free(&cert);
	uk_buf_fini(&der);
}

static enum uk_rc
do_clear(struct store_tx *tx, const struct call *c, struct uk_err *err)
{
	return tx->ops->script(tx->db, c->why, err);
}

/* What an older version stored, in the clear, is read as it is. */
static void
older_rows_are_read(void **state)
{
	struct shelf *s = *state;
	struct call c = { .fn = do_list, .serial = "T1" };
	struct uk_buf der, sql, again;
	struct uk_err err;

	uk_buf_init(&der, ISSUER_CERT_MAX);
	uk_buf_init(&again, ISSUER_CERT_MAX);
	uk_buf_init(&sql, 4 * ISSUER_CERT_MAX);
	c.text = &der;
	assert_int_equal(call(s, &c, &err), UK_OK);
	certificate_list_fini(&c.list);
	uk_buf_put_str(&sql, "UPDATE certificates SET der = X'");
	uk_hex_put(&sql, uk_buf_span(&der));
	uk_buf_put_str(&sql, "'");
	assert_int_equal(
	    call(s, &(struct call){ .fn = do_clear, .why = uk_buf_str(&sql) }, &err), UK_OK);
	c.text = &again;
	assert_int_equal(call(s, &c, &err), UK_OK);
	assert_true(uk_span_eq(uk_buf_span(&der), uk_buf_span(&again)));
	certificate_list_fini(&c.list);
	/* sealed elsewhere is not read */
	assert_int_equal(
	    call(s,
		&(struct call){ .fn = do_clear, .why = "UPDATE certificates SET der = X'0100'" },
		&err),
	    UK_OK);
	assert_int_equal(call(s, &c, &err), UK_E_INTEGRITY);
	certificate_list_fini(&c.list);
	uk_buf_fini(&der);
	uk_buf_fini(&again);
	uk_buf_fini(&sql);
}

/* --- SO PINs --- */

static enum uk_rc
do_put(struct store_tx *tx, const struct call *c, struct uk_err *err)
{
	struct uk_secret *pin = so_pin_make(&uk_random_system);
	const enum uk_rc rc = so_pin_put(tx, c->s->w.crypt, c->serial, pin, 1, err);

	assert_int_equal(uk_secret_lend(pin).n, 16);
	uk_secret_free(&pin);
	return rc;
}

static enum uk_rc
do_pins(struct store_tx *tx, const struct call *c, struct uk_err *err)
{
	return so_pins_for(tx, c->s->w.crypt, c->serial, c->pins, err);
}

static enum uk_rc
do_next(struct store_tx *tx, const struct call *c, struct uk_err *err)
{
	return so_pin_next(tx, c->s->w.crypt, &uk_random_system, c->serial, 2, c->pins, err);
}

static enum uk_rc
do_proved(struct store_tx *tx, const struct call *c, struct uk_err *err)
{
	return so_pin_proved(tx, c->serial, 3, err);
}

static struct so_pins
pins(struct shelf *s, enum uk_rc (*fn)(struct store_tx *, const struct call *, struct uk_err *))
{
	struct so_pins p = { 0 };
	struct uk_err err;

	assert_int_equal(
	    call(s, &(struct call){ .fn = fn, .serial = "T1", .pins = &p }, &err), UK_OK);
	return p;
}

/* A ticket that may have been used keeps its SO PIN until the key has spoken. */
static void
two_so_pins_at_most(void **state)
{
	struct shelf *s = *state;
	struct so_pins made, first, second, after;
	struct uk_err err;

	assert_int_equal(
	    call(s, &(struct call){ .fn = do_pins, .serial = "T1", .pins = &made }, &err),
	    UK_E_NOT_FOUND);
	assert_string_equal(uk_err_reason(&err), "token-unknown");
	(void)pins(s, do_put);
	made = pins(s, do_pins);
	assert_non_null(made.next);
	assert_null(made.proved);
	(void)pins(s, do_proved); /* at production, by the proof of the order */
	first = pins(s, do_next);
	assert_true(uk_secret_eq(first.proved, made.next));
	assert_false(uk_secret_eq(first.next, first.proved));
	second = pins(s, do_next); /* another ticket: the same next one */
	assert_true(uk_secret_eq(second.next, first.next));
	assert_true(uk_secret_eq(second.proved, first.proved));
	(void)pins(s, do_proved);
	(void)pins(s, do_proved);
	after = pins(s, do_pins);
	assert_null(after.next);
	assert_true(uk_secret_eq(after.proved, first.next));
	assert_int_equal(COUNT(s, "token_pins"), 1);
	so_pins_fini(&made);
	so_pins_fini(&first);
	so_pins_fini(&second);
	so_pins_fini(&after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(suspended_and_resumed, setup, teardown),
		cmocka_unit_test_setup_teardown(revoked_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(found_and_sealed, setup, teardown),
		cmocka_unit_test_setup_teardown(older_rows_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(two_so_pins_at_most, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
