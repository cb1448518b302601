#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""openapi.py [--check] CONTRACT_TABLES: writes docs/openapi.yaml, or says how it differs.

Paths, methods, scopes, lifecycles, kinds and fields come from the program's own tables
(CONTRACT_TABLES prints them); words, parameters, answers and how to provoke each stand in
src/api/contract (its README.md says how to write them). A route without an entry there, or an entry
without a route, ends this with a sentence that says what to do. tests/contract.py asks a server for
every answer by the same entries.
"""
import copy
import difflib
import json
import pathlib
import re
import subprocess
import sys

try:
    import yaml
except ImportError:
    print('openapi: python3-yaml is not installed')
    sys.exit(77)  # what Meson calls skipped

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONTRACT = ROOT / 'src/api/contract'
DOCUMENT = ROOT / 'docs/openapi.yaml'
EXAMPLES = CONTRACT / 'examples.yaml'
STATUS_NAMES = {
    '400': 'Invalid', '401': 'Unauthorized', '403': 'Denied', '404': 'NotFound', '409': 'Conflict',
    '410': 'Gone', '412': 'Changed', '413': 'TooLarge', '415': 'UnsupportedType',
    '429': 'LimitReached', '500': 'Internal', '503': 'Busy', '507': 'Full', '5XX': 'ServerError'}
LEGACY = {'error': 'LegacyError', 'detail': 'LegacyDetail', 'status': 'LegacyStatus'}
TIME = r'^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$'
BODY_BYTES_MAX = 64 * 1024  # of routes that state none (http/server.h)
STREAM_BYTES = 2 ** 40  # more than any setting lets a stream have


class Mistake(Exception):
    """What somebody who adds a route has to mend."""


# ---- YAML that refuses a key given twice, and is written for people

class Loader(yaml.SafeLoader):
    pass


def _mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value if key.value != '<<']
    for key in keys:
        if keys.count(key) > 1:
            raise Mistake(f'{node.start_mark.name}, line {node.start_mark.line + 1}: {key} is '
                          'given twice')
    return loader.construct_mapping(node, deep=True)


Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
# Times stay the texts they are.
Loader.yaml_implicit_resolvers = {
    first: [(tag, regex) for tag, regex in resolvers if tag != 'tag:yaml.org,2002:timestamp']
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


class Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def _text(dumper, text):
    return dumper.represent_scalar('tag:yaml.org,2002:str', text,
                                   style='|' if '\n' in text.rstrip('\n') else None)


Dumper.add_representer(str, _text)


def load(path):
    try:
        with open(path, encoding='utf-8') as file:
            return yaml.load(file, Loader) or {}
    except yaml.YAMLError as problem:
        raise Mistake(f'no YAML: {problem}') from problem


def dump(value):
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110)


# ---- Schemas, from their short form

NULLABLE = '|null'
SIMPLE = {
    'any': {},
    'uuid': {'type': 'string', 'format': 'uuid'},
    'time': {'type': 'string', 'format': 'date-time', 'pattern': TIME},
    'date': {'type': 'string', 'format': 'date'},
    'hash': {'type': 'string', 'pattern': '^[0-9a-f]{64}$'},
}


def nullable(schema):
    if isinstance(schema.get('type'), str):
        return schema | {'type': [schema['type'], 'null']} | (
            {'enum': schema['enum'] + [None]} if 'enum' in schema else {})
    return {'anyOf': [schema, {'type': 'null'}]}


def schema_of(short, shapes):
    """A JSON Schema from what the files of the contract write."""
    if isinstance(short, str):
        return _schema_of_text(short)
    schema = dict(short)
    about = schema.pop('about', None)
    for name in ('items', 'additionalProperties'):
        if isinstance(schema.get(name), (str, dict)):
            schema[name] = schema_of(schema[name], shapes)
    for name in ('anyOf', 'oneOf'):
        if name in schema:
            schema[name] = [schema_of(one, shapes) for one in schema[name]]
    if 'properties' in schema:
        schema['properties'] = {key: schema_of(one, shapes)
                                for key, one in schema['properties'].items()}
    if 'members' in schema or 'extends' in schema:
        schema = _closed(members_of(schema, shapes), shapes)
    return ({'description': about} if about else {}) | schema


def _schema_of_text(text):
    kind, _, about = text.partition(' -- ')
    kind = kind.strip()
    is_null = kind.endswith(NULLABLE)
    kind = kind.removesuffix(NULLABLE)
    is_list = kind.endswith('[]')
    kind = kind.removesuffix('[]')
    if kind.startswith('enum '):
        schema = {'type': 'string', 'enum': kind.split()[1:]}
    elif kind in SIMPLE:
        schema = dict(SIMPLE[kind])
    elif kind[0].isupper():
        schema = {'$ref': f'#/components/schemas/{kind}'}
    else:
        schema = {'type': kind}
    if is_list:
        schema = {'type': 'array', 'items': schema}
    if is_null:
        schema = nullable(schema)
    return schema | ({'description': about.strip()} if about else {})


def members_of(short, shapes):
    """Those of the shape that it extends, and its own."""
    if short.get('extends', 'Problem') not in shapes:
        raise Mistake(f'there is no shape {short["extends"]} to extend')
    below = shapes[short['extends']] if 'extends' in short else {}
    if 'closed' in below:  # of a kind: a schema that is made already
        return dict(below['closed']) | short.get('members', {})
    return (members_of(below, shapes) if below else {}) | short.get('members', {})


def _closed(members, shapes):
    properties = {name.removesuffix('?'): schema_of(one, shapes) for name, one in members.items()}
    required = [name for name in members if not name.endswith('?')]
    return {'type': 'object', 'properties': properties} | (
        {'required': required} if required else {}) | {'additionalProperties': False}


# ---- Events, from fields.def

def field_schema(field):
    schema = {
        'uuid': {'type': 'string', 'format': 'uuid'},
        'time': dict(SIMPLE['time']),
        'text': {'type': 'string', 'maxLength': field['max']},
        'address': {'type': 'string'},
        'choice': {'type': 'string', 'enum': field['choices']},
        'integer': {'type': 'integer', 'minimum': 0, 'maximum': field['max']},
        'boolean': {'type': 'boolean'},
        'json': {},
    }[field['type']]
    return dict(schema)


ALWAYS = ('event_id', 'event_timestamp', 'recorded_at', 'org', 'event_type', 'event_category',
          'event_action')


def event_schemas(fields):
    shown = {field['name']: field_schema(field) for field in fields}
    shown |= {'seq': {'type': 'integer', 'description': 'its place in the log, from 0'},
              'leaf_hash': dict(SIMPLE['hash'], description='what the tree holds of it'),
              'also': {'type': 'array', 'items': {'type': 'integer'},
                       'description': 'other places with this id, of repeats that came very late'}}
    sent = {}
    for field in fields:
        if not field['server']:
            schema = field_schema(field)
            schema.pop('pattern', None)  # any RFC 3339
            also = ', '.join(f'`{name}`' for name in field['other_names'].split())
            if field['type'] == 'choice':  # in any letter case
                schema = {'type': 'string', 'examples': field['choices']}
            sent[field['name']] = schema | ({'description': f'also {also}'} if also else {})
    closed = {'type': 'object', 'additionalProperties': False}
    required = [*ALWAYS, 'seq', 'leaf_hash']
    return {
        'Event': {'description': 'An event as it is kept. What it lacks is left out.'} | closed | {
            'properties': shown, 'required': required},
        'EventPart': {'description': 'Those members that `fields=` names.'} | closed | {
            'properties': shown},
        'TimelineEvent': closed | {
            'properties': shown | {'depth': {'type': 'integer', 'minimum': 0}},
            'required': ['depth']},
        'EventInput': {
            'description': 'An event as it is sent. Members that are no fields are kept in '
                           '`event_metadata`; `org`, `recorded_at` and `source_format` are the '
                           'server\'s alone.',
            'type': 'object', 'properties': sent, 'required': ['event_type']},
    }


def fields_parameter(fields):
    searched = {field['name']: {'type': 'string'} for field in fields if field['type'] != 'json'}
    return {
        'name': 'field', 'in': 'query', 'style': 'form', 'explode': True,
        'description': 'Any field of an event, and `data.<path>` or `metadata.<path>`: '
                       '`actor_id=alice`, `event_type=user.*`, `event_outcome=!success`.',
        'schema': {'type': 'object', 'properties': searched,
                   'additionalProperties': {'type': 'string'}},
        'example': {'event_type': 'user.*'}}


# ---- Kinds, from src/kinds

def pascal(name):
    return ''.join(word.capitalize() for word in re.split(r'[^A-Za-z0-9]+', name) if word)


def value_schema(field):
    least, most = field['least'], field['most']
    schema = {
        'text': {'type': 'string', 'minLength': least, 'maxLength': most},
        'name': {'type': 'string', 'minLength': least, 'maxLength': most},
        'host': {'type': 'string', 'format': 'hostname', 'maxLength': most},
        'email': {'type': 'string', 'format': 'email', 'maxLength': most},
        'url': {'type': 'string', 'format': 'uri', 'maxLength': most},
        'integer': {'type': 'integer', 'minimum': least, 'maximum': most},
        'boolean': {'type': 'boolean'},
        'choice': {'type': 'string', 'enum': field['choices']},
        'choices': {'type': 'array', 'items': {'type': 'string', 'enum': field['choices']},
                    'uniqueItems': True},
        'names': {'type': 'array', 'items': {'type': 'string', 'maxLength': 100},
                  'maxItems': most},
        'time': {'type': 'string', 'format': 'date-time'},
        'filter': {'type': 'string', 'maxLength': most}, 'document': {'type': 'object'},
        'reference': {'type': 'string', 'maxLength': most},
    }[field['type']]
    return dict(schema)


def shown_members(kind):
    members = {'id': {'type': 'string'}}
    for field in kind['fields']:
        flags = field['flags']
        if 'hidden' in flags:
            continue
        if 'secret' in flags:
            members[f'{field["name"]}_set'] = {
                'type': 'boolean', 'description': 'whether there is one; it is not shown'}
            continue
        schema = value_schema(field)
        schema.pop('minLength', None)
        if 'required' not in flags and field['fallback'] is None:
            schema = nullable(schema)
        members[field['name']] = schema | {'description': field['about']}
    times = {'type': 'string', 'format': 'date-time', 'pattern': TIME}
    return members | {'created_at': times, 'updated_at': times}


def sent_members(kind, is_patch):
    members = {}
    for field in kind['fields']:
        flags = field['flags']
        if 'hidden' in flags:
            continue
        schema = value_schema(field)
        is_free = 'required' not in flags
        if is_free:
            schema = nullable(schema)
        made = '; as it was made' if 'immutable' in flags else ''
        shown = '; never shown' if 'secret' in flags else ''
        schema['description'] = field['about'] + made + shown
        if field['fallback'] is not None and not is_patch:
            schema['default'] = field['fallback']
        if 'read_only' in flags:
            schema['readOnly'] = True
        mark = '?' if is_free or is_patch or 'read_only' in flags else ''
        members[field['name'] + mark] = schema
    return members | {'reason?': {'type': 'string', 'description': 'why; kept with the change'}}


def kind_shapes(kinds):
    shapes = {}
    for kind in kinds:
        one = pascal(kind['singular'])
        shapes[one] = {'about': kind['about'] + '.', 'closed': shown_members(kind)}
        shapes[f'{one}Page'] = {'members': {'data': f'{one}[]', 'page': 'Page'}}
        shapes[f'{one}Input'] = {'closed': sent_members(kind, False)}
        shapes[f'{one}Patch'] = {'closed': sent_members(kind, True)}
    return shapes


# ---- Entries: what is written down for each route

def is_route(key):
    return ' ' in key


def words_of(kind):
    one = kind['singular'].replace('-', ' ')
    return {'<One>': pascal(kind['singular']), '<Many>': pascal(kind['name']), '<one>': one,
            '<a one>': ('an ' if one[0] in 'aeiou' else 'a ') + one,
            '<Title>': kind['name'].replace('-', ' ').capitalize(), '<about>': kind['about']}


def put_words(value, words):
    """The template with the kind's own words, and what stands for whole values."""
    if isinstance(value, dict):
        return {put_words(key, words): put_words(one, words) for key, one in value.items()}
    if isinstance(value, list):
        return [put_words(one, words) for one in value]
    if isinstance(value, str):
        if value in words:
            return copy.deepcopy(words[value])
        for word, text in words.items():
            if word.startswith('<'):
                value = value.replace(word, text)
    return value


