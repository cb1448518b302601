# SPDX-License-Identifier: Apache-2.0
"""Options that change while the server runs: by settings, which are kept, have a history and can be
reverted, and by the configuration file, read again on SIGHUP."""
import base64
import concurrent.futures
import datetime
import json
import signal
import sqlite3
import time

from harness import (EVENTS, NDJSON, PATIENCE_S, SLOWNESS, Server, cairn, contains, equal, event,
                     finish, lines_of, ndjson, on_terminal, scratch, step, true, wait_until)

SETTINGS = '/api/v1/settings'
SOON_S = SLOWNESS
# In the file, where settings override them, and not as flags, which would override settings.
USUAL = ('--wal-file-bytes', '32MiB', '--log-format', 'logfmt')
FILE = ('access_events = none\nwrong_keys_max = 0\n'
        'disk_reserve_bytes = 0\ndisk_reserve_percent = 0\n')
PROXY = {'X-Forwarded-For': '203.0.113.5', 'X-Forwarded-Proto': 'https'}


def configured(name, text=FILE):
    path = scratch(name)
    path.write_text(text)
    return path


def server_with(path, *options, **more):
    return Server('--config', str(path), *options, usual=USUAL, **more)


def put(server, name, value, headers=None, **more):
    return server.request('PUT', f'{SETTINGS}/{name}', json.dumps({'value': value} | more), headers)


def unset(server, name, headers=None):
    return server.request('DELETE', f'{SETTINGS}/{name}', b'', headers)


def revert(server, name, headers=None, **body):
    return server.request('POST', f'{SETTINGS}/{name}/revert', json.dumps(body), headers)


def shown(server, name):
    return server.get(f'{SETTINGS}/{name}').expect(200).json()


def value_of(server, name):
    option = shown(server, name)
    return option['value'], option['source']


def history(server, name):
    return server.get('/api/v1/audit', {'table_name': 'settings', 'record_id': name}
                      ).expect(200).json()['data']


# What is told, and who may ask

def every_option(server):
    listed = server.get(SETTINGS).expect(200).json()['data']
    with step('every option is listed as it is shown alone'):
        true(len(listed) > 40, f'{len(listed)} options')
        for option in listed:
            equal(shown(server, option['name']), option)
            for member in ('value', 'default', 'source', 'where', 'type', 'about', 'flag',
                           'environment', 'group', 'may_change'):
                true(member in option, f'{option["name"]} has no {member}')
        equal(value_of(server, 'access_events'), ('none', 'file'))
        contains(shown(server, 'access_events')['where'], 'every.conf:1')
        equal((shown(server, 'past_days_max')['least'], shown(server, 'past_days_max')['most']),
              ('0', '36500'))
    for option in listed:
        name, old = option['name'], option['value']
        if not option['may_change']:
            continue
        with step(f'{name} can be changed while the server runs'):
            new = another(option)
            answer = put(server, name, new, reason='a walk').expect(200).json()
            equal((answer['value'], answer['setting'], answer['source'], answer['overridden_by']),
                  (new, new, 'setting', None))
            equal(shown(server, name), answer)
            equal(server.get(SETTINGS).json()['data'][listed.index(option)], answer)
            equal(unset(server, name).expect(200).json()['value'], old)
            equal(shown(server, name), option)
            equal([(row['operation'], row['reason']) for row in history(server, name)],
                  [('DELETE', None), ('CREATE', 'a walk')])
    with step('the others say where to give them'):
        fixed = [option for option in listed if not option['may_change']]
        true(len(fixed) > 20, f'{len(fixed)} of them')
        for option in fixed:
            put(server, option['name'], option['default']).expect_problem(
                400, 'cannot change while the server runs', option['flag'], option['environment'])
            unset(server, option['name']).expect_problem(400)
            revert(server, option['name']).expect_problem(400)


def another(option):
    """Another value than it has, as the file would write it."""
    if option['type'] == 'boolean':
        return 'false' if option['value'] == 'true' else 'true'
    if option['type'] == 'choice':
        return next(word for word in option['choices'] if word != option['value'])
    if option['type'] == 'text':
        return 'https://another.example'
    return option['least'] if option['value'] != option['least'] else option['most']


