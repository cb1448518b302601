# SPDX-License-Identifier: Apache-2.0
"""What can be measured from outside: metrics change with traffic, and their labels stay few."""
import concurrent.futures
import contextlib
import re
import sqlite3
import uuid

from harness import (EVENTS, NDJSON, OWN, Server, contains, equal, event, finish, ndjson, step,
                     true, wait_until)

LINE = re.compile(r'([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})? (-?[0-9.e+-]+|NaN|\+Inf)$')


def read(server):
    answer = server.get('/metrics', key=None).expect(200)
    contains(answer.headers['Content-Type'], 'text/plain; version=0.0.4')
    values, types = {}, {}
    for line in answer.body.decode().splitlines():
        if line.startswith('# TYPE '):
            _, _, name, kind = line.split(' ')
            true(name not in types, f'{name} is declared twice')
            types[name] = kind
        elif not line.startswith('#'):
            match = LINE.match(line)
            true(match, f'not a line of metrics: {line!r}')
            name = match[1] + (match[2] or '')
            true(name not in values, f'{name} is there twice')
            values[name] = float(match[3])
            base = re.sub('_(bucket|sum|count)$', '', match[1])
            true(match[1] in types or base in types, f'{name} has no type')
    return values


def story(server):
    with step('metrics are well formed'):
        before = read(server)
        for name in ('cairn_events', 'cairn_checkpoint_size', 'cairn_segments', 'cairn_wal_bytes',
                     'cairn_queue_bytes', 'cairn_disk_free_bytes', 'cairn_writable',
                     'audit_events_refused_total', 'audit_write_duration_seconds_count',
                     'audit_query_duration_seconds_count', 'cairn_duplicates_total'):
            true(name in before, f'{name} is missing')
        equal(before['cairn_writable'], 1)
    with step('the same figures come as JSON where it is asked for'):
        answer = server.get('/metrics', headers={'Accept': 'application/json'},
                            key=None).expect(200)
        contains(answer.headers['Content-Type'], 'application/json')
        equal(sorted(k for k in answer.json() if k.startswith('cairn_segment')),
              ['cairn_segment_bytes', 'cairn_segments'])
    with step('events are counted by service, operation and outcome'):
        for outcome, count in (('success', 3), ('failure', 2)):
            server.send(*[event(event_type='order.create', service='shop', event_outcome=outcome)
                          for _ in range(count)])
        after = read(server)
        name = 'audit_events_total{service="shop",operation="create",outcome="%s"}'
        equal((after[name % 'success'], after[name % 'failure']), (3, 2))
        equal(after['cairn_events'] - before['cairn_events'], 5)
        equal(after['audit_write_duration_seconds_count']
              - before['audit_write_duration_seconds_count'], 2)
        true(after['cairn_commits_total'] > before['cairn_commits_total'], 'commits')
    with step('queries are timed'):
        server.query()
        server.get('/api/v1/audit/stats', {'group_by': 'service'}).expect(200)
        equal(read(server)['audit_query_duration_seconds_count']
              - after['audit_query_duration_seconds_count'], 2)
    with step('duplicates, conflicts and refused records are counted'):
        before = read(server)
        first = event()
        server.send(first)
        server.post(EVENTS, first).expect(200)
        server.post(EVENTS, first | {'actor_id': 'x'}).expect(409)
        server.post(EVENTS, b'{}').expect(400)
        server.post(EVENTS + '?on_error=skip', b'{}\n{}\n', kind=NDJSON)
        after = read(server)
        for name, count in (('cairn_duplicates_total', 1), ('cairn_conflicts_total', 1),
                            ('audit_events_refused_total', 3)):
            equal(after[name] - before[name], count, name)
    with step('requests are counted by the template of their route'):
        for _ in range(3):
            server.get(f'{EVENTS}/{uuid.uuid4()}').expect(404)
        server.get('/some/random/path').expect(404)
        after = read(server)
        name = ('cairn_http_requests_total{method="GET",'
                'route="/api/v1/audit/events/{event_id}",status="4xx"}')
        equal(after[name], 3)
        true(not any('random' in name for name in after), 'a raw path is a label')
    with step('values of labels are quoted, cut and few'):
        server.send(event(service='quote " \\ and\nline', event_outcome='denied'))
        server.send(event(service='long' * 25))
        server.send(*[event(service=f's-{n}') for n in range(3000)])
        after = read(server)
        sets = [name for name in after if name.startswith('audit_events_total')]
        true(len(sets) <= 1100, f'{len(sets)} label sets')
        true(any('other' in name for name in sets), 'the rest is "other"')
        equal(sum(after[name] for name in sets), after['cairn_events'] - OWN)
        true(any('quote \\" \\\\ and\\nline' in name for name in sets), 'the quoted label')
    with step('histograms grow from bucket to bucket'):
        for name in ('audit_write_duration_seconds', 'audit_query_duration_seconds'):
            buckets = [value for key, value in after.items() if key.startswith(name + '_bucket')]
            equal(buckets, sorted(buckets))
            equal(buckets[-1], after[name + '_count'])
    with step('requests are counted by their method, too'):
        team = server.post('/api/v1/teams', {'hostname': 'h', 'team_assignment': 't'})
        path = f'/api/v1/teams/{team.expect(201).json()["id"]}'
        server.get(path).expect(200)
        for method, body in (('PUT', b'{"hostname":"h","team_assignment":"u"}'),
                             ('PATCH', b'{"team_assignment":"v"}'), ('DELETE', b'')):
            true(server.request(method, path, body).status in (200, 204), method)
        after = read(server)
        for method in ('GET', 'PUT', 'PATCH', 'DELETE'):
            equal(after[f'cairn_http_requests_total{{method="{method}",'
                        'route="/api/v1/teams/{id}",status="2xx"}'], 1, method)


def changes_that_wait(server):
    """They have threads of their own, which wait for the database most of the time."""
    lock = sqlite3.connect(server.data / 'catalog.db', isolation_level=None, timeout=60)

    def change(n):
        return server.post('/api/v1/teams', {'hostname': f'h-{n}', 'team_assignment': 't'})

    def of(name, pool='change'):
        return read(server)[f'cairn_http_threads{name}{{pool="{pool}"}}']
    with step('threads of changes, and changes that wait for one, are told'), \
            concurrent.futures.ThreadPoolExecutor(70) as pool:
        with contextlib.closing(lock):
            lock.execute('BEGIN IMMEDIATE')
            asked = [pool.submit(change, n) for n in range(70)]
            wait_until(lambda: of('') == 64 and of('_waited_for') > 0, 'all threads wait, and more')
            true(of('_busy') > 1, 'threads of changes')
            equal(of('', 'request'), 4)
            true(of('_busy', 'request') >= 1, 'the one that answers this')
        true({one.result().status for one in asked} <= {201, 503}, 'all are answered')
        wait_until(lambda: of('_busy') == 0, 'they are done')
        equal(of('_waited_for'), 0)


with Server() as under_test:
    story(under_test)
    changes_that_wait(under_test)
    with step('counts of the log are right after a restart'):
        size = under_test.size()
        under_test.stop()
        under_test.start()
        equal(read(under_test)['cairn_events'], size)
finish()
