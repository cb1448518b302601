# SPDX-License-Identifier: Apache-2.0
"""What an attacker sends: hostile text in every parameter and member, forged callers, and what must
not come of it.

docs/security.md says who attacks, and which story shows what stops them.
"""
import http.client
import json
import socket
import sys
import threading
import urllib.parse

from harness import (EVENTS, NDJSON, PATIENCE_S, Server, Wrong, equal, event, finish, scratch,
                     skip, step, true)

try:
    from routes import every_route
except ImportError:
    skip('attacks', 'python3-yaml is not installed')
    finish()
    sys.exit(0)

TOUCHED = scratch('touched')
HOSTILE = (
    "' OR '1'='1", "1; DROP TABLE rules;--", '" OR ""="',
    "x' UNION SELECT key_hash FROM \"api-keys\"--", '../../../../../../etc/passwd',
    '..%2f..%2fetc%2fpasswd', 'a\r\nX-Injected: yes', 'a\nSet-Cookie: a=b', f'$(touch {TOUCHED})',
    f'`touch {TOUCHED}`', f'|touch {TOUCHED}', f';touch {TOUCHED};', '<script>alert(1)</script>',
    '{{7*7}}${7*7}', '%s%s%s%n', '\u202e\u0000', '\ud7ff\ufffe', 'A' * 3000, '-1',
    '99999999999999999999', '1e999', 'NaN', 'null', '[]', '{"$ne": null}', '__proto__', '*', '!',
    '',
)


class Attacker:
    """Keeps a connection, as a thousand requests want it."""

    def __init__(self, server):
        self.server, self.connection, self.count = server, server.connection(), 0

    def ask(self, method, target, body=None, headers=None, key=''):
        headers = dict(headers or {})
        if key is not None:
            headers.setdefault('Authorization', f'Bearer {key or self.server.key}')
        self.count += 1
        for attempt in (1, 2):
            try:
                self.connection.request(method, target, body, headers)
                answer = self.connection.getresponse()
                return answer.status, answer.headers, answer.read()
            except (http.client.HTTPException, OSError):
                self.connection.close()  # the server ended it behind the answer before
                self.connection = self.server.connection()
                if attempt == 2:
                    raise
        return None

    def judge(self, what, answer):
        status, headers, body = answer
        if status >= 500:
            raise Wrong(f'{what}: {status} {body[:300]!r}')
        for name in ('X-Injected', 'Set-Cookie'):
            true(name not in headers, f'{what}: a header {name} was smuggled in')
        true(b'root:' not in body, f'{what}: a file of the machine')
        true('text/html' not in headers.get('Content-Type', ''), f'{what}: HTML')
        equal(headers['X-Content-Type-Options'], 'nosniff', what)


def quoted(text):
    return urllib.parse.quote(text, safe='', errors='surrogatepass')


def in_every_parameter(server, routes):
    attacker = Attacker(server)
    usual = {'format': 'cloudtrail', 'tile': '000'}
    with step('AUT-22: hostile text in every parameter of every route is taken as text, or '
              'refused'):
        for route in routes:
            for text in HOSTILE:
                body = json.dumps(route.body or {}) if route.method != 'GET' else None
                kind = {'Content-Type': 'application/json'} if body else {}
                values = {name: quoted(text) or '-' for name in route.names}
                if route.names:
                    attacker.judge(f'{route} with {text!r} in its path',
                                   attacker.ask(route.method, route.target(values), body, kind))
                if route.method != 'GET':
                    continue
                names = [one['name'] for one in route.parameters if one['in'] == 'query']
                plain = route.target({name: usual.get(name, 'x') for name in route.names})
                for name in [*names, text[:50] or 'unknown']:
                    attacker.judge(f'{route} with {name}={text!r}',
                                   attacker.ask('GET', f'{plain}?{quoted(name)}={quoted(text)}'))
    with step('that was much, and the server still serves'):
        true(attacker.count > 3000, f'only {attacker.count} requests')
        server.get('/health', key=None).expect(200)


def in_every_member(server, routes):
    attacker = Attacker(server)
    values = [*HOSTILE, 0, -1, 2**63, 1.5, True, None, [], {}, [[]], {'a': {'b': []}}]
    with step('AUT-22: hostile values in every member of every body too'):
        for route in routes:
            if not isinstance(route.body, dict):
                continue
            target = route.target({name: 'x' for name in route.names})
            for name in [*route.body, 'reason', 'id', 'org', '__proto__']:
                for value in values:
                    attacker.judge(f'{route} with {name}: {value!r}',
                                   attacker.ask(route.method, target,
                                                json.dumps(route.body | {name: value}),
                                                {'Content-Type': 'application/json'}))
    with step('and in headers'):
        for name in ('X-Request-Id', 'X-Correlation-ID', 'traceparent', 'If-Match',
                     'Idempotency-Key', 'X-Reason', 'Accept-Version', 'X-Forwarded-For',
                     'User-Agent', 'Accept', 'Origin', 'Authorization', 'X-API-Key', 'Cookie',
                     'Content-Type', 'Content-Encoding'):
            for text in HOSTILE:
                clean = ''.join(one for one in text if 32 <= ord(one) < 127)
                for method, target in (('GET', '/api/v1/rules'), ('POST', '/api/v1/teams')):
                    attacker.judge(f'{method} {target} with {name}: {clean!r}',
                                   attacker.ask(method, target, b'{}' if method == 'POST' else None,
                                                {name: clean}))
    with step('no command was run, and no table is gone'):
        true(not TOUCHED.exists(), 'a command was run')
        for kind in ('rules', 'users', 'api-keys', 'organizations'):
            server.get(f'/api/v1/{kind}').expect(200)
        server.get(f'/api/v1/rules/{server.canary}').expect(200)


