# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml and the server say the same: every documented answer is asked for and compared.

`contract.py PROGRAM CONTRACT_TABLES` fails where an answer is not as it is documented, where one
comes that is not documented, and where no entry in src/api/contract provokes one that is. With
--record it keeps real answers as the document's examples.
"""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import pathlib
import re
import signal
import struct
import sys
import time
import urllib.parse
import uuid

from harness import Answer, EVENTS, PATIENCE_S, Server, Wrong, equal, finish, step, true, wait_until

try:
    import jsonschema
    import yaml
except ImportError:
    print('1..0 # SKIP python3-jsonschema or python3-yaml is not installed')
    sys.exit(0)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'tools'))
import openapi  # noqa: E402  pylint: disable=wrong-import-position

TABLES = sys.argv[2]
RECORDS = '--record' in sys.argv
WRONG_KEY = 'cairn_dev_00000000_' + 'x' * 43
SECRETS = (re.compile(r'(cairn_(?:dev|live)_\w{8}_)[\w-]{43}'),
           re.compile(r'(cairn_refresh_[\w-]{22}_)[\w-]{43}'),
           re.compile(r'(eyJ[\w-]+\.[\w-]+\.)[\w-]{86}'), re.compile(r'(\?secret=)[A-Z2-7]{32}'))
RECORDED_CHARS_MAX = 3000
FORMATS = jsonschema.FormatChecker()


@FORMATS.checks('uuid', ValueError)
def _is_uuid(text):
    return not isinstance(text, str) or str(uuid.UUID(text)) == text


# Servers: the usual one, and others that are started when something asks for them

class World:
    def __init__(self):
        self.servers, self.keys, self.number = {}, {}, 0  # keys by the name of the server
        self.values = {'unknown': str(uuid.uuid4())}

    def server(self, name):
        if name not in self.servers:
            self.servers[name] = getattr(self, f'_start_{name}')()
        return self.servers[name]

    @staticmethod
    def _start_spare():
        """For what would change the answers to others."""
        return Server().start()

    @staticmethod
    def _start_guarded():
        """As it is without options: logins and sign-ups are limited, which is asked for once."""
        return Server('--signup').start()

    def _start_uncounted(self):
        """Requests should be counted in a Redis that is not there, and are refused."""
        server = Server('--redis-url', 'redis://127.0.0.1:1/0', '--redis-when-away',
                        'closed').listen()
        self.keys['uncounted'] = {'owner': server.key, 'nobody': None,
                                  'limited': self._owner(server, {'name': 'limited'})}
        return server

    @staticmethod
    def _start_full():
        return Server('--disk-reserve-bytes', '1TiB', usual=('--wal-file-bytes', '32MiB')).start()

    @staticmethod
    def _start_stopping():
        server = Server('--drain-ms', '10min').start()
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: server.get('/health/ready', key=None).status == 503, 'the stop is told')
        return server

    def _start_usual(self):
        server = Server('--tiles-public=false', '--trusted-proxies', '127.0.0.1', '--origin',
                        'log.example/cairn', '--signup', '--login-failures-max', '0').start()
        keys = self.keys['usual'] = {'owner': server.key, 'nobody': None, 'wrong': WRONG_KEY}
        for name, scope in (('reader', 'events:read'), ('writer', 'events:write')):
            keys[name] = self._key(server, {'name': name, 'scopes': [scope]})
        keys['stranger'] = self._owner(server, {'name': 'stranger', 'tier': 'unlimited'})
        keys['spent'] = self._owner(server,
                                    {'name': 'spent', 'tier': 'unlimited', 'monthly_quota': 0})
        keys['limited'] = self._owner(server, {'name': 'limited', 'requests_per_day': 1})
        server.get('/api/v1/log', key=keys['limited']).expect(200)  # its only request
        event = {'event_type': 'order.created', 'actor_id': 'alice', 'service': 'shop',
                 'correlation_id': 'order-4711', 'event_data': {'total': 19.99}}
        self.values['event'] = server.post(EVENTS, event).expect(201).json()
        server.post(EVENTS,
                    {'event_type': 'order.paid', 'service': 'bank', 'correlation_id': 'order-4711',
                             'parent_event_id': self.values['event']['event_id']}).expect(201)
        wait_until(lambda: server.get('/api/v1/log').json()['checkpoint_size'] > 2,
                   'a checkpoint covers the event')
        return server

    def _owner(self, server, organization):
        org = server.post('/api/v1/organizations', organization).expect(201).json()['id']
        return self._key(server, {'name': 'first', 'role': 'owner'}, org)

    @staticmethod
    def _key(server, body, org='default'):
        return server.post(f'/api/v1/api-keys?org={org}', body).expect(201).json()['key']

    def stop(self):
        for server in self.servers.values():
            server.stop()


def expand(value, values):
    """Puts values in the place of ${name.member}; a text that is nothing else becomes the value."""
    if isinstance(value, dict):
        return {key: expand(one, values) for key, one in value.items()}
    if isinstance(value, list):
        return [expand(one, values) for one in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r'\$\{([\w.]+)\}', value)
    if whole:
        return find(whole.group(1), values)
    return re.sub(r'\$\{([\w.]+)\}', lambda match: str(find(match.group(1), values)), value)


def find(name, values):
    for part in name.split('.'):
        if part not in values:
            raise Wrong(f'nothing is called ${{{name}}} here')
        values = values[part]
    return values


def with_code(answer):
    """An answer with the address of a second factor, and a code of it (RFC 6238)."""
    if not answer.get('uri', '').startswith('otpauth://'):
        return answer
    secret = urllib.parse.parse_qs(urllib.parse.urlsplit(answer['uri']).query)['secret'][0]
    key = base64.b32decode(secret + '=' * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack('>Q', int(time.time()) // 30), hashlib.sha1).digest()
    number = struct.unpack_from('>I', digest, digest[-1] & 15)[0] & 0x7fffffff
    return answer | {'code': f'{number % 1000000:06d}'}


# Asking

class Asker:
    """Sends what an entry says, after the steps before it."""

    def __init__(self, world, contract):
        self.world, self.contract = world, contract

    def values(self, server, before):
        """What ${...} means: the world's values, and of the steps `made`, `sent` and what they
        save."""
        self.world.number += 1
        values = self.world.values | {'n': self.world.number,
                                      'made': {'id': self.world.values['unknown']}}
        for one in openapi.as_list(before):
            method, path = expand(one['call'], values).split(' ', 1)
            body = expand(one.get('body'), values)
            answer = server.request(method, path, json.dumps(body) if body is not None else b'',
                                    self._headers(one, values, 'application/json'),
                                    self.key(server, one, values))
            if not 200 <= answer.status < 300:
                raise Wrong(f'a step before: {one["call"]} was answered {answer.status} '
                            f'{answer.body[:300]!r}')
            got = answer.json() if answer.body else {}
            values |= {one['save']: with_code(got)} if 'save' in one else {'made': got,
                                                                           'sent': body}
        return values

    def key(self, server, recipe, values):
        """Of one of the world's callers, or ${...} what a step answered."""
        who = recipe.get('as', 'owner')
        if who.startswith('$'):
            return expand(who, values)
        name = next(name for name, one in self.world.servers.items() if one is server)
        return self.world.keys.get(name, {'owner': server.key, 'nobody': None})[who]

    @staticmethod
    def _headers(recipe, values, kind):
        headers = {name: str(value)
                   for name, value in expand(recipe.get('headers', {}), values).items()}
        return ({'Content-Type': recipe.get('type', kind)} if kind else {}) | headers

    def path(self, operation, recipe, values):
        path = operation['route']['path']
        given = recipe.get('path', {})
        for name in self.contract.variables(operation):
            value = given.get(name, self.contract.common['path'][name].get('ask'))
            text = urllib.parse.quote(str(expand(value, values)), safe='/')
            path = re.sub(r'\{%s(\.\.\.)?\}' % name, lambda _, text=text: text, path)
        query = expand(recipe.get('query', {}), values)
        return path + ('?' + urllib.parse.urlencode(query) if query else '')

    def ask(self, operation, recipe):
        """(answer, the body that was sent as JSON or None)."""
        server = self.world.server(recipe.get('server', 'usual'))
        values = self.values(server, recipe.get('before', []))
        sent = expand(recipe.get('body'), values)
        body = (expand(recipe['text'], values) if 'text' in recipe else
                json.dumps(sent) if 'body' in recipe else None)
        kind = None if body is None else 'application/json'
        if body is None and operation['method'] != 'GET':
            body = ''
        key = self.key(server, recipe, values)
        path = self.path(operation, recipe, values)
        headers = self._headers(recipe, values, kind)
        if 'length' in recipe:
            return self._ask_of_length(server, operation, path, recipe['length']), None
        if recipe.get('stream'):
            return self._ask_stream(server, path), None
        for _ in range(recipe.get('times', 1) - 1):
            server.request(operation['method'], path, body, headers, key)
        return server.request(operation['method'], path, body, headers, key), sent

    @staticmethod
    def _ask_of_length(server, operation, path, length):
        connection = server.connection()
        with contextlib.closing(connection):
            connection.putrequest(operation['method'], path)
            connection.putheader('Authorization', f'Bearer {server.key}')
            connection.putheader('Content-Length', str(length))
            connection.endheaders()
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    @staticmethod
    def _ask_stream(server, path):
        """The first piece of an answer that does not end."""
        with server.socket() as client:
            client.settimeout(PATIENCE_S)
            client.sendall(f'GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer '
                           f'{server.key}\r\n\r\n'.encode())
            answer = http.client.HTTPResponse(client)
            answer.begin()
            return Answer(answer.status, answer.headers, answer.read1(65536))


