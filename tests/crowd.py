# SPDX-License-Identifier: Apache-2.0
"""Thousands at the door: who is idle costs little, who drips is ended, and others are served
meanwhile. Each limit that is measured against is stated here."""
import json
import resource
import selectors
import time

from harness import (EVENTS, NDJSON, OWN, Server, contains, equal, event, finish, ndjson, skip,
                     step, true, wait_until)
from measure import Meter, Neighbour, anon_kib, descriptors

IDLE = 10000
IDLE_KIB = 1            # for each idle connection
LEFT_KIB = 1            # for each of them when all are gone: what the allocator keeps
DRIPPERS = 400
DRIPPER_KIB = 48        # a head or a body that never gets ready
FEW_FILES = 600
P50_MS, P99_MS = 100, 500  # a durable write and a read of it
HOST = 'Host: h\r\n'
ALIVE = f'GET /health/live HTTP/1.1\r\n{HOST}\r\n'.encode()


def is_alone(server):
    return b'cairn_http_connections 1\n' in server.get('/metrics').expect(200).body


def may_open(count):
    """Raises the story's own limit of open files if it can."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        return False
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    return True


def close_all(links):
    for link in links:
        link.close()


def idle_crowd(server):
    """Half of them have had an answer, half have never said a word."""
    links = [server.socket() for _ in range(IDLE)]
    for link in links[::2]:  # one after the other: more at a time than may wait would be refused
        link.sendall(ALIVE)
        contains(link.recv(4096), b'200 OK')
    return links


def ten_thousand():
    sentence = f'{IDLE} idle connections cost less than {IDLE_KIB} KiB each'
    if not may_open(IDLE * 3 // 2):  # a quarter of what the server may open is not for connections
        skip(sentence, f'{IDLE * 3 // 2} open files are not allowed here (ulimit -Hn)')
        return
    with Server('--connections-max', str(IDLE + 200), '--http-headers-ms', '5min',
                '--http-idle-ms', '5min') as server:
        server.send(event())
        with Neighbour(server) as neighbour:  # so that what is made once is made
            wait_until(lambda: len(neighbour.times) >= 100, 'a hundred are served')
        before, links = anon_kib(server), []
        with step(sentence):
            links += idle_crowd(server)
            grown = anon_kib(server) - before
            print(f'# {before} KiB before, {grown / IDLE:.2f} KiB for each')
            true(grown < IDLE * IDLE_KIB, f'{grown} KiB for {IDLE} idle connections')
            true(descriptors(server) >= IDLE, 'they are really there')
        with step('others are served while they stand'):
            with Neighbour(server) as neighbour:
                wait_until(lambda: len(neighbour.times) >= 200 or neighbour.problem, 'served')
            neighbour.must_be_well(P50_MS, P99_MS, f'beside {IDLE} idle connections')
        with step('they are still there'):
            for link in links[::997]:
                link.sendall(ALIVE)
                contains(link.recv(4096), b'200 OK')
        with step('when they are gone, their memory and descriptors are, too'):
            peak = anon_kib(server)
            close_all(links)
            wait_until(lambda: is_alone(server), 'one connection is left: ours')
            left = anon_kib(server) - before
            print(f'# {left} KiB are left of {peak - before}, {descriptors(server)} descriptors')
            true(left < IDLE * LEFT_KIB, f'{left} KiB are left of {IDLE} connections')
            true(descriptors(server) < 50, f'{descriptors(server)} descriptors are left')
        with step('a second crowd takes what the first one left, and no more'):
            links = idle_crowd(server)
            again = anon_kib(server)
            close_all(links)
            true(again < peak * 1.1 + 1024, f'{peak} KiB, and {again} KiB the second time')


class Drippers:
    """Clients that send a byte now and then and are never ready. Whoever is ended comes again."""

    def __init__(self, server):
        key = f'Authorization: Bearer {server.key}\r\n'
        post = f'POST {EVENTS} HTTP/1.1\r\n{HOST}{key}'
        lines = f'Content-Type: {NDJSON}\r\n'
        self.server, self.ended, self.answers = server, 0, {}
        self.shapes = [(opening.encode(), drip.encode()) for opening, drip in (
            ('GET /', 'x'),
            (f'GET /health/live HTTP/1.1\r\n{HOST}', 'A: b\r\n'),
            (f'{post}Content-Length: 60000\r\n\r\n{{', ' '),
            (f'{post}{lines}Content-Length: 900000\r\n\r\n{{"event_type":"', 'x'),
            (f'{post}{lines}Transfer-Encoding: chunked\r\n\r\n', '1\r\n{\r\n'),
            (f'{post}{lines}Transfer-Encoding: chunked\r\n\r\n', '0'),
            ('', ''))]
        self.poll = selectors.DefaultSelector()
        self.links = {}

    def come(self, shape):
        link = self.server.socket()
        link.sendall(self.shapes[shape][0])
        link.setblocking(False)
        self.links[link] = shape
        self.poll.register(link, selectors.EVENT_READ)

    def drip(self):
        for link, shape in self.links.items():
            try:
                link.send(self.shapes[shape][1])
            except OSError:
                pass  # it has been ended, and is found below

    def look(self, come_again):
        """Takes what the server says, and lets those that it ended come again."""
        for chosen, _ in self.poll.select(0.1):
            link = chosen.fileobj
            try:
                piece = link.recv(4096)
            except ConnectionResetError:
                piece = b''
            if piece.startswith(b'HTTP/1.1 '):
                status = int(piece[9:12])
                self.answers[status] = self.answers.get(status, 0) + 1
            if not piece:
                self.poll.unregister(link)
                link.close()
                shape = self.links.pop(link)
                self.ended += 1
                if come_again:
                    self.come(shape)

    def close(self):
        close_all(self.links)
        self.poll.close()


def slow_crowd():
    if not may_open(DRIPPERS + 200):
        skip(f'{DRIPPERS} that drip', 'the limit of open files is too low')
        return
    with Server('--http-headers-ms', '2s', '--http-idle-ms', '2s') as server:
        server.send(event())
        size = server.size()
        crowd = Drippers(server)
        with step(f'{DRIPPERS} that drip hold less than {DRIPPER_KIB} KiB each'):
            with Meter(server) as meter, Neighbour(server) as neighbour:
                for number in range(DRIPPERS):
                    crowd.come(number % len(crowd.shapes))
                end = time.monotonic() + 13  # a body has 10 s
                while time.monotonic() < end:
                    crowd.drip()
                    crowd.look(come_again=True)
            meter.must_grow_less(DRIPPERS * DRIPPER_KIB, f'{DRIPPERS} that drip')
        with step('others are served meanwhile'):
            neighbour.must_be_well(P50_MS, P99_MS, f'beside {DRIPPERS} that drip')
        with step('every one of them is ended, although something always comes'):
            end = time.monotonic() + 20
            while crowd.links and time.monotonic() < end:
                crowd.drip()
                crowd.look(come_again=False)
            print(f'# {crowd.ended} were ended; answers: {crowd.answers}')
            equal(len(crowd.links), 0, 'still open')
            true(crowd.ended > DRIPPERS, 'those that came again')
            true(crowd.answers.get(408, 0) > DRIPPERS / 2, 'they are told why')
        crowd.close()
        with step('nothing of theirs is stored, and nothing of them is left'):
            wait_until(lambda: is_alone(server), 'one connection is left: ours')
            equal(server.size(), size + len(neighbour.times))
            left = anon_kib(server) - meter.before_kib
            print(f'# {left} KiB are left')
            true(left < DRIPPERS * DRIPPER_KIB, f'{left} KiB are left')
            true(descriptors(server) < 50, f'{descriptors(server)} descriptors are left')


def few_files():
    """Whoever opens connections must not take from the ledger what it opens its files with."""
    shell = ('sh', '-c', 'ulimit -n "$0" && exec "$@"')
    if not may_open(2 * FEW_FILES):
        skip('few open files', 'the limit of open files is too low')
        return
    with Server(prefix=(*shell, str(FEW_FILES))) as server:
        with step('where few files may be open, there are fewer connections, and it says so'):
            contains(server.log_path.read_text(), 'connections_max')
        links = [server.socket()]
        with step('all that can be had are taken, and the ledger still opens its files'):
            links += [server.socket() for _ in range(FEW_FILES)]
            line = {'event_type': 'few.files', 'event_data': {'t': 'x' * 4000}}
            body = ndjson([line] * 1000)
            head = (f'POST {EVENTS} HTTP/1.1\r\n{HOST}Authorization: Bearer {server.key}\r\n'
                    f'Content-Type: {NDJSON}\r\nContent-Length: {len(body)}\r\n\r\n').encode()
            for _ in range(20):  # 80 MB: more than two WAL files
                links[0].sendall(head + body)
                answer = links[0].recv(4096)
                server.must_live()
                contains(answer, b'201 Created')
            close_all(links)
        with step('and when they are gone, everybody is served again'):
            wait_until(lambda: is_alone(server), 'one connection is left: ours')
            equal(server.size(), OWN + 20000)
    with step('where too few files may be open, it does not start and says how many it needs'):
        Server(prefix=(*shell, '100')).refuses_to_start(1, 'ulimit -n', '100', '512')


few_files()
ten_thousand()
slow_crowd()
finish()
