/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* test.h - cmocka, plus one named TAP test per row of a table. Included by *_test.c only. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/macros.h"
#include "base/slice.h"

#define assert_slice_equal(actual, expected_cstr)                                                  \
    do {                                                                                           \
        slice actual_ = (actual), expected_ = slice_from_cstr(expected_cstr);                      \
        assert_int_equal(actual_.len, expected_.len);                                              \
        assert_memory_equal(actual_.ptr, expected_.ptr, expected_.len);                            \
    } while (0)

#define TEST_TABLE(function, table)                                                                \
    int main(void)                                                                                 \
    {                                                                                              \
        struct CMUnitTest tests[COUNT_OF(table)];                                                  \
        for (size_t i = 0; i < COUNT_OF(table); i++) {                                             \
            tests[i] = (struct CMUnitTest){.name = (table)[i].name,                                \
                                           .test_func = (function),                                \
                                           .initial_state = &(table)[i]};                          \
        }                                                                                          \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }
