/* SPDX-License-Identifier: Apache-2.0 */
#include "show/progress.h"

#include <stdio.h>

#include "os/clock.h"

enum { BAR_COLUMNS = 24, REDRAW_US = 100000 };

void progress_begin(struct progress *progress, const struct screen *screen, const char *what)
{
    *progress = (struct progress){.screen = screen, .what = what, .begun_us = clock_monotonic_us()};
}

double progress_seconds(const struct progress *progress)
{
    int64_t us = clock_monotonic_us() - progress->begun_us;
    return us < 1 ? 0.000001 : (double)us / 1000000;
}

void progress_format(struct buf *out, const char *what, uint64_t done, uint64_t total,
                     uint64_t count, double seconds)
{
    done = total > 0 && done > total ? total : done;
    if (total > 0) {
        size_t filled = (size_t)((double)done / (double)total * BAR_COLUMNS);
        buf_append_byte(out, '[');
        for (size_t i = 0; i < BAR_COLUMNS; i++) {
            buf_append_byte(out, i < filled ? '=' : i == filled ? '>' : ' ');
        }
        buf_append_format(out, "] %3u %%  ", (unsigned)((double)done * 100 / (double)total));
    }
    screen_count(out, count);
    buf_append_format(out, " %s  ", what);
    if (seconds > 0) {
        screen_count(out, (uint64_t)((double)count / seconds));
        buf_append_cstr(out, "/s");
    }
    if (total > 0 && done > 0 && done < total && seconds >= 1) {
        double left = seconds * (double)(total - done) / (double)done;
        buf_append_cstr(out, "  ");
        screen_duration(out, (uint64_t)(left + 0.5));
        buf_append_cstr(out, " left");
    }
}

void progress_update(struct progress *progress, uint64_t done, uint64_t total, uint64_t count)
{
    int64_t now_us = clock_monotonic_us();
    if (!progress->screen->err_is_terminal || now_us - progress->drawn_us < REDRAW_US) {
        return;
    }
    struct buf line = BUF_INIT(KIB(4));
    progress_format(&line, progress->what, done, total, count, progress_seconds(progress));
    (void)fprintf(stderr, "\r\x1b[K%s", buf_cstr(&line));
    (void)fflush(stderr);
    buf_release(&line);
    progress->drawn_us = now_us;
    progress->is_drawn = true;
}

void progress_hide(struct progress *progress)
{
    if (progress->is_drawn) {
        (void)fputs("\r\x1b[K", stderr);
        (void)fflush(stderr);
        progress->is_drawn = false;
    }
}
