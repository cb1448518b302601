# SPDX-License-Identifier: Apache-2.0
"""How much a key is used: by day, route and class of status, across restarts and organisations."""
import datetime
import uuid

from harness import (EVENTS, Server, cairn, contains, equal, event, finish, lines_of, on_terminal,
                     step, true, wait_until)

KEYS = '/api/v1/api-keys'


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%d')


FIRST_DAY = today()


def usage_of(server, key, place=KEYS, **params):
    return server.get(f'{place}/{key["id"]}/usage', params).expect(200).json()


def new_key(server, org='', **members):
    return server.post(KEYS + org, {'name': 'k'} | members).expect(201).json()


def routes(usage):
    return {row['route']: (row['requests'], row['errors']['4xx']) for row in usage['by_route']}


def counted(server):
    key = new_key(server, role='auditor')
    with step('AUT-14: a key that was never used'):
        usage = usage_of(server, key)
        equal((usage['total'], usage['last_used_at'], usage['by_day'], usage['by_route']),
              (0, None, [], []))
        equal((usage['key_id'], usage['key_prefix'], usage['days']),
              (key['id'], key['key_prefix'], 30))
    with step('AUT-14: requests are counted by the template of their route, at once'):
        for _ in range(3):
            server.get(EVENTS, key=key['key']).expect(200)
        server.get(f'{EVENTS}/{uuid.uuid4()}', key=key['key']).expect(404)
        server.request('POST', EVENTS, b'{}', key=key['key']).expect(403)
        wait_until(lambda: usage_of(server, key)['total'] == 5, 'five are counted')
        usage = usage_of(server, key)
        equal(routes(usage), {f'GET {EVENTS}': (3, 0), f'GET {EVENTS}/{{event_id}}': (1, 1),
                              f'POST {EVENTS}': (1, 1)})
        equal(usage['by_route'][0]['route'], f'GET {EVENTS}')
        equal(usage['errors'], {'4xx': 2, '5xx': 0})
        true({row['day'] for row in usage['by_day']} <= {FIRST_DAY, today()}, usage['by_day'])
        equal(sum(row['requests'] for row in usage['by_day']), 5)
        equal(sum(row['errors']['4xx'] for row in usage['by_day']), 2)
        equal(usage['last_used_at'][:10], usage['by_day'][-1]['day'])
    with step('AUT-14: they are kept, and the last use is shown, without a change of the key'):
        before = server.get(f'/api/v1/audit?record_id={key["id"]}').expect(200).json()['page']
        server.stop()
        server.start()
        after = usage_of(server, key)
        equal(after, usage)
        answer = server.get(f'{KEYS}/{key["id"]}').expect(200)
        equal(answer.json()['last_used_at'], usage['last_used_at'])
        equal(answer.json()['updated_at'], key['updated_at'])
        equal(answer.headers['ETag'], '"1"')
        equal(server.get(f'/api/v1/audit?record_id={key["id"]}').expect(200).json()['page'],
              before)
    with step('they are stored within seconds, so that a crash takes no more than that'):
        once = new_key(server, role='auditor')
        server.get(EVENTS, key=once['key']).expect(200)
        wait_until(lambda: server.get(f'{KEYS}/{once["id"]}').json()['last_used_at'], 'stored')
        server.kill()
        server.start()
        equal(routes(usage_of(server, once)), {f'GET {EVENTS}': (1, 0)})
    with step('the same under the other path'):
        equal(usage_of(server, key, '/api/v1/auth/api-keys'), usage)
    return key


def refused(server, key):
    for days in ('0', '367', 'x', '-1', ''):
        with step(f'refused: days={days}'):
            server.get(f'{KEYS}/{key["id"]}/usage', {'days': days}).expect_problem(400, 'days')
    with step('366 days are the most'):
        equal(usage_of(server, key, days='366')['days'], 366)
    with step('a key that is not there'):
        server.get(f'{KEYS}/none/usage').expect_problem(404)
    with step('who may not read configuration may not look'):
        writer = new_key(server, role='writer')
        server.get(f'{KEYS}/{key["id"]}/usage', key=writer['key']).expect_problem(403)
        server.get(f'{KEYS}/{key["id"]}/usage', key=None).expect_problem(401)


def tenants(server, key):
    org = server.post('/api/v1/organizations', {'name': 'other'}).expect(201).json()
    theirs = new_key(server, f'?org={org["id"]}', role='owner')
    with step('another organisation sees nothing of our keys, and we see theirs by name alone'):
        for place in (KEYS, '/api/v1/auth/api-keys'):
            server.get(f'{place}/{key["id"]}/usage', key=theirs['key']).expect_problem(404)
            server.get(f'{place}/{key["id"]}/usage?org=default',
                       key=theirs['key']).expect_problem(403)
            server.get(f'{place}/{theirs["id"]}/usage').expect_problem(404)
        equal(routes(usage_of(server, theirs, org=org['id'])),
              {f'GET {KEYS}/{{id}}/usage': (2, 2),
               'GET /api/v1/auth/api-keys/{id}/usage': (2, 2)})


def command_line(server, key):
    with step('cairn key usage: a line for each day and route'):
        lines = lines_of(cairn('key', 'usage', key['id'], server=server))
        wanted = usage_of(server, key)
        equal(lines, wanted['by_day'] + wanted['by_route'])
        true({'route': f'GET {EVENTS}', 'requests': 3, 'errors': {'4xx': 0, '5xx': 0}} in lines,
             f'{lines}')
    with step('a table on a terminal'):
        screen = on_terminal('key', 'usage', key['id'], '--days', '7', server=server)
        for part in ('last used', 'requests', 'total', '4xx', f'GET {EVENTS}/{{event_id}}'):
            contains(screen, part)
    with step('of a key that was never used'):
        unused = new_key(server)
        equal(lines_of(cairn('key', 'usage', unused['id'], server=server)), [])
        contains(on_terminal('key', 'usage', unused['id'], server=server), 'never')
    with step('what is wrong is said'):
        contains(cairn('key', 'usage', 'none', server=server, status=1).stderr, 'no such key')
        cairn('key', 'usage', server=server, status=2)
        cairn('rule', 'usage', 'x', server=server, status=2)


with Server() as under_test:
    used = counted(under_test)
    refused(under_test, used)
    tenants(under_test, used)
    command_line(under_test, used)
finish()
