// Keeps a page as the server would show it now. Without this script every page is whole and does not move by itself.
//
// Law: what is shown is what the server rendered. A change is told by the stream, which never says what changed: the page is
// fetched anew, and of its parts only those that differ are replaced. What has the focus keeps it.
"use strict";

(() => {
  const SOON = 40; // milliseconds in which further changes wait for one fetch
  const REFUSED = 30_000; // until the stream is asked for again
  const live = document.querySelector("[data-live]");
  let fetching = false;
  let again = false;

  const partOf = (element) => element.closest("[data-part]");

  const replace = (fresh) => {
    for (const old of document.querySelectorAll("[data-part]")) {
      const next = fresh.getElementById(old.id);
      if (!next || old.outerHTML === next.outerHTML) continue;
      const focused = document.activeElement;
      const inside = focused && focused.id && partOf(focused) === old ? focused.id : null;
      const scrolled = old.scrollLeft;
      const node = document.importNode(next, true);
      old.replaceWith(node);
      node.scrollLeft = scrolled;
      if (inside) document.getElementById(inside)?.focus({ preventScroll: true });
    }
    document.title = fresh.title;
  };

  // A part that comes or goes changes the page's shape: then the whole is taken.
  const sameShape = (fresh) => {
    const ids = (page) => [...page.querySelectorAll("[data-part]")].map((part) => part.id).join(" ");
    return ids(document) === ids(fresh);
  };

  const refresh = async () => {
    if (fetching) { again = true; return; }
    fetching = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", headers: { accept: "text/html" } });
      if (answer.status === 401) return location.reload();
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (sameShape(fresh)) replace(fresh);
      else document.getElementById("main").replaceChildren(...document.importNode(fresh.getElementById("main"), true).childNodes);
      tick();
    } catch {
      // The next word of the stream, or its connecting anew, tries it again.
    } finally {
      fetching = false;
      if (again) { again = false; setTimeout(refresh, SOON); }
    }
  };

  const words = (seconds) => {
    const size = Math.abs(seconds);
    const [number, unit] = size < 60 ? [size, "s"] : size < 3600 ? [size / 60, "min"] : size < 172800 ? [size / 3600, "h"] : [size / 86400, "days"];
    return `${Math.floor(number)} ${unit}`;
  };

  const tick = () => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      const said = time.className === "span" ? words(seconds) : seconds < 0 ? `in ${words(seconds)}` : `${words(seconds)} ago`;
      if (time.textContent !== said) time.textContent = said;
    }
  };

  let waiting = null;
  const pace = Number(live?.dataset.pace ?? SOON);
  const soon = () => { waiting ??= setTimeout(() => { waiting = null; refresh(); }, pace); };

  // A browser connects anew by itself where the connection broke, and gives up where it was refused (too many listeners,
  // a log-in that has expired): then the page is asked for, which tells.
  const listen = () => {
    const stream = new EventSource(`/api/v1/stream?${live.dataset.live}`);
    for (const name of ["ready", "change", "resync"]) stream.addEventListener(name, soon);
    stream.addEventListener("error", () => {
      if (stream.readyState !== EventSource.CLOSED) return;
      soon();
      setTimeout(listen, REFUSED);
    });
    addEventListener("pagehide", () => stream.close(), { once: true });
  };

  if (live) listen();
  setInterval(tick, 5000);
})();
