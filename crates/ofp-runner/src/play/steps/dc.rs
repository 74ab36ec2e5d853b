//! What the DC does.

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};
use ofp_dc::{ConsentChange, ConsentRequest, DcError};
use ofp_evidence::{Endpoint, Message, Record, Role, cut};
use ofp_net::Reply;
use ofp_scenario::{Change, Provider, ResponseMode, Step, WhichConsent, WhichToken};
use ofp_types::{ReasonCode, StatusReason};

use super::{Actors, Asked, Played, StepError};
use crate::play::{heard::Heard, wanted::Wanted};

impl Actors<'_> {
    pub(super) async fn request_consent(&mut self) -> Played {
        let spec = &self.scenario.consent;
        let now = self.world.clock.now();
        let request = ConsentRequest {
            dp_id: (spec.provider == Provider::Named).then(|| self.world.dp_id.clone()),
            purpose: spec.purpose,
            permissions: spec.permissions.clone(),
            expiration: end_of_day(now + spec.valid_for.0),
            as_jwt: spec.response_mode == ResponseMode::Jwt,
        };
        let pending = self.world.dc.request_consent(&request).await?;
        self.asked.push(Asked { pending, consent: None, linked: None });
        self.learn_consent();
        Ok(Vec::new())
    }

    /// The consent that the platform made of the last request, if it has.
    pub(super) fn learn_consent(&mut self) {
        let Some(asked) = self.asked.last_mut() else { return };
        asked.consent = self.world.paynet.consent_of_request(&asked.pending.state);
        if let Some(consent) = &asked.consent {
            self.world.paynet.enforce(consent, &self.scenario.consent.enforce);
        }
    }

    pub(super) async fn exchange_code(&mut self) -> Played {
        if self.chromium.is_some() {
            self.browser_goes_back().await?;
        }
        if let Some(visit) = &mut self.visit
            && !visit.has_left()
        {
            visit.go_back().await?;
        }
        let asked = self.asked.last_mut().ok_or(StepError::TooEarly("dc.request_consent"))?;
        asked.linked = Some(self.world.dc.exchange_code(&asked.pending).await?);
        Ok(Vec::new())
    }

    pub(super) async fn refresh_token(&mut self, step: &Step) -> Played {
        let linked = self.linked(WhichConsent::Last)?;
        let before = self.world.journal.mark();
        let refreshed = self.world.dc.refresh(linked).await;
        let (status, body) = match &refreshed {
            Ok(_) => (200, String::new()),
            Err(DcError::Refused { status, body, .. }) => (*status, body.clone()),
            Err(_) => (0, String::new()),
        };
        match refreshed {
            Ok(fresh) => {
                if let Some(asked) = self.asked.last_mut() {
                    asked.linked = Some(fresh);
                }
            }
            // another status than the one that is expected is told below
            Err(DcError::Refused { .. }) if Wanted::of(step).names_a_status() => {}
            Err(error) => return Err(error.into()),
        }
        let refused = || Message { headers: Vec::new(), body: body.into_bytes() };
        let message = self.answer_since(before, Endpoint::Token).unwrap_or_else(refused);
        Ok(self.heard(step, Heard::of(status, message)))
    }

    /// The answer to the DC's last call of an endpoint about this scenario's consent.
    fn answer_since(&self, before: usize, endpoint: Endpoint) -> Option<Message> {
        let consents = self.consents();
        let records = self.world.journal.since(before);
        let answer = |record: &Record| match record {
            Record::Exchange(x)
                if x.endpoint == endpoint
                    && x.from == Role::Dc
                    && x.consent.as_ref().is_some_and(|one| consents.contains(one)) =>
            {
                x.response().cloned()
            }
            _ => None,
        };
        records.iter().rev().find_map(|record| answer(record))
    }

    pub(super) async fn introspect_token(&self, step: &Step) -> Played {
        let token = &self.linked(WhichConsent::Last)?.access_token;
        let claims = self.world.dc.introspect(token).await?;
        let message = Message { headers: Vec::new(), body: claims.to_string().into_bytes() };
        Ok(self.heard(step, Heard::of(200, message)))
    }

    pub(super) async fn revoke_token(&self, which: WhichToken) -> Played {
        let linked = self.linked(WhichConsent::Last)?;
        let token = match which {
            WhichToken::Access => &linked.access_token,
            WhichToken::Refresh => &linked.refresh_token,
        };
        self.world.dc.revoke_token(token).await?;
        Ok(Vec::new())
    }

    pub(super) async fn read_userinfo(&self, step: &Step) -> Played {
        let reply = self.world.dc.userinfo(self.linked(WhichConsent::Last)?).await?;
        self.replied("dc.read_userinfo", 200, step, reply)
    }

    pub(super) async fn list_providers(&self, step: &Step) -> Played {
        let reply = self.world.dc.providers().await?;
        self.replied("dc.list_providers", 200, step, reply)
    }

    pub(super) async fn retrieve_consent(&self, step: &Step) -> Played {
        let reply = self.world.dc.retrieve_consent(self.consent()?).await?;
        self.replied("dc.retrieve_consent", 200, step, reply)
    }

    pub(super) async fn dc_changes(&self, change: Change, step: &Step) -> Played {
        let (change, reason) = match change {
            Change::Revoke => (ConsentChange::Revoke, None),
            Change::Suspend => {
                let reason = StatusReason::new(ReasonCode::NotAllowed, "the DC suspects fraud");
                (ConsentChange::Suspend, Some(reason))
            }
            Change::Reactivate => (ConsentChange::Reactivate, None),
        };
        let reply = self.world.dc.change_consent(self.consent()?, change, reason).await?;
        self.replied("a change of the consent", 201, step, reply)
    }

    /// Success, unless the step expects something else.
    fn replied(&self, what: &'static str, success: u16, step: &Step, reply: Reply) -> Played {
        if !Wanted::of(step).names_a_status() && reply.status != success {
            let body = cut(&reply.message.text(), 300);
            return Err(StepError::Refused { what, status: reply.status, body });
        }
        Ok(self.heard(step, Heard::of(reply.status, reply.message)))
    }
}

/// The last second of a day in Malaysia: consents end then.
pub(crate) fn end_of_day(time: Timestamp) -> Timestamp {
    let local = time.to_zoned(TimeZone::fixed(Offset::constant(8)));
    let end = local.with().hour(23).minute(59).second(59).subsec_nanosecond(0).build();
    end.map_or(time, |end| end.timestamp())
}
