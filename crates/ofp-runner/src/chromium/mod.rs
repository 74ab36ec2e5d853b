//! A real browser: Chromium, driven over WebDriver, for pages that are built with JavaScript. It trusts the CAs of the
//! run in a profile of its own, and no error of a certificate is ignored.

mod look;
mod visit;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use fantoccini::{Client, ClientBuilder};
use ofp_net::Trust;
use ofp_scenario::Pages;
use serde_json::{Map, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::target::Target;
pub(crate) use visit::BrowserVisit;

/// How long the WebDriver may take to start.
const START: Duration = Duration::from_secs(20);

/// Why there is no browser.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChromiumError {
    #[error("{program}: {why}. Driver `browser` needs it ({hint})")]
    Program { program: String, why: String, hint: &'static str },
    #[error("the browser cannot be started: {0}")]
    Session(String),
    #[error("the browser: {0}")]
    Command(String),
    #[error("{what} needs {needed}, the browser shows {actual}{screenshot}")]
    WrongScreen {
        what: &'static str,
        needed: &'static str,
        actual: String,
        /// Where a picture of it is.
        screenshot: String,
    },
    #[error("the page lists {listed} accounts, there is no number {number}")]
    NoSuchAccount { listed: usize, number: usize },
}

impl From<fantoccini::error::CmdError> for ChromiumError {
    fn from(error: fantoccini::error::CmdError) -> Self {
        // the first line says it; the rest is the browser's stack
        let text = error.to_string();
        Self::Command(text.lines().next().unwrap_or_default().to_owned())
    }
}

/// A WebDriver, and the home in which its browsers trust the CAs of the run.
pub(crate) struct Chromium {
    port: u16,
    browser: Option<String>,
    pub(crate) pages: Pages,
    pub(crate) screenshots: Option<PathBuf>,
    /// Ends with it.
    _driver: Child,
    _home: tempfile::TempDir,
}

impl Chromium {
    /// Starts the WebDriver that the target names.
    pub(crate) async fn start(target: &Target, trust: &Trust) -> Result<Self, ChromiumError> {
        let customer = &target.customer;
        let home = tempfile::tempdir().map_err(|e| ChromiumError::Session(e.to_string()))?;
        trust_in(home.path(), trust).await?;
        let program = customer.webdriver.clone().unwrap_or_else(|| "chromedriver".into());
        let failed = |why: String| ChromiumError::Program {
            program: program.clone(),
            why,
            hint: "Debian: apt install chromium chromium-driver",
        };
        let mut driver = Command::new(&program)
            .arg("--port=0")
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| failed(e.to_string()))?;
        let output = driver.stdout.take().ok_or_else(|| failed("it has no output".into()))?;
        let port = timeout(START, port_of(output))
            .await
            .map_err(|_| failed(format!("it did not say its port within {START:?}")))?
            .ok_or_else(|| failed("it ended at once, or is too old for --port=0".into()))?;
        Ok(Self {
            port,
            browser: customer.browser.clone(),
            pages: customer.pages.clone(),
            screenshots: customer.screenshots.as_ref().map(|folder| target.folder.join(folder)),
            _driver: driver,
            _home: home,
        })
    }

    /// A browser without history.
    async fn open(&self) -> Result<Client, ChromiumError> {
        let mut arguments = vec![
            "--headless=new",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        // its sandbox needs a user of its own
        if is_root() {
            arguments.push("--no-sandbox");
        }
        let mut options = json!({ "args": arguments });
        if let Some(browser) = &self.browser {
            options["binary"] = json!(browser);
        }
        let capabilities = Map::from_iter([
            ("goog:chromeOptions".to_owned(), options),
            ("acceptInsecureCerts".to_owned(), json!(false)),
        ]);
        ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .map_err(|e| {
                let text = e.to_string();
                ChromiumError::Session(text.lines().next().unwrap_or_default().to_owned())
            })
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// The port in the WebDriver's first lines.
async fn port_of(output: tokio::process::ChildStdout) -> Option<u16> {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Some((_, port)) = line.split_once("started successfully on port ") else { continue };
        let port = port.trim_end_matches('.').parse().ok();
        // somebody must go on reading, or it blocks
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        return port;
    }
    None
}

/// Puts CAs into the certificate store of a home (NSS), which is where Chromium looks on Linux.
async fn trust_in(home: &Path, trust: &Trust) -> Result<(), ChromiumError> {
    let failed = |why: String| ChromiumError::Program {
        program: "certutil".into(),
        why,
        hint: "Debian: apt install libnss3-tools",
    };
    let store = home.join(".pki/nssdb");
    std::fs::create_dir_all(&store).map_err(|e| failed(e.to_string()))?;
    let database = format!("sql:{}", store.display());
    certutil(&["-N", "-d", &database, "--empty-password"]).await.map_err(failed)?;
    for (at, anchor) in trust.anchors().enumerate() {
        let (name, file) = (format!("ca-{at}"), home.join(format!("ca-{at}.pem")));
        let pem = anchor.to_pem().map_err(|e| failed(e.to_string()))?;
        std::fs::write(&file, pem).map_err(|e| failed(e.to_string()))?;
        let file = file.display().to_string();
        let add = ["-A", "-d", &database, "-t", "C,,", "-n", &name, "-i", &file];
        certutil(&add).await.map_err(failed)?;
    }
    Ok(())
}

async fn certutil(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("certutil").args(arguments).stdin(Stdio::null()).output().await;
    let output = output.map_err(|e| e.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}
