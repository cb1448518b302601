# SPDX-License-Identifier: Apache-2.0
"""Service accounts of a cluster: let in as whom they are mapped to, and never by mistake."""
import base64
import http.server
import json
import ssl
import subprocess
import threading
import time

from harness import EVENTS, Server, equal, event, finish, scratch, step, true, wait_until

AUTH = '/api/v1/auth'


def certificate(name):
    cert, key = scratch(f'{name}.pem'), scratch(f'{name}.key')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
                    '-addext', 'subjectAltName=IP:127.0.0.1', '-out', cert, '-keyout', key],
                   check=True, capture_output=True)
    return cert, key


class Cluster:
    """An API server that knows some tokens: authentication.k8s.io/v1, TokenReview, over HTTPS."""

    def __init__(self):
        self.cert, key = certificate('cluster')
        self.accounts, self.asked, self.status, self.pause_s = {}, [], 201, 0
        cluster = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
                cluster.asked.append((self.path, self.headers['Authorization'], body))
                time.sleep(cluster.pause_s)
                answer = json.dumps(body | {'status': cluster.judge(body['spec'])}).encode()
                self.send_response(cluster.status)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def judge(self, spec):
        account = self.accounts.get(spec['token'])
        if account is None:
            return {'authenticated': False}
        namespace, name = account
        return {'authenticated': True, 'audiences': spec.get('audiences', []), 'user': {
            'username': f'system:serviceaccount:{namespace}:{name}', 'uid': f'uid-of-{name}',
            'groups': ['system:serviceaccounts', f'system:serviceaccounts:{namespace}']}}

    def token(self, namespace, name, is_known=True):
        def part(value):
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b'=').decode()
        token = '.'.join((part({'alg': 'RS256', 'kid': 'k'}), part({
            'iss': 'https://kubernetes.default.svc', 'exp': int(time.time()) + 3600,
            'sub': f'system:serviceaccount:{namespace}:{name}', 'jti': str(len(self.accounts))}),
                          part({'a': 'signature'})))
        if is_known:
            self.accounts[token] = (namespace, name)
        return token


def write(server, token):
    return server.request('POST', EVENTS, json.dumps(event()), {'Content-Type': 'application/json'},
                          key=token)


cluster = Cluster()
own_token = scratch('own-token')
own_token.write_text('our.own.token')
OPTIONS = ('--kubernetes-accounts', 'pay:api=writer,watch:*=auditor,lost:one=writer@nowhere',
           '--kubernetes-address', f'127.0.0.1:{cluster.port}', '--kubernetes-ca',
           str(cluster.cert), '--kubernetes-token-file', str(own_token), '--kubernetes-timeout-ms',
           '500ms')

with Server(*OPTIONS, '--access-events', 'default') as server:
    api, watcher = cluster.token('pay', 'api'), cluster.token('watch', 'tower')
    with step('AUT-17: a service account does what its role may, and no more'):
        write(server, api).expect(201)
        server.get('/api/v1/rules', key=api).expect_problem(403)
        server.get('/api/v1/rules', key=watcher).expect(200)
        write(server, watcher).expect_problem(403)
        me = server.get(f'{AUTH}/me', key=watcher).expect(200).json()
        equal((me['type'], me['name'], me['role'], me['org']),
              ('service_account', 'system:serviceaccount:watch:tower', 'auditor', 'default'))
    with step('the cluster is asked once for a token, with our own'):
        equal(len(cluster.asked), 2)
        path, own, _ = cluster.asked[0]
        equal((path, own), ('/apis/authentication.k8s.io/v1/tokenreviews', 'Bearer our.own.token'))
    with step('its requests are events with its name'):
        wait_until(lambda: server.query(event_type='api.request',
                                        actor_id='system:serviceaccount:watch:tower')['data'],
                   'them')
        true(api not in json.dumps(server.query(limit=1000)), 'a token in an event')
        true(api not in server.log_path.read_text(), 'a token in the log')
    with step('one that the cluster does not know, or that is mapped to nobody, is refused'):
        write(server, cluster.token('pay', 'api', is_known=False)).expect_problem(401)
        asked = len(cluster.asked)
        write(server, cluster.token('other', 'pod')).expect_problem(401)
        equal(len(cluster.asked), asked, 'nobody is asked about an account without a role')
    with step('so is one whose organisation is not here'):
        write(server, cluster.token('lost', 'one')).expect_problem(401)
    with step('a cluster that fails is no yes: 503, and what is known goes on'):
        cluster.status = 500
        answer = write(server, cluster.token('pay', 'api'))
        answer.expect_problem(503)
        equal(answer.headers['Retry-After'], '1')
        write(server, api).expect(201)
        server.get('/api/v1/rules').expect(200)
    with step('one that hangs holds up nobody else'):
        cluster.status, cluster.pause_s = 201, 3
        slow = [threading.Thread(target=write, args=(server, cluster.token('pay', 'api')))
                for _ in range(8)]
        for one in slow:
            one.start()
        begun = time.monotonic()
        write(server, api).expect(201)
        server.get('/health/live', key=None).expect(200)
        true(time.monotonic() - begun < 0.8 * cluster.pause_s, f'{time.monotonic() - begun:.2f} s')
        for one in slow:
            one.join()
        cluster.pause_s = 0
    with step('and when it is well again it is asked again'):
        wait_until(lambda: write(server, cluster.token('pay', 'api')).status == 201, 'a yes')

with step('a mapping that cannot be read stops the start'):
    Server('--kubernetes-accounts', 'pay:api=king', *OPTIONS[2:]).refuses_to_start(1, 'king')
with step('outside of a pod the start says which options name its files'):
    Server('--kubernetes-accounts', 'pay:api=writer', '--kubernetes-ca', 'not/there'
           ).refuses_to_start(1, 'not/there', 'kubernetes.ca')
with Server('--kubernetes-address', f'127.0.0.1:{cluster.port}') as server:
    with step('without a mapping no token of a cluster is taken'):
        write(server, api).expect_problem(401)
finish()
