//! A place to which a DP might be lured for a key: whoever connects has taken the bait.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{net::TcpListener, task::JoinHandle};

/// A listener that serves nothing and remembers whether anybody came.
pub(super) struct Lure {
    port: u16,
    taken: Arc<AtomicBool>,
    waiter: JoinHandle<()>,
}

impl Lure {
    pub(super) async fn lay() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let taken = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&taken);
        let waiter = tokio::spawn(async move {
            // dropped at once, so that nobody waits for a handshake
            while listener.accept().await.is_ok() {
                seen.store(true, Ordering::Relaxed);
            }
        });
        Ok(Self { port, taken, waiter })
    }

    pub(super) fn origin(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(super) fn was_taken(&self) -> bool {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Lure {
    fn drop(&mut self) {
        self.waiter.abort();
    }
}
