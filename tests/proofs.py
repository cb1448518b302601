# SPDX-License-Identifier: Apache-2.0
"""The log proves itself to a verifier that shares no code with it (tlog.py): checkpoints, tiles,
entry bundles, inclusion, consistency, and keys that change."""
import base64
import json
import pathlib
import time

import tlog
from harness import (EVENTS, OWN, PATIENCE_S, Server, Wrong, cairn, contains, equal, event, finish,
                     scratch, step, true, wait_until)

VECTORS = json.loads((pathlib.Path(__file__).parent / 'vectors/tree.json').read_text())


def is_refused(check):
    try:
        check()
    except (tlog.Bad, ValueError, IndexError, KeyError):
        return True
    return False


def the_verifier_itself():
    leaves = [tlog.leaf_hash(entry.encode()) for entry in VECTORS['entries']]
    tree = tlog.Tree(leaves)
    with step('our verifier: roots'):
        for row in VECTORS['roots']:
            equal(tree.root(row['size']).hex(), row['root'], str(row['size']))
    with step('our verifier: inclusion'):
        for row in VECTORS['inclusion']:
            proof = [bytes.fromhex(item) for item in row['hashes']]
            index, size = row['index'], row['size']
            tlog.check_inclusion(leaves[index], index, size, proof, tree.root(size))
            true(is_refused(lambda: tlog.check_inclusion(
                leaves[index], index, size, proof[:-1], tree.root(size))), 'a short proof')
            true(is_refused(lambda: tlog.check_inclusion(
                leaves[index - 1], index, size, proof, tree.root(size))), 'another leaf')
    with step('our verifier: consistency'):
        for row in VECTORS['consistency']:
            proof = [bytes.fromhex(item) for item in row['hashes']]
            old, new = row['old_size'], row['new_size']
            tlog.check_consistency(old, new, proof, tree.root(old), tree.root(new))
            true(is_refused(lambda: tlog.check_consistency(
                old, new, proof, tree.root(old - 1), tree.root(new))), 'another old root')
    vkeys = [key['vkey'] for key in VECTORS['keys']]
    with step('our verifier: keys and signatures'):
        for row in VECTORS['keys']:
            equal(tlog.Key(row['vkey']).id.hex(), row['id'])
        note = VECTORS['checkpoint']['note'].encode()
        checkpoint = tlog.Checkpoint(note, vkeys, VECTORS['checkpoint']['origin'])
        equal((checkpoint.signers, checkpoint.times),
              (vkeys, [VECTORS['checkpoint']['time_s']]))
    with step('our verifier: proofs'):
        proofs = VECTORS['proofs']
        entry = proofs['entry'].encode()
        for row in proofs['accepted']:
            tlog.check_proof(row['text'].encode(), entry, vkeys)
        for row in proofs['refused']:
            true(is_refused(lambda row=row: tlog.check_proof(
                row['text'].encode(), entry, vkeys, VECTORS['checkpoint']['origin'])), row['why'])
    with step('our verifier: bundles'):
        for row in VECTORS['bundles']:
            equal(tlog.split_bundle(bytes.fromhex(row['bytes'])),
                  [entry.encode() for entry in row['entries']])


def lines_of_log(server):
    """Every line of the log in order, as GET of the event gives it."""
    lines, page = [], {'limit': 1000, 'order': 'seq', 'fields': 'event_id'}
    answer = server.query(**page)
    while True:
        for item in answer['data']:
            raw = server.get(f'{EVENTS}/{item["event_id"]}?raw=1').expect(200).body
            lines.append(raw[:-1])
        if not answer['page']['has_more']:
            return lines
        answer = server.query(**page, cursor=answer['page']['next_cursor'])


def checkpoints(server, tree):
    with step('the log says who it is and which keys sign'):
        log = server.get('/api/v1/log').expect(200).json()
        equal(log['origin'], (server.data / 'origin').read_text().strip())
        equal(log['size'], len(tree.levels[0]))
        kinds = sorted(key['kind'] for key in log['keys'])
        equal(kinds, ['cosigner', 'log'])
        equal(tlog.Key(log['vkey']).name, log['origin'])
    with step('the checkpoint is signed, of our root, and dated by the cosigner'):
        note = server.wait_checkpoint(log['size'])
        vkeys = [key['vkey'] for key in log['keys']]
        checkpoint = tlog.Checkpoint(note, vkeys, log['origin'])
        equal((checkpoint.size, checkpoint.root), (log['size'], tree.root()))
        equal((len(checkpoint.signers), checkpoint.unknown), (2, 0))
        true(abs(checkpoint.times[0] - time.time()) < 120, 'the time of the cosignature')
    with step('the checkpoint is plain text, without a key, for a second'):
        answer = server.get('/checkpoint', key=None).expect(200)
        equal(answer.headers['Content-Type'], 'text/plain; charset=utf-8')
        contains(answer.headers['Cache-Control'], 'max-age')
        true(is_refused(lambda: tlog.Checkpoint(
            answer.body.replace(b'\n%d\n' % log['size'], b'\n%d\n' % (log['size'] + 1)), vkeys)),
            'a changed checkpoint passes')
    return log


