/* An SM2 token behind the protocol: signatures in every form and profile, requests, log-ins and
 * envelopes, and what is refused before anybody is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509.h>

#include "daemon_env.h"
#include "daemon_sm2.h"
#include "uk/b64.h"
#include "uk/login.h"
#include "uk/sm2.h"
#include "uk/x509.h"

#define TEXT "合同第1号\n"

static int
setup_sm2(void **state)
{
	struct env *e;
	struct uk_cert *cert = NULL;

	(void)setup(state);
	e = *state;
	fake_token_sm2(&e->token);
	assert_int_equal(uk_cert_parse(uk_buf_span(&e->token.cert), &cert, NULL), UK_OK);
	strcpy(e->cert, uk_cert_fingerprint(cert));
	uk_cert_free(&cert);
	granted(e);
	e->token.info.logged_in = true;
	return 0;
}

/* The member of a result, decoded. */
static struct uk_buf
bytes(const json_t *r, const char *member)
{
	struct uk_buf b;

	uk_buf_init(&b, 65536);
	assert_int_equal(uk_b64_get(&b, json_string_value(json_object_get(r, member))), UK_OK);
	return b;
}

static json_t *
of(struct env *e, const char *format)
{
	char *b64 = uk_b64_dup(uk_span_str(TEXT));
	json_t *p =
	    json_pack("{s:s, s:s, s:s}", "certificate", e->cert, "data", b64, "format", format);

	free(b64);
	return p;
}

static json_t *
profile(const char *arc, const char *oid, bool attributes)
{
	return json_pack(
	    "{s:s, s:s, s:b}", "arc", arc, "signatureOid", oid, "attributes", (int)attributes);
}

static json_t *
with(json_t *params, const char *member, json_t *value)
{
	json_object_set_new(params, member, value);
	return params;
}

/* --- signatures --- */

static void
every_profile(void **state)
{
	struct env *e = *state;

	for (unsigned i = 0; i < 16; i++) {
		const struct sm2_signed want = { .arc = (i & 1) != 0 ? "gm" : "rfc",
			.signature_oid = (i & 2) != 0 ? "301.1" : "501",
			.attributes = (i & 4) != 0,
			.attached = (i & 8) != 0 };
		const json_t *r = result(call(e, "signature.create",
		    with(of(e, want.attached ? "cms-attached" : "cms-detached"), "profile",
			profile(want.arc, want.signature_oid, want.attributes))));
		struct uk_buf der = bytes(r, "signature");

		assert_string_equal(json_string_value(json_object_get(r, "algorithm")), "SM2-SM3");
		sm2_signed_holds(uk_buf_span(&der), &want, uk_span_str(TEXT),
		    uk_buf_span(&e->token.cert), e->token.pkey);
		uk_buf_fini(&der);
	}
}

static void
defaults(void **state)
{
	static const struct sm2_signed gm = { "gm", "301.1", false, true };
	static const struct sm2_signed bc = { "gm", "501", false, false };
	struct env *e = *state;
	struct uk_buf der =
	    bytes(result(call(e, "signature.create", of(e, "cms-attached"))), "signature");

	sm2_signed_holds(
	    uk_buf_span(&der), &gm, uk_span_str(TEXT), uk_buf_span(&e->token.cert), e->token.pkey);
	uk_buf_fini(&der);
	/* what a profile does not say is as without one */
	der = bytes(
	    result(call(e, "signature.create",
		with(of(e, "cms-detached"), "profile", json_pack("{s:s}", "signatureOid", "501")))),
	    "signature");
	sm2_signed_holds(
	    uk_buf_span(&der), &bc, uk_span_str(TEXT), uk_buf_span(&e->token.cert), e->token.pkey);
	uk_buf_fini(&der);
}

static void
raw_and_der(void **state)
{
	struct env *e = *state;
	struct uk_buf raw, der;

	raw = bytes(result(call(e, "signature.create", of(e, "raw"))), "signature");
	assert_int_equal(raw.n, 64);
	uk_buf_init(&der, 128);
	assert_int_equal(uk_ecdsa_to_der(uk_buf_span(&raw), &der), UK_OK);
	assert_true(sm2_holds(e->token.pkey, uk_span_str(TEXT), uk_buf_span(&der)));
	uk_buf_fini(&der);
	uk_buf_fini(&raw);
	der = bytes(result(call(e, "signature.create", of(e, "der"))), "signature");
	assert_true(sm2_holds(e->token.pkey, uk_span_str(TEXT), uk_buf_span(&der)));
	uk_buf_fini(&der);
	/* a token whose signature does not hold */
	e->token.wrong = true;
	assert_string_equal(reason(call(e, "signature.create", of(e, "der"))), "signature-wrong");
	assert_int_equal(e->token.distrusted, 1);
}

