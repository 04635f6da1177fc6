#include <stdio.h>
#include <string.h>

#include "workflow/actions.h"
#include "workflow/audit.h"
#include "workflow/facts.h"
#include "workflow/job.h"

#define DETAIL_MAX 1024u

static const char *
text(const char *s)
{
	return s != NULL ? s : "";
}

static bool
given(const char *s)
{
	return s != NULL && s[0] != '\0';
}

/* The scalar arguments as JSON with sorted members, "" when there are none. */
static enum uk_rc
put_detail(const struct event *ev, struct uk_buf *out)
{
	json_t *o = json_object();
	int bad = o == NULL;

	if (ev->method != METHOD_NONE)
		bad |=
		    json_object_set_new(o, "method", json_string(identity_method_name(ev->method)));
	if (ev->on == EV_DOCUMENT)
		bad |= json_object_set_new(
		    o, "document", json_string(document_type_name(ev->document)));
	if (given(ev->payment))
		bad |= json_object_set_new(o, "payment", json_string(ev->payment));
	if (given(ev->trade))
		bad |= json_object_set_new(o, "trade", json_string(ev->trade));
	if (given(ev->reason))
		bad |= json_object_set_new(o, "reason", json_string(ev->reason));
	if (ev->amount != 0)
		bad |= json_object_set_new(o, "amount", json_integer(ev->amount));
	if (ev->at != 0)
		bad |= json_object_set_new(o, "at", json_integer(ev->at));
	if (ev->n != 0)
		bad |= json_object_set_new(o, "n", json_integer(ev->n));
	if (bad == 0 && json_object_size(o) > 0 && uk_json_put(out, o) != UK_OK)
		bad = 1;
	json_decref(o);
	return bad != 0 || uk_buf_str(out) == NULL ? UK_E_INPUT : UK_OK;
}

static enum uk_rc
put_audit(const struct workflow *w, struct store_tx *tx, const struct step *step,
    const struct event *ev, const struct order *was, const struct order *now, struct uk_err *err)
{
	const unsigned as = step->by & (unsigned)ev->by;
	struct audit_row row = {
		.order = now->id,
		.at = ev->now,
		.event = order_event_name(ev->on),
		.event_id = given(ev->id) ? ev->id : NULL,
		.role = order_by_name((enum order_by)(as & -as)),
		.actor = text(ev->actor),
		.from = order_state_name(was->state),
		.to = order_state_name(now->state),
		.note = text(ev->note),
	};
	struct uk_buf detail;
	enum uk_rc rc;

	uk_buf_init(&detail, DETAIL_MAX);
	rc = put_detail(ev, &detail);
	if (rc != UK_OK) {
		(void)uk_fail(err, rc, NULL, "engine.detail", 0);
	} else {
		row.detail = uk_buf_str(&detail);
		rc = audit_put(w, tx, &row, err);
	}
	uk_buf_fini(&detail);
	return rc;
}

static enum uk_rc
seen_before(struct store_tx *tx, const struct event *ev, bool *seen, struct uk_err *err)
{
	struct store_rows *rows;

	*seen = false;
	if (!given(ev->id))
		return UK_OK;
	rows = store_query(tx, SQL_EVENT_SEEN, STORE_ARGS(DB_T(ev->order), DB_T(ev->id)));
	*seen = store_next(rows);
	return store_end(rows, err);
}

bool
workflow_must_keep(enum order_event on)
{
	return event_row(on)->outside;
}

static bool
must_keep(const struct event *ev)
{
	return ev->by == BY_SYSTEM && workflow_must_keep(ev->on);
}

