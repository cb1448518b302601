# SPDX-License-Identifier: Apache-2.0
"""JSON Schema against another implementation: generated schemas and documents, valid or not?

The other one is Debian's python3-jsonschema. It takes numbers as Decimal here, so that it does not
round, and patterns and formats are of the kinds on which both agree by their documents. The seed is
fixed, so that a failure can be looked at again; `validate_differential.py PROGRAM SEED COUNT` asks
for others.
"""
import decimal
import json
import random
import subprocess
import sys

from harness import PROGRAM, Wrong, finish, step

try:
    import jsonschema
except ImportError:
    print('1..0 # SKIP python3-jsonschema is not installed')
    sys.exit(0)

SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 20260115
COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else 3000
NUMBERS = ['0', '-0', '1', '2', '3', '-1', '10', '0.1', '0.3', '0.30000000000000004', '1.0', '1e0',
           '2.50', '9007199254740992', '9007199254740993', '1e400', '1e-400', '100e-2', '19.99',
           '-7.25']
STRINGS = ['', 'a', 'b', 'ab', 'abc', 'a-1', 'B7', '\u00e4', '\U0001f600', 'a\u00e4\U0001f600',
           '1.2.3.4', '::1', '2024-02-29', '2023-02-29', '1.2.3', '256.1.1.1', '1::2::3', 'a/b',
           'a~b', 'true', '1']
NAMES = ['a', 'b', 'c', 'ab', 'a/b', 'a~b', '\u00e4', 'a-1']
PATTERNS = ['^a', 'b$', '^[a-z]+$', '^.$', '[0-9]', '^a?b*c?$', '(a|b)-', '^$', '^(ab|a-1)$']
FORMATS = ['ipv4', 'ipv6', 'date']
TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']


class Text(str):
    """JSON as text: what json.dumps() would round."""