def refused(server):
    for name, value, parts in (
            ('past_days_max', '36501', ['from 0 to 36500']),
            ('past_days_max', -1, ['whole number']), ('past_days_max', 'soon', ['whole number']),
            ('past_days_max', '', ['whole number']),
            ('body_bytes_max', '1K', ['from 1MiB to 16GiB']),
            ('http.idle_ms', '1ms', ['100ms', '1h']), ('drain_ms', '11min', ['0', '10min']),
            ('log.level', 'loud', ['error warn info debug']),
            ('hsts', 'perhaps', ['true or false']), ('hsts', None, ['DELETE']),
            ('hsts', ['true'], ['text, number or boolean']),
            ('hsts', 1.5, ['text, number or boolean']), ('cors.origins', '*', ['no origin']),
            ('cors.origins', 'https://a.example/', ['no origin']),
            ('cors.origins', ','.join(f'https://a{n}.example' for n in range(33)), ['32 origins']),
            ('sensitive_fields', 'x' * 1001, ['1000 bytes']),
            ('sensitive_fields', 'a\nb', ['control'])):
        with step(f'refused: {name} = {str(value)[:40]!r}'):
            before = shown(server, name)
            problem = put(server, name, value).expect_problem(400, *parts)
            equal([item['pointer'] for item in problem['errors']], ['/value'])
            equal(shown(server, name), before)
            equal([row for row in history(server, name) if row['reason'] != 'a walk'
                   and row['operation'] != 'DELETE'], [])
    with step('refused: bodies that are none'):
        for body in (b'', b'{}', b'[]', b'{"value":"1"', b'{"value":"1","colour":"red"}',
                     b'{"value":"1","name":"hsts"}', b'{"value":"\xff"}', b'"7"'):
            server.request('PUT', f'{SETTINGS}/hsts', body).expect_problem(400)
        revert(server, 'hsts', to='').expect_problem(400)
        revert(server, 'hsts', to=7).expect_problem(400)
        revert(server, 'hsts', to='yesterday').expect_problem(400, '/to', 'expected a UUID')
        server.get(SETTINGS, {'colour': 'red'}).expect_problem(400)
        equal(value_of(server, 'hsts'), ('true', 'default'))
    with step('what there is not has a name that is near'):
        put(server, 'log.levle', 'debug').expect_problem(404, 'perhaps you mean log.level')
        for name in ('colour', 'x' * 300, '%ff', '..', 'log.level%00'):
            for answer in (put(server, name, '1'), unset(server, name), revert(server, name),
                           server.get(f'{SETTINGS}/{name}')):
                true(answer.status in (400, 404), f'{name}: {answer.status}')
    with step('numbers and booleans may be JSON, and units are as in the file'):
        equal(put(server, 'past_days_max', 30).expect(200).json()['value'], '30')
        equal(put(server, 'hsts', False).expect(200).json()['value'], 'false')
        equal(put(server, 'body_bytes_max', '2048 K').expect(200).json()['setting'], '2MiB')
        answer = server.request('PATCH', f'{SETTINGS}/log.level', b'{"value":"WARNING"}')
        equal(answer.expect(200).json()['setting'], 'warn')
        for name in ('past_days_max', 'hsts', 'body_bytes_max', 'log.level'):
            unset(server, name).expect(200)


