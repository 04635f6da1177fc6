#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "uk/buf.h"

void *
uk_xalloc(size_t n)
{
	void *p = calloc(1, n != 0 ? n : 1);

	if (p == NULL)
		abort();
	return p;
}

char *
uk_xstrndup(const char *s, size_t n)
{
	char *p = strndup(s, n);

	if (p == NULL)
		abort();
	return p;
}

char *
uk_xstrdup(const char *s)
{
	return uk_xstrndup(s, strlen(s));
}

struct uk_span
uk_span(const void *p, size_t n)
{
	return (struct uk_span){ .p = p, .n = n };
}

struct uk_span
uk_span_str(const char *s)
{
	return uk_span(s, s != NULL ? strlen(s) : 0);
}

bool
uk_span_eq(struct uk_span a, struct uk_span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

void
uk_buf_init(struct uk_buf *b, size_t max)
{
	*b = (struct uk_buf){ .max = max };
}

void
uk_buf_lock(struct uk_buf *b)
{
	b->locked = true;
}

/* Whole pages of its own, so that unlocking them unlocks nobody else's.  Best effort where
 * RLIMIT_MEMLOCK is small. */
static uint8_t *
locked_alloc(size_t *cap)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *p;

	*cap = (*cap + page - 1) / page * page;
	p = aligned_alloc(page, *cap);
	if (p == NULL)
		abort();
	(void)mlock(p, *cap);
	(void)madvise(p, *cap, MADV_DONTDUMP);
	return p;
}

static void
release(struct uk_buf *b)
{
	if (b->p == NULL)
		return;
	explicit_bzero(b->p, b->cap);
	if (b->locked) {
		(void)madvise(b->p, b->cap, MADV_DODUMP);
		(void)munlock(b->p, b->cap);
	}
	free(b->p);
}

void
uk_buf_fini(struct uk_buf *b)
{
	release(b);
	*b = (struct uk_buf){ .max = b->max, .locked = b->locked };
}

/* Not realloc(3): the old block may hold what must not stay behind in the heap. */
static bool
grow(struct uk_buf *b, size_t n)
{
	size_t cap = b->cap != 0 ? b->cap : 64;
	uint8_t *p;

	if (b->failed || n > b->max || b->n > b->max - n) {
		b->failed = true;
		return false;
	}
	if (b->n + n < b->cap)
		return true;
	while (cap <= b->n + n)
		cap *= 2;
	p = b->locked ? locked_alloc(&cap) : uk_xalloc(cap);
	if (b->n != 0)
		memcpy(p, b->p, b->n);
	release(b);
	b->p = p;
	b->cap = cap;
	return true;
}

void
uk_buf_put(struct uk_buf *b, struct uk_span s)
{
	if (!grow(b, s.n) || s.n == 0)
		return;
	memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

void
uk_buf_put_str(struct uk_buf *b, const char *s)
{
	uk_buf_put(b, uk_span_str(s));
}

void
uk_buf_put_u8(struct uk_buf *b, uint8_t v)
{
	uk_buf_put(b, uk_span(&v, 1));
}

void
uk_buf_put_u16(struct uk_buf *b, uint16_t v)
{
	const uint8_t be[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	uk_buf_put(b, uk_span(be, sizeof(be)));
}

void
uk_buf_put_u32(struct uk_buf *b, uint32_t v)
{
	const uint8_t be[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
		(uint8_t)v };

	uk_buf_put(b, uk_span(be, sizeof(be)));
}

void
uk_buf_put_field(struct uk_buf *b, struct uk_span s)
{
	if (s.n > UINT32_MAX) {
		b->failed = true;
		return;
	}
	uk_buf_put_u32(b, (uint32_t)s.n);
	uk_buf_put(b, s);
}

void
uk_buf_printf(struct uk_buf *b, const char *fmt, ...)
{
	va_list ap;
	uint8_t *room;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	room = uk_buf_room(b, (size_t)n);
	if (room == NULL)
		return;
	va_start(ap, fmt);
	/* grow() keeps one byte beyond what it was asked for, so the NUL has its place. */
	(void)vsnprintf((char *)room, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

uint8_t *
uk_buf_room(struct uk_buf *b, size_t n)
{
	return grow(b, n) ? b->p + b->n : NULL;
}

void
uk_buf_add(struct uk_buf *b, size_t n)
{
	if (n > b->cap - b->n)
		abort();
	b->n += n;
}

void
uk_buf_drop(struct uk_buf *b, size_t n)
{
	if (n > b->n)
		abort();
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
	explicit_bzero(b->p + b->n, n);
}

void
uk_buf_reset(struct uk_buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->n);
	b->n = 0;
	b->failed = false;
}

bool
uk_buf_failed(const struct uk_buf *b)
{
	return b->failed;
}

struct uk_span
uk_buf_span(const struct uk_buf *b)
{
	return uk_span(b->p, b->n);
}

const char *
uk_buf_str(struct uk_buf *b)
{
	if (!grow(b, 0))
		return NULL;
	b->p[b->n] = '\0';
	return (const char *)b->p;
}

char *
uk_buf_steal_str(struct uk_buf *b)
{
	char *s = NULL;

	if (uk_buf_str(b) == NULL)
		return NULL;
	s = (char *)b->p;
	uk_buf_init(b, b->max);
	return s;
}
