//! Programs of the user's: hooks, and whoever plays the customer. Bounded in time and in what is read of them.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
    time::timeout,
};

/// How long the last words of a program that has ended may take.
const LINGER: Duration = Duration::from_secs(2);
/// More of an output is not read.
const LONGEST_OUTPUT: u64 = 1024 * 1024;
/// What is started must not write where nobody reads once the run is over: its next line would be its last.
const HELD_OPEN: &str = "it ended, and what it had started holds its output open: send that output elsewhere \
    (`… >dp.log 2>&1 &`)";

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
    let write = async {
        if let Some(mut stdin) = stdin {
            // one that needs nothing of it may have closed it
            let _ = stdin.write_all(input).await;
        }
    };
    let read = async { tokio::join!(bounded(stdout), bounded(stderr)) };
    let end = async {
        tokio::pin!(read);
        tokio::select! {
            read = &mut read => Ok((child.wait().await, read)),
            status = child.wait() => timeout(LINGER, read).await.map(|read| (status, read)),
        }
    };
    let talk = timeout(patience, async { tokio::join!(write, end).1 }).await;
    let ended = talk.map_err(|_| format!("it took longer than {patience:?}"))?;
    let (status, (output, said)) = ended.map_err(|_| HELD_OPEN)?;
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

    const HOOK: Duration = Duration::from_secs(60);

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
        assert_eq!(ran("sleep 30 >/dev/null 2>&1 & echo up").await.as_deref(), Ok("up\n"));
        let flood = ran("exec yes").await.unwrap_err();
        assert!(flood.contains("signal") || flood.contains("more than"), "{flood}");
        let mut daemon = Command::new("sh");
        let daemon = finish(daemon.args(["-c", "sleep 30 & echo up"]), b"", HOOK).await;
        assert_eq!(daemon.unwrap_err(), HELD_OPEN);
        let mut missing = Command::new("/no/such/program");
        let why = finish(&mut missing, b"", Duration::from_secs(1)).await.unwrap_err();
        assert!(why.contains("No such file"), "{why}");
    }
}
