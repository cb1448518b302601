# SPDX-License-Identifier: Apache-2.0
"""What an organisation requires of its events: schemas for the data of a type, and categories."""
import json
import time
import uuid

from harness import (EVENTS, NDJSON, Server, contains, equal, event, finish, ndjson, step,
                     true, wait_until)

SCHEMAS = '/api/v1/schemas'
BATCH = EVENTS + '/batch'
ORDER = {'type': 'object', 'required': ['amount'],
         'properties': {'amount': {'type': 'number', 'minimum': 0, 'maximum': 19.99},
                        'items': {'type': 'array', 'items': {'required': ['sku']}}}}


def paid(**data):
    return event(event_type='order.paid', event_data=data)


GOOD, BAD = {'amount': 19.99}, {'amount': 20}
WRONG = {'index': 0, 'pointer': '/event_data/amount',
         'detail': 'must be at most 19.99 (maximum of its schema)'}


def put(server, event_type='order.paid', mode='reject', schema=None, **more):
    return server.post(SCHEMAS, {'event_type': event_type, 'mode': mode,
                                 'schema': ORDER if schema is None else schema} | more)


def patch(server, change, path=f'{SCHEMAS}/order.paid', **more):
    return server.request('PATCH', path, json.dumps(change).encode(),
                          {'Content-Type': 'application/json'}, **more)


def checks(server):
    text = server.get('/metrics').expect(200).body.decode()
    lines = [line for line in text.splitlines() if line.startswith('audit_schema_checks_total')]
    return {line.split('"')[1]: int(line.split()[-1]) for line in lines}


def stored(server):
    """How many events there are but Cairn's own, which arrive when they like."""
    return server.query(q='NOT source_format:cairn', total='exact', limit=1)['page']['total']


def kept_as_they_were_sent(server):
    with step('a schema that cannot be compiled is refused with its place'):
        for schema, pointer, said in (
                ({'properties': {'a/b': {'typ': 'string'}}}, '/schema/properties/a~1b/typ', 'typ'),
                ({'type': 'strin'}, '/schema/type', ''),
                ({'pattern': '('}, '/schema/pattern', 'parenthesis'),
                ({'$ref': '#/$defs/no'}, '/schema/$ref', '')):
            problem = put(server, 'no.such', schema=schema).expect_problem(400)
            equal(problem['errors'][0]['pointer'], pointer)
            contains(problem['errors'][0]['detail'], said)
        server.get(f'{SCHEMAS}/no.such').expect_problem(404)
    with step('a schema is stored, and shown with the numbers that were sent'):
        made = put(server).expect(201)
        contains(made.body.decode(), '"maximum":19.99')
        equal(server.get(f'{SCHEMAS}/order.paid').expect(200).json()['schema'], ORDER)
    with step('a change that breaks it is refused, and changes nothing'):
        patch(server, {'schema': {'required': 7}}).expect_problem(400)
        equal(server.get(f'{SCHEMAS}/order.paid').json()['schema'], ORDER)


