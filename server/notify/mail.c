#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "notify/mail.h"
#include "uk/b64.h"

#define MESSAGE_MAX 16384u
#define TEXT_MAX    4096u
#define DEADLINE_MS 20000
#define LINE_BYTES  57 /* 76 characters of base64 (RFC 2045 section 6.8) */
#define WORD_BYTES  42 /* an encoded word is at most 75 characters (RFC 2047 section 2) */

#define LEGAL "\n\n此邮件由系统发送，请勿回复。我们不会通过邮件索要证书密码或验证码。\n"

static const struct mail_template_row rows[] = {
	[MAIL_REPLACED] = { "replaced", { "order", "site" }, "补办订单${order}已审核通过",
	    "您好：\n\n您的补办订单${order}"
	    "已审核通过，原证书已注销，新的证书Key制作完成后将寄出。\n"
	    "查看进度：${site}" LEGAL },
	[MAIL_REJECTED] = { "rejected", { "order", "reason", "site" }, "订单${order}未通过审核",
	    "您好：\n\n您的订单${order}未通过审核，原因：${reason}。\n"
	    "请在订单查询中修改后重新提交，或申请退款：${site}" LEGAL },
	[MAIL_EXPIRING] = { "expiring", { "name", "day", "days", "site" },
	    "证书将在${days}天内到期",
	    "您好：\n\n${name}的数字证书将于${day}到期。请插入证书Key，在线办理证书更新：\n${"
	    "site}" LEGAL },
};
static_assert(sizeof(rows) / sizeof(rows[0]) == MAIL_TEMPLATE__MAX, "one row per template");

const struct mail_template_row *
mail_template_row(enum mail_template t)
{
	return (unsigned)t < MAIL_TEMPLATE__MAX ? &rows[t] : NULL;
}

bool
mail_address_ok(const char *s)
{
	const char *at = s != NULL ? strchr(s, '@') : NULL;

	if (at == NULL || at == s || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
	    strlen(s) > 254 || s[0] == '-')
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f ||
		    strchr("<>()[]\\,;:\"", *s) != NULL)
			return false;
	return true;
}

enum uk_rc
mail_check(const struct mail_setup *m, struct uk_err *err)
{
	if (!mail_address_ok(m->from))
		return uk_fail_field(err, "from", NULL);
	if (smtp_check(&m->smtp, err) != UK_OK)
		return uk_fail_field(err, "url", NULL);
	return UK_OK;
}

static const char *
value_of(const struct sms_pair *pairs, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(pairs[i].name) == len && memcmp(pairs[i].name, name, len) == 0)
			return pairs[i].value;
	return NULL;
}

/* Exactly the template's variables, and none that would begin a line of the header. */
static bool
pairs_ok(const struct mail_template_row *row, const struct sms_pair *pairs, size_t n)
{
	size_t vars = 0;

	for (; row->vars[vars] != NULL; vars++) {
		const char *v = value_of(pairs, n, row->vars[vars], strlen(row->vars[vars]));

		if (v == NULL || *v == '\0' || strpbrk(v, "\r\n") != NULL)
			return false;
	}
	return vars == n;
}

static void
render(const char *s, const struct sms_pair *pairs, size_t n, struct uk_buf *out)
{
	while (*s != '\0') {
		const char *end = strncmp(s, "${", 2) == 0 ? strchr(s, '}') : NULL;

		if (end == NULL) {
			uk_buf_put_u8(out, (uint8_t)*s++);
			continue;
		}
		uk_buf_put_str(out, value_of(pairs, n, s + 2, (size_t)(end - s - 2)));
		s = end + 1;
	}
}

