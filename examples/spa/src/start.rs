//! From flags to a server that is ready to serve; whatever cannot work is told here, and why.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign::keys::KeyFileError;
use countersign::{Builder, Clock as _, ConfigError, KeyFile, MemoryRegistry, Sessions, SystemClock};
use countersign_console::Monitor;
use countersign_file::FileRegistry;
use countersign_valkey::ValkeyRegistry;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::interval;

use crate::app::App;
use crate::flags::Flags;
use crate::metrics::{Metrics, MetricsError};
use crate::office::{self, Counters, Office};
use crate::page::Page;
use crate::people::People;
use crate::registry::{Place, PlaceError, make_folder_of};

/// A server that may take requests.
pub(crate) struct Started {
    pub(crate) app: Arc<App>,
    pub(crate) listener: TcpListener,
    /// What it is bound to.
    pub(crate) address: String,
    pub(crate) counters: Counters,
}

/// Why a server cannot start, or cannot end in good order.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("cannot listen on {address}")]
    Listen { address: String, source: io::Error },
    #[error("--registry")]
    Place(#[from] PlaceError),
    #[error("cannot open the registry {place}")]
    Registry { place: String, source: Box<dyn Error + Send + Sync> },
    #[error("cannot use the key ring")]
    Keys(#[from] KeyFileError),
    #[error("these settings cannot work")]
    Config(#[from] ConfigError),
    #[error("cannot use the audit file")]
    Audit(#[source] io::Error),
    #[error("{0}")]
    Flags(&'static str),
    #[error("cannot count requests")]
    Metrics(#[from] MetricsError),
    #[error("cannot watch for signals")]
    Signals(#[source] io::Error),
    #[error("the registry could not be flushed")]
    Flush,
}

/// Opens and binds everything, and waits until requests can be served.
pub(crate) async fn start(flags: &Flags) -> Result<Started, StartError> {
    let listener = listen(&flags.listen).await?;
    let address = listener.local_addr().map_err(|source| not_bound(&flags.listen, source))?;
    let origin = origin(flags, address)?;
    let metrics = Metrics::install()?;
    let office = office(flags, &origin).await?;
    let page = Page::new(flags.transport.into());
    office.sessions.ready().await;
    office.console.start();
    tokio::spawn(tidy(metrics.clone()));
    let counters = office.counters.clone();
    tokio::spawn(counters.clone().keep());
    let app = Arc::new(App::new(People::new(), metrics, page, office));
    Ok(Started { app, listener, address: address.to_string(), counters })
}

/// Resolves when the process is told to stop, by SIGTERM or from the keyboard.
pub(crate) fn told_to_stop() -> Result<impl Future<Output = ()>, StartError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.map(ToString::to_string).fold(error.to_string(), |words, cause| {
        // Some errors tell their cause themselves.
        if words.contains(&cause) { words } else { format!("{words}: {cause}") }
    })
}

async fn listen(address: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| not_bound(address, source))
}

fn not_bound(address: &str, source: io::Error) -> StartError {
    StartError::Listen { address: address.to_owned(), source }
}

/// The public origin: as given, or the address that is bound where browsers may use that.
fn origin(flags: &Flags, bound: SocketAddr) -> Result<String, StartError> {
    match &flags.origin {
        _ if bound.ip().is_loopback() => {}
        _ if flags.dev_cookies => {
            return Err(StartError::Flags(
                "--dev-cookies is for the loopback only, and --listen is not on it",
            ));
        }
        None => {
            return Err(StartError::Flags(
                "--listen is not on the loopback: say with --origin which https: address browsers use",
            ));
        }
        Some(_) => {}
    }
    Ok(flags.origin.clone().unwrap_or_else(|| format!("http://{bound}")))
}

async fn office(flags: &Flags, origin: &str) -> Result<Office, StartError> {
    let development = flags.development_cookies().map_err(StartError::Flags)?;
    let place: Place = flags.registry.parse()?;
    let keys = KeyFile::open_or_create(&flags.keys, flags.alg.into(), SystemClock.now())?;
    let mut builder = open(place, &flags.registry, origin, keys)
        .await?
        .policy(flags.policy())
        .limits(flags.limits())
        .transport(flags.transport.into())
        .dpop(flags.dpop.into());
    if let Some(name) = development {
        tracing::warn!(
            "development cookies: without prefix and `Secure`, any program on this host can plant them"
        );
        builder = builder.development_cookies(name);
    }
    let audit = office::open_audit(&flags.audit).map_err(StartError::Audit)?;
    let monitor = Monitor::with(office::read_statistics(&flags.statistics));
    Ok(Office::new(builder, monitor)?.on_disk(audit, flags.statistics.clone()))
}

async fn open(place: Place, url: &str, origin: &str, keys: KeyFile) -> Result<Builder, StartError> {
    let failed =
        |source: Box<dyn Error + Send + Sync>| StartError::Registry { place: without_password(url), source };
    match place {
        Place::Memory => Ok(Sessions::builder(origin, keys, MemoryRegistry::new())),
        Place::File(path) => {
            make_folder_of(&path).map_err(|error| failed(error.into()))?;
            let registry = FileRegistry::open(path).map_err(|error| failed(error.into()))?;
            Ok(Sessions::builder(origin, keys, registry))
        }
        Place::Server(url) => {
            // Another one may be installed already; then that one encrypts.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let registry = ValkeyRegistry::connect(&url).await.map_err(|error| failed(error.into()))?;
            Ok(Sessions::builder(origin, keys, registry))
        }
    }
}

/// A registry's URL as it may be shown.
fn without_password(url: &str) -> String {
    let shown = match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => url.to_owned(),
    };
    // A password may hold a question mark, so what follows one is cut off only now.
    shown.split_once('?').map_or(shown.clone(), |(before, _)| before.to_owned())
}

async fn tidy(metrics: Metrics) {
    let mut pace = interval(Duration::from_secs(5));
    loop {
        pace.tick().await;
        metrics.tidy();
    }
}
