#!/usr/bin/env python3
"""A client of Kiwoom's that is no part of this house speaks to the stand-in, so that the stand-in is not our imagination alone.

Usage: kiwoom_rest_client.py PROGRAM, the stand-in. It places, lists, changes, cancels, listens and reads prices, and ends with status
1 where something is not as that client expects it.
"""

import asyncio
import datetime
import subprocess
import sys
import threading

from kiwoom_client import KiwoomAPI, KiwoomAPIError, KiwoomAuthError, KiwoomWebSocket

APP_KEY, SECRET_KEY = "app-key-of-the-stand-in", "a-secret-of-the-stand-in"
SECONDS_MAX = 15
SHARE = "005930"


def check(what, holds):
    """Says what was checked, and ends where it does not hold."""
    if not holds:
        sys.exit(f"kiwoom-client: {what}: not so")
    print(f"kiwoom-client: {what}")


def refused(call):
    """The words of a refusal; nothing where there is none."""
    try:
        call()
    except (KiwoomAPIError, KiwoomAuthError) as error:
        return str(error)
    return None


class Listener:
    """Listens to orders, executions and prices of the share in a thread of its own."""

    def __init__(self, url, token):
        self.states, self.heard = [], threading.Condition()
        socket = KiwoomWebSocket(token, ws_url=url.replace("http", "ws", 1) + "/api/dostk/websocket")
        socket.on("00", self.hear)
        socket.on("0B", lambda event: self.note((event["item"], abs(int(event["values"]["10"])))))
        socket.on("0D", lambda event: self.note((event["item"], "book")))
        socket.on_trnm("REG", lambda _: self.note("registered"))
        threading.Thread(target=lambda: asyncio.run(self.listen(socket)), daemon=True).start()

    async def listen(self, socket):
        await socket.connect()
        await socket.subscribe(["0B", "0D"], [SHARE])
        await socket.subscribe(["00", "04"], [""])
        await socket.listen()

    def hear(self, event):
        self.note(event["values"]["913"])

    def note(self, word):
        with self.heard:
            self.states.append(word)
            self.heard.notify_all()

    def hears(self, word, times=1):
        """Waits until a word has come so often."""
        with self.heard:
            return self.heard.wait_for(lambda: self.states.count(word) >= times, SECONDS_MAX)


def order(quantity, price=""):
    """The body of an order: with a price it is a limit order."""
    return {"dmst_stex_tp": "KRX", "stk_cd": SHARE, "ord_qty": str(quantity), "ord_uv": str(price),
            "trde_tp": "0" if price else "3", "cond_uv": ""}


def seoul():
    """The time in Seoul."""
    return datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9)))


def today(client):
    """All orders of the day, page by page."""
    body = {"ord_dt": seoul().strftime("%Y%m%d"), "qry_tp": "1", "stk_bond_tp": "1", "sell_tp": "0", "stk_cd": "",
            "fr_ord_no": "", "dmst_stex_tp": "%"}
    return client._client.request_all("/api/dostk/acnt", "kt00007", body, data_key="acnt_ord_cntr_prps_dtl")


def prices(client):
    """Whether days, page by page, the minutes, the book and the list of shares are as the trade of just now has left them."""
    adjusted = {"stk_cd": SHARE, "upd_stkpc_tp": "1"}
    days = client._client.request_all(
        "/api/dostk/chart", "ka10081", {**adjusted, "base_dt": seoul().strftime("%Y%m%d")}, data_key="stk_dt_pole_chart_qry")
    minutes = client._client.request_all(
        "/api/dostk/chart", "ka10080", {**adjusted, "tic_scope": "1"}, data_key="stk_min_pole_chart_qry")
    shares = client._client.request_all("/api/dostk/stkinfo", "ka10099", {"mrkt_tp": "10"}, data_key="list")
    book = client.market.stock_quote(stk_cd=SHARE)
    return (len(days) > 600 and abs(int(days[0]["cur_prc"])) == 70_000 and abs(int(minutes[0]["cur_prc"])) == 70_000
            and any(share["code"] == "247540" for share in shares) and "sel_10th_pre_bid" in book)


def main(url):
    wrong = KiwoomAPI(APP_KEY, "wrong", base_url=url)
    check("a wrong key is refused", "8001" in (refused(wrong.login) or ""))
    client = KiwoomAPI(APP_KEY, SECRET_KEY, base_url=url, rate_limit=None)
    listener = Listener(url, client.login()["token"])
    check("it logs in to the stream", listener.hears("registered", 2))
    check("it reads the deposit", int(client.account.deposit_detail(qry_tp="2")["d2_entra"]) == 10_000_000)
    resting = client.order.buy_order(**order(3, 69900))["ord_no"]
    check("a limit order rests", listener.hears("접수"))
    changed = client.order.modify_order(
        dmst_stex_tp="KRX", orig_ord_no=resting, stk_cd=SHARE, mdfy_qty="0", mdfy_uv="70000", mdfy_cond_uv="")
    check("a change makes another number", changed["ord_no"] != resting and changed["base_orig_ord_no"] == resting)
    client.order.cancel_order(dmst_stex_tp="KRX", orig_ord_no=changed["ord_no"], stk_cd=SHARE, cncl_qty="0")
    again = lambda: client.order.cancel_order(
        dmst_stex_tp="KRX", orig_ord_no=changed["ord_no"], stk_cd=SHARE, cncl_qty="0")
    check("a second cancel has nothing to end", "RC4032" in (refused(again) or ""))
    check("it hears of the cancel", listener.hears("확인"))
    check("a price between two steps is refused", "RC4003" in (refused(lambda: client.order.buy_order(**order(1, 69950))) or ""))
    client.order.buy_order(**order(2))
    check("it hears of an execution", listener.hears("체결"))
    check("it hears at what price the share was traded", listener.hears((SHARE, 70_000)))
    check("it reads prices", prices(client))
    for _ in range(40):
        client.order.buy_order(**order(1, 10000))
    check("a list of several pages is read to its end", len(today(client)) == 44)
    held = client._client.request_all(
        "/api/dostk/acnt", "kt00018", {"qry_tp": "2", "dmst_stex_tp": "KRX"}, data_key="acnt_evlt_remn_indv_tot")
    check("the shares are there", [(row["stk_cd"], int(row["rmnd_qty"])) for row in held] == [("A" + SHARE, 2)])
    dead = client.logout()
    check("a token is given back", dead["return_code"] == 0)


if __name__ == "__main__":
    with subprocess.Popen([sys.argv[1]], stdout=subprocess.PIPE, text=True) as stand_in:
        try:
            # The first line says where it is.
            main(stand_in.stdout.readline().strip())
        finally:
            stand_in.terminate()
