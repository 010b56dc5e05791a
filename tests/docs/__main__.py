"""`python -m tests.docs`: write the pages of docs/reference that are generated."""

from tests.docs.generated import pages

for path, text in pages().items():
    path.write_text(text, encoding="utf-8")
