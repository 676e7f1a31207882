"""What the panels ask: PromQL of Prometheus, SQL of PostgreSQL."""

from grafana_foundation_sdk.builders.prometheus import Dataquery as PrometheusQuery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

Query = Builder[Dataquery]

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="leitstand-prometheus")
POSTGRES = DataSourceRef(type_val="grafana-postgresql-datasource", uid="leitstand-postgres")


def over_time(expression: str, legend: str, ref: str = "A") -> PrometheusQuery:
    """A PromQL expression over the dashboard's time range."""
    return PrometheusQuery().expr(expression).legend_format(legend).ref_id(ref).datasource(PROMETHEUS).range()


def right_now(expression: str, legend: str = "", ref: str = "A") -> PrometheusQuery:
    """A PromQL expression's present value."""
    return PrometheusQuery().expr(expression).legend_format(legend).ref_id(ref).datasource(PROMETHEUS).instant()


def listed(expression: str, ref: str = "A") -> PrometheusQuery:
    """A PromQL expression's present value as rows, a column a label."""
    return right_now(expression, ref=ref).format(PromQueryFormat.TABLE)


class SqlTarget(Dataquery):
    """A panel's SQL query as Grafana's PostgreSQL data source stores it; the SDK has no type for it."""

    def __init__(self, sql: str, ref: str) -> None:
        """`sql` answers in columns; `ref` is the query's letter within its panel."""
        self.sql = sql
        self.ref = ref

    def to_json(self) -> dict[str, object]:
        """The query's part of the dashboard's JSON."""
        return {
            "datasource": POSTGRES,
            "editorMode": "code",
            "format": "table",
            "rawQuery": True,
            "rawSql": self.sql,
            "refId": self.ref,
        }


class Sql(Builder[Dataquery]):
    """Builds a `SqlTarget`."""

    def __init__(self, sql: str, ref: str = "A") -> None:
        """`sql` answers in columns; `ref` is the query's letter within its panel."""
        self._target = SqlTarget(sql.strip(), ref)

    def build(self) -> SqlTarget:
        """The query."""
        return self._target


def source_of(query: Query) -> DataSourceRef:
    """The data source that answers a query."""
    return POSTGRES if isinstance(query, Sql) else PROMETHEUS
