"""Every link inside the book leads somewhere.

links.py FOLDER
"""
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

book = Path(sys.argv[1])


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.names = [], set()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if attributes.get("id"):
            self.names.add(attributes["id"])


pages = {}
for page in book.rglob("*.html"):
    pages[page.resolve()] = links = Links()
    links.feed(page.read_text())
broken = []
for page, found in pages.items():
    if page.name in ("print.html", "404.html", "toc.html"):
        continue
    for link in found.links:
        if "://" in link or link.startswith("mailto:"):
            continue
        path, fragment = urldefrag(link)
        target = (page.parent / unquote(path)).resolve() if path else page
        # what is beside the book is in the repository
        outside = not target.is_relative_to(book.resolve())
        if outside or not target.exists():
            source = Path("docs") / page.relative_to(book.resolve()).parent / unquote(path)
            if not source.exists():
                broken.append(f"{page.name}: {link}")
        elif fragment and target in pages and unquote(fragment) not in pages[target].names:
            broken.append(f"{page.name}: {link}")
assert not broken, "\n".join(sorted(set(broken)))
print(f"{sum(len(p.links) for p in pages.values())} links")
