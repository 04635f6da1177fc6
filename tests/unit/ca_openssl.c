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

#include <openssl/ocsp.h>

#include "ca/ocsp.h"
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

/* It has to do it. */
static void
runs(const struct place *p, const char *command, struct uk_buf *out)
{
	const int status = run(p, command, out);

	if (status != 0)
		fail_msg("%s: %d\n%s", command, status, uk_buf_str(out));
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
		"1.2.156.10260.4.4:", "91110108722619411A", "OCSP - URI:https://ca.example/ca/ocsp",
		"Policy: 1.2.156.99999.1", "CPS: https://ca.example/cps",
		"CA Issuers - URI:https://ca.example/ca/issuer.cer",
		"URI:https://ca.example/ca/crl.crl", "X509v3 Subject Key Identifier",
		"X509v3 Authority Key Identifier", ("O=" ORGANISATION ", CN=" ORGANISATION) };
	static const char *const issuer[] = { "CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign",
		"Issuing CA", "Root CA", "URI:https://ca.example/ca/root.cer" };
	static const char *const crl[] = { "Version 2 (0x1)", "X509v3 CRL Number", "Key Compromise",
		"X509v3 Authority Key Identifier", "Revoked Certificates" };
	static const char *const id[] = { "PRINTABLESTRING", "91110108722619411A" };

	runs(p,
	    "openssl x509 -inform der -in good.cer -noout -text -nameopt "
	    "oneline,utf8,-esc_msb,-space_eq",
	    out);
	says(out, certificate, sizeof(certificate) / sizeof(certificate[0]));
	runs(p, "openssl x509 -inform der -in issuer.cer -noout -text", out);
	says(out, issuer, sizeof(issuer) / sizeof(issuer[0]));
	runs(p, "openssl crl -inform der -in crl.crl -noout -text", out);
	says(out, crl, sizeof(crl) / sizeof(crl[0]));
	/* GM/T 0015-2023: the string lies directly in extnValue */
	runs(p,
	    "at=$(openssl asn1parse -inform der -in good.cer | grep -A1 1.2.156.10260.4.4 |"
	    " tail -1 | cut -d: -f1);"
	    " openssl asn1parse -inform der -in good.cer -strparse $at",
	    out);
	says(out, id, 2);
}

static bool
is_sm2(const struct place *p)
{
	return uk_cert_alg(authority_issuer(p->a)) == UK_KEY_SM2;
}

/* The command takes SM2's identifier for the certificate that it is asked about, not for those
 * between: so one step at a time. */
static void
verifies_sm2(const struct place *p, struct uk_buf *out)
{
	static const char option[] = "-x509_strict -vfyopt distid:1234567812345678";
	char line[512];

	(void)snprintf(line, sizeof(line), "openssl verify %s -CAfile root.pem issuer.pem", option);
	runs(p, line, out);
	(void)snprintf(line, sizeof(line),
	    "openssl verify %s -partial_chain -trusted issuer.pem good.pem bad.pem", option);
	runs(p, line, out);
	assert_int_not_equal(
	    run(p, "openssl verify -partial_chain -trusted issuer.pem good.pem", out), 0);
}

static void
verifies(const struct place *p, struct uk_buf *out)
{
	static const char *const revoked[] = { "certificate revoked" };
	static const char chain[] = "-x509_strict -CAfile root.pem -untrusted issuer.pem";
	char line[512];

	runs(p,
	    "for f in root issuer good bad; do openssl x509 -inform der -in $f.cer"
	    " -out $f.pem || exit 1; done; openssl crl -inform der -in crl.crl -out crl.pem",
	    out);
	/* a list of SM2 the command can't verify: crl_build() has */
	if (is_sm2(p)) {
		verifies_sm2(p, out);
		return;
	}
	(void)snprintf(line, sizeof(line), "openssl verify %s good.pem bad.pem", chain);
	runs(p, line, out);
	(void)snprintf(
	    line, sizeof(line), "openssl verify %s -crl_check -CRLfile crl.pem good.pem", chain);
	runs(p, line, out);
	(void)snprintf(
	    line, sizeof(line), "openssl verify %s -crl_check -CRLfile crl.pem bad.pem", chain);
	assert_int_not_equal(run(p, line, out), 0);
	says(out, revoked, 1);
	(void)snprintf(line, sizeof(line), "openssl verify %s -purpose sslserver good.pem", chain);
	assert_int_not_equal(run(p, line, out), 0);
	runs(p, "openssl crl -in crl.pem -noout -verify -CAfile issuer.pem", out);
}

/* --- OCSP ------------------------------------------------------------------------------------ */

static struct responder *
make_responder(const struct place *p, int64_t now)
{
	struct issuer_order o = { .profile = PROFILE_RESPONDER,
		.subject = { .organisation = "CA", .name = "OCSP" },
		.not_before = now - 60,
		.not_after = now + PLACE_DAY };
	struct responder *r = NULL;
	struct uk_cert *cert = NULL;
	struct issuer_intent i;
	struct uk_buf spki, der;

	uk_buf_init(&spki, 1024);
	uk_buf_init(&der, ISSUER_CERT_MAX);
	assert_int_equal(responder_new(authority_kind(p->a), &r, NULL), UK_OK);
	assert_int_equal(responder_put_spki(r, &spki), UK_OK);
	o.spki = uk_buf_span(&spki);
	assert_int_equal(issuer_prepare(p->a, &o, &uk_random_system, &i, NULL), UK_OK);
	assert_int_equal(issuer_sign(p->a, uk_buf_span(&i.tbs), &der, NULL), UK_OK);
	assert_int_equal(uk_cert_parse(uk_buf_span(&der), &cert, NULL), UK_OK);
	assert_int_equal(responder_set(r, cert, NULL), UK_OK);
	issuer_intent_fini(&i);
	uk_buf_fini(&spki);
	uk_buf_fini(&der);
	return r;
}

