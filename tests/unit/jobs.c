#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "ca/authority.h"
#include "jobs/kinds.h"
#include "jobs_fakes.h"
#include "workflow_fixture.h"

#define AGENT  "13800000001"
#define PROVED "13900000009"

struct outside {
	struct world w;
	struct fake_pay pay;
	struct fake_sms sms;
	struct fake_bank bank;
	struct fake_ident ident;
	struct authority *authority;
	struct jobs *jobs;
};

static void
open_jobs(struct outside *o, int threads)
{
	const struct jobs_setup setup = {
		.store = o->w.store,
		.workflow = &o->w.w,
		.crypt = o->w.crypt,
		.clock = &o->w.clock,
		.random = &uk_random_system,
		.pay = &o->pay.base,
		.bank = &o->bank.base,
		.sms = &o->sms.base,
		.ident = &o->ident.base,
		.authority = o->authority,
		.bank_notify_url = "http://localhost/notify/bank",
		.threads = threads,
	};
	struct uk_err err = { 0 };

	assert_int_equal(jobs_open(&setup, &o->jobs, &err), UK_OK);
}

static int
setup(void **state)
{
	struct outside *o = uk_xalloc(sizeof(*o));

	world_init(&o->w);
	fake_pay_init(&o->pay);
	fake_sms_init(&o->sms);
	fake_bank_init(&o->bank);
	fake_ident_init(&o->ident);
	open_jobs(o, 0);
	*state = o;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "root.cer", "root.key", "issuer.cer", "issuer.key" };
	struct outside *o = *state;
	char path[128];

	jobs_close(&o->jobs);
	authority_close(&o->authority);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", o->w.dir, files[i]);
		(void)unlink(path);
	}
	world_fini(&o->w);
	free(o);
	return 0;
}

static void
with_authority(struct outside *o)
{
	const uint8_t key[32] = { 9 };
	struct uk_secret *master = uk_secret_new(uk_span(key, sizeof(key)));
	const struct authority_settings s = {
		.dir = o->w.dir, .origin = "http://localhost:8600", .master = master
	};
	struct uk_err err = { 0 };

	jobs_close(&o->jobs);
	assert_int_equal(
	    authority_init(&s, "p256", "Test CA", o->w.now, &uk_random_system, &err), UK_OK);
	assert_int_equal(authority_open(&s, &o->authority, &err), UK_OK);
	uk_secret_free(&master);
	open_jobs(o, 0);
}

static int
run(struct outside *o)
{
	struct uk_err err = { 0 };
	int n = -1;

	assert_int_equal(jobs_run_due(o->jobs, &n, &err), UK_OK);
	return n;
}

#define COUNT(o, sql) world_count(&(o)->w, "SELECT COUNT(*) FROM " sql)

static struct order
load(struct outside *o, const struct order *order)
{
	return world_load(&o->w, order->id);
}

static struct order
send(struct outside *o, const struct order *order, enum order_event on, enum order_by by,
    const char *actor)
{
	const struct event ev = { .on = on, .order = order->id, .by = by, .actor = actor };

	return world_send(&o->w, &ev);
}

/* --- identity --- */

static void
identity_is_checked(void **state)
{
	struct outside *o = *state;
	struct order order = world_order(&o->w);

	order = world_bring_from(&o->w, order, ST_IDENTITY_CHECKING, METHOD_BANK_CARD);
	assert_int_equal(run(o), 1);
	order = load(o, &order);
	assert_int_equal(order.state, ST_CONFIRM);
	assert_string_equal(o->ident.card, "6222020000000000000");
	assert_int_equal(
	    COUNT(o, "identity_checks WHERE outcome = 'match' AND evidence = 'Fake=1'"), 1);
	assert_int_equal(run(o), 0);
}

struct kept {
	struct outside *o;
	const char *id;
	json_t *subject;
};

static enum uk_rc
load_kept(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct kept *k = ctx;

	return order_check_load(tx, k->o->w.crypt, k->id, 1, &k->subject, err);
}

static void
assert_no_card(struct outside *o, const struct order *order)
{
	struct kept k = { .o = o, .id = order->id };
	struct uk_err err;

	assert_int_equal(store_read(o->w.store, load_kept, &k, &err), UK_OK);
	assert_null(json_object_get(k.subject, "card"));
	assert_non_null(json_object_get(k.subject, "phone"));
	json_decref(k.subject);
}

