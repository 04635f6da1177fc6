#include <assert.h>
#include <stdlib.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "protocol/cms.h"

/* OpenSSL's CMS_ and PKCS7_ functions sign with a key they hold, by their own object identifiers,
 * and can't do SM2. */

#define OID_GM_DATA         "1.2.156.10197.6.1.4.2.1"
#define OID_GM_SIGNED       "1.2.156.10197.6.1.4.2.2"
#define OID_SM2_SIGNATURE   "1.2.156.10197.1.301.1"
#define SIGNED_DATA_VERSION 1

typedef struct {
	ASN1_OBJECT *type;
	ASN1_OCTET_STRING *octets; /* NULL: detached */
} CMS_CONTENT;

typedef struct {
	ASN1_INTEGER *version;
	PKCS7_ISSUER_AND_SERIAL *who;
	X509_ALGOR *digest;
	STACK_OF(X509_ATTRIBUTE) * attributes;
	X509_ALGOR *algorithm;
	ASN1_OCTET_STRING *signature;
} CMS_SIGNER;

DEFINE_STACK_OF(CMS_SIGNER)

typedef struct {
	ASN1_INTEGER *version;
	STACK_OF(X509_ALGOR) * digests;
	CMS_CONTENT *content;
	STACK_OF(X509) * certificates;
	STACK_OF(CMS_SIGNER) * signers;
} CMS_SIGNED;

typedef struct {
	ASN1_OBJECT *type;
	CMS_SIGNED *data;
} CMS_MESSAGE;

ASN1_SEQUENCE(CMS_CONTENT) = {
	ASN1_SIMPLE(CMS_CONTENT, type, ASN1_OBJECT),
	ASN1_EXP_OPT(CMS_CONTENT, octets, ASN1_OCTET_STRING, 0),
} static_ASN1_SEQUENCE_END(CMS_CONTENT)

