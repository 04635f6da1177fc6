/*
 * USB keys that are plugged in and pulled, as udev tells it (its netlink group, without its
 * library: nothing of a message counts but that it is about such a device).  SKF_WaitForDevEvent
 * would tell, too, but blocks, polls or lies with one vendor or another.
 */
#ifndef TOKEN_HOTPLUG_H
#define TOKEN_HOTPLUG_H

#include "loop/loop.h"
#include "uk/rc.h"

struct hotplug;

/* A device came or went a moment ago: look which tokens are in. */
typedef void hotplug_fn(void *ctx);

/* UK_E_UNAVAILABLE: no such socket here; then looking now and then has to do. */
UK_CHECK enum uk_rc hotplug_new(
    struct loop *loop, hotplug_fn *changed, void *ctx, struct hotplug **out, struct uk_err *err);
void hotplug_free(struct hotplug **h);

#endif
