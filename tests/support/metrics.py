"""The metrics of a process, read with Prometheus's own parser."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


async def scrape(port: int) -> dict[str, float]:
    """The samples at `port`, by name and labels: `parley_errors_total code=not_found`."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/metrics")
    assert answer.status_code == 200
    return {
        " ".join([sample.name, *(f"{k}={v}" for k, v in sample.labels.items())]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
