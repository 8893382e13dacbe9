"""The config as it is understood: every owner's file with what is wrong in it, and each pipeline with its graph.

Law: who may read the repository of the config may see what it says, and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from app.domain.build import BuildState
from app.domain.messages import duration
from app.domain.pipeline import Config, Pipeline
from app.domain.statistics import BuildStatistics, build_statistics, verdict_times
from app.store.configs import KeptConfig, load_config
from app.store.past import latest_of_pipeline
from app.store.transaction import transaction
from app.web import dag, inputs
from app.web.choosing import all_owners
from app.web.context import Web
from app.web.pages import VISITOR, page
from app.web.plot import plot
from app.web.sight import may_read_config
from app.web.who import Looking

PAST = 60
"""So many of the latest orchestrations are counted."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class OwnerConfig:
    """``kept`` None: a local file stands for every owner's."""

    owner: str
    config: Config | None
    kept: KeptConfig | None


@router.get("/config", dependencies=[VISITOR])
async def configs_page(request: Request, web: Web, who: Looking) -> Response:
    async with transaction(web.engine) as connection:
        river = web.river(connection)
        owners = [one for one in await all_owners(river) if await may_read_config(connection, web, who, one)]
        found = [
            OwnerConfig(one, await river.configs.of(connection, one), await load_config(connection, one))
            for one in owners
        ]
    return page(request, "configs.html", found=found, now=web.clock())


@router.get("/pipelines/{owner}/{pipeline}", dependencies=[VISITOR])
async def pipeline_page(
    owner: inputs.OwnerPath, pipeline: inputs.PipelinePath, request: Request, web: Web, who: Looking
) -> Response:
    async with transaction(web.engine) as connection:
        allowed = await may_read_config(connection, web, who, owner)
        found, broken = await web.configs.pipeline_and_health(connection, owner, pipeline) if allowed else (None, False)
        past = await latest_of_pipeline(connection, owner, pipeline, PAST) if found else []
    if found is None:
        return page(request, "missing.html", 404, what=f"pipeline {owner}/{pipeline}")
    statistics = build_statistics(past, [build.name for build in found.builds])
    return page(
        request,
        "pipeline.html",
        pipeline=found,
        broken=broken,
        picture=_picture(found, statistics),
        settings=list(settings_of(found)),
        builds=list(zip(found.builds, statistics, strict=True)),
        plots=[(one.name, plot(one.took, f"How long {one.name} took")) for one in statistics if one.took],
        verdicts=plot(verdict_times(past), "How long verdicts took"),
        number=len(past),
        duration=duration,
    )


def _picture(pipeline: Pipeline, statistics: list[BuildStatistics]) -> Markup:
    usual = {one.name: duration_of(one) for one in statistics}
    nodes = [
        dag.Node(one.name, BuildState.WAITING, one.workflow, None, usual[one.name], planned=True)
        for one in pipeline.builds
    ]
    return dag.draw(nodes, [(need, one.name) for one in pipeline.builds for need in one.needs])


def duration_of(one: BuildStatistics) -> str:
    return f"usually {duration(timedelta(seconds=round(one.length.median)))}" if one.length else ""


def settings_of(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    """The keys of CONTRACT §3 with what stands for them."""
    yield "branches", pipeline.branches or "every branch, by its name"
    yield "exclude", ", ".join(pipeline.exclude) or "none"
    yield "bases", ", ".join(pipeline.bases)
    yield "start", pipeline.start.value
    yield "settle", f"{duration(pipeline.settle)}, at most {duration(pipeline.settle_max)}"
    yield "unmatched", pipeline.unmatched.value
    yield "absent", pipeline.absent.value
    yield "status", pipeline.status
    yield "comment", "yes" if pipeline.comment else "no"
    yield "max_parallel", str(pipeline.max_parallel)
    yield "on_failure", pipeline.on_failure.value
    yield "reuse", f"for {duration(pipeline.reuse_for)}" if pipeline.reuse_for else "no"
    yield "base_moved", pipeline.base_moved.value
