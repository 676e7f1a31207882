"""The archive of done orders."""

from shared.venues.paper.archive import Archive


def test_finds_what_was_put_in_and_nothing_else() -> None:
    archive: Archive[int] = Archive()
    for number in range(100):
        archive = archive.with_entry(f"order-{number}", number)
    assert [archive.get(f"order-{number}") for number in (0, 50, 99, 100)] == [0, 50, 99, None]
    assert "order-63" in archive
    assert "order-100" not in archive


def test_adding_leaves_the_former_archive_alone() -> None:
    before = Archive[int]().with_entry("a", 1)
    before.with_entry("b", 2)
    assert "b" not in before


def test_a_name_that_is_there_already_gets_the_new_value() -> None:
    archive = Archive[int]().with_entry("a", 1).with_entry("b", 2).with_entry("c", 3).with_entry("a", 4)
    assert archive.get("a") == 4


def test_archives_are_equal_by_content_whatever_the_order_of_arrival() -> None:
    forth = Archive[int]().with_entry("a", 1).with_entry("b", 2).with_entry("c", 3)
    back = Archive[int]().with_entry("c", 3).with_entry("b", 2).with_entry("a", 1)
    assert forth == back
    assert forth != back.with_entry("d", 4)
