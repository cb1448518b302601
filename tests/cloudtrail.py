# SPDX-License-Identifier: Apache-2.0
"""A foreign format all the way: CloudTrail files, plain and gzip, over HTTP and by command. With
CAIRN_TEST_CLOUDTRAIL naming a directory of real files, those too."""
import gzip
import hashlib
import json
import os
import pathlib
import uuid

from harness import EVENTS, OWN, Server, cairn, equal, finish, lines_of, scratch, skip, step, true

INLET = '/api/v1/ingest/cloudtrail'


def record(number, **members):
    """An invented record of an invented account."""
    return {
        'eventVersion': '1.08',
        'userIdentity': {'type': 'IAMUser', 'principalId': 'AIDAEXAMPLE',
                         'arn': 'arn:aws:iam::111122223333:user/ann', 'accountId': '111122223333'},
        'eventTime': f'2023-07-10T11:{number // 60:02d}:{number % 60:02d}Z',
        'eventSource': 's3.amazonaws.com', 'eventName': 'GetObject', 'awsRegion': 'us-east-1',
        'sourceIPAddress': '192.0.2.7', 'userAgent': '[aws-cli/2.0]',
        'requestParameters': {'bucketName': 'reports', 'key': f'k-{number}'},
        'responseElements': None, 'requestID': f'REQ{number}',
        'eventID': str(uuid.UUID(bytes=hashlib.md5(b'record %d' % number).digest())),
        'eventType': 'AwsApiCall', 'recipientAccountId': '111122223333'} | members


RECORDS = [record(n) for n in range(40)] + [
    record(40, errorCode='AccessDenied', errorMessage='not yours', eventName='DeleteBucket'),
    record(41, sourceIPAddress='cloudformation.amazonaws.com', eventSource='ec2.amazonaws.com',
           userIdentity={'type': 'AWSService', 'invokedBy': 'cloudformation.amazonaws.com'},
           resources=[{'ARN': 'arn:aws:ec2:::instance/i-1', 'type': 'AWS::EC2::Instance'}]),
    record(42, eventID='not-a-uuid', eventSource='signin.amazonaws.com',
           eventName='ConsoleLogin'),
]


def document(records):
    return json.dumps({'Records': records}).encode()


def over_http(server):
    with step('a file is stored over HTTP, of any age'):
        answer = server.post(INLET, document(RECORDS)).expect(201).json()
        equal((answer['count'], answer['duplicates']), (len(RECORDS), 0))
    with step('the same file again adds nothing, gzip or not'):
        answer = server.post(INLET, document(RECORDS)).expect(200).json()
        equal((answer['count'], answer['duplicates']), (0, len(RECORDS)))
        answer = server.post(INLET, gzip.compress(document(RECORDS)),
                             {'Content-Encoding': 'gzip'}).expect(200).json()
        equal((answer['count'], answer['duplicates']), (0, len(RECORDS)))
        equal(server.size(), OWN + len(RECORDS))
    with step('a record is mapped to the fields'):
        got = server.get(f'{EVENTS}/{RECORDS[40]["eventID"]}').expect(200).json()
        for name, value in {
                'event_type': 'aws.s3.DeleteBucket', 'event_action': 'DeleteBucket',
                'event_category': 'aws', 'service': 's3', 'event_outcome': 'failure',
                'error_code': 'AccessDenied', 'error_message': 'not yours',
                'actor_id': 'arn:aws:iam::111122223333:user/ann', 'actor_type': 'IAMUser',
                'actor_ip': '192.0.2.7', 'request_id': 'REQ40', 'source_format': 'cloudtrail',
                'event_timestamp': '2023-07-10T11:00:40.000000Z',
                'event_data': RECORDS[40]}.items():
            equal(got.get(name), value, name)
    with step('a service that acts is a source address and an actor'):
        got = server.get(f'{EVENTS}/{RECORDS[41]["eventID"]}').expect(200).json()
        equal((got.get('actor_ip'), got['source_address'], got['actor_id']),
              (None, 'cloudformation.amazonaws.com', 'cloudformation.amazonaws.com'))
        equal((got['resource_type'], got['resource_id'], got['event_outcome']),
              ('AWS::EC2::Instance', 'arn:aws:ec2:::instance/i-1', 'success'))
    with step('an id that is no UUID becomes one, always the same'):
        got = server.query(event_type='aws.signin.ConsoleLogin')['data']
        equal((len(got), uuid.UUID(got[0]['event_id']).version), (1, 5))
    with step('a record that is none stops the file; those before it are stored'):
        fresh = [record(100), {'eventVersion': '1.08'}, record(101)]
        problem = server.post(INLET, document(fresh)).expect_problem(400)
        equal((problem['count'], problem['errors'][0]['index']), (1, 1))
    with step('on_error=skip stores the others'):
        answer = server.post(INLET + '?on_error=skip', document(fresh)).expect(207).json()
        equal((answer['count'], answer['duplicates'], answer['errors'][0]['index']), (1, 1, 1))
    for sentence, body in (('nothing', b''), ('no JSON', b'hello'), ('a list', b'[1]'),
                           ('a file that ends in the middle', document(RECORDS)[:-300])):
        with step(f'refused: {sentence}'):
            answer = server.post(INLET, body)
            true(answer.status == 400 or (sentence == 'nothing' and answer.status == 200),
                 f'got {answer.status} {answer.body[:200]!r}')


