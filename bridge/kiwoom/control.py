"""What the bridge needs of the control, and a control that only plays."""

import datetime
import itertools

SEOUL = datetime.timezone(datetime.timedelta(hours=9))
ROWS_PER_PAGE = 30
TYPE_WORDS = {"00": "보통", "03": "시장가", "10": "보통(IOC)", "13": "시장가(IOC)", "20": "보통(FOK)", "23": "시장가(FOK)"}
BOARDS = {"005930": "0", "000660": "0", "035720": "0", "247540": "10"}


class Rejected(Exception):
    """Kiwoom refused it."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Unknown(Exception):
    """It was given to the control, and what became of it is not known."""


def now():
    """The time in Seoul."""
    return datetime.datetime.now(SEOUL)


class FakeControl:
    """A control with a market of its own: orders rest until somebody fills them. A control for Windows has the same methods; each
    is called from one thread, and `on_event` is called with the kind of an event and its fields by number."""

    environment = "paper"

    def __init__(self, account):
        self.account, self.money, self.held, self.rows = account, 10_000_000, {}, []
        self.numbers, self.executions = itertools.count(1), itertools.count(1)
        self.on_event = lambda kind, values: None
        # What becomes of the next order of which nothing is said: "mute" takes it, "lose" does not.
        self.silence = None

    def is_logged_in(self):
        """Whether the control is connected."""
        return True

    def cash(self):
        """Cash when everything is settled, and what new orders may use."""
        reserved = sum(row["open"] * row["price"] for row in self.rows if row["side"] == "buy")
        return {"settled": str(self.money), "buyingPower": str(max(0, self.money - reserved))}

    def positions(self):
        """Shares held."""
        return [{"code": code, "quantity": str(count)} for code, count in self.held.items() if count]

    def instrument(self, code):
        """The board of a share; nothing where it is unknown."""
        return BOARDS.get(code)

    def orders(self, day):
        """The orders, changes and cancels of a day."""
        return [self._written(row) for row in self.rows if row["day"] == day]

    def executions_of_today(self):
        """What was executed today, one row an order."""
        today = now().strftime("%Y%m%d")
        return [{"number": row["number"], "quantity": str(row["filled"]), "price": str(row["worth"] // row["filled"]),
                 "commission": str(self._fees(row)[0]), "tax": str(self._fees(row)[1]), "time": row["time"]}
                for row in self.rows if row["filled"] and row["day"] == today]

    @staticmethod
    def _fees(row):
        return row["worth"] * 15 // 1_000_000 * 10, 0 if row["side"] == "buy" else row["worth"] // 500

    @staticmethod
    def _written(row):
        average = row["worth"] // row["filled"] if row["filled"] else 0
        return {"number": row["number"], "original": row["original"], "kind": row["kind"], "code": row["code"],
                "side": row["side"], "tradeType": TYPE_WORDS[row["trade_type"]], "quantity": str(row["quantity"]),
                "open": str(row["open"]), "filled": str(row["filled"]), "average": str(average),
                "price": str(row["price"]), "stop": "0", "confirmed": row["kind"] != "new", "rejected": False,
                "time": row["time"]}

    def _add(self, **row):
        moment = now()
        row = {"number": f"{next(self.numbers):07}", "original": None, "kind": "new", "filled": 0, "worth": 0,
               "day": moment.strftime("%Y%m%d"), "time": moment.strftime("%H%M%S"), **row}
        self.rows.append(row)
        self._tell(row, "접수" if row["kind"] == "new" else "확인")
        return row["number"]

    def _tell(self, row, state, execution=None):
        number, quantity, price = execution or ("", "", "")
        self.on_event("order", {
            "9203": row["number"], "9001": "A" + row["code"], "913": state, "900": str(row["quantity"]),
            "901": str(row["price"]), "902": str(row["open"]), "904": row["original"] or "0000000",
            "907": "2" if row["side"] == "buy" else "1", "908": now().strftime("%H%M%S"), "909": str(number),
            "911": str(row["filled"]) if execution else "", "914": str(price), "915": str(quantity)})

    def order(self, side, code, quantity, price, trade_type):
        """Sends an order, of a type by the control's number, and gives its number."""
        if code not in BOARDS:
            raise Rejected("1902", "종목코드가 존재하지 않습니다")
        if side == "buy" and quantity * price > self.money:
            raise Rejected("RC4025", "매수증거금이 부족합니다")
        # Each open sale reserves its shares.
        sold = sum(row["open"] for row in self.rows if row["side"] == "sell" and row["code"] == code)
        if side == "sell" and quantity > self.held.get(code, 0) - sold:
            raise Rejected("800033", "매도가능수량이 부족합니다")
        silence, self.silence = self.silence, None
        unknown = Unknown("the control did not say what became of it")
        if silence == "lose":
            raise unknown
        number = self._add(side=side, code=code, quantity=quantity, open=quantity, price=price, trade_type=trade_type)
        if silence == "mute":
            raise unknown
        return number

    def _working(self, number, code):
        for row in self.rows:
            if row["number"] == number and row["code"] == code and row["open"]:
                return row
        raise Rejected("RC4032", "원주문이 없거나 이미 처리되었습니다")

    def change(self, number, code, price):
        """Gives what is left of an order another price and gives its new number."""
        row = self._working(number, code)
        left, row["open"] = row["open"], 0
        return self._add(side=row["side"], code=code, quantity=left, open=left, price=price, kind="change", original=number,
                         trade_type=row["trade_type"])

    def cancel(self, number, code):
        """Takes back what is left of an order."""
        row = self._working(number, code)
        left, row["open"] = row["open"], 0
        return self._add(side=row["side"], code=code, quantity=left, open=0, price=row["price"], kind="cancel", original=number,
                         trade_type=row["trade_type"])

    def _newest(self, name):
        """The row of a number, or, of `#10`, the one that works of the newest order for ten shares."""
        if not name.startswith("#"):
            return next(row for row in self.rows if row["number"] == name)
        found = self.of_size(int(name[1:]))[-1]
        for row in self.rows:
            if row["kind"] == "change" and row["original"] == found["number"]:
                found = row
        return found

    def of_size(self, quantity, kinds=("new",)):
        """The orders for so many shares."""
        return [row for row in self.rows if row["kind"] in kinds and row["quantity"] == quantity]

    def age(self, number, seconds):
        """Lets an order be older by some seconds."""
        row = self._newest(number)
        moment = now() - datetime.timedelta(seconds=seconds)
        row["day"], row["time"] = moment.strftime("%Y%m%d"), moment.strftime("%H%M%S")

    def fill(self, number, quantity, price):
        """Executes shares of an order: what the market does."""
        row = self._newest(number)
        quantity = min(quantity, row["open"])
        if not quantity:
            return
        before = sum(self._fees(row))
        row["open"] -= quantity
        row["filled"] += quantity
        row["worth"] += quantity * price
        sign = 1 if row["side"] == "buy" else -1
        self.money -= sign * quantity * price + sum(self._fees(row)) - before
        self.held[row["code"]] = self.held.get(row["code"], 0) + sign * quantity
        self._tell(row, "체결", (next(self.executions), quantity, price))
        self.on_event("balance", {"9001": "A" + row["code"], "930": str(self.held[row["code"]])})
