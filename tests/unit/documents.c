#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <spng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <turbojpeg.h>
#include <unistd.h>
#include <zlib.h>

#include "documents/exif.h"
#include "documents/photo.h"
#include "documents/pixels.h"

#define ATTEMPTS 8

static const struct photo_config config = { .program = UKEY_PHOTO };

/* Left half red, right half blue, and the top eighth white: every orientation looks different. */
static struct pixels
scene(uint32_t w, uint32_t h)
{
	struct pixels p;

	pixels_init(&p, w, h);
	for (uint32_t y = 0; y < h; y++) {
		for (uint32_t x = 0; x < w; x++) {
			uint8_t *at = p.rgb + ((size_t)y * w + x) * 3;
			const bool white = y < h / 8;

			at[0] = white || x < w / 2 ? 255 : 0;
			at[1] = white ? 255 : 0;
			at[2] = white || x >= w / 2 ? 255 : 0;
		}
	}
	return p;
}

static struct uk_buf
jpeg_with(uint32_t w, uint32_t h, int flags)
{
	struct pixels p = scene(w, h);
	tjhandle tj = tjInitCompress();
	unsigned char *jpeg = NULL;
	unsigned long n = 0;
	struct uk_buf b;

	assert_int_equal(
	    tjCompress2(tj, p.rgb, (int)w, 0, (int)h, TJPF_RGB, &jpeg, &n, TJSAMP_444, 92, flags),
	    0);
	uk_buf_init(&b, (size_t)64 << 20);
	uk_buf_put(&b, uk_span(jpeg, n));
	tjFree(jpeg);
	(void)tjDestroy(tj);
	pixels_fini(&p);
	return b;
}

static struct uk_buf
jpeg_of(uint32_t w, uint32_t h)
{
	return jpeg_with(w, h, 0);
}

static struct uk_buf
png_of(uint32_t w, uint32_t h, bool alpha)
{
	struct pixels p = scene(w, h);
	const size_t channels = alpha ? 4 : 3;
	uint8_t *raw = uk_xalloc((size_t)w * h * channels);
	struct spng_ihdr head = { .width = w,
		.height = h,
		.bit_depth = 8,
		.color_type = alpha ? SPNG_COLOR_TYPE_TRUECOLOR_ALPHA : SPNG_COLOR_TYPE_TRUECOLOR };
	spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
	struct uk_buf b;
	size_t n = 0;
	int err = 0;
	void *out;

	for (size_t i = 0; i < (size_t)w * h; i++)
		memcpy(raw + i * channels, p.rgb + i * 3, 3); /* alpha stays 0: all transparent */
	assert_int_equal(spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1), 0);
	assert_int_equal(spng_set_ihdr(png, &head), 0);
	assert_int_equal(spng_encode_image(png, raw, (size_t)w * h * channels, SPNG_FMT_PNG,
			     SPNG_ENCODE_FINALIZE),
	    0);
	out = spng_get_png_buffer(png, &n, &err);
	assert_non_null(out);
	uk_buf_init(&b, (size_t)64 << 20);
	uk_buf_put(&b, uk_span(out, n));
	free(out);
	spng_ctx_free(png);
	free(raw);
	pixels_fini(&p);
	return b;
}

static enum uk_rc
check(const struct uk_buf *in, struct photo_info *info, struct uk_buf *jpeg, struct uk_err *err)
{
	uk_buf_init(jpeg, PHOTO_JPEG_MAX);
	*err = (struct uk_err){ 0 };
	return photo_check(&config, uk_buf_span(in), info, jpeg, err);
}

static void
refused(struct uk_buf *in, enum uk_rc rc, const char *reason)
{
	struct photo_info info;
	struct uk_buf jpeg;
	struct uk_err err;

	assert_int_equal(check(in, &info, &jpeg, &err), rc);
	assert_string_equal(uk_err_reason(&err), reason);
	assert_int_equal(jpeg.n, 0);
	uk_buf_fini(&jpeg);
	uk_buf_fini(in);
}

static struct pixels
decoded(const struct uk_buf *jpeg)
{
	tjhandle tj = tjInitDecompress();
	struct pixels p;
	int w;
	int h;
	int sub;
	int space;

	assert_int_equal(tjDecompressHeader3(tj, jpeg->p, jpeg->n, &w, &h, &sub, &space), 0);
	pixels_init(&p, (uint32_t)w, (uint32_t)h);
	assert_int_equal(
	    tjDecompress2(tj, jpeg->p, jpeg->n, p.rgb, w, 0, h, TJPF_RGB, TJFLAG_STOPONWARNING), 0);
	(void)tjDestroy(tj);
	return p;
}

/* 'w', 'r', 'b' at a place given in per cent. */
static char
colour(const struct pixels *p, uint32_t x, uint32_t y)
{
	const uint8_t *at =
	    p->rgb + ((size_t)(p->height * y / 100) * p->width + p->width * x / 100) * 3;

	if (at[1] > 200)
		return 'w';
	return at[0] > 128 ? 'r' : 'b';
}

