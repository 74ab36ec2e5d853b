//! "Did you mean".

/// The known word closest to `word`, if one is close.
#[must_use]
pub fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |each: &&str| strsim::damerau_levenshtein(word, each);
    let best = known.iter().min_by_key(|each| distance(each))?;
    (distance(best) <= word.len().max(3) / 3).then_some(best)
}

pub(crate) fn help(word: &str, known: &[&str]) -> String {
    match closest(word, known) {
        Some(best) => format!("did you mean `{best}`?"),
        None if known.is_empty() => "no keys are allowed here".into(),
        None => format!("known here: {}", known.join(", ")),
    }
}
