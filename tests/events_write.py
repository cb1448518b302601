# SPDX-License-Identifier: Apache-2.0
"""How events come in: every shape of body, what is filled in, what is refused, and that what is
refused leaves nothing behind."""
import datetime
import gzip
import hashlib
import json
import socket
import struct
import uuid

import tlog
from harness import (EVENTS, NDJSON, OWN, Server, contains, equal, event, finish, ndjson, scratch,
                     step, true)
from measure import anon_kib

BATCH = EVENTS + '/batch'
RESET = struct.pack('ii', 1, 0)  # SO_LINGER: close sends RST


def ago(**span):
    time = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**span)
    return time.strftime('%Y-%m-%dT%H:%M:%S.%fZ')


def stored_zstd(data):
    """A zstd frame of raw blocks, as RFC 8878 has them."""
    out = struct.pack('<IBI', 0xFD2FB528, 0xA0, len(data))  # single segment, 4 bytes of size
    blocks = [data[at:at + 65536] for at in range(0, len(data), 65536)]
    for i, block in enumerate(blocks):
        head = len(block) << 3 | (i == len(blocks) - 1)
        out += head.to_bytes(3, 'little') + block
    return out


def nested(depth):
    """A document whose event_data makes the whole `depth` deep."""
    return b'{"event_type":"a.b","event_data":' + b'[' * (depth - 1) + b']' * (depth - 1) + b'}'


def forms(server):
    with step('one event is answered with its id, place, leaf hash and time'):
        answer = server.post(EVENTS, {'event_type': 'user.session.login'}).expect(201).json()
        equal(sorted(answer), ['event_id', 'event_timestamp', 'leaf_hash', 'seq'])
        equal(answer['seq'], OWN)
        line = server.get(f'{EVENTS}/{answer["event_id"]}?raw=1').expect(200).body
        equal(line[-1:], b'\n')
        equal(tlog.leaf_hash(line[:-1]).hex(), answer['leaf_hash'], 'leaf hash')
        equal(json.loads(line)['event_timestamp'], answer['event_timestamp'])

    with step('what is not given is absent, but for id, times, category and action'):
        got = server.query()['data'][0]
        equal(sorted(got), ['event_action', 'event_category', 'event_id', 'event_timestamp',
                            'event_type', 'leaf_hash', 'org', 'recorded_at', 'seq'])
        equal((got['event_category'], got['event_action'], got['org']),
              ('user', 'login', 'default'))
        equal(uuid.UUID(got['event_id']).version, 7)

    with step('an array is answered with counts'):
        equal(server.post(EVENTS, [event(), event(), event()]).expect(201).json(),
              {'count': 3, 'first_seq': OWN + 1, 'last_seq': OWN + 3, 'duplicates': 0})
    with step('an empty array stores nothing'):
        equal(server.post(EVENTS, []).expect(200).json(), {'count': 0, 'duplicates': 0})
    with step('NDJSON is taken line by line, the last one without its line feed too'):
        body = ndjson([event(), event()]) + b'\n  \r\n' + json.dumps(event()).encode()
        equal(server.post(EVENTS, body, kind=NDJSON).expect(201).json()['count'], 3)
    with step('NDJSON in one piece or byte by byte is the same'):
        link = server.socket()
        body = ndjson([event(), event()])
        link.sendall(f'POST {EVENTS} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {server.key}\r\n'
                     f'Content-Type: {NDJSON}\r\nContent-Length: {len(body)}\r\n\r\n'.encode())
        for byte in body:
            link.send(bytes([byte]))
        contains(link.recv(65536), b'201 Created')
        link.close()

    for kind, write in (('an array', json.dumps), ('NDJSON', lambda e: ndjson(e).decode())):
        with step(f'a batch of {kind} names all ids in order'):
            events = [event() for _ in range(5)]
            answer = server.post(BATCH, write(events).encode(),
                                 kind=NDJSON if kind == 'NDJSON' else 'application/json')
            answer = answer.expect(201).json()
            equal(answer['event_ids'], [item['event_id'] for item in events])
            equal((answer['count'], answer['duplicates']), (5, 0))
            equal(answer['last_seq'] - answer['first_seq'], 4)


