//! What the platform does by itself, and what the harness does to platform and reference DP.

use jiff::SignedDuration;
use ofp_dp::AccountStatus;
use ofp_evidence::{AccountChange, AccountStanding, KeySetChange, KeySetState, Record, Restart};
use ofp_paynet::FaultScope;
use ofp_scenario::{
    Change, DpRevokes, Inject, InjectScope, RotateKeys, SetAccount, SetCore, Step, WhichAccount,
    WhichConsent,
};
use ofp_types::{
    AccountId, ConsentId, ConsentStatus, FaultLife, FaultPoint, PlatformFault, ReasonCode,
    StatusReason, Trigger,
};

use super::{Actors, Played, StepError, reading::accounts};
use crate::world::HookError;

impl Actors<'_> {
    pub(super) fn advance_clock(&self, by: SignedDuration) -> Played {
        let consent = self.consent()?;
        if self.world.dp.target().is_some() && self.would_expire(consent, by) {
            return Err(HookError::Clock.into());
        }
        self.world.dp.advance_clock(consent, by);
        if self.world.paynet.advance_clock(consent, by) {
            Ok(Vec::new())
        } else {
            Err(StepError::NoConsent(consent.clone()))
        }
    }

    /// Whether the consent's time would be over.
    fn would_expire(&self, consent: &ConsentId, by: SignedDuration) -> bool {
        let consent = self.world.paynet.consent(consent);
        consent.is_some_and(|consent| {
            let then = self.world.clock.now().checked_add(by);
            then.is_ok_and(|then| then >= consent.expiration)
        })
    }

    pub(super) async fn set_account(&self, set: &SetAccount) -> Played {
        let status = match set.status {
            ofp_scenario::AccountStatus::Active => AccountStatus::Active,
            ofp_scenario::AccountStatus::Blocked => AccountStatus::Blocked,
            ofp_scenario::AccountStatus::Closed => AccountStatus::Closed,
        };
        for account in &accounts(self.linked(WhichConsent::Last)?, &set.account)? {
            if !self.world.dp.set_account(account, status).await? {
                return Err(StepError::NoAccount);
            }
            self.write_standing(
                account,
                match set.status {
                    ofp_scenario::AccountStatus::Active => AccountStanding::Active,
                    ofp_scenario::AccountStatus::Blocked => AccountStanding::Blocked,
                    ofp_scenario::AccountStatus::Closed => AccountStanding::Closed,
                },
            )?;
        }
        Ok(Vec::new())
    }

    pub(super) async fn set_core(&self, set: SetCore) -> Played {
        self.world.dp.set_core_down(set.down).await?;
        let standing =
            if set.down { AccountStanding::Unreachable } else { AccountStanding::Active };
        for account in &accounts(self.linked(WhichConsent::Last)?, &WhichAccount::Each)? {
            self.write_standing(account, standing)?;
        }
        Ok(Vec::new())
    }

    pub(super) async fn restart(&self) -> Played {
        self.at_rest().await;
        self.world.dp.restart(&self.world.pki.paynet.client).await?;
        let (consent, after) = (self.consent()?.clone(), self.world.journal.next_exchange());
        self.world.journal.add(Record::Restart(Restart { consent, after }));
        Ok(Vec::new())
    }

    fn write_standing(
        &self,
        account: &AccountId,
        standing: AccountStanding,
    ) -> Result<(), StepError> {
        let (consent, account) = (self.consent()?.clone(), account.clone());
        let after = self.world.journal.next_exchange();
        let change = AccountChange { consent, account, standing, after };
        self.world.journal.add(Record::Account(change));
        Ok(())
    }

    pub(super) fn rotate_keys(&self, rotate: RotateKeys) -> Played {
        self.world.rotate_signing_key(rotate.alone)?;
        let state = if rotate.unknown_kinds {
            self.world.paynet.publish_unknown_kinds(true);
            KeySetState::WithUnknownKinds
        } else {
            KeySetState::Rotated
        };
        self.write_key_set(state)?;
        Ok(Vec::new())
    }

    fn write_key_set(&self, state: KeySetState) -> Result<(), StepError> {
        let (consent, after) = (self.consent()?.clone(), self.world.journal.next_exchange());
        self.world.journal.add(Record::KeySet(KeySetChange { consent, state, after }));
        Ok(())
    }

    /// A DP whose cache is empty must know the new key.
    pub(super) fn flushed(&self) -> Played {
        let rotated = |record: &Record| match record {
            Record::KeySet(change) => Some(change.state == KeySetState::Rotated),
            _ => None,
        };
        if self.world.journal.newest(rotated) == Some(true) {
            self.write_key_set(KeySetState::AsUsual)?;
        }
        Ok(Vec::new())
    }

    pub(super) fn rotate_encryption_key(&self) -> Played {
        self.world.rotate_encryption_key()?;
        Ok(Vec::new())
    }

    pub(super) async fn dp_revokes(&self, revokes: DpRevokes) -> Played {
        let consent = self.consent()?;
        let taken = match self.world.dp.revoke_consent(consent).await {
            // a hook may say by failing that PayNet has refused, and PayNet knows
            Err(HookError::Failed { .. }) if !revokes.taken => false,
            Ok(_) if self.world.dp.target().is_some() => {
                let status = self.world.paynet.consent(consent).map(|consent| consent.status);
                status == Some(ConsentStatus::Revoked)
            }
            other => other?,
        };
        match taken {
            taken if taken == revokes.taken => Ok(Vec::new()),
            true => Err(StepError::Revoked(consent.clone())),
            false => Err(StepError::NotRevoked(consent.clone())),
        }
    }

    pub(super) async fn check_health(&self, step: &Step) -> Played {
        let consent = self.consent().ok().cloned();
        let called = self.world.paynet.call_health(&self.world.dp_id, consent).await?;
        self.answered("paynet.check_health", step, called)
    }

    pub(super) async fn call_userinfo(&self, step: &Step) -> Played {
        let called = self.world.paynet.call_userinfo(self.consent()?).await?;
        self.answered("paynet.call_userinfo", step, called)
    }

    pub(super) fn paynet_changes(&self, change: Change) -> Played {
        let (trigger, reason) = match change {
            Change::Revoke => (Trigger::Revoke, None),
            Change::Suspend => {
                let reason =
                    StatusReason::new(ReasonCode::NotAllowed, "the platform suspects fraud");
                (Trigger::Suspend, Some(reason))
            }
            Change::Reactivate => (Trigger::Reactivate, None),
        };
        self.world.paynet.change(self.consent()?, trigger, reason)?;
        Ok(Vec::new())
    }

    pub(super) fn inject(&self, inject: Inject) -> Played {
        let Inject { scope, fault } = inject;
        let _ = self.world.paynet.inject(self.scope(scope)?, fault);
        if fault.at == FaultPoint::Token && fault.life == FaultLife::UntilReset {
            let consent = self.consent()?.clone();
            self.world.journal.add(Record::TokensWithheld { consent });
        }
        if fault.at == FaultPoint::Jwks && fault.life == FaultLife::UntilReset {
            self.write_key_set(KeySetState::Unreachable)?;
        }
        Ok(Vec::new())
    }

    fn scope(&self, scope: InjectScope) -> Result<FaultScope, StepError> {
        let settings = &self.world.settings;
        Ok(match scope {
            InjectScope::Consent => FaultScope::Consent(self.consent()?.clone()),
            InjectScope::Dp => FaultScope::Client(settings.dp_client_id.clone()),
            InjectScope::Dc => FaultScope::Client(settings.dc_client_id.clone()),
            InjectScope::Everyone => FaultScope::Everyone,
        })
    }

    /// Faults that were to strike so many times and have not.
    pub(crate) fn not_struck(&self) -> Vec<PlatformFault> {
        let ours = self.scopes();
        let waiting = self.world.paynet.faults().into_iter().filter(|fault| {
            ours.contains(&fault.scope) && matches!(fault.fault.life, FaultLife::Times(_))
        });
        waiting.map(|fault| fault.fault).collect()
    }

    fn scopes(&self) -> Vec<FaultScope> {
        let mut scopes: Vec<FaultScope> =
            self.consents().into_iter().map(FaultScope::Consent).collect();
        if self.scenario.exclusive {
            let everybody = [InjectScope::Dp, InjectScope::Dc, InjectScope::Everyone]
                .map(|scope| self.scope(scope));
            scopes.extend(everybody.into_iter().flatten());
        }
        scopes
    }

    /// Of this scenario's consents, and of everybody where the scenario runs alone.
    pub(super) fn reset_faults(&self) -> Played {
        for scope in &self.scopes() {
            let _ = self.world.paynet.reset_faults(Some(scope));
        }
        if self.scenario.exclusive && self.consent().is_ok() {
            self.write_key_set(KeySetState::AsUsual)?;
        }
        Ok(Vec::new())
    }
}
