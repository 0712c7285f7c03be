"""Plans that SQLite makes for queries."""

from collections.abc import Awaitable
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


async def plans_of(engine: AsyncEngine, reading: Awaitable[object]) -> list[str]:
    """Return the plan of each query that is made meanwhile, a line for each of its steps."""
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own
        if not statement.startswith("EXPLAIN"):
            found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.append("\n".join(row[3] for row in found))

    event.listen(engine.sync_engine, "before_cursor_execute", explain)
    try:
        await reading
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", explain)
    return plans
