#!/usr/bin/env python3
"""The reference bridge to Kiwoom's OpenAPI+ (docs/kiwoom-bridge.md). Standard library only, Python 3.9 and later.

The token is in the environment: KIWOOM_BRIDGE_TOKEN. With --fake it plays the control itself and takes lines on its standard input;
the first line that it prints is its address, and each of those is answered with `done` and what came of it:

    fill 0000001 3 70000    executes shares of an order; `#10` is the newest one for ten shares
    count 10                answers how many orders and changes there are for so many shares
    take 005930 3 70000     takes a purchase that somebody else makes; answers with its number
    age 0000001 120         lets an order be older by some seconds
    mute, lose              of the next order the control says nothing; it is taken, or it is not
    cut, break              the line breaks at the next order or change, after it is taken or before
    echo                    from here on events come late, three times and in the opposite order
    away, back              nobody is listened to until `back`
"""

import argparse
import asyncio
import collections
import hmac
import json
import os
import sys
import uuid

from control import ROWS_PER_PAGE, FakeControl, Rejected, Unknown, now
from limiter import ORDER_WAIT_SECONDS_MAX, ORDER_WINDOWS, QUERY_WAIT_SECONDS_MAX, QUERY_WINDOWS, Limited, Limiter
from websocket import Closed, Line, accept

VERSION = 1
HELLO_SECONDS_MAX = 5
SILENCE_SECONDS_MAX = 60
WAITING_MAX = 64
EVENTS_MAX = 4096
# Lines that are open at once; all but one of them have not said hello yet.
LINES_MAX = 16
# How long the fake control keeps events back that come together.
ECHO_SECONDS = 0.3
ORDER_METHODS = {"order", "change", "cancel"}
# What the control knows by itself, without asking Kiwoom.
LOCAL_METHODS = {"account", "instrument"}
# The REST service's numbers for types of orders, and the control's.
TRADE_TYPES = {"0": "00", "3": "03", "10": "10", "13": "13", "20": "20", "23": "23"}
PRICED_TYPES = {"0", "10", "20"}
TOKEN_LENGTH_MIN = 16


class Malformed(Exception):
    """A field is missing or wrong."""


class Unsupported(Exception):
    """The control has no such thing."""


def text(params, name):
    """A text among the parameters."""
    value = params.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 64:
        raise Malformed(f"{name} must be a text of 1 to 64 characters")
    return value


def whole(params, name, least=0):
    """A whole number among the parameters, written as a text; an absent or empty one is 0."""
    value = params.get(name) or "0"
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 12 or int(value) < least:
        raise Malformed(f"{name} must be a whole number of {least} or more")
    return int(value)


def paged(rows, page):
    """A page of a list."""
    begin = int(page) if isinstance(page, str) and page.isascii() and page.isdigit() and len(page) < 10 else 0
    result = {"rows": rows[begin:begin + ROWS_PER_PAGE]}
    if begin + ROWS_PER_PAGE < len(rows):
        result["next"] = str(begin + ROWS_PER_PAGE)
    return result


class Bridge:
    """One control, one client at a time."""

    def __init__(self, control, token, silence_seconds_max=SILENCE_SECONDS_MAX, is_limited=True):
        self.control, self.token, self.run = control, token, uuid.uuid4().hex
        self.silence_seconds_max = silence_seconds_max
        self.queries = Limiter(QUERY_WINDOWS if is_limited else [], QUERY_WAIT_SECONDS_MAX)
        self.orders = Limiter(ORDER_WINDOWS if is_limited else [], ORDER_WAIT_SECONDS_MAX)
        self.events, self.sequence = collections.deque(maxlen=EVENTS_MAX), 0
        self.line, self.happened, self.lines = None, asyncio.Event(), 0
        # Tasks are kept as long as they run.
        self.displacing = set()
        self.is_away, self.breaks, self.echoes = False, None, None
        control.on_event = self.hear

    def hear(self, kind, values):
        """Something has happened at the control."""
        if self.echoes is None:
            self.tell(kind, values)
            return
        if not self.echoes:
            asyncio.get_running_loop().call_later(ECHO_SECONDS, self.echo)
        self.echoes.append((kind, values))

    def echo(self):
        """Tells what came together three times, the last first."""
        heard, self.echoes = self.echoes, []
        for kind, values in reversed(heard):
            for _ in range(3):
                self.tell(kind, values)

    def tell(self, kind, values):
        """An event for whoever listens."""
        self.sequence += 1
        self.events.append({"type": "event", "sequence": self.sequence, "event": kind, "day": now().strftime("%Y%m%d"),
                            "values": values})
        self.happened.set()

    def call(self, method, params):
        """Asks the control. What it is asked for is complete before it is asked."""
        control = self.control
        if method == "account":
            return {"number": control.account}
        if method == "cash":
            return control.cash()
        if method == "positions":
            return paged(control.positions(), params.get("page"))
        if method == "orders":
            return paged(control.orders(text(params, "day")), params.get("page"))
        if method == "executions":
            return paged(control.executions_of_today(), params.get("page"))
        if method == "instrument":
            board = control.instrument(text(params, "code"))
            return {"market": board} if board else {}
        if method == "order":
            side = text(params, "side")
            if side not in ("buy", "sell"):
                raise Malformed("side must be buy or sell")
            trade_type = text(params, "tradeType")
            if trade_type not in TRADE_TYPES or params.get("stop"):
                raise Unsupported("the control has no orders of this type")
            quantity, price = whole(params, "quantity", 1), whole(params, "price")
            if (trade_type in PRICED_TYPES) != (price > 0):
                raise Malformed("price does not go with tradeType")
            return {"number": control.order(side, text(params, "code"), quantity, price, TRADE_TYPES[trade_type])}
        if method == "change":
            return {"number": control.change(text(params, "number"), text(params, "code"), whole(params, "price", 1))}
        return {"number": control.cancel(text(params, "number"), text(params, "code"))}

    async def answer(self, method, params):
        """A result or an error. An order is given to the control at most once."""
        methods = ORDER_METHODS | LOCAL_METHODS | {"cash", "positions", "orders", "executions"}
        if not isinstance(method, str) or method not in methods:
            return {"error": {"class": "unsupported", "code": "method", "message": f"there is no method {method}"}}
        if not self.control.is_logged_in():
            return {"error": {"class": "auth", "code": "logged_out", "message": "the control is not logged in"}}
        try:
            if method not in LOCAL_METHODS:
                await (self.orders if method in ORDER_METHODS else self.queries).turn()
            return {"result": self.call(method, params)}
        except Limited as error:
            return {"error": {"class": "limited", "code": "limited", "message": str(error), "retryAfterSeconds": error.seconds}}
        except Malformed as error:
            return {"error": {"class": "malformed", "code": "malformed", "message": str(error)}}
        except Unsupported as error:
            return {"error": {"class": "unsupported", "code": "trade_type", "message": str(error)}}
        except Rejected as error:
            return {"error": {"class": "rejected", "code": error.code, "message": str(error)}}
        except Unknown as error:
            return {"error": {"class": "unknown", "code": "unknown", "message": str(error)}}
        except Exception as error:  # pylint: disable=broad-except
            # Whatever broke, it may have been given to the control.
            print(f"{method} failed: {error!r}", file=sys.stderr, flush=True)
            return {"error": {"class": "unknown", "code": "failed", "message": "the bridge failed"}}

    def refusal(self, hello):
        """Why a hello is refused; nothing where it is not."""
        if not isinstance(hello, dict) or hello.get("type") != "hello":
            return {"class": "malformed", "code": "hello", "message": "the client says hello first"}
        if hello.get("version") != VERSION:
            return {"class": "unsupported", "code": "version", "message": f"this bridge speaks version {VERSION}"}
        if not hmac.compare_digest(str(hello.get("token", "")).encode(), self.token.encode()):
            return {"class": "auth", "code": "wrong_token", "message": "the token is wrong"}
        if hello.get("account") != self.control.account:
            return {"class": "auth", "code": "wrong_account", "message": "the control is logged in for another account"}
        return None

    async def push(self, line, after):
        """Sends what happened after an event, and whatever happens."""
        while True:
            for event in [event for event in self.events if event["sequence"] > after]:
                await line.send(json.dumps(event, ensure_ascii=False))
                after = event["sequence"]
            self.happened.clear()
            if self.sequence == after:
                await self.happened.wait()

    async def serve(self, line):
        """Talks with one client until the line ends."""
        try:
            hello = json.loads(await asyncio.wait_for(line.receive(HELLO_SECONDS_MAX), HELLO_SECONDS_MAX))
        except (ValueError, RecursionError, asyncio.TimeoutError):
            hello = None
        if self.is_away:
            return
        refusal = self.refusal(hello)
        if refusal:
            await line.send(json.dumps({"type": "error", **refusal}))
            return
        # The place is taken first: of several that come at once, each displaces the one before. None is waited for.
        before, self.line = self.line, line
        if before is not None:
            displacing = asyncio.create_task(self.displace(before))
            self.displacing.add(displacing)
            displacing.add_done_callback(self.displacing.discard)
        halves = set()
        try:
            after = self.seen_by(hello)
            oldest = self.events[0]["sequence"] if self.events else self.sequence + 1
            await line.send(json.dumps({
                "type": "welcome", "version": VERSION, "run": self.run, "environment": self.control.environment,
                "account": self.control.account, "sequence": self.sequence, "gap": oldest > after + 1}))
            # Who cannot be told what happens any more must not seem to be well: the line ends with either of the two.
            halves = {asyncio.create_task(self.push(line, after)), asyncio.create_task(self.read(line, set()))}
            ended, _ = await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
            for half in ended:
                half.result()
        finally:
            for half in halves:
                half.cancel()
            if self.line is line:
                self.line = None

    def seen_by(self, hello):
        """The last event that a client has seen. Another run's numbers say nothing about the events of this one."""
        after = hello.get("after") if isinstance(hello.get("after"), int) else 0
        return after if hello.get("run") == self.run and 0 <= after <= self.sequence else 0

    @staticmethod
    async def displace(line):
        """Ends the line of a client in whose place another one has come, whether it can be told or not."""
        try:
            await line.send(json.dumps({"type": "error", "class": "auth", "code": "displaced",
                                        "message": "another client has said hello"}))
        except Closed:
            pass
        await line.close()

    async def read(self, line, waiting):
        """Answers requests, each in a task of its own."""
        async def reply(request):
            breaks = None
            if request.get("method") in ("order", "change"):
                breaks, self.breaks = self.breaks, None
            if breaks == "before":
                await line.close()
                return
            answer = await self.answer(request.get("method"), request.get("params") or {})
            if breaks == "after":
                await line.close()
                return
            try:
                await line.send(json.dumps({"type": "reply", "id": request["id"], **answer}, ensure_ascii=False))
            except Closed:
                await line.close()

        while True:
            request = json.loads(await line.receive(self.silence_seconds_max))
            is_request = isinstance(request, dict) and request.get("type") == "request" and \
                isinstance(request.get("id"), str) and isinstance(request.get("params") or {}, dict)
            if not is_request:
                raise Closed("what was said is no request")
            if len(waiting) >= WAITING_MAX:
                error = {"class": "limited", "code": "waiting", "message": "too many requests wait", "retryAfterSeconds": 1}
                await line.send(json.dumps({"type": "reply", "id": request["id"], "error": error}))
                continue
            task = asyncio.create_task(reply(request))
            waiting.add(task)
            task.add_done_callback(waiting.discard)

    async def welcome(self, reader, writer):
        """A line has come."""
        if self.lines >= LINES_MAX:
            writer.close()
            return
        self.lines += 1
        try:
            await accept(reader, writer)
            await self.serve(Line(reader, writer))
        except (Closed, ValueError, RecursionError, asyncio.TimeoutError, ConnectionError):
            pass
        finally:
            self.lines -= 1
            writer.close()


