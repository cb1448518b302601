# SPDX-License-Identifier: Apache-2.0
"""How events come out: by parameter, by filter, page by page while others write, one by one, as a
timeline, and counted."""
import collections
import datetime
import json
import threading
import time
import urllib.parse
import uuid

import tlog
from harness import (EVENTS, OWN, PATIENCE_S, Server, contains, equal, event, finish, scratch,
                     step, true)

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)

FIRST = OWN + 1  # behind the event of the key that tells the tale


def at(**span):
    return (NOW - datetime.timedelta(**span)).strftime('%Y-%m-%dT%H:%M:%S.000000Z')


PARENT = str(uuid.uuid4())
TALE = [  # numbered from 1 in event_data.n
    event(event_type='auth.login', actor_id='ann', event_outcome='success', severity='info',
          service='web', event_timestamp=at(hours=30), correlation_id='c-1', namespace='default',
          actor_ip='10.0.0.7', event_id=PARENT, event_data={'n': 1, 'amount': 10}),
    event(event_type='auth.login', actor_id='bob', event_outcome='failure', severity='warning',
          service='web', event_timestamp=at(hours=20), correlation_id='c-2', namespace='prod',
          actor_ip='10.1.0.7', event_data={'n': 2, 'amount': 2000, 'note': 'Disk full again'}),
    event(event_type='auth.logout', actor_id='ann', service='web', event_timestamp=at(hours=10),
          correlation_id='c-1', parent_event_id=PARENT, event_outcome='success',
          event_data={'n': 3, 'payload': {'amount': 1500.0, 'tags': ['x', 'y']}}),
    event(event_type='payment.create', actor_id='ann', service='pay', event_timestamp=at(hours=9),
          correlation_id='c-1', parent_event_id=PARENT, severity='error', event_outcome='denied',
          event_data={'n': 4, 'payload': {'amount': 999}}, duration_ms=120),
    event(event_type='payment.refund', actor_id='c*rl', service='pay',
          event_timestamp=at(minutes=30), severity='critical', resource_type='order',
          resource_id='o-1', event_outcome='failure', event_data={'n': 5, 'a.b': 'dotted'}),
    event(event_type='ship.sent', actor_id='dora "d"', service='ship', correlation_id='c-1',
          event_timestamp=at(minutes=5), event_data={'n': 6, 'text': 'disk FULL', 'nul': 'a\0b'}),
]
TALE[5]['parent_event_id'] = TALE[3]['event_id']


def numbers(answer):
    return [item['event_data']['n'] for item in answer['data']]


