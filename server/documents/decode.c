/* The only file that knows libturbojpeg and libspng. */
#include <spng.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "documents/decode.h"
#include "documents/exif.h"
#include "documents/photo.h"

#define QUALITY       85
#define PNG_CHUNK_MAX (4u * 1024 * 1024)
#define PNG_CACHE_MAX (16u * 1024 * 1024)
#define PNG_SIDE_MAX  100000 /* the pixels are what counts */
#define DECODE_FLAGS  (TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS)

static const uint8_t jpeg_magic[] = { 0xff, 0xd8, 0xff };
static const uint8_t png_magic[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };

static bool
begins(struct uk_span s, const uint8_t *magic, size_t n)
{
	return s.n >= n && memcmp(s.p, magic, n) == 0;
}

static enum decode_result
judge_size(uint32_t width, uint32_t height)
{
	const uint32_t longer = width > height ? width : height;
	const uint32_t shorter = width > height ? height : width;

	if (longer < PHOTO_WIDTH_MIN || shorter < PHOTO_HEIGHT_MIN)
		return DECODE_TOO_SMALL;
	return (uint64_t)width * height > PHOTO_PIXELS_MAX ? DECODE_TOO_LARGE : DECODE_OK;
}

/* The decoder scales by eighths almost for free; the smallest that is still large enough. */
static tjscalingfactor
scale_for(uint32_t width, uint32_t height)
{
	tjscalingfactor best = { 1, 1 };
	uint32_t w;
	uint32_t h;
	int n = 0;
	const tjscalingfactor *all = tjGetScalingFactors(&n);

	pixels_fit(width, height, PHOTO_SIDE_MAX, &w, &h);
	for (int i = 0; i < n; i++)
		if (TJSCALED((int)width, all[i]) >= (int)w &&
		    TJSCALED((int)height, all[i]) >= (int)h &&
		    all[i].num * best.denom < best.num * all[i].denom)
			best = all[i];
	return best;
}

static enum decode_result
decode_jpeg(struct uk_span in, struct pixels *out)
{
	enum decode_result r = DECODE_UNREADABLE;
	tjhandle tj = tjInitDecompress();
	int width;
	int height;
	int subsampling;
	int colours;
	tjscalingfactor f;

	if (tj == NULL)
		return r;
	if (tjDecompressHeader3(tj, in.p, in.n, &width, &height, &subsampling, &colours) != 0 ||
	    width <= 0 || height <= 0)
		goto out;
	if ((r = judge_size((uint32_t)width, (uint32_t)height)) != DECODE_OK)
		goto out;
	f = scale_for((uint32_t)width, (uint32_t)height);
	pixels_init(out, (uint32_t)TJSCALED(width, f), (uint32_t)TJSCALED(height, f));
	if (tjDecompress2(tj, in.p, in.n, out->rgb, (int)out->width, 0, (int)out->height, TJPF_RGB,
		DECODE_FLAGS) != 0) {
		pixels_fini(out);
		r = DECODE_UNREADABLE;
	}
out:
	(void)tjDestroy(tj);
	return r;
}

/* What is transparent shows the paper behind it. */
static void
on_white(const uint8_t *rgba, struct pixels *out)
{
	const size_t n = (size_t)out->width * out->height;

	for (size_t i = 0; i < n; i++) {
		const unsigned a = rgba[i * 4 + 3];

		for (size_t c = 0; c < 3; c++)
			out->rgb[i * 3 + c] =
			    (uint8_t)((rgba[i * 4 + c] * a + 255 * (255 - a) + 127) / 255);
	}
}

static enum decode_result
decode_png(struct uk_span in, struct pixels *out)
{
	enum decode_result r = DECODE_UNREADABLE;
	spng_ctx *png = spng_ctx_new(0);
	struct spng_ihdr head;
	uint8_t *rgba = NULL;
	size_t n;

	if (png == NULL)
		return r;
	if (spng_set_image_limits(png, PNG_SIDE_MAX, PNG_SIDE_MAX) != 0 ||
	    spng_set_chunk_limits(png, PNG_CHUNK_MAX, PNG_CACHE_MAX) != 0 ||
	    spng_set_crc_action(png, SPNG_CRC_ERROR, SPNG_CRC_ERROR) != 0 ||
	    spng_set_png_buffer(png, in.p, in.n) != 0 || spng_get_ihdr(png, &head) != 0)
		goto out;
	if ((r = judge_size(head.width, head.height)) != DECODE_OK)
		goto out;
	r = DECODE_UNREADABLE;
	if (spng_decoded_image_size(png, SPNG_FMT_RGBA8, &n) != 0 || (rgba = malloc(n)) == NULL ||
	    spng_decode_image(png, rgba, n, SPNG_FMT_RGBA8, SPNG_DECODE_TRNS) != 0)
		goto out;
	pixels_init(out, head.width, head.height);
	on_white(rgba, out);
	r = DECODE_OK;
out:
	free(rgba);
	spng_ctx_free(png);
	return r;
}

enum decode_result
decode_photo(struct uk_span in, struct pixels *out)
{
	enum decode_result r;
	unsigned orientation = 1;
	uint32_t w;
	uint32_t h;

	*out = (struct pixels){ 0 };
	if (begins(in, jpeg_magic, sizeof(jpeg_magic))) {
		r = decode_jpeg(in, out);
		orientation = exif_orientation(in);
	} else if (begins(in, png_magic, sizeof(png_magic))) {
		r = decode_png(in, out);
	} else {
		r = DECODE_TYPE;
	}
	if (r != DECODE_OK)
		return r;
	pixels_fit(out->width, out->height, PHOTO_SIDE_MAX, &w, &h);
	pixels_shrink(out, w, h);
	pixels_orient(out, orientation);
	return DECODE_OK;
}

enum decode_result
decode_encode(const struct pixels *p, struct uk_buf *out)
{
	enum decode_result r = DECODE_UNREADABLE;
	tjhandle tj = tjInitCompress();
	unsigned char *jpeg = NULL;
	unsigned long n = 0;

	if (tj == NULL)
		return r;
	if (tjCompress2(tj, p->rgb, (int)p->width, 0, (int)p->height, TJPF_RGB, &jpeg, &n,
		TJSAMP_420, QUALITY, 0) == 0) {
		uk_buf_put(out, uk_span(jpeg, n));
		r = uk_buf_failed(out) ? DECODE_TOO_LARGE : DECODE_OK;
	}
	tjFree(jpeg);
	(void)tjDestroy(tj);
	return r;
}
