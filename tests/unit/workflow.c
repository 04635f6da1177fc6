#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/conn.h"
#include "workflow/facts.h"
#include "workflow_fixture.h"

static int
setup(void **state)
{
	struct world *w = uk_xalloc(sizeof(*w));

	world_init(w);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	world_fini(*state);
	free(*state);
	return 0;
}

static void
assert_refused(struct world *w, const struct event *ev, enum uk_rc rc, const char *reason)
{
	struct uk_err err;

	assert_int_equal(world_try(w, ev, &err), rc);
	assert_string_equal(uk_err_reason(&err), reason);
}

static void
assert_actions(const struct order *o, int64_t now, const char *expected)
{
	const char *names[WORKFLOW_ACTIONS_MAX];
	const int n = workflow_actions(o, now, names);
	char is[256] = "";

	for (int i = 0; i < n; i++)
		(void)snprintf(
		    is + strlen(is), sizeof(is) - strlen(is), "%s%s", i > 0 ? " " : "", names[i]);
	assert_string_equal(is, expected);
}

static enum uk_rc
check_columns(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct store_rows *rows = store_query(tx, SQL_ORDER_GET, STORE_ARGS(DB_T("none")));

	(void)ctx;
	assert_int_equal(store_columns(rows), facts_count());
	for (int i = 0; i < facts_count(); i++)
		assert_string_equal(store_column_name(rows, i), facts_name(i));
	return store_end(rows, err);
}

static void
facts_and_columns_agree(void **state)
{
	struct world *w = *state;
	struct uk_err err;

	assert_int_equal(store_read(w->store, check_columns, NULL, &err), UK_OK);
}

static void
order_is_stored_as_it_is(void **state)
{
	struct world *w = *state;
	const struct order o = world_order(w);
	const struct order again = world_load(w, o.id);

	assert_memory_equal(&o, &again, sizeof(o));
	assert_int_equal(strlen(o.id), 16);
	assert_memory_equal(o.id, "UK", 2);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM order_forms"
					" WHERE form LIKE '%13800000001%'"),
	    0);
}

/* [N1] to [N9], as far as the order goes; what the applicant may do is said at each step. */
static void
new_unit_certificate(void **state)
{
	static const struct {
		enum order_state at;
		const char *actions;
	} way[] = {
		{ ST_IDENTITY, "edit identity cancel" },
		{ ST_IDENTITY_CHECKING, "cancel" },
		{ ST_CONFIRM, "edit confirm cancel" },
		{ ST_DOCUMENTS, "edit documents cancel" },
		{ ST_SIGNATURE, "edit documents sign cancel" },
		{ ST_PAYMENT, "pay cancel" },
		{ ST_REVIEW, "" },
		{ ST_DELIVERING, "" },
		{ ST_PRODUCTION, "" },
		{ ST_PRODUCING, "" },
		{ ST_ISSUING, "" },
		{ ST_PROVING, "" },
		{ ST_SHIPPING, "" },
		{ ST_DONE, "" },
	};
	struct world *w = *state;
	struct order o = world_order(w);

	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		o = world_bring_from(w, o, way[i].at, METHOD_MOBILE);
		assert_actions(&o, w->now, way[i].actions);
	}
	assert_int_equal(o.amount_paid, FEE);
	assert_string_equal(o.reviewer, "rita");
	assert_string_equal(o.producer, "paul");
	assert_true(o.proved_at != 0 && o.posted_at != 0);
	assert_string_equal(order_password_channel(&o), "sms");
	/* [C9] the agent was told the result, and that it is on its way */
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM jobs WHERE kind = 'sms-send'"), 2);
}

struct looking {
	const struct world *w;
	char *order;
};

static enum uk_rc
verify(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct looking *l = ctx;

	return workflow_verify(&l->w->w, tx, l->order, err);
}

static enum uk_rc
look(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct looking *l = ctx;

	return workflow_look(
	    &l->w->w, tx, l->order, BY_REVIEWER, "rita", DOC_BUSINESS_LICENCE, err);
}

static enum uk_rc
tamper(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	return tx->ops->script(tx->db, ctx, err);
}

static void
assert_tampering_shows(struct world *w, char *order, const char *sql, long row)
{
	struct looking l = { .w = w, .order = order };
	struct uk_err err = { 0 };

	assert_int_equal(store_write_wait(w->store, tamper, (void *)(uintptr_t)sql, &err), UK_OK);
	assert_int_equal(store_read(w->store, verify, &l, &err), UK_E_INTEGRITY);
	assert_int_equal(err.native, row);
}

