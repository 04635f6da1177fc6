/* Have the token sign, and believe no signature that does not hold. */
#ifndef PROTOCOL_SIGN_H
#define PROTOCOL_SIGN_H

#include "protocol/call.h"
#include "protocol/signing.h"

/* Then c->signature holds over c->tbs with `key`; or the call has failed.  All lent by c. */
void sign_tbs(struct call *c, const char *token, const char *key_id, const struct uk_pubkey *key,
    call_fn *then);

/* What is asked to be signed, by either way it comes; content that is here is lent by `of`. */
UK_CHECK enum uk_rc sign_read_data(struct call *c, const struct item_params *of,
    enum signing_form form, struct signing_data *out, struct uk_err *err);

/* signing_end() of what sign_object(c) signed; a token whose signature does not hold is remembered.
 */
UK_CHECK enum uk_rc sign_end(struct call *c, struct signing *s, struct uk_span from_token,
    struct uk_buf *out, struct uk_err *err);

/* What is to come out.  profile: NULL: the default. */
UK_CHECK enum uk_rc sign_read_how(
    const char *format, const json_t *profile, struct signing_how *out, struct uk_err *err);

/* c->object.digest, as windows and the journal tell it. */
void sign_tell_digest(const uint8_t sha256[32], char out[65]);

/*
 * Find the certificate and its key, fill in c->object, go past certificate, consent and PIN, then
 * on; sign_object(c) is what was found.  fits: is it of use for this?  Nobody is asked for anything
 * before that.
 */
void sign_with(struct call *c, const char *fingerprint, call_fits_fn *fits, call_fn *then);

/* It may sign, by an algorithm that we know. */
call_fits_fn sign_fits;
const struct inventory_object *sign_object(const struct call *c);

/* {signature, algorithm, certificate}: signature is lent. */
json_t *sign_result(const struct call *c, struct uk_span signature);

/* Fill c->object from what is known of its token. */
void sign_about_token(struct call *c, const struct token_info *token);

#endif
