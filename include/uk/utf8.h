/* UTF-8 (RFC 3629) from outside. */
#ifndef UK_UTF8_H
#define UK_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes of the character at s; 0 when none is there that a person could see: the end, a
 * control character (C0, DEL, C1), or what is not well-formed. */
size_t uk_utf8_char(const char *s);

/* All of s is such characters, and how many; false otherwise. */
bool uk_utf8_count(const char *s, size_t *chars);

#endif
