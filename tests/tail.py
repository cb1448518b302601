# SPDX-License-Identifier: Apache-2.0
"""Live events: what is recorded comes, in the order of the log, through a filter, and again from
where a client left."""
import http.client
import json
import threading
import urllib.parse

from harness import (OWN, PATIENCE_S, Server, contains, equal, event, finish, step, true,
                     wait_until)

TAIL = '/api/v1/audit/tail'


class Stream:
    """A client of server-sent events."""

    def __init__(self, server, headers=None, key=None, **params):
        self.link = http.client.HTTPConnection('127.0.0.1', server.port, timeout=PATIENCE_S)
        self.link.request('GET', TAIL + '?' + urllib.parse.urlencode(params, True), None,
                          {'Authorization': f'Bearer {key or server.key}'} | (headers or {}))
        self.answer = self.link.getresponse()
        equal(self.answer.status, 200)
        equal(self.answer.headers['Content-Type'].split(';')[0], 'text/event-stream')
        equal(self._message(), {}, 'the comment that opens the stream')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    def _message(self):
        message = {}
        while True:
            line = self.answer.readline().decode().rstrip('\n')
            if not line:
                return message
            name, _, value = line.partition(': ')
            if name:
                message[name] = value

    def next(self):
        """The next event and its id; comments are passed over."""
        while True:
            message = self._message()
            if message:
                found = json.loads(message['data'])
                equal(message['id'], str(found['seq']), 'id of the message')
                return found

    def take(self, count):
        return [self.next()['event_data']['n'] for _ in range(count)]


    def rest(self):
        """What comes until the server ends it, comments too."""
        return self.answer.read()


def numbered(first, last, **members):
    return [event(event_data={'n': n}, **members) for n in range(first, last)]


def live(server):
    server.send(*numbered(0, 10))
    with step('a tail begins with what comes now'):
        with Stream(server) as stream:
            server.send(*numbered(10, 13))
            equal(stream.take(3), [10, 11, 12])
            server.send(*numbered(13, 14))
            got = stream.next()
            equal((got['event_data']['n'], got['seq'], len(got['leaf_hash'])), (13, OWN + 13, 64))
    with step('a tail goes through a filter'):
        with Stream(server, q='severity>=high', service='a') as stream:
            server.send(*numbered(14, 15, service='a'), *numbered(15, 16, service='a',
                        severity='high'), *numbered(16, 17, service='b', severity='critical'),
                        *numbered(17, 18, service='a', severity='alert'))
            equal(stream.take(2), [15, 17])
    with step('from= begins at a place of the log'):
        with Stream(server, **{'from': OWN + 3}) as stream:
            equal(stream.take(15), list(range(3, 18)))
    with step('Last-Event-ID goes on behind it, and misses nothing'):
        with Stream(server, {'Last-Event-ID': str(OWN + 11)}) as stream:
            equal(stream.take(6), list(range(12, 18)))
            server.send(*numbered(18, 19))
            equal(stream.take(1), [18])
    with step('Last-Event-ID counts for more than from='):
        with Stream(server, {'Last-Event-ID': str(OWN + 15)}, **{'from': 0}) as stream:
            equal(stream.take(3), [16, 17, 18])
    with step('a place beyond the end waits for it'):
        with Stream(server, **{'from': OWN + 20}) as stream:
            server.send(*numbered(19, 22))
            equal(stream.take(2), [20, 21])


def refused(server):
    for what, params, headers in (('a filter with a mistake', {'q': 'a AND'}, {}),
                                  ('an unknown field', {'actr_id': 'x'}, {}),
                                  ('an id that is none', {}, {'Last-Event-ID': 'x'}),
                                  ('a place that is none', {'from': '-1'}, {})):
        with step(f'refused: {what}'):
            server.get(TAIL, params, headers).expect_problem(400)
    with step('refused: no key'):
        server.get(TAIL, key=None).expect_problem(401)