# Comparing

class Document:
    def __init__(self, document, fields):
        self.document, self.fields = document, fields
        self.resolver = jsonschema.RefResolver('', document)

    def told(self, operation):
        return self.document['paths'][operation['path']][operation['method'].lower()]

    def response(self, operation, status):
        responses = self.told(operation)['responses']
        found = responses.get(str(status)) or responses.get(f'{status // 100}XX')
        if found is None:
            raise Wrong(f'{status} is not documented (only {", ".join(responses)}): add it to the '
                        'answers of '
                        f'{operation["place"]} in src/api/contract')
        return self.follow(found)

    def parameters(self, operation):
        """The names of those in the query."""
        names = {name for field in self.fields for name in field['other_names'].split()} \
            if 'EVENT_FIELDS' in operation.get('query', []) else set()
        for one in map(self.follow, self.told(operation).get('parameters', [])):
            names |= set(one['schema'].get('properties', [])) | {one['name']}
        return names

    def follow(self, value):
        return self.resolver.resolve(value['$ref'])[1] if '$ref' in value else value

    def validate(self, value, schema, what):
        checker = jsonschema.Draft202012Validator(schema, resolver=self.resolver,
                                                  format_checker=FORMATS)
        problem = jsonschema.exceptions.best_match(checker.iter_errors(value))
        if problem is not None:
            place = '/'.join(map(str, problem.absolute_path))
            raise Wrong(f'not as documented at /{place}: {problem.message[:300]}, in {what}')

    def compare(self, operation, answer, is_loose=False):
        response = self.response(operation, answer.status)
        content = response.get('content', {})
        kind = (answer.headers.get('Content-Type') or '').partition(';')[0]
        for name, header in response.get('headers', {}).items():
            if self.follow(header).get('required'):
                true(answer.headers.get(name), f'{answer.status} has no header {name}')
        if not content:
            equal((kind, answer.body), ('', b''), f'{answer.status} has a body')
            return
        if kind not in content:
            raise Wrong(f'{answer.status} is {kind or "nothing"}, documented as '
                        f'{", ".join(content)}: {answer.body[:200]!r}')
        true(answer.headers.get('X-Request-Id'), 'no X-Request-Id')
        if kind.endswith('json') and not is_loose:
            self.validate(answer.json(), content[kind]['schema'],
                          f'{answer.status} {answer.body[:500]!r}')


