#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench.py PROGRAM BENCHES [events=10000000] [json=FILE] - how fast and how small.

Starts the real server, the ledger alone, an append-and-sync server with the same loop and parser,
and PostgreSQL, gives all of them the same generated events in the same run, and prints one table.
What has a peer is told as a ratio, for the machine's own speed drifts; those runs take turns and
the median counts. `./dev bench` calls this; docs/performance.md says what the rows mean.
"""
import contextlib
import http.client
import json
import os
import pathlib
import pwd
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'tests'))
from harness import EVENTS, Server, scratch, wait_until  # noqa: E402
from measure import anon_kib, percentile  # noqa: E402

BENCHES = pathlib.Path(sys.argv[2]).absolute()
WORDS = dict(word.split('=', 1) for word in sys.argv[3:])
TOTAL = int(WORDS.get('events', 10_000_000))
FULL = TOTAL >= 10_000_000
CHUNK = min(1_000_000, TOTAL // 4)  # what one load holds in memory at a time
ROUNDS = 3
SINGLE_ROUNDS = 9  # short ones, whose ratios differ by a fifth
START_S, SPACING_S = 1_736_899_200, 3  # the middle of January 2025
SHARED_BUFFERS = '2GB' if FULL else '256MB'
MIB = 1 << 20

figures = {}


def say(text):
    print(f'bench: {text}', file=sys.stderr, flush=True)


def run(program, **words):
    """One of the programs beside this file; what it measured."""
    done = subprocess.run([BENCHES / program, *(f'{k}={v}' for k, v in words.items())],
                          stdout=subprocess.PIPE, check=True,
                          env=os.environ | {'TMPDIR': str(scratch(''))})
    return json.loads(done.stdout)


def median(values):
    return statistics.median(values)


# PostgreSQL

SCHEMA = """
CREATE TABLE audit_events (
    event_id uuid NOT NULL, event_version varchar(10) NOT NULL DEFAULT '1.0',
    event_timestamp timestamptz NOT NULL, event_date date NOT NULL,
    event_type varchar(100) NOT NULL, event_category varchar(50) NOT NULL,
    event_action varchar(50) NOT NULL, event_outcome varchar(20) NOT NULL,
    actor_type varchar(50) NOT NULL, actor_id varchar(255) NOT NULL, actor_ip inet,
    resource_type varchar(100) NOT NULL, resource_id varchar(255) NOT NULL,
    resource_name varchar(255),
    correlation_id varchar(255) NOT NULL, parent_event_id uuid, parent_event_date date,
    trace_id varchar(255), span_id varchar(255), namespace varchar(253), cluster_name varchar(255),
    event_data jsonb NOT NULL, event_metadata jsonb, severity varchar(20), duration_ms integer,
    error_code varchar(50), error_message text, retention_days integer DEFAULT 2555,
    is_sensitive boolean DEFAULT false, PRIMARY KEY (event_id, event_date))
    PARTITION BY RANGE (event_date);
