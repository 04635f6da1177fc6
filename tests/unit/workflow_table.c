/* The order table itself: its structure, the two promises, and every legal step as text. */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workflow/actions.h"
#include "workflow/guards.h"

#define IN(set, n) (((set) & (UINT32_C(1) << (n))) != 0)

/* --- structure --- */

static bool
is_of(const struct step *step, enum order_kind kind)
{
	return IN(step->kinds, kind);
}

static uint32_t
reachable_from(enum order_kind kind, uint32_t seen)
{
	uint32_t before;

	do {
		before = seen;
		for (size_t i = 0; i < steps_n; i++)
			if (is_of(&steps[i], kind) && (steps[i].from & seen) != 0 &&
			    steps[i].to != ST_SAME)
				seen |= UINT32_C(1) << steps[i].to;
	} while (seen != before);
	return seen;
}

/* Where an order of that kind may ever be. */
static uint32_t
reachable(enum order_kind kind)
{
	const int64_t needs = order_kind_get(kind)->needs;

	return reachable_from(kind, UINT32_C(1) << order_start(kind, needs) |
					UINT32_C(1) << order_start(kind, needs | NEED_IDENTITY));
}

static bool
is_over(unsigned state)
{
	return state_row((enum order_state)state)->waits == WAITS_NONE;
}

static void
check_ends(enum order_kind kind, unsigned s)
{
	const uint32_t ahead = reachable_from(kind, UINT32_C(1) << s);
	bool ends = false;

	for (unsigned e = 0; e < ST__MAX; e++)
		ends = ends || (IN(ahead, e) && is_over(e));
	if (!ends)
		print_error("%s: %s never ends\n", order_kind_name(kind),
		    order_state_name((enum order_state)s));
	assert_true(ends);
}

static void
every_state_is_reached_and_ends(void **state)
{
	uint32_t all = 0;

	(void)state;
	for (unsigned k = 0; k < KIND__MAX; k++) {
		const uint32_t reached = reachable((enum order_kind)k);

		all |= reached;
		assert_true(IN(reached, ST_DONE));
		for (unsigned s = 0; s < ST__MAX; s++)
			if (IN(reached, s))
				check_ends((enum order_kind)k, s);
	}
	for (unsigned s = 0; s < ST__MAX; s++)
		assert_true(IN(all, s));
}

static bool
has_row(enum order_kind kind, unsigned state, enum order_event on)
{
	for (size_t i = 0; i < steps_n; i++)
		if (is_of(&steps[i], kind) && IN(steps[i].from, state) && steps[i].on == on)
			return true;
	return false;
}

static void
check_timeout(enum order_kind kind, unsigned s)
{
	const int64_t at = state_timeout(kind, (enum order_state)s, 1795000000);

	if (is_over(s)) {
		assert_int_equal(at, 0);
		assert_false(has_row(kind, s, EV_TIMEOUT));
	} else {
		assert_true(at > 1795000000);
		assert_true(has_row(kind, s, EV_TIMEOUT));
	}
	/* money is never without a place to go; where none is asked for, it is a stray */
	if ((order_kind_get(kind)->needs & NEED_PAYMENT) == 0)
		return;
	assert_true(has_row(kind, s, EV_PAID));
	assert_true(has_row(kind, s, EV_REFUND_DONE));
	assert_true(has_row(kind, s, EV_REFUND_FAILED));
}

static void
whoever_waits_has_a_timeout(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KIND__MAX; k++)
		for (unsigned s = 0; s < ST__MAX; s++)
			if (IN(reachable((enum order_kind)k), s))
				check_timeout((enum order_kind)k, s);
}

static void
told_desks_exist(void **state)
{
	(void)state;
	for (size_t i = 0; i < steps_n; i++)
		for (unsigned s = 0; s < ST__MAX; s++)
			if (steps[i].then == DO_TELL_OVERDUE && IN(steps[i].from, s))
				assert_int_not_equal(
				    order_by_from_role(state_row((enum order_state)s)->role), 0);
}