static void
profiles_refused(void **state)
{
	struct env *e = *state;

	answers(e, "!cancel\n");
	assert_string_equal(reason(call(e, "signature.create",
				with(of(e, "raw"), "profile", profile("gm", "501", true)))),
	    "invalid-input");
	assert_string_equal(
	    reason(call(e, "signature.create",
		with(of(e, "cms-attached"), "profile", json_pack("{s:s}", "arc", "iso")))),
	    "invalid-input");
	assert_string_equal(
	    reason(call(e, "signature.create",
		with(of(e, "cms-attached"), "profile", json_pack("{s:s}", "padding", "pss")))),
	    "unknown-member");
	shown(e, "CONFIRM", false);
}

static void
profiles_of_other_keys(void **state)
{
	struct env *e = *state;

	granted(e);
	e->token.info.logged_in = true;
	answers(e, "!cancel\n");
	assert_string_equal(reason(call(e, "signature.create",
				with(of(e, "cms-attached"), "profile", json_object()))),
	    "profile-unsupported");
	assert_string_equal(
	    reason(call(e, "envelope.open",
		json_pack("{s:s, s:s}", "certificate", e->cert, "envelope", "MAA="))),
	    "envelope-malformed");
	shown(e, "CONFIRM", false);
}

/* --- data in pieces --- */

/* In two pieces; with: the certificate that is named with the first. */
static char *
put(struct env *e, const char *certificate)
{
	const size_t half = strlen(TEXT) / 2;
	char *a = uk_b64_dup(uk_span(TEXT, half)), *b = uk_b64_dup(uk_span_str(&TEXT[half]));
	json_t *first = json_pack("{s:s}", "chunk", a);
	char *id;

	if (certificate != NULL)
		json_object_set_new(first, "certificate", json_string(certificate));
	id = uk_xstrdup(
	    json_string_value(json_object_get(result(call(e, "data.put", first)), "data")));
	result(
	    call(e, "data.put", json_pack("{s:s, s:s, s:b}", "data", id, "chunk", b, "last", 1)));
	free(a);
	free(b);
	return id;
}

static json_t *
of_pieces(struct env *e, const char *id, const char *format)
{
	return json_pack("{s:s, s:s, s:s}", "certificate", e->cert, "dataId", id, "format", format);
}

static void
pieces_for_a_named_key(void **state)
{
	static const struct sm2_signed plain = { "gm", "301.1", false, false };
	struct env *e = *state;
	struct uk_buf der;
	char *id = put(e, e->cert);

	der = bytes(result(call(e, "signature.create", of_pieces(e, id, "der"))), "signature");
	assert_true(sm2_holds(e->token.pkey, uk_span_str(TEXT), uk_buf_span(&der)));
	uk_buf_fini(&der);
	free(id);
	id = put(e, e->cert);
	der = bytes(
	    result(call(e, "signature.create", of_pieces(e, id, "cms-detached"))), "signature");
	sm2_signed_holds(uk_buf_span(&der), &plain, uk_span_str(TEXT), uk_buf_span(&e->token.cert),
	    e->token.pkey);
	uk_buf_fini(&der);
	free(id);
}

static void
pieces_for_any_key(void **state)
{
	static const struct sm2_signed attributes = { "rfc", "501", true, false };
	struct env *e = *state;
	struct uk_buf der;
	char *id = put(e, NULL);

	answers(e, "!cancel\n");
	assert_string_equal(
	    reason(call(e, "signature.create", of_pieces(e, id, "raw"))), "data-for-other-key");
	assert_string_equal(reason(call(e, "signature.create", of_pieces(e, id, "cms-detached"))),
	    "data-for-other-key");
	shown(e, "CONFIRM", false);
	answers(e, "");
	der = bytes(
	    result(call(e, "signature.create",
		with(of_pieces(e, id, "cms-detached"), "profile", profile("rfc", "501", true)))),
	    "signature");
	sm2_signed_holds(uk_buf_span(&der), &attributes, uk_span_str(TEXT),
	    uk_buf_span(&e->token.cert), e->token.pkey);
	uk_buf_fini(&der);
	free(id);
}

