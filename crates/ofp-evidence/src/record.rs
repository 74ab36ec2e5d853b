//! Everything that a journal holds.

use jiff::Timestamp;
use ofp_types::{
    AccountId, ConsentId, ConsentStatus, Kid, Mutation, SignedCall, Trigger, UpdatedBy,
};
use serde::{Deserialize, Serialize};

use crate::{Exchange, ExchangeId, Handshake};

/// Who tried to decrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reader {
    /// The DC that the data is for.
    Addressee,
    /// Another DC, with its own key.
    Stranger,
}

/// An attempt to decrypt the data of an account response. Private keys never become evidence, so
/// whoever has the key says what came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Decryption {
    /// The DP's answer to PayNet.
    pub exchange: ExchangeId,
    /// Whose key was tried.
    pub reader: Reader,
    /// Its id.
    pub kid: Kid,
    /// The plaintext, or why there is none.
    #[serde(with = "crate::bytes::or_reason")]
    pub outcome: Result<Vec<u8>, String>,
    /// SHA-256 of the content encryption key, where the reader has it.
    pub content_key: Option<String>,
}

/// A consent's change of status at PayNet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Which consent.
    pub consent: ConsentId,
    /// Where it stood; `None` when it was created.
    pub from: Option<ConsentStatus>,
    /// Where it stands.
    pub to: ConsentStatus,
    /// What happened; `None` when it was created.
    pub trigger: Option<Trigger>,
    /// Who caused it.
    pub by: UpdatedBy,
    /// The exchange that brought it about, if one did.
    pub cause: Option<ExchangeId>,
    /// When, at the consent's own time.
    pub at: Timestamp,
}

/// A call that the DP refused, sent once more in another reading of the specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherReading {
    /// The call in the other reading.
    pub exchange: ExchangeId,
    /// What kind of call it is: what holds for one holds for all of them.
    pub call: SignedCall,
    /// What the profile would say: `switch: value`.
    pub switches: Vec<String>,
    /// Whether the DP took it, and went on refusing the profile's own.
    pub accepted: bool,
}

/// The screens of a DP (`spec/ofp.md` section 8), as a customer recognises them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Screen {
    /// Asks for credentials.
    Login,
    /// Lists accounts to choose from.
    AccountSelection,
    /// Shows the consent, with approve and reject.
    Review,
    /// Says how it ended, with a way back to the DC.
    Result,
    /// The browser is back at PayNet or the DC.
    Left,
    /// None of these.
    Unrecognised,
}

impl std::fmt::Display for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Login => "the login screen",
            Self::AccountSelection => "the account selection screen",
            Self::Review => "the consent review screen",
            Self::Result => "the result screen",
            Self::Left => "back at the DC",
            Self::Unrecognised => "a page that is none of the four screens",
        })
    }
}

/// What the customer did on a page of the DP, and which screen came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum CustomerAct {
    /// Arrived from PayNet.
    Arrived {
        /// The screen.
        screen: Screen,
        /// Its exchange.
        page: ExchangeId,
    },
    /// Sent credentials.
    LoggedIn {
        /// As whom.
        username: String,
        /// Whether the test data says that they are right.
        correct: bool,
        /// The error message, or what the page says to people that it did not say before; empty
        /// when there is neither.
        text: String,
        /// The screen that followed.
        screen: Screen,
        /// Its exchange.
        page: ExchangeId,
    },
    /// Saw the accounts.
    SawAccounts {
        /// Who had logged in.
        username: String,
        /// The labels of the accounts listed.
        listed: Vec<String>,
        /// Its exchange.
        page: ExchangeId,
    },
    /// Chose accounts.
    SelectedAccounts {
        /// The labels of those chosen.
        chosen: Vec<String>,
        /// What the page that followed says to people.
        text: String,
        /// The screen that followed.
        screen: Screen,
        /// Its exchange.
        page: ExchangeId,
    },
    /// Saw the consent.
    SawReview {
        /// What the page says to people.
        text: String,
        /// The labels of the accounts chosen before.
        chosen: Vec<String>,
        /// Its exchange.
        page: ExchangeId,
    },
    /// Approved or rejected.
    Decided {
        /// Which.
        approved: bool,
        /// What the page that followed says to people.
        text: String,
        /// The screen that followed.
        screen: Screen,
        /// Its exchange.
        page: ExchangeId,
    },
    /// Did something that a page must not let happen, or must let happen once.
    Tried {
        /// What.
        what: Mutation,
        /// What the page that followed says to people.
        text: String,
        /// The screen that followed.
        screen: Screen,
        /// Its exchange.
        page: ExchangeId,
    },
    /// Went back to the DC.
    Returned {
        /// The URL that the browser was sent to on PayNet's side.
        url: String,
        /// The status by which the DP sent it there; `None` for a link.
        status: Option<u16>,
        /// Its exchange.
        page: ExchangeId,
    },
    /// The DC told the customer how it ended.
    SawOutcome {
        /// Whether the account is linked.
        linked: bool,
        /// What the DC shows.
        message: String,
        /// Its exchange.
        page: ExchangeId,
    },
}

