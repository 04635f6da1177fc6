#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "protocol/enveloped_open.h"
#include "uk/sm2.h"

#define OID_GM_ENVELOPED "1.2.156.10197.6.1.4.2.3"
#define MALFORMED        "envelope-malformed"

/* What there is to decide: one receiver's key, how it is wrapped, and the cipher. */

static bool
oid_is(const ASN1_OBJECT *oid, const char *dotted)
{
	char name[ENVELOPED_TYPE_MAX] = "";

	return OBJ_obj2txt(name, sizeof(name), oid, 1) < (int)sizeof(name) &&
	       strcmp(name, dotted) == 0;
}

/* --- is it for this certificate? --- */

static bool
is_name(const PKCS7_ISSUER_AND_SERIAL *who, const X509 *x509)
{
	return X509_NAME_cmp(who->issuer, X509_get_issuer_name(x509)) == 0 &&
	       ASN1_INTEGER_cmp(who->serial, X509_get0_serialNumber(x509)) == 0;
}

static bool
is_key(const ASN1_OCTET_STRING *ski, X509 *x509)
{
	const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(x509);

	return own != NULL && ASN1_OCTET_STRING_cmp(ski, own) == 0;
}

static bool
is_receiver(const ENV_WHO *who, X509 *x509)
{
	return who->type == ENV_BY_NAME ? is_name(who->d.name, x509) : is_key(who->d.ski, x509);
}

static bool
is_agreed(const ENV_AGREED_WHO *who, X509 *x509)
{
	return who->type == ENV_BY_NAME ? is_name(who->d.name, x509) : is_key(who->d.id->ski, x509);
}

/* --- by key transport --- */

/* Absent means SHA-1. */
static int
digest_of(const X509_ALGOR *a)
{
	return a == NULL ? NID_sha1 : OBJ_obj2nid(a->algorithm);
}

/* Of MGF1, whose parameter is a digest's identifier. */
static int
mask_of(const X509_ALGOR *a)
{
	X509_ALGOR *digest;
	int nid = NID_undef;

	if (a == NULL)
		return NID_sha1;
	if (OBJ_obj2nid(a->algorithm) != NID_mgf1 || a->parameter == NULL)
		return NID_undef;
	digest = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), a->parameter);
	if (digest != NULL)
		nid = digest_of(digest);
	X509_ALGOR_free(digest);
	return nid;
}

/* RFC 8017 appendix A.2.1; one digest for both, and no label. */
static bool
read_oaep(const X509_ALGOR *a, enum token_scheme *out)
{
	RSA_OAEP_PARAMS *p =
	    a->parameter != NULL
		? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_OAEP_PARAMS), a->parameter)
		: NULL;
	int nid = NID_undef;

	if (p != NULL && p->pSourceFunc == NULL &&
	    digest_of(p->hashFunc) == mask_of(p->maskGenFunc))
		nid = digest_of(p->hashFunc);
	RSA_OAEP_PARAMS_free(p);
	*out = nid == NID_sha256 ? TOKEN_RSA_OAEP_SHA256 : TOKEN_RSA_OAEP_SHA1;
	return nid == NID_sha256 || nid == NID_sha1;
}

/* GM/T 0010 says …301.3; the curve's own and the signature's identifier are met with, too. */
static bool
is_sm2(const ASN1_OBJECT *oid)
{
	return oid_is(oid, "1.2.156.10197.1.301.3") || oid_is(oid, "1.2.156.10197.1.301") ||
	       oid_is(oid, "1.2.156.10197.1.301.1");
}

static enum uk_rc
read_sm2(struct enveloped *e, struct uk_span der, struct uk_err *err)
{
	struct uk_sm2_cipher c;

	if (uk_sm2_cipher_get(der, &c, err) != UK_OK || uk_sm2_cipher_put(&c, &e->data) != UK_OK)
		return uk_fail(err, UK_E_INPUT, MALFORMED, "enveloped", 0);
	/* GM/T 0016 lets no key out: few tokens have a function of their own that does. */
	e->scheme = enveloped_is_sm4(e) ? TOKEN_SM2_SM4_CBC : TOKEN_SM2;
	return UK_OK;
}

static enum uk_rc
read_transport(struct enveloped *e, const ENV_TRANSPORT *t, enum uk_keyalg alg, struct uk_err *err)
{
	const struct uk_span key =
	    uk_span(ASN1_STRING_get0_data(t->key), (size_t)ASN1_STRING_length(t->key));
	const int nid = OBJ_obj2nid(t->algorithm->algorithm);
	const bool rsa = !uk_keyalg_is_ec(alg);

	if (alg == UK_KEY_SM2 && is_sm2(t->algorithm->algorithm))
		return read_sm2(e, key, err);
	if (rsa && nid == NID_rsaEncryption)
		e->scheme = TOKEN_RSA_PKCS1;
	else if (!rsa || nid != NID_rsaesOaep || !read_oaep(t->algorithm, &e->scheme))
		return uk_fail(err, UK_E_UNSUPPORTED, "algorithm-unsupported", "enveloped", nid);
	if (key.n != uk_keyalg_sig_max(alg))
		return uk_fail(err, UK_E_INPUT, MALFORMED, "enveloped", (long)key.n);
	uk_buf_put(&e->data, key);
	return UK_OK;
}

/* --- by key agreement (RFC 5753) --- */

static enum uk_rc
read_agreement(struct enveloped *e, const ENV_AGREEMENT *a, const ENV_AGREED *mine,
    enum uk_keyalg alg, struct uk_err *err)
{
	const ASN1_BIT_STRING *point;

