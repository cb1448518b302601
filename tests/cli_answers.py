# SPDX-License-Identifier: Apache-2.0
"""The command line against a server that answers as none should: what it says must neither reach a
terminal as it came, nor pass for an answer."""
import contextlib
import http.server
import json
import subprocess
import threading

from harness import (PROGRAM, cairn, contains, environment, equal, finish, on_terminal, scratch,
                     step, true)

ESCAPE = '\x1b]0;owned\x07'
EVIL = f'a{ESCAPE}\x7f\x9b31m\u202eb\U000e0041'
LOUD = (0x1b, 0x07, 0x7f, 0x9b, 0x202e, 0xe0041)


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        server = self.server
        server.asked.append(f'{self.command} {self.path}')
        self.send_response(server.status if len(server.asked) <= server.most else 404)
        self.send_header('Content-Type', server.kind)
        self.send_header('Content-Length', str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


@contextlib.contextmanager
def answering(body, status=200, kind='application/json', most=1000):
    """A server whose every answer (but not more than so many) is this: the words that name it, and
    what it was asked."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    server.status, server.kind, server.most, server.asked = status, kind, most, []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield ('--server', f'127.0.0.1:{server.server_port}', '--key', 'k'), server.asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def is_quiet(said):
    """Nothing that a terminal acts upon, but for colours and how a line ends."""
    for colour in range(50):
        said = said.replace(f'\x1b[{colour}m', '')
    loud = [hex(ord(c)) for c in said if ord(c) in LOUD or (ord(c) < 0x20 and c not in '\n')]
    equal(loud, [], f'controls in {said!r}')
    contains(said, 'owned')


EVENT = {'event_id': EVIL, 'event_type': EVIL, 'actor_id': EVIL, 'seq': 1}
ROW = {'id': EVIL, 'name': EVIL, 'value': EVIL, 'changed_by': EVIL, 'changed_at': EVIL,
       'old_values': {EVIL: EVIL}, 'new_values': {}, 'window': EVIL, 'tier': EVIL, 'count': 1,
       EVIL: EVIL, 'overridden_by': EVIL, 'last_used_at': EVIL, 'route': EVIL, 'version': EVIL,
       'day': EVIL, 'vkey': EVIL, 'origin': EVIL, 'status': EVIL}
ANSWER = ROW | {'data': [ROW | EVENT], 'page': {}, 'versions': [ROW], 'routes': [ROW],
                'clients': [ROW], 'by_day': [ROW], 'by_route': [ROW], 'keys': [ROW],
                'by_tier': [ROW], 'top': [ROW]}
READERS = (('query',), ('timeline', 'c'), ('stats', '--by', 'x'), ('log',), ('log', '--vkey'),
           ('health',), ('rule', 'list'), ('rule', 'show', 'x'),
           ('rule', 'create', 'match_string=x'), ('rule', 'remove', 'x'),
           ('key', 'rotate', 'x'), ('key', 'usage', 'x'),
           ('audit', 'changes'), ('config', 'list'), ('config', 'get', 'x'),
           ('config', 'set', 'x', 'y'), ('config', 'history', 'x'), ('limits',),
           ('limits', 'analytics'), ('limits', 'reset', 'x'), ('version', 'usage'))
JSON_READERS = [words for words in READERS if words != ('log', '--vkey')]


def terminals():
    with answering(ANSWER) as (there, _):
        for words in READERS:
            with step(f'cairn {" ".join(words)} shows a terminal no controls of others'):
                is_quiet(on_terminal(*words, *there))
        for words in JSON_READERS:
            with step(f'cairn {" ".join(words)} --json neither, and it stays the same JSON'):
                said = on_terminal(*words, '--json', *there)
                is_quiet(said)
                lines = [line for line in said.splitlines() if line.startswith('{')]
                true(lines, f'no JSON in {said!r}')
                for line in lines:
                    contains(json.dumps(json.loads(line), ensure_ascii=False), json.dumps(
                        EVIL, ensure_ascii=False)[1:-1])
    with answering(EVIL.encode() + b'\xff\n', kind='text/plain') as (there, _):
        with step('a proof on a terminal'):
            is_quiet(on_terminal('proof', 'x', *there))
        with step('and in a file and a pipe, byte for byte'):
            cairn('proof', 'x', '--out', scratch('proof'), *there)
            equal(scratch('proof').read_bytes(), EVIL.encode() + b'\xff\n')
    with answering({'title': EVIL, 'detail': EVIL, 'status': 400}, 400,
                   'application/problem+json') as (there, _):
        for words in (('query',), ('rule', 'list'), ('config', 'get', 'x')):
            with step(f'what is said when cairn {" ".join(words)} is refused'):
                is_quiet(on_terminal(*words, *there, status=1))


def no_answers():
    for words in (('rule', 'list'), ('rule', 'show', 'x'), ('audit', 'changes'),
                  ('config', 'list'), ('config', 'get', 'x'), ('config', 'history', 'x'),
                  ('limits',), ('limits', 'analytics'), ('stats',), ('log',), ('log', '--vkey'),
                  ('health',), ('key', 'usage', 'x'), ('version', 'usage')):
        with step(f'cairn {" ".join(words)} takes what is no object for no answer'):
            for body in (b'', b'<html>', b'[]', b'{"data":['):
                with answering(body) as (there, _):
                    run = cairn(*words, *there, status=3)
                equal(run.stdout, '')
                contains(run.stderr, f'cairn {words[0]}: this is no answer of a Cairn server')
    with answering({'page': {}}) as (there, _):
        for words in (('rule', 'list'), ('audit', 'changes'), ('config', 'list'), ('limits',)):
            with step(f'cairn {" ".join(words)}: an answer without a list is no empty list'):
                contains(cairn(*words, *there, status=3).stderr, 'data')
    with answering({'data': [], 'page': {'has_more': True}}) as (there, asked):
        with step('pages that never end and are empty are not asked for again and again'):
            equal(cairn('limits', '--limit', '0', *there).stdout, '')
            equal(len(asked), 1)
    with answering({'origin': 'o', 'vkey': None}) as (there, _):
        with step('log --vkey without a key says so, and not that all is well'):
            run = cairn('log', '--vkey', *there, status=1)
            equal(run.stdout, '')
            contains(run.stderr, 'verifier key')


def events():
    big = ('{"event_id":"i","event_type":"big.number","event_timestamp":"2026-01-15T08:00:00.0Z",'
           '"actor_id":"ann","event_data":{"n":123456789012345678901234567890,"e":1e400}}')
    page = f'{{"data":[{big}],"page":{{}}}}'.encode()
    with answering(page) as (there, _):
        with step('an event with a number beyond 64 bits is shown as any other'):
            contains(on_terminal('query', *there), 'ann')
            contains(on_terminal('timeline', 'c', *there), 'ann')
        with step('and comes as it is where a program reads'):
            equal(cairn('query', *there).stdout.strip(), big)
    evil = json.dumps(EVENT, ensure_ascii=False)
    with step('a tail shows a terminal no controls of others, in JSON neither'):
        for words in (('tail',), ('tail', '--json')):
            with answering(f'data: {evil}\n\n'.encode(), kind='text/event-stream',
                           most=1) as (there, _):
                is_quiet(on_terminal(*words, *there, status=1))
    stream = f'id: 1\ndata: {big}\n\n'.encode()
    with answering(stream, kind='text/event-stream', most=1) as (there, _):
        with step('a tail shows it too'):
            contains(on_terminal('tail', *there, status=1), 'ann')


def audit():
    changes = [{'id': '1', 'operation': 'UPDATE', 'old_values': {'gone': 'g', 'kept': 1},
                'new_values': {'kept': 2, 'new': [3]}},
               {'id': '2', 'operation': 'DELETE', 'old_values': {'name': 'n', 'none': None},
                'new_values': None},
               {'id': '3', 'operation': 'CREATE', 'old_values': None,
                'new_values': {'name': 'm', 'none': None}}]
    with answering({'data': changes}) as (there, _):
        with step('the changes show what was taken away and what was added'):
            said = on_terminal('audit', 'changes', *there)
            contains(said, 'gone "g", kept 1 → 2, new [3]\n')
            contains(said, 'name "n"\n')
            contains(said, 'name "m"\n')


def words_of():
    bad = b'caf\xe9'.decode(errors='surrogateescape')
    with answering({'id': 'x'}) as (there, asked):
        for words in (('rule', 'create', f'match_string={bad}'),
                      ('key', 'create', f'scopes={bad}'),
                      ('rule', 'create', 'match_string=x', '--reason', bad),
                      ('config', 'set', 'x', bad), ('limits', 'reset', 'x', '--reason', bad)):
            with step(f'{" ".join(words)!r}: words that are not UTF-8 are refused, not left out'):
                contains(cairn(*words, *there, status=2).stderr, 'UTF-8')
        for words in (('rule', 'show', 'x' * 9000), ('rule', 'remove', 'x' * 9000),
                      ('config', 'get', 'x' * 9000), ('limits', 'reset', 'x' * 9000),
                      ('audit', 'changes', '--by', 'x' * 9000)):
            with step(f'{words[0]} {words[1]}: too long a word is refused, not cut'):
                contains(cairn(*words, *there, status=2).stderr, 'too long')
        with step('and nothing was asked for'):
            equal(asked, [])
        for words in (('rule',), ('rule', 'list', 'x'), ('rule', 'set', 'x'),
                      ('rule', 'revoke', 'x'), ('key', 'remove', 'x'), ('audit',),
                      ('audit', 'all'), ('limits', 'all'),
                      ('limits', 'list', 'x'), ('limits', 'reset'), ('version', 'use'),
                      ('config', 'set', 'x'), ('config', 'list', 'x')):
            with step(f'cairn {" ".join(words)} is a mistake, and what is expected is said'):
                contains(cairn(*words, *there, status=2).stderr, 'expected')


def full_disk():
    with answering({'data': [{'id': 'x'}], 'page': {}, 'status': 'ok'}) as (there, _):
        for words in (('health',), ('rule', 'list'), ('query',), ('stats',), ('help',),
                      ('version',), ('completions', 'bash')):
            with step(f'cairn {" ".join(words)} does not end well when it cannot write'):
                words += there if words[0] not in ('help', 'version', 'completions') else ()
                with open('/dev/full', 'wb') as full:
                    run = subprocess.run([PROGRAM, *words], stdout=full, stderr=subprocess.PIPE,
                                         env=environment(), check=False)
                equal(run.returncode, 3)
                contains(run.stderr.decode(), 'No space left')


terminals()
no_answers()
events()
audit()
words_of()
full_disk()
finish()
