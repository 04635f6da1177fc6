/*
 * The token client, a real ukey-token and the virtual UKEY: what an SKF token is asked to do, and
 * each refusal. [H2] [H6] [C10] [U1]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "token_fixture.h"
#include "uk/config.h"
#include "uk/random.h"
#include "uk/sm2.h"

#define AUTH_KEY "0123456789abcdef"
#define ADMIN    "admin-of-one"
#define APP      "BUSINESS"

struct env {
	struct fixture *f;
	char id[65];
	char key[65];
	struct uk_buf spki;
	struct uk_pubkey *pub;
};

/* --- ukey soft --- */

static void
put_file(struct env *e, const char *name, const char *text, char path[256])
{
	(void)snprintf(path, 256, "%s/%s", e->f->dir, name);
	assert_int_equal(uk_file_write(path, 0600, uk_span_str(text), NULL), UK_OK);
}

static void
soft(const char *verb, const char *name)
{
	char v[16], n[64];
	char *const argv[] = { (char[]){ UKEY }, (char[]){ "soft" }, v, n, NULL };

	(void)snprintf(v, sizeof(v), "%s", verb);
	(void)snprintf(n, sizeof(n), "%s", name);
	elsewhere_run(argv);
}

static void
fault(const char *function, const char *error)
{
	char f[64], r[64];
	char *const argv[] = { (char[]){ UKEY }, (char[]){ "soft" }, (char[]){ "set-fault" },
		(char[]){ "--function" }, f, (char[]){ "--error" }, r, (char[]){ "one" }, NULL };

	(void)snprintf(f, sizeof(f), "%s", function);
	(void)snprintf(r, sizeof(r), "%s", error);
	elsewhere_run(argv);
}

static void
no_fault(void)
{
	char *const argv[] = { (char[]){ UKEY }, (char[]){ "soft" }, (char[]){ "set-fault" },
		(char[]){ "--clear" }, (char[]){ "one" }, NULL };

	elsewhere_run(argv);
}

/* app NULL: a blank device. */
static void
make(struct env *e, const char *name, const char *app)
{
	char admin[256], pin[256], auth[256], label[64], n[64];
	char *const argv[] = { (char[]){ UKEY }, (char[]){ "soft" }, (char[]){ "create" },
		(char[]){ "--auth-key-file" }, auth, (char[]){ "--label" }, label, n,
		app != NULL ? (char[]){ "--application" } : NULL, (char[]){ APP },
		(char[]){ "--admin-pin-file" }, admin, (char[]){ "--pin-file" }, pin,
		(char[]){ "--kdf-cost=10" }, NULL };

	put_file(e, "admin", ADMIN, admin);
	put_file(e, "pin", FIXTURE_PIN, pin);
	put_file(e, "auth", AUTH_KEY, auth);
	(void)snprintf(label, sizeof(label), "%s", name);
	(void)snprintf(n, sizeof(n), "%s", name);
	elsewhere_run(argv);
	soft("insert", name);
}

static int
setup(void **state)
{
	struct env *e = uk_xalloc(sizeof(*e));
	char dir[128];

	assert_int_equal(fixture_setup((void **)&e->f), 0);
	(void)snprintf(dir, sizeof(dir), "%s/soft", e->f->dir);
	assert_int_equal(setenv("UKEY_SOFT_DIR", dir, 1), 0);
	uk_buf_init(&e->spki, 2048);
	*state = e;
	return 0;
}

static int
teardown(void **state)
{
	struct env *e = *state;
	void *f = e->f;

	uk_pubkey_free(&e->pub);
	uk_buf_fini(&e->spki);
	free(e);
	return fixture_teardown(&f);
}

static void
start(struct env *e)
{
	const struct token_module m = { .path = SOFT_MODULE, .kind = "skf" };

	fixture_start_with(e->f, &m, 1);
}

/* --- calls --- */

/* call->pin and the like are freed. */
static enum uk_rc
call(struct env *e, struct token_call *c, struct answer *a)
{
	fixture_call(e->f, c, FIXTURE_WAIT, a);
	return a->rc;
}