def stored(server, body, headers=None, params=''):
    """Posts one event and gives it back as it is stored."""
    answer = server.post(EVENTS + params, body, headers).expect(201).json()
    return server.get(f'{EVENTS}/{answer["event_id"]}').expect(200).json()


def has(got, **wanted):
    for name, value in wanted.items():
        equal(got.get(name), value, name)


def fills(server):
    with step('headers carry the columns and the body becomes event_data'):
        got = stored(server, {'order': 7, 'lines': [1, 2]}, {
            'X-Event-Type': 'order.created', 'X-Service': 'shop', 'X-Correlation-ID': 'c-1',
            'X-Resource-Type': 'order', 'X-Outcome': 'success'})
        has(got, event_type='order.created', service='shop', correlation_id='c-1',
            resource_type='order', event_outcome='success',
            event_data={'order': 7, 'lines': [1, 2]}, event_category='order',
            event_action='created')
    with step('headers fill only what the body lacks'):
        got = stored(server, {'event_type': 'a.b', 'service': 'own'},
                     {'X-Event-Type': 'x.y', 'X-Service': 'other', 'X-Outcome': 'denied'})
        has(got, event_type='a.b', service='own', event_outcome='denied')
    with step('headers fill every event of an array'):
        equal(server.post(EVENTS, [{'event_type': 'hdr.a'}, {'event_type': 'hdr.b'}],
                          {'X-Service': 'many'}).expect(201).json()['count'], 2)
        equal(len(server.query(service='many')['data']), 2)

    with step('envelope A: service, operation, status, payload'):
        body = {'version': '1.0', 'service': 'gateway', 'operation': 'signal_received',
                'status': 'success', 'payload': {'n': 1}}
        has(stored(server, body), event_type='gateway.signal_received', service='gateway',
            event_action='signal_received', event_outcome='success', event_data=body)
    with step('envelope A with X-Event-Type has that type'):
        body = {'service': 'gateway', 'operation': 'o', 'status': 'failure', 'payload': {}}
        has(stored(server, body, {'X-Event-Type': 'custom.type'}), event_type='custom.type',
            event_outcome='failure', event_data=body)
    with step('envelope B: service, event_type, timestamp, data'):
        body = {'version': '1.0', 'service': 'workflow', 'event_type': 'workflow.step.done',
                'timestamp': ago(minutes=5), 'data': {'phase': 2}}
        has(stored(server, body), service='workflow', event_type='workflow.step.done',
            event_timestamp=body['timestamp'], event_data={'phase': 2}, event_version='1.0')

    with step('other names of fields count where the canonical name is absent'):
        got = stored(server, {'type': 'a.b', 'user': 'ann', 'ip': '2001:DB8:0::1', 'level': 'high',
                              'outcome': 'denied', 'email': 'a@example.org', 'target_id': '9',
                              'remediation_id': 'r-1', 'duration': 12, 'sensitive': True})
        has(got, event_type='a.b', actor_id='ann', actor_ip='2001:db8::1', severity='high',
            event_outcome='denied', actor_email='a@example.org', resource_id='9',
            correlation_id='r-1', duration_ms=12, is_sensitive=True)
        got = stored(server, {'event_type': 'a.b', 'actor_id': 'ann', 'user': 'bob'})
        has(got, actor_id='ann', event_metadata={'user': 'bob'})
    with step('another name with a value that does not fit is kept in event_metadata'):
        has(stored(server, {'event_type': 'a.b', 'status': 418}), event_outcome=None,
            event_metadata={'status': 418})
    with step('unknown members are kept, in order, behind those of the client'):
        line = stored(server, b'{"event_type":"a.b","zeta":1,"event_metadata":{"own":0},"alpha":2}')
        equal(list(line['event_metadata'].items()), [('own', 0), ('zeta', 1), ('alpha', 2)])
    with step('an address that is none goes to source_address'):
        has(stored(server, {'event_type': 'a.b', 'actor_ip': 'proxy.example'}), actor_ip=None,
            source_address='proxy.example')
    with step('event_data is kept byte for byte less white space'):
        data = '{ "b" : 1.50e3,\t"a":"\\u0041\\/\\u0000", "c" : [ ] }'
        answer = server.post(EVENTS, b'{"event_type":"a.b","event_data":%s}' % data.encode())
        line = server.get(f'{EVENTS}/{answer.expect(201).json()["event_id"]}?raw=1').body
        contains(line, b'"event_data":{"b":1.50e3,"a":"\\u0041\\/\\u0000","c":[]}')
    with step('texts keep every script and the escapes they need'):
        name = 'Jos\u00e9 \u65e5\u672c \U0001f9f1 "q" \\ \n\t\u2028'
        has(stored(server, {'event_type': 'a.b', 'actor_id': name}), actor_id=name)
    with step('an event of 200 KiB is proven by its digest'):
        got = stored(server, {'event_type': 'a.b', 'event_data': {'t': 'x' * 200000}})
        line = server.get(f'{EVENTS}/{got["event_id"]}?raw=1').body[:-1]
        entry = tlog.entry_of(line)
        contains(entry.decode(), hashlib.sha256(line).hexdigest())
        equal(tlog.leaf_hash(entry).hex(), got['leaf_hash'])


