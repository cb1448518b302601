# SPDX-License-Identifier: Apache-2.0
"""Who may: keys and how they are shown, what is open without one, and what every answer carries."""
import http.client
import re
import socket
import stat

from harness import EVENTS, Server, contains, equal, event, finish, scratch, skip, step, true

CLOSED = (('GET', EVENTS), ('POST', EVENTS), ('POST', EVENTS + '/batch'),
          ('POST', '/api/v1/ingest/cloudtrail'), ('GET', EVENTS + '/x'),
          ('GET', EVENTS + '/x/proof'), ('GET', '/api/v1/audit/timeline/x'),
          ('GET', '/api/v1/audit/tail'), ('GET', '/api/v1/audit/stats'), ('GET', '/api/v1/log'),
          ('GET', '/api/v1/log/proof/consistency?old=0'), ('POST', '/api/v1/log/keys/rotate'),
          ('GET', '/api/v1/version/usage'), ('GET', '/health/detailed'),
          ('GET', '/tile/entries/000'))
OPEN = ('/health', '/health/live', '/health/ready', '/checkpoint', '/metrics', '/api/v1/version')


def keys(server):
    with step('the first start makes an owner key that only its owner reads'):
        path = server.data / 'admin.key'
        equal(stat.S_IMODE(path.stat().st_mode), 0o600)
        true(re.fullmatch(r'cairn_dev_[0-9a-f]{8}_[A-Za-z0-9_-]{43}\n', path.read_text()),
             'the shape of the key')
        for private in (server.data / 'keys').rglob('*'):
            equal(stat.S_IMODE(private.stat().st_mode), 0o700 if private.is_dir() else 0o600,
                  private.name)
    for method, path in CLOSED:
        with step(f'{method} {path} needs a key'):
            answer = server.request(method, path, b'{}' if method == 'POST' else None, key=None)
            answer.expect_problem(401)
            contains(answer.headers['WWW-Authenticate'], 'Bearer')
            server.request(method, path, b'{}' if method == 'POST' else None,
                           key='cairn_dev_00000000_' + 'A' * 43).expect_problem(401)
    for path in OPEN:
        with step(f'{path} needs none'):
            server.get(path, key=None).expect(200)
    for name, headers in (('Authorization: Bearer', {'Authorization': f'Bearer {server.key}'}),
                          ('the word in lower case', {'Authorization': f'bearer {server.key}'}),
                          ('X-API-Key', {'X-API-Key': server.key})):
        with step(f'a key is shown by {name}'):
            server.get('/api/v1/log', headers=headers, key=None).expect(200)
    for name, headers in (('Basic', {'Authorization': f'Basic {server.key}'}),
                          ('no scheme', {'Authorization': server.key}),
                          ('nothing behind the scheme', {'Authorization': 'Bearer '}),
                          ('a beginning of the key', {'X-API-Key': server.key[:-1]}),
                          ('more than the key', {'X-API-Key': server.key + 'A'}),
                          ('a very long key', {'X-API-Key': 'A' * 5000}),
                          ('an identity that the client claims', {'X-User': 'admin',
                                                                  'X-Organization-Id': 'default'})):
        with step(f'refused: {name}'):
            server.get('/api/v1/log', headers=headers, key=None).expect_problem(401)
    with step('a wrong key is refused also where none is needed'):
        server.get('/checkpoint', key='wrong').expect_problem(401)
    with step('a key in the URL is refused, and said why'):
        answer = server.get(f'/api/v1/log?api_key={server.key}', key=None)
        answer.expect_problem(401, 'URL')
        true(server.key.encode() not in answer.body, 'the key is repeated in the answer')
    with step('no log line holds the key'):
        true(server.key not in server.log_path.read_text(), 'the key is in the log')


def answers(server):
    everything = [server.get('/health', key=None), server.get('/nothing'),
                  server.get(EVENTS), server.post(EVENTS, b'{'), server.get(EVENTS, key=None),
                  server.request('DELETE', EVENTS), server.get('/checkpoint', key=None)]
    with step('every answer carries the security headers'):
        for answer in everything:
            for name, value in (('X-Content-Type-Options', 'nosniff'), ('X-Frame-Options', 'DENY'),
                                ('Referrer-Policy', 'no-referrer')):
                equal(answer.headers.get(name), value, f'{name} of {answer.status}')
            contains(answer.headers.get('Content-Security-Policy', ''), "default-src 'none'")
    with step('every answer carries a request id, and no two the same'):
        ids = [answer.headers.get('X-Request-Id') for answer in everything]
        true(all(ids), f'ids {ids}')
        equal(len(set(ids)), len(ids))
    with step('every error is a problem document'):
        server.get('/nothing').expect_problem(404)
        server.get(EVENTS + '?limit=x').expect_problem(400)
        server.request('DELETE', EVENTS).expect_problem(405)
        server.post(EVENTS, b'{').expect_problem(400)
        server.post(EVENTS, b'{}', kind='text/plain').expect_problem(415)
        server.post('/api/v1/ingest/morse', b'').expect_problem(404, 'morse')
        server.get(EVENTS, key=None).expect_problem(401)
        equal(server.get('/nothing').json()['instance'], '/nothing')
    for name in ('X-Request-Id', 'X-Correlation-ID'):
        with step(f'{name} is taken and given back, in errors too'):
            answer = server.get('/api/v1/log', headers={name: 'req-7.a_B'}).expect(200)
            equal(answer.headers['X-Request-Id'], 'req-7.a_B')
            problem = server.get('/nothing', headers={name: 'req-8'}).expect_problem(404)
            equal(problem['request_id'], 'req-8')
    for bad in ('has space', 'x' * 129, 'quote"', '<b>'):
        with step(f'a request id that is not sane is replaced: {bad[:20]}'):
            answer = server.get('/health', headers={'X-Request-Id': bad}, key=None).expect(200)
            true(answer.headers['X-Request-Id'] != bad, 'it was taken')


