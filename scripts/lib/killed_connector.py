#!/usr/bin/env python3
"""Kills the broker connector of a running server between an order and its broker's answer, once at Alpaca and once at Kiwoom.

Usage: killed_connector.py SERVER PID_FILE ALPACA_PORT ALPACA_BROKER KIWOOM_PORT KIWOOM_BROKER, the address of the server, the file
with the process of its connector, and for each broker the port on which its requests are expected and where they are handed on.
Each order must be known within a minute, or stand there as one that a person must look at, and must have been sent once. Ends with
status 1 where it is not so.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

SECONDS_TO_CONNECT = 30
SECONDS_TO_KNOW = 60
# Long enough for whoever would send an order again.
SECONDS_TO_SEND_AGAIN = 10
QUANTITY = "3"
SECRET_KEY = "a-secret-of-the-stand-in"
PASSWORD = "violet kettle orbit"


class Wire:
    """Hands bytes on between the connector and a broker, counts orders, and keeps the answer to one of them."""

    def __init__(self, port, broker, mark, pid_file):
        self.broker, self.mark, self.pid_file = broker, mark, pid_file
        self.orders, self.is_armed, self.killed = 0, False, threading.Event()
        self.door = socket.create_server(("127.0.0.1", int(port)))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            near, _ = self.door.accept()
            host, port = self.broker.rsplit(":", 1)
            far = socket.create_connection((host, int(port)))
            caught = threading.Event()
            threading.Thread(target=self.ask, args=(near, far, caught), daemon=True).start()
            threading.Thread(target=self.answer, args=(far, near, caught), daemon=True).start()

    def ask(self, near, far, caught):
        for chunk in chunks(near, far):
            if self.mark(chunk.lower()):
                self.orders += 1
                if self.is_armed:
                    self.is_armed = False
                    caught.set()
            hand_on(chunk, far)

    def answer(self, far, near, caught):
        for chunk in chunks(far, near):
            if caught.is_set():
                with open(self.pid_file, encoding="ascii") as file:
                    os.kill(int(file.read()), signal.SIGKILL)
                near.close()
                self.killed.set()
                return
            hand_on(chunk, near)


def chunks(source, other):
    """What comes, until one of both hangs up."""
    try:
        while chunk := source.recv(65536):
            yield chunk
    except OSError:
        pass
    try:
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def hand_on(chunk, target):
    try:
        target.sendall(chunk)
    except OSError:
        pass


class Server:
    """The API."""

    def __init__(self, address):
        self.address, self.token = address, None

    def ask(self, method, path, body=None):
        """Status and body of the answer."""
        request = urllib.request.Request(f"{self.address}/api{path}", method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read() or b"null")

    def sign_in(self):
        person = {"email": "torn@example.com", "password": PASSWORD}
        self.ask("POST", "/auth/register", person)
        self.token = self.ask("POST", "/auth/login", person)[1]["accessToken"]


def until(what, seconds_max, ask):
    """The first answer that is something."""
    end = time.monotonic() + seconds_max
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.2)
    sys.exit(f"{what}: not within {seconds_max} s")


def open_account(server, broker, currency, key_id):
    status, account = server.ask("POST", "/accounts", {"name": broker, "broker": broker, "currency": currency})
    if status != 201:
        sys.exit(f"an account at {broker} is not opened: {account}")
    path = f"/accounts/{account['id']}"
    key = {"environment": "paper", "keyId": key_id, "secretKey": SECRET_KEY}
    until(f"{broker} takes the key", SECONDS_TO_CONNECT, lambda: server.ask("PUT", f"{path}/credentials", key)[0] < 300)
    is_connected = lambda: server.ask("GET", f"{path}/connection")[1].get("state") == "connected"
    until(f"{broker} is connected", SECONDS_TO_CONNECT, is_connected)
    return account["id"]


def tear(server, wire, broker, symbol, account):
    """Sends an order whose answer never comes, and waits for what becomes of it."""
    order = {"accountId": account, "symbol": symbol, "side": "buy", "type": "market", "quantity": QUANTITY}
    order["clientOrderId"] = f"torn-{broker}"
    wire.is_armed = True
    # Until the account was compared with its broker nothing is placed; the id makes one order of all tries.
    until(f"an order at {broker} is taken", SECONDS_TO_CONNECT, lambda: server.ask("POST", "/orders", order)[0] < 300)
    if not wire.killed.wait(SECONDS_TO_CONNECT):
        sys.exit(f"the order never went to {broker}")
    torn_at = time.monotonic()

    def known():
        status, answer = server.ask("GET", "/orders?status=all")
        found = [order for order in answer["orders"] if order["accountId"] == account] if status == 200 else []
        return found if found and found[0]["state"] in ("filled", "unresolved") else None

    orders = until(f"what became of the order at {broker}", SECONDS_TO_KNOW, known)
    seconds = time.monotonic() - torn_at
    time.sleep(SECONDS_TO_SEND_AGAIN)
    state, filled = orders[0]["state"], orders[0]["filledQuantity"]
    if len(orders) != 1 or wire.orders != 1 or (state == "filled" and filled != QUANTITY):
        sys.exit(f"{broker}: {wire.orders} orders were sent, these are known: {orders}")
    if state == "unresolved" and broker == "alpaca":
        sys.exit("an order at Alpaca, which knows our ids, was not found")
    print(f"{broker}: the connector was killed before the answer; the order is {state} after {seconds:.1f} s and was sent once")


def main():
    address, pid_file, alpaca_port, alpaca, kiwoom_port, kiwoom = sys.argv[1:]
    wires = {
        "alpaca": Wire(alpaca_port, alpaca, lambda chunk: chunk.startswith(b"post /v2/orders "), pid_file),
        "kiwoom": Wire(kiwoom_port, kiwoom, lambda chunk: b"api-id: kt10000" in chunk, pid_file),
    }
    server = Server(address)
    server.sign_in()
    accounts = {
        "alpaca": open_account(server, "alpaca", "USD", "PKSTANDIN"),
        "kiwoom": open_account(server, "kiwoom", "KRW", "app-key-of-the-stand-in"),
    }
    for broker, symbol in (("alpaca", "AAPL"), ("kiwoom", "005930.KS")):
        tear(server, wires[broker], broker, symbol, accounts[broker])


main()
