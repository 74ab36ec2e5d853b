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

/// Help with a verb: the closest one, else those of the same actor, else the actors.
pub(crate) fn verb_help(word: &str, verbs: &[&str], beside: &[&str]) -> String {
    let all: Vec<&str> = verbs.iter().chain(beside).copied().collect();
    if let Some(best) = closest(word, &all) {
        return format!("did you mean `{best}`?");
    }
    let actor = |verb: &str| verb.split_once('.').map(|(actor, _)| actor.to_owned());
    let of_actor = |wanted: &str| -> Vec<&str> {
        verbs.iter().copied().filter(|verb| actor(verb).as_deref() == Some(wanted)).collect()
    };
    let same = actor(word).map(|actor| of_actor(&actor)).unwrap_or_default();
    if !same.is_empty() {
        return format!("known here: {}", same.join(", "));
    }
    let mut actors: Vec<String> = verbs.iter().filter_map(|verb| actor(verb)).collect();
    actors.dedup();
    format!("a verb is `actor.verb`, such as `{}`; actors: {}", verbs[0], actors.join(", "))
}
