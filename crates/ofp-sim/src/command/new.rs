//! `ofp-sim new`: a scenario from a template.

use std::path::{Path, PathBuf};

use ofp_report::shell_path;
use ofp_runner::exit;

use super::print;
use crate::{
    args::{NewArgs, TemplateName},
    failure::Failure,
};

const SCHEMA: &str = "scenario.schema.json";

pub(super) fn new(args: &NewArgs) -> Result<u8, Failure> {
    let file = match args.file.extension() {
        Some(_) => args.file.clone(),
        None => args.file.with_extension("yaml"),
    };
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        let reason =
            "the name of the file has letters, digits, - and _ only, such as scenarios/mine.yaml";
        return Err(Failure::File { path: args.file.clone(), reason: reason.to_owned() });
    }
    if file.exists() {
        return Err(Failure::Exists(file));
    }
    let text = template(args.template).replace("NAME", &name).replace("SCHEMA", SCHEMA);
    let folder = file.parent().map(Path::to_owned).unwrap_or_default();
    let schema = folder.join(SCHEMA);
    let write = |path: &PathBuf, text: &str| {
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(path, text))
            .map_err(|e| Failure::File { path: path.clone(), reason: e.to_string() })
    };
    write(&file, &text)?;
    // beside it, so that an editor finds it; another version's is written anew
    write(&schema, &super::schema::text(&ofp_scenario::scenario_schema()))?;
    let (shown, schema) = (file.display(), schema.display());
    let next = match args.template {
        TemplateName::Fragment => {
            let beside = file.file_name().unwrap_or_default().display();
            let above = folder
                .file_name()
                .map(|name| format!(", of the folder above: `- use: {}/{beside}`", name.display()));
            let above = above.unwrap_or_default();
            format!("use it in a scenario of the same folder: `- use: {beside}`{above}")
        }
        _ => format!("play it with `ofp-sim run {}`", shell_path(&shown.to_string())),
    };
    print(&format!("{shown}\n{schema}: for completion in editors\n{next}\n"))?;
    Ok(exit::PASSED)
}

fn template(name: TemplateName) -> &'static str {
    match name {
        TemplateName::Balance => include_str!("../../templates/balance.yaml"),
        TemplateName::Reject => include_str!("../../templates/reject.yaml"),
        TemplateName::Refusal => include_str!("../../templates/refusal.yaml"),
        TemplateName::Trouble => include_str!("../../templates/trouble.yaml"),
        TemplateName::Fragment => include_str!("../../templates/fragment.yaml"),
    }
}
