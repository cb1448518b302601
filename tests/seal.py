# SPDX-License-Identifier: Apache-2.0
"""Across the seal: 70,000 events, so that one segment of 65,536 is on disk and the next in memory,
and nothing that a client sees tells which."""
import base64
import collections
import json
import re
import shutil
import time
import uuid

import tlog
from harness import (EVENTS, NDJSON, OWN, PATIENCE_S, Server, cairn, contains, equal, event, finish,
                     lines_of, scratch, step, true, wait_until)

TOTAL, SEGMENT = 70000, 65536
PAD = 'a pad makes the rows of the segment fill more than one write-ahead log file ' * 16
SERVICES = ('web', 'pay', 'ship', 'auth', 'mail')
STATS = '/api/v1/audit/stats'


def identity(n):
    return str(uuid.UUID(int=(n * 0x9E3779B97F4A7C15 % 2 ** 64) << 64 | 0x4000 << 48 | n + 2 ** 61))


def line_of(n):
    text = (f'{{"event_id":"{identity(n)}","event_type":"seal.step{n % 7}",'
            f'"service":"{SERVICES[n % 5]}","actor_id":"user-{n % 1000}",'
            f'"correlation_id":"c-{n // 5 % 9000}"')
    if n % 10 == 0:
        text += ',"severity":"error","event_outcome":"failure"'
    if n % 3 == 0:
        text += (f',"event_data":{{"n":{n},"half":{n}.50,"pad":"{PAD}",'
                 f'"note":"number {n} of many",'
                 f'"list":["x{n % 100}",null,{{"deep":{n % 11}}}]}}')
    return text + '}\n'


def metric(server, name):
    text = server.get('/metrics').expect(200).body.decode()
    return float(re.search(rf'^{name} (.*)$', text, re.MULTILINE)[1])


def walk(server, **params):
    answer = server.query(limit=1000, **params)
    found = answer['data']
    while answer['page']['has_more']:
        answer = server.query(limit=1000, cursor=answer['page']['next_cursor'], **params)
        found += answer['data']
    return found


EDGES = (OWN, OWN + 1, 255, 256, 40000, SEGMENT - 1, SEGMENT, SEGMENT + 1, TOTAL - 1)


