#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show.h"
#include "uk/clock.h"

static const char *
str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* A token's or a certificate's words may hold what a terminal obeys: C0, DEL, and C1, which are
 * U+0080 to U+009F. */
static void
put(const char *s)
{
	for (; *s != '\0'; s++) {
		const bool c1 =
		    (uint8_t)s[0] == 0xc2 && (uint8_t)s[1] >= 0x80 && (uint8_t)s[1] < 0xa0;

		(void)putchar(c1 || (uint8_t)*s < ' ' || *s == 0x7f ? '?' : *s);
		s += c1;
	}
}

static void
field(const char *name, const char *value)
{
	(void)printf("  %-12s ", name);
	put(value);
	(void)putchar('\n');
}

static void
time_field(const char *name, const json_t *o, const char *key)
{
	char when[UK_TIME_LEN];

	uk_time_beijing(json_integer_value(json_object_get(o, key)), when);
	field(name, when);
}

void
show_json(const json_t *result)
{
	char *s = json_dumps(result, JSON_INDENT(2) | JSON_SORT_KEYS);

	(void)printf("%s\n", s != NULL ? s : "{}");
	free(s);
}

void
show_tokens(const json_t *result)
{
	const json_t *list = json_object_get(result, "tokens");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *t = json_array_get(list, i);
		const json_t *tries = json_object_get(t, "triesLeft");

		put(str(t, "id"));
		(void)putchar('\n');
		field("label", str(t, "label"));
		field("serial", str(t, "serial"));
		field("model", str(t, "model"));
		field("state", str(t, "state"));
		field("logged in", json_is_true(json_object_get(t, "loggedIn")) ? "yes" : "no");
		if (tries != NULL)
			(void)printf("  %-12s %" PRId64 "\n", "tries left",
			    (int64_t)json_integer_value(tries));
		else if (json_is_true(json_object_get(t, "triesLow")))
			field("tries left", "few");
		if (json_is_true(json_object_get(t, "pinInitial")))
			field("PIN", "the first one, to be changed");
	}
}

void
show_certificates(const json_t *result)
{
	const json_t *list = json_object_get(result, "certificates");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);

		put(str(c, "id"));
		(void)putchar('\n');
		field("subject", str(c, "subject"));
		field("issuer", str(c, "issuer"));
		field("serial", str(c, "serial"));
		time_field("from", c, "notBefore");
		time_field("until", c, "notAfter");
		field("algorithm", str(c, "algorithm"));
		field("token", str(c, "token"));
		field("key", json_is_true(json_object_get(c, "hasKey")) ? "yes" : "no");
	}
}

void
show_sites(const json_t *result)
{
	const json_t *list = json_object_get(result, "sites");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);

		put(str(s, "origin"));
		(void)putchar('\n');
		time_field("until", s, "expires");
		(void)printf("  %-12s %zu\n", "certificates",
		    json_array_size(json_object_get(s, "certificates")));
	}
}

struct why {
	const char *reason;
	const char *says;
};

static const struct why whys[] = {
	{ "module-unloadable", "can't be loaded: is it installed, and for this machine?" },
	{ "module-incomplete", "lacks functions of GM/T 0016 that nothing can be done without" },
	{ "module-abi-64bit", "was built with 64-bit ULONG, and can't be driven; ask its maker" },
	{ "module-starting", "has not answered yet" },
	{ "module-timeout", "did not answer in time, and was started anew" },
	{ "module-failed", "crashed, and was started anew" },
	{ "module-signature-wrong", "made a signature that does not hold; it was not handed out" },
};

static const char *
says(const char *reason)
{
	for (size_t i = 0; i < sizeof(whys) / sizeof(whys[0]); i++)
		if (strcmp(whys[i].reason, reason) == 0)
			return whys[i].says;
	return reason;
}

static void
show_modules(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *m = json_array_get(list, i);

		(void)printf("%-4s ", json_is_true(json_object_get(m, "ok")) ? "ok" : "NO");
		put(str(m, "name"));
		if (str(m, "reason")[0] != '\0') {
			(void)printf(": ");
			put(says(str(m, "reason")));
		}
		(void)putchar('\n');
	}
}

void
show_checks(const json_t *result)
{
	const json_t *list = json_object_get(result, "checks");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);

		(void)printf("%-4s ", json_is_true(json_object_get(c, "ok")) ? "ok" : "NO");
		put(str(c, "code"));
		(void)putchar('\n');
	}
	show_modules(json_object_get(result, "modules"));
}

static void
line(const char *s)
{
	put(s);
	(void)putchar('\n');
}

void
show_key(const json_t *result)
{
	line(str(result, "key"));
}

void
show_token(const json_t *result)
{
	line(str(result, "token"));
}

void
show_certificate(const json_t *result)
{
	line(str(result, "certificate"));
}

void
show_done(const json_t *result)
{
	(void)result;
}