# Examples

class Recorder:
    """Keeps real answers; one that is kept already stays as long as it fits."""

    def __init__(self, contract, document):
        self.contract, self.document = contract, document
        self.old, self.new = contract.examples, {'errors': {}}
        self.missing = []

    @staticmethod
    def clean(value):
        text = json.dumps(value)
        for secret in SECRETS:
            text = secret.sub(lambda found: found[1] + 'x' * (len(found[0]) - len(found[1])), text)
        return json.loads(text)

    def keep(self, into, before, name, value, schema):
        if name in into:
            return
        with contextlib.suppress(Wrong):
            if name in before:
                self.document.validate(before[name], schema, 'an example')
                into[name] = before[name]
                return
        self.missing.append(name)
        into[name] = self.clean(value)

    def note(self, operation, answer, sent, is_best):
        if 'twin' in operation and not operation['route']['legacy']:
            return
        kind = (answer.headers.get('Content-Type') or '').partition(';')[0]
        content = self.document.response(operation, answer.status).get('content', {}).get(kind)
        if content is None or len(answer.body) > RECORDED_CHARS_MAX or kind in (
                'application/octet-stream', 'text/event-stream'):
            return
        value = answer.json() if kind.endswith('json') else answer.body.decode()
        if answer.status >= 400 and re.search('Problem|Legacy', content['schema'].get('$ref', '')):
            name = content['schema']['$ref'].rpartition('/')[2]
            self.keep(self.new['errors'], self.old.get('errors', {}), f'{answer.status} {name}',
                      value, content['schema'])
            return
        kept = self.new.setdefault(operation['id'], {'answers': {}})
        before = self.old.get(operation['id'], {'answers': {}})
        if sent is not None and is_best and 'twin' not in operation:
            kept.setdefault('request', before.get('request', self.clean(sent)))
        self.keep(kept['answers'], before['answers'], str(answer.status), value, content['schema'])

    def write(self):
        head = ('# SPDX-License-Identifier: Apache-2.0\n'
                '# Real answers, which `./dev openapi` records: examples of docs/openapi.yaml.\n\n')
        openapi.EXAMPLES.write_text(head + openapi.dump(dict(sorted(self.new.items()))),
                                    encoding='utf-8')

    def check(self):
        if not RECORDS and self.missing:
            raise Wrong(f'{len(self.missing)} examples are missing or fit no more '
                        f'({", ".join(self.missing[:8])}): '
                        f'run ./dev openapi')


