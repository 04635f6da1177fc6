/* The CA at work: founded, opened, issuing, revoking; and the log-in with what it issued. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "ca/crl.h"
#include "ca/der.h"
#include "ca/login.h"
#include "ca/tbs.h"
#include "ca_place.h"
#include "uk/config.h"

#define NOW          PLACE_NOW
#define YEAR         (365 * (int64_t)PLACE_DAY)
#define ORGANISATION "\xe5\x8c\x97\xe4\xba\xac\xe7\xa4\xba\xe8\x8c\x83"
#define PERSON       "\xe5\xbc\xa0\xe4\xb8\x89"

struct both {
	struct place p256, rsa, sm2;
};

static int
setup(void **state)
{
	struct both *b = calloc(1, sizeof(*b));

	place_init(&b->p256, "p256", NOW);
	place_init(&b->rsa, "rsa", NOW);
	place_init(&b->sm2, "sm2", NOW);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct both *b = *state;

	place_fini(&b->p256);
	place_fini(&b->rsa);
	place_fini(&b->sm2);
	free(b);
	return 0;
}

static struct uk_cert *
parsed(struct uk_span der)
{
	struct uk_cert *c = NULL;

	assert_int_equal(uk_cert_parse(der, &c, NULL), UK_OK);
	return c;
}

/* --- founding and opening -------------------------------------------------------------------- */

