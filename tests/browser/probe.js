// Looks at a page from inside: how much of it jumps, each state that it shows, what has the focus.
(() => {
  const probe = { shifts: [], shown: [] };

  probe.now = () => {
    const nodes = {};
    for (const node of document.querySelectorAll(".dag .node")) {
      nodes[node.id.replace("node-", "")] = node.getAttribute("class").replace("node ", "");
    }
    const rows = {};
    for (const row of document.querySelectorAll("#table tbody tr")) {
      rows[row.querySelector("th")?.textContent] = row.querySelector(".state")?.textContent;
    }
    const orchestration = document.querySelector("#orchestration a")?.textContent ?? null;
    return { verdict: document.querySelector(".verdict .state")?.textContent ?? null, orchestration, nodes, rows };
  };

  const look = () => {
    const now = probe.now();
    if (JSON.stringify(now) !== JSON.stringify(probe.shown.at(-1))) probe.shown.push(now);
  };

  const named = (node) => (node?.id ? `#${node.id}` : `${node?.nodeName} ${node?.textContent?.slice(0, 40)}`);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const who = entry.sources.map((source) => named(source.node));
      if (!entry.hadRecentInput) probe.shifts.push({ value: entry.value, who });
    }
  }).observe({ type: "layout-shift", buffered: true });

  addEventListener("DOMContentLoaded", () => {
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });

  const EACH = "a[href], button, summary, input:not([type=hidden]), [tabindex='0']";

  probe.seen = () => [...document.querySelectorAll(EACH)].filter((one) => one.checkVisibility());

  // What has the focus: its place among all that can have it, and whether that can be seen.
  probe.focus = () => {
    const one = document.activeElement;
    const style = getComputedStyle(one);
    const box = one.querySelector(".box");
    const ringed = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    const drawn = box !== null && parseFloat(getComputedStyle(box).strokeWidth) >= 3;
    const { left, top, right, bottom } = one.getBoundingClientRect();
    const inside = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
    return { place: probe.seen().indexOf(one), visible: ringed || drawn, inside, what: named(one) };
  };

  window.probe = probe;
})();
