import type { components } from "./schema";

type Schemas = components["schemas"];

export type Account = Schemas["Account"];
export type AccountBalance = Schemas["AccountBalance"];
export type AccountValue = Schemas["AccountValue"];
export type Balance = Schemas["Balance"];
export type Bar = Schemas["Bar"];
export type Currency = Schemas["Currency"];
export type FieldProblem = Schemas["FieldError"];
export type History = Schemas["History"];
export type Instrument = Schemas["ListedSymbol"];
export type Language = Schemas["Language"];
export type Order = Schemas["Order"];
export type OrderDetail = Schemas["OrderDetail"];
export type OrderPreview = Schemas["OrderPreview"];
export type OrderState = Schemas["OrderState"];
export type OrderType = Schemas["OrderType"];
export type PlaceOrder = Schemas["PlaceOrder"];
export type Position = Schemas["Position"];
export type Problem = Schemas["Problem"];
export type Session = Schemas["LoginAnswer"];
export type Side = Schemas["Side"];
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