static void
expect(struct env *e, struct token_call *c, enum uk_rc rc, const char *reason)
{
	struct answer a;

	assert_int_equal(call(e, c, &a), rc);
	if (rc != UK_OK)
		assert_string_equal(a.reason, reason);
	answer_fini(&a);
}

static const struct token_info *
info(struct env *e)
{
	struct token_call list = { .op = TOKEN_LIST };
	const struct token_info *t;
	struct answer a;
	size_t n;

	assert_int_equal(call(e, &list, &a), UK_OK);
	answer_fini(&a);
	t = token_known(e->f->client, &n);
	assert_int_equal(n, 1);
	return t;
}

static enum uk_rc
generate(struct env *e, enum uk_keyalg alg)
{
	struct token_call c = { .op = TOKEN_KEYGEN, .token = e->id, .alg = alg, .label = "签名" };
	struct answer a;

	if (call(e, &c, &a) == UK_OK) {
		memcpy(e->key, a.key_id, sizeof(a.key_id));
		uk_buf_reset(&e->spki);
		uk_buf_put(&e->spki, uk_buf_span(&a.data));
		uk_pubkey_free(&e->pub);
		assert_int_equal(uk_pubkey_from_spki(uk_buf_span(&e->spki), &e->pub, NULL), UK_OK);
	}
	answer_fini(&a);
	return a.rc;
}

/* One UKEY, open. */
static void
begin(struct env *e)
{
	make(e, "one", APP);
	start(e);
	memcpy(e->id, info(e)->id, sizeof(e->id));
	assert_int_equal(fixture_login(e->f, e->id, FIXTURE_PIN), UK_OK);
}

static void
signature_holds(struct env *e)
{
	static const uint8_t digest[32] = { 7 };
	struct token_call c = { .op = TOKEN_SIGN,
		.token = e->id,
		.key_id = e->key,
		.data = { digest, sizeof(digest) } };
	struct answer a;

	assert_int_equal(call(e, &c, &a), UK_OK);
	assert_int_equal(
	    uk_verify_digest(e->pub, uk_span(digest, sizeof(digest)), uk_buf_span(&a.data), NULL),
	    UK_OK);
	answer_fini(&a);
}

/* --- tests --- */

static void
tells_what_it_is(void **state)
{
	struct env *e = *state;
	const struct token_info *t;

	make(e, "one", APP);
	start(e);
	t = info(e);
	assert_string_equal(t->label, "one");
	assert_string_equal(t->kind, "skf");
	assert_true(t->software);
	assert_int_equal(t->state, TOKEN_READY);
	assert_int_equal(t->tries, 10);
	assert_int_equal(t->so_tries, 10);
	assert_int_equal(t->pin_min, 6);
	assert_false(t->logged_in);
	assert_true((t->algs & 1u << UK_KEY_SM2) != 0);
	assert_true(strncmp(t->id, t->serial, strlen(t->serial)) == 0);
}

static void
signs_with_its_keys(void **state)
{
	struct env *e = *state;
	struct token_call c = { .op = TOKEN_SIGN, .token = e->id, .key_id = e->key };
	char first[65];

	begin(e);
	assert_int_equal(generate(e, UK_KEY_SM2), UK_OK);
	signature_holds(e);
	memcpy(first, e->key, sizeof(first));
	assert_int_equal(generate(e, UK_KEY_SM2), UK_OK);
	assert_string_not_equal(first, e->key);
	signature_holds(e);
	if ((info(e)->algs & 1u << UK_KEY_RSA_2048) != 0) {
		assert_int_equal(generate(e, UK_KEY_RSA_2048), UK_OK);
		signature_holds(e);
	}
	assert_int_equal(generate(e, UK_KEY_P256), UK_E_UNSUPPORTED);
	c.data = uk_span("48 bytes are for another kind of key than these.", 48);
	expect(e, &c, UK_E_INPUT, "digest-length");
	c.data.n = 32;
	c.key_id = "00";
	expect(e, &c, UK_E_NOT_FOUND, "key-not-found");
}

