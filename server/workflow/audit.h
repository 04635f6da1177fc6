/*
 * An order's events, each hashed over the one before (SHA-256), so that a changed, missing or moved
 * row shows.  The chain covers a salted hash of a note, not the note: it can be erased one day.
 */
#ifndef WORKFLOW_AUDIT_H
#define WORKFLOW_AUDIT_H

#include "workflow/workflow.h"

struct audit_row {
	const char *order;
	int64_t at;
	const char *event;
	const char *event_id; /* NULL: none */
	const char *role;
	const char *actor;
	const char *from;
	const char *to;
	const char *detail;
	const char *note;
};

#define AUDIT_NOTE_MAX 4096u
#define AUDIT_LOOK     "look" /* the event of workflow_look() */

/* The order's next row. */
UK_CHECK enum uk_rc audit_put(
    const struct workflow *w, struct store_tx *tx, const struct audit_row *row, struct uk_err *err);

/* A row's note, appended: `plain` and `sealed` are its columns. */
UK_CHECK enum uk_rc audit_note(const struct crypt *crypt, const char *order, int64_t seq,
    const char *plain, struct uk_span sealed, struct uk_buf *out, struct uk_err *err);

#endif
