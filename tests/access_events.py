# SPDX-License-Identifier: Apache-2.0
"""Every request of configuration, query and operation leaves an event: who, what, from where, and
with which outcome; never a secret, never one of its own, and nobody waits for it."""
import json
import time

from harness import EVENTS, OWN, Server, equal, event, finish, step, true, wait_until

USUAL = ('--wal-file-bytes', '32MiB', '--disk-reserve-bytes', '0', '--disk-reserve-percent', '0',
         '--log-format', 'logfmt')


def requests_of(server):
    return server.query(event_type='api.request', order='seq', limit=1000)['data']


def told(server, count):
    """The access events, once there are so many; reading them makes more."""
    wait_until(lambda: len(requests_of(server)) >= count, f'{count} access events')
    return requests_of(server)


def what_is_recorded(server):
    with step('ING-26: a request leaves an event with who, what and how it went'):
        server.get(f'{EVENTS}?service=web', headers={'User-Agent': 'probe/1'}).expect(200)
        first = told(server, 1)[0]
        data = first['event_data']
        equal((first['event_action'], first['event_outcome'], first['actor_type'],
               first['actor_id'], first['actor_ip'], first['user_agent'], first['source_format']),
              ('READ', 'success', 'api_key', server.key.split('_')[2], '127.0.0.1', 'probe/1',
               'cairn'))
        equal((data['method'], data['route'], data['status'], data['parameters']),
              ('GET', EVENTS, 200, {'service': 'web'}))
    with step('what is too long is cut between two characters, and what is before that stays'):
        server.get(EVENTS, {'service': 'я' * 700},
                   {'User-Agent': 'ю'.encode().decode('latin-1') * 400})
        wait_until(lambda: [item for item in requests_of(server)
                            if item.get('user_agent') == 'ю' * 256 and
                            item['event_data']['parameters'] == {'service': 'я' * 512}], 'it')
    with step('ING-29: what was done comes from the method'):
        rule = server.post('/api/v1/rules', {'match_string': 'x', 'prod_handling': 'p',
                                             'dev_handling': 'd', 'team_assignment': 't'})
        place = '/api/v1/rules/' + rule.expect(201).json()['id']
        server.request('PATCH', place, b'{"priority":1}').expect(200)
        server.request('DELETE', place, b'').expect(204)
        wait_until(lambda: [item['event_action'] for item in requests_of(server)
                            if item['event_data']['route'].startswith('/api/v1/rules')] ==
                   ['CREATE', 'UPDATE', 'DELETE'], 'the three of them')
    with step('ING-27, ING-32: also what was refused, and by nobody known'):
        server.get('/api/v1/rules', key=None).expect_problem(401)
        server.get('/api/v1/rules', {'colour': 'red'}).expect_problem(400)
        server.get(f'{EVENTS}/00000000-0000-7000-8000-000000000000').expect_problem(404)
        wait_until(lambda: {('denied', 'anonymous', 401), ('failure', 'api_key', 400),
                            ('failure', 'api_key', 404)} <=
                   {(item['event_outcome'], item['actor_type'], item['event_data']['status'])
                    for item in requests_of(server)}, 'their events')