def refused(server):
    before = stored(server)
    with step('one event that does not fit is refused with its place and the rule'):
        problem = server.post(EVENTS, paid(**BAD)).expect_problem(400)
        equal((problem['errors'], problem['count']), ([WRONG], 0))
        problem = server.post(EVENTS, paid(amount=1, items=[{'sku': 1}, {}])).expect_problem(400)
        equal(problem['errors'][0]['pointer'], '/event_data/items/1')
        contains(problem['errors'][0]['detail'], '(required of its schema)')
    with step('an event without data is one with {}'):
        problem = server.post(EVENTS, event(event_type='order.paid')).expect_problem(400)
        equal(problem['errors'][0]['pointer'], '/event_data')
    with step('envelopes are refused with the place in what was sent'):
        problem = server.post(EVENTS, {'service': 'shop', 'event_type': 'order.paid',
                                       'timestamp': event_time(), 'data': BAD}).expect_problem(400)
        equal(problem['errors'][0]['pointer'], '/data/amount')
        problem = server.post(EVENTS, BAD, {'X-Event-Type': 'order.paid'}).expect_problem(400)
        equal(problem['errors'][0]['pointer'], '/amount')
        problem = server.post(EVENTS, {'service': 'order', 'operation': 'paid',
                                       'status': 'success', 'payload': {}}).expect_problem(400)
        equal(problem['errors'][0]['pointer'], '')
        contains(problem['errors'][0]['detail'], '(required of its schema)')
    with step('of an array nothing is stored'):
        problem = server.post(EVENTS, [paid(**GOOD), paid(**BAD)]).expect_problem(400)
        equal(problem['errors'], [WRONG | {'index': 1}])
    with step('of a batch nothing is stored, JSON or NDJSON'):
        problem = server.post(BATCH, [paid(**GOOD), event(), paid(**BAD)]).expect_problem(400)
        equal(problem['errors'], [WRONG | {'index': 2}])
        problem = server.post(BATCH, ndjson([paid(**GOOD), paid(**BAD)]),
                              kind=NDJSON).expect_problem(400)
        equal((problem['errors'], problem['line']), ([WRONG | {'index': 1}], 2))
        equal(stored(server), before)
    with step('a stream stops there and says which line'):
        problem = server.post(EVENTS, ndjson([paid(**GOOD), event(), paid(**BAD), event()]),
                              kind=NDJSON).expect_problem(400)
        equal((problem['line'], problem['count'], problem['errors']),
              (3, 2, [WRONG | {'index': 2}]))
    with step('with on_error=skip the others are stored'):
        answer = server.post(EVENTS + '?on_error=skip',
                             ndjson([paid(**BAD), paid(**GOOD), paid(), event()]),
                             kind=NDJSON).expect(207).json()
        equal((answer['count'], [e['index'] for e in answer['errors']]), (2, [0, 2]))
        equal(answer['errors'][0], WRONG)
        equal(stored(server), before + 4)
    with step('what fits is stored, and says nothing of schemas'):
        answer = server.post(EVENTS, paid(**GOOD)).expect(201).json()
        true('warnings' not in answer, f'{answer}')


def foreign(server):
    record = {'eventVersion': '1.08', 'eventTime': '2023-07-10T11:00:00Z', 'awsRegion': 'us-east-1',
              'eventSource': 's3.amazonaws.com', 'eventName': 'GetObject',
              'sourceIPAddress': '192.0.2.7', 'eventType': 'AwsApiCall',
              'userIdentity': {'type': 'IAMUser', 'accountId': '111122223333'},
              'requestParameters': {'bucketName': 'reports'}}
    put(server, 'aws.s3.GetObject',
        schema={'properties': {'requestParameters': {'required': ['key']}}}).expect(201)
    with step('a foreign format is held against the schema of the type that it becomes'):
        def send(parameters, query=''):
            body = record | {'eventID': str(uuid.uuid4()), 'requestParameters': parameters}
            return server.post('/api/v1/ingest/cloudtrail' + query, {'Records': [body]})
        problem = send({'bucketName': 'a'}).expect_problem(400)
        contains(problem['errors'][0]['pointer'], '/event_data')
        contains(problem['errors'][0]['detail'], 'key')
        send({'bucketName': 'a', 'key': 'b'}).expect(201)
        answer = send({'bucketName': 'a'}, '?on_error=skip').expect(207).json()
        equal((answer['count'], answer['errors'][0]['index']), (0, 0))
    put(server, 'snmp.trap', schema={'properties': {'message': {'maxLength': 9}}}).expect(201)
    with step('so is what comes to /ingest and /api/v1/ingest/mutt'):
        trap = {'hostname': 'router-1', 'message': 'link down', 'timestamp': event_time(),
                'syslog_severity': 3, 'trap_oid': '1.3.6.1.6.3.1.1.5.3'}
        server.post('/ingest', trap).expect(200)
        error = server.post('/ingest', trap | {'message': 'link is down'}).expect(400).json()
        contains(error['message'], 'maxLength of its schema')
        server.post('/api/v1/ingest/mutt', trap).expect(201)
        problem = server.post('/api/v1/ingest/mutt',
                              trap | {'message': 'link is down'}).expect_problem(400)
        equal(problem['errors'][0]['pointer'], '/event_data/message')


