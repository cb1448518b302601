# SPDX-License-Identifier: Apache-2.0
"""Health: what a probe, a balancer and an operator see, while it runs, while it stops, and when the
disk is full."""
import contextlib
import os
import signal
import time

from harness import (EVENTS, Server, contains, equal, event, finish, scratch, step, true,
                     wait_until)


def parts(server):
    with step('HLT-01, HLT-08: health tells status, time and components'):
        for path in ('/health', '/health/'):
            health = server.get(path, key=None).expect(200).json()
            equal(health['status'], 'healthy')
            true('timestamp' in health and 'system' not in health, health)
            database = health['components']['database']
            equal((database['status'], database['connection_pool']['size']), ('healthy', 4))
            true(0 <= database['response_time_ms'] < 100, database)
            true(1 <= database['connection_pool']['checked_out'] <= 4, database)
            application = health['components']['application']
            true(application['version'] and application['uptime_seconds'] >= 0, application)
    with step('HLT-02: live'):
        for path in ('/health/live', '/healthz', '/livez'):
            live = server.get(path, key=None).expect(200).json()
            equal(live['status'], 'healthy')
            true(live['timestamp'], live)
    with step('HLT-03: ready'):
        for path in ('/health/ready', '/readyz'):
            ready = server.get(path, key=None).expect(200).json()
            equal((ready['ready'], ready['components']['database']['status']), (True, 'healthy'))
    with step('HLT-04: the database, with its pool'):
        database = server.get('/health/database', key=None).expect(200).json()
        equal(sorted(database), ['connection_pool', 'response_time_ms', 'status'])
        equal(sorted(database['connection_pool']), ['checked_out', 'overflow', 'size'])
    with step('HLT-08: details and system figures are for operators'):
        server.get('/health/detailed', key=None).expect_problem(401)
        system = server.get('/health/detailed').expect(200).json()['system']
        true(system['resident_bytes'] > 1 << 20 and system['processors'] > 0, system)
        true(system['threads'] > 1 and system['descriptors'] > 3, system)
    with step('HLT-11: /api/health and /api/ready'):
        equal(server.get('/api/health', key=None).expect(200).json()['status'], 'ok')
        ready = server.get('/api/ready', key=None).expect(200).json()
        equal((ready['status'], ready['checks']),
              ('ready', {'database': True, 'database_write': True, 'signing_key': True}))
    with step('HLT-16: nothing that a stranger should not know'):
        for path in ('/health', '/health/ready', '/health/database', '/api/ready'):
            body = server.get(path, key=None).body.decode()
            true(str(server.data) not in body and '127.0.0.1' not in body, body)
    with step('HLT-07: all checks together take less than 100 ms'):
        begun = time.monotonic()
        for path in ('/health', '/health/live', '/health/ready', '/health/database'):
            server.get(path, key=None).expect(200)
        took = time.monotonic() - begun
        print(f'# four checks, each with a connection of its own: {took * 1000:.1f} ms')
        true(took < 0.4, f'{took} s')
    with step('HEAD works for probes'):
        for path in ('/health', '/health/live', '/health/ready', '/healthz'):
            equal(server.request('HEAD', path, key=None).expect(200).body, b'')


def disk_is_full():
    with Server(usual=('--wal-file-bytes', '32MiB', '--disk-reserve-bytes', '1TiB')) as server:
        with step('HLT-09: below the reserve it is degraded: reads go on, writes do not'):
            server.post(EVENTS, event()).expect(507)
            health = server.get('/health', key=None).expect(200).json()
            equal((health['status'], health['components']['store']['status']),
                  ('degraded', 'degraded'))
            equal(server.get('/health/ready', key=None).expect(200).json()['ready'], True)
            ready = server.get('/api/ready', key=None).expect(503).json()
            equal((ready['status'], ready['checks']['database_write']), ('not_ready', False))
            server.get(EVENTS).expect(200)


