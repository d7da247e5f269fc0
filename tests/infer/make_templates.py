#!/usr/bin/env python3
"""Records what Jinja, set up as transformers sets it up, makes of chat templates.

    python3 -m venv venv && venv/bin/pip install jinja2
    venv/bin/python tests/infer/make_templates.py [FOLDER OF PUBLISHED TEMPLATES]

Writes tests/infer/templates/expected.json (our own templates, whole texts) and, with a folder, tests/infer/published.json
(SHA-256 of each published template and of each rendering: none of their text is kept). Needed to record, never to build or
test. The settings are those of transformers' utils/chat_template_utils.py.
"""
import datetime
import hashlib
import json
import pathlib
import sys

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2024, 7, 26)
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "documents": None}


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_same"), [], [], body).set_lineno(line)

    def _same(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: NOW.strftime(form)
    return env


def render(source, context):
    try:
        return environment().from_string(source).render(**context, **TOKENS)
    except Exception:  # what fails there is to fail here
        return None


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def record(path, rows):
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main():
    contexts = json.loads((HERE / "contexts.json").read_text(encoding="utf-8"))
    own = {}
    for path in sorted((HERE / "templates").glob("*.jinja")):
        source = path.read_text(encoding="utf-8")
        own[path.name] = [render(source, context) for context in contexts]
    record(HERE / "templates" / "expected.json", own)
    if len(sys.argv) > 1:
        published = {}
        for path in sorted(pathlib.Path(sys.argv[1]).glob("*.jinja")):
            source = path.read_text(encoding="utf-8")
            texts = [render(source, context) for context in contexts]
            published[path.name] = {"sha256": sha256(source), "texts": [text and sha256(text) for text in texts]}
        record(HERE / "published.json", published)


main()