def event_time():
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())


def warned(server):
    patch(server, {'mode': 'warn'}).expect(200)
    before = checks(server)
    with step('warn: one event is stored, and the answer tells it'):
        answer = server.post(EVENTS, paid(**BAD)).expect(201).json()
        equal(answer['warnings'], [WRONG])
        got = server.get(f'{EVENTS}/{answer["event_id"]}').expect(200).json()
        equal(got['event_data'], BAD)
    with step('warn: an array, a batch and a stream tell which'):
        several = [paid(**GOOD), paid(**BAD), event()]
        for answer in (server.post(EVENTS, several), server.post(BATCH, fresh(several)),
                       server.post(EVENTS, ndjson(fresh(several)), kind=NDJSON),
                       server.post(EVENTS + '?on_error=skip', ndjson(fresh(several)), kind=NDJSON)):
            answer = answer.expect(201).json()
            equal((answer['count'], answer['warnings']), (3, [WRONG | {'index': 1}]))
    with step('warn: a stream that stops later tells what it has stored'):
        problem = server.post(EVENTS, ndjson([paid(**BAD), {'event_type': 7}]),
                              kind=NDJSON).expect_problem(400)
        equal((problem['count'], problem['warnings']), (1, [WRONG]))
    with step('warn: of 250 the first 100 are told, and how many there were'):
        answer = server.post(BATCH, [paid(**BAD) for _ in range(250)]).expect(201).json()
        equal((len(answer['warnings']), answer['warnings_total']), (100, 250))
    with step('what became of the checks is counted'):
        after = checks(server)
        equal((after['warned'] - before['warned'], after['fits'] - before['fits']),
              (1 + 4 + 1 + 250, 4))
        true(before['refused'] > 0, f'{before}')


def fresh(events):
    return [e | {'event_id': str(uuid.uuid4())} for e in events]


def changed_between_two_requests(server):
    with step('a change counts for the next request'):
        for _ in range(20):
            patch(server, {'mode': 'reject'}).expect(200)
            server.post(EVENTS, paid(**BAD)).expect(400)
            patch(server, {'mode': 'off'}).expect(200)
            true('warnings' not in server.post(EVENTS, paid(**BAD)).expect(201).json(), 'off')
            patch(server, {'mode': 'reject',
                           'schema': {'properties': {'amount': {'maximum': 20}}}}).expect(200)
            server.post(EVENTS, paid(**BAD)).expect(201)
            patch(server, {'schema': {'properties': {'amount': {'maximum': 19.99}}}}).expect(200)
            server.post(EVENTS, paid(**BAD)).expect(400)
    with step('also on a connection that stays open, and after a new start'):
        connection = server.connection()
        headers = {'Authorization': f'Bearer {server.key}', 'Content-Type': 'application/json'}
        for mode, status in (('reject', 400), ('warn', 201), ('reject', 400)):
            patch(server, {'mode': mode}).expect(200)
            connection.request('POST', EVENTS, json.dumps(paid(**BAD)), headers)
            answer = connection.getresponse()
            equal((answer.status, len(answer.read()) > 0), (status, True))
        connection.close()
        server.stop()
        server.start()
        server.post(EVENTS, paid(**BAD)).expect(400)
    with step('a stream that is open learns of a change'):
        patch(server, {'mode': 'off'}).expect(200)
        with server.socket() as stream:
            stream.sendall(b'POST /api/v1/audit/events HTTP/1.1\r\nHost: a\r\n'
                           b'Content-Type: application/x-ndjson\r\n'
                           b'Transfer-Encoding: chunked\r\nConnection: close\r\n'
                           b'Authorization: Bearer ' + server.key.encode() + b'\r\n\r\n')
            before = stored(server)
            send_chunk(stream, ndjson([paid(**BAD)]))
            send_chunk(stream, ndjson([event(event_data='x' * 200000) for _ in range(8)]))
            wait_until(lambda: stored(server) > before, 'a group of the stream is in')
            patch(server, {'mode': 'reject'}).expect(200)
            send_chunk(stream, ndjson([paid(**BAD)]))
            send_chunk(stream, b'')
            answer = b''.join(iter(lambda: stream.recv(65536), b''))
        contains(answer.split(b'\r\n')[0].decode(), '400')
        contains(answer.decode(), '"line":10')
    with step('a schema that is gone asks nothing'):
        server.request('DELETE', f'{SCHEMAS}/order.paid', b'').expect(204)
        server.post(EVENTS, paid(**BAD)).expect(201)