def happen(bridge, words):
    """Lets something happen at the fake control, and gives what came of it."""
    control = bridge.control
    if words[0] in ("mute", "lose"):
        control.silence = words[0]
    elif words[0] in ("cut", "break"):
        bridge.breaks = "after" if words[0] == "cut" else "before"
    elif words[0] == "echo":
        bridge.echoes = []
    elif words[0] in ("away", "back"):
        bridge.is_away = words[0] == "away"
        if bridge.is_away and bridge.line is not None:
            bridge.line.writer.close()
    elif words[0] == "fill" and len(words) == 4:
        control.fill(words[1], int(words[2]), int(words[3]))
    elif words[0] == "take" and len(words) == 4:
        return control.order("buy", words[1], int(words[2]), int(words[3]), "00")
    elif words[0] == "count" and len(words) == 2:
        return len(control.of_size(int(words[1]), ("new", "change")))
    elif words[0] == "age" and len(words) == 3:
        control.age(words[1], int(words[2]))
    return ""


async def play(bridge):
    """Takes what the market does from standard input."""
    loop = asyncio.get_running_loop()
    while True:
        words = (await loop.run_in_executor(None, sys.stdin.readline)).split()
        if not words:
            return
        print("done", happen(bridge, words), flush=True)


async def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8010)
    parser.add_argument("--account", required=True, help="the account's ten digits")
    parser.add_argument("--silence-seconds", type=float, default=SILENCE_SECONDS_MAX,
                        help="how long a client is kept of which nothing is heard, pings included")
    parser.add_argument("--fake", action="store_true", help="play the control")
    parser.add_argument("--no-limits", action="store_true", help="with --fake: answer however often it is asked")
    options = parser.parse_args()
    token = os.environ.get("KIWOOM_BRIDGE_TOKEN", "")
    if len(token) < TOKEN_LENGTH_MIN:
        sys.exit(f"KIWOOM_BRIDGE_TOKEN must have at least {TOKEN_LENGTH_MIN} characters")
    if not options.fake:
        sys.exit("the control for Windows is not part of this bridge yet: give FakeControl's methods to one, or use --fake")
    bridge = Bridge(FakeControl(options.account), token, options.silence_seconds, not options.no_limits)
    server = await asyncio.start_server(bridge.welcome, options.host, options.port)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"ws://{host}:{port}", flush=True)
    await play(bridge)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
