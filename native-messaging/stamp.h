/*
 * The first frame of a port names the site that asks.  The extension says the site, the browser
 * says the extension (in argv, where no page and no extension can reach); both go to ukeyd as one
 * frame, and nothing goes before it.
 */
#ifndef NATIVE_STAMP_H
#define NATIVE_STAMP_H

#include "uk/buf.h"

#define STAMP_FIRST_MAX     4096u
#define STAMP_EXTENSION_MAX 80u

/*
 * Chromium: argv[1] is "chrome-extension://ID/".  Firefox: argv[1] is the manifest's path and
 * argv[2] the add-on's id.  "": there are no arguments, which is how a portal starts a host.
 * UK_E_DENIED "extension-refused": anything else.
 */
UK_CHECK enum uk_rc stamp_extension(
    int argc, char *const *argv, char out[STAMP_EXTENSION_MAX + 1], struct uk_err *err);

/*
 * Append the frame's body for ukeyd.  The browser's has to be exactly {"jsonrpc": "2.0", "method":
 * "agent.origin", "params": {"origin": …}}.  UK_E_DENIED "origin-refused" otherwise.
 */
UK_CHECK enum uk_rc stamp_first(
    struct uk_span first, const char *extension, struct uk_buf *out, struct uk_err *err);

#endif
