//! The running application, and a client for it.

mod database;

pub(crate) use database::TestDatabase;

use backend::http::client_for;
use backend::settings::Admission;
use backend::startup::State;
use backend::{Application, Settings};
use broker_connector::AdapterSettings;
use broker_connector::journal::Journal;
use faulty_broker::{FaultyBroker, Stream, Venue};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use secrecy::SecretBox;
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longest wait for something that must happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// Time between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:1";

pub(crate) const PASSWORD: &str = "violet kettle orbit";
pub(crate) const INTERNAL_TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const JWT_SECRET: &str = "a secret for tests, long enough to sign";

/// A process of the house running inside the test: stopped when dropped.
pub(crate) struct Running {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    fn start<F: Future<Output = anyhow::Result<()>> + Send + 'static>(
        run: impl FnOnce(oneshot::Receiver<()>) -> F,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let running = run(stopped);
        let task = tokio::spawn(async move { running.await.expect("it stops cleanly") });
        Self { stop: Some(stop), task }
    }

    /// Stops it and waits for its end.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(DEADLINE, &mut self.task)
            .await
            .expect("it ends in time")
            .expect("it does not panic");
    }
}

async fn until(stopped: oneshot::Receiver<()>) {
    let _ = stopped.await;
}

/// A quote server that plays recorded prices quickly, and its address.
pub(crate) async fn start_market_data() -> (Running, String) {
    start_market_data_with(&[
        ("GAEMI_PROVIDERS", "replay,synthetic"),
        ("GAEMI_REPLAY_SESSION_SECONDS", "2"),
        ("GAEMI_REPLAY_TICKS_PER_SESSION", "40"),
        ("GAEMI_SYNTHETIC_TICK_MILLIS", "50"),
    ])
    .await
}

/// A quote server with these settings, and its address.
pub(crate) async fn start_market_data_with(values: &[(&str, &str)]) -> (Running, String) {
    let port = [("GAEMI_MARKET_DATA_PORT", "0")];
    let settings = market_data::Settings::from_values(port.iter().chain(values).copied());
    let application = market_data::Application::build(settings.unwrap()).await.unwrap();
    let address = format!("http://127.0.0.1:{}", application.port());
    (Running::start(|stopped| application.run_until_stopped(until(stopped))), address)
}

/// A broker connector on a migrated database, and its address.
pub(crate) async fn start_broker_connector(database_url: &str, market_data_url: &str) -> (Running, String) {
    start_broker_connector_with(database_url, market_data_url, AdapterSettings::default()).await
}

/// The same with brokers beside the simulator.
pub(crate) async fn start_broker_connector_with(
    database_url: &str,
    market_data_url: &str,
    adapters: AdapterSettings,
) -> (Running, String) {
    let settings = broker_connector::Settings {
        host: "127.0.0.1".into(),
        port: 0,
        database_url: database_url.into(),
        market_data_url: market_data_url.into(),
        market_data_token: None,
        internal_token: INTERNAL_TOKEN.into(),
        adapters,
    };
    let application = broker_connector::Application::build(settings).await.unwrap();
    let address = format!("http://127.0.0.1:{}", application.port());
    (Running::start(|stopped| application.run_until_stopped(until(stopped))), address)
}

/// A broker connector in whose simulator's place a broker stands that misbehaves.
pub(crate) async fn start_faulty_connector(
    database_url: &str,
    venue: Venue,
    stream: Stream,
) -> (Running, String, Arc<FaultyBroker>) {
    let journal = Journal::new(&database_url.into()).unwrap();
    let broker = Arc::new(FaultyBroker::new(venue, stream, journal, 1));
    let settings = broker_connector::Settings {
        host: "127.0.0.1".into(),
        port: 0,
        database_url: database_url.into(),
        market_data_url: NOWHERE.into(),
        market_data_token: None,
        internal_token: INTERNAL_TOKEN.into(),
        adapters: AdapterSettings::default(),
    };
    let standing_in = Arc::clone(&broker);
    let application = broker_connector::Application::build_with(settings, standing_in).await.unwrap();
    let address = format!("http://127.0.0.1:{}", application.port());
    (Running::start(|stopped| application.run_until_stopped(until(stopped))), address, broker)
}