/* Nor when nobody could say, or nobody asks any more. */
static void
card_number_is_not_kept(void **state)
{
	struct outside *o = *state;
	struct order order = world_order(&o->w);

	order = world_bring_from(&o->w, order, ST_IDENTITY_CHECKING, METHOD_BANK_CARD);
	(void)run(o);
	assert_no_card(o, &order);

	order = world_order(&o->w);
	order = world_bring_from(&o->w, order, ST_IDENTITY_CHECKING, METHOD_BANK_CARD);
	o->ident.outcome = IDENT_UNAVAILABLE;
	for (int i = 0; i < 3; i++) {
		(void)run(o);
		o->w.now += 10;
	}
	assert_int_equal(load(o, &order).state, ST_IDENTITY);
	assert_no_card(o, &order);
	assert_int_equal(COUNT(o, "identity_checks WHERE outcome = 'service-unavailable'"), 1);

	order = world_order(&o->w);
	order = world_bring_from(&o->w, order, ST_IDENTITY_CHECKING, METHOD_BANK_CARD);
	order = send(o, &order, EV_CANCEL, BY_APPLICANT, "");
	(void)run(o);
	assert_int_equal(o->ident.checks, 4);
	assert_no_card(o, &order);
	assert_int_equal(COUNT(o, "identity_checks WHERE outcome = 'not-needed'"), 1);
}

/* [C4] */
static void
identity_mismatch_says_why(void **state)
{
	struct outside *o = *state;
	struct order order = world_bring(&o->w, ST_IDENTITY_CHECKING);

	o->ident.outcome = IDENT_MISMATCH;
	(void)run(o);
	order = load(o, &order);
	assert_int_equal(order.state, ST_IDENTITY);
	assert_string_equal(order.identity_reason, "mismatch");
	assert_int_equal(order_identity_attempts_left(&order, o->w.now), 2);
}

static void
identity_service_down_is_tried_then_given_up(void **state)
{
	struct outside *o = *state;
	struct order order = world_bring(&o->w, ST_IDENTITY_CHECKING);

	o->ident.outcome = IDENT_UNAVAILABLE;
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(run(o), 1);
		assert_int_equal(o->ident.checks, i);
		assert_int_equal(run(o), 0); /* not before its time */
		o->w.now += 10;
	}
	order = load(o, &order);
	assert_int_equal(order.state, ST_IDENTITY);
	assert_string_equal(order.identity_reason, "service-unavailable");
	assert_int_equal(order_identity_attempts_left(&order, o->w.now), 3);
	assert_int_equal(COUNT(o, "jobs WHERE kind = 'identity-check' AND status = 'failed'"), 1);
	assert_int_equal(COUNT(o, "tasks WHERE kind = 'job-failed' AND role = 'administrator'"), 1);
}

static void
cancelled_meanwhile_is_no_trouble(void **state)
{
	struct outside *o = *state;
	struct order order = world_bring(&o->w, ST_IDENTITY_CHECKING);

	order = send(o, &order, EV_CANCEL, BY_APPLICANT, "");
	assert_int_equal(run(o), 1);
	assert_int_equal(o->ident.checks, 0);
	assert_int_equal(load(o, &order).state, ST_CANCELLED);
	assert_int_equal(COUNT(o, "tasks"), 0);
}

/* --- money --- */

static struct order
waiting_for_payment(struct outside *o)
{
	const struct order order = world_bring(&o->w, ST_PAYMENT);

	return send(o, &order, EV_PAY, BY_APPLICANT, "");
}

static void
payment_is_found_without_a_notification(void **state)
{
	struct outside *o = *state;
	struct order order = waiting_for_payment(o);

	(void)run(o);
	assert_int_equal(o->pay.queries, 0);
	o->w.now += 60;
	(void)run(o);
	assert_int_equal(o->pay.queries, 1); /* the page was never opened */
	o->pay.known = true;
	o->w.now += 1800;
	(void)run(o);
	assert_int_equal(o->pay.queries, 2);
	assert_int_equal(load(o, &order).state, ST_PAYMENT);
	o->pay.status = PAY_PAID;
	o->w.now += 1800;
	(void)run(o);
	order = load(o, &order);
	assert_int_equal(order.state, ST_REVIEW);
	assert_int_equal(order.amount_paid, FEE);
	assert_int_equal(
	    COUNT(o, "payments WHERE status = 'paid' AND trade_no = '2026112200001'"), 1);
}

