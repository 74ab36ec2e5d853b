//! Which reading of the specification a DP takes: a good call that it refuses for its signature is sent once more in
//! each other reading. If one is taken, the profile is wrong, and not the DP (`spec/ofp.md` section 10).

use std::{
    collections::HashSet,
    sync::{Mutex, OnceLock, PoisonError},
};

use ofp_checks::served;
use ofp_evidence::{
    Endpoint, Exchange, ExchangeId, KeySetState, OtherReading, Outcome, Record, Role,
};
use ofp_types::{
    AccountId, Consent, ConsentId, NumericDateForm, Profile, ResourceSigner, SigBody, SigHeader,
    SigResource, SigUserinfo, SignedCall, SubClaim,
};

use super::{Plan, mutate};
use crate::World;

/// Words by which a DP says that a signature is what it minds.
const SIGNATURE_WORDS: [&str; 6] = ["signature", "jws", "jwt", "kid", "x-fapi", "claim"];

/// The kinds of calls for which other readings have been tried, once in a run, and the one that the DP took.
#[derive(Default)]
pub(crate) struct TriedReadings {
    tried: Mutex<HashSet<SignedCall>>,
    taken: OnceLock<String>,
}

impl TriedReadings {
    /// Whether nobody has tried it before.
    fn first(&self, call: SignedCall) -> bool {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(call)
    }

    /// What the profile would have to say, if the DP took a call in another reading: then there is no use in going on.
    pub(crate) fn taken(&self) -> Option<&str> {
        self.taken.get().map(String::as_str)
    }
}

impl World {
    /// Sends the good calls about some consents since a mark, which the DP refused for their signature, once more, in
    /// other readings.
    pub(crate) async fn try_other_readings(&self, mark: usize, consents: &[ConsentId]) {
        for exchange in self.refused_for_signature(mark, consents) {
            let Some(call) = exchange.endpoint.signed_call() else { continue };
            let has_others = !others(&self.settings.profile, call).is_empty();
            if has_others && self.tried_readings.first(call) {
                self.send_in_other_readings(&exchange, call).await;
            }
        }
    }

    fn refused_for_signature(&self, mark: usize, consents: &[ConsentId]) -> Vec<Exchange> {
        // for a while a DP need not know a new key, and what it then minds is no reading
        let state = |record: &Record| match record {
            Record::KeySet(change) => Some(change.state),
            _ => None,
        };
        if self.journal.newest(state).is_some_and(|state| state != KeySetState::AsUsual) {
            return Vec::new();
        }
        let records = self.journal.since(mark);
        let mut spoilt: HashSet<_> = HashSet::new();
        for record in &records {
            match &**record {
                Record::Probe { exchange, mutation: Some(_), .. }
                | Record::RefusalExpected { exchange } => drop(spoilt.insert(*exchange)),
                _ => {}
            }
        }
        let refused = records.iter().filter_map(|record| match &**record {
            Record::Exchange(exchange)
                if exchange.to == Role::Dp
                    && exchange.from == Role::PayNet
                    && exchange.consent.as_ref().is_some_and(|id| consents.contains(id))
                    && exchange.endpoint.signed_call().is_some()
                    && !spoilt.contains(&exchange.id)
                    && minds_signature(exchange) =>
            {
                Some(exchange.clone())
            }
            _ => None,
        });
        refused.collect()
    }

    async fn send_in_other_readings(&self, exchange: &Exchange, call: SignedCall) {
        let Some(consent) = exchange.consent.as_ref().and_then(|id| self.paynet.consent(id)) else {
            return;
        };
        // as it was first: what is taken now was refused for something that has passed
        let usual = self.settings.profile.clone();
        let as_first = self.is_taken(exchange, &consent, &usual, call).await;
        if as_first.is_none_or(|(_, taken)| taken) {
            return;
        }
        for profile in others(&usual, call) {
            let sent = match self.is_taken(exchange, &consent, &profile, call).await {
                Some((_, false)) => continue,
                Some((sent, true)) => sent,
                None => return,
            };
            // and still not as it was first, or else something has passed meanwhile
            let again = self.is_taken(exchange, &consent, &usual, call).await;
            if again.is_some_and(|(_, taken)| !taken) {
                let switches = switches(&profile, &usual);
                // the first is as good as any
                let _ = self.tried_readings.taken.set(switches.join(" and "));
                let reading = OtherReading { exchange: sent, call, switches, accepted: true };
                self.journal.add(Record::OtherReading(reading));
            }
            return;
        }
    }

