//! Three brokers in one connector, one of which behaves as badly as it can: the others do not notice.

use crate::alpaca;
use crate::connector::{Connector, TOKEN, eventually, limit};
use crate::database::TestDatabase;
use crate::kiwoom;
use crate::quote_server::QuoteServer;
use crate::terms::word;
use alpaca_stand_in::Fault;
use broker_connector::AdapterSettings;
use domain::broker::OrderRequest;
use domain::{AccountId, Side, TimeInForce};
use kiwoom_stand_in::{APP_KEY, until_the_day_has_room};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

/// Orders of the broker that behaves badly which are under way at once.
const UNDER_WAY: usize = 8;
/// Orders of each other broker that are measured.
const MEASURED: usize = 4;
/// Kiwoom takes an order a second: who sends them faster waits, whatever the neighbours do.
const PAUSE: Duration = Duration::from_millis(1_100);
/// So much slower than before an order of a neighbour's may be at the median, on a machine that is busy with tests.
const SLOWER_MAX: Duration = Duration::from_millis(250);

/// How a line behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It passes everything on.
    Passes,
    /// It takes everything and says nothing.
    Swallows,
    /// It begins an answer and gives a byte of it now and then.
    Dribbles,
    /// It gives an answer without an end, as fast as it is taken.
    Floods,
}

/// A line to a broker, which can be spoilt.
struct Line {
    address: SocketAddr,
    manner: watch::Sender<Manner>,
}

impl Line {
    async fn to(url: &str) -> Self {
        let far = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, manner) = (listener.local_addr().unwrap(), watch::Sender::new(Manner::Passes));
        let manners = manner.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, far.clone(), manners.subscribe()));
            }
        });
        Self { address, manner }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lines that are open end, and new ones behave like this.
    fn becomes(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }
}

async fn carry(mut near: TcpStream, far: String, mut manners: watch::Receiver<Manner>) {
    let manner = *manners.borrow_and_update();
    let talk = async {
        match manner {
            Manner::Passes => {
                let mut far = TcpStream::connect(far).await?;
                copy_bidirectional(&mut near, &mut far).await.map(|_| ())
            }
            Manner::Swallows => {
                let mut swallowed = [0; 4096];
                while near.read(&mut swallowed).await? > 0 {}
                Ok(())
            }
            Manner::Dribbles => {
                near.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await?;
                loop {
                    near.write_all(b" ").await?;
                    sleep(Duration::from_millis(50)).await;
                }
            }
            Manner::Floods => {
                near.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n").await?;
                loop {
                    near.write_all(&[b' '; 16 * 1024]).await?;
                }
            }
        }
    };
    let _: Option<std::io::Result<()>> = tokio::select! {
        ended = talk => Some(ended),
        _ = manners.changed() => None,
    };
}

struct Street {
    connector: Connector,
    line: Line,
    alpaca: alpaca_stand_in::StandIn,
    kiwoom: kiwoom_stand_in::StandIn,
    at_alpaca: AccountId,
    at_kiwoom: AccountId,
    at_play: AccountId,
    _database: TestDatabase,
    _quotes: QuoteServer,
}

