/* Alipay's connector against the gateway, the cashier's desk and the notifier, over HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "pay/alipay_wire.h"
#include "pay/rsa2.h"
#include "sandbox_fixture.h"

#define NO     "UK261122ABCDEFGH"
#define AMOUNT 20000

#define LOCATION_MAX 2048

static struct pay_order
order(const struct world *w)
{
	return (struct pay_order){
		.out_trade_no = NO,
		.subject = "单位证书新办",
		.amount = AMOUNT,
		.expires = uk_now(&w->clock) + 1800,
		.notify_url = w->notify_alipay,
		.return_url = "http://localhost:8600/orders/" NO "?paid=1",
	};
}

static void
where_to(const struct http_reply *reply, char location[LOCATION_MAX])
{
	if (!http_reply_header(reply, "Location", location, LOCATION_MAX))
		location[0] = '\0';
}

/* The browser goes to the payment page; what it is redirected to. */
static void
visit(struct world *w, const struct pay_order *o, char location[LOCATION_MAX])
{
	struct http_reply reply = { 0 };
	struct uk_buf url;

	uk_buf_init(&url, 8192);
	assert_int_equal(pay_create(w->pay, o, &url, NULL), UK_OK);
	assert_int_equal(http_get(w->http, uk_buf_str(&url), 5000, 65536, &reply, NULL), UK_OK);
	where_to(&reply, location);
	assert_int_equal(reply.status, location[0] != '\0' ? 302 : 200);
	http_reply_fini(&reply);
	uk_buf_fini(&url);
}

/* Opens the cashier's desk, as the buyer does; its id. */
static void
open_desk(struct world *w, const struct pay_order *o, char id[64])
{
	char location[LOCATION_MAX];
	char *page;

	visit(w, o, location);
	assert_non_null(strstr(location, "/alipay/cashier?id="));
	(void)snprintf(id, 64, "%s", strstr(location, "id=") + 3);
	page = world_page(w, location, 200);
	assert_non_null(strstr(page, ">200.00<"));
	assert_non_null(strstr(page, "单位证书新办"));
	assert_non_null(strstr(page, ">付款</button>"));
	assert_non_null(strstr(page, ">取消</button>"));
	free(page);
}

static int
press(struct world *w, const char *id, const char *action, char location[LOCATION_MAX])
{
	struct http_reply reply = { 0 };
	char url[128], form[128];
	int status;

	(void)snprintf(url, sizeof(url), "%s/alipay/cashier", sandbox_base(w->sandbox));
	(void)snprintf(form, sizeof(form), "id=%s&action=%s", id, action);
	assert_int_equal(http_post(w->http, url, "application/x-www-form-urlencoded",
			     uk_span_str(form), 5000, 65536, &reply, NULL),
	    UK_OK);
	where_to(&reply, location);
	status = reply.status;
	http_reply_fini(&reply);
	return status;
}

static void
pay_now(struct world *w)
{
	char id[64], location[LOCATION_MAX];
	struct pay_order o = order(w);

	open_desk(w, &o, id);
	assert_int_equal(press(w, id, "pay", location), 302);
}

static enum uk_rc
query(struct world *w, struct pay_trade *t, struct uk_err *err)
{
	*t = (struct pay_trade){ 0 };
	return pay_query(w->pay, NO, t, err);
}

/* [N7] [P7] the buyer pays: notification, signed return, and the query says the same. */
static void
paid(void **state)
{
	struct world *w = *state;
	char id[64], location[LOCATION_MAX];
	const struct notice *n;
	struct pay_order o = order(w);
	struct pay_trade t;
	struct uk_pubkey *alipay = NULL;
	struct net_pairs back;

	open_desk(w, &o, id);
	assert_int_equal(query(w, &t, NULL), UK_OK);
	assert_int_equal(t.status, PAY_WAITING);
	assert_int_equal(press(w, id, "pay", location), 302);
	assert_ptr_equal(strstr(location, o.return_url), location);
	assert_int_equal(
	    rsa2_pubkey_new(world_config(w, "alipay-public-key"), &alipay, NULL), UK_OK);
	assert_int_equal(alipay_notice_open(
			     alipay, uk_span_str(location + strlen(o.return_url) + 1), &back, NULL),
	    UK_OK);
	assert_string_equal(net_pairs_get(&back, "out_trade_no"), NO);
	net_pairs_fini(&back);
	uk_pubkey_free(&alipay);
	n = world_notice(w, 0);
	assert_int_equal(n->rc, UK_OK);
	assert_string_equal(n->event.out_trade_no, NO);
	assert_int_equal(n->event.amount, AMOUNT);
	assert_int_equal(n->event.status, PAY_PAID);
	assert_int_equal(query(w, &t, NULL), UK_OK);
	assert_int_equal(t.status, PAY_PAID);
	assert_int_equal(t.amount, AMOUNT);
	assert_string_equal(t.trade_no, n->event.trade_no);
	assert_int_equal(t.paid_at, n->event.paid_at);
	assert_int_equal(press(w, id, "pay", location), 409);
	world_quiet(w, 1);
}

