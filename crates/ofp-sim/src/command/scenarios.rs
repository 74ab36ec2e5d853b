//! `ofp-sim scenarios`.

use std::path::Path;

use ofp_report::shell_path;
use ofp_runner::exit;
use ofp_scenario::builtin;

use super::print;
use crate::{args::ScenariosAction, failure::Failure};

pub(super) fn scenarios(action: &ScenariosAction) -> Result<u8, Failure> {
    let ScenariosAction::Export { folder } = action;
    let files = builtin::files();
    let taken = files.iter().map(|(name, _)| folder.join(name)).find(|path| path.exists());
    if let Some(path) = taken {
        return Err(Failure::Exists(path));
    }
    for (name, text) in &files {
        write(&folder.join(name), text)
            .map_err(|e| Failure::File { path: folder.join(name), reason: e.to_string() })?;
    }
    let folder = folder.display();
    print(&format!(
        "{} files in {folder}\nplay them with `ofp-sim run {}`\n",
        files.len(),
        shell_path(&folder.to_string())
    ))?;
    Ok(exit::PASSED)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(path, text)
}
