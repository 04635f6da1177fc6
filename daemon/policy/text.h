/* Other people's words, made fit for a window that the user decides by. */
#ifndef POLICY_TEXT_H
#define POLICY_TEXT_H

#include "uk/buf.h"

/*
 * Append at most max characters of s (UTF-8), and 3 bytes for each.  Control characters, line
 * breaks, invisible ones, those that turn the writing direction and rows of blanks become one
 * blank, so that they can't forge another line of the dialog; what is cut ends in an ellipsis.
 */
void text_put(struct uk_buf *out, const char *s, size_t max);

/* The longest prefix of s that is at most n bytes and ends between characters. */
size_t text_fit(const char *s, size_t n);

#endif
