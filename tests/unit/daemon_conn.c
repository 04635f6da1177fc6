#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "daemon_conn.h"

/* --- a connection --- */

static void
fake_send(struct conn *base, struct uk_span message)
{
	struct fake_conn *c = (struct fake_conn *)base;

	if (c->n_sent == FAKE_SENT)
		abort();
	c->sent[c->n_sent] = json_loadb((const char *)message.p, message.n, 0, NULL);
	if (c->sent[c->n_sent++] == NULL)
		abort();
	c->got = true;
}

static void
fake_close(struct conn *base)
{
	((struct fake_conn *)base)->closed = true;
}

static bool
fake_peer(const struct conn *base, uid_t *uid)
{
	const struct fake_conn *c = (const struct fake_conn *)base;

	*uid = c->peer;
	return c->peer_known;
}

static const char *
fake_origin(const struct conn *base)
{
	return ((const struct fake_conn *)base)->origin;
}

static const struct conn_ops fake_ops = {
	.name = "fake",
	.send = fake_send,
	.close = fake_close,
	.peer = fake_peer,
	.origin = fake_origin,
};

void
fake_conn_init(struct fake_conn *c, const char *origin)
{
	memset(c, 0, sizeof(*c));
	c->base.ops = &fake_ops;
	c->origin = origin;
	c->peer_known = true;
	c->peer = geteuid();
}

void
fake_conn_fini(struct fake_conn *c)
{
	for (size_t i = 0; i < c->n_sent; i++)
		json_decref(c->sent[i]);
	c->n_sent = 0;
}

/* --- a token --- */

struct token_request {
	struct token_client *t;
	struct loop_timer *timer;
	enum token_op op;
	enum token_scheme scheme;
	uint8_t iv[16];
	struct uk_buf data, content;
	char pin[64];
	token_done_fn *done;
	void *ctx;
};

static void
add_usage(X509 *x, const char *usage)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, usage);

	if (e == NULL || X509_add_ext(x, e, -1) != 1)
		abort();
	X509_EXTENSION_free(e);
}

void
fake_token_certify(const struct token_client *t, int serial, struct uk_buf *out)
{
	X509 *x = X509_new();
	unsigned char *der = NULL;
	int n;

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_UTF8,
	    (const unsigned char *)"张三", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, t->pkey);
	if (t->usage != NULL)
		add_usage(x, t->usage);
	if (X509_sign(x, t->pkey, t->alg == UK_KEY_SM2 ? EVP_sm3() : EVP_sha256()) <= 0 ||
	    (n = i2d_X509(x, &der)) <= 0)
		abort();
	uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	X509_free(x);
}

static void
make_key(struct token_client *t)
{
	unsigned char *der = NULL;
	int n;

	EVP_PKEY_free(t->pkey);
	uk_buf_reset(&t->spki);
	uk_buf_reset(&t->cert);
	t->pkey = t->alg == UK_KEY_SM2 ? EVP_PKEY_Q_keygen(NULL, NULL, "SM2") : EVP_EC_gen("P-256");
	n = i2d_PUBKEY(t->pkey, &der);
	if (n <= 0)
		abort();
	uk_buf_put(&t->spki, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	fake_token_certify(t, 9, &t->cert);
}

void
fake_token_init(struct token_client *t, struct loop *loop)
{
	memset(t, 0, sizeof(*t));
	t->loop = loop;
	t->pin = "123456";
	t->alg = UK_KEY_P256;
	uk_buf_init(&t->cert, 16384);
	uk_buf_init(&t->spki, 4096);
	make_key(t);
	strcpy(t->info.id, "T1");
	strcpy(t->info.serial, "0001");
	strcpy(t->info.label, "demo");
	t->info.kind = "pkcs11";
	t->info.state = TOKEN_READY;
	t->info.tries = TOKEN_TRIES_UNKNOWN;
	t->info.so_tries = TOKEN_TRIES_UNKNOWN;
	t->info.algs = 1u << UK_KEY_P256;
}

void
fake_token_sm2(struct token_client *t)
{
	t->alg = UK_KEY_SM2;
	t->info.kind = "skf";
	t->info.algs = 1u << UK_KEY_SM2;
	make_key(t);
}

void
fake_token_fini(struct token_client *t)
{
	EVP_PKEY_free(t->pkey);
	uk_buf_fini(&t->cert);
	uk_buf_fini(&t->spki);
}

static void
sign(struct token_client *t, struct uk_span digest, struct uk_buf *raw)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(t->pkey, NULL);
	uint8_t sig[256];
	size_t n = sizeof(sig);

	if (EVP_PKEY_sign_init(ctx) != 1 || EVP_PKEY_sign(ctx, sig, &n, digest.p, digest.n) != 1 ||
	    uk_ecdsa_from_der(uk_span(sig, n), t->alg, raw) != UK_OK)
		abort();
	EVP_PKEY_CTX_free(ctx);
	if (t->wrong)
		raw->p[0] ^= 1;
}

/* What the key in `raw` encrypted takes its place. */
static bool
unseal(const struct token_request *r, struct uk_buf *raw)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct uk_buf text;
	uint8_t *to;
	int a = 0, b = 0;
	bool ok;

	uk_buf_init(&text, 16384);
	to = uk_buf_room(&text, r->content.n + 16);
	ok = raw->n == 16 && EVP_DecryptInit_ex(ctx, EVP_sm4_cbc(), NULL, raw->p, r->iv) == 1 &&
	     EVP_DecryptUpdate(ctx, to, &a, r->content.p, (int)r->content.n) == 1 &&
	     EVP_DecryptFinal_ex(ctx, to + a, &b) == 1;
	uk_buf_add(&text, ok ? (size_t)(a + b) : 0);
	uk_buf_reset(raw);
	uk_buf_put(raw, uk_buf_span(&text));
	uk_buf_fini(&text);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* SM2 only.  False: it does not decrypt. */
