"""What the control surface is for besides: time, faults, the reason of a refusal, the customer's way out."""

import pytest
from conftest import select_one_account


@pytest.fixture
def linked(control, browser):
    """A consent whose DC holds tokens."""
    asked = control.post("/v1/consents", valid_for_days=90, purpose="credit_underwriting")
    page = browser.open(asked["authorize_url"])
    page = browser.submit(page.forms[0], username="aisyah", password="aisyah")
    page = select_one_account(browser, page)
    page = browser.submit(page.forms[0], decision="approve")
    browser.open(page.elements["back"]["href"])
    consent = f"/v1/consents/{asked['consent_id']}"
    control.post(f"{consent}/settle")
    control.post(f"{consent}/code")
    yield consent
    control.delete("/v1/faults")


def balance(control, consent):
    return control.post(f"{consent}/data", resource="balances")


def test_time_passes_for_one_consent(control, linked):
    control.post(f"{linked}/clock", by="11m")
    assert balance(control, linked)["status"] == 401
    why = control.get("/v1/rejections/last", consent_id=linked.rsplit("/", 1)[1])
    assert why["note"] == "the access token has expired"
    control.post(f"{linked}/refresh")
    control.post(f"{linked}/clock", by="91d")
    assert control.get(linked)["status"] == "expired"


def test_a_fault_strikes_once(control, linked):
    consent_id = linked.rsplit("/", 1)[1]
    control.post("/v1/faults", consent_id=consent_id, at="balances", status=503)
    assert balance(control, linked)["status"] == 503
    assert balance(control, linked)["status"] == 200


def test_a_suspended_consent_gives_nothing(control, linked):
    control.post(f"{linked}/status", change="suspend", reason_code="not_allowed")
    control.post(f"{linked}/settle")
    assert control.get(linked)["dc_told"] == "suspended"
    assert balance(control, linked)["status"] == 403
    control.post(f"{linked}/status", change="reactivate")
    control.post(f"{linked}/settle")
    assert balance(control, linked)["status"] == 200


def test_the_customer_withdraws_at_the_bank(control, linked, browser, world):
    page = browser.open(world["dp"]["dashboard"])
    page = browser.submit(page.forms[0], username="aisyah", password="aisyah")
    ours = [f for f in page.forms if f["fields"].get("consent_id") == linked.rsplit("/", 1)[1]]
    browser.submit(ours[0])
    consent = control.get(linked)
    assert (consent["status"], consent["updated_by"]) == ("revoked", "data_provider_user")


def test_transactions_come_in_pages(control, linked):
    seen, cursor = [], {}
    while True:
        read = control.post(f"{linked}/data", resource="transactions", page_size=100, **cursor)
        assert read["status"] == 200, read
        seen += read["body"]["data"]
        following = read["body"]["meta"].get("next_page_params")
        if not following:
            break
        cursor = {"next_page_params": following}
    ids = {transaction["transaction_id"] for transaction in seen}
    assert len(ids) == len(seen) > 100
