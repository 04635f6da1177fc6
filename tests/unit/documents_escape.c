/* What a decoder that has been taken over would try; the number of the attempt is the argument. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "documents/sandbox.h"

static void
open_file(void)
{
	(void)open("/etc/passwd", O_RDONLY);
}

static void
make_socket(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
}

static void
make_child(void)
{
	(void)fork();
}

static void
run_program(void)
{
	char *const argv[] = { (char *)(uintptr_t) "true", NULL };

	(void)execve("/bin/true", argv, argv + 1);
}

static void
map_code(void)
{
	(void)mmap(
	    NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
read_other(void)
{
	char c;

	(void)!read(SANDBOX_OUT, &c, 1);
}

static void
write_other(void)
{
	(void)!write(SANDBOX_IN, "x", 1);
}

static void
signal_parent(void)
{
	(void)kill(getppid(), 0);
}

static void (*const attempts[])(void) = { open_file, make_socket, make_child, run_program, map_code,
	read_other, write_other, signal_parent };

/* 0: nothing tried, so the sandbox itself is fine.  3: the attempt came back. */
int
main(int argc, char **argv)
{
	const size_t n = sizeof(attempts) / sizeof(attempts[0]);
	const long which = argc == 2 ? strtol(argv[1], NULL, 10) : -1;

	if (which < 0 || (size_t)which > n || !sandbox_enter())
		_exit(2);
	if ((size_t)which == n)
		_exit(0);
	attempts[which]();
	_exit(3);
}