static void
founded(void **state)
{
	const struct both *b = *state;
	const struct uk_cert *root = authority_root(b->p256.a),
			     *issuer = authority_issuer(b->p256.a);
	static const char *const keys[] = { AUTHORITY_ROOT_KEY, AUTHORITY_ISSUER_KEY };
	struct stat st;
	struct uk_buf text;
	char path[128];

	assert_string_equal(uk_cert_common_name(root), "\xe7\xa4\xba\xe8\x8c\x83 Root CA");
	assert_string_equal(uk_cert_common_name(issuer), "\xe7\xa4\xba\xe8\x8c\x83 Issuing CA");
	assert_true(uk_cert_is_ca(root) && uk_cert_is_ca(issuer));
	assert_int_equal(uk_cert_not_before(root), NOW);
	assert_int_equal(uk_cert_not_after(root), 2110948200);   /* 2036-11-22T06:30:00Z */
	assert_int_equal(uk_cert_not_after(issuer), 1953095400); /* 2031-11-22T06:30:00Z */
	assert_int_equal(uk_cert_alg(root), UK_KEY_P256);
	assert_int_equal(uk_cert_alg(authority_issuer(b->rsa.a)), UK_KEY_RSA_3072);
	assert_int_equal(uk_cert_alg(authority_issuer(b->sm2.a)), UK_KEY_SM2);
	assert_string_equal(authority_kind(b->sm2.a), "sm2");
	for (size_t i = 0; i < 2; i++) {
		place_path(&b->p256, keys[i], path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		uk_buf_init(&text, 8192);
		assert_int_equal(uk_file_read(path, 8192, &text, NULL), UK_OK);
		assert_ptr_equal(
		    strstr(uk_buf_str(&text), "-----BEGIN ENCRYPTED PRIVATE KEY-----"), text.p);
		uk_buf_fini(&text);
	}
}

static void
founding_refused(void **state)
{
	static const char long_name[] = "1234567890123456789012345678901234567890123456789";
	const struct both *b = *state;
	struct authority_settings s = b->p256.settings;
	struct uk_err err = { 0 };

	assert_int_equal(
	    authority_init(&s, "p256", "CA", NOW, &uk_random_system, &err), UK_E_CONFLICT);
	assert_string_equal(uk_err_reason(&err), "authority-exists");
	s.dir = "/nonexistent/ca";
	assert_int_equal(
	    authority_init(&s, "p256", "CA", NOW, &uk_random_system, &err), UK_E_INTERNAL);
	assert_int_equal(authority_init(&s, "dsa", "CA", NOW, &uk_random_system, &err), UK_E_INPUT);
	assert_string_equal(err.field, "algorithm");
	assert_int_equal(authority_init(&s, "p256", "", NOW, &uk_random_system, &err), UK_E_INPUT);
	assert_string_equal(err.field, "name");
	assert_int_equal(
	    authority_init(&s, "p256", long_name, NOW, &uk_random_system, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "wrong-length");
}

static void
opened_with_the_wrong_master_key(void **state)
{
	const struct both *b = *state;
	struct authority_settings s = b->p256.settings;
	struct uk_secret *wrong = uk_secret_new(uk_span_str("another master key of 32 bytes.."));
	struct uk_secret *brief = uk_secret_new(uk_span_str("too short"));
	struct authority *a = NULL;
	struct uk_err err = { 0 };

	s.master = wrong;
	assert_int_equal(authority_open(&s, &a, &err), UK_E_INTEGRITY);
	assert_string_equal(uk_err_reason(&err), "key-file-wrong");
	s.master = brief;
	assert_int_equal(authority_open(&s, &a, &err), UK_E_INTERNAL);
	s.master = NULL;
	assert_int_equal(authority_open(&s, &a, &err), UK_E_INTERNAL);
	assert_null(a);
	uk_secret_free(&wrong);
	uk_secret_free(&brief);
}

static void
copy(const struct place *from, const char *file, const struct place *to, const char *as)
{
	char path[128];
	struct uk_buf b;

	uk_buf_init(&b, 16384);
	place_path(from, file, path);
	assert_int_equal(uk_file_read(path, 16384, &b, NULL), UK_OK);
	place_path(to, as, path);
	assert_int_equal(uk_file_write(path, 0600, uk_buf_span(&b), NULL), UK_OK);
	uk_buf_fini(&b);
}

struct swap {
	const char *file, *as;
	const char *reason;
};

/* Each file replaced by another CA's, or by a neighbour. */
static void
opened_with_files_mixed_up(void **state)
{
	static const struct swap rows[] = {
		{ AUTHORITY_ISSUER_KEY, AUTHORITY_ISSUER_KEY, "key-file-wrong" },
		{ AUTHORITY_ROOT_KEY, AUTHORITY_ISSUER_KEY, "key-file-wrong" },
		{ AUTHORITY_ROOT_CER, AUTHORITY_ROOT_CER, "certificate-untrusted" },
		{ AUTHORITY_ISSUER_CER, AUTHORITY_ISSUER_CER, "certificate-untrusted" },
		{ AUTHORITY_ISSUER_CER, AUTHORITY_ROOT_CER, "certificate-untrusted" },
		{ AUTHORITY_ISSUER_KEY, AUTHORITY_ISSUER_CER, "certificate-malformed" },
		{ AUTHORITY_ISSUER_CER, AUTHORITY_ISSUER_KEY, "key-file-wrong" },
	};
	const struct both *b = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct authority *a = NULL;
		struct uk_err err = { 0 };
		struct place p;

		place_init(&p, "p256", NOW);
		copy(&b->p256, rows[i].file, &p, rows[i].as);
		assert_int_equal(authority_open(&p.settings, &a, &err), UK_E_INTEGRITY);
		assert_string_equal(uk_err_reason(&err), rows[i].reason);
		place_fini(&p);
	}
}

static void
opened_with_a_key_in_the_clear(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct authority *a = NULL;
	struct uk_err err = { 0 };
	struct place p;
	char path[128];
	FILE *f;

	(void)state;
	place_init(&p, "p256", NOW);
	place_path(&p, AUTHORITY_ISSUER_KEY, path);
	f = fopen(path, "w");
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(authority_open(&p.settings, &a, &err), UK_E_INTEGRITY);
	assert_string_equal(uk_err_reason(&err), "key-file-wrong");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(authority_open(&p.settings, &a, &err), UK_E_NOT_FOUND);
	place_fini(&p);
	EVP_PKEY_free(key);
}

/* The root's key is needed once; taken to a safe, the issuing CA works on. */
static void
opened_without_the_root_key(void **state)
{
	struct authority *a = NULL;
	struct place p;
	char path[128];

	(void)state;
	place_init(&p, "p256", NOW);
	place_path(&p, AUTHORITY_ROOT_KEY, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(authority_open(&p.settings, &a, NULL), UK_OK);
	authority_close(&a);
	assert_null(a);
	authority_close(&a);
	place_fini(&p);
}

/* --- issuing --------------------------------------------------------------------------------- */

static struct issuer_order
order(enum profile_id profile, struct uk_span spki)
{
	return (struct issuer_order){ .profile = profile,
		.subject = { .organisation = ORGANISATION,
		    .name = PERSON,
		    .role = "reviewer",
		    .credit_code = "91110108722619411A",
		    .id_number = "11010519491231002X" },
		.spki = spki,
		.not_before = NOW,
		.not_after = NOW + YEAR };
}

struct expected {
	const char *subject;
	const char *id_oid; /* NULL: none */
	const char *id;
};

static const struct expected expected[] = {
	[PROFILE_ORGANISATION] = { "CN=" ORGANISATION ",O=" ORGANISATION ",C=CN",
	    "1.2.156.10260.4.4",
	    "\x13\x12"
	    "91110108722619411A" },
	[PROFILE_PERSON] = { "CN=" PERSON ",C=CN", "1.2.156.10260.4.1.1.1",
	    "\x13\x12"
	    "11010519491231002X" },
	[PROFILE_STAFF] = { "CN=" PERSON ",OU=reviewer,O=" ORGANISATION ",C=CN", NULL, NULL },
	[PROFILE_RESPONDER] = { "CN=" PERSON ",O=" ORGANISATION ",C=CN", NULL, NULL },
};

/* The identity extension holds the string's DER and nothing around it; names are UTF8String. */
static void
identity_is(struct uk_span der, const struct expected *want)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	X509_NAME *name = X509_get_subject_name(x);
	ASN1_OBJECT *oid;
	const ASN1_OCTET_STRING *value;
	int at;

	for (at = 0; at < X509_NAME_entry_count(name); at++)
		assert_int_equal(
		    ASN1_STRING_type(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))),
		    at == 0 ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING);
	if (want->id_oid != NULL) {
		oid = OBJ_txt2obj(want->id_oid, 1);
		at = X509_get_ext_by_OBJ(x, oid, -1);
		assert_true(at >= 0);
		assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(x, at)), 0);
		value = X509_EXTENSION_get_data(X509_get_ext(x, at));
		assert_true(uk_span_eq(
		    uk_span(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
		    uk_span_str(want->id)));
		ASN1_OBJECT_free(oid);
	}
	assert_int_equal(X509_get_ext_count(x), want->id_oid != NULL ? 9 : 8);
	X509_free(x);
}

