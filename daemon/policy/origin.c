#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/origin.h"

#define HTTPS_PORT 443
#define HTTP_PORT  80

/* A browser leaves the scheme's own port out: with it, the same site would have two names. */
static bool
port_valid(const char *s, long omitted)
{
	const size_t n = strspn(s, "0123456789");
	long port;

	if (n < 1 || n > 5 || s[n] != '\0' || s[0] == '0')
		return false;
	port = strtol(s, NULL, 10);
	return port <= 65535 && port != omitted;
}

/* What follows the host: nothing, or a port. */
static bool
rest_valid(const char *s, long omitted)
{
	return *s == '\0' || (*s == ':' && port_valid(s + 1, omitted));
}

static bool
ipv6_valid(const char *s, size_t n)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a;

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	return inet_pton(AF_INET6, text, &a) == 1;
}

/* No empty label: a name with a dot at its end is the same host under another name, past a block.
 */
static bool
name_valid(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == '.' && (i == 0 || i + 1 == n || s[i + 1] == '.'))
			return false;
	return n >= 1 && s[0] != '-';
}

static bool
host_valid(const char *s)
{
	size_t n;

	if (*s == '[') {
		n = strspn(s + 1, "0123456789abcdef:.");
		return s[n + 1] == ']' && ipv6_valid(s + 1, n) && rest_valid(s + n + 2, HTTPS_PORT);
	}
	n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
	return name_valid(s, n) && rest_valid(s + n, HTTPS_PORT);
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
		return rest_valid(rest, HTTP_PORT);
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
