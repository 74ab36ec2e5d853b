//! The catalogue.

use ofp_evidence::{Endpoint, Level};
use ofp_types::{AuthorizeMode, ConsentStatus, Mutation, Profile, RequirementId, ResourceSigner};

use crate::{Facts, groups, innocent, readings, ruling::Ruling};

/// What evidence a check is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One scenario's.
    Scenario,
    /// The whole run's: what belongs to no single scenario, or compares several.
    World,
}

/// An assertion about a Data Provider (`spec/requirements.md`).
pub struct Requirement {
    /// Such as `C-05`.
    pub id: &'static str,
    /// How much it weighs.
    pub level: Level,
    /// What evidence it is held to.
    pub scope: Scope,
    /// One sentence that is true of a conformant DP.
    pub title: &'static str,
    /// Where it comes from: PayNet's pages by source and line, or a standard.
    pub source: &'static str,
    /// How to mend a DP that breaks it.
    pub mend: &'static str,
    /// Why it was not tested, when nothing was seen that would tell.
    pub unseen: &'static str,
    /// Requests that must be refused, for a requirement that says so.
    pub refusals: &'static [Unserved],
    /// Requests that are unusual and must be served, for a requirement that says so.
    pub services: &'static [(Endpoint, Mutation)],
    pub(crate) check: fn(&Facts<'_>, &mut Ruling<'_>),
}

/// A request that a requirement wants refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unserved {
    /// One with a defect.
    Spoilt(Endpoint, Mutation),
    /// A good one about a consent that stands so.
    While(Endpoint, ConsentStatus),
    /// A good one for what the consent does not grant.
    NotGranted(Endpoint),
}

impl Unserved {
    /// Where it goes.
    #[must_use]
    pub fn endpoint(self) -> Endpoint {
        match self {
            Self::Spoilt(at, _) | Self::While(at, _) | Self::NotGranted(at) => at,
        }
    }
}

impl std::fmt::Display for Unserved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Spoilt(_, mutation) => f.write_str(mutation.what()),
            Self::While(_, status) => write!(f, "the consent is {status}"),
            Self::NotGranted(_) => f.write_str("the consent does not grant it"),
        }
    }
}

impl Requirement {
    /// What is usually behind a breach that is not what it looks like: look there first.
    #[must_use]
    pub fn innocent_cause(&self) -> Option<&'static str> {
        innocent::of(self.id)
    }

    /// How much it weighs in a profile: what PayNet's pages leave open is a must where the profile says so.
    #[must_use]
    pub fn level_in(&self, profile: &Profile) -> Level {
        let must = match self.id {
            "A-11" => profile.authorize_mode == AuthorizeMode::Browser,
            "J-11" | "J-12" | "J-14" | "J-17" => profile.name.starts_with("sandbox"),
            "J-37" => profile.resource_signer == ResourceSigner::Dc,
            "J-38" => profile.resource_signer == ResourceSigner::Pn,
            _ => false,
        };
        if must { Level::Must } else { self.level }
    }

    /// Where its level is another one, in words.
    #[must_use]
    pub fn level_elsewhere(&self) -> Option<&'static str> {
        Some(match self.id {
            "A-11" => "must where authorize_mode is browser",
            "J-11" | "J-12" | "J-14" | "J-17" => "must in a profile called sandbox…",
            "J-37" => "must where resource_signer is dc",
            "J-38" => "must where resource_signer is pn",
            _ => return None,
        })
    }

    /// The readings taken where its sources disagree or say nothing, each with its number.
    pub fn readings(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        readings::of(self.source)
    }

    /// Its id, parsed.
    #[must_use]
    pub fn requirement_id(&self) -> RequirementId {
        RequirementId::parse(self.id).expect("the catalogue's test parses every id")
    }
}

/// What the requirements of a letter are about.
#[must_use]
pub fn group_title(letter: char) -> &'static str {
    match letter {
        'A' => "Transport and mutual TLS",
        'B' => "Health and generic HTTP",
        'C' => "Consent event",
        'D' => "Authorize",
        'E' => "Customer screens",
        'F' => "DP as token client",
        'G' => "Update Consent",
        'H' => "id_token",
        'I' => "Return to PayNet",
        'J' => "Balance request",
        'K' => "Balance response",
        'L' => "Userinfo",
        'M' => "Keys and rotation",
        'N' => "Life cycle at the DP",
        'O' => "Errors and resilience",
        _ => "DP as token endpoint (profile oidc-dp, an experimental reading)",
    }
}

/// Every requirement that a check is written for, in the order of their ids.
pub fn catalogue() -> impl Iterator<Item = &'static Requirement> {
    groups::ALL.iter().copied().flatten()
}

/// The requirement called `id`.
#[must_use]
pub fn find(id: &str) -> Option<&'static Requirement> {
    catalogue().find(|requirement| requirement.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_is_complete_and_unique() {
        let mut ids = BTreeSet::new();
        for requirement in catalogue() {
            assert!(RequirementId::parse(requirement.id).is_ok(), "{}", requirement.id);
            assert!(ids.insert(requirement.id), "{} is there twice", requirement.id);
            for text in
                [requirement.title, requirement.source, requirement.mend, requirement.unseen]
            {
                assert!(!text.is_empty() && !text.ends_with('.'), "{}: `{text}`", requirement.id);
            }
        }
        let listed: Vec<_> = catalogue().map(|requirement| requirement.id).collect();
        let sorted: Vec<_> = ids.into_iter().collect();
        assert_eq!(listed, sorted, "in the order of their ids");
    }

    #[test]
    fn a_level_may_depend_on_the_profile() {
        let portal = Profile::default();
        let sandbox = Profile { name: "sandbox-2025".into(), ..Profile::default() };
        let by_paynet = Profile { resource_signer: ResourceSigner::Pn, ..Profile::default() };
        for (id, profile, level) in [
            ("J-17", &portal, Level::Should),
            ("J-17", &sandbox, Level::Must),
            ("J-38", &portal, Level::Should),
            ("J-38", &by_paynet, Level::Must),
            ("J-37", &by_paynet, Level::Should),
            ("J-07", &portal, Level::Must),
        ] {
            let requirement = find(id).unwrap();
            assert_eq!(requirement.level_in(profile), level, "{id} {}", profile.name);
        }
        let varying = catalogue().filter(|r| r.level_elsewhere().is_some());
        assert_eq!(varying.count(), 7);
    }

    /// The musts that rest on nothing but a reading must still name where the reading comes from.
    #[test]
    fn every_must_cites_a_page_or_a_standard() {
        let cites = |source: &str| {
            ["S1", "S2", "S3", "S4", "X-", "RFC", "FAPI", "OpenID", "P-", "BCP"]
                .iter()
                .any(|s| source.contains(s))
        };
        for requirement in catalogue().filter(|r| r.level == Level::Must) {
            assert!(cites(requirement.source), "{}: {}", requirement.id, requirement.source);
        }
    }
}
