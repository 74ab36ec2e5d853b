"""Prints what schemathesis needs to get past the front door, as shell assignments: a token of the DC's own,
and a consent with a token that stands for it. Usage: credentials.py WORLD"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4] / "docs/examples/pytest"))

from conftest import Browser, Control, select_one_account  # noqa: E402
from test_a_dc_in_python import Dc, link  # noqa: E402

world = json.loads(Path(sys.argv[1]).read_text())
control, dc, browser = Control(world), Dc(world), Browser(world["ca"])
asked = control.post("/v1/consents")
page = browser.open(asked["authorize_url"])
page = browser.submit(page.forms[0], username="paynet", password="paynet")
page = select_one_account(browser, page)
page = browser.submit(page.forms[0], decision="approve")
browser.open(page.elements["back"]["href"])
consent = f"/v1/consents/{asked['consent_id']}"
control.post(f"{consent}/settle")
control.post(f"{consent}/code")
customers = link(dc, Browser(world["ca"]))
own = dc.form("token_endpoint", grant_type="client_credentials", scope="accounts")
me, paynet = dc.me["certificates"], world["paynet"]
for name, value in {
    "CONTROL_URL": world["control"]["url"], "CONTROL_TOKEN": world["control"]["token"],
    "CONSENT_ID": asked["consent_id"],
    "ACCOUNT_ID": control.get(consent)["accounts"][0]["account_id"],
    "CUSTOMERS_TOKEN": customers["access_token"], "DC_TOKEN": own.json()["access_token"], "CA": world["ca"],
    "CERT": f"{me}/client.pem", "KEY": f"{me}/client-key.pem",
    "AS": paynet["issuer"], "AS_MTLS": paynet["as_mtls"], "RS": paynet["rs"],
}.items():
    print(f"export {name}={value}")
