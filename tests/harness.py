# SPDX-License-Identifier: Apache-2.0
"""What every black-box test stands on: the program under test, started and stopped as people do it.

A test file is a story. It tells it in steps, and each step is one line of TAP:

    with Server() as server:
        with step('an event is answered with its place in the log'):
            equal(server.post(EVENTS, {'event_type': 'user.login'}).status, 201)
    finish()

A step that fails says why and the story goes on, so that one mistake does not hide the next.
Nothing here sleeps for a fixed time: what has to become true is waited for, with an end.
"""
import atexit
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback
import urllib.parse
import uuid

PROGRAM = os.path.abspath(sys.argv[1])
EVENTS = '/api/v1/audit/events'
OWN = 2  # events that a new log begins with: the first organisation, and its owner key
NDJSON = 'application/x-ndjson'
SLOWNESS = float(os.environ.get('CAIRN_TEST_SLOWNESS', 1))  # 3: all may take three times as long
PATIENCE_S = 60 * SLOWNESS  # for what takes a moment, on a machine that sometimes stands still

# Steps rest on the log alone, not on how full the disk of this machine is, nor on what was asked
# before (tests/access_events.py has those events).
USUAL_OPTIONS = ('--access-events', 'none', '--wrong-keys-max', '0', '--wal-file-bytes', '32MiB',
                 '--disk-reserve-bytes', '0', '--disk-reserve-percent', '0',
                 '--log-format', 'logfmt')

_steps = {'told': 0, 'failed': 0}
_scratch = pathlib.Path(tempfile.mkdtemp(prefix='cairn-test-'))
_servers = []


@atexit.register
def _clean():
    for server in _servers:
        server.kill()
    shutil.rmtree(_scratch, ignore_errors=True)


# Steps

class Wrong(Exception):
    """What a step expected and did not see."""


@contextlib.contextmanager
def step(sentence):
    _steps['told'] += 1
    begun = time.monotonic()
    try:
        yield
    except Exception as problem:  # pylint: disable=broad-except
        _steps['failed'] += 1
        print(f'not ok {_steps["told"]} - {sentence}')
        text = str(problem) if isinstance(problem, Wrong) else ''
        if not text:
            text = traceback.format_exc()
        else:
            frame = traceback.extract_tb(problem.__traceback__)
            places = [f'{os.path.basename(f.filename)}:{f.lineno}' for f in frame]
            text = f'{" > ".join(places[1:])}\n{text}'
        for line in text.splitlines():
            print(f'# {line[:2000]}')
    else:
        print(f'ok {_steps["told"]} - {sentence}')
    took = time.monotonic() - begun
    if took > 5:
        print(f'# that took {took:.1f} s')
    sys.stdout.flush()


def skip(sentence, why):
    _steps['told'] += 1
    print(f'ok {_steps["told"]} - {sentence} # SKIP {why}')


def finish():
    print(f'1..{_steps["told"]}', flush=True)
    if _steps['failed'] > 0:
        for server in _servers:
            server.show_log()
    sys.exit(1 if _steps['failed'] > 0 else 0)


def equal(got, wanted, what=''):
    if got != wanted:
        raise Wrong(f'{what + ": " if what else ""}expected {wanted!r}, got {got!r}')


def true(condition, what):
    if not condition:
        raise Wrong(what)


def contains(text, part, what=''):
    if part not in text:
        raise Wrong(f'{what + ": " if what else ""}expected {part!r} in {text!r}')


def wait_until(condition, what, seconds=PATIENCE_S):
    """Returns what `condition` returned once that is true."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Wrong(f'waited {seconds} s in vain: {what}')
        time.sleep(0.01)


def scratch(name):
    """A path in this story's own directory, which goes with it."""
    return _scratch / name


