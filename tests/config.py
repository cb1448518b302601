# SPDX-License-Identifier: Apache-2.0
"""Configuration: objects of every kind, the history of their changes, and keys that come and go."""
import concurrent.futures
import datetime
import json
import sqlite3
import threading
import time
import urllib.parse

from harness import (EVENTS, OWN, Server, cairn, contains, equal, event, finish, on_terminal, step,
                     true, wait_until)

KINDS = {  # a body that is enough, and a change of it
    'rules': ({'match_string': 'down', 'prod_handling': 'page', 'dev_handling': 'Ignore',
               'team_assignment': 'NETO'}, {'priority': 7}),
    'targets': ({'name': 'pager', 'type': 'webhook', 'url': 'https://pager.example/hook',
                 'secret': 'a secret of the pager'}, {'enabled': False}),
    'dev-hosts': ({'hostname': 'Dev-1.example'}, {}),
    'teams': ({'hostname': 'web-1', 'team_assignment': 'web'}, {'team_assignment': 'ops'}),
    'schemas': ({'event_type': 'pay.done', 'schema': {'type': 'object'}}, {'mode': 'reject'}),
    'organizations': ({'name': 'Umbrella'}, {'tier': 'BUSINESS'}),
}
AUDIT = '/api/v1/audit'


def path_of(kind, made=None):
    return f'/api/v1/{kind}' + (f'/{made["id"]}' if made else '')


def history(server, **params):
    return server.get(AUDIT, params).expect(200).json()


def every_kind(server):
    for kind, (body, change) in KINDS.items():
        with step(f'{kind}: made, read, listed, changed and removed'):
            answer = server.post(path_of(kind), body | {'reason': 'why not'}).expect(201)
            made = answer.json()
            true('secret' not in made and 'reason' not in made, f'{made}')
            equal(answer.headers['Location'], path_of(kind, made))
            equal(answer.headers['ETag'], '"1"')
            equal(server.get(path_of(kind, made)).expect(200).json(), made)
            listed = server.get(path_of(kind), {'org': '*'}).expect(200).json()['data']
            true(made in listed, 'it is listed')
            changed = server.request('PATCH', path_of(kind, made), json.dumps(change)).expect(200)
            equal(changed.headers['ETag'], '"2"' if change else '"1"')
            for name, value in change.items():
                equal(changed.json()[name], value)
            server.request('PUT', path_of(kind, made), json.dumps(changed.json())).expect(200)
            server.request('DELETE', path_of(kind, made), b'').expect(204)
            server.get(path_of(kind, made)).expect_problem(404)
            server.request('DELETE', path_of(kind, made), b'').expect_problem(404)
            rows = history(server, table_name=kind, record_id=made['id'], org='*')['data']
            # what is sent back as it was read is no change
            updates = 1 if change else 0
            equal([row['operation'] for row in rows],
                  ['DELETE'] + ['UPDATE'] * updates + ['CREATE'])
            equal([row['old_values'] is None for row in rows], [False] * (updates + 1) + [True])
            equal([row['new_values'] is None for row in rows], [True] + [False] * (updates + 1))
            equal(rows[-1]['reason'], 'why not')
            equal(rows[-1]['changed_by'], server.key.split('_')[2])
            true('a secret of' not in json.dumps(rows), 'a secret in the history')
    for reason, kept in (('причина!' * 66, 'причина!' * 66), ('я' * 500, 'я' * 500),
                         ('a' * 998 + '😀', 'a' * 998)):
        with step(f'a reason of {len(reason.encode())} bytes is in the history, up to 1000 '
                  'of them'):
            made = server.post('/api/v1/teams', {'hostname': 'h', 'team_assignment': 't',
                                                 'reason': reason}).expect(201).json()
            equal(history(server, record_id=made['id'])['data'][0]['reason'], kept)
            server.request('DELETE', f'/api/v1/teams/{made["id"]}', b'').expect(204)


