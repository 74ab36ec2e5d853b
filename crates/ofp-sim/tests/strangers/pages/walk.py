"""A person clicks through a platform that is up, in Chromium: links accounts, declines, and opens nothing twice.

walk.py WORLD.json FOLDER   (the line of `ofp-sim up --json`; where screenshots go)

Plain WebDriver over HTTP, so that nothing has to be installed but chromium, chromium-driver and certutil. The throwaway
CA is trusted in a home of its own; no error of a certificate is ignored.
"""
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

world = json.load(open(sys.argv[1]))
folder = sys.argv[2]
os.makedirs(folder, exist_ok=True)
home = tempfile.mkdtemp()
store = f"{home}/.pki/nssdb"
os.makedirs(store)
subprocess.run(["certutil", "-N", "-d", f"sql:{store}", "--empty-password"], check=True)
subprocess.run(["certutil", "-A", "-d", f"sql:{store}", "-t", "C,,", "-n", "ca", "-i", world["ca"]], check=True)
driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "HOME": home})
for line in driver.stdout:
    if "started successfully on port " in line:
        port = line.rsplit(" ", 1)[1].strip(".\n")
        break
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["value"]


class Browser:
    def __init__(self):
        arguments = ["--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync", "--window-size=800,1000"]
        if os.getuid() == 0:
            arguments.append("--no-sandbox")
        options = {"goog:chromeOptions": {"args": arguments}, "acceptInsecureCerts": False, "timeouts": {"implicit": 10000}}
        self.at = "/session/" + call("POST", "/session", {"capabilities": {"alwaysMatch": options}})["sessionId"]

    def open(self, url):
        call("POST", f"{self.at}/url", {"url": url})

    def find(self, css):
        return call("POST", f"{self.at}/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        call("POST", f"{self.at}/element/{self.find(css)}/click", {})

    def type(self, css, text):
        call("POST", f"{self.at}/element/{self.find(css)}/value", {"text": text})

    def text(self, css):
        return call("GET", f"{self.at}/element/{self.find(css)}/text")

    def picture(self, name):
        png = call("GET", f"{self.at}/screenshot")
        open(f"{folder}/{name}.png", "wb").write(base64.b64decode(png))

    def to_the_decision(self, name):
        self.open(world["start"])
        self.picture(f"{name}-1-banks")
        self.click("[data-testid=continue]")
        self.find("[data-testid=consent]")
        self.picture(f"{name}-2-review")
        self.click("[data-testid=go]")
        customer = world["customers"][0]
        self.type("[data-testid=username]", customer["username"])
        self.type("[data-testid=password]", customer["password"])
        self.click("[data-testid=submit]")
        self.click("[data-testid=account-1]")
        self.click("[data-testid=submit]")

    def close(self):
        call("DELETE", self.at)


def expect(what, holds, came):
    if not holds:
        sys.exit(f"{what}: {came}")
    print(f"ok  {what}")


try:
    browser = Browser()
    browser.to_the_decision("approve")
    browser.click("[data-testid=approve]")
    browser.click("[data-testid=back]")
    balances = browser.text("[data-testid=balances]")
    browser.picture("approve-3-linked")
    expect("the balance is shown", "Everyday Savings" in balances and "MYR 25,000.75" in balances, balances)
    browser.close()

    browser = Browser()
    browser.to_the_decision("reject")
    browser.click("[data-testid=reject]")
    browser.click("[data-testid=back]")
    landing = browser.text("[data-testid=landing]")
    browser.picture("reject-3-not-linked")
    expect("a rejection links nothing", landing == "Account not linked", landing)
    browser.click("[data-testid=again]")
    browser.find("[data-testid=banks]")
    browser.close()
finally:
    driver.terminate()