/* For each state: an earlier row that always applies, or asks the same, hides a later one. */
static bool
hides(const struct step *early, const struct step *late, unsigned state)
{
	return early->on == late->on && (early->kinds & late->kinds) == late->kinds &&
	       IN(early->from, state) && IN(late->from, state) && (late->by & ~early->by) == 0 &&
	       (early->only_if == IF_ALWAYS || early->only_if == late->only_if);
}

static void
no_row_is_hidden(void **state)
{
	(void)state;
	for (size_t late = 0; late < steps_n; late++)
		for (size_t early = 0; early < late; early++)
			for (unsigned s = 0; s < ST__MAX; s++)
				if (hides(&steps[early], &steps[late], s)) {
					print_error("row %zu hides row %zu in %s\n", early, late,
					    order_state_name((enum order_state)s));
					fail();
				}
}

static void
everything_named_is_used(void **state)
{
	bool on[EV__MAX] = { 0 };
	bool guard[IF__MAX] = { 0 };
	bool action[DO__MAX] = { 0 };

	(void)state;
	for (size_t i = 0; i < steps_n; i++) {
		assert_int_not_equal(steps[i].from, 0);
		assert_int_not_equal(steps[i].by, 0);
		assert_int_not_equal(steps[i].kinds, 0);
		on[steps[i].on] = guard[steps[i].only_if] = action[steps[i].then] = true;
	}
	for (unsigned i = 0; i < EV__MAX; i++)
		assert_true(on[i]);
	for (unsigned i = 0; i < IF__MAX; i++)
		assert_true(guard[i]);
	for (unsigned i = 0; i < DO__MAX; i++)
		assert_true(action[i]);
}

/* Rule 1 of the design: the applicant and the staff can't say what the world says. */
static void
the_world_speaks_for_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < steps_n; i++)
		if (steps[i].on >= EV_IDENTITY_PASSED)
			assert_int_equal(steps[i].by, BY_SYSTEM);
		else
			assert_false((steps[i].by & BY_SYSTEM) != 0);
}

/* --- the two promises, over every order that can exist --- */

#define NOW  INT64_C(1795000000)
#define DUE  INT64_C(20000)
#define PAYS 2 /* payments an order of this walk may open */

enum money {
	MONEY_NONE,
	MONEY_WAITING,
	MONEY_CLOSED,
	MONEY_KEPT,
	MONEY_REFUNDING,
	MONEY_REFUNDED,
	MONEY_BY_HAND,
};

struct node {
	struct order o;
	int32_t money[PAYS];
};

struct walk {
	struct node *queue;
	size_t head;
	size_t n;
	size_t cap;
	uint64_t *seen; /* open addressing; 0 is free */
	size_t seen_n;
	size_t seen_cap;
	/* of the step under way */
	struct node *at;
	bool issues;
	bool revokes;
	bool revokes_old;
	bool reached[ST__MAX];
	const int64_t *needs; /* what the form may be changed to want; ends with -1 */
};

static int
pay_index(struct uk_span id)
{
	const int i = id.n > 0 ? id.p[id.n - 1] - '1' : -1;

	return i >= 0 && i < PAYS ? i : -1;
}

/* The rows of `payments` as the statements would change them. */
static int64_t
change_money(struct walk *w, enum sql_id id, struct uk_span payment, int64_t amount)
{
	const int i = pay_index(payment);
	int32_t *m = i >= 0 ? &w->at->money[i] : NULL;
	struct rule {
		enum sql_id id;
		int32_t from;
		int32_t also_from;
		int32_t to;
	};
	static const struct rule rules[] = {
		{ SQL_PAYMENT_PUT, MONEY_NONE, MONEY_NONE, MONEY_WAITING },
		{ SQL_PAYMENT_REMITTED, MONEY_NONE, MONEY_NONE, MONEY_KEPT },
		{ SQL_PAYMENT_PAID, MONEY_WAITING, MONEY_CLOSED, MONEY_KEPT },
		{ SQL_PAYMENT_CLOSED, MONEY_WAITING, MONEY_WAITING, MONEY_CLOSED },
		{ SQL_PAYMENT_REFUND, MONEY_KEPT, MONEY_KEPT, MONEY_REFUNDING },
		{ SQL_PAYMENT_REFUNDED, MONEY_REFUNDING, MONEY_REFUNDING, MONEY_REFUNDED },
		{ SQL_PAYMENT_BY_HAND, MONEY_REFUNDING, MONEY_REFUNDING, MONEY_BY_HAND },
		{ SQL_PAYMENT_REFUNDED_BY_HAND, MONEY_BY_HAND, MONEY_BY_HAND, MONEY_REFUNDED },
	};

	(void)amount;
	for (size_t r = 0; r < sizeof(rules) / sizeof(rules[0]); r++)
		if (rules[r].id == id) {
			assert_non_null(m);
			if (*m != rules[r].from && *m != rules[r].also_from)
				return 0;
			*m = rules[r].to;
			return 1;
		}
	return 1;
}

