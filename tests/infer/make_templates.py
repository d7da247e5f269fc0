#!/usr/bin/env python3
"""Records what transformers makes of chat templates.

    python3 -m venv venv && venv/bin/pip install transformers==5.23.0 jinja2
    venv/bin/python tests/infer/make_templates.py [FOLDER OF PUBLISHED TEMPLATES]

Writes tests/infer/templates/expected.json (our own templates, whole texts) and, with a folder, tests/infer/published.json
(SHA-256 of each published template and of each rendering: none of their text is kept). Needed to record, never to build or
test.
"""
import datetime
import hashlib
import json
import pathlib
import sys

from transformers.utils import chat_template_utils

HERE = pathlib.Path(__file__).parent
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


class Fixed(datetime.datetime):
    """What strftime_now() of a template sees."""

    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


chat_template_utils.datetime = Fixed


def render(source, context):
    """As apply_chat_template does once it has found its template."""
    rest = {k: v for k, v in context.items() if k != "messages"}
    try:
        texts, _ = chat_template_utils.render_jinja_template([context["messages"]], chat_template=source, **rest, **TOKENS)
        return texts[0]
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
