/*
 * Sealed tickets (design.md section 4): a JWE (ECDH-ES, A256GCM, compact) around a JWS (ES256).
 * The CA signs with a key that ukeyd trusts by policy; only the holder of the channel key can read
 * it.  JOSE: RFC 7515, 7516, 7518, thumbprints RFC 7638.
 */
#ifndef UK_TICKET_H
#define UK_TICKET_H

#include "uk/buf.h"
#include "uk/json.h"
#include "uk/secret.h"

#define UK_TICKET_MAX      8192u
#define UK_TICKET_LIFE_MAX 120 /* seconds */
#define UK_THUMB_LEN       44  /* base64url SHA-256, and NUL */

/* A one-time P-256 key pair, or a station's long-lived one. */
struct uk_jwk;

UK_CHECK enum uk_rc uk_jwk_new(struct uk_jwk **out, struct uk_err *err);
/* {kty:"EC", crv:"P-256", x, y} or a private one with d, a point on the curve, nothing else in it;
 * else UK_E_INPUT "jwk-malformed". */
UK_CHECK enum uk_rc uk_jwk_from_json(const json_t *jwk, struct uk_jwk **out, struct uk_err *err);
void uk_jwk_free(struct uk_jwk **k);
json_t *uk_jwk_public(const struct uk_jwk *k);  /* new reference: {kty, crv, x, y} */
json_t *uk_jwk_private(const struct uk_jwk *k); /* new reference, for a key file only */
void uk_jwk_thumbprint(const struct uk_jwk *k, char out[UK_THUMB_LEN]);

struct uk_ticket {
	const char *jti;
	const char *purpose; /* "production", "unlock" */
	const char *order;
	const char *token;       /* serial; "" for a blank token that has none yet */
	const char *certificate; /* SHA-256 of the DER, hex; "" when there is none yet */
	const char *origin;      /* the page that may hand it in */
	const char *channel;     /* thumbprint of the channel key */
	const char *label;       /* production: the token's new label; may be "" */
	int64_t expires;
	/* Each 1 to 64 bytes of UTF-8; NULL where the ticket has none. */
	struct uk_secret *so_pin;      /* always there */
	struct uk_secret *pin;         /* production */
	struct uk_secret *auth_key;    /* production: an SKF device's, where it has its own */
	struct uk_secret *so_pin_old;  /* unlock: where so_pin is perhaps not on the token yet */
	struct uk_secret *so_pin_next; /* unlock, always: what the SO PIN becomes */
	const char *nonce;             /* unlock, always: for the receipt; else NULL */
	json_t *claims;                /* owns the strings; NULL when the caller owns them */
};

/* Sign with `ca` (its thumbprint is the kid), encrypt to `channel`; appended to out. */
UK_CHECK enum uk_rc uk_ticket_seal(const struct uk_ticket *t, const struct uk_jwk *ca,
    const struct uk_jwk *channel, struct uk_buf *out, struct uk_err *err);

/*
 * Decrypt with `channel`, verify with the one of `trusted` that the kid names, check expiry and
 * channel thumbprint.  Reasons: "ticket-malformed", "ticket-untrusted", "ticket-expired" (also one
 * that would live longer than UK_TICKET_LIFE_MAX: a clock is wrong), "ticket-other-channel".  What
 * else must match (purpose, token, certificate, origin) is the caller's: an unlock ticket always
 * names a token and a certificate.  On failure nothing is left to
 * free.
 */
UK_CHECK enum uk_rc uk_ticket_open(const char *jwe, const struct uk_jwk *channel,
    struct uk_jwk *const *trusted, size_t n_trusted, int64_t now, struct uk_ticket *out,
    struct uk_err *err);
void uk_ticket_fini(struct uk_ticket *t);

/*
 * A station vouches for a one-time channel key: JWS (ES256, compact) over {channel, origin, iat}
 * with the station's thumbprint as kid.  The CA accepts it for five minutes.  Reasons:
 * "vouch-malformed", "vouch-untrusted", "vouch-expired", "vouch-other-channel",
 * "vouch-other-origin".
 */
UK_CHECK enum uk_rc uk_station_vouch(const struct uk_jwk *station, const struct uk_jwk *channel,
    const char *origin, int64_t now, struct uk_buf *out, struct uk_err *err);
UK_CHECK enum uk_rc uk_station_check(const char *jws, const struct uk_jwk *station,
    const struct uk_jwk *channel, const char *origin, int64_t now, struct uk_err *err);

#endif
