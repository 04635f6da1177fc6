/* The sandbox's HTML, in one look.  What is not a literal goes through page_text(). */
#ifndef SANDBOX_PAGE_H
#define SANDBOX_PAGE_H

#include "http/request.h"
#include "uk/buf.h"

void page_begin(struct uk_buf *b, const char *title, const char *lead);
void page_text(struct uk_buf *b, const char *s); /* escaped */

/* Closes the page and answers with it. */
void page_answer(struct http_request *rq, int status, struct uk_buf *b);

/* A page that says one thing. */
void page_say(
    struct http_request *rq, int status, const char *title, const char *code, const char *text);

void page_redirect(struct http_request *rq, const char *url); /* 302, as the gateways do */

#endif
