#!/usr/bin/env python3
"""A customer as a program: plays one visit to a DP's pages for `driver: command`.

Reads the wish from standard input, answers where the DP sends the browser at the end. It knows the pages of
examples/dp-node by their field names; your own would drive your app or call the UI tests that you have.
The CA of the DP's certificate is in OFP_CA.
"""

import html.parser
import http.cookiejar
import json
import os
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows redirects on the DP's own host; the one that leaves it is the answer."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        here, there = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if here.netloc != there.netloc:
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Page(html.parser.HTMLParser):
    """Forms with their hidden fields, choices and buttons; and links."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag == "form":
            self.forms.append({"action": a.get("action", ""), "hidden": {}, "choices": [], "buttons": [], "kinds": set()})
        elif tag == "a" and "href" in a:
            self.links.append(a["href"])
        elif self.forms and tag in ("input", "button"):
            form, kind = self.forms[-1], a.get("type", "submit" if tag == "button" else "text")
            form["kinds"].add(kind)
            if kind == "hidden":
                form["hidden"][a["name"]] = a.get("value", "")
            elif kind in ("checkbox", "radio"):
                form["choices"].append((a["name"], a.get("value", "on")))
            elif kind == "submit" and a.get("name"):
                form["buttons"].append((a["name"], a.get("value", "")))
            elif kind == "text":
                form["user"] = a["name"]
            elif kind == "password":
                form["password"] = a["name"]


def main():
    wish = json.load(sys.stdin)
    browser = urllib.request.build_opener(
        Stay(),
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=os.environ["OFP_CA"])),
    )

    def fetch(url, fields=None):
        body = urllib.parse.urlencode(fields).encode() if fields is not None else None
        try:
            with browser.open(url, body, timeout=20) as answer:
                return answer.url, Page(answer.read().decode()), None
        except urllib.error.HTTPError as error:
            if error.headers.get("location"):
                return url, None, error.headers["location"]
            raise

    def submit(url, form, more):
        return fetch(urllib.parse.urljoin(url, form["action"]), list(form["hidden"].items()) + more)

    def form_with(page, kind):
        return next(form for form in page.forms if kind in form["kinds"])

    url, page, _ = fetch(wish["url"])
    form = form_with(page, "password")
    url, page, _ = submit(url, form, [(form["user"], wish["username"]), (form["password"], wish["password"])])
    form = next(form for form in page.forms if form["choices"])
    wanted = wish["accounts"]
    picked = {"first": form["choices"][:1], "all": form["choices"], "none": []}.get(wanted) if isinstance(wanted, str) else [
        form["choices"][number - 1] for number in wanted
    ]
    url, page, _ = submit(url, form, picked)
    form, button = next((f, b) for f in page.forms for b in f["buttons"] if b[1] == wish["decision"])
    url, page, left = submit(url, form, [button])
    if left is None:
        left = next(link for link in page.links if urllib.parse.urlsplit(link).netloc not in ("", urllib.parse.urlsplit(url).netloc))
    json.dump({"callback_url": urllib.parse.urljoin(url, left)}, sys.stdout)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # whatever it is, the run must be told
        json.dump({"error": f"{type(error).__name__}: {error}"}, sys.stdout)
