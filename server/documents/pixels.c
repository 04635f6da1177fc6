#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "documents/pixels.h"

#define CHANNELS 3

void
pixels_init(struct pixels *p, uint32_t width, uint32_t height)
{
	p->width = width;
	p->height = height;
	p->rgb = malloc((size_t)width * height * CHANNELS);
	if (p->rgb == NULL)
		abort();
}

void
pixels_fini(struct pixels *p)
{
	free(p->rgb);
	*p = (struct pixels){ 0 };
}

void
pixels_fit(uint32_t width, uint32_t height, uint32_t side, uint32_t *w, uint32_t *h)
{
	const uint64_t longer = width > height ? width : height;

	*w = width;
	*h = height;
	if (longer <= side)
		return;
	*w = (uint32_t)((uint64_t)width * side / longer);
	*h = (uint32_t)((uint64_t)height * side / longer);
	*w += *w == 0;
	*h += *h == 0;
}

/* The sources of one output position along one axis. */
struct cover {
	uint32_t first;
	uint32_t last; /* inclusive */
	float first_weight;
	float last_weight;
};

static struct cover
cover(uint32_t at, uint32_t from, uint32_t to)
{
	const double scale = (double)from / (double)to;
	const double begin = at * scale;
	const double end = (at + 1) * scale;
	struct cover c = { .first = (uint32_t)begin };

	c.last = (uint32_t)end;
	c.last_weight = (float)(end - c.last);
	if (c.last >= from) {
		c.last = from - 1;
		c.last_weight = 1;
	}
	c.first_weight = (float)(c.first + 1 - begin);
	return c;
}

static float
weight(const struct cover *c, uint32_t i)
{
	if (i == c->first)
		return c->first_weight;
	return i == c->last ? c->last_weight : 1;
}

static void
add_row(const uint8_t *row, const struct cover *columns, uint32_t w, float wy, float *sums)
{
	for (uint32_t x = 0; x < w; x++) {
		const struct cover *c = &columns[x];
		float *sum = sums + (size_t)x * CHANNELS;

		for (uint32_t i = c->first; i <= c->last; i++) {
			const uint8_t *src = row + (size_t)i * CHANNELS;
			const float k = wy * weight(c, i);

			sum[0] += k * src[0];
			sum[1] += k * src[1];
			sum[2] += k * src[2];
		}
	}
}

static void
put_row(const float *sums, uint32_t w, float area, uint8_t *row)
{
	for (size_t i = 0; i < (size_t)w * CHANNELS; i++) {
		const float v = sums[i] / area + 0.5f;

		row[i] = v >= 255.0f ? 255 : (uint8_t)v;
	}
}

void
pixels_shrink(struct pixels *p, uint32_t w, uint32_t h)
{
	const float area = (float)((double)p->width / (double)w * ((double)p->height / (double)h));
	struct cover *columns;
	struct pixels out;
	float *sums;

	if (w >= p->width && h >= p->height)
		return;
	pixels_init(&out, w, h);
	columns = calloc(w, sizeof(*columns));
	sums = calloc((size_t)w * CHANNELS, sizeof(*sums));
	if (columns == NULL || sums == NULL)
		abort();
	for (uint32_t x = 0; x < w; x++)
		columns[x] = cover(x, p->width, w);
	for (uint32_t y = 0; y < h; y++) {
		const struct cover rows = cover(y, p->height, h);

		memset(sums, 0, (size_t)w * CHANNELS * sizeof(*sums));
		for (uint32_t i = rows.first; i <= rows.last; i++)
			add_row(p->rgb + (size_t)i * p->width * CHANNELS, columns, w,
			    weight(&rows, i), sums);
		put_row(sums, w, area, out.rgb + (size_t)y * w * CHANNELS);
	}
	free(sums);
	free(columns);
	pixels_fini(p);
	*p = out;
}

/* How an orientation shows the stored picture (Exif 2.32, table 6). */
struct turn {
	bool swap; /* rows become columns */
	bool flip_x;
	bool flip_y;
};

static const struct turn turns[] = {
	[2] = { false, true, false },
	[3] = { false, true, true },
	[4] = { false, false, true },
	[5] = { true, false, false },
	[6] = { true, false, true },
	[7] = { true, true, true },
	[8] = { true, true, false },
};

void
pixels_orient(struct pixels *p, unsigned orientation)
{
	struct pixels out;
	struct turn t;

	if (orientation < 2 || orientation > 8)
		return;
	t = turns[orientation];
	pixels_init(&out, t.swap ? p->height : p->width, t.swap ? p->width : p->height);
	for (uint32_t y = 0; y < out.height; y++) {
		for (uint32_t x = 0; x < out.width; x++) {
			uint32_t sx = t.swap ? y : x;
			uint32_t sy = t.swap ? x : y;

			if (t.flip_x)
				sx = p->width - 1 - sx;
			if (t.flip_y)
				sy = p->height - 1 - sy;
			memcpy(out.rgb + ((size_t)y * out.width + x) * CHANNELS,
			    p->rgb + ((size_t)sy * p->width + sx) * CHANNELS, CHANNELS);
		}
	}
	pixels_fini(p);
	*p = out;
}
