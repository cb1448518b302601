# SPDX-License-Identifier: Apache-2.0
"""Limits and quotas in a Redis that servers share: exact together, and what happens without it."""
import concurrent.futures
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time

from harness import (PATIENCE_S, SLOWNESS, Server, contains, equal, finish, scratch, step, true,
                     wait_until)

LOG = '/api/v1/log'
VALIDATE = '/api/v1/validate'
GOOD = b'{"output":{"a":1},"rules":[{"type":"required","name":"r","field":"a"}]}'
PASSWORD = 'wonderland'


class Redis:
    """A redis-server of our own, on a free port."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            self.port = free.getsockname()[1]
        self.url = f'redis://:{PASSWORD}@127.0.0.1:{self.port}/3'
        self.process = None

    def start(self):
        with open(scratch('redis.log'), 'ab') as log:
            self.process = subprocess.Popen(
                ['redis-server', '--port', str(self.port), '--bind', '127.0.0.1', '--save', '',
                 '--appendonly', 'no', '--requirepass', PASSWORD, '--dir', str(scratch(''))],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._answers, 'Redis answers')

    def _answers(self):
        with contextlib.suppress(OSError):
            with socket.create_connection(('127.0.0.1', self.port), PATIENCE_S) as connection:
                connection.sendall(b'PING\r\n')
                return b'NOAUTH' in connection.recv(100)
        return False

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def limited(server, **members):
    """Gives the organisation `default`, which every server has, limits of its own."""
    change = {'tier': 'ENTERPRISE'} | members
    server.request('PATCH', '/api/v1/organizations/default', json.dumps(change)).expect(200)


def post(server, target, body):
    return server.request('POST', target, body, {'Content-Type': 'application/json'})


def metric(server, name):
    for line in server.get('/metrics', key=None).expect(200).body.decode().splitlines():
        if line.startswith(name + ' '):
            return float(line.rpartition(' ')[2])
    return None


def outages(server):
    """The events of Redis, oldest first. They are read by a key that has no limits."""
    found = server.query(event_type='system.error', order='asc')['data']
    return [event['event_data']['error_code'] for event in found]


def together(redis):
    first, second = (Server('--redis-url', redis.url).start() for _ in range(2))
    servers = (first, second)
    with step('LIM-11: two servers that share a Redis are exact together'):
        for server in servers:
            limited(server, requests_per_minute=40)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda n: servers[n % 2].get(LOG).status, range(100)))
        equal((answers.count(200), answers.count(429)), (40, 60))
    with step('a refusal says the same on both'):
        for server in servers:
            answer = server.get(LOG).expect(429)
            equal(answer.json()['message'], 'Rate limit exceeded: 40 requests per minute')
            equal(answer.headers['Retry-After'], str(answer.json()['retry_after']))
    with step('what was counted survives a restart of the server'):
        first.stop()
        first.start()
        first.get(LOG).expect(429)
    with step('health and metrics of both have Redis'):
        for server in servers:
            redis_health = server.get('/health/redis', key=None).expect(200).json()
            equal(sorted(redis_health),
                  ['connected_clients', 'memory_peak_mb', 'memory_used_mb', 'response_time_ms',
                   'status', 'total_commands_processed'])
            equal(redis_health['status'], 'healthy')
            true(redis_health['connected_clients'] >= 2, redis_health)
            true(0 < redis_health['memory_used_mb'] <= redis_health['memory_peak_mb'],
                 redis_health)
            component = server.get('/health', key=None).expect(200).json()['components']['redis']
            equal(sorted(component), ['connected_clients', 'memory_used_mb', 'response_time_ms',
                                      'status'])
            equal((metric(server, 'cairn_redis_up'), metric(server, 'cairn_redis_outages_total')),
                  (1, 0))
        equal(metric(second, 'cairn_limits_refused_total{kind="organization"}') > 0, True)
    for server in servers:
        server.stop()


def administration(redis):
    first, second = (Server('--redis-url', redis.url).start() for _ in range(2))
    with step('LIM-11, LIM-13: a quota is exact together, too'):
        for server in (first, second):
            limited(server, tier='unlimited', monthly_quota=10)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(
                lambda n: post((first, second)[n % 2], VALIDATE, GOOD).status, range(30)))
        equal((answers.count(200), answers.count(429)), (10, 20))
    with step('LIM-08: one server lists and resets what the other counted'):
        limited(first, requests_per_minute=5)
        equal([first.get(LOG).status for _ in range(6)][-1], 429)
        limited_entry = second.get('/api/v1/limits', {'org': 'default'}).expect(200).json()
        equal(limited_entry['data'][0]['quota']['used'], 10)
        keys = second.get('/api/v1/limits', {'kind': 'key'}).expect(200).json()['data']
        true(len(keys) >= 1, 'keys')
        post(second, '/api/v1/limits/default/reset', b'{}').expect(200)
        equal([first.get(LOG).status for _ in range(6)], [200] * 5 + [429])
    for server in (first, second):
        server.stop()


def tenant_key(server):
    """Of an organisation with limits, so that the first one's key stays free of them."""
    org = server.post('/api/v1/organizations', {'name': 't', 'tier': 'FREE'}).expect(201).json()
    key = server.post(f'/api/v1/api-keys?org={org["id"]}', {'name': 'k', 'role': 'owner'})
    return key.expect(201).json()['key']


