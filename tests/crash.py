# SPDX-License-Identifier: Apache-2.0
"""What was acknowledged is there: kill -9 under load again and again, also while a segment is
sealed in the background, damage to files, a full disk, two servers for one directory.
CAIRN_TEST_KILLS says how often; ./dev torture says 1,000. CAIRN_TEST_LONG: also more seals."""
import base64
import contextlib
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import threading
import time
import uuid

import tlog
from harness import (EVENTS, NDJSON, OWN, PATIENCE_S, Server, cairn, contains, equal, event,
                     finish, lines_of, ndjson, scratch, step, true,
                     wait_until)

KILLS = int(os.environ.get('CAIRN_TEST_KILLS', 20))
KILLED_STARTS = max(15, KILLS // 5)
MEMORY_EVERY = max(1, KILLS // 10)  # rounds after which the whole log is read again
BLOCK = 4096
SEGMENT = 65536
SINGLES = 4700  # from 4,096 requests on for a segment's events, it is sealed in the background
SEAL_KILLS = 40 if 'CAIRN_TEST_LONG' in os.environ else 4


class Writer(threading.Thread):
    """Sends events over one connection until the server is gone, and remembers the answers."""

    def __init__(self, server, many):
        super().__init__()
        self.server, self.many = server, many
        self.acked = []  # (event_id, first seq possible, last seq possible, leaf hash or None)
        self.sent = 0
        self.odd = None

    def run(self):
        link = http.client.HTTPConnection('127.0.0.1', self.server.port, timeout=PATIENCE_S)
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            while self._send(link):
                pass
        link.close()

    def _send(self, link):
        ids = [str(uuid.uuid4()) for _ in range(20 if self.many else 1)]
        body = ndjson([{'event_id': name, 'event_type': 'crash.test', 'event_data': {'i': i}}
                       for i, name in enumerate(ids)])
        self.sent += len(ids)
        link.request('POST', EVENTS, body,
                     {'Authorization': f'Bearer {self.server.key}',
                      'Content-Type': NDJSON if self.many else 'application/json'})
        answer = link.getresponse()
        text = answer.read()
        if answer.status != 201:
            self.odd = f'{answer.status} {text[:300]!r}'
            return False
        got = json.loads(text)
        if self.many:
            self.acked += [(name, got['first_seq'], got['last_seq'], None) for name in ids]
        else:
            self.acked.append((got['event_id'], got['seq'], got['seq'], got['leaf_hash']))
        return True


def all_of(server):
    """{event_id: (seq, leaf hash)} of the whole log."""
    return {name: (seq, leaf) for seq, name, leaf in pages_of(server, order='seq')}


def pages_of(server, **params):
    params |= {'limit': 1000, 'fields': 'event_id,seq,leaf_hash'}
    answer = server.query(**params)
    while True:
        for item in answer['data']:
            yield item['seq'], item['event_id'], item['leaf_hash']
        if not answer['page']['has_more']:
            return
        answer = server.query(**params, cursor=answer['page']['next_cursor'])


def newest_of(server, since):
    """{event_id: (seq, leaf hash)} of what was stored at `since` and later. Newest first goes by
    time, in which neighbours may have changed places: the end is where nothing new comes."""
    found, old = {}, 0
    for seq, name, leaf in pages_of(server):
        if seq >= since:
            found[name] = (seq, leaf)
            old = 0
        elif (old := old + 1) == 1000:
            break
    return found


def must_hold(found, acked, first, end):
    """`found` are the events of the log from `first` to `end`, and each of `acked` is one."""
    equal(len(found), end - first, 'ids are unique')
    equal(sorted(seq for seq, _ in found.values()), list(range(first, end)), 'seqs have no gap')
    for name, low, high, leaf in acked:
        true(name in found, f'{name} was acknowledged and is lost')
        seq, hash_ = found[name]
        true(low <= seq <= high, f'{name} was acknowledged at {low}..{high}, is at {seq}')
        true(leaf in (None, hash_), f'{name} has another leaf hash')


class Memory:
    """What the log said once, it says for ever. Each round's events are kept as one hash, so that
    a thousand rounds can be compared with the whole log."""

    def __init__(self):
        self.parts = []  # (first seq behind the part, hash of its rows)

    def size(self):
        return self.parts[-1][0] if self.parts else 0

    def add(self, found):
        rows = sorted((seq, name, leaf) for name, (seq, leaf) in found.items())
        self.parts.append((rows[-1][0] + 1, self._hash(rows)))

    @staticmethod
    def _hash(rows):
        digest = hashlib.sha256()
        for row in rows:
            digest.update(repr(row).encode())
        return digest.digest()

    def compare(self, server):
        rows = pages_of(server, order='seq')
        for number, (end, wanted) in enumerate(self.parts):
            first = self.parts[number - 1][0] if number > 0 else 0
            part = [row for _, row in zip(range(end - first), rows)]
            equal([row[0] for row in part], list(range(first, end)), f'seqs of round {number + 1}')
            equal(self._hash(part), wanted, f'events of round {number + 1}, {first} to {end - 1}')


def prove_some(server, names, found, log):
    for name in names:
        got = server.get(f'{EVENTS}/{name}').expect(200).json()
        equal((got['seq'], got['leaf_hash']), found[name])
        line = server.get(f'{EVENTS}/{name}?raw=1').expect(200).body[:-1]
        proof = server.get(f'{EVENTS}/{name}/proof').expect(200).body
        _, index = tlog.check_proof(proof, line, [log['vkey']], log['origin'])
        equal(index, got['seq'])


def must_continue(server, old_note, log):
    """The newest checkpoint is a continuation of one from before the crash."""
    old = tlog.Checkpoint(old_note, [log['vkey']], log['origin'])
    new = tlog.Checkpoint(server.wait_checkpoint(server.size()), [log['vkey']], log['origin'])
    answer = server.get('/api/v1/log/proof/consistency', {'old': old.size, 'new': new.size})
    proof = [base64.b64decode(item) for item in answer.expect(200).json()['proof']]
    tlog.check_consistency(old.size, new.size, proof, old.root, new.root)


def kill_under_load(server, chance, memory, log, starts):
    """One round. Returns what was acknowledged in it."""
    writers = [Writer(server, many=i == 0) for i in range(4)]
    for writer in writers:
        writer.start()
    time.sleep(chance.uniform(0.02, 0.35))  # the moment is what is tried out
    wait_until(lambda: any(writer.acked for writer in writers), 'somebody has an answer')
    note = server.get('/checkpoint', key=None).expect(200).body
    time.sleep(chance.uniform(0, 0.05))
    server.kill()
    for writer in writers:
        writer.join()
        equal(writer.odd, None, 'an answer other than 201')
    fresh = [item for writer in writers for item in writer.acked]
    true(fresh, 'nothing was acknowledged in this round')
    begun = time.monotonic()
    server.start()
    starts.append(time.monotonic() - begun)
    found = newest_of(server, memory.size())
    must_hold(found, fresh, memory.size(), server.size())
    memory.add(found)
    sample = chance.sample(fresh, min(3, len(fresh)))
    prove_some(server, [item[0] for item in sample], found, log)
    must_continue(server, note, log)
    return fresh


def kills(chance):
    server = Server('--checkpoint-interval-ms', '50')
    server.start()
    log = server.get('/api/v1/log').json()
    memory, count, some, starts = Memory(), 0, [], []
    for number in range(KILLS):
        is_well = False
        with step(f'kill -9 under load, {number + 1} of {KILLS}'):
            fresh = kill_under_load(server, chance, memory, log, starts)
            count += len(fresh)
            some = some or [item[0] for item in fresh[:2000]]
            is_well = True
        if not is_well:  # so that the next round is one
            server.kill()
            server.start()
        if (number + 1) % MEMORY_EVERY == 0:
            with step(f'nothing of {number + 1} rounds is lost, moved or changed'):
                memory.compare(server)
    print(f'# {count} events were acknowledged, {server.size()} are there; a start took '
          f'{max(starts):.1f} s at most, the last one {starts[-1]:.1f} s')
    with step(f'killed while it starts, {KILLED_STARTS} times'):
        note = server.get('/checkpoint', key=None).body
        size = server.size()
        server.kill()
        for _ in range(KILLED_STARTS):
            server.spawn()
            time.sleep(chance.uniform(0, 0.06))
            server.kill()
        server.start()
        equal(server.size(), size)
        memory.compare(server)
        must_continue(server, note, log)
    with step('cairn verify takes what is left for whole, running and stopped'):
        def verify(*words):
            return lines_of(cairn('verify', server.data, *words, timeout=600))[0]
        equal(verify('--vkey', log['vkey'])['whole'], True)
        server.kill()
        equal(verify()['whole'], True)
        server.start()
        server.stop()
        whole = verify()
        true(whole['events'] >= count and whole['unchecked'] == 0, f'{whole}')
        equal(whole['checkpoint_size'], whole['events'])
    with step('events that were sent again after a crash are there once'):
        server.start()
        size = server.size()
        body = ndjson([{'event_id': name, 'event_type': 'crash.test'} for name in some])
        answer = server.post(EVENTS, body, kind=NDJSON).expect(200).json()
        equal((answer['count'], answer['duplicates']), (0, len(some)))
        equal(server.size(), size)
        server.stop()


def metric(server, name):
    text = server.get('/metrics').expect(200).body.decode()
    return float(re.search(rf'^{name} (.*)$', text, re.MULTILINE)[1])


def fill(server, count):
    """Stores so many events in large bodies; returns what was acknowledged."""
    acked = []
    while len(acked) < count:
        ids = [str(uuid.uuid4()) for _ in range(min(10000, count - len(acked)))]
        body = ndjson([{'event_id': name, 'event_type': 'crash.fill', 'event_data': {'i': i}}
                       for i, name in enumerate(ids)])
        got = server.post(EVENTS, body, kind=NDJSON).expect(201).json()
        acked += [(name, got['first_seq'], got['last_seq'], None) for name in ids]
    return acked


def kill_while_sealing(server, delay_s, memory):
    """One round. Returns what was acknowledged one by one, what is there of this round, and whether
    the kill left half a file."""
    files = server.data / 'ledger'
    wait_until(lambda: metric(server, 'cairn_sealing') == 0, 'what was full is sealed')
    acked = fill(server, (SEGMENT - SINGLES - server.size()) % SEGMENT)
    writers = [Writer(server, many=False) for _ in range(16)]
    for writer in writers:
        writer.start()
    wait_until(lambda: metric(server, 'cairn_background_segments_total') > 0,
               'a segment is full, and is sealed in the background')
    time.sleep(delay_s)  # into the seal, at different places
    server.kill()
    is_cut = bool(list(files.glob('*.seg.tmp')))
    for writer in writers:
        writer.join()
        equal(writer.odd, None, 'an answer other than 201')
    fresh = [item for writer in writers for item in writer.acked]
    server.start()
    found = newest_of(server, memory.size())
    must_hold(found, acked + fresh, memory.size(), server.size())
    memory.add(found)
    equal(lines_of(cairn('verify', server.data, timeout=600))[0]['whole'], True)
    wait_until(lambda: len(list(files.glob('*.seg'))) == server.size() // SEGMENT, 'the seal')
    equal(list(files.glob('*.seg.tmp')), [], 'what is left of the file')
    return fresh, found, is_cut


def kills_while_sealing(chance):
    server = Server('--checkpoint-interval-ms', '50')
    server.start()
    log = server.get('/api/v1/log').json()
    memory, rounds, cut = Memory(), 0, 0
    while rounds < SEAL_KILLS or (cut == 0 and rounds < 2 * SEAL_KILLS):
        delay_s = chance.uniform(0, 0.15) if rounds > 0 else 0
        rounds += 1
        with step(f'kill -9 {delay_s:.3f} s into sealing in the background, {rounds}'):
            fresh, found, is_cut = kill_while_sealing(server, delay_s, memory)
            cut += is_cut
            names = [item[0] for item in chance.sample(fresh, 3)]
            prove_some(server, names, found, log)
    print(f'# {cut} of {rounds} kills left half a file')
    with step('some of them were before the file was whole, and nothing is lost, moved or changed'):
        true(cut > 0, 'no kill was in the middle')
        memory.compare(server)
        server.stop()
        equal(lines_of(cairn('verify', server.data, timeout=600))[0]['whole'], True)


def clean_stops():
    with step('SIGTERM under load: what was acknowledged is there, and a checkpoint covers it'):
        server, acked = Server(), []
        for _ in range(4):
            server.start()
            writers = [Writer(server, many=i == 0) for i in range(4)]
            for writer in writers:
                writer.start()
            wait_until(lambda: all(writer.acked for writer in writers), 'everybody has written')
            server.stop()
            for writer in writers:
                writer.join()
                true(writer.odd is None or writer.odd.startswith('503'), f'odd: {writer.odd}')
                acked += writer.acked
            size = int((server.data / 'checkpoint').read_text().split('\n')[1])
            server.start()
            must_hold(all_of(server), acked, 0, size)
            equal(server.size(), size, 'size of the last checkpoint')
            server.stop()


def copy_of(data, name):
    place = scratch(name)
    shutil.copytree(data, place)
    return place


def wal_of(place):
    """The WAL file with frames, and where its frames begin."""
    for path in sorted((place / 'ledger').glob('[0-9]*.wal')):
        text = path.read_bytes()
        frames = [at for at in range(BLOCK, len(text), BLOCK) if text[at:at + 4] == b'CFR1']
        if frames:
            return path, frames
    raise AssertionError('no WAL holds a frame')


def change(path, at, data=None):
    with open(path, 'r+b') as file:
        file.seek(at)
        old = file.read(1)
        file.seek(at)
        file.write(data if data is not None else bytes([old[0] ^ 1]))


def damage():
    server = Server('--checkpoint-interval-ms', '60000')
    server.start()
    ids = []
    for n in range(6):
        name = str(uuid.uuid4())
        server.post(EVENTS, event(event_id=name, event_data={'n': n})).expect(201)
        ids.append(name)
    server.kill()  # all six frames are beyond the checkpoint

    def starts_with(place, count):
        with Server(data=place) as again:
            equal(again.size(), OWN + count)
            for name in ids[:count]:
                again.get(f'{EVENTS}/{name}').expect(200)
            for name in ids[count:]:
                again.get(f'{EVENTS}/{name}').expect(404)
            again.send(event())
        equal(lines_of(cairn('verify', place))[0]['whole'], True)

    with step('what was acknowledged but is in no checkpoint is there after kill -9'):
        starts_with(copy_of(server.data, 'untouched'), 6)
    for sentence, data in (('garbage', os.urandom(BLOCK)), ('zeros', bytes(BLOCK)),
                           ('one changed bit', None)):
        with step(f'a last frame that the crash tore ({sentence}) is cut'):
            place = copy_of(server.data, f'torn-{sentence[:3]}')
            path, frames = wal_of(place)
            change(path, frames[-1] + (0 if data else 100), data)
            starts_with(place, 5)
    with step('a changed byte in the middle stops the start, with file and offset'):
        place = copy_of(server.data, 'middle')
        path, frames = wal_of(place)
        change(path, frames[2] + 100)
        before = path.read_bytes()
        said = Server(data=place).refuses_to_start(1, path.name, 'offset')
        contains(said, str(frames[2]))
        equal(path.read_bytes(), before, 'the damaged file')
    with step('and cairn verify finds it too'):
        found = lines_of(cairn('verify', place, status=1))[0]
        equal((found['whole'], found['where']), (False, path.name))
    with step('a changed header of a WAL file stops the start'):
        place = copy_of(server.data, 'header')
        path, _ = wal_of(place)
        change(path, 20)
        Server(data=place).refuses_to_start(1, path.name, 'offset')
    with step('a WAL file that is shorter than it was stops the start'):
        place = copy_of(server.data, 'short')
        path, frames = wal_of(place)
        os.truncate(path, frames[3] + 10)
        Server(data=place).refuses_to_start(1, path.name)

    server.start()
    server.stop()  # now a checkpoint covers all of them
    with step('a last frame that a checkpoint covers is not cut but refused'):
        place = copy_of(server.data, 'covered')
        path, frames = wal_of(place)
        change(path, frames[-1] + 100)
        Server(data=place).refuses_to_start(1)
        cairn('verify', place, status=1)
    for name in ('checkpoint', 'origin', 'wal', 'keys'):
        with step(f'without {name} it does not start'):
            place = copy_of(server.data, f'without-{name}')
            if name == 'wal':
                wal_of(place)[0].unlink()
            elif name == 'keys':
                shutil.rmtree(place / 'keys')
            else:
                (place / name).unlink()
            said = Server(data=place).refuses_to_start(1)
            contains(said, 'checkpoint' if name == 'wal' else name)
    with step('a checkpoint of another root does not start, and verify finds it'):
        place = copy_of(server.data, 'forged')
        lines = (place / 'checkpoint').read_bytes().split(b'\n')
        lines[2] = base64.b64encode(os.urandom(32))
        (place / 'checkpoint').write_bytes(b'\n'.join(lines))
        Server(data=place).refuses_to_start(1, 'checkpoint')
        cairn('verify', place, status=1)
    with step('an older checkpoint is fine: the log is its continuation'):
        with Server(data=server.data) as again:
            again.send(event())
            old = (again.data / 'checkpoint').read_bytes()
        (server.data / 'checkpoint').write_bytes(old)
        with Server(data=server.data) as again:
            equal(again.size(), OWN + 7)


def one_owner():
    with Server() as first:
        first.send(event())
        with step('a second server on the same directory is refused, and told whose it is'):
            said = Server(data=first.data).refuses_to_start(1)
            contains(said, str(first.process.pid))
            first.send(event())
            equal(first.size(), OWN + 2)
        with step('of six that start on one directory at the same moment one wins'):
            place = scratch('contended')
            rivals = [Server(data=place).spawn() for _ in range(6)]

            def ended():
                return sorted(rival.process.returncode for rival in rivals
                              if rival.process.poll() is not None)
            wait_until(lambda: len(ended()) == 5, 'five have ended')
            equal(ended(), [1] * 5, 'exit statuses of the others')
            winner = next(rival for rival in rivals if rival.process.poll() is None)
            winner.stop()
            equal(lines_of(cairn('verify', place))[0]['whole'], True)
        with step('a second server on the same port is refused'):
            said = Server(listen=f'127.0.0.1:{first.port}').refuses_to_start(3)
            contains(said, 'cairn serve: ')
    with step('a data directory that cannot be made is refused'):
        scratch('file').write_text('x')
        contains(Server(data=scratch('file') / 'data').refuses_to_start(3), 'cairn serve: ')


def full_disk():
    server = Server()
    server.start()
    name = str(uuid.uuid4())
    server.send(event(event_id=name))
    server.stop()
    with Server('--disk-reserve-bytes', '1TiB', '--wal-file-bytes', '32MiB', data=server.data,
                usual=()) as full:
        with step('below the reserve writes are answered with 507 and store nothing'):
            full.post(EVENTS, event()).expect_problem(507)
            problem = full.post(EVENTS, ndjson([event(), event()]), kind=NDJSON).expect_problem(507)
            equal(problem['count'], 0)
            equal(full.size(), OWN + 1)
        with step('and reads and proofs go on'):
            full.get(f'{EVENTS}/{name}').expect(200)
            equal(len(full.query()['data']), OWN + 1)
            full.get(f'{EVENTS}/{name}/proof').expect(200)
        with step('health says so'):
            health = full.get('/health', key=None).expect(200).json()
            equal((health['status'], health['components']['store']['writable']),
                  ('degraded', False))
        with step('the command line says what to do'):
            run = cairn('ingest', '-', server=full, stdin=json.dumps(event()), status=1)
            contains(run.stderr, 'disk')
    with step('with room again it writes on'):
        server.start()
        server.send(event())
        # one more: that events of requests are missing, of the time when it was full
        wait_until(lambda: server.size() == OWN + 3, 'all three')
        server.stop()


SEED = int(os.environ.get('CAIRN_TEST_SEED', time.time_ns() % 1000000))
print(f'# CAIRN_TEST_SEED={SEED}')
kills(random.Random(SEED))
kills_while_sealing(random.Random(SEED))
clean_stops()
damage()
one_owner()
full_disk()
finish()