BY_PARAMETER = (
    # parameters, numbers of the events, newest first
    ({}, [6, 5, 4, 3, 2, 1]),
    ({'order': 'asc'}, [1, 2, 3, 4, 5, 6]),
    ({'order': 'seq'}, [1, 2, 3, 4, 5, 6]),
    ({'event_type': 'auth.login'}, [2, 1]),
    ({'event_type': 'auth.*'}, [3, 2, 1]),
    ({'event_type': '!auth.*'}, [6, 5, 4]),
    ({'event_type': ['auth.logout', 'ship.sent']}, [6, 3]),
    ({'event_type': ['auth.*', '!auth.logout']}, [2, 1]),
    ({'actor_id': 'ann', 'event_outcome': 'success'}, [3, 1]),
    ({'user': 'ann', 'outcome': 'denied'}, [4]),
    ({'actor_id': 'Ann'}, []),
    ({'actor_id': 'c\\*rl'}, [5]),
    ({'actor_id': 'dora "d"'}, [6]),
    ({'actor_id': "' OR 1=1 --"}, []),
    ({'severity': 'error'}, [4]),
    ({'event_category': 'payment', 'event_action': 'refund'}, [5]),
    ({'service': 'web', 'namespace': 'prod'}, [2]),
    ({'resource_type': 'order', 'resource_id': 'o-1'}, [5]),
    ({'correlation_id': 'c-1'}, [6, 4, 3, 1]),
    ({'parent_event_id': PARENT}, [4, 3]),
    ({'event_id': PARENT.upper()}, [1]),
    ({'actor_ip': '10.0.0.0/16'}, [1]),
    ({'actor_ip': '10.*'}, [2, 1]),
    ({'duration_ms': '120'}, [4]),
    ({'namespace': '*'}, [2, 1]),
    ({'data.amount': '2000'}, [2]),
    ({'data.payload.amount': '1500'}, [3]),
    ({'data.payload.tags': 'y'}, [3]),
    ({'data."a.b"': 'dotted'}, [5]),
    ({'since': '24h'}, [6, 5, 4, 3, 2]),
    ({'since': '1h'}, [6, 5]),
    ({'since': at(hours=10)}, [6, 5, 4, 3]),
    ({'until': at(hours=10)}, [2, 1]),
    ({'since': at(hours=20), 'until': at(hours=9)}, [3, 2]),
    ({'since': str(int((NOW - datetime.timedelta(hours=10)).timestamp()))}, [6, 5, 4, 3]),
    ({'q': 'severity>=warning'}, [5, 4, 2]),
    ({'q': 'severity>=warning NOT service=pay'}, [2]),
    ({'q': 'event_type:(auth.* OR ship.*) actor_id!=ann'}, [6, 2]),
    ({'q': 'data.payload.amount>1000'}, [3]),
    ({'q': 'data.amount>=10 data.amount<2e3'}, [1]),
    ({'q': '"disk full"'}, [6, 2]),
    ({'q': 'disk full again'}, [2]),
    ({'q': 'actor_id~"^(ann|bob)$" since:21h'}, [4, 3, 2]),
    ({'q': 'NOT namespace:*'}, [6, 5, 4, 3]),
    ({'q': 'namespace:* OR data.n:6'}, [6, 2, 1]),
    ({'q': 'service:web', 'event_outcome': 'failure'}, [2]),
    ({'q': 'auth payment'}, []),
    ({'q': 'duration_ms>100'}, [4]),
    ({'q': ''}, [6, 5, 4, 3, 2, 1]),
    ({'org': 'default', 'limit': 2}, [6, 5]),
    ({'org': '*', 'limit': 1}, [6]),
)

REFUSED = (
    # parameters, what the answer says
    ({'limit': '0'}, 'limit'),
    ({'limit': '1001'}, 'limit'),
    ({'limit': 'many'}, 'limit'),
    ({'limit': '-1'}, 'limit'),
    ({'offset': '-1'}, 'offset'),
    ({'page': '0'}, 'page'),
    ({'cursor': 'nonsense'}, 'cursor'),
    ({'order': 'random'}, 'order'),
    ({'since': 'the day before'}, 'since'),
    ({'until': '2026-13-01'}, 'until'),
    ({'total': 'roughly'}, 'total'),
    ({'fields': 'event_id,password'}, 'password'),
    ({'actr_id': 'ann'}, 'actr_id'),
    ({'severity': 'loud'}, 'severity'),
    ({'event_id': '7'}, 'event_id'),
    ({'q': 'severty>=low'}, 'severity'),
    ({'q': 'user:a*b'}, '*'),
    ({'q': '(user:a'}, ')'),
    ({'q': 'user~"(a"'}, 'regular expression'),
    ({'limit': ['1', '2']}, 'limit'),
)


def queries(server):
    for params, wanted in BY_PARAMETER:
        with step(f'query {urllib.parse.unquote_plus(urllib.parse.urlencode(params, True))!r}'):
            equal(numbers(server.query(**params)), wanted)
    for params, said in REFUSED:
        with step(f'refused {urllib.parse.unquote_plus(urllib.parse.urlencode(params, True))!r}'):
            contains(json.dumps(server.get(EVENTS, params).expect_problem(400)), said)
    with step('a mistake in a filter is told with its place'):
        problem = server.get(EVENTS, {'q': 'alice AND'}).expect_problem(400)
        contains(problem['detail'], 'expected a term')
        equal(problem['pointer'], 'filter:9')
    with step('what an event says is what was sent'):
        got = server.query(event_id=PARENT)['data'][0]
        for name, value in TALE[0].items():
            equal(got[name], value, name)
    with step('fields= chooses members'):
        equal(server.query(fields='actor_id,seq', limit=1, order='asc')['data'],
              [{'actor_id': 'ann', 'seq': FIRST}])
        got = server.query(fields='leaf_hash,duration_ms', limit=1)['data'][0]
        equal(list(got), ['leaf_hash'])


