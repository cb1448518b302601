/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * forms - the values of the keyword `format` that are checked: what they are called, and what has
 * the form. Private to this room. Threads: any.
 *
 *   date-time date time   RFC 3339, with calendar; a 60th second only where a leap second may be
 *   uuid                  RFC 9562, 36 characters, either case
 *   ipv4 ipv6             no prefix, zone or port; no leading zeros in IPv4
 *   email                 RFC 5321 mailbox: 64 bytes before the @, a host name or [address] behind
 *   hostname              RFC 1123: labels of 1 to 63 letters, digits, hyphens; 253 bytes
 *   uri                   RFC 3986 with a scheme
 */

#include "base/slice.h"

typedef bool (*form_fn)(slice text);

/* NULL: there is none of this name. */
form_fn form_find(slice name);
