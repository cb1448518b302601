# SPDX-License-Identifier: Apache-2.0
"""Versions of the API: how one is asked for, what every answer says, the shapes of 1.0 and of other
systems' paths, and who uses which."""
import datetime
import email.utils
import json
import pathlib
import re
import sqlite3

from harness import (EVENTS, Server, cairn, contains, equal, event, finish, lines_of, on_terminal,
                     step, true, wait_until)

DAY_US = 86_400_000_000
DOCS = pathlib.Path(__file__).resolve().parent.parent / 'docs'
OLD = {'Accept-Version': '1.0'}
USAGE = '/api/v1/version/usage'
DEPRECATED = ('X-API-Deprecated', 'X-API-Sunset', 'Deprecation', 'Sunset')


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def is_told(answer, version):
    equal(answer.headers.get_all('X-API-Version'), [version], f'version of {answer.status}')
    equal(answer.headers.get_all('X-API-Supported-Versions'), ['2.0, 1.0'])
    for name in DEPRECATED:
        equal(len(answer.headers.get_all(name) or []), 1 if version == '1.0' else 0, name)


def negotiation(server):
    for title, target, headers, version in (
            ('nothing is 2.0', EVENTS, {}, '2.0'),
            ('Accept-Version beats the others', EVENTS + '?api_version=2.0',
             {'Accept-Version': '1.0', 'X-API-Version': '2.0'}, '1.0'),
            ('X-API-Version beats api_version', EVENTS + '?api_version=2.0',
             {'X-API-Version': '1.0'}, '1.0'),
            ('api_version', EVENTS + '?api_version=1.0', {}, '1.0'),
            ('an unsupported one is the default', EVENTS, {'Accept-Version': '7.1'}, '2.0'),
            ('and so is nonsense', EVENTS, {'Accept-Version': 'newest'}, '2.0')):
        with step(f'VER-01, VER-04: {title}'):
            is_told(server.get(target, headers=headers).expect(200), version)
    with step('VER-02: every answer under /api/ says its version, errors too'):
        big = b'[' + b' ' * (9 << 20) + b']'
        for status, answer in (
                (404, server.get('/api/v1/nothing')), (405, server.request('DELETE', EVENTS)),
                (401, server.get(EVENTS, key=None)), (401, server.get(EVENTS, key='wrong')),
                (400, server.get(EVENTS + '?limit=x')), (204, server.request('OPTIONS', EVENTS)),
                (201, server.post(EVENTS, event())), (415, server.post(EVENTS, b'', kind='text/x')),
                (413, server.post(EVENTS, big)), (200, server.request('HEAD', EVENTS)),
                (200, server.get('/api/health')), (404, server.get('/api/'))):
            equal(answer.status, status)
            is_told(answer, '2.0')
    with step('VER-02: other paths do not'):
        for path in ('/health', '/health/', '/metrics', '/checkpoint', '/nothing', '/audit/logs',
                     '/apix'):
            headers = server.get(path, headers=OLD).headers
            equal([name for name in headers if name.startswith('X-API') or name in DEPRECATED], [])
    with step('VER-05: 1.0 says when it ends, for people and for programs'):
        headers = server.get(EVENTS, headers=OLD).headers
        true(re.fullmatch(r'Deprecated in version 2\.0, will be removed in 3\.0',
                          headers['X-API-Deprecated']), headers['X-API-Deprecated'])
        sunset = datetime.date.fromisoformat(headers['X-API-Sunset'])
        equal(email.utils.parsedate_to_datetime(headers['Sunset']).date(), sunset)
        contains(headers['Sunset'], 'GMT')
        since = datetime.datetime.fromtimestamp(int(headers['Deprecation'][1:]),
                                                datetime.timezone.utc).date()
        equal((headers['Deprecation'][0], since.isoformat()), ('@', '2025-11-10'))
        true((sunset - since).days >= 365, 'a year of support')
        links = [link for line in headers.get_all('Link') for link in line.split(', ')]
        for relation in ('deprecation', 'sunset'):
            path = next(link for link in links if f'rel="{relation}"' in link)[1:].split('>')[0]
            true((DOCS.parent / (path[1:] + '.md')).is_file(), f'{path} is no document')
    with step('VER-09: what 1.0 did not have is answered in 2.0'):
        is_told(server.get('/api/v1/log', headers=OLD).expect(200), '2.0')
        server.get('/api/v1/log/proof/consistency?old=x', headers=OLD).expect_problem(400)


