#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "pay/money.h"
#include "pay/records.h"
#include "uk/utf8.h"

#define COLUMNS_MAX 32
#define BEIJING     (8 * 3600)

enum column {
	COL_REFERENCE,
	COL_PAYER,
	COL_ACCOUNT,
	COL_REMARK,
	COL_AMOUNT,
	COL_TIME,
	COL__MAX
};

static const struct {
	const char *zh;
	const char *en;
	bool needed;
} columns[] = {
	[COL_REFERENCE] = { "流水号", "reference", true },
	[COL_PAYER] = { "付款方", "payer", true },
	[COL_ACCOUNT] = { "付款账号", "account", false },
	[COL_REMARK] = { "附言", "remark", false },
	[COL_AMOUNT] = { "金额", "amount", true },
	[COL_TIME] = { "到账时间", "time", true },
};
static_assert(sizeof(columns) / sizeof(columns[0]) == COL__MAX, "one row per column");

struct reader {
	const char *p;
	const char *end;
	int line;
	int at[COL__MAX]; /* which cell of a line; -1: none */
	char cells[COLUMNS_MAX][RECORD_CELL_MAX];
	int n;
};

/* One cell; false when it is too long or its quotes do not close. */
static bool
read_cell(struct reader *r, char out[RECORD_CELL_MAX])
{
	const bool quoted = r->p < r->end && *r->p == '"';
	size_t n = 0;

	for (r->p += quoted ? 1 : 0;; r->p++) {
		if (r->p == r->end && quoted)
			return false;
		if (r->p == r->end || (!quoted && strchr(",\r\n", *r->p) != NULL))
			break;
		if (*r->p == '"' && !quoted)
			return false;
		if (*r->p == '"' && (r->p + 1 == r->end || r->p[1] != '"')) {
			r->p++;
			break;
		}
		r->p += *r->p == '"' ? 1 : 0;
		if (n + 1 == RECORD_CELL_MAX)
			return false;
		out[n++] = *r->p;
	}
	out[n] = '\0';
	return strlen(out) == n;
}

/* The cells of one line; its end is passed. */
static bool
read_line(struct reader *r)
{
	r->line++;
	for (r->n = 0; r->n < COLUMNS_MAX;) {
		if (!read_cell(r, r->cells[r->n++]))
			return false;
		if (r->p < r->end && *r->p == ',') {
			r->p++;
			continue;
		}
		if (r->p < r->end && *r->p == '\r')
			r->p++;
		if (r->p < r->end && *r->p != '\n')
			return false;
		r->p += r->p < r->end ? 1 : 0;
		return true;
	}
	return false;
}

static enum uk_rc
malformed(const struct reader *r, struct uk_err *err)
{
	return uk_fail(err, UK_E_INPUT, "records-malformed", "records", r->line);
}

static enum uk_rc
read_head(struct reader *r, struct uk_err *err)
{
	if (!read_line(r))
		return malformed(r, err);
	for (int c = 0; c < COL__MAX; c++) {
		r->at[c] = -1;
		for (int i = 0; i < r->n; i++)
			if (strcmp(r->cells[i], columns[c].zh) == 0 ||
			    strcmp(r->cells[i], columns[c].en) == 0)
				r->at[c] = i;
		if (r->at[c] < 0 && columns[c].needed)
			return malformed(r, err);
	}
	return UK_OK;
}

static const char *
cell(const struct reader *r, enum column c)
{
	return r->at[c] >= 0 && r->at[c] < r->n ? r->cells[r->at[c]] : "";
}

static enum uk_rc
wrong(const struct reader *r, const char *field, struct uk_err *err)
{
	const enum uk_rc rc = uk_fail_field(err, field, NULL);

	err->native = r->line;
	return rc;
}

static bool
shown(const char *s)
{
	size_t chars;

	return uk_utf8_count(s, &chars);
}