/* [C8] a notification and the page's own question may come together, and again. */
static void
payment_checks_may_repeat(void **state)
{
	struct outside *o = *state;
	const struct order order = waiting_for_payment(o);
	struct uk_err err = { 0 };

	assert_int_equal(jobs_payment_check(o->jobs, order.payment, &err), UK_OK);
	assert_int_equal(load(o, &order).state, ST_PAYMENT);
	o->pay.known = true;
	o->pay.status = PAY_PAID;
	for (int i = 0; i < 3; i++)
		assert_int_equal(jobs_payment_check(o->jobs, order.payment, &err), UK_OK);
	assert_int_equal(load(o, &order).state, ST_REVIEW);
	assert_int_equal(COUNT(o, "strays"), 0);
	assert_int_equal(COUNT(o, "jobs WHERE kind = 'refund'"), 0);
	o->pay.rc = UK_E_TIMEOUT;
	assert_int_equal(jobs_payment_check(o->jobs, order.payment, &err), UK_OK);
	/* paid under a number we never gave out */
	o->pay.rc = UK_OK;
	assert_int_equal(jobs_payment_check(o->jobs, "UK999999AAAAAAAAP1", &err), UK_OK);
	assert_int_equal(COUNT(o, "strays"), 1);
}

static void
closed_trade_can_be_paid_anew(void **state)
{
	struct outside *o = *state;
	struct order order = waiting_for_payment(o);

	o->pay.known = true;
	o->pay.status = PAY_CLOSED;
	o->w.now += 60;
	(void)run(o);
	assert_string_equal(load(o, &order).payment, "");
	order = send(o, &order, EV_PAY, BY_APPLICANT, "");
	assert_int_equal(order.payments, 2);
	assert_int_equal(COUNT(o, "payments WHERE status = 'closed'"), 1);
}

static void
cancelled_order_closes_its_trade(void **state)
{
	struct outside *o = *state;
	struct order order = waiting_for_payment(o);

	o->pay.known = true;
	order = send(o, &order, EV_CANCEL, BY_APPLICANT, "");
	(void)run(o);
	assert_int_equal(o->pay.closes, 1);
	assert_int_equal(COUNT(o, "payments WHERE status = 'closed'"), 1);
	assert_int_equal(load(o, &order).state, ST_CANCELLED);
}

/* The time-out, a payment after all, the refund and the word to the agent: all by itself. */
static void
late_payment_is_refunded_by_itself(void **state)
{
	struct outside *o = *state;
	struct order order = waiting_for_payment(o);

	o->w.now = order.timeout_at;
	o->pay.known = true;
	o->pay.status = PAY_PAID;
	o->pay.rc = UK_E_UNAVAILABLE;
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_EXPIRED);
	o->pay.rc = UK_OK;
	o->w.now += 1800;
	(void)run(o);
	order = load(o, &order);
	assert_int_equal(order.state, ST_REFUNDED);
	assert_int_equal(o->pay.refunds, 1);
	assert_int_equal(o->pay.refund_amount, FEE);
	assert_non_null(strstr(o->pay.refund_no, "P1R"));
	assert_string_equal(o->sms.phone, AGENT);
	assert_non_null(strstr(o->sms.text, "amount=200.00;"));
	assert_int_equal(COUNT(o, "tasks WHERE kind = 'payment-returned'"), 1);
}

static struct order
refunding(struct outside *o)
{
	struct order order = world_bring(&o->w, ST_REVIEW);
	struct event ev = { .on = EV_REJECT,
		.order = order.id,
		.by = BY_REVIEWER,
		.actor = "rita",
		.reason = "data-mismatch" };

	order = world_send(&o->w, &ev);
	return send(o, &order, EV_REFUND, BY_APPLICANT, "");
}

static void
refund_is_repeated_with_the_same_number(void **state)
{
	struct outside *o = *state;
	struct order order = refunding(o);
	char first[PAY_NO_LEN];

	o->pay.refund_rc = UK_E_TIMEOUT;
	(void)run(o);
	(void)snprintf(first, sizeof(first), "%s", o->pay.refund_no);
	o->pay.refund_rc = UK_OK;
	o->pay.refund_done = false;
	o->w.now += 3600;
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_REFUNDING);
	o->pay.refund_done = true;
	o->w.now += 3600;
	(void)run(o);
	assert_int_equal(o->pay.refunds, 3);
	assert_string_equal(o->pay.refund_no, first);
	assert_int_equal(load(o, &order).state, ST_REFUNDED);
}