static void
needs_the_pin(void **state)
{
	struct env *e = *state;
	struct token_call out = { .op = TOKEN_LOGOUT, .token = e->id };

	begin(e);
	assert_int_equal(generate(e, UK_KEY_SM2), UK_OK);
	expect(e, &out, UK_OK, NULL);
	assert_int_equal(fixture_sign(e->f, e->id, e->key), UK_E_UNAUTHORIZED);
	assert_int_equal(generate(e, UK_KEY_SM2), UK_E_UNAUTHORIZED);
	assert_int_equal(fixture_login(e->f, e->id, "000000"), UK_E_PIN_WRONG);
	assert_int_equal(info(e)->tries, 9);
	assert_int_equal(fixture_login(e->f, e->id, "1"), UK_E_PIN_WRONG);
	assert_int_equal(fixture_login(e->f, e->id, FIXTURE_PIN), UK_OK);
	assert_int_equal(info(e)->tries, 10);
	signature_holds(e);
}

static enum uk_rc
change(struct env *e, bool admin, const char *old, const char *new, struct answer *a)
{
	struct uk_secret *o = uk_secret_new(uk_span_str(old)), *n = uk_secret_new(uk_span_str(new));
	struct token_call c = {
		.op = TOKEN_CHANGE_PIN, .token = e->id, .pin = o, .new_pin = n, .admin = admin
	};

	(void)call(e, &c, a);
	answer_fini(a);
	uk_secret_free(&o);
	uk_secret_free(&n);
	return a->rc;
}

static void
changes_pins(void **state)
{
	struct env *e = *state;
	struct answer a;

	begin(e);
	assert_int_equal(change(e, false, "000000", "13572468", &a), UK_E_PIN_WRONG);
	assert_int_equal(a.tries, 9);
	assert_int_equal(change(e, false, FIXTURE_PIN, "1", &a), UK_E_INPUT);
	assert_string_equal(a.reason, "pin-length");
	assert_int_equal(change(e, false, FIXTURE_PIN, "13572468", &a), UK_OK);
	assert_true(info(e)->logged_in);
	assert_int_equal(fixture_login(e->f, e->id, FIXTURE_PIN), UK_E_PIN_WRONG);
	assert_int_equal(fixture_login(e->f, e->id, "13572468"), UK_OK);
	assert_int_equal(change(e, true, "000000", "new-admin-pin", &a), UK_E_PIN_WRONG);
	assert_string_equal(a.reason, "so-pin-wrong");
	assert_int_equal(a.tries, 9);
	assert_int_equal(change(e, true, ADMIN, "new-admin-pin", &a), UK_OK);
	assert_int_equal(change(e, true, ADMIN, "again", &a), UK_E_INPUT);
	assert_int_equal(change(e, true, ADMIN, "again!", &a), UK_E_PIN_WRONG);
}

static enum uk_rc
unblock(struct env *e, const char *so, const char *old, const char *next, struct answer *a)
{
	struct uk_secret *s = uk_secret_new(uk_span_str(so)),
			 *o = old != NULL ? uk_secret_new(uk_span_str(old)) : NULL,
			 *n = next != NULL ? uk_secret_new(uk_span_str(next)) : NULL,
			 *pin = uk_secret_new(uk_span_str("97531864"));
	struct token_call c = { .op = TOKEN_UNBLOCK,
		.token = e->id,
		.so_pin = s,
		.so_pin_old = o,
		.so_pin_next = n,
		.new_pin = pin };

	(void)call(e, &c, a);
	answer_fini(a);
	uk_secret_free(&s);
	uk_secret_free(&o);
	uk_secret_free(&n);
	uk_secret_free(&pin);
	return a->rc;
}