def shapes(server):
    with step('the page says its limit and whether there is more'):
        page = server.query(limit=4)['page']
        equal((page['limit'], page['has_more'], 'total' in page), (4, True, False))
        true(page['next_cursor'], 'a cursor')
        equal(server.query()['page'], {'limit': 100, 'has_more': False, 'next_cursor': None})
    with step('total is given when asked for'):
        equal(server.query(limit=1, total='exact')['page']['total'], 6)
        equal(server.query(actor_id='ann', total='estimate')['page']['total'], 3)
    with step('limit and offset'):
        answer = server.query(limit=2, offset=3, total='exact')
        equal((numbers(answer), answer['page']['has_more'], answer['page']['total']),
              ([3, 2], True, 6))
        equal(numbers(server.query(limit=2, offset=6)), [])
    for page, wanted in ((1, [6, 5, 4, 3]), (2, [2, 1]), (3, [])):
        with step(f'page {page} of 4 events each'):
            answer = server.query(page=page, limit=4)
            equal(numbers(answer), wanted)
            equal(answer['page'], {'page': page, 'limit': 4, 'total': 6, 'pages': 2})
    with step('pages of nothing'):
        equal(server.query(page=1, limit=4, actor_id='nobody'),
              {'data': [], 'page': {'page': 1, 'limit': 4, 'total': 0, 'pages': 0}})
    with step('Link: rel="next" leads to the next page'):
        answer = server.get(EVENTS, {'limit': 4, 'actor_id': '!bob'})
        link = answer.headers['Link']
        contains(link, '; rel="next"')
        rest = server.get(link[1:link.index('>')]).expect(200).json()
        equal(numbers(answer.json()) + numbers(rest), [6, 5, 4, 3, 1])
        equal(server.get(EVENTS, {'limit': 6}).headers.get('Link'), None)
    with step('a cursor of another query is refused'):
        cursor = server.query(limit=2)['page']['next_cursor']
        server.get(EVENTS, {'cursor': cursor, 'actor_id': 'ann'}).expect_problem(400, 'cursor')
        server.get(EVENTS, {'cursor': cursor, 'order': 'asc'}).expect_problem(400, 'cursor')
        server.get(EVENTS, {'cursor': cursor, 'limit': 3}).expect(200)
    with step('a cursor that was tampered with is refused'):
        for i in (0, 5, len(cursor) // 2, len(cursor) - 5):
            other = cursor[:i] + ('A' if cursor[i] != 'A' else 'B') + cursor[i + 1:]
            server.get(EVENTS, {'cursor': other, 'limit': 2}).expect_problem(400, 'cursor')
        server.get(EVENTS, {'cursor': cursor[:-4], 'limit': 2}).expect_problem(400, 'cursor')


def walk(server, **params):
    """All events of a query, page by page."""
    answer = server.query(**params)
    found = answer['data']
    while answer['page']['has_more']:
        answer = server.query(cursor=answer['page']['next_cursor'], **params)
        found += answer['data']
    return found


def cursors_under_load(server):
    server.send(*[event(event_type='load.old', event_timestamp=at(minutes=i % 50),
                        event_data={'n': i}) for i in range(2000)])
    stop, written = threading.Event(), [0]

    def write():
        while not stop.is_set():  # late ones and new ones, in the middle of what is being read
            server.send(*[event(event_type='load.new', event_timestamp=at(minutes=i * 7 % 50))
                          for i in range(20)])
            written[0] += 20

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for order in ('desc', 'asc', 'seq'):
            with step(f'pages in order {order} hold every event once while others arrive'):
                before = written[0]
                found = walk(server, event_type='load.*', order=order, limit=137)
                ids = collections.Counter(item['event_id'] for item in found)
                true(max(ids.values()) == 1, 'an event came twice')
                old = [item['event_data']['n'] for item in found if 'event_data' in item]
                equal(sorted(old), list(range(2000)))
                true(len(found) >= 2000 + before, 'what was written before was missed')
                keys = [(item['event_timestamp'], item['seq']) for item in found]
                keys = [key[1] for key in keys] if order == 'seq' else keys
                equal(keys, sorted(keys, reverse=order == 'desc'), 'order')
    finally:
        stop.set()
        writer.join()


def large_events(server):
    with step('a page of large events is shorter than its limit, and the next ones have the rest'):
        for _ in range(3):
            server.send(*[event(event_type='large', event_data={'t': 'x' * 200000})
                          for _ in range(40)])
        first = server.query(event_type='large', limit=1000)
        true(0 < len(first['data']) < 120 and first['page']['has_more'], 'the first page')
        found = walk(server, event_type='large', limit=1000)
        equal(len({item['event_id'] for item in found}), 120)


def hostile_patterns(server):
    """Each of them took minutes, or years; the patience is for slow machines."""
    server.send(event(event_type='long.text', event_data={'a': 'a' * 250000 + '!'}))
    for pattern in (r'(\w+)\s\1', '(a+)+$', '(a|a)' * 40 + 'b!', '(?=a{30000})[^a]!'):
        with step(f'a hostile pattern ends, and what it cannot tell does not match: '
                  f'{pattern[:20]}'):
            begun = time.monotonic()
            found = server.query(q=f'event_type:long.text data.a~"{pattern}"')['data']
            took = time.monotonic() - begun
            equal(found, [])
            true(took < PATIENCE_S / 3, f'{took:.1f} s')
    with step('others find the same text'):
        equal(len(server.query(q='data.a~"a!$"', fields='event_id')['data']), 1)


def one_event(server):
    with step('an event by its id, in either case'):
        got = server.get(f'{EVENTS}/{PARENT}').expect(200).json()
        equal((got['actor_id'], got['seq']), ('ann', FIRST))
        equal(server.get(f'{EVENTS}/{PARENT.upper()}').expect(200).json(), got)
    with step('raw=1 is the canonical line, and its hash the leaf hash'):
        for item in TALE:
            got = server.get(f'{EVENTS}/{item["event_id"]}').expect(200).json()
            line = server.get(f'{EVENTS}/{item["event_id"]}?raw=1').expect(200).body
            equal(tlog.leaf_hash(tlog.entry_of(line[:-1])).hex(), got['leaf_hash'])
            equal(json.loads(line) | {'seq': got['seq'], 'leaf_hash': got['leaf_hash']}, got)
    with step('an id that is not there'):
        server.get(f'{EVENTS}/{uuid.uuid4()}').expect_problem(404)
        server.get(f'{EVENTS}/{uuid.uuid4()}/proof').expect_problem(404)
    with step('an id that is none'):
        server.get(f'{EVENTS}/7').expect_problem(400)
        server.get(f'{EVENTS}/{PARENT}x').expect_problem(400)
    with step('an id without an organisation: it is that of an event of one of them'):
        server.get(f'{EVENTS}/{PARENT}?org=*').expect_problem(400, 'one organisation')
        server.get(f'{EVENTS}/{PARENT}/proof?org=*').expect_problem(400, 'one organisation')
        server.get(f'{EVENTS}/{PARENT}?org=default').expect(200)


def timelines(server):
    with step('a timeline is oldest first, across services, with depth'):
        answer = server.get('/api/v1/audit/timeline/c-1').expect(200).json()
        equal(numbers(answer), [1, 3, 4, 6])
        equal([item['depth'] for item in answer['data']], [0, 1, 1, 2])
        page = answer['page']
        equal((page['services'], page['correlation_id'], page['has_more']),
              (['web', 'pay', 'ship'], 'c-1', False))
    with step('a timeline of nothing is empty'):
        equal(server.get('/api/v1/audit/timeline/none').expect(200).json()['data'], [])
    with step('an id in a timeline is a value, whatever it looks like'):
        for name in ('*', 'c-*', '!c-1', '"'):
            path = '/api/v1/audit/timeline/' + urllib.parse.quote(name)
            equal(server.get(path).expect(200).json()['data'], [], name)
    with step('a timeline takes the parameters of a query'):
        answer = server.get('/api/v1/audit/timeline/c-1', {'service': 'web'}).expect(200).json()
        equal(numbers(answer), [1, 3])
        answer = server.get('/api/v1/audit/timeline/c-1', {'limit': 1}).expect(200).json()
        equal((numbers(answer), answer['page']['has_more']), ([1], True))


STATS = '/api/v1/audit/stats'


def counts(server):
    with step('stats by one field'):
        answer = server.get(STATS, {'group_by': 'service'}).expect(200).json()
        equal(answer['data'], [{'service': 'web', 'count': 3}, {'service': 'pay', 'count': 2},
                               {'service': 'ship', 'count': 1}])
        equal((answer['total'], answer['groups'], answer['truncated']), (6, 3, False))
    with step('stats by two fields with a filter'):
        answer = server.get(STATS, {'group_by': 'actor_id,event_outcome', 'q': 'service:web'})
        equal(answer.expect(200).json()['data'],
              [{'actor_id': 'ann', 'event_outcome': 'success', 'count': 2},
               {'actor_id': 'bob', 'event_outcome': 'failure', 'count': 1}])
    with step('what lacks the field is counted as null'):
        answer = server.get(STATS, {'group_by': 'severity'}).expect(200).json()
        equal(answer['data'][0], {'severity': None, 'count': 2})
        equal(sum(group['count'] for group in answer['data']), 6)
    with step('only the largest groups'):
        answer = server.get(STATS, {'group_by': 'actor_id', 'limit': 1}).expect(200).json()
        equal((answer['data'], answer['truncated'], answer['groups']),
              ([{'actor_id': 'ann', 'count': 3}], True, 4))
    with step('stats over time'):
        answer = server.get(STATS, {'interval': '1h', 'order': 'asc'}).expect(200).json()
        equal(sum(group['count'] for group in answer['data']), 6)
        times = [group['time'] for group in answer['data']]
        equal(times, sorted(times))
        true(all(time.endswith(':00:00.000000Z') for time in times), f'hours in {times}')
    with step('stats over time by field'):
        answer = server.get(STATS, {'interval': '1d', 'group_by': 'service'}).expect(200).json()
        equal(sum(g['count'] for g in answer['data'] if g['service'] == 'web'), 3)
    with step('stats of nothing asked for is the total'):
        equal(server.get(STATS, {'actor_id': 'ann'}).expect(200).json()['total'], 3)
    for params in ({'group_by': 'event_data'}, {'group_by': 'a,b'}, {'interval': '1 hour'},
                   {'group_by': 'service,actor_id,severity'}):
        with step(f'refused: stats {params}'):
            server.get(STATS, params).expect_problem(400)


def narrowed(server):
    """Goes on with a key that sees none of Cairn's own events."""
    key = server.post('/api/v1/api-keys', {'name': 'tale', 'role': 'owner',
                                           'filter': 'NOT source_format:cairn'})
    server.wait_size(FIRST)
    first_key, server.key = server.key, key.expect(201).json()['key']
    return first_key


def filtered_key(server, first_key):
    own_key, server.key = server.key, first_key
    own = server.query(source_format='cairn')['data']
    server.key = own_key
    with step('what the filter of a key leaves out is not there for it'):
        equal(len(own), FIRST)
        equal(server.query(source_format='cairn')['data'], [])
        server.get(f'{EVENTS}/{own[0]["event_id"]}').expect_problem(404)
        server.get(f'{EVENTS}/{own[0]["event_id"]}/proof').expect_problem(404)
        equal(server.get(STATS, {'group_by': 'source_format'}).json()['total'], len(TALE))
        server.post('/api/v1/api-keys', {'name': 'wider', 'role': 'owner'}).expect_problem(403)


with Server('--checkpoint-interval-ms', '50') as under_test:
    the_first = narrowed(under_test)
    under_test.send(*TALE)
    filtered_key(under_test, the_first)
    queries(under_test)
    shapes(under_test)
    one_event(under_test)
    timelines(under_test)
    counts(under_test)
with step('everything is found again after a restart'):
    with Server(data=scratch('data-0')) as restarted:
        restarted.key = under_test.key
        for by, found in BY_PARAMETER:
            equal(numbers(restarted.query(**by)), found, str(by))
        equal(restarted.get(f'{EVENTS}/{PARENT}').expect(200).json()['seq'], FIRST)
with Server() as busy:
    cursors_under_load(busy)
    large_events(busy)
    hostile_patterns(busy)
finish()
