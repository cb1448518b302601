# SPDX-License-Identifier: Apache-2.0
"""The command line against a running server: what people type, what scripts read, and
exit statuses."""
import contextlib
import http.server
import json
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

from harness import (OWN, PATIENCE_S, PROGRAM, Server, cairn, contains, environment, equal,
                     event, finish, lines_of, ndjson, on_terminal, scratch, step, true, wait_until)

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / 'examples'
COMMANDS = ('serve', 'ingest', 'query', 'tail', 'timeline', 'stats', 'proof', 'log', 'verify',
            'health', 'bench', 'completions', 'version', 'help')


def words():
    with step('help names every command'):
        said = cairn('help').stdout
        for command in COMMANDS:
            contains(said, command)
    for command in COMMANDS:
        with step(f'cairn {command} --help says how it is used'):
            contains(cairn(command, '--help').stdout, f'cairn {command}')
    with step('the version'):
        contains(cairn('version').stdout, '0.')
        equal(cairn('--version').stdout, cairn('version').stdout)
    for shell in ('bash', 'zsh', 'fish'):
        with step(f'completions for {shell}'):
            said = cairn('completions', shell).stdout
            for command in ('ingest', 'timeline', 'verify'):
                contains(said, command)
    with step('the completions for bash are a program that bash reads'):
        run = subprocess.run(['bash', '-n'], input=cairn('completions', 'bash').stdout, text=True,
                             capture_output=True, check=False)
        equal((run.returncode, run.stderr), (0, ''))
    for wrong in (('brew',), (), ('query', '--limt', '3'), ('timeline',), ('stats', '--top', 'x'),
                  ('completions', 'csh'), ('ingest',), ('serve', '--listen', 'nonsense'),
                  ('serve', '--wal-file-bytes', '1'), ('serve', 'extra'), ('serve', '--colour'),
                  ('ingest', '--format', 'morse', 'x')):
        with step(f'{" ".join(("cairn", *wrong))} is a mistake of usage'):
            run = cairn(*wrong, status=2)
            true(run.stderr and not run.stdout, 'it is said on stderr')
    for wrong in (('verify', '--key=hush', '.'), ('query', '--kye=hush'), ('query', '-key=hush'),
                  ('--key=hush', 'query'), ('query', '--key=', 'hush'), ('help', '--key=hush'),
                  ('log', 'key=hush'), ('target', 'create', 'secert=hush'),
                  ('target', 'create', 'secret=', 'hush'), ('serve', '--redis-ulr=hush'),
                  ('serve', '--redis-url=', 'hush'), ('serve', '-redis-url=hush')):
        with step(f'a secret in {" ".join(wrong)} is not shown'):
            words = [*wrong, *(('--server', '127.0.0.1:1') if wrong[0] == 'target' else ())]
            run = cairn(*words, status=2)
            true('hush' not in run.stderr + run.stdout, run.stderr)
    with step('no server there'):
        for command in ('query', 'log', 'health', 'stats'):
            run = cairn(command, '--server', '127.0.0.1:1', status=3)
            contains(run.stderr, f'cairn {command}: ')
            contains(run.stderr, '--server')
    with step('a tail of a server that was never there ends at once'):
        contains(cairn('tail', '--server', '127.0.0.1:1', status=3).stderr, '--server')


