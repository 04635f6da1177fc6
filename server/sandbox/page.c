#include "sandbox/page.h"

#define HTML "text/html; charset=utf-8"

static const char style[] =
    "body{margin:0;background:#f4f6f9;color:#1f2733;font:16px/1.6 -apple-system,'Noto Sans CJK "
    "SC','PingFang SC','Microsoft YaHei',sans-serif}"
    "header{background:#fff;border-bottom:1px solid #e3e8ef;padding:14px 24px}"
    "header b{color:#1668dc;font-size:18px}header span{color:#6b7787;margin-left:12px}"
    "main{max-width:860px;margin:32px auto;padding:28px 32px;background:#fff;border-radius:8px;"
    "box-shadow:0 1px 4px rgba(20,40,80,.08)}"
    "h1{font-size:22px;margin:0 0 16px}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:10px 12px;border-bottom:1px solid #edf0f4;vertical-align:top}"
    "th{color:#6b7787;font-weight:500;white-space:nowrap}"
    ".amount{font-size:34px;color:#e8590c;font-weight:600}"
    "button{font:inherit;padding:10px 36px;border:0;border-radius:6px;background:#1668dc;"
    "color:#fff;cursor:pointer;margin-right:12px}button.plain{background:#eef1f5;color:#1f2733}"
    "button:focus,a:focus,input:focus{outline:3px solid #9cc3ff}"
    "input{font:inherit;padding:8px 10px;border:1px solid #c8d0da;border-radius:6px}"
    ".note{color:#6b7787;font-size:14px}code{background:#f0f3f7;padding:1px 5px;border-radius:4px}"
    "a{color:#1668dc}";

void
page_text(struct uk_buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		switch (*s) {
		case '&':
			uk_buf_put_str(b, "&amp;");
			break;
		case '<':
			uk_buf_put_str(b, "&lt;");
			break;
		case '>':
			uk_buf_put_str(b, "&gt;");
			break;
		case '"':
			uk_buf_put_str(b, "&quot;");
			break;
		case '\'':
			uk_buf_put_str(b, "&#39;");
			break;
		default:
			uk_buf_put_u8(b, (uint8_t)*s);
		}
	}
}

void
page_begin(struct uk_buf *b, const char *title, const char *lead)
{
	uk_buf_put_str(b,
	    "<!DOCTYPE html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><meta "
	    "name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
	page_text(b, title);
	uk_buf_put_str(b, "</title><style>");
	uk_buf_put_str(b, style);
	uk_buf_put_str(b, "</style></head><body><header><b>");
	page_text(b, lead);
	uk_buf_put_str(b, "</b><span>沙箱环境，不发生真实交易</span></header><main><h1>");
	page_text(b, title);
	uk_buf_put_str(b, "</h1>");
}

void
page_answer(struct http_request *rq, int status, struct uk_buf *b)
{
	uk_buf_put_str(b, "</main></body></html>");
	http_add_header(rq, "Cache-Control", "no-store");
	http_answer_bytes(rq, status, HTML, b);
}

void
page_say(struct http_request *rq, int status, const char *title, const char *code, const char *text)
{
	struct uk_buf b;

	uk_buf_init(&b, 32 * 1024);
	page_begin(&b, title, "支付收银台");
	uk_buf_put_str(&b, "<p data-testid=\"message\">");
	page_text(&b, text);
	uk_buf_put_str(&b, "</p><p class=\"note\">");
	page_text(&b, code);
	uk_buf_put_str(&b, "</p>");
	page_answer(rq, status, &b);
}

void
page_redirect(struct http_request *rq, const char *url)
{
	http_add_header(rq, "Location", url);
	http_answer_text(rq, 302, HTML, "");
}
