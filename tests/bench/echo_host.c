/*
 * A native messaging host that answers each request itself, at once, as agent.hello is answered:
 * what is left of a round trip when there is no ukeyd.  `extension` has a browser start it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME_MAX 1024
#define ANSWER                                                                                     \
	"{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"name\":\"ukeyd\",\"version\":\"0.1.0\","     \
	"\"protocol\":1,\"features\":[\"cms\",\"data\",\"batch\",\"login\",\"request\"],\"site\":" \
	"{\"origin\":\"http://localhost\",\"allowed\":false}}}"

static int
get(void *p, size_t n)
{
	uint8_t *to = p;

	while (n > 0) {
		const ssize_t r = read(STDIN_FILENO, to, n);

		if (r <= 0)
			return 0;
		to += r;
		n -= (size_t)r;
	}
	return 1;
}

/* The id as it stands in the text: a number, or a string with its quotes. */
static int
id_of(const char *text, char *out, size_t size)
{
	const char *id = strstr(text, "\"id\":");
	size_t n;

	if (id == NULL)
		return 0;
	id += strlen("\"id\":");
	n = strcspn(id, ",}");
	if (n >= size)
		return 0;
	memcpy(out, id, n);
	out[n] = '\0';
	return 1;
}

int
main(void)
{
	char text[FRAME_MAX + 1], id[64], answer[FRAME_MAX];
	uint32_t n;

	while (get(&n, sizeof(n)) && n <= FRAME_MAX && get(text, n)) {
		text[n] = '\0';
		/* agent.origin has none and is not answered */
		if (!id_of(text, id, sizeof(id)))
			continue;
		n = (uint32_t)snprintf(answer + sizeof(n), sizeof(answer) - sizeof(n), ANSWER, id);
		memcpy(answer, &n, sizeof(n));
		if (write(STDOUT_FILENO, answer, n + sizeof(n)) != (ssize_t)(n + sizeof(n)))
			return 1;
	}
	return 0;
}
