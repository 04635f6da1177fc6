/*
 * CMS SignedData (RFC 5652) around a signature that comes from elsewhere, later.  Signed
 * attributes: contentType, messageDigest, signingTime, signingCertificateV2 (RFC 5035).
 */
#ifndef PROTOCOL_CMS_H
#define PROTOCOL_CMS_H

#include "uk/buf.h"

struct cms;

/*
 * digest: of the content, by the key's algorithm.  content NULL: detached.  *tbs: what is to be
 * signed, the DER of the signed attributes, appended.
 */
UK_CHECK enum uk_rc cms_new(struct uk_span certificate, struct uk_span digest,
    const struct uk_span *content, int64_t now, struct cms **out, struct uk_buf *tbs,
    struct uk_err *err);
void cms_free(struct cms **c);

/* Put the signature in (PKCS#1 v1.5, or DER ECDSA-Sig-Value); the ContentInfo is appended. */
UK_CHECK enum uk_rc cms_finish(
    struct cms *c, struct uk_span signature, struct uk_buf *out, struct uk_err *err);

#endif
