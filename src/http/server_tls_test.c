/* SPDX-License-Identifier: Apache-2.0 */
/* All of server_test.c, over TLS. */
#define TEST_OVER_TLS
#include "http/server_test.c" /* NOLINT(bugprone-suspicious-include): the same tests again */
