//! A call of PayNet to the DP, before anything of it is signed.

use ofp_evidence::Endpoint;
use ofp_types::{ConsentId, ConsentStatus, Origin};
use serde_json::{Map, Value};

/// A call of PayNet to the DP, in parts.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: http::Method,
    pub(crate) base: Origin,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Fields of a form, which is the body then.
    pub(crate) form: Vec<(&'static str, String)>,
    pub(crate) signatures: Vec<Signed>,
    pub(crate) consent: ConsentId,
    /// Another consent, for what is to be about the wrong one.
    pub(crate) other_consent: String,
    /// A consent that nobody asked for.
    pub(crate) unknown_consent: String,
    /// Another DC, for what is to be in the wrong name.
    pub(crate) other_dc: &'static str,
    /// An account of the same customer that the consent does not cover.
    pub(crate) unselected_account: Option<String>,
    /// Another customer's account.
    pub(crate) foreign_account: Option<String>,
    /// Where the consent stands.
    pub(crate) status: ConsentStatus,
    /// Whether the consent grants what is asked for.
    pub(crate) granted: bool,
    /// Where a DP that trusts a header would fetch a key.
    pub(crate) lure: String,
    /// The jti of a message that was sent before.
    pub(crate) used_jti: Option<String>,
    /// Whether the code has been redeemed before.
    pub(crate) redeemed: bool,
    /// Type of the customer's id, and its hash, as an earlier Update Consent gave it.
    pub(crate) identity: Option<(String, String)>,
}

/// A signature of a call.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) place: Place,
    pub(crate) signer: Signer,
    /// Members of the header beside `alg` and `kid`.
    pub(crate) extra: Map<String, Value>,
    pub(crate) form: Form,
}

impl Signed {
    /// Where it says that it is for once: in the header, or among the claims.
    pub(super) fn jti(&mut self) -> Option<&mut Value> {
        match &mut self.form {
            Form::Claims(claims) => claims.get_mut("jti"),
            _ => self.extra.get_mut("jti"),
        }
    }
}

/// Where a signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Header(&'static str),
    Query(&'static str),
    Form(&'static str),
}

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    PayNet,
    Dc,
    OtherDc,
}

/// What is signed.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// The body, which the JWS leaves out.
    Detached,
    /// A text, which the JWS leaves out.
    DetachedText(String),
    /// Claims about the request.
    Claims(Map<String, Value>),
    /// A bare text.
    Text(String),
}

/// A call as it goes on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) method: http::Method,
    /// Whether header names are written In-Title-Case.
    pub(crate) title_case: bool,
    /// Whether the same bytes have been sent before.
    pub(crate) again: bool,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) form: Vec<(&'static str, String)>,
}
