# SPDX-License-Identifier: Apache-2.0
"""Everything at once for some seconds: writers, readers, tails, proofs, a seal, rude clients, a
stop in the middle. Under ThreadSanitizer (./dev tsan) this shows races anywhere in the server."""
import contextlib
import gzip
import http.client
import json
import random
import socket
import struct
import time
import uuid

from harness import (EVENTS, NDJSON, PATIENCE_S, Server, Wrong, cairn, equal, finish, lines_of,
                     step, true, wait_until)
from measure import Until

SECONDS = 5
SEGMENT = 65536
VERIFY_S = 200  # under a sanitizer, on a busy machine
RESET = struct.pack('ii', 1, 0)  # SO_LINGER: close sends RST
SERVICES = ('web', 'pay', 'ship')


def lines(count, story):
    return b''.join(
        b'{"event_id":"%s","event_type":"storm.step%d","service":"%s","actor_id":"user-%d",'
        b'"correlation_id":"%s","severity":"%s","event_data":{"n":%d,"note":"number %d of many"}}\n'
        % (str(uuid.uuid4()).encode(), n % 7, SERVICES[n % 3].encode(), n % 50, story,
           b'error' if n % 10 == 0 else b'info', n, n) for n in range(count))


class Actor(Until):
    """A client that does its part again and again over one connection, until the server stops."""

    def __init__(self, server, act):
        super().__init__(0.005)
        self.server, self.act, self.times = server, act, 0
        self.chance = random.Random(act.__name__)
        self.link = http.client.HTTPConnection('127.0.0.1', server.port, timeout=PATIENCE_S)

    def once(self):
        try:
            self.act(self)
            self.times += 1
        except (OSError, http.client.HTTPException):
            self.link.close()  # it makes a new one by itself
            if self.server.process.poll() is not None or self.is_over.wait(0.05):
                self.is_over.set()

    def ask(self, method, target, body=None, kind='application/json', statuses=(200,), **headers):
        self.link.request(method, target, body, headers | {
            'Authorization': f'Bearer {self.server.key}', 'Content-Type': kind})
        answer = self.link.getresponse()
        text = answer.read()
        # 503 is an honest answer in a storm: a queue is full, or the server stops.
        if answer.status not in (*statuses, 503):
            raise Wrong(f'{method} {target}: {answer.status} {text[:300]!r}')
        return text if answer.status != 503 else b'{}'

    def some_id(self):
        answer = self.ask('GET', f'{EVENTS}?limit=20&fields=event_id')
        found = json.loads(answer).get('data')
        return self.chance.choice(found)['event_id'] if found else None


def write_one(actor):
    actor.ask('POST', EVENTS, lines(1, b'c-1'), statuses=(201,))


def write_with_receipt(actor):
    actor.ask('POST', EVENTS + '?receipt=1', lines(1, b'c-2'), statuses=(201,))


def write_many(actor):
    actor.ask('POST', EVENTS, lines(2000, b'c-%d' % actor.times), NDJSON, (201,))


def write_packed(actor):
    body = gzip.compress(lines(300, b'c-%d' % actor.times), 1)
    actor.ask('POST', EVENTS, body, NDJSON, (201,), **{'Content-Encoding': 'gzip'})


def write_batch_twice(actor):
    body = lines(100, b'c-3')
    actor.ask('POST', EVENTS + '/batch', body, NDJSON, (201,))
    actor.ask('POST', EVENTS + '/batch', body, NDJSON, (200,))


def write_badly(actor):
    actor.ask('POST', EVENTS, lines(50, b'c-4') + b'{"event_type":\n', NDJSON, (400,))


def read_filtered(actor):
    actor.ask('GET', EVENTS + '?limit=50&q=severity%3E%3Dwarning%20service:pay%20data.n%3E30')


def read_pages(actor):
    cursor = ''
    for _ in range(4):
        answer = json.loads(actor.ask('GET', f'{EVENTS}?order=seq&limit=200{cursor}'))
        if not answer.get('page', {}).get('has_more'):
            break
        cursor = '&cursor=' + answer['page']['next_cursor']


def read_story(actor):
    actor.ask('GET', f'/api/v1/audit/timeline/c-{actor.chance.randrange(20)}')
    actor.ask('GET', f'{EVENTS}?correlation_id=c-{actor.chance.randrange(20)}&total=exact')


def read_counts(actor):
    actor.ask('GET', '/api/v1/audit/stats?group_by=service,severity&interval=1m&since=1h')


def read_words(actor):
    actor.ask('GET', EVENTS + '?limit=5&q=%22number%2042%20of%22')


