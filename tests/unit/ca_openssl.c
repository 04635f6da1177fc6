/* The openssl command as the outside judge: it reads and believes what this CA makes, and refuses
 * what this CA has revoked [C14]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "ca/crl.h"
#include "ca_place.h"
#include "uk/config.h"

#define ORGANISATION "\xe5\x8c\x97\xe4\xba\xac\xe7\xa4\xba\xe8\x8c\x83" /* place_issue() */

/* Run in the place's folder; what it says goes to out.  The exit status. */
static int
run(const struct place *p, const char *command, struct uk_buf *out)
{
	struct uk_buf line;
	char chunk[1024];
	FILE *f;
	size_t n;
	int status;

	uk_buf_init(&line, 1024);
	uk_buf_printf(&line, "cd %s && { %s; } 2>&1", p->dir, command);
	f = popen(uk_buf_str(&line), "r");
	assert_non_null(f);
	uk_buf_reset(out);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		uk_buf_put(out, uk_span(chunk, n));
	status = pclose(f);
	uk_buf_fini(&line);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
put_file(const struct place *p, const char *file, struct uk_span data)
{
	char path[128];

	place_path(p, file, path);
	assert_int_equal(uk_file_write(path, 0644, data, NULL), UK_OK);
}

static void
says(struct uk_buf *out, const char *const *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(uk_buf_str(out), want[i]) == NULL)
			fail_msg("openssl does not say \"%s\" but:\n%s", want[i], uk_buf_str(out));
}

/* Two certificates, good.cer and bad.cer; the second is on the list. */
static void
fill(const struct place *p, int64_t now)
{
	struct crl_entry entry = { .revoked_at = now - 60, .reason = CRL_KEY_COMPROMISE };
	const struct crl_plan plan = { &entry, 1, 7, now, now + PLACE_DAY };
	char serial[SERIAL_LEN];
	struct uk_buf spki, der, crl;

	place_spki("P-256", &spki, NULL);
	place_issue(p, uk_buf_span(&spki), now, &der, NULL);
	put_file(p, "good.cer", uk_buf_span(&der));
	uk_buf_fini(&der);
	uk_buf_fini(&spki);
	place_spki("RSA", &spki, NULL);
	place_issue(p, uk_buf_span(&spki), now, &der, serial);
	put_file(p, "bad.cer", uk_buf_span(&der));
	uk_buf_fini(&der);
	uk_buf_fini(&spki);
	entry.serial = serial;
	uk_buf_init(&crl, 4096);
	assert_int_equal(crl_build(p->a, &plan, &crl, NULL), UK_OK);
	put_file(p, "crl.crl", uk_buf_span(&crl));
	uk_buf_fini(&crl);
}

static void
prints(const struct place *p, struct uk_buf *out)
{
	static const char *const certificate[] = { "Version: 3 (0x2)", "CA:FALSE",
		"Digital Signature, Non Repudiation",
		"TLS Web Client Authentication, E-mail Protection",
		"1.2.156.10260.4.4:", "91110108722619411A", "Policy: 1.2.156.99999.1",
		"CPS: https://ca.example/cps", "CA Issuers - URI:https://ca.example/ca/issuer.cer",
		"URI:https://ca.example/ca/crl.crl", "X509v3 Subject Key Identifier",
		"X509v3 Authority Key Identifier", ("O=" ORGANISATION ", CN=" ORGANISATION) };
	static const char *const issuer[] = { "CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign",
		"Issuing CA", "Root CA", "URI:https://ca.example/ca/root.cer" };
	static const char *const crl[] = { "Version 2 (0x1)", "X509v3 CRL Number", "Key Compromise",
		"X509v3 Authority Key Identifier", "Revoked Certificates" };
	static const char *const id[] = { "PRINTABLESTRING", "91110108722619411A" };

	assert_int_equal(run(p,
			     "openssl x509 -inform der -in good.cer -noout -text -nameopt "
			     "oneline,utf8,-esc_msb,-space_eq",
			     out),
	    0);
	says(out, certificate, sizeof(certificate) / sizeof(certificate[0]));
	assert_int_equal(run(p, "openssl x509 -inform der -in issuer.cer -noout -text", out), 0);
	says(out, issuer, sizeof(issuer) / sizeof(issuer[0]));
	assert_int_equal(run(p, "openssl crl -inform der -in crl.crl -noout -text", out), 0);
	says(out, crl, sizeof(crl) / sizeof(crl[0]));
	/* GM/T 0015-2023: the string lies directly in extnValue */
	assert_int_equal(
	    run(p,
		"at=$(openssl asn1parse -inform der -in good.cer | grep -A1 1.2.156.10260.4.4 |"
		" tail -1 | cut -d: -f1);"
		" openssl asn1parse -inform der -in good.cer -strparse $at",
		out),
	    0);
	says(out, id, 2);
}

static void
verifies(const struct place *p, struct uk_buf *out)
{
	static const char *const revoked[] = { "certificate revoked" };
	static const char chain[] = "-x509_strict -CAfile root.pem -untrusted issuer.pem";
	char line[512];

	assert_int_equal(
	    run(p,
		"for f in root issuer good bad; do openssl x509 -inform der -in $f.cer"
		" -out $f.pem || exit 1; done; openssl crl -inform der -in crl.crl -out crl.pem",
		out),
	    0);
	(void)snprintf(line, sizeof(line), "openssl verify %s good.pem bad.pem", chain);
	assert_int_equal(run(p, line, out), 0);
	(void)snprintf(
	    line, sizeof(line), "openssl verify %s -crl_check -CRLfile crl.pem good.pem", chain);
	assert_int_equal(run(p, line, out), 0);
	(void)snprintf(
	    line, sizeof(line), "openssl verify %s -crl_check -CRLfile crl.pem bad.pem", chain);
	assert_int_not_equal(run(p, line, out), 0);
	says(out, revoked, 1);
	(void)snprintf(line, sizeof(line), "openssl verify %s -purpose sslserver good.pem", chain);
	assert_int_not_equal(run(p, line, out), 0);
	assert_int_equal(
	    run(p, "openssl crl -in crl.pem -noout -verify -CAfile issuer.pem", out), 0);
}

static void
judged(const char *algorithm)
{
	const int64_t now = (int64_t)time(NULL); /* the command's clock is the system's */
	struct place p;
	struct uk_buf out;

	place_init(&p, algorithm, now - 3600);
	uk_buf_init(&out, 65536);
	fill(&p, now - 60);
	prints(&p, &out);
	verifies(&p, &out);
	uk_buf_fini(&out);
	place_fini(&p);
}

static void
p256(void **state)
{
	(void)state;
	judged("p256");
}

static void
rsa(void **state)
{
	(void)state;
	judged("rsa");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(p256),
		cmocka_unit_test(rsa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
