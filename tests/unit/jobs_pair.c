/*
 * The two certificates of an SM2 key [N9]: both or none, whatever fails in between, and the second
 * key pair kept where neither the database nor the server's master key gives it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "ca_place.h"
#include "jobs/kinds.h"
#include "jobs_fakes.h"
#include "km/km.h"
#include "store/conn.h"
#include "uk/config.h"
#include "workflow/certificate.h"
#include "workflow_fixture.h"

struct works {
	struct world w;
	struct place ca;
	char km_path[128];
	struct km *km;
	struct fake_sms sms;
	struct jobs *jobs;
	struct order order; /* issuing */
};

static void
open_jobs(struct works *k)
{
	const struct jobs_setup setup = { .store = k->w.store,
		.workflow = &k->w.w,
		.crypt = k->w.crypt,
		.clock = &k->w.clock,
		.random = &uk_random_system,
		.sms = &k->sms.base,
		.authority = k->ca.a,
		.km = k->km };

	assert_int_equal(jobs_open(&setup, &k->jobs, NULL), UK_OK);
}

static void
open_km(struct works *k, uint8_t first)
{
	const uint8_t key[32] = { first };

	(void)snprintf(k->km_path, sizeof(k->km_path), "%s/km.key", k->ca.dir);
	assert_int_equal(uk_file_write(k->km_path, 0600, uk_span(key, sizeof(key)), NULL), UK_OK);
	assert_int_equal(km_open(k->km_path, &uk_random_system, &k->km, NULL), UK_OK);
}

struct call {
	struct works *k;
	struct uk_span der;
	const char *sql;
	enum uk_rc (*fn)(struct store_tx *, struct call *, struct uk_err *);
	struct certificate cert[2];
	struct uk_buf text;
};

static enum uk_rc
run_call(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct call *c = ctx;

	return c->fn(tx, c, err);
}

static enum uk_rc
put_request(struct store_tx *tx, struct call *c, struct uk_err *err)
{
	return store_run(tx, SQL_REQUEST_PUT,
	    STORE_ARGS(DB_T(c->k->order.id), DB_I(c->k->order.requests), DB_T("S0001"),
		DB_B(c->der), DB_I(1)),
	    NULL, err);
}

static enum uk_rc
run_sql(struct store_tx *tx, struct call *c, struct uk_err *err)
{
	return tx->ops->script(tx->db, c->sql, err);
}

static void
sql(struct works *k, const char *text)
{
	struct call c = { .k = k, .fn = run_sql, .sql = text };

	assert_int_equal(store_write_wait(k->w.store, run_call, &c, NULL), UK_OK);
}

static void
store_request(struct works *k, const char *type)
{
	struct call c = { .k = k, .fn = put_request };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	X509_REQ *req = X509_REQ_new();
	unsigned char *der = NULL;
	struct uk_buf spki;
	EVP_PKEY *key = NULL;
	int n;

	place_spki(type, &spki, &key);
	place_sign_init(ctx, key);
	assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
	assert_true(X509_REQ_sign_ctx(req, ctx) > 0);
	n = i2d_X509_REQ(req, &der);
	assert_true(n > 0);
	c.der = uk_span(der, (size_t)n);
	assert_int_equal(store_write_wait(k->w.store, run_call, &c, NULL), UK_OK);
	OPENSSL_free(der);
	X509_REQ_free(req);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	uk_buf_fini(&spki);
}

static void
run(struct works *k)
{
	assert_int_equal(jobs_run_due(k->jobs, NULL, NULL), UK_OK);
	k->order = world_load(&k->w, k->order.id);
}

static int
setup(void **state)
{
	struct works *k = uk_xalloc(sizeof(*k));

	world_init(&k->w);
	fake_sms_init(&k->sms);
	place_init(&k->ca, "sm2", k->w.now);
	open_km(k, 3);
	open_jobs(k);
	k->order = world_bring(&k->w, ST_PRODUCING);
	run(k);
	k->order = world_bring_from(&k->w, k->order, ST_ISSUING, METHOD_MOBILE);
	*state = k;
	return 0;
}

static int
teardown(void **state)
{
	struct works *k = *state;

	jobs_close(&k->jobs);
	km_close(&k->km);
	place_fini(&k->ca);
	world_fini(&k->w);
	free(k);
	return 0;
}

#define COUNT(k, text) world_count(&(k)->w, "SELECT COUNT(*) FROM " text)