def who_may(server):
    owner = server.key
    org = server.post('/api/v1/organizations',
                      {'name': 'other', 'tier': 'ENTERPRISE'}).expect(201).json()['id']

    def key_of(query='', **body):
        return server.post(f'/api/v1/api-keys{query}',
                           {'name': 'k'} | body).expect(201).json()['key']

    def all_routes(key):
        server.key = key
        try:
            return [server.get(SETTINGS).status, server.get(f'{SETTINGS}/hsts').status,
                    revert(server, 'hsts').status, put(server, 'hsts', 'true').status,
                    unset(server, 'hsts').status, server.get(SETTINGS, {'org': 'default'}).status]
        finally:
            server.key = owner
    refused_keys = {f'an owner of another organisation ({role})': key_of(f'?org={org}', role=role)
                    for role in ('owner', 'admin')}
    refused_keys |= {f'our {role}': key_of(role=role) for role in ('auditor', 'operator', 'writer')}
    refused_keys['an owner whose key has a filter'] = key_of(role='owner', filter='service:web')
    refused_keys['an owner whose key only writes'] = key_of(role='owner', scopes=['events:write'])
    for sentence, key in refused_keys.items():
        with step(f'settings are not for {sentence}'):
            equal(all_routes(key), [403] * 6)
    with step('nor for nobody'):
        server.get(SETTINGS, key=None).expect_problem(401)
    with step('an administrator of the first organisation may; with config:read only look'):
        equal(all_routes(key_of(role='admin')), [200] * 6)
        equal(all_routes(key_of(role='admin', scopes=['config:read'])),
              [200, 200, 403, 403, 403, 200])
    with step('settings are of no other organisation'):
        server.get(SETTINGS, {'org': org}).expect_problem(400)
        server.get(SETTINGS, {'org': '*'}).expect_problem(400)


# That they count

def headers_with(server, path='/health', **headers):
    return server.get(path, headers=PROXY | headers).headers


def old_event(days=0, minutes=0):
    when = datetime.datetime.now(datetime.timezone.utc)
    when += datetime.timedelta(days=-days, minutes=minutes)
    return event(event_timestamp=when.isoformat().replace('+00:00', 'Z'))


def written(server, body, headers=None):
    return server.post(EVENTS, body, headers).status


