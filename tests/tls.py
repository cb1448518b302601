# SPDX-License-Identifier: Apache-2.0
"""HTTPS: how it is switched on, who is let in, how a certificate is renewed; and who may stand in
between: proxies and web pages."""
import contextlib
import json
import pathlib
import signal
import socket
import ssl
import subprocess

from harness import (EVENTS, NDJSON, Server, cairn, contains, equal, event, finish, lines_of,
                     ndjson, scratch, step, true, wait_until)

HEADERS = {'X-Content-Type-Options': 'nosniff', 'X-Frame-Options': 'DENY',
           'Referrer-Policy': 'no-referrer'}
HSTS = 'Strict-Transport-Security'
LAST = 'Host: h\r\nConnection: close\r\n\r\n'


class Authority:
    """A CA of the story's own, made by the openssl command."""

    def __init__(self, name):
        self.name = name
        self.place = pathlib.Path(scratch(f'authority-{name}'))
        self.place.mkdir(parents=True)
        self.file = self.place / 'ca.pem'
        self._openssl('req', '-x509', *self._new_key('ca'), '-subj', f'/CN={name}', '-days', '2',
                      '-out', self.file)

    def _new_key(self, name):
        return ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', self.place / f'{name}.key')

    @staticmethod
    def _openssl(*words):
        subprocess.run(['openssl', *map(str, words)], check=True, capture_output=True)

    def certify(self, name, days=2, alt='DNS:localhost,IP:127.0.0.1'):
        """Returns the paths of a new certificate and its key."""
        request, extra = self.place / f'{name}.csr', self.place / f'{name}.ext'
        certificate = self.place / f'{name}.pem'
        extra.write_text(f'subjectAltName={alt}\n')
        self._openssl('req', '-new', *self._new_key(name), '-subj', f'/CN={name}', '-out', request)
        self._openssl('x509', '-req', '-in', request, '-CA', self.file, '-CAkey',
                      self.place / 'ca.key', '-CAcreateserial', '-days', days, '-extfile', extra,
                      '-out', certificate)
        return certificate, self.place / f'{name}.key'

    def context(self, shown=None):
        context = ssl.create_default_context(cafile=self.file)
        if shown is not None:
            context.load_cert_chain(*shown)
        return context


def with_tls(pair):
    return '--tls-certificate', str(pair[0]), '--tls-key', str(pair[1])


def refused(server, context):
    """What the handshake, or the first read after it, says."""
    try:
        with socket.create_connection(('127.0.0.1', server.port), 10) as plain:
            with context.wrap_socket(plain, server_hostname='localhost') as secured:
                secured.sendall(f'GET /health/live HTTP/1.1\r\n{LAST}'.encode())
                return '' if secured.recv(65536) else 'closed'
    except (ssl.SSLError, ConnectionError) as why:
        return str(why)


def subject(server):
    """Of the certificate that a new connection is shown."""
    with socket.create_connection(('127.0.0.1', server.port), 10) as plain:
        with server.tls.wrap_socket(plain, server_hostname='localhost') as secured:
            return dict(pair for part in secured.getpeercert()['subject'] for pair in part)[
                'commonName']


def raw(port, text):
    """All that a plain connection is told."""
    with socket.create_connection(('127.0.0.1', port), 10) as plain:
        plain.sendall(text.encode())
        said = b''
        with contextlib.suppress(ConnectionResetError):
            while piece := plain.recv(65536):
                said += piece
        return said.decode()


def everyday(server):
    with step('events go in and come out'):
        server.send(*[event(event_type='tls.step') for _ in range(1000)])
        equal(len(server.query(event_type='tls.step', limit=1000)['data']), 1000)
    with step('one connection takes many requests'):
        link = server.connection()
        for _ in range(50):
            link.request('POST', EVENTS, json.dumps(event()),
                         {'Authorization': f'Bearer {server.key}',
                          'Content-Type': 'application/json'})
            equal(link.getresponse().read().count(b'event_id'), 1)
        link.close()
    with step('a large stream is taken, and a large answer given'):
        pad = 'x' * 2000
        body = ndjson([event(event_type='tls.large', event_data={'pad': pad})
                       for _ in range(5000)])
        server.post(EVENTS, body, kind=NDJSON).expect(201)
        page = server.get(EVENTS, {'event_type': 'tls.large', 'limit': 1000}).expect(200)
        true(len(page.body) > 2_000_000, f'{len(page.body)} bytes')
    with step('the tail follows over HTTPS'):
        link = server.connection()
        link.request('GET', '/api/v1/audit/tail?event_type=tls.tail', headers={
            'Authorization': f'Bearer {server.key}'})
        answer = link.getresponse()
        equal(answer.status, 200)
        server.send(event(event_type='tls.tail'))
        said = b''
        while b'tls.tail' not in said:
            said += answer.read1(65536)
        link.close()
    with step('plain HTTP is told to use HTTPS'):
        said = raw(server.port, f'GET / HTTP/1.1\r\n{LAST}')
        for part in ('HTTP/1.1 400 Bad Request', 'https://', 'text/plain'):
            contains(said, part)
        for name, value in HEADERS.items():
            contains(said, f'{name}: {value}')
        true(HSTS not in said, 'HSTS over plain HTTP')
    with step('every answer tells browsers to stay with HTTPS'):
        for target in ('/health', '/nothing', EVENTS + '?limit=x'):
            answer = server.get(target)
            equal(answer.headers.get(HSTS), 'max-age=31536000', target)
            for name, value in HEADERS.items():
                equal(answer.headers.get(name), value, target)


    with step('metrics tell when the certificate ends, and how many handshakes failed'):
        said = server.get('/metrics').expect(200).body.decode()
        contains(said, 'cairn_http_tls_failed_total ')
        contains(said, 'cairn_http_certificate_expires_seconds ')