static void
issue_one(const struct place *p, enum profile_id profile, enum profile_use use, const char *type)
{
	struct issuer_intent i;
	struct uk_buf spki, der, its;
	struct issuer_order o;
	struct uk_cert *c;

	place_spki(type, &spki, NULL);
	o = order(profile, uk_buf_span(&spki));
	o.use = use;
	assert_int_equal(issuer_prepare(p->a, &o, &uk_random_system, &i, NULL), UK_OK);
	uk_buf_init(&der, ISSUER_CERT_MAX);
	assert_int_equal(issuer_sign(p->a, uk_buf_span(&i.tbs), &der, NULL), UK_OK);
	c = parsed(uk_buf_span(&der));
	assert_int_equal(uk_cert_verify(c, authority_issuer(p->a), NULL), UK_OK);
	assert_string_equal(uk_cert_serial(c), i.serial);
	assert_string_equal(uk_cert_subject(c), expected[profile].subject);
	assert_string_equal(uk_cert_issuer(c), uk_cert_subject(authority_issuer(p->a)));
	assert_int_equal(uk_cert_not_before(c), NOW);
	assert_int_equal(uk_cert_not_after(c), NOW + YEAR);
	assert_int_equal(uk_cert_may_sign(c), use == PROFILE_SIGN);
	assert_int_equal(uk_cert_may_encrypt(c), use == PROFILE_ENCRYPT);
	assert_false(uk_cert_is_ca(c));
	uk_buf_init(&its, 1024);
	assert_int_equal(uk_pubkey_spki(uk_cert_pubkey(c), &its), UK_OK);
	assert_true(uk_span_eq(uk_buf_span(&its), o.spki));
	identity_is(uk_buf_span(&der), &expected[profile]);
	uk_cert_free(&c);
	uk_buf_fini(&its);
	uk_buf_fini(&der);
	uk_buf_fini(&spki);
	issuer_intent_fini(&i);
}