static void
impossible_refund_is_finances_at_once(void **state)
{
	struct outside *o = *state;
	struct order order = refunding(o);

	o->pay.refund_rc = UK_E_CONFLICT;
	(void)run(o);
	order = load(o, &order);
	assert_int_equal(order.state, ST_REFUND_BY_HAND);
	assert_int_equal(COUNT(o, "tasks WHERE kind = 'refund-by-hand' AND role = 'finance'"
				  " AND detail = 'not-refundable'"),
	    1);
	assert_int_equal(COUNT(o, "payments WHERE status = 'by-hand'"), 1);
}

/* --- messages --- */

static void
messages_say_what_is_so(void **state)
{
	struct outside *o = *state;
	struct order order = world_bring(&o->w, ST_REVIEW);
	struct event ev = { .on = EV_REJECT,
		.order = order.id,
		.by = BY_REVIEWER,
		.actor = "rita",
		.reason = "document-unclear" };

	(void)run(o);
	order = world_send(&o->w, &ev);
	(void)run(o);
	assert_string_equal(o->sms.phone, AGENT);
	assert_non_null(strstr(o->sms.text, order.id));
	assert_non_null(strstr(o->sms.text, "reason=证件照片不清晰;"));
}

static void
message_is_retried_and_given_up_to_staff(void **state)
{
	struct outside *o = *state;
	struct order order = world_bring(&o->w, ST_REVIEW);
	int runs = 0;

	(void)run(o);
	o->sms.sent = 0;
	o->sms.outcome = SMS_RETRY;
	o->sms.error = "rate-limited";
	order = send(o, &order, EV_REJECT, BY_REVIEWER, "rita");
	for (; COUNT(o, "jobs WHERE kind = 'sms-send' AND status = 'failed'") == 0; runs++) {
		assert_true(runs < 20);
		(void)run(o);
		o->w.now += 3600;
	}
	assert_int_equal(o->sms.sent, 10);
	assert_int_equal(
	    COUNT(o, "tasks WHERE kind = 'job-failed' AND detail = 'rate-limited'"), 1);
	assert_int_equal(load(o, &order).state, ST_REJECTED);
}

/* --- password --- */

/* [C3] to the phone that was proved; not to the agent's. */
static void
password_goes_to_the_proved_phone(void **state)
{
	struct outside *o = *state;
	struct order order = world_bring(&o->w, ST_DELIVERING);

	(void)run(o);
	order = load(o, &order);
	assert_int_equal(order.state, ST_PRODUCTION);
	assert_string_equal(o->sms.to, PROVED);
	assert_int_equal(strlen(o->sms.password), 6);
	assert_int_equal(strspn(o->sms.password, "0123456789"), 6);
	assert_non_null(strstr(o->sms.seen, "approved"));
}

struct pin {
	struct outside *o;
	const struct order *order;
	struct uk_secret *secret;
};

static enum uk_rc
load_pin(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct pin *p = ctx;

	return jobs_password_load(tx, p->o->w.crypt, p->order, &p->secret, err);
}

static void
assert_pin(struct outside *o, const struct order *order, const char *expected)
{
	struct pin p = { .o = o, .order = order };
	struct uk_err err;
	const enum uk_rc rc = store_read(o->w.store, load_pin, &p, &err);

	assert_int_equal(rc, expected != NULL ? UK_OK : UK_E_NOT_FOUND);
	if (expected != NULL)
		assert_true(uk_span_eq(uk_secret_lend(p.secret), uk_span_str(expected)));
	uk_secret_free(&p.secret);
}

static void
password_is_the_tickets_until_proved(void **state)
{
	struct outside *o = *state;
	struct order order = world_bring(&o->w, ST_DELIVERING);

	(void)run(o);
	order = load(o, &order);
	assert_pin(o, &order, o->sms.password);
	order = world_bring_from(&o->w, order, ST_PROVING, METHOD_MOBILE);
	assert_pin(o, &order, o->sms.password);
	order = world_bring_from(&o->w, order, ST_SHIPPING, METHOD_MOBILE);
	assert_pin(o, &order, NULL);
	assert_int_equal(COUNT(o, "passwords WHERE sealed IS NOT NULL"), 0);
	/* and nowhere in the clear in between */
	assert_int_equal(COUNT(o, "jobs WHERE args LIKE '%password%'"), 0);
}

