#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/pages.h"
#include "net/form.h"
#include "uk/b64.h"

#define DEPTH_MAX 8
#define PATH_MAX_ 512

struct file {
	char *path; /* "/assets/index-4f2a.js" */
	struct uk_buf body;
	struct http_page page;
};

struct http_pages {
	struct file *v;
	size_t n;
	size_t bytes;
};

static const struct {
	const char *suffix;
	const char *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".jpg", "image/jpeg" },
	{ ".webp", "image/webp" },
	{ ".ico", "image/x-icon" },
	{ ".woff2", "font/woff2" },
	{ ".woff", "font/woff" },
	{ ".ttf", "font/ttf" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".pdf", "application/pdf" },
	{ ".xpi", "application/x-xpinstall" },
	{ ".wasm", "application/wasm" },
};

static bool
ends_with(const char *s, const char *suffix)
{
	const size_t n = strlen(s);
	const size_t m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

static const char *
type_of(const char *path)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (ends_with(path, types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}

static void
set_etag(struct file *f)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	struct uk_buf b;

	if (EVP_Digest(f->body.p, f->body.n, hash, NULL, EVP_sha256(), NULL) != 1)
		abort();
	uk_buf_init(&b, HTTP_PAGES_ETAG_LEN - 1);
	uk_buf_put_u8(&b, '"');
	uk_hex_put(&b, uk_span(hash, 16));
	uk_buf_put_u8(&b, '"');
	memcpy(f->page.etag, uk_buf_str(&b), b.n + 1);
	uk_buf_fini(&b);
}

static enum uk_rc
read_all(int fd, size_t size, struct uk_buf *out)
{
	uint8_t *room;
	ssize_t r;

	uk_buf_init(out, size);
	while (out->n < size) {
		if ((room = uk_buf_room(out, size - out->n)) == NULL)
			return UK_E_LIMIT;
		if ((r = read(fd, room, size - out->n)) <= 0)
			return UK_E_INTERNAL;
		uk_buf_add(out, (size_t)r);
	}
	return UK_OK;
}

static enum uk_rc
add_file(struct http_pages *p, int fd, const char *path, const struct stat *st)
{
	struct file *f;
	enum uk_rc rc;

	if (p->n == HTTP_PAGES_FILES_MAX || (uint64_t)st->st_size > HTTP_PAGES_BYTES_MAX - p->bytes)
		return UK_E_LIMIT;
	f = &p->v[p->n++];
	f->path = uk_xstrdup(path);
	if ((rc = read_all(fd, (size_t)st->st_size, &f->body)) != UK_OK)
		return rc;
	p->bytes += f->body.n;
	f->page.body = uk_buf_span(&f->body);
	f->page.type = type_of(path);
	/* The build puts a hash of the content into these files' names. */
	f->page.cache =
	    strncmp(path, "/assets/", 8) == 0 ? "public, max-age=31536000, immutable" : "no-cache";
	set_etag(f);
	return UK_OK;
}

static enum uk_rc add_folder(struct http_pages *p, int fd, const char *prefix, unsigned depth);

/* Regular files and folders; links and hidden ones are not pages. */
static enum uk_rc
add_entry(struct http_pages *p, int dir, const char *prefix, const char *name, unsigned depth)
{
	char path[PATH_MAX_];
	struct stat st;
	enum uk_rc rc = UK_OK;
	int fd;

	if (name[0] == '.')
		return UK_OK;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", prefix, name) >= sizeof(path))
		return UK_E_LIMIT;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? UK_OK : UK_E_INTERNAL;
	if (fstat(fd, &st) != 0)
		rc = UK_E_INTERNAL;
	else if (S_ISREG(st.st_mode))
		rc = add_file(p, fd, path, &st);
	else if (S_ISDIR(st.st_mode))
		return add_folder(p, fd, path, depth + 1); /* closes fd */
	(void)close(fd);
	return rc;
}

static enum uk_rc
add_folder(struct http_pages *p, int fd, const char *prefix, unsigned depth)
{
	DIR *d = depth <= DEPTH_MAX ? fdopendir(fd) : NULL;
	const struct dirent *e;
	enum uk_rc rc = UK_OK;

	if (d == NULL) {
		(void)close(fd);
		return depth <= DEPTH_MAX ? UK_E_INTERNAL : UK_E_LIMIT;
	}
	while (rc == UK_OK && (e = readdir(d)) != NULL)
		rc = add_entry(p, dirfd(d), prefix, e->d_name, depth);
	(void)closedir(d);
	return rc;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static struct file *
find(const struct http_pages *p, const char *path)
{
	const struct file key = { .path = (char *)(uintptr_t)path };

	return bsearch(&key, p->v, p->n, sizeof(*p->v), by_path);
}

static void
link_gzip(struct http_pages *p)
{
	char path[PATH_MAX_ + 4];
	const struct file *gz;

	for (size_t i = 0; i < p->n; i++) {
		(void)snprintf(path, sizeof(path), "%s.gz", p->v[i].path);
		if ((gz = find(p, path)) != NULL)
			p->v[i].page.gzip = gz->page.body;
	}
}

enum uk_rc
http_pages_open(const char *folder, struct http_pages **out, struct uk_err *err)
{
	const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct http_pages *p;
	enum uk_rc rc;

	if (fd < 0)
		return uk_fail(err, UK_E_NOT_FOUND, "no-pages", "pages-open", errno);
	p = uk_xalloc(sizeof(*p));
	p->v = uk_xalloc(HTTP_PAGES_FILES_MAX * sizeof(*p->v));
	if ((rc = add_folder(p, fd, "", 0)) != UK_OK) {
		http_pages_free(&p);
		return uk_fail(err, rc, "pages-unreadable", "pages-read", errno);
	}
	qsort(p->v, p->n, sizeof(*p->v), by_path);
	link_gzip(p);
	*out = p;
	return UK_OK;
}

void
http_pages_free(struct http_pages **pp)
{
	struct http_pages *p = *pp;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].path);
		uk_buf_fini(&p->v[i].body);
	}
	free(p->v);
	free(p);
	*pp = NULL;
}

/* The index.html of the folder at `path`, or of the nearest one above. */
static const struct file *
nearest_index(const struct http_pages *p, char *path, size_t size)
{
	const struct file *f = NULL;
	char *slash;

	while (f == NULL && (slash = strrchr(path, '/')) != NULL) {
		const size_t at = (size_t)(slash - path);

		if ((size_t)snprintf(slash, size - at, "/index.html") < size - at)
			f = find(p, path);
		*slash = '\0';
	}
	return f;
}

const struct http_page *
http_pages_find(const struct http_pages *p, const char *path)
{
	char plain[PATH_MAX_ + sizeof("/index.html")];
	const struct file *f = NULL;
	struct uk_buf b;

	uk_buf_init(&b, PATH_MAX_ - 1);
	if (net_url_get(&b, uk_span_str(path)) == UK_OK && b.n > 0 && b.p[0] == '/') {
		memcpy(plain, uk_buf_str(&b), b.n + 1);
		f = find(p, plain);
		if (f == NULL && strchr(strrchr(plain, '/'), '.') == NULL) {
			/* "/staff" is its folder's page as "/staff/" is */
			if (plain[b.n - 1] != '/')
				memcpy(plain + b.n, "/", 2);
			f = nearest_index(p, plain, sizeof(plain));
		}
	}
	uk_buf_fini(&b);
	return f != NULL ? &f->page : NULL;
}