static void
not_opened(void **state)
{
	struct world *w = *state;
	char location[LOCATION_MAX];
	struct pay_order o = order(w);
	struct pay_trade t;
	struct uk_err err;

	assert_int_equal(query(w, &t, &err), UK_E_NOT_FOUND);
	visit(w, &o, location);
	assert_int_equal(query(w, &t, &err), UK_E_NOT_FOUND);
	assert_string_equal(uk_err_reason(&err), "trade-not-found");
	assert_int_equal(pay_close_trade(w->pay, NO, &err), UK_E_NOT_FOUND);
}

static void
cancelled(void **state)
{
	struct world *w = *state;
	char id[64], location[LOCATION_MAX];
	struct pay_order o = order(w);
	struct pay_trade t;

	open_desk(w, &o, id);
	assert_int_equal(press(w, id, "cancel", location), 302);
	assert_string_equal(location, o.return_url);
	assert_int_equal(query(w, &t, NULL), UK_OK);
	assert_int_equal(t.status, PAY_WAITING);
	world_quiet(w, 0);
}

static void
closed(void **state)
{
	struct world *w = *state;
	char id[64], location[LOCATION_MAX];
	struct pay_order o = order(w);
	struct pay_trade t;
	struct uk_err err;

	open_desk(w, &o, id);
	assert_int_equal(pay_close_trade(w->pay, NO, NULL), UK_OK);
	assert_int_equal(query(w, &t, NULL), UK_OK);
	assert_int_equal(t.status, PAY_CLOSED);
	assert_int_equal(press(w, id, "pay", location), 409);
	assert_int_equal(pay_close_trade(w->pay, NO, &err), UK_E_CONFLICT);
	world_quiet(w, 0);
}

static void
out_of_time(void **state)
{
	struct world *w = *state;
	char id[64], location[LOCATION_MAX];
	struct pay_order o = order(w);
	struct pay_trade t;

	open_desk(w, &o, id);
	w->offset = 1801;
	assert_int_equal(press(w, id, "pay", location), 409);
	assert_int_equal(query(w, &t, NULL), UK_OK);
	assert_int_equal(t.status, PAY_CLOSED);
}

/* The same number for another amount is refused, for the same one it is the same trade. */
static void
same_number(void **state)
{
	struct world *w = *state;
	char location[LOCATION_MAX], first[128];
	struct pay_order o = order(w);

	visit(w, &o, location);
	(void)snprintf(first, sizeof(first), "%.127s", location);
	visit(w, &o, location);
	assert_string_equal(first, location);
	o.amount++;
	visit(w, &o, location);
	assert_string_equal(location, "");
}

static void
refunded(void **state)
{
	struct world *w = *state;
	struct pay_refund r = {
		.out_trade_no = NO, .refund_no = "R1", .amount = 5000, .reason = "退款"
	};
	struct pay_refund_state s;
	struct pay_trade t;
	struct uk_err err;

	assert_int_equal(pay_refund(w->pay, &r, &s, &err), UK_E_NOT_FOUND);
	pay_now(w);
	assert_int_equal(pay_refund_query(w->pay, &r, &s, NULL), UK_OK);
	assert_false(s.done);
	assert_int_equal(pay_refund(w->pay, &r, &s, NULL), UK_OK);
	assert_true(s.done);
	/* Once more: no money moves, and it is still done. */
	assert_int_equal(pay_refund(w->pay, &r, &s, NULL), UK_OK);
	assert_true(s.done);
	assert_int_equal(s.amount, 5000);
	assert_int_equal(query(w, &t, NULL), UK_OK);
	assert_int_equal(t.status, PAY_PAID);
	r.amount = 6000;
	assert_int_equal(pay_refund(w->pay, &r, &s, &err), UK_E_CONFLICT);
	assert_string_equal(uk_err_reason(&err), "refund-amount");
	r.refund_no = "R2";
	r.amount = 15001;
	assert_int_equal(pay_refund(w->pay, &r, &s, &err), UK_E_CONFLICT);
	r.amount = 15000;
	assert_int_equal(pay_refund(w->pay, &r, &s, NULL), UK_OK);
	assert_int_equal(query(w, &t, NULL), UK_OK);
	assert_int_equal(t.status, PAY_CLOSED);
}

