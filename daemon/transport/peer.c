#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "transport/peer.h"

/* Linux 6.5; the number is the same wherever Linux counts its socket options from one. */
#if !defined(SO_PEERPIDFD) && !defined(__sparc__) && !defined(__hppa__)
#define SO_PEERPIDFD 77
#endif

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

/* The client's socket: what is remote to us is local to it. */
static bool
fill(struct question *q, int fd)
{
	struct sockaddr_in us = { 0 }, them = { 0 };
	socklen_t n = sizeof(us), m = sizeof(them);

	if (getsockname(fd, (struct sockaddr *)&us, &n) != 0 ||
	    getpeername(fd, (struct sockaddr *)&them, &m) != 0 || us.sin_family != AF_INET ||
	    them.sin_family != AF_INET)
		return false;
	*q = (struct question){
		.head = { .nlmsg_len = sizeof(*q),
		    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		    .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = AF_INET,
		    .sdiag_protocol = IPPROTO_TCP,
		    .idiag_states = 1u << TCP_ESTABLISHED,
		    .id = { .idiag_sport = them.sin_port,
			.idiag_dport = us.sin_port,
			.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } },
	};
	memcpy(q->body.id.idiag_src, &them.sin_addr, sizeof(them.sin_addr));
	memcpy(q->body.id.idiag_dst, &us.sin_addr, sizeof(us.sin_addr));
	return true;
}

/* The kernel looks up by both ends; all the same, the answer has to be about this connection. */
static bool
answers(const struct question *q, const struct inet_diag_msg *m)
{
	return m->idiag_family == AF_INET && m->idiag_state == TCP_ESTABLISHED &&
	       m->id.idiag_sport == q->body.id.idiag_sport &&
	       m->id.idiag_dport == q->body.id.idiag_dport &&
	       m->id.idiag_src[0] == q->body.id.idiag_src[0] &&
	       m->id.idiag_dst[0] == q->body.id.idiag_dst[0];
}

static bool
ask(int nl, const struct question *q, uid_t *uid)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	union {
		struct nlmsghdr head;
		char bytes[1024];
	} in;
	const struct inet_diag_msg *m;
	ssize_t n;

	if (sendto(nl, q, sizeof(*q), 0, (const struct sockaddr *)&kernel, sizeof(kernel)) !=
	    (ssize_t)sizeof(*q))
		return false;
	n = recv(nl, &in, sizeof(in), 0);
	if (n < (ssize_t)(sizeof(in.head) + sizeof(*m)) || in.head.nlmsg_len > (size_t)n ||
	    in.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return false;
	m = NLMSG_DATA(&in.head);
	if (!answers(q, m))
		return false;
	*uid = m->idiag_uid;
	return true;
}

bool
peer_tcp(int fd, uid_t *uid)
{
	/* The kernel answers within sendto(2); the time-out is for what can't happen. */
	const struct timeval second = { .tv_sec = 1 };
	struct question q;
	bool ok;
	int nl;

	if (!fill(&q, fd))
		return false;
	nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (nl < 0)
		return false;
	(void)setsockopt(nl, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	ok = ask(nl, &q, uid);
	close(nl);
	return ok;
}

bool
peer_unix(int fd, uid_t *uid)
{
	struct ucred cred = { 0 };
	socklen_t n = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 || n != sizeof(cred))
		return false;
	*uid = cred.uid;
	return true;
}

/* The process that connected, or, before Linux 6.5, the one that has its number now. */
static int
open_peer(int fd, pid_t pid)
{
	int pidfd = -1;
#ifdef SO_PEERPIDFD
	socklen_t n = sizeof(pidfd);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &n) == 0 && n == sizeof(pidfd))
		return pidfd;
	if (errno != ENOPROTOOPT)
		return -1;
#else
	(void)fd;
#endif
	pidfd = pidfd_open(pid, 0);
	return pidfd;
}

static bool
lives(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/* By way of a folder that is its own for as long as it is held open: numbers are used again. */
static bool
program_of(int pidfd, pid_t pid, struct stat *st)
{
	char path[32];
	bool ok;
	int proc;

	(void)snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return false;
	ok = lives(pidfd) && fstatat(proc, "exe", st, 0) == 0 && lives(pidfd);
	close(proc);
	return ok;
}

enum peer_program
peer_program(int fd, const char *native)
{
	struct ucred cred = { 0 };
	socklen_t n = sizeof(cred);
	struct stat peer, host;
	bool seen;
	int pidfd;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 || n != sizeof(cred) ||
	    cred.pid <= 0 || (pidfd = open_peer(fd, cred.pid)) < 0)
		return PEER_UNKNOWN;
	seen = program_of(pidfd, cred.pid, &peer);
	close(pidfd);
	if (!seen)
		return PEER_UNKNOWN;
	if (stat(native, &host) != 0)
		return errno == ENOENT || errno == ENOTDIR ? PEER_OTHER : PEER_UNKNOWN;
	return peer.st_dev == host.st_dev && peer.st_ino == host.st_ino ? PEER_NATIVE : PEER_OTHER;
}
