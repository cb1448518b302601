# SPDX-License-Identifier: Apache-2.0
"""How much an organisation may ask for, and how often an address may be wrong."""
import concurrent.futures
import datetime
import json
import sqlite3
import time

from harness import (EVENTS, Server, cairn, contains, equal, finish, lines_of, on_terminal, step,
                     true, wait_until)

LOG = '/api/v1/log'
LIMITS = '/api/v1/limits'
VALIDATE = '/api/v1/validate'
GOOD = b'{"output":{"a":1},"rules":[{"type":"required","name":"r","field":"a"}]}'
FAILED = b'{"output":{},"rules":[{"type":"required","name":"r","field":"a"}]}'
BAD = b'{"output":{},"rules":[{"type":"semantic","name":"r"}]}'


class Tenant:
    """An organisation and its owner key; asks as its own."""

    def __init__(self, server, **members):
        self.server = server
        made = server.post('/api/v1/organizations', {'name': 'tenant'} | members).expect(201)
        self.org = made.json()['id']
        key = server.post(f'/api/v1/api-keys?org={self.org}', {'name': 'k', 'role': 'owner'})
        self.key = key.expect(201).json()['key']

    def get(self, target=LOG):
        return self.server.get(target, key=self.key)

    def post(self, target, body, headers=None):
        return self.server.request('POST', target, body,
                                   {'Content-Type': 'application/json'} | (headers or {}),
                                   key=self.key)

    def validate(self, body=GOOD, target=VALIDATE):
        return self.post(target, body)

    def change(self, **members):
        self.server.request('PATCH', f'/api/v1/organizations/{self.org}',
                            json.dumps(members)).expect(200)


def tiers(server):
    with step('LIM-03: of twelve requests at once of a FREE organisation ten pass'):
        free = Tenant(server, tier='FREE')
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: free.get(), range(12)))
        equal(sorted(answer.status for answer in answers), [200] * 10 + [429] * 2)
    with step('LIM-05: a refusal says why, and for how long'):
        refused = [answer for answer in answers if answer.status == 429][0]
        body = refused.json()
        equal((body['error'], body['message']),
              ('rate_limit_exceeded', 'Rate limit exceeded: 10 requests per minute'))
        true(1 <= body['retry_after'] <= 60, body)
        equal(refused.headers['Retry-After'], str(body['retry_after']))
        equal(refused.headers['X-RateLimit-Remaining'], '0')
    with step('LIM-04: every answer says what is left'):
        other = Tenant(server, tier='STARTUP')
        left = []
        for _ in range(5):
            answer = other.get().expect(200)
            left.append(int(answer.headers['X-RateLimit-Remaining']))
            equal(answer.headers['X-RateLimit-Limit'], '30')
            true(0 <= int(answer.headers['X-RateLimit-Reset']) - time.time() <= 61, 'reset')
            contains(answer.headers['RateLimit-Policy'], '"minute";q=30;w=60')
        equal(left, [29, 28, 27, 26, 25])
    with step('LIM-02: the first organisation has no limit, and is told of none'):
        for _ in range(40):
            answer = server.get(LOG).expect(200)
        equal(answer.headers['X-RateLimit-Limit'], None)
    with step('a write counts too, and what is refused stores nothing'):
        equal(server.request('POST', EVENTS, b'{"event_type":"a.b"}',
                             {'Content-Type': 'application/json'}, key=free.key).status, 429)
        equal(server.query(event_type='a.b', org='*')['data'], [])
    with step('LIM-14, LIM-15: limits and a burst of its own, from the next request on'):
        free.change(requests_per_minute=15, burst=2)
        equal([free.get().status for _ in range(9)], [200] * 7 + [429] * 2)
        free.change(tier='unlimited', requests_per_minute=None, burst=0)
        equal({free.get().status for _ in range(30)}, {200})
    with step('LIM-07: an hour names itself'):
        slow = Tenant(server, tier='BUSINESS', requests_per_hour=3)
        equal([slow.get().status for _ in range(4)], [200] * 3 + [429])
        contains(slow.get().json()['message'], '3 requests per hour')
    with step('LIM-09: a limit that was hit leaves an event'):
        wait_until(lambda: server.query(event_type='rate_limit.exceeded', org='*')['data'], 'it')


