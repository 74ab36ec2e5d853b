"""Reads the HTML report in Chromium, from disk: failures first, links to exchanges, search in bodies, keys, both schemes.

read.py REPORT.html FOLDER   (a run that failed at a balance; where screenshots go)

Plain WebDriver over HTTP, so that nothing has to be installed but chromium and chromium-driver.
"""
import base64
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

page = pathlib.Path(sys.argv[1]).resolve()
folder = pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
for line in driver.stdout:
    if "started successfully on port " in line:
        port = line.rsplit(" ", 1)[1].strip(".\n")
        break


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["value"]


arguments = ["--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--window-size=1100,1400"]
if os.getuid() == 0:
    arguments.append("--no-sandbox")
options = {"goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}}
at = "/session/" + call("POST", "/session", {"capabilities": {"alwaysMatch": options}})["sessionId"]


def run(script, *values):
    return call("POST", f"{at}/execute/sync", {"script": script, "args": list(values)})


def keys(text):
    """As a person without a mouse."""
    actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
    call("POST", f"{at}/actions", {"actions": [{"type": "key", "id": "k", "actions": actions}]})


def shot(name):
    (folder / f"{name}.png").write_bytes(base64.b64decode(call("GET", f"{at}/screenshot")))


def scheme(value):
    call("POST", f"{at}/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": [{"name": "prefers-color-scheme", "value": value}]}})


try:
    call("POST", f"{at}/url", {"url": page.as_uri()})
    shot("top")
    first = run("return document.querySelector('main article, main details').textContent")
    assert "K-04" in first, first
    assert run("return document.querySelector('main h2').textContent") == "What is wrong"

    # a link to the exchange opens it, with request and response side by side, and what is signed taken apart
    link = run("const a = document.querySelector('.problem a[href^=\"#x\"]'); a.click(); return a.hash.slice(1)")
    run("return new Promise((done) => setTimeout(done, 200))")
    exchange = run("const x = document.getElementById(arguments[0]); return {open: x.open, text: x.textContent, sides: x.querySelectorAll('.sides > div').length}", link)
    assert exchange["open"] and exchange["sides"] == 2, exchange
    for wanted in ("JWS in the", "decoded", "TLS", "x-fapi-interaction-id"):
        assert wanted in exchange["text"], wanted
    shot("exchange")

    # the scenario's sequence diagram: four lanes, an arrow an exchange, each a link with a name
    diagram = run("const s = document.querySelector('.scenario[open] svg'); return {lanes: s.querySelectorAll('.lane').length, links: [...s.querySelectorAll('a')].map((a) => a.getAttribute('aria-label'))}")
    assert diagram["lanes"] == 4 and len(diagram["links"]) > 10 and all(diagram["links"]), diagram
    run("document.querySelector('.scenario[open] svg').scrollIntoView()")
    shot("diagram")

    # `/` leads to the search, which covers bodies
    run("document.body.focus(); document.activeElement.blur()")
    keys("/")
    assert run("return document.activeElement.id") == "q"
    keys("hashed_id_number")
    run("return new Promise((done) => setTimeout(done, 400))")
    found = run("return {said: document.getElementById('hits').textContent, shown: document.querySelectorAll('.exchange:not(.out)').length, all: document.querySelectorAll('.exchange').length}")
    assert 0 < found["shown"] < found["all"] and "found" in found["said"], found
    keys("\ue00c")  # Escape
    assert run("return document.querySelectorAll('.out').length") == 0

    # everything that can be opened can be reached and opened by keys
    run("document.querySelector('#list summary').focus()")
    keys("\ue007")  # Enter
    assert run("return document.querySelector('#list details').open")

    # names for those who listen: landmarks, headings in order, labels
    names = run("""
        const levels = [...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]));
        return {
          lang: document.documentElement.lang, main: document.querySelectorAll('main').length,
          h1: levels.filter((l) => l === 1).length, jumps: levels.some((l, at) => at && l - levels[at - 1] > 1),
          unlabelled: [...document.querySelectorAll('input')].filter((i) => !i.labels.length).length,
          doubled: [...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, at, all) => all.indexOf(id) !== at),
        }""")
    assert names == {"lang": "en", "main": 1, "h1": 1, "jumps": False, "unlabelled": 0, "doubled": []}, names

    # dark and light: enough contrast in both (WCAG 2.2 1.4.3)
    contrast = """
        const light = (c) => { const [r, g, b] = c.match(/[0-9.]+/g).map(Number).map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const back = light(getComputedStyle(document.body).backgroundColor);
        return [...document.querySelectorAll('.badge, a, small, dt, p')].map((e) => { const front = light(getComputedStyle(e).color); return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05); }).reduce((a, b) => Math.min(a, b));"""
    for value in ("light", "dark"):
        scheme(value)
        least = run(contrast)
        assert least >= 4.5, (value, least)
        run("scrollTo(0, 0)")
        shot(value)

    # nothing is fetched from anywhere, and no script has failed
    fetched = run("return performance.getEntriesByType('resource').map((r) => r.name)")
    assert fetched == [], fetched
    logged = [entry for entry in call("POST", f"{at}/se/log", {"type": "browser"}) if entry["level"] == "SEVERE"]
    assert logged == [], logged
    print("the report is as it should be")
finally:
    driver.kill()
