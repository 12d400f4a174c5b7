"""axe-core on a page as it is."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

from config.launch.screens import dress

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
GRAVE = ("serious", "critical")


def grave_faults(page: Page) -> list[str]:
    """What axe-core calls serious or critical, in the light and in the dark, a line each."""
    found = []
    for scheme in ("light", "dark"):
        dress(page, scheme)
        page.evaluate(f"() => {{ {AXE} }}")
        answer = page.evaluate("() => axe.run(document, {preload: false, resultTypes: ['violations']})")
        found += [f"{scheme}: {line}" for fault in answer["violations"] for line in lines(fault)]
    return found


def lines(fault: dict) -> list[str]:
    if fault["impact"] not in GRAVE:
        return []
    return [f"{fault['id']} at {' '.join(map(str, node['target']))}: {node['html'][:160]}" for node in fault["nodes"]]
