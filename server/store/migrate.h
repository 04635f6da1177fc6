/* The schema's steps: schema/NNNN_what.sql, compiled in. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/store.h"

struct migrate_step {
	int version;
	const char *name;
	const char *sql;
};

/* In order of their versions. */
extern const struct migrate_step migrate_steps[];
extern const int migrate_steps_n;

/*
 * Runs the steps that the database has not seen, each in its own transaction.  UK_E_UNSUPPORTED
 * "schema-newer" when it has seen more than there are.
 */
UK_CHECK enum uk_rc migrate_run(
    struct store_tx *tx, const struct migrate_step *steps, int n, struct uk_err *err);

#endif
