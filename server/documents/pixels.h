/* A decoded picture: rows of 8-bit RGB. */
#ifndef DOCUMENTS_PIXELS_H
#define DOCUMENTS_PIXELS_H

#include <stddef.h>
#include <stdint.h>

struct pixels {
	uint32_t width;
	uint32_t height;
	uint8_t *rgb; /* width * height * 3 */
};

/* Uninitialised memory for width x height; aborts when there is none. */
void pixels_init(struct pixels *p, uint32_t width, uint32_t height);
void pixels_fini(struct pixels *p);

/* What width x height becomes when it must fit a square of `side`; never larger than it was. */
void pixels_fit(uint32_t width, uint32_t height, uint32_t side, uint32_t *w, uint32_t *h);

/* Scale down to w x h, each pixel the mean of the area it covers. */
void pixels_shrink(struct pixels *p, uint32_t w, uint32_t h);

/* Turn by an EXIF orientation, 1 to 8 (1, and any other number: as it is). */
void pixels_orient(struct pixels *p, unsigned orientation);

#endif
