"""The outside world of the examples: what a real Worker would have a database, a bank and a mail server for.

Every function prints what it did, so that the terminal shows which steps ran, and that none ran twice.
"""

from dataclasses import dataclass

from cfworkflows import NonRetryableError


@dataclass
class Reservation:
    id: str
    items: list[str]


@dataclass
class Payment:
    id: str
    amount: int


@dataclass
class Item:
    id: int


class OutOfService(Exception):
    """The flaky API is down."""


class FlakyApi:
    """Fails as often as it is told to, and then answers."""

    def __init__(self) -> None:
        self.failures = 0

    async def call(self) -> dict[str, str]:
        if self.failures > 0:
            self.failures -= 1
            raise OutOfService("503 from the flaky API")
        print("flaky API answered")
        return {"answer": "42"}


flaky_api = FlakyApi()


async def reserve_items(items: list[str]) -> Reservation:
    print(f"reserved {', '.join(items)}")
    return Reservation(id="reservation-1", items=items)


async def charge_card(payment_method: str) -> Payment:
    if payment_method == "declined":
        raise NonRetryableError("card declined")  # trying again would not help
    print(f"charged {payment_method}")
    return Payment(id="payment-1", amount=42)


async def confirm_order(reservation_id: str, payment_id: str) -> None:
    print(f"confirmed {reservation_id} with {payment_id}")


async def release_reservation(reservation_id: str) -> None:
    print(f"released {reservation_id}")


async def send_slack_message(to: str) -> None:
    print(f"asked {to} for approval")


async def send_reminder(user_id: str) -> None:
    print(f"reminded {user_id}")


async def process_item(item: Item) -> dict[str, object]:
    print(f"processed item {item.id}")
    return {"id": item.id, "ok": item.id % 2 == 0}


async def get_cached_value(key: str) -> dict[str, str]:
    print(f"looked {key} up in the cache")
    return {"key": key, "source": "cache"}
