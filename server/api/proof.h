/*
 * The challenge that a new key signs to prove that it works ([A3]).  It is derived and not stored:
 * whoever looks at the order gets the one of the present window, and the windows of now and just
 * before are accepted; the order's state is what makes a proof count only once.
 */
#ifndef API_PROOF_H
#define API_PROOF_H

#include "api/api.h"
#include "workflow/certificate.h"

#define PROOF_AUDIENCE "ukey-proof"
#define PROOF_WINDOWS  2

struct proof_challenge {
	char nonce[CRYPT_INDEX_LEN];
	int64_t expires;
};

/* back: 0 the present window, 1 the one before. */
void proof_challenge(
    const struct api *a, const struct order *o, int back, struct proof_challenge *out);

/* In a transaction: the order's newest signing certificate that is not revoked, and its bytes; all
 * zeros and none when there is none. */
UK_CHECK enum uk_rc proof_certificate(const struct api *a, struct store_tx *tx, const char *order,
    struct certificate *row, struct uk_buf *der, struct uk_err *err);

/*
 * `certificate` is the one issued for the order (`der`), and its key has signed a challenge of now
 * or just before.  UK_E_INPUT "proof-refused"; the cause goes to the log.
 */
UK_CHECK enum uk_rc proof_verify(const struct api *a, const struct order *o, struct uk_span der,
    struct uk_span certificate, struct uk_span signature, struct uk_err *err);

#endif
