"""Starts `ofp-sim up` for the tests and offers what they need: a control surface and a browser.

OFP_SIM names the binary (default: `ofp-sim` on the PATH). OFP_SIM_PKI names the folder of certificates.
"""

import json
import os
import subprocess
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
import requests


class Page(HTMLParser):
    """A page as the tests see it: elements by data-testid, and its forms."""

    def __init__(self, response):
        super().__init__()
        self.url, self.status, self.html = response.url, response.status_code, response.text
        self.elements, self.forms, self.text, self._open = {}, [], "", []
        self.feed(response.text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self._open.append(attrs.get("data-testid"))
        if "data-testid" in attrs:
            self.elements[attrs["data-testid"]] = {"tag": tag, "text": "", **attrs}
        if tag == "form":
            self.forms.append({"action": urljoin(self.url, attrs["action"]), "fields": {}})
        if tag == "input" and self.forms and attrs.get("type") == "hidden":
            self.forms[-1]["fields"][attrs["name"]] = attrs["value"]
        if tag in ("input", "meta", "link", "br"):
            self._open.pop()

    def handle_endtag(self, tag):
        if self._open:
            self._open.pop()

    def handle_data(self, data):
        self.text += data
        for testid in filter(None, self._open):
            self.elements[testid]["text"] += data


class Browser:
    """A customer's browser: keeps cookies, follows redirects, trusts the throwaway CA alone."""

    def __init__(self, ca):
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = ca

    def open(self, url):
        return Page(self.session.get(url, timeout=30))

    def submit(self, form, **fields):
        return Page(self.session.post(form["action"], data={**form["fields"], **fields}, timeout=30))


class Control:
    """The control surface of ofp-sim (docs/control.md)."""

    def __init__(self, world):
        self.base = world["control"]["url"]
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {world['control']['token']}"

    def get(self, path, **query):
        return self._json(self.session.get(self.base + path, params=query, timeout=60))

    def post(self, path, expect=(200, 201), **body):
        return self._json(self.session.post(self.base + path, json=body, timeout=60), expect)

    def delete(self, path):
        return self._json(self.session.delete(self.base + path, timeout=60))

    @staticmethod
    def _json(response, expect=(200, 201)):
        assert response.status_code in expect, f"{response.status_code} {response.text}"
        return response.json()


@pytest.fixture(scope="session")
def world():
    """The running platform: what `ofp-sim up --json` printed."""
    command = [os.environ.get("OFP_SIM", "ofp-sim"), "up", "--port-base", "0", "--json"]
    if "OFP_SIM_PKI" in os.environ:
        command += ["--pki", os.environ["OFP_SIM_PKI"]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert line, f"{' '.join(command)} ended with {process.wait()}"
    yield json.loads(line)
    process.terminate()
    assert process.wait(timeout=30) == 0, "a graceful stop"


@pytest.fixture(scope="session")
def control(world):
    return Control(world)


@pytest.fixture
def browser(world):
    return Browser(world["ca"])


def select_one_account(browser, page):
    """Ticks the first account."""
    first = page.elements["account-1"]
    return browser.submit(page.forms[0], **{first["name"]: first["value"]})
