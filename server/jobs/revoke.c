/* The end of certificates: of one that an order has made for nothing, and of the old ones. */
#include <string.h>

#include "ca/crl.h"
#include "jobs/kinds.h"

static enum uk_rc
revoke_intent(struct jobs *j, struct store_tx *tx, const struct job *job,
    const struct job_report *r, struct uk_err *err)
{
	char intent[CERTIFICATE_INTENT_LEN];
	struct certificate c;
	enum uk_rc rc;

	(void)r;
	issue_intent(job, "", intent);
	rc = certificate_by_intent(tx, intent, &c, NULL);
	if (rc == UK_E_NOT_FOUND || (rc == UK_OK && c.issued_at == 0))
		return UK_OK;
	if (rc != UK_OK)
		return uk_fail(err, rc, NULL, "revoke", 0);
	return certificate_revoke(
	    tx, c.serial, crl_reason_name(CRL_CESSATION), "server", uk_now(j->s.clock), err);
}

void
run_revoke(struct jobs *j, const struct job *job, struct job_report *r)
{
	(void)j;
	(void)job;
	r->also = revoke_intent;
}

/* With a key its other certificates are lost, too: those that were renewed and still run. */
static enum uk_rc
revoke_lost(struct store_tx *tx, const char *serial, int64_t now, struct uk_err *err)
{
	struct certificate_list l = { 0 };
	struct certificate lost;
	enum uk_rc rc = certificate_get(tx, serial, &lost, err);

	if (rc == UK_OK && lost.token[0] != '\0')
		rc = certificates_of_token(tx, lost.token, &l, err);
	for (size_t i = 0; rc == UK_OK && i < l.n; i++)
		if (strcmp(l.v[i].holder, lost.holder) == 0 && l.v[i].not_after >= now)
			rc = certificate_revoke(
			    tx, l.v[i].serial, crl_reason_name(CRL_SUPERSEDED), "server", now, err);
	certificate_list_fini(&l);
	return rc;
}

static enum uk_rc
revoke_old(struct jobs *j, struct store_tx *tx, const struct job *job, const struct job_report *r,
    struct uk_err *err)
{
	const int64_t now = uk_now(j->s.clock);
	struct order o;
	enum uk_rc rc = order_load(tx, job->order, &o, err);

	(void)r;
	if (rc == UK_OK)
		rc = certificate_revoke(
		    tx, o.about, crl_reason_name(CRL_SUPERSEDED), "server", now, err);
	if (rc == UK_OK && order_kind_get(o.kind)->flow == FLOW_REPLACEMENT)
		rc = revoke_lost(tx, o.about, now, err);
	return rc;
}

/* [L10], [V3] */
void
run_revoke_old(struct jobs *j, const struct job *job, struct job_report *r)
{
	(void)j;
	(void)job;
	r->also = revoke_old;
}
