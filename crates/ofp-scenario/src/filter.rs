//! The filter language: `tag(fapi) & not tag(slow)`, requirement ids, names.

use std::ops::Range;

use ofp_types::RequirementId;

use crate::{Diagnostic, Source, suggest};

/// What a filter is asked about.
pub struct Candidate<'a> {
    /// Its name: a scenario's id, a requirement's, a fault's.
    pub name: &'a str,
    /// Its tags.
    pub tags: &'a [String],
    /// The requirements that it is about.
    pub requirements: &'a [&'a str],
}

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// It has this tag.
    Tag(String),
    /// It is about this requirement, or about one of this group (a letter).
    Requirement(String),
    /// Its name with or without its folder, or a part of it; with `*`, which stands for anything, the whole of it.
    Name(String),
    /// The other does not hold.
    Not(Box<Self>),
    /// All of them hold.
    All(Vec<Self>),
    /// Any of them holds.
    Any(Vec<Self>),
}

impl Filter {
    /// Parses an expression.
    ///
    /// # Errors
    /// The problem with its place; [`crate::render`] it with [`Filter::source`].
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
        let filter = parser.any()?;
        match parser.peek() {
            None => Ok(filter),
            Some((_, span)) => {
                let help = "join conditions with `&` or `|`";
                Err(problem("one condition too much", span.clone(), "from here on").help(help))
            }
        }
    }

    /// What diagnostics show of an expression.
    #[must_use]
    pub fn source(text: &str) -> Source {
        Source::new("--filter", text)
    }

    /// Whether something is selected.
    #[must_use]
    pub fn selects(&self, candidate: &Candidate<'_>) -> bool {
        match self {
            Self::Tag(tag) => candidate.tags.iter().any(|known| matches(tag, known)),
            Self::Requirement(id) => {
                let is = |known: &str| known == id || known.split('-').next() == Some(id);
                is(candidate.name) || candidate.requirements.iter().any(|known| is(known))
            }
            Self::Name(name) => {
                let part = if name.contains('*') { name.clone() } else { format!("*{name}*") };
                // a name without its folder is a name too
                let own = candidate.name.rsplit('/').next().unwrap_or_default();
                matches(&part, candidate.name) || matches(&part, own)
            }
            Self::Not(inner) => !inner.selects(candidate),
            Self::All(all) => all.iter().all(|one| one.selects(candidate)),
            Self::Any(any) => any.iter().any(|one| one.selects(candidate)),
        }
    }

    /// Its parts that are no combinations.
    pub fn leaves(&self) -> Vec<&Self> {
        match self {
            Self::Not(inner) => inner.leaves(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::leaves).collect(),
            leaf => vec![leaf],
        }
    }
}

/// Whether a text is as a pattern says, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(first) = pieces.next() else { return text.is_empty() };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    And,
    Or,
    Not,
    Open,
    Close,
}

fn problem(title: impl Into<String>, span: Range<usize>, label: &str) -> Diagnostic {
    Diagnostic::new("filter", title, span, label)
}

/// Characters of names: scenario ids have slashes and brackets in them.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || "-_./[]*:".contains(c)
}

fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, Diagnostic> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let one = start..start + c.len_utf8();
        match c {
            c if c.is_whitespace() => {}
            '(' => tokens.push((Token::Open, one)),
            ')' => tokens.push((Token::Close, one)),
            '!' => tokens.push((Token::Not, one)),
            '&' | '|' => {
                let double = chars.next_if(|(_, next)| *next == c).is_some();
                let token = if c == '&' { Token::And } else { Token::Or };
                tokens.push((token, start..start + 1 + usize::from(double)));
            }
            c if is_word(c) => {
                let mut end = one.end;
                while let Some((at, c)) = chars.next_if(|(_, c)| is_word(*c)) {
                    end = at + c.len_utf8();
                }
                let token = match &text[start..end] {
                    "not" => Token::Not,
                    "and" => Token::And,
                    "or" => Token::Or,
                    word => Token::Word(word.to_owned()),
                };
                tokens.push((token, start..end));
            }
            _ => {
                let title = format!("`{c}` has no meaning in a filter");
                let help = "tag(NAME), requirement ids such as C-05, names; &, |, not, ( )";
                return Err(problem(title, one, "here").help(help));
            }
        }
    }
    Ok(tokens)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&(Token, Range<usize>)> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek().is_some_and(|(token, _)| token == wanted);
        self.at += usize::from(found);
        found
    }

    fn end(&self) -> Range<usize> {
        self.text.len()..self.text.len()
    }

    fn any(&mut self) -> Result<Filter, Diagnostic> {
        let mut all = vec![self.all()?];
        while self.take(&Token::Or) {
            all.push(self.all()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::Any(all) })
    }

    fn all(&mut self) -> Result<Filter, Diagnostic> {
        let mut all = vec![self.one()?];
        while self.take(&Token::And) {
            all.push(self.one()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::All(all) })
    }

    fn one(&mut self) -> Result<Filter, Diagnostic> {
        const DEEPEST: usize = 64;
        self.depth += 1;
        let nested_too_deeply = self.depth > DEEPEST;
        let Some((token, span)) = self.peek().cloned() else {
            let help = "such as `tag(smoke)`, `C-05` or `journey/approve`";
            return Err(problem("a condition is missing", self.end(), "here").help(help));
        };
        if nested_too_deeply {
            return Err(problem("the filter is nested too deeply", span, "here"));
        }
        self.at += 1;
        let filter = match token {
            Token::Not => Filter::Not(Box::new(self.one()?)),
            Token::Open => {
                let inner = self.any()?;
                self.close(&span)?;
                inner
            }
            Token::Word(word) if self.take(&Token::Open) => self.call(&word, &span)?,
            Token::Word(word) => bare(word),
            Token::And | Token::Or | Token::Close => {
                return Err(problem("a condition is missing before this", span, "here"));
            }
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn close(&mut self, open: &Range<usize>) -> Result<(), Diagnostic> {
        if self.take(&Token::Close) {
            return Ok(());
        }
        let place = self.peek().map_or(self.end(), |(_, span)| span.clone());
        Err(problem("`)` is missing", place, "before this").label(open.clone(), "opened here"))
    }

    /// `tag(x)`, `requirement(x)`, `name(x)`.
    fn call(&mut self, function: &str, span: &Range<usize>) -> Result<Filter, Diagnostic> {
        let Some((Token::Word(word), _)) = self.peek().cloned() else {
            let place = self.peek().map_or(self.end(), |(_, span)| span.clone());
            return Err(problem(format!("`{function}` needs a name"), place, "here"));
        };
        self.at += 1;
        self.close(span)?;
        match function {
            "tag" => Ok(Filter::Tag(word)),
            "requirement" => Ok(Filter::Requirement(word.to_ascii_uppercase())),
            "name" => Ok(Filter::Name(word)),
            unknown => {
                let title = format!("`{unknown}` is no condition");
                let help = suggest::help(unknown, &["tag", "requirement", "name"]);
                Err(problem(title, span.clone(), "here").help(help))
            }
        }
    }
}

/// A requirement's id, else a name.
fn bare(word: String) -> Filter {
    let upper = word.to_ascii_uppercase();
    match RequirementId::parse(upper.clone()) {
        Ok(_) => Filter::Requirement(upper),
        Err(_) => Filter::Name(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render;

    fn selected(filter: &str) -> bool {
        let tags = ["smoke".to_owned(), "drop-1".to_owned()];
        let candidate =
            Candidate { name: "event/spoilt[alg-none]", tags: &tags, requirements: &["C-13"] };
        Filter::parse(filter).unwrap().selects(&candidate)
    }

    #[test]
    fn conditions_are_joined_as_people_expect() {
        for (filter, expected) in [
            ("tag(smoke)", true),
            ("tag(slow)", false),
            ("not tag(slow)", true),
            ("tag(smoke) & not tag(slow)", true),
            ("tag(slow) | C-13", true),
            ("c-13", true),
            ("requirement(C)", true),
            ("requirement(D)", false),
            ("tag(slow) | tag(smoke) & C-05", false),
            ("(tag(slow) or tag(smoke)) and C-13", true),
            ("event/*", true),
            ("spoil*", true),
            ("poil*", false),
            ("spoilt", true),
            ("event/spoilt[alg-none]", true),
            ("*[alg-*]", true),
            ("*[rs256]", false),
            ("name(spoilt) && !journey", true),
        ] {
            assert_eq!(selected(filter), expected, "{filter}");
        }
    }

    #[test]
    fn problems_have_a_place_and_a_cure() {
        for (filter, expected) in [
            ("", "a condition is missing"),
            ("tag(smoke", "`)` is missing"),
            ("tga(smoke)", "did you mean `tag`?"),
            ("tag(smoke) C-05", "join conditions"),
            ("tag() ", "`tag` needs a name"),
            ("a & | b", "a condition is missing before this"),
            ("tag(a) ; b", "`;` has no meaning"),
        ] {
            let said = render(&Filter::source(filter), &Filter::parse(filter).unwrap_err(), false);
            assert!(said.contains(expected) && said.contains("--filter:1:"), "{filter}: {said}");
        }
        assert!(Filter::parse(&"(".repeat(10_000)).is_err());
        assert!(Filter::parse(&"not ".repeat(10_000)).is_err());
    }
}