# The story

def documented(asker, document, recorder, operation):
    """Every answer that is documented, by its entry."""
    problems = []
    for status, answer in operation['answers'].items():
        reason = asker.contract.unprovoked(operation, status)
        recipes = openapi.as_list(answer.get('ask', []))
        if not recipes and not reason:
            problems.append(f'nothing provokes {status}: give it `ask` in the entry of '
                            f'{operation["place"]}')
        for recipe in recipes:
            with collected(problems, f'{status} by {recipe}'):
                got, sent = asker.ask(operation, recipe)
                true(got.status == int(status), f'it was {got.status} {got.body[:300]!r}')
                document.compare(operation, got, recipe.get('loose', False))
                if not recipe.get('loose'):
                    recorder.note(operation, got, sent, recipe is best_recipe(operation))
                if sent is not None and got.status < 300:
                    check_sent(document, operation, sent)
    return problems


def check_sent(document, operation, sent):
    """What the server took, the document must allow."""
    body = document.told(operation).get('requestBody')
    if body is None:
        raise Wrong('it takes a body, which is not documented')
    document.validate(sent, body['content']['application/json']['schema'], 'what was sent')


@contextlib.contextmanager
def collected(problems, what):
    try:
        yield
    except Wrong as problem:
        problems.append(f'{what}: {problem}')


def best_recipe(operation):
    """One that makes something, or else one that is answered well."""
    answers = operation['answers']
    status = '201' if '201' in answers else min(answers)
    return openapi.as_list(answers[status]['ask'])[0]


def parameters(asker, document, operation):
    """Each parameter by its example: the server must know it."""
    problems = []
    common, recipe = asker.contract.common, best_recipe(operation)
    for name in operation.get('query', []):
        if name == 'EVENT_FIELDS':
            continue
        entry = name if isinstance(name, dict) else common['query'][name.removesuffix('!')]
        plain = entry.get('name', name if isinstance(name, str) else '').removesuffix('!')
        if 'example' in entry:
            probe = recipe | {'query': recipe.get('query', {}) |
                              {plain: entry.get('ask', entry['example'])}}
            check_good(asker, document, operation, probe, f'?{plain}=', problems)
    for name in operation.get('headers', []):
        entry = common['request_headers'][name]
        probe = recipe | {'headers': recipe.get('headers', {}) |
                          {name: entry.get('ask', entry['example'])}}
        check_good(asker, document, operation, probe, name, problems)
    return problems


def others(asker, document, operation):
    """What is documented elsewhere as a parameter is none here, where unknown ones are refused."""
    problems, told = [], document.parameters(operation) | set(operation.get('passes_over', []))
    recipe = best_recipe(operation)
    refusal = refusal_of(asker, operation, recipe, 'colour')
    if refusal is None:
        return problems
    for name, entry in asker.contract.common['query'].items():
        name = entry.get('name', name)
        if name not in told and refusal_of(asker, operation, recipe, name,
                                           entry.get('example', 'x')) != refusal:
            problems.append(f'it knows ?{name}=, which is not documented: add it to the `query` of '
                            f'{operation["place"]}')
    return problems