static enum uk_rc
fake_run(void *ctx, enum sql_id id, const struct db_value *args, size_t n, int64_t *changed,
    struct uk_err *err)
{
	struct walk *w = ctx;
	const int64_t c = change_money(w, id, args[0].bytes, 0);

	(void)err;
	(void)n;
	if (changed != NULL)
		*changed = c;
	if (id == SQL_JOB_PUT) {
		w->issues = w->issues || uk_span_eq(args[1].bytes, uk_span_str("issue"));
		w->revokes_old =
		    w->revokes_old || uk_span_eq(args[1].bytes, uk_span_str("revoke-old"));
		w->revokes = w->revokes || uk_span_eq(args[1].bytes, uk_span_str("revoke"));
	}
	return UK_OK;
}

static int64_t
flag(int64_t n)
{
	return n != 0 ? 1 : 0;
}

/* Nothing after the NUL, so that equal orders are equal bytes. */
static void
tidy(char *s, size_t size)
{
	const size_t n = strlen(s);

	memset(s + n, 0, size - n);
}

/* Times to flags, counters that are only compared to 1, reviewers to a set. */
static void
normalise(struct node *node)
{
	struct order *o = &node->o;
	const bool rita = strstr(o->reviewers, "rita") != NULL;
	const bool paul = strstr(o->reviewers, "paul") != NULL;

	o->version = o->updated_at = o->state_since = o->created_at = 0;
	o->timeout_at = state_timeout(o->kind, o->state, NOW);
	o->identity_checks = flag(o->identity_checks);
	o->passwords = flag(o->passwords);
	o->requests = flag(o->requests);
	o->signed_at = flag(o->signed_at);
	o->paid_at = o->review_due = o->reviewed_at = 0;
	o->password_sent_at = flag(o->password_sent_at);
	o->issued_at = flag(o->issued_at);
	o->proved_at = flag(o->proved_at);
	o->posted_at = flag(o->posted_at);
	o->identity_day = 0;
	o->identity_attempts = 0;
	o->identity_reason[0] = o->review_reason[0] = o->reviewer[0] = '\0';
	(void)snprintf(o->reviewers, sizeof(o->reviewers), "%s%s%s", rita ? "rita" : "",
	    rita && paul ? "," : "", paul ? "paul" : "");
	tidy(o->id, sizeof(o->id));
	tidy(o->identity_reason, sizeof(o->identity_reason));
	tidy(o->identity_digest, sizeof(o->identity_digest));
	tidy(o->payment, sizeof(o->payment));
	tidy(o->reviewer, sizeof(o->reviewer));
	tidy(o->reviewers, sizeof(o->reviewers));
	tidy(o->review_reason, sizeof(o->review_reason));
	tidy(o->producer, sizeof(o->producer));
	tidy(o->about, sizeof(o->about));
}

static_assert(sizeof(struct node) % sizeof(uint64_t) == 0, "hashed in words");

/* In the manner of FNV-1a; a collision would only skip an order. */
static uint64_t
hash(const struct node *node)
{
	uint64_t words[sizeof(*node) / sizeof(uint64_t)];
	uint64_t h = UINT64_C(14695981039346656037);

	memcpy(words, node, sizeof(*node));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return h != 0 ? h : 1;
}

