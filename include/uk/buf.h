/*
 * Bytes.  Borrowed bytes are a struct uk_span by value; owned bytes are a struct uk_buf, which is
 * bounded and sticky: a put that does not fit sets `failed` and later puts do nothing, so a writer
 * asks once, at the end.
 */
#ifndef UK_BUF_H
#define UK_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uk/rc.h"

struct uk_span {
	const uint8_t *p;
	size_t n;
};

struct uk_buf {
	uint8_t *p;
	size_t n;
	size_t cap;
	size_t max;
	bool failed;
	bool locked;
};

/* Abort when memory is out: sizes from outside are bounded before they get here. */
void *uk_xalloc(size_t n); /* zeroed */
char *uk_xstrdup(const char *s);
char *uk_xstrndup(const char *s, size_t n);

struct uk_span uk_span(const void *p, size_t n);
struct uk_span uk_span_str(const char *s); /* NULL gives the empty span */
bool uk_span_eq(struct uk_span a, struct uk_span b);

/* An empty buffer that will never hold more than max bytes. */
void uk_buf_init(struct uk_buf *b, size_t max);

/* From now on in memory that is not swapped and in no core dump: for what secrets pass through.
 * Before anything is put; not for uk_buf_steal_str(). */
void uk_buf_lock(struct uk_buf *b);

/* Wipes and frees; the buffer is empty and usable again. */
void uk_buf_fini(struct uk_buf *b);

void uk_buf_put(struct uk_buf *b, struct uk_span s);
void uk_buf_put_str(struct uk_buf *b, const char *s);
void uk_buf_put_u8(struct uk_buf *b, uint8_t v);
void uk_buf_put_u16(struct uk_buf *b, uint16_t v);         /* big-endian */
void uk_buf_put_u32(struct uk_buf *b, uint32_t v);         /* big-endian */
void uk_buf_put_field(struct uk_buf *b, struct uk_span s); /* its length as u32, then the bytes */
void uk_buf_printf(struct uk_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for n more bytes to be written in place, or NULL (and failed).  Then uk_buf_add(). */
uint8_t *uk_buf_room(struct uk_buf *b, size_t n);
void uk_buf_add(struct uk_buf *b, size_t n);

/* Drop n bytes from the front. */
void uk_buf_drop(struct uk_buf *b, size_t n);

/* Forget the content (wiped), keep the memory, clear `failed`. */
void uk_buf_reset(struct uk_buf *b);

bool uk_buf_failed(const struct uk_buf *b);
struct uk_span uk_buf_span(const struct uk_buf *b);

/* The content as a string, NUL added but not counted; valid until the next put.  NULL if failed. */
const char *uk_buf_str(struct uk_buf *b);

/* The content as a malloc'd string; the buffer is empty afterwards.  NULL if failed. */
char *uk_buf_steal_str(struct uk_buf *b);

#endif