def command_line(server, authority):
    with step('the command line finds a server of this machine, and takes its CA by flag'):
        run = cairn('query', 'event_type:tls.tail', '--ca', authority.file, server=server)
        equal(len(lines_of(run)), 1)
    with step('or by variable'):
        run = cairn('query', 'event_type:tls.tail', '--json', server=server,
                    variables={'CAIRN_CA': str(authority.file)})
        equal(len(lines_of(run)), 1)
    with step('without it the server is not believed'):
        contains(cairn('query', server=server, status=3).stderr, 'vouches for it with --ca')
    with step('nor with another'):
        other = Authority('another')
        contains(cairn('query', '--ca', other.file, server=server, status=3).stderr, 'certificate')


def renewal(authority):
    pair = authority.certify('localhost')
    with Server(*with_tls(pair), tls=authority.context()) as server:
        equal(subject(server), 'localhost')
        old = server.connection()
        old.request('GET', '/health/live')
        old.getresponse().read()
        renewed = authority.certify('renewed')
        with step('SIGHUP shows the new certificate'):
            for kept, new in zip(pair, renewed):
                kept.write_bytes(new.read_bytes())
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: subject(server) == 'renewed', 'the new certificate is shown')
        with step('what was connected goes on'):
            old.request('GET', '/health/live')
            equal(old.getresponse().status, 200)
            old.close()
        with step('a key that does not fit leaves the old certificate, and the log says why'):
            pair[1].write_bytes(authority.certify('third')[1].read_bytes())
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: 'the old one stays in use' in server.log_path.read_text(),
                       'the log says so')
            contains(server.log_path.read_text(), 'key values mismatch')
            equal(subject(server), 'renewed')
        with step('a file that is gone does the same'):
            pair[0].unlink()
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: server.log_path.read_text().count('stays in use') == 2, 'the log')
            equal(subject(server), 'renewed')
    with step('a certificate that ends soon is warned of'):
        contains(server.log_path.read_text(), 'the server\'s certificate expires soon')


def clients(authority):
    stranger = Authority('stranger')
    alice = authority.certify('alice')
    with Server(*with_tls(authority.certify('asking')), '--tls-client', 'required',
                '--tls-client-ca', str(authority.file), '--tls-version-min', '1.3',
                tls=authority.context(alice)) as server:
        with step('who shows a certificate of the CA is served'):
            server.get('/api/v1/log').expect(200)
        with step('it does not stand in for the key'):
            server.get('/api/v1/log', key=None).expect_problem(401)
        with step('who shows none is not'):
            true(refused(server, authority.context()), 'it was served')
        with step('nor who shows a stranger\'s'):
            context = authority.context(stranger.certify('mallory'))
            true(refused(server, context), 'it was served')
        with step('nor who speaks only TLS 1.2'):
            context = authority.context(alice)
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            contains(refused(server, context), 'version')


def wrong_options(authority):
    certificate, key = authority.certify('wrong')
    rows = (
        ('a certificate without its key', ('--tls-certificate', certificate), 1, 'tls.key'),
        ('a key without its certificate', ('--tls-key', key), 1, 'tls.certificate'),
        ('a file that is not there', with_tls((certificate, 'none.key')), 1, 'none.key'),
        ('files in the wrong order', with_tls((key, certificate)), 1, 'certificate'),
        ('client certificates without a CA',
         (*with_tls((certificate, key)), '--tls-client', 'required'), 1, 'no CA'),
        ('a CA for client certificates that nobody is asked for',
         (*with_tls((certificate, key)), '--tls-client-ca', authority.file), 1, 'tls.client_ca'),
        ('client certificates without TLS', ('--tls-client', 'optional'), 1, 'need TLS'),
        ('a proxy that is no network', ('--trusted-proxies', '10.0.0.0/33'), 1,
         '--trusted-proxies'),
        ('any origin', ('--cors-origins', '*'), 1, '--cors-origins'),
    )
    for name, options, status, says in rows:
        with step(f'refused at the start: {name}'):
            Server(*map(str, options)).refuses_to_start(status, says)
    with step('in production an open door without TLS is warned of, and opens'):
        with Server('--environment', 'production', listen='0.0.0.0:0') as server:
            server.get('/health').expect(200)
        contains(server.log_path.read_text(), 'without TLS')
        contains(server.log_path.read_text(), 'let a proxy end TLS')
    with step('on the loopback there is nothing to warn of'):
        with Server('--environment', 'production') as server:
            server.get('/health').expect(200)
        true('without TLS' not in server.log_path.read_text(), 'it warned')


