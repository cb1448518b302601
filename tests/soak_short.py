# SPDX-License-Identifier: Apache-2.0
"""The soak can fail, and fifteen seconds of it do not. ./dev soak goes on for as long as asked."""
import signal

from harness import Server, equal, finish, step, true, wait_until
from measure import Machine
from soak import BATCH, Soak, faults_of, judge, missing

STEADY = {'anon_kib': 40000, 'descriptors': 30, 'threads': 11, 'wal_bytes': 64 << 20, 'events': 0,
          'cpu_s': 0}


def samples_of(slower=None, **grown):
    """Forty samples in which something grows to so many times what it was; requests too."""
    samples = []
    for at in range(40):
        part = at / 39
        sample = {name: value * (1 + (grown.get(name, 1) - 1) * part)
                  for name, value in STEADY.items()}
        sample['events'] = at * 10000
        sample['cpu_s'] = at * (1 + (grown.get('cpu_s', 1) - 1) * part)
        sample['ms'] = {kind: [ms * (1 + ((slower or {}).get(kind, 1) - 1) * part)] * 10
                        for kind, ms in (('alive', 2), ('write', 30), ('story', 8))}
        samples.append(sample | {'at_s': at + 1})
    return samples


with step('what is steady is taken for steady'):
    equal(faults_of(judge(samples_of())), [])
for grown, what in (({'anon_kib': 2}, 'memory'), ({'descriptors': 3}, 'descriptors'),
                    ({'threads': 2}, 'threads'), ({'wal_bytes': 5}, 'write-ahead log'),
                    ({'cpu_s': 4}, 'CPU'), ({'slower': {'story': 6}}, 'story p50')):
    with step(f'growth is found: {what}'):
        found = faults_of(judge(samples_of(**grown)))
        true(found and all(what.split()[0] in line for line in found), f'found {found}')
with step('a machine that got slower is not held against the server'):
    equal(faults_of(judge(samples_of(slower={'alive': 9, 'write': 9, 'story': 9}))), [])

with step('a server that a signal stops for a moment is known to have stood still'):
    with Server() as server, Machine(server) as machine:
        server.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: machine.stood_still_s(0.5) > 0, 'it stood still')
        server.process.send_signal(signal.SIGCONT)
        true(machine.stood_still(0.5, 60), 'it is forgotten')

TWO = [(0, 0, 2 * BATCH - 1), (BATCH, 0, 2 * BATCH - 1)]
LOG = list(enumerate([*range(BATCH, 2 * BATCH), *range(BATCH)]))  # the second batch came first
with step('a log that has what was acknowledged is taken for it'):
    equal(missing(TWO, LOG), None)
for sentence, batches, log in (
        ('an event is lost', TWO, LOG[:-1]),
        ('a batch is lost', TWO, LOG[:BATCH]),
        ('an event is there twice', TWO, LOG[:-1] + [(2 * BATCH - 1, 0)]),
        ('an event was never acknowledged', TWO, LOG + [(2 * BATCH, 2 * BATCH)]),
        ('a place is missing', TWO, LOG[:5] + LOG[6:]),
        ('an event is elsewhere', [(0, 0, BATCH - 1), TWO[1]], LOG)):
    with step(f'found wanting: {sentence}'):
        true(missing(batches, log) is not None, 'it was not found')

with step('a short soak: nothing grows, nothing is lost, the ledger is whole'):
    soak = Soak(15, 2000)
    is_well = soak.run()
    for line in soak.table():
        print(f'# {line}')
    true(is_well, '\n'.join(soak.faults))
finish()