def repeats(server):
    first = event(actor_id='ann', severity='high', event_data={'n': 1})
    with step('the same id with the same content is answered with the first place'):
        stored_first = server.post(EVENTS, first).expect(201).json()
        again = server.post(EVENTS, first).expect(200).json()
        equal(again, stored_first | {'duplicate': True})
    with step('what a repeat leaves out is not compared'):
        again = server.post(EVENTS, {'event_id': first['event_id'].upper(),
                                     'event_type': first['event_type']}).expect(200).json()
        equal((again['seq'], again['leaf_hash'], again['duplicate']),
              (stored_first['seq'], stored_first['leaf_hash'], True))
    size = server.size()
    with step('the same id with other content is a conflict'):
        problem = server.post(EVENTS, first | {'actor_id': 'bob'}).expect_problem(409)
        equal((problem['count'], problem['errors'][0]['index']), (0, 0))
        equal(problem['errors'][0]['pointer'], '/event_id')
    with step('a member that the first did not have is a conflict'):
        server.post(EVENTS, first | {'service': 'new'}).expect_problem(409)
    with step('duplicates of an array are counted; 200 where nothing was new'):
        equal(server.post(EVENTS, [first, first]).expect(200).json(), {'count': 0, 'duplicates': 2})
    with step('a repeat within one request is a duplicate'):
        twice = event()
        answer = server.post(EVENTS, [twice, first, twice]).expect(201).json()
        equal((answer['count'], answer['duplicates'], answer['first_seq'], answer['last_seq']),
              (1, 2, size, size))
    with step('a conflict within one request refuses the array'):
        twice = event()
        problem = server.post(EVENTS, [twice, event(), twice | {'actor_id': 'x'}])
        equal(problem.expect_problem(409)['errors'][0]['index'], 2)
        equal(server.size(), size + 1)
    with step('a conflict in an array stores nothing of it'):
        problem = server.post(EVENTS, [event(), first | {'actor_id': 'bob'}]).expect_problem(409)
        equal(problem['errors'][0]['index'], 1)
        equal(server.size(), size + 1)
    with step('a batch repeated names the same ids'):
        events = [event(), event()]
        server.post(BATCH, events).expect(201)
        answer = server.post(BATCH, events).expect(200).json()
        equal(answer, {'count': 0, 'duplicates': 2, 'event_ids': [e['event_id'] for e in events]})