ASN1_SEQUENCE(CMS_SIGNER) = {
	ASN1_SIMPLE(CMS_SIGNER, version, ASN1_INTEGER),
	ASN1_SIMPLE(CMS_SIGNER, who, PKCS7_ISSUER_AND_SERIAL),
	ASN1_SIMPLE(CMS_SIGNER, digest, X509_ALGOR),
	ASN1_IMP_SET_OF_OPT(CMS_SIGNER, attributes, X509_ATTRIBUTE, 0),
	ASN1_SIMPLE(CMS_SIGNER, algorithm, X509_ALGOR),
	ASN1_SIMPLE(CMS_SIGNER, signature, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END(CMS_SIGNER)

ASN1_SEQUENCE(CMS_SIGNED) = {
	ASN1_SIMPLE(CMS_SIGNED, version, ASN1_INTEGER),
	ASN1_SET_OF(CMS_SIGNED, digests, X509_ALGOR),
	ASN1_SIMPLE(CMS_SIGNED, content, CMS_CONTENT),
	ASN1_IMP_SET_OF_OPT(CMS_SIGNED, certificates, X509, 0),
	ASN1_SET_OF(CMS_SIGNED, signers, CMS_SIGNER),
} static_ASN1_SEQUENCE_END(CMS_SIGNED)

ASN1_SEQUENCE(CMS_MESSAGE) = {
	ASN1_SIMPLE(CMS_MESSAGE, type, ASN1_OBJECT),
	ASN1_EXP(CMS_MESSAGE, data, CMS_SIGNED, 0),
} static_ASN1_SEQUENCE_END(CMS_MESSAGE)

struct cms {
	CMS_MESSAGE *message;
	CMS_SIGNER *signer; /* lent by message */
};

const struct cms_profile cms_profile_gm = { .gm_arc = true };
const struct cms_profile cms_profile_rfc = { .sm2_sm3 = true, .attributes = true };

struct alg_row {
	const EVP_MD *(*md)(void);
	int signature;
	int params;
};

/* RSA has NULL parameters (RFC 3370 section 3.2), the others none (RFC 5758, GM/T 0092). */
static const struct alg_row algs[] = {
	[UK_KEY_UNKNOWN] = { NULL, NID_undef, V_ASN1_UNDEF },
	[UK_KEY_RSA_2048] = { EVP_sha256, NID_rsaEncryption, V_ASN1_NULL },
	[UK_KEY_RSA_3072] = { EVP_sha256, NID_rsaEncryption, V_ASN1_NULL },
	[UK_KEY_RSA_4096] = { EVP_sha256, NID_rsaEncryption, V_ASN1_NULL },
	[UK_KEY_P256] = { EVP_sha256, NID_ecdsa_with_SHA256, V_ASN1_UNDEF },
	[UK_KEY_P384] = { EVP_sha384, NID_ecdsa_with_SHA384, V_ASN1_UNDEF },
	[UK_KEY_SM2] = { EVP_sm3, NID_SM2_with_SM3, V_ASN1_UNDEF },
};
static_assert(sizeof(algs) / sizeof(algs[0]) == UK_KEY__MAX, "one row per key algorithm");

static ASN1_OBJECT *
data_type(const struct cms_profile *p)
{
	return p->gm_arc ? OBJ_txt2obj(OID_GM_DATA, 1) : OBJ_nid2obj(NID_pkcs7_data);
}

static ASN1_OBJECT *
signed_type(const struct cms_profile *p)
{
	return p->gm_arc ? OBJ_txt2obj(OID_GM_SIGNED, 1) : OBJ_nid2obj(NID_pkcs7_signed);
}

/* A copy of the value. */
static bool
add_attribute(CMS_SIGNER *s, int nid, int type, const void *value)
{
	X509_ATTRIBUTE *a =
	    value != NULL ? X509_ATTRIBUTE_create_by_NID(NULL, nid, type, value, -1) : NULL;

	if (a != NULL && sk_X509_ATTRIBUTE_push(s->attributes, a) > 0)
		return true;
	X509_ATTRIBUTE_free(a);
	return false;
}

static ASN1_STRING *
certificate_id(const X509 *x509, const EVP_MD *md)
{
	ESS_SIGNING_CERT_V2 *ess = OSSL_ESS_signing_cert_v2_new_init(md, x509, NULL, 1);
	ASN1_STRING *seq = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	unsigned char *der = NULL;
	const int n = ess != NULL ? i2d_ESS_SIGNING_CERT_V2(ess, &der) : 0;

	if (n <= 0 || seq == NULL || ASN1_STRING_set(seq, der, n) != 1) {
		ASN1_STRING_free(seq);
		seq = NULL;
	}
	OPENSSL_free(der);
	ESS_SIGNING_CERT_V2_free(ess);
	return seq;
}

static ASN1_STRING *
octets(struct uk_span s)
{
	ASN1_OCTET_STRING *o = ASN1_OCTET_STRING_new();

	if (o != NULL && ASN1_OCTET_STRING_set(o, s.p, (int)s.n) != 1) {
		ASN1_OCTET_STRING_free(o);
		o = NULL;
	}
	return o;
}

struct making {
	X509 *x509;
	const struct alg_row *alg;
	const struct cms_profile *profile;
	struct uk_span digest;
	int64_t now;
};

static bool
add_attributes(CMS_SIGNER *s, const struct making *m)
{
	/* UTCTime until 2049, GeneralizedTime after (RFC 5652 section 11.3). */
	ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)m->now);
	ASN1_OBJECT *type = data_type(m->profile);
	ASN1_STRING *digest = octets(m->digest);
	ASN1_STRING *id = certificate_id(m->x509, m->alg->md());
	bool ok;

	s->attributes = sk_X509_ATTRIBUTE_new_null();
	ok = s->attributes != NULL && m->digest.n == (size_t)EVP_MD_get_size(m->alg->md()) &&
	     t != NULL && add_attribute(s, NID_pkcs9_signingTime, t->type, t) &&
	     add_attribute(s, NID_pkcs9_contentType, V_ASN1_OBJECT, type) &&
	     add_attribute(s, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, digest) &&
	     add_attribute(s, NID_id_smime_aa_signingCertificateV2, V_ASN1_SEQUENCE, id);
	ASN1_STRING_free(t);
	ASN1_OBJECT_free(type);
	ASN1_STRING_free(digest);
	ASN1_STRING_free(id);
	return ok;
}

static bool
set_algorithm(X509_ALGOR *a, const struct making *m)
{
	const bool gm = m->alg->signature == NID_SM2_with_SM3 && !m->profile->sm2_sm3;

	return X509_ALGOR_set0(a,
		   gm ? OBJ_txt2obj(OID_SM2_SIGNATURE, 1) : OBJ_nid2obj(m->alg->signature),
		   m->alg->params, NULL) == 1;
}

static bool
set_digest(X509_ALGOR *a, const struct making *m)
{
	return X509_ALGOR_set0(a, OBJ_nid2obj(EVP_MD_get_type(m->alg->md())), V_ASN1_NULL, NULL) ==
	       1;
}

static bool
set_who(PKCS7_ISSUER_AND_SERIAL *who, const X509 *x509)
{
	ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(x509));

	if (serial == NULL)
		return false;
	ASN1_INTEGER_free(who->serial);
	who->serial = serial;
	return X509_NAME_set(&who->issuer, X509_get_issuer_name(x509)) == 1;
}