# Answers

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError as problem:
            raise Wrong(f'no JSON ({problem}) in {self.status} {self.body[:300]!r}') from problem

    def expect(self, status, *parts):
        if self.status != status:
            raise Wrong(f'expected {status}, got {self.status} {self.body[:600]!r}')
        for part in parts:
            contains(self.body.decode(errors='replace'), part)
        return self

    def expect_problem(self, status, *parts):
        """A problem document (RFC 9457) as every error of the API is one."""
        self.expect(status, *parts)
        equal(self.headers.get('Content-Type'), 'application/problem+json', 'Content-Type')
        problem = self.json()
        equal(problem.get('status'), status, 'status of the problem document')
        for member in ('type', 'title', 'request_id'):
            true(isinstance(problem.get(member), str) and problem[member],
                 f'the problem document has no {member}: {problem}')
        equal(self.headers.get('X-Request-Id'), problem['request_id'], 'X-Request-Id')
        return problem


# The server

def environment():
    """Ours without what would configure the program; what sanitizers are told stays."""
    kept = ('PATH', 'LANG', 'TMPDIR', 'LD_LIBRARY_PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS',
            'TSAN_OPTIONS', 'LSAN_OPTIONS', 'LLVM_PROFILE_FILE')
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        'HOME': str(_scratch), 'TERM': 'dumb'}