def counts(server):
    """Each by what it does, in the request behind the one that changed it."""
    def with_value(name, value, what):
        put(server, name, value).expect(200)
        try:
            return what()
        finally:
            unset(server, name).expect(200)
    nested = event(event_data={'a': {'b': {'c': {'d': 1}}}})
    for name, value, what, before, after in (
            ('past_days_max', '3', lambda: written(server, old_event(days=5)), 201, 400),
            ('past_days_max', '0', lambda: written(server, old_event(days=500)), 400, 201),
            ('future_minutes_max', '90', lambda: written(server, old_event(minutes=80)), 400, 201),
            ('event_depth_max', '4', lambda: written(server, nested | event()), 201, 400),
            ('disk_reserve_bytes', '1TiB', lambda: written(server, event()), 201, 507),
            ('tiles_public', 'false', lambda: server.get('/checkpoint', key=None).status, 200, 401),
            ('metrics_public', 'true',
             lambda: server.get('/metrics', headers=PROXY, key=None).status, 401, 200),
            ('query_key_allowed', 'true',
             lambda: server.get(f'{EVENTS}?api_key={server.key}', key=None).status, 401, 200),
            ('signup', 'true', lambda: server.request('POST', '/api/v1/auth/signup', b'{}',
                                                      key=None).status, 403, 400),
            ('hsts', 'false',
             lambda: 'Strict-Transport-Security' in headers_with(server), True, False),
            ('cors.origins', 'https://a.example',
             lambda: headers_with(server, Origin='https://a.example').get(
                 'Access-Control-Allow-Origin'), None, 'https://a.example')):
        with step(f'{name} = {value} counts from the next request on'):
            equal(what(), before, 'before')
            equal(with_value(name, value, what), after, 'with it')
            equal(what(), before, 'behind it')
    with step('body_bytes_max counts from the next request on'):
        def stream():
            return server.post(EVENTS, ndjson(event(event_data={'a': 'x' * 60000})
                                              for _ in range(20)), kind=NDJSON).status
        equal(stream(), 201)
        equal(with_value('body_bytes_max', '1MiB', stream), 413)
        equal(stream(), 201)
    with step('a percentage of the disk is a reserve too'):
        put(server, 'disk_reserve_percent', '0').expect(200)
        equal(written(server, event()), 201)
        unset(server, 'disk_reserve_percent').expect(200)
    for name, sent in (('http.headers_ms', b'GET / HTTP/1.1\r\n'),
                       ('http.idle_ms', b'GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n')):
        with step(f'{name} counts from the next connection on'):
            put(server, name, '100ms').expect(200)
            begun = time.monotonic()
            with server.socket() as connection:
                connection.sendall(sent)
                while connection.recv(65536):
                    pass
            took = time.monotonic() - begun
            unset(server, name).expect(200)
            true(took < 6, f'it was closed only after {took} s')
    with step('wrong_keys_max counts from the next request on'):
        def wrong():
            return [server.get(EVENTS, headers=PROXY, key='cairn_dev_00000000_' + 'x' * 43).status
                    for _ in range(4)]
        equal(wrong(), [401] * 4)
        equal(with_value('wrong_keys_max', 2, wrong)[-1], 429)
        equal(wrong(), [401] * 4)
    logins_count(server, with_value)
    with step('log.level counts from the next line on'):
        def lines():
            return server.log_path.read_text().count('a key was refused')
        before = lines()
        server.get(EVENTS, key='cairn_dev_00000000_' + 'x' * 43)
        equal(lines(), before + 1)
        put(server, 'log.level', 'error').expect(200)
        server.get(EVENTS, key='cairn_dev_00000000_' + 'x' * 43)
        equal(lines(), before + 1)
        unset(server, 'log.level').expect(200)
    with step('access_events and sensitive_fields count from the next request on'):
        def told():
            return server.query(event_type='api.request', order='seq', limit=1000)['data']
        equal(told(), [])
        put(server, 'access_events', 'default').expect(200)
        put(server, 'sensitive_fields', 'colour').expect(200)
        server.get(EVENTS, {'data.colour': 'red', 'data.password': 'seen'}).expect(200)
        wait_until(lambda: [item for item in told() if item['event_data'].get('parameters') ==
                            {'data.colour': '[hidden]', 'data.password': 'seen'}], 'its event')
        unset(server, 'sensitive_fields').expect(200)
        unset(server, 'access_events').expect(200)
        wait_until(lambda: server.size() == server.size(), 'the last of them are in the log')
        size = server.size()
        for _ in range(20):
            server.get(EVENTS).expect(200)
        written(server, event())
        wait_until(lambda: server.size() > size, 'the event behind them')
        equal([item for item in server.query(event_type='api.request', order='seq',
                                             limit=1000)['data'] if item['seq'] >= size + 2], [])