def streams(server):
    good = [event() for _ in range(3)]
    bad_line = b'{"event_type":"a.b","severity":"loud"}\n'
    with step('NDJSON stops at the first bad line and says where to go on'):
        size = server.size()
        body = ndjson(good[:2]) + bad_line + ndjson(good[2:])
        problem = server.post(EVENTS, body, kind=NDJSON).expect_problem(400)
        equal((problem['line'], problem['count'], problem['first_seq'], problem['last_seq'],
               problem['duplicates']), (3, 2, size, size + 1, 0))
        equal((problem['errors'][0]['index'], problem['errors'][0]['pointer']), (2, '/severity'))
        equal(server.size(), size + 2)
    with step('sent again, what was stored counts as duplicate'):
        answer = server.post(EVENTS, ndjson(good), kind=NDJSON).expect(201).json()
        equal((answer['count'], answer['duplicates']), (1, 2))
    with step('on_error=skip stores the good lines and tells the bad ones'):
        fresh = [event() for _ in range(2)]
        conflict = good[0] | {'actor_id': 'someone else'}
        body = ndjson(fresh[:1]) + bad_line + b'no json\n' + ndjson([conflict] + fresh[1:])
        answer = server.post(EVENTS + '?on_error=skip', body, kind=NDJSON).expect(207).json()
        equal((answer['count'], answer['duplicates']), (2, 0))
        equal(sorted(error['index'] for error in answer['errors']), [1, 2, 3])
        pointers = {error['index']: error['pointer'] for error in answer['errors']}
        equal((pointers[1], pointers[3]), ('/severity', '/event_id'))
    with step('on_error=skip stores the good elements of an array too'):
        answer = server.post(EVENTS + '?on_error=skip', [event(), {'no': 'type'}, event()])
        answer = answer.expect(207).json()
        equal((answer['count'], [error['index'] for error in answer['errors']]), (2, [1]))
    with step('on_error=skip passes over a conflict in an array too'):
        answer = server.post(EVENTS + '?on_error=skip',
                             [event(), good[0] | {'actor_id': 'someone else'}, event()])
        answer = answer.expect(207).json()
        equal((answer['count'], [error['index'] for error in answer['errors']]), (2, [1]))
    with step('on_error=skip with nothing to skip is an ordinary answer'):
        server.post(EVENTS + '?on_error=skip', ndjson([event()]), kind=NDJSON).expect(201)
    with step('a conflict stops a stream at its line'):
        size = server.size()
        fresh = [event() for _ in range(2)]
        body = ndjson([fresh[0], good[0] | {'actor_id': 'someone else'}])
        problem = server.post(EVENTS, body, kind=NDJSON).expect_problem(409)
        equal((problem['line'], problem['count'], problem['first_seq']), (2, 1, size))
        equal((problem['errors'][0]['index'], problem['errors'][0]['pointer']), (1, '/event_id'))
    with step('a line longer than an event may be stops a stream'):
        size = server.size()
        body = ndjson([fresh[1]]) + b'{"event_type":"a.b","event_data":"%s"}\n' % (b'x' * (3 << 20))
        problem = server.post(EVENTS, body, kind=NDJSON).expect_problem(413)
        equal((problem['line'], problem['count'], server.size()), (2, 1, size + 1))
    with step('a batch of NDJSON is atomic'):
        size = server.size()
        problem = server.post(BATCH, ndjson([event()]) + bad_line, kind=NDJSON).expect_problem(400)
        equal((problem['count'], problem['errors'][0]['index']), (0, 1))
        equal(server.size(), size)
    with step('a parameter that is none is said'):
        server.post(EVENTS + '?on_eror=skip', event()).expect_problem(400, 'on_eror')
        server.post(EVENTS + '?on_error=maybe', event()).expect_problem(400)


