# SPDX-License-Identifier: Apache-2.0
"""soak.py PROGRAM [MINUTES] [--rate EVENTS] [--json FILE]: a server under a steady load for as long
as asked, and a verdict.

Events come at a steady rate; others ask for stories, filters, counts, timelines and proofs, and
tails come and go. Every few seconds it notes what the server holds and how long each kind of
request took. At the end the last quarter of the time is compared with the second one, each event
that was acknowledged is looked for, and `cairn verify` reads the ledger. Exit status 1 if anything
is wrong.

The first quarter is left out: caches fill, and the allocator learns. `alive` is a request that does
nothing: by how many times it became slower is the machine's doing, and granted to the others. What
the server does for an event is therefore measured in its CPU time, too.
"""
import argparse
import array
import http.client
import json
import sys
import threading
import time
import uuid

import tlog
from harness import EVENTS, NDJSON, OWN, PATIENCE_S, Server, Wrong, cairn, equal, lines_of, true
from measure import Machine, Until, anon_kib, cpu_s, descriptors, percentile, threads

RATE = 2000  # events a second: a segment of 65,536 every half minute
BATCH = 50
WRITERS = 2
TAILS = 2
OPTIONS = ('--cache-bytes-max', '32MiB')  # a bound that is reached in the first quarter

# What the last quarter may have over the second: so many times as much, and so much on top.
MEMORY = (1.10, 8 * 1024)       # KiB, the median
ID_KIB = 32 / 1024              # and for each event whose id no group of 64 segments indexes yet
GROUP_EVENTS = 64 * 65536
DESCRIPTORS = (1.0, 8)
THREADS = (1.0, 1)
WAL = (1.25, 64 << 20)          # bytes; a file more or less
CPU = (1.5, 20)                 # microseconds for an event with all that is asked meanwhile
P50 = (1.5, 5)                  # ms
P99 = (2.0, 50)

STALL_S = 1  # somebody, or something, kept the server or us from running: deadlines may pass


# What is sent

def identity(n):
    return str(uuid.UUID(int=(n * 0x9E3779B97F4A7C15 % 2 ** 64) << 64 | 0x4000 << 48 | n + 2 ** 61))


def line_of(n):
    return (f'{{"event_id":"{identity(n)}","event_type":"soak.step{n % 7}",'
            f'"service":"{("web", "pay", "ship")[n % 3]}","actor_id":"user-{n % 1000}",'
            f'"correlation_id":"story-{n // 8}","event_outcome":"'
            f'{"failure" if n % 20 == 0 else "success"}",'
            f'"event_data":{{"n":{n},"note":"number {n} of many","amount":{n % 977}.50}}}}\n')


class Record:
    """What was acknowledged: batches of events by number, and where the log says they are."""

    def __init__(self):
        self.lock = threading.Lock()
        self.batches = []  # (first number, first seq, last seq)

    def add(self, batch):
        with self.lock:
            self.batches.append(batch)

    def newest(self, back=0):
        """The number of an event that was acknowledged, `back` batches ago; None at the start."""
        with self.lock:
            return self.batches[-1 - back][0] if len(self.batches) > back else None

    def events(self):
        return len(self.batches) * BATCH


# Who asks

class Client(Until):
    """Asks one kind of question at a steady rate over one connection, and times the answers."""

    def __init__(self, soak, kind, each_second, ask):
        super().__init__(0)
        self.soak, self.kind, self.ask_once = soak, kind, ask
        self.period_s, self.due = 1 / each_second, time.monotonic()
        self.link = http.client.HTTPConnection('127.0.0.1', soak.server.port, timeout=PATIENCE_S)

    def once(self):
        self.due += self.period_s
        try:
            self.ask_once(self)
        except (OSError, http.client.HTTPException):
            if not self.soak.was_kept_waiting():
                raise
            self.link.close()  # the next question opens it again
        wait = self.due - time.monotonic()
        if wait < -1:  # it does not pile up what a slow moment kept it from
            self.due = time.monotonic()
        self.is_over.wait(max(0, wait))

    def ask(self, method, target, body=None, kind='application/json', status=200, headers=()):
        begun = time.monotonic()
        self.link.request(method, target, body, dict(headers) | {
            'Authorization': f'Bearer {self.soak.server.key}', 'Content-Type': kind})
        answer = self.link.getresponse()
        text = answer.read()
        self.soak.note(self.kind, (time.monotonic() - begun) * 1000)
        true(answer.status == status, f'{method} {target}: {answer.status} {text[:300]!r}')
        return text