def organisation(server):
    org = server.get('/api/v1/organizations').expect(200).json()['data'][0]
    path = f'/api/v1/organizations/{org["id"]}'

    def choose(version):
        server.request('PATCH', path, json.dumps({'api_version': version}).encode(),
                       {'Content-Type': 'application/merge-patch+json',
                        'Accept-Version': '2.0'}).expect(200)
    with step("VER-01: the organisation's default is behind all that a request says"):
        choose('1.0')
        is_told(server.get(EVENTS).expect(200), '1.0')
        true('logs' in server.get(EVENTS).json(), 'the shape of 1.0')
        is_told(server.get(EVENTS, headers={'Accept-Version': '2.0'}).expect(200), '2.0')
        is_told(server.get(EVENTS, headers={'Accept-Version': '9.9'}).expect(200), '1.0')
        choose('2.0')
        is_told(server.get(EVENTS).expect(200), '2.0')


def told(server):
    with step('VER-03: the versions are told without a key'):
        told = server.get('/api/v1/version', key=None).expect(200).json()
        equal((told['current_version'], told['default_version']), ('2.0', '2.0'))
        equal(told['supported_versions'], ['2.0', '1.0'])
        history = told['version_history']
        equal(history['2.0']['released'], '2025-11-10')
        equal((history['2.0']['status'], history['1.0']['status']), ('current', 'deprecated'))
        true(all(entry['changes'] and entry['released'] for entry in history.values()), history)
        equal(history['1.0']['sunset'], server.get(EVENTS, headers=OLD).headers['X-API-Sunset'])
    with step('VER-14: every deprecated version has a guide to the next one'):
        for name, entry in history.items():
            if entry['status'] == 'deprecated':
                guide = DOCS / f'migrate-{name}-to-{entry["deprecated_in"]}.md'
                true(guide.is_file(), f'{guide.name} is missing')
                contains(guide.read_text(), entry['sunset'])
                contains((DOCS / 'versions.md').read_text(), entry['sunset'])