/* [U1] Ten wrong ones lock it; the keys are as they were when it is open again. */
static void
unblocks(void **state)
{
	struct env *e = *state;
	struct answer a;
	char pin[8];

	begin(e);
	assert_int_equal(generate(e, UK_KEY_SM2), UK_OK);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(pin, sizeof(pin), "00000%d", i);
		assert_int_equal(
		    fixture_login(e->f, e->id, pin), i < 9 ? UK_E_PIN_WRONG : UK_E_PIN_LOCKED);
	}
	assert_int_equal(info(e)->state, TOKEN_PIN_LOCKED);
	assert_int_equal(fixture_login(e->f, e->id, FIXTURE_PIN), UK_E_PIN_LOCKED);
	assert_int_equal(unblock(e, "wrong-one", NULL, NULL, &a), UK_E_PIN_WRONG);
	assert_string_equal(a.reason, "so-pin-wrong");
	assert_int_equal(a.tries, 9);
	assert_int_equal(unblock(e, "newest-one", ADMIN, "next-admin", &a), UK_OK);
	assert_int_equal(a.so_now, TOKEN_SO_NEXT);
	assert_true(info(e)->logged_in);
	assert_int_equal(info(e)->so_tries, 10);
	signature_holds(e);
	assert_int_equal(fixture_login(e->f, e->id, "97531864"), UK_OK);
	assert_int_equal(unblock(e, "next-admin", NULL, NULL, &a), UK_OK);
	assert_int_equal(a.so_now, TOKEN_SO_SAME);
}

/* Never more than two tries in a call, and never the last one. */
static void
spares_the_admins_last_try(void **state)
{
	struct env *e = *state;
	struct answer a;

	begin(e);
	assert_int_equal(unblock(e, "wrong-1", "wrong-2", NULL, &a), UK_E_PIN_WRONG);
	assert_int_equal(a.tries, 8);
	for (int left = 7; left >= 1; left--) {
		assert_int_equal(unblock(e, "wrong-1", NULL, NULL, &a), UK_E_PIN_WRONG);
		assert_int_equal(a.tries, left);
	}
	assert_int_equal(unblock(e, ADMIN, NULL, NULL, &a), UK_E_CONFLICT);
	assert_string_equal(a.reason, "so-pin-last-try");
	assert_int_equal(info(e)->so_tries, 1);
}

/* The user's PIN is set even where the admin's can't be. */
static void
tells_which_admin_pin_it_has(void **state)
{
	struct env *e = *state;
	struct answer a;

	begin(e);
	fault("SKF_ChangePIN", "SAR_FAIL");
	assert_int_equal(unblock(e, ADMIN, NULL, "next-admin", &a), UK_OK);
	assert_int_equal(a.so_now, TOKEN_SO_SAME);
	no_fault();
	assert_int_equal(unblock(e, "next-admin", ADMIN, NULL, &a), UK_OK);
	assert_int_equal(a.so_now, TOKEN_SO_OLD);
}

static enum uk_rc
prepare(struct env *e, const char *auth, const char *pin, char reason[64])
{
	struct uk_secret *so = uk_secret_new(uk_span_str(FIXTURE_SO_PIN)),
			 *p = uk_secret_new(uk_span_str(pin)),
			 *key = auth != NULL ? uk_secret_new(uk_span_str(auth)) : NULL;
	struct token_call c = { .op = TOKEN_PREPARE,
		.token = e->id,
		.label = "单位证书",
		.so_pin = so,
		.pin = p,
		.auth_key = key };
	struct answer a;

	if (call(e, &c, &a) == UK_OK)
		memcpy(e->id, a.token_id, sizeof(a.token_id));
	memcpy(reason, a.reason, sizeof(a.reason));
	answer_fini(&a);
	uk_secret_free(&so);
	uk_secret_free(&p);
	uk_secret_free(&key);
	return a.rc;
}