def write(client):
    soak = client.soak
    first = soak.take_numbers()
    body = ''.join(line_of(n) for n in range(first, first + BATCH)).encode()
    try:
        got = json.loads(client.ask('POST', EVENTS, body, NDJSON, 201))
        equal((got['count'], got['duplicates']), (BATCH, 0))
        soak.record.add((first, got['first_seq'] - OWN, got['last_seq'] - OWN))
    except (OSError, http.client.HTTPException):
        if not soak.was_kept_waiting():
            raise
        client.link.close()  # whether it arrived is not known: sent again, it is there once
        got = soak.server.post(EVENTS, body, kind=NDJSON).json()
        equal(got['count'] + got['duplicates'], BATCH)
        soak.record.add((first, 0, float('inf')))


def recent(client, back=0):
    """Everybody waits for the first events."""
    while (n := client.soak.record.newest(back)) is None:
        client.is_over.wait(0.05)
        if client.is_over.is_set():
            return None
    return n


def ask_story(client):
    if (n := recent(client)) is not None:
        found = json.loads(client.ask('GET', f'{EVENTS}?correlation_id=story-{n // 8}'))['data']
        true(any(item['event_id'] == identity(n) for item in found), f'story of {n}: not found')


def ask_filter(client):
    found = json.loads(client.ask('GET', EVENTS + '?limit=20&since=10s&'
                                  'q=event_outcome:failure%20service:pay%20data.n%3E5'))['data']
    true(all(item['service'] == 'pay' and item['event_data']['n'] > 5 for item in found), 'filter')


def ask_counts(client):
    client.ask('GET', '/api/v1/audit/stats?group_by=service,event_outcome&since=10s')


def ask_timeline(client):
    if (n := recent(client)) is not None:
        found = json.loads(client.ask('GET', f'/api/v1/audit/timeline/story-{n // 8}'))['data']
        true(len(found) > 0, f'timeline of {n}: empty')


def ask_event(client):
    if (n := recent(client)) is not None:
        n = (n * 7919 + client.soak.asked) % (n + 1)  # any that was ever sent
        client.soak.asked += 1
        client.link.request('GET', f'{EVENTS}/{identity(n)}', None,
                            {'Authorization': f'Bearer {client.soak.server.key}'})
        begun = time.monotonic()
        answer = client.link.getresponse()
        text = answer.read()
        client.soak.note(client.kind, (time.monotonic() - begun) * 1000)
        # The other writer's batch may still be on its way.
        true(answer.status in (200, 404), f'event {n}: {answer.status}')
        true(answer.status == 404 or json.loads(text)['event_data']['n'] == n, f'event {n}')