/// What became of an account in the DP's books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChange {
    /// The consent of the scenario that changed it.
    pub consent: ConsentId,
    /// Which account.
    pub account: AccountId,
    /// What it is now.
    pub standing: AccountStanding,
    /// The exchange after which it is so.
    pub after: ExchangeId,
}

/// Whether an account can be used, and the bank's books be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStanding {
    /// It can.
    Active,
    /// Not for now.
    Blocked,
    /// Never again.
    Closed,
    /// Nobody can tell: the core system is down.
    Unreachable,
}

/// What became of the key set that PayNet publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySetChange {
    /// A consent of the scenario that changed it.
    pub consent: ConsentId,
    /// What it is now.
    pub state: KeySetState,
    /// The exchange after which it is so.
    pub after: ExchangeId,
}

/// A restart of the DP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// A consent that the DP had been told of.
    pub consent: ConsentId,
    /// The exchange after which it was up again.
    pub after: ExchangeId,
}

/// What a client of PayNet's key set meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySetState {
    /// Keys, and nothing beside them.
    AsUsual,
    /// Keys, of which the one that signs is new.
    Rotated,
    /// An error.
    Unreachable,
    /// Keys beside some of a kind that nobody knows.
    WithUnknownKinds,
}

/// Where a spoilt request differs from a good one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Such as `x-signature claims.exp`.
    pub what: String,
    /// As it would have been.
    pub good: String,
    /// As it was sent.
    pub sent: String,
}

/// One thing that was observed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Record {
    /// An HTTP exchange.
    Exchange(Exchange),
    /// A TLS handshake.
    Handshake(Handshake),
    /// An attempt to decrypt.
    Decryption(Decryption),
    /// A change of status.
    Transition(Transition),
    /// The scenario meant this request to be refused: its refusal says nothing against the DP.
    RefusalExpected {
        /// Which request.
        exchange: ExchangeId,
    },
    /// The scenario sent this request itself, in PayNet's name.
    Probe {
        /// Which request.
        exchange: ExchangeId,
        /// What was spoilt on purpose, if anything was.
        mutation: Option<Mutation>,
        /// Where its consent stood at PayNet.
        status: ConsentStatus,
        /// Whether its consent grants what was asked for.
        granted: bool,
        /// What differs from the request as it would have been without: the proof that it was spoilt,
        /// and that nothing else was.
        differences: Vec<Difference>,
        /// Whether the DP went to fetch a key where the request told it to.
        lured: bool,
    },
    /// The bank changed an account.
    Account(AccountChange),
    /// The platform's key set changed.
    KeySet(KeySetChange),
    /// From now on PayNet gives the DP no token, whatever it asks: a DP that has none cannot call.
    TokensWithheld {
        /// A consent of the scenario that wants it so.
        consent: ConsentId,
    },
    /// The DP was restarted.
    Restart(Restart),
    /// A call in another reading of the specification.
    OtherReading(OtherReading),
    /// What the customer did and saw.
    Customer {
        /// The consent that it is about.
        consent: ConsentId,
        /// What.
        act: CustomerAct,
    },
}

impl Record {
    /// About how many bytes it takes in memory.
    #[must_use]
    pub fn weight(&self) -> usize {
        /// For what is small, and the allocator's own.
        const REST: usize = 512;
        REST + match self {
            Self::Exchange(exchange) => exchange.weight(),
            Self::Decryption(decryption) => match &decryption.outcome {
                Ok(plaintext) => plaintext.len(),
                Err(reason) => reason.len(),
            },
            Self::Customer { act, .. } => act.weight(),
            Self::Probe { differences, .. } => {
                differences.iter().map(|d| d.what.len() + d.good.len() + d.sent.len()).sum()
            }
            Self::Handshake(_)
            | Self::Transition(_)
            | Self::Account(_)
            | Self::KeySet(_)
            | Self::OtherReading(_)
            | Self::Restart(_)
            | Self::TokensWithheld { .. }
            | Self::RefusalExpected { .. } => 0,
        }
    }
}

impl CustomerAct {
    /// The bytes of its texts, of those that a page makes.
    fn weight(&self) -> usize {
        let all = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
        match self {
            Self::LoggedIn { text, .. } | Self::Decided { text, .. } | Self::Tried { text, .. } => {
                text.len()
            }
            Self::SawAccounts { listed, .. } => all(listed),
            Self::SelectedAccounts { chosen, text, .. } | Self::SawReview { text, chosen, .. } => {
                text.len() + all(chosen)
            }
            Self::Returned { url, .. } => url.len(),
            Self::SawOutcome { message, .. } => message.len(),
            Self::Arrived { .. } => 0,
        }
    }
}
