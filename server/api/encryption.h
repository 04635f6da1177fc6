/* The encryption half of an order's pair of certificates, as certificate.install of the helper
 * takes it. */
#ifndef API_ENCRYPTION_H
#define API_ENCRYPTION_H

#include "api/api.h"
#include "workflow/certificate.h"

/*
 * {certificate, envelopedKey, format} of the sibling of a signing certificate; *out is NULL when it
 * has none.  format: "gbt35276" (SM2EnvelopedKey) or "skf" (ENVELOPEDKEYBLOB); UK_E_INPUT for
 * another.
 */
UK_CHECK enum uk_rc encryption_json(const struct api *a, struct store_tx *tx,
    const struct certificate *signing, const char *format, json_t **out, struct uk_err *err);

#endif