static void
refund_of_unpaid(void **state)
{
	struct world *w = *state;
	const struct pay_refund r = { .out_trade_no = NO, .refund_no = "R1", .amount = AMOUNT };
	struct pay_order o = order(w);
	struct pay_refund_state s;
	struct uk_err err;
	char id[64];

	open_desk(w, &o, id);
	assert_int_equal(pay_refund(w->pay, &r, &s, &err), UK_E_CONFLICT);
	assert_string_equal(uk_err_reason(&err), "trade-status");
}

/* Not "success": again and again, with the same notify_id, until it is. */
static void
notice_repeated(void **state)
{
	struct world *w = *state;

	w->refuse = 3;
	pay_now(w);
	(void)world_notice(w, 3);
	for (size_t i = 1; i < 4; i++)
		assert_string_equal(w->notices[i].event.notify_id, w->notices[0].event.notify_id);
	world_quiet(w, 4);
}

/* Eight deliveries in 25 hours, and no more. */
static void
notice_given_up(void **state)
{
	struct world *w = *state;

	w->refuse = 100;
	pay_now(w);
	(void)world_notice(w, 7);
	world_quiet(w, 8);
}

static void
notice_duplicated(void **state)
{
	struct world *w = *state;

	world_control(w, "{\"notifyDuplicates\":2}");
	pay_now(w);
	(void)world_notice(w, 2);
	assert_string_equal(w->notices[2].event.notify_id, w->notices[0].event.notify_id);
	world_quiet(w, 3);
}

static void
notice_faults(void **state)
{
	static const struct {
		const char *control;
		enum uk_rc rc;
		const char *reason;
	} faults[] = {
		{ "{\"notifyBadSignature\":true}", UK_E_INTEGRITY, "signature-wrong" },
		{ "{\"notifySha1\":true}", UK_E_INTEGRITY, "signature-wrong" },
		{ "{\"notifyForeignApp\":true}", UK_E_DENIED, "foreign-app" },
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		void *own = *state;
		const struct notice *n;

		(void)world_open(&own);
		world_control(own, faults[i].control);
		pay_now(own);
		n = world_notice(own, 0);
		assert_int_equal(n->rc, faults[i].rc);
		assert_string_equal(uk_err_reason(&n->err), faults[i].reason);
		(void)world_close(&own);
	}
}

/* Truly signed, but for another amount: it is the caller who compares. */
static void
notice_wrong_amount(void **state)
{
	struct world *w = *state;
	const struct notice *n;

	world_control(w, "{\"notifyWrongAmount\":true}");
	pay_now(w);
	n = world_notice(w, 0);
	assert_int_equal(n->rc, UK_OK);
	assert_int_equal(n->event.amount, AMOUNT + 1);
}

static void
answer_tampered(void **state)
{
	struct world *w = *state;
	struct pay_trade t;
	struct uk_err err;

	pay_now(w);
	world_control(w, "{\"alipayTampered\":true}");
	assert_int_equal(query(w, &t, &err), UK_E_INTEGRITY);
	assert_string_equal(uk_err_reason(&err), "signature-wrong");
	assert_int_equal(t.amount, 0);
	assert_int_equal(query(w, &t, &err), UK_OK);
}

static void
provider_errors(void **state)
{
	struct world *w = *state;
	struct pay_trade t;
	struct uk_err err;

	pay_now(w);
	world_control(w, "{\"alipayError\":\"ACQ.SYSTEM_ERROR\"}");
	assert_int_equal(query(w, &t, &err), UK_E_UNAVAILABLE);
	world_control(w, "{\"alipayError\":\"ACQ.SOMETHING_NEW\"}");
	assert_int_equal(query(w, &t, &err), UK_E_INTERNAL);
	assert_string_equal(uk_err_reason(&err), "provider-refused");
}