def refused(server):
    rules = path_of('rules')
    good, _ = KINDS['rules']
    for sentence, body, pointers in (
            ('nothing', {}, ['/prod_handling', '/dev_handling', '/team_assignment']),
            ('no match', {name: good[name] for name in good if name != 'match_string'},
             ['/match_string']),
            ('a severity of 8', good | {'syslog_severity': 8}, ['/syslog_severity']),
            ('an unknown field', good | {'colour': 'red'}, ['/colour']),
            ('the server\'s field', good | {'number': 3}, ['/number']),
            ('a list', [good], [''])):
        with step(f'refused: a rule with {sentence}'):
            problem = server.post(rules, body).expect_problem(400)
            equal([item['pointer'] for item in problem['errors']], pointers)
    for sentence, body in (('no JSON', b'{"a":'), ('two members of one name', b'{"a":1,"a":2}'),
                           ('bytes that are no UTF-8', b'{"match_string":"\xff"}')):
        with step(f'refused: {sentence}'):
            server.request('POST', rules, body,
                           {'Content-Type': 'application/json'}).expect_problem(400)
    for query in ({'limit': '0'}, {'limit': '1001'}, {'colour': 'red'}, {'is_active': 'perhaps'},
                  {'page': '0'}):
        with step(f'refused: a list with {query}'):
            server.get(rules, query).expect_problem(400)
    for query in ({'operation': 'DROP'}, {'start_date': 'soon'}, {'table_name': 'passwords'},
                  {'limit': '201'}, {'page': '0'}, {'colour': 'red'}, {'record_id': ''}):
        with step(f'refused: a history with {query}'):
            server.get(AUDIT, query).expect_problem(400)


def cut_answers(server):
    for lead in range(4):
        long = 'a' * lead + 'я😀' * 100
        word = urllib.parse.quote(long)
        with step(f'what is wrong is said in UTF-8, also where it is cut ({lead})'):
            for answer in (server.get(f'/api/v1/rules?{word}=1'),
                           server.get(f'/api/v1/settings?{word}=1'),
                           server.get(f'/api/v1/settings/{word}'),
                           server.get(f'/api/v1/limits?{word}=1'),
                           server.post('/api/v1/rules', {long: long})):
                contains(answer.body.decode('utf-8'), 'я')


