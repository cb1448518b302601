/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * keys - API keys as objects of configuration.
 *
 * Threads: the pool.
 */

#include "config/config.h"

/* Nobody makes or changes a key that may do more than they; it ends in time (key_policy.h). */
extern const struct resource resource_api_keys;