static void
issues_every_profile_for_every_key(void **state)
{
	static const char *const types[] = { "P-256", "P-384", "RSA", "SM2" };
	const struct both *b = *state;

	for (unsigned profile = 0; profile < PROFILE__MAX; profile++)
		for (size_t k = 0; k < 4; k++) {
			issue_one(&b->p256, (enum profile_id)profile, PROFILE_SIGN, types[k]);
			issue_one(&b->rsa, (enum profile_id)profile, PROFILE_SIGN, types[k]);
			issue_one(&b->sm2, (enum profile_id)profile, PROFILE_SIGN, types[k]);
		}
	issue_one(&b->sm2, PROFILE_ORGANISATION, PROFILE_ENCRYPT, "SM2");
	issue_one(&b->sm2, PROFILE_PERSON, PROFILE_ENCRYPT, "SM2");
}

/* After a crash between signature and store the intent is signed again. */
static void
signs_an_intent_again(void **state)
{
	const struct both *b = *state;
	const struct place *const places[] = { &b->rsa, &b->p256, &b->sm2 };

	for (size_t k = 0; k < 3; k++) {
		struct issuer_intent i;
		struct uk_buf spki, one, two;
		struct issuer_order o;
		struct uk_cert *c1, *c2;

		place_spki("P-256", &spki, NULL);
		o = order(PROFILE_PERSON, uk_buf_span(&spki));
		assert_int_equal(
		    issuer_prepare(places[k]->a, &o, &uk_random_system, &i, NULL), UK_OK);
		uk_buf_init(&one, ISSUER_CERT_MAX);
		uk_buf_init(&two, ISSUER_CERT_MAX);
		assert_int_equal(issuer_sign(places[k]->a, uk_buf_span(&i.tbs), &one, NULL), UK_OK);
		assert_int_equal(issuer_sign(places[k]->a, uk_buf_span(&i.tbs), &two, NULL), UK_OK);
		c1 = parsed(uk_buf_span(&one));
		c2 = parsed(uk_buf_span(&two));
		assert_string_equal(uk_cert_serial(c1), uk_cert_serial(c2));
		/* PKCS#1 v1.5 is deterministic, ECDSA is not: there the stored one counts */
		assert_int_equal(uk_span_eq(uk_buf_span(&one), uk_buf_span(&two)), k == 0);
		uk_cert_free(&c1);
		uk_cert_free(&c2);
		uk_buf_fini(&one);
		uk_buf_fini(&two);
		uk_buf_fini(&spki);
		issuer_intent_fini(&i);
	}
}

static void
serials_never_repeat(void **state)
{
	enum {
		COUNT = 100
	};
	const struct both *b = *state;
	char all[COUNT][SERIAL_LEN];
	struct issuer_order o;
	struct uk_buf spki;

	place_spki("P-256", &spki, NULL);
	o = order(PROFILE_PERSON, uk_buf_span(&spki));
	for (size_t n = 0; n < COUNT; n++) {
		struct issuer_intent i;

		assert_int_equal(issuer_prepare(b->p256.a, &o, &uk_random_system, &i, NULL), UK_OK);
		memcpy(all[n], i.serial, SERIAL_LEN);
		assert_int_equal(strlen(i.serial), 32);
		assert_in_range(i.serial[0], '4', '7'); /* positive, and never shorter */
		for (size_t k = 0; k < n; k++)
			assert_string_not_equal(all[k], all[n]);
		issuer_intent_fini(&i);
	}
	uk_buf_fini(&spki);
}

static void
prepare_is(const struct place *p, const struct issuer_order *o, enum uk_rc rc, const char *reason)
{
	struct issuer_intent i = { .serial = "" };
	struct uk_err err = { 0 };

	assert_int_equal(issuer_prepare(p->a, o, &uk_random_system, &i, &err), rc);
	assert_string_equal(uk_err_reason(&err), reason);
	assert_null(i.tbs.p);
}