	if ((alg != UK_KEY_P256 && alg != UK_KEY_P384) || a->sender->type != ENV_SENDER_IS_KEY ||
	    !enveloped_wrap_known(a->algorithm))
		return uk_fail(err, UK_E_UNSUPPORTED, "algorithm-unsupported", "enveloped", 0);
	/* uncompressed, on the receiver's curve */
	point = a->sender->d.key->point;
	if ((size_t)ASN1_STRING_length(point) != 1 + uk_keyalg_sig_max(alg) ||
	    ASN1_STRING_get0_data(point)[0] != 0x04)
		return uk_fail(err, UK_E_INPUT, MALFORMED, "enveloped", 0);
	uk_buf_put(
	    &e->data, uk_span(ASN1_STRING_get0_data(point), (size_t)ASN1_STRING_length(point)));
	e->scheme = TOKEN_ECDH;
	e->agreement = a;
	e->agreed = mine;
	return UK_OK;
}

static const ENV_AGREED *
find_agreed(const ENV_AGREEMENT *a, X509 *x509)
{
	for (int i = 0; i < sk_ENV_AGREED_num(a->keys) && i < ENVELOPED_RECEIVERS; i++)
		if (is_agreed(sk_ENV_AGREED_value(a->keys, i)->who, x509))
			return sk_ENV_AGREED_value(a->keys, i);
	return NULL;
}

static enum uk_rc
find_receiver(struct enveloped *e, X509 *x509, enum uk_keyalg alg, struct uk_err *err)
{
	const STACK_OF(ENV_RECEIVER) *list = e->message->data->receivers;

	for (int i = 0; i < sk_ENV_RECEIVER_num(list) && i < ENVELOPED_RECEIVERS; i++) {
		const ENV_RECEIVER *r = sk_ENV_RECEIVER_value(list, i);
		const ENV_AGREED *mine;

		if (r->type == ENV_IS_TRANSPORT && is_receiver(r->d.transport->who, x509))
			return read_transport(e, r->d.transport, alg, err);
		if (r->type != ENV_IS_AGREEMENT)
			continue;
		mine = find_agreed(r->d.agreement, x509);
		if (mine != NULL)
			return read_agreement(e, r->d.agreement, mine, alg, err);
	}
	return uk_fail(err, UK_E_CONFLICT, "envelope-for-others", "enveloped", 0);
}

/* --- the whole --- */

static enum uk_rc
read_kind(struct enveloped *e, struct uk_err *err)
{
	const ASN1_OBJECT *type = e->message->type;
	const bool aead = OBJ_obj2nid(type) == NID_id_smime_ct_authEnvelopedData;

	if (!aead && OBJ_obj2nid(type) != NID_pkcs7_enveloped && !oid_is(type, OID_GM_ENVELOPED))
		return uk_fail(err, UK_E_INPUT, MALFORMED, "type", 0);
	if (aead != (e->message->data->mac != NULL) || e->message->data->content->octets == NULL)
		return uk_fail(err, UK_E_INPUT, MALFORMED, "enveloped", 0);
	return enveloped_cipher_read(e, aead, err);
}

static enum uk_rc
read_receiver(struct enveloped *e, const struct uk_cert *receiver, struct uk_err *err)
{
	const struct uk_span der = uk_cert_der(receiver);
	const unsigned char *p = der.p;
	X509 *x509 = d2i_X509(NULL, &p, (long)der.n);
	enum uk_rc rc;

	if (x509 == NULL)
		return uk_fail(err, UK_E_INTERNAL, NULL, "d2i_X509", 0);
	rc = find_receiver(e, x509, uk_cert_alg(receiver), err);
	X509_free(x509);
	return rc;
}

enum uk_rc
enveloped_read(
    struct uk_span der, const struct uk_cert *receiver, struct enveloped **out, struct uk_err *err)
{
	const unsigned char *p = der.p;
	struct enveloped *e = uk_xalloc(sizeof(*e));
	enum uk_rc rc;

	uk_buf_init(&e->data, ENVELOPED_KEY_MAX);
	e->message =
	    (ENV_MESSAGE *)ASN1_item_d2i(NULL, &p, (long)der.n, ASN1_ITEM_rptr(ENV_MESSAGE));
	if (e->message == NULL || p != der.p + der.n)
		rc = uk_fail(err, UK_E_INPUT, MALFORMED, "d2i", 0);
	else
		rc = read_kind(e, err);
	if (rc == UK_OK)
		rc = read_receiver(e, receiver, err);
	ERR_clear_error();
	if (rc != UK_OK)
		enveloped_free(&e);
	else
		*out = e;
	return rc;
}

void
enveloped_free(struct enveloped **e)
{
	if (e == NULL || *e == NULL)
		return;
	ASN1_item_free((ASN1_VALUE *)(*e)->message, ASN1_ITEM_rptr(ENV_MESSAGE));
	uk_buf_fini(&(*e)->data);
	free(*e);
	*e = NULL;
}

enum token_scheme
enveloped_scheme(const struct enveloped *e)
{
	return e->scheme;
}

struct uk_span
enveloped_data(const struct enveloped *e)
{
	return uk_buf_span(&e->data);
}

struct uk_span
enveloped_iv(const struct enveloped *e)
{
	return e->scheme == TOKEN_SM2_SM4_CBC ? e->iv : uk_span(NULL, 0);
}

struct uk_span
enveloped_content(const struct enveloped *e)
{
	const ASN1_OCTET_STRING *c = e->message->data->content->octets;

	if (e->scheme != TOKEN_SM2_SM4_CBC)
		return uk_span(NULL, 0);
	return uk_span(ASN1_STRING_get0_data(c), (size_t)ASN1_STRING_length(c));
}
