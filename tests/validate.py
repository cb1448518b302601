# SPDX-License-Identifier: Apache-2.0
"""POST /api/v1/validate: a document against rules that come with it; nothing of it is stored."""
import re

from harness import OWN, Server, contains, equal, finish, step, true, wait_until

VALIDATE = '/api/v1/validate'
ORDER = {'amount': 120, 'currency': 'EUR', 'items': [{'sku': 'A-1', 'count': 0}]}
CASES = (
    # a rule, the status, what the violation says of field and found value
    ({'type': 'range', 'field': 'amount', 'min': 1, 'max': 1000}, 'passed', None),
    ({'type': 'range', 'field': 'amount', 'min': 1, 'max': 100}, 'failed', ('amount', 120)),
    ({'type': 'range', 'field': 'amount', 'max': 100, 'severity': 'warning'}, 'warning',
     ('amount', 120)),
    ({'type': 'pattern', 'field': 'items.0.sku', 'pattern': '^[A-Z]-[0-9]+$'}, 'passed', None),
    ({'type': 'pattern', 'field': 'currency', 'pattern': '^[a-z]+$'}, 'failed',
     ('currency', 'EUR')),
    ({'type': 'enum', 'field': 'currency', 'valid_options': ['EUR', 'USD']}, 'passed', None),
    ({'type': 'enum', 'field': 'currency', 'valid_options': ['GBP']}, 'failed',
     ('currency', 'EUR')),
    ({'type': 'required', 'field': 'customer'}, 'failed', ('customer', None)),
    ({'type': 'required', 'fields': ['amount', 'currency']}, 'passed', None),
    ({'type': 'constraint', 'expression': 'data.amount>100 data.currency:EUR'}, 'passed', None),
    ({'type': 'constraint', 'expression': 'data.items.count>0'}, 'failed', None),
    ({'type': 'schema', 'schema': {'type': 'object', 'required': ['amount']}}, 'passed', None),
    ({'type': 'schema', 'schema': {'properties': {'amount': {'maximum': 1}}}}, 'failed', None),
)


def ask(server, *rules, output=None):
    return server.post(VALIDATE, {'output': ORDER if output is None else output,
                                  'rules': [{'name': f'r{n}'} | rule
                                            for n, rule in enumerate(rules)]})


def judged(server):
    for rule, status, about in CASES:
        with step(f'{rule["type"]} is {status}: {rule}'):
            answer = ask(server, rule).expect(200).json()
            equal((answer['status'], answer['is_valid']), (status, status != 'failed'))
            equal(len(answer['violations']), 0 if status == 'passed' else 1)
            if about:
                violation = answer['violations'][0]
                equal((violation['rule_name'], violation['violation_type'], violation['field'],
                       violation['found_value']), ('r0', rule['type'], *about))
    with step('the answer has an id and says how long it took'):
        answer = ask(server).expect(200).json()
        true(re.fullmatch('val_[0-9a-f]{16}', answer['validation_id']), answer['validation_id'])
        true(answer['latency_ms'] < 5000 and answer['timestamp'], f'{answer}')
        equal(answer['auto_corrected'], False)


def registered(server):
    with step('a registered schema is named by a rule, or by the request'):
        server.post('/api/v1/schemas', {'event_type': 'order.paid', 'mode': 'off', 'schema': {
            'properties': {'amount': {'maximum': 119.99}}}}).expect(201)
        answer = ask(server, {'type': 'schema', 'event_type': 'order.paid'}).expect(200).json()
        equal([(v['field'], v['expected_value']) for v in answer['violations']],
              [('amount', 119.99)])
        for document, status in ((ORDER, 'failed'), (ORDER | {'amount': 1}, 'passed')):
            answer = server.post(VALIDATE, {'output': document, 'event_type': 'order.paid'})
            equal(answer.expect(200).json()['status'], status)
    with step('one that is not registered, or another organisation\'s, is refused with its place'):
        org = server.post('/api/v1/organizations', {'name': 'other'}).expect(201).json()['id']
        server.post(f'/api/v1/schemas?org={org}',
                    {'event_type': 'their.own', 'schema': {}}).expect(201)
        for name in ('order.sent', 'their.own'):
            problem = ask(server, {'type': 'schema', 'event_type': name}).expect_problem(400)
            equal(problem['pointer'], '/rules/0/event_type')
            problem = server.post(VALIDATE, {'output': 1, 'event_type': name}).expect_problem(400)
            equal(problem['pointer'], '/event_type')
            contains(str(problem), f'no schema is registered for {name}')


def refused(server):
    for rule, said in (({'type': 'semantic'}, 'semantic'), ({'type': 'range', 'field': 'a'}, ''),
                       ({'type': 'pattern', 'field': 'a', 'pattern': '('}, ''),
                       ({'type': 'constraint', 'expression': '__import__("os")'}, ''),
                       ({'type': 'enum', 'field': 'a', 'valid_options': [1], 'colour': 1},
                        'colour'),
                       ({'type': 'schema', 'schema': {'typo': 1}}, 'typo')):
        with step(f'refused: {rule}'):
            contains(str(ask(server, rule).expect_problem(400)), said)
    with step('refused: without a key, and with one that may not'):
        server.request('POST', VALIDATE, b'{}', {'Content-Type': 'application/json'},
                       key=None).expect_problem(401)
    with step('the path and the errors that clients of TruthChain know'):
        answer = under_test.post('/v1/validate', {'output': ORDER, 'rules': []}).expect(200)
        equal(answer.json()['status'], 'passed')
        answer = under_test.post('/v1/validate', {'rules': [{'type': 'semantic', 'name': 'r'}]})
        equal(answer.status, 400)
        true('detail' in answer.json(), answer.body)
        key = under_test.post('/v1/auth/api-keys', {'name': 'n'}).expect(201).json()
        rotated = under_test.post(f'/v1/auth/api-keys/{key["id"]}/rotate', {}).expect(200).json()
        equal(sorted(rotated), ['message', 'new_key', 'old_key'])
    with step('what is much too much ends, and is no verdict'):
        deep = []
        for _ in range(70):
            deep = [deep]
        true(ask(server, output=deep).status in (400, 413), 'depth')
        true(ask(server, {'type': 'pattern', 'field': 'a', 'pattern': '(a+)+$'},
                 output={'a': 'a' * 60 + 'b'}).status in (200, 400, 413), 'a hostile pattern')
        server.must_live()


with Server('--access-events', 'default') as under_test:
    judged(under_test)
    registered(under_test)
    refused(under_test)
    with step('ING-31: each request leaves an event, and nothing of its document'):
        wait_until(lambda: len(under_test.query(event_type='validation.request', limit=1000)
                               ['data']) >= len(CASES) + 1, 'the events')
        found = under_test.query(event_type='validation.request', limit=1000)['data']
        equal({item['event_category'] for item in found}, {'validation'})
        true('EUR' not in str(found), 'the document')
        true(under_test.size() > OWN, 'events')
finish()
