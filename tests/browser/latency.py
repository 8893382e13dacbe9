"""From event to screen: how long after a webhook was answered the page shows what it told. ``make bench-browser``.

Law: it measures and judges nothing, since a busy machine is a slow one. The simulator's log says when Lockstep had
answered 202; the page says when the change stood in it and a frame was about to be drawn. Both read one clock.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime
from statistics import quantiles
from typing import Any

from tests.browser.chrome import chrome
from tests.browser.scene import Scene, login_address, playing
from tests.browser.tab import Tab, cookies_of, tab
from tests.browser.world import MANY, OWNER

SEEN = """([selector, text]) => new Promise(resolve => {
  const look = () => {
    if (!document.querySelector(selector)?.outerHTML.includes(text)) return false;
    requestAnimationFrame(() => resolve(Date.now()));
    return true;
  };
  if (look()) return;
  const watching = new MutationObserver(() => { if (look()) watching.disconnect(); });
  watching.observe(document.body, { subtree: true, childList: true, attributes: true });
})"""


def _answered(scene: Scene, after: int, event: str, action: str | None) -> float:
    """When the first delivery of that kind had its 202, in milliseconds."""

    def found() -> dict[str, Any] | None:
        kind = {"event": event, "action": action}
        return next((one for one in scene.deliveries(after) if kind.items() <= one["query"].items()), None)

    entry = scene.until(f"{event} is delivered", found)
    assert entry["status"] == 202, entry["status"]
    return datetime.fromisoformat(entry["at"]).timestamp() * 1000


def _last(scene: Scene) -> int:
    return max((int(one["seq"]) for one in scene.deliveries()), default=0)


def heads(scene: Scene, site: Tab, count: int) -> Iterator[float]:
    """Pushes to a pull request of a set that only waits: the new commit stands in the table of members."""
    set_id = scene.opens("SLOW-9", "repoA", "repoB")
    site.opens(f"/change-sets/{set_id}")
    for _ in range(count):
        mark = _last(scene)
        head = scene.pushes("SLOW-9", "repoA")
        seen = site.page.evaluate(SEEN, ["#members", head[:10]])
        yield seen - _answered(scene, mark, "pull_request", "synchronize")


def runs(scene: Scene, site: Tab, count: int) -> Iterator[float]:
    """Runs that begin, one after the other: their node turns."""
    for number in range(90, 90 + -(-count // len(MANY))):
        key = f"MANY-{number}"
        scene.script(key, queue="1h", length=None)
        set_id = scene.opens(key, *MANY)
        site.opens(f"/change-sets/{set_id}")
        for name in MANY[:count]:
            scene.is_in(set_id, name, "queued")
        for name in MANY[:count]:
            mark = _last(scene)
            scene.move(f"/runs/{scene.run(key, name)['id']}", {"status": "in_progress"})
            seen = site.page.evaluate(SEEN, [f"#node-{name}", "node running"])
            yield seen - _answered(scene, mark, "workflow_run", "in_progress")
            count -= 1


def told(what: str, taken: list[float]) -> str:
    of_hundred = quantiles(taken, n=100, method="inclusive")
    half, most = of_hundred[49], of_hundred[94]
    return f"{what}: {len(taken)} changes, p50 {half:.0f} ms, p95 {most:.0f} ms, at most {max(taken):.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description="From the webhook's 202 to the page.")
    parser.add_argument("--changes", type=int, default=50)
    count = parser.parse_args().changes
    with chrome() as browser, playing() as scene:
        cookies = cookies_of(browser, login_address(scene.stage))
        with tab(browser, scene.stage.service, cookies) as site:
            print(told(f"commits of {OWNER}", list(heads(scene, site, count))), flush=True)  # noqa: T201
            print(told("runs that begin", list(runs(scene, site, count))), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
