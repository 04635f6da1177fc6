/*
 * Photos of documents: untrusted bytes in, a clean JPEG out.  Decoding happens in ukey-photo, a
 * process of its own that can do nothing but read, compute and write (documents/photo_main.c).
 */
#ifndef DOCUMENTS_PHOTO_H
#define DOCUMENTS_PHOTO_H

#include <stdint.h>

#include "uk/buf.h"
#include "uk/rc.h"

#define PHOTO_BYTES_MAX  (10u * 1024 * 1024) /* in */
#define PHOTO_PIXELS_MAX (40u * 1000 * 1000) /* in */
#define PHOTO_SIDE_MAX   2400                /* out: scaled down to fit a square of this */
#define PHOTO_WIDTH_MIN  400                 /* in: the longer side */
#define PHOTO_HEIGHT_MIN 300                 /* in: the shorter side */
#define PHOTO_JPEG_MAX   (8u * 1024 * 1024)  /* out */

struct photo_info {
	uint32_t width; /* of what came out */
	uint32_t height;
};

struct photo_config {
	const char *program; /* path of ukey-photo */
	int64_t timeout_ms;  /* 0: 20 s */
};

/*
 * Decode, turn upright (EXIF), scale down, encode anew without metadata.  Blocks; safe from any
 * thread.  `jpeg` is initialised by the caller (PHOTO_JPEG_MAX) and filled on success.
 *   UK_E_LIMIT  "photo-too-large"          bytes or pixels
 *   UK_E_INPUT  "photo-type"               neither JPEG nor PNG
 *   UK_E_INPUT  "photo-unreadable"         broken, or its decoder died or took too long
 *   UK_E_INPUT  "photo-too-small"
 *   UK_E_UNAVAILABLE                       ukey-photo can't be started
 */
UK_CHECK enum uk_rc photo_check(const struct photo_config *cfg, struct uk_span in,
    struct photo_info *info, struct uk_buf *jpeg, struct uk_err *err);

#endif