/* The answer to the request in req.der, into resp.der: good, revoked, and whatever else unknown. */
static void
answer(const struct place *p, const struct responder *r, int64_t now)
{
	static const struct ocsp_answer all[OCSP_ASKED_MAX] = { { .status = OCSP_GOOD },
		{ OCSP_REVOKED, 1795329000, CRL_KEY_COMPROMISE }, { .status = OCSP_UNKNOWN } };
	struct uk_buf request, response;
	struct ocsp_request rq;
	char path[128];

	uk_buf_init(&request, 8192);
	uk_buf_init(&response, OCSP_RESPONSE_MAX);
	place_path(p, "req.der", path);
	assert_int_equal(uk_file_read(path, OCSP_REQUEST_MAX, &request, NULL), UK_OK);
	assert_int_equal(
	    ocsp_request_read(authority_issuer(p->a), uk_buf_span(&request), &rq, NULL), UK_OK);
	assert_int_equal(rq.n, 3);
	assert_true(rq.asked[0].ours && rq.asked[1].ours && rq.asked[2].ours);
	assert_string_equal(rq.asked[2].serial, "1234");
	assert_int_equal(ocsp_put(r, &rq, all, now, now + 600, &response, NULL), UK_OK);
	put_file(p, "resp.der", uk_buf_span(&response));
	uk_buf_fini(&request);
	uk_buf_fini(&response);
}

/* For SM2, whose identifier OCSP_basic_verify() can't be told. */
static void
signed_by_hand(const struct place *p, const struct responder *r)
{
	struct uk_buf der, raw;
	const unsigned char *at;
	OCSP_RESPONSE *response;
	OCSP_BASICRESP *basic;
	const ASN1_OCTET_STRING *sig;
	const OCSP_RESPDATA *data;
	unsigned char *tbs = NULL;
	char path[128];
	int n;

	uk_buf_init(&der, OCSP_RESPONSE_MAX + 4096);
	uk_buf_init(&raw, 64);
	place_path(p, "resp.der", path);
	assert_int_equal(uk_file_read(path, OCSP_RESPONSE_MAX, &der, NULL), UK_OK);
	at = der.p;
	response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.n);
	assert_non_null(response);
	basic = OCSP_response_get1_basic(response);
	assert_non_null(basic);
	data = OCSP_resp_get0_respdata(basic);
	n = i2d_OCSP_RESPDATA((OCSP_RESPDATA *)(uintptr_t)data, &tbs);
	sig = OCSP_resp_get0_signature(basic);
	assert_int_equal(
	    uk_ecdsa_from_der(uk_span(sig->data, (size_t)sig->length), UK_KEY_SM2, &raw), UK_OK);
	assert_int_equal(uk_verify(uk_cert_pubkey(responder_certificate(r)),
			     uk_span(tbs, (size_t)n), uk_buf_span(&raw), NULL),
	    UK_OK);
	tbs[n - 1] ^= 1;
	assert_int_equal(uk_verify(uk_cert_pubkey(responder_certificate(r)),
			     uk_span(tbs, (size_t)n), uk_buf_span(&raw), NULL),
	    UK_E_INTEGRITY);
	assert_int_equal(
	    uk_cert_verify(responder_certificate(r), authority_issuer(p->a), NULL), UK_OK);
	OPENSSL_free(tbs);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	uk_buf_fini(&der);
	uk_buf_fini(&raw);
}

#define ASKED "-issuer issuer.pem -cert good.pem -cert bad.pem -serial 0x1234"

/* [C14] The command asks by each digest, and believes what it is told. */
static void
answers(const struct place *p, int64_t now, struct uk_buf *out)
{
	static const char *const digests[] = { "-sha1", "-sha256", "-sm3" };
	static const char *const verified[] = { "Response verify OK" };
	static const char *const said[] = { "good.pem: good", "bad.pem: revoked", "keyCompromise",
		"0x1234: unknown" };
	static const char *const text[] = { "OCSP Response Status: successful", "OCSP Nonce",
		"OCSP No Check", "OCSP Signing" };
	struct responder *r = make_responder(p, now);
	char line[512];

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(
		    line, sizeof(line), "openssl ocsp %s " ASKED " -reqout req.der", digests[i]);
		runs(p, line, out);
		answer(p, r, now);
		if (is_sm2(p)) {
			signed_by_hand(p, r);
		} else {
			runs(p,
			    "openssl ocsp -reqin req.der -respin resp.der -issuer issuer.pem"
			    " -CAfile root.pem -verify_other issuer.pem",
			    out);
			says(out, verified, 1);
		}
		(void)snprintf(line, sizeof(line),
		    "openssl ocsp -respin resp.der -noverify -no_nonce %s " ASKED, digests[i]);
		runs(p, line, out);
		says(out, said, 4);
	}
	runs(p, "openssl ocsp -respin resp.der -noverify -resp_text", out);
	says(out, text, 4);
	responder_free(&r);
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
	answers(&p, now, &out);
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

static void
sm2(void **state)
{
	(void)state;
	judged("sm2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(p256),
		cmocka_unit_test(rsa),
		cmocka_unit_test(sm2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