/* [A5] */
static void
any_change_of_history_shows(void **state)
{
	struct world *w = *state;
	struct order o = world_bring(w, ST_REVIEW);
	const struct event ev = { .on = EV_REJECT,
		.order = o.id,
		.by = BY_REVIEWER,
		.actor = "rita",
		.reason = "other",
		.note = "看不清" };
	struct looking l = { .w = w, .order = o.id };
	struct uk_err err = { 0 };

	o = world_send(w, &ev);
	assert_int_equal(store_read(w->store, verify, &l, &err), UK_OK);
	/* what staff write is about people, and sealed */
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM order_events WHERE note <> ''"
					" OR note_sealed LIKE '%看不清%'"),
	    0);
	assert_tampering_shows(w, o.id,
	    "UPDATE order_events SET note = '看得清' WHERE event = 'reject'", (long)o.version);
	/* an erased note is no tampering */
	assert_int_equal(store_write_wait(w->store, tamper,
			     (void *)(uintptr_t) "UPDATE order_events SET note = '',"
						 " note_sealed = NULL",
			     &err),
	    UK_OK);
	assert_int_equal(store_read(w->store, verify, &l, &err), UK_OK);
	assert_tampering_shows(w, o.id,
	    "UPDATE order_events SET actor = 'nora' WHERE event = 'reject'", (long)o.version);
	assert_tampering_shows(
	    w, o.id, "DELETE FROM order_events WHERE event = 'reject'", (long)o.version);
	assert_tampering_shows(w, o.id, "DELETE FROM order_events WHERE seq = 3", 3);
}

static int64_t
looks_of(struct world *w, const char *id)
{
	const struct order o = world_load(w, id);

	return o.looks;
}

/* [A5] a look at a photo is a row of the book, changes no version, and is missed when it goes */
static void
looks_are_in_the_book(void **state)
{
	struct world *w = *state;
	struct order o = world_bring(w, ST_REVIEW);
	struct looking l = { .w = w, .order = o.id };
	struct uk_err err = { 0 };

	for (int i = 0; i < 3; i++)
		assert_int_equal(store_write_wait(w->store, look, &l, &err), UK_OK);
	assert_int_equal(world_load(w, o.id).version, o.version);
	assert_int_equal(looks_of(w, o.id), 3);
	o = world_bring_from(w, world_load(w, o.id), ST_DELIVERING, METHOD_MOBILE);
	assert_int_equal(store_read(w->store, verify, &l, &err), UK_OK);
	assert_int_equal(looks_of(w, o.id), 3);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM order_events WHERE event = 'look'"
					" AND actor = 'rita' AND detail = 'business-licence'"),
	    3);
	assert_tampering_shows(w, o.id, "UPDATE orders SET looks = 2", (long)(o.version + 3 + 1));
	l.order = (char *)(uintptr_t) "UK000000AAAAAAAA";
	assert_int_equal(store_write_wait(w->store, look, &l, &err), UK_E_NOT_FOUND);
}

static void
same_event_again_does_nothing(void **state)
{
	struct world *w = *state;
	const struct order o = world_bring(w, ST_PAYMENT);
	const struct event pay = { .on = EV_PAY, .order = o.id, .by = BY_APPLICANT };
	const struct order open = world_send(w, &pay);
	const struct event paid = { .on = EV_PAID,
		.order = o.id,
		.by = BY_SYSTEM,
		.id = "paid/1",
		.payment = open.payment,
		.amount = FEE };
	const struct order review = world_send(w, &paid);
	struct workflow_result r;
	struct uk_err err;

	assert_int_equal(review.state, ST_REVIEW);
	assert_int_equal(workflow_send(&w->w, w->store, &paid, &r, &err), UK_OK);
	assert_int_equal(r.outcome, OUTCOME_SEEN);
	assert_int_equal(r.order.version, review.version);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM jobs WHERE kind = 'refund'"), 0);
}

static void
wrong_version_conflicts(void **state)
{
	struct world *w = *state;
	const struct order o = world_bring(w, ST_CONFIRM);
	struct event ev = {
		.on = EV_CONFIRM, .order = o.id, .by = BY_APPLICANT, .version = o.version - 1
	};

	assert_refused(w, &ev, UK_E_CONFLICT, "version");
	ev.version = o.version;
	assert_int_equal(world_send(w, &ev).state, ST_DOCUMENTS);
	assert_refused(w, &ev, UK_E_CONFLICT, "version");
}

