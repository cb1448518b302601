# SPDX-License-Identifier: Apache-2.0
"""How much an organisation may ask for, and how often an address may be wrong."""
import concurrent.futures
import json
import time

from harness import EVENTS, Server, contains, equal, finish, step, true, wait_until

LOG = '/api/v1/log'


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


with Server('--access-events', 'default') as under_test:
    tiers(under_test)
addresses()
finish()