def found_again(server, when):
    with step(f'{when}: events on both sides of the seal by id, to the byte'):
        for n in EDGES:
            got = server.get(f'{EVENTS}/{identity(n)}').expect(200).json()
            equal(got['seq'], n)
            wanted = json.loads(line_of(n))
            equal({name: got.get(name) for name in wanted}, wanted)
            line = server.get(f'{EVENTS}/{identity(n)}?raw=1').body[:-1]
            equal(tlog.leaf_hash(line).hex(), got['leaf_hash'])
            if n % 3 == 0:
                contains(line.decode(), '"half":%d.50' % n)
        server.get(f'{EVENTS}/{identity(TOTAL)}').expect(404)
    rows = (
        ({'actor_id': 'user-77'}, lambda n: n % 1000 == 77),
        ({'event_type': 'seal.step3', 'service': 'pay', 'severity': 'error'},
         lambda n: n % 7 == 3 and n % 5 == 1 and n % 10 == 0),
        ({'correlation_id': 'c-4242'}, lambda n: n // 5 % 9000 == 4242),
        ({'data.n': '65535'}, lambda n: n == 65535),
        ({'q': 'data.n>=65530 data.n<65545'}, lambda n: 65530 <= n < 65545 and n % 3 == 0),
        ({'q': '"number 39999 of"'}, lambda n: n == 39999),
        ({'q': 'data.list.deep:7 data.list:x50'},
         lambda n: n % 3 == 0 and n % 11 == 7 and n % 100 == 50),
        ({'q': 'actor_id~"^user-99[89]$" service:(mail OR ship)'},
         lambda n: n % 1000 in (998, 999) and n % 5 in (4, 2)),
        ({'q': 'severity>=warning NOT service:(web OR pay OR ship OR auth)'},
         lambda n: n % 10 == 0 and n % 5 == 4),
        ({'actor_id': 'nobody'}, lambda n: False),
    )
    for params, is_meant in rows:
        with step(f'{when}: query {params}'):
            wanted = [n for n in range(OWN, TOTAL) if is_meant(n)]
            equal([item['seq'] for item in walk(server, order='seq', **params)], wanted)
            equal(server.query(limit=1, total='exact', **params)['page']['total'], len(wanted))
    with step(f'{when}: a timeline'):
        answer = server.get('/api/v1/audit/timeline/c-4242').expect(200).json()
        equal(sorted(item['seq'] for item in answer['data']),
              [n for n in range(OWN, TOTAL) if n // 5 % 9000 == 4242])
    with step(f'{when}: counts'):
        answer = server.get(STATS, {'group_by': 'service'}).expect(200).json()
        equal({group['service']: group['count'] for group in answer['data']},
              collections.Counter(SERVICES[n % 5] for n in range(OWN, TOTAL)) | {None: OWN})
        answer = server.get(STATS, {'group_by': 'event_outcome,event_type', 'limit': 1000})
        equal(sum(g['count'] for g in answer.json()['data'] if g['event_outcome'] == 'failure'),
              sum(n % 10 == 0 for n in range(OWN, TOTAL)))


def once_each(server):
    with step('pages over the whole log hold each event once, in order'):
        begun = time.monotonic()
        for order in ('desc', 'seq'):
            found = walk(server, order=order, fields='seq,event_timestamp')
            seqs = [item['seq'] for item in found]
            equal(len(seqs), TOTAL)
            equal(sorted(seqs), list(range(TOTAL)))
            if order == 'desc':
                keys = [(item['event_timestamp'], item['seq']) for item in found]
                equal(keys, sorted(keys, reverse=True))
        print(f'# {2 * TOTAL / (time.monotonic() - begun):.0f} events a second out')


def repeated(server, when):
    with step(f'{when}: a repeat on either side of the seal is a duplicate, a change a conflict'):
        for n in EDGES:
            again = server.post(EVENTS, line_of(n).encode()).expect(200).json()
            equal((again['seq'], again['duplicate']), (n, True))
            changed = json.loads(line_of(n)) | {'actor_id': 'somebody else'}
            server.post(EVENTS, changed).expect_problem(409)
        body = ''.join(line_of(n) for n in range(SEGMENT - 500, SEGMENT + 500)).encode()
        answer = server.post(EVENTS, body, kind=NDJSON).expect(200).json()
        equal((answer['count'], answer['duplicates']), (0, 1000))
        equal(server.size(), TOTAL)


def proven(server, log, when):
    with step(f'{when}: proofs of both sides verify offline'):
        server.wait_checkpoint(TOTAL)
        for n in EDGES:
            line = server.get(f'{EVENTS}/{identity(n)}?raw=1').body[:-1]
            proof = server.get(f'{EVENTS}/{identity(n)}/proof').expect(200).body
            _, index = tlog.check_proof(proof, line, [log['vkey']], log['origin'])
            equal(index, n)


def tree_of(server, log):
    with step('our own tree over all bundles has the signed root, and the tiles are its nodes'):
        note = server.wait_checkpoint(TOTAL)
        checkpoint = tlog.Checkpoint(note, [log['vkey']], log['origin'])
        tree = tlog.Tree()
        for number in range(-(-TOTAL // 256)):
            width = min(256, TOTAL - 256 * number)
            path = f'/tile/entries/{tlog.tile_index(number)}'
            path += f'.p/{width}' if width < 256 else ''
            entries = tlog.split_bundle(server.get(path).expect(200).body)
            equal(len(entries), width, path)
            for entry in entries:
                tree.add(tlog.leaf_hash(entry))
        equal((tree.root(), TOTAL), (checkpoint.root, checkpoint.size))
        for level, number, width in ((0, 0, 256), (0, 255, 256), (0, 256, 256), (0, 273, 112),
                                     (1, 0, 256), (1, 1, 17), (2, 0, 1)):
            got = server.get(tlog.tile_path(level, number, width), key=None).expect(200).body
            hashes = [tree.hash_of(i << 8 * level, i + 1 << 8 * level)
                      for i in range(256 * number, 256 * number + width)]
            equal(got, b''.join(hashes), f'tile {level}/{number}')
    with step('consistency across the seal'):
        for old, new in ((1, TOTAL), (SEGMENT, TOTAL), (SEGMENT - 1, SEGMENT + 1), (300, SEGMENT)):
            answer = server.get('/api/v1/log/proof/consistency', {'old': old, 'new': new})
            proof = [base64.b64decode(item) for item in answer.expect(200).json()['proof']]
            tlog.check_consistency(old, new, proof, tree.root(old), tree.root(new))


def damaged(server):
    segment = next((server.data / 'ledger').glob('*.seg'))
    with step('cairn verify finds a changed byte anywhere in a segment'):
        size = segment.stat().st_size
        whole = segment.read_bytes()
        for part in (0.0, 0.1, 0.35, 0.6, 0.85, 0.999):
            at = min(size - 1, int(size * part))
            with open(segment, 'r+b') as file:
                file.seek(at)
                file.write(bytes([whole[at] ^ 0x10]))
            run = cairn('verify', server.data, status=None)
            true(run.returncode == 1, f'a changed byte at {at} of {size} passes: {run.stdout}')
            contains(run.stdout + run.stderr, segment.name)
            segment.write_bytes(whole)
        equal(lines_of(cairn('verify', server.data))[0]['whole'], True)
    with step('without its segment the server does not start'):
        hidden = scratch('hidden.seg')
        shutil.move(segment, hidden)
        Server(data=server.data).refuses_to_start(1)
        shutil.move(hidden, segment)


def killed_while_sealing():
    body = ''.join(f'{{"event_type":"k","event_id":"{identity(n)}"}}\n'
                   for n in range(OWN, SEGMENT + 100)).encode()
    for delay_s in (0, 0.02, 0.06, 0.12, 0.25):
        with step(f'kill -9 {delay_s} s after the event that fills a segment'):
            server = Server('--checkpoint-interval-ms', '50').start()
            server.post(EVENTS, body, kind=NDJSON).expect(201)
            time.sleep(delay_s)  # into the seal, at different places
            server.kill()
            server.start()
            equal(server.size(), SEGMENT + 100)
            for n in (OWN, SEGMENT - 1, SEGMENT, SEGMENT + 99):
                equal(server.get(f'{EVENTS}/{identity(n)}').expect(200).json()['seq'], n)
            wait_until(lambda server=server: metric(server, 'cairn_segments') == 1, 'the seal')
            answer = server.post(EVENTS, body, kind=NDJSON).expect(200).json()
            equal(answer['duplicates'], SEGMENT + 100 - OWN)
            server.stop()
            equal(lines_of(cairn('verify', server.data))[0]['whole'], True)


with Server('--checkpoint-interval-ms', '200') as under_test:
    with step(f'{TOTAL} events are stored, and a segment is sealed'):
        start = time.monotonic()
        everything = ''.join(line_of(n) for n in range(OWN, TOTAL)).encode()
        made = time.monotonic()
        counted = under_test.post(EVENTS, everything, kind=NDJSON).expect(201).json()
        equal((counted['count'], counted['first_seq'], counted['last_seq']),
              (TOTAL - OWN, OWN, TOTAL - 1))
        print(f'# {TOTAL / (time.monotonic() - made):.0f} events a second in')
        wait_until(lambda: metric(under_test, 'cairn_segments') == 1, 'a sealed segment', 30)
        wait_until(lambda: metric(under_test, 'cairn_sealing') == 0, 'nothing waits to be sealed')
        true(list((under_test.data / 'ledger').glob('*.seg')), 'a segment file')
        bytes_of_event = metric(under_test, 'cairn_segment_bytes') / SEGMENT
        print(f'# {bytes_of_event:.1f} bytes an event, {len(everything) / TOTAL:.1f} as sent')
    the_log = under_test.get('/api/v1/log').expect(200).json()
    found_again(under_test, 'sealed')
    once_each(under_test)
    repeated(under_test, 'sealed')
    proven(under_test, the_log, 'sealed')
    tree_of(under_test, the_log)
    with step('cairn verify, while the server runs'):
        equal(lines_of(cairn('verify', under_test.data))[0]['whole'], True)
    with step('a tail from before the seal goes across it'):
        link = under_test.socket()
        link.sendall(f'GET /api/v1/audit/tail?from={SEGMENT - 3} HTTP/1.1\r\nHost: h\r\n'
                     f'Authorization: Bearer {under_test.key}\r\n\r\n'.encode())
        seen = b''
        while f'id: {SEGMENT + 3}\n'.encode() not in seen:
            piece = link.recv(65536)
            true(piece, 'the tail ended')
            seen += piece
        link.close()
        for n in range(SEGMENT - 3, SEGMENT + 3):
            contains(seen, f'id: {n}\n'.encode())
with step('a restart after the seal takes moments'):
    start = time.monotonic()
    under_test.start()
    true(time.monotonic() - start < PATIENCE_S / 3, 'the start took long')
    equal(under_test.size(), TOTAL)
found_again(under_test, 'restarted')
repeated(under_test, 'restarted')
proven(under_test, the_log, 'restarted')
with step('kill -9 after the seal loses nothing'):
    under_test.send(event(event_id=identity(TOTAL + 1)))
    under_test.kill()
    under_test.start()
    under_test.get(f'{EVENTS}/{identity(TOTAL + 1)}').expect(200)
    equal(under_test.size(), TOTAL + 1)
    under_test.stop()
with step('cairn verify on the stopped directory'):
    verified = lines_of(cairn('verify', under_test.data))[0]
    equal((verified['whole'], verified['events'], verified['segments'], verified['unchecked']),
          (True, TOTAL + 1, 1, 0))
damaged(under_test)
killed_while_sealing()
finish()
