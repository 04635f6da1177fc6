#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/conn.h"
#include "workflow_fixture.h"

static int64_t
fixture_now(void *ctx)
{
	return *(int64_t *)ctx;
}

struct crypt *
world_crypt(void)
{
	const uint8_t key[CRYPT_KEY_LEN] = { 7 };
	struct uk_secret *master = uk_secret_new(uk_span(key, sizeof(key)));
	struct crypt *c = NULL;
	struct uk_err err = { 0 };

	assert_int_equal(crypt_new(master, &uk_random_system, &c, &err), UK_OK);
	uk_secret_free(&master);
	return c;
}

void
world_init(struct world *w)
{
	struct store_setup setup = { .driver = "sqlite", .readers = 2 };
	struct uk_err err = { 0 };

	*w = (struct world){ .now = 1795000000 };
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/ukey-order-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(w->path, sizeof(w->path), "%s/ca.db", w->dir);
	setup.where = w->path;
	assert_int_equal(store_open(&setup, &w->store, &err), UK_OK);
	w->crypt = world_crypt();
	w->clock = (struct uk_clock){ .now = fixture_now, .mono_ms = fixture_now, .ctx = &w->now };
	w->w =
	    (struct workflow){ .clock = &w->clock, .random = &uk_random_system, .crypt = w->crypt };
}

void
world_fini(struct world *w)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char path[128];

	store_close(&w->store);
	crypt_free(&w->crypt);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", w->path, ends[i]);
		(void)unlink(path);
	}
	(void)rmdir(w->dir);
}

json_t *
world_form(void)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "organisation", "上海测试有限公司",
	    "creditCode", "91310000MA1FL0000X", "legalPersonName", "张三", "legalPersonId",
	    "110101199003071233", "agentName", "李四", "agentPhone", "13800000001");
}

struct making {
	struct world *w;
	struct order o;
};

static enum uk_rc
make_order(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct making *m = ctx;
	json_t *form = world_form();
	char digest[CRYPT_INDEX_LEN];
	enum uk_rc rc;

	order_identity_digest(m->w->crypt, KIND_UNIT_NEW, form, digest);
	rc = workflow_create(&m->w->w, tx,
	    &(struct workflow_new){
		.kind = KIND_UNIT_NEW, .amount_due = FEE, .identity_digest = digest },
	    &m->o, err);
	if (rc == UK_OK)
		rc = order_form_store(tx, m->w->crypt, &m->o, form, m->w->now, err);
	json_decref(form);
	return rc;
}

struct order
world_order(struct world *w)
{
	struct making m = { .w = w };
	struct uk_err err = { 0 };

	assert_int_equal(store_write_wait(w->store, make_order, &m, &err), UK_OK);
	return m.o;
}

struct loading {
	const char *id;
	struct order o;
};

static enum uk_rc
load_order(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct loading *l = ctx;

	return order_load(tx, l->id, &l->o, err);
}

struct order
world_load(struct world *w, const char *id)
{
	struct loading l = { .id = id };
	struct uk_err err = { 0 };

	assert_int_equal(store_read(w->store, load_order, &l, &err), UK_OK);
	return l.o;
}

enum uk_rc
world_try(struct world *w, const struct event *ev, struct uk_err *err)
{
	*err = (struct uk_err){ 0 };
	return workflow_send(&w->w, w->store, ev, NULL, err);
}

struct order
world_send(struct world *w, const struct event *ev)
{
	struct workflow_result r = { 0 };
	struct uk_err err = { 0 };
	const enum uk_rc rc = workflow_send(&w->w, w->store, ev, &r, &err);

	if (rc != UK_OK)
		print_error("%s: %s\n", order_event_name(ev->on), uk_err_reason(&err));
	assert_int_equal(rc, UK_OK);
	assert_int_equal(r.outcome, OUTCOME_DONE);
	return r.order;
}

/* Its subject goes in as the API would do it. */
static enum uk_rc
start_check(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct making *m = ctx;
	const struct event ev = { .on = EV_IDENTITY,
		.order = m->o.id,
		.by = BY_APPLICANT,
		.method = m->o.identity_method };
	struct workflow_result r;
	json_t *subject = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "organisation",
	    "上海测试有限公司", "creditCode", "91310000MA1FL0000X", "name", "张三", "idNumber",
	    "110101199003071233", "phone", "13900000009", "card", "6222020000000000000", "account",
	    "31050000000000001", "bank", "建设银行");
	enum uk_rc rc = workflow_apply(&m->w->w, tx, &ev, &r, err);

	if (rc == UK_OK)
		rc = order_check_store(tx, m->w->crypt, &r.order, subject, m->w->now, err);
	json_decref(subject);
	return rc;
}

