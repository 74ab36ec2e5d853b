//! A profile as a list of switches, each with the contradiction or gap that it decides.

use serde_json::Value;

use crate::Profile;

/// A switch and its value in a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Its name in a profile's file.
    pub name: &'static str,
    /// What it decides (`spec/ofp.md` section 2); nothing for a variant of the whole design.
    pub reading: Option<&'static str>,
    /// Its value, as a profile's file has it.
    pub value: String,
}

impl std::fmt::Display for Switch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.value)
    }
}

/// In the order of `portal-1.2.2`'s file.
const SWITCHES: [(&str, Option<&str>); 28] = [
    ("sig_header", Some("X-01")),
    ("sig_body", Some("X-09")),
    ("sig_userinfo", Some("X-53")),
    ("sig_resource", Some("X-09")),
    ("resource_signer", Some("X-04")),
    ("sig_algs", Some("X-18")),
    ("sub_claim", Some("X-19")),
    ("quirk_url", Some("X-24")),
    ("numericdate", Some("X-22")),
    ("authorize_mode", Some("X-12")),
    ("jarm", Some("X-35")),
    ("oidc_at_dp", None),
    ("code_ttl", Some("X-34")),
    ("access_ttl", Some("X-34")),
    ("consent_auth_ttl", Some("X-50")),
    ("update_verbs", Some("X-02")),
    ("require_bearer_on_patch", Some("X-14")),
    ("strict_status_case", Some("X-08")),
    ("accounts_shape", Some("X-06")),
    ("account_number_name", Some("X-07")),
    ("consent_type_value", Some("X-27")),
    ("event_response_codes", Some("X-52")),
    ("id_hash", Some("X-28")),
    ("response_types_accepted", Some("X-05")),
    ("jwe_plaintext", Some("X-26")),
    ("dp_timeout", Some("X-37")),
    ("timeout_status", Some("X-39")),
    ("rate_limit", Some("X-59")),
];

impl Profile {
    /// Every switch with its value.
    #[must_use]
    pub fn switches(&self) -> Vec<Switch> {
        let values = serde_json::to_value(self).unwrap_or_default();
        let switch = |(name, reading): (&'static str, _)| Switch {
            name,
            reading,
            value: written(&values[name]),
        };
        SWITCHES.into_iter().map(switch).collect()
    }

    /// The switches in which it differs from another profile.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<(Switch, String)> {
        let pairs = self.switches().into_iter().zip(other.switches());
        pairs.filter(|(ours, theirs)| ours != theirs).map(|(o, t)| (o, t.value)).collect()
    }
}

/// As YAML has it on one line.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(written).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_of_a_profile_but_its_name_is_a_switch() {
        let members = serde_json::to_value(Profile::default()).unwrap();
        let mut members: Vec<&String> = members.as_object().unwrap().keys().collect();
        members.retain(|name| !["name", "experimental"].contains(&name.as_str()));
        members.sort();
        let mut names: Vec<&str> = SWITCHES.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(members, names);
    }

    #[test]
    fn values_are_written_as_in_a_file() {
        let said: Vec<String> =
            Profile::default().switches().iter().map(ToString::to_string).collect();
        for line in ["sig_header: both", "update_verbs: [PATCH, POST]", "jarm: false"] {
            assert!(said.iter().any(|switch| switch == line), "{said:?}");
        }
    }
}