/* How much of s, at most max bytes, ends between two characters. */
static size_t
whole_characters(struct uk_span s, size_t max)
{
	size_t n = s.n < max ? s.n : max;

	while (n > 0 && n < s.n && (s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* RFC 2047, several words where one is too long. */
static void
put_words(struct uk_buf *out, struct uk_span s)
{
	bool first = true;

	while (s.n > 0) {
		const size_t n = whole_characters(s, WORD_BYTES);

		uk_buf_put_str(out, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		uk_b64_put(out, uk_span(s.p, n));
		uk_buf_put_str(out, "?=");
		first = false;
		s = uk_span(s.p + n, s.n - n);
	}
}

static void
put_text(struct uk_buf *out, struct uk_span s)
{
	while (s.n > 0) {
		const size_t n = s.n < LINE_BYTES ? s.n : LINE_BYTES;

		uk_b64_put(out, uk_span(s.p, n));
		uk_buf_put_str(out, "\r\n");
		s = uk_span(s.p + n, s.n - n);
	}
}

static void
put_date(struct uk_buf *out, int64_t now)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	const time_t t = (time_t)now;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL)
		abort();
	uk_buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
	    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Text is UTF-8 in base64, so that no relay bends it. */
static void
put_message(struct uk_buf *out, const struct mail_setup *m, const char *to, const char *id,
    struct uk_span subject, struct uk_span text)
{
	uk_buf_put_str(out, "From: ");
	put_words(out, uk_span_str(m->name));
	uk_buf_printf(out, " <%s>\r\nTo: <%s>\r\nSubject: ", m->from, to);
	put_words(out, subject);
	uk_buf_put_str(out, "\r\n");
	put_date(out, uk_now(m->clock));
	uk_buf_printf(out, "Message-ID: <%s%s>\r\n", id, strchr(m->from, '@'));
	uk_buf_put_str(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
			    "Content-Type: text/plain; charset=UTF-8\r\n"
			    "Content-Transfer-Encoding: base64\r\n\r\n");
	put_text(out, text);
}

static bool
id_ok(const char *id)
{
	return *id != '\0' &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
		   strlen(id);
}

enum uk_rc
mail_compose(const struct mail_setup *m, const char *to, const char *id, enum mail_template t,
    const struct sms_pair *pairs, size_t n, struct uk_buf *out, struct uk_err *err)
{
	const struct mail_template_row *row = mail_template_row(t);
	struct uk_buf subject;
	struct uk_buf text;
	bool ok;

	if (!mail_address_ok(to))
		return uk_fail_field(err, "to", NULL);
	if (!id_ok(id))
		return uk_fail_field(err, "id", NULL);
	if (row == NULL || !pairs_ok(row, pairs, n))
		return uk_fail_field(err, "pairs", NULL);
	uk_buf_init(&subject, TEXT_MAX);
	uk_buf_init(&text, TEXT_MAX);
	render(row->subject, pairs, n, &subject);
	render(row->text, pairs, n, &text);
	put_message(out, m, to, id, uk_buf_span(&subject), uk_buf_span(&text));
	ok = !uk_buf_failed(&subject) && !uk_buf_failed(&text) && !uk_buf_failed(out);
	uk_buf_fini(&subject);
	uk_buf_fini(&text);
	return ok ? UK_OK : uk_fail(err, UK_E_LIMIT, NULL, "mail", 0);
}

enum uk_rc
mail_send(const struct mail_setup *m, const char *to, const char *id, enum mail_template t,
    const struct sms_pair *pairs, size_t n, struct sms_result *out, struct uk_err *err)
{
	struct uk_buf message;
	enum uk_rc rc;

	*out = (struct sms_result){ .outcome = SMS_SENT, .error = "" };
	uk_buf_init(&message, MESSAGE_MAX);
	if ((rc = mail_compose(m, to, id, t, pairs, n, &message, err)) == UK_OK) {
		rc = smtp_send(&m->smtp, m->from, to, uk_buf_span(&message),
		    m->deadline_ms != 0 ? m->deadline_ms : DEADLINE_MS, &out->err);
		if (rc == UK_E_DENIED) {
			out->outcome = SMS_REFUSED;
			out->error = "refused";
		} else if (rc != UK_OK) {
			out->outcome = SMS_RETRY;
			out->error = rc == UK_E_TIMEOUT ? "no-answer" : "unavailable";
		}
		rc = UK_OK;
	}
	uk_buf_fini(&message);
	return rc;
}