def prove(actor):
    name = actor.some_id()
    if name is not None:
        actor.ask('GET', f'{EVENTS}/{name}')
        actor.ask('GET', f'{EVENTS}/{name}/proof')


def follow_the_log(actor):
    note = actor.ask('GET', '/checkpoint').split(b'\n')
    covered = int(note[1]) if len(note) > 1 else 0
    size = json.loads(actor.ask('GET', '/api/v1/log')).get('size', covered)
    true(size >= covered, 'a checkpoint covers what is not there')
    if covered >= 2:
        actor.ask('GET', f'/api/v1/log/proof/consistency?old={covered // 2}&new={covered}')
        actor.ask('GET', f'/tile/0/000{"" if covered >= 256 else f".p/{covered}"}')


def watch_metrics(actor):
    actor.ask('GET', '/metrics')
    actor.ask('GET', '/health/ready')


def rotate(actor):
    actor.ask('POST', '/api/v1/log/keys/rotate', b'{}')
    actor.is_over.wait(1)


def tail(actor):
    """Follows the log for a while, then leaves, sometimes rudely."""
    place = f'from={max(0, actor.server.size() - 100)}' if actor.chance.random() < 0.5 else (
        'q=severity%3E%3Dwarning')
    with actor.server.socket() as link:
        link.sendall(f'GET /api/v1/audit/tail?{place} HTTP/1.1\r\nHost: h\r\n'
                     f'Authorization: Bearer {actor.server.key}\r\n\r\n'.encode())
        end = time.monotonic() + actor.chance.uniform(0.05, 0.8)
        link.settimeout(0.2)
        while time.monotonic() < end and not actor.is_over.is_set():
            with contextlib.suppress(TimeoutError):
                if not link.recv(65536):
                    break
        if actor.chance.random() < 0.5:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def be_rude(actor):
    """A request, or a part of it, and gone before the answer."""
    actor.is_over.wait(0.02)
    body = lines(20, b'c-5')
    wish = actor.chance.choice(('', '?receipt=1'))
    text = (f'POST {EVENTS}{wish} HTTP/1.1\r\nHost: h\r\n'
            f'Authorization: Bearer {actor.server.key}\r\n'
            f'Content-Type: {NDJSON}\r\nContent-Length: {len(body)}\r\n\r\n').encode() + body
    with actor.server.socket() as link:
        link.sendall(text[:actor.chance.randrange(1, len(text) + 1)])
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


ACTS = (write_one, write_with_receipt, write_many, write_packed, write_batch_twice, write_badly,
        read_filtered, read_pages, read_story, read_counts, read_words, prove, follow_the_log,
        watch_metrics, rotate, tail, tail, be_rude)


def act_all(server, condition):
    with contextlib.ExitStack() as stack:
        actors = [stack.enter_context(Actor(server, act)) for act in ACTS]
        condition(actors)
    return actors


def must_be_fine(actors):
    for actor in actors:
        true(actor.problem is None, f'{actor.act.__name__}: {actor.problem!r}')
    print('# ' + ', '.join(f'{actor.act.__name__} {actor.times}' for actor in actors))


def weather(server, actors):
    """Some seconds at least, until a segment is sealed and everybody got through or failed."""
    end = time.monotonic() + SECONDS

    def is_over():
        server.must_live()
        text = server.get('/metrics').expect(200).body
        return (time.monotonic() > end and b'\ncairn_segments 0\n' not in text
                and all(actor.times > 0 or actor.problem for actor in actors))
    wait_until(is_over, 'a segment is sealed', 90)


under_test = Server('--checkpoint-interval-ms', '50', '--cache-bytes-max', '1MiB').start()
with step('almost a segment of events, so that the storm fills it'):
    under_test.post(EVENTS, lines(SEGMENT - 1000, b'c-6'), kind=NDJSON).expect(201)
with step('everybody at once, while a segment is sealed'):
    must_be_fine(act_all(under_test, lambda actors: weather(under_test, actors)))
    under_test.must_live()
with step('cairn verify, while the server runs'):
    verified = lines_of(cairn('verify', under_test.data, timeout=VERIFY_S))[0]
    equal(verified['whole'], True)
with step('SIGTERM in the middle of it ends the server in order'):
    act_all(under_test, lambda _: (time.sleep(0.5), under_test.stop()))
with step('it starts again, and stops in order'):
    under_test.start()
    under_test.stop()
with step('cairn verify, when all is over'):
    verified = lines_of(cairn('verify', under_test.data, timeout=VERIFY_S))[0]
    equal((verified['whole'], verified['unchecked']), (True, 0))
    print(f'# {verified["events"]} events')
finish()