def as_list(value):
    return value if isinstance(value, list) else [value]


def examples():
    """Those that are kept; none where two branches wrote them: ./dev openapi makes them again."""
    try:
        return load(EXAMPLES) if EXAMPLES.exists() else {}
    except Mistake:
        return {}


class Contract:
    """Everything that is known of the API: operations, each with the tables' facts and its
    entry."""

    def __init__(self, program):
        run = subprocess.run([program], capture_output=True, text=True, check=True)
        self.tables = json.loads(run.stdout)
        self.common = load(CONTRACT / 'document.yaml')
        self.kinds = load(CONTRACT / 'kinds.yaml')
        self.examples = examples()
        self.entries, self.shapes = {}, kind_shapes(self.tables['kinds'])
        for path in sorted(CONTRACT.glob('*.yaml')):
            if path.name not in ('document.yaml', 'kinds.yaml', 'examples.yaml'):
                self._take(path)
        self.operations = []
        self._by_place = {}
        for route in self.tables['routes']:
            self._add(route)
        for place in self.entries:
            if place not in self._by_place:
                raise Mistake(f'{place} has an entry in src/api/contract, but is in no table of '
                              'routes: remove the '
                              f'entry, or add the route in src/api/routes.c')

    def _take(self, path):
        for key, value in load(path).items():
            into = self.entries if is_route(key) else self.shapes
            if key in into:
                raise Mistake(f'{path.name}: {key} is there already')
            into[key] = value

    # An operation is its route's facts and the entry in one.

    def _add(self, route):
        place = f'{route["method"]} {route["path"]}'
        if route['life']['is_removed']:
            self._by_place[place] = None
            return
        entry = self._entry_of(route, place)
        operation = entry | {
            'place': place, 'method': route['method'], 'route': route,
            'path': re.sub(r'\{(\w+)\.\.\.\}', r'{\1}', route['path']),
            'answers': {str(status): dict(answer) for status, answer in entry['answers'].items()}}
        for status, answer in self._common_answers(operation).items():
            operation['answers'].setdefault(status, {})
            answer['ask'] = as_list(operation['answers'][status].get('ask', [])) + answer['ask']
            operation['answers'][status] = (answer | operation['answers'][status] |
                                            {'ask': answer['ask']})
        operation['answers'] = dict(sorted(operation['answers'].items()))
        self.operations.append(operation)
        self._by_place[place] = operation

    def _entry_of(self, route, place):
        written = self.entries.get(place, {})
        if written and 'like' not in written:
            return written
        twin = self._by_place.get(written.get('like', route['twin']))
        if written:
            entry = self._entry_of_twin(route, twin)
            return entry | written | {'answers': entry['answers'] | {
                str(status): answer for status, answer in written.get('answers', {}).items()}}
        if twin is not None:
            return self._entry_of_twin(route, twin)
        if route['role'] is not None:
            return self._entry_of_kind(route)
        raise Mistake(f'{place} has no entry in src/api/contract: add one under that name (id, '
                      'tag, summary, query, '
                      f'body, answers), in the file of its resource; src/api/contract/README.md '
                      'says how')

    def _entry_of_kind(self, route):
        kind = next(kind for kind in self.tables['kinds'] if kind['name'] == route['kind'])
        sample = self.kinds['samples'].get(kind['name'])
        if sample is None:
            raise Mistake(f'the kind {kind["name"]} has no sample in src/api/contract/kinds.yaml: '
                          'add under "samples" '
                          f'a body that is enough to make one')
        path = route['path'].removesuffix('/{id}')
        create = f'POST {path}'
        words = words_of(kind) | {'MAKE': [{'call': create, 'body': sample['body']}],
                                  'CREATE': create, 'SAMPLE': sample['body'], 'SENT': '${sent}'}
        entry = put_words(self.kinds[route['role']], words)
        entry['tag'] = sample.get('tag', 'Configuration')
        entry['answers'] = entry['answers'] | sample.get(route['role'], {})
        if route['role'] == 'list':
            entry['query'] = [self._searched(field) for field in kind['fields']
                              if 'searched' in field['flags']] + entry['query']
        return entry

    def _searched(self, field):
        schema = value_schema(field)
        example = {'boolean': 'true', 'choice': (field['choices'] or [''])[0],
                   'integer': str(field['least'])}
        return {'name': field['name'], 'about': field['about'] + '.', 'schema': schema,
                'example': example.get(field['type'], 'none')}

    def _entry_of_twin(self, route, twin):
        legacy = route['legacy']
        entry = copy.deepcopy({name: twin[name] for name in twin
                               if name not in ('place', 'route', 'path', 'method')})
        words = re.sub(r'[^A-Za-z0-9]+', ' ', route['path'])
        slash = 'Slash' if route['path'].endswith('/') else ''
        entry['id'] = route['method'].lower() + pascal(words) + slash
        entry['twin'] = twin['id']
        shape = ', in the shape that clients of another system know' if legacy else ''
        entry['text'] = f'As `{twin["place"]}`{shape}.'
        entry['answers'] = {status: answer for status, answer in entry['answers'].items()
                            if not answer.get('derived') or answer.get('is_told')}
        if legacy:
            entry['tag'] = 'Other systems'
            self._put_legacy(route, entry, legacy)
        return entry

    def _put_legacy(self, route, entry, legacy):
        answer = entry['answers'].get('200', {})
        for name, canonical in legacy['params'].items():
            entry['query'] = entry['query'] + [
                {'name': name, 'about': f'As `{canonical}`.', 'schema': 'string'}]
        if legacy['list'] is None or answer.get('json') not in ('EventPage', 'Event'):
            return
        name = pascal(re.sub(r'\{.*', '', route['path']))
        fields = {field['name']: field for field in self.tables['fields']}
        row = {column['name']: nullable({'type': 'string'}) if column['is_text'] else
               self._column(fields[column['field']]) for column in legacy['list']['columns']}
        if answer['json'] == 'Event':
            answer['json'] = f'{name}Row' if row else 'Event'
            return
        if row:
            self.shapes[f'{name}Row'] = {'members': row}
        self.shapes[f'{name}List'] = {'members': {
            legacy['list']['name']: f'{name}Row[]' if row else 'Event[]'} | {
            key: self._form(value) for key, value in legacy['list']['page'].items()}}
        answer['json'] = f'{name}List'
        answer['headers'] = ['Link']

    @staticmethod
    def _column(field):
        schema = field_schema(field)
        return nullable(schema) if schema else schema

    def _form(self, value):
        if isinstance(value, dict):
            return {'members': {key: self._form(one) for key, one in value.items()}}
        return 'integer'

    # What any route of its sort may answer, and how to provoke it.

    def _common_answers(self, operation):
        route = operation['route']
        away = {'X-Forwarded-For': '203.0.113.7'} if route['open'] == 'loopback' else {}
        unknown = 'wrong' if route['open'] == 'all' else 'nobody'
        out = {'401': {'ask': [{'as': unknown, 'headers': away}]},
               '429': {'ask': [{'as': 'limited'}]},
               '503': {'ask': [{'server': 'uncounted', 'as': 'limited'}]}, '5XX': {'ask': []}}
        if route['scope'] and route['open'] != 'all':
            narrow = 'reader' if route['scope'] == 'events:write' else 'writer'
            out['403'] = {'ask': [{'as': narrow, 'headers': away}]}
        if route['method'] != 'GET':
            out['413'] = {'ask': [{'length': STREAM_BYTES if route['is_stream'] else
                                   (route['body_bytes_max'] or BODY_BYTES_MAX) + 1}]}
            out['415'] = {'ask': [{'headers': {'Content-Encoding': 'br'}, 'text': 'x'}]}
        return {status: answer |
                {'derived': True, 'is_told': bool(operation['answers'].get(status))}
                for status, answer in out.items()}

    def unprovoked(self, operation, status):
        listed = self.common['unprovoked']
        return listed.get(status) or listed.get(f'{operation["place"]} {status}')

    def variables(self, operation):
        return re.findall(r'\{(\w+)\}', operation['path'])

    def lookup(self, table, name, place):
        if name not in self.common[table]:
            raise Mistake(f'{place} names {name}, which is not among "{table}" in '
                          'src/api/contract/document.yaml: '
                          f'add what it means there, with an example')
        return self.common[table][name]

    # ---- The document

    def document(self):
        current = self.tables['versions'][0]['name']
        info = {'title': self.common['info']['title'], 'version': current} | self.common['info']
        document = {
            'openapi': '3.1.0', 'info': info, 'servers': self.common['servers'],
            'tags': [{'name': tag['name'], 'description': tag['about']}
                     for tag in self.common['tags']],
            'paths': {}, 'components': {}}
        self._responses, self._shared = {}, {}
        for operation in self.operations:
            paths = document['paths'].setdefault(operation['path'], {})
            paths[operation['method'].lower()] = self._operation(operation)
        schemas = event_schemas(self.tables['fields'])
        for name, shape in self.shapes.items():
            schemas[name] = self._shape(shape)
        document['components'] = {
            'securitySchemes': self.common['security'],
            'schemas': self._reached(schemas, document),
            'parameters': dict(sorted(self._shared.items())),
            'responses': dict(sorted(self._responses.items())),
            'headers': {name: self._header(header)
                        for name, header in self.common['headers'].items()}}
        return document

    def _reached(self, schemas, document):
        """Those that something refers to: a kind may have no routes yet."""
        found, look_at = {}, [document['paths'], self._responses]
        while look_at:
            for name in re.findall(r'#/components/schemas/(\w+)', json.dumps(look_at.pop())):
                if name not in schemas:
                    raise Mistake(f'something refers to the shape {name}, which is nowhere in '
                                  'src/api/contract')
                if name not in found:
                    found[name] = schemas[name]
                    look_at.append(schemas[name])
        return dict(sorted(found.items()))

    def _shape(self, shape):
        if 'closed' in shape:
            about = {'description': shape['about']} if 'about' in shape else {}
            members = shape['closed']
            required = [name for name in members if not name.endswith('?')]
            return about | {
                'type': 'object',
                'properties': {name.removesuffix('?'): one for name, one in members.items()},
                'additionalProperties': False} | ({'required': required} if required else {})
        return schema_of(shape, self.shapes)

    def _header(self, header):
        return {'description': header['about'], 'required': not header.get('optional', False),
                'schema': schema_of(header['schema'], self.shapes), 'example': header['example']}

    def _operation(self, operation):
        life = operation['route']['life']
        out = {'operationId': operation['id'], 'tags': [operation['tag']],
               'summary': operation['summary'], 'description': self._description(operation)}
        if operation['tag'] not in [tag['name'] for tag in self.common['tags']]:
            raise Mistake(f'{operation["place"]}: there is no tag {operation["tag"]} in '
                          'document.yaml')
        if life['is_deprecated']:
            out['deprecated'] = True
        out['security'] = self._security(operation['route'])
        parameters = self._parameters(operation)
        if parameters:
            out['parameters'] = parameters
        if 'body' in operation:
            out['requestBody'] = self._body(operation)
        out['responses'] = {status: self._response(operation, status, answer)
                            for status, answer in operation['answers'].items()}
        return {name: value for name, value in out.items() if value != ''}

    @staticmethod
    def _description(operation):
        route = operation['route']
        life = route['life']
        parts = [operation.get('text', '').strip()]
        if route['scope'] and route['open'] != 'all':
            open_to = {'loopback': ' unless asked from this machine',
                       'tiles': ' where tiles are not public'}
            of = ' in the first organisation' if route['reaches_all'] else ''
            parts.append(f'Needs the scope `{route["scope"]}`{of}{open_to.get(route["open"], "")}.')
        if life['introduced']:
            parts.append(f'There since version {life["introduced"]}; always answered in it or a '
                         'later one.')
        if life['is_deprecated']:
            successor = f' Use `{life["successor"]}`.' if life['successor'] else ''
            parts.append(f'Deprecated by version {life["deprecated"]}, gone on {life["sunset"]}.'
                         f'{successor}')
        return '\n\n'.join(part for part in parts if part)

    @staticmethod
    def _security(route):
        if route['open'] == 'all':
            return []
        scopes = [route['scope']] if route['scope'] else []
        keys = [{'bearer': scopes}, {'key': scopes}]
        return keys if route['open'] in ('none', 'known') else [{}, *keys]

    def _parameter(self, place, name, entry, is_required):
        schema = schema_of(entry['schema'], self.shapes)
        out = {'name': entry.get('name', name), 'in': place, 'description': entry['about']}
        out |= {'required': True} if is_required else {}
        out |= {'schema': schema}
        return out | ({'example': self._typed(schema, entry['example'])} if 'example' in entry
                      else {})

    @staticmethod
    def _typed(schema, example):
        return int(example) if schema.get('type') == 'integer' else example

    def _parameters(self, operation):
        place = operation['place']
        out = [self._share(name,
                           self._parameter('path', name, self.lookup('path', name, place), True))
               for name in self.variables(operation)]
        for name in operation.get('query', []):
            if name == 'EVENT_FIELDS':
                out.append(self._share('event-fields', fields_parameter(self.tables['fields'])))
            elif isinstance(name, dict):
                out.append(self._parameter('query', name['name'], name,
                                           name.get('required', False)))
            else:
                plain = name.removesuffix('!')
                out.append(self._share(plain, self._parameter('query', plain,
                                                              self.lookup('query', plain, place),
                                                              plain != name)))
        for name in operation.get('headers', []):
            entry = self.lookup('request_headers', name, place)
            out.append(self._share(name, self._parameter('header', name, entry, False)))
        return out

    def _share(self, name, parameter):
        if self._shared.setdefault(name, parameter) != parameter:
            raise Mistake(f'two parameters of different meaning are called {name}: give one of '
                          'them another name in '
                          f'document.yaml, and its own with `name:`')
        return {'$ref': f'#/components/parameters/{name}'}

    def _body(self, operation):
        content, is_required = {}, True
        example = self.examples.get(operation.get('twin', operation['id']), {}).get('request')
        for name, short in operation['body'].items():
            is_required = is_required and not name.endswith('?')
            kind = name.removesuffix('?')
            content[kind] = {'schema': schema_of(short, self.shapes)}
            if kind == 'application/json' and example is not None:
                content[kind]['example'] = example
        return {'required': is_required, 'content': content}

    def _response(self, operation, status, answer):
        if status[0] in '45' and not answer.get('json'):
            return self._error(operation, status, answer)
        out = {'description': answer['about']}
        headers = answer.get('headers', [])
        known = {name: self.common['headers'].get(name) for name in headers}
        if known:
            out['headers'] = {
                name: {'$ref': f'#/components/headers/{name}'} if header else
                {'required': True, 'schema': {'type': 'string'}} for name, header in known.items()}
        content = {}
        recorded = self.examples.get(operation['id'], {}).get('answers', {}).get(status)
        if recorded is None and 'twin' in operation and not operation['route']['legacy']:
            recorded = self.examples.get(operation['twin'], {}).get('answers', {}).get(status)
        if 'content' in answer:
            text = {} if answer['content'] == 'application/octet-stream' else {'type': 'string'}
            content[answer['content']] = {'schema': text} | (
                {'example': recorded} if isinstance(recorded, str) else {})
        if 'json' in answer:
            content['application/json'] = {'schema': schema_of(answer['json'], self.shapes)} | (
                {'example': recorded} if recorded is not None and not isinstance(recorded, str)
                else {})
            if status[0] in '45':
                self._add_error(operation, content)
        return out | ({'content': content} if content else {})

    @staticmethod
    def _add_error(operation, content):
        """It may be an error, too, of who is asked before the handler."""
        legacy = operation['route']['legacy']
        if legacy:
            schema = {'$ref': f'#/components/schemas/{LEGACY[legacy["errors"]]}'}
            content['application/json']['schema'] = {
                'anyOf': [content['application/json']['schema'], schema]}
        else:
            content['application/problem+json'] = {
                'schema': {'$ref': '#/components/schemas/Problem'}}

    def _error(self, operation, status, answer):
        number = int(status) if status.isdigit() else 0
        common = self.common['errors'].get(status) or self.common['errors'].get(number)
        if common is None:
            raise Mistake(f'{operation["place"]} answers {status}, which is not among "errors" in '
                          'document.yaml')
        legacy = operation['route']['legacy']
        schema = answer.get('schema', common.get('schema', 'Problem'))
        kind = 'application/problem+json'
        if legacy:
            schema = LEGACY[legacy['errors']]
            kind = 'application/json'
        response = {'description': answer.get('about', common['about'])}
        headers = answer.get('headers', common.get('headers', []))
        if headers:
            response['headers'] = {name: {'$ref': f'#/components/headers/{name}'}
                                   for name in headers}
        response['content'] = {kind: {'schema': {'$ref': f'#/components/schemas/{schema}'}}}
        recorded = self.examples.get('errors', {}).get(f'{status} {schema}')
        if recorded is not None:
            response['content'][kind]['example'] = recorded
        if 'about' in answer or 'headers' in answer:
            return response
        name = STATUS_NAMES[status] + ('' if schema in ('Problem', 'RateLimitProblem')
                                       else schema.replace('Problem', ''))
        self._responses[name] = response
        return {'$ref': f'#/components/responses/{name}'}


HEAD = '''# SPDX-License-Identifier: Apache-2.0
# Made by `./dev openapi` of the tables of the program and of src/api/contract: \
change those, not this.
'''


def main():
    is_check = '--check' in sys.argv
    program = [word for word in sys.argv[1:] if not word.startswith('--')][0]
    try:
        text = HEAD + dump(Contract(program).document())
    except Mistake as mistake:
        print(f'openapi: {mistake}')
        return 1
    is_there = DOCUMENT.exists()
    there = DOCUMENT.read_text(encoding='utf-8') if is_there else ''
    if not is_check:
        if text != there:
            DOCUMENT.write_text(text, encoding='utf-8')
        return 0
    if text != there:
        lines = difflib.unified_diff(there.splitlines(), text.splitlines(), 'docs/openapi.yaml',
                                     'what it should be', lineterm='')
        print('\n'.join(list(lines)[:60]))
        print('openapi: docs/openapi.yaml is not what the tables and src/api/contract say: run '
              './dev openapi')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
