#include "protocol/call.h"
#include "protocol/newpin.h"

#define DESCRIPTION_LEN 2048
#define ASKS            5 /* pairs of windows for one new PIN */

#define LEN_MIN 6
#define LEN_MAX 32
#define LEN_TYP 16 /* the most, of a token that does not say */

struct pin_limits
pin_limits(int token_min, int token_max)
{
	struct pin_limits l = { .min = LEN_MIN, .max = LEN_TYP };

	if (token_max > 0)
		l.max = token_max < LEN_MAX ? token_max : LEN_MAX;
	if (token_min > l.max)
		l.max = token_min;
	if (token_min > l.min)
		l.min = token_min;
	if (l.min > l.max)
		l.min = l.max;
	return l;
}

/* The same step from each to the next: 111111, 123456, fedcba. */
static bool
is_run(struct uk_span s)
{
	const int step = s.n > 1 ? s.p[1] - s.p[0] : 0;

	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] - s.p[i - 1] != step)
			return false;
	return step >= -1 && step <= 1;
}

/* 121212, 123123. */
static bool
is_repeated(struct uk_span s)
{
	for (size_t period = 1; period <= s.n / 2; period++) {
		size_t i = period;

		while (i < s.n && s.p[i] == s.p[i - period])
			i++;
		if (i == s.n)
			return true;
	}
	return false;
}

const char *
pin_unfit(struct uk_span pin, const struct pin_limits *l)
{
	if (pin.n < (size_t)l->min)
		return "太短。";
	if (pin.n > (size_t)l->max)
		return "太长。";
	for (size_t i = 0; i < pin.n; i++)
		if (pin.p[i] < 0x21 || pin.p[i] > 0x7e)
			return "只能用数字、字母和符号。";
	if (is_run(pin) || is_repeated(pin))
		return "太简单：不能是连续或重复的数字、字母。";
	return NULL;
}

static struct pin_limits
limits(const struct call *c)
{
	return pin_limits(c->object.pin_min, c->object.pin_max);
}

static void
ask(struct call *c, bool again, call_asked_fn *done)
{
	const struct pin_limits l = limits(c);
	struct uk_buf text;

	uk_buf_init(&text, DESCRIPTION_LEN);
	call_describe(c, &text);
	if (c->new_pin.note != NULL)
		uk_buf_printf(&text, "\n%s", c->new_pin.note);
	if (again)
		uk_buf_put_str(&text, "\n\n请再输入一次新密码。");
	else
		uk_buf_printf(&text,
		    "\n\n%s请设置新的证书密码：%d至%d位，可用数字、字母和符号，"
		    "不能是连续（如123456）或重复（如121212）的。",
		    c->object.pin_initial ? "首次使用须修改初始密码。" : "", l.min, l.max);
	call_ask(c,
	    &(struct prompt_text){ .kind = PROMPT_PIN,
		.text = uk_buf_str(&text),
		.error = again ? NULL : c->new_pin.error,
		.label = again ? "再输一次：" : "新密码：" },
	    done);
	uk_buf_fini(&text);
}

static void
finish(struct call *c, const struct uk_err *err)
{
	uk_secret_free(&c->new_pin.pin);
	c->new_pin.chosen(c, err);
}

static void
repeated(struct call *c, const struct uk_err *err, struct uk_secret **pin)
{
	if (err != NULL) {
		finish(c, err);
		return;
	}
	if (uk_secret_eq(c->new_pin.pin, *pin))
		c->new_pin.chosen(c, NULL);
	else
		new_pin_ask(c, "两次输入的密码不一样。", c->new_pin.chosen);
}

static void
typed(struct call *c, const struct uk_err *err, struct uk_secret **pin)
{
	const struct pin_limits l = limits(c);
	const char *wrong;

	if (err != NULL) {
		finish(c, err);
		return;
	}
	wrong = pin_unfit(uk_secret_lend(*pin), &l);
	if (wrong == NULL && c->pin.pin != NULL && uk_secret_eq(c->pin.pin, *pin))
		wrong = "新密码不能和原密码相同。";
	if (wrong != NULL) {
		new_pin_ask(c, wrong, c->new_pin.chosen);
		return;
	}
	c->new_pin.pin = *pin;
	*pin = NULL;
	ask(c, true, repeated);
}

void
new_pin_ask(struct call *c, const char *error, call_chosen_fn *chosen)
{
	static const struct uk_err enough = { .rc = UK_E_CANCELLED, .reason = "new-pin-unfit" };

	uk_secret_free(&c->new_pin.pin);
	c->new_pin.error = error;
	c->new_pin.chosen = chosen;
	if (c->new_pin.asked++ == ASKS)
		chosen(c, &enough);
	else
		ask(c, false, typed);
}