def is_away(server):
    return server.get('/health/redis', key=None).status == 503


def open_without(redis):
    server = Server('--redis-url', redis.url).start()
    key = tenant_key(server)
    with step('Redis goes: what is counted passes, uncounted and without headers'):
        equal(server.get(LOG, key=key).expect(200).headers['X-RateLimit-Limit'], '10')
        redis.kill()
        wait_until(lambda: is_away(server), 'it is noticed')
        for _ in range(15):
            answer = server.get(LOG, key=key).expect(200)
        equal(answer.headers['X-RateLimit-Limit'], None)
        post(server, VALIDATE, GOOD).expect(200)
    with step('health is degraded, and the server is ready'):
        health = server.get('/health', key=None).expect(200).json()
        equal((health['status'], health['components']['redis']['status']),
              ('degraded', 'unhealthy'))
        equal(server.get('/health/ready', key=None).expect(200).json()['ready'], True)
        answer = server.get('/health/redis', key=None).expect(503).json()
        equal((answer['status'], answer['memory_used_mb']), ('unhealthy', None))
        true(str(redis.port) not in str(health), 'nothing of where Redis is')
    with step('metrics say so'):
        equal((metric(server, 'cairn_redis_up'), metric(server, 'cairn_redis_outages_total')),
              (0, 1))
        true(metric(server, 'cairn_limits_unjudged_total{answer="passed"}') >= 15, 'unjudged')
    with step('one event tells of it, and a line of the log without the password'):
        wait_until(lambda: outages(server) == ['redis_away'], 'the event')
        found = server.query(event_type='system.error')['data'][0]
        equal((found['event_category'], found['event_outcome'], found['event_data']['when_away']),
              ('system', 'failure', 'open'))
        contains(server.log_path.read_text(), 'Redis is away')
    with step('what cannot be known is not shown'):
        contains(str(server.get('/api/v1/limits').expect_problem(503)), 'Redis')
        contains(str(server.get('/api/v1/limits?kind=key').expect_problem(503)), 'Redis')
        server.get('/api/v1/limits/analytics').expect_problem(503)
        post(server, '/api/v1/limits/default/reset', b'{}').expect_problem(503)
    with step('Redis comes back: it counts again'):
        redis.start()
        wait_until(lambda: not is_away(server), 'it is noticed')
        equal(server.get(LOG, key=key).expect(200).headers['X-RateLimit-Limit'], '10')
        wait_until(lambda: server.get('/health', key=None).json()['status'] == 'healthy', 'health')
        wait_until(lambda: outages(server) == ['redis_away', 'redis_back'], 'the event')
        equal(metric(server, 'cairn_redis_up'), 1)
    with step('a second outage is a second pair of events'):
        redis.kill()
        wait_until(lambda: len(outages(server)) == 3, 'away')
        redis.start()
        wait_until(lambda: len(outages(server)) == 4, 'back')
    with step('its URL, which has a password, is neither logged nor shown'):
        true(PASSWORD not in server.log_path.read_text(), 'the password is in the log')
        settings = server.get('/api/v1/settings').expect(200).body.decode()
        contains(settings, '"redis.url"')
        true(PASSWORD not in settings, 'the password is shown')
        true(PASSWORD not in str(server.query(limit=1000, org='*')), 'the password is in an event')
    server.stop()


