#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "documents/paper.h"
#include "uk/clock.h"

/* Points. */
#define PAGE_W  595.276
#define PAGE_H  841.89
#define MARGIN  56.7
#define FOOT    36.0
#define LABEL_W 110.0
#define GAP     5.0

#define FAMILY "Noto Sans CJK SC, Source Han Sans SC, WenQuanYi Micro Hei, sans-serif"
#define FIXED  "Noto Sans Mono CJK SC, WenQuanYi Micro Hei Mono, monospace"

enum kind {
	KIND_TITLE,
	KIND_SUBTITLE,
	KIND_HEADING,
	KIND_ROW,
	KIND_CODE,
	KIND_TEXT,
	KIND__MAX
};

struct style {
	const char *family;
	double size;
	bool bold;
	double before; /* space above, but at the top of a page */
};

static const struct style styles[KIND__MAX] = {
	[KIND_TITLE] = { FAMILY, 20, true, 0 },
	[KIND_SUBTITLE] = { FAMILY, 10, false, 4 },
	[KIND_HEADING] = { FAMILY, 12.5, true, 18 },
	[KIND_ROW] = { FAMILY, 10, false, GAP },
	[KIND_CODE] = { FIXED, 8.5, false, GAP },
	[KIND_TEXT] = { FAMILY, 10, false, 8 },
};

struct block {
	struct block *next;
	enum kind kind;
	char *label; /* rows */
	char *text;
};

struct paper {
	char *title;
	char *foot;
	int64_t now;
	struct block *blocks;
	struct block **end;
};

static void
add(struct paper *p, enum kind kind, const char *label, const char *text)
{
	struct block *b = uk_xalloc(sizeof(*b));

	b->kind = kind;
	b->label = uk_xstrdup(label);
	b->text = uk_xstrdup(text);
	*p->end = b;
	p->end = &b->next;
}

struct paper *
paper_new(const char *title, const char *subtitle, const char *foot, int64_t now)
{
	struct paper *p = uk_xalloc(sizeof(*p));

	p->title = uk_xstrdup(title);
	p->foot = uk_xstrdup(foot);
	p->now = now;
	p->end = &p->blocks;
	add(p, KIND_TITLE, "", title);
	add(p, KIND_SUBTITLE, "", subtitle);
	return p;
}

void
paper_free(struct paper **pp)
{
	struct paper *p;

	if (pp == NULL || *pp == NULL)
		return;
	p = *pp;
	while (p->blocks != NULL) {
		struct block *b = p->blocks;

		p->blocks = b->next;
		/* what the applicant has typed */
		explicit_bzero(b->text, strlen(b->text));
		free(b->label);
		free(b->text);
		free(b);
	}
	free(p->title);
	free(p->foot);
	free(p);
	*pp = NULL;
}

void
paper_heading(struct paper *p, const char *text)
{
	add(p, KIND_HEADING, "", text);
}

void
paper_row(struct paper *p, const char *label, const char *value)
{
	add(p, KIND_ROW, label, value);
}

void
paper_code(struct paper *p, const char *label, const char *value)
{
	add(p, KIND_CODE, label, value);
}

void
paper_text(struct paper *p, const char *text)
{
	add(p, KIND_TEXT, "", text);
}

/* One pass over the blocks: the first only counts the pages, the second draws. */
struct pass {
	cairo_t *cr;
	PangoContext *context;
	const struct paper *paper;
	bool draw;
	int page;
	int pages; /* of the first pass */
	double y;
};