def addresses():
    with Server('--wrong-keys-max', '5') as server:
        wrong = 'cairn_dev_00000000_' + 'A' * 43
        with step('AUT-19: an address that shows wrong keys has to wait, but not with a right one'):
            equal([server.get(LOG, key=wrong).status for _ in range(7)], [401] * 5 + [429] * 2)
            true('Retry-After' in server.get(LOG, key=wrong).headers, 'Retry-After')
            equal(server.get(LOG).status, 200)
        with step('what needs no key is served'):
            server.get('/health', key=None).expect(200)
            server.get('/checkpoint', key=None).expect(200)


def listed(server, **params):
    return {entry['id']: entry for entry in server.get(LIMITS, params).expect(200).json()['data']}


def administration(server):
    busy = Tenant(server, name='busy', tier='FREE')
    quiet = Tenant(server, name='quiet', tier='STARTUP', burst=5)
    equal([busy.get().status for _ in range(12)], [200] * 10 + [429] * 2)
    with step('LIM-08: all limits are listed, with what was used, is left and was refused'):
        entries = listed(server, org='*', limit=1000)
        windows = entries[busy.org]['windows']
        equal([(w['window'], w['seconds'], w['limit'], w['used'], w['remaining'], w['refused'])
               for w in windows],
              [('minute', 60, 10, 10, 0, 2), ('hour', 3600, 100, 10, 90, 0),
               ('day', 86400, 1000, 10, 990, 0)])
        equal((entries[busy.org]['name'], entries[busy.org]['tier']), ('busy', 'FREE'))
        equal((entries[busy.org]['allowed'], entries[busy.org]['refused']), (10, 2))
        windows = entries[quiet.org]['windows']
        equal((windows[0]['used'], windows[0]['limit'], windows[0]['burst']), (0, 30, 5))
        equal((entries['default']['unlimited'], entries['default']['windows']), (True, []))
        equal(entries['default']['quota']['limit'], None)
        equal(list(listed(server)), ['default'])
        equal(list(listed(server, org=quiet.org)), [quiet.org])
    with step('the list has pages'):
        first = server.get(LIMITS, {'org': '*', 'limit': 1}).expect(200).json()
        second = server.get(LIMITS, {'org': '*', 'limit': 1, 'offset': 1}).expect(200).json()
        equal((first['page'], len(first['data'])), ({'limit': 1, 'has_more': True}, 1))
        true(first['data'] != second['data'], 'another one')
    with step('keys are listed, those first that were refused and asked for most'):
        keys = server.get(LIMITS, {'kind': 'key'}).expect(200).json()['data']
        equal([key['windows'][0]['limit'] for key in keys], [500] * len(keys))
        counts = [key['allowed'] for key in keys]
        equal(counts, sorted(counts, reverse=True))
    with step('an organisation sees itself, and nothing of others'):
        answer = quiet.get(LIMITS).expect(200).json()
        equal([entry['id'] for entry in answer['data']], [quiet.org])
        equal(answer['data'][0]['windows'][0]['used'], 1)
        for target in (f'{LIMITS}?org={busy.org}', f'{LIMITS}?org=*', f'{LIMITS}?kind=key',
                       f'{LIMITS}?kind=address', f'{LIMITS}/analytics?org=*'):
            quiet.get(target).expect_problem(403)
    with step('an organisation resets nobody, itself neither, and learns of nobody'):
        for org in (busy.org, quiet.org, 'nobody'):
            quiet.post(f'{LIMITS}/{org}/reset', b'{}').expect_problem(403)
        equal(listed(server, org=busy.org)[busy.org]['windows'][0]['used'], 10)
    with step('LIM-16: analytics say who was refused, and by which window'):
        answer = server.get(f'{LIMITS}/analytics', {'org': busy.org}).expect(200).json()
        equal(answer['totals'],
              {'organizations': 1, 'allowed': 10, 'refused': 2, 'quota_used': 0})
        equal(answer['refused_by_window'], {'minute': 2, 'hour': 0, 'day': 0})
        equal(answer['top'], [{'id': busy.org, 'allowed': 10, 'refused': 2}])
        answer = server.get(f'{LIMITS}/analytics', {'org': '*'}).expect(200).json()
        equal(answer['totals']['refused'], sum(tier['refused'] for tier in answer['by_tier']))
        true(answer['process']['refused']['organization'] >= 2, answer)
        true(all(a['refused'] >= b['refused'] for a, b in zip(answer['top'], answer['top'][1:])),
             answer['top'])
        own = quiet.get(f'{LIMITS}/analytics').expect(200).json()
        equal((own['totals']['organizations'], 'process' in own), (1, False))
    with step('LIM-08: a reset empties the windows, keeps the statistics, and leaves an event'):
        answer = server.post(f'{LIMITS}/{busy.org}/reset', {'reason': 'a mistake of ours'})
        entry = answer.expect(200).json()
        equal((entry['windows'][0]['used'], entry['windows'][0]['remaining'], entry['allowed']),
              (0, 10, 10))
        equal([busy.get().status for _ in range(11)], [200] * 10 + [429])
        found = wait_until(lambda:
                           server.query(event_type='rate_limit.reset', org=busy.org)['data'],
                           'the event')
        equal((found[0]['event_category'], found[0]['event_data']['id'],
               found[0]['event_data']['reason'], found[0]['actor_id']),
              ('rate_limit', busy.org, 'a mistake of ours', server.key.split('_')[2]))
        server.post(f'{LIMITS}/nobody/reset', {}).expect_problem(404)
        server.post(f'{LIMITS}/x/reset?kind=address', {}).expect(200)
    with step('a reset of a key that nobody has is none'):
        quiet_key = server.get('/api/v1/api-keys', {'org': quiet.org}).json()['data'][0]
        prefix = quiet_key['key_prefix']
        for name in ('00000000', quiet_key['id'], 'nobody@example.com'):
            server.post(f'{LIMITS}/{name}/reset?kind=key', {}).expect_problem(404)
        server.post(f'{LIMITS}/{prefix}/reset?kind=key', {}).expect(200)
        found = wait_until(lambda: server.query(event_type='rate_limit.reset', org='*')['data'],
                           'the events')
        true('00000000' not in json.dumps(found), found)
        user = server.post('/api/v1/users', {'email': 'ada@example.com', 'role': 'auditor',
                                             'password': 'a long password'}).expect(201).json()
        server.post(f'{LIMITS}/{user["id"]}/reset?kind=key', {}).expect(200)
    with step('wrong parameters are refused with what is right'):
        for query in ('kind=planet', 'limit=0', 'limit=1001', 'offset=-1', 'colour=red'):
            server.get(f'{LIMITS}?{query}').expect_problem(400)
    with step('the same on the command line'):
        equal([entry['id'] for entry in lines_of(cairn('limits', server=server))], ['default'])
        screen = on_terminal('limits', 'list', '--org', '*', '--limit', '0', server=server)
        contains(screen, busy.org)
        contains(screen, '10/10')
        equal(lines_of(cairn('limits', 'reset', busy.org, '--reason', 'r', server=server))[0]
              ['windows'][0]['used'], 0)
        screen = on_terminal('limits', 'analytics', '--org', '*', server=server)
        contains(screen, 'totals.refused')
        true(any(line.split()[:1] == ['FREE'] for line in screen.splitlines()), screen)
        contains(on_terminal('limits', 'reset', busy.org, server=server), f'{busy.org}  busy')
        cairn('limits', 'reset', 'nobody', server=server, status=1)
        cairn('limits', 'reset', server=server, status=2)