def ingest(server):
    plain = scratch('events.ndjson')
    events = [event(actor_id='ann', service='web', correlation_id='c-1', event_data={'n': n})
              for n in range(250)]
    plain.write_bytes(ndjson(events))
    with step('ingest stores a file and says how much'):
        counts = lines_of(cairn('ingest', plain, server=server))[-1]
        equal(counts, {'stored': 250, 'duplicates': 0, 'refused': 0, 'first_seq': OWN,
                       'last_seq': OWN + 249})
    with step('duplicates are no failure'):
        equal(lines_of(cairn('ingest', plain, server=server))[-1],
              {'stored': 0, 'duplicates': 250, 'refused': 0})
    with step('ingest reads stdin, arrays and objects one after the other'):
        text = json.dumps([event(service='in'), event(service='in')]) + json.dumps(
            event(service='in'), indent=1)
        counts = lines_of(cairn('ingest', '-', server=server, stdin=text))[-1]
        equal(counts['stored'], 3)
    with step('events without an id get one'):
        counts = lines_of(cairn('ingest', '-', server=server,
                                stdin='{"event_type":"a.b","service":"in"}\n' * 2))[-1]
        equal(counts['stored'], 2)
    mixed = scratch('mixed.ndjson')
    mixed.write_bytes(ndjson([event(service='mix')]) + b'{"event_type":"a.b","severity":"loud"}\n'
                      + b'no json\n' + ndjson([event(service='mix')]))
    with step('ingest stops at a bad event with its file and line'):
        run = cairn('ingest', mixed, server=server, status=1)
        contains(run.stderr, 'mixed.ndjson:2:')
        contains(run.stderr, '/severity')
    with step('--on-error skip leaves it out, and says so by its exit status'):
        run = cairn('ingest', '--on-error', 'skip', mixed, server=server, status=1)
        contains(run.stderr, 'mixed.ndjson:2:')
        equal(lines_of(run)[-1]['refused'] >= 1, True)
        equal(len(server.query(service='mix')['data']), 2)
    with step('old events need --backfill'):
        old = scratch('old.ndjson')
        old.write_bytes(ndjson([event(event_timestamp='2020-01-01T00:00:00Z')]))
        cairn('ingest', old, server=server, status=1)
        cairn('ingest', '--backfill', old, server=server)
    with step('every format that the help names is one of the server\'s'):
        names = re.search(r'--format .*?One of: ([^.]*)', cairn('ingest', '--help').stdout, re.S)
        for name in names[1].split():
            server.request('POST', f'/api/v1/ingest/{name}', b'').expect(200)
    with step('a file that is not there'):
        run = cairn('ingest', scratch('nothing'), server=server, status=None)
        true(run.returncode in (1, 3) and 'nothing' in run.stderr, f'{run}')


class Script(http.server.BaseHTTPRequestHandler):
    """Gives the server's answers in turn, and keeps when each request came."""
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        self.server.came.append(time.monotonic())
        while size := int(self.rfile.readline(), 16):
            self.rfile.read(size + 2)
        self.rfile.readline()
        status, headers, body = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in (headers | {'Content-Length': len(body)}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def scripted(*answers):
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Script) as server:
        server.answers, server.came = list(answers), []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server, f'127.0.0.1:{server.server_port}'
        finally:
            server.shutdown()
            thread.join()


def breaking(server):
    """What does not go through at once, or not at all."""
    document = scratch('trail.json')
    document.write_text('{"Records":[]}')
    busy, done = json.dumps({'title': 'busy'}).encode(), json.dumps({'count': 0}).encode()
    with step('a busy server is waited for: longer each time, and as long as it asks'):
        with scripted((503, {}, busy), (503, {}, busy), (503, {'Retry-After': '1'}, busy),
                      (201, {}, done)) as (script, address):
            cairn('ingest', '--format', 'cloudtrail', document, '--server', address)
        gaps = [after - before for before, after in zip(script.came, script.came[1:])]
        true([gap >= least for gap, least in zip(gaps, (0.2, 0.4, 1))] == [True] * 3, f'{gaps}')
    with step('of a document that is sent as it is, the event is told and no line'):
        refusal = json.dumps({'title': 'no', 'errors': [{'index': 2, 'detail': 'is odd'}]}).encode()
        with scripted((400, {}, refusal)) as (_, address):
            run = cairn('ingest', '--format', 'cloudtrail', document, '--server', address, status=1)
        contains(run.stderr, 'trail.json: event 3: is odd')
    with step('what stands before an object that is too large is stored'):
        large = scratch('large.ndjson')
        large.write_bytes(ndjson([event(service='small')]) +
                          ndjson([event(service='large', event_data='x' * (2 << 20))]))
        run = cairn('ingest', large, server=server, status=1)
        contains(run.stderr, 'large.ndjson:2: the object that begins here')
        equal([lines_of(run)[-1][name] for name in ('stored', 'refused')], [1, 1])
        equal(len(server.query(service='small')['data']), 1)


