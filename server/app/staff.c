#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "app/base.h"
#include "app/commands.h"
#include "app/enrol.h"
#include "ca/issuer.h"
#include "ca/request.h"

#define ID_BYTES 8

struct staff_options {
	const char *dir;
	const char *name;
	const char *roles;
	const char *request;
	const char *certificate;
};

static const struct uk_opt table[] = {
	{ "dir", "DIR", offsetof(struct staff_options, dir), "the CA's folder" },
	{ "name", "NAME", offsetof(struct staff_options, name), "whose certificate it is" },
	{ "roles", "ROLE[,ROLE]", offsetof(struct staff_options, roles),
	    "reviewer, producer, finance, auditor, administrator" },
	{ "request", "FILE", offsetof(struct staff_options, request),
	    "PKCS#10, DER, of the key on the token" },
	{ "certificate", "FILE", offsetof(struct staff_options, certificate),
	    "where the certificate goes" },
};

struct enrolment {
	const struct base *b;
	const struct staff_options *o;
	char id[2 * ID_BYTES + 1];
	const struct uk_cert *cert;
};

static enum uk_rc
put_staff(struct store_tx *tx, void *ctx, struct uk_err *err)
{
	const struct enrolment *e = ctx;

	return store_run(tx, SQL_STAFF_PUT,
	    STORE_ARGS(DB_T(e->id), DB_T(e->o->name), DB_T(e->o->roles),
		DB_T(uk_cert_fingerprint(e->cert)), DB_B(uk_cert_der(e->cert)),
		DB_I(uk_now(&e->b->clock))),
	    NULL, err);
}

static enum uk_rc
issue(struct enrolment *e, struct uk_span request, struct uk_buf *der, struct uk_err *err)
{
	char intent[64];

	uk_random_hex(&e->b->random, e->id, ID_BYTES);
	(void)snprintf(intent, sizeof(intent), "staff/%s", e->id);
	return enrol_certificate(e->b,
	    &(struct enrol_wish){ .intent = intent,
		.subject = { .organisation = e->b->settings.name,
		    .name = e->o->name,
		    .role = e->o->roles },
		.request = request },
	    der, err);
}

static enum uk_rc
enrol(struct enrolment *e, struct uk_err *err)
{
	struct uk_cert *cert = NULL;
	struct uk_buf request, der;
	enum uk_rc rc;

	uk_buf_init(&request, REQUEST_MAX + 4096);
	uk_buf_init(&der, ISSUER_CERT_MAX);
	if ((rc = uk_file_read(e->o->request, REQUEST_MAX, &request, err)) != UK_OK ||
	    (rc = issue(e, uk_buf_span(&request), &der, err)) != UK_OK ||
	    (rc = uk_cert_parse(uk_buf_span(&der), &cert, err)) != UK_OK)
		goto out;
	e->cert = cert;
	if ((rc = store_write_wait(e->b->store, put_staff, e, err)) == UK_OK)
		rc = uk_file_write(e->o->certificate, 0644, uk_buf_span(&der), err);
	if (rc == UK_OK)
		(void)printf(
		    "%s: %s, serial %s\n", e->id, uk_cert_subject(cert), uk_cert_serial(cert));
	e->cert = NULL;
out:
	uk_cert_free(&cert);
	uk_buf_fini(&request);
	uk_buf_fini(&der);
	return rc;
}

int
command_staff_add(int argc, char **argv)
{
	struct staff_options o = { 0 };
	struct uk_err err = { 0 };
	struct base b;
	unsigned roles;
	enum uk_rc rc;
	int status;

	status = command_options(table, sizeof(table) / sizeof(table[0]), argc, argv,
	    "ukey-ca staff add --dir DIR --name NAME --roles ROLES --request CSR --certificate OUT",
	    &o);
	if (status >= 0)
		return status;
	if (o.dir == NULL || o.name == NULL || o.roles == NULL || o.request == NULL ||
	    o.certificate == NULL || api_roles_read(o.roles, &roles) != UK_OK) {
		(void)fprintf(stderr, "ukey-ca staff add: see --help\n");
		return 2;
	}
	rc = base_open_dir(&b, o.dir, &err);
	if (rc == UK_OK) {
		rc = enrol(&(struct enrolment){ .b = &b, .o = &o }, &err);
		base_close(&b);
	}
	return rc == UK_OK ? 0 : command_failed("staff add", &err);
}