def logins_count(server, with_value):
    account = {'email': 'ada@example.com', 'password': 'a long password'}
    server.post('/api/v1/users', account | {'role': 'auditor'}).expect(201)

    def log_in(**more):
        return server.request('POST', '/api/v1/auth/login', json.dumps(account | more),
                              {'Content-Type': 'application/json'}, key=None)

    def seconds(answer):
        end = datetime.datetime.fromisoformat(answer['session_expires_at'].replace('Z', '+00:00'))
        return (end - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    with step('token.lifetime_ms counts from the next token on'):
        def good_for():
            claims = log_in().expect(200).json()['access_token'].split('.')[1]
            claims = json.loads(base64.urlsafe_b64decode(claims + '=' * (-len(claims) % 4)))
            return claims['exp'] - claims['iat']
        equal((good_for(), with_value('token.lifetime_ms', '1min', good_for), good_for()),
              (600, 60, 600))
    with step('session.lifetime_ms counts from the next login on, and for those that live'):
        before = log_in().expect(200).json()
        true(seconds(before) > 86400, before)

        def refreshed():
            answer = server.request('POST', '/api/v1/auth/refresh',
                                    json.dumps({'refresh_token': before['refresh_token']}),
                                    {'Content-Type': 'application/json'}, key=None)
            return answer.expect(200).json(), log_in().expect(200).json()
        for answer in with_value('session.lifetime_ms', '1h', refreshed):
            true(seconds(answer) <= 3600, answer)
    with step('session.idle_ms counts from the next refresh on'):
        token = log_in().expect(200).json()['refresh_token']
        put(server, 'session.idle_ms', '1min').expect(200)
        stored = sqlite3.connect(server.data / 'catalog.db', timeout=60)
        with stored:
            stored.execute('UPDATE sessions SET used_us = used_us - 61000000')
        stored.close()
        server.request('POST', '/api/v1/auth/refresh', json.dumps({'refresh_token': token}),
                       {'Content-Type': 'application/json'}, key=None).expect_problem(401)
        unset(server, 'session.idle_ms').expect(200)
    with step('login.failures_max and login.window_ms count from the next login on'):
        def wrong():
            return [log_in(password='wrong').status for _ in range(3)]
        equal(with_value('login.failures_max', 2, wrong), [401, 401, 429])
        log_in().expect(200)
        put(server, 'login.failures_max', 1).expect(200)
        log_in().expect_problem(429)  # what was counted of the address still counts
        put(server, 'login.window_ms', '1s').expect(200)
        wait_until(lambda: log_in().status == 200, 'the window is over')
        for name in ('login.failures_max', 'login.window_ms'):
            unset(server, name).expect(200)


# Where a value comes from

def precedence():
    path = configured('precedence.conf', FILE + 'past_days_max = 20\nevent_depth_max = 20\n')
    settings = (('past_days_max', '30'), ('event_depth_max', '30'), ('future_minutes_max', '30'))
    with server_with(path, '--future-minutes-max', '50',
                     prefix=('env', 'CAIRN_EVENT_DEPTH_MAX=40')) as server:
        with step('flag, environment, setting, file, default: the first that speaks counts'):
            equal([value_of(server, name) for name, _ in settings],
                  [('20', 'file'), ('40', 'environment'), ('50', 'flag')])
            answers = [put(server, name, value).expect(200).json() for name, value in settings]
            equal([(answer['value'], answer['setting'], answer['overridden_by'])
                   for answer in answers],
                  [('30', '30', None), ('40', '30', 'environment CAIRN_EVENT_DEPTH_MAX'),
                   ('50', '30', 'flag --future-minutes-max')])
    with server_with(path, data=server.data) as again:
        with step('a restart keeps a setting, and without flag and variable it counts'):
            equal([value_of(again, name) for name, _ in settings], [('30', 'setting')] * 3)
        with step('taken back, it is what the file says, or the default'):
            for name, _ in settings:
                unset(again, name).expect(200)
                unset(again, name).expect_problem(404)
            equal([value_of(again, name) for name, _ in settings],
                  [('20', 'file'), ('20', 'file'), ('60', 'default')])


# Changes

def versions(server):
    name, place = 'past_days_max', f'{SETTINGS}/past_days_max'

    def etag():
        return server.get(place).headers['ETag']
    with step('If-Match guards a change'):
        first = etag()
        put(server, name, 1, {'If-Match': first}).expect(200)
        put(server, name, 2, {'If-Match': first}).expect_problem(412)
        second = etag()
        unset(server, name, {'If-Match': first}).expect_problem(412)
        revert(server, name, {'If-Match': first}).expect_problem(412)
        put(server, name, 3, {'If-Match': '*'}).expect(200)
        put(server, name, 4, {'If-Match': 'W/' + etag()}).expect(200)
        unset(server, name, {'If-Match': etag()}).expect(200)
        equal(etag(), first)
    with step('a setting that is made anew has not the ETag of the one before'):
        put(server, name, 1).expect(200)
        put(server, name, 2, {'If-Match': second}).expect_problem(412)
        equal(value_of(server, name), ('1', 'setting'))
    with step('of ten changes of one version one wins'):
        match = etag()
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            found = list(pool.map(lambda n: put(server, name, n, {'If-Match': match}).status,
                                  range(10, 20)))
        equal(sorted(found), [200] + [412] * 9)
        unset(server, name).expect(200)
    with step('what many change at once is what the history says last'):
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            for answer in pool.map(lambda n: put(server, name, n), range(100, 160)):
                answer.expect(200)
        equal(shown(server, name)['value'], history(server, name)[0]['new_values']['value'])
        unset(server, name).expect(200)
    with step('many reverts at once each undo the change before them, or say that others are '
              'there'):
        name = 'event_depth_max'  # whose history is one page
        for value in (1, 2):
            put(server, name, value).expect(200)
        before = len(history(server, name))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: revert(server, name).status, range(16)))
        true(set(found) <= {200, 409} and 200 in found, f'{found}')
        rows = history(server, name)
        equal(len(rows) - before, found.count(200))
        equal([row['new_values']['value'] for row in rows[:found.count(200) + 1]],
              ['2' if n % 2 == found.count(200) % 2 else '1' for n in range(found.count(200) + 1)])
        unset(server, name).expect(200)


