/*
 * JSON read through field tables.  jansson's json_t is the value type everywhere and comes in
 * through this header only.  Input is bounded first, then parsed, then read through a table that
 * names every member that may be there; an unknown one is refused.
 */
#ifndef UK_JSON_H
#define UK_JSON_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "uk/buf.h"
#include "uk/rc.h"

enum uk_ftype {
	UK_F_STR,  /* const char *: lent by the JSON value; min and max count bytes */
	UK_F_INT,  /* int64_t: min and max are values */
	UK_F_BOOL, /* bool */
	UK_F_B64,  /* struct uk_buf: decoded, owned by the reader's struct; min and max count bytes
		    */
	UK_F_JSON, /* json_t *: any object, lent */
	UK_F_LIST, /* json_t *: an array, lent; min and max count its members */
};

#define UK_F_REQUIRED 1u
#define UK_F_NULLABLE 2u /* null counts as absent */

struct uk_field {
	const char *name;
	enum uk_ftype type;
	unsigned flags;
	int64_t min;
	int64_t max;
	size_t offset; /* in the reader's struct; an absent member leaves it as it was */
	bool (*valid)(const char *s); /* UK_F_STR: a further check, or NULL */
};

/*
 * A JSON value of at most max bytes, UTF-8, no duplicate members, no more than 32 levels.
 * On success the caller owns *out (json_decref).
 */
UK_CHECK enum uk_rc uk_json_parse(struct uk_span s, size_t max, json_t **out, struct uk_err *err);

/* Compact.  UK_E_LIMIT when it does not fit. */
UK_CHECK enum uk_rc uk_json_put(struct uk_buf *out, const json_t *value);

/* Overwrite every string in value, for one that held a secret and is about to be released.  Nobody
 * else may hold a part of it. */
void uk_json_wipe(json_t *value);

/* s (UTF-8) as a JSON string, quotes included; for secrets, which must not lie in jansson's heap.
 */
void uk_json_put_str(struct uk_buf *out, struct uk_span s);

/*
 * Read `object` into `out` (zeroed by the caller, defaults set).  NULL counts as {}.  On failure
 * err->field names the member, and nothing is left to free.  On success uk_fields_fini() frees what
 * the UK_F_B64 fields hold.
 */
UK_CHECK enum uk_rc uk_fields_read(
    const struct uk_field *table, size_t n, const json_t *object, void *out, struct uk_err *err);

/* The same for what a provider sends: members that are not in the table are passed over, because a
 * provider adds some whenever it likes. */
UK_CHECK enum uk_rc uk_fields_pick(
    const struct uk_field *table, size_t n, const json_t *object, void *out, struct uk_err *err);

void uk_fields_fini(const struct uk_field *table, size_t n, void *out);

#endif
