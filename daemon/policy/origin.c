#include <stddef.h>
#include <string.h>

#include "policy/origin.h"

static bool
port_valid(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n >= 1 && n <= 5 && s[n] == '\0' && s[0] != '0';
}

/* What follows the host: nothing, or a port. */
static bool
rest_valid(const char *s)
{
	return *s == '\0' || (*s == ':' && port_valid(s + 1));
}

static bool
host_valid(const char *s)
{
	size_t n;

	if (*s == '[') {
		n = strspn(s + 1, "0123456789abcdef:.");
		return n >= 2 && s[n + 1] == ']' && rest_valid(s + n + 2);
	}
	n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
	return n >= 1 && s[0] != '.' && s[0] != '-' && rest_valid(s + n);
}

static const char *
after(const char *s, const char *prefix)
{
	const size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool
origin_valid(const char *s, bool development)
{
	const char *rest;

	if (s == NULL || strlen(s) > ORIGIN_MAX)
		return false;
	if ((rest = after(s, "https://")) != NULL)
		return host_valid(rest);
	if (!development)
		return false;
	if ((rest = after(s, "http://localhost")) != NULL ||
	    (rest = after(s, "http://127.0.0.1")) != NULL)
		return rest_valid(rest);
	return false;
}

bool
origin_of_extension(const char *s, const char *id)
{
	const char *rest;

	if (s == NULL || id == NULL)
		return false;
	if ((rest = after(s, "chrome-extension://")) != NULL)
		return strcmp(rest, id) == 0;
	rest = after(s, "moz-extension://");
	return rest != NULL && strlen(rest) == 36 && strspn(rest, "0123456789abcdef-") == 36;
}
