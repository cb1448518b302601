# SPDX-License-Identifier: Apache-2.0
"""The front door: what is ambiguous is refused, what is slow is ended, what is correct but odd
works, and none of it costs memory."""
import http.client
import json
import re
import socket
import struct
import threading
import time

from harness import (EVENTS, NDJSON, PATIENCE_S, Server, Wrong, contains, equal, event, finish,
                     ndjson, step, true, wait_until)
from measure import Meter, Neighbour, anon_kib

HOST = 'Host: h\r\n'
BODY_KIB = 32 * 1024  # more than that for a body of 64 MB would be a buffer of it
RESETS_KIB = 16 * 1024


class Wire:
    """A connection as bytes."""

    def __init__(self, server, data=b''):
        self.socket = server.socket()
        self.buffer = b''
        self.send(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        if isinstance(data, str):
            data = data.encode('latin-1')
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the answer was made before all was sent

    def read(self):
        """All that comes until the server closes."""
        while True:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                return self.buffer
            if not piece:
                return self.buffer
            self.buffer += piece

    def answer(self, has_body=True):
        """The next answer: status, headers in lower case, body."""
        head = self._until(b'\r\n\r\n')
        lines = head.decode('latin-1').split('\r\n')
        version, status = lines[0].split(' ')[:2]
        true(version == 'HTTP/1.1', f'the answer begins with {lines[0]}')
        headers = {name.lower(): value for name, value in
                   (line.split(': ', 1) for line in lines[1:] if line)}
        body = b''
        if has_body and int(status) >= 200 and int(status) not in (204, 304):
            body = self._take(int(headers['content-length']))
        return int(status), headers, body

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise Wrong(f'the connection ends after {self.buffer[-200:]!r}')
        self.buffer += piece

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        at = self.buffer.index(mark) + len(mark)
        part, self.buffer = self.buffer[:at], self.buffer[at:]
        return part

    def _take(self, count):
        while len(self.buffer) < count:
            self._more()
        part, self.buffer = self.buffer[:count], self.buffer[count:]
        return part


def is_alone(server):
    """No connection is open but the one that asks."""
    return b'cairn_http_connections 1\n' in server.get('/metrics').expect(200).body


def refusals(server):
    post = f'POST {EVENTS} HTTP/1.1\r\n{HOST}Authorization: Bearer {server.key}\r\n'
    body = '{"event_type":"smuggled"}'
    length = f'Content-Length: {len(body)}\r\n'
    rows = (
        # sentence, request, statuses
        ('garbage', 'asdf qwer\r\n\r\n', (400,)),
        ('bytes of TLS', b'\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', (400,)),
        ('an empty line alone', '\r\n\r\n', (400,)),
        ('version 9.9', f'GET /health HTTP/9.9\r\n{HOST}\r\n', (400, 505)),
        ('version 2.0', f'GET /health HTTP/2.0\r\n{HOST}\r\n', (400, 505)),
        ('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', (400, 505)),
        ('HTTP/0.9', 'GET /health\r\n\r\n', (400,)),
        ('no Host in 1.1', 'GET /health HTTP/1.1\r\n\r\n', (400,)),
        ('two Hosts', f'GET /health HTTP/1.1\r\n{HOST}Host: i\r\n\r\n', (400,)),
        ('two Content-Lengths that differ', f'{post}{length}Content-Length: 3\r\n\r\n{body}',
         (400,)),
        ('two Content-Lengths alike', f'{post}{length}{length}\r\n{body}', (400,)),
        ('a list of Content-Lengths', f'{post}Content-Length: 25, 25\r\n\r\n{body}', (400,)),
        ('Content-Length and Transfer-Encoding',
         f'{post}{length}Transfer-Encoding: chunked\r\n\r\n19\r\n{body}\r\n0\r\n\r\n', (400,)),
        ('Content-Length -1', f'{post}Content-Length: -1\r\n\r\n', (400,)),
        ('Content-Length +2', f'{post}Content-Length: +2\r\n\r\n{{}}', (400,)),
        ('Content-Length 2x', f'{post}Content-Length: 2x\r\n\r\n{{}}', (400,)),
        ('Content-Length 0x2', f'{post}Content-Length: 0x2\r\n\r\n{{}}', (400,)),
        ('an empty Content-Length', f'{post}Content-Length: \r\n\r\n{{}}', (400,)),
        ('Content-Length 2^64+2', f'{post}Content-Length: 18446744073709551618\r\n\r\n{{}}',
         (400, 413)),
        ('Content-Length of 300 MB', f'{post}Content-Length: 300000000\r\n\r\n', (413,)),
        ('a chunk of size zz', f'{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n',
         (400,)),
        ('a chunk of size -1', f'{post}Transfer-Encoding: chunked\r\n\r\n-1\r\n{{}}\r\n0\r\n\r\n',
         (400,)),
        ('a chunk whose size overflows',
         f'{post}Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{{}}\r\n0\r\n\r\n',
         (400, 413)),
        ('a chunk longer than its size',
         f'{post}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}x\r\n0\r\n\r\n', (400,)),
        ('a chunk with a bare line feed',
         f'{post}Transfer-Encoding: chunked\r\n\r\n2\n{{}}\r\n0\r\n\r\n', (400,)),
        ('a trailer', f'{post}Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n', (400,)),
        ('Transfer-Encoding: xchunked',
         f'{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n', (400, 501)),
        ('Transfer-Encoding: chunked, identity',
         f'{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n', (400, 501)),
        ('Transfer-Encoding twice', f'{post}Transfer-Encoding: chunked\r\n'
         'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', (400,)),
        ('Transfer-Encoding in 1.0', f'POST {EVENTS} HTTP/1.0\r\n{HOST}'
         'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', (400,)),
        ('a space before the colon', f'GET /health HTTP/1.1\r\n{HOST}Accept : x\r\n\r\n', (400,)),
        ('a space before the colon of Content-Length',
         f'{post}Content-Length : {len(body)}\r\n\r\n{body}', (400,)),
        ('a folded line', f'GET /health HTTP/1.1\r\n{HOST}X-A: b\r\n c\r\n\r\n', (400,)),
        ('a folded first line', f'GET /health HTTP/1.1\r\n {HOST}\r\n', (400,)),
        ('NUL in a value', f'GET /health HTTP/1.1\r\n{HOST}X-A: b\0c\r\n\r\n', (400,)),
        ('DEL in a value', f'GET /health HTTP/1.1\r\n{HOST}X-A: b\x7fc\r\n\r\n', (400,)),
        ('a bare CR in a value', f'GET /health HTTP/1.1\r\n{HOST}X-A: b\rc\r\n\r\n', (400,)),
        ('a bare LF', 'GET /health HTTP/1.1\nHost: h\n\n', (400,)),
        ('one bare LF', f'GET /health HTTP/1.1\r\n{HOST}X-A: b\nX-B: c\r\n\r\n', (400,)),
        ('a header without a colon', f'GET /health HTTP/1.1\r\n{HOST}nothing\r\n\r\n', (400,)),
        ('a header without a name', f'GET /health HTTP/1.1\r\n{HOST}: x\r\n\r\n', (400,)),
        ('a control character in the URI', f'GET /hea\x01lth HTTP/1.1\r\n{HOST}\r\n', (400,)),
        ('a space in the URI', f'GET /hea lth HTTP/1.1\r\n{HOST}\r\n', (400,)),
        ('a byte of Latin-1 in the URI', f'GET /h\xe9alth HTTP/1.1\r\n{HOST}\r\n', (400,)),
        ('a fragment in the URI', f'GET /health#x HTTP/1.1\r\n{HOST}\r\n', (400,)),
        ('no slash at the start of the URI', f'GET health HTTP/1.1\r\n{HOST}\r\n', (400,)),
        ('a header of 100 KB', f'GET /health HTTP/1.1\r\n{HOST}X-A: {"b" * 100000}\r\n\r\n',
         (431,)),
        ('a URI of 100 KB', f'GET /{"a" * 100000} HTTP/1.1\r\n{HOST}\r\n', (414,)),
        ('5000 headers', f'GET /health HTTP/1.1\r\n{HOST}'
         + 'A: b\r\n' * 5000 + '\r\n', (431,)),
        ('a POST without a length', f'{post}\r\n{body}', (411,)),
        ('a method in lower case', f'get /health HTTP/1.1\r\n{HOST}\r\n', (501,)),
        ('a method that is none', f'BREW /health HTTP/1.1\r\n{HOST}\r\n', (501,)),
        ('CONNECT', 'CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n', (400, 405, 501)),
        ('an expectation that is not known', f'{post}{length}Expect: miracles\r\n\r\n', (417,)),
    )
    size = server.size()
    for sentence, request, statuses in rows:
        with step(f'refused and closed: {sentence}'):
            with Wire(server, request) as wire:
                got = wire.read()
            first = got.split(b'\r\n', 1)[0]
            true(first.startswith(b'HTTP/1.1 ') and int(first.split(b' ')[1]) in statuses,
                 f'expected one of {statuses}, got {got[:300]!r}')
            equal(len(re.findall(rb'HTTP/1\.1 \d\d\d ', got)), 1, 'answers')
            contains(got.lower(), b'connection: close')
            contains(got, b'application/problem+json')
    with step('nothing was smuggled in by any of them'):
        equal(server.size(), size)


def manners(server):
    key = f'Authorization: Bearer {server.key}\r\n'
    def post(text, extra=''):
        return (f'POST {EVENTS} HTTP/1.1\r\n{HOST}{key}{extra}'
                f'Content-Length: {len(text)}\r\n\r\n{text}')

    with step('100 Continue comes before the body, and the answer after it'):
        with Wire(server, post('', '').replace('Content-Length: 0', 'Content-Length: 20\r\n'
                                               'Expect: 100-continue')) as wire:
            equal(wire.answer(has_body=False)[0], 100)
            wire.send('{"event_type":"a.b"}')
            equal(wire.answer()[0], 201)
    for sentence, head, status in (
            ('without a key', f'POST {EVENTS} HTTP/1.1\r\n{HOST}Content-Length: 20\r\n', 401),
            ('that is too large',
             f'POST {EVENTS} HTTP/1.1\r\n{HOST}{key}Content-Length: 99999999\r\n', 413),
            ('to nowhere', f'POST /nowhere HTTP/1.1\r\n{HOST}{key}Content-Length: 20\r\n', 404)):
        with step(f'no 100 Continue for a request {sentence}'):
            with Wire(server, f'{head}Expect: 100-continue\r\n\r\n') as wire:
                equal(wire.answer()[0], status)
    with step('ten POSTs in one go are answered in order'):
        names = [f'pipe.{i}' for i in range(10)]
        texts = [post(json.dumps({'event_type': name})) for name in names]
        with Wire(server, ''.join(texts)) as wire:
            seqs = [json.loads(wire.answer()[2])['seq'] for _ in names]
        equal(seqs, sorted(seqs))
        found = server.query(event_type='pipe.*', order='seq')['data']
        equal([item['event_type'] for item in found], names)
    with step('a hundred GETs in one go are answered, and the connection stays'):
        get = f'GET /health/live HTTP/1.1\r\n{HOST}\r\n'
        with Wire(server, get * 100) as wire:
            equal([wire.answer()[0] for _ in range(100)], [200] * 100)
            wire.send(get)
            equal(wire.answer()[0], 200)
    with step('a refusal in the middle of a pipeline ends it'):
        with Wire(server, get + 'GET /health HTTP/1.1\r\n\r\n' + get) as wire:
            got = wire.read()
        equal((got.count(b'HTTP/1.1 '), got.count(b'HTTP/1.1 400')), (2, 1))
    with step('HTTP/1.0 is answered and closed'):
        with Wire(server, 'GET /health/live HTTP/1.0\r\n\r\n') as wire:
            contains(wire.read(), b'200 OK')
    with step('HTTP/1.0 with keep-alive stays'):
        with Wire(server, 'GET /health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n') as wire:
            status, headers, _ = wire.answer()
            equal((status, headers.get('connection', '').lower()), (200, 'keep-alive'))
            wire.send('GET /health/live HTTP/1.0\r\n\r\n')
            equal(wire.answer()[0], 200)
    with step('Connection: close is kept'):
        with Wire(server, f'GET /health/live HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n') as wire:
            got = wire.read().lower()
            contains(got, b'connection: close')
    with step('HEAD has the headers of GET and no body'):
        with Wire(server) as wire:
            wire.send(f'HEAD /health/live HTTP/1.1\r\n{HOST}\r\n')
            status, headers, _ = wire.answer(has_body=False)
            equal((status, headers['content-length']), (200, '62'))
            wire.send(f'HEAD /nothing HTTP/1.1\r\n{HOST}\r\n')
            equal(wire.answer(has_body=False)[0], 404)
            wire.send(get)
            contains(wire.answer()[2], b'{"status":"healthy"')
    with step('OPTIONS says what a path takes'):
        answer = server.request('OPTIONS', EVENTS, key=None)
        equal(answer.status, 204)
        equal(sorted(answer.headers['Allow'].split(', ')), ['GET', 'HEAD', 'OPTIONS', 'POST'])
        equal(server.request('OPTIONS', '*', key=None).status, 204)
    for method in ('PUT', 'PATCH', 'DELETE'):
        with step(f'{method} of an event is not taken'):
            answer = server.request(method, EVENTS, b'{}')
            answer.expect_problem(405)
            contains(answer.headers['Allow'], 'POST')
    for path in ('/', '/nothing', '/api/v1', '/api/v1/audit/events/', '/health/x', '//health',
                 '/health/../health', '/api/v2/audit/events', '/%2e%2e/LOCK', '/tile/../../LOCK',
                 '/api/v1/retention-policies', '/audit/log'):
        with step(f'{path} is nothing here'):
            answer = server.get(path)
            true(answer.status in (400, 404), f'got {answer.status}')
            equal(answer.headers['Content-Type'], 'application/problem+json')
    for path in ('/health%00', '/health%', '/health%zz', '/api/v1/audit/events?limit=%',
                 '/api/v1/audit/events?q=%ff'):
        with step(f'{path} is refused'):
            answer = server.get(path)
            true(answer.status in (400, 404), f'got {answer.status}')
    with step('a POST byte by byte'):
        with Wire(server) as wire:
            for letter in post('{"event_type":"slow.post"}'):
                wire.send(letter)
            equal(wire.answer()[0], 201)
    with step('a client that closes its half after the request gets its answer'):
        with Wire(server, post('{"event_type":"half.closed"}')) as wire:
            wire.socket.shutdown(socket.SHUT_WR)
            contains(wire.read(), b'201 Created')
    with step('a body that ends early stores nothing'):
        size = server.size()
        with Wire(server, post('{"event_type":"a.b"}').replace('Content-Length: 20',
                                                               'Content-Length: 200')) as wire:
            wire.socket.shutdown(socket.SHUT_WR)
            wire.read()
        equal(server.size(), size)


def large_bodies(server):
    line = ndjson([{'event_type': 'large.body', 'event_data': {'t': 'x' * 960}}])
    piece = line * 64
    chunk = b'%x\r\n%s\r\n' % (len(piece), piece)
    count = (64 << 20) // len(piece)
    with step('64 MB of NDJSON in chunks are stored as they come, in little memory'):
        server.send(event())
        with Meter(server) as meter, Neighbour(server) as neighbour:
            with Wire(server, f'POST {EVENTS} HTTP/1.1\r\n{HOST}Content-Type: {NDJSON}\r\n'
                      f'Authorization: Bearer {server.key}\r\n'
                      'Transfer-Encoding: chunked\r\n\r\n') as wire:
                for _ in range(count):
                    wire.send(chunk)
                wire.send('0\r\n\r\n')
                status, _, body = wire.answer()
            equal((status, json.loads(body)['count']), (201, 64 * count))
        print(f'# {anon_kib(server)} KiB behind it')
        meter.must_grow_less(BODY_KIB, 'a body of 64 MB')
    with step('and others are served meanwhile'):
        neighbour.must_be_well(250, 2000, 'beside a body of 64 MB')
    with step('beyond 64 MiB a stream is cut off, and the answer says what was stored'):
        size = server.size()
        with Wire(server, f'POST {EVENTS} HTTP/1.1\r\n{HOST}Content-Type: {NDJSON}\r\n'
                  f'Authorization: Bearer {server.key}\r\n'
                  'Transfer-Encoding: chunked\r\n\r\n') as wire:
            for _ in range(count + 20):
                wire.send(chunk)
            status, _, body = wire.answer()
        equal(status, 413)
        problem = json.loads(body)
        true(server.size() > size, 'what came before the limit is stored')
        equal((problem['first_seq'], problem['count']), (size, server.size() - size))


def rude_clients(server):
    reset = struct.pack('ii', 1, 0)  # SO_LINGER: close sends RST
    text = json.dumps({'event_type': 'rude.client'})
    request = (f'POST {EVENTS} HTTP/1.1\r\n{HOST}Authorization: Bearer {server.key}\r\n'
               f'Content-Length: {len(text)}\r\n\r\n{text}').encode()
    with step('500 connections are reset while their events are being committed'):
        meter = Meter(server)
        for _ in range(500):
            link = server.socket()
            link.sendall(request)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            link.close()
        server.send(event())
        server.must_live()
        meter.once()
        meter.must_grow_less(RESETS_KIB, '500 resets')
    with step('500 half requests are dropped'):
        for _ in range(500):
            link = server.socket()
            link.sendall(request[:-5])
            link.close()
        server.send(event())
    with step('the connections of all of them are gone'):
        wait_until(lambda: is_alone(server), 'one connection is left: ours')
    with step('200 idle connections are in nobody\'s way'):
        idle = [server.socket() for _ in range(200)]
        begun = time.monotonic()
        server.send(event())
        true(time.monotonic() - begun < PATIENCE_S / 3, 'a POST took long')
        for link in idle:
            link.close()


class Drip(threading.Thread):
    """A body of which a byte comes now and then, while the rest of the story goes on."""

    def __init__(self, server):
        super().__init__()
        self.wire = Wire(server, f'POST {EVENTS} HTTP/1.1\r\n{HOST}Content-Length: 60000\r\n'
                         f'Authorization: Bearer {server.key}\r\n\r\n{{')
        self.took_s = None

    def run(self):
        begun = time.monotonic()
        self.wire.socket.settimeout(0.5)
        while time.monotonic() < begun + 30:
            try:
                piece = self.wire.socket.recv(65536)
            except TimeoutError:
                self.wire.send(' ')
                continue
            except ConnectionResetError:
                piece = b''
            self.wire.buffer += piece
            if not piece:
                self.took_s = time.monotonic() - begun
                return


def slow_loris():
    with Server('--http-headers-ms', '1s', '--http-idle-ms', '2s',
                '--http-write-ms', '2s') as server:
        get = f'GET /health/live HTTP/1.1\r\n{HOST}'

        def ends(opening, drip, status):
            """True when the connection is closed although something always comes."""
            with Wire(server, opening) as wire:
                wire.socket.settimeout(0.25)
                end = time.monotonic() + 8
                while time.monotonic() < end:
                    try:
                        piece = wire.socket.recv(65536)
                        if not piece:
                            break
                        wire.buffer += piece
                    except TimeoutError:
                        wire.send(drip)
                    except ConnectionResetError:
                        break
                else:
                    raise Wrong('it is still open after 8 s')
                if status is not None:
                    contains(wire.buffer, f'HTTP/1.1 {status} '.encode())

        for sentence, opening, drip, status in (
                ('silence', '', '', None),
                ('a head that drips', get, 'A: b\r\n', 408),
                ('a request line that drips', 'GET /', 'x', 408),
                ('silence behind an answer', get + '\r\n', '', None)):
            with step(f'ended in time: {sentence}'):
                ends(opening, drip, status)
        with step('a reader that takes nothing is ended, and others are served'):
            server.send(*[event(event_data={'t': 'x' * 4000}) for _ in range(1000)])
            sleeper = server.socket()
            sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sleeper.sendall(f'GET {EVENTS}?limit=1000 HTTP/1.1\r\n{HOST}'
                            f'Authorization: Bearer {server.key}\r\n\r\n'.encode())
            wait_until(lambda: is_alone(server), 'the sleeper is ended')
            sleeper.close()
    with Server('--connections-max', '10') as small:
        with step('connections above the maximum are told to come again'):
            wait_until(lambda: is_alone(small), 'the connections of the start are gone')
            held = [small.socket() for _ in range(9)]
            for link in held:
                link.sendall(f'GET /health/live HTTP/1.1\r\n{HOST}\r\n'.encode())
                contains(link.recv(65536), b'200 OK')
            held.append(small.socket())
            with Wire(small) as wire:
                contains(wire.read(), b'503 ')
            for link in held:
                link.close()

            def works():
                try:
                    return small.get('/health/live', key=None).status == 200
                except (OSError, http.client.HTTPException):
                    return False
            wait_until(works, 'there is room again')


with Server() as under_test:
    refusals(under_test)
    manners(under_test)
    rude_clients(under_test)
    drip = Drip(under_test)
    drip.start()
    with Server('--cache-bytes-max', '1MiB') as frugal:  # so that no cache hides a buffered body
        large_bodies(frugal)
    slow_loris()
    with step('ended in time: a body that drips'):
        drip.join()
        true(drip.took_s is not None and drip.took_s < 20, f'ended after {drip.took_s} s')
        contains(drip.wire.buffer, b'HTTP/1.1 408 ')
finish()
