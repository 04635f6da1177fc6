#include <string.h>

#include "documents/exif.h"

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT      3
#define ENTRY_BYTES     12
#define ENTRIES_MAX     512

/* The TIFF structure inside the Exif segment (Exif 2.32 section 4.5.2). */
struct tiff {
	struct uk_span s;
	bool little;
};

/* 0 beyond the end: no tag, no offset and no count that matters is 0. */
static uint32_t
get(const struct tiff *t, size_t at, unsigned bytes)
{
	uint32_t v = 0;

	if (at > t->s.n || t->s.n - at < bytes)
		return 0;
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | t->s.p[at + (t->little ? bytes - 1 - i : i)];
	return v;
}

static unsigned
tiff_orientation(struct uk_span s)
{
	struct tiff t = { .s = s };
	uint32_t ifd;
	uint32_t n;

	if (s.n < 8)
		return 1;
	t.little = s.p[0] == 'I';
	if (memcmp(s.p, t.little ? "II*\0" : "MM\0*", 4) != 0)
		return 1;
	ifd = get(&t, 4, 4);
	n = get(&t, ifd, 2);
	for (uint32_t i = 0; i < n && i < ENTRIES_MAX; i++) {
		const size_t at = (size_t)ifd + 2 + (size_t)i * ENTRY_BYTES;

		if (get(&t, at, 2) == TAG_ORIENTATION && get(&t, at + 2, 2) == TYPE_SHORT) {
			const uint32_t v = get(&t, at + 8, 2);

			return v >= 1 && v <= 8 ? (unsigned)v : 1;
		}
	}
	return 1;
}

unsigned
exif_orientation(struct uk_span jpeg)
{
	static const uint8_t exif[] = { 'E', 'x', 'i', 'f', 0, 0 };
	size_t at = 2; /* behind SOI */

	while (at < jpeg.n && jpeg.n - at >= 4 && jpeg.p[at] == 0xff) {
		const uint8_t marker = jpeg.p[at + 1];
		const size_t n = (size_t)jpeg.p[at + 2] << 8 | jpeg.p[at + 3];

		if (marker == 0xda || n < 2 || n > jpeg.n - at - 2) /* SOS: pixels from here */
			return 1;
		if (marker == 0xe1 && n >= 2 + sizeof(exif) &&
		    memcmp(jpeg.p + at + 4, exif, sizeof(exif)) == 0)
			return tiff_orientation(
			    uk_span(jpeg.p + at + 4 + sizeof(exif), n - 2 - sizeof(exif)));
		at += 2 + n;
	}
	return 1;
}