/* [C10] */
static void
prepares_a_blank_device(void **state)
{
	struct env *e = *state;
	char reason[64];
	struct answer a;

	make(e, "one", NULL);
	start(e);
	assert_int_equal(info(e)->state, TOKEN_BLANK);
	memcpy(e->id, info(e)->id, sizeof(e->id));
	assert_int_equal(fixture_login(e->f, e->id, FIXTURE_PIN), UK_E_CONFLICT);
	assert_int_equal(prepare(e, NULL, FIXTURE_PIN, reason), UK_E_DENIED);
	assert_string_equal(reason, "auth-key-wrong");
	assert_int_equal(prepare(e, "fedcba9876543210", FIXTURE_PIN, reason), UK_E_DENIED);
	assert_int_equal(prepare(e, "short", FIXTURE_PIN, reason), UK_E_DENIED);
	assert_int_equal(prepare(e, AUTH_KEY, "1", reason), UK_E_INPUT);
	assert_string_equal(reason, "pin-length");
	assert_int_equal(prepare(e, AUTH_KEY, FIXTURE_PIN, reason), UK_OK);
	assert_string_equal(info(e)->label, "单位证书");
	assert_string_equal(info(e)->id, e->id);
	assert_int_equal(info(e)->state, TOKEN_READY);
	assert_true(info(e)->logged_in);
	assert_int_equal(generate(e, UK_KEY_SM2), UK_OK);
	signature_holds(e);
	assert_int_equal(prepare(e, AUTH_KEY, FIXTURE_PIN, reason), UK_E_CONFLICT);
	assert_string_equal(reason, "token-not-blank");
	assert_int_equal(unblock(e, FIXTURE_SO_PIN, NULL, NULL, &a), UK_OK);
}

static void
authenticates_with_digits(void **state)
{
	struct env *e = *state;
	char reason[64];

	make(e, "one", NULL);
	start(e);
	memcpy(e->id, info(e)->id, sizeof(e->id));
	assert_int_equal(
	    prepare(e, "30313233343536373839616263646567", FIXTURE_PIN, reason), UK_E_DENIED);
	assert_int_equal(
	    prepare(e, "30313233343536373839616263646566", FIXTURE_PIN, reason), UK_OK);
}

/* --- the encryption pair --- */

struct pair {
	struct uk_pubkey *pub;
	struct uk_secret *private;
};

static struct pair
make_encryption_pair(void)
{
	EVP_PKEY *k = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	unsigned char *der = NULL;
	const int n = i2d_PUBKEY(k, &der);
	uint8_t d[32];
	BIGNUM *bn = NULL;
	struct pair p;

	assert_int_equal(EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_PRIV_KEY, &bn), 1);
	assert_int_equal(BN_bn2binpad(bn, d, sizeof(d)), 32);
	assert_int_equal(uk_pubkey_from_spki(uk_span(der, (size_t)n), &p.pub, NULL), UK_OK);
	p.private = uk_secret_new(uk_span(d, sizeof(d)));
	OPENSSL_free(der);
	BN_clear_free(bn);
	EVP_PKEY_free(k);
	return p;
}

static void
pair_fini(struct pair *p)
{
	uk_pubkey_free(&p->pub);
	uk_secret_free(&p->private);
}

static enum uk_rc
put_key(struct env *e, const struct uk_pubkey *receiver, const struct pair *p, const char *key,
    struct answer *a)
{
	struct token_call c = { .op = TOKEN_PUT_KEY, .token = e->id, .key_id = key };
	struct uk_sm2_enveloped v;
	struct uk_buf der;

	assert_int_equal(
	    uk_sm2_envelope(receiver, p->pub, p->private, &uk_random_system, &v, NULL), UK_OK);
	uk_buf_init(&der, 1024);
	assert_int_equal(uk_sm2_enveloped_put(&v, &der), UK_OK);
	c.data = uk_buf_span(&der);
	(void)call(e, &c, a);
	answer_fini(a);
	uk_buf_fini(&der);
	return a->rc;
}

static void
sm4_cbc(const uint8_t key[16], const uint8_t iv[16], struct uk_span in, struct uk_buf *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *room = uk_buf_room(out, in.n + 16);
	int n = 0, last = 0;

	assert_non_null(room);
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_sm4_cbc(), NULL, key, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, room, &n, in.p, (int)in.n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, room + n, &last), 1);
	uk_buf_add(out, (size_t)(n + last));
	EVP_CIPHER_CTX_free(ctx);
}