def proxies():
    local = {'X-Forwarded-For': '192.0.2.1'}
    with Server() as server:
        with step('without trusted proxies nobody is believed'):
            server.get('/metrics', headers=local, key=None).expect(200)
            true(HSTS not in server.get('/health', headers={
                'X-Forwarded-Proto': 'https'}).headers, 'HSTS by a stranger\'s word')
    with Server('--trusted-proxies', '127.0.0.0/8, ::1') as server:
        with step('what is open to this machine is closed to those whom a proxy brings'):
            server.get('/metrics', key=None).expect(200)
            server.get('/metrics', headers=local, key=None).expect_problem(401)
        with step('and to organisations that they would tell of one another'):
            org = server.post('/api/v1/organizations', {'name': 'other'}).expect(201).json()['id']
            key = server.post(f'/api/v1/api-keys?org={org}', {'name': 'o', 'role': 'owner'})
            key = key.expect(201).json()['key']
            for path in ('/metrics', '/api/metrics'):
                true(server.get(path, headers=local, key=key).status == 403, path)
                server.get(path, headers=local).expect(200)
        with step('also when they claim to be of this machine'):
            for claim in ('127.0.0.1, 192.0.2.1', '::1, 192.0.2.1', 'localhost, 192.0.2.1'):
                server.get('/metrics', headers={'X-Forwarded-For': claim},
                           key=None).expect_problem(401)
        with step('HTTPS at the proxy is HTTPS'):
            equal(server.get('/health', headers={'X-Forwarded-Proto': 'https'}).headers.get(HSTS),
                  'max-age=31536000')
            true(HSTS not in server.get('/health', headers={
                'X-Forwarded-Proto': 'http'}).headers, 'HSTS over HTTP')


def origins():
    named = 'https://app.example'
    page = {'Origin': named}
    preflight = page | {'Access-Control-Request-Method': 'POST'}

    def allowed(answer):
        return {name for name in answer.headers if name.lower().startswith('access-control')}

    with Server() as server:
        with step('no page may read answers unless it is named'):
            for answer in (server.get('/health', headers=page), server.get('/none', headers=page),
                           server.request('OPTIONS', EVENTS, headers=preflight)):
                equal(allowed(answer), set(), answer.status)
    with Server('--cors-origins', f'{named} http://localhost:3000') as server:
        with step('a named page may, with its key and without credentials'):
            answer = server.get('/api/v1/log', headers=page).expect(200)
            equal(answer.headers['Access-Control-Allow-Origin'], named)
            true('Origin' in answer.headers.get_all('Vary'), 'Vary')
            true('Access-Control-Allow-Credentials' not in answer.headers, 'credentials')
        with step('a preflight names the methods of the path'):
            answer = server.request('OPTIONS', EVENTS, headers=preflight, key=None).expect(204)
            equal(answer.headers['Access-Control-Allow-Methods'], 'GET, HEAD, POST, OPTIONS')
            contains(answer.headers['Access-Control-Allow-Headers'], 'Authorization')
        with step('another page may not'):
            answer = server.get('/health', headers={'Origin': named + '.evil.test'})
            equal(allowed(answer), set())
            true('Origin' in answer.headers.get_all('Vary'), 'Vary')
        with step('an error can be read too'):
            answer = server.get('/api/v1/log', headers=page, key=None)
            answer.expect_problem(401)
            equal(answer.headers['Access-Control-Allow-Origin'], named)


def early_answers():
    with Server('--http-headers-ms', '1s', '--connections-max', '2') as server:
        for name, text, status in (
                ('a malformed request', 'GET /\r\n\r\n', 400),
                ('headers that are too large', f'GET / HTTP/1.1\r\nA: {"a" * 20000}\r\n', 431),
                ('headers that do not come', 'GET / HTTP/1.1\r\n', 408)):
            with step(f'the security headers are on {status}: {name}'):
                said = raw(server.port, text)
                contains(said, f'HTTP/1.1 {status} ')
                for header, value in HEADERS.items():
                    contains(said, f'{header}: {value}')
        with step('and on 503: a server that is full'):
            with server.socket(), server.socket():
                said = wait_until(lambda: raw(server.port, ''), 'the server is full')
                contains(said, 'HTTP/1.1 503 ')
                contains(said, 'X-Content-Type-Options: nosniff')


def main():
    authority = Authority('story')
    with Server(*with_tls(authority.certify('localhost')), tls=authority.context()) as server:
        everyday(server)
        command_line(server, authority)
    renewal(authority)
    clients(authority)
    wrong_options(authority)
    proxies()
    origins()
    early_answers()
    finish()


main()