def next_month():
    now = datetime.datetime.now(datetime.timezone.utc)
    return int(datetime.datetime(now.year + now.month // 12, now.month % 12 + 1, 1,
                                 tzinfo=datetime.timezone.utc).timestamp())


def stored(server):
    with sqlite3.connect(f'file:{server.data}/catalog.db?mode=ro', uri=True) as catalog:
        return dict(catalog.execute('SELECT org, used FROM quotas').fetchall())


def quotas():
    server = Server('--access-events', 'default').start()
    tenant = Tenant(server, tier='ENTERPRISE', monthly_quota=4)
    with step('LIM-13: what is accepted counts, also a document that fails'):
        left = [tenant.validate(body).expect(200).headers['X-Quota-Remaining']
                for body in (GOOD, FAILED)]
        equal(left, ['3', '2'])
    with step('LIM-13: what is refused does not count'):
        tenant.validate(BAD).expect_problem(400)
        tenant.validate(b'{').expect_problem(400)
        equal(tenant.validate(target='/v1/validate').headers['X-Quota-Remaining'], '1')
    with step('LIM-12: the limits of requests count as well'):
        answer = tenant.validate().expect(200)
        equal((answer.headers['X-Quota-Limit'], answer.headers['X-Quota-Remaining'],
               answer.headers['X-Quota-Reset']), ('4', '0', str(next_month())))
        equal((answer.headers['X-RateLimit-Limit'], answer.headers['X-RateLimit-Remaining']),
              ('500', '494'))
    with step('LIM-13: then it is 429, until the month is over'):
        answer = tenant.validate()
        problem = answer.expect_problem(429)
        equal((problem['type'], problem['error'], problem['message'], problem['quota'],
               problem['used']),
              ('/docs/problems#quota', 'quota_exceeded',
               'Monthly quota exceeded: 4 validations per month', 4, 4))
        true(abs(problem['retry_after'] - (next_month() - time.time())) < 5, problem)
        equal(answer.headers['Retry-After'], str(problem['retry_after']))
        equal(answer.headers['X-Quota-Remaining'], '0')
        tenant.get().expect(200)
    with step('clients of TruthChain are told in their shape'):
        detail = tenant.validate(target='/v1/validate').expect(429).json()['detail']
        equal((detail['error'], detail['message']),
              ('quota_exceeded', 'Monthly quota exceeded: 4 validations per month'))
    with step('LIM-09, ING-31: each refusal leaves an event'):
        wait_until(lambda: len(server.query(event_type='validation.quota_exceeded',
                                            org=tenant.org)['data']) == 2, 'two events')
        found = server.query(event_type='validation.quota_exceeded', org=tenant.org)['data'][0]
        equal((found['event_category'], found['event_outcome'], found['resource_id']),
              ('validation', 'denied', tenant.org))
    with step('the list of limits and the metrics have it'):
        quota = tenant.get(LIMITS).expect(200).json()['data'][0]['quota']
        equal((quota['limit'], quota['used'], quota['remaining']), (4, 4, 0))
        contains(server.get('/metrics').body.decode(), '\ncairn_quota_refused_total 2\n')
    with step('an organisation without a quota is told of none, and counted all the same'):
        answer = server.post(VALIDATE, GOOD).expect(200)
        equal(answer.headers['X-Quota-Limit'], None)
        equal(listed(server)['default']['quota']['used'], 1)
    with step('a reset of the limits is none of the quota'):
        server.post(f'{LIMITS}/{tenant.org}/reset', {}).expect(200)
        tenant.validate().expect_problem(429)
    with step('what was used survives a stop'):
        server.stop()
        equal(stored(server), {tenant.org: 4, 'default': 1})
        server.start()
        tenant.validate().expect_problem(429)
    with step('a quota that is raised counts at once'):
        tenant.change(monthly_quota=6)
        equal(tenant.validate().expect(200).headers['X-Quota-Remaining'], '1')
    with step('what was used survives a crash, but for its last second'):
        wait_until(lambda: stored(server)[tenant.org] == 5, 'it is stored')
        server.kill()
        server.start()
        equal(tenant.validate().expect(200).headers['X-Quota-Remaining'], '0')
        tenant.validate().expect_problem(429)
    with step('a quota of nothing lets nothing pass'):
        tenant.change(monthly_quota=0)
        tenant.validate().expect_problem(429)
        server.stop()


with Server('--access-events', 'default') as under_test:
    tiers(under_test)
    administration(under_test)
addresses()
quotas()
finish()
