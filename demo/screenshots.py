"""Take the documentation's pictures of the demo in a real browser: python demo/screenshots.py"""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import yaml
from build import build
from playwright.sync_api import Browser, Playwright, sync_playwright

ROOT = Path(__file__).parent.parent
OUT = ROOT / "docs" / "screenshots"
PORT = 8001
# Name, address, width, height, scheme.
PICTURES = (
    ("index", "/tags", 1200, 900, "light"),
    ("index", "/tags", 390, 844, "dark"),
    ("tag", "/tags/asyncio", 1200, 1100, "light"),
    ("tag", "/tags/asyncio", 390, 1100, "dark"),
    ("combination", "/tags/asyncio+python", 1200, 1000, "dark"),
    ("health", "/-/tagfeeds", 1200, 1000, "light"),
    ("feed", "/tags/asyncio.atom", 1200, 700, "light"),
    ("feed", "/tags/asyncio.atom", 390, 700, "dark"),
)


@contextmanager
def served(folder: Path, port: int | None = None, **settings: object) -> Iterator[str]:
    """The address of the demo, served by this Python's Datasette with more settings; from the folder, with the database and plugins there."""
    if not (folder / "demo.db").exists():
        build(folder / "demo.db")
    metadata = yaml.safe_load((ROOT / "metadata.yml").read_text(encoding="utf-8"))
    metadata["plugins"]["datasette-tagfeeds"].update(settings)
    (folder / "metadata.yml").write_text(yaml.safe_dump(metadata), encoding="utf-8")
    (folder / "plugins").mkdir(exist_ok=True)
    port = port or free_port()
    command = [sys.executable, "-m", "datasette", "serve", "demo.db", "--metadata", "metadata.yml", "--plugins-dir", "plugins"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*command, "--port", str(port)], cwd=folder, stdout=log, stderr=log)
    try:
        wait_for(port, server, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server answers; raises where it does not."""
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(log.read_text(encoding="utf-8", errors="replace"))


def chromium(playwright: Playwright) -> Browser:
    """Debian's Chromium, since Playwright's own cannot be had everywhere."""
    return playwright.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])


def main() -> None:
    """Write the pictures, with few colours so that they stay small."""
    from PIL import Image

    OUT.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), PORT, content_type="application/xml") as site,
        sync_playwright() as playwright,
    ):
        browser = chromium(playwright)
        for name, address, width, height, scheme in PICTURES:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(site + address)
            path = OUT / f"{name}-{width}{'-dark' if scheme == 'dark' else ''}.png"
            page.screenshot(path=path)
            Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
