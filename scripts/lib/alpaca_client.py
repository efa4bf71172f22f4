#!/usr/bin/env python3
"""Alpaca's own client speaks to the stand-in, so that the stand-in is not our imagination alone.

Usage: alpaca_client.py PROGRAM, the stand-in. It places, lists, cancels and listens, and ends with status 1 where something is
not as Alpaca's client expects it.
"""

import asyncio
import datetime
import subprocess
import sys
import threading

from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import (
    GetCalendarRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
)
from alpaca.trading.stream import TradingStream

KEY_ID, SECRET_KEY = "PKSTANDIN", "a-secret-of-the-stand-in"
SECONDS_MAX = 15


def check(what, holds):
    """Says what was checked, and ends where it does not hold."""
    if not holds:
        sys.exit(f"alpaca-py: {what}: not so")
    print(f"alpaca-py: {what}")


class Listener:
    """Listens to trade updates in a thread of its own."""

    def __init__(self, url):
        self.events, self.heard = [], threading.Condition()
        self.stream = TradingStream(KEY_ID, SECRET_KEY, url_override=url.replace("http", "ws", 1) + "/stream")
        self.stream.subscribe_trade_updates(self.hear)
        threading.Thread(target=self.stream.run, daemon=True).start()

    async def hear(self, update):
        with self.heard:
            self.events.append(str(getattr(update.event, "value", update.event)))
            self.heard.notify_all()
        await asyncio.sleep(0)

    def hears(self, word):
        """Waits until an event of this name has come."""
        with self.heard:
            return self.heard.wait_for(lambda: word in self.events, SECONDS_MAX)


def check_classes(client):
    """Orders that belong together."""
    exits = {"take_profit": TakeProfitRequest(limit_price=120), "stop_loss": StopLossRequest(stop_price=90)}
    bracket = client.submit_order(MarketOrderRequest(
        symbol="MSFT", qty=2, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, order_class=OrderClass.BRACKET, **exits))
    legs = {leg.order_type.value: leg for leg in bracket.legs}
    check("a bracket has two exits", set(legs) == {"limit", "stop"} and bracket.order_class == OrderClass.BRACKET)
    check("its entry is executed and its exit with profit is worked",
          legs["limit"].status == OrderStatus.NEW and legs["stop"].status == OrderStatus.HELD)
    nested = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL, nested=True, symbols=["MSFT"]))
    flat = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL, symbols=["MSFT"]))
    check("it is listed nested and in its members", (len(nested), len(flat)) == (1, 3))
    client.cancel_order_by_id(legs["limit"].id)
    check("a cancel of one exit ends the other", client.get_order_by_id(legs["stop"].id).status == OrderStatus.CANCELED)
    oco = client.submit_order(LimitOrderRequest(
        symbol="MSFT", qty=2, side=OrderSide.SELL, time_in_force=TimeInForce.GTC, order_class=OrderClass.OCO, **exits))
    check("an OCO is its exit with profit and a stop", float(oco.limit_price) == 120 and len(oco.legs) == 1)
    client.cancel_order_by_id(oco.id)


def main(url):
    client = TradingClient(KEY_ID, SECRET_KEY, paper=True, url_override=url)
    listener = Listener(url)
    check("it reads the account", client.get_account().currency == "USD")
    limit = LimitOrderRequest(symbol="AAPL", qty=3, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, limit_price=10.5)
    resting = client.submit_order(limit)
    check("a limit order rests", resting.status == OrderStatus.NEW and float(resting.qty) == 3)
    # The stream is up when it tells something: orders are made until it does.
    for _ in range(SECONDS_MAX):
        if listener.events:
            break
        client.cancel_order_by_id(client.submit_order(limit).id)
        with listener.heard:
            listener.heard.wait(1)
    check("it listens to the stream", bool(listener.events))
    replaced = client.replace_order_by_id(resting.id, ReplaceOrderRequest(qty=4, limit_price=11))
    check("a replace makes another number", replaced.id != resting.id and str(replaced.replaces) == str(resting.id))
    open_orders = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN, limit=500))
    check("open orders are listed", [order.id for order in open_orders] == [replaced.id])
    client.cancel_order_by_id(replaced.id)
    check("a cancel ends it", client.get_order_by_id(replaced.id).status == OrderStatus.CANCELED)
    check("it hears of the cancel", listener.hears("canceled"))
    market = MarketOrderRequest(symbol="AAPL", qty=1.5, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    bought = client.submit_order(market)
    check("a market order is executed", bought.status == OrderStatus.FILLED)
    check("it hears of the execution", listener.hears("fill"))
    positions = client.get_all_positions()
    check("the shares are there", [(row.symbol, float(row.qty)) for row in positions] == [("AAPL", 1.5)])
    check_classes(client)
    clock = client.get_clock()
    today = clock.timestamp.date()
    days = client.get_calendar(GetCalendarRequest(start=today, end=today + datetime.timedelta(days=14)))
    check("the calendar has sessions", 8 <= len(days) <= 11 and all(day.open < day.close for day in days))
    check("the clock opens on a day of the calendar", clock.next_open.date() in [day.date for day in days])
    by_amount = MarketOrderRequest(symbol="AAPL", notional=30, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    spent = client.submit_order(by_amount)
    check("an order by amount of money is executed", spent.status == OrderStatus.FILLED and spent.qty is None)
    check("it has the shares that the money buys", abs(float(spent.filled_qty) * float(spent.filled_avg_price) - 30) < 1e-6)
    listener.stream.stop()


if __name__ == "__main__":
    with subprocess.Popen([sys.argv[1]], stdout=subprocess.PIPE, text=True) as stand_in:
        try:
            # The first line says where it is.
            main(stand_in.stdout.readline().strip())
        finally:
            stand_in.terminate()
