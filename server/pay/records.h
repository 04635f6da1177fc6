/*
 * A bank's records of what has come to our account, as a CSV file (RFC 4180, UTF-8): one line of
 * headings, then one record a line.  The headings say which column is what; others are passed over:
 *
 *	流水号 reference, 付款方 payer, 付款账号 account, 附言 remark, 金额 amount, 到账时间 time
 *
 * Amounts are in yuan ("200.00"), times are "2026-11-22 14:30:00" or "2026-11-22", Beijing.
 */
#ifndef PAY_RECORDS_H
#define PAY_RECORDS_H

#include <stdint.h>

#include "uk/buf.h"
#include "uk/rc.h"

#define RECORDS_BYTES_MAX (256u * 1024)
#define RECORDS_MAX       2000
#define RECORD_CELL_MAX   256

/* Lent for the call; what a file has no column for is "". */
struct record {
	const char *reference;
	const char *payer;
	const char *account;
	const char *remark;
	int64_t amount; /* fen */
	int64_t at;
};

typedef enum uk_rc record_fn(const struct record *r, void *ctx, struct uk_err *err);

/*
 * Calls `each` for every record, or for none: what is wrong is found first.  UK_E_INPUT with
 * err->field "reference", "amount" or "time" and err->native the line, or "records-malformed";
 * UK_E_LIMIT "too-many-records".
 */
UK_CHECK enum uk_rc records_read(
    struct uk_span csv, record_fn *each, void *ctx, struct uk_err *err);

/* "2026-11-22 14:30:00" or "2026-11-22", Beijing; false when it is none. */
bool record_time(const char *s, int64_t *out);

#endif