def by_command(server):
    files = []
    for i in range(4):
        part = [record(1000 + 10 * i + n) for n in range(10)]
        path = scratch(f'trail-{i}.json' + ('.gz' if i % 2 else ''))
        path.write_bytes(gzip.compress(document(part)) if i % 2 else document(part))
        files.append(path)
    with step('cairn ingest --format cloudtrail takes plain and gzip files'):
        counts = lines_of(cairn('ingest', '--format', 'cloudtrail', *files, server=server))[-1]
        equal((counts['stored'], counts['duplicates'], counts['refused']), (40, 0, 0))
    with step('twice adds nothing'):
        counts = lines_of(cairn('ingest', '--format', 'cloudtrail', *files, server=server))[-1]
        equal((counts['stored'], counts['duplicates'], counts['refused']), (0, 40, 0))
    with step('a file that is none is refused, and named'):
        path = scratch('none.json')
        path.write_bytes(b'hello')
        run = cairn('ingest', '--format', 'cloudtrail', path, server=server, status=1)
        true('none.json' in run.stderr, f'stderr {run.stderr!r}')


def real_files(directory):
    files = sorted(pathlib.Path(directory).glob('*.json'))
    records = [item for path in files for item in json.loads(path.read_bytes())['Records']]
    failures = sum('errorCode' in item for item in records)
    with Server() as server:
        with step(f'{len(records)} real events of {len(files)} files, {failures} failures'):
            equal((len(records), failures), (2900, 300))
            counts = lines_of(cairn('ingest', '--format', 'cloudtrail', *files, server=server))[-1]
            equal((counts['stored'], counts['duplicates'], counts['refused']), (2900, 0, 0))
            stats = server.get('/api/v1/audit/stats', {'group_by': 'event_outcome'}).json()
            equal({group['event_outcome']: group['count'] for group in stats['data']},
                  {'success': 2600, 'failure': 300})
        with step('twice adds nothing to them'):
            counts = lines_of(cairn('ingest', '--format', 'cloudtrail', *files, server=server))[-1]
            equal((counts['stored'], counts['duplicates']), (0, 2900))
        with step('each is found by its id, whole'):
            for item in records[::50]:
                got = server.get(f'{EVENTS}/{item["eventID"]}').expect(200).json()
                equal(got['event_data'], item)
        with step('cairn verify takes them for whole'):
            equal(lines_of(cairn('verify', server.data))[0]['whole'], True)


with Server() as under_test:
    over_http(under_test)
    by_command(under_test)
if os.environ.get('CAIRN_TEST_CLOUDTRAIL'):
    real_files(os.environ['CAIRN_TEST_CLOUDTRAIL'])
else:
    skip('real files', 'CAIRN_TEST_CLOUDTRAIL names no directory of them')
finish()
