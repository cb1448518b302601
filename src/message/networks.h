/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * networks - lists of networks, such as those of proxies that are trusted.
 *
 * Addresses are 16 bytes everywhere, IPv4 as mapped IPv6, so that both kinds compare alike.
 *
 * Threads: any.
 */

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

#define HTTP_NETWORKS_MAX 64

struct http_network {
    uint8_t address[16];
    uint8_t bits; /* of the 128 */
};

struct http_networks {
    struct http_network items[HTTP_NETWORKS_MAX];
    size_t count;
};

/* "10.0.0.0/8, ::1 192.0.2.7": addresses and prefixes, between them spaces or commas; "" is none.
 * INVALID: one is none, or has bits behind its prefix. LIMIT: too many. */
enum err http_networks_parse(slice text, struct http_networks *out, struct diag *diag);

bool http_networks_have(const struct http_networks *networks, const uint8_t address[16]);

/* "192.0.2.7", "2001:db8::1". False leaves *out untouched. */
bool http_address_parse(slice text, uint8_t out[16]);

/* Writes it with a NUL; an IPv4 address in its own form. */
#define HTTP_ADDRESS_BYTES 46
void http_address_format(const uint8_t address[16], char out[HTTP_ADDRESS_BYTES]);