static void
prepare_refuses(void **state)
{
	const struct both *b = *state;
	struct uk_buf spki;
	struct issuer_order o;

	place_spki("P-256", &spki, NULL);
	o = order(PROFILE_ORGANISATION, uk_buf_span(&spki));
	o.subject.credit_code = NULL;
	prepare_is(&b->p256, &o, UK_E_INPUT, "missing");
	o = order(PROFILE_ORGANISATION, uk_span(spki.p, spki.n - 1));
	prepare_is(&b->p256, &o, UK_E_INPUT, "key-not-allowed");
	o = order(PROFILE_ORGANISATION, uk_buf_span(&spki));
	o.not_after = o.not_before;
	prepare_is(&b->p256, &o, UK_E_INPUT, "validity-invalid");
	o.not_after = uk_cert_not_after(authority_issuer(b->p256.a)) + 1;
	prepare_is(&b->p256, &o, UK_E_CONFLICT, "validity-beyond-issuer");
	o = order(PROFILE_ORGANISATION, uk_buf_span(&spki));
	o.not_before = NOW - 1;
	prepare_is(&b->p256, &o, UK_E_CONFLICT, "validity-beyond-issuer");
	uk_buf_fini(&spki);
}

/* A to-be-signed part as an attacker with the database would write it. */
static void
forged(const struct place *p, const char *constraints, int64_t not_after, struct uk_span spki,
    struct uk_buf *tbs)
{
	struct uk_buf extensions;
	struct der_extension e;

	uk_buf_init(&extensions, 1024);
	if (constraints != NULL) {
		e = der_extension_begin(&extensions, "2.5.29.19", true);
		uk_buf_put(&extensions, uk_span(constraints, 5));
		der_extension_end(&extensions, e);
	}
	e = der_extension_begin(&extensions, "2.5.29.15", true);
	der_put_named_bits(&extensions, 0x8600); /* digitalSignature, keyCertSign, cRLSign */
	der_extension_end(&extensions, e);
	uk_buf_init(tbs, ISSUER_TBS_MAX);
	tbs_put(tbs, &(const struct tbs){ .serial = uk_span("\x41", 1),
			 .algorithm = authority_algorithm(p->a),
			 .issuer = authority_name(p->a),
			 .subject = authority_name(p->a),
			 .spki = spki,
			 .extensions = uk_buf_span(&extensions),
			 .not_before = NOW,
			 .not_after = not_after });
	uk_buf_fini(&extensions);
	assert_false(uk_buf_failed(tbs));
}

static void
sign_is(const struct place *p, struct uk_span tbs, enum uk_rc rc, const char *reason)
{
	struct uk_err err = { 0 };
	struct uk_buf der;

	uk_buf_init(&der, ISSUER_CERT_MAX);
	assert_int_equal(issuer_sign(p->a, tbs, &der, &err), rc);
	assert_string_equal(uk_err_reason(&err), reason);
	assert_int_equal(der.n, 0); /* nothing leaves */
	uk_buf_fini(&der);
}

static void
sign_refuses_what_it_did_not_prepare(void **state)
{
	static const char ca_true[] = "\x30\x03\x01\x01\xff";
	const struct both *b = *state;
	struct uk_buf spki, tbs;
	struct issuer_intent i;
	struct issuer_order o;
	uint8_t *big = uk_xalloc(ISSUER_TBS_MAX + 1);

	place_spki("P-256", &spki, NULL);
	o = order(PROFILE_PERSON, uk_buf_span(&spki));
	assert_int_equal(issuer_prepare(b->p256.a, &o, &uk_random_system, &i, NULL), UK_OK);
	sign_is(&b->rsa, uk_buf_span(&i.tbs), UK_E_INTEGRITY, "intent-wrong"); /* another CA's */
	sign_is(&b->p256, uk_span(i.tbs.p, i.tbs.n - 1), UK_E_INTEGRITY, "intent-wrong");
	sign_is(&b->p256, uk_span(NULL, 0), UK_E_INTEGRITY, "intent-wrong");
	sign_is(&b->p256, uk_span_str("ukey-login-1"), UK_E_INTEGRITY, "intent-wrong");
	sign_is(&b->p256, uk_span(big, ISSUER_TBS_MAX + 1), UK_E_LIMIT, "too-large");
	forged(&b->p256, ca_true, NOW + YEAR, uk_buf_span(&spki), &tbs);
	sign_is(&b->p256, uk_buf_span(&tbs), UK_E_INTEGRITY, "intent-wrong");
	uk_buf_fini(&tbs);
	/* keyCertSign alone makes a CA to lax readers */
	forged(&b->p256, NULL, NOW + YEAR, uk_buf_span(&spki), &tbs);
	sign_is(&b->p256, uk_buf_span(&tbs), UK_E_INTEGRITY, "intent-wrong");
	uk_buf_fini(&tbs);
	issuer_intent_fini(&i);
	uk_buf_fini(&spki);
	free(big);
}