def reading(server):
    with step('query in a pipe is NDJSON, 100 unless said otherwise, all with 0'):
        equal(len(lines_of(cairn('query', server=server))), 100)
        equal(len(lines_of(cairn('query', 'service=web', '--limit', '0', server=server))), 250)
        found = lines_of(cairn('query', 'data.n>=10', 'data.n<12', '--order', 'asc', server=server))
        equal([item['event_data']['n'] for item in found], [10, 11])
    with step('a mistake in a filter is shown with its place'):
        contains(cairn('query', 'severity:bad', server=server, status=1).stderr, 'filter:9: ')
    with step('--fields and --total'):
        run = cairn('query', 'service=web', '--fields', 'seq', '--limit', '2', '--total',
                    '--order', 'seq', server=server)
        equal(lines_of(run), [{'seq': OWN}, {'seq': OWN + 1}])
        contains(run.stderr, '250')
    with step('positional words and options mix'):
        equal(len(lines_of(cairn('query', '--limit', '3', 'service=web', '--order', 'asc',
                                 'data.n<100', server=server))), 3)
    with step('a mistake in a filter is refused and shown'):
        contains(cairn('query', 'severty>=low', server=server, status=1).stderr, 'severity')
    with step('nothing found is no failure'):
        equal(cairn('query', 'actor_id=nobody', server=server).stdout, '')
    with step('query on a terminal is a table'):
        said = on_terminal('query', 'service=web', '--limit', '3', server=server)
        contains(said, 'test.step')
        contains(said, 'ann')
        true('{' not in said, f'JSON on a terminal: {said!r}')
        contains(on_terminal('query', '--json', '--limit', '1', server=server), '"event_id"')
    with step('timeline and stats'):
        found = lines_of(cairn('timeline', 'c-1', server=server))
        equal([item['event_data']['n'] for item in found], list(range(250)))
        groups = lines_of(cairn('stats', '--by', 'service', '--top', '1', server=server))
        equal(groups, [{'service': 'web', 'count': 250}])
        contains(on_terminal('stats', '--by', 'service', server=server), '250')
        contains(on_terminal('timeline', 'c-1', server=server), 'test.step')
    with step('log and health'):
        log = json.loads(cairn('log', server=server).stdout)
        equal(log['size'], server.size())
        contains(json.loads(cairn('health', server=server).stdout)['status'], 'e')
        contains(on_terminal('log', server=server), log['origin'])
    with step('the server is found by --server and the key by its variable or --key'):
        url = f'127.0.0.1:{server.port}'
        cairn('query', '--server', url, '--key', server.key)
        cairn('query', '--server', f'http://{url}', '--key', server.key)
        contains(cairn('query', '--server', url, status=1).stderr, 'CAIRN_API_KEY')
        cairn('query', '--server', url, '--key', 'wrong', status=1)
    return log


def proofs(server, log):
    with step('proof and verify, without the server'):
        seq = lines_of(cairn('query', 'service=web', '--limit', '1', server=server))[0]
        proof, line = scratch('cli.tlog-proof'), scratch('cli.json')
        cairn('proof', seq['event_id'], '--out', proof, server=server)
        line.write_bytes(server.get(f'/api/v1/audit/events/{seq["event_id"]}?raw=1').body)
        run = cairn('verify', proof, '--vkey', log['vkey'], '--event', line)
        equal(lines_of(run)[0]['proven'], True)
        run = cairn('verify', proof, '--vkey', log['vkey'], stdin=line.read_text())
        equal(lines_of(run)[0]['seq'], seq['seq'])
        line.write_bytes(line.read_bytes().replace(b'"ann"', b'"bob"'))
        cairn('verify', proof, '--vkey', log['vkey'], '--event', line, status=1)
        cairn('verify', proof, '--event', line, status=2)
    with step('the proof of an id that is not there'):
        cairn('proof', '00000000-0000-4000-8000-000000000000', server=server, status=1)
    with step('verify of a directory, while a server runs on it'):
        found = lines_of(cairn('verify', server.data))[0]
        equal((found['whole'], found['origin']), (True, log['origin']))
        equal(found['events'] + found['unchecked'], server.size())
        cairn('verify', server.data, '--vkey', log['vkey'])
    with step('verify refuses the key of another log'):
        with Server() as other:
            vkey = other.get('/api/v1/log').json()['vkey']
        equal(cairn('verify', server.data, '--vkey', vkey, status=None).returncode, 1)
    with step('verify of what is not there'):
        cairn('verify', scratch('nowhere'), status=1)


def tail(server):
    with step('tail shows what comes, through a filter'):
        process = subprocess.Popen([PROGRAM, 'tail', 'service=live', '--data', str(server.data)],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   env=environment(), text=True)
        seen = []
        # it says nothing when it begins to watch, so events are sent until one is seen
        reader = threading.Thread(target=lambda: seen.extend([process.stdout.readline()]))
        reader.start()

        def one_seen():
            server.send(event(service='dead'), event(service='live'))
            return seen
        wait_until(one_seen, 'an event in the tail')
        equal(json.loads(seen[0])['service'], 'live')
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        status = process.wait(PATIENCE_S)
        true(status in (0, -signal.SIGINT, 130), f'exit status {status}')
        reader.join()