/// What is different from the usual in one test.
pub(crate) struct Setup {
    pub(crate) market_data_url: String,
    pub(crate) broker_connector_url: String,
    pub(crate) trust_proxy: bool,
    pub(crate) margin_call_grace: Option<chrono::TimeDelta>,
    pub(crate) halt_file: Option<PathBuf>,
    pub(crate) orders_per_minute_max: Option<NonZeroU32>,
    pub(crate) admission: Admission,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            market_data_url: NOWHERE.into(),
            broker_connector_url: NOWHERE.into(),
            trust_proxy: false,
            margin_call_grace: None,
            halt_file: None,
            orders_per_minute_max: None,
            admission: Admission::Open,
        }
    }
}

/// The backend, running.
pub(crate) struct TestApp {
    pub(crate) address: String,
    pub(crate) client: reqwest::Client,
    pub(crate) database_url: String,
    pub(crate) state: State,
    setup: Setup,
    running: Running,
    /// What runs beside the backend.
    neighbours: Vec<Running>,
    database: TestDatabase,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The stable word of a problem; checks that it is a whole problem document.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        assert!(problem["title"].is_string(), "{problem}");
        problem["code"].as_str().unwrap().to_owned()
    }

    /// Field and rule of the first complaint.
    pub(crate) fn complaint(&self) -> (String, String) {
        let first = &self.json()["errors"][0];
        (first["field"].as_str().unwrap().to_owned(), first["rule"].as_str().unwrap().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks the answer's status and hands it on.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

/// Somebody who has registered and logged in.
#[derive(Debug, Clone)]
pub(crate) struct TestUser {
    pub(crate) id: String,
    #[allow(dead_code, reason = "for tests that log in again")]
    pub(crate) email: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

async fn launch(setup: &Setup, database_url: &str) -> (Running, String, State) {
    let settings = Settings {
        host: "127.0.0.1".into(),
        port: 0,
        database_url: database_url.into(),
        database_pool_size: 8,
        market_data_url: setup.market_data_url.clone(),
        market_data_token: None,
        broker_connector_url: setup.broker_connector_url.clone(),
        internal_token: INTERNAL_TOKEN.into(),
        jwt_secret: JWT_SECRET.into(),
        encryption_key: SecretBox::new(Box::new([7; 32])),
        trust_proxy: setup.trust_proxy,
        margin_call_grace: setup.margin_call_grace,
        halt_file: setup.halt_file.clone(),
        orders_per_minute_max: setup.orders_per_minute_max,
        admission: setup.admission,
    };
    let application = Application::build(settings).await.unwrap();
    let address = format!("http://127.0.0.1:{}", application.port());
    let state = application.state().clone();
    (Running::start(|stopped| application.run_until_stopped(until(stopped))), address, state)
}

impl TestApp {
    /// Alone: without quote server and connector.
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub(crate) async fn start_with(setup: Setup) -> Self {
        Self::start_in(TestDatabase::create().await, setup, Vec::new()).await
    }

    /// The whole house: quote server, broker connector and backend, each as it really runs.
    pub(crate) async fn start_house() -> Self {
        Self::start_house_with(Setup::default()).await
    }

    /// The same with something different from the usual.
    pub(crate) async fn start_house_with(setup: Setup) -> Self {
        let database = TestDatabase::create().await;
        let (quote_server, market_data_url) = start_market_data().await;
        let (connector, broker_connector_url) =
            start_broker_connector(database.url(), &market_data_url).await;
        let setup = Setup { market_data_url, broker_connector_url, ..setup };
        Self::start_in(database, setup, vec![quote_server, connector]).await
    }

    /// The house without its broker connector.
    pub(crate) async fn start_without_connector() -> Self {
        let (quote_server, market_data_url) = start_market_data().await;
        let setup = Setup { market_data_url, ..Setup::default() };
        Self::start_in(TestDatabase::create().await, setup, vec![quote_server]).await
    }

    /// Stops the broker connector of the whole house, under a running application.
    pub(crate) async fn stop_connector(&mut self) {
        self.neighbours.pop().expect("the connector is the last neighbour").stop().await;
    }

    /// Stops the application, starts a broker connector, and starts the application again.
    pub(crate) async fn restart_with_connector(self) -> Self {
        self.restart_beside(AdapterSettings::default()).await
    }

    /// The same with brokers beside the simulator.
    pub(crate) async fn restart_beside(mut self, adapters: AdapterSettings) -> Self {
        let market_data_url = &self.setup.market_data_url;
        let (connector, url) =
            start_broker_connector_with(&self.database_url, market_data_url, adapters).await;
        self.setup.broker_connector_url = url;
        self.neighbours.push(connector);
        self.restart().await
    }

    /// The whole house with a broker that misbehaves.
    pub(crate) async fn start_faulty(venue: Venue, stream: Stream) -> (Self, Arc<FaultyBroker>) {
        let database = TestDatabase::create().await;
        let (quote_server, market_data_url) = start_market_data().await;
        let (connector, broker_connector_url, broker) =
            start_faulty_connector(database.url(), venue, stream).await;
        let setup = Setup { market_data_url, broker_connector_url, ..Setup::default() };
        (Self::start_in(database, setup, vec![quote_server, connector]).await, broker)
    }

    /// Sends the connector a message as whoever knows its secret can.
    pub(crate) async fn to_connector(&self, path: &str, body: &Value) -> Answer {
        let request = self.client.post(format!("{}{path}", self.setup.broker_connector_url));
        self.send(request.header("X-Gaemi-Internal-Token", INTERNAL_TOKEN).json(body)).await
    }

    pub(crate) async fn start_in(database: TestDatabase, setup: Setup, neighbours: Vec<Running>) -> Self {
        let database_url = database.url().to_owned();
        let (running, address, state) = launch(&setup, &database_url).await;
        let client = client_for(NOWHERE).timeout(DEADLINE).build().unwrap();
        Self { address, client, database_url, state, setup, running, neighbours, database }
    }

    /// Stops the application and starts it again on the same database.
    pub(crate) async fn restart(self) -> Self {
        self.restart_after(|| ()).await
    }

    /// The same, with something that happens while it is away.
    pub(crate) async fn restart_after(self, meanwhile: impl FnOnce()) -> Self {
        let Self { running, state, setup, neighbours, database, .. } = self;
        drop(state);
        running.stop().await;
        meanwhile();
        Self::start_in(database, setup, neighbours).await
    }

    /// Ends the backend's connections to its database and, if so wished, refuses new ones.
    pub(crate) async fn cut_off_database(&self, cut_off: bool) {
        self.database.refuse_connections(cut_off).await;
    }

    /// Ends the backend's connections to its database.
    pub(crate) async fn break_connections(&self) {
        self.database.break_connections().await;
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str, user: &TestUser) -> Answer {
        self.send(self.request(Method::GET, path).bearer_auth(&user.access_token)).await
    }

    pub(crate) async fn post(&self, path: &str, user: &TestUser, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).bearer_auth(&user.access_token).json(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, user: &TestUser, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).bearer_auth(&user.access_token).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str, user: &TestUser) -> Answer {
        self.send(self.request(Method::DELETE, path).bearer_auth(&user.access_token)).await
    }

    /// Without an access token.
    pub(crate) async fn post_anonymous(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> Answer {
        self.post_anonymous("/api/auth/login", json!({ "email": email, "password": password })).await
    }

    /// Registers somebody with [`PASSWORD`] and logs in.
    pub(crate) async fn register(&self, email: &str) -> TestUser {
        let body = json!({ "email": email, "password": PASSWORD });
        self.post_anonymous("/api/auth/register", body).await.expect(201);
        self.logged_in(email).await
    }

    /// Logs in with [`PASSWORD`].
    pub(crate) async fn logged_in(&self, email: &str) -> TestUser {
        let login = self.login(email, PASSWORD).await.expect(200).json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        TestUser {
            id: text(&login["user"]["id"]),
            email: email.to_owned(),
            access_token: text(&login["accessToken"]),
            refresh_token: text(&login["refreshToken"]),
        }
    }
}

/// Looks again and again until the condition holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let started = std::time::Instant::now();
    while !condition().await {
        assert!(started.elapsed() < DEADLINE, "it did not happen in time: {what}");
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}