def tiles(server, tree):
    size = len(tree.levels[0])
    with step('tiles hold the hashes of our tree, without a key'):
        level = 0
        while size >> 8 * level > 0:
            count = size >> 8 * level
            for number in range(count // 256 + (count % 256 > 0)):
                width = min(256, count - 256 * number)
                answer = server.get(tlog.tile_path(level, number, width), key=None).expect(200)
                equal(answer.headers['Content-Type'], 'application/octet-stream')
                hashes = [tree.hash_of(i << 8 * level, i + 1 << 8 * level)
                          for i in range(256 * number, 256 * number + width)]
                equal(answer.body, b''.join(hashes), f'tile {level}/{number}')
            level += 1
        contains(answer.headers['Cache-Control'], 'immutable')
    with step('every partial width of the last tile is there'):
        for width in range(1, size % 256):
            number = size // 256
            got = server.get(tlog.tile_path(0, number, width), key=None).expect(200).body
            equal(got, b''.join(tree.levels[0][256 * number:256 * number + width]))
    for path in (tlog.tile_path(0, size // 256), tlog.tile_path(0, size // 256, size % 256 + 1),
                 tlog.tile_path(0, 1000), tlog.tile_path(5, 0, 1)):
        with step(f'{path} is not there yet'):
            server.get(path, key=None).expect_problem(404)
    for path in ('/tile/0/0', '/tile/00/000', '/tile/0/000.p/0', '/tile/0/000.p/256',
                 '/tile/64/000', '/tile/0/x000/000', '/tile/x/000', '/tile/0', '/tile/entries/1'):
        with step(f'{path} is no tile'):
            answer = server.get(path, key=None)
            true(answer.status in (400, 401, 404), f'got {answer.status}')


def bundles(server, tree, lines):
    size = len(lines)
    with step('entry bundles hold the lines, for whoever has the key'):
        for number in range(size // 256 + 1):
            width = min(256, size - 256 * number)
            path = f'/tile/entries/{tlog.tile_index(number)}'
            path += '' if width == 256 else f'.p/{width}'
            entries = tlog.split_bundle(server.get(path).expect(200).body)
            equal(entries, [tlog.entry_of(line) for line in lines[256 * number:][:width]], path)
            equal([tlog.leaf_hash(entry) for entry in entries],
                  tree.levels[0][256 * number:][:width])
    with step('entry bundles need a key'):
        server.get('/tile/entries/000', key=None).expect_problem(401)


def inclusion(server, log, lines):
    vkeys = [log['vkey']]
    for index in (0, 1, 255, 256, 300, len(lines) - 1):
        with step(f'the proof of event {index} verifies offline'):
            identity = json.loads(lines[index])['event_id']
            answer = server.get(f'{EVENTS}/{identity}/proof').expect(200)
            checkpoint, place = tlog.check_proof(answer.body, tlog.entry_of(lines[index]), vkeys,
                                                 log['origin'])
            equal(place, index)
            true(checkpoint.size > index, 'the checkpoint covers it')
            true(is_refused(lambda: tlog.check_proof(answer.body, lines[index] + b' ', vkeys)),
                 'another line passes')
    with step('an event that no checkpoint covers yet is waited for'):
        identity = server.post(EVENTS, event()).expect(201).json()['event_id']
        proof = server.get(f'{EVENTS}/{identity}/proof').expect(200).body
        line = server.get(f'{EVENTS}/{identity}?raw=1').body[:-1]
        tlog.check_proof(proof, line, vkeys)
    with step('cairn verify accepts the proof, and not the proof of another event'):
        proof_path, line_path = scratch('event.tlog-proof'), scratch('event.json')
        proof_path.write_bytes(proof)
        line_path.write_bytes(line)
        cairn('verify', proof_path, '--vkey', log['vkey'], '--event', line_path)
        line_path.write_bytes(lines[0])
        cairn('verify', proof_path, '--vkey', log['vkey'], '--event', line_path, status=1)


def consistency(server, tree):
    for old, new in ((1, 2), (1, 300), (255, 256), (256, 257), (100, 100), (3, 299), (0, 5)):
        with step(f'the log of {old} is a beginning of the log of {new}'):
            answer = server.get('/api/v1/log/proof/consistency', {'old': old, 'new': new})
            answer = answer.expect(200).json()
            equal((answer['old'], answer['new']), (old, new))
            proof = [base64.b64decode(item, validate=True) for item in answer['proof']]
            tlog.check_consistency(old, new, proof, tree.root(old), tree.root(new))
    with step('without new= it is the size of now'):
        answer = server.get('/api/v1/log/proof/consistency', {'old': 10}).expect(200).json()
        true(answer['new'] >= len(tree.levels[0]), 'the size of now')
    for params in ({'old': 5, 'new': 3}, {'old': 1, 'new': 10 ** 9}, {'new': 3}, {'old': 'x'},
                   {'old': -1}):
        with step(f'refused: consistency {params}'):
            server.get('/api/v1/log/proof/consistency', params).expect_problem(400)


def rotation(server, before):
    with step('during the overlap of a rotation both keys sign'):
        log = server.request('POST', '/api/v1/log/keys/rotate?overlap_seconds=3600').expect(200)
        log = log.json()
        true(log['vkey'] != before['vkey'], 'a new key')
        equal(tlog.Key(log['vkey']).name, before['origin'], 'name of the new key')
        server.send(event())
        size = server.size()
        note = server.wait_checkpoint(size)
        for vkey in (before['vkey'], log['vkey']):
            tlog.Checkpoint(note, [vkey], before['origin'])
    with step('a proof during the overlap verifies with either key'):
        identity = server.query(limit=1, order='asc')['data'][0]['event_id']
        proof = server.get(f'{EVENTS}/{identity}/proof').expect(200).body
        line = server.get(f'{EVENTS}/{identity}?raw=1').body[:-1]
        tlog.check_proof(proof, line, [before['vkey']])
        tlog.check_proof(proof, line, [log['vkey']])
    with step('a second rotation during the overlap is refused'):
        server.request('POST', '/api/v1/log/keys/rotate').expect_problem(409)
    for value in ('x', '-1', str(10 ** 9)):
        with step(f'refused: an overlap of {value}'):
            server.request('POST', f'/api/v1/log/keys/rotate?overlap_seconds={value}'
                           ).expect_problem(400)
    with step('the new key is there after a restart'):
        server.stop()
        server.start()
        equal(server.get('/api/v1/log').expect(200).json()['vkey'], log['vkey'])
        note = server.wait_checkpoint(size)
        tlog.Checkpoint(note, [log['vkey']], before['origin'])
    with step('cairn verify takes the rotated log for whole'):
        cairn('verify', server.data)


def short_rotation():
    with Server('--checkpoint-interval-ms', '50') as server:
        server.send(event())
        before = server.get('/api/v1/log').json()
        with step('without an overlap the new key alone signs from then on'):
            log = server.request('POST', '/api/v1/log/keys/rotate').expect(200).json()
            server.send(event())

            def retired():
                note = server.wait_checkpoint(2)
                return is_refused(lambda: tlog.Checkpoint(note, [before['vkey']]))
            wait_until(retired, 'the old key signs no more')
            tlog.Checkpoint(server.wait_checkpoint(2), [log['vkey']], before['origin'])


def story():
    with Server('--checkpoint-interval-ms', '50', '--origin', 'log.example.com/tests') as server:
        server.send(*[event(event_data={'n': n}) for n in range(297)])
        server.send(event(event_data={'long': 'x' * 70000}), event(), event(), event())
        lines = lines_of_log(server)
        tree = tlog.Tree(tlog.leaf_hash(tlog.entry_of(line)) for line in lines)
        log = checkpoints(server, tree)
        equal(log['origin'], 'log.example.com/tests')
        tiles(server, tree)
        bundles(server, tree, lines)
        inclusion(server, log, lines)
        consistency(server, tree)
        rotation(server, log)
    with step('a log without a cosigner is signed by the log alone'):
        with Server('--checkpoint-interval-ms', '50', '--cosign=false') as plain:
            plain.send(event())
            log = plain.get('/api/v1/log').json()
            note = plain.wait_checkpoint(1)
            equal([key['kind'] for key in log['keys']], ['log'])
            checkpoint = tlog.Checkpoint(note, [log['vkey']])
            equal((len(checkpoint.signers), checkpoint.unknown), (1, 0))
    with step('tiles can be closed'):
        with Server('--tiles-public=false') as closed:
            closed.send(event())
            closed.get('/checkpoint', key=None).expect_problem(401)
            closed.get('/tile/0/000.p/1', key=None).expect_problem(401)
            closed.get('/checkpoint').expect(200)


def slow_notary():
    with Server('--checkpoint-interval-ms', '60000') as server:
        with step('who waits for a proof does not wait for a checkpoint that is a minute away'):
            for _ in range(3):
                identity = server.post(EVENTS, event()).expect(201).json()['event_id']
                begun = time.monotonic()
                server.get(f'{EVENTS}/{identity}/proof').expect(200)
                true(time.monotonic() - begun < PATIENCE_S / 3, 'the proof took long')
        with step('tiles end where the checkpoint ends'):
            server.send(event())
            size = int(server.get('/checkpoint', key=None).body.split(b'\n')[1])
            equal(size, OWN + 3)
            server.get(f'/tile/0/000.p/{OWN + 3}', key=None).expect(200)
            server.get(f'/tile/0/000.p/{OWN + 4}', key=None).expect(404)
        with step('a clean stop signs what is there'):
            server.stop()
            lines = (server.data / 'checkpoint').read_text().split('\n')
            equal(lines[1], str(OWN + 4))
            server.start()


the_verifier_itself()
slow_notary()
try:
    story()
except Wrong as problem:
    with step('the story of the proofs'):
        raise problem
short_rotation()
finish()
