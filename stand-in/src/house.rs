//! A stand-in as it runs, whichever broker it stands in for.

use crate::{Answer, Door, Stage};
use hyper::Request;
use hyper::body::Incoming;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

/// What one broker's stand-in knows and answers.
pub trait Host: Default + Send + Sync + 'static {
    /// What fails, and who listens.
    fn stage(&self) -> &Stage;

    /// Answers a request.
    fn serve(self: Arc<Self>, request: Request<Incoming>) -> impl Future<Output = Answer> + Send;
}

/// A running stand-in. It ends when it is dropped.
pub struct StandIn<H: Host> {
    host: Arc<H>,
    door: Door,
}

impl<H: Host> Deref for StandIn<H> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.host
    }
}

impl<H: Host> Drop for StandIn<H> {
    fn drop(&mut self) {
        self.hang_up();
    }
}

impl<H: Host> StandIn<H> {
    /// Starts it on a free port of this machine.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_at("127.0.0.1:0").await
    }

    /// Starts it at an address.
    ///
    /// # Errors
    /// When it is taken.
    pub async fn start_at(address: &str) -> anyhow::Result<Self> {
        let host = Arc::new(H::default());
        let door = Door::open(address, service(&host)).await?;
        Ok(Self { host, door })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        self.door.url()
    }

    /// Stops answering, also on lines that are open; nobody can connect.
    pub fn hang_up(&mut self) {
        self.door.close();
        self.host.stage().close_streams();
    }

    /// Answers again at the same address, with all that was there before.
    ///
    /// # Errors
    /// When somebody has taken the port meanwhile.
    pub async fn come_back(&mut self) -> anyhow::Result<()> {
        self.door.reopen(service(&self.host)).await
    }
}

type Serving = Pin<Box<dyn Future<Output = Answer> + Send>>;

fn service<H: Host>(host: &Arc<H>) -> impl Fn(Request<Incoming>) -> Serving + Clone + Send + 'static {
    let host = Arc::clone(host);
    move |request| Box::pin(Arc::clone(&host).serve(request))
}
