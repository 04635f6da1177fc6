/* The page that is printed and goes on the parcel ([A3]). */
#ifndef API_LABEL_H
#define API_LABEL_H

#include "uk/buf.h"

struct label {
	const char *sender;
	const char *order;
	const char *recipient;
	const char *phone;
	const char *address;
	const char *postcode; /* or NULL */
	const char *token;    /* serial; or NULL */
};

/* A whole HTML page; every text is escaped. */
void label_put(struct uk_buf *out, const struct label *l);

/* Text as it may stand between tags and in quoted attributes. */
void html_put(struct uk_buf *out, const char *s);

#endif
