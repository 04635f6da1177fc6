/* What systemd hands over and wants to know (sd_listen_fds(3), sd_notify(3)). */
#ifndef TRANSPORT_SERVICE_H
#define TRANSPORT_SERVICE_H

#include "uk/rc.h"

/* The listening unix socket that we were started with; *fd -1: none.  UK_E_INPUT: another kind. */
UK_CHECK enum uk_rc service_socket(int *fd, struct uk_err *err);
void service_ready(int port);
void service_stopping(void);

#endif