def what_is_not(server):
    with step('the event write, health, metrics and tiles are counted instead'):
        before = len(requests_of(server))
        for _ in range(20):
            server.post(EVENTS, event()).expect(201)
            server.get('/health', key=None).expect(200)
            server.get('/metrics', key=None).expect(200)
            server.get('/checkpoint', key=None).expect(200)
        time.sleep(0.3)
        after = requests_of(server)
        true(len(after) <= before + 2, f'{len(after) - before} more')
        equal([item for item in after if item['event_data']['route'] in
               ('/health', '/metrics', '/checkpoint')], [])
    with step('recording does not record itself'):
        time.sleep(0.3)
        size = server.size()
        time.sleep(0.5)
        true(server.size() - size <= 2, 'the log grows by itself')
    with step('ING-28: nothing of what is sensitive is stored'):
        for params in ({'q': 'data.password=hunter2'}, {'data.PassWord': 'hunter2'},
                       {'data.a.api_key': 'hunter2'}, {'secret_token': 'hunter2'},
                       {'q': 'data.x=1 "Token hunter2"'}):
            server.get(EVENTS, params)
        server.get(EVENTS, key=server.key, headers={'X-Password': 'hunter2'})
        server.post('/api/v1/targets', {'name': 'n', 'type': 'webhook', 'url': 'https://a/',
                                        'secret': 'hunter2 hunter2 hunter2'}).expect(201)
        wait_until(lambda: len([item for item in requests_of(server)
                                if '[hidden]' in json.dumps(item)]) >= 5,
                   'five with something hidden')
        everything = json.dumps(server.query(source_format='cairn', limit=1000)['data'])
        true('hunter2' not in everything, 'a secret is stored')
        true(server.key not in everything, 'a key is stored')


def hostile(server):
    with step('what a stranger sends makes an event all the same'):
        for target, headers in ((EVENTS + '?q=%ff%fe', {}), (EVENTS + '?%00=1', {}),
                                (EVENTS + '?a=1&a=2&b=' + 'x' * 3000, {}),
                                (EVENTS + '?' + '&'.join(f'p{n}=1' for n in range(90)), {}),
                                (EVENTS, {'User-Agent': b'\xff\xfe'}),
                                (EVENTS, {'User-Agent': 'é' * 700})):
            before = len(requests_of(server))
            server.get(target, headers={name: value if isinstance(value, bytes) else
                                        value.encode() for name, value in headers.items()})
            wait_until(lambda before=before: len(requests_of(server)) > before + 1, 'its event')
        server.must_live()


def killed():
    with step('what a crash took is said by the next start'):
        server = Server(usual=USUAL)
        server.start()
        for _ in range(50):
            server.get(EVENTS).expect(200)
        server.kill()
        server.start()
        wait_until(lambda: server.query(event_type='system.error')['data'], 'it says so')
        equal(server.query(event_type='system.error')['data'][0]['error_code'], 'journal_gap')
        server.stop()
        server.start()
        equal(len(server.query(event_type='system.error')['data']), 1)
        server.stop()


def full_disk():
    with step('a full disk takes access events, not the answers; and the log says so later'):
        server = Server(usual=USUAL)
        server.start()
        server.stop()
        with Server('--disk-reserve-bytes', '1TiB', usual=USUAL[:2] + USUAL[-2:],
                    data=server.data) as full:
            for _ in range(30):
                full.get(EVENTS).expect(200)
            full.post(EVENTS, event()).expect_problem(507)
        server.start()
        wait_until(lambda: server.query(event_type='system.error')['data'], 'it says so')
        server.stop()


def settings():
    with step('access_events=none records nothing, all records everything'):
        with Server() as quiet:
            quiet.get(EVENTS).expect(200)
            time.sleep(0.2)
            equal(quiet.size(), OWN)
        with Server('--access-events', 'all', usual=USUAL) as loud:
            loud.get('/health', key=None).expect(200)
            loud.post(EVENTS, event()).expect(201)
            wait_until(lambda: {'/health', EVENTS} <= {item['event_data']['route']
                                                       for item in requests_of(loud)}, 'both')
    with step('AUDIT_SENSITIVE_FIELDS names others'):
        with Server('--sensitive-fields', 'colour, shape', usual=USUAL) as server:
            server.get(EVENTS, {'data.COLOUR': 'red', 'data.password': 'seen'}).expect(200)
            found = told(server, 1)[0]['event_data']['parameters']
            equal(found, {'data.COLOUR': '[hidden]', 'data.password': 'seen'})


with Server(usual=USUAL) as under_test:
    what_is_recorded(under_test)
    what_is_not(under_test)
    hostile(under_test)
killed()
full_disk()
settings()
finish()
