#include <string.h>

#include "uk/frame.h"

void
uk_frames_init(struct uk_frames *f, size_t max)
{
	f->max = max;
	/* Several small frames may arrive in one read, behind one whole frame of the largest size.
	 */
	uk_buf_init(&f->in, 2 * (max + UK_FRAME_HEAD));
}

void
uk_frames_fini(struct uk_frames *f)
{
	uk_buf_fini(&f->in);
}

uint8_t *
uk_frames_room(struct uk_frames *f, size_t n)
{
	return uk_buf_room(&f->in, n);
}

void
uk_frames_add(struct uk_frames *f, size_t n)
{
	uk_buf_add(&f->in, n);
}

enum uk_rc
uk_frames_next(struct uk_frames *f, struct uk_span *body)
{
	uint32_t n;

	*body = uk_span(NULL, 0);
	if (f->in.n < UK_FRAME_HEAD)
		return UK_OK;
	memcpy(&n, f->in.p, UK_FRAME_HEAD);
	if (n > f->max)
		return UK_E_LIMIT;
	if (f->in.n - UK_FRAME_HEAD >= n)
		*body = uk_span(f->in.p + UK_FRAME_HEAD, n);
	return UK_OK;
}

void
uk_frames_done(struct uk_frames *f, struct uk_span body)
{
	uk_buf_drop(&f->in, UK_FRAME_HEAD + body.n);
}

void
uk_frame_put(struct uk_buf *out, struct uk_span body)
{
	const uint32_t n = (uint32_t)body.n;

	if (body.n > UINT32_MAX) {
		out->failed = true;
		return;
	}
	uk_buf_put(out, uk_span(&n, UK_FRAME_HEAD));
	uk_buf_put(out, body);
}
