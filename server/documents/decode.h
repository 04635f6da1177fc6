/* The decoders and the encoder; for ukey-photo only, inside its sandbox. */
#ifndef DOCUMENTS_DECODE_H
#define DOCUMENTS_DECODE_H

#include "documents/pixels.h"
#include "uk/buf.h"

/* ukey-photo's exit status. */
enum decode_result {
	DECODE_OK = 0,
	DECODE_TYPE = 10,
	DECODE_UNREADABLE,
	DECODE_TOO_SMALL,
	DECODE_TOO_LARGE,
	DECODE_NO_SANDBOX,
};

/* Upright pixels that fit PHOTO_SIDE_MAX.  DECODE_OK: the caller frees with pixels_fini(). */
enum decode_result decode_photo(struct uk_span in, struct pixels *out);

/* A JPEG of quality 85 and nothing but pixels. */
enum decode_result decode_encode(const struct pixels *p, struct uk_buf *out);

#endif