/* [C3] the micro-payment carries it in the remark. */
static void
password_by_micro_payment(void **state)
{
	struct outside *o = *state;
	struct order order = world_order(&o->w);

	order = world_bring_from(&o->w, order, ST_DELIVERING, METHOD_ACCOUNT);
	(void)run(o);
	order = load(o, &order);
	assert_int_equal(order.state, ST_DELIVERING);
	assert_int_equal(o->bank.amount, 1);
	assert_string_equal(o->bank.account, "31050000000000001");
	assert_string_equal(o->bank.holder, "上海测试有限公司");
	assert_pin(o, &order, o->bank.remark);
	o->w.now += 60;
	(void)run(o);
	assert_int_equal(o->bank.transfers, 1);
	assert_int_equal(o->bank.queries, 1);
	o->bank.status = BANK_PAID;
	o->w.now += 60;
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_PRODUCTION);
	assert_null(strstr(o->sms.seen, "password"));
	assert_non_null(strstr(o->sms.seen, "account"));
}

static void
bounced_micro_payment_stops_the_order(void **state)
{
	struct outside *o = *state;
	struct order order = world_order(&o->w);
	char first[16];

	order = world_bring_from(&o->w, order, ST_DELIVERING, METHOD_ACCOUNT);
	o->bank.status = BANK_BOUNCED;
	o->bank.reason = "account-closed";
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_DELIVERY_FAILED);
	assert_non_null(strstr(o->sms.seen, "failed"));
	assert_int_equal(
	    COUNT(o, "tasks WHERE kind = 'delivery-failed' AND detail = 'account-closed'"), 1);
	(void)snprintf(first, sizeof(first), "%s", o->bank.remark);
	/* sent again it is another password, under another number */
	o->bank.status = BANK_PAID;
	order = send(o, &order, EV_REDELIVER, BY_ADMINISTRATOR, "adam");
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_PRODUCTION);
	assert_string_not_equal(o->bank.remark, first);
	assert_non_null(strstr(o->bank.id, "T2"));
}

static void
the_banks_own_word_counts(void **state)
{
	struct outside *o = *state;
	struct order order = world_order(&o->w);
	struct bank_result result = { .status = BANK_PAID };
	struct uk_err err = { 0 };

	order = world_bring_from(&o->w, order, ST_DELIVERING, METHOD_ACCOUNT);
	(void)run(o);
	(void)snprintf(result.id, sizeof(result.id), "%s", o->bank.id);
	for (int i = 0; i < 2; i++)
		assert_int_equal(jobs_transfer_result(o->jobs, &result, &err), UK_OK);
	assert_int_equal(load(o, &order).state, ST_PRODUCTION);
	/* and back it comes, before production */
	result.status = BANK_BOUNCED;
	(void)snprintf(result.reason, sizeof(result.reason), "account-frozen");
	assert_int_equal(jobs_transfer_result(o->jobs, &result, &err), UK_OK);
	assert_int_equal(load(o, &order).state, ST_DELIVERY_FAILED);
	(void)snprintf(result.id, sizeof(result.id), "nonsense");
	assert_int_equal(jobs_transfer_result(o->jobs, &result, &err), UK_E_NOT_FOUND);
	(void)snprintf(result.id, sizeof(result.id), "%sTx", order.id);
	assert_int_equal(jobs_transfer_result(o->jobs, &result, &err), UK_E_NOT_FOUND);
}

static void
refused_password_message_stops_the_order(void **state)
{
	struct outside *o = *state;
	const struct order order = world_bring(&o->w, ST_DELIVERING);

	o->sms.outcome = SMS_REFUSED;
	o->sms.error = "number";
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_DELIVERY_FAILED);
}

static void
pins_are_not_simple(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct uk_secret *s = pin_make(&uk_random_system);
		const char *p = (const char *)uk_secret_lend(s).p;
		unsigned seen = 0;

		assert_int_equal(uk_secret_lend(s).n, 6);
		for (int d = 0; d < 6; d++)
			seen |= 1u << (p[d] - '0');
		assert_true(__builtin_popcount(seen) >= 4);
		assert_string_not_equal(p, "123456");
		assert_memory_not_equal(p, p + 3, 3);
		uk_secret_free(&s);
	}
}

/* --- certificate --- */

struct request {
	const char *order;
	int64_t n;
	struct uk_span der;
};

static enum uk_rc
put_request(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct request *r = ctx;

	return store_run(tx, SQL_REQUEST_PUT,
	    STORE_ARGS(DB_T(r->order), DB_I(r->n), DB_T("token"), DB_B(r->der), DB_I(1)), NULL,
	    err);
}

