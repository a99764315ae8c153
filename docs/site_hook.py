"""What MkDocs asks while it builds the site (`make docs`).

The pages of `docs/` are also read on a forge, where their links lead to any file of the repository.
Here the README becomes the first page, each file outside `docs/` that a page links to becomes a
page too, and links are turned to them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)(?=[)#])")
FENCE = re.compile(r"(^```.*?^```$)", re.M | re.S)
ASKS = {
    "*.html": re.compile(
        r"""<(script|link|img|iframe|source|object)\b[^>]*\b(src|href|data)=["']?(https?:)?//[^>]*>"""
    ),
    "*.css": re.compile(r"""(url\(|@import )\s*["']?(https?:)?//[^)]*"""),
}
"""What a browser fetches by itself, in each kind of file."""
HOME = "README.md"
PAGES = {HOME: "index.md"}
"""Files of the repository outside of `docs/`, and the pages that they are."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the README, and what links lead to outside of `docs/`."""
    waiting = [HOME, *(f"docs/{file.src_uri}" for file in files.documentation_pages())]
    while waiting:
        path = waiting.pop()
        for target in _links(path):
            beyond = not target.startswith(("docs/", "../")) and (ROOT / target).is_file()
            if beyond and target not in PAGES:
                PAGES[target] = f"source/{target.removesuffix('.md')}.md"
                waiting.extend([target] if target.endswith(".md") else [])
    for path, page in PAGES.items():
        shown = InclusionLevel.INCLUDED if path == HOME else InclusionLevel.NOT_IN_NAV
        files.append(File.generated(config, page, content=_content(path), inclusion=shown))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links from places in the repository to places in the site."""
    del config, files
    origin = {made: path for path, made in PAGES.items()}
    uri = page.file.src_uri
    path = origin.get(uri, f"docs/{uri}")

    def turned(link: re.Match[str]) -> str:
        target = _target(path, link[1])
        within = PAGES.get(target, target.removeprefix("docs/"))
        if target in PAGES or uri in origin:
            return posixpath.relpath(within, posixpath.dirname(uri) or ".")
        return link[1]

    parts = FENCE.split(markdown)
    parts[::2] = [LINK.sub(turned, prose) for prose in parts[::2]]
    return "".join(parts)


def on_post_build(config: MkDocsConfig) -> None:
    """Stops where a page would ask another host for a script, a font or a picture."""
    site = Path(config.site_dir)
    for pattern, asks in ASKS.items():
        for path in sorted(site.rglob(pattern)):
            if found := asks.search(path.read_text(encoding="utf-8")):
                raise PluginError(f"{path.relative_to(site)} asks another host: {found[0]}")


def _links(path: str) -> Iterator[str]:
    """Where a page's links lead, as paths of the repository."""
    for prose in FENCE.split((ROOT / path).read_text(encoding="utf-8"))[::2]:
        for link in LINK.findall(prose):
            yield _target(path, link)


def _target(path: str, link: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), link))


def _content(path: str) -> str:
    """A page as it stands, or a file of another kind as a block of code."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".md"):
        return text
    language = {".py": "python", ".cff": "yaml"}.get(Path(path).suffix, "")
    return f"# {path}\n\n```{language}\n{text.rstrip()}\n```\n"
