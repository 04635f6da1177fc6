#include <stdlib.h>

#include "ca/crl.h"
#include "jobs/kinds.h"

#define HOUR    3600
#define EVERY   HOUR        /* and at once after a change of status */
#define VALID   (36 * HOUR) /* so that missed ones hurt nobody */
#define CRL_MAX (64u * 1024u * 1024u)

struct list {
	struct crl_entry *entries;
	size_t n;
	size_t cap;
	int64_t number;
	int64_t now;
	struct uk_buf der;
};

static enum uk_rc
add(struct list *l, const struct store_rows *rows, struct uk_err *err)
{
	struct crl_entry *e;

	if (l->n == l->cap) {
		l->cap = l->cap != 0 ? 2 * l->cap : 64;
		l->entries = reallocarray(l->entries, l->cap, sizeof(*l->entries));
		if (l->entries == NULL)
			abort();
	}
	e = &l->entries[l->n];
	if (crl_reason_from_name(store_text(rows, 2), &e->reason) != UK_OK)
		return uk_fail(err, UK_E_INTEGRITY, NULL, "crl.reason", 0);
	e->serial = uk_xstrdup(store_text(rows, 0));
	e->revoked_at = store_int(rows, 1);
	l->n++;
	return UK_OK;
}

static enum uk_rc
load(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	struct list *l = ctx;
	struct store_rows *rows = store_query(tx, SQL_CRL_LAST, STORE_NO_ARGS);
	enum uk_rc end;
	enum uk_rc rc;

	if (store_next(rows))
		l->number = store_int(rows, 0);
	rc = store_end(rows, err);
	if (rc != UK_OK)
		return rc;
	rows = store_query(tx, SQL_CERTIFICATES_REVOKED, STORE_ARGS(DB_I(l->now)));
	while (rc == UK_OK && store_next(rows))
		rc = add(l, rows, err);
	end = store_end(rows, err);
	return end != UK_OK ? end : rc;
}

static enum uk_rc
store_list(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct list *l = ctx;
	const enum uk_rc rc = store_run(tx, SQL_CRL_PUT,
	    STORE_ARGS(DB_I(l->number + 1), DB_I(l->now), DB_I(l->now + VALID),
		DB_B(uk_buf_span(&l->der))),
	    NULL, err);

	return rc == UK_OK ? store_run(tx, SQL_CRLS_EXPIRE, STORE_ARGS(DB_I(l->now)), NULL, err)
			   : rc;
}

static enum uk_rc
make(struct jobs *j, struct list *l, struct uk_err *err)
{
	struct crl_plan plan = { .this_update = l->now, .next_update = l->now + VALID };
	enum uk_rc rc = store_read(j->s.store, load, l, err);

	if (rc != UK_OK)
		return rc;
	plan.entries = l->entries;
	plan.n = l->n;
	plan.number = (uint64_t)l->number + 1;
	rc = crl_build(j->s.authority, &plan, &l->der, err);
	return rc == UK_OK ? store_write_wait(j->s.store, store_list, l, err) : rc;
}

/* Two that run at once make the same number, and the second finds it taken and tries again. */
void
run_crl(struct jobs *j, const struct job *job, struct job_report *r)
{
	struct list l = { .now = uk_now(j->s.clock) };
	struct uk_err err = { 0 };
	enum uk_rc rc = UK_E_UNAVAILABLE;

	(void)job;
	uk_buf_init(&l.der, CRL_MAX);
	if (j->s.authority != NULL)
		rc = make(j, &l, &err);
	if (rc == UK_OK)
		job_later(r, "made", EVERY);
	else
		job_failed(r, rc, &err);
	for (size_t i = 0; i < l.n; i++)
		free((char *)(uintptr_t)l.entries[i].serial);
	free(l.entries);
	uk_buf_fini(&l.der);
}
