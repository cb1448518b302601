# SPDX-License-Identifier: Apache-2.0
"""A verifier of transparency logs that shares nothing with the one under test: RFC 6962 trees, C2SP
signed notes, checkpoints, cosignatures, tiles and offline proofs, Ed25519, from their texts."""
import base64
import hashlib
import struct

MARK = '\u2014 '
ED25519, COSIGNATURE = 1, 4


class Bad(Exception):
    """What was checked is not as it should be."""


# Trees (RFC 6962)

def leaf_hash(entry):
    return hashlib.sha256(b'\0' + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b'\1' + left + right).digest()


def entry_of(line):
    """The tlog entry of an event's line: lines that do not fit 16 bits of length are digested."""
    if len(line) < 65536:
        return line
    return (b'{"line_sha256":"%s","length":%d}'
            % (hashlib.sha256(line).hexdigest().encode(), len(line)))


class Tree:
    """All levels of perfect subtrees over the leaves."""

    def __init__(self, leaves=()):
        self.levels = [[]]
        for leaf in leaves:
            self.add(leaf)

    def add(self, leaf):
        self.levels[0].append(leaf)
        level = 0
        while len(self.levels[level]) % 2 == 0:
            if level + 1 == len(self.levels):
                self.levels.append([])
            left, right = self.levels[level][-2:]
            self.levels[level + 1].append(node_hash(left, right))
            level += 1

    def hash_of(self, start, end):
        """MTH(D[start:end]) of ranges that the RFC's recursion asks for."""
        size = end - start
        if size == 0:
            return hashlib.sha256().digest()
        level = size.bit_length() - 1
        if size == 1 << level and start % size == 0:
            return self.levels[level][start >> level]
        split = 1 << (size - 1).bit_length() - 1
        return node_hash(self.hash_of(start, start + split), self.hash_of(start + split, end))

    def root(self, size=None):
        return self.hash_of(0, len(self.levels[0]) if size is None else size)


def _walk(place, last, proof):
    """(hash, it stands left, the place had an edge at it) for each step upwards."""
    for item in proof:
        if last == 0:
            raise Bad('the proof is too long')
        is_left = place & 1 == 1 or place == last
        yield item, is_left
        if is_left:
            while place & 1 == 0 and place != 0:
                place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    if last != 0:
        raise Bad('the proof is too short')


def check_inclusion(leaf, index, size, proof, root):
    if not 0 <= index < size:
        raise Bad('the index is outside the tree')
    have = leaf
    for item, is_left in _walk(index, size - 1, proof):
        have = node_hash(item, have) if is_left else node_hash(have, item)
    if have != root:
        raise Bad('the inclusion proof leads to another root')


def check_consistency(old, new, proof, old_root, new_root):
    if old > new:
        raise Bad('the old size is above the new one')
    if old in (0, new):
        if proof or (old == new and old_root != new_root):
            raise Bad('nothing was to prove')
        return
    if not proof:
        raise Bad('the proof is empty')
    if old & (old - 1) == 0:
        proof = [old_root, *proof]
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    have_old = have_new = proof[0]
    for item, is_left in _walk(place, last, proof[1:]):
        have_new = node_hash(item, have_new) if is_left else node_hash(have_new, item)
        have_old = node_hash(item, have_old) if is_left else have_old
    if (have_old, have_new) != (old_root, new_root):
        raise Bad('the consistency proof leads to other roots')


# Ed25519 (RFC 8032), slowly

_P = 2 ** 255 - 19
_L = 2 ** 252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P


def _add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    g, h = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number, point):
    sum_ = (0, 1, 1, 0)
    while number > 0:
        if number & 1:
            sum_ = _add(sum_, point)
        point, number = _add(point, point), number >> 1
    return sum_


def _point(data):
    number = int.from_bytes(data, 'little')
    y, odd = number & (1 << 255) - 1, number >> 255
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P != 0:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if y >= _P or (x * x - square) % _P != 0 or (x == 0 and odd):
        raise Bad('no point of the curve')
    x = _P - x if x & 1 != odd else x
    return x, y, 1, x * y % _P


_BASE = _point((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, 'little'))


