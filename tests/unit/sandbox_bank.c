/* The bank's connector against the gateway, over HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox_fixture.h"

#define ACCOUNT "110900000001"
#define HOLDER  "示例科技有限公司"

static enum uk_rc
transfer(struct world *w, const char *id, const char *account, const char *remark,
    struct bank_result *r, struct uk_err *err)
{
	struct uk_secret *secret = uk_secret_new(uk_span_str(remark));
	const struct bank_transfer t = { .id = id,
		.account = account,
		.holder = HOLDER,
		.bank = "示例银行",
		.amount = 1,
		.remark = secret,
		.notify_url = w->notify_bank };
	const enum uk_rc rc = bank_transfer(w->bank, &t, r, err);

	uk_secret_free(&secret);
	return rc;
}

/* [C3] 0.01 CNY with the password in its remark, read where the company reads it. */
static void
paid(void **state)
{
	struct world *w = *state;
	struct bank_result r;
	const struct notice *n;
	char *page;

	assert_int_equal(transfer(w, "T1", ACCOUNT, "密码 \"482913\"", &r, NULL), UK_OK);
	assert_string_equal(r.id, "T1");
	n = world_notice(w, 0);
	assert_int_equal(n->rc, UK_OK);
	assert_string_equal(n->result.id, "T1");
	assert_int_equal(n->result.status, BANK_PAID);
	assert_string_equal(n->result.reference, r.reference);
	w->offset = 5;
	assert_int_equal(bank_query(w->bank, "T1", &r, NULL), UK_OK);
	assert_int_equal(r.status, BANK_PAID);
	page = world_page(w, "/bank/records?account=" ACCOUNT, 200);
	assert_non_null(strstr(page, "密码 &quot;482913&quot;"));
	assert_non_null(strstr(page, "+0.01"));
	assert_non_null(strstr(page, HOLDER));
	free(page);
	world_quiet(w, 1);
}

static void
paid_once(void **state)
{
	struct world *w = *state;
	struct bank_result a, b;
	struct uk_err err;
	char *page;

	assert_int_equal(transfer(w, "T1", ACCOUNT, "482913", &a, NULL), UK_OK);
	assert_int_equal(transfer(w, "T1", ACCOUNT, "482913", &b, NULL), UK_OK);
	assert_string_equal(a.reference, b.reference);
	assert_int_equal(transfer(w, "T1", ACCOUNT, "999999", &b, &err), UK_E_CONFLICT);
	assert_string_equal(uk_err_reason(&err), "transfer-id-used");
	(void)world_notice(w, 0);
	world_quiet(w, 1);
	page = world_page(w, "/bank/records?account=" ACCOUNT, 200);
	assert_null(strstr(strstr(page, "data-testid=\"record\"") + 1, "data-testid=\"record\""));
	free(page);
}

static void
bounced(void **state)
{
	struct world *w = *state;
	struct bank_result r;
	const struct notice *n;
	char *page;

	assert_int_equal(transfer(w, "T1", "110900000009", "482913", &r, NULL), UK_OK);
	n = world_notice(w, 0);
	assert_int_equal(n->result.status, BANK_BOUNCED);
	assert_string_equal(n->result.reason, "account-closed");
	page = world_page(w, "/bank/records?account=110900000009", 200);
	assert_null(strstr(page, "482913"));
	free(page);
	world_control(w, "{\"bankBounce\":\"frozen\"}");
	assert_int_equal(transfer(w, "T2", ACCOUNT, "482913", &r, NULL), UK_OK);
	n = world_notice(w, 1);
	assert_int_equal(n->result.status, BANK_BOUNCED);
	assert_string_equal(n->result.reason, "frozen");
}

static void
notice_repeated(void **state)
{
	struct world *w = *state;
	struct bank_result r;

	w->refuse = 2;
	assert_int_equal(transfer(w, "T1", ACCOUNT, "482913", &r, NULL), UK_OK);
	(void)world_notice(w, 2);
	assert_int_equal(w->notices[2].rc, UK_OK);
	world_quiet(w, 3);
}

static void
owners(void **state)
{
	static const struct {
		const char *account;
		enum bank_owner owner;
	} rows[] = {
		{ "110900000001", BANK_OWNER_SAME },
		{ "110900000002", BANK_OWNER_OTHER },
		{ "110900000003", BANK_OWNER_NO_ACCOUNT },
	};
	struct world *w = *state;
	char reference[BANK_REF_LEN];
	enum bank_owner owner;
	struct uk_err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    bank_owner(w->bank, rows[i].account, "", HOLDER, &owner, reference, NULL),
		    UK_OK);
		assert_int_equal(owner, rows[i].owner);
		assert_int_equal(reference[0], 'Q');
	}
	assert_int_equal(bank_owner(w->bank, "110900000004", "", HOLDER, &owner, reference, &err),
	    UK_E_UNAVAILABLE);
	world_control(w, "{\"bankDown\":true}");
	assert_int_equal(
	    bank_owner(w->bank, ACCOUNT, "", HOLDER, &owner, reference, &err), UK_E_UNAVAILABLE);
}

static void
not_known(void **state)
{
	struct world *w = *state;
	struct bank_result r;
	struct uk_err err;

	assert_int_equal(bank_query(w->bank, "T9", &r, &err), UK_E_NOT_FOUND);
	assert_string_equal(uk_err_reason(&err), "transfer-not-found");
}

/* With another key neither side believes the other. */
static void
key_checked(void **state)
{
	struct world *w = *state;
	const struct bank_setup s = { .url = world_config(w, "bank-url"),
		.key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		.http = w->http,
		.clock = &w->clock,
		.random = &uk_random_system };
	struct http_reply reply = { 0 };
	struct bank *b = NULL;
	struct bank_result r;
	struct uk_err err;
	char url[160];

	assert_int_equal(bank_open("gateway", &s, &b, NULL), UK_OK);
	assert_int_equal(bank_query(b, "T1", &r, &err), UK_E_INTEGRITY);
	bank_close(&b);
	(void)snprintf(url, sizeof(url), "%s/transfers/query", s.url);
	assert_int_equal(http_post(w->http, url, "application/json", uk_span_str("{\"id\":\"T1\"}"),
			     5000, 4096, &reply, NULL),
	    UK_OK);
	assert_int_equal(reply.status, 401);
	http_reply_fini(&reply);
	assert_int_equal(http_post(w->http, w->notify_bank, "application/json",
			     uk_span_str("{\"id\":\"T1\"}"), 5000, 4096, &reply, NULL),
	    UK_OK);
	assert_int_equal(world_notice(w, 0)->rc, UK_E_INTEGRITY);
	http_reply_fini(&reply);
}

#define IN_WORLD(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(paid),
		IN_WORLD(paid_once),
		IN_WORLD(bounced),
		IN_WORLD(notice_repeated),
		IN_WORLD(owners),
		IN_WORLD(not_known),
		IN_WORLD(key_checked),
	};

	return cmocka_run_group_tests_name(
	    "[C1] [C3] bank over HTTP", tests, world_folder, world_folder_gone);
}