static bool
add_signer(struct cms *c, const struct making *m)
{
	CMS_SIGNER *s = (CMS_SIGNER *)ASN1_item_new(ASN1_ITEM_rptr(CMS_SIGNER));

	if (s == NULL || ASN1_INTEGER_set(s->version, SIGNED_DATA_VERSION) != 1 ||
	    !set_who(s->who, m->x509) || !set_digest(s->digest, m) ||
	    !set_algorithm(s->algorithm, m) || (m->profile->attributes && !add_attributes(s, m)) ||
	    sk_CMS_SIGNER_push(c->message->data->signers, s) <= 0) {
		ASN1_item_free((ASN1_VALUE *)s, ASN1_ITEM_rptr(CMS_SIGNER));
		return false;
	}
	c->signer = s;
	return true;
}

static bool
add_digest(CMS_SIGNED *d, const struct making *m)
{
	X509_ALGOR *a = X509_ALGOR_new();

	if (a != NULL && set_digest(a, m) && sk_X509_ALGOR_push(d->digests, a) > 0)
		return true;
	X509_ALGOR_free(a);
	return false;
}

static bool
add_certificate(CMS_SIGNED *d, X509 *x509)
{
	d->certificates = sk_X509_new_null();
	if (d->certificates == NULL || X509_up_ref(x509) != 1)
		return false;
	if (sk_X509_push(d->certificates, x509) > 0)
		return true;
	X509_free(x509);
	return false;
}

static bool
fill(struct cms *c, const struct making *m, const struct uk_span *content)
{
	CMS_SIGNED *d;

	c->message = (CMS_MESSAGE *)ASN1_item_new(ASN1_ITEM_rptr(CMS_MESSAGE));
	if (c->message == NULL)
		return false;
	d = c->message->data;
	c->message->type = signed_type(m->profile);
	d->content->type = data_type(m->profile);
	return c->message->type != NULL && d->content->type != NULL &&
	       ASN1_INTEGER_set(d->version, SIGNED_DATA_VERSION) == 1 &&
	       (content == NULL || (d->content->octets = octets(*content)) != NULL) &&
	       add_digest(d, m) && add_certificate(d, m->x509) && add_signer(c, m);
}

/* The signature covers a SET OF in DER's order, not the [0] of the message (RFC 5652 section 5.4).
 */
static bool
put_tbs(const CMS_SIGNER *s, struct uk_buf *tbs)
{
	unsigned char *der = NULL;
	const int n =
	    ASN1_item_i2d((ASN1_VALUE *)s->attributes, &der, ASN1_ITEM_rptr(PKCS7_ATTR_SIGN));

	if (n > 0)
		uk_buf_put(tbs, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	return n > 0 && !uk_buf_failed(tbs);
}

enum uk_rc
cms_new(const struct uk_cert *cert, const struct cms_profile *profile, struct uk_span digest,
    const struct uk_span *content, int64_t now, struct cms **out, struct uk_buf *tbs,
    struct uk_err *err)
{
	const struct uk_span der = uk_cert_der(cert);
	const unsigned char *p = der.p;
	const struct making m = { .x509 = d2i_X509(NULL, &p, (long)der.n),
		.alg = &algs[uk_cert_alg(cert)],
		.profile = profile,
		.digest = digest,
		.now = now };
	struct cms *c = uk_xalloc(sizeof(*c));
	bool ok;

	ok = m.x509 != NULL && m.alg->md != NULL && fill(c, &m, content) &&
	     (!profile->attributes || put_tbs(c->signer, tbs));
	X509_free(m.x509);
	ERR_clear_error();
	if (!ok) {
		cms_free(&c);
		return uk_fail(err, UK_E_INTERNAL, NULL, "cms", 0);
	}
	*out = c;
	return UK_OK;
}

void
cms_free(struct cms **c)
{
	if (c == NULL || *c == NULL)
		return;
	ASN1_item_free((ASN1_VALUE *)(*c)->message, ASN1_ITEM_rptr(CMS_MESSAGE));
	free(*c);
	*c = NULL;
}

enum uk_rc
cms_finish(struct cms *c, struct uk_span signature, struct uk_buf *out, struct uk_err *err)
{
	unsigned char *der = NULL;
	int n;

	if (ASN1_OCTET_STRING_set(c->signer->signature, signature.p, (int)signature.n) != 1)
		return uk_fail(err, UK_E_INTERNAL, NULL, "cms", 0);
	n = ASN1_item_i2d((ASN1_VALUE *)c->message, &der, ASN1_ITEM_rptr(CMS_MESSAGE));
	if (n <= 0) {
		ERR_clear_error();
		return uk_fail(err, UK_E_INTERNAL, NULL, "i2d", 0);
	}
	uk_buf_put(out, uk_span(der, (size_t)n));
	OPENSSL_free(der);
	return uk_buf_failed(out) ? uk_fail(err, UK_E_LIMIT, NULL, "cms", 0) : UK_OK;
}