static void
accepted(struct uk_buf *in, uint32_t w, uint32_t h, const char *corners)
{
	struct photo_info info;
	struct uk_buf jpeg;
	struct uk_err err;
	struct pixels p;

	assert_int_equal(check(in, &info, &jpeg, &err), UK_OK);
	assert_int_equal(info.width, w);
	assert_int_equal(info.height, h);
	p = decoded(&jpeg);
	assert_int_equal(p.width, w);
	assert_int_equal(p.height, h);
	assert_int_equal(colour(&p, 3, 3), corners[0]);
	assert_int_equal(colour(&p, 97, 3), corners[1]);
	assert_int_equal(colour(&p, 3, 97), corners[2]);
	assert_int_equal(colour(&p, 97, 97), corners[3]);
	assert_null(memmem(jpeg.p, jpeg.n, "Exif", 4));
	pixels_fini(&p);
	uk_buf_fini(&jpeg);
	uk_buf_fini(in);
}

/* [N5] */
static void
takes_jpeg_and_png(void **state)
{
	struct uk_buf in;

	(void)state;
	in = jpeg_of(640, 480);
	accepted(&in, 640, 480, "wwrb");
	in = png_of(640, 480, false);
	accepted(&in, 640, 480, "wwrb");
	in = png_of(640, 480, true); /* what is transparent is white paper */
	accepted(&in, 640, 480, "wwww");
	in = jpeg_of(300, 400);
	accepted(&in, 300, 400, "wwrb");
}

static void
scales_down(void **state)
{
	struct uk_buf in;

	(void)state;
	in = jpeg_of(4000, 3000);
	accepted(&in, 2400, 1800, "wwrb");
	in = png_of(1000, 3000, false);
	accepted(&in, 800, 2400, "wwrb");
	in = jpeg_with(7000, 5700, TJFLAG_PROGRESSIVE); /* 39.9 megapixels, the most memory */
	accepted(&in, 2400, 1954, "wwrb");
}

/* An Exif segment with an orientation, right behind SOI. */
static void
add_exif(struct uk_buf *jpeg, bool little, uint8_t orientation)
{
	const uint8_t le[] = { 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0,
		0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0 };
	const uint8_t be[] = { 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0,
		0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0 };
	struct uk_buf b;

	uk_buf_init(&b, jpeg->n + sizeof(le));
	uk_buf_put(&b, uk_span(jpeg->p, 2));
	uk_buf_put(&b, uk_span(little ? le : be, sizeof(le)));
	uk_buf_put(&b, uk_span(jpeg->p + 2, jpeg->n - 2));
	uk_buf_fini(jpeg);
	*jpeg = b;
}

