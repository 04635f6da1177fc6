/* A notification is proved by its signature; whatever comes, nothing unsigned gets through. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "pay/alipay_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A public key whose private half was thrown away. */
static const char key[] =
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA23sscTIAym46Wvpnc0onDE7Uir3DeqNA"
    "TJPiOaLd8KWHVZpN1zHm3HSJ665s59EDIUfyL6zOjzGN84GoP4g/MIBrlnGO0ilm8k7It7Jv8+k4"
    "PlsZW6FjAxJbhBQvjJUYh9tsHzauRTjq60/fNbktq2YlGkGdOJslG5TTjUpJG7iILhi2T0un+aUx"
    "biioM9OU+eWHsNVuiCnPTA72GBUdVlLMN1kq3uXkutePDtyJIYa6Jf3kEmFYBpWQvXdDqH5rBvLK"
    "07V27wGTrrGc5Za96iy/KOZzQn/i1pLLsw0TSiBIhPCVCTTeRpBSPsfmfPnJxJj7MZL7MjHS5LS/"
    "/JRHAwIDAQAB";

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct uk_pubkey *k = NULL;
	struct net_pairs pairs;
	enum uk_rc rc;

	if (rsa2_pubkey_new(key, &k, NULL) != UK_OK)
		__builtin_trap();
	rc = alipay_notice_open(k, uk_span(p, n), &pairs, NULL);
	assert(rc != UK_OK);
	uk_pubkey_free(&k);
	return 0;
}