struct worker {
	const struct place *p;
	struct uk_span tbs;
	int good;
};

static void *
work(void *ctx)
{
	struct worker *w = ctx;
	struct uk_buf der;

	uk_buf_init(&der, ISSUER_CERT_MAX);
	for (int i = 0; i < 25; i++) {
		uk_buf_reset(&der);
		w->good += issuer_sign(w->p->a, w->tbs, &der, NULL) == UK_OK;
	}
	uk_buf_fini(&der);
	return NULL;
}

static void
threads_sign_at_once(void **state)
{
	const struct both *b = *state;
	struct worker workers[4];
	pthread_t threads[4];
	struct issuer_intent i;
	struct issuer_order o;
	struct uk_buf spki;

	place_spki("P-256", &spki, NULL);
	o = order(PROFILE_PERSON, uk_buf_span(&spki));
	assert_int_equal(issuer_prepare(b->p256.a, &o, &uk_random_system, &i, NULL), UK_OK);
	for (size_t k = 0; k < 4; k++) {
		workers[k] = (struct worker){ &b->p256, uk_buf_span(&i.tbs), 0 };
		assert_int_equal(pthread_create(&threads[k], NULL, work, &workers[k]), 0);
	}
	for (size_t k = 0; k < 4; k++) {
		assert_int_equal(pthread_join(threads[k], NULL), 0);
		assert_int_equal(workers[k].good, 25);
	}
	issuer_intent_fini(&i);
	uk_buf_fini(&spki);
}

/* --- revoking -------------------------------------------------------------------------------- */

static X509_CRL *
build(const struct place *p, const struct crl_plan *plan)
{
	const unsigned char *at;
	struct uk_buf der;
	X509_CRL *crl;

	uk_buf_init(&der, 1 << 20);
	assert_int_equal(crl_build(p->a, plan, &der, NULL), UK_OK);
	at = der.p;
	crl = d2i_X509_CRL(NULL, &at, (long)der.n);
	assert_non_null(crl);
	uk_buf_fini(&der);
	return crl;
}

static void
crl_lists(void **state)
{
	static const struct crl_entry entries[] = {
		{ "7f00112233445566778899aabbccddee", NOW - 5, CRL_KEY_COMPROMISE },
		{ "4000112233445566778899aabbccddee", NOW - 4, CRL_UNSPECIFIED },
		{ "ff", NOW - 3, CRL_HOLD }, /* needs a sign byte */
	};
	const struct crl_plan plan = { entries, 3, UINT64_MAX, NOW, NOW + PLACE_DAY };
	const struct both *b = *state;
	const struct place *const places[] = { &b->p256, &b->rsa, &b->sm2 };

	for (size_t k = 0; k < 3; k++) {
		X509_CRL *crl = build(places[k], &plan);
		const STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
		ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
		uint64_t n = 0;

		assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
		assert_int_equal(sk_X509_REVOKED_num(list), 3);
		assert_int_equal(ASN1_INTEGER_get_uint64(&n, number), 1);
		assert_true(n == UINT64_MAX);
		assert_int_equal(X509_REVOKED_get_ext_count(sk_X509_REVOKED_value(list, 0)), 1);
		assert_int_equal(X509_REVOKED_get_ext_count(sk_X509_REVOKED_value(list, 1)), 0);
		assert_true(X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier, -1) >= 0);
		ASN1_INTEGER_free(number);
		X509_CRL_free(crl);
	}
}

