//! The list of all places.

/// A program that has places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `backend`.
    Backend,
    /// `broker-connector`.
    BrokerConnector,
}

impl Program {
    /// The name of its file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::BrokerConnector => "broker-connector",
        }
    }
}

macro_rules! failpoints {
    ($($(#[$doc:meta])+ $point:ident $name:literal $program:ident)*) => {
        /// A place at which its program can be made to die.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Failpoint {
            $($(#[$doc])+ $point,)*
        }

        impl Failpoint {
            /// All of them, in the order of an order's life.
            pub const ALL: &[Self] = &[$(Self::$point),*];

            /// The name by which it is armed.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)*
                }
            }

            /// The program that passes it.
            #[must_use]
            pub const fn program(self) -> Program {
                match self {
                    $(Self::$point => Program::$program,)*
                }
            }
        }
    };
}

failpoints! {
    /// Orders are decided; nothing is written.
    PlacementDecided "placement.decided" Backend
    /// Orders are written on locked balances; their transaction is open.
    PlacementWritten "placement.written" Backend
    /// Orders are committed; nobody was answered.
    PlacementCommitted "placement.committed" Backend
    /// The callers are answered; nothing has left for the connector.
    PlacementAnswered "placement.answered" Backend
    /// Orders are about to leave for the connector.
    DispatchSending "dispatch.sending" Backend
    /// The connector has answered about orders; the answer is not noted.
    DispatchSent "dispatch.sent" Backend
    /// A cancel is committed; its caller is not answered and the connector has not heard of it.
    CancelRequested "cancel.requested" Backend
    /// The connector has answered about cancels; the answer is not noted.
    CancelSent "cancel.sent" Backend
    /// Other terms of an order are asked for and committed; the connector has not heard of them.
    ReplaceRequested "replace.requested" Backend
    /// The connector has answered about other terms; the answer is not noted.
    ReplaceSent "replace.sent" Backend
    /// Lines of the brokers' journal are applied; their transaction is open.
    ApplierWritten "applier.written" Backend
    /// Lines of the brokers' journal are applied and committed; nobody was told.
    ApplierCommitted "applier.committed" Backend
    /// A group is written; its transaction is open.
    GroupWritten "group.written" Backend
    /// A group is committed; nobody was answered and nothing has left.
    GroupCommitted "group.committed" Backend
    /// A leg's turn has come and its order is written; the transaction is open.
    LegWoken "group.leg_woken" Backend
    /// What a group asked for is committed; nothing has left.
    GroupAdvanced "group.advanced" Backend
    /// The sale of a close is decided and written down; it is not placed.
    CloseDecided "close.decided" Backend
    /// The sale of a close is placed; that is not written down.
    ClosePlaced "close.placed" Backend
    /// Money is moved; its transaction is open.
    MovementWritten "movement.written" Backend
    /// Money is moved and committed; the caller is not answered.
    MovementCommitted "movement.committed" Backend
    /// Events were read to be told; that they are told is not written.
    EventsRead "events.read" Backend
    /// The broker was asked about orders of unknown fate; its answer is not noted.
    InquiryAnswered "inquiry.answered" Backend
    /// The broker's history was read; nothing is compared.
    ReconciliationRecovered "reconciliation.recovered" Backend
    /// An account is compared; that is not written.
    ReconciliationCompared "reconciliation.compared" Backend
    /// The connector has opened an account at the broker; its caller is not answered.
    AccountConnected "connector.account_connected" BrokerConnector
    /// The connector has received orders; the broker has not heard of them.
    OrdersReceived "connector.orders_received" BrokerConnector
    /// The connector has received cancels; the broker has not heard of them.
    CancelsReceived "connector.cancels_received" BrokerConnector
    /// The connector has received other terms; the broker has not heard of them.
    ReplacesReceived "connector.replaces_received" BrokerConnector
    /// The simulator has decided what becomes of requests; nothing is written.
    SimulatorDecided "simulator.decided" BrokerConnector
    /// The simulator has written what became of requests, with their reports; nobody was answered.
    SimulatorWritten "simulator.written" BrokerConnector
    /// Prices have executed orders; nothing is written.
    SimulatorExecuting "simulator.executing" BrokerConnector
    /// Prices have executed orders, which is written with its reports; nobody was told.
    SimulatorExecuted "simulator.executed" BrokerConnector
    /// The simulator has taken over and read its books; it does not serve yet.
    SimulatorTakenOver "simulator.taken_over" BrokerConnector
}

impl Failpoint {
    /// The place of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|point| point.name() == name)
    }
}