/* An envelope of n bytes for pub, opened by the token with `key`. */
static enum uk_rc
open_envelope(struct env *e, const struct uk_pubkey *pub, const char *key, size_t n, bool spoil)
{
	static const uint8_t iv[16] = { 3 }, sm4[16] = { 5 };
	struct token_call c = { .op = TOKEN_DECRYPT,
		.token = e->id,
		.key_id = key,
		.scheme = TOKEN_SM2_SM4_CBC,
		.iv = { iv, sizeof(iv) } };
	struct uk_buf text, sealed, wrapped;
	struct uk_sm2_cipher cipher;
	struct answer a;

	uk_buf_init(&text, n + 1);
	uk_buf_init(&sealed, n + 64);
	uk_buf_init(&wrapped, 1024);
	for (size_t i = 0; i < n; i++)
		uk_buf_put_u8(&text, (uint8_t)(i * 7));
	sm4_cbc(sm4, iv, uk_buf_span(&text), &sealed);
	if (spoil)
		sealed.p[sealed.n - 1] ^= 1;
	assert_int_equal(uk_sm2_encrypt(pub, uk_span(sm4, sizeof(sm4)), &cipher, NULL), UK_OK);
	assert_int_equal(uk_sm2_cipher_put(&cipher, &wrapped), UK_OK);
	c.data = uk_buf_span(&wrapped);
	c.content = uk_buf_span(&sealed);
	if (call(e, &c, &a) == UK_OK)
		assert_true(uk_span_eq(uk_buf_span(&a.data), uk_buf_span(&text)));
	answer_fini(&a);
	uk_buf_fini(&text);
	uk_buf_fini(&sealed);
	uk_buf_fini(&wrapped);
	return a.rc;
}

static void
imports_an_encryption_pair(void **state)
{
	struct env *e = *state;
	struct pair p = make_encryption_pair(), other = make_encryption_pair();
	struct token_call c = { .op = TOKEN_DECRYPT, .token = e->id, .scheme = TOKEN_SM2 };
	struct uk_sm2_cipher cipher;
	struct uk_buf der;
	struct answer a;
	char enc[65];

	begin(e);
	assert_int_equal(generate(e, UK_KEY_SM2), UK_OK);
	assert_int_equal(put_key(e, other.pub, &p, e->key, &a), UK_E_INTEGRITY);
	assert_string_equal(a.reason, "envelope-malformed");
	assert_int_equal(put_key(e, e->pub, &p, e->key, &a), UK_OK);
	memcpy(enc, a.key_id, sizeof(enc));
	assert_string_not_equal(enc, e->key);
	/* The same again succeeds; another one would cost the first. */
	assert_int_equal(put_key(e, e->pub, &p, e->key, &a), UK_OK);
	assert_string_equal(a.key_id, enc);
	assert_int_equal(put_key(e, e->pub, &other, e->key, &a), UK_E_CONFLICT);
	assert_string_equal(a.reason, "encryption-key-exists");

	assert_int_equal(open_envelope(e, p.pub, enc, 0, false), UK_OK);
	assert_int_equal(open_envelope(e, p.pub, enc, 5000, false), UK_OK);
	assert_int_equal(open_envelope(e, p.pub, enc, 60000, false), UK_OK);
	assert_int_equal(open_envelope(e, other.pub, enc, 16, false), UK_E_INTEGRITY);
	assert_int_equal(open_envelope(e, p.pub, enc, 16, true), UK_E_INTEGRITY);
	assert_int_equal(open_envelope(e, e->pub, e->key, 16, false), UK_E_UNSUPPORTED);

	uk_buf_init(&der, 1024);
	assert_int_equal(uk_sm2_encrypt(p.pub, uk_span_str("text"), &cipher, NULL), UK_OK);
	assert_int_equal(uk_sm2_cipher_put(&cipher, &der), UK_OK);
	c.data = uk_buf_span(&der);
	c.key_id = enc;
	assert_int_equal(call(e, &c, &a), UK_OK);
	assert_true(uk_span_eq(uk_buf_span(&a.data), uk_span_str("text")));
	answer_fini(&a);
	assert_int_equal(fixture_sign(e->f, e->id, enc), UK_E_UNSUPPORTED);
	signature_holds(e);
	uk_buf_fini(&der);
	pair_fini(&p);
	pair_fini(&other);
}