static void
wrong_sender_is_refused(void **state)
{
	struct world *w = *state;
	const struct order o = world_bring(w, ST_REVIEW);
	struct event ev = { .on = EV_APPROVE, .order = o.id, .by = BY_APPLICANT };

	assert_refused(w, &ev, UK_E_DENIED, "denied");
	ev.by = BY_PRODUCER | BY_FINANCE | BY_ADMINISTRATOR;
	ev.actor = "paul";
	assert_refused(w, &ev, UK_E_DENIED, "denied");
	ev.by = BY_REVIEWER;
	ev.actor = "";
	assert_refused(w, &ev, UK_E_DENIED, "same-person");
	ev.on = EV_CONFIRM;
	ev.actor = "rita";
	assert_refused(w, &ev, UK_E_CONFLICT, "conflict");
	ev.order = "UK999999AAAAAAAA";
	assert_refused(w, &ev, UK_E_NOT_FOUND, "order-not-found");
}

/* An applicant's "paid" is nothing: not even a stray that moves money. */
static void
applicant_cannot_say_paid(void **state)
{
	struct world *w = *state;
	const struct order o = world_bring(w, ST_PAYMENT);
	const struct event pay = { .on = EV_PAY, .order = o.id, .by = BY_APPLICANT };
	const struct order open = world_send(w, &pay);
	const struct event ev = { .on = EV_PAID,
		.order = o.id,
		.by = BY_APPLICANT,
		.payment = open.payment,
		.amount = FEE };
	struct workflow_result r;
	struct uk_err err;

	assert_int_equal(workflow_send(&w->w, w->store, &ev, &r, &err), UK_E_DENIED);
	assert_int_equal(world_load(w, o.id).state, ST_PAYMENT);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM strays"), 0);
}

static void
money_without_a_place_is_kept_as_stray(void **state)
{
	struct world *w = *state;
	const struct event unknown = { .on = EV_PAID,
		.order = "UK999999AAAAAAAA",
		.by = BY_SYSTEM,
		.id = "paid/x",
		.payment = "UK999999AAAAAAAAP1",
		.amount = FEE };
	const struct order o = world_bring(w, ST_REVIEW);
	/* of this order, and already in the books under another event */
	const struct event again = { .on = EV_PAID,
		.order = o.id,
		.by = BY_SYSTEM,
		.id = "paid/other",
		.payment = o.payment,
		.amount = FEE };
	const struct event refund = { .on = EV_REFUND_DONE,
		.order = o.id,
		.by = BY_SYSTEM,
		.id = "refunded/?",
		.payment = o.payment };
	struct workflow_result r;
	struct uk_err err;

	assert_int_equal(workflow_send(&w->w, w->store, &unknown, &r, &err), UK_OK);
	assert_int_equal(r.outcome, OUTCOME_STRAY);
	assert_int_equal(workflow_send(&w->w, w->store, &unknown, &r, &err), UK_OK);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM strays"), 1);
	assert_int_equal(workflow_send(&w->w, w->store, &again, &r, &err), UK_OK);
	assert_int_equal(r.outcome, OUTCOME_STRAY);
	assert_int_equal(workflow_send(&w->w, w->store, &refund, &r, &err), UK_OK);
	assert_int_equal(r.outcome, OUTCOME_STRAY);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM strays"), 3);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM tasks WHERE kind = 'stray'"
					" AND role = 'finance' AND done_at = 0"),
	    3);
	assert_int_equal(world_load(w, o.id).version, o.version);
}

/* [C4] */
static void
three_identity_attempts_a_day(void **state)
{
	struct world *w = *state;
	struct order o = world_order(w);
	const struct event ask = {
		.on = EV_IDENTITY, .order = o.id, .by = BY_APPLICANT, .method = METHOD_MOBILE
	};
	struct event answer = { .on = EV_IDENTITY_FAILED, .order = o.id, .by = BY_SYSTEM };

	for (int i = 0; i < 3; i++) {
		o = world_send(w, &ask);
		answer.n = o.identity_checks;
		answer.reason = "mismatch";
		o = world_send(w, &answer);
		assert_int_equal(order_identity_attempts_left(&o, w->now), 2 - i);
		assert_string_equal(o.identity_reason, "mismatch");
	}
	assert_refused(w, &ask, UK_E_RATE, "too-many-attempts");
	assert_actions(&o, w->now, "edit cancel");
	w->now += 86400;
	assert_actions(&o, w->now, "edit identity cancel");
	o = world_send(w, &ask);
	/* nobody could tell: not an attempt */
	answer.n = o.identity_checks;
	answer.reason = "service-unavailable";
	o = world_send(w, &answer);
	assert_int_equal(order_identity_attempts_left(&o, w->now), 3);
	/* an answer to an older question is no answer */
	o = world_send(w, &ask);
	answer.n = 1;
	assert_refused(w, &answer, UK_E_CONFLICT, "conflict");
}

