/* The server's configuration with its defaults. */
#ifndef HTTP_CONFIG_H
#define HTTP_CONFIG_H

#include "http/httpd.h"

/* What is zero becomes its default. */
struct httpd_config http_config_full(const struct httpd_config *from);

/* How often deadlines are looked at: a quarter of the shortest, but at least each second. */
int64_t http_config_tick_ms(const struct httpd_config *c);

#endif
