# SPDX-License-Identifier: Apache-2.0
"""What the server takes of its machine, and how long those wait who share it with a crowd."""
import http.client
import json
import os
import pathlib
import threading
import time
import uuid

from harness import EVENTS, PATIENCE_S, scratch, true


def status_kib(pid, name):
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith(f'{name}:'):
            return int(line.split()[1])
    return 0


def anon_kib(server):
    """Memory that the server asked for. Pages of mapped files are not in it: the kernel drops
    them when it wants to."""
    return status_kib(server.process.pid, 'RssAnon')


def descriptors(server):
    return len(os.listdir(f'/proc/{server.process.pid}/fd'))


def stat_words(server):
    """What the kernel says of the process, from its state on."""
    return pathlib.Path(f'/proc/{server.process.pid}/stat').read_text().rpartition(')')[2].split()


def cpu_s(server):
    words = stat_words(server)
    return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')


def threads(server):
    return len(os.listdir(f'/proc/{server.process.pid}/task'))


def percentile(values, share):
    """Of nothing it is 0."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0


class Until(threading.Thread):
    """Does something again and again while the story goes on: `with` begins and ends it."""

    def __init__(self, pause_s):
        super().__init__(daemon=True)
        self.pause_s, self.is_over, self.problem = pause_s, threading.Event(), None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.join()

    def run(self):
        try:
            while not self.is_over.wait(self.pause_s):
                self.once()
        except Exception as problem:  # pylint: disable=broad-except
            self.problem = problem


class Machine(Until):
    """How long whoever does nothing but write a page and sync it is kept waiting meanwhile: by the
    disk, or by whom else the machine runs; or, with a server, that a signal has stopped it."""

    PAGE = b'x' * 4096
    STALL_S = 0.2  # longer than anything that is measured here may take by itself

    def __init__(self, server=None, pause_s=0.01):
        super().__init__(pause_s)
        self.server, self.seen, self.stalls = server, time.monotonic(), []  # (from, to)
        self.file = os.open(scratch(f'machine-{id(self)}'), os.O_CREAT | os.O_WRONLY)

    def __exit__(self, *_):
        super().__exit__()
        os.close(self.file)

    def once(self):
        os.pwrite(self.file, self.PAGE, 0)
        os.fdatasync(self.file)
        now = time.monotonic()
        if now - self.seen > self.STALL_S or self._server_is_stopped():
            begin = self.seen
            if self.stalls and self.stalls[-1][1] == begin:  # it goes on
                begin, _ = self.stalls.pop()
            self.stalls.append((begin, now))
        self.seen = now

    def _server_is_stopped(self):
        return self.server is not None and stat_words(self.server)[0] == 'T'

    def stood_still(self, at_least_s, within_s):
        """For so long, and not longer ago, or right now: deadlines may have passed that would not
        have otherwise."""
        now = time.monotonic()
        return now - self.seen > at_least_s or any(
            now - end < within_s and end - begin > at_least_s for begin, end in self.stalls)

    def stood_still_in(self, begin, end):
        return any(begin < to and end > since for since, to in self.stalls)

    def stood_still_s(self, at_least_s):
        """All of those together."""
        return sum(end - begin for begin, end in self.stalls if end - begin > at_least_s)


class Meter(Until):
    """The most memory that the server held meanwhile."""

    def __init__(self, server):
        super().__init__(0.02)
        self.server = server
        self.before_kib = self.most_kib = anon_kib(server)

    def once(self):
        self.most_kib = max(self.most_kib, anon_kib(self.server))

    def must_grow_less(self, limit_kib, what):
        grown = self.most_kib - self.before_kib
        print(f'# {what}: {self.before_kib} KiB before, {self.most_kib} KiB at most')
        true(grown < limit_kib, f'{what}: memory grew by {grown} KiB; {limit_kib} is the limit')


class Neighbour(Until):
    """An honest client: writes an event, waits for it to be durable, and reads it again. What the
    machine did to anybody meanwhile is no fault of the server."""

    def __init__(self, server):
        super().__init__(0.01)
        self.server, self.times, self.machine = server, [], Machine()  # (from, to)
        self.link = http.client.HTTPConnection('127.0.0.1', server.port, timeout=PATIENCE_S)
        self.link.connect()

    def __enter__(self):
        self.machine.__enter__()
        return super().__enter__()

    def __exit__(self, *_):
        super().__exit__()
        self.machine.__exit__()
        self.link.close()

    def once(self):
        begun = time.monotonic()
        new = json.dumps({'event_type': 'test.step', 'event_id': str(uuid.uuid4())}).encode()
        try:
            self._write_and_read(new, 201)
        except (OSError, http.client.HTTPException):
            if not self.machine.stood_still(1, 5):
                raise
            self.link.close()  # it may have been idle for too long; the next request opens it
            self._write_and_read(new, 200, 201)
        self.times.append((begun, time.monotonic()))

    def _write_and_read(self, new, *statuses):
        seq = self._ask('POST', EVENTS, new, *statuses)['seq']
        found = self._ask('GET', f'{EVENTS}?limit=1&event_type=test.step', None, 200)['data']
        true(found[0]['seq'] == seq, f'{seq} is written, but {found[0]["seq"]} is the newest')

    def _ask(self, method, target, body, *statuses):
        self.link.request(method, target, body, {'Authorization': f'Bearer {self.server.key}',
                                                 'Content-Type': 'application/json'})
        answer = self.link.getresponse()
        text = answer.read()
        true(answer.status in statuses,
             f'{method} was answered with {answer.status} {text[:300]!r}')
        return json.loads(text)

    def must_be_well(self, p50_ms, p99_ms, what):
        """Nobody was refused, and a write with its read took no longer than that; those aside that
        met a moment at which the machine stood still."""
        true(self.problem is None, f'{what}: {self.problem!r}')
        true(self.machine.problem is None, f'the machine: {self.machine.problem!r}')
        took_ms = [(end - begin) * 1000 for begin, end in self.times
                   if not self.machine.stood_still_in(begin, end)]
        p50, p99 = (percentile(took_ms, share) for share in (0.5, 0.99))
        print(f'# {what}: {len(self.times)} times served, {len(self.times) - len(took_ms)} of them '
              f'while the machine stood still; p50 {p50:.1f} ms, p99 {p99:.1f} ms')
        true(len(took_ms) >= 5, f'{what}: served {len(took_ms)} times only')
        true(p50 < p50_ms and p99 < p99_ms, f'{what}: p50 {p50:.1f} ms of {p50_ms}, '
                                            f'p99 {p99:.1f} ms of {p99_ms}')
