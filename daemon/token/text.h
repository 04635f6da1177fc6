/* Names from outside: UTF-8 without control characters, fit for JSON, dialogs and logs. */
#ifndef TOKEN_TEXT_H
#define TOKEN_TEXT_H

#include "uk/buf.h"

/* The length of the clean character (RFC 3629) that s begins with; 0: it begins with none. */
size_t text_char(struct uk_span s);

bool text_ok(struct uk_span s);

/*
 * A module's padded string as clean text: trailing blanks and NULs dropped, each byte that is no
 * part of a clean character replaced by '?', cut at a character to fit cap with its NUL.
 */
void text_copy(char *out, size_t cap, struct uk_span s);

#endif