def check_ed25519(public_key, message, signature):
    if len(signature) != 64:
        raise Bad('a signature has 64 bytes')
    number = int.from_bytes(signature[32:], 'little')
    if number >= _L:
        raise Bad('the signature is not reduced')
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    factor = int.from_bytes(digest, 'little') % _L
    left = _times(number, _BASE)
    right = _add(_point(signature[:32]), _times(factor, _point(public_key)))
    if (left[0] * right[2] - right[0] * left[2]) % _P or \
            (left[1] * right[2] - right[1] * left[2]) % _P:
        raise Bad('the signature is wrong')


# Notes, checkpoints, proofs (C2SP)

class Key:
    """A verifier key: <name>+<id>+<base64 of type and key>."""

    def __init__(self, vkey):
        self.name, identity, blob = vkey.split('+', 2)
        blob = base64.b64decode(blob, validate=True)
        self.type, self.public = blob[0], blob[1:]
        self.id = hashlib.sha256(self.name.encode() + b'\n' + blob).digest()[:4]
        if self.id.hex() != identity:
            raise Bad('the key has another id than it says')

    def check(self, text, signature):
        if self.type == ED25519:
            check_ed25519(self.public, text, signature)
            return None
        if self.type != COSIGNATURE:
            raise Bad(f'a key of type {self.type}')
        time = struct.unpack('>Q', signature[:8])[0]
        check_ed25519(self.public, b'cosignature/v1\ntime %d\n' % time + text, signature[8:])
        return time


class Checkpoint:
    """`note` checked: every signature of a known key is right, and one of a log's key is there.
    `signers` are the vkeys that signed, `times` what cosigners say."""

    def __init__(self, note, vkeys, origin=None):
        head, separator, tail = note.rpartition(b'\n\n')
        if not separator or not tail.endswith(b'\n'):
            raise Bad('no signatures')
        text = head + b'\n'
        lines = text.decode().split('\n')
        self.origin, self.size, self.root = lines[0], int(lines[1]), base64.b64decode(lines[2])
        if len(lines) != 4 or str(self.size) != lines[1] or len(self.root) != 32:
            raise Bad('not the three lines of a checkpoint')
        if origin is not None and self.origin != origin:
            raise Bad(f'the checkpoint of {self.origin}')
        known = {(key.name, key.id): (vkey, key)
                 for vkey, key in ((vkey, Key(vkey)) for vkey in vkeys)}
        self.signers, self.times, self.unknown = [], [], 0
        for line in tail.decode().split('\n')[:-1]:
            if not line.startswith(MARK):
                raise Bad('a signature line without its mark')
            name, blob = line[len(MARK):].split(' ')
            blob = base64.b64decode(blob, validate=True)
            vkey, key = known.get((name, blob[:4]), (None, None))
            if key is None:
                self.unknown += 1
                continue
            time = key.check(text, blob[4:])
            self.signers.append(vkey)
            self.times += [] if time is None else [time]
        if not any(Key(vkey).type == ED25519 for vkey in self.signers):
            raise Bad('no known log key signed')


def check_proof(text, entry, vkeys, origin=None):
    """An offline proof file (c2sp.org/tlog-proof@v1). Returns its checkpoint and index."""
    head, separator, note = text.partition(b'\n\n')
    lines = head.decode().split('\n')
    if not separator or lines.pop(0) != 'c2sp.org/tlog-proof@v1':
        raise Bad('not a proof')
    if lines[0].startswith('extra '):
        base64.b64decode(lines.pop(0)[len('extra '):], validate=True)
    word, index = lines.pop(0).split(' ')
    if word != 'index' or str(int(index)) != index:
        raise Bad('no index')
    checkpoint = Checkpoint(note, vkeys, origin)
    hashes = [base64.b64decode(line, validate=True) for line in lines]
    check_inclusion(leaf_hash(entry), int(index), checkpoint.size, hashes, checkpoint.root)
    return checkpoint, int(index)


# Tiles (c2sp.org/tlog-tiles)

def tile_index(number):
    groups = [f'{number % 1000:03d}']
    while number >= 1000:
        number //= 1000
        groups.insert(0, f'x{number % 1000:03d}')
    return '/'.join(groups)


def tile_path(level, number, width=256):
    return f'/tile/{level}/{tile_index(number)}' + ('' if width == 256 else f'.p/{width}')


def split_bundle(data):
    entries = []
    while data:
        size = struct.unpack('>H', data[:2])[0]
        if len(data) < 2 + size:
            raise Bad('a bundle ends inside an entry')
        entries.append(data[2:2 + size])
        data = data[2 + size:]
    return entries
