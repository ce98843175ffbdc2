"""Windows of the tests' browser."""

from playwright.sync_api import Browser, BrowserContext
from pytest_django.live_server_helper import LiveServer

PATIENCE_MS = 30_000
"""Pages fetch what is new every few seconds, and a busy machine is slow."""


def new_window(browser: Browser, live_server: LiveServer) -> BrowserContext:
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 1920, "height": 1080}
    )
    context.set_default_timeout(PATIENCE_MS)
    return context