def send_chunk(stream, data):
    stream.sendall(b'%x\r\n%s\r\n' % (len(data), data))


def another(server, name):
    """An organisation with an owner key of its own."""
    made = server.post('/api/v1/organizations', {'name': name}).expect(201).json()
    key = server.post(f'/api/v1/api-keys?org={made["id"]}',
                      {'name': 'owner', 'role': 'owner'}).expect(201).json()
    return made['id'], key['key']


def of_two_organisations(server):
    _, key = another(server, 'Umbrella')
    put(server).expect(201)
    body = json.dumps(paid(amount=5)).encode()
    json_type = {'Content-Type': 'application/json'}

    def theirs(data):
        return server.request('POST', EVENTS, json.dumps(paid(**data)).encode(), json_type, key)
    with step('one organisation\'s schema is not another\'s'):
        theirs({'amount': 'much'}).expect(201)
        server.request('POST', SCHEMAS, json.dumps({
            'event_type': 'order.paid', 'mode': 'reject',
            'schema': {'properties': {'amount': {'type': 'string'}}}}).encode(),
            json_type, key).expect(201)
        theirs({'amount': 'much'}).expect(201)
        theirs({'amount': 5}).expect_problem(400)
        server.post(EVENTS, body).expect(201)
        server.post(EVENTS, paid(amount='much')).expect_problem(400)
    with step('removing one leaves the other'):
        server.request('DELETE', f'{SCHEMAS}/order.paid', b'', key=key).expect(204)
        theirs({'amount': 5}).expect(201)
        server.post(EVENTS, paid(amount='much')).expect_problem(400)


def categories(server):
    path = '/api/v1/organizations/default'
    patch(server, {'event_categories': ['order', 'auth']}, path).expect(200)
    with step('an event of a category that is not listed is refused, with the list'):
        problem = server.post(EVENTS, event(event_type='auth.login',
                                            event_category='hr')).expect_problem(400)
        equal(problem['errors'], [{'index': 0, 'pointer': '/event_category',
                                   'detail': 'is none of the organisation\'s: auth, order'}])
    with step('so is one whose type says so'):
        problem = server.post(EVENTS, [event(event_type='auth.login'),
                                       event(event_type='hr.hired')]).expect_problem(400)
        equal((problem['errors'][0]['index'], problem['errors'][0]['pointer']), (1, '/event_type'))
    with step('others are stored; a schema counts beside'):
        server.post(EVENTS, event(event_type='auth.login')).expect(201)
        server.post(EVENTS, event(event_type='hr.x', category='order')).expect(201)
        server.post(EVENTS, paid(**BAD)).expect_problem(400)
    with step('Cairn\'s own events are never refused'):
        put(server, 'config.schemas.create', schema={'maxProperties': 0}).expect(201)
        put(server, 'config.schemas.update', schema={'maxProperties': 0}).expect(201)
        made = put(server, 'own.events', mode='off').expect(201).json()
        wait_until(lambda: server.query(event_type='config.schemas.create', resource_id=made['id'],
                                        limit=1)['data'], 'the event of the change is in the log')
    with step('no list is any category'):
        patch(server, {'event_categories': None}, path).expect(200)
        server.post(EVENTS, event(event_type='hr.hired')).expect(201)