/* It is named with the first piece, and it is one that the site may see. */
static void
pieces_refused(void **state)
{
	struct env *e = *state;
	char none[65];
	char *id = put(e, NULL);

	assert_string_equal(
	    reason(call(e, "data.put",
		json_pack("{s:s, s:s, s:s}", "data", id, "chunk", "YQ==", "certificate", e->cert))),
	    "invalid-input");
	memset(none, 'a', 64);
	none[64] = '\0';
	assert_string_equal(reason(call(e, "data.put",
				json_pack("{s:s, s:s}", "chunk", "YQ==", "certificate", none))),
	    "certificate-not-found");
	free(id);
	assert_int_equal(sites_revoke(e->sites, SITE, NULL), UK_OK);
	assert_int_equal(sites_grant(e->sites, SITE, NULL, 0, NULL), UK_OK);
	assert_string_equal(reason(call(e, "data.put",
				json_pack("{s:s, s:s}", "chunk", "YQ==", "certificate", e->cert))),
	    "certificate-not-found");
}

static void
batch_with_profile(void **state)
{
	static const struct sm2_signed want = { "rfc", "501", false, false };
	struct env *e = *state;
	char *b64 = uk_b64_dup(uk_span_str(TEXT)), *id = put(e, e->cert), *loose = put(e, NULL);
	json_t *items = json_pack("[{s:s}, {s:s}]", "data", b64, "dataId", id);
	json_t *p = json_pack("{s:s, s:O, s:s, s:o}", "certificate", e->cert, "items", items,
	    "format", "cms-detached", "profile", profile("rfc", "501", false));
	const json_t *list;

	list = json_object_get(result(call(e, "signature.batch", p)), "signatures");
	assert_int_equal(json_array_size(list), 2);
	for (size_t i = 0; i < 2; i++) {
		struct uk_buf der;

		uk_buf_init(&der, 65536);
		assert_int_equal(
		    uk_b64_get(&der, json_string_value(json_array_get(list, i))), UK_OK);
		sm2_signed_holds(uk_buf_span(&der), &want, uk_span_str(TEXT),
		    uk_buf_span(&e->token.cert), e->token.pkey);
		uk_buf_fini(&der);
	}
	answers(e, "!cancel\n");
	p = json_pack("{s:s, s:[{s:s}], s:s}", "certificate", e->cert, "items", "dataId", loose,
	    "format", "raw");
	assert_string_equal(reason(call(e, "signature.batch", p)), "data-for-other-key");
	shown(e, "CONFIRM", false);
	json_decref(items);
	free(b64);
	free(id);
	free(loose);
}

/* --- log-in, request --- */

static void
login_and_request(void **state)
{
	struct env *e = *state;
	const int64_t at = uk_now(&uk_clock_system) + 60;
	const struct uk_login l = { SITE, "ukey-key", "0123456789abcdef", at };
	struct uk_pubkey *key = NULL;
	struct uk_buf tbs, sig, der;
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	const unsigned char *p;
	X509_REQ *req;

	sig = bytes(result(call(e, "login.create",
			json_pack("{s:s, s:s, s:s, s:I}", "certificate", e->cert, "audience",
			    l.audience, "nonce", l.nonce, "expires", (json_int_t)at))),
	    "signature");
	uk_buf_init(&tbs, 1024);
	uk_login_put(&tbs, &l);
	assert_int_equal(uk_pubkey_from_spki(uk_buf_span(&e->token.spki), &key, NULL), UK_OK);
	assert_int_equal(uk_verify(key, uk_buf_span(&tbs), uk_buf_span(&sig), NULL), UK_OK);
	uk_pubkey_free(&key);
	uk_buf_fini(&tbs);
	uk_buf_fini(&sig);
	der = bytes(result(call(e, "request.create",
			json_pack("{s:s, s:s, s:{s:s}}", "token", "T1", "key", "01", "subject",
			    "commonName", "张三"))),
	    "request");
	p = der.p;
	req = d2i_X509_REQ(NULL, &p, (long)der.n);
	assert_non_null(req);
	ASN1_OCTET_STRING_set(id, (const unsigned char *)"1234567812345678", 16);
	X509_REQ_set0_distinguishing_id(req, id);
	assert_int_equal(X509_REQ_verify(req, e->token.pkey), 1);
	X509_REQ_free(req);
	uk_buf_fini(&der);
}

/* --- envelopes --- */

/* For `certificate`, which is the token's or another one. */
static json_t *
enveloped_for(struct env *e, struct uk_span certificate, const char *text)
{
	const struct sm2_form gm = { .gm = true };
	struct uk_buf der;
	json_t *p;
	char *b64;

	uk_buf_init(&der, 65536);
	sm2_envelope(certificate, &gm, text, &der);
	b64 = uk_b64_dup(uk_buf_span(&der));
	p = json_pack("{s:s, s:s}", "certificate", e->cert, "envelope", b64);
	free(b64);
	uk_buf_fini(&der);
	return p;
}

