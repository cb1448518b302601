# SPDX-License-Identifier: Apache-2.0
"""Every route of the server, as docs/openapi.yaml has it (tests/contract.py sees to it that it has
all)."""
import pathlib
import re

import yaml

_PATH = pathlib.Path(__file__).resolve().parent.parent / 'docs' / 'openapi.yaml'
METHODS = ('get', 'post', 'put', 'patch', 'delete')


class Route:
    def __init__(self, document, path, method, operation):
        self.path, self.method = path, method.upper()
        self.is_open = {} in operation.get('security', []) or operation.get('security') == []
        self.parameters = [_resolve(document, one) for one in operation.get('parameters', ())]
        self.names = re.findall(r'\{(\w+)\}', path)
        content = operation.get('requestBody', {}).get('content', {})
        self.kind, shape = next(iter(content.items()), (None, {}))
        self.body = shape.get('example')

    def __str__(self):
        return f'{self.method} {self.path}'

    def target(self, values):
        """The path with its parameters filled in, which are quoted already."""
        return re.sub(r'\{(\w+)\}', lambda match: values[match[1]], self.path)

    def kind_name(self):
        """'rules' of /api/v1/rules/{id}, whatever stands before or behind."""
        return self.path.partition('/{')[0].rpartition('/')[2]

    def is_stream(self):
        return self.path.endswith('/tail')


def _resolve(document, one):
    while '$ref' in one:
        node = document
        for part in one['$ref'].lstrip('#/').split('/'):
            node = node[part]
        one = node
    return one


def every_route():
    document = yaml.load(_PATH.read_text(), getattr(yaml, 'CSafeLoader', yaml.SafeLoader))
    return [Route(document, path, method, operations[method])
            for path, operations in document['paths'].items()
            for method in METHODS if method in operations]