def reverts(server):
    name = 'future_minutes_max'
    with step('what was never changed cannot be reverted'):
        revert(server, 'tiles_public', to=server.query(limit=1)['data'][0]['event_id']
               ).expect_problem(404)
    for value in (1, 2, 3):
        put(server, name, value, reason=f'the {value}.').expect(200)
    rows = history(server, name)
    ids = {row['new_values']['value']: row['id'] for row in rows[:3]}
    with step('the history says who, when, why, from what and to what'):
        equal([(row['operation'], (row['old_values'] or {}).get('value'),
                row['new_values']['value'], row['reason'], row['changed_by']) for row in rows[:3]],
              [('UPDATE', '2', '3', 'the 3.', server.key.split('_')[2]),
               ('UPDATE', '1', '2', 'the 2.', server.key.split('_')[2]),
               ('CREATE', None, '1', 'the 1.', server.key.split('_')[2])])
    with step('a revert is to the value before the last change, and again back'):
        equal(revert(server, name, reason='no').expect(200).json()['value'], '2')
        equal(revert(server, name).expect(200).json()['value'], '3')
        equal(history(server, name)[1]['reason'], 'no')
    with step('or to what a change made of it'):
        equal(revert(server, name, to=ids['1']).expect(200).json()['value'], '1')
        equal(revert(server, name, to=ids['3']).expect(200).json()['value'], '3')
        revert(server, 'hsts', to=ids['3']).expect_problem(404)
    with step('or to no setting, where there was none, and from there back'):
        unset(server, name).expect(200)
        equal(revert(server, name).expect(200).json()['setting'], '3')
        equal(revert(server, name).expect(200).json()['setting'], None)
        equal(value_of(server, name), ('60', 'default'))
    with step('the history can be read as events of the log'):
        rows = history(server, name)
        wait_until(lambda: server.query(resource_type='settings', resource_id=name, limit=1000
                                        )['page'] is not None and
                   len(server.query(resource_type='settings', resource_id=name, limit=1000)['data'])
                   == len(rows), 'all of them are in the log')
        equal(revert(server, name).expect(200).json()['setting'], '3')
        unset(server, name).expect(200)


def killed():
    path = configured('killed.conf')
    server = server_with(path)
    server.start()
    for value in range(1, 6):
        with step(f'kill -9 behind the answer keeps the change, round {value}'):
            put(server, 'past_days_max', value).expect(200)
            server.kill()
            server.start()
            equal(value_of(server, 'past_days_max'), (str(value), 'setting'))
            equal([row['new_values']['value'] for row in history(server, 'past_days_max')],
                  [str(n) for n in range(value, 0, -1)])
    server.stop()


# SIGHUP

