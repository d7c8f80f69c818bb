"""Routes for datasets: declare one with its classes, and list those there are."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from components.serving.gateway.database import Database
from components.serving.gateway.outbox import Outbox
from components.serving.gateway.requests import DATASET, WITH_BODY, Caller, errors
from components.serving.gateway.route import GatewayRoute
from components.serving.gateway.schemas import Classes, DatasetAnswer, DatasetsAnswer
from components.shared.contracts.events import DatasetDeclared
from components.shared.contracts.record import make

ALL = """
SELECT dataset, array_agg(label ORDER BY position) AS classes FROM silver.classes
GROUP BY dataset ORDER BY dataset
"""
router = APIRouter(route_class=GatewayRoute, tags=["datasets"])


@router.get("/v1/datasets", responses=errors(), summary="Datasets and their classes")
async def get_datasets(request: Request, key: Caller) -> DatasetsAnswer:
    """List the datasets that the API key may use."""
    database: Database = request.app.state.database
    rows = await run_in_threadpool(database.select, ALL)
    return DatasetsAnswer(
        datasets=[
            DatasetAnswer(dataset=row["dataset"], classes=tuple(row["classes"]))
            for row in rows
            if not key.datasets or row["dataset"] in key.datasets
        ]
    )


@router.put(
    "/v1/datasets/{dataset}",
    status_code=202,
    responses=errors(*WITH_BODY),
    summary="Declare a dataset, or add classes to it",
)
async def put_dataset(
    request: Request, dataset: DATASET, key: Caller, body: Classes
) -> DatasetAnswer:
    """Declare the classes of a dataset; classes that are declared keep their places."""
    data = make(DatasetDeclared, DatasetDeclared.TYPE, dataset=dataset, classes=body.classes)
    outbox: Outbox = request.app.state.outbox
    now = datetime.now(UTC)
    await run_in_threadpool(outbox.publish, f"/gateway/{key.key_id}", now, [data])
    return DatasetAnswer(dataset=dataset, classes=body.classes)