def dump(value):
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, dict):
        return '{' + ','.join(f'{json.dumps(k, ensure_ascii=False)}:{dump(v)}'
                              for k, v in value.items()) + '}'
    if isinstance(value, list):
        return '[' + ','.join(dump(v) for v in value) + ']'
    return json.dumps(value, ensure_ascii=False)


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def value(self, depth=3):
        pick = self.random.random()
        if depth > 0 and pick < 0.22:
            return {name: self.value(depth - 1) for name in self.names(4)}
        if depth > 0 and pick < 0.44:
            return [self.value(depth - 1) for _ in range(self.random.randrange(5))]
        if pick < 0.66:
            return Text(self.random.choice(NUMBERS))
        if pick < 0.88:
            return self.random.choice(STRINGS)
        return self.random.choice([True, False, None])

    def shuffled(self, value):
        """The same value, members in another order."""
        if isinstance(value, list):
            return [self.shuffled(element) for element in value]
        if isinstance(value, dict):
            return {name: self.shuffled(value[name])
                    for name in self.random.sample(list(value), len(value))}
        return value

    def near(self, schema, depth=4):
        """A value that the schema has something to say about."""
        if not isinstance(schema, dict) or depth == 0 or self.random.random() < 0.15:
            return self.value(2)
        name = self.random.choice(list(schema))
        inside = schema[name]
        if name in ('const', 'enum'):
            return self.shuffled(inside if name == 'const' else self.random.choice(inside))
        if name in ('properties', 'required', 'dependentRequired', 'additionalProperties',
                    'propertyNames'):
            known = schema.get('properties', {})
            names = set(self.names(3)) | set(self.random.sample(list(known),
                                                                len(known) // 2 + len(known) % 2))
            return {key: self.near(known.get(key, schema.get('additionalProperties')), depth - 1)
                    for key in sorted(names)}
        if name in ('items', 'contains', 'prefixItems', 'uniqueItems', 'minItems', 'maxItems',
                    'maxContains'):
            of = [*schema.get('prefixItems', []), schema.get('items'), schema.get('contains')]
            made = [self.near(self.random.choice(of), depth - 1)
                    for _ in range(self.random.randrange(5))]
            return made + self.shuffled(made[:1]) if self.random.random() < 0.3 else made
        if name in ('allOf', 'anyOf', 'oneOf'):
            return self.near(self.random.choice(inside), depth - 1)
        if name in ('not', 'if', 'then', 'else'):
            return self.near(inside, depth - 1)
        return self.value(3)

    def names(self, most):
        return self.random.sample(NAMES, self.random.randrange(most + 1))

    def count(self):
        return Text(self.random.choice(['0', '1', '2', '3', '1.0', '2e0']))

    def number(self):
        return Text(self.random.choice(NUMBERS))

    def schemas(self, depth):
        return [self.schema(depth) for _ in range(self.random.randrange(1, 4))]

    def deeper(self, depth):
        """A schema of something inside: here a reference cannot go round in circles."""
        if self.random.random() < 0.12:
            return {'$ref': self.random.choice(['#', '#/$defs/x', '#/$defs/a~1b%20~0'])}
        return self.schema(depth)

    def keyword(self, name, depth):
        choice = self.random.choice
        if name == 'type':
            some = self.random.sample(TYPES, self.random.randrange(1, 4))
            return some if self.random.random() < .5 else choice(TYPES)
        if name == 'enum':
            return [self.value(2) for _ in range(self.random.randrange(1, 5))]
        if name == 'const':
            return self.value(2)
        if name in ('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'):
            return self.number()
        if name == 'multipleOf':
            return Text(choice(['1', '2', '0.1', '0.01', '3', '0.25', '1e-3', '1.50', '7']))
        if name in ('pattern', 'format'):
            return choice(PATTERNS if name == 'pattern' else FORMATS)
        if name == 'uniqueItems':
            return self.random.random() < 0.8
        if name in ('allOf', 'anyOf', 'oneOf'):
            return self.schemas(depth)
        if name in ('not', 'if', 'then', 'else', 'propertyNames'):
            return self.schema(depth)
        if name in ('items', 'contains', 'additionalProperties'):
            return self.deeper(depth)
        if name == 'prefixItems':
            return [self.deeper(depth) for _ in range(self.random.randrange(1, 4))]
        if name == 'properties':
            return {key: self.deeper(depth) for key in self.names(4)}
        if name == 'patternProperties':
            return {choice(PATTERNS): self.deeper(depth)
                    for _ in range(self.random.randrange(1, 3))}
        if name == 'required':
            return self.names(3)
        if name == 'dependentRequired':
            return {key: self.names(2) for key in self.names(2)}
        return self.count()

    def schema(self, depth=3):
        if depth == 0 or self.random.random() < 0.06:
            return self.random.random() < 0.7
        names = self.random.sample(KEYWORDS, self.random.randrange(1, 5))
        return {name: self.keyword(name, depth - 1) for name in names}

    def root(self):
        schema = self.schema()
        if not isinstance(schema, dict):
            return schema
        schema['$defs'] = {'x': self.schema(2), 'a/b ~': self.schema(1)}
        return schema


KEYWORDS = ['type', 'type', 'enum', 'const', 'properties', 'properties', 'required',
            'additionalProperties', 'patternProperties', 'propertyNames', 'minProperties',
            'maxProperties', 'items', 'items', 'prefixItems', 'contains', 'minContains',
            'maxContains', 'minItems', 'maxItems', 'uniqueItems', 'minimum', 'maximum',
            'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength',
            'pattern', 'format', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else',
            'dependentRequired']


def is_number(_checker, value):
    return isinstance(value, (int, decimal.Decimal)) and not isinstance(value, bool)


def is_integer(checker, value):
    return is_number(checker, value) and value == value // 1


def same(left, right):
    """Equality as the specification has it: True is not 1, however deep it stands."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if is_number(None, left) and is_number(None, right):
        return left == right
    return type(left) is type(right) and left == right


def enum(_validator, values, instance, _schema):
    if not any(same(value, instance) for value in values):
        yield jsonschema.ValidationError('enum')


def const(_validator, value, instance, _schema):
    if not same(value, instance):
        yield jsonschema.ValidationError('const')


def unique(_validator, wanted, instance, _schema):
    if wanted and isinstance(instance, list) and any(
            same(a, b) for i, a in enumerate(instance) for b in instance[:i]):
        yield jsonschema.ValidationError('uniqueItems')


def oracle():
    """The other implementation, but for equality: Debian's version takes [true] for [1]."""
    base = jsonschema.Draft202012Validator
    checker = base.TYPE_CHECKER.redefine('number', is_number).redefine('integer', is_integer)
    return jsonschema.validators.extend(
        base, {'enum': enum, 'const': const, 'uniqueItems': unique}, type_checker=checker)


def load(text):
    return json.loads(text, parse_float=decimal.Decimal)


def compare(seed, count):
    maker = Maker(seed)
    pairs = []
    while len(pairs) < count:
        schema = maker.root()
        pairs += [(dump(schema), dump(maker.near(schema))) for _ in range(4)]
    sent = ''.join(f'{schema}\n{document}\n' for schema, document in pairs)
    run = subprocess.run([PROGRAM], input=sent.encode(), stdout=subprocess.PIPE, check=True)
    answers = run.stdout.decode().splitlines()
    if len(answers) != len(pairs):
        raise Wrong(f'{len(answers)} answers to {len(pairs)} questions')
    validator = oracle()
    formats = jsonschema.FormatChecker(FORMATS)
    verdicts = {'valid': 0, 'invalid': 0}
    for (schema, document), answer in zip(pairs, answers):
        is_valid = validator(load(schema), format_checker=formats).is_valid(load(document))
        expected = 'valid' if is_valid else 'invalid'
        if answer != expected:
            raise Wrong(f'{answer}, expected {expected}\n{schema}\n{document}')
        verdicts[expected] += 1
    return verdicts


decimal.getcontext().prec = 1000
with step('both say the same about every pair'):
    seen = compare(SEED, COUNT)
    if min(seen.values()) < COUNT // 10:
        raise Wrong(f'the documents are too much alike: {seen}')
finish()
