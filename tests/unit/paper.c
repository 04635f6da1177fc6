/* PDF papers, read back with poppler's tools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "documents/paper.h"

#define TOLD_MAX 65536u

static struct paper *
application(void)
{
	struct paper *p =
	    paper_new("证书申请表", "订单号 UK261122ABCDEFGH", "某某数字证书认证中心", 1795000000);

	paper_heading(p, "申请信息");
	paper_row(p, "单位名称", "北京示例科技有限公司");
	paper_row(p, "经办人", "<b>王小明</b> & 李四");
	paper_code(p, "照片摘要",
	    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
	paper_text(p, "申请人声明：以上信息真实、准确，并已阅读和同意相关协议。");
	return p;
}

/* The paper's PDF in a file; the caller unlinks it. */
static void
write_pdf(struct paper *p, char path[32])
{
	struct uk_buf pdf;
	struct uk_err err = { 0 };
	FILE *f;
	int fd;

	uk_buf_init(&pdf, PAPER_MAX);
	assert_int_equal(paper_write(p, &pdf, &err), UK_OK);
	(void)strcpy(path, "/tmp/ukey-paper-XXXXXX");
	assert_true((fd = mkstemp(path)) >= 0);
	assert_non_null(f = fdopen(fd, "w"));
	assert_int_equal(fwrite(pdf.p, 1, pdf.n, f), pdf.n);
	assert_int_equal(fclose(f), 0);
	uk_buf_fini(&pdf);
}

/* What a command says of the file; valid until the next. */
static char *
told(const char *command, const char *path)
{
	static char out[TOLD_MAX];
	char line[128];
	FILE *f;
	size_t n;

	(void)snprintf(line, sizeof(line), command, path);
	assert_non_null(f = popen(line, "r"));
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	assert_int_equal(pclose(f), 0);
	return out;
}

static void
text_is_there_and_fonts_are_embedded(void **state)
{
	struct paper *p = application();
	char path[32];
	const char *s;
	char *line;

	(void)state;
	write_pdf(p, path);
	s = told("pdftotext -layout %s -", path);
	assert_non_null(strstr(s, "证书申请表"));
	assert_non_null(strstr(s, "北京示例科技有限公司"));
	assert_non_null(strstr(s, "<b>王小明</b> & 李四"));
	assert_non_null(strstr(s, "1/1"));
	line = told("pdffonts %s", path);
	(void)strtok(line, "\n");
	(void)strtok(NULL, "\n");
	for (line = strtok(NULL, "\n"); line != NULL; line = strtok(NULL, "\n"))
		assert_non_null(strstr(line, " yes "));
	(void)unlink(path);
	paper_free(&p);
	assert_null(p);
}

static void
long_papers_have_several_pages(void **state)
{
	struct paper *p = application();
	char *many = uk_xalloc(12001);
	char path[32];
	const char *s;

	(void)state;
	for (int i = 0; i < 60; i++)
		paper_row(p, "历史记录", "2026-11-22 14:30 审核通过");
	for (size_t i = 0; i < 4000; i++)
		memcpy(many + 3 * i, "长", 3);
	paper_text(p, many);
	write_pdf(p, path);
	s = told("pdfinfo %s", path);
	assert_non_null(strstr(s, "Title:"));
	assert_null(strstr(s, "Pages:           1\n"));
	s = told("pdftotext -layout %s -", path);
	assert_non_null(strstr(s, "1/"));
	assert_non_null(strstr(s, "2/"));
	assert_null(strstr(s, "/0\n"));
	(void)unlink(path);
	free(many);
	paper_free(&p);
}

static void
a_limit_is_kept(void **state)
{
	struct paper *p = application();
	struct uk_err err = { 0 };
	struct uk_buf pdf;

	(void)state;
	uk_buf_init(&pdf, 1000);
	assert_int_equal(paper_write(p, &pdf, &err), UK_E_LIMIT);
	uk_buf_fini(&pdf);
	paper_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_there_and_fonts_are_embedded),
		cmocka_unit_test(long_papers_have_several_pages),
		cmocka_unit_test(a_limit_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
