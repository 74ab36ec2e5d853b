//! Calls that a scenario makes to the DP in PayNet's name: as PayNet makes them, or with one named
//! defect, which is proven to be on the wire and to be the only one.

mod aspects;
mod keys;
mod lure;
mod mutate;
mod plan;
mod plans;
mod readings;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::SignedDuration;
use ofp_evidence::{Difference, Exchange, Journal, Record, Role};
use ofp_net::{
    Call, Caller, Hello, NetError, Request, Transport, Trust, certificate_facts, connector,
    encode_form,
};
use ofp_pki::{Credential, Party, Pki, PkiError, self_signed_client, stranger_client};
use ofp_types::{Clock, Entropy, Mutation, uuid_v4};

use crate::{World, WorldError};
use keys::Keys;
use lure::Lure;
pub(crate) use plan::Plan;
use plan::{Signed, Wire};
pub(crate) use readings::TriedReadings;

/// A certificate issued so many days ago has expired.
const LONG_AGO_DAYS: i32 = 3_650;

/// Why a probe was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("{mutation}: PayNet sends no {lacking} in this profile")]
    NotInProfile { mutation: Mutation, lacking: &'static str },
    #[error("{mutation} needs {needs} before it")]
    TooEarly { mutation: Mutation, needs: &'static str },
    #[error("{mutation} needs {needs}: only the DP's own team can see to that")]
    NotOurs { mutation: Mutation, needs: &'static str },
    #[error("a listener for the probe: {0}")]
    Lure(#[from] std::io::Error),
    #[error("{mutation} changes nothing of this message")]
    NoDifference { mutation: Mutation },
    #[error("{mutation} would also change {also}")]
    TooMuch { mutation: Mutation, also: String },
    #[error("a key of the probe: {0}")]
    Key(#[from] openssl::error::ErrorStack),
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Net(#[from] NetError),
}

/// What probes are sent with: made once.
pub(crate) struct Prober {
    /// Exchanged when PayNet's signing key is.
    keys: RwLock<Arc<Keys>>,
    /// PayNet's own connections.
    caller: Caller,
    /// PayNet's next client certificate, which the reference DP knows beside the present one.
    renewed: Credential,
    /// Where the DP's server certificates come from.
    trust: Trust,
}

impl Prober {
    pub(crate) fn new(
        pki: &Pki,
        trust: &Trust,
        journal: &Arc<Journal>,
        clock: &Arc<dyn Clock>,
        renewed: Credential,
    ) -> Result<Self, WorldError> {
        let tls = connector(Some(&pki.paynet.client), trust)?;
        let (journal, clock) = (Arc::clone(journal), Arc::clone(clock));
        let caller = Caller::new(tls, Role::PayNet, Role::Dp, journal, clock);
        let keys = RwLock::new(Arc::new(Keys::of(pki)?));
        Ok(Self { keys, caller, renewed, trust: trust.clone() })
    }

    /// PayNet signs with another key from now on.
    pub(crate) fn rotated(&self, next: &Credential, alone: bool) -> Result<(), PkiError> {
        let keys = self.keys().with_paynet(next, alone)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    /// Whether PayNet signs with another key than at first.
    pub(crate) fn has_rotated(&self) -> bool {
        let keys = self.keys();
        keys.previous.is_some() || keys.retired.is_some()
    }

    /// PayNet signs with its first key again.
    pub(crate) fn started_again(&self, pki: &Pki) -> Result<(), PkiError> {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Keys::of(pki)?);
        Ok(())
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl World {
    /// Sends a call in PayNet's name, spoilt if a mutation is named, and writes down what was spoilt.
    pub(crate) async fn probe(
        &self,
        plan: &Plan,
        mutation: Option<Mutation>,
    ) -> Result<Exchange, ProbeError> {
        let call = plan.endpoint.signed_call();
        let missing = mutation.and_then(|m| Some((m, self.settings.profile.lacks(m, call)?)));
        if let Some((mutation, lacking)) = missing {
            return Err(ProbeError::NotInProfile { mutation, lacking });
        }
        if let Some((mutation, needs)) = mutation.and_then(|m| Some((m, self.lacks(m)?))) {
            return Err(ProbeError::NotOurs { mutation, needs });
        }
        let keys = self.prober.keys();
        let mut plan = plan.clone();
        let lure = match mutation {
            Some(Mutation::Jku | Mutation::X5u) => Some(Lure::lay().await?),
            _ => None,
        };
        plan.lure = lure.as_ref().map_or_else(String::new, Lure::origin);
        if mutation == Some(Mutation::JtiReplayed) {
            self.use_up_a_jti(&mut plan, &keys).await?;
        }
        demand(mutation, &plan, &keys)?;
        let wire = mutate::wire(&plan, mutation, &keys)?;
        if wire.again {
            let before = self.send(&plan, wire.clone(), self.prober.caller.clone(), mutation).await;
            self.write_probe(&plan, &before, None, Vec::new(), false);
        }
        let other = self.other_client(mutation)?;
        let differences = match mutation {
            None => Vec::new(),
            Some(mutation) => self.prove(&plan, &wire, mutation, other.as_ref(), &keys)?,
        };
        let caller = self.caller_as(other.as_ref(), wire.title_case)?;
        let exchange = self.send(&plan, wire, caller, mutation).await;
        let lured = lure.is_some_and(|lure| lure.was_taken());
        self.write_probe(&plan, &exchange, mutation, differences, lured);
        Ok(exchange)
    }

    /// What a mutation would need of a DP that is not ours.
    fn lacks(&self, mutation: Mutation) -> Option<&'static str> {
        match mutation {
            Mutation::SignedByDp | Mutation::ClientCertificateOfDp if !self.dp_keys_are_ours => {
                Some("the DP's private key")
            }
            Mutation::ClientCertificateRenewed
                if self.dp.target().is_some_and(|t| !t.file.tls.next_paynet_certificate) =>
            {
                Some(
                    "PayNet's next client certificate registered at the DP (`tls.next_paynet_certificate: true`)",
                )
            }
            _ => None,
        }
    }

    /// PayNet's own connections, unless somebody else calls or something else carries it.
    fn caller_as(
        &self,
        other: Option<&Option<Credential>>,
        title_case: bool,
    ) -> Result<Caller, ProbeError> {
        let paynet = || connector(Some(&self.pki.paynet.client), &self.prober.trust);
        Ok(match other {
            None if title_case => self.prober.caller.in_title_case(paynet()?),
            None => self.prober.caller.clone(),
            Some(identity) => {
                let tls = connector(identity.as_ref(), &self.prober.trust)?;
                let (journal, clock) = (Arc::clone(&self.journal), Arc::clone(&self.clock));
                Caller::new(tls, Role::PayNet, Role::Dp, journal, clock)
            }
        })
    }

    async fn send(
        &self,
        plan: &Plan,
        wire: Wire,
        caller: Caller,
        mutation: Option<Mutation>,
    ) -> Exchange {
        let deadline = self.settings.profile.dp_deadline() + Duration::from_secs(1);
        let (endpoint, consent) = (plan.endpoint, Some(plan.consent.clone()));
        let mut request = request(plan, wire, deadline);
        let transport = match mutation.and_then(carried_by) {
            None => Transport::Tls,
            Some(None) => {
                request.url = request.url.replacen("https://", "http://", 1);
                Transport::Plain
            }
            Some(Some(hello)) => Transport::HelloOnly(hello, random(&*self.entropy)),
        };
        let call = Call { endpoint, request, consent, cause: None };
        caller.exchange_over(call, transport).await
    }

    fn write_probe(
        &self,
        plan: &Plan,
        exchange: &Exchange,
        mutation: Option<Mutation>,
        differences: Vec<Difference>,
        lured: bool,
    ) {
        self.journal.add(Record::Probe {
            exchange: exchange.id,
            mutation,
            status: plan.status,
            granted: plan.granted,
            differences,
            lured,
        });
    }

    /// Sends another good message first, whose jti the next one has.
    async fn use_up_a_jti(&self, plan: &mut Plan, keys: &Keys) -> Result<(), ProbeError> {
        let mut first = plan.clone();
        if let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(&first.body) {
            body["event_type"] = "consent_event_type_unspecified".into();
            first.body = body.to_string().into_bytes();
        }
        let jti = uuid_v4(&*self.entropy).to_string();
        for used in first.signatures.iter_mut().filter_map(Signed::jti) {
            *used = jti.as_str().into();
        }
        let wire = mutate::wire(&first, None, keys)?;
        let sent = self.send(&first, wire, self.prober.caller.clone(), None).await;
        self.write_probe(&first, &sent, None, Vec::new(), false);
        plan.used_jti = Some(jti);
        Ok(())
    }

    /// Who opens the connection, where it is not PayNet as it is: somebody with a certificate, or
    /// without.
    fn other_client(
        &self,
        mutation: Option<Mutation>,
    ) -> Result<Option<Option<Credential>>, ProbeError> {
        let (now, day) = (self.clock.now(), SignedDuration::from_hours(24));
        let dated = |time| self.pki.client_issued_at(Party::PayNet, time);
        Ok(match mutation {
            Some(Mutation::NoClientCertificate) => Some(None),
            Some(Mutation::ClientCertificateOfDc) => Some(Some(self.pki.dcs[0].kit.client.clone())),
            Some(Mutation::ClientCertificateOfDp) => Some(Some(self.pki.dp.client.clone())),
            Some(Mutation::ClientCertificateUntrusted) => {
                Some(Some(stranger_client(Party::PayNet, now)?))
            }
            Some(Mutation::ClientCertificateExpired) => {
                Some(Some(dated(now - day * LONG_AGO_DAYS)?))
            }
            Some(Mutation::ClientCertificateNotYetValid) => Some(Some(dated(now + day)?)),
            Some(Mutation::ClientCertificateSelfSigned) => {
                Some(Some(self_signed_client(Party::PayNet, now)?))
            }
            Some(Mutation::ClientCertificateRenewed) => Some(Some(self.prober.renewed.clone())),
            _ => None,
        })
    }

    /// What differs from the same call without the mutation: something, and nothing that is not the
    /// mutation's.
    fn prove(
        &self,
        plan: &Plan,
        wire: &Wire,
        mutation: Mutation,
        other: Option<&Option<Credential>>,
        keys: &Keys,
    ) -> Result<Vec<Difference>, ProbeError> {
        let paynet = presented(Some(&self.pki.paynet.client));
        let client = match (carried_by(mutation), other) {
            (Some(_), _) => mutation.what().to_owned(),
            (None, Some(other)) => presented(other.as_ref()),
            (None, None) => paynet.clone(),
        };
        let good = aspects::of(&mutate::wire(plan, None, keys)?, &paynet, keys);
        let mut differences = aspects::differences(&good, &aspects::of(wire, &client, keys));
        differences.extend(redeemed_before(plan, mutation));
        if differences.is_empty() {
            return Err(ProbeError::NoDifference { mutation });
        }
        let foreign = differences.iter().find(|d| !aspects::belongs(&d.what, mutation.part()));
        match foreign {
            Some(foreign) => Err(ProbeError::TooMuch { mutation, also: foreign.what.clone() }),
            None => Ok(differences),
        }
    }
}

/// A good request has a code that nobody has redeemed.
fn redeemed_before(plan: &Plan, mutation: Mutation) -> Option<Difference> {
    (plan.redeemed && mutation == Mutation::CodeRedeemed).then(|| Difference {
        what: "sent before".into(),
        good: "a code that nobody has redeemed".into(),
        sent: "the code that PayNet redeemed when the browser came back".into(),
    })
}

/// What carries a call instead of TLS as it should be: nothing, or a bare ClientHello.
fn carried_by(mutation: Mutation) -> Option<Option<Hello>> {
    match mutation {
        Mutation::PlainHttp => Some(None),
        Mutation::TlsTooOld => Some(Some(Hello::TooOld)),
        Mutation::TlsWeakSuites => Some(Some(Hello::WeakSuites)),
        Mutation::TlsCbcSha1Suites => Some(Some(Hello::CbcSha1Suites)),
        _ => None,
    }
}

fn random(entropy: &dyn Entropy) -> [u8; 32] {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    bytes
}

/// What a mutation rests on must have come about.
fn demand(mutation: Option<Mutation>, plan: &Plan, keys: &Keys) -> Result<(), ProbeError> {
    let Some(mutation) = mutation else { return Ok(()) };
    let any_other = plan.unselected_account.is_none() && plan.foreign_account.is_none();
    let unknown_account = match mutation {
        Mutation::AccountNotSelected => plan.unselected_account.is_none(),
        Mutation::AccountOfOtherCustomer => plan.foreign_account.is_none(),
        Mutation::UrlOfOtherAccount => any_other,
        _ => false,
    };
    if unknown_account {
        let needs = "the id of another account (`id` under `accounts` in the target file)";
        return Err(ProbeError::NotOurs { mutation, needs });
    }
    let missing = match mutation {
        Mutation::PreviousKey if keys.previous.is_none() => "paynet.rotate_keys",
        Mutation::RetiredKey if keys.retired.is_none() => "paynet.rotate_keys: { alone: true }",
        Mutation::IdentityKnown | Mutation::IdentityAltered if plan.identity.is_none() => {
            "an approved consent of the customer"
        }
        _ => return Ok(()),
    };
    Err(ProbeError::TooEarly { mutation, needs: missing })
}

/// The client certificate of a connection, in words.
fn presented(identity: Option<&Credential>) -> String {
    let facts = identity.and_then(|identity| certificate_facts(&identity.certificate));
    let Some(facts) = facts else { return "no certificate".into() };
    let until = facts.not_after.map_or_else(String::new, |end| format!(", valid until {end}"));
    format!("{} by {}{until} ({})", facts.subject, facts.issuer, facts.thumbprint)
}

fn request(plan: &Plan, wire: Wire, deadline: Duration) -> Request {
    let pairs: Vec<(&str, &str)> =
        wire.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let url = match pairs.is_empty() {
        true => plan.base.join(&wire.path),
        false => format!("{}?{}", plan.base.join(&wire.path), encode_form(&pairs)),
    };
    let mut request = Request::get(url, deadline);
    request.method = wire.method;
    request.headers = wire.headers;
    request.body = match wire.form.is_empty() {
        true => wire.body,
        false => {
            let form: Vec<(&str, &str)> =
                wire.form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            encode_form(&form).into_bytes()
        }
    };
    request
}