static enum uk_rc
read_pair(struct store_tx *tx, struct call *c, struct uk_err *err)
{
	char intent[CERTIFICATE_INTENT_LEN];
	enum uk_rc rc;

	(void)snprintf(intent, sizeof(intent), "%s/1", c->k->order.id);
	if ((rc = certificate_by_intent(tx, intent, &c->cert[0], err)) != UK_OK ||
	    (rc = certificate_get(tx, c->cert[0].pair, &c->cert[1], err)) != UK_OK)
		return rc;
	uk_buf_reset(&c->text);
	return km_enveloped(tx, c->cert[1].serial, &c->text, err);
}

static struct call
pair(struct works *k)
{
	struct call c = { .k = k, .fn = read_pair };

	uk_buf_init(&c.text, KM_ENVELOPE_MAX);
	assert_int_equal(store_write_wait(k->w.store, run_call, &c, NULL), UK_OK);
	return c;
}

static void
both_for_sm2(void **state)
{
	struct works *k = *state;
	struct call first, again;
	char key[64];
	char text[256];

	store_request(k, "SM2");
	run(k);
	assert_int_equal(k->order.state, ST_PROVING);
	first = pair(k);
	assert_int_equal(first.cert[0].usage, CERTIFICATE_SIGN);
	assert_int_equal(first.cert[1].usage, CERTIFICATE_ENCRYPT);
	assert_string_equal(first.cert[1].pair, first.cert[0].serial);
	assert_string_equal(first.cert[1].token, "S0001");
	assert_string_equal(first.cert[1].holder, first.cert[0].holder);
	assert_true(first.text.n > 200);
	/* the worker died before the order heard of it: the same again, and the same envelope */
	(void)snprintf(key, sizeof(key), "issue/%s/1", k->order.id);
	(void)snprintf(
	    text, sizeof(text), "UPDATE jobs SET status = 'waiting' WHERE key = '%s'", key);
	sql(k, text);
	run(k);
	again = pair(k);
	assert_true(uk_span_eq(uk_buf_span(&first.text), uk_buf_span(&again.text)));
	assert_string_equal(first.cert[1].fingerprint, again.cert[1].fingerprint);
	assert_int_equal(COUNT(k, "certificates"), 2);
	assert_int_equal(COUNT(k, "km_keys"), 1);
	uk_buf_fini(&first.text);
	uk_buf_fini(&again.text);
}

static void
one_for_other_keys(void **state)
{
	struct works *k = *state;

	store_request(k, "P-256");
	run(k);
	assert_int_equal(k->order.state, ST_PROVING);
	assert_int_equal(COUNT(k, "certificates WHERE usage = 'sign' AND pair = ''"), 1);
	assert_int_equal(COUNT(k, "certificates"), 1);
	assert_int_equal(COUNT(k, "km_keys"), 0);
}

/* Between the intents and the certificates: the store says no to the second one. */
static void
both_or_none(void **state)
{
	struct works *k = *state;
	char serials[2][SERIAL_LEN];
	struct call c;

	store_request(k, "SM2");
	sql(k, "CREATE TRIGGER trouble BEFORE UPDATE ON certificates WHEN NEW.usage = 'encrypt'"
	       " BEGIN SELECT RAISE(ABORT, 'trouble'); END");
	run(k);
	assert_int_equal(k->order.state, ST_ISSUING);
	assert_int_equal(COUNT(k, "certificates WHERE der IS NULL"), 2);
	assert_int_equal(COUNT(k, "km_keys"), 1);
	assert_int_equal(COUNT(k, "certificates c JOIN certificates d ON c.pair = d.serial"
				  " AND d.pair = c.serial"),
	    2);
	sql(k, "CREATE TABLE kept AS SELECT serial, usage FROM certificates");
	sql(k, "DROP TRIGGER trouble");
	k->w.now += 60;
	run(k);
	assert_int_equal(k->order.state, ST_PROVING);
	/* those that were intended, and no others */
	assert_int_equal(COUNT(k, "certificates JOIN kept ON kept.serial = certificates.serial"
				  " AND kept.usage = certificates.usage WHERE der IS NOT NULL"),
	    2);
	assert_int_equal(COUNT(k, "certificates"), 2);
	assert_int_equal(COUNT(k, "km_keys"), 1);
	c = pair(k);
	memcpy(serials[0], c.cert[0].serial, SERIAL_LEN);
	memcpy(serials[1], c.cert[1].serial, SERIAL_LEN);
	assert_string_not_equal(serials[0], serials[1]);
	uk_buf_fini(&c.text);
}

