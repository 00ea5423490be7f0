"""Seats: who holds many connections open loses his own."""

from holdfast.ui.emergency_interface.seats import Seats


class Connection:
    """As far as seats look at one."""

    def __init__(self) -> None:
        self.is_there = True

    def abort(self) -> None:
        self.is_there = False


def seated(seats: Seats, *peers: str) -> list[Connection]:
    connections = []
    for peer in peers:
        connection = Connection()
        assert seats.take(connection, peer)  # type: ignore[arg-type]
        connections.append(connection)
    return connections


def there(connections: list[Connection]) -> list[bool]:
    return [connection.is_there for connection in connections]


def test_the_oldest_of_who_has_most_makes_room() -> None:
    seats = Seats(most=4)
    before = seated(seats, "a", "flood", "b", "flood")
    seated(seats, "c")
    assert there(before) == [True, False, True, True]


def test_a_flood_turns_out_nobody_else() -> None:
    seats = Seats(most=8)
    person = seated(seats, "person")
    flood = seated(seats, *["flood"] * 100)
    assert there(person) == [True]
    assert there(flood) == [False] * 93 + [True] * 7


def test_whose_request_is_there_keeps_the_seat_and_gives_it_back() -> None:
    seats = Seats(most=2)
    served = seated(seats, "a", "a")
    for connection in served:
        seats.serve(connection)  # type: ignore[arg-type]
    late = Connection()
    assert not seats.take(late, "b")  # type: ignore[arg-type]
    assert there(served) == [True, True]
    seats.wait(served[0])  # type: ignore[arg-type]
    assert seats.take(late, "b")  # type: ignore[arg-type]
    assert there(served) == [False, True]
    seats.leave(late)  # type: ignore[arg-type]
    seats.leave(late)  # type: ignore[arg-type]
    seated(seats, "c")
    assert there(served) == [False, True]