def reloaded():
    path = configured('reload.conf',
                      FILE + 'past_days_max = 20\ncors.origins = https://a.example\n')
    with server_with(path, '--future-minutes-max', '50') as server:
        def hang_up(text):
            """Writes the file, and returns what the log says of it."""
            path.write_text(text)
            at = server.log_path.stat().st_size
            server.process.send_signal(signal.SIGHUP)

            def said():
                lines = server.log_path.read_bytes()[at:].decode()
                return lines if 'the configuration file' in lines and lines.endswith('\n') else None
            return wait_until(said, 'the log says what became of the file', SOON_S)

        def events():
            return [item['event_data'] for item in
                    server.query(event_type='config.file.reload', order='seq')['data']]
        with step('SIGHUP: the file is read again, and what may change does'):
            said = hang_up(FILE + '\npast_days_max = 10\nevent_depth_max = 9\nhandler_threads = 5\n'
                           'future_minutes_max = 3\n')
            wait_until(lambda: value_of(server, 'past_days_max') == ('10', 'file'), 'it counts',
                       SOON_S)
            contains(shown(server, 'past_days_max')['where'], 'reload.conf:6')
            equal(value_of(server, 'event_depth_max'), ('9', 'file'))
            equal(value_of(server, 'cors.origins'), ('', 'default'))
            equal(value_of(server, 'future_minutes_max'), ('50', 'flag'))
            equal(value_of(server, 'handler_threads'), ('4', 'default'))
            equal(written(server, old_event(days=15)), 400)
            said = wait_until(lambda: (text := server.log_path.read_text()).count(
                'the configuration file changed') == 5 and text, 'five lines', SOON_S)
            for part in ('counts after a restart" option=handler_threads old=- new=5',
                         'changed an option" option=past_days_max old=20 new=10',
                         'overrides" option=future_minutes_max old=- new=3'):
                contains(said, part)
        with step('it is an event: names, old and new values, and what came of them'):
            wait_until(events, 'the event')
            equal(events(), [{'file': str(path), 'changed': [
                {'name': 'event_depth_max', 'effect': 'now', 'old_value': None, 'new_value': '9'},
                {'name': 'future_minutes_max', 'effect': 'overridden', 'old_value': None,
                 'new_value': '3'},
                {'name': 'past_days_max', 'effect': 'now', 'old_value': '20', 'new_value': '10'},
                {'name': 'handler_threads', 'effect': 'restart', 'old_value': None,
                 'new_value': '5'},
                {'name': 'cors.origins', 'effect': 'now', 'old_value': 'https://a.example',
                 'new_value': None}]}])
        for text, place in (('past_days_max = 3\nunknown = 1\n', ':2'),
                            ('past_days_max = 3\nhsts = perhaps\n', ':2'),
                            ('past_days_max = 3\nno equals\n', ':2'),
                            ('past_days_max = 36501\n', ':1'),
                            ('past_days_max = 3\n\ncors.origins = *\n', ':3'),
                            ('past_days_max = 3\ntrusted_proxies = nobody\n', ':2'),
                            ('data = /elsewhere\npast_days_max = 3\n', ':1')):
            with step(f'a broken file changes nothing: {text!r}'):
                said = hang_up(text)
                contains(said, 'is not taken')
                contains(said, f'reload.conf{place}')
                equal(value_of(server, 'past_days_max'), ('10', 'file'))
                server.must_live()
        with step('nor does one that is gone'):
            path.unlink()
            at = server.log_path.stat().st_size
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: b'is not taken' in server.log_path.read_bytes()[at:], 'it says so')
            equal(value_of(server, 'past_days_max'), ('10', 'file'))
        with step('a setting is stronger than the file, also than the new one'):
            put(server, 'past_days_max', 5).expect(200)
            hang_up(FILE + 'past_days_max = 11\n')
            wait_until(lambda: len(events()) == 2, 'its event')
            contains(events()[1]['changed'], {'name': 'past_days_max', 'effect': 'overridden',
                                              'old_value': '10', 'new_value': '11'})
            equal(value_of(server, 'past_days_max'), ('5', 'setting'))
            equal(unset(server, 'past_days_max').json()['value'], '11')
        with step('a file that says what it said is no event'):
            contains(hang_up(FILE + '# nothing new\npast_days_max = 11\n'), 'says what it said')
            equal(len(events()), 2)
    with server_with(path, data=server.data) as server:
        with step('the log that a broken file was refused by starts again with the good one'):
            equal(value_of(server, 'past_days_max'), ('11', 'file'))