def receipts(server):
    log = server.get('/api/v1/log').expect(200).json()
    vkeys = [key['vkey'] for key in log['keys']]
    with step('receipt=1 answers with a signed checkpoint that covers the event'):
        answer = server.post(EVENTS + '?receipt=1', event()).expect(201).json()
        checkpoint = tlog.Checkpoint(answer['checkpoint'].encode(), vkeys, log['origin'])
        true(checkpoint.size > answer['seq'], f'{checkpoint.size} covers {answer["seq"]}')
    with step('receipt=1 covers the last event of many'):
        answer = server.post(EVENTS + '?receipt=1', [event() for _ in range(10)]).expect(201).json()
        checkpoint = tlog.Checkpoint(answer['checkpoint'].encode(), vkeys, log['origin'])
        true(checkpoint.size > answer['last_seq'], f'{checkpoint.size} covers the last')
    for many in (False, True):
        with step(f'receipt=1 of a repeat covers the first, {"in an array" if many else "alone"}'):
            repeated = event()
            seq = server.post(EVENTS, repeated).expect(201).json()['seq']
            answer = server.post(EVENTS + '?receipt=1', [repeated] if many else repeated)
            checkpoint = tlog.Checkpoint(answer.expect(200).json()['checkpoint'].encode(), vkeys)
            true(checkpoint.size > seq, f'{checkpoint.size} covers {seq}')
    with step('whoever leaves while the receipt is waited for disturbs nobody'):
        for _ in range(5):
            size, body = server.size(), json.dumps(event()).encode()
            with server.socket() as link:
                link.sendall(f'POST {EVENTS}?receipt=1 HTTP/1.1\r\nHost: h\r\n'
                             f'Authorization: Bearer {server.key}\r\n'
                             f'Content-Length: {len(body)}\r\n\r\n'.encode() + body)
                server.wait_size(size + 1)  # it is stored; the checkpoint is not due yet
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            server.post(EVENTS + '?receipt=1', event()).expect(201)
        server.must_live()


def encodings(server):
    for name, pack in (('gzip', gzip.compress), ('zstd', stored_zstd), ('identity', bytes)):
        with step(f'a body may be sent as {name}'):
            packed = pack(ndjson([event() for _ in range(500)]))
            answer = server.post(EVENTS, packed, {'Content-Encoding': name}, NDJSON).expect(201)
            equal(answer.json()['count'], 500)
    with step('a coding that is not known is refused'):
        answer = server.post(EVENTS, b'x', {'Content-Encoding': 'br'})
        answer.expect_problem(415)
        contains(answer.headers.get('Accept-Encoding', ''), 'gzip')
    for name, packed in (('gzip', gzip.compress(ndjson([event()]))[:-6]),
                         ('gzip', b'nothing of the kind'), ('zstd', b'nothing of the kind'),
                         ('zstd', stored_zstd(ndjson([event()]))[:-3])):
        with step(f'{len(packed)} bytes that are no whole {name} are refused'):
            size = server.size()
            server.post(BATCH, packed, {'Content-Encoding': name}, NDJSON).expect_problem(400)
            equal(server.size(), size)
    with step('a bomb is refused before it fills the memory'):
        bomb = gzip.compress(b' ' * (100 << 20), 9)
        before = anon_kib(server)
        server.post(EVENTS, bomb, {'Content-Encoding': 'gzip'}).expect_problem(413)
        true(anon_kib(server) < before + 40960, 'memory grew')
    for kind in ('text/plain', 'application/xml', 'multipart/form-data', 'application/jsonx'):
        with step(f'{kind} is refused with the header to send'):
            answer = server.post(EVENTS, json.dumps(event()).encode(), kind=kind)
            answer.expect_problem(415, 'application/json', 'application/x-ndjson')
    for kind in ('application/x-www-form-urlencoded', 'application/json; charset=utf-8',
                 'Application/JSON'):
        with step(f'{kind} is taken as JSON'):
            server.post(EVENTS, event(), kind=kind).expect(201)
    with step('no type at all is taken as JSON'):
        server.request('POST', EVENTS, json.dumps(event())).expect(201)


