/* Distinguished names as this CA writes them: C=CN first, then UTF8String parts in order. */
#ifndef CA_NAME_H
#define CA_NAME_H

#include "uk/buf.h"

#define NAME_O  "2.5.4.10"
#define NAME_OU "2.5.4.11"
#define NAME_CN "2.5.4.3"

#define NAME_CHARS_MAX 64 /* X.520's upper bound of these three */

struct name_part {
	const char *oid;
	const char *value;
};

/* Well-formed UTF-8 of 1 to max characters, none of them a control character.  UK_E_INPUT with
 * `field` and "missing", "wrong-length" or none. */
UK_CHECK enum uk_rc name_check(
    const char *value, size_t max, const char *field, struct uk_err *err);

void name_put(const struct name_part *parts, size_t n, struct uk_buf *out);

#endif
