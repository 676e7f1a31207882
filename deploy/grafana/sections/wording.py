"""What the sections of the dashboard have in common: the chosen session, its colours and its empty states."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana.colours import BAD, GOOD
from deploy.grafana.panels import Steps

Panels = list[Builder[Panel]]

OF_SESSION = '{session="$session"}'
NO_SESSION = "No session has run yet"
GAIN_OR_LOSS: Steps = ((None, BAD), (0, GOOD))