REFUSED = (
    # sentence, body, status, pointer (None: any)
    ('an empty body', b'', 400, None),
    ('white space', b' \n ', 400, None),
    ('no JSON', b'hello', 400, None),
    ('a truncated body', b'{"event_type":"a.b","actor_id":"x', 400, None),
    ('two documents', b'{"event_type":"a.b"}{"event_type":"a.b"}', 400, None),
    ('a number', b'7', 400, None),
    ('a string', b'"event"', 400, None),
    ('an array that does not end', b'[{"event_type":"a.b"}', 400, None),
    ('an array with a comma too many', b'[{"event_type":"a.b"},]', 400, None),
    ('an array with a number in it', b'[{"event_type":"a.b"},7]', 400, None),
    ('something behind an array', b'[{"event_type":"a.b"}]x', 400, None),
    ('no event_type', b'{"actor_id":"ann"}', 400, '/event_type'),
    ('an empty event_type', b'{"event_type":""}', 400, '/event_type'),
    ('an event_type of 101 characters', b'{"event_type":"%s"}' % (b'a' * 101), 400, '/event_type'),
    ('an event_type that is a number', b'{"event_type":7}', 400, '/event_type'),
    ('a severity that is none', b'{"event_type":"a.b","severity":"loud"}', 400, '/severity'),
    ('an outcome that is none', b'{"event_type":"a.b","event_outcome":"so-so"}', 400,
     '/event_outcome'),
    ('a time that is none', b'{"event_type":"a.b","event_timestamp":"yesterday"}', 400,
     '/event_timestamp'),
    ('a second of 60', b'{"event_type":"a.b","event_timestamp":"2026-06-30T23:59:60Z"}', 400,
     '/event_timestamp'),
    ('an id that is no UUID', b'{"event_type":"a.b","event_id":"7"}', 400, '/event_id'),
    ('a duration below 0', b'{"event_type":"a.b","duration_ms":-1}', 400, '/duration_ms'),
    ('a duration with a fraction', b'{"event_type":"a.b","duration_ms":1.5}', 400, '/duration_ms'),
    ('a retention of 0 days', b'{"event_type":"a.b","retention_days":0}', 400, '/retention_days'),
    ('a boolean as text', b'{"event_type":"a.b","is_sensitive":"yes"}', 400, '/is_sensitive'),
    ('event_metadata that is no object', b'{"event_type":"a.b","event_metadata":[1]}', 400,
     '/event_metadata'),
    ('an unknown member that event_metadata has too',
     b'{"event_type":"a.b","x":1,"event_metadata":{"x":2}}', 400, None),
    ('org from a client', b'{"event_type":"a.b","org":"other"}', 400, '/org'),
    ('recorded_at from a client', b'{"event_type":"a.b","recorded_at":"2026-01-01T00:00:00Z"}',
     400, '/recorded_at'),
    ('source_format from a client', b'{"event_type":"a.b","source_format":"cairn"}', 400,
     '/source_format'),
    ('the same member twice', b'{"event_type":"a.b","event_type":"a.c"}', 400, None),
    ('the same member twice in event_data', b'{"event_type":"a.b","event_data":{"a":1,"a":2}}', 400,
     None),
    ('a NUL in a column', b'{"event_type":"a.b","actor_id":"a\\u0000b"}', 400, '/actor_id'),
    ('a bare NUL', b'{"event_type":"a.b","actor_id":"a\0b"}', 400, None),
    ('bad UTF-8 in a column', b'{"event_type":"a.b","actor_id":"\xff"}', 400, None),
    ('bad UTF-8 in event_data', b'{"event_type":"a.b","event_data":"\xc0\x80"}', 400, None),
    ('half a surrogate in a column', b'{"event_type":"a.b","actor_id":"\\ud800"}', 400, None),
    ('a document 65 deep', nested(65), 400, None),
    ('a document 100,000 deep', nested(100000), 400, None),
    ('event_data of 262,145 bytes',
     b'{"event_type":"a.b","event_data":"%s"}' % (b'x' * 262143), 413, '/event_data'),
    ('an array of 10,001 events', b'[' + b','.join([b'{"event_type":"a.b"}'] * 10001) + b']', 413,
     None),
    ('an array of more than 8 MiB',
     b'[' + b','.join([b'{"event_type":"a.b","event_data":"%s"}' % (b'x' * 200000)] * 43) + b']',
     413, None),
)