static struct order
edit(struct world *w, const struct order *o, const char *member, const char *value)
{
	json_t *form = world_form();
	char digest[CRYPT_INDEX_LEN];
	const struct event ev = {
		.on = EV_EDIT, .order = o->id, .by = BY_APPLICANT, .identity_digest = digest
	};
	struct order after;

	(void)json_object_set_new(form, member, json_string(value));
	order_identity_digest(w->crypt, o->kind, form, digest);
	after = world_send(w, &ev);
	json_decref(form);
	return after;
}

/* [C5] going back keeps everything; what was proved stays proved only while it is the same. */
static void
edit_keeps_identity_unless_it_is_another(void **state)
{
	struct world *w = *state;
	struct order o = world_bring(w, ST_SIGNATURE);

	o = edit(w, &o, "agentPhone", "13700000002");
	assert_int_equal(o.state, ST_CONFIRM);
	assert_int_equal(o.identity_status, IDENTITY_PASSED);
	assert_true(o.documents != 0);
	o = edit(w, &o, "legalPersonName", "王五");
	assert_int_equal(o.state, ST_IDENTITY);
	assert_int_equal(o.identity_status, IDENTITY_NONE);
	o = edit(w, &o, "legalPersonName", "张三");
	assert_int_equal(o.state, ST_IDENTITY);
}

/* [C7] */
static void
all_photos_before_it_is_submitted(void **state)
{
	struct world *w = *state;
	struct order o = world_bring(w, ST_DOCUMENTS);
	const struct event submit = { .on = EV_SUBMIT, .order = o.id, .by = BY_APPLICANT };
	struct event photo = { .on = EV_DOCUMENT, .order = o.id, .by = BY_APPLICANT };

	for (unsigned d = DOC_BUSINESS_LICENCE; d <= DOC_AGENT_BACK; d++) {
		assert_refused(w, &submit, UK_E_CONFLICT, "documents-missing");
		photo.document = (enum document_type)d;
		o = world_send(w, &photo);
	}
	photo.document = DOC_HOLDER_FRONT;
	assert_refused(w, &photo, UK_E_CONFLICT, "document-not-wanted");
	assert_int_equal(world_send(w, &submit).state, ST_SIGNATURE);
}

static struct order
timeout(struct world *w, const struct order *o)
{
	const struct event ev = { .on = EV_TIMEOUT, .order = o->id, .by = BY_SYSTEM };

	assert_refused(w, &ev, UK_E_CONFLICT, "not-due");
	w->now = o->timeout_at;
	return world_send(w, &ev);
}

static struct order
pay(struct world *w, const struct order *o, const char *payment, int64_t amount)
{
	char id[64];
	const struct event ev = { .on = EV_PAID,
		.order = o->id,
		.by = BY_SYSTEM,
		.id = id,
		.payment = payment,
		.amount = amount,
		.trade = "2026",
		.at = w->now };

	(void)snprintf(id, sizeof(id), "paid/%s", payment);
	return world_send(w, &ev);
}

static struct order
refunded(struct world *w, const struct order *o, const char *payment)
{
	const struct event ev = {
		.on = EV_REFUND_DONE, .order = o->id, .by = BY_SYSTEM, .payment = payment
	};

	return world_send(w, &ev);
}