CREATE INDEX ON audit_events (event_timestamp DESC);
CREATE INDEX ON audit_events (correlation_id, event_timestamp DESC);
CREATE INDEX ON audit_events (event_type, event_timestamp DESC);
CREATE INDEX ON audit_events (resource_type, resource_id, event_timestamp DESC);
CREATE INDEX ON audit_events (actor_type, actor_id, event_timestamp DESC);
CREATE INDEX ON audit_events (event_outcome, event_timestamp DESC);
CREATE INDEX ON audit_events (event_date);
CREATE INDEX ON audit_events USING gin (event_data);
"""


class Postgres:
    """A cluster of its own: a Unix socket and no port; fsync and synchronous_commit as they come,
    on."""

    def __init__(self):
        homes = sorted(pathlib.Path('/usr/lib/postgresql').glob('*/bin/initdb'))
        if not homes:
            raise FileNotFoundError('no PostgreSQL server is installed')
        self.bin = homes[-1].parent
        self.home = scratch('postgres')
        self.home.mkdir()
        self.as_user = []
        if os.geteuid() == 0:  # it refuses to run as root
            user = pwd.getpwnam('postgres')
            os.chown(self.home, user.pw_uid, user.pw_gid)
            scratch('').chmod(0o711)
            self.as_user = ['setpriv', f'--reuid={user.pw_uid}', f'--regid={user.pw_gid}',
                            '--clear-groups']
        self.conninfo = f'host={self.home} dbname=postgres user=bench'

    def __enter__(self):
        data = self.home / 'data'
        self._call('initdb', '-A', 'trust', '-U', 'bench', '-E', 'UTF8', '--locale=C.UTF-8', '-D',
                   data)
        options = (f"-c listen_addresses= -c unix_socket_directories={self.home} -c "
                   "max_wal_size=8GB "
                   f'-c shared_buffers={SHARED_BUFFERS}')
        self._call('pg_ctl', 'start', '-w', '-D', data, '-l', self.home / 'log', '-o', options)
        return self

    def __exit__(self, *_):
        self._call('pg_ctl', 'stop', '-m', 'immediate', '-D', self.home / 'data')

    def _call(self, program, *words):
        subprocess.run([*self.as_user, self.bin / program, *map(str, words)], check=True, cwd='/',
                       stdout=subprocess.DEVNULL)

    def sql(self, text):
        done = subprocess.run([self.bin / 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1',
                               '-d', self.conninfo, '-c', text], check=True,
                              stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    def load(self, how, events, **words):
        """Into an empty table, which is checkpointed before."""
        self.sql('SET client_min_messages = warning; DROP TABLE IF EXISTS audit_events')
        self.sql(SCHEMA)
        for month in ('01', '02', '03'):
            after = f'2025-{int(month) + 1:02}-01'
            self.sql(f"CREATE TABLE audit_events_2025_{month} PARTITION OF audit_events "
                     f"FOR VALUES FROM ('2025-{month}-01') TO ('{after}')")
        self.sql('CHECKPOINT')
        return run('postgres_load', conninfo=self.conninfo, how=how, events=events,
                   start_s=START_S, **words)

    def bytes_per_event(self, events):
        self.sql('VACUUM ANALYZE audit_events')
        size = self.sql("SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits "
                        "WHERE inhparent = 'audit_events'::regclass")
        return int(size) / events


def measure_postgres():
    say('PostgreSQL')
    many, few = (200_000, 60_000) if FULL else (20_000, 5_000)
    with Postgres() as postgres:
        figures['postgres'] = {
            'insert': postgres.load('insert', many, rows=500, connections=2),
            'copy': postgres.load('copy', many, rows=5000, connections=2),
        }
        figures['postgres']['bytes_per_event'] = postgres.bytes_per_event(many)
        figures['postgres']['single'] = postgres.load('single', few, connections=16)


# The server

def serve(data=None):
    return Server(data=data, usual=('--log-format', 'logfmt'))


def load(server, **words):
    return run('http_load', port=server.port, key=server.data / 'admin.key',
               path=f'{EVENTS}?backfill=1', **words)


def chunk_words(number):
    """The number-th million of events: later in time than those before."""
    return {'seed': 42 + number, 'start_s': START_S + number * CHUNK * SPACING_S}


class Memory(threading.Thread):
    """Watches the server's anonymous memory."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.most, self.done = server, 0.0, threading.Event()

    def run(self):
        while not self.done.wait(0.05):
            self.most = max(self.most, anon_kib(self.server) / 1024)

    def end(self):
        self.done.set()
        self.join()
        return self.most


def metric(server, name):
    for line in server.get('/metrics').expect(200).body.decode().splitlines():
        if line.startswith(name + ' '):
            return float(line.split()[1])
    raise KeyError(name)


def wait_until_sealed(server):
    wait_until(lambda: metric(server, 'cairn_sealing') == 0, 'all full segments are sealed', 120)


def allocated(path, chosen):
    return sum(file.stat().st_blocks * 512 for file in path.rglob('*')
               if file.is_file() and chosen(file.name))


def measure_bulk():
    """Bulk over HTTP, the ledger without it, in turns; both from an empty directory."""
    say('bulk over HTTP and the ledger without it, in turns')
    http_runs, ledger_runs, memory = [], [], []
    for number in range(ROUNDS):
        ledger_runs.append(run('bench_ledger', events=CHUNK, **chunk_words(number)))
        server = serve()
        with server:
            watch = Memory(server)
            watch.start()
            http_runs.append(load(server, events=CHUNK, lines=1000, connections=8,
                                  **chunk_words(number)))
            memory.append(watch.end())
        shutil.rmtree(server.data)
    figures['bulk'] = http_runs
    figures['ledger'] = ledger_runs
    figures['bulk_memory_mib'] = memory


