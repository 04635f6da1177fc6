/*
 * Secrets as a type: PINs, codes, keys.  In locked memory that is in no core dump and in no child;
 * nothing prints one, and nothing copies one into a struct uk_buf by accident.
 */
#ifndef UK_SECRET_H
#define UK_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "uk/buf.h"

struct uk_secret;

#define UK_SECRET_MAX 1024

/* A copy of s (at most UK_SECRET_MAX bytes; longer aborts, so bound input first). */
struct uk_secret *uk_secret_new(struct uk_span s);

/* Wipes, unlocks, frees, sets NULL; NULL-safe. */
void uk_secret_free(struct uk_secret **s);

/* The bytes, lent until the secret is freed.  Not NUL-terminated in the count, but a NUL follows.
 */
struct uk_span uk_secret_lend(const struct uk_secret *s);

/* In constant time for equal lengths. */
bool uk_secret_eq(const struct uk_secret *a, const struct uk_secret *b);

/* For a process that will hold secrets: no core dumps, no ptrace by the same user. */
void uk_secret_harden_process(void);

#endif
