/*
 * A4 papers for applicants, as PDF with the fonts embedded (Pango, Cairo): a title, sections of
 * labelled values, paragraphs, and a foot on every page.  Text is UTF-8 as it is, never markup.
 *
 *	struct paper *p = paper_new("订单详情", "UK261122ABCDEFGH", "某某认证中心", now);
 *	paper_heading(p, "申请信息");
 *	paper_row(p, "单位名称", "...");
 *	rc = paper_write(p, &pdf, err);
 *	paper_free(&p);
 */
#ifndef DOCUMENTS_PAPER_H
#define DOCUMENTS_PAPER_H

#include <stdint.h>

#include "uk/buf.h"

#define PAPER_MAX (4u * 1024u * 1024u) /* of a PDF */

struct paper;

/* All strings are copied, here and below; `now` is the PDF's date of making. */
struct paper *paper_new(const char *title, const char *subtitle, const char *foot, int64_t now);
void paper_free(struct paper **p);

void paper_heading(struct paper *p, const char *text);
void paper_row(struct paper *p, const char *label, const char *value);
void paper_text(struct paper *p, const char *text);

/* Digests and numbers: a row in a fixed-width font that may break anywhere. */
void paper_code(struct paper *p, const char *label, const char *value);

/* Append the PDF.  UK_E_LIMIT: too large; UK_E_INTERNAL: Cairo says why in the log's native. */
UK_CHECK enum uk_rc paper_write(const struct paper *p, struct uk_buf *out, struct uk_err *err);

#endif