static void
store_request(struct outside *o, const struct order *order, bool good)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *req = X509_REQ_new();
	unsigned char *der = NULL;
	struct request r = { .order = order->id, .n = order->requests };
	struct uk_err err;
	int n;

	assert_non_null(key);
	assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
	assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	n = i2d_X509_REQ(req, &der);
	assert_true(n > 0);
	if (!good)
		der[n - 1] ^= 1;
	r.der = uk_span(der, (size_t)n);
	assert_int_equal(store_write_wait(o->w.store, put_request, &r, &err), UK_OK);
	OPENSSL_free(der);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

static struct order
issuing(struct outside *o, bool good)
{
	struct order order;

	with_authority(o);
	order = world_bring(&o->w, ST_PRODUCING);
	(void)run(o);
	order = world_bring_from(&o->w, order, ST_ISSUING, METHOD_MOBILE);
	store_request(o, &order, good);
	return order;
}

static void
certificate_is_issued_once(void **state)
{
	struct outside *o = *state;
	struct order order = issuing(o, true);

	assert_int_equal(run(o), 1);
	order = load(o, &order);
	assert_int_equal(order.state, ST_PROVING);
	assert_int_equal(COUNT(o, "certificates WHERE der IS NOT NULL AND fingerprint <> ''"
				  " AND token = 'token' AND usage = 'sign' AND holder ="
				  " (SELECT number_index FROM orders)"),
	    1);
	/* whom it is for is not for every reader of the file */
	assert_int_equal(COUNT(o, "certificates WHERE subject <> '' OR length(tbs) > 0"
				  " OR hex(der) LIKE '30%'"),
	    0);
	/* [C11] one year */
	assert_int_equal(
	    world_count(&o->w, "SELECT not_after - not_before FROM certificates"), 365 * 86400);
	assert_int_equal(COUNT(o, "requests WHERE outcome = 'issued'"), 1);
}

struct again {
	const char *order;
};

static enum uk_rc
issue_again(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct again *a = ctx;
	char key[64];

	(void)snprintf(key, sizeof(key), "issue/%s/1", a->order);
	return store_run(tx, SQL_JOB_AGAIN,
	    STORE_ARGS(
		DB_T(key), DB_T("issue"), DB_T(a->order), DB_T("{\"n\":1}"), DB_I(0), DB_I(0)),
	    NULL, err);
}

/* The worker died after the certificate was stored and before the order heard of it. */
static void
same_intent_gives_the_same_certificate(void **state)
{
	struct outside *o = *state;
	struct order order = issuing(o, true);
	struct again a = { .order = order.id };
	struct uk_err err = { 0 };

	assert_int_equal(run(o), 1);
	assert_int_equal(store_write_wait(o->w.store, issue_again, &a, &err), UK_OK);
	assert_int_equal(run(o), 1);
	assert_int_equal(COUNT(o, "certificates"), 1);
	assert_int_equal(COUNT(o, "order_events WHERE event = 'issued'"), 1);
	assert_int_equal(load(o, &order).state, ST_PROVING);
}

static void
bad_request_goes_back_to_the_producer(void **state)
{
	struct outside *o = *state;
	struct order order = issuing(o, false);

	(void)run(o);
	order = load(o, &order);
	assert_int_equal(order.state, ST_PRODUCING);
	assert_int_equal(COUNT(o, "certificates"), 0);
	assert_int_equal(COUNT(o, "requests WHERE outcome = 'request-signature-wrong'"), 1);
	/* another one may be good */
	order = send(o, &order, EV_REQUEST, BY_PRODUCER, "paul");
	store_request(o, &order, true);
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_PROVING);
}

static void
remade_key_has_its_first_certificate_revoked(void **state)
{
	struct outside *o = *state;
	struct order order = issuing(o, true);

	(void)run(o);
	assert_int_equal(COUNT(o, "crls"), 1);
	order = load(o, &order);
	order = send(o, &order, EV_RELEASE, BY_PRODUCER, "paul");
	(void)run(o);
	assert_int_equal(COUNT(o, "certificates WHERE revoked_at > 0"), 1);
	assert_int_equal(COUNT(o, "crls"), 2);
	assert_int_equal(load(o, &order).state, ST_PRODUCTION);
	/* and one list every hour without any reason */
	o->w.now += 3600;
	(void)run(o);
	assert_int_equal(COUNT(o, "crls"), 3);
}

/* --- the worker --- */