def all_at_once():
    """Settings, reloads and requests that need the values, side by side: nothing is lost."""
    path = configured('all.conf')
    with server_with(path) as server:
        with step('settings, SIGHUP and requests side by side'):
            def change(n):
                name = ('past_days_max', 'cors.origins', 'sensitive_fields')[n % 3]
                value = {'past_days_max': str(20 + n), 'cors.origins': f'https://a{n}.example',
                         'sensitive_fields': 'x' * (n + 1)}[name]
                return put(server, name, value).status

            def reload_file(n):
                server.process.send_signal(signal.SIGHUP)
                return written(server, old_event(days=3))

            def ask(n):
                return server.get(EVENTS, {'q': 'actor_id=a'},
                                  {'Origin': f'https://a{n}.example'}).status
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                jobs = [pool.submit(job, n) for n in range(60)
                        for job in (change, reload_file, ask)]
                found = sorted({job.result() for job in jobs})
            equal(found, [200, 201])
            for name in ('past_days_max', 'cors.origins', 'sensitive_fields'):
                equal(shown(server, name)['value'], history(server, name)[0]['new_values']['value'])


# The command line

def commands(server):
    def config(*words, **more):
        return cairn('config', *words, server=server, **more)
    with step('cairn config list: every option, a line each'):
        listed = lines_of(config('list'))
        equal(listed, server.get(SETTINGS).json()['data'])
        table = on_terminal('config', 'list', server=server)
        contains(table, 'may change')
        contains(table, 'past_days_max')
    with step('cairn config set, get, history, revert, unset'):
        equal(lines_of(config('set', 'past_days_max', '40', '--reason', 'audit 7'))[0]['value'],
              '40')
        config('set', 'past_days_max', '41')
        equal(lines_of(config('get', 'past_days_max'))[0]['setting'], '41')
        rows = lines_of(config('history', 'past_days_max'))
        equal([row['new_values']['value'] for row in rows[:2]], ['41', '40'])
        equal(rows[1]['reason'], 'audit 7')
        table = on_terminal('config', 'history', 'past_days_max', server=server)
        contains(table, rows[0]['id'])
        equal(lines_of(config('revert', 'past_days_max'))[0]['value'], '40')
        equal(lines_of(config('revert', 'past_days_max', '--to', rows[0]['id']))[0]['value'], '41')
        equal(lines_of(config('unset', 'past_days_max'))[0]['source'], 'default')
    with step('it says what is wrong, and with which status'):
        contains(config('set', 'past_days_max', 'soon', status=1).stderr, 'from 0 to 36500')
        contains(config('get', 'log.levle', status=1).stderr, 'log.level')
        contains(config('set', 'listen', ':1', status=1).stderr, '--listen')
        for words in (('set', 'hsts'), ('get',), ('list', 'hsts'), ('put', 'hsts', 'no'),
                      ('get', 'hsts', '--offline')):
            config(*words, status=2)
    with step('it says that something stronger counts'):
        contains(config('set', 'drain_ms', '1s').stderr, 'flag --drain-ms overrides it')
        config('unset', 'drain_ms')
    with step('cairn config list --offline: what a server would start with here'):
        path = configured('offline.conf', 'past_days_max = 3\n')
        run = cairn('config', 'list', '--offline', '--config', path,
                    variables={'CAIRN_LOG_LEVEL': 'debug'})
        found = {line['name']: (line['value'], line['source']) for line in lines_of(run)}
        equal(found['past_days_max'], ('3', f'file {path}:1'))
        equal(found['log.level'], ('debug', 'environment CAIRN_LOG_LEVEL'))
        equal(found['hsts'], ('true', 'default'))
        path.write_text('past_days_max = many\n')
        contains(cairn('config', 'list', '--offline', '--config', path, status=1).stderr,
                 'offline.conf:1')


with server_with(configured('every.conf'), '--trusted-proxies', '127.0.0.1', '--drain-ms', '0ms'
                 ) as under_test:
    counts(under_test)
    commands(under_test)
with server_with(configured('every.conf')) as under_test:
    every_option(under_test)
    refused(under_test)
    who_may(under_test)
    versions(under_test)
    reverts(under_test)
precedence()
killed()
reloaded()
all_at_once()
finish()