static json_t *
enveloped(struct env *e, const char *text)
{
	return enveloped_for(e, uk_buf_span(&e->token.cert), text);
}

/* The user says yes to this use, too. */
static void
envelope_opened(void **state)
{
	struct env *e = *state;
	const json_t *r = result(call(e, "envelope.open", enveloped(e, TEXT)));
	struct uk_buf text = bytes(r, "data");

	shown(e, "用途：解密", true);
	assert_true(uk_span_eq(uk_buf_span(&text), uk_span_str(TEXT)));
	assert_string_equal(
	    json_string_value(json_object_get(r, "contentType")), "1.2.156.10197.6.1.4.2.1");
	uk_buf_fini(&text);
	/* with a token that is locked: one window, the PIN's */
	e->token.info.logged_in = false;
	answers(e, "123456\n");
	result(call(e, "envelope.open", enveloped(e, "")));
	shown(e, "GETPIN", true);
	shown(e, "CONFIRM", false);
}

static void
envelope_refused(void **state)
{
	struct env *e = *state;
	struct uk_buf other;

	answers(e, "!cancel\n");
	assert_string_equal(reason(call(e, "envelope.open", enveloped(e, TEXT))), "cancelled");
	answers(e, "");
	uk_buf_init(&other, 16384);
	fake_token_certify(&e->token, 10, &other);
	assert_string_equal(
	    reason(call(e, "envelope.open", enveloped_for(e, uk_buf_span(&other), TEXT))),
	    "envelope-for-others");
	shown(e, "CONFIRM", false);
	uk_buf_fini(&other);
	e->token.fail = UK_E_TOKEN_REMOVED;
	assert_string_equal(reason(call(e, "envelope.open", enveloped(e, TEXT))), "token-removed");
}

/* A certificate by its keyUsage for signing only. */
static void
envelope_for_a_signing_key(void **state)
{
	struct env *e = *state;
	struct uk_cert *cert = NULL;

	e->token.usage = "critical,digitalSignature";
	fake_token_sm2(&e->token);
	assert_int_equal(uk_cert_parse(uk_buf_span(&e->token.cert), &cert, NULL), UK_OK);
	strcpy(e->cert, uk_cert_fingerprint(cert));
	uk_cert_free(&cert);
	granted(e);
	assert_string_equal(
	    reason(call(e, "envelope.open", enveloped(e, TEXT))), "certificate-not-for-encryption");
	shown(e, "CONFIRM", false);
}

/* A certificate that was not granted is not there, whatever the envelope. */
static void
envelope_hidden(void **state)
{
	struct env *e = *state;

	assert_int_equal(sites_grant(e->sites, SITE, NULL, 0, NULL), UK_OK);
	assert_int_equal(sites_revoke(e->sites, SITE, NULL), UK_OK);
	assert_string_equal(
	    reason(call(e, "envelope.open", enveloped(e, TEXT))), "site-not-allowed");
	assert_int_equal(sites_grant(e->sites, SITE, NULL, 0, NULL), UK_OK);
	assert_string_equal(
	    reason(call(e, "envelope.open", enveloped(e, TEXT))), "certificate-not-found");
}

/* --- what it is good for --- */

static bool
has(const json_t *list, const char *what)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), what) == 0)
			return true;
	return false;
}

static void
hello_names_what_tokens_can(void **state)
{
	struct env *e = *state;
	const json_t *r = result(call(e, "agent.hello", NULL)), *t;

	assert_true(has(json_object_get(r, "features"), "cms-profiles"));
	assert_true(has(json_object_get(r, "features"), "envelope"));
	t = json_array_get(json_object_get(r, "tokens"), 0);
	assert_string_equal(json_string_value(json_object_get(t, "id")), "T1");
	assert_true(has(json_object_get(t, "algorithms"), "sm2"));
	assert_true(has(json_object_get(t, "can"), "signature"));
	assert_true(has(json_object_get(t, "can"), "encryption-key"));
	assert_false(has(json_object_get(t, "can"), "prepare"));
	/* a site that is not allowed learns of no token */
	assert_int_equal(sites_revoke(e->sites, SITE, NULL), UK_OK);
	r = result(call(e, "agent.hello", NULL));
	assert_null(json_object_get(r, "tokens"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_profile, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(defaults, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(raw_and_der, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(profiles_refused, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(profiles_of_other_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(pieces_for_a_named_key, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(pieces_for_any_key, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(pieces_refused, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(batch_with_profile, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(login_and_request, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(envelope_opened, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(envelope_refused, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(envelope_for_a_signing_key, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(envelope_hidden, setup_sm2, teardown),
		cmocka_unit_test_setup_teardown(hello_names_what_tokens_can, setup_sm2, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
