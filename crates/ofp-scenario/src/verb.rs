//! The verbs: what a step can do, what must come before, and what can be expected of it.

use crate::{
    Action, Diagnostic, LogIn,
    action::{
        Change, DpRevokes, ExpectConsent, ExpectDc, ExpectDcTold, Inject, InjectScope, LinkMany,
        PickProvider, Read, ReadTransactions, Resource, RevokeToken, RotateKeys, SelectAccounts,
        SetAccount, SetCore,
    },
    decode_all::decode_all,
    duration::Span,
    node::{Key, Kind, Node},
    probe::{AskHealth, Forward, Probe, SendEvent},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// What a step can leave behind for later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gain {
    /// A consent has been asked for.
    Asked,
    /// The customer has followed the DC's link.
    Visited,
    /// The customer is on the DP's pages.
    OnPages,
    /// The customer has logged in at the DP.
    LoggedIn,
    /// The customer has chosen accounts, and sees what is asked for.
    Selected,
    /// The customer has approved: there will be a code.
    Approved,
    /// The DC has tokens.
    Linked,
}

impl Gain {
    /// The verb that brings it about, as a cure.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Asked => "dc.request_consent",
            Self::Visited | Self::OnPages => "customer.follow_authorization",
            Self::LoggedIn => "customer.log_in",
            Self::Selected => "customer.select_accounts",
            Self::Approved => "customer.approve",
            Self::Linked => "dc.exchange_code",
        }
    }
}

/// What comes of a verb that something could be expected of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// An HTTP answer that the DP had a part in.
    Http,
    /// An HTTP answer of PayNet's own to the DC.
    Platform,
    /// What an HTTP answer said, without the answer itself.
    Said,
    /// An HTTP answer of the DP to a call that the scenario makes itself.
    Probe,
    /// A page that the customer sees.
    Page,
    /// The way back to the DC, in a browser.
    WayBack,
    /// Nothing but that it happened.
    Nothing,
}

/// How a verb becomes an action.
type Parse = fn(&Key, &Node) -> Result<Action, Vec<Diagnostic>>;

/// A verb.
pub struct Verb {
    /// As it is written: `actor.verb`.
    pub name: &'static str,
    /// What it does, for documentation and editors.
    pub doc: &'static str,
    /// What must have come about before.
    pub needs: &'static [Gain],
    /// What it brings about.
    pub gives: &'static [Gain],
    /// What it ends.
    pub takes: &'static [Gain],
    /// What comes of it.
    pub answers: Answers,
    pub(crate) parse: Parse,
    pub(crate) schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Verb {
    /// The verb of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        VERBS.iter().find(|verb| verb.name == name)
    }

    /// Who does it.
    #[must_use]
    pub fn actor(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    /// Every verb's name.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        VERBS.iter().map(|verb| verb.name).collect()
    }
}

/// A fault, and beside it whom it strikes.
fn inject(node: &Node) -> Result<Inject, Vec<Diagnostic>> {
    let mut scope = InjectScope::default();
    let mut fault = node.clone();
    if let Kind::Mapping(entries) = &mut fault.kind
        && let Some(at) = entries.iter().position(|(key, _)| key.text == "scope")
    {
        scope = decode_all(&entries.remove(at).1)?;
    }
    let fault = decode_all(&fault).map_err(|problems: Vec<Diagnostic>| {
        let help = "one is `{ at: token, status: 503, times: 2 }`";
        problems.into_iter().map(|problem| problem.help_unless_any(help)).collect::<Vec<_>>()
    })?;
    Ok(Inject { scope, fault })
}

/// The schema of what stands behind a verb: nothing will do where nothing is required.
fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