static bool
insert(uint64_t *table, size_t cap, uint64_t h)
{
	size_t i = (size_t)(h % cap);

	while (table[i] != 0 && table[i] != h)
		i = (i + 1) % cap;
	if (table[i] == h)
		return false;
	table[i] = h;
	return true;
}

static bool
first_time(struct walk *w, uint64_t h)
{
	if (2 * w->seen_n >= w->seen_cap) {
		const size_t cap = w->seen_cap != 0 ? 2 * w->seen_cap : 4096;
		uint64_t *table = uk_xalloc(cap * sizeof(*table));

		for (size_t i = 0; i < w->seen_cap; i++)
			if (w->seen[i] != 0)
				(void)insert(table, cap, w->seen[i]);
		free(w->seen);
		w->seen = table;
		w->seen_cap = cap;
	}
	if (!insert(w->seen, w->seen_cap, h))
		return false;
	w->seen_n++;
	return true;
}

static void
push(struct walk *w, const struct node *node)
{
	if (!first_time(w, hash(node)))
		return;
	if (w->n == w->cap) {
		w->cap = w->cap != 0 ? 2 * w->cap : 1024;
		w->queue = realloc(w->queue, w->cap * sizeof(*w->queue));
		assert_non_null(w->queue);
	}
	w->queue[w->n++] = *node;
	w->reached[node->o.state] = true;
}

static int
count(const struct node *node, enum money m)
{
	int n = 0;

	for (int i = 0; i < PAYS; i++)
		n += node->money[i] == (int32_t)m ? 1 : 0;
	return n;
}

/* Every payment that has come is kept for an order that is alive or has its certificate, is on its
 * way back, has gone back, or is on finance's desk. */
static void
check_money(const struct node *node)
{
	const struct order *o = &node->o;

	assert_int_equal(count(node, MONEY_REFUNDING), o->refunds_open);
	assert_int_equal(count(node, MONEY_BY_HAND), o->refunds_by_hand);
	assert_int_equal(count(node, MONEY_KEPT), flag(o->amount_paid));
	if (o->amount_paid > 0) {
		assert_int_equal(o->amount_paid, o->amount_due);
		assert_int_equal(node->money[pay_index(uk_span_str(o->payment))], MONEY_KEPT);
	}
	if (is_over(o->state) && o->state != ST_DONE)
		assert_int_equal(o->amount_paid, 0);
	if (o->state == ST_REFUNDED)
		assert_int_equal(o->refunds_open + o->refunds_by_hand, 0);
	if (o->state == ST_REFUNDING)
		assert_true(o->refunds_open > 0);
	if (o->state == ST_REFUND_BY_HAND)
		assert_true(o->refunds_by_hand > 0);
}

/* Nothing that the order still needs may be missing from here on. */
#define AT(state) (UINT32_C(1) << ST_##state)

static bool
is_from_review_on(const struct order *o)
{
	return IN(AT(REVIEW) | AT(REJECTED) | AT(DELIVERING) | AT(DELIVERY_FAILED) |
		      AT(PRODUCTION) | AT(PRODUCING) | AT(ISSUING) | AT(PROVING) | AT(SHIPPING) |
		      AT(DOWNLOAD) | AT(INSTALLING) | AT(DONE),
	    o->state);
}

/* [V4] */
static void
check_needs(const struct order *o)
{
	assert_int_equal(o->amount_paid, o->amount_due);
	if ((o->needs & NEED_SIGNATURE) != 0)
		assert_true(o->signed_at != 0);
	if ((o->needs & NEED_IDENTITY) != 0)
		assert_int_equal(o->identity_status, IDENTITY_PASSED);
	if ((o->needs & NEED_PROOF) != 0)
		assert_true((o->needs & NEED_IDENTITY) != 0);
	if ((o->needs & NEED_MATCH) != 0 && (o->needs & NEED_REVIEW) == 0) {
		assert_int_equal(o->identity_status, IDENTITY_PASSED);
		assert_int_not_equal(o->identity_method, METHOD_ACCOUNT);
	}
	if ((o->needs & NEED_REVIEW) != 0 && o->state != ST_REVIEW && o->state != ST_REJECTED)
		assert_int_equal(o->review_result, REVIEW_APPROVED);
}