static bool
decrypt(const struct token_request *r, struct uk_buf *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, r->t->pkey, NULL);
	uint8_t *to = uk_buf_room(out, 256);
	size_t n = 256;
	const bool ok = EVP_PKEY_decrypt_init(ctx) == 1 &&
			EVP_PKEY_decrypt(ctx, to, &n, r->data.p, r->data.n) == 1;

	if (ok)
		uk_buf_add(out, n);
	EVP_PKEY_CTX_free(ctx);
	return ok && (r->scheme != TOKEN_SM2_SM4_CBC || unseal(r, out));
}

static void
login(struct token_request *r, struct uk_err *err, struct token_reply *reply)
{
	struct token_client *t = r->t;

	t->logins++;
	if (strcmp(r->pin, t->pin) == 0) {
		t->info.logged_in = true;
		return;
	}
	if (t->info.tries > 0)
		t->info.tries--;
	if (t->info.tries == 0)
		t->info.state = TOKEN_PIN_LOCKED;
	reply->tries = t->info.tries;
	err->rc = t->info.tries == 0 ? UK_E_PIN_LOCKED : UK_E_PIN_WRONG;
}

static void
answer(void *ctx)
{
	struct token_request *r = ctx;
	struct token_client *t = r->t;
	struct uk_err err = { .rc = t->fail };
	struct token_reply reply = { .tries = TOKEN_TRIES_UNKNOWN };
	const struct token_object objects[] = {
		{ .kind = TOKEN_CERT,
		    .key_id = "01",
		    .label = "c",
		    .alg = t->alg,
		    .has_key = true,
		    .data = uk_buf_span(&t->cert) },
		{ .kind = TOKEN_KEY,
		    .key_id = "01",
		    .label = "k",
		    .alg = t->alg,
		    .data = uk_buf_span(&t->spki) },
	};
	struct uk_buf raw;

	uk_buf_init(&raw, 16384);
	t->under_way--;
	reply.tokens = &t->info;
	reply.n_tokens = 1;
	reply.objects = objects;
	reply.n_objects = 2;
	reply.key_id = "01";
	if (err.rc == UK_OK && r->op == TOKEN_LOGIN)
		login(r, &err, &reply);
	if (err.rc == UK_OK && r->op == TOKEN_SIGN) {
		sign(t, uk_buf_span(&r->data), &raw);
		reply.data = uk_buf_span(&raw);
	}
	if (err.rc == UK_OK && r->op == TOKEN_DECRYPT) {
		if (!decrypt(r, &raw))
			err.rc = UK_E_INTEGRITY;
		reply.data = uk_buf_span(&raw);
	}
	if (r->op == TOKEN_LOGOUT)
		t->info.logged_in = false;
	if (r->op == TOKEN_KEYGEN)
		reply.data = uk_buf_span(&t->spki);
	r->done(r->ctx, err.rc != UK_OK ? &err : NULL, &reply);
	if (t->locks_after != TOKEN_LIST && t->locks_after == r->op)
		t->info.logged_in = false;
	uk_buf_fini(&raw);
	uk_buf_fini(&r->data);
	uk_buf_fini(&r->content);
	free(r);
}

struct token_request *
token_call(struct token_client *t, const struct token_call *call, int64_t deadline_ms,
    token_done_fn *done, void *ctx)
{
	struct token_request *r = uk_xalloc(sizeof(*r));
	const struct uk_span pin = uk_secret_lend(call->pin);

	(void)deadline_ms;
	r->t = t;
	r->op = call->op;
	r->done = done;
	r->ctx = ctx;
	uk_buf_init(&r->data, 16384);
	uk_buf_put(&r->data, call->data);
	uk_buf_init(&r->content, 16384);
	uk_buf_put(&r->content, call->content);
	r->scheme = call->scheme;
	if (call->iv.n == sizeof(r->iv))
		memcpy(r->iv, call->iv.p, sizeof(r->iv));
	if (pin.n > 0 && pin.n < sizeof(r->pin))
		memcpy(r->pin, pin.p, pin.n);
	if (!t->silent)
		r->timer = loop_after(t->loop, 1, answer, r);
	t->under_way++;
	return r;
}

void
token_drop(struct token_request **r)
{
	if (*r == NULL)
		return;
	(*r)->t->dropped++;
	(*r)->t->under_way--;
	loop_cancel((*r)->t->loop, &(*r)->timer);
	uk_buf_fini(&(*r)->data);
	uk_buf_fini(&(*r)->content);
	free(*r);
	*r = NULL;
}

const struct token_info *
token_known(const struct token_client *t, size_t *n)
{
	*n = 1;
	return &t->info;
}

bool
token_health(const struct token_client *t, size_t i, struct token_health *out)
{
	(void)t;
	(void)i;
	(void)out;
	return false;
}

bool
token_stuck(const struct token_client *t, const char *token)
{
	(void)t;
	(void)token;
	return false;
}

void
token_distrust(struct token_client *t, const char *token)
{
	(void)token;
	t->distrusted++;
}