static void
crl_of_nobody_and_of_many(void **state)
{
	const struct both *b = *state;
	struct crl_entry *many = uk_xalloc(5000 * sizeof(*many));
	struct crl_plan plan = { NULL, 0, 1, NOW, NOW + 1 };
	char(*serials)[9] = uk_xalloc(5000 * sizeof(*serials));
	X509_CRL *crl = build(&b->p256, &plan);

	assert_null(X509_CRL_get_REVOKED(crl));
	X509_CRL_free(crl);
	for (unsigned i = 0; i < 5000; i++) {
		(void)snprintf(serials[i], sizeof(serials[i]), "%08x", 0x40000000 + i);
		many[i] = (struct crl_entry){ serials[i], NOW, CRL_SUPERSEDED };
	}
	plan.entries = many;
	plan.n = 5000;
	crl = build(&b->p256, &plan);
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 5000);
	X509_CRL_free(crl);
	free(many);
	free(serials);
}

static void
crl_refuses(void **state)
{
	const struct both *b = *state;
	struct crl_entry e = { "", NOW, CRL_HOLD };
	struct crl_plan plan = { &e, 1, 1, NOW, NOW + 1 };
	static const char *const serials[] = { "", "0g", "123",
		"00112233445566778899aabbccddeeff0011223344" };
	struct uk_buf out;

	uk_buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		e.serial = serials[i];
		assert_int_equal(crl_build(b->p256.a, &plan, &out, NULL), UK_E_INPUT);
	}
	e = (struct crl_entry){ "41", NOW, (enum crl_reason)7 }; /* RFC 5280: value 7 is not used */
	assert_int_equal(crl_build(b->p256.a, &plan, &out, NULL), UK_E_INPUT);
	e = (struct crl_entry){ "41", NOW, CRL_HOLD };
	plan.next_update = NOW;
	assert_int_equal(crl_build(b->p256.a, &plan, &out, NULL), UK_E_INPUT);
	assert_int_equal(out.n, 0);
	uk_buf_fini(&out);
	plan.next_update = NOW + 1;
	uk_buf_init(&out, 100);
	assert_int_equal(crl_build(b->p256.a, &plan, &out, NULL), UK_E_LIMIT);
	uk_buf_fini(&out);
}

static void
crl_reasons_have_names(void **state)
{
	static const enum crl_reason all[] = { CRL_UNSPECIFIED, CRL_KEY_COMPROMISE,
		CRL_AFFILIATION_CHANGED, CRL_SUPERSEDED, CRL_CESSATION, CRL_HOLD,
		CRL_PRIVILEGE_WITHDRAWN };
	enum crl_reason r;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(crl_reason_from_name(crl_reason_name(all[i]), &r), UK_OK);
		assert_int_equal(r, all[i]);
	}
	assert_null(crl_reason_name((enum crl_reason)2));
	assert_int_equal(crl_reason_from_name("because", &r), UK_E_INPUT);
}

/* --- log-in ---------------------------------------------------------------------------------- */

static const struct uk_login challenge = { "https://ca.example", "ukey-staff", "0123456789abcdef",
	NOW + 60 };

struct holder {
	EVP_PKEY *key;
	struct uk_cert *certificate;
	struct uk_buf signature;
};

static void
holder_init(struct holder *h, const struct place *p, const char *type)
{
	struct uk_buf spki, der, data;
	uint8_t sig[512];
	size_t n = sizeof(sig);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	place_spki(type, &spki, &h->key);
	place_issue(p, uk_buf_span(&spki), NOW, &der, NULL);
	h->certificate = parsed(uk_buf_span(&der));
	uk_buf_init(&data, 1024);
	uk_login_put(&data, &challenge);
	place_sign_init(ctx, h->key);
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, data.p, data.n), 1);
	uk_buf_init(&h->signature, 512);
	if (strcmp(type, "RSA") == 0)
		uk_buf_put(&h->signature, uk_span(sig, n));
	else
		assert_int_equal(
		    uk_ecdsa_from_der(uk_span(sig, n), uk_cert_alg(h->certificate), &h->signature),
		    UK_OK);
	EVP_MD_CTX_free(ctx);
	uk_buf_fini(&data);
	uk_buf_fini(&der);
	uk_buf_fini(&spki);
}