/* Before the intents: nothing at all is left. */
static void
none_without_key_management(void **state)
{
	struct works *k = *state;

	store_request(k, "SM2");
	sql(k, "CREATE TRIGGER trouble BEFORE INSERT ON km_keys"
	       " BEGIN SELECT RAISE(ABORT, 'trouble'); END");
	run(k);
	assert_int_equal(k->order.state, ST_ISSUING);
	assert_int_equal(COUNT(k, "certificates"), 0);
	sql(k, "DROP TRIGGER trouble");
	jobs_close(&k->jobs);
	km_close(&k->km);
	open_jobs(k);
	k->w.now += 60;
	run(k);
	assert_int_equal(k->order.state, ST_ISSUING);
	assert_int_equal(COUNT(k, "certificates"), 0);
	jobs_close(&k->jobs);
	open_km(k, 3);
	open_jobs(k);
	k->w.now += 600;
	run(k);
	assert_int_equal(k->order.state, ST_PROVING);
	assert_int_equal(COUNT(k, "certificates WHERE der IS NOT NULL"), 2);
}

/* [A3] a key that is made again has both of its first certificates revoked */
static void
both_are_revoked(void **state)
{
	struct works *k = *state;
	const struct event ev = {
		.on = EV_RELEASE, .order = k->order.id, .by = BY_PRODUCER, .actor = "paul"
	};

	store_request(k, "SM2");
	run(k);
	k->order = world_send(&k->w, &ev);
	run(k);
	assert_int_equal(COUNT(k, "certificates WHERE revoked_at > 0"), 2);
	assert_int_equal(COUNT(k, "certificate_events WHERE event = 'revoked'"
				  " AND actor = 'server'"),
	    2);
}

static enum uk_rc
recover(struct store_tx *tx, struct call *c, struct uk_err *err)
{
	struct uk_secret *d = NULL;
	const enum uk_rc rc = km_recover(c->k->km, tx, c->cert[1].serial, &d, err);

	if (rc == UK_OK)
		assert_int_equal(uk_secret_lend(d).n, 32);
	uk_secret_free(&d);
	return rc;
}

static void
kept_under_its_own_key(void **state)
{
	struct works *k = *state;
	struct uk_err err = { 0 };
	struct call c;

	store_request(k, "SM2");
	run(k);
	c = pair(k);
	c.fn = recover;
	assert_int_equal(store_write_wait(k->w.store, run_call, &c, &err), UK_OK);
	km_close(&k->km);
	open_km(k, 4);
	assert_int_equal(store_write_wait(k->w.store, run_call, &c, &err), UK_E_INTEGRITY);
	c.cert[1] = c.cert[0]; /* of signing keys there is no copy */
	assert_int_equal(store_write_wait(k->w.store, run_call, &c, &err), UK_E_NOT_FOUND);
	assert_string_equal(uk_err_reason(&err), "key-not-kept");
	uk_buf_fini(&c.text);
}

static void
key_file_is_private_and_whole(void **state)
{
	struct works *k = *state;
	struct km *km = NULL;
	struct uk_err err = { 0 };

	assert_int_equal(uk_file_write(k->km_path, 0644, uk_span_str("short"), NULL), UK_OK);
	assert_int_equal(km_open(k->km_path, &uk_random_system, &km, &err), UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "km-key-not-private");
	assert_int_equal(uk_file_write(k->km_path, 0600, uk_span_str("short"), NULL), UK_OK);
	assert_int_equal(km_open(k->km_path, &uk_random_system, &km, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "km-key-length");
	assert_int_equal(unlink(k->km_path), 0);
	assert_int_equal(km_open(k->km_path, &uk_random_system, &km, &err), UK_E_NOT_FOUND);
	assert_string_equal(uk_err_reason(&err), "km-key-missing");
	assert_null(km);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_for_sm2, setup, teardown),
		cmocka_unit_test_setup_teardown(one_for_other_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(both_or_none, setup, teardown),
		cmocka_unit_test_setup_teardown(none_without_key_management, setup, teardown),
		cmocka_unit_test_setup_teardown(both_are_revoked, setup, teardown),
		cmocka_unit_test_setup_teardown(kept_under_its_own_key, setup, teardown),
		cmocka_unit_test_setup_teardown(key_file_is_private_and_whole, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