/* A fact of the world that the table has no place for: kept, and on finance's desk. */
static enum uk_rc
put_stray(struct store_tx *tx, const struct event *ev, struct uk_err *err)
{
	char id[256];
	struct task_new task = { .kind = "stray", .id = id, .role = "finance" };
	struct uk_buf detail;
	enum uk_rc rc;

	(void)snprintf(id, sizeof(id), "stray/%s/%s/%s", order_event_name(ev->on), text(ev->order),
	    given(ev->id) ? ev->id : text(ev->payment));
	uk_buf_init(&detail, DETAIL_MAX);
	rc = put_detail(ev, &detail);
	if (rc != UK_OK)
		(void)uk_fail(err, rc, NULL, "engine.stray", 0);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_STRAY_PUT,
		    STORE_ARGS(DB_T(id), DB_I(ev->now), DB_T(order_event_name(ev->on)),
			DB_T(text(ev->order)), DB_T(uk_buf_str(&detail))),
		    NULL, err);
	task.order = ev->order;
	task.detail = order_event_name(ev->on);
	if (rc == UK_OK)
		rc = task_put(tx, &task, ev->now, err);
	uk_buf_fini(&detail);
	return rc;
}

static enum uk_rc
stray(struct store_tx *tx, const struct event *ev, struct workflow_result *out, struct uk_err *err)
{
	out->outcome = OUTCOME_STRAY;
	return put_stray(tx, ev, err);
}

static enum uk_rc
run_sink(void *ctx, enum sql_id id, const struct db_value *args, size_t n, int64_t *changed,
    struct uk_err *err)
{
	return store_run(ctx, id, args, n, changed, err);
}

static enum uk_rc
take(const struct workflow *w, struct store_tx *tx, const struct step *step, const struct event *ev,
    struct workflow_result *out, struct uk_err *err)
{
	const struct act_sink sink = { .run = run_sink, .ctx = tx };
	struct order next = out->order;
	enum uk_rc rc = step_take(&sink, step, ev, &next, err);

	if (rc == UK_OK)
		rc = facts_replace(tx, &out->order, &next, err);
	if (rc == UK_OK)
		rc = put_audit(w, tx, step, ev, &out->order, &next, err);
	if (rc == UK_OK)
		out->order = next;
	return rc;
}

/* May the event come at all, before the table is asked? */
static enum uk_rc
in_time(const struct order *o, const struct event *ev, struct uk_err *err)
{
	if (ev->version != 0 && ev->version != o->version)
		return uk_fail(err, UK_E_CONFLICT, "version", "engine", (long)o->version);
	if (ev->on == EV_TIMEOUT && (o->timeout_at == 0 || ev->now < o->timeout_at))
		return uk_fail(err, UK_E_CONFLICT, "not-due", "engine", 0);
	return UK_OK;
}

enum uk_rc
workflow_apply(const struct workflow *w, struct store_tx *tx, const struct event *given_ev,
    struct workflow_result *out, struct uk_err *err)
{
	const bool outside = must_keep(given_ev);
	struct event ev = *given_ev;
	struct workflow_result r = { .outcome = OUTCOME_DONE };
	const struct step *step;
	const char *reason = NULL;
	bool seen = false;
	enum uk_rc rc;

	if (ev.now == 0)
		ev.now = uk_now(w->clock);
	ev.order = text(ev.order);
	*out = r;
	rc = order_load(tx, ev.order, &out->order, err);
	if (rc == UK_E_NOT_FOUND && outside)
		return stray(tx, &ev, out, err);
	if (rc == UK_OK)
		rc = seen_before(tx, &ev, &seen, err);
	if (rc != UK_OK)
		return rc;
	if (seen) {
		out->outcome = OUTCOME_SEEN;
		return UK_OK;
	}
	rc = in_time(&out->order, &ev, err);
	if (rc != UK_OK)
		return rc;
	step = table_match(&out->order, &ev, &rc, &reason);
	if (step != NULL)
		return take(w, tx, step, &ev, out, err);
	return outside ? stray(tx, &ev, out, err) : uk_fail(err, rc, reason, "engine", 0);
}

enum uk_rc
workflow_stray(
    const struct workflow *w, struct store_tx *tx, const struct event *ev, struct uk_err *err)
{
	struct event timed = *ev;

	if (timed.now == 0)
		timed.now = uk_now(w->clock);
	return put_stray(tx, &timed, err);
}

struct send {
	const struct workflow *w;
	const struct event *ev;
	struct workflow_result r;
};

static enum uk_rc
send_apply(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct send *s = ctx;

	return workflow_apply(s->w, tx, s->ev, &s->r, err);
}