def examples():
    count = sum(len(path.read_bytes().splitlines()) for path in EXAMPLES.glob('*.ndjson'))
    with step(f'serve --examples loads {count} events before it is ready'):
        server = Server('--examples', str(EXAMPLES))
        server.start()
        equal(server.size(), count + OWN)
    with step('what it says to try names the program as it was called, and the directory'):
        contains(server.log_path.read_text(), f'{PROGRAM} tail --data {server.data}\n')
    with step('they tell stories'):
        true(lines_of(cairn('query', 'event_outcome:failure', '--limit', '10', server=server)),
             'failures')
        true(lines_of(cairn('stats', '--by', 'event_type', server=server)), 'types')
        server.stop()
    with step('they are loaded only once'):
        server.start()
        equal(server.size(), count + OWN)
        server.stop()
    with step('verify of a stopped server\'s directory checks every event'):
        found = lines_of(cairn('verify', server.data))[0]
        equal((found['whole'], found['events'], found['unchecked'], found['checkpoint_size']),
              (True, count + OWN, 0, count + OWN))
    with step('examples are not mixed into a log that has events'):
        own = Server()
        own.start()
        own.send(event())
        own.stop()
        with Server('--examples', str(EXAMPLES), data=own.data) as again:
            equal(again.size(), OWN + 1)
    with step('a file of examples may be larger than what is committed at once'):
        place = scratch('large-examples')
        place.mkdir()
        line = b'{"event_type":"a.b","event_data":"%s"}\n' % (b'x' * 1000)
        (place / 'a.ndjson').write_bytes(line * 6000)
        with Server('--examples', str(place)) as large:
            equal(large.size(), OWN + 6000)
    with step('examples with a mistake stop the start and name the line'):
        place = scratch('bad-examples')
        place.mkdir()
        (place / 'a.ndjson').write_bytes(ndjson([event()]) + b'{"severity":"loud"}\n')
        Server('--examples', str(place)).refuses_to_start(1, 'a.ndjson', 'line 2')


@contextlib.contextmanager
def stranger(port=0):
    """Who listens and is no server of ours: its address, and whether anybody came."""
    with socket.create_server(('127.0.0.1', port)) as listener:
        listener.setblocking(False)

        def was_asked():
            with contextlib.suppress(BlockingIOError):
                listener.accept()[0].close()
                return True
            return False
        yield f'127.0.0.1:{listener.getsockname()[1]}', was_asked


def keys():
    server = Server(data=scratch('cairn-data'))  # commands run in the directory that it is in
    server.start()
    server.send(event(service='here'))
    given = {'CAIRN_API_KEY': server.key}
    with step('beside a server in the same directory a command needs no words'):
        equal(len(lines_of(cairn('query', 'service=here'))), 1)
        equal(len(lines_of(cairn('query', 'service=here', variables=given))), 1)
        equal(len(lines_of(cairn('query', 'service=here', '--server', f'localhost:{server.port}',
                                 server=server))), 1)
    with stranger() as (address, was_asked):
        with step('--data is stronger than CAIRN_SERVER, and its key stays with it'):
            found = cairn('query', 'service=here', server=server,
                          variables={'CAIRN_SERVER': address})
            equal((len(lines_of(found)), was_asked()), (1, False))
        with step('the key of a directory is not sent to a server that is named beside it'):
            run = cairn('query', '--server', address, server=server, status=1)
            contains(run.stderr, 'its key is for its own server')
            equal(was_asked(), False)
    server.kill()
    with stranger(server.port) as (_, was_asked):
        with step('where a server was killed, who listens in its place is told no key'):
            for run in (cairn('query', server=server, status=3),
                        cairn('query', server=server, variables=given, status=3),
                        cairn('query', '--key', server.key, status=3),
                        cairn('query', variables=given, status=3)):
                contains(run.stderr, 'no server runs on it')
            equal(was_asked(), False)
    with step('a server that stops takes back where it listens'):
        server.start()
        server.stop()
        true('listen' not in (server.data / 'LOCK').read_text(), 'LOCK still tells an address')
    with step('a key is not sent where nobody named a server'):
        server.data.rename(scratch('elsewhere'))
        contains(cairn('query', variables=given, status=2).stderr, '--server or CAIRN_SERVER')


words()
with Server('--checkpoint-interval-ms', '50') as under_test:
    ingest(under_test)
    breaking(under_test)
    proofs(under_test, reading(under_test))
    tail(under_test)
examples()
keys()
finish()
