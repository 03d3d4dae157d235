"""A real Chromium for the tests that need one."""

import os
import shutil

import pytest
from pages import call_module
from stub import open_stub

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def command() -> list[str]:
    """Return how to start the machine's own Chromium; empty where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    # Chromium refuses its sandbox to root, which is what a container's user often is.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [path, *FLAGS, *root] if path else []


def launch(playwright, *flags: str):
    """Start the machine's own Chromium with more flags, or return None where there is none."""
    path, *known = command() or [None]
    if path is None:
        return None
    return playwright.chromium.launch(executable_path=path, args=[*known, *flags])


@pytest.fixture(scope="session")
def chromium():
    """Return a running Chromium; skip, saying how to get one, where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with sync_api.sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            how = "apt install chromium, or brew install --cask chromium"
            pytest.skip(f"no Chromium on PATH: {how}")
        yield browser
        browser.close()


@pytest.fixture
def context(chromium):
    """Return a fresh browser context with the network off."""
    context = chromium.new_context(viewport={"width": 900, "height": 900}, offline=True)
    yield context
    context.close()


@pytest.fixture
def show(context, tmp_path):
    """Return show(view): its page, opened from a file; no request may leave the machine."""
    requests, failures = [], []
    page = context.new_page()
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda message: failures.append(message.text))

    def open_page(view):
        page.goto(view.save_html(tmp_path / "view.html").as_uri())
        page.wait_for_selector(f"[data-kd={view.module}]")
        return page

    yield open_page
    assert failures == []
    assert {url.split(":")[0] for url in requests} <= {"file", "data"}


@pytest.fixture
def show_stub(chromium, tmp_path):
    """Return show_stub(view): its page over a stub of its model; nothing may be logged."""
    failures = []
    context = chromium.new_context(viewport={"width": 860, "height": 900}, offline=True)

    def open_view(view):
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda message: failures.append(message.text))
        return open_stub(page, view, tmp_path / "stub.html")

    yield open_view
    context.close()
    assert failures == []


@pytest.fixture(scope="module")
def call(request, chromium):
    """Return call(body, **values): run `body` with the module of the tests' FILES as `kd`."""
    page = chromium.new_page()
    yield lambda body, **values: call_module(page, request.module.FILES, body, **values)
    page.close()