def refusal_of(asker, operation, recipe, name, value='x'):
    """The sentence that refuses a parameter, whatever it is called; None: it is not refused."""
    got, _ = asker.ask(operation, recipe | {'query': recipe.get('query', {}) | {name: value}})
    problem = got.json() if got.status == 400 else {}
    problem = problem['detail'] if isinstance(problem.get('detail'), dict) else problem
    text = json.dumps([problem.get(member) for member in ('detail', 'message', 'pointer')])
    return re.sub(rf'\b{name}\b', '...', text) if name in text else None


def check_good(asker, document, operation, recipe, what, problems):
    with collected(problems, f'{what} as its example has it'):
        got, _ = asker.ask(operation, recipe)
        true(got.status < 300, f'{got.status} {got.body[:300]!r}')
        document.compare(operation, got, is_loose='raw' in what)


PROBES = (
    {'query': {'colour': 'red'}},
    {'text': '{"a":', 'headers': {'X-Reason': 'none'}},
    {'text': '[' * 100},
    {'text': '"\xff"'},
    {'text': 'x', 'type': 'text/plain'},
    {'text': 'x', 'headers': {'Content-Encoding': 'gzip'}},
    {'headers': {'If-Match': 'no etag'}},
    {'headers': {'Accept': 'image/png'}},
    {'headers': {'Idempotency-Key': 'x' * 300}},
    {'headers': {'Accept-Version': '9.9'}},
    {'path': 'x' * 300}, {'path': '\x01"*\\'},
    {'query': {'limit': 'x', 'page': '-1', 'org': '*'}},
)


def probes(asker, document, operation):
    """Odd requests: whatever the answer, it must be one that is documented."""
    problems = []
    variables = asker.contract.variables(operation)
    for probe in PROBES:
        recipe = dict(probe)
        if isinstance(probe.get('path'), str):
            if not variables:
                continue
            recipe['path'] = {name: probe['path'] for name in variables}
        if ('text' in probe) == (operation['method'] == 'GET') and 'text' in probe:
            continue
        if operation['path'].endswith('/tail'):
            recipe['query'] = recipe.get('query', {}) | {'from': 'x'}  # it would not end
        with collected(problems, f'asked with {probe}'):
            got, _ = asker.ask(operation, recipe)
            document.compare(operation, got, is_loose=got.status < 300)
    return problems


def methods(world, document, path):
    """Those that are documented are those that the server tells."""
    server = world.server('usual')
    told = {method.upper() for method in document.document['paths'][path]}
    target = re.sub(r'\{\w+\}', '0/x' if 'tile' in path else 'x', path)
    allowed = set(server.request('OPTIONS', target, None).headers['Allow'].replace(' ',
                                                                                   '').split(','))
    equal(allowed - {'OPTIONS', 'HEAD'}, told, 'Allow')
    for method in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE'):
        if method not in told:
            server.request(method, target, '').expect(405)


def must_be_empty(problems):
    if problems:
        raise Wrong('\n'.join(problems))


def main():
    with step('every route of the tables has an entry, and every entry a route'):
        try:
            contract = openapi.Contract(TABLES)
            contract.document()
        except openapi.Mistake as mistake:
            raise Wrong(str(mistake)) from mistake
    text = (openapi.dump(contract.document()) if RECORDS else
            openapi.DOCUMENT.read_text(encoding='utf-8'))
    document = Document(yaml.load(text, openapi.Loader), contract.tables['fields'])
    recorder = Recorder(contract, document)
    world = World()
    asker = Asker(world, contract)
    with step('there is a server, with keys of many rights and two events'):
        world.server('usual')
    if 'usual' not in world.servers:
        finish()
    for operation in contract.operations:
        if operation['path'] not in document.document['paths']:
            with step(f'{operation["place"]} is documented'):
                raise Wrong('it is not: run ./dev openapi')
            continue
        with step(f'{operation["place"]} answers what is documented'):
            must_be_empty(documented(asker, document, recorder, operation))
        with step(f'{operation["place"]} knows its parameters, and has no other answers'):
            must_be_empty(parameters(asker, document, operation) +
                          others(asker, document, operation) +
                          probes(asker, document, operation))
    for path in document.document['paths']:
        with step(f'{path} takes the methods that are documented'):
            methods(world, document, path)
    if RECORDS:
        recorder.write()
    with step('every answer has an example, which was one'):
        recorder.check()
    with step('the servers stop'):
        world.stop()
    finish()


main()