static void
turns_upright(void **state)
{
	/* stored: top white, left red, right blue */
	static const struct {
		uint8_t orientation;
		bool swapped;
		const char *corners;
	} rows[] = {
		{ 1, false, "wwrb" },
		{ 2, false, "wwbr" },
		{ 3, false, "brww" },
		{ 4, false, "rbww" },
		{ 5, true, "wrwb" },
		{ 6, true, "rwbw" },
		{ 7, true, "bwrw" },
		{ 8, true, "wbwr" },
		{ 9, false, "wwrb" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct uk_buf in = jpeg_of(640, 480);

		add_exif(&in, i % 2 == 0, rows[i].orientation);
		if (rows[i].swapped)
			accepted(&in, 480, 640, rows[i].corners);
		else
			accepted(&in, 640, 480, rows[i].corners);
	}
}

static void
exif_is_bounded(void **state)
{
	struct uk_buf in = jpeg_of(64, 64);

	(void)state;
	add_exif(&in, true, 6);
	assert_int_equal(exif_orientation(uk_buf_span(&in)), 6);
	for (size_t n = 0; n < 38; n++) {
		uint8_t *exact = uk_xalloc(n);

		memcpy(exact, in.p, n);
		assert_int_equal(exif_orientation(uk_span(exact, n)), 1);
		free(exact);
	}
	memset(in.p + 16, 0xff, 4); /* the directory lies far outside */
	assert_int_equal(exif_orientation(uk_buf_span(&in)), 1);
	uk_buf_fini(&in);
}

static void
refuses_what_is_no_photo(void **state)
{
	struct uk_buf in;

	(void)state;
	uk_buf_init(&in, 1000);
	refused(&in, UK_E_INPUT, "photo-type");
	uk_buf_init(&in, 1000);
	uk_buf_put_str(&in, "this is a text, whatever its name says");
	refused(&in, UK_E_INPUT, "photo-type");
	uk_buf_init(&in, 1000);
	uk_buf_put_str(&in, "GIF89a");
	refused(&in, UK_E_INPUT, "photo-type");
	uk_buf_init(&in, 1000);
	uk_buf_put(&in, uk_span("\xff\xd8\xff and then nothing of the kind", 33));
	refused(&in, UK_E_INPUT, "photo-unreadable");
}

static void
refuses_broken_ones(void **state)
{
	struct uk_buf in;

	(void)state;
	in = jpeg_of(640, 480);
	in.n /= 2;
	refused(&in, UK_E_INPUT, "photo-unreadable");
	in = png_of(640, 480, false);
	in.n /= 2;
	refused(&in, UK_E_INPUT, "photo-unreadable");
	in = png_of(640, 480, false);
	in.p[in.n / 2] ^= 0x55; /* the chunk's checksum no longer holds */
	refused(&in, UK_E_INPUT, "photo-unreadable");
}

static void
refuses_by_size(void **state)
{
	struct uk_buf in;

	(void)state;
	in = jpeg_of(399, 399);
	refused(&in, UK_E_INPUT, "photo-too-small");
	in = jpeg_of(640, 299);
	refused(&in, UK_E_INPUT, "photo-too-small");
	in = png_of(10, 10, false);
	refused(&in, UK_E_INPUT, "photo-too-small");
	in = jpeg_of(8000, 5100); /* 40.8 megapixels */
	refused(&in, UK_E_LIMIT, "photo-too-large");
	uk_buf_init(&in, PHOTO_BYTES_MAX + 1);
	(void)uk_buf_room(&in, PHOTO_BYTES_MAX + 1);
	uk_buf_add(&in, PHOTO_BYTES_MAX + 1);
	refused(&in, UK_E_LIMIT, "photo-too-large");
}

/* A small file that says it is enormous. */
static void
refuses_a_bomb(void **state)
{
	struct uk_buf in = png_of(640, 480, false);
	const uint8_t side[] = { 0, 0, 0x4e, 0x20 }; /* 20000 */
	uint32_t crc;

	(void)state;
	memcpy(in.p + 16, side, 4);
	memcpy(in.p + 20, side, 4);
	crc = (uint32_t)crc32(0, in.p + 12, 17);
	for (unsigned i = 0; i < 4; i++)
		in.p[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
	refused(&in, UK_E_LIMIT, "photo-too-large");
}

/* Whatever a byte is changed to, the answer is a photo or a refusal. */
static void
survives_damage(void **state)
{
	const struct uk_buf whole = jpeg_of(640, 480);
	unsigned seed = 7;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		struct photo_info info;
		struct uk_buf in;
		struct uk_buf jpeg;
		struct uk_err err;
		enum uk_rc rc;

		uk_buf_init(&in, whole.n);
		uk_buf_put(&in, uk_buf_span(&whole));
		for (unsigned k = 0; k < 3; k++)
			in.p[3 + (unsigned)rand_r(&seed) % (in.n - 3)] ^= (uint8_t)rand_r(&seed);
		rc = check(&in, &info, &jpeg, &err);
		assert_true(rc == UK_OK || rc == UK_E_INPUT || rc == UK_E_LIMIT);
		uk_buf_fini(&jpeg);
		uk_buf_fini(&in);
	}
	uk_buf_fini(&(struct uk_buf){ .p = whole.p, .cap = whole.cap });
}

static void
fails_without_its_program(void **state)
{
	const struct photo_config missing = { .program = "/nonexistent/ukey-photo" };
	struct uk_buf in = jpeg_of(640, 480);
	struct photo_info info;
	struct uk_buf jpeg;
	struct uk_err err = { 0 };

	(void)state;
	uk_buf_init(&jpeg, PHOTO_JPEG_MAX);
	assert_int_equal(
	    photo_check(&missing, uk_buf_span(&in), &info, &jpeg, &err), UK_E_UNAVAILABLE);
	uk_buf_fini(&in);
}

static void
ends_at_its_time(void **state)
{
	const struct photo_config hurried = { .program = UKEY_PHOTO, .timeout_ms = 1 };
	struct uk_buf in = jpeg_of(7000, 5700);
	struct photo_info info;
	struct uk_buf jpeg;
	struct uk_err err = { 0 };

	(void)state;
	uk_buf_init(&jpeg, PHOTO_JPEG_MAX);
	assert_int_equal(photo_check(&hurried, uk_buf_span(&in), &info, &jpeg, &err), UK_E_INPUT);
	assert_string_equal(uk_err_reason(&err), "photo-unreadable");
	uk_buf_fini(&in);
}

static int
escape(unsigned which)
{
	char number[8];
	int status = 0;
	pid_t pid;

	(void)snprintf(number, sizeof(number), "%u", which);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)execl(ESCAPE, ESCAPE, number, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
sandbox_holds(void **state)
{
	int status;

	(void)state;
	status = escape(ATTEMPTS); /* tries nothing */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		status = escape(i);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("attempt %u ended with %#x", i, (unsigned)status);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_jpeg_and_png),
		cmocka_unit_test(scales_down),
		cmocka_unit_test(turns_upright),
		cmocka_unit_test(exif_is_bounded),
		cmocka_unit_test(refuses_what_is_no_photo),
		cmocka_unit_test(refuses_broken_ones),
		cmocka_unit_test(refuses_by_size),
		cmocka_unit_test(refuses_a_bomb),
		cmocka_unit_test(survives_damage),
		cmocka_unit_test(fails_without_its_program),
		cmocka_unit_test(ends_at_its_time),
		cmocka_unit_test(sandbox_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