static PangoLayout *
layout_new(const struct pass *s, const struct style *st, const char *text, double width)
{
	PangoLayout *l = pango_layout_new(s->context);
	PangoFontDescription *font = pango_font_description_from_string(st->family);

	pango_font_description_set_absolute_size(font, st->size * PANGO_SCALE);
	if (st->bold)
		pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
	pango_layout_set_font_description(l, font);
	pango_font_description_free(font);
	pango_layout_set_width(l, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_text(l, text, -1);
	return l;
}

static void
draw_at(const struct pass *s, PangoLayout *l, double x, double y)
{
	if (!s->draw)
		return;
	cairo_move_to(s->cr, x, y);
	pango_cairo_show_layout(s->cr, l);
}

static void
put_foot(const struct pass *s)
{
	static const struct style small = { FAMILY, 8, false, 0 };
	const double width = PAGE_W - 2 * MARGIN;
	char number[32];
	PangoLayout *l;

	if (!s->draw)
		return;
	cairo_set_source_rgb(s->cr, 0.4, 0.4, 0.4);
	l = layout_new(s, &small, s->paper->foot, width - 60);
	draw_at(s, l, MARGIN, PAGE_H - FOOT);
	g_object_unref(l);
	(void)snprintf(number, sizeof(number), "%d / %d", s->page, s->pages);
	l = layout_new(s, &small, number, width);
	pango_layout_set_alignment(l, PANGO_ALIGN_RIGHT);
	draw_at(s, l, MARGIN, PAGE_H - FOOT);
	g_object_unref(l);
	cairo_set_source_rgb(s->cr, 0, 0, 0);
}

static void
end_page(struct pass *s)
{
	put_foot(s);
	if (s->draw)
		cairo_show_page(s->cr);
}

static double
height(PangoLayout *l)
{
	int h = 0;

	pango_layout_get_size(l, NULL, &h);
	return (double)h / PANGO_SCALE;
}

/* Line by line, so that a text may be longer than a page. */
static void
put_lines(struct pass *s, PangoLayout *l, double x)
{
	PangoLayoutIter *it = pango_layout_get_iter(l);

	do {
		PangoRectangle r;
		const double bottom = PAGE_H - MARGIN - FOOT;
		double h;

		pango_layout_iter_get_line_extents(it, NULL, &r);
		h = (double)r.height / PANGO_SCALE;
		if (s->y + h > bottom) {
			end_page(s);
			s->page++;
			s->y = MARGIN;
		}
		if (s->draw) {
			const int base = pango_layout_iter_get_baseline(it) - r.y;

			cairo_move_to(s->cr, x + (double)r.x / PANGO_SCALE,
			    s->y + (double)base / PANGO_SCALE);
			pango_cairo_show_layout_line(
			    s->cr, pango_layout_iter_get_line_readonly(it));
		}
		s->y += h;
	} while (pango_layout_iter_next_line(it));
	pango_layout_iter_free(it);
}

static void
put_rule(const struct pass *s)
{
	if (!s->draw)
		return;
	cairo_set_source_rgb(s->cr, 0.75, 0.75, 0.75);
	cairo_set_line_width(s->cr, 0.6);
	cairo_move_to(s->cr, MARGIN, s->y + 2);
	cairo_line_to(s->cr, PAGE_W - MARGIN, s->y + 2);
	cairo_stroke(s->cr);
	cairo_set_source_rgb(s->cr, 0, 0, 0);
}

/* The label stands where its value's first line does, so it must not be parted from it. */
static void
put_label(struct pass *s, const struct block *b)
{
	PangoLayout *l = layout_new(s, &styles[KIND_ROW], b->label, LABEL_W - 8);

	if (s->y + height(l) > PAGE_H - MARGIN - FOOT) {
		end_page(s);
		s->page++;
		s->y = MARGIN;
	}
	if (s->draw)
		cairo_set_source_rgb(s->cr, 0.35, 0.35, 0.35);
	draw_at(s, l, MARGIN, s->y);
	if (s->draw)
		cairo_set_source_rgb(s->cr, 0, 0, 0);
	g_object_unref(l);
}

/* A heading alone at a page's foot helps nobody. */
#define HEADING_ROOM 70.0

static void
put_block(struct pass *s, const struct block *b)
{
	const struct style *st = &styles[b->kind];
	const bool row = b->kind == KIND_ROW || b->kind == KIND_CODE;
	const double x = row ? MARGIN + LABEL_W : MARGIN;
	PangoLayout *l = layout_new(s, st, b->text, PAGE_W - MARGIN - x);

	if (b->kind == KIND_HEADING && s->y + HEADING_ROOM > PAGE_H - MARGIN - FOOT) {
		end_page(s);
		s->page++;
		s->y = MARGIN;
	}
	if (s->y > MARGIN)
		s->y += st->before;
	if (row)
		put_label(s, b);
	put_lines(s, l, x);
	if (b->kind == KIND_HEADING)
		put_rule(s);
	g_object_unref(l);
}

static int
run(struct pass *s)
{
	s->page = 1;
	s->y = MARGIN;
	for (const struct block *b = s->paper->blocks; b != NULL; b = b->next)
		put_block(s, b);
	end_page(s);
	return s->page;
}

static cairo_status_t
put_bytes(void *ctx, const unsigned char *data, unsigned int n)
{
	struct uk_buf *out = ctx;

	uk_buf_put(out, uk_span(data, n));
	return uk_buf_failed(out) ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

enum uk_rc
paper_write(const struct paper *p, struct uk_buf *out, struct uk_err *err)
{
	cairo_surface_t *surface =
	    cairo_pdf_surface_create_for_stream(put_bytes, out, PAGE_W, PAGE_H);
	/* One of our own, let go afterwards: the default one would stay with each worker thread. */
	PangoFontMap *fonts = pango_cairo_font_map_new();
	struct pass s = { .cr = cairo_create(surface), .paper = p };
	char made[UK_TIME_LEN];
	cairo_status_t status;

	s.context = pango_font_map_create_context(fonts);
	pango_cairo_update_context(s.cr, s.context);
	uk_time_utc(p->now, made);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, p->title);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, made);
	s.pages = run(&s);
	s.draw = true;
	(void)run(&s);
	g_object_unref(s.context);
	g_object_unref(fonts);
	cairo_destroy(s.cr);
	cairo_surface_finish(surface);
	status = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	if (uk_buf_failed(out))
		return uk_fail(err, UK_E_LIMIT, NULL, "paper", 0);
	return status == CAIRO_STATUS_SUCCESS
		   ? UK_OK
		   : uk_fail(err, UK_E_INTERNAL, NULL, "cairo", (long)status);
}

#ifdef UK_SANITIZE
/* Fontconfig keeps what it has read for the process's life, and its own way to let go (FcFini) ends
 * the process when Cairo still holds a font. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfontconfig";
}
#endif