static struct pay *
open_with(struct world *w, const char *app_id, const char *private_key, const char *gateway)
{
	const struct pay_setup s = { .gateway = gateway,
		.app_id = app_id,
		.seller_id = world_config(w, "alipay-seller-id"),
		.private_key = private_key,
		.public_key = world_config(w, "alipay-public-key"),
		.http = w->http,
		.clock = &w->clock };
	struct pay *p = NULL;

	assert_int_equal(pay_open("alipay", &s, &p, NULL), UK_OK);
	return p;
}

/* A request that is signed with another key, or for another app, is not served. */
static void
signature_checked(void **state)
{
	struct world *w = *state;
	struct uk_buf priv, pub;
	struct pay_trade t;
	struct uk_err err;
	struct pay *p;

	uk_buf_init(&priv, 8192);
	uk_buf_init(&pub, 8192);
	assert_int_equal(rsa2_generate(&priv, &pub, NULL), UK_OK);
	pay_now(w);
	p = open_with(w, world_config(w, "alipay-app-id"), uk_buf_str(&priv),
	    world_config(w, "alipay-gateway"));
	assert_int_equal(pay_query(p, NO, &t, &err), UK_E_UNAVAILABLE);
	assert_string_equal(uk_err_reason(&err), "provider-refused");
	pay_close(&p);
	p = open_with(w, "2021000000000001", world_config(w, "alipay-private-key"),
	    world_config(w, "alipay-gateway"));
	assert_int_equal(pay_query(p, NO, &t, &err), UK_E_UNAVAILABLE);
	pay_close(&p);
	uk_buf_fini(&priv);
	uk_buf_fini(&pub);
}

static void
nobody_there(void **state)
{
	struct world *w = *state;
	struct pay_trade t;
	struct uk_err err;
	struct pay *p = open_with(w, world_config(w, "alipay-app-id"),
	    world_config(w, "alipay-private-key"), "http://127.0.0.1:9/gateway.do");

	assert_int_equal(pay_query(p, NO, &t, &err), UK_E_UNAVAILABLE);
	pay_close(&p);
}

/* The keys stay what they are when the sandbox starts again, and nobody else may read them. */
static void
started_again(void **state)
{
	struct world *w = *state;
	const struct sandbox_config c = { .dir = w->dir,
		.listen = "127.0.0.1:0",
		.speed = 1,
		.clock = &w->clock,
		.random = &uk_random_system };
	char path[128], *key = uk_xstrdup(world_config(w, "alipay-private-key"));
	struct stat st;

	sandbox_close(&w->sandbox);
	assert_int_equal(sandbox_open(&c, &w->sandbox, NULL), UK_OK);
	world_reread(w);
	assert_string_equal(world_config(w, "alipay-private-key"), key);
	assert_ptr_equal(strstr(world_config(w, "sms-url"), sandbox_base(w->sandbox)),
	    world_config(w, "sms-url"));
	(void)snprintf(path, sizeof(path), "%s/sandbox.json", w->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	free(key);
}

static void
not_loopback(void **state)
{
	const struct sandbox_config c = { .dir = "/tmp", .listen = "0.0.0.0:0" };
	struct sandbox *s = NULL;
	struct uk_err err;

	(void)state;
	assert_int_equal(sandbox_open(&c, &s, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "not-loopback");
	assert_null(s);
}

#define IN_WORLD(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(paid),
		IN_WORLD(not_opened),
		IN_WORLD(cancelled),
		IN_WORLD(closed),
		IN_WORLD(out_of_time),
		IN_WORLD(same_number),
		IN_WORLD(refunded),
		IN_WORLD(refund_of_unpaid),
		IN_WORLD(notice_repeated),
		IN_WORLD(notice_given_up),
		IN_WORLD(notice_duplicated),
		cmocka_unit_test(notice_faults),
		IN_WORLD(notice_wrong_amount),
		IN_WORLD(answer_tampered),
		IN_WORLD(provider_errors),
		IN_WORLD(signature_checked),
		IN_WORLD(nobody_there),
		IN_WORLD(started_again),
		cmocka_unit_test(not_loopback),
	};

	return cmocka_run_group_tests_name(
	    "[C8] alipay over HTTP", tests, world_folder, world_folder_gone);
}