def ask_proof(client):
    if (n := recent(client, 2 * client.soak.rate // BATCH)) is not None:
        log = client.soak.log
        proof = client.ask('GET', f'{EVENTS}/{identity(n)}/proof')
        client.link.request('GET', f'{EVENTS}/{identity(n)}?raw=1', None,
                            {'Authorization': f'Bearer {client.soak.server.key}'})
        tlog.check_proof(proof, client.link.getresponse().read()[:-1], [log['vkey']],
                         log['origin'])


def ask_alive(client):
    client.ask('GET', '/health/live')


def follow(client):
    """A tail of three seconds: the log in order, without a gap."""
    link = http.client.HTTPConnection('127.0.0.1', client.soak.server.port, timeout=PATIENCE_S)
    begun, last = time.monotonic(), None
    link.request('GET', '/api/v1/audit/tail', None,
                 {'Authorization': f'Bearer {client.soak.server.key}'})
    answer = link.getresponse()
    equal(answer.status, 200, 'tail')
    while time.monotonic() < begun + 3 and not client.is_over.is_set():
        line = answer.readline()
        true(line, 'the tail ended')
        if line.startswith(b'id: '):
            seq = int(line[4:])
            if last is None:
                client.soak.note(client.kind, (time.monotonic() - begun) * 1000)
            true(last in (None, seq - 1), f'the tail goes from {last} to {seq}')
            last = seq
    link.close()


KINDS = (('write', None, write), ('story', 10, ask_story), ('filter', 5, ask_filter),
         ('counts', 2, ask_counts), ('timeline', 5, ask_timeline), ('event', 10, ask_event),
         ('proof', 1, ask_proof), ('alive', 10, ask_alive))


# The verdict

def quarters(samples, value):
    """The values of the second quarter and of the last one."""
    end = samples[-1]['at_s']
    return ([value(s) for s in samples if end / 4 <= s['at_s'] < end / 2],
            [value(s) for s in samples if s['at_s'] >= end * 3 / 4])


def judge(samples, pause_ms=0):
    """Rows of what, unit, second quarter, last quarter, the most it may be then. A tail that begins
    waits for the next event, up to `pause_ms`, however quick it is."""
    rows = []

    def compare(what, unit, pair, limit, granted=1, more=0):
        rows.append((what, unit, *pair, (pair[0] * limit[0] + limit[1]) * granted + more))

    def median(name):
        return [percentile(values, 0.5) for values in quarters(samples, lambda s: s[name])]

    def times(kind, share):
        return [percentile([ms for part in values for ms in part], share)
                for values in quarters(samples, lambda s: s['ms'].get(kind, ()))]

    def cpu_us(part):
        events = part[-1]['events'] - part[0]['events']
        return (part[-1]['cpu_s'] - part[0]['cpu_s']) * 1e6 / max(events, 1)

    was, now = median('events')
    compare('memory (RssAnon)', 'KiB', median('anon_kib'), MEMORY,
            more=min(now - was, GROUP_EVENTS) * ID_KIB)
    compare('descriptors', '', median('descriptors'), DESCRIPTORS)
    compare('threads', '', median('threads'), THREADS)
    compare('write-ahead log', 'bytes', median('wal_bytes'), WAL)
    compare('CPU for an event', 'us', [cpu_us(part) for part in quarters(samples, dict)], CPU)
    for share, limit in ((0.5, P50), (0.99, P99)):
        idle = times('alive', share)
        for kind in sorted({kind for s in samples for kind in s['ms']}):
            compare(f'{kind} p{share * 100:.0f}', 'ms', times(kind, share), limit,
                    max(1, idle[1] / max(idle[0], 1)), pause_ms if kind == 'tail' else 0)
    return rows


def faults_of(rows):
    return [f'{what} grew from {was:.1f} to {now:.1f} {unit}; {most:.1f} is the most'
            for what, unit, was, now, most in rows if now > most]


def missing(batches, events):
    """What is wrong with a log whose `events` are (seq, number) in order, if those were
    acknowledged: each event once, at a place that its batch was told, and nothing else."""
    places = [None] * (max((first for first, _, _ in batches), default=-BATCH) + BATCH)
    count = 0
    for at, (seq, n) in enumerate(events):
        if seq != at:
            return f'the log goes on with {seq} instead of {at}'
        if n >= len(places) or places[n] is not None:
            return f'number {n} is there twice or was never acknowledged'
        places[n] = seq
        count += 1
    for first, low, high in batches:
        for n in range(first, first + BATCH):
            if places[n] is None or not low <= places[n] <= high:
                return f'number {n} was acknowledged at {low}..{high} and is at {places[n]}'
    return None if count == len(batches) * BATCH else f'{count} events for {len(batches)} batches'


# The soak

class Soak:
    def __init__(self, seconds, rate):
        self.seconds, self.rate = seconds, rate
        self.server = Server(*OPTIONS)
        self.record, self.lock = Record(), threading.Lock()
        self.times, self.samples, self.faults = {}, [], []
        self.numbers = self.asked = 0
        self.log = self.machine = None

    def was_kept_waiting(self):
        """A moment ago: a connection may have been idle for too long."""
        return self.machine.stood_still(STALL_S, 15)

    def take_numbers(self):
        with self.lock:
            self.numbers += BATCH
            return self.numbers - BATCH

    def note(self, kind, ms):
        with self.lock:
            self.times.setdefault(kind, array.array('f')).append(ms)

    def sample(self, at_s):
        figures = self.server.get('/metrics', headers={'Accept': 'application/json'}).json()
        with self.lock:
            times, self.times = self.times, {}
        self.samples.append({
            'at_s': at_s, 'events': figures['cairn_events'], 'segments': figures['cairn_segments'],
            'wal_bytes': figures['cairn_wal_bytes'], 'anon_kib': anon_kib(self.server),
            'descriptors': descriptors(self.server), 'threads': threads(self.server),
            'cpu_s': cpu_s(self.server), 'ms': times})

    def clients(self):
        for kind, each_second, ask in KINDS:
            if each_second is None:
                for _ in range(WRITERS):
                    yield Client(self, kind, self.rate / BATCH / WRITERS, ask)
            else:
                yield Client(self, kind, each_second, ask)
        for _ in range(TAILS):
            yield Client(self, 'tail', 100, follow)  # as soon as it ended, it comes again

    def load(self):
        clients = list(self.clients())
        begun, pause_s = time.monotonic(), min(5, self.seconds / 32)
        for client in clients:
            client.start()
        try:
            for tick in range(1, int(self.seconds / pause_s) + 1):
                time.sleep(max(0, begun + tick * pause_s - time.monotonic()))
                self.server.must_live()
                self.sample(time.monotonic() - begun)
                self.progress()
                if any(client.problem for client in clients):
                    break
        finally:
            for client in clients:
                client.is_over.set()
            for client in clients:
                client.join()
            if sys.stdout.isatty():
                print()
        self.faults += [f'{client.kind}: {client.problem!r}' for client in clients
                        if client.problem]

    def progress(self):
        if sys.stdout.isatty():
            now = self.samples[-1]
            took = now['ms'].get('write', ())
            print(f'\r\033[K{now["at_s"]:.0f} of {self.seconds:.0f} s, {now["events"]:,} events, '
                  f'{now["segments"]} segments, {now["anon_kib"] / 1024:.1f} MiB, '
                  f'{now["descriptors"]} descriptors, a write in {percentile(took, 0.5):.1f} ms '
                  f'(p99 {percentile(took, 0.99):.1f})', end='', flush=True)

    def everything(self):
        """(seq, number) of the whole log behind its own first events, as if it began there."""
        params = {'order': 'seq', 'limit': 1000, 'fields': 'seq,event_data'}
        answer = self.server.query(**params)
        answer['data'] = answer['data'][OWN:]
        while True:
            yield from ((item['seq'] - OWN, item['event_data']['n']) for item in answer['data'])
            if not answer['page']['has_more']:
                return
            answer = self.server.query(**params, cursor=answer['page']['next_cursor'])

    def run(self):
        """Whether all is well; then `faults` is empty."""
        self.server.start()
        self.log = self.server.get('/api/v1/log').expect(200).json()
        self.machine = Machine(self.server, 0.1)
        try:
            with self.machine:
                self.load()
            lost = missing(self.record.batches, self.everything())
            self.faults += [lost] if lost else []
            self.server.stop()
            verified = lines_of(cairn('verify', self.server.data, '--vkey', self.log['vkey'],
                                      timeout=3600))[0]
            equal((verified['whole'], verified['unchecked'], verified['events']),
                  (True, 0, OWN + self.record.events()), 'cairn verify')
        except (Wrong, OSError, http.client.HTTPException) as problem:
            self.faults.append(f'{problem!r}')
            self.server.kill()
        if self.can_judge():
            self.faults += faults_of(self.judge())
        else:
            self.faults.append(f'{len(self.samples)} samples are too few for a verdict')
        return not self.faults

    def judge(self):
        return judge(self.samples, BATCH * WRITERS * 1000 / self.rate)

    def can_judge(self):
        return self.samples and all(len(part) >= 4 for part in quarters(self.samples, dict))

    def table(self):
        if not self.can_judge():
            return []
        last = self.samples[-1]
        lines = [f'{self.record.events():,} events acknowledged in {last["at_s"]:.0f} s, '
                 f'{last["segments"]} segments sealed',
                 f'somebody kept us from running for {self.machine.stood_still_s(STALL_S):.0f} s',
                 f'{"":24}{"2nd quarter":>14}{"last quarter":>14}{"at most":>14}']
        for what, unit, was, now, most in self.judge():
            lines.append(f'{what:24}{was:14,.1f}{now:14,.1f}{most:14,.1f} {unit:6}'
                         f'{"GREW" if now > most else ""}')
        return lines

    def report(self):
        samples = [s | {'ms': {kind: {'count': len(ms), 'p50': percentile(ms, 0.5),
                                      'p99': percentile(ms, 0.99)}
                               for kind, ms in s['ms'].items()}} for s in self.samples]
        return {'seconds': self.seconds, 'rate': self.rate, 'acknowledged': self.record.events(),
                'stalled_s': self.machine.stood_still_s(STALL_S),
                'verdict': [dict(zip(('what', 'unit', 'second', 'last', 'most'), row))
                            for row in self.judge()] if self.can_judge() else [],
                'faults': self.faults, 'samples': samples}


def main():
    parser = argparse.ArgumentParser(prog='soak.py', description='A server under a steady load.')
    parser.add_argument('program')
    parser.add_argument('minutes', nargs='?', type=float, default=10)
    parser.add_argument('--rate', type=int, default=RATE, help='events a second')
    parser.add_argument('--json', metavar='FILE', help='all samples and the verdict')
    words = parser.parse_args()
    soak = Soak(words.minutes * 60, words.rate)
    is_well = soak.run()
    print('\n'.join(soak.table()))
    for fault in soak.faults:
        print(f'WRONG: {fault}')
    print('nothing grew, nothing is lost, the ledger is whole' if is_well else 'not well')
    if words.json:
        with open(words.json, 'w', encoding='utf-8') as file:
            json.dump(soak.report(), file, indent=1)
            file.write('\n')
    return 0 if is_well else 1


if __name__ == '__main__':
    sys.exit(main())
