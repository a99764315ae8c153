"""The report page as a person sees it: in Chromium, which the system's packages bring."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

sys.path.append(str(Path(__file__).parents[1]))
from run_folders import write_run

from warmstart.reports.page import write_report

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
FIGURES = """() => [...document.querySelectorAll('svg, img, video')].map(figure => {
  const box = figure.getBoundingClientRect();
  const marks = figure.tagName == 'svg' ? figure.querySelectorAll('path, use, rect, text').length
    : figure.naturalWidth || figure.videoWidth || 0;
  return [figure.tagName, box.width, box.height, marks,
          figure.outerHTML.includes('NaN') || figure.outerHTML.includes('undefined')];
})"""
WIDTHS = """() => [document.documentElement.scrollWidth, window.innerWidth,
  Math.min(...[...document.querySelectorAll('p, td, th, li')]
    .filter(e => e.innerText && e.innerText.trim())
    .map(e => parseFloat(getComputedStyle(e).fontSize)))]"""
CONTRAST = """() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const lightness = colour => {
    const [r, g, b] = numbers(colour).map(c => c / 255)
      .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      const parts = numbers(colour);
      if (parts.length == 3 || parts[3] > 0.5) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = [...document.querySelectorAll('h1, h2, h3, p, td, th, li, figcaption')]
    .filter(e => e.innerText && e.innerText.trim());
  const ratios = texts.map(e => {
    const [a, b] = [lightness(getComputedStyle(e).color), lightness(behind(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
  return [lightness(behind(document.body)), Math.min(...ratios)];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "this test opens pages in Chromium; install it: apt-get install chromium"
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    one = write_run(folder / "one", seeds=3)
    two = write_run(folder / "two", seeds=3, dip=10.0, method="cal_ql")
    young = write_run(folder / "young", seeds=1, online=False, finished=False)
    return {
        "one": write_report([one], folder / "one.html"),
        "two": write_report([one, two], folder / "two.html"),
        "young": write_report([young], folder / "young.html"),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", ["one", "two", "young"])
def test_a_report_is_a_real_page(
    name: str, size: Any, scheme: Any, browser: Any, pages: dict[str, Path]
) -> None:
    said: list[str] = []
    asked: list[str] = []
    context = browser.new_context(viewport=size, color_scheme=scheme, offline=True)
    page = context.new_page()
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    url = pages[name].as_uri()
    page.goto(url)
    page.wait_for_load_state("networkidle")
    assert said == []
    assert [address for address in asked if not address.startswith((url, "data:"))] == []
    figures = page.evaluate(FIGURES)
    assert len(figures) >= 1
    for tag, width, height, marks, broken in figures:
        assert width > 150 and height > 80 and marks > 5 and not broken, (tag, width, height)
    whole, window, smallest = page.evaluate(WIDTHS)
    assert whole <= window + 1, f"{whole} pixels on a screen of {window}"
    assert smallest >= 12
    ground, contrast = page.evaluate(CONTRAST)
    assert (ground > 0.5) == (scheme == "light")
    assert contrast >= 4.5, f"text on its ground has a contrast of {contrast:.1f}"
    context.close()