/* What must happen one day is never dropped; the staff hear of it once. */
static void
some_jobs_are_never_given_up(void **state)
{
	struct outside *o = *state;
	struct order order = waiting_for_payment(o);

	o->pay.rc = UK_E_UNAVAILABLE;
	order = send(o, &order, EV_CANCEL, BY_APPLICANT, "");
	for (int i = 0; i < 100; i++) {
		(void)run(o);
		o->w.now += 1800;
	}
	assert_int_equal(COUNT(o, "jobs WHERE kind = 'payment-close' AND status = 'waiting'"), 1);
	assert_int_equal(COUNT(o, "tasks WHERE kind = 'job-failed' AND id LIKE '%close%'"), 1);
	o->pay.rc = UK_OK;
	o->pay.known = true;
	o->pay.status = PAY_PAID;
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_REFUNDED);
}

static void
timeouts_ring(void **state)
{
	struct outside *o = *state;
	struct order order = world_bring(&o->w, ST_DOCUMENTS);

	(void)run(o);
	o->w.now = order.timeout_at - 1;
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_DOCUMENTS);
	o->w.now++;
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_EXPIRED);
	assert_int_equal(COUNT(o, "jobs WHERE kind = 'timeout'"), 0);
}

/* The first look is the claim's. */
static int64_t
now_then_earlier(void *ctx)
{
	int64_t *now = ctx;

	return (*now)--;
}

/* An order whose alarm is lost would wait for ever. */
static void
timeouts_survive_a_clock_that_goes_back(void **state)
{
	struct outside *o = *state;
	struct order order = world_bring(&o->w, ST_CONFIRM);
	const struct uk_clock still = o->w.clock;

	(void)run(o);
	o->w.now = order.timeout_at;
	o->w.clock.now = now_then_earlier;
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_CONFIRM);
	o->w.clock = still;
	o->w.now = order.timeout_at + 60;
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_EXPIRED);
}

static enum uk_rc
put_nonsense(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const char *const *kind_and_args = ctx;

	return store_run(tx, SQL_JOB_PUT,
	    STORE_ARGS(DB_T(kind_and_args[0]), DB_T(kind_and_args[0]), DB_T(""),
		DB_T(kind_and_args[1]), DB_I(0), DB_I(0)),
	    NULL, err);
}

static void
unreadable_jobs_are_put_aside(void **state)
{
	static const char *const jobs[][2] = {
		{ "no-such-kind", "{}" },
		{ "refund", "{\"payment\":7}" },
		{ "sms-send", "not json" },
		{ "pin-deliver", "{\"surprise\":1}" },
	};
	struct outside *o = *state;
	struct uk_err err;

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
		    store_write_wait(o->w.store, put_nonsense, (void *)(uintptr_t)jobs[i], &err),
		    UK_OK);
	assert_int_equal(run(o), 4);
	assert_int_equal(run(o), 0);
	assert_int_equal(COUNT(o, "jobs WHERE status = 'failed'"), 4);
	assert_int_equal(COUNT(o, "tasks WHERE kind = 'job-failed'"), 4);
}

/* What the child that dies has told the provider. */
struct memory {
	int sent;
	char password[16];
};

static struct memory *memory;

static void
die(struct fake_sms *s)
{
	memory->sent++;
	memcpy(memory->password, s->password, sizeof(memory->password));
	if (strstr(s->seen, "password") != NULL)
		_exit(9);
}

static void
run_and_die(struct outside *o, void (*arm)(struct outside *o))
{
	const struct store_setup setup = { .driver = "sqlite", .where = o->w.path };
	struct uk_err err;
	int n;

	if (store_open(&setup, &o->w.store, &err) != UK_OK)
		_exit(1);
	o->w.crypt = world_crypt();
	open_jobs(o, 0);
	arm(o);
	if (jobs_run_due(o->jobs, &n, &err) != UK_OK)
		_exit(2);
	_exit(3);
}

/* In a process of its own, which is armed to die in the middle of a job. */
static void
crash(struct outside *o, void (*arm)(struct outside *o))
{
	const struct store_setup setup = { .driver = "sqlite", .where = o->w.path };
	struct uk_err err;
	int status = 0;
	pid_t child;

	jobs_close(&o->jobs);
	store_close(&o->w.store);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		run_and_die(o, arm);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 9);
	assert_int_equal(store_open(&setup, &o->w.store, &err), UK_OK);
	open_jobs(o, 0);
}

static void
die_when_told(struct outside *o)
{
	o->sms.before = die;
}