def believed(server):
    claims = {'X-User': 'root', 'X-Forwarded-User': 'root', 'X-Remote-User': 'root',
              'X-Actor-Id': 'root', 'X-Org': 'default', 'X-Organization-Id': 'default',
              'X-Role': 'owner', 'X-Auth-Request-User': 'root'}
    with step('AUT-18: who one is, is not what headers say'):
        server.get('/api/v1/rules', headers=claims, key=None).expect_problem(401)
        made = server.post('/api/v1/teams', {'hostname': 'h', 'team_assignment': 't'},
                           claims).expect(201)
        rows = server.get('/api/v1/audit',
                          {'record_id': made.json()['id']}).expect(200).json()['data']
        equal(rows[0]['changed_by'], server.key.split('_')[2])
    with step('no cookie lets anybody in, and none is set, so no other page can act for a user'):
        user = {'email': 'cookie@example.com', 'password': 'a password of a story', 'role': 'owner'}
        server.post('/api/v1/users', user).expect(201)
        login = server.request('POST', '/api/v1/auth/login', json.dumps(user),
                               {'Content-Type': 'application/json'}, key=None).expect(200)
        true('Set-Cookie' not in login.headers, 'a cookie')
        token = login.json()['access_token']
        for cookie in (f'session={token}', f'access_token={token}', f'Authorization=Bearer {token}',
                       f'cairn={server.key}'):
            server.get('/api/v1/rules', headers={'Cookie': cookie}, key=None).expect_problem(401)
            server.request('POST', '/api/v1/teams', b'{}', {
                'Cookie': cookie, 'Origin': 'https://evil.example',
                'Content-Type': 'text/plain'}, key=None).expect(401)
    with step('an event cannot claim to be another organisation\'s, or the server\'s own'):
        for member in ('org', 'recorded_at', 'source_format'):
            server.post(EVENTS, event(**{member: 'cairn'})).expect_problem(400)


def led_astray(server):
    """SSRF: what an address in a configuration object makes the server do."""
    heard = []
    trap = socket.create_server(('127.0.0.1', 0))
    trap.settimeout(0.2)
    done = threading.Event()

    def listen():
        while not done.is_set():
            try:
                heard.append(trap.accept()[1])
            except TimeoutError:
                pass

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        port = trap.getsockname()[1]
        with step('an address in a target, a schema or an event is asked of nobody'):
            for kind, url in (('webhook', f'http://127.0.0.1:{port}/'),
                              ('syslog', f'syslog://127.0.0.1:{port}')):
                server.post('/api/v1/targets', {'name': kind, 'type': kind, 'url': url}).expect(201)
            schema = {'$ref': f'http://127.0.0.1:{port}/schema.json'}
            true(server.post('/api/v1/schemas',
                             {'event_type': 'ssrf', 'schema': schema}).status < 500, '5xx')
            server.post('/api/v1/validate', {'output': {}, 'rules': [
                {'name': 'r', 'type': 'schema', 'schema': schema}]})
            server.post(EVENTS, event(event_data={'url': f'http://127.0.0.1:{port}/'})).expect(201)
            server.get('/health/detailed').expect(200)
            equal(heard, [], 'connections')
    finally:
        done.set()
        listener.join(PATIENCE_S)
        trap.close()


def code(server):
    with step('a constraint is a filter, never code'):
        for text in ('__import__("os").system("id")', 'data.a; DROP TABLE rules',
                     f'$(touch {TOUCHED})', '().__class__.__bases__[0].__subclasses__()'):
            answer = server.post('/api/v1/validate', {'output': {'a': 1}, 'rules': [
                {'name': 'r', 'type': 'constraint', 'expression': text}]})
            true(answer.status == 400 or not answer.json().get('is_valid'),
                 f'{answer.status} {answer.body[:200]}')
        true(not TOUCHED.exists(), 'a command was run')
    with step('a hostile regular expression ends soon'):
        server.send(event(event_data={'text': 'a' * 100000}))
        answer = server.get(EVENTS, {'q': r'data.text~"(a+)+$b"'})
        true(answer.status in (200, 400, 503), f'{answer.status}')


def too_large(server):
    with step('headers, lines and bodies beyond their limits are refused, and cost no more'):
        for target, headers, status in (('/' + 'a' * 9000, {}, 414),
                                        ('/health', {'X-A': 'a' * 20000}, 431),
                                        ('/health', {f'X-{n}': '1' for n in range(150)}, 431)):
            equal(server.get(target, headers=headers, key=None).status, status)
        equal(server.post('/api/v1/rules', b'[' * 300000).status, 413)
        deep = b'[' * 100000 + b']' * 100000
        true(server.post('/api/v1/rules', deep).status in (400, 413), 'deep')
        true(server.post('/api/v1/validate',
                         b'{"output":' + deep + b',"rules":[]}').status in (400, 413), 'deep')
        server.post(EVENTS, b'{"event_type":"a","event_data":' + deep + b'}').expect_problem(400)
        server.post(EVENTS, b'\xff\xfe', kind=NDJSON).expect_problem(400)


# Its many logins that fail must not lock out the one that should not.
with Server('--login-failures-max', '0') as under_test:
    every = [route for route in every_route() if not route.is_stream() and
             not route.path.endswith(('/rotate', '/logout'))]
    under_test.canary = under_test.post('/api/v1/rules', {
        'match_string': 'down', 'prod_handling': 'page', 'dev_handling': 'Ignore',
        'team_assignment': 'web'}).expect(201).json()['id']
    in_every_parameter(under_test, every)
    in_every_member(under_test, every)
    believed(under_test)
    led_astray(under_test)
    code(under_test)
    too_large(under_test)
finish()
