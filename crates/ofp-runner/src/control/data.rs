//! What the DC does with a consent, and the reference DP's books.

use ofp_dc::{DcError, Linked, Pending, Resource};
use ofp_dp::{Bank, Books};
use ofp_net::{Answer, Inbound};
use ofp_types::{AccountId, ConsentId};
use serde_json::Value;

use super::{
    Control,
    bodies::{AccountChange, DataView, DataWish, Done, ErrorAnswer, LinkedView, ResourceWord},
    consents::json,
    problem::{Problem, body, consent_id},
};

/// Make the DC redeem the code that the browser brought back
#[utoipa::path(post, path = "/v1/consents/{consent_id}/code", tag = "data", operation_id = "exchangeCode",
    params(("consent_id" = String, Path, description = "the consent")),
    responses((status = 200, description = "linked", body = LinkedView),
        (status = 401, description = "no token", body = ErrorAnswer),
        (status = 404, description = "no such consent", body = ErrorAnswer),
        (status = 409, description = "the browser has not come back with a code, or PayNet refused it", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) async fn exchange_code(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let consent = control.consent(inbound)?;
    let pending = {
        let all = control.pending.lock().await;
        let ours = |pending: &&Pending| {
            let made = control.world.paynet.consent_of_request(&pending.state);
            made.as_ref() == Some(&consent.consent_id)
        };
        all.values(control.world.clock.now()).find(ours).cloned()
    };
    let pending = pending.ok_or_else(|| {
        Problem::new(409, "invalid_request", "this consent was not asked for by POST /v1/consents")
    })?;
    let linked = control.world.dc.exchange_code(&pending).await.map_err(|e| conflict(&e))?;
    // a code works once; asking again would revoke what it gave
    control.pending.lock().await.remove(&pending.state);
    Ok(json(200, &LinkedView::of(&linked)))
}

/// Make the DC refresh its access token
#[utoipa::path(post, path = "/v1/consents/{consent_id}/refresh", tag = "data", operation_id = "refresh",
    params(("consent_id" = String, Path, description = "the consent")),
    responses((status = 200, description = "refreshed", body = LinkedView),
        (status = 401, description = "no token", body = ErrorAnswer),
        (status = 404, description = "the DC holds nothing for it", body = ErrorAnswer),
        (status = 409, description = "PayNet refused", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) async fn refresh(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let linked = control.linked(inbound)?;
    let fresh = control.world.dc.refresh(&linked).await.map_err(|e| conflict(&e))?;
    Ok(json(200, &LinkedView::of(&fresh)))
}

/// Make the DC read account data
///
/// The answer has PayNet's status and, where it could be verified and decrypted, the data.
#[utoipa::path(post, path = "/v1/consents/{consent_id}/data", tag = "data", operation_id = "readData",
    params(("consent_id" = String, Path, description = "the consent")),
    request_body = DataWish,
    responses((status = 200, description = "what PayNet answered", body = DataView),
        (status = 400, description = "the wish makes no sense", body = ErrorAnswer),
        (status = 401, description = "no token", body = ErrorAnswer),
        (status = 404, description = "the DC holds nothing for it", body = ErrorAnswer),
        (status = 502, description = "no answer", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) async fn read_data(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let linked = control.linked(inbound)?;
    let wish: DataWish = body(inbound)?;
    let account = match &wish.account_id {
        Some(id) => {
            AccountId::parse(id.as_str()).map_err(|e| Problem::bad_request(e.to_string()))?
        }
        None => linked
            .accounts
            .first()
            .cloned()
            .ok_or_else(|| Problem::bad_request("the consent covers no account"))?,
    };
    let size = wish.page_size.map(|size| size.to_string());
    let given = [
        ("page_size", &size),
        ("from_date", &wish.from_date),
        ("to_date", &wish.to_date),
        ("next_page_params", &wish.next_page_params),
    ];
    let query: Vec<(&str, &str)> =
        given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    let resource = match wish.resource {
        ResourceWord::Account => Resource::Account,
        ResourceWord::Balances => Resource::Balances,
        ResourceWord::Transactions => Resource::Transactions,
    };
    let reading = control.world.dc.read(&linked, &account, resource, &query).await;
    let reading = reading.map_err(|e| Problem::new(502, "server_error", e.to_string()))?;
    let problem = reading.data.as_ref().err().map(ToString::to_string);
    let refusal = || serde_json::from_slice(&reading.message.body).unwrap_or(Value::Null);
    let body = reading.data.as_ref().ok().cloned().unwrap_or_else(refusal);
    Ok(json(200, &DataView { status: reading.status, body, problem }))
}

/// The reference DP's books
#[utoipa::path(get, path = "/v1/dp/books", tag = "reference DP", operation_id = "readBooks",
    responses((status = 200, description = "customers and accounts, passwords and id numbers too", body = Value),
        (status = 401, description = "no token", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn read_books(control: &Control) -> Result<Answer, Problem> {
    Ok(json(200, &*our_bank(control)?.books()))
}

/// Exchange the reference DP's books
///
/// The body is what `GET /v1/dp/books` gives: a seed for the transactions, and customers with their
/// accounts.
#[utoipa::path(put, path = "/v1/dp/books", tag = "reference DP", operation_id = "replaceBooks",
    request_body = Value,
    responses((status = 200, description = "exchanged", body = Done),
        (status = 400, description = "books that no bank could keep", body = ErrorAnswer),
        (status = 401, description = "no token", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn replace_books(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let books: Books = body(inbound)?;
    books.check().map_err(|e| Problem::bad_request(e.to_string()))?;
    control.world.replace_books(our_bank(control)?, books);
    Ok(json(200, &Done { done: true }))
}

/// Block, close or open an account of the reference DP
#[utoipa::path(post, path = "/v1/dp/accounts/{account_id}/status", tag = "reference DP", operation_id = "setAccount",
    params(("account_id" = String, Path, description = "the account")),
    request_body = AccountChange,
    responses((status = 200, description = "done", body = Done),
        (status = 400, description = "no such status", body = ErrorAnswer),
        (status = 401, description = "no token", body = ErrorAnswer),
        (status = 404, description = "no such account", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn set_account(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let change: AccountChange = body(inbound)?;
    let id = AccountId::parse(inbound.parameter.as_str()).ok();
    let bank = our_bank(control)?;
    match id.filter(|id| bank.set_status(id, change.status)) {
        Some(_) => Ok(json(200, &Done { done: true })),
        None => {
            let reason = format!("the reference DP has no account `{}`", inbound.parameter);
            Err(Problem::new(404, "invalid_request", reason))
        }
    }
}

/// The books, where the DP is ours.
fn our_bank(control: &Control) -> Result<&Bank, Problem> {
    control.world.dp.bank().ok_or_else(|| {
        Problem::new(404, "invalid_request", "the DP is a target's: its books are its own")
    })
}

impl Control {
    /// What the DC holds for the consent that a path names.
    fn linked(&self, inbound: &Inbound) -> Result<Linked, Problem> {
        let id: ConsentId = consent_id(inbound)?;
        self.world.dc.linked(&id).ok_or_else(|| {
            let reason = format!("the DC holds no tokens for consent `{id}`");
            Problem::new(404, "Consent.Invalid", reason)
        })
    }
}

fn conflict(error: &DcError) -> Problem {
    Problem::new(409, "invalid_grant", error.to_string())
}
