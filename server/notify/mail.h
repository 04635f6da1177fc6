/*
 * E-mail to applicants.  Never free text: a template and pairs for its variables, as with text
 * messages; nothing secret goes by mail.
 */
#ifndef NOTIFY_MAIL_H
#define NOTIFY_MAIL_H

#include "net/smtp.h"
#include "notify/notify.h"

enum mail_template {
	MAIL_REPLACED, /* order, site: a replacement is approved */
	MAIL_REJECTED, /* order, reason, site */
	MAIL_EXPIRING, /* name, day, days, site */
	MAIL_TEMPLATE__MAX
};

#define MAIL_VARS_MAX 4

struct mail_template_row {
	const char *name;
	const char *vars[MAIL_VARS_MAX + 1];
	const char *subject; /* ${name} is a variable, here and in the text */
	const char *text;
};

const struct mail_template_row *mail_template_row(enum mail_template t);

/* All strings are lent for as long as it is used. */
struct mail_setup {
	struct smtp_setup smtp;
	const char *from; /* address */
	const char *name; /* the CA's, in front of the address; UTF-8 */
	const struct uk_clock *clock;
	int64_t deadline_ms; /* per message; 0: 20000 */
};

/* An address that can be written to: one @, no blanks, quotes or controls, at most 254 bytes. */
bool mail_address_ok(const char *s);

/* UK_E_INPUT with err->field "url" or "from". */
UK_CHECK enum uk_rc mail_check(const struct mail_setup *m, struct uk_err *err);

/*
 * The message in RFC 5322: headers, and the text in base64.  `id` makes the Message-ID, so that a
 * message sent twice by a repeated job is one to the reader.  UK_E_INPUT: `to`, or pairs that are
 * not the template's.
 */
UK_CHECK enum uk_rc mail_compose(const struct mail_setup *m, const char *to, const char *id,
    enum mail_template t, const struct sms_pair *pairs, size_t n, struct uk_buf *out,
    struct uk_err *err);

/* UK_OK: *out says what became of it, as with a text message. */
UK_CHECK enum uk_rc mail_send(const struct mail_setup *m, const char *to, const char *id,
    enum mail_template t, const struct sms_pair *pairs, size_t n, struct sms_result *out,
    struct uk_err *err);

#endif