def from_elsewhere():
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        probe.connect(('192.0.2.1', 9))  # sends nothing; says which address would be ours
        address = probe.getsockname()[0]
    except OSError:
        address = '127.0.0.1'
    probe.close()
    if address.startswith('127.'):
        skip('metrics are closed to other machines', 'this one has no address but loopback')
        return
    for options, status in (((), 401), (('--metrics-public',), 200)):
        with Server(*options, listen='0.0.0.0:0') as server:
            with step(f'metrics from another address {options} without a key: {status}'):
                link = http.client.HTTPConnection(address, server.port, timeout=10)
                link.request('GET', '/metrics')
                equal(link.getresponse().status, status)
                link.request('GET', '/health/live')
                link.close()
                link.request('GET', '/metrics', headers={'X-API-Key': server.key})
                equal(link.getresponse().status, 200)
                link.close()


def operations(server):
    with step('health says how the parts are'):
        health = server.get('/health', key=None).expect(200).json()
        true(health['status'] in ('healthy', 'degraded'), health['status'])
        equal(health['components']['store']['events'], server.size())
        equal(health['components']['store']['writable'], True)
        true(health['components']['disk']['free_bytes'] > 0, 'free space')
        for name in ('timestamp', 'version', 'uptime_seconds'):
            true(name in health, name)
    with step('live and ready'):
        equal(server.get('/health/live', key=None).expect(200).json()['status'], 'healthy')
        equal(server.get('/health/ready', key=None).expect(200).json()['ready'], True)
    with step('the version of the program is told'):
        contains(server.get('/health', key=None).expect(200).json()['version'], '.')


def service_accounts():
    """Those of a cluster; what becomes of their tokens is told beside src/access/token_review.c."""
    place = scratch('cluster')
    place.mkdir()
    for name in ('ca', 'token'):
        (place / name).write_text('x')
    files = ('--kubernetes-ca', str(place / 'ca'), '--kubernetes-token-file', str(place / 'token'))
    with step('an account that cannot be read stops the start'):
        Server('--kubernetes-accounts', 'pay:api=reader', *files).refuses_to_start(
            1, '--kubernetes-accounts', "'pay:api=reader'", 'owner, admin, auditor, operator')
    with step('so does a file that is not there'):
        Server('--kubernetes-accounts', 'pay:api=writer').refuses_to_start(
            1, '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt')
    with step('and an address without a host'):
        Server('--kubernetes-accounts', 'pay:api=writer', '--kubernetes-address', ':443',
               *files).refuses_to_start(1, '--kubernetes-address', 'https://HOST:PORT')
    with Server('--kubernetes-accounts', 'pay:*=writer@acme', *files) as server:
        with step('a token of nobody is refused'):
            server.get('/api/v1/log', key='e30.e30.e30').expect_problem(401)


with Server() as under_test:
    under_test.send(event())
    keys(under_test)
    answers(under_test)
    operations(under_test)
    with step('the key outlives a restart'):
        key = under_test.key
        under_test.stop()
        under_test.start()
        equal(under_test.key, key)
        under_test.get('/api/v1/log').expect(200)
    with step('who takes the file away gets no key that opens nothing in its place'):
        (under_test.data / 'admin.key').unlink()
        under_test.stop()
        under_test.start()
        true(not (under_test.data / 'admin.key').exists(), 'a key file')
        true('key file' not in under_test.log_tail(), under_test.log_tail())
        under_test.get('/api/v1/log').expect(200)
from_elsewhere()
service_accounts()
with Server('--query-key-allowed') as lenient:
    with step('a key in the URL is taken where that is switched on'):
        lenient.get(f'{EVENTS}?api_key={lenient.key}', key=None).expect(200)
        lenient.get(f'{EVENTS}?api_key=wrong', key=None).expect_problem(401)

def weak_secrets():
    def place(name, key):
        data = scratch(name)
        data.mkdir(mode=0o700)
        (data / 'admin.key').write_text(key + '\n')
        return data

    weak = 'cairn_live_00000000_' + 'A' * 43
    with step('AUT-20: in production a weak owner key stops the start'):
        Server('--environment', 'production', data=place('weak', weak)).refuses_to_start(
            1, 'admin.key', 'repeats itself', 'production')
    with step('AUT-20: elsewhere it is warned of'):
        with Server(data=place('weak-dev', weak)) as server:
            contains(server.log_path.read_text(), 'a secret would stop the start in production')
    for url, why in (('redis://:changeme@127.0.0.1:1', 'placeholder'),
                     ('redis://10.0.0.1:1', 'is missing')):
        with step(f'AUT-20: so does a password of Redis: {why}'):
            said = Server('--environment', 'production', '--redis-url', url,
                          data=scratch(f'redis-{why[:2]}')).refuses_to_start(1, 'redis.url', why)
            true('changeme' not in said, 'the password')


weak_secrets()
finish()
