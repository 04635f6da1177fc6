/*
 * Certificates per second of the CA (a request read, the intent prepared, the certificate signed,
 * each step as ukey-ca runs it but for the database), against OpenSSL doing no more than verifying
 * the same request and signing as many bytes.  One thread; processor time, because the machine is
 * shared; the two take turns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/x509.h>

#include "ca/issuer.h"
#include "ca/request.h"
#include "ca_place.h"
#include "uk/sm2.h"

#define ROUNDS 10

struct task {
	const char *algorithm;
	bool sm2;
	struct place ca;
	struct uk_buf request;
	struct uk_buf tbs; /* of a certificate, to sign as many bytes */
	EVP_MD_CTX *ready;
	EVP_PKEY *key;
};

_Noreturn static void
fail(const char *what)
{
	(void)fprintf(stderr, "bench-certificates: %s\n", what);
	exit(1);
}

static double
cpu_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
make_request(struct task *t)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	X509_REQ *req = X509_REQ_new();
	unsigned char *der = NULL;
	EVP_PKEY *key = NULL;
	struct uk_buf spki;
	int n;

	place_spki(t->sm2 ? "SM2" : "P-256", &spki, &key);
	place_sign_init(ctx, key);
	if (X509_REQ_set_pubkey(req, key) != 1 || X509_REQ_sign_ctx(req, ctx) <= 0 ||
	    (n = i2d_X509_REQ(req, &der)) <= 0)
		fail("request");
	uk_buf_init(&t->request, REQUEST_MAX);
	uk_buf_put(&t->request, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	X509_REQ_free(req);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	uk_buf_fini(&spki);
}

static void
issue(struct task *t, bool keep)
{
	struct issuer_order o = { .profile = PROFILE_ORGANISATION,
		.subject = { .organisation = "\xe5\x8c\x97\xe4\xba\xac\xe7\xa4\xba\xe8\x8c\x83",
		    .credit_code = "91110108722619411A" },
		.not_before = PLACE_NOW,
		.not_after = PLACE_NOW + 365 * (int64_t)PLACE_DAY };
	struct issuer_intent i;
	struct uk_buf spki, der;

	uk_buf_init(&spki, SPKI_MAX);
	uk_buf_init(&der, ISSUER_CERT_MAX);
	if (request_read(uk_buf_span(&t->request), &spki, NULL) != UK_OK)
		fail("request_read");
	o.spki = uk_buf_span(&spki);
	if (issuer_prepare(t->ca.a, &o, &uk_random_system, &i, NULL) != UK_OK ||
	    issuer_sign(t->ca.a, uk_buf_span(&i.tbs), &der, NULL) != UK_OK)
		fail("issuer");
	if (keep)
		uk_buf_put(&t->tbs, uk_buf_span(&i.tbs));
	issuer_intent_fini(&i);
	uk_buf_fini(&spki);
	uk_buf_fini(&der);
}

static void
verify_and_sign(struct task *t)
{
	const unsigned char *p = t->request.p;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)t->request.n);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ASN1_OCTET_STRING *id;
	uint8_t sig[128];
	size_t n = sizeof(sig);

	if (t->sm2) {
		id = ASN1_OCTET_STRING_new();
		(void)ASN1_OCTET_STRING_set(id, (const unsigned char *)UK_SM2_ID, -1);
		X509_REQ_set0_distinguishing_id(req, id);
	}
	if (X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) != 1 ||
	    EVP_MD_CTX_copy_ex(ctx, t->ready) != 1 ||
	    EVP_DigestSign(ctx, sig, &n, t->tbs.p, t->tbs.n) != 1)
		fail("openssl");
	EVP_MD_CTX_free(ctx);
	X509_REQ_free(req);
}

static void
task_init(struct task *t, const char *algorithm)
{
	struct uk_buf spki;

	*t = (struct task){ .algorithm = algorithm, .sm2 = strcmp(algorithm, "sm2") == 0 };
	place_init(&t->ca, algorithm, PLACE_NOW);
	make_request(t);
	uk_buf_init(&t->tbs, ISSUER_TBS_MAX);
	issue(t, true);
	place_spki(t->sm2 ? "SM2" : "P-256", &spki, &t->key);
	t->ready = EVP_MD_CTX_new();
	place_sign_init(t->ready, t->key);
	uk_buf_fini(&spki);
}

static void
task_fini(struct task *t)
{
	EVP_MD_CTX_free(t->ready);
	EVP_PKEY_free(t->key);
	uk_buf_fini(&t->request);
	uk_buf_fini(&t->tbs);
	place_fini(&t->ca);
}

static void
measure(const char *algorithm, size_t n)
{
	double ours = 0, theirs = 0, began;
	struct task t;

	task_init(&t, algorithm);
	for (int round = 0; round < ROUNDS; round++) {
		began = cpu_now();
		for (size_t i = 0; i < n; i++)
			verify_and_sign(&t);
		theirs += cpu_now() - began;
		began = cpu_now();
		for (size_t i = 0; i < n; i++)
			issue(&t, false);
		ours += cpu_now() - began;
	}
	(void)printf("| %s | %.0f | %.0f | %.2f |\n", algorithm, (double)(n * ROUNDS) / theirs,
	    (double)(n * ROUNDS) / ours, theirs / ours);
	task_fini(&t);
}

int
main(int argc, char **argv)
{
	const size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;

	(void)printf(
	    "| CA and key | OpenSSL verifies and signs, a second | certificates a second | "
	    "ratio |\n| --- | --- | --- | --- |\n");
	measure("p256", n);
	measure("sm2", n);
	return 0;
}