static enum uk_rc
read_record(const struct reader *r, struct record *out, struct uk_err *err)
{
	*out = (struct record){ .reference = cell(r, COL_REFERENCE),
		.payer = cell(r, COL_PAYER),
		.account = cell(r, COL_ACCOUNT),
		.remark = cell(r, COL_REMARK) };
	if (*out->reference == '\0' || strlen(out->reference) > 64 || !shown(out->reference))
		return wrong(r, "reference", err);
	if (!shown(out->payer) || !shown(out->account) || !shown(out->remark))
		return malformed(r, err);
	if (money_parse(cell(r, COL_AMOUNT), &out->amount) != UK_OK || out->amount == 0)
		return wrong(r, "amount", err);
	if (!record_time(cell(r, COL_TIME), &out->at))
		return wrong(r, "time", err);
	return UK_OK;
}

/* each NULL: only looks. */
static enum uk_rc
walk(struct reader *r, struct uk_span csv, record_fn *each, void *ctx, struct uk_err *err)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct record record;
	enum uk_rc rc;

	r->p = (const char *)csv.p;
	r->end = r->p + csv.n;
	r->line = 0;
	if (csv.n >= 3 && memcmp(r->p, bom, 3) == 0)
		r->p += 3;
	rc = read_head(r, err);
	for (int n = 0; rc == UK_OK && r->p < r->end; n++) {
		if (n == RECORDS_MAX)
			return uk_fail(err, UK_E_LIMIT, "too-many-records", "records", n);
		if (!read_line(r))
			return malformed(r, err);
		if (r->n == 1 && r->cells[0][0] == '\0')
			continue;
		rc = read_record(r, &record, err);
		if (rc == UK_OK && each != NULL)
			rc = each(&record, ctx, err);
	}
	return rc;
}

enum uk_rc
records_read(struct uk_span csv, record_fn *each, void *ctx, struct uk_err *err)
{
	struct reader *r;
	enum uk_rc rc;

	if (csv.n == 0 || csv.n > RECORDS_BYTES_MAX)
		return uk_fail(err, UK_E_INPUT, "records-malformed", "records", (long)csv.n);
	r = uk_xalloc(sizeof(*r));
	rc = walk(r, csv, NULL, NULL, err);
	if (rc == UK_OK)
		rc = walk(r, csv, each, ctx, err);
	free(r);
	return rc;
}

/* Two or four digits; -1. */
static int
number(const char *s, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = 10 * v + (s[i] - '0');
	}
	return v;
}

/* Days since 1970 of a date of the Gregorian calendar; -1 when there is none. */
static int64_t
date(const char *s)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	const int y = number(s, 4);
	const int m = y < 0 || s[4] != '-' ? -1 : number(s + 5, 2);
	const int d = m < 1 || m > 12 || s[7] != '-' ? -1 : number(s + 8, 2);
	const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	if (y < 1970 || d < 1 || d > lengths[m - 1] + (m == 2 && leap ? 1 : 0))
		return -1;
	return INT64_C(365) * (y - 1970) + (y - 1969) / 4 - (y - 1901) / 100 + (y - 1601) / 400 +
	       before[m - 1] + (m > 2 && leap ? 1 : 0) + d - 1;
}

bool
record_time(const char *s, int64_t *out)
{
	const size_t n = strlen(s);
	const int64_t day = n == 10 || n == 19 ? date(s) : -1;
	int h = 0, m = 0, sec = 0;

	if (day < 0)
		return false;
	if (n == 19) {
		h = number(s + 11, 2);
		m = number(s + 14, 2);
		sec = number(s + 17, 2);
		if (s[10] != ' ' || s[13] != ':' || s[16] != ':' || h < 0 || h > 23 || m < 0 ||
		    m > 59 || sec < 0 || sec > 59)
			return false;
	}
	*out = day * 86400 + h * 3600 + m * 60 + sec - BEIJING;
	return true;
}
