#include <string.h>

#include "store/db.h"

static const struct db_ops *const drivers[] = {
	&db_sqlite,
	NULL,
};

const struct db_ops *
db_driver(const char *name)
{
	for (size_t i = 0; drivers[i] != NULL; i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}

struct db_value
db_text(const char *s)
{
	return s != NULL ? (struct db_value){ .type = DB_TEXT, .bytes = uk_span_str(s) } : DB_N;
}
