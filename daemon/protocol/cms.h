/*
 * CMS SignedData (RFC 5652; GM/T 0010) around a signature that comes from elsewhere, later.
 * Signed attributes, where there are any: contentType, messageDigest, signingTime,
 * signingCertificateV2 (RFC 5035).
 */
#ifndef PROTOCOL_CMS_H
#define PROTOCOL_CMS_H

#include "uk/x509.h"

struct cms;

/* What verifiers of SM2 disagree about; every other key has RFC 5652's way, with attributes. */
struct cms_profile {
	bool gm_arc;     /* content types of GM/T 0010, 1.2.156.10197.6.1.4.2 */
	bool sm2_sm3;    /* signature algorithm 1.2.156.10197.1.501, not …301.1 */
	bool attributes; /* none: the signature is over the content itself */
};

extern const struct cms_profile cms_profile_gm;  /* the standard's, and the default of SM2 keys */
extern const struct cms_profile cms_profile_rfc; /* of all others */

/*
 * digest: plain, of the content, by the key's algorithm; for attributes.  content NULL: detached.
 * *tbs: what is to be signed, the DER of the signed attributes, appended; nothing when there are
 * none.
 */
UK_CHECK enum uk_rc cms_new(const struct uk_cert *cert, const struct cms_profile *profile,
    struct uk_span digest, const struct uk_span *content, int64_t now, struct cms **out,
    struct uk_buf *tbs, struct uk_err *err);
void cms_free(struct cms **c);

/* Put the signature in (PKCS#1 v1.5, or DER of r and s); the ContentInfo is appended. */
UK_CHECK enum uk_rc cms_finish(
    struct cms *c, struct uk_span signature, struct uk_buf *out, struct uk_err *err);

#endif