def it_stops():
    server = Server('--drain-ms', '10min').start()
    with step('HLT-15: readiness turns first, and all else goes on'):
        server.process.send_signal(signal.SIGTERM)
        ready = wait_until(lambda: not_ready(server), 'readiness is 503').json()
        equal((ready['ready'], ready['reason']), (False, 'stopping'))
        server.post(EVENTS, event()).expect(201)
        server.get('/health/live', key=None).expect(200)
        equal(server.get('/health', key=None).expect(503).json()['status'], 'unhealthy')
        contains(server.get('/health/ready', key=None).headers['Retry-After'], '1')
    with step('a process that is frozen and goes on still waits'):
        before = server.log_path.read_text().count('stopping')
        for number in (signal.SIGSTOP, signal.SIGCONT):
            server.process.send_signal(number)
        for _ in range(50):
            equal(not_ready(server).json()['reason'], 'stopping')
        equal(server.log_path.read_text().count('stopping'), before)
    with step('a second signal ends the waiting'):
        server.stop()


def not_ready(server):
    answer = server.get('/health/ready', key=None)
    return answer if answer.status == 503 else None


def switched_off():
    setting = '/api/v1/settings/health.enabled'
    with Server() as server:
        with step('HLT-10: without checks health tells only that it runs, from the next probe on'):
            server.request('PUT', setting, '{"value": "false"}').expect(200)
            for path in ('/health', '/health/ready'):
                health = server.get(path, key=None).expect(200).json()
                equal((health['status'], health['checks']), ('healthy', 'disabled'))
                equal(list(health['components']), ['application'])
            equal(server.get('/health/database', key=None).expect(200).json(),
                  {'status': 'disabled'})
            server.get('/api/ready', key=None).expect(200)
            server.get('/health/live', key=None).expect(200)
            server.request('DELETE', setting).expect(200)
            true('database' in server.get('/health', key=None).json()['components'], 'the database')
    with Server(prefix=('env', 'ENABLE_HEALTH_CHECKS=false')) as server:
        with step('HLT-10: the seed\'s variable does the same'):
            equal(server.get('/health', key=None).expect(200).json()['checks'], 'disabled')


def watched():
    usual = ('--wal-file-bytes', '32MiB', '--log-format', 'logfmt')
    with Server(usual=usual, prefix=('env', 'HEALTH_CHECK_INTERVAL_SECONDS=1')) as server:
        reserve = '/api/v1/settings/disk_reserve_bytes'
        with step('HLT-10: the parts are looked at when nobody asks, and what gets worse is told'):
            shown = server.get('/api/v1/settings/health.interval_ms').expect(200).json()
            equal((shown['value'], shown['source']), ('1s', 'environment'))
            server.request('PUT', reserve, '{"value": "1TiB"}').expect(200)
            wait_until(lambda: 'the health is worse' in server.log_path.read_text(),
                       'a line of the log')
            contains(server.log_path.read_text(), 'status=degraded component=store')
        with step('and what gets better too'):
            server.request('DELETE', reserve).expect(200)
            wait_until(lambda: 'the health is better' in server.log_path.read_text(),
                       'a line of the log')


def not_ready_yet():
    """Its examples are a pipe, which it cannot open before somebody writes to it."""
    examples = scratch('examples')
    examples.mkdir()
    os.mkfifo(examples / 'a.ndjson')

    def end_pipe():
        server.must_live()
        with contextlib.suppress(OSError):  # it has not opened its end yet
            os.close(os.open(examples / 'a.ndjson', os.O_WRONLY | os.O_NONBLOCK))
            return True
        return False
    server = Server('--examples', str(examples)).listen()
    with step('while the examples are loaded it is not ready, and says why'):
        problem = server.get('/health/ready', key=None).expect(503).json()
        equal(problem['reason'], 'loading the examples')
    for path in ('/health', '/health/detailed', '/metrics', '/api/v1/limits', '/api/v1/log'):
        with step(f'and {path} answers all the same'):
            true(server.get(path).status in (200, 503), path)
    with step('behind them it is ready'):
        wait_until(end_pipe, 'the examples are being read')
        wait_until(lambda: server.get('/health/ready', key=None).status == 200, 'it is ready')
        server.stop()


not_ready_yet()
with Server() as under_test:
    under_test.send(event())
    parts(under_test)
disk_is_full()
it_stops()
switched_off()
watched()
finish()