class Server:
    """`cairn serve` on a directory and a free port. As a context manager it is started, and stopped
    with SIGTERM, which must end in exit status 0."""

    def __init__(self, *options, data=None, usual=USUAL_OPTIONS, listen='127.0.0.1:0', prefix=(),
                 tls=None):
        self.data = pathlib.Path(data) if data else scratch(f'data-{len(_servers)}')
        self.options = ['--listen', listen, *usual, *options]
        self.prefix = prefix  # a command that starts the program with other limits
        self.tls = tls  # an ssl.SSLContext, if requests go by HTTPS
        self.log_path = scratch(f'server-{len(_servers)}.log')
        self.process = self.port = self.key = None
        _servers.append(self)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.stop()
        else:
            self.kill()

    def spawn(self):
        """Starts the process and waits for nothing."""
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(
                [*self.prefix, PROGRAM, 'serve', '--data', str(self.data), *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment())
        return self

    def start(self):
        self.listen()
        wait_until(self._is_ready, 'the server is ready')
        return self

    def listen(self):
        """Starts it and waits until it listens; what it needs to be ready may not be there."""
        self.spawn()
        self.port = int(wait_until(self._find_port, 'the server says where it listens'))
        with contextlib.suppress(FileNotFoundError):  # a story may have taken it away
            self.key = (self.data / 'admin.key').read_text().strip()
        return self

    def must_live(self):
        if self.process.poll() is not None:
            raise Wrong(f'the server has ended with {self.process.returncode}: {self.log_tail()}')

    def _find_port(self):
        self.must_live()
        with contextlib.suppress(FileNotFoundError):
            words = (self.data / 'LOCK').read_text().split()
            if len(words) == 4 and words[1] == str(self.process.pid):
                return words[3].rpartition(':')[2]
        return None

    def _is_ready(self):
        self.must_live()
        with contextlib.suppress(OSError):
            return self.get('/health/ready', key=None).status == 200
        return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired as late:
            self.kill()
            raise Wrong('SIGTERM did not end the server') from late
        equal(status, 0, f'exit status after SIGTERM ({self.log_tail()})')

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def refuses_to_start(self, status, *parts):
        """It must end by itself with `status`, and say why."""
        begun_at = self.log_path.stat().st_size if self.log_path.exists() else 0
        self.spawn()
        try:
            got = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired as late:
            self.kill()
            raise Wrong('it started, although it should refuse') from late
        said = self.log_path.read_bytes()[begun_at:].decode(errors='replace')
        equal(got, status, f'exit status of a refused start ({said[-600:]})')
        for part in parts:
            contains(said, part, 'what a refused start says')
        return said

    def log_tail(self):
        if not self.log_path.exists():
            return ''
        return self.log_path.read_bytes()[-600:].decode(errors='replace')

    def show_log(self):
        if self.log_path.exists():
            said = self.log_path.read_text(errors='replace').splitlines()
            reports = [at for at, line in enumerate(said) if 'Sanitizer: ' in line]
            for line in said[reports[0]:reports[0] + 100] if reports else said[-15:]:
                print(f'# {self.data.name}: {line[:300]}')

    # Requests. `key` is the owner's unless said otherwise; None shows none.

    def request(self, method, target, body=None, headers=None, key=''):
        headers = dict(headers or {})
        if key is not None and 'Authorization' not in headers:
            headers['Authorization'] = f'Bearer {key or self.key}'
        connection = self.connection()
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, target, params=None, headers=None, key=''):
        if params:
            target += '?' + urllib.parse.urlencode(params, doseq=True)
        return self.request('GET', target, None, headers, key)

    def post(self, target, body, headers=None, kind='application/json'):
        """`body` is bytes as they are, or an object that is written as JSON."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.request('POST', target, body, {'Content-Type': kind} | (headers or {}))

    def send(self, *events, target=EVENTS):
        """Stores events as NDJSON; they must all be new. Returns the seq of the first."""
        answer = self.post(target, ndjson(events), kind=NDJSON).expect(201).json()
        equal(answer['count'], len(events), 'stored')
        return answer['first_seq']

    def query(self, **params):
        return self.get(EVENTS, params).expect(200).json()

    def size(self):
        return self.get('/api/v1/log').expect(200).json()['size']

    def wait_size(self, size):
        wait_until(lambda: self.size() >= size, f'the log has {size} events')

    def wait_checkpoint(self, size):
        """The newest checkpoint, once it covers `size` events."""
        def covering():
            note = self.get('/checkpoint', key=None).expect(200).body
            return note if int(note.split(b'\n')[1]) >= size else None
        return wait_until(covering, f'a checkpoint covers {size}')

    def connection(self):
        if self.tls is not None:
            return http.client.HTTPSConnection('127.0.0.1', self.port, timeout=PATIENCE_S,
                                               context=self.tls)
        return http.client.HTTPConnection('127.0.0.1', self.port, timeout=PATIENCE_S)

    def socket(self):
        return socket.create_connection(('127.0.0.1', self.port), PATIENCE_S)


def ndjson(events):
    return b''.join(json.dumps(event).encode() + b'\n' for event in events)


def event(**members):
    return {'event_type': 'test.step', 'event_id': str(uuid.uuid4())} | members


# The command line

def cairn(*words, server=None, stdin=None, status=0, timeout=PATIENCE_S, variables=None):
    """Runs a command, against `server` if one is given. `status` None takes any."""
    words = [str(word) for word in words]
    if server is not None:
        words += ['--data', str(server.data)]
    run = subprocess.run([PROGRAM, *words], input=stdin, capture_output=True, text=True,
                         timeout=timeout, env=environment() | (variables or {}), cwd=_scratch,
                         check=False,
                         **({'stdin': subprocess.DEVNULL} if stdin is None else {}))
    if status is not None and run.returncode != status:
        raise Wrong(f'{" ".join(words)}: expected exit status {status}, got {run.returncode}; '
                    f'stdout {run.stdout[-400:]!r}, stderr {run.stderr[-400:]!r}')
    return run


def on_terminal(*words, server=None, status=0):
    """What a command writes when its output is a terminal of 100 columns."""
    if server is not None:
        words += ('--data', str(server.data))
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 100, 0, 0))
    process = subprocess.Popen([PROGRAM, *words], stdout=theirs,
                               stdin=subprocess.DEVNULL, stderr=theirs, cwd=_scratch,
                               env=environment() | {'TERM': 'xterm', 'LANG': 'C.UTF-8'})
    os.close(theirs)
    said = b''
    with contextlib.suppress(OSError):  # how a terminal ends
        while piece := os.read(ours, 65536):
            said += piece
    os.close(ours)
    got = process.wait(PATIENCE_S)
    true(status in (None, got), f'exit status {got}, expected {status} ({said[-400:]!r})')
    return said.decode().replace('\r\n', '\n')


def lines_of(run):
    """The NDJSON that a command wrote."""
    return [json.loads(line) for line in run.stdout.splitlines()]