def refusals(server):
    size = server.size()
    for sentence, body, status, pointer in REFUSED:
        with step(f'refused: {sentence}'):
            problem = server.post(EVENTS, body).expect_problem(status)
            if pointer is not None:
                equal(problem['errors'][0]['pointer'], pointer)
                true(problem['errors'][0]['detail'], 'a detail')
            equal(server.size(), size, 'size of the log')
    with step('refused: a batch of more than 8 MiB as NDJSON'):
        body = ndjson([{'event_type': 'a.b', 'event_data': 'x' * 200000}] * 43)
        server.post(BATCH, body, kind=NDJSON).expect_problem(413)
    with step('refused: a batch of 10,001 events as NDJSON'):
        server.post(BATCH, b'{"event_type":"a.b"}\n' * 10001, kind=NDJSON).expect_problem(413)
    with step('refused: NDJSON whose first line is bad'):
        server.post(EVENTS, b'{"event_type":7}\n', kind=NDJSON).expect_problem(400)
    with step('refused: a body above 64 MiB, before it is sent'):
        link = server.socket()
        link.sendall(f'POST {EVENTS} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {server.key}\r\n'
                     f'Content-Length: {(64 << 20) + 1}\r\n\r\n'.encode())
        contains(link.recv(65536), b' 413 ')
        link.close()
    with step('nothing of all that is in the log'):
        equal(server.size(), size)
    with step('the limits themselves are kept'):
        server.post(EVENTS, nested(64)).expect(201)
        body = b'{"event_type":"a.b","event_data":"%s"}' % (b'x' * 262142)
        server.post(EVENTS, body).expect(201)
        body = b'[' + b','.join([b'{"event_type":"a.b"}'] * 10000) + b']'
        equal(server.post(EVENTS, body).expect(201).json()['count'], 10000)
        server.post(EVENTS, {'event_type': 'a' * 100}).expect(201)
    with step('NDJSON has neither limit of an array'):
        body = b'{"event_type":"a.b","event_data":"%s"}\n' % (b'x' * 1000) * 12000
        equal(server.post(EVENTS, body, kind=NDJSON).expect(201).json()['count'], 12000)


def ages(server):
    size = server.size()
    with step('8 days ago is too old'):
        problem = server.post(EVENTS, event(event_timestamp=ago(days=8))).expect_problem(400)
        equal(problem['errors'][0]['pointer'], '/event_timestamp')
    with step('61 minutes ahead is too far'):
        problem = server.post(EVENTS, event(event_timestamp=ago(minutes=-61))).expect_problem(400)
        equal(problem['errors'][0]['pointer'], '/event_timestamp')
    with step('backfill=1 does not lead into the future'):
        server.post(EVENTS + '?backfill=1', event(event_timestamp=ago(minutes=-61))
                    ).expect_problem(400)
        equal(server.size(), size)
    with step('6 days ago and 59 minutes ahead are fine'):
        server.post(EVENTS, event(event_timestamp=ago(days=6))).expect(201)
        server.post(EVENTS, event(event_timestamp=ago(minutes=-59))).expect(201)
    with step('backfill=1 takes any age'):
        old = stored(server, event(event_timestamp='1999-12-31T23:59:59.123456789+01:00'),
                     params='?backfill=1')
        equal(old['event_timestamp'], '1999-12-31T22:59:59.123456Z')


with Server('--checkpoint-interval-ms', '500') as under_test:
    forms(under_test)
    fills(under_test)
    repeats(under_test)
    streams(under_test)
    receipts(under_test)
    encodings(under_test)
    refusals(under_test)
    ages(under_test)
with step('the log stands as it was after all of it'):
    with Server(data=scratch('data-0')) as again:
        equal(again.query(limit=1)['page']['has_more'], True)
finish()
