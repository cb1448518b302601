/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * address - the one text of an IP address, so that equal addresses are equal bytes.
 *
 * IPv4 is four decimal numbers without leading zeros; IPv6 is written as RFC 5952 says, one that
 * maps IPv4 as ::ffff:1.2.3.4. Ports, prefixes and zones are not part of an address.
 *
 * Threads: any.
 */

#include "base/slice.h"

#define ADDRESS_TEXT_BYTES_MAX 46

/* Writes the normal text without a NUL. False, and *len untouched, if `text` is no address. */
bool address_normalise(slice text, char out[ADDRESS_TEXT_BYTES_MAX], size_t *len);