def cursors(server):
    rules = path_of('rules')

    def make(priority, text):
        return server.post(rules, KINDS['rules'][0] | {
            'priority': priority, 'match_string': text,
            'team_assignment': 'paged'}).expect(201).json()['id']
    made = [make(n % 3, f'{n}') for n in range(9)]
    asked = {'team_assignment': 'paged', 'limit': 2}
    with step('a cursor leads through a list while objects come and go'):
        answer = server.get(rules, asked).expect(200)
        first = answer.json()
        equal(sorted(first['page']), ['has_more', 'limit', 'next_cursor'])
        seen = [rule['id'] for rule in first['data']]
        make(0, 'before all pages')
        server.request('DELETE', path_of('rules', {'id': seen[-1]}), b'').expect(204)
        while answer.json()['page']['has_more']:
            link = answer.headers['Link']
            true(link.endswith('>; rel="next"'), link)
            contains(link, 'cursor=' + answer.json()['page']['next_cursor'])
            answer = server.get(link[1:link.index('>')]).expect(200)
            seen += [rule['id'] for rule in answer.json()['data']]
        equal(len(seen), len(set(seen)), 'seen twice')
        true(set(made) <= set(seen), 'missed')
        equal((answer.json()['page']['next_cursor'], answer.headers.get('Link')), (None, None))
    with step('they are in the order of priority, and then of number'):
        listed = server.get(rules, {'team_assignment': 'paged'}).json()['data']
        places = [(rule['priority'], rule['number']) for rule in listed]
        equal(places, sorted(places))
    cursor = first['page']['next_cursor']
    for sentence, query in (
            ('was tampered with',
             asked | {'cursor': ('B' if cursor[0] == 'A' else 'A') + cursor[1:]}),
            ('is cut short', asked | {'cursor': cursor[:-2]}),
            ('is none', asked | {'cursor': 'AgME'}),
            ('is one of events', asked | {'cursor': server.get(EVENTS, {'limit': 1})
                                          .json()['page']['next_cursor']}),
            ('is of another filter', asked | {'cursor': cursor, 'team_assignment': 'web'}),
            ('is of no filter', {'cursor': cursor}),
            ('is of one organisation', asked | {'cursor': cursor, 'org': '*'}),
            ('comes with an offset', asked | {'cursor': cursor, 'offset': 1}),
            ('comes with a page', asked | {'cursor': cursor, 'page': 1})):
        with step(f'refused: a cursor that {sentence}'):
            equal(server.get(rules, query).expect_problem(400)['pointer'], 'cursor')
    with step('refused: a cursor of another list'):
        server.get(path_of('teams'), {'cursor': cursor}).expect_problem(400)
        server.get(EVENTS, {'cursor': cursor}).expect_problem(400)
    with step('a page may be longer than the one that the cursor is of'):
        more = server.get(rules, asked | {'cursor': cursor, 'limit': 3}).expect(200).json()
        equal((len(more['data']), more['page']['limit']), (3, 3))
    with step('limit and offset, page and limit, and the total work too'):
        whole = [rule['id'] for rule in server.get(rules, asked | {'limit': 100}).json()['data']]
        part = server.get(rules, asked | {'offset': 2, 'total': 'exact'}).json()
        equal([rule['id'] for rule in part['data']], whole[2:4])
        equal(part['page']['total'], len(whole))
        part = server.get(rules, asked | {'page': 2}).json()
        equal([rule['id'] for rule in part['data']], whole[2:4])
        equal(part['page'],
              {'page': 2, 'limit': 2, 'total': len(whole), 'pages': -(-len(whole) // 2)})
    with step('a next link of a page leads on by cursor'):
        link = server.get(rules, asked | {'page': 2}).headers['Link']
        listed = server.get(link[1:link.index('>')]).expect(200).json()['data']
        equal([rule['id'] for rule in listed], whole[4:6])
        link = server.get(EVENTS, {'page': 1, 'limit': 1}).headers['Link']
        equal(len(server.get(link[1:link.index('>')]).expect(200).json()['data']), 1)


def versions(server):
    rule = server.post(path_of('rules'), KINDS['rules'][0]).expect(201).json()
    place = path_of('rules', rule)

    def patch(match, **change):
        return server.request('PATCH', place, json.dumps(change), {'If-Match': match})
    with step('If-Match guards an update'):
        patch('"1"', priority=1).expect(200)
        patch('"1"', priority=2).expect_problem(412)
        patch('*', priority=3).expect(200)
        patch('three', priority=4).expect_problem(400)
        equal(server.get(place).json()['priority'], 3)
    with step('of ten that change the same version one wins'):
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            found = list(pool.map(lambda n: patch('"3"', priority=10 + n).status, range(10)))
        equal(sorted(found), [200] + [412] * 9)
    with step('what changes nothing is no change: the same version, and nothing in the history'):
        before = server.get(place)
        changes = len(history(server, table_name='rules', limit=200)['data'])
        etag, read = before.headers['ETag'], before.json()
        for match in (etag, '*'):
            for change in ({}, {'reason': 'just so'}, {'priority': read['priority']}):
                answer = patch(match, **change).expect(200)
                equal((answer.headers['ETag'], answer.json()), (etag, read))
        answer = server.request('PUT', place, json.dumps(read), {'If-Match': etag}).expect(200)
        equal((answer.headers['ETag'], answer.json()), (etag, read))
        patch('"1"').expect_problem(412)
        equal(len(history(server, table_name='rules', limit=200)['data']), changes)
    with step('a request with an Idempotency-Key is done once'):
        again = {'Idempotency-Key': 'k-1'}
        body = KINDS['rules'][0] | {'match_string': 'once'}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(
                lambda _: server.post(path_of('rules'), body, again).expect(201).json(), range(8)))
        equal(len({answer['id'] for answer in answers}), 1)
        server.post(path_of('rules'), body | {'priority': 1}, again).expect_problem(409)


def tenants(server):
    """What another organisation has is not there."""
    org = server.post(path_of('organizations'),
                      {'name': 'other', 'tier': 'ENTERPRISE'}).expect(201).json()
    key = server.post(f'/api/v1/api-keys?org={org["id"]}', {'name': 'o', 'role': 'owner'})
    theirs = key.expect(201).json()
    ours = {kind: server.post(path_of(kind), body).expect(201).json()
            for kind, (body, _) in KINDS.items() if kind != 'organizations'}
    own_key, server.key = server.key, theirs['key']
    for kind, made in ours.items():
        with step(f'another organisation sees nothing of our {kind}'):
            equal(server.get(path_of(kind)).expect(200).json()['data'], [])
            server.get(path_of(kind, made)).expect_problem(404)
            for method in ('PUT', 'PATCH', 'DELETE'):
                server.request(method, path_of(kind, made), b'{}').expect_problem(404)
            server.get(path_of(kind), {'org': 'default'}).expect_problem(403)
            server.get(path_of(kind), {'org': '*'}).expect_problem(403)
            server.post(path_of(kind) + '?org=default', KINDS[kind][0]).expect_problem(403)
    with step('nor of organisations, their keys and their history'):
        equal([item['id'] for item in server.get(path_of('organizations')).json()['data']],
              [org['id']])
        server.get('/api/v1/organizations/default').expect_problem(404)
        for method in ('PUT', 'PATCH', 'DELETE'):
            true(server.request(method, '/api/v1/organizations/default', b'{}').status in
                 (403, 404), method)
        server.post(path_of('organizations'), {'name': 'mine'}).expect_problem(403)
        equal([item['id'] for item in server.get('/api/v1/api-keys').json()['data']],
              [theirs['id']])
        equal({row['record_id'] for row in history(server)['data']}, {org['id'], theirs['id']})
        server.get(AUDIT, {'org': 'default'}).expect_problem(403)
    with step('nor how the whole server is, and who calls it'):
        for path in ('/health/detailed', '/api/v1/migrations', '/api/v1/version/usage',
                     '/tile/entries/000'):
            server.get(path).expect_problem(403, 'every organisation')
    with step('nor gives it the whole server other keys to sign with'):
        signs = server.get('/api/v1/log').expect(200).json()['vkey']
        server.request('POST', '/api/v1/log/keys/rotate', b'').expect_problem(403)
        server.request('POST', '/api/v1/auth/token-keys/rotate', b'{}').expect_problem(403)
        equal(server.get('/api/v1/log').expect(200).json()['vkey'], signs)
    with step('it may change itself, but not its tier'):
        server.request('PATCH', path_of('organizations', org), b'{"name":"renamed"}').expect(200)
        server.request('PATCH', path_of('organizations', org),
                       b'{"tier":"unlimited"}').expect_problem(403)
    server.key = own_key
    with step('an organisation that others refer to stays, and they are named'):
        problem = server.request('DELETE', path_of('organizations', org), b'').expect_problem(409)
        contains(json.dumps(problem['errors']), theirs['id'])


def keys(server):
    made = server.post('/api/v1/api-keys', {'name': 'app'}).expect(201).json()
    owner = server.key

    def status(key):
        server.key = key
        try:
            return server.post(EVENTS, event()).status
        finally:
            server.key = owner
    with step('a key is shown once, and does what its role may'):
        true('key' not in server.get(f'/api/v1/api-keys/{made["id"]}').json(), 'shown again')
        equal(status(made['key']), 201)
        server.key = made['key']
        server.get(EVENTS).expect_problem(403)
        server.get('/api/v1/rules').expect_problem(403)
        server.post('/api/v1/api-keys', {'name': 'n'}).expect_problem(403)
        server.key = owner
    with step('AUT-07, AUT-08: rotation ends the old key at once'):
        answer = server.post(f'/api/v1/auth/api-keys/{made["id"]}/rotate', {}).expect(200).json()
        equal(answer['old_key']['is_active'], False)
        true(answer['old_key']['revoked_at'], 'when it was revoked')
        equal(answer['new_key']['name'], 'app (Rotated)')
        equal((status(made['key']), status(answer['new_key']['key_value'])), (401, 201))
        server.post(f'/api/v1/api-keys/{made["id"]}/rotate', {}).expect_problem(400)
    with step('a long name of any letters is cut between two of them'):
        named = server.post('/api/v1/api-keys', {'name': 'ключ' * 12}).expect(201).json()
        answer2 = server.post(f'/api/v1/api-keys/{named["id"]}/rotate', {}).expect(200).json()
        equal(answer2['new_key']['name'], 'ключ' * 10 + ' (Rotated)')
    with step('AUT-11: or after a grace'):
        first = answer['new_key']
        answer = server.post(f'/api/v1/api-keys/{first["id"]}/rotate',
                             {'grace_seconds': 1}).expect(200).json()
        equal(answer['old_key']['is_active'], True)
        equal(status(first['key_value']), 201)
        wait_until(lambda: status(first['key_value']) == 401, 'the grace is over')
    with step('AUT-11: which no second rotation makes longer'):
        key = server.post('/api/v1/api-keys', {'name': 'often'}).expect(201).json()
        ends = [server.post(f'/api/v1/api-keys/{key["id"]}/rotate', {'grace_seconds': seconds})
                .expect(200).json()['old_key']['revoked_at'] for seconds in (60, 3600)]
        true(ends[1] <= ends[0], f'it works until {ends[0]}, and then until {ends[1]}')
    with step('AUT-06: a revoked key is refused by the next request'):
        last = answer['new_key']
        server.request('DELETE', f'/api/v1/api-keys/{last["id"]}', b'').expect(204)
        equal(status(last['key_value']), 401)
    with step('AUT-13: a key ends when it said it would'):
        late = server.post('/api/v1/api-keys', {'name': 'late',
                                                'expires_at': '2020-01-01T00:00:00Z'})
        equal(status(late.expect(201).json()['key']), 401)
    with step('AUT-15: the last owner key stays'):
        mine = server.get('/api/v1/api-keys', {'role': 'owner'}).json()['data'][0]
        place = f'/api/v1/api-keys/{mine["id"]}'
        server.request('DELETE', place, b'').expect_problem(400)
        server.request('PATCH', place, b'{"expires_at": "2020-01-01T00:00:00Z"}'
                       ).expect_problem(400, 'last active')
        server.get('/api/v1/api-keys').expect(200)
    with step('AUT-15: and its rights, also where other owner keys have but a part of them'):
        parts = [server.post('/api/v1/api-keys', {'name': 'part', 'role': 'owner'} | part
                             ).expect(201).json()
                 for part in ({'scopes': ['events:read']}, {'filter': 'service:web'})]
        server.request('DELETE', place, b'').expect_problem(400)
        server.request('PATCH', place, b'{"filter": "service:web"}'
                       ).expect_problem(400, 'last active')
        for part in parts:
            server.request('DELETE', f'/api/v1/api-keys/{part["id"]}', b'').expect(204)
        server.get('/api/v1/api-keys').expect(200)
    with step('an admin makes no owner'):
        admin = server.post('/api/v1/api-keys', {'name': 'a', 'role': 'admin'}).expect(201).json()
        server.key = admin['key']
        server.post('/api/v1/api-keys', {'name': 'o', 'role': 'owner'}).expect_problem(403)
        server.key = owner
    with step('an admin gives a key that may do more neither another end nor another filter'):
        late = server.post('/api/v1/api-keys',
                           {'name': 'o', 'role': 'owner', 'filter': 'service:web',
                                                'expires_at': '2020-01-01T00:00:00Z'})
        late = late.expect(201).json()
        for change in ({'expires_at': None}, {'filter': None}, {'name': 'other'}):
            server.request('PATCH', f'/api/v1/api-keys/{late["id"]}', json.dumps(change),
                           key=admin['key']).expect_problem(403)
        equal(status(late['key']), 401)
        writer = server.post('/api/v1/api-keys', {'name': 'w'}).expect(201).json()
        server.request('PATCH', f'/api/v1/api-keys/{writer["id"]}', b'{"name":"v"}',
                       key=admin['key']).expect(200)
    with step('nor does a key whose scopes are narrower than those of the other'):
        narrow = server.post('/api/v1/api-keys', {'name': 'n', 'role': 'admin',
                                                  'scopes': ['config:write']}).expect(201).json()
        seeing = server.post('/api/v1/api-keys', {'name': 's', 'role': 'auditor',
                                                  'filter': 'service:web'}).expect(201).json()
        server.request('PATCH', f'/api/v1/api-keys/{seeing["id"]}', b'{"filter":null}',
                       key=narrow['key']).expect_problem(403)
    with step('a key with a filter widens no key'):
        narrow = server.post('/api/v1/api-keys', {'name': 'n', 'role': 'owner',
                                                  'filter': 'service:web'}).expect(201).json()
        server.key = narrow['key']
        server.request('PATCH', f'/api/v1/api-keys/{narrow["id"]}',
                       b'{"filter":null}').expect_problem(403)
        server.post(f'/api/v1/api-keys/{narrow["id"]}/rotate', {}).expect_problem(403)
        server.request('DELETE', f'/api/v1/api-keys/{seeing["id"]}', b'').expect_problem(403)
        server.key = owner
    with step('AUT-10: the history tells of a rotation with both ids'):
        found = server.query(event_type='api_key.rotate')['data'][-1]['event_data']
        equal(found['old_key_id'], made['id'])
        true(found['new_key_id'] != made['id'], 'the new one')
    with step('a key is made once by a request that comes twice, and its secret shown once'):
        once = {'Idempotency-Key': 'key-1'}
        made = server.post(path_of('api-keys'), {'name': 'once'}, once).expect(201).json()
        problem = server.post(path_of('api-keys'), {'name': 'once'}, once).expect_problem(409)
        contains(problem['detail'], made['id'])
        names = [one['name']
                 for one in server.get(path_of('api-keys'), {'limit': 1000}).json()['data']]
        equal(names.count('once'), 1)
    with step('the steps that the database went through can be listed'):
        steps = server.get('/api/v1/migrations').expect(200).json()['data']
        names = [one['name'] for one in steps]
        true({'outbox', 'rules', 'users.email'} <= set(names) and len(set(names)) == len(names),
             names)
        true(all(one['applied_at'].endswith('Z') for one in steps), 'times')
    with step('AUT-13: an organisation may say when its keys end at the latest'):
        def org(change):
            server.request('PATCH', path_of('organizations', {'id': 'default'}),
                           json.dumps(change)).expect(200)

        org({'key_days_max': 30})
        made = server.post(path_of('api-keys'), {'name': 'dated'}).expect(201).json()
        days = (datetime.datetime.fromisoformat(made['expires_at'].replace('Z', '+00:00'))
                - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 86400
        true(29.9 < days <= 30, f'{days} days')
        late = '2099-01-01T00:00:00Z'
        server.post(path_of('api-keys'), {'name': 'late', 'expires_at': late}
                    ).expect_problem(400, '/expires_at', '30 days')
        server.request('PATCH', path_of('api-keys', made), json.dumps({'expires_at': None})
                       ).expect_problem(400, '/expires_at')
        server.request('PATCH', path_of('api-keys', made),
                       json.dumps({'name': 'another'})).expect(200)
        soon = (datetime.datetime.now(datetime.timezone.utc) +
                datetime.timedelta(days=2)).isoformat()
        server.request('PATCH', path_of('api-keys', made),
                       json.dumps({'expires_at': soon})).expect(200)
        org({'key_days_max': None})
        free = server.post(path_of('api-keys'), {'name': 'free'}).expect(201).json()
        equal(free['expires_at'], None)


def copy_key(server, key, count):
    """Into the database: to make as many by requests takes long."""
    catalog = sqlite3.connect(server.data / 'catalog.db', timeout=60)
    with catalog:
        names = [row[1] for row in catalog.execute('PRAGMA table_info("api-keys")')]
        found = catalog.execute('SELECT * FROM "api-keys" WHERE id = ?', (key,)).fetchone()
        row = dict(zip(names, found))
        copies = [row | {'id': f'{key[:-6]}{n:06x}', 'key_prefix': f'{n:08x}',
                         'key_hash': f'{n:064x}'} for n in range(count)]
        catalog.executemany(f'INSERT INTO "api-keys" VALUES({", ".join("?" * len(names))})',
                            [tuple(copy.values()) for copy in copies])
    catalog.close()


def many_owner_keys():
    with Server() as server, step('another owner key counts however many ended before it'):
        first = server.get(path_of('api-keys'), {'role': 'owner'}).json()['data'][0]
        ended = server.post(path_of('api-keys'), {'name': 'ended', 'role': 'owner',
                                                  'expires_at': '2020-01-01T00:00:00Z'})
        copy_key(server, ended.expect(201).json()['id'], 1100)
        other = server.post(path_of('api-keys'), {'name': 'o', 'role': 'owner'}).expect(201).json()
        server.key = other['key']
        server.request('PATCH', path_of('api-keys', first),
                       b'{"expires_at": "2020-01-01T00:00:00Z"}').expect(200)
        server.request('DELETE', path_of('api-keys', other), b'').expect_problem(400)


def removed_with_keys():
    """An organisation, or a user, that had keys once: those that are over go with it."""
    with Server() as server:
        def make(kind, body):
            return server.post(path_of(kind) + query, body).expect(201).json()

        def remove(kind, one, headers=None):
            where = '' if kind == 'organizations' else query
            return server.request('DELETE', path_of(kind, one) + where, b'', headers)

        def named(answer):
            return [error['detail'].split()[2] for error in answer.expect_problem(409)['errors']]

        query = ''
        org = make('organizations', {'name': 'Umbrella'})
        query = f'?org={org["id"]}'
        owner, writer = (make('api-keys', {'name': role, 'role': role})
                         for role in ('owner', 'writer'))
        user = make('users', {'email': 'ada@example.com', 'password': 'a long password',
                              'role': 'auditor'})
        of_user = make('api-keys', {'name': 'hers', 'role': 'auditor', 'user_id': user['id']})
        rule = make('rules', KINDS['rules'][0])
        remove('api-keys', writer).expect(204)
        with step('a user whose key works stays; one whose keys were revoked goes, and they too'):
            equal(named(remove('users', user)), [of_user['id']])
            remove('api-keys', of_user).expect(204)
            remove('users', user).expect(204)
            server.get(path_of('api-keys', of_user) + query).expect_problem(404)
        with step('an organisation stays while a key works, and what it had revoked stays with it'):
            equal(sorted(named(remove('organizations', org))), sorted([owner['id'], rule['id']]))
            server.get(path_of('api-keys', writer) + query).expect(200)
        with step('also one that is locked out, while there is anything but keys'):
            locked = server.request('PATCH', path_of('organizations', org), b'{"is_active":false}')
            locked.expect(200)
            equal(named(remove('organizations', org)), [rule['id']])
            equal(len(server.get(path_of('api-keys') + query).expect(200).json()['data']), 2)
        with step('else it goes with its keys, in one transaction, and each leaves an event'):
            remove('rules', rule).expect(204)
            copy_key(server, writer['id'], 600)
            remove('organizations', org, {'If-Match': '"1"'}).expect_problem(412)
            remove('organizations', org, {'If-Match': locked.headers['ETag']}).expect(204)
            server.get(path_of('organizations', org)).expect_problem(404)
            server.get('/api/v1/rules', key=owner['key']).expect_problem(401)
            for one in (owner, writer, of_user):
                rows = history(server, record_id=one['id'], org='*')['data']
                equal(rows[0]['operation'], 'DELETE')
            told = history(server, table_name='api-keys', operation='DELETE', org='*', limit=1)
            equal(told['page']['total'], 603)
        with step('more keys than one transaction changes: nothing is removed'):
            query = ''
            org = make('organizations', {'name': 'Hydra'})
            query = f'?org={org["id"]}'
            writer = make('api-keys', {'name': 'w'})
            remove('api-keys', writer).expect(204)
            copy_key(server, writer['id'], 1100)
            remove('organizations', org).expect_problem(413)
            first = server.get(path_of('api-keys'), {'org': org['id'], 'total': 'exact'}).json()
            equal(first['page']['total'], 1101)


def killed():
    """kill -9 while configuration changes: each change that was answered is there, with one event,
    and each that is there has one. Four clients at a time, or forty, whose changes share
    commits."""
    server = Server()
    server.start()
    answered, stop = [], threading.Event()

    def change():
        while not stop.is_set():
            try:
                answer = server.post('/api/v1/rules', KINDS['rules'][0])
            except OSError:
                return
            if answer.status == 201:
                answered.append(answer.json()['id'])
    for round_ in range(6):
        clients = 40 if round_ % 2 else 4
        with step(f'kill -9 while {clients} clients change the configuration, round {round_ + 1}'):
            stop.clear()
            threads = [threading.Thread(target=change) for _ in range(clients)]
            for thread in threads:
                thread.start()
            time.sleep(0.15 + 0.05 * round_)
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            server.start()
            rules = set()
            for page in range(1, 1000):
                rows = server.get('/api/v1/rules', {'limit': 1000, 'page': page}).json()['data']
                rules |= {rule['id'] for rule in rows}
                if not rows:
                    break
            true(set(answered) <= rules, 'an answered change is lost')
            found = [item['resource_id'] for item in all_events(server, 'config.rules.create')]
            equal(len(found), len(set(found)), 'events of one change')
            equal(set(found), rules)
    print(f'# {len(answered)} changes')
    server.stop()


def all_events(server, event_type):
    answer = server.query(event_type=event_type, limit=1000, order='seq')
    found = answer['data']
    while answer['page']['has_more']:
        answer = server.query(event_type=event_type, limit=1000, order='seq',
                              cursor=answer['page']['next_cursor'])
        found += answer['data']
    return found


def fast_enough(server):
    with step('a thousand changes by 100 users at once are all made'):
        times = []

        def one(_):
            begun = time.monotonic()
            server.post('/api/v1/rules', KINDS['rules'][0]).expect(201)
            times.append(time.monotonic() - begun)
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            list(pool.map(one, range(1000)))
        times.sort()
        print(f'# p50 {1000 * times[500]:.0f} ms, p95 {1000 * times[950]:.0f} ms, '
              f'p99 {1000 * times[990]:.0f} ms')


def listed_by_command(server):
    def rules(*words):
        lines = cairn('rule', 'list', *words, server=server).stdout.splitlines()
        return [json.loads(line)['number'] for line in lines]
    with step('cairn rule list: a hundred, as many as are wanted, or all, which is more than '
              'a page'):
        total = server.get('/api/v1/rules', {'total': 'exact'}).json()['page']['total']
        true(total > 1000, f'only {total} rules')
        everything = rules('--limit', '0')
        equal((len(everything), len(set(everything))), (total, total))
        equal(rules(), everything[:100])
        equal(rules('--limit', '1001'), everything[:1001])


def said_by_command(server):
    with step('what is wrong with the words of a command is said with what was expected'):
        for words, said in ((('key',),
                             'a verb is missing: expected list, show, create, set, revoke'),
                            (('key', 'show'), 'show: expected ID behind it'),
                            (('rule', 'create', 'handling=x'), 'prod_handling dev_handling'),
                            (('rule', 'create', 'priority=high'), 'priority: expected a number'),
                            (('user', 'set', 'x', 'is_active=no'), 'expected true or false'),
                            (('schema', 'create', 'schema=@not/there'), 'No such file'),
                            (('config',), 'a verb is missing: expected list, get'),
                            (('config', 'set', 'signup'), 'set: expected NAME VALUE behind it')):
            contains(cairn(*words, server=server, status=2).stderr, said, words)
    with step('a list on a terminal has whole ids, and a new key is shown whole'):
        first = json.loads(cairn('key', 'list', server=server).stdout.splitlines()[0])
        contains(on_terminal('key', 'list', server=server), first['id'])
        changed = on_terminal('audit', 'changes', '--table', 'api-keys', server=server)
        contains(changed, first['id'])
        true('…' not in changed.splitlines()[-1].split('  ')[-1], 'and what changed is whole')
        made = on_terminal('key', 'create', 'name=' + 80 * 'n', 'role=writer', server=server)
        contains(made, 80 * 'n')


with Server() as under_test:
    equal(history(under_test)['page'], {'page': 1, 'limit': 50, 'total': OWN, 'pages': 1})
    every_kind(under_test)
    refused(under_test)
    cut_answers(under_test)
    cursors(under_test)
    versions(under_test)
    tenants(under_test)
    keys(under_test)
    fast_enough(under_test)
    listed_by_command(under_test)
    said_by_command(under_test)
many_owner_keys()
removed_with_keys()
killed()
finish()
