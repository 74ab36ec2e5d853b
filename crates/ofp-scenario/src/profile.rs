//! Profiles from files.

use ofp_types::Profile;

use crate::{Diagnostic, Source, decode::decode, yaml};

/// The profiles that are built in, by name.
pub const PROFILES: &[(&str, &str)] = &[
    ("portal-1.2.2", include_str!("../profiles/portal-1.2.2.yaml")),
    ("sandbox", include_str!("../profiles/sandbox.yaml")),
    ("oidc-dp", include_str!("../profiles/oidc-dp.yaml")),
];

/// Reads a profile. A switch that is left out is as in `portal-1.2.2`.
///
/// # Errors
/// The problem, with its place in the text.
pub fn load_profile(source: &Source) -> Result<Profile, Diagnostic> {
    let decoded = decode(&yaml::parse(&source.text)?);
    let profile: Profile = decoded.map_err(|problem| problem.about("profile"))?;
    match profile.unsupported().first() {
        None => Ok(profile),
        Some((switch, has)) => {
            let at = source.text.find(&format!("{switch}:")).unwrap_or(0);
            let title = format!("this version does not carry out this value of `{switch}`");
            let span = at..at + switch.len();
            Err(Diagnostic::new("profile", title, span, "here").help(format!("it has: {has}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_file_says_every_switch_as_the_type_has_it() {
        let (name, text) = PROFILES[0];
        let profile = load_profile(&Source::new(name, text)).unwrap();
        assert_eq!(profile, Profile::default());
        let switches = serde_json::to_value(&profile).unwrap();
        for switch in switches.as_object().unwrap().keys() {
            assert!(text.contains(&format!("\n{switch}:")), "{switch} is not in the file");
        }
    }

    #[test]
    fn every_built_in_profile_is_carried_out_and_has_its_own_name() {
        for (name, text) in PROFILES {
            let profile = load_profile(&Source::new(*name, *text)).unwrap();
            assert_eq!(profile.name, *name);
            assert_eq!(profile.experimental, *name != "portal-1.2.2");
        }
    }
}
