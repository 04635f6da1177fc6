#include "ca/der.h"
#include "ca/name.h"
#include "uk/utf8.h"

#define NAME_C "2.5.4.6"

enum uk_rc
name_check(const char *value, size_t max, const char *field, struct uk_err *err)
{
	size_t chars;

	if (value == NULL || *value == '\0')
		return uk_fail_field(err, field, "missing");
	if (!uk_utf8_count(value, &chars))
		return uk_fail_field(err, field, NULL);
	return chars <= max ? UK_OK : uk_fail_field(err, field, "wrong-length");
}

static void
put_part(struct uk_buf *out, const char *oid, uint8_t tag, const char *value)
{
	const size_t set = der_begin(out, DER_SET);
	const size_t pair = der_begin(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	der_put_str(out, tag, value);
	der_end(out, pair);
	der_end(out, set);
}

void
name_put(const struct name_part *parts, size_t n, struct uk_buf *out)
{
	const size_t at = der_begin(out, DER_SEQUENCE);

	put_part(out, NAME_C, DER_PRINTABLE, "CN");
	for (size_t i = 0; i < n; i++)
		put_part(out, parts[i].oid, DER_UTF8, parts[i].value);
	der_end(out, at);
}
