#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>

#include <systemd/sd-daemon.h>

#include "transport/service.h"

enum uk_rc
service_socket(int *fd, struct uk_err *err)
{
	const int n = sd_listen_fds(1);

	*fd = -1;
	if (n <= 0)
		return UK_OK;
	if (n != 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0)
		return uk_fail(err, UK_E_INPUT, "socket-activation", "sd_listen_fds", n);
	*fd = SD_LISTEN_FDS_START;
	(void)fcntl(*fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(*fd, F_SETFL, O_NONBLOCK);
	return UK_OK;
}

void
service_ready(int port)
{
	(void)sd_notifyf(0, "READY=1\nSTATUS=WebSocket port %d", port);
}

void
service_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}