static enum uk_rc
send_stray(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct send *s = ctx;

	s->r.outcome = OUTCOME_STRAY;
	return workflow_stray(s->w, tx, s->ev, err);
}

enum uk_rc
workflow_send(const struct workflow *w, struct store *store, const struct event *ev,
    struct workflow_result *out, struct uk_err *err)
{
	struct send s = { .w = w, .ev = ev };
	enum uk_rc rc = store_write_wait(store, send_apply, &s, err);

	/* Its row was there and its books said no, as for a payment that is accounted for. */
	if (rc == UK_E_CONFLICT && must_keep(ev))
		rc = store_write_wait(store, send_stray, &s, err);
	if (rc == UK_OK && out != NULL)
		*out = s.r;
	return rc;
}

/* "UK", the Beijing date, and 40 bits nobody can guess in Crockford's base32. */
static void
make_id(const struct workflow *w, int64_t now, char out[ORDER_ID_LEN])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char when[UK_TIME_LEN];
	size_t n = 0;

	uk_time_beijing(now, when);
	out[n++] = 'U';
	out[n++] = 'K';
	for (size_t i = 2; i < 10; i++)
		if (when[i] != '-')
			out[n++] = when[i];
	while (n < ORDER_ID_LEN - 1)
		out[n++] = digits[uk_random_below(w->random, 32)];
	out[n] = '\0';
}

enum uk_rc
workflow_create(const struct workflow *w, struct store_tx *tx, const struct workflow_new *what,
    struct order *out, struct uk_err *err)
{
	const int64_t now = uk_now(w->clock);
	const int64_t needs = order_kind_get(what->kind)->needs | what->needs;
	const enum order_state start = order_start(what->kind, needs);
	struct order o = {
		.kind = what->kind,
		.state = start,
		.version = 1,
		.created_at = now,
		.updated_at = now,
		.state_since = now,
		.timeout_at = state_timeout(what->kind, start, now),
		.amount_due = what->amount_due,
		.needs = needs,
	};
	struct audit_row row = {
		.order = o.id,
		.at = now,
		.event = "create",
		.role = order_by_name(BY_APPLICANT),
		.actor = "",
		.from = "",
		.to = order_state_name(o.state),
		.detail = order_kind_name(what->kind),
	};
	char key[ORDER_ID_LEN + 16];
	enum uk_rc rc;

	make_id(w, now, o.id);
	(void)snprintf(
	    o.identity_digest, sizeof(o.identity_digest), "%s", text(what->identity_digest));
	(void)snprintf(o.about, sizeof(o.about), "%s", text(what->about));
	(void)snprintf(key, sizeof(key), "timeout/%s", o.id);
	rc = facts_insert(tx, &o, err);
	if (rc == UK_OK)
		rc = audit_put(w, tx, &row, err);
	if (rc == UK_OK)
		rc = store_run(tx, SQL_JOB_AGAIN,
		    STORE_ARGS(DB_T(key), DB_T("timeout"), DB_T(o.id), DB_T("{}"),
			DB_I(o.timeout_at), DB_I(now)),
		    NULL, err);
	if (rc == UK_OK)
		*out = o;
	return rc;
}

enum uk_rc
workflow_look(const struct workflow *w, struct store_tx *tx, const char *order, enum order_by by,
    const char *actor, enum document_type what, struct uk_err *err)
{
	struct order o;
	struct audit_row row = {
		.order = order,
		.at = uk_now(w->clock),
		.event = AUDIT_LOOK,
		.role = order_by_name((enum order_by)((unsigned)by & -(unsigned)by)),
		.actor = actor,
		.detail = document_type_name(what),
	};
	enum uk_rc rc = order_load(tx, order, &o, err);

	if (rc != UK_OK)
		return rc;
	row.from = row.to = order_state_name(o.state);
	rc = audit_put(w, tx, &row, err);
	return rc != UK_OK ? rc
			   : store_run(tx, SQL_ORDER_LOOKED, STORE_ARGS(DB_T(order)), NULL, err);
}
