/* Where the sealed columns of this folder stand (store/crypt.h). */
#ifndef API_PLACE_H
#define API_PLACE_H

#include <stdio.h>

#include "store/crypt.h"

#define PLACE_ROW_LEN 160

/* "ORDER/PART" */
static inline struct crypt_place
place(const char *table, const char *order, const char *part, const char *column,
    char row[PLACE_ROW_LEN])
{
	(void)snprintf(row, PLACE_ROW_LEN, "%s/%s", order, part);
	return (struct crypt_place){ .table = table, .row = row, .column = column };
}

#endif
