/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsan - lets ThreadSanitizer see that libuv closes sockets. Empty in every other build.
 *
 * The sanitizer follows descriptors by the calls that it intercepts. libuv closes with a bare
 * syscall(SYS_close), and os/ opens with openat(): it sees neither. So the number of a closed
 * connection, which another thread then has for a file, looks like one descriptor in the hands of
 * two. A suppression would have to name close() and pwrite(), and hide true races with them.
 */
#ifdef __SANITIZE_THREAD__

#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma GCC visibility push(default) /* libuv finds it here before the C library's */
long syscall(long number, ...)
{
    long (*real)(long number, ...) = NULL;
    void *symbol = dlsym(RTLD_NEXT, "syscall");
    memcpy(&real, &symbol, sizeof(real));
    long a[6];
    va_list args;
    va_start(args, number);
    for (size_t i = 0; i < 6; i++) {
        a[i] = va_arg(args, long);
    }
    va_end(args);
    return number == SYS_close ? close((int)a[0])
                               : real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
#pragma GCC visibility pop

#endif
