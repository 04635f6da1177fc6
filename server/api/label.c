#include "api/label.h"

void
html_put(struct uk_buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		switch (*s) {
		case '&':
			uk_buf_put_str(out, "&amp;");
			break;
		case '<':
			uk_buf_put_str(out, "&lt;");
			break;
		case '>':
			uk_buf_put_str(out, "&gt;");
			break;
		case '"':
			uk_buf_put_str(out, "&quot;");
			break;
		case '\'':
			uk_buf_put_str(out, "&#39;");
			break;
		default:
			uk_buf_put_u8(out, (uint8_t)*s);
		}
	}
}

static void
row(struct uk_buf *out, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	uk_buf_printf(out, "<tr><th scope=\"row\">%s</th><td>", name);
	html_put(out, value);
	uk_buf_put_str(out, "</td></tr>\n");
}

void
label_put(struct uk_buf *out, const struct label *l)
{
	uk_buf_put_str(out, "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">"
			    "<title>");
	html_put(out, l->order);
	uk_buf_put_str(out, "</title></head><body>\n<h1>");
	html_put(out, l->order);
	uk_buf_put_str(out, "</h1>\n<table>\n");
	row(out, "收件人", l->recipient);
	row(out, "电话", l->phone);
	row(out, "地址", l->address);
	row(out, "邮编", l->postcode);
	row(out, "寄件人", l->sender);
	row(out, "证书Key", l->token);
	uk_buf_put_str(out, "</table>\n</body></html>\n");
}