class AppendServer:
    def __init__(self):
        self.process = subprocess.Popen([BENCHES / 'append_server', f'dir={scratch("append")}'],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(scratch('append'))


def measure_singles():
    """One event a request: alone, and against append and sync in turns."""
    say('single durable POSTs')
    counts = {1: 10_000, 16: 60_000, 64: 150_000, 256: 200_000}
    figures['single'], figures['append'] = {}, []
    server = serve()
    with server:
        number = 0
        for connections in (1, 16, 64):
            events = min(counts[connections], TOTAL // 10)
            figures['single'][connections] = [load(server, events=events, connections=connections,
                                                   **chunk_words(number))]
            number += 1
        figures['single'][256] = []
        for _ in range(SINGLE_ROUNDS):
            events = min(counts[256], TOTAL // 10)
            peer = AppendServer()
            figures['append'].append(run('http_load', port=peer.port, path='/append', events=events,
                                         connections=256, **chunk_words(number)))
            peer.end()
            figures['single'][256].append(load(server, events=events, connections=256,
                                               **chunk_words(number)))
            number += 1
    shutil.rmtree(server.data)


# Ten million

class Asker:
    """One connection that asks and times."""

    def __init__(self, server):
        self.server = server
        self.link = http.client.HTTPConnection('127.0.0.1', server.port, timeout=60)

    def ask(self, target, params):
        begun = time.perf_counter()
        self.link.request('GET', f'{target}?{urllib.parse.urlencode(params)}',
                          headers={'Authorization': f'Bearer {self.server.key}'})
        answer = self.link.getresponse()
        body = answer.read()
        took_ms = (time.perf_counter() - begun) * 1000
        if answer.status != 200:
            raise RuntimeError(f'{answer.status} {body[:300]!r} for {params}')
        return took_ms, json.loads(body)


def by_correlation(sample):
    return {'correlation_id': sample['correlation_id'], 'limit': 100}


def by_string(sample):
    return {'q': f'data.payload.fingerprint={sample["event_data"]["payload"]["fingerprint"]}',
            'limit': 100}


def by_absent(_):
    return {'q': f'data.payload.fingerprint={uuid.uuid4().hex * 2}', 'limit': 100}


def by_number(_):
    """A value of a path that has numbers everywhere, but never this one."""
    return {'q': f'data.payload.duration_ms={random.randrange(20_000, 90_000)}', 'limit': 100}


def by_type(sample):
    until_s = START_S + int(random.uniform(0.05, 1) * TOTAL * SPACING_S)
    def text(seconds):
        return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds))
    return {'event_type': sample['event_type'], 'event_outcome': sample['outcome'],
            'since': text(until_s - 30 * 86400), 'until': text(until_s), 'limit': 100}


def warm(server, name, params_of, samples, found):
    asker = Asker(server)
    times = []
    for index, sample in enumerate(samples):
        took_ms, answer = asker.ask(EVENTS, params_of(sample))
        if not found(answer):
            raise RuntimeError(f'{name}: {params_of(sample)} found {len(answer["data"])} events')
        if index >= len(samples) // 10:  # the first tenth warms up
            times.append(took_ms)
    figures['queries'][name] = {'p50_ms': percentile(times, 0.5),
                                'p99_ms': percentile(times, 0.99), 'count': len(times)}


def cold(data, samples):
    """Correlation lookups, each by a server that was just started over an empty page cache."""
    drop = pathlib.Path('/proc/sys/vm/drop_caches')
    if not os.access(drop, os.W_OK):
        return None
    times, starts = [], []
    for sample in samples:
        os.sync()
        with contextlib.suppress(OSError):
            drop.write_text('3')
        server = serve(data)
        begun = time.perf_counter()
        server.spawn()
        server.port = int(wait_until(server._find_port, 'it listens'))
        wait_until(server._is_ready, 'it is ready')
        starts.append(time.perf_counter() - begun)
        server.key = (server.data / 'admin.key').read_text().strip()
        asker = Asker(server)
        asker.ask('/health/live', {})
        took_ms, answer = asker.ask(EVENTS, by_correlation(sample))
        if not answer['data']:
            raise RuntimeError('a cold lookup found nothing')
        times.append(took_ms)
        server.stop()
    figures['queries']['correlation_cold'] = {'p50_ms': percentile(times, 0.5),
                                              'p99_ms': percentile(times, 0.99),
                                              'count': len(times)}
    figures['start_cold_s'] = starts
    return times


def measure_large():
    say(f'{TOTAL:,} events')
    data, kept = scratch('large'), scratch('kept.ndjson')
    figures['fill'], figures['queries'] = [], {}
    server = serve(data)
    with server:
        watch = Memory(server)
        watch.start()
        for number in range(TOTAL // CHUNK):
            figures['fill'].append(load(server, events=CHUNK, lines=1000, connections=8, keep=kept,
                                        keep_every=max(1, TOTAL // 1000), **chunk_words(number)))
            say(f'{(number + 1) * CHUNK:,} stored, {figures["fill"][-1]["events_per_s"]:,} a '
                'second')
        wait_until_sealed(server)
        figures['fill_memory_mib'] = watch.end()
        figures['disk_bytes_per_event'] = allocated(data,
                                                    lambda name: not name.endswith('.wal')) / TOTAL
        figures['wal_mib'] = allocated(data, lambda name: name.endswith('.wal')) / MIB
    server = serve(data)
    begun = time.perf_counter()
    with server:
        figures['start_s'] = time.perf_counter() - begun
        samples = [json.loads(line) for line in kept.read_text().splitlines()]
        random.seed(7)
        random.shuffle(samples)
        some = lambda answer: len(answer['data']) > 0
        none = lambda answer: len(answer['data']) == 0
        warm(server, 'correlation', by_correlation, samples, some)
        warm(server, 'json_string', by_string, samples[:300], some)
        warm(server, 'json_absent', by_absent, samples[:300], none)
        warm(server, 'json_number_absent', by_number, samples[:300], none)
        warm(server, 'type_outcome_range', by_type, samples[:500], lambda answer: True)
    cold(data, samples[:20])


# The table

def table():
    rate = lambda runs: median([run_['events_per_s'] for run_ in runs])
    rows = []

    def row(what, value, wanted, good, note=''):
        rows.append((what, value, wanted, 'ok' if good else 'MISSED' if good is not None else '',
                     note))

    bulk, ledger = rate(figures['bulk']), rate(figures['ledger'])
    if 'postgres' in figures:
        three = {how: figures['postgres'][how]['events_per_s']
                 for how in ('insert', 'copy', 'single')}
        best = max(three, key=three.get)
        for how, value in three.items():
            row(f'PostgreSQL, {how}', f'{value:,} events/s', '', None)
        row('bulk over HTTP / PostgreSQL', f'{bulk / three[best]:.2f}', '>= 5 (8)',
            bulk / three[best] >= 5, f'against {best}')
        row('PostgreSQL, disk', f'{figures["postgres"]["bytes_per_event"]:,.0f} B/event', '', None)
    row('bulk over HTTP', f'{bulk:,.0f} events/s', '', None,
        f'the load itself {figures["bulk"][0]["load_cpu_us_per_event"]:.2f} us/event')
    ratios = [a['events_per_s'] / b['events_per_s']
              for a, b in zip(figures['bulk'], figures['ledger'])]
    row('bulk over HTTP / ledger', f'{median(ratios):.2f}', '>= 0.5', median(ratios) >= 0.5)
    row('ledger without HTTP', f'{ledger:,.0f} events/s', '>= 200,000 (280,000)', ledger >= 200_000,
        f'{median([r["sealed_per_s"] for r in figures["ledger"]]):,.0f} with sealing; '
        f'{median([r["cpu_us_per_event"] for r in figures["ledger"]]):.2f} us CPU/event')
    for connections, runs in figures['single'].items():
        row(f'single POSTs, {connections} connections', f'{rate(runs):,.0f} /s', '', None,
            f'p50 {median([r["p50_us"] for r in runs]):,} us, p99 '
            f'{median([r["p99_us"] for r in runs]):,} us')
    ratios = [a['events_per_s'] / b['events_per_s']
              for a, b in zip(figures['single'][256], figures['append'])]
    row('single, 256 / append and sync', f'{median(ratios):.2f}', '>= 0.6', median(ratios) >= 0.6,
        f'append and sync {rate(figures["append"]):,.0f} /s')
    row('memory while ingesting',
        f'{max(figures["bulk_memory_mib"] + [figures["fill_memory_mib"]]):,.0f} MiB', '<= 300 MB',
        max(figures['bulk_memory_mib'] + [figures['fill_memory_mib']]) * MIB <= 300e6)
    at = f'{TOTAL // 1_000_000} M events'
    row(f'disk, {at}', f'{figures["disk_bytes_per_event"]:.1f} B/event', '<= 240 (200)',
        figures['disk_bytes_per_event'] <= 240)
    row('write-ahead log', f'{figures["wal_mib"]:,.0f} MiB', '<= 768', figures['wal_mib'] <= 768)
    row(f'start, {at}', f'{figures["start_s"]:.2f} s', '<= 1', figures['start_s'] <= 1)
    limits = {'correlation': 5, 'correlation_cold': 50, 'json_string': 100, 'json_absent': 100,
              'json_number_absent': 100, 'type_outcome_range': 10}
    for name, limit in limits.items():
        if name in figures['queries']:
            took = figures['queries'][name]
            row(f'{name.replace("_", " ")}, p99', f'{took["p99_ms"]:.1f} ms', f'<= {limit}',
                took['p99_ms'] <= limit, f'p50 {took["p50_ms"]:.1f} ms, {took["count"]} asked')
    widths = [max(len(r[i]) for r in rows) for i in range(4)]
    for what, value, wanted, verdict, note in rows:
        print(f'{what:<{widths[0]}}  {value:>{widths[1]}}  {wanted:<{widths[2]}}  '
              f'{verdict:<{widths[3]}}  {note}'
              .rstrip())
    return all(r[3] != 'MISSED' for r in rows)


def main():
    try:
        measure_postgres()
    except FileNotFoundError as missing:
        say(f'without PostgreSQL: {missing}')
    measure_bulk()
    measure_singles()
    measure_large()
    if 'json' in WORDS:
        pathlib.Path(WORDS['json']).write_text(json.dumps(figures, indent=1) + '\n')
    sys.exit(0 if table() else 1)


main()
