#include <inttypes.h>
#include <stdio.h>

#include "api/proof.h"

#define WINDOW 120 /* seconds; a challenge lives one to two of them */

void
proof_challenge(const struct api *a, const struct order *o, int back, struct proof_challenge *out)
{
	const int64_t window = api_now(a) / WINDOW - back;
	struct uk_span parts[] = { uk_span_str("proof"), uk_span_str(o->id), { NULL, 0 } };
	char count[64];

	(void)snprintf(count, sizeof(count), "%" PRId64 ".%" PRId64, o->requests, window);
	parts[2] = uk_span_str(count);
	crypt_index(a->crypt, CRYPT_INDEX_CODE, parts, 3, out->nonce);
	out->expires = (window + PROOF_WINDOWS) * WINDOW;
}