static void
check_unlock(const struct order *o)
{
	assert_in_range(o->code_tries, 0, ORDER_CODE_TRIES);
	if (o->state == ST_CODE || o->state == ST_UNLOCKING || o->state == ST_DONE)
		assert_in_range(o->code_tries, 0, ORDER_CODE_TRIES - 1);
	if (o->state == ST_DONE)
		assert_true(o->tickets > 0);
	/* the first time and the other way: only by a proofing */
	if (o->state == ST_CODE && (o->needs & NEED_IDENTITY) != 0) {
		assert_int_equal(o->identity_status, IDENTITY_PASSED);
		assert_true(o->password_sent_at != 0);
	}
	assert_int_equal(o->requests, 0);
}

static void
check_issuance(const struct node *node)
{
	const struct order *o = &node->o;

	if (order_kind_get(o->kind)->flow == FLOW_UNLOCK)
		check_unlock(o);
	else if (is_from_review_on(o))
		check_needs(o);
	if (o->producer[0] != '\0')
		assert_null(strstr(o->reviewers, o->producer));
	if (o->state == ST_PRODUCTION || o->state == ST_PRODUCING)
		assert_true(o->password_sent_at != 0);
	if (order_kind_get(o->kind)->flow == FLOW_UNLOCK)
		return;
	if (o->state == ST_PROVING || o->state == ST_SHIPPING || o->state == ST_INSTALLING ||
	    o->state == ST_DONE)
		assert_true(o->issued_at != 0);
	if (o->state == ST_SHIPPING || o->state == ST_DONE)
		assert_true(o->proved_at != 0);
	if (o->state == ST_REFUNDING || o->state == ST_REFUNDED || o->state == ST_DELIVERING ||
	    o->state == ST_CANCELLED || o->state == ST_EXPIRED)
		assert_int_equal(o->issued_at, 0);
	assert_in_range(o->tickets, 0, ORDER_TICKETS_MAX);
}

/* The old certificate goes when its replacement is approved, or the changed one works on the key;
 * never with a renewal. */
static void
check_old(const struct walk *w, const struct order *o)
{
	const enum order_flow flow = order_kind_get(o->kind)->flow;

	if (!w->revokes_old)
		return;
	assert_true((flow == FLOW_REPLACEMENT && o->state == ST_DELIVERING) ||
		    (flow == FLOW_CHANGE && o->state == ST_DONE));
}

static bool
is_money(enum order_event on)
{
	return on == EV_PAID || on == EV_REFUND_DONE || on == EV_REFUND_FAILED;
}

static void
try_event(struct walk *w, const struct node *node, const struct event *ev)
{
	const struct act_sink sink = { .run = fake_run, .ctx = w };
	struct node next = *node;
	const char *reason = NULL;
	struct uk_err err = { 0 };
	enum uk_rc rc = UK_OK;
	const struct step *step = table_match(&node->o, ev, &rc, &reason);

	if (step == NULL) {
		if (is_money(ev->on) && ev->by == BY_SYSTEM && node->o.amount_due > 0)
			fail_msg("no row for %s in %s", order_event_name(ev->on),
			    order_state_name(node->o.state));
		return;
	}
	if (((ev->on == EV_PAY && node->o.payment[0] == '\0') || ev->on == EV_REMITTED) &&
	    node->o.payments == PAYS)
		return;
	w->at = &next;
	w->issues = w->revokes = w->revokes_old = false;
	rc = step_take(&sink, step, ev, &next.o, &err);
	assert_int_equal(rc, UK_OK);
	if (w->issues)
		assert_int_equal(next.o.amount_paid, next.o.amount_due);
	check_old(w, &next.o);
	if (node->o.issued_at != 0 && next.o.issued_at == 0)
		assert_true(w->revokes);
	normalise(&next);
	check_money(&next);
	check_issuance(&next);
	push(w, &next);
}

