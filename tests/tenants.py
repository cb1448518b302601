# SPDX-License-Identifier: Apache-2.0
"""Walls between organisations: every route is called with another one's ids, by every kind of
caller.

What belongs to the first organisation of the story has the word CANARY in it, which no answer to a
caller of the other may hold, and which must be there unchanged in the end.
"""
import json
import sys

from harness import (EVENTS, NDJSON, Server, Wrong, equal, finish, ndjson, skip, step, true,
                     wait_until)

try:
    from routes import every_route
except ImportError:
    skip('walls between organisations', 'python3-yaml is not installed')
    finish()
    sys.exit(0)

CANARY = 'canary'
PASSWORD = 'a password of the story'
OWN_SESSION = ('/api/v1/auth/logout', '/api/v1/auth/password', '/api/v1/auth/totp')  # no ids
SHARED_ID = '0190c5f0-0000-7000-8000-00000000cafe'
ROLES = ('owner', 'admin', 'auditor', 'operator', 'writer')
OBJECTS = {
    'rules': {'match_string': 'canary', 'prod_handling': 'page', 'dev_handling': 'Ignore',
              'team_assignment': 'canary'},
    'targets': {'name': 'canary', 'type': 'webhook', 'url': 'https://canary.example/hook',
                'secret': 'the secret of a canary'},
    'dev-hosts': {'hostname': 'canary.example'},
    'teams': {'hostname': 'canary.example', 'team_assignment': 'canary'},
    'schemas': {'event_type': 'canary.seen', 'schema': {'type': 'object'},
                'description': 'canary'},
    'users': {'email': 'canary@canary.example', 'password': PASSWORD, 'role': 'owner',
              'name': 'canary'},
    'api-keys': {'name': 'canary', 'role': 'writer'},
}


def call(server, method, target, body=None, key='', kind='application/json'):
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return server.request(method, target, body, {'Content-Type': kind} if body else {}, key=key)


class Organisation:
    """One with an object of every kind, events, and a caller of every role."""

    def __init__(self, server, name):
        self.server = server
        self.id = call(server, 'POST', '/api/v1/organizations',
                       {'name': name, 'tier': 'unlimited'}).expect(201).json()['id']
        self.keys = {}
        for role in ROLES:
            made = call(server, 'POST', f'/api/v1/api-keys?org={self.id}',
                        {'name': f'{name} {role}', 'role': role}).expect(201).json()
            self.keys[role] = made['key']
        self.objects = {}

    def fill(self):
        key = self.keys['owner']
        for kind, body in OBJECTS.items():
            self.objects[kind] = call(self.server, 'POST', f'/api/v1/{kind}', body,
                                      key).expect(201).json()
        rows = [{'event_id': SHARED_ID, 'event_type': 'canary.seen', 'actor_id': 'canary',
                 'correlation_id': 'shared-correlation', 'event_data': {'word': 'canary'}}]
        answer = call(self.server, 'POST', EVENTS, ndjson(rows), key, NDJSON).expect(201)
        self.seq = answer.json()['first_seq']

    def state(self):
        """Everything of it, as its owner sees it."""
        key = self.keys['owner']
        seen = {kind: self.server.get(f'/api/v1/{kind}', key=key).expect(200).json()['data']
                for kind in OBJECTS}
        for one in seen['api-keys']:
            one.pop('last_used_at', None)
        seen['self'] = self.server.get(f'/api/v1/organizations/{self.id}', key=key).json()
        seen['events'] = self.server.get(EVENTS, {'order': 'seq', 'limit': 1000},
                                         key=key).json()['data']
        return seen

    def values(self, route):
        """Its ids, for the parameters of a route's path."""
        kind = route.kind_name()
        own = self.objects.get(kind, {}).get('id', self.id if kind == 'organizations' else 'canary')
        known = {'id': own, 'event_id': SHARED_ID, 'correlation_id': 'shared-correlation',
                 'format': 'cloudtrail', 'tile': '000', 'org': self.id, 'name': 'log.level'}
        return {name: known.get(name, own) for name in route.names}


def told(answer):
    """What an answer says, without what only repeats the request."""
    text = answer.body.decode(errors='replace')
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, dict):
        value.pop('instance', None)
    return json.dumps(value) + str(answer.headers.get('ETag', ''))


def must_not_see(route, answer, who):
    if CANARY in told(answer).lower():
        raise Wrong(f'{route} told {who} of another organisation: {answer.status} '
                    f'{told(answer)[:400]}')
    if route.names and set(route.names) & {'id', 'event_id', 'org'} and answer.status < 300:
        raise Wrong(f'{route} answered {who} with {answer.status}: {told(answer)[:300]}')


def body_of(route):
    return {} if route.body is None else route.body