/* [C8] and rule 4: late, double and wrong payments go back by themselves. */
static void
late_payment_goes_back(void **state)
{
	struct world *w = *state;
	struct order o = world_bring(w, ST_PAYMENT);
	const struct event ev = { .on = EV_PAY, .order = o.id, .by = BY_APPLICANT };

	o = world_send(w, &ev);
	assert_int_equal(order_payment_status(&o), PAYMENT_WAITING);
	/* pressing again is the same payment */
	assert_string_equal(world_send(w, &ev).payment, o.payment);
	assert_true(world_count(w, "SELECT expires_at FROM payments") < o.timeout_at);
	w->now = o.timeout_at - 60;
	assert_refused(w, &ev, UK_E_CONFLICT, "payment-too-late");
	o = timeout(w, &o);
	assert_int_equal(o.state, ST_EXPIRED);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM jobs WHERE kind='payment-close'"), 1);
	o = pay(w, &o, o.payment, FEE);
	assert_int_equal(o.state, ST_REFUNDING);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM jobs WHERE kind='refund'"), 1);
	assert_int_equal(
	    world_count(w, "SELECT COUNT(*) FROM tasks WHERE kind='payment-returned'"), 1);
}

static void
wrong_amount_goes_back_and_can_be_paid_again(void **state)
{
	struct world *w = *state;
	struct order o = world_bring(w, ST_PAYMENT);
	const struct event ev = { .on = EV_PAY, .order = o.id, .by = BY_APPLICANT };
	char first[ORDER_REF_LEN];

	o = world_send(w, &ev);
	(void)snprintf(first, sizeof(first), "%s", o.payment);
	o = pay(w, &o, first, FEE - 1);
	assert_int_equal(o.state, ST_PAYMENT);
	assert_int_equal(o.amount_paid, 0);
	assert_int_equal(order_payment_status(&o), PAYMENT_REFUNDING);
	o = world_send(w, &ev);
	assert_string_not_equal(o.payment, first);
	o = pay(w, &o, o.payment, FEE);
	assert_int_equal(o.state, ST_REVIEW);
	o = refunded(w, &o, first);
	assert_int_equal(o.state, ST_REVIEW);
	assert_int_equal(o.refunds_open, 0);
	assert_int_equal(order_payment_status(&o), PAYMENT_PAID);
	assert_int_equal(
	    world_count(w, "SELECT COUNT(*) FROM payments WHERE status = 'refunded'"), 1);
}

static struct order
reject(struct world *w, const struct order *o, const char *who)
{
	const struct event ev = { .on = EV_REJECT,
		.order = o->id,
		.by = BY_REVIEWER,
		.actor = who,
		.reason = "document-unclear",
		.note = "营业执照看不清" };

	return world_send(w, &ev);
}

/* [C9] corrected without paying again; [A1] whoever reviewed it can't produce it. */
static void
rejected_is_corrected_without_paying_again(void **state)
{
	struct world *w = *state;
	struct order o = world_bring(w, ST_REVIEW);
	struct event ev = { .order = o.id, .by = BY_APPLICANT };

	o = reject(w, &o, "paul");
	assert_string_equal(o.review_reason, "document-unclear");
	assert_actions(&o, w->now, "edit documents submit refund");
	ev.on = EV_DOCUMENT;
	assert_int_equal(world_send(w, &ev).state, ST_DOCUMENTS);
	ev.on = EV_SUBMIT;
	(void)world_send(w, &ev);
	ev.on = EV_SIGN;
	o = world_send(w, &ev);
	assert_int_equal(o.state, ST_REVIEW);
	assert_int_equal(o.review_result, REVIEW_NONE);
	assert_int_equal(o.amount_paid, FEE);
	o = world_bring_from(w, o, ST_PRODUCTION, METHOD_MOBILE);
	ev = (struct event){
		.on = EV_CLAIM, .order = o.id, .by = BY_PRODUCER | BY_REVIEWER, .actor = "paul"
	};
	assert_refused(w, &ev, UK_E_DENIED, "same-person");
	ev.actor = "rita";
	assert_refused(w, &ev, UK_E_DENIED, "same-person");
	ev.actor = "petra";
	assert_int_equal(world_send(w, &ev).state, ST_PRODUCING);
}

static void
rejected_is_refunded_or_times_out_into_it(void **state)
{
	struct world *w = *state;
	struct order o = world_bring(w, ST_REVIEW);
	struct event ev = { .on = EV_REFUND, .order = o.id, .by = BY_APPLICANT };
	char payment[ORDER_REF_LEN];

	o = reject(w, &o, "rita");
	o = world_send(w, &ev);
	assert_int_equal(o.state, ST_REFUNDING);
	assert_int_equal(o.amount_paid, 0);
	(void)snprintf(payment, sizeof(payment), "%s", o.payment);
	o = refunded(w, &o, payment);
	assert_int_equal(o.state, ST_REFUNDED);
	assert_int_equal(order_payment_status(&o), PAYMENT_REFUNDED);

	o = world_bring(w, ST_REVIEW);
	o = reject(w, &o, "rita");
	assert_int_equal(timeout(w, &o).state, ST_REFUNDING);
}