/* The event with every argument that matters to it. */
static void
try_arguments(struct walk *w, const struct node *node, struct event ev)
{
	static const char *const payments[PAYS] = { "UK261122AAAAAAAAP1", "UK261122AAAAAAAAP2" };
	static const enum money fits[] = {
		[EV_REFUNDED_BY_HAND] = MONEY_BY_HAND,
		[EV_PAID] = MONEY_WAITING,
		[EV_PAYMENT_CLOSED] = MONEY_WAITING,
		[EV_REFUND_DONE] = MONEY_REFUNDING,
		[EV_REFUND_FAILED] = MONEY_REFUNDING,
	};

	if (ev.on == EV_EDIT) {
		for (const int64_t *needs = w->needs; *needs >= 0; needs++) {
			ev.needs = *needs;
			ev.identity_digest = "one";
			try_event(w, node, &ev);
			ev.identity_digest = "other";
			try_event(w, node, &ev);
		}
		return;
	}
	if (ev.on == EV_IDENTITY && order_kind_get(node->o.kind)->unit) {
		ev.method = METHOD_ACCOUNT;
		try_event(w, node, &ev);
		ev.method = METHOD_MOBILE;
	}
	if (ev.on == EV_REMITTED) {
		ev.amount = node->o.amount_due;
		try_event(w, node, &ev);
		ev.amount++;
	}
	if (!is_money(ev.on) && ev.on != EV_PAYMENT_CLOSED && ev.on != EV_REFUNDED_BY_HAND) {
		ev.n = 1;
		try_event(w, node, &ev);
		ev.n = 7; /* of another password, request or check */
		try_event(w, node, &ev);
		return;
	}
	for (int i = 0; i < PAYS; i++) {
		if (node->money[i] != (int32_t)fits[ev.on] &&
		    !(ev.on == EV_PAID && node->money[i] == MONEY_CLOSED))
			continue;
		ev.payment = payments[i];
		ev.amount = node->o.amount_due;
		try_event(w, node, &ev);
		ev.amount = node->o.amount_due - 1;
		if (ev.on == EV_PAID)
			try_event(w, node, &ev);
	}
}

/* One photo stands for all. */
static enum document_type
one_document(enum order_kind kind)
{
	return order_kind_get(kind)->unit ? DOC_BUSINESS_LICENCE : DOC_HOLDER_FRONT;
}

/* Is there a row at all?  Most have none. */
static bool
is_heard(const struct node *node, enum order_event on, enum order_by by)
{
	for (size_t i = 0; i < steps_n; i++)
		if (is_of(&steps[i], node->o.kind) && IN(steps[i].from, node->o.state) &&
		    steps[i].on == on && (steps[i].by & (unsigned)by) != 0)
			return true;
	return node->o.amount_due > 0 && by == BY_SYSTEM && is_money(on);
}

static void
expand(struct walk *w, const struct node *node)
{
	static const char *const staff[] = { "rita", "paul" };

	for (unsigned on = 0; on < EV__MAX; on++)
		for (unsigned by = 1; by < BY__END; by <<= 1) {
			struct event ev = {
				.on = (enum order_event)on,
				.by = (enum order_by)by,
				.now = NOW,
				.method = METHOD_MOBILE,
				.document = one_document(node->o.kind),
				.reason = "mismatch",
			};

			if (!is_heard(node, ev.on, ev.by) ||
			    (on == EV_TIMEOUT && node->o.timeout_at == 0))
				continue;
			/* A claim whose request failed may hold tickets of old ones only. */
			for (size_t a = 0; a < 2; a++) {
				ev.actor = staff[a];
				try_arguments(w, node, ev);
				if (by == BY_APPLICANT || by == BY_SYSTEM)
					break;
			}
		}
}

#define SMS_NEEDS   NEED_SIGNATURE
#define PROOF_NEEDS (NEED_IDENTITY | NEED_PROOF | NEED_SIGNATURE)
#define MATCH_NEEDS (NEED_IDENTITY | NEED_MATCH | NEED_SIGNATURE)
#define R8_NEEDS    (NEED_IDENTITY | NEED_DOCUMENTS | NEED_SIGNATURE | NEED_REVIEW)

