#include <stdio.h>

#include "app/commands.h"
#include "workflow/workflow.h"

int
command_order_dot(int argc, char **argv)
{
	struct uk_buf out;
	int status;

	status = command_options(NULL, 0, argc, argv, "ukey-ca order dot", NULL);
	if (status >= 0)
		return status;
	uk_buf_init(&out, 256 * 1024);
	workflow_dot(&out);
	status = uk_buf_failed(&out) || fwrite(out.p, 1, out.n, stdout) != out.n ? 1 : 0;
	uk_buf_fini(&out);
	return status;
}
