/*
 * ukey-photo: standard input is an image, standard output is its width and height (4 bytes each,
 * big-endian) and a JPEG of it, the exit status is an enum decode_result.  No options, no files.
 */
#include <unistd.h>

#include "documents/decode.h"
#include "documents/photo.h"
#include "documents/sandbox.h"

#define READ_BYTES (64 * 1024)

static enum decode_result
read_all(struct uk_buf *in)
{
	uint8_t *room;
	ssize_t n;

	for (;;) {
		if ((room = uk_buf_room(in, READ_BYTES)) == NULL)
			return DECODE_TOO_LARGE;
		n = read(SANDBOX_IN, room, READ_BYTES);
		if (n == 0)
			return DECODE_OK;
		if (n < 0)
			return DECODE_UNREADABLE;
		uk_buf_add(in, (size_t)n);
	}
}

static enum decode_result
write_all(struct uk_span s)
{
	while (s.n > 0) {
		const ssize_t n = write(SANDBOX_OUT, s.p, s.n);

		if (n <= 0)
			return DECODE_UNREADABLE;
		s = uk_span(s.p + n, s.n - (size_t)n);
	}
	return DECODE_OK;
}

static enum decode_result
run(void)
{
	struct uk_buf in;
	struct uk_buf out;
	struct pixels p;
	enum decode_result r;

	uk_buf_init(&in, PHOTO_BYTES_MAX + READ_BYTES);
	uk_buf_init(&out, PHOTO_JPEG_MAX + 8);
	if ((r = read_all(&in)) != DECODE_OK)
		return r;
	if ((r = decode_photo(uk_buf_span(&in), &p)) != DECODE_OK)
		return r;
	uk_buf_put_u32(&out, p.width);
	uk_buf_put_u32(&out, p.height);
	if ((r = decode_encode(&p, &out)) == DECODE_OK)
		r = write_all(uk_buf_span(&out));
	return r;
}

/* The process is the memory's owner: nothing is freed, and no exit handler runs. */
int
main(void)
{
	const enum decode_result r = sandbox_enter() ? run() : DECODE_NO_SANDBOX;

	_exit((int)r);
}