def ask(server, route, victim, key, query=''):
    target = route.target(victim.values(route)) + query
    if route.method in ('POST', 'PUT', 'PATCH', 'DELETE'):
        body = body_of(route)
        if route.kind == NDJSON:
            body = b''
        return call(server, route.method, target, body, key, route.kind or 'application/json')
    return call(server, route.method, target, None, key)


def walls(server, victim, other):
    routes = [route for route in every_route() if not route.is_stream()]
    true(len(routes) > 80, f'only {len(routes)} routes are documented')
    before = victim.state()
    login = call(server, 'POST', '/api/v1/auth/login',
                 {'email': 'someone@other.example', 'password': PASSWORD}, key=None).expect(200)
    callers = other.keys | {'a user': login.json()['access_token']}
    for who, key in callers.items():
        with step(f'{who} of another organisation gets nowhere, on any route'):
            for route in routes:
                if route.path in OWN_SESSION and who == 'a user':
                    continue  # would end the caller's own session
                must_not_see(route, ask(server, route, victim, key), who)
        with step(f'{who} of another organisation, nor by naming it (org=)'):
            for route in routes:
                if route.path in OWN_SESSION:
                    continue
                for org in (victim.id, '*', 'default'):
                    answer = ask(server, route, victim, key, f'?org={org}')
                    must_not_see(route, answer, f'{who} with org={org}')
    with step('nobody gets anywhere, on any route that needs a key'):
        for route in routes:
            answer = ask(server, route, victim, None)
            must_not_see(route, answer, 'nobody')
            if not route.is_open and answer.status not in (401, 400, 415):
                raise Wrong(f'{route} answered nobody with {answer.status}')
    with step('a live tail shows nothing of it'):
        for query in ('from=0', f'from=0&org={victim.id}', 'from=0&org=*'):
            with server.socket() as connection:
                connection.sendall(f'GET /api/v1/audit/tail?{query} HTTP/1.1\r\nHost: x\r\n'
                                   f'Authorization: Bearer {other.keys["owner"]}\r\n\r\n'.encode())
                connection.settimeout(1)
                heard = b''
                try:
                    while piece := connection.recv(65536):
                        heard += piece
                except TimeoutError:
                    pass
                true(b'HTTP/1.1 ' in heard and CANARY.encode() not in heard, f'{heard[-300:]}')
    with step('and everything of it is as it was'):
        after = victim.state()
        for name, value in before.items():
            equal(after[name], value, name)


def of_the_first(server, victim):
    """The first organisation's callers see all if their role does, and only if they say so."""
    seen = {}
    for role in ROLES:
        made = call(server, 'POST', '/api/v1/api-keys', {'name': role, 'role': role}).expect(201)
        seen[role] = made.json()['key']
    with step('the first organisation sees it, where its role may and it says so'):
        for role in ('owner', 'admin', 'auditor', 'operator'):
            answer = server.get(EVENTS, {'org': victim.id}, key=seen[role]).expect(200)
            true(CANARY in told(answer), 'the canary is there to be seen')
            true(CANARY not in told(server.get(EVENTS, key=seen[role])), 'seen without saying so')
            true(CANARY in told(server.get('/api/v1/rules', {'org': victim.id}, key=seen[role])),
                 'its rules')
    with step('a writer of the first organisation does not'):
        for query in ({}, {'org': victim.id}, {'org': '*'}):
            true(CANARY not in told(server.get(EVENTS, query, key=seen['writer'])), 'events')
            true(CANARY not in told(server.get('/api/v1/rules', query, key=seen['writer'])),
                 'rules')


def same_ids(server, victim, other):
    with step('the same event id is another event in another organisation'):
        row = {'event_id': SHARED_ID, 'event_type': 'mine', 'correlation_id': 'shared-correlation'}
        call(server, 'POST', EVENTS, row, other.keys['writer']).expect(201)
        mine = server.get(f'{EVENTS}/{SHARED_ID}', key=other.keys['owner']).expect(200).json()
        equal(mine['event_type'], 'mine')
        theirs = server.get(f'{EVENTS}/{SHARED_ID}', key=victim.keys['owner']).expect(200).json()
        equal(theirs['event_type'], 'canary.seen')
        line = server.get('/api/v1/audit/timeline/shared-correlation', key=other.keys['owner'])
        equal([one['event_type'] for one in line.expect(200).json()['data']], ['mine'])


with Server('--login-failures-max', '0') as under_test:
    first = Organisation(under_test, 'Canary')
    second = Organisation(under_test, 'Other')
    first.fill()
    call(under_test, 'POST', f'/api/v1/users?org={second.id}',
         {'email': 'someone@other.example', 'password': PASSWORD, 'role': 'owner'}).expect(201)
    wait_until(lambda: CANARY in told(under_test.get('/api/v1/audit', key=first.keys['owner'])),
               'the first organisation has a history')
    walls(under_test, first, second)
    of_the_first(under_test, first)
    same_ids(under_test, first, second)
finish()
