// Keeps a page as the server would show it now. Without this script every page is whole and does not move by itself.
//
// Law: what is shown is what the server rendered. A change is told by the stream, which never says what changed: the page is
// fetched anew, and of its parts only those that differ are replaced. What has the focus keeps it.
"use strict";

(() => {
  const REFUSED = 30_000; // until the stream is asked for again
  const live = document.querySelector("[data-live]");
  // Milliseconds after a fetch in which further changes wait for one more: half of what it took, so that a busy server is
  // asked less, unless the page says otherwise.
  const restAfter = (took) => Number(live?.dataset.pace ?? took / 2);
  let fetching = false;
  let again = false;
  let waiting = null;
  let rested = 0; // when the next fetch may begin

  const partOf = (element) => element.closest("[data-part]");

  // A part without what differs each time it is rendered: how long ago something was, and the number of a form, which is good
  // until it is sent. So what nothing has happened to stays, with the finger that is on it.
  const bare = (part) => {
    const copy = part.cloneNode(true);
    for (const time of copy.querySelectorAll("time")) time.replaceChildren();
    for (const number of copy.querySelectorAll("input[name=number]")) number.remove();
    for (const moving of copy.querySelectorAll("[data-since] .words, [data-since] .share")) moving.remove();
    copy.removeAttribute("tabindex");
    return copy.outerHTML;
  };

  // What bears the same id in another version of the part or, where it has none, is the same of those that lead to the same place.
  const likeIt = (part, focused) => {
    if (focused === part) return () => true;
    if (focused.id) return (one) => one.id === focused.id;
    return (one) => one.localName === focused.localName && one.getAttribute("href") === focused.getAttribute("href");
  };

  // To be called before the old part goes; gives what hands the focus over to the new one.
  const focusKept = (old) => {
    const focused = document.activeElement;
    if (!focused || partOf(focused) !== old) return () => {};
    const alike = likeIt(old, focused);
    const place = [old, ...old.querySelectorAll("*")].filter(alike).indexOf(focused);
    return (part) => {
      const found = [part, ...part.querySelectorAll("*")].filter(alike).at(focused === old ? 0 : place);
      if (found && found !== part) return found.focus({ preventScroll: true });
      if (!part.hasAttribute("tabindex")) part.tabIndex = -1; // what had it is gone: Tab goes on from here
      part.focus({ preventScroll: true });
    };
  };

  const wideIn = (part) => [part, ...part.querySelectorAll(".wide")];

  const replace = (fresh) => {
    for (const old of document.querySelectorAll("[data-part]")) {
      const next = fresh.getElementById(old.id);
      if (!next || bare(old) === bare(next)) continue;
      const handOver = focusKept(old);
      const scrolled = wideIn(old).map((one) => one.scrollLeft);
      const node = document.importNode(next, true);
      if (old.dataset.part === "inside") { // what a screen reader listens to has to stay
        old.replaceChildren(...node.childNodes);
        continue;
      }
      old.replaceWith(node);
      wideIn(node).forEach((one, index) => { one.scrollLeft = scrolled[index] ?? 0; });
      handOver(node);
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
    const began = Date.now();
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
      rested = Date.now() + restAfter(Date.now() - began);
      if (again) { again = false; soon(); }
    }
  };

  const words = (seconds) => {
    const size = Math.abs(seconds);
    const [number, unit] = size < 60 ? [size, "s"] : size < 3600 ? [size / 60, "min"] : size < 172800 ? [size / 3600, "h"] : [size / 86400, "days"];
    return `${Math.floor(number)} ${unit}`;
  };

  // As the server says how long something took: two units at most.
  const lasted = (seconds) => {
    const [hours, minutes, rest] = [seconds / 3600, (seconds % 3600) / 60, seconds % 60].map(Math.floor);
    return hours ? `${hours} h ${minutes} m` : minutes ? `${minutes} m ${rest} s` : `${rest} s`;
  };

  // The nodes of builds that run: for how long, of how much.
  const move = (node) => {
    const seconds = Math.max(0, (Date.now() - Date.parse(node.dataset.since)) / 1000);
    const usual = Number(node.dataset.usual ?? 0);
    node.querySelector(".words").textContent = `${node.dataset.said}, ${lasted(seconds)}${usual ? ` of about ${lasted(usual)}` : ""}`;
    const [track, share] = [".track", ".share"].map((one) => node.querySelector(one));
    share?.setAttribute("width", (track.getAttribute("width") * Math.min(seconds / Math.max(usual, 1), 1)).toFixed(1));
  };

  const tick = () => {
    document.querySelectorAll(".dag [data-since]").forEach(move);
    for (const time of document.querySelectorAll("time[datetime]")) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      const said = time.className === "span" ? words(seconds) : seconds < 0 ? `in ${words(seconds)}` : `${words(seconds)} ago`;
      if (time.textContent !== said) time.textContent = said;
    }
  };

  // At once, or when enough time has passed since the last one.
  const soon = () => { waiting ??= setTimeout(() => { waiting = null; refresh(); }, Math.max(0, rested - Date.now())); };

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