/* Killed between the provider's yes and our writing it down: the lease runs out, the job runs
 * again, and says the same. */
static void
crash_between_run_and_report(void **state)
{
	struct outside *o = *state;
	const struct order order = world_bring(&o->w, ST_DELIVERING);

	memory =
	    mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	crash(o, die_when_told);
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_DELIVERING); /* still somebody's */
	o->w.now += 300;
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_PRODUCTION);
	assert_string_equal(o->sms.password, memory->password);
	assert_int_equal(COUNT(o, "passwords"), 1);
	(void)munmap(memory, sizeof(*memory));
	memory = NULL;
}

static int64_t
die_at_second_look(void *ctx)
{
	static bool looked;

	const struct outside *o = ctx;

	if (looked)
		_exit(9);
	looked = true;
	return o->w.now;
}

static void
die_while_issuing(struct outside *o)
{
	o->w.clock.now = die_at_second_look;
	o->w.clock.ctx = o;
}

/* [R5] Somebody waits at a page for what that worker had begun. */
static void
crash_while_issuing_costs_half_a_minute(void **state)
{
	struct outside *o = *state;
	const struct order order = issuing(o, true);

	crash(o, die_while_issuing);
	o->w.now += 29;
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_ISSUING); /* still somebody's */
	o->w.now++;
	(void)run(o);
	assert_int_equal(load(o, &order).state, ST_PROVING);
	assert_int_equal(COUNT(o, "certificates"), 1);
}

static bool
comes_to(struct outside *o, const struct order *order, enum order_state state)
{
	struct timespec start;
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		if (load(o, order).state == state)
			return true;
		(void)sched_yield();
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - start.tv_sec < 20);
	return false;
}

/* A commit wakes the threads; what they do wakes them again. */
static void
threads_run_what_is_committed(void **state)
{
	struct outside *o = *state;
	static struct order order[8];

	jobs_close(&o->jobs);
	open_jobs(o, 3);
	for (int i = 0; i < 8; i++)
		order[i] = world_bring(&o->w, ST_IDENTITY_CHECKING);
	for (int i = 0; i < 8; i++)
		assert_true(comes_to(o, &order[i], ST_CONFIRM));
	jobs_close(&o->jobs);
	assert_int_equal(COUNT(o, "jobs WHERE kind = 'identity-check' AND runs = 1"), 8);
	assert_int_equal(COUNT(o, "order_events WHERE event = 'identity-passed'"), 8);
}

static void
delays_double_up_to_a_limit(void **state)
{
	const struct job_kind *k = job_kind_get("sms-send");

	(void)state;
	assert_int_equal(job_delay(k, 1), 10);
	assert_int_equal(job_delay(k, 2), 20);
	assert_int_equal(job_delay(k, 5), 160);
	assert_int_equal(job_delay(k, 1000), 3600);
	assert_null(job_kind_get("no-such-kind"));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(identity_is_checked),
		T(card_number_is_not_kept),
		T(identity_mismatch_says_why),
		T(identity_service_down_is_tried_then_given_up),
		T(cancelled_meanwhile_is_no_trouble),
		T(payment_is_found_without_a_notification),
		T(payment_checks_may_repeat),
		T(closed_trade_can_be_paid_anew),
		T(cancelled_order_closes_its_trade),
		T(late_payment_is_refunded_by_itself),
		T(refund_is_repeated_with_the_same_number),
		T(impossible_refund_is_finances_at_once),
		T(messages_say_what_is_so),
		T(message_is_retried_and_given_up_to_staff),
		T(password_goes_to_the_proved_phone),
		T(password_is_the_tickets_until_proved),
		T(password_by_micro_payment),
		T(bounced_micro_payment_stops_the_order),
		T(the_banks_own_word_counts),
		T(refused_password_message_stops_the_order),
		cmocka_unit_test(pins_are_not_simple),
		T(certificate_is_issued_once),
		T(same_intent_gives_the_same_certificate),
		T(bad_request_goes_back_to_the_producer),
		T(remade_key_has_its_first_certificate_revoked),
		T(some_jobs_are_never_given_up),
		T(timeouts_ring),
		T(timeouts_survive_a_clock_that_goes_back),
		T(unreadable_jobs_are_put_aside),
		T(crash_between_run_and_report),
		T(crash_while_issuing_costs_half_a_minute),
		T(threads_run_what_is_committed),
		cmocka_unit_test(delays_double_up_to_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