static size_t
objects(struct env *e)
{
	struct token_call c = { .op = TOKEN_OBJECTS, .token = e->id };
	struct answer a;
	size_t n;

	assert_int_equal(call(e, &c, &a), UK_OK);
	n = a.n_objects;
	answer_fini(&a);
	return n;
}

/* GM/T 0016 deletes whole containers: what an old encryption key is in stays. */
static void
deletes_what_may_go(void **state)
{
	struct env *e = *state;
	struct token_call c = { .op = TOKEN_DELETE, .token = e->id, .kind = TOKEN_KEY };
	struct pair p = make_encryption_pair();
	struct answer a;

	begin(e);
	assert_int_equal(generate(e, UK_KEY_SM2), UK_OK);
	assert_int_equal(objects(e), 1);
	c.key_id = e->key;
	expect(e, &c, UK_OK, NULL);
	assert_int_equal(objects(e), 0);
	expect(e, &c, UK_E_NOT_FOUND, "key-not-found");

	assert_int_equal(generate(e, UK_KEY_SM2), UK_OK);
	assert_int_equal(put_key(e, e->pub, &p, e->key, &a), UK_OK);
	assert_int_equal(objects(e), 2);
	expect(e, &c, UK_E_UNSUPPORTED, "certificate-stays");
	c.key_id = a.key_id;
	expect(e, &c, UK_E_UNSUPPORTED, "certificate-stays");
	assert_int_equal(objects(e), 2);
	pair_fini(&p);
}

/* Pulled and put back between two looks, it is closed and works when opened. */
static void
comes_and_goes(void **state)
{
	struct env *e = *state;

	begin(e);
	assert_int_equal(generate(e, UK_KEY_SM2), UK_OK);
	e->f->n_events = 0;
	soft("remove", "one");
	assert_true(fixture_event(e->f, TOKEN_REMOVED, "one"));
	assert_int_equal(fixture_sign(e->f, e->id, e->key), UK_E_NOT_FOUND);
	e->f->n_events = 0;
	soft("insert", "one");
	assert_true(fixture_event(e->f, TOKEN_INSERTED, "one"));
	assert_int_equal(fixture_login(e->f, e->id, FIXTURE_PIN), UK_OK);
	signature_holds(e);
	soft("remove", "one");
	soft("insert", "one");
	assert_int_equal(fixture_sign(e->f, e->id, e->key), UK_E_TOKEN_REMOVED);
	assert_int_equal(fixture_sign(e->f, e->id, e->key), UK_E_UNAUTHORIZED);
	assert_int_equal(fixture_login(e->f, e->id, FIXTURE_PIN), UK_OK);
	signature_holds(e);
}

static void
serves_several(void **state)
{
	struct env *e = *state;
	struct token_call list = { .op = TOKEN_LIST };
	struct answer a;

	begin(e);
	make(e, "two", APP);
	make(e, "three", NULL);
	assert_int_equal(call(e, &list, &a), UK_OK);
	assert_int_equal(a.n_tokens, 3);
	answer_fini(&a);
	assert_true(fixture_event(e->f, TOKEN_INSERTED, "two"));
	assert_int_equal(generate(e, UK_KEY_SM2), UK_OK);
	soft("remove", "two");
	signature_holds(e);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(tells_what_it_is),
		T(signs_with_its_keys),
		T(needs_the_pin),
		T(changes_pins),
		T(unblocks),
		T(spares_the_admins_last_try),
		T(tells_which_admin_pin_it_has),
		T(prepares_a_blank_device),
		T(authenticates_with_digits),
		T(imports_an_encryption_pair),
		T(deletes_what_may_go),
		T(comes_and_goes),
		T(serves_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
