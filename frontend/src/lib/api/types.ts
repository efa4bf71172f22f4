import type { components } from "./schema";

type Schemas = components["schemas"];

export type Account = Schemas["Account"];
export type AccountBalance = Schemas["AccountBalance"];
export type AccountValue = Schemas["AccountValue"];
export type Balance = Schemas["Balance"];
export type Bar = Schemas["Bar"];
export type BrokerKey = Schemas["BrokerCredentials"];
export type BrokerName = Schemas["BrokerName"];
export type Capabilities = Schemas["BrokerCapabilities"];
export type Connection = Schemas["BrokerConnection"];
export type CostMethod = Schemas["CostMethod"];
export type Currency = Schemas["Currency"];
export type CurrencyBalance = Schemas["CurrencyBalance"];
export type FieldProblem = Schemas["FieldError"];
export type Halt = Schemas["HaltDocument"];
export type History = Schemas["History"];
export type ImportReport = Schemas["ImportReport"];
export type Incident = Schemas["Incident"];
export type Instrument = Schemas["ListedSymbol"];
export type Language = Schemas["Language"];
export type Lot = Schemas["Lot"];
export type Order = Schemas["Order"];
export type OrderDetail = Schemas["OrderDetail"];
export type OrderGroup = Schemas["OrderGroup"];
export type OrderPage = Schemas["OrderPage"];
export type OrderPreview = Schemas["OrderPreview"];
export type OrderState = Schemas["OrderState"];
export type OrderType = Schemas["OrderType"];
export type Performance = Schemas["PerformanceDocument"];
export type PlaceGroup = Schemas["PlaceGroup"];
export type PlaceOrder = Schemas["PlaceOrder"];
export type Position = Schemas["Position"];
export type Problem = Schemas["Problem"];
export type Reconciliation = Schemas["Reconciliation"];
export type ReplaceOrder = Schemas["ReplaceOrder"];
export type ResolveOrder = Schemas["ResolveOrder"];
export type Sale = Schemas["Sale"];
export type Session = Schemas["LoginAnswer"];
export type Side = Schemas["Side"];
export type Simulation = Schemas["SimulationName"];
export type AccountMargin = Schemas["AccountMargin"];
export type StatementLine = Schemas["StatementLine"];
export type TimeInForce = Schemas["TimeInForce"];
export type User = Schemas["Profile"];

/** An execution as the event stream tells it. */
export interface Fill {
  accountId: string;
  orderId: string;
  executionId: string;
  symbol: string;
  side: Side;
  quantity: string;
  price: string;
  commission: string;
  tax: string;
  currency: Currency;
  occurredAt: string;
}
