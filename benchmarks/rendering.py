"""How long a warm page takes beside a bare page of the same Datasette: python benchmarks/rendering.py [ITEMS]

The bare page is a template that only extends base.html. Pages take turns; each figure is the median of 40 turns.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from datasette.app import Datasette
from pages import build

TURNS = 40


async def measure(folder: Path) -> None:
    """Print each page's time, weight, and time as a multiple of the bare page's."""
    templates = folder / "templates" / "pages"
    templates.mkdir(parents=True)
    (templates / "bare.html").write_text('{% extends "base.html" %}{% block content %}<p>Bare</p>{% endblock %}', encoding="utf-8")
    datasette = Datasette([str(folder / "big.db")], template_dir=str(templates.parent))
    await datasette.invoke_startup()
    paths = ("/bare", "/tags", "/tags/tag900", "/tags/tag100", "/tags/tag1", "/tags/tag1?size=100")
    times: dict[str, list[float]] = {path: [] for path in paths}
    weights = {}
    for turn in range(TURNS + 2):
        for path in paths:
            start = time.perf_counter()
            response = await datasette.client.get(path)
            if turn >= 2:
                times[path].append(1000 * (time.perf_counter() - start))
            assert response.status_code == 200, path
            weights[path] = len(response.content)
    bare = statistics.median(times["/bare"])
    for path in paths:
        median = statistics.median(times[path])
        print(f"{path:24} {median:8.1f} ms = {median / bare:5.1f} x  {weights[path] / 1000:8.1f} kB")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "big.db", int(sys.argv[1]) if sys.argv[1:] else 10_000)
        asyncio.run(measure(Path(folder)))
