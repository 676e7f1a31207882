"""Trades the session that the options name, on whichever market its file says."""

from services.runner import service
from services.runner.core.plan import PlanError
from services.runner.live.opening import LiveMarket
from services.runner.live.trading import LiveTrading
from services.runner.setting_up import Options, configured
from services.runner.strategies.port import StrategyError
from shared.runtime.errors import SettingsError
from shared.runtime.service import Context


async def trade(context: Context, options: Options) -> int:
    """Trade the session; answers the exit status, 0 when it is over."""
    config = configured(options)
    if not config.is_live or options.candles:
        return await service.trade(context, options)
    context.ready()
    async with LiveMarket(config, context.settings) as market:
        try:
            return await LiveTrading(context, options, await market.opened()).run()
        except (StrategyError, PlanError) as error:
            raise SettingsError(f"{options.session}: {error}") from None
