"""Pictures of every page, for eyes: ``python tests/support/pictures.py FOLDER [WORD...]`` (words: parts of names).

One file per page and look: ``NAME-LOOK.png``; and one contact sheet per look.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(HERE.parent)]

LOOKS: dict[str, dict[str, Any]] = {
    "fr-1440": {"width": 1440, "language": "fr"},
    "en-768-dark": {"width": 768, "language": "en", "color_scheme": "dark"},
    "fr-320": {"width": 320, "language": "fr"},
    "en-320-dark": {"width": 320, "language": "en", "color_scheme": "dark"},
    "fr-zoom": {"width": 640, "language": "fr"},
    "fr-768": {"width": 768, "language": "fr"},
    "en-1440-dark": {"width": 1440, "language": "en", "color_scheme": "dark"},
    "en-1440": {"width": 1440, "language": "en"},
    "forced": {"width": 1024, "language": "fr", "forced_colors": "active"},
    "print": {"width": 794, "language": "fr", "media": "print"},
}
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--host-resolver-rules=MAP strange.example 127.0.0.1",
]  # fmt: skip
TALLEST = 2600
SHEET = 18


def take(page: Page, file: Path, look: dict[str, Any]) -> None:
    """One picture of the page as it stands, at most ``TALLEST`` pixels high."""
    height = min(TALLEST, page.evaluate("Math.max(600, document.documentElement.scrollHeight)"))
    page.screenshot(path=file, full_page=True, clip={"x": 0, "y": 0, "width": look["width"], "height": height})


def sheet(page: Page, files: list[Path], target: Path, columns: int = 6, width: int = 400) -> None:
    """Small pictures side by side, each with its name."""
    cells = "".join(
        f"<figure style='margin:4px;width:{width}px;height:640px;overflow:hidden'><figcaption>{file.stem}</figcaption>"
        f"<img src='{file.resolve().as_uri()}' style='width:100%'></figure>"
        for file in files
    )
    board = target.with_suffix(".html")
    board.write_text(f"<body style='margin:0;background:#888;display:flex;flex-wrap:wrap'>{cells}", encoding="utf-8")
    page.set_viewport_size({"width": columns * (width + 8), "height": 800})
    page.goto(board.resolve().as_uri())
    page.screenshot(path=target, full_page=True)
    board.unlink()


def main(folder: Path, parts: list[str]) -> None:
    from serving import SMALL, train
    from walking import PLACES, walk

    looks = {name: look for name, look in LOOKS.items() if name in parts} or LOOKS
    wanted = [part for part in parts if part not in LOOKS]
    places = [place for place in PLACES if not wanted or any(part in place.name for part in wanted)]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        root = Path(scratch)

        with walk(browser, train(root / "trained"), SMALL, root) as walked:
            made: dict[str, list[Path]] = {name: [] for name in looks}
            for place in places:
                for name, look in looks.items():
                    page = walked.page(place.house, place.who)
                    page.set_viewport_size({"width": look["width"], "height": 800})
                    page.emulate_media(
                        media="screen",
                        color_scheme=look.get("color_scheme", "light"),
                        forced_colors=look.get("forced_colors", "none"),
                    )
                    try:
                        page = walked.open(place, look["language"])
                    except Exception as error:
                        print(f"{place.name} {name}: {error}", file=sys.stderr)
                        break
                    page.emulate_media(media=look.get("media", "screen"))
                    file = folder / f"{place.name}-{name}.png"
                    take(page, file, look)
                    made[name].append(file)
            for name, files in made.items():
                if files:
                    board = browser.new_page()
                    for start in range(0, len(files), SHEET):
                        sheet(board, files[start : start + SHEET], folder / f"all-{name}-{start // SHEET + 1}.png")
                    board.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