/* What a form may want beyond what its kind does, by flow. */
static const int64_t wanted[FLOW__MAX][6] = {
	[FLOW_NEW] = { 0, -1 },
	[FLOW_RENEWAL] = { 0, SMS_NEEDS, PROOF_NEEDS, MATCH_NEEDS, R8_NEEDS, -1 },
	[FLOW_UNLOCK] = { 0, NEED_IDENTITY | NEED_FIRST, -1 },
	[FLOW_REPLACEMENT] = { 0, PROOF_NEEDS, -1 },
	[FLOW_CHANGE] = { 0, PROOF_NEEDS, MATCH_NEEDS, -1 },
};

static void
start_walk(struct walk *w, enum order_kind kind, int64_t needs)
{
	const struct order_kind_row *row = order_kind_get(kind);
	struct node start = { .o = {
				  .id = "UK261122AAAAAAAA",
				  .kind = kind,
				  .needs = row->needs | needs,
				  .identity_digest = "one",
				  .about = "01",
			      } };

	start.o.state = order_start(kind, start.o.needs);
	start.o.amount_due = (row->needs & NEED_PAYMENT) != 0 ? DUE : 0;
	start.o.documents = row->documents & ~(INT64_C(1) << one_document(kind));
	normalise(&start);
	push(w, &start);
}

static size_t
walk_kind(enum order_kind kind)
{
	struct walk w = { .needs = wanted[order_kind_get(kind)->flow] };

	for (const int64_t *needs = w.needs; *needs >= 0; needs++)
		start_walk(&w, kind, *needs);
	while (w.head < w.n) {
		const struct node node = w.queue[w.head++];

		expand(&w, &node);
	}
	for (unsigned s = 0; s < ST__MAX; s++) {
		if (w.reached[s] != IN(reachable(kind), s))
			print_error("%s: %s\n", order_kind_name(kind),
			    order_state_name((enum order_state)s));
		assert_true(w.reached[s] == IN(reachable(kind), s));
	}
	free(w.queue);
	free(w.seen);
	return w.n;
}

/* Do both have the same rows?  Then the one with more ways of proofing stands for both. */
static bool
same_rows(enum order_kind k, enum order_kind other)
{
	for (size_t i = 0; i < steps_n; i++)
		if (is_of(&steps[i], k) != is_of(&steps[i], other))
			return false;
	return true;
}

static void
money_ends_well_and_nothing_unpaid_is_issued(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FLOW__MAX; f++) {
		const enum order_kind unit = order_kind_of((enum order_flow)f, true);
		const enum order_kind person = order_kind_of((enum order_flow)f, false);

		assert_true(
		    (order_kind_get(person)->methods & ~order_kind_get(unit)->methods) == 0);
		print_message("%s: %zu orders\n", order_kind_name(unit), walk_kind(unit));
		if (!same_rows(unit, person))
			print_message(
			    "%s: %zu orders\n", order_kind_name(person), walk_kind(person));
	}
}

/* --- golden --- */

static void
put_senders(struct uk_buf *b, unsigned by)
{
	char names[96] = "";
	size_t n = 0;

	for (unsigned bit = 1; bit < BY__END; bit <<= 1)
		if ((by & bit) != 0)
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
			    n != 0 ? "," : "", order_by_name((enum order_by)bit));
	uk_buf_printf(b, "%-24s", names);
}

/* By first letters: new, renewal, unlock, lost and replaced, change; units, then persons. */
static void
put_kinds(struct uk_buf *b, uint32_t kinds)
{
	static const char letters[FLOW__MAX] = { 'n', 'r', 'u', 'l', 'c' };
	char text[2 * FLOW__MAX + 1] = "";

	for (unsigned f = 0; f < FLOW__MAX; f++)
		for (unsigned i = 0; i < 2; i++)
			text[i * FLOW__MAX + f] =
			    IN(kinds, order_kind_of((enum order_flow)f, i == 0)) ? letters[f] : '-';
	uk_buf_printf(b, "%.5s %.5s  ", text, text + FLOW__MAX);
}

