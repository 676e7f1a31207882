"""Every type of event there is."""

from shared.schemas import audit, guard, lifecycle, market, orders
from shared.schemas.envelope import Event

EVENT_TYPES: tuple[type[Event], ...] = (
    lifecycle.RunnerStart,
    lifecycle.PhaseStart,
    lifecycle.Checkpoint,
    lifecycle.PhaseEnd,
    lifecycle.AutocorrectAttempt,
    market.CandleClosed,
    market.SignalRaised,
    orders.OrderIntended,
    orders.OrderApproved,
    orders.OrderRefused,
    orders.OrderSubmitted,
    orders.OrderAccepted,
    orders.OrderRejected,
    orders.OrderFilled,
    orders.OrderCancelled,
    orders.OrderUnknown,
    orders.OrderReconciled,
    orders.DustLeft,
    orders.AccountReconciled,
    orders.VenueObserved,
    market.EquityMarked,
    market.ShadowMarked,
    guard.LimitBreached,
    guard.LimitChanged,
    guard.TradingHalted,
    guard.TradingResumed,
    guard.FlattenOrdered,
    guard.CommandRefused,
    guard.BackstopEngaged,
    guard.KillConfirmed,
    lifecycle.Heartbeat,
    lifecycle.ErrorRaised,
    lifecycle.ConnectionLost,
    lifecycle.ConnectionRestored,
    lifecycle.AlertSent,
    lifecycle.AlertFailed,
    lifecycle.SummaryUpdated,
    lifecycle.ReportReady,
    audit.AuditHead,
    lifecycle.RunnerEnd,
)

BY_NAME: dict[str, type[Event]] = {kind.model_fields["type"].default: kind for kind in EVENT_TYPES}
