/*
 * Key management: the key pairs of encryption certificates.  They are made here, delivered once
 * under an envelope that only the holder's new signing key opens (GB/T 35276), and kept for
 * recovery.  A kept private key is sealed under a key-encryption key of its own (km.key), so that
 * neither the database nor the server's master key gives it.
 */
#ifndef KM_KM_H
#define KM_KM_H

#include "store/crypt.h"
#include "store/store.h"
#include "uk/pubkey.h"
#include "uk/sm2.h"

#define KM_SPKI_MAX     256u
#define KM_ENVELOPE_MAX 512u

struct km;

/* The file of 32 bytes that nobody but its owner can read.  UK_E_NOT_FOUND, UK_E_DENIED
 * "km-key-not-private", UK_E_INPUT "km-key-length". */
UK_CHECK enum uk_rc km_open(
    const char *path, const struct uk_random *random, struct km **out, struct uk_err *err);
void km_close(struct km **km);

/* A fresh SM2 pair; on success km_pair_fini(). */
struct km_pair {
	struct uk_pubkey *public;
	struct uk_secret *private; /* 32 bytes, big-endian */
};
UK_CHECK enum uk_rc km_pair_make(struct km_pair *out, struct uk_err *err);
void km_pair_fini(struct km_pair *p);

/* SM2EnvelopedKey, DER, of the pair for the receiver's SM2 key; appended. */
UK_CHECK enum uk_rc km_wrap(const struct km *km, const struct km_pair *pair,
    const struct uk_pubkey *receiver, struct uk_buf *out, struct uk_err *err);

/*
 * In the write that stores the intent of the certificate: keep the pair, and its envelope, which
 * stays the same however often it is asked for: a holder that was pulled half-way finds what is on
 * the token again, and the private key is not opened for it.
 */
UK_CHECK enum uk_rc km_keep(const struct km *km, struct store_tx *tx, const char *serial,
    const struct km_pair *pair, struct uk_span enveloped, int64_t now, struct uk_err *err);

/* The envelope, appended.  UK_E_NOT_FOUND "key-not-kept" for a certificate without. */
UK_CHECK enum uk_rc km_enveloped(
    struct store_tx *tx, const char *serial, struct uk_buf *out, struct uk_err *err);

/* For recovery only.  UK_E_NOT_FOUND "key-not-kept"; UK_E_INTEGRITY: another km.key. */
UK_CHECK enum uk_rc km_recover(const struct km *km, struct store_tx *tx, const char *serial,
    struct uk_secret **private, struct uk_err *err);

#endif