static struct order
simple(struct world *w, const struct order *o, enum order_event on, enum order_by by,
    const char *actor)
{
	const struct event ev = {
		.on = on,
		.order = o->id,
		.by = by,
		.actor = actor,
		.payment = o->payment,
		.trade = "T1",
		.amount = on == EV_PAID ? FEE : 0,
		.at = on == EV_PAID ? w->now : 0,
		.n = on == EV_IDENTITY_PASSED ? o->identity_checks
		     : on == EV_PASSWORD_SENT ? o->passwords
		     : on == EV_ISSUED        ? o->requests
					      : 0,
	};

	return world_send(w, &ev);
}

static struct order
all_documents(struct world *w, struct order o)
{
	for (unsigned d = 0; d < DOC__MAX; d++) {
		const struct event ev = { .on = EV_DOCUMENT,
			.order = o.id,
			.by = BY_APPLICANT,
			.document = (enum document_type)d };

		if ((order_kind_get(o.kind)->documents & (INT64_C(1) << d)) != 0)
			o = world_send(w, &ev);
	}
	return o;
}

/* One step further on the way to a certificate. */
static struct order
onward(struct world *w, const struct order *o, enum identity_method method)
{
	struct making m = { .w = w, .o = *o };
	struct uk_err err = { 0 };

	switch (o->state) {
	case ST_IDENTITY:
		m.o.identity_method = method;
		assert_int_equal(store_write_wait(w->store, start_check, &m, &err), UK_OK);
		return world_load(w, o->id);
	case ST_IDENTITY_CHECKING:
		return simple(w, o, EV_IDENTITY_PASSED, BY_SYSTEM, "");
	case ST_CONFIRM:
		return simple(w, o, EV_CONFIRM, BY_APPLICANT, "");
	case ST_DOCUMENTS:
		return all_documents(w, *o).documents != o->documents
			   ? world_load(w, o->id)
			   : simple(w, o, EV_SUBMIT, BY_APPLICANT, "");
	case ST_SIGNATURE:
		return simple(w, o, EV_SIGN, BY_APPLICANT, "");
	case ST_PAYMENT:
		return o->payment[0] == '\0' ? simple(w, o, EV_PAY, BY_APPLICANT, "")
					     : simple(w, o, EV_PAID, BY_SYSTEM, "");
	case ST_REVIEW:
		return simple(w, o, EV_APPROVE, BY_REVIEWER, "rita");
	case ST_DELIVERING:
		return simple(w, o, EV_PASSWORD_SENT, BY_SYSTEM, "");
	case ST_PRODUCTION:
		return simple(w, o, EV_CLAIM, BY_PRODUCER, "paul");
	case ST_PRODUCING:
		return o->password_tickets == 0 ? simple(w, o, EV_TICKET, BY_PRODUCER, "paul")
						: simple(w, o, EV_REQUEST, BY_PRODUCER, "paul");
	case ST_ISSUING:
		return simple(w, o, EV_ISSUED, BY_SYSTEM, "");
	case ST_PROVING:
		return simple(w, o, EV_PROOF, BY_PRODUCER, "paul");
	case ST_SHIPPING:
		return simple(w, o, EV_SHIPMENT, BY_PRODUCER, "paul");
	case ST_REJECTED:
	case ST_DELIVERY_FAILED:
	case ST_DONE:
	case ST_CANCELLED:
	case ST_EXPIRED:
	case ST_REFUNDING:
	case ST_REFUNDED:
	case ST_REFUND_BY_HAND:
	case ST_DOWNLOAD:
	case ST_INSTALLING:
	case ST_CODE:
	case ST_UNLOCKING:
	case ST__MAX:
		break;
	}
	fail_msg("no way on from %s", order_state_name(o->state));
	return *o;
}

struct order
world_bring_from(struct world *w, struct order o, enum order_state to, enum identity_method method)
{
	while (o.state != to)
		o = onward(w, &o, method);
	return o;
}

struct order
world_bring(struct world *w, enum order_state to)
{
	return world_bring_from(w, world_order(w), to, METHOD_MOBILE);
}

struct counting {
	const char *sql;
	int64_t n;
};

static enum uk_rc
count_rows(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct counting *c = ctx;
	struct db_stmt *stmt = NULL;
	bool row = false;

	assert_int_equal(tx->ops->prepare(tx->db, c->sql, &stmt, err), UK_OK);
	assert_int_equal(tx->ops->next(stmt, &row, err), UK_OK);
	assert_true(row);
	c->n = tx->ops->col_int(stmt, 0);
	tx->ops->drop(stmt);
	return UK_OK;
}

int64_t
world_count(struct world *w, const char *sql)
{
	struct counting c = { .sql = sql };
	struct uk_err err = { 0 };

	assert_int_equal(store_read(w->store, count_rows, &c, &err), UK_OK);
	return c.n;
}