def shapes(server):
    with step('VER-12: a list in 1.0 is {logs, pagination}'):
        ours = {'event_type': 'test.step'}  # requests leave events of their own meanwhile
        answer = server.get(EVENTS, ours | {'page': 2, 'limit': 2}, headers=OLD).expect(200).json()
        equal(sorted(answer), ['logs', 'pagination'])
        total = server.query(total='exact', **ours)['page']['total']
        equal(answer['pagination'],
              {'page': 2, 'limit': 2, 'total': total, 'pages': (total + 1) // 2})
        equal(answer['logs'], server.query(limit=2, offset=2, **ours)['data'])
        rest = server.get(EVENTS, ours | {'offset': 4, 'limit': 2}, headers=OLD).expect(200).json()
        equal(rest['pagination']['page'], 3)
    with step('VER-12: a list of nothing'):
        answer = server.get(EVENTS, {'actor_id': 'nobody-at-all'}, headers=OLD).expect(200).json()
        equal(answer, {'logs': [], 'pagination': {'page': 1, 'limit': 100, 'total': 0, 'pages': 0}})
    with step('VER-12: start_date and end_date are times in 1.0, and unknown in 2.0'):
        dates = {'start_date': '2020-01-01T00:00:00Z', 'end_date': '2020-01-02T00:00:00Z'}
        equal(server.get(EVENTS, dates, headers=OLD).expect(200).json()['logs'], [])
        server.get(EVENTS, dates).expect_problem(400, 'start_date')
    with step('VER-12: an error in 1.0 is {error, message}'):
        answer = server.get(EVENTS + '?limit=x', headers=OLD).expect(400)
        equal(answer.headers['Content-Type'], 'application/json')
        body = answer.json()
        equal((body['error'], body['pointer']), ('Bad Request', 'limit'))
        contains(body['message'], 'a number from 1')
        equal(body['correlation_id'], answer.headers['X-Request-Id'])
        true('title' not in body and 'status' not in body, body)
    with step('VER-12: and what was wrong with an event is told there too'):
        body = server.post(EVENTS, b'{"event_type":7}', headers=OLD).expect(400).json()
        equal(body['errors'][0]['pointer'], '/event_type')
    with step('VER-12: a write in 1.0 has a message'):
        body = server.post(EVENTS, event(), headers=OLD).expect(201).json()
        true(body['event_id'] and body['event_timestamp'] and body['message'], body)
        true('message' not in server.post(EVENTS, event()).expect(201).json(), 'only there')


def configuration(server):
    rules, rule = '/api/v1/rules', {'match_string': 'down', 'prod_handling': 'page_only',
                                    'dev_handling': 'Ignore', 'team_assignment': 'NETO'}

    def ask(method, target, body=None, status=200):
        answer = server.request(method, target, None if body is None else json.dumps(body).encode(),
                                {'Content-Type': 'application/json'} | OLD)
        is_told(answer, '1.0')
        return answer.expect(status).json()
    with step('VER-12: rules in 1.0 have numbers, and changes are answered with a message'):
        made = [ask('POST', rules, rule | {'priority': priority, 'reason': 'why not'}, 201)
                for priority in (9, 8, 8)]
        equal([sorted(one) for one in made], [['id', 'message']] * 3)
        first, second, third = (one['id'] for one in made)
        equal([type(number) for number in (first, second, third)], [int] * 3)
        equal(sorted(ask('PUT', f'{rules}/{first}', {'priority': 7})), ['message'])
        one = ask('GET', f'{rules}/{first}')
        equal((one['id'], one['priority'], one['dev_handling'], 'number' in one),
              (first, 7, 'Ignore', False))
        equal(ask('GET', rules).keys(), {'rules'})
        equal([item['id'] for item in ask('GET', rules)['rules']], [first, second, third])
        new = server.get(rules).expect(200).json()['data']
        equal([item['number'] for item in new], [first, second, third])
        equal(sorted(ask('DELETE', f'{rules}/{second}', {'reason': 'gone'})), ['message'])
        equal([item['id'] for item in ask('GET', rules)['rules']], [first, third])
    with step('VER-12: what is wrong with a rule is told in the shape of 1.0'):
        for method, target, body, status in (
                ('GET', f'{rules}/{second}', None, 404), ('PUT', f'{rules}/{second}', rule, 404),
                ('DELETE', f'{rules}/{second}', None, 404),
                ('GET', f'{rules}/{new[0]["id"]}', None, 404), ('GET', f'{rules}/-1', None, 404),
                ('PUT', f'{rules}/{first}', {}, 400),
                ('PUT', f'{rules}/{first}', {'reason': 'r'}, 400),
                ('PUT', f'{rules}/{first}', {'priority': 'high'}, 400), ('POST', rules, {}, 400)):
            body = ask(method, target, body, status)
            true(body['error'] and body['message'] and 'title' not in body, body)
        server.get(f'{rules}/{first}').expect_problem(404)
    with step('VER-12: a list of 1.0 is whole, unless a page is asked for'):
        for n in range(120):
            ask('POST', '/api/v1/dev-hosts', {'hostname': f'h-{n:03}'}, 201)
        hosts = ask('GET', '/api/v1/dev-hosts')
        equal([host['hostname'] for host in hosts['hosts']], [f'h-{n:03}' for n in range(120)])
        page = ask('GET', '/api/v1/dev-hosts?page=2&limit=50')
        equal((page['hosts'][0]['hostname'], page['pagination']),
              ('h-050', {'page': 2, 'limit': 50, 'total': 120, 'pages': 3}))
        ask('POST', '/api/v1/dev-hosts', {'hostname': 'h-000'}, 409)
        ask('DELETE', '/api/v1/dev-hosts/h-000')
        equal(len(ask('GET', '/api/v1/dev-hosts')['hosts']), 119)
    with step('VER-12: teams'):
        ask('POST', '/api/v1/teams', {'hostname': 'web-1', 'team_assignment': 'web'}, 201)
        ask('PUT', '/api/v1/teams/web-1', {'team_assignment': 'ops'})
        teams = ask('GET', '/api/v1/teams')['teams']
        equal([(team['hostname'], team['team_assignment']) for team in teams], [('web-1', 'ops')])
        equal(sorted(ask('DELETE', '/api/v1/teams/web-1')), ['message'])
    with step('VER-12: the history is {logs, pagination}, with the tables and numbers of 1.0'):
        for query in ('table_name=alert_rules&', 'table_name=rules&', ''):
            found = ask('GET', f'/api/v1/audit?{query}record_id={second}')
            equal(found['pagination'], {'page': 1, 'limit': 50, 'total': 2, 'pages': 1})
            equal([(row['operation'], row['table_name'], row['record_id'], row['reason'])
                   for row in found['logs']], [('DELETE', 'alert_rules', second, 'gone'),
                                               ('CREATE', 'alert_rules', second, 'why not')])
        found = ask('GET', '/api/v1/audit?table_name=device_teams')['logs']
        equal([row['record_id'] for row in found], ['web-1'] * 3)
        equal(ask('GET', '/api/v1/audit?record_id=999')['logs'], [])
        ask('GET', '/api/v1/audit?table_name=passwords', status=400)
        server.get('/api/v1/audit', {'table_name': 'alert_rules'}).expect_problem(400)
        rows = server.get('/api/v1/audit', {'table_name': 'rules'}).expect(200).json()['data']
        true(rows[0]['record_id'] in [item['id'] for item in new], rows[0])
    with step('the last of these changes reaches the log, in which later steps count'):
        wait_until(lambda: server.query(event_type='config.teams.delete')['data'], 'its event')
    with step('VER-09: kinds that 1.0 did not have are answered in 2.0'):
        for kind in ('organizations', 'api-keys', 'schemas', 'targets'):
            answer = server.get(f'/api/v1/{kind}', headers=OLD).expect(200)
            is_told(answer, '2.0')
            equal(sorted(answer.json()), ['data', 'page'])


def aliases(server):
    sent = event(event_type='doc.update', actor_id='alice', resource_type='document',
                 resource_id='d-1', actor_ip='192.0.2.7', event_action='update',
                 event_data={'a': [1, 'zwei']}, user_agent='browser')
    server.send(sent, event(event_type='doc.read', actor_id='bob'))
    with step('QRY-13: /api/audit-logs answers {logs, count, limit, offset} with its own columns'):
        answer = server.get('/api/audit-logs', {'user_id': 'alice', 'target_type': 'document',
                                                'action': 'update'}).expect(200).json()
        equal((answer['count'], answer['limit'], answer['offset']), (1, 100, 0))
        row = answer['logs'][0]
        stored = server.get(f'{EVENTS}/{sent["event_id"]}').expect(200).json()
        equal(row, {'id': sent['event_id'], 'user_id': 'alice', 'action': 'update',
                    'target_type': 'document', 'target_id': 'd-1', 'meta_json': '{"a":[1,"zwei"]}',
                    'ip': '192.0.2.7', 'user_agent': 'browser',
                    'created_at': stored['event_timestamp']})
        far = server.get('/api/audit-logs', {'limit': 1, 'offset': 1}).expect(200).json()
        equal((far['count'], far['limit'], far['offset']), (1, 1, 1))
        none = server.get('/api/audit-logs', {'end_date': '2020-01-01'}).expect(200).json()
        equal(none['logs'], [])
    with step('QRY-17: /api/activity/recent has at most 50'):
        for limit, most in ((5, 5), (50, 50), (500, 50)):
            answer = server.get('/api/activity/recent', {'limit': limit}).expect(200).json()
            equal(answer['limit'], most)
        equal(server.get('/api/activity/recent').expect(200).json()['limit'], 50)
    with step('/audit/logs answers {logs, pagination}; one of them; counts'):
        answer = server.get('/audit/logs', {'userId': 'alice', 'page': 1}).expect(200).json()
        equal(answer['pagination'], {'page': 1, 'limit': 100, 'total': 1, 'pages': 1})
        row = answer['logs'][0]
        equal((row['id'], row['userId'], row['resource'], row['requestData']),
              (sent['event_id'], 'alice', 'document', {'a': [1, 'zwei']}))
        equal(server.get('/audit/logs/' + sent['event_id']).expect(200).json(), row)
        equal(server.get('/audit/stats').expect(200).json()['total'], server.size())
    with step('their errors are in their shape, whatever version is asked for'):
        for path, status in (('/audit/logs?limit=x', 400), ('/audit/logs/x', 400),
                             ('/api/audit-logs?nonsense=1', 400),
                             ('/audit/logs/00000000-0000-0000-0000-000000000000', 404)):
            body = server.get(path, headers={'Accept-Version': '2.0'}).expect(status).json()
            true(body['error'] and body['message'] and 'type' not in body, f'{path}: {body}')
        body = server.get('/health/', key='wrong').expect(401).json()
        equal(list(body), ['detail'])
        true(body['detail']['error'] and body['detail']['message'], body)
    with step('they need a key where the canonical path does'):
        for path in ('/audit/logs', '/audit/logs/x', '/audit/stats', '/api/audit-logs',
                     '/api/activity/recent'):
            equal(server.get(path, key=None).expect(401).json()['error'], 'Unauthorized')
    with step('what is not built yet is not there'):
        for path in ('/audit/export', '/secrets/rotation/schedule'):
            server.get(path).expect_problem(404)


def ingest(server):
    body = {'hostname': 'router-1', 'message': 'link down', 'timestamp': now(),
            'syslog_severity': 3, 'trap_oid': '1.3.6.1.6.3.1.1.5.3'}
    with step('/ingest takes a trap and says that it is queued'):
        answer = server.post('/ingest', body, headers={'X-Correlation-ID': 'corr-77'})
        equal(answer.expect(200).json(),
              {'status': 'queued', 'correlation_id': 'corr-77', 'queue_depth': 0})
        got = server.query(correlation_id='corr-77')['data'][0]
        equal((got['event_type'], got['severity'], got['actor_id'], got['resource_id']),
              ('snmp.trap', 'error', 'router-1', '1.3.6.1.6.3.1.1.5.3'))
        equal((got['event_data'], got['source_format']), (body, 'mutt'))
    with step('/ingest makes a correlation id where there is none'):
        made = server.post('/ingest', body).expect(200).json()['correlation_id']
        equal(len(server.query(correlation_id=made)['data']), 1)
    with step('errors of /ingest are {status, message, correlation_id}'):
        for bad, status, part in ((b'{', 400, 'ends inside'), (b'7', 400, 'record'),
                                  (b'{"message":"x","timestamp":"2026-01-01T00:00:00Z"}', 400,
                                   'is required')):
            error = server.post('/ingest', bad).expect(status).json()
            equal((error['status'], 'error' in error), ('error', False))
            contains(error['message'], part)
            true(error['correlation_id'], error)
        error = server.request('POST', '/ingest', b'{}', key=None).expect(401).json()
        equal(error['status'], 'error')
        server.get('/ingest').expect(405)


def usage_of(server, **params):
    told = server.get(USAGE, params).expect(200).json()
    return told, {(r['key_id'], r['version']): r for r in told['clients']}


def usage(server):
    def rows():
        return usage_of(server)
    with step('VER-10: requests are counted by key and version'):
        _, before = rows()
        mine = next(key for key, _ in before if key not in ('none', 'other'))
        server.get(f'/api/v1/api-keys/{mine}').expect(200)
        for _ in range(3):
            server.get(EVENTS, headers=OLD).expect(200)
        server.get('/api/v1/version', headers=OLD, key=None).expect(200)
        told, after = rows()
        for key, more in ((mine, 3), ('none', 1)):
            old = before.get((key, '1.0'), {'requests': 0})['requests']
            equal(after[(key, '1.0')]['requests'] - old, more, key)
        true(after[(mine, '1.0')]['last_used_at'] > told['counting_since'], 'last use')
        true(not any('cairn_' in key for key, _ in after), 'no key is told')
    with step('VER-11: a version that is used must not go yet'):
        old = next(v for v in told['versions'] if v['version'] == '1.0')
        equal((old['status'], old['unused_days'], old['is_unused']), ('deprecated', 0, False))
        equal((old['last_used_by'], old['sunset']), ('none', '2027-06-30'))
        equal((told['days'], told['unused_days_wanted'], told['routes']), (30, 186, []))
        for name in ('unused_days', 'days'):
            for number in ('0', '367', 'x'):
                server.get(USAGE, {name: number}).expect_problem(400, name)
    with step('VER-10: the same is a metric'):
        metrics = server.get('/metrics').expect(200).body.decode()
        contains(metrics, f'cairn_api_requests_total{{version="1.0",key="{mine}"}} ')
        figures = server.get('/api/metrics?format=json').expect(200).json()
        contains(figures, 'cairn_api_requests_total{version="1.0",key="none"}')
    with step('usage is for operators'):
        server.get(USAGE, key=None).expect_problem(401)


def kept(server):
    def catalog(statement, *values):
        with sqlite3.connect(server.data / 'catalog.db') as database:
            return database.execute(statement, values).fetchall()

    def stored():
        return catalog("SELECT SUM(requests) FROM version_usage WHERE key = ? AND version = '1.0'",
                       key['id'])[0][0]
    with step('VER-10: a stop keeps who used what, and since when that is known'):
        before, rows = usage_of(server)
        server.stop()
        server.start()
        after, again = usage_of(server)
        one = {key: row for key, row in rows.items() if key[1] == '1.0'}
        true(one, 'somebody asked for 1.0')
        equal({key: row for key, row in again.items() if key[1] == '1.0'}, one)
        equal(after['counting_since'], before['counting_since'])
    with step('VER-10: a kill keeps what is older than seconds'):
        key = server.post('/api/v1/api-keys', {'name': 'k', 'role': 'auditor'}).expect(201).json()
        for _ in range(3):
            server.get(EVENTS, headers=OLD, key=key['key']).expect(200)
        wait_until(lambda: stored() == 3, 'three are stored')
        server.kill()
        server.start()
        told, rows = usage_of(server)
        equal(rows[(key['id'], '1.0')]['requests'], 3)
        old = next(v for v in told['versions'] if v['version'] == '1.0')
        equal((old['last_used_by'], old['is_unused']), (key['id'], False))
    with step('VER-11: nobody used it for as long as the notice: it may go, and who was last is '
              'known'):
        server.stop()
        catalog('UPDATE version_usage SET day = day - 200, first_us = first_us - ?,'
                'last_us = last_us - ?', 200 * DAY_US, 200 * DAY_US)
        server.start()
        told, rows = usage_of(server)
        old = next(v for v in told['versions'] if v['version'] == '1.0')
        equal((old['requests'], old['unused_days'], old['is_unused'], old['last_used_by']),
              (0, 200, True, key['id']))
        true(not any(version == '1.0' for _, version in rows), f'{rows}')
        current = told['versions'][0]
        equal((current['version'], current['is_unused'] and current['requests']), ('2.0', False))
    with step('VER-11: over more days it was used'):
        told, rows = usage_of(server, days='366', unused_days='201')
        equal(rows[(key['id'], '1.0')]['requests'], 3)
        old = next(v for v in told['versions'] if v['version'] == '1.0')
        equal((old['unused_days'], old['is_unused']), (200, False))
    with step('VER-11: one request, and it must stay'):
        server.get('/api/v1/version', headers=OLD, key=None).expect(200)
        old = next(v for v in usage_of(server)[0]['versions'] if v['version'] == '1.0')
        equal((old['requests'], old['is_unused'], old['last_used_by']), (1, False, 'none'))
    with step('VER-11: what is not past its last day is no warning of a start'):
        true('past its last day' not in server.log_path.read_text(), 'a warning')


def command_line(server):
    with step('cairn version usage: a line for each version, and for each key'):
        lines = lines_of(cairn('version', 'usage', server=server))
        told = usage_of(server)[0]
        equal([row['version'] for row in lines[:2]], ['2.0', '1.0'])
        equal(lines[1], told['versions'][1])
        equal({(row['key_id'], row['version']) for row in lines[2:]},
              {(row['key_id'], row['version']) for row in told['clients']})
    with step('cairn version usage: tables on a terminal'):
        screen = on_terminal('version', 'usage', '--days', '366', server=server)
        for part in ('1.0', 'deprecated', 'days unused', 'last used', 'none'):
            contains(screen, part)
    with step('cairn version usage: what is wrong is said'):
        contains(cairn('version', 'usage', '--days', '0', server=server, status=1).stderr, '366')
        cairn('version', 'use', server=server, status=2)


with Server() as under_test:
    under_test.send(*[event(actor_id=f'a-{n}') for n in range(7)])
    negotiation(under_test)
    organisation(under_test)
    told(under_test)
    shapes(under_test)
    configuration(under_test)
    aliases(under_test)
    ingest(under_test)
    usage(under_test)
    kept(under_test)
    command_line(under_test)
finish()