macro_rules! verbs {
    (@read $type:ty) => { decode_all::<$type> };
    (@read $type:ty, $via:path) => { $via };
    ($($name:literal $type:ty $(as $via:path)? => $action:expr, $answers:ident, [$($needs:ident)*] [$($gives:ident)*] [$($takes:ident)*], $doc:literal;)+) => {
        /// Every verb, by actor.
        pub static VERBS: &[Verb] = &[$(Verb {
            name: $name,
            doc: $doc,
            needs: &[$(Gain::$needs),*],
            gives: &[$(Gain::$gives),*],
            takes: &[$(Gain::$takes),*],
            answers: Answers::$answers,
            parse: |_, node| {
                let read = verbs!(@read $type $(, $via)?);
                read(node).map($action)
            },
            schema: schema_of::<$type>,
        }),+];
    };
}

verbs! {
    "dc.request_consent" () => |()| Action::RequestConsent, Nothing, [] [Asked] [Visited OnPages LoggedIn Selected Approved Linked],
        "The DC pushes an authorization request (PAR) for the scenario's `consent`; PayNet creates the consent and tells the DP (D1).";
    "dc.exchange_code" () => |()| Action::ExchangeCode, WayBack, [Visited Approved] [Linked] [OnPages],
        "The DC redeems its code for tokens. The customer goes back to the DC first, if they have not.";
    "dc.read_account" Read => |read| Action::Read(Resource::Account, read), Http, [Linked] [] [],
        "The DC reads what an account is; PayNet forwards the call to the DP (D5), the DC decrypts what comes.";
    "dc.read_balance" Read => |read| Action::Read(Resource::Balance, read), Http, [Linked] [] [],
        "The DC reads an account's balances; PayNet forwards the call to the DP (D6), the DC decrypts what comes.";
    "dc.read_transactions" ReadTransactions => Action::ReadTransactions, Http, [Linked] [] [],
        "The DC reads an account's transactions, page after page (D7). What is expected of the JSON is expected of all pages together.";
    "dc.refresh_token" () => |()| Action::RefreshToken, Platform, [Linked] [] [],
        "The DC gets a fresh access token with its refresh token.";
    "dc.introspect_token" () => |()| Action::IntrospectToken, Said, [Linked] [] [],
        "The DC asks what PayNet says of its access token (RFC 7662).";
    "dc.revoke_token" RevokeToken => Action::RevokeToken, Nothing, [Linked] [] [],
        "The DC gives a token up (RFC 7009).";
    "dc.read_userinfo" () => |()| Action::ReadUserinfo, Platform, [Linked] [] [],
        "The DC asks PayNet who the customer is.";
    "dc.list_providers" () => |()| Action::ListProviders, Platform, [] [] [],
        "The DC reads PayNet's directory of DPs.";
    "dc.retrieve_consent" () => |()| Action::RetrieveConsent, Platform, [Asked] [] [],
        "The DC reads the consent as PayNet holds it.";
    "dc.revoke_consent" () => |()| Action::DcChanges(Change::Revoke), Platform, [Asked] [] [],
        "The DC ends the consent (PayNet answers 201); PayNet tells the DP.";
    "dc.suspend_consent" () => |()| Action::DcChanges(Change::Suspend), Platform, [Asked] [] [],
        "The DC puts the consent on hold (PayNet answers 201); PayNet tells the DP.";
    "dc.reactivate_consent" () => |()| Action::DcChanges(Change::Reactivate), Platform, [Asked] [] [],
        "The DC lifts the hold (PayNet answers 201); PayNet tells the DP.";
    "dc.rotate_encryption_key" () => |()| Action::RotateEncryptionKey, Nothing, [] [] [],
        "The DC gets another encryption key. Only in a scenario that is `exclusive`.";
    "customer.follow_authorization" () => |()| Action::FollowAuthorization, Page, [Asked] [Visited OnPages] [],
        "The customer's browser follows the DC's link through PayNet to the DP (D2).";
    "customer.pick_provider" PickProvider => Action::PickProvider, Page, [Visited] [OnPages] [],
        "The customer picks a DP at PayNet, where the consent names none (`consent: { provider: picked }`).";
    "customer.log_in" LogIn => Action::LogIn, Page, [OnPages] [LoggedIn] [],
        "The customer logs in at the DP.";
    "customer.select_accounts" SelectAccounts => Action::SelectAccounts, Page, [OnPages LoggedIn] [Selected] [],
        "The customer chooses among the accounts that the DP lists.";
    "customer.approve" () => |()| Action::Approve, Page, [OnPages LoggedIn Selected] [Approved] [],
        "The customer approves; the DP tells PayNet (Update Consent, B5).";
    "customer.reject" () => |()| Action::Reject, Page, [OnPages LoggedIn Selected] [] [Approved],
        "The customer rejects on the review page; the DP tells PayNet (Update Consent, B5). The DC gets no code.";
    "customer.return_to_dc" () => |()| Action::ReturnToDc, WayBack, [OnPages] [] [OnPages],
        "The customer goes back to the DC by the link or redirect of the DP's last page.";
    "customer.close_tab" () => |()| Action::CloseTab, Nothing, [Visited] [] [OnPages],
        "The customer closes the browser, cookies and all.";
    "customer.open_link_again" () => |()| Action::OpenLinkAgain, Page, [Asked] [Visited OnPages] [],
        "The customer opens the DP's page for the same consent in another browser.";
    "customer.switch_tab" () => |()| Action::SwitchTab, Page, [Visited] [OnPages LoggedIn Selected] [],
        "The customer goes on in the browser that they were in before `customer.open_link_again`.";
    "customer.skip_login" () => |()| Action::SkipLogin, Page, [Visited] [OnPages LoggedIn Selected] [],
        "The customer opens the review page of an earlier visit without logging in.";
    "customer.preflight" () => |()| Action::Preflight, Nothing, [OnPages] [] [],
        "A page of another origin asks whether it may read the one that is shown (CORS).";
    "customer.link_many" LinkMany => Action::LinkMany, Nothing, [] [Asked Linked] [],
        "Many customers link accounts at once, each from request to balance.";
    "customer.revoke_at_dp" LogIn => Action::RevokeAtDp, Nothing, [Asked] [] [],
        "The customer withdraws the consent on the DP's dashboard.";
    "clock.advance" Span => Action::AdvanceClock, Nothing, [Asked] [] [],
        "The consent's time moves on: PayNet judges it at the later time, and the reference DP with it.";
    "dp.set_account" SetAccount => Action::SetAccount, Nothing, [Linked] [] [],
        "The bank blocks, closes or opens an account. A DP of your own needs the hook `set_account`.";
    "dp.revoke_consent" DpRevokes => Action::DpRevokes, Nothing, [Asked] [] [],
        "The DP ends the consent in its own name. A DP of your own needs the hook `revoke`.";
    "dp.set_core" SetCore => Action::SetCore, Nothing, [Asked] [] [],
        "The DP's core system goes down, or comes back. A DP of your own needs the hooks `core_down` and `core_up`. Only in a scenario that is `exclusive`.";
    "dp.flush_keys" () => |()| Action::FlushKeys, Nothing, [] [] [],
        "The DP forgets the key sets that it keeps. A DP of your own needs the hook `flush_jwks`. Only in a scenario that is `exclusive`.";
    "dp.restart" () => |()| Action::Restart, Nothing, [Asked] [] [],
        "The DP is restarted. A DP of your own needs the hook `restart`. Only in a scenario that is `exclusive`.";
    "paynet.check_health" () => |()| Action::CheckHealth, Http, [] [] [],
        "PayNet calls the DP's health endpoint (D4).";
    "paynet.call_userinfo" () => |()| Action::CallUserinfo, Http, [Asked] [] [],
        "PayNet calls the DP's userinfo endpoint (D3).";
    "paynet.revoke_consent" () => |()| Action::PaynetChanges(Change::Revoke), Nothing, [Asked] [] [],
        "The platform ends the consent in its own name, and tells the DP.";
    "paynet.suspend_consent" () => |()| Action::PaynetChanges(Change::Suspend), Nothing, [Asked] [] [],
        "The platform puts the consent on hold, and tells the DP.";
    "paynet.reactivate_consent" () => |()| Action::PaynetChanges(Change::Reactivate), Nothing, [Asked] [] [],
        "The platform lifts the hold, and tells the DP.";
    "paynet.send_event" SendEvent => |send| Action::Probe(Probe::SendEvent(send)), Probe, [Asked] [] [],
        "PayNet sends the DP an event (D1), good or, with `mutate`, spoilt.";
    "paynet.ask_health" AskHealth => |ask| Action::Probe(Probe::Health(ask)), Probe, [Asked] [] [],
        "PayNet calls the DP's health endpoint (D4), good or, with `mutate`, spoilt.";
    "paynet.open_authorize" () => |()| Action::Probe(Probe::OpenAuthorize), Probe, [Asked] [] [],
        "PayNet starts an authorization at the DP (D2), good or, with `mutate`, spoilt.";
    "paynet.forward_account" Forward => |forward| Action::Probe(Probe::Account(forward)), Probe, [Asked] [] [],
        "PayNet asks the DP for an account (D5) as if a DC had asked, good or, with `mutate`, spoilt.";
    "paynet.forward_balance" Forward => |forward| Action::Probe(Probe::Balance(forward)), Probe, [Asked] [] [],
        "PayNet asks the DP for balances (D6) as if a DC had asked, good or, with `mutate`, spoilt.";
    "paynet.forward_transactions" Forward => |forward| Action::Probe(Probe::Transactions(forward)), Probe, [Asked] [] [],
        "PayNet asks the DP for transactions (D7) as if a DC had asked, good or, with `mutate`, spoilt.";
    "paynet.forward_userinfo" Forward => |forward| Action::Probe(Probe::Userinfo(forward)), Probe, [Asked] [] [],
        "PayNet asks the DP for the customer's claims (D3), good or, with `mutate`, spoilt.";
    "paynet.redeem_code" () => |()| Action::Probe(Probe::RedeemCode), Probe, [Asked] [] [],
        "PayNet redeems the DP's code once more (D9), in profiles in which the DP runs a token endpoint.";
    "paynet.rotate_keys" RotateKeys => Action::RotateKeys, Nothing, [Asked] [] [],
        "PayNet signs with a new key from now on. Only in a scenario that is `exclusive`.";
    "paynet.inject" Inject as inject => Action::Inject, Nothing, [] [] [],
        "A fault of the platform is switched on: `{ at: token, status: 503, times: 2 }`.";
    "paynet.reset_faults" () => |()| Action::ResetFaults, Nothing, [] [] [],
        "The faults that the scenario switched on are switched off.";
    "expect.consent" ExpectConsent => Action::ExpectConsent, Nothing, [Asked] [] [],
        "The consent reaches a status at PayNet, within a time.";
    "expect.dc" ExpectDc => Action::ExpectDc, Nothing, [Asked] [] [],
        "What the DC shows its customer: whether the account is linked, and its words.";
    "expect.dc_told" ExpectDcTold => Action::ExpectDcTold, Nothing, [Asked] [] [],
        "PayNet has told the DC of the consent's status (C1), within a time.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_its_own_name_of_an_actor_and_a_sentence() {
        for (at, verb) in VERBS.iter().enumerate() {
            assert!(VERBS[..at].iter().all(|other| other.name != verb.name), "{}", verb.name);
            assert!(verb.name.split_once('.').is_some(), "{}", verb.name);
            assert!(verb.doc.ends_with('.') && verb.doc.len() > 20, "{}", verb.name);
            for gain in verb.needs {
                assert!(Verb::find(gain.verb()).is_some_and(|found| found.gives.contains(gain)));
            }
        }
    }

    #[test]
    fn hooks_are_called_what_the_target_file_calls_them() {
        let schema = schemars::schema_for!(crate::Hooks).to_value();
        let named = VERBS.iter().filter_map(|verb| verb.doc.split_once("needs the hook"));
        let words: Vec<&str> = named
            .flat_map(|(_, behind)| {
                behind.split('.').next().unwrap_or_default().split('`').skip(1).step_by(2)
            })
            .collect();
        assert_eq!(words.len(), 6, "{words:?}");
        assert!(words.iter().all(|hook| schema["properties"].get(hook).is_some()), "{words:?}");
    }
}