    /// The call in a reading, and whether the DP takes it; `None` when there is no such call, or no answer.
    async fn is_taken(
        &self,
        exchange: &Exchange,
        consent: &Consent,
        profile: &Profile,
        call: SignedCall,
    ) -> Option<(ExchangeId, bool)> {
        let plan = self.again(exchange, consent, profile)?;
        let keys = self.prober.keys();
        let wire = mutate::wire(&plan, None, &keys).ok()?;
        let sent = self.send(&plan, wire, self.prober.caller.clone(), None).await;
        let switches = switches(profile, &self.settings.profile);
        let reading = OtherReading { exchange: sent.id, call, switches, accepted: false };
        self.journal.add(Record::OtherReading(reading));
        sent.status()?;
        Some((sent.id, served(&sent, &self.settings.paynet_callback).is_ok()))
    }

    /// The same call in another reading.
    fn again(&self, exchange: &Exchange, consent: &Consent, profile: &Profile) -> Option<Plan> {
        let plans = self.plans_in(profile);
        Some(match exchange.endpoint {
            Endpoint::ConsentEvent => {
                let mut plan = plans.event_plan("consent_status_updated", consent, None, None);
                plan.body.clone_from(&exchange.request.body);
                plan
            }
            Endpoint::Userinfo => plans.userinfo_plan(consent),
            endpoint => {
                let named =
                    exchange.path().split('/').nth(3).and_then(|id| AccountId::parse(id).ok());
                let chosen = consent.accounts.first().map(|account| account.account_id.clone());
                plans.resource_plan(endpoint, consent, &named.or(chosen)?)
            }
        })
    }
}

/// What one profile would say where another does not.
fn switches(profile: &Profile, usual: &Profile) -> Vec<String> {
    profile.differences(usual).iter().map(|(switch, _)| switch.to_string()).collect()
}

/// Refused, and by what it says for the signature; an answer that says nothing may mean that too.
fn minds_signature(exchange: &Exchange) -> bool {
    let Outcome::Answered { status, message } = &exchange.outcome else { return false };
    let text = message.text().to_lowercase();
    matches!(status, 400 | 401 | 403)
        && (text.trim().is_empty() || SIGNATURE_WORDS.iter().any(|word| text.contains(word)))
}

/// The readings that differ from a profile's in the form of one call's signature, the nearest first.
fn others(profile: &Profile, call: SignedCall) -> Vec<Profile> {
    let mut others = Vec::new();
    match call {
        SignedCall::Event => {
            let sig_body = match profile.sig_body {
                SigBody::Detached => SigBody::Claims,
                SigBody::Claims => SigBody::Detached,
            };
            others.push(Profile { sig_body, ..profile.clone() });
        }
        // PayNet's pages show its signature, so that there is one reading
        SignedCall::Link => return others,
        SignedCall::Userinfo => {
            let forms =
                [SigUserinfo::Claims, SigUserinfo::DetachedEmpty, SigUserinfo::DetachedConsentId];
            others.extend(forms.map(|sig_userinfo| Profile { sig_userinfo, ..profile.clone() }));
        }
        SignedCall::Data => others.extend(of_data(profile)),
    }
    let numericdate = match profile.numericdate {
        NumericDateForm::Int => NumericDateForm::Float,
        NumericDateForm::Float => NumericDateForm::Int,
    };
    others.push(Profile { numericdate, ..profile.clone() });
    others.retain(|other| other != profile);
    others
}

fn of_data(profile: &Profile) -> Vec<Profile> {
    let signed = [
        (SigHeader::Both, ResourceSigner::Both),
        (SigHeader::Both, ResourceSigner::Pn),
        (SigHeader::Fapi, ResourceSigner::Dc),
        (SigHeader::X, ResourceSigner::Dc),
    ];
    let mut others = Vec::new();
    for sig_resource in [SigResource::Claims, SigResource::DetachedEmpty] {
        others.extend(signed.map(|(sig_header, resource_signer)| Profile {
            sig_header,
            resource_signer,
            sig_resource,
            ..profile.clone()
        }));
    }
    // what changes one switch before what changes three
    others.sort_by_cached_key(|other| other.differences(profile).len());
    let sub_claim = match profile.sub_claim {
        SubClaim::ConsentId => SubClaim::DcId,
        SubClaim::DcId => SubClaim::ConsentId,
    };
    others.push(Profile { sub_claim, ..profile.clone() });
    others.push(Profile { quirk_url: !profile.quirk_url, ..profile.clone() });
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_reading_is_tried_that_the_profile_takes_already() {
        let profile = Profile::default();
        for (call, count) in [
            (SignedCall::Event, 2),
            (SignedCall::Link, 0),
            (SignedCall::Userinfo, 3),
            (SignedCall::Data, 10),
        ] {
            let others = others(&profile, call);
            assert_eq!(others.len(), count, "{call:?}");
            for other in others {
                assert!(!other.differences(&profile).is_empty());
                assert!(other.unsupported().is_empty(), "{other:?}");
            }
        }
    }
}