static void
refund_that_fails_is_finances(void **state)
{
	struct world *w = *state;
	struct order o = world_bring(w, ST_REVIEW);
	struct event ev = { .on = EV_REFUND, .order = o.id, .by = BY_APPLICANT };
	char payment[ORDER_REF_LEN];

	o = reject(w, &o, "rita");
	o = world_send(w, &ev);
	(void)snprintf(payment, sizeof(payment), "%s", o.payment);
	ev = (struct event){ .on = EV_REFUND_FAILED,
		.order = o.id,
		.by = BY_SYSTEM,
		.payment = payment,
		.reason = "not-refundable" };
	o = world_send(w, &ev);
	assert_int_equal(o.state, ST_REFUND_BY_HAND);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM tasks WHERE kind = 'refund-by-hand'"
					" AND role = 'finance' AND done_at = 0"),
	    1);
	ev = (struct event){ .on = EV_REFUNDED_BY_HAND,
		.order = o.id,
		.by = BY_REVIEWER,
		.actor = "rita",
		.payment = payment };
	assert_refused(w, &ev, UK_E_DENIED, "denied");
	ev.by = BY_FINANCE;
	ev.actor = "fay";
	assert_int_equal(world_send(w, &ev).state, ST_REFUNDED);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM tasks WHERE kind = 'refund-by-hand'"
					" AND done_by = 'fay'"),
	    1);
}

/* [C9] an overdue review is on the desk once, and off it when it is done. */
static void
overdue_review_is_told_once(void **state)
{
	static const char open[] =
	    "SELECT COUNT(*) FROM tasks WHERE kind = 'overdue' AND done_at = 0";
	struct world *w = *state;
	struct order o = world_bring(w, ST_REVIEW);

	assert_int_equal(o.review_due, workflow_working_days(w->now, 3));
	assert_int_equal(o.timeout_at, o.review_due);
	o = timeout(w, &o);
	assert_int_equal(o.state, ST_REVIEW);
	o = timeout(w, &o);
	assert_int_equal(world_count(w, open), 1);
	(void)world_bring_from(w, o, ST_DELIVERING, METHOD_MOBILE);
	assert_int_equal(world_count(w, open), 0);
}

/* [C3] a bounced transfer stops the order before production; staff send it again or refund. */
static void
undelivered_password_stops_the_order(void **state)
{
	struct world *w = *state;
	struct order o = world_bring_from(w, world_order(w), ST_PRODUCTION, METHOD_ACCOUNT);
	struct event ev = { .on = EV_PASSWORD_FAILED,
		.order = o.id,
		.by = BY_SYSTEM,
		.n = o.passwords,
		.reason = "account-closed" };

	assert_string_equal(order_password_channel(&o), "remark");
	o = world_send(w, &ev);
	assert_int_equal(o.state, ST_DELIVERY_FAILED);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM tasks"
					" WHERE kind = 'delivery-failed' AND done_at = 0"),
	    1);
	assert_actions(&o, w->now, "");
	ev =
	    (struct event){ .on = EV_REDELIVER, .order = o.id, .by = BY_REVIEWER, .actor = "rita" };
	o = world_send(w, &ev);
	assert_int_equal(o.state, ST_DELIVERING);
	assert_int_equal(o.passwords, 2);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM tasks"
					" WHERE kind = 'delivery-failed' AND done_at = 0"),
	    0);
	/* the first one's fate no longer matters */
	ev = (struct event){ .on = EV_PASSWORD_SENT, .order = o.id, .by = BY_SYSTEM, .n = 1 };
	assert_refused(w, &ev, UK_E_CONFLICT, "conflict");
	ev.on = EV_PASSWORD_FAILED;
	assert_int_equal(world_send(w, &ev).state, ST_DELIVERING);
}