def closed_without(redis):
    server = Server('--redis-url', redis.url, '--redis-when-away', 'closed').start()
    key = tenant_key(server)
    with step('closed: what would be counted is refused while Redis is away'):
        server.get(LOG, key=key).expect(200)
        redis.kill()
        wait_until(lambda: is_away(server), 'it is noticed')
        server.get(LOG, key=key).expect_problem(503)
        server.request('POST', VALIDATE, GOOD, {'Content-Type': 'application/json'},
                       key=key).expect_problem(503)
    with step('who has no limits is served'):
        server.get(LOG).expect(200)
        post(server, VALIDATE, GOOD).expect(200)
    with step('the server is not ready'):
        ready = server.get('/health/ready', key=None).expect(503).json()
        equal((ready['ready'], ready['components']['redis']['status']), (False, 'unhealthy'))
        contains(ready['reason'], 'Redis')
        equal(server.get('/health', key=None).expect(503).json()['status'], 'unhealthy')
        server.get('/health/live', key=None).expect(200)
        true(metric(server, 'cairn_limits_unjudged_total{answer="refused"}') >= 1, 'unjudged')
    with step('and is again when Redis is back'):
        redis.start()
        wait_until(lambda: server.get('/health/ready', key=None).status == 200, 'ready')
        server.get(LOG, key=key).expect(200)
    server.stop()


def starts_without(redis):
    redis.kill()
    server = Server(prefix=('env', f'REDIS_URL={redis.url}')).start()
    with step('a server starts without its Redis, and uses it when it comes'):
        equal(server.get('/health', key=None).expect(200).json()['status'], 'degraded')
        wait_until(lambda: outages(server) == ['redis_away'], 'the event')
        key = tenant_key(server)
        equal(server.get(LOG, key=key).expect(200).headers['X-RateLimit-Limit'], None)
        redis.start()
        wait_until(lambda: not is_away(server), 'it is noticed')
        equal(server.get(LOG, key=key).expect(200).headers['X-RateLimit-Limit'], '10')
    with step('a Redis that says nothing holds up nobody but who is counted, and not for long'):
        redis.pause()
        took = []

        def ask():
            begun = time.monotonic()
            server.get(LOG, key=key).expect(200)
            took.append(time.monotonic() - begun)

        asking = threading.Thread(target=ask)
        asking.start()
        begun = time.monotonic()
        while asking.is_alive():
            probe = time.monotonic()
            server.get('/health/live', key=None).expect(200)
            true(time.monotonic() - probe < 0.2 * SLOWNESS, 'the loop waits for Redis')
        asking.join()
        print(f'# a request that Redis left without an answer: {took[0] * 1000:.0f} ms, '
              f'beside it probes for {(time.monotonic() - begun) * 1000:.0f} ms')
        true(took[0] < 2 * SLOWNESS, f'{took[0]} s')
        wait_until(lambda: 'no answer in time' in server.log_path.read_text(), 'the log says so')
        redis.resume()
        wait_until(lambda: not is_away(server), 'it is back')
    server.stop()


def refused():
    with step('a URL that is none is refused, without what may be a password'):
        for url in ('rediss://:wonderland@127.0.0.1', 'redis://:wonderland@', 'wonderland'):
            said = Server('--redis-url', url).refuses_to_start(1, 'redis.url')
            true(PASSWORD not in said, said)
    with step('without a Redis its health says that there is none'):
        with Server() as server:
            equal(server.get('/health/redis', key=None).expect(200).json(),
                  {'status': 'disabled'})
            true('redis' not in server.get('/health', key=None).json()['components'], 'redis')
            equal(metric(server, 'cairn_redis_up'), None)


ours = Redis()
try:
    ours.start()
    together(ours)
    ours.kill()
    ours.start()
    administration(ours)
    open_without(ours)
    closed_without(ours)
    starts_without(ours)
    refused()
finally:
    if ours.process is not None and ours.process.poll() is None:
        os.kill(ours.process.pid, signal.SIGCONT)
    ours.kill()
finish()
