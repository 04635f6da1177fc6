/* Answers, for people. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "uk/json.h"

typedef void show_fn(const json_t *result);

show_fn show_json;
show_fn show_tokens;
show_fn show_certificates;
show_fn show_sites;
show_fn show_checks;
show_fn show_key;
show_fn show_token;
show_fn show_certificate;
show_fn show_done;

#endif