static void
ticket_limits_and_own_claims(void **state)
{
	struct world *w = *state;
	struct order o = world_bring(w, ST_PRODUCING);
	struct event ev = { .on = EV_REQUEST, .order = o.id, .by = BY_PRODUCER, .actor = "paul" };

	assert_refused(w, &ev, UK_E_CONFLICT, "token-not-prepared");
	ev.on = EV_TICKET;
	ev.actor = "petra";
	assert_refused(w, &ev, UK_E_CONFLICT, "ticket-refused");
	ev.actor = "paul";
	for (int i = 0; i < ORDER_TICKETS_MAX; i++)
		o = world_send(w, &ev);
	assert_refused(w, &ev, UK_E_CONFLICT, "ticket-refused");
	assert_int_equal(o.tickets, 3);
	ev.on = EV_RELEASE;
	ev.actor = "petra";
	assert_refused(w, &ev, UK_E_DENIED, "not-claimed");
}

/* Given back unused it keeps its password; once a station has seen it there is a new one. */
static void
released_claim_gets_a_new_password(void **state)
{
	struct world *w = *state;
	struct order o = world_bring(w, ST_PRODUCING);
	struct event ev = { .on = EV_RELEASE, .order = o.id, .by = BY_PRODUCER, .actor = "paul" };

	o = world_send(w, &ev);
	assert_int_equal(o.state, ST_PRODUCTION);
	assert_int_equal(o.passwords, 1);
	assert_string_equal(o.producer, "");
	o = world_bring_from(w, o, ST_PROVING, METHOD_MOBILE);
	o = world_send(w, &ev);
	assert_int_equal(o.state, ST_DELIVERING);
	assert_int_equal(o.passwords, 2);
	assert_int_equal(o.password_tickets, 0);
	assert_int_equal(world_count(w, "SELECT COUNT(*) FROM jobs WHERE kind = 'revoke'"), 1);
	o = world_bring_from(w, o, ST_PRODUCING, METHOD_MOBILE);
	assert_int_equal(timeout(w, &o).state, ST_PRODUCTION);
	o = world_load(w, o.id);
	o = world_bring_from(w, o, ST_ISSUING, METHOD_MOBILE);
	assert_int_equal(o.requests, 2);
	o = world_bring_from(w, o, ST_PROVING, METHOD_MOBILE);
	assert_int_equal(timeout(w, &o).state, ST_DELIVERING);
}

/* Two who act at the same moment on what both have seen: one wins. */
static void
one_of_two_wins(void **state)
{
	struct world *w = *state;
	const struct order o = world_bring(w, ST_PRODUCTION);
	struct event ev = { .on = EV_CLAIM,
		.order = o.id,
		.by = BY_PRODUCER,
		.actor = "paul",
		.version = o.version };

	(void)world_send(w, &ev);
	ev.actor = "petra";
	assert_refused(w, &ev, UK_E_CONFLICT, "version");
	assert_string_equal(world_load(w, o.id).producer, "paul");
}

static void
names_are_told_apart(void **state)
{
	enum order_event ev;
	enum order_state st;

	(void)state;
	assert_int_equal(order_event_from_name("paid", &ev), UK_OK);
	assert_int_equal(ev, EV_PAID);
	assert_int_equal(order_event_from_name("Paid", &ev), UK_E_INPUT);
	assert_int_equal(order_state_from_name("refund-by-hand", &st), UK_OK);
	assert_int_equal(st, ST_REFUND_BY_HAND);
	assert_int_equal(order_state_from_name("", &st), UK_E_INPUT);
	assert_int_equal(order_by_from_role("reviewer"), BY_REVIEWER);
	assert_int_equal(order_by_from_role("system"), 0);
	assert_int_equal(order_by_from_role("auditor"), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(facts_and_columns_agree),
		T(order_is_stored_as_it_is),
		T(new_unit_certificate),
		T(any_change_of_history_shows),
		T(looks_are_in_the_book),
		T(same_event_again_does_nothing),
		T(wrong_version_conflicts),
		T(wrong_sender_is_refused),
		T(applicant_cannot_say_paid),
		T(money_without_a_place_is_kept_as_stray),
		T(three_identity_attempts_a_day),
		T(edit_keeps_identity_unless_it_is_another),
		T(all_photos_before_it_is_submitted),
		T(late_payment_goes_back),
		T(wrong_amount_goes_back_and_can_be_paid_again),
		T(rejected_is_corrected_without_paying_again),
		T(rejected_is_refunded_or_times_out_into_it),
		T(refund_that_fails_is_finances),
		T(overdue_review_is_told_once),
		T(undelivered_password_stops_the_order),
		T(ticket_limits_and_own_claims),
		T(released_claim_gets_a_new_password),
		T(one_of_two_wins),
		cmocka_unit_test(names_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
