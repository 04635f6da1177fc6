#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "transport/peer.h"

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
