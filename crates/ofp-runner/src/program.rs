//! Programs of the user's: hooks, and whoever plays the customer. Bounded in time and in what is read of them.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
    time::timeout,
};

/// More of an output is not read.
const LONGEST_OUTPUT: u64 = 1024 * 1024;

/// Runs a program to its end and returns what it wrote to standard output.
///
/// # Errors
/// Why it cannot be run, how it ended otherwise than well with the last line of its standard error, or that it took or
/// wrote too much.
pub(crate) async fn finish(
    command: &mut Command,
    input: &[u8],
    patience: Duration,
) -> Result<Vec<u8>, String> {
    let spawned = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = spawned.map_err(|e| e.to_string())?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let talk = async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // one that needs nothing of it may have closed it
                let _ = stdin.write_all(input).await;
            }
        };
        let ((), output, said) = tokio::join!(write, bounded(stdout), bounded(stderr));
        (child.wait().await, output, said)
    };
    let (status, output, said) =
        timeout(patience, talk).await.map_err(|_| format!("it took longer than {patience:?}"))?;
    let status = status.map_err(|e| e.to_string())?;
    if !status.success() {
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        return Err(format!("{status}: {last}"));
    }
    match output.len() as u64 > LONGEST_OUTPUT {
        true => Err(format!("it wrote more than {LONGEST_OUTPUT} bytes")),
        false => Ok(output),
    }
}

/// The output up to a byte beyond the bound. The program is told that nobody reads on.
async fn bounded(output: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut read = Vec::new();
    if let Some(output) = output {
        let _ = output.take(LONGEST_OUTPUT + 1).read_to_end(&mut read).await;
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ran(script: &str) -> Result<String, String> {
        let mut command = Command::new("sh");
        let output = finish(command.args(["-c", script]), b"in", Duration::from_secs(1)).await?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    #[tokio::test]
    async fn a_program_is_held_to_bounds() {
        assert_eq!(ran("cat; echo out").await.as_deref(), Ok("inout\n"));
        assert_eq!(ran("echo a >&2; echo b >&2; exit 3").await.unwrap_err(), "exit status: 3: b");
        assert_eq!(ran("exec sleep 30").await.unwrap_err(), "it took longer than 1s");
        let flood = ran("exec yes").await.unwrap_err();
        assert!(flood.contains("signal") || flood.contains("more than"), "{flood}");
        let mut missing = Command::new("/no/such/program");
        let why = finish(&mut missing, b"", Duration::from_secs(1)).await.unwrap_err();
        assert!(why.contains("No such file"), "{why}");
    }
}