static void
holder_fini(struct holder *h)
{
	EVP_PKEY_free(h->key);
	uk_cert_free(&h->certificate);
	uk_buf_fini(&h->signature);
}

static void
login_holds(void **state)
{
	static const char *const types[] = { "P-256", "RSA", "SM2" };
	const struct both *b = *state;
	const struct place *const places[] = { &b->p256, &b->sm2 };

	for (size_t i = 0; i < 6; i++) {
		const struct place *p = places[i % 2];
		struct holder h;

		holder_init(&h, p, types[i / 2]);
		assert_int_equal(login_check(h.certificate, authority_issuer(p->a), &challenge,
				     uk_buf_span(&h.signature), NOW, NULL),
		    UK_OK);
		holder_fini(&h);
	}
}

static void
login_is_not(const struct holder *h, const struct uk_cert *issuer, const struct uk_login *l,
    int64_t now, const char *reason)
{
	struct uk_err err = { 0 };

	assert_int_equal(
	    login_check(h->certificate, issuer, l, uk_buf_span(&h->signature), now, &err),
	    UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), reason);
}

static void
login_refused(void **state)
{
	const struct both *b = *state;
	const struct uk_cert *issuer = authority_issuer(b->p256.a);
	struct uk_login l = challenge;
	struct holder h;

	holder_init(&h, &b->p256, "P-256");
	login_is_not(&h, authority_issuer(b->rsa.a), &l, NOW, "certificate-untrusted");
	login_is_not(&h, authority_root(b->p256.a), &l, NOW, "certificate-untrusted");
	login_is_not(&h, issuer, &l, NOW - 1, "certificate-not-yet-valid");
	login_is_not(&h, issuer, &l, NOW + YEAR + 1, "certificate-expired");
	login_is_not(&h, issuer, &l, NOW + 60, "login-expired");
	l.origin = "https://evil.example";
	login_is_not(&h, issuer, &l, NOW, "signature-wrong");
	l = challenge;
	l.audience = "ukey-portal";
	login_is_not(&h, issuer, &l, NOW, "signature-wrong");
	l = challenge;
	l.nonce = "0123456789abcdee";
	login_is_not(&h, issuer, &l, NOW, "signature-wrong");
	l = challenge;
	l.expires++;
	login_is_not(&h, issuer, &l, NOW, "signature-wrong");
	h.signature.p[5] ^= 1;
	login_is_not(&h, issuer, &challenge, NOW, "signature-wrong");
	h.signature.n = 0;
	login_is_not(&h, issuer, &challenge, NOW, "signature-wrong");
	holder_fini(&h);
}

/* The issuing CA's own certificate is no person's. */
static void
login_with_a_ca_certificate(void **state)
{
	const struct both *b = *state;
	struct uk_err err = { 0 };

	assert_int_equal(login_check(authority_issuer(b->p256.a), authority_root(b->p256.a),
			     &challenge, uk_span("s", 1), NOW, &err),
	    UK_E_DENIED);
	assert_string_equal(uk_err_reason(&err), "certificate-wrong-usage");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(founded),
		cmocka_unit_test(founding_refused),
		cmocka_unit_test(opened_with_the_wrong_master_key),
		cmocka_unit_test(opened_with_files_mixed_up),
		cmocka_unit_test(opened_with_a_key_in_the_clear),
		cmocka_unit_test(opened_without_the_root_key),
		cmocka_unit_test(issues_every_profile_for_every_key),
		cmocka_unit_test(signs_an_intent_again),
		cmocka_unit_test(serials_never_repeat),
		cmocka_unit_test(prepare_refuses),
		cmocka_unit_test(sign_refuses_what_it_did_not_prepare),
		cmocka_unit_test(threads_sign_at_once),
		cmocka_unit_test(crl_lists),
		cmocka_unit_test(crl_of_nobody_and_of_many),
		cmocka_unit_test(crl_refuses),
		cmocka_unit_test(crl_reasons_have_names),
		cmocka_unit_test(login_holds),
		cmocka_unit_test(login_refused),
		cmocka_unit_test(login_with_a_ca_certificate),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
