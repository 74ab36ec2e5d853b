//! The Data Provider of a world: ours, or one that is not.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use ofp_dp::{AccountStatus, Bank, ReferenceDp};
use ofp_net::inspect;
use ofp_pki::Credential;
use ofp_scenario::ScopeWord;
use ofp_types::{AccountId, ConsentId};
use tokio::time::timeout;

use crate::{program, target::Target};

/// How soon to look again whether a DP is up.
const GLANCE: Duration = Duration::from_millis(50);
/// How long a hook may take.
const HOOK_PATIENCE: Duration = Duration::from_secs(60);

/// The Data Provider of a world.
pub(crate) enum Dp {
    /// Ours.
    Reference(Box<ReferenceDp>),
    /// Somebody else's.
    Target(Arc<Target>),
}

/// Why nothing could be done to a DP that is not ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    /// There is no command for it.
    #[error("it needs hook `{0}` of the target file, which names none")]
    Missing(&'static str),
    /// The command failed.
    #[error("hook `{hook}` failed: {why}")]
    Failed {
        /// Which.
        hook: &'static str,
        /// What it said.
        why: String,
    },
    /// It would leave the DP's clock behind.
    #[error(
        "the consent would expire, and a DP that is not ours has a clock of its own: it cannot know"
    )]
    Clock,
}

type Done = Result<(), HookError>;

impl Dp {
    /// Our books, if the DP is ours.
    pub(crate) fn bank(&self) -> Option<&Bank> {
        match self {
            Self::Reference(dp) => Some(dp.bank()),
            Self::Target(_) => None,
        }
    }

    /// Whether the DP offers a part of the platform.
    pub(crate) fn claims(&self, part: ScopeWord) -> bool {
        self.target().is_none_or(|target| target.claims(part))
    }

    pub(crate) fn target(&self) -> Option<&Target> {
        match self {
            Self::Reference(_) => None,
            Self::Target(target) => Some(target),
        }
    }

    /// Ours shares the offset of a consent that it knows.
    pub(crate) fn advance_clock(&self, consent: &ConsentId, by: SignedDuration) {
        if let Self::Reference(dp) = self {
            let _ = dp.advance_clock(consent, by);
        }
    }

    pub(crate) async fn flush_keys(&self) -> Done {
        match self {
            Self::Reference(dp) => {
                dp.flush_keys().await;
                Ok(())
            }
            Self::Target(target) => {
                run(target, "flush_jwks", &target.hooks().flush_jwks, &[]).await
            }
        }
    }

    /// Restarts the DP, and waits until it answers again.
    pub(crate) async fn restart(&self, paynet: &Credential) -> Done {
        match self {
            Self::Reference(dp) => {
                dp.restart().await;
                Ok(())
            }
            Self::Target(target) => {
                run(target, "restart", &target.hooks().restart, &[]).await?;
                up_again(target, paynet).await
            }
        }
    }

    /// Takes core banking away, or brings it back.
    pub(crate) async fn set_core_down(&self, down: bool) -> Done {
        match self {
            Self::Reference(dp) => {
                dp.bank().set_down(down);
                Ok(())
            }
            Self::Target(target) if down => {
                run(target, "core_down", &target.hooks().core_down, &[]).await
            }
            Self::Target(target) => run(target, "core_up", &target.hooks().core_up, &[]).await,
        }
    }

    /// Whether the DP has the account.
    pub(crate) async fn set_account(
        &self,
        account: &AccountId,
        status: AccountStatus,
    ) -> Result<bool, HookError> {
        match self {
            Self::Reference(dp) => Ok(dp.bank().set_status(account, status)),
            Self::Target(target) => {
                let word = match status {
                    AccountStatus::Active => "active",
                    AccountStatus::Blocked => "blocked",
                    AccountStatus::Closed => "closed",
                };
                let more = [account.as_str(), word];
                run(target, "set_account", &target.hooks().set_account, &more).await.map(|()| true)
            }
        }
    }

    /// Whether PayNet took the DP's revocation.
    pub(crate) async fn revoke_consent(&self, consent: &ConsentId) -> Result<bool, HookError> {
        match self {
            Self::Reference(dp) => Ok(dp.revoke_consent(consent).await),
            Self::Target(target) => {
                run(target, "revoke", &target.hooks().revoke, &[consent.as_str()])
                    .await
                    .map(|()| true)
            }
        }
    }

    pub(crate) async fn stop(&self) {
        if let Self::Reference(dp) = self {
            dp.stop().await;
        }
    }
}

/// Waits until both webhooks complete a handshake: a connection alone may be a load balancer's.
async fn up_again(target: &Target, paynet: &Credential) -> Done {
    for origin in [&target.as_webhooks, &target.rs_webhooks] {
        let url = url::Url::parse(origin.as_str()).ok();
        let place = url.and_then(|u| Some((u.host_str()?.to_owned(), u.port_or_known_default()?)));
        let Some((host, port)) = place else { continue };
        let host = host.trim_matches(['[', ']']);
        let answers = async {
            // a process that starts tells nobody
            while inspect((host, port), Some(paynet), &target.server_trust, GLANCE * 20)
                .await
                .is_err()
            {
                tokio::time::sleep(GLANCE).await;
            }
        };
        if timeout(HOOK_PATIENCE, answers).await.is_err() {
            let why = format!("{origin} completed no handshake within {HOOK_PATIENCE:?} after it");
            return Err(HookError::Failed { hook: "restart", why });
        }
    }
    Ok(())
}

/// Runs a hook to its end.
async fn run(target: &Target, hook: &'static str, command: &[String], more: &[&str]) -> Done {
    let Some(mut program) = target.command(command) else { return Err(HookError::Missing(hook)) };
    let done = program::finish(program.args(more), b"", HOOK_PATIENCE).await;
    done.map(drop).map_err(|why| HookError::Failed { hook, why })
}
