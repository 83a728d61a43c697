"""A headless Chromium; where there is none the tests are skipped and say so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Chromium through its driver, with no way to any network but loopback."""
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        text = "no chromium with chromedriver on PATH (Debian: chromium chromium-driver)"
        if request.config.getoption("--require-browser"):
            pytest.fail(text)
        pytest.skip(text)
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1400,900",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    made.set_page_load_timeout(60)
    yield made
    made.quit()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """The browser for one test; fails it where the console has an error at its end."""
    browser.get("about:blank")
    browser.get_log("browser")
    yield browser
    errors = [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    browser.get("about:blank")
    assert not errors