HOSTILE = (
    ('a pattern that backtracks without end', {'properties': {'a': {'pattern': '^(a+)+$'}}},
     {'a': 'a' * 60 + 'b'}),
    ('a pattern that reads to the end from every place',
     {'properties': {'a': {'pattern': r'(\w+)\s\1'}}}, {'a': 'a' * 250000}),
    ('an anyOf that doubles with every level',
     {'$ref': '#/$defs/x', '$defs': {'x': {'anyOf': 2 * [
         {'properties': {'a': {'$ref': '#/$defs/x'}}, 'type': 'object'}]}}},
     json.loads('{"a":' * 40 + '1' + '}' * 40)),
    ('a large array sorted again and again', {'allOf': 500 * [{'uniqueItems': True}]},
     [[n] + list(range(1000)) for n in range(10)]),
)


def hostile(server):
    with step('a schema that is too deep or too large is refused'):
        deep = {}
        for _ in range(40):
            deep = {'not': deep}
        put(server, 'deep.one', schema=deep).expect_problem(400)
        put(server, 'large.one', schema={'description': 'x' * 70000}).expect_problem(400)
    for name, schema, data in HOSTILE:
        put(server, 'hostile.one', schema=schema).expect(201)
        with step(f'{name}: no verdict is no event, and nobody waits long'):
            begun = time.monotonic()
            problem = server.post(EVENTS, event(event_type='hostile.one',
                                                event_data=data)).expect_problem(400)
            took = time.monotonic() - begun
            contains(problem['errors'][0]['detail'], 'cannot be checked against its schema')
            true(took < 2, f'{took:.1f} s')
        with step(f'{name}: a hundred of them are a second or two at most'):
            body = ndjson([event(event_type='hostile.one', event_data=data if len(str(data)) < 1000
                                 else {'a': 'a' * 60 + 'b'}) for _ in range(100)])
            begun = time.monotonic()
            answer = server.post(EVENTS + '?on_error=skip', body, kind=NDJSON)
            took = time.monotonic() - begun
            true(answer.status in (201, 207) and took < 5, f'{answer.status} in {took:.1f} s')
        with step(f'{name}: warn stores it, and says that nothing is known'):
            patch(server, {'mode': 'warn'}, f'{SCHEMAS}/hostile.one').expect(200)
            answer = server.post(EVENTS, event(event_type='hostile.one',
                                               event_data=data)).expect(201).json()
            contains(answer['warnings'][0]['detail'], 'cannot be checked')
        server.request('DELETE', f'{SCHEMAS}/hostile.one', b'').expect(204)
    with step('an organisation has at most 256 schemas that are not off'):
        listed = server.get(SCHEMAS, {'limit': 1000}).expect(200).json()['data']
        used = sum(1 for schema in listed if schema['mode'] != 'off')
        for n in range(256 - used):
            put(server, f'many.{n}', schema={}).expect(201)
        problem = put(server, 'many.more', schema={}).expect_problem(409)
        contains(problem['detail'], 'at most 256 schemas')
        put(server, 'many.more', mode='off', schema={}).expect(201)
        patch(server, {'mode': 'warn'}, f'{SCHEMAS}/many.more').expect_problem(409)
        patch(server, {'mode': 'off'}, f'{SCHEMAS}/many.0').expect(200)
        patch(server, {'mode': 'warn'}, f'{SCHEMAS}/many.more').expect(200)


def main():
    with Server() as server:
        kept_as_they_were_sent(server)
        refused(server)
        foreign(server)
        warned(server)
        changed_between_two_requests(server)
        of_two_organisations(server)
        categories(server)
        hostile(server)
        with step('it stops as it should'):
            server.stop()
    finish()


if __name__ == '__main__':
    main()
