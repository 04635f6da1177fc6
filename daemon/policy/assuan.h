/* Assuan, as far as pinentry speaks it: what a line from it says, and text in a line to it. */
#ifndef POLICY_ASSUAN_H
#define POLICY_ASSUAN_H

#include "uk/buf.h"

#define ASSUAN_LINE 1000 /* bytes, and the line's end */

enum assuan_kind {
	ASSUAN_OK,
	ASSUAN_ERR,  /* code */
	ASSUAN_DATA, /* data, n */
	ASSUAN_INQUIRE,
	ASSUAN_OTHER, /* status and comments */
};

struct assuan_line {
	enum assuan_kind kind;
	long code;  /* libgpg-error's, without the bits that say which part spoke */
	char *data; /* unescaped where it was: it may be a PIN, which is then nowhere else */
	size_t n;
};

/* A line without its end. */
struct assuan_line assuan_read(char *line);

void assuan_escape(struct uk_buf *out, const char *s);

/* The longest beginning of s that is at most max bytes when escaped, and ends between characters.
 */
size_t assuan_fit(const char *s, size_t max);

#endif
