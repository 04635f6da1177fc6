#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/assuan.h"
#include "policy/text.h"

#define GPG_CODE 0xffff

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c != '\0' ? strchr(digits, c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

static size_t
unescape(char *s)
{
	size_t n = 0;

	for (size_t i = 0; s[i] != '\0'; i++) {
		int hi, lo;

		if (s[i] == '%' && (hi = hex_digit(s[i + 1])) >= 0 &&
		    (lo = hex_digit(s[i + 2])) >= 0) {
			s[n++] = (char)(hi * 16 + lo);
			i += 2;
		} else {
			s[n++] = s[i];
		}
	}
	return n;
}

/* What follows the word, or NULL where the line does not begin with it. */
static char *
after(char *line, const char *word)
{
	const size_t n = strlen(word);

	if (strncmp(line, word, n) != 0 || (line[n] != '\0' && line[n] != ' '))
		return NULL;
	return line + n + (line[n] == ' ');
}

struct assuan_line
assuan_read(char *line)
{
	char *rest;

	if ((rest = after(line, "D")) != NULL)
		return (
		    struct assuan_line){ .kind = ASSUAN_DATA, .data = rest, .n = unescape(rest) };
	if (after(line, "OK") != NULL)
		return (struct assuan_line){ .kind = ASSUAN_OK };
	if (after(line, "INQUIRE") != NULL)
		return (struct assuan_line){ .kind = ASSUAN_INQUIRE };
	if ((rest = after(line, "ERR")) != NULL)
		return (struct assuan_line){ .kind = ASSUAN_ERR,
			.code = strtol(rest, NULL, 10) & GPG_CODE };
	return (struct assuan_line){ .kind = ASSUAN_OTHER };
}

static bool
special(char c)
{
	return c == '%' || c == '\r' || c == '\n';
}

void
assuan_escape(struct uk_buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (special(*s))
			uk_buf_printf(out, "%%%02X", (unsigned char)*s);
		else
			uk_buf_put_u8(out, (uint8_t)*s);
	}
}

size_t
assuan_fit(const char *s, size_t max)
{
	size_t n = 0, used = 0;

	for (; s[n] != '\0'; n++) {
		used += special(s[n]) ? 3 : 1;
		if (used > max)
			break;
	}
	return text_fit(s, n);
}
