//! `ofp-sim list`.

use std::path::{Path, PathBuf};

use ofp_checks::catalogue;
use ofp_report::tame;
use ofp_runner::{LoadOptions, Loaded, Reading, exit, load_with, profile};
use ofp_scenario::{Candidate, Filter, PROFILES};
use ofp_types::{DpFault, DpVariant, Mutation, Profile};

use super::{print, select};
use crate::{args::ListWhat, failure::Failure};

pub(super) fn list(what: ListWhat, filter: Option<&str>, paths: &[PathBuf]) -> Result<u8, Failure> {
    let filter = select::filter(filter)?;
    let rows = match what {
        ListWhat::Scenarios => return scenarios(filter.as_ref(), paths),
        ListWhat::Requirements => requirements(),
        ListWhat::Mutations => mutations(),
        ListWhat::Faults => faults(),
        ListWhat::Variants => variants(),
        ListWhat::Profiles => profiles()?,
    };
    // a row's name, and the words of its second column: a level, requirements
    let selected = |row: &Vec<String>| {
        let words: Vec<String> = row[1].split([',', ' ', '(', ')']).map(str::to_owned).collect();
        let requirements: Vec<&str> = words.iter().map(String::as_str).collect();
        let candidate = Candidate { name: &row[0], tags: &words, requirements: &requirements };
        filter.as_ref().is_none_or(|filter| filter.selects(&candidate))
    };
    let all = rows.len();
    shown(rows.into_iter().filter(selected).collect(), all)
}

fn shown(rows: Vec<Vec<String>>, all: usize) -> Result<u8, Failure> {
    if rows.is_empty() {
        return Err(Failure::NothingSelected(format!(": none of {all} is as --filter says")));
    }
    print(&columns(&rows))?;
    Ok(exit::PASSED)
}

fn scenarios(filter: Option<&Filter>, paths: &[PathBuf]) -> Result<u8, Failure> {
    let selected = |one: &Loaded| filter.is_none_or(|filter| select::selects(filter, one));
    let asked = |candidate: &Candidate<'_>| filter.is_none_or(|filter| filter.selects(candidate));
    let asked = filter.is_some().then_some(&asked as &dyn Fn(&Candidate<'_>) -> bool);
    let options = LoadOptions { open_variables: true, asked, ..LoadOptions::default() };
    let Reading { scenarios: loaded, unusable, .. } = load_with(paths, &options)?;
    select::tell_unusable(&unusable);
    let all = loaded.len();
    let row = |one: Loaded| {
        let (tags, title) = (one.scenario.tags.join(","), &one.scenario.title);
        vec![tame(&one.id), tame(&tags), tame(title)]
    };
    shown(loaded.into_iter().filter(selected).map(row).collect(), all)
}

/// Name, the requirements that must and may turn red, what it does.
fn faults() -> Vec<Vec<String>> {
    let row = |fault: &DpFault| {
        let also: Vec<&str> = fault.also().iter().map(|(id, _)| *id).collect();
        let also = if also.is_empty() { String::new() } else { format!(" ({})", also.join(", ")) };
        let red = format!("{}{also}", fault.primary().unwrap_or("everything"));
        vec![fault.name().to_owned(), red, fault.what().to_owned()]
    };
    DpFault::ALL.iter().map(row).collect()
}

fn variants() -> Vec<Vec<String>> {
    let row = |variant: &DpVariant| vec![variant.name().to_owned(), variant.what().to_owned()];
    DpVariant::ALL.iter().map(row).collect()
}

fn mutations() -> Vec<Vec<String>> {
    let row = |mutation: &Mutation| vec![mutation.name().to_owned(), mutation.what().to_owned()];
    Mutation::ALL.iter().map(row).collect()
}

fn requirements() -> Vec<Vec<String>> {
    catalogue().map(|r| vec![r.id.to_owned(), r.level.to_string(), r.title.to_owned()]).collect()
}

/// The built-in profiles, a row for each switch that differs from the default's.
fn profiles() -> Result<Vec<Vec<String>>, Failure> {
    let default = Profile::default();
    let mut rows = Vec::new();
    for (name, _) in PROFILES {
        let profile = profile(Path::new("."), name)?;
        let differences = profile.differences(&default);
        let what = match (differences.is_empty(), profile.experimental) {
            (true, _) => "the default",
            (_, true) => "an experimental reading: no page of PayNet's portal bears it out",
            (_, false) => "",
        };
        rows.push([*name, "", "", what].map(str::to_owned).to_vec());
        rows.extend(differences.into_iter().map(|(switch, usual)| {
            let reading = switch.reading.unwrap_or("-");
            let value = format!("{}  instead of {usual}", switch.value);
            [*name, switch.name, reading, &value].map(str::to_owned).to_vec()
        }));
    }
    Ok(rows)
}

/// Rows with every column but the last as wide as its widest cell.
fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(String::len).max();
    let widths: Vec<usize> = (0..count).map(|at| width(at).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
