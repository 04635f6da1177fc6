/*
 * CMS EnvelopedData and AuthEnvelopedData (RFC 5652, RFC 5083; GM/T 0010) for one receiver, whose
 * private key is elsewhere: what is to be done with that key, then the content.  The bytes come
 * from outside; BER is read, too, since OpenSSL writes it.
 *
 * Receivers: RSA (PKCS#1 v1.5, OAEP with SHA-1 or SHA-256), ECDH on P-256 and P-384 (RFC 5753), SM2
 * (SM2Cipher in the OCTET STRING).  Contents: AES-CBC, AES-GCM, SM4-CBC.
 */
#ifndef PROTOCOL_ENVELOPED_H
#define PROTOCOL_ENVELOPED_H

#include "token/client.h"
#include "uk/random.h"
#include "uk/x509.h"

#define ENVELOPED_RECEIVERS 64
#define ENVELOPED_TYPE_MAX  64 /* of a content type, dotted */

struct enveloped;

/*
 * UK_E_INPUT "envelope-malformed"; UK_E_CONFLICT "envelope-for-others": the certificate is none of
 * its receivers; UK_E_UNSUPPORTED "algorithm-unsupported".
 */
UK_CHECK enum uk_rc enveloped_read(
    struct uk_span der, const struct uk_cert *receiver, struct enveloped **out, struct uk_err *err);
void enveloped_free(struct enveloped **e);

/* What TOKEN_DECRYPT is asked for, lent; iv and content are of TOKEN_SM2_SM4_CBC only. */
enum token_scheme enveloped_scheme(const struct enveloped *e);
struct uk_span enveloped_data(const struct enveloped *e);
struct uk_span enveloped_iv(const struct enveloped *e);
struct uk_span enveloped_content(const struct enveloped *e);

/*
 * from_token: its answer; NULL: it could not decrypt.  The content is appended to out, its type put
 * into `type`.  UK_E_INTEGRITY "envelope-broken", whatever is wrong; for PKCS#1 v1.5 a key is
 * made up where the token has none, so that no one learns by trying how the padding was broken (RFC
 * 3218).
 */
UK_CHECK enum uk_rc enveloped_open(const struct enveloped *e, const struct uk_span *from_token,
    const struct uk_random *random, struct uk_buf *out, char type[ENVELOPED_TYPE_MAX],
    struct uk_err *err);

#endif
