from tests.venues.faults import Fault, Faults

PLACE = "POST /api/v3/order"
BOTH = (Fault.ANSWER_LOST, Fault.SERVER_ERROR)


def test_a_planned_fault_strikes_as_often_as_planned_and_only_the_calls_it_is_meant_for() -> None:
    faults = Faults()
    faults.next(Fault.ANSWER_LOST, "POST *", times=2)
    assert faults.draw("GET /api/v3/order", *BOTH) is None
    assert [faults.draw(PLACE, *BOTH) for _ in range(3)] == [Fault.ANSWER_LOST, Fault.ANSWER_LOST, None]
    assert faults.drawn == {Fault.ANSWER_LOST: 2}


def test_a_fault_that_is_no_candidate_waits_for_its_turn() -> None:
    faults = Faults()
    faults.next(Fault.CUT)
    assert faults.draw(PLACE, *BOTH) is None
    assert faults.draw("stream kline", Fault.CUT) is Fault.CUT


def test_planned_faults_strike_in_the_order_of_planning_and_before_any_rate() -> None:
    faults = Faults()
    faults.rate(Fault.ANSWER_LOST, 1)
    faults.next(Fault.SERVER_ERROR)
    assert [faults.draw(PLACE, *BOTH) for _ in range(2)] == [Fault.SERVER_ERROR, Fault.ANSWER_LOST]


def test_the_same_seed_strikes_the_same_calls() -> None:
    def strikes(seed: int) -> list[Fault | None]:
        faults = Faults(seed)
        faults.rate(Fault.ANSWER_LOST, 0.3)
        return [faults.draw(PLACE, *BOTH) for _ in range(200)]

    assert strikes(7) == strikes(7)
    assert strikes(7) != strikes(8)
    assert 30 < sum(fault is not None for fault in strikes(7)) < 90


def test_cleared_faults_strike_no_more_and_stay_counted() -> None:
    faults = Faults()
    faults.rate(Fault.ANSWER_LOST, 1)
    faults.draw(PLACE, *BOTH)
    faults.next(Fault.SERVER_ERROR)
    faults.clear()
    assert faults.draw(PLACE, *BOTH) is None
    assert faults.drawn.total() == 1
