/* The papers of an order, from its ORDER (openapi.yaml). */
#ifndef API_PAPERS_H
#define API_PAPERS_H

#include "documents/paper.h"
#include "uk/json.h"

struct paper_facts {
	const json_t *order;     /* ORDER */
	const json_t *statement; /* what was signed last; NULL: nothing */
	const char *digest;      /* SHA-256 of it, hex */
	const char *name;        /* the CA's */
	int64_t now;
};

/*
 * By name: "details.pdf", "application.pdf", "invoice.pdf".  The caller frees.  UK_E_NOT_FOUND: no
 * such paper; UK_E_CONFLICT "not-signed-yet", "not-paid-yet".  Identity numbers are masked: a file
 * gets about.
 */
UK_CHECK enum uk_rc papers_make(
    const char *name, const struct paper_facts *f, struct paper **out, struct uk_err *err);

#endif
