/* A bank's file of records, as finance hands it in. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pay/money.h"
#include "pay/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static enum uk_rc
each(const struct record *r, void *ctx, struct uk_err *err)
{
	int *count = ctx;

	(void)err;
	assert(*r->reference != '\0' && strlen(r->reference) <= 64);
	assert(strlen(r->payer) < RECORD_CELL_MAX && strlen(r->remark) < RECORD_CELL_MAX);
	assert(r->amount > 0 && r->amount <= MONEY_MAX);
	++*count;
	return UK_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct uk_err err = { 0 };
	int count = 0;

	if (records_read(uk_span(p, n), each, &count, &err) != UK_OK)
		assert(count == 0);
	return 0;
}