static void
put_step(struct uk_buf *b, const struct step *s, unsigned from)
{
	put_kinds(b, s->kinds);
	uk_buf_printf(
	    b, "%-18s %-17s ", order_state_name((enum order_state)from), order_event_name(s->on));
	put_senders(b, s->by);
	uk_buf_printf(b, " %-24s %-18s -> %s\n",
	    s->only_if == IF_ALWAYS ? "-" : guard_row(s->only_if)->name,
	    s->then == DO_NOTHING ? "-" : action_row(s->then)->name,
	    order_state_name(s->to == ST_SAME ? (enum order_state)from : s->to));
}

static void
put_state(struct uk_buf *b, const struct state_row *s)
{
	static const char *const who[] = { "nobody", "applicant", "staff", "system" };

	uk_buf_printf(b, "%-18s waits for %-10s", s->name, who[s->waits]);
	if (s->working_days)
		uk_buf_put_str(b, "working days");
	else if (s->timeout > 0)
		uk_buf_printf(b, "%lld s", (long long)s->timeout);
	else
		uk_buf_put_str(b, "for ever");
	uk_buf_printf(
	    b, "%s%s\n", s->role != NULL ? ", then told: " : "", s->role != NULL ? s->role : "");
}

static void
print_table(struct uk_buf *b)
{
	for (unsigned s = 0; s < ST__MAX; s++)
		put_state(b, state_row((enum order_state)s));
	for (unsigned from = 0; from < ST__MAX; from++) {
		uk_buf_put_str(b, "\n");
		for (unsigned on = 0; on < EV__MAX; on++)
			for (size_t i = 0; i < steps_n; i++)
				if (steps[i].on == (enum order_event)on && IN(steps[i].from, from))
					put_step(b, &steps[i], from);
	}
}

static char *
read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = uk_xalloc(1024 * 1024);

	if (f != NULL) {
		text[fread(text, 1, 1024 * 1024 - 1, f)] = '\0';
		(void)fclose(f);
	}
	return text;
}

static void
show_difference(const char *was, const char *is)
{
	while (*was != '\0' || *is != '\0') {
		const int n = (int)strcspn(was, "\n");
		const int m = (int)strcspn(is, "\n");

		if (n != m || strncmp(was, is, (size_t)n) != 0) {
			print_error("- %.*s\n+ %.*s\n", n, was, m, is);
			return;
		}
		was += n + (was[n] == '\n');
		is += m + (is[m] == '\n');
	}
}

static void
every_step_is_as_written_down(void **state)
{
	struct uk_buf b;
	const char *is;
	char *was;

	(void)state;
	uk_buf_init(&b, 1024 * 1024);
	print_table(&b);
	is = uk_buf_str(&b);
	assert_non_null(is);
	if (getenv("UK_GOLDEN_WRITE") != NULL) {
		FILE *f = fopen(UK_GOLDEN, "w");

		assert_non_null(f);
		(void)fputs(is, f);
		(void)fclose(f);
	}
	was = read_file(UK_GOLDEN);
	if (strcmp(was, is) != 0)
		show_difference(was, is);
	assert_string_equal(was, is);
	free(was);
	uk_buf_fini(&b);
}

static void
the_graph_names_every_state(void **state)
{
	struct uk_buf b;
	const char *dot;

	(void)state;
	uk_buf_init(&b, 1024 * 1024);
	workflow_dot(&b);
	dot = uk_buf_str(&b);
	assert_non_null(dot);
	assert_memory_equal(dot, "digraph", 7);
	for (unsigned s = 0; s < ST__MAX; s++)
		assert_non_null(strstr(dot, order_state_name((enum order_state)s)));
	uk_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_is_reached_and_ends),
		cmocka_unit_test(whoever_waits_has_a_timeout),
		cmocka_unit_test(told_desks_exist),
		cmocka_unit_test(no_row_is_hidden),
		cmocka_unit_test(everything_named_is_used),
		cmocka_unit_test(the_world_speaks_for_itself),
		cmocka_unit_test(money_ends_well_and_nothing_unpaid_is_issued),
		cmocka_unit_test(every_step_is_as_written_down),
		cmocka_unit_test(the_graph_names_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
