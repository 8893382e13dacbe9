"""Where a local file stands for the config (``LOCKSTEP_CONFIG_FILE``), no repository says who may read it."""

from __future__ import annotations

from pathlib import Path

from tests.web.reception import CONFIG, reception


async def test_what_a_local_file_names_is_not_for_the_readers_of_a_repository_of_the_config_s_name(
    database_url: str, tmp_path: Path
) -> None:
    """eve reads nothing private; acme/orchestrator is public and holds no config."""
    file = tmp_path / "lockstep.yml"
    file.write_text(CONFIG)
    async with reception(database_url, config_file=file) as house:
        await house.play.world("/repositories/acme/orchestrator", {"visibility": "public"})
        await house.play.settle(61)
        eve, operator = await house.logs_in("eve"), await house.operator()
        for path in ("/config", "/pipelines/acme/product", "/fleets"):
            assert "repoB" not in (await eve.get(path)).text
        assert "repoB" in await operator.text("/pipelines/acme/product")
