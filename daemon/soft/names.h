/* Names from outside, and lists of them. */
#ifndef SOFT_NAMES_H
#define SOFT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "skf.h"
#include "uk/buf.h"

/* 1 .. max bytes of UTF-8 without control characters. */
bool name_ok(const char *name, size_t max);

/* A list that SKF gives: each name with its NUL, and one NUL more; two when it is empty. */
void name_put(struct uk_buf *list, const char *name);

/* Ends the list, gives it as give() does, and frees it. */
ULONG name_give(struct uk_buf *list, char *out, ULONG *n);

/*
 * Results with a length: NULL asks for it; too little room is SAR_BUFFER_TOO_SMALL with the length
 * that is needed.
 */
ULONG give(struct uk_span s, void *out, ULONG *n);

#endif