def heads(server):
    with step('HEAD is answered at once, and watches nothing'):
        link = http.client.HTTPConnection('127.0.0.1', server.port, timeout=PATIENCE_S)
        for _ in range(50):  # each would else hold the connection until the next comment
            link.request('HEAD', TAIL, None, {'Authorization': f'Bearer {server.key}'})
            answer = link.getresponse()
            equal((answer.status, answer.read()), (200, b''))
        link.close()


def given_up(server):
    """What a key may see it may see as long as it is good, and no longer."""
    def make(**members):
        made = server.post('/api/v1/api-keys', {'name': 'watcher', 'role': 'auditor'} | members)
        return made.expect(201).json()

    def change(key, **members):
        server.request('PATCH', f'/api/v1/api-keys/{key["id"]}',
                       json.dumps(members).encode()).expect(200)

    for what, members, act in (
            ('is revoked', {}, lambda key: server.request(
                'DELETE', f'/api/v1/api-keys/{key["id"]}').expect(204)),
            ('gets a filter', {}, lambda key: change(key, filter='service=seen')),
            ('gets another filter', {'filter': 'service=seen'},
             lambda key: change(key, filter='service=other'))):
        with step(f'a tail ends when its key {what}'):
            key = make(**members)
            with Stream(server, key=key['key'], service='seen') as stream:
                server.send(*numbered(0, 1, service='seen'))
                equal(stream.take(1), [0])
                act(key)
                server.send(*numbered(1, 2, service='seen'))
                true(b'data:' not in stream.rest(), 'an event is shown')
    with step('a tail goes on when its key gets another name'):
        key = make()
        with Stream(server, key=key['key'], service='seen') as stream:
            change(key, name='renamed')
            server.send(*numbered(2, 3, service='seen'))
            equal(stream.take(1), [2])


def many(server):
    first = server.size()
    streams = [Stream(server) for _ in range(8)]
    writers = 4

    def write(number):
        for i in range(50):
            server.send(*numbered(i, i + 1, service=f'writer-{number}'))

    with step('eight tails see the same events in the order of the log while four clients write'):
        threads = [threading.Thread(target=write, args=(i,)) for i in range(writers)]
        for thread in threads:
            thread.start()
        for stream in streams:
            seqs = [stream.next()['seq'] for _ in range(writers * 50)]
            equal(seqs, list(range(first, first + writers * 50)))
        for thread in threads:
            thread.join()
    for stream in streams:
        stream.link.close()


def slow(server):
    with step('who does not read is dropped, and disturbs nobody'):
        sleeper = server.socket()
        sleeper.sendall(f'GET {TAIL} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {server.key}\r\n'
                        f'\r\n'.encode())
        contains(sleeper.recv(4096), b'200 OK')
        with Stream(server) as stream:
            first = server.size()
            bulk = {'t': 'x' * 20000}
            total = 0
            for _ in range(20):
                server.send(*[event(event_data=bulk) for _ in range(50)])
                total += 50
                seqs = [stream.next()['seq'] for _ in range(50)]
                equal(seqs, list(range(first + total - 50, first + total)))
            server.get('/health', key=None).expect(200)
        sleeper.close()
    with step('clients that leave are forgotten'):
        for _ in range(50):
            Stream(server).link.close()
        server.send(event())

        def connections():
            text = server.get('/metrics').expect(200).body.decode()
            line = next(line for line in text.splitlines()
                        if line.startswith('cairn_http_connections '))
            return float(line.split()[1]) <= 3
        wait_until(connections, 'the connections are closed')


with Server() as under_test:
    live(under_test)
    refused(under_test)
    heads(under_test)
    given_up(under_test)
    many(under_test)
    slow(under_test)
    with step('the server stops although somebody tails it'):
        last = Stream(under_test)
        under_test.stop()
        true(last.answer.read() == b'', 'the stream ends')
    under_test.start()
finish()
