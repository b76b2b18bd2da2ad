"""``python -m tests.e2e.matrix``: writes ``docs/translation.md`` anew."""

from .page import PATH, page

PATH.write_text(page())