impl Street {
    async fn start() -> Self {
        until_the_day_has_room().await;
        let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
        let (at_alpaca, at_kiwoom) = (AccountId::generate(), AccountId::generate());
        let alpaca = alpaca_stand_in::StandIn::start().await.unwrap();
        let kiwoom = kiwoom_stand_in::StandIn::start().await.unwrap();
        let line = Line::to(&alpaca.url()).await;
        let mut adapters =
            AdapterSettings { kiwoom: kiwoom::adapters(&kiwoom).kiwoom, ..alpaca::adapters(&alpaca) };
        (adapters.alpaca.paper_url, adapters.alpaca.live_url) = (line.url(), line.url());
        let connector = Connector::launch_with(&database, &quotes, adapters).await;
        connector.becomes_ready().await;
        let at_play = connector.connect("USD").await;
        let (key, secret) = (alpaca_stand_in::KEY_ID, alpaca_stand_in::SECRET_KEY);
        eventually("Alpaca's account is opened", || async {
            alpaca::connect(&connector, at_alpaca, key, secret).await.status() == 200
        })
        .await;
        eventually("Kiwoom's account is opened", || async {
            kiwoom::connect(&connector, at_kiwoom, APP_KEY, kiwoom_stand_in::SECRET_KEY).await.status() == 200
        })
        .await;
        let street = Self {
            connector,
            line,
            alpaca,
            kiwoom,
            at_alpaca,
            at_kiwoom,
            at_play,
            _database: database,
            _quotes: quotes,
        };
        street.becomes("connected").await;
        street
    }

    async fn becomes(&self, state: &str) {
        for account in [self.at_alpaca, self.at_kiwoom] {
            let path = format!("/broker/accounts/{account}/status");
            eventually(state, || async { self.connector.get(&path).await["state"] == state }).await;
        }
    }

    /// Of orders of an account, the median time until they are accepted; each has to be.
    async fn median(&self, orders: Vec<OrderRequest>, what: &str) -> Duration {
        let mut times = Vec::new();
        for order in orders {
            let began = Instant::now();
            let outcome = self.connector.place(&order).await;
            assert_eq!(word(&outcome), "accepted", "{what}: {outcome:?}");
            times.push(began.elapsed());
            sleep(PAUSE).await;
        }
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// What an order at each of the neighbours takes.
    async fn measured(&self, what: &str) -> [Duration; 2] {
        let (mut play, mut korean) = (Vec::new(), Vec::new());
        for _ in 0..MEASURED {
            play.push(limit(self.at_play, "AAPL", Side::Buy, "1", "1"));
            let order = limit(self.at_kiwoom, "005930.KS", Side::Buy, "1", "70000");
            korean.push(OrderRequest { time_in_force: TimeInForce::Day, ..order });
        }
        let (play, korean) = tokio::join!(self.median(play, what), self.median(korean, what));
        assert!(self.connector.is_ready().await, "{what}");
        [play, korean]
    }

    /// The neighbours' orders go as they do when all is well.
    async fn neighbours_are_well(&self, calm: [Duration; 2], what: &str) {
        let measured = self.measured(what).await;
        for (now, before) in measured.into_iter().zip(calm) {
            assert!(now < before + SLOWER_MAX, "{what}: {measured:?} and not {calm:?}");
        }
    }

    /// Hands over many orders of the broker that behaves badly, and asks for its account meanwhile.
    async fn pesters(&self) {
        let orders: Vec<OrderRequest> =
            (0..UNDER_WAY).map(|_| limit(self.at_alpaca, "AAPL", Side::Buy, "1", "1")).collect();
        let path = format!("/broker/accounts/{}/sync", self.at_alpaca);
        let (outcomes, _) = tokio::join!(
            self.connector.place_all(&orders),
            self.connector.send("GET", &path, Some(TOKEN), "")
        );
        for outcome in outcomes {
            assert_ne!(word(&outcome), "rejected", "{outcome:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_swallows_dribbles_floods_and_turns_away_slows_no_other() {
    let street = Street::start().await;
    let calm = street.measured("all is well").await;
    for manner in [Manner::Swallows, Manner::Dribbles, Manner::Floods] {
        street.line.becomes(manner);
        let what = format!("{manner:?}");
        tokio::join!(street.pesters(), street.neighbours_are_well(calm, &what));
    }
    street.line.becomes(Manner::Passes);
    street.becomes("connected").await;
    street.alpaca.will_fail(&[Fault::Limited(1); 500]);
    tokio::join!(street.pesters(), street.neighbours_are_well(calm, "asked too often"));
    assert_eq!(street.kiwoom.act(|market| market.orders().len()), 5 * MEASURED);
}
