/*
 * What the key did, for its holder: one JSON object a line, each with the SHA-256 of the line
 * before it, so that a change or a gap shows.  At JOURNAL_SIZE the file moves to PATH.1 and the
 * chain goes on in a new one.
 */
#ifndef POLICY_JOURNAL_H
#define POLICY_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "uk/clock.h"
#include "uk/rc.h"

#define JOURNAL_SIZE    (4u * 1024u * 1024u)
#define JOURNAL_SYNC_MS 1000

/* NULL members are left out. */
struct journal_entry {
	const char *method;
	const char *origin;
	const char *token;
	const char *certificate;
	const char *digest; /* SHA-256 of what was signed, hex */
	const char *result; /* "ok", or the reason */
};

struct journal;

/*
 * A last line torn by a crash is cut off.  A file that does not read goes to PATH.bad, and a new
 * one begins whose first line says so.
 */
UK_CHECK enum uk_rc journal_open(
    const char *path, const struct uk_clock *clock, struct journal **out, struct uk_err *err);
void journal_close(struct journal **j);
bool journal_put_aside(const struct journal *j);

/*
 * In the file when it returns, so that it outlasts this process however that ends.  On the disk
 * after journal_sync(), which the caller sees to within JOURNAL_SYNC_MS: a power cut may take that
 * much with it.  Once a sync has failed nothing more is taken until one succeeds.
 */
UK_CHECK enum uk_rc journal_put(
    struct journal *j, const struct journal_entry *e, struct uk_err *err);
UK_CHECK enum uk_rc journal_sync(struct journal *j, struct uk_err *err);

/* UK_E_INTEGRITY "journal-broken": line `*lines` + 1 does not follow from the ones before. */
UK_CHECK enum uk_rc journal_check(const char *path, size_t *lines, struct uk_err *err);

#endif
